//! What players ask for, and what the cluster answers.
//!
//! What changes the lobby is a [`Wish`]: the contract says what may be wished and how a node
//! is told, and nothing in this crate takes a wish apart. What else nodes and sockets say is
//! turned into our words in [`crate::cluster::convert`] and [`crate::reply`].

use std::{borrow::Cow, sync::Arc};

use hangraft_cluster_config::RoomNames;
use hangraft_ids::{
    FrontendId, Lane, NoticeNumber, OfferId, PlayerId, RoomId, Seat, Serial, Version,
};
use hangraft_proto::{
    socket::{BadWish, BestAt, CardOf, Code, GAME_BYTES_MAX, Names, Request, Rooms, Wish},
    v1,
};

/// A player's wish together with which attempt of theirs it is. The same
/// (player, lane, serial) has one effect however often it is sent, which is what
/// makes every resend in this crate safe.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Command {
    pub(crate) player: PlayerId,
    /// The name to show, for wishes that show one.
    pub(crate) name: Arc<str>,
    pub(crate) lane: Lane,
    pub(crate) serial: Serial,
    pub(crate) wish: Wish,
}

/// What is asked for, with rooms by their numbers.
#[derive(Debug, PartialEq)]
pub(crate) enum Asked {
    Hello {
        name: Option<String>,
        token: Option<String>,
        /// Rooms are to be told in steps.
        steps: bool,
    },
    /// Something that a node looks up.
    LookUp(Question),
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
    /// To hear what one is told.
    Notices {
        since: Option<NoticeNumber>,
        /// What `since` belongs to; the present epoch when nothing is said.
        epoch: Option<String>,
    },
    /// To see something from now on, or not any more.
    Look {
        sight: Sight,
        open: bool,
    },
    Ping,
}

/// Something that is shown for as long as somebody looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sight {
    /// The nodes.
    Deck,
    /// The open seeks.
    Lobby,
    /// The numbers.
    Live,
}

/// Something that a node looks up, the same for everybody who asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Question {
    /// Which rooms there are.
    Rooms(RoomsQuery),
    /// Who are the best at a game.
    Ladder {
        game: String,
        /// Of this week; otherwise of all time.
        week: bool,
    },
    /// What there is to know of a player.
    Card(PlayerId),
    /// An offer that stands.
    Offer(OfferId),
    /// What was said last in a room.
    History(RoomId),
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
    /// The offer that was made or taken; then the room is 0 while nobody plays.
    pub(crate) offer: OfferId,
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
        let look = |sight, open| Ok(Asked::Look { sight, open });
        match request {
            Request::Hello(said) => {
                let [name, token] = [said.name, said.token].map(|text| text.map(Cow::into_owned));
                Ok(Asked::Hello { name, token, steps: said.steps })
            }
            Request::Rooms(said) => rooms(said, names),
            Request::Watch(said) => {
                let room = named(&said.room)?;
                let epoch = said.epoch.map(Cow::into_owned);
                Ok(Asked::Watch { room, since: said.since, epoch })
            }
            Request::History(said) => Ok(Asked::LookUp(Question::History(named(&said.room)?))),
            Request::Unwatch(said) => Ok(Asked::Unwatch { room: named(&said.room)? }),
            Request::Notices(said) => {
                Ok(Asked::Notices { since: said.since, epoch: said.epoch.map(Cow::into_owned) })
            }
            Request::Deck(said) => look(Sight::Deck, said.open),
            Request::Lobby(said) => look(Sight::Lobby, said.open),
            Request::Live(said) => look(Sight::Live, said.open),
            Request::Ladder(said) => ladder(said),
            Request::Card(CardOf { player }) => Ok(Asked::LookUp(Question::Card(player))),
            Request::Offer(said) => {
                let offer = names.offer(&said.offer).ok_or_else(no_such_offer)?;
                Ok(Asked::LookUp(Question::Offer(offer)))
            }
            Request::Ping(_) => Ok(Asked::Ping),
            change => match change.wish(&Named(names))? {
                Some((wish, serial)) => Ok(Asked::Change { wish, serial }),
                None => Err(nonsense("there is no such action here")),
            },
        }
    }
}

impl From<BadWish> for Refusal {
    fn from(bad: BadWish) -> Self {
        match bad {
            BadWish::NoSuchRoom => no_such_room(),
            BadWish::NoSuchOffer => no_such_offer(),
            BadWish::Unfit(unfit) => unfit.into(),
            BadWish::Nonsense(why) => nonsense(why),
        }
    }
}

/// The names that the cluster's frontends give.
struct Named<'a>(&'a RoomNames);

impl Names for Named<'_> {
    fn room(&self, name: &str) -> Option<RoomId> {
        self.0.room(name)
    }

    fn offer(&self, name: &str) -> Option<OfferId> {
        self.0.offer(name)
    }
}

/// The answer to a name that is no room's, in the words of a node that knows no
/// such room: who guesses names learns nothing from the difference.
pub(crate) fn no_such_room() -> Refusal {
    Refusal::new(Code::NoSuchRoom, "there is no such room")
}

/// The same for offers.
pub(crate) fn no_such_offer() -> Refusal {
    Refusal::new(Code::NoSuchOffer, "there is no such offer, or not any more")
}

/// The answer to what makes no sense.
pub(crate) fn nonsense(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::BadRequest, message)
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
    Ok(Asked::LookUp(Question::Rooms(RoomsQuery { game, state, all, after, limit })))
}

fn ladder(BestAt { game, week }: BestAt<'_>) -> Result<Asked, Refusal> {
    if game.len() > GAME_BYTES_MAX {
        return Err(nonsense("ladder: no game has such a long name"));
    }
    Ok(Asked::LookUp(Question::Ladder { game: game.into_owned(), week }))
}

impl Report {
    /// As it is said to a node.
    pub(crate) fn into_wire(self) -> v1::Presence {
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
