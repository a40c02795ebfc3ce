//! Matches of any kind, played in any way: what holds whatever the two do, and whenever
//! somebody looks.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;

use crate::bots;
use crate::chance::Chance;
use crate::clock::Now;
use crate::command::{Command, Edition};
use crate::contest::{By, Contest, Ended};
use crate::lobby::Lobby;
use crate::outbox::Outbox;
use crate::room::seats::Sitting;
use crate::room::{Room, Step};
use crate::rooms::{Activity, Change, Looked, Rooms};
use crate::rules::{Board, Strength};
use crate::snapshot::Restore;
use hangraft_ids::{PlayerId, RoomId};

const PLAYERS: u64 = 4;

/// Who plays what in which room, and with how many seconds for a move. Some are bots.
const TABLES: [(&str, u8, [Sitter; 2]); 5] = [
    ("tic-tac-toe", 10, [Sitter::Player(1), Sitter::Player(2)]),
    ("tic-tac-toe", 0, [Sitter::Player(3), Sitter::Player(1)]),
    ("hangman", 5, [Sitter::Player(2), Sitter::Player(3)]),
    ("tic-tac-toe", 5, [Sitter::Bot(Strength::Medium), Sitter::Player(2)]),
    ("hangman", 1, [Sitter::Player(1), Sitter::Bot(Strength::Hard)]),
];

#[derive(Clone, Copy)]
enum Sitter {
    Player(u64),
    Bot(Strength),
}

/// Something that happens.
#[derive(Clone, Debug)]
enum Deed {
    Asked(u64, Command),
    Shown(u64, RoomId, bool),
    /// Time passes, and whoever is due is looked at in time.
    Passed(u64),
    /// Time passes in one leap, and nobody looks yet, as when there is too much to do.
    Late(u64),
}

fn room() -> impl Strategy<Value = RoomId> {
    (1..=TABLES.len() as u64).prop_map(RoomId)
}

fn asked() -> impl Strategy<Value = Command> {
    let cell = (0..9u8).prop_map(|cell| format!(r#"{{"cell":{cell}}}"#));
    let letter = "[a-z]".prop_map(|letter| format!(r#"{{"letter":"{letter}"}}"#));
    let secret = Just(r#"{"secret":"owl"}"#.to_owned());
    let mv = prop_oneof![4 => cell, 4 => letter, 1 => secret];
    prop_oneof![
        20 => (room(), mv).prop_map(|(room, mv)| Command::Play { room, mv }),
        1 => room().prop_map(|room| Command::Resign { room }),
        3 => (room(), any::<bool>()).prop_map(|(room, agreed)| Command::Draw { room, agreed }),
        3 => (room(), any::<bool>()).prop_map(|(room, win)| Command::Claim { room, win }),
        5 => room().prop_map(|room| Command::Again { room }),
        1 => room().prop_map(|room| Command::Stand { room }),
        1 => room().prop_map(|room| Command::Lock { room, locked: false }),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    let player = || 1..=PLAYERS;
    let ms = prop_oneof![6 => 0..3_000u64, 2 => 0..12_000u64, 1 => 0..60_000u64];
    prop_oneof![
        12 => (player(), asked()).prop_map(|(player, asked)| Deed::Asked(player, asked)),
        2 => (player(), room(), any::<bool>())
            .prop_map(|(player, room, here)| Deed::Shown(player, room, here)),
        5 => ms.clone().prop_map(Deed::Passed),
        1 => ms.prop_map(Deed::Late),
    ]
}

/// A lobby with the rooms, and what came of them.
struct Play {
    lobby: Lobby,
    now_ms: u64,
    seed: u64,
    /// All that was told and decided, in words.
    told: String,
    /// The rounds that were decided.
    decided: BTreeSet<(RoomId, u32)>,
}

impl Play {
    fn begun() -> Play {
        let lobby = Lobby::default();
        let mut play =
            Play { lobby, now_ms: 7, seed: 1, told: String::new(), decided: BTreeSet::new() };
        for ((game, clock_s, sitters), id) in TABLES.into_iter().zip(1..) {
            let players = sitters.map(|sitter| match sitter {
                Sitter::Player(player) => PlayerId(player),
                Sitter::Bot(strength) => bots::of(game, strength).expect("there is one"),
            });
            let options = Board::match_options(game, "").expect("a match is played");
            let mut chance = Chance::of(id, 0);
            let board = Board::open(game, &options, &mut chance).expect("its own options");
            let contest =
                Contest::new(By::Seek, true, clock_s, players.map(|it| (it, None)), play.now_ms);
            let sittings = players.map(|player| Sitting {
                player,
                name: "Ann",
                likeness: "ann",
                here: player.0 % 2 == 0,
            });
            let now = play.now();
            let rooms = &mut play.lobby.rooms;
            rooms.open_contest(RoomId(id), board, contest, sittings, now, &mut chance);
        }
        play
    }

    fn now(&self) -> Now {
        Now { ms: self.now_ms, edition: Edition::Third }
    }

    /// Does something; and checks that what came of it may have.
    fn take(&mut self, deed: &Deed) {
        match deed {
            Deed::Asked(player, asked) => self.ask(PlayerId(*player), asked),
            Deed::Shown(player, room, here) => self.show(PlayerId(*player), *room, *here),
            Deed::Passed(ms) => {
                let end_ms = self.now_ms + ms;
                while let Some(due_ms) = self.lobby.rooms.due_ms().filter(|it| *it <= end_ms) {
                    self.now_ms = self.now_ms.max(due_ms);
                    self.look();
                }
                self.now_ms = end_ms;
            }
            Deed::Late(ms) => self.now_ms += ms,
        }
        assert_eq!(self.lobby.hash(), self.lobby.recompute_hash());
    }

    fn ask(&mut self, player: PlayerId, asked: &Command) {
        self.seed += 1;
        let (now, mut chance, id) = (self.now(), Chance::of(self.seed, 0), asked.room());
        let before = self.contest(id);
        let rooms = &mut self.lobby.rooms;
        let act = |room: &mut Room, step: &mut Step<'_>| room.take(player, asked, step);
        let changed = match asked {
            Command::Stand { room } => {
                rooms.stand(*room, player, now, &mut chance).map(|changed| changed.change)
            }
            _ => rooms.change(id, now, &mut chance, Activity::Yes, act).map(|it| it.change),
        };
        let overdue = before.as_ref().is_some_and(|before| is_overdue(before, now.ms));
        let may = !overdue || matches!(asked, Command::Again { .. } | Command::Stand { .. });
        assert!(may || changed.is_err(), "{asked:?} behind the deadline");
        let refused = changed.as_ref().err().map(|rejection| rejection.to_string());
        self.note(id, before, (changed.ok().flatten(), refused));
    }

    fn show(&mut self, player: PlayerId, id: RoomId, here: bool) {
        let (now, mut chance) = (self.now(), Chance::of_room(self.seed, id));
        let show = |room: &mut Room, step: &mut Step<'_>| {
            room.set_online(player, here, step);
            Ok(())
        };
        let before = self.contest(id);
        let changed = self.lobby.rooms.change(id, now, &mut chance, Activity::No, show);
        self.note(id, before, (changed.ok().and_then(|changed| changed.change), None));
    }

    /// Looks at every room whose time has come.
    fn look(&mut self) {
        self.seed += 1;
        for id in self.lobby.rooms.due(self.now_ms, TABLES.len()) {
            let before = self.contest(id);
            let looked = self.lobby.rooms.look(id, self.now(), self.seed);
            let change = match looked {
                Some(Looked::Changed(change)) => Some(change),
                Some(Looked::Left(_)) | None => None,
            };
            self.note(id, before, (change, None));
            let overdue = self.contest(id).is_some_and(|after| is_overdue(&after, self.now_ms));
            assert!(!overdue, "a flag hangs behind its deadline");
        }
    }

    fn contest(&self, id: RoomId) -> Option<Contest> {
        self.lobby.rooms.get(id).and_then(|room| room.contest().cloned())
    }

    /// Notes what came of something, and that it may have.
    fn note(
        &mut self,
        id: RoomId,
        before: Option<Contest>,
        led_to: (Option<Change>, Option<String>),
    ) {
        let Outbox { notices, ended, moved } = self.lobby.rooms.take_outbox();
        self.told += &format!("{led_to:?} {notices:?} {ended:?} {moved:?}");
        let Some(before) = before else { return assert_eq!(ended, []) };
        for ended in &ended {
            assert!(before.over().is_none() && ended.room == id, "it was over");
            let round = self.round(id);
            assert!(self.decided.insert((id, round)), "{id} was decided twice in round {round}");
            self.check(ended, &before);
        }
        let after = self.contest(id);
        if let Some(after) = after.filter(|after| after.over().is_some()) {
            let news = before.over().is_none();
            assert_eq!(ended.len(), usize::from(news), "an end is told once: {after:?}");
        }
    }

    fn check(&self, ended: &Ended, before: &Contest) {
        let awaited = before.awaited().expect("somebody is always awaited");
        match ended.how {
            "clock" => {
                let deadline_ms = awaited.deadline_ms.expect("there is a clock");
                assert!(self.now_ms >= deadline_ms, "{} ms early", deadline_ms - self.now_ms);
            }
            "claimed" => assert!(ended.sides.iter().all(|side| !side.bot)),
            _ => {}
        }
        let bot = ended.sides.iter().any(|side| side.bot);
        assert_eq!(ended.rated, !bot);
        let scores: BTreeSet<&str> = ended.sides.iter().map(|side| side.score.as_str()).collect();
        assert!(["draw", "lost,won"].contains(&&*Vec::from_iter(scores).join(",")));
    }

    fn round(&self, id: RoomId) -> u32 {
        let view = self.lobby.rooms.get(id).expect("it is there").view(None);
        let view: serde_json::Value = serde_json::from_str(&view).expect("JSON");
        view["round"].as_u64().and_then(|round| u32::try_from(round).ok()).expect("a number")
    }

    fn bytes(&self) -> Vec<u8> {
        self.lobby.freeze().chunks().flatten().collect()
    }

    /// The same, put together from its snapshot.
    fn restored(&self) -> Play {
        let mut restore = Restore::new();
        restore.feed(&self.bytes()).expect("our own bytes");
        let lobby = restore.finish().expect("our own snapshot");
        assert_eq!(told_by(&lobby.rooms), told_by(&self.lobby.rooms));
        let (told, decided) = (self.told.clone(), self.decided.clone());
        Play { lobby, now_ms: self.now_ms, seed: self.seed, told, decided }
    }
}

/// What lists say that are not stored.
fn told_by(rooms: &Rooms) -> String {
    let players = (1..=PLAYERS).map(PlayerId);
    let tables = players.map(|it| (rooms.tables_of(it), rooms.finished_contests_of(it)));
    format!("{:?} {:?} {}", Vec::from_iter(tables), rooms.due_ms(), rooms.has_deserted())
}

fn is_overdue(contest: &Contest, now_ms: u64) -> bool {
    let deadline_ms = contest.awaited().and_then(|awaited| awaited.deadline_ms);
    deadline_ms.is_some_and(|deadline_ms| deadline_ms <= now_ms)
}

proptest! {
    /// Replicas agree, also one that was restored in between; a round is decided once; a flag
    /// falls at its deadline, never before, and nothing is played behind it.
    #[test]
    fn a_match_is_decided_once_and_alike_everywhere(
        deeds in prop::collection::vec(deed(), 0..150),
        cut in any::<Index>(),
    ) {
        let mut one = Play::begun();
        let mut other = Play::begun();
        let cut = cut.index(deeds.len() + 1);
        for (nth, deed) in deeds.iter().enumerate() {
            if nth == cut {
                other = other.restored();
            }
            one.take(deed);
            other.take(deed);
            prop_assert_eq!(one.lobby.hash(), other.lobby.hash());
        }
        prop_assert_eq!(&one.told, &other.told);
        prop_assert_eq!(one.bytes(), other.bytes());
    }
}
