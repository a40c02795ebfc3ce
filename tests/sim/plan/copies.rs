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

/// Of the days without, so many are days on which several machines move at once.
const DAYS_OF_MOVING: f64 = 0.1;

/// How much later than the first the others move then, at most.
const MOVING_MS: u64 = 5_000;

/// Draws what a day has of it.
pub(super) fn draw(seed: u64, machines: usize, millis: u64) -> Copies {
    let mut dice = StdRng::seed_from_u64(seed ^ 0x636f_7069_6573);
    let mut copies = Copies { clocks: Vec::new(), events: Vec::new() };
    let any_time = QUIET_MS..millis.max(QUIET_MS + 1);
    if dice.random_bool(DAYS_WITHOUT) {
        if dice.random_bool(DAYS_OF_MOVING) {
            let first_ms = dice.random_range(any_time);
            for to in 0..dice.random_range(2..=COPIES_MAX) {
                copies.clocks.push(clock(&mut dice));
                let at_ms = first_ms + dice.random_range(0..MOVING_MS);
                let target = super::target(&mut dice, machines);
                let after_ms = dice.random_range(0..4_000);
                let what = What::Migrate { target, to, after_ms };
                copies.events.push(Fault { at_ms: at_ms.min(millis), what });
            }
            copies.events.sort_by_key(|event| event.at_ms);
        }
        return copies;
    }
    for to in 0..dice.random_range(1..=COPIES_MAX) {
        copies.clocks.push(clock(&mut dice));
        let at_ms = dice.random_range(any_time.clone());
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

fn clock(dice: &mut StdRng) -> (i64, i64) {
    (dice.random_range(-200..=200), dice.random_range(-60_000..60_000))
}

#[cfg(test)]
mod tests {
    use super::super::Plan;
    use super::*;

    /// On some days several machines move at once, and nothing is copied.
    #[test]
    fn some_days_are_days_of_moving() {
        let plans: Vec<Copies> = (0..1_000).map(|seed| draw(seed, 3, 20_000)).collect();
        let moves = |copies: &&Copies| {
            let events = &copies.events;
            let moves = events.iter().all(|event| matches!(event.what, What::Migrate { .. }));
            moves
                && events.len() > 1
                && events[events.len() - 1].at_ms < events[0].at_ms + MOVING_MS
        };
        let moving = plans.iter().filter(moves).count();
        assert!((40..140).contains(&moving), "{moving}");
    }

    /// On many days nothing is copied; on the others each further machine gets one disk.
    #[test]
    fn each_further_machine_gets_one_disk() {
        let plans: Vec<Plan> = (0..200).map(|seed| Plan::of(seed, 20_000, None)).collect();
        let with = plans.iter().filter(|plan| plan.copies > 0).count();
        assert!((40..110).contains(&with), "{with}");
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
