//! No write is made twice: a line shows once, and no two writes made one version.

use super::promise::{Held, OfRooms, Promise};
use super::record::{Done, Names, Room, line_of};
use super::wording::{quoted, told};
use crate::history::Moment;
use hangraft_ids::Version;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

pub(super) const PROMISE: OfRooms = OfRooms {
    promise: Promise {
        name: "none_twice",
        says: "What was written once is there once, and no two writes made the same version of a \
               room.",
    },
    hold,
};

/// Which write made each version of each room.
#[derive(Debug)]
pub struct Makers<R, W>(BTreeMap<(R, Version), W>);

impl<R, W> Default for Makers<R, W> {
    fn default() -> Self {
        Makers(BTreeMap::new())
    }
}

impl<R: Ord, W: Clone> Makers<R, W> {
    /// A write that must change something was told that it made a version.
    ///
    /// # Errors
    /// With the write that was told so before.
    pub fn see(&mut self, room: R, version: Version, write: W) -> Result<(), W> {
        match self.0.entry((room, version)) {
            Entry::Vacant(place) => {
                place.insert(write);
                Ok(())
            }
            Entry::Occupied(other) => Err(other.get().clone()),
        }
    }
}

fn hold(names: &Names, room: &Room<'_>, held: &mut Held) {
    // Where not all that was written is known, nobody knows how often a line was.
    if room.is_whole {
        lines(names, room, held);
    }
    versions(names, room, held);
}

/// No read shows a line more often than it had been asked to be written when it was answered.
fn lines(names: &Names, room: &Room<'_>, held: &mut Held) {
    let mut written: BTreeMap<&str, Vec<Moment>> = BTreeMap::new();
    for write in room.writes() {
        if let Some(line) = line_of(write) {
            written.entry(line).or_default().push(write.invoked);
        }
    }
    let mut found = false;
    for read in room.done() {
        let Some(shown) = read.lines else { continue };
        held.checked += 1;
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for line in shown {
            *times.entry(line).or_default() += 1;
        }
        let most = |line: &str| {
            let asked = written.get(line).map_or(&[][..], Vec::as_slice);
            asked.partition_point(|at| *at <= read.returned).max(1)
        };
        let twice = times.into_iter().find(|(line, times)| *times > most(line));
        if let Some((line, times)) = twice.filter(|_| !found) {
            found = true;
            let how = format!(
                "{} It showed {line:?} {times} times among {}. It was written {}.",
                told(names, &read),
                quoted(shown),
                if most(line) == 1 { "once".to_owned() } else { format!("{} times", most(line)) }
            );
            held.breaks(read.known(), how);
        }
    }
}

/// No two writes that must change something made one version.
fn versions(names: &Names, room: &Room<'_>, held: &mut Held) {
    let mut makers: Makers<(), Done<'_>> = Makers::default();
    let mut found = false;
    for write in room.accepted().filter(Done::has_made_its_version) {
        held.checked += 1;
        if let Err(other) = makers.see((), write.version, write)
            && !found
        {
            found = true;
            let how = format!("{} {}", told(names, &other), told(names, &write));
            held.breaks(write.known().max(other.known()), how);
        }
    }
}
