//! The seam: everything a node takes from outside, as small object-safe traits.
//!
//! Production gives the real ones ([`crate::real::RealEnv`]); a simulator gives
//! its own, and the node cannot tell. Threads, blocking calls, sockets, files, the
//! wall clock and entropy exist only behind these traits and those of [`crate::storage`]: the rest of this crate
//! runs as well on one thread under virtual time.
//!
//! Its streams are those of [`hangraft_proto::net`], which frontends share.
//!
//! Not behind the seam: tasks, channels and timers, which are tokio's own.

use crate::storage::Storage;
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

pub use hangraft_proto::net::{Connection, Listener, Network, Stream};

/// What surrounds a node.
#[async_trait]
pub trait Env: Network {
    /// Sends and receives datagrams at an address.
    async fn datagrams(&self, address: SocketAddr) -> io::Result<Arc<dyn Datagrams>>;
    /// The wall clock in milliseconds since 1970. Somebody may set it, and it differs
    /// from machine to machine: it decides nothing, and gives events and games a date.
    fn unix_ms(&self) -> u64;
    /// A clock that nobody sets, in milliseconds since some moment of this process. The
    /// leader measures with it how much time passes in the lobby.
    fn running_ms(&self) -> u64;
    /// 64 random bits.
    fn entropy(&self) -> u64;
    /// Opens the node's storage. Called once.
    async fn storage(&self) -> io::Result<Storage>;
    /// Runs a future, and what it spawns, where consensus runs: in production a
    /// runtime of its own, which sockets, JSON and fan-out never share.
    fn spawn_consensus(&self, work: BoxFuture<'static, ()>);
}

/// Where datagrams go out and come in.
#[async_trait]
pub trait Datagrams: Send + Sync + 'static {
    /// Sends one datagram; it may be lost.
    async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()>;
    /// The next datagram, cut at the buffer's length.
    async fn receive_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)>;
}
