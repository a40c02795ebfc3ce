//! What a part of an open loop has seen. Plain code.

use std::{collections::BTreeMap, time::Duration};

use hangraft_proto::socket::Code;
use serde::{Deserialize, Serialize};

use crate::bench::{
    sockets::{
        open::{game::Due, rhythm::Doing},
        parts::Sum,
    },
    spread::Spread,
};

/// What was planned in the measured time, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sheet {
    pub(super) moves: Fate,
    pub(super) lines: Fate,
    /// Had to wait for the player's last one, or for a new round.
    pub(super) held: u64,
    /// How late the others were sent: the load's own doing.
    pub(super) late: Spread,
    /// Moves and lines that were accepted in the measured time, whenever they were planned.
    pub(super) accepted: u64,
    pub(super) rounds: u64,
    pub(super) refused: BTreeMap<String, u64>,
    /// From when a socket was to be closed until the new one shows what the room showed.
    pub(super) back: Spread,
    /// Sockets that broke, at any time.
    pub(super) lost: u64,
    /// Players and watchers who cannot go on.
    pub(super) stuck: u64,
    pub(super) first_loss: Option<String>,
}

/// What became of moves, or of lines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Fate {
    pub(super) planned: u64,
    pub(super) answered: u64,
    /// Seen on every screen in the room.
    pub(super) seen: u64,
    /// From the planned moment to the answer. Those without one count with the time that
    /// they have waited.
    pub(super) answers: Spread,
    /// From the planned moment to the last screen.
    pub(super) screens: Spread,
}

impl Sheet {
    pub(super) fn planned(&mut self, doing: Doing) {
        self.fate(doing).planned += 1;
    }

    pub(super) fn answered(&mut self, due: &Due, now: Duration) {
        self.held += u64::from(due.held);
        let fate = self.fate(due.doing);
        fate.answered += 1;
        fate.answers.record(now.saturating_sub(due.planned));
    }

    pub(super) fn seen(&mut self, due: &Due, at: Duration) {
        let fate = self.fate(due.doing);
        fate.seen += 1;
        fate.screens.record(at.saturating_sub(due.planned));
    }

    /// It has waited in vain until now.
    pub(super) fn unanswered(&mut self, due: &Due, now: Duration) {
        let fate = self.fate(due.doing);
        fate.answers.record(now.saturating_sub(due.planned));
        fate.screens.record(now.saturating_sub(due.planned));
    }

    /// It was answered, and has not come to every screen until now.
    pub(super) fn unseen(&mut self, due: &Due, now: Duration) {
        self.fate(due.doing).screens.record(now.saturating_sub(due.planned));
    }

    pub(super) fn refused(&mut self, code: Code) {
        *self.refused.entry(code.as_str().into()).or_default() += 1;
    }

    pub(super) fn lost(&mut self, why: &str) {
        self.lost += 1;
        self.first_loss.get_or_insert_with(|| why.into());
    }

    pub(super) fn stuck(&mut self, sockets: usize, why: &str) {
        self.stuck += sockets as u64;
        self.first_loss.get_or_insert_with(|| why.into());
    }

    /// Whether all that was planned until now has come to its end.
    pub(super) fn is_settled(&self) -> bool {
        [&self.moves, &self.lines].iter().all(|fate| fate.planned == fate.seen)
    }

    fn fate(&mut self, doing: Doing) -> &mut Fate {
        match doing {
            Doing::Move => &mut self.moves,
            Doing::Line => &mut self.lines,
        }
    }
}

impl Sum for Sheet {
    fn add(&mut self, other: Self) {
        self.moves.add(&other.moves);
        self.lines.add(&other.lines);
        self.held += other.held;
        self.late.add(&other.late);
        self.accepted += other.accepted;
        self.rounds += other.rounds;
        for (code, count) in other.refused {
            *self.refused.entry(code).or_default() += count;
        }
        self.back.add(&other.back);
        self.lost += other.lost;
        self.stuck += other.stuck;
        self.first_loss = self.first_loss.take().or(other.first_loss);
    }
}

impl Fate {
    fn add(&mut self, other: &Self) {
        self.planned += other.planned;
        self.answered += other.answered;
        self.seen += other.seen;
        self.answers.add(&other.answers);
        self.screens.add(&other.screens);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn due(doing: Doing, planned: u64) -> Due {
        Due { planned: ms(planned), doing, held: false }
    }

    /// All times count from the planned moment, also those of what was never answered.
    #[test]
    fn what_has_waited_in_vain_counts_as_long_as_it_waited() {
        let mut sheet = Sheet::default();
        for planned in [0, 100] {
            sheet.planned(Doing::Move);
            let due = due(Doing::Move, planned);
            match planned {
                0 => {
                    sheet.answered(&due, ms(10));
                    sheet.seen(&due, ms(20));
                    assert!(sheet.is_settled());
                }
                _ => sheet.unanswered(&due, ms(2100)),
            }
        }
        assert!(!sheet.is_settled());
        let moves = &sheet.moves;
        assert_eq!((moves.planned, moves.answered, moves.seen), (2, 1, 1));
        let max = |spread: &Spread| spread.quantiles().map(|times| times.max.round());
        assert_eq!((max(&moves.answers), max(&moves.screens)), (Some(2001.0), Some(2001.0)));
    }

    /// What parts have seen is added up, after it went through JSON.
    #[test]
    fn sheets_are_added_up() {
        let mut one = Sheet::default();
        one.planned(Doing::Line);
        one.answered(&Due { held: true, ..due(Doing::Line, 1) }, ms(4));
        one.refused(Code::GameOver);
        one.lost("broken");
        let sent = serde_json::to_string(&one).unwrap();
        let mut sum = one.clone();
        sum.add(serde_json::from_str(&sent).unwrap());
        assert_eq!((sum.lines.planned, sum.lines.answered, sum.held, sum.lost), (2, 2, 2, 2));
        assert_eq!((sum.refused["game-over"], sum.first_loss.as_deref()), (2, Some("broken")));
    }
}
