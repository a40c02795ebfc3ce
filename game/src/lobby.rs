//! The lobby: all rooms, and everything replicas must agree on.
//!
//! For each batch, [`Lobby::tick`] lets time pass and [`Lobby::apply`] takes
//! its entries one by one. Both depend on nothing but the lobby and what they
//! are given, so replicas that take the same log have the same bytes, and
//! [`Lobby::hash`] tells it at any time for free.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::answer::{Answer, Rejection, Reply};
use crate::archive::Finished;
use crate::attempts::{Attempts, Recalled};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::command::{Attempt, Command, Entry, Stamp};
use crate::digest::{self, Kind};
use crate::event::Event;
use crate::ids::{PlayerId, RoomId, Version};
use crate::openings::Openings;
use crate::presence::{Flips, Presence, Report};
use crate::room::{Room, State};
use crate::rooms::{Activity, Changed, Rooms};
use crate::rules::Board;
use crate::snapshot::Frozen;

/// Live rooms. Another one is refused with `busy`.
const ROOMS_MAX: usize = 200_000;

/// Rooms a player may sit in at once. Another one is refused, so that one
/// player coming online never changes more rooms than this.
const TABLES_MAX: usize = 16;

/// Rooms looked at in one tick. The rest waits for the next.
const DUE_ROOMS_MAX: usize = 64;

/// Players taken offline in one tick when leases end. The rest waits for the next.
const DUE_PLAYERS_MAX: usize = 1_024;

/// All rooms of one Raft group; the replicated state machine.
#[derive(Clone, Debug, Default)]
pub struct Lobby {
    pub(crate) clock: Clock,
    /// Rooms opened ever. The next one's number is one more.
    pub(crate) opened: u32,
    pub(crate) rooms: Rooms,
    pub(crate) attempts: Attempts,
    pub(crate) openings: Openings,
    pub(crate) presence: Presence,
}

/// What an entry led to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What the player hears.
    pub answer: Answer,
    /// What the watchers of rooms should hear.
    pub changes: Vec<Change>,
}

/// A room has a new version.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which room.
    pub room: RoomId,
    /// Its new version.
    pub version: Version,
    /// What happened.
    pub events: Vec<Event>,
    /// The room has left the lobby.
    pub closed: bool,
    /// The room as it left, when it has.
    pub last: Option<Arc<Room>>,
}

/// What the passing of time led to.
#[derive(Clone, Debug, Default)]
pub struct Passed {
    /// What the watchers of rooms should hear.
    pub changes: Vec<Change>,
    /// Rooms that left and are worth keeping, for the archive.
    pub finished: Vec<Finished>,
}

/// Which rooms to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this game; none for all.
    pub game: Option<String>,
    /// Only in this state; none for all.
    pub state: Option<State>,
}

impl Lobby {
    /// Lets time pass until `stamp`: rooms leave, leases end. Called once at
    /// the start of each batch, before its entries. Does a bounded amount of
    /// work and leaves the rest to the next call.
    pub fn tick(&mut self, stamp: Stamp) -> Passed {
        self.clock.advance(stamp);
        let now_ms = self.clock.now_ms();
        self.attempts.tick(now_ms);
        self.openings.tick(now_ms);
        let mut passed = Passed::default();
        self.close_rooms(now_ms, &mut passed);
        let flips = self.presence.tick(now_ms, DUE_PLAYERS_MAX);
        self.show_online(&flips, &mut passed.changes);
        passed
    }

    /// Applies the `nth` entry of a batch.
    ///
    /// This runs on every replica, so it has only one kind of failure: a
    /// [`Rejection`] that depends on nothing but the lobby and the entry. An
    /// entry that was answered before gets the same answer and changes nothing.
    pub fn apply(&mut self, stamp: Stamp, nth: u32, entry: &Entry) -> Outcome {
        self.clock.advance(stamp);
        let mut changes = Vec::new();
        let answer = match &entry.command {
            // Numbered by its own sequence.
            Command::Presence { .. } => self.perform(stamp, nth, entry, &mut changes),
            _ => self.attempt(stamp, nth, entry, &mut changes),
        };
        Outcome { answer, changes }
    }

    /// A number that is equal on replicas that hold the same, at no cost.
    pub fn hash(&self) -> u64 {
        self.hash_of([
            self.rooms.digest(),
            self.attempts.digest(),
            self.openings.digest(),
            self.presence.digest(),
        ])
    }

    /// The same number computed from everything there is. Slow; for checking.
    pub fn recompute_hash(&self) -> u64 {
        self.hash_of([
            self.rooms.recompute_digest(),
            self.attempts.recompute_digest(),
            self.openings.recompute_digest(),
            self.presence.recompute_digest(),
        ])
    }

    /// A live room.
    pub fn room(&self, id: RoomId) -> Option<&Arc<Room>> {
        self.rooms.get(id)
    }

    /// Live rooms from the newest on, at most `limit`, only those that come
    /// after the room `after` in that order.
    pub fn rooms(&self, filter: &Filter, after: Option<RoomId>, limit: usize) -> Vec<&Arc<Room>> {
        self.rooms.list(filter, after, limit)
    }

    /// How many live rooms there are.
    pub fn len(&self) -> usize {
        self.rooms.len()
    }

    /// Whether there are no live rooms.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The stamp from which on a tick will do something; none if it never
    /// will. Whoever leads sends an empty batch then, if nothing else comes.
    pub fn next_due(&self) -> Option<u64> {
        let due = [self.rooms.due_ms(), self.presence.due_ms(), self.attempts.due_ms()];
        due.into_iter().flatten().min().map(|due_ms| self.clock.stamp_for(due_ms))
    }

    /// The lobby as it is now, to make a snapshot of while play goes on.
    /// Cheap: shares everything with the lobby.
    pub fn freeze(&self) -> Frozen {
        Frozen::of(self)
    }

    fn attempt(
        &mut self,
        stamp: Stamp,
        nth: u32,
        entry: &Entry,
        changes: &mut Vec<Change>,
    ) -> Answer {
        let Entry { player, attempt: Attempt { serial, .. }, .. } = *entry;
        if player == PlayerId(0) || serial == 0 {
            return Err(Rejection::bad_request("players and serial numbers count from 1"));
        }
        match self.attempts.recall(player, entry.attempt) {
            Recalled::Answered(answer) => return answer,
            Recalled::Forgotten => return Err(Rejection::ForgottenAttempt { serial }),
            Recalled::New => {}
        }
        let answer = self.perform(stamp, nth, entry, changes);
        if answer != Err(Rejection::Busy) {
            self.attempts.remember(player, entry.attempt, &answer);
        }
        answer
    }

    fn perform(
        &mut self,
        stamp: Stamp,
        nth: u32,
        entry: &Entry,
        changes: &mut Vec<Change>,
    ) -> Answer {
        let player = entry.player;
        let mut chance = Chance::of(stamp.seed, nth);
        match &entry.command {
            Command::Open { game, options } => {
                self.open(player, game, options, &mut chance, changes)
            }
            Command::Sit { room, name } => self.sit(player, *room, name, changes),
            Command::Stand { room } => self.stand(player, *room, changes),
            Command::Play { room, mv } => {
                self.change(*room, changes, |room, events| room.play(player, mv, events))
            }
            Command::Again { room } => {
                self.change(*room, changes, |room, events| room.again(player, &mut chance, events))
            }
            Command::Say { room, name, text } => {
                self.change(*room, changes, |room, events| room.say(player, name, text, events))
            }
            Command::Presence { frontend, sequence, whole, arrived, departed } => {
                let (frontend, sequence, whole) = (*frontend, *sequence, *whole);
                self.hear(&Report { frontend, sequence, whole, arrived, departed }, changes)
            }
        }
    }

    fn open(
        &mut self,
        player: PlayerId,
        game: &str,
        options: &str,
        chance: &mut Chance,
        changes: &mut Vec<Change>,
    ) -> Answer {
        let number = self.opened.checked_add(1).ok_or(Rejection::Busy)?;
        if self.rooms.len() >= ROOMS_MAX {
            return Err(Rejection::Busy);
        }
        let board = Board::open(game, options, chance)?;
        if !self.openings.allows(player) {
            return Err(Rejection::too_fast("you have opened enough rooms for this minute"));
        }
        self.openings.count(player);
        self.opened = number;
        // Group 0 is the only one there is today.
        let room = Room::open(RoomId::new(0, number), board, self.clock.now_ms());
        let (id, version) = (room.id(), room.version());
        self.rooms.insert(room);
        let events = vec![Event::Opened];
        changes.push(Change { room: id, version, events, closed: false, last: None });
        Ok(Reply::Opened { room: id, version })
    }

    fn sit(
        &mut self,
        player: PlayerId,
        id: RoomId,
        name: &str,
        changes: &mut Vec<Change>,
    ) -> Answer {
        let seated = self.rooms.get(id).and_then(|room| room.seat_of(player)).is_some();
        if !seated && self.rooms.tables_of(player) >= TABLES_MAX {
            let text = format!("you sit in {TABLES_MAX} rooms already; leave one first");
            return Err(Rejection::illegal(text));
        }
        let Changed { value: seat, version, change } =
            self.rooms.sit(id, player, name, self.clock.now_ms())?;
        changes.extend(change);
        Ok(Reply::Seated { room: id, seat, version })
    }

    fn stand(&mut self, player: PlayerId, id: RoomId, changes: &mut Vec<Change>) -> Answer {
        let Changed { value: seat, version, change } =
            self.rooms.stand(id, player, self.clock.now_ms())?;
        changes.extend(change);
        Ok(Reply::Stood { room: id, seat, version })
    }

    fn change(
        &mut self,
        id: RoomId,
        changes: &mut Vec<Change>,
        act: impl FnOnce(&mut Room, &mut Vec<Event>) -> Result<(), Rejection>,
    ) -> Answer {
        let now_ms = self.clock.now_ms();
        let Changed { version, change, .. } = self.rooms.change(id, now_ms, Activity::Yes, act)?;
        changes.extend(change);
        Ok(Reply::Accepted { room: id, version })
    }

    fn hear(&mut self, report: &Report<'_>, changes: &mut Vec<Change>) -> Answer {
        let heard = self.presence.hear(report, self.clock.now_ms())?;
        self.show_online(&heard.flips, changes);
        Ok(Reply::Present { lease_lost: heard.lease_lost })
    }

    /// Shows at their tables who came and went: one change per room.
    fn show_online(&mut self, flips: &Flips, changes: &mut Vec<Change>) {
        let mut by_room: BTreeMap<RoomId, Vec<(PlayerId, bool)>> = BTreeMap::new();
        for (player, online) in flips {
            for room in self.rooms.tables(*player) {
                by_room.entry(room).or_default().push((*player, *online));
            }
        }
        let now_ms = self.clock.now_ms();
        for (room, flips) in by_room {
            let show = |room: &mut Room, events: &mut Vec<Event>| {
                for (player, online) in flips {
                    room.set_online(player, online, events);
                }
                Ok(())
            };
            let changed = self.rooms.change(room, now_ms, Activity::No, show);
            changes.extend(changed.ok().and_then(|changed| changed.change));
        }
    }

    fn close_rooms(&mut self, now_ms: u64, passed: &mut Passed) {
        for room in self.rooms.take_due(now_ms, DUE_ROOMS_MAX) {
            self.close(&room, passed);
        }
    }

    fn close(&self, room: &Room, passed: &mut Passed) {
        let room = Arc::new(Room::closed(room));
        if room.worth_keeping() {
            passed.finished.push(Finished::of(&room, self.clock.stamp_ms()));
        }
        passed.changes.push(Change {
            room: room.id(),
            version: room.version(),
            events: vec![Event::Closed],
            closed: true,
            last: Some(room),
        });
    }

    fn hash_of(&self, parts: [u64; 4]) -> u64 {
        parts.into_iter().fold(counters_digest(&self.clock, self.opened), u64::wrapping_add)
    }
}

/// The counters' part of the lobby's hash.
pub(crate) fn counters_digest(clock: &Clock, opened: u32) -> u64 {
    let counters = [clock.now_ms(), clock.stamp_ms(), u64::from(opened)];
    digest::of_numbers(Kind::Counters, counters)
}
