//! What a log of segments holds, as it is read: the state, and where each entry is.

use super::record::Record;
use crate::storage::blocks::Block;
use crate::storage::log::{DeviceState, Position, Write, behind};
use bytes::Bytes;
use hangraft_ids::LogIndex;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::Arc;

/// The largest entry. Far above what admission lets in.
const ENTRY_BYTES_MAX: usize = 1 << 30;

/// Bytes of entries that wait to be written. Far above what admission lets in; past it a
/// write is refused.
const STAGED_BYTES_MAX: usize = 1 << 30;

/// A file of the log.
pub(super) struct Segment {
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) block: Box<dyn Block>,
    /// Its length.
    pub(super) bytes: u64,
}

/// Where an entry is.
#[derive(Clone)]
pub(super) enum Place {
    /// Not yet durable.
    Memory(Bytes),
    /// A whole record in a file.
    File { segment: Arc<Segment>, offset: u64, bytes: usize },
}

/// An entry of the log.
pub(super) struct Slot {
    pub(super) at: Position,
    /// Which staged write it was: another entry may have come to its index since.
    ticket: u64,
    /// Bytes of what it says.
    payload_bytes: usize,
    place: Place,
}

/// Something that waits to be written.
pub(super) enum Staged {
    Entry { at: Position, payload: Bytes, ticket: u64 },
    Other(Record<'static>),
}

impl Staged {
    /// As it is written.
    pub(super) fn record(&self) -> Record<'_> {
        match self {
            Staged::Entry { at, payload, .. } => Record::Entry(*at, payload),
            Staged::Other(record) => *record,
        }
    }
}

/// Where a staged entry has come to.
pub(super) struct Stored {
    pub(super) at: LogIndex,
    pub(super) ticket: u64,
    pub(super) place: Place,
}

/// What the log holds.
///
/// Invariant: the slots follow each other without a hole, and the last one is the log's last
/// entry.
#[derive(Default)]
pub(super) struct Index {
    pub(super) state: DeviceState,
    slots: VecDeque<Slot>,
    /// There was no entry before the first segment.
    begun_empty: bool,
    staged: Vec<Staged>,
    staged_bytes: usize,
    tickets: u64,
    /// The first error; final.
    failure: Option<(ErrorKind, String)>,
}

/// What a record does to the state of a log.
pub(super) fn advance(state: &mut DeviceState, record: &Record<'_>) {
    match record {
        Record::Entry(at, _) => state.last = Some(*at),
        Record::Vote(vote) => state.vote = Some(*vote),
        Record::Truncate(last) => state.last = *last,
        Record::Purge(upto) => {
            if behind(state.purged) <= upto.index {
                state.purged = Some(*upto);
            }
            if behind(state.last) <= upto.index {
                state.last = Some(*upto);
            }
        }
        Record::Committed(at) => state.committed = Some(*at),
        Record::Head(_) | Record::Note => {}
    }
}

fn refused(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, why.to_owned())
}

impl Index {
    /// A log that held this before its first segment.
    pub(super) fn new(state: DeviceState) -> Self {
        Index { state, begun_empty: state.last.is_none(), ..Index::default() }
    }

    /// Takes a write to be stored later, or refuses it and changes nothing.
    pub(super) fn write(&mut self, write: Write) -> io::Result<()> {
        self.check()?;
        match write {
            Write::Append(entries) => self.append(entries)?,
            Write::Vote(vote) if Some(vote) < self.state.vote => {
                return Err(refused("a vote is never taken back"));
            }
            Write::Vote(vote) => self.stage(Record::Vote(vote)),
            Write::TruncateAfter(last) => {
                let keep = behind(last);
                if behind(self.state.last) > keep {
                    // Behind a purge, nothing more than that is forgotten.
                    let end = keep.0.checked_sub(1).and_then(|end| self.at(LogIndex(end)));
                    let end = end.map(|slot| slot.at).or(self.state.purged);
                    self.stage(Record::Truncate(end));
                }
            }
            Write::Purge(upto) => self.stage(Record::Purge(upto)),
            Write::Committed(at) => {
                // Only the newest of several that follow each other is worth anything.
                if let Some(Staged::Other(Record::Committed(_))) = self.staged.last() {
                    self.staged.pop();
                }
                self.stage(Record::Committed(at));
            }
        }
        Ok(())
    }

    fn append(&mut self, entries: Vec<(Position, Bytes)>) -> io::Result<()> {
        // A new log may begin anywhere.
        let first = entries.first().map_or(LogIndex(0), |(at, _)| at.index);
        let next = self.state.last.map_or(first, |last| last.index.next());
        if entries.iter().zip(next.0..).any(|((at, _), index)| at.index != LogIndex(index)) {
            return Err(refused("a log has no holes"));
        }
        let bytes: usize = entries.iter().map(|(_, payload)| payload.len()).sum();
        if entries.iter().any(|(_, payload)| payload.len() > ENTRY_BYTES_MAX)
            || self.staged_bytes + bytes > STAGED_BYTES_MAX
        {
            return Err(refused("more than the log takes at once"));
        }
        self.staged_bytes += bytes;
        for (at, payload) in entries {
            self.tickets += 1;
            let ticket = self.tickets;
            self.add(at, ticket, payload.len(), Place::Memory(payload.clone()));
            self.staged.push(Staged::Entry { at, payload, ticket });
        }
        Ok(())
    }

    fn stage(&mut self, record: Record<'static>) {
        self.apply(&record);
        self.staged.push(Staged::Other(record));
    }

    /// An entry that was read from a file, behind the last one.
    pub(super) fn found(
        &mut self,
        at: Position,
        payload_bytes: usize,
        place: Place,
    ) -> io::Result<()> {
        if self.state.last.is_some_and(|last| last.index.next() != at.index) {
            return Err(refused("a log has no holes"));
        }
        self.add(at, 0, payload_bytes, place);
        Ok(())
    }

    fn add(&mut self, at: Position, ticket: u64, payload_bytes: usize, place: Place) {
        self.slots.push_back(Slot { at, ticket, payload_bytes, place });
        self.state.last = Some(at);
    }

    /// What a record that is no entry does.
    pub(super) fn apply(&mut self, record: &Record<'_>) {
        advance(&mut self.state, record);
        let end = behind(self.state.last);
        while self.slots.back().is_some_and(|slot| slot.at.index >= end) {
            self.slots.pop_back();
        }
        let begin = behind(self.state.purged);
        while self.slots.front().is_some_and(|slot| slot.at.index < begin) {
            self.slots.pop_front();
        }
    }

    /// Whether every entry that is not purged is here.
    pub(super) fn complete(&self) -> bool {
        let wanted = behind(self.state.last).since(behind(self.state.purged));
        let whole = self.slots.len() as u64 == wanted;
        // A new log may begin anywhere.
        whole || self.state.purged.is_none() && !self.slots.is_empty() && self.begun_empty
    }

    fn at(&self, index: LogIndex) -> Option<&Slot> {
        let first = self.slots.front()?.at.index;
        self.slots.get(usize::try_from(index.0.checked_sub(first.0)?).ok()?)
    }

    /// Where the entries from index `from` up to but excluding `to` are, cut after so many
    /// bytes but never before the first; nothing when the first is not here.
    pub(super) fn places(
        &self,
        from: LogIndex,
        to: LogIndex,
        bytes_max: usize,
    ) -> io::Result<Vec<(Position, Place)>> {
        self.check()?;
        let mut places = Vec::new();
        let mut bytes = 0;
        let mut next = from;
        // Before a new log that began somewhere there is nothing.
        if let Some(first) = self.slots.front().filter(|_| behind(self.state.purged) <= from) {
            next = next.max(first.at.index);
        }
        while let Some(slot) = self.at(next).filter(|slot| slot.at.index < to) {
            bytes += slot.payload_bytes;
            if bytes > bytes_max && !places.is_empty() {
                break;
            }
            places.push((slot.at, slot.place.clone()));
            next = next.next();
        }
        Ok(places)
    }

    /// What waits to be written. It is now on its way.
    pub(super) fn take_staged(&mut self) -> io::Result<Vec<Staged>> {
        self.check()?;
        self.staged_bytes = 0;
        Ok(std::mem::take(&mut self.staged))
    }

    /// Whether anything waits to be written.
    pub(super) fn has_staged(&self) -> bool {
        !self.staged.is_empty()
    }

    /// These entries are durable.
    pub(super) fn stored(&mut self, entries: Vec<Stored>) {
        let Some(first) = self.slots.front().map(|slot| slot.at.index) else { return };
        for stored in entries {
            let nth = stored.at.0.checked_sub(first.0).and_then(|nth| usize::try_from(nth).ok());
            if let Some(slot) = nth.and_then(|nth| self.slots.get_mut(nth))
                && slot.ticket == stored.ticket
            {
                slot.place = stored.place;
            }
        }
    }

    /// Nothing is taken any more.
    pub(super) fn fail(&mut self, err: &io::Error) {
        self.failure.get_or_insert_with(|| (err.kind(), format!("the log failed: {err}")));
    }

    /// Whether it has failed.
    pub(super) fn check(&self) -> io::Result<()> {
        match &self.failure {
            None => Ok(()),
            Some((kind, text)) => Err(io::Error::new(*kind, text.clone())),
        }
    }
}
