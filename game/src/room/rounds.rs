//! The rounds that are played in a room: moves, what time does to the board, and another
//! round when those who are here agree.

use super::contest::Done;
use super::{Room, Step};
use crate::answer::Rejection;
use crate::event::{Event, GameEvent};
use crate::rules::Act;
use crate::rules::contract::{Points, Turn};
use crate::table::{Table, Who};
use crate::terms::{Passing, Terms};
use hangraft_ids::PlayerId;

impl Room {
    pub(crate) fn play(
        &mut self,
        player: PlayerId,
        mv: &str,
        step: &mut Step<'_>,
    ) -> Result<(), Rejection> {
        let seat = self.seat_of(player).ok_or(Rejection::NotSeated(self.id))?;
        self.check_in_time(step.now.ms)?;
        self.on_board(Act::Play(Who { seat, player }, mv), step)?;
        self.begin_if_agreed(step);
        Ok(())
    }

    /// Notes that a player wants another round, or that the table goes on without
    /// someone it waits for. It begins when everybody who is seated and here wants it,
    /// or a while after the first.
    pub(crate) fn again(&mut self, player: PlayerId, step: &mut Step<'_>) -> Result<(), Rejection> {
        let seat = self.seat_of(player).ok_or(Rejection::NotSeated(self.id))?;
        if self.contest.is_some() {
            return self.rematch(seat, step);
        }
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
        let expected_ever = self.contest.is_none();
        let passed = self.terms.as_mut().map(|terms| terms.pass(now_ms, expected_ever));
        for (player, passing) in passed.into_iter().flatten() {
            match passing {
                Passing::Away => self.show_online(player, false, step),
                // Nobody else sits down at a match.
                Passing::Free if self.contest.is_some() => {}
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
        self.pass_in_contest(step);
        if begins && self.begins_ms().is_some() {
            self.begin_as_agreed(step);
        } else {
            self.begin_if_agreed(step);
        }
    }

    /// When another round begins whoever has not agreed; none if nobody wants one.
    fn begins_ms(&self) -> Option<u64> {
        self.terms.as_ref().and_then(Terms::begins_ms)
    }

    /// Begins what somebody wants if nobody is left to wait for: everybody who is here
    /// wants it too.
    pub(super) fn begin_if_agreed(&mut self, step: &mut Step<'_>) {
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
    pub(super) fn begin(&mut self, step: &mut Step<'_>) -> Result<(), Rejection> {
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
    pub(super) fn on_board(&mut self, act: Act<'_>, step: &mut Step<'_>) -> Result<(), Rejection> {
        let done = Done::of(&act);
        let Step { now, chance, events, .. } = step;
        let (mut points, mut judged) = (Vec::new(), Vec::new());
        let mut tell = |event| events.push(Event::Game(GameEvent(event)));
        let table = Table {
            seats: &self.seats,
            people: &self.people,
            prefer_here: self.prefers_here(),
            long_gone: self.long_gone(),
            at_ms: now.ms,
        };
        let judging = self.contest.is_some().then_some(&mut judged);
        let mut turn = Turn::new(table, *now, chance, &mut tell, &mut points, judging);
        self.board.act(act, &mut turn)?;
        for points in points {
            self.award(points);
        }
        step.moved += u32::from(matches!(done, Done::Moved(_)));
        self.follow(done, &judged, step);
        Ok(())
    }

    fn forget_agreement(&mut self) {
        if let Some(terms) = &mut self.terms {
            terms.forget_agreement();
        }
    }

    /// Counts points for someone; nothing if the room has forgotten them.
    fn award(&mut self, points: Points) {
        if let Some(person) = self.people.get_mut(&points.player) {
            person.points = person.points.saturating_add(points.count);
        }
    }

    pub(super) fn table_changed(&mut self, step: &mut Step<'_>) {
        self.tell_board(Act::TableChanged, step);
    }

    /// Tells the board what has happened at its table.
    pub(super) fn tell_board(&mut self, act: Act<'_>, step: &mut Step<'_>) {
        let done = self.on_board(act, step);
        debug_assert!(done.is_ok(), "who sits where is not for the rules to refuse");
    }
}
