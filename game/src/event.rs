//! Events: what others should hear about a change.
//!
//! Events go to everybody who watches, so they hold nothing that is hidden: a
//! word appears in one only when it was guessed wrong or when the round is over.

use std::fmt::Display;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::ids::{PlayerId, Seat};

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
    /// Someone guessed a letter.
    Guessed {
        /// Whose guess.
        seat: Seat,
        /// Who sits there.
        name: Arc<str>,
        /// The letter.
        letter: char,
        /// In how many places it is; 0 costs a life.
        hits: u8,
    },
    /// Someone tried the whole word.
    TriedWord {
        /// Whose guess.
        seat: Seat,
        /// Who sits there.
        name: Arc<str>,
        /// What was tried.
        word: Arc<str>,
        /// How many hidden places it opened; 0 costs a life.
        hits: u8,
    },
    /// It is this seat's turn to set the word.
    Setter {
        /// Whose.
        seat: Seat,
    },
    /// The setter has chosen; the guessing begins.
    SecretSet {
        /// The setter's.
        seat: Seat,
    },
    /// The word was found.
    Won {
        /// Who found it.
        seat: Seat,
        /// The finder's name.
        name: Arc<str>,
        /// The word, now that it is out.
        answer: Arc<str>,
    },
    /// The last life is gone.
    Lost {
        /// The word, now that it is out.
        answer: Arc<str>,
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
    /// Someone wants another round.
    Agreed {
        /// Whose seat.
        seat: Seat,
    },
    /// Someone took stones from a heap.
    #[cfg(feature = "next")]
    Took {
        /// Whose move.
        seat: Seat,
        /// Who sits there.
        name: Arc<str>,
        /// From which heap, counted from 0.
        heap: u8,
        /// How many.
        take: u8,
        /// How many are left, in all heaps; 0 wins the round.
        left: u32,
    },
    /// The room has left the lobby.
    Closed,
}

/// Events as a JSON array.
pub fn events_json(events: &[Event]) -> String {
    serde_json::to_string(events).expect("events have a JSON form")
}

/// Serializes something the way it prints.
pub(crate) fn as_text<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}
