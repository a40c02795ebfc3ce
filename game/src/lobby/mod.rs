//! The lobby: all rooms, and everything replicas must agree on.
//!
//! For each batch, [`Lobby::tick`] lets its time pass and [`Lobby::apply`] takes
//! its entries one by one. Both depend on nothing but the lobby and what they
//! are given, so replicas that take the same log have the same bytes, and
//! [`Lobby::hash`] tells it at any time for free.

mod look;
mod matching;
mod outcome;
mod settle;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::answer::{Answer, Rejection, Reply};
use crate::archive::Finished;
use crate::attempts::{Attempts, Recalled};
use crate::chance::Chance;
use crate::clock::{Clock, Now};
use crate::command::{Attempt, Command, Edition, Entry, Place, Stamp};
use crate::digest::{self, Kind};
use crate::event::Event;
use crate::notices::Notices;
use crate::numbers::Numbers;
use crate::offers::Offers;
use crate::openings::Openings;
use crate::presence::{Flips, LEASE_MS, Presence, Report, everywhere, room_of};
use crate::ratings::Ratings;
use crate::room::seats::Sitting;
use crate::room::{Room, Step};
use crate::rooms::{Activity, Change, Changed, Filter, Looked, Rooms};
use crate::rules::Board;
use crate::terms::Terms;
use hangraft_ids::{PlayerId, RoomId, Serial};
use outcome::Act;
pub use outcome::{Applied, Passed};

/// Live rooms. Another one takes the place of the room in which nobody has been for the
/// longest time; when somebody is in all of them, it is refused with `busy`.
const ROOMS_MAX: usize = 200_000;

/// Rooms a player may sit in at once. Another one is refused, so that one
/// player coming online never changes more rooms than this.
const TABLES_MAX: usize = 16;

/// Rooms looked at in one tick. The rest waits for the next.
const DUE_ROOMS_MAX: usize = 64;

/// The same since there are matches: many clocks may run out at one moment.
const DUE_CLOCKS_MAX: usize = 256;

/// Bytes of what a name looks like. A longer one is refused; ours are far below.
const LIKENESS_BYTES_MAX: usize = 512;

/// Places players are taken from in one tick when leases end. The rest waits for the
/// next.
const DUE_PLACES_MAX: usize = 1_024;

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
    pub(crate) notices: Notices,
    pub(crate) offers: Offers,
    pub(crate) ratings: Ratings,
    pub(crate) numbers: Numbers,
}

impl Lobby {
    /// Lets the time of a batch pass: rooms leave, seats become free, rounds that were
    /// agreed upon begin, leases end. Called once at
    /// the start of each batch, before its entries. Does a bounded amount of
    /// work and leaves the rest to the next call.
    pub fn tick(&mut self, stamp: Stamp) -> Passed {
        self.clock.advance(stamp);
        let now = self.clock.now(stamp);
        self.attempts.tick(now.ms);
        if now.edition >= Edition::Third {
            self.numbers.tick(now.ms, stamp.at_ms);
        }
        self.openings.tick(now.ms);
        let mut passed = Passed::default();
        self.look_at_rooms(now, stamp.seed, &mut passed);
        let flips = self.presence.tick(now.ms, DUE_PLACES_MAX);
        self.show_online(&flips, now, stamp.seed, &mut passed.changes);
        self.note_online(&flips, true, now, &mut passed);
        self.look_at_offers(now, stamp.seed, &mut passed);
        self.settle(now, &mut passed);
        passed
    }

    /// Applies the `nth` entry of a batch.
    ///
    /// This runs on every replica, so it has only one kind of failure: a
    /// [`Rejection`] that depends on nothing but the lobby and the entry. An
    /// entry that was answered before gets the same answer and changes nothing.
    pub fn apply(&mut self, stamp: Stamp, nth: u32, entry: &Entry) -> Applied {
        let mut led_to = Passed::default();
        let answer = match &entry.command {
            // Numbered by its own sequence.
            Command::Presence { .. } | Command::Here { .. } => {
                self.perform(stamp, nth, entry, &mut led_to)
            }
            _ => self.attempt(stamp, nth, entry, &mut led_to),
        };
        self.settle(self.clock.now(stamp), &mut led_to);
        let Passed { changes, finished, told } = led_to;
        Applied { answer, changes, finished, told }
    }

    /// A number that is equal on replicas that hold the same, at no cost.
    pub fn hash(&self) -> u64 {
        self.hash_of([
            self.rooms.digest(),
            self.attempts.digest(),
            self.openings.digest(),
            self.presence.digest(),
            self.notices.digest(),
            self.offers.digest(),
            self.ratings.digest(),
            self.numbers.digest(),
        ])
    }

    /// The same number computed from everything there is. Slow; for checking.
    pub fn recompute_hash(&self) -> u64 {
        self.hash_of([
            self.rooms.recompute_digest(),
            self.attempts.recompute_digest(),
            self.openings.recompute_digest(),
            self.presence.recompute_digest(),
            self.notices.recompute_digest(),
            self.offers.recompute_digest(),
            self.ratings.recompute_digest(),
            self.numbers.recompute_digest(),
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

    /// How many milliseconds after the newest batch another will do something, or bring
    /// the lobby nearer to it; none if it never will. Whoever leads sends an empty batch
    /// then, if nothing else comes. 0 if the newest one has left something to do.
    pub fn due_in_ms(&self) -> Option<u64> {
        self.due_ms().map(|due_ms| self.clock.until_ms(due_ms))
    }

    /// The lobby time at which something is due by itself; none if nothing ever will be.
    pub fn due_ms(&self) -> Option<u64> {
        let due = [
            self.rooms.due_ms(),
            self.presence.due_ms(),
            self.attempts.due_ms(),
            self.offers.due_ms(),
        ];
        due.into_iter().flatten().min()
    }

    /// The lobby's time, in milliseconds since its first batch.
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    fn attempt(&mut self, stamp: Stamp, nth: u32, entry: &Entry, led_to: &mut Passed) -> Answer {
        let Entry { player, attempt: Attempt { serial, .. }, .. } = *entry;
        if player == PlayerId(0) || serial == Serial(0) {
            return Err(Rejection::bad_request("players and serial numbers count from 1"));
        }
        match self.attempts.recall(player, entry.attempt) {
            Recalled::Answered(answer) => return answer,
            Recalled::Forgotten => return Err(Rejection::ForgottenAttempt { serial }),
            Recalled::New => {}
        }
        let answer = self.perform(stamp, nth, entry, led_to);
        if answer != Err(Rejection::Busy) {
            self.attempts.remember(player, entry.attempt, &answer);
        }
        answer
    }

    fn perform(&mut self, stamp: Stamp, nth: u32, entry: &Entry, led_to: &mut Passed) -> Answer {
        let (player, now) = (entry.player, self.clock.now(stamp));
        let mut chance = Chance::of(stamp.seed, nth);
        let changes = &mut led_to.changes;
        match &entry.command {
            Command::Open { game, options } => {
                self.open(player, (game, options), None, now, &mut chance, led_to)
            }
            Command::Host { game, options, public } => {
                let terms = Terms::new(player, *public, now.ms);
                self.open(player, (game, options), Some(terms), now, &mut chance, led_to)
            }
            Command::Sit { room, name } => {
                self.sit(player, *room, (name, name), now, &mut chance, changes)
            }
            Command::Join { room, name, likeness } => {
                self.sit(player, *room, (name, likeness), now, &mut chance, changes)
            }
            Command::Stand { room } => self.stand(player, *room, now, &mut chance, changes),
            Command::Remove { room, player: whom } => {
                self.remove(player, *room, *whom, now, &mut chance, changes)
            }
            Command::Presence { frontend, sequence, whole, arrived, departed } => {
                let (frontend, sequence, whole) = (*frontend, *sequence, *whole);
                let places = |players: &[PlayerId]| -> Vec<Place> {
                    players.iter().copied().map(everywhere).collect()
                };
                let (came, went) = (&places(arrived), &places(departed));
                let report = Report { frontend, sequence, whole, came, went, by_room: false };
                self.hear(&report, now, stamp.seed, led_to)
            }
            Command::Here { frontend, sequence, whole, came, went } => {
                let (frontend, sequence, whole) = (*frontend, *sequence, *whole);
                if came.iter().chain(went).any(|place| room_of(*place).is_none()) {
                    return Err(Rejection::bad_request("rooms are numbered from 1"));
                }
                let report = Report { frontend, sequence, whole, came, went, by_room: true };
                self.hear(&report, now, stamp.seed, led_to)
            }
            Command::Seek { .. }
            | Command::Challenge { .. }
            | Command::Accept { .. }
            | Command::Decline { .. }
            | Command::Withdraw { .. } => {
                let act = &mut Act { now, chance: &mut chance, led_to };
                self.arrange(player, &entry.command, act)
            }
            // What changes nothing beside one room is the room's own affair.
            asked => {
                let act = |room: &mut Room, step: &mut Step<'_>| room.take(player, asked, step);
                self.change(asked.room(), now, &mut chance, changes, act)
            }
        }
    }

    fn open(
        &mut self,
        player: PlayerId,
        (game, options): (&str, &str),
        terms: Option<Terms>,
        now: Now,
        chance: &mut Chance,
        led_to: &mut Passed,
    ) -> Answer {
        let number = self.opened.checked_add(1).ok_or(Rejection::Busy)?;
        let full = self.rooms.len() >= ROOMS_MAX;
        if full && !(now.edition >= Edition::Second && self.rooms.has_deserted()) {
            return Err(Rejection::Busy);
        }
        let board = Board::open(game, options, chance)?;
        if !self.openings.allows(player) {
            return Err(Rejection::too_fast("you have opened enough rooms for this minute"));
        }
        if full && let Some(room) = self.rooms.take_deserted() {
            self.close(&room, led_to);
        }
        self.openings.count(player);
        self.opened = number;
        // Group 0 is the only one there is today.
        let room = Room::open(RoomId::new(0, number), board, terms, now.ms);
        let (id, version) = (room.id(), room.version());
        self.rooms.insert(room);
        let events = vec![Event::Opened];
        led_to.changes.push(Change { room: id, version, events, closed: false, last: None });
        Ok(Reply::Opened { room: id, version })
    }

    fn sit(
        &mut self,
        player: PlayerId,
        id: RoomId,
        (name, likeness): (&str, &str),
        now: Now,
        chance: &mut Chance,
        changes: &mut Vec<Change>,
    ) -> Answer {
        if likeness.len() > LIKENESS_BYTES_MAX {
            return Err(Rejection::too_large("a name looks like too much"));
        }
        let seated = self.rooms.get(id).and_then(|room| room.seat_of(player)).is_some();
        if !seated && self.rooms.tables_of(player) >= TABLES_MAX {
            let text = format!("you sit in {TABLES_MAX} rooms already; leave one first");
            return Err(Rejection::illegal(text));
        }
        let here = self.presence.is_here(player, id);
        let sitting = Sitting { player, name, likeness, here };
        let Changed { value: seat, version, change } = self.rooms.sit(id, sitting, now, chance)?;
        if now.edition >= Edition::Second && !here {
            self.rooms.look_at_by(id, now.ms.saturating_add(LEASE_MS));
        }
        changes.extend(change);
        Ok(Reply::Seated { room: id, seat, version })
    }

    fn stand(
        &mut self,
        player: PlayerId,
        id: RoomId,
        now: Now,
        chance: &mut Chance,
        changes: &mut Vec<Change>,
    ) -> Answer {
        let Changed { value: seat, version, change } = self.rooms.stand(id, player, now, chance)?;
        changes.extend(change);
        Ok(Reply::Stood { room: id, seat, version })
    }

    fn remove(
        &mut self,
        host: PlayerId,
        id: RoomId,
        player: PlayerId,
        now: Now,
        chance: &mut Chance,
        changes: &mut Vec<Change>,
    ) -> Answer {
        let Changed { version, change, .. } = self.rooms.remove(id, host, player, now, chance)?;
        changes.extend(change);
        Ok(Reply::Accepted { room: id, version })
    }

    fn change(
        &mut self,
        id: RoomId,
        now: Now,
        chance: &mut Chance,
        changes: &mut Vec<Change>,
        act: impl FnOnce(&mut Room, &mut Step<'_>) -> Result<(), Rejection>,
    ) -> Answer {
        let Changed { version, change, .. } =
            self.rooms.change(id, now, chance, Activity::Yes, act)?;
        changes.extend(change);
        Ok(Reply::Accepted { room: id, version })
    }

    fn hear(&mut self, report: &Report<'_>, now: Now, seed: u64, led_to: &mut Passed) -> Answer {
        let heard = self.presence.hear(report, now.ms)?;
        self.show_online(&heard.flips, now, seed, &mut led_to.changes);
        self.note_online(&heard.flips, false, now, led_to);
        Ok(Reply::Present { lease_lost: heard.lease_lost })
    }

    /// Shows at their tables who came and went: one change per room.
    fn show_online(&mut self, flips: &Flips, now: Now, seed: u64, changes: &mut Vec<Change>) {
        let mut by_room: BTreeMap<RoomId, BTreeSet<PlayerId>> = BTreeMap::new();
        for place in flips.keys() {
            // Only where they sit: that they look on is nobody else's business.
            let (player, there) = (place.0, room_of(*place));
            let tables = self.rooms.tables(player);
            for room in tables.filter(|room| there.is_none_or(|there| there == *room)) {
                by_room.entry(room).or_default().insert(player);
            }
        }
        for (room, players) in by_room {
            self.show_online_in(room, players, now, seed, changes);
        }
    }

    fn show_online_in(
        &mut self,
        id: RoomId,
        players: BTreeSet<PlayerId>,
        now: Now,
        seed: u64,
        changes: &mut Vec<Change>,
    ) {
        let mut chance = Chance::of_room(seed, id);
        let presence = &self.presence;
        let show = |room: &mut Room, step: &mut Step<'_>| {
            for player in players {
                room.set_online(player, presence.is_here(player, id), step);
            }
            Ok(())
        };
        let changed = self.rooms.change(id, now, &mut chance, Activity::No, show);
        changes.extend(changed.ok().and_then(|changed| changed.change));
    }

    fn look_at_rooms(&mut self, now: Now, seed: u64, passed: &mut Passed) {
        let looks_max = if now.edition < Edition::Third { DUE_ROOMS_MAX } else { DUE_CLOCKS_MAX };
        for id in self.rooms.due(now.ms, looks_max) {
            if now.edition >= Edition::Second {
                self.unmask(id, now, seed, &mut passed.changes);
            }
            match self.rooms.look(id, now, seed) {
                Some(Looked::Left(room)) => self.close(&room, passed),
                Some(Looked::Changed(change)) => passed.changes.push(change),
                None => {}
            }
        }
    }

    /// Shows as away whom no frontend has. Sitting down counts as being there, but who
    /// hangs up before any frontend has told of them would stay for good. Where there
    /// are terms, those see to it.
    fn unmask(&mut self, id: RoomId, now: Now, seed: u64, changes: &mut Vec<Change>) {
        let room = self.rooms.get(id).filter(|room| room.terms().is_none());
        let Some(room) = room else { return };
        let away: BTreeSet<PlayerId> =
            room.attending().filter(|player| !self.presence.is_here(*player, id)).collect();
        if !away.is_empty() {
            self.show_online_in(id, away, now, seed, changes);
        }
    }

    fn close(&self, room: &Room, passed: &mut Passed) {
        let room = Arc::new(Room::closed(room, self.clock.now_ms()));
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

    fn hash_of(&self, parts: [u64; 8]) -> u64 {
        parts.into_iter().fold(counters_digest(&self.clock, self.opened), u64::wrapping_add)
    }
}

/// The counters' part of the lobby's hash.
pub(crate) fn counters_digest(clock: &Clock, opened: u32) -> u64 {
    let counters = [clock.now_ms(), clock.stamp_ms(), u64::from(opened)];
    digest::of_numbers(Kind::Counters, counters)
}
