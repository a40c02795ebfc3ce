//! For tests: a folder in memory that can lose power.

use crate::storage::blocks::{Block, Blocks};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

/// The unit in which what was not synced is lost: smaller than a disk's, which finds more.
const SECTOR: usize = 32;

/// A folder. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Inner>>);

#[derive(Clone, Default)]
struct Inner {
    /// By number.
    files: BTreeMap<u64, Content>,
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    /// What was done to names since the last sync of them.
    changes: Vec<Change>,
    made: u64,
    /// Counts lives: what was opened before a power cut is gone.
    life: u32,
    sync_fails: bool,
    /// No file can be made.
    full: bool,
}

#[derive(Clone)]
struct Content {
    /// As it is read.
    now: Vec<u8>,
    /// As a power cut leaves it at least.
    durable: Vec<u8>,
    /// What the next sync makes durable.
    written: Vec<Range<usize>>,
    /// What a sync that failed has left: it is read, and no later sync writes it.
    forgotten: Vec<Range<usize>>,
}

impl Content {
    fn durable(bytes: Vec<u8>) -> Self {
        Content { now: bytes.clone(), durable: bytes, written: Vec::new(), forgotten: Vec::new() }
    }

    fn sync(&mut self) {
        for range in self.written.drain(..) {
            self.durable[range.clone()].copy_from_slice(&self.now[range]);
        }
    }

    fn lose_power(&mut self, survives: &mut impl FnMut() -> bool) {
        let sectors = |range: Range<usize>| range.start / SECTOR..range.end.div_ceil(SECTOR);
        let written = self.written.drain(..).chain(self.forgotten.drain(..));
        let written: BTreeSet<usize> = written.flat_map(sectors).collect();
        for sector in written {
            let sector = sector * SECTOR..((sector + 1) * SECTOR).min(self.now.len());
            let (now, durable) = (&mut self.now[sector.clone()], &mut self.durable[sector]);
            if now != durable && survives() {
                durable.copy_from_slice(now);
            }
            now.copy_from_slice(durable);
        }
    }
}

#[derive(Clone)]
enum Change {
    Link(String, u64),
    Unlink(String),
}

impl Change {
    fn make(&self, names: &mut BTreeMap<String, u64>) {
        match self {
            Change::Link(name, file) => _ = names.insert(name.clone(), *file),
            Change::Unlink(name) => _ = names.remove(name),
        }
    }
}

impl Memory {
    /// The power fails. `survives` decides for each sector that was written and for each
    /// change of a name whether it had reached the disk.
    pub(crate) fn lose_power(&self, mut survives: impl FnMut() -> bool) {
        let mut inner = self.lock();
        inner.life += 1;
        for file in inner.files.values_mut() {
            file.lose_power(&mut survives);
        }
        let changes = std::mem::take(&mut inner.changes);
        for change in changes {
            if survives() {
                change.make(&mut inner.durable_names);
            }
        }
        inner.names = inner.durable_names.clone();
    }

    /// A folder with the same files, which are cut after this many bytes.
    pub(crate) fn copy(&self, bytes_max: usize) -> Memory {
        let mut inner = self.lock().clone();
        for file in inner.files.values_mut() {
            file.now.truncate(bytes_max);
            *file = Content::durable(std::mem::take(&mut file.now));
        }
        Memory(Arc::new(Mutex::new(inner)))
    }

    /// The content of a file.
    pub(crate) fn content(&self, name: &str) -> Vec<u8> {
        let inner = self.lock();
        inner.files[&inner.names[name]].now.clone()
    }

    /// Replaces the content of a file, durably.
    pub(crate) fn put(&self, name: &str, content: &[u8]) {
        let mut inner = self.lock();
        let file = inner.names[name];
        inner.files.insert(file, Content::durable(content.to_vec()));
    }

    pub(crate) fn let_syncs_fail(&self, fail: bool) {
        self.lock().sync_fails = fail;
    }

    pub(crate) fn fill_up(&self, full: bool) {
        self.lock().full = full;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("nothing panics while files are held")
    }

    fn change(&self, change: Change) {
        let mut inner = self.lock();
        change.make(&mut inner.names);
        inner.changes.push(change);
    }
}

impl Blocks for Memory {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.lock().names.keys().cloned().collect())
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<Box<dyn Block>> {
        let mut inner = self.lock();
        assert!(!inner.names.contains_key(name), "{name} is there already");
        if inner.full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        inner.made += 1;
        let file = inner.made;
        inner.files.insert(file, Content::durable(vec![0; bytes as usize]));
        drop(inner);
        self.change(Change::Link(name.to_owned(), file));
        self.open(name)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Block>> {
        let inner = self.lock();
        let file = *inner.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Opened { memory: self.clone(), file, life: inner.life }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let file = self.lock().names[from];
        assert!(!self.lock().names.contains_key(to), "{to} is there already");
        self.change(Change::Link(to.to_owned(), file));
        self.change(Change::Unlink(from.to_owned()));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        assert!(self.lock().names.contains_key(name), "{name} is not there");
        self.change(Change::Unlink(name.to_owned()));
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut inner = self.lock();
        inner.changes.clear();
        inner.durable_names = inner.names.clone();
        Ok(())
    }
}

struct Opened {
    memory: Memory,
    file: u64,
    life: u32,
}

impl Opened {
    fn get(&self) -> io::Result<MutexGuard<'_, Inner>> {
        let inner = self.memory.lock();
        if inner.life == self.life { Ok(inner) } else { Err(io::Error::other("no power")) }
    }
}

impl Block for Opened {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.get()?.files[&self.file].now.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let inner = self.get()?;
        let start = offset as usize;
        buffer.copy_from_slice(&inner.files[&self.file].now[start..start + buffer.len()]);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let start = offset as usize;
        let mut inner = self.get()?;
        let file = inner.files.get_mut(&self.file).expect("files that are open stay");
        let place = start..start + bytes.len();
        file.now[place.clone()].copy_from_slice(bytes);
        file.written.push(place);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut inner = self.get()?;
        let fails = inner.sync_fails;
        let file = inner.files.get_mut(&self.file).expect("files that are open stay");
        if fails {
            file.forgotten.append(&mut file.written);
            return Err(io::Error::other("a sync failed"));
        }
        file.sync();
        Ok(())
    }
}
