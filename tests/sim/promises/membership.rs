//! The voters are those that were configured, an odd number: nobody asked for others.

use super::{Broken, Verdict};
use hangraft_node::Report;

const NAME: &str = "membership";

/// The voters there should be.
pub(super) struct Voters(Vec<u64>);

impl Voters {
    pub(super) fn configured(count: usize) -> Self {
        Voters((1..=count as u64).collect())
    }

    pub(super) fn see(&self, number: usize, report: &Report) -> Verdict {
        // A node that has not begun knows no voters yet.
        if report.voters.is_empty() || report.voters == self.0 {
            return Ok(());
        }
        let how = format!("n{} has the voters {:?}, not {:?}", number + 1, report.voters, self.0);
        Err(Broken::new(NAME, how))
    }
}
