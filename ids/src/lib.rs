//! Numbers that mean something, each with a type: a room is never taken for a version, nor a
//! node for a term, and each knows how it is written.
//!
//! On disk and on the network each is the bare number that it holds.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Declares a type for a number. How it is written is said below.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);
    };
}

number! {
    /// A player. Outlives any connection; 0 is nobody. Written `p0123456789abcdef`.
    #[derive(Debug)]
    PlayerId(u64)
}

number! {
    /// A room. The Raft group is in bits 32 and up, the number within it below, so
    /// that ids of group 0 are small and every id fits a JavaScript number.
    #[derive(Debug)]
    RoomId(u64)
}

number! {
    /// An open wish for a game of two: a seek, or a challenge. Counts from 1.
    #[derive(Debug)]
    OfferId(u64)
}

number! {
    /// Counts what a player was told, without holes.
    #[derive(Debug)]
    NoticeNumber(u64)
}

number! {
    /// A place at a table, counted from zero.
    #[derive(Debug)]
    Seat(u8)
}

number! {
    /// Counts the accepted changes of one room, from 1.
    #[derive(Debug)]
    Version(u64)
}

number! {
    /// A frontend's process: a random number it draws when it starts.
    #[derive(Debug)]
    FrontendId(u64)
}

number! {
    /// One numbering of a player's commands: a client session (Raft thesis, section 6.3).
    Lane(u64)
}

number! {
    /// The number of a command in its lane, from 1: its sequence number.
    Serial(u64)
}

number! {
    /// A node. Given once: when a node has left or lost its disk, its id is retired.
    NodeId(u64)
}

number! {
    /// A data folder: a random number, drawn when the folder is made. A node that comes back
    /// with another one has lost what it had promised.
    StorageId(u64)
}

number! {
    /// A node's process: a random number, drawn when it starts.
    Instance(u64)
}

number! {
    /// A period with one leader at most, counted from 1 (Raft thesis, section 3.3).
    Term(u64)
}

number! {
    /// The place of an entry in the log (Raft thesis, section 3.5).
    LogIndex(u64)
}

impl RoomId {
    /// No room: where a player is who has a live socket, whatever it looks at.
    pub const ONLINE: RoomId = RoomId(u64::MAX);

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

impl NoticeNumber {
    /// The number after this one.
    pub const fn next(self) -> NoticeNumber {
        NoticeNumber(self.0.saturating_add(1))
    }
}

impl Version {
    /// The version after this one.
    pub const fn next(self) -> Version {
        Version(self.0.wrapping_add(1))
    }
}

impl Lane {
    /// The player's own counter. A session that numbers for its player has another lane.
    pub const OWN: Lane = Lane(0);
}

impl Serial {
    /// The number after this one.
    pub const fn next(self) -> Serial {
        Serial(self.0.saturating_add(1))
    }
}

impl PlayerId {
    /// The last ids of all are no person's: bots have them. 256 of 2^64 are enough for
    /// ever, and few enough that whoever draws an id at random hardly ever draws again.
    const RESERVED: u64 = u64::MAX - 255;

    /// Whether no guest may have this id: it is nobody's, or kept for bots. Whoever draws
    /// one for a guest draws another then.
    pub const fn is_reserved(self) -> bool {
        self.0 == 0 || self.0 >= Self::RESERVED
    }
}

impl Instance {
    /// Not said: builds before the first that draws one.
    pub const NONE: Instance = Instance(0);
}

impl NodeId {
    /// No node, or one that is not known.
    pub const NONE: NodeId = NodeId(0);
}

impl StorageId {
    /// No data folder, or one that is not known.
    pub const NONE: StorageId = StorageId(0);
}

impl LogIndex {
    /// The place behind this one.
    pub const fn next(self) -> LogIndex {
        LogIndex(self.0.saturating_add(1))
    }

    /// How many entries there are behind `before` up to this one.
    pub const fn since(self, before: LogIndex) -> u64 {
        self.0.saturating_sub(before.0)
    }
}

/// As openraft's own tests of a storage number their nodes.
impl From<u64> for NodeId {
    fn from(id: u64) -> NodeId {
        NodeId(id)
    }
}

/// It is no player's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPlayer;

impl FromStr for PlayerId {
    type Err = NoPlayer;

    /// Reads an id as it is written, and no other spelling.
    fn from_str(text: &str) -> Result<Self, NoPlayer> {
        let digits = text.strip_prefix('p').filter(|digits| digits.len() == 16).ok_or(NoPlayer)?;
        let plain = digits.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        let number = u64::from_str_radix(digits, 16).map_err(|_| NoPlayer)?;
        if plain { Ok(Self(number)) } else { Err(NoPlayer) }
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

impl fmt::Display for OfferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "offer {}", self.0)
    }
}

impl fmt::Display for NoticeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "notice {}", self.0)
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

/// These are written as bare numbers, also where programs look: sentences say of what.
macro_rules! plain {
    ($($name:ident),*) => {
        $(
            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.fmt(f)
                }
            }

            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.fmt(f)
                }
            }
        )*
    };
}

plain!(NodeId, StorageId, Instance, Term, LogIndex, Lane, Serial);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_print_themselves() {
        assert_eq!(RoomId::new(0, 12).to_string(), "room 12");
        assert_eq!(PlayerId(0xab).to_string(), "p00000000000000ab");
        assert_eq!(Seat(3).to_string(), "seat 3");
        assert_eq!(Version(7).to_string(), "v7");
        assert_eq!(
            format!("n{}, term {}, {:>3}", NodeId(4), Term(2), LogIndex(9)),
            "n4, term 2,   9"
        );
    }

    #[test]
    fn a_room_id_carries_its_group_and_fits_a_javascript_number() {
        let id = RoomId::new((1 << 20) - 1, u32::MAX);
        assert_eq!((id.group(), id.number()), ((1 << 20) - 1, u32::MAX));
        assert!(id.0 < 1 << 53);
    }

    #[test]
    fn nobody_and_the_last_ids_are_for_no_guest() {
        for (id, reserved) in [(0, true), (1, false), (u64::MAX - 256, false), (u64::MAX, true)] {
            assert_eq!(PlayerId(id).is_reserved(), reserved, "{id}");
        }
        assert!(PlayerId(u64::MAX - 255).is_reserved());
    }

    /// A player's id reads back as it was written, and in no other spelling.
    #[test]
    fn a_player_has_one_spelling() {
        let player = PlayerId(0x0123_4567_89ab_cdef);
        assert_eq!(player.to_string(), "p0123456789abcdef");
        assert_eq!("p0123456789abcdef".parse(), Ok(player));
        for wrong in ["", "p", "p0123456789abcde", "p0123456789ABCDEF", "p+123456789abcdef", "pé"]
        {
            assert_eq!(wrong.parse::<PlayerId>(), Err(NoPlayer), "{wrong}");
        }
    }
}
