//! A room: a board, the people around it, their chat, and a version.
//!
//! Every accepted change makes the next version and a list of events; the
//! lobby decides when, the rules decide what, and the room keeps who.
//! [`Room::view`] is the only way a hidden word gets out, and it asks the rules
//! whose eyes are looking. What holds whatever is played, such as who may sit and
//! whose seat is kept, is in the room's [`Terms`].

mod asked;
mod contest;
#[cfg(test)]
mod contest_trial;
mod contest_view;
mod rounds;
pub(crate) mod seats;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::chance::Chance;
use crate::chat::Chat;
use crate::clock::Now;
use crate::contest::{Contest, Ended, is_bot};
use crate::digest::{self, Kind};
use crate::event::Event;
use crate::notices::Notice;
use crate::rules::contract::SEATS_MAX;
use crate::rules::{Audience, Board, Phase, State};
use crate::table::{Person, Sitter, Table};
use crate::terms::Terms;
use hangraft_ids::{PlayerId, RoomId, Seat, Version};

/// A room where nobody is leaves after this long, if nobody is seated or the game is over.
const EMPTY_MS_MAX: u64 = 2 * 60_000;

/// A room whose seated players are all away leaves after this long: time to come back
/// to a game from a tunnel, or with another browser.
const AWAY_MS_MAX: u64 = 5 * 60_000;

/// A finished room leaves when nothing happened in it for this long.
const OVER_MS_MAX: u64 = 10 * 60_000;

/// Any room leaves when nothing happened in it for this long.
const IDLE_MS_MAX: u64 = 60 * 60_000;

/// One room, at one version. Immutable to everybody but the lobby.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Room {
    id: RoomId,
    version: Version,
    board: Board,
    /// One place per seat of the table.
    seats: Vec<Option<Sitter>>,
    people: BTreeMap<PlayerId, Person>,
    /// When something last happened here, in lobby time.
    active_ms: u64,
    /// Since when nobody is here: nobody is seated, or those who are have gone away.
    /// None while somebody is.
    empty_since_ms: Option<u64>,
    /// When the lobby will look at the room. Never later than [`Room::look_ms`],
    /// often earlier.
    due_ms: u64,
    /// None for a room that was opened before there were terms.
    #[serde(skip)]
    terms: Option<Terms>,
    /// None unless it is the room of a match.
    #[serde(skip)]
    contest: Option<Box<Contest>>,
    #[serde(skip)]
    chat: Arc<Chat>,
    #[serde(skip)]
    digest: u64,
}

/// What makes a room's next version: an entry, or the passing of time.
pub(crate) struct Step<'a> {
    pub(crate) now: Now,
    pub(crate) chance: &'a mut Chance,
    /// What has happened so far, for those who watch.
    pub(crate) events: Vec<Event>,
    /// Who is to be told something, wherever they are.
    pub(crate) notices: Vec<(PlayerId, Notice)>,
    /// The round of a match that was decided.
    pub(crate) ended: Option<Ended>,
    /// Moves that were made.
    pub(crate) moved: u32,
}

impl<'a> Step<'a> {
    pub(crate) fn new(now: Now, chance: &'a mut Chance) -> Step<'a> {
        let (events, notices) = (Vec::new(), Vec::new());
        Step { now, chance, events, notices, ended: None, moved: 0 }
    }
}

/// Someone who is seated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Player {
    /// Where.
    pub seat: Seat,
    /// Who.
    pub player: PlayerId,
    /// Under which name.
    pub name: Arc<str>,
    /// Whether they are here: look at the room, as far as frontends told.
    pub online: bool,
    /// What they have earned in this room.
    pub points: u32,
}

impl Room {
    /// Which room.
    pub fn id(&self) -> RoomId {
        self.id
    }

    /// How many changes it has seen.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The lobby time at which this version was made.
    pub fn made_ms(&self) -> u64 {
        self.table().at_ms
    }

    /// The name of the game that is played.
    pub fn game(&self) -> &'static str {
        self.board.rules().name()
    }

    /// How the game stands, in a word.
    pub fn state(&self) -> State {
        self.phase().into()
    }

    /// How the round stands, and how it ended.
    pub fn phase(&self) -> Phase {
        self.board.rules().phase()
    }

    /// With whose eyes `viewer` looks: the gallery's, unless the rules let
    /// them see more.
    pub fn audience(&self, viewer: Option<PlayerId>) -> Audience {
        viewer.map_or(Audience::GALLERY, |player| self.board.rules().audience(player))
    }

    /// All who look with other eyes than the gallery's, whether or not they sit here.
    pub fn insiders(&self) -> Vec<PlayerId> {
        self.board.rules().insiders()
    }

    /// What the rules say of the room in a few words, as a JSON object.
    pub fn about(&self) -> String {
        self.board.rules().about()
    }

    /// Who is seated, from the lowest seat.
    pub fn players(&self) -> impl Iterator<Item = Player> + '_ {
        self.seated().map(|(seat, sitter)| {
            let person = self.people.get(&sitter.player);
            Player {
                seat,
                player: sitter.player,
                name: self.table().name(sitter.player),
                online: sitter.online,
                points: person.map_or(0, |person| person.points),
            }
        })
    }

    /// Whether strangers may find it.
    pub fn is_public(&self) -> bool {
        self.terms.as_ref().is_none_or(|terms| terms.public)
    }

    /// Whether its host lets nobody new sit down.
    pub fn is_locked(&self) -> bool {
        self.terms.as_ref().is_some_and(|terms| terms.locked)
    }

    /// Whether a stranger would find company and a seat: it is public and not locked,
    /// the game is not over, somebody is here, and a seat is free or free to take.
    pub fn is_open(&self) -> bool {
        let is_somebody_here = || self.seats.iter().flatten().any(|sitter| sitter.online);
        let has_seat = || {
            let terms = self.terms.as_ref();
            !self.table().is_full() || terms.is_some_and(|terms| terms.free().is_some())
        };
        self.is_public()
            && !self.is_locked()
            && is_somebody_here()
            && !self.phase().is_over()
            && has_seat()
    }

    /// How many seats the table has.
    pub fn seats_max(&self) -> u8 {
        self.board.rules().seats()
    }

    pub(crate) fn open(id: RoomId, board: Board, terms: Option<Terms>, now_ms: u64) -> Room {
        let mut room = Room {
            id,
            version: Version(1),
            seats: vec![None; usize::from(board.rules().seats())],
            board,
            people: BTreeMap::new(),
            active_ms: now_ms,
            empty_since_ms: Some(now_ms),
            due_ms: 0,
            terms,
            contest: None,
            chat: Arc::default(),
            digest: 0,
        };
        room.due_ms = room.look_ms();
        room
    }

    /// The version with which a room leaves: nobody will change it any more.
    pub(crate) fn closed(room: &Room, now_ms: u64) -> Room {
        let mut last = room.clone();
        last.turn_page(now_ms);
        last
    }

    /// Makes the next version, because something happened.
    pub(crate) fn commit(&mut self, now_ms: u64) -> Version {
        self.active_ms = now_ms;
        self.turn_page(now_ms)
    }

    /// Makes the next version without counting as activity.
    pub(crate) fn turn_page(&mut self, now_ms: u64) -> Version {
        if let Some(terms) = &mut self.terms {
            terms.at_ms = now_ms;
        }
        self.version = self.version.next();
        self.version
    }

    /// When the room leaves if nothing more happens.
    pub(crate) fn deadline_ms(&self) -> u64 {
        let over = self.phase().is_over();
        let quiet_ms_max = if over { OVER_MS_MAX } else { IDLE_MS_MAX };
        let quiet_ms = self.active_ms.saturating_add(quiet_ms_max);
        let abandoned = over || self.seated().next().is_none();
        let empty_ms_max = if abandoned { EMPTY_MS_MAX } else { AWAY_MS_MAX };
        let empty_ms = self.empty_since_ms.map(|since| since.saturating_add(empty_ms_max));
        empty_ms.map_or(quiet_ms, |empty_ms| empty_ms.min(quiet_ms))
    }

    /// Since when nobody is here; none while somebody is.
    pub(crate) fn deserted_since_ms(&self) -> Option<u64> {
        self.empty_since_ms
    }

    /// Notes whether anybody is here after a change. Where players sit and something was
    /// done just now, somebody was here until now.
    pub(crate) fn note_desertion(&mut self, now_ms: u64, active: bool) {
        let played = active && self.seated().next().is_some();
        self.empty_since_ms = match self.empty_since_ms {
            _ if self.is_attended() => None,
            Some(since_ms) if !played => Some(since_ms),
            _ => Some(now_ms),
        };
    }

    /// Whether somebody who sits here is here.
    fn is_attended(&self) -> bool {
        self.attending().next().is_some()
    }

    /// The people who sit here and are said to be here.
    pub(crate) fn attending(&self) -> impl Iterator<Item = PlayerId> + '_ {
        let here = self.seated().filter(|(_, sitter)| sitter.online);
        let players = here.map(|(_, sitter)| sitter.player);
        players.filter(|player| self.contest.is_none() || !is_bot(*player))
    }

    /// When to look at the room: it may leave then, or something else is due.
    pub(crate) fn look_ms(&self) -> u64 {
        let due_ms = [
            self.terms.as_ref().and_then(Terms::due_ms),
            self.board.rules().due_ms(),
            self.contest().and_then(Contest::due_ms),
        ];
        due_ms.into_iter().flatten().fold(self.deadline_ms(), u64::min)
    }

    pub(crate) fn due_ms(&self) -> u64 {
        self.due_ms
    }

    pub(crate) fn terms(&self) -> Option<&Terms> {
        self.terms.as_ref()
    }

    pub(crate) fn contest(&self) -> Option<&Contest> {
        self.contest.as_deref()
    }

    pub(crate) fn set_due(&mut self, due_ms: u64) {
        self.due_ms = due_ms;
    }

    /// Where a player sits.
    pub(crate) fn seat_of(&self, player: PlayerId) -> Option<Seat> {
        self.table().seat_of(player)
    }

    /// Whether the archive should have it.
    pub(crate) fn worth_keeping(&self) -> bool {
        self.board.rules().worth_keeping()
    }

    /// The names of everybody the room remembers, seated or not.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.people.values().map(|person| &person.name)
    }

    pub(crate) fn chat(&self) -> &Chat {
        &self.chat
    }

    /// The digest as it was when [`Room::refresh_digest`] was last called.
    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }

    pub(crate) fn refresh_digest(&mut self, scratch: &mut Vec<u8>) {
        self.digest = self.compute_digest(scratch);
    }

    /// The digest of the room as it is: of its stored bytes, with the chat's
    /// own digest in place of the chat, and of its terms and its contest if it has any.
    pub(crate) fn compute_digest(&self, scratch: &mut Vec<u8>) -> u64 {
        let room = digest::of_value(Kind::Room, &(self, self.chat.digest()), scratch);
        let of_terms = |terms| digest::of_value(Kind::Terms, &(self.id, terms), scratch);
        let room = room.wrapping_add(self.terms.as_ref().map_or(0, of_terms));
        let of_contest = |contest| digest::of_value(Kind::Contest, &(self.id, contest), scratch);
        room.wrapping_add(self.contest().map_or(0, of_contest))
    }

    /// Puts together what a snapshot holds; or says why no room can be so.
    pub(crate) fn restore(mut self, chat: Chat) -> Result<Room, &'static str> {
        if self.seats.len() != usize::from(self.seats_max().min(SEATS_MAX)) {
            return Err("a room has another number of seats than its game");
        }
        let known = |sitter: &Sitter| self.people.contains_key(&sitter.player);
        if !self.seats.iter().flatten().all(known) {
            return Err("a seated player has no name");
        }
        self.chat = Arc::new(chat);
        self.refresh_digest(&mut Vec::new());
        Ok(self)
    }

    /// Puts back the terms that a snapshot holds for the room; or says why no room can
    /// have them.
    pub(crate) fn restore_terms(&mut self, terms: Terms) -> Result<(), &'static str> {
        if self.terms.is_some() {
            return Err("a room has its terms twice");
        }
        terms.check(|player| self.seat_of(player).is_some())?;
        self.terms = Some(terms);
        Ok(())
    }

    /// Puts back the contest that a snapshot holds for the room; or says why the room cannot
    /// be that of one.
    pub(crate) fn restore_contest(&mut self, contest: Contest) -> Result<(), &'static str> {
        if self.contest.is_some() || self.terms.is_none() {
            return Err("a room has its contest twice, or has no terms");
        }
        contest.check()?;
        let theirs = |(seat, sitter): (Seat, &Sitter)| {
            seat.0 < 2 && contest.contestant(seat).player == sitter.player
        };
        if self.seats.len() != 2 || !self.seated().all(theirs) {
            return Err("others sit at a match than play it");
        }
        let goes_on = contest.over().is_none();
        if goes_on && (self.phase().is_over() || self.seats.iter().any(Option::is_none)) {
            return Err("a match goes on that cannot");
        }
        self.contest = Some(Box::new(contest));
        Ok(())
    }

    /// The people as they sit at this version.
    fn table(&self) -> Table<'_> {
        Table {
            seats: &self.seats,
            people: &self.people,
            prefer_here: self.prefers_here(),
            long_gone: self.long_gone(),
            at_ms: self.terms.as_ref().map_or(self.active_ms, |terms| terms.at_ms),
        }
    }

    /// Whether whose turn it is next depends on who is here. In a match it never does.
    fn prefers_here(&self) -> bool {
        self.terms.is_some() && self.contest.is_none()
    }

    /// Whose seat may be taken. In a match nobody's.
    fn long_gone(&self) -> Option<PlayerId> {
        let terms = self.terms.as_ref().filter(|_| self.contest.is_none());
        terms.and_then(Terms::free)
    }

    fn seated(&self) -> impl Iterator<Item = (Seat, &Sitter)> {
        let seats = (0..).map(Seat).zip(&self.seats);
        seats.filter_map(|(seat, sitter)| sitter.as_ref().map(|sitter| (seat, sitter)))
    }
}
