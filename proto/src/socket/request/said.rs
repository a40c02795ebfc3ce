//! What is said with each action.

use std::borrow::Cow;

use hangraft_ids::{Serial, Version};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::socket::words;

/// What is said with [`Action::Hello`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Hello<'a> {
    /// What one wants to be called.
    #[serde(borrow, default, deserialize_with = "words::optional")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Cow<'a, str>>,
    /// Says who one was before.
    #[serde(borrow, default, deserialize_with = "words::optional")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Cow<'a, str>>,
}

/// What is said with [`Action::Open`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Open<'a> {
    /// Which game.
    #[serde(borrow)]
    pub game: Cow<'a, str>,
    /// How it is played: a JSON object that only the game's rules understand.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub options: Option<&'a RawValue>,
    /// Strangers may find the room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public: bool,
    /// The player's own counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
}

/// What is said with [`Action::Rooms`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Rooms<'a> {
    /// Only rooms of this game.
    #[serde(borrow, default, deserialize_with = "words::optional")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub game: Option<Cow<'a, str>>,
    /// Only rooms that stand so.
    #[serde(borrow, default, deserialize_with = "words::optional")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Cow<'a, str>>,
    /// Full rooms, locked ones and those where nobody is, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// Only what comes behind this room, as `next` said.
    #[serde(borrow, default, deserialize_with = "words::optional")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Cow<'a, str>>,
    /// Not more than so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What is said with [`Action::Watch`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Watch<'a> {
    /// Which room.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
    /// The version that was seen last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Version>,
    /// What `since` belongs to; the present epoch when nothing is said. Of another one
    /// nothing is known, however it is spelled.
    #[serde(borrow, default, deserialize_with = "words::optional")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Cow<'a, str>>,
}

/// What is said with an action that only needs a room.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InRoom<'a> {
    /// Which room.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
    /// The player's own counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
}

/// What is said with [`Action::Play`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Play<'a> {
    /// Which room.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
    /// JSON that only the game's rules understand.
    #[serde(borrow, rename = "move")]
    pub mv: &'a RawValue,
    /// The player's own counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
}

/// What is said with [`Action::Remove`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Remove<'a> {
    /// Which room.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
    /// Whom, as views call them.
    #[serde(borrow)]
    pub player: Cow<'a, str>,
    /// The player's own counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
}

/// What is said with [`Action::Lock`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lock<'a> {
    /// Which room.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
    /// Whether nobody new sits down.
    pub locked: bool,
    /// The player's own counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
}

/// What is said with [`Action::Publish`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Publish<'a> {
    /// Which room.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
    /// Whether strangers find it.
    pub public: bool,
    /// The player's own counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
}

/// What is said with [`Action::Say`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Say<'a> {
    /// Which room.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
    /// The line.
    #[serde(borrow)]
    pub text: Cow<'a, str>,
    /// The player's own counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
}

/// What is said with [`Action::Deck`].
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct LookBelow {
    /// Whether the nodes are looked at from now on.
    pub open: bool,
}

/// What is said with [`Action::Ping`].
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Ping {}
