//! Leaves out some of what is told all the time, when it is more than a page can draw. The
//! judge hears everything. Plain code.
//!
//! What is left out is chosen by what it is about: a move is shown together with what came of
//! it on all screens, and a message together with its answer, or neither is.

use std::hash::{DefaultHasher, Hash, Hasher};

use hangraft_lab::{
    history::{Call, Moment, Outcome},
    timeline::{Line, Told},
};

use crate::lab::store::is_everyday;

/// Calls and pushes, and everyday messages, that are shown each second.
const MOVES_MAX: u32 = 1_500;
const MESSAGES_MAX: u32 = 1_500;

/// How often it is looked how much there is, in microseconds.
const LOOK_US: Moment = 1_000_000;

/// After so many looks at which more could have been shown, more is.
const CALM_LOOKS: u32 = 10;

/// What is left out now.
#[derive(Debug, Default)]
pub(crate) struct Thin {
    moves: Share,
    messages: Share,
    looked: Moment,
}

/// How much of a kind is shown: one in so many, a power of two.
#[derive(Debug)]
struct Share {
    one_in: u64,
    seen: u32,
    /// For so many looks more could have been shown.
    calm: u32,
}

impl Default for Share {
    fn default() -> Self {
        Self { one_in: 1, seen: 0, calm: 0 }
    }
}

impl Share {
    fn shows(&mut self, about: impl Hash) -> bool {
        self.seen += 1;
        let mut hasher = DefaultHasher::new();
        about.hash(&mut hasher);
        hasher.finish().is_multiple_of(self.one_in)
    }

    /// Looks at what came in a time; whether something changes. Less is shown at once, and
    /// more only after a while: else it would change all the time.
    fn look(&mut self, us: Moment, most: u32) -> bool {
        let each_second = u64::from(std::mem::take(&mut self.seen)) * 1_000_000 / us.max(1);
        let needed = each_second.div_ceil(u64::from(most)).next_power_of_two();
        self.calm = if needed < self.one_in { self.calm + 1 } else { 0 };
        let changes = needed > self.one_in || self.calm >= CALM_LOOKS;
        if changes {
            (self.one_in, self.calm) = (needed, 0);
        }
        changes
    }
}

impl Thin {
    /// Lets through what is shown, and says what is not.
    pub(crate) fn pass(&mut self, now: Moment, mut lines: Vec<Line>) -> Vec<Line> {
        lines.retain(|line| self.shows(line));
        let us = now.saturating_sub(self.looked);
        if us >= LOOK_US {
            self.looked = now;
            let changed = [self.moves.look(us, MOVES_MAX), self.messages.look(us, MESSAGES_MAX)];
            if changed.contains(&true) {
                let (about, text) = ("story".into(), self.text());
                lines.push(Line::Told(Told { at: now, node: None, about, text }));
            }
        }
        lines
    }

    fn shows(&mut self, line: &Line) -> bool {
        match line {
            Line::Call(Call { outcome: Outcome::Unknown, .. }) => true,
            Line::Call(call) => match &call.outcome {
                Outcome::Ok { version, .. } => self.moves.shows((&call.room, version.0)),
                _ => self.moves.shows((call.client, call.invoked)),
            },
            Line::Push(push) => self.moves.shows((&push.room, push.version.0)),
            Line::Message(message) if is_everyday(message) => {
                let ends = [message.from, message.to];
                let ends = [ends.iter().min(), ends.iter().max()];
                self.messages.shows((ends, message.index))
            }
            _ => true,
        }
    }

    fn text(&self) -> String {
        let share = |share: &Share, what: &str| match share.one_in {
            1 => format!("all {what}"),
            many => format!("one in {many} of {what}"),
        };
        let moves = share(&self.moves, "the players' moves");
        let messages = share(&self.messages, "the nodes' everyday messages");
        format!("The page shows {moves} and {messages} from here on; the judge hears all of them")
    }
}

#[cfg(test)]
mod tests {
    use hangraft_ids::Version;
    use hangraft_lab::history::{Push, What};

    use super::*;

    fn call(n: u64) -> [Line; 2] {
        let (room, version) = ("abc".to_owned(), Version(n));
        let call = Call {
            invoked: n,
            returned: Some(n + 1),
            client: 1,
            by: "f1".into(),
            room: room.clone(),
            what: What::Write {
                action: "play".into(),
                line: None,
                detail: "e".into(),
                may_change_nothing: false,
            },
            outcome: Outcome::Ok { version, lines: None },
        };
        let push = Push { at: n + 2, client: 2, room, version, resync: false, closed: false };
        [Line::Call(call), Line::Push(push)]
    }

    /// A second with so many moves: how many calls and pushes are shown, and what is told.
    fn second(thin: &mut Thin, number: Moment, moves: u64) -> (usize, usize, Vec<String>) {
        let from = number * 1_000_000;
        let lines = (0..moves).flat_map(|n| call(from + n)).collect();
        let shown = thin.pass(from + 1_000_000, lines);
        let count = |is: fn(&Line) -> bool| shown.iter().filter(|line| is(line)).count();
        let told = shown.iter().filter_map(|line| match line {
            Line::Told(told) => Some(told.text.clone()),
            _ => None,
        });
        let calls = count(|line| matches!(line, Line::Call(_)));
        (calls, count(|line| matches!(line, Line::Push(_))), told.collect())
    }

    /// Few moves are all shown. Of many, some; each with what came of it, and it is told.
    #[test]
    fn what_is_too_much_is_left_out_and_told() {
        let mut thin = Thin::default();
        assert_eq!(second(&mut thin, 0, 100), (100, 100, vec![]));
        let (_, _, told) = second(&mut thin, 1, 6_000);
        assert!(told[0].starts_with("The page shows one in 8 of the players' moves"), "{told:?}");
        let (calls, pushes, told) = second(&mut thin, 2, 6_000);
        assert!((500..1_000).contains(&calls), "{calls}");
        assert_eq!((calls, told.len()), (pushes, 0), "a move comes with its screens");
        let seconds = 3..3 + Moment::from(CALM_LOOKS);
        let told: Vec<_> = seconds.flat_map(|n| second(&mut thin, n, 100).2).collect();
        assert!(
            matches!(&told[..], [all] if all.contains("shows all the players' moves")),
            "{told:?}"
        );
        assert_eq!(second(&mut thin, 50, 100), (100, 100, vec![]));
    }

    /// What nobody knows the end of is worth seeing.
    #[test]
    fn what_stays_unknown_is_shown() {
        let mut thin = Thin::default();
        second(&mut thin, 0, 20_000);
        let [line, _] = call(7);
        let Line::Call(known) = line else { unreachable!("it is a call") };
        let unknown = Line::Call(Call { outcome: Outcome::Unknown, ..known });
        let lines = vec![unknown; 50];
        assert_eq!(thin.pass(1_000_001, lines).len(), 50);
    }
}
