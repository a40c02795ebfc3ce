//! HTTP: the page, the socket, and what operators' tools ask for.
//!
//! axum begins and ends here.

mod assets;
mod origin;
mod socket;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{State, WebSocketUpgrade},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use hangraft_cluster_config::FrontendLimits;
use hangraft_proto::net::{Connection, Listener};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::time::sleep;
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};
use tower_http::compression::CompressionLayer;
use tracing::error;

use crate::{cluster::Cluster, hub::Hub, meters::Meters, players::Players, session::Premises};
pub(crate) use origin::Origins;

/// The largest frame a client may send, in bytes; a larger one closes the socket with 1009.
const FRAME_BYTES_MAX: usize = 8 << 10;
/// The largest frame read at all, so that one a little too large can be answered in style.
const FRAME_BYTES_READ: usize = 64 << 10;
/// A socket's buffers. There may be ten thousand sockets; the defaults of 128 KiB
/// each way would make that gigabytes.
const READ_BUFFER: usize = 4 << 10;
const WRITE_BUFFER: usize = 16 << 10;
/// After a failed accept, for example for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Said with every response. Scripts, styles and pictures come from here and
/// nowhere else; sockets may go to any frontend.
const SECURITY: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; worker-src 'self'; connect-src 'self' ws: wss:; manifest-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=()",
    ),
];

/// What all handlers share.
pub(crate) struct Shared {
    pub(crate) premises: Arc<Premises>,
    pub(crate) limits: FrontendLimits,
    pub(crate) origins: Origins,
    pub(crate) players: Players,
    pub(crate) hub: Hub,
    pub(crate) cluster: Cluster,
    pub(crate) meters: Arc<Meters>,
    pub(crate) metrics: Option<PrometheusHandle>,
    /// Cancelled when no new sockets are wanted and those here should move.
    pub(crate) drain: CancellationToken,
    /// Cancelled when the frontend stops.
    pub(crate) stop: CancellationToken,
    /// All places taken by sockets, those just being opened too.
    pub(crate) sockets: TaskTracker,
    pub(crate) numbers: Numbers,
}

/// What the sockets are counted with.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    open: AtomicUsize,
    sessions: AtomicU64,
}

/// Serves until the frontend stops.
pub(crate) async fn serve(listener: Box<dyn Listener>, shared: Arc<Shared>) -> io::Result<()> {
    let stop = shared.stop.clone();
    axum::serve(Entrance(listener), router(shared))
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

fn router(shared: Arc<Shared>) -> Router {
    // Most of the page is words about itself, which shrink to a third.
    let page = Router::new().fallback(assets::serve).layer(CompressionLayer::new());
    Router::new()
        .route("/ws", get(open_socket))
        .route("/frontends.json", get(frontends))
        .route("/metrics", get(metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .fallback_service(page)
        .layer(middleware::map_response(secured))
        .with_state(shared)
}

async fn secured(mut response: Response) -> Response {
    for (name, value) in SECURITY {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A browser wants a socket: from a page of ours, and if there is room.
async fn open_socket(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !shared.origins.allow(&headers) {
        return (StatusCode::FORBIDDEN, "this page may not open a socket here\n").into_response();
    }
    let Some(place) = Place::take(&shared) else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many sockets\n").into_response();
    };
    // Looked at after the place was taken: whoever drains waits for all places that
    // were taken before, and this sees to it that there are none after.
    if shared.drain.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response();
    }
    let session = shared.numbers.sessions.fetch_add(1, Ordering::Relaxed);
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(FRAME_BYTES_READ)
        .max_frame_size(FRAME_BYTES_READ)
        .on_upgrade(move |socket| socket::run(socket, session, shared, place))
}

/// Where else a page may go.
async fn frontends(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let body = Json(serde_json::json!({ "frontends": shared.premises.frontends }));
    ([(header::CACHE_CONTROL, "no-cache")], body)
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
    match &shared.metrics {
        Some(handle) => {
            shared.meters.look();
            ([(header::CONTENT_TYPE, TEXT_FORMAT)], handle.render()).into_response()
        }
        None => {
            (StatusCode::NOT_FOUND, "metrics are not recorded in this process\n").into_response()
        }
    }
}

/// Ready is: there is a node to watch through, and a leader to write to, and no
/// wish to stop.
async fn ready(State(shared): State<Arc<Shared>>) -> (StatusCode, String) {
    if shared.drain.is_cancelled() {
        let left = format!("draining; {} sockets left\n", shared.sockets.len());
        return (StatusCode::SERVICE_UNAVAILABLE, left);
    }
    let status = *shared.cluster.status().borrow();
    let (code, what) = match (status.watching, status.leader) {
        (true, Some(leader)) => (StatusCode::OK, format!("ready, node {leader} leads")),
        (true, None) => (StatusCode::SERVICE_UNAVAILABLE, "no leader is known".to_owned()),
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "no node can be reached".to_owned()),
    };
    (code, format!("{what}; {} nodes linked\n", status.linked))
}

/// A listener as axum wants it: one that never fails, and does as axum's own do
/// instead.
struct Entrance(Box<dyn Listener>);

impl axum::serve::Listener for Entrance {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok(accepted) => return accepted,
                Err(err) if ends_one_connection(&err) => {}
                Err(err) => {
                    error!(%err, "accepting a connection failed");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0.address())
    }
}

/// Whether an error is about a connection that was given up before it was
/// accepted; the next one may be fine.
fn ends_one_connection(err: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(err.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// One of the sockets that may be open; dropping it makes room for another.
struct Place {
    shared: Arc<Shared>,
    /// Whoever stops the frontend waits for it.
    _token: TaskTrackerToken,
}

impl Place {
    fn take(shared: &Arc<Shared>) -> Option<Self> {
        let before = shared.numbers.open.fetch_add(1, Ordering::Relaxed);
        shared.meters.sockets.increment(1.0);
        let place = Self { shared: shared.clone(), _token: shared.sockets.token() };
        (before < shared.limits.sockets_max as usize).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.numbers.open.fetch_sub(1, Ordering::Relaxed);
        self.shared.meters.sockets.decrement(1.0);
    }
}
