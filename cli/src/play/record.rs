//! Everything that is seen while players play, with the times of one clock.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use hangraft_ids::NodeId;
use hangraft_lab::{
    history::{Call, ClientId, Moment, Outcome, Push, What},
    timeline::{Line, Named, Told},
};
use hangraft_proto::v1::Observed;
use tokio::time::Instant;

/// What all who watch and play write into. Whoever reads takes out what is there, at any time.
pub(crate) struct Record {
    began: Instant,
    /// Whether somebody listens meanwhile, and wants to know of calls that begin.
    followed: bool,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Calls that have not returned, in the order in which they were made.
    open: BTreeMap<u64, Call>,
    calls: u64,
    asked: u64,
    /// What nodes call themselves.
    names: BTreeMap<NodeId, String>,
    seen: Vec<Seen>,
}

/// One thing that was seen.
pub(crate) enum Seen {
    /// A call begins, if somebody follows. By this number it ends.
    Begun(u64, Call),
    /// A call has returned, or was given up.
    Call(u64, Call),
    /// Somebody was shown a room.
    Push(Push),
    /// A node tells some of what happened there.
    Batch(Batch),
    /// A node has a name, or another than before.
    Named(Named),
    /// Something else: what was said, and what became of processes.
    Line(Line),
}

/// Some of what a node tells.
pub(crate) struct Batch {
    /// To whose question it belongs.
    pub(crate) asked: Asked,
    /// When it came.
    pub(crate) came: Moment,
    pub(crate) observed: Observed,
}

/// A call that has begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open(u64);

/// A node that is asked what happens: one call of `Cluster.Observe`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Counted from 1 over all nodes.
    pub(crate) number: u64,
    /// When.
    pub(crate) at: Moment,
}

impl Record {
    /// One that begins now.
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), followed: false, inner: Mutex::default() }
    }

    /// One that begins now, and that somebody follows.
    pub(crate) fn followed() -> Self {
        Self { followed: true, ..Self::new() }
    }

    /// Microseconds since it began.
    pub(crate) fn now(&self) -> Moment {
        Moment::try_from(self.began.elapsed().as_micros()).unwrap_or(Moment::MAX)
    }

    /// Somebody asks.
    pub(crate) fn ask(&self, client: ClientId, by: &str, room: &str, what: What) -> Open {
        let mut inner = self.inner();
        let call = Call {
            invoked: self.now(),
            returned: None,
            client,
            by: by.into(),
            room: room.into(),
            what,
            outcome: Outcome::Unknown,
        };
        inner.calls += 1;
        let number = inner.calls;
        inner.seen.extend(self.followed.then(|| Seen::Begun(number, call.clone())));
        inner.open.insert(number, call);
        Open(number)
    }

    /// Somebody was told for good, by whom, and of which room.
    pub(crate) fn told(&self, Open(number): Open, by: &str, room: &str, outcome: Outcome) {
        let mut inner = self.inner();
        let now = self.now();
        let Some(mut call) = inner.open.remove(&number) else { return };
        if outcome != Outcome::Unknown {
            call.returned = Some(now);
        }
        call.by = by.into();
        call.room = room.into();
        call.outcome = outcome;
        inner.seen.push(Seen::Call(number, call));
    }

    /// Somebody does not wait any more: what was asked stays unknown.
    pub(crate) fn gave_up(&self, Open(number): Open) {
        let mut inner = self.inner();
        let call = inner.open.remove(&number);
        inner.seen.extend(call.map(|call| Seen::Call(number, call)));
    }

    /// Somebody was shown a room.
    pub(crate) fn shown(&self, push: Push) {
        self.inner().seen.push(Seen::Push(push));
    }

    /// A node is asked what happens.
    pub(crate) fn observes(&self) -> Asked {
        let mut inner = self.inner();
        inner.asked += 1;
        Asked { number: inner.asked, at: self.now() }
    }

    /// It tells some of it.
    pub(crate) fn came(&self, asked: Asked, observed: Observed) {
        let mut inner = self.inner();
        let came = self.now();
        inner.seen.push(Seen::Batch(Batch { asked, came, observed }));
    }

    /// It says what it is called.
    pub(crate) fn named(&self, node: NodeId, name: &str) {
        let mut inner = self.inner();
        if inner.names.insert(node, name.into()).as_deref() != Some(name) {
            inner.seen.push(Seen::Named(Named { id: node, name: name.into() }));
        }
    }

    /// Something else happened.
    pub(crate) fn note(&self, line: Line) {
        self.inner().seen.push(Seen::Line(line));
    }

    /// A sentence of whoever makes trouble.
    pub(crate) fn say(&self, about: &str, text: &str) {
        let told = Told { at: self.now(), node: None, about: about.into(), text: text.into() };
        self.note(Line::Told(told));
    }

    /// What was seen since it was taken last.
    pub(crate) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.inner().seen)
    }

    /// The calls that have not returned.
    pub(crate) fn open(&self) -> Vec<Call> {
        self.inner().open.values().cloned().collect()
    }

    /// The rooms that calls were about which were not taken yet, by name.
    pub(crate) fn rooms(&self) -> Vec<String> {
        let inner = self.inner();
        let returned = inner.seen.iter().filter_map(|seen| match seen {
            Seen::Call(_, call) => Some(call),
            _ => None,
        });
        let calls = returned.chain(inner.open.values());
        let mut rooms: Vec<String> = calls.map(|call| call.room.clone()).collect();
        rooms.retain(|room| !room.is_empty());
        rooms.sort_unstable();
        rooms.dedup();
        rooms
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Whoever panicked has left whole entries behind.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
