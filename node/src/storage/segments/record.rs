//! The records of a log of segments, as bytes.
//!
//! ```text
//! nonce u64 | number u64 | synced u64 | length u32 | crc u32 | kind u8, body | zeros up to 8
//! ```
//!
//! All numbers are big-endian. `length` counts kind and body. The checksum (CRC-32 of IEEE,
//! by crc32fast) covers everything but itself, the zeros included. `nonce` belongs to the
//! life of one segment, so that a record of a file's former life is none; `number` counts
//! the records of the log; all records below `synced` were durable before this one was
//! written.

use crate::storage::log::{DeviceState, Position, VoteRecord};
use bytes::BufMut;
use hangraft_ids::{LogIndex, NodeId, Term};
use std::io;

/// The bytes in front of a record's kind and body.
pub(super) const HEADER: usize = 32;

/// Records begin at multiples of this, so that one can be looked for.
pub(super) const ALIGN: usize = 8;

/// The version of segments and their records. Another one is refused.
const FORMAT: u32 = 1;

/// The error of a log that is not what it should be.
pub(super) fn corrupt(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Where the length and the checksum are.
const LENGTH_AT: usize = 24;
const CRC_AT: usize = 28;

/// What stands in front of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Of this life of the segment.
    pub(super) nonce: u64,
    /// Which record of the log this is.
    pub(super) number: u64,
    /// The records below this number were durable before this one was written.
    pub(super) synced: u64,
}

/// What a segment begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Drawn when the log was made, the same in all its segments.
    pub(super) life: u64,
    /// The segment's number, as its name has it.
    pub(super) segment: u64,
    /// What the log held before this segment.
    pub(super) state: DeviceState,
}

impl Head {
    /// The nonce of all records of a segment.
    pub(super) fn nonce(life: u64, segment: u64) -> u64 {
        life.wrapping_add(segment)
    }
}

/// Something that happened to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record<'a> {
    /// A segment begins. Always its first record, and never another.
    Head(Head),
    /// An entry behind the last one.
    Entry(Position, &'a [u8]),
    /// Another vote.
    Vote(VoteRecord),
    /// The log ends here from now on.
    Truncate(Option<Position>),
    /// The entries up to and including this one are forgotten.
    Purge(Position),
    /// What is committed.
    Committed(Position),
    /// Says nothing but how far the log was synced.
    Note,
}

const HEAD: u8 = 1;
const ENTRY: u8 = 2;
const VOTE: u8 = 3;
const TRUNCATE: u8 = 4;
const PURGE: u8 = 5;
const COMMITTED: u8 = 6;
const NOTE: u8 = 7;

/// Where what an entry says begins in its record.
pub(super) const PAYLOAD_AT: usize = HEADER + 1 + POSITION;

/// Bytes of a position, and of one that may be missing.
const POSITION: usize = 16;
const PERHAPS: usize = 1 + POSITION;

impl Record<'_> {
    /// The bytes of the whole record.
    pub(super) fn bytes(&self) -> usize {
        let body = match self {
            Record::Head(_) => 4 + 8 + 8 + (1 + VOTE_BYTES) + 3 * PERHAPS,
            Record::Entry(_, payload) => POSITION + payload.len(),
            Record::Vote(_) => VOTE_BYTES,
            Record::Truncate(_) => PERHAPS,
            Record::Purge(_) | Record::Committed(_) => POSITION,
            Record::Note => 0,
        };
        HEADER + (1 + body).next_multiple_of(ALIGN)
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Record::Head(head) => {
                out.put_u8(HEAD);
                out.put_u32(FORMAT);
                out.put_u64(head.life);
                out.put_u64(head.segment);
                out.put_u8(head.state.vote.is_some().into());
                put_vote(out, head.state.vote.unwrap_or(NO_VOTE));
                put_perhaps(out, head.state.committed);
                put_perhaps(out, head.state.purged);
                put_perhaps(out, head.state.last);
            }
            Record::Entry(at, payload) => {
                out.put_u8(ENTRY);
                put_position(out, *at);
                out.put_slice(payload);
            }
            Record::Vote(vote) => {
                out.put_u8(VOTE);
                put_vote(out, *vote);
            }
            Record::Truncate(last) => {
                out.put_u8(TRUNCATE);
                put_perhaps(out, *last);
            }
            Record::Purge(upto) => {
                out.put_u8(PURGE);
                put_position(out, *upto);
            }
            Record::Committed(at) => {
                out.put_u8(COMMITTED);
                put_position(out, *at);
            }
            Record::Note => out.put_u8(NOTE),
        }
    }
}

/// Adds a record. Its bytes are [`Record::bytes`].
pub(super) fn encode(out: &mut Vec<u8>, stamp: Stamp, record: &Record<'_>) {
    let start = out.len();
    out.put_u64(stamp.nonce);
    out.put_u64(stamp.number);
    out.put_u64(stamp.synced);
    out.put_u64(0);
    record.put(out);
    let length = u32::try_from(out.len() - start - HEADER).expect("entries are bounded");
    out.resize(start + record.bytes(), 0);
    let record = &mut out[start..];
    record[LENGTH_AT..CRC_AT].copy_from_slice(&length.to_be_bytes());
    seal(record);
}

/// Gives a whole record the checksum that it should have.
pub(super) fn seal(record: &mut [u8]) {
    let crc = crc_of(record);
    record[CRC_AT..HEADER].copy_from_slice(&crc.to_be_bytes());
}

/// The checksum of a whole record, without itself.
fn crc_of(record: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&record[..CRC_AT]);
    crc.update(&record[HEADER..]);
    crc.finalize()
}

/// A record that was found whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) stamp: Stamp,
    pub(super) record: Record<'a>,
    /// The bytes of all of it.
    pub(super) bytes: usize,
}

/// The whole record of this nonce that these bytes begin with; `None` when they begin with
/// none.
///
/// # Errors
/// When it is whole, and not understood.
pub(super) fn decode(bytes: &[u8], nonce: u64) -> io::Result<Option<Frame<'_>>> {
    if nonce_of(bytes) != Some(nonce) {
        return Ok(None);
    }
    let Some(size) = stated_bytes(bytes).filter(|size| *size <= bytes.len()) else {
        return Ok(None);
    };
    let whole = &bytes[..size];
    let mut front = Reader(&whole[ALIGN..HEADER]);
    let (number, synced) = (front.u64()?, front.u64()?);
    let (length, crc) = (front.u32()? as usize, front.u32()?);
    if crc != crc_of(whole) {
        return Ok(None);
    }
    let stamp = Stamp { nonce, number, synced };
    let record = understood(&whole[HEADER..HEADER + length])?;
    Ok(Some(Frame { stamp, record, bytes: size }))
}

/// The nonce that these bytes begin with, if they are long enough for a record.
pub(super) fn nonce_of(bytes: &[u8]) -> Option<u64> {
    (bytes.len() >= HEADER).then(|| Reader(bytes).u64().ok()).flatten()
}

/// How long the record that begins here says it is, true or not.
pub(super) fn stated_bytes(bytes: &[u8]) -> Option<usize> {
    let length = Reader(bytes.get(LENGTH_AT..HEADER)?).u32().ok()? as usize;
    (length > 0).then(|| HEADER + length.next_multiple_of(ALIGN))
}

/// What a record with the right checksum says.
fn understood(body: &[u8]) -> io::Result<Record<'_>> {
    let mut body = Reader(body);
    let record = match body.u8()? {
        HEAD => {
            let format = body.u32()?;
            if format != FORMAT {
                return Err(corrupt(format!(
                    "a segment of the log has format {format}, this build knows {FORMAT}; run the version that wrote it"
                )));
            }
            let (life, segment) = (body.u64()?, body.u64()?);
            let there = body.flag()?;
            let vote = body.vote()?;
            let state = DeviceState {
                vote: there.then_some(vote),
                committed: body.perhaps()?,
                purged: body.perhaps()?,
                last: body.perhaps()?,
            };
            Record::Head(Head { life, segment, state })
        }
        ENTRY => Record::Entry(body.position()?, std::mem::take(&mut body.0)),
        VOTE => Record::Vote(body.vote()?),
        TRUNCATE => Record::Truncate(body.perhaps()?),
        PURGE => Record::Purge(body.position()?),
        COMMITTED => Record::Committed(body.position()?),
        NOTE => Record::Note,
        kind => {
            return Err(corrupt(format!(
                "the log has a record of kind {kind}, which this build does not know; run the version that wrote it"
            )));
        }
    };
    if body.0.is_empty() {
        Ok(record)
    } else {
        Err(corrupt("a record of the log is too long".into()))
    }
}

/// Bytes of a vote.
const VOTE_BYTES: usize = 17;

/// Fills the place of a vote that is missing.
const NO_VOTE: VoteRecord = VoteRecord { term: Term(0), committed: false, node: NodeId(0) };

fn put_position(out: &mut Vec<u8>, at: Position) {
    out.put_u64(at.term.0);
    out.put_u64(at.index.0);
}

fn put_perhaps(out: &mut Vec<u8>, at: Option<Position>) {
    out.put_u8(at.is_some().into());
    put_position(out, at.unwrap_or(Position::START));
}

fn put_vote(out: &mut Vec<u8>, vote: VoteRecord) {
    out.put_u64(vote.term.0);
    out.put_u64(vote.node.0);
    out.put_u8(vote.committed.into());
}

/// Reads bytes from front to back.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let (taken, rest) = self
            .0
            .split_first_chunk()
            .ok_or_else(|| corrupt("a record of the log is too short".into()))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u8(&mut self) -> io::Result<u8> {
        Ok(u8::from_be_bytes(self.take()?))
    }

    fn u32(&mut self) -> io::Result<u32> {
        Ok(u32::from_be_bytes(self.take()?))
    }

    fn u64(&mut self) -> io::Result<u64> {
        Ok(u64::from_be_bytes(self.take()?))
    }

    fn flag(&mut self) -> io::Result<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(corrupt(format!("a record of the log has {other} for yes or no"))),
        }
    }

    fn position(&mut self) -> io::Result<Position> {
        Ok(Position { term: Term(self.u64()?), index: LogIndex(self.u64()?) })
    }

    fn perhaps(&mut self) -> io::Result<Option<Position>> {
        let there = self.flag()?;
        let at = self.position()?;
        Ok(there.then_some(at))
    }

    fn vote(&mut self) -> io::Result<VoteRecord> {
        let (term, node) = (Term(self.u64()?), NodeId(self.u64()?));
        Ok(VoteRecord { term, node, committed: self.flag()? })
    }
}
