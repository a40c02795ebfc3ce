//! The lobby's own time.
//!
//! Stamps come from the wall clocks of successive leaders, which may be wrong,
//! run backwards, or have stood still while the whole cluster was down. The
//! lobby therefore counts a time of its own: it never runs backwards, and one
//! batch never advances it by more than [`GAP_MS_MAX`]. A cluster that slept a
//! night does not throw away the games it was woken for.

use serde::{Deserialize, Serialize};

use crate::command::Stamp;

/// The longest time one batch can let pass. A longer silence counts as this
/// much; whoever drives the lobby ticks it at least this often
/// (see `Lobby::next_due`).
pub(crate) const GAP_MS_MAX: u64 = 60_000;

/// What time it is in the lobby.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Clock {
    /// Lobby time: only grows.
    now_ms: u64,
    /// The newest batch's stamp.
    stamp_ms: u64,
}

impl Clock {
    /// The lobby's time.
    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// The newest stamp, as the leader's wall clock said it.
    pub(crate) fn stamp_ms(&self) -> u64 {
        self.stamp_ms
    }

    /// Lets time pass until `stamp`.
    pub(crate) fn advance(&mut self, stamp: Stamp) {
        let gap_ms = stamp.at_ms.saturating_sub(self.stamp_ms).min(GAP_MS_MAX);
        self.now_ms = self.now_ms.saturating_add(gap_ms);
        self.stamp_ms = stamp.at_ms;
    }

    /// The earliest stamp that brings the lobby to `due_ms`, or as far there
    /// as one batch can.
    pub(crate) fn stamp_for(&self, due_ms: u64) -> u64 {
        let gap_ms = due_ms.saturating_sub(self.now_ms).min(GAP_MS_MAX);
        self.stamp_ms.saturating_add(gap_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(at_ms: u64) -> Stamp {
        Stamp { at_ms, seed: 0 }
    }

    #[test]
    fn time_passes_with_the_stamps_but_never_backwards_and_never_in_leaps() {
        let mut clock = Clock::default();
        for (stamp_ms, now_ms) in [
            (1_000, 1_000),
            (31_000, 31_000),
            // A new leader whose clock is behind.
            (11_000, 31_000),
            (12_000, 32_000),
            // The cluster was down for a day.
            (86_412_000, 92_000),
            (86_412_500, 92_500),
            (u64::MAX, 152_500),
            (0, 152_500),
        ] {
            clock.advance(at(stamp_ms));
            assert_eq!(clock.now_ms(), now_ms, "after {stamp_ms}");
        }
    }

    #[test]
    fn what_is_due_far_away_is_reached_in_steps() {
        let mut clock = Clock::default();
        clock.advance(at(5_000));
        assert_eq!(clock.stamp_for(4_000), 5_000);
        assert_eq!(clock.stamp_for(7_000), 7_000);
        assert_eq!(clock.stamp_for(1_000_000), 65_000);
    }
}
