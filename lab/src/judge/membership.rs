//! Voters are odd in number, and an index of the log says one membership.
//!
//! One voter more than an odd number tolerates no more failures, and makes every majority
//! larger.
//!
//! A node believes the newest membership in its log, committed or not (thesis, section 4.1).
//! Two leaders may have written different ones at one index, of which one was never committed.
//! So memberships are compared once the node that tells one has told as well that its log is
//! committed up to there. They are odd in either case: a leader writes no other.
//!
//! A node that has applied an entry with a membership believes that one, or a later one, also
//! after it was started again. What it tells of its log and of members does not come at one
//! moment, so it is held to that only when it goes on for `SETTLED`.

use super::promise::{Held, Promise};
use super::record::Names;
use super::wording::seconds;
use crate::history::Moment;
use crate::timeline::{Log, Members};
use hangraft_ids::{LogIndex, NodeId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) const PROMISE: Promise = Promise {
    name: "membership",
    says: "Voters are odd in number, all nodes agree on the members at an index, and none goes \
           back to earlier ones.",
};

/// For how long a node may tell an older membership than what it has applied, in microseconds.
const SETTLED: Moment = 500_000;

/// Whether the voters of a membership are odd in number. While they change there are two lists
/// (joint consensus, thesis section 4.3), which were looked at or will be.
///
/// # Errors
/// In words, to follow upon "the membership".
pub fn is_odd(lists: impl ExactSizeIterator<Item = usize>) -> Result<(), String> {
    let mut lists = lists;
    match (lists.next(), lists.next()) {
        (Some(voters), None) if voters.is_multiple_of(2) => Err(format!("has {voters} voters")),
        _ => Ok(()),
    }
}

/// Follows memberships, as they are told in the order of time.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// What each node has told last, until it is known to be committed.
    open: BTreeMap<NodeId, Arc<Members>>,
    /// How far each node knows its log to be committed.
    committed: BTreeMap<NodeId, LogIndex>,
    /// The first that was told of each index and is committed.
    first: BTreeMap<LogIndex, Arc<Members>>,
    /// What each node believes.
    believed: BTreeMap<NodeId, Arc<Members>>,
    /// Since when each node has applied a later membership than it believes.
    behind: BTreeMap<NodeId, Moment>,
    /// Indices of which something was found.
    told: BTreeSet<LogIndex>,
}

impl Watch {
    /// A node tells who belongs to the cluster.
    pub(super) fn see(&mut self, names: &Names, members: &Members, held: &mut Held) {
        let lists = members.voters.iter().map(Vec::len);
        // A node that does not know any voters yet has no list, or an empty one.
        if lists.clone().all(|voters| voters == 0) {
            return;
        }
        held.checked += 1;
        if let Err(why) = is_odd(lists)
            && self.told.insert(members.index)
        {
            let how = format!("{} The membership {why}.", in_words(names, members));
            held.breaks(members.at, how);
        }
        let told = Arc::new(members.clone());
        self.open.insert(members.node, Arc::clone(&told));
        self.believed.insert(members.node, told);
        self.settle(members.node, members.at, names, held);
    }

    /// Keeps the newest memberships only. What is told of an older index is compared with
    /// nothing.
    pub(super) fn keep(&mut self, most: usize) {
        while self.first.len() > most {
            self.first.pop_first();
        }
    }

    /// A node tells how far its log has come.
    pub(super) fn hear(&mut self, names: &Names, log: &Log, held: &mut Held) {
        let Some(committed) = log.committed.max(log.applied) else { return };
        let before = self.committed.entry(log.node).or_default();
        *before = committed.max(*before);
        self.settle(log.node, log.at, names, held);
        self.compare(log, names, held);
    }

    /// Compares what a node believes with what it has applied.
    fn compare(&mut self, log: &Log, names: &Names, held: &mut Held) {
        let (Some(believed), Some(applied)) = (self.believed.get(&log.node), log.applied) else {
            return;
        };
        let newest = self.first.range(..=applied).next_back();
        let Some((_, later)) = newest.filter(|(index, _)| believed.index < **index) else {
            self.behind.remove(&log.node);
            return;
        };
        let since = *self.behind.entry(log.node).or_insert(log.at);
        if log.at.saturating_sub(since) < SETTLED || !self.told.insert(believed.index) {
            return;
        }
        let how = format!(
            "{} {} It had applied the log up to index {applied} at {}.",
            in_words(names, later),
            in_words(names, believed),
            seconds(log.at)
        );
        held.breaks(log.at, how);
    }

    /// Compares what a node has told, if it is committed.
    fn settle(&mut self, node: NodeId, at: Moment, names: &Names, held: &mut Held) {
        let Some(committed) = self.committed.get(&node) else { return };
        let Some(members) = self.open.remove(&node) else { return };
        if members.index > *committed {
            self.open.insert(node, members);
            return;
        }
        let first = self.first.entry(members.index).or_insert_with(|| Arc::clone(&members));
        if is_same(first, &members) || !self.told.insert(members.index) {
            return;
        }
        held.breaks(at, format!("{} {}", in_words(names, first), in_words(names, &members)));
    }
}

fn is_same(one: &Members, other: &Members) -> bool {
    let set = |ids: &[NodeId]| ids.iter().copied().collect::<BTreeSet<_>>();
    let lists = |members: &Members| {
        members.voters.iter().map(|voters| set(voters)).collect::<BTreeSet<_>>()
    };
    lists(one) == lists(other) && set(&one.learners) == set(&other.learners)
}

/// What a node tells of the members, in a sentence.
fn in_words(names: &Names, members: &Members) -> String {
    let list = |ids: &[NodeId]| ids.iter().map(|id| names.node(*id)).collect::<Vec<_>>().join(" ");
    let voters: Vec<String> = members.voters.iter().map(|voters| list(voters)).collect();
    let learners = if members.learners.is_empty() {
        String::new()
    } else {
        format!(", with the learners {}", list(&members.learners))
    };
    format!(
        "{} told at {} that at index {} the voters are {}{learners}.",
        names.node(members.node),
        seconds(members.at),
        members.index,
        voters.join(", on the way to ")
    )
}
