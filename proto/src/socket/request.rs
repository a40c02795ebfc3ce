//! What a client may say, and how it is written.

use std::{borrow::Cow, fmt};

use hangraft_ids::Version;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::words;

/// What a client calls its request: a JSON number or string, echoed as it came.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId<'a>(#[serde(borrow)] pub(super) &'a RawValue);

impl<'a> RequestId<'a> {
    /// One that has been read before.
    pub fn new(id: &'a RawValue) -> Self {
        Self(id)
    }

    /// As it came.
    pub fn as_raw(self) -> &'a RawValue {
        self.0
    }

    /// The number that it is, for those who number their requests.
    pub fn number(self) -> Option<u64> {
        self.0.get().parse().ok()
    }
}

/// Declares the actions: the word for each, and what is said with it.
macro_rules! actions {
    ($($(#[$doc:meta])* $action:ident = $word:literal: $data:ty,)*) => {
        /// The actions' names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$doc])* $action,)*
        }

        /// An action, and what is said with it.
        #[derive(Clone, Debug)]
        pub enum Request<'a> {
            $($(#[$doc])* $action($data),)*
        }

        impl Action {
            /// All of them, each in its place.
            pub const ALL: &[Self] = &[$(Self::$action),*];

            /// As written on the socket.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$action => $word,)*
                }
            }

            /// The action of that name.
            pub fn named(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|action| action.as_str() == word)
            }
        }

        impl fmt::Display for Action {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl<'a> Request<'a> {
            /// Which action it is.
            pub fn action(&self) -> Action {
                match self {
                    $(Self::$action(_) => Action::$action,)*
                }
            }

            /// The frame that asks for it under this id.
            pub fn frame(&self, id: u64) -> String {
                match self {
                    $(Self::$action(data) => frame(id, $word, data),)*
                }
            }

            /// Reads what is said with an action.
            pub(super) fn read(action: Action, data: &'a str) -> serde_json::Result<Self> {
                Ok(match action {
                    $(Action::$action => Self::$action(object(data)?),)*
                })
            }
        }
    };
}

actions! {
    /// Says who one is.
    Hello = "hello": Hello<'a>,
    /// Opens a room.
    Open = "open": Open<'a>,
    /// Asks for a list of rooms.
    Rooms = "rooms": Rooms<'a>,
    /// Looks at a room from now on.
    Watch = "watch": Watch<'a>,
    /// Does not look at it any more.
    Unwatch = "unwatch": InRoom<'a>,
    /// Takes a seat.
    Sit = "sit": InRoom<'a>,
    /// Leaves it.
    Stand = "stand": InRoom<'a>,
    /// Makes a move.
    Play = "play": Play<'a>,
    /// Agrees to another round.
    Again = "again": InRoom<'a>,
    /// The host takes somebody from the table for good.
    Remove = "remove": Remove<'a>,
    /// The host lets nobody new sit down, or somebody again.
    Lock = "lock": Lock<'a>,
    /// Says a line of chat.
    Say = "say": Say<'a>,
    /// Asks whether somebody is there.
    Ping = "ping": Ping,
}

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
    pub serial: Option<u64>,
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
    pub serial: Option<u64>,
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
    pub serial: Option<u64>,
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
    pub serial: Option<u64>,
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
    pub serial: Option<u64>,
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
    pub serial: Option<u64>,
}

/// What is said with [`Action::Ping`].
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Ping {}

/// A frame of any shape of data, for those who say also what nobody should.
pub fn frame(id: u64, action: &str, data: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Frame<'a, T> {
        id: u64,
        action: &'a str,
        data: &'a T,
    }
    serde_json::to_string(&Frame { id, action, data }).expect("what is said can be written as JSON")
}

/// Reads a JSON object. (An array would do for serde, its fields by position.)
pub(super) fn object<'a, T: Deserialize<'a>>(json: &'a str) -> serde_json::Result<T> {
    if json.trim_start().starts_with('{') {
        serde_json::from_str(json)
    } else {
        Err(serde::de::Error::custom("not an object"))
    }
}
