//! The day's own story, told line by line, virtual time first: who, and what they did.
//!
//! What happens also when nobody listens goes into a digest, with every byte delivered,
//! so that two runs of one seed can be compared without their text. What is noted for
//! listeners alone does not. Telling draws no dice and asks no clock: a world does the
//! same whether anybody listens or not.

use crate::out::say;
use hangraft_game::{RoomId, Version};
use std::collections::BTreeMap;
use std::fmt::{Arguments, Write};
use std::sync::{Arc, Mutex, MutexGuard};
use xxhash_rust::xxh3::Xxh3;

/// Views are shown so often that they are told in sum, each second at most.
const VIEWS_EVERY: u64 = 1_000_000_000;

/// Tells what happens. Clones tell the same story.
#[derive(Clone)]
pub(crate) struct Story(Arc<Mutex<Inner>>);

struct Inner {
    digest: Xxh3,
    aloud: bool,
    line: String,
    /// The machine that runs now, and the names of all.
    inside: Option<usize>,
    names: Vec<String>,
    now: u64,
    views: Views,
}

/// Views that were shown and are not told yet.
#[derive(Default)]
struct Views {
    since: u64,
    count: u64,
    newest: BTreeMap<RoomId, Version>,
}

impl Story {
    /// With `aloud`, each line is printed.
    pub(crate) fn new(aloud: bool) -> Self {
        let inner = Inner {
            digest: Xxh3::new(),
            aloud,
            line: String::new(),
            inside: None,
            names: Vec::new(),
            now: 0,
            views: Views::default(),
        };
        Story(Arc::new(Mutex::new(inner)))
    }

    /// Whether anybody listens.
    pub(crate) fn is_aloud(&self) -> bool {
        self.lock().aloud
    }

    /// One more line: who, and what.
    pub(crate) fn tell(&self, now: u64, who: &str, what: Arguments<'_>) {
        let mut inner = self.lock();
        inner.write(now, what);
        let Inner { digest, line, .. } = &mut *inner;
        digest.update(&now.to_le_bytes());
        digest.update(who.as_bytes());
        digest.update(line.as_bytes());
        inner.say(who);
    }

    /// One more line, for those who listen alone.
    pub(crate) fn note(&self, now: u64, who: &str, what: Arguments<'_>) {
        let mut inner = self.lock();
        if inner.aloud {
            inner.write(now, what);
            inner.say(who);
        }
    }

    /// Somebody was shown a room at a version, as it came.
    pub(crate) fn shown(&self, now: u64, who: &str, room: RoomId, version: Version) {
        let mut inner = self.lock();
        inner.now = now;
        inner.digest.update(&now.to_le_bytes());
        inner.digest.update(who.as_bytes());
        inner.digest.update(&room.0.to_le_bytes());
        inner.digest.update(&version.0.to_le_bytes());
        if inner.aloud {
            inner.views.add(now, room, version);
        }
    }

    /// Bytes were delivered.
    pub(crate) fn weigh(&self, now: u64, bytes: &[u8]) {
        let mut inner = self.lock();
        inner.now = now;
        inner.digest.update(&now.to_le_bytes());
        inner.digest.update(bytes);
    }

    /// A number that is the same for two runs that did the same.
    pub(crate) fn digest(&self) -> u64 {
        self.lock().digest.digest()
    }

    /// What machines log from `now` on belongs to this one.
    pub(crate) fn enter(&self, now: u64, machine: Option<usize>) {
        let mut inner = self.lock();
        inner.now = now;
        inner.inside = machine;
    }

    /// How machines are called, in the order of their numbers.
    pub(crate) fn call_them(&self, names: Vec<String>) {
        self.lock().names = names;
    }

    /// How a machine is called.
    pub(crate) fn name_of(&self, machine: usize) -> String {
        self.lock().names.get(machine).cloned().unwrap_or_default()
    }

    /// A line of a library's log. What is logged while a line is told is not worth a
    /// deadlock.
    pub(crate) fn log(&self, write: impl FnOnce(&mut String)) {
        let Ok(mut inner) = self.0.try_lock() else { return };
        inner.line.clear();
        write(&mut inner.line);
        inner.line = inner.line.replace('\n', " ");
        let name = inner.inside.and_then(|id| inner.names.get(id)).map_or("", String::as_str);
        inner.print(name, "|");
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("nothing panics while the story is held")
    }
}

impl Inner {
    fn write(&mut self, now: u64, what: Arguments<'_>) {
        self.now = now;
        self.line.clear();
        self.line.write_fmt(what).expect("a string takes everything");
    }

    /// Prints what was written, if anybody listens.
    fn say(&mut self, who: &str) {
        if !self.aloud {
            return;
        }
        if let Some(views) = self.views.take(self.now) {
            let line = std::mem::replace(&mut self.line, views);
            self.print("players", " ");
            self.line = line;
        }
        self.print(who, " ");
    }

    fn print(&self, who: &str, mark: &str) {
        let (seconds, millis) = (self.now / 1_000_000_000, self.now / 1_000_000 % 1_000);
        say!("{seconds:>3}.{millis:03} {who:<8}{mark} {}", self.line);
    }
}

impl Views {
    fn add(&mut self, now: u64, room: RoomId, version: Version) {
        if self.count == 0 {
            self.since = now;
        }
        self.count += 1;
        let newest = self.newest.entry(room).or_default();
        *newest = version.max(*newest);
    }

    /// All of them in a line, when the oldest is old enough.
    fn take(&mut self, now: u64) -> Option<String> {
        if self.count == 0 || now < self.since + VIEWS_EVERY {
            return None;
        }
        let Views { count, newest, .. } = std::mem::take(self);
        let rooms = newest.iter().map(|(room, version)| format!("{room} up to {}", version.0));
        Some(format!("were shown {count} views: {}", rooms.collect::<Vec<_>>().join(", ")))
    }
}
