//! How fast somebody may be: so many in a window, then one at a time as it passes.
//!
//! Pure: the caller says what time it is. This is the virtual-scheduling form of
//! a leaky bucket (ITU-T I.371), which needs one instant and no counter.

use std::time::{Duration, Instant};

/// A rate limit of one kind for one player.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    window: Duration,
    /// The time one taking costs; `None` when there is no limit.
    cost: Option<Duration>,
    /// When everything taken so far will have been paid for.
    paid_at: Option<Instant>,
}

impl Pace {
    /// At most `limit` in any `window`; 0 for no limit.
    pub(crate) fn new(limit: u32, window: Duration) -> Self {
        Self { window, cost: (limit > 0).then(|| window / limit), paid_at: None }
    }

    /// Takes one, or says that it is too soon.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let Some(cost) = self.cost else { return true };
        let paid_at = self.paid_at.map_or(now, |at| at.max(now)) + cost;
        let in_time = paid_at <= now + self.window;
        if in_time {
            self.paid_at = Some(paid_at);
        }
        in_time
    }

    /// Whether it is as if nothing had been taken.
    pub(crate) fn is_paid(&self, now: Instant) -> bool {
        self.paid_at.is_none_or(|at| at <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(20);

    /// A burst of the whole allowance is fine; after that it is one at a time.
    #[test]
    fn a_burst_then_a_trickle() {
        let start = Instant::now();
        let mut pace = Pace::new(100, WINDOW);
        assert_eq!((0..150).filter(|_| pace.take(start)).count(), 100);
        let later = start + Duration::from_millis(200);
        assert!(pace.take(later));
        assert!(!pace.take(later));
        assert_eq!((0..150).filter(|_| pace.take(later + 2 * WINDOW)).count(), 100);
    }

    #[test]
    fn zero_is_no_limit() {
        let mut pace = Pace::new(0, WINDOW);
        assert!((0..10_000).all(|_| pace.take(Instant::now())));
    }
}
