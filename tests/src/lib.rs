//! What the process tests stand on: a real demo to break, processes to put beside it,
//! sockets to speak to it, players who keep book, and a reader of our own sources.
//!
//! The tests themselves are in `tests/`, one file per promise. They start the
//! binary that lies beside them and know nothing of the crates inside it: what
//! they rely on is what people rely on, the commands and the socket.

pub mod cluster;
pub mod demo;
pub mod http;
pub mod killer;
pub mod modules;
pub mod namespaces;
pub mod player;
mod ports;
pub mod process;
pub mod restless;
pub mod skip;
pub mod socket;
pub mod source;
pub mod tables;
pub mod wait;
