//! Answers: the yes and the polite no.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use hangraft_ids::{OfferId, RoomId, Seat, Serial, Version};

/// What a player hears. Remembered per attempt, so that asking again gets the
/// first answer.
pub type Answer = Result<Reply, Rejection>;

/// The yes. New kinds are added at the end: snapshots hold replies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// The room is open.
    Opened {
        /// The new room.
        room: RoomId,
        /// Its first version.
        version: Version,
    },
    /// The player has a seat.
    Seated {
        /// Where.
        room: RoomId,
        /// Which seat.
        seat: Seat,
        /// The version this made.
        version: Version,
    },
    /// The player has left the table.
    Stood {
        /// Where.
        room: RoomId,
        /// The seat that is free now.
        seat: Seat,
        /// The version this made.
        version: Version,
    },
    /// A move, a new round or something said.
    Accepted {
        /// Where.
        room: RoomId,
        /// The version this made.
        version: Version,
    },
    /// Presence was heard.
    Present {
        /// The frontend's lease had run out: nothing was changed, and it
        /// should send its whole list.
        lease_lost: bool,
    },
    /// The offer stands, or has led to a game already.
    Offered {
        /// Which.
        offer: OfferId,
        /// Where the game is, when somebody plays at once.
        room: Option<RoomId>,
    },
    /// What was asked for is done, and there is nothing to say of it.
    Done,
}

impl Reply {
    /// The room concerned, if there is one.
    pub fn room(&self) -> Option<RoomId> {
        match self {
            Reply::Opened { room, .. }
            | Reply::Seated { room, .. }
            | Reply::Stood { room, .. }
            | Reply::Accepted { room, .. } => Some(*room),
            Reply::Offered { room, .. } => *room,
            Reply::Present { .. } | Reply::Done => None,
        }
    }

    /// The offer concerned, if there is one.
    pub fn offer(&self) -> Option<OfferId> {
        match self {
            Reply::Offered { offer, .. } => Some(*offer),
            _ => None,
        }
    }

    /// The version the command made, if it concerned a room.
    pub fn version(&self) -> Option<Version> {
        match self {
            Reply::Opened { version, .. }
            | Reply::Seated { version, .. }
            | Reply::Stood { version, .. }
            | Reply::Accepted { version, .. } => Some(*version),
            Reply::Present { .. } | Reply::Offered { .. } | Reply::Done => None,
        }
    }

    /// The seat taken or left, if the command was about one.
    pub fn seat(&self) -> Option<Seat> {
        match self {
            Reply::Seated { seat, .. } | Reply::Stood { seat, .. } => Some(*seat),
            Reply::Opened { .. }
            | Reply::Accepted { .. }
            | Reply::Present { .. }
            | Reply::Offered { .. }
            | Reply::Done => None,
        }
    }
}

/// The polite no, in words for the player. It never quotes a hidden word, and no
/// room's number: players know rooms by name. New
/// kinds are added at the end: snapshots hold rejections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Rejection {
    /// There is no such room, or not any more.
    #[error("there is no such room")]
    NoSuchRoom(RoomId),
    /// The command needs a seat.
    #[error("you have no seat in this room")]
    NotSeated(RoomId),
    /// Every seat is taken.
    #[error("every seat in this room is taken")]
    RoomFull(RoomId),
    /// Someone else is to do this.
    #[error("{0}")]
    NotYourTurn(Cow<'static, str>),
    /// The move makes no sense here.
    #[error("{0}")]
    IllegalMove(Cow<'static, str>),
    /// The round is over.
    #[error("this round is over; ask for another one")]
    GameOver,
    /// The command itself is wrong.
    #[error("{0}")]
    BadRequest(Cow<'static, str>),
    /// Something is longer than it may be.
    #[error("{0}")]
    TooLarge(Cow<'static, str>),
    /// The player does this too often.
    #[error("{0}")]
    TooFast(Cow<'static, str>),
    /// There is no room left for anybody. The only rejection that is not
    /// remembered: nothing was done, and the same attempt may come again.
    #[error("the lobby is full; try again later")]
    Busy,
    /// An attempt so old that its answer is forgotten.
    #[error(
        "attempt {serial} was answered too long ago to say how; asking again cannot settle it, \
         so look at the room"
    )]
    ForgottenAttempt {
        /// Its serial number.
        serial: Serial,
    },
    /// Somebody else decides this.
    #[error("{0}")]
    Unauthorized(Cow<'static, str>),
    /// There is no such offer, or not any more.
    #[error("this offer does not stand any more")]
    NoSuchOffer(OfferId),
}

impl Rejection {
    /// Which of the closed list this is.
    pub fn code(&self) -> Code {
        match self {
            Rejection::NoSuchRoom(_) => Code::NoSuchRoom,
            Rejection::NotSeated(_) => Code::NotSeated,
            Rejection::RoomFull(_) => Code::RoomFull,
            Rejection::NotYourTurn(_) => Code::NotYourTurn,
            Rejection::IllegalMove(_) => Code::IllegalMove,
            Rejection::GameOver => Code::GameOver,
            Rejection::BadRequest(_) => Code::BadRequest,
            Rejection::TooLarge(_) => Code::TooLarge,
            Rejection::TooFast(_) => Code::TooFast,
            Rejection::Busy => Code::Busy,
            Rejection::ForgottenAttempt { .. } => Code::UnknownOutcome,
            Rejection::Unauthorized(_) => Code::Unauthorized,
            Rejection::NoSuchOffer(_) => Code::NoSuchOffer,
        }
    }

    pub(crate) fn not_your_turn(text: impl Into<Cow<'static, str>>) -> Rejection {
        Rejection::NotYourTurn(text.into())
    }

    pub(crate) fn illegal(text: impl Into<Cow<'static, str>>) -> Rejection {
        Rejection::IllegalMove(text.into())
    }

    pub(crate) fn bad_request(text: impl Into<Cow<'static, str>>) -> Rejection {
        Rejection::BadRequest(text.into())
    }

    pub(crate) fn too_large(text: impl Into<Cow<'static, str>>) -> Rejection {
        Rejection::TooLarge(text.into())
    }

    pub(crate) fn unauthorized(text: impl Into<Cow<'static, str>>) -> Rejection {
        Rejection::Unauthorized(text.into())
    }

    pub(crate) fn too_fast(text: impl Into<Cow<'static, str>>) -> Rejection {
        Rejection::TooFast(text.into())
    }
}

/// The closed list of refusals the lobby can give. The wire knows two more
/// that the lobby never says: `no-quorum`, and an `unknown-outcome` after a timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// There is no such room.
    NoSuchRoom,
    /// The command needs a seat.
    NotSeated,
    /// Every seat is taken.
    RoomFull,
    /// Someone else is to do this.
    NotYourTurn,
    /// The move makes no sense here.
    IllegalMove,
    /// The round is over.
    GameOver,
    /// The command is wrong.
    BadRequest,
    /// Something is too long.
    TooLarge,
    /// The player does this too often.
    TooFast,
    /// The lobby is full; nothing was done.
    Busy,
    /// It may or may not have had an effect.
    UnknownOutcome,
    /// Somebody else decides this.
    Unauthorized,
    /// There is no such offer.
    NoSuchOffer,
}

impl Code {
    /// The code as players' programs know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::NoSuchRoom => "no-such-room",
            Code::NotSeated => "not-seated",
            Code::RoomFull => "room-full",
            Code::NotYourTurn => "not-your-turn",
            Code::IllegalMove => "illegal-move",
            Code::GameOver => "game-over",
            Code::BadRequest => "bad-request",
            Code::TooLarge => "too-large",
            Code::TooFast => "too-fast",
            Code::Busy => "busy",
            Code::UnknownOutcome => "unknown-outcome",
            Code::Unauthorized => "unauthorized",
            Code::NoSuchOffer => "no-such-offer",
        }
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
