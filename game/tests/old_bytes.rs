//! Bytes of old must stay readable, and must still mean the same.
//!
//! `tests/data` holds logs, and the snapshot of a lobby after the first. When one
//! of these tests fails, nodes of this build could not work with what older ones
//! have stored: either mend that, or begin a new format and keep both.
//! `cargo test -p hangraft-game --test old_bytes -- --ignored --nocapture`
//! writes the newest log anew and prints its hash, which is right only while
//! nobody has stored anything of its format.

use std::path::PathBuf;

use hangraft_game::{
    Attempt, Batch, Command, Entry, FrontendId, Lane, Lobby, PlayerId, Restore, RoomId, Serial,
    Stamp,
};

/// What was written, and the lobby's hash after the log. The first of before rooms
/// had hosts, when batches said what wall clocks showed.
const WRITTEN: [(&str, &str, u64); 2] = [
    ("lobby-v1.snapshot", "log-v1.batches", 0xb732_7f21_f7cd_76cc),
    ("lobby-v2.snapshot", "log-hosts.batches", 0x4177_8b8e_7d01_354a),
];

/// The lobby's hash after the second log, whose batches say how much time passes.
const HASH_V2: u64 = 0xa658_78ee_5dee_8d4d;

/// The lobby's hash after `untidy-v1.batches`, as the build that took them had it.
const HASH_UNTIDY: u64 = 0x90cb_dde6_459f_7a72;

#[test]
fn an_old_snapshot_restores_to_what_it_was() {
    for (snapshot, _, hash) in WRITTEN {
        let mut restore = Restore::new();
        restore.feed(&read(snapshot)).expect("an old snapshot can be read");
        let lobby = restore.finish().expect("an old snapshot is whole");
        assert_eq!(lobby.hash(), hash, "{snapshot}: {:#018x}", lobby.hash());
        let bytes: Vec<u8> = lobby.freeze().chunks().flatten().collect();
        assert!(bytes == read(snapshot), "{snapshot} would be written differently today");
    }
}

#[test]
fn an_old_log_leads_to_the_same_lobby() {
    let second = [("log-v2.batches", HASH_V2)];
    for (log, hash) in WRITTEN.map(|(_, log, hash)| (log, hash)).into_iter().chain(second) {
        let mut lobby = Lobby::default();
        for batch in batches(&read(log)) {
            take(&mut lobby, &Batch::decode(batch).expect("an old batch can be read"));
        }
        assert_eq!(lobby.hash(), hash, "{log}: {:#018x}", lobby.hash());
    }
}

/// Words that today would be tidied whole: the build that took them could write a snapshot
/// with them and not read it. Both their log and that snapshot are good, and the same.
#[test]
fn a_snapshot_with_an_untidy_word_is_read() {
    let mut restore = Restore::new();
    restore.feed(&read("untidy-v1.snapshot")).expect("it can be read");
    let restored = restore.finish().expect("it is whole");
    let mut lobby = Lobby::default();
    for batch in batches(&read("untidy-v1.batches")) {
        take(&mut lobby, &Batch::decode(batch).expect("an old batch can be read"));
    }
    for lobby in [restored, lobby] {
        assert_eq!(lobby.hash(), HASH_UNTIDY, "{:#018x}", lobby.hash());
        let bytes: Vec<u8> = lobby.freeze().chunks().flatten().collect();
        assert!(bytes == read("untidy-v1.snapshot"), "it would be written differently today");
    }
}

/// The batches of a log file: each behind its length, four bytes.
fn batches(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut batches = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let (batch, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
        batches.push(batch);
        bytes = rest;
    }
    batches
}

fn take(lobby: &mut Lobby, batch: &Batch) {
    lobby.tick(batch.stamp);
    for (nth, entry) in (0..).zip(&batch.entries) {
        lobby.apply(batch.stamp, nth, entry);
    }
}

fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "data", name].iter().collect()
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

#[test]
#[ignore = "writes tests/data anew; see the top of the file"]
fn write_the_old_bytes() {
    let [_, (snapshot, hosts, _)] = WRITTEN;
    for (log, story) in [("log-v2.batches", story(command)), (hosts, story(newer))] {
        let mut lobby = Lobby::default();
        let mut written = Vec::new();
        for batch in story {
            take(&mut lobby, &batch);
            let bytes = batch.encode();
            written.extend((bytes.len() as u32).to_le_bytes());
            written.extend(bytes);
        }
        std::fs::write(path(log), written).unwrap();
        println!("{log}: {:#018x}", lobby.hash());
        if log == hosts {
            let bytes: Vec<u8> = lobby.freeze().chunks().flatten().collect();
            std::fs::write(path(snapshot), bytes).unwrap();
        }
    }
}

/// A log with something of everything: both ways to play, rounds won and
/// lost, chat, points, presence, rejections, rooms that have left.
fn story(command: fn(u64, u64) -> Command) -> Vec<Batch> {
    let mut batches = Vec::new();
    let mut serial = 0;
    for nth in 0..400_u64 {
        let (at_ms, seed) = (1_750_000_000_000 + nth * 1_700, nth * 7 + 1);
        // Now and then another leader's clock shows something else.
        let wrong_ms = if nth % 50 < 7 { 3_600_000 } else { 0 };
        let stamp = Stamp { at_ms: at_ms + wrong_ms, seed, passed_ms: Some(1_700), matches: false };
        let entries = (0..nth % 4).map(|place| {
            serial += 1;
            let player = PlayerId(1 + (nth * 5 + place * 3) % 7);
            let attempt = Attempt { lane: Lane(nth % 2), serial: Serial(serial) };
            Entry { player, attempt, command: command(nth, place) }
        });
        batches.push(Batch { stamp, entries: entries.collect() });
    }
    batches
}

fn command(nth: u64, place: u64) -> Command {
    let room = RoomId(1 + (nth / 40 + place) % 6);
    let letter = char::from(b'a' + ((nth * 11 + place * 7) % 26) as u8);
    let name = format!("Player {}", nth % 9);
    let mv = |kind: &str, text: &str| format!(r#"{{"{kind}":"{text}"}}"#);
    match (nth + place * 13) % 17 {
        0 if nth < 120 => {
            let options = [r#"{"mode":"setter"}"#, "", r#"{"category":"food"}"#, "{"];
            Command::Open { game: "hangman".into(), options: options[(nth % 4) as usize].into() }
        }
        1..=4 => Command::Sit { room, name },
        5 => Command::Play { room, mv: mv("secret", "crème brûlée") },
        6 => Command::Play { room, mv: mv("word", "owl") },
        7 => Command::Again { room },
        8 => Command::Say { room, name, text: format!("line {nth}") },
        9 if nth.is_multiple_of(5) => Command::Stand { room },
        10 | 11 => Command::Presence {
            frontend: FrontendId(1 + nth % 2),
            sequence: nth + 1,
            whole: nth.is_multiple_of(3),
            arrived: vec![PlayerId(1 + nth % 7), PlayerId(2)],
            departed: vec![PlayerId(3)],
        },
        _ => Command::Play { room, mv: mv("letter", &letter.to_string()) },
    }
}

/// The same with hosts: private and public rooms, names alike, seats that became free,
/// people removed, locks, rounds agreed upon, presence by room.
fn newer(nth: u64, place: u64) -> Command {
    let room = RoomId(1 + (nth / 40 + place) % 6);
    let places = |from: u64| (0..3).map(|i| (PlayerId(1 + (from + i) % 7), room)).collect();
    match (command(nth, place), (nth + place * 13) % 17) {
        (Command::Open { game, options }, _) => {
            Command::Host { game, options, public: nth.is_multiple_of(3) }
        }
        (Command::Sit { room, name }, _) => {
            let likeness = name.to_lowercase().replace(['1', '2'], "");
            Command::Join { room, name, likeness }
        }
        (Command::Presence { frontend, sequence, whole, .. }, _) => {
            Command::Here { frontend, sequence, whole, came: places(nth), went: places(nth + 4) }
        }
        (_, 7) if nth.is_multiple_of(11) => Command::Remove { room, player: PlayerId(nth % 7) },
        (_, 8) if nth.is_multiple_of(7) => Command::Lock { room, locked: nth.is_multiple_of(2) },
        (other, _) => other,
    }
}
