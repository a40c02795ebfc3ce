//! One replica of the cluster, and what replicas do among themselves beside consensus:
//! they find each other, prove their disks, compare their lobbies, and refill archives.
//!
//! `handle::Replica` is what the rest of the node holds: it takes commands, tells what is
//! applied, and changes the membership. No type of openraft is named above this floor.

mod bootstrap;
pub(crate) mod change;
mod claims;
mod drift;
pub(crate) mod ended;
pub(crate) mod export;
pub(crate) mod handle;
pub(crate) mod leadership;
pub(crate) mod observation;
mod passing;
pub(crate) mod reads;
mod refill;
pub(crate) mod server;
mod start;
mod vouch;
