//! One socket to a frontend, over a simulated stream.

use super::Scene;
use futures_util::{SinkExt, StreamExt};
use hangraft_game::Version;
use hangraft_node::env::{Connection, Network};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// How long a frontend may take to let a socket in.
const CONNECT: Duration = Duration::from_secs(2);

/// A socket.
pub(super) struct Socket {
    stream: WebSocketStream<Connection>,
    last_id: u64,
}

/// Anything that comes in.
pub(super) enum Heard {
    /// The answer to the question with this id.
    Answer(u64, Result<Value, Refusal>),
    /// A room at one version; the view as it was sent.
    View { room: String, version: Version, view: Box<RawValue>, resync: bool, closed: bool },
    /// Anything else.
    Other,
}

/// A no.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Refusal {
    pub(super) code: String,
}

/// Any frame a server sends.
#[derive(Deserialize)]
struct Frame {
    id: Option<u64>,
    ok: Option<Value>,
    refused: Option<Refusal>,
    push: Option<String>,
    room: Option<String>,
    version: Option<Version>,
    view: Option<Box<RawValue>>,
    #[serde(default)]
    resync: bool,
    #[serde(default)]
    closed: bool,
}

impl Socket {
    /// A socket to a frontend, if it lets one in.
    pub(super) async fn open(scene: &Scene, frontend: SocketAddr) -> Option<Self> {
        let opening = async {
            let connection = scene.network.connect(frontend).await.ok()?;
            let url = format!("ws://{frontend}/ws");
            let (stream, _) = tokio_tungstenite::client_async(url, connection).await.ok()?;
            Some(Socket { stream, last_id: 0 })
        };
        timeout(CONNECT, opening).await.ok()?
    }

    /// Sends a question; its id.
    pub(super) async fn ask(&mut self, action: &str, data: &Value) -> Option<u64> {
        self.last_id += 1;
        let frame = serde_json::json!({"id": self.last_id, "action": action, "data": data});
        let sending = self.stream.send(Message::text(frame.to_string()));
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
    let frame: Frame = serde_json::from_str(text)
        .unwrap_or_else(|err| panic!("a frontend sent what is not in the contract: {err}: {text}"));
    match frame {
        Frame { id: Some(id), ok: Some(ok), .. } => Heard::Answer(id, Ok(ok)),
        Frame { id: Some(id), refused: Some(refused), .. } => Heard::Answer(id, Err(refused)),
        Frame {
            push: Some(push),
            room: Some(room),
            version: Some(version),
            view: Some(view),
            resync,
            closed,
            ..
        } if push == "view" => Heard::View { room, version, view, resync, closed },
        _ => Heard::Other,
    }
}
