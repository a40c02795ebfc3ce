//! Finished games, kept for people who look back. Nothing here is Raft's.
//!
//! The archive is written behind: games that left the lobby gather in memory,
//! where the log can bring them back, and reach the store only when a snapshot is
//! made, before the log is purged. A lost or unreadable store is moved aside and
//! filled again from another replica.

use async_trait::async_trait;
use bytes::Bytes;
use hangraft_ids::{LogIndex, RoomId};
use std::io;

/// Games the archive keeps. Past it the oldest are forgotten.
pub(crate) const GAMES_MAX: u64 = 200_000;

/// Where finished games rest. Keys are room numbers, which only grow.
#[async_trait]
pub trait Archive: Send + Sync + 'static {
    /// Adds games, and notes the log index up to which the archive is now
    /// complete. Durable, all of it or nothing, when this returns.
    async fn store(
        &self,
        games: Vec<(RoomId, Bytes)>,
        complete: Option<LogIndex>,
    ) -> io::Result<()>;
    /// One game.
    async fn get(&self, room: RoomId) -> io::Result<Option<Bytes>>;
    /// Games before room number `before` (all for `None`), newest first.
    async fn page(&self, before: Option<RoomId>, limit: usize) -> io::Result<Vec<(RoomId, Bytes)>>;
    /// The log index up to which every finished game is here; `None` for a new archive.
    fn complete(&self) -> Option<LogIndex>;
}
