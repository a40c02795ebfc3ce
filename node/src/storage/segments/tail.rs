//! The end of a log of segments, where records are written.

use super::index::{Place, Segment, Staged, Stored, advance};
use super::record::{Head, Record, Stamp, encode};
use super::shelf::Shelf;
use crate::storage::log::{DeviceState, behind};
use hangraft_ids::LogIndex;
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

/// A buffer that grew larger than this is not kept.
const BUFFER_BYTES_KEPT: usize = 1 << 20;

/// A segment, and the last entry that was ever written to it.
pub(super) struct Held {
    pub(super) segment: Arc<Segment>,
    pub(super) highest: Option<LogIndex>,
}

/// Where the log is written. One batch of records at a time is on its way to the disk, and
/// it is in one segment.
pub(super) struct Tail {
    pub(super) life: u64,
    /// Oldest first. The last one is written to.
    pub(super) segments: VecDeque<Held>,
    /// Where the next record comes in the last segment.
    pub(super) offset: u64,
    /// The next record's number.
    pub(super) next: u64,
    /// All records below this are durable.
    pub(super) synced: u64,
    /// What the log holds by the records so far.
    pub(super) state: DeviceState,
    pub(super) buffer: Vec<u8>,
}

impl Tail {
    fn last(&self) -> &Held {
        self.segments.back().expect("a log has a segment")
    }

    /// Whether the last segment is more than half full.
    pub(super) fn wants_another(&self) -> bool {
        2 * self.offset > self.last().segment.bytes
    }

    /// Writes a batch; it is durable after [`Tail::sync`]. Where its entries are.
    pub(super) fn write(
        &mut self,
        batch: &[Staged],
        shelf: &Mutex<Shelf>,
    ) -> io::Result<Vec<Stored>> {
        let bytes: usize = batch.iter().map(|staged| staged.record().bytes()).sum();
        self.buffer.clear();
        if self.offset + bytes as u64 > self.last().segment.bytes {
            self.turn(bytes as u64, shelf)?;
        }
        let start = self.offset;
        let segment = self.last().segment.clone();
        let mut stored = Vec::new();
        let mut highest = self.last().highest;
        for staged in batch {
            let record = staged.record();
            let offset = start + self.buffer.len() as u64;
            if let Staged::Entry { at, ticket, .. } = staged {
                let segment = segment.clone();
                let place = Place::File { segment, offset, bytes: record.bytes() };
                stored.push(Stored { at: at.index, ticket: *ticket, place });
                highest = highest.max(Some(at.index));
            }
            self.add(&record);
        }
        segment.block.write_at(start, &self.buffer)?;
        self.offset = start + self.buffer.len() as u64;
        self.segments.back_mut().expect("a log has a segment").highest = highest;
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER_BYTES_KEPT);
        Ok(stored)
    }

    /// Everything that was written is durable when this returns.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if self.synced < self.next {
            self.last().segment.block.sync()?;
            self.synced = self.next;
        }
        Ok(())
    }

    /// Notes in the log how far it is synced, without syncing that.
    pub(super) fn note(&mut self) -> io::Result<()> {
        let bytes = Record::Note.bytes() as u64;
        if self.offset + bytes > self.last().segment.bytes {
            return Ok(());
        }
        self.buffer.clear();
        self.add(&Record::Note);
        self.last().segment.block.write_at(self.offset, &self.buffer)?;
        self.offset += bytes;
        Ok(())
    }

    /// The segments whose entries are all purged, oldest first. What else they held is in
    /// the heads of those behind them.
    pub(super) fn let_go(&mut self) -> Vec<Arc<Segment>> {
        let begin = behind(self.state.purged);
        let mut gone = Vec::new();
        while self.segments.len() > 1
            && self.segments[0].highest.is_none_or(|highest| highest < begin)
        {
            gone.extend(self.segments.pop_front().map(|held| held.segment));
        }
        gone
    }

    /// Goes on in another segment. Its head is in the buffer.
    fn turn(&mut self, bytes: u64, shelf: &Mutex<Shelf>) -> io::Result<()> {
        // A note may not be durable yet, and what is on its way is in one segment.
        self.sync()?;
        let empty = DeviceState::default();
        let head = Record::Head(Head { life: self.life, segment: 0, state: empty });
        let mut shelf = shelf.lock().expect("nothing panics while files are made ready");
        let segment = shelf.take(bytes + head.bytes() as u64)?;
        let head = Head { life: self.life, segment: segment.number, state: self.state };
        self.segments.push_back(Held { segment: Arc::new(segment), highest: None });
        self.offset = 0;
        self.add(&Record::Head(head));
        Ok(())
    }

    fn add(&mut self, record: &Record<'_>) {
        let nonce = Head::nonce(self.life, self.last().segment.number);
        let stamp = Stamp { nonce, number: self.next, synced: self.synced };
        encode(&mut self.buffer, stamp, record);
        advance(&mut self.state, record);
        self.next += 1;
    }
}
