//! Histories are linearizable, room by room, seen in two ways: by the versions that every
//! answer carries ([`versions`](super::versions)), and by a search that looks at the lines
//! only ([`search`](super::search)).
//!
//! Of a room whose beginning is not known only versions are looked at: nobody knows which lines
//! it had.
//!
//! A room is a list of lines, unless it is a register: then its newest line is its value, and
//! the older lines that a read shows are not looked at.

use super::nothing_lost::Accepted;
use super::promise::{Held, OfRooms, Promise};
use super::record::{Done, Names, Room, line_of};
use super::search::{Explained, Listed, Operation, explain_within};
use super::versions::{Late, Placed, sweep};
use super::wording::{quoted, seconds, told};
use crate::history::{Call, LINES_SHOWN, Moment};

pub(super) const PROMISE: OfRooms = OfRooms {
    promise: Promise {
        name: "linearizable",
        says: "What was written and read of a room has one order, in which nothing stands before \
               what had been answered when it began.",
    },
    hold,
};

fn hold(names: &Names, room: &Room<'_>, held: &mut Held) {
    let placed: Vec<Placed<Done<'_>>> =
        room.accepted().chain(room.linearizable()).map(placed).collect();
    held.checked += placed.len() as u64;
    if let Err(Late { late, told: before }) = sweep(&placed) {
        let how = format!("{} {}", told(names, &before.what), told(names, &late.what));
        held.breaks(late.what.known(), how);
    } else if room.is_whole {
        search(names, room, held);
    }
}

/// A call, where its version says that it belongs.
fn placed(done: Done<'_>) -> Placed<Done<'_>> {
    Placed {
        invoked: done.call.invoked,
        returned: done.returned,
        found: done.found(),
        left: done.version,
        what: done,
    }
}

/// The call that an operation on a room's lines was.
type Known<'a> = (&'a Call, Option<Done<'a>>);

fn search(names: &Names, room: &Room<'_>, held: &mut Held) {
    let (name, is_register) = (room.name, room.is_register());
    let mut operations: Vec<Operation> = Vec::new();
    let mut known: Vec<Known<'_>> = Vec::new();
    for call in room.writes() {
        let Some(line) = line_of(call) else { continue };
        let done = Done::of(call);
        let returned = done.map_or(Moment::MAX, |done| done.returned);
        let what = Listed::Append(line.to_owned());
        operations.push(Operation { invoked: call.invoked, returned, what });
        known.push((call, done));
    }
    for read in room.linearizable() {
        let Some(lines) = read.lines else { continue };
        let from = if is_register { lines.len().saturating_sub(1) } else { 0 };
        let what = Listed::Read(lines[from..].to_vec());
        operations.push(Operation { invoked: read.call.invoked, returned: read.returned, what });
        known.push((read.call, Some(read)));
    }
    match explain_within(&operations, if is_register { 1 } else { LINES_SHOWN }, room.effort) {
        Explained::Yes => {}
        Explained::No(at) => {
            let (call, done) = &known[at];
            let how = match done {
                Some(read) if read.lines.is_some() => unexplained(names, read, &known, is_register),
                Some(write) => format!("{} {NO_ORDER}", told(names, write)),
                None => format!(
                    "{} asked at {} to write {:?} to room {name}. {NO_ORDER}",
                    names.client(call.client),
                    seconds(call.invoked),
                    line_of(call).unwrap_or_default()
                ),
            };
            held.breaks(done.map_or(call.invoked, |done| done.known()), how);
        }
        Explained::Perhaps => {
            let ended = room.done().map(|done| done.known()).max().unwrap_or_default();
            let count = operations.len();
            let how = format!(
                "The search for an order of {count} reads and writes of room {name} took too \
                 long. There is no verdict for this room."
            );
            held.is_undecided(ended, how);
        }
    }
}

const NO_ORDER: &str = "No order of what was written and read explains that.";

/// Why no order explains a read, as simply as it can be told.
fn unexplained(names: &Names, read: &Done<'_>, known: &[Known<'_>], is_register: bool) -> String {
    let shown = read.lines.unwrap_or_default();
    let story = format!("{} It showed {}.", told(names, read), quoted(shown));
    let begun = |line: &String| {
        let writes = known.iter().filter(|(call, _)| line_of(call) == Some(line));
        writes.map(|(call, _)| call.invoked).min()
    };
    for line in shown {
        match begun(line) {
            None => return format!("{story} Nobody has written {line:?}."),
            Some(begun) if begun > read.returned => {
                let begun = seconds(begun);
                return format!("{story} {line:?} was written first at {begun}.");
            }
            Some(_) => {}
        }
    }
    let accepted: Vec<Done<'_>> = known.iter().filter_map(|(_, done)| *done).collect();
    let before = || accepted.iter().filter(|other| other.returned < read.call.invoked);
    let all = Accepted::of(accepted.iter().copied());
    let lost = if is_register {
        before().filter(|other| other.line().is_some()).max_by_key(|other| other.returned)
    } else {
        all.missing(read)
    };
    if let Some(lost) = lost {
        return format!("{} {story}", told(names, lost));
    }
    let newest = before().filter(|other| other.lines.is_some()).max_by_key(|other| other.returned);
    if let Some(other) = newest {
        let lines = quoted(other.lines.unwrap_or_default());
        return format!("{} It showed {lines}. {story} {NO_ORDER}", told(names, other));
    }
    format!("{story} {NO_ORDER}")
}
