//! The truth: the log that nodes called committed, applied to a lobby of the
//! judge's own.

use crate::history::{Action, Wish};
use bytes::Bytes;
use hangraft_game::{
    Answer, Attempt, Batch, Change, Command, Entry, Event, Lobby, Notice, NoticeNumber, OfferId,
    PlayerId, Room, RoomId, Stamp, Version,
};
use hangraft_ids::{Lane, LogIndex, Serial};
use hangraft_node::raft::{Electorate, electorate_of};
use hangraft_node::storage::log::Position;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A player's attempt: who, in which lane, with which serial.
type Attempted = (PlayerId, Lane, Serial);

/// What is committed, and all that follows from it.
#[derive(Default)]
pub(crate) struct Truth {
    /// The committed entries, from index 0 on.
    entries: Vec<(Position, Bytes)>,
    /// Those of them that say who belongs to the cluster, by their index.
    electorates: Vec<(LogIndex, Electorate)>,
    lobby: Lobby,
    /// A batch was written when every member knew what a match is. From then on everything counts.
    knows_matches: bool,
    /// Lobby time behind the first batch whose leader measured how much passes.
    measured_from_ms: Option<u64>,
    /// The lobby's hash behind each entry.
    hashes: Vec<u64>,
    /// Every version of every room, and whether it was the room's last.
    rooms: BTreeMap<(RoomId, Version), (Arc<Room>, bool)>,
    /// The first time an attempt was applied: where, and what was answered.
    attempts: BTreeMap<Attempted, (Position, Answer)>,
    /// Attempts that came again and had another effect.
    twice: Vec<Attempted>,
    /// Which attempt made a version of a room; none for what no player did.
    makers: BTreeMap<(RoomId, Version), Option<Attempted>>,
    /// Every line that was said, in the order it was said in.
    said: BTreeMap<RoomId, Vec<String>>,
    /// Rooms whose hosts have removed somebody.
    stern: BTreeSet<RoomId>,
    /// Rooms of matches.
    contests: BTreeSet<RoomId>,
    /// All that players were ever told.
    notices: BTreeMap<(PlayerId, NoticeNumber), Notice>,
    /// What nobody has taken yet.
    happened: Vec<Happened>,
}

/// Something that the log has led to, for the promises about matches: in the order of the log,
/// and what an entry has changed before what was told because of it.
pub(crate) enum Happened {
    /// A move was accepted that counts.
    Played,
    /// The room of a match has a new version.
    Version {
        room: Arc<Room>,
        /// It was opened.
        first: bool,
        /// As everybody may see it.
        view: Value,
        events: Vec<Event>,
        /// Time has passed, and nobody did anything.
        by_time: bool,
        /// The entry of the log.
        at: Position,
    },
    /// A player was told something.
    Told { player: PlayerId, notice: Notice },
    /// All that was in an entry of the log has happened.
    BatchEnds { at: Position, now_ms: u64 },
}

/// How the log marks an entry with a batch: see `encode_payload` in the node.
const FORMAT: u8 = 2;
const NORMAL: u8 = 1;

impl Truth {
    /// The place behind the last entry that is committed.
    pub(crate) fn len(&self) -> LogIndex {
        LogIndex(self.entries.len() as u64)
    }

    pub(crate) fn entry(&self, index: LogIndex) -> Option<&(Position, Bytes)> {
        self.entries.get(usize::try_from(index.0).ok()?)
    }

    /// The lobby's hash behind the entry at `index`.
    pub(crate) fn hash(&self, index: LogIndex) -> Option<u64> {
        self.hashes.get(usize::try_from(index.0).ok()?).copied()
    }

    /// How much time has passed in the lobby since leaders measure it.
    pub(crate) fn measured_ms(&self) -> Option<u64> {
        self.measured_from_ms.map(|from_ms| self.lobby.now_ms() - from_ms)
    }

    /// Whether the host of a room has removed somebody from it.
    pub(crate) fn is_stern(&self, room: RoomId) -> bool {
        self.stern.contains(&room)
    }

    /// A room as it was at a version.
    pub(crate) fn room(&self, room: RoomId, version: Version) -> Option<&Room> {
        self.rooms.get(&(room, version)).map(|(room, _)| &**room)
    }

    /// A room as it is now, or as it left.
    pub(crate) fn newest(&self, room: RoomId) -> Option<&Room> {
        self.versions(room).next_back().map(|(room, _)| &**room)
    }

    /// Whether a room has left the lobby.
    pub(crate) fn has_left(&self, room: RoomId) -> bool {
        self.versions(room).next_back().is_none_or(|(_, last)| *last)
    }

    /// Whether the gallery was ever shown a word in a room.
    pub(crate) fn was_shown(&self, room: RoomId, word: &str) -> bool {
        self.versions(room).any(|(room, _)| room.view(None).contains(word))
    }

    /// All versions of a room, oldest first, and whether each was the last.
    fn versions(&self, room: RoomId) -> impl DoubleEndedIterator<Item = &(Arc<Room>, bool)> {
        let all = (room, Version(0))..=(room, Version(u64::MAX));
        self.rooms.range(all).map(|(_, version)| version)
    }

    /// Where an attempt was applied first, and what was answered.
    pub(crate) fn attempt(&self, wish: &Wish) -> Option<&(Position, Answer)> {
        // Players count for themselves, in lane 0.
        self.attempts.get(&(wish.player, Lane::OWN, wish.serial))
    }

    /// Which attempt made a version of a room.
    pub(crate) fn maker(&self, room: RoomId, version: Version) -> Option<Attempted> {
        self.makers.get(&(room, version)).copied().flatten()
    }

    /// An attempt that came again and had another effect.
    pub(crate) fn made_twice(&self) -> Option<Attempted> {
        self.twice.first().copied()
    }

    /// What was said in a room.
    pub(crate) fn said(&self, room: RoomId) -> &[String] {
        self.said.get(&room).map_or(&[], Vec::as_slice)
    }

    /// How many rooms a player has opened.
    pub(crate) fn opened_by(&self, player: PlayerId) -> usize {
        let made = self.makers.iter().filter(|((_, version), maker)| {
            *version == Version(1) && maker.is_some_and(|(who, ..)| who == player)
        });
        made.count()
    }

    /// Who belonged to the cluster, again and again, by the index of the entry that said so.
    pub(crate) fn electorates(&self) -> &[(LogIndex, Electorate)] {
        &self.electorates
    }

    /// Who belongs to the cluster; nobody before it has begun.
    pub(crate) fn electorate(&self) -> Option<&Electorate> {
        self.electorates.last().map(|(_, electorate)| electorate)
    }

    /// The next entry is committed.
    pub(crate) fn commit(&mut self, at: Position, payload: Bytes) -> Result<(), String> {
        assert_eq!(at.index, self.len(), "entries are committed in order");
        if payload.first() != Some(&FORMAT) {
            return Err(format!("the entry at {} has another format", at.index));
        }
        if payload.get(1) == Some(&NORMAL) {
            let batch = Batch::decode(&payload[2..]).map_err(|err| err.to_string())?;
            self.apply(at, &batch);
        }
        self.electorates.extend(electorate_of(&payload).map(|electorate| (at.index, electorate)));
        self.entries.push((at, payload));
        self.hashes.push(self.lobby.hash());
        Ok(())
    }

    fn apply(&mut self, at: Position, batch: &Batch) {
        let passed = self.lobby.tick(batch.stamp);
        if batch.stamp.passed_ms.is_some() {
            self.measured_from_ms.get_or_insert(self.lobby.now_ms());
        }
        self.knows_matches |= batch.stamp.matches;
        for change in passed.changes {
            self.note(change, None, at, true);
        }
        self.tell(&passed.told);
        for (nth, entry) in batch.entries.iter().enumerate() {
            self.take(at, batch.stamp, nth as u32, entry);
        }
        self.happened.push(Happened::BatchEnds { at, now_ms: self.lobby.now_ms() });
    }

    fn take(&mut self, at: Position, stamp: Stamp, nth: u32, entry: &Entry) {
        let outcome = self.lobby.apply(stamp, nth, entry);
        let Attempt { lane, serial } = entry.attempt;
        let attempt = (entry.player, lane, serial);
        let counted = !matches!(entry.command, Command::Presence { .. } | Command::Here { .. });
        let again = counted && self.attempts.contains_key(&attempt);
        let changed = !outcome.changes.is_empty();
        if again && (changed || !outcome.told.is_empty()) {
            self.twice.push(attempt);
        }
        if counted {
            self.attempts.entry(attempt).or_insert((at, outcome.answer.clone()));
        }
        match &entry.command {
            Command::Say { room, text, .. } if changed => {
                self.said.entry(*room).or_default().push(text.clone());
            }
            Command::Remove { room, .. } if changed => _ = self.stern.insert(*room),
            Command::Play { .. } if !again && outcome.answer.is_ok() && self.knows_matches => {
                self.happened.push(Happened::Played);
            }
            _ => {}
        }
        for change in outcome.changes {
            self.note(change, counted.then_some(attempt), at, false);
        }
        self.tell(&outcome.told);
    }

    fn note(&mut self, change: Change, maker: Option<Attempted>, at: Position, by_time: bool) {
        let key = (change.room, change.version);
        let room = change.last.clone().or_else(|| self.lobby.room(change.room).cloned());
        if let Some(room) = room {
            self.note_match(&room, change.events, at, by_time);
            self.rooms.insert(key, (room, change.closed));
        }
        self.makers.insert(key, maker);
    }

    fn note_match(&mut self, room: &Arc<Room>, events: Vec<Event>, at: Position, by_time: bool) {
        let first = events.contains(&Event::Opened);
        if !first && !self.contests.contains(&room.id()) {
            return;
        }
        let view: Value = serde_json::from_str(&room.view(None)).expect("views are JSON");
        if view["match"].is_null() {
            return;
        }
        self.contests.insert(room.id());
        let room = room.clone();
        self.happened.push(Happened::Version { room, first, view, events, by_time, at });
    }

    fn tell(&mut self, told: &[PlayerId]) {
        for player in told.iter().copied() {
            let known = self.newest_notice(player).unwrap_or_default();
            for (number, notice) in self.lobby.notices_after(player, Some(known)).notices {
                self.notices.insert((player, number), notice.clone());
                self.happened.push(Happened::Told { player, notice });
            }
        }
    }

    /// What has happened since this was asked last.
    pub(crate) fn take_happened(&mut self) -> Vec<Happened> {
        std::mem::take(&mut self.happened)
    }

    /// What a player was told under a number.
    pub(crate) fn notice(&self, player: PlayerId, number: NoticeNumber) -> Option<&Notice> {
        self.notices.get(&(player, number))
    }

    /// The number that comes after this one.
    pub(crate) fn notice_after(
        &self,
        player: PlayerId,
        number: NoticeNumber,
    ) -> Option<NoticeNumber> {
        let later = (player, number.next())..=(player, NoticeNumber(u64::MAX));
        self.notices.range(later).next().map(|((_, number), _)| *number)
    }

    /// The number of the newest that a player was told.
    pub(crate) fn newest_notice(&self, player: PlayerId) -> Option<NoticeNumber> {
        let all = (player, NoticeNumber(0))..=(player, NoticeNumber(u64::MAX));
        self.notices.range(all).next_back().map(|((_, number), _)| *number)
    }

    /// The number of the oldest that a player's mailbox still has.
    pub(crate) fn oldest_kept(&self, player: PlayerId) -> Option<NoticeNumber> {
        let all = self.lobby.notices_after(player, Some(NoticeNumber(0))).notices;
        all.first().map(|(number, _)| *number)
    }

    /// Whether every member was known to know what a match is.
    pub(crate) fn knows_matches(&self) -> bool {
        self.knows_matches
    }

    /// Whether an offer stands.
    pub(crate) fn stands(&self, offer: OfferId) -> bool {
        self.lobby.offer(offer).is_some()
    }

    /// The numbers that everybody is shown, as a JSON object.
    pub(crate) fn numbers(&self) -> String {
        self.lobby.live_json()
    }
}

/// The room that a wish was about, with the one it opened.
pub(crate) fn room_of(action: &Action, answer: &Answer) -> Option<RoomId> {
    action.room().or_else(|| answer.as_ref().ok().and_then(|reply| reply.room()))
}
