//! How a request becomes a socket (RFC 6455, section 4.2).

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Request as Head, StatusCode, header},
    response::{IntoResponse, Response},
};
use hangraft_proto::{MESSAGE_BYTES_MAX, socket::FRAME_BYTES_MAX};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::server::create_response,
        protocol::{Role, WebSocketConfig},
    },
};

use super::stream::Metered;

/// A socket's buffers. There may be ten thousand sockets; the library's defaults of
/// 128 KiB each way would make that gigabytes.
const READ_BUFFER: usize = 1 << 10;
const WRITE_BUFFER: usize = 16 << 10;
/// The write buffer and one message, which is no larger than what a node may send. More
/// never waits there: what was written is flushed before anything else is done.
const WRITE_BUFFER_MAX: usize = WRITE_BUFFER + 2 * MESSAGE_BYTES_MAX;

/// A socket, with what comes in counted beneath it.
pub(super) type Socket<S> = WebSocketStream<Metered<S>>;

/// The only protocol version there is.
const VERSION: HeaderValue = HeaderValue::from_static("13");

/// What to answer to a request for a socket, and the connection once that is sent; or
/// the refusal of one that does not ask as it should.
pub(super) fn accept(request: &mut Request) -> Result<(Response, OnUpgrade), Box<Response>> {
    let mut head = Head::new(());
    *head.method_mut() = request.method().clone();
    *head.version_mut() = request.version();
    *head.headers_mut() = request.headers().clone();
    match create_response(&head) {
        Ok(response) => Ok((response.map(|()| Body::empty()), hyper::upgrade::on(request))),
        Err(_) => Err(Box::new(refusal(request.headers()))),
    }
}

/// Makes a socket of a connection that has been upgraded.
pub(super) async fn socket(upgraded: Upgraded) -> Socket<TokioIo<Upgraded>> {
    let stream = Metered::new(TokioIo::new(upgraded));
    WebSocketStream::from_raw_socket(stream, Role::Server, Some(config())).await
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(WRITE_BUFFER_MAX)
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX))
}

/// Says what a socket is asked for with.
fn refusal(headers: &HeaderMap) -> Response {
    let version = headers.get(header::SEC_WEBSOCKET_VERSION);
    let status = match version {
        Some(version) if *version == VERSION => StatusCode::BAD_REQUEST,
        _ => StatusCode::UPGRADE_REQUIRED,
    };
    let needed = [
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::CONNECTION, HeaderValue::from_static("upgrade")),
        (header::SEC_WEBSOCKET_VERSION, VERSION),
    ];
    (status, needed, "a socket is here, of WebSocket version 13\n").into_response()
}
