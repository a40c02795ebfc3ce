//! What a player may do.

use serde::{Deserialize, Serialize};

use super::guess::Guessed;
use super::letters::Word;

/// A move: exactly one of these.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Move {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) letter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) word: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<String>,
}

impl Move {
    /// The move of a setter.
    pub(super) fn setting(secret: &Word) -> Move {
        Move { secret: Some(secret.reveal().to_string()), ..Move::default() }
    }
}

impl From<Guessed> for Move {
    fn from(guessed: Guessed) -> Move {
        match guessed {
            Guessed::Letter(letter) => Move { letter: Some(letter.into()), ..Move::default() },
            Guessed::Word(word) => {
                Move { word: Some(word.reveal().to_string()), ..Move::default() }
            }
        }
    }
}
