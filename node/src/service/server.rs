//! The server at a node's address: connections, who may ask for what, and pages.

use super::access::{self, Access, CallerRole};
use super::body::{Bounded, Kept};
use super::callers::{Callers, Visit};
use super::forward::FORWARDED_HEADER;
use super::pages::{self, Names, is_call, text};
use crate::env::{Connection, Listener};
use crate::faults::Faults;
use crate::meters;
use crate::peers::caller::Caller;
use crate::replica::handle::Replica;
use hangraft_proto::v1::game_server::SERVICE_NAME as GAME;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use metrics_exporter_prometheus::PrometheusHandle;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use tonic::Status;
use tonic::body::Body;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tower::ServiceExt;

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

/// Lets connections in until `stop` says so; then ends all of them.
pub(super) async fn accept_all(
    listener: &mut dyn Listener,
    server: &Server,
    mut stop: watch::Receiver<bool>,
) {
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

/// What a connection can ask for.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) grpc: Routes,
    pub(super) access: Access,
    pub(super) names: Names,
    /// `None` while the node waits to join a cluster.
    pub(super) replica: Option<Replica>,
    pub(super) draining: watch::Receiver<bool>,
    pub(super) metrics: Option<PrometheusHandle>,
    /// The switches of faults, which are to know frontends.
    pub(super) faults: Option<Faults>,
}

impl Server {
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
        if role != CallerRole::Stranger {
            visit.prove();
            self.introduce(role, &request);
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

    /// Faults may concern frontends, who are known by what they show.
    fn introduce(&self, role: CallerRole, request: &Request<Incoming>) {
        let Some(faults) = &self.faults else { return };
        let forwards = request.headers().contains_key(FORWARDED_HEADER);
        if let (CallerRole::Frontend, false, Some(Caller(from))) =
            (role, forwards, request.extensions().get())
        {
            faults.note_frontend(*from);
        }
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

/// Tells probes whether the node, and its games, are ready.
pub(super) async fn show_readiness(health: &HealthReporter, ready: bool) {
    let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
    for service in [WHOLE_NODE, GAME] {
        health.set_service_status(service, status).await;
    }
}
