//! A timeline, sorted into what promises look at.

use crate::history::{Call, ClientId, Level, Moment, Outcome, Push, What};
use crate::timeline::{Line, Log, Members, Role};
use hangraft_ids::{NodeId, Version};
use std::collections::BTreeMap;

/// A timeline, sorted.
#[derive(Debug, Default)]
pub(super) struct Record<'a> {
    pub(super) names: Names<'a>,
    /// By their names.
    pub(super) rooms: BTreeMap<&'a str, Room<'a>>,
    /// In the order of time.
    pub(super) roles: Vec<&'a Role>,
    /// In the order of time.
    pub(super) logs: Vec<&'a Log>,
    /// In the order of time.
    pub(super) members: Vec<&'a Members>,
}

/// What happened to a room.
#[derive(Debug, Default)]
pub(super) struct Room<'a> {
    /// In the order they began.
    calls: Vec<&'a Call>,
    /// In the order they came.
    pub(super) pushes: Vec<&'a Push>,
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
pub(super) struct Names<'a> {
    clients: BTreeMap<ClientId, &'a str>,
    nodes: BTreeMap<NodeId, &'a str>,
}

impl<'a> Record<'a> {
    /// Sorts the lines of a timeline.
    pub(super) fn of(lines: &'a [Line]) -> Self {
        let mut record = Record::default();
        for line in lines {
            match line {
                Line::Head(head) => {
                    let names = &mut record.names;
                    names.clients.extend(head.clients.iter().map(|one| (one.id, &*one.name)));
                    names.nodes.extend(head.nodes.iter().map(|one| (one.id, &*one.name)));
                }
                Line::Role(role) => record.roles.push(role),
                Line::Log(log) => record.logs.push(log),
                Line::Members(members) => record.members.push(members),
                // The opening of a room that nobody knows.
                Line::Call(call) if call.room.is_empty() => {}
                Line::Call(call) => record.rooms.entry(&call.room).or_default().calls.push(call),
                Line::Push(push) => record.rooms.entry(&push.room).or_default().pushes.push(push),
                Line::Process(_)
                | Line::Gossip(_)
                | Line::Fault(_)
                | Line::Message(_)
                | Line::Told(_)
                | Line::Finding(_)
                | Line::Verdict(_) => {}
            }
        }
        record.roles.sort_by_key(|role| role.at);
        record.logs.sort_by_key(|log| log.at);
        record.members.sort_by_key(|members| members.at);
        for room in record.rooms.values_mut() {
            room.calls.sort_by_key(|call| call.invoked);
            room.pushes.sort_by_key(|push| push.at);
        }
        record
    }
}

impl<'a> Room<'a> {
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
        let level = Level::Linearizable;
        self.done().filter(move |done| done.call.what == What::Read { level })
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

impl Names<'_> {
    /// A client's name.
    pub(super) fn client(&self, client: ClientId) -> String {
        self.clients.get(&client).map_or(format!("client {client}"), |name| (*name).to_owned())
    }

    /// A node's name.
    pub(super) fn node(&self, node: NodeId) -> String {
        self.nodes.get(&node).map_or(format!("n{node}"), |name| (*name).to_owned())
    }
}
