//! The limits that take a crowd to reach.

use hangraft_game::{
    Attempt, Code, Command, Entry, Filter, Lobby, PlayerId, Reply, RoomId, Stamp, State,
};

/// Live rooms a group has at most: part of what we promise.
const ROOMS_MAX: u64 = 200_000;

fn open(lobby: &mut Lobby, stamp: Stamp, player: u64, serial: u64) -> Result<Reply, Code> {
    let options = r#"{"mode":"setter"}"#.to_owned();
    let command = Command::Open { game: "hangman".into(), options };
    let attempt = Attempt { lane: 0, serial };
    let entry = Entry { player: PlayerId(player), attempt, command };
    lobby.apply(stamp, 0, &entry).answer.map_err(|rejection| rejection.code())
}

/// A full lobby says busy, which is not remembered; when rooms have left, the
/// same attempt opens one. They leave a few at a time, and lists stay short.
#[test]
fn a_full_lobby_refuses_until_rooms_have_left() {
    let mut lobby = Lobby::default();
    let mut stamp = Stamp { at_ms: 1_000, seed: 1 };
    lobby.tick(stamp);
    for nth in 0..ROOMS_MAX {
        open(&mut lobby, stamp, 1 + nth / 20, 1 + nth % 20).expect("there is space");
    }
    assert_eq!(open(&mut lobby, stamp, 999_999, 1), Err(Code::Busy));
    assert_eq!(lobby.len() as u64, ROOMS_MAX);

    let waiting = Filter { game: None, state: Some(State::Waiting) };
    let newest = lobby.rooms(&waiting, None, 2);
    let ids: Vec<RoomId> = newest.iter().map(|room| room.id()).collect();
    assert_eq!(ids, [RoomId(ROOMS_MAX), RoomId(ROOMS_MAX - 1)]);
    assert_eq!(lobby.rooms(&waiting, Some(RoomId(2)), 50).len(), 1);
    let won = Filter { game: None, state: Some(State::Won) };
    assert!(lobby.rooms(&won, None, 50).is_empty());

    // Everybody left long ago. The rooms are looked at a few at a time.
    for _ in 0..2 {
        stamp.at_ms += 60_000;
        lobby.tick(stamp);
    }
    let left = ROOMS_MAX - lobby.len() as u64;
    assert!((1..1_000).contains(&left), "{left} rooms left in one tick");
    assert_eq!(lobby.next_due(), Some(stamp.at_ms), "there is more to do at once");
    assert!(open(&mut lobby, stamp, 999_999, 1).is_ok());
    assert_eq!(lobby.hash(), lobby.recompute_hash());
}
