//! How much time passes between batches, as one node measures it.
//!
//! Wall clocks of two leaders are not comparable, and one may be set while it leads. So
//! the leader tells in each batch how much time it lets pass: since the batch before, by
//! a clock that only runs. A new leader counts from when the last batch of another came
//! to it. While no leader is known nothing is counted: nobody could have moved, so nobody
//! loses on time. A leader may count less than has passed in the world, and never more.

use crate::env::Env;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// A stopwatch. Clones share it.
#[derive(Clone)]
pub(crate) struct Stopwatch {
    env: Arc<dyn Env>,
    hand: Arc<Mutex<Hand>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Hand {
    /// What the running clock showed when the counting began.
    Runs { since_ms: u64 },
    /// What was counted when it was stopped.
    Stands { at_ms: u64 },
}

impl Stopwatch {
    /// Stands, until a leader is known.
    pub(crate) fn new(env: Arc<dyn Env>) -> Self {
        Stopwatch { env, hand: Arc::new(Mutex::new(Hand::Stands { at_ms: 0 })) }
    }

    /// A batch of another leader has come: counts from now on.
    pub(crate) fn restart(&self) {
        *self.hand() = Hand::Runs { since_ms: self.env.running_ms() };
    }

    /// No leader is known any more, and nothing was heard of one for so long already.
    pub(crate) fn stand(&self, silent_for: Duration) {
        planted!(FlagsWithoutLeader => return);
        let mut hand = self.hand();
        if let Hand::Runs { since_ms } = *hand {
            let passed_ms = self.env.running_ms().saturating_sub(since_ms);
            let silent_ms = u64::try_from(silent_for.as_millis()).unwrap_or(u64::MAX);
            *hand = Hand::Stands { at_ms: passed_ms.saturating_sub(silent_ms) };
        }
    }

    /// A leader is known: goes on.
    pub(crate) fn go_on(&self) {
        let mut hand = self.hand();
        if let Hand::Stands { at_ms } = *hand {
            *hand = Hand::Runs { since_ms: self.env.running_ms().saturating_sub(at_ms) };
        }
    }

    /// What has passed.
    pub(crate) fn passed(&self) -> Duration {
        Duration::from_millis(self.count(*self.hand()))
    }

    /// What has passed, in milliseconds, and counts from now on. However often it is
    /// asked, nothing is counted twice and nothing gets lost between two answers.
    pub(crate) fn take_ms(&self) -> u64 {
        let mut hand = self.hand();
        let counted_ms = self.count(*hand);
        *hand = match *hand {
            Hand::Runs { since_ms } => Hand::Runs { since_ms: since_ms.saturating_add(counted_ms) },
            Hand::Stands { .. } => Hand::Stands { at_ms: 0 },
        };
        counted_ms
    }

    fn count(&self, hand: Hand) -> u64 {
        match hand {
            Hand::Runs { since_ms } => self.env.running_ms().saturating_sub(since_ms),
            Hand::Stands { at_ms } => at_ms,
        }
    }

    pub(super) fn hand(&self) -> MutexGuard<'_, Hand> {
        self.hand.lock().expect("never poisoned")
    }
}
