//! At most one leader per term (thesis, section 3.4).

use super::promise::{Held, Promise};
use super::record::Names;
use super::wording::seconds;
use crate::history::Moment;
use crate::timeline::Role;
use hangraft_ids::{NodeId, Term};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const PROMISE: Promise =
    Promise { name: "one_leader", says: "No two nodes lead in one term." };

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

/// Follows who leads.
#[derive(Debug, Default)]
pub(super) struct Watch {
    leaders: Leaders,
    /// When a leader of each term was seen first.
    since: BTreeMap<Term, Moment>,
    /// Terms of which something was found.
    told: BTreeSet<Term>,
}

impl Watch {
    /// A node tells its role.
    pub(super) fn see(&mut self, names: &Names, role: &Role, held: &mut Held) {
        if role.role != "leader" {
            return;
        }
        held.checked += 1;
        let since = *self.since.entry(role.term).or_insert(role.at);
        let Err(first) = self.leaders.see(role.node, role.term) else { return };
        if !self.told.insert(role.term) {
            return;
        }
        let how = format!(
            "{} led term {} at {}. {} led the same term at {}.",
            names.node(first),
            role.term,
            seconds(since),
            names.node(role.node),
            seconds(role.at)
        );
        held.breaks(role.at, how);
    }

    /// Keeps the newest terms only. Two leaders of an older one are not found any more.
    pub(super) fn keep(&mut self, most: usize) {
        while self.since.len() > most {
            let Some((term, _)) = self.since.pop_first() else { return };
            self.leaders.0.remove(&term);
            self.told.remove(&term);
        }
    }
}
