//! Whose disk is whose, and what the cluster can do without.
//!
//! An id is one disk for ever. A disk that is lost still stands for what it held: that was
//! promised when it was there. One that is set back has broken its promises; the others
//! must have been able to do without it. Nobody else is ever taken for such a one.

use super::membership::is_majority;
use super::truth::Truth;
use crate::nodes::Who;
use crate::world::disk::Disk;
use hangraft_ids::NodeId;
use hangraft_node::raft::{Electorate, electorate_of};
use hangraft_node::storage::log::Position;
use std::collections::{BTreeMap, BTreeSet};

/// The disks of all that ever were members, or were on their way to be.
pub(crate) struct Disks {
    by_id: BTreeMap<NodeId, Disk>,
    /// Ids whose machine, or what was on its disk, is gone for ever.
    lost: BTreeSet<NodeId>,
    /// Ids whose disk has become what it once was. They take part no more once somebody
    /// tells them; until then they may.
    set_back: BTreeSet<NodeId>,
}

pub(super) const NAME: &str = "disks";

impl Disks {
    /// Those of the first members, in order of their ids.
    pub(super) fn of_first_members(disks: Vec<Disk>) -> Self {
        let by_id = (1..).map(NodeId).zip(disks).collect();
        Disks { by_id, lost: BTreeSet::new(), set_back: BTreeSet::new() }
    }

    /// A node goes by this id, rightly.
    pub(super) fn belongs(&mut self, who: &Who) {
        if !self.lost.contains(&who.node) {
            self.by_id.insert(who.node, who.disk.clone());
        }
    }

    /// Whether enough disks hold an entry for it to count as committed; and how many of
    /// whom, in words, if not.
    pub(super) fn hold(&self, at: Position, truth: &Truth) -> Result<(), String> {
        let holds = |id: &NodeId| self.by_id.get(id).is_some_and(|disk| disk.holds(at));
        let Some(now) = truth.electorate() else { return Err("nobody belongs".into()) };
        // A leader goes by the newest membership it has, which may not be committed yet.
        if is_majority(now, holds) || self.proposed(truth).iter().any(|e| is_majority(e, holds)) {
            return Ok(());
        }
        let holders: Vec<&NodeId> = self.by_id.keys().filter(|id| holds(id)).collect();
        Err(format!("only {holders:?} of the voters {:?} have", now.voters))
    }

    /// Whether the cluster could go on without this id, whatever becomes of the changes
    /// that are under way.
    pub(crate) fn can_spare(&self, id: NodeId, truth: &Truth) -> bool {
        let lives = |other: &NodeId| *other != id && self.is_whole(*other);
        truth.electorate().is_some_and(|now| now.disks.contains_key(&id))
            && self.electorates(truth).iter().all(|it| is_majority(it, lives))
    }

    /// Whether an id's disk could become what it once was, and nothing that was promised to
    /// anybody be lost by that: the others hold all that it holds, and follow no older term.
    pub(crate) fn can_set_back(&self, id: NodeId, truth: &Truth) -> bool {
        let Some((term, last)) = self.by_id.get(&id).map(Disk::promised) else { return false };
        let holds = |other: &NodeId| {
            let disk = self.by_id.get(other).filter(|_| *other != id && self.is_whole(*other));
            disk.is_some_and(|disk| last.is_none_or(|last| disk.holds(last)))
        };
        let follows = |other: &NodeId| {
            !self.is_whole(*other)
                || self.by_id.get(other).is_some_and(|disk| disk.promised().0 >= term)
        };
        self.can_spare(id, truth)
            && self
                .electorates(truth)
                .iter()
                .all(|it| is_majority(it, holds) && it.disks.keys().all(follows))
    }

    /// An id's disk has become what it once was.
    pub(crate) fn set_back(&mut self, id: NodeId) {
        self.set_back.insert(id);
    }

    pub(crate) fn was_set_back(&self, id: NodeId) -> bool {
        self.set_back.contains(&id)
    }

    /// Whether a disk has all that it ever promised.
    fn is_whole(&self, id: NodeId) -> bool {
        !self.lost.contains(&id) && !self.set_back.contains(&id)
    }

    /// All memberships that somebody may go by.
    fn electorates(&self, truth: &Truth) -> Vec<Electorate> {
        let mut all = self.proposed(truth);
        all.extend(truth.electorate().cloned());
        all
    }

    /// An id's machine, or what was on its disk, is gone for ever.
    pub(crate) fn lose(&mut self, id: NodeId) {
        self.lost.insert(id);
    }

    pub(crate) fn is_lost(&self, id: NodeId) -> bool {
        self.lost.contains(&id)
    }

    /// Whether so much is lost that nothing can be decided any more, by a membership that
    /// somebody goes by.
    pub(crate) fn are_too_few(&self, truth: &Truth) -> bool {
        let lives = |id: &NodeId| self.is_whole(*id);
        self.electorates(truth).iter().any(|electorate| !is_majority(electorate, lives))
    }

    /// The memberships that stand in logs, and are not committed as far as is known.
    fn proposed(&self, truth: &Truth) -> Vec<Electorate> {
        let living = self.by_id.iter().filter(|(id, _)| !self.lost.contains(id));
        let entries = living.flat_map(|(_, disk)| disk.entries_from(truth.len()));
        entries.filter_map(|(_, payload)| electorate_of(&payload)).collect()
    }
}
