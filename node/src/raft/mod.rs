//! One replica: openraft stops here.
//!
//! ```text
//! commands -> Replica::submit -> propose -> log_store -> log_device
//!                                   |           |
//!                                   |           +-> network -> the other replicas
//!                                   v
//!             answers <- machine -> feed (views), archive and snapshots (checkpoints)
//! ```
//!
//! `Replica` is where the three rivers meet: it takes commands, it tells what is
//! applied, and it changes the membership. Nothing outside this folder names
//! a type of openraft.

mod alarm;
mod bootstrap;
mod claims;
mod compare;
#[cfg(test)]
mod contract;
mod council;
mod envelope;
mod export;
mod leadership;
mod log_store;
mod machine;
mod network;
mod peer_service;
#[cfg(feature = "planted")]
mod planted;
mod promises;
mod propose;
mod refill;
mod snapshots;
mod starts;
mod stopwatch;
pub mod suite;
mod tidy;
mod types;
mod vouch;

pub(crate) use council::Council;
pub(crate) use envelope::{Party, Seal, Speaker};
pub(crate) use export::{Everything, Import, found_anew, recovered};
pub(crate) use leadership::Leadership;
pub(crate) use machine::{Machine, decode_finished};
pub(crate) use network::client;
pub(crate) use peer_service::PeerService;
pub(crate) use propose::ProposeError;
pub(crate) use snapshots::Unusable;
pub(crate) use types::FORMAT;
pub use types::{Electorate, electorate_of};

use crate::dial::channel_to;
use crate::env::Env;
use crate::events::Events;
use crate::feed::Feed;
use crate::identity::{Founders, Identity, Phase, SpentId, founders_of, join_anew};
use crate::membership::charter::Members;
use crate::membership::{Asked, Peer};
use crate::storage::Storage;
use crate::storage::log::{LogDevice, Position, Write};
use hangraft_cluster_config::{ClusterKey, NodeConfig, RaftConfig};
use hangraft_game::{Entry, Lobby, Room, RoomId, Version};
use leadership::{Heard, follow, is_recent};
use log_store::LogStore;
use openraft::async_runtime::WatchReceiver;
use openraft::raft::AppendEntriesRequest;
use openraft::{EntryPayload, ReadPolicy};
use promises::Promises;
use propose::{Answered, Proposer};
use starts::{Start, Starts};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use stopwatch::Stopwatch;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;
use types::{Raft, TypeConfig};

/// How long a read waits for its freshness before it is refused.
const READ_DEADLINE: Duration = Duration::from_secs(2);

/// Before a leader is asked again for a read index.
const READ_PAUSE: Duration = Duration::from_millis(25);

/// Between two complaints in the same words.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

/// Complaints in different words within that time. What is more is not said: a flood of
/// them would push out of the events what matters.
const COMPLAINTS_MAX: usize = 16;

/// Between two batches of ours that let time pass. What becomes due within it is done
/// together: many rooms that leave one by one do not fill the log.
const TICK_PAUSE: Duration = Duration::from_millis(100);

/// After one that was not applied.
const TICK_RETRY: Duration = Duration::from_secs(1);

/// A running replica. Clones share it.
#[derive(Clone)]
pub(crate) struct Replica(Arc<Inner>);

struct Inner {
    me: u64,
    /// The number of this node's disk.
    disk: u64,
    identity: tokio::sync::Mutex<Identity>,
    /// Whether the disk is known to be the id's; before, the node takes no part.
    proven: watch::Sender<bool>,
    /// What disks have promised, and whether this one is known to have kept it.
    promises: Promises,
    /// Who has told this node what it remembers, before that was enough.
    told: Mutex<BTreeSet<u64>>,
    /// Whom members have named, and where they are.
    heard_of: Mutex<BTreeMap<u64, (Party, SocketAddr)>>,
    in_flight_max: usize,
    raft: Raft,
    machine: Machine,
    proposer: Proposer,
    /// How much time has passed since the last batch that this node wrote or heard of.
    stopwatch: Stopwatch,
    env: Arc<dyn Env>,
    seal: Seal,
    /// Names and addresses as configured; empty on a node that joined later.
    first_members: Founders,
    /// The node was asked to leave: being removed is what it waits for.
    removal_expected: AtomicBool,
    leadership: watch::Receiver<Leadership>,
    ended: watch::Sender<Option<Ended>>,
    /// When a leader was heard of last, by the clock of tokio's timers.
    heard: Heard,
    leader_channel: Mutex<Option<(SocketAddr, Channel)>>,
    /// What is asked of this node as the leader.
    asked: mpsc::Sender<Asked>,
    pub(crate) events: Events,
    /// What was complained about lately, and when.
    complained: Mutex<BTreeMap<String, tokio::time::Instant>>,
    /// Members that this node heard of when it joined.
    known: BTreeMap<u64, SocketAddr>,
    /// Where members may be, by the configuration.
    seeds: Vec<SocketAddr>,
    /// This process.
    start: Start,
    /// Where this process listens.
    listens: SocketAddr,
    /// Which process speaks for each node.
    starts: Starts,
    /// Whether others have found this process, or know of no other; before, it does not
    /// gossip.
    cleared: watch::Sender<bool>,
    /// The node has another address than the membership may know; it takes no part before
    /// others have found it there.
    moved: bool,
}

/// Why a replica has ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Its id is spent: starting it again changes nothing.
    pub(crate) spent: bool,
    pub(crate) why: String,
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
    pub term: u64,
    /// `leader`, `follower`, `candidate`, `learner` or `shutdown`.
    pub state: &'static str,
    /// Who may vote, by the newest membership it knows.
    pub voters: Vec<u64>,
    /// The index of its last log entry.
    pub last_log: Option<u64>,
    /// The last index it knows to be committed.
    pub committed: Option<u64>,
    /// The last index it has applied.
    pub applied: Option<u64>,
    /// The index its newest snapshot covers.
    pub snapshot: Option<u64>,
    /// The last index it has purged.
    pub purged: Option<u64>,
    /// The lobby's hash at the applied index.
    pub hash: u64,
    /// Rooms in the lobby.
    pub rooms: u64,
    /// Commands between arrival and answer.
    pub in_flight: u64,
}

/// Why a read was not served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("no leader confirmed by a majority was found; try again")]
    NoQuorum,
    #[error("this replica did not catch up in time; try again or another node")]
    Behind,
}

impl Replica {
    /// Opens storage and joins consensus, as who the disk says this is.
    ///
    /// What others ask of this node as the leader goes to `asked`.
    pub(crate) async fn start(
        config: &NodeConfig,
        identity: Identity,
        key: &ClusterKey,
        env: Arc<dyn Env>,
        storage: Storage,
        asked: mpsc::Sender<Asked>,
        events: Events,
    ) -> io::Result<Self> {
        let me = identity.node;
        check_disk(&identity, &storage)?;
        let start = Start {
            node: me,
            disk: identity.disk,
            instance: env.entropy().max(1),
            number: identity.starts,
            address: identity.address,
        };
        let speaker =
            Speaker { party: Party { node: me, disk: start.disk }, instance: start.instance };
        let seal = Seal::new(&identity.cluster, key, speaker);
        let machine = Machine::open(storage.clone(), Feed::default()).await?;
        check_snapshot(&identity, &*storage.log, machine.standing().applied)?;
        mend_log(&*storage.log, machine.standing().applied).await?;
        let log = LogStore::new(storage.log, machine.durable_snapshot());
        // An empty disk has its own proof to wait for.
        let vouched = identity.phase == Phase::Unproven;
        let promises = Promises::load(&machine.storage().files, &identity.cluster, vouched).await;
        let starts = Starts::new();
        // Nobody is heard before it is known where who is.
        let members = machine.members().1;
        starts.follow(&members);
        let wire = network::Wire::new(
            env.clone(),
            seal.clone(),
            log.purged(),
            promises.clone(),
            starts.clone(),
        );
        let raft = start_raft(config, &identity, &env, wire, log, machine.clone()).await?;
        // What is configured may have been mended since.
        let configured = founders_of(config);
        let first_members =
            if configured.is_empty() { identity.founders.clone() } else { configured };
        if members.is_empty() {
            let addresses = first_members.iter().map(|(id, (_, address))| (*id, *address));
            starts.expect(addresses);
        }
        let known = identity.known.clone();
        let in_flight_max = config.limits.in_flight_max as usize;
        let batch_bytes_max = config.limits.batch_bytes_max as usize;
        let stopwatch = Stopwatch::new(env.clone());
        let proposer = Proposer::start(
            raft.clone(),
            machine.clone(),
            stopwatch.clone(),
            env.clone(),
            in_flight_max,
            batch_bytes_max,
        );
        let quorum_age_max = Duration::from_millis(2 * config.raft.election_ms_max);
        let ended = watch::Sender::new(None);
        let heard = Heard::default();
        let leadership = follow(
            &raft,
            &env,
            quorum_age_max,
            heard.clone(),
            starts.clone(),
            stopwatch.clone(),
            ended.clone(),
        );
        let moved = identity.has_moved();
        let replica = Replica(Arc::new(Inner {
            me,
            disk: identity.disk,
            proven: watch::Sender::new(identity.phase != Phase::Unproven && !moved),
            promises,
            told: Mutex::default(),
            heard_of: Mutex::default(),
            identity: tokio::sync::Mutex::new(identity),
            in_flight_max,
            raft,
            machine,
            proposer,
            stopwatch,
            env,
            seal,
            first_members,
            removal_expected: AtomicBool::new(false),
            leadership,
            ended,
            heard,
            leader_channel: Mutex::default(),
            asked,
            events,
            complained: Mutex::default(),
            known,
            seeds: config.cluster.seeds.clone(),
            start,
            listens: config.address,
            starts,
            cleared: watch::Sender::new(false),
            moved,
        }));
        replica.say_what_was_mended();
        replica.spawn_helpers();
        Ok(replica)
    }

    /// What was found missing on the disk, and is healed without anybody's help.
    fn say_what_was_mended(&self) {
        let storage = self.0.machine.storage();
        let cut_off = storage.log.cut_off();
        if cut_off > 0 {
            let text = format!(
                "the last {cut_off} bytes of the log were no whole entries, as a crash leaves them, \
                 and were cut off; nothing of that had been acknowledged"
            );
            self.event("disk", text);
        }
        if let Some(gap) = *self.0.machine.archive_gap().borrow() {
            let text = format!(
                "the archive was lost, or did not open: it misses finished games up to entry {}; \
                 they are fetched from another replica",
                gap.index
            );
            self.event("disk", text);
        }
    }

    /// What runs beside consensus for as long as the replica does.
    fn spawn_helpers(&self) {
        let inner = &self.0;
        let begin = until_ended(inner.ended.subscribe(), bootstrap::run(self.clone()));
        inner.env.spawn_consensus(Box::pin(begin));
        let removal = until_ended(inner.ended.subscribe(), bootstrap::notice_removal(self.clone()));
        tokio::spawn(removal);
        tokio::spawn(until_ended(inner.ended.subscribe(), claims::run(self.clone())));
        let tidy = tidy::run(inner.raft.clone(), inner.machine.clone());
        tokio::spawn(until_ended(inner.ended.subscribe(), tidy));
        let refill = refill::run(self.clone(), self.peers());
        tokio::spawn(until_ended(inner.ended.subscribe(), refill));
        tokio::spawn(until_ended(inner.ended.subscribe(), self.clone().tick()));
        tokio::spawn(until_ended(inner.ended.subscribe(), compare::run(self.clone())));
        tokio::spawn(until_ended(inner.ended.subscribe(), vouch::run(self.clone())));
    }

    pub(crate) fn me(&self) -> u64 {
        self.0.me
    }

    /// Follows whether others have found this process, or know of no other.
    pub(crate) fn cleared(&self) -> watch::Receiver<bool> {
        self.0.cleared.subscribe()
    }

    /// Nodes whose data folder was copied and started a second time lately: number and
    /// address of the one that goes on.
    pub(crate) fn copied(&self) -> Vec<(u64, SocketAddr)> {
        self.0.starts.copied().iter().map(|start| (start.node, start.address)).collect()
    }

    /// Where a member is, if that is not where the membership has it.
    pub(crate) fn moved_to(&self, node: u64, peer: &Peer) -> Option<SocketAddr> {
        let inner = &self.0;
        let address = match node == inner.me {
            true => inner.start.address,
            false => inner.starts.address_of(node, peer.address),
        };
        Some(address).filter(|address| *address != peer.address)
    }

    /// The newest membership that consensus knows, with the addresses that stand there.
    fn membership(&self) -> Members {
        let metrics = self.0.raft.metrics();
        types::members_of(metrics.borrow_watched().membership_config.membership())
    }

    /// The others have found this process, or there is nobody who could know of another one.
    fn clear(&self) {
        if self.0.cleared.send_if_modified(|cleared| !std::mem::replace(cleared, true))
            && !self.0.moved
        {
            self.0.raft.runtime_config().elect(true);
        }
    }

    /// The others have found this node where it is now.
    fn take_part(&self) {
        self.0.raft.runtime_config().elect(true);
        self.0.proven.send_if_modified(|proven| !std::mem::replace(proven, true));
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
    pub(crate) fn first_members(&self) -> impl Iterator<Item = (u64, String, SocketAddr)> {
        let first = &self.0.first_members;
        first.iter().map(|(id, (name, address))| (*id, name.clone(), *address))
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
        self.0.ended.send_if_modified(|ended| {
            let first = ended.is_none();
            if first {
                *ended = Some(Ended { spent, why });
            }
            first
        });
    }

    /// A word from a leader has come.
    fn hear_leader(&self) {
        *self.0.heard.lock().expect("never poisoned") = Some(tokio::time::Instant::now());
    }

    /// What a leader wants to be appended has come.
    fn hear_append(&self, append: &AppendEntriesRequest<TypeConfig>) {
        self.hear_leader();
        let is_batch = |entry: &types::Entry| {
            matches!(entry.payload, EntryPayload::Normal(types::Proposal::Batch(_)))
        };
        if append.entries.iter().any(is_batch) {
            self.0.stopwatch.restart();
        }
    }

    /// Whether this node leads, or has heard of a leader lately.
    fn heard_of_leader_within(&self, silence: Duration) -> bool {
        self.role() == Role::Leads || is_recent(&self.0.heard, silence)
    }

    /// Something happened here that others may want to know.
    pub(crate) fn event(&self, kind: &'static str, text: String) {
        let term = self.leadership().borrow().term;
        let applied = self.0.machine.standing().applied;
        self.0.events.note(kind, term, applied.map_or(0, |at| at.index), text);
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

    /// Follows what happens.
    pub(crate) fn events(&self) -> &Events {
        &self.0.events
    }

    /// Queues commands on the leader; see [`Proposer::submit`].
    pub(crate) fn submit(&self, entries: Vec<Entry>) -> Result<Answered, ProposeError> {
        self.0.proposer.submit(entries)
    }

    /// Waits until this replica has applied everything that was acknowledged
    /// anywhere before the call (ReadIndex, thesis section 6.4).
    pub(crate) async fn linearizable(&self) -> Result<(), ReadError> {
        planted!(StaleRead => if self.role() == Role::Leads { return Ok(()) });
        let asked = async {
            loop {
                let index = match self.role() {
                    Role::Leads => self.read_index().await,
                    Role::Follows | Role::KnowsNoLeader => self.ask_leader().await,
                };
                match index {
                    Some(index) => return self.wait_applied(index).await,
                    // While leadership moves nobody knows; soon somebody will.
                    None => sleep(READ_PAUSE).await,
                }
            }
        };
        timeout(READ_DEADLINE, asked).await.unwrap_or(Err(ReadError::NoQuorum))
    }

    /// Waits until this replica has the room at `version` or later.
    pub(crate) async fn at_least(&self, room: RoomId, version: Version) -> Result<(), ReadError> {
        let mut applied = self.0.machine.applied();
        let there = async {
            loop {
                applied.borrow_and_update();
                if self.0.machine.room(room).is_some_and(|room| room.version() >= version)
                    || self.has_left(room, version).await
                {
                    return Ok(());
                }
                applied.changed().await.map_err(|_| ReadError::Behind)?;
            }
        };
        timeout(READ_DEADLINE, there).await.unwrap_or(Err(ReadError::Behind))
    }

    /// Whether the room has left the lobby here, at `version` or later.
    async fn has_left(&self, room: RoomId, version: Version) -> bool {
        let machine = &self.0.machine;
        let stored = match machine.recently_finished(room.0) {
            Some(bytes) => Some(bytes),
            None => machine.storage().archive.get(room.0).await.ok().flatten(),
        };
        let finished = stored.and_then(|bytes| decode_finished(&bytes).ok());
        finished.is_some_and(|finished| finished.version >= version)
    }

    async fn wait_applied(&self, index: u64) -> Result<(), ReadError> {
        let mut applied = self.0.machine.applied();
        applied.wait_for(|at| *at >= Some(index)).await.map_err(|_| ReadError::Behind)?;
        Ok(())
    }

    /// The read index, from this node as the leader.
    async fn read_index(&self) -> Option<u64> {
        let linearizer = self.0.raft.get_read_linearizer(ReadPolicy::ReadIndex).await.ok()?;
        Some(linearizer.read_log_id().index())
    }

    async fn ask_leader(&self) -> Option<u64> {
        let (leader, peer) = self.0.leadership.borrow().leader.clone()?;
        let mut client = network::client(self.channel_to_leader(peer.address), &self.0.seal);
        let leader = Party { node: leader, disk: peer.disk };
        let answer = client.read_index(self.0.seal.seal(leader, &())).await.ok()?;
        let (_, index) = self.0.seal.open::<Option<u64>>(&answer.into_inner()).ok()?;
        index
    }

    /// One connection for all reads, as long as the leader stays.
    fn channel_to_leader(&self, address: SocketAddr) -> Channel {
        let mut kept = self.0.leader_channel.lock().expect("never poisoned");
        match &*kept {
            Some((known, channel)) if *known == address => channel.clone(),
            _ => {
                let channel = channel_to(&self.0.env, address);
                *kept = Some((address, channel.clone()));
                channel
            }
        }
    }

    /// Where this replica stands.
    pub(crate) fn report(&self) -> Report {
        let metrics = self.0.raft.metrics().borrow_watched().clone();
        let standing = self.0.machine.standing();
        Report {
            term: metrics.current_term,
            state: state_name(metrics.state),
            voters: metrics.membership_config.membership().voter_ids().collect(),
            last_log: metrics.last_log_index,
            committed: metrics.local_committed.map(|id| id.index),
            applied: standing.applied.map(|Position { index, .. }| index),
            snapshot: metrics.snapshot.map(|id| id.index),
            purged: metrics.purged.map(|id| id.index),
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

    fn peers(&self) -> watch::Receiver<Vec<(u64, Peer)>> {
        let (peers, receiver) = watch::channel(Vec::new());
        let mut leadership = self.leadership();
        tokio::spawn(async move {
            loop {
                let members = leadership.borrow_and_update().members.clone();
                let list = members.into_iter().map(|(id, (peer, _))| (id, peer)).collect();
                if peers.send(list).is_err() || leadership.changed().await.is_err() {
                    return;
                }
            }
        });
        receiver
    }

    /// How long ago a room came to be as it is, in lobby time, as far as this node knows.
    pub(crate) fn age_of(&self, room: &Room) -> Duration {
        let now_ms = self.0.machine.with_lobby(Lobby::now_ms);
        Duration::from_millis(now_ms.saturating_sub(room.made_ms())) + self.0.stopwatch.passed()
    }

    /// On the leader: lets time pass in the lobby, when nobody plays. Sleeps until
    /// something is due, and no shorter than [`TICK_PAUSE`].
    async fn tick(self) {
        let mut leadership = self.leadership();
        loop {
            leadership.mark_unchanged();
            let wait = self.time_to_pass();
            if wait == Some(Duration::ZERO) {
                let passed = self.let_all_pass().await;
                sleep(if passed { TICK_PAUSE } else { TICK_RETRY }).await;
                continue;
            }
            let slept = async {
                match wait {
                    Some(wait) => sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = slept => {}
                () = self.0.machine.alarm().rung() => {}
                Ok(()) = leadership.changed() => {}
            }
        }
    }

    /// How long until this node lets time pass; none if it does not lead, or nothing will
    /// ever be due.
    fn time_to_pass(&self) -> Option<Duration> {
        let alarm = self.0.machine.alarm();
        alarm.listen();
        if self.role() != Role::Leads {
            alarm.mute();
            return None;
        }
        let standing = self.0.machine.standing();
        let due = standing.due?;
        alarm.set(due.at_ms);
        let wait = due.after.saturating_sub(self.0.stopwatch.passed());
        // Counted from the newest batch that is applied, and less what has passed since the
        // newest that was written: as long as these differ, it may be sooner.
        let written = self.0.raft.metrics().borrow_watched().last_log_index;
        let applied = standing.applied.map(|at| at.index);
        let under_way = self.0.proposer.in_flight(self.0.in_flight_max) > 0 || applied < written;
        Some(if under_way { wait.min(TICK_PAUSE) } else { wait })
    }

    /// Lets pass all that is due. A batch does a bounded amount of it; what it left is done
    /// at once, by one batch after the other, between those of the players.
    async fn let_all_pass(&self) -> bool {
        while self.let_time_pass().await {
            let more = self.role() == Role::Leads
                && self.0.machine.standing().due.is_some_and(|due| due.after.is_zero());
            if !more {
                return true;
            }
        }
        false
    }

    /// Writes an empty batch; whether it was applied. If it was lost, another does the same.
    async fn let_time_pass(&self) -> bool {
        match self.submit(Vec::new()) {
            Ok(answered) => matches!(answered.await, Ok(Ok(_))),
            Err(_) => false,
        }
    }
}

async fn until_ended(mut ended: watch::Receiver<Option<Ended>>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        _ = ended.wait_for(Option::is_some) => {}
    }
}

/// Whether storage holds anything of a log: a vote, entries, or a snapshot.
pub(crate) async fn holds_a_log(storage: &Storage) -> io::Result<bool> {
    let state = storage.log.state();
    let begun = state.vote.is_some() || state.last.is_some();
    Ok(begun || snapshots::any(&storage.files).await?)
}

/// The snapshot that stands for the purged part of the log must be there: what is behind it,
/// applied to an empty lobby, would make another one.
fn check_snapshot(
    identity: &Identity,
    device: &dyn LogDevice,
    covered: Option<Position>,
) -> io::Result<()> {
    match device.state().purged {
        Some(purged) if covered.is_none_or(|covered| covered.index < purged.index) => {
            let lost = format!(
                "the snapshot that stands for the log up to entry {} is missing in this folder; put \
                 it back, if it was moved; otherwise what this disk had is lost: {}",
                purged.index,
                join_anew(identity.node)
            );
            Err(io::Error::other(SpentId(lost)))
        }
        _ => Ok(()),
    }
}

/// A disk that had a log must have one now, and a spent id is not started again.
fn check_disk(identity: &Identity, storage: &Storage) -> io::Result<()> {
    match &identity.phase {
        Phase::Spent(why) => Err(io::Error::other(SpentId(why.clone()))),
        Phase::Unfinished => Err(io::Error::other(
            "a restore or recovery into this folder was not finished; do it again, the restore \
             into an empty folder",
        )),
        Phase::Member if storage.log.state().vote.is_none() => {
            let lost = format!("the log in this folder was lost: {}", join_anew(identity.node));
            Err(io::Error::other(SpentId(lost)))
        }
        Phase::Applying | Phase::Unproven | Phase::Proven | Phase::Member => Ok(()),
    }
}

/// Lets go of entries that the snapshot has replaced: a crash right behind an installed
/// snapshot can leave them, and they would stand in the way of what comes next. An entry
/// of another term where the snapshot ends, and all behind it, were never committed
/// (thesis section 3.5); where the log ends before the snapshot does, nothing is missed.
/// Found by simulation.
async fn mend_log(device: &dyn LogDevice, covered: Option<Position>) -> io::Result<()> {
    let Some(covered) = covered else { return Ok(()) };
    let state = device.state();
    let stale = match state.last {
        None => false,
        Some(last) if last.index < covered.index => true,
        Some(_) if state.purged.is_some_and(|purged| purged.index >= covered.index) => false,
        Some(_) => {
            let there = device.read(covered.index, covered.index + 1, usize::MAX)?;
            there.first().is_some_and(|(at, _)| *at != covered)
        }
    };
    if stale {
        device.write(Write::TruncateAfter(state.purged))?;
        device.write(Write::Purge(covered))?;
        synced(device).await?;
    }
    Ok(())
}

/// Waits until everything written to the log before is durable.
async fn synced(log: &dyn LogDevice) -> io::Result<()> {
    let (done, synced) = oneshot::channel();
    log.sync(Box::new(move |result| _ = done.send(result)));
    synced.await.map_err(|_| io::Error::other("the log was closed"))?
}

/// Starts openraft where consensus runs.
async fn start_raft(
    config: &NodeConfig,
    identity: &Identity,
    env: &Arc<dyn Env>,
    wire: network::Wire,
    log: LogStore,
    machine: Machine,
) -> io::Result<Raft> {
    let settings = raft_config(&identity.cluster, &config.raft).map_err(io::Error::other)?;
    let (id, (started, raft)) = (identity.node, oneshot::channel());
    env.spawn_consensus(Box::pin(async move {
        let raft = Raft::new(id, Arc::new(settings), wire, log, machine).await;
        // The node gave up waiting only if it is being dropped.
        _ = started.send(raft);
    }));
    let raft = raft.await.map_err(|_| io::Error::other("consensus did not start"))?;
    raft.map_err(io::Error::other)
}

fn raft_config(
    cluster: &str,
    raft: &RaftConfig,
) -> Result<openraft::Config, openraft::ConfigError> {
    openraft::Config {
        cluster_name: cluster.to_owned(),
        heartbeat_interval: raft.heartbeat_ms,
        election_timeout_min: raft.election_ms_min,
        election_timeout_max: raft.election_ms_max,
        // An append shows that the leader lives as well as a heartbeat does.
        heartbeat_min_interval: Some(raft.heartbeat_ms),
        // Not before this process is known to be the only one of its node.
        enable_elect: false,
        enable_pre_vote: Some(true),
        // Without it, a partial partition can leave the cluster without a leader.
        quorum_loss_probe_interval: Some(1_000.max(2 * raft.election_ms_max)),
        max_payload_entries: 1024,
        max_append_entries: Some(4096),
        api_batch_linger_ms: 0,
        api_channel_size: Some(16_384),
        state_machine_channel_size: Some(1024),
        // Followers write while the leader does, not after.
        broadcast_submitted_on_append: Some(true),
        snapshot_policy: openraft::SnapshotPolicy::LogsSinceLast(raft.snapshot_after_entries),
        replication_lag_threshold: raft.snapshot_after_entries.saturating_mul(3),
        max_in_snapshot_log_to_keep: raft.keep_entries,
        purge_batch_size: 4096.min(raft.keep_entries.max(1)),
        install_snapshot_timeout: 30_000,
        backoff: "50ms 100ms 200ms 500ms ...1s".into(),
        // A restarted leader that resumes its old term serves stale reads.
        enable_leader_restore: Some(planted!(LeaderRestored ? true => false)),
        allow_log_reversion: None,
        ..openraft::Config::default()
    }
    .validate()
}

fn state_name(state: openraft::ServerState) -> &'static str {
    match state {
        openraft::ServerState::Leader => "leader",
        openraft::ServerState::Follower => "follower",
        openraft::ServerState::Candidate => "candidate",
        openraft::ServerState::Learner => "learner",
        openraft::ServerState::Shutdown => "shutdown",
    }
}
