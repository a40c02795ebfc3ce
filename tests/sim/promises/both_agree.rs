//! Both players of a match are told the same: each other's names, one room, and two seats, in
//! which exactly they sit in the room's first version.

use super::truth::{Happened, Truth};
use super::{Broken, Verdict};
use hangraft_game::{Notice, PlayerId, RoomId, Seat, Version};
use std::collections::BTreeMap;

pub(super) const NAME: &str = "both_agree";

/// What players were told of rooms that the batch has opened for them.
#[derive(Default)]
pub(super) struct Pairs {
    told: BTreeMap<RoomId, Vec<Told>>,
    /// Rooms of matches.
    seen: u64,
}

/// What somebody was told of a match.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    player: PlayerId,
    seat: Seat,
    other: PlayerId,
    /// The other has no rating.
    is_bot: bool,
}

impl Pairs {
    /// How many matches there were.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    pub(super) fn see(&mut self, happened: &Happened, truth: &Truth) -> Verdict {
        match happened {
            Happened::Version { room, first: true, .. } => {
                self.told.entry(room.id()).or_default();
            }
            Happened::Told { player, notice, .. } => {
                if let Notice::Matched { room, seat, other, rating, .. } = notice {
                    let (player, seat, is_bot) = (*player, *seat, rating.is_none());
                    let told = Told { player, seat, other: other.player, is_bot };
                    self.told.entry(*room).or_default().push(told);
                }
            }
            Happened::BatchEnds { .. } => {
                for (room, told) in std::mem::take(&mut self.told) {
                    self.seen += 1;
                    agree(room, &told, truth)?;
                }
            }
            Happened::Version { .. } | Happened::Played => {}
        }
        Ok(())
    }
}

/// Whether what the two were told of a room is the same, and so.
fn agree(room: RoomId, told: &[Told], truth: &Truth) -> Verdict {
    let first = truth.room(room, Version(1));
    let sitting = first.into_iter().flat_map(|room| room.players());
    let mut sitting: Vec<_> = sitting.map(|player| (player.seat, player.player)).collect();
    let named = match told {
        [one] if one.is_bot => vec![(one.seat, one.player), (other_seat(one.seat), one.other)],
        [one, other] if one.player == other.other && one.other == other.player => {
            vec![(one.seat, one.player), (other.seat, other.player)]
        }
        _ => Vec::new(),
    };
    let mut seats = named.clone();
    seats.sort();
    sitting.sort();
    if seats.len() == 2 && seats == sitting {
        return Ok(());
    }
    let how = format!("of {room} was told {told:?}; there sit {sitting:?}");
    Err(Broken::new(NAME, how))
}

fn other_seat(seat: Seat) -> Seat {
    Seat(1 - seat.0.min(1))
}
