//! A player's socket, as a browser would open it.

use std::{borrow::Cow, str::FromStr, time::Duration};

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use hangraft_ids::Serial;
use hangraft_proto::socket::{
    Accepted, Answer, Hello, InRoom, Open, Play, Request, RequestId, ServerMessage, View, Watch,
    Welcome,
};
use serde_json::value::RawValue;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, Utf8Bytes, protocol::WebSocketConfig},
};

use crate::bench::table::{Action, Wish};

/// How long a connection and its hello may take.
const CONNECT: Duration = Duration::from_secs(10);

/// The websocket library clears its buffer before every read, so a large one
/// would cost more than the messages in it.
const READ_BUFFER_BYTES: usize = 4 << 10;

/// The id of the first message, which no wish uses: serials start at 1.
const HELLO: u64 = 0;

/// An open socket.
pub(super) type Socket = WebSocketStream<TcpStream>;

/// Where a frontend is: `http://127.0.0.1:8080`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    host: String,
}

/// What a frontend says, as far as a load generator listens.
pub(super) type Incoming<'a> = ServerMessage<'a, Accepted<'a>>;

impl Url {
    /// Connects and says hello, as the player of `token` or as a new one; the
    /// socket, and the player's token.
    pub(super) async fn enter(&self, token: Option<&str>) -> anyhow::Result<(Socket, String)> {
        let entered = timeout(CONNECT, self.try_enter(token)).await;
        entered
            .with_context(|| format!("http://{} did not answer within {CONNECT:?}", self.host))?
            .with_context(|| format!("cannot play at http://{}", self.host))
    }

    async fn try_enter(&self, token: Option<&str>) -> anyhow::Result<(Socket, String)> {
        let stream = TcpStream::connect(&self.host).await?;
        stream.set_nodelay(true)?;
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
        let url = format!("ws://{}/ws", self.host);
        let (mut socket, _) = client_async_with_config(url, stream, Some(config)).await?;
        let hello = match token {
            Some(token) => Hello { token: Some(token.into()), name: None },
            None => Hello { token: None, name: Some("Bench".into()) },
        };
        socket.send(Message::text(Request::Hello(hello).frame(HELLO))).await?;
        while let Some(text) = next_text(&mut socket).await? {
            if let ServerMessage::Answer(answer) = ServerMessage::<Welcome<'_>>::read(&text)?
                && answer.id.and_then(RequestId::number) == Some(HELLO)
            {
                let token = welcome(answer)?;
                return Ok((socket, token));
            }
        }
        bail!("the socket was closed before the hello was answered");
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

/// Whether a pushed view shows a round that is over. The view's JSON is not
/// parsed for it: that would cost this side more than the frontend's pays.
pub(super) fn shows_the_end(view: &View<'_>) -> bool {
    [r#""state":"won""#, r#""state":"lost""#].iter().any(|state| view.view.contains(state))
}

fn welcome(hello: Answer<'_, Welcome<'_>>) -> anyhow::Result<String> {
    match hello.answer {
        Ok(welcome) => Ok(welcome.token.into_owned()),
        Err(refused) => bail!("{} ({})", refused.message, refused.code),
    }
}

/// The next text, none when the socket is closed.
pub(super) async fn next_text(socket: &mut Socket) -> anyhow::Result<Option<Utf8Bytes>> {
    while let Some(message) = socket.next().await {
        match message? {
            Message::Text(text) => return Ok(Some(text)),
            Message::Close(_) => return Ok(None),
            _ => (),
        }
    }
    Ok(None)
}

/// A wish as a frontend reads it, in the room with this name. Its serial serves as the
/// message's id, too: a player has one open wish at a time.
pub(super) fn text(wish: &Wish, room: &str) -> String {
    let (id, serial) = (wish.serial, Some(Serial(wish.serial)));
    let room = Cow::from(room);
    let request = match wish.action {
        Action::Open => {
            let options = json(r#"{"mode":"together"}"#.to_owned());
            let game = Cow::from("hangman");
            return Request::Open(Open { game, options: Some(&options), public: true, serial })
                .frame(id);
        }
        Action::Sit => Request::Sit(InRoom { room, serial }),
        Action::Again => Request::Again(InRoom { room, serial }),
        Action::Watch => Request::Watch(Watch { room, since: None, epoch: None }),
        Action::Play(letter) => {
            let mv = json(format!(r#"{{"letter":"{letter}"}}"#));
            return Request::Play(Play { room, mv: &mv, serial }).frame(id);
        }
    };
    request.frame(id)
}

fn json(text: String) -> Box<RawValue> {
    RawValue::from_string(text).expect("we write JSON")
}

#[cfg(test)]
mod tests {
    use hangraft_ids::RoomId;
    use hangraft_proto::socket::Push;

    use super::*;

    #[test]
    fn a_url_is_a_frontends() {
        assert_eq!("http://[::1]:80/".parse::<Url>().unwrap().host, "[::1]:80");
        for wrong in ["", "127.0.0.1:8080", "https://a.example", "http://", "http://a/b"] {
            assert!(wrong.parse::<Url>().is_err(), "{wrong}");
        }
    }

    /// What we say is JSON of the promised shape.
    #[test]
    fn a_wish_is_said_in_json() {
        let wish = Wish {
            player: 0,
            serial: 7,
            room: RoomId(0),
            action: Action::Play('e'),
            after: Duration::ZERO,
        };
        for action in [Action::Open, Action::Sit, Action::Watch, Action::Play('e'), Action::Again] {
            let json: serde_json::Value =
                serde_json::from_str(&text(&Wish { action, ..wish }, "k3v7")).unwrap();
            assert_eq!(json["id"], 7);
            assert_eq!(
                json["data"]["room"],
                if action == Action::Open { json["none"].clone() } else { "k3v7".into() }
            );
        }
        let json: serde_json::Value = serde_json::from_str(&text(&wish, "k3v7")).unwrap();
        assert_eq!(
            json["data"],
            serde_json::json!({"room":"k3v7","move":{"letter":"e"},"serial":7})
        );
    }

    /// Whether a round is over is seen without taking the view apart.
    #[test]
    fn the_end_is_seen() {
        for (state, over) in [("won", true), ("lost", true), ("playing", false)] {
            let text = format!(
                r#"{{"push":"view","room":"k3v7","version":9,"view":{{"state":"{state}"}},"events":[]}}"#
            );
            let Ok(Incoming::Push(Push::View(view))) = Incoming::read(&text) else {
                panic!("{text}")
            };
            assert_eq!((view.version.0, shows_the_end(&view)), (9, over));
        }
    }
}
