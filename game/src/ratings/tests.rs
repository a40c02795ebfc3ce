use std::cmp::Reverse;

use proptest::prelude::*;

use super::elo::PROVISIONAL_GAMES;
use super::*;
use crate::chance::Chance;
use crate::notices::Score;
use hangraft_ids::RoomId;

const ANN: PlayerId = PlayerId(1);
const BEN: PlayerId = PlayerId(2);
const CAS: PlayerId = PlayerId(3);
const TIC_TAC_TOE: &str = "tic-tac-toe";
const HANGMAN: &str = "hangman";

fn side(player: PlayerId, score: Score) -> Side {
    let name = match player {
        ANN => "Ann".into(),
        BEN => "Ben".into(),
        CAS => "Cas".into(),
        PlayerId(other) => format!("Player {other}").into(),
    };
    Side { player, name, bot: false, side: "x", score }
}

/// A round of tic-tac-toe as it ended for the first of the two.
fn round(first: PlayerId, second: PlayerId, score: Score) -> Ended {
    let other = match score {
        Score::Won => Score::Lost,
        Score::Lost => Score::Won,
        Score::Drawn => Score::Drawn,
    };
    let sides = [side(first, score), side(second, other)];
    let room = RoomId(1);
    Ended { room, game: TIC_TAC_TOE, rated: true, sides, moves: 5, ms: 9, how: "resigned" }
}

fn at(now_ms: u64, week: u64) -> When {
    When { now_ms, week }
}

/// Who is on a ladder, with rating, games and points, as it is shown.
fn names(ratings: &Ratings, ladder: Ladder, week: u64) -> Vec<(u64, String, u64, u64, u64)> {
    let json = ratings.ladder_json(TIC_TAC_TOE, ladder, week, usize::MAX);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let names = json["names"].as_array().unwrap().iter().map(|name| {
        let number = |field: &str| name[field].as_u64().unwrap();
        let player = name["player"].as_str().unwrap().to_owned();
        (number("place"), player, number("rating"), number("games"), number("points"))
    });
    names.collect()
}

/// The records as a snapshot's bytes.
fn bytes(frozen: FrozenRatings) -> Vec<Vec<u8>> {
    frozen.into_parts().map(|part| postcard::to_allocvec(&part).unwrap()).collect()
}

fn restored(parts: &[Vec<u8>]) -> Ratings {
    let mut ratings = Ratings::default();
    for part in parts {
        ratings.restore(postcard::from_bytes(part).unwrap()).unwrap();
    }
    ratings
}

fn records(ratings: &Ratings) -> impl Iterator<Item = (&str, PlayerId, &Record)> {
    ratings.games.iter().flat_map(|(name, game)| {
        game.records.iter().map(|(player, record)| (&**name, *player, &**record))
    })
}

/// Worked by hand, by FIDE's table with K = 40: see `elo`.
#[test]
fn a_known_table_of_games_gives_known_ratings() {
    let mut ratings = Ratings::default();
    for (first, second, score, shown) in [
        // 1500.0 and 1500.0: 0.50 is expected, 20 are won.
        (ANN, BEN, Score::Won, [1520, 1480]),
        // 1520.0 and 1500.0: 0.53, so a draw costs 1.2.
        (ANN, CAS, Score::Drawn, [1519, 1501]),
        // 1480.0 and 1518.8: 39 apart, 0.45, 22 are won.
        (BEN, ANN, Score::Won, [1502, 1497]),
        // 1501.2 and 1502.0: 0.50, 20 are won.
        (CAS, BEN, Score::Won, [1521, 1482]),
        // 1496.8 and 1521.2: 24 apart, 0.47, 18.8 are lost.
        (ANN, CAS, Score::Lost, [1478, 1540]),
    ] {
        let changes = ratings.record(&round(first, second, score), at(1, 1)).unwrap();
        assert_eq!(changes.map(|change| change.after), shown);
        assert!(changes.iter().all(|change| change.provisional));
    }
    let elo = |player| ratings.get(TIC_TAC_TOE, player).unwrap().elo;
    let hundredths = [147_800, 148_200, 154_000].map(|sum| {
        let stored = postcard::to_allocvec(&(sum as u32)).unwrap();
        postcard::from_bytes::<Elo>(&stored).unwrap()
    });
    assert_eq!([elo(ANN), elo(BEN), elo(CAS)], hundredths);
    assert_eq!(ratings.rating(TIC_TAC_TOE, ANN), Rating { points: 1478, provisional: true });
    assert_eq!(ratings.rating(HANGMAN, ANN), Rating { points: 1500, provisional: true });
}

/// Twenty games, and the same win moves a rating half as far.
#[test]
fn a_rating_that_is_established_moves_less_and_is_on_the_ladder() {
    let mut ratings = Ratings::default();
    for _ in 0..PROVISIONAL_GAMES {
        assert_eq!(names(&ratings, Ladder::AllTime, 1), []);
        ratings.record(&round(ANN, BEN, Score::Drawn), at(1, 1));
    }
    assert!(!ratings.rating(TIC_TAC_TOE, ANN).provisional);
    let [ann, cas] = ratings.record(&round(ANN, CAS, Score::Won), at(1, 1)).unwrap();
    assert_eq!((ann.before, ann.after, ann.provisional), (1500, 1510, false));
    assert_eq!((cas.before, cas.after, cas.provisional), (1500, 1480, true));
    let (ann, ben) = (ANN.to_string(), BEN.to_string());
    let expected = [(1, ann, 1510, 21, 22), (2, ben, 1500, 20, 20)];
    assert_eq!(names(&ratings, Ladder::AllTime, 1), expected);
}

#[test]
fn casual_games_and_bots_leave_no_trace() {
    let mut ratings = Ratings::default();
    let casual = Ended { rated: false, ..round(ANN, BEN, Score::Won) };
    let mut with_bot = round(ANN, BEN, Score::Won);
    with_bot.sides[1].bot = true;
    let with_oneself = round(ANN, ANN, Score::Drawn);
    for ended in [casual, with_bot, with_oneself] {
        assert_eq!(ratings.record(&ended, at(1, 1)), None);
    }
    assert!(ratings.digest() == 0 && ratings.len() == 0 && ratings.freeze().is_empty());
    assert_eq!(ratings.card_json(ANN), r#"{"name":null,"games":{}}"#);
    assert_eq!(ratings.ladder_json("chess", Ladder::AllTime, 1, 5), r#"{"names":[]}"#);
}

/// The name is that of the newest game of all, and the newest of the last games is first.
#[test]
fn a_card_tells_what_was_played() {
    let mut ratings = Ratings::default();
    ratings.record(&round(ANN, BEN, Score::Won), at(1, 1));
    ratings.record(&round(CAS, ANN, Score::Won), at(2, 1));
    let mut renamed = Ended { game: HANGMAN, ..round(BEN, ANN, Score::Drawn) };
    renamed.sides[1].name = "Anna".into();
    ratings.record(&renamed, at(3, 1));
    assert_eq!(
        ratings.card_json(ANN),
        r#"{"name":"Anna","games":{"hangman":{"rating":1500,"provisional":true,"curve":[1500],"#
            .to_owned()
            + r#""games":1,"won":0,"lost":0,"drawn":1,"streak":0,"best_streak":0,"last":["#
            + r#"{"player":"p0000000000000002","name":"Ben","score":"draw","change":0}]},"#
            + r#""tic-tac-toe":{"rating":1499,"provisional":true,"curve":[1520,1499],"#
            + r#""games":2,"won":1,"lost":1,"drawn":0,"streak":0,"best_streak":1,"last":["#
            + r#"{"player":"p0000000000000003","name":"Cas","score":"lost","change":-21},"#
            + r#"{"player":"p0000000000000002","name":"Ben","score":"won","change":20}]}}}"#
    );
}

/// The curve and the last games are bounded, the counts are not; a streak ends with a draw.
#[test]
fn a_record_keeps_the_last_games_and_counts_all() {
    let mut ratings = Ratings::default();
    (0..40).for_each(|_| _ = ratings.record(&round(ANN, BEN, Score::Won), at(1, 1)));
    assert_eq!(ratings.streak(TIC_TAC_TOE, ANN), 40);
    ratings.record(&round(ANN, BEN, Score::Drawn), at(1, 1));
    let record = ratings.get(TIC_TAC_TOE, ANN).unwrap();
    assert_eq!((record.games(), record.curve.len(), record.last.len()), (41, 32, 10));
    assert_eq!((record.streak, record.best_streak), (0, 40));
    assert_eq!(record.last.back().map(|past| past.score), Some(Score::Drawn));
    assert_eq!(ratings.streak(TIC_TAC_TOE, CAS), 0);
}

/// Nobody's record is touched when a week begins, and yet all begin it with none.
#[test]
fn points_of_another_week_count_as_none() {
    let mut ratings = Ratings::default();
    ratings.record(&round(ANN, BEN, Score::Won), at(1, 7));
    ratings.record(&round(CAS, BEN, Score::Drawn), at(2, 7));
    let places = |ratings: &Ratings, week| -> Vec<(String, u64)> {
        let names = names(ratings, Ladder::Week(week), week);
        names.into_iter().map(|(_, player, _, _, points)| (player, points)).collect()
    };
    let [ann, ben, cas] = [ANN, BEN, CAS].map(|player| player.to_string());
    // Cas and Ben have one point each; Cas has the higher rating.
    let seventh = [(ann.clone(), 2), (cas.clone(), 1), (ben.clone(), 1)];
    assert_eq!(places(&ratings, 7), seventh);
    let digest = ratings.digest();
    assert_eq!(places(&ratings, 8), []);
    assert_eq!(ratings.digest(), digest);
    ratings.record(&round(BEN, ANN, Score::Won), at(3, 8));
    assert_eq!(places(&ratings, 8), [(ben, 2)]);
    // Who has played in the new week is not on the ladder of the old one any more.
    assert_eq!(places(&ratings, 7), [(cas, 1)]);
}

/// One more than there is place for, and who played longest ago is new again.
#[test]
fn who_played_longest_ago_is_forgotten_first() {
    let mut ratings = Ratings::default();
    let most = RECORDS_MAX as u64;
    for pair in 0..most / 2 {
        let (first, second) = (PlayerId(10 + 2 * pair), PlayerId(11 + 2 * pair));
        ratings.record(&round(first, second, Score::Won), at(1_000 + pair, 1));
    }
    assert_eq!(ratings.len(), RECORDS_MAX);
    // The oldest of all plays against somebody new: only the second oldest has to go.
    let [oldest, _] = ratings.record(&round(PlayerId(10), ANN, Score::Won), at(5_000, 1)).unwrap();
    assert_eq!(oldest.before, 1520);
    assert_eq!(ratings.len(), RECORDS_MAX);
    assert!(ratings.get(TIC_TAC_TOE, PlayerId(11)).is_none());
    assert!(ratings.get(TIC_TAC_TOE, PlayerId(12)).is_some());
    assert_eq!(names(&ratings, Ladder::Week(1), 1).len(), RECORDS_MAX / 2);
    assert_eq!(ratings.digest(), ratings.recompute_digest());
}

/// Three of one rating: who needed fewer games for it is above, and then the lower id.
#[test]
fn no_two_share_a_place() {
    let mut ratings = Ratings::default();
    for other in [ANN, CAS] {
        (0..20).for_each(|_| _ = ratings.record(&round(other, BEN, Score::Drawn), at(1, 1)));
    }
    let best = |ratings: &Ratings| ratings.games[TIC_TAC_TOE].ladders.best(Ladder::AllTime, 9);
    assert_eq!(best(&ratings), [ANN, CAS, BEN]);
}

/// Never more than a thousand names, and no more than are asked for.
#[test]
fn a_ladder_has_an_end() {
    let mut ladders = Ladders::default();
    let mut ratings = Ratings::default();
    ratings.record(&round(ANN, BEN, Score::Won), at(1, 1));
    let record = ratings.get(TIC_TAC_TOE, ANN).unwrap();
    (1..=1_100).for_each(|player| ladders.insert(PlayerId(player), record));
    assert_eq!(ladders.best(Ladder::Week(1), usize::MAX).len(), 1_000);
    assert_eq!(ladders.best(Ladder::Week(1), 3), [ANN, BEN, CAS]);
}

/// Ten thousand games between few or many, some of them casual or with a bot, weeks apart
/// now and then.
fn random_games(seed: u64, count: u32, players: u64) -> Vec<(Ended, When)> {
    let mut now_ms = 0;
    let games = (0..count).map(|nth| {
        let mut chance = Chance::of(seed, nth);
        let mut below = |most: u64| chance.below(most as usize).unwrap() as u64;
        let first = 1 + below(players);
        let second = 1 + (first + below(players - 1)) % players;
        let score = [Score::Won, Score::Won, Score::Lost, Score::Drawn][below(4) as usize];
        let mut ended = round(PlayerId(first), PlayerId(second), score);
        ended.game = [TIC_TAC_TOE, HANGMAN][below(2) as usize];
        ended.rated = below(8) > 0;
        ended.sides[0].bot = below(8) == 0;
        now_ms += below(3);
        (ended, at(now_ms, u64::from(nth) * 10 / u64::from(count)))
    });
    games.collect()
}

/// Replicas that take snapshots of each other at any time stay alike, to the byte; and what
/// one was frozen to does not change while play goes on.
#[test]
fn replicas_are_equal_after_ten_thousand_games() {
    for players in [20, 180] {
        let mut through = Ratings::default();
        let mut often = Ratings::default();
        let mut frozen = (through.freeze(), through.digest());
        for (nth, (ended, when)) in random_games(players, 10_000, players).iter().enumerate() {
            let changes = through.record(ended, *when);
            assert_eq!(changes, often.record(ended, *when));
            assert_eq!(through.digest(), often.digest());
            if Chance::of(3, nth as u32).below(400) == Some(0) {
                assert_eq!(restored(&bytes(frozen.0)).digest(), frozen.1);
                frozen = (through.freeze(), through.digest());
                often = restored(&bytes(often.freeze()));
            }
        }
        assert_eq!(bytes(through.freeze()), bytes(often.freeze()));
        assert_eq!(through.digest(), through.recompute_digest());
        let all = |ladder| [&through, &often].map(|ratings| names(ratings, ladder, 9));
        for ladder in [Ladder::AllTime, Ladder::Week(9)] {
            let [one, other] = all(ladder);
            assert!(one == other && !one.is_empty());
        }
        if players == 20 {
            let sum =
                |of: fn(&Record) -> u32| records(&through).map(|(_, _, r)| of(r)).sum::<u32>();
            assert_eq!(sum(|record| record.won), sum(|record| record.lost));
            assert_eq!(sum(|record| record.drawn) % 2, 0);
        } else {
            assert_eq!(through.len(), RECORDS_MAX);
        }
    }
}

/// The ladders by looking at every record.
fn naive(ratings: &Ratings, ladder: Ladder) -> Vec<PlayerId> {
    let of_game = |(game, player, record)| (game == TIC_TAC_TOE).then_some((player, record));
    let all: Vec<(PlayerId, &Record)> = records(ratings).filter_map(of_game).collect();
    let mut places: Vec<_> = match ladder {
        Ladder::AllTime => {
            let established = all.into_iter().filter(|(_, record)| record.games() >= 20);
            established.map(|(p, r)| (Reverse(0), Reverse(r.elo), r.games(), p)).collect()
        }
        Ladder::Week(week) => {
            let with_points = all.into_iter().filter(|(_, record)| record.points_of(week) > 0);
            with_points.map(|(p, r)| (Reverse(r.points_of(week)), Reverse(r.elo), 0, p)).collect()
        }
    };
    places.sort();
    places.into_iter().map(|place| place.3).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn ladders_are_what_a_sort_of_all_records_says(
        seed in any::<u64>(),
        count in 1..900u32,
        players in prop_oneof![Just(8_u64), Just(40), Just(400)],
        limit in 0..40usize,
    ) {
        let mut ratings = Ratings::default();
        for (ended, when) in random_games(seed, count, players) {
            ratings.record(&ended, when);
        }
        let back = restored(&bytes(ratings.freeze()));
        for ladder in [Ladder::AllTime, Ladder::Week(9), Ladder::Week(8)] {
            let sorted = naive(&ratings, ladder);
            let best = |ratings: &Ratings| {
                ratings.games.get(TIC_TAC_TOE).map(|game| game.ladders.best(ladder, limit))
            };
            prop_assert_eq!(best(&ratings).unwrap_or_default(), &sorted[..limit.min(sorted.len())]);
            prop_assert_eq!(best(&ratings), best(&back));
        }
        prop_assert_eq!(ratings.digest(), ratings.recompute_digest());
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let mut ratings = Ratings::default();
    (0..3).for_each(|_| _ = ratings.record(&round(ANN, BEN, Score::Won), at(1, 1)));
    let parts = bytes(ratings.freeze());
    let stored = || postcard::from_bytes::<StoredRecord>(&parts[0]).unwrap();
    let refused = |change: &dyn Fn(&mut Record)| {
        let mut stored = stored();
        change(Arc::make_mut(&mut stored.content));
        Ratings::default().restore(stored).unwrap_err()
    };
    let why = [
        refused(&|record| (record.won, record.best_streak, record.streak) = (0, 0, 0)),
        refused(&|record| record.won = u32::MAX),
        refused(&|record| _ = record.curve.pop_front()),
        refused(&|record| _ = record.last.pop_front()),
        refused(&|record| record.curve[2] += 1),
        refused(&|record| record.elo = postcard::from_bytes(&[0]).unwrap()),
        refused(&|record| record.streak = 4),
        refused(&|record| record.best_streak = 4),
        refused(&|record| record.won = 4),
        refused(&|record| record.name = "n".repeat(257).into()),
        refused(&|record| record.last[0].name = "n".repeat(257).into()),
    ];
    let distinct: BTreeSet<_> = why.into_iter().collect();
    assert_eq!(distinct.len(), 5, "{why:?}");
    let with = |change: &dyn Fn(&mut StoredRecord)| {
        let mut stored = stored();
        change(&mut stored);
        Ratings::default().restore(stored)
    };
    assert_eq!(with(&|_| {}), Ok(()));
    with(&|stored| stored.player = PlayerId(0)).unwrap_err();
    with(&|stored| stored.game = "".into()).unwrap_err();
    with(&|stored| stored.game = "g".repeat(65).into()).unwrap_err();
    restored(&parts).restore(stored()).unwrap_err();
}

/// A snapshot with more than there may be is refused at the one that is too many.
#[test]
fn there_are_at_most_so_many_records_and_games() {
    let mut one = Ratings::default();
    one.record(&round(ANN, BEN, Score::Won), at(1, 1));
    let part = bytes(one.freeze()).remove(0);
    let stored = |player, game: &str| {
        let mut stored: StoredRecord = postcard::from_bytes(&part).unwrap();
        (stored.player, stored.game) = (PlayerId(player), game.into());
        stored
    };
    let mut full = Ratings::default();
    for player in 1..=RECORDS_MAX as u64 {
        full.restore(stored(player, HANGMAN)).unwrap();
    }
    full.restore(stored(u64::MAX, HANGMAN)).unwrap_err();
    let mut games = Ratings::default();
    for game in 1..=GAMES_MAX {
        games.restore(stored(1, &format!("game {game}"))).unwrap();
    }
    games.restore(stored(1, "one more")).unwrap_err();
}
