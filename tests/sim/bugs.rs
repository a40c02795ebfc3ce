//! Planted bugs: whether the judge finds them, and how soon.

use crate::Request;

#[cfg(feature = "planted")]
pub(crate) use planted::{plant, table};

/// Without the feature no bug can be planted.
#[cfg(not(feature = "planted"))]
pub(crate) fn plant(name: Option<&str>) -> anyhow::Result<()> {
    anyhow::ensure!(name.is_none(), WITHOUT);
    Ok(())
}

/// Without the feature there is no table.
#[cfg(not(feature = "planted"))]
pub(crate) fn table(_: &Request, _: usize) -> anyhow::Result<bool> {
    anyhow::bail!(WITHOUT)
}

#[cfg(not(feature = "planted"))]
const WITHOUT: &str = "this build carries no bugs; build it with `--features planted`, as \
                       `scripts/simulate --bugs` does";

#[cfg(feature = "planted")]
mod planted {
    use super::Request;
    use crate::day::Outcome;
    use crate::out::say;
    use crate::sweep;
    use hangraft_planted::Bug;
    use std::sync::Mutex;

    /// Seeds tried for each bug before it counts as not found.
    const SEEDS_MAX: u64 = 2_000;

    /// Plants the bug of this name.
    pub(crate) fn plant(name: Option<&str>) -> anyhow::Result<()> {
        let Some(name) = name else { return Ok(()) };
        hangraft_planted::plant(name.parse()?);
        Ok(())
    }

    /// Plants one bug after the other and prints how many seeds it took to find it;
    /// whether all were found.
    pub(crate) fn table(first: &Request, jobs: usize) -> anyhow::Result<bool> {
        let mut all = true;
        say!("| bug | seeds needed | promise that it breaks |");
        say!("|---|---|---|");
        for bug in Bug::ALL {
            let planted = Request { bug: Some(bug.name().to_owned()), ..first.clone() };
            match find(&planted, jobs) {
                Some(outcome) => {
                    let (promise, _) = outcome.broken.as_ref().expect("only a find is returned");
                    let needed = outcome.seed + 1 - first.seed;
                    let healthy = Request { seed: outcome.seed, bug: None, ..first.clone() }.live();
                    let kept = healthy.broken.is_none();
                    all &= kept;
                    let mark = if kept { "" } else { ", and without the bug, too" };
                    say!("| {} | {needed} | {promise}{mark} |", bug.name());
                }
                None => {
                    all = false;
                    say!("| {} | not in {SEEDS_MAX} | |", bug.name());
                }
            }
        }
        Ok(all)
    }

    /// The first seed that finds the bug.
    fn find(planted: &Request, jobs: usize) -> Option<Outcome> {
        let found: Mutex<Option<Outcome>> = Mutex::new(None);
        let take = |outcome: Outcome| {
            let mut found = found.lock().expect("nothing panics while it is held");
            let first = found.as_ref().is_none_or(|found| outcome.seed < found.seed);
            if outcome.broken.is_some() && first {
                *found = Some(outcome);
            }
            found.is_none()
        };
        sweep::each(planted, SEEDS_MAX, jobs, || true, take, || ());
        found.into_inner().expect("nothing panicked while it was held")
    }
}
