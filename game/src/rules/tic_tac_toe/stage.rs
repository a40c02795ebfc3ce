//! How far a round is, and how it ended.

use serde::{Deserialize, Serialize};

use crate::rules::duel::Conceded;
use crate::rules::phase::{Outcome, Phase};
use crate::table::Who;

/// How far the round is. Stored: grows at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    /// A seat is free.
    Waiting,
    Playing,
    Won {
        by: Who,
        over: Who,
        how: How,
    },
    /// Nobody has won: the board is full, or the two have agreed upon it.
    Draw,
    /// It was left before both had moved.
    Abandoned,
}

/// How a round was won. Stored: grows at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum How {
    /// By three in a line.
    Line,
    /// The other's time ran out.
    Clock,
    /// The other has left the table.
    Left,
    /// The other has given up.
    Resigned,
    /// The other was gone for so long that the win was claimed.
    Claimed,
}

impl Stage {
    pub(super) fn phase(self) -> Phase {
        match self {
            Stage::Waiting => Phase::Waiting,
            Stage::Playing => Phase::Playing,
            Stage::Won { by, .. } => Phase::Over(Outcome::Seats(by.seat.into())),
            Stage::Draw => Phase::Over(Outcome::Draw),
            Stage::Abandoned => Phase::Over(Outcome::Abandoned),
        }
    }
}

impl How {
    /// As events and views call it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            How::Line => "line",
            How::Clock => Conceded::Clock.as_str(),
            How::Left => Conceded::Left.as_str(),
            How::Resigned => Conceded::Resigned.as_str(),
            How::Claimed => Conceded::Claimed.as_str(),
        }
    }
}

impl From<Conceded> for How {
    fn from(how: Conceded) -> How {
        match how {
            Conceded::Resigned => How::Resigned,
            Conceded::Clock => How::Clock,
            Conceded::Left => How::Left,
            Conceded::Claimed => How::Claimed,
        }
    }
}
