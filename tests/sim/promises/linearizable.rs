//! Histories are linearizable, room by room, seen in two ways.
//!
//! Every answer and every linearizable read carries the room's version, so the
//! order is known and a sweep decides: nothing that began after a version was told
//! may be ordered before it (Gibbons and Korach, 1997, for the known order). A
//! second judge does not believe in versions: it looks at the chat as a list that
//! is appended to and read, and searches for any order that explains it (Wing and
//! Gong 1993, with Lowe's memory of states, 2017).
//!
//! Local reads only promise that one connection to one replica never goes back.

use super::truth::Truth;
use super::{Broken, Verdict};
use crate::history::{Action, History, Level, Moment, Outcome};
use hangraft_game::{Lane, RoomId, Version};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const NAME: &str = "linearizable";

/// Something whose place in the order of versions is known.
struct Placed {
    /// In words.
    what: String,
    invoked: Moment,
    returned: Moment,
    /// The version it found, and the one it left.
    found: Version,
    left: Version,
}

/// The sweep over versions.
pub(super) fn by_version(history: &History, truth: &Truth) -> Verdict {
    let mut rooms: BTreeMap<RoomId, Vec<Placed>> = BTreeMap::new();
    for wish in &history.wishes {
        let Some((room, version, returned)) = place(wish, truth) else { continue };
        let made = truth.maker(room, version) == Some((wish.player, Lane::OWN, wish.serial));
        let found = if made { Version(version.0 - 1) } else { version };
        let what = format!("{} who wished for {:?}", wish.player, wish.action);
        let placed = Placed { what, invoked: wish.invoked, returned, found, left: version };
        rooms.entry(room).or_default().push(placed);
    }
    for read in history.reads.iter().filter(|read| read.level == Level::Linearizable) {
        rooms.entry(read.room).or_default().push(Placed {
            what: "a linearizable read".to_owned(),
            invoked: read.invoked,
            returned: read.returned,
            found: read.version,
            left: read.version,
        });
    }
    rooms.into_iter().try_for_each(|(room, placed)| sweep(room, placed))
}

/// Where in the order a wish belongs, and when that was told.
fn place(wish: &crate::history::Wish, truth: &Truth) -> Option<(RoomId, Version, Moment)> {
    match (&wish.outcome, wish.returned) {
        (Outcome::Accepted { room, version }, Some(returned)) => Some((*room, *version, returned)),
        // It took effect, and nobody was told.
        (Outcome::Unknown, _) => {
            let (_, answer) = truth.attempt(wish)?;
            let reply = answer.as_ref().ok()?;
            Some((reply.room()?, reply.version()?, Moment::MAX))
        }
        _ => None,
    }
}

fn sweep(room: RoomId, placed: Vec<Placed>) -> Verdict {
    let mut by_invocation: Vec<&Placed> = placed.iter().collect();
    by_invocation.sort_by_key(|placed| placed.invoked);
    let mut by_return = by_invocation.clone();
    by_return.sort_by_key(|placed| placed.returned);
    let mut told = by_return.into_iter().peekable();
    let (mut newest, mut teller) = (Version(0), None);
    for placed in by_invocation {
        while let Some(earlier) = told.next_if(|earlier| earlier.returned < placed.invoked) {
            if earlier.left > newest {
                (newest, teller) = (earlier.left, Some(earlier));
            }
        }
        if placed.found < newest {
            let teller = teller.map_or("nobody", |teller: &Placed| &teller.what);
            let how = format!(
                "in {room}, {}, who began at moment {}, found version {}, after {teller} had \
                 been told of version {}",
                placed.what, placed.invoked, placed.found.0, newest.0
            );
            return Err(Broken::new(NAME, how));
        }
    }
    Ok(())
}

/// Local reads of one connection never go back.
pub(super) fn local_reads(history: &History) -> Verdict {
    let mut newest: BTreeMap<(u64, RoomId), Version> = BTreeMap::new();
    for read in &history.reads {
        let Level::Local { connection } = read.level else { continue };
        let before = newest.insert((connection, read.room), read.version).unwrap_or_default();
        if read.version < before {
            let how = format!(
                "a local read of {} gave version {} after {} on one connection",
                read.room, read.version.0, before.0
            );
            return Err(Broken::new(NAME, how));
        }
    }
    Ok(())
}

/// An operation on a list that is appended to and read.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    invoked: Moment,
    /// `Moment::MAX` if nobody knows whether it took effect.
    returned: Moment,
    what: Listed,
}

#[derive(Clone, Debug)]
enum Listed {
    Append(String),
    /// The last lines, at most [`LINES_READ`] of them.
    Read(Vec<String>),
}

/// Lines of chat that a room shows.
const LINES_READ: usize = 20;

/// States looked at for one room; more, and the search gives no verdict. Far more
/// than a day's chat needs.
const STATES_MAX: usize = 200_000;

/// The search over the chat.
pub(super) fn by_search(history: &History, truth: &Truth) -> Verdict {
    let mut rooms: BTreeMap<RoomId, Vec<Operation>> = BTreeMap::new();
    for wish in &history.wishes {
        let Action::Say(room, text) = &wish.action else { continue };
        let returned = match wish.outcome {
            Outcome::Accepted { .. } => wish.returned.unwrap_or(Moment::MAX),
            // What was given up on may still have been said.
            Outcome::Unknown if truth.said(*room).contains(text) => Moment::MAX,
            Outcome::Unknown | Outcome::Refused(_) => continue,
        };
        let what = Listed::Append(text.clone());
        let said = Operation { invoked: wish.invoked, returned, what };
        rooms.entry(*room).or_default().push(said);
    }
    for read in history.reads.iter().filter(|read| read.level == Level::Linearizable) {
        let what = Listed::Read(read.chat.clone());
        let read_ = Operation { invoked: read.invoked, returned: read.returned, what };
        rooms.entry(read.room).or_default().push(read_);
    }
    rooms.into_iter().try_for_each(|(room, operations)| match explain(&operations) {
        Explained::No(at) => {
            let how = format!(
                "no order of what was said in {room} explains {:?}, which returned at moment {}",
                operations[at].what, operations[at].returned
            );
            Err(Broken::new(NAME, how))
        }
        Explained::Perhaps => {
            let how = format!("the search for an order of what was said in {room} took too long");
            Err(Broken::new(NAME, how))
        }
        Explained::Yes => Ok(()),
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Explained {
    Yes,
    /// Not beyond this operation.
    No(usize),
    /// The search became too long.
    Perhaps,
}

/// Looks for an order that explains all operations.
fn explain(operations: &[Operation]) -> Explained {
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
        let shown = &self.list[self.list.len().saturating_sub(LINES_READ)..];
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

    #[test]
    fn a_version_told_is_the_least_that_later_ones_find() {
        let placed = |invoked, returned, found, left| Placed {
            what: String::new(),
            invoked,
            returned,
            found: Version(found),
            left: Version(left),
        };
        let room = RoomId(1);
        assert!(
            sweep(room, vec![placed(1, 4, 0, 1), placed(2, 3, 1, 2), placed(5, 6, 2, 2)]).is_ok()
        );
        assert!(sweep(room, vec![placed(1, 2, 4, 5), placed(3, 4, 4, 4)]).is_err());
        assert!(sweep(room, vec![placed(1, 9, 4, 5), placed(3, 4, 4, 4)]).is_ok());
    }
}
