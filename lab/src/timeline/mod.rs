//! Everything that happened in a cluster, one thing a line, in one format.
//!
//! The first line is a [`Head`] with the number of the format; the others come in the order
//! of their `at`, microseconds since the timeline began. `docs/timeline.md` says what each
//! means. A reader leaves out lines of a kind it does not know; whoever changes the meaning
//! of a kind that there is raises [`FORMAT`].
//!
//! [`gather`] makes a timeline when all is over, and [`LiveTimeline`] one that grows. Both read
//! clocks (`clocks.rs`), order what was told (`tales.rs`) and make lines of it (`lines.rs`) by
//! the same code.

mod clocks;
pub mod file;
mod gather;
#[cfg(test)]
mod growing;
mod halves;
mod line;
mod lines;
mod live;
mod tales;
#[cfg(test)]
mod tests;

pub use gather::{Heard, gather};
pub use halves::{SENDER_WAITED_FOR, TOLD_AGAIN};
pub use line::{
    ClientNamed, FORMAT, Fault, Finding, Gossip, Head, Judged, Line, Log, Members, Message, Named,
    Process, ProcessEvent, Role, Sampled, Told, Verdict,
};
pub use lines::Lines;
pub use live::{HOLD, LiveTimeline};
