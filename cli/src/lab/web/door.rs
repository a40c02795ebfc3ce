//! Where connections to a lab come in: HTTP/1.1 on each, only so many, with deadlines.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Connections at once. Who comes when there are so many waits until one ends.
const CONNECTIONS_MAX: usize = 256;

/// A connection that has not brought a whole head by then is closed; so is one that brings no
/// further request for so long.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);

/// What is read of a connection and not understood yet, in bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// After a failed accept, for example for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Ends the connection that a request came on, also when its other side reads nothing.
#[derive(Clone, Debug)]
pub(super) struct HangUp(pub(super) CancellationToken);

/// Lets connections in until it is called off; they end with it.
pub(crate) async fn serve(listener: TcpListener, app: Router) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let place = Arc::clone(&places).acquire_owned().await.expect("it is never closed");
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                // A batch is small and wanted at once.
                _ = stream.set_nodelay(true);
                let app = app.clone();
                connections.spawn(async move {
                    converse(TokioIo::new(stream), app).await;
                    drop(place);
                });
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn converse(io: TokioIo<tokio::net::TcpStream>, app: Router) {
    let hang_up = CancellationToken::new();
    let token = HangUp(hang_up.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(token.clone());
        let app = app.clone();
        async move {
            let response = app.oneshot(request).await;
            Ok::<_, Infallible>(response.unwrap_or_else(|never| match never {}))
        }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(HEAD_BYTES_MAX);
    let serving = pin!(builder.serve_connection(io, service));
    tokio::select! {
        served = serving => {
            if let Err(err) = served {
                tracing::debug!(%err, "a connection ended");
            }
        }
        () = hang_up.cancelled() => {}
    }
}
