//! Backups: all rooms, settings and finished games of a cluster in one file, and new
//! clusters begun from one.
//!
//! ```text
//! magic, format, then frames: kind u8, length u32 big-endian, bytes
//! head      what it is, as JSON
//! snapshot  the bytes of a snapshot file, in pieces
//! games     a page of the archive
//! end       the BLAKE3 hash of everything before this frame
//! ```
//!
//! A backup is made from one replica that is as fresh as the moment it was asked for
//! (ReadIndex). A file that does not end with the right hash is no backup: it is read
//! twice, first to check it, and nothing is written before that.

use crate::env::Env;
use crate::identity::{Identity, Phase};
use crate::raft::snapshots::Unusable;
use crate::replica::export::{Everything, Import, found_anew, recovered};
use crate::replica::handle::Replica;
use crate::storage::Storage;
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::Stream;
use hangraft_ids::{LogIndex, NodeId, RoomId, StorageId, Term};
use hangraft_proto::MESSAGE_BYTES_MAX;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read};
use std::net::SocketAddr;

const MAGIC: &[u8; 8] = b"hangback";
const FORMAT: u8 = 1;

const HEAD: u8 = 1;
const SNAPSHOT: u8 = 2;
const GAMES: u8 = 3;
const END: u8 = 4;

/// Games read from the archive at a time.
const PAGE_GAMES: usize = 256;

/// Bytes of games in a frame, give or take one game.
const FRAME_GAMES_BYTES: usize = 1 << 20;

/// A longer frame is damage. None is longer than a message that carries it.
const FRAME_BYTES_MAX: usize = MESSAGE_BYTES_MAX;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The cluster it was made of.
    pub cluster: String,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// Where in the log it stands.
    pub term: Term,
    /// Everything acknowledged up to this index is in it.
    pub index: LogIndex,
    /// The lobby's hash there, as `hangraft status` shows it.
    pub hash: String,
    /// The version that made it.
    pub version: String,
}

/// What was found in a backup, or on a disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contents {
    /// Where in the log it stands.
    pub term: Term,
    /// See [`Head::index`].
    pub index: LogIndex,
    /// Live rooms.
    pub rooms: usize,
    /// Finished games.
    pub games: usize,
    /// The lobby's hash.
    pub hash: String,
}

/// Why there is no new cluster.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file is not a whole backup; nothing was touched.
    #[error("this is no whole backup, and nothing was touched: {0}")]
    Damaged(String),
    /// A newer version made it; nothing was touched.
    #[error("{0}")]
    Newer(String),
    /// The file cannot be read.
    #[error("cannot read the backup")]
    Read(#[source] io::Error),
    /// The folder holds a node already; nothing was touched.
    #[error(
        "the folder holds node {node} of cluster {cluster:?} already; restore into an empty one"
    )]
    Taken {
        /// Its id.
        node: NodeId,
        /// Its cluster.
        cluster: String,
    },
    /// There is no node to recover here.
    #[error("the folder holds no node")]
    Nobody,
    /// The new cluster must not be mistaken for the old one.
    #[error("{0:?} is the old cluster's id; give the new one another, so that the two never mix")]
    SameCluster(String),
    /// The folder cannot be written or read.
    #[error("cannot use the node's storage")]
    Storage(#[source] io::Error),
}

/// Writes a backup of what a replica has applied, frame by frame.
pub(crate) fn write(
    replica: Replica,
    cluster: String,
    at_ms: u64,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let export = replica.export();
    let head = Head {
        cluster,
        at_ms,
        term: export.applied.term,
        index: export.applied.index,
        hash: format!("{:016x}", export.hash),
        version: crate::format::VERSION.to_owned(),
    };
    let writer = Writer {
        replica,
        hasher: blake3::Hasher::new(),
        snapshot: export.snapshot,
        before: export.newest_room.0.checked_add(1).map(RoomId),
        finished: export.finished,
        ready: VecDeque::new(),
        next: Next::Head(head),
    };
    futures_util::stream::unfold(writer, |mut writer| async move {
        let frame = writer.frame().await.transpose()?;
        Some((frame, writer))
    })
}

struct Writer {
    replica: Replica,
    hasher: blake3::Hasher,
    snapshot: Box<dyn Iterator<Item = Bytes> + Send>,
    /// Only archived games of rooms before this one are left to write.
    before: Option<RoomId>,
    /// Games that were not in the archive yet.
    finished: Vec<(RoomId, Bytes)>,
    /// Frames of games, ready to be written.
    ready: VecDeque<Vec<(RoomId, Bytes)>>,
    next: Next,
}

enum Next {
    Head(Head),
    Snapshot,
    Games,
    End,
    Nothing,
}

impl Writer {
    async fn frame(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            match std::mem::replace(&mut self.next, Next::Nothing) {
                Next::Head(head) => {
                    self.next = Next::Snapshot;
                    let text = serde_json::to_vec(&head).map_err(io::Error::other)?;
                    let mut bytes = BytesMut::from(&MAGIC[..]);
                    bytes.put_u8(FORMAT);
                    put_frame(&mut bytes, HEAD, &text);
                    return Ok(Some(self.hashed(bytes)));
                }
                Next::Snapshot => match self.snapshot.next() {
                    Some(chunk) => {
                        self.next = Next::Snapshot;
                        return Ok(Some(self.framed(SNAPSHOT, &chunk)));
                    }
                    None => {
                        self.next = Next::Games;
                        self.ready = in_frames(std::mem::take(&mut self.finished));
                    }
                },
                Next::Games => {
                    self.next = Next::Games;
                    if let Some(games) = self.ready.pop_front() {
                        let page = postcard::to_allocvec(&games).map_err(io::Error::other)?;
                        return Ok(Some(self.framed(GAMES, &page)));
                    }
                    let archive = self.replica.machine().archive();
                    let games = archive.page(self.before, PAGE_GAMES).await?;
                    match games.last() {
                        Some((oldest, _)) => self.before = Some(*oldest),
                        None => self.next = Next::End,
                    }
                    self.ready = in_frames(games);
                }
                Next::End => {
                    let mut bytes = BytesMut::new();
                    put_frame(&mut bytes, END, self.hasher.finalize().as_bytes());
                    return Ok(Some(bytes.freeze()));
                }
                Next::Nothing => return Ok(None),
            }
        }
    }

    fn framed(&mut self, kind: u8, body: &[u8]) -> Bytes {
        let mut bytes = BytesMut::with_capacity(body.len() + 5);
        put_frame(&mut bytes, kind, body);
        self.hashed(bytes)
    }

    fn hashed(&mut self, bytes: BytesMut) -> Bytes {
        self.hasher.update(&bytes);
        bytes.freeze()
    }
}

/// Cuts games into frames of moderate size.
fn in_frames(games: Vec<(RoomId, Bytes)>) -> VecDeque<Vec<(RoomId, Bytes)>> {
    let mut frames = VecDeque::new();
    let (mut frame, mut bytes) = (Vec::new(), 0);
    for game in games {
        bytes += game.1.len();
        frame.push(game);
        if bytes >= FRAME_GAMES_BYTES {
            frames.push_back(std::mem::take(&mut frame));
            bytes = 0;
        }
    }
    if !frame.is_empty() {
        frames.push_back(frame);
    }
    frames
}

fn put_frame(bytes: &mut BytesMut, kind: u8, body: &[u8]) {
    bytes.put_u8(kind);
    bytes.put_u32(u32::try_from(body.len()).expect("frames are small"));
    bytes.put_slice(body);
}

/// A frame of a backup that is being read.
enum Frame {
    Head(Head),
    Snapshot(Bytes),
    Games(Vec<(RoomId, Bytes)>),
}

/// Reads a backup's frames up to its end, and checks the hash there.
struct Reader<R> {
    from: R,
    hasher: blake3::Hasher,
    begun: bool,
}

impl<R: Read> Reader<R> {
    fn new(from: R) -> Self {
        Reader { from, hasher: blake3::Hasher::new(), begun: false }
    }

    /// The next frame; `None` behind the last one, when all of it was right.
    fn next(&mut self) -> Result<Option<Frame>, RestoreError> {
        let damaged = |why: &str| RestoreError::Damaged(why.to_owned());
        if !self.begun {
            let mut start = [0; MAGIC.len() + 1];
            self.take(&mut start)?;
            if &start[..MAGIC.len()] != MAGIC {
                return Err(damaged("it does not begin as one"));
            }
            let format = start[MAGIC.len()];
            if format != FORMAT {
                let why = format!("it has format {format}, this version reads {FORMAT}");
                return Err(RestoreError::Damaged(why));
            }
            self.hasher.update(&start);
            self.begun = true;
        }
        let mut start = [0; 5];
        self.take(&mut start)?;
        let [kind, length @ ..] = start;
        let length = u32::from_be_bytes(length) as usize;
        if length > FRAME_BYTES_MAX {
            return Err(damaged("a frame is too long"));
        }
        let mut body = vec![0; length];
        self.take(&mut body)?;
        if kind == END {
            let right = self.hasher.finalize().as_bytes()[..] == body[..];
            let mut more = [0; 1];
            let ended = self.from.read(&mut more).map_err(RestoreError::Read)? == 0;
            return match (right, ended) {
                (true, true) => Ok(None),
                (false, _) => Err(damaged("its hash is wrong")),
                (_, false) => Err(damaged("something stands behind its end")),
            };
        }
        self.hasher.update(&start);
        self.hasher.update(&body);
        let frame = match kind {
            HEAD => Frame::Head(
                serde_json::from_slice(&body).map_err(|_| damaged("its head is unreadable"))?,
            ),
            SNAPSHOT => Frame::Snapshot(body.into()),
            GAMES => Frame::Games(
                postcard::from_bytes(&body).map_err(|_| damaged("its games are unreadable"))?,
            ),
            _ => return Err(damaged("it has a frame of an unknown kind")),
        };
        Ok(Some(frame))
    }

    fn take(&mut self, bytes: &mut [u8]) -> Result<(), RestoreError> {
        self.from.read_exact(bytes).map_err(|err| match err.kind() {
            io::ErrorKind::UnexpectedEof => RestoreError::Damaged("it ends early".into()),
            _ => RestoreError::Read(err),
        })
    }
}

/// Reads a whole backup and checks everything in it.
///
/// # Errors
/// See [`RestoreError`].
pub fn check(file: impl Read) -> Result<(Head, Contents), RestoreError> {
    let (head, everything, games) = read(file, |_| Ok(()))?;
    let contents = contents_of(&everything, games);
    if contents.hash != head.hash || contents.index != head.index {
        return Err(RestoreError::Damaged("it holds another lobby than its head says".into()));
    }
    Ok((head, contents))
}

fn read(
    file: impl Read,
    mut games: impl FnMut(Vec<(RoomId, Bytes)>) -> Result<(), RestoreError>,
) -> Result<(Head, Everything, usize), RestoreError> {
    let mut reader = Reader::new(file);
    let (mut head, mut snapshot, mut count) = (None, Import::default(), 0);
    // Believed only once the whole file has turned out to be what was written.
    let mut newer = None;
    while let Some(frame) = reader.next()? {
        match frame {
            Frame::Head(said) => head = Some(said),
            Frame::Snapshot(_) if newer.is_some() => {}
            Frame::Snapshot(bytes) => match snapshot.feed(bytes) {
                Err(Unusable::Newer(why)) => newer = Some(why),
                fed => fed.map_err(unusable)?,
            },
            Frame::Games(page) => {
                count += page.len();
                games(page)?;
            }
        }
    }
    if let Some(why) = newer {
        return Err(RestoreError::Newer(why));
    }
    let head = head.ok_or_else(|| RestoreError::Damaged("it has no head".into()))?;
    Ok((head, snapshot.finish().map_err(unusable)?, count))
}

fn unusable(why: Unusable) -> RestoreError {
    match why {
        Unusable::Damaged(why) => RestoreError::Damaged(why),
        Unusable::Newer(why) => RestoreError::Newer(why),
    }
}

/// Who begins the new cluster.
#[derive(Clone, Debug)]
pub struct Founder {
    /// The new cluster's id.
    pub cluster: String,
    /// The node's name there.
    pub name: String,
    /// Where others reach it.
    pub address: SocketAddr,
}

/// The first node of a restored cluster.
const FIRST: NodeId = NodeId(1);

/// Makes an empty node's storage the beginning of a new cluster, from a backup that was
/// [checked](check). The cluster has one node; others join it.
///
/// # Errors
/// See [`RestoreError`].
pub async fn restore(
    file: impl Read,
    founder: Founder,
    env: &dyn Env,
) -> Result<Contents, RestoreError> {
    let storage = env.storage().await.map_err(RestoreError::Storage)?;
    if let Some(there) = identity_of(&storage).await?
        && there.phase != Phase::Applying
    {
        return Err(RestoreError::Taken { node: there.node, cluster: there.cluster });
    }
    let mut pages = Vec::new();
    let (head, everything, games) = read(file, |page| {
        pages.push(page);
        Ok(())
    })?;
    if head.cluster == founder.cluster {
        return Err(RestoreError::SameCluster(head.cluster));
    }
    let Founder { cluster, name, address } = founder;
    let identity =
        Identity::given(cluster, FIRST, name, StorageId(env.entropy()), address, BTreeMap::new())
            .beside(&*storage.log);
    // From here on nobody may start from this folder before all of it is there.
    identity.unfinished().save(&storage.files).await.map_err(RestoreError::Storage)?;
    let index = everything.applied.index;
    for mut page in pages {
        page.retain(|(room, _)| !everything.is_ahead(*room));
        storage.archive.store(page, Some(index)).await.map_err(RestoreError::Storage)?;
    }
    storage.archive.store(Vec::new(), Some(index)).await.map_err(RestoreError::Storage)?;
    let contents = contents_of(&everything, games);
    found_anew(&storage, &identity, everything, env.entropy())
        .await
        .map_err(RestoreError::Storage)?;
    Ok(contents)
}

/// The last resort when a majority is lost for good: makes what one survivor's disk holds
/// the beginning of a new cluster of one. What the lost majority had acknowledged and this
/// disk had not received is gone. Its node is reached at `address` from then on, if one is
/// given.
///
/// # Errors
/// See [`RestoreError`].
pub async fn recover(
    cluster: String,
    address: Option<SocketAddr>,
    env: &dyn Env,
) -> Result<Contents, RestoreError> {
    let storage = env.storage().await.map_err(RestoreError::Storage)?;
    let there = identity_of(&storage).await?.ok_or(RestoreError::Nobody)?;
    if there.cluster == cluster && there.phase != Phase::Unfinished {
        return Err(RestoreError::SameCluster(cluster));
    }
    let everything = recovered(&storage).await.map_err(RestoreError::Storage)?;
    let contents = contents_of(&everything, 0);
    let Identity { node, name, disk, address: before, .. } = there;
    let address = address.unwrap_or(before);
    let identity =
        Identity::given(cluster, node, name, disk, address, BTreeMap::new()).beside(&*storage.log);
    found_anew(&storage, &identity, everything, env.entropy())
        .await
        .map_err(RestoreError::Storage)?;
    Ok(contents)
}

async fn identity_of(storage: &Storage) -> Result<Option<Identity>, RestoreError> {
    Identity::load(&storage.files).await.map_err(RestoreError::Storage)
}

fn contents_of(everything: &Everything, games: usize) -> Contents {
    Contents {
        term: everything.applied.term,
        index: everything.applied.index,
        rooms: everything.rooms,
        games,
        hash: format!("{:016x}", everything.hash()),
    }
}
