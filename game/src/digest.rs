//! Digests: how replicas tell that they hold the same thing.
//!
//! The lobby's hash is a wrapping sum of digests of its parts, so a change
//! costs one subtraction and one addition, whatever the lobby's size. It finds
//! drift, not forgery: it is not a cryptographic hash.

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
    let grown = postcard::to_extend(value, std::mem::take(to));
    *to = grown.expect("our own types have stored forms, and memory has no end here");
}
