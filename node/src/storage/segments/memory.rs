//! For tests: a folder in memory that can lose power.

use crate::storage::blocks::{Block, Blocks};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

/// The unit in which what was not synced is lost: smaller than a disk's, which finds more.
const SECTOR: usize = 32;

/// A folder. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Memory(Arc<Mutex<Inner>>);

#[derive(Clone, Default)]
struct Inner {
    /// By number, as they are read, and as a power cut leaves them at least.
    files: BTreeMap<u64, (Vec<u8>, Vec<u8>)>,
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    /// What was done to names since the last sync of them.
    changes: Vec<Change>,
    made: u64,
    /// Counts lives: what was opened before a power cut is gone.
    life: u32,
    sync_fails: bool,
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
    pub(super) fn lose_power(&self, mut survives: impl FnMut() -> bool) {
        let mut inner = self.lock();
        inner.life += 1;
        for (now, durable) in inner.files.values_mut() {
            for start in (0..now.len()).step_by(SECTOR) {
                let sector = start..(start + SECTOR).min(now.len());
                if now[sector.clone()] != durable[sector.clone()] && survives() {
                    durable[sector.clone()].copy_from_slice(&now[sector]);
                }
            }
            now.clone_from(durable);
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
    pub(super) fn copy(&self, bytes_max: usize) -> Memory {
        let mut inner = self.lock().clone();
        for (now, durable) in inner.files.values_mut() {
            now.truncate(bytes_max);
            durable.clone_from(now);
        }
        Memory(Arc::new(Mutex::new(inner)))
    }

    /// The content of a file.
    pub(super) fn content(&self, name: &str) -> Vec<u8> {
        let inner = self.lock();
        inner.files[&inner.names[name]].0.clone()
    }

    /// Replaces the content of a file, durably.
    pub(super) fn put(&self, name: &str, content: &[u8]) {
        let mut inner = self.lock();
        let file = inner.names[name];
        inner.files.insert(file, (content.to_vec(), content.to_vec()));
    }

    pub(super) fn let_syncs_fail(&self, fail: bool) {
        self.lock().sync_fails = fail;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
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
        inner.made += 1;
        let file = inner.made;
        inner.files.insert(file, (vec![0; bytes as usize], vec![0; bytes as usize]));
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
        Ok(self.get()?.files[&self.file].0.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let inner = self.get()?;
        let start = offset as usize;
        buffer.copy_from_slice(&inner.files[&self.file].0[start..start + buffer.len()]);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let start = offset as usize;
        let mut inner = self.get()?;
        let file = &mut inner.files.get_mut(&self.file).unwrap().0;
        file[start..start + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut inner = self.get()?;
        if inner.sync_fails {
            return Err(io::Error::other("a sync failed"));
        }
        let (now, durable) = inner.files.get_mut(&self.file).unwrap();
        durable.clone_from(now);
        Ok(())
    }
}
