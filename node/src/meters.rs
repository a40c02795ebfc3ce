//! What operators' tools see at `/metrics`: where this replica stands, looked at again
//! and again, and the names of everything that is counted where it happens.
//!
//! Names follow the Prometheus conventions and are read by dashboards: they stay. Labels
//! are words from closed lists, and nodes' ids and names; nothing that a player chose is
//! ever one.

use crate::gossip::Roster;
use crate::membership::Intents;
use crate::replica::handle::Replica;
use hangraft_ids::{LogIndex, NodeId};
use hangraft_proto::socket::Code;
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

/// How often to look.
const LOOK: Duration = Duration::from_secs(1);

/// Raft's server states.
const STATES: [&str; 5] = ["leader", "follower", "candidate", "learner", "shutdown"];

/// Runs as long as the node does.
pub(crate) async fn run(replica: Replica, roster: watch::Receiver<Roster>, intents: Intents) {
    describe();
    gauge!("hangraft_build_info", "version" => crate::format::VERSION).set(1.0);
    begin_at_zero();
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut shown = Shown::default();
    loop {
        looks.tick().await;
        shown.replica(&replica);
        shown.members(&replica);
        let heard = roster.borrow().clone();
        let alive = heard.values().filter(|seen| seen.alive).count();
        gauge!("hangraft_gossip_members", "state" => "alive").set(alive as f64);
        gauge!("hangraft_gossip_members", "state" => "down").set((heard.len() - alive) as f64);
        gauge!("hangraft_membership_intents").set(intents.borrow().len() as f64);
    }
}

/// What has not happened yet is 0 and not missing: alerts compare with it.
fn begin_at_zero() {
    counter!("hangraft_gossip_refused_total").absolute(0);
    counter!("hangraft_copies_refused_total").absolute(0);
    counter!("hangraft_strangers_shed_total").absolute(0);
    counter!("hangraft_snapshots_unreadable_total").absolute(0);
    for code in Code::ALL {
        counter!("hangraft_refusals_total", "code" => code.as_str()).absolute(0);
    }
    gauge!("hangraft_snapshot_bytes").increment(0.0);
    gauge!("hangraft_links").increment(0.0);
    gauge!("hangraft_unfinished_bytes").increment(0.0);
    counter!("hangraft_raft_committed_entries_total").absolute(0);
    counter!("hangraft_notices_told_total").absolute(0);
    counter!("hangraft_follows_refused_total").absolute(0);
    // Those of the log are there since it was opened.
    for unused in ["hangraft_proposal_seconds", "hangraft_apply_seconds", "hangraft_batch_commands"]
    {
        _ = histogram!(unused);
    }
}

/// What the system says of this process: looked at when somebody asks. Nobody asks a node
/// in a simulator, which has no process of its own.
pub(crate) fn look_at_process() {
    #[cfg(target_os = "linux")]
    metrics_process::Collector::default().collect();
}

/// What was shown before.
#[derive(Default)]
struct Shown {
    /// The last index known to be committed, once there was one.
    committed: Option<LogIndex>,
    /// This node's name.
    name: Option<String>,
    /// Whose lag, by id and name: a leader that is one no more shows none.
    peers: BTreeSet<(NodeId, String)>,
}

impl Shown {
    fn replica(&mut self, replica: &Replica) {
        let report = replica.report();
        for state in STATES {
            let is = f64::from(u8::from(report.state == state));
            gauge!("hangraft_raft_state", "state" => state).set(is);
        }
        gauge!("hangraft_raft_term").set(report.term.0 as f64);
        let index = |name: &'static str, index: Option<LogIndex>| {
            gauge!(name).set(index.unwrap_or_default().0 as f64)
        };
        index("hangraft_raft_last_log_index", report.last_log);
        index("hangraft_raft_committed_index", report.committed);
        // What was committed before this process began is not its news.
        if let (Some(before), Some(now)) = (self.committed, report.committed) {
            let more = now.since(before);
            counter!("hangraft_raft_committed_entries_total").increment(more);
        }
        self.committed = report.committed.max(self.committed);
        index("hangraft_raft_applied_index", report.applied);
        index("hangraft_raft_snapshot_index", report.snapshot);
        index("hangraft_raft_purged_index", report.purged);
        gauge!("hangraft_rooms").set(report.rooms as f64);
        gauge!("hangraft_commands_in_flight").set(report.in_flight as f64);
        let machine = replica.machine();
        let (seeks, playing, matches) = machine.with_lobby(|lobby| {
            let (_, seeks) = lobby.open_seeks(0);
            (seeks, lobby.playing(), lobby.matches())
        });
        gauge!("hangraft_open_seeks").set(seeks as f64);
        gauge!("hangraft_rooms_playing").set(playing as f64);
        counter!("hangraft_matches_total").absolute(matches);
        gauge!("hangraft_follows").set(machine.feed().follows() as f64);
    }

    fn members(&mut self, replica: &Replica) {
        let members = replica.leadership().borrow().members.clone();
        let voters = members.values().filter(|member| member.votes).count();
        gauge!("hangraft_raft_voters").set(voters as f64);
        gauge!("hangraft_raft_learners").set((members.len() - voters) as f64);
        let wanted = replica.machine().charter().voters_wanted();
        gauge!("hangraft_raft_voters_wanted").set(f64::from(wanted));
        gauge!("hangraft_members_set_back").set(replica.set_back_count() as f64);
        let name_of = |id| members.get(&id).map(|member| member.peer.name.clone());
        let me = replica.me();
        if let Some(name) = name_of(me) {
            self.me(me, name);
        }
        let behind = replica.membership_view().map(|view| view.behind).unwrap_or_default();
        let lags: BTreeMap<(NodeId, String), u64> = behind
            .into_iter()
            .filter(|(id, _)| *id != me)
            .filter_map(|(id, lag)| Some(((id, name_of(id)?), lag)))
            .collect();
        self.peers.extend(lags.keys().cloned());
        for peer in &self.peers {
            let lag = lags.get(peer).copied().unwrap_or(0);
            let labels = [("peer", peer.0.to_string()), ("name", peer.1.clone())];
            gauge!("hangraft_raft_replication_lag_entries", &labels).set(lag as f64);
        }
    }

    /// A node that is none of the members any more keeps the name it had.
    fn me(&mut self, id: NodeId, name: String) {
        if self.name.as_ref() == Some(&name) {
            return;
        }
        let info = |name: String| {
            let version = crate::format::VERSION.to_owned();
            let labels = [("id", id.to_string()), ("name", name), ("version", version)];
            gauge!("hangraft_node_info", &labels)
        };
        if let Some(before) = self.name.replace(name.clone()) {
            info(before).set(0.0);
        }
        info(name).set(1.0);
    }
}

fn describe() {
    describe_gauges();
    describe_counters();
    describe_histograms();
}

fn describe_gauges() {
    describe_gauge!("hangraft_build_info", "1, with the version of this build");
    describe_gauge!(
        "hangraft_node_info",
        "1, with this node's number, name and version: ties an `instance` to what people call it"
    );
    describe_gauge!("hangraft_raft_state", "1 for the state this replica is in, else 0");
    describe_gauge!("hangraft_raft_term", "The Raft term");
    describe_gauge!("hangraft_raft_last_log_index", "The index of the last log entry here");
    describe_gauge!("hangraft_raft_committed_index", "The last index known to be committed here");
    describe_gauge!("hangraft_raft_applied_index", "The last index applied here");
    describe_gauge!("hangraft_raft_snapshot_index", "The index that the newest snapshot covers");
    describe_gauge!("hangraft_raft_purged_index", "The last index purged from the log here");
    describe_gauge!("hangraft_raft_voters", "Members that vote, as this replica knows");
    describe_gauge!("hangraft_raft_learners", "Members that do not vote: spares");
    describe_gauge!("hangraft_raft_voters_wanted", "Voters that the cluster wants");
    describe_gauge!(
        "hangraft_members_set_back",
        "Members whose disk has been set back, as this replica knows; they count as dead"
    );
    describe_gauge!(
        "hangraft_raft_replication_lag_entries",
        "On the leader: entries a member has yet to acknowledge, by its number and name"
    );
    describe_gauge!(
        "hangraft_membership_intents",
        "On the leader: sentences in `hangraft status` about what is intended or missing"
    );
    describe_gauge!("hangraft_gossip_members", "Members by what gossip says of them");
    describe_gauge!("hangraft_rooms", "Live rooms");
    describe_gauge!("hangraft_rooms_playing", "Rooms in which a round is being played");
    describe_gauge!("hangraft_open_seeks", "Seeks for which nobody has come yet");
    describe_gauge!("hangraft_follows", "Players whose notices links here follow");
    describe_gauge!("hangraft_commands_in_flight", "Commands between arrival and answer here");
    describe_gauge!("hangraft_links", "Links of frontends and other nodes open here");
    describe_gauge!(
        "hangraft_unfinished_bytes",
        Unit::Bytes,
        "What is held of requests that have not come whole"
    );
    describe_gauge!("hangraft_snapshot_bytes", Unit::Bytes, "The size of the newest snapshot");
    describe_gauge!(
        "hangraft_log_waiting_syncs",
        "Appends and votes that wait for a sync to disk now, the running one or the next"
    );
}

fn describe_counters() {
    describe_counter!(
        "hangraft_gossip_refused_total",
        "Datagrams not made with this cluster's key, or for another cluster"
    );
    describe_counter!(
        "hangraft_copies_refused_total",
        "Times that a copy of a member's data folder was found running beside the original"
    );
    describe_counter!(
        "hangraft_strangers_shed_total",
        "Connections that had shown no token, closed to make room for others"
    );
    describe_counter!(
        "hangraft_snapshots_unreadable_total",
        "Snapshots that could not be read back when they were written, and were not kept"
    );
    describe_counter!(
        "hangraft_raft_committed_entries_total",
        "Entries that this replica has learned are committed, since it started"
    );
    describe_counter!("hangraft_refusals_total", "Commands refused here, by code");
    describe_counter!(
        "hangraft_matches_total",
        "Rounds of matches that were decided ever, as the lobby counts: each replica all of them"
    );
    describe_counter!("hangraft_notices_told_total", "Notices of players sent to links here");
    describe_counter!(
        "hangraft_follows_refused_total",
        "Players that a link wanted to follow beyond what one may"
    );
}

fn describe_histograms() {
    describe_histogram!(
        "hangraft_proposal_seconds",
        Unit::Seconds,
        "On the leader: from a batch's start in Raft until it is stored by a majority and applied"
    );
    describe_histogram!("hangraft_apply_seconds", Unit::Seconds, "Applying one log entry");
    describe_histogram!("hangraft_log_sync_seconds", Unit::Seconds, "One sync of the log to disk");
    describe_histogram!(
        "hangraft_log_sync_batch",
        "Appends and votes that one sync to disk makes durable"
    );
    describe_histogram!("hangraft_batch_commands", "Commands in a batch");
    #[cfg(target_os = "linux")]
    metrics_process::Collector::default().describe();
}
