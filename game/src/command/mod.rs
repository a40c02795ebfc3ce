//! What can be asked of the lobby, and how it lies in the log.
//!
//! The log carries wishes, never results. A [`Batch`] is what one log entry
//! holds: many players' [`Entry`]s under one [`Stamp`].

mod batch;
mod entry;
mod feature;
mod printed;

pub use batch::{Batch, Stamp, Undecodable};
pub(crate) use batch::{Edition, decode_with};
pub use entry::{Attempt, Command, Entry, Place, Wanted};
pub use feature::Feature;
