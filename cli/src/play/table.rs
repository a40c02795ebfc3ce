//! Tables: those who share a room, and which room it is at the moment. Plain code.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How long an opening may take before somebody else tries.
const OPENING: Duration = Duration::from_secs(3);

/// Those who share a room. Clones share it, too.
#[derive(Clone)]
pub(crate) struct Table {
    inner: Arc<Mutex<Inner>>,
    /// Lines that are tried in one room; then there is a new one.
    lines_max: u32,
}

#[derive(Default)]
struct Inner {
    room: Option<String>,
    tried: u32,
    opening: Option<Instant>,
}

/// What somebody at a table is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Play here.
    In(String),
    /// Open a room for all.
    Open,
    /// Somebody else opens one.
    Wait,
}

impl Table {
    /// One where a room has at most so many lines.
    pub(crate) fn new(lines_max: u32) -> Self {
        Self { inner: Arc::default(), lines_max }
    }

    /// Where to play now.
    pub(crate) fn place(&self) -> Place {
        let mut inner = self.inner();
        if let Some(room) = inner.room.clone().filter(|_| inner.tried < self.lines_max) {
            return Place::In(room);
        }
        let now = Instant::now();
        if inner.opening.is_some_and(|since| now - since < OPENING) {
            return Place::Wait;
        }
        inner.opening = Some(now);
        Place::Open
    }

    /// The room that they share now, if there is one.
    pub(crate) fn room(&self) -> Option<String> {
        self.inner().room.clone()
    }

    /// Somebody has opened a room for all, or could not.
    pub(crate) fn opened(&self, room: Option<String>) {
        let mut inner = self.inner();
        inner.opening = None;
        if room.is_some() {
            inner.room = room;
            inner.tried = 0;
        }
    }

    /// A line is about to be written.
    pub(crate) fn writes(&self) {
        self.inner().tried += 1;
    }

    /// A room is not there any more.
    pub(crate) fn gone(&self, room: &str) {
        let mut inner = self.inner();
        if inner.room.as_deref() == Some(room) {
            inner.room = None;
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One opens, the others wait; a full room is followed by another.
    #[test]
    fn a_room_is_opened_by_one_for_all() {
        let table = Table::new(2);
        let other = table.clone();
        assert_eq!((table.place(), other.place()), (Place::Open, Place::Wait));
        table.opened(None);
        assert_eq!(other.place(), Place::Open);
        other.opened(Some("abc".into()));
        assert_eq!(table.place(), Place::In("abc".into()));
        table.writes();
        other.writes();
        assert_eq!(table.place(), Place::Open);
        table.opened(Some("def".into()));
        table.gone("abc");
        assert_eq!(other.place(), Place::In("def".into()));
        table.gone("def");
        assert_eq!(other.place(), Place::Open);
    }
}
