//! Ratings: how good players are at each game, by the games that counted.
//!
//! Only rated games between two people leave a trace here: in the rating, in the card's
//! counts and streaks, and on the ladders. Casual games and games against bots are counted
//! in the numbers of the whole lobby and in nobody's record, so nobody collects a streak
//! from the easiest bot, and a card says one thing.
//!
//! A player has a record for each game they have played. There are at most
//! [`RECORDS_MAX`]; who played longest ago goes first, and is new when they come back.
//!
//! # Not here
//!
//! Two who play for one of them: nothing looks for that. A rating does not grow uncertain
//! with time; see [`elo`] for what would do that.

mod elo;
mod ladder;
mod record;
mod shown;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::contest::{Ended, RatingChange, Side};
use crate::notices::Rating;
use elo::Elo;
use hangraft_ids::PlayerId;
pub(crate) use ladder::Ladder;
use ladder::Ladders;
use record::Record;
pub(crate) use record::When;

/// Records of all players and games. Another one takes the place of that which was played
/// longest ago. Few in tests, so that they come to it.
const RECORDS_MAX: usize = if cfg!(test) { 300 } else { 200_000 };

/// Games in a snapshot. Builds know a handful.
const GAMES_MAX: usize = 64;

/// Bytes of a game's name.
const GAME_BYTES_MAX: usize = 64;

/// Everybody's records.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ratings {
    games: BTreeMap<Arc<str>, Game>,
    /// Each record once, at the time of its last game.
    by_age: BTreeSet<(u64, PlayerId, Arc<str>)>,
    /// Sum of the records' digests.
    sum: u64,
}

/// The records of one game, by player.
type Records = OrdMap<PlayerId, Arc<Record>>;

/// The records of one game, and the ladders that follow from them.
#[derive(Clone, Debug, Default)]
struct Game {
    records: Records,
    ladders: Ladders,
}

/// Records as a snapshot sees them: cheap to take, and at rest.
#[derive(Clone, Debug)]
pub(crate) struct FrozenRatings(Vec<(Arc<str>, Records)>);

/// A record as a snapshot holds it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredRecord {
    player: PlayerId,
    game: Arc<str>,
    content: Arc<Record>,
}

impl Ratings {
    /// Takes in a round that was decided, and says what it has done to the two ratings, by
    /// their seats; nothing for one that does not count: a casual one, or one with a bot.
    pub(crate) fn record(&mut self, ended: &Ended, when: When) -> Option<[RatingChange; 2]> {
        let [first, second] = &ended.sides;
        let counts = ended.rated && !first.bot && !second.bot && first.player != second.player;
        if !counts {
            return None;
        }
        let game = self.name_of(ended.game);
        let mut ours = self.take_or_new(&game, first);
        let mut theirs = self.take_or_new(&game, second);
        while self.len() + 2 > RECORDS_MAX {
            self.forget_one();
        }
        let before = (ours.elo, theirs.elo);
        let changes =
            [ours.play(first, second, before.1, when), theirs.play(second, first, before.0, when)];
        self.put(&game, first.player, ours);
        self.put(&game, second.player, theirs);
        Some(changes)
    }

    /// How good a player is at a game; that of a new player for one who has never played.
    pub(crate) fn rating(&self, game: &str, player: PlayerId) -> Rating {
        let new = Rating { points: Elo::NEW.points(), provisional: true };
        self.get(game, player).map_or(new, |record| record.rating())
    }

    /// How many games in a row a player has won, up to the last one.
    pub(crate) fn streak(&self, game: &str, player: PlayerId) -> u32 {
        self.get(game, player).map_or(0, |record| record.streak)
    }

    /// The best at a game, at most `limit`, as a JSON object; with their points in `week`.
    pub(crate) fn ladder_json(
        &self,
        game: &str,
        ladder: Ladder,
        week: u64,
        limit: usize,
    ) -> String {
        let best = self.games.get(game).map(|game| game.ladders.best(ladder, limit));
        let record = |player| Some((player, &**self.get(game, player)?));
        shown::ladder_json(best.into_iter().flatten().filter_map(record), week)
    }

    /// What there is to know of a player, as a JSON object.
    pub(crate) fn card_json(&self, player: PlayerId) -> String {
        let records = self.games.iter().filter_map(|(name, game)| {
            let record = game.records.get(&player)?;
            Some((&**name, &**record))
        });
        shown::card_json(records)
    }

    /// 0 while there is no record.
    pub(crate) fn digest(&self) -> u64 {
        self.sum
    }

    /// The digest computed from nothing but the records.
    pub(crate) fn recompute_digest(&self) -> u64 {
        let digests = self.games.iter().flat_map(|(name, game)| {
            game.records.iter().map(|(player, record)| record.compute_digest(*player, name))
        });
        digests.fold(0, u64::wrapping_add)
    }

    pub(crate) fn freeze(&self) -> FrozenRatings {
        let records = self.games.iter().map(|(name, game)| (name.clone(), game.records.clone()));
        FrozenRatings(records.collect())
    }

    /// Puts back a record; says why if it cannot be one.
    pub(crate) fn restore(&mut self, stored: StoredRecord) -> Result<(), &'static str> {
        let StoredRecord { player, game, content } = stored;
        content.check()?;
        if player == PlayerId(0) || game.is_empty() || game.len() > GAME_BYTES_MAX {
            return Err("a record of nobody, or at no game");
        }
        if self.get(&game, player).is_some() || self.len() >= RECORDS_MAX {
            return Err("a record is there twice, or there are too many");
        }
        let game = self.name_of(&game);
        self.put(&game, player, Arc::unwrap_or_clone(content));
        if self.games.len() > GAMES_MAX { Err("too many games") } else { Ok(()) }
    }

    fn len(&self) -> usize {
        self.by_age.len()
    }

    fn get(&self, game: &str, player: PlayerId) -> Option<&Arc<Record>> {
        self.games.get(game)?.records.get(&player)
    }

    /// The one copy of a game's name that all its records share.
    fn name_of(&self, game: &str) -> Arc<str> {
        self.games.get_key_value(game).map_or_else(|| game.into(), |(name, _)| name.clone())
    }

    fn take_or_new(&mut self, game: &Arc<str>, side: &Side) -> Record {
        let record = self.take(game, side.player);
        record.map_or_else(|| Record::new(&side.name), Arc::unwrap_or_clone)
    }

    fn forget_one(&mut self) {
        if let Some((_, player, game)) = self.by_age.first().cloned() {
            self.take(&game, player);
        }
    }

    fn take(&mut self, name: &Arc<str>, player: PlayerId) -> Option<Arc<Record>> {
        let game = self.games.get_mut(name)?;
        let record = game.records.remove(&player)?;
        game.ladders.remove(player, &record);
        self.by_age.remove(&(record.played_ms, player, name.clone()));
        self.sum = self.sum.wrapping_sub(record.digest);
        Some(record)
    }

    fn put(&mut self, name: &Arc<str>, player: PlayerId, mut record: Record) {
        record.digest = record.compute_digest(player, name);
        self.sum = self.sum.wrapping_add(record.digest);
        self.by_age.insert((record.played_ms, player, name.clone()));
        let game = self.games.entry(name.clone()).or_default();
        game.ladders.insert(player, &record);
        game.records.insert(player, Arc::new(record));
    }
}

impl FrozenRatings {
    /// Every record, in an order that is always the same.
    pub(crate) fn into_parts(self) -> impl Iterator<Item = StoredRecord> + Send + 'static {
        self.0.into_iter().flat_map(|(game, records)| {
            let stored =
                move |(player, content)| StoredRecord { player, game: game.clone(), content };
            records.into_iter().map(stored)
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, records)| records.is_empty())
    }
}

#[cfg(test)]
mod tests;
