//! Tests: the log store and the state machine keep openraft's contract, and the real
//! device keeps ours where processes die and files are damaged. What it shares with
//! the simulated one is held by the simulation's contract tests, on both.

use super::raft_log::RaftLogDevice;
use super::segment_log::SegmentDevice;
use crate::env::Env;
use crate::raft::log_store::LogStore;
use crate::raft::types::TypeConfig;
use crate::real::RealEnv;
use crate::storage::log::{LogDevice, Position, Write, behind};
use bytes::Bytes;
use hangraft_cluster_config::NodeConfig;
use hangraft_ids::{LogIndex, Term};
use openraft::RaftLogReader;
use openraft::type_config::TypeConfigExt;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use tokio::sync::watch;

/// The devices that a node may have.
const KINDS: [&str; 2] = ["segments", "raft-log"];

async fn real_storage(dir: &Path, kind: &str) -> crate::storage::Storage {
    let config = format!(
        "id = 1\nname = 'n1'\nlog = '{kind}'\naddress = '127.0.0.1:1'\ndata_dir = '{}'\n\
         [cluster]\nid = 'test'\nkey_file = 'key'\n\
         members = [{{ id = 1, name = 'n1', address = '127.0.0.1:1' }}]\n",
        dir.display()
    );
    let path = dir.join("node.toml");
    std::fs::write(&path, config).unwrap();
    let env = RealEnv::new(&NodeConfig::load(&path).unwrap()).unwrap();
    env.storage().await.unwrap()
}

/// openraft's own suite: everything it relies on from a log and a state machine.
#[test]
fn the_store_keeps_openrafts_contract() {
    TypeConfig::run(async {
        for kind in KINDS {
            let held = crate::raft::suite::hold(|| async {
                let dir = tempfile::tempdir().unwrap();
                let storage = real_storage(dir.path(), kind).await;
                (dir, storage)
            });
            held.await.unwrap();
        }
    });
}

fn at(index: u64) -> Position {
    Position { term: Term(1), index: LogIndex(index) }
}

fn entries(range: std::ops::Range<u64>) -> Write {
    Write::Append(range.map(|i| (at(i), Bytes::from(format!("entry {i}")))).collect())
}

fn sync(device: &dyn LogDevice) -> std::io::Result<()> {
    let (sender, receiver) = mpsc::channel();
    device.sync(Box::new(move |result| _ = sender.send(result)));
    receiver.recv().expect("every sync is answered")
}

fn open_as(dir: &Path, kind: &str) -> std::io::Result<Arc<dyn LogDevice>> {
    Ok(match kind {
        "segments" => Arc::new(SegmentDevice::open(dir, false, None)?),
        _ => Arc::new(RaftLogDevice::open(dir, false)?),
    })
}

fn open(dir: &Path, kind: &str) -> Arc<dyn LogDevice> {
    open_as(dir, kind).unwrap()
}

/// Where the written part of the newest file of a log ends, and the file.
fn end_of_log(dir: &Path) -> (std::path::PathBuf, Vec<u8>, usize) {
    let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let logs = files.filter(|path| path.extension().is_some_and(|e| e == "wal" || e == "segment"));
    let grown = logs.filter(|path| std::fs::metadata(path).unwrap().len() > 200);
    let file = grown.max().expect("a log file with entries");
    let bytes = std::fs::read(&file).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    (file, bytes, end)
}

/// A record cut anywhere by a crash was never acknowledged and disappears; those
/// before it stay.
#[test]
fn a_torn_last_record_is_cut_off() {
    for kind in KINDS {
        let dir = tempfile::tempdir().unwrap();
        let device = open(dir.path(), kind);
        device.write(entries(0..5)).unwrap();
        sync(&*device).unwrap();
        device.write(entries(5..6)).unwrap();
        sync(&*device).unwrap();
        drop(device);
        // As the file was while that was on its way.
        let (file, mut bytes, _) = end_of_log(dir.path());
        let middle = bytes.windows(7).rposition(|text| text == b"entry 5").unwrap() + 3;
        if kind == "segments" {
            bytes[middle..].fill(0);
        } else {
            bytes.truncate(middle);
        }
        std::fs::write(&file, &bytes).unwrap();

        let device = open(dir.path(), kind);
        assert_eq!(device.state().last, Some(at(4)), "{kind}");
        assert!(device.cut_off() > 0, "{kind}");
        assert_eq!(device.read(LogIndex(0), LogIndex(5), usize::MAX).unwrap().len(), 5);
        device.write(entries(5..7)).unwrap();
        sync(&*device).unwrap();
    }
}

/// Damage before the end is no torn write: acknowledged entries would be lost.
#[test]
fn damage_in_the_middle_refuses_to_open() {
    for kind in KINDS {
        let dir = tempfile::tempdir().unwrap();
        let device = open(dir.path(), kind);
        device.write(entries(0..50)).unwrap();
        sync(&*device).unwrap();
        drop(device);
        let (file, mut bytes, end) = end_of_log(dir.path());
        bytes[end / 2] ^= 0xff;
        std::fs::write(&file, &bytes).unwrap();
        assert!(open_as(dir.path(), kind).is_err(), "{kind}");
    }
}

/// Real kill -9: a child process appends and tells what was acknowledged; killed at
/// any moment, every acknowledged entry is there and there is no hole.
#[test]
fn acknowledged_entries_survive_kill_9() {
    if let Ok(dir) = std::env::var(APPENDER) {
        append_for_ever(Path::new(&dir), &std::env::var(KIND).unwrap());
    }
    for kind in KINDS {
        survive_kill_9(kind);
    }
}

fn survive_kill_9(kind: &str) {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = LogIndex(0);
    for round in 0..5 {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "real::contract::acknowledged_entries_survive_kill_9", "--nocapture"])
            .env(APPENDER, dir.path())
            .env(KIND, kind)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines =
            std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
        let mut seen = 0;
        while seen < 200 + 37 * round {
            let line = lines.next().expect("the child goes on").unwrap();
            if let Some(index) = line.strip_prefix("durable ") {
                acknowledged = LogIndex(index.parse().unwrap());
                seen += 1;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said between our last look and its end counts too.
        for line in lines.map_while(Result::ok) {
            if let Some(index) = line.strip_prefix("durable ").and_then(|i| i.parse().ok()) {
                acknowledged = LogIndex(index);
            }
        }
        let device = open(dir.path(), kind);
        let last = device.state().last.expect("entries");
        assert!(last.index >= acknowledged, "{last:?} is behind {acknowledged}");
        let read = device.read(LogIndex(0), last.index.next(), usize::MAX).unwrap();
        for (index, (position, bytes)) in read.iter().enumerate() {
            assert_eq!(position.index, LogIndex(index as u64));
            assert_eq!(*bytes, format!("entry {index}"));
        }
        assert_eq!(read.len() as u64, last.index.next().0);
    }
}

const APPENDER: &str = "HANGRAFT_TEST_APPENDER_DIR";
const KIND: &str = "HANGRAFT_TEST_APPENDER_KIND";

fn append_for_ever(dir: &Path, kind: &str) -> ! {
    let device = open(dir, kind);
    let mut next = behind(device.state().last).0;
    let out = std::io::stdout();
    loop {
        device.write(entries(next..next + 3)).unwrap();
        next += 3;
        sync(&*device).unwrap();
        // One write call, so that a kill cannot cut the line's number short.
        out.lock().write_all(format!("\ndurable {}\n", next - 1).as_bytes()).unwrap();
    }
}

/// openraft asks for the purge of entries right behind an installed snapshot; they
/// must stay until that snapshot is durable.
#[tokio::test]
async fn nothing_is_purged_before_its_snapshot_is_durable() {
    for kind in KINDS {
        purge_before_the_snapshot(kind).await;
    }
}

async fn purge_before_the_snapshot(kind: &str) {
    use openraft::storage::RaftLogStorage;
    let dir = tempfile::tempdir().unwrap();
    let device = open(dir.path(), kind);
    device.write(entries(0..10)).unwrap();
    let (durable, covered) = watch::channel(Some(LogIndex(3)));
    let mut store = LogStore::new(device.clone(), covered);
    let purge = tokio::spawn(async move {
        store.purge(crate::raft::types::log_id_of(at(5))).await.unwrap();
        store
    });
    tokio::task::yield_now().await;
    assert_eq!(device.state().purged, None);
    durable.send_replace(Some(LogIndex(6)));
    let mut store = purge.await.unwrap();
    assert_eq!(device.state().purged, Some(at(5)));
    // Purged entries are not read, and not taken for a hole.
    assert!(store.try_get_log_entries(0..6).await.unwrap().is_empty());
}

/// A crash right behind an installed snapshot can leave what it replaced: entries of
/// another leader, or fewer than the snapshot covers. What belongs to it stays.
#[tokio::test]
async fn entries_that_a_snapshot_replaced_are_let_go() {
    let other = |index| Position { term: Term(2), ..at(index) };
    let cases = [
        (at(2), (None, Some(at(4)))),
        (other(2), (Some(other(2)), Some(other(2)))),
        (other(9), (Some(other(9)), Some(other(9)))),
    ];
    for (kind, (covered, left)) in KINDS.into_iter().flat_map(|kind| cases.map(|case| (kind, case)))
    {
        let dir = tempfile::tempdir().unwrap();
        let device = open(dir.path(), kind);
        device.write(entries(0..5)).unwrap();
        sync(&*device).unwrap();
        crate::raft::open::mend_log(&*device, Some(covered)).await.unwrap();
        drop(device);
        let state = open(dir.path(), kind).state();
        assert_eq!((state.purged, state.last), left, "{kind}: a snapshot up to {covered:?}");
    }
}
