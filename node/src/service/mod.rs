//! A node's one address: gRPC for players, operators and replicas, and a little
//! HTTP for those who watch over it (`/metrics`, `/healthz`, `/readyz`).

mod access;
mod answers;
mod body;
mod callers;
mod cluster;
mod convert;
mod desk;
mod faults;
mod follows;
mod forward;
mod game;
mod glance;
mod link;
mod pages;
mod server;
mod updates;
mod waiting;

pub(crate) use cluster::Departure;
pub(crate) use waiting::wait_for_admission;

use crate::env::{Env, Listener};
use crate::faults::Faults;
use crate::gossip::Roster;
use crate::membership::Intents;
use crate::replica::handle::Replica;
use crate::replica::server::PeerService;
use access::Access;
use cluster::ClusterService;
use desk::Desk;
use game::GameService;
use glance::Screen;
use hangraft_cluster_config::{ClusterKey, LimitsConfig};
use hangraft_proto::pass::Pass;
use hangraft_proto::v1::cluster_server::ClusterServer;
use hangraft_proto::v1::game_server::GameServer;
use hangraft_proto::v1::raft_server::RaftServer;
use hangraft_proto::{FILE_DESCRIPTOR_SET, MESSAGE_BYTES_MAX};
use metrics_exporter_prometheus::PrometheusHandle;
use pages::Names;
use server::{Server, accept_all, show_readiness};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};
use tonic::service::Routes;
use tonic_health::server::HealthReporter;

/// What the services need.
pub(crate) struct Parts {
    /// Where others reach this node.
    pub(crate) address: SocketAddr,
    pub(crate) cluster: String,
    pub(crate) name: String,
    pub(crate) key: ClusterKey,
    pub(crate) env: Arc<dyn Env>,
    pub(crate) replica: Replica,
    pub(crate) roster: watch::Receiver<Roster>,
    pub(crate) intents: Intents,
    /// Says that frontends should go elsewhere.
    pub(crate) draining: watch::Sender<bool>,
    /// Says when this node has left its cluster.
    pub(crate) departure: watch::Sender<Departure>,
    pub(crate) metrics: Option<PrometheusHandle>,
    pub(crate) limits: LimitsConfig,
    /// Other names by which its pages may be asked for.
    pub(crate) hosts: Vec<String>,
    /// The switches of faults, where they are allowed.
    pub(crate) faults: Option<Faults>,
}

/// Serves until `stop` says so; then ends all connections.
pub(crate) async fn serve(
    mut listener: Box<dyn Listener>,
    parts: Parts,
    stop: watch::Receiver<bool>,
) {
    let server = server_of(parts).await;
    accept_all(&mut *listener, &server, stop).await;
}

/// All that a node serves.
async fn server_of(parts: Parts) -> Server {
    let Parts { address, cluster, name, key, env, replica, roster, .. } = parts;
    let Parts { intents, draining: drain, departure, metrics, limits, hosts, faults, .. } = parts;
    let draining = drain.subscribe();
    let (access, names) = (Access::new(&key), Names::new(&name, &hosts));
    let desk = Desk::new(replica.clone(), env.clone(), &key, limits.command_bytes_max as usize);
    let game = GameService {
        replica: replica.clone(),
        desk,
        draining: draining.clone(),
        links: Arc::new(Semaphore::new(limits.links_max as usize)),
        screen: Screen::default(),
    };
    let cluster = ClusterService {
        cluster,
        name,
        address,
        replica: replica.clone(),
        roster,
        intents,
        pass: Pass::new(&key.peer_token()),
        departure: Arc::new(departure),
        draining: drain,
        env,
        faults: faults.clone(),
    };
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<ClusterServer<ClusterService>>().await;
    health.set_serving::<RaftServer<PeerService>>().await;
    show_readiness(&health, false).await;
    let health = report_health(health, replica.clone(), draining.clone());
    replica.tasks().spawn("health", health);
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .expect("our own descriptors are whole");
    let grpc = Routes::new(
        RaftServer::new(PeerService(replica.clone()))
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
    .add_service(
        GameServer::new(game)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
    .add_service(ClusterServer::new(cluster))
    .add_service(health_service)
    .add_service(reflection)
    .prepare();
    Server { grpc, access, names, replica: Some(replica), draining, metrics, faults }
}

/// What probes are told, service by service. [`GameServer`], and the node as a whole, are
/// ready as `/readyz` is: a leader is known, and the node is not about to stop. Operators
/// and replicas are served as long as the node runs: they are there to mend it.
async fn report_health(
    health: HealthReporter,
    replica: Replica,
    mut draining: watch::Receiver<bool>,
) {
    let (mut leadership, mut vouched) = (replica.leadership(), replica.vouched());
    loop {
        let led = leadership.borrow_and_update().leader.is_some();
        let whole = *vouched.borrow_and_update();
        let ready = led && whole && !*draining.borrow_and_update();
        show_readiness(&health, ready).await;
        let changed = tokio::select! {
            changed = leadership.changed() => changed,
            changed = vouched.changed() => changed,
            changed = draining.changed() => changed,
        };
        if changed.is_err() {
            return;
        }
    }
}
