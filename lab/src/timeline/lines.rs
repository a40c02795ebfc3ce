//! Lines from what nodes tell: halves of messages are paired (`halves.rs`), what is told twice
//! is written once, and faults get numbers that no other node has.

use super::halves::{Halves, key_of};
use super::line::{Fault, Gossip, Line, Log, Members, Message, Role, Sampled, Told};
use crate::history::Moment;
use hangraft_ids::{LogIndex, NodeId, Term};
use hangraft_proto::v1::happening::{self, Letter, What};
use std::collections::BTreeMap;

/// Lines on their way into a timeline. What is told has to come in the order in which it
/// happened, by each node; other lines may come at any time.
#[derive(Debug, Default)]
pub struct Lines {
    lines: Vec<Line>,
    halves: Halves,
    nodes: BTreeMap<NodeId, Known>,
    faults: u64,
}

/// What a node has told last.
#[derive(Debug, Default)]
struct Known {
    instance: u64,
    role: Option<happening::Role>,
    log: Option<happening::Log>,
    members: Option<happening::Members>,
    gossip: BTreeMap<u64, happening::Gossip>,
    /// The faults that are active there, with their numbers here.
    faults: BTreeMap<u64, (u64, String)>,
}

impl Lines {
    /// A process of a node tells of something that happened at `at`.
    pub fn told(&mut self, at: Moment, node: NodeId, instance: u64, what: &What) {
        self.meet(at, node, instance);
        match what {
            What::Sent(letter) => self.halves.sent(key_of(letter), message_of(at, letter)),
            What::Received(letter) => self.halves.received(key_of(letter), message_of(at, letter)),
            What::Fault(fault) => self.fault(at, node, fault),
            What::Told(happening::Told { kind, text }) => {
                let (about, text) = (kind.clone(), text.clone());
                self.lines.push(Line::Told(Told { at, node: Some(node), about, text }));
            }
            What::Role(_) | What::Log(_) | What::Members(_) | What::Gossip(_) => {
                let known = self.nodes.entry(node).or_default();
                self.lines.extend(known.changed(at, node, what));
            }
        }
    }

    /// From here on a process of a node tells one in so many of its everyday messages; 0 and 1
    /// mean all.
    pub fn sampled(&mut self, at: Moment, node: NodeId, instance: u64, one_in: u64) {
        self.meet(at, node, instance);
        let one_in = one_in.max(1);
        if self.halves.sampled(at, node, one_in) {
            self.lines.push(Line::Sampled(Sampled { at, node, one_in }));
        }
    }

    /// A node has left out so many happenings, because whoever asked was slow.
    pub fn missed(&mut self, at: Moment, node: NodeId, count: u64) {
        let text =
            format!("{count} happenings of n{node} are missing here: whoever asked was slow");
        self.lines.push(Line::Told(Told { at, node: None, about: "story".into(), text }));
    }

    /// Another line than what nodes tell.
    pub fn add(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// All lines, in the order of their moments.
    pub fn in_order(mut self) -> Vec<Line> {
        self.rest()
    }

    /// All lines that are left, in the order of their moments.
    pub(super) fn rest(&mut self) -> Vec<Line> {
        let mut lines = std::mem::take(&mut self.lines);
        lines.extend(self.halves.rest().into_iter().map(Line::Message));
        lines.sort_by_key(Line::at);
        lines
    }

    /// Takes out the lines up to a moment, in the order of their moments, when no more are
    /// awaited that belong before it. See [`Halves::until`] for messages of which one half was
    /// told.
    pub(super) fn until(&mut self, upto: Moment) -> Vec<Line> {
        let mut lines: Vec<Line> = self.lines.extract_if(.., |line| line.at() <= upto).collect();
        lines.extend(self.halves.until(upto).into_iter().map(Line::Message));
        lines.sort_by_key(Line::at);
        lines
    }

    /// A node that will not be heard again.
    pub(super) fn forget(&mut self, node: NodeId) {
        self.nodes.remove(&node);
        self.halves.forget(node);
    }

    /// Faults of a process end with it: at the latest when the next one is heard.
    fn meet(&mut self, at: Moment, node: NodeId, instance: u64) {
        let known = self.nodes.entry(node).or_default();
        if known.instance == instance {
            return;
        }
        let before = std::mem::replace(known, Known { instance, ..Known::default() });
        for (id, what) in before.faults.into_values() {
            self.lines.push(Line::Fault(Fault { at, id, node: Some(node), what, healed: true }));
        }
    }

    fn fault(&mut self, at: Moment, node: NodeId, fault: &happening::Fault) {
        let known = self.nodes.entry(node).or_default();
        let (id, what) = match (fault.healed, known.faults.get(&fault.id)) {
            (true, Some(_)) => known.faults.remove(&fault.id).expect("just seen"),
            (false, None) => {
                self.faults += 1;
                let begun = (self.faults, fault.text.clone());
                known.faults.insert(fault.id, begun.clone());
                begun
            }
            // It was told before, or nobody heard of its beginning.
            (false, Some(_)) | (true, None) => return,
        };
        let healed = fault.healed;
        self.lines.push(Line::Fault(Fault { at, id, node: Some(node), what, healed }));
    }
}

impl Known {
    /// How something stands, unless that was told before.
    fn changed(&mut self, at: Moment, node: NodeId, what: &What) -> Option<Line> {
        match what {
            What::Role(role) if differs(&mut self.role, role) => Some(role_of(at, node, role)),
            What::Log(log) if differs(&mut self.log, log) => Some(log_of(at, node, log)),
            What::Members(members) if differs(&mut self.members, members) => {
                Some(members_of(at, node, members))
            }
            What::Gossip(gossip) => {
                let before = self.gossip.insert(gossip.about, gossip.clone());
                let news = before.as_ref() != Some(gossip);
                news.then(|| {
                    let (about, state) = (NodeId(gossip.about), gossip.state.clone());
                    let incarnation = gossip.incarnation;
                    Line::Gossip(Gossip { at, node, about, state, incarnation })
                })
            }
            _ => None,
        }
    }
}

/// Whether something differs from what was known, which it replaces.
fn differs<T: Clone + PartialEq>(known: &mut Option<T>, now: &T) -> bool {
    let differs = known.as_ref() != Some(now);
    if differs {
        *known = Some(now.clone());
    }
    differs
}

fn role_of(at: Moment, node: NodeId, role: &happening::Role) -> Line {
    Line::Role(Role {
        at,
        node,
        term: Term(role.term),
        role: role.role.clone(),
        leader: role.leader.map(NodeId),
        voted: role.voted.map(NodeId),
    })
}

fn log_of(at: Moment, node: NodeId, log: &happening::Log) -> Line {
    Line::Log(Log {
        at,
        node,
        last: log.last.map(LogIndex),
        committed: log.committed.map(LogIndex),
        applied: log.applied.map(LogIndex),
        snapshot: log.snapshot.map(LogIndex),
        purged: log.purged.map(LogIndex),
        hash: log.hash.clone(),
    })
}

fn members_of(at: Moment, node: NodeId, members: &happening::Members) -> Line {
    let ids = |ids: &[u64]| ids.iter().copied().map(NodeId).collect();
    Line::Members(Members {
        at,
        node,
        index: LogIndex(members.index),
        voters: members.voters.iter().map(|half| ids(&half.ids)).collect(),
        learners: ids(&members.learners),
    })
}

fn message_of(at: Moment, letter: &Letter) -> Message {
    Message {
        at,
        received: None,
        what: letter.what.clone(),
        answer: letter.answer,
        from: NodeId(letter.from),
        to: NodeId(letter.to),
        term: Term(letter.term),
        index: letter.index.map(LogIndex),
        entries: letter.entries,
        bytes: letter.bytes,
        yes: letter.yes,
    }
}
