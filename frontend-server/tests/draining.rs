//! A frontend that is asked to stop sends its players elsewhere, and waits for
//! them; but not for ever.

#[expect(dead_code, reason = "this story needs only some of it")]
mod support;

use std::{net::SocketAddr, time::Duration};

use hangraft_frontend_server::MOVE_TIME;
use hangraft_proto::v1;
use serde_json::{Value, json};
use support::{Browser, Manner, cluster, eventually, http_at, name, play, room, serving};
use tokio::{net::TcpStream, time::Instant};
use tokio_tungstenite::tungstenite::Error as SocketError;

/// What is far too long for something that should happen at once.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Ann's frontend is asked to stop while a move of hers is in flight. She is told
/// to move, and hears the answer and sees the view where she asked. At the other
/// frontend she goes on where she was, and the same move is the same move. The
/// first one stops when she has left it, and not before.
#[tokio::test]
async fn a_player_moves_and_loses_nothing() {
    let (world, nodes) = cluster(1);
    let (here, there) = (serving(&nodes).await, serving(&nodes).await);
    let addr = here.addr();
    let mut ann = Browser::connect(&here).await;
    let hello = ann.ok("hello", json!({ "name": "Ann" })).await;
    ann.ok("watch", room(1)).await;
    assert_eq!(ann.view().await, (1, true));
    nodes[0].behave(Manner::Refuse(v1::Code::NoQuorum));
    let id = ann.ask("play", play(7)).await;
    eventually("the move is in flight", async || !nodes[0].attempts().is_empty()).await;

    let stop = tokio::spawn(here.stop());
    assert_eq!(ann.push("bye").await["code"], "moving");
    let ready = http_at(addr, "GET /readyz").await;
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("draining"), "{ready}");
    assert!(http_at(addr, "GET /healthz").await.starts_with("HTTP/1.1 200"));
    assert_turned_away(addr).await;

    nodes[0].behave(Manner::Answer);
    assert_eq!(ann.answer(id).await["ok"], json!({ "version": 2 }));
    assert_eq!(ann.view().await, (2, false));
    assert_eq!(ann.ok("say", json!({ "room": name(1), "text": "bye" })).await["version"], 3);
    assert_eq!(ann.view().await, (3, false));

    let mut moved = Browser::connect(&there).await;
    let again = moved.ok("hello", json!({ "token": hello["token"] })).await;
    assert_eq!(again["player"], hello["player"]);
    assert_eq!(moved.ok("watch", json!({ "room": name(1), "since": 2 })).await["version"], 3);
    assert_eq!(moved.ok("play", play(7)).await, json!({ "version": 2 }), "the first answer");
    assert_eq!(world.version(1), 3);

    assert!(!stop.is_finished(), "Ann is still here");
    let left = Instant::now();
    drop(ann);
    stop.await.unwrap();
    assert!(left.elapsed() < AT_ONCE, "{:?}", left.elapsed());
    assert!(TcpStream::connect(addr).await.is_err(), "nobody listens any more");
}

/// Ann plays a match, and is told things all the time, while her frontend is asked to stop.
/// She goes to another one and says which notice she heard last: of all that she was told
/// she hears each once, in order, at one of the two.
#[tokio::test]
async fn a_match_moves_without_losing_a_notice() {
    let (world, nodes) = cluster(2);
    let (here, there) = (serving(&nodes).await, serving(&nodes).await);
    let mut ann = Browser::connect(&here).await;
    let hello = ann.ok("hello", json!({ "name": "Ann" })).await;
    let player = hello["player"].as_str().unwrap().trim_start_matches('p').to_owned();
    let player = u64::from_str_radix(&player, 16).unwrap();
    let epoch = &hello["server"]["epoch"];
    ann.ok("watch", room(1)).await;
    ann.ok("notices", json!({ "epoch": epoch })).await;
    let turn = || v1::Notice { kind: "turn".into(), room: 1, ..Default::default() };
    let telling = tokio::spawn({
        let world = world.clone();
        async move {
            for _ in 0..200 {
                world.tell(player, turn());
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    });
    let mut heard = vec![ann.notice().await];
    let stop = tokio::spawn(here.stop());
    assert_eq!(ann.push("bye").await["code"], "moving");
    heard.push(ann.notice().await);
    let mut moved = Browser::connect(&there).await;
    moved.ok("hello", json!({ "token": hello["token"] })).await;
    // What comes meanwhile still comes to where she is.
    heard.push(ann.notice().await);
    let since = heard.last().unwrap().0;
    moved.ok("notices", json!({ "since": since, "epoch": epoch })).await;
    assert_eq!(ann.ok("draw", room(1)).await["version"], 2);
    drop(ann);
    stop.await.unwrap();
    while heard.last().is_none_or(|(number, ..)| *number < 200) {
        heard.push(moved.notice().await);
    }
    let all: Vec<_> = (1..=200).map(|number| (number, "turn".to_owned(), false)).collect();
    assert_eq!(heard, all);
    telling.await.unwrap();
}

/// Whoever does not know what `moving` means is served until time is up, and then
/// closed with 1001, without being told twice.
#[tokio::test]
async fn who_does_not_move_is_closed_at_the_deadline() {
    let (world, nodes) = cluster(1);
    let frontend = serving(&nodes).await;
    let mut ann = Browser::greet(&frontend, "Ann").await;
    ann.ok("watch", room(1)).await;
    ann.view().await;
    let begun = Instant::now();
    let stop = tokio::spawn(frontend.stop());
    assert_eq!(ann.push("bye").await["code"], "moving");
    world.change(1, 1);
    assert_eq!(ann.view().await, (2, false));
    let (heard, close) = ann.until_closed().await;
    assert_eq!(heard, [] as [Value; 0]);
    assert_eq!(close.map(|frame| u16::from(frame.code)), Some(1001));
    drop(ann);
    stop.await.unwrap();
    let took = begun.elapsed();
    assert!(MOVE_TIME <= took && took < MOVE_TIME + AT_ONCE, "{took:?}");
}

/// With nobody to wait for, stopping is a matter of an instant.
#[tokio::test]
async fn an_empty_frontend_stops_at_once() {
    let (_world, nodes) = cluster(1);
    let frontend = serving(&nodes).await;
    drop(Browser::greet(&frontend, "Ann").await);
    let begun = Instant::now();
    frontend.stop().await;
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}

async fn assert_turned_away(addr: SocketAddr) {
    match Browser::try_connect_at(addr).await {
        Err(SocketError::Http(response)) => assert_eq!(response.status(), 503),
        other => panic!("a socket at a draining frontend: {:?}", other.err()),
    }
}
