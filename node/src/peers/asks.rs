//! What nodes ask of the leader, about the membership, and what it says.

use hangraft_ids::{NodeId, StorageId, Term};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use tokio::sync::oneshot;

/// A node wants in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Application {
    /// The cluster it wants to join; any whose key it knows, if it does not say.
    pub(crate) cluster: Option<String>,
    /// The name it would like.
    pub(crate) name: Option<String>,
    /// Where others reach it.
    pub(crate) address: SocketAddr,
    /// The number of its disk.
    pub(crate) disk: StorageId,
    /// What its build can do.
    pub(crate) features: BTreeSet<String>,
    /// Its version, for people.
    pub(crate) version: String,
}

/// What became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Decision {
    Admitted {
        cluster: String,
        id: NodeId,
        name: String,
        /// The disk that the id belongs to, as it was asked for: an answer to an earlier
        /// question is none to this one.
        disk: StorageId,
        /// Where the members are.
        known: BTreeMap<NodeId, SocketAddr>,
    },
    /// Ask there; that is the leader.
    Elsewhere(SocketAddr),
    /// Ask again later.
    NotNow(String),
    /// Do not ask again.
    Refused(String),
}

/// What can be asked of a leader.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// Let this node in.
    Admit(Application),
    /// Change what the whole cluster shares.
    Set { voters: Option<u8>, replace_after_ms: Option<u64> },
    /// Let this member leave, if the rest can do without it. Asked again and again until
    /// it is out.
    Leave(NodeId),
    /// It stays after all.
    Stay(NodeId),
    /// Hand leadership to this voter, or to whoever is closest.
    HandOver(Option<NodeId>),
}

/// What the leader says to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LeaderReply {
    Done,
    Admitted {
        id: NodeId,
        name: String,
    },
    /// No, and asking again changes nothing.
    Refused(String),
    /// Not now, or nobody knows; asking again may help.
    NotNow(String),
    /// This node leads now, in this term.
    Leads {
        leader: NodeId,
        term: Term,
    },
}

/// A question on its way to the membership task.
pub(crate) struct Asked {
    pub(crate) ask: Ask,
    pub(crate) told: oneshot::Sender<LeaderReply>,
}
