//! A flat folder of files that are written in place, for a log of segments: the system's
//! files in production, a simulator's elsewhere.
//!
//! Calls block, and are made where that is allowed. What is written is readable at once, and
//! durable when a later sync of the same file has returned. A failed sync is final: after it
//! nobody knows what is on the disk.

use std::io;

/// A folder of such files.
pub trait Blocks: Send + Sync + 'static {
    /// The names of all files.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Makes a file that holds so many zeros, and makes these durable; its name is not yet.
    fn create(&self, name: &str, bytes: u64) -> io::Result<Box<dyn Block>>;
    /// Opens a file.
    fn open(&self, name: &str) -> io::Result<Box<dyn Block>>;
    /// Gives a file another name, which no other file has.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file. It stays readable for whoever has opened it.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes all names durable: those of new files, those that were changed, and those that
    /// are gone.
    fn sync_names(&self) -> io::Result<()>;
}

/// One file. Its length never changes.
pub trait Block: Send + Sync + 'static {
    /// Its length in bytes.
    fn bytes(&self) -> io::Result<u64>;
    /// Fills the buffer from this place on.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
    /// Writes at this place, inside the file.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes everything written to it durable (fdatasync).
    fn sync(&self) -> io::Result<()>;
}
