//! Holds what happened to what the cluster promises.
//!
//! What a promise needs to be judged, whoever saw it happen, is in the file of that promise;
//! the simulator calls the same files.

pub mod in_order;
pub mod membership;
pub mod one_leader;
pub mod search;
pub mod versions;
