//! Many players' wishes under one stamp, as the log holds them.

use serde::Deserialize;

use super::entry::Entry;
use crate::digest;

/// The first byte of an encoded batch whose leader told only its wall clock.
const FORMAT_WITH_CLOCK: u8 = 1;

/// The first byte of an encoded batch whose leader measured how much time passes.
const FORMAT_MEASURED: u8 = 2;

/// The first byte of one that is of the edition of matches; otherwise as the one before. The
/// next number when the form changes in a way that older builds would misread.
const FORMAT_MATCHES: u8 = 3;

/// When and with what chance a batch happens; stamped once by the leader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The leader's wall clock, in milliseconds since 1970. A date to show; clocks of
    /// two leaders are not comparable.
    pub at_ms: u64,
    /// Where every draw in this batch comes from.
    pub seed: u64,
    /// How much time the batch lets pass, in milliseconds: what its leader measured
    /// since the batch before. None in batches that older builds wrote, which let pass
    /// what their wall clocks differ by.
    pub passed_ms: Option<u64>,
    /// Every member knew of matches when the batch was written. Only with measured time.
    pub matches: bool,
}

/// By which rules the lobby takes a batch. What a batch means never changes: replicas of
/// two builds apply the same log, and a log is applied again after a restart. A change
/// of what a command does, or time, therefore begins an edition, and a format of batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Edition {
    /// Of batches without measured time.
    First,
    /// Of batches with measured time: rooms in which nobody is leave soon, words are
    /// composed and tidied whole, names and lines are only bounded, and a word that
    /// cannot be right costs nothing.
    Second,
    /// Of batches that every member knows of matches: games and moves are counted, players
    /// are told things, and strangers meet.
    Third,
}

impl Stamp {
    /// The rules that the batch was logged under.
    pub(crate) fn edition(self) -> Edition {
        match (self.passed_ms, self.matches) {
            (None, _) => Edition::First,
            (Some(_), false) => Edition::Second,
            (Some(_), true) => Edition::Third,
        }
    }
}
/// What one log entry carries. An empty batch is a tick: time passes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// When, and with what chance.
    pub stamp: Stamp,
    /// The wishes, in order.
    pub entries: Vec<Entry>,
}
impl Batch {
    /// The batch as it lies in the log: a format byte, then its postcard form.
    pub fn encode(&self) -> Vec<u8> {
        let Stamp { at_ms, seed, passed_ms, matches } = self.stamp;
        let mut bytes = Vec::new();
        match passed_ms {
            None => {
                bytes.push(FORMAT_WITH_CLOCK);
                digest::write(&(at_ms, seed, &self.entries), &mut bytes);
            }
            Some(passed_ms) => {
                bytes.push(if matches { FORMAT_MATCHES } else { FORMAT_MEASURED });
                digest::write(&(at_ms, seed, passed_ms, &self.entries), &mut bytes);
            }
        }
        bytes
    }

    /// The batch that `bytes` hold.
    ///
    /// # Errors
    ///
    /// A replica that gets one of these cannot follow the log and must stop.
    pub fn decode(bytes: &[u8]) -> Result<Batch, Undecodable> {
        if bytes.first() == Some(&FORMAT_WITH_CLOCK) {
            let (at_ms, seed, entries) = decode_with(FORMAT_WITH_CLOCK, bytes)?;
            let stamp = Stamp { at_ms, seed, passed_ms: None, matches: false };
            return Ok(Batch { stamp, entries });
        }
        let matches = bytes.first() != Some(&FORMAT_MEASURED);
        let format = if matches { FORMAT_MATCHES } else { FORMAT_MEASURED };
        let (at_ms, seed, passed_ms, entries) = decode_with(format, bytes)?;
        let stamp = Stamp { at_ms, seed, passed_ms: Some(passed_ms), matches };
        Ok(Batch { stamp, entries })
    }
}

/// Why bytes are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// No bytes at all.
    #[error("there are no bytes to decode")]
    Empty,
    /// Written by a build that knows more than this one.
    #[error("the bytes have format {found}; this build reads formats up to {known}")]
    Format {
        /// The format they say they have.
        found: u8,
        /// The newest format this build reads.
        known: u8,
    },
    /// The right format, but not its content.
    #[error("the bytes are damaged")]
    Damaged(#[source] postcard::Error),
    /// More bytes than the value needs.
    #[error("{0} bytes are left over after the end")]
    LeftOver(usize),
}

/// Reads a format byte and the postcard form behind it.
pub(crate) fn decode_with<'a, T: Deserialize<'a>>(
    known: u8,
    bytes: &'a [u8],
) -> Result<T, Undecodable> {
    let (&found, body) = bytes.split_first().ok_or(Undecodable::Empty)?;
    if found != known {
        return Err(Undecodable::Format { found, known });
    }
    let (value, rest) = postcard::take_from_bytes(body).map_err(Undecodable::Damaged)?;
    if rest.is_empty() { Ok(value) } else { Err(Undecodable::LeftOver(rest.len())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::entry::{Attempt, Command};
    use hangraft_ids::{Lane, PlayerId, RoomId, Serial};

    fn batch() -> Batch {
        let command = Command::Play { room: RoomId(3), mv: r#"{"secret":"owl"}"#.into() };
        let attempt = Attempt { lane: Lane::OWN, serial: Serial(1) };
        Batch {
            stamp: Stamp { at_ms: 5, seed: 6, passed_ms: Some(7), matches: false },
            entries: vec![Entry { player: PlayerId(1), attempt, command }],
        }
    }

    #[test]
    fn a_batch_comes_back_as_it_went() {
        let mut batch = batch();
        for (passed_ms, matches, format) in
            [(Some(7), false, 2), (Some(u64::MAX), false, 2), (None, false, 1), (Some(7), true, 3)]
        {
            batch.stamp = Stamp { passed_ms, matches, ..batch.stamp };
            let bytes = batch.encode();
            assert_eq!((Batch::decode(&bytes), bytes[0]), (Ok(batch.clone()), format));
        }
    }

    #[test]
    fn other_bytes_are_refused_in_words() {
        assert_eq!(Batch::decode(&[]), Err(Undecodable::Empty));
        let mut bytes = batch().encode();
        bytes.push(0);
        assert_eq!(Batch::decode(&bytes), Err(Undecodable::LeftOver(1)));
        assert!(matches!(Batch::decode(&bytes[..9]), Err(Undecodable::Damaged(_))));
        bytes[0] = 9;
        let err = Batch::decode(&bytes).expect_err("another format");
        assert_eq!(err.to_string(), "the bytes have format 9; this build reads formats up to 3");
    }

    #[test]
    fn a_printed_command_keeps_its_secret() {
        assert!(!format!("{:?}", batch()).contains("owl"));
    }
}
