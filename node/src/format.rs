//! How nodes encode what they store and tell each other, and in which version.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;

/// The version of this build, as nodes tell each other.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The version of what is stored and sent. Anything else is refused, not guessed at.
pub(crate) const FORMAT: u8 = 2;

/// Encodes something that replicas tell each other.
pub(crate) fn encode<T: Serialize>(message: &T) -> Bytes {
    postcard::to_allocvec(message).expect("messages are plain data").into()
}

/// Decodes what a replica of the same format sent.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    postcard::from_bytes(bytes).map_err(|err| corrupt(format!("a replica's message: {err}")))
}

/// The error of bytes that are not what they should be.
pub(crate) fn corrupt(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
