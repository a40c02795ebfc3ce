//! Snapshot files: the lobby at one log index, whole and checked, or not there.
//!
//! A file is a head (magic, format, openraft's meta, the charter), the lobby's chunks, and
//! a CRC-32 of all before it. The same bytes travel to a replica that is far
//! behind. A file gets its name only when it is complete and durable, so a crash
//! leaves either the snapshot before or the one after.

use super::types::{SnapshotMeta, corrupt, decode, encode};
use crate::env::{FileReader, FileWriter, Files};
use crate::membership::charter::{Charter, unknown_of};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use hangraft_game::{Frozen, Lobby, Restore};
use std::io;
use std::sync::Arc;

/// What a snapshot holds: all that replicas agree on at its index, but the membership,
/// which openraft's meta holds.
pub(crate) struct Held {
    pub(crate) lobby: Lobby,
    pub(crate) charter: Charter,
}

/// Why a snapshot's bytes cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// They are not what was written.
    Damaged(String),
    /// A newer build wrote them.
    Newer(String),
}

impl From<Unusable> for io::Error {
    fn from(unusable: Unusable) -> Self {
        let (Unusable::Damaged(why) | Unusable::Newer(why)) = unusable;
        corrupt(why)
    }
}

/// A complete snapshot file.
#[derive(Clone)]
pub(crate) struct SnapshotFile {
    /// Its name in the node's files.
    pub(crate) name: String,
    files: Arc<dyn Files>,
}

impl std::fmt::Debug for SnapshotFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SnapshotFile").field(&self.name).finish()
    }
}

const MAGIC: &[u8; 8] = b"hangraft";
/// The form of a head without an epoch, and of one with it. The older one is written
/// wherever it will do, for replicas that do not know the newer yet.
const FORMAT: u8 = 2;
const FORMAT_WITH_EPOCH: u8 = 3;
const SUFFIX: &str = ".snapshot";

/// What comes in has this suffix until it is installed: a crash in between leaves
/// the snapshot before.
const INCOMING: &str = ".incoming";

/// Bytes read at a time.
pub(crate) const CHUNK_BYTES: usize = 256 << 10;

/// A head larger than this is damage, not a membership.
const META_BYTES_MAX: usize = 1 << 20;

/// The name tells the index, so that names sort by age.
fn name_of(meta: &SnapshotMeta) -> String {
    let (term, index) =
        meta.last_log_id.map_or((0, 0), |id| (id.committed_leader_id().term, id.index));
    format!("{index:020}-{term}{SUFFIX}")
}

/// Writes a frozen lobby as a durable snapshot, giving way to other work between chunks.
pub(crate) async fn write(
    files: &Arc<dyn Files>,
    meta: &SnapshotMeta,
    charter: &Charter,
    frozen: &Frozen,
) -> io::Result<SnapshotFile> {
    let name = name_of(meta);
    let mut writer = files.create(&name).await?;
    let mut bytes = 0;
    for chunk in bytes_of(meta, charter, frozen) {
        bytes += chunk.len();
        writer.append(chunk).await?;
        tokio::task::yield_now().await;
    }
    writer.commit().await?;
    show_size(bytes);
    Ok(SnapshotFile { name, files: files.clone() })
}

fn show_size(bytes: usize) {
    metrics::gauge!("hangraft_snapshot_bytes").set(bytes as f64);
}

/// A snapshot file's bytes, made a chunk at a time.
pub(crate) fn bytes_of(
    meta: &SnapshotMeta,
    charter: &Charter,
    frozen: &Frozen,
) -> impl Iterator<Item = Bytes> + Send + use<> {
    let mut crc = Some(crc32fast::Hasher::new());
    let mut body = std::iter::once(head(meta, charter)).chain(frozen.chunks().map(Bytes::from));
    std::iter::from_fn(move || match body.next() {
        Some(chunk) => {
            crc.as_mut()?.update(&chunk);
            Some(chunk)
        }
        None => Some(Bytes::copy_from_slice(&crc.take()?.finalize().to_be_bytes())),
    })
}

fn head(meta: &SnapshotMeta, charter: &Charter) -> Bytes {
    let (format, meta) = match charter.epoch() {
        0 => (FORMAT, encode(&(meta, charter))),
        epoch => (FORMAT_WITH_EPOCH, encode(&(meta, charter, epoch))),
    };
    let mut head = BytesMut::new();
    head.put_slice(MAGIC);
    head.put_u8(format);
    head.put_u32(u32::try_from(meta.len()).expect("a membership is small"));
    head.put_slice(&meta);
    head.freeze()
}

/// Removes what came in and was never installed.
pub(crate) async fn remove_incoming(files: &Arc<dyn Files>) -> io::Result<()> {
    for name in files.list().await? {
        if name.ends_with(INCOMING) {
            files.remove(&name).await?;
        }
    }
    Ok(())
}

/// The newest snapshot there is, with its lobby; `None` when there is none.
///
/// # Errors
/// When the newest file is damaged: the log before it may be gone, so going on
/// with less would be guessing.
pub(crate) async fn newest(
    files: &Arc<dyn Files>,
) -> io::Result<Option<(SnapshotMeta, SnapshotFile, Held)>> {
    let mut names = files.list().await?;
    names.retain(|name| name.ends_with(SUFFIX));
    let Some(name) = names.into_iter().max() else { return Ok(None) };
    let file = SnapshotFile { name, files: files.clone() };
    let (meta, held) = file.load().await?;
    Ok(Some((meta, file, held)))
}

/// Removes all snapshots but this one.
pub(crate) async fn remove_others(file: &SnapshotFile) -> io::Result<()> {
    for name in file.files.list().await? {
        if name.ends_with(SUFFIX) && name < file.name {
            match file.files.remove(&name).await {
                // A checkpoint and an installed snapshot may tidy up at once.
                Err(err) if err.kind() == io::ErrorKind::NotFound => {}
                removed => removed?,
            }
        }
    }
    Ok(())
}

impl SnapshotFile {
    /// The whole file, from the front.
    pub(crate) async fn reader(&self) -> io::Result<Box<dyn FileReader>> {
        self.files.open(&self.name).await
    }

    /// A file that came in, as the newest snapshot from now on.
    pub(crate) async fn installed(self) -> io::Result<SnapshotFile> {
        match self.name.strip_suffix(INCOMING) {
            None => Ok(self),
            Some(name) => {
                self.files.rename(&self.name, name).await?;
                Ok(SnapshotFile { name: name.to_owned(), files: self.files.clone() })
            }
        }
    }

    /// Reads and checks everything.
    pub(crate) async fn load(&self) -> io::Result<(SnapshotMeta, Held)> {
        let unusable = |why: Unusable| match why {
            Unusable::Newer(why) => {
                corrupt(format!("cannot read the snapshot {}: {why}", self.name))
            }
            Unusable::Damaged(what) => corrupt(format!(
                "the snapshot {} is damaged: {what}; restore the file from a backup, or replace \
                 this node by one with a new id (a voter that comes back empty under its old id \
                 can lose what it had acknowledged)",
                self.name
            )),
        };
        let mut parser = Parser::default();
        let mut reader = self.reader().await?;
        let mut bytes = 0;
        loop {
            let chunk = reader.read(CHUNK_BYTES).await?;
            if chunk.is_empty() {
                break;
            }
            bytes += chunk.len();
            parser.feed(chunk).map_err(unusable)?;
            tokio::task::yield_now().await;
        }
        let loaded = parser.finish().map_err(unusable)?;
        show_size(bytes);
        Ok(loaded)
    }
}

/// A snapshot coming in from the leader, checked as it arrives.
pub(crate) struct Incoming {
    name: String,
    files: Arc<dyn Files>,
    writer: Box<dyn FileWriter>,
    parser: Parser,
    crc: crc32fast::Hasher,
}

impl Incoming {
    pub(crate) async fn start(files: &Arc<dyn Files>, meta: &SnapshotMeta) -> io::Result<Self> {
        let name = name_of(meta) + INCOMING;
        let writer = files.create(&name).await?;
        let (parser, crc) = (Parser::default(), crc32fast::Hasher::new());
        Ok(Incoming { name, files: files.clone(), writer, parser, crc })
    }

    pub(crate) async fn append(&mut self, chunk: Bytes) -> io::Result<()> {
        self.crc.update(&chunk);
        self.parser.feed(chunk.clone())?;
        self.writer.append(chunk).await
    }

    /// Checks the whole and makes it durable, to be installed.
    pub(crate) async fn finish(self, crc32: u32, meta: &SnapshotMeta) -> io::Result<SnapshotFile> {
        let sent = self.crc.finalize();
        if sent != crc32 {
            return Err(corrupt(format!(
                "the snapshot arrived damaged: {sent:x} is not {crc32:x}"
            )));
        }
        let (inside, _) = self.parser.finish()?;
        if inside != *meta {
            return Err(corrupt("the snapshot is not the one that was announced".into()));
        }
        self.writer.commit().await?;
        Ok(SnapshotFile { name: self.name, files: self.files })
    }
}

/// Takes a snapshot file apart as its bytes come, holding back the last four,
/// which are the checksum once the end is known.
pub(crate) struct Parser {
    crc: crc32fast::Hasher,
    held: BytesMut,
    head: Option<(SnapshotMeta, Charter)>,
    lobby: Restore,
}

impl Default for Parser {
    fn default() -> Self {
        Parser {
            crc: crc32fast::Hasher::new(),
            held: BytesMut::new(),
            head: None,
            lobby: Restore::new(),
        }
    }
}

impl Parser {
    pub(crate) fn feed(&mut self, chunk: Bytes) -> Result<(), Unusable> {
        self.held.put_slice(&chunk);
        if self.head.is_none() {
            self.take_head()?;
        }
        if self.head.is_some() && self.held.len() > 4 {
            let body = self.held.split_to(self.held.len() - 4);
            self.crc.update(&body);
            self.lobby.feed(&body).map_err(|err| Unusable::Damaged(err.to_string()))?;
        }
        Ok(())
    }

    fn take_head(&mut self) -> Result<(), Unusable> {
        let damaged = |why: &str| Unusable::Damaged(why.to_owned());
        const FIXED: usize = MAGIC.len() + 1 + 4;
        if self.held.len() < FIXED {
            return Ok(());
        }
        if &self.held[..MAGIC.len()] != MAGIC {
            return Err(damaged("it is not a snapshot"));
        }
        let format = self.held[MAGIC.len()];
        if !(FORMAT..=FORMAT_WITH_EPOCH).contains(&format) {
            let why = format!("it has format {format}, this version knows {FORMAT_WITH_EPOCH}");
            return Err(if format > FORMAT_WITH_EPOCH {
                Unusable::Newer(why)
            } else {
                Unusable::Damaged(why)
            });
        }
        let length = (&self.held[MAGIC.len() + 1..]).get_u32() as usize;
        if length > META_BYTES_MAX {
            return Err(damaged("its head is too long"));
        }
        if self.held.len() >= FIXED + length {
            let head = self.held.split_to(FIXED + length);
            self.crc.update(&head);
            let body = &head[FIXED..];
            let decoded = if format == FORMAT {
                decode::<(SnapshotMeta, Charter)>(body)
            } else {
                decode::<(SnapshotMeta, Charter, u64)>(body)
                    .map(|(meta, charter, epoch)| (meta, charter.in_epoch(epoch)))
            };
            let (meta, charter) = decoded.map_err(|err| Unusable::Damaged(err.to_string()))?;
            // Said before the rooms are read, which would only look damaged.
            if let Some(feature) = unknown_of(charter.features()) {
                return Err(Unusable::Newer(format!(
                    "it uses {feature:?}, which version {} does not know; run a newer one",
                    crate::VERSION
                )));
            }
            self.head = Some((meta, charter));
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<(SnapshotMeta, Held), Unusable> {
        let damaged = |why: &str| Unusable::Damaged(why.to_owned());
        let Some((meta, charter)) = self.head else { return Err(damaged("it ends early")) };
        let Ok(expected) = <[u8; 4]>::try_from(self.held.as_ref()) else {
            return Err(damaged("it ends early"));
        };
        let crc = self.crc.finalize();
        if crc != u32::from_be_bytes(expected) {
            return Err(damaged("its checksum is wrong"));
        }
        let lobby = self.lobby.finish().map_err(|err| Unusable::Damaged(err.to_string()))?;
        Ok((meta, Held { lobby, charter }))
    }
}
