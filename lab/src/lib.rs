//! What happened in a cluster, seen from outside: written down, judged and shown.
//!
//! [`history`] is what clients asked and were told. [`timeline`] is everything that happened,
//! a history and what nodes tell of themselves, in one format. [`judge`] holds both to what
//! the cluster promises. [`viewer`] is a page that shows a timeline.
//!
//! Nothing here asks a cluster. Whoever does, on real processes or in a simulated day, hands
//! over what they saw.

pub mod export;
pub mod history;
pub mod judge;
pub mod timeline;
pub mod viewer;
