//! What rooms and offers are called in public.
//!
//! Inside the cluster a room is a number, handed out in order. In links and on
//! players' sockets it is a name that says nothing of the number and that nobody
//! can guess: who has the name of a room was told it, or found it in the list of
//! public rooms. Every frontend makes the same name of the same number, from a key
//! of its own purpose, so nothing is stored. Offers have names of the same kind, from
//! another key: the name of a challenge is a link that only who was given it has.
//!
//! A name is an authenticated encryption of the number in the manner of SIV (RFC
//! 5297): a tag over the number, and the number under a mask that depends on the tag.

use hangraft_ids::{OfferId, RoomId};

use crate::key::{ClusterKey, KEY_BYTES};

// The purposes. Changing one of these words breaks every link of its kind.
const ROOMS: &str = "hangraft v1 room names";
const OFFERS: &str = "hangraft v1 offer names";

/// Bytes of a room's tag. Who tries a name a microsecond for a year has found none with
/// a chance of nine in ten, and that one is hardly the name of a live room.
const ROOM_TAG_BYTES: usize = 6;

/// Bytes of an offer's tag: one less, for there are far more offers than rooms, and none
/// stands for long. Who tries a name a microsecond finds one in thirteen days, and that one
/// is hardly the name of an offer that stands.
const OFFER_TAG_BYTES: usize = 5;

/// Bytes of a name: those of the tag, then those of the number.
const NAME_BYTES: usize = 10;

/// Bytes of a number inside the cluster.
const NUMBER_BYTES: usize = 8;

/// Characters in a name.
const NAME_CHARS: usize = NAME_BYTES * 8 / 5;

/// The alphabet of RFC 4648, section 6, in lower case: nothing in it is lost when a
/// name is read aloud or typed.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Makes names of rooms' and offers' numbers, and finds what has a name. Prints nothing of
/// its keys.
#[derive(Clone)]
pub struct RoomNames {
    rooms: Names<ROOM_TAG_BYTES>,
    offers: Names<OFFER_TAG_BYTES>,
}

/// Names of one purpose, with so many bytes of tag.
#[derive(Clone)]
struct Names<const TAG: usize> {
    key: [u8; KEY_BYTES],
}

impl RoomNames {
    /// The names that all frontends of the cluster with this key give.
    pub fn of(key: &ClusterKey) -> Self {
        Self {
            rooms: Names { key: key.derived(ROOMS) },
            offers: Names { key: key.derived(OFFERS) },
        }
    }

    /// The name of a room. A room of a second Raft group would get a name that leads
    /// nowhere.
    pub fn name(&self, room: RoomId) -> String {
        self.rooms.name(room.0)
    }

    /// The room with this name; none if no room has such a name.
    pub fn room(&self, name: &str) -> Option<RoomId> {
        self.rooms.number(name).map(RoomId)
    }

    /// The name of an offer. After 2^40 offers there are names that lead nowhere: at ten
    /// thousand a second, after three years.
    pub fn offer_name(&self, offer: OfferId) -> String {
        self.offers.name(offer.0)
    }

    /// The offer with this name; none if no offer has such a name.
    pub fn offer(&self, name: &str) -> Option<OfferId> {
        self.offers.number(name).map(OfferId)
    }
}

impl<const TAG: usize> Names<TAG> {
    fn name(&self, number: u64) -> String {
        let tag = self.tag(number);
        let mut bytes = [0; NAME_BYTES];
        bytes[..TAG].copy_from_slice(&tag);
        let masked = number.to_le_bytes().into_iter().zip(self.mask(tag));
        for (to, (number, mask)) in bytes[TAG..].iter_mut().zip(masked) {
            *to = number ^ mask;
        }
        spell(&bytes)
    }

    fn number(&self, name: &str) -> Option<u64> {
        let bytes = read(name)?;
        let (tag, masked) = bytes.split_at(TAG);
        let tag: [u8; TAG] = tag.try_into().expect("just split");
        let mut number = [0; NUMBER_BYTES];
        for (to, (masked, mask)) in number.iter_mut().zip(masked.iter().zip(self.mask(tag))) {
            *to = masked ^ mask;
        }
        let number = u64::from_le_bytes(number);
        (self.tag(number) == tag).then_some(number)
    }

    fn tag(&self, number: u64) -> [u8; TAG] {
        self.keyed(b't', &number.to_le_bytes())
    }

    fn mask(&self, tag: [u8; TAG]) -> [u8; NAME_BYTES] {
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

    /// Links to challenges are sent to friends, who open them at any frontend.
    #[test]
    fn an_offer_has_the_same_name_for_ever() {
        assert_eq!(names(7).offer_name(OfferId(1)), "33tma2vqzlwy723j");
    }

    /// Who has a room's name has none of an offer, and the other way round.
    #[test]
    fn rooms_and_offers_are_named_apart() {
        let names = names(7);
        assert_eq!(names.room(&names.offer_name(OfferId(12))), None);
        assert_eq!(names.offer(&names.name(RoomId(12))), None);
        assert_eq!(names.offer(&names.offer_name(OfferId(1 << 40))), None, "one too many");
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

        /// Every number of an offer comes back, too.
        #[test]
        fn an_offers_name_leads_to_its_number(number in 0_u64..1 << 40, key in any::<u8>()) {
            let name = names(key).offer_name(OfferId(number));
            prop_assert_eq!(names(key).offer(&name), Some(OfferId(number)));
        }

        /// Any text is a name or is none; never a panic.
        #[test]
        fn any_text_is_looked_at(text in ".{0,20}") {
            _ = (names(1).room(&text), names(1).offer(&text));
        }
    }
}
