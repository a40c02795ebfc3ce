//! openraft, and what it needs from us: a log, a state machine, a network.
//!
//! ```text
//! Proposer -> log_store -> storage::log
//!    |            |
//!    |            +-> network -> the other replicas
//!    v
//! answers <- machine -> feed (views), archive and snapshots (checkpoints)
//! ```

mod alarm;
pub(crate) mod finished;
mod hashes;
mod ledger;
pub(crate) mod log_store;
pub(crate) mod machine;
pub(crate) mod network;
pub(crate) mod open;
mod pipeline;
#[cfg(feature = "planted")]
mod planted;
pub(crate) mod propose;
pub(crate) mod snapshots;
mod state;
pub(crate) mod stopwatch;
pub mod suite;
pub(crate) mod tidy;
pub(crate) mod trace;
pub(crate) mod types;

pub use types::{Electorate, electorate_of};
