//! What surrounds a node in the world: the simulated side of the seam.

use super::World;
use super::disk::Disk;
use super::net::MachineNetwork;
use crate::clock::{self, MILLI};
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use hangraft_node::env::{Connection, Datagrams, Env, Listener, Network};
use hangraft_node::storage::Storage;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The surroundings of one life of a node.
pub(crate) struct SimEnv {
    pub(crate) world: World,
    pub(crate) network: MachineNetwork,
    pub(crate) disk: Disk,
}

#[async_trait]
impl Network for SimEnv {
    async fn listen(&self, address: SocketAddr) -> io::Result<Box<dyn Listener>> {
        self.network.listen(address).await
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<Connection> {
        self.network.connect(address).await
    }
}

#[async_trait]
impl Env for SimEnv {
    async fn datagrams(&self, address: SocketAddr) -> io::Result<Arc<dyn Datagrams>> {
        Ok(self.network.datagrams(address))
    }

    fn unix_ms(&self) -> u64 {
        // The process's clock is the machine's while the machine runs.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn running_ms(&self) -> u64 {
        clock::monotonic() / MILLI
    }

    fn entropy(&self) -> u64 {
        self.world.bits()
    }

    async fn storage(&self) -> io::Result<Storage> {
        self.disk.open()
    }

    fn spawn_consensus(&self, work: BoxFuture<'static, ()>) {
        // While a machine is switched off, what ends has nothing more to start.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(work);
        }
    }
}
