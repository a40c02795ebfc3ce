//! What changes the lobby, with rooms and players by their numbers, and how a node is
//! told of it.

use hangraft_ids::{NoPlayer, PlayerId, RoomId, Serial};
use serde_json::value::RawValue;

use super::action::Request;
use super::said::Open;
use crate::socket::limits::GAME_BYTES_MAX;
use crate::v1::{self, command::Action as Told};

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
