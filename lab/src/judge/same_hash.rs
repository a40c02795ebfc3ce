//! Equal hash at equal index: replicas that have applied the same entries are in the same
//! state, and so is one replica that applies them again (thesis, section 3.6).
//!
//! The simulator holds each node to a lobby of its own instead, to which it applies the
//! committed log. A timeline has no such lobby: here nodes are held to each other.

use super::promise::{Held, Promise};
use super::record::Names;
use super::wording::seconds;
use crate::history::Moment;
use crate::timeline::Log;
use hangraft_ids::{LogIndex, NodeId};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const PROMISE: Promise = Promise {
    name: "same_hash",
    says: "Nodes that have applied the same entries have the same state.",
};

/// Follows what nodes have applied.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Who told of each index first.
    first: BTreeMap<LogIndex, Applied>,
    /// Pairs of nodes that were found to differ. A node that has drifted differs at every index
    /// from then on.
    told: BTreeSet<(NodeId, NodeId)>,
}

/// What a node had applied.
#[derive(Debug)]
struct Applied {
    node: NodeId,
    at: Moment,
    hash: String,
}

impl Watch {
    /// A node tells of its log.
    pub(super) fn see(&mut self, names: &Names, log: &Log, held: &mut Held) {
        let Some(applied) = log.applied.filter(|_| !log.hash.is_empty()) else { return };
        let Some(other) = self.first.get(&applied) else {
            let told = Applied { node: log.node, at: log.at, hash: log.hash.clone() };
            self.first.insert(applied, told);
            return;
        };
        held.checked += 1;
        if other.hash == log.hash || !self.told.insert((other.node, log.node)) {
            return;
        }
        let how = format!(
            "At index {applied} the state of {} had the hash {} at {}, and that of {} had the \
             hash {} at {}.",
            names.node(other.node),
            other.hash,
            seconds(other.at),
            names.node(log.node),
            log.hash,
            seconds(log.at)
        );
        held.breaks(log.at, how);
    }

    /// Keeps the newest indices only. A node that is further behind is compared with nobody.
    pub(super) fn keep(&mut self, most: usize) {
        while self.first.len() > most {
            self.first.pop_first();
        }
    }
}
