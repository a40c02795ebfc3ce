//! A node's durable storage, as traits: the engines behind them are chosen by whoever
//! starts a node ([`crate::real`], or a simulator).

pub mod archive;
pub mod blocks;
pub mod log;
pub mod segments;

use archive::Archive;
use async_trait::async_trait;
use bytes::Bytes;
use log::LogDevice;
use std::io;
use std::sync::Arc;

/// A node's durable storage.
#[derive(Clone)]
pub struct Storage {
    /// Finished games.
    pub archive: Arc<dyn Archive>,
    /// Snapshots.
    pub files: Arc<dyn Files>,
    /// The Raft log and vote. Let go of last: a node whose log is closed has given up its
    /// folder, with the archive in it.
    pub log: Arc<dyn LogDevice>,
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
