//! When the lobby wants time to pass although nobody plays, and a bell that rings when
//! that has become sooner than somebody sleeps.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// Something is due in the lobby.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// In lobby time, in milliseconds.
    pub(crate) at_ms: u64,
    /// How long after the newest batch that is, or as far there as one batch can go.
    pub(crate) after: Duration,
}

/// Whoever applies says each time what is due; whoever sleeps until then hears of it only
/// when that is sooner than what they sleep for.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    /// What is slept for, in lobby time; 0 while nobody sleeps.
    set_ms: AtomicU64,
    bell: Notify,
}

impl Alarm {
    /// Something was applied, and this is due from now on. Rings when it is due already: a
    /// batch does a bounded amount.
    pub(crate) fn note(&self, due: Option<Due>) {
        let set_ms = self.set_ms.load(Ordering::SeqCst);
        let sooner = |due: Due| due.at_ms < set_ms || (due.after.is_zero() && set_ms > 0);
        if due.is_some_and(sooner) {
            self.bell.notify_one();
        }
    }

    /// From now on whatever is due rings. Called before one looks what is.
    pub(crate) fn listen(&self) {
        self.set_ms.store(u64::MAX, Ordering::SeqCst);
    }

    /// What is due before this rings.
    pub(crate) fn set(&self, due_ms: u64) {
        self.set_ms.store(due_ms, Ordering::SeqCst);
    }

    /// Nothing rings any more.
    pub(crate) fn mute(&self) {
        self.set_ms.store(0, Ordering::SeqCst);
    }

    /// Waits until it rings.
    pub(crate) async fn rung(&self) {
        self.bell.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    async fn rings(alarm: &Alarm) -> bool {
        timeout(Duration::ZERO, alarm.rung()).await.is_ok()
    }

    fn due(at_ms: u64, after_ms: u64) -> Option<Due> {
        Some(Due { at_ms, after: Duration::from_millis(after_ms) })
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_is_sooner_rings() {
        let alarm = Alarm::default();
        alarm.note(due(5, 0));
        assert!(!rings(&alarm).await, "nobody sleeps");
        // What comes between looking and sleeping is not missed.
        alarm.listen();
        alarm.note(due(700, 10));
        assert!(rings(&alarm).await);
        alarm.set(700);
        for (due, sooner) in [
            (None, false),
            (due(700, 10), false),
            (due(900, 210), false),
            (due(699, 9), true),
            // Some of it was done, and the rest is due at once.
            (due(700, 0), true),
        ] {
            alarm.note(due);
            assert_eq!(rings(&alarm).await, sooner, "{due:?}");
        }
        alarm.mute();
        alarm.note(due(1, 0));
        assert!(!rings(&alarm).await);
    }
}
