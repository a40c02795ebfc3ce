//! gRPC channels over the network's streams.
//!
//! Everybody who calls a node dials here, and says how patient they are: a replica, a
//! frontend, an operator. A silent connection is tried by HTTP/2 pings, because a paused
//! or cut-off node says nothing, and nothing else finds it out.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use hyper_util::rt::TokioIo;
use tonic::transport::{Channel, Endpoint, Error, Uri};
use tower::Service;

use crate::net::{Connection, Network};

/// A node to be called, and how.
pub struct Dial {
    /// By what way.
    pub network: Arc<dyn Network>,
    /// Where it listens.
    pub address: SocketAddr,
    /// What requests say whom they mean. No node looks at it.
    pub origin: Uri,
    /// A connection that is not made by then is none. Also of those that the channel makes
    /// anew by itself.
    pub connect_deadline: Option<Duration>,
    /// How often a silent connection is tried, and how long the other side may stay silent
    /// then.
    pub keep_alive: Option<Duration>,
    /// HTTP/2 windows: the bytes that may be on the way without the receiver's consent.
    pub windows: Option<Windows>,
}

/// Bytes on the way that the receiver has not yet consented to.
#[derive(Clone, Copy, Debug)]
pub struct Windows {
    /// Of one call.
    pub stream: u32,
    /// Of all calls together.
    pub connection: u32,
}

impl Dial {
    /// A call to a node, with endless patience.
    pub fn to(network: Arc<dyn Network>, address: SocketAddr) -> Self {
        let origin = format!("http://{address}").parse();
        // An address with a zone is no part of a URL.
        let origin = origin.unwrap_or_else(|_| Uri::from_static("http://node"));
        Self { network, address, origin, connect_deadline: None, keep_alive: None, windows: None }
    }

    /// Connects now.
    ///
    /// # Errors
    /// When nobody can be reached there in time.
    pub async fn connect(self) -> Result<Channel, Error> {
        self.endpoint().connect_with_connector(self.connector()).await
    }

    /// Connects on first use, and again when the connection is broken.
    pub fn lazy(self) -> Channel {
        self.endpoint().connect_with_connector_lazy(self.connector())
    }

    fn endpoint(&self) -> Endpoint {
        let mut endpoint = Endpoint::from(self.origin.clone());
        if let Some(deadline) = self.connect_deadline {
            endpoint = endpoint.connect_timeout(deadline);
        }
        if let Some(silence) = self.keep_alive {
            endpoint = endpoint
                .http2_keep_alive_interval(silence)
                .keep_alive_timeout(silence)
                .keep_alive_while_idle(true);
        }
        if let Some(Windows { stream, connection }) = self.windows {
            endpoint = endpoint
                .initial_stream_window_size(stream)
                .initial_connection_window_size(connection);
        }
        endpoint
    }

    fn connector(
        self,
    ) -> impl Service<
        Uri,
        Response = TokioIo<Connection>,
        Error = io::Error,
        Future = impl Future<Output = io::Result<TokioIo<Connection>>> + Send,
    > + Send
    + 'static {
        let Self { network, address, .. } = self;
        tower::service_fn(move |_: Uri| {
            let network = network.clone();
            async move { network.connect(address).await.map(TokioIo::new) }
        })
    }
}
