//! Where the Raft log and vote become durable.
//!
//! [`LogDevice`] is one ordered queue of writes: what is written is readable at
//! once, and durable when a later [`LogDevice::sync`] calls back. Vote, entries,
//! truncation and purge share the queue, because a vote must be durable before any
//! entry that follows it (openraft's I/O ordering).
//!
//! An error is final: the device refuses all that follows, and the node stops.

use bytes::Bytes;
use hangraft_ids::{LogIndex, NodeId, Term};
use std::io;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The place of an entry in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The term of the leader that made the entry.
    pub term: Term,
    /// Its index, from 0.
    pub index: LogIndex,
}

/// The first place behind a log's last entry; as a number, how many entries it has, those
/// that were purged included.
pub(crate) fn behind(last: Option<Position>) -> LogIndex {
    last.map_or(LogIndex(0), |last| last.index.next())
}

impl Position {
    /// Before anything was written.
    pub(crate) const START: Position = Position { term: Term(0), index: LogIndex(0) };
}

/// A vote as the device stores it. In one term a node votes for one candidate,
/// and a vote becomes committed when a quorum granted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VoteRecord {
    /// The term voted in.
    pub term: Term,
    /// Whether a quorum is known to have voted so.
    pub committed: bool,
    /// Whom it is for.
    pub node: NodeId,
}

/// Something to write, in order.
#[derive(Clone, Debug)]
pub enum Write {
    /// Replaces the vote.
    Vote(VoteRecord),
    /// Adds entries behind the last one, without a hole.
    Append(Vec<(Position, Bytes)>),
    /// Forgets the entries behind this one; all of them with `None`.
    TruncateAfter(Option<Position>),
    /// Forgets the entries up to and including this one.
    Purge(Position),
    /// Notes what is committed. Need not be durable.
    Committed(Position),
}

/// What a device holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceState {
    /// The last vote written.
    pub vote: Option<VoteRecord>,
    /// The last committed note.
    pub committed: Option<Position>,
    /// The last entry that was purged.
    pub purged: Option<Position>,
    /// The last entry, purged or not.
    pub last: Option<Position>,
}

/// Called once with the outcome of a sync, from any thread. Must not block.
pub type Synced = Box<dyn FnOnce(io::Result<()>) + Send>;

/// See the module's text.
pub trait LogDevice: Send + Sync + 'static {
    /// Queues a write; it is readable when this returns.
    fn write(&self, write: Write) -> io::Result<()>;
    /// Calls back when everything written before this call is durable.
    fn sync(&self, synced: Synced);
    /// Entries from index `from` up to but excluding `to`, without a hole, cut
    /// after `bytes_max` bytes but never before the first entry. Nothing when the
    /// entry at `from` is purged or not there yet. A new log may begin behind `from`, and is
    /// read from there.
    fn read(
        &self,
        from: LogIndex,
        to: LogIndex,
        bytes_max: usize,
    ) -> io::Result<Vec<(Position, Bytes)>>;
    /// What the device holds now, durable or not.
    fn state(&self) -> DeviceState;
    /// Bytes at the log's end that were no whole records when it was opened, and were cut
    /// off.
    fn cut_off(&self) -> u64 {
        0
    }
    /// The format that the identity file beside this log has. A build that does not know
    /// this kind of log must not know that format either: it would find no log.
    fn identity_format(&self) -> u32;
}

/// Waits until everything written to the log before is durable.
pub(crate) async fn synced(log: &dyn LogDevice) -> io::Result<()> {
    let (done, synced) = oneshot::channel();
    log.sync(Box::new(move |result| _ = done.send(result)));
    synced.await.map_err(|_| io::Error::other("the log was closed"))?
}

/// A log that tells when nobody holds it any more: it is closed then.
struct Guarded {
    log: Arc<dyn LogDevice>,
    /// Dropped after the log.
    _guard: DropGuard,
}

/// What is cancelled when the last holder of this log has let go.
pub(crate) fn guard(log: &mut Arc<dyn LogDevice>) -> CancellationToken {
    let closed = CancellationToken::new();
    let _guard = closed.clone().drop_guard();
    *log = Arc::new(Guarded { log: log.clone(), _guard });
    closed
}

impl LogDevice for Guarded {
    fn write(&self, write: Write) -> io::Result<()> {
        self.log.write(write)
    }

    fn sync(&self, synced: Synced) {
        self.log.sync(synced);
    }

    fn read(
        &self,
        from: LogIndex,
        to: LogIndex,
        bytes_max: usize,
    ) -> io::Result<Vec<(Position, Bytes)>> {
        self.log.read(from, to, bytes_max)
    }

    fn state(&self) -> DeviceState {
        self.log.state()
    }

    fn cut_off(&self) -> u64 {
        self.log.cut_off()
    }

    fn identity_format(&self) -> u32 {
        self.log.identity_format()
    }
}
