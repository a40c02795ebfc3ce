//! Everything that was seen while players played, with the times of one clock.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hangraft_lab::{
    history::{Call, ClientId, Moment, Outcome, Push, What},
    timeline::{Heard, Line, Told},
};
use hangraft_proto::v1::Observed;
use tokio::time::Instant;

/// What all who watch and play write into.
pub(crate) struct Record {
    began: Instant,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    calls: Vec<Call>,
    pushes: Vec<Push>,
    heard: Vec<Heard>,
    others: Vec<Line>,
}

/// What was seen.
pub(crate) struct Played {
    pub(crate) calls: Vec<Call>,
    pub(crate) pushes: Vec<Push>,
    /// What nodes told of themselves.
    pub(crate) heard: Vec<Heard>,
    /// What was said and what became of processes.
    pub(crate) others: Vec<Line>,
}

/// A call that has begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open(usize);

/// A node that is asked what happens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked(usize);

impl Record {
    /// One that begins now.
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), seen: Mutex::default() }
    }

    /// Microseconds since it began.
    pub(crate) fn now(&self) -> Moment {
        Moment::try_from(self.began.elapsed().as_micros()).unwrap_or(Moment::MAX)
    }

    /// Somebody asks.
    pub(crate) fn ask(&self, client: ClientId, by: &str, room: &str, what: What) -> Open {
        let mut seen = self.seen();
        seen.calls.push(Call {
            invoked: self.now(),
            returned: None,
            client,
            by: by.into(),
            room: room.into(),
            what,
            outcome: Outcome::Unknown,
        });
        Open(seen.calls.len() - 1)
    }

    /// Somebody was told for good, by whom, and of which room.
    pub(crate) fn told(&self, Open(call): Open, by: &str, room: &str, outcome: Outcome) {
        let mut seen = self.seen();
        let now = self.now();
        let call = &mut seen.calls[call];
        if outcome != Outcome::Unknown {
            call.returned = Some(now);
        }
        call.by = by.into();
        call.room = room.into();
        call.outcome = outcome;
    }

    /// Somebody was shown a room.
    pub(crate) fn shown(&self, push: Push) {
        self.seen().pushes.push(push);
    }

    /// A node is asked what happens.
    pub(crate) fn observes(&self) -> Asked {
        let mut seen = self.seen();
        seen.heard.push(Heard::asked(self.now()));
        Asked(seen.heard.len() - 1)
    }

    /// It tells some of it.
    pub(crate) fn came(&self, Asked(call): Asked, batch: Observed) {
        let now = self.now();
        self.seen().heard[call].came(now, batch);
    }

    /// Something else happened.
    pub(crate) fn note(&self, line: Line) {
        self.seen().others.push(line);
    }

    /// A sentence of whoever makes trouble.
    pub(crate) fn say(&self, about: &str, text: &str) {
        let told = Told { at: self.now(), node: None, about: about.into(), text: text.into() };
        self.note(Line::Told(told));
    }

    /// All of it, when nobody writes any more.
    pub(crate) fn take(&self) -> Played {
        let Seen { calls, pushes, heard, others } = std::mem::take(&mut *self.seen());
        Played { calls, pushes, heard, others }
    }

    /// The rooms there are, by name.
    pub(crate) fn rooms(&self) -> Vec<String> {
        let seen = self.seen();
        let mut rooms: Vec<String> = seen.calls.iter().map(|call| call.room.clone()).collect();
        rooms.retain(|room| !room.is_empty());
        rooms.sort_unstable();
        rooms.dedup();
        rooms
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Whoever panicked has left whole entries behind.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
