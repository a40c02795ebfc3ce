//! The lobby's hashes behind the last entries, so that replicas can be compared.

use hangraft_ids::LogIndex;
use std::collections::VecDeque;

/// Hashes that a replica remembers, one for each entry; several seconds' worth. Who asks
/// for an older one gets none, and asks for a newer one.
const REMEMBERED: usize = 8_192;

/// The lobby's hashes behind the last entries.
#[derive(Default)]
pub(super) struct Hashes {
    /// The index that the newest belongs to.
    newest: LogIndex,
    /// Without a hole.
    hashes: VecDeque<u64>,
}

impl Hashes {
    /// The entry at `index` was applied, or a snapshot up to it.
    pub(super) fn note(&mut self, index: LogIndex, hash: u64) {
        if index != self.newest.next() {
            self.hashes.clear();
        }
        if self.hashes.len() == REMEMBERED {
            self.hashes.pop_front();
        }
        self.newest = index;
        self.hashes.push_back(hash);
    }

    /// The hash behind the entry at `index`, if it is remembered.
    pub(super) fn at(&self, index: LogIndex) -> Option<u64> {
        let age = usize::try_from(self.newest.0.checked_sub(index.0)?).ok()?;
        let place = self.hashes.len().checked_sub(age + 1)?;
        self.hashes.get(place).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_remembered_without_a_hole() {
        let mut hashes = Hashes::default();
        assert_eq!(hashes.at(LogIndex(0)), None);
        for index in 0..10_000 {
            hashes.note(LogIndex(index), index * 2);
        }
        let at = |hashes: &Hashes, index| hashes.at(LogIndex(index));
        assert_eq!(at(&hashes, 9_999), Some(19_998));
        assert_eq!(at(&hashes, 10_000), None);
        let oldest = 10_000 - REMEMBERED as u64;
        assert_eq!((at(&hashes, oldest), at(&hashes, oldest - 1)), (Some(oldest * 2), None));
        // A snapshot skips some.
        hashes.note(LogIndex(20_000), 7);
        assert_eq!((at(&hashes, 20_000), at(&hashes, 19_999)), (Some(7), None));
    }
}
