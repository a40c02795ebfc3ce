//! All rooms, and the lists by which they are found.
//!
//! Rooms change only in here, which keeps everything that depends on a room in
//! step with it: its version, the hash, the list of its state, the time it is
//! due to leave, whether anybody is there, and where its players sit. The lists are not stored; they
//! follow from the rooms.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use imbl::OrdMap;

use crate::answer::Rejection;
use crate::chance::Chance;
use crate::clock::Now;
use crate::command::Edition;
use crate::contest::{Contest, is_bot};
use crate::event::Event;
use crate::outbox::Outbox;
use crate::room::seats::{Sat, Sitting};
use crate::room::{Room, Step};
use crate::rules::{Board, State};
use crate::terms::Terms;
use hangraft_ids::{PlayerId, RoomId, Seat, Version};

/// Every live room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rooms {
    rooms: OrdMap<RoomId, Arc<Room>>,
    /// Sum of the rooms' digests.
    sum: u64,
    by_state: [BTreeSet<RoomId>; State::ALL.len()],
    /// Those of them that strangers may find.
    public: BTreeSet<RoomId>,
    public_by_state: [BTreeSet<RoomId>; State::ALL.len()],
    /// Those of them where a stranger would find company and a seat.
    open: BTreeSet<RoomId>,
    /// Each room once, at the time to look at it.
    due: BTreeSet<(u64, RoomId)>,
    /// Rooms in which nobody is, at the time since when.
    deserted: BTreeSet<(u64, RoomId)>,
    /// Where each player sits; who sits nowhere is not in it.
    tables: BTreeMap<PlayerId, BTreeSet<RoomId>>,
    /// What is to be done about changes beside the rooms. Not stored: it is empty between
    /// entries.
    outbox: Outbox,
    scratch: Vec<u8>,
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

/// Which rooms to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this game; none for all.
    pub game: Option<String>,
    /// Only in this state; none for all.
    pub state: Option<State>,
    /// From which shelf.
    pub shelf: Shelf,
}

/// Which rooms are to be found at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shelf {
    /// Every room; for operators.
    All,
    /// Rooms that strangers may find.
    #[default]
    Public,
    /// Those of them where a stranger finds company and a seat; see [`Room::is_open`].
    Open,
}

/// Whether a change counts as something happening in the room.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activity {
    /// Somebody did something: the room stays longer.
    Yes,
    /// Somebody came or went by themselves.
    No,
}

/// What came of looking at a room whose time had come.
pub(crate) enum Looked {
    /// It has left.
    Left(Arc<Room>),
    /// Something was due there.
    Changed(Change),
}

/// What an accepted change made.
pub(crate) struct Changed<T> {
    pub(crate) value: T,
    pub(crate) version: Version,
    /// None if there was nothing to change.
    pub(crate) change: Option<Change>,
}

impl Rooms {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.rooms.len()
    }

    /// How many there are that stand so.
    pub(crate) fn count_in(&self, state: State) -> usize {
        self.by_state[place(state)].len()
    }

    pub(crate) fn get(&self, id: RoomId) -> Option<&Arc<Room>> {
        self.rooms.get(&id)
    }

    /// How many tables a player sits at.
    pub(crate) fn tables_of(&self, player: PlayerId) -> usize {
        self.tables.get(&player).map_or(0, BTreeSet::len)
    }

    /// Where a player sits.
    pub(crate) fn tables(&self, player: PlayerId) -> impl Iterator<Item = RoomId> + '_ {
        self.tables.get(&player).into_iter().flatten().copied()
    }

    /// The rooms of matches where a player still sits, although the round is over.
    pub(crate) fn finished_contests_of(&self, player: PlayerId) -> Vec<RoomId> {
        let finished = |id: &RoomId| self.get(*id).is_some_and(|room| room.is_finished_contest());
        self.tables(player).filter(finished).collect()
    }

    /// What has come of all changes since this was last asked, beside the rooms.
    pub(crate) fn take_outbox(&mut self) -> Outbox {
        std::mem::take(&mut self.outbox)
    }

    /// Opens a room for a match, and seats the two.
    pub(crate) fn open_contest(
        &mut self,
        id: RoomId,
        board: Board,
        contest: Contest,
        sittings: [Sitting<'_>; 2],
        now: Now,
        chance: &mut Chance,
    ) -> Change {
        let mut step = Step::new(now, chance);
        let room = Room::open_contest(id, board, contest, sittings, &mut step);
        let version = room.version();
        let events = self.outbox.keep(step);
        self.insert(room);
        Change { room: id, version, events, closed: false, last: None }
    }

    /// Seats a player in a room.
    pub(crate) fn sit(
        &mut self,
        id: RoomId,
        sitting: Sitting<'_>,
        now: Now,
        chance: &mut Chance,
    ) -> Result<Changed<Seat>, Rejection> {
        let sit = |room: &mut Room, step: &mut Step<'_>| room.sit(sitting, step);
        let Changed { value: Sat { seat, instead_of }, version, change } =
            self.change(id, now, chance, Activity::Yes, sit)?;
        if let Some(gone) = instead_of {
            self.note_stood(gone, id);
        }
        self.note_seated(sitting.player, id);
        Ok(Changed { value: seat, version, change })
    }

    /// Takes a player from a room's table.
    pub(crate) fn stand(
        &mut self,
        id: RoomId,
        player: PlayerId,
        now: Now,
        chance: &mut Chance,
    ) -> Result<Changed<Seat>, Rejection> {
        let stand = |room: &mut Room, step: &mut Step<'_>| room.stand(player, step);
        let changed = self.change(id, now, chance, Activity::Yes, stand)?;
        self.note_stood(player, id);
        Ok(changed)
    }

    /// Lets a room's host take a player from the table for good.
    pub(crate) fn remove(
        &mut self,
        id: RoomId,
        host: PlayerId,
        player: PlayerId,
        now: Now,
        chance: &mut Chance,
    ) -> Result<Changed<()>, Rejection> {
        let remove = |room: &mut Room, step: &mut Step<'_>| room.remove(host, player, step);
        let changed = self.change(id, now, chance, Activity::Yes, remove)?;
        self.note_stood(player, id);
        Ok(changed)
    }

    /// Lets `act` change a room. If it says no, or makes no event, nothing has
    /// changed; else this is the room's next version.
    pub(crate) fn change<T>(
        &mut self,
        id: RoomId,
        now: Now,
        chance: &mut Chance,
        activity: Activity,
        act: impl FnOnce(&mut Room, &mut Step<'_>) -> Result<T, Rejection>,
    ) -> Result<Changed<T>, Rejection> {
        let room = self.rooms.get_mut(&id).ok_or(Rejection::NoSuchRoom(id))?;
        // Copies only if someone holds the version before: a watcher's feed, a
        // snapshot in the making.
        let room = Arc::make_mut(room);
        let (before, listed) = (room.digest(), Listed::of(room));
        let deserted_before = room.deserted_since_ms();
        let mut step = Step::new(now, chance);
        let value = act(room, &mut step)?;
        let events = self.outbox.keep(step);
        // Without an event there is nothing to be seen; something may be noted all the
        // same, such as that somebody who was expected has come.
        let version = match activity {
            _ if events.is_empty() => room.version(),
            Activity::Yes => room.commit(now.ms),
            Activity::No => room.turn_page(now.ms),
        };
        if now.edition >= Edition::Second && !events.is_empty() {
            room.note_desertion(now.ms, activity == Activity::Yes);
        }
        let deserted = room.deserted_since_ms();
        if deserted != deserted_before {
            deserted_before.map(|since_ms| self.deserted.remove(&(since_ms, id)));
            deserted.map(|since_ms| self.deserted.insert((since_ms, id)));
        }
        // Later times wait until the earlier one has come: a move then costs nothing
        // here.
        let due_ms = room.look_ms();
        if due_ms < room.due_ms() {
            self.due.remove(&(room.due_ms(), id));
            self.due.insert((due_ms, id));
            room.set_due(due_ms);
        }
        room.refresh_digest(&mut self.scratch);
        self.sum = self.sum.wrapping_sub(before).wrapping_add(room.digest());
        let lists = Listed::of(room);
        if lists != listed {
            self.unlist(id, listed);
            self.list_as(id, lists);
        }
        let change = (!events.is_empty()).then_some(Change {
            room: id,
            version,
            events,
            closed: false,
            last: None,
        });
        Ok(Changed { value, version, change })
    }

    /// Adds a room that was not there.
    pub(crate) fn insert(&mut self, mut room: Room) {
        let id = room.id();
        room.refresh_digest(&mut self.scratch);
        self.sum = self.sum.wrapping_add(room.digest());
        self.list_as(id, Listed::of(&room));
        self.due.insert((room.due_ms(), id));
        room.deserted_since_ms().map(|since_ms| self.deserted.insert((since_ms, id)));
        for player in room.players() {
            self.note_seated(player.player, id);
        }
        assert!(self.rooms.insert(id, Arc::new(room)).is_none(), "{id} was handed out twice");
    }

    /// The rooms to look at now, at most `looks_max` of them.
    pub(crate) fn due(&self, now_ms: u64, looks_max: usize) -> Vec<RoomId> {
        let is_due = |(due_ms, _): &(u64, RoomId)| *due_ms <= now_ms;
        self.due.iter().copied().take_while(is_due).take(looks_max).map(|(_, id)| id).collect()
    }

    /// Looks at a room whose time has come: takes it out if its deadline has, or does
    /// there what is due.
    pub(crate) fn look(&mut self, id: RoomId, now: Now, seed: u64) -> Option<Looked> {
        let room = self.rooms.get(&id)?;
        if room.deadline_ms() <= now.ms {
            return self.take_out(id).map(Looked::Left);
        }
        let mut change = None;
        if room.look_ms() <= now.ms {
            let mut chance = Chance::of_room(seed, id);
            let pass = |room: &mut Room, step: &mut Step<'_>| {
                room.pass(step);
                Ok(())
            };
            change = self.change(id, now, &mut chance, Activity::No, pass).ok()?.change;
        }
        let due_ms = self.rooms.get(&id)?.look_ms();
        self.look_at(id, due_ms);
        change.map(Looked::Changed)
    }

    /// Whether there is a room in which nobody is.
    pub(crate) fn has_deserted(&self) -> bool {
        !self.deserted.is_empty()
    }

    /// Takes out the room in which nobody has been for the longest time.
    pub(crate) fn take_deserted(&mut self) -> Option<Arc<Room>> {
        let (_, id) = self.deserted.first().copied()?;
        self.take_out(id)
    }

    /// Has a room looked at by then; earlier if that was planned already.
    pub(crate) fn look_at_by(&mut self, id: RoomId, due_ms: u64) {
        if self.rooms.get(&id).is_some_and(|room| due_ms < room.due_ms()) {
            self.look_at(id, due_ms);
        }
    }

    /// Changes something in a room that makes no version: what is found out about it later, or
    /// read from a snapshot. None if there is no such room.
    pub(crate) fn amend<T>(&mut self, id: RoomId, act: impl FnOnce(&mut Room) -> T) -> Option<T> {
        let room = Arc::make_mut(self.rooms.get_mut(&id)?);
        let (before, listed) = (room.digest(), Listed::of(room));
        let value = act(room);
        room.refresh_digest(&mut self.scratch);
        self.sum = self.sum.wrapping_sub(before).wrapping_add(room.digest());
        let lists = Listed::of(room);
        if lists != listed {
            self.unlist(id, listed);
            self.list_as(id, lists);
        }
        Some(value)
    }

    /// Puts back the terms of a room that was inserted without.
    pub(crate) fn restore_terms(&mut self, id: RoomId, terms: Terms) -> Result<(), &'static str> {
        self.amend(id, |room| room.restore_terms(terms)).ok_or("terms of no room")?
    }

    /// Puts back the contest of a room that was inserted without.
    pub(crate) fn restore_contest(
        &mut self,
        id: RoomId,
        contest: Contest,
    ) -> Result<(), &'static str> {
        self.amend(id, |room| room.restore_contest(contest)).ok_or("a contest of no room")?
    }

    /// When to look at the first room.
    pub(crate) fn due_ms(&self) -> Option<u64> {
        self.due.first().map(|(due_ms, _)| *due_ms)
    }

    /// Rooms from the newest on, only those after `after` in that order.
    pub(crate) fn list(
        &self,
        filter: &Filter,
        after: Option<RoomId>,
        limit: usize,
    ) -> Vec<&Arc<Room>> {
        let range = (Bound::Unbounded, after.map_or(Bound::Unbounded, Bound::Excluded));
        let suits =
            |room: &&Arc<Room>| filter.game.as_ref().is_none_or(|game| *game == room.game());
        let ids = match (filter.shelf, filter.state) {
            (Shelf::All, None) => {
                let rooms = self.rooms.range(range).rev().map(|(_, room)| room);
                return rooms.filter(suits).take(limit).collect();
            }
            (Shelf::All, Some(state)) => &self.by_state[place(state)],
            (Shelf::Public, None) => &self.public,
            (Shelf::Public, Some(state)) => &self.public_by_state[place(state)],
            (Shelf::Open, _) => &self.open,
        };
        let in_state = |room: &&Arc<Room>| filter.state.is_none_or(|state| state == room.state());
        let rooms = ids.range(range).rev().filter_map(|id| self.rooms.get(id));
        rooms.filter(suits).filter(in_state).take(limit).collect()
    }

    pub(crate) fn digest(&self) -> u64 {
        self.sum
    }

    pub(crate) fn recompute_digest(&self) -> u64 {
        let mut scratch = Vec::new();
        let digests = self.rooms.values().map(|room| room.compute_digest(&mut scratch));
        digests.fold(0, u64::wrapping_add)
    }

    pub(crate) fn freeze(&self) -> OrdMap<RoomId, Arc<Room>> {
        self.rooms.clone()
    }

    /// Notes that a player sits in a room. Of bots nobody asks, and they sit everywhere.
    fn note_seated(&mut self, player: PlayerId, room: RoomId) {
        if is_bot(player) {
            return;
        }
        self.tables.entry(player).or_default().insert(room);
    }

    /// Notes that a player does not sit in a room any more.
    fn note_stood(&mut self, player: PlayerId, room: RoomId) {
        if let Some(tables) = self.tables.get_mut(&player) {
            tables.remove(&room);
            if tables.is_empty() {
                self.tables.remove(&player);
            }
        }
    }

    fn look_at(&mut self, id: RoomId, due_ms: u64) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let room = Arc::make_mut(room);
        self.due.remove(&(room.due_ms(), id));
        self.due.insert((due_ms, id));
        room.set_due(due_ms);
        let before = room.digest();
        room.refresh_digest(&mut self.scratch);
        self.sum = self.sum.wrapping_sub(before).wrapping_add(room.digest());
    }

    fn list_as(&mut self, id: RoomId, listed: Listed) {
        self.by_state[place(listed.state)].insert(id);
        if listed.public {
            self.public.insert(id);
            self.public_by_state[place(listed.state)].insert(id);
        }
        if listed.open {
            self.open.insert(id);
        }
    }

    fn unlist(&mut self, id: RoomId, listed: Listed) {
        self.by_state[place(listed.state)].remove(&id);
        self.public.remove(&id);
        self.public_by_state[place(listed.state)].remove(&id);
        self.open.remove(&id);
    }

    fn take_out(&mut self, id: RoomId) -> Option<Arc<Room>> {
        let room = self.rooms.remove(&id)?;
        self.sum = self.sum.wrapping_sub(room.digest());
        self.unlist(id, Listed::of(&room));
        self.due.remove(&(room.due_ms(), id));
        room.deserted_since_ms().map(|since_ms| self.deserted.remove(&(since_ms, id)));
        for player in room.players() {
            self.note_stood(player.player, id);
        }
        Some(room)
    }
}

/// In which lists a room is.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Listed {
    state: State,
    public: bool,
    open: bool,
}

impl Listed {
    fn of(room: &Room) -> Listed {
        Listed { state: room.state(), public: room.is_public(), open: room.is_open() }
    }
}

fn place(state: State) -> usize {
    state as usize
}
