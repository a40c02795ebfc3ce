//! A machine's files that are written in place: what its log of segments is made of.
//!
//! When the power fails, each sector that was written and not synced has reached the disk or
//! has not, and so has each name that was changed.

use super::World;
use hangraft_node::storage::blocks::{Block, Blocks};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

/// What a disk writes whole or not at all, in bytes.
const SECTOR: usize = 512;

/// Of a million sectors or names that were not synced, so many have reached the disk.
const SURVIVES_PPM: u64 = 600_000;

/// The files of one machine. Clones share them; they outlive the machine's crashes.
#[derive(Clone, Default)]
pub(crate) struct SimBlocks(Arc<Mutex<Inner>>);

#[derive(Clone, Default)]
struct Inner {
    /// By number: a name may change hands.
    files: BTreeMap<u64, Content>,
    names: BTreeMap<String, u64>,
    /// As a power cut leaves them at least.
    durable_names: BTreeMap<String, u64>,
    changes: Vec<(String, Option<u64>)>,
    made: u64,
    /// Counts power cuts: what was opened before is gone.
    life: u32,
}

/// A file. What lies behind its last written byte is zeros, up to its length.
#[derive(Clone)]
struct Content {
    length: u64,
    now: Vec<u8>,
    durable: Vec<u8>,
    /// Sectors that differ, perhaps.
    dirty: BTreeSet<usize>,
}

impl Content {
    /// Takes a sector over from what is read now.
    fn keep(&mut self, sector: usize) {
        let start = sector * SECTOR;
        let end = (start + SECTOR).min(self.now.len());
        if self.durable.len() < end {
            self.durable.resize(end, 0);
        }
        self.durable[start..end].copy_from_slice(&self.now[start..end]);
    }
}

fn change(names: &mut BTreeMap<String, u64>, (name, file): (String, Option<u64>)) {
    match file {
        Some(file) => _ = names.insert(name, file),
        None => _ = names.remove(&name),
    }
}

impl SimBlocks {
    /// The power fails.
    pub(crate) fn lose_power(&self, world: &World) {
        let mut inner = self.lock();
        inner.life += 1;
        for file in inner.files.values_mut() {
            for sector in std::mem::take(&mut file.dirty) {
                if world.happens(SURVIVES_PPM) {
                    file.keep(sector);
                }
            }
            file.now.clone_from(&file.durable);
        }
        for changed in std::mem::take(&mut inner.changes) {
            if world.happens(SURVIVES_PPM) {
                change(&mut inner.durable_names, changed);
            }
        }
        inner.names = inner.durable_names.clone();
        let Inner { files, names, .. } = &mut *inner;
        files.retain(|number, _| names.values().any(|named| named == number));
    }

    /// Other files with what is durable in these.
    pub(crate) fn durable(&self) -> SimBlocks {
        let mut inner = self.lock().clone();
        for file in inner.files.values_mut() {
            file.now.clone_from(&file.durable);
            file.dirty.clear();
        }
        inner.changes.clear();
        inner.names = inner.durable_names.clone();
        SimBlocks(Arc::new(Mutex::new(inner)))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("nothing panics while files are held")
    }
}

impl Inner {
    fn change(&mut self, name: &str, file: Option<u64>) {
        let changed = (name.to_owned(), file);
        change(&mut self.names, changed.clone());
        self.changes.push(changed);
    }
}

impl Blocks for SimBlocks {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.lock().names.keys().cloned().collect())
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<Box<dyn Block>> {
        let mut inner = self.lock();
        inner.made += 1;
        let (now, durable, dirty) = (Vec::new(), Vec::new(), BTreeSet::new());
        let made = inner.made;
        inner.files.insert(made, Content { length: bytes, now, durable, dirty });
        inner.change(name, Some(made));
        drop(inner);
        self.open(name)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Block>> {
        let inner = self.lock();
        let file = *inner.names.get(name).ok_or(ErrorKind::NotFound)?;
        Ok(Box::new(SimBlock { blocks: self.clone(), file, life: inner.life }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut inner = self.lock();
        let file = *inner.names.get(from).ok_or(ErrorKind::NotFound)?;
        inner.change(to, Some(file));
        inner.change(from, None);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.lock().change(name, None);
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut inner = self.lock();
        inner.changes.clear();
        inner.durable_names = inner.names.clone();
        Ok(())
    }
}

/// A file as one life of a machine holds it.
struct SimBlock {
    blocks: SimBlocks,
    file: u64,
    life: u32,
}

impl SimBlock {
    fn with<T>(&self, work: impl FnOnce(&mut Content) -> T) -> io::Result<T> {
        let mut inner = self.blocks.lock();
        if inner.life != self.life {
            return Err(io::Error::other("switched off"));
        }
        Ok(work(inner.files.get_mut(&self.file).expect("files that are open stay")))
    }
}

impl Block for SimBlock {
    fn bytes(&self) -> io::Result<u64> {
        self.with(|file| file.length)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.with(|file| {
            let start = usize::try_from(offset).expect("small files");
            let written = file.now.get(start..).unwrap_or_default();
            let there = written.len().min(buffer.len());
            buffer[..there].copy_from_slice(&written[..there]);
            buffer[there..].fill(0);
        })
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.with(|file| {
            let start = usize::try_from(offset).expect("small files");
            let end = start + bytes.len();
            assert!(end as u64 <= file.length, "files do not grow");
            if file.now.len() < end {
                file.now.resize(end, 0);
            }
            file.now[start..end].copy_from_slice(bytes);
            file.dirty.extend(start / SECTOR..end.div_ceil(SECTOR));
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.with(|file| {
            for sector in std::mem::take(&mut file.dirty) {
                file.keep(sector);
            }
        })
    }
}
