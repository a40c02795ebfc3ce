//! A frontend can die at any moment and lose nothing but time.
//!
//! A player's frontend is killed. They go to the other one, say who they are and
//! what they saw last, get what they missed in order, and whatever they had asked
//! for is settled under its old serial: it happened once, and they hear how it went.

use hangraft_proto::socket::Action;
use hangraft_tests::{
    demo::{Demo, Wanted},
    player::Player,
    socket::{Push, Socket, View},
};
use serde_json::{Value, json};

/// Versions of a room that a frontend keeps for those who come back.
const HISTORY: u64 = 64;

/// Ann's train enters a tunnel and leaves it again. At the frontend that knew her
/// she gets every version she missed, one after the other.
#[tokio::test]
async fn who_comes_back_soon_gets_what_they_missed() {
    let demo = Demo::start(&Wanted::default()).await;
    let frontends = demo.frontends();
    let (ann, mut bo) = table_of_two(&frontends).await;
    let (token, id) = (ann.token().to_owned(), ann.id().to_owned());
    let (room, since) = (ann.room(), ann.version());
    drop(ann);
    for i in 0..10 {
        bo.say(&format!("line {i}")).await.expect("everybody may talk");
    }
    let mut socket = enter(&frontends[0], &token, &id).await;
    socket.ask(Action::Watch, json!({"room": room, "since": since})).await.unwrap().unwrap();
    let mut next = since + 1;
    loop {
        let Push::View(push) = socket.push().await.unwrap() else { continue };
        assert_eq!((push.version, push.resync), (next, false), "in order, and no jump");
        next += 1;
        if lines(&push) == 10 {
            break;
        }
    }
}

/// Ann's frontend dies while Bo goes on. She comes back at his and misses nothing:
/// either she gets version after version, or the whole room, and is told that it
/// is a jump. What comes after that is in order.
#[tokio::test]
async fn who_goes_to_another_frontend_misses_nothing() {
    let demo = Demo::start(&Wanted::default()).await;
    let frontends = demo.frontends();
    let (ann, mut bo) = table_of_two(&frontends).await;
    let since = ann.version();
    demo.kill("f1").await;
    for i in 0..10 {
        bo.say(&format!("line {i}")).await.expect("the other frontend is well");
    }
    let mut socket = enter(&frontends[1], ann.token(), ann.id()).await;
    socket.ask(Action::Watch, json!({"room": ann.room(), "since": since})).await.unwrap().unwrap();
    bo.say("line 10").await.expect("the other frontend is well");
    let mut before = since;
    loop {
        let Push::View(push) = socket.push().await.unwrap() else { continue };
        let explained = push.version == before + 1 || (push.resync && push.version > before);
        assert!(explained, "{} after {before}", push.version);
        before = push.version;
        if lines(&push) == 11 {
            break;
        }
    }
}

/// Whoever was away for longer than a frontend remembers gets the whole room, and
/// is told that it is a jump.
#[tokio::test]
async fn who_was_away_too_long_gets_the_whole_room() {
    let demo = Demo::start(&Wanted { limits: false, ..Wanted::default() }).await;
    let frontends = demo.frontends();
    let mut ann = Player::arrive("Ann", &frontends, 0).await;
    let room = ann.open(json!({})).await;
    let (token, since) = (ann.token().to_owned(), ann.version());
    demo.kill("f1").await;
    let mut bo = Player::arrive("Bo", &frontends, 1).await;
    bo.sit(&room).await;
    for i in 0..HISTORY + 10 {
        bo.say(&format!("line {i}")).await.expect("the other frontend is well");
    }
    let mut socket = enter(&frontends[1], &token, ann.id()).await;
    socket.ask(Action::Watch, json!({"room": room, "since": since})).await.unwrap().unwrap();
    let Push::View(push) = socket.push().await.unwrap() else { panic!("a view comes first") };
    assert!(push.resync, "a jump that is not explained");
    assert!(push.version > since + HISTORY, "{} after {since}", push.version);
}

/// Ann guesses and talks, and her frontend dies before it can answer, or after it
/// has forwarded what she said, or before. Each time she asks again at the other
/// frontend, under the same serial: it has happened once.
#[tokio::test]
async fn what_was_in_flight_is_settled_once() {
    let demo = Demo::start(&Wanted::default()).await;
    let frontends = demo.frontends();
    let mut ann = Player::arrive("Ann", &frontends, 0).await;
    ann.open(json!({"category": "music"})).await;
    for (i, letter) in "qzxjvk".chars().enumerate() {
        let (here, there) = (i % 2, (i + 1) % 2);
        ann.go_to(here);
        let room = room_of(&mut ann).await;
        let text = format!("line {i}");
        let guess = json!({"room": room, "move": {"letter": letter.to_string()}});
        let said = ann.wish_into_the_dark(Action::Say, json!({"room": room, "text": text})).await;
        let guessed = ann.wish_into_the_dark(Action::Play, guess).await;
        // Sometimes it has been forwarded by now, and sometimes not.
        let wait = std::time::Duration::from_micros(u64::try_from(i).unwrap() * 1_500);
        tokio::time::sleep(wait).await;
        demo.kill(&format!("f{}", here + 1)).await;

        ann.go_to(there);
        ann.insist(Action::Say, said).await.expect("talking is allowed");
        let guessed = ann.insist(Action::Play, guessed).await.expect("a new letter is allowed");
        let version = guessed["version"].as_u64().unwrap();
        while ann.version() < version {
            ann.see("the guess", |view| count(view, "tried", "letter", &letter.to_string()) > 0)
                .await;
        }
        assert_eq!(count(ann.view(), "chat", "text", &text), 1, "{}", ann.view());
        assert_eq!(count(ann.view(), "tried", "letter", &letter.to_string()), 1);
        demo.restart(&format!("f{}", here + 1)).await;
    }
    assert_eq!(ann.book().complaints, [""; 0]);
    assert!(ann.book().reconnects >= 6, "{:?}", ann.book());
}

/// A token is the same player at any frontend, also at one that has just begun.
async fn enter(frontend: &str, token: &str, player: &str) -> Socket {
    let mut socket = Socket::open(frontend).await.expect("the other frontend is well");
    let hello = socket.ask(Action::Hello, json!({"token": token})).await.unwrap().expect("welcome");
    assert_eq!(hello["player"], player);
    socket
}

/// Ann and Bo at one table, at two frontends; both have seen each other.
async fn table_of_two(frontends: &[String]) -> (Player, Player) {
    let mut ann = Player::arrive("Ann", frontends, 0).await;
    let mut bo = Player::arrive("Bo", frontends, 1).await;
    let room = ann.open(json!({})).await;
    bo.sit(&room).await;
    let both_online = |view: &Value| {
        let players = view["players"].as_array().expect("a list");
        players.len() == 2 && players.iter().all(|player| player["online"] == true)
    };
    ann.see("both at the table", both_online).await;
    (ann, bo)
}

/// Chat lines in a view.
fn lines(push: &View) -> usize {
    push.view["chat"].as_array().expect("a list").len()
}

/// Makes sure of a socket, and says which room is watched.
async fn room_of(player: &mut Player) -> String {
    player.ask(Action::Ping, json!({})).await.expect("a ping is answered");
    player.room()
}

/// How many entries of a list have this value in this field.
fn count(view: &Value, list: &str, field: &str, value: &str) -> usize {
    let list = view[list].as_array().expect("a list");
    list.iter().filter(|entry| entry[field] == value).count()
}
