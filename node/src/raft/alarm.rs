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
    /// Something was applied, and this is due now.
    pub(crate) fn note(&self, due_ms: Option<u64>) {
        if due_ms.is_some_and(|due_ms| due_ms < self.set_ms.load(Ordering::SeqCst)) {
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

    #[tokio::test(start_paused = true)]
    async fn only_what_is_sooner_rings() {
        let alarm = Alarm::default();
        alarm.note(Some(5));
        assert!(!rings(&alarm).await, "nobody sleeps");
        // What comes between looking and sleeping is not missed.
        alarm.listen();
        alarm.note(Some(700));
        assert!(rings(&alarm).await);
        alarm.set(700);
        for (due_ms, sooner) in
            [(None, false), (Some(700), false), (Some(900), false), (Some(699), true)]
        {
            alarm.note(due_ms);
            assert_eq!(rings(&alarm).await, sooner, "{due_ms:?}");
        }
        alarm.mute();
        alarm.note(Some(1));
        assert!(!rings(&alarm).await);
    }
}
