//! Snapshot files: the lobby at one log index, whole and checked, or not there.
//!
//! A file is a head (magic, format, openraft's meta, the charter), the lobby's chunks, and
//! a CRC-32 of all before it. The same bytes travel to a replica that is far
//! behind. A file gets its name only when it is complete, durable and has been read
//! back, so a crash leaves either the snapshot before or the one after, and what
//! cannot be read never stands in for the log.

use crate::charter::{Charter, unknown_of};
use crate::format::{corrupt, decode, encode};
use crate::raft::types::SnapshotMeta;
use crate::storage::{FileReader, FileWriter, Files};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use hangraft_game::{Frozen, Lobby, Restore};
use std::io;
use std::sync::Arc;

/// What a snapshot holds: all that replicas agree on at its index, but the membership,
/// which openraft's meta holds.
pub(crate) struct SnapshotContents {
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

/// Why there is no new snapshot.
#[derive(Debug)]
pub(crate) enum NotWritten {
    /// The disk does not do what it should.
    Storage(io::Error),
    /// It was written and cannot be read back: it must not replace the log.
    Unreadable(String),
}

impl From<io::Error> for NotWritten {
    fn from(err: io::Error) -> Self {
        NotWritten::Storage(err)
    }
}

impl From<NotWritten> for io::Error {
    fn from(err: NotWritten) -> Self {
        match err {
            NotWritten::Storage(err) => err,
            NotWritten::Unreadable(why) => {
                corrupt(format!("a snapshot cannot be read back: {why}"))
            }
        }
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

/// What was written has this suffix until it has been read back.
const UNREAD: &str = ".unread";

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

/// Writes a frozen lobby as a durable snapshot and reads it back before it gets its
/// name, giving way to other work between chunks. Until it is named it takes the memory
/// of a second lobby.
pub(crate) async fn write(
    files: &Arc<dyn Files>,
    meta: &SnapshotMeta,
    charter: &Charter,
    frozen: &Frozen,
) -> Result<SnapshotFile, NotWritten> {
    let name = name_of(meta);
    let unread = SnapshotFile { name: format!("{name}{UNREAD}"), files: files.clone() };
    let mut writer = files.create(&unread.name).await?;
    let mut bytes = 0;
    for chunk in bytes_of(meta, charter, frozen) {
        bytes += chunk.len();
        writer.append(chunk).await?;
        tokio::task::yield_now().await;
    }
    writer.commit().await?;
    if let Err(why) = unread.read_back(meta, frozen.hash()).await {
        files.remove(&unread.name).await?;
        return Err(NotWritten::Unreadable(why.to_string()));
    }
    files.rename(&unread.name, &name).await?;
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

/// Removes what came in and was never installed, and what was never read back.
pub(crate) async fn remove_incoming(files: &Arc<dyn Files>) -> io::Result<()> {
    for name in files.list().await? {
        if name.ends_with(INCOMING) || name.ends_with(UNREAD) {
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
) -> io::Result<Option<(SnapshotMeta, SnapshotFile, SnapshotContents)>> {
    let mut names = files.list().await?;
    names.retain(|name| name.ends_with(SUFFIX));
    let Some(name) = names.into_iter().max() else { return Ok(None) };
    let file = SnapshotFile { name, files: files.clone() };
    let (meta, held) = file.load().await?;
    Ok(Some((meta, file, held)))
}

/// Whether there is a complete snapshot, whole or not.
pub(crate) async fn any(files: &Arc<dyn Files>) -> io::Result<bool> {
    Ok(files.list().await?.iter().any(|name| name.ends_with(SUFFIX)))
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
    /// No file: for where there has to be one and nobody reads it.
    pub(super) fn none(files: &Arc<dyn Files>) -> SnapshotFile {
        SnapshotFile { name: String::new(), files: files.clone() }
    }

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

    /// Reads everything and checks that it is what was frozen.
    async fn read_back(&self, meta: &SnapshotMeta, hash: u64) -> io::Result<()> {
        let mut parser = Parser::default();
        let mut reader = self.reader().await?;
        loop {
            let chunk = reader.read(CHUNK_BYTES).await?;
            if chunk.is_empty() {
                break;
            }
            parser.feed(chunk)?;
            tokio::task::yield_now().await;
        }
        let (inside, found) = parser.verify()?;
        if inside != *meta || found != hash {
            return Err(corrupt("it is not the one that was written".into()));
        }
        Ok(())
    }

    /// Reads and checks everything.
    pub(crate) async fn load(&self) -> io::Result<(SnapshotMeta, SnapshotContents)> {
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
                    crate::format::VERSION
                )));
            }
            self.head = Some((meta, charter));
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<(SnapshotMeta, SnapshotContents), Unusable> {
        let (meta, charter, lobby) = self.ended()?;
        let lobby = lobby.finish().map_err(|err| Unusable::Damaged(err.to_string()))?;
        Ok((meta, SnapshotContents { lobby, charter }))
    }

    /// As [`Parser::finish`], for what is only looked at: the lobby's hash.
    fn verify(self) -> Result<(SnapshotMeta, u64), Unusable> {
        let (meta, _, lobby) = self.ended()?;
        let hash = lobby.verify().map_err(|err| Unusable::Damaged(err.to_string()))?;
        Ok((meta, hash))
    }

    fn ended(self) -> Result<(SnapshotMeta, Charter, Restore), Unusable> {
        let damaged = |why: &str| Unusable::Damaged(why.to_owned());
        let Some((meta, charter)) = self.head else { return Err(damaged("it ends early")) };
        let Ok(expected) = <[u8; 4]>::try_from(self.held.as_ref()) else {
            return Err(damaged("it ends early"));
        };
        let crc = self.crc.finalize();
        if crc != u32::from_be_bytes(expected) {
            return Err(damaged("its checksum is wrong"));
        }
        Ok((meta, charter, self.lobby))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use hangraft_game::{Attempt, Command, Entry, Lane, PlayerId, Serial, Stamp};
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    /// Files in memory; one whose bytes are altered when it is read, if that is wanted.
    #[derive(Default)]
    struct Memory {
        files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
        alters: bool,
    }

    struct Writing {
        files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
        name: String,
        bytes: Vec<u8>,
    }

    struct Reading(Bytes);

    #[async_trait]
    impl Files for Memory {
        async fn list(&self) -> io::Result<Vec<String>> {
            Ok(self.files.lock().unwrap().keys().cloned().collect())
        }

        async fn create(&self, name: &str) -> io::Result<Box<dyn FileWriter>> {
            let (files, name) = (self.files.clone(), name.to_owned());
            Ok(Box::new(Writing { files, name, bytes: Vec::new() }))
        }

        async fn open(&self, name: &str) -> io::Result<Box<dyn FileReader>> {
            let files = self.files.lock().unwrap();
            let mut bytes = files.get(name).ok_or(io::ErrorKind::NotFound)?.clone();
            if self.alters {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            }
            Ok(Box::new(Reading(bytes.into())))
        }

        async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
            let mut files = self.files.lock().unwrap();
            let bytes = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
            files.insert(to.to_owned(), bytes);
            Ok(())
        }

        async fn remove(&self, name: &str) -> io::Result<()> {
            let removed = self.files.lock().unwrap().remove(name);
            removed.map(|_| ()).ok_or(io::ErrorKind::NotFound.into())
        }
    }

    #[async_trait]
    impl FileWriter for Writing {
        async fn append(&mut self, bytes: Bytes) -> io::Result<()> {
            self.bytes.extend_from_slice(&bytes);
            Ok(())
        }

        async fn commit(self: Box<Self>) -> io::Result<()> {
            self.files.lock().unwrap().insert(self.name, self.bytes);
            Ok(())
        }
    }

    #[async_trait]
    impl FileReader for Reading {
        async fn read(&mut self, bytes_max: usize) -> io::Result<Bytes> {
            let bytes = bytes_max.min(self.0.len());
            Ok(self.0.split_to(bytes))
        }
    }

    fn lobby() -> Lobby {
        let mut lobby = Lobby::default();
        let command = Command::Open { game: "hangman".into(), options: String::new() };
        let attempt = Attempt { lane: Lane::OWN, serial: Serial(1) };
        let entry = Entry { player: PlayerId(1), attempt, command };
        let stamp = Stamp { at_ms: 1, seed: 1, passed_ms: Some(1), matches: false };
        assert!(lobby.apply(stamp, 0, &entry).answer.is_ok());
        lobby
    }

    async fn written(alters: bool) -> (Arc<dyn Files>, Result<SnapshotFile, NotWritten>) {
        let files: Arc<dyn Files> = Arc::new(Memory { alters, ..Memory::default() });
        let meta = SnapshotMeta { last_log_id: None, last_membership: Default::default() };
        let written = write(&files, &meta, &Charter::default(), &lobby().freeze()).await;
        (files, written)
    }

    /// A snapshot has its name when it was read back and is what was frozen.
    #[tokio::test]
    async fn a_snapshot_is_named_once_it_was_read_back() {
        let (files, written) = written(false).await;
        let file = written.expect("an honest disk");
        assert_eq!(files.list().await.unwrap(), [file.name.as_str()]);
        let (_, held) = file.load().await.expect("it was read before");
        assert_eq!(held.lobby.hash(), lobby().hash());
    }

    /// One that cannot be read back gets no name, and is gone: the log is what counts.
    #[tokio::test]
    async fn a_snapshot_that_cannot_be_read_back_is_none() {
        let (files, written) = written(true).await;
        assert!(matches!(written, Err(NotWritten::Unreadable(_))), "{written:?}");
        assert_eq!(files.list().await.unwrap(), [] as [String; 0]);
        assert!(newest(&files).await.expect("nothing is damaged").is_none());
    }

    /// What a crash leaves unread is no snapshot at the next start.
    #[tokio::test]
    async fn what_was_never_read_back_is_removed() {
        let (files, written) = written(false).await;
        let name = written.expect("an honest disk").name;
        files.rename(&name, &format!("{name}{UNREAD}")).await.unwrap();
        assert!(newest(&files).await.unwrap().is_none());
        remove_incoming(&files).await.unwrap();
        assert_eq!(files.list().await.unwrap(), [] as [String; 0]);
    }
}
