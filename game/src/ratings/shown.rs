//! How players' records look in JSON: their cards, and the ladders.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::record::{Past, Record};
use crate::json::as_text;
use crate::notices::Score;
use hangraft_ids::PlayerId;

/// A player's card.
#[derive(Serialize)]
struct Card<'a> {
    /// Null for a player who has no record.
    name: Option<&'a str>,
    games: BTreeMap<&'a str, Page<'a>>,
}

/// What a card says of one game.
#[derive(Serialize)]
struct Page<'a> {
    rating: u16,
    provisional: bool,
    curve: Vec<u16>,
    games: u32,
    won: u32,
    lost: u32,
    drawn: u32,
    streak: u32,
    best_streak: u32,
    /// Newest first.
    last: Vec<Line<'a>>,
}

/// One game of the last ones.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(serialize_with = "as_text")]
    player: PlayerId,
    name: &'a str,
    #[serde(serialize_with = "as_word")]
    score: Score,
    change: i16,
}

/// A ladder.
#[derive(Serialize)]
struct Names<'a> {
    names: Vec<Name<'a>>,
}

/// One of those on it.
#[derive(Serialize)]
struct Name<'a> {
    place: usize,
    #[serde(serialize_with = "as_text")]
    player: PlayerId,
    name: &'a str,
    rating: u16,
    games: u32,
    /// In this week.
    points: u32,
}

/// A player's card, of the records by game.
pub(crate) fn card_json<'a>(records: impl Iterator<Item = (&'a str, &'a Record)>) -> String {
    let mut newest: Option<&Record> = None;
    let mut games = BTreeMap::new();
    for (game, record) in records {
        newest = newest.into_iter().chain([record]).max_by_key(|record| record.played_ms);
        games.insert(game, page(record));
    }
    json(&Card { name: newest.map(|record| &*record.name), games })
}

/// A ladder, of the records from the best on; with the points of this week.
pub(crate) fn ladder_json<'a>(
    best: impl Iterator<Item = (PlayerId, &'a Record)>,
    week: u64,
) -> String {
    let name = |(place, (player, record)): (usize, (PlayerId, &'a Record))| Name {
        place,
        player,
        name: &record.name,
        rating: record.elo.points(),
        games: record.games(),
        points: record.points_of(week),
    };
    json(&Names { names: (1..).zip(best).map(name).collect() })
}

fn page<'a>(record: &'a Record) -> Page<'a> {
    let line = |past: &'a Past| Line {
        player: past.player,
        name: &past.name,
        score: past.score,
        change: past.change,
    };
    Page {
        rating: record.elo.points(),
        provisional: record.is_provisional(),
        curve: record.curve.iter().copied().collect(),
        games: record.games(),
        won: record.won,
        lost: record.lost,
        drawn: record.drawn,
        streak: record.streak,
        best_streak: record.best_streak,
        last: record.last.iter().rev().map(line).collect(),
    }
}

fn as_word<S: Serializer>(score: &Score, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(score.as_str())
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("names and numbers have a JSON form")
}
