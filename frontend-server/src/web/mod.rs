//! HTTP: the page, the socket, and what operators' tools ask for.
//!
//! axum begins and ends here.

mod actions;
mod assets;
mod crier;
mod deadlines;
mod door;
mod frames;
mod host;
mod lookout;
mod origin;
mod proxies;
mod shared;
mod socket;
mod stream;
mod upgrade;
mod visitors;

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    Extension, Json, Router,
    extract::{ConnectInfo, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use hangraft_proto::net::Listener;
use tokio::time::timeout;
use tower_http::compression::CompressionLayer;
use tracing::debug;

pub(crate) use crier::run as cry;
use host::host_of;
pub(crate) use origin::Origins;
pub(crate) use proxies::Proxies;
use shared::Place;
pub(crate) use shared::Shared;
pub(crate) use visitors::Visitors;
use visitors::{NoRoom, Visit};

use crate::mailbox::SocketId;

/// A connection that is to become a socket has to take our answer by then.
const UPGRADE_DEADLINE: Duration = Duration::from_secs(10);

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

/// Serves until the frontend stops.
pub(crate) async fn serve(listener: Box<dyn Listener>, shared: Arc<Shared>) {
    let (visitors, stop) = (shared.visitors.clone(), shared.stop.clone());
    let shed = shared.meters.shed.clone();
    door::serve(listener, router(shared), visitors, shed, stop).await;
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
        .layer(middleware::from_fn_with_state(shared.clone(), asked_well))
        .layer(middleware::map_response(secured))
        .with_state(shared)
}

async fn secured(mut response: Response) -> Response {
    for (name, value) in SECURITY {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Lets a request on if it names us, and comes from no stranger's page.
async fn asked_well(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let host = match host_of(request.version(), request.uri(), request.headers()) {
        Ok(host) => host,
        Err(_) => {
            return (StatusCode::BAD_REQUEST, "a request names one host\n").into_response();
        }
    };
    if host.as_ref().is_some_and(|host| !shared.origins.answers_to(&host.name)) {
        const STRANGE: &str = "this frontend is not called that; its configuration says how, \
                               in `frontends` and `names`\n";
        return (StatusCode::MISDIRECTED_REQUEST, STRANGE).into_response();
    }
    if !shared.origins.allow(request.headers(), host.as_ref()) {
        return (StatusCode::FORBIDDEN, "this page may not ask here\n").into_response();
    }
    next.run(request).await
}

/// A browser wants a socket, and gets it if there is room.
async fn open_socket(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(visit): Extension<Arc<Visit>>,
    mut request: Request,
) -> Response {
    let (response, upgrading) = match upgrade::accept(&mut request) {
        Ok(accepted) => accepted,
        Err(refusal) => return *refusal,
    };
    let client = shared.proxies.client(peer, request.headers());
    let place = match Place::take(&shared, visit, client) {
        Ok(place) => place,
        Err(NoRoom::Full) => {
            return (StatusCode::SERVICE_UNAVAILABLE, "too many sockets\n").into_response();
        }
        Err(NoRoom::Address) => {
            debug!(%peer, "an address has as many sockets as it may");
            const MANY: &str = "too many sockets of one address\n";
            return (StatusCode::TOO_MANY_REQUESTS, MANY).into_response();
        }
    };
    // Looked at after the place was taken: whoever drains waits for all places that
    // were taken before, and this sees to it that there are none after.
    if shared.drain.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response();
    }
    let session = SocketId(shared.sessions.fetch_add(1, Ordering::Relaxed));
    tokio::spawn(async move {
        match timeout(UPGRADE_DEADLINE, upgrading).await {
            Ok(Ok(upgraded)) => {
                let socket = upgrade::socket(upgraded).await;
                socket::run(socket, session, client, shared, place).await;
            }
            _ => debug!(session = session.0, "a connection did not become a socket"),
        }
    });
    response
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

/// Ready is: there is a node to watch through, and a leader to write to, room for new
/// guests, and no wish to stop.
async fn ready(State(shared): State<Arc<Shared>>) -> (StatusCode, String) {
    if shared.drain.is_cancelled() {
        let left = format!("draining; {} sockets left\n", shared.sockets.len());
        return (StatusCode::SERVICE_UNAVAILABLE, left);
    }
    if shared.visitors.is_full() {
        const FULL: &str = "full: the places that are left are for players who come back\n";
        return (StatusCode::SERVICE_UNAVAILABLE, FULL.to_owned());
    }
    let status = *shared.cluster.status().borrow();
    let (code, what) = match (status.watching, status.leader) {
        (true, Some(leader)) => (StatusCode::OK, format!("ready, n{leader} leads")),
        (true, None) => (StatusCode::SERVICE_UNAVAILABLE, "no leader is known".to_owned()),
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "no node can be reached".to_owned()),
    };
    (code, format!("{what}; {} nodes linked\n", status.linked))
}
