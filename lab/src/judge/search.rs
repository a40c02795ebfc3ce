//! The search that does not believe in versions.
//!
//! It looks at a room's lines as a list that is appended to and read, and searches for any
//! order that explains what was told (Wing and Gong, 1993, with Lowe's memory of states, 2017).

use crate::history::{LINES_SHOWN, Moment};
use std::collections::BTreeSet;

/// An operation on a list that is appended to and read.
#[derive(Clone, Debug)]
pub struct Operation {
    /// When it began.
    pub invoked: Moment,
    /// When it was answered; [`Moment::MAX`] if nobody knows whether it took effect.
    pub returned: Moment,
    /// What it is.
    pub what: Listed,
}

/// What can be done with a list.
#[derive(Clone, Debug)]
pub enum Listed {
    /// Adds a line.
    Append(String),
    /// The last lines, at most [`LINES_SHOWN`] of them.
    Read(Vec<String>),
}

/// States looked at for one room; more, and the search gives no verdict. Far more
/// than a day's chat needs.
const STATES_MAX: usize = 200_000;

/// What the search has found.
#[derive(Debug, PartialEq, Eq)]
pub enum Explained {
    /// There is an order.
    Yes,
    /// Not beyond this operation.
    No(usize),
    /// The search became too long.
    Perhaps,
}

/// Looks for an order that explains all operations.
pub fn explain(operations: &[Operation]) -> Explained {
    let mut order: Vec<usize> = (0..operations.len()).collect();
    order.sort_by_key(|at| operations[*at].invoked);
    let mut search = Search {
        operations,
        order: &order,
        done: vec![false; operations.len()],
        list: Vec::new(),
        seen: BTreeSet::new(),
        furthest: None,
    };
    match search.go_on() {
        Some(true) => Explained::Yes,
        Some(false) => Explained::No(search.furthest.unwrap_or(0)),
        None => Explained::Perhaps,
    }
}

struct Search<'a> {
    operations: &'a [Operation],
    /// By invocation.
    order: &'a [usize],
    done: Vec<bool>,
    list: Vec<&'a str>,
    /// What was done and how the list was then, in vain.
    seen: BTreeSet<(Vec<bool>, Vec<&'a str>)>,
    /// The operation that had to be next and could not, at the latest moment.
    furthest: Option<usize>,
}

impl Search<'_> {
    /// Whether the rest can be explained; nothing when that takes too long.
    fn go_on(&mut self) -> Option<bool> {
        // Whoever returned first among those not done sets the limit: all that begin
        // before it are concurrent, and one of them must be next.
        let open = self.order.iter().filter(|at| !self.done[**at]);
        let limit = open.clone().map(|at| self.operations[*at].returned).min();
        let Some(limit) = limit.filter(|limit| *limit < Moment::MAX) else {
            // Only what nobody was told of is left: it may never have happened.
            return Some(true);
        };
        if self.seen.len() > STATES_MAX {
            return None;
        }
        if !self.seen.insert((self.done.clone(), self.list.clone())) {
            return Some(false);
        }
        let next: Vec<usize> =
            open.copied().filter(|at| self.operations[*at].invoked <= limit).collect();
        for at in next.iter().copied() {
            let operations = self.operations;
            match &operations[at].what {
                Listed::Append(text) => self.list.push(text),
                Listed::Read(lines) if self.reads(lines) => {}
                Listed::Read(_) => continue,
            }
            self.done[at] = true;
            if self.go_on()? {
                return Some(true);
            }
            self.done[at] = false;
            if matches!(operations[at].what, Listed::Append(_)) {
                self.list.pop();
            }
        }
        let stuck = next.into_iter().find(|at| self.operations[*at].returned == limit);
        let latest = self.furthest.map_or(0, |at| self.operations[at].returned);
        if limit >= latest {
            self.furthest = stuck;
        }
        Some(false)
    }

    fn reads(&self, lines: &[String]) -> bool {
        let shown = &self.list[self.list.len().saturating_sub(LINES_SHOWN)..];
        shown.len() == lines.len() && shown.iter().zip(lines).all(|(one, other)| one == other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(explain(&all), Explained::Yes);
        }
    }

    #[test]
    fn a_read_after_an_answer_shows_what_was_answered() {
        let stale = [append(1, 2, "a"), read(3, 4, &[])];
        assert_eq!(explain(&stale), Explained::No(1));
        let back = [append(1, 8, "a"), read(2, 3, &["a"]), read(4, 5, &[])];
        assert_eq!(explain(&back), Explained::No(2));
    }

    #[test]
    fn what_nobody_was_told_of_may_or_may_not_have_happened() {
        let unknown = append(1, Moment::MAX, "a");
        for lines in [&[][..], &["a"]] {
            assert_eq!(explain(&[unknown.clone(), read(2, 3, lines)]), Explained::Yes);
        }
        assert_eq!(explain(&[unknown, read(2, 3, &["a"]), read(4, 5, &[])]), Explained::No(2));
    }
}
