//! Elections that are torn: the voters lose their power right after they have voted, and whom
//! they voted for is alone at once. A vote that is forgotten is then given once more in the
//! same term.
//!
//! Drawn with dice of its own, so that days without it are as they would be anyway.

use super::{Fault, Plan, QUIET_MS, What};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Of all days, so many have such elections.
const DAYS_WITH: f64 = 0.15;

/// So many on a day at most.
const MOST: u64 = 3;

pub(super) fn draw(plan: &Plan, millis: u64) -> Vec<Fault> {
    let mut dice = StdRng::seed_from_u64(plan.seed ^ 0x656c_6563);
    if !dice.random_bool(DAYS_WITH) || millis <= QUIET_MS {
        return Vec::new();
    }
    // Until whom it voted for has heard of the vote, and has sent it entries as their leader.
    let soon_us = 3 * plan.latency_us + plan.sync_us;
    let faults = (0..dice.random_range(1..=MOST)).map(|_| {
        let what = What::TearElection {
            after_us: dice.random_range(0..soon_us),
            down_ms: dice.random_range(1..60),
            leader_down_ms: dice.random_range(1_000..3_000),
        };
        Fault { at_ms: dice.random_range(QUIET_MS..millis), what }
    });
    faults.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_days_have_torn_elections_while_faults_happen() {
        let days = (0..400).map(|seed| draw(&Plan::of(seed, 20_000, Some(3)), 20_000));
        let with: Vec<Vec<Fault>> = days.filter(|faults| !faults.is_empty()).collect();
        assert!((30..100).contains(&with.len()), "{}", with.len());
        for fault in with.iter().flatten() {
            assert!(matches!(fault.what, What::TearElection { .. }), "{fault:?}");
            assert!((QUIET_MS..20_000).contains(&fault.at_ms), "{fault:?}");
        }
        assert!(draw(&Plan::of(1, 20_000, Some(3)), 0).is_empty(), "a quiet day");
    }
}
