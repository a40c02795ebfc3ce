//! Files that are written in place, on a real disk.

use crate::storage::blocks::{Block, Blocks};
use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Zeros are written in pieces of this size, each synced before the next, so that another
/// file's sync never stands behind many of them.
const PIECE_BYTES: usize = 1 << 20;

/// A folder on disk.
pub(super) struct RealBlocks(PathBuf);

impl RealBlocks {
    /// The files in a folder, which is there.
    pub(super) fn new(dir: &Path) -> Self {
        RealBlocks(dir.to_owned())
    }
}

impl Blocks for RealBlocks {
    fn list(&self) -> io::Result<Vec<String>> {
        let entries = std::fs::read_dir(&self.0)?;
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<Box<dyn Block>> {
        let path = self.0.join(name);
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        if let Err(err) = fill(&file, bytes) {
            // On a full disk there is no half of a file.
            _ = std::fs::remove_file(&path);
            return Err(err);
        }
        Ok(Box::new(RealBlock(file)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Block>> {
        let file = File::options().read(true).write(true).open(self.0.join(name))?;
        Ok(Box::new(RealBlock(file)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.0.join(from), self.0.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.0.join(name))
    }

    fn sync_names(&self) -> io::Result<()> {
        sync_folder(&self.0)
    }
}

fn fill(mut file: &File, bytes: u64) -> io::Result<()> {
    let zeros = vec![0; PIECE_BYTES];
    let mut left = bytes;
    while left > 0 {
        let piece = left.min(PIECE_BYTES as u64);
        file.write_all(&zeros[..piece as usize])?;
        file.sync_data()?;
        left -= piece;
    }
    file.sync_all()
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// A lock file that is held. It is free when this is dropped, or the process ends.
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a process that is being started has our files open, until it
        // is another program.
        _ = self.0.unlock();
    }
}

/// Takes a lock file.
pub(super) fn lock(path: &Path) -> io::Result<Lock> {
    let file = File::options().write(true).create(true).truncate(false).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            format!("another process uses the log: it holds {}", path.display()),
        )),
        Err(TryLockError::Error(err)) => Err(err),
    }
}

struct RealBlock(File);

impl Block for RealBlock {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}
