//! What rooms are called in public.
//!
//! Inside the cluster a room is a number, handed out in order. In links and on
//! players' sockets it is a name that says nothing of the number and that nobody
//! can guess: who has the name of a room was told it, or found it in the list of
//! public rooms. Every frontend makes the same name of the same number, from a key
//! of its own purpose, so nothing is stored.
//!
//! A name is an authenticated encryption of the number in the manner of SIV (RFC
//! 5297): a tag over the number, and the number under a mask that depends on the tag.

use hangraft_ids::RoomId;

use crate::key::{ClusterKey, KEY_BYTES};

// The purpose. Changing this word breaks every link to a room.
const ROOMS: &str = "hangraft v1 room names";

/// Bytes of the tag. Who tries a name a microsecond for a year has found none with
/// a chance of nine in ten, and that one is hardly the name of a live room.
const TAG_BYTES: usize = 6;

/// Bytes of the number.
const NUMBER_BYTES: usize = 4;

const NAME_BYTES: usize = TAG_BYTES + NUMBER_BYTES;

/// Characters in a room's name.
const NAME_CHARS: usize = NAME_BYTES * 8 / 5;

/// The alphabet of RFC 4648, section 6, in lower case: nothing in it is lost when a
/// name is read aloud or typed.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Makes names of rooms' numbers, and finds the room of a name. Prints nothing of its key.
#[derive(Clone)]
pub struct RoomNames {
    key: [u8; KEY_BYTES],
}

impl RoomNames {
    /// The names that all frontends of the cluster with this key give.
    pub fn of(key: &ClusterKey) -> Self {
        Self { key: key.derived(ROOMS) }
    }

    /// The name of a room. A room of a second Raft group would get a name that leads
    /// nowhere.
    pub fn name(&self, room: RoomId) -> String {
        let tag = self.tag(room);
        let mut bytes = [0; NAME_BYTES];
        bytes[..TAG_BYTES].copy_from_slice(&tag);
        let low: [u8; NUMBER_BYTES] = room.number().to_le_bytes();
        for (to, (number, mask)) in
            bytes[TAG_BYTES..].iter_mut().zip(low.iter().zip(self.mask(tag)))
        {
            *to = number ^ mask;
        }
        spell(&bytes)
    }

    /// The room with this name; none if no room has such a name.
    pub fn room(&self, name: &str) -> Option<RoomId> {
        let bytes = read(name)?;
        let (tag, masked) = bytes.split_at(TAG_BYTES);
        let tag: [u8; TAG_BYTES] = tag.try_into().expect("just split");
        let mut number = [0; NUMBER_BYTES];
        for (to, (masked, mask)) in number.iter_mut().zip(masked.iter().zip(self.mask(tag))) {
            *to = masked ^ mask;
        }
        let room = RoomId::new(0, u32::from_le_bytes(number));
        (self.tag(room) == tag).then_some(room)
    }

    fn tag(&self, room: RoomId) -> [u8; TAG_BYTES] {
        self.keyed(b't', &room.0.to_le_bytes())
    }

    fn mask(&self, tag: [u8; TAG_BYTES]) -> [u8; NUMBER_BYTES] {
        self.keyed(b'm', &tag)
    }

    /// The first bytes of a keyed hash. The letter keeps tags and masks apart.
    fn keyed<const N: usize>(&self, letter: u8, input: &[u8]) -> [u8; N] {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&[letter]).update(input);
        let hash = hasher.finalize();
        std::array::from_fn(|at| hash.as_bytes()[at])
    }
}

impl std::fmt::Debug for RoomNames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RoomNames(..)")
    }
}

fn spell(bytes: &[u8; NAME_BYTES]) -> String {
    let letter = |at: usize| {
        let five = (0..5).fold(0, |value, bit| {
            let place = at * 5 + bit;
            value << 1 | (bytes[place / 8] >> (7 - place % 8)) & 1
        });
        char::from(ALPHABET[usize::from(five)])
    };
    (0..NAME_CHARS).map(letter).collect()
}

fn read(name: &str) -> Option<[u8; NAME_BYTES]> {
    if name.len() != NAME_CHARS {
        return None;
    }
    let mut bytes = [0; NAME_BYTES];
    for (at, letter) in name.bytes().enumerate() {
        let five = ALPHABET.iter().position(|known| *known == letter)?;
        for bit in 0..5 {
            let place = at * 5 + bit;
            bytes[place / 8] |= u8::from(five >> (4 - bit) & 1 == 1) << (7 - place % 8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(byte: u8) -> RoomNames {
        RoomNames::of(&ClusterKey::from_bytes([byte; KEY_BYTES]))
    }

    /// Links outlive a frontend, and every frontend of a cluster reads them.
    #[test]
    fn a_room_has_the_same_name_for_ever() {
        assert_eq!(names(7).name(RoomId(1)), "wpvkdjysza444b7s");
    }

    /// What is no name leads nowhere: a number, another cluster's name, a name in
    /// capitals, one with a letter more, and a name with one letter changed.
    #[test]
    fn nothing_else_is_a_name() {
        let good = names(7).name(RoomId(12));
        assert_eq!(names(8).room(&good), None);
        for wrong in ["", "12", "room", &good.to_uppercase(), &format!("{good}a"), &good[1..]] {
            assert_eq!(names(7).room(wrong), None, "{wrong}");
        }
        for at in 0..NAME_CHARS {
            for letter in ALPHABET.iter().map(|letter| char::from(*letter)) {
                let mut changed = good.clone();
                changed.replace_range(at..=at, &letter.to_string());
                let same = changed == good;
                assert_eq!(names(7).room(&changed), same.then_some(RoomId(12)), "{changed}");
            }
        }
        assert_eq!(names(7).room("aaaaaaaaaaaaaaaé"), None);
        assert_eq!(names(7).room(&names(7).name(RoomId::new(1, 0))), None, "another group");
    }

    #[test]
    fn the_key_does_not_print_itself() {
        assert_eq!(format!("{:?}", names(7)), "RoomNames(..)");
    }

    proptest! {
        /// Every number comes back from its name, and neighbours look unlike.
        #[test]
        fn a_name_leads_to_its_number(number in any::<u32>(), key in any::<u8>()) {
            let names = names(key);
            let room = RoomId::new(0, number);
            let name = names.name(room);
            prop_assert_eq!(name.len(), NAME_CHARS);
            prop_assert_eq!(names.room(&name), Some(room));
            let next = names.name(RoomId::new(0, number.wrapping_add(1)));
            let alike = name.bytes().zip(next.bytes()).filter(|(a, b)| a == b).count();
            prop_assert!(alike < 10);
        }

        /// Any text is a name or is none; never a panic.
        #[test]
        fn any_text_is_looked_at(text in ".{0,20}") {
            _ = names(1).room(&text);
        }
    }
}
