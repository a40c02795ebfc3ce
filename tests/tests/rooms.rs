//! Whose a room is, who finds it, and who is there: what players can do to each other.

use hangraft_proto::socket::{Action, Code};
use hangraft_tests::demo::{Demo, Wanted};
use hangraft_tests::player::Player;
use serde_json::{Value, json};

/// Whoever is told of a room finds it; nobody else does, by no list and by no guess.
#[tokio::test]
async fn a_private_room_is_found_by_its_name_alone() {
    let demo = Demo::start(&Wanted::default()).await;
    let frontends = demo.frontends();
    let mut ann = Player::arrive("Ann", &frontends, 0).await;
    let private = ann.open(json!({})).await;
    let mut bo = Player::arrive("Bo", &frontends, 1).await;
    let public = open_public(&mut bo).await;
    assert!(private.len() == 16 && public.len() == 16 && private != public);

    let mut eve = Player::arrive("Eve", &frontends, 0).await;
    for query in [json!({}), json!({"all": true}), json!({"state": "playing"})] {
        let listed = eve.ask(Action::Rooms, query.clone()).await.expect("a list");
        assert_eq!(names(&listed), [public.as_str()], "{query}: {listed}");
    }
    for guess in [json!("1"), json!("room 1"), json!("a".repeat(16)), json!(private[..15])] {
        let refused =
            eve.ask(Action::Watch, json!({"room": guess})).await.expect_err("no such room");
        assert_eq!(refused.code, Code::NoSuchRoom, "{guess}");
    }
    eve.watch(&private).await;
    assert_eq!((&eve.view()["public"], &eve.view()["host"]), (&json!(false), &json!(ann.id())));
}

/// Only the host locks and removes. Who was removed looks on and comes back to no seat.
#[tokio::test]
async fn a_host_keeps_the_table() {
    let demo = Demo::start(&Wanted::default()).await;
    let frontends = demo.frontends();
    let mut ann = Player::arrive("Ann", &frontends, 0).await;
    let room = ann.open(json!({})).await;
    // A stranger under the same name is told apart.
    let mut eve = Player::arrive("ann", &frontends, 1).await;
    eve.sit(&room).await;
    eve.see("both", |view| seated(view) == ["Ann", "ann 2"]).await;

    let (lock, remove) = (json!({"room": room, "locked": true}), json!({"room": room}));
    let whom = |player: &Player| {
        let mut data = remove.clone();
        data["player"] = player.id().into();
        data
    };
    let refused = eve.wish(Action::Remove, whom(&ann)).await.expect_err("she is no host");
    assert_eq!(refused.code, Code::Unauthorized);
    assert_eq!(
        eve.wish(Action::Lock, lock.clone()).await.expect_err("nor here").code,
        Code::Unauthorized
    );

    ann.wish(Action::Remove, whom(&eve)).await.expect("the host may");
    eve.see("that she is out", |view| seated(view) == ["Ann"]).await;
    for action in [Action::Sit, Action::Say] {
        let data = json!({"room": room, "text": "hello?"});
        assert_eq!(
            eve.wish(action, data).await.expect_err(action.as_str()).code,
            Code::Unauthorized
        );
    }
    ann.wish(Action::Lock, lock).await.expect("the host may");
    let mut bo = Player::arrive("Bo", &frontends, 1).await;
    let refused = bo.wish(Action::Sit, json!({"room": room})).await.expect_err("it is locked");
    assert_eq!(refused.code, Code::Unauthorized);
    ann.wish(Action::Lock, json!({"room": room, "locked": false})).await.expect("the host may");
    bo.sit(&room).await;
}

/// Somebody in another room is not here, though their socket is; the table goes on
/// without a setter who is not.
#[tokio::test]
async fn a_setter_in_another_room_is_gone_on_without() {
    let demo = Demo::start(&Wanted::default()).await;
    let frontends = demo.frontends();
    let mut ann = Player::arrive("Ann", &frontends, 0).await;
    let room = ann.open(json!({"mode": "setter"})).await;
    let mut bo = Player::arrive("Bo", &frontends, 1).await;
    bo.sit(&room).await;
    let there = |who: usize, there: bool| {
        move |view: &Value| view["players"][who]["online"] == json!(there)
    };
    bo.see("Ann", there(0, true)).await;
    assert_eq!(bo.again().await.expect_err("she chooses").code, Code::IllegalMove);

    ann.ask(Action::Unwatch, json!({"room": room})).await.expect("one may leave");
    bo.see("that Ann is not here", there(0, false)).await;
    assert!(bo.view()["players"][0]["away_ms"].is_u64() && bo.view()["seat_kept_ms"] == 60_000);
    bo.again().await.expect("nobody else is here to agree");
    bo.see("the role", |view| view["setter"] == 1 && view["round"] == 2).await;
    ann.watch(&room).await;
    bo.see("that Ann is back", there(0, true)).await;
}

/// A new round begins when everybody who is here agrees; a tap too early begins nothing.
#[tokio::test]
async fn a_round_begins_when_all_agree() {
    let demo = Demo::start(&Wanted::default()).await;
    let frontends = demo.frontends();
    let mut ann = Player::arrive("Ann", &frontends, 0).await;
    let room = ann.open(json!({"category": "animals"})).await;
    let mut bo = Player::arrive("Bo", &frontends, 1).await;
    bo.sit(&room).await;
    for letter in "etaoinshrdlcumwfgypbvkjxqz".chars() {
        if ann.guess(letter).await.is_err() {
            break;
        }
    }
    let over = |view: &Value| view["state"] == "won" || view["state"] == "lost";
    bo.see("the end", over).await;
    ann.again().await.expect("she may want another");
    bo.see("that Ann does", |view| view["again"]["agreed"] == json!([0])).await;
    assert!(over(bo.view()) && bo.view()["again"]["begins_in_ms"].as_u64() <= Some(10_000));
    bo.again().await.expect("and so may he");
    bo.see("the next round", |view| view["round"] == 2 && view.get("again").is_none()).await;
}

async fn open_public(player: &mut Player) -> String {
    let open = json!({"game": "hangman", "options": {}, "public": true});
    let opened = player.wish(Action::Open, open).await.expect("a room opens");
    let room = opened["room"].as_str().expect("rooms have names").to_owned();
    player.sit(&room).await;
    player.see("company", |view| view["players"][0]["online"] == true).await;
    room
}

fn names(listed: &Value) -> Vec<&str> {
    let rooms = listed["rooms"].as_array().expect("a list");
    rooms.iter().filter_map(|room| room["room"].as_str()).collect()
}

fn seated(view: &Value) -> Vec<&str> {
    let players = view["players"].as_array().expect("a list");
    players.iter().filter_map(|player| player["name"].as_str()).collect()
}
