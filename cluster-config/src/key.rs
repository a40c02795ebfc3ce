//! The secret that makes a machine part of the cluster.
//!
//! One random key in one file, copied to every node and every frontend. It is
//! never used as it is: each purpose has a key of its own, derived from it, so
//! that what is learned of one says nothing about the others.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::private;

/// The key's file in the folder of a demo, or of a node that has its key there.
const IN_FOLDER: &str = "cluster.key";

/// The length of a cluster key, in bytes.
pub const KEY_BYTES: usize = 32;

// The purposes. Changing one of these words locks old machines and tokens out.
const GOSSIP: &str = "hangraft v1 gossip datagrams";
const WIRE: &str = "hangraft v1 replica envelopes";
const ACCESS: &str = "hangraft v1 frontend access";
const OPERATOR: &str = "hangraft v1 operator access";
const PEER: &str = "hangraft v1 peer access";
const GUEST: &str = "hangraft v1 guest tokens";

/// The key that all nodes and frontends of a cluster share. Prints nothing of itself.
#[derive(Clone, PartialEq, Eq)]
pub struct ClusterKey([u8; KEY_BYTES]);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is no such file.
    #[error(
        "there is no cluster key at {path}; copy it from another machine of the cluster, or make the first with `(umask 077; head -c 32 /dev/urandom | base64 > {path})`",
        path = path.display()
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read the cluster key {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} is no cluster key: it must hold {KEY_BYTES} bytes as base64 on one line", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written, or is there already.
    #[error("cannot write a new cluster key to {}", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes for a cluster key: {0}")]
    Entropy(getrandom::Error),
}

impl ClusterKey {
    /// The file with the key in the folder of a demo or a node.
    pub fn in_folder(dir: &Path) -> PathBuf {
        dir.join(IN_FOLDER)
    }

    /// Makes a new random key.
    pub fn generate() -> Result<Self, KeyError> {
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes).map_err(KeyError::Entropy)?;
        Ok(Self(bytes))
    }

    /// Reads a key.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let text = fs::read_to_string(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => KeyError::Missing { path: path.into() },
            io::ErrorKind::InvalidData => KeyError::Malformed { path: path.into() },
            _ => KeyError::Read { path: path.into(), source },
        })?;
        Self::parse(&text).ok_or_else(|| KeyError::Malformed { path: path.into() })
    }

    /// Whether everybody on this machine may read a key's file. Some ways to hand out
    /// secrets do that where nobody else is, so it is worth a warning and no more.
    pub fn is_open_to_all(path: &Path) -> bool {
        private::is_open_to_all(path)
    }

    /// Makes a new key in a new file that only its owner may read. A file that
    /// is there already is left alone: its key may be the only copy.
    pub fn create(path: &Path) -> Result<Self, KeyError> {
        let key = Self::generate()?;
        key.save(path)?;
        Ok(key)
    }

    /// Writes the key to a new file that only its owner may read.
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        self.write(path).map_err(|source| KeyError::Create { path: path.into(), source })
    }

    /// A key made of these bytes, for tests and simulations that must repeat.
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// Encrypts and authenticates gossip datagrams.
    pub fn gossip_key(&self) -> [u8; KEY_BYTES] {
        blake3::derive_key(GOSSIP, &self.0)
    }

    /// Authenticates what replicas say to each other.
    pub fn wire_key(&self) -> [u8; KEY_BYTES] {
        blake3::derive_key(WIRE, &self.0)
    }

    /// What a frontend shows a node to be let in: plain ASCII, fit for a header. It
    /// opens what players do, and nothing else.
    pub fn access_token(&self) -> String {
        token(ACCESS, &self.0)
    }

    /// What an operator shows a node. Frontends and nodes never send it, so whoever
    /// takes the place of one of them does not learn it.
    pub fn operator_token(&self) -> String {
        token(OPERATOR, &self.0)
    }

    /// What nodes show each other beside their seals, so that a message is not read
    /// before it is known that its sender belongs to the cluster.
    pub fn peer_token(&self) -> String {
        token(PEER, &self.0)
    }

    /// Signs guests' tokens, so that every frontend accepts those of the others.
    pub fn guest_token_key(&self) -> [u8; KEY_BYTES] {
        blake3::derive_key(GUEST, &self.0)
    }

    /// The key for a purpose that another file of this crate knows.
    pub(crate) fn derived(&self, purpose: &str) -> [u8; KEY_BYTES] {
        blake3::derive_key(purpose, &self.0)
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_STANDARD.decode(text.trim()).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        writeln!(file, "{}", BASE64_STANDARD.encode(self.0))?;
        file.sync_all()
    }
}

fn token(purpose: &str, key: &[u8; KEY_BYTES]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(blake3::derive_key(purpose, key))
}

impl fmt::Debug for ClusterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClusterKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tempfile::TempDir;

    use super::*;

    /// A key comes back from its file, which is its owner's alone.
    #[test]
    fn a_key_outlives_the_process_that_made_it() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("cluster.key");
        let key = ClusterKey::create(&path).unwrap();
        assert_eq!(key, ClusterKey::load(&path).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    /// Two clusters never share a key by accident, and a key is never overwritten.
    #[test]
    fn a_key_is_made_once() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("cluster.key");
        let key = ClusterKey::create(&path).unwrap();
        assert!(matches!(ClusterKey::create(&path), Err(KeyError::Create { .. })));
        assert_eq!(key, ClusterKey::load(&path).unwrap());
        assert_ne!(key, ClusterKey::generate().unwrap());
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_repeated() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("cluster.key");
        assert!(matches!(ClusterKey::load(&path), Err(KeyError::Missing { .. })));
        for text in [&b""[..], b"c2VjcmV0", b"not base64 at all", b"\xff\xfe", &[b'A'; 45]] {
            fs::write(&path, text).unwrap();
            let err = ClusterKey::load(&path).unwrap_err();
            assert!(matches!(err, KeyError::Malformed { .. }), "{err}");
            assert!(!err.to_string().contains("c2VjcmV0"));
        }
    }

    /// Each purpose has a key of its own, and they stay what they are: old
    /// tokens and machines of older versions depend on it.
    #[test]
    fn the_derived_keys_differ_and_stay() {
        let key = ClusterKey::from_bytes([7; KEY_BYTES]);
        let derived = [key.gossip_key(), key.wire_key(), key.guest_token_key()];
        assert_eq!(
            derived.map(|key| BASE64_URL_SAFE_NO_PAD.encode(key)),
            [
                "j99uIb1rMJCYfRmigOOks_t8yIvLX7V_Ave0CYgQ__c",
                "29HrRxHafVZby6iR1m3bX3i763IdkBpHUWLDmydQC0M",
                "ICHwLsm6QTvDnbngKf2FpjIuDPc2xX1_RCYhLzuv2T8"
            ]
        );
        assert_eq!(key.access_token(), "LNJiJ5EhgApiIQ3gNf9269c34kJZn9TteGyk1Dl9qKk");
        assert_eq!(key.operator_token(), "AwZhts4HiwXc4yuCs6r4iV-f1EAsTuMwdYsgnXHdmXk");
        assert_eq!(key.peer_token(), "9bRiRMAydAJTYWi5yRQv5hzFsbcePway4dUBVXV287U");
    }

    #[test]
    fn a_key_does_not_print_itself() {
        assert_eq!(format!("{:?}", ClusterKey::from_bytes([7; KEY_BYTES])), "ClusterKey(..)");
    }
}
