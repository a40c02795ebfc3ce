//! Compares lobbies: a replica that has drifted stops.
//!
//! Equal logs make equal lobbies, unless memory, a disk or one of our mistakes does
//! otherwise. So every replica remembers the lobby's hash behind each of the last entries
//! it has applied, and asks the voters again and again what they had at one of them. Whom
//! a majority contradicts, with one voice, is wrong and stops: drifting is a lie. When
//! hashes differ and no majority can be asked, nobody can tell who is wrong; it is said,
//! and the next answer decides.
//!
//! Only nodes of one version compare: another may keep rooms in other bytes.

use crate::charter::Peer;
use crate::format::VERSION;
use crate::peers::channel::channel_to;
use crate::peers::channel::client;
use crate::peers::envelope::Party;
use crate::raft::machine::Machine;
use crate::replica::handle::Replica;
use hangraft_ids::{LogIndex, NodeId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;

/// Between looking at one's own hash and asking the others for theirs: by then they have
/// applied as much, or are too far behind to tell.
const EVERY: Duration = Duration::from_secs(2);

const ANSWER_DEADLINE: Duration = Duration::from_secs(1);

/// Asks for the hash behind an entry.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Question {
    index: LogIndex,
    /// The version of the asker's build.
    version: String,
}

/// What comes of a comparison.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Nobody contradicts.
    Same,
    /// These do, and they are no majority of one mind.
    Divided(BTreeSet<NodeId>),
    /// A majority of the voters does, with one voice.
    Outvoted,
}

/// Judges a hash by those of the other voters, of which there are `voters` with whoever
/// asks, if it votes.
fn judge(mine: u64, theirs: &BTreeMap<NodeId, u64>, voters: usize) -> Verdict {
    let mut by_hash: BTreeMap<u64, BTreeSet<NodeId>> = BTreeMap::new();
    for (id, hash) in theirs.iter().filter(|(_, hash)| **hash != mine) {
        by_hash.entry(*hash).or_default().insert(*id);
    }
    if by_hash.values().any(|ids| ids.len() > voters / 2) {
        return Verdict::Outvoted;
    }
    let differing: BTreeSet<NodeId> = by_hash.into_values().flatten().collect();
    if differing.is_empty() { Verdict::Same } else { Verdict::Divided(differing) }
}

impl Question {
    /// The answer; none when it is not remembered, or would mean something else.
    pub(super) fn answered_by(&self, machine: &Machine) -> Option<u64> {
        if self.version == VERSION { machine.hash_at(self.index) } else { None }
    }
}

/// Runs as long as the replica does.
pub(super) async fn run(replica: Replica) {
    let mut channels = BTreeMap::new();
    let mut said = BTreeSet::new();
    loop {
        let standing = replica.0.machine.standing();
        sleep(EVERY).await;
        let Some(applied) = standing.applied else { continue };
        let members = replica.leadership().borrow().members.clone();
        let voters = members.into_iter().filter(|(_, member)| member.votes);
        let mut voters: BTreeMap<NodeId, Peer> =
            voters.map(|(id, member)| (id, member.peer)).collect();
        let count = voters.len();
        voters.remove(&replica.me());
        let theirs = ask(&replica, &mut channels, voters, applied.index).await;
        match judge(standing.hash, &theirs, count) {
            Verdict::Same => said.clear(),
            Verdict::Divided(differing) => {
                if said != differing {
                    let text = format!("{} another lobby than this node", have(&differing));
                    replica.event("drift", text);
                }
                said = differing;
            }
            Verdict::Outvoted => {
                let text = format!(
                    "this node has another lobby than a majority at entry {}: its memory or its \
                     disk is not to be trusted. Start it again; if it says so again, join with \
                     an empty folder as a new node",
                    applied.index
                );
                replica.event("drift", text.clone());
                return replica.end(false, text);
            }
        }
    }
}

fn have(ids: &BTreeSet<NodeId>) -> String {
    let names: Vec<String> = ids.iter().map(|id| format!("n{id}")).collect();
    format!("{} {}", names.join(", "), if ids.len() == 1 { "has" } else { "have" })
}

/// What others say that their hash was; who does not know is missing.
async fn ask(
    replica: &Replica,
    channels: &mut BTreeMap<SocketAddr, Channel>,
    others: BTreeMap<NodeId, Peer>,
    index: LogIndex,
) -> BTreeMap<NodeId, u64> {
    channels.retain(|address, _| others.values().any(|peer| peer.address == *address));
    let asked = others.into_iter().map(|(id, peer)| {
        let channel = channels
            .entry(peer.address)
            .or_insert_with(|| channel_to(&replica.0.env, peer.address))
            .clone();
        async move {
            let seal = &replica.0.seal;
            let question = Question { index, version: VERSION.to_owned() };
            let mut client = client(channel, seal);
            let asking = client.hash(seal.seal(Party { node: id, disk: peer.disk }, &question));
            let answer = timeout(ANSWER_DEADLINE, asking).await.ok()?.ok()?;
            let (from, hash) = seal.open::<Option<u64>>(&answer.into_inner()).ok()?;
            (from.party.node == id).then_some((id, hash?))
        }
    });
    futures_util::future::join_all(asked).await.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_a_majority_contradicts_is_wrong() {
        let divided = |ids: &[u64]| Verdict::Divided(ids.iter().copied().map(NodeId).collect());
        let cases = [
            (vec![], 3, Verdict::Same),
            (vec![(2, 7), (3, 7)], 3, Verdict::Same),
            (vec![(2, 7), (3, 8)], 3, divided(&[3])),
            (vec![(3, 8)], 3, divided(&[3])),
            (vec![(2, 8), (3, 8)], 3, Verdict::Outvoted),
            // Two who are wrong in two ways are no majority of one mind.
            (vec![(2, 8), (3, 9)], 3, divided(&[2, 3])),
            (vec![(2, 8), (3, 8), (4, 7), (5, 9)], 5, divided(&[2, 3, 5])),
            (vec![(2, 8), (3, 8), (4, 7), (5, 8)], 5, Verdict::Outvoted),
        ];
        for (theirs, voters, expected) in cases {
            let theirs = theirs.into_iter().map(|(id, hash)| (NodeId(id), hash)).collect();
            assert_eq!(judge(7, &theirs, voters), expected, "{theirs:?} of {voters}");
        }
    }
}
