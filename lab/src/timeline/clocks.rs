//! Brings the clocks of many processes onto one.
//!
//! Each process has a running clock of its own, and the timeline has one, too. What is looked
//! for is an offset for each process: what to add to its clock. Nothing is known of how long
//! a message took but that it took no less than nothing. So
//!
//! * an offset is not above what the batch shows that came quickest, and not so low that the
//!   first batch were made before it was asked for;
//! * the offsets of two processes between which a message went are such that it was not
//!   received before it was sent.
//!
//! These are difference constraints: of all offsets that fit, the largest are the shortest
//! ways in a graph (Bellman and Ford; Cormen et al., section 22.4). The largest are taken
//! because the quickest of many batches takes next to no time.
//!
//! An offset is constant. Clocks that run apart by more than messages take contradict each
//! other in a long run; then no offsets fit, and those here come close. Whoever listens for
//! hours looks at the last one or two windows of time only.

use super::halves::{Key, key_of};
use crate::history::Moment;
use hangraft_proto::v1::happening::What;
use hangraft_proto::v1::{Happening, Observed};
use std::collections::BTreeMap;

/// A process: a node's id, and the number of its instance.
pub(super) type Process = (u64, u64);

/// What is known of clocks.
#[derive(Debug)]
pub(super) struct Clocks {
    bounds: BTreeMap<Process, Bounds>,
    /// The least of what messages from one to another took, by the clocks of both.
    ways: BTreeMap<(Process, Process), Least>,
    halves: Halves,
    window: Moment,
}

/// Between which an offset is.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Not more than this.
    most: Least,
    /// Not less than this, turned round: the least of what is below nothing.
    least: Least,
}

/// Halves of messages that were told without the other, by what the message is known by and
/// whether it is the sender's: which process told it, and when by its clock. When there are
/// too many, those that are older than some `most` others are forgotten.
#[derive(Debug)]
struct Halves {
    now: BTreeMap<(Key, bool), (Process, u64)>,
    before: BTreeMap<(Key, bool), (Process, u64)>,
    most: usize,
}

impl Clocks {
    /// Looks at all that comes.
    pub(super) fn constant() -> Self {
        Clocks::of(Moment::MAX, usize::MAX)
    }

    /// Looks at what came within the last one or two windows, and keeps at most twice so many
    /// halves of messages.
    pub(super) fn of(window: Moment, halves_max: usize) -> Self {
        let halves = Halves { now: BTreeMap::new(), before: BTreeMap::new(), most: halves_max };
        Clocks { bounds: BTreeMap::new(), ways: BTreeMap::new(), halves, window }
    }

    /// A batch came at `came`, after it had been asked for at `asked`.
    pub(super) fn learn(&mut self, asked: Moment, came: Moment, batch: &Observed) {
        let process = process_of(batch);
        self.heard(process, asked, came, batch.now_us);
        for Happening { at_us, what } in &batch.happenings {
            let (letter, sent) = match what {
                Some(What::Sent(letter)) => (letter, true),
                Some(What::Received(letter)) => (letter, false),
                _ => continue,
            };
            let (key, here) = (key_of(letter), (process, *at_us));
            match self.halves.other((key, sent), here) {
                Some(there) if sent => self.passed(came, here, there),
                Some(there) => self.passed(came, there, here),
                None => {}
            }
        }
    }

    /// A batch that was made at `now_us` of its process came at `came`, after it had been
    /// asked for at `asked`.
    fn heard(&mut self, process: Process, asked: Moment, came: Moment, now_us: u64) {
        let (most, least) = (between(now_us, came), -between(now_us, asked));
        let first = || Bounds { most: Least::of(came, most), least: Least::of(came, least) };
        let known = self.bounds.entry(process).or_insert_with(first);
        known.most.see(came, self.window, most);
        known.least.see(came, self.window, least);
    }

    /// A message was sent by the clock of one, and received by the clock of another. That is
    /// known since `came`.
    fn passed(
        &mut self,
        came: Moment,
        (from, sent_us): (Process, u64),
        (to, received_us): (Process, u64),
    ) {
        let took = between(sent_us, received_us);
        let least = self.ways.entry((from, to)).or_insert_with(|| Least::of(came, took));
        least.see(came, self.window, took);
    }

    /// The offset of each process of which a batch came, as it is seen at `now`.
    pub(super) fn offsets(&self, now: Moment) -> BTreeMap<Process, i64> {
        let mut offsets: BTreeMap<Process, i64> =
            self.bounds.iter().map(|(process, bounds)| (*process, bounds.most.get())).collect();
        let lately = self.window.saturating_mul(2);
        let ways = self.ways.iter().filter(|(_, took)| now.saturating_sub(took.since) <= lately);
        let ways: Vec<_> = ways.map(|(way, took)| (way, took.get())).collect();
        // Without a contradiction no shortest way has more steps than there are processes.
        for _ in 0..offsets.len() {
            let mut moved = false;
            for ((from, to), took) in &ways {
                if let (Some(one), Some(other)) = (offsets.get(from), offsets.get(to)) {
                    let most = other.saturating_add(*took);
                    if *one > most {
                        offsets.insert(*from, most);
                        moved = true;
                    }
                }
            }
            if !moved {
                break;
            }
        }
        for (process, offset) in &mut offsets {
            *offset = (-self.bounds[process].least.get()).max(*offset);
        }
        offsets
    }

    /// A process that will not be heard again.
    pub(super) fn forget(&mut self, process: Process) {
        self.bounds.remove(&process);
        self.ways.retain(|(from, to), _| *from != process && *to != process);
    }
}

impl Halves {
    /// The other half of a message, if it was told; otherwise this one is kept for it.
    fn other(&mut self, (key, sent): (Key, bool), here: (Process, u64)) -> Option<(Process, u64)> {
        let other = (key, !sent);
        if let Some(there) = self.now.remove(&other).or_else(|| self.before.remove(&other)) {
            return Some(there);
        }
        if self.now.len() >= self.most {
            self.before = std::mem::take(&mut self.now);
        }
        self.now.insert((key, sent), here);
        None
    }
}

/// The least of numbers that come one after the other: of those of the window of time that
/// runs, and of the one before it.
#[derive(Clone, Copy, Debug)]
struct Least {
    since: Moment,
    now: i64,
    before: i64,
}

impl Least {
    fn of(at: Moment, number: i64) -> Self {
        Least { since: at, now: number, before: number }
    }

    fn see(&mut self, at: Moment, window: Moment, number: i64) {
        if at.saturating_sub(self.since) >= window {
            *self = Least { since: at, now: number, before: self.now };
        } else {
            self.now = self.now.min(number);
        }
    }

    fn get(&self) -> i64 {
        self.now.min(self.before)
    }
}

pub(super) fn process_of(batch: &Observed) -> Process {
    (batch.node, batch.instance)
}

/// From one number to another.
fn between(from: u64, to: u64) -> i64 {
    let distance = |far: u64, near: u64| i64::try_from(far - near).unwrap_or(i64::MAX);
    if to >= from { distance(to, from) } else { -distance(from, to) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Process = (1, 10);
    const OTHER: Process = (2, 20);

    /// The quickest batch tells the offset, whatever the others took.
    #[test]
    fn the_quickest_batch_tells_the_offset() {
        let mut clocks = Clocks::constant();
        for (came, now_us) in [(900, 50), (1_000, 190), (1_400, 500)] {
            clocks.heard(ONE, 0, came, now_us);
        }
        assert_eq!(clocks.offsets(0)[&ONE], 810);
    }

    /// All that was heard of one process came late. The messages to the other show it.
    #[test]
    fn messages_correct_what_batches_do_not_tell() {
        let mut clocks = Clocks::constant();
        clocks.heard(ONE, 0, 5_000, 1_000);
        clocks.heard(OTHER, 0, 2_000, 1_000);
        assert_eq!(clocks.offsets(0)[&ONE], 4_000);
        // By both clocks at once: sent at 1,000 and there at 1,020.
        clocks.passed(0, (ONE, 1_000), (OTHER, 1_020));
        assert_eq!((clocks.offsets(0)[&ONE], clocks.offsets(0)[&OTHER]), (1_020, 1_000));
    }

    /// Clocks that run apart contradict each other; nothing is moved before it was asked for.
    #[test]
    fn clocks_that_run_apart_have_an_end() {
        let mut clocks = Clocks::constant();
        clocks.heard(ONE, 100, 200, 0);
        clocks.heard(OTHER, 100, 200, 0);
        clocks.passed(0, (ONE, 1_000), (OTHER, 900));
        clocks.passed(0, (OTHER, 1_000), (ONE, 900));
        assert!(clocks.offsets(0).values().all(|offset| (100..=200).contains(offset)));
    }

    /// A clock that runs slow, by a thousandth here: what was known long ago is let go, and
    /// the offset follows.
    #[test]
    fn a_window_follows_clocks_that_run_apart() {
        let (mut all, mut lately) = (Clocks::constant(), Clocks::of(1_000, 10));
        for second in 0..100_u64 {
            let (came, shows) = (second * 1_000, second * 999);
            all.heard(ONE, 0, came, shows);
            lately.heard(ONE, 0, came, shows);
        }
        assert_eq!(all.offsets(99_000)[&ONE], 0);
        assert!((97..=99).contains(&lately.offsets(99_000)[&ONE]));
    }

    /// Halves that never find each other do not fill the memory; new ones are paired.
    #[test]
    fn halves_that_wait_are_bounded() {
        let mut halves = Clocks::of(1_000, 3).halves;
        for number in 0..100 {
            assert_eq!(halves.other(((1, 10, number), true), (ONE, number)), None);
            assert!(halves.now.len() + halves.before.len() <= 6);
        }
        assert_eq!(halves.other(((1, 10, 99), false), (OTHER, 5)), Some((ONE, 99)));
        assert_eq!(halves.other(((1, 10, 1), false), (OTHER, 5)), None);
    }
}
