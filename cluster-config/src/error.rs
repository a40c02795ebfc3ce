//! Why a configuration cannot be used, in words for whoever wrote it.

use std::{io, path::PathBuf};

/// Why a configuration cannot be used. Whatever `load` returns names the file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file, or an environment variable that overrides it, is not understood.
    #[error("cannot understand {}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Which key, and what is wrong with it.
        source: Box<figment::Error>,
    },
    /// The settings are understood, but they do not work together.
    #[error("cannot use {}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Always [`ConfigError::Unsound`].
        source: Box<ConfigError>,
    },
    /// A setting would not work. This is all that a `check` says.
    #[error("`{setting}` {advice}")]
    Unsound {
        /// The key as it is written in the file, with dots.
        setting: &'static str,
        /// What is wrong, and what to write instead.
        advice: String,
    },
}

/// Holds a claim about a setting, or says what to do about it.
pub(crate) fn ensure(
    holds: bool,
    setting: &'static str,
    advice: impl FnOnce() -> String,
) -> Result<(), ConfigError> {
    if holds { Ok(()) } else { Err(ConfigError::Unsound { setting, advice: advice() }) }
}
