//! The limits that take a crowd to reach.

use hangraft_game::{
    Applied, Attempt, Code, Command, Entry, Filter, Lane, Lobby, PlayerId, Reply, RoomId, Serial,
    Stamp, State,
};

/// Live rooms a group has at most: part of what we promise.
const ROOMS_MAX: u64 = 200_000;

fn open(lobby: &mut Lobby, stamp: Stamp, player: u64, serial: u64) -> Result<Reply, Code> {
    let options = r#"{"mode":"setter"}"#.to_owned();
    let command = Command::Open { game: "hangman".into(), options };
    let attempt = Attempt { lane: Lane::OWN, serial: Serial(serial) };
    let entry = Entry { player: PlayerId(player), attempt, command };
    lobby.apply(stamp, 0, &entry).answer.map_err(|rejection| rejection.code())
}

/// A lobby full of rooms in which nobody has ever been.
fn full(stamp: Stamp) -> Lobby {
    let mut lobby = Lobby::default();
    lobby.tick(stamp);
    for nth in 0..ROOMS_MAX {
        open(&mut lobby, stamp, 1 + nth / 20, 1 + nth % 20).expect("there is space");
    }
    lobby
}

/// In a log of old, a full lobby says busy, which is not remembered; when rooms have
/// left, the same attempt opens one. They leave a few at a time, and lists stay short.
#[test]
fn a_full_lobby_refused_until_rooms_had_left() {
    let mut stamp = Stamp { at_ms: 1_000, seed: 1, passed_ms: None, matches: false };
    let mut lobby = full(stamp);
    assert_eq!(open(&mut lobby, stamp, 999_999, 1), Err(Code::Busy));
    assert_eq!(lobby.len() as u64, ROOMS_MAX);

    let waiting = Filter { state: Some(State::Waiting), ..Filter::default() };
    let newest = lobby.rooms(&waiting, None, 2);
    let ids: Vec<RoomId> = newest.iter().map(|room| room.id()).collect();
    assert_eq!(ids, [RoomId(ROOMS_MAX), RoomId(ROOMS_MAX - 1)]);
    assert_eq!(lobby.rooms(&waiting, Some(RoomId(2)), 50).len(), 1);
    let won = Filter { state: Some(State::Won), ..Filter::default() };
    assert!(lobby.rooms(&won, None, 50).is_empty());

    // Everybody left long ago. The rooms are looked at a few at a time.
    for _ in 0..2 {
        stamp.at_ms += 60_000;
        lobby.tick(stamp);
    }
    let left = ROOMS_MAX - lobby.len() as u64;
    assert!((1..1_000).contains(&left), "{left} rooms left in one tick");
    assert_eq!(lobby.due_in_ms(), Some(0), "there is more to do at once");
    assert!(open(&mut lobby, stamp, 999_999, 1).is_ok());
    assert_eq!(lobby.hash(), lobby.recompute_hash());
}

/// A full lobby makes room: the room in which nobody has been for the longest time
/// leaves for a new one, and those in which somebody is stay.
#[test]
fn a_full_lobby_sheds_rooms_in_which_nobody_is() {
    let mut stamp = Stamp { at_ms: 1_000, seed: 1, passed_ms: Some(1_000), matches: false };
    let mut lobby = full(stamp);
    for (room, player) in [(1, 500_001), (2, 500_001), (3, 500_002)] {
        act(&mut lobby, stamp, player, room, sit(room)).answer.expect("a seat");
    }
    // Room 2 was left, later than all others were.
    stamp.passed_ms = Some(500);
    lobby.tick(stamp);
    act(&mut lobby, stamp, 500_001, 9, Command::Stand { room: RoomId(2) }).answer.expect("up");

    let options = r#"{"mode":"setter"}"#.to_owned();
    let wish = Command::Open { game: "hangman".into(), options };
    for (serial, leaves) in [(1, 4), (2, 5)] {
        let outcome = act(&mut lobby, stamp, 999_999, serial, wish.clone());
        assert!(outcome.answer.is_ok(), "{:?}", outcome.answer);
        let [left, opened] = &outcome.changes[..] else { panic!("{:?}", outcome.changes) };
        assert_eq!((left.room, left.closed, opened.closed), (RoomId(leaves), true, false));
        assert!(left.last.is_some() && lobby.room(RoomId(leaves)).is_none());
        // The same attempt again leads to nothing more.
        assert!(act(&mut lobby, stamp, 999_999, serial, wish.clone()).changes.is_empty());
    }
    assert_eq!(lobby.len() as u64, ROOMS_MAX);
    assert!((1..=3).all(|room| lobby.room(RoomId(room)).is_some()));
    assert_eq!(lobby.hash(), lobby.recompute_hash());
}

fn sit(room: u64) -> Command {
    Command::Sit { room: RoomId(room), name: "Ann".into() }
}

fn act(lobby: &mut Lobby, stamp: Stamp, player: u64, serial: u64, command: Command) -> Applied {
    let attempt = Attempt { lane: Lane::OWN, serial: Serial(serial) };
    lobby.apply(stamp, 0, &Entry { player: PlayerId(player), attempt, command })
}
