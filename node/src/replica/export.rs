//! Everything a replica holds, taken out of one cluster and put in as the beginning of
//! another: backups, and the last resort when a majority is lost for good.

use crate::charter::{Charter, Member, Peer};
use crate::feed::Feed;
use crate::format::corrupt;
use crate::identity::Identity;
use crate::raft::machine::Machine;
use crate::raft::snapshots::{self, Parser, SnapshotContents, Unusable};
use crate::raft::types::{
    Membership, SnapshotMeta, StoredMembership, decode_payload, log_id_of, position_of,
};
use crate::replica::handle::Replica;
use crate::storage::Storage;
use crate::storage::log::{Position, VoteRecord, Write, behind};
use bytes::Bytes;
use hangraft_game::{Frozen, RoomId};
use hangraft_ids::Term;
use std::collections::BTreeMap;
use std::io;

/// Bytes of log read at a time.
const READ_BYTES: usize = 1 << 20;

/// What a replica holds at one log index.
pub(crate) struct Export {
    /// Where in the log it stands.
    pub(crate) applied: Position,
    /// The lobby's hash there.
    pub(crate) hash: u64,
    /// A snapshot file's bytes.
    pub(crate) snapshot: Box<dyn Iterator<Item = Bytes> + Send>,
    /// Games that have left the lobby and are not in the archive yet.
    pub(crate) finished: Vec<(RoomId, Bytes)>,
    /// Games of later rooms in the archive belong to a later index.
    pub(crate) newest_room: RoomId,
}

impl Replica {
    /// Takes out what is applied now.
    pub(crate) fn export(&self) -> Export {
        let checkpoint = self.0.machine.freeze();
        let (meta, charter, frozen) = (&checkpoint.meta, &checkpoint.charter, &checkpoint.frozen);
        Export {
            applied: meta.last_log_id.as_ref().map_or(Position::START, position_of),
            hash: frozen.hash(),
            snapshot: Box::new(snapshots::bytes_of(meta, charter, frozen)),
            newest_room: frozen.newest_room(),
            finished: checkpoint.finished,
        }
    }
}

/// A snapshot file's bytes, coming in from a backup.
#[derive(Default)]
pub(crate) struct Import(Parser);

impl Import {
    pub(crate) fn feed(&mut self, bytes: Bytes) -> Result<(), Unusable> {
        self.0.feed(bytes)
    }

    /// What it held, once all of it was there and whole.
    pub(crate) fn finish(self) -> Result<Everything, Unusable> {
        let (meta, SnapshotContents { lobby, charter }) = self.0.finish()?;
        let applied = meta.last_log_id.as_ref().map_or(Position::START, position_of);
        Ok(Everything { applied, charter, rooms: lobby.len(), frozen: lobby.freeze() })
    }
}

/// All that replicas agree on at one log index.
pub(crate) struct Everything {
    pub(crate) applied: Position,
    pub(crate) rooms: usize,
    charter: Charter,
    frozen: Frozen,
}

impl Everything {
    pub(crate) fn hash(&self) -> u64 {
        self.frozen.hash()
    }

    /// Whether a room is live here, or is yet to be opened: then an archived game of that
    /// number belongs to a later index.
    pub(crate) fn is_ahead(&self, room: RoomId) -> bool {
        self.frozen.room(room).is_some() || room > self.frozen.newest_room()
    }
}

/// Makes empty storage the beginning of a new cluster of one, which goes on where
/// `everything` ended. `epoch` is a number of its own, so that nobody takes the new
/// cluster's versions of rooms for those of the old one.
pub(crate) async fn found_anew(
    storage: &Storage,
    identity: &Identity,
    everything: Everything,
    epoch: u64,
) -> io::Result<()> {
    let Everything { applied, charter, frozen, .. } = everything;
    let peer = Peer { name: identity.name.clone(), address: identity.address, disk: identity.disk };
    let log_id = log_id_of(applied);
    let membership = Membership::new(
        vec![[identity.node].into()],
        BTreeMap::from([(identity.node, peer.clone())]),
    );
    let membership = membership.map_err(io::Error::other)?;
    let meta = SnapshotMeta {
        last_log_id: Some(log_id),
        last_membership: StoredMembership::new(Some(log_id), membership),
    };
    let mut charter = charter.begun_anew(epoch.max(1));
    charter.follow(&BTreeMap::from([(identity.node, Member { peer, votes: true })]));
    // Until all of it is there, nobody may start from it.
    identity.unfinished().save(&storage.files).await?;
    // Terms go on from here: what comes must be newer than what there is.
    let voted = storage.log.state().vote.map_or(Term(0), |vote| vote.term);
    let term = Term(applied.term.max(voted).0 + 1);
    storage.log.write(Write::Vote(VoteRecord { term, committed: false, node: identity.node }))?;
    let written = snapshots::write(&storage.files, &meta, &charter, &frozen.begun_anew()).await;
    written.map_err(io::Error::from)?;
    storage.log.write(Write::Purge(applied))?;
    crate::storage::log::synced(&*storage.log).await?;
    identity.save(&storage.files).await
}

/// All that one replica's disk holds, with every entry of its log applied, whether or not
/// it is known to be committed: better one move too many than one too few.
pub(crate) async fn recovered(storage: &Storage) -> io::Result<Everything> {
    let machine = Machine::open(storage.clone(), Feed::default()).await?;
    let mut next = behind(machine.standing().applied);
    let last = behind(storage.log.state().last);
    while next < last {
        let entries = storage.log.read(next, last, READ_BYTES)?;
        if entries.is_empty() {
            return Err(corrupt(format!("the log has a hole at index {next}")));
        }
        for (at, payload) in entries {
            machine.apply_entry(&decode_payload(log_id_of(at), payload)?)?;
            next = at.index.next();
        }
    }
    let checkpoint = machine.freeze();
    let applied = checkpoint.meta.last_log_id.as_ref().map(position_of);
    let applied = applied.ok_or_else(|| corrupt("there is no log and no snapshot here".into()))?;
    storage.archive.store(checkpoint.finished, storage.archive.complete()).await?;
    let rooms = machine.standing().rooms as usize;
    Ok(Everything { applied, charter: checkpoint.charter, rooms, frozen: checkpoint.frozen })
}
