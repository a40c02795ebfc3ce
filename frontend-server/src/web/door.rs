//! Where connections come in: HTTP/1.1 on each, with a deadline for everything.
//!
//! A head has its deadline, and so has the rest between two requests; whoever does not
//! take an answer is left ([`Impatient`]); and no connection carries requests for long,
//! unless it becomes a socket, which has deadlines of its own.
//!
//! # Not here
//!
//! HTTP/2. A proxy speaks it with browsers, and one request of it can hold many streams.

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use hangraft_proto::net::{Connection, Listener};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics::Counter;
use tokio::time::sleep;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;
use tracing::{debug, error};

use super::{
    stream::Impatient,
    visitors::{Visit, Visitors},
};

/// A connection that has not brought a whole head by then is closed; so is one that
/// brings no further request for so long.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// A connection carries requests for so long; then the one under way is the last.
const REQUESTS_TIME: Duration = Duration::from_secs(60);
/// The last answer may take so long to be taken.
const LAST_ANSWER: Duration = Duration::from_secs(10);
/// What is read of a connection and not understood yet, in bytes. A longer head is
/// answered with 431.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// Lines of a head; one with more is answered with 431.
const HEAD_LINES_MAX: usize = 64;
/// After a failed accept, for example for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Lets connections in until `stop`; then waits until all have ended, which those that
/// are no sockets do soon.
pub(super) async fn serve(
    mut listener: Box<dyn Listener>,
    app: Router,
    visitors: Visitors,
    shed: Counter,
    stop: CancellationToken,
) {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((connection, from)) => match visitors.enter() {
                Some(visit) => {
                    let visit = Arc::new(visit);
                    let (app, shed, stop) = (app.clone(), shed.clone(), stop.clone());
                    connections.spawn(converse(connection, from, visit, app, shed, stop));
                }
                None => {
                    shed.increment(1);
                    debug!("a connection too many");
                }
            },
            Err(err) if ends_one_connection(&err) => {}
            Err(err) => {
                let makes_room = visitors.shed();
                error!(%err, makes_room, "accepting a connection failed");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    connections.close();
    connections.wait().await;
}

/// One connection, until it ends or becomes a socket.
async fn converse(
    connection: Connection,
    from: SocketAddr,
    visit: Arc<Visit>,
    app: Router,
    shed: Counter,
    stop: CancellationToken,
) {
    let leave = visit.leave();
    let service = service_fn(move |request: Request<Incoming>| {
        let (app, visit) = (app.clone(), visit.clone());
        async move {
            visit.asks();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(from));
            request.extensions_mut().insert(visit.clone());
            let response = app.oneshot(request).await;
            visit.rests();
            Ok::<_, Infallible>(response.unwrap_or_else(|never| match never {}))
        }
    });
    let io = TokioIo::new(Impatient::new(connection));
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEAD_LINES_MAX);
    let mut serving = pin!(builder.serve_connection(io, service).with_upgrades());
    tokio::select! {
        served = serving.as_mut() => {
            if let Err(err) = served {
                debug!(%err, "a connection ended");
            }
            return;
        }
        () = leave.cancelled() => {
            shed.increment(1);
            return debug!("a connection made room for another");
        }
        () = stop.cancelled() => {}
        () = sleep(REQUESTS_TIME) => {}
    }
    serving.as_mut().graceful_shutdown();
    tokio::select! {
        _ = serving => {}
        () = leave.cancelled() => {}
        () = sleep(LAST_ANSWER) => debug!("a last answer was not taken"),
    }
}

/// Whether an error is about a connection that was given up before it was
/// accepted; the next one may be fine.
fn ends_one_connection(err: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(err.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
