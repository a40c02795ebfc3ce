//! Guests' tokens: who someone is, signed, so that every frontend believes it.
//!
//! A token is `payload.signature`, both base64url without padding. The payload is
//! a small JSON object; the signature is HMAC-SHA-256 with a key derived from the
//! cluster's key, so frontends need not ask anybody and nobody else can make one.
//!
//! A token is good for more than a year after it was made, for a child's tablet that comes
//! back after the summer should be the same player; and whoever uses it gets a newer one
//! after a day. One that was copied and lost sight of has an end.

use std::{fmt, sync::Arc};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hangraft_ids::PlayerId;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// A token older than this, in seconds, is refused: 400 days, as long as browsers keep
/// anything (RFC 6265bis, section 5.5).
const GOOD_FOR: u64 = 400 * DAY;
/// A token older than this, in seconds, is replaced when it is used.
const RENEWED_AFTER: u64 = DAY;
const DAY: u64 = 24 * 60 * 60;
/// The longest token looked at, in bytes; a longer one is no token of ours.
const TOKEN_BYTES_MAX: usize = 1_024;

/// Who a token says its bearer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Guest {
    pub(crate) player: PlayerId,
    pub(crate) name: Arc<str>,
}

/// Who has shown a good token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bearer {
    pub(crate) guest: Guest,
    /// When the token was made, in seconds since 1970.
    issued: u64,
}

impl Bearer {
    /// Whether the token can go on saying who this is, at this time (seconds since 1970).
    pub(crate) fn is_good_for(&self, guest: &Guest, now: u64) -> bool {
        self.guest == *guest && now.saturating_sub(self.issued) < RENEWED_AFTER
    }
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

    /// Who the bearer is, if the token is one of ours and not too old. `now` is in seconds
    /// since 1970. A clock that is behind the one that made the token refuses nobody.
    pub(crate) fn verify(&self, token: &str, now: u64) -> Option<Bearer> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let (payload, signature) = token.split_once('.')?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        // In constant time: how much of a forgery is right must not show.
        self.mac(payload).verify_slice(&signature).ok()?;
        let json = BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?;
        let payload: Payload = serde_json::from_slice(&json).ok()?;
        let Payload { player, name, issued } = payload;
        let player = player.parse().ok().filter(|player: &PlayerId| !player.is_reserved())?;
        let guest = Guest { player, name: name.into() };
        (now.saturating_sub(issued) <= GOOD_FOR).then_some(Bearer { guest, issued })
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

    const NOW: u64 = 1_700_000_000;

    fn guest() -> Guest {
        Guest { player: PlayerId(7), name: "Zoë".into() }
    }

    fn bearer(issued: u64) -> Bearer {
        Bearer { guest: guest(), issued }
    }

    /// A token made by one frontend is believed by another with the same key.
    #[test]
    fn a_token_travels_between_frontends() {
        let token = TokenKey::new(&[1; 32]).sign(&guest(), NOW);
        assert_eq!(TokenKey::new(&[1; 32]).verify(&token, NOW), Some(bearer(NOW)));
        assert_eq!(TokenKey::new(&[2; 32]).verify(&token, NOW), None);
    }

    /// Tokens live in browsers for months: this one must stay good.
    #[test]
    fn an_old_token_stays_good() {
        let old = concat!(
            "eyJwbGF5ZXIiOiJwMDAwMDAwMDAwMDAwMDAwNyIsIm5hbWUiOiJab8OrIiwiaXNzdWVkIjox",
            "NzAwMDAwMDAwfQ",
        );
        let key = TokenKey::new(&[1; 32]);
        let token = key.sign(&guest(), NOW);
        assert!(token.starts_with(old), "{token}");
        assert_eq!(key.verify(&token, NOW), Some(bearer(NOW)));
    }

    /// A token has an end, and neither a clock that is behind nor one that is far ahead
    /// of everything is a reason to panic.
    #[test]
    fn a_token_has_an_end() {
        let key = TokenKey::new(&[1; 32]);
        let token = key.sign(&guest(), NOW);
        assert!(key.verify(&token, NOW + GOOD_FOR).is_some());
        assert_eq!(key.verify(&token, NOW + GOOD_FOR + 1), None);
        assert_eq!(key.verify(&token, u64::MAX), None);
        assert!(key.verify(&token, 0).is_some());
    }

    /// Nobody is a bot, whoever has made the token.
    #[test]
    fn a_token_of_a_reserved_id_is_none() {
        let key = TokenKey::new(&[1; 32]);
        for (player, good) in [(0, false), (1, true), (u64::MAX - 256, true), (u64::MAX, false)] {
            let token = key.sign(&Guest { player: PlayerId(player), ..guest() }, NOW);
            assert_eq!(key.verify(&token, NOW).is_some(), good, "{player:x}");
        }
    }

    /// No single changed, added or missing character goes unnoticed.
    #[test]
    fn a_token_cannot_be_touched() {
        let key = TokenKey::new(&[1; 32]);
        let token = key.sign(&guest(), NOW);
        for at in 0..token.len() {
            let mut other = token.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'Q' } else { b'A' };
            assert_eq!(key.verify(&String::from_utf8(other).unwrap(), NOW), None, "at {at}");
            assert_eq!(key.verify(&token[..at], NOW), None, "up to {at}");
        }
        for wrong in ["", ".", "..", "é.é", &format!("{token}A"), &"x".repeat(10_000)] {
            assert_eq!(key.verify(wrong, NOW), None);
        }
    }

    #[test]
    fn the_key_does_not_print_itself() {
        assert_eq!(format!("{:?}", TokenKey::new(&[1; 32])), "TokenKey(..)");
    }
}
