//! A machine's log of segments: the one that nodes have with `log = "segments"`, on the files
//! of [`super::blocks`].
//!
//! It runs beside the model of a log that [`super::disk`] has for every day. Both are told the
//! same, and what a crash leaves of it must be what the model has made durable, and of the
//! rest a beginning: that is looked at after each crash.

use super::blocks::SimBlocks;
use super::disk::Content;
use super::{MachineId, World};
use hangraft_ids::LogIndex;
use hangraft_node::storage::log::Write;
use hangraft_node::storage::segments::{Flush, SegmentLog};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

/// The log and its files.
#[derive(Default)]
pub(super) struct Segments {
    blocks: SimBlocks,
    /// The node's own, while it runs.
    opened: Option<Arc<SegmentLog>>,
}

impl Segments {
    /// Another disk's, with what is durable here.
    pub(super) fn durable(&self) -> Self {
        Segments { blocks: self.blocks.durable(), opened: None }
    }

    /// Opens the log for a node that starts in this life of its machine.
    pub(super) fn open(&mut self, machine: MachineId, life: u32) -> io::Result<()> {
        self.opened = Some(Arc::new(self.log(machine, life)?));
        Ok(())
    }

    /// The log of the node that runs.
    pub(super) fn opened(&self) -> &Arc<SegmentLog> {
        self.opened.as_ref().expect("a node runs")
    }

    /// The power fails; what the log holds after it.
    pub(super) fn lose_power(&mut self, world: &World, machine: MachineId, life: u32) -> Content {
        self.opened = None;
        self.blocks.lose_power(world);
        let log = self.log(machine, life).expect("a power cut damages no log");
        let state = log.state();
        let begin = state.purged.map_or(LogIndex(0), |purged| purged.index.next());
        let end = state.last.map_or(begin, |last| last.index.next());
        let entries = log.read(begin, end, usize::MAX).expect("what was found can be read");
        Content { state, entries: entries.into() }
    }

    fn log(&self, machine: MachineId, life: u32) -> io::Result<SegmentLog> {
        // What a new log is told from others by. No dice: they are for what happens.
        let name = (machine as u64 + 1) << 32 | u64::from(life);
        let name = name.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        SegmentLog::open(Arc::new(self.blocks.clone()), name)
    }
}

/// What was written is durable when this returns, and the next file is ready if it is time.
pub(super) fn end_flush(log: &SegmentLog, flush: Flush) -> io::Result<()> {
    log.end_flush(flush)?;
    if log.wants_file() { log.make_ready() } else { Ok(()) }
}

/// How many of the writes behind `durable` were taken back, if this was found after a crash.
pub(super) fn lost(mut durable: Content, mut pending: VecDeque<Write>, found: &Content) -> u64 {
    while durable != *found {
        let write = pending.pop_front();
        let write = write.expect("a log holds what was synced, and a beginning of the rest");
        if let Write::Append(entries) = &write {
            for keep in 1..entries.len() {
                let mut part = durable.clone();
                let torn = part.take(&Write::Append(entries[..keep].to_vec()));
                torn.expect("a part of what was taken before");
                if part == *found {
                    return pending.len() as u64 + 1;
                }
            }
        }
        durable.take(&write).expect("it was taken before");
    }
    pending.len() as u64
}
