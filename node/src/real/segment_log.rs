//! The log of segments on a real disk: one fdatasync for everything that queued up during
//! the one before.
//!
//! A thread waits for the disk. It is woken by who asks for a sync, and calls back itself: a
//! sync passes from thread to thread once each way. A second thread makes the next file
//! ready.

use super::blocks::{Lock, RealBlocks};
use super::sync::{Meters, ask_for_realtime};
use crate::identity;
use crate::storage::blocks::Blocks;
use crate::storage::log::{DeviceState, LogDevice, Position, Synced, Write};
use crate::storage::segments::SegmentLog;
use bytes::Bytes;
use hangraft_ids::LogIndex;
use std::io;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// A log that nobody has written to for this long notes how far it is synced.
const IDLE: Duration = Duration::from_millis(100);

/// The log on a real disk. Dropped, it has given up the folder.
pub(super) struct SegmentDevice {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

struct Shared {
    log: SegmentLog,
    queue: Mutex<Queue>,
    /// Somebody waits for a sync, or the device is closed.
    wake: Condvar,
    meters: Meters,
    _locked: Option<Arc<Lock>>,
}

#[derive(Default)]
struct Queue {
    /// Who waits for the next sync.
    waiting: Vec<Synced>,
    closed: bool,
}

impl SegmentDevice {
    /// Opens or creates the log in a folder, which is there. See [`RaftLogDevice::open`] for
    /// `realtime`. What is `locked` is held until the folder is given up.
    ///
    /// [`RaftLogDevice::open`]: super::raft_log::RaftLogDevice::open
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub(super) fn open(dir: &Path, realtime: bool, locked: Option<Arc<Lock>>) -> io::Result<Self> {
        Self::on(Arc::new(RealBlocks::new(dir)), realtime, locked)
    }

    /// The same, on these files.
    fn on(blocks: Arc<dyn Blocks>, realtime: bool, locked: Option<Arc<Lock>>) -> io::Result<Self> {
        let life = getrandom::u64().map_err(io::Error::other)?;
        let log = SegmentLog::open(blocks, life)?;
        let (queue, wake) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { log, queue, wake, meters: Meters::new(), _locked: locked });
        let (files, wanted) = sync_channel::<()>(1);
        let preparing = shared.clone();
        // Ends when the writer does.
        let preparer = Builder::new().name("log-files".into()).spawn(move || {
            while wanted.recv().is_ok() {
                if let Err(err) = preparing.log.make_ready() {
                    tracing::warn!(%err, "the log's next file is not ready");
                }
            }
        })?;
        let writing = shared.clone();
        let writer = Builder::new().name("log-writer".into()).spawn(move || {
            if realtime {
                ask_for_realtime();
            }
            writing.write_on(files);
            drop(writing);
            // Its folder is free when the writer has ended.
            _ = preparer.join();
        })?;
        Ok(SegmentDevice { shared, writer: Some(writer) })
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("nothing panics while the queue is held")
    }

    /// Writes and syncs for all that wait, until the device is closed.
    fn write_on(&self, files: SyncSender<()>) {
        while let Some(waiting) = self.next() {
            self.meters.batch.record(waiting.len() as f64);
            let begun = Instant::now();
            let done = self.log.begin_flush().and_then(|flush| self.log.end_flush(flush));
            self.meters.seconds.record(begun.elapsed());
            self.meters.tell(waiting, &done);
            if self.log.wants_file() {
                // One that is told already is told enough.
                _ = files.try_send(());
            }
        }
        if let Err(err) = self.log.close() {
            tracing::warn!(%err, "the log was not closed well");
        }
    }

    /// Who waits next; `None` when the device is closed and nobody does.
    fn next(&self) -> Option<Vec<Synced>> {
        let mut queue = self.queue();
        let mut noted = false;
        loop {
            if !queue.waiting.is_empty() {
                return Some(std::mem::take(&mut queue.waiting));
            }
            if queue.closed {
                return None;
            }
            if noted {
                queue = self.wake.wait(queue).expect("nothing panics while the queue is held");
                continue;
            }
            let waited = self.wake.wait_timeout(queue, IDLE);
            let (held, timeout) = waited.expect("nothing panics while the queue is held");
            queue = held;
            if timeout.timed_out() && queue.waiting.is_empty() {
                noted = true;
                drop(queue);
                // An error is told to whoever writes next.
                _ = self.log.note();
                queue = self.queue();
            }
        }
    }
}

impl LogDevice for SegmentDevice {
    fn write(&self, write: Write) -> io::Result<()> {
        self.shared.log.write(write)
    }

    fn sync(&self, synced: Synced) {
        if let Err(err) = self.shared.log.check() {
            return synced(Err(err));
        }
        self.shared.meters.waiting.increment(1.0);
        let mut queue = self.shared.queue();
        queue.waiting.push(synced);
        drop(queue);
        self.shared.wake.notify_one();
    }

    fn read(
        &self,
        from: LogIndex,
        to: LogIndex,
        bytes_max: usize,
    ) -> io::Result<Vec<(Position, Bytes)>> {
        self.shared.log.read(from, to, bytes_max)
    }

    fn state(&self) -> DeviceState {
        self.shared.log.state()
    }

    fn cut_off(&self) -> u64 {
        self.shared.log.cut_off()
    }

    fn identity_format(&self) -> u32 {
        identity::WITH_SEGMENTS
    }
}

impl Drop for SegmentDevice {
    fn drop(&mut self) {
        self.shared.queue().closed = true;
        self.shared.wake.notify_one();
        let Some(writer) = self.writer.take() else { return };
        // Who was called back by the writer may be the last to hold the device.
        if writer.thread().id() != std::thread::current().id() {
            _ = writer.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::log::VoteRecord;
    use crate::storage::segments::memory::Memory;
    use hangraft_ids::{NodeId, Term};
    use std::sync::mpsc;

    /// How long a sync in memory may take.
    const PATIENCE: Duration = Duration::from_secs(60);

    fn at(index: u64) -> Position {
        Position { term: Term(1), index: LogIndex(index) }
    }

    /// The power fails in the moment in which a sync is answered, and takes all that it can:
    /// the vote and the entries are there. A node answers a candidate, and its leader, then.
    #[test]
    fn a_sync_is_answered_when_no_power_cut_takes_it_back() {
        let memory = Memory::default();
        for round in 0..20 {
            let device = SegmentDevice::on(Arc::new(memory.clone()), false, None).unwrap();
            let vote = VoteRecord { term: Term(round + 1), committed: false, node: NodeId(2) };
            device.write(Write::Vote(vote)).unwrap();
            let payload = Bytes::from(vec![7; 9_000 * round as usize]);
            device.write(Write::Append(vec![(at(round), payload)])).unwrap();
            let (sender, answered) = mpsc::channel();
            let power = memory.clone();
            device.sync(Box::new(move |result| {
                power.lose_power(|| false);
                _ = sender.send(result);
            }));
            answered.recv_timeout(PATIENCE).unwrap().unwrap();
            drop(device);
            let state = SegmentDevice::on(Arc::new(memory.clone()), false, None).unwrap().state();
            assert_eq!((state.vote, state.last), (Some(vote), Some(at(round))), "round {round}");
        }
    }

    /// Everybody who waits is told when the disk fails, and so is who comes later.
    #[test]
    fn a_failed_sync_is_told_to_all() {
        let memory = Memory::default();
        let device = SegmentDevice::on(Arc::new(memory.clone()), false, None).unwrap();
        memory.let_syncs_fail(true);
        let (sender, answered) = mpsc::channel();
        for index in 0..3 {
            _ = device.write(Write::Append(vec![(at(index), Bytes::new())]));
            let sender = sender.clone();
            device.sync(Box::new(move |result| _ = sender.send(result.is_err())));
        }
        for _ in 0..3 {
            assert_eq!(answered.recv_timeout(PATIENCE), Ok(true));
        }
        memory.let_syncs_fail(false);
        assert!(device.write(Write::Append(vec![(at(3), Bytes::new())])).is_err());
        device.sync(Box::new(move |result| _ = sender.send(result.is_err())));
        assert_eq!(answered.recv_timeout(PATIENCE), Ok(true));
    }
}
