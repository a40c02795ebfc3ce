//! How far a round is, and how it ended.

use serde::{Deserialize, Serialize};

use crate::rules::duel::Conceded;
use crate::rules::phase::{Outcome, Phase};
use crate::table::Who;

/// How far the round is. Stored: grows at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    /// A word is to be set.
    Waiting,
    Playing,
    /// The word was found.
    Won,
    /// The last life is gone.
    Lost,
    /// One of two has given up.
    Conceded {
        /// Who has won by it.
        by: Who,
        how: Conceded,
        /// It is the guesser who has won.
        saved: bool,
    },
    /// The two have agreed that nobody has won.
    Drawn,
}

impl Stage {
    pub(super) fn is_over(self) -> bool {
        self.phase().is_over()
    }

    pub(super) fn phase(self) -> Phase {
        match self {
            Stage::Waiting => Phase::Waiting,
            Stage::Playing => Phase::Playing,
            Stage::Won => Phase::Over(Outcome::Together { won: true }),
            Stage::Lost => Phase::Over(Outcome::Together { won: false }),
            Stage::Conceded { saved, .. } => Phase::Over(Outcome::Together { won: saved }),
            Stage::Drawn => Phase::Over(Outcome::Draw),
        }
    }

    /// How the round ended, in a word.
    pub(super) fn ending(self) -> Option<&'static str> {
        match self {
            Stage::Waiting | Stage::Playing => None,
            Stage::Won => Some("found"),
            Stage::Lost => Some("unfound"),
            Stage::Conceded { how, .. } => Some(how.as_str()),
            Stage::Drawn => Some("agreed"),
        }
    }

    /// How one of two has given up, if that has ended the round.
    pub(super) fn conceded(self) -> Option<Conceded> {
        match self {
            Stage::Conceded { how, .. } => Some(how),
            _ => None,
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
        let by = Who { seat: Seat(1), player: PlayerId(2) };
        let conceded = |how, saved| Stage::Conceded { by, how, saved };
        for (stage, bytes) in [
            (Stage::Waiting, &[0][..]),
            (Stage::Playing, &[1]),
            (Stage::Won, &[2]),
            (Stage::Lost, &[3]),
            (conceded(Conceded::Resigned, true), &[4, 1, 2, 0, 1]),
            (conceded(Conceded::Clock, false), &[4, 1, 2, 1, 0]),
            (conceded(Conceded::Left, false), &[4, 1, 2, 2, 0]),
            (conceded(Conceded::Claimed, false), &[4, 1, 2, 3, 0]),
            (Stage::Drawn, &[5]),
        ] {
            assert_eq!(postcard::to_allocvec(&stage).as_deref(), Ok(bytes), "{stage:?}");
            assert_eq!(postcard::from_bytes(bytes), Ok(stage));
        }
    }
}
