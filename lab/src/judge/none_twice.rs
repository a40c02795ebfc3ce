//! No write is made twice: a line shows once, and no two writes made one version.

use super::promise::{Held, Promise};
use super::record::{Done, Names, Record, Room, line_of};
use super::wording::{quoted, told};
use hangraft_ids::Version;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

pub(super) const PROMISE: Promise = Promise {
    name: "none_twice",
    says: "What was written once is there once, and no two writes made the same version of a \
           room.",
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

fn hold(record: &Record<'_>) -> Held {
    let mut held = Held::default();
    for room in record.rooms.values() {
        lines(&record.names, room, &mut held);
        versions(&record.names, room, &mut held);
    }
    held
}

/// No read shows a line more often than it was written.
fn lines(names: &Names<'_>, room: &Room<'_>, held: &mut Held) {
    let mut written: BTreeMap<&str, usize> = BTreeMap::new();
    for line in room.writes().filter_map(line_of) {
        *written.entry(line).or_default() += 1;
    }
    let mut found = false;
    for read in room.done() {
        let Some(shown) = read.lines else { continue };
        held.checked += 1;
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for line in shown {
            *times.entry(line).or_default() += 1;
        }
        let most = |line: &str| written.get(line).copied().unwrap_or(1);
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
fn versions(names: &Names<'_>, room: &Room<'_>, held: &mut Held) {
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
