//! Which faults are active, and who waits for one to end.

use super::weather::Weather;
use super::what::{Fault, Pause, Peer, Traffic, Way};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// Faults that are active at a time. One more is refused.
const ACTIVE_MAX: usize = 256;

/// The switches of one node. Clones share them.
#[derive(Clone)]
pub(crate) struct Faults(Arc<Inner>);

struct Inner {
    /// Whether there are any. Looked at with everything that passes.
    any: AtomicBool,
    /// Counts changes, so that who passes need not look closer each time.
    changes: AtomicU64,
    /// The same for those who wait.
    news: watch::Sender<()>,
    state: Mutex<State>,
    dice: Mutex<StdRng>,
}

#[derive(Default)]
struct State {
    last: u64,
    active: BTreeMap<u64, Active>,
    /// Where callers have connected from, and whether each is a frontend.
    callers: BTreeMap<SocketAddr, bool>,
}

/// A fault, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct Active {
    pub(crate) fault: Fault,
    since: Instant,
    pub(crate) until: Option<Instant>,
}

/// What is wrong with a disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DiskTrouble {
    pub(super) slow: Option<Pause>,
    pub(super) fail_fsync: bool,
    pub(super) full: bool,
    pub(super) lose_unsynced: bool,
}

impl Faults {
    pub(super) fn new(seed: u64) -> Self {
        Faults(Arc::new(Inner {
            any: AtomicBool::new(false),
            changes: AtomicU64::new(0),
            news: watch::Sender::new(()),
            state: Mutex::default(),
            dice: Mutex::new(StdRng::seed_from_u64(seed)),
        }))
    }

    /// Begins these faults, all or none; their numbers, in order.
    ///
    /// # Errors
    /// When there are too many.
    pub(crate) fn inject(
        &self,
        faults: Vec<Fault>,
        lasts: Option<Duration>,
    ) -> Result<Vec<u64>, String> {
        let mut state = self.state();
        if state.active.len() + faults.len() > ACTIVE_MAX {
            return Err(format!("a node has {ACTIVE_MAX} faults at most; heal some first"));
        }
        let since = Instant::now();
        let until = lasts.and_then(|lasts| since.checked_add(lasts));
        let mut ids = Vec::new();
        for fault in faults {
            state.last += 1;
            let id = state.last;
            state.active.insert(id, Active { fault, since, until });
            ids.push(id);
        }
        self.changed(state);
        Ok(ids)
    }

    /// Ends these faults; all when none is named. Those that it has ended, with their numbers.
    pub(crate) fn heal(&self, ids: &[u64]) -> Vec<(u64, Fault)> {
        let mut state = self.state();
        let all: Vec<u64> = state.active.keys().copied().collect();
        let ids = if ids.is_empty() { &all } else { ids };
        let healed = ids.iter().filter_map(|id| Some((*id, state.active.remove(id)?.fault)));
        let healed: Vec<(u64, Fault)> = healed.collect();
        self.changed(state);
        healed
    }

    /// All that are active, by number.
    pub(crate) fn active(&self) -> BTreeMap<u64, Active> {
        self.state().active.clone()
    }

    /// Somebody has connected from there.
    pub(super) fn meet_caller(&self, caller: SocketAddr) {
        self.state().callers.insert(caller, false);
    }

    /// The connection from there has ended.
    pub(super) fn forget_caller(&self, caller: SocketAddr) {
        self.state().callers.remove(&caller);
    }

    /// Whoever has connected from there has shown that it is a frontend.
    pub(crate) fn note_frontend(&self, caller: SocketAddr) {
        // It may have gone meanwhile.
        let mut state = self.state();
        let known = state.callers.get_mut(&caller);
        if known.is_some_and(|frontend| !std::mem::replace(frontend, true)) {
            self.0.changes.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn is_frontend(&self, caller: SocketAddr) -> bool {
        self.state().callers.get(&caller).copied().unwrap_or_default()
    }

    /// Whether there are any faults.
    pub(super) fn any(&self) -> bool {
        self.0.any.load(Ordering::Relaxed)
    }

    /// Counts changes of what is wrong, and of who is a frontend.
    pub(super) fn changes(&self) -> u64 {
        self.0.changes.load(Ordering::Relaxed)
    }

    /// How a way is now.
    pub(super) fn weather(&self, peer: Peer, way: Way, traffic: Traffic) -> Weather {
        if !self.any() {
            return Weather::default();
        }
        let (state, now) = (self.state(), Instant::now());
        let links = state.active.values().filter_map(|active| match &active.fault {
            Fault::Link(link) => Some((link, now.saturating_duration_since(active.since))),
            _ => None,
        });
        Weather::of(links, peer, way, traffic)
    }

    /// What is wrong with the disk now.
    pub(super) fn disk(&self) -> DiskTrouble {
        let mut trouble = DiskTrouble::default();
        if !self.any() {
            return trouble;
        }
        for active in self.state().active.values() {
            match active.fault {
                Fault::SlowDisk(pause) => trouble.slow = slower(trouble.slow, pause),
                Fault::FailFsync => trouble.fail_fsync = true,
                Fault::FullDisk => trouble.full = true,
                Fault::LoseUnsynced => trouble.lose_unsynced = true,
                Fault::Link(_) | Fault::Skew(_) => {}
            }
        }
        trouble
    }

    /// By how much the wall clock is ahead, in milliseconds.
    pub(super) fn skew_ms(&self) -> i64 {
        if !self.any() {
            return 0;
        }
        let skew = |active: &Active| match active.fault {
            Fault::Skew(ms) => ms,
            _ => 0,
        };
        self.state().active.values().map(skew).fold(0, i64::saturating_add)
    }

    /// Follows the changes.
    pub(crate) fn follow(&self) -> watch::Receiver<()> {
        self.0.news.subscribe()
    }

    /// Waits for so long, but not longer than the disk is slow.
    pub(super) async fn wait_for_disk(&self) {
        let mut changes = self.follow();
        let Some(pause) = self.disk().slow else { return };
        let slow = sleep(self.draw(pause));
        tokio::pin!(slow);
        while self.disk().slow.is_some() {
            tokio::select! {
                () = &mut slow => return,
                // It cannot end: this has its other end.
                _ = changes.changed() => {}
            }
        }
    }

    /// A time between the least and the most.
    pub(super) fn draw(&self, pause: Pause) -> Duration {
        let jitter = u64::try_from(pause.jitter.as_micros()).unwrap_or(u64::MAX);
        pause.least + Duration::from_micros(self.dice().random_range(0..=jitter))
    }

    /// Whether something happens that happens so often in a million times.
    pub(super) fn happens(&self, ppm: u32) -> bool {
        ppm > 0 && self.dice().random_range(0..1_000_000) < ppm
    }

    fn changed(&self, state: MutexGuard<'_, State>) {
        self.0.any.store(!state.active.is_empty(), Ordering::Relaxed);
        self.0.changes.fetch_add(1, Ordering::Relaxed);
        drop(state);
        self.0.news.send_replace(());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("never poisoned")
    }

    fn dice(&self) -> MutexGuard<'_, StdRng> {
        self.0.dice.lock().expect("never poisoned")
    }
}

fn slower(one: Option<Pause>, other: Pause) -> Option<Pause> {
    Some(one.filter(|one| one.least >= other.least).unwrap_or(other))
}
