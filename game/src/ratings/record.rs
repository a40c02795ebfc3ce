//! What is known of a player at one game.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::elo::{Elo, PROVISIONAL_GAMES};
use crate::contest::{RatingChange, Side};
use crate::digest::{self, Kind};
use crate::notices::{Rating, Score};
use hangraft_ids::PlayerId;

/// Ratings kept for the curve. The oldest goes.
const CURVE_MAX: usize = 32;

/// Games kept to be shown. The oldest goes.
const LAST_MAX: usize = 10;

/// Bytes of a name, as names are bounded where they are given.
const NAME_BYTES_MAX: usize = 256;

/// What a win and a draw are worth on the week's ladder.
const POINTS_WON: u32 = 2;
const POINTS_DRAWN: u32 = 1;

/// A player's rated games at one game.
///
/// Invariant: at least one was played; the curve ends at the rating.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The name under which the player was last seen here.
    pub(crate) name: Arc<str>,
    pub(crate) elo: Elo,
    pub(crate) won: u32,
    pub(crate) lost: u32,
    pub(crate) drawn: u32,
    /// Games won since one was not.
    pub(crate) streak: u32,
    pub(crate) best_streak: u32,
    /// The rating after each of the last games, in points, oldest first.
    pub(crate) curve: VecDeque<u16>,
    /// The last games, oldest first.
    pub(crate) last: VecDeque<Past>,
    /// When the last of them ended, in lobby time.
    pub(crate) played_ms: u64,
    /// The week of the last of them, and the points of that week.
    week: u64,
    week_points: u32,
    /// The record's own digest.
    #[serde(skip)]
    pub(crate) digest: u64,
}

/// A game of the past, for the one whose record it is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Past {
    /// The other one.
    pub(crate) player: PlayerId,
    /// Under which name they played.
    pub(crate) name: Arc<str>,
    pub(crate) score: Score,
    /// Points won or lost by it, as they were shown.
    pub(crate) change: i16,
}

/// When a game ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When {
    /// In lobby time.
    pub(crate) now_ms: u64,
    /// In which week of the calendar.
    pub(crate) week: u64,
}

impl Record {
    /// Of a player who has not played this yet.
    pub(crate) fn new(name: &Arc<str>) -> Record {
        Record {
            name: name.clone(),
            elo: Elo::NEW,
            won: 0,
            lost: 0,
            drawn: 0,
            streak: 0,
            best_streak: 0,
            curve: VecDeque::new(),
            last: VecDeque::new(),
            played_ms: 0,
            week: 0,
            week_points: 0,
            digest: 0,
        }
    }

    /// Takes in a game of `mine` against `other`, whose rating was `against`.
    pub(crate) fn play(
        &mut self,
        mine: &Side,
        other: &Side,
        against: Elo,
        when: When,
    ) -> RatingChange {
        let before = self.elo.points();
        self.elo = self.elo.after(against, mine.score, self.is_provisional());
        let after = self.elo.points();
        self.count(mine.score, when);
        self.name = mine.name.clone();
        push(&mut self.curve, after, CURVE_MAX);
        let change = (i32::from(after) - i32::from(before)).try_into();
        let change = change.expect("one game moves a rating by less than K");
        let (player, name) = (other.player, other.name.clone());
        push(&mut self.last, Past { player, name, score: mine.score, change }, LAST_MAX);
        RatingChange { before, after, provisional: self.is_provisional() }
    }

    /// How many were played.
    pub(crate) fn games(&self) -> u32 {
        self.won.saturating_add(self.lost).saturating_add(self.drawn)
    }

    /// Whether too few were played for the rating to mean much.
    pub(crate) fn is_provisional(&self) -> bool {
        self.games() < PROVISIONAL_GAMES
    }

    pub(crate) fn rating(&self) -> Rating {
        Rating { points: self.elo.points(), provisional: self.is_provisional() }
    }

    /// The points of a week; none of a week in which nothing was played since.
    pub(crate) fn points_of(&self, week: u64) -> u32 {
        if self.week == week { self.week_points } else { 0 }
    }

    /// The newest week in which something was played, and its points.
    pub(crate) fn week(&self) -> (u64, u32) {
        (self.week, self.week_points)
    }

    /// Says why this can be no record.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let games = self.won.checked_add(self.lost).and_then(|games| games.checked_add(self.drawn));
        let games = games.filter(|games| *games > 0).ok_or("a record of no game, or too many")?;
        let kept = |most: usize| usize::try_from(games).map_or(most, |games| games.min(most));
        if self.curve.len() != kept(CURVE_MAX) || self.last.len() != kept(LAST_MAX) {
            return Err("a record tells of other games than were played");
        }
        if !self.elo.is_possible() || self.curve.back() != Some(&self.elo.points()) {
            return Err("a rating that cannot be");
        }
        if self.streak > self.best_streak || self.best_streak > self.won {
            return Err("a streak that cannot be");
        }
        let points = POINTS_WON.saturating_mul(self.won).saturating_add(self.drawn);
        if self.week_points > points {
            return Err("a week with more points than were won");
        }
        let names = self.last.iter().map(|past| &past.name).chain([&self.name]);
        let long = names.into_iter().any(|name| name.len() > NAME_BYTES_MAX);
        if long { Err("a name that is too long") } else { Ok(()) }
    }

    pub(crate) fn compute_digest(&self, player: PlayerId, game: &str) -> u64 {
        digest::of_value(Kind::Record, &(player, game, self), &mut Vec::new())
    }

    fn count(&mut self, score: Score, when: When) {
        let When { now_ms, week } = when;
        let (count, points) = match score {
            Score::Won => (&mut self.won, POINTS_WON),
            Score::Lost => (&mut self.lost, 0),
            Score::Drawn => (&mut self.drawn, POINTS_DRAWN),
        };
        *count = count.saturating_add(1);
        self.streak = if score == Score::Won { self.streak.saturating_add(1) } else { 0 };
        self.best_streak = self.best_streak.max(self.streak);
        self.week_points = self.points_of(week).saturating_add(points);
        self.week = week;
        self.played_ms = now_ms;
    }
}

/// Puts something at the end, and lets the first go when there are too many.
fn push<T>(to: &mut VecDeque<T>, value: T, most: usize) {
    if to.len() >= most {
        to.pop_front();
    }
    to.push_back(value);
}
