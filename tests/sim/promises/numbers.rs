//! The numbers that everybody is shown are those of the log: each accepted move, also a
//! bot's, and each round of a match that was decided.

use super::truth::{Happened, Truth};
use super::{Broken, Verdict};
use hangraft_game::{RoomId, events_json};
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) const NAME: &str = "numbers";

/// What is counted when a bot has moved, in words of the games' events.
const MOVES: [&str; 4] = ["marked", "guessed", "tried_word", "secret_set"];

/// As the judge has counted.
#[derive(Default)]
pub(super) struct Numbers {
    moves: u64,
    matches: u64,
    /// Matches whose round is over.
    over: BTreeSet<RoomId>,
}

impl Numbers {
    /// Rounds of matches that were decided.
    pub(super) fn matches(&self) -> u64 {
        self.matches
    }

    pub(super) fn see(&mut self, happened: &Happened) {
        match happened {
            Happened::Played => self.moves += 1,
            Happened::Version { room, view, events, by_time, .. } => {
                // Nobody moves by the passing of time but bots.
                if *by_time {
                    self.moves += moves_in(&events_json(events));
                }
                let result = &view["match"]["result"];
                if result.is_null() {
                    self.over.remove(&room.id());
                } else if self.over.insert(room.id()) && result["how"] != "abandoned" {
                    self.matches += 1;
                }
            }
            Happened::Told { .. } | Happened::BatchEnds { .. } => {}
        }
    }

    pub(super) fn at_the_end(&self, truth: &Truth) -> Verdict {
        let shown: Value = serde_json::from_str(&truth.numbers()).expect("numbers are JSON");
        if shown["moves"] == self.moves && shown["matches"] == self.matches {
            return Ok(());
        }
        let how = format!(
            "{} moves and {} matches are in the log; shown is {shown}",
            self.moves, self.matches
        );
        Err(Broken::new(NAME, how))
    }
}

fn moves_in(events: &str) -> u64 {
    let events: Vec<Value> = serde_json::from_str(events).expect("events are JSON");
    let moves = events.iter().filter_map(|event| event["kind"].as_str());
    moves.filter(|kind| MOVES.contains(kind)).count() as u64
}
