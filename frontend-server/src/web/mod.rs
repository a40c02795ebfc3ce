//! HTTP: the page, the socket, and what operators' tools ask for.
//!
//! axum begins and ends here.

mod assets;
mod origin;
mod socket;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::{State, WebSocketUpgrade},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
    serve::ListenerExt,
};
use hangraft_cluster_config::FrontendLimits;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_http::compression::CompressionLayer;
use tracing::debug;

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
    /// Cancelled when the frontend stops.
    pub(crate) stop: CancellationToken,
    /// All socket tasks.
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
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) -> io::Result<()> {
    let stop = shared.stop.clone();
    // A move is one small packet; waiting to fill a larger one is all Nagle would do.
    let listener = listener.tap_io(|tcp| {
        if let Err(err) = tcp.set_nodelay(true) {
            debug!(%err, "a connection keeps its delay");
        }
    });
    axum::serve(listener, router(shared)).with_graceful_shutdown(stop.cancelled_owned()).await
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
    let session = shared.numbers.sessions.fetch_add(1, Ordering::Relaxed);
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(FRAME_BYTES_READ)
        .max_frame_size(FRAME_BYTES_READ)
        .on_upgrade(move |socket| {
            let sockets = shared.sockets.clone();
            sockets.track_future(socket::run(socket, session, shared, place))
        })
}

/// Where else a page may go.
async fn frontends(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let body = Json(serde_json::json!({ "frontends": shared.premises.frontends }));
    ([(header::CACHE_CONTROL, "no-cache")], body)
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
    match &shared.metrics {
        Some(handle) => ([(header::CONTENT_TYPE, TEXT_FORMAT)], handle.render()).into_response(),
        None => {
            (StatusCode::NOT_FOUND, "metrics are not recorded in this process\n").into_response()
        }
    }
}

/// Ready is: there is a node to watch through, and a leader to write to.
async fn ready(State(shared): State<Arc<Shared>>) -> (StatusCode, String) {
    let status = *shared.cluster.status().borrow();
    let (code, what) = match (status.watching, status.leader) {
        (true, Some(leader)) => (StatusCode::OK, format!("ready, node {leader} leads")),
        (true, None) => (StatusCode::SERVICE_UNAVAILABLE, "no leader is known".to_owned()),
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "no node can be reached".to_owned()),
    };
    (code, format!("{what}; {} nodes linked\n", status.linked))
}

/// One of the sockets that may be open; dropping it makes room for another.
struct Place(Arc<Shared>);

impl Place {
    fn take(shared: &Arc<Shared>) -> Option<Self> {
        let before = shared.numbers.open.fetch_add(1, Ordering::Relaxed);
        let place = Self(shared.clone());
        shared.meters.sockets.set((before + 1) as f64);
        (before < shared.limits.sockets_max as usize).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let before = self.0.numbers.open.fetch_sub(1, Ordering::Relaxed);
        self.0.meters.sockets.set((before - 1) as f64);
    }
}
