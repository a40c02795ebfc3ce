//! A room in which something was done is there for a while, whatever clocks show: nobody who
//! asks for it so soon is told that there is no such room.
//!
//! A room ends when nobody has been in it for two minutes at least, by the lobby's time. That
//! never passes faster than the world's, so within [`STAYS`] of an accepted change a room is
//! there for certain.

use super::promise::{Held, OfRooms, Promise};
use super::record::{Done, Names, Room};
use super::wording::{seconds, told};
use crate::history::Moment;

pub(super) const PROMISE: OfRooms = OfRooms {
    promise: Promise {
        name: "rooms_stay",
        says: "A room in which something was done is there for two minutes at least.",
    },
    hold,
};

/// How long a room stays for certain, in microseconds.
pub(super) const STAYS: Moment = 120_000_000;

fn hold(names: &Names, room: &Room<'_>, held: &mut Held) {
    let accepted: Vec<Done<'_>> = room.accepted().collect();
    held.checked += accepted.len() as u64;
    for denied in room.denied() {
        let at = denied.returned.unwrap_or(denied.invoked);
        // What was asked before may have been done long before it was told.
        let lately = |done: &&Done<'_>| done.call.invoked <= at && at - done.call.invoked < STAYS;
        let Some(last) = accepted.iter().rfind(lately) else { continue };
        let how = format!(
            "{} {} was told at {} by {} that there is no room {}.",
            told(names, last),
            names.client(denied.client),
            seconds(at),
            denied.by,
            room.name
        );
        held.breaks(at, how);
        return;
    }
}
