//! A match of two: what a room has that strangers, or two who asked each other, play in.

use std::sync::Arc;

use crate::notices::Score;
use hangraft_ids::{PlayerId, RoomId};

/// A round of a match that has been decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Where.
    pub(crate) room: RoomId,
    /// What was played.
    pub(crate) game: &'static str,
    /// Whether it was to count for the ratings.
    pub(crate) rated: bool,
    /// The two, by their seats.
    pub(crate) sides: [Side; 2],
    /// Moves of both.
    pub(crate) moves: u32,
    /// How long it took, in lobby time.
    pub(crate) ms: u64,
    /// How it was decided, in a word.
    pub(crate) how: &'static str,
}

/// One of the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) player: PlayerId,
    pub(crate) name: Arc<str>,
    pub(crate) bot: bool,
    /// What they played, in a word of the rules: "x", "setter".
    pub(crate) side: &'static str,
    pub(crate) score: Score,
}

/// What a round has done to a rating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RatingChange {
    pub(crate) before: u16,
    pub(crate) after: u16,
    /// Whether it still is provisional.
    pub(crate) provisional: bool,
}
