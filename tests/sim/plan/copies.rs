//! Data folders that are copied, and machines whose disks move to others: which of it a day
//! has, and when.
//!
//! Drawn with dice of its own, so that days without it are as they would be if nobody ever
//! copied anything.

use super::{Fault, QUIET_MS, What};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What a day has of it.
pub(super) struct Copies {
    /// How fast the clocks of machines are that get somebody else's disk, and how wrong.
    pub(super) clocks: Vec<(i64, i64)>,
    /// In order of their time.
    pub(super) events: Vec<Fault>,
}

/// Of all days, so many have none of it.
const DAYS_WITHOUT: f64 = 0.7;

/// Copies and moves on a day that has some, at most.
const COPIES_MAX: usize = 3;

/// Draws what a day has of it.
pub(super) fn draw(seed: u64, machines: usize, millis: u64) -> Copies {
    let mut dice = StdRng::seed_from_u64(seed ^ 0x636f_7069_6573);
    let mut copies = Copies { clocks: Vec::new(), events: Vec::new() };
    if dice.random_bool(DAYS_WITHOUT) {
        return copies;
    }
    for to in 0..dice.random_range(1..=COPIES_MAX) {
        copies.clocks.push((dice.random_range(-200..=200), dice.random_range(-60_000..60_000)));
        let at_ms = dice.random_range(QUIET_MS..millis.max(QUIET_MS + 1));
        let target = super::target(&mut dice, machines);
        let after_ms = dice.random_range(0..4_000);
        let what = match dice.random_bool(0.7) {
            true => What::Copy { target, to, after_ms },
            false => What::Migrate { target, to, after_ms },
        };
        copies.events.push(Fault { at_ms, what });
    }
    copies.events.sort_by_key(|event| event.at_ms);
    copies
}

#[cfg(test)]
mod tests {
    use super::super::Plan;
    use super::*;

    /// On many days nothing is copied; on the others each further machine gets one disk.
    #[test]
    fn each_further_machine_gets_one_disk() {
        let plans: Vec<Plan> = (0..200).map(|seed| Plan::of(seed, 20_000, None)).collect();
        let with = plans.iter().filter(|plan| plan.copies > 0).count();
        assert!((30..90).contains(&with), "{with}");
        for plan in plans {
            let gets = |fault: &Fault| match fault.what {
                What::Copy { to, .. } | What::Migrate { to, .. } => Some(to),
                _ => None,
            };
            let mut machines: Vec<usize> = plan.faults.iter().filter_map(gets).collect();
            machines.sort_unstable();
            assert!(machines.into_iter().eq(0..plan.copies));
            assert_eq!(plan.clocks.len(), plan.nodes + plan.spares + plan.copies);
        }
    }
}
