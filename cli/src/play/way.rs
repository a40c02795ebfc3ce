//! The ways in: a socket at a frontend, or a node's own stream. Both take the same wishes.

use std::{borrow::Cow, collections::VecDeque, net::SocketAddr, time::Duration};

use anyhow::{Context, anyhow, bail};
use futures_util::SinkExt;
use hangraft_cluster_config::RoomNames;
use hangraft_ids::{PlayerId, RoomId, Serial, Version};
use hangraft_proto::{
    ACCESS_HEADER,
    socket::{self, Accepted, Code, InRoom, Push, Request, RequestId, ServerMessage},
    v1::{self, Command, Downlink, Uplink, answer, command, game_client::GameClient},
};
use serde_json::value::RawValue;
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tokio_tungstenite::tungstenite::Message;
use tonic::{Streaming, metadata::MetadataValue};

use crate::{
    cluster,
    play::manner::Letters,
    socket::{Socket, Url, next_text},
};

/// How long a way may take to be made.
const CONNECT: Duration = Duration::from_secs(2);

/// Messages to a node on their way. A client sends one at a time.
const UPLINKS_MAX: usize = 8;

/// The id of a watch on a socket. Wishes have their serials, which count from 1.
const WATCH: u64 = 0;

/// What every room is played with: all against the word, in any order.
const OPTIONS: &str = r#"{"mode":"together"}"#;

/// Where a client can come in.
#[derive(Clone, Debug)]
pub(crate) enum Entrance {
    Frontend { name: String, url: Url },
    Node { name: String, address: SocketAddr },
}

/// Who comes in.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// What others see.
    pub(crate) name: String,
    /// At frontends: what says who it is, from the second time on.
    pub(crate) token: Option<String>,
    /// At nodes.
    pub(crate) player: PlayerId,
}

/// What lets a client in at nodes, and tells rooms' names.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) token: String,
    pub(crate) names: RoomNames,
}

/// What a client wishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) serial: u64,
    /// The room's name; empty for an opening.
    pub(crate) room: String,
    pub(crate) act: Act,
}

/// What can be wished for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// A room, which strangers may find or not.
    Open {
        public: bool,
    },
    Sit,
    Play(char),
    Again,
    Say(String),
}

/// What a client hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The answer to the wish with this serial.
    Answer(u64, Told),
    /// A room as it is now.
    View {
        room: String,
        version: Version,
        resync: bool,
        closed: bool,
        /// A round is over.
        over: bool,
        /// What has been guessed in this round.
        tried: Letters,
    },
}

/// What became of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Yes {
        /// After an opening.
        room: Option<String>,
        version: Option<Version>,
    },
    No {
        code: Code,
        /// Nobody will ever know.
        forgotten: bool,
    },
}

/// A way in that is open.
pub(crate) enum Way {
    Socket(Box<Socket>),
    Link(Box<Link>),
}

/// A node's stream.
pub(crate) struct Link {
    up: mpsc::Sender<Uplink>,
    down: Streaming<Downlink>,
    heard: VecDeque<Heard>,
    player: PlayerId,
    name: String,
    names: RoomNames,
    asks: u64,
}

impl Entrance {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Frontend { name, .. } | Self::Node { name, .. } => name,
        }
    }

    /// Comes in; a person who had no token has one then.
    pub(crate) async fn enter(&self, who: &mut Person, access: &Access) -> anyhow::Result<Way> {
        let entered = timeout(CONNECT, self.try_enter(who, access)).await;
        entered.with_context(|| format!("{} did not answer in time", self.name()))?
    }

    async fn try_enter(&self, who: &mut Person, access: &Access) -> anyhow::Result<Way> {
        match self {
            Self::Frontend { url, .. } => {
                let (socket, identity) = url.enter(&who.name, who.token.as_deref()).await?;
                who.token = Some(identity.token);
                Ok(Way::Socket(Box::new(socket)))
            }
            Self::Node { address, .. } => {
                Link::open(*address, who, access).await.map(|link| Way::Link(Box::new(link)))
            }
        }
    }
}

impl Way {
    /// Sends a wish.
    pub(crate) async fn wish(&mut self, wish: &Wish) -> anyhow::Result<()> {
        match self {
            Self::Socket(socket) => Ok(socket.send(Message::text(frame(wish))).await?),
            Self::Link(link) => {
                let command = link.command(wish)?;
                link.send(Uplink { commands: vec![command], ..Uplink::default() }).await
            }
        }
    }

    /// Looks at a room from now on, behind the version that was seen last.
    pub(crate) async fn watch(&mut self, room: &str, since: Option<Version>) -> anyhow::Result<()> {
        match self {
            Self::Socket(socket) => {
                let watch = socket::Watch { room: room.into(), since, epoch: None };
                Ok(socket.send(Message::text(Request::Watch(watch).frame(WATCH))).await?)
            }
            Self::Link(link) => link.watch(room, since).await,
        }
    }

    /// Does not look at a room any more.
    pub(crate) async fn unwatch(&mut self, room: &str) -> anyhow::Result<()> {
        match self {
            Self::Socket(socket) => {
                let unwatch = InRoom { room: room.into(), serial: None };
                Ok(socket.send(Message::text(Request::Unwatch(unwatch).frame(WATCH))).await?)
            }
            Self::Link(link) => {
                let unwatch = v1::Unwatch { room: link.number(room)? };
                link.send(Uplink { unwatches: vec![unwatch], ..Uplink::default() }).await
            }
        }
    }

    /// The next that comes. Nothing is lost when this is called off.
    pub(crate) async fn hear(&mut self) -> anyhow::Result<Heard> {
        match self {
            Self::Socket(socket) => loop {
                let text = next_text(socket).await?.context("the socket was closed")?;
                if let Some(heard) = heard(&text)? {
                    return Ok(heard);
                }
            },
            Self::Link(link) => link.hear().await,
        }
    }
}

/// What is heard on a socket, if it is of interest.
fn heard(text: &str) -> anyhow::Result<Option<Heard>> {
    let message = ServerMessage::<Accepted<'_>>::read(text).context("not of the contract")?;
    Ok(match message {
        ServerMessage::Answer(answer) => {
            let serial = answer.id.and_then(RequestId::number).filter(|id| *id != WATCH);
            let told = match answer.answer {
                Ok(yes) => Told::Yes { room: yes.room.map(Cow::into_owned), version: yes.version },
                Err(no) => Told::No { code: no.code, forgotten: no.forgotten },
            };
            serial.map(|serial| Heard::Answer(serial, told))
        }
        ServerMessage::Push(Push::View(view)) => Some(Heard::View {
            room: view.room.into_owned(),
            version: view.version,
            resync: view.resync,
            closed: view.closed,
            over: shows_the_end(view.view),
            tried: Letters::tried(view.view),
        }),
        ServerMessage::Push(Push::Bye(bye)) => bail!("{}: {}", bye.code, bye.message),
        ServerMessage::Push(_) => None,
    })
}

/// Whether a view shows a round that is over.
fn shows_the_end(view: &str) -> bool {
    [r#""state":"won""#, r#""state":"lost""#].iter().any(|state| view.contains(state))
}

/// A wish as a frontend reads it.
fn frame(wish: &Wish) -> String {
    let (id, serial) = (wish.serial, Some(Serial(wish.serial)));
    let room = Cow::from(wish.room.as_str());
    match &wish.act {
        Act::Open { public } => {
            let (options, public) = (json(OPTIONS.into()), *public);
            let (game, options) = ("hangman".into(), Some(&*options));
            Request::Open(socket::Open { game, options, public, serial }).frame(id)
        }
        Act::Sit => Request::Sit(InRoom { room, serial }).frame(id),
        Act::Again => Request::Again(InRoom { room, serial }).frame(id),
        Act::Play(letter) => {
            let mv = json(letter_json(*letter));
            Request::Play(socket::Play { room, mv: &mv, serial }).frame(id)
        }
        Act::Say(text) => Request::Say(socket::Say { room, text: text.into(), serial }).frame(id),
    }
}

fn letter_json(letter: char) -> String {
    format!(r#"{{"letter":"{letter}"}}"#)
}

fn json(text: String) -> Box<RawValue> {
    RawValue::from_string(text).expect("we write JSON")
}

impl Link {
    async fn open(address: SocketAddr, who: &Person, access: &Access) -> anyhow::Result<Self> {
        let mut client = GameClient::new(cluster::connect(address).await?);
        let (up, uplinks) = mpsc::channel(UPLINKS_MAX);
        let mut request = tonic::Request::new(ReceiverStream::new(uplinks));
        let token = MetadataValue::try_from(&access.token).context("a token is plain ASCII")?;
        request.metadata_mut().insert(ACCESS_HEADER, token);
        let down = client.link(request).await?.into_inner();
        let (player, name, names) = (who.player, who.name.clone(), access.names.clone());
        Ok(Self { up, down, heard: VecDeque::new(), player, name, names, asks: 0 })
    }

    async fn send(&self, uplink: Uplink) -> anyhow::Result<()> {
        self.up.send(uplink).await.map_err(|_| anyhow!("the stream is closed"))
    }

    async fn watch(&mut self, room: &str, since: Option<Version>) -> anyhow::Result<()> {
        self.asks += 1;
        let watch = v1::Watch {
            room: self.number(room)?,
            since: since.map(|version| version.0),
            players: vec![self.player.0],
            ask: self.asks,
            steps: false,
        };
        self.send(Uplink { watches: vec![watch], ..Uplink::default() }).await
    }

    async fn hear(&mut self) -> anyhow::Result<Heard> {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                return Ok(heard);
            }
            let downlink = self.down.message().await?.context("the stream has ended")?;
            if downlink.standing.as_ref().is_some_and(|standing| standing.draining) {
                bail!("the node is shutting down");
            }
            self.take(downlink);
        }
    }

    fn take(&mut self, downlink: Downlink) {
        for answer in downlink.answers {
            let told = match answer.outcome {
                Some(answer::Outcome::Accepted(yes)) => Told::Yes {
                    room: Some(self.names.name(RoomId(yes.room))),
                    version: Some(Version(yes.version)),
                },
                Some(answer::Outcome::Refused(no)) => {
                    Told::No { code: no.code().into(), forgotten: no.forgotten }
                }
                None => continue,
            };
            self.heard.push_back(Heard::Answer(answer.id, told));
        }
        for update in downlink.updates {
            let view = std::str::from_utf8(&update.view).unwrap_or_default();
            self.heard.push_back(Heard::View {
                room: self.names.name(RoomId(update.room)),
                version: Version(update.version),
                resync: update.resync,
                closed: update.closed,
                over: shows_the_end(view),
                tried: Letters::tried(view),
            });
        }
    }

    fn command(&self, wish: &Wish) -> anyhow::Result<Command> {
        let room = if matches!(wish.act, Act::Open { .. }) { 0 } else { self.number(&wish.room)? };
        let name = self.name.clone();
        let action = match &wish.act {
            Act::Open { public } => command::Action::Open(v1::Open {
                game: "hangman".into(),
                options: OPTIONS.into(),
                public: *public,
            }),
            Act::Sit => command::Action::Sit(v1::Sit { room, name }),
            Act::Play(letter) => {
                command::Action::Play(v1::Play { room, r#move: letter_json(*letter) })
            }
            Act::Again => command::Action::Again(v1::Again { room }),
            Act::Say(text) => command::Action::Say(v1::Say { room, name, text: text.clone() }),
        };
        let (id, serial, player) = (wish.serial, wish.serial, self.player.0);
        Ok(Command { id, player, lane: 0, serial, action: Some(action) })
    }

    fn number(&self, room: &str) -> anyhow::Result<u64> {
        let number = self.names.room(room).map(|room| room.0);
        number.with_context(|| format!("{room} is no name of a room of this cluster"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What we say to a frontend is JSON of its contract.
    #[test]
    fn wishes_are_said_in_json() {
        for act in [
            Act::Open { public: true },
            Act::Sit,
            Act::Play('e'),
            Act::Again,
            Act::Say("c1x2".into()),
        ] {
            let wish = Wish { serial: 7, room: "wpvkdjysza444b7s".into(), act: act.clone() };
            let json: serde_json::Value = serde_json::from_str(&frame(&wish)).unwrap();
            assert_eq!((&json["id"], &json["data"]["serial"]), (&7.into(), &7.into()), "{act:?}");
            let opens = matches!(act, Act::Open { .. });
            assert_eq!(json["data"]["room"].is_null(), opens, "{act:?}");
        }
    }

    /// Answers and views are heard; an answer to a watch is not one to a wish.
    #[test]
    fn a_frontend_is_understood() {
        let yes = Told::Yes { room: None, version: Some(Version(9)) };
        let answer = heard(r#"{"id":7,"ok":{"version":9}}"#).unwrap();
        assert_eq!(answer, Some(Heard::Answer(7, yes)));
        assert_eq!(heard(r#"{"id":0,"ok":{"room":"abc","version":9}}"#).unwrap(), None);
        let view = r#"{"push":"view","room":"abc","version":3,"view":{"state":"won"},"events":[]}"#;
        let shown = Heard::View {
            room: "abc".into(),
            version: Version(3),
            resync: false,
            closed: false,
            over: true,
            tried: Letters::default(),
        };
        assert_eq!(heard(view).unwrap(), Some(shown));
        let bye = heard(r#"{"push":"bye","code":"moving","message":"go"}"#).unwrap_err();
        assert_eq!(bye.to_string(), "moving: go");
    }
}
