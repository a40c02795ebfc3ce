//! What browsers see while nodes of paper come, go, hang and lie: real sockets,
//! the real wire, and a made-up lobby behind it.

#[expect(dead_code, reason = "this story needs only some of it")]
mod support;

use std::time::Duration;

use hangraft_proto::v1;
use serde_json::{Value, json};
use support::{
    Browser, FakeNode, Manner, SETTER, cluster, config, eventually, http, key, name, play, room,
    serving, start,
};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Error as SocketError;

/// Everything once, with nothing going wrong.
#[tokio::test]
async fn a_game_is_opened_watched_and_played() {
    let (_world, nodes) = cluster(2);
    let frontend = serving(&nodes).await;
    let mut ann = Browser::connect(&frontend).await;
    assert_eq!(ann.refused("watch", room(1)).await, "unauthorized");
    let hello = ann.ok("hello", json!({ "name": "Ann" })).await;
    assert_eq!(hello["server"]["cluster"], "connected");
    let opened = ann.ok("open", json!({ "game": "hangman" })).await["room"].clone();
    let here = json!({ "room": opened });
    assert_eq!(ann.ok("watch", here.clone()).await, json!({ "room": opened, "version": 1 }));
    assert_eq!(ann.view().await, (1, true));
    assert_eq!(ann.ok("sit", here.clone()).await, json!({ "seat": 0, "version": 2 }));
    assert_eq!(ann.view().await, (2, false));
    let letter = json!({ "room": opened, "move": { "letter": "e" } });
    assert_eq!(ann.ok("play", letter).await, json!({ "version": 3 }));
    assert_eq!(ann.view().await, (3, false));
    assert_eq!(ann.ok("unwatch", here.clone()).await, json!({}));
    // Writes went to the leader, watches to the follower.
    assert_eq!((nodes[0].attempts().len(), nodes[1].attempts().len()), (3, 0));
    assert_eq!((nodes[0].watches().len(), nodes[1].watches().len()), (0, 1));

    // The same guest, at another socket.
    let mut phone = Browser::connect(&frontend).await;
    let again = phone.ok("hello", json!({ "token": hello["token"] })).await;
    assert_eq!((&again["player"], &again["name"]), (&hello["player"], &json!("Ann")));
}

/// The leader takes a move and dies before it answers. The same attempt goes to
/// another node, is answered once and has one effect.
#[tokio::test]
async fn a_move_in_flight_outlives_the_leader() {
    let (world, mut nodes) = cluster(2);
    let frontend = serving(&nodes).await;
    let mut ann = Browser::greet(&frontend, "Ann").await;
    let leader = nodes.remove(0);
    leader.behave(Manner::Swallow);
    let id = ann.ask("play", play(41)).await;
    eventually("the leader has the move", async || leader.attempts().len() == 1).await;
    let attempt = leader.attempts()[0];
    let began = Instant::now();
    leader.kill();
    world.elect(2);
    assert_eq!(ann.answer(id).await["ok"]["version"], 2);
    assert!(began.elapsed() < Duration::from_millis(300), "{:?}", began.elapsed());
    assert_eq!(nodes[0].attempts(), [attempt]);
    assert_eq!((attempt.1, attempt.2, world.version(1)), (0, 41, 2));
}

/// A leader that hangs with its connection open is left for another.
#[tokio::test]
async fn a_silent_leader_is_left() {
    let (world, nodes) = cluster(2);
    let frontend = serving(&nodes).await;
    let mut ann = Browser::greet(&frontend, "Ann").await;
    nodes[0].behave(Manner::Ignore);
    assert_eq!(ann.ok("play", play(1)).await["version"], 2);
    assert_eq!(nodes[0].attempts(), nodes[1].attempts());
    assert_eq!(world.version(1), 2);
}

/// Without a majority the move waits, and is done as soon as there is a leader.
#[tokio::test]
async fn a_move_waits_for_an_election() {
    let (world, nodes) = cluster(2);
    let frontend = serving(&nodes).await;
    let mut ann = Browser::greet(&frontend, "Ann").await;
    nodes[0].behave(Manner::Refuse(v1::Code::NoQuorum));
    let id = ann.ask("play", play(1)).await;
    eventually("it is tried again", async || nodes[0].attempts().len() >= 3).await;
    world.elect(2);
    assert_eq!(ann.answer(id).await["ok"]["version"], 2);
    assert_eq!(world.version(1), 2);
}

/// When nobody answers until patience is over, the player is told that nothing is known.
#[tokio::test]
async fn patience_ends_honestly() {
    let (_world, nodes) = cluster(1);
    let frontend = serving(&nodes).await;
    let mut ann = Browser::greet(&frontend, "Ann").await;
    nodes[0].behave(Manner::Swallow);
    let began = Instant::now();
    assert_eq!(ann.refused("play", play(1)).await, "unknown-outcome");
    assert!(began.elapsed() >= Duration::from_secs(10));
}

/// Who looks below deck sees the leader die and another lead, without learning where any
/// node is; who does not look hears nothing of it.
#[tokio::test]
async fn the_nodes_are_shown_to_who_looks() {
    let (world, mut nodes) = cluster(4);
    world.name_members(&nodes);
    let frontend = serving(&nodes).await;
    let (mut ann, mut bo) =
        (Browser::greet(&frontend, "Ann").await, Browser::greet(&frontend, "Bo").await);
    let aboard = |node, votes, heard| json!({ "node": node, "votes": votes, "heard": heard });
    let others = [aboard(2, true, true), aboard(3, true, true), aboard(4, false, true)];

    assert!(ann.ok("deck", json!({ "open": true })).await.is_object());
    let mut seen = Vec::new();
    let all_heard = |deck: &Value| {
        let nodes = deck["nodes"].as_array().expect("a list");
        deck["leader"] == 1 && nodes.len() == 4 && nodes.iter().all(|node| node["heard"] == true)
    };
    // Nodes come one by one.
    while !seen.last().is_some_and(all_heard) {
        seen.push(ann.push("deck").await);
    }
    nodes.remove(0).kill();
    let lost = ann.push("deck").await;
    assert_eq!(
        (&lost["lost"], &lost["leader"], &lost["for_ms"]),
        (&json!(1), &Value::Null, &json!(0))
    );
    assert_eq!(lost["nodes"][0], aboard(1, true, false));
    assert_eq!(lost["nodes"].as_array().unwrap()[1..], others);
    world.elect(2);
    seen.push(lost);
    while seen.last().is_none_or(|deck| deck["leader"] != 2) {
        seen.push(ann.push("deck").await);
    }
    let led = seen.last().unwrap();
    assert_eq!((&led["term"], led.get("lost")), (&json!(2), None));

    // Nothing that a player may not know.
    let told = json!(seen).to_string();
    let secrets = nodes.iter().map(FakeNode::address).chain([key().access_token()]);
    for secret in secrets.chain(["127.0.0.1".to_owned()]) {
        assert!(!told.contains(&secret), "{secret} in {told}");
    }

    // Closed, it is quiet; and whoever never looked was told of nothing but the link.
    assert_eq!(ann.ok("deck", json!({ "open": false })).await, json!({}));
    while ann.pushed().iter().any(|push| push["push"] == "deck") {
        ann.push("deck").await;
    }
    world.elect(3);
    for one in [&mut ann, &mut bo] {
        while one.push("cluster").await["leader"] != 3 {}
        one.ok("ping", json!({})).await;
        assert!(one.pushed().iter().all(|push| push["push"] != "deck"), "{:?}", one.pushed());
    }
}

/// The node watched through dies. The watch goes on through another from the
/// version it had, without a gap and without a repetition.
#[tokio::test]
async fn a_watch_outlives_its_node() {
    let (world, mut nodes) = cluster(3);
    let frontend = serving(&nodes).await;
    let mut ann = Browser::greet(&frontend, "Ann").await;
    ann.ok("watch", room(1)).await;
    assert_eq!(ann.view().await, (1, true));
    world.change(1, 1);
    assert_eq!(ann.view().await, (2, false));
    let at = nodes.iter().position(|node| !node.watches().is_empty()).unwrap();
    assert_ne!(at, 0, "not through the leader");
    nodes.remove(at).kill();
    for _ in 0..3 {
        world.change(1, 1);
    }
    for version in 3..=5 {
        assert_eq!(ann.view().await, (version, false));
    }
    let since: Vec<_> = nodes.iter().flat_map(FakeNode::watches).map(|watch| watch.since).collect();
    assert_eq!(since.len(), 1);
    assert!(since[0] >= Some(2));
}

/// A follower that is cut off from the others shows nothing new. That moves are
/// acknowledged elsewhere gives it away, and the watch moves on.
#[tokio::test]
async fn a_frozen_watch_is_left() {
    let (_world, nodes) = cluster(3);
    let frontend = serving(&nodes).await;
    let mut ann = Browser::greet(&frontend, "Ann").await;
    ann.ok("watch", room(1)).await;
    assert_eq!(ann.view().await, (1, true));
    nodes.iter().find(|node| !node.watches().is_empty()).unwrap().cut_off();
    assert_eq!(ann.ok("play", play(1)).await["version"], 2);
    assert_eq!(ann.view().await, (2, false));
}

/// With many moves on their way an answer waits for its view. When that does not come it is
/// given all the same, long before anybody sees that the watch is frozen.
#[tokio::test]
async fn an_answer_waits_for_no_view_that_does_not_come() {
    let (_world, nodes) = cluster(2);
    let frontend = serving(&nodes).await;
    let mut ann = Browser::greet(&frontend, "Ann").await;
    ann.ok("watch", room(1)).await;
    assert_eq!(ann.view().await, (1, true));
    nodes[1].cut_off();
    nodes[0].behave(Manner::Swallow);
    let mut crowd = Vec::new();
    for _ in 0..8 {
        let mut bo = Browser::greet(&frontend, "Bo").await;
        for serial in 1..=10 {
            bo.ask("play", play(serial)).await;
        }
        crowd.push(bo);
    }
    eventually("all are on their way", async || nodes[0].attempts().len() >= 80).await;
    nodes[0].behave(Manner::Answer);
    let began = Instant::now();
    ann.ok("play", play(1)).await;
    assert!(began.elapsed() < Duration::from_millis(300), "{:?}", began.elapsed());
}

/// A gap is shown as one, and someone who comes back gets what they missed.
#[tokio::test]
async fn gaps_are_shown_and_absences_made_good() {
    let (world, nodes) = cluster(1);
    let frontend = serving(&nodes).await;
    let mut ann = Browser::greet(&frontend, "Ann").await;
    ann.ok("watch", room(1)).await;
    assert_eq!(ann.view().await, (1, true));
    world.change(1, 4);
    assert_eq!(ann.view().await, (5, true));
    for version in 6..=8 {
        world.change(1, 1);
        assert_eq!(ann.view().await, (version, false));
    }
    let token = ann.ok("hello", json!({})).await["token"].clone();
    drop(ann);
    for (since, views) in [(6, vec![(7, false), (8, false)]), (8, vec![]), (2, vec![(8, true)])] {
        let mut back = Browser::connect(&frontend).await;
        back.ok("hello", json!({ "token": token })).await;
        let watching = back.ok("watch", json!({ "room": name(1), "since": since })).await;
        assert_eq!(watching["version"], 8);
        for view in views {
            assert_eq!(back.view().await, view, "since {since}");
        }
        back.ok("ping", json!({})).await;
    }
}

/// One sees the word, the others do not: not in a push, not after a reconnect,
/// not when the watch moves. Every byte that the others get is read.
#[tokio::test]
async fn a_secret_reaches_its_setter_only() {
    let (world, mut nodes) = cluster(2);
    let frontend = serving(&nodes).await;
    let mut setter = Browser::greet(&frontend, SETTER).await;
    setter.ok("sit", room(1)).await;
    let mut guesser = Browser::greet(&frontend, "Guesser").await;
    let mut watcher = Browser::greet(&frontend, "Watcher").await;
    for browser in [&mut guesser, &mut setter, &mut watcher] {
        browser.ok("watch", room(1)).await;
    }
    assert!(setter.push("view").await["view"]["secret"].is_string());
    world.change(1, 1);
    assert!(setter.push("view").await["view"]["secret"].is_string());
    let token = watcher.ok("hello", json!({})).await["token"].clone();
    let mut back = Browser::connect(&frontend).await;
    back.ok("hello", json!({ "token": token })).await;
    back.ok("watch", json!({ "room": name(1), "since": 2 })).await;
    nodes.remove(1).kill();
    world.change(1, 1);
    assert_eq!(setter.push("view").await["view"]["secret"], "kanna kamui");
    world.change(1, 5);
    assert_eq!(setter.push("view").await["view"]["secret"], "kanna kamui");
    drop(frontend);
    for (who, mut browser) in [("guesser", guesser), ("watcher", watcher), ("back", back)] {
        let (heard, _) = browser.until_closed().await;
        assert!(heard.iter().any(|push| push["version"] == 9), "{who} saw it to the end");
        assert!(heard.iter().all(|push| !push.to_string().contains("kanna")), "{who}");
    }
}

/// A room that leaves the lobby says so, and one that never was is refused.
#[tokio::test]
async fn rooms_end() {
    let (world, nodes) = cluster(1);
    let frontend = serving(&nodes).await;
    let mut ann = Browser::greet(&frontend, "Ann").await;
    ann.ok("watch", room(1)).await;
    ann.view().await;
    world.close(1);
    assert_eq!(ann.push("view").await["closed"], true);
    assert_eq!(ann.refused("watch", room(1)).await, "no-such-room");
    assert_eq!(ann.refused("watch", room(99)).await, "no-such-room");
}

/// Someone who does not read is closed as slow; the others notice nothing.
#[tokio::test]
async fn a_slow_socket_harms_nobody() {
    let (world, nodes) = cluster(1);
    let frontend = serving(&nodes).await;
    let mut slow = Browser::greet(&frontend, "Slow").await;
    let mut ann = Browser::greet(&frontend, "Ann").await;
    slow.ok("watch", room(1)).await;
    ann.ok("watch", room(1)).await;
    ann.view().await;
    world.pad_views(200 << 10);
    for version in 2..=150 {
        world.change(1, 1);
        assert_eq!(ann.view().await, (version, false));
    }
    let (heard, _) = slow.until_closed().await;
    let views = heard.iter().filter(|push| push["push"] == "view").count();
    assert!(views < 140, "{views} views were queued for someone who reads none");
    ann.ok("ping", json!({})).await;
}

/// Frames that are too large close the socket with 1009, a little or far too large.
#[tokio::test]
async fn a_large_frame_ends_the_socket() {
    let (_world, nodes) = cluster(1);
    let frontend = serving(&nodes).await;
    for (bytes, closes) in [(7 << 10, false), (9 << 10, true), (100 << 10, true)] {
        let mut browser = Browser::greet(&frontend, "Ann").await;
        let padding = "x".repeat(bytes);
        let id = browser.ask("ping", json!({ "x": padding })).await;
        if closes {
            let (heard, close) = browser.until_closed().await;
            assert_eq!(heard.last().unwrap()["code"], "too-large", "{bytes}");
            assert_eq!(close.map(|frame| u16::from(frame.code)), Some(1009), "{bytes}");
        } else {
            browser.answer(id).await;
        }
    }
}

/// Nonsense is answered and the socket lives; a flood of it closes with 1008.
#[tokio::test]
async fn nonsense_is_answered_until_it_is_abuse() {
    let (_world, nodes) = cluster(1);
    let frontend = serving(&nodes).await;
    let mut browser = Browser::greet(&frontend, "Ann").await;
    assert_eq!(browser.refused("dance", json!({})).await, "bad-request");
    assert_eq!(browser.refused("watch", json!({ "room": 1 })).await, "bad-request");
    browser.ok("ping", json!({})).await;
    for _ in 0..30 {
        browser.send_text("[".into()).await;
    }
    let (heard, close) = browser.until_closed().await;
    assert_eq!(heard.last().unwrap()["code"], "abuse");
    assert_eq!(close.map(|frame| u16::from(frame.code)), Some(1008));
}

/// Only our pages may open sockets, and only so many.
#[tokio::test]
async fn sockets_are_for_some_and_so_many() {
    let (_world, nodes) = cluster(1);
    let mut config = config(&nodes);
    config.limits.sockets_max = 2;
    let frontend = start(config).await;
    let upgrade = "upgrade: websocket\r\nsec-websocket-version: 13\r\n\
                   sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\norigin: http://evil.example\r\n";
    let response = http(&frontend, &format!("GET /ws\nconnection: upgrade\r\n{upgrade}")).await;
    assert!(response.starts_with("HTTP/1.1 403"), "{response}");
    let one = Browser::greet(&frontend, "One").await;
    let _two = Browser::greet(&frontend, "Two").await;
    match Browser::try_connect(&frontend).await {
        Err(SocketError::Http(response)) => assert_eq!(response.status(), 503),
        other => panic!("a third socket: {:?}", other.err()),
    }
    drop(one);
    eventually("a place is free", async || Browser::try_connect(&frontend).await.is_ok()).await;
}

/// Guests are counted by address: the proxy's word for whose it is counts only where the
/// proxy is trusted.
#[tokio::test]
async fn new_guests_are_counted_by_address() {
    let (_world, nodes) = cluster(1);
    for (trusted, expected) in [(true, [true, false, true]), (false, [true, false, false])] {
        let mut config = config(&nodes);
        config.limits.guests_per_minute_from_address = 1;
        if trusted {
            config.trusted_proxies.push("127.0.0.0/8".parse().unwrap());
        }
        let frontend = start(config).await;
        let mut came = Vec::new();
        for client in ["203.0.113.1", "203.0.113.1", "1.2.3.4, 203.0.113.2"] {
            let mut browser = Browser::connect_for(&frontend, client).await;
            let id = browser.ask("hello", json!({})).await;
            let answer = browser.answer(id).await;
            assert!(
                answer["ok"].is_object() || answer["refused"]["code"] == "too-fast",
                "{answer}"
            );
            came.push(answer["ok"].is_object());
        }
        assert_eq!(came, expected, "trusted: {trusted}");
    }
}

/// Pages are told when the cluster is lost and when it is back, and the sockets
/// stay open meanwhile; `/readyz` says the same.
#[tokio::test]
async fn losing_the_cluster_is_shown() {
    let (world, mut nodes) = cluster(1);
    let frontend = serving(&nodes).await;
    let mut ann = Browser::greet(&frontend, "Ann").await;
    ann.ok("watch", room(1)).await;
    ann.view().await;
    let address = nodes.remove(0).kill();
    assert_eq!(ann.push("cluster").await["state"], "reconnecting");
    assert!(http(&frontend, "GET /readyz").await.starts_with("HTTP/1.1 503"));
    world.change(1, 1);
    let node = FakeNode::start_at(1, &world, address);
    let back = ann.push("cluster").await;
    assert_eq!((&back["state"], &back["leader"]), (&json!("connected"), &json!(1)));
    assert_eq!(ann.view().await, (2, false));
    assert_eq!(ann.ok("play", play(1)).await["version"], 3);
    assert_eq!(node.attempts().len(), 1);
}

/// A frontend that ends without draining says so.
#[tokio::test]
async fn a_sudden_end_is_said() {
    let (_world, nodes) = cluster(1);
    let frontend = serving(&nodes).await;
    let mut ann = Browser::greet(&frontend, "Ann").await;
    drop(frontend);
    let (heard, close) = ann.until_closed().await;
    assert_eq!(heard.last().unwrap()["code"], "restarting");
    assert_eq!(close.map(|frame| u16::from(frame.code)), Some(1012));
}

/// A lobby full of browsers costs the node one question.
#[tokio::test]
async fn listings_are_shared() {
    let (_world, nodes) = cluster(1);
    let frontend = serving(&nodes).await;
    let mut ann = Browser::greet(&frontend, "Ann").await;
    for _ in 0..20 {
        let listing = ann.ok("rooms", json!({ "game": "hangman" })).await;
        assert_eq!(listing["rooms"][0]["about"]["mode"], "together");
    }
    assert!(nodes[0].listings() < 20, "{}", nodes[0].listings());
}

/// The cluster learns who is in which room, and learns it anew when it has forgotten.
#[tokio::test]
async fn presence_is_told() {
    let (world, nodes) = cluster(1);
    let frontend = serving(&nodes).await;
    let mut ann = Browser::greet(&frontend, "Ann").await;
    // She has a socket, and is in no room yet.
    eventually("Ann is online", async || !nodes[0].presence().is_empty()).await;
    let online = nodes[0].presence()[0].clone();
    assert!(!online.whole && online.by_room && online.arrived.is_empty());
    assert_eq!((online.came.len(), online.came[0].room), (1, u64::MAX));
    ann.ok("watch", room(1)).await;
    let arrival = |report: &&v1::Presence| !report.arrived.is_empty();
    eventually("Ann's arrival", async || nodes[0].presence().iter().any(|it| arrival(&it))).await;
    let first = nodes[0].presence().iter().find(arrival).unwrap().clone();
    assert_eq!((first.whole, first.arrived.len(), first.departed.len()), (false, 1, 0));
    assert!(first.came[0].room == 1 && first.came[0].player == first.arrived[0]);
    world.lose_lease();
    let mut bo = Browser::greet(&frontend, "Bo").await;
    bo.ok("watch", room(1)).await;
    eventually("the whole list", async || {
        let whole = |report: &v1::Presence| report.whole && report.came.len() == 4;
        nodes[0].presence().iter().any(whole)
    })
    .await;
    // She is still connected, and not in the room any more.
    ann.ok("unwatch", room(1)).await;
    let gone = |report: &v1::Presence| report.went == first.came;
    eventually("Ann's going", async || nodes[0].presence().iter().any(gone)).await;
    ann.ok("ping", json!({})).await;
    drop(bo);
    let departed = |report: &v1::Presence| !report.departed.is_empty() && !gone(report);
    eventually("Bo's departure", async || nodes[0].presence().iter().any(departed)).await;
    let sequences: Vec<_> = nodes[0].presence().iter().map(|report| report.sequence).collect();
    assert!(sequences.is_sorted_by(|one, next| one < next), "{sequences:?}");
}

/// The page and its surroundings: headers on everything, other frontends named.
#[tokio::test]
async fn the_page_comes_with_its_headers() {
    let (_world, nodes) = cluster(1);
    let mut config = config(&nodes);
    config.frontends = vec!["http://one.example".into(), "http://two.example".into()];
    let frontend = start(config).await;
    let page = http(&frontend, "GET /").await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    for path in ["/", "/live", "/frontends.json", "/healthz", "/nowhere"] {
        let response = http(&frontend, &format!("GET {path}")).await;
        assert!(response.contains("content-security-policy: default-src 'none'"), "{path}");
        assert!(response.contains("x-content-type-options: nosniff"), "{path}");
    }
    let list = http(&frontend, "GET /frontends.json").await;
    assert!(
        list.ends_with(r#"{"frontends":["http://one.example","http://two.example"]}"#),
        "{list}"
    );
}
