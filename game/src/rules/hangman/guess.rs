//! Guesses: letters and whole words.

use serde::{Deserialize, Serialize};

use super::letters::Word;
use super::view::Tried;
use crate::table::{Table, Who};

/// One accepted guess.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Guess {
    pub(super) who: Who,
    pub(super) what: Guessed,
    /// Places it opened; 0 cost a life.
    pub(super) hits: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Guessed {
    Letter(char),
    Word(Word),
}

impl Guess {
    pub(super) fn letter(&self) -> Option<char> {
        match self.what {
            Guessed::Letter(letter) => Some(letter),
            Guessed::Word(_) => None,
        }
    }

    pub(super) fn word(&self) -> Option<&Word> {
        match &self.what {
            Guessed::Letter(_) => None,
            Guessed::Word(word) => Some(word),
        }
    }

    pub(super) fn is_word(&self, word: &Word) -> bool {
        self.word().is_some_and(|tried| tried.sounds_like(word))
    }

    pub(super) fn view<'a>(&'a self, table: &Table<'a>) -> Tried<'a> {
        Tried {
            seat: self.who.seat,
            player: self.who.player,
            name: table.name(self.who.player),
            letter: self.letter(),
            word: self.word().map(|word| &**word.reveal()),
            hits: self.hits,
        }
    }
}
