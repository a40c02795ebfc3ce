//! The log on the disk is of either kind, and becomes the other at a start; killed processes
//! lose nothing of it.

use std::fs;

use hangraft_tests::{
    cluster::Cluster,
    demo::Home,
    process::{Process, STABLE_SOON},
    tables::Tables,
};

/// Rooms with two players each.
const ROOMS: u64 = 6;

/// What `node.toml` says of the log, and where it then is.
const RAFT_LOG: (&str, &str) = ("raft-log", "log");
const SEGMENTS: (&str, &str) = ("segments", "segments");

/// The nodes of a cluster, and what stands in their files apart from the log.
struct Nodes {
    nodes: Vec<Process>,
    tomls: Vec<String>,
}

impl Nodes {
    fn new(home: &Home) -> Self {
        // Thirty-two bytes, all of them zero.
        fs::write(home.key(), format!("{:A<43}=", "")).expect("a temporary folder");
        let places: Vec<_> = (1..=3).map(|id| (id, home.new_address())).collect();
        let member = |(id, address): &(u64, String)| {
            format!("  {{ id = {id}, name = \"n{id}\", address = \"{address}\" }},\n")
        };
        let members: String = places.iter().map(member).collect();
        let cluster = format!(
            "[cluster]\nid = \"games\"\nkey_file = {:?}\nmembers = [\n{members}]\n{STABLE_SOON}",
            home.key()
        );
        let tomls: Vec<_> = (1..=3).map(|id| format!("id = {id}\n{cluster}")).collect();
        let node = |((id, address), toml): (&(u64, String), &String)| {
            Process::node(&format!("n{id}"), address, toml)
        };
        let nodes = places.iter().zip(&tomls).map(node).collect();
        Self { nodes, tomls }
    }

    /// Starts a node, which keeps its log this way from now on.
    fn start(&mut self, place: usize, (log, _): (&str, &str)) {
        let node = &mut self.nodes[place];
        let (address, toml) = (node.address().to_owned(), &self.tomls[place]);
        node.move_to(&address, &format!("log = \"{log}\"\n{toml}"));
        node.start();
    }

    /// Whether every node has a log of this kind, and nothing of another.
    fn have(&self, (_, folder): (&str, &str)) -> bool {
        self.nodes.iter().all(|node| {
            let is_there = |name: &str| node.dir().join("data").join(name).exists();
            [RAFT_LOG.1, SEGMENTS.1].into_iter().all(|name| is_there(name) == (name == folder))
        })
    }
}

/// Nodes are killed one after the other, and all at once, while people play, and start with
/// their logs of either kind. Whatever was acknowledged is there once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_nodes_lose_nothing_of_either_log() {
    let home = Home::new();
    let mut all = Nodes::new(&home);
    all.nodes.iter_mut().for_each(Process::start);
    let cluster = Cluster::of(all.nodes.iter().map(|node| node.address().to_owned()));
    cluster.leader().await;
    let place = format!("127.0.0.1:{}", home.port());
    let frontend = Process::frontend(&place, cluster.nodes(), &home.key());
    let mut tables = Tables::open(&[format!("http://{place}")], ROOMS);
    tables.play_on().await;
    assert!(all.have(RAFT_LOG), "the log that nobody asked for");
    for log in [SEGMENTS, SEGMENTS, RAFT_LOG] {
        for place in 0..all.nodes.len() {
            all.nodes[place].kill().await;
            all.start(place, log);
            cluster.agree(all.nodes.len()).await;
            tables.play_on().await;
        }
        assert!(all.have(log), "{log:?}");
        for node in &mut all.nodes {
            node.kill().await;
        }
        for place in 0..all.nodes.len() {
            all.start(place, log);
        }
        cluster.agree(all.nodes.len()).await;
        tables.play_on().await;
    }
    let tally = tables.close().await;
    println!("{}", tally.text());
    assert!(tally.complaints.is_empty(), "{:#?}", tally.complaints);
    drop(frontend);
}
