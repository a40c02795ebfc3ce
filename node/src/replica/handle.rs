//! A running replica, as the rest of the node holds it.

use crate::charter::{Members, Peer};
use crate::env::Env;
use crate::events::Events;
use crate::identity::{Founders, Identity};
use crate::observe::Observers;
use crate::peers::asks::Asked;
use crate::peers::envelope::{Party, Seal};
use crate::peers::promises::Promises;
use crate::peers::starts::{Start, Starts};
use crate::raft::finished::FinishedGames;
use crate::raft::machine::{Machine, Raft};
use crate::raft::propose::{Answered, ProposeError, Proposer};
use crate::raft::stopwatch::Stopwatch;
use crate::raft::types::{self, TypeConfig};
use crate::replica::ended::{self, Ended};
use crate::replica::leadership::{LastLeaderContact, Leadership, is_recent};
use crate::storage::log::Position;
use crate::tasks::Tasks;
use hangraft_game::{Entry, Lobby};
use hangraft_ids::{LogIndex, NodeId, StorageId, Term};
use openraft::EntryPayload;
use openraft::async_runtime::WatchReceiver;
use openraft::raft::AppendEntriesRequest;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tonic::transport::Channel;

/// Between two complaints in the same words.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

/// Complaints in different words within that time. What is more is not said: a flood of
/// them would push out of the events what matters.
const COMPLAINTS_MAX: usize = 16;

/// A running replica. Clones share it.
#[derive(Clone)]
pub(crate) struct Replica(pub(super) Arc<Inner>);

/// What the clones share.
pub(super) struct Inner {
    pub(super) me: NodeId,
    /// The number of this node's disk.
    pub(super) disk: StorageId,
    pub(super) identity: tokio::sync::Mutex<Identity>,
    /// Whether the disk is known to be the id's; before, the node takes no part.
    pub(super) proven: watch::Sender<bool>,
    /// What disks have promised, and whether this one is known to have kept it.
    pub(super) promises: Promises,
    /// Who has told this node what it remembers, before that was enough.
    pub(super) told: Mutex<BTreeSet<NodeId>>,
    /// Whom members have named, and where they are.
    pub(super) heard_of: Mutex<BTreeMap<NodeId, (Party, SocketAddr)>>,
    pub(super) in_flight_max: usize,
    pub(super) raft: Raft,
    pub(super) machine: Machine,
    pub(super) proposer: Proposer,
    /// How much time has passed since the last batch that this node wrote or heard of.
    pub(super) stopwatch: Stopwatch,
    pub(super) env: Arc<dyn Env>,
    pub(super) tasks: Tasks,
    pub(super) seal: Seal,
    /// Names and addresses as configured; empty on a node that joined later.
    pub(super) first_members: Founders,
    /// The node was asked to leave: being removed is what it waits for.
    pub(super) removal_expected: AtomicBool,
    pub(super) leadership: watch::Receiver<Leadership>,
    pub(super) ended: watch::Sender<Option<Ended>>,
    /// When a leader was heard of last, by the clock of tokio's timers.
    pub(super) heard: LastLeaderContact,
    pub(super) leader_channel: Mutex<Option<(SocketAddr, Channel)>>,
    /// What is asked of this node as the leader.
    pub(super) asked: mpsc::Sender<Asked>,
    pub(super) events: Events,
    /// Who follow everything that happens here.
    pub(super) observers: Observers,
    /// What was complained about lately, and when.
    pub(super) complained: Mutex<BTreeMap<String, tokio::time::Instant>>,
    /// Members that this node heard of when it joined.
    pub(super) known: BTreeMap<NodeId, SocketAddr>,
    /// Where members may be, by the configuration.
    pub(super) seeds: Vec<SocketAddr>,
    /// This process.
    pub(super) start: Start,
    /// Where this process listens.
    pub(super) listens: SocketAddr,
    /// Which process speaks for each node.
    pub(super) starts: Starts,
    /// Whether others have found this process, or know of no other; before, it does not
    /// gossip.
    pub(super) cleared: watch::Sender<bool>,
    /// The node has another address than the membership may know; it takes no part before
    /// others have found it there.
    pub(super) moved: bool,
}

/// What a node is in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Leads,
    Follows,
    KnowsNoLeader,
}

/// Where a replica stands, for those who watch over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its term.
    pub term: Term,
    /// `leader`, `follower`, `candidate`, `learner` or `shutdown`.
    pub state: &'static str,
    /// Who may vote, by the newest membership it knows.
    pub voters: Vec<NodeId>,
    /// The index of its last log entry.
    pub last_log: Option<LogIndex>,
    /// The last index it knows to be committed.
    pub committed: Option<LogIndex>,
    /// The last index it has applied.
    pub applied: Option<LogIndex>,
    /// The index its newest snapshot covers.
    pub snapshot: Option<LogIndex>,
    /// The last index it has purged.
    pub purged: Option<LogIndex>,
    /// The lobby's hash at the applied index.
    pub hash: u64,
    /// Rooms in the lobby.
    pub rooms: u64,
    /// Commands between arrival and answer.
    pub in_flight: u64,
}

impl Replica {
    pub(crate) fn me(&self) -> NodeId {
        self.0.me
    }

    /// Follows whether others have found this process, or know of no other.
    pub(crate) fn cleared(&self) -> watch::Receiver<bool> {
        self.0.cleared.subscribe()
    }

    /// Nodes whose data folder was copied and started a second time lately: number and
    /// address of the one that goes on.
    pub(crate) fn copied(&self) -> Vec<(NodeId, SocketAddr)> {
        self.0.starts.copied().iter().map(|start| (start.node, start.address)).collect()
    }

    /// Where a member is, if that is not where the membership has it.
    pub(crate) fn moved_to(&self, node: NodeId, peer: &Peer) -> Option<SocketAddr> {
        let inner = &self.0;
        let address = match node == inner.me {
            true => inner.start.address,
            false => inner.starts.address_of(node, peer.address),
        };
        Some(address).filter(|address| *address != peer.address)
    }

    /// The newest membership that consensus knows, with the addresses that stand there.
    pub(super) fn membership(&self) -> Members {
        let metrics = self.0.raft.metrics();
        types::members_of(metrics.borrow_watched().membership_config.membership())
    }

    /// The others have found this process, or there is nobody who could know of another one.
    pub(super) fn clear(&self) {
        self.0.cleared.send_if_modified(|cleared| !std::mem::replace(cleared, true));
        self.let_stand();
    }

    /// The others have found this node where it is now.
    pub(super) fn take_part(&self) {
        self.0.proven.send_if_modified(|proven| !std::mem::replace(proven, true));
        self.let_stand();
    }

    /// Lets this node stand for election, once others have found it, and it knows whether its
    /// disk is whole: an only voter asks nobody else. To be called when either comes true.
    pub(super) fn let_stand(&self) {
        let found = if self.0.moved { &self.0.proven } else { &self.0.cleared };
        if *found.borrow() && *self.0.promises.vouched().borrow() {
            self.0.raft.runtime_config().elect(true);
        }
    }

    /// Follows whether this disk is known to be its id's.
    pub(crate) fn proven(&self) -> watch::Receiver<bool> {
        self.0.proven.subscribe()
    }

    /// The cluster it belongs to.
    pub(crate) fn cluster(&self) -> &str {
        self.0.seal.cluster()
    }

    /// Ids, names and addresses of the first members, on a node that is one.
    pub(crate) fn first_members(&self) -> impl Iterator<Item = (NodeId, String, SocketAddr)> {
        let first = &self.0.first_members;
        first.iter().map(|(id, (name, address))| (*id, name.clone(), *address))
    }

    /// Games that have left the lobby.
    pub(crate) fn finished(&self) -> FinishedGames {
        FinishedGames::of(&self.0.machine)
    }

    /// Where the log on this node's disk ends.
    pub(crate) fn log_end(&self) -> Option<LogIndex> {
        self.0.machine.log().state().last.map(|last| last.index)
    }

    /// The number of the cluster's life, which a restore begins anew.
    pub(crate) fn epoch(&self) -> u64 {
        self.0.machine.charter().epoch()
    }

    /// The tasks of this node.
    pub(crate) fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }

    pub(crate) fn machine(&self) -> &Machine {
        &self.0.machine
    }

    /// Follows who leads.
    pub(crate) fn leadership(&self) -> watch::Receiver<Leadership> {
        self.0.leadership.clone()
    }

    /// What this node is in the cluster, as far as it knows.
    ///
    /// Looks once: a second look while the first is held would wait for a writer
    /// that waits for the first.
    pub(crate) fn role(&self) -> Role {
        match &self.0.leadership.borrow().leader {
            Some((id, _)) if *id == self.0.me => Role::Leads,
            Some(_) => Role::Follows,
            None => Role::KnowsNoLeader,
        }
    }

    /// Waits until a leader is known.
    pub(crate) async fn leader_known(&self) {
        let mut leadership = self.leadership();
        // The guard that this gives is dropped at once; see `role`.
        _ = leadership.wait_for(|now| now.leader.is_some()).await;
    }

    /// Resolves with the reason when the replica has ended by itself.
    pub(crate) async fn ended(&self) -> Ended {
        let mut ended = self.0.ended.subscribe();
        let reason = ended.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        reason.unwrap_or_else(|| Ended { spent: false, why: "consensus has stopped".into() })
    }

    /// Ends this replica; the first reason stays.
    pub(crate) fn end(&self, spent: bool, why: String) {
        tracing::error!(why, "this node stops");
        ended::note(&self.0.ended, spent, why);
    }

    /// A word from a leader has come.
    pub(super) fn hear_leader(&self) {
        *self.0.heard.lock().expect("never poisoned") = Some(tokio::time::Instant::now());
    }

    /// What a leader wants to be appended has come.
    pub(super) fn hear_append(&self, append: &AppendEntriesRequest<TypeConfig>) {
        self.hear_leader();
        let is_batch = |entry: &types::Entry| {
            matches!(entry.payload, EntryPayload::Normal(types::Proposal::Batch(_)))
        };
        if append.entries.iter().any(is_batch) {
            self.0.stopwatch.restart();
        }
    }

    /// Whether this node leads, or has heard of a leader lately.
    pub(super) fn heard_of_leader_within(&self, silence: Duration) -> bool {
        self.role() == Role::Leads || is_recent(&self.0.heard, silence)
    }

    /// Something happened here that others may want to know.
    pub(crate) fn event(&self, kind: &'static str, text: String) {
        let term = self.term();
        let applied = self.0.machine.standing().applied;
        self.0.events.note(kind, term, applied.map_or(LogIndex(0), |at| at.index), text);
    }

    /// Something was refused. Said once in a while: who asks in vain asks again and again,
    /// and may want to fill our logs.
    pub(crate) fn complain(&self, text: String) {
        let now = tokio::time::Instant::now();
        {
            let mut said = self.0.complained.lock().expect("never poisoned");
            said.retain(|_, at| now - *at < COMPLAIN_EVERY);
            if said.contains_key(&text) || said.len() >= COMPLAINTS_MAX {
                return;
            }
            said.insert(text.clone(), now);
        }
        self.event("refusal", text);
    }

    /// The term, as far as it is known.
    pub(super) fn term(&self) -> Term {
        self.0.leadership.borrow().term
    }

    /// Who follow everything that happens here.
    pub(crate) fn observers(&self) -> &Observers {
        &self.0.observers
    }

    /// Follows what happens.
    pub(crate) fn events(&self) -> &Events {
        &self.0.events
    }

    /// Queues commands on the leader; see [`Proposer::submit`].
    pub(crate) fn submit(&self, entries: Vec<Entry>) -> Result<Answered, ProposeError> {
        self.0.proposer.submit(entries)
    }

    /// Where this replica stands.
    pub(crate) fn report(&self) -> Report {
        let metrics = self.0.raft.metrics().borrow_watched().clone();
        let standing = self.0.machine.standing();
        Report {
            term: Term(metrics.current_term),
            state: state_name(metrics.state),
            voters: types::voters_of(metrics.membership_config.membership()),
            last_log: metrics.last_log_index.map(LogIndex),
            committed: metrics.local_committed.as_ref().map(types::index_of),
            applied: standing.applied.map(|Position { index, .. }| index),
            snapshot: metrics.snapshot.as_ref().map(types::index_of),
            purged: metrics.purged.as_ref().map(types::index_of),
            hash: standing.hash,
            rooms: standing.rooms,
            in_flight: self.0.proposer.in_flight(self.0.in_flight_max) as u64,
        }
    }

    /// Leaves consensus without waiting for it.
    pub(crate) fn abandon(&self) {
        let raft = self.0.raft.clone();
        self.0.env.spawn_consensus(Box::pin(async move { _ = raft.shutdown().await }));
    }

    /// Leaves consensus for now. Everything acknowledged is durable already.
    pub(crate) async fn stop(&self) {
        self.save_promises().await;
        // The result says only whether openraft's task had panicked.
        _ = self.0.raft.shutdown().await;
    }

    /// How long ago a room came to be as it is, in lobby time, as far as this node knows.
    pub(crate) fn age_of(&self, made_ms: u64) -> Duration {
        Duration::from_millis(self.lobby_now_ms().saturating_sub(made_ms))
    }

    /// Lobby time now, in milliseconds, as far as this node knows.
    pub(crate) fn lobby_now_ms(&self) -> u64 {
        let passed_ms = u64::try_from(self.0.stopwatch.passed().as_millis()).unwrap_or(u64::MAX);
        self.0.machine.with_lobby(Lobby::now_ms).saturating_add(passed_ms)
    }
}

pub(super) fn state_name(state: openraft::ServerState) -> &'static str {
    match state {
        openraft::ServerState::Leader => "leader",
        openraft::ServerState::Follower => "follower",
        openraft::ServerState::Candidate => "candidate",
        openraft::ServerState::Learner => "learner",
        openraft::ServerState::Shutdown => "shutdown",
    }
}
