//! A match of two: what a room has that strangers, or two who asked each other, play in.
//!
//! Two players who do not change, a clock for each move, offers of a draw, claims against
//! who has gone, bots that move when their time of thinking is over, and what came of each
//! round. What is on the board is a matter of the rules; who is here, of the room's terms.
//!
//! ```text
//! Running --(won, drawn, conceded: resigned, out of time, left, claimed)--> Over --(both want)--> Running
//! ```
//!
//! * **Clock.** Whoever is awaited has so many seconds from the moment that they are, and not
//!   a millisecond more. Lobby time stands still without a leader, so nobody loses by what
//!   machines do.
//! * **Draws.** An offer stands until it is answered, the round ends, or the one who is asked
//!   moves. Who has offered may do so again after a move of their own.
//! * **Gone.** Who has been away for [`CLAIM_MS`] may be claimed against: the win, or a draw.
//!   Who never came counts as away since the match was made.
//! * **Again.** Another round begins when both want one. Who goes away wants none any more.
//! * **Bots** take [`THINKING_MS`] for a move, drawn by chance; less where the clock is short.
//!   They never resign while they know a move, decline every draw, and always want to go on.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::bots;
use crate::chance::Chance;
use crate::notices::{Rating, Score};
use crate::rules::Judged;
use hangraft_ids::{PlayerId, RoomId, Seat};

/// How long somebody is away before the other may claim the win, or a draw.
pub(crate) const CLAIM_MS: u64 = 45_000;

/// How long a bot thinks about a move. Never more than half of what its clock has.
const THINKING_MS: Range<u64> = 600..1_801;

/// A round of a match that has been decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Where.
    pub(crate) room: RoomId,
    /// What was played.
    pub(crate) game: &'static str,
    /// Whether it was to count for the ratings.
    pub(crate) rated: bool,
    /// The two, by their seats.
    pub(crate) sides: [Side; 2],
    /// Moves of both.
    pub(crate) moves: u32,
    /// How long it took, in lobby time.
    pub(crate) ms: u64,
    /// How it was decided, in a word.
    pub(crate) how: &'static str,
}

/// One of the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) player: PlayerId,
    pub(crate) name: Arc<str>,
    pub(crate) bot: bool,
    /// What they played, in a word of the rules: "x", "setter".
    pub(crate) side: &'static str,
    pub(crate) score: Score,
}

/// What a round has done to a rating.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RatingChange {
    pub(crate) before: u16,
    pub(crate) after: u16,
    /// Whether it still is provisional.
    pub(crate) provisional: bool,
}

/// How a match came about. Stored: grows at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum By {
    /// Two wanted the same.
    Seek,
    /// One has asked the other.
    Challenge,
    /// Nobody came, or a bot was asked.
    Bot,
}

/// What a room of a match has beside its board.
///
/// Invariants:
/// * The two are different players, and a match with a bot is not rated.
/// * A draw is offered, and somebody awaited, only while a round goes on; who wants another
///   one is known only when it does not.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Contest {
    by: By,
    rated: bool,
    /// Seconds for each move; 0 for as long as one likes.
    clock_s: u8,
    /// By their seats.
    contestants: [Contestant; 2],
    stage: Stage,
}

/// One of the two, and what they did in this round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Contestant {
    pub(crate) player: PlayerId,
    /// How good they are; none for a bot.
    pub(crate) rating: Option<Rating>,
    pub(crate) tally: Tally,
    /// They have offered a draw, and have not moved since.
    has_offered: bool,
    wants_again: bool,
}

/// What somebody did in a round, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) moves: u32,
    /// How long they thought, all in all and about one move, in lobby time.
    pub(crate) ms: u64,
    pub(crate) slowest_ms: u64,
    /// Moves than which none would have been better.
    pub(crate) good: u32,
    /// How lucky they were, in thousandths of a hit.
    pub(crate) luck_permille: i32,
}

/// How far the round is.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Stage {
    Running { began_ms: u64, awaited: Option<Awaited>, draw_offered: Option<Seat> },
    Over(Over),
}

/// What is known of a round that is over, beside what the board knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Over {
    /// How long it took, in lobby time.
    pub(crate) ms: u64,
    /// Somebody was gone for so long that the other has claimed a draw.
    pub(crate) draw_claimed: bool,
    /// None when it was not rated, or is about to be.
    pub(crate) changes: Option<[RatingChange; 2]>,
}

/// Whose move the table waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Awaited {
    pub(crate) seat: Seat,
    since_ms: u64,
    /// The lobby time at which they have lost if they have not moved.
    pub(crate) deadline_ms: Option<u64>,
    /// The lobby time at which they move if they are a bot.
    bot_ms: Option<u64>,
}

/// What is due in a contest by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// The bot in this seat moves.
    Bot(Seat),
    /// Who sits there is out of time.
    Flag(Seat),
}

impl Contest {
    /// A match between these, by their seats, each with how good they are. With a bot it is
    /// not rated, whatever was wanted.
    pub(crate) fn new(
        by: By,
        rated: bool,
        clock_s: u8,
        players: [(PlayerId, Option<Rating>); 2],
        now_ms: u64,
    ) -> Contest {
        let contestants = players.map(|(player, rating)| Contestant {
            player,
            rating: rating.filter(|_| !is_bot(player)),
            tally: Tally::default(),
            has_offered: false,
            wants_again: false,
        });
        let rated = rated && !players.iter().any(|(player, _)| is_bot(*player));
        Contest { by, rated, clock_s, contestants, stage: Stage::running(now_ms) }
    }

    pub(crate) fn by(&self) -> By {
        self.by
    }

    pub(crate) fn is_rated(&self) -> bool {
        self.rated
    }

    pub(crate) fn clock_s(&self) -> u8 {
        self.clock_s
    }

    /// The two with their seats.
    pub(crate) fn contestants(&self) -> impl Iterator<Item = (Seat, &Contestant)> {
        (0..).map(Seat).zip(&self.contestants)
    }

    /// The one who sits there.
    pub(crate) fn contestant(&self, seat: Seat) -> &Contestant {
        &self.contestants[place(seat)]
    }

    pub(crate) fn awaited(&self) -> Option<Awaited> {
        match &self.stage {
            Stage::Running { awaited, .. } => *awaited,
            Stage::Over(_) => None,
        }
    }

    /// Who has offered a draw that was not answered.
    pub(crate) fn draw_offered(&self) -> Option<Seat> {
        match &self.stage {
            Stage::Running { draw_offered, .. } => *draw_offered,
            Stage::Over(_) => None,
        }
    }

    pub(crate) fn over(&self) -> Option<Over> {
        match &self.stage {
            Stage::Running { .. } => None,
            Stage::Over(over) => Some(*over),
        }
    }

    /// The lobby time at which something is due by itself.
    pub(crate) fn due_ms(&self) -> Option<u64> {
        let awaited = self.awaited()?;
        [awaited.deadline_ms, awaited.bot_ms].into_iter().flatten().min()
    }

    /// What is due by now. A bot that is as late as its clock still moves: it is late because
    /// nobody looked.
    pub(crate) fn due(&self, now_ms: u64) -> Option<Due> {
        let awaited = self.awaited()?;
        let by_now = |due_ms: Option<u64>| due_ms.is_some_and(|due_ms| due_ms <= now_ms);
        if by_now(awaited.bot_ms) {
            return Some(Due::Bot(awaited.seat));
        }
        by_now(awaited.deadline_ms).then_some(Due::Flag(awaited.seat))
    }

    /// A round begins.
    pub(crate) fn begin(&mut self, now_ms: u64) {
        for contestant in &mut self.contestants {
            contestant.tally = Tally::default();
            contestant.has_offered = false;
            contestant.wants_again = false;
        }
        self.stage = Stage::running(now_ms);
    }

    /// Waits for a move of whoever sits there from now on; says whether it is another's turn
    /// than before.
    pub(crate) fn wait_for(&mut self, seat: Seat, now_ms: u64, chance: &mut Chance) -> bool {
        let move_ms = (self.clock_s > 0).then(|| u64::from(self.clock_s) * 1_000);
        let is_bot = is_bot(self.contestant(seat).player);
        let Stage::Running { awaited, .. } = &mut self.stage else { return false };
        let before = awaited.map(|awaited| awaited.seat);
        let in_ms = |ms: u64| now_ms.saturating_add(ms);
        *awaited = Some(Awaited {
            seat,
            since_ms: now_ms,
            deadline_ms: move_ms.map(in_ms),
            bot_ms: is_bot.then(|| in_ms(thinking_ms(move_ms, chance))),
        });
        before != Some(seat)
    }

    /// Nobody is waited for any more.
    pub(crate) fn wait_for_nobody(&mut self) {
        if let Stage::Running { awaited, .. } = &mut self.stage {
            *awaited = None;
        }
    }

    /// Who sits there has moved: counted, and an offer they were asked about is gone.
    pub(crate) fn moved(&mut self, seat: Seat, judged: &[Judged], now_ms: u64) {
        let Stage::Running { awaited, draw_offered, .. } = &mut self.stage else { return };
        let since_ms = awaited.filter(|awaited| awaited.seat == seat).map(|it| it.since_ms);
        draw_offered.take_if(|offered| *offered != seat);
        let contestant = &mut self.contestants[place(seat)];
        contestant.has_offered = *draw_offered == Some(seat);
        let tally = &mut contestant.tally;
        let ms = since_ms.map_or(0, |since_ms| now_ms.saturating_sub(since_ms));
        tally.moves = tally.moves.saturating_add(1);
        tally.ms = tally.ms.saturating_add(ms);
        tally.slowest_ms = tally.slowest_ms.max(ms);
        for judged in judged.iter().filter(|judged| judged.seat == seat) {
            tally.good = tally.good.saturating_add(judged.good.into());
            tally.luck_permille = tally.luck_permille.saturating_add(judged.luck_permille);
        }
    }

    /// Whether who sits there may offer a draw now.
    pub(crate) fn may_offer(&self, seat: Seat) -> bool {
        !self.contestant(seat).has_offered && self.draw_offered().is_none()
    }

    /// Who sits there has offered a draw.
    pub(crate) fn offer_draw(&mut self, seat: Seat) {
        if let Stage::Running { draw_offered, .. } = &mut self.stage {
            *draw_offered = Some(seat);
            self.contestants[place(seat)].has_offered = true;
        }
    }

    /// The offer of a draw was declined.
    pub(crate) fn decline_draw(&mut self) {
        if let Stage::Running { draw_offered, .. } = &mut self.stage {
            *draw_offered = None;
        }
    }

    /// The round is over.
    pub(crate) fn end(&mut self, now_ms: u64) {
        if let Stage::Running { began_ms, .. } = self.stage {
            let ms = now_ms.saturating_sub(began_ms);
            self.stage = Stage::Over(Over { ms, draw_claimed: false, changes: None });
        }
    }

    /// The draw in which the round has ended was claimed.
    pub(crate) fn note_draw_claimed(&mut self) {
        if let Stage::Over(over) = &mut self.stage {
            over.draw_claimed = true;
        }
    }

    /// What the round has done to their ratings, by their seats.
    pub(crate) fn rate(&mut self, rated: [RatingChange; 2]) {
        let Stage::Over(Over { changes, .. }) = &mut self.stage else { return };
        *changes = Some(rated);
        for (contestant, change) in self.contestants.iter_mut().zip(rated) {
            let RatingChange { after, provisional, .. } = change;
            contestant.rating = Some(Rating { points: after, provisional });
        }
    }

    /// Who sits there wants another round; says whether that is new.
    pub(crate) fn want_again(&mut self, seat: Seat) -> bool {
        !std::mem::replace(&mut self.contestants[place(seat)].wants_again, true)
    }

    /// Who sits there wants no other round.
    pub(crate) fn want_no_more(&mut self, seat: Seat) {
        self.contestants[place(seat)].wants_again = false;
    }

    /// Who wants another round.
    pub(crate) fn wanting_again(&self) -> impl Iterator<Item = Seat> {
        let wanting = self.contestants().filter(|(_, contestant)| contestant.wants_again);
        wanting.map(|(seat, _)| seat)
    }

    /// Says why no room can have such a contest, if none can.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let [one, other] = &self.contestants;
        if one.player == other.player || [one, other].iter().any(|one| one.player == PlayerId(0)) {
            return Err("a match is between one player");
        }
        if self.rated && [one, other].iter().any(|one| is_bot(one.player)) {
            return Err("a match with a bot is rated");
        }
        let awaited = self.awaited();
        let seats = awaited.map(|awaited| awaited.seat).into_iter().chain(self.draw_offered());
        if seats.into_iter().any(|seat| seat.0 > 1) {
            return Err("a match waits for somebody who does not play it");
        }
        let rightly = |awaited: &Awaited| {
            awaited.deadline_ms.is_some() == (self.clock_s > 0)
                && awaited.bot_ms.is_some() == is_bot(self.contestant(awaited.seat).player)
        };
        if awaited.is_some_and(|awaited| !rightly(&awaited)) {
            return Err("a match waits with another clock than it has");
        }
        let offered = |seat| self.draw_offered() == Some(seat);
        if self.contestants().any(|(seat, one)| offered(seat) && !one.has_offered)
            || (self.over().is_none() && self.wanting_again().next().is_some())
        {
            return Err("somebody in a match has asked for what they have not");
        }
        Ok(())
    }
}

impl Stage {
    fn running(now_ms: u64) -> Stage {
        Stage::Running { began_ms: now_ms, awaited: None, draw_offered: None }
    }
}

/// The other of the two.
pub(crate) fn other(seat: Seat) -> Seat {
    Seat(1 - seat.0.min(1))
}

pub(crate) fn is_bot(player: PlayerId) -> bool {
    bots::find(player).is_some()
}

fn place(seat: Seat) -> usize {
    usize::from(seat.0.min(1))
}

fn thinking_ms(move_ms: Option<u64>, chance: &mut Chance) -> u64 {
    let spread = usize::try_from(THINKING_MS.end - THINKING_MS.start).unwrap_or_default();
    let drawn_ms = THINKING_MS.start + chance.below(spread).unwrap_or_default() as u64;
    move_ms.map_or(drawn_ms, |move_ms| drawn_ms.min(move_ms / 2))
}
