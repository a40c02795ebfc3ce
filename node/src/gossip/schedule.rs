//! foca's timers, one after the other in the order in which they are due.
//!
//! foca counts on that order: a probe that went unanswered asks others to probe before the
//! next probe begins. When the process was paused, many timers are due when it wakes. Each
//! has its deadline from when it was scheduled; timers with the same deadline go in the
//! order of foca's [`Timer`].

use foca::Timer;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

pub(super) struct Schedule<T> {
    timers: BinaryHeap<Reverse<Scheduled<T>>>,
    /// How many were ever scheduled.
    count: u64,
}

struct Scheduled<T> {
    at: Instant,
    timer: Timer<T>,
    /// Its place among all that were ever scheduled.
    place: u64,
}

impl<T: Eq> Schedule<T> {
    pub(super) fn new() -> Self {
        Schedule { timers: BinaryHeap::new(), count: 0 }
    }

    /// Has a timer go off after this time.
    pub(super) fn add(&mut self, after: Duration, timer: Timer<T>) {
        self.count += 1;
        let scheduled = Scheduled { at: Instant::now() + after, timer, place: self.count };
        self.timers.push(Reverse(scheduled));
    }

    /// The next timer, when it is due. Nothing is lost when nobody waits for it any more.
    pub(super) async fn next(&mut self) -> Timer<T> {
        loop {
            match self.timers.peek() {
                Some(Reverse(first)) => sleep_until(first.at).await,
                None => std::future::pending().await,
            }
            if let Some(Reverse(first)) = self.timers.pop() {
                return first.timer;
            }
        }
    }
}

impl<T: Eq> Ord for Scheduled<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_timer = || self.timer.cmp(&other.timer);
        self.at.cmp(&other.at).then_with(by_timer).then(self.place.cmp(&other.place))
    }
}

impl<T: Eq> PartialOrd for Scheduled<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Eq> PartialEq for Scheduled<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T: Eq> Eq for Scheduled<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{advance, timeout};

    const PROBE: Timer<u64> = Timer::ProbeRandomMember(0);
    const ASK_OTHERS: Timer<u64> = Timer::SendIndirectProbe { probed_id: 2, token: 0 };
    const GOSSIP: Timer<u64> = Timer::PeriodicGossip(0);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// A process wakes up late, and everything is due.
    #[tokio::test(start_paused = true)]
    async fn what_is_late_goes_in_order() {
        let mut schedule = Schedule::new();
        schedule.add(ms(200), GOSSIP);
        schedule.add(ms(1_000), PROBE);
        schedule.add(ms(300), ASK_OTHERS);
        advance(ms(60_000)).await;
        let late = [schedule.next().await, schedule.next().await, schedule.next().await];
        assert_eq!(late, [GOSSIP, ASK_OTHERS, PROBE]);
    }

    /// What is due together goes in foca's order, and equals as they came.
    #[tokio::test(start_paused = true)]
    async fn what_is_due_together_goes_in_the_order_of_foca() {
        let mut schedule = Schedule::new();
        let second = Timer::SendIndirectProbe { probed_id: 3, token: 0 };
        for timer in [GOSSIP, PROBE, ASK_OTHERS, second.clone()] {
            schedule.add(ms(1_000), timer);
        }
        for timer in [ASK_OTHERS, second, PROBE, GOSSIP] {
            assert_eq!(schedule.next().await, timer);
        }
    }

    /// Time counts from when a timer was scheduled, whether somebody waits or not.
    #[tokio::test(start_paused = true)]
    async fn a_deadline_starts_when_it_is_scheduled() {
        let mut schedule = Schedule::new();
        schedule.add(ms(1_000), PROBE);
        advance(ms(900)).await;
        assert!(timeout(ms(50), schedule.next()).await.is_err(), "it is early");
        assert_eq!(timeout(ms(60), schedule.next()).await, Ok(PROBE));
        assert!(timeout(ms(60_000), schedule.next()).await.is_err(), "there is no other");
    }
}
