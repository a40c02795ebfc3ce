//! Same log, same bytes: properties of the lobby over any log at all.

mod kept;

use std::collections::BTreeMap;

use hangraft_game::{
    Attempt, Batch, Command, Entry, Filter, FrontendId, Lane, Lobby, Notice, NoticeNumber, OfferId,
    Passed, Place, PlayerId, Reply, Restore, Room, RoomId, Serial, Shelf, SnapshotError, Stamp,
    State, Wanted, bots, events_json,
};
use proptest::prelude::*;
use proptest::sample::Index;

use kept::Kept;

const PLAYERS: u64 = 6;
const ROOMS: u64 = 4;

/// Numbers that rooms of matches have, and offers.
const MATCHES: u64 = 12;

/// Words that appear in no name, chat or wrong guess of the logs below.
const SECRETS: [&str; 3] = ["jukebox quiz", "fjord", "vexing sphinx"];

fn json_move() -> impl Strategy<Value = String> {
    let letter = "[a-z]".prop_map(|letter| format!(r#"{{"letter":"{letter}"}}"#));
    let secret = prop::sample::select(&SECRETS[..]);
    let secret = secret.prop_map(|secret| format!(r#"{{"secret":"{secret}"}}"#));
    let word = prop_oneof![prop::sample::select(&SECRETS[..]), Just("banana"), Just("apple pie")];
    let word = word.prop_map(|word| format!(r#"{{"word":"{word}"}}"#));
    let odd = r#"\{"(letter|word|secret|x)":("[ a-zé'0-9]{0,3}"|[0-9]|\[\]|null)\}"#;
    let cell = (0..10u8).prop_map(|cell| format!(r#"{{"cell":{cell}}}"#));
    prop_oneof![8 => letter, 3 => secret, 2 => word, 4 => cell, 1 => odd, 1 => ".{0,30}"]
}

/// A game and how a room of it is opened.
fn game() -> impl Strategy<Value = (String, String)> {
    let hangman = options().prop_map(|options| ("hangman".to_owned(), options));
    let clock = prop_oneof![Just(""), Just(r#"{"clock":10}"#), Just(r#"{"clock":11}"#)];
    let tic_tac_toe = clock.prop_map(|options| ("tic-tac-toe".to_owned(), options.to_owned()));
    prop_oneof![4 => hangman, 1 => tic_tac_toe]
}

fn options() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just(r#"{"mode":"setter"}"#.to_owned()),
        2 => Just(String::new()),
        1 => Just(r#"{"category":"mythology","seats":3}"#.to_owned()),
        1 => r#"\{"(mode|category|seats)":("(setter|animals)"|[0-9]|\{\})\}"#,
        1 => ".{0,30}",
    ]
}

fn players() -> impl Strategy<Value = Vec<PlayerId>> {
    prop::collection::vec((1..=PLAYERS).prop_map(PlayerId), 0..4)
}

fn presence() -> impl Strategy<Value = Command> {
    let who = (1..3u64, 0..60u64, any::<bool>(), players(), players());
    who.prop_map(|(frontend, sequence, whole, arrived, departed)| Command::Presence {
        frontend: FrontendId(frontend),
        sequence,
        whole,
        arrived,
        departed,
    })
}

fn places() -> impl Strategy<Value = Vec<Place>> {
    let room = prop_oneof![3 => (1..=ROOMS + MATCHES).prop_map(RoomId), 2 => Just(RoomId::ONLINE)];
    let place = (1..=PLAYERS, room).prop_map(|(who, room)| (PlayerId(who), room));
    prop::collection::vec(place, 0..6)
}

fn here() -> impl Strategy<Value = Command> {
    let who = (1..3u64, 0..60u64, any::<bool>(), places(), places());
    who.prop_map(|(frontend, sequence, whole, came, went)| Command::Here {
        frontend: FrontendId(frontend),
        sequence,
        whole,
        came,
        went,
    })
}

/// What players could not do before rooms had hosts.
fn newer() -> impl Strategy<Value = Command> {
    let room = || (1..=ROOMS).prop_map(RoomId);
    let join = (room(), "[A-Z][a-z]{0,2}").prop_map(|(room, name)| {
        let likeness = name.to_lowercase();
        Command::Join { room, name, likeness }
    });
    let host = (game(), any::<bool>());
    prop_oneof![
        2 => host.prop_map(|((game, options), public)| Command::Host { game, options, public }),
        6 => join,
        1 => (room(), (1..=PLAYERS).prop_map(PlayerId))
            .prop_map(|(room, player)| Command::Remove { room, player }),
        1 => (room(), any::<bool>()).prop_map(|(room, locked)| Command::Lock { room, locked }),
        1 => (room(), any::<bool>()).prop_map(|(room, public)| Command::Publish { room, public }),
        6 => here(),
    ]
}

/// What came with matches.
fn wanted() -> impl Strategy<Value = Wanted> {
    let game = prop_oneof![
        6 => Just(("tic-tac-toe", "")),
        3 => Just(("hangman", "")),
        1 => Just(("hangman", r#"{"mode":"together"}"#)),
        1 => Just(("chess", "{}")),
    ];
    let clock_s = prop_oneof![3 => Just(0), 3 => Just(10), 1 => any::<u8>()];
    (game, clock_s, any::<bool>()).prop_map(|((game, options), clock_s, rated)| Wanted {
        game: game.into(),
        options: options.into(),
        clock_s,
        rated,
    })
}

fn matches() -> impl Strategy<Value = Command> {
    let offer = || (1..=MATCHES).prop_map(OfferId);
    let room = || (ROOMS + 1..=ROOMS + MATCHES).prop_map(RoomId);
    let name = || "[A-Z][a-z]{0,2}";
    let within = prop_oneof![Just(0), Just(200), Just(1)];
    let bot_after_ms =
        prop_oneof![Just(None), Just(Some(0)), Just(Some(5_000)), any::<Option<u32>>()];
    let somebody = (1..=PLAYERS).prop_map(|player| Some(PlayerId(player)));
    let bot = (0..8u64).prop_map(|nth| Some(PlayerId(u64::MAX - nth)));
    let to = prop_oneof![1 => Just(None), 3 => somebody, 1 => bot];
    prop_oneof![
        9 => (wanted(), name(), within, bot_after_ms).prop_map(
            |(wanted, name, within, bot_after_ms)| {
                let likeness = name.to_lowercase();
                Command::Seek { wanted, name, likeness, within, bot_after_ms }
            }
        ),
        3 => (to, wanted(), name()).prop_map(|(to, wanted, name)| {
            let likeness = name.to_lowercase();
            Command::Challenge { to, wanted, name, likeness }
        }),
        4 => (offer(), name()).prop_map(|(offer, name)| {
            let likeness = name.to_lowercase();
            Command::Accept { offer, name, likeness }
        }),
        1 => offer().prop_map(|offer| Command::Decline { offer }),
        1 => offer().prop_map(|offer| Command::Withdraw { offer }),
        1 => room().prop_map(|room| Command::Resign { room }),
        2 => (room(), any::<bool>()).prop_map(|(room, agreed)| Command::Draw { room, agreed }),
        1 => (room(), any::<bool>()).prop_map(|(room, win)| Command::Claim { room, win }),
        9 => (room(), json_move()).prop_map(|(room, mv)| Command::Play { room, mv }),
        3 => room().prop_map(|room| Command::Again { room }),
        1 => room().prop_map(|room| Command::Stand { room }),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    let room = || (1..=ROOMS).prop_map(RoomId);
    let name = || prop_oneof![5 => "[A-Z][a-z]{0,3}", 1 => ".{0,30}"];
    prop_oneof![
        2 => game().prop_map(|(game, options)| Command::Open { game, options }),
        5 => (room(), name()).prop_map(|(room, name)| Command::Sit { room, name }),
        1 => room().prop_map(|room| Command::Stand { room }),
        14 => (room(), json_move()).prop_map(|(room, mv)| Command::Play { room, mv }),
        3 => room().prop_map(|room| Command::Again { room }),
        2 => (room(), name(), "[a-z ]{0,5}")
            .prop_map(|(room, name, text)| Command::Say { room, name, text }),
        3 => presence(),
        8 => newer(),
        24 => matches(),
    ]
}

/// Serials are from a small range, so that some come again with another wish.
fn entry() -> impl Strategy<Value = Entry> {
    (1..=PLAYERS, 0..2u64, 0..200u64, command()).prop_map(|(player, lane, serial, command)| Entry {
        player: PlayerId(player),
        attempt: Attempt { lane: Lane(lane), serial: Serial(serial) },
        command,
    })
}

/// Batches with little time between most of them, and a lot between some,
/// after a first one that sets the tables. The first of them are an older build's, those
/// behind them are of before there were matches, and the leaders' wall clocks are not to be
/// relied on.
fn log() -> impl Strategy<Value = Vec<Batch>> {
    let gap_ms = prop_oneof![20 => 0..2_000u64, 2 => 0..90_000u64];
    let wrong_ms = prop_oneof![9 => Just(0), 1 => 0..10_000_000u64];
    let batch = (gap_ms, wrong_ms, any::<u64>(), prop::collection::vec(entry(), 0..6));
    let batches = prop::collection::vec(batch, 0..60);
    let old = || prop_oneof![3 => Just(0), 1 => 0..30usize];
    (old(), old(), batches).prop_map(|(first, second, batches)| {
        let begins = Stamp { at_ms: 1_750_000_000_000, seed: 1, passed_ms: None, matches: false };
        let edition = |nth: usize, passed_ms, stamp| {
            let passed_ms = (nth >= first).then_some(passed_ms);
            Stamp { passed_ms, matches: nth >= first + second, ..stamp }
        };
        let mut stamp = edition(0, 1, begins);
        let mut log = vec![Batch { stamp, entries: tables() }];
        for (nth, (gap_ms, wrong_ms, seed, entries)) in (1..).zip(batches) {
            let at_ms = stamp.at_ms + gap_ms;
            stamp = edition(nth, gap_ms, Stamp { at_ms, seed, ..stamp });
            let known = |entry: &Entry| stamp.matches || is_of_before(&entry.command);
            let entries = entries.into_iter().filter(known).collect();
            log.push(Batch { stamp: Stamp { at_ms: at_ms - wrong_ms, ..stamp }, entries });
        }
        log
    })
}

/// Whether it may be logged before every member knows of matches.
fn is_of_before(command: &Command) -> bool {
    command.needs().is_none_or(|feature| feature.to_string() != "lobby:matches")
}

/// Opens the rooms, half of them with a setter, one of tic-tac-toe with a clock, and seats
/// most players in most.
fn tables() -> Vec<Entry> {
    let opens = (1..=ROOMS).map(|room| {
        let options = if room % 2 == 0 { r#"{"mode":"setter"}"# } else { "" };
        let (game, options) = match room {
            3 => ("tic-tac-toe".into(), r#"{"clock":10}"#.into()),
            _ => ("hangman".into(), options.into()),
        };
        // The first two as they were before rooms had hosts.
        let open = match room {
            ..3 => Command::Open { game, options },
            _ => Command::Host { game, options, public: room % 2 == 0 },
        };
        (1, open)
    });
    let sits = (1..=ROOMS).flat_map(|room| {
        let seated = (1..=PLAYERS).filter(move |player| player % ROOMS != room % ROOMS);
        seated.map(move |player| (player, Command::Sit { room: RoomId(room), name: "Ann".into() }))
    });
    let entry = |(serial, (player, command))| Entry {
        player: PlayerId(player),
        attempt: Attempt { lane: Lane(9), serial: Serial(serial) },
        command,
    };
    (1..).zip(opens.chain(sits)).map(entry).collect()
}

/// Takes a batch, and tells everything that came of it.
fn take(lobby: &mut Lobby, batch: &Batch) -> String {
    let Passed { changes, finished, told } = lobby.tick(batch.stamp);
    let mut told = format!("{changes:?} {finished:?} {told:?}");
    for (nth, entry) in (0..).zip(&batch.entries) {
        told += &format!("{:?}", lobby.apply(batch.stamp, nth, entry));
    }
    told
}

fn snapshot(lobby: &Lobby) -> Vec<u8> {
    lobby.freeze().chunks().flatten().collect()
}

fn restore(bytes: &[u8], piece: usize) -> Result<Lobby, SnapshotError> {
    let mut restore = Restore::new();
    for piece in bytes.chunks(piece) {
        restore.feed(piece)?;
    }
    restore.finish()
}

fn after(log: &[Batch]) -> Lobby {
    let mut lobby = Lobby::default();
    for batch in log {
        take(&mut lobby, batch);
    }
    lobby
}

proptest! {
    #[test]
    fn replicas_of_one_log_hold_the_same_bytes(log in log()) {
        let mut one = Lobby::default();
        let mut other = Lobby::default();
        for batch in &log {
            let through_the_log = Batch::decode(&batch.encode()).expect("our own bytes");
            prop_assert_eq!(take(&mut one, batch), take(&mut other, &through_the_log));
            prop_assert_eq!(one.hash(), other.hash());
            prop_assert_eq!(one.hash(), one.recompute_hash());
        }
        prop_assert_eq!(snapshot(&one), snapshot(&other));
    }

    #[test]
    fn a_snapshot_taken_anywhere_changes_nothing(
        log in log(),
        cut in any::<Index>(),
        piece in 1..5_000usize,
    ) {
        let (before, behind) = log.split_at(cut.index(log.len() + 1));
        let mut through = after(before);
        let frozen = through.freeze();
        let mut restored = restore(&snapshot(&through), piece).expect("our own snapshot");
        prop_assert_eq!(frozen.hash(), restored.hash());
        for batch in behind {
            prop_assert_eq!(take(&mut through, batch), take(&mut restored, batch));
            prop_assert_eq!(through.hash(), restored.hash());
            prop_assert_eq!(through.due_in_ms(), restored.due_in_ms());
        }
        prop_assert_eq!(snapshot(&through), snapshot(&restored));
        // What was frozen has stayed as it was.
        let late = Restore::new();
        let late = frozen.chunks().try_fold(late, |mut late, chunk| late.feed(&chunk).map(|()| late));
        prop_assert_eq!(late.and_then(Restore::finish).map(|lobby| lobby.hash()), Ok(frozen.hash()));
    }

    #[test]
    fn every_entry_twice_is_every_entry_once(log in log()) {
        let mut once = Lobby::default();
        let mut twice = Lobby::default();
        for batch in &log {
            once.tick(batch.stamp);
            twice.tick(batch.stamp);
            for (nth, entry) in (0..).zip(&batch.entries) {
                let answer = once.apply(batch.stamp, nth, entry).answer;
                prop_assert_eq!(&twice.apply(batch.stamp, nth, entry).answer, &answer);
                // Again, with another chance: it must not matter.
                let again = twice.apply(batch.stamp, nth + 1000, entry);
                prop_assert_eq!(again.answer, answer);
                prop_assert!(again.changes.is_empty());
            }
            prop_assert_eq!(once.hash(), twice.hash());
        }
    }

    #[test]
    fn versions_are_counted_and_told_without_gaps(log in log()) {
        let mut lobby = Lobby::default();
        let mut versions = BTreeMap::new();
        for batch in &log {
            let mut changes = lobby.tick(batch.stamp).changes;
            for (nth, entry) in (0..).zip(&batch.entries) {
                let outcome = lobby.apply(batch.stamp, nth, entry);
                if outcome.answer.is_err() {
                    prop_assert!(outcome.changes.is_empty());
                }
                changes.extend(outcome.changes);
            }
            for change in changes {
                let version = versions.entry(change.room).or_insert(0);
                *version += 1;
                prop_assert_eq!(change.version.0, *version);
                prop_assert!(!change.events.is_empty());
            }
            let all = Filter { shelf: Shelf::All, ..Filter::default() };
            for room in lobby.rooms(&all, None, 100) {
                prop_assert_eq!(Some(&room.version().0), versions.get(&room.id()));
            }
        }
    }

    /// Who keeps a view by its steps sees what the whole view shows: whatever is played,
    /// whoever looks, and also as somebody comes to see more than others, or no more than they.
    #[test]
    fn steps_lead_from_each_view_to_the_next(log in log()) {
        let mut lobby = Lobby::default();
        let mut kept = Kept::by((1..=PLAYERS).map(PlayerId).chain([PlayerId(u64::MAX)]));
        for batch in &log {
            let passed = lobby.tick(batch.stamp);
            kept.see(&lobby, &passed.changes);
            for (nth, entry) in (0..).zip(&batch.entries) {
                let outcome = lobby.apply(batch.stamp, nth, entry);
                kept.see(&lobby, &outcome.changes);
            }
        }
    }

    /// Whatever is sought, taken, declined, expires or is abandoned: an offer that stood ends
    /// once, for its owner in one of two notices; and two who are matched are told of the
    /// same room, by each other's names, in different seats. Nobody has too many.
    #[test]
    fn an_offer_ends_once_and_both_sides_agree(log in log()) {
        let mut lobby = Lobby::default();
        let mut ended: BTreeMap<(PlayerId, OfferId), u32> = BTreeMap::new();
        let mut seats: BTreeMap<RoomId, BTreeMap<u8, (PlayerId, PlayerId)>> = BTreeMap::new();
        let mut heard: BTreeMap<PlayerId, NoticeNumber> = BTreeMap::new();
        for batch in &log {
            let mut told = lobby.tick(batch.stamp).told;
            for (nth, entry) in (0..).zip(&batch.entries) {
                let before = lobby.hash();
                let outcome = lobby.apply(batch.stamp, nth, entry);
                prop_assert!(outcome.answer.is_ok() || outcome.told.is_empty());
                prop_assert!(outcome.answer != Err(hangraft_game::Rejection::Busy) || before == lobby.hash());
                told.extend(outcome.told);
            }
            for player in told {
                let since = heard.get(&player).copied().unwrap_or_default();
                let news = lobby.notices_after(player, Some(since));
                prop_assert!(!news.resync);
                for (number, notice) in news.notices {
                    prop_assert_eq!(Some(number), Some(heard.get(&player).map_or(number, |last| last.next())));
                    heard.insert(player, number);
                    match notice {
                        Notice::Matched { offer, room, seat, other, rating, .. } => {
                            *ended.entry((player, offer)).or_default() += 1;
                            prop_assert_eq!(rating.is_none(), bots::find(other.player).is_some());
                            let twice = seats.entry(room).or_default().insert(seat.0, (player, other.player));
                            prop_assert!(twice.is_none(), "two in one seat");
                        }
                        Notice::Unmatched { offer, .. } => *ended.entry((player, offer)).or_default() += 1,
                        _ => {}
                    }
                }
            }
        }
        prop_assert!(ended.values().all(|count| *count == 1), "{:?}", ended);
        for (room, both) in seats {
            let people: Vec<_> = both.values().collect();
            match people[..] {
                [(one, other)] => prop_assert!(bots::find(*other).is_some(), "{one} alone in {room}"),
                [(one, other), (two, second)] => prop_assert_eq!((one, other), (second, two)),
                _ => prop_assert!(false, "{room}"),
            }
        }
        for player in (1..=PLAYERS).map(PlayerId) {
            let (seeks, total) = lobby.open_seeks(1_000);
            prop_assert!(seeks.len() == total);
            prop_assert!(seeks.iter().filter(|seek| seek.player == player).count() <= 5);
        }
    }

    /// The shorter lists are the long one without what does not belong there.
    #[test]
    fn lists_hold_what_they_say(log in log()) {
        let mut lobby = Lobby::default();
        for batch in &log {
            take(&mut lobby, batch);
            for state in State::ALL.into_iter().map(Some).chain([None]) {
                let list = |shelf| lobby.rooms(&Filter { game: None, state, shelf }, None, 100);
                let ids = |rooms: Vec<_>| -> Vec<RoomId> {
                    rooms.into_iter().map(|room: &std::sync::Arc<Room>| room.id()).collect()
                };
                let (mut public, mut open) = (list(Shelf::All), list(Shelf::All));
                public.retain(|room| room.is_public());
                open.retain(|room| room.is_open());
                prop_assert_eq!(ids(list(Shelf::Public)), ids(public));
                prop_assert_eq!(ids(list(Shelf::Open)), ids(open));
            }
        }
    }

    #[test]
    fn a_hidden_word_is_shown_to_nobody_but_its_setter(log in log()) {
        let mut lobby = Lobby::default();
        // Per room: what was shown in this round to those who may not know.
        let mut shown: BTreeMap<RoomId, String> = BTreeMap::new();
        for batch in &log {
            lobby.tick(batch.stamp);
            for (nth, entry) in (0..).zip(&batch.entries) {
                let outcome = lobby.apply(batch.stamp, nth, entry);
                for change in &outcome.changes {
                    look(&lobby, change.room, &events_json(&change.events), &mut shown)?;
                }
                if let Ok(Reply::Accepted { .. }) = outcome.answer {
                    let printed = format!("{entry:?}");
                    prop_assert!(!printed.contains("secret"));
                }
            }
        }
    }

    #[test]
    fn a_damaged_snapshot_is_refused(
        log in log(),
        at in any::<Index>(),
        xor in 1..=255u8,
        piece in 1..5_000usize,
    ) {
        let mut bytes = snapshot(&after(&log));
        let cut = at.index(bytes.len());
        prop_assert!(restore(&bytes[..cut], piece).is_err());
        bytes[cut] ^= xor;
        prop_assert!(restore(&bytes, piece).is_err());
        bytes[cut] ^= xor;
        bytes.push(0);
        prop_assert_eq!(restore(&bytes, piece).err(), Some(SnapshotError::LeftOver));
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut ours = vec![1];
        ours.extend(&bytes);
        for bytes in [&bytes, &ours] {
            let _ = Batch::decode(bytes);
            let _ = hangraft_game::Finished::decode(bytes);
            prop_assert!(restore(bytes, 7).is_err());
        }
    }

    #[test]
    fn whatever_is_typed_is_answered(
        player in any::<u64>(),
        serial in any::<u64>(),
        texts in prop::collection::vec(".{0,60}", 5),
        room in 0..3u64,
        stamp in (any::<u64>(), any::<u64>(), any::<Option<u64>>()),
    ) {
        let mut lobby = after(&[opening()]);
        let room = RoomId(room);
        let [game, options, name, text, mv] = texts.try_into().expect("five texts");
        let commands = [
            Command::Open { game, options: options.clone() },
            Command::Open { game: "hangman".into(), options: options.clone() },
            Command::Sit { room, name: name.clone() },
            Command::Play { room, mv: mv.clone() },
            Command::Play { room, mv: serde_json::json!({ "word": mv }).to_string() },
            Command::Play { room, mv: serde_json::json!({ "letter": mv }).to_string() },
            Command::Say { room, name: name.clone(), text },
            Command::Again { room },
            Command::Stand { room },
            Command::Host { game: "hangman".into(), options: name.clone(), public: true },
            Command::Join { room, name: name.clone(), likeness: name.clone() },
            Command::Remove { room, player: PlayerId(serial) },
            Command::Lock { room, locked: true },
            Command::Publish { room, public: true },
            Command::Seek {
                wanted: Wanted { game: "hangman".into(), options, clock_s: 9, rated: true },
                name: name.clone(),
                likeness: mv.clone(),
                within: 7,
                bot_after_ms: Some(7),
            },
            Command::Accept { offer: OfferId(serial), name, likeness: mv },
            Command::Draw { room, agreed: true },
        ];
        for (lane, command) in (0..).zip(commands) {
            let stamp = Stamp { at_ms: stamp.0, seed: stamp.1, passed_ms: stamp.2, matches: stamp.2.is_some() };
            let attempt = Attempt { lane: Lane(lane), serial: Serial(serial) };
            lobby.apply(stamp, 0, &Entry { player: PlayerId(player), attempt, command });
            lobby.tick(stamp);
            prop_assert_eq!(lobby.hash(), lobby.recompute_hash());
        }
    }
}

/// Links to rooms that were opened after a backup outlive the cluster: in the one that is
/// begun from the backup, nobody meets a stranger behind such a link.
#[test]
fn a_lobby_that_begins_anew_gives_no_number_again() {
    let backup = after(&[opening()]);
    let newest = backup.freeze().newest_room();
    let mut lost = backup.clone();
    take(&mut lost, &opening_with(2));
    let given = lost.freeze().newest_room();
    assert!(given > newest);

    let bytes: Vec<u8> = backup.freeze().begun_anew().chunks().flatten().collect();
    let mut anew = restore(&bytes, bytes.len()).expect("its hash is its own");
    assert_eq!(anew.rooms(&Default::default(), None, 9).len(), backup.len());
    take(&mut anew, &opening_with(2));
    let next = anew.freeze().newest_room();
    assert!(next.0 > given.0 + 1_000_000, "{next:?} is far behind {given:?}");
}

/// Opens room 1.
fn opening() -> Batch {
    opening_with(1)
}

/// Opens another room with every other serial.
fn opening_with(serial: u64) -> Batch {
    let command = Command::Open { game: "hangman".into(), options: String::new() };
    let attempt = Attempt { lane: Lane::OWN, serial: Serial(serial) };
    Batch {
        stamp: Stamp { at_ms: 1, seed: 1, passed_ms: Some(1), matches: false },
        entries: vec![Entry { player: PlayerId(1), attempt, command }],
    }
}

/// Looks at a room with everybody's eyes, and with a developer's.
fn look(
    lobby: &Lobby,
    id: RoomId,
    events: &str,
    shown: &mut BTreeMap<RoomId, String>,
) -> Result<(), TestCaseError> {
    let room = lobby.room(id).expect("it has just changed");
    let gallery: serde_json::Value = serde_json::from_str(&room.view(None)).expect("JSON");
    let seen = shown.entry(id).or_default();
    if let Some(answer) = gallery["answer"].as_str() {
        prop_assert!(room.state().is_over());
        let quoted = format!("\"{answer}\"");
        prop_assert!(!seen.contains(&quoted), "{answer} was in {seen}");
        prop_assert!(!SECRETS.contains(&answer) || !seen.contains(answer), "{answer} in {seen}");
        seen.clear();
        return Ok(());
    }
    // Who gives up before a word is set has nothing to show.
    let no_word = room.game() != "hangman" || gallery["match"].is_object();
    prop_assert!(!room.state().is_over() || no_word);
    *seen += events;
    *seen += &format!("{room:?}");
    for viewer in std::iter::once(None).chain((1..=PLAYERS).map(|id| Some(PlayerId(id)))) {
        let view = room.view(viewer);
        if room.audience(viewer) == hangraft_game::Audience::GALLERY {
            prop_assert_eq!(&view, &room.view(None));
            *seen += &view;
        } else {
            prop_assert_eq!(gallery["mode"].as_str(), Some("setter"));
            let view: serde_json::Value = serde_json::from_str(&view).expect("JSON");
            prop_assert!(view["answer"].is_string());
        }
    }
    Ok(())
}
