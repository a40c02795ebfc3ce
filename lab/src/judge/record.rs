//! A timeline, sorted into what promises look at.

use super::search::STATES_MAX;
use crate::history::{Call, ClientId, Level, Moment, Outcome, Push, What};
use crate::timeline::{Head, Line};
use hangraft_ids::{NodeId, Version};
use std::collections::BTreeMap;

/// A timeline, sorted.
#[derive(Debug, Default)]
pub(super) struct Record<'a> {
    pub(super) names: Names,
    /// By their names.
    pub(super) rooms: BTreeMap<&'a str, Room<'a>>,
    /// What nodes told of themselves, in the order of [`Line::at`] and [`rank_of`].
    pub(super) told: Vec<&'a Line>,
}

/// What happened to a room.
#[derive(Debug)]
pub(super) struct Room<'a> {
    pub(super) name: &'a str,
    /// In the order they began.
    pub(super) calls: Vec<&'a Call>,
    /// In the order they came.
    pub(super) pushes: Vec<&'a Push>,
    /// Whether nothing more is awaited.
    pub(super) is_over: bool,
    /// Whether everything that was ever asked of it is known.
    pub(super) is_whole: bool,
    /// States that a search may look at.
    pub(super) effort: usize,
}

/// The code of a refusal that says that there is no such room.
const NO_SUCH_ROOM: &str = "no-such-room";

/// A call that was done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done<'a> {
    pub(super) call: &'a Call,
    /// When somebody was told.
    pub(super) returned: Moment,
    /// The version it made, found or showed.
    pub(super) version: Version,
    /// What a read showed.
    pub(super) lines: Option<&'a [String]>,
}

/// What people call nodes and clients.
#[derive(Debug, Default)]
pub(super) struct Names {
    clients: BTreeMap<ClientId, String>,
    nodes: BTreeMap<NodeId, String>,
}

impl<'a> Record<'a> {
    /// Sorts the lines of a timeline.
    pub(super) fn of(lines: &'a [Line]) -> Self {
        let mut record = Record::default();
        for line in lines {
            match line {
                Line::Head(head) => record.names.learn(head),
                Line::Role(_) | Line::Log(_) | Line::Members(_) => record.told.push(line),
                // The opening of a room that nobody knows.
                Line::Call(call) if call.room.is_empty() => {}
                Line::Call(call) => record.room(&call.room).calls.push(call),
                Line::Push(push) => record.room(&push.room).pushes.push(push),
                Line::Process(_)
                | Line::Gossip(_)
                | Line::Fault(_)
                | Line::Message(_)
                | Line::Sampled(_)
                | Line::Told(_)
                | Line::Finding(_)
                | Line::Verdict(_) => {}
            }
        }
        record.told.sort_by_key(|line| (line.at(), rank_of(line)));
        for room in record.rooms.values_mut() {
            room.calls.sort_by_key(|call| call.invoked);
            room.pushes.sort_by_key(|push| push.at);
        }
        record
    }

    fn room(&mut self, name: &'a str) -> &mut Room<'a> {
        self.rooms.entry(name).or_insert_with(|| Room::new(name))
    }
}

/// The order of what nodes tell at one moment. What a node says first of its log is older
/// than how far it is committed.
pub(super) fn rank_of(line: &Line) -> u8 {
    match line {
        Line::Log(_) => 1,
        _ => 0,
    }
}

impl<'a> Room<'a> {
    /// One in which nothing has happened, and nothing more will.
    pub(super) fn new(name: &'a str) -> Self {
        let (calls, pushes) = (Vec::new(), Vec::new());
        Room { name, calls, pushes, is_over: true, is_whole: true, effort: STATES_MAX }
    }

    /// Calls that were done, in the order they began.
    pub(super) fn done(&self) -> impl Iterator<Item = Done<'a>> {
        self.calls.iter().filter_map(|call| Done::of(call))
    }

    /// Writes that were accepted.
    pub(super) fn accepted(&self) -> impl Iterator<Item = Done<'a>> {
        self.done().filter(|done| matches!(done.call.what, What::Write { .. }))
    }

    /// Linearizable reads that were answered.
    pub(super) fn linearizable(&self) -> impl Iterator<Item = Done<'a>> {
        self.done().filter(Done::is_linearizable)
    }

    /// Calls that were told that there is no such room.
    pub(super) fn denied(&self) -> impl Iterator<Item = &'a Call> {
        let denied = |call: &&Call| matches!(&call.outcome, Outcome::Refused { code } if code == NO_SUCH_ROOM);
        self.calls.iter().copied().filter(denied)
    }

    /// Whether it is a register, not a list: it has lines, and each was written by the action
    /// "set". Its newest line is its value.
    pub(super) fn is_register(&self) -> bool {
        let is_set =
            |call: &Call| matches!(&call.what, What::Write { action, .. } if action == "set");
        let mut lines = self.writes().filter(|call| line_of(call).is_some()).peekable();
        lines.peek().is_some() && lines.all(is_set)
    }

    /// Writes that had an effect, or may have had: all that were not refused.
    pub(super) fn writes(&self) -> impl Iterator<Item = &'a Call> {
        let refused = |call: &&Call| matches!(call.outcome, Outcome::Refused { .. });
        let writes = self.calls.iter().copied();
        writes
            .filter(|call| matches!(call.what, What::Write { .. }))
            .filter(move |call| !refused(call))
    }
}

impl<'a> Done<'a> {
    /// The call, if it was.
    pub(super) fn of(call: &'a Call) -> Option<Self> {
        let Outcome::Ok { version, lines } = &call.outcome else { return None };
        let returned = call.returned.unwrap_or(Moment::MAX);
        Some(Done { call, returned, version: *version, lines: lines.as_deref() })
    }

    /// Whether it is a linearizable read.
    pub(super) fn is_linearizable(&self) -> bool {
        let level = Level::Linearizable;
        self.call.what == What::Read { level }
    }

    /// When it was known first: when it was told, or if it is not known when, when it began.
    pub(super) fn known(&self) -> Moment {
        if self.returned == Moment::MAX { self.call.invoked } else { self.returned }
    }

    /// Whether it is sure to have made the version that it tells.
    pub(super) fn has_made_its_version(&self) -> bool {
        matches!(self.call.what, What::Write { may_change_nothing: false, .. })
    }

    /// The version it found.
    pub(super) fn found(&self) -> Version {
        let made = u64::from(self.has_made_its_version());
        Version(self.version.0.saturating_sub(made))
    }

    /// The line it wrote.
    pub(super) fn line(&self) -> Option<&'a str> {
        line_of(self.call)
    }
}

/// The line that a call writes.
pub(super) fn line_of(call: &Call) -> Option<&str> {
    let What::Write { line, .. } = &call.what else { return None };
    line.as_deref()
}

impl Names {
    /// Those that a head tells.
    pub(super) fn learn(&mut self, head: &Head) {
        self.clients.extend(head.clients.iter().map(|one| (one.id, one.name.clone())));
        self.nodes.extend(head.nodes.iter().map(|one| (one.id, one.name.clone())));
    }

    /// A client's name.
    pub(super) fn client(&self, client: ClientId) -> String {
        self.clients.get(&client).cloned().unwrap_or_else(|| format!("client {client}"))
    }

    /// A node's name.
    pub(super) fn node(&self, node: NodeId) -> String {
        self.nodes.get(&node).cloned().unwrap_or_else(|| format!("n{node}"))
    }
}
