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

/// The length of a cluster key, in bytes.
pub const KEY_BYTES: usize = 32;

// The purposes. Changing one of these words locks old machines and tokens out.
const GOSSIP: &str = "hangraft v1 gossip datagrams";
const WIRE: &str = "hangraft v1 replica envelopes";
const ACCESS: &str = "hangraft v1 frontend access";
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

    /// Makes a new key in a new file that only its owner may read. A file that
    /// is there already is left alone: its key may be the only copy.
    pub fn create(path: &Path) -> Result<Self, KeyError> {
        let key = Self::generate()?;
        key.write(path).map_err(|source| KeyError::Create { path: path.into(), source })?;
        Ok(key)
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

    /// What a frontend shows a node to be let in: plain ASCII, fit for a header.
    pub fn access_token(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(blake3::derive_key(ACCESS, &self.0))
    }

    /// Signs guests' tokens, so that every frontend accepts those of the others.
    pub fn guest_token_key(&self) -> [u8; KEY_BYTES] {
        blake3::derive_key(GUEST, &self.0)
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

impl fmt::Debug for ClusterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClusterKey(..)")
    }
}
