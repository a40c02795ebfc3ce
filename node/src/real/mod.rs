//! The real surroundings: the system's sockets, clock, entropy and disk, and a
//! runtime of its own for consensus.

mod blocks;
#[cfg(test)]
mod contract;
mod log_folder;
mod places;
mod raft_log;
mod segment_log;
mod sled;
mod sync;

use self::places::{STATE, TEMPORARY};
use self::sled::SledArchive;
use crate::env::{Connection, Datagrams, Env, Listener, Network};
use crate::storage::{FileReader, FileWriter, Files, Storage};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use hangraft_cluster_config::{LogKind, NodeConfig, private};
use hangraft_proto::net::Tcp;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::net::UdpSocket;
use tokio::runtime::Runtime;
use tokio::task::spawn_blocking;

/// What surrounds a node in production.
pub struct RealEnv {
    data_dir: PathBuf,
    log: LogKind,
    realtime: bool,
    begun: Instant,
    /// `None` once the runtime is being shut down.
    consensus: Option<Runtime>,
}

impl RealEnv {
    /// For a node with this configuration.
    ///
    /// # Errors
    /// When no threads can be started.
    pub fn new(config: &NodeConfig) -> io::Result<Arc<Self>> {
        let consensus = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("consensus")
            .enable_all()
            .build()?;
        Ok(Arc::new(RealEnv {
            data_dir: config.data_dir.clone(),
            log: config.log,
            realtime: config.realtime,
            begun: Instant::now(),
            consensus: Some(consensus),
        }))
    }
}

impl RealEnv {
    /// Whether a node's data folder says who the node is.
    pub fn holds_a_node(config: &NodeConfig) -> bool {
        config.data_dir.join(STATE).join(crate::identity::FILE).exists()
    }

    /// Why the id that a node's data folder holds is spent; `None` when it is not, or when
    /// the folder does not say who the node is.
    pub fn why_spent(data_dir: &Path) -> Option<String> {
        let text = std::fs::read(data_dir.join(STATE).join(crate::identity::FILE)).ok()?;
        crate::identity::why_spent(&text)
    }
}

impl Drop for RealEnv {
    fn drop(&mut self) {
        // Waiting here would block whoever drops the node.
        if let Some(consensus) = self.consensus.take() {
            consensus.shutdown_background();
        }
    }
}

#[async_trait]
impl Network for RealEnv {
    async fn listen(&self, address: SocketAddr) -> io::Result<Box<dyn Listener>> {
        Tcp.listen(address).await
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<Connection> {
        Tcp.connect(address).await
    }
}

#[async_trait]
impl Env for RealEnv {
    async fn datagrams(&self, address: SocketAddr) -> io::Result<Arc<dyn Datagrams>> {
        Ok(Arc::new(RealDatagrams(UdpSocket::bind(address).await?)))
    }

    fn unix_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn running_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn entropy(&self) -> u64 {
        getrandom::u64().expect("the system gives entropy once it has booted")
    }

    async fn storage(&self) -> io::Result<Storage> {
        let (dir, kind, realtime) = (self.data_dir.clone(), self.log, self.realtime);
        blocking(move || {
            // Log, snapshots and archive hold hidden words.
            private::make_folder(&dir)?;
            Ok(Storage {
                log: log_folder::open(&dir, kind, realtime)?,
                archive: Arc::new(SledArchive::open(&dir.join("archive"))?),
                files: Arc::new(RealFiles::open(&dir.join(STATE))?),
            })
        })
        .await
    }

    fn spawn_consensus(&self, work: BoxFuture<'static, ()>) {
        if let Some(consensus) = &self.consensus {
            consensus.spawn(work);
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}

struct RealDatagrams(UdpSocket);

#[async_trait]
impl Datagrams for RealDatagrams {
    async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        self.0.send_to(bytes, to).await.map(|_| ())
    }

    async fn receive_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.recv_from(buffer).await
    }
}

/// A folder on disk. Files in the making end in `.tmp`.
struct RealFiles(PathBuf);

impl RealFiles {
    fn open(dir: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        // What a crash left half-made.
        for entry in std::fs::read_dir(dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == TEMPORARY) {
                std::fs::remove_file(path)?;
            }
        }
        Ok(RealFiles(dir.to_owned()))
    }
}

#[async_trait]
impl Files for RealFiles {
    async fn list(&self) -> io::Result<Vec<String>> {
        let dir = self.0.clone();
        blocking(move || {
            let mut names = Vec::new();
            for entry in std::fs::read_dir(dir)? {
                let name = entry?.file_name().to_string_lossy().into_owned();
                if !name.ends_with(TEMPORARY) {
                    names.push(name);
                }
            }
            Ok(names)
        })
        .await
    }

    async fn create(&self, name: &str) -> io::Result<Box<dyn FileWriter>> {
        let path = self.0.join(name);
        let nonce = getrandom::u32().map_err(io::Error::other)?;
        let temporary = self.0.join(format!("{name}.{nonce:08x}.{TEMPORARY}"));
        blocking(move || {
            let file = File::create_new(&temporary)?;
            let writer = RealWriter { file: Some(file), temporary, path };
            Ok(Box::new(writer) as Box<dyn FileWriter>)
        })
        .await
    }

    async fn open(&self, name: &str) -> io::Result<Box<dyn FileReader>> {
        let path = self.0.join(name);
        let file = blocking(move || File::open(path)).await?;
        Ok(Box::new(RealReader(Arc::new(file))))
    }

    async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (dir, from, to) = (self.0.clone(), self.0.join(from), self.0.join(to));
        blocking(move || {
            std::fs::rename(from, to)?;
            File::open(dir)?.sync_all()
        })
        .await
    }

    async fn remove(&self, name: &str) -> io::Result<()> {
        let path = self.0.join(name);
        blocking(move || std::fs::remove_file(path)).await
    }
}

struct RealWriter {
    /// `None` while a write is on its way.
    file: Option<File>,
    temporary: PathBuf,
    path: PathBuf,
}

#[async_trait]
impl FileWriter for RealWriter {
    async fn append(&mut self, bytes: Bytes) -> io::Result<()> {
        let Some(mut file) = self.file.take() else {
            return Err(io::Error::other("an earlier write was given up"));
        };
        self.file = Some(
            blocking(move || {
                file.write_all(&bytes)?;
                Ok(file)
            })
            .await?,
        );
        Ok(())
    }

    async fn commit(mut self: Box<Self>) -> io::Result<()> {
        let Some(file) = self.file.take() else {
            return Err(io::Error::other("an earlier write was given up"));
        };
        let (temporary, path) = (self.temporary.clone(), self.path.clone());
        blocking(move || {
            file.sync_all()?;
            std::fs::rename(&temporary, &path)?;
            let dir = path.parent().ok_or_else(|| io::Error::other("a file without a folder"))?;
            File::open(dir)?.sync_all()
        })
        .await
    }
}

impl Drop for RealWriter {
    fn drop(&mut self) {
        // Gone already after a commit. If it stays, the next start removes it.
        _ = std::fs::remove_file(&self.temporary);
    }
}

struct RealReader(Arc<File>);

#[async_trait]
impl FileReader for RealReader {
    async fn read(&mut self, bytes_max: usize) -> io::Result<Bytes> {
        let file = self.0.clone();
        blocking(move || {
            let mut bytes = Vec::new();
            file.as_ref().take(bytes_max as u64).read_to_end(&mut bytes)?;
            Ok(bytes.into())
        })
        .await
    }
}
