//! One node: a replica of the lobby with everything around it.
//!
//! ```text
//! service (gRPC, HTTP)  --commands-->  replica (on raft: openraft, log, lobby)  --changes-->  feed --> service
//! gossip (foca)         --who is there-->  service::cluster
//! ```
//!
//! A node takes everything from outside through [`env::Env`], so that the same code
//! runs on real machines and in a simulator.

#[macro_use]
mod planted;

pub mod backup;
mod charter;
mod chronicle;
pub mod env;
mod events;
mod faults;
mod feed;
mod format;
pub mod gossip;
mod identity;
mod join;
mod membership;
mod meters;
mod observe;
mod peers;
pub mod raft;
pub mod real;
mod replica;
mod service;
mod small_file;
pub mod storage;
mod tasks;

use env::{Env, Listener};
pub use format::VERSION;
use gossip::{Card, Gossip, Knowledge};
use hangraft_cluster_config::{ClusterKey, NodeConfig};
use hangraft_ids::NodeId;
use identity::{Identity, Phase, SpentId};
use join::Applicant;
pub use join::Refused;
use membership::Intents;
use metrics_exporter_prometheus::PrometheusHandle;
use peers::asks::Asked;
use replica::ended::Ended;
use replica::handle::Replica;
pub use replica::handle::Report;
pub use replica::observation::Observation;
use service::Departure;
use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use storage::Storage;
use storage::log::guard;
use tasks::Tasks;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Consensus ends within this, unless the disk hangs.
const STOP_DEADLINE: Duration = Duration::from_secs(10);

/// A stopped node's tasks have ended by then, and the log is closed.
const TASKS_DEADLINE: Duration = Duration::from_secs(5);

/// A running node. Stop it with [`Node::stop`]; dropped, it stops serving at once.
pub struct Node {
    id: NodeId,
    name: String,
    /// Cancelled when the log is closed: when nobody holds it any more.
    log_closed: CancellationToken,
    address: SocketAddr,
    replica: Replica,
    gossip: Gossip,
    draining: watch::Sender<bool>,
    stopping: watch::Sender<bool>,
    departure: watch::Receiver<Departure>,
    tasks: Tasks,
}

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not this machine's.
    #[error("cannot listen at {address}; is another node running there?")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The data folder cannot be used as it is.
    #[error("cannot open the storage in {dir}")]
    Storage {
        /// The data folder.
        dir: std::path::PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// Consensus refused the log or the settings.
    #[error("cannot join consensus")]
    Consensus(#[source] io::Error),
    /// The data folder is another node's.
    #[error("the data in {dir} is another node's: {why}")]
    Another {
        /// The data folder.
        dir: std::path::PathBuf,
        /// Whose it is.
        why: String,
    },
    /// The node's id is spent: the cluster removed it, or it lost its disk.
    #[error("{0}")]
    Spent(String),
    /// The cluster that it wants to join does not take it.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Why a node stopped by itself. It must not go on: what it could not do, it may
/// already have been trusted for.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// Starting it again may help, when the cause is mended.
    #[error("the node cannot go on: {0}")]
    Broken(String),
    /// Its id is spent; starting it again changes nothing.
    #[error("{0}")]
    Spent(String),
}

impl Node {
    /// Starts a node and serves at its address. With port 0 it listens on a free one.
    ///
    /// A node whose disk is empty and whose configuration names seeds asks for an id
    /// first; one that has neither seeds nor members waits until an operator tells it
    /// which cluster to join. This returns when it has an id.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(
        config: NodeConfig,
        key: ClusterKey,
        env: Arc<dyn Env>,
        metrics: Option<PrometheusHandle>,
    ) -> Result<Self, StartError> {
        let (env, faults) = faults::around(env, config.faults);
        let listen = |source| StartError::Listen { address: config.address, source };
        let listener = env.listen(config.address).await.map_err(listen)?;
        let (storage, log_closed) = open_storage(&*env, &config).await?;
        let (listener, mut identity) =
            identify(listener, &config, &key, &env, &storage, metrics.clone()).await?;
        identity.start_again(env.unix_ms());
        // On a full disk it is only welcomed later by the others.
        _ = identity.save(&storage.files).await;
        let (address, tasks) = (listener.address(), Tasks::default());
        // Whoever gives up waiting for this leaves nothing running.
        let unfinished = tasks.stopped_when_dropped();
        let joined = join_consensus(&config, &key, &env, &identity, storage, address, &tasks);
        let joined = joined.await;
        if joined.is_err() {
            tasks.stop();
            let_go(&tasks, &log_closed).await;
        }
        let (replica, gossip, asked) = joined?;
        let draining = watch::Sender::new(false);
        let (stopping, stop) = watch::channel(false);
        let (depart, departure) = watch::channel(Departure::Stays);
        let intents = keep_watch(&config, &replica, &gossip, asked, &tasks);
        let parts = service::Parts {
            address: identity.address,
            cluster: identity.cluster,
            name: identity.name.clone(),
            key,
            env,
            replica: replica.clone(),
            roster: gossip.roster(),
            intents,
            draining: draining.clone(),
            departure: depart,
            metrics,
            limits: config.limits,
            hosts: config.hosts,
            faults,
        };
        unfinished.disarm();
        tasks.finish("service", service::serve(listener, parts, stop));
        Ok(Node {
            id: identity.node,
            name: identity.name,
            log_closed,
            address,
            replica,
            gossip,
            draining,
            stopping,
            departure,
            tasks,
        })
    }

    /// Its number.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Who is there, by gossip.
    pub fn roster(&self) -> watch::Receiver<gossip::Roster> {
        self.gossip.roster()
    }

    /// A way to ask where the node stands, as often as one likes.
    pub fn observer(&self) -> Observer {
        Observer(self.replica.clone())
    }

    /// Follows everything that happens in the node from now on, as the wire's `Observe` does,
    /// with each of Raft's messages if they are wanted. It begins with how all stands.
    pub fn observe(&self, messages: bool) -> Observation {
        Observation::new(self.replica.clone(), messages)
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Resolves when the node stops by itself: a disk that failed, a log it cannot read,
    /// an id that is spent.
    pub async fn failed(&self) -> Fatal {
        let Ended { spent, why } = self.replica.ended().await;
        if spent { Fatal::Spent(why) } else { Fatal::Broken(why) }
    }

    /// Resolves when the node has left its cluster, because an operator asked it to.
    /// What is left to do is to [stop](Self::stop) it.
    pub async fn left(&self) {
        let gone = self.departure.clone().wait_for(|now| *now == Departure::Gone).await.is_ok();
        if !gone {
            // Nobody serves who could be asked to leave.
            std::future::pending::<()>().await;
        }
        self.gossip.leave().await;
    }

    /// Stops without handing leadership over: nobody is going to miss this node.
    pub async fn stop_now(self) {
        self.draining.send_replace(true);
        self.end().await;
    }

    /// Stops in good order: frontends are told to go elsewhere, leadership is handed
    /// over, consensus ends, then the connections. The node stays a member. When this
    /// returns, the data folder is free for another node.
    pub async fn stop(self) {
        self.draining.send_replace(true);
        self.replica.step_down().await;
        self.end().await;
    }

    async fn end(self) {
        if timeout(STOP_DEADLINE, self.replica.stop()).await.is_err() {
            tracing::warn!("consensus did not end in time; stopped all the same");
        }
        let (tasks, log_closed) = (self.tasks.clone(), self.log_closed.clone());
        // Dropped, it tells all tasks to end, and holds nothing.
        drop(self);
        let_go(&tasks, &log_closed).await;
    }
}

/// Waits for tasks that were told to end, until the data folder is free.
async fn let_go(tasks: &Tasks, log_closed: &CancellationToken) {
    if let Err(names) = tasks.ended(TASKS_DEADLINE).await {
        let names = names.join(", ");
        tracing::warn!(tasks = names, "did not end in time; stopped all the same");
    }
    if timeout(TASKS_DEADLINE, log_closed.cancelled()).await.is_err() {
        tracing::warn!("something still uses the log; stopped all the same");
    }
}

/// Watches over a node without holding it up. Holding it longer than the node
/// keeps the node's log open; see [`Node::stop`].
#[derive(Clone)]
pub struct Observer(Replica);

impl Observer {
    /// Where the node stands now.
    pub fn report(&self) -> Report {
        self.0.report()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stopping.send_replace(true);
        self.tasks.stop();
        // A node that serves nobody must not go on leading.
        self.replica.abandon();
    }
}

/// The storage, and what is cancelled when its log is closed.
async fn open_storage(
    env: &dyn Env,
    config: &NodeConfig,
) -> Result<(Storage, CancellationToken), StartError> {
    let failed = |source| StartError::Storage { dir: config.data_dir.clone(), source };
    let mut storage = env.storage().await.map_err(failed)?;
    let log_closed = guard(&mut storage.log);
    Ok((storage, log_closed))
}

/// Who this node is: as its disk remembers, as it is configured, or as the cluster that
/// it joins says.
async fn identify(
    listener: Box<dyn Listener>,
    config: &NodeConfig,
    key: &ClusterKey,
    env: &Arc<dyn Env>,
    storage: &Storage,
    metrics: Option<PrometheusHandle>,
) -> Result<(Box<dyn Listener>, Identity), StartError> {
    let dir = || config.data_dir.clone();
    let storage_error = |source| StartError::Storage { dir: dir(), source };
    let known = Identity::load(&storage.files).await.map_err(|err| match spent(&err) {
        Some(why) => StartError::Spent(why),
        None => storage_error(err),
    })?;
    let has_id = known.as_ref().is_some_and(|known| known.phase != Phase::Applying);
    if !has_id && raft::open::holds_a_log(storage).await.map_err(storage_error)? {
        return Err(StartError::Spent(identity::lost().to_string()));
    }
    let (listener, identity) = match known {
        Some(mut identity) if identity.phase != Phase::Applying => {
            if config.moved {
                identity.move_to(config.reached_at());
            }
            return match identity.contradicts(config) {
                Some(why) => Err(StartError::Another { dir: dir(), why }),
                None => Ok((listener, identity.beside(&*storage.log))),
            };
        }
        applying => match Identity::founding(config, &**env) {
            Some(identity) => (listener, identity),
            None => {
                let reached = config.advertise.unwrap_or_else(|| listener.address());
                let applying = applying.unwrap_or_else(|| Identity::applying(reached, &**env));
                let applying = applying.beside(&*storage.log);
                applying.save(&storage.files).await.map_err(storage_error)?;
                let (disk, complaint) = (applying.disk, String::new());
                let mut applicant =
                    Applicant { config, address: reached, disk, key, env, complaint };
                let seeds = config.cluster.seeds.clone();
                if seeds.is_empty() {
                    tracing::info!("waiting: hangraft join --node {reached} --seed ADDR");
                }
                service::wait_for_admission(listener, &mut applicant, &seeds, metrics).await?
            }
        },
    };
    let identity = identity.beside(&*storage.log);
    identity.save(&storage.files).await.map_err(storage_error)?;
    Ok((listener, identity))
}

/// Consensus, gossip, and what is asked of this node as the leader.
async fn join_consensus(
    config: &NodeConfig,
    key: &ClusterKey,
    env: &Arc<dyn Env>,
    identity: &Identity,
    storage: Storage,
    address: SocketAddr,
    tasks: &Tasks,
) -> Result<(Replica, Gossip, mpsc::Receiver<Asked>), StartError> {
    let (asking, asked) = mpsc::channel(membership::ASKED_MAX);
    let (own, env) = (identity.clone(), env.clone());
    let replica =
        Replica::start(config, own, key, env.clone(), storage, asking, tasks.clone()).await;
    let replica = replica.map_err(consensus_error)?;
    let knowledge = Knowledge {
        card: Box::new(card_of(identity.name.clone(), replica.clone())),
        others: Box::new(others_of(config, identity, replica.clone())),
        proven: replica.proven(),
        cleared: replica.cleared(),
        observers: replica.observers().clone(),
    };
    match Gossip::start(config, identity, address, key, env, knowledge, tasks).await {
        Ok(gossip) => Ok((replica, gossip, asked)),
        Err(source) => {
            replica.stop().await;
            Err(StartError::Listen { address, source })
        }
    }
}

/// What looks after the members, and what tells of the node.
fn keep_watch(
    config: &NodeConfig,
    replica: &Replica,
    gossip: &Gossip,
    asked: mpsc::Receiver<Asked>,
    tasks: &Tasks,
) -> Intents {
    let (intend, intents) = watch::channel(Vec::new());
    let keeping = membership::run(
        replica.clone(),
        gossip.roster(),
        asked,
        intend,
        Duration::from_millis(config.membership.stable_ms),
    );
    tasks.spawn("membership", keeping);
    tasks.spawn("chronicle", chronicle::run(replica.clone(), gossip.roster()));
    let counting = meters::run(replica.clone(), gossip.roster(), intents.clone());
    tasks.spawn("meters", counting);
    intents
}

fn consensus_error(err: io::Error) -> StartError {
    match spent(&err) {
        Some(why) => StartError::Spent(why),
        None => StartError::Consensus(err),
    }
}

/// What an error says of an id that is spent, if it is about that.
fn spent(err: &io::Error) -> Option<String> {
    let inner = err.get_ref()?.downcast_ref::<SpentId>()?;
    Some(inner.to_string())
}

fn card_of(name: String, replica: Replica) -> impl Fn() -> Card + Send + 'static {
    move || {
        let report = replica.report();
        Card {
            node: replica.me(),
            name: name.clone(),
            role: report.state.to_owned(),
            term: report.term,
            version: VERSION.to_owned(),
            load: report.in_flight,
            format: format::FORMAT,
            features: charter::known_features(),
        }
    }
}

/// Where members may be: as configured, as heard of when this node joined, and as Raft
/// knows them.
fn others_of(
    config: &NodeConfig,
    identity: &Identity,
    replica: Replica,
) -> impl Fn() -> BTreeSet<SocketAddr> + Send + 'static {
    let configured = config.cluster.members.iter().map(|member| member.address);
    let heard_of = config.cluster.seeds.iter().chain(identity.known.values()).copied();
    let first: BTreeSet<SocketAddr> = configured.chain(heard_of).collect();
    move || {
        let members = replica.leadership().borrow().members.clone();
        if members.is_empty() {
            return first.clone();
        }
        members.into_values().map(|member| member.peer.address).collect()
    }
}
