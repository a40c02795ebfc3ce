//! A cluster is taken to another version, or just restarted, one process after the
//! other, and nobody at a table loses a move.
//!
//! The next version is a build of today's code that knows one game more; `scripts/test`
//! makes it. `HANGRAFT_ROOMS=100` has more people play while everything is restarted.

use std::{env, fs, path::Path, process::Stdio, time::Duration};

use hangraft_proto::socket::{Action, Code};
use hangraft_tests::{
    cluster::{Cluster, Status},
    demo::{Demo, Home, Wanted, binary, next_binary, run_well},
    player::Player,
    process::{Process, STABLE_SOON},
    skip::skip,
    socket::Answer,
    tables::Tables,
};
use serde_json::json;
use tokio::{process::Command, time::timeout};

/// Rooms with two players each, while nodes are replaced.
const ROOMS: u64 = 10;

/// Rooms with two players each, while everything is restarted, when nobody wants more.
const ROOMS_RESTARTED: u64 = 30;

/// How long all restarts may take: two cores, many people.
const RESTARTS: Duration = Duration::from_secs(300);

/// Nodes are replaced by the next version, one after the other. The game that only that
/// one knows is refused as long as any node does not know it, whoever leads; when all
/// do, it can be played. From then on there is no way back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_taken_to_the_next_version() {
    let next = match next_binary() {
        Ok(next) => next,
        Err(why) => return skip("the way to the next version", &why),
    };
    let home = Home::new();
    let mut nodes = first_nodes(&home);
    nodes.iter_mut().for_each(Process::start);
    let cluster = Cluster::of(nodes.iter().map(|node| node.address().to_owned()));
    cluster.leader().await;
    let (processes, frontends) = frontends(&home, &cluster);
    let mut tables = Tables::open(&frontends, ROOMS);
    let mut ann = Player::arrive("Ann", &frontends, 0).await;
    refused(&mut ann, &cluster).await;

    for i in 0..nodes.len() {
        assert_eq!(nodes[i].stop().await, Some(0));
        nodes[i].start_as(&next);
        cluster.agree(nodes.len()).await;
        tables.play_on().await;
        if i + 1 < nodes.len() {
            // Whether a node leads that knows the game, or one that does not.
            for leader in [i, i + 1] {
                lead(&cluster, leader).await;
                refused(&mut ann, &cluster).await;
            }
        }
    }
    let known = |status: &Status| status.features.contains(&"game:nim".to_owned());
    cluster.until("all know the new game", known).await;
    play_nim(ann, &frontends).await;

    // An old node does not know what is in the log now: neither one that was here before,
    // nor one that is new.
    tables.play_on().await;
    assert_eq!(nodes[2].stop().await, Some(0));
    nodes[2].start();
    assert_eq!(nodes[2].exit_code().await, Some(1));
    let mut newcomer = Process::joining(&home.new_address(), cluster.nodes(), &home.key());
    assert_eq!(newcomer.exit_code().await, Some(1));
    for log in [nodes[2].log(), newcomer.log()] {
        let last = log.lines().find(|line| line.starts_with("hangraft: ")).expect("it says why");
        assert!(last.contains("game:nim") && last.contains("does not know"), "{last}");
    }
    nodes[2].start_as(&next);
    cluster.agree(nodes.len()).await;
    let tally = tables.close().await;
    println!("{}", tally.text());
    assert!(tally.complaints.is_empty(), "{:#?}", tally.complaints);
    drop(processes);
}

/// Every process of a cluster is restarted as `scripts/rolling-restart` does it. Players
/// see nothing of it but that their sockets move.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_loses_nothing() {
    let demo = Demo::start(&Wanted::default()).await;
    let rooms =
        env::var("HANGRAFT_ROOMS").map_or(ROOMS_RESTARTED, |n| n.parse().expect("a number"));
    let mut tables = Tables::open(&demo.frontends(), rooms);
    tables.play_on().await;
    let before = processes(&demo);
    let said = restart_all(demo.home().dir()).await;
    let after = processes(&demo);
    assert_eq!(before.len(), 5);
    assert!(before.iter().all(|pid| !after.contains(pid)), "not all were restarted:\n{said}");
    tables.play_on().await;
    let tally = tables.close().await;
    println!("{}\n{said}", tally.text());
    assert!(tally.complaints.is_empty(), "{:#?}", tally.complaints);
    assert!(tally.reconnects >= 1, "nobody's socket moved");
    demo.cluster().agree(3).await;
}

/// The first nodes of a cluster, from configurations as people write them.
fn first_nodes(home: &Home) -> Vec<Process> {
    // Thirty-two bytes, all of them zero.
    fs::write(home.key(), format!("{:A<43}=", "")).expect("a temporary folder");
    let places: Vec<_> = (1..=3).map(|id| (id, home.new_address())).collect();
    let member = |(id, address): &(u64, String)| {
        format!("  {{ id = {id}, name = \"n{id}\", address = \"{address}\" }},\n")
    };
    let members: String = places.iter().map(member).collect();
    let node = |(id, address): &(u64, String)| {
        let (name, key) = (format!("n{id}"), home.key());
        let toml = format!(
            "id = {id}\n[cluster]\nid = \"games\"\nkey_file = {key:?}\nmembers = [\n{members}]\n{STABLE_SOON}"
        );
        Process::node(&name, address, &toml)
    };
    places.iter().map(node).collect()
}

/// Two frontends of this version, which stay, and their URLs.
fn frontends(home: &Home, cluster: &Cluster) -> (Vec<Process>, Vec<String>) {
    let places: Vec<_> = (0..2).map(|i| format!("127.0.0.1:{}", home.port() + i)).collect();
    let frontend = |place: &String| Process::frontend(place, cluster.nodes(), &home.key());
    let urls = places.iter().map(|place| format!("http://{place}"));
    (places.iter().map(frontend).collect(), urls.collect())
}

/// Has the node in this place lead, counted from zero.
async fn lead(cluster: &Cluster, place: usize) {
    let id = (place + 1).to_string();
    run_well(&["transfer-leader", "--to", &id, "--node", &cluster.nodes()[0]]).await;
    assert_eq!(cluster.leader().await.id.to_string(), id);
}

async fn open_nim(player: &mut Player) -> Answer {
    player.wish(Action::Open, json!({"game": "nim", "options": {"heaps": [1, 2]}})).await
}

/// The new game is not offered, and refused.
async fn refused(player: &mut Player, cluster: &Cluster) {
    let leader = cluster.leader().await.name;
    let refusal = open_nim(player).await.expect_err("not every node knows this game");
    assert_eq!(refusal.code, Code::BadRequest, "while {leader} leads: {}", refusal.message);
    let features = cluster.status().await.expect("it answers").features;
    assert!(!features.contains(&"game:nim".to_owned()), "{features:?}");
}

/// A whole round of the new game.
async fn play_nim(mut ann: Player, frontends: &[String]) {
    let mut bo = Player::arrive("Bo", frontends, 1).await;
    let room = open_nim(&mut ann).await.expect("all nodes know this game");
    let room = room["room"].as_str().expect("rooms have names");
    ann.sit(room).await;
    bo.sit(room).await;
    ann.play(json!({"heap": 1, "take": 1})).await.expect("a move");
    bo.play(json!({"heap": 0, "take": 1})).await.expect("a move");
    ann.play(json!({"heap": 1, "take": 1})).await.expect("the last stone");
    for player in [&mut ann, &mut bo] {
        player.see("who has won", |view| view["state"] == "won").await;
        assert_eq!(player.view()["heaps"], json!([0, 0]));
        assert_eq!(player.book().complaints, [""; 0]);
    }
    assert_eq!(bo.view()["winner"], ann.id());
}

/// Runs the script that operators run; what it says.
async fn restart_all(dir: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/rolling-restart");
    let mut command = Command::new(script);
    command.arg("--dir").arg(dir).env("HANGRAFT_BIN", binary());
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(RESTARTS, command.output()).await.expect("it ends");
    let output = output.expect("bash is there");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

/// The process ids of all nodes and frontends.
fn processes(demo: &Demo) -> Vec<u32> {
    let record = demo.record();
    let nodes = record.nodes.iter().map(|node| node.pid);
    nodes.chain(record.frontends.iter().map(|frontend| frontend.pid)).collect()
}
