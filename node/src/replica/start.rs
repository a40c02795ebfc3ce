//! Opening storage and joining consensus.

use crate::charter::Members;
use crate::env::Env;
use crate::events::Events;
use crate::feed::Feed;
use crate::identity::{Founders, Identity, Phase, SpentId, founders_of, join_anew};
use crate::observe::Observers;
use crate::peers::asks::Asked;
use crate::peers::envelope::{Party, Seal, Speaker};
use crate::peers::promises::Promises;
use crate::peers::starts::{Start, Starts};
use crate::raft::log_store::LogStore;
use crate::raft::machine::{Machine, Raft};
use crate::raft::network::Wire;
use crate::raft::open::{mend_log, start_raft};
use crate::raft::propose::Proposer;
use crate::raft::stopwatch::Stopwatch;
use crate::raft::tidy;
use crate::replica::ended::Ended;
use crate::replica::handle::{Inner, Replica};
use crate::replica::leadership::{LastLeaderContact, Leadership, follow};
use crate::replica::{bootstrap, claims, drift, refill, vouch};
use crate::storage::Storage;
use crate::storage::log::{LogDevice, Position};
use crate::tasks::Tasks;
use hangraft_cluster_config::{ClusterKey, NodeConfig};
use hangraft_ids::Instance;
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

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
        tasks: Tasks,
    ) -> io::Result<Self> {
        let opened = Opened::open(config, &identity, key, &env, storage).await?;
        let running = opened.run(config, &env, &tasks);
        let Opened { start, seal, machine, promises, founders, starts, observers, raft } = opened;
        let Running { stopwatch, proposer, ended, heard, leadership } = running;
        let moved = identity.has_moved();
        let replica = Replica(Arc::new(Inner {
            me: start.node,
            disk: start.disk,
            proven: watch::Sender::new(identity.phase != Phase::Unproven && !moved),
            promises,
            told: Mutex::default(),
            heard_of: Mutex::default(),
            known: identity.known.clone(),
            identity: tokio::sync::Mutex::new(identity),
            in_flight_max: config.limits.in_flight_max as usize,
            raft,
            machine,
            proposer,
            stopwatch,
            events: Events::new(env.clone(), observers.clone()),
            observers,
            env,
            tasks,
            seal,
            first_members: founders,
            removal_expected: AtomicBool::new(false),
            leadership,
            ended,
            heard,
            leader_channel: Mutex::default(),
            asked,
            complained: Mutex::default(),
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
        let cut_off = self.0.machine.log().cut_off();
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
        let begin = self.until_ended("bootstrap", bootstrap::run(self.clone()));
        inner.env.spawn_consensus(Box::pin(begin));
        let tidy = tidy::run(inner.raft.clone(), inner.machine.clone());
        tokio::spawn(self.until_ended("removal", bootstrap::notice_removal(self.clone())));
        tokio::spawn(self.until_ended("claims", claims::run(self.clone())));
        tokio::spawn(self.until_ended("tells where it is", claims::tell(self.clone())));
        tokio::spawn(self.until_ended("tidy", tidy));
        tokio::spawn(self.until_ended("refill", refill::run(self.clone())));
        tokio::spawn(self.until_ended("passing time", self.clone().tick()));
        tokio::spawn(self.until_ended("drift", drift::run(self.clone())));
        tokio::spawn(self.until_ended("vouch", vouch::run(self.clone())));
    }

    /// A task that also ends when the replica has ended by itself.
    fn until_ended<W>(&self, name: &'static str, work: W) -> impl Future<Output = ()> + use<W>
    where
        W: Future<Output = ()>,
    {
        let mut ended = self.0.ended.subscribe();
        let task = self.0.tasks.owned(name, async move {
            tokio::select! {
                () = work => {}
                _ = ended.wait_for(Option::is_some) => {}
            }
        });
        async { _ = task.await }
    }
}

/// What a replica opens before it takes part.
struct Opened {
    start: Start,
    seal: Seal,
    machine: Machine,
    promises: Promises,
    founders: Founders,
    starts: Starts,
    observers: Observers,
    raft: Raft,
}

impl Opened {
    async fn open(
        config: &NodeConfig,
        identity: &Identity,
        key: &ClusterKey,
        env: &Arc<dyn Env>,
        storage: Storage,
    ) -> io::Result<Self> {
        check_disk(identity, &storage)?;
        let (start, seal) = who_starts(identity, key, &**env);
        let machine = Machine::open(storage.clone(), Feed::default()).await?;
        check_snapshot(identity, &*storage.log, machine.standing().applied)?;
        mend_log(&*storage.log, machine.standing().applied).await?;
        let log = LogStore::new(storage.log, machine.durable_snapshot());
        // An empty disk has its own proof to wait for.
        let vouched = identity.phase == Phase::Unproven;
        let promises = Promises::load(machine.files(), &identity.cluster, vouched).await;
        // What is configured may have been mended since.
        let configured = founders_of(config);
        let founders = if configured.is_empty() { identity.founders.clone() } else { configured };
        // Nobody is heard before it is known where who is.
        let starts = known_starts(&machine.members().1, &founders);
        let observers = Observers::new();
        let wire = Wire::new(
            env.clone(),
            seal.clone(),
            log.purged(),
            promises.clone(),
            starts.clone(),
            observers.clone(),
        );
        let raft = start_raft(config, identity, env, wire, log, machine.clone()).await?;
        Ok(Opened { start, seal, machine, promises, founders, starts, observers, raft })
    }

    /// Takes commands, and follows who leads.
    fn run(&self, config: &NodeConfig, env: &Arc<dyn Env>, tasks: &Tasks) -> Running {
        let stopwatch = Stopwatch::new(env.clone());
        let limits = &config.limits;
        let proposer = Proposer::start(
            self.raft.clone(),
            self.machine.clone(),
            stopwatch.clone(),
            tasks.clone(),
            env.clone(),
            limits.in_flight_max as usize,
            limits.batch_bytes_max as usize,
        );
        let (ended, heard) = (watch::Sender::new(None), LastLeaderContact::default());
        let (leadership, following) = follow(
            &self.raft,
            Duration::from_millis(2 * config.raft.election_ms_max),
            heard.clone(),
            self.starts.clone(),
            stopwatch.clone(),
            ended.clone(),
        );
        let following = tasks.owned("leadership", following);
        env.spawn_consensus(Box::pin(async { _ = following.await }));
        Running { stopwatch, proposer, ended, heard, leadership }
    }
}

/// What runs on it.
struct Running {
    stopwatch: Stopwatch,
    proposer: Proposer,
    ended: watch::Sender<Option<Ended>>,
    heard: LastLeaderContact,
    leadership: watch::Receiver<Leadership>,
}

/// This process, and how it signs what it says.
fn who_starts(identity: &Identity, key: &ClusterKey, env: &dyn Env) -> (Start, Seal) {
    let start = Start {
        node: identity.node,
        disk: identity.disk,
        instance: Instance(env.entropy().max(1)),
        number: identity.starts,
        address: identity.address,
    };
    let party = Party { node: start.node, disk: start.disk };
    let speaker = Speaker { party, instance: start.instance };
    let seal = Seal::new(&identity.cluster, key, speaker);
    (start, seal)
}

/// Where nodes are, by the membership; before there is one, by the configuration.
fn known_starts(members: &Members, founders: &Founders) -> Starts {
    let starts = Starts::new();
    starts.follow(members);
    if members.is_empty() {
        starts.expect(founders.iter().map(|(id, (_, address))| (*id, *address)));
    }
    starts
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
