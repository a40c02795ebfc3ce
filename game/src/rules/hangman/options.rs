//! How a room of hangman can be opened.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::words::{self, Category};
use crate::answer::Rejection;

/// Where the word comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Mode {
    /// Drawn, from one category or from any.
    Together(Option<Category>),
    /// Set by a player.
    Setter,
}

/// How a room can be opened.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    pub(super) mode: Option<String>,
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
