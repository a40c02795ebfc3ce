//! What happens in this node, for whoever makes a timeline of it.
//!
//! Whoever has something to tell hands over how to say it, and that is said only while
//! somebody observes: otherwise a note costs one look at a number. What nodes hold of each
//! other by gossip, and which faults are active, is kept here at all times, so that a late
//! observer begins with it. What consensus stands at is looked up in
//! [`crate::replica::observation`].
//!
//! Of messages that nodes say to each other thousands of times a second only some are told
//! (`level.rs`).
//!
//! Happenings are made in the words of the wire: nobody in this node reads them.

mod level;

use hangraft_proto::v1::Happening;
use hangraft_proto::v1::happening::{Fault, Gossip, What};
use level::Level;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::Instant;

/// Happenings on their way to one who observes. Who is further behind misses the oldest and
/// is told how many.
const BEHIND_MAX: usize = 4_096;

/// Takes happenings in and gives them out. Clones share them.
#[derive(Clone)]
pub(crate) struct Observers(Arc<Inner>);

struct Inner {
    /// When the running clock began.
    began: Instant,
    /// How many observe, and how many of them want messages.
    all: AtomicUsize,
    readers: AtomicUsize,
    /// Made for the first who observes: it has room for all that may be on its way.
    news: OnceLock<broadcast::Sender<Happening>>,
    standing: Mutex<Standing>,
    level: Mutex<Level>,
}

/// What is so until it is told otherwise.
#[derive(Default)]
struct Standing {
    gossip: BTreeMap<u64, Gossip>,
    /// The active ones.
    faults: BTreeMap<u64, Fault>,
}

impl Observers {
    /// Nobody observes; the running clock begins.
    pub(crate) fn new() -> Self {
        Observers(Arc::new(Inner {
            began: Instant::now(),
            all: AtomicUsize::new(0),
            readers: AtomicUsize::new(0),
            news: OnceLock::new(),
            standing: Mutex::default(),
            level: Mutex::new(Level::new()),
        }))
    }

    /// What the running clock shows, in microseconds. No fault concerns it.
    pub(crate) fn now_us(&self) -> u64 {
        u64::try_from(self.0.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Something happens.
    pub(crate) fn note(&self, what: impl FnOnce() -> What) {
        if self.0.all.load(Ordering::Relaxed) > 0 {
            self.send(what());
        }
    }

    /// A message is about to go, or was taken. `is_everyday` says whether it is one of those
    /// that may be too many to be told.
    pub(crate) fn note_message(&self, is_everyday: bool, number: u64, what: impl FnOnce() -> What) {
        if self.0.readers.load(Ordering::Relaxed) > 0 && (!is_everyday || self.keeps(number)) {
            self.send(what());
        }
    }

    /// Of everyday messages one in so many is told; 1 means all.
    pub(crate) fn one_in(&self) -> u64 {
        self.level().one_in()
    }

    /// All that gossip holds of others now.
    pub(crate) fn hold(&self, held: impl Iterator<Item = Gossip>) {
        let mut standing = self.standing();
        let before = std::mem::take(&mut standing.gossip);
        for gossip in held {
            if before.get(&gossip.about) != Some(&gossip) {
                self.note(|| What::Gossip(gossip.clone()));
            }
            standing.gossip.insert(gossip.about, gossip);
        }
    }

    /// A fault begins.
    pub(crate) fn fault_begins(&self, id: u64, text: String) {
        let fault = Fault { id, text, healed: false };
        let mut standing = self.standing();
        self.note(|| What::Fault(fault.clone()));
        standing.faults.insert(id, fault);
    }

    /// A fault ends.
    pub(crate) fn fault_ends(&self, id: u64) {
        let mut standing = self.standing();
        if let Some(fault) = standing.faults.remove(&id) {
            self.note(|| What::Fault(Fault { healed: true, ..fault }));
        }
    }

    /// Observes from now on, and how gossip and faults stand.
    pub(crate) fn subscribe(&self, messages: bool) -> (Subscription, Vec<What>) {
        let inner = &self.0;
        let standing = self.standing();
        inner.all.fetch_add(1, Ordering::Relaxed);
        inner.readers.fetch_add(usize::from(messages), Ordering::Relaxed);
        // Under the lock, so that nothing falls between what stands and what is news.
        let news = inner.news.get_or_init(|| broadcast::channel(BEHIND_MAX).0).subscribe();
        let gossip = standing.gossip.values().cloned().map(What::Gossip);
        let stands = gossip.chain(standing.faults.values().cloned().map(What::Fault)).collect();
        (Subscription { news, messages, missed: 0, observers: self.clone() }, stands)
    }

    fn send(&self, what: What) {
        if let Some(news) = self.0.news.get() {
            // The last may have stopped observing; that is fine.
            _ = news.send(Happening { at_us: self.now_us(), what: Some(what) });
        }
    }

    fn keeps(&self, number: u64) -> bool {
        let now_us = self.now_us();
        self.level().keeps(now_us, number)
    }

    fn level(&self) -> MutexGuard<'_, Level> {
        self.0.level.lock().expect("never poisoned")
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.0.standing.lock().expect("never poisoned")
    }
}

/// One who observes; dropped, it observes no more.
pub(crate) struct Subscription {
    news: broadcast::Receiver<Happening>,
    messages: bool,
    missed: u64,
    observers: Observers,
}

impl Subscription {
    /// The next happening; none when there will be no more.
    pub(crate) async fn next(&mut self) -> Option<Happening> {
        loop {
            match self.news.recv().await {
                Ok(happening) if self.wants(&happening) => return Some(happening),
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => self.missed += missed,
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// The next happening, if there is one already.
    pub(crate) fn try_next(&mut self) -> Option<Happening> {
        loop {
            match self.news.try_recv() {
                Ok(happening) if self.wants(&happening) => return Some(happening),
                Ok(_) => {}
                Err(TryRecvError::Lagged(missed)) => self.missed += missed,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return None,
            }
        }
    }

    /// How many were left out since this was asked last.
    pub(crate) fn take_missed(&mut self) -> u64 {
        std::mem::take(&mut self.missed)
    }

    fn wants(&self, happening: &Happening) -> bool {
        self.messages || !matches!(happening.what, Some(What::Sent(_) | What::Received(_)))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let inner = &self.observers.0;
        inner.all.fetch_sub(1, Ordering::Relaxed);
        inner.readers.fetch_sub(usize::from(self.messages), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hangraft_proto::v1::happening::{Letter, Told};

    fn told(text: String) -> What {
        What::Told(Told { kind: "leader".into(), text })
    }

    fn held(about: u64, state: &str) -> Gossip {
        Gossip { about, state: state.into(), incarnation: 0 }
    }

    fn taken(subscription: &mut Subscription) -> Vec<What> {
        let next = || subscription.try_next();
        std::iter::from_fn(next).map(|happening| happening.what.unwrap()).collect()
    }

    /// While nobody looks nothing is even put in words, and messages are only for those who
    /// want them.
    #[tokio::test]
    async fn what_nobody_wants_is_not_made() {
        let observers = Observers::new();
        observers.note(|| panic!("nobody observes"));
        let (mut plain, _) = observers.subscribe(false);
        observers.note_message(true, 1, || panic!("nobody wants messages"));
        let (mut all, _) = observers.subscribe(true);
        let sent = || What::Sent(Letter::default());
        observers.note_message(true, 1, sent);
        observers.note(|| told("x".into()));
        assert_eq!(taken(&mut plain), [told("x".into())]);
        assert_eq!(taken(&mut all), [sent(), told("x".into())]);
        drop((plain, all));
        observers.note(|| panic!("they have gone"));
        observers.note_message(true, 2, || panic!("they have gone"));
    }

    /// One who does not read is told how many it missed, and has the newest; whoever tells
    /// never waits, and another who reads misses nothing.
    #[tokio::test]
    async fn the_slow_one_misses_some_and_is_told_how_many() {
        let observers = Observers::new();
        let ((mut slow, _), (mut quick, _)) =
            (observers.subscribe(false), observers.subscribe(false));
        let mut heard = 0;
        for number in 0..BEHIND_MAX + 7 {
            observers.note(|| told(number.to_string()));
            heard += taken(&mut quick).len();
        }
        let late = taken(&mut slow);
        assert_eq!((late.len(), slow.take_missed()), (BEHIND_MAX, 7));
        assert_eq!((late.first(), slow.take_missed()), (Some(&told("7".into())), 0));
        assert_eq!((heard, quick.take_missed()), (BEHIND_MAX + 7, 0));
    }

    /// Ten thousand everyday messages within a moment: one in some is told, and a vote always.
    /// Who does not want messages makes nobody count them.
    #[tokio::test(start_paused = true)]
    async fn of_very_many_messages_some_are_told() {
        let observers = Observers::new();
        let (_plain, _) = observers.subscribe(false);
        let sent = |number| What::Sent(Letter { number, ..Letter::default() });
        (1..10_000).for_each(|number| observers.note_message(true, number, || sent(number)));
        assert_eq!(observers.one_in(), 1);
        let (mut all, _) = observers.subscribe(true);
        (1..10_000).for_each(|number| observers.note_message(true, number, || sent(number)));
        assert!(observers.one_in() > 1);
        let heard = taken(&mut all).len();
        assert!((1_000..3_000).contains(&heard), "{heard}");
        for number in 0..100 {
            observers.note_message(false, number, || sent(number));
        }
        assert_eq!(taken(&mut all).len(), 100);
    }

    /// What gossip holds and which faults are active is known to one who comes late; each
    /// change is told once.
    #[tokio::test]
    async fn a_late_observer_begins_with_what_stands() {
        let observers = Observers::new();
        observers.hold([held(2, "alive"), held(3, "suspect")].into_iter());
        observers.fault_begins(4, "full disk".into());
        observers.fault_begins(5, "skew".into());
        observers.fault_ends(4);
        let (mut late, stands) = observers.subscribe(false);
        let skew = Fault { id: 5, text: "skew".into(), healed: false };
        assert_eq!(
            stands,
            [
                What::Gossip(held(2, "alive")),
                What::Gossip(held(3, "suspect")),
                What::Fault(skew.clone())
            ]
        );
        observers.hold([held(2, "alive"), held(3, "down")].into_iter());
        observers.hold([held(2, "alive"), held(3, "down")].into_iter());
        observers.fault_ends(5);
        observers.fault_ends(5);
        let healed = What::Fault(Fault { healed: true, ..skew });
        assert_eq!(taken(&mut late), [What::Gossip(held(3, "down")), healed]);
    }
}
