//! What a client may say, and how it is written.

use std::{borrow::Cow, fmt};

use hangraft_ids::{NoPlayer, PlayerId, RoomId, Serial, Version};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{limits::GAME_BYTES_MAX, words};
use crate::v1::{self, command::Action as Told};

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
    ($(#[$of_all:meta])* $all:ident; $($(#[$doc:meta])* $action:ident = $word:literal: $data:ty,)*) => {
        $(#[$of_all])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $all {
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
    /// What a client may ask for: the data of each, and what is answered.
    ///
    /// ```text
    /// hello   {name?, token?}                  {player, name, token, server}  a guest gets a token; the same
    ///                                          token is the same player at every frontend
    /// open    {game, options?, public?}        {room}           private unless public; who opens is the host
    /// sit     {room}                           {seat, version}  unauthorized: locked, or removed by the host
    /// stand   {room}                           {seat, version}
    /// play    {room, move}                     {version}
    /// again   {room}                           {version}        agrees to another round; begins it with the last
    /// say     {room, text}                     {version}
    /// remove  {room, player}                   {version}        the host only: that player sits here no more
    /// lock    {room, locked}                   {version}        the host only: nobody new sits down
    /// publish {room, public}                   {version}        the host only: strangers find the room
    /// rooms   {game?, state?, all?, after?, limit?}  {rooms, next, games}
    ///                                          public rooms: unlocked, not over, with somebody there and a seat;
    ///                                          with `all` or a state every public one; and the
    ///                                          games of which rooms can be opened
    /// watch   {room, since?, epoch?}           {room, version, age?}, then views: the player is here while it lasts;
    ///                                          what the view of that version says of times began `age` ms ago
    /// unwatch {room}                           {}
    /// deck    {open}                           {age?}           opened: the nodes are shown, now and whenever they
    ///                                          change; what the first push says of times began `age` ms ago
    /// ping    {}                               {}
    /// ```
    ///
    /// What changes the lobby (`open` to `publish`) may have a `serial`, the player's own counter:
    /// the same serial has one effect, however often it is said.
    Action;

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
    /// The host lets strangers find the room, or nobody any more.
    Publish = "publish": Publish<'a>,
    /// Says a line of chat.
    Say = "say": Say<'a>,
    /// Looks at the nodes from now on, or not any more.
    Deck = "deck": LookBelow,
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

/// A wish to change the lobby, with rooms and players by their numbers.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the actions say it")]
pub enum Wish {
    /// [`Action::Open`].
    Open {
        game: String,
        /// A JSON object, or empty.
        options: String,
        public: bool,
    },
    /// [`Action::Sit`].
    Sit { room: RoomId },
    /// [`Action::Stand`].
    Stand { room: RoomId },
    /// [`Action::Play`].
    Play {
        room: RoomId,
        /// The move as JSON.
        mv: String,
    },
    /// [`Action::Again`].
    Again { room: RoomId },
    /// [`Action::Say`].
    Say { room: RoomId, text: String },
    /// [`Action::Remove`].
    Remove { room: RoomId, whom: PlayerId },
    /// [`Action::Lock`].
    Lock { room: RoomId, locked: bool },
    /// [`Action::Publish`].
    Publish { room: RoomId, public: bool },
    /// Who is where; made by a frontend, never by a player.
    Presence(v1::Presence),
}

/// Why something cannot be wished for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadWish {
    /// No room is called so.
    NoSuchRoom,
    /// The text cannot be shown to others.
    Unfit(hangraft_text::Unfit),
    /// It makes no sense, for this reason.
    Nonsense(&'static str),
}

impl Request<'_> {
    /// The change of the lobby that is asked for, with the player's own counter; none if
    /// something else is asked for. `named` knows the rooms by their names.
    ///
    /// # Errors
    ///
    /// What cannot be wished for.
    pub fn wish(
        self,
        named: impl Fn(&str) -> Option<RoomId>,
    ) -> Result<Option<(Wish, Option<Serial>)>, BadWish> {
        let named = |name: &str| named(name).ok_or(BadWish::NoSuchRoom);
        Ok(Some(match self {
            Request::Open(said) => (open(&said)?, said.serial),
            Request::Sit(said) => (Wish::Sit { room: named(&said.room)? }, said.serial),
            Request::Stand(said) => (Wish::Stand { room: named(&said.room)? }, said.serial),
            Request::Again(said) => (Wish::Again { room: named(&said.room)? }, said.serial),
            Request::Play(said) => {
                let (room, mv) = (named(&said.room)?, said.mv.get().to_owned());
                (Wish::Play { room, mv }, said.serial)
            }
            Request::Remove(said) => {
                let nobody = |NoPlayer| BadWish::Nonsense("remove: no player is called so");
                let (room, whom) = (named(&said.room)?, said.player.parse().map_err(nobody)?);
                (Wish::Remove { room, whom }, said.serial)
            }
            Request::Lock(said) => {
                (Wish::Lock { room: named(&said.room)?, locked: said.locked }, said.serial)
            }
            Request::Publish(said) => {
                (Wish::Publish { room: named(&said.room)?, public: said.public }, said.serial)
            }
            Request::Say(said) => {
                let text = hangraft_text::line(&said.text);
                let (room, text) = (named(&said.room)?, text.map_err(BadWish::Unfit)?);
                (Wish::Say { room, text }, said.serial)
            }
            Request::Hello(_)
            | Request::Rooms(_)
            | Request::Watch(_)
            | Request::Unwatch(_)
            | Request::Deck(_)
            | Request::Ping(_) => return Ok(None),
        }))
    }
}

fn open(said: &Open<'_>) -> Result<Wish, BadWish> {
    if said.game.len() > GAME_BYTES_MAX {
        return Err(BadWish::Nonsense("open: there is no game with such a long name"));
    }
    let options = said.options.map_or("", RawValue::get);
    if !options.is_empty() && !options.starts_with('{') {
        return Err(BadWish::Nonsense("open: options must be an object"));
    }
    let (game, options) = (said.game.clone().into_owned(), options.to_owned());
    Ok(Wish::Open { game, options, public: said.public })
}

impl Wish {
    /// Whether it makes a room.
    pub fn opens(&self) -> bool {
        matches!(self, Wish::Open { .. })
    }

    /// As a node is told it, by a player of that name.
    pub fn told(&self, name: &str) -> Told {
        match self.clone() {
            Wish::Open { game, options, public } => Told::Open(v1::Open { game, options, public }),
            Wish::Sit { room } => Told::Sit(v1::Sit { room: room.0, name: name.to_owned() }),
            Wish::Stand { room } => Told::Stand(v1::Stand { room: room.0 }),
            Wish::Play { room, mv } => Told::Play(v1::Play { room: room.0, r#move: mv }),
            Wish::Again { room } => Told::Again(v1::Again { room: room.0 }),
            Wish::Say { room, text } => {
                Told::Say(v1::Say { room: room.0, name: name.to_owned(), text })
            }
            Wish::Remove { room, whom } => Told::Remove(v1::Remove { room: room.0, whom: whom.0 }),
            Wish::Lock { room, locked } => Told::Lock(v1::Lock { room: room.0, locked }),
            Wish::Publish { room, public } => Told::Publish(v1::Publish { room: room.0, public }),
            Wish::Presence(presence) => Told::Presence(presence),
        }
    }
}

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
