//! What nodes are called.

use crate::timeline::Line;
use hangraft_ids::NodeId;
use std::collections::BTreeMap;

/// The names of nodes. One that a timeline's head does not know, since it joined later, is
/// called by its number, as in "n4".
pub(super) struct Names(BTreeMap<NodeId, String>);

impl Names {
    /// As the head of a timeline has them.
    pub(super) fn of(lines: &[Line]) -> Names {
        let heads = lines.iter().filter_map(|line| match line {
            Line::Head(head) => Some(head),
            _ => None,
        });
        let nodes = heads.flat_map(|head| &head.nodes);
        Names(nodes.map(|node| (node.id, node.name.clone())).collect())
    }

    /// A node's name.
    pub(super) fn name(&self, node: NodeId) -> String {
        self.0.get(&node).cloned().unwrap_or_else(|| format!("n{node}"))
    }

    /// The node that has this name; none when it is a frontend's.
    pub(super) fn node(&self, name: &str) -> Option<NodeId> {
        let known = self.0.iter().find(|(_, other)| *other == name).map(|(id, _)| *id);
        known.or_else(|| name.strip_prefix('n')?.parse().ok().map(NodeId))
    }
}
