//! What rules say where two play against each other for the result: who has won, how one of
//! them gave up, how good a move was, and how strong a bot is.

use serde::{Deserialize, Serialize};

use hangraft_ids::Seat;

/// Why somebody has lost a round without being beaten on the board. Stored: grows at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Conceded {
    /// They said so.
    Resigned,
    /// Their time ran out.
    Clock,
    /// They have left the table.
    Left,
    /// They were gone for so long that the other has claimed the win.
    Claimed,
}

/// What a round that is over has decided between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decided {
    /// Who sat there in this round has won, and the other has lost.
    Won(Seat),
    /// Nobody has won, and nobody has lost.
    Drawn,
    /// The round counts for nobody.
    Void,
}

/// How a move was, seen afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    /// Who moved.
    pub(crate) seat: Seat,
    /// No other move would have been better, as far as the rules can tell.
    pub(crate) good: bool,
    /// What came of it less what was to be expected, in thousandths of a hit; 0 where
    /// nothing is hidden.
    pub(crate) luck_permille: i32,
}

/// How well a bot plays. Stored: grows at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// Sees hardly more than whose turn it is.
    Easy,
    /// As somebody who has played before.
    Medium,
    /// As well as we know how.
    Hard,
}

impl Conceded {
    /// As events and views call it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Conceded::Resigned => "resigned",
            Conceded::Clock => "clock",
            Conceded::Left => "left",
            Conceded::Claimed => "claimed",
        }
    }
}

impl Strength {
    /// Every strength, the weakest first.
    pub const ALL: [Strength; 3] = [Strength::Easy, Strength::Medium, Strength::Hard];

    /// As views call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Strength::Easy => "easy",
            Strength::Medium => "medium",
            Strength::Hard => "hard",
        }
    }
}
