//! Nodes in network namespaces of their own: what is cut between them is cut for real.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Output, Stdio},
    time::Duration,
};

use hangraft_proto::socket::Action;
use hangraft_tests::{
    cluster::Status,
    demo::{Demo, Wanted, run_well},
    namespaces::{Namespaces, script},
    player::Player,
    skip::skip,
    wait::eventually,
};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

/// How long what is healed may take to be heard again: TCP asks less and less often.
const HEARD_AGAIN: Duration = Duration::from_secs(30);

/// Namespaces, or a word about why there are none here.
fn up(what: &str) -> Option<Namespaces> {
    Namespaces::up().map_err(|why| skip(what, &why)).ok()
}

async fn start(namespaces: &Namespaces) -> Demo {
    let prefix = Some(namespaces.prefix().to_owned());
    Demo::start(&Wanted { frontends: 1, namespaces: prefix, ..Wanted::default() }).await
}

/// What a script said that has refused.
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Waits until no node misses anybody, by what the firewalls say.
async fn until_healed(demo: &Demo) {
    let healed = async || (demo.fault("list").await == "no faults\n").then_some(());
    eventually("no fault is left", HEARD_AGAIN, healed).await;
}

/// Nothing reaches the leader, and nobody is told. Another one leads, the kernel heals by
/// itself, and nobody's letter is lost.
#[tokio::test]
async fn a_leader_behind_a_real_cut_costs_nobody_a_letter() {
    let Some(namespaces) = up("a leader behind a real cut") else { return };
    let demo = start(&namespaces).await;
    let dir = demo.home().dir().display().to_string();
    let mut ann = Player::arrive("Ann", &demo.frontends(), 0).await;
    let room = ann.open(json!({"category": "places"})).await;
    let before = demo.cluster().leader().await;
    let said = demo.fault("cut isolate leader --for 3s").await;
    assert!(said.starts_with(&format!("cut: {} from ", before.name)), "{said}");
    assert!(said.ends_with("by nftables, for 3 s; heals by itself\n"), "{said}");
    let status = run_well(&["status", "--dir", &dir]).await;
    assert!(status.contains(&format!("{}: faults: cut from n", before.name)), "{status}");
    let letters = ["q", "x", "z"];
    for (nth, letter) in letters.iter().enumerate() {
        let guess = json!({"room": room, "move": {"letter": letter}, "serial": 1_000 + nth});
        ann.insist(Action::Play, guess).await.expect("a letter");
    }
    let good = |status: &Status| status.leader().is_some_and(|now| now.id != before.id);
    demo.cluster().until("another leader", good).await;
    until_healed(&demo).await;
    demo.cluster().agree(3).await;
    let tried = letters.map(|letter| json!(letter));
    let all = |view: &Value| {
        let seen = view["tried"].as_array().expect("a list").iter().map(|one| &one["letter"]);
        seen.eq(&tried)
    };
    ann.see("every letter", all).await;
    let home = demo.stop(Signal::SIGINT).await;
    assert!(namespaces.down().status.success());
    assert_eq!(namespaces.traces(), [""; 0]);
    drop(home);
}

/// Whether a new stream to an address gets through from a node, and not even a refusal comes
/// back if it does not.
async fn gets_through(namespaces: &Namespaces, node: &str, address: &str) -> bool {
    let (ip, port) = address.split_once(':').expect("ip:port");
    let dial = format!("exec 3<>/dev/tcp/{ip}/{port}");
    let mut command = namespaces.command(node, "timeout");
    let status = command.args(["0.5", "bash", "-c", &dial]).status().expect("bash dials");
    match status.code() {
        Some(0) => true,
        Some(124) => false,
        _ => panic!("{node} dials {address}, and hears: {status}"),
    }
}

/// A cut is of one way, of streams or of gossip; it is a process's neither to end nor to
/// forget, and the operator gets through.
#[tokio::test]
async fn a_real_cut_is_of_what_was_asked_for_until_it_is_healed() {
    let Some(namespaces) = up("a real cut of one way") else { return };
    let demo = start(&namespaces).await;
    let record = demo.record();
    let [n1, n2] = [0, 1].map(|i| record.nodes[i].address.clone());
    assert_eq!(record.nodes[1].namespace, Some(format!("{}-n2", namespaces.prefix())));
    demo.fault("gossip-cut n1 n2").await;
    assert!(gets_through(&namespaces, "n1", &n2).await, "gossip is no stream");
    demo.fault("cut one-way n1 n2 --only streams").await;
    assert!(!gets_through(&namespaces, "n1", &n2).await, "it is cut");
    assert!(gets_through(&namespaces, "n3", &n2).await, "others are not");
    demo.kill("n2").await;
    demo.restart("n2").await;
    demo.pause("n1").await;
    demo.resume("n1").await;
    assert!(!gets_through(&namespaces, "n1", &n2).await, "it outlives the process");
    let listed = demo.fault("list").await;
    for row in ["cut from n1, streams only (nftables)", "cut from n1, gossip only (nftables)"] {
        assert!(listed.contains(row), "{listed}");
    }
    assert_eq!(demo.fault("heal").await, "n1: 1 healed\nn2: 2 healed\nn3: 0 healed\n");
    assert_eq!(demo.fault("list").await, "no faults\n");
    for (from, to) in [("n1", &n2), ("n2", &n1)] {
        assert!(gets_through(&namespaces, from, to).await, "it is healed");
    }
}

/// What is there already stays, what somebody else has is not touched, and a failure leaves
/// nothing behind.
#[test]
fn namespaces_disturb_nobody() {
    let Some(namespaces) = up("network namespaces") else { return };
    let made = namespaces.traces();
    assert!(made.len() > 6, "three namespaces, their links and a route: {made:?}");
    assert!(namespaces.make().status.success());
    assert_eq!(namespaces.traces().len(), made.len());
    let other = Namespaces::draw();
    let mut up = Command::new(script("netns-up"));
    let up = up.args(["--subnet", namespaces.subnet(), other.prefix()]);
    let said = refused(&up.output().expect("scripts may be run"));
    assert!(said.contains("is in use"), "{said}");
    // Something strange in the third place: the first two and the bridge are taken away again.
    let strange = format!("{}-n3", other.prefix());
    let made = Command::new("ip").args(["netns", "add", &strange]).status();
    assert!(made.expect("ip makes a namespace").success());
    let said = refused(&other.make());
    assert!(said.contains(&format!("{strange} is there without its address")), "{said}");
    assert_eq!(other.traces(), [strange]);
}

/// Namespaces in which something runs stay, and those that are taken away leave nothing.
#[test]
fn namespaces_in_use_stay() {
    let Some(namespaces) = up("network namespaces in use") else { return };
    let made = namespaces.traces();
    let mut inside = namespaces.command("n2", "cat");
    let inside = inside.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut inside = inside.spawn().expect("cat waits");
    let mut said = String::new();
    inside.stdin.as_mut().expect("piped").write_all(b"I am there\n").expect("it listens");
    let output = inside.stdout.as_mut().expect("piped");
    BufReader::new(output).read_line(&mut said).expect("it answers");
    let said = refused(&namespaces.down());
    assert!(said.contains("still runs in") && said.contains(&inside.id().to_string()), "{said}");
    assert_eq!(namespaces.traces().len(), made.len());
    drop(inside.stdin.take());
    inside.wait().expect("our child");
    assert!(namespaces.down().status.success());
    assert_eq!(namespaces.traces(), [""; 0]);
    assert!(namespaces.down().status.success(), "there is nothing to take away");
}
