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

#[cfg(test)]
mod tests {
    use hangraft_ids::{PlayerId, Seat};

    use super::*;

    /// Snapshots hold stages: what is new stands behind what is old.
    #[test]
    fn stages_are_stored_by_their_place() {
        let [by, over] = [1, 0].map(|seat| Who { seat: Seat(seat), player: PlayerId(7) });
        let won = |how| Stage::Won { by, over, how };
        for (stage, bytes) in [
            (Stage::Waiting, &[0][..]),
            (Stage::Playing, &[1]),
            (won(How::Line), &[2, 1, 7, 0, 7, 0]),
            (won(How::Clock), &[2, 1, 7, 0, 7, 1]),
            (won(How::Left), &[2, 1, 7, 0, 7, 2]),
            (won(How::Resigned), &[2, 1, 7, 0, 7, 3]),
            (won(How::Claimed), &[2, 1, 7, 0, 7, 4]),
            (Stage::Draw, &[3]),
            (Stage::Abandoned, &[4]),
        ] {
            assert_eq!(postcard::to_allocvec(&stage).as_deref(), Ok(bytes), "{stage:?}");
            assert_eq!(postcard::from_bytes(bytes), Ok(stage));
        }
    }
}
