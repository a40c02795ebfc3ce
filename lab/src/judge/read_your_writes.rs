//! A client is given at least the version it asks for, and nothing that it is told goes back
//! behind what it knows, unless it asked for less (Terry and others, 1994: read your writes,
//! monotonic reads, writes follow reads).
//!
//! What a client knows of a room is what it was answered, read at any level, or was pushed.
//! A read at `at-least` with the version that the client knows is held to that version. A
//! linearizable read and a write are held to it without being asked. A local read is not, and a
//! read that asks for less than its client knows is held to what it asks for.

use super::promise::{Held, OfRooms, Promise};
use super::record::{Done, Names, Room};
use super::versions::{Late, Placed, sweep};
use super::wording::{pushed, told};
use crate::history::{ClientId, Level, Push, What};
use hangraft_ids::Version;
use std::collections::BTreeMap;

pub(super) const PROMISE: OfRooms = OfRooms {
    promise: Promise {
        name: "read_your_writes",
        says: "A client is given at least the version it asks for, and what it is told of a room \
               never goes back behind what it knows.",
    },
    hold,
};

/// What a client was told, or was shown without asking.
#[derive(Clone, Copy)]
enum Heard<'a> {
    Answer(Done<'a>),
    Push(&'a Push),
}

fn hold(names: &Names, room: &Room<'_>, held: &mut Held) {
    at_least(names, room, held);
    monotonic(names, room, held);
}

/// Reads that ask for a version are given it.
fn at_least(names: &Names, room: &Room<'_>, held: &mut Held) {
    for read in room.done() {
        let What::Read { level: Level::AtLeast { least } } = read.call.what else { continue };
        held.checked += 1;
        if read.version < least {
            let how = format!("{} It had asked for at least {}.", told(names, &read), least.0);
            held.breaks(read.known(), how);
            return;
        }
    }
}

/// No answer is older than what its client knew.
fn monotonic(names: &Names, room: &Room<'_>, held: &mut Held) {
    let mut clients: BTreeMap<ClientId, Vec<Placed<Heard<'_>>>> = BTreeMap::new();
    for done in room.done() {
        let strict = matches!(
            done.call.what,
            What::Write { .. } | What::Read { level: Level::Linearizable }
        );
        held.checked += u64::from(strict);
        clients.entry(done.call.client).or_default().push(Placed {
            what: Heard::Answer(done),
            invoked: done.call.invoked,
            returned: done.returned,
            found: if strict { done.found() } else { Version(u64::MAX) },
            left: done.version,
        });
    }
    for push in &room.pushes {
        clients.entry(push.client).or_default().push(Placed {
            what: Heard::Push(push),
            invoked: push.at,
            returned: push.at,
            found: Version(u64::MAX),
            left: push.version,
        });
    }
    for heard in clients.values() {
        if let Err(Late { late, told: before }) = sweep(heard) {
            let how = format!("{} {}", in_words(names, before.what), in_words(names, late.what));
            held.breaks(known(late.what), how);
            return;
        }
    }
}

fn known(heard: Heard<'_>) -> u64 {
    match heard {
        Heard::Answer(done) => done.known(),
        Heard::Push(push) => push.at,
    }
}

fn in_words(names: &Names, heard: Heard<'_>) -> String {
    match heard {
        Heard::Answer(done) => told(names, &done),
        Heard::Push(push) => pushed(names, push),
    }
}
