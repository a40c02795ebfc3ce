//! How long a letter takes: `cargo run --release -p hangraft-game --example apply_speed`.
//!
//! A thousand rooms, a thousand players, one letter after the other all the
//! way through tick, attempts, rules and hash, round after round.

use std::error::Error;

use hangraft_game::{Attempt, Command, Entry, Lane, Lobby, PlayerId, RoomId, Serial, Stamp, State};

const ROOMS: u64 = 1_000;
const ROUNDS: u64 = 20;

/// The letters from common to rare, so that words are found.
const LETTERS: &str = "etaoinshrdlcumwfgypbvkjxqz";

fn main() -> Result<(), Box<dyn Error>> {
    let mut table = Table::default();
    table.lobby.tick(table.stamp);
    for room in 1..=ROOMS {
        let room_id = RoomId(room);
        table.apply(room, Command::Open { game: "hangman".into(), options: String::new() })?;
        table.apply(room, Command::Sit { room: room_id, name: format!("Player {room}") })?;
    }
    let moves = table.moves();
    for watched in [false, true] {
        table.play(&moves, watched)?;
    }
    Ok(())
}

#[derive(Default)]
struct Table {
    lobby: Lobby,
    stamp: Stamp,
    serial: u64,
}

impl Table {
    fn apply(&mut self, player: u64, command: Command) -> Result<(), Box<dyn Error>> {
        let entry = self.entry(player, command);
        self.lobby.apply(self.stamp, 0, &entry).answer?;
        Ok(())
    }

    fn entry(&mut self, player: u64, command: Command) -> Entry {
        self.serial += 1;
        // A minute for every ten openings, so that nobody is too fast.
        self.stamp =
            Stamp { at_ms: self.serial * 2, seed: self.serial, passed_ms: Some(2), matches: false };
        let attempt = Attempt { lane: Lane::OWN, serial: Serial(self.serial) };
        Entry { player: PlayerId(player << 40), attempt, command }
    }

    fn moves(&self) -> Vec<String> {
        LETTERS.chars().map(|letter| format!(r#"{{"letter":"{letter}"}}"#)).collect()
    }

    /// Plays some rounds in every room, and tells how long a letter took.
    /// Watched rooms are held by a feed, so that each change has to copy them.
    fn play(&mut self, moves: &[String], watched: bool) -> Result<(), Box<dyn Error>> {
        let mut held = Vec::new();
        let (mut letters, mut nanos) = (0, 0);
        for _ in 0..ROUNDS {
            for mv in moves {
                let playing: Vec<Entry> = self.letters(mv);
                if watched {
                    held = playing.iter().filter_map(|entry| self.room_of(entry)).collect();
                }
                let stamp = self.stamp;
                letters += playing.len();
                nanos += timed(|| {
                    self.lobby.tick(stamp);
                    for (nth, entry) in (0..).zip(&playing) {
                        self.lobby.apply(stamp, nth, entry);
                    }
                });
            }
            for room in 1..=ROOMS {
                self.apply(room, Command::Again { room: RoomId(room) })?;
            }
        }
        let what = if watched { "watched" } else { "not watched" };
        println!("{letters} letters in {ROOMS} rooms, {what}: {} ns each", nanos / letters as u128);
        drop(held);
        let rehash = timed(|| _ = self.lobby.recompute_hash());
        let snapshot = self.lobby.freeze();
        let mut bytes = 0;
        let write = timed(|| bytes = snapshot.chunks().map(|chunk| chunk.len()).sum::<usize>());
        println!(
            "  hash from scratch {} us, snapshot of {bytes} bytes {} us",
            rehash / 1000,
            write / 1000
        );
        Ok(())
    }

    /// The same letter in every room that is still playing.
    fn letters(&mut self, mv: &str) -> Vec<Entry> {
        let playing: Vec<u64> = (1..=ROOMS)
            .filter(|room| {
                let room = self.lobby.room(RoomId(*room));
                room.is_some_and(|room| room.state() == State::Playing)
            })
            .collect();
        let play = |room| Command::Play { room: RoomId(room), mv: mv.to_owned() };
        playing.into_iter().map(|room| self.entry(room, play(room))).collect()
    }

    fn room_of(&self, entry: &Entry) -> Option<std::sync::Arc<hangraft_game::Room>> {
        match &entry.command {
            Command::Play { room, .. } => self.lobby.room(*room).cloned(),
            _ => None,
        }
    }
}

#[expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "an example measures")]
fn timed(work: impl FnOnce()) -> u128 {
    let start = std::time::Instant::now();
    work();
    start.elapsed().as_nanos()
}
