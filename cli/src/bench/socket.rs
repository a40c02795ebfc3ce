//! A player's socket, as a browser would open it.

use std::{borrow::Cow, str::FromStr, time::Duration};

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use hangraft_ids::Version;
use serde::Deserialize;
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
#[derive(Debug, Deserialize)]
pub(super) struct Incoming<'a> {
    /// The wish that is answered, none for a push.
    pub(super) id: Option<u64>,
    pub(super) ok: Option<Done<'a>>,
    #[serde(borrow)]
    pub(super) refused: Option<Refused<'a>>,
    #[serde(borrow)]
    pub(super) push: Option<Cow<'a, str>>,
    /// A pushed view's version.
    pub(super) version: Option<Version>,
    #[serde(borrow)]
    pub(super) view: Option<&'a RawValue>,
    /// Why the server is about to close.
    #[serde(borrow)]
    pub(super) code: Option<Cow<'a, str>>,
}

/// The good answer.
#[derive(Debug, Deserialize)]
pub(super) struct Done<'a> {
    /// The room's name, after it was opened.
    #[serde(borrow)]
    pub(super) room: Option<Cow<'a, str>>,
    pub(super) version: Option<Version>,
    /// After the hello: who we are from now on.
    #[serde(borrow)]
    token: Option<Cow<'a, str>>,
}

/// The other one.
#[derive(Debug, Deserialize)]
pub(super) struct Refused<'a> {
    #[serde(borrow)]
    pub(super) code: Cow<'a, str>,
    #[serde(borrow)]
    message: Cow<'a, str>,
}

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
            Some(token) => serde_json::json!({ "token": token }),
            None => serde_json::json!({ "name": "Bench" }),
        };
        let hello = serde_json::json!({ "id": HELLO, "action": "hello", "data": hello });
        socket.send(Message::text(hello.to_string())).await?;
        while let Some(text) = next_text(&mut socket).await? {
            let incoming: Incoming<'_> = serde_json::from_str(&text)?;
            if incoming.id == Some(HELLO) {
                let token = incoming.welcome()?;
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

impl Incoming<'_> {
    /// Whether a pushed view shows a round that is over. The view's JSON is not
    /// parsed for it: that would cost this side more than the frontend's pays.
    pub(super) fn shows_the_end(&self) -> bool {
        let shows = |state| self.view.is_some_and(|view| view.get().contains(state));
        shows(r#""state":"won""#) || shows(r#""state":"lost""#)
    }

    fn welcome(self) -> anyhow::Result<String> {
        match (self.ok, self.refused) {
            (Some(Done { token: Some(token), .. }), _) => Ok(token.into_owned()),
            (_, Some(refused)) => bail!("{} ({})", refused.message, refused.code),
            _ => bail!("the frontend is of another version"),
        }
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

/// A wish as a frontend reads it, in the room with this name. Its serial serves as the message's id, too: a
/// player has one open wish at a time.
pub(super) fn text(wish: &Wish, room: &str) -> String {
    let Wish { serial, action, .. } = wish;
    match action {
        Action::Open => format!(
            r#"{{"id":{serial},"action":"open","data":{{"game":"hangman","options":{{"mode":"together"}},"public":true,"serial":{serial}}}}}"#
        ),
        Action::Sit => about(serial, "sit", room),
        Action::Again => about(serial, "again", room),
        Action::Watch => {
            format!(r#"{{"id":{serial},"action":"watch","data":{{"room":"{room}"}}}}"#)
        }
        Action::Play(letter) => format!(
            r#"{{"id":{serial},"action":"play","data":{{"room":"{room}","move":{{"letter":"{letter}"}},"serial":{serial}}}}}"#
        ),
    }
}

fn about(serial: &u64, action: &str, room: &str) -> String {
    format!(r#"{{"id":{serial},"action":"{action}","data":{{"room":"{room}","serial":{serial}}}}}"#)
}

#[cfg(test)]
mod tests {
    use hangraft_ids::RoomId;

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

    #[test]
    fn answers_and_pushes_are_understood() {
        let read = |text| serde_json::from_str::<Incoming<'_>>(text).unwrap();
        let done = read(r#"{"id":7,"ok":{"version":12}}"#);
        assert_eq!((done.id, done.ok.unwrap().version), (Some(7), Some(Version(12))));
        let refused = read(r#"{"id":7,"refused":{"code":"game-over","message":"it \"is\""}}"#);
        assert_eq!(refused.refused.unwrap().code, "game-over");
        let push =
            read(r#"{"push":"view","room":"k3v7","version":9,"view":{"state":"won"},"events":[]}"#);
        assert_eq!((push.version, push.shows_the_end()), (Some(Version(9)), true));
        let push = read(
            r#"{"push":"view","room":"k3v7","version":9,"view":{"state":"playing"},"events":[]}"#,
        );
        assert!(!push.shows_the_end());
    }
}
