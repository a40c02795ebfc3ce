//! Chance, the same on every replica.

use crate::digest;
use hangraft_ids::{OfferId, RoomId};

/// A source of numbers for one entry, drawn from the batch's seed and the
/// entry's place in the batch (SplitMix64).
pub(crate) struct Chance(u64);

impl Chance {
    /// What the `nth` entry of a batch may draw from.
    pub(crate) fn of(seed: u64, nth: u32) -> Chance {
        Chance(digest::of_words(&[seed, u64::from(nth)]))
    }

    /// What a room may draw from when time, and no entry, makes something happen there.
    pub(crate) fn of_room(seed: u64, room: RoomId) -> Chance {
        // No batch has so many entries.
        Chance(digest::of_words(&[seed ^ room.0.rotate_left(32), u64::MAX]))
    }

    /// What an offer may draw from when time, and no entry, makes a game of it.
    pub(crate) fn of_offer(seed: u64, offer: OfferId) -> Chance {
        Chance(digest::of_words(&[seed ^ offer.0.rotate_left(32), u64::MAX - 1]))
    }

    /// One of `items`, each as likely as the others; none if there are none.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        self.below(items.len()).and_then(|index| items.get(index))
    }

    /// A number below `bound`, each as likely as the others; none if there are none.
    pub(crate) fn below(&mut self, bound: usize) -> Option<usize> {
        // The high half of the product is below the bound. Its bias is below 2^-50 for
        // anything we draw from.
        let drawn = (u128::from(self.draw()) * bound as u128) >> 64;
        (bound > 0).then_some(drawn as usize)
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_draws_the_same_and_every_item_is_reached() {
        let items: Vec<u32> = (0..60).collect();
        let draws = |seed, nth| {
            let mut chance = Chance::of(seed, nth);
            (0..1000).filter_map(|_| chance.pick(&items).copied()).collect::<Vec<_>>()
        };
        assert_eq!(draws(7, 0), draws(7, 0));
        assert_ne!(draws(7, 0), draws(7, 1));
        let mut seen = draws(7, 0);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, items);
    }

    #[test]
    fn nothing_can_be_picked_from_nothing() {
        assert_eq!(Chance::of(1, 0).pick::<u8>(&[]), None);
    }
}
