//! openraft's log storage on a [`LogDevice`], with the recent entries in memory.
//!
//! Every entry is read again by each follower's replication and once to apply it,
//! so the tail of the log stays decoded in memory; the device is read only by those
//! who are far behind and at start-up.

use crate::raft::types::{
    Entry, LogId, TypeConfig, Vote, decode_payload, encode_payload, index_of, log_id_of,
    position_of, term_of,
};
use crate::storage::log::{DeviceState, LogDevice, Synced, VoteRecord, Write, behind};
use futures_util::Stream;
use hangraft_ids::LogIndex;
use openraft::storage::{IOFlushed, LogState, RaftLogReader, RaftLogStorage};
use std::collections::VecDeque;
use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use tokio::sync::{oneshot, watch};

/// Bytes of recent entries kept decoded. Whoever is further behind reads the device.
const TAIL_BYTES_MAX: usize = 64 << 20;

/// Bytes of entries in one AppendEntries request, and read from the device at a
/// time. One larger entry still travels, alone.
const READ_BYTES_MAX: usize = 1 << 20;

/// The log of one replica. Clones share it.
#[derive(Clone)]
pub(crate) struct LogStore {
    device: Arc<dyn LogDevice>,
    tail: Arc<RwLock<Tail>>,
    /// The log index that the newest durable snapshot covers.
    snapshot: watch::Receiver<Option<LogIndex>>,
    purged: Purged,
}

/// How far the log is purged. Clones share it.
#[derive(Clone)]
pub(crate) struct Purged(Arc<AtomicU64>);

impl Purged {
    /// The last index that is purged.
    pub(crate) fn index(&self) -> Option<LogIndex> {
        self.0.load(Ordering::Relaxed).checked_sub(1).map(LogIndex)
    }

    fn set(&self, index: LogIndex) {
        self.0.fetch_max(index.next().0, Ordering::Relaxed);
    }
}

impl LogStore {
    /// The log on `device`. `snapshot` tells which index the newest durable
    /// snapshot covers: nothing above it is purged.
    pub(crate) fn new(
        device: Arc<dyn LogDevice>,
        snapshot: watch::Receiver<Option<LogIndex>>,
    ) -> Self {
        let purged = Purged(Arc::default());
        if let Some(position) = device.state().purged {
            purged.set(position.index);
        }
        LogStore { device, tail: Arc::default(), snapshot, purged }
    }

    /// Follows how far the log is purged.
    pub(crate) fn purged(&self) -> Purged {
        self.purged.clone()
    }

    fn state(&self) -> DeviceState {
        self.device.state()
    }

    async fn synced(&self) -> io::Result<()> {
        let (done, wait) = oneshot::channel();
        self.device.sync(Box::new(move |result| _ = done.send(result)));
        wait.await.map_err(|_| io::Error::other("the log's writer has stopped"))?
    }

    /// Entries from `from` to before `to`, at least one if there is one.
    fn read(&self, from: LogIndex, to: LogIndex) -> io::Result<Vec<Entry>> {
        if let Some(entries) = self.tail.read().expect("never poisoned").read(from, to) {
            return Ok(entries);
        }
        let stored = self.device.read(from, to, READ_BYTES_MAX)?;
        stored.into_iter().map(|(at, bytes)| decode_payload(log_id_of(at), bytes)).collect()
    }
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + Send>(
        &mut self,
        range: R,
    ) -> io::Result<Vec<Entry>> {
        let (mut from, to) = bounds(range);
        // What was purged is not there; what is not yet there ends the answer.
        let state = self.state();
        from = from.max(behind(state.purged));
        let to = to.min(behind(state.last));
        let mut entries = Vec::new();
        while from < to {
            let more = self.read(from, to)?;
            let Some(last) = more.last() else {
                return Err(crate::format::corrupt(format!("the log has a hole at {from}")));
            };
            from = index_of(&last.log_id).next();
            entries.extend(more);
        }
        Ok(entries)
    }

    async fn read_vote(&mut self) -> io::Result<Option<Vote>> {
        Ok(self.state().vote.map(|vote| {
            if vote.committed {
                Vote::new_committed(vote.term.0, vote.node)
            } else {
                Vote::new(vote.term.0, vote.node)
            }
        }))
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> io::Result<Vec<Entry>> {
        self.read(LogIndex(start), LogIndex(end))
    }

    /// Reads on as it is consumed, so that applying a long log needs little memory.
    async fn entries_stream<R>(&mut self, range: R) -> impl Stream<Item = io::Result<Entry>> + Send
    where
        R: RangeBounds<u64> + Clone + Debug + Send,
    {
        let (from, to) = bounds(range);
        let to = to.min(behind(self.state().last));
        let cursor = Cursor { log: self.clone(), next: from, to, ready: VecDeque::new() };
        Box::pin(futures_util::stream::unfold(cursor, |mut cursor| async move {
            cursor.step().map(|entry| (entry, cursor))
        }))
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> io::Result<LogState<TypeConfig>> {
        let state = self.state();
        let purged = state.purged.map(log_id_of);
        Ok(LogState {
            last_purged_log_id: purged,
            last_log_id: state.last.map(log_id_of).or(purged),
        })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> io::Result<()> {
        self.device.write(Write::Vote(VoteRecord {
            term: term_of(vote),
            node: vote.leader_id().voted_for,
            committed: vote.is_committed(),
        }))?;
        planted!(VoteNotSaved => return Ok(()));
        self.synced().await
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> io::Result<()> {
        match committed {
            Some(committed) => self.device.write(Write::Committed(position_of(&committed))),
            None => Ok(()),
        }
    }

    async fn read_committed(&mut self) -> io::Result<Option<LogId>> {
        let state = self.state();
        // The note is not synced by itself: after a crash it may name an entry
        // that was lost, which was then not committed here.
        Ok(state.committed.min(state.last).map(log_id_of))
    }

    async fn append<I>(&mut self, entries: I, flushed: IOFlushed<TypeConfig>) -> io::Result<()>
    where
        I: IntoIterator<Item = Entry> + Send,
        I::IntoIter: Send,
    {
        let entries: Vec<(Entry, usize)> = {
            let mut stored = Vec::new();
            let mut kept = Vec::new();
            for entry in entries {
                let bytes = encode_payload(&entry);
                kept.push((entry, bytes.len()));
                stored.push((position_of(&kept[kept.len() - 1].0.log_id), bytes));
            }
            self.device.write(Write::Append(stored))?;
            kept
        };
        self.tail.write().expect("never poisoned").append(entries);
        planted!(AckBeforeFsync => return crate::raft::planted::ack_early(&*self.device, flushed));
        let synced: Synced = Box::new(move |result| flushed.io_completed(result));
        self.device.sync(synced);
        Ok(())
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> io::Result<()> {
        self.tail.write().expect("never poisoned").truncate(behind(last.as_ref().map(position_of)));
        self.device.write(Write::TruncateAfter(last.as_ref().map(position_of)))
    }

    /// Waits until the snapshot that replaces the entries is durable: openraft asks
    /// for the purge right behind an installed snapshot, and a crash in between
    /// would leave neither.
    async fn purge(&mut self, upto: LogId) -> io::Result<()> {
        let mut snapshot = self.snapshot.clone();
        snapshot
            .wait_for(|covered| *covered >= Some(index_of(&upto)))
            .await
            .map_err(|_| io::Error::other("the state machine has stopped"))?;
        self.purged.set(index_of(&upto));
        self.tail.write().expect("never poisoned").purge(index_of(&upto));
        self.device.write(Write::Purge(position_of(&upto)))?;
        self.synced().await
    }
}

fn bounds(range: impl RangeBounds<u64>) -> (LogIndex, LogIndex) {
    let from = match range.start_bound() {
        Bound::Included(from) => *from,
        Bound::Excluded(before) => before + 1,
        Bound::Unbounded => 0,
    };
    let to = match range.end_bound() {
        Bound::Included(last) => last.saturating_add(1),
        Bound::Excluded(to) => *to,
        Bound::Unbounded => u64::MAX,
    };
    (LogIndex(from), LogIndex(to))
}

/// A walk through the log.
struct Cursor {
    log: LogStore,
    next: LogIndex,
    to: LogIndex,
    ready: VecDeque<Entry>,
}

impl Cursor {
    fn step(&mut self) -> Option<io::Result<Entry>> {
        if self.ready.is_empty() && self.next < self.to {
            match self.log.read(self.next, self.to) {
                Ok(entries) => self.ready = entries.into(),
                Err(err) => {
                    self.to = self.next;
                    return Some(Err(err));
                }
            }
        }
        let entry = self.ready.pop_front()?;
        self.next = index_of(&entry.log_id).next();
        Some(Ok(entry))
    }
}

/// The newest entries, decoded.
///
/// Invariant: their indices follow each other without a hole.
#[derive(Default)]
struct Tail {
    entries: VecDeque<(Entry, usize)>,
    bytes: usize,
}

impl Tail {
    /// The entries asked for, if the first one is here; cut like a device's read.
    fn read(&self, from: LogIndex, to: LogIndex) -> Option<Vec<Entry>> {
        let first = self.entries.front()?.0.log_id.index;
        let skip = usize::try_from(from.0.checked_sub(first)?).ok()?;
        if skip >= self.entries.len() {
            return None;
        }
        let mut bytes = 0;
        let mut entries = Vec::new();
        for (entry, size) in self.entries.range(skip..) {
            bytes += size;
            if index_of(&entry.log_id) >= to || (bytes > READ_BYTES_MAX && !entries.is_empty()) {
                break;
            }
            entries.push(entry.clone());
        }
        Some(entries)
    }

    fn append(&mut self, entries: Vec<(Entry, usize)>) {
        for (entry, size) in entries {
            if let Some((last, _)) = self.entries.back()
                && last.log_id.index + 1 != entry.log_id.index
            {
                // After a snapshot the log starts anew somewhere ahead.
                self.entries.clear();
                self.bytes = 0;
            }
            self.bytes += size;
            self.entries.push_back((entry, size));
        }
        while self.bytes > TAIL_BYTES_MAX && self.entries.len() > 1 {
            self.pop_front();
        }
    }

    fn truncate(&mut self, from: LogIndex) {
        while self.entries.back().is_some_and(|(entry, _)| index_of(&entry.log_id) >= from) {
            let (_, size) = self.entries.pop_back().expect("just seen");
            self.bytes -= size;
        }
    }

    fn purge(&mut self, upto: LogIndex) {
        while self.entries.front().is_some_and(|(entry, _)| index_of(&entry.log_id) <= upto) {
            self.pop_front();
        }
    }

    fn pop_front(&mut self) {
        if let Some((_, size)) = self.entries.pop_front() {
            self.bytes -= size;
        }
    }
}
