//! A log and files that pass through the fault plane.

use super::plane::Faults;
use crate::storage::log::{DeviceState, LogDevice, Position, Synced, Write};
use crate::storage::{FileReader, FileWriter, Files};
use async_trait::async_trait;
use bytes::Bytes;
use hangraft_ids::LogIndex;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use tokio::sync::mpsc;

/// Syncs that one slow sync serves. More wait for the next.
const SERVED_MAX: usize = 1_024;

/// A log whose syncs may be slow or fail, and which may be full.
pub(super) struct FaultyLog {
    core: Arc<Core>,
    faults: Faults,
    /// Syncs that wait, in order.
    slow: mpsc::UnboundedSender<Synced>,
}

struct Core {
    log: Arc<dyn LogDevice>,
    held: Mutex<Held>,
    /// Syncs that wait.
    waiting: AtomicUsize,
}

#[derive(Default)]
struct Held {
    /// Writes that have not reached the log, in order.
    writes: Vec<Write>,
    /// An error is final.
    failed: Option<String>,
}

impl FaultyLog {
    pub(super) fn new(log: Arc<dyn LogDevice>, faults: Faults) -> Self {
        let (held, waiting) = (Mutex::default(), AtomicUsize::new(0));
        let core = Arc::new(Core { log, held, waiting });
        let (slow, waits) = mpsc::unbounded_channel();
        // It ends with the log, and holds it only while it syncs.
        tokio::spawn(sync_slowly(Arc::downgrade(&core), faults.clone(), waits));
        FaultyLog { core, faults, slow }
    }
}

/// As on a real disk, one sync runs at a time, and serves all who came before it began.
async fn sync_slowly(core: Weak<Core>, faults: Faults, mut waits: mpsc::UnboundedReceiver<Synced>) {
    let mut served = Vec::new();
    while waits.recv_many(&mut served, SERVED_MAX).await > 0 {
        faults.wait_for_disk().await;
        let Some(core) = core.upgrade() else { return };
        for synced in served.drain(..) {
            core.sync(synced);
            core.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl LogDevice for FaultyLog {
    fn write(&self, write: Write) -> io::Result<()> {
        let trouble = self.faults.disk();
        if trouble.full {
            return Err(self.core.fail(full()));
        }
        self.core.write(write, trouble.lose_unsynced)
    }

    fn sync(&self, synced: Synced) {
        let trouble = self.faults.disk();
        if trouble.fail_fsync {
            return synced(Err(self.core.fail(failed())));
        }
        // Whoever comes behind one that waits, waits, too.
        let waits = self.core.waiting.load(Ordering::Relaxed) > 0;
        if trouble.slow.is_none() && !waits {
            return self.core.sync(synced);
        }
        self.core.waiting.fetch_add(1, Ordering::Relaxed);
        if let Err(mpsc::error::SendError(synced)) = self.slow.send(synced) {
            synced(Err(io::Error::other("the log is closed")));
        }
    }

    fn read(
        &self,
        from: LogIndex,
        to: LogIndex,
        bytes_max: usize,
    ) -> io::Result<Vec<(Position, Bytes)>> {
        self.core.read(from, to, bytes_max)
    }

    fn state(&self) -> DeviceState {
        self.core.state()
    }

    fn cut_off(&self) -> u64 {
        self.core.log.cut_off()
    }

    fn identity_format(&self) -> u32 {
        self.core.log.identity_format()
    }
}

impl Core {
    /// Writes, or holds what only adds something until it is synced.
    fn write(&self, write: Write, hold: bool) -> io::Result<()> {
        let mut held = self.held();
        held.check()?;
        let adds = !matches!(write, Write::TruncateAfter(_) | Write::Purge(_));
        if hold && adds {
            held.writes.push(write);
            return Ok(());
        }
        self.let_go(&mut held)?;
        self.log.write(write).map_err(|err| held.fail(err))
    }

    fn sync(&self, synced: Synced) {
        let let_go = self.let_go(&mut self.held());
        match let_go {
            Ok(()) => self.log.sync(synced),
            Err(err) => synced(Err(err)),
        }
    }

    /// What was held reaches the log.
    fn let_go(&self, held: &mut Held) -> io::Result<()> {
        held.check()?;
        let writes = std::mem::take(&mut held.writes);
        let mut written = writes.into_iter().map(|write| self.log.write(write));
        written.try_for_each(|written| written).map_err(|err| held.fail(err))
    }

    fn fail(&self, err: io::Error) -> io::Error {
        self.held().fail(err)
    }

    fn read(
        &self,
        from: LogIndex,
        to: LogIndex,
        bytes_max: usize,
    ) -> io::Result<Vec<(Position, Bytes)>> {
        let held = self.held();
        let added = || held.writes.iter().flat_map(entries_of);
        let first = added().next().map_or(to, |(position, _)| position.index.min(to));
        if from < first {
            return self.log.read(from, first, bytes_max);
        }
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for (position, entry) in added().filter(|(at, _)| at.index >= from && at.index < to) {
            bytes += entry.len();
            if bytes > bytes_max && !entries.is_empty() {
                break;
            }
            entries.push((*position, entry.clone()));
        }
        Ok(entries)
    }

    fn state(&self) -> DeviceState {
        let held = self.held();
        let mut state = self.log.state();
        for write in &held.writes {
            match write {
                Write::Vote(vote) => state.vote = Some(*vote),
                Write::Append(entries) => {
                    state.last = entries.last().map(|(at, _)| *at).or(state.last);
                }
                Write::Committed(at) => state.committed = Some(*at),
                // These are never held.
                Write::TruncateAfter(_) | Write::Purge(_) => {}
            }
        }
        state
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("never poisoned")
    }
}

impl Held {
    fn check(&self) -> io::Result<()> {
        self.failed.clone().map_or(Ok(()), |why| Err(io::Error::other(why)))
    }

    /// Nothing is written or synced any more.
    fn fail(&mut self, err: io::Error) -> io::Error {
        self.failed.get_or_insert(format!("an earlier write or sync failed: {err}"));
        err
    }
}

fn entries_of(write: &Write) -> &[(Position, Bytes)] {
    match write {
        Write::Append(entries) => entries,
        _ => &[],
    }
}

fn full() -> io::Error {
    io::Error::new(io::ErrorKind::StorageFull, "the disk is full (an injected fault)")
}

fn failed() -> io::Error {
    io::Error::other("a sync failed (an injected fault)")
}

/// Files on a disk that may be full.
pub(super) struct FaultyFiles {
    pub(super) files: Arc<dyn Files>,
    pub(super) faults: Faults,
}

#[async_trait]
impl Files for FaultyFiles {
    async fn list(&self) -> io::Result<Vec<String>> {
        self.files.list().await
    }

    async fn create(&self, name: &str) -> io::Result<Box<dyn FileWriter>> {
        let writer = self.files.create(name).await?;
        Ok(Box::new(FaultyWriter { writer, faults: self.faults.clone() }))
    }

    async fn open(&self, name: &str) -> io::Result<Box<dyn FileReader>> {
        self.files.open(name).await
    }

    async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.files.rename(from, to).await
    }

    async fn remove(&self, name: &str) -> io::Result<()> {
        self.files.remove(name).await
    }
}

struct FaultyWriter {
    writer: Box<dyn FileWriter>,
    faults: Faults,
}

#[async_trait]
impl FileWriter for FaultyWriter {
    async fn append(&mut self, bytes: Bytes) -> io::Result<()> {
        if self.faults.disk().full {
            return Err(full());
        }
        self.writer.append(bytes).await
    }

    async fn commit(self: Box<Self>) -> io::Result<()> {
        if self.faults.disk().fail_fsync {
            return Err(failed());
        }
        self.faults.wait_for_disk().await;
        self.writer.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::super::plane::Faults;
    use super::super::what::{Fault, Pause};
    use super::*;
    use crate::identity;
    use crate::storage::log::VoteRecord;
    use hangraft_ids::{NodeId, Term};
    use std::time::Duration;
    use tokio::sync::oneshot;
    use tokio::time::Instant;

    /// A log that keeps what reaches it.
    #[derive(Default)]
    struct Disk {
        writes: Mutex<Vec<Write>>,
        entries: Mutex<Vec<(Position, Bytes)>>,
    }

    impl LogDevice for Disk {
        fn write(&self, write: Write) -> io::Result<()> {
            self.entries.lock().unwrap().extend_from_slice(entries_of(&write));
            self.writes.lock().unwrap().push(write);
            Ok(())
        }

        fn sync(&self, synced: Synced) {
            synced(Ok(()));
        }

        fn read(
            &self,
            from: LogIndex,
            to: LogIndex,
            _: usize,
        ) -> io::Result<Vec<(Position, Bytes)>> {
            let entries = self.entries.lock().unwrap();
            let inside = entries.iter().filter(|(at, _)| at.index >= from && at.index < to);
            Ok(inside.cloned().collect())
        }

        fn state(&self) -> DeviceState {
            let last = self.entries.lock().unwrap().last().map(|(at, _)| *at);
            DeviceState { last, ..DeviceState::default() }
        }

        fn identity_format(&self) -> u32 {
            identity::FORMAT
        }
    }

    impl Disk {
        fn writes(&self) -> usize {
            self.writes.lock().unwrap().len()
        }
    }

    fn entry(index: u64) -> (Position, Bytes) {
        let position = Position { term: Term(1), index: LogIndex(index) };
        (position, Bytes::from(vec![0; 10]))
    }

    fn faulty() -> (Arc<Disk>, Faults, FaultyLog) {
        let (disk, faults) = (Arc::new(Disk::default()), Faults::new(7));
        let log = FaultyLog::new(disk.clone(), faults.clone());
        (disk, faults, log)
    }

    async fn sync(log: &FaultyLog) -> io::Result<()> {
        let (done, synced) = oneshot::channel();
        log.sync(Box::new(move |result| _ = done.send(result)));
        synced.await.unwrap()
    }

    /// What is lost by a crash is readable until then, and on disk after a sync.
    #[tokio::test(start_paused = true)]
    async fn what_is_held_is_read_and_synced() {
        let (disk, faults, log) = faulty();
        log.write(Write::Append(vec![entry(0)])).unwrap();
        faults.inject(vec![Fault::LoseUnsynced], None).unwrap();
        let vote = VoteRecord { term: Term(2), committed: false, node: NodeId(1) };
        log.write(Write::Vote(vote)).unwrap();
        log.write(Write::Append(vec![entry(1), entry(2)])).unwrap();
        assert_eq!(disk.writes(), 1, "a crash would lose the rest");
        let state = log.state();
        assert_eq!((state.vote, state.last), (Some(vote), Some(entry(2).0)));
        let read = |from, to, bytes| {
            let entries = log.read(LogIndex(from), LogIndex(to), bytes).unwrap();
            entries.iter().map(|(at, _)| at.index.0).collect::<Vec<_>>()
        };
        assert_eq!(read(0, 9, 100), [0]);
        assert_eq!(read(1, 9, 100), [1, 2]);
        assert_eq!(read(1, 9, 10), [1]);
        assert_eq!(read(1, 9, 1), [1], "never nothing");
        sync(&log).await.unwrap();
        assert_eq!((disk.writes(), read(0, 9, 100)), (3, vec![0, 1, 2]));
        // What takes something away is not held, and stays behind what was written before.
        log.write(Write::Append(vec![entry(3)])).unwrap();
        log.write(Write::TruncateAfter(Some(entry(2).0))).unwrap();
        assert_eq!(disk.writes(), 5);
    }

    /// One slow sync serves all who wait, and nobody overtakes them when it is healed.
    #[tokio::test(start_paused = true)]
    async fn a_slow_disk_syncs_in_order() {
        let (_disk, faults, log) = faulty();
        let ms = Duration::from_millis;
        let pause = Pause { least: ms(100), jitter: ms(0) };
        faults.inject(vec![Fault::SlowDisk(pause)], None).unwrap();
        let (begun, order) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
        let note = |number| {
            let order = order.clone();
            log.sync(Box::new(move |_| order.lock().unwrap().push(number)));
        };
        note(1);
        note(2);
        sync(&log).await.unwrap();
        assert_eq!((begun.elapsed(), order.lock().unwrap().len()), (ms(100), 2));
        let begun = Instant::now();
        note(3);
        let healing = faults.clone();
        tokio::spawn(async move {
            tokio::time::sleep(ms(30)).await;
            healing.heal(&[]);
        });
        sync(&log).await.unwrap();
        assert_eq!((begun.elapsed(), &*order.lock().unwrap()), (ms(30), &vec![1, 2, 3]));
        let begun = Instant::now();
        sync(&log).await.unwrap();
        assert_eq!(begun.elapsed(), ms(0), "all is well again");
    }

    /// What cannot be is said, and nothing reaches the disk.
    #[tokio::test(start_paused = true)]
    async fn a_full_disk_and_a_failing_one_say_so() {
        let (disk, faults, log) = faulty();
        faults.inject(vec![Fault::FullDisk, Fault::FailFsync], None).unwrap();
        let refused = log.write(Write::Append(vec![entry(0)])).unwrap_err();
        assert_eq!((refused.kind(), disk.writes()), (io::ErrorKind::StorageFull, 0));
        assert!(sync(&log).await.unwrap_err().to_string().contains("injected"));
        faults.heal(&[]);
        // What was refused is missing: nothing may come behind it.
        assert!(log.write(Write::Append(vec![entry(1)])).is_err());
        assert!(sync(&log).await.is_err());
        assert_eq!(disk.writes(), 0);
    }
}
