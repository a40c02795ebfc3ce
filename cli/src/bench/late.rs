//! Wishes that wait for their time.

use std::collections::BinaryHeap;

use tokio::time::{Instant, sleep_until};

/// Things to do later, the earliest first.
#[derive(Debug)]
pub(super) struct Late<T> {
    waiting: BinaryHeap<Waiting<T>>,
}

#[derive(Debug)]
struct Waiting<T> {
    at: Instant,
    what: T,
}

impl<T> Late<T> {
    pub(super) fn new() -> Self {
        Self { waiting: BinaryHeap::new() }
    }

    pub(super) fn push(&mut self, at: Instant, what: T) {
        self.waiting.push(Waiting { at, what });
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// Everything that waits, in no order; nothing waits any more.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = T> + '_ {
        self.waiting.drain().map(|waiting| waiting.what)
    }

    /// The next that is due; waits for it. Nothing is lost when called off.
    pub(super) async fn next(&mut self) -> T {
        match self.waiting.peek() {
            Some(first) => sleep_until(first.at).await,
            None => std::future::pending().await,
        }
        self.waiting.pop().expect("it was there when we looked").what
    }
}

impl<T> PartialEq for Waiting<T> {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl<T> Eq for Waiting<T> {}

impl<T> PartialOrd for Waiting<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Waiting<T> {
    /// A heap gives its greatest first, and we want the earliest.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.at.cmp(&self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn the_earliest_comes_first() {
        let mut late = Late::new();
        let now = Instant::now();
        late.push(now + Duration::from_millis(2), "second");
        late.push(now + Duration::from_millis(1), "first");
        assert_eq!((late.next().await, late.next().await), ("first", "second"));
    }
}
