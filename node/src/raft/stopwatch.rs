//! How much time passes between batches, as one node measures it.
//!
//! Wall clocks of two leaders are not comparable, and one may be set while it leads. So
//! the leader tells in each batch how much time it lets pass: since the batch before, by
//! a clock that only runs. A new leader counts from when the last batch of another came
//! to it, or from its own start. It may count less than has passed in the world, by what
//! that batch was on its way, and never more.

use crate::env::Env;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// A stopwatch. Clones share it.
#[derive(Clone)]
pub(crate) struct Stopwatch {
    env: Arc<dyn Env>,
    /// What the running clock showed when the counting began.
    since_ms: Arc<Mutex<u64>>,
}

impl Stopwatch {
    /// Counts from now on.
    pub(crate) fn start(env: Arc<dyn Env>) -> Self {
        let since_ms = Arc::new(Mutex::new(env.running_ms()));
        Stopwatch { env, since_ms }
    }

    /// A batch of another leader has come: counts from now on.
    pub(crate) fn restart(&self) {
        self.take_ms();
    }

    /// What has passed.
    pub(crate) fn passed(&self) -> Duration {
        let since_ms = *self.since_ms();
        Duration::from_millis(self.env.running_ms().saturating_sub(since_ms))
    }

    /// What has passed, in milliseconds, and counts from now on. However often it is
    /// asked, nothing is counted twice and nothing gets lost between two answers.
    pub(crate) fn take_ms(&self) -> u64 {
        let mut since_ms = self.since_ms();
        let now_ms = self.env.running_ms();
        now_ms.saturating_sub(std::mem::replace(&mut *since_ms, now_ms))
    }

    fn since_ms(&self) -> MutexGuard<'_, u64> {
        self.since_ms.lock().expect("never poisoned")
    }
}
