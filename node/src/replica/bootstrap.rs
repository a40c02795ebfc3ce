//! The very first election, and whether this disk is its id's.
//!
//! A first member with an empty disk is either new or has lost what it had: entries it
//! acknowledged, votes it gave. It takes no part before it knows which. It asks the
//! other first members:
//!
//! * Somebody's membership names another disk for this id, or does not name the id any
//!   more: the id is spent, and the node stops.
//! * Somebody's membership names this disk: it is new, and just late.
//! * All of them answer and nobody's log has begun: the cluster is new.
//!
//! All must answer for a cluster to begin; if a majority were enough, two nodes of which
//! one lost its disk would begin anew while the third, with everything, is down. Only
//! the first of them then writes the first membership, with everyone's disks, so that
//! there is one such entry.
//!
//! What must hold: while fewer than a majority of disks are lost, somebody who answers
//! has a log that has begun, if anything was ever acknowledged.

use crate::charter::{Member, Peer};
use crate::identity::{Founders, Phase, join_anew};
use crate::peers::channel::channel_to;
use crate::peers::channel::client;
use crate::peers::envelope::Party;
use crate::replica::handle::Replica;
use hangraft_ids::{LogIndex, NodeId, StorageId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Between two rounds of asking.
const ROUND: Duration = Duration::from_millis(200);

/// A peer that has not answered by then counts as missing in this round.
const ANSWER_DEADLINE: Duration = Duration::from_millis(500);

/// Rounds before a node says whom it waits for, and between saying so again.
const SAY_EVERY: u32 = 50;

/// Who asks, and which number the answer must carry. Whoever is at the address now may
/// answer: the node that was there may be gone, and its successor knows what became of us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Greeting {
    pub(crate) cluster: String,
    pub(crate) node: NodeId,
    pub(crate) disk: StorageId,
    pub(crate) nonce: u64,
}

/// What a node says of itself to one that it meets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Introduction {
    /// Who speaks.
    pub(crate) node: NodeId,
    /// The number that the asker gave: this answers its question and no earlier one.
    pub(crate) nonce: u64,
    /// How far its log has come.
    pub(crate) log: LogSays,
    /// The number of its disk.
    pub(crate) disk: StorageId,
    /// The first members it was configured with.
    pub(crate) configured: Founders,
    /// What its newest membership says of who is asking.
    pub(crate) you: YouAre,
    /// By what it has applied, who is asking was a member once, and is none any more.
    pub(crate) you_are_removed: bool,
}

/// What a membership says of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum YouAre {
    /// There is no membership yet, or it is not read yet.
    Unheard,
    /// It is not in it.
    NoMember,
    /// It is in it, with this disk.
    Member { disk: StorageId },
}

/// How far a log has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LogSays {
    /// There is nothing in it.
    Empty,
    /// Nothing but the first membership: no leader was ever elected, as far as it says.
    Founded,
    /// A leader has written to it.
    Begun,
}

/// Runs until this node takes part in its cluster, or knows that it must not.
pub(super) async fn run(replica: Replica) {
    let mut rounds = 0;
    while !replica.has_log().await {
        if replica.0.first_members.is_empty() {
            // It was given its id, and the leader will bring the log, unless the cluster
            // has let it go meanwhile.
            if rounds % SAY_EVERY == SAY_EVERY - 1 {
                let address = replica.0.identity.lock().await.address;
                tracing::info!("waiting for the leader to bring the log; expected at {address}");
            }
            rounds += 1;
            sleep(ROUND).await;
            continue;
        }
        let met = meet(&replica).await;
        let inner = &replica.0;
        let verdict = judge(inner.me, inner.disk, &inner.first_members, &met);
        match verdict {
            Verdict::Spent(why) => {
                if replica.end_removed(&why).await {
                    return;
                }
            }
            // Who may be a copy of another process's folder begins nothing.
            Verdict::New(_) if !*inner.cleared.borrow() => {}
            Verdict::New(disks) => {
                if replica.prove().await && Some(&inner.me) == inner.first_members.keys().next() {
                    found(&replica, &disks).await;
                }
            }
            Verdict::Late => _ = replica.prove().await,
            Verdict::Disagreement(peer) if rounds % SAY_EVERY == 0 => tracing::error!(
                peer,
                "is configured with other first members; make `cluster.members` the same everywhere"
            ),
            Verdict::Wait(missing) if rounds % SAY_EVERY == SAY_EVERY - 1 => tracing::info!(
                ?missing,
                "waiting for first members; all of them must be there once for a cluster to begin"
            ),
            Verdict::Disagreement(_) | Verdict::Wait(_) => {}
        }
        rounds += 1;
        sleep(ROUND).await;
    }
    replica.remember_log().await;
}

/// Writes the first membership.
async fn found(replica: &Replica, disks: &BTreeMap<NodeId, StorageId>) {
    let peer = |(id, (name, address)): (&NodeId, &(String, SocketAddr))| {
        let disk = disks.get(id).copied().unwrap_or_default();
        (*id, Peer { name: name.clone(), address: *address, disk })
    };
    let members: BTreeMap<NodeId, Peer> = replica.0.first_members.iter().map(peer).collect();
    // Another entry may have arrived from a leader just now; that is fine.
    match replica.0.raft.initialize(members).await {
        Ok(()) => tracing::info!(voters = disks.len(), "the cluster begins"),
        Err(err) => tracing::debug!(%err, "the cluster has begun already"),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// All first members are there, with these disks, and nothing has begun.
    New(BTreeMap<NodeId, StorageId>),
    /// The cluster knows this disk.
    Late,
    /// Nobody can say yet; these first members were not met.
    Wait(BTreeSet<NodeId>),
    /// A first member has other first members.
    Disagreement(String),
    /// The id is not this disk's, for this reason.
    Spent(String),
}

fn judge(me: NodeId, disk: StorageId, configured: &Founders, met: &[Introduction]) -> Verdict {
    for theirs in met {
        match theirs.you {
            _ if theirs.you_are_removed => {
                return Verdict::Spent("the cluster has removed this node".into());
            }
            YouAre::Member { disk: known } if known != disk => {
                return Verdict::Spent("the cluster knows this node with another disk".into());
            }
            YouAre::Member { .. } => return Verdict::Late,
            YouAre::NoMember => {
                return Verdict::Spent("the cluster has begun without this node".into());
            }
            YouAre::Unheard => {}
        }
    }
    let first = || met.iter().filter(|theirs| configured.contains_key(&theirs.node));
    if let Some(theirs) = first().find(|theirs| theirs.configured != *configured) {
        let id = theirs.node;
        let name = configured.get(&id).map_or_else(|| format!("n{id}"), |(name, _)| name.clone());
        return Verdict::Disagreement(name);
    }
    let all = || configured.keys().copied().filter(|id| *id != me);
    // One that has a log and cannot say yet what is in it counts as missing, and so does one
    // for whom several speak: at most one of them is not a copy.
    let disk_of = |id: NodeId| {
        let mut theirs = first().filter(move |theirs| theirs.node == id);
        let one = theirs.next().filter(|theirs| theirs.log == LogSays::Empty)?;
        theirs.all(|other| other.disk == one.disk && other.log == one.log).then_some(one.disk)
    };
    let missing: BTreeSet<NodeId> = all().filter(|id| disk_of(*id).is_none()).collect();
    if !missing.is_empty() {
        return Verdict::Wait(missing);
    }
    let disks = all().filter_map(|id| Some((id, disk_of(id)?))).chain([(me, disk)]);
    Verdict::New(disks.collect())
}

/// Asks the first members, or whoever else is known, was named by an operator or has said
/// hello, what they say of themselves and of this node.
async fn meet(replica: &Replica) -> Vec<Introduction> {
    let inner = &replica.0;
    let members = replica.leadership().borrow().members.clone();
    let mut known: BTreeMap<NodeId, SocketAddr> =
        inner.first_members.iter().map(|(id, (_, address))| (*id, *address)).collect();
    known.extend(&inner.known);
    known.extend(members.into_iter().map(|(id, Member { peer, .. })| (id, peer.address)));
    known.remove(&inner.me);
    // All of them may have moved since, and have said hello from where they are; or they may
    // be gone, and only an operator knows who is there.
    let mut addresses: BTreeSet<SocketAddr> = known.into_values().collect();
    addresses.extend(inner.starts.places());
    addresses.extend(&inner.seeds);
    addresses.remove(&inner.start.address);
    let asked = addresses.into_iter().map(|address| async move {
        let (seal, nonce) = (inner.seal.for_strangers(), inner.env.entropy());
        let (cluster, node) = (inner.seal.cluster().to_owned(), inner.me);
        let greeting = Greeting { cluster, node, disk: inner.disk, nonce };
        let mut client = client(channel_to(&inner.env, address), &seal);
        let asking = client.introduce(seal.seal(Party::unmet(NodeId::NONE), &greeting));
        let answer = timeout(ANSWER_DEADLINE, asking).await.ok()?.ok()?;
        let (_, theirs) = seal.open::<Introduction>(&answer.into_inner()).ok()?;
        (theirs.nonce == nonce && theirs.node != inner.me).then_some(theirs)
    });
    futures_util::future::join_all(asked).await.into_iter().flatten().collect()
}

/// How long a node may hear from no leader before it asks whether it was removed.
const SILENCE: Duration = Duration::from_secs(3);

/// Between two times of asking.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// Notices that this node was removed while it was away. Runs as long as it lives.
///
/// It ends when it is told so twice. Who tells it may have moved, and frontends that are linked
/// with this node alone hear from it where that one is; it has to be looked for first.
pub(super) async fn notice_removal(replica: Replica) {
    let mut told = false;
    loop {
        sleep(ASK_EVERY).await;
        if replica.heard_of_leader_within(SILENCE) {
            told = false;
            continue;
        }
        let before = told;
        told = meet(&replica).await.iter().any(|theirs| theirs.you_are_removed);
        if before && told && replica.end_removed("the cluster has removed this node").await {
            return;
        }
    }
}

impl Replica {
    /// What this node says of itself to node `asker`.
    pub(super) fn introduction(&self, asker: NodeId, nonce: u64) -> Introduction {
        let node = self.0.me;
        let inner = &self.0;
        // The device knows before consensus has read it.
        let log = match inner.machine.log().state().last {
            None => LogSays::Empty,
            Some(last) if last.index == LogIndex(0) => LogSays::Founded,
            Some(_) => LogSays::Begun,
        };
        let members = &self.leadership().borrow().members.clone();
        let you = match members.get(&asker) {
            _ if members.is_empty() => YouAre::Unheard,
            None => YouAre::NoMember,
            Some(member) => YouAre::Member { disk: member.peer.disk },
        };
        Introduction {
            node,
            nonce,
            log,
            disk: inner.disk,
            configured: inner.first_members.clone(),
            you,
            you_are_removed: inner.machine.has_lost(asker),
        }
    }

    /// Whether consensus has anything to go on with.
    async fn has_log(&self) -> bool {
        // An error means that consensus has stopped.
        self.0.raft.is_initialized().await.unwrap_or(true)
    }

    /// From now on this disk is the id's; `false` when that could not be stored.
    async fn prove(&self) -> bool {
        self.remember(Phase::Proven).await && {
            self.0.proven.send_replace(true);
            true
        }
    }

    async fn remember_log(&self) {
        if self.0.raft.is_initialized().await == Ok(true) {
            self.remember(Phase::Member).await;
        }
    }

    /// Whether the cluster has removed this node, by what it has applied itself or by
    /// what others say.
    pub(crate) async fn is_removed(&self) -> bool {
        self.0.machine.has_lost(self.me())
            || meet(self).await.iter().any(|theirs| theirs.you_are_removed)
    }

    /// This node is about to be removed, and knows it.
    pub(crate) fn expect_removal(&self, expected: bool) {
        self.0.removal_expected.store(expected, Ordering::Relaxed);
    }

    /// The id in this folder is not used again.
    pub(crate) async fn forget_id(&self, why: &str) {
        self.remember(Phase::Spent(format!("{why}: {}", join_anew(self.0.me)))).await;
    }

    /// Ends, as one that is no member any more; not while that is what this node was asked for.
    /// Whether it does.
    async fn end_removed(&self, why: &str) -> bool {
        let unexpected = !self.0.removal_expected.load(Ordering::Relaxed);
        if unexpected {
            self.end_spent(why).await;
        }
        unexpected
    }

    /// Ends: nobody takes part with this id any more.
    pub(super) async fn end_spent(&self, why: &str) {
        let text = format!("{why}: {}", join_anew(self.0.me));
        self.remember(Phase::Spent(text.clone())).await;
        self.end(true, text);
    }

    /// The membership has the address at which this node is: it need not say any more that
    /// it was moved.
    pub(super) async fn is_at_home(&self) {
        let mut identity = self.0.identity.lock().await;
        if identity.settle()
            && let Err(err) = identity.save(self.0.machine.files()).await
        {
            tracing::warn!(%err, "cannot store that the new address is known");
        }
    }

    /// Stores how far this node has come.
    async fn remember(&self, phase: Phase) -> bool {
        let mut identity = self.0.identity.lock().await;
        if identity.phase == phase {
            return true;
        }
        let was = std::mem::replace(&mut identity.phase, phase);
        match identity.save(self.0.machine.files()).await {
            Ok(()) => true,
            Err(err) => {
                tracing::error!(%err, "cannot store who this node is");
                identity.phase = was;
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured() -> Founders {
        let member = |id: u64| {
            (NodeId(id), (format!("n{id}"), SocketAddr::from(([10, 0, 0, id as u8], 7100))))
        };
        (1..=3).map(member).collect()
    }

    fn says(log: LogSays, you: YouAre) -> Introduction {
        Introduction {
            node: NodeId::NONE,
            nonce: 0,
            log,
            disk: StorageId(9),
            configured: configured(),
            you,
            you_are_removed: false,
        }
    }

    /// Node 1 with disk 7 meets the others.
    #[test]
    fn a_disk_is_judged_by_who_knows_it() {
        use LogSays::{Begun, Empty, Founded};
        use YouAre::{Member, NoMember, Unheard};
        let spent = |text: &str| Verdict::Spent(text.into());
        let other = || spent("the cluster knows this node with another disk");
        let removed = Introduction { you_are_removed: true, ..says(Begun, NoMember) };
        let stranger = Introduction { configured: Founders::new(), ..says(Empty, Unheard) };
        let empty = || says(Empty, Unheard);
        let copy = Introduction { disk: StorageId(10), ..empty() };
        let three = [(1, 7), (2, 9), (3, 9)].map(|(id, disk)| (NodeId(id), StorageId(disk)));
        let waits_for = |ids: &[u64]| Verdict::Wait(ids.iter().copied().map(NodeId).collect());
        let known = |disk| Member { disk: StorageId(disk) };
        let cases = [
            (vec![], waits_for(&[2, 3])),
            (vec![(2, empty())], waits_for(&[3])),
            (vec![(2, empty()), (3, empty())], Verdict::New(three.into())),
            (vec![(3, says(Begun, known(7)))], Verdict::Late),
            (vec![(2, empty()), (3, says(Founded, known(7)))], Verdict::Late),
            (vec![(2, says(Begun, known(8)))], other()),
            // One that knows is enough, whoever else knows nothing.
            (vec![(2, empty()), (3, says(Begun, known(8)))], other()),
            (vec![(2, removed)], spent("the cluster has removed this node")),
            (vec![(2, says(Begun, NoMember))], spent("the cluster has begun without this node")),
            // It has just started and has not read its log yet.
            (vec![(2, says(Begun, Unheard)), (3, empty())], waits_for(&[2])),
            (vec![(2, stranger.clone())], Verdict::Disagreement("n2".into())),
            // Who is no first member may know of us; what it was configured with is its own.
            (vec![(9, stranger), (2, empty()), (3, empty())], Verdict::New(three.into())),
            (vec![(9, says(Begun, known(8)))], other()),
            // A copy that knows nothing does not drown who knows, and nothing begins with it.
            (vec![(2, says(Begun, known(8))), (2, empty())], other()),
            (vec![(2, empty()), (2, copy), (3, empty())], waits_for(&[2])),
        ];
        for (met, expected) in cases {
            let met: Vec<Introduction> = met
                .into_iter()
                .map(|(id, theirs)| Introduction { node: NodeId(id), ..theirs })
                .collect();
            assert_eq!(judge(NodeId(1), StorageId(7), &configured(), &met), expected, "{met:?}");
        }
    }
}
