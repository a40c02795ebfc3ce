//! How a room of hangman can be opened.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::words::{self, Category};
use crate::answer::Rejection;

/// How many play a match.
const MATCH_SEATS: u8 = 2;

/// Where the word comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Mode {
    /// Drawn, from one category or from any.
    Together(Option<Category>),
    /// Set by a player.
    Setter,
}

/// How a room can be opened.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    pub(super) mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) category: Option<String>,
    pub(super) seats: Option<u8>,
}

impl Mode {
    pub(super) fn name(self) -> &'static str {
        match self {
            Mode::Together(_) => "together",
            Mode::Setter => "setter",
        }
    }
}

impl Options {
    /// Those of a match: one sets the word, the other guesses. Or why it is no match.
    pub(super) fn of_match(self) -> Result<Options, Rejection> {
        let setter = Mode::Setter.name();
        if self.mode.is_some_and(|mode| mode != setter)
            || self.category.is_some()
            || self.seats.is_some_and(|seats| seats != MATCH_SEATS)
        {
            return Err(Rejection::bad_request(
                "a match of hangman has a setter and a guesser: mode \"setter\", 2 seats, and no \
                 category",
            ));
        }
        Ok(Options { mode: Some(setter.to_owned()), category: None, seats: Some(MATCH_SEATS) })
    }

    pub(super) fn mode(&self) -> Result<Mode, Rejection> {
        let category = self
            .category
            .as_deref()
            .map(|name| Category::named(name).ok_or_else(|| Rejection::bad_request(help())));
        match (self.mode.as_deref(), category.transpose()?) {
            (None | Some("together"), category) => Ok(Mode::Together(category)),
            (Some("setter"), None) => Ok(Mode::Setter),
            (Some("setter"), Some(_)) => {
                Err(Rejection::bad_request("a setter's word has no category"))
            }
            (Some(_), _) => Err(Rejection::bad_request(help())),
        }
    }

    pub(super) fn seats(&self, mode: Mode, range: RangeInclusive<u8>) -> Result<u8, Rejection> {
        let seats = self.seats.unwrap_or(*range.end());
        if !range.contains(&seats) {
            return Err(Rejection::bad_request(help()));
        }
        if mode == Mode::Setter && seats == 1 {
            return Err(Rejection::bad_request("a setter needs at least one seat for a guesser"));
        }
        Ok(seats)
    }
}

/// What a room is opened with, for whoever got it wrong.
pub(super) fn help() -> String {
    format!(
        "hangman is opened with a JSON object of: mode (\"together\" or \"setter\"), \
         category (one of {}), seats (1 to 8)",
        words::choices()
    )
}
