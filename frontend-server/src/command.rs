//! What players wish and what the cluster answers, in this crate's own words.
//!
//! The wire's types stay in [`crate::cluster::convert`]; rules stay in the game.
//! A move passes through here as JSON text that nobody here understands.

use std::{fmt, sync::Arc};

use hangraft_ids::{FrontendId, PlayerId, RoomId, Seat, Version};
use hangraft_proto::socket::Code;

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
