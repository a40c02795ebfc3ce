//! One node: a replica of the lobby with everything around it.
//!
//! ```text
//! service (gRPC, HTTP)  --commands-->  raft (openraft, log, lobby)  --changes-->  feed --> service
//! gossip (foca)         --who is there-->  service::cluster
//! ```
//!
//! A node takes everything from outside through [`env::Env`], so that the same code
//! runs on real machines and in a simulator.

mod dial;
pub mod env;
mod feed;
pub mod gossip;
pub mod raft;
pub mod real;
mod service;

use env::Env;
use gossip::{Card, Gossip};
use hangraft_cluster_config::{ClusterKey, NodeConfig};
use metrics_exporter_prometheus::PrometheusHandle;
use raft::Replica;
pub use raft::Report;
use raft::log_device::LogDevice;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The version of this build, as nodes tell each other.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Consensus ends within this, unless the disk hangs.
const STOP_DEADLINE: Duration = Duration::from_secs(10);

/// A stopped node's tasks have let go of the disk by then.
const LET_GO_DEADLINE: Duration = Duration::from_secs(5);

/// How often to look whether they have.
const LET_GO_POLL: Duration = Duration::from_millis(5);

/// A running node. Stop it with [`Node::stop`]; dropped, it stops serving at once.
pub struct Node {
    id: u64,
    /// The last to let go of it closes it.
    log: Arc<dyn LogDevice>,
    address: SocketAddr,
    replica: Replica,
    gossip: Gossip,
    draining: watch::Sender<bool>,
    stopping: watch::Sender<bool>,
    serving: JoinHandle<()>,
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
}

/// Why a node stopped by itself. It must not go on: what it could not do, it may
/// already have been trusted for.
#[derive(Debug, thiserror::Error)]
#[error("the node cannot go on: {0}")]
pub struct Fatal(String);

impl Node {
    /// Starts a node and serves at its address. With port 0 it listens on a free one.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(
        config: NodeConfig,
        key: ClusterKey,
        env: Arc<dyn Env>,
        metrics: Option<PrometheusHandle>,
    ) -> Result<Self, StartError> {
        let listening = env.listen(config.address).await;
        let listen = |source| StartError::Listen { address: config.address, source };
        let listener = listening.map_err(listen)?;
        let address = listener.address();
        let storage = env
            .storage()
            .await
            .map_err(|source| StartError::Storage { dir: config.data_dir.clone(), source })?;
        let log = storage.log.clone();
        let replica = Replica::start(&config, &key, env.clone(), storage, feed::Feed::default())
            .await
            .map_err(StartError::Consensus)?;
        let card = card_of(config.name.clone(), replica.clone());
        let gossip = match Gossip::start(&config, address, &key, env.clone(), card).await {
            Ok(gossip) => gossip,
            Err(source) => {
                replica.stop().await;
                return Err(StartError::Listen { address, source });
            }
        };
        let (draining, (stopping, stop)) = (watch::Sender::new(false), watch::channel(false));
        let id = config.id;
        let parts = service::Parts {
            address,
            key,
            env,
            replica: replica.clone(),
            roster: gossip.roster(),
            draining: draining.subscribe(),
            metrics,
            config,
        };
        let serving = tokio::spawn(service::serve(listener, parts, stop));
        Ok(Node { id, log, address, replica, gossip, draining, stopping, serving })
    }

    /// Its number.
    pub fn id(&self) -> u64 {
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

    /// Resolves when the node stops by itself: a disk that failed, a log it cannot read.
    pub async fn failed(&self) -> Fatal {
        Fatal(self.replica.failed().await)
    }

    /// Stops in good order: frontends are told to go elsewhere, consensus ends, then
    /// the connections. When this returns, the data folder is free for another node.
    pub async fn stop(mut self) {
        self.draining.send_replace(true);
        if timeout(STOP_DEADLINE, self.replica.stop()).await.is_err() {
            tracing::warn!("consensus did not end in time; stopped all the same");
        }
        self.stopping.send_replace(true);
        // An error is a panic in the server, which has been printed.
        _ = (&mut self.serving).await;
        let log = self.log.clone();
        drop(self);
        // Tasks that end by themselves let go of the log as they do. Ours goes last,
        // so that the log is closed when this returns.
        let deadline = tokio::time::Instant::now() + LET_GO_DEADLINE;
        while Arc::strong_count(&log) > 1 {
            if tokio::time::Instant::now() > deadline {
                tracing::warn!("something still uses the log; stopped all the same");
                return;
            }
            tokio::time::sleep(LET_GO_POLL).await;
        }
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
        self.serving.abort();
        // A node that serves nobody must not go on leading.
        self.replica.abandon();
    }
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
        }
    }
}
