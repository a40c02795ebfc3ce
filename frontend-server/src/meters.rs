//! What is counted. Handles are made once, so that counting costs an addition.
//!
//! The names are read by dashboards: they stay. Labels are words from closed
//! lists of ours; nothing that a player chose is ever one.

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};

use hangraft_proto::socket::{Action, ByeCode, Code};

use crate::mailbox::Queues;

/// Everything this frontend counts.
pub(crate) struct Meters {
    /// Sockets open now.
    pub(crate) sockets: Gauge,
    /// Sockets ever opened.
    pub(crate) sockets_opened: Counter,
    /// Sockets that did not keep up with what was put into their queue.
    pub(crate) overflows: Counter,
    /// Connections that were no sockets, closed to make room or for want of it.
    pub(crate) shed: Counter,
    /// Players with at least one socket here.
    pub(crate) players: Gauge,
    /// Rooms watched now.
    pub(crate) rooms: Gauge,
    /// Views put into sockets' queues.
    pub(crate) pushes: Counter,
    /// Times a room was heard of with versions missing in between.
    pub(crate) resyncs: Counter,
    /// What players are told and look at, besides rooms.
    pub(crate) told: Told,
    /// Commands on their way now.
    pub(crate) flights: Gauge,
    /// From a player's command to its answer, in seconds.
    pub(crate) latency: Histogram,
    /// Commands sent again.
    pub(crate) resends: Counter,
    /// Nodes we are linked with now.
    pub(crate) nodes_linked: Gauge,
    /// 1 when a leader is believed, else 0.
    pub(crate) leader_known: Gauge,
    /// 1 when sockets are being told to go elsewhere, else 0.
    pub(crate) draining: Gauge,
    /// The sockets' send queues, which are looked at when somebody asks.
    pub(crate) queues: Queues,
    queued: Gauge,
    queued_most: Gauge,
    actions: Vec<Counter>,
    refused: Vec<Counter>,
    closed: Vec<Counter>,
}

/// What players are told and look at, besides rooms.
pub(crate) struct Told {
    /// Players whose notices are followed now.
    pub(crate) followed: Gauge,
    /// Notices put into sockets' queues.
    pub(crate) notices: Counter,
    /// Sockets that look at the open seeks now.
    pub(crate) lobby_lookers: Gauge,
    /// Sockets that look at the numbers now.
    pub(crate) live_lookers: Gauge,
}

impl Told {
    fn new() -> Self {
        Self {
            followed: shown(
                "hangraft_frontend_players_followed",
                "Players of whom a node says what they are told now",
            ),
            notices: counted(
                "hangraft_frontend_notices_total",
                "Notices of players put into sockets' send queues",
            ),
            lobby_lookers: shown(
                "hangraft_frontend_lobby_lookers",
                "Sockets that look at the open seeks now",
            ),
            live_lookers: shown(
                "hangraft_frontend_live_lookers",
                "Sockets that look at the numbers now",
            ),
        }
    }
}

impl Meters {
    pub(crate) fn new() -> Self {
        describe_families();
        gauge!("hangraft_frontend_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        let action = |action: &Action| counter!("hangraft_frontend_actions_total", "action" => action.as_str());
        let refused =
            |code: &Code| counter!("hangraft_frontend_refused_total", "code" => code.as_str());
        let closed =
            |why: &ByeCode| counter!("hangraft_frontend_closed_total", "why" => why.as_str());
        Self {
            sockets: shown("hangraft_frontend_sockets", "Sockets open now"),
            sockets_opened: counted("hangraft_frontend_sockets_opened_total", "Sockets opened"),
            overflows: counted(
                "hangraft_frontend_send_queue_overflows_total",
                "Sockets cut off because their client did not take what was sent to it",
            ),
            shed: counted(
                "hangraft_frontend_connections_shed_total",
                "Connections, sockets aside, closed to make room for others or for want of it",
            ),
            players: shown("hangraft_frontend_players", "Players with a socket here now"),
            rooms: shown("hangraft_frontend_rooms_watched", "Rooms watched at a node now"),
            pushes: counted(
                "hangraft_frontend_pushes_total",
                "Views of rooms put into sockets' send queues",
            ),
            resyncs: counted(
                "hangraft_frontend_resyncs_total",
                "Times a watched room was heard of with versions missing in between, so that all of it was shown anew",
            ),
            told: Told::new(),
            flights: shown("hangraft_frontend_commands_in_flight", "Commands not answered yet"),
            latency: timed("hangraft_frontend_command_seconds", "From a command to its answer"),
            resends: counted(
                "hangraft_frontend_resends_total",
                "Commands sent again, to the same node or another",
            ),
            nodes_linked: shown("hangraft_frontend_nodes_linked", "Nodes linked with now"),
            leader_known: shown(
                "hangraft_frontend_leader_known",
                "1 when the cluster is believed to have a leader, else 0",
            ),
            draining: shown(
                "hangraft_frontend_draining",
                "1 when this frontend sends its sockets elsewhere and takes no new ones, else 0",
            ),
            queues: Queues::default(),
            queued: shown(
                "hangraft_frontend_send_queue_messages",
                "What waits in sockets' send queues now, all together",
            ),
            queued_most: shown(
                "hangraft_frontend_send_queue_messages_max",
                "What waits in the fullest send queue now; at 256 its socket is cut off",
            ),
            actions: Action::ALL.iter().map(action).collect(),
            refused: Code::ALL.iter().map(refused).collect(),
            closed: ByeCode::ALL.iter().map(closed).collect(),
        }
    }

    pub(crate) fn action(&self, action: Action) {
        self.actions[action as usize].increment(1);
    }

    pub(crate) fn refused(&self, code: Code) {
        self.refused[code as usize].increment(1);
    }

    /// Looks at what is not counted where it happens: how full the send queues are, and
    /// what the system says of this process.
    pub(crate) fn look(&self) {
        let (all, most) = self.queues.waiting();
        self.queued.set(all as f64);
        self.queued_most.set(most as f64);
        #[cfg(target_os = "linux")]
        metrics_process::Collector::default().collect();
    }

    /// A socket was closed by us.
    pub(crate) fn closed(&self, why: ByeCode) {
        self.closed[why as usize].increment(1);
    }
}

impl std::fmt::Debug for Meters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meters(..)")
    }
}

/// Says what those with labels are, and those of the process.
fn describe_families() {
    #[cfg(target_os = "linux")]
    metrics_process::Collector::default().describe();
    describe_gauge!("hangraft_frontend_build_info", "Always 1; the label says which version runs");
    describe_counter!("hangraft_frontend_actions_total", "Requests understood, by action");
    describe_counter!("hangraft_frontend_refused_total", "Requests refused, by code");
    describe_counter!("hangraft_frontend_closed_total", "Sockets closed by this frontend, by why");
}

fn counted(name: &'static str, what: &'static str) -> Counter {
    describe_counter!(name, what);
    counter!(name)
}

fn shown(name: &'static str, what: &'static str) -> Gauge {
    describe_gauge!(name, what);
    gauge!(name)
}

fn timed(name: &'static str, what: &'static str) -> Histogram {
    describe_histogram!(name, Unit::Seconds, what);
    histogram!(name)
}
