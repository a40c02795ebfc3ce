//! What a bot does when it sees a room: a move, or nothing yet; and how a game has ended.
//! Plain code.
//!
//! The view says everything that a player may know: who sits where, whose turn it is, and
//! the board, in words of its game.

use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};
use serde::Serialize;
use serde_json::{Value, json};

/// The letters, by how often they occur in English.
const LETTERS: &str = "etaoinshrdlcumwfgypbvkjxqz";

/// What is to be found when a bot sets the word.
const SECRETS: [&str; 12] = [
    "harbour", "lantern", "compass", "whistle", "pumpkin", "journey", "glacier", "rhythm",
    "kitchen", "velvet", "oxygen", "bicycle",
];

/// What wins a game of tic-tac-toe.
const LINES: [[usize; 3]; 8] =
    [[0, 1, 2], [3, 4, 5], [6, 7, 8], [0, 3, 6], [1, 4, 7], [2, 5, 8], [0, 4, 8], [2, 4, 6]];

/// How a game has ended, for one of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Score {
    Won,
    Lost,
    Drawn,
    /// It counts for nobody.
    Void,
}

/// The seat of a player, as a view shows it.
pub(super) fn seat_of(view: &Value, player: &str) -> Option<u64> {
    let mut players = view["players"].as_array()?.iter();
    players.find(|seated| seated["player"] == player)?["seat"].as_u64()
}

/// The move that is this seat's to make now.
pub(super) fn next(view: &Value, seat: u64, dice: &mut StdRng) -> Option<Value> {
    match view["game"].as_str()? {
        "tic-tac-toe" => mark(view, seat, dice).map(|cell| json!({"cell": cell})),
        "hangman" if view["setter"] == seat => {
            let word = SECRETS.choose(dice)?;
            (view["state"] == "waiting").then(|| json!({"secret": word}))
        }
        "hangman" if view["state"] == "playing" => {
            untried(view).map(|letter| json!({"letter": letter.to_string()}))
        }
        _ => None,
    }
}

/// How the game has ended for this seat; nothing while it goes on.
pub(super) fn score(view: &Value, seat: u64) -> Option<Score> {
    let result = &view["match"]["result"];
    match (&result["winner"], view["state"].as_str()?) {
        (Value::Number(winner), _) => {
            Some(if winner.as_u64() == Some(seat) { Score::Won } else { Score::Lost })
        }
        _ if result.is_object() => Some(Score::Drawn),
        (_, "waiting" | "playing") => None,
        _ => Some(Score::Void),
    }
}

/// A cell that wins; else one that the other would win with; else any.
fn mark(view: &Value, seat: u64, dice: &mut StdRng) -> Option<usize> {
    if view["state"] != "playing" || view["turn"] != seat {
        return None;
    }
    let cells = view["cells"].as_array()?;
    let (mine, theirs) = if view["crosses"] == seat { ("X", "O") } else { ("O", "X") };
    let free: Vec<usize> = (0..cells.len()).filter(|cell| cells[*cell].is_null()).collect();
    let completes = |cell: usize, mark: &str| {
        let others = |line: &[usize; 3]| line.iter().all(|at| *at == cell || cells[*at] == mark);
        LINES.iter().any(|line| line.contains(&cell) && others(line))
    };
    let good = |mark| free.iter().copied().find(|cell| completes(*cell, mark));
    good(mine).or_else(|| good(theirs)).or_else(|| free.choose(dice).copied())
}

/// The commonest letter that nobody has tried.
fn untried(view: &Value) -> Option<char> {
    let tried = view["tried"].as_array()?;
    LETTERS.chars().find(|letter| tried.iter().all(|guess| guess["letter"] != letter.to_string()))
}

/// How long a bot thinks that thinks so many milliseconds on average.
pub(super) fn thinking_ms(usual: u64, dice: &mut StdRng) -> u64 {
    dice.random_range(usual / 2..=usual + usual / 2)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn dice() -> StdRng {
        StdRng::seed_from_u64(7)
    }

    /// A board in nine letters, X at the first seat, and whose turn it is.
    fn board(cells: &str, turn: u64) -> Value {
        let cells: Vec<_> = cells
            .chars()
            .map(|mark| if mark == '.' { Value::Null } else { mark.to_string().into() })
            .collect();
        json!({"game": "tic-tac-toe", "state": "playing", "cells": cells, "crosses": 0, "turn": turn})
    }

    #[test]
    fn a_bot_takes_a_win_then_blocks_then_marks_any_cell() {
        for (cells, turn, cell) in
            [("XX.OO....", 0, 2), ("XX.OO....", 1, 5), ("XX.O.....", 1, 2), ("O..XO.X..", 1, 8)]
        {
            let marked = next(&board(cells, turn), turn, &mut dice());
            assert_eq!(marked, Some(json!({"cell": cell})), "{cells}");
        }
        let free = next(&board("X........", 1), 1, &mut dice()).unwrap();
        assert_ne!(free, json!({"cell": 0}));
        assert_eq!(next(&board(".........", 0), 1, &mut dice()), None, "it is not their turn");
    }

    #[test]
    fn a_bot_sets_a_word_or_guesses_what_nobody_has() {
        let view = |state: &str| json!({"game": "hangman", "state": state, "setter": 1, "tried": [{"letter": "e"}, {"word": "tea"}]});
        let secret = next(&view("waiting"), 1, &mut dice()).unwrap();
        assert!(secret["secret"].is_string());
        assert_eq!(next(&view("waiting"), 0, &mut dice()), None);
        assert_eq!(next(&view("playing"), 1, &mut dice()), None);
        assert_eq!(next(&view("playing"), 0, &mut dice()), Some(json!({"letter": "t"})));
    }

    #[test]
    fn a_game_ends_for_both() {
        let view =
            |state: &str, result: Value| json!({"state": state, "match": {"result": result}});
        for (view, scores) in [
            (view("playing", Value::Null), [None, None]),
            (view("won", json!({"winner": 1})), [Some(Score::Lost), Some(Score::Won)]),
            (view("draw", json!({"winner": null})), [Some(Score::Drawn); 2]),
            (view("abandoned", Value::Null), [Some(Score::Void); 2]),
        ] {
            assert_eq!([score(&view, 0), score(&view, 1)], scores, "{view}");
        }
    }

    #[test]
    fn a_player_is_found_by_what_views_call_them() {
        let view = json!({"players": [{"player": "7", "seat": 0}, {"player": "9", "seat": 1}]});
        assert_eq!((seat_of(&view, "9"), seat_of(&view, "8")), (Some(1), None));
    }
}
