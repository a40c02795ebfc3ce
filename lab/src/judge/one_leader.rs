//! At most one leader per term (thesis, section 3.4).

use super::promise::{Held, Promise};
use super::record::Record;
use super::wording::seconds;
use hangraft_ids::{NodeId, Term};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const PROMISE: Promise =
    Promise { name: "one_leader", says: "No two nodes lead in one term.", hold };

/// Who was seen leading which term.
#[derive(Debug, Default)]
pub struct Leaders(BTreeMap<Term, NodeId>);

impl Leaders {
    /// A node leads a term.
    ///
    /// # Errors
    /// With the node that was seen leading this term before, if it is another.
    pub fn see(&mut self, node: NodeId, term: Term) -> Result<(), NodeId> {
        let first = *self.0.entry(term).or_insert(node);
        if first == node { Ok(()) } else { Err(first) }
    }
}

fn hold(record: &Record<'_>) -> Held {
    let mut held = Held::default();
    let mut leaders = Leaders::default();
    let mut told: BTreeSet<Term> = BTreeSet::new();
    for role in record.roles.iter().filter(|role| role.role == "leader") {
        held.checked += 1;
        let Err(first) = leaders.see(role.node, role.term) else { continue };
        if !told.insert(role.term) {
            continue;
        }
        let mut before = record.roles.iter().filter(|other| other.role == "leader");
        let since = before.find(|other| other.term == role.term && other.node == first);
        let how = format!(
            "{} led term {} at {}. {} led the same term at {}.",
            record.names.node(first),
            role.term,
            seconds(since.map_or(role.at, |since| since.at)),
            record.names.node(role.node),
            seconds(role.at)
        );
        held.breaks(role.at, how);
    }
    held
}
