//! What players ask for, in this crate's own words: from how it is said on the socket to
//! how it is said to a node. What the cluster answers is here, too.
//!
//! Here and nowhere else in this crate each command is known by itself, so that another one
//! changes this file only. Everything else that nodes and sockets say is turned into our
//! words in [`crate::cluster::convert`] and [`crate::reply`]; rules stay in the game.
//! A move passes through here as JSON text that nobody here understands.

use std::{borrow::Cow, fmt, sync::Arc};

use hangraft_cluster_config::RoomNames;
use hangraft_ids::{FrontendId, NoPlayer, PlayerId, RoomId, Seat, Version};
use hangraft_proto::{
    socket::{Code, GAME_BYTES_MAX, InRoom, Open, Ping, Request, Rooms},
    v1,
};
use serde_json::value::RawValue;

/// One numbering of a player's commands: a client session (Raft thesis, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lane(pub(crate) u64);

impl Lane {
    /// The player's own counter. A session that numbers for its player has another lane.
    pub(crate) const OWN: Lane = Lane(0);
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a command in its lane, from 1: its sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Serial(pub(crate) u64);

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A player's wish together with which attempt of theirs it is. The same
/// (player, lane, serial) has one effect however often it is sent, which is what
/// makes every resend in this crate safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) player: PlayerId,
    /// The name to show, for wishes that show one.
    pub(crate) name: Arc<str>,
    pub(crate) lane: Lane,
    pub(crate) serial: Serial,
    pub(crate) wish: Wish,
}

/// A wish to change the lobby.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Open {
        game: String,
        /// A JSON object, or empty.
        options: String,
        /// Strangers may find it.
        public: bool,
    },
    Sit {
        room: RoomId,
    },
    Stand {
        room: RoomId,
    },
    Play {
        room: RoomId,
        /// The move as JSON.
        mv: String,
    },
    Again {
        room: RoomId,
    },
    Say {
        room: RoomId,
        text: String,
    },
    /// The host takes somebody from the table for good.
    Remove {
        room: RoomId,
        whom: PlayerId,
    },
    /// The host lets nobody new sit down, or somebody again.
    Lock {
        room: RoomId,
        locked: bool,
    },
    /// Who is where; made by [`crate::presence`], never by a player.
    Presence(Report),
}

/// What is asked for, with rooms by their numbers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Hello {
        name: Option<String>,
        token: Option<String>,
    },
    Rooms(RoomsQuery),
    Watch {
        room: RoomId,
        since: Option<Version>,
        /// What `since` belongs to; the present epoch when nothing is said.
        epoch: Option<String>,
    },
    Unwatch {
        room: RoomId,
    },
    /// A change of the lobby; with the player's own serial number, if they count.
    Change {
        wish: Wish,
        serial: Option<Serial>,
    },
    Ping,
}

/// A question about the lobby's rooms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct RoomsQuery {
    pub(crate) game: Option<String>,
    pub(crate) state: Option<String>,
    /// Full rooms, locked ones and those where nobody is, too.
    pub(crate) all: bool,
    pub(crate) after: Option<RoomId>,
    pub(crate) limit: Option<u32>,
}

/// A player, and a room that they look at through a live socket.
pub(crate) type Place = (PlayerId, RoomId);

/// A change in who is where at this frontend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) frontend: FrontendId,
    /// Counts this frontend's reports, from 1.
    pub(crate) sequence: u64,
    /// Forget what was known of this frontend first.
    pub(crate) whole: bool,
    pub(crate) came: Vec<Place>,
    pub(crate) went: Vec<Place>,
    /// Of those, who was nowhere before, and who is nowhere any more: all that a
    /// cluster with a member of before can be told.
    pub(crate) arrived: Vec<PlayerId>,
    pub(crate) departed: Vec<PlayerId>,
}

/// The cluster's yes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// The room that changed; 0 for presence.
    pub(crate) room: RoomId,
    pub(crate) version: Version,
    pub(crate) seat: Option<Seat>,
    /// Presence only: the lease had run out, so the whole list is wanted.
    pub(crate) lease_lost: bool,
}

/// A no, with a code that programs read and a message that people read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) message: String,
    /// With `unknown-outcome`: the lobby has forgotten, so asking again under the
    /// same serial gets nothing else.
    pub(crate) forgotten: bool,
}

impl Refusal {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), forgotten: false }
    }
}

impl From<hangraft_text::Unfit> for Refusal {
    fn from(unfit: hangraft_text::Unfit) -> Self {
        let code = if unfit.is_too_long() { Code::TooLarge } else { Code::BadRequest };
        Self::new(code, unfit.to_string())
    }
}

/// What became of a command.
pub(crate) type Outcome = Result<Accepted, Refusal>;

impl Asked {
    /// What a request asks for, if it can be asked for.
    pub(crate) fn of(request: Request<'_>, names: &RoomNames) -> Result<Self, Refusal> {
        let named = |name: &str| names.room(name).ok_or_else(no_such_room);
        let here = |said: InRoom<'_>, wish: fn(RoomId) -> Wish| {
            Ok(change(wish(named(&said.room)?), said.serial))
        };
        match request {
            Request::Hello(said) => {
                let [name, token] = [said.name, said.token].map(|text| text.map(Cow::into_owned));
                Ok(Asked::Hello { name, token })
            }
            Request::Open(said) => open(said),
            Request::Rooms(said) => rooms(said, names),
            Request::Watch(said) => {
                let (room, epoch) = (named(&said.room)?, said.epoch.map(Cow::into_owned));
                Ok(Asked::Watch { room, since: said.since, epoch })
            }
            Request::Unwatch(said) => Ok(Asked::Unwatch { room: named(&said.room)? }),
            Request::Sit(said) => here(said, |room| Wish::Sit { room }),
            Request::Stand(said) => here(said, |room| Wish::Stand { room }),
            Request::Again(said) => here(said, |room| Wish::Again { room }),
            Request::Play(said) => {
                let (room, mv) = (named(&said.room)?, said.mv.get().to_owned());
                Ok(change(Wish::Play { room, mv }, said.serial))
            }
            Request::Remove(said) => {
                let room = named(&said.room)?;
                let nobody = |NoPlayer| nonsense("remove: no player is called so");
                let whom = said.player.parse().map_err(nobody)?;
                Ok(change(Wish::Remove { room, whom }, said.serial))
            }
            Request::Lock(said) => {
                let (room, locked) = (named(&said.room)?, said.locked);
                Ok(change(Wish::Lock { room, locked }, said.serial))
            }
            Request::Say(said) => {
                let (room, text) = (named(&said.room)?, hangraft_text::line(&said.text)?);
                Ok(change(Wish::Say { room, text }, said.serial))
            }
            Request::Ping(Ping {}) => Ok(Asked::Ping),
        }
    }
}

fn change(wish: Wish, serial: Option<u64>) -> Asked {
    Asked::Change { wish, serial: serial.map(Serial) }
}

/// The answer to a name that is no room's, in the words of a node that knows no
/// such room: who guesses names learns nothing from the difference.
fn no_such_room() -> Refusal {
    Refusal::new(Code::NoSuchRoom, "there is no such room")
}

/// The answer to what makes no sense.
pub(crate) fn nonsense(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::BadRequest, message)
}

fn open(said: Open<'_>) -> Result<Asked, Refusal> {
    if said.game.len() > GAME_BYTES_MAX {
        return Err(nonsense("open: there is no game with such a long name"));
    }
    let options = said.options.map_or("", RawValue::get);
    if !options.is_empty() && !options.starts_with('{') {
        return Err(nonsense("open: options must be an object"));
    }
    let game = said.game.into_owned();
    let wish = Wish::Open { game, options: options.to_owned(), public: said.public };
    Ok(change(wish, said.serial))
}

fn rooms(said: Rooms<'_>, names: &RoomNames) -> Result<Asked, Refusal> {
    let Rooms { game, state, all, after, limit } = said;
    let long =
        |text: &Option<Cow<'_, str>>| text.as_ref().is_some_and(|text| text.len() > GAME_BYTES_MAX);
    if long(&game) || long(&state) {
        return Err(nonsense("rooms: no game or state has such a long name"));
    }
    let after = after.map(|name| names.room(&name).ok_or_else(no_such_room)).transpose()?;
    let [game, state] = [game, state].map(|text| text.map(Cow::into_owned));
    Ok(Asked::Rooms(RoomsQuery { game, state, all, after, limit }))
}

impl Wish {
    /// As it is said to a node, by a player of that name.
    pub(crate) fn to_wire(&self, name: &str) -> v1::command::Action {
        use v1::command::Action;
        match self.clone() {
            Wish::Open { game, options, public } => {
                Action::Open(v1::Open { game, options, public })
            }
            Wish::Sit { room } => Action::Sit(v1::Sit { room: room.0, name: name.to_owned() }),
            Wish::Stand { room } => Action::Stand(v1::Stand { room: room.0 }),
            Wish::Play { room, mv } => Action::Play(v1::Play { room: room.0, r#move: mv }),
            Wish::Again { room } => Action::Again(v1::Again { room: room.0 }),
            Wish::Say { room, text } => {
                Action::Say(v1::Say { room: room.0, name: name.to_owned(), text })
            }
            Wish::Remove { room, whom } => {
                Action::Remove(v1::Remove { room: room.0, whom: whom.0 })
            }
            Wish::Lock { room, locked } => Action::Lock(v1::Lock { room: room.0, locked }),
            Wish::Presence(report) => Action::Presence(report.into_wire()),
        }
    }
}

impl Report {
    /// As it is said to a node.
    fn into_wire(self) -> v1::Presence {
        let numbers = |players: Vec<PlayerId>| players.into_iter().map(|player| player.0).collect();
        let places = |places: Vec<Place>| {
            let place = |(player, room): Place| v1::Place { player: player.0, room: room.0 };
            places.into_iter().map(place).collect()
        };
        v1::Presence {
            frontend: self.frontend.0,
            sequence: self.sequence,
            whole: self.whole,
            arrived: numbers(self.arrived),
            departed: numbers(self.departed),
            by_room: true,
            came: places(self.came),
            went: places(self.went),
        }
    }
}
