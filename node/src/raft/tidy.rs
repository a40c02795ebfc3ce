//! Keeps the log small in bytes.
//!
//! openraft counts log entries, and one entry holds one command or thousands. A
//! restart replays the log behind the last snapshot and the disk holds all of it,
//! so both are bounded by bytes here: enough applied bytes call for a snapshot, and
//! behind a snapshot only so many bytes of log are kept.

use super::machine::Machine;
use super::types::Raft;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::{Instant, interval};

/// Log applied since the last snapshot before the next one is taken. It bounds
/// what a restart replays: about a second's worth.
const SNAPSHOT_AFTER_BYTES: u64 = 32 << 20;

/// Log kept behind a snapshot, so that a node that was away for a moment catches
/// up from the log.
const KEEP_BYTES: u64 = 64 << 20;

/// A snapshot that is missing still is asked for again after this long: the last one
/// could not be read back.
const ASK_AGAIN: Duration = Duration::from_secs(60);

/// How often to look.
const PERIOD: Duration = Duration::from_millis(500);

/// Runs as long as the replica does.
pub(super) async fn run(raft: Raft, machine: Machine) {
    let mut looks = interval(PERIOD);
    let mut asked: Option<(Option<u64>, Instant)> = None;
    let mut purged = 0;
    loop {
        looks.tick().await;
        let durable = *machine.durable_snapshot().borrow();
        let (fresh, purge) = {
            let ledger = machine.ledger();
            (ledger.since(durable), durable.and_then(|index| ledger.behind(index, KEEP_BYTES)))
        };
        // Asked once for each snapshot that is missing, unless it fails to appear.
        let asking = asked.is_some_and(|(at, when)| at == durable && when.elapsed() < ASK_AGAIN);
        if fresh >= SNAPSHOT_AFTER_BYTES && !asking {
            asked = Some((durable, Instant::now()));
            if raft.trigger().snapshot().await.is_err() {
                return;
            }
        }
        if let Some(upto) = purge.filter(|upto| *upto > purged) {
            purged = upto;
            if raft.trigger().purge_log(upto).await.is_err() {
                return;
            }
        }
    }
}

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
    index: u64,
    /// Bytes applied up to and including the entry at `index`.
    total: u64,
}

impl Ledger {
    /// The entry at `index` was applied.
    pub(super) fn add(&mut self, index: u64, bytes: usize) {
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
    fn since(&self, index: Option<u64>) -> u64 {
        let before = self.marks.iter().rev().find(|mark| Some(mark.index) <= index);
        self.total - before.map_or(0, |mark| mark.total)
    }

    /// The newest index not above `upto` that has at least `bytes` behind it.
    fn behind(&self, upto: u64, bytes: u64) -> Option<u64> {
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
            ledger.add(index, 300 << 10);
        }
        let all = 100 * (300 << 10);
        assert_eq!(ledger.since(None), all);
        let half = ledger.since(Some(50));
        assert!((all / 2..=all / 2 + MARK_BYTES + (300 << 10)).contains(&half), "{half}");
        assert_eq!(ledger.since(Some(100)), 0);
    }

    #[test]
    fn only_what_a_snapshot_covers_and_has_enough_behind_it_goes() {
        let mut ledger = Ledger::default();
        for index in 1..=100 {
            ledger.add(index, 1 << 20);
        }
        assert_eq!(ledger.behind(100, 10 << 20), Some(90));
        assert_eq!(ledger.behind(40, 10 << 20), Some(40));
        assert_eq!(ledger.behind(40, 200 << 20), None);
    }
}
