//! Members come and go while people play, and nobody at a table notices: a cluster
//! grows and shrinks, its leader leaves, a dead voter is replaced. Who does not belong
//! there does not get in.
//!
//! `HANGRAFT_LEAVES=20` lets the leader leave so many times, and prints for how long
//! somebody had to wait who plays without a pause.

use std::{env, fs, time::Duration};

use hangraft_tests::{
    cluster::{Cluster, Member, Status},
    demo::{Demo, Home, Wanted, run, run_in_vain, run_well},
    process::Process,
    restless::Restless,
    tables::{Tables, Tally},
    wait::eventually,
};
use tokio::time::Instant;

/// How long anything may take: two cores, many nodes.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a cluster must stay as it was to count as unchanged.
const STEADY: Duration = Duration::from_secs(3);

/// Rooms with two players each, while members come and go.
const ROOMS: u64 = 20;

/// A leader that leaves hands over first, so nobody waits as long as for an election,
/// twice over: this machine may be busy.
const GAP_MAX: Duration = Duration::from_secs(2);

/// How often the leader leaves, when nobody wants more.
const LEAVES: u64 = 3;

/// A demo whose leaders do not watch newcomers for long.
fn wanted() -> Wanted {
    Wanted { stable_ms: Some(500), ..Wanted::default() }
}

/// Nodes join, and the voters that are wanted become more and then fewer. In the end
/// the four that came have left, and everything is as it was, but for the games.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn voters_grow_to_seven_and_shrink_to_three() {
    let demo = Demo::start(&wanted()).await;
    let mut cluster = demo.cluster();
    let mut tables = Tables::open(&demo.frontends(), ROOMS);
    tables.play_on().await;
    let mut newcomers = Vec::new();
    for voters in [5, 7] {
        newcomers.push(join(&demo, &mut cluster).await);
        newcomers.push(join(&demo, &mut cluster).await);
        set(&cluster, "--voters", &voters.to_string()).await;
        cluster.until_voters(voters).await;
        tables.play_on().await;
    }
    set(&cluster, "--voters", "3").await;
    assert_eq!(cluster.until_voters(3).await.members.len(), 7, "the others are spares");
    tables.play_on().await;
    for mut node in newcomers {
        run_well(&["leave", "--node", node.address()]).await;
        assert_eq!(node.exit_code().await, Some(0));
        tables.play_on().await;
    }
    unharmed(tables.close().await);
    let status = cluster.until_voters(3).await;
    assert_eq!(status.names(), ["n1", "n2", "n3"]);
    cluster.agree(3).await;
}

/// A spare joins, and the leader leaves for good; again and again, until nobody is
/// left of those who were there first. A player without a pause hardly has to wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_leaves_again_and_again() {
    let demo = Demo::start(&Wanted { limits: false, ..wanted() }).await;
    let mut cluster = demo.cluster();
    let player = Restless::start(&demo.frontends());
    let mut newcomers = Vec::new();
    let mut waits = Vec::new();
    for _ in 0..leaves() {
        newcomers.push(join(&demo, &mut cluster).await);
        let leader = cluster.leader().await;
        let begun = Instant::now();
        run_well(&["leave", "--node", &leader.address]).await;
        ended_well(&demo, &leader, &mut newcomers).await;
        cluster.forget(&leader.address);
        let moves = player.moves();
        eventually("a move after it", PATIENCE, async || (player.moves() > moves).then_some(()))
            .await;
        waits.push(player.waits(begun));
        let status = cluster.until_voters(3).await;
        assert!(status.member(&leader.name).is_none(), "{} is a member still", leader.name);
    }
    let moves = player.moves();
    assert_eq!(player.stop().await.complaints, [""; 0]);
    cluster.agree(3).await;
    println!(
        "a leader left {} times, while one player made {moves} moves; the longest",
        waits.len()
    );
    let longest = waits.iter().map(|waits| waits.between).max().expect("somebody left");
    assert!(longest < GAP_MAX, "{longest:?} between two acknowledged moves");
    spread("time between two acknowledged moves", waits.iter().map(|waits| waits.between));
    spread("wait for an answer", waits.iter().map(|waits| waits.answer));
    spread("wait for the view after it", waits.iter().map(|waits| waits.view));
}

/// A voter dies and does not come back. The cluster says that it is missed, and after a
/// while a spare votes in its place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_voter_killed_for_good_is_replaced() {
    let demo = Demo::start(&wanted()).await;
    let mut cluster = demo.cluster();
    let mut tables = Tables::open(&demo.frontends(), ROOMS);
    // Longer than it takes for silence to be spoken of.
    set(&cluster, "--replace-after", "7s").await;
    let spare = join(&demo, &mut cluster).await;
    let leader = cluster.leader().await.name;
    let victim = demo.nodes().into_iter().find(|name| *name != leader).expect("three nodes");
    demo.kill(&victim).await;
    let missed = |status: &Status| {
        let said = |intent: &String| intent.contains(&victim) && intent.contains("silent for");
        status.intents.iter().any(said)
    };
    let status = cluster.until("the leader says who is missed", missed).await;
    assert!(status.member(&victim).is_some_and(Member::votes), "not replaced yet: {status:?}");
    tables.play_on().await;
    let replaced = |status: &Status| {
        let votes = |m: &Member| m.address == spare.address() && m.votes();
        status.members.iter().any(votes) && !status.voters().contains(&victim.as_str())
    };
    let status = cluster.until("the spare votes in the place of the dead", replaced).await;
    assert_eq!(status.voters().len(), 3);
    tables.play_on().await;
    unharmed(tables.close().await);
    // After as long again it is forgotten.
    let gone = |status: &Status| status.member(&victim).is_none();
    cluster.until("the dead is let go", gone).await;
    cluster.agree(3).await;
}

/// Whoever lost their disk has forgotten what they had promised, and must not speak
/// under their old number again.
#[tokio::test]
async fn a_wiped_node_is_refused() {
    let demo = Demo::start(&wanted()).await;
    let before = members(&demo.cluster()).await;
    let node = demo.record().nodes.remove(2);
    demo.kill(&node.name).await;
    fs::remove_dir_all(&node.dir).expect("a dead node's data");
    // The restart may be done before the node has met anybody who knows better.
    let dir = demo.home().dir().to_str().expect("a plain name");
    run(&["restart", &node.name, "--dir", dir]).await;
    eventually("the wiped node ends with 2", PATIENCE, async || {
        demo.printed().contains("exit status: 2").then_some(())
    })
    .await;
    let log = fs::read_to_string(demo.home().dir().join("n3.log")).expect("it has a log");
    let last = log.lines().find(|line| line.starts_with("hangraft: ")).expect("it says why");
    let parts = ["another disk", "id is spent", "hangraft node --address", "--seed"];
    assert!(parts.iter().all(|part| last.contains(part)), "{last}");
    let cluster = demo.cluster();
    cluster.until_event(&cluster.nodes()[0], "node 3 came back with another disk").await;
    assert_eq!(members(&demo.cluster()).await, before);
    // Empty again, it may join as somebody new.
    let mut cluster = demo.cluster();
    join(&demo, &mut cluster).await;
    assert!(members(&cluster).await.contains(&("n4".into(), "learner".into())));
}

/// A node with another key, or of another cluster, does not get in.
#[tokio::test]
async fn a_foreign_node_is_refused() {
    let (demo, other) = (Demo::start(&wanted()).await, Home::new());
    let cluster = demo.cluster();
    let before = members(&cluster).await;

    let (key, wrong) = (demo.home().key(), other.key());
    // Thirty-two bytes, all of them zero.
    fs::write(&wrong, format!("{:A<43}=", "")).expect("a temporary folder");
    let mut stranger = Process::joining(&demo.home().new_address(), cluster.nodes(), &wrong);
    stranger.says("the key here is not that cluster's").await;
    let event = "a node with another key spoke to this one, from 127.0.0.1";
    cluster.until_event(&cluster.nodes()[0], event).await;

    let toml =
        format!("[cluster]\nid = \"other\"\nkey_file = {key:?}\nseeds = {:?}\n", cluster.nodes());
    let mut lost = Process::node("a node of another cluster", &demo.home().new_address(), &toml);
    lost.start();
    assert_eq!(lost.exit_code().await, Some(1));
    let log = lost.log();
    assert!(log.contains(r#"this is cluster "demo", not "other""#), "{log}");
    assert_eq!(members(&cluster).await, before);
    assert_eq!(stranger.stop().await, Some(0), "it still asked");
}

/// What cannot be done safely, or makes no sense, is refused in one line with the
/// numbers, and nothing is changed.
#[tokio::test]
async fn what_would_do_harm_is_refused() {
    let demo = Demo::start(&wanted()).await;
    let mut cluster = demo.cluster();
    let before = members(&cluster).await;
    let first = cluster.nodes()[0].clone();

    let (code, said) = run_in_vain(&["cluster", "set", "--voters", "4", "--node", &first]).await;
    assert!(code == Some(2) && said.contains("3, 5 or 7"), "{code:?}: {said}");
    let seed = &cluster.nodes()[1];
    let (code, said) = run_in_vain(&["join", "--node", &first, "--seed", seed]).await;
    assert!(code == Some(1) && said.contains("n1 of cluster \"demo\" already"), "{code:?}: {said}");
    let (code, said) = run_in_vain(&["transfer-leader", "--to", "9", "--node", &first]).await;
    assert!(code == Some(1) && said.contains("n9 is no voter"), "{code:?}: {said}");

    // One of three is dead, and without another nobody could agree to anything.
    let leader = cluster.leader().await;
    let mut dead = demo.record().nodes;
    dead.retain(|node| node.address != leader.address);
    demo.kill(&dead[0].name).await;
    cluster.forget(&dead[0].address);
    let missed = |status: &Status| status.member(&dead[0].name).is_some_and(|dead| !dead.alive);
    cluster.until("the dead is missed", missed).await;
    for node in [&dead[1].address, &leader.address] {
        let (code, said) = run_in_vain(&["leave", "--yes", "--node", node]).await;
        let numbers = said.contains("of the other 2 voters only 1 would answer, 2 are needed");
        assert!(code == Some(1) && numbers, "{code:?}: {said}");
    }
    assert_eq!(members(&cluster).await, before);

    // Two of three have just died, and the last one has not noticed yet.
    demo.restart(&dead[0].name).await;
    let cluster = demo.cluster();
    cluster.agree(3).await;
    let leader = cluster.leader().await;
    let mut dead = demo.record().nodes;
    dead.retain(|node| node.address != leader.address);
    for node in &dead {
        demo.kill(&node.name).await;
    }
    let (code, said) = run_in_vain(&["leave", "--yes", "--node", &leader.address]).await;
    let numbers = said.contains("of 3 voters") || said.contains("2 are needed");
    assert!(code == Some(1) && numbers, "{code:?}: {said}");
    // A no stays a no when the others are back.
    for node in &dead {
        demo.restart(&node.name).await;
    }
    cluster.leader().await;
    let steady = Instant::now() + STEADY;
    while Instant::now() < steady {
        assert_eq!(members(&cluster).await, before);
    }
    cluster.agree(3).await;
}

/// Of three voters one cannot leave unnoticed: it says how many machines may fail before
/// and after, and does nothing before somebody has said that this is meant. A node with a
/// spare just leaves.
#[tokio::test]
async fn leaving_says_what_it_costs() {
    let demo = Demo::start(&wanted()).await;
    let mut cluster = demo.cluster();
    let before = members(&cluster).await;
    let node = cluster.nodes()[1].clone();
    let (code, said) = run_in_vain(&["leave", "--node", &node]).await;
    let numbers = said.contains("now 3 vote and 1 machine may fail")
        && said.contains("1 voter is left")
        && said.contains("no machine may fail");
    assert!(code == Some(2) && numbers && said.contains("--yes"), "{code:?}: {said}");
    let said = run_well(&["leave", "--dry-run", "--node", &node, "--output", "json"]).await;
    let outlook = r#"{"node":"n2","role":"voter","voters":3,"may_fail":1,"replaced_by":null,"voters_after":1,"may_fail_after":0}"#;
    assert_eq!(said.trim().replace(r#""role":"leader""#, r#""role":"voter""#), outlook);
    assert_eq!(members(&cluster).await, before, "nothing was done");

    let _spare = join(&demo, &mut cluster).await;
    let said = run_well(&["leave", "--dry-run", "--node", &node]).await;
    assert!(said.contains("n4 takes its place, 3 vote and 1 machine may fail"), "{said}");
    run_well(&["leave", "--node", &node]).await;
    cluster.forget(&node);
    let settled = |status: &Status| status.names() == ["n1", "n3", "n4"];
    assert_eq!(cluster.until("n4 votes in its place", settled).await.voters().len(), 3);

    let node = cluster.nodes()[1].clone();
    run_well(&["leave", "--yes", "--node", &node]).await;
    cluster.forget(&node);
    let status = cluster.until_voters(1).await;
    assert!(status.voters().len() == 1, "{status:?}");
}

/// Starts a node beside the demo that joins, and waits until it is a member.
async fn join(demo: &Demo, cluster: &mut Cluster) -> Process {
    let home = demo.home();
    let node = Process::joining(&home.new_address(), cluster.nodes(), &home.key());
    cluster.until_joined(node.address()).await;
    cluster.meet(node.address());
    node
}

async fn set(cluster: &Cluster, setting: &str, value: &str) {
    run_well(&["cluster", "set", setting, value, "--node", &cluster.nodes()[0]]).await;
}

/// A node that has left has ended with 0, whoever started it.
async fn ended_well(demo: &Demo, node: &Member, newcomers: &mut Vec<Process>) {
    if let Some(at) = newcomers.iter().position(|other| other.address() == node.address) {
        assert_eq!(newcomers.remove(at).exit_code().await, Some(0), "{}", node.name);
        return;
    }
    let ended = format!("{} (process", node.name);
    eventually("the demo says that it has ended", PATIENCE, async || {
        let printed = demo.printed();
        let line = printed.lines().find(|line| line.starts_with(&ended))?;
        assert!(line.contains("has ended, exit status: 0;"), "{line}");
        Some(())
    })
    .await;
}

/// Names and roles; who leads counts as a voter.
async fn members(cluster: &Cluster) -> Vec<(String, String)> {
    let status = cluster.status().await.expect("somebody answers");
    let role = |m: &Member| if m.votes() { "voter".into() } else { m.role.clone() };
    status.members.iter().map(|member| (member.name.clone(), role(member))).collect()
}

fn spread(what: &str, of: impl Iterator<Item = Duration>) {
    let mut times: Vec<_> = of.collect();
    times.sort_unstable();
    let [min, median, max] = [0, times.len() / 2, times.len() - 1].map(|at| times[at]);
    println!("  {what}: {min:.0?} at best, {median:.0?} in the middle, {max:.0?} at worst");
}

fn unharmed(tally: Tally) {
    println!("{}", tally.text());
    assert!(tally.complaints.is_empty(), "{:#?}", tally.complaints);
}

fn leaves() -> u64 {
    env::var("HANGRAFT_LEAVES").map_or(LEAVES, |text| text.parse().expect("a number"))
}
