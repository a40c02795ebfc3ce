//! The people at a room's table: taking a seat, leaving it, being taken from it, being here,
//! and speaking.

use std::sync::Arc;

use super::{Room, Step};
use crate::answer::Rejection;
use crate::chat::Line;
use crate::event::Event;
use crate::rules::Act;
use crate::table::{Person, Sitter};
use crate::terms::{Terms, shown};
use crate::text;
use hangraft_ids::{PlayerId, Seat};

/// People a room remembers by name and points, seated or not. When there is
/// one more, one who is not seated and has the fewest points is forgotten.
const PEOPLE_MAX: usize = 64;

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

impl Room {
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
        self.meet_as(player, name, likeness);
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
        self.leave_contest(player, step);
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
            self.tell_board(Act::Removed(player), step);
            self.begin_if_agreed(step);
        }
        Ok(())
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

    /// The terms, for who may change them.
    pub(super) fn terms_of_host(&mut self, player: PlayerId) -> Result<&mut Terms, Rejection> {
        if self.contest.is_some() {
            return Err(Rejection::unauthorized("nobody is the host of a match"));
        }
        let terms = self.terms.as_mut().filter(|terms| terms.host == player);
        terms.ok_or_else(|| Rejection::unauthorized("only who opened the room may do this"))
    }

    fn may_sit(&self, player: PlayerId) -> Result<(), Rejection> {
        match &self.terms {
            _ if self.contest.is_some() => {
                Err(Rejection::unauthorized("this match is between two; others can watch it"))
            }
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
    pub(super) fn show_online(&mut self, player: PlayerId, online: bool, step: &mut Step<'_>) {
        let told = step.events.len();
        for (seat, sitter) in (0..).zip(self.seats.iter_mut()) {
            let Some(sitter) = sitter else { continue };
            if sitter.player == player && sitter.online != online {
                sitter.online = online;
                step.events.push(Event::Online { seat: Seat(seat), online });
            }
        }
        if step.events.len() > told && !online {
            self.away_from_contest(player);
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

    /// Remembers a player by name, told apart from everybody else's.
    pub(super) fn meet_as(&mut self, player: PlayerId, name: &str, likeness: &str) {
        let shown = self.told_apart(player, name, likeness);
        self.meet(player, &shown);
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
}

fn removed_here() -> Rejection {
    Rejection::unauthorized("the host has removed you from this table")
}
