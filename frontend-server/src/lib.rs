//! The frontend server: browsers' sockets and the page.
//!
//! It holds nothing that may not be lost. Rooms live in the cluster; a frontend
//! forwards wishes, shows views, and knows the rules of no game. It may die at any
//! moment: players come back at another frontend with the same token, say which
//! version they saw, and go on.
//!
//! ```text
//! a wish   web::socket -> session -> cluster -> a node
//! a view   a node -> cluster::link -> hub -> mailbox -> session -> web::socket
//! a notice the same way, to the sockets of its player
//! a board  a node -> cluster::link -> hub -> web::lookout -> session -> web::socket
//! ```
//!
//! `session`, `cluster::route`, `cluster::flight`, `hub::room`, `hub::history` and
//! `hub::followed` decide; the rest waits, sends and stores.
//!
//! # Not here
//!
//! TLS. A frontend that faces the internet stands behind a proxy that speaks it.

#[macro_use]
mod planted;

mod boards;
mod bots;
mod client;
mod cluster;
mod command;
mod crowd;
mod deck;
mod exchange;
mod farewell;
mod hub;
mod mailbox;
mod message;
mod meters;
mod names;
mod pace;
mod players;
mod presence;
mod reply;
mod session;
mod token;
mod upstream;
mod web;

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use hangraft_cluster_config::{ClusterKey, FrontendConfig, RoomNames};
use hangraft_ids::FrontendId;
use hangraft_proto::net::{Listener, Network};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info};

use cluster::Cluster;
use crowd::Crowd;
use exchange::Premises;
use hub::Hub;
use meters::Meters;
use players::Players;
use token::TokenKey;
use web::{Origins, Proxies, Shared, Visitors};

/// How long a draining frontend waits for its sockets to move. Those still here
/// then are closed; whatever they wait for, they ask elsewhere under the same
/// serial. Whoever stops a frontend should give it a little more than this
/// before killing it.
pub const MOVE_TIME: Duration = Duration::from_secs(4);
/// How long open sockets may take to say goodbye when the frontend stops.
const GOODBYE: Duration = Duration::from_secs(3);

/// A running frontend. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Frontend {
    addr: SocketAddr,
    drain: CancellationToken,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

/// Why a frontend did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Entropy(getrandom::Error),
}

impl Frontend {
    /// Starts a frontend on this listener; the configuration's address is not
    /// used. It reaches the nodes over `network`. Needs a tokio runtime. It serves
    /// at once and says at `/readyz` when the cluster answers. `metrics` is what
    /// `/metrics` shows; the recorder is one per process, so installing it is the
    /// caller's.
    pub fn start(
        config: FrontendConfig,
        key: &ClusterKey,
        listener: Box<dyn Listener>,
        network: Arc<dyn Network>,
        metrics: Option<PrometheusHandle>,
    ) -> Result<Self, StartError> {
        let addr = listener.address();
        let frontend = FrontendId(getrandom::u64().map_err(StartError::Entropy)?);
        let tokens = TokenKey::new(&key.guest_token_key());
        let FrontendConfig {
            nodes,
            frontends,
            names,
            origins,
            addresses,
            trusted_proxies,
            limits,
            ..
        } = config;

        let mut tasks = JoinSet::new();
        let meters = Arc::new(Meters::new());
        let room_names = RoomNames::of(key);
        let hub = Hub::start(room_names.clone(), meters.clone(), &mut tasks);
        let cluster =
            Cluster::start(&nodes, network, key, frontend, &hub, meters.clone(), &mut tasks);
        let players = Players::new(limits.clone(), meters.players.clone());
        tasks.spawn(presence::run(frontend, players.clone(), cluster.clone()));

        let (drain, stop) = (CancellationToken::new(), CancellationToken::new());
        let shared = Arc::new(Shared {
            origins: Origins::new(&origins, &[&frontends[..], &addresses].concat(), &names),
            visitors: Visitors::new(&limits),
            proxies: Proxies::new(trusted_proxies),
            premises: Arc::new(Premises {
                tokens,
                names: room_names,
                frontends,
                addresses,
                crowd: Crowd::new(&limits),
                bots: cluster.bots(),
            }),
            limits,
            players,
            hub,
            cluster,
            meters,
            metrics,
            drain: drain.clone(),
            stop: stop.clone(),
            sockets: TaskTracker::new(),
            sessions: AtomicU64::new(0),
        });
        tasks.spawn(web::cry(shared.clone()));
        info!(%addr, "the frontend serves");
        Ok(Self { addr, drain, stop, running: tokio::spawn(supervise(listener, shared, tasks)) })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Waits until the frontend has stopped by itself, which it does only when a
    /// part of it failed; the log says which.
    pub async fn stopped(&mut self) {
        // A panic there has been logged by the runtime's hook.
        _ = (&mut self.running).await;
    }

    /// Drains, and stops: takes no new sockets, tells those here to move to another
    /// frontend, serves them until they have, for at most some seconds, and closes
    /// those that are left. Called off, it stops without waiting.
    pub async fn stop(mut self) {
        self.drain.cancel();
        self.stopped().await;
    }

    /// Stops without waiting for anybody to move: there is nowhere to go, or no time.
    pub async fn stop_now(mut self) {
        self.stop.cancel();
        self.stopped().await;
    }
}

impl Drop for Frontend {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Runs until drained, asked to stop or until a part fails; then ends everything
/// in order: sockets first, so that they can be told.
async fn supervise(listener: Box<dyn Listener>, shared: Arc<Shared>, mut tasks: JoinSet<()>) {
    let (stop, sockets) = (shared.stop.clone(), shared.sockets.clone());
    let mut server = JoinSet::new();
    server.spawn(web::serve(listener, shared.clone()));
    tokio::select! {
        () = drained(&shared) => {}
        () = stop.cancelled() => {}
        _ = tasks.join_next() => error!("a part of the frontend failed; it stops"),
        _ = server.join_next() => error!("the frontend cannot listen any more; it stops"),
    }
    stop.cancel();
    sockets.close();
    if timeout(GOODBYE, sockets.wait()).await.is_err() {
        info!(left = sockets.len(), "some sockets did not take their goodbye");
    }
    server.shutdown().await;
    tasks.shutdown().await;
}

/// Waits until asked to drain, and until there is nobody left to wait for.
async fn drained(shared: &Shared) {
    shared.drain.cancelled().await;
    shared.meters.draining.set(1.0);
    info!(sockets = shared.sockets.len(), "draining");
    shared.sockets.close();
    if timeout(MOVE_TIME, shared.sockets.wait()).await.is_err() {
        info!(left = shared.sockets.len(), "some sockets did not move in time");
    }
}
