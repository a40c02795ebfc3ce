//! How a run went, as it is told at its end.

use std::fmt;

use crate::totals::Totals;

/// How one step went.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) name: &'static str,
    pub(crate) good: bool,
    pub(crate) seconds: u64,
}

/// How a run went.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) outcomes: Vec<Outcome>,
    /// What was not tested and why, one a line.
    pub(crate) skipped: String,
    pub(crate) totals: Totals,
    pub(crate) seconds: u64,
}

impl Report {
    /// Whether no step has failed. What was skipped is no failure.
    pub(crate) fn all_well(&self) -> bool {
        self.outcomes.iter().all(|outcome| outcome.good)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let result = if self.good { "ok" } else { "FAILED" };
        write!(f, "{:5} s  {result:<6}  {}", self.seconds, self.name)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "=== done in {} min {} s", self.seconds / 60, self.seconds % 60)?;
        for outcome in &self.outcomes {
            writeln!(f, "{outcome}")?;
        }
        for what in self.skipped.lines() {
            writeln!(f, "SKIPPED: {what}")?;
        }
        for failed in self.outcomes.iter().filter(|outcome| !outcome.good) {
            writeln!(f, "FAILED: {}", failed.name)?;
        }
        writeln!(f, "{}", self.totals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_tells_all_that_matters() {
        let mut report = Report {
            outcomes: vec![
                Outcome { name: "format", good: false, seconds: 3 },
                Outcome { name: "build", good: true, seconds: 12_345 },
            ],
            skipped: "the lints: clippy is missing\nfull disks: not root\n".to_owned(),
            totals: Totals::default(),
            seconds: 125,
        };
        report.totals.read(b"# pass 5\n# fail 1\n");
        assert_eq!(
            report.to_string(),
            "=== done in 2 min 5 s\n    3 s  FAILED  format\n12345 s  ok      build\n\
             SKIPPED: the lints: clippy is missing\nSKIPPED: full disks: not root\n\
             FAILED: format\n5 passed, 1 failed\n"
        );
    }

    /// One step that fails fails the run; one that is skipped does not.
    #[test]
    fn a_step_that_fails_fails_the_run() {
        let report = |good: &[bool]| Report {
            outcomes: good
                .iter()
                .map(|good| Outcome { name: "", good: *good, seconds: 0 })
                .collect(),
            skipped: "something".to_owned(),
            ..Report::default()
        };
        assert!(report(&[]).all_well());
        assert!(report(&[true, true]).all_well());
        assert!(!report(&[true, false]).all_well());
        assert!(!report(&[false, true]).all_well());
    }
}
