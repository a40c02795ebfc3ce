//! Events: what others should hear about a change.
//!
//! Events go to everybody who watches, so they hold nothing that is hidden.

use std::sync::Arc;

use serde::Serialize;

use crate::json::as_text;
use crate::rules::BoardEvent;
use hangraft_ids::{PlayerId, Seat};

/// One thing that happened in a room. As JSON: an object with its `kind`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The room was opened.
    Opened,
    /// Someone took a seat, or changed the name shown at it.
    Sat {
        /// Where.
        seat: Seat,
        /// Who.
        name: Arc<str>,
    },
    /// Someone left the table.
    Stood {
        /// The seat that is free now.
        seat: Seat,
        /// Who.
        name: Arc<str>,
    },
    /// A new round began.
    Again {
        /// Which, from 1.
        round: u32,
    },
    /// Someone said something.
    Said {
        /// Who.
        #[serde(serialize_with = "as_text")]
        player: PlayerId,
        /// Under which name.
        name: Arc<str>,
        /// What.
        text: Arc<str>,
    },
    /// A seated player came or went.
    Online {
        /// Whose seat.
        seat: Seat,
        /// Whether the player is there now.
        online: bool,
    },
    /// A seated player has not been here for so long that their seat may be taken.
    SeatFree {
        /// Whose seat.
        seat: Seat,
    },
    /// The host has removed someone, who may not sit here any more.
    Removed {
        /// The seat that is free now; none if they had none.
        seat: Option<Seat>,
        /// Who.
        #[serde(serialize_with = "as_text")]
        player: PlayerId,
        /// Under which name.
        name: Arc<str>,
    },
    /// The host has locked the room, or opened it again.
    Locked {
        /// Nobody new sits down from now on.
        locked: bool,
    },
    /// The host has opened the room to strangers, or closed it to them.
    Published {
        /// Strangers find it from now on.
        public: bool,
    },
    /// Someone wants another round.
    Agreed {
        /// Whose seat.
        seat: Seat,
    },
    /// One of the two in a match has offered a draw.
    DrawOffered {
        /// Whose seat.
        seat: Seat,
    },
    /// The other does not want it.
    DrawDeclined {
        /// The seat of who has declined.
        seat: Seat,
    },
    /// The room has left the lobby.
    Closed,
    /// Something that only the rules of the room's game know.
    #[serde(untagged)]
    Game(GameEvent),
}

/// What happened in a game, in the words of its rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct GameEvent(pub(crate) BoardEvent);

/// Events as a JSON array.
pub fn events_json(events: &[Event]) -> String {
    serde_json::to_string(events).expect("events have a JSON form")
}
