//! Whatever players can send, the lobby that it leads to can be written and read back.
//!
//! A snapshot stands in for the log that it covers. One that cannot be read back loses
//! the lobby, at every replica at once; a blank with an accent behind it, in a guess,
//! once did that.

use hangraft_game::{
    Attempt, Batch, Command, Entry, Finished, Lane, Lobby, PlayerId, Restore, RoomId, Serial, Stamp,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};

const PLAYERS: u64 = 4;
const ROOMS: u64 = 3;

/// What is difficult about text: accents of their own, blanks that are none, joiners,
/// what turns around, controls, letters whose capitals grow, and much in one place.
const PIECES: &[&str] = &[
    " ",
    "\u{301}",
    "\u{308}\u{323}",
    "owl",
    "e",
    "É",
    "İ",
    "ı",
    "ß",
    "ẞ",
    "ŉ",
    "ǆ",
    "æ",
    "ĳ",
    "-",
    "'",
    "\u{2019}",
    "\u{2011}",
    "\u{a0}",
    "\u{3000}",
    "\u{200d}",
    "\u{200b}",
    "\u{ad}",
    "\u{3164}",
    "\u{2800}",
    "\u{202e}",
    "\u{2066}",
    "\u{fe0f}",
    "\u{e0041}",
    "\0",
    "\n",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{fffd}",
    "\u{ffff}",
    "\u{10ffff}",
    "👨‍👩‍👧",
    "علی‌رضا",
    "അവന്‍",
    "\"",
    "\\",
    "\\ud800",
    "{",
    "}",
    "\u{345}",
    "\u{1161}",
    "\u{e000}",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::collection::vec(select(PIECES), 0..8).prop_map(|pieces| pieces.concat()),
        2 => ".{0,40}",
        1 => (select(PIECES), 0..700_usize).prop_map(|(piece, times)| format!("x{}", piece.repeat(times))),
    ]
}

/// What is nearly a word: letters, with blanks and accents around them.
fn nearly_a_word() -> impl Strategy<Value = String> {
    let around = || {
        let pieces = select(&[" ", "\u{a0}", "\u{301}", "\u{308}"][..]);
        prop::collection::vec(pieces, 0..4).prop_map(|pieces| pieces.concat())
    };
    let letters = select(&["owl", "É", "ß", "İ", "o\u{301}w-l", "snow owl"][..]);
    (around(), letters, around()).prop_map(|(left, word, right)| format!("{left}{word}{right}"))
}

/// A move or options: mostly JSON, some of it written with escapes.
fn json(keys: &'static [&'static str]) -> impl Strategy<Value = String> {
    let value = (select(keys), prop_oneof![text(), nearly_a_word()])
        .prop_map(|(key, text)| serde_json::json!({ key: text }).to_string());
    let escaped = (select(keys), text()).prop_map(|(key, text)| {
        let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        format!("{{\"{key}\":\"{escaped}\"}}")
    });
    let lone = (select(keys), select(&["\\ud83d", "\\udc00x", "\\u0000", "\\ud800\\u0041"][..]))
        .prop_map(|(key, lone)| format!("{{\"{key}\":\"a{lone}\"}}"));
    prop_oneof![4 => value, 2 => escaped, 1 => lone, 1 => text()]
}

fn command() -> impl Strategy<Value = Command> {
    let room = || (1..=ROOMS).prop_map(RoomId);
    let options = prop_oneof![
        select(&["", r#"{"mode":"setter"}"#, r#"{"category":"animals"}"#][..])
            .prop_map(str::to_owned),
        json(&["mode", "category"]),
    ];
    let games = select(&["hangman", "hangman", "hangman", "tic-tac-toe"][..]);
    let game = prop_oneof![4 => games.prop_map(str::to_owned), 1 => text()];
    prop_oneof![
        1 => (game, options).prop_map(|(game, options)| Command::Open { game, options }),
        3 => (room(), text()).prop_map(|(room, name)| Command::Sit { room, name }),
        1 => room().prop_map(|room| Command::Stand { room }),
        6 => (room(), json(&["secret", "word", "letter", "cell"])).prop_map(|(room, mv)| Command::Play { room, mv }),
        1 => room().prop_map(|room| Command::Again { room }),
        3 => (room(), text(), text()).prop_map(|(room, name, text)| Command::Say { room, name, text }),
    ]
}

/// Two tables with a setter and one with a drawn word; everybody sits at each.
fn tables() -> Vec<(u64, Command)> {
    let open = |options: &str| Command::Open { game: "hangman".into(), options: options.into() };
    let mut wishes =
        vec![(1, open(r#"{"mode":"setter"}"#)), (2, open("")), (3, open(r#"{"mode":"setter"}"#))];
    for room in 1..=ROOMS {
        let sit = |player| (player, Command::Sit { room: RoomId(room), name: "Ann".into() });
        wishes.extend((1..=PLAYERS).map(sit));
    }
    wishes
}

fn written(lobby: &Lobby) -> Vec<u8> {
    lobby.freeze().chunks().flatten().collect()
}

/// Reads a lobby back from its bytes, cut into pieces.
fn read_back(bytes: &[u8], piece: usize) -> Lobby {
    let mut restore = Restore::new();
    for piece in bytes.chunks(piece) {
        restore.feed(piece).expect("what was written can be read");
    }
    restore.finish().expect("and is what it was")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// After every entry: through the log and through a snapshot, in both editions of the
    /// rules, byte by byte the same.
    #[test]
    fn what_players_send_can_be_written_and_read_back(
        wishes in prop::collection::vec((1..=PLAYERS, command()), 1..30),
        measured in any::<bool>(),
        piece in 1..9_000_usize,
        cut in any::<Index>(),
    ) {
        let wishes: Vec<_> = tables().into_iter().chain(wishes).collect();
        let cut = cut.index(wishes.len());
        let (mut through, mut restored) = (Lobby::default(), Lobby::default());
        for (nth, (player, command)) in wishes.into_iter().enumerate() {
            let nth = nth as u64;
            let stamp = Stamp {
                at_ms: 1_750_000_000_000 + nth * 700,
                seed: nth,
                passed_ms: measured.then_some(700), matches: false };
            let attempt = Attempt { lane: Lane::OWN, serial: Serial(nth + 1) };
            let entries = vec![Entry { player: PlayerId(player), attempt, command }];
            let batch = Batch { stamp, entries };
            let logged = Batch::decode(&batch.encode()).expect("our own bytes");
            prop_assert_eq!(&logged, &batch);
            for (lobby, batch) in [(&mut through, &batch), (&mut restored, &logged)] {
                lobby.tick(batch.stamp);
                lobby.apply(batch.stamp, 0, &batch.entries[0]);
            }
            let bytes = written(&through);
            let back = read_back(&bytes, piece);
            prop_assert_eq!(back.hash(), through.hash());
            prop_assert!(written(&back) == bytes, "it would be written differently");
            if nth as usize == cut {
                restored = back;
            }
            prop_assert_eq!(restored.hash(), through.hash());
        }
        // Nor does what is archived of it get lost.
        let mut stamp = Stamp { at_ms: 1_760_000_000_000, seed: 1, passed_ms: measured.then_some(60_000), matches: false };
        for _ in 0..70 {
            stamp.at_ms += 60_000;
            for finished in through.tick(stamp).finished {
                prop_assert_eq!(Finished::decode(&finished.encode()), Ok(finished));
            }
        }
    }
}

/// The words that once made a snapshot unreadable, at a setter's table and at another.
#[test]
fn a_blank_beside_an_accent_harms_nobody() {
    for passed_ms in [None, Some(1)] {
        for text in ["owl \u{301}", "\u{301} owl", "\u{301}\u{a0}owl\u{3000}\u{308}"] {
            let mut lobby = Lobby::default();
            let quoted = serde_json::to_string(text).expect("JSON");
            let secret = format!("{{\"secret\":{quoted}}}");
            let word = format!("{{\"word\":{quoted}}}");
            let moves = [(1, 1, secret), (2, 1, r#"{"letter":"o"}"#.to_owned()), (2, 2, word)];
            let play = |(player, room, mv)| (player, Command::Play { room: RoomId(room), mv });
            let wishes = tables().into_iter().chain(moves.into_iter().map(play));
            for (serial, (player, command)) in (1..).zip(wishes) {
                let stamp = Stamp { at_ms: serial, seed: serial, passed_ms, matches: false };
                let attempt = Attempt { lane: Lane::OWN, serial: Serial(serial) };
                lobby.apply(stamp, 0, &Entry { player: PlayerId(player), attempt, command });
            }
            assert_eq!(lobby.room(RoomId(1)).map(|room| room.state().as_str()), Some("playing"));
            assert_eq!(read_back(&written(&lobby), 64).hash(), lobby.hash(), "{text:?}");
        }
    }
}
