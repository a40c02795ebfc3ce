//! One socket to a frontend, over a simulated stream.

use super::Scene;
use futures_util::{SinkExt, StreamExt};
use hangraft_game::Version;
use hangraft_node::env::{Connection, Network};
use hangraft_proto::socket::{
    Answer, Code, Lobby, Notice, Push, Request, RequestId, ServerMessage,
};
use serde_json::value::RawValue;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// How long a frontend may take to let a socket in.
const CONNECT: Duration = Duration::from_secs(2);

/// How much a socket reads at once. The library clears that much before each read; its default
/// of 128 KiB was a sixth of all instructions of a day.
const READ_BYTES: usize = 8 << 10;

/// A socket.
pub(super) struct Socket {
    stream: WebSocketStream<Connection>,
    last_id: u64,
}

/// Anything that comes in.
pub(super) enum Heard {
    /// The answer to the question with this id.
    Answer(u64, Result<Box<RawValue>, Code>),
    /// A room at one version; the view as it was sent.
    View { room: String, version: Version, view: String, resync: bool, closed: bool },
    /// What has changed in a room with a version; the parts as they were sent.
    Step { room: String, version: Version, set: String, unset: String, closed: bool },
    /// What the player is told.
    Notice(Box<Notice>),
    /// The open seeks.
    Lobby(Lobby),
    /// Anything else.
    Other,
}

impl Socket {
    /// A socket to a frontend, if it lets one in.
    pub(super) async fn open(scene: &Scene, frontend: SocketAddr) -> Option<Self> {
        let opening = async {
            let connection = scene.network.connect(frontend).await.ok()?;
            let url = format!("ws://{frontend}/ws");
            let config = Some(WebSocketConfig::default().read_buffer_size(READ_BYTES));
            let (stream, _) =
                tokio_tungstenite::client_async_with_config(url, connection, config).await.ok()?;
            Some(Socket { stream, last_id: 0 })
        };
        timeout(CONNECT, opening).await.ok()?
    }

    /// Sends a question; its id.
    pub(super) async fn ask(&mut self, request: &Request<'_>) -> Option<u64> {
        self.last_id += 1;
        let sending = self.stream.send(Message::text(request.frame(self.last_id)));
        timeout(CONNECT, sending).await.ok()?.ok()?;
        Some(self.last_id)
    }

    /// The next frame and its text; nothing when the socket has ended. May be called off.
    pub(super) async fn hear(&mut self) -> Option<(Heard, String)> {
        loop {
            match self.stream.next().await?.ok()? {
                Message::Text(text) => return Some((understand(&text), text.to_string())),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }
}

fn understand(text: &str) -> Heard {
    let message = ServerMessage::<&RawValue>::read(text)
        .unwrap_or_else(|err| panic!("a frontend sent what is not in the contract: {err}: {text}"));
    match message {
        ServerMessage::Answer(Answer { id, answer }) => match id.and_then(RequestId::number) {
            Some(id) => Heard::Answer(id, answer.map(ToOwned::to_owned).map_err(|no| no.code)),
            None => Heard::Other,
        },
        ServerMessage::Push(Push::View(view)) => Heard::View {
            room: view.room.into_owned(),
            version: view.version,
            view: view.view.to_owned(),
            resync: view.resync,
            closed: view.closed,
        },
        ServerMessage::Push(Push::Step(step)) => Heard::Step {
            room: step.room.into_owned(),
            version: step.version,
            set: step.set.to_owned(),
            unset: step.unset.to_owned(),
            closed: step.closed,
        },
        ServerMessage::Push(Push::Notice(notice)) => Heard::Notice(notice),
        ServerMessage::Push(Push::Lobby(lobby)) => Heard::Lobby(lobby),
        ServerMessage::Push(_) => Heard::Other,
    }
}
