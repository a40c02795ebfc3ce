//! A node's one address: gRPC for players, operators and replicas, and a little
//! HTTP for those who watch over it (`/metrics`, `/healthz`, `/readyz`).

mod access;
mod body;
mod callers;
mod cluster;
mod convert;
mod desk;
mod forward;
mod game;
mod link;
mod pages;
mod waiting;

pub(crate) use cluster::Departure;
pub(crate) use waiting::wait_for_admission;

use crate::env::{Connection, Env, Listener};
use crate::gossip::Roster;
use crate::membership::Intents;
use crate::meters;
use crate::raft::{PeerService, Replica};
use access::{Access, Role};
use body::{Bounded, Kept};
use callers::{Callers, Visit};
use cluster::ClusterService;
use desk::Desk;
use game::GameService;
use hangraft_cluster_config::{ClusterKey, LimitsConfig};
use hangraft_proto::pass::Pass;
use hangraft_proto::v1::cluster_server::ClusterServer;
use hangraft_proto::v1::game_server::GameServer;
use hangraft_proto::v1::raft_server::RaftServer;
use hangraft_proto::{FILE_DESCRIPTOR_SET, MESSAGE_BYTES_MAX};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use metrics_exporter_prometheus::PrometheusHandle;
use pages::{Names, is_call, text};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio_util::task::TaskTracker;
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tower::ServiceExt;

/// Marks commands that a follower sends on.
pub(crate) const FORWARDED_HEADER: &str = "hangraft-forwarded";

/// A peer that answers no ping for this long is gone; its streams end.
const KEEP_ALIVE: Duration = Duration::from_secs(2);

/// A connection that has not asked for anything by then is closed, or strangers who
/// say nothing could hold all the places.
const FIRST_REQUEST_DEADLINE: Duration = Duration::from_secs(10);

/// What is kept of a stream, and of a connection, before somebody reads it, in bytes. A
/// sender of more waits.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 1 << 20;

/// Calls on a connection at a time. More wait at their sender.
const STREAMS_MAX: u32 = 512;

/// All the headers of a request, in bytes. One with more is refused.
const HEADERS_BYTES_MAX: u32 = 8 << 10;

/// What is kept of an HTTP/1 connection. A request's head that is longer is refused.
const HTTP1_BYTES_MAX: usize = 16 << 10;

/// After a failed accept, for example for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What the health protocol calls a server as a whole.
const WHOLE_NODE: &str = "";

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
}

/// Serves until `stop` says so; then ends all connections.
pub(crate) async fn serve(
    mut listener: Box<dyn Listener>,
    parts: Parts,
    stop: watch::Receiver<bool>,
) {
    let server = Server::new(parts).await;
    accept_all(&mut *listener, &server, stop).await;
}

/// Lets connections in until `stop` says so; then ends all of them.
async fn accept_all(listener: &mut dyn Listener, server: &Server, mut stop: watch::Receiver<bool>) {
    let connections = TaskTracker::new();
    let callers = Callers::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((connection, caller)) => {
                let (server, mut stop) = (server.clone(), stop.clone());
                let visit = Arc::new(callers.arrive(caller.ip()));
                connections.spawn(async move {
                    tokio::select! {
                        () = server.converse(connection, Caller(caller), visit.clone()) => {}
                        () = visit.closed() => tracing::debug!(%caller, "made room for others"),
                        _ = stop.wait_for(|stop| *stop) => {}
                    }
                });
            }
            Err(err) => {
                tracing::warn!(%err, "accepting a connection failed");
                callers.shed();
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    connections.close();
    connections.wait().await;
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller(pub(crate) SocketAddr);

#[derive(Clone)]
struct Server {
    grpc: Routes,
    access: Access,
    names: Names,
    /// `None` while the node waits to join a cluster.
    replica: Option<Replica>,
    draining: watch::Receiver<bool>,
    metrics: Option<PrometheusHandle>,
}

impl Server {
    async fn new(parts: Parts) -> Self {
        let Parts { address, cluster, name, key, env, replica, roster, .. } = parts;
        let Parts { intents, draining: drain, departure, metrics, limits, hosts, .. } = parts;
        let draining = drain.subscribe();
        let (access, names) = (Access::new(&key), Names::new(&name, &hosts));
        let desk = Desk::new(replica.clone(), env.clone(), &key, limits.command_bytes_max as usize);
        let game = GameService {
            replica: replica.clone(),
            desk,
            draining: draining.clone(),
            links: Arc::new(Semaphore::new(limits.links_max as usize)),
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
        };
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_serving::<ClusterServer<ClusterService>>().await;
        health.set_serving::<RaftServer<PeerService>>().await;
        show_readiness(&health, false).await;
        tokio::spawn(report_health(health, replica.clone(), draining.clone()));
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
        Server { grpc, access, names, replica: Some(replica), draining, metrics }
    }

    /// One connection, HTTP/1 or HTTP/2, until it ends.
    async fn converse(self, connection: Connection, caller: Caller, visit: Arc<Visit>) {
        let spoken = Arc::new(AtomicBool::new(false));
        let heard = spoken.clone();
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            heard.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(caller);
            let (server, visit) = (self.clone(), visit.clone());
            async move { server.answer(request, &visit).await }
        });
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(HEADERS_BYTES_MAX)
            .max_concurrent_streams(STREAMS_MAX);
        builder
            .http1()
            .timer(TokioTimer::new())
            .max_buf_size(HTTP1_BYTES_MAX)
            .header_read_timeout(FIRST_REQUEST_DEADLINE);
        let serving = builder.serve_connection(TokioIo::new(connection), service);
        let silence = async {
            tokio::time::sleep(FIRST_REQUEST_DEADLINE).await;
            if spoken.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            served = serving => if let Err(err) = served {
                tracing::debug!(%err, "a connection ended");
            },
            () = silence => tracing::debug!("a connection brought no request"),
        }
    }

    async fn answer(
        self,
        request: Request<Incoming>,
        visit: &Visit,
    ) -> Result<Response<Body>, Infallible> {
        let call = pages::check_origin(request.headers()).and_then(|()| is_call(&request));
        match call {
            Ok(true) => self.call(request, visit).await,
            Ok(false) => Ok(match visit.strangers_request() {
                Some(place) => self.page(&request).map(|body| Body::new(Kept::new(body, place))),
                None => text(StatusCode::SERVICE_UNAVAILABLE, "one after the other\n".into()),
            }),
            Err((status, why)) => Ok(text(status, why.into())),
        }
    }

    /// A gRPC call. Who may not make it is refused before the body is looked at.
    async fn call(
        self,
        request: Request<Incoming>,
        visit: &Visit,
    ) -> Result<Response<Body>, Infallible> {
        let (path, role) = (request.uri().path(), self.access.role(request.headers()));
        let bounds = match access::admit(path, role) {
            Ok(bounds) => bounds,
            Err(refused) => {
                self.complain(path, &request);
                return Ok(refused.into_http());
            }
        };
        if role != Role::Stranger {
            visit.prove();
            let budget = visit.budget(false);
            return self.grpc.oneshot(request.map(|body| Bounded::new(body, bounds, budget))).await;
        }
        let Some(place) = visit.strangers_request() else {
            let why = "too many calls at a time for one who shows no token";
            return Ok(Status::resource_exhausted(why).into_http());
        };
        let budget = visit.budget(true);
        let request = request.map(|body| Bounded::new(body, bounds, budget));
        let response = self.grpc.oneshot(request).await?;
        Ok(response.map(|body| Body::new(Kept::new(body, place))))
    }

    /// Operators hear who asked in vain for what is theirs.
    fn complain(&self, path: &str, request: &Request<Incoming>) {
        let Some(replica) = &self.replica else { return };
        let caller = request.extensions().get::<Caller>();
        if let (Some(method), Some(Caller(from))) = (access::operators_method(path), caller) {
            let from = from.ip();
            replica
                .complain(format!("{method} was asked for without the cluster's key, from {from}"));
        }
    }

    fn page(&self, request: &Request<Incoming>) -> Response<Body> {
        if let Err((status, why)) = self.names.check(request) {
            return text(status, why.into());
        }
        match request.uri().path() {
            "/healthz" => text(StatusCode::OK, "alive\n".into()),
            "/readyz" => self.ready(),
            "/metrics" => match &self.metrics {
                Some(metrics) => {
                    meters::look_at_process();
                    text(StatusCode::OK, metrics.render())
                }
                None => text(StatusCode::NOT_FOUND, "this process keeps no metrics\n".into()),
            },
            _ => text(
                StatusCode::NOT_FOUND,
                "gRPC, /healthz, /readyz and /metrics are here\n".into(),
            ),
        }
    }

    fn ready(&self) -> Response<Body> {
        let Some(replica) = &self.replica else {
            let why = "this node waits to be told which cluster to join\n".into();
            return text(StatusCode::SERVICE_UNAVAILABLE, why);
        };
        if *self.draining.borrow() {
            return text(StatusCode::SERVICE_UNAVAILABLE, "draining: this node stops\n".into());
        }
        if !*replica.vouched().borrow() {
            let text = "waiting to hear from the others whether this disk is whole\n".into();
            return self::text(StatusCode::SERVICE_UNAVAILABLE, text);
        }
        match replica.leadership().borrow().leader {
            Some((leader, _)) => text(StatusCode::OK, format!("ready, n{leader} leads\n")),
            None => text(StatusCode::SERVICE_UNAVAILABLE, "no leader is known\n".into()),
        }
    }
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

async fn show_readiness(health: &HealthReporter, ready: bool) {
    let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
    for service in [WHOLE_NODE, <GameServer<GameService> as NamedService>::NAME] {
        health.set_service_status(service, status).await;
    }
}
