//! Pushes of a room come to a client in the order of their versions, with no gap that is not
//! explained, and show what was committed.
//!
//! A timeline does not have the committed log. What it can show is that a push was ahead of
//! it: a linearizable read or a write that began later found an older version.

use super::promise::{Held, OfRooms, Promise};
use super::record::{Done, Names, Room};
use super::versions::{Late, Placed, sweep};
use super::wording::{pushed, told};
use crate::history::{ClientId, Push};
use hangraft_ids::Version;
use std::collections::BTreeMap;

pub(super) const PROMISE: OfRooms = OfRooms {
    promise: Promise {
        name: "in_order",
        says: "Pushes of a room come to each client in the order of their versions, without a gap \
               that nothing explains, and show what was committed.",
    },
    hold,
};

/// What each client has seen last of each room it watches; it outlives connections.
#[derive(Debug)]
pub struct Orders<C, R>(BTreeMap<(C, R), Version>);

/// A push that came out of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfOrder {
    /// The version the client had seen before.
    pub before: Version,
    /// It leads forward, but versions are missing, and nothing says so.
    pub gap: bool,
}

impl<C, R> Default for Orders<C, R> {
    fn default() -> Self {
        Orders(BTreeMap::new())
    }
}

impl<C: Copy + Ord, R: Copy + Ord> Orders<C, R> {
    /// The version to resume from.
    pub fn since(&self, client: C, room: R) -> Option<Version> {
        self.0.get(&(client, room)).copied()
    }

    /// Somebody was told that the room is gone, and looks at it no more.
    pub fn forget(&mut self, client: C, room: R) {
        self.0.remove(&(client, room));
    }

    /// What everybody has seen last.
    pub fn all(&self) -> impl Iterator<Item = (C, R, Version)> {
        self.0.iter().map(|((client, room), seen)| (*client, *room, *seen))
    }

    /// A view has come. One made anew, which says `resync`, may follow upon any version, but
    /// leads forward; only the last of a room, which says `closed`, may come again, to say that
    /// it is the last.
    ///
    /// # Errors
    /// When it leads back, or leaves something out and does not say so.
    pub fn see(
        &mut self,
        client: C,
        room: R,
        version: Version,
        resync: bool,
        closed: bool,
    ) -> Result<(), OutOfOrder> {
        let Some(before) = self.0.insert((client, room), version) else { return Ok(()) };
        let gap = version > before;
        let right = if gap {
            resync || version == before.next()
        } else {
            version == before && resync && closed
        };
        if right { Ok(()) } else { Err(OutOfOrder { before, gap }) }
    }
}

fn hold(names: &Names, room: &Room<'_>, held: &mut Held) {
    held.checked += room.pushes.len() as u64;
    order(names, room, held);
    committed(names, room, held);
}

/// Each client sees versions in their order.
fn order(names: &Names, room: &Room<'_>, held: &mut Held) {
    let mut orders: Orders<ClientId, ()> = Orders::default();
    let mut last: BTreeMap<ClientId, &Push> = BTreeMap::new();
    for push in &room.pushes {
        let before = last.insert(push.client, push);
        let seen = orders.see(push.client, (), push.version, push.resync, push.closed);
        if let (Err(OutOfOrder { gap, .. }), Some(before)) = (seen, before) {
            let (before, after) = (pushed(names, before), pushed(names, push));
            let why = if gap { " Nothing said that versions were left out." } else { "" };
            held.breaks(push.at, format!("{before} Then {after}{why}"));
            return;
        }
    }
}

/// A version that was pushed before a call.
#[derive(Clone, Copy)]
enum Shown<'a> {
    Push(&'a Push),
    Call(Done<'a>),
}

/// Whatever begins after a push finds what the push showed.
fn committed(names: &Names, room: &Room<'_>, held: &mut Held) {
    let pushes = room.pushes.iter().map(|push| Placed {
        what: Shown::Push(push),
        invoked: push.at,
        returned: push.at,
        found: Version(u64::MAX),
        left: push.version,
    });
    // Calls are held to pushes here, not to each other.
    let calls = room.linearizable().chain(room.accepted()).map(|done| Placed {
        what: Shown::Call(done),
        invoked: done.call.invoked,
        returned: done.returned,
        found: done.found(),
        left: Version(0),
    });
    let placed: Vec<Placed<Shown<'_>>> = pushes.chain(calls).collect();
    if let Err(Late { late, told: before }) = sweep(&placed)
        && let (Shown::Push(push), Shown::Call(done)) = (before.what, late.what)
    {
        held.breaks(done.known(), format!("{} {}", pushed(names, push), told(names, &done)));
    }
}
