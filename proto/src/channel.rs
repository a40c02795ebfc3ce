//! gRPC channels over the network's streams.
//!
//! Everybody who calls a node dials here, and says how patient they are: a replica, a
//! frontend, an operator. A silent connection is tried by HTTP/2 pings, because a paused
//! or cut-off node says nothing, and nothing else finds it out.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use hyper_util::rt::TokioIo;
use tokio::time::timeout;
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
        let Self { network, address, connect_deadline, .. } = self;
        tower::service_fn(move |_: Uri| {
            let network = network.clone();
            async move {
                let connecting = network.connect(address);
                // Here and not by the channel, which would not say that nobody was reached.
                let connection = match connect_deadline {
                    Some(deadline) => timeout(deadline, connecting)
                        .await
                        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())),
                    None => connecting.await,
                };
                connection.map(TokioIo::new)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use tonic::{Code, Status};

    use super::*;
    use crate::net::Listener;

    /// A network in which nobody answers, and nobody says that there is nobody.
    struct Silence;

    #[async_trait]
    impl Network for Silence {
        async fn listen(&self, _: SocketAddr) -> io::Result<Box<dyn Listener>> {
            Err(io::ErrorKind::Unsupported.into())
        }

        async fn connect(&self, _: SocketAddr) -> io::Result<Connection> {
            std::future::pending().await
        }
    }

    /// Whoever dials in vain learns that nobody was reached in time: such a call had no
    /// effect, and what is told to people says so.
    #[tokio::test]
    async fn nobody_is_reached_in_time() {
        let address = SocketAddr::from(([192, 0, 2, 1], 7101));
        let dial = Dial {
            connect_deadline: Some(Duration::from_millis(1)),
            ..Dial::to(Arc::new(Silence), address)
        };
        let failed = dial.connect().await.expect_err("nobody is there");
        let status = Status::from_error(failed.into());
        assert_eq!((status.code(), status.message()), (Code::Unavailable, "timed out"));
    }
}
