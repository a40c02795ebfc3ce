//! Channels to other nodes, over the seam's connections, and clients on them.

use crate::env::Env;
use crate::peers::envelope::Seal;
use hangraft_proto::MESSAGE_BYTES_MAX;
use hangraft_proto::pass::Pass;
use hangraft_proto::v1::raft_client::RaftClient;
use hyper_util::rt::TokioIo;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};

/// A connection that is not made by then is tried again later.
const CONNECT_DEADLINE: Duration = Duration::from_millis(500);

/// A connection that answers no ping for this long is dead and is made anew.
/// Paused and cut-off peers are found by it.
const KEEP_ALIVE: Duration = Duration::from_secs(1);

/// Opens a channel to a node, which connects on first use and again when broken.
pub(crate) fn channel_to(env: &Arc<dyn Env>, address: SocketAddr) -> Channel {
    let env = env.clone();
    let connector = tower::service_fn(move |_: http::Uri| {
        let env = env.clone();
        async move {
            let connecting = timeout(CONNECT_DEADLINE, env.connect(address)).await;
            let connection = connecting.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
            Ok::<_, io::Error>(TokioIo::new(connection))
        }
    });
    Endpoint::from_static("http://node")
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(4 << 20)
        .initial_connection_window_size(16 << 20)
        .connect_with_connector_lazy(connector)
}

/// A client for the replicas' service of a node, which shows that it belongs.
pub(crate) type PeerClient = RaftClient<InterceptedService<Channel, Pass>>;

/// A client for the replicas' service of a node.
pub(crate) fn client(channel: Channel, seal: &Seal) -> PeerClient {
    RaftClient::with_interceptor(channel, seal.pass())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX)
}
