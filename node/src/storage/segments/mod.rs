//! The Raft log and vote as a log of segments: files that were filled with zeros before they
//! are needed, so that making a batch durable is one write and one fdatasync that changes no
//! metadata.
//!
//! # What is on the disk
//!
//! Segments have numbers that follow each other (`0000000000000001.segment`), and hold
//! records (`record.rs`) that are numbered through the whole log. The first record of a
//! segment is its head: what the log held before it. So the segments in front can go when
//! their entries are purged; one of them is used again as a next segment. A batch of records
//! is one write into one segment, and the next batch is not begun before it is synced. A
//! batch that does not fit goes into the next segment, whose file and name were durable
//! before. While nothing is to be done, and when the log is closed, a note says how far it
//! was synced.
//!
//! # What a crash leaves, and what is damage
//!
//! What was on its way when the power failed may be there or not, sector by sector. So the log
//! ends before the first record that is not whole, and what is left behind it is made
//! unreadable before anything is written there. That would be wrong if the record had been
//! durable and was damaged later: acknowledged entries would be gone. What tells the two
//! apart is that each record says how far the log was durable before it was written. If any
//! record behind the end, in whichever segment, says that the missing one was durable, then
//! the log is damaged and does not open. It is an error, too, when a file is missing whose
//! entries are not purged, when a head does not fit what comes before it, or when a record is
//! whole and not understood.
//!
//! A record of a file's former life is none, whatever it says: its nonce is that of another
//! segment.
//!
//! What this cannot tell: damage in the very last batch from a torn write, as long as neither
//! a batch nor a note came behind it; and that the end is gone as if it had never been, by
//! zeros up to the end of the last files, or because somebody removed those. And it takes for
//! granted that a sector that is written again, with more behind what it held, keeps what it
//! held when the power fails. A log without any segment is a new one: whoever knows better
//! must say so (the identity file does).
//!
//! # Errors
//!
//! An error of a write or a sync is final. Linux reports a failed write-back once, and may
//! take the pages for clean afterwards: a sync that is tried again succeeds and has written
//! nothing ("fsyncgate": PostgreSQL's fsync() surprise, LWN 752063, 2018; Rebello et al.,
//! Can Applications Recover from fsync Failures?, USENIX ATC 2020). For the same reason, what
//! no record behind it proves to be durable is written again when the log is opened.

#[cfg(test)]
mod damage;
mod index;
#[cfg(test)]
pub(crate) mod memory;
mod record;
mod recovery;
mod shelf;
mod tail;
#[cfg(test)]
mod tests;

use super::blocks::Blocks;
use super::log::{DeviceState, Position, Write};
use bytes::Bytes;
use hangraft_ids::LogIndex;
use index::{Index, Place, Stored};
use record::{Head, Record, corrupt, decode};
use shelf::Shelf;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use tail::Tail;

/// See the module's text. Whoever owns it decides which thread waits for the disk:
/// [`SegmentLog::begin_flush`], [`SegmentLog::end_flush`], [`SegmentLog::make_ready`],
/// [`SegmentLog::note`] and reading do, and nothing else.
pub struct SegmentLog {
    index: Mutex<Index>,
    /// Locked before the other two.
    tail: Mutex<Tail>,
    shelf: Mutex<Shelf>,
    life: u64,
    cut_off: u64,
}

/// A batch that is on its way to the disk.
#[must_use]
pub struct Flush(Vec<Stored>);

impl SegmentLog {
    /// Opens the log in a folder. An empty folder becomes a new log, of this life: a random
    /// number.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or is not understood.
    pub fn open(blocks: Arc<dyn Blocks>, life: u64) -> io::Result<Self> {
        let found = recovery::open(&*blocks, life)?;
        let last = found.tail.segments.back().expect("a log has a segment").segment.clone();
        Ok(SegmentLog {
            index: Mutex::new(found.index),
            life: found.tail.life,
            tail: Mutex::new(found.tail),
            shelf: Mutex::new(Shelf::behind(blocks, &last)),
            cut_off: found.cut_off,
        })
    }

    /// Takes a write; it is readable when this returns, and durable after a flush.
    ///
    /// # Errors
    /// When it makes no sense behind what is there, which changes nothing, or when the log
    /// has failed.
    pub fn write(&self, write: Write) -> io::Result<()> {
        self.index().write(write)
    }

    /// Writes everything that was taken so far. At most one flush is on its way.
    ///
    /// # Errors
    /// When the log has failed, now or before. It takes nothing any more.
    pub fn begin_flush(&self) -> io::Result<Flush> {
        let mut tail = self.tail();
        let staged = self.index().take_staged()?;
        if staged.is_empty() {
            return Ok(Flush(Vec::new()));
        }
        tail.write(&staged, &self.shelf).map(Flush).map_err(|err| self.fail(err))
    }

    /// What the flush wrote is durable when this returns.
    ///
    /// # Errors
    /// See [`SegmentLog::begin_flush`].
    pub fn end_flush(&self, flush: Flush) -> io::Result<()> {
        let mut tail = self.tail();
        self.index().check()?;
        tail.sync().map_err(|err| self.fail(err))?;
        self.index().stored(flush.0);
        // Whoever makes a file ready holds the shelf for long. The next flush lets them go.
        if let Ok(mut shelf) = self.shelf.try_lock() {
            shelf.give_back(tail.let_go());
        }
        Ok(())
    }

    /// Whether it is time to [make](SegmentLog::make_ready) the next file ready.
    pub fn wants_file(&self) -> bool {
        let wanted = self.tail().wants_another();
        // Held for long by whoever makes one.
        wanted && self.shelf.try_lock().is_ok_and(|shelf| shelf.wants_work())
    }

    /// Makes the next file ready, so that no flush waits for it. Takes long, and holds up a
    /// flush only if that needs the file.
    ///
    /// # Errors
    /// When the file cannot be made. The log goes on: a flush that needs it tries again.
    pub fn make_ready(&self) -> io::Result<()> {
        self.shelf().make_ready()
    }

    /// Notes how far the log is synced, if nothing is on its way; without waiting for a sync.
    ///
    /// # Errors
    /// See [`SegmentLog::begin_flush`].
    pub fn note(&self) -> io::Result<()> {
        let mut tail = self.tail();
        self.index().check()?;
        tail.note().map_err(|err| self.fail(err))
    }

    /// Makes everything durable, and says so in the log.
    ///
    /// # Errors
    /// See [`SegmentLog::begin_flush`].
    pub fn close(&self) -> io::Result<()> {
        let flush = self.begin_flush()?;
        self.end_flush(flush)?;
        self.note()?;
        self.end_flush(Flush(Vec::new()))
    }

    /// See [`super::log::LogDevice::read`].
    ///
    /// # Errors
    /// When the log has failed, or gives back something else than was written.
    pub fn read(
        &self,
        from: LogIndex,
        to: LogIndex,
        bytes_max: usize,
    ) -> io::Result<Vec<(Position, Bytes)>> {
        let places = self.index().places(from, to, bytes_max)?;
        places.into_iter().map(|(at, place)| Ok((at, self.fetch(at, place)?))).collect()
    }

    fn fetch(&self, at: Position, place: Place) -> io::Result<Bytes> {
        let (segment, offset, bytes) = match place {
            Place::Memory(payload) => return Ok(payload),
            Place::File { segment, offset, bytes } => (segment, offset, bytes),
        };
        let mut record = vec![0; bytes];
        segment.block.read_at(offset, &mut record)?;
        let payload = match decode(&record, Head::nonce(self.life, segment.number))? {
            Some(frame) => match frame.record {
                Record::Entry(there, payload) if there == at => Some(payload.len()),
                _ => None,
            },
            None => None,
        };
        let Some(length) = payload else {
            let (index, name) = (at.index, &segment.name);
            return Err(corrupt(format!("entry {index} of the log is damaged in {name}")));
        };
        let start = record::PAYLOAD_AT;
        Ok(Bytes::from(record).slice(start..start + length))
    }

    /// What the log holds now, durable or not.
    pub fn state(&self) -> DeviceState {
        self.index().state
    }

    /// Whether it has failed.
    ///
    /// # Errors
    /// The first error, which is final.
    pub fn check(&self) -> io::Result<()> {
        self.index().check()
    }

    /// Whether something waits to be written.
    pub fn has_staged(&self) -> bool {
        self.index().has_staged()
    }

    /// Bytes at the log's end that were no whole records when it was opened.
    pub fn cut_off(&self) -> u64 {
        self.cut_off
    }

    fn fail(&self, err: io::Error) -> io::Error {
        self.index().fail(&err);
        err
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().expect("nothing panics while the index is held")
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().expect("nothing panics while the tail is held")
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().expect("nothing panics while files are made ready")
    }
}
