//! What a room shows of the match that it is: nothing of it is hidden from anybody.

use serde::Serialize;

use super::Room;
use crate::contest::{By, Contest, Over, Tally};
use crate::rules::Decided;
use hangraft_ids::Seat;

/// A match as it is shown.
#[derive(PartialEq, Serialize)]
pub(super) struct ContestView {
    rated: bool,
    by: By,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<ClockView>,
    ratings: Vec<RatingView>,
    /// Who has offered a draw that was not answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    draw_offered: Option<Seat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gone: Option<GoneView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<ResultView>,
}

/// Seconds for each move, and whose run.
#[derive(PartialEq, Serialize)]
struct ClockView {
    seconds: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    seat: Option<Seat>,
    /// What is left of them, from this version on.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_ms: Option<u64>,
}

/// How good somebody is now.
#[derive(PartialEq, Serialize)]
struct RatingView {
    seat: Seat,
    rating: u16,
    provisional: bool,
}

/// Who is away while the round goes on.
#[derive(PartialEq, Serialize)]
struct GoneView {
    seat: Seat,
    /// How long, from this version on, until the other may claim the win; 0: they may.
    claim_in_ms: u64,
}

/// How the round has ended.
#[derive(PartialEq, Serialize)]
struct ResultView {
    how: &'static str,
    winner: Option<Seat>,
    /// Absent when nothing is rated.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<[ChangeView; 2]>,
    statistics: Vec<TallyView>,
    ms: u64,
}

#[derive(PartialEq, Serialize)]
struct ChangeView {
    seat: Seat,
    before: u16,
    after: u16,
}

/// What somebody did in the round.
#[derive(PartialEq, Serialize)]
struct TallyView {
    seat: Seat,
    moves: u32,
    ms: u64,
    slowest_ms: u64,
    good: u32,
    luck: i32,
}

impl Room {
    pub(super) fn contest_view(&self) -> Option<ContestView> {
        let contest = self.contest()?;
        let ratings = contest.contestants().filter_map(|(seat, contestant)| {
            let rating = contestant.rating?;
            Some(RatingView { seat, rating: rating.points, provisional: rating.provisional })
        });
        Some(ContestView {
            rated: contest.is_rated(),
            by: contest.by(),
            clock: self.clock_view(contest),
            ratings: ratings.collect(),
            draw_offered: contest.draw_offered(),
            gone: self.gone_view(contest),
            result: contest.over().map(|over| self.result_view(contest, over)),
        })
    }

    fn clock_view(&self, contest: &Contest) -> Option<ClockView> {
        let seconds = Some(contest.clock_s()).filter(|seconds| *seconds > 0)?;
        let awaited = contest.awaited();
        let deadline_ms = awaited.and_then(|awaited| awaited.deadline_ms);
        Some(ClockView {
            seconds,
            seat: awaited.map(|awaited| awaited.seat),
            left_ms: deadline_ms.map(|deadline_ms| deadline_ms.saturating_sub(self.made_ms())),
        })
    }

    /// Of two who are away, the one who may be claimed against first.
    fn gone_view(&self, contest: &Contest) -> Option<GoneView> {
        let gone = contest.contestants().filter_map(|(seat, contestant)| {
            let claim_in_ms = self.claim_in_ms(contestant.player, self.made_ms())?;
            Some(GoneView { seat, claim_in_ms })
        });
        gone.min_by_key(|gone| gone.claim_in_ms)
    }

    fn result_view(&self, contest: &Contest, over: Over) -> ResultView {
        let winner = match self.board.rules().decided() {
            Some(Decided::Won(seat)) => Some(seat),
            Some(Decided::Drawn | Decided::Void) | None => None,
        };
        let seats = [Seat(0), Seat(1)];
        let changes = over.changes.map(|changes| {
            seats.map(|seat| {
                let change = changes[usize::from(seat.0)];
                ChangeView { seat, before: change.before, after: change.after }
            })
        });
        let statistics = contest.contestants().map(|(seat, contestant)| {
            let Tally { moves, ms, slowest_ms, good, luck_permille: luck } = contestant.tally;
            TallyView { seat, moves, ms, slowest_ms, good, luck }
        });
        let (how, ms) = (self.ending(), over.ms);
        ResultView { how, winner, changes, statistics: statistics.collect(), ms }
    }
}
