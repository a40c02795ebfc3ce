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
//! other in a long run; then no offsets fit, and those here come close.

use crate::history::Moment;
use std::collections::BTreeMap;

/// A process: a node's id, and the number of its instance.
pub(super) type Process = (u64, u64);

/// What is known of clocks.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    bounds: BTreeMap<Process, Bounds>,
    /// The least of what messages from one to another took, by the clocks of both.
    ways: BTreeMap<(Process, Process), i64>,
}

/// Between which an offset is.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    least: i64,
    most: i64,
}

impl Clocks {
    /// A batch that was made at `now_us` of its process came at `came`, after it had been
    /// asked for at `asked`.
    pub(super) fn heard(&mut self, process: Process, asked: Moment, came: Moment, now_us: u64) {
        let (least, most) = (between(now_us, asked), between(now_us, came));
        let known = self.bounds.entry(process).or_insert(Bounds { least, most });
        known.least = known.least.max(least);
        known.most = known.most.min(most);
    }

    /// A message was sent by the clock of one, and received by the clock of another.
    pub(super) fn passed(
        &mut self,
        (from, sent_us): (Process, u64),
        (to, received_us): (Process, u64),
    ) {
        let took = between(sent_us, received_us);
        let least = self.ways.entry((from, to)).or_insert(took);
        *least = took.min(*least);
    }

    /// The offset of each process of which a batch came.
    pub(super) fn offsets(&self) -> BTreeMap<Process, i64> {
        let mut offsets: BTreeMap<Process, i64> =
            self.bounds.iter().map(|(process, bounds)| (*process, bounds.most)).collect();
        // Without a contradiction no shortest way has more steps than there are processes.
        for _ in 0..offsets.len() {
            for ((from, to), took) in &self.ways {
                if let (Some(one), Some(other)) = (offsets.get(from), offsets.get(to)) {
                    let most = other.saturating_add(*took);
                    if *one > most {
                        offsets.insert(*from, most);
                    }
                }
            }
        }
        for (process, offset) in &mut offsets {
            *offset = self.bounds[process].least.max(*offset);
        }
        offsets
    }
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
        let mut clocks = Clocks::default();
        for (came, now_us) in [(900, 50), (1_000, 190), (1_400, 500)] {
            clocks.heard(ONE, 0, came, now_us);
        }
        assert_eq!(clocks.offsets()[&ONE], 810);
    }

    /// All that was heard of one process came late. The messages to the other show it.
    #[test]
    fn messages_correct_what_batches_do_not_tell() {
        let mut clocks = Clocks::default();
        clocks.heard(ONE, 0, 5_000, 1_000);
        clocks.heard(OTHER, 0, 2_000, 1_000);
        assert_eq!(clocks.offsets()[&ONE], 4_000);
        // By both clocks at once: sent at 1,000 and there at 1,020.
        clocks.passed((ONE, 1_000), (OTHER, 1_020));
        assert_eq!((clocks.offsets()[&ONE], clocks.offsets()[&OTHER]), (1_020, 1_000));
    }

    /// Clocks that run apart contradict each other; nothing is moved before it was asked for.
    #[test]
    fn clocks_that_run_apart_have_an_end() {
        let mut clocks = Clocks::default();
        clocks.heard(ONE, 100, 200, 0);
        clocks.heard(OTHER, 100, 200, 0);
        clocks.passed((ONE, 1_000), (OTHER, 900));
        clocks.passed((OTHER, 1_000), (ONE, 900));
        assert!(clocks.offsets().values().all(|offset| (100..=200).contains(offset)));
    }
}
