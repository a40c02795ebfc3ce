//! Who is connected, and who has to go when it becomes too many.
//!
//! Whoever connects is a stranger until one of its requests shows a token. Strangers have
//! few places. When those are taken, a newcomer still gets one, and the stranger who has
//! had longest to show something loses his: so a flood of connections keeps no node,
//! frontend or operator out, who show their token with their first request.

use super::body::{Budget, Budgets};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Connections of strangers. With one more, the oldest of the address that has the most is
/// closed.
const STRANGERS_MAX: usize = 512;

/// Connections of strangers from one address. With one more, its oldest is closed.
const STRANGERS_PER_ADDRESS_MAX: usize = 128;

/// Connections that have shown a token. One more is closed.
const MEMBERS_MAX: usize = 4_096;

/// Requests of one stranger's connection at a time. More are refused.
const STRANGERS_REQUESTS_MAX: usize = 16;

/// How many strangers go when the system gives no more file descriptors.
const SHED: usize = 16;

/// Everybody who is connected. Clones share it.
#[derive(Clone)]
pub(super) struct Callers {
    places: Arc<Mutex<Places>>,
    closing: Arc<Mutex<BTreeMap<u64, Arc<Notify>>>>,
    budgets: Budgets,
}

impl Callers {
    pub(super) fn new() -> Self {
        Callers { places: Arc::default(), closing: Arc::default(), budgets: Budgets::new() }
    }

    /// Somebody has connected.
    pub(super) fn arrive(&self, address: IpAddr) -> Visit {
        let (number, leaves) = self.places().arrive(address);
        let closed = Arc::new(Notify::new());
        self.closing().insert(number, closed.clone());
        self.close(leaves);
        Visit {
            number,
            callers: self.clone(),
            closed,
            proven: AtomicBool::new(false),
            requests: Arc::new(Semaphore::new(STRANGERS_REQUESTS_MAX)),
            as_stranger: self.budgets.for_stranger(),
            as_member: self.budgets.for_member(),
        }
    }

    /// There are no more file descriptors: some strangers go.
    pub(super) fn shed(&self) {
        for _ in 0..SHED {
            let leaves = self.places().shed();
            self.close(leaves);
        }
    }

    fn close(&self, number: Option<u64>) {
        let closing = number.and_then(|number| self.closing().get(&number).cloned());
        if let Some(closing) = closing {
            metrics::counter!("hangraft_strangers_shed_total").increment(1);
            // Kept for who does not wait yet.
            closing.notify_one();
        }
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().expect("never poisoned")
    }

    fn closing(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Notify>>> {
        self.closing.lock().expect("never poisoned")
    }
}

/// One connection. Dropped, it has ended.
pub(super) struct Visit {
    number: u64,
    callers: Callers,
    closed: Arc<Notify>,
    proven: AtomicBool,
    requests: Arc<Semaphore>,
    as_stranger: Budget,
    as_member: Budget,
}

impl Visit {
    /// Resolves when it has to go.
    pub(super) async fn closed(&self) {
        self.closed.notified().await;
    }

    /// A token was shown.
    pub(super) fn prove(&self) {
        if !self.proven.swap(true, Ordering::Relaxed) && !self.callers.places().prove(self.number) {
            self.closed.notify_one();
        }
    }

    /// What its unfinished messages may hold, by whether this one shows a token.
    pub(super) fn budget(&self, stranger: bool) -> Budget {
        if stranger { self.as_stranger.clone() } else { self.as_member.clone() }
    }

    /// A place for a stranger's request, for as long as it is being answered.
    pub(super) fn strangers_request(&self) -> Option<OwnedSemaphorePermit> {
        self.requests.clone().try_acquire_owned().ok()
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.callers.places().leave(self.number);
        self.callers.closing().remove(&self.number);
    }
}

/// Who has which place. Numbers grow, so the oldest is the smallest.
#[derive(Debug, Default)]
struct Places {
    last: u64,
    strangers: BTreeMap<u64, IpAddr>,
    by_address: BTreeMap<IpAddr, BTreeSet<u64>>,
    members: BTreeSet<u64>,
}

impl Places {
    /// A place for a newcomer, and who must go for it.
    fn arrive(&mut self, address: IpAddr) -> (u64, Option<u64>) {
        let address = neighbourhood(address);
        self.last += 1;
        self.strangers.insert(self.last, address);
        let here = self.by_address.entry(address).or_default();
        here.insert(self.last);
        let leaves = if here.len() > STRANGERS_PER_ADDRESS_MAX {
            here.first().copied()
        } else if self.strangers.len() > STRANGERS_MAX {
            return (self.last, self.shed());
        } else {
            None
        };
        leaves.into_iter().for_each(|number| self.leave(number));
        (self.last, leaves)
    }

    /// The stranger who is to go first.
    fn shed(&mut self) -> Option<u64> {
        let most = self.by_address.values().max_by_key(|here| here.len());
        let oldest = most.and_then(|here| here.first().copied());
        oldest.into_iter().for_each(|number| self.leave(number));
        oldest
    }

    /// Whether there is a place for one more member. Who has been shed has none any more.
    fn prove(&mut self, number: u64) -> bool {
        if !self.strangers.contains_key(&number) || self.members.len() >= MEMBERS_MAX {
            return false;
        }
        self.leave(number);
        self.members.insert(number)
    }

    fn leave(&mut self, number: u64) {
        self.members.remove(&number);
        let Some(address) = self.strangers.remove(&number) else { return };
        if let Some(here) = self.by_address.get_mut(&address) {
            here.remove(&number);
            if here.is_empty() {
                self.by_address.remove(&address);
            }
        }
    }
}

/// Addresses that one machine can have all of: an IPv6 network is given out whole.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    /// One address cannot take what is there for others: its own oldest goes.
    #[test]
    fn a_flood_from_one_address_displaces_itself() {
        let mut places = Places::default();
        let (honest, _) = places.arrive(address(1));
        let flood: Vec<u64> =
            (0..STRANGERS_PER_ADDRESS_MAX).map(|_| places.arrive(address(2)).0).collect();
        for oldest in &flood {
            assert_eq!(places.arrive(address(2)).1, Some(*oldest));
        }
        assert_eq!(places.strangers.len(), 1 + STRANGERS_PER_ADDRESS_MAX);
        assert!(places.prove(honest), "it still has its place");
    }

    /// Many addresses together displace whoever has the most; a newcomer with one
    /// connection gets a place and keeps it, and who has shown a token is never asked to go.
    #[test]
    fn a_newcomer_always_gets_a_place() {
        let mut places = Places::default();
        let members: Vec<u64> = (0..100).map(|_| places.arrive(address(9)).0).collect();
        assert!(members.iter().all(|number| places.prove(*number)));
        for nth in 0..2 * STRANGERS_MAX {
            places.arrive(address((nth % 8) as u8));
        }
        let (newcomer, leaves) = places.arrive(address(77));
        assert!(leaves.is_some_and(|leaves| leaves != newcomer));
        assert!(places.strangers.len() <= STRANGERS_MAX);
        (0..1_000).for_each(|_| _ = places.arrive(address(3)));
        assert!(places.prove(newcomer));
        assert_eq!(places.members.len(), 101);
        while places.shed().is_some() {}
        assert_eq!((places.strangers.len(), places.members.len()), (0, 101));
        members.iter().for_each(|number| places.leave(*number));
        assert!(places.by_address.is_empty() && places.members.len() == 1);
    }

    /// Who was shed a moment ago is not let in by a token that comes too late.
    #[test]
    fn a_place_that_was_lost_is_lost() {
        let mut places = Places::default();
        let (number, _) = places.arrive(address(1));
        assert_eq!(places.shed(), Some(number));
        assert!(!places.prove(number));
        assert!(places.members.is_empty());
    }

    /// Whoever has an IPv6 network has all its addresses.
    #[test]
    fn a_network_counts_as_an_address() {
        let parse = |text: &str| neighbourhood(text.parse().unwrap());
        assert_eq!(parse("2001:db8:1:2::1"), parse("2001:db8:1:2:ffff::9"));
        assert_ne!(parse("2001:db8:1:2::1"), parse("2001:db8:1:3::1"));
        assert_eq!(parse("::ffff:10.0.0.1"), parse("10.0.0.1"));
    }
}
