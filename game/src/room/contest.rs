//! A match in its room: it is opened with both players seated, watches over what happens on
//! the board, and ends a round when a clock, one of the two or both of them do.

use super::seats::Sitting;
use super::{Room, Step};
use crate::answer::Rejection;
use crate::bots;
use crate::contest::{CLAIM_MS, Contest, Due, Ended, RatingChange, Side, is_bot, other};
use crate::event::Event;
use crate::notices::{Notice, Other, Score};
use crate::rules::{Act, Board, Conceded, Decided, Judged};
use crate::table::{Sitter, Who};
use crate::terms::Terms;
use hangraft_ids::{PlayerId, RoomId, Seat};

/// What was done to the board, as far as a contest has to know.
#[derive(Clone, Copy)]
pub(super) enum Done {
    Moved(Who),
    Begun,
    Else,
}

impl Done {
    pub(super) fn of(act: &Act<'_>) -> Done {
        match act {
            Act::Play(who, _) => Done::Moved(*who),
            Act::Again => Done::Begun,
            _ => Done::Else,
        }
    }
}

impl Room {
    /// Opens a room for a match and seats the two. Their names were checked when they asked
    /// for it. Nobody is told whose turn it is: both are told that they are matched.
    pub(crate) fn open_contest(
        id: RoomId,
        board: Board,
        contest: Contest,
        sittings: [Sitting<'_>; 2],
        step: &mut Step<'_>,
    ) -> Room {
        let now_ms = step.now.ms;
        let mut terms = Terms::new(PlayerId(0), false, now_ms);
        terms.locked = true;
        let mut room = Room::open(id, board, Some(terms), now_ms);
        room.contest = Some(Box::new(contest));
        step.events.push(Event::Opened);
        for (place, sitting) in sittings.into_iter().enumerate() {
            room.seat_contestant(place, sitting, step);
        }
        room.note_desertion(now_ms, true);
        room.table_changed(step);
        step.notices.clear();
        room.set_due(room.look_ms());
        room
    }

    fn seat_contestant(&mut self, place: usize, sitting: Sitting<'_>, step: &mut Step<'_>) {
        let Sitting { player, name, likeness, here } = sitting;
        self.seats[place] = Some(Sitter { player, online: true });
        self.meet_as(player, name, likeness);
        if let Some(terms) = &mut self.terms {
            terms.sat(player, here || is_bot(player), step.now.ms);
        }
        let seat = Seat(u8::try_from(place).expect("two play a match"));
        step.events.push(Event::Sat { seat, name: self.table().name(player) });
    }

    /// Whether it is the room of a match whose round is over.
    pub(crate) fn is_finished_contest(&self) -> bool {
        self.contest().is_some_and(|contest| contest.over().is_some())
    }

    /// What the round that is over has done to the ratings of the two, by their seats.
    pub(crate) fn show_ratings(&mut self, changes: [RatingChange; 2]) {
        if let Some(contest) = &mut self.contest {
            contest.rate(changes);
        }
    }

    /// Gives up the round.
    pub(super) fn resign(
        &mut self,
        player: PlayerId,
        step: &mut Step<'_>,
    ) -> Result<(), Rejection> {
        let seat = self.contestant(player, step)?;
        self.on_board(Act::Concede(Who { seat, player }, Conceded::Resigned), step)
    }

    /// Offers a draw, agrees to the other's, or declines it.
    pub(super) fn draw(
        &mut self,
        player: PlayerId,
        agreed: bool,
        step: &mut Step<'_>,
    ) -> Result<(), Rejection> {
        let seat = self.contestant(player, step)?;
        let Some(contest) = &mut self.contest else { return Err(no_match()) };
        match contest.draw_offered().map(|offered| offered != seat) {
            Some(true) if agreed => return self.on_board(Act::AgreeDraw, step),
            Some(true) => {
                contest.decline_draw();
                step.events.push(Event::DrawDeclined { seat });
            }
            _ if !agreed => return Err(Rejection::illegal("nobody has offered you a draw")),
            Some(false) => return Err(Rejection::illegal("your offer of a draw stands already")),
            None if !contest.may_offer(seat) => {
                return Err(Rejection::illegal(
                    "you have offered a draw already; do so again after your next move",
                ));
            }
            None => {
                contest.offer_draw(seat);
                step.events.push(Event::DrawOffered { seat });
                self.answer_as_bot(other(seat), step);
            }
        }
        Ok(())
    }

    /// Ends the round against somebody who has been away for long: the win, or a draw.
    pub(super) fn claim(
        &mut self,
        player: PlayerId,
        win: bool,
        step: &mut Step<'_>,
    ) -> Result<(), Rejection> {
        let seat = self.contestant(player, step)?;
        let gone = self.contestant_at(other(seat)).ok_or_else(no_match)?;
        if self.claim_in_ms(gone.player, step.now.ms) != Some(0) {
            let text = "the other player may still come back; the win can be claimed after 45 s";
            return Err(Rejection::illegal(text));
        }
        if win {
            return self.on_board(Act::Concede(gone, Conceded::Claimed), step);
        }
        self.on_board(Act::AgreeDraw, step)?;
        if let Some(contest) = &mut self.contest {
            contest.note_draw_claimed();
        }
        if let Some(ended) = &mut step.ended {
            ended.how = Conceded::Claimed.as_str();
        }
        Ok(())
    }

    /// Wants another round, or agrees to one.
    pub(super) fn rematch(&mut self, seat: Seat, step: &mut Step<'_>) -> Result<(), Rejection> {
        let Some(contest) = &mut self.contest else { return Err(no_match()) };
        if contest.over().is_none() {
            return Err(Rejection::illegal("this round is not over yet"));
        }
        if self.seats.iter().any(Option::is_none) {
            return Err(Rejection::illegal("the other player has left"));
        }
        if !contest.want_again(seat) {
            return Ok(());
        }
        step.events.push(Event::Agreed { seat });
        let them = contest.contestant(other(seat)).player;
        if is_bot(them) && contest.want_again(other(seat)) {
            step.events.push(Event::Agreed { seat: other(seat) });
        }
        if contest.wanting_again().count() == 2 {
            return self.begin(step);
        }
        let (room, game, other) = (self.id, self.game().into(), self.other_than(seat));
        self.tell_unless_here(them, Notice::Rematch { room, game, other }, step);
        Ok(())
    }

    /// Somebody goes from the table of a match: in a round, they have lost it.
    pub(super) fn leave_contest(&mut self, player: PlayerId, step: &mut Step<'_>) {
        let Some(seat) = self.seat_of(player).filter(|_| self.contest.is_some()) else { return };
        if !self.is_finished_contest() {
            let left = Act::Concede(Who { seat, player }, Conceded::Left);
            let lost = self.on_board(left, step);
            debug_assert!(lost.is_ok(), "a match that goes on can be lost");
        }
        if let Some(contest) = &mut self.contest {
            // Whatever the rules say: nobody plays alone.
            contest.end(step.now.ms);
            contest.want_no_more(Seat(0));
            contest.want_no_more(Seat(1));
        }
    }

    /// Somebody goes away: they are not waited for with another round.
    pub(super) fn away_from_contest(&mut self, player: PlayerId) {
        let seat = self.seat_of(player);
        if let Some((contest, seat)) = self.contest.as_mut().zip(seat) {
            contest.want_no_more(seat);
        }
    }

    /// Does what is due in a match: a bot moves, or a flag falls.
    pub(super) fn pass_in_contest(&mut self, step: &mut Step<'_>) {
        let due = self.contest().and_then(|contest| contest.due(step.now.ms));
        let done = match due {
            None => return,
            Some(Due::Bot(seat)) => self.move_as_bot(seat, step),
            Some(Due::Flag(seat)) => {
                let Some(late) = self.contestant_at(seat) else { return };
                self.on_board(Act::Concede(late, Conceded::Clock), step)
            }
        };
        debug_assert!(done.is_ok(), "who is awaited can move, and can lose");
    }

    /// Says so if a clock has run out and nobody has looked yet: its flag falls first.
    pub(super) fn check_in_time(&self, now_ms: u64) -> Result<(), Rejection> {
        let awaited = self.contest().and_then(Contest::awaited);
        let deadline_ms = awaited.and_then(|awaited| awaited.deadline_ms);
        match deadline_ms {
            Some(deadline_ms) if deadline_ms <= now_ms => {
                Err(Rejection::illegal("the time for this move is over"))
            }
            _ => Ok(()),
        }
    }

    /// Follows what was done to the board.
    pub(super) fn follow(&mut self, done: Done, judged: &[Judged], step: &mut Step<'_>) {
        let now_ms = step.now.ms;
        let Some(contest) = &mut self.contest else { return };
        let moved = match done {
            Done::Moved(who) => Some(who.seat),
            Done::Begun | Done::Else => None,
        };
        match done {
            Done::Moved(who) => contest.moved(who.seat, judged, now_ms),
            Done::Begun => contest.begin(now_ms),
            Done::Else => {}
        }
        if contest.over().is_some() {
            return;
        }
        let rules = self.board.rules();
        if rules.phase().is_over() {
            contest.end(now_ms);
            self.tell_end(step);
            return;
        }
        let awaited = [Seat(0), Seat(1)].into_iter().find(|seat| rules.awaits(*seat));
        let before = contest.awaited().map(|awaited| awaited.seat);
        match awaited {
            None => contest.wait_for_nobody(),
            // What the other did does not stop the clock.
            Some(_) if before == awaited && moved != awaited => {}
            Some(seat) => {
                if contest.wait_for(seat, now_ms, step.chance) {
                    self.tell_turn(seat, step);
                }
            }
        }
    }

    /// How long until somebody may be claimed against, if the round goes on and they are
    /// away; 0 when they may be.
    pub(super) fn claim_in_ms(&self, player: PlayerId, now_ms: u64) -> Option<u64> {
        self.contest().filter(|contest| contest.over().is_none())?;
        let since_ms = self.terms.as_ref()?.away_since_ms(player)?;
        Some(since_ms.saturating_add(CLAIM_MS).saturating_sub(now_ms))
    }

    /// How the round that is over has ended, in a word.
    pub(super) fn ending(&self) -> &'static str {
        let over = self.contest().and_then(Contest::over);
        match self.board.rules().ending() {
            _ if over.is_some_and(|over| over.draw_claimed) => Conceded::Claimed.as_str(),
            Some(how) => how,
            None => Conceded::Left.as_str(),
        }
    }

    /// The seat of one of the two, while their round goes on and their time is not over.
    fn contestant(&self, player: PlayerId, step: &Step<'_>) -> Result<Seat, Rejection> {
        let contest = self.contest().ok_or_else(no_match)?;
        let seat = self.seat_of(player).ok_or(Rejection::NotSeated(self.id))?;
        if contest.over().is_some() {
            return Err(Rejection::GameOver);
        }
        self.check_in_time(step.now.ms)?;
        Ok(seat)
    }

    fn contestant_at(&self, seat: Seat) -> Option<Who> {
        let player = self.contest()?.contestant(seat).player;
        Some(Who { seat, player })
    }

    /// A bot makes its move. One that knows none gives up, so that nobody waits for ever.
    fn move_as_bot(&mut self, seat: Seat, step: &mut Step<'_>) -> Result<(), Rejection> {
        let who = self.contestant_at(seat).ok_or_else(no_match)?;
        let bot = bots::find(who.player);
        let suggest = |bot: bots::Bot| self.board.rules().suggest(who, bot.strength, step.chance);
        let played = match bot.and_then(suggest) {
            Some(mv) => self.on_board(Act::Play(who, &mv), step),
            None => Err(Rejection::illegal("a bot knows no move")),
        };
        played.or_else(|_| self.on_board(Act::Concede(who, Conceded::Resigned), step))
    }

    /// A bot that is asked for a draw declines: it cannot tell how the board stands.
    fn answer_as_bot(&mut self, seat: Seat, step: &mut Step<'_>) {
        let contest = self.contest.as_mut();
        let Some(contest) = contest.filter(|it| is_bot(it.contestant(seat).player)) else { return };
        contest.decline_draw();
        step.events.push(Event::DrawDeclined { seat });
    }

    /// A round was decided: for the ratings, and for whoever does not look.
    fn tell_end(&mut self, step: &mut Step<'_>) {
        let rules = self.board.rules();
        let (Some(contest), Some(decided)) = (self.contest(), rules.decided()) else { return };
        let score = |seat: Seat| match decided {
            Decided::Won(winner) if winner == seat => Score::Won,
            Decided::Won(_) => Score::Lost,
            Decided::Drawn | Decided::Void => Score::Drawn,
        };
        if decided == Decided::Void {
            return;
        }
        let side = |seat: Seat| {
            let player = contest.contestant(seat).player;
            let (name, side) = (self.table().name(player), rules.side(player));
            Side { player, name, bot: is_bot(player), side, score: score(seat) }
        };
        let tallies = contest.contestants().map(|(_, contestant)| contestant.tally.moves);
        let ended = Ended {
            room: self.id,
            game: rules.name(),
            rated: contest.is_rated(),
            sides: [side(Seat(0)), side(Seat(1))],
            moves: tallies.fold(0, u32::saturating_add),
            ms: contest.over().map_or(0, |over| over.ms),
            how: self.ending(),
        };
        for (seat, side) in (0..).map(Seat).zip(&ended.sides) {
            let (room, game, score) = (self.id, ended.game.into(), side.score);
            let notice = Notice::Over { room, game, other: self.other_than(seat), score };
            self.tell_unless_here(side.player, notice, step);
        }
        debug_assert!(step.ended.is_none(), "one round ends at a time");
        step.ended = Some(ended);
    }

    fn tell_turn(&self, seat: Seat, step: &mut Step<'_>) {
        let Some(who) = self.contestant_at(seat) else { return };
        let (room, game, other) = (self.id, self.game().into(), self.other_than(seat));
        self.tell_unless_here(who.player, Notice::Turn { room, game, other }, step);
    }

    /// The other one, for whoever sits in `seat`.
    fn other_than(&self, seat: Seat) -> Other {
        let player = self.contestant_at(other(seat)).map_or(PlayerId(0), |who| who.player);
        Other { player, name: self.table().name(player) }
    }

    fn tell_unless_here(&self, player: PlayerId, notice: Notice, step: &mut Step<'_>) {
        let here = self.terms.as_ref().is_none_or(|terms| terms.is_here(player));
        if !here && !is_bot(player) {
            step.notices.push((player, notice));
        }
    }
}

fn no_match() -> Rejection {
    Rejection::illegal("this room is not that of a match")
}
