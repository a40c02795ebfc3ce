//! Reading a log of segments as a crash has left it: see the folder's text for what is cut
//! off, and what is an error.

use super::index::{Index, Place, Segment, advance};
use super::record::{
    ALIGN, Frame, Head, Record, Stamp, corrupt, decode, encode, nonce_of, stated_bytes,
};
use super::shelf::{FIRST_BYTES, name_of, number_in};
use super::tail::{Held, Tail};
use crate::storage::blocks::Blocks;
use crate::storage::log::DeviceState;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

/// A file that is being made into a log's first segment.
const FIRST_DRAFT: &str = "first.draft";

/// A log as it was found, ready to be written to.
pub(super) struct Found {
    pub(super) index: Index,
    pub(super) tail: Tail,
    /// Bytes at the end that were no whole records.
    pub(super) cut_off: u64,
}

/// Opens the log in a folder, or makes one of this life.
pub(super) fn open(blocks: &dyn Blocks, life: u64) -> io::Result<Found> {
    let mut numbers = numbers_in(blocks)?;
    if numbers.is_empty() {
        begin(blocks, life)?;
        numbers.push(1);
    }
    // Segments go from the front. A power cut may bring one back behind which others are
    // gone; whether those were needed shows when the rest was read.
    let gap = numbers.windows(2).rposition(|pair| pair[0] + 1 != pair[1]);
    let left_over: Vec<u64> = numbers.drain(..gap.map_or(0, |gap| gap + 1)).collect();
    // One after the other: a long log is not held in memory.
    let mut files = numbers.into_iter().map(|number| File::open(blocks, number));
    let first = files.next().expect("there is one")?;
    let mut reading = Reading::begin(first)?;
    let mut behind = Vec::new();
    while behind.is_empty()
        && let Some(file) = files.next()
    {
        behind.extend(reading.turn(file?)?);
    }
    for file in files {
        behind.push(file?);
    }
    let torn = reading.check_the_rest(&behind)?;
    reading.mend(&torn)?;
    for file in &behind {
        blocks.remove(&file.segment.name)?;
    }
    for number in left_over {
        blocks.remove(&name_of(number))?;
    }
    blocks.sync_names()?;
    Ok(reading.found(torn.bytes))
}

/// The numbers of the segments in a folder, in order.
fn numbers_in(blocks: &dyn Blocks) -> io::Result<Vec<u64>> {
    let mut numbers: Vec<u64> = blocks.list()?.iter().filter_map(|name| number_in(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Makes the first segment of a new log. It gets its name when it is whole.
fn begin(blocks: &dyn Blocks, life: u64) -> io::Result<()> {
    if blocks.list()?.iter().any(|name| name == FIRST_DRAFT) {
        blocks.remove(FIRST_DRAFT)?;
    }
    let block = blocks.create(FIRST_DRAFT, FIRST_BYTES)?;
    let mut bytes = Vec::new();
    let stamp = Stamp { nonce: Head::nonce(life, 1), number: 0, synced: 0 };
    let head = Head { life, segment: 1, state: DeviceState::default() };
    encode(&mut bytes, stamp, &Record::Head(head));
    block.write_at(0, &bytes)?;
    block.sync()?;
    blocks.rename(FIRST_DRAFT, &name_of(1))?;
    blocks.sync_names()
}

/// A segment and what is in it.
struct File {
    segment: Arc<Segment>,
    content: Vec<u8>,
}

impl File {
    fn open(blocks: &dyn Blocks, number: u64) -> io::Result<Self> {
        let name = name_of(number);
        let block = blocks.open(&name)?;
        let bytes = block.bytes()?;
        let mut content = vec![0; usize::try_from(bytes).map_err(io::Error::other)?];
        block.read_at(0, &mut content)?;
        Ok(File { segment: Arc::new(Segment { number, name, block, bytes }), content })
    }

    /// The record of this nonce that begins here, if there is a whole one.
    fn frame(&self, offset: usize, nonce: u64) -> io::Result<Option<Frame<'_>>> {
        decode(self.content.get(offset..).unwrap_or_default(), nonce)
            .map_err(|err| self.damaged(offset, &err.to_string()))
    }

    /// Where records of this nonce seem to begin, whole or not.
    fn signs(&self, from: usize, nonce: u64) -> impl Iterator<Item = usize> {
        let places = (from..self.content.len()).step_by(ALIGN);
        places.filter(move |offset| nonce_of(&self.content[*offset..]) == Some(nonce))
    }

    fn damaged(&self, offset: usize, what: &str) -> io::Error {
        let name = &self.segment.name;
        corrupt(format!("the log is damaged in {name} at byte {offset}: {what}"))
    }
}

/// What a crash has left behind the log's end.
struct Torn {
    /// Where records seem to begin in the last segment.
    signs: Vec<usize>,
    /// How much there is of it.
    bytes: u64,
}

/// A log that is being read.
struct Reading {
    life: u64,
    index: Index,
    state: DeviceState,
    held: VecDeque<Held>,
    /// The segment that is read now.
    file: File,
    /// Where its next record is expected, ...
    offset: usize,
    /// ... and that record's number.
    next: u64,
    /// The records below this were durable, as others say.
    synced: u64,
}

impl Reading {
    /// Reads the first segment. It was durable before the log had an end in another one.
    fn begin(file: File) -> io::Result<Self> {
        let nonce = nonce_of(&file.content).unwrap_or_default();
        let frame = file.frame(0, nonce)?;
        let Some(Frame { stamp, record: Record::Head(head), .. }) = frame else {
            return Err(file.damaged(0, "its head is not readable"));
        };
        let number = file.segment.number;
        if head.segment != number || Head::nonce(head.life, number) != nonce {
            return Err(file.damaged(0, "its head is that of another segment"));
        }
        let mut reading = Reading {
            life: head.life,
            index: Index::new(head.state),
            state: head.state,
            held: VecDeque::new(),
            file,
            offset: 0,
            next: stamp.number,
            synced: 0,
        };
        reading.read()?;
        Ok(reading)
    }

    /// Goes on in the next segment. Gives it back when the log has not come to it.
    fn turn(&mut self, file: File) -> io::Result<Option<File>> {
        let nonce = Head::nonce(self.life, file.segment.number);
        match file.frame(0, nonce)? {
            Some(Frame { stamp, record: Record::Head(head), .. }) if stamp.number == self.next => {
                if head.state != self.state || head.segment != file.segment.number {
                    return Err(file.damaged(0, "its head does not fit what is before it"));
                }
            }
            _ => return Ok(Some(file)),
        }
        self.file = file;
        self.offset = 0;
        self.read()?;
        Ok(None)
    }

    /// Takes every whole record of the segment, up to the first that is none.
    fn read(&mut self) -> io::Result<()> {
        let segment = self.file.segment.clone();
        let nonce = Head::nonce(self.life, segment.number);
        let mut highest = None;
        while let Some(frame) = self.file.frame(self.offset, nonce)? {
            let Frame { stamp, record, bytes } = frame;
            if stamp.number != self.next {
                break;
            }
            let out_of_place = || self.file.damaged(self.offset, "a record is out of place");
            match record {
                Record::Head(_) if self.offset > 0 => return Err(out_of_place()),
                Record::Entry(at, payload) => {
                    let offset = self.offset as u64;
                    let place = Place::File { segment: segment.clone(), offset, bytes };
                    let found = self.index.found(at, payload.len(), place);
                    found.map_err(|_| out_of_place())?;
                    highest = highest.max(Some(at.index));
                }
                _ => self.index.apply(&record),
            }
            advance(&mut self.state, &record);
            self.synced = self.synced.max(stamp.synced);
            self.offset += bytes;
            self.next += 1;
        }
        self.held.push_back(Held { segment, highest });
        Ok(())
    }

    /// Whether what lies behind the end can have been left by a crash: it was on its way
    /// when nothing behind it was durable. Changes nothing.
    fn check_the_rest(&self, behind: &[File]) -> io::Result<Torn> {
        let mut torn = Torn { signs: Vec::new(), bytes: 0 };
        for (file, from) in
            [(&self.file, self.offset)].into_iter().chain(behind.iter().map(|file| (file, 0)))
        {
            let nonce = Head::nonce(self.life, file.segment.number);
            let mut end = from;
            for offset in file.signs(from, nonce) {
                if let Some(Frame { stamp, .. }) = file.frame(offset, nonce)?
                    && (stamp.synced > self.next || stamp.number <= self.next)
                {
                    let (next, number) = (self.next, stamp.number);
                    return Err(self.file.damaged(
                        self.offset,
                        &format!(
                            "record {next} is not there, and was before record {number} was written"
                        ),
                    ));
                }
                let stated = stated_bytes(&file.content[offset..]).unwrap_or(ALIGN);
                end = end.max(offset.saturating_add(stated).min(file.content.len()));
                if file.segment.number == self.file.segment.number {
                    torn.signs.push(offset);
                }
            }
            torn.bytes += (end - from) as u64;
        }
        if !self.index.complete() {
            return Err(corrupt(format!(
                "entries of the log are missing: the files before {} are gone",
                self.held[0].segment.name
            )));
        }
        Ok(torn)
    }

    /// What seems to begin behind the end never will, and what was read is durable.
    fn mend(&mut self, torn: &Torn) -> io::Result<()> {
        let block = &self.file.segment.block;
        for offset in &torn.signs {
            block.write_at(*offset as u64, &[0; ALIGN])?;
        }
        // The system may have it in memory only, and take that for written: after a sync
        // that failed, in an earlier process. So it is written again.
        let nonce = Head::nonce(self.life, self.file.segment.number);
        let mut from = 0;
        while let Some(frame) = self.file.frame(from, nonce)?.filter(|_| from < self.offset)
            && frame.stamp.number < self.synced
        {
            from += frame.bytes;
        }
        block.write_at(from as u64, &self.file.content[from..self.offset])?;
        block.sync()
    }

    fn found(self, cut_off: u64) -> Found {
        let tail = Tail {
            life: self.life,
            segments: self.held,
            offset: self.offset as u64,
            next: self.next,
            synced: self.next,
            state: self.state,
            buffer: Vec::new(),
        };
        Found { index: self.index, tail, cut_off }
    }
}
