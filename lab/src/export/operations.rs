//! What clients did to rooms, as far as a model of a list that is appended to and read
//! speaks of it.

use crate::history::{Call, ClientId, Level, Moment, Outcome, What};
use crate::timeline::Line;
use hangraft_ids::Version;

/// A write to a room, or a linearizable read of it.
pub(super) struct Operation<'a> {
    pub(super) client: ClientId,
    pub(super) room: &'a str,
    pub(super) invoked: Moment,
    pub(super) asked: Asked<'a>,
    pub(super) came: Came<'a>,
}

/// What was asked.
#[derive(Clone, Copy)]
pub(super) enum Asked<'a> {
    /// To add a line.
    Append(&'a str),
    /// To change something else.
    Change {
        /// Whether it is granted, and changes nothing, where it is so already.
        may_change_nothing: bool,
    },
    /// To see what is there now.
    Read,
}

/// What came of it.
#[derive(Clone, Copy)]
pub(super) enum Came<'a> {
    /// It was done.
    Done {
        returned: Moment,
        version: Version,
        /// What a read showed.
        lines: Option<&'a [String]>,
    },
    /// It had no effect.
    Refused { returned: Moment },
    /// Nobody knows. It may still have an effect later.
    Unknown,
}

impl Operation<'_> {
    /// When the client was told what came of it, if it was.
    pub(super) fn returned(&self) -> Option<Moment> {
        match self.came {
            Came::Done { returned, .. } | Came::Refused { returned } => Some(returned),
            Came::Unknown => None,
        }
    }
}

/// The operations of a timeline, in its order. Reads that may be stale are left out: what
/// they promise is not linearizability. So are calls that have no room.
pub(super) fn operations(lines: &[Line]) -> Vec<Operation<'_>> {
    let calls = lines.iter().filter_map(|line| match line {
        Line::Call(call) if !call.room.is_empty() => Some(call),
        _ => None,
    });
    calls.filter_map(operation).collect()
}

fn operation(call: &Call) -> Option<Operation<'_>> {
    let asked = match &call.what {
        What::Write { line: Some(line), .. } => Asked::Append(line),
        What::Write { may_change_nothing, .. } => {
            Asked::Change { may_change_nothing: *may_change_nothing }
        }
        What::Read { level: Level::Linearizable } => Asked::Read,
        What::Read { .. } => return None,
    };
    let came = match (&call.outcome, call.returned) {
        (Outcome::Ok { version, lines }, Some(returned)) => {
            Came::Done { returned, version: *version, lines: lines.as_deref() }
        }
        (Outcome::Refused { .. }, Some(returned)) => Came::Refused { returned },
        _ => Came::Unknown,
    };
    Some(Operation { client: call.client, room: &call.room, invoked: call.invoked, asked, came })
}

/// Nanoseconds, in which other tools count, of a moment in microseconds.
pub(super) fn nanoseconds(moment: Moment) -> u64 {
    moment.saturating_mul(1000)
}
