//! Channels to other nodes, over the seam's connections, and clients on them.

use crate::env::Env;
use crate::peers::envelope::Seal;
use hangraft_proto::MESSAGE_BYTES_MAX;
use hangraft_proto::channel::{Dial, Windows};
use hangraft_proto::pass::Pass;
use hangraft_proto::v1::raft_client::RaftClient;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Uri};

/// A connection that is not made by then is tried again later.
const CONNECT_DEADLINE: Duration = Duration::from_millis(500);

/// A connection that answers no ping for this long is dead and is made anew.
/// Paused and cut-off peers are found by it.
const KEEP_ALIVE: Duration = Duration::from_secs(1);

/// HTTP/2 windows: snapshots and batches are large.
const WINDOWS: Windows = Windows { stream: 4 << 20, connection: 16 << 20 };

/// Opens a channel to a node, which connects on first use and again when broken.
pub(crate) fn channel_to(env: &Arc<dyn Env>, address: SocketAddr) -> Channel {
    let dial = Dial {
        origin: Uri::from_static("http://node"),
        connect_deadline: Some(CONNECT_DEADLINE),
        keep_alive: Some(KEEP_ALIVE),
        windows: Some(WINDOWS),
        ..Dial::to(env.clone(), address)
    };
    dial.lazy()
}

/// A client for the replicas' service of a node, which shows that it belongs.
pub(crate) type PeerClient = RaftClient<InterceptedService<Channel, Pass>>;

/// A client for the replicas' service of a node.
pub(crate) fn client(channel: Channel, seal: &Seal) -> PeerClient {
    RaftClient::with_interceptor(channel, seal.pass())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX)
}
