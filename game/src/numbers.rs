//! The numbers of the whole lobby: what was played, today and ever, and who wins.
//!
//! They are part of what replicas agree on, so every node tells the same, and they survive
//! whatever the lobby survives. A move costs a few additions. The digest is that of the
//! counters, made when it is asked for, and of the rest as it was at the last change: a
//! minute that has passed, a match that has ended.
//!
//! Every decided round of a match of two is a match: rated or casual, against a person or a
//! bot. Every accepted move in any room is a move. "Today" is the day by the calendar.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::calendar::Calendar;
use crate::contest::Ended;
use crate::digest::{self, Kind};
use crate::notices::Score;

/// Whole minutes kept. The oldest goes.
const MINUTES_MAX: usize = 60;

/// The word under which rounds are counted that nobody won.
const DRAW: &str = "draw";

/// Games in a snapshot, and sides of each. Builds know a handful.
const GAMES_MAX: usize = 64;
const SIDES_MAX: usize = 16;

/// Bytes of a name in a snapshot, of a player, a game or a side.
const NAME_BYTES_MAX: usize = 256;

/// The numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers {
    counters: Counters,
    tables: Arc<Tables>,
    /// The tables' digest.
    tables_digest: u64,
}

/// What changes with every move.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Counters {
    calendar: Calendar,
    /// How often anything below, or in the tables, has changed.
    changes: u64,
    moves: u64,
    moves_today: u64,
    matches: u64,
    matches_today: u64,
    /// The minute that it is.
    minute: Minute,
}

/// What changes with every minute and every match.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Tables {
    /// Whole minutes before the one that it is, oldest first, without a hole.
    minutes: VecDeque<Minute>,
    /// How many rounds each side of each game has won, and how many were drawn.
    sides: BTreeMap<Arc<str>, BTreeMap<Arc<str>, u64>>,
    /// The longest streak there ever was; of equal ones, the first.
    streak: Option<Streak>,
}

/// What was played in a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Minute {
    moves: u32,
    matches: u32,
}

/// Rated games won in a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Streak {
    length: u32,
    name: Arc<str>,
    game: Arc<str>,
}

/// The numbers as a snapshot holds them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StoredNumbers {
    counters: Counters,
    tables: Arc<Tables>,
}

/// The numbers as they are shown.
#[derive(Serialize)]
struct Live<'a> {
    online: usize,
    playing: usize,
    moves_today: u64,
    moves: u64,
    matches_today: u64,
    matches: u64,
    per_minute: u32,
    sides: &'a BTreeMap<Arc<str>, BTreeMap<Arc<str>, u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    streak: Option<&'a Streak>,
}

impl Numbers {
    /// Lets time pass: `now_ms` of the lobby, `at_ms` as the batch's stamp shows it. Once
    /// for each batch, before what is in it.
    pub(crate) fn tick(&mut self, now_ms: u64, at_ms: u64) {
        let before = self.counters.calendar;
        if !self.counters.calendar.turn(now_ms, at_ms) {
            return;
        }
        let counters = &mut self.counters;
        if counters.calendar.day() != before.day() {
            (counters.moves_today, counters.matches_today) = (0, 0);
        }
        let minute = std::mem::take(&mut counters.minute);
        let passed = counters.calendar.minute().checked_sub(before.minute());
        let minutes = &mut Arc::make_mut(&mut self.tables).minutes;
        match passed {
            // The first of all, or set back: there is no minute before this one.
            _ if before.minute() == 0 => {}
            None => minutes.clear(),
            Some(passed) => {
                let silent =
                    usize::try_from(passed - 1).map_or(MINUTES_MAX, |n| n.min(MINUTES_MAX));
                minutes.push_back(minute);
                minutes.extend(std::iter::repeat_n(Minute::default(), silent));
                minutes.drain(..minutes.len().saturating_sub(MINUTES_MAX));
            }
        }
        self.tables_changed();
    }

    /// Counts moves, in whatever room.
    pub(crate) fn moved(&mut self, count: u32) {
        let counters = &mut self.counters;
        counters.moves = counters.moves.saturating_add(count.into());
        counters.moves_today = counters.moves_today.saturating_add(count.into());
        counters.minute.moves = counters.minute.moves.saturating_add(count);
        counters.changes = counters.changes.saturating_add(1);
    }

    /// Counts a round of a match that was decided. `streak` is how many rated games its
    /// winner has won in a row with this one; 0 when nobody won or it was not rated.
    pub(crate) fn ended(&mut self, ended: &Ended, streak: u32) {
        let counters = &mut self.counters;
        counters.matches = counters.matches.saturating_add(1);
        counters.matches_today = counters.matches_today.saturating_add(1);
        counters.minute.matches = counters.minute.matches.saturating_add(1);
        let winner = ended.sides.iter().find(|side| side.score == Score::Won);
        let tables = Arc::make_mut(&mut self.tables);
        let sides = at(&mut tables.sides, ended.game);
        let count = at(sides, winner.map_or(DRAW, |winner| winner.side));
        *count = count.saturating_add(1);
        let longest = tables.streak.as_ref().map_or(0, |longest| longest.length);
        if let Some(winner) = winner.filter(|_| streak > longest) {
            let (name, game) = (winner.name.clone(), ended.game.into());
            tables.streak = Some(Streak { length: streak, name, game });
        }
        self.tables_changed();
    }

    /// Another number whenever the numbers are others.
    pub(crate) fn changed(&self) -> u64 {
        self.counters.changes
    }

    /// Rounds of matches that were decided, ever.
    pub(crate) fn matches(&self) -> u64 {
        self.counters.matches
    }

    /// In which week of the calendar it is.
    pub(crate) fn week(&self) -> u64 {
        self.counters.calendar.week()
    }

    /// The numbers as a JSON object, with how many players are online and how many games
    /// are being played. `per_minute` are the matches that ended in the last whole minute.
    pub(crate) fn live_json(&self, online: usize, playing: usize) -> String {
        let Counters { moves, moves_today, matches, matches_today, .. } = self.counters;
        let Tables { minutes, sides, streak } = &*self.tables;
        let per_minute = minutes.back().map_or(0, |minute| minute.matches);
        let live = Live {
            online,
            playing,
            moves_today,
            moves,
            matches_today,
            matches,
            per_minute,
            sides,
            streak: streak.as_ref(),
        };
        json(&live)
    }

    /// The last hour as a JSON array of moves and matches in each whole minute, oldest
    /// first; and which minute is the last of them, since 1970.
    pub(crate) fn minutes_json(&self) -> (u64, String) {
        let minutes = self.tables.minutes.iter().map(|minute| [minute.moves, minute.matches]);
        let last = self.counters.calendar.minute().saturating_sub(1);
        (last, json(&minutes.collect::<Vec<_>>()))
    }

    /// Whether nothing was ever counted, not even a minute.
    pub(crate) fn is_empty(&self) -> bool {
        self.counters.changes == 0
    }

    /// 0 while nothing was ever counted.
    pub(crate) fn digest(&self) -> u64 {
        self.digest_with(self.tables_digest)
    }

    /// The digest computed from nothing but the numbers.
    pub(crate) fn recompute_digest(&self) -> u64 {
        self.digest_with(self.tables.compute_digest())
    }

    /// What a snapshot holds; none while nothing was ever counted. To freeze them, clone
    /// them: it is cheap.
    pub(crate) fn freeze(&self) -> Option<StoredNumbers> {
        let stored = || StoredNumbers { counters: self.counters, tables: self.tables.clone() };
        (!self.is_empty()).then(stored)
    }

    /// Puts the numbers back; says why if they cannot be.
    pub(crate) fn restore(&mut self, stored: StoredNumbers) -> Result<(), &'static str> {
        let StoredNumbers { counters, tables } = stored;
        counters.check()?;
        tables.check(&counters)?;
        if !self.is_empty() {
            return Err("the numbers are there twice");
        }
        let tables_digest = tables.compute_digest();
        *self = Numbers { counters, tables, tables_digest };
        Ok(())
    }

    fn tables_changed(&mut self) {
        self.counters.changes = self.counters.changes.saturating_add(1);
        self.tables_digest = self.tables.compute_digest();
    }

    fn digest_with(&self, tables: u64) -> u64 {
        if self.is_empty() {
            return 0;
        }
        let Counters { calendar, changes, moves, moves_today, matches, matches_today, minute } =
            self.counters;
        let [turned, behind] = calendar.as_numbers();
        let minute = u64::from(minute.moves) << 32 | u64::from(minute.matches);
        let numbers =
            [turned, behind, changes, moves, moves_today, matches, matches_today, minute, tables];
        digest::of_numbers(Kind::Numbers, numbers)
    }
}

impl Counters {
    fn check(&self) -> Result<(), &'static str> {
        let today = self.moves_today <= self.moves && self.matches_today <= self.matches;
        let contradict = self.changes == 0 || !today;
        if contradict { Err("counters that contradict each other") } else { Ok(()) }
    }
}

impl Tables {
    fn check(&self, counters: &Counters) -> Result<(), &'static str> {
        if self.minutes.len() > MINUTES_MAX {
            return Err("an hour of too many minutes");
        }
        let minutes = self.minutes.iter().chain([&counters.minute]);
        let sum =
            |of: fn(&Minute) -> u32| minutes.clone().map(|minute| u64::from(of(minute))).sum();
        let moves: u64 = sum(|minute| minute.moves);
        let matches: u64 = sum(|minute| minute.matches);
        if moves > counters.moves || matches > counters.matches {
            return Err("an hour of more than there ever was");
        }
        let many = self.sides.len() > GAMES_MAX;
        if many || self.sides.values().any(|sides| sides.len() > SIDES_MAX) {
            return Err("too many games or sides");
        }
        let mut counted = self.sides.values().flat_map(BTreeMap::values);
        let counted = counted.try_fold(0_u64, |sum, count| sum.checked_add(*count));
        if counted != Some(counters.matches) {
            return Err("the sides have won more or less than there were matches");
        }
        let sides = self.sides.iter().flat_map(|(game, sides)| sides.keys().chain([game]));
        let streak = self.streak.iter().flat_map(|streak| [&streak.name, &streak.game]);
        if sides.chain(streak).any(|name| name.len() > NAME_BYTES_MAX) {
            return Err("a name that is too long");
        }
        let length = self.streak.as_ref().map(|streak| streak.length);
        let fits = |length: u32| length > 0 && u64::from(length) <= counters.matches;
        if length.is_none_or(fits) { Ok(()) } else { Err("a streak that cannot be") }
    }

    fn compute_digest(&self) -> u64 {
        digest::of_value(Kind::Numbers, self, &mut Vec::new())
    }
}

/// What stands under a name, which is put there if it is not.
fn at<'a, T: Default>(map: &'a mut BTreeMap<Arc<str>, T>, name: &str) -> &'a mut T {
    if !map.contains_key(name) {
        map.insert(name.into(), T::default());
    }
    map.get_mut(name).expect("it was there or was just put there")
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("names and numbers have a JSON form")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contest::Side;
    use hangraft_ids::{PlayerId, RoomId};

    const MINUTE_MS: u64 = 60_000;
    /// Sunday the 29th of November 2026, two minutes before midnight.
    const EVENING_MS: u64 = 1_795_996_680_000;

    fn round(winner: Option<usize>) -> Ended {
        let side = |seat: usize, (name, side): (&str, &'static str)| Side {
            player: PlayerId(seat as u64 + 1),
            name: name.into(),
            bot: false,
            side,
            score: match winner {
                Some(won) if won == seat => Score::Won,
                Some(_) => Score::Lost,
                None => Score::Drawn,
            },
        };
        Ended {
            room: RoomId(1),
            game: "tic-tac-toe",
            rated: true,
            sides: [side(0, ("Ann", "x")), side(1, ("Ben", "o"))],
            moves: 5,
            ms: 9_000,
            how: "three in a row",
        }
    }

    /// Passes it through a snapshot's bytes.
    fn restored(numbers: &Numbers) -> Numbers {
        let mut restored = Numbers::default();
        if let Some(stored) = numbers.freeze() {
            let bytes = postcard::to_allocvec(&stored).unwrap();
            restored.restore(postcard::from_bytes(&bytes).unwrap()).unwrap();
        }
        restored
    }

    fn assert_sound(numbers: &Numbers) {
        assert_eq!(numbers.digest(), numbers.recompute_digest());
        assert_eq!(restored(numbers).digest(), numbers.digest());
        assert_eq!(restored(numbers).live_json(1, 2), numbers.live_json(1, 2));
        assert_eq!(restored(numbers).minutes_json(), numbers.minutes_json());
    }

    /// Two matches, a draw and some moves, and midnight.
    #[test]
    fn what_was_played_is_counted_today_and_ever() {
        let mut numbers = Numbers::default();
        assert!(numbers.is_empty() && numbers.digest() == 0 && numbers.freeze().is_none());
        numbers.tick(0, EVENING_MS);
        numbers.moved(4);
        numbers.moved(1);
        numbers.ended(&round(Some(0)), 1);
        numbers.ended(&round(Some(1)), 0);
        numbers.ended(&round(None), 0);
        numbers.tick(MINUTE_MS, EVENING_MS + MINUTE_MS);
        assert_eq!(
            numbers.live_json(12, 3),
            r#"{"online":12,"playing":3,"moves_today":5,"moves":5,"matches_today":3,"matches":3,"#
                .to_owned()
                + r#""per_minute":3,"sides":{"tic-tac-toe":{"draw":1,"o":1,"x":1}},"#
                + r#""streak":{"length":1,"name":"Ann","game":"tic-tac-toe"}}"#
        );
        assert_sound(&numbers);
        numbers.tick(2 * MINUTE_MS, EVENING_MS + 2 * MINUTE_MS);
        numbers.moved(1);
        let live = numbers.live_json(0, 0);
        let day = r#""moves_today":1,"moves":6,"matches_today":0,"matches":3,"per_minute":0,"#;
        assert!(live.contains(day), "{live}");
        assert_sound(&numbers);
    }

    /// Equal ones do not replace it, and casual rounds have none.
    #[test]
    fn the_longest_streak_stays_until_there_is_a_longer_one() {
        let mut numbers = Numbers::default();
        let longest = |numbers: &Numbers| {
            let streak = numbers.tables.streak.as_ref()?;
            Some((streak.name.to_string(), streak.length))
        };
        numbers.ended(&round(Some(0)), 0);
        assert_eq!(longest(&numbers), None);
        numbers.ended(&round(Some(0)), 2);
        numbers.ended(&round(Some(1)), 2);
        assert_eq!(longest(&numbers), Some(("Ann".to_owned(), 2)));
        numbers.ended(&round(Some(1)), 3);
        assert_eq!(longest(&numbers), Some(("Ben".to_owned(), 3)));
    }

    /// Minutes in which nothing was played are in it; the one that it is, is not.
    #[test]
    fn the_last_hour_has_no_hole() {
        let mut numbers = Numbers::default();
        numbers.tick(0, EVENING_MS);
        assert_eq!(numbers.minutes_json().1, "[]");
        numbers.moved(1);
        numbers.tick(1, EVENING_MS + MINUTE_MS);
        numbers.moved(1);
        numbers.moved(1);
        numbers.ended(&round(None), 0);
        numbers.tick(2, EVENING_MS + 4 * MINUTE_MS);
        let (last, minutes) = numbers.minutes_json();
        assert_eq!(minutes, "[[1,0],[2,1],[0,0],[0,0]]");
        assert_eq!(last, EVENING_MS / MINUTE_MS + 3);
        // A leader whose clock is behind counts for the newest minute.
        numbers.tick(3, EVENING_MS);
        numbers.moved(1);
        assert_eq!(numbers.minutes_json(), (last, minutes));
        numbers.tick(4, EVENING_MS + 5 * MINUTE_MS);
        assert!(numbers.minutes_json().1.ends_with("[0,0],[1,0]]"));
        assert_sound(&numbers);
        // A night later.
        numbers.moved(1);
        numbers.tick(5, EVENING_MS + 600 * MINUTE_MS);
        assert_eq!(numbers.tables.minutes, [Minute::default(); MINUTES_MAX]);
        assert_sound(&numbers);
        // And the clock was wrong.
        numbers.moved(1);
        numbers.tick(6, EVENING_MS + 6 * MINUTE_MS);
        numbers.tick(6 + 10 * MINUTE_MS, EVENING_MS + 16 * MINUTE_MS);
        assert_eq!(numbers.minutes_json().1, "[]");
        assert_sound(&numbers);
    }

    /// Whoever looks is told again when anything is different, and only then.
    #[test]
    fn every_change_is_another_number() {
        let mut numbers = Numbers::default();
        let changes: [&dyn Fn(&mut Numbers); 3] =
            [&|numbers| numbers.tick(0, EVENING_MS), &|numbers| numbers.moved(1), &|numbers| {
                numbers.ended(&round(None), 0)
            }];
        for change in changes {
            let (before, digest) = (numbers.changed(), numbers.digest());
            change(&mut numbers);
            assert!(numbers.changed() != before && numbers.digest() != digest);
        }
        let before = (numbers.changed(), numbers.digest());
        numbers.tick(1, EVENING_MS + 1);
        assert_eq!((numbers.changed(), numbers.digest()), before);
        assert_eq!(restored(&numbers).changed(), before.0);
    }

    /// A busy year fits what is sent to everybody who looks, four times a second.
    #[test]
    fn the_numbers_are_small() {
        let mut numbers = Numbers::default();
        numbers.tick(0, EVENING_MS);
        numbers.ended(&round(Some(0)), 1_234);
        numbers.ended(&Ended { game: "hangman", ..round(Some(1)) }, 0);
        let counters = &mut numbers.counters;
        (counters.moves, counters.moves_today) = (98_765_432_109, 876_543_210);
        (counters.matches, counters.matches_today) = (9_876_543_210, 87_654_321);
        let tables = Arc::make_mut(&mut numbers.tables);
        tables.sides.values_mut().for_each(|sides| *sides = sides_of_a_year());
        tables.streak.as_mut().unwrap().name = "twenty-four letters long".into();
        let live = numbers.live_json(100_000, 50_000);
        assert!(live.len() <= 400, "{} bytes: {live}", live.len());
    }

    fn sides_of_a_year() -> BTreeMap<Arc<str>, u64> {
        ["guesser", "setter", DRAW].into_iter().map(|side| (side.into(), 1_234_567_890)).collect()
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let mut numbers = Numbers::default();
        numbers.tick(0, EVENING_MS);
        numbers.moved(1);
        numbers.ended(&round(Some(0)), 1);
        numbers.tick(1, EVENING_MS + MINUTE_MS);
        let refused = |change: &dyn Fn(&mut Counters, &mut Tables)| {
            let mut stored = numbers.freeze().unwrap();
            change(&mut stored.counters, Arc::make_mut(&mut stored.tables));
            Numbers::default().restore(stored).unwrap_err()
        };
        let why = [
            refused(&|counters, _| counters.moves_today = 2),
            refused(&|counters, _| counters.changes = 0),
            refused(&|counters, _| counters.minute.moves = 1),
            refused(&|counters, _| counters.matches = 2),
            refused(&|_, tables| tables.minutes = [Minute::default(); 61].into()),
            refused(&|_, tables| *at(at(&mut tables.sides, "tic-tac-toe"), "x") = u64::MAX),
            refused(&|_, tables| {
                _ = at(at::<BTreeMap<_, u64>>(&mut tables.sides, &"g".repeat(257)), "x")
            }),
            refused(&|_, tables| tables.streak.as_mut().unwrap().length = 0),
        ];
        let distinct: std::collections::BTreeSet<_> = why.into_iter().collect();
        assert_eq!(distinct.len(), 6, "{why:?}");
        assert!(restored(&numbers).restore(numbers.freeze().unwrap()).is_err(), "twice");
    }
}
