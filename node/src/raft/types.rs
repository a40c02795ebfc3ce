//! openraft's types with our parameters, and how they are stored and sent.
//!
//! openraft promises no stable encoding of its own, so what is stored or sent
//! carries a format number of ours in front.

use crate::charter::{CharterCommand, CharterReply, Member, Members, Peer};
use crate::format::{FORMAT, corrupt, encode};
use crate::storage::log::Position;
use bytes::Bytes;
use hangraft_game::{Answer, Batch};
use hangraft_ids::{LogIndex, NodeId, StorageId, Term};
use openraft::EntryPayload;
use openraft::vote::RaftLeaderId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;

openraft::declare_raft_types!(
    /// openraft with our commands, answers and node addresses, and with one leader
    /// per term at most (thesis section 3.4).
    pub(crate) TypeConfig:
        D = Proposal,
        R = Answers,
        NodeId = NodeId,
        Node = Peer,
        LeaderId = openraft::impls::leader_id_std::LeaderId<u64, NodeId>,
);

pub(crate) type LogId = openraft::alias::LogIdOf<TypeConfig>;
pub(crate) type Vote = openraft::alias::VoteOf<TypeConfig>;
pub(crate) type Entry = openraft::alias::EntryOf<TypeConfig>;
pub(crate) type StoredMembership = openraft::alias::StoredMembershipOf<TypeConfig>;
pub(crate) type SnapshotMeta = openraft::alias::SnapshotMetaOf<TypeConfig>;
pub(crate) type Membership = openraft::Membership<NodeId, Peer>;

/// A membership as the rest of the node looks at it. While it is joint, whoever is in
/// either half votes.
pub(crate) fn members_of(membership: &Membership) -> Members {
    let halves = membership.get_joint_config();
    let votes = |id: &NodeId| halves.iter().any(|half| half.contains(id));
    membership
        .nodes()
        .map(|(id, peer)| (*id, Member { peer: peer.clone(), votes: votes(id) }))
        .collect()
}

/// Who votes, in order; while a membership is joint, whoever votes in either half.
pub(crate) fn voters_of(membership: &Membership) -> Vec<NodeId> {
    match membership.get_joint_config().as_slice() {
        [only] => only.iter().copied().collect(),
        _ => membership.voter_ids().collect(),
    }
}

/// What a log entry carries: an encoded [`Batch`] for the lobby, or an encoded command for
/// the charter. Cheap to clone; the bytes are shared by the log, its readers and the
/// network.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Proposal {
    Batch(Bytes),
    Charter(Bytes),
}

impl Proposal {
    pub(crate) fn batch(batch: &Batch) -> Self {
        Proposal::Batch(batch.encode().into())
    }

    pub(crate) fn charter(command: &CharterCommand) -> Self {
        Proposal::Charter(encode(command))
    }

    fn bytes(&self) -> &Bytes {
        let (Proposal::Batch(bytes) | Proposal::Charter(bytes)) = self;
        bytes
    }
}

/// A proposal may hold a secret word: only its size is ever printed.
impl fmt::Debug for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proposal({} bytes)", self.bytes().len())
    }
}

impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What came of a proposal: the answers to a batch, in its entries' order, or the
/// reply on a command. For the proposer on this node; neither stored nor sent as such
/// (openraft wants to be able to).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Answers {
    pub(crate) batch: Vec<Answer>,
    pub(crate) reply: Option<CharterReply>,
}

const BLANK: u8 = 0;
const NORMAL: u8 = 1;
const MEMBERSHIP: u8 = 2;
const CHARTER: u8 = 3;

/// The bytes the log stores for an entry's payload.
pub(crate) fn encode_payload(entry: &Entry) -> Bytes {
    let mut bytes = vec![FORMAT];
    match &entry.payload {
        EntryPayload::Blank => bytes.push(BLANK),
        EntryPayload::Normal(proposal) => {
            bytes.reserve_exact(proposal.bytes().len() + 1);
            bytes.push(match proposal {
                Proposal::Batch(_) => NORMAL,
                Proposal::Charter(_) => CHARTER,
            });
            bytes.extend_from_slice(proposal.bytes());
        }
        EntryPayload::Membership(membership) => {
            bytes.push(MEMBERSHIP);
            let encoded = postcard::to_allocvec(membership).expect("a membership is plain data");
            bytes.extend_from_slice(&encoded);
        }
    }
    bytes.into()
}

/// The entry that the log stored at `log_id`.
pub(crate) fn decode_payload(log_id: LogId, bytes: Bytes) -> io::Result<Entry> {
    let payload = match (bytes.first(), bytes.get(1)) {
        (Some(&FORMAT), Some(&BLANK)) => EntryPayload::Blank,
        (Some(&FORMAT), Some(&NORMAL)) => EntryPayload::Normal(Proposal::Batch(bytes.slice(2..))),
        (Some(&FORMAT), Some(&CHARTER)) => {
            EntryPayload::Normal(Proposal::Charter(bytes.slice(2..)))
        }
        (Some(&FORMAT), Some(&MEMBERSHIP)) => EntryPayload::Membership(
            postcard::from_bytes(&bytes[2..])
                .map_err(|err| corrupt(format!("membership at {log_id}: {err}")))?,
        ),
        (format, kind) => {
            return Err(corrupt(format!(
                "the log entry at {log_id} has format {format:?} and kind {kind:?}; this build \
                 knows format {FORMAT}: run the version that wrote it"
            )));
        }
    };
    Ok(Entry { log_id, payload })
}

/// Who belongs to the cluster by a log entry, for those who look at logs from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Electorate {
    /// The voters; two sets, of which both must agree, while a change is under way.
    pub voters: Vec<BTreeSet<NodeId>>,
    /// The storage id of each member, whether it votes or not.
    pub disks: BTreeMap<NodeId, StorageId>,
}

/// What a stored payload says of the members; `None` when it is about something else.
pub fn electorate_of(payload: &[u8]) -> Option<Electorate> {
    let membership: Membership = match payload {
        [FORMAT, MEMBERSHIP, membership @ ..] => postcard::from_bytes(membership).ok()?,
        _ => return None,
    };
    Some(Electorate {
        voters: membership.get_joint_config().clone(),
        disks: membership.nodes().map(|(id, peer)| (*id, peer.disk)).collect(),
    })
}

/// The term that a vote is of.
pub(crate) fn term_of(vote: &Vote) -> Term {
    Term(vote.leader_id().term)
}

/// Where the entry of a log id is.
pub(crate) fn index_of(log_id: &LogId) -> LogIndex {
    LogIndex(log_id.index)
}

/// A log id as the plain numbers that storage keeps.
pub(crate) fn position_of(log_id: &LogId) -> Position {
    Position { term: Term(log_id.committed_leader_id().term), index: index_of(log_id) }
}

/// The log id of stored numbers.
pub(crate) fn log_id_of(position: Position) -> LogId {
    let leader = openraft::impls::leader_id_std::LeaderId::new(position.term.0, NodeId(0));
    LogId::new(leader.to_committed(), position.index.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_come_back_as_they_went() {
        let log_id = log_id_of(Position { term: Term(3), index: LogIndex(9) });
        let payloads = [
            EntryPayload::Blank,
            EntryPayload::Normal(Proposal::Batch(Bytes::from_static(b"batch"))),
            EntryPayload::Normal(Proposal::charter(&CharterCommand::WantVoters(5))),
            EntryPayload::Membership(openraft::Membership::new_with_defaults(
                vec![[1, 2, 3].map(NodeId).into()],
                [],
            )),
        ];
        for payload in payloads {
            let entry = Entry { log_id, payload };
            let back = decode_payload(log_id, encode_payload(&entry)).unwrap();
            assert_eq!(entry, back);
        }
    }

    #[test]
    fn a_payload_of_another_format_is_refused_with_advice() {
        let log_id = log_id_of(Position { term: Term(3), index: LogIndex(9) });
        for bytes in [&b""[..], b"\x02", b"\x07\x01x", b"\x02\x09", b"\x02\x02\xff\xff"] {
            assert!(decode_payload(log_id, Bytes::from_static(bytes)).is_err());
        }
    }
}
