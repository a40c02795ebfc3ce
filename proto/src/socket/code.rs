//! The closed lists of words by which a client is told no, goodbye, and what a notice is about.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::words;
use crate::v1;

/// It is no word of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotListed;

/// Declares a closed list of words.
macro_rules! closed_list {
    (
        $(#[$doc:meta])* $name:ident, unknown: $unknown:ident;
        $($(#[$each:meta])* $variant:ident = $word:literal,)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$each])* $variant,)*
        }

        impl $name {
            /// All of them, each in its place.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As written on the socket.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = NotListed;

            fn from_str(word: &str) -> Result<Self, NotListed> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word).ok_or(NotListed)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                words::listed(deserializer, Self::$unknown)
            }
        }
    };
}

closed_list! {
    /// The closed list of refusals, the same on the socket and between processes. One that
    /// this build does not know is read as [`Code::BadRequest`]: somebody newer has said
    /// it, asking again gets the same, and the message says what is wrong.
    Code, unknown: BadRequest;
    /// It never was, or is over and forgotten.
    NoSuchRoom = "no-such-room",
    /// Only those at the table may.
    NotSeated = "not-seated",
    /// All seats are taken.
    RoomFull = "room-full",
    /// Somebody else is to move.
    NotYourTurn = "not-your-turn",
    /// The rules do not allow it now.
    IllegalMove = "illegal-move",
    /// The round is over.
    GameOver = "game-over",
    /// It makes no sense.
    BadRequest = "bad-request",
    /// It is longer than it may be.
    TooLarge = "too-large",
    /// Nothing was done; slow down.
    TooFast = "too-fast",
    /// Nothing was done; try again.
    Busy = "busy",
    /// No leader with a majority was found; the same serial may be sent again.
    NoQuorum = "no-quorum",
    /// Who asks may not.
    Unauthorized = "unauthorized",
    /// It may or may not take effect; the same serial sent again settles it.
    UnknownOutcome = "unknown-outcome",
    /// The offer never stood, or does not any more.
    NoSuchOffer = "no-such-offer",
}

closed_list! {
    /// Why a server closes a socket. One that this build does not know is read as
    /// [`ByeCode::Restarting`]: the client comes back.
    ByeCode, unknown: Restarting;
    /// Nothing was heard of the client for too long.
    Idle = "idle",
    /// The client did not say hello in time.
    NoHello = "no-hello",
    /// There is no place for this client.
    Full = "full",
    /// A frame was too large.
    TooLarge = "too-large",
    /// A frame was none.
    BadFrame = "bad-frame",
    /// Too much that makes no sense, or far too much of anything.
    Abuse = "abuse",
    /// The client does not take what is sent to it.
    Slow = "slow",
    /// The frontend stops, and comes back.
    Restarting = "restarting",
    /// The frontend stops soon: go on at another one. The only one after which the
    /// socket is good for a while.
    Moving = "moving",
}

closed_list! {
    /// What a notice is about. One that this build does not know is read as
    /// [`NoticeKind::Other`]: it has a number all the same.
    #[derive(Default)]
    NoticeKind, unknown: Other;
    /// An offer of theirs, or one that they took, has become a game.
    Matched = "matched",
    /// An offer of theirs has ended without a game.
    Unmatched = "unmatched",
    /// Somebody asks them for a game.
    Challenged = "challenged",
    /// A challenge to them does not stand any more.
    Unchallenged = "unchallenged",
    /// It is their turn in a match that they do not look at.
    Turn = "turn",
    /// The other one wants to play again, in a room that they do not look at.
    Rematch = "rematch",
    /// A match that they do not look at has ended.
    Over = "over",
    /// Something newer than whoever reads or passes it on.
    #[default]
    Other = "other",
}

impl From<v1::Code> for Code {
    fn from(code: v1::Code) -> Self {
        match code {
            // What is not known between processes, either, is read in the same way.
            v1::Code::Unspecified | v1::Code::BadRequest => Self::BadRequest,
            v1::Code::NoSuchRoom => Self::NoSuchRoom,
            v1::Code::NotSeated => Self::NotSeated,
            v1::Code::RoomFull => Self::RoomFull,
            v1::Code::NotYourTurn => Self::NotYourTurn,
            v1::Code::IllegalMove => Self::IllegalMove,
            v1::Code::GameOver => Self::GameOver,
            v1::Code::TooLarge => Self::TooLarge,
            v1::Code::TooFast => Self::TooFast,
            v1::Code::Busy => Self::Busy,
            v1::Code::NoQuorum => Self::NoQuorum,
            v1::Code::Unauthorized => Self::Unauthorized,
            v1::Code::UnknownOutcome => Self::UnknownOutcome,
            v1::Code::NoSuchOffer => Self::NoSuchOffer,
        }
    }
}

impl From<Code> for v1::Code {
    fn from(code: Code) -> Self {
        match code {
            Code::NoSuchRoom => Self::NoSuchRoom,
            Code::NotSeated => Self::NotSeated,
            Code::RoomFull => Self::RoomFull,
            Code::NotYourTurn => Self::NotYourTurn,
            Code::IllegalMove => Self::IllegalMove,
            Code::GameOver => Self::GameOver,
            Code::BadRequest => Self::BadRequest,
            Code::TooLarge => Self::TooLarge,
            Code::TooFast => Self::TooFast,
            Code::Busy => Self::Busy,
            Code::NoQuorum => Self::NoQuorum,
            Code::Unauthorized => Self::Unauthorized,
            Code::UnknownOutcome => Self::UnknownOutcome,
            Code::NoSuchOffer => Self::NoSuchOffer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list of all codes has each in its place; what is counted by code relies on it.
    #[test]
    fn every_code_is_in_its_place() {
        assert!(Code::ALL.iter().enumerate().all(|(place, code)| *code as usize == place));
        assert!(ByeCode::ALL.iter().enumerate().all(|(place, code)| *code as usize == place));
        assert!(NoticeKind::ALL.iter().enumerate().all(|(place, kind)| *kind as usize == place));
    }

    /// Between processes each code is the one of the same name, and none is missing.
    #[test]
    fn a_code_is_the_same_everywhere() {
        for code in Code::ALL {
            let between = v1::Code::from(*code);
            let name = format!("CODE_{}", code.as_str().replace('-', "_").to_uppercase());
            assert_eq!(between.as_str_name(), name);
            assert_eq!(Code::from(between), *code);
            assert_eq!(code.as_str().parse(), Ok(*code));
        }
        let known = (1..).map_while(|code| v1::Code::try_from(code).ok());
        assert_eq!(known.count(), Code::ALL.len());
    }

    /// A newer program's word does not break an older one.
    #[test]
    fn an_unknown_word_is_read_as_one_that_is_known() {
        assert_eq!(serde_json::from_str::<Code>(r#""too-late""#).unwrap(), Code::BadRequest);
        assert_eq!(serde_json::from_str::<ByeCode>(r#""so-long""#).unwrap(), ByeCode::Restarting);
        assert_eq!(serde_json::from_str::<NoticeKind>(r#""poked""#).unwrap(), NoticeKind::Other);
        assert_eq!("too-late".parse::<Code>(), Err(NotListed));
    }
}
