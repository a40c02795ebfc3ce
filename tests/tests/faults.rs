//! Faults that an operator asks for, on a real cluster: what becomes of it, and that it is
//! over when it was to be over.

use hangraft_proto::socket::Action;
use hangraft_tests::{
    cluster::{Cluster, Status},
    demo::{Demo, Home, Wanted, binary, run_in_vain, run_well},
    player::Player,
    process::Process,
};
use serde_json::{Value, json};
use std::process::Stdio;
use tokio::process::Command;

/// The faults that are active, each with its node.
async fn active(demo: &Demo) -> Vec<Value> {
    let listed: Value = serde_json::from_str(&demo.fault("list --output json").await).unwrap();
    assert_eq!(listed["unanswered"], json!([]));
    listed["faults"].as_array().expect("a list").clone()
}

/// The leader is cut off by a command that has long ended when the cut does. Another one
/// leads, and nobody's letter is lost.
#[tokio::test]
async fn an_isolated_leader_costs_nobody_a_letter() {
    let demo = Demo::start(&Wanted::default()).await;
    let mut ann = Player::arrive("Ann", &demo.frontends(), 0).await;
    let room = ann.open(json!({"category": "places"})).await;
    let (before, leader) = (demo.cluster().leader().await, demo.leader().await);
    let said = demo.fault("cut isolate leader --for 5s").await;
    assert!(said.starts_with(&format!("cut: {leader} from ")), "{said}");
    assert!(said.contains("for 5 s; heals by itself"), "{said}");
    let letters = ["q", "x", "z"];
    for (nth, letter) in letters.iter().enumerate() {
        let guess = json!({"room": room, "move": {"letter": letter}, "serial": 1_000 + nth});
        ann.insist(Action::Play, guess).await.expect("a letter");
    }
    let good = |status: &Status| status.leader().is_some_and(|now| now.id != before.id);
    demo.cluster().until("another leader", good).await;
    demo.cluster().until_event(&before.address, "heals: cut to n").await;
    // Each heals by its own clock.
    demo.cluster().until("no fault is left", no_fault).await;
    assert_eq!(active(&demo).await, [Value::Null; 0]);
    demo.cluster().agree(3).await;
    ann.see("every letter", |view| tried(view) == letters).await;
    assert_eq!(ann.book().complaints, [""; 0]);
}

fn no_fault(status: &Status) -> bool {
    status.members.iter().all(|member| member.faults.is_empty())
}

/// The letters that were guessed, in order.
fn tried(view: &Value) -> Vec<&str> {
    let tried = view["tried"].as_array().expect("a list");
    tried.iter().filter_map(|guess| guess["letter"].as_str()).collect()
}

/// Who asked for a fault is killed before it is over; the fault is not.
#[tokio::test]
async fn a_fault_heals_although_whoever_asked_is_killed() {
    let demo = Demo::start(&Wanted::default()).await;
    let dir = demo.home().dir().display().to_string();
    let words = ["fault", "slow-disk", "all", "--ms", "20", "--for", "3s", "--dir", &dir];
    let mut asking = Command::new(binary());
    asking.args(words).stdout(Stdio::null()).kill_on_drop(true);
    let mut asking = asking.spawn().expect("a command");
    let seen = |status: &Status| status.members.iter().all(|member| !member.faults.is_empty());
    demo.cluster().until("all disks are slow", seen).await;
    // It may have ended by itself.
    _ = asking.start_kill();
    demo.cluster().until("no fault is left", no_fault).await;
}

/// A command does all that it says or nothing, and says why.
#[tokio::test]
async fn a_command_does_all_or_nothing() {
    let demo = Demo::start(&Wanted::default()).await;
    let dir = demo.home().dir().display().to_string();
    let leader = demo.leader().await;
    let dead = demo.nodes().into_iter().find(|name| *name != leader).expect("three nodes");
    demo.kill(&dead).await;
    let (code, said) =
        run_in_vain(&["fault", "drop", "all", "--percent", "5", "--dir", &dir]).await;
    assert_eq!(code, Some(1));
    assert!(said.contains(&format!("{dead} does not answer; name those that run")), "{said}");
    let status = demo.status().await.unwrap();
    assert!(no_fault(&status), "{status:?}");
}

/// `kill leader` and `fault heal` by role, as scripts say it.
#[tokio::test]
async fn a_role_stands_for_a_name() {
    let demo = Demo::start(&Wanted::default()).await;
    let (leader, dir) = (demo.leader().await, demo.home().dir().display().to_string());
    demo.fault("skew leader --by 1h").await;
    let healed = demo.fault("heal leader").await;
    assert_eq!(healed, format!("{leader}: 1 healed\n"));
    let said = run_well(&["kill", "leader", "--dir", &dir]).await;
    assert!(said.starts_with(&format!("{leader} (process ")), "{said}");
    let good = |status: &Status| status.leader().is_some_and(|now| now.name != leader);
    demo.cluster().until("another leader", good).await;
}

/// A node that was not configured for it lets nobody do anything to it.
#[tokio::test]
async fn faults_are_refused_without_consent() {
    let home = Home::new();
    let (address, dir) = (home.new_address(), home.dir().join("n1").display().to_string());
    let args = ["node", "--address", &address, "--dir", &dir];
    let mut node = Process::new("n1", &address, &args);
    node.start();
    let cluster = Cluster::of([address.clone()]);
    cluster.until("it leads", |status| status.leader().is_some()).await;
    let wanted = ["fault", "slow-disk", "n1", "--ms", "5", "--node", &address, "--dir", &dir];
    let (code, said) = run_in_vain(&wanted).await;
    assert_eq!(code, Some(1));
    assert!(said.contains("faults = true"), "{said}");
}

/// Who breaks one thing after the other, faster than a cluster elects, is not told to wait.
#[tokio::test]
async fn an_election_is_waited_for_by_who_asks_for_the_leader() {
    let demo = Demo::start(&Wanted::default()).await;
    let leader = demo.leader().await;
    let dir = demo.home().dir().to_str().expect("a path that is text").to_owned();
    for verb in ["kill", "restart"] {
        run_well(&[verb, &leader, "--dir", &dir]).await;
    }
    let said = demo.fault("slow-disk leader --ms 1 --for 1s").await;
    assert!(said.starts_with("disk slower by 1 ms: n"), "{said}");
}
