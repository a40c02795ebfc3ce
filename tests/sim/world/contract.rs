//! Tests: the simulated storage and the real one keep the same contract, so that
//! what is seen in the world holds on a disk.

use super::disk::{Disk, Pace};
use super::{Machines, World};
use crate::clock::{DriftingClock, SECOND};
use crate::record::Record;
use crate::story::Story;
use bytes::Bytes;
use hangraft_cluster_config::{LogKind, NodeConfig};
use hangraft_ids::{LogIndex, NodeId, RoomId, Term};
use hangraft_node::env::Env;
use hangraft_node::real::RealEnv;
use hangraft_node::storage::Storage;
use hangraft_node::storage::log::{LogDevice, Position, VoteRecord, Write};
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, mpsc};
use tempfile::TempDir;

/// A storage of either kind. Opened again, it has been through a stop, or a crash.
enum Subject {
    Simulated { worlds: Worlds, disk: Disk },
    Real { dir: TempDir, log: LogKind },
}

/// Worlds that somebody has to move on.
#[derive(Clone, Default)]
struct Worlds(Arc<Mutex<Vec<(World, Machines)>>>);

impl Worlds {
    /// The disk of a machine in a new world, with a log of this kind.
    fn new_disk(&self, log: LogKind) -> Disk {
        let world = World::new(7, Story::new(false), Record::default());
        let mut machines = Machines::new(world.clone());
        let machine = machines.add("n1".into(), DriftingClock::new(0, 0));
        let disk = Disk::new(world.clone(), machine, Pace::GOOD, log);
        self.0.lock().unwrap().push((world, machines));
        disk
    }

    /// Lets everything happen that is going to.
    fn move_on(&self) {
        for (world, machines) in self.0.lock().unwrap().iter_mut() {
            let until = world.now() + SECOND;
            while machines.step(until, |_| ()) {}
        }
    }

    /// Lets the worlds live for as long as the work takes.
    async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let living = async {
            loop {
                self.move_on();
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            done = work => done,
            never = living => never,
        }
    }
}

const KINDS: [LogKind; 2] = [LogKind::RaftLog, LogKind::Segments];

impl Subject {
    fn all() -> impl Iterator<Item = Subject> {
        KINDS.into_iter().flat_map(|log| {
            let worlds = Worlds::default();
            let disk = worlds.new_disk(log);
            let dir = tempfile::tempdir().unwrap();
            [Subject::Simulated { worlds, disk }, Subject::Real { dir, log }]
        })
    }

    async fn open(&self) -> Storage {
        match self {
            Subject::Simulated { disk, .. } => {
                disk.crash();
                disk.open().unwrap()
            }
            Subject::Real { dir, log } => real(dir, *log).await,
        }
    }

    fn sync(&self, device: &dyn LogDevice) -> io::Result<()> {
        let (sender, receiver) = mpsc::channel();
        device.sync(Box::new(move |result| _ = sender.send(result)));
        if let Subject::Simulated { worlds, .. } = self {
            worlds.move_on();
        }
        receiver.recv().expect("every sync is answered")
    }
}

async fn real(dir: &TempDir, log: LogKind) -> Storage {
    let address = "127.0.0.1:1".parse().unwrap();
    let config =
        NodeConfig { log, realtime: false, ..NodeConfig::alone("n1", address, dir.path()) };
    RealEnv::new(&config).unwrap().storage().await.unwrap()
}

fn at(index: u64) -> Position {
    Position { term: Term(1), index: LogIndex(index) }
}

fn entries(range: std::ops::Range<u64>) -> Write {
    Write::Append(range.map(|i| (at(i), Bytes::from(format!("entry {i}")))).collect())
}

fn read(
    device: &Arc<dyn LogDevice>,
    range: std::ops::Range<u64>,
    bytes_max: usize,
) -> Vec<(Position, Bytes)> {
    device.read(LogIndex(range.start), LogIndex(range.end), bytes_max).unwrap()
}

/// Everything that openraft relies on.
#[tokio::test]
async fn all_keep_openrafts_contract() {
    for log in KINDS {
        let worlds = Worlds::default();
        let simulated = hangraft_node::raft::suite::hold(|| async {
            ((), worlds.new_disk(log).open().unwrap())
        });
        worlds.during(simulated).await.unwrap();
        let real = hangraft_node::raft::suite::hold(|| async {
            let dir = tempfile::tempdir().unwrap();
            let storage = real(&dir, log).await;
            (dir, storage)
        });
        real.await.unwrap();
    }
}

#[tokio::test]
async fn what_was_synced_is_there_after_reopening() {
    for subject in Subject::all() {
        let vote = VoteRecord { term: Term(4), committed: true, node: NodeId(2) };
        let device = subject.open().await.log;
        device.write(Write::Vote(vote)).unwrap();
        device.write(entries(0..10)).unwrap();
        device.write(Write::TruncateAfter(Some(at(7)))).unwrap();
        device.write(Write::Purge(at(2))).unwrap();
        subject.sync(&*device).unwrap();
        drop(device);

        let device = subject.open().await.log;
        let state = device.state();
        assert_eq!(state.vote, Some(vote));
        assert_eq!((state.purged, state.last), (Some(at(2)), Some(at(7))));
        let read = read(&device, 3..8, usize::MAX);
        assert_eq!(read.len(), 5);
        assert_eq!(read[0], (at(3), Bytes::from_static(b"entry 3")));
    }
}

/// A leader once was asked for purged entries, and what comes behind them was taken
/// for an answer: the follower saw a hole and stopped.
#[tokio::test]
async fn a_read_is_cut_at_its_limit_and_empty_where_nothing_is() {
    for subject in Subject::all() {
        let device = subject.open().await.log;
        device.write(entries(0..10)).unwrap();
        assert_eq!(read(&device, 0..10, 0).len(), 1);
        assert_eq!(read(&device, 0..10, 20).len(), 2);
        device.write(Write::Purge(at(5))).unwrap();
        assert!(read(&device, 3..10, usize::MAX).is_empty());
        assert_eq!(read(&device, 6..20, usize::MAX).len(), 4);
        assert!(read(&device, 10..20, usize::MAX).is_empty());
    }
}

/// What the device refuses would be a hole, or a vote taken back.
#[tokio::test]
async fn holes_and_earlier_votes_are_refused_and_change_nothing() {
    for subject in Subject::all() {
        let device = subject.open().await.log;
        device
            .write(Write::Vote(VoteRecord { term: Term(4), committed: false, node: NodeId(2) }))
            .unwrap();
        device.write(entries(0..3)).unwrap();
        assert!(device.write(entries(4..5)).is_err());
        let earlier = VoteRecord { term: Term(3), committed: false, node: NodeId(1) };
        assert!(device.write(Write::Vote(earlier)).is_err());
        assert_eq!(device.state().last, Some(at(2)));
        assert_eq!(device.state().vote.unwrap().term, Term(4));
    }
}

/// A snapshot that is installed lies ahead of the log.
#[tokio::test]
async fn a_purge_may_lie_ahead_of_the_log() {
    for subject in Subject::all() {
        let device = subject.open().await.log;
        device.write(entries(0..3)).unwrap();
        device.write(Write::Purge(at(9))).unwrap();
        assert_eq!((device.state().purged, device.state().last), (Some(at(9)), Some(at(9))));
        device.write(entries(10..12)).unwrap();
        subject.sync(&*device).unwrap();
        drop(device);
        let device = subject.open().await.log;
        assert_eq!(read(&device, 10..12, usize::MAX).len(), 2);
    }
}

/// openraft's own suite has logs that begin behind the first index, with nothing purged.
#[tokio::test]
async fn a_new_log_may_begin_anywhere() {
    for subject in Subject::all() {
        let device = subject.open().await.log;
        device.write(entries(5..8)).unwrap();
        subject.sync(&*device).unwrap();
        drop(device);
        let device = subject.open().await.log;
        assert_eq!((device.state().purged, device.state().last), (None, Some(at(7))));
        assert_eq!(read(&device, 0..99, usize::MAX).len(), 3);
        assert_eq!(read(&device, 3..7, usize::MAX)[0].0, at(5));
        assert!(read(&device, 0..5, usize::MAX).is_empty());
    }
}

#[tokio::test]
async fn files_appear_whole_or_not_at_all() {
    for subject in Subject::all() {
        let storage = subject.open().await;
        let mut draft = storage.files.create("a").await.unwrap();
        draft.append(Bytes::from_static(b"one ")).await.unwrap();
        draft.append(Bytes::from_static(b"two")).await.unwrap();
        assert!(storage.files.list().await.unwrap().is_empty());
        draft.commit().await.unwrap();
        let unfinished = storage.files.create("b").await.unwrap();
        drop(unfinished);
        storage.files.rename("a", "c").await.unwrap();
        drop(storage);

        let storage = subject.open().await;
        assert_eq!(storage.files.list().await.unwrap(), ["c"]);
        let mut reader = storage.files.open("c").await.unwrap();
        assert_eq!(reader.read(4).await.unwrap(), "one ");
        assert_eq!(reader.read(99).await.unwrap(), "two");
        assert!(reader.read(99).await.unwrap().is_empty());
        assert!(storage.files.open("a").await.is_err());
    }
}

#[tokio::test]
async fn archived_games_are_there_after_reopening_newest_first() {
    for subject in Subject::all() {
        let storage = subject.open().await;
        assert_eq!(storage.archive.complete(), None);
        let game = |text: &'static str| Bytes::from_static(text.as_bytes());
        let games = vec![(RoomId(1), game("one")), (RoomId(3), game("three"))];
        storage.archive.store(games, Some(LogIndex(40))).await.unwrap();
        storage.archive.store(vec![(RoomId(2), game("two"))], None).await.unwrap();
        drop(storage);

        let archive = subject.open().await.archive;
        assert_eq!(archive.complete(), Some(LogIndex(40)));
        assert_eq!(archive.get(RoomId(3)).await.unwrap(), Some(game("three")));
        assert_eq!(archive.get(RoomId(4)).await.unwrap(), None);
        let page = archive.page(Some(RoomId(3)), 9).await.unwrap();
        assert_eq!(page, [(RoomId(2), game("two")), (RoomId(1), game("one"))]);
    }
}

/// What was not synced may be lost in a crash, from some point on and no entry in
/// between; the real device is killed for it in its own tests.
#[test]
fn a_crash_takes_back_the_end_of_what_was_not_synced() {
    for log in KINDS {
        let worlds = Worlds::default();
        let (mut whole, mut torn, mut nothing) = (false, false, false);
        for _ in 0..200 {
            let last = last_after_a_crash(&worlds, log);
            (whole, torn, nothing) =
                (whole | (last == 7), torn | (4..7).contains(&last), nothing | (last == 3));
            assert!(last >= 3, "what was synced is gone from {log:?}");
        }
        assert!(whole && torn && nothing, "{log:?}: all alike: {whole} {torn} {nothing}");
    }
}

/// The last of four entries that were synced and four that were not, after a crash.
fn last_after_a_crash(worlds: &Worlds, log: LogKind) -> u64 {
    let disk = worlds.new_disk(log);
    let world = worlds.0.lock().unwrap().last().unwrap().0.clone();
    for _ in 0..world.draw(0..9) + worlds.0.lock().unwrap().len() as u64 {
        world.bits();
    }
    let device = disk.open().unwrap().log;
    device.write(entries(0..4)).unwrap();
    device.sync(Box::new(|result| result.unwrap()));
    worlds.move_on();
    device.write(entries(4..8)).unwrap();
    device.sync(Box::new(|_| ()));
    disk.crash();
    let device = disk.open().unwrap().log;
    let last = device.state().last.unwrap().index.0;
    assert_eq!(read(&device, 0..9, usize::MAX).len() as u64, last + 1);
    last
}
