//! Digests: how replicas tell that they hold the same thing.
//!
//! The lobby's hash is a wrapping sum of digests of its parts, so a change
//! costs one subtraction and one addition, whatever the lobby's size. It finds
//! drift, not forgery: it is not a cryptographic hash.

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// What a digest is of. Equal bytes of different kinds have different digests.
#[derive(Clone, Copy)]
#[repr(u64)]
pub(crate) enum Kind {
    Room = 1,
    Line = 2,
    Lane = 3,
    Remembered = 4,
    Generation = 5,
    Frontend = 6,
    Online = 7,
    Opening = 8,
    Counters = 9,
    Terms = 10,
    Place = 11,
    Notices = 12,
    Mailbox = 13,
    Offer = 14,
    Contest = 15,
    Record = 16,
    Numbers = 17,
    Offers = 18,
}

/// The digest of some bytes.
pub(crate) fn of_bytes(kind: Kind, bytes: &[u8]) -> u64 {
    xxh3_64_with_seed(bytes, kind as u64)
}

/// The digest of a value's stored bytes. `scratch` is emptied and reused.
pub(crate) fn of_value(kind: Kind, value: &impl Serialize, scratch: &mut Vec<u8>) -> u64 {
    scratch.clear();
    write(value, scratch);
    of_bytes(kind, scratch)
}

/// The digest of a few numbers.
pub(crate) fn of_numbers<const N: usize>(kind: Kind, numbers: [u64; N]) -> u64 {
    let mut bytes = [[0; 8]; N];
    for (to, number) in bytes.iter_mut().zip(numbers) {
        *to = number.to_le_bytes();
    }
    of_bytes(kind, bytes.as_flattened())
}

/// Mixes a few numbers into one, for seeds.
pub(crate) fn of_words(words: &[u64; 2]) -> u64 {
    let bytes = words.map(u64::to_le_bytes);
    xxh3_64(bytes.as_flattened())
}

/// Appends a value's stored bytes.
pub(crate) fn write(value: &impl Serialize, to: &mut Vec<u8>) {
    let written = postcard::serialize_with_flavor(value, Appended(std::mem::take(to)));
    *to = written.expect("our own types have stored forms, and memory has no end here");
}

/// Bytes at the end of a vector, as many at a time as there are: postcard's own way to
/// append takes them one by one.
struct Appended(Vec<u8>);

impl Flavor for Appended {
    type Output = Vec<u8>;

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.0)
    }
}
