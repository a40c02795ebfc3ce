//! How many bytes of log were applied, and up to where.

use hangraft_ids::LogIndex;
use std::collections::VecDeque;

/// Bytes between marks; what is asked is answered to within this.
const MARK_BYTES: u64 = 1 << 20;

/// Marks kept. Past it the oldest goes, and what lies behind it is purged a little later.
const MARKS_MAX: usize = 4_096;

/// How many bytes of log were applied, and up to which index.
///
/// Invariant: marks grow in index and in total.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    total: u64,
    marks: VecDeque<Mark>,
}

#[derive(Debug)]
struct Mark {
    index: LogIndex,
    /// Bytes applied up to and including the entry at `index`.
    total: u64,
}

impl Ledger {
    /// The entry at `index` was applied.
    pub(super) fn add(&mut self, index: LogIndex, bytes: usize) {
        self.total += bytes as u64;
        let marked = self.marks.back().map_or(0, |mark| mark.total);
        if self.total - marked >= MARK_BYTES {
            self.marks.push_back(Mark { index, total: self.total });
            if self.marks.len() > MARKS_MAX {
                self.marks.pop_front();
            }
        }
    }

    /// About how many bytes were applied after `index`; all of them for `None`.
    pub(super) fn since(&self, index: Option<LogIndex>) -> u64 {
        let before = self.marks.iter().rev().find(|mark| Some(mark.index) <= index);
        self.total - before.map_or(0, |mark| mark.total)
    }

    /// The newest index not above `upto` that has at least `bytes` behind it.
    pub(super) fn behind(&self, upto: LogIndex, bytes: u64) -> Option<LogIndex> {
        let far = |mark: &&Mark| mark.index <= upto && self.total - mark.total >= bytes;
        self.marks.iter().rev().find(far).map(|mark| mark.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_to_within_a_mark() {
        let mut ledger = Ledger::default();
        for index in 1..=100 {
            ledger.add(LogIndex(index), 300 << 10);
        }
        let all = 100 * (300 << 10);
        assert_eq!(ledger.since(None), all);
        let half = ledger.since(Some(LogIndex(50)));
        assert!((all / 2..=all / 2 + MARK_BYTES + (300 << 10)).contains(&half), "{half}");
        assert_eq!(ledger.since(Some(LogIndex(100))), 0);
    }

    #[test]
    fn only_what_a_snapshot_covers_and_has_enough_behind_it_goes() {
        let mut ledger = Ledger::default();
        for index in 1..=100 {
            ledger.add(LogIndex(index), 1 << 20);
        }
        assert_eq!(ledger.behind(LogIndex(100), 10 << 20), Some(LogIndex(90)));
        assert_eq!(ledger.behind(LogIndex(40), 10 << 20), Some(LogIndex(40)));
        assert_eq!(ledger.behind(LogIndex(40), 200 << 20), None);
    }
}
