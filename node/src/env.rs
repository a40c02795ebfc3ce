//! The seam: everything a node takes from outside, as small object-safe traits.
//!
//! Production gives the real ones ([`crate::real::RealEnv`]); a simulator gives
//! its own, and the node cannot tell. Threads, blocking calls, sockets, files, the
//! wall clock and entropy exist only behind these traits: the rest of this crate
//! runs as well on one thread under virtual time.
//!
//! Not behind the seam: tasks, channels and timers, which are tokio's own.

use crate::raft::archive::Archive;
use crate::raft::log_device::LogDevice;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What surrounds a node.
#[async_trait]
pub trait Env: Send + Sync + 'static {
    /// Accepts connections at an address. Port 0 asks for any free one.
    async fn listen(&self, address: SocketAddr) -> io::Result<Box<dyn Listener>>;
    /// Opens a connection. The caller gives it a deadline.
    async fn connect(&self, address: SocketAddr) -> io::Result<Connection>;
    /// Sends and receives datagrams at an address.
    async fn datagrams(&self, address: SocketAddr) -> io::Result<Arc<dyn Datagrams>>;
    /// The wall clock in milliseconds since 1970. Decides nothing about
    /// consensus; the leader stamps entries with it.
    fn unix_ms(&self) -> u64;
    /// 64 random bits.
    fn entropy(&self) -> u64;
    /// Opens the node's storage. Called once.
    async fn storage(&self) -> io::Result<Storage>;
    /// Runs a future, and what it spawns, where consensus runs: in production a
    /// runtime of its own, which sockets, JSON and fan-out never share.
    fn spawn_consensus(&self, work: BoxFuture<'static, ()>);
}

/// A node's durable storage.
#[derive(Clone)]
pub struct Storage {
    /// The Raft log and vote.
    pub log: Arc<dyn LogDevice>,
    /// Finished games.
    pub archive: Arc<dyn Archive>,
    /// Snapshots.
    pub files: Arc<dyn Files>,
}

/// A flat folder of files that appear whole or not at all.
#[async_trait]
pub trait Files: Send + Sync + 'static {
    /// The names of all complete files.
    async fn list(&self) -> io::Result<Vec<String>>;
    /// Starts a file that nobody sees before [`FileWriter::commit`].
    async fn create(&self, name: &str) -> io::Result<Box<dyn FileWriter>>;
    /// Opens a complete file.
    async fn open(&self, name: &str) -> io::Result<Box<dyn FileReader>>;
    /// Gives a complete file another name, durably.
    async fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a complete file; one that is being read stays readable.
    async fn remove(&self, name: &str) -> io::Result<()>;
}

/// A file in the making. Dropped without commit, it never was.
#[async_trait]
pub trait FileWriter: Send + 'static {
    /// Adds bytes at the end.
    async fn append(&mut self, bytes: Bytes) -> io::Result<()>;
    /// Makes the content durable, then the name: fsync, rename, fsync of the folder.
    async fn commit(self: Box<Self>) -> io::Result<()>;
}

/// A complete file, read from front to back.
#[async_trait]
pub trait FileReader: Send + 'static {
    /// The next bytes, at most `bytes_max`; empty at the end.
    async fn read(&mut self, bytes_max: usize) -> io::Result<Bytes>;
}

/// Where connections come in.
#[async_trait]
pub trait Listener: Send + 'static {
    /// The next connection and who made it.
    async fn accept(&mut self) -> io::Result<(Connection, SocketAddr)>;
    /// Where it listens.
    fn address(&self) -> SocketAddr;
}

/// Where datagrams go out and come in.
#[async_trait]
pub trait Datagrams: Send + Sync + 'static {
    /// Sends one datagram; it may be lost.
    async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()>;
    /// The next datagram, cut at the buffer's length.
    async fn receive_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)>;
}

/// Any stream of bytes.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// A connection; the only kind of byte stream that node code sees.
pub struct Connection(Box<dyn Stream>);

impl Connection {
    /// Wraps a stream.
    pub fn new(stream: impl Stream) -> Self {
        Connection(Box::new(stream))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}
