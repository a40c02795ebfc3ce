//! The number of voters is odd, and stays what it was: nobody asked for another.

use super::{Broken, Verdict};
use hangraft_node::Report;

const NAME: &str = "membership";

/// The voters that were seen first.
#[derive(Default)]
pub(super) struct Voters(Option<Vec<u64>>);

impl Voters {
    pub(super) fn see(&mut self, number: usize, report: &Report) -> Verdict {
        // A node that has not begun knows no voters yet.
        if report.voters.is_empty() {
            return Ok(());
        }
        let known = self.0.get_or_insert_with(|| report.voters.clone());
        if report.voters.len().is_multiple_of(2) || *known != report.voters {
            let how = format!("n{} has the voters {:?} after {known:?}", number + 1, report.voters);
            return Err(Broken::new(NAME, how));
        }
        Ok(())
    }
}
