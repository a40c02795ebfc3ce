//! Ratings and numbers, through the lobby: ten thousand games of strangers, on replicas that
//! take snapshots of each other meanwhile.

use hangraft_game::{
    Attempt, Batch, Command, Entry, Lane, Lobby, OfferId, PlayerId, Reply, Restore, RoomId, Serial,
    Stamp, Wanted, bots,
};
use serde_json::Value;

const GAMES: u64 = 10_000;
const PLAYERS: u64 = 30;

/// Sunday the 29th of November 2026, ten in the evening.
const SUNDAY_EVENING_MS: u64 = 1_795_989_600_000;

/// Draws numbers for the test (Knuth's linear congruence).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Strangers who play, and what has come of it so far as they were told.
struct Strangers {
    draw: Draw,
    stamp: Stamp,
    serial: u64,
    /// Moves that were accepted.
    moves: u64,
    /// Matches that were made.
    matches: u64,
}

impl Strangers {
    fn new() -> Strangers {
        let stamp = Stamp { at_ms: SUNDAY_EVENING_MS, seed: 1, passed_ms: Some(0), matches: true };
        Strangers { draw: Draw(14), stamp, serial: 0, moves: 0, matches: 0 }
    }

    fn entry(&mut self, player: u64, command: Command) -> Entry {
        self.serial += 1;
        let attempt = Attempt { lane: Lane::OWN, serial: Serial(self.serial) };
        Entry { player: PlayerId(player), attempt, command }
    }

    /// A batch some seconds after the one before, by a leader whose wall clock may be wrong.
    fn batch(&mut self, entries: Vec<Entry>) -> Batch {
        let passed_ms = 1_000 + self.draw.below(4_000);
        let Stamp { at_ms, seed, .. } = self.stamp;
        let (at_ms, passed_ms) = (at_ms + passed_ms, Some(passed_ms));
        self.stamp = Stamp { at_ms, seed: seed + 1, passed_ms, matches: true };
        let wrong_ms = if self.draw.below(10) == 0 { self.draw.below(90_000) } else { 0 };
        Batch { stamp: Stamp { at_ms: at_ms - wrong_ms, ..self.stamp }, entries }
    }

    /// Two meet: rated or not, or one plays against a bot, and gives up at once.
    fn meeting(&mut self, [one, other]: [u64; 2]) -> Batch {
        let (name, likeness) = (format!("Player {one}"), String::new());
        let rated = self.draw.below(10) > 0;
        let wanted =
            Wanted { game: "tic-tac-toe".into(), options: String::new(), clock_s: 0, rated };
        self.matches += 1;
        let offer = OfferId(self.matches);
        if self.draw.below(20) == 0 {
            let to = (0..).map(|nth| PlayerId(u64::MAX - nth));
            let to =
                to.take(100).find(|id| bots::find(*id).is_some_and(|bot| bot.game == wanted.game));
            let room = RoomId(self.matches);
            let challenge = Command::Challenge { to, wanted, name, likeness };
            let entries =
                vec![self.entry(one, challenge), self.entry(one, Command::Resign { room })];
            return self.batch(entries);
        }
        let challenge = Command::Challenge { to: None, wanted, name, likeness: likeness.clone() };
        let accept = Command::Accept { offer, name: format!("Player {other}"), likeness };
        let entries = vec![self.entry(one, challenge), self.entry(other, accept)];
        self.batch(entries)
    }

    /// They try some moves, and one gives up or they agree on a draw, if it is not over.
    fn game(&mut self, [one, other]: [u64; 2]) -> Vec<Batch> {
        let room = RoomId(self.matches);
        let tries = self.draw.below(12);
        let mut moves = Vec::new();
        for nth in 0..tries {
            let mv = format!(r#"{{"cell":{}}}"#, self.draw.below(9));
            let player = if nth % 2 == 0 { one } else { other };
            moves.push(self.entry(player, Command::Play { room, mv }));
        }
        let end = if self.draw.below(5) == 0 {
            let draw = |player| (player, Command::Draw { room, agreed: true });
            vec![draw(one), draw(other)]
        } else {
            // Those with a lower number are better.
            let worse = if self.draw.below(4) == 0 { one.min(other) } else { one.max(other) };
            vec![(worse, Command::Resign { room })]
        };
        let end = end.into_iter().map(|(player, command)| self.entry(player, command)).collect();
        vec![self.batch(moves), self.batch(end)]
    }

    fn pair(&mut self) -> [u64; 2] {
        let one = self.draw.below(PLAYERS);
        let other = (one + 1 + self.draw.below(PLAYERS - 1)) % PLAYERS;
        [one + 1, other + 1]
    }

    /// Counts what was accepted.
    fn hear(&mut self, entry: &Entry, answer: &hangraft_game::Answer) {
        match &entry.command {
            Command::Play { .. } => self.moves += u64::from(answer.is_ok()),
            Command::Challenge { .. } | Command::Accept { .. } => {
                assert!(matches!(answer, Ok(Reply::Offered { .. })), "{answer:?}");
            }
            _ => {}
        }
    }
}

fn through_a_snapshot(lobby: &Lobby) -> Lobby {
    let mut restore = Restore::new();
    for chunk in lobby.freeze().chunks() {
        restore.feed(&chunk).unwrap();
    }
    restore.finish().unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn sum<'a>(numbers: impl Iterator<Item = &'a Value>) -> u64 {
    numbers.map(|number| number.as_u64().unwrap()).sum()
}

/// What everybody's cards say, added up.
fn total(lobby: &Lobby, what: &str) -> u64 {
    let cards = (1..=PLAYERS).map(|player| json(&lobby.card_json(PlayerId(player))));
    cards.map(|card| card["games"]["tic-tac-toe"][what].as_u64().unwrap_or_default()).sum()
}

/// Everything that is shown of it.
fn shown(lobby: &Lobby) -> Vec<String> {
    let cards = (1..=PLAYERS).map(|player| lobby.card_json(PlayerId(player)));
    let ladders = [false, true].map(|week| lobby.ladder_json("tic-tac-toe", week, 100));
    cards.chain(ladders).chain([lobby.live_json(), lobby.minutes_json().1]).collect()
}

/// Replicas that were restored in between, after any number of batches, hold and show the
/// same; and what is shown is what was answered.
#[test]
fn replicas_agree_on_ten_thousand_games() {
    let mut strangers = Strangers::new();
    let (mut through, mut restored) = (Lobby::default(), Lobby::default());
    let mut sundays = 0;
    for _ in 0..GAMES {
        let pair = strangers.pair();
        let mut batches = vec![strangers.meeting(pair)];
        if batches[0].entries[1].player == PlayerId(pair[1]) {
            batches.extend(strangers.game(pair));
        }
        for batch in &batches {
            for lobby in [&mut through, &mut restored] {
                lobby.tick(batch.stamp);
            }
            for (nth, entry) in (0..).zip(&batch.entries) {
                let applied = through.apply(batch.stamp, nth, entry);
                assert_eq!(applied.answer, restored.apply(batch.stamp, nth, entry).answer);
                strangers.hear(entry, &applied.answer);
            }
            assert_eq!(through.hash(), restored.hash());
            if strangers.draw.below(2_000) == 0 {
                restored = through_a_snapshot(&restored);
            }
        }
        sundays += u64::from(batches[0].stamp.at_ms < SUNDAY_EVENING_MS + 2 * 3_600_000);
    }
    assert!(0 < sundays && sundays < GAMES, "a week began meanwhile");
    assert_eq!(through.hash(), through.recompute_hash());
    assert_eq!(shown(&through), shown(&restored));
    is_what_was_played(&through, &strangers);
}

/// The counters against what was answered, and against each other.
fn is_what_was_played(lobby: &Lobby, strangers: &Strangers) {
    let live = json(&lobby.live_json());
    assert_eq!([&live["moves"], &live["matches"]], [strangers.moves, GAMES]);
    let sides = live["sides"]["tic-tac-toe"].as_object().unwrap();
    assert_eq!(sum(sides.values()), GAMES);
    let minutes = json(&lobby.minutes_json().1);
    assert_eq!(minutes.as_array().unwrap().len(), 60);
    // Games that counted: two records each.
    let [games, won, lost, drawn] =
        ["games", "won", "lost", "drawn"].map(|what| total(lobby, what));
    assert_eq!((won, won + lost + drawn, games % 2), (lost, games, 0));
    assert!(games > GAMES && games < 2 * GAMES * 9 / 10, "{games}");
    let longest = (1..=PLAYERS).map(|player| json(&lobby.card_json(PlayerId(player))));
    let longest = longest.filter_map(|card| card["games"]["tic-tac-toe"]["best_streak"].as_u64());
    assert_eq!(live["streak"]["length"], longest.max().unwrap());
    let names = |week| json(&lobby.ladder_json("tic-tac-toe", week, 5))["names"].clone();
    for week in [false, true] {
        let names = names(week);
        let names = names.as_array().unwrap();
        assert_eq!(names.len(), 5);
        let by = if week { "points" } else { "rating" };
        assert!(names.is_sorted_by_key(|name| std::cmp::Reverse(name[by].as_u64())), "{names:?}");
    }
    let best = names(false)[0]["player"].as_str().map(str::to_owned).unwrap();
    assert!(best.parse::<PlayerId>().unwrap() < PlayerId(10), "{best}");
}
