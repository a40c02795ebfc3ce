//! Promises about rooms, in the order in which they are told.

use super::promise::OfRooms;
use super::{in_order, linearizable, none_twice, nothing_lost, read_your_writes, rooms_stay};

/// How many promises there are about rooms.
pub(super) const COUNT: usize = 6;

pub(super) const OF_ROOMS: [OfRooms; COUNT] = [
    linearizable::PROMISE,
    read_your_writes::PROMISE,
    in_order::PROMISE,
    nothing_lost::PROMISE,
    none_twice::PROMISE,
    rooms_stay::PROMISE,
];
