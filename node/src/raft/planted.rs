//! What planted bugs do to consensus.

use super::machine::Machine;
use crate::raft::stopwatch::{Hand, Stopwatch};
use crate::raft::types::TypeConfig;
use crate::storage::log::LogDevice;
use hangraft_game::{Batch, Lobby};
use openraft::storage::IOFlushed;
use std::io;

/// Says that what was written is durable, and only then sees to it.
pub(super) fn ack_early(device: &dyn LogDevice, flushed: IOFlushed<TypeConfig>) -> io::Result<()> {
    device.sync(Box::new(|_| ()));
    flushed.io_completed(Ok(()));
    Ok(())
}

/// Shows what a batch would lead to before it is committed.
pub(super) fn show_early(machine: &Machine, batch: &Batch) {
    let mut copy = machine.with_lobby(Lobby::clone);
    let mut changes = copy.tick(batch.stamp).changes;
    for (nth, entry) in (0..).zip(&batch.entries) {
        changes.extend(copy.apply(batch.stamp, nth, entry).changes);
    }
    let mut publisher = machine.feed().publisher();
    for change in changes {
        let room = change.last.clone().or_else(|| copy.room(change.room).cloned());
        if let Some(room) = room.filter(|_| publisher.is_watched(change.room)) {
            publisher.publish(room, change);
        }
    }
}

/// Time that was taken for a batch which became nothing counts for the next one: what a new
/// leader writes first is often refused.
pub(super) fn give_back<T, U, E>(
    taken: &Option<(Stopwatch, Option<u64>)>,
    became: &Result<Result<T, U>, E>,
) {
    let (Some((stopwatch, Some(ms))), false) = (taken, matches!(became, Ok(Ok(_)))) else { return };
    let mut hand = stopwatch.hand();
    *hand = match *hand {
        Hand::Runs { since_ms } => Hand::Runs { since_ms: since_ms.saturating_sub(*ms) },
        Hand::Stands { at_ms } => Hand::Stands { at_ms: at_ms.saturating_add(*ms) },
    };
}
