//! Ports for a demo: a block that nobody uses, and that no other test takes.
//!
//! Commands take port numbers, so a demo cannot be given port 0. A block is taken
//! with a locked file, which holds across test processes and ends with them.

use std::{
    env,
    fs::{self, File},
    net::{Ipv4Addr, TcpListener, UdpSocket},
};

/// Ports in a block: frontends from the first one, nodes from the middle.
const BLOCK: u16 = 20;
const HALF: u16 = BLOCK / 2;

/// Where blocks lie: below the range from which systems give ports to whoever
/// asks for any.
const FIRST: u16 = 20_000;
const BLOCKS: u16 = 500;

/// A block of ports, ours until dropped.
#[derive(Debug)]
pub(crate) struct Ports {
    first: u16,
    _lock: File,
}

impl Ports {
    /// Takes a free block.
    pub(crate) fn take() -> Self {
        let start = rand::random_range(0..BLOCKS);
        (0..BLOCKS)
            .map(|i| FIRST + (start + i) % BLOCKS * BLOCK)
            .find_map(Self::try_take)
            .expect("of five hundred blocks of ports, one is free")
    }

    /// The first frontend's port.
    pub(crate) fn frontends(&self) -> u16 {
        self.first
    }

    /// The first node's port.
    pub(crate) fn nodes(&self) -> u16 {
        self.first + HALF
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
        (first..first + BLOCK).all(free).then_some(Self { first, _lock: lock })
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
