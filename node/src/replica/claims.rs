//! A process that has started asks the others to take its word, and is told if it is not
//! the only one of its node.
//!
//! The others look for it where they expect it; see [`crate::peers::starts`]. Until one of them has
//! answered, it neither gossips, for a copy would be heard in the place of the original, nor
//! stands for election. An only voter needs nobody's word to lead; it looks for itself at its
//! own address, where a copy finds the original, or nobody. A node that was moved takes no
//! part at all until the others have found it: they may still hear it from where it was.
//!
//! Who needs nobody's word speaks up all the same, see [`tell`]: others may need to hear from it.
//!
//! Who is told for a while that its node lives elsewhere is a copy, or was left behind. It
//! stops, and starting it again changes nothing.

use crate::charter::{Member, Members};
use crate::identity::AS_A_NEW_NODE;
use crate::peers::channel::channel_to;
use crate::peers::channel::client;
use crate::peers::envelope::{Party, Speaker};
use crate::peers::starts::{Look, Reception, Start};
use crate::raft::types::index_of;
use crate::replica::handle::Replica;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hangraft_ids::{Instance, LogIndex, NodeId};
use openraft::async_runtime::WatchReceiver;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use tonic::Code;

/// Between two rounds of asking.
const ROUND: Duration = Duration::from_millis(200);

/// Rounds at that pace, and the pace after them: who has not answered by then may be away
/// for long.
const ROUNDS_QUICK: u32 = 25;
const ROUND_LATER: Duration = Duration::from_secs(1);

/// Whoever is asked looks first; what it does not answer within this is asked again.
const ANSWER_DEADLINE: Duration = Duration::from_millis(1_500);

/// Who is looked for at an address and does not answer by then is not there.
const LOOK_DEADLINE: Duration = Duration::from_secs(1);

/// After so long everybody is asked once more: a peer that has started since forgot who this
/// process is, and its log may not have this node's address yet.
const ONCE_MORE: Duration = Duration::from_secs(3);

/// How often those are told who are no members: an address where nobody is is tried for good.
const TELL_EVERY: Duration = Duration::from_secs(3);

/// Told for so long that its node lives elsewhere, a process stops. A process that is just
/// being replaced ends sooner.
const COPY_AFTER: Duration = Duration::from_secs(3);

/// A node that was moved waits so long for voters that do not answer; then a majority that
/// has found it is enough.
const MOVE_WAIT: Duration = Duration::from_secs(5);

/// A process asks for its word to be taken, or only who is there. Whoever is at the address
/// may answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) cluster: String,
    /// `None` of one that only wants to know.
    pub(super) me: Option<Start>,
    pub(super) nonce: u64,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Met {
    /// The number that the asker gave.
    pub(super) nonce: u64,
    /// Who answers.
    pub(super) me: Start,
    /// What it says to the asker.
    pub(super) you: Reception,
    /// Whom it has found where; and itself, where it is by its membership.
    pub(super) others: Vec<Start>,
    /// Who votes, by what it knows.
    pub(super) voters: Voters,
}

/// Who votes, by the newest membership in somebody's log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Voters {
    /// The index of that membership.
    at: Option<LogIndex>,
    /// Two sets while a change is under way.
    sets: Vec<BTreeSet<NodeId>>,
}

/// What came of asking.
enum Answer {
    Met(Met),
    /// A member of the version before, which does not look.
    Former,
    Silent,
}

/// Asks at an address.
async fn ask(replica: &Replica, at: SocketAddr, me: Option<Start>, deadline: Duration) -> Answer {
    let inner = &replica.0;
    let (seal, nonce) = (inner.seal.for_strangers(), inner.env.entropy());
    let hello = Hello { cluster: inner.seal.cluster().to_owned(), me, nonce };
    let mut client = client(channel_to(&inner.env, at), &seal);
    match timeout(deadline, client.meet(seal.seal(Party::unmet(NodeId::NONE), &hello))).await {
        Ok(Ok(answer)) => match seal.open::<Met>(&answer.into_inner()) {
            Ok((_, met)) if met.nonce == nonce => Answer::Met(met),
            _ => Answer::Silent,
        },
        Ok(Err(status)) if status.code() == Code::Unimplemented => Answer::Former,
        Ok(Err(_)) | Err(_) => Answer::Silent,
    }
}

impl Replica {
    /// Who votes, by the newest membership in this node's log.
    pub(super) fn voters(&self) -> Voters {
        let metrics = self.0.raft.metrics();
        let known = metrics.borrow_watched().membership_config.clone();
        let sets = known.membership().get_joint_config().clone();
        Voters { at: known.log_id().as_ref().map(index_of), sets }
    }

    /// Where this node is by the membership in its log.
    pub(super) fn home(&self) -> Option<SocketAddr> {
        self.membership().get(&self.me()).map(|member| member.peer.address)
    }

    /// Where this node has known others, as configured or as heard of when it joined, and where
    /// no member is. Members are told wherever they are; who is at the former address of one may
    /// be what was left behind when it was moved.
    fn outsiders(&self) -> BTreeSet<SocketAddr> {
        let inner = &self.0;
        let members = inner.starts.located(self.membership());
        if members.is_empty() {
            return BTreeSet::new();
        }
        let first = inner.first_members.iter().map(|(id, (_, address))| (id, address));
        let known = first.chain(&inner.known).filter(|(id, _)| !members.contains_key(id));
        let mut places: BTreeSet<SocketAddr> =
            known.map(|(_, address)| *address).chain(inner.seeds.iter().copied()).collect();
        for member in members.values() {
            places.remove(&member.peer.address);
        }
        places.remove(&inner.start.address);
        places
    }

    /// What this node says to a process that has started, and says where it is.
    pub(super) async fn meet(&self, start: Start) -> Reception {
        let mine = self.0.start;
        if start.node != mine.node {
            let Start { node, disk, instance, address, .. } = start;
            let from = Speaker { party: Party { node, disk }, instance };
            let standing = self.vouch(from, Some(address)).await;
            if standing == Reception::Unheard {
                self.0.starts.note_stranger(start);
            }
            return standing;
        }
        match start.instance == mine.instance {
            true => Reception::Welcome,
            false if start.disk != mine.disk => Reception::Unheard,
            false if *self.0.cleared.borrow() => Reception::Elsewhere(mine),
            false => Reception::NotYet("this process waits to be found itself".into()),
        }
    }

    /// Whether the word of an instance is taken that was not heard before: looks for it.
    pub(super) async fn vouch(&self, from: Speaker, address: Option<SocketAddr>) -> Reception {
        planted!(CopyIsHeard => return Reception::Welcome);
        let places = match self.0.starts.look(from, address) {
            Look::Known(standing) => return standing,
            Look::For(places) => places,
        };
        // It is looked for to the end, whoever has asked: heartbeats do not wait so long.
        let replica = self.clone();
        let looking = async move { replica.look_for(from, address, places).await };
        let looked = self.0.tasks.spawn("looks for nodes", looking).await.ok().flatten();
        looked.unwrap_or_else(|| Reception::NotYet("this node ends".into()))
    }

    async fn look_for(
        &self,
        from: Speaker,
        address: Option<SocketAddr>,
        places: Vec<SocketAddr>,
    ) -> Reception {
        let looks = places.into_iter().map(|place| async move {
            match ask(self, place, None, LOOK_DEADLINE).await {
                Answer::Met(met) => (place, Some(met.me)),
                Answer::Former | Answer::Silent => (place, None),
            }
        });
        let found = futures_util::future::join_all(looks).await;
        let (standing, first) = self.0.starts.found(from, &found);
        if first {
            self.say(from, address, &standing);
        }
        standing
    }

    fn say(&self, from: Speaker, address: Option<SocketAddr>, standing: &Reception) {
        match standing {
            Reception::Elsewhere(original) => {
                metrics::counter!("hangraft_copies_refused_total").increment(1);
                let Start { node, number, address: home, .. } = original;
                let whence = match address {
                    Some(address) if address != *home => format!(" at {address}"),
                    _ => " elsewhere".into(),
                };
                self.complain(format!(
                    "node {node} was started twice: it lives at {home} (its start {number}), and a \
                     copy of its data folder was started{whence}; the copy is refused"
                ));
            }
            Reception::NotYet(why) => {
                self.complain(format!("node {} is not believed yet: {why}", from.party.node));
            }
            Reception::Welcome | Reception::Unheard => {}
        }
    }
}

/// Runs as long as the node does.
pub(super) async fn run(replica: Replica) {
    let mut claim = Claim::new(replica);
    let mut rounds = 0;
    loop {
        if claim.round().await {
            return;
        }
        rounds += 1;
        sleep(if rounds < ROUNDS_QUICK { ROUND } else { ROUND_LATER }).await;
    }
}

/// Says every now and then where this node is, to those whom it knew and who are no members any
/// more, or never were. Who comes back there has an old log, or none, and asks where it knew the
/// others. All who are left may be elsewhere by then: one that has moved, or one that came later,
/// and alone it has nobody else to tell. Runs as long as the node does.
///
/// It does not end with an answer: whoever gave it forgets it when it starts again. What is
/// answered counts for nothing; only members say who this process is.
pub(super) async fn tell(replica: Replica) {
    loop {
        sleep(TELL_EVERY).await;
        // Who may be a copy tells only members, who know the original.
        if !*replica.0.cleared.borrow() {
            continue;
        }
        let mine = Some(replica.0.start);
        let telling = replica.outsiders().into_iter().map(|place| {
            let replica = &replica;
            async move { _ = ask(replica, place, mine, ANSWER_DEADLINE).await }
        });
        futures_util::future::join_all(telling).await;
    }
}

/// How far this process has come in being believed.
struct Claim {
    replica: Replica,
    since: Instant,
    /// Members whose word is that this process is the one, and who they were.
    welcomed: BTreeMap<NodeId, Instance>,
    /// When everybody was asked last.
    asked_all: Instant,
    /// Since when somebody says that this node lives elsewhere.
    elsewhere: Option<Instant>,
    /// It is this process that is reached at the node's address.
    stands: bool,
    /// The newest that is known of who votes, here or by others: a node that was away long knows
    /// only who did.
    voters: Voters,
}

/// What was said in one round.
#[derive(Default)]
struct Said {
    welcome: bool,
    /// Somebody who would not know of a copy has answered.
    unheard: bool,
    elsewhere: Option<Start>,
}

impl Claim {
    fn new(replica: Replica) -> Self {
        let stands = replica.0.listens == replica.0.start.address;
        let (since, welcomed) = (Instant::now(), BTreeMap::new());
        let voters = replica.voters();
        Claim { replica, since, welcomed, asked_all: since, elsewhere: None, stands, voters }
    }

    /// Asks who has not welcomed this process yet; `true` when it has to stop.
    async fn round(&mut self) -> bool {
        let members = self.replica.membership();
        let home = members.get(&self.replica.me()).map(|member| member.peer.address);
        if home == Some(self.replica.0.start.address) {
            self.replica.is_at_home().await;
        }
        let everybody = self.asked_all.elapsed() >= ONCE_MORE;
        if everybody {
            self.asked_all = Instant::now();
        }
        let waits = self.waiting_for(&members, home, everybody);
        let all_there = !members.is_empty() && waits.is_empty() && self.elsewhere.is_none();
        let mut places = if all_there { BTreeSet::new() } else { self.places(&members, &waits) };
        if !self.stands {
            places.insert(self.replica.0.start.address);
        }
        let said = self.ask_all(places).await;
        if let Some(original) = said.elsewhere {
            if said.welcome && home == Some(self.replica.0.start.address) {
                self.elsewhere = None;
            }
            let since = *self.elsewhere.get_or_insert_with(Instant::now);
            // Whom some take for the one it is, and who was there first, goes on.
            let later = original.number < self.replica.0.start.number;
            let gives_way = !said.welcome || later && home != Some(self.replica.0.start.address);
            if since.elapsed() >= COPY_AFTER && gives_way {
                self.replica.end(true, copied(&original));
                return true;
            }
            return false;
        }
        if said.welcome {
            self.elsewhere = None;
        }
        if said.welcome || self.needs_no_welcome(&members, said.unheard || all_there) {
            self.replica.clear();
        }
        if self.replica.0.moved && self.is_found() {
            self.replica.take_part();
        }
        false
    }

    /// Whether nobody has to welcome this process: none of the others would know of a copy, or
    /// it is the only voter, or nobody else is known, and it is this process that is reached.
    fn needs_no_welcome(&self, members: &Members, nobody_would_know: bool) -> bool {
        let inner = &self.replica.0;
        let others = members.keys().chain(inner.first_members.keys()).chain(inner.known.keys());
        let alone = others.copied().all(|id| id == inner.me);
        if alone || self.replica.others_needed() == Some(0) {
            if !self.stands && self.since.elapsed() > COPY_AFTER {
                let at = inner.start.address;
                self.replica.complain(format!(
                    "this node does not find itself at {at}, so it does not lead although it is \
                     the only voter: it may be a copy; is its address right?"
                ));
            }
            return self.stands;
        }
        nobody_would_know
    }

    /// Members that have not welcomed this process, as the processes that they are now. Until
    /// the membership has its address, anybody who starts again forgets where it was found, and
    /// cannot even say so to it: then it is everybody, round after round.
    fn waiting_for(
        &self,
        members: &Members,
        home: Option<SocketAddr>,
        everybody: bool,
    ) -> BTreeSet<NodeId> {
        let Start { node: me, address, .. } = self.replica.0.start;
        let known_here = home == Some(address) && !everybody;
        let starts = &self.replica.0.starts;
        let welcomed = |id: &NodeId| {
            let now = starts.instance_of(*id);
            known_here
                && self.welcomed.get(id).is_some_and(|then| *then == now || now == Instance::NONE)
        };
        members.keys().copied().filter(|id| *id != me && !welcomed(id)).collect()
    }

    /// Where to ask.
    fn places(&self, members: &Members, waits: &BTreeSet<NodeId>) -> BTreeSet<SocketAddr> {
        let inner = &self.replica.0;
        let asked = |id: &NodeId| waits.contains(id) || self.elsewhere.is_some();
        let mut places: BTreeSet<SocketAddr> = members
            .iter()
            .filter(|(id, _)| asked(id))
            .flat_map(|(id, Member { peer, .. })| {
                let here = inner.starts.address_of(*id, peer.address);
                std::iter::once(here).chain(inner.starts.hint_of(*id))
            })
            .collect();
        // All members that this node knows of may be gone.
        places.extend(inner.starts.strangers());
        // Where it was, somebody may live still.
        places.extend(members.get(&inner.me).map(|member| member.peer.address));
        if members.is_empty() || inner.moved {
            places.extend(inner.known.values().chain(&inner.seeds));
            places.extend(inner.first_members.values().map(|(_, address)| *address));
            places.extend(inner.starts.places());
        }
        places.remove(&inner.start.address);
        places
    }

    async fn ask_all(&mut self, places: BTreeSet<SocketAddr>) -> Said {
        let mut said = Said::default();
        let replica = self.replica.clone();
        let mine = replica.0.start;
        let asking = places.into_iter().map(|place| {
            let replica = replica.clone();
            async move { (place, ask(&replica, place, Some(mine), ANSWER_DEADLINE).await) }
        });
        let mut answers: FuturesUnordered<_> = asking.collect();
        while let Some((place, answer)) = answers.next().await {
            let met = match answer {
                Answer::Met(met) => met,
                Answer::Former => {
                    said.unheard = true;
                    continue;
                }
                Answer::Silent => continue,
            };
            if met.me.instance == mine.instance {
                self.stands = true;
                continue;
            }
            let party = Party { node: met.me.node, disk: met.me.disk };
            let knows_more = met.voters.at > replica.voters().at;
            let is_member = replica.0.starts.knows(party);
            if met.voters.at > self.voters.at {
                self.voters = met.voters;
            }
            let (own, others): (Vec<Start>, Vec<Start>) =
                met.others.iter().partition(|start| start.node == met.me.node);
            if let Some(own) = own.first() {
                replica.0.starts.note_mover(met.me, own.address);
            }
            replica.0.starts.hint(&others);
            if is_member || knows_more && met.you == Reception::Welcome {
                replica.hear_of(others.iter().chain([&met.me]));
            }
            replica.0.starts.answered(place, met.me);
            match met.you {
                Reception::Welcome => {
                    said.welcome = true;
                    self.welcomed.insert(met.me.node, met.me.instance);
                    // The others hear of this node as soon as one has found it.
                    if said.elsewhere.is_none() && !replica.0.moved {
                        replica.clear();
                    }
                }
                Reception::Unheard => said.unheard = true,
                Reception::Elsewhere(_) if !is_member && !knows_more => {}
                Reception::Elsewhere(start) => {
                    self.welcomed.remove(&met.me.node);
                    said.elsewhere = Some(start);
                }
                Reception::NotYet(why) => tracing::debug!(%place, why, "not believed yet"),
            }
        }
        said
    }

    /// Whether enough others have found this node where it is now. A majority of those that
    /// vote by an older membership knows of every newer one, so the newest that anybody tells
    /// is the one that counts. Before there is one, the first members will vote.
    fn is_found(&self) -> bool {
        let me = self.replica.me();
        let there = |id: &&NodeId| **id == me || self.welcomed.contains_key(*id);
        let waited = self.since.elapsed() >= MOVE_WAIT;
        let enough = |voters: &BTreeSet<NodeId>| {
            let found = voters.iter().filter(there).count();
            found == voters.len() || waited && found > voters.len() / 2
        };
        let first = || self.replica.0.first_members.keys().copied().collect();
        match self.voters.at {
            Some(_) => self.voters.sets.iter().all(enough),
            None => enough(&first()),
        }
    }
}

fn copied(original: &Start) -> String {
    let Start { node, number, address, .. } = original;
    format!(
        "node {node} lives at {address} (its start {number}), with the same disk number: this data \
         folder is a copy of its folder, or was left behind when it was moved; to go on here, stop \
         that one for good and start this one with --new-address ADDR; to have another node, \
         {AS_A_NEW_NODE}"
    )
}
