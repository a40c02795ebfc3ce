//! Finished games on a real disk, by the crate sled, which stops here.
//!
//! [`SledArchive`] uses sled in the one way that came through every simulated
//! power cut: no background flush, one batch per checkpoint, `flush`, and then an
//! fdatasync of sled's file through a handle of our own, because sled's own flush
//! is no durable barrier.

use crate::storage::archive::{Archive, GAMES_MAX};
use async_trait::async_trait;
use bytes::Bytes;
use hangraft_ids::{LogIndex, RoomId};
use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The archive on a real disk.
#[derive(Clone)]
pub(super) struct SledArchive(Arc<Inner>);

struct Inner {
    games: sled::Tree,
    meta: sled::Tree,
    db: sled::Db,
    /// sled's own file, for the fdatasync that sled leaves out.
    file: File,
    count: AtomicU64,
}

const COMPLETE: &[u8] = b"complete";

/// Memory sled may use for its page cache. The archive is read rarely.
const CACHE_BYTES: u64 = 16 << 20;

impl SledArchive {
    /// Opens or creates the archive in a folder. One that does not open is moved
    /// aside and a new one is begun.
    ///
    /// # Errors
    /// When the folder cannot be used at all.
    pub(super) fn open(dir: &Path) -> io::Result<Self> {
        match Self::try_open(dir) {
            Ok(archive) => Ok(archive),
            Err(err) => {
                let aside = move_aside(dir)?;
                tracing::warn!(%err, aside = %aside.display(), "the archive did not open; begun anew");
                Self::try_open(dir)
            }
        }
    }

    fn try_open(dir: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        remove_half_written(dir)?;
        // sled panics on some damage; that must not take the node along.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let db = sled::Config::new()
                .path(dir)
                .flush_every_ms(None)
                .cache_capacity(CACHE_BYTES)
                .open()?;
            let games = db.open_tree("games")?;
            let meta = db.open_tree("meta")?;
            meta.get(COMPLETE)?;
            let mut count = 0;
            for game in games.iter() {
                game?;
                count += 1;
            }
            Ok::<_, sled::Error>((db, games, meta, count))
        }));
        let (db, games, meta, count) = opened
            .map_err(|_| io::Error::other("sled panicked while opening"))?
            .map_err(io::Error::other)?;
        let file = File::open(dir.join("db"))?;
        let count = AtomicU64::new(count);
        Ok(SledArchive(Arc::new(Inner { games, meta, db, file, count })))
    }

    /// Runs blocking work off the async threads.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let inner = self.0.clone();
        tokio::task::spawn_blocking(move || {
            catch_unwind(AssertUnwindSafe(|| work(&inner)))
                .map_err(|_| io::Error::other("the archive's store panicked"))?
        })
        .await
        .map_err(io::Error::other)?
    }
}

#[async_trait]
impl Archive for SledArchive {
    async fn store(
        &self,
        games: Vec<(RoomId, Bytes)>,
        complete: Option<LogIndex>,
    ) -> io::Result<()> {
        self.blocking(move |inner| inner.store(&games, complete)).await
    }

    async fn get(&self, room: RoomId) -> io::Result<Option<Bytes>> {
        self.blocking(move |inner| {
            let found = inner.games.get(room.0.to_be_bytes()).map_err(io::Error::other)?;
            Ok(found.map(|bytes| Bytes::copy_from_slice(&bytes)))
        })
        .await
    }

    async fn page(&self, before: Option<RoomId>, limit: usize) -> io::Result<Vec<(RoomId, Bytes)>> {
        self.blocking(move |inner| inner.page(before, limit)).await
    }

    fn complete(&self) -> Option<LogIndex> {
        let bytes = self.0.meta.get(COMPLETE).ok()??;
        Some(LogIndex(u64::from_be_bytes(bytes.as_ref().try_into().ok()?)))
    }
}

impl Inner {
    fn store(&self, games: &[(RoomId, Bytes)], complete: Option<LogIndex>) -> io::Result<()> {
        let mut batch = sled::Batch::default();
        let mut added = 0;
        for (room, game) in games {
            let key = room.0.to_be_bytes();
            added += u64::from(!self.games.contains_key(key).map_err(io::Error::other)?);
            batch.insert(&key, game.as_ref());
        }
        let total = self.count.load(Ordering::Relaxed) + added;
        let mut forgotten = 0;
        for oldest in self.games.iter().keys().take(total.saturating_sub(GAMES_MAX) as usize) {
            batch.remove(oldest.map_err(io::Error::other)?);
            forgotten += 1;
        }
        self.games.apply_batch(batch).map_err(io::Error::other)?;
        // The games are durable before the mark that says so.
        self.flush()?;
        self.count.store(total - forgotten, Ordering::Relaxed);
        if let Some(complete) = complete {
            self.meta.insert(COMPLETE, &complete.0.to_be_bytes()).map_err(io::Error::other)?;
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        self.db.flush().map_err(io::Error::other)?;
        self.file.sync_data()
    }

    fn page(&self, before: Option<RoomId>, limit: usize) -> io::Result<Vec<(RoomId, Bytes)>> {
        let games = match before {
            Some(before) => self.games.range(..before.0.to_be_bytes()),
            None => self.games.iter(),
        };
        games
            .rev()
            .take(limit)
            .map(|game| {
                let (key, value) = game.map_err(io::Error::other)?;
                let key = key.as_ref().try_into().map_err(io::Error::other)?;
                Ok((RoomId(u64::from_be_bytes(key)), Bytes::copy_from_slice(&value)))
            })
            .collect()
    }
}

/// A kill during sled's start leaves a file that makes every later start fail.
fn remove_half_written(dir: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}

fn move_aside(dir: &Path) -> io::Result<PathBuf> {
    for attempt in 0u32.. {
        let aside = dir.with_extension(format!("damaged-{attempt}"));
        if !aside.exists() {
            std::fs::rename(dir, &aside)?;
            return Ok(aside);
        }
    }
    unreachable!("there is always a free number")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn game(text: &str) -> Bytes {
        Bytes::copy_from_slice(text.as_bytes())
    }

    #[tokio::test]
    async fn games_are_there_after_reopening_newest_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("archive");
        let archive = SledArchive::open(&path).unwrap();
        assert_eq!(archive.complete(), None);
        archive
            .store(vec![(RoomId(1), game("one")), (RoomId(3), game("three"))], Some(LogIndex(40)))
            .await
            .unwrap();
        archive.store(vec![(RoomId(2), game("two"))], Some(LogIndex(50))).await.unwrap();
        drop(archive);

        let archive = SledArchive::open(&path).unwrap();
        assert_eq!(archive.complete(), Some(LogIndex(50)));
        assert_eq!(archive.get(RoomId(3)).await.unwrap(), Some(game("three")));
        assert_eq!(archive.get(RoomId(4)).await.unwrap(), None);
        let rooms =
            |page: Vec<(RoomId, Bytes)>| page.iter().map(|(room, _)| room.0).collect::<Vec<_>>();
        assert_eq!(rooms(archive.page(None, 2).await.unwrap()), [3, 2]);
        assert_eq!(rooms(archive.page(Some(RoomId(2)), 2).await.unwrap()), [1]);
    }

    #[tokio::test]
    async fn a_damaged_archive_is_moved_aside_and_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("archive");
        let archive = SledArchive::open(&path).unwrap();
        archive.store(vec![(RoomId(1), game("one"))], Some(LogIndex(7))).await.unwrap();
        drop(archive);
        std::fs::write(path.join("conf"), b"not sled's").unwrap();

        let archive = SledArchive::open(&path).unwrap();
        assert_eq!(archive.complete(), None);
        assert_eq!(archive.get(RoomId(1)).await.unwrap(), None);
        assert!(dir.path().join("archive.damaged-0").exists());
    }

    #[tokio::test]
    async fn what_sled_left_half_written_does_not_stop_a_start() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("archive");
        drop(SledArchive::open(&path).unwrap());
        std::fs::write(path.join("snap.0000.generating"), b"half").unwrap();
        SledArchive::open(&path).unwrap();
        assert!(!path.join("snap.0000.generating").exists());
        assert!(!dir.path().join("archive.damaged-0").exists());
    }
}
