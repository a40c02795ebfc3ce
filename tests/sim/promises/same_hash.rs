//! Equal hash at equal index, on all replicas and in the judge's own lobby.

use super::truth::Truth;
use super::{Broken, Verdict};
use hangraft_ids::{LogIndex, NodeId};
use hangraft_node::Report;
use std::collections::BTreeMap;

pub(super) const NAME: &str = "same_hash";

/// Hashes that nodes had at indices which the truth had not reached yet.
#[derive(Default)]
pub(super) struct Hashes(BTreeMap<(LogIndex, NodeId), u64>);

impl Hashes {
    pub(super) fn see(&mut self, node: NodeId, report: &Report, truth: &Truth) -> Verdict {
        if let Some(applied) = report.applied {
            self.0.insert((applied, node), report.hash);
        }
        while let Some((&(index, node), &hash)) = self.0.first_key_value() {
            let Some(expected) = truth.hash(index) else { break };
            self.0.pop_first();
            if hash != expected {
                let how = format!(
                    "at index {index} n{node} has hash {hash:016x}, and the committed log makes \
                     {expected:016x}"
                );
                return Err(Broken::new(NAME, how));
            }
        }
        Ok(())
    }
}
