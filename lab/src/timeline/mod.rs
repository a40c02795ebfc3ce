//! Everything that happened in a cluster, one thing a line, in one format.
//!
//! The first line is a [`Head`] with the number of the format; the others come in the order
//! of their `at`, microseconds since the timeline began. `docs/timeline.md` says what each
//! means. A reader leaves out lines of a kind it does not know; whoever changes the meaning
//! of a kind that there is raises [`FORMAT`].

mod clocks;
pub mod file;
mod gather;
mod line;
mod lines;
#[cfg(test)]
mod tests;

pub use gather::{Heard, gather};
pub use line::{
    ClientNamed, FORMAT, Fault, Finding, Gossip, Head, Judged, Line, Log, Members, Message, Named,
    Process, ProcessEvent, Role, Told, Verdict,
};
pub use lines::Lines;
