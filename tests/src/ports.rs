//! Ports for a cluster: a block that nobody uses, and that no other test takes.
//!
//! Commands take port numbers, so a demo cannot be given port 0. A block is taken
//! with a locked file, which holds across test processes and ends with them.

use std::{
    env,
    fs::{self, File},
    net::{Ipv4Addr, TcpListener, UdpSocket},
    sync::atomic::{AtomicU16, Ordering},
};

/// Ports in a block: frontends from the first one, then a demo's nodes, then nodes
/// that come later.
const BLOCK: u16 = 40;
const NODES: u16 = 8;
const NEWCOMERS: u16 = NODES + 7;

/// Where blocks lie: below the range from which systems give ports to whoever
/// asks for any.
const FIRST: u16 = 20_000;
const BLOCKS: u16 = 250;

/// A block of ports, ours until dropped.
#[derive(Debug)]
pub(crate) struct Ports {
    first: u16,
    newcomer: AtomicU16,
    _lock: File,
}

impl Ports {
    /// Takes a free block.
    pub(crate) fn take() -> Self {
        let start = rand::random_range(0..BLOCKS);
        (0..BLOCKS)
            .map(|i| FIRST + (start + i) % BLOCKS * BLOCK)
            .find_map(Self::try_take)
            .expect("of all blocks of ports, one is free")
    }

    /// The first frontend's port.
    pub(crate) fn frontends(&self) -> u16 {
        self.first
    }

    /// The first node's port.
    pub(crate) fn nodes(&self) -> u16 {
        self.first + NODES
    }

    /// A port for a node that comes later; never the same again.
    ///
    /// # Panics
    /// When too many have come.
    pub(crate) fn newcomer(&self) -> u16 {
        let port = self.newcomer.fetch_add(1, Ordering::Relaxed);
        assert!(port < self.first + BLOCK, "a block of ports is for {BLOCK} processes");
        port
    }

    fn try_take(first: u16) -> Option<Self> {
        let dir = env::temp_dir().join("hangraft-tests");
        fs::create_dir_all(&dir).expect("a folder for locks");
        let lock = File::create(dir.join(format!("ports-{first}.lock"))).expect("a file to lock");
        lock.try_lock().ok()?;
        let free = |port| {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
                && UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
        };
        let newcomer = AtomicU16::new(first + NEWCOMERS);
        (first..first + BLOCK).all(free).then_some(Self { first, newcomer, _lock: lock })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tests_never_share_a_block() {
        let blocks: Vec<_> = (0..8).map(|_| Ports::take()).collect();
        for (i, block) in blocks.iter().enumerate() {
            assert!(blocks[..i].iter().all(|other| other.first != block.first));
            assert!(Ports::try_take(block.first).is_none());
        }
    }
}
