//! The lobby's hashes behind the last entries, so that replicas can be compared.

use std::collections::VecDeque;

/// Hashes that a replica remembers, one for each entry; several seconds' worth. Who asks
/// for an older one gets none, and asks for a newer one.
const REMEMBERED: usize = 8_192;

/// The lobby's hashes behind the last entries.
#[derive(Default)]
pub(super) struct Hashes {
    /// The index that the newest belongs to.
    newest: u64,
    /// Without a hole.
    hashes: VecDeque<u64>,
}

impl Hashes {
    /// The entry at `index` was applied, or a snapshot up to it.
    pub(super) fn note(&mut self, index: u64, hash: u64) {
        if index != self.newest + 1 {
            self.hashes.clear();
        }
        if self.hashes.len() == REMEMBERED {
            self.hashes.pop_front();
        }
        self.newest = index;
        self.hashes.push_back(hash);
    }

    /// The hash behind the entry at `index`, if it is remembered.
    pub(super) fn at(&self, index: u64) -> Option<u64> {
        let age = usize::try_from(self.newest.checked_sub(index)?).ok()?;
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
        assert_eq!(hashes.at(0), None);
        for index in 0..10_000 {
            hashes.note(index, index * 2);
        }
        assert_eq!(hashes.at(9_999), Some(19_998));
        assert_eq!(hashes.at(10_000), None);
        let oldest = 10_000 - REMEMBERED as u64;
        assert_eq!((hashes.at(oldest), hashes.at(oldest - 1)), (Some(oldest * 2), None));
        // A snapshot skips some.
        hashes.note(20_000, 7);
        assert_eq!((hashes.at(20_000), hashes.at(19_999)), (Some(7), None));
    }
}
