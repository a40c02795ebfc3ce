//! The files that a log of segments writes to next: made before they are needed, of segments
//! that were purged where that is possible.

use super::index::Segment;
use crate::storage::blocks::Blocks;
use std::io;
use std::sync::Arc;

/// The first file of a log. Each one after it is twice as large as the one before, ...
pub(super) const FIRST_BYTES: u64 = 256 << 10;

/// ... up to this.
const MOST_BYTES: u64 = 16 << 20;

/// Purged segments that are kept to be used again. The others are removed.
const SPARES_MAX: usize = 1;

/// A file's name: only these belong to the log.
pub(super) fn name_of(segment: u64) -> String {
    format!("{segment:016}.{KIND}")
}

/// The number in a file's name.
pub(super) fn number_in(name: &str) -> Option<u64> {
    let number = name.strip_suffix(KIND)?.strip_suffix('.')?.parse().ok()?;
    (name_of(number) == name).then_some(number)
}

const KIND: &str = "segment";

/// The next files.
pub(super) struct Shelf {
    blocks: Arc<dyn Blocks>,
    /// The next segment's number.
    number: u64,
    /// The bytes it should have.
    bytes: u64,
    /// It is ready, and its name is durable.
    ready: Option<Segment>,
    /// Purged segments, oldest first.
    purged: Vec<Arc<Segment>>,
}

impl Shelf {
    /// Behind a last segment of this number and length.
    pub(super) fn behind(blocks: Arc<dyn Blocks>, last: &Segment) -> Self {
        let bytes = (2 * last.bytes).clamp(FIRST_BYTES, MOST_BYTES);
        Shelf { blocks, number: last.number + 1, bytes, ready: None, purged: Vec::new() }
    }

    /// Whether [`Shelf::make_ready`] has something to do.
    pub(super) fn wants_work(&self) -> bool {
        self.ready.is_none() || self.purged.len() > SPARES_MAX
    }

    /// Makes the next file ready, and removes what nobody needs.
    pub(super) fn make_ready(&mut self) -> io::Result<()> {
        if self.ready.is_none() {
            self.ready = Some(self.make(self.bytes)?);
        }
        while self.purged.len() > SPARES_MAX {
            self.blocks.remove(&self.purged.remove(0).name)?;
        }
        Ok(())
    }

    /// The next file, which holds at least so many bytes.
    pub(super) fn take(&mut self, bytes: u64) -> io::Result<Segment> {
        let small = self.ready.take_if(|ready| ready.bytes < bytes);
        if let Some(small) = small {
            self.blocks.remove(&small.name)?;
        }
        let taken = match self.ready.take() {
            Some(ready) => ready,
            None => self.make(self.bytes.max(bytes.next_multiple_of(FIRST_BYTES)))?,
        };
        self.number += 1;
        self.bytes = (2 * self.bytes).min(MOST_BYTES);
        Ok(taken)
    }

    /// These segments hold nothing that is needed any more, oldest first.
    pub(super) fn give_back(&mut self, purged: impl IntoIterator<Item = Arc<Segment>>) {
        self.purged.extend(purged);
    }

    fn make(&mut self, bytes: u64) -> io::Result<Segment> {
        let (number, name) = (self.number, name_of(self.number));
        // One that somebody still reads from must not be written to.
        let fits = |spare: &Arc<Segment>| spare.bytes == bytes && Arc::strong_count(spare) == 1;
        let block = match self.purged.iter().position(fits) {
            Some(place) => {
                let spare = self.purged.remove(place);
                self.blocks.rename(&spare.name, &name)?;
                self.blocks.open(&name)?
            }
            None => self.blocks.create(&name, bytes)?,
        };
        // Before anything is written that somebody may rely on.
        self.blocks.sync_names()?;
        Ok(Segment { number, name, block, bytes })
    }
}
