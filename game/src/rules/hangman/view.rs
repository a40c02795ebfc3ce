//! What is seen and heard of a board.

use std::sync::Arc;

use serde::Serialize;

use crate::json::as_text;
use crate::rules::duel::Conceded;
use crate::step::fields;
use hangraft_ids::{PlayerId, Seat};

/// What those who watch hear. A word is in it only when it was tried or when the round is
/// over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Event {
    /// Someone guessed a letter.
    Guessed {
        seat: Seat,
        name: Arc<str>,
        letter: char,
        /// In how many places it is; 0 costs a life.
        hits: u8,
    },
    /// Someone tried the whole word.
    TriedWord {
        seat: Seat,
        name: Arc<str>,
        word: Arc<str>,
        /// How many hidden places it opened; 0 costs a life.
        hits: u8,
    },
    /// It is this seat's turn to set the word.
    Setter { seat: Seat },
    /// The setter has chosen; the guessing begins.
    SecretSet { seat: Seat },
    /// The word was found, or one of two has given up.
    Won {
        /// Who found it, or has won by it.
        seat: Seat,
        name: Arc<str>,
        /// How the other has given up; absent when the word was found.
        #[serde(skip_serializing_if = "Option::is_none")]
        how: Option<Conceded>,
        /// Absent when none was set.
        #[serde(skip_serializing_if = "Option::is_none")]
        answer: Option<Arc<str>>,
    },
    /// The last life is gone.
    Lost { answer: Arc<str> },
    /// The two have agreed that nobody has won.
    Draw {
        /// Absent when none was set.
        #[serde(skip_serializing_if = "Option::is_none")]
        answer: Option<Arc<str>>,
    },
}

/// What is seen of a board.
#[derive(Serialize)]
pub(crate) struct View<'a> {
    pub(super) mode: &'static str,
    pub(super) pattern: Vec<Option<char>>,
    pub(super) wrong: Vec<char>,
    pub(super) tried: Vec<Tried<'a>>,
    pub(super) lives: u8,
    pub(super) lives_max: u8,
    pub(super) category: Option<&'static str>,
    pub(super) setter: Option<Seat>,
    pub(super) winner: Option<String>,
    /// How the other of two has given up, if that has ended the round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) how: Option<Conceded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) answer: Option<&'a str>,
}

fields! {
    View: mode, pattern, wrong, tried, lives, lives_max, category, setter, winner;
    optional: how, answer
}

/// A guess of this round, as everybody sees it.
#[derive(PartialEq, Serialize)]
pub(super) struct Tried<'a> {
    pub(super) seat: Seat,
    #[serde(serialize_with = "as_text")]
    pub(super) player: PlayerId,
    pub(super) name: Arc<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) letter: Option<char>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) word: Option<&'a str>,
    pub(super) hits: u8,
}

/// What a list of rooms says of one.
#[derive(Serialize)]
pub(crate) struct About {
    pub(super) mode: &'static str,
    pub(super) category: Option<&'static str>,
}
