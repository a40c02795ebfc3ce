//! What a client hears when it has asked for something.

use std::borrow::Cow;

use hangraft_ids::{NodeId, NoticeNumber, PlayerId, Seat, Version};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use super::code::Code;
use super::epoch::Epoch;
use super::push::Link;
use super::request::RequestId;
use super::words;

/// The answer to a request: a yes with what was asked for, or a no.
#[derive(Clone, Debug)]
pub struct Answer<'a, T> {
    /// What the client called its request.
    pub id: Option<RequestId<'a>>,
    /// What became of it.
    pub answer: Result<T, Refused<'a>>,
}

impl<T: Serialize> Answer<'_, T> {
    /// The answer as a frame.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and raw JSON are JSON")
    }
}

impl<T: Serialize> Serialize for Answer<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut frame = serializer.serialize_map(None)?;
        if let Some(id) = &self.id {
            frame.serialize_entry("id", id)?;
        }
        match &self.answer {
            Ok(yes) => frame.serialize_entry("ok", yes)?,
            Err(no) => frame.serialize_entry("refused", no)?,
        }
        frame.end()
    }
}

/// A no.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refused<'a> {
    /// For programs.
    pub code: Code,
    /// For people.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
    /// With `unknown-outcome`: nobody will ever know; asking again is of no use.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forgotten: bool,
}

/// Any yes, as it is written. Who reads one knows what was asked, and reads that; or reads
/// what most of them have, as [`Accepted`].
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Reply<'a> {
    /// To `hello`.
    Welcome(Welcome<'a>),
    /// To `open`.
    Opened(Opened<'a>),
    /// To `watch`.
    Watching(Watching<'a>),
    /// To `deck`, when it was opened.
    Looking(Looking),
    /// To `sit` and `stand`.
    Seated(Seated),
    /// To what changes a room.
    Changed(Changed),
    /// To `seek`, `challenge` and `accept`.
    Offered(Offered<'a>),
    /// To `notices`.
    Following(Following),
    /// To what is looked up: `rooms` (a [`Listing`]), `ladder`, `card`, `offer` and
    /// `history` (a [`History`]). Written
    /// before, and perhaps for several who asked.
    Found(&'a RawValue),
    /// To what has nothing to say but yes.
    Nothing(Nothing),
}

/// The yes to `hello`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Welcome<'a> {
    /// Who the client is from now on.
    #[serde(serialize_with = "words::spell", deserialize_with = "words::spelled")]
    pub player: PlayerId,
    /// What others see.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Shown at another hello, it says that one is this player.
    #[serde(borrow)]
    pub token: Cow<'a, str>,
    /// What a page should know about the server.
    #[serde(borrow)]
    pub server: ServerInfo<'a>,
}

/// What a page should know about the server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServerInfo<'a> {
    /// Of which build it is.
    #[serde(borrow)]
    pub version: Cow<'a, str>,
    /// Where else to go when this frontend is gone.
    pub frontends: Cow<'a, [String]>,
    /// Where else people find this frontend; left out when nobody said.
    #[serde(default, skip_serializing_if = "<[String]>::is_empty")]
    pub addresses: Cow<'a, [String]>,
    /// As in a `cluster` push, like what follows.
    pub cluster: Link,
    /// The leader, when one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader: Option<NodeId>,
    /// What versions of rooms belong to, and numbers of notices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
    /// The bots that can be challenged. Nothing before a node has named them.
    #[serde(default, skip_serializing_if = "<[Bot]>::is_empty")]
    pub bots: Cow<'a, [Bot]>,
}

/// A bot that lives in the lobby.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bot {
    /// Who it is.
    #[serde(serialize_with = "words::spell", deserialize_with = "words::spelled")]
    pub player: PlayerId,
    /// Under which name it plays.
    pub name: String,
    /// What it plays.
    pub game: String,
    /// How well: "easy", "medium" or "hard".
    pub strength: String,
}

/// The yes to `open`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Opened<'a> {
    /// The new room's name.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
}

/// The yes to `watch`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Watching<'a> {
    /// Which room.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
    /// Its newest version.
    pub version: Version,
    /// How long ago that version was made, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub age: u64,
}

/// The yes to `deck`, when it was opened. What is pushed next is so old.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Looking {
    /// How long ago it became so, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub age: u64,
}

/// The yes to `sit` and `stand`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Seated {
    /// The seat that was taken or left.
    pub seat: Option<Seat>,
    /// The version that this made.
    pub version: Version,
}

/// The yes to what changes a room.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Changed {
    /// The version that this made.
    pub version: Version,
}

/// The yes to `seek`, `challenge` and `accept`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Offered<'a> {
    /// The offer's name.
    #[serde(borrow)]
    pub offer: Cow<'a, str>,
    /// Where it is played; nothing while the offer stands.
    #[serde(borrow, default, deserialize_with = "words::optional")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<Cow<'a, str>>,
}

/// The yes to `notices`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Following {
    /// The number of the player's newest notice; 0 for a player who was never told anything.
    pub number: NoticeNumber,
}

/// The yes that says nothing more.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Nothing {}

/// What most answers have, for those who read all of them alike.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Accepted<'a> {
    /// A room's name, after `open` and `watch`, and after what has become a match.
    #[serde(borrow, default, deserialize_with = "words::optional")]
    pub room: Option<Cow<'a, str>>,
    /// A room's version, unless one was opened.
    pub version: Option<Version>,
    /// An offer's name, after `seek`, `challenge` and `accept`.
    #[serde(borrow, default, deserialize_with = "words::optional")]
    pub offer: Option<Cow<'a, str>>,
    /// The newest notice's number, after `notices`.
    pub number: Option<NoticeNumber>,
}

/// The yes to `rooms`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Listing {
    /// Newest first.
    pub rooms: Vec<Listed>,
    /// What to ask for to hear of more; nothing at the end.
    pub next: Option<String>,
    /// The games of which rooms can be opened. Nodes of before did not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub games: Vec<String>,
}

/// A room in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Listed {
    /// Its name.
    pub room: String,
    /// What is played there.
    pub game: String,
    /// How it stands.
    pub state: String,
    /// How many are at the table.
    pub players: u32,
    /// How many look on.
    pub watchers: u32,
    /// Its version.
    pub version: Version,
    /// How many seats there are.
    pub seats: u32,
    /// Who is at the table.
    pub names: Vec<String>,
    /// How many of them are here.
    pub here: u32,
    /// Nobody new sits down.
    pub locked: bool,
    /// What the game's rules say of it: a JSON object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Box<RawValue>>,
}

/// The yes to `history`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct History {
    /// The version of the room that this is of: what was said in later ones is to be added.
    pub version: Version,
    /// What was said last, the oldest first.
    pub lines: Vec<Line>,
}

/// Something that somebody has said in a room.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    /// Who.
    #[serde(serialize_with = "words::spell", deserialize_with = "words::spelled")]
    pub player: PlayerId,
    /// Under which name.
    pub name: String,
    /// What.
    pub text: String,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
