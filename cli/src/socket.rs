//! A player's socket at a frontend, as a browser would open it.

use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    str::FromStr,
    time::Duration,
};

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use hangraft_ids::PlayerId;
use hangraft_proto::socket::{Answer, Epoch, Hello, Request, RequestId, ServerMessage, Welcome};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, Utf8Bytes, protocol::WebSocketConfig},
};

/// How long a connection and its hello may take.
const CONNECT: Duration = Duration::from_secs(10);

/// The websocket library clears its buffer before every read, so a large one
/// would cost more than the messages in it.
const READ_BUFFER_BYTES: usize = 4 << 10;

/// The id of the first message; whoever goes on counts from 1.
const HELLO: u64 = 0;

/// An open socket.
pub(crate) type Socket = WebSocketStream<TcpStream>;

/// Who a client is since its hello.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) player: PlayerId,
    /// Makes the client the same player at the next hello, at any frontend.
    pub(crate) token: String,
    /// What numbers of versions and notices belong to.
    pub(crate) epoch: Option<Epoch>,
}

/// How a frontend is entered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Way {
    /// From this loopback address when the frontend is on loopback: each has ports of its own.
    pub(crate) from: Option<Ipv4Addr>,
    /// Rooms are told in steps.
    pub(crate) steps: bool,
}

impl Way {
    /// To be told of rooms in steps.
    pub(crate) const STEPS: Self = Self { from: None, steps: true };
}

/// Where a frontend is: `http://127.0.0.1:8080`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    host: String,
}

impl Url {
    /// The same frontends, another one first: so many clients are spread over them.
    pub(crate) fn from_nth(urls: &[Self], nth: usize) -> Vec<Self> {
        let mut urls = urls.to_vec();
        let first = nth % urls.len().max(1);
        urls.rotate_left(first);
        urls
    }

    /// Connects and says hello, as the player of `token` or as a new one of that name; the
    /// socket, and who that is.
    pub(crate) async fn enter(
        &self,
        name: &str,
        token: Option<&str>,
    ) -> anyhow::Result<(Socket, Identity)> {
        self.enter_by(Way::default(), name, token).await
    }

    /// As [`enter`](Self::enter), in another way.
    pub(crate) async fn enter_by(
        &self,
        way: Way,
        name: &str,
        token: Option<&str>,
    ) -> anyhow::Result<(Socket, Identity)> {
        let entered = timeout(CONNECT, self.try_enter(way, name, token)).await;
        entered
            .with_context(|| format!("http://{} did not answer within {CONNECT:?}", self.host))?
            .with_context(|| format!("cannot play at http://{}", self.host))
    }

    async fn try_enter(
        &self,
        way: Way,
        name: &str,
        token: Option<&str>,
    ) -> anyhow::Result<(Socket, Identity)> {
        let Way { from, steps } = way;
        let stream = self.connect(from).await?;
        stream.set_nodelay(true)?;
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
        let url = format!("ws://{}/ws", self.host);
        let (mut socket, _) = client_async_with_config(url, stream, Some(config)).await?;
        let hello = match token {
            Some(token) => Hello { token: Some(token.into()), name: None, steps },
            None => Hello { token: None, name: Some(name.into()), steps },
        };
        socket.send(Message::text(Request::Hello(hello).frame(HELLO))).await?;
        while let Some(text) = next_text(&mut socket).await? {
            if let ServerMessage::Answer(answer) = ServerMessage::<Welcome<'_>>::read(&text)?
                && answer.id.and_then(RequestId::number) == Some(HELLO)
            {
                let identity = welcome(answer)?;
                return Ok((socket, identity));
            }
        }
        bail!("the socket was closed before the hello was answered");
    }
}

impl Url {
    async fn connect(&self, from: Option<Ipv4Addr>) -> anyhow::Result<TcpStream> {
        match (from, self.host.parse()) {
            (Some(from), Ok(SocketAddr::V4(to))) if to.ip().is_loopback() => {
                let socket = TcpSocket::new_v4()?;
                socket.bind(SocketAddrV4::new(from, 0).into())?;
                Ok(socket.connect(to.into()).await?)
            }
            _ => Ok(TcpStream::connect(&self.host).await?),
        }
    }
}

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let host = text.strip_prefix("http://").map(|host| host.trim_end_matches('/'));
        match host {
            Some(host) if !host.is_empty() && !host.contains('/') => Ok(Self { host: host.into() }),
            _ => Err("write it like http://127.0.0.1:8080".into()),
        }
    }
}

fn welcome(hello: Answer<'_, Welcome<'_>>) -> anyhow::Result<Identity> {
    match hello.answer {
        Ok(welcome) => Ok(Identity {
            player: welcome.player,
            token: welcome.token.into_owned(),
            epoch: welcome.server.epoch,
        }),
        Err(refused) => bail!("{} ({})", refused.message, refused.code),
    }
}

/// The next text, none when the socket is closed.
pub(crate) async fn next_text(socket: &mut Socket) -> anyhow::Result<Option<Utf8Bytes>> {
    while let Some(message) = socket.next().await {
        match message? {
            Message::Text(text) => return Ok(Some(text)),
            Message::Close(_) => return Ok(None),
            _ => (),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_frontends() {
        assert_eq!("http://[::1]:80/".parse::<Url>().unwrap().host, "[::1]:80");
        for wrong in ["", "127.0.0.1:8080", "https://a.example", "http://", "http://a/b"] {
            assert!(wrong.parse::<Url>().is_err(), "{wrong}");
        }
    }
}
