//! Who has opened how many rooms in this minute.

use imbl::OrdMap;

use crate::digest::{self, Kind};
use hangraft_ids::PlayerId;

/// Rooms a player may open in a minute. More are refused with `too-fast`.
const OPENINGS_MAX: u32 = 20;

/// Minutes are counted in lobby time, and each begins with a clean slate.
const MINUTE_MS: u64 = 60_000;

/// The openings of one minute.
#[derive(Clone, Debug, Default)]
pub(crate) struct Openings {
    minute: u64,
    counts: OrdMap<PlayerId, u32>,
    /// Sum of the counts' digests.
    sum: u64,
}

impl Openings {
    /// Lets time pass.
    pub(crate) fn tick(&mut self, now_ms: u64) {
        let minute = now_ms / MINUTE_MS;
        if minute != self.minute {
            *self = Openings { minute, ..Openings::default() };
        }
    }

    /// Whether a player may open one more.
    pub(crate) fn allows(&self, player: PlayerId) -> bool {
        self.counts.get(&player).is_none_or(|count| *count < OPENINGS_MAX)
    }

    /// Counts one.
    pub(crate) fn count(&mut self, player: PlayerId) {
        let before = self.counts.get(&player).copied().unwrap_or_default();
        let count = before.saturating_add(1);
        if before > 0 {
            self.sum = self.sum.wrapping_sub(digest_of(player, before));
        }
        self.sum = self.sum.wrapping_add(digest_of(player, count));
        self.counts.insert(player, count);
    }

    pub(crate) fn digest(&self) -> u64 {
        digest::of_numbers(Kind::Opening, [self.minute, self.sum])
    }

    pub(crate) fn recompute_digest(&self) -> u64 {
        let digests = self.counts.iter().map(|(player, count)| digest_of(*player, *count));
        digest::of_numbers(Kind::Opening, [self.minute, digests.fold(0, u64::wrapping_add)])
    }

    pub(crate) fn minute(&self) -> u64 {
        self.minute
    }

    pub(crate) fn counts(&self) -> OrdMap<PlayerId, u32> {
        self.counts.clone()
    }

    pub(crate) fn restore_minute(&mut self, minute: u64) {
        self.minute = minute;
    }

    pub(crate) fn restore_count(&mut self, player: PlayerId, count: u32) {
        if count > 0 && self.counts.insert(player, count).is_none() {
            self.sum = self.sum.wrapping_add(digest_of(player, count));
        }
    }
}

fn digest_of(player: PlayerId, count: u32) -> u64 {
    digest::of_numbers(Kind::Opening, [player.0, u64::from(count), 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_in_a_minute_and_then_a_new_minute() {
        let (ann, ben) = (PlayerId(1), PlayerId(2));
        let mut openings = Openings::default();
        openings.tick(61_000);
        for _ in 0..20 {
            assert!(openings.allows(ann));
            openings.count(ann);
            assert_eq!(openings.digest(), openings.recompute_digest());
        }
        assert!(!openings.allows(ann));
        assert!(openings.allows(ben));
        openings.tick(119_999);
        assert!(!openings.allows(ann));
        openings.tick(120_000);
        assert!(openings.allows(ann));
    }
}
