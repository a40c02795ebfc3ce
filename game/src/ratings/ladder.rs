//! The ladders of one game: who is best, of all time and of a week.
//!
//! Each is an ordered index over the records, which a result changes at two places; what is
//! shown is its beginning. Neither is stored; they follow from the records.
//!
//! The order is total, so that replicas show the same. Of all time: the higher rating, to
//! the hundredth; then fewer games; then the lower id. Of a week: more points; then the
//! higher rating; then the lower id. The week's index has the week in front, so that
//! another week begins without touching anybody's record, and points of the one before
//! count as none.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::elo::Elo;
use super::record::Record;
use hangraft_ids::PlayerId;

/// Names on a ladder. Who comes after them is on none.
const NAMES_MAX: usize = 1_000;

/// Which ladder of a game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ladder {
    /// By rating, of those whose rating is not provisional any more.
    AllTime,
    /// By points in the week with this number, of those who have any.
    Week(u64),
}

/// A place on the ladder of all time, from the best on.
type PlaceByRating = (Reverse<Elo>, u32, PlayerId);

/// A place on the ladder of a week, from the best on.
type PlaceByWeek = (u64, Reverse<u32>, Reverse<Elo>, PlayerId);

/// Both ladders of a game.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ladders {
    by_rating: BTreeSet<PlaceByRating>,
    by_week: BTreeSet<PlaceByWeek>,
}

impl Ladders {
    /// Puts a player where the record belongs.
    pub(crate) fn insert(&mut self, player: PlayerId, record: &Record) {
        if let Some(place) = by_rating(player, record) {
            self.by_rating.insert(place);
        }
        if let Some(place) = by_week(player, record) {
            self.by_week.insert(place);
        }
    }

    /// Takes a player away who was put there with this record.
    pub(crate) fn remove(&mut self, player: PlayerId, record: &Record) {
        if let Some(place) = by_rating(player, record) {
            self.by_rating.remove(&place);
        }
        if let Some(place) = by_week(player, record) {
            self.by_week.remove(&place);
        }
    }

    /// The best, in order, at most `limit` and never more than there are names on a ladder.
    pub(crate) fn best(&self, ladder: Ladder, limit: usize) -> Vec<PlayerId> {
        let limit = limit.min(NAMES_MAX);
        match ladder {
            Ladder::AllTime => {
                self.by_rating.iter().map(|(_, _, player)| *player).take(limit).collect()
            }
            Ladder::Week(week) => {
                let first = (week, Reverse(u32::MAX), Reverse(Elo::CEILING), PlayerId(0));
                let of_week = self.by_week.range(first..).take_while(|place| place.0 == week);
                of_week.map(|(_, _, _, player)| *player).take(limit).collect()
            }
        }
    }
}

fn by_rating(player: PlayerId, record: &Record) -> Option<PlaceByRating> {
    (!record.is_provisional()).then(|| (Reverse(record.elo), record.games(), player))
}

fn by_week(player: PlayerId, record: &Record) -> Option<PlaceByWeek> {
    let (week, points) = record.week();
    (points > 0).then_some((week, Reverse(points), Reverse(record.elo), player))
}
