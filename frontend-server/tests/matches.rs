//! What strangers see who look for each other, through frontends that know nothing of each
//! other, while nodes of paper come and go.

#[expect(dead_code, reason = "this story needs only some of it")]
mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt;
use hangraft_proto::v1;
use serde_json::{Value, json};
use support::{BOT, Browser, FakeNode, cluster, eventually, name, offer_name, serving};
use tokio::time::{Instant, sleep, sleep_until};

/// A notice of no consequence.
fn unmatched() -> v1::Notice {
    v1::Notice { kind: "unmatched".into(), offer: 9, why: "expired".into(), ..Default::default() }
}

/// A guest who hears what they are told, and their number.
async fn told(frontend: &hangraft_frontend_server::Frontend, name: &str) -> (Browser, u64, Value) {
    let mut browser = Browser::connect(frontend).await;
    let hello = browser.ok("hello", json!({ "name": name })).await;
    let player = hello["player"].as_str().unwrap().trim_start_matches('p').to_owned();
    (browser, u64::from_str_radix(&player, 16).unwrap(), hello)
}

/// The players that nodes were asked to follow, with where from.
fn asked(nodes: &[FakeNode], player: u64) -> Vec<Option<u64>> {
    let follows = nodes.iter().flat_map(FakeNode::follows);
    follows.filter(|follow| follow.player == player).map(|follow| follow.since).collect()
}

/// Ann waits at one frontend, Bo comes at another: both are told of the same game, with each
/// other, and Bo has the room in the answer.
#[tokio::test]
async fn strangers_at_two_frontends_meet() {
    let (_world, nodes) = cluster(2);
    let (here, there) = (serving(&nodes).await, serving(&nodes).await);
    let (mut ann, ann_id, hello) = told(&here, "Ann").await;
    let bots = json!([{ "player": format!("p{BOT:016x}"), "name": "Ada", "game": "hangman", "strength": "easy" }]);
    assert_eq!(hello["server"]["bots"], bots);
    let (mut bo, bo_id, _) = told(&there, "Bo").await;
    for browser in [&mut ann, &mut bo] {
        assert_eq!(browser.ok("notices", json!({})).await, json!({ "number": 0 }));
    }
    let wanted = json!({ "game": "hangman", "options": { "mode": "setter" }, "clock": 30 });
    assert_eq!(ann.ok("seek", wanted.clone()).await, json!({ "offer": offer_name(1) }));
    let found = bo.ok("seek", wanted).await;
    assert_eq!(found, json!({ "offer": offer_name(1), "room": name(2) }));
    for (browser, seat, other, name) in [(&mut ann, 0, bo_id, "Bo"), (&mut bo, 1, ann_id, "Ann")] {
        let notice = browser.push("notice").await;
        let expected = json!({
            "push": "notice", "number": 1, "kind": "matched", "offer": found["offer"],
            "room": found["room"], "seat": seat, "game": "hangman",
            "player": format!("p{other:016x}"), "name": name, "rating": 1500,
            "provisional": true, "options": { "mode": "setter" }, "clock": 30, "rated": true,
        });
        assert_eq!(notice, expected);
        let resigned = browser.ok("resign", json!({ "room": found["room"] })).await;
        assert!(resigned["version"].is_u64(), "{resigned}");
    }
}

/// A player with two sockets is followed once, from the lower number. A socket that never
/// asked hears nothing; and some time after the last one has gone, nobody is followed.
#[tokio::test]
async fn a_player_is_followed_once() {
    let (world, nodes) = cluster(1);
    let frontend = serving(&nodes).await;
    let (mut ann, id, hello) = told(&frontend, "Ann").await;
    world.tell(id, unmatched());
    assert_eq!(ann.ok("notices", json!({ "since": 0 })).await["number"], 1);
    assert_eq!(ann.notice().await, (1, "unmatched".into(), false));
    let mut phone = Browser::connect(&frontend).await;
    phone.ok("hello", json!({ "token": hello["token"] })).await;
    let mut old = Browser::connect(&frontend).await;
    old.ok("hello", json!({ "token": hello["token"] })).await;
    assert_eq!(phone.ok("notices", json!({})).await["number"], 1);
    assert_eq!(asked(&nodes, id), [Some(0)], "what comes is known already");
    let mut late = Browser::connect(&frontend).await;
    late.ok("hello", json!({ "token": hello["token"] })).await;
    assert_eq!(late.ok("notices", json!({ "since": 0 })).await["number"], 1);
    assert_eq!(late.notice().await.0, 1);
    assert_eq!(asked(&nodes, id), [Some(0), Some(0)]);
    world.tell(id, unmatched());
    for browser in [&mut ann, &mut phone, &mut late] {
        assert_eq!(browser.notice().await.0, 2);
        browser.ok("ping", json!({})).await;
        assert!(browser.pushed().is_empty(), "{:?}", browser.pushed());
    }
    old.ok("ping", json!({})).await;
    assert!(old.pushed().is_empty(), "{:?}", old.pushed());
    drop((ann, phone, late, old));
    eventually("nobody is followed any more", async || nodes[0].unfollows() == 1).await;
}

/// The node that tells of Ann dies; some of what she is told is said before another has
/// taken over. She hears everything, once and in order.
#[tokio::test]
async fn notices_outlive_their_node() {
    let (world, mut nodes) = cluster(3);
    let frontend = serving(&nodes).await;
    let (mut ann, id, _) = told(&frontend, "Ann").await;
    ann.ok("notices", json!({})).await;
    world.tell(id, unmatched());
    assert_eq!(ann.notice().await.0, 1);
    let at = nodes.iter().position(|node| !node.follows().is_empty()).unwrap();
    nodes.remove(at).kill();
    for _ in 0..3 {
        world.tell(id, unmatched());
    }
    for number in 2..=4 {
        assert_eq!(ann.notice().await, (number, "unmatched".into(), false));
    }
    assert_eq!(asked(&nodes, id).len(), 1);
    ann.ok("ping", json!({})).await;
    assert!(ann.pushed().iter().all(|push| push["push"] != "notice"), "{:?}", ann.pushed());
}

/// What is looked up is asked of a node once for all who ask at about the same time.
#[tokio::test]
async fn what_is_looked_up_is_shared() {
    let (_world, nodes) = cluster(1);
    let frontend = serving(&nodes).await;
    let (mut ann, id, _) = told(&frontend, "Ann").await;
    for _ in 0..20 {
        let ladder = ann.ok("ladder", json!({ "game": "hangman", "week": true })).await;
        assert_eq!(ladder, json!({ "names": [], "game": "hangman", "week": true }));
    }
    assert!(nodes[0].listings() < 20, "{}", nodes[0].listings());
    let card = ann.ok("card", json!({ "player": format!("p{id:016x}") })).await;
    assert_eq!(card["name"], id.to_string());
    let offer = ann.ok("seek", json!({ "game": "hangman", "rated": false })).await;
    let shown = ann.ok("offer", offer.clone()).await;
    assert_eq!((&shown["kind"], &shown["name"]), (&json!("seek"), &json!("Ann")));
    assert_eq!((&shown["rated"], &shown["options"]), (&json!(false), &json!({})));
    assert_eq!(ann.ok("withdraw", offer.clone()).await, json!({}));
    sleep(Duration::from_millis(300)).await;
    assert_eq!(ann.refused("offer", offer).await, "no-such-offer");
    assert_eq!(ann.refused("offer", json!({ "offer": name(1) })).await, "no-such-offer");
}

/// The open seeks are shown to who looks, at once and as they change; a node is asked for
/// them only while somebody does.
#[tokio::test]
async fn seeks_are_shown_while_somebody_looks() {
    let (_world, nodes) = cluster(1);
    let frontend = serving(&nodes).await;
    let (mut ann, _, _) = told(&frontend, "Ann").await;
    let (mut bo, _, _) = told(&frontend, "Bo").await;
    ann.ok("lobby", json!({ "open": true })).await;
    assert_eq!(ann.push("lobby").await["total"], 0);
    let offer = bo.ok("seek", json!({ "game": "hangman" })).await["offer"].clone();
    let shown = ann.push("lobby").await;
    assert_eq!((&shown["total"], &shown["seeks"][0]["offer"]), (&json!(1), &offer));
    assert_eq!(shown["seeks"][0]["name"], "Bo");
    // Who comes later sees what there is, and its age by then.
    sleep(Duration::from_millis(50)).await;
    bo.ok("lobby", json!({ "open": true })).await;
    let later = bo.push("lobby").await;
    assert!(later["seeks"][0]["age_ms"].as_u64().unwrap() >= 50, "{later}");
    let asked = |lobby| nodes[0].glance().is_some_and(|glance| glance.lobby == lobby);
    ann.ok("lobby", json!({ "open": false })).await;
    ann.ok("ping", json!({})).await;
    assert!(asked(true), "Bo still looks");
    drop(bo);
    eventually("nobody looks", async || asked(false)).await;
    assert_eq!(ann.ok("accept", json!({ "offer": offer })).await["room"], name(2));
    ann.ok("ping", json!({})).await;
    assert!(ann.pushed().is_empty(), "{:?}", ann.pushed());
}

/// Two hundred look at numbers that change a thousand times a second: each sees them move,
/// at most four times a second and the last one always, and all of that together is less
/// than half a megabyte a second.
#[tokio::test]
async fn numbers_move_for_a_crowd() {
    const LOOKERS: usize = 200;
    const LASTS: Duration = Duration::from_secs(3);
    const BYTES_MAX: f64 = 0.5e6;
    let (world, nodes) = cluster(2);
    let frontend = serving(&nodes).await;
    let sides = json!({ "hangman": { "setter": 12345, "guesser": 12345 }, "tic-tac-toe": { "x": 12345, "o": 12345, "draw": 12345 } });
    let numbers = |moves: u64| {
        json!({
            "online": 1234, "playing": 1234, "moves_today": 1234567, "moves": moves,
            "matches_today": 123456, "matches": 1234567, "per_minute": 1234, "sides": sides,
            "streak": { "length": 17, "name": "Somebody with a name", "game": "tic-tac-toe" },
        })
    };
    world.show_live(&numbers(0), &json!(vec![[0, 0]; 60]));
    let (bytes, pushes, done) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), 999_999);
    let mut readers = Vec::new();
    for _ in 0..LOOKERS {
        let mut browser = Browser::greet(&frontend, "Ann").await;
        browser.ok("live", json!({ "open": true })).await;
        let first = browser.push("live").await;
        assert_eq!(first["minutes"].as_array().map(Vec::len), Some(60), "{first}");
        let (bytes, pushes) = (bytes.clone(), pushes.clone());
        readers.push(tokio::spawn(async move {
            let mut socket = browser.into_socket();
            while let Some(Ok(message)) = socket.next().await {
                let text = message.into_text().expect("text");
                bytes.fetch_add(text.len(), Ordering::Relaxed);
                pushes.fetch_add(1, Ordering::Relaxed);
                let said: Value = serde_json::from_str(&text).unwrap();
                assert!(said.get("minutes").is_none(), "no minute has passed: {said}");
                if said["numbers"]["moves"] == done {
                    return;
                }
            }
        }));
    }
    let began = Instant::now();
    for moves in 1..=3000 {
        sleep_until(began + LASTS * moves / 3000).await;
        world.say_live(&numbers(moves.into()));
    }
    let (sent, shown) = (bytes.load(Ordering::Relaxed), pushes.load(Ordering::Relaxed));
    world.say_live(&numbers(done));
    for reader in readers {
        reader.await.expect("everybody sees the last");
    }
    let (rate, each) = (sent as f64 / LASTS.as_secs_f64(), shown as f64 / LOOKERS as f64);
    assert!(rate <= BYTES_MAX, "{rate} bytes a second");
    assert!((9.0..=13.0).contains(&each), "{each} times in {LASTS:?}");
}
