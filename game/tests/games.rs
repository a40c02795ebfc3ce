//! Which games a build knows, and what becomes of those it does not.
//!
//! With the feature `next` this is a build of the next version. What that one
//! stores is told here for both: it reads it, and a build of today refuses it.

#[cfg(feature = "next")]
mod kept;

use hangraft_game::{
    Attempt, Batch, Code, Command, Entry, Lane, Lobby, PlayerId, Restore, RoomId, Serial,
    SnapshotError, Stamp, games,
};

/// The lobby after [`story`], and its snapshot, from a build of the next version.
const HASH: u64 = 0x03d1_9e3b_64c6_e505;
const SNAPSHOT: &str = "\
    010d000000000585b883a1f73201c1ee6d002a00000001010502020102020000010201010201020101010102\
    01020103416e6e00020342656e0105009a750000160000000200010000030100000101020001010002040003\
    0104110000000200020000020300010101030500030105030000000301010a0000000585ca9ba6b6c7e7e803";

/// The same story as it was stored under the first edition of the lobby's rules.
#[cfg(feature = "next")]
const HASH_BEFORE: u64 = 0x77ae_738a_ee36_145e;
#[cfg(feature = "next")]
const SNAPSHOT_BEFORE: &str = "\
    010f00000000e4d40385b883a1f73201a0c371012d0000000101050202010202000001020101020102010101\
    010201020103416e6e00020342656e01e4d40300a0fe0a000016000000020001000003010000010102000101\
    00020400030104110000000200020000020300010101030500030105030000000301010a00000005dea8d8f1\
    aef19cd777";

#[test]
fn the_next_version_knows_one_game_more() {
    let next = cfg!(feature = "next").then_some("nim");
    let known: Vec<&str> = ["hangman", "tic-tac-toe"].into_iter().chain(next).collect();
    assert_eq!(games(), known);
}

#[test]
fn a_game_this_build_does_not_know_is_refused_in_words() {
    let unknown = ["chess", "", "Hangman", " hangman", "nim "].into_iter();
    for game in unknown.chain((!cfg!(feature = "next")).then_some("nim")) {
        let mut lobby = Lobby::default();
        let entry = entry(1, 1, Command::Open { game: game.into(), options: String::new() });
        let outcome =
            lobby.apply(Stamp { at_ms: 1, seed: 1, passed_ms: Some(1), matches: false }, 0, &entry);
        let rejection = outcome.answer.expect_err("nobody knows it");
        assert_eq!(rejection.code(), Code::BadRequest);
        assert_eq!(rejection.to_string(), format!("there is no game {game:?}"));
        assert!(outcome.changes.is_empty() && lobby.is_empty());
    }
}

#[cfg(feature = "next")]
#[test]
fn the_next_version_reads_what_it_has_stored() {
    let lobby = after(&story());
    assert_eq!(lobby.hash(), HASH, "{:#018x}", lobby.hash());
    assert_eq!(hex(&snapshot(&lobby)), SNAPSHOT);
    let restored = restore(&unhex(SNAPSHOT)).expect("an old snapshot");
    assert_eq!(restored.hash(), HASH);
    let view = |lobby: &Lobby| lobby.room(RoomId(1)).expect("it was opened").view(None);
    assert_eq!(view(&restored), view(&lobby));
    assert_eq!(restored.room(RoomId(1)).map(|room| room.game()), Some("nim"));
    let before = restore(&unhex(SNAPSHOT_BEFORE)).expect("an older snapshot");
    assert_eq!(before.hash(), HASH_BEFORE);
}

#[cfg(feature = "next")]
#[test]
fn what_the_next_version_shows_is_told_in_steps() {
    let mut lobby = Lobby::default();
    let mut kept = kept::Kept::by([PlayerId(1), PlayerId(2)].into_iter());
    for batch in story() {
        let passed = lobby.tick(batch.stamp);
        kept.see(&lobby, &passed.changes);
        for (nth, entry) in (0..).zip(&batch.entries) {
            let outcome = lobby.apply(batch.stamp, nth, entry);
            kept.see(&lobby, &outcome.changes);
        }
    }
}

/// It stops at the kind of board, and makes no other game of it.
#[cfg(not(feature = "next"))]
#[test]
fn a_snapshot_with_a_game_of_the_next_version_is_refused() {
    let refused = restore(&unhex(SNAPSHOT)).expect_err("a game it does not know");
    // Serde knows no such variant; nothing was missing, and nothing was left over.
    assert_eq!(refused, SnapshotError::Damaged(postcard::Error::SerdeDeCustom));
}

/// A log is another matter: a game is only a name there, and its rejection an
/// answer like any other. Nothing in this crate notices that replicas of the
/// next version took the same log to another lobby, and so a wish to open a
/// game must not get into the log before every node knows that game.
#[cfg(not(feature = "next"))]
#[test]
fn a_log_with_a_game_of_the_next_version_leads_astray_without_a_word() {
    let lobby = after(&story());
    assert!(lobby.is_empty());
    assert_ne!(lobby.hash(), HASH);
}

/// A game of nim, won by the second player.
fn story() -> Vec<Batch> {
    let room = RoomId(1);
    let sit = |name: &str| Command::Sit { room, name: name.into() };
    let play = |mv: &str| Command::Play { room, mv: mv.into() };
    let commands = [
        (1, Command::Open { game: "nim".into(), options: r#"{"heaps":[1,2]}"#.into() }),
        (1, sit("Ann")),
        (2, sit("Ben")),
        (1, play(r#"{"heap":1,"take":2}"#)),
        (2, play(r#"{"heap":0,"take":1}"#)),
    ];
    let batch = |(nth, (player, command))| Batch {
        stamp: Stamp {
            at_ms: 1_750_000_000_000 + nth,
            seed: nth,
            passed_ms: Some(1),
            matches: false,
        },
        entries: vec![entry(player, nth, command)],
    };
    (1..).zip(commands).map(batch).collect()
}

fn entry(player: u64, serial: u64, command: Command) -> Entry {
    Entry {
        player: PlayerId(player),
        attempt: Attempt { lane: Lane::OWN, serial: Serial(serial) },
        command,
    }
}

/// The lobby that a log leads to, out of the log's bytes.
fn after(log: &[Batch]) -> Lobby {
    let mut lobby = Lobby::default();
    for batch in log {
        let batch = Batch::decode(&batch.encode()).expect("any build reads any game's name");
        lobby.tick(batch.stamp);
        for (nth, entry) in (0..).zip(&batch.entries) {
            lobby.apply(batch.stamp, nth, entry);
        }
    }
    lobby
}

#[cfg(feature = "next")]
fn snapshot(lobby: &Lobby) -> Vec<u8> {
    lobby.freeze().chunks().flatten().collect()
}

fn restore(bytes: &[u8]) -> Result<Lobby, SnapshotError> {
    let mut restore = Restore::new();
    restore.feed(bytes)?;
    restore.finish()
}

#[cfg(feature = "next")]
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(hex: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("two hex digits");
    (0..hex.len()).step_by(2).map(byte).collect()
}
