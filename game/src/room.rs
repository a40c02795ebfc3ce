//! A room: a board, the people around it, their chat, and a version.
//!
//! Every accepted change makes the next version and a list of events; the
//! lobby decides when, the rules decide what, and the room keeps who.
//! [`Room::view`] is the only way a hidden word gets out, and it asks the rules
//! whose eyes are looking. What holds whatever is played, such as who may sit and
//! whose seat is kept, is in the room's [`Terms`].

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::answer::Rejection;
use crate::chance::Chance;
use crate::chat::{Chat, Line, LineView};
use crate::clock::Now;
use crate::digest::{self, Kind};
use crate::event::{Event, GameEvent};
use crate::ids::{PlayerId, RoomId, Seat, Version};
use crate::json::{as_text, as_text_or_null};
use crate::rules::contract::{Points, SEATS_MAX, Turn};
use crate::rules::{Act, Audience, Board, BoardView, Phase, State};
use crate::table::{Person, Sitter, Table, Who};
use crate::terms::{Passing, SEAT_KEPT_MS, Terms, shown};
use crate::text;

/// People a room remembers by name and points, seated or not. When there is
/// one more, one who is not seated and has the fewest points is forgotten.
const PEOPLE_MAX: usize = 64;

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
}

/// Someone who wants to sit down.
#[derive(Clone, Copy)]
pub(crate) struct Sitting<'a> {
    pub(crate) player: PlayerId,
    pub(crate) name: &'a str,
    /// Equal for names that people take for each other.
    pub(crate) likeness: &'a str,
    /// They look at the room, as far as frontends told.
    pub(crate) here: bool,
}

/// Someone has sat down.
pub(crate) struct Sat {
    pub(crate) seat: Seat,
    /// Who was away for long and has lost the seat by it.
    pub(crate) instead_of: Option<PlayerId>,
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

/// A room as it is shown.
#[derive(Serialize)]
struct RoomView<'a> {
    game: &'static str,
    state: State,
    round: u32,
    /// Who has won the round, if some at the table have and others have not.
    #[serde(skip_serializing_if = "Option::is_none")]
    winners: Option<Vec<Seat>>,
    #[serde(flatten)]
    board: BoardView<'a>,
    players: Vec<PlayerView<'a>>,
    seats: usize,
    #[serde(serialize_with = "as_text_or_null")]
    host: Option<PlayerId>,
    public: bool,
    locked: bool,
    seat_kept_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    again: Option<AgainView>,
    chat: Vec<LineView<'a>>,
}

/// Who wants another round, as shown.
#[derive(Serialize)]
struct AgainView {
    agreed: Vec<Seat>,
    /// Until it begins whoever has not agreed, from this version on.
    begins_in_ms: u64,
}

/// A seated player as shown.
#[derive(Serialize)]
struct PlayerView<'a> {
    seat: Seat,
    name: &'a str,
    #[serde(serialize_with = "as_text")]
    player: PlayerId,
    online: bool,
    /// How long they were not here at this version; absent while they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    away_ms: Option<u64>,
    points: u32,
    role: &'static str,
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

    /// The room as `viewer` may see it, as a JSON object.
    pub fn view(&self, viewer: Option<PlayerId>) -> String {
        let rules = self.board.rules();
        let view = RoomView {
            game: rules.name(),
            state: self.state(),
            round: rules.round(),
            winners: self.phase().winners().map(|seats| seats.iter().collect()),
            board: self.board.view(self.audience(viewer), &self.table()),
            players: self.player_views(),
            seats: self.seats.len(),
            host: self.terms.as_ref().map(|terms| terms.host),
            public: self.is_public(),
            locked: self.is_locked(),
            seat_kept_ms: SEAT_KEPT_MS,
            again: self.again_view(),
            chat: self.chat.view(),
        };
        serde_json::to_string(&view).expect("a view has a JSON form")
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
        let here = self.seats.iter().flatten().any(|sitter| sitter.online);
        let free = !self.table().is_full()
            || self.terms.as_ref().is_some_and(|terms| terms.free().is_some());
        self.is_public() && !self.is_locked() && !self.phase().is_over() && here && free
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

    /// Gives a player the lowest free seat, or that of somebody who is away for long.
    /// Someone who has one keeps it, and nothing changes unless the name does.
    pub(crate) fn sit(
        &mut self,
        sitting: Sitting<'_>,
        step: &mut Step<'_>,
    ) -> Result<Sat, Rejection> {
        let Sitting { player, name, likeness, here } = sitting;
        let name = text::name(name, step.now.edition)?;
        if let Some(seat) = self.seat_of(player) {
            self.rename(player, name, likeness, seat, step);
            return Ok(Sat { seat, instead_of: None });
        }
        self.may_sit(player)?;
        let free = self.seats.iter().position(Option::is_none);
        let gone = self.terms.as_ref().filter(|_| free.is_none()).and_then(Terms::free);
        let place = free.or_else(|| gone.and_then(|gone| self.place_of(gone)));
        let place = place.ok_or(Rejection::RoomFull(self.id))?;
        if let Some(gone) = gone {
            self.free_seat(gone, step)?;
        }
        let seat = Seat(u8::try_from(place).expect("a table has few seats"));
        self.seats[place] = Some(Sitter { player, online: true });
        self.empty_since_ms = None;
        let shown = self.told_apart(player, name, likeness);
        self.meet(player, &shown);
        if let Some(terms) = &mut self.terms {
            terms.sat(player, here, step.now.ms);
        }
        step.events.push(Event::Sat { seat, name: self.table().name(player) });
        self.table_changed(step);
        self.begin_if_agreed(step);
        Ok(Sat { seat, instead_of: gone })
    }

    /// Frees a player's seat.
    pub(crate) fn stand(
        &mut self,
        player: PlayerId,
        step: &mut Step<'_>,
    ) -> Result<Seat, Rejection> {
        let seat = self.free_seat(player, step)?;
        self.begin_if_agreed(step);
        Ok(seat)
    }

    /// The host takes somebody from the table for good. Nothing happens if that was
    /// done before.
    pub(crate) fn remove(
        &mut self,
        host: PlayerId,
        player: PlayerId,
        step: &mut Step<'_>,
    ) -> Result<(), Rejection> {
        let terms = self.terms_of_host(host)?;
        if player == host {
            return Err(Rejection::bad_request(
                "a host does not remove themselves; leave the table",
            ));
        }
        if terms.has_removed(player) {
            return Ok(());
        }
        terms.remove(player);
        let name = self.table().name(player);
        let seat = self.seat_of(player);
        step.events.push(Event::Removed { seat, player, name });
        if seat.is_some() {
            self.empty_seat(player, step.now.ms);
            self.table_changed(step);
            self.begin_if_agreed(step);
        }
        Ok(())
    }

    /// The host lets nobody new sit down, or somebody again. Nothing happens if it is
    /// so already.
    pub(crate) fn lock(
        &mut self,
        host: PlayerId,
        locked: bool,
        step: &mut Step<'_>,
    ) -> Result<(), Rejection> {
        let terms = self.terms_of_host(host)?;
        if std::mem::replace(&mut terms.locked, locked) != locked {
            step.events.push(Event::Locked { locked });
        }
        Ok(())
    }

    pub(crate) fn play(
        &mut self,
        player: PlayerId,
        mv: &str,
        step: &mut Step<'_>,
    ) -> Result<(), Rejection> {
        let seat = self.seat_of(player).ok_or(Rejection::NotSeated(self.id))?;
        self.on_board(Act::Play(Who { seat, player }, mv), step)?;
        self.begin_if_agreed(step);
        Ok(())
    }

    /// Notes that a player wants another round, or that the table goes on without
    /// someone it waits for. It begins when everybody who is seated and here wants it,
    /// or a while after the first.
    pub(crate) fn again(&mut self, player: PlayerId, step: &mut Step<'_>) -> Result<(), Rejection> {
        let seat = self.seat_of(player).ok_or(Rejection::NotSeated(self.id))?;
        if self.terms.is_none() {
            return self.begin(step);
        }
        self.board.rules().may_begin(&self.table())?;
        if self.terms.as_mut().is_some_and(|terms| terms.agree(player, step.now.ms)) {
            step.events.push(Event::Agreed { seat });
            self.begin_if_agreed(step);
        }
        Ok(())
    }

    /// Lets time pass for who is away, for the board, and for what was agreed upon. Makes
    /// no event if nothing was due.
    pub(crate) fn pass(&mut self, step: &mut Step<'_>) {
        let now_ms = step.now.ms;
        let begins = self.begins_ms().is_some_and(|begins_ms| begins_ms <= now_ms);
        let passed = self.terms.as_mut().map(|terms| terms.pass(now_ms));
        for (player, passing) in passed.into_iter().flatten() {
            match passing {
                Passing::Away => self.show_online(player, false, step),
                Passing::Free => {
                    let seat = self.seat_of(player);
                    step.events.extend(seat.map(|seat| Event::SeatFree { seat }));
                }
            }
        }
        if self.board_is_due(now_ms) {
            let done = self.on_board(Act::Due, step);
            debug_assert!(done.is_ok() && !self.board_is_due(now_ms), "a board is called once");
        }
        if begins && self.begins_ms().is_some() {
            self.begin_as_agreed(step);
        } else {
            self.begin_if_agreed(step);
        }
    }

    /// Adds a line to the chat. Watchers may speak as well as players.
    pub(crate) fn say(
        &mut self,
        player: PlayerId,
        name: &str,
        text: &str,
        step: &mut Step<'_>,
    ) -> Result<(), Rejection> {
        if self.terms.as_ref().is_some_and(|terms| terms.has_removed(player)) {
            return Err(removed_here());
        }
        let edition = step.now.edition;
        let (typed, text) = (text::name(name, edition)?, text::line(text, edition)?);
        // Who is seated is called in the chat as at the table.
        let told_apart = self.terms.is_some() && self.seat_of(player).is_some();
        let name = if told_apart { self.table().name(player) } else { typed.into() };
        let line = Line { player, name, text: text.into() };
        step.events.push(Event::Said { player, name: line.name.clone(), text: line.text.clone() });
        Arc::make_mut(&mut self.chat).say(line);
        Ok(())
    }

    /// Notes that a player came or went. Nothing happens if they have no seat
    /// here or it was known.
    pub(crate) fn set_online(&mut self, player: PlayerId, online: bool, step: &mut Step<'_>) {
        if self.seat_of(player).is_none() {
            return;
        }
        if let Some(terms) = &mut self.terms {
            terms.heard(player, online, step.now.ms);
        }
        self.show_online(player, online, step);
        self.begin_if_agreed(step);
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
        self.seated().any(|(_, sitter)| sitter.online)
    }

    /// Those who sit here and are said to be here.
    pub(crate) fn attending(&self) -> impl Iterator<Item = PlayerId> + '_ {
        self.seated().filter(|(_, sitter)| sitter.online).map(|(_, sitter)| sitter.player)
    }

    /// When to look at the room: it may leave then, or something else is due.
    pub(crate) fn look_ms(&self) -> u64 {
        let due_ms = [self.terms.as_ref().and_then(Terms::due_ms), self.board.rules().due_ms()];
        due_ms.into_iter().flatten().fold(self.deadline_ms(), u64::min)
    }

    pub(crate) fn due_ms(&self) -> u64 {
        self.due_ms
    }

    pub(crate) fn terms(&self) -> Option<&Terms> {
        self.terms.as_ref()
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
    /// own digest in place of the chat, and of its terms if it has any.
    pub(crate) fn compute_digest(&self, scratch: &mut Vec<u8>) -> u64 {
        let room = digest::of_value(Kind::Room, &(self, self.chat.digest()), scratch);
        let of_terms = |terms| digest::of_value(Kind::Terms, &(self.id, terms), scratch);
        room.wrapping_add(self.terms.as_ref().map_or(0, of_terms))
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

    /// The terms, for who may change them.
    fn terms_of_host(&mut self, player: PlayerId) -> Result<&mut Terms, Rejection> {
        let terms = self.terms.as_mut().filter(|terms| terms.host == player);
        terms.ok_or_else(|| Rejection::unauthorized("only who opened the room may do this"))
    }

    fn may_sit(&self, player: PlayerId) -> Result<(), Rejection> {
        match &self.terms {
            Some(terms) if terms.has_removed(player) => Err(removed_here()),
            Some(terms) if terms.locked && terms.host != player => {
                Err(Rejection::unauthorized("the host has locked this room"))
            }
            _ => Ok(()),
        }
    }

    /// Takes a player's seat from them, and says so.
    fn free_seat(&mut self, player: PlayerId, step: &mut Step<'_>) -> Result<Seat, Rejection> {
        let seat = self.seat_of(player).ok_or(Rejection::NotSeated(self.id))?;
        self.empty_seat(player, step.now.ms);
        step.events.push(Event::Stood { seat, name: self.table().name(player) });
        self.table_changed(step);
        Ok(seat)
    }

    fn empty_seat(&mut self, player: PlayerId, now_ms: u64) {
        let Some(place) = self.place_of(player) else { return };
        self.seats[place] = None;
        if self.seated().next().is_none() {
            self.empty_since_ms = Some(now_ms);
        }
        if let Some(terms) = &mut self.terms {
            terms.stood(player);
        }
    }

    fn place_of(&self, player: PlayerId) -> Option<usize> {
        self.seat_of(player).map(|seat| usize::from(seat.0))
    }

    /// Shows that a seated player came or went, if it was not shown.
    fn show_online(&mut self, player: PlayerId, online: bool, step: &mut Step<'_>) {
        for (seat, sitter) in (0..).zip(self.seats.iter_mut()) {
            let Some(sitter) = sitter else { continue };
            if sitter.player == player && sitter.online != online {
                sitter.online = online;
                step.events.push(Event::Online { seat: Seat(seat), online });
            }
        }
    }

    /// When another round begins whoever has not agreed; none if nobody wants one.
    fn begins_ms(&self) -> Option<u64> {
        self.terms.as_ref().and_then(Terms::begins_ms)
    }

    /// Begins what somebody wants if nobody is left to wait for: everybody who is here
    /// wants it too.
    fn begin_if_agreed(&mut self, step: &mut Step<'_>) {
        let Some(terms) = &self.terms else { return };
        if terms.begins_ms().is_none() {
            return;
        }
        let mut here = self.seats.iter().flatten().filter(|sitter| sitter.online);
        if self.board.rules().may_begin(&self.table()).is_err() {
            // Whom the table waited for is back, or somebody else is to do it now.
            self.forget_agreement();
        } else if here.all(|sitter| terms.agrees(sitter.player)) {
            self.begin_as_agreed(step);
        }
    }

    fn begin_as_agreed(&mut self, step: &mut Step<'_>) {
        self.forget_agreement();
        let begun = self.begin(step);
        debug_assert!(begun.is_ok(), "an agreement is forgotten when it is about nothing");
    }

    /// Begins another round, or says why it cannot.
    fn begin(&mut self, step: &mut Step<'_>) -> Result<(), Rejection> {
        let told = step.events.len();
        self.on_board(Act::Again, step)?;
        // First that there is another round, then what the rules say of it.
        step.events.insert(told, Event::Again { round: self.board.rules().round() });
        Ok(())
    }

    /// Whether the board wants to be called by now.
    fn board_is_due(&self, now_ms: u64) -> bool {
        self.board.rules().due_ms().is_some_and(|due_ms| due_ms <= now_ms)
    }

    /// Does something to the board; what it tells and what it awards go where they belong.
    fn on_board(&mut self, act: Act<'_>, step: &mut Step<'_>) -> Result<(), Rejection> {
        let Step { now, chance, events } = step;
        let mut points = Vec::new();
        let mut tell = |event| events.push(Event::Game(GameEvent(event)));
        let table = Table {
            seats: &self.seats,
            people: &self.people,
            prefer_here: self.terms.is_some(),
            at_ms: now.ms,
        };
        let mut turn = Turn::new(table, *now, chance, &mut tell, &mut points);
        self.board.act(act, &mut turn)?;
        for points in points {
            self.award(points);
        }
        Ok(())
    }

    fn forget_agreement(&mut self) {
        if let Some(terms) = &mut self.terms {
            terms.forget_agreement();
        }
    }

    fn rename(
        &mut self,
        player: PlayerId,
        name: &str,
        likeness: &str,
        seat: Seat,
        step: &mut Step<'_>,
    ) {
        let name = self.told_apart(player, name, likeness);
        let Some(person) = self.people.get_mut(&player).filter(|person| *person.name != *name)
        else {
            return;
        };
        person.name = name.into();
        step.events.push(Event::Sat { seat, name: person.name.clone() });
    }

    /// The name as it is shown, with a number when another at the table looks alike.
    fn told_apart(&mut self, player: PlayerId, name: &str, likeness: &str) -> String {
        let number = self.terms.as_mut().map_or(1, |terms| terms.number(player, likeness));
        shown(name, number)
    }

    /// Remembers a player by name; points of an earlier stay are still theirs.
    fn meet(&mut self, player: PlayerId, name: &str) {
        let person = Person { name: name.into(), points: 0 };
        self.people.entry(player).and_modify(|known| known.name = name.into()).or_insert(person);
        if self.people.len() > PEOPLE_MAX {
            self.forget_someone();
        }
    }

    fn forget_someone(&mut self) {
        let table = self.table();
        let gone = self.people.iter().filter(|(player, _)| table.seat_of(**player).is_none());
        let least = gone.min_by_key(|(_, person)| person.points).map(|(player, _)| *player);
        if let Some(player) = least {
            self.people.remove(&player);
        }
    }

    /// Counts points for someone; nothing if the room has forgotten them.
    fn award(&mut self, points: Points) {
        if let Some(person) = self.people.get_mut(&points.player) {
            person.points = person.points.saturating_add(points.count);
        }
    }

    fn table_changed(&mut self, step: &mut Step<'_>) {
        let done = self.on_board(Act::TableChanged, step);
        debug_assert!(done.is_ok(), "who sits where is not for the rules to refuse");
    }

    /// The people as they sit at this version.
    fn table(&self) -> Table<'_> {
        Table {
            seats: &self.seats,
            people: &self.people,
            prefer_here: self.terms.is_some(),
            at_ms: self.terms.as_ref().map_or(self.active_ms, |terms| terms.at_ms),
        }
    }

    fn seated(&self) -> impl Iterator<Item = (Seat, &Sitter)> {
        let seats = (0..).map(Seat).zip(&self.seats);
        seats.filter_map(|(seat, sitter)| sitter.as_ref().map(|sitter| (seat, sitter)))
    }

    fn again_view(&self) -> Option<AgainView> {
        let terms = self.terms.as_ref()?;
        let begins_in_ms = terms.begins_ms()?.saturating_sub(self.table().at_ms);
        let agreed = self.seated().filter(|(_, sitter)| terms.agrees(sitter.player));
        Some(AgainView { agreed: agreed.map(|(seat, _)| seat).collect(), begins_in_ms })
    }

    fn player_views(&self) -> Vec<PlayerView<'_>> {
        self.seated()
            .map(|(seat, sitter)| {
                let person = self.people.get(&sitter.player);
                PlayerView {
                    seat,
                    name: person.map_or("", |person| &person.name),
                    player: sitter.player,
                    online: sitter.online,
                    away_ms: self.terms.as_ref().and_then(|terms| terms.away_ms(sitter.player)),
                    points: person.map_or(0, |person| person.points),
                    role: self.board.rules().role(sitter.player),
                }
            })
            .collect()
    }
}

fn removed_here() -> Rejection {
    Rejection::unauthorized("the host has removed you from this table")
}
