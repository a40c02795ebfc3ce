//! A machine's disk: the Raft log, the archive and the files of a node.
//!
//! What is written is readable at once and durable after a sync, which takes a
//! while and sometimes long. When the power fails, of what was not synced a part
//! survives: the first writes up to some point, the last of them perhaps torn.
//! A disk can be slow, full, or fail its syncs; an error of the log is final, as
//! it is on the real device. On some days a log of segments ([`super::segments`]) is beside
//! the model that is here, and what it does counts.

use super::segments::{self, Segments};
use super::{MachineId, World};
use crate::clock::{MICRO, MILLI};
use async_trait::async_trait;
use bytes::Bytes;
use hangraft_cluster_config::LogKind;
use hangraft_ids::{LogIndex, RoomId, StorageId, Term};
use hangraft_node::storage::archive::Archive;
use hangraft_node::storage::log::{DeviceState, LogDevice, Position, Synced, Write};
use hangraft_node::storage::segments::Flush;
use hangraft_node::storage::{FileReader, FileWriter, Files, Storage};
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// How long disks take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Shortest and longest time of a sync, in nanoseconds.
    pub(crate) sync: (u64, u64),
    /// Of a million syncs, so many stall ...
    pub(crate) stall_ppm: u64,
    /// ... for so long.
    pub(crate) stall: (u64, u64),
}

impl Pace {
    /// A healthy disk.
    pub(crate) const GOOD: Pace =
        Pace { sync: (80 * MICRO, 900 * MICRO), stall_ppm: 0, stall: (0, 0) };

    /// A disk that has something better to do.
    pub(crate) const SLOW: Pace = Pace {
        sync: (5 * MILLI, 60 * MILLI),
        stall_ppm: 50_000,
        stall: (100 * MILLI, 700 * MILLI),
    };
}

/// What is wrong with a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    /// It takes no more.
    Full,
    /// Its syncs fail.
    SyncFails,
}

/// Something a node has just done to its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Wrote a vote, not yet durable.
    Vote,
    /// Wrote entries, not yet durable.
    Append,
    /// A sync has just ended.
    Sync,
    /// A snapshot has just become durable.
    Snapshot,
    /// Has let go of the beginning of its log.
    Purge,
}

/// The disk of one machine. Clones share it; it outlives the machine's crashes.
#[derive(Clone)]
pub(crate) struct Disk {
    world: World,
    machine: MachineId,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    /// Counts crashes: who holds the disk of an earlier life holds nothing.
    life: u32,
    pace: Pace,
    trouble: Trouble,
    log: Log,
    /// The log's files, where it is one of segments.
    segments: Option<Segments>,
    files: BTreeMap<String, Bytes>,
    /// Removed since the folder was last synced; a crash may bring them back.
    removed: BTreeMap<String, Bytes>,
    games: BTreeMap<RoomId, Bytes>,
    complete: Option<LogIndex>,
    /// The deed that somebody waits for, and whether it was done.
    awaited: Option<Deed>,
    seen: bool,
    /// Writes that a crash took back.
    lost: u64,
}

impl Inner {
    /// How the log is kept.
    fn kind(&self) -> LogKind {
        if self.segments.is_some() { LogKind::Segments } else { LogKind::RaftLog }
    }
}

struct Log {
    /// As the node reads it.
    now: Content,
    /// As a crash would leave it, before what is pending.
    durable: Content,
    pending: VecDeque<Write>,
    /// Writes made durable ever; what is pending comes behind.
    synced: u64,
    waiting: Vec<Synced>,
    syncing: bool,
    failure: Option<(ErrorKind, String)>,
}

/// What a log holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) state: DeviceState,
    /// The entries behind the purged ones, without a hole.
    pub(super) entries: VecDeque<(Position, Bytes)>,
}

impl Content {
    /// Takes a write, or refuses it and changes nothing.
    pub(super) fn take(&mut self, write: &Write) -> io::Result<()> {
        let refuse = |why: &str| Err(io::Error::new(ErrorKind::InvalidInput, why.to_owned()));
        match write {
            Write::Vote(vote) if Some(*vote) < self.state.vote => {
                return refuse("a vote is never taken back");
            }
            Write::Vote(vote) => self.state.vote = Some(*vote),
            Write::Append(entries) => {
                // A new log may begin anywhere.
                let first = entries.first().map_or(LogIndex(0), |(at, _)| at.index);
                let next = self.state.last.map_or(first, |last| last.index.next());
                if entries.iter().zip(next.0..).any(|((at, _), index)| at.index != LogIndex(index))
                {
                    return refuse("a log has no holes");
                }
                self.entries.extend(entries.iter().cloned());
                self.state.last = entries.last().map(|(at, _)| *at).or(self.state.last);
            }
            Write::TruncateAfter(last) => {
                let keep = last.map_or(LogIndex(0), |last| last.index.next());
                while self.entries.back().is_some_and(|(at, _)| at.index >= keep) {
                    self.entries.pop_back();
                }
                let end = self.entries.back().map(|(at, _)| *at).or(self.state.purged);
                self.state.last = end.min(self.state.last);
            }
            Write::Purge(upto) => {
                while self.entries.front().is_some_and(|(at, _)| at.index <= upto.index) {
                    self.entries.pop_front();
                }
                if self.state.purged.is_none_or(|purged| purged.index < upto.index) {
                    self.state.purged = Some(*upto);
                }
                if self.state.last.is_none_or(|last| last.index < upto.index) {
                    self.state.last = Some(*upto);
                }
            }
            Write::Committed(at) => self.state.committed = Some(*at),
        }
        Ok(())
    }

    fn at(&self, index: LogIndex) -> Option<&(Position, Bytes)> {
        let first = self.entries.front()?.0.index;
        self.entries.get(usize::try_from(index.0.checked_sub(first.0)?).ok()?)
    }
}

/// What a disk held at some moment, put aside: as a machine's snapshot keeps it.
#[derive(Clone)]
pub(crate) struct Kept {
    log: Content,
    segments: Option<Arc<Segments>>,
    files: BTreeMap<String, Bytes>,
    games: BTreeMap<RoomId, Bytes>,
    complete: Option<LogIndex>,
}

/// What a log has promised: the term of its vote, and where it ends.
pub(crate) type Promised = (Term, Option<Position>);

impl Content {
    fn promised(&self) -> Promised {
        (self.state.vote.map_or(Term(0), |vote| vote.term), self.state.last)
    }
}

impl Kept {
    pub(crate) fn promised(&self) -> Promised {
        self.log.promised()
    }

    /// The number that the node that used it knew it by.
    pub(crate) fn number(&self) -> Option<StorageId> {
        number_in(&self.files)
    }
}

fn number_in(files: &BTreeMap<String, Bytes>) -> Option<StorageId> {
    let identity: serde_json::Value = serde_json::from_slice(files.get("identity.json")?).ok()?;
    identity["disk"].as_u64().map(StorageId)
}

/// What a write may become when the power fails while it is written.
fn torn(write: &Write, keep: usize) -> Option<Write> {
    match write {
        Write::Append(entries) if keep > 0 => Some(Write::Append(entries[..keep].to_vec())),
        _ => None,
    }
}

impl Log {
    /// The power fails while it is written to: a part of what was not synced survives. How
    /// many writes are lost.
    fn lose_power(&mut self, world: &World) -> u64 {
        let pending = self.pending.len() as u64;
        let kept = world.draw(0..pending + 1);
        for nth in 0..pending {
            let write = self.pending.pop_front().expect("counted");
            if nth < kept {
                self.durable.take(&write).expect("it was taken before");
            } else if nth == kept
                && let Write::Append(entries) = &write
                && let Some(part) = torn(&write, world.draw(0..entries.len() as u64) as usize)
            {
                self.durable.take(&part).expect("a part of what was taken before");
            }
        }
        pending - kept
    }

    /// The same, where this was found in the files; how many writes that takes back.
    fn becomes(&mut self, found: Content) -> u64 {
        let pending = std::mem::take(&mut self.pending);
        let before = std::mem::replace(&mut self.durable, found);
        segments::lost(before, pending, &self.durable)
    }
}

impl Disk {
    pub(crate) fn new(world: World, machine: MachineId, pace: Pace, kind: LogKind) -> Self {
        let log = Log {
            now: Content::default(),
            durable: Content::default(),
            pending: VecDeque::new(),
            synced: 0,
            waiting: Vec::new(),
            syncing: false,
            failure: None,
        };
        let inner = Inner {
            life: 0,
            pace,
            trouble: Trouble::None,
            log,
            segments: (kind == LogKind::Segments).then(Segments::default),
            files: BTreeMap::new(),
            removed: BTreeMap::new(),
            games: BTreeMap::new(),
            complete: None,
            awaited: None,
            seen: false,
            lost: 0,
        };
        Disk { world, machine, inner: Arc::new(Mutex::new(inner)) }
    }

    /// An empty disk in its place.
    pub(crate) fn renewed(&self) -> Self {
        let inner = self.lock();
        Disk::new(self.world.clone(), self.machine, inner.pace, inner.kind())
    }

    /// A copy for another machine: what a crash now would leave, without what is on its way.
    pub(crate) fn copied(&self, machine: MachineId) -> Self {
        let inner = self.lock();
        let copy = Disk::new(self.world.clone(), machine, inner.pace, inner.kind());
        {
            let mut theirs = copy.lock();
            theirs.log.durable = inner.log.durable.clone();
            theirs.log.now = inner.log.durable.clone();
            theirs.segments = inner.segments.as_ref().map(Segments::durable);
            theirs.files.clone_from(&inner.files);
            theirs.games.clone_from(&inner.games);
            theirs.complete = inner.complete;
        }
        copy
    }

    /// The number that the node that uses it knows it by; none if it is empty.
    pub(crate) fn number(&self) -> Option<StorageId> {
        number_in(&self.lock().files)
    }

    /// Puts aside what is durable now.
    pub(crate) fn keep(&self) -> Kept {
        let inner = self.lock();
        Kept {
            log: inner.log.durable.clone(),
            segments: inner.segments.as_ref().map(|segments| Arc::new(segments.durable())),
            files: inner.files.clone(),
            games: inner.games.clone(),
            complete: inner.complete,
        }
    }

    /// The same disk in its place, as it was when this was put aside.
    pub(crate) fn set_back(&self, kept: &Kept) -> Self {
        let disk = self.renewed();
        {
            let Kept { log, segments, files, games, complete } = kept.clone();
            let mut inner = disk.lock();
            // It may be put back more than once.
            inner.segments = segments.map(|segments| segments.durable());
            inner.log.now = log.clone();
            inner.log.durable = log;
            (inner.files, inner.games, inner.complete) = (files, games, complete);
        }
        disk
    }

    /// What its log has promised, as far as it is durable.
    pub(crate) fn promised(&self) -> Promised {
        self.lock().log.durable.promised()
    }

    /// The storage of a node that starts now.
    ///
    /// # Errors
    /// When the log is damaged.
    pub(crate) fn open(&self) -> io::Result<Storage> {
        let mut inner = self.lock();
        let life = inner.life;
        if let Some(segments) = &mut inner.segments {
            segments.open(self.machine, life)?;
        }
        let held = Arc::new(Held { disk: self.clone(), life });
        Ok(Storage { log: held.clone(), archive: held.clone(), files: held })
    }

    /// The machine has crashed: what was not synced is lost, from some point on.
    pub(crate) fn crash(&self) {
        let mut inner = self.lock();
        inner.life += 1;
        inner.awaited = None;
        let Inner { life, log, segments, .. } = &mut *inner;
        let lost = match segments {
            None => log.lose_power(&self.world),
            Some(files) => log.becomes(files.lose_power(&self.world, self.machine, *life)),
        };
        inner.lost += lost;
        inner.log.now = inner.log.durable.clone();
        inner.log.syncing = false;
        inner.log.failure = None;
        let removed = std::mem::take(&mut inner.removed);
        for (name, bytes) in removed {
            if self.world.happens(500_000) {
                inner.files.entry(name).or_insert(bytes);
            }
        }
        let waiting = std::mem::take(&mut inner.log.waiting);
        drop(inner);
        drop(waiting);
    }

    pub(crate) fn set_pace(&self, pace: Pace) {
        self.lock().pace = pace;
    }

    pub(crate) fn set_trouble(&self, trouble: Trouble) {
        self.lock().trouble = trouble;
    }

    /// From now on [`Disk::deed_done`] tells whether this was done.
    pub(crate) fn await_deed(&self, deed: Deed) {
        let mut inner = self.lock();
        inner.awaited = Some(deed);
        inner.seen = false;
    }

    /// Whether the awaited deed was done. Says so once.
    pub(crate) fn deed_done(&self) -> bool {
        let mut inner = self.lock();
        let seen = std::mem::take(&mut inner.seen);
        if seen {
            inner.awaited = None;
        }
        seen
    }

    /// Writes that crashes took back.
    pub(crate) fn lost(&self) -> u64 {
        self.lock().lost
    }

    /// The entry at `index`, durable or not.
    pub(crate) fn entry(&self, index: LogIndex) -> Option<(Position, Bytes)> {
        self.lock().log.now.at(index).cloned()
    }

    /// The entries from `index` on, durable or not.
    pub(crate) fn entries_from(&self, index: LogIndex) -> Vec<(Position, Bytes)> {
        let inner = self.lock();
        let entries = &inner.log.now.entries;
        let Some((first, _)) = entries.front() else { return Vec::new() };
        let skip = usize::try_from(index.since(first.index)).unwrap_or(usize::MAX);
        entries.iter().skip(skip).cloned().collect()
    }

    /// Whether its log holds nothing: no entry, and no vote.
    pub(crate) fn has_promised_nothing(&self) -> bool {
        let state = &self.lock().log.now.state;
        state.last.is_none() && state.vote.is_none()
    }

    /// The last entry, durable or not.
    pub(crate) fn last(&self) -> Option<Position> {
        self.lock().log.now.state.last
    }

    /// Whether a crash now could not take back the entry at this position: it is
    /// durable, or was purged, which nodes do behind a durable snapshot only.
    pub(crate) fn holds(&self, at: Position) -> bool {
        let durable = &self.lock().log.durable;
        durable.state.purged.is_some_and(|purged| purged.index >= at.index)
            || durable.at(at.index).is_some_and(|(there, _)| *there == at)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("nothing panics while a disk is held")
    }

    fn did(inner: &mut Inner, deed: Deed) {
        inner.seen |= inner.awaited == Some(deed);
    }

    fn sync_time(&self, pace: Pace) -> u64 {
        let stall = if self.world.happens(pace.stall_ppm) {
            self.world.draw(pace.stall.0..pace.stall.1)
        } else {
            0
        };
        self.world.draw(pace.sync.0..pace.sync.1) + stall
    }

    /// Starts one sync for all that wait; whoever comes meanwhile waits for the next.
    fn start_sync(&self, mut inner: MutexGuard<'_, Inner>) {
        inner.log.syncing = true;
        let waiting = std::mem::take(&mut inner.log.waiting);
        let upto = inner.log.synced + inner.log.pending.len() as u64;
        let (life, pace) = (inner.life, inner.pace);
        let begun = inner.segments.as_ref().map(|segments| segments.opened().begin_flush());
        let flush = match begun.transpose() {
            Ok(flush) => flush,
            Err(why) => return self.fail(inner, waiting, &why),
        };
        drop(inner);
        let disk = self.clone();
        self.world.after(self.sync_time(pace), move || disk.on_synced(life, upto, flush, waiting));
    }

    fn on_synced(&self, life: u32, upto: u64, flush: Option<Flush>, waiting: Vec<Synced>) {
        let mut inner = self.lock();
        if inner.life != life {
            return;
        }
        if inner.trouble == Trouble::SyncFails {
            let why = io::Error::other("a sync failed");
            return self.fail(inner, waiting, &why);
        }
        if let (Some(segments), Some(flush)) = (&inner.segments, flush)
            && let Err(why) = segments::end_flush(segments.opened(), flush)
        {
            return self.fail(inner, waiting, &why);
        }
        while inner.log.synced < upto {
            let write = inner.log.pending.pop_front().expect("it was written before the sync");
            inner.log.durable.take(&write).expect("it was taken before");
            inner.log.synced += 1;
        }
        Self::did(&mut inner, Deed::Sync);
        inner.log.syncing = false;
        if inner.log.waiting.is_empty() {
            drop(inner)
        } else {
            self.start_sync(inner)
        }
        for synced in waiting {
            synced(Ok(()));
        }
        self.world.stir(self.machine);
    }

    fn fail(&self, mut inner: MutexGuard<'_, Inner>, mut waiting: Vec<Synced>, why: &io::Error) {
        inner.log.syncing = false;
        inner.log.failure.get_or_insert_with(|| (why.kind(), format!("the log failed: {why}")));
        waiting.append(&mut inner.log.waiting);
        drop(inner);
        for synced in waiting {
            synced(Err(io::Error::new(why.kind(), why.to_string())));
        }
        self.world.stir(self.machine);
    }
}

/// The disk as one life of a machine holds it.
struct Held {
    disk: Disk,
    life: u32,
}

impl Held {
    /// The disk, unless the machine has crashed since.
    fn get(&self) -> io::Result<MutexGuard<'_, Inner>> {
        let inner = self.disk.lock();
        if inner.life == self.life { Ok(inner) } else { Err(io::Error::other("switched off")) }
    }

    /// The disk, if it takes something.
    fn for_writing(&self) -> io::Result<MutexGuard<'_, Inner>> {
        let inner = self.get()?;
        match inner.trouble {
            Trouble::Full => Err(ErrorKind::StorageFull.into()),
            Trouble::None | Trouble::SyncFails => Ok(inner),
        }
    }

    /// Waits as long as a sync takes, and fails when it does.
    async fn sync(&self) -> io::Result<()> {
        let pace = self.get()?.pace;
        tokio::time::sleep(Duration::from_nanos(self.disk.sync_time(pace))).await;
        match self.for_writing()?.trouble {
            Trouble::SyncFails => Err(io::Error::other("a sync failed")),
            Trouble::None | Trouble::Full => Ok(()),
        }
    }
}

impl LogDevice for Held {
    fn write(&self, write: Write) -> io::Result<()> {
        let mut inner = self.get()?;
        if let Some((kind, text)) = &inner.log.failure {
            return Err(io::Error::new(*kind, text.clone()));
        }
        if inner.trouble == Trouble::Full && matches!(write, Write::Vote(_) | Write::Append(_)) {
            let why = io::Error::from(ErrorKind::StorageFull);
            self.disk.fail(inner, Vec::new(), &why);
            return Err(why);
        }
        inner.log.now.take(&write)?;
        if let Some(segments) = &inner.segments {
            let log = segments.opened();
            log.write(write.clone()).expect("it makes sense, as the model says");
            assert_eq!(log.state(), inner.log.now.state, "behind {write:?}");
        }
        match write {
            Write::Vote(_) => Disk::did(&mut inner, Deed::Vote),
            Write::Append(_) => Disk::did(&mut inner, Deed::Append),
            Write::Purge(_) => Disk::did(&mut inner, Deed::Purge),
            Write::TruncateAfter(_) | Write::Committed(_) => {}
        }
        inner.log.pending.push_back(write);
        Ok(())
    }

    fn sync(&self, synced: Synced) {
        let mut inner = match self.get() {
            Ok(inner) => inner,
            Err(gone) => return synced(Err(gone)),
        };
        if let Some((kind, text)) = inner.log.failure.clone() {
            drop(inner);
            return synced(Err(io::Error::new(kind, text)));
        }
        inner.log.waiting.push(synced);
        if !inner.log.syncing {
            self.disk.start_sync(inner);
        }
    }

    fn read(
        &self,
        from: LogIndex,
        to: LogIndex,
        bytes_max: usize,
    ) -> io::Result<Vec<(Position, Bytes)>> {
        let inner = self.get()?;
        if let Some(segments) = &inner.segments {
            return segments.opened().read(from, to, bytes_max);
        }
        let mut entries = Vec::new();
        let mut bytes = 0;
        let log = &inner.log.now;
        if log.state.purged.is_some_and(|purged| purged.index >= from) {
            return Ok(entries);
        }
        let after = log.entries.iter().skip_while(|(at, _)| at.index < from);
        for (at, payload) in after.take_while(|(at, _)| at.index < to) {
            bytes += payload.len();
            if bytes > bytes_max && !entries.is_empty() {
                break;
            }
            entries.push((*at, payload.clone()));
        }
        Ok(entries)
    }

    fn state(&self) -> DeviceState {
        self.disk.lock().log.now.state
    }

    fn identity_format(&self) -> u32 {
        // As real logs have it.
        match self.disk.lock().kind() {
            LogKind::RaftLog => 1,
            LogKind::Segments => 2,
        }
    }
}

#[async_trait]
impl Archive for Held {
    async fn store(
        &self,
        games: Vec<(RoomId, Bytes)>,
        complete: Option<LogIndex>,
    ) -> io::Result<()> {
        Held::sync(self).await?;
        let mut inner = self.for_writing()?;
        inner.games.extend(games);
        inner.complete = complete.or(inner.complete);
        Ok(())
    }

    async fn get(&self, room: RoomId) -> io::Result<Option<Bytes>> {
        Ok(Held::get(self)?.games.get(&room).cloned())
    }

    async fn page(&self, before: Option<RoomId>, limit: usize) -> io::Result<Vec<(RoomId, Bytes)>> {
        let inner = Held::get(self)?;
        let games = inner.games.range(..before.unwrap_or(RoomId(u64::MAX))).rev().take(limit);
        Ok(games.map(|(room, game)| (*room, game.clone())).collect())
    }

    fn complete(&self) -> Option<LogIndex> {
        self.disk.lock().complete
    }
}

#[async_trait]
impl Files for Held {
    async fn list(&self) -> io::Result<Vec<String>> {
        Ok(Held::get(self)?.files.keys().cloned().collect())
    }

    async fn create(&self, name: &str) -> io::Result<Box<dyn FileWriter>> {
        drop(self.for_writing()?);
        let held = Held { disk: self.disk.clone(), life: self.life };
        Ok(Box::new(Draft { held, name: name.to_owned(), bytes: Vec::new() }))
    }

    async fn open(&self, name: &str) -> io::Result<Box<dyn FileReader>> {
        let bytes = Held::get(self)?.files.get(name).cloned();
        Ok(Box::new(Reading(bytes.ok_or(ErrorKind::NotFound)?)))
    }

    async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Held::sync(self).await?;
        let mut inner = self.for_writing()?;
        let bytes = inner.files.remove(from).ok_or(ErrorKind::NotFound)?;
        inner.files.insert(to.to_owned(), bytes);
        inner.removed.clear();
        Disk::did(&mut inner, Deed::Snapshot);
        Ok(())
    }

    async fn remove(&self, name: &str) -> io::Result<()> {
        let mut inner = Held::get(self)?;
        let bytes = inner.files.remove(name).ok_or(ErrorKind::NotFound)?;
        inner.removed.insert(name.to_owned(), bytes);
        Ok(())
    }
}

/// A file in the making.
struct Draft {
    held: Held,
    name: String,
    bytes: Vec<u8>,
}

#[async_trait]
impl FileWriter for Draft {
    async fn append(&mut self, bytes: Bytes) -> io::Result<()> {
        drop(self.held.for_writing()?);
        self.bytes.extend_from_slice(&bytes);
        Ok(())
    }

    async fn commit(self: Box<Self>) -> io::Result<()> {
        Held::sync(&self.held).await?;
        let mut inner = self.held.for_writing()?;
        inner.files.insert(self.name.clone(), self.bytes.into());
        inner.removed.clear();
        Disk::did(&mut inner, Deed::Snapshot);
        Ok(())
    }
}

struct Reading(Bytes);

#[async_trait]
impl FileReader for Reading {
    async fn read(&mut self, bytes_max: usize) -> io::Result<Bytes> {
        Ok(self.0.split_to(self.0.len().min(bytes_max)))
    }
}
