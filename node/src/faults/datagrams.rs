//! Datagrams that pass through the fault plane.

use super::plane::Faults;
use super::weather::Weather;
use super::what::{Peer, Traffic, Way};
use crate::env::Datagrams;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Datagrams on their way at a time. One more is lost.
const UNDERWAY_MAX: usize = 1_024;

/// So much later comes what comes out of order.
const LATE: Duration = Duration::from_millis(20);

/// Where a way is narrow, what would have to wait for longer is lost.
const QUEUE: Duration = Duration::from_secs(1);

/// See the module's text.
pub(super) struct FaultyDatagrams {
    pub(super) inner: Arc<dyn Datagrams>,
    pub(super) faults: Faults,
    pub(super) underway: Arc<AtomicUsize>,
    /// Until when each narrow way is full.
    pub(super) busy: Mutex<BTreeMap<SocketAddr, Instant>>,
}

#[async_trait]
impl Datagrams for FaultyDatagrams {
    async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        if !self.faults.any() {
            return self.inner.send_to(bytes, to).await;
        }
        let weather = self.faults.weather(Peer::Node(to), Way::Out, Traffic::Datagrams);
        let copies = if self.faults.happens(weather.duplicate) { 2 } else { 1 };
        for _ in 0..copies {
            if weather.cut || self.faults.happens(weather.loss) {
                continue;
            }
            match self.takes(&weather, to, bytes.len()) {
                None => {}
                Some(Duration::ZERO) => self.inner.send_to(bytes, to).await?,
                Some(takes) => self.send_later(bytes, to, takes),
            }
        }
        Ok(())
    }

    async fn receive_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        loop {
            let (length, from) = self.inner.receive_from(buffer).await?;
            if !self.faults.weather(Peer::Node(from), Way::In, Traffic::Datagrams).cut {
                return Ok((length, from));
            }
        }
    }
}

impl FaultyDatagrams {
    /// How long it is on its way; `None` if it does not get there.
    fn takes(&self, weather: &Weather, to: SocketAddr, bytes: usize) -> Option<Duration> {
        let late = if self.faults.happens(weather.reorder) { LATE } else { Duration::ZERO };
        let takes = self.faults.draw(weather.delay) + late;
        let Some(per_s) = weather.bytes_per_s else { return Some(takes) };
        let mut busy = self.busy.lock().expect("never poisoned");
        let now = Instant::now();
        busy.retain(|_, free| *free > now);
        let free = busy.get(&to).copied().unwrap_or(now);
        let free = free + Duration::from_secs_f64(bytes as f64 / per_s.max(1) as f64);
        let waits = free.saturating_duration_since(now);
        if waits > QUEUE {
            return None;
        }
        busy.insert(to, free);
        Some(takes + waits)
    }

    fn send_later(&self, bytes: &[u8], to: SocketAddr, takes: Duration) {
        if self.underway.fetch_add(1, Ordering::Relaxed) >= UNDERWAY_MAX {
            self.underway.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let (inner, underway, bytes) = (self.inner.clone(), self.underway.clone(), bytes.to_vec());
        tokio::spawn(async move {
            sleep(takes).await;
            // Nobody waits for it any more.
            _ = inner.send_to(&bytes, to).await;
            underway.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::what::{Fault, LinkFault, Pause, Trouble};
    use super::*;
    use tokio::sync::mpsc;

    /// Datagrams that a test sees, and some that have come.
    struct Wire {
        sent: mpsc::UnboundedSender<Vec<u8>>,
        come: tokio::sync::Mutex<mpsc::UnboundedReceiver<(Vec<u8>, SocketAddr)>>,
    }

    #[async_trait]
    impl Datagrams for Wire {
        async fn send_to(&self, bytes: &[u8], _: SocketAddr) -> io::Result<()> {
            self.sent.send(bytes.to_vec()).map_err(io::Error::other)
        }

        async fn receive_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
            let (bytes, from) = self.come.lock().await.recv().await.expect("a test sends");
            buffer[..bytes.len()].copy_from_slice(&bytes);
            Ok((bytes.len(), from))
        }
    }

    fn node(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 7101))
    }

    /// What becomes of ten datagrams under one trouble.
    async fn ten(trouble: Trouble) -> Vec<u8> {
        let (sent, mut arrives) = mpsc::unbounded_channel();
        let (_come, came) = mpsc::unbounded_channel();
        let faults = Faults::new(3);
        let (underway, busy) = (Arc::default(), Mutex::default());
        let inner = Arc::new(Wire { sent, come: came.into() });
        let wire = FaultyDatagrams { inner, faults: faults.clone(), underway, busy };
        let (peer, way, traffic) = (Peer::Node(node(2)), Way::Out, Traffic::All);
        let link = LinkFault { peer, way, traffic, trouble, flap: None };
        faults.inject(vec![Fault::Link(link)], None).unwrap();
        for number in 0..10 {
            wire.send_to(&[number], node(2)).await.unwrap();
            wire.send_to(&[100 + number], node(3)).await.unwrap();
        }
        sleep(Duration::from_secs(1)).await;
        let mut all = Vec::new();
        while let Ok(datagram) = arrives.try_recv() {
            all.push(datagram[0]);
        }
        let others: Vec<u8> = all.iter().copied().filter(|number| *number >= 100).collect();
        assert_eq!(others, (100..110).collect::<Vec<_>>(), "another way is as it was");
        all.retain(|number| *number < 100);
        all
    }

    #[tokio::test(start_paused = true)]
    async fn datagrams_are_lost_doubled_late_and_out_of_order() {
        let all: Vec<u8> = (0..10).collect();
        assert!(ten(Trouble::Cut).await.is_empty());
        assert!(ten(Trouble::Loss(1_000_000)).await.is_empty());
        let some = ten(Trouble::Loss(500_000)).await;
        assert!((1..10).contains(&some.len()), "{some:?}");
        let twice = ten(Trouble::Duplicate(1_000_000)).await;
        assert_eq!(twice, all.iter().flat_map(|number| [*number; 2]).collect::<Vec<_>>());
        let pause = Pause { least: Duration::from_millis(30), jitter: Duration::ZERO };
        assert_eq!(ten(Trouble::Delay(pause)).await, all);
        let mut mixed = ten(Trouble::Reorder(500_000)).await;
        assert_ne!(mixed, all);
        mixed.sort_unstable();
        assert_eq!(mixed, all, "each once");
        // What would have to wait for longer than a second is lost.
        assert_eq!(ten(Trouble::Bandwidth(5)).await, [0, 1, 2, 3]);
    }

    /// What comes across a cut is not heard.
    #[tokio::test(start_paused = true)]
    async fn datagrams_are_not_heard_across_a_cut() {
        let (sent, _arrives) = mpsc::unbounded_channel();
        let (come, came) = mpsc::unbounded_channel();
        let faults = Faults::new(3);
        let (underway, busy) = (Arc::default(), Mutex::default());
        let inner = Arc::new(Wire { sent, come: came.into() });
        let wire = FaultyDatagrams { inner, faults: faults.clone(), underway, busy };
        let (peer, way, traffic) = (Peer::Node(node(2)), Way::In, Traffic::Datagrams);
        let link = LinkFault { peer, way, traffic, trouble: Trouble::Cut, flap: None };
        faults.inject(vec![Fault::Link(link)], None).unwrap();
        come.send((vec![1], node(2))).unwrap();
        come.send((vec![2], node(3))).unwrap();
        let mut buffer = [0; 4];
        assert_eq!(wire.receive_from(&mut buffer).await.unwrap(), (1, node(3)));
        assert_eq!(buffer[0], 2);
    }
}
