//! A timeline in the words of other tools, so that others can judge it and look at it.
//!
//! | format | who reads it |
//! |---|---|
//! | `jepsen-json` | elle-cli, model `list-append`, and others that read Jepsen's histories |
//! | `porcupine` | the program in `scripts/faults/porcupine`, which judges it with porcupine |
//! | `shiviz` | ShiViz, which draws it as a space-time diagram |
//!
//! Each is a plain function from the lines of a timeline to a text.

mod jepsen;
mod json;
mod names;
mod operations;
mod porcupine;
#[cfg(test)]
mod samples;
mod shiviz;

pub use jepsen::jepsen_json;
pub use porcupine::porcupine;
pub use shiviz::shiviz;

use crate::timeline::Line;
use std::{fmt, str::FromStr};

/// What a timeline can be written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// See [`jepsen_json`].
    JepsenJson,
    /// See [`porcupine()`].
    Porcupine,
    /// See [`shiviz()`].
    Shiviz,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 3] = [Format::JepsenJson, Format::Porcupine, Format::Shiviz];

    /// Its name on a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Format::JepsenJson => "jepsen-json",
            Format::Porcupine => "porcupine",
            Format::Shiviz => "shiviz",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// It is no format's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a history's format is jepsen-json, porcupine or shiviz")]
pub struct NoFormat;

impl FromStr for Format {
    type Err = NoFormat;

    fn from_str(name: &str) -> Result<Format, NoFormat> {
        Format::ALL.into_iter().find(|format| format.name() == name).ok_or(NoFormat)
    }
}

/// The timeline in this format.
pub fn export(format: Format, lines: &[Line]) -> String {
    match format {
        Format::JepsenJson => jepsen_json(lines),
        Format::Porcupine => porcupine(lines),
        Format::Shiviz => shiviz(lines),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A format is found by the name that it prints, and by no other.
    #[test]
    fn a_format_has_one_name() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
            assert!(NoFormat.to_string().contains(format.name()), "{format} is not offered");
        }
        assert_eq!("Porcupine".parse::<Format>(), Err(NoFormat));
    }

    /// Whoever names a format gets that one.
    #[test]
    fn each_format_is_written_by_its_own_function() {
        let lines = samples::read(samples::RIGHT);
        assert_eq!(export(Format::JepsenJson, &lines), jepsen_json(&lines));
        assert_eq!(export(Format::Porcupine, &lines), porcupine(&lines));
        assert_eq!(export(Format::Shiviz, &lines), shiviz(&lines));
    }
}
