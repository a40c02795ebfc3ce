//! At most one leader per term (thesis section 3.4).

use super::{Broken, Verdict};
use hangraft_ids::NodeId;
use hangraft_lab::judge::one_leader::Leaders;
use hangraft_node::Report;

pub(super) const NAME: &str = "one_leader";

/// A node says this of itself.
pub(super) fn see(leaders: &mut Leaders, node: NodeId, report: &Report) -> Verdict {
    if report.state != "leader" {
        return Ok(());
    }
    leaders.see(node, report.term).map_err(|first| {
        Broken::new(NAME, format!("n{first} and n{node} both led term {}", report.term))
    })
}
