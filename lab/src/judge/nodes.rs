//! Promises about nodes, by what they tell of themselves: looked at as it is told.
//!
//! None of these alarms for lack of something that is told later: two leaders of a term, two
//! hashes at an index, an even number of voters and two memberships that are committed at one
//! index stay wrong, whatever comes. Only how long a node believes old members depends on the
//! order in which one node tells its log and its members, and that is kept.

use super::promise::{Held, Promise};
use super::record::Names;
use super::{membership, one_leader, same_hash};
use crate::timeline::Line;

/// In the order in which they are told.
pub(super) const OF_NODES: [Promise; 3] =
    [one_leader::PROMISE, same_hash::PROMISE, membership::PROMISE];

/// Follows what nodes tell, in the order of time.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    leaders: one_leader::Watch,
    hashes: same_hash::Watch,
    members: membership::Watch,
    /// How each promise was kept, in the order of [`OF_NODES`].
    pub(super) held: [Held; 3],
}

impl Nodes {
    /// A node tells something.
    pub(super) fn see(&mut self, names: &Names, line: &Line) {
        let [leaders, hashes, members] = &mut self.held;
        match line {
            Line::Role(role) => self.leaders.see(names, role, leaders),
            Line::Log(log) => {
                self.hashes.see(names, log, hashes);
                self.members.hear(names, log, members);
            }
            Line::Members(told) => self.members.see(names, told, members),
            _ => {}
        }
    }

    /// Keeps so many of the newest terms, indices and memberships.
    pub(super) fn keep(&mut self, most: usize) {
        self.leaders.keep(most);
        self.hashes.keep(most);
        self.members.keep(most);
    }
}
