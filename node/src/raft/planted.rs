//! What planted bugs do to openraft.

use super::types::TypeConfig;
use crate::storage::log::LogDevice;
use openraft::storage::IOFlushed;
use std::io;

/// Says that what was written is durable, and only then sees to it.
pub(super) fn ack_early(device: &dyn LogDevice, flushed: IOFlushed<TypeConfig>) -> io::Result<()> {
    device.sync(Box::new(|_| ()));
    flushed.io_completed(Ok(()));
    Ok(())
}
