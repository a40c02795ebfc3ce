//! What surrounds a node, with the fault plane before it.

use super::datagrams::FaultyDatagrams;
use super::disk::{FaultyFiles, FaultyLog};
use super::link::{End, Lane};
use super::plane::Faults;
use super::stream::FaultyStream;
use super::what::Way;
use crate::env::{Connection, Datagrams, Env, Listener, Network};
use crate::storage::Storage;
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// See [`super::around`].
pub(super) struct Faulty {
    pub(super) env: Arc<dyn Env>,
    pub(super) faults: Faults,
}

#[async_trait]
impl Network for Faulty {
    async fn listen(&self, address: SocketAddr) -> io::Result<Box<dyn Listener>> {
        let inner = self.env.listen(address).await?;
        Ok(Box::new(FaultyListener { inner, faults: self.faults.clone() }))
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<Connection> {
        let end = End::Called(address);
        // A greeting goes there and one comes back.
        for way in [Way::Out, Way::In] {
            let mut lane = Lane::new(self.faults.clone(), end, way);
            if !lane.is_clear() {
                lane.push(bytes::Bytes::new());
                poll_fn(|context| lane.poll_next(context)).await;
            }
        }
        let connection = self.env.connect(address).await?;
        Ok(Connection::new(FaultyStream::new(connection, &self.faults, end)))
    }
}

#[async_trait]
impl Env for Faulty {
    async fn datagrams(&self, address: SocketAddr) -> io::Result<Arc<dyn Datagrams>> {
        let inner = self.env.datagrams(address).await?;
        let (underway, busy) = (Arc::default(), Default::default());
        Ok(Arc::new(FaultyDatagrams { inner, faults: self.faults.clone(), underway, busy }))
    }

    fn unix_ms(&self) -> u64 {
        self.env.unix_ms().saturating_add_signed(self.faults.skew_ms())
    }

    fn running_ms(&self) -> u64 {
        self.env.running_ms()
    }

    fn entropy(&self) -> u64 {
        self.env.entropy()
    }

    async fn storage(&self) -> io::Result<Storage> {
        let Storage { archive, files, log } = self.env.storage().await?;
        let files = Arc::new(FaultyFiles { files, faults: self.faults.clone() });
        Ok(Storage { archive, files, log: Arc::new(FaultyLog::new(log, self.faults.clone())) })
    }

    fn spawn_consensus(&self, work: BoxFuture<'static, ()>) {
        self.env.spawn_consensus(work);
    }
}

struct FaultyListener {
    inner: Box<dyn Listener>,
    faults: Faults,
}

#[async_trait]
impl Listener for FaultyListener {
    async fn accept(&mut self) -> io::Result<(Connection, SocketAddr)> {
        let (connection, from) = self.inner.accept().await?;
        let stream = FaultyStream::new(connection, &self.faults, End::Caller(from));
        Ok((Connection::new(stream), from))
    }

    fn address(&self) -> SocketAddr {
        self.inner.address()
    }
}
