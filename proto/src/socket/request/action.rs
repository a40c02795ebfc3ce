//! The actions, what is said with each, and how it is written and read.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::said::*;

/// What a client calls its request: a JSON number or string, echoed as it came.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId<'a>(#[serde(borrow)] pub(in crate::socket) &'a RawValue);

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
            pub(in crate::socket) fn read(action: Action, data: &'a str) -> serde_json::Result<Self> {
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
    /// hello   {name?, token?, steps?}          {player, name, token, server}  a guest gets a token; the same
    ///                                          token is the same player at every frontend; with `steps`
    ///                                          rooms are told in steps on this socket
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
    /// history {room}                           {version, lines} what was said last, as of that version of the room
    /// deck    {open}                           {age?}           opened: the nodes are shown, now and whenever they
    ///                                          change; what the first push says of times began `age` ms ago
    /// ping    {}                               {}
    ///
    /// seek    {game, options?, clock?, rated?, within?, bot_after_ms?}  {offer, room?}  wants a game of two: the room is
    ///                                          there if somebody fits; otherwise a notice comes
    /// challenge {player?, game, options?, clock?, rated?}  {offer, room?}  asks that player; without one, whoever has the
    ///                                          offer's name; a bot plays at once
    /// accept  {offer}                          {offer, room}    takes a seek, or accepts a challenge
    /// decline {offer}                          {}               who was challenged
    /// withdraw {offer}                         {}               whose offer it is
    /// resign  {room}                           {version}        gives up the round of a match
    /// draw    {room, agreed?}                  {version}        offers a draw or agrees to it; `agreed: false` declines
    /// claim   {room, win}                      {version}        the other has been gone for long: the win, or a draw
    /// rematch {room}                           {version}        as `again`
    /// notices {since?, epoch?}                 {number}, then notices: those after `since`, and all that come, each once
    ///                                          and in order; the number is that of the newest
    /// lobby   {open}                           {}               opened: the open seeks, now and whenever they change
    /// live    {open}                           {}               opened: the numbers, likewise
    /// ladder  {game, week?}                    {names}          the best at a game
    /// card    {player}                         {name, games}    what there is to know of a player
    /// offer   {offer}                          {offer, kind, player, name, game, ...}  an offer that stands
    /// ```
    ///
    /// What changes the lobby (`open` to `publish`, `seek` to `rematch`) may have a `serial`,
    /// the player's own counter: the same serial has one effect, however often it is said.
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
    /// Asks what was said last in a room.
    History = "history": InRoom<'a>,
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
    Deck = "deck": Look,
    /// Asks whether somebody is there.
    Ping = "ping": Ping,
    /// Wants to play with somebody: whoever seeks the same and fits, or whoever comes.
    Seek = "seek": Seek<'a>,
    /// Asks somebody for a game.
    Challenge = "challenge": Challenge<'a>,
    /// Takes an open seek, or accepts a challenge.
    Accept = "accept": OfOffer<'a>,
    /// Does not want to play with who asks.
    Decline = "decline": OfOffer<'a>,
    /// Takes one's own offer back.
    Withdraw = "withdraw": OfOffer<'a>,
    /// Gives up the round of a match.
    Resign = "resign": InRoom<'a>,
    /// Offers a draw, agrees to one or declines it.
    Draw = "draw": Draw<'a>,
    /// Ends a match whose other player has been gone for long.
    Claim = "claim": Claim<'a>,
    /// Agrees to another round of a match.
    Rematch = "rematch": InRoom<'a>,
    /// Hears from now on what one is told.
    Notices = "notices": Notices<'a>,
    /// Looks at the open seeks from now on, or not any more.
    Lobby = "lobby": Look,
    /// Looks at the numbers from now on, or not any more.
    Live = "live": Look,
    /// Asks who are the best at a game.
    Ladder = "ladder": BestAt<'a>,
    /// Asks what there is to know of a player.
    Card = "card": CardOf,
    /// Asks what an offer is.
    Offer = "offer": OfOffer<'a>,
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
pub(in crate::socket) fn object<'a, T: Deserialize<'a>>(json: &'a str) -> serde_json::Result<T> {
    if json.trim_start().starts_with('{') {
        serde_json::from_str(json)
    } else {
        Err(serde::de::Error::custom("not an object"))
    }
}
