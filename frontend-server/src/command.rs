//! What players wish and what the cluster answers, in this crate's own words.
//!
//! The wire's types stay in [`crate::cluster::convert`]; rules stay in the game.
//! A move passes through here as JSON text that nobody here understands.

use std::{fmt, str::FromStr, sync::Arc};

/// A player, for as long as they keep their token. Written `p0123456789abcdef`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PlayerId(pub(crate) u64);

impl fmt::Display for PlayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{:016x}", self.0)
    }
}

impl FromStr for PlayerId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.strip_prefix('p').filter(|digits| digits.len() == 16).ok_or(())?;
        let plain = digits.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        let number = u64::from_str_radix(digits, 16).map_err(|_| ())?;
        if plain { Ok(Self(number)) } else { Err(()) }
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
    /// 0 is the player's own counter; a session that numbers for them has its own.
    pub(crate) lane: u64,
    pub(crate) serial: u64,
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
        room: u64,
    },
    Stand {
        room: u64,
    },
    Play {
        room: u64,
        /// The move as JSON.
        mv: String,
    },
    Again {
        room: u64,
    },
    Say {
        room: u64,
        text: String,
    },
    /// The host takes somebody from the table for good.
    Remove {
        room: u64,
        whom: PlayerId,
    },
    /// The host lets nobody new sit down, or somebody again.
    Lock {
        room: u64,
        locked: bool,
    },
    /// Who is where; made by [`crate::presence`], never by a player.
    Presence(Report),
}

/// A player, and a room that they look at through a live socket.
pub(crate) type Place = (PlayerId, u64);

/// A change in who is where at this frontend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// A random number of this process.
    pub(crate) frontend: u64,
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
    pub(crate) room: u64,
    pub(crate) version: u64,
    pub(crate) seat: Option<u32>,
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

/// The closed list of refusals, the same on the socket and between processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Code {
    NoSuchRoom,
    NotSeated,
    RoomFull,
    NotYourTurn,
    IllegalMove,
    GameOver,
    BadRequest,
    TooLarge,
    TooFast,
    Busy,
    NoQuorum,
    Unauthorized,
    UnknownOutcome,
}

impl Code {
    pub(crate) const ALL: [Self; 13] = [
        Self::NoSuchRoom,
        Self::NotSeated,
        Self::RoomFull,
        Self::NotYourTurn,
        Self::IllegalMove,
        Self::GameOver,
        Self::BadRequest,
        Self::TooLarge,
        Self::TooFast,
        Self::Busy,
        Self::NoQuorum,
        Self::Unauthorized,
        Self::UnknownOutcome,
    ];

    /// As written on the socket.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NoSuchRoom => "no-such-room",
            Self::NotSeated => "not-seated",
            Self::RoomFull => "room-full",
            Self::NotYourTurn => "not-your-turn",
            Self::IllegalMove => "illegal-move",
            Self::GameOver => "game-over",
            Self::BadRequest => "bad-request",
            Self::TooLarge => "too-large",
            Self::TooFast => "too-fast",
            Self::Busy => "busy",
            Self::NoQuorum => "no-quorum",
            Self::Unauthorized => "unauthorized",
            Self::UnknownOutcome => "unknown-outcome",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list of all codes has each in its place; what is counted by code relies on it.
    #[test]
    fn every_code_is_in_its_place() {
        assert!(Code::ALL.iter().enumerate().all(|(place, code)| *code as usize == place));
        assert_eq!(Code::ALL.last(), Some(&Code::UnknownOutcome), "the last of the enum");
    }

    /// A player's id reads back as it was written, and in no other spelling.
    #[test]
    fn a_player_has_one_spelling() {
        let player = PlayerId(0x0123_4567_89ab_cdef);
        assert_eq!(player.to_string(), "p0123456789abcdef");
        assert_eq!("p0123456789abcdef".parse(), Ok(player));
        for wrong in ["", "p", "p0123456789abcde", "p0123456789ABCDEF", "p+123456789abcdef", "pé"]
        {
            assert_eq!(wrong.parse::<PlayerId>(), Err(()), "{wrong}");
        }
    }
}
