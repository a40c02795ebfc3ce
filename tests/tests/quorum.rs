//! A cluster without a majority says so instead of guessing, and goes on where it
//! was as soon as it has one again.

use std::time::{Duration, Instant};

use hangraft_proto::socket::{Action, Code};
use hangraft_tests::{
    cluster::Status,
    demo::{Demo, Wanted, run_well},
    http,
    player::Player,
    socket::Socket,
    wait::eventually,
};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

/// How long a frontend keeps trying for a player, and a little more.
const PATIENCE: Duration = Duration::from_secs(14);

/// How long an answer must stay the same to count.
const STEADY: Duration = Duration::from_secs(2);

/// From the death of a leader to the next acknowledged move, on a busy machine and
/// with unoptimised code. `hangraft bench failover` measures it properly.
const FAILOVER_MAX: Duration = Duration::from_secs(8);

/// Two of three nodes die. A move then gets an honest answer in time, which is that
/// nobody can know; the same move, sent again when a node is back, has happened
/// once.
#[tokio::test]
async fn without_a_majority_nothing_is_promised() {
    let demo = Demo::start(&Wanted::default()).await;
    let frontends = demo.frontends();
    let mut ann = Player::arrive("Ann", &frontends, 0).await;
    let room = ann.open(json!({"category": "places"})).await;
    ann.guess('q').await.expect("a first letter");
    ann.see("the first letter", |view| letters(view) == ["q"]).await;
    demo.kill("n2").await;
    demo.kill("n3").await;

    // Ann's second window: the same player, who counts further.
    let mut window = Socket::open(&frontends[0]).await.unwrap();
    window.ask(Action::Hello, json!({"token": ann.token()})).await.unwrap().unwrap();
    let guess = json!({"room": room, "move": {"letter": "z"}, "serial": 1_000});
    let answer = timeout(PATIENCE, window.ask(Action::Play, guess.clone())).await.expect("in time");
    let refusal = answer.unwrap().expect_err("no majority, no promise");
    let honest = [Code::UnknownOutcome, Code::NoQuorum].contains(&refusal.code);
    assert!(honest, "{refusal:?}");
    // What is known can still be looked at, and the socket still answers.
    window.ask(Action::Ping, json!({})).await.unwrap().expect("the frontend lives");
    ann.watch_for(Duration::from_millis(100)).await;
    assert_eq!(letters(ann.view()), ["q"], "nothing is shown that is not committed");

    demo.restart("n2").await;
    ann.insist(Action::Play, guess.clone()).await.expect("there is a majority again");
    ann.see("the letter", |view| letters(view) == ["q", "z"]).await;
    let again = ann.insist(Action::Play, guess).await.expect("the first answer, once more");
    assert!(again["version"].as_u64().unwrap() <= ann.version());
    assert_eq!(letters(ann.view()), ["q", "z"], "once");
    demo.restart("n3").await;
    same_state(&demo).await;
    assert_eq!(ann.book().complaints, [""; 0]);
}

/// A cluster that cannot take a move does not call itself ready, whichever node is
/// left, the one that led or another: balancers look there, and the page shows it.
#[tokio::test]
async fn without_a_majority_nobody_is_ready() {
    let demo = Demo::start(&Wanted::default()).await;
    let frontend = demo.frontends()[0].clone();
    for led_before in [true, false] {
        let leader = demo.leader().await;
        let left = demo.record().nodes.into_iter().find(|n| (n.name == leader) == led_before);
        let left = left.expect("three nodes");
        let dead: Vec<_> = demo.nodes().into_iter().filter(|node| *node != left.name).collect();
        for node in &dead {
            demo.kill(node).await;
        }
        ready(&frontend, 503).await;
        ready(&format!("http://{}", left.address), 503).await;
        let hello = hello(&frontend).await;
        assert_eq!(hello["server"]["leader"], Value::Null, "a page shows how things are: {hello}");
        let status = run_well(&["status", "--node", &left.address]).await;
        assert!(status.contains("led by nobody") && status.contains("1 of 3 voters"), "{status}");
        // Nor does it believe what its disk says of an earlier leader.
        demo.kill(&left.name).await;
        demo.restart(&left.name).await;
        ready(&format!("http://{}", left.address), 503).await;

        demo.restart(&dead[0]).await;
        ready(&frontend, 200).await;
        assert_ne!(self::hello(&frontend).await["server"]["leader"], Value::Null);
        demo.restart(&dead[1]).await;
    }
}

/// All nodes die at once, in the middle of a game, as in a power cut. What was
/// acknowledged is there when they are back; the players' sockets were open all
/// the time.
#[tokio::test]
async fn a_power_cut_forgets_nothing() {
    let demo = Demo::start(&Wanted::default()).await;
    let frontends = demo.frontends();
    let mut ann = Player::arrive("Ann", &frontends, 0).await;
    ann.open(json!({"category": "stories"})).await;
    let mut played = Vec::new();
    for letter in ["q", "z", "x", "j"] {
        ann.play(json!({"letter": letter})).await.expect("a new letter");
        played.push(letter);
        for node in demo.nodes() {
            demo.kill(&node).await;
        }
        for node in demo.nodes() {
            demo.restart(&node).await;
        }
    }
    ann.guess('v').await.expect("the game goes on");
    played.push("v");
    ann.see("all letters", |view| letters(view) == played).await;
    same_state(&demo).await;
    assert_eq!(ann.book().complaints, [""; 0]);
    assert_eq!(ann.book().reconnects, 0, "frontends were well");
}

/// A leader that is paused does not know that it is not the leader any more. The
/// others play on without it; when it wakes up it has nothing to say.
#[tokio::test]
async fn a_paused_leader_is_replaced() {
    let demo = Demo::start(&Wanted::default()).await;
    let frontends = demo.frontends();
    let mut ann = Player::arrive("Ann", &frontends, 0).await;
    let mut bo = Player::arrive("Bo", &frontends, 1).await;
    let room = ann.open(json!({"category": "sports"})).await;
    bo.sit(&room).await;
    for letters_in_turn in [['q', 'z'], ['x', 'j']] {
        let leader = demo.leader().await;
        demo.pause(&leader).await;
        let begun = Instant::now();
        for (player, letter) in [(&mut ann, letters_in_turn[0]), (&mut bo, letters_in_turn[1])] {
            player.guess(letter).await.expect("two of three are enough");
        }
        let took = begun.elapsed();
        assert!(took < FAILOVER_MAX, "two moves took {took:?} after {leader} was paused");
        demo.resume(&leader).await;
        same_state(&demo).await;
    }
    for player in [&mut ann, &mut bo] {
        player.see("all letters", |view| letters(view) == ["q", "z", "x", "j"]).await;
        assert_eq!(player.book().complaints, [""; 0]);
    }
}

/// A node is paused while it waits for another one's answer, and wakes up with many timers
/// due. Its gossip takes them up in order, and goes on without an error.
#[tokio::test]
async fn a_node_that_wakes_up_gossips_on() {
    let demo = Demo::start(&Wanted::default()).await;
    let cluster = demo.cluster();
    for _ in 0..5 {
        demo.pause("n3").await;
        // By now it has asked n3, more often than not.
        sleep(Duration::from_millis(600)).await;
        demo.pause("n2").await;
        sleep(Duration::from_secs(2)).await;
        demo.resume("n2").await;
        demo.resume("n3").await;
        let all = |status: &Status| status.members.iter().all(|member| member.alive);
        cluster.until("all are heard", all).await;
    }
    let logs = demo.home().logs();
    let lines = logs.iter().flat_map(|(_, log)| log.lines());
    let gossip: Vec<&str> = lines.filter(|line| line.contains("hangraft_node::gossip")).collect();
    assert!(!gossip.is_empty(), "gossip logs who is there");
    let errors = gossip.iter().filter(|line| line.contains("WARN") || line.contains("ERROR"));
    assert_eq!(errors.count(), 0, "{gossip:#?}");
}

/// Waits until a frontend answers so when it is asked whether it is ready, and goes
/// on answering so: for a moment it may have looked for another node only.
async fn ready(frontend: &str, status: u16) {
    let server = frontend.replace("http://", "");
    let mut since = None;
    eventually(&format!("the frontend's /readyz stays {status}"), PATIENCE, async || {
        let (now, _) = http::get(&server, "/readyz").await.ok()?;
        if now != status {
            since = None;
            return None;
        }
        (since.get_or_insert_with(Instant::now).elapsed() > STEADY).then_some(())
    })
    .await;
}

/// What a page learns when it says hello.
async fn hello(frontend: &str) -> Value {
    let mut socket = Socket::open(frontend).await.expect("sockets are let in");
    socket.ask(Action::Hello, json!({})).await.unwrap().expect("everybody is welcome")
}

async fn same_state(demo: &Demo) {
    let hashes = demo.hashes_at_rest().await;
    assert_eq!(hashes.len(), 3, "three replicas say how they are");
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{hashes:?}");
}

/// The letters of this round, in order.
fn letters(view: &Value) -> Vec<&str> {
    let tried = view["tried"].as_array().expect("a list");
    tried.iter().filter_map(|guess| guess["letter"].as_str()).collect()
}
