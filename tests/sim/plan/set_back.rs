//! Disks that become what they once were: on which days, and when.
//!
//! Drawn with dice of its own, so that days without it are as they would be if no disk ever
//! did.

use super::{Fault, QUIET_MS, What, target};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Of all days, so many have such a disk. One at most: two could be a majority.
const DAYS_WITH: f64 = 0.12;

/// Of days on which such a disk is believed, all have one: the others show nothing of that.
#[cfg(feature = "planted")]
const DAYS_WITH_BUG: f64 = 1.0;

/// How long before it comes back it was put aside, in milliseconds.
const AGE_MS: std::ops::Range<u64> = 300..8_000;

pub(super) fn draw(seed: u64, machines: usize, millis: u64) -> Vec<Fault> {
    let days_with = DAYS_WITH;
    // A bug that makes disks break promises is to be found by that alone.
    #[cfg(feature = "planted")]
    let days_with = match hangraft_planted::is(hangraft_planted::Bug::SetBackGoesOn) {
        true => DAYS_WITH_BUG,
        false if hangraft_planted::disks_are_believed() => return Vec::new(),
        false => days_with,
    };
    let mut dice = StdRng::seed_from_u64(seed ^ 0x7365_7462);
    if !dice.random_bool(days_with) {
        return Vec::new();
    }
    let kept_ms = dice.random_range(QUIET_MS..(millis / 2).max(QUIET_MS + 1));
    let back_ms = (kept_ms + dice.random_range(AGE_MS)).min(millis - 1);
    let (target, down_ms) = (target(&mut dice, machines), dice.random_range(10..2_000));
    vec![
        Fault { at_ms: kept_ms, what: What::KeepDisks },
        Fault { at_ms: back_ms, what: What::SetBack { target, down_ms } },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Few days have it, and then a disk is put aside before it comes back.
    #[test]
    fn few_days_have_a_disk_that_is_set_back() {
        let days: Vec<Vec<Fault>> = (0..400).map(|seed| draw(seed, 3, 20_000)).collect();
        let with: Vec<&Vec<Fault>> = days.iter().filter(|faults| !faults.is_empty()).collect();
        assert!((20..80).contains(&with.len()), "{}", with.len());
        for faults in with {
            let [kept, back] = &faults[..] else { panic!("{faults:?}") };
            assert!(kept.at_ms < back.at_ms && back.at_ms < 20_000, "{faults:?}");
        }
    }
}
