//! What all rooms of a part share: what was asked for, and where they report to.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::Semaphore,
    time::{Instant, sleep},
};

use crate::{
    bench::sockets::{
        open::{rhythm::Habits, sheet::Sheet},
        parts::Part,
    },
    socket::{Url, Way},
};

/// Rooms that are being opened at a time.
pub(super) const OPENING_MAX: usize = 32;

/// How often we look whether everything has come to its end.
const LOOK: Duration = Duration::from_millis(20);

/// What was asked for.
pub(super) struct Plan {
    pub(super) urls: Vec<Url>,
    pub(super) part: Part,
    pub(super) habits: Habits,
    /// The share of sockets that are closed and opened again in a minute.
    pub(super) reconnects: f64,
    pub(super) seed: u64,
    pub(super) watchers: usize,
    /// What is planned from then on counts.
    pub(super) from: Duration,
    /// Nothing is planned from then on.
    pub(super) until: Duration,
}

/// What has happened, so far.
pub(super) struct Books {
    sheet: Mutex<Sheet>,
    entered: AtomicUsize,
    pub(super) opening: Semaphore,
}

/// Where the load is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    Entering,
    /// Since this moment.
    Playing(Instant),
    Over,
}

impl Plan {
    /// Whether what is planned for this time is measured.
    pub(super) fn counts(&self, planned: Duration) -> bool {
        (self.from..self.until).contains(&planned)
    }

    /// The frontend of the socket with this number of all.
    pub(super) fn url(&self, number: usize) -> &Url {
        &self.urls[number % self.urls.len()]
    }

    /// How sockets are opened.
    pub(super) fn way(&self) -> Way {
        Way { from: self.part.address(), steps: true }
    }
}

impl Books {
    pub(super) fn new() -> Self {
        Self {
            sheet: Mutex::new(Sheet::default()),
            entered: AtomicUsize::new(0),
            opening: Semaphore::new(OPENING_MAX),
        }
    }

    /// Nothing in it is half done when a room panics, so its lock is good.
    pub(super) fn sheet(&self) -> MutexGuard<'_, Sheet> {
        self.sheet.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many more sockets are in their room.
    pub(super) fn entered(&self, sockets: usize) {
        self.entered.fetch_add(sockets, Ordering::Relaxed);
    }

    /// How many sockets are in their room, and how many cannot get there.
    pub(super) fn attendance(&self) -> (usize, u64) {
        (self.entered.load(Ordering::Relaxed), self.sheet().stuck)
    }

    /// Waits until all that was planned has come to its end, but not for longer than this.
    pub(super) async fn settle(&self, within: Duration) {
        let deadline = Instant::now() + within;
        loop {
            // Also the first time: what is planned for the last moment may not have begun.
            sleep(LOOK).await;
            if self.sheet().is_settled() || Instant::now() > deadline {
                return;
            }
        }
    }
}
