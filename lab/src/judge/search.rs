//! The search that does not believe in versions.
//!
//! It looks at what was written to a room and read from it, and searches for any order that
//! explains what was told (Wing and Gong, 1993, with Lowe's memory of states, 2017). A room is
//! a list of lines, of which a read shows the last few. A register is a list of which a read
//! shows the last line only: that is its value.
//!
//! The answer is exact. Three things keep the search short, and none changes the answer:
//!
//! * A line that nobody was told of and no read shows may be left out: whatever order has it,
//!   has as well without it.
//! * A line that nobody was told of and a read shows was there when that read returned.
//! * A line stands behind the one that a read shows before it. Where reads differ there is no
//!   order.
//!
//! The second and the third are said of lines that are written once.

use crate::history::Moment;
use std::collections::{BTreeMap, BTreeSet};

/// An operation on a list of lines.
#[derive(Clone, Debug)]
pub struct Operation {
    /// When it began.
    pub invoked: Moment,
    /// When it was answered; [`Moment::MAX`] if nobody knows whether it took effect.
    pub returned: Moment,
    /// What it is.
    pub what: Listed,
}

/// What can be done with a list of lines.
#[derive(Clone, Debug)]
pub enum Listed {
    /// Adds a line.
    Append(String),
    /// Shows the last lines, oldest first.
    Read(Vec<String>),
}

/// What the search has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explained {
    /// There is an order.
    Yes,
    /// There is none. Until this operation, by its place, was answered there was one.
    No(usize),
    /// The search became too long.
    Perhaps,
}

/// States looked at for one room; more, and the search gives no verdict. Far more than the
/// lines of a room need, unless very many are written at once and never read.
pub const STATES_MAX: usize = 200_000;

/// Looks for an order that explains all operations on one room, of which reads show at most
/// the last `shown` lines.
pub fn explain(operations: &[Operation], shown: usize) -> Explained {
    explain_within(operations, shown, STATES_MAX)
}

/// The same, and looks at so many states at most.
pub fn explain_within(operations: &[Operation], shown: usize, states_max: usize) -> Explained {
    match look(operations, shown, states_max) {
        Found::Order => Explained::Yes,
        Found::TooMuch => Explained::Perhaps,
        Found::NoOrder => Explained::No(first_wrong(operations, shown, states_max)),
    }
}

/// The operation whose answer was the first to show that there is no order.
///
/// What can be explained at some moment could be explained at every moment before, so the first
/// moment is found by halving.
fn first_wrong(operations: &[Operation], shown: usize, states_max: usize) -> usize {
    let told = (0..operations.len()).filter(|at| operations[*at].returned < Moment::MAX);
    let mut told: Vec<usize> = told.collect();
    told.sort_by_key(|at| operations[*at].returned);
    let first = told.partition_point(|at| {
        look(&until(operations, operations[*at].returned), shown, states_max) != Found::NoOrder
    });
    told.get(first).or(told.last()).copied().unwrap_or_default()
}

/// What was known of operations at a moment: reads that were answered, and writes that had
/// begun.
fn until(operations: &[Operation], moment: Moment) -> Vec<Operation> {
    let begun = operations.iter().filter(|operation| operation.invoked <= moment);
    let known = begun.filter_map(|operation| match &operation.what {
        _ if operation.returned <= moment => Some(operation.clone()),
        Listed::Append(_) => Some(Operation { returned: Moment::MAX, ..operation.clone() }),
        Listed::Read(_) => None,
    });
    known.collect()
}

/// Whether there is an order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Order,
    NoOrder,
    TooMuch,
}

fn look(operations: &[Operation], shown: usize, states_max: usize) -> Found {
    Search::new(operations, &Lines::of(operations, shown), shown).run(states_max)
}

/// The number of a line that a read shows; all that no read shows are [`UNSEEN`].
type Symbol = u32;

const UNSEEN: Symbol = 0;

/// What stands before the first line.
const NOTHING: Symbol = Symbol::MAX;

/// What reads tell of each line, before the search begins.
struct Lines<'a> {
    known: BTreeMap<&'a str, Seen>,
}

/// What reads tell of one line.
struct Seen {
    symbol: Symbol,
    /// How often it is written.
    written: usize,
    /// When the first read that shows it returned.
    shown_at: Moment,
    /// The symbol of what a read shows before it. Nothing is known while it was the oldest
    /// line shown, of more that there were.
    after: Option<Symbol>,
}

impl<'a> Lines<'a> {
    fn of(operations: &'a [Operation], shown: usize) -> Self {
        let mut known: BTreeMap<&str, Seen> = BTreeMap::new();
        for operation in operations {
            let Listed::Read(lines) = &operation.what else { continue };
            let is_whole = lines.len() < shown;
            let mut after = Some(NOTHING).filter(|_| is_whole);
            for line in lines {
                let symbol = known.len() as Symbol + 1;
                let seen = known.entry(line).or_insert(Seen {
                    symbol,
                    written: 0,
                    shown_at: Moment::MAX,
                    after,
                });
                seen.shown_at = seen.shown_at.min(operation.returned);
                seen.after = seen.after.or(after);
                after = Some(seen.symbol);
            }
        }
        for operation in operations {
            if let Listed::Append(line) = &operation.what
                && let Some(seen) = known.get_mut(line.as_str())
            {
                seen.written += 1;
            }
        }
        Lines { known }
    }

    fn symbol(&self, line: &str) -> Symbol {
        self.known.get(line).map_or(UNSEEN, |seen| seen.symbol)
    }

    /// What reads tell of a line that is written once.
    fn once(&self, line: &str) -> Option<&Seen> {
        self.known.get(line).filter(|seen| seen.written == 1)
    }

    /// An operation, as the search takes it: narrowed by what is known before its turn.
    fn step(&self, operation: &Operation) -> Step {
        match &operation.what {
            Listed::Read(lines) => Step::Read(lines.iter().map(|line| self.symbol(line)).collect()),
            Listed::Append(line) => {
                let after = self.once(line).and_then(|seen| seen.after);
                Step::Append { symbol: self.symbol(line), after }
            }
        }
    }

    /// When an operation was over; nothing if it may be left out.
    fn end(&self, operation: &Operation) -> Option<Moment> {
        let end = operation.returned.max(operation.invoked);
        let Listed::Append(line) = &operation.what else { return Some(end) };
        if end < Moment::MAX {
            return Some(end);
        }
        if !self.known.contains_key(line.as_str()) {
            return None;
        }
        // If a read that shows it was over before it began, nothing explains that read.
        Some(self.once(line).map_or(end, |seen| seen.shown_at.max(operation.invoked)))
    }
}

/// An operation, as the search takes it.
enum Step {
    Append {
        symbol: Symbol,
        /// What the last line must be, where that is known.
        after: Option<Symbol>,
    },
    Read(Vec<Symbol>),
}

/// A beginning or an end of an operation, in the order of time.
#[derive(Clone, Copy)]
enum Event {
    Call(usize),
    Return(usize),
}

/// The end of the list of events, and its beginning.
const EDGE: usize = 0;

/// A search in progress.
struct Search {
    steps: Vec<Step>,
    returned: Vec<Moment>,
    shown: usize,
    /// By time; the first is not used, it is the [`EDGE`].
    events: Vec<Event>,
    /// The events that are still to be explained: a ring that begins and ends at the edge.
    next: Vec<usize>,
    previous: Vec<usize>,
    /// Where each operation returns.
    return_of: Vec<usize>,
    done: Done,
    /// The last lines.
    list: Vec<Symbol>,
    /// What was done and how the list was then: from there it was tried already.
    tried: BTreeSet<(DoneKey, Vec<Symbol>)>,
}

impl Search {
    fn new(operations: &[Operation], lines: &Lines<'_>, shown: usize) -> Self {
        let mut timed = Vec::new();
        let mut returned = vec![Moment::MAX; operations.len()];
        let mut done = Done::nothing_of(operations.len());
        for (at, operation) in operations.iter().enumerate() {
            let Some(end) = lines.end(operation) else {
                done.flip(at);
                continue;
            };
            returned[at] = end;
            timed.push((operation.invoked, false, at));
            timed.push((end, true, at));
        }
        // What begins at the moment at which another ends may still come before it.
        timed.sort_unstable();
        let mut events = vec![Event::Return(usize::MAX)];
        let mut return_of = vec![EDGE; operations.len()];
        for (_, is_return, at) in timed {
            if is_return {
                return_of[at] = events.len();
            }
            events.push(if is_return { Event::Return(at) } else { Event::Call(at) });
        }
        let count = events.len();
        Search {
            steps: operations.iter().map(|operation| lines.step(operation)).collect(),
            returned,
            shown,
            events,
            next: (1..count).chain([EDGE]).collect(),
            previous: [count - 1].into_iter().chain(0..count - 1).collect(),
            return_of,
            done,
            list: Vec::new(),
            tried: BTreeSet::new(),
        }
    }

    /// Walks along the events, and takes each call that can be next; at a return of something
    /// that was not taken it goes back to where it had a choice.
    fn run(mut self, states_max: usize) -> Found {
        let mut taken: Vec<(usize, Vec<Symbol>)> = Vec::new();
        let mut at = self.next[EDGE];
        while at != EDGE {
            match self.events[at] {
                Event::Call(operation) => {
                    let before = self.list.clone();
                    if !self.take(operation) {
                        at = self.next[at];
                        continue;
                    }
                    if self.tried.len() > states_max {
                        return Found::TooMuch;
                    }
                    self.lift(at, self.return_of[operation]);
                    taken.push((at, before));
                    at = self.next[EDGE];
                }
                // Only what nobody was told of is left: it may never have happened.
                Event::Return(operation) if self.returned[operation] == Moment::MAX => break,
                Event::Return(_) => {
                    let Some((call, before)) = taken.pop() else { return Found::NoOrder };
                    self.list = before;
                    at = self.put_back(call);
                }
            }
        }
        Found::Order
    }

    /// Does an operation, unless it cannot be next, or was tried from here in vain.
    fn take(&mut self, operation: usize) -> bool {
        let list = match &self.steps[operation] {
            Step::Read(lines) if *lines == self.list => self.list.clone(),
            Step::Append { symbol, after } if after.is_none_or(|after| self.last() == after) => {
                let kept = self.list.len().saturating_sub(self.shown - 1);
                self.list[kept..].iter().copied().chain([*symbol]).collect()
            }
            Step::Read(_) | Step::Append { .. } => return false,
        };
        self.done.flip(operation);
        if !self.tried.insert((self.done.key(), list.clone())) {
            self.done.flip(operation);
            return false;
        }
        self.list = list;
        true
    }

    fn last(&self) -> Symbol {
        self.list.last().copied().unwrap_or(NOTHING)
    }

    /// Takes a call and its return out of the ring.
    fn lift(&mut self, call: usize, end: usize) {
        for event in [call, end] {
            let (previous, next) = (self.previous[event], self.next[event]);
            self.next[previous] = next;
            self.previous[next] = previous;
        }
    }

    /// Puts a call that was taken last, and its return, back into the ring; the event after
    /// the call.
    fn put_back(&mut self, call: usize) -> usize {
        let Event::Call(operation) = self.events[call] else {
            unreachable!("only calls are taken");
        };
        for event in [self.return_of[operation], call] {
            let (previous, next) = (self.previous[event], self.next[event]);
            self.next[previous] = event;
            self.previous[next] = event;
        }
        self.done.flip(operation);
        self.next[call]
    }
}

/// Which operations are done, in few words.
type DoneKey = (usize, Vec<u64>);

/// Which operations are done, one bit each.
struct Done(Vec<u64>);

impl Done {
    fn nothing_of(count: usize) -> Self {
        Done(vec![0; count.div_ceil(64)])
    }

    fn flip(&mut self, at: usize) {
        self.0[at / 64] ^= 1 << (at % 64);
    }

    /// Says the same in fewer words: without those at the beginning in which all is done, of
    /// which it keeps the number, and without those at the end in which nothing is.
    fn key(&self) -> DoneKey {
        let is_full = |word: &&u64| **word == u64::MAX;
        let full = self.0.iter().take_while(is_full).count();
        let empty = self.0[full..].iter().rev().take_while(|word| **word == 0).count();
        (full, self.0[full..self.0.len() - empty].to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHOWN: usize = 20;

    fn append(invoked: Moment, returned: Moment, text: &str) -> Operation {
        Operation { invoked, returned, what: Listed::Append(text.into()) }
    }

    fn read(invoked: Moment, returned: Moment, lines: &[&str]) -> Operation {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        Operation { invoked, returned, what: Listed::Read(lines) }
    }

    #[test]
    fn what_overlaps_may_be_in_any_order() {
        let said = [append(1, 4, "a"), append(2, 3, "b")];
        for lines in [["a", "b"], ["b", "a"]] {
            let mut all = said.to_vec();
            all.push(read(5, 6, &lines));
            assert_eq!(explain(&all, SHOWN), Explained::Yes);
        }
    }

    #[test]
    fn a_read_after_an_answer_shows_what_was_answered() {
        let stale = [append(1, 2, "a"), read(3, 4, &[])];
        assert_eq!(explain(&stale, SHOWN), Explained::No(1));
        let back = [append(1, 8, "a"), read(2, 3, &["a"]), read(4, 5, &[])];
        assert_eq!(explain(&back, SHOWN), Explained::No(2));
    }

    #[test]
    fn what_nobody_was_told_of_may_or_may_not_have_happened() {
        let unknown = append(1, Moment::MAX, "a");
        for lines in [&[][..], &["a"]] {
            assert_eq!(explain(&[unknown.clone(), read(2, 3, lines)], SHOWN), Explained::Yes);
        }
        let late = [unknown.clone(), read(2, 3, &[]), read(4, 5, &["a"])];
        assert_eq!(explain(&late, SHOWN), Explained::Yes);
        let back = [unknown, read(2, 3, &["a"]), read(4, 5, &[])];
        assert_eq!(explain(&back, SHOWN), Explained::No(2));
    }

    #[test]
    fn two_reads_of_two_writes_agree_on_their_order() {
        let all = [
            append(1, 9, "a"),
            append(1, 9, "b"),
            append(10, 11, "c"),
            read(12, 13, &["a", "b", "c"]),
            read(14, 15, &["b", "a", "c"]),
        ];
        assert_eq!(explain(&all[..4], SHOWN), Explained::Yes);
        assert_eq!(explain(&all, SHOWN), Explained::No(4));
    }

    #[test]
    fn a_register_shows_the_value_that_was_written_last() {
        let writes = [append(1, 2, "a"), append(3, 6, "b"), append(4, 5, "a")];
        for (value, explained) in [("b", Explained::Yes), ("a", Explained::Yes)] {
            let mut all = writes.to_vec();
            all.push(read(7, 8, &[value]));
            assert_eq!(explain(&all, 1), explained);
        }
        let stale = [append(1, 2, "a"), append(3, 4, "b"), read(5, 6, &["a"])];
        assert_eq!(explain(&stale, 1), Explained::No(2));
        assert_eq!(explain(&[append(1, 2, "a"), read(3, 4, &[])], 1), Explained::No(1));
    }

    /// A read that shows what nobody wrote is not explained, nor is one that shows too much.
    #[test]
    fn what_was_not_written_yet_is_not_read() {
        assert_eq!(explain(&[read(1, 2, &["a"])], SHOWN), Explained::No(0));
        let early = [read(1, 2, &["a"]), append(3, Moment::MAX, "a")];
        assert_eq!(explain(&early, SHOWN), Explained::No(0));
    }

    /// Ten write at once and are read rarely; two thousand operations, and the last is wrong.
    #[test]
    fn a_long_room_is_judged_quickly_and_without_a_deep_stack() {
        let mut all = Vec::new();
        for round in 0..200 {
            let from = round * 100 + 1;
            let texts: Vec<String> = (0..9).map(|who| format!("{round}.{who}")).collect();
            // Who returned last had its effect first.
            all.extend((0..9).map(|who| append(from + who, from + 50 - who, &texts[who as usize])));
            let what = Listed::Read(texts.into_iter().rev().collect());
            all.push(Operation { invoked: from + 60, returned: from + 70, what });
        }
        assert_eq!(explain(&all, 9), Explained::Yes);
        all.push(read(30_000, 30_001, &["0.0"]));
        assert_eq!(explain(&all, 9), Explained::No(all.len() - 1));
    }

    /// Every order of some operations, one after the other.
    fn is_explained_by_any_order(operations: &[Operation], shown: usize) -> bool {
        fn go_on<'a>(left: &[&'a Operation], list: &mut Vec<&'a str>, shown: usize) -> bool {
            if left.iter().all(|operation| operation.returned == Moment::MAX) {
                return true;
            }
            (0..left.len()).any(|at| {
                let next = left[at];
                if left.iter().any(|other| other.returned < next.invoked) {
                    return false;
                }
                let mut rest = left.to_vec();
                rest.remove(at);
                match &next.what {
                    Listed::Append(line) => {
                        list.push(line);
                        let explained = go_on(&rest, list, shown);
                        list.pop();
                        explained
                    }
                    Listed::Read(lines) => {
                        let from = list.len().saturating_sub(shown);
                        list[from..] == lines[..] && go_on(&rest, list, shown)
                    }
                }
            })
        }
        go_on(&operations.iter().collect::<Vec<_>>(), &mut Vec::new(), shown)
    }

    /// Few operations on few lines within a short time, right or wrong.
    fn operations() -> impl Strategy<Value = Vec<Operation>> {
        let line = || prop::sample::select(vec!["a", "b", "c", "d"]).prop_map(str::to_owned);
        let what = prop_oneof![
            line().prop_map(Listed::Append),
            prop::collection::vec(line(), 0..3).prop_map(Listed::Read),
        ];
        let one = (1..8u64, 0..5u64, prop::bool::weighted(0.2), what);
        let one = one.prop_map(|(invoked, lasts, unknown, what)| {
            let unknown = unknown && matches!(what, Listed::Append(_));
            let returned = if unknown { Moment::MAX } else { invoked + lasts };
            Operation { invoked, returned, what }
        });
        prop::collection::vec(one, 0..7)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]
        /// What narrows the search does not change its answer.
        #[test]
        fn the_search_says_what_every_order_says(operations in operations(), shown in 1..4usize) {
            let explained = explain(&operations, shown) == Explained::Yes;
            prop_assert_eq!(explained, is_explained_by_any_order(&operations, shown));
        }
    }
}
