//! Equal hash at equal index: replicas that have applied the same entries are in the same
//! state, and so is one replica that applies them again (thesis, section 3.6).
//!
//! The simulator holds each node to a lobby of its own instead, to which it applies the
//! committed log. A timeline has no such lobby: here nodes are held to each other.

use super::promise::{Held, Promise};
use super::record::Record;
use super::wording::seconds;
use crate::timeline::Log;
use hangraft_ids::{LogIndex, NodeId};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const PROMISE: Promise = Promise {
    name: "same_hash",
    says: "Nodes that have applied the same entries have the same state.",
    hold,
};

fn hold(record: &Record<'_>) -> Held {
    let mut held = Held::default();
    let mut first: BTreeMap<LogIndex, &Log> = BTreeMap::new();
    // A node that has drifted differs at every index from then on.
    let mut told: BTreeSet<(NodeId, NodeId)> = BTreeSet::new();
    for log in record.logs.iter().filter(|log| !log.hash.is_empty()) {
        let Some(applied) = log.applied else { continue };
        let Some(other) = first.get(&applied) else {
            first.insert(applied, log);
            continue;
        };
        held.checked += 1;
        if other.hash == log.hash || !told.insert((other.node, log.node)) {
            continue;
        }
        let how = format!(
            "At index {applied} the state of {} had the hash {} at {}, and that of {} had the \
             hash {} at {}.",
            record.names.node(other.node),
            other.hash,
            seconds(other.at),
            record.names.node(log.node),
            log.hash,
            seconds(log.at)
        );
        held.breaks(log.at, how);
    }
    held
}
