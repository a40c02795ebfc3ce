//! What is counted. Handles are made once, so that counting costs an addition.
//!
//! The names are read by dashboards: they stay.

use metrics::{Counter, Gauge, counter, gauge};

use crate::{command::Code, message::Kind};

/// Everything this frontend counts.
pub(crate) struct Meters {
    /// Sockets open now.
    pub(crate) sockets: Gauge,
    /// Rooms watched now.
    pub(crate) rooms: Gauge,
    /// Commands on their way now.
    pub(crate) flights: Gauge,
    /// Views put into sockets' queues.
    pub(crate) pushes: Counter,
    /// Commands sent again.
    pub(crate) resends: Counter,
    actions: [Counter; Kind::ALL.len()],
}

impl Meters {
    pub(crate) fn new() -> Self {
        let action =
            |kind: Kind| counter!("hangraft_frontend_actions_total", "action" => kind.as_str());
        Self {
            sockets: gauge!("hangraft_frontend_sockets"),
            rooms: gauge!("hangraft_frontend_rooms_watched"),
            flights: gauge!("hangraft_frontend_commands_in_flight"),
            pushes: counter!("hangraft_frontend_pushes_total"),
            resends: counter!("hangraft_frontend_resends_total"),
            actions: Kind::ALL.map(action),
        }
    }

    pub(crate) fn action(&self, kind: Kind) {
        self.actions[kind as usize].increment(1);
    }

    pub(crate) fn refused(&self, code: Code) {
        counter!("hangraft_frontend_refused_total", "code" => code.as_str()).increment(1);
    }

    /// A socket was closed by us.
    pub(crate) fn closed(&self, why: &'static str) {
        counter!("hangraft_frontend_closed_total", "why" => why).increment(1);
    }
}

impl std::fmt::Debug for Meters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meters(..)")
    }
}
