//! Committed entries never change: once a node has applied an entry, every node that
//! applies one there applies the same, for ever.
//!
//! What a node calls committed beyond that is not looked at: while it installs a
//! snapshot, its log may still hold what the snapshot replaces.

use super::truth::Truth;
use super::{Broken, Verdict};
use crate::nodes::Who;
use hangraft_ids::LogIndex;
use hangraft_node::Report;

pub(super) const NAME: &str = "committed";

/// Entries before the newest that are compared again each time.
const LOOK_BACK: u64 = 3;

pub(super) fn see(who: &Who, report: &Report, truth: &mut Truth) -> Verdict {
    let disk = &who.disk;
    let Some(applied) = report.applied else { return Ok(()) };
    if disk.last().is_none_or(|last| last.index < applied) {
        // A snapshot was installed, and the log it replaces is not purged yet.
        return Ok(());
    }
    let from = applied.0.saturating_sub(LOOK_BACK).min(truth.len().0);
    for index in (from..=applied.0).map(LogIndex) {
        // What was purged, or skipped by a snapshot, was committed before.
        let Some((at, payload)) = disk.entry(index) else { continue };
        match truth.entry(index) {
            Some((known, bytes)) if *known == at && *bytes == payload => {}
            Some((known, _)) => {
                let how = format!(
                    "entry {index} was applied of term {}, but n{} applies one of term {} there",
                    known.term, who.node, at.term
                );
                return Err(Broken::new(NAME, how));
            }
            None if index == truth.len() => {
                truth.commit(at, payload).map_err(|why| Broken::new(NAME, why))?;
            }
            // A node that was given a snapshot first; the gap closes when
            // somebody who has the entries between is looked at.
            None => return Ok(()),
        }
    }
    Ok(())
}
