//! Numbers that mean something.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A player. Outlives any connection; 0 is nobody.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct PlayerId(pub u64);

/// A room. The Raft group is in bits 32 and up, the number within it below, so
/// that ids of group 0 are small and every id fits a JavaScript number.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct RoomId(pub u64);

/// A place at a table, counted from zero.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Seat(pub u8);

/// Counts the accepted changes of one room, from 1.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Version(pub u64);

/// A frontend's process: a random number it draws when it starts.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct FrontendId(pub u64);

impl RoomId {
    /// The `number`th room of a Raft group. Numbers count from 1.
    pub const fn new(group: u32, number: u32) -> RoomId {
        RoomId((group as u64) << 32 | number as u64)
    }

    /// The Raft group that plays this room.
    pub const fn group(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The room's number within its group.
    pub const fn number(self) -> u32 {
        self.0 as u32
    }
}

impl Version {
    /// The version after this one.
    pub const fn next(self) -> Version {
        Version(self.0.wrapping_add(1))
    }
}

impl fmt::Display for PlayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{:016x}", self.0)
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "room {}", self.0)
    }
}

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seat {}", self.0)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

impl fmt::Display for FrontendId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "f{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_print_themselves() {
        assert_eq!(RoomId::new(0, 12).to_string(), "room 12");
        assert_eq!(PlayerId(0xab).to_string(), "p00000000000000ab");
        assert_eq!(Seat(3).to_string(), "seat 3");
        assert_eq!(Version(7).to_string(), "v7");
    }

    #[test]
    fn a_room_id_carries_its_group_and_fits_a_javascript_number() {
        let id = RoomId::new((1 << 20) - 1, u32::MAX);
        assert_eq!((id.group(), id.number()), ((1 << 20) - 1, u32::MAX));
        assert!(id.0 < 1 << 53);
    }
}
