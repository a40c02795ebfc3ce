//! The log on a real disk, by the crate raft-log, which stops here: one fdatasync for
//! everything that queued up during the one before.

use super::sync::{Meters, ask_for_realtime};
use crate::identity;
use crate::storage::log::{DeviceState, LogDevice, Position, Synced, VoteRecord, Write, behind};
use bytes::Bytes;
use hangraft_ids::{LogIndex, NodeId, Term};
use raft_log::api::raft_log_writer::RaftLogWriter;
use raft_log::codeq::{Decode, Encode};
use raft_log::{Config, RaftLog, Types};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

/// The log on a real disk. Dropped, it has given up the folder.
pub(crate) struct RaftLogDevice {
    shared: Arc<Shared>,
    cut_off: u64,
}

impl Drop for RaftLogDevice {
    fn drop(&mut self) {
        // Closed here and not by the syncing thread, which cannot wait for itself.
        let log = self.shared.lock().log.take();
        drop(log);
    }
}

/// Size of one file of the log. Purged entries give their disk space back when
/// the whole file is purged.
const CHUNK_BYTES: usize = 64 << 20;

/// Entries raft-log keeps in memory beyond the open file's own. Recent entries
/// are cached decoded in the log store, so this stays small.
const CACHE_BYTES: usize = 1 << 20;

/// Bytes queued for the disk before writers block. Far above what admission lets in.
const QUEUE_BYTES_MAX: usize = 1 << 30;

impl RaftLogDevice {
    /// Opens or creates the log in a folder. A record that was torn by a crash at
    /// the very end is cut off: it was never acknowledged.
    ///
    /// With `realtime`, the thread that syncs asks for the lowest real-time
    /// priority, which it may or may not be granted; on a busy machine a sync
    /// otherwise waits a scheduler tick to be noticed.
    ///
    /// # Errors
    /// When the folder is in use, cannot be read, or holds damaged records.
    pub(crate) fn open(dir: &Path, realtime: bool) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let before = sizes_of(dir)?;
        let mut config = Config::new(dir.display());
        config.log_cache_capacity = Some(CACHE_BYTES);
        config.wal.chunk_max_size = Some(CHUNK_BYTES);
        config.wal.read_buffer_size = Some(1 << 20);
        config.wal.flush_queue_max_bytes = Some(QUEUE_BYTES_MAX);
        // Batching is done here: see `Shared::start_sync`.
        config.wal.flush_batch_wait = Some(std::time::Duration::ZERO);
        // The syncing thread is born inside `open` and inherits the priority.
        let log = std::thread::Builder::new()
            .name("log-open".into())
            .spawn(move || {
                if realtime {
                    ask_for_realtime();
                }
                RaftLog::open(Arc::new(config))
            })?
            .join()
            .map_err(|_| io::Error::other("opening the log panicked"))??;
        let after = sizes_of(dir)?;
        let missing = |(name, size): (&OsString, &u64)| {
            size.saturating_sub(after.get(name).copied().unwrap_or(0))
        };
        let cut_off = before.iter().map(missing).sum();
        let inner = Inner { log: Some(log), waiting: Vec::new(), syncing: false, failure: None };
        let shared = Shared { inner: Mutex::new(inner), meters: Meters::new() };
        Ok(RaftLogDevice { shared: Arc::new(shared), cut_off })
    }
}

/// The sizes of a folder's files. raft-log tells nobody but its own log lines what it cuts
/// off while it opens.
fn sizes_of(dir: &Path) -> io::Result<BTreeMap<OsString, u64>> {
    let mut sizes = BTreeMap::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        sizes.insert(entry.file_name(), entry.metadata()?.len());
    }
    Ok(sizes)
}

/// A position as the log library has it.
fn log_id(at: Position) -> (u64, u64) {
    (at.term.0, at.index.0)
}

fn position(&(term, index): &(u64, u64)) -> Position {
    Position { term: Term(term), index: LogIndex(index) }
}

impl LogDevice for RaftLogDevice {
    fn write(&self, write: Write) -> io::Result<()> {
        let mut inner = self.shared.lock();
        inner.check()?;
        let log = inner.log()?;
        match write {
            Write::Vote(vote) => log.save_vote(StoredVote(vote))?,
            Write::Append(entries) => {
                log.append(entries.into_iter().map(|(at, bytes)| (log_id(at), StoredBytes(bytes))))?
            }
            Write::TruncateAfter(last) => {
                let keep = behind(last).0;
                if log.log_state().last().is_none_or(|&(_, last)| last < keep) {
                    return Ok(());
                }
                log.truncate(keep)?
            }
            Write::Purge(upto) => log.purge(log_id(upto))?,
            Write::Committed(at) => log.commit(log_id(at))?,
        };
        Ok(())
    }

    fn sync(&self, synced: Synced) {
        let mut inner = self.shared.lock();
        if let Err(err) = inner.check() {
            drop(inner);
            return synced(Err(err));
        }
        inner.waiting.push(synced);
        self.shared.meters.waiting.increment(1.0);
        if !inner.syncing {
            self.shared.start_sync(inner);
        }
    }

    fn read(
        &self,
        from: LogIndex,
        to: LogIndex,
        bytes_max: usize,
    ) -> io::Result<Vec<(Position, Bytes)>> {
        let mut inner = self.shared.lock();
        let log = inner.log()?;
        if log.log_state().purged().is_some_and(|&(_, purged)| purged >= from.0) {
            // What lies behind the purged entries is no answer.
            return Ok(Vec::new());
        }
        let mut entries = Vec::new();
        let mut bytes = 0;
        for entry in log.read(from.0, to.0) {
            let (log_id, StoredBytes(payload)) = entry?;
            bytes += payload.len();
            if bytes > bytes_max && !entries.is_empty() {
                break;
            }
            entries.push((position(&log_id), payload));
        }
        Ok(entries)
    }

    fn state(&self) -> DeviceState {
        let mut inner = self.shared.lock();
        let state = inner.log().expect("open until the device is dropped").log_state();
        DeviceState {
            vote: state.vote().map(|vote| vote.0),
            committed: state.committed().map(position),
            purged: state.purged().map(position),
            last: state.last().map(position),
        }
    }

    fn cut_off(&self) -> u64 {
        self.cut_off
    }

    fn identity_format(&self) -> u32 {
        identity::FORMAT
    }
}

struct Shared {
    inner: Mutex<Inner>,
    meters: Meters,
}

struct Inner {
    /// `None` once the device is dropped.
    log: Option<RaftLog<Stored>>,
    /// Who waits for the next sync.
    waiting: Vec<Synced>,
    syncing: bool,
    /// The first error; final.
    failure: Option<(io::ErrorKind, String)>,
}

impl Inner {
    fn log(&mut self) -> io::Result<&mut RaftLog<Stored>> {
        self.log.as_mut().ok_or_else(|| io::Error::other("the log is closed"))
    }

    fn check(&self) -> io::Result<()> {
        match &self.failure {
            None => Ok(()),
            Some((kind, text)) => Err(io::Error::new(*kind, text.clone())),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic while the lock was held leaves the log in an unknown state.
        self.inner.lock().expect("no panic happens under the log's lock")
    }

    /// Starts one sync for all that wait. Whoever comes meanwhile waits for the
    /// next one: this is the group commit.
    fn start_sync(self: &Arc<Self>, mut inner: MutexGuard<'_, Inner>) {
        inner.syncing = true;
        let waiting = std::mem::take(&mut inner.waiting);
        self.meters.batch.record(waiting.len() as f64);
        let done = SyncDone { shared: self.clone(), waiting, started: Instant::now() };
        if let Err(err) = inner.log().and_then(|log| log.flush(true, Some(done))) {
            // Dropped with the call, `SyncDone` has told those who waited.
            self.fail(inner, &err);
        }
    }

    fn fail(&self, mut inner: MutexGuard<'_, Inner>, err: &io::Error) {
        inner.syncing = false;
        inner.failure.get_or_insert_with(|| (err.kind(), format!("the log failed: {err}")));
        let waiting = std::mem::take(&mut inner.waiting);
        drop(inner);
        self.meters.tell(waiting, &Err(io::Error::new(err.kind(), err.to_string())));
    }
}

/// Runs on raft-log's syncing thread.
struct SyncDone {
    shared: Arc<Shared>,
    waiting: Vec<Synced>,
    started: Instant,
}

impl raft_log::Callback for SyncDone {
    fn send(mut self, result: io::Result<()>) {
        self.shared.meters.seconds.record(self.started.elapsed());
        self.shared.meters.tell(std::mem::take(&mut self.waiting), &result);
        let mut inner = self.shared.lock();
        match result {
            Err(err) => self.shared.fail(inner, &err),
            Ok(()) if inner.waiting.is_empty() => inner.syncing = false,
            Ok(()) => self.shared.start_sync(inner),
        }
    }
}

/// A flush that raft-log dropped undone tells those who wait.
impl Drop for SyncDone {
    fn drop(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        let stopped = Err(io::Error::other("the log's writer has stopped"));
        self.shared.meters.tell(waiting, &stopped);
    }
}

/// Our types in raft-log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Stored;

impl Types for Stored {
    type LogId = (u64, u64);
    type LogPayload = StoredBytes;
    type Vote = StoredVote;
    type Callback = SyncDone;
    type UserData = ();

    fn log_index(log_id: &(u64, u64)) -> u64 {
        log_id.1
    }

    fn payload_size(payload: &StoredBytes) -> u64 {
        payload.0.len() as u64
    }
}

#[derive(Clone)]
struct StoredBytes(Bytes);

/// An entry may hold a secret word: only its size is ever printed.
impl fmt::Debug for StoredBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Encode for StoredBytes {
    fn encode<W: io::Write>(&self, mut w: W) -> io::Result<usize> {
        let length = u32::try_from(self.0.len())
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "an entry over 4 GiB"))?;
        w.write_all(&length.to_be_bytes())?;
        w.write_all(&self.0)?;
        Ok(4 + self.0.len())
    }
}

impl Decode for StoredBytes {
    fn decode<R: io::Read>(mut r: R) -> io::Result<Self> {
        let mut length = [0; 4];
        r.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length);
        // Grows as bytes arrive: a damaged length must not claim memory.
        let mut bytes = Vec::new();
        (&mut r).take(length.into()).read_to_end(&mut bytes)?;
        if bytes.len() != length as usize {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(StoredBytes(bytes.into()))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct StoredVote(VoteRecord);

impl Encode for StoredVote {
    fn encode<W: io::Write>(&self, mut w: W) -> io::Result<usize> {
        w.write_all(&self.0.term.0.to_be_bytes())?;
        w.write_all(&self.0.node.0.to_be_bytes())?;
        w.write_all(&[u8::from(self.0.committed)])?;
        Ok(17)
    }
}

impl Decode for StoredVote {
    fn decode<R: io::Read>(mut r: R) -> io::Result<Self> {
        let mut bytes = [0; 17];
        r.read_exact(&mut bytes)?;
        let number = |range: std::ops::Range<usize>| {
            bytes[range].iter().fold(0, |n, b| n << 8 | u64::from(*b))
        };
        Ok(StoredVote(VoteRecord {
            term: Term(number(0..8)),
            node: NodeId(number(8..16)),
            committed: bytes[16] != 0,
        }))
    }
}
