//! Files: the ones we ship, the ones people get wrong, and the environment on top.

use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
    process::Command,
};

use hangraft_cluster_config::{ConfigError, FrontendConfig, LogKind, NodeConfig};
use hangraft_ids::NodeId;
use proptest::prelude::*;
use tempfile::TempDir;

/// A folder with files that we ship.
fn shipped(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

fn local(name: &str) -> PathBuf {
    shipped("local").join(name)
}

/// Everything an operator would read, on one line.
fn told(err: &ConfigError) -> String {
    let mut text = err.to_string();
    let mut cause = std::error::Error::source(err);
    while let Some(err) = cause {
        text += &format!(": {err}");
        cause = err.source();
    }
    text
}

/// Loads node 1's file with one line replaced.
fn node1_with(from: &str, to: &str) -> Result<NodeConfig, String> {
    let text = std::fs::read_to_string(local("node1.toml")).unwrap();
    assert!(text.contains(from), "node1.toml has no {from:?}");
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("changed.toml");
    std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    NodeConfig::load(&path).map_err(|err| told(&err))
}

/// Every file in `local/` is one that works, and the three nodes agree on their cluster.
#[test]
fn the_files_we_ship_work() {
    let nodes: Vec<_> = (1..=3)
        .map(|i| NodeConfig::load(&local(&format!("node{i}.toml"))).expect("a file we ship"))
        .collect();
    for (node, id) in nodes.iter().zip((1..).map(NodeId)) {
        assert_eq!(node.id, Some(id));
        assert_eq!(node.reached_at(), node.address);
        assert_eq!(node.cluster, nodes[0].cluster);
        assert_eq!(node.data_dir, local("data").join(format!("n{id}")));
    }
    let frontend = FrontendConfig::load(&local("frontend.toml")).expect("a file we ship");
    assert_eq!(frontend.nodes, nodes.iter().map(|node| node.address).collect::<Vec<_>>());
    assert_eq!(frontend.key_file, nodes[0].cluster.key_file);
    assert_eq!(std::fs::read_dir(local("")).unwrap().flatten().filter(is_toml).count(), 4);
}

/// The folders with files for real machines and for containers: how many nodes a
/// set has, and whether there is a file for a node that joins later.
const SETS: [(&str, u64, bool); 4] =
    [("docker", 3, false), ("three", 3, true), ("five", 5, true), ("seven", 7, true)];

/// Every file of a set is one that works. Its nodes agree on their cluster, its
/// frontends and its spare know all of them, and nobody may inject faults.
#[test]
fn the_sets_of_files_we_ship_work() {
    for (set, count, has_spare) in SETS {
        let file = |name: &str| shipped(set).join(format!("{name}.toml"));
        let node = |name: &str| NodeConfig::load(&file(name)).expect("a file we ship");
        let nodes: Vec<_> = (1..=count).map(|i| node(&format!("node{i}"))).collect();
        let cluster = &nodes[0].cluster;
        assert_eq!(cluster.members.len() as u64, count);
        for ((node, member), id) in nodes.iter().zip(&cluster.members).zip((1..).map(NodeId)) {
            let name = format!("n{id}");
            assert_eq!((member.id, &member.name), (id, &name));
            assert_eq!(node.reached_at(), member.address);
            let (id, name, address) = (Some(id), Some(name), node.address);
            assert_eq!(*node, NodeConfig { id, name, address, ..nodes[0].clone() }, "{set}");
        }
        assert!(!nodes[0].faults);
        let addresses: Vec<_> = nodes.iter().map(NodeConfig::reached_at).collect();
        let frontend = |name: &str| FrontendConfig::load(&file(name)).expect("a file we ship");
        let frontends = ["frontend1", "frontend2"].map(frontend);
        for frontend in &frontends {
            assert_eq!(frontend.nodes, addresses);
            assert_eq!(frontend.key_file, cluster.key_file);
            assert_eq!(frontend.frontends, frontends[0].frontends);
            assert_eq!(frontend.frontends.len(), frontends.len());
        }
        if has_spare {
            assert_ne!(frontends[0].address, frontends[1].address);
            let spare = node("spare");
            assert_eq!(spare.cluster.seeds, addresses);
            assert!(!addresses.contains(&spare.address));
            assert_eq!(spare.cluster.id, cluster.id);
            assert_eq!(spare.cluster.key_file, cluster.key_file);
            assert_eq!(spare.data_dir, nodes[0].data_dir);
            assert!(!spare.faults);
        }
        let files = std::fs::read_dir(shipped(set)).unwrap().flatten().filter(is_toml).count();
        assert_eq!(files, nodes.len() + frontends.len() + usize::from(has_spare), "{set}");
    }
}

/// A folder with files that no test loads would rot.
#[test]
fn every_folder_of_files_is_tested() {
    let has_files = |folder: &std::fs::DirEntry| {
        std::fs::read_dir(folder.path()).is_ok_and(|files| files.flatten().any(|f| is_toml(&f)))
    };
    let folders = std::fs::read_dir(shipped("")).unwrap().flatten().filter(has_files);
    let found: BTreeSet<_> = folders.map(|folder| folder.file_name()).collect();
    let tested = SETS.iter().map(|(set, ..)| *set).chain(["local"]);
    assert_eq!(found, tested.map(Into::into).collect());
}

fn is_toml(entry: &std::fs::DirEntry) -> bool {
    entry.path().extension().is_some_and(|extension| extension == "toml")
}

/// Each mistake is refused, with the setting and a way out.
#[test]
fn a_mistake_is_explained() {
    for (from, to, advice) in [
        ("id = 1", "id = 0", "0 means \"no node\""),
        ("id = 1", "id = 4", "`cluster.members` does not name this node; add one with id = 4"),
        ("name = \"n1\"", "name = \"N 1\"", "a-z, 0-9 and -"),
        ("name = \"n1\"", "name = \"x1\"", "write one of them"),
        ("7101", "7109", "but `address` is 127.0.0.1:7109"),
        ("127.0.0.1:7101", "127.0.0.1:0", "needs a port"),
        ("{ id = 3, name = \"n3\", address = \"127.0.0.1:7103\" },", "", "1, 3, 5 or 7"),
        ("{ id = 3", "{ id = 2", "all ids must differ"),
        ("\"n3\"", "\"n2\"", "all names must differ"),
        ("127.0.0.1:7103", "127.0.0.1:7102", "all addresses must differ"),
        ("127.0.0.1:7103", "0.0.0.0:7103", "nobody can connect to"),
        ("id = \"local\"", "id = \"\"", "`cluster.id`"),
        ("faults = true", "fautls = true", "unknown field"),
        ("faults = true", "log = \"sled\"", "found `sled`, expected"),
        ("faults = true", "[raft]\nheartbeat_ms = 101", "may be 100 at most"),
        ("faults = true", "[raft]\nheartbeat_ms = 1", "25 or more"),
        ("faults = true", "[raft]\nelection_ms_max = 300", "below election_ms_max"),
        ("faults = true", "[raft]\nelection_ms_max = 600000", "60000 or less"),
        ("faults = true", "[raft]\nsnapshot_after_entries = 0", "between two snapshots"),
        ("faults = true", "[raft]\nkeep_entries = 100001", "only fill the disk"),
        ("faults = true", "[gossip]\nprobe_rtt_ms = 1000", "below probe_period_ms"),
        ("faults = true", "[gossip]\nsuspect_ms = 10", "to object"),
        ("faults = true", "[limits]\ncommand_bytes_max = 10", "1024 or more"),
        ("faults = true", "[limits]\nbatch_bytes_max = 1024", "must fit"),
    ] {
        let err = node1_with(from, to).expect_err(to);
        assert!(err.contains("changed.toml") && err.contains(advice), "{to}: {err}");
        assert_eq!(err.lines().count(), 1, "one line: {err}");
    }
}

/// The log is that of older builds unless somebody wants one of segments.
#[test]
fn the_log_is_chosen() {
    let config = node1_with("faults = true", "log = \"segments\"").unwrap();
    assert_eq!(config.log, LogKind::Segments);
    assert_eq!(NodeConfig::load(&local("node1.toml")).unwrap().log, LogKind::RaftLog);
}

/// A machine that listens on all its addresses is still reached at one of them.
#[test]
fn a_node_may_listen_on_all_addresses() {
    let config = node1_with("address = \"127.0.0.1:7101\"", "address = \"0.0.0.0:7101\"").unwrap();
    assert_eq!(config.reached_at().to_string(), "127.0.0.1:7101");
}

/// What a frontend's file may get wrong.
#[test]
fn a_frontends_mistake_is_explained() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("changed.toml");
    let text = std::fs::read_to_string(local("frontend.toml")).unwrap();
    for (from, to, advice) in [
        ("127.0.0.1:7102", "127.0.0.1:7101", "twice"),
        ("127.0.0.1:7102", "127.0.0.1:0", "nobody can connect to"),
        ("http://localhost:8080", "localhost:8080", "write it like"),
        ("http://localhost:8080", "http://localhost:8080/", "without a path"),
        ("http://localhost:8080", "http://bücher.example", "xn--"),
        ("frontends", "names = [\"http://games.example\"]\nfrontends", "without scheme"),
        ("key_file", "keyfile", "unknown field"),
    ] {
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let err = told(&FrontendConfig::load(&path).expect_err(to));
        assert!(err.contains("changed.toml") && err.contains(advice), "{to}: {err}");
    }
}

/// The environment wins over the file, and is checked like the file. The test
/// runs itself again in a process with that environment.
#[test]
fn the_environment_comes_on_top() {
    const CHILD: &str = "CONFIG_TEST_CHILD";
    if env::var_os(CHILD).is_some() {
        let config = NodeConfig::load(&local("node1.toml")).expect("the environment is fine");
        assert_eq!(config.data_dir, Path::new("/elsewhere"));
        assert_eq!(config.raft.heartbeat_ms, 50);
        let err = told(&FrontendConfig::load(&local("frontend.toml")).unwrap_err());
        assert!(err.contains("HANGRAFT_FRONTEND_"), "names the culprit: {err}");
        return;
    }
    let status = Command::new(env::current_exe().unwrap())
        .args(["--exact", "the_environment_comes_on_top"])
        .env(CHILD, "yes")
        .env("HANGRAFT_NODE_DATA_DIR", "/elsewhere")
        .env("HANGRAFT_NODE_RAFT__HEARTBEAT_MS", "50")
        .env("HANGRAFT_FRONTEND_LIMITS__SOCKETS_MAX", "many")
        .status()
        .unwrap();
    assert!(status.success());
}

/// What comes back from `load` is good to use, or says which file is not.
fn good_or_explained(text: &[u8]) -> Result<(), TestCaseError> {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("hostile.toml");
    std::fs::write(&path, text).unwrap();
    match NodeConfig::load(&path) {
        Ok(config) => {
            prop_assert!(config.check().is_ok());
            prop_assert_eq!(config.first_member().map(|member| member.id), config.id);
        }
        Err(err) => prop_assert!(err.to_string().contains("hostile.toml"), "{}", err),
    }
    if let Err(err) = FrontendConfig::load(&path) {
        prop_assert!(err.to_string().contains("hostile.toml"), "{}", err);
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_refused_in_words(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        good_or_explained(&bytes)?;
    }

    #[test]
    fn any_text_is_refused_in_words(text in "(?s).{0,200}") {
        good_or_explained(text.as_bytes())?;
    }

    /// A slip of the finger in a good file: some bytes replaced by others.
    #[test]
    fn a_slip_of_the_finger_is_survived(
        slips in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..128), 1..4),
    ) {
        let mut text = std::fs::read(local("node1.toml")).unwrap();
        for (at, byte) in slips {
            let at = at.index(text.len());
            text[at] = byte;
        }
        good_or_explained(&text)?;
    }
}
