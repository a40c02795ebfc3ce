//! What a guest is to do, and what has become of it.

use serde::Serialize;
use serde_json::Value;

use crate::{bot::moves::Score, socket::Url};

/// What a guest is to do.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    /// What it calls itself.
    pub(super) name: String,
    pub(super) urls: Vec<Url>,
    /// What it says with `seek`.
    pub(super) seek: Value,
    /// How many games it plays.
    pub(super) games: usize,
    /// How long it thinks about a move, on average.
    pub(super) think_ms: u64,
}

/// A game that was played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Game {
    pub(super) bot: String,
    pub(super) opponent: String,
    pub(super) game: String,
    pub(super) score: Score,
    /// From the wish to play until somebody was found.
    pub(super) waited_ms: u64,
    /// From there to the end.
    pub(super) took_ms: u64,
}

impl Game {
    /// A line for people.
    pub(super) fn text(&self) -> String {
        let Self { bot, opponent, game, score, waited_ms, took_ms } = self;
        let ended = match score {
            Score::Won => "won against",
            Score::Lost => "lost against",
            Score::Drawn => "drew with",
            Score::Void => "did not finish with",
        };
        let [waited, took] = [waited_ms, took_ms].map(|ms| *ms as f64 / 1000.0);
        format!("{bot} {ended} {opponent} at {game}: waited {waited:.1} s, played {took:.1} s")
    }
}
