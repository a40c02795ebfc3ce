//! What is heard of matches: what a player is told, the offers that stand, the numbers, and
//! who plays how well.

use std::collections::BTreeMap;

use hangraft_ids::{NoticeNumber, PlayerId, Seat};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::code::NoticeKind;
use super::push::{self, text};
use super::words;

/// One thing that a player is told, wherever their sockets are. Which of the fields are said
/// depends on the kind. The other one in a game of two is known by `player` and `name`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Notice {
    /// Counts what this player was told. Where numbers are missing, `resync` says so.
    pub number: NoticeNumber,
    /// What it is about.
    pub kind: NoticeKind,
    /// Which offer, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<String>,
    /// Which room, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// Where who is told sits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seat: Option<Seat>,
    /// What is played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub game: Option<String>,
    /// The other one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(serialize_with = "words::spell_some", deserialize_with = "words::spelled_some")]
    pub player: Option<PlayerId>,
    /// The other one's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The other one's rating at the game; bots have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<u32>,
    /// That rating does not mean much yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisional: Option<bool>,
    /// The other one is a bot, of this strength: "easy", "medium" or "hard".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<String>,
    /// How it is played: a JSON object that only the game's rules understand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Box<RawValue>>,
    /// Seconds for a move; 0 for as long as one likes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<u32>,
    /// Whether it counts for the ratings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rated: Option<bool>,
    /// Why an offer has ended without a game: "expired", "withdrawn", "gone", "elsewhere",
    /// "declined" or "full".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How a match has ended for who is told: "won", "lost" or "draw".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Notices before this one were lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resync: bool,
}

/// What kind of offer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OfferKind {
    /// For anybody who fits.
    Seek,
    /// For a certain player, or whoever has its name.
    Challenge,
}

/// An offer that stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Offer {
    /// Its name.
    pub offer: String,
    /// Left out in a list of seeks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<OfferKind>,
    /// Whose it is.
    #[serde(serialize_with = "words::spell", deserialize_with = "words::spelled")]
    pub player: PlayerId,
    /// That player's name.
    pub name: String,
    /// What is to be played.
    pub game: String,
    /// How: a JSON object that only the game's rules understand.
    pub options: Box<RawValue>,
    /// Seconds for a move; 0 for as long as one likes.
    pub clock: u32,
    /// Whether it counts for the ratings.
    pub rated: bool,
    /// That player's rating at the game.
    pub rating: u32,
    /// The rating does not mean much yet.
    pub provisional: bool,
    /// For how long it has stood, in milliseconds.
    pub age_ms: u64,
    /// Whom a challenge is for; nothing: whoever has its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(serialize_with = "words::spell_some", deserialize_with = "words::spelled_some")]
    pub whom: Option<PlayerId>,
}

/// The open seeks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Lobby {
    /// Newest first, at most 50.
    pub seeks: Vec<Offer>,
    /// How many there are, with those that are left out.
    pub total: u32,
}

/// The numbers: what is going on everywhere, and was in the last hour. Both are JSON as the
/// lobby makes it; see [`Numbers`] for those who take it apart.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Live<'a> {
    /// A JSON object.
    #[serde(borrow)]
    pub numbers: &'a RawValue,
    /// A JSON array of `[moves, matches]` by minutes, oldest first; only at first, and when a
    /// minute has passed.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<&'a RawValue>,
}

/// What [`Live::numbers`] holds. What is missing is zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Numbers {
    /// Players with a live socket.
    pub online: u64,
    /// Games that are being played.
    pub playing: u64,
    /// Moves since midnight (UTC).
    pub moves_today: u64,
    /// Moves ever.
    pub moves: u64,
    /// Matches that have ended since midnight (UTC).
    pub matches_today: u64,
    /// Matches that have ever ended.
    pub matches: u64,
    /// Matches that have ended within the last minute.
    pub per_minute: u64,
    /// How often each side has won, by game.
    pub sides: BTreeMap<String, BTreeMap<String, u64>>,
}

/// The yes to `ladder`: the best at a game.
#[derive(Clone, Debug, Deserialize)]
pub struct Ladder {
    /// The best first.
    pub names: Vec<Ranked>,
}

/// A place in a [`Ladder`].
#[derive(Clone, Debug, Deserialize)]
pub struct Ranked {
    /// Counts from 1.
    pub place: u32,
    /// Who.
    #[serde(deserialize_with = "words::spelled")]
    pub player: PlayerId,
    /// That player's name.
    pub name: String,
    /// The rating.
    pub rating: u32,
    /// How many rated games were played for it.
    pub games: u64,
}

/// The yes to `card`: what there is to know of a player.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Card {
    /// The player's name, as it was last seen in a match.
    pub name: String,
    /// By game. What is in it is for people: its fields are the lobby's.
    pub games: BTreeMap<String, serde_json::Value>,
}

impl Notice {
    /// The push as a frame.
    pub fn text(&self) -> String {
        text(push::NOTICE, self)
    }
}

impl Lobby {
    /// The push as a frame.
    pub fn text(&self) -> String {
        text(push::LOBBY, self)
    }
}

impl Live<'_> {
    /// The push as a frame.
    pub fn text(&self) -> String {
        text(push::LIVE, self)
    }
}
