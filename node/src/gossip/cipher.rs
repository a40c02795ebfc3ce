//! Seals gossip's datagrams with the cluster key: XChaCha20-Poly1305 with a random
//! nonce, bound to the cluster's id. What does not open is nobody's.

use crate::env::Env;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hangraft_cluster_config::ClusterKey;
use std::sync::Arc;

/// The format of a sealed datagram, its first byte.
const FORMAT: u8 = 1;
const NONCE_BYTES: usize = 24;

pub(super) struct Cipher {
    aead: XChaCha20Poly1305,
    cluster: Vec<u8>,
    env: Arc<dyn Env>,
}

impl Cipher {
    pub(super) fn new(cluster: &str, key: &ClusterKey, env: Arc<dyn Env>) -> Self {
        let aead = XChaCha20Poly1305::new(&key.gossip_key().into());
        Cipher { aead, cluster: cluster.as_bytes().to_vec(), env }
    }

    /// format, nonce, ciphertext with its tag.
    pub(super) fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        for part in nonce.chunks_exact_mut(8) {
            part.copy_from_slice(&self.env.entropy().to_be_bytes());
        }
        let payload = Payload { msg: plain, aad: &self.cluster };
        let sealed = self
            .aead
            .encrypt(&XNonce::from(nonce), payload)
            .expect("only a message of many gigabytes is too long");
        let mut datagram = vec![FORMAT];
        datagram.extend_from_slice(&nonce);
        datagram.extend_from_slice(&sealed);
        datagram
    }

    /// What was sealed with the same key for the same cluster.
    pub(super) fn open(&self, datagram: &[u8]) -> Option<Vec<u8>> {
        let (format, rest) = datagram.split_first()?;
        if *format != FORMAT {
            return None;
        }
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: &self.cluster };
        self.aead.decrypt(&XNonce::from(*nonce), payload).ok()
    }
}
