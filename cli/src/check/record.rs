//! Everything that was seen while players played, with the times of one clock.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hangraft_lab::{
    history::{Call, ClientId, Moment, Outcome, Push, What},
    timeline::{Heard, Line, Told},
};
use hangraft_proto::v1::Observed;
use tokio::time::Instant;

/// What all who watch and play write into.
pub(super) struct Record {
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
pub(super) struct Played {
    pub(super) calls: Vec<Call>,
    pub(super) pushes: Vec<Push>,
    /// What nodes told of themselves.
    pub(super) heard: Vec<Heard>,
    /// What was said and what became of processes.
    pub(super) others: Vec<Line>,
}

/// A call that has begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open(usize);

/// A node that is asked what happens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked(usize);

impl Record {
    /// One that begins now.
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), seen: Mutex::default() }
    }

    /// Microseconds since it began.
    pub(super) fn now(&self) -> Moment {
        Moment::try_from(self.began.elapsed().as_micros()).unwrap_or(Moment::MAX)
    }

    /// Somebody asks.
    pub(super) fn ask(&self, client: ClientId, by: &str, room: &str, what: What) -> Open {
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
    pub(super) fn told(&self, Open(call): Open, by: &str, room: &str, outcome: Outcome) {
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
    pub(super) fn shown(&self, push: Push) {
        self.seen().pushes.push(push);
    }

    /// A node is asked what happens.
    pub(super) fn observes(&self) -> Asked {
        let mut seen = self.seen();
        seen.heard.push(Heard::asked(self.now()));
        Asked(seen.heard.len() - 1)
    }

    /// It tells some of it.
    pub(super) fn came(&self, Asked(call): Asked, batch: Observed) {
        let now = self.now();
        self.seen().heard[call].came(now, batch);
    }

    /// Something else happened.
    pub(super) fn note(&self, line: Line) {
        self.seen().others.push(line);
    }

    /// A sentence of whoever makes trouble.
    pub(super) fn say(&self, about: &str, text: &str) {
        let told = Told { at: self.now(), node: None, about: about.into(), text: text.into() };
        self.note(Line::Told(told));
    }

    /// All of it, when nobody writes any more.
    pub(super) fn take(&self) -> Played {
        let Seen { calls, pushes, heard, others } = std::mem::take(&mut *self.seen());
        Played { calls, pushes, heard, others }
    }

    /// The rooms there are, by name.
    pub(super) fn rooms(&self) -> Vec<String> {
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
