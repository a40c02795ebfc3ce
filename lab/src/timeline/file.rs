//! Timelines as text: JSON, a line for each [`Line`].

use super::line::{FORMAT, Head, Line};
use serde_json::Value;
use std::io::{self, BufRead, Write};

/// The kinds of lines that this version knows.
pub const KINDS: [&str; 14] = [
    "head", "process", "role", "log", "members", "gossip", "fault", "message", "sampled", "call",
    "push", "told", "finding", "verdict",
];

/// A timeline, as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// What it is of.
    pub head: Head,
    /// All that happened, in order.
    pub lines: Vec<Line>,
}

/// Why a timeline cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The text cannot be had.
    #[error("cannot read line {line} of the timeline")]
    Io {
        /// Counted from 1.
        line: usize,
        /// What the system said.
        source: io::Error,
    },
    /// There is another format number.
    #[error("this timeline has format {found}; this program reads format {FORMAT}")]
    Format {
        /// Its number.
        found: u64,
    },
    /// The first line is none that a timeline begins with.
    #[error("this is no timeline: its first line is no head with a format number")]
    NoHead,
    /// A line is not what its kind says.
    #[error("line {line} of the timeline is broken")]
    Broken {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        source: serde_json::Error,
    },
}

/// Writes a timeline. Lines should come in the order of their moments.
///
/// # Errors
/// What the writer says.
pub fn write<'a>(
    head: &Head,
    lines: impl IntoIterator<Item = &'a Line>,
    to: &mut impl Write,
) -> io::Result<()> {
    write_line(&Line::Head(head.clone()), to)?;
    lines.into_iter().try_for_each(|line| write_line(line, to))
}

fn write_line(line: &Line, to: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *to, line)?;
    to.write_all(b"\n")
}

/// Reads a timeline. Lines of a kind that this version does not know are left out, and so are
/// empty ones.
///
/// # Errors
/// See [`ReadError`].
pub fn read(from: impl BufRead) -> Result<Timeline, ReadError> {
    let mut head = None;
    let mut lines = Vec::new();
    for (number, text) in from.lines().enumerate() {
        let line = number + 1;
        let text = text.map_err(|source| ReadError::Io { line, source })?;
        if text.trim().is_empty() {
            continue;
        }
        if head.is_none() {
            check_format(&text)?;
        }
        match (read_line(&text).map_err(|source| ReadError::Broken { line, source })?, &head) {
            (Some(Line::Head(first)), None) => head = Some(first),
            (Some(read), _) => lines.push(read),
            (None, _) => {}
        }
    }
    let head = head.ok_or(ReadError::NoHead)?;
    Ok(Timeline { head, lines })
}

/// Looks at the format before anything else: the rest of another one may look otherwise.
fn check_format(first: &str) -> Result<(), ReadError> {
    let first: Value = serde_json::from_str(first).map_err(|_| ReadError::NoHead)?;
    match (first["kind"].as_str(), first["format"].as_u64()) {
        (Some("head"), Some(format)) if format == u64::from(FORMAT) => Ok(()),
        (Some("head"), Some(found)) => Err(ReadError::Format { found }),
        _ => Err(ReadError::NoHead),
    }
}

/// A line; none when its kind is not known.
fn read_line(text: &str) -> Result<Option<Line>, serde_json::Error> {
    serde_json::from_str(text).map(Some).or_else(|err| {
        let value: Value = serde_json::from_str(text)?;
        let unknown = value["kind"].as_str().is_some_and(|kind| !KINDS.contains(&kind));
        if unknown { Ok(None) } else { Err(err) }
    })
}
