//! No acknowledged write is lost: its line is in every linearizable read that began after the
//! answer, and the last such read of a room is not older than any answer before it.
//!
//! A room shows its last [`LINES_SHOWN`] lines. A line that is not among so many is lost only
//! if one of them is sure to stand before it.

use super::promise::{Held, OfRooms, Promise};
use super::record::{Done, Names, Room};
use super::wording::{quoted, told};
use crate::history::{LINES_SHOWN, Moment};
use std::collections::BTreeMap;

pub(super) const PROMISE: OfRooms = OfRooms {
    promise: Promise {
        name: "nothing_lost",
        says: "What was acknowledged is there: in every later linearizable read, and at the end.",
    },
    hold,
};

fn hold(names: &Names, room: &Room<'_>, held: &mut Held) {
    let last = room.linearizable().last();
    let accepted = Accepted::of(room.accepted());
    if let Some(last) = last {
        let before = accepted.writes.iter().filter(|write| write.returned < last.call.invoked);
        held.checked += before.count() as u64;
    }
    // A register has one line, the newest.
    let lines_are_lost = !room.is_register() && lines(names, room, &accepted, held);
    // While a room goes on somebody may still read what nobody has read yet.
    if let Some(last) = last.filter(|_| !lines_are_lost && room.is_over) {
        version(names, &last, &accepted.writes, held);
    }
}

/// Writes that were accepted.
pub(super) struct Accepted<'a> {
    writes: Vec<Done<'a>>,
    /// When somebody was told first of each line.
    ends: BTreeMap<&'a str, Moment>,
}

impl<'a> Accepted<'a> {
    pub(super) fn of(writes: impl Iterator<Item = Done<'a>>) -> Self {
        let writes: Vec<Done<'a>> = writes.collect();
        let mut ends: BTreeMap<&str, Moment> = BTreeMap::new();
        for write in &writes {
            if let Some(line) = write.line() {
                let end = ends.entry(line).or_insert(write.returned);
                *end = write.returned.min(*end);
            }
        }
        Accepted { writes, ends }
    }

    /// The first write of which a linearizable read should show the line and does not.
    pub(super) fn missing(&self, read: &Done<'a>) -> Option<&Done<'a>> {
        let lines = read.lines?;
        // What began after this stands behind a line that is shown.
        let first_end = lines.iter().filter_map(|line| self.ends.get(line.as_str())).min();
        let must_stand_behind = |write: &Done<'_>| {
            lines.len() < LINES_SHOWN || first_end.is_some_and(|end| *end < write.call.invoked)
        };
        let before = self.writes.iter().filter(|write| write.returned < read.call.invoked);
        let hidden = |write: &Done<'_>| {
            write.line().is_some_and(|line| !lines.iter().any(|shown| shown == line))
        };
        before.filter(|write| must_stand_behind(write)).find(|write| hidden(write))
    }
}

/// Whether a line is lost on the way.
fn lines(names: &Names, room: &Room<'_>, accepted: &Accepted<'_>, held: &mut Held) -> bool {
    for read in room.linearizable() {
        if let Some(lost) = accepted.missing(&read) {
            let shown = quoted(read.lines.unwrap_or_default());
            let how = format!("{} {} It showed {shown}.", told(names, lost), told(names, &read));
            held.breaks(read.known(), how);
            return true;
        }
    }
    false
}

/// No version is lost in the end.
fn version(names: &Names, last: &Done<'_>, accepted: &[Done<'_>], held: &mut Held) {
    let before = accepted.iter().filter(|write| write.returned < last.call.invoked);
    let newest = before.max_by_key(|write| write.version);
    if let Some(lost) = newest.filter(|newest| newest.version > last.version) {
        let how =
            format!("{} {} Nobody has read it after that.", told(names, lost), told(names, last));
        held.breaks(last.known(), how);
    }
}
