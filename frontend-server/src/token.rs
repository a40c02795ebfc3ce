//! Guests' tokens: who someone is, signed, so that every frontend believes it.
//!
//! A token is `payload.signature`, both base64url without padding. The payload is
//! a small JSON object; the signature is HMAC-SHA-256 with a key derived from the
//! cluster's key, so frontends need not ask anybody and nobody else can make one.
//!
//! # Not here
//!
//! Expiry. A guest is worth nothing to steal but the game itself, and a child's
//! tablet that comes back after a month should be the same player. `issued` is in
//! the payload for the day accounts need it.

use std::{fmt, sync::Arc};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::command::PlayerId;

/// The longest token looked at, in bytes; a longer one is no token of ours.
const TOKEN_BYTES_MAX: usize = 512;

/// Who a token says its bearer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Guest {
    pub(crate) player: PlayerId,
    pub(crate) name: Arc<str>,
}

/// Signs and verifies tokens. Prints nothing of its key.
#[derive(Clone)]
pub(crate) struct TokenKey(Hmac<Sha256>);

#[derive(Serialize, Deserialize)]
struct Payload {
    player: String,
    name: String,
    /// Seconds since 1970.
    issued: u64,
}

impl TokenKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes keys of any length"))
    }

    /// A token for this guest. `issued` is in seconds since 1970.
    pub(crate) fn sign(&self, guest: &Guest, issued: u64) -> String {
        let payload =
            Payload { player: guest.player.to_string(), name: guest.name.to_string(), issued };
        let json = serde_json::to_vec(&payload).expect("strings and a number are JSON");
        let payload = BASE64_URL_SAFE_NO_PAD.encode(json);
        let signature = BASE64_URL_SAFE_NO_PAD.encode(self.mac(&payload).finalize().into_bytes());
        format!("{payload}.{signature}")
    }

    /// Who the bearer is, if the token is one of ours.
    pub(crate) fn verify(&self, token: &str) -> Option<Guest> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let (payload, signature) = token.split_once('.')?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        // In constant time: how much of a forgery is right must not show.
        self.mac(payload).verify_slice(&signature).ok()?;
        let json = BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?;
        let payload: Payload = serde_json::from_slice(&json).ok()?;
        Some(Guest { player: payload.player.parse().ok()?, name: payload.name.into() })
    }

    fn mac(&self, payload: &str) -> Hmac<Sha256> {
        self.0.clone().chain_update(payload.as_bytes())
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest() -> Guest {
        Guest { player: PlayerId(7), name: "Zoë".into() }
    }

    /// A token made by one frontend is believed by another with the same key.
    #[test]
    fn a_token_travels_between_frontends() {
        let token = TokenKey::new(&[1; 32]).sign(&guest(), 1_700_000_000);
        assert_eq!(TokenKey::new(&[1; 32]).verify(&token), Some(guest()));
        assert_eq!(TokenKey::new(&[2; 32]).verify(&token), None);
    }

    /// Tokens live in browsers for months: this one must stay good.
    #[test]
    fn an_old_token_stays_good() {
        let old = concat!(
            "eyJwbGF5ZXIiOiJwMDAwMDAwMDAwMDAwMDAwNyIsIm5hbWUiOiJab8OrIiwiaXNzdWVkIjox",
            "NzAwMDAwMDAwfQ",
        );
        let key = TokenKey::new(&[1; 32]);
        let token = key.sign(&guest(), 1_700_000_000);
        assert!(token.starts_with(old), "{token}");
        assert_eq!(key.verify(&token), Some(guest()));
    }

    /// No single changed, added or missing character goes unnoticed.
    #[test]
    fn a_token_cannot_be_touched() {
        let key = TokenKey::new(&[1; 32]);
        let token = key.sign(&guest(), 1);
        for at in 0..token.len() {
            let mut other = token.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'Q' } else { b'A' };
            assert_eq!(key.verify(&String::from_utf8(other).unwrap()), None, "at {at}");
            assert_eq!(key.verify(&token[..at]), None, "up to {at}");
        }
        for wrong in ["", ".", "..", "é.é", &format!("{token}A"), &"x".repeat(10_000)] {
            assert_eq!(key.verify(wrong), None);
        }
    }

    #[test]
    fn the_key_does_not_print_itself() {
        assert_eq!(format!("{:?}", TokenKey::new(&[1; 32])), "TokenKey(..)");
    }
}
