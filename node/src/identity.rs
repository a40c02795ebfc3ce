//! Who this node is, as its disk remembers it.
//!
//! A node's id stands for what its disk has promised: votes given, entries
//! acknowledged. So every disk has a random number, Raft's membership says which disk
//! each id belongs to, and an id that comes back with another disk is spent. An id
//! without its disk could vote twice, or forget what it had acknowledged.

use crate::env::Env;
use crate::small_file;
use crate::storage::Files;
use crate::storage::log::LogDevice;
use hangraft_cluster_config::NodeConfig;
use hangraft_ids::{NodeId, StorageId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// The file's name among the node's files.
pub(crate) const FILE: &str = "identity.json";

/// The form of the file. A form that is neither this nor the next is refused.
pub(crate) const FORMAT: u32 = 1;

/// The same, beside a log of segments: builds that do not know those refuse it, instead of
/// finding no log where they look for one.
pub(crate) const WITH_SEGMENTS: u32 = 2;

/// Who a node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    format: u32,
    /// The cluster it belongs to.
    pub(crate) cluster: String,
    /// Its id there.
    pub(crate) node: NodeId,
    /// What people call it.
    pub(crate) name: String,
    /// The number of this disk.
    pub(crate) disk: StorageId,
    /// Where others reach it.
    pub(crate) address: SocketAddr,
    /// Members it heard of when it joined, to find the cluster again.
    pub(crate) known: BTreeMap<NodeId, SocketAddr>,
    /// The first members as they were configured, if it is one of them.
    #[serde(default)]
    pub(crate) founders: Founders,
    pub(crate) phase: Phase,
    /// Counts its starts, for gossip: at least the wall clock, and always more than before,
    /// for a clock may have been set back.
    #[serde(default)]
    pub(crate) incarnation: u64,
    /// How often a process was started with this folder.
    #[serde(default)]
    pub(crate) starts: u64,
    /// Its address was changed, and the membership may not know it yet.
    #[serde(default)]
    moved: bool,
}

/// The first members of a cluster: names and addresses by id.
pub(crate) type Founders = BTreeMap<NodeId, (String, SocketAddr)>;

/// The first members that a configuration names.
pub(crate) fn founders_of(config: &NodeConfig) -> Founders {
    let members = config.cluster.members.iter();
    members.map(|member| (member.id, (member.name.clone(), member.address))).collect()
}

/// How far a node has come in its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// It asks to be admitted; only the disk's number counts.
    Applying,
    /// A first member with an empty disk, which may be new or may have lost it. It takes
    /// no part until it knows.
    Unproven,
    /// The disk is the id's.
    Proven,
    /// It has a log; one that is empty from now on was lost.
    Member,
    /// A restore or a recovery was begun here and not finished.
    Unfinished,
    /// The cluster has removed it, or never knew this disk. The id is spent.
    Spent(String),
}

impl Identity {
    /// A first member that starts with an empty disk.
    pub(crate) fn founding(config: &NodeConfig, env: &dyn Env) -> Option<Self> {
        let me = config.first_member()?;
        Some(Identity {
            format: FORMAT,
            cluster: config.cluster.id.clone().unwrap_or_else(|| {
                // A cluster of one that nobody named must not be taken for another.
                format!("{}-{:08x}", me.name, env.entropy() as u32)
            }),
            node: me.id,
            name: me.name.clone(),
            disk: StorageId(env.entropy()),
            address: me.address,
            known: BTreeMap::new(),
            founders: founders_of(config),
            phase: Phase::Unproven,
            incarnation: 0,
            starts: 0,
            moved: false,
        })
    }

    /// A node that is about to ask for an id.
    pub(crate) fn applying(address: SocketAddr, env: &dyn Env) -> Self {
        let storage_id = StorageId(env.entropy());
        Identity {
            phase: Phase::Applying,
            ..Self::given(
                String::new(),
                NodeId::NONE,
                String::new(),
                storage_id,
                address,
                BTreeMap::new(),
            )
        }
    }

    /// A node that was given this id.
    pub(crate) fn given(
        cluster: String,
        node: NodeId,
        name: String,
        disk: StorageId,
        address: SocketAddr,
        known: BTreeMap<NodeId, SocketAddr>,
    ) -> Self {
        Identity {
            format: FORMAT,
            cluster,
            node,
            name,
            disk,
            address,
            known,
            founders: Founders::new(),
            phase: Phase::Proven,
            incarnation: 0,
            starts: 0,
            moved: false,
        }
    }

    /// The same, as it is kept beside this log.
    pub(crate) fn beside(self, log: &dyn LogDevice) -> Self {
        Identity { format: log.identity_format(), ..self }
    }

    /// Another process starts with this folder, at this time of day.
    pub(crate) fn start_again(&mut self, unix_ms: u64) {
        self.incarnation = unix_ms.max(self.incarnation + 1);
        self.starts += 1;
    }

    /// The node is reached at another address from now on.
    pub(crate) fn move_to(&mut self, address: SocketAddr) {
        self.moved |= self.address != address;
        self.address = address;
    }

    /// The membership has this address; `false` when that was known.
    pub(crate) fn settle(&mut self) -> bool {
        std::mem::replace(&mut self.moved, false)
    }

    /// Whether others may look for this node at another address. A node that has no log yet
    /// was nowhere.
    pub(crate) fn has_moved(&self) -> bool {
        self.moved && matches!(self.phase, Phase::Proven | Phase::Member)
    }

    /// The same, before all that belongs to it is there.
    pub(crate) fn unfinished(&self) -> Self {
        Identity { phase: Phase::Unfinished, ..self.clone() }
    }

    /// What the disk remembers; `None` on an empty one.
    ///
    /// # Errors
    /// When the file is damaged, of another format, or the id is spent.
    pub(crate) async fn load(files: &Arc<dyn Files>) -> io::Result<Option<Self>> {
        let Some(bytes) = small_file::read(files, FILE).await? else { return Ok(None) };
        let identity: Identity =
            serde_json::from_slice(&bytes).map_err(|err| damaged(&err.to_string()))?;
        if !(FORMAT..=WITH_SEGMENTS).contains(&identity.format) {
            let format = identity.format;
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "{FILE} has format {format}, this build knows {FORMAT} and {WITH_SEGMENTS}; run the version that wrote it"
                ),
            ));
        }
        Ok(Some(identity))
    }

    /// Makes the disk remember this.
    pub(crate) async fn save(&self, files: &Arc<dyn Files>) -> io::Result<()> {
        small_file::replace(files, FILE, self).await
    }

    /// Why this folder does not fit a configuration, if it does not.
    pub(crate) fn contradicts(&self, config: &NodeConfig) -> Option<String> {
        let (node, cluster) = (self.node, &self.cluster);
        let reached = config.reached_at();
        if reached != self.address && reached.port() != 0 && !reached.ip().is_unspecified() {
            let address = self.address;
            return Some(format!(
                "node {node} is known to the others at {address}, but the configuration has {reached}; \
                 start it where it was; or, if its machine has another address now, and no other \
                 process runs with this data, start it with --new-address {reached}; or, if the \
                 others go on without it, {AS_A_NEW_NODE}; the old one is replaced by a spare after \
                 a while, and `hangraft status` says when"
            ));
        }
        if config.id.is_some_and(|id| id != node) {
            let id = config.id.unwrap_or_default();
            return Some(format!("it holds node {node}, but the configuration is node {id}'s"));
        }
        if config.cluster.id.as_ref().is_some_and(|wanted| wanted != cluster) {
            let wanted = config.cluster.id.as_deref().unwrap_or_default();
            return Some(format!(
                "it holds node {node} of cluster {cluster:?}, but the configuration is for cluster {wanted:?}"
            ));
        }
        None
    }
}

/// An identity file as it is beside a log of segments; `None` when this one is damaged, or
/// of a form that is not known.
pub(crate) fn beside_segments(text: &[u8]) -> Option<Vec<u8>> {
    let identity: Identity = serde_json::from_slice(text).ok()?;
    let known = (FORMAT..=WITH_SEGMENTS).contains(&identity.format);
    let marked = Identity { format: WITH_SEGMENTS, ..identity };
    known.then(|| serde_json::to_vec_pretty(&marked).ok()).flatten()
}

/// Why the id in an identity file is spent, if it is.
pub(crate) fn why_spent(text: &[u8]) -> Option<String> {
    match serde_json::from_slice(text) {
        Ok(Identity { phase: Phase::Spent(why), .. }) => Some(why),
        _ => None,
    }
}

/// The id in this folder is spent, or nobody can tell any more which it was. Starting again
/// changes nothing.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SpentId(pub(crate) String);

/// The file can be read, and is not what was written.
fn damaged(what: &str) -> io::Error {
    let why = format!(
        "{FILE}, which says whose disk this is, is damaged ({what}); {}",
        without_identity()
    );
    io::Error::other(SpentId(why))
}

/// Why a folder that has a log, or the snapshot of one, and no identity is of no use: the
/// votes and entries in it were promised under an id, and nobody can tell which.
pub(crate) fn lost() -> SpentId {
    let text = "is missing, although the folder holds a log";
    SpentId(format!("{FILE}, which says whose disk this is, {text}; {}", without_identity()))
}

fn without_identity() -> String {
    format!(
        "put this very folder's file back, if there is a copy; otherwise its id is spent and is \
         never used again: {AS_A_NEW_NODE}"
    )
}

/// How to come without what the data folder has.
pub(crate) const AS_A_NEW_NODE: &str = "empty the data folder and join as a new node: \
                             hangraft node --address ADDR --dir DIR --seed ADDR --key-file FILE";

/// How to go on with an id that is spent.
pub(crate) fn join_anew(node: NodeId) -> String {
    format!("node {node}'s id is spent and is never used again; to come back, {AS_A_NEW_NODE}")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An identity file, as a build wrote it that knew no segments.
    pub(crate) fn text() -> Vec<u8> {
        let address = SocketAddr::from(([10, 0, 0, 4], 7101));
        let (node, name) = (NodeId(4), "n4".to_owned());
        let known = BTreeMap::new();
        let identity = Identity::given("test".into(), node, name, StorageId(7), address, known);
        serde_json::to_vec(&identity).unwrap()
    }

    /// Beside a log of segments the file has a format that builds without segments refuse.
    #[test]
    fn the_file_says_which_log_there_is() {
        let before: Identity = serde_json::from_slice(&text()).unwrap();
        let marked = beside_segments(&text()).unwrap();
        let after: Identity = serde_json::from_slice(&marked).unwrap();
        assert_eq!((before.format, after.format), (1, 2));
        assert_eq!(Identity { format: 1, ..after }, before);
        assert_eq!(beside_segments(&marked), Some(marked.clone()));
        let later = String::from_utf8(text()).unwrap().replace("\"format\":1", "\"format\":3");
        assert_eq!(beside_segments(later.as_bytes()), None);
        assert_eq!(beside_segments(b"{"), None);
    }

    /// A node at a new address is not let start, and what is advised can be done while it
    /// does not run.
    #[test]
    fn a_node_that_has_moved_is_told_what_to_do() {
        let there = SocketAddr::from(([10, 0, 0, 4], 7101));
        let elsewhere = SocketAddr::from(([10, 0, 0, 5], 7101));
        let seed = SocketAddr::from(([10, 0, 0, 1], 7101));
        let name = "n4".to_owned();
        let identity =
            Identity::given("test".into(), NodeId(4), name, StorageId(7), there, BTreeMap::new());
        let config = |address| NodeConfig::joining(address, "n4".as_ref(), vec![seed]);
        assert_eq!(identity.contradicts(&config(there)), None);
        let advice = identity.contradicts(&config(elsewhere)).unwrap();
        for part in [
            "start it where it was",
            "--new-address 10.0.0.5:7101",
            "empty the data folder",
            "--seed ADDR",
            "`hangraft status`",
        ] {
            assert!(advice.contains(part), "{advice}");
        }
        assert!(!advice.contains("leave"), "{advice}");
    }
}
