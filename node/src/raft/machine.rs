//! The replicated state machine: openraft's side of the lobby.
//!
//! Committed batches go in, in order; answers go back to whoever proposed them on
//! this node, changes go to the [`Feed`], finished games wait for the next snapshot
//! to be archived. The lobby is in memory and is rebuilt from snapshot and log.
//!
//! What must hold: applying depends on nothing but the lobby and the batch. A batch
//! that this build cannot read stops the replica; guessing would let it drift.

use crate::charter::{Charter, Members};
use crate::feed::Feed;
use crate::raft::alarm::{Alarm, Due};
use crate::raft::ledger::Ledger;
use crate::raft::snapshots::{self, NotWritten, SnapshotFile};
use crate::raft::state::{Applied, State, Task};
use crate::raft::types::{
    Answers, Entry, LogId, Proposal, SnapshotMeta, StoredMembership, TypeConfig, index_of,
    members_of,
};
use crate::storage::archive::Archive;
use crate::storage::log::LogDevice;
use crate::storage::{Files, Storage};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use hangraft_game::{Feature, Frozen, Lobby, Room, RoomId};
use hangraft_ids::{LogIndex, NodeId};
use openraft::EntryPayload;
use openraft::storage::{EntryResponder, RaftSnapshotBuilder, RaftStateMachine, Snapshot};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// After a snapshot could not be read back, the next one waits for this long: writing and
/// reading it is work, and what is wrong with it may have left the lobby by then.
const UNREADABLE_PAUSE: Duration = Duration::from_secs(60);

type StoredSnapshot = openraft::alias::SnapshotOf<TypeConfig, SnapshotFile>;

/// openraft, with our state machine.
pub(crate) type Raft = openraft::Raft<TypeConfig, Machine>;

/// A handle to the state machine of one replica. Clones share it: one goes to
/// openraft, which applies; the others read.
#[derive(Clone)]
pub(crate) struct Machine(Arc<Shared>);

struct Shared {
    state: RwLock<State>,
    feed: Feed,
    storage: Storage,
    /// The newest durable snapshot.
    snapshot: Mutex<Option<(SnapshotMeta, SnapshotFile)>>,
    /// The log index it covers, for the log store's purge.
    durable: watch::Sender<Option<LogIndex>>,
    /// The last applied index, for those who wait for one; `None` before the first.
    applied: watch::Sender<Option<LogIndex>>,
    /// How many bytes of log were applied.
    ledger: Mutex<Ledger>,
    /// Games missing in the archive that the log cannot bring back.
    gap: watch::Sender<Option<Gap>>,
    /// The last snapshot could not be read back; none when it could.
    unreadable: Mutex<Option<Unreadable>>,
    alarm: Alarm,
}

/// A snapshot that could not be read back.
#[derive(Clone, Copy, Debug)]
struct Unreadable {
    /// The log index at which it was taken first. The log behind the one before is kept.
    index: LogIndex,
    /// When it was tried last.
    at: Instant,
}

/// The archive misses games that finished up to a log index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// The index of the snapshot that skipped them.
    pub(crate) index: LogIndex,
}

impl Machine {
    /// Starts from the newest snapshot in storage, or empty.
    pub(crate) async fn open(storage: Storage, feed: Feed) -> io::Result<Self> {
        snapshots::remove_incoming(&storage.files).await?;
        let newest = snapshots::newest(&storage.files).await?;
        let (state, snapshot) = match newest {
            None => (State::empty(), None),
            Some((meta, file, held)) => (State::at(&meta, held), Some((meta, file))),
        };
        let covered = state.applied.as_ref().map(index_of);
        // The archive reaches the disk before the snapshot; one that is behind was
        // lost or moved aside.
        let behind = storage.archive.complete() < covered;
        let gap = covered.filter(|_| behind).map(|index| Gap { index });
        Ok(Machine(Arc::new(Shared {
            state: RwLock::new(state),
            feed,
            storage,
            snapshot: Mutex::new(snapshot),
            durable: watch::Sender::new(covered),
            applied: watch::Sender::new(covered),
            ledger: Mutex::default(),
            gap: watch::Sender::new(gap),
            unreadable: Mutex::default(),
            alarm: Alarm::default(),
        })))
    }

    /// What is due in the lobby although nobody plays, as a bell.
    pub(crate) fn alarm(&self) -> &Alarm {
        &self.0.alarm
    }

    /// Follows which log index the newest durable snapshot covers.
    pub(crate) fn durable_snapshot(&self) -> watch::Receiver<Option<LogIndex>> {
        self.0.durable.subscribe()
    }

    /// The log index of a snapshot that could not be read back, while none could since.
    pub(crate) fn unreadable_snapshot(&self) -> Option<LogIndex> {
        let unreadable = *self.0.unreadable.lock().expect("never poisoned");
        unreadable.map(|unreadable| unreadable.index)
    }

    /// A snapshot cannot be read back: the one before stays, with all the log behind it.
    /// Said once; the event is the chronicle's.
    fn keep_log(&self, meta: &SnapshotMeta, why: &str) {
        metrics::counter!("hangraft_snapshots_unreadable_total").increment(1);
        let index = meta.last_log_id.as_ref().map_or(LogIndex(0), index_of);
        let mut unreadable = self.0.unreadable.lock().expect("never poisoned");
        if unreadable.is_none() {
            tracing::error!(
                index = index.0,
                why,
                "a snapshot cannot be read back; the log is kept"
            );
        }
        let index = unreadable.map_or(index, |before| before.index);
        *unreadable = Some(Unreadable { index, at: Instant::now() });
    }

    fn pauses_snapshots(&self) -> bool {
        let unreadable = *self.0.unreadable.lock().expect("never poisoned");
        unreadable.is_some_and(|unreadable| unreadable.at.elapsed() < UNREADABLE_PAUSE)
    }

    /// Follows the last applied log index.
    pub(crate) fn applied(&self) -> watch::Receiver<Option<LogIndex>> {
        self.0.applied.subscribe()
    }

    /// Follows whether the archive misses games.
    pub(crate) fn archive_gap(&self) -> watch::Receiver<Option<Gap>> {
        self.0.gap.subscribe()
    }

    /// The games of this gap are in the archive now. A newer gap stays.
    pub(crate) fn archive_filled(&self, gap: Gap) {
        self.0.gap.send_if_modified(|current| {
            let same = *current == Some(gap);
            if same {
                *current = None;
            }
            same
        });
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.ledger.lock().expect("never poisoned")
    }

    pub(crate) fn feed(&self) -> &Feed {
        &self.0.feed
    }

    pub(crate) fn log(&self) -> &dyn LogDevice {
        &*self.0.storage.log
    }

    pub(crate) fn archive(&self) -> &dyn Archive {
        &*self.0.storage.archive
    }

    pub(crate) fn files(&self) -> &Arc<dyn Files> {
        &self.0.storage.files
    }

    pub(crate) fn standing(&self) -> Applied {
        self.read().standing()
    }

    /// The same, and what is due then although nobody plays.
    pub(crate) fn standing_and_due(&self) -> (Applied, Option<Due>) {
        let state = self.read();
        (state.standing(), state.due())
    }

    /// The lobby's hash behind the entry at `index`, if it is remembered.
    pub(crate) fn hash_at(&self, index: LogIndex) -> Option<u64> {
        self.read().hashes.at(index)
    }

    /// A live room as it is applied here.
    pub(crate) fn room(&self, id: RoomId) -> Option<Arc<Room>> {
        self.read().lobby.room(id).cloned()
    }

    /// Looks at the lobby. Short: applying waits meanwhile.
    pub(crate) fn with_lobby<T>(&self, look: impl FnOnce(&Lobby) -> T) -> T {
        look(&self.read().lobby)
    }

    /// What the cluster agrees on about itself, as it is applied here.
    pub(crate) fn charter(&self) -> Charter {
        self.read().charter.clone()
    }

    /// Whether every member knows something, so that the log may hold it.
    pub(crate) fn is_in_use(&self, feature: &Feature) -> bool {
        self.read().charter.has(feature)
    }

    /// The games of which rooms can be opened.
    pub(crate) fn games_in_use(&self) -> Vec<String> {
        let state = self.read();
        let games = hangraft_game::games().iter().map(|game| (*game).to_owned());
        games.filter(|game| state.charter.has(&Feature::Game(game.clone()))).collect()
    }

    /// Whether a node was a member, or on its way to be one, and is none any more. Looks
    /// once: between two looks a membership may be applied.
    pub(crate) fn has_lost(&self, id: NodeId) -> bool {
        let state = self.read();
        state.charter.has_lost(id, &members_of(state.membership.membership()))
    }

    /// The last applied membership, and the log index it stands at.
    pub(crate) fn members(&self) -> (Option<LogIndex>, Members) {
        let state = self.read();
        let index = state.membership.log_id().as_ref().map(index_of);
        (index, members_of(state.membership.membership()))
    }

    /// A game that has left the lobby but is not archived yet.
    pub(super) fn recently_finished(&self, room: RoomId) -> Option<Bytes> {
        self.read().finished.get(&room).cloned()
    }

    /// Games before `before` that have left the lobby but are not archived yet, newest first.
    pub(super) fn recently_finished_page(
        &self,
        before: Option<RoomId>,
        limit: usize,
    ) -> Vec<(RoomId, Bytes)> {
        let state = self.read();
        let before = before.unwrap_or(RoomId(u64::MAX));
        state
            .finished
            .range(..before)
            .rev()
            .take(limit)
            .map(|(id, game)| (*id, game.clone()))
            .collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.state.read().expect("no panic happens under the lobby's lock")
    }

    pub(crate) fn freeze(&self) -> Checkpoint {
        let state = self.read();
        Checkpoint {
            machine: self.clone(),
            frozen: state.lobby.freeze(),
            charter: state.charter.clone(),
            meta: SnapshotMeta {
                last_log_id: state.applied,
                last_membership: planted!(RemovedVoterCounts
                    ? crate::planted::first_of(Arc::as_ptr(&self.0) as usize, &state.membership)
                    => state.membership.clone()),
            },
            finished: state.finished.iter().map(|(id, game)| (*id, game.clone())).collect(),
        }
    }

    /// Makes `file` the snapshot to offer, and forgets older ones.
    async fn adopt(&self, meta: SnapshotMeta, file: SnapshotFile) -> io::Result<()> {
        let covered = meta.last_log_id.as_ref().map(index_of);
        {
            // A checkpoint may end after a newer snapshot was installed.
            let mut current = self.0.snapshot.lock().expect("never poisoned");
            if current.as_ref().is_some_and(|(newest, _)| newest.last_log_id > meta.last_log_id) {
                return Ok(());
            }
            *current = Some((meta, file.clone()));
        }
        self.0.durable.send_if_modified(|durable| {
            let newer = covered > *durable;
            *durable = covered.max(*durable);
            newer
        });
        snapshots::remove_others(&file).await
    }

    pub(crate) fn apply_entry(&self, entry: &Entry) -> io::Result<Answers> {
        // Decoding needs no lock.
        let task = Task::of(entry)?;
        if let EntryPayload::Normal(Proposal::Batch(bytes)) = &entry.payload {
            self.ledger().add(index_of(&entry.log_id), bytes.len());
        }
        let started = Instant::now();
        let mut state = self.0.state.write().expect("no panic happens under the lobby's lock");
        let answers = state.carry_out(task, entry.log_id, &self.0.feed);
        let due = state.due();
        drop(state);
        self.0.alarm.note(due);
        metrics::histogram!("hangraft_apply_seconds").record(started.elapsed());
        self.0.applied.send_replace(Some(index_of(&entry.log_id)));
        Ok(answers)
    }
}

impl RaftStateMachine<TypeConfig> for Machine {
    type SnapshotData = SnapshotFile;
    type SnapshotBuilder = Checkpoint;

    async fn applied_state(&mut self) -> io::Result<(Option<LogId>, StoredMembership)> {
        let state = self.read();
        Ok((state.applied, state.membership.clone()))
    }

    async fn apply<S>(&mut self, mut entries: S) -> io::Result<()>
    where
        S: Stream<Item = io::Result<EntryResponder<TypeConfig>>> + Unpin + Send,
    {
        while let Some((entry, responder)) = entries.try_next().await? {
            let answers = self.apply_entry(&entry)?;
            if let Some(responder) = responder {
                responder.send(answers);
            }
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Checkpoint {
        self.freeze()
    }

    async fn try_create_snapshot_builder(&mut self, force: bool) -> Option<Checkpoint> {
        (force || !self.pauses_snapshots()).then(|| self.freeze())
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        file: SnapshotFile,
    ) -> io::Result<()> {
        let (inside, held) = file.load().await?;
        assert_eq!(inside, *meta, "checked when it came in");
        let file = file.installed().await?;
        {
            let mut state = self.0.state.write().expect("no panic happens under the lobby's lock");
            // Games that finished in what the snapshot skips are fetched from a peer
            // later; those that are known here are kept for the next checkpoint.
            let finished = std::mem::take(&mut state.finished);
            *state = State { finished, ..State::at(meta, held) };
            self.0.feed.publisher().restart();
            self.0.alarm.note(state.due());
        }
        self.adopt(meta.clone(), file).await?;
        let index = meta.last_log_id.as_ref().map(index_of);
        self.0.gap.send_replace(index.map(|index| Gap { index }));
        self.0.applied.send_replace(index);
        tracing::info!(meta = %meta, "snapshot installed");
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<StoredSnapshot>> {
        let snapshot = self.0.snapshot.lock().expect("never poisoned").clone();
        Ok(snapshot.map(|(meta, snapshot)| Snapshot { meta, snapshot }))
    }
}

/// The lobby of one instant, on its way to disk beside play: the archive first,
/// then the snapshot, and only then does the log store purge.
pub(crate) struct Checkpoint {
    machine: Machine,
    pub(crate) frozen: Frozen,
    pub(crate) charter: Charter,
    pub(crate) meta: SnapshotMeta,
    pub(crate) finished: Vec<(RoomId, Bytes)>,
}

impl RaftSnapshotBuilder<TypeConfig> for Checkpoint {
    type SnapshotData = SnapshotFile;

    async fn build_snapshot(&mut self) -> io::Result<StoredSnapshot> {
        let archive: &Arc<dyn Archive> = &self.machine.0.storage.archive;
        let archived: Vec<RoomId> = self.finished.iter().map(|(id, _)| *id).collect();
        // The archive is whole up to here only if nothing before is missing.
        let whole = self.machine.0.gap.borrow().is_none();
        let complete = self.meta.last_log_id.as_ref().map(index_of).filter(|_| whole);
        archive.store(std::mem::take(&mut self.finished), complete).await?;
        let files = &self.machine.0.storage.files;
        let file = match snapshots::write(files, &self.meta, &self.charter, &self.frozen).await {
            Ok(file) => file,
            Err(NotWritten::Storage(err)) => return Err(err),
            Err(NotWritten::Unreadable(why)) => {
                self.machine.keep_log(&self.meta, &why);
                return Ok(self.nothing_newer());
            }
        };
        *self.machine.0.unreadable.lock().expect("never poisoned") = None;
        self.machine.adopt(self.meta.clone(), file.clone()).await?;
        {
            let mut state = self.machine.0.state.write().expect("no panic under the lobby's lock");
            for id in archived {
                state.finished.remove(&id);
            }
        }
        tracing::info!(meta = %self.meta, "snapshot taken");
        Ok(Snapshot { meta: self.meta.clone(), snapshot: file })
    }
}

impl Checkpoint {
    /// An error would stop openraft (0.10.0-alpha.37), which plays on well with the log.
    /// It takes a snapshot that covers nothing for one that is not newer, and goes on.
    fn nothing_newer(&self) -> StoredSnapshot {
        let meta = SnapshotMeta { last_log_id: None, last_membership: StoredMembership::default() };
        Snapshot { meta, snapshot: SnapshotFile::none(&self.machine.0.storage.files) }
    }
}
