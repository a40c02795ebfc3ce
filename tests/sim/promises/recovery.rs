//! When the faults end: one leader, equal lobbies and progress, and everybody sees
//! the newest version of what they watch, within a bounded time.

use super::{Broken, Verdict};
use crate::history::Outcome;
use hangraft_node::Report;

const NAME: &str = "recovery";

/// After the last fault everything is well within this, in virtual milliseconds:
/// retries of streams take up to 6.4 s, elections and snapshots little.
pub(crate) const WITHIN_MS: u64 = 30_000;

/// Whether the cluster is well: all nodes run, agree on one leader, and have
/// applied the same.
pub(crate) fn is_well(reports: &[Option<Report>]) -> bool {
    let Some(all) = reports.iter().cloned().collect::<Option<Vec<Report>>>() else { return false };
    let first = &all[0];
    let leaders = all.iter().filter(|report| report.state == "leader").count();
    leaders == 1
        && first.applied.is_some()
        && all.iter().all(|report| {
            (report.applied, report.hash, report.term) == (first.applied, first.hash, first.term)
        })
}

/// Whether the wish after the last fault had an effect.
pub(super) fn is_progress(who: &str, outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::Accepted { .. } => Ok(()),
        other => Err(Broken::new(NAME, format!("{who}'s last words were answered {other:?}"))),
    }
}

/// It was not in time.
pub(crate) fn too_late(
    reports: &[Option<Report>],
    players_left: usize,
    behind: Option<String>,
) -> Broken {
    let nodes: Vec<String> = reports
        .iter()
        .enumerate()
        .map(|(number, report)| match report {
            None => format!("n{} does not run", number + 1),
            Some(report) => format!(
                "n{} is {} in term {} at {:?} with hash {:016x}",
                number + 1,
                report.state,
                report.term,
                report.applied,
                report.hash
            ),
        })
        .collect();
    let how = format!(
        "{} s after the last fault {players_left} players wait for an answer; {}; {}",
        WITHIN_MS / 1_000,
        behind.unwrap_or_else(|| "everybody sees the newest".to_owned()),
        nodes.join("; ")
    );
    Broken::new(NAME, how)
}
