//! The lobby's own time.
//!
//! Clocks of successive leaders may be wrong, run backwards, or be set, so what
//! they say is not comparable. Each batch therefore says how much time it lets
//! pass, as its leader measured it since the batch before, and the lobby adds
//! that up: its time never runs backwards, and one batch never advances it by
//! more than [`GAP_MS_MAX`]. A cluster that slept a night does not throw away
//! the games it was woken for.
//!
//! Batches of older builds say only what their leader's wall clock showed. They
//! go on letting pass what it shows more than at the batch before.

use serde::{Deserialize, Serialize};

use crate::command::{Edition, Stamp};

/// The longest time one batch can let pass. A longer silence counts as this
/// much; whoever drives the lobby ticks it at least this often
/// (see `Lobby::due_in_ms`).
pub(crate) const GAP_MS_MAX: u64 = 60_000;

/// What time it is in the lobby.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Clock {
    /// Lobby time: only grows.
    now_ms: u64,
    /// What the wall clock of the newest batch's leader showed.
    stamp_ms: u64,
}

/// What time it is for a batch, and by which rules it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Now {
    /// Lobby time.
    pub(crate) ms: u64,
    pub(crate) edition: Edition,
}

impl Clock {
    /// What time it is for the batch with this stamp.
    pub(crate) fn now(&self, stamp: Stamp) -> Now {
        Now { ms: self.now_ms, edition: stamp.edition() }
    }

    /// The lobby's time.
    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// The newest stamp, as the leader's wall clock said it.
    pub(crate) fn stamp_ms(&self) -> u64 {
        self.stamp_ms
    }

    /// Lets the time of a batch pass. Once for each batch.
    pub(crate) fn advance(&mut self, stamp: Stamp) {
        let by_clock_ms = stamp.at_ms.saturating_sub(self.stamp_ms);
        let measured_ms = planted!(WallClockBelieved ? None => stamp.passed_ms);
        let gap_ms = measured_ms.unwrap_or(by_clock_ms).min(GAP_MS_MAX);
        self.now_ms = self.now_ms.saturating_add(gap_ms);
        self.stamp_ms = stamp.at_ms;
    }

    /// How much time the next batch must let pass to bring the lobby to `due_ms`, or
    /// as far there as one batch can; 0 if it is there.
    pub(crate) fn until_ms(&self, due_ms: u64) -> u64 {
        due_ms.saturating_sub(self.now_ms).min(GAP_MS_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(at_ms: u64) -> Stamp {
        Stamp { at_ms, seed: 0, passed_ms: None, matches: false }
    }

    /// What counts is what the leader measured, whatever its wall clock shows.
    #[test]
    fn measured_time_passes_whatever_clocks_show() {
        let mut clock = Clock::default();
        for (at_ms, passed_ms, now_ms) in [
            (1_750_000_000_000, 1_000, 1_000),
            // A new leader whose clock is an hour ahead, one that is behind, one at 1970.
            (1_750_003_600_000, 300, 1_300),
            (1_749_999_999_000, 0, 1_300),
            (0, 200, 1_500),
            (u64::MAX, 1, 1_501),
            // The cluster was down for a day.
            (1_750_086_400_000, 86_400_000, 61_501),
            (0, u64::MAX, 121_501),
        ] {
            clock.advance(Stamp { at_ms, seed: 0, passed_ms: Some(passed_ms), matches: false });
            assert_eq!((clock.now_ms(), clock.stamp_ms()), (now_ms, at_ms));
        }
        // Nor is it more when an older build's batches came before.
        clock.advance(at(5_000_000));
        let before_ms = clock.now_ms();
        clock.advance(Stamp { at_ms: 9_000_000, seed: 0, passed_ms: Some(40), matches: false });
        assert_eq!(clock.now_ms(), before_ms + 40);
    }

    #[test]
    fn without_a_measure_time_passes_with_the_stamps_but_never_backwards_and_never_in_leaps() {
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
        assert_eq!(clock.until_ms(4_000), 0);
        assert_eq!(clock.until_ms(7_000), 2_000);
        assert_eq!(clock.until_ms(1_000_000), GAP_MS_MAX);
    }
}
