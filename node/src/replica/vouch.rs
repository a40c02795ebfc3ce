//! Whether this node's disk is still what it was: nodes tell each other what they
//! remember of everyone's promises, and each judges itself by it.
//!
//! A node judges itself, for only it can compare at one instant: what another remembers may
//! be newer than what this one said of itself a moment ago. It takes no part before enough
//! of the others have told it what they remember; that costs nothing, because it needs as
//! many to do anything. Whoever finds its disk set back says so to the others and stops,
//! for good: its id stands for promises that nobody can keep any more, and the others go
//! on as if it had died.
//!
//! What must hold: an entry is remembered by the leader it was acknowledged to, at once,
//! and by the others within [`EVERY`]; by a node that was stopped in between, as of
//! [`SAVE_EVERY`]. A disk that lost less than that, while every node that knew better was
//! away, is not noticed.
//!
//! # Not here
//!
//! Healing such a disk in place. Letting the leader send again what was lost
//! (`allow_log_reversion` in openraft) would mend its log, but not the votes it has given
//! and forgotten: those who were given them may be away, so nobody can say in which term it
//! may vote again.

use crate::peers::channel::channel_to;
use crate::peers::channel::client;
use crate::peers::envelope::Party;
use crate::peers::promises::{Held, Promised};
use crate::peers::starts::Start;
use crate::raft::types::Membership;
use crate::replica::handle::Replica;
use crate::storage::log::{behind, synced};
use hangraft_ids::{NodeId, StorageId, Term};
use openraft::async_runtime::WatchReceiver;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tonic::Code;
use tonic::transport::Channel;

/// Between two rounds of telling the others, when nothing is in doubt.
const EVERY: Duration = Duration::from_secs(2);

/// Between two rounds while too few have answered, and after a doubt.
const SOON: Duration = Duration::from_millis(200);

/// Whoever has not answered by then is missing in this round.
const ANSWER_DEADLINE: Duration = Duration::from_millis(500);

/// The only voter by its own log needs nobody. But the log may be from before others voted, so
/// the members that it names are waited for, for so long. They may as well be dead.
const ALONE_AFTER: Duration = Duration::from_secs(10);

/// Rounds before a node says that it waits, and between saying so again.
const SAY_EVERY: u32 = 50;

/// How often what is remembered goes to the disk, if it has changed.
const SAVE_EVERY: Duration = Duration::from_secs(10);

/// Nodes that members have named and that are asked, at most.
const HEARD_OF_MAX: usize = 64;

/// What nodes tell each other.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Memory {
    /// What the speaker's own disk has promised; all of it is durable.
    mine: Promised,
    /// What the speaker knows that others have promised, whom it is told to included.
    others: Vec<(Party, Promised)>,
    /// How many others one of the voters needs to reach a majority, by the speaker's log;
    /// absent if it has none.
    others_needed: Option<u64>,
    /// The speaker's disk has been set back. It stops.
    set_back: bool,
}

/// Runs as long as the replica does.
pub(super) async fn run(replica: Replica) {
    let mut channels = BTreeMap::new();
    let mut heard = Heard::new();
    let (mut rounds, mut saved) = (0, Instant::now());
    loop {
        replica.note_mine().await;
        tell_all(&replica, &mut channels, &mut heard).await;
        // Counted first: what those who are counted remember is known then.
        let enough = heard.enough(&replica);
        if let Some((promised, held)) = replica.broken_promise() {
            return replica.end_set_back(&mut channels, promised, held).await;
        }
        if !replica.is_vouched() && enough {
            replica.0.promises.vouch();
            replica.let_stand();
        }
        if saved.elapsed() > SAVE_EVERY {
            saved = Instant::now();
            replica.save_promises().await;
        }
        rounds += 1;
        if replica.is_vouched() {
            // Doubts come in floods; each is looked into once.
            sleep(SOON).await;
            _ = timeout(EVERY - SOON, replica.0.promises.doubt()).await;
            continue;
        }
        if rounds % SAY_EVERY == 0 {
            tracing::info!("waiting for more of the others, to ask whether this disk is whole");
        }
        sleep(SOON).await;
    }
}

/// Who has told this node what it remembers, since it started.
struct Heard {
    who: BTreeSet<NodeId>,
    /// The smallest number of others that somebody thinks is needed.
    needed: Option<u64>,
    begun: Instant,
}

impl Heard {
    fn new() -> Self {
        Heard { who: BTreeSet::new(), needed: None, begun: Instant::now() }
    }

    /// Whether so many have answered that a majority could be made with them.
    fn enough(&self, replica: &Replica) -> bool {
        let told = replica.0.told.lock().expect("never poisoned").clone();
        let who = self.who.union(&told).count() as u64;
        let needed = [self.needed, replica.others_needed()].into_iter().flatten().min();
        let asked = replica.whom_to_ask().len();
        // Consensus knows them a moment before they are asked.
        let named = replica.membership().len().saturating_sub(1).max(asked) as u64;
        match needed {
            Some(0) => who >= named || self.begun.elapsed() > ALONE_AFTER,
            Some(needed) => who >= needed,
            // A node without a log does not know how many there are. One will do: whoever has
            // brought it in is among those it asks.
            None => who >= asked.min(1) as u64,
        }
    }
}

/// One round: everyone is told, and answers.
async fn tell_all(
    replica: &Replica,
    channels: &mut BTreeMap<SocketAddr, Channel>,
    heard: &mut Heard,
) {
    let others = replica.whom_to_ask();
    channels.retain(|address, _| others.values().any(|(_, known)| known == address));
    let memory = replica.memory();
    let asked = others.into_values().map(|(party, address)| {
        let channel =
            channels.entry(address).or_insert_with(|| channel_to(&replica.0.env, address)).clone();
        let (memory, seal) = (&memory, &replica.0.seal);
        async move {
            let mut client = client(channel, seal);
            let asking = client.remember(seal.seal(party, memory));
            match timeout(ANSWER_DEADLINE, asking).await.ok()? {
                Ok(answer) => {
                    let (from, memory) = seal.open::<Memory>(&answer.into_inner()).ok()?;
                    (from.party.node == party.node).then_some((from.party, memory))
                }
                // An older version remembers nothing.
                Err(status) if status.code() == Code::Unimplemented => {
                    Some((party, Memory::default()))
                }
                Err(_) => None,
            }
        }
    });
    let answers = futures_util::future::join_all(asked).await.into_iter().flatten();
    let without_log = replica.leadership().borrow().members.is_empty();
    for (from, memory) in answers {
        // Somebody who was only named may have come lately, and have no log yet.
        if memory.others_needed.is_some() || replica.0.starts.knows(from) || without_log {
            heard.who.insert(from.node);
        }
        heard.needed = [heard.needed, memory.others_needed].into_iter().flatten().min();
        replica.learn(from, memory);
    }
}

impl Replica {
    /// Somebody says what it remembers; the answer is what this node does. Nothing is learned
    /// from those of whom this node does not know that they are members: a copy that finds itself
    /// set back would speak of the disk of the node that it is a copy of. A node without a log
    /// knows nobody, and all whom it has heard of when it joined may be gone: it learns from
    /// those who have a log.
    pub(super) fn exchange(&self, from: Party, memory: Memory) -> Memory {
        let without_log = self.leadership().borrow().members.is_empty();
        let has_log = memory.others_needed.is_some() && !memory.set_back;
        let counts = self.0.starts.knows(from) || without_log && has_log;
        if !counts {
            return self.memory();
        }
        // Who counts this node as a member remembers it.
        let me = self.party();
        let remembers = !without_log || memory.others.iter().any(|(party, _)| *party == me);
        self.learn(from, memory);
        // Who is counted has been learned from.
        if !self.is_vouched() && remembers {
            self.0.told.lock().expect("never poisoned").insert(from.node);
        }
        self.memory()
    }

    fn learn(&self, from: Party, memory: Memory) {
        let promises = &self.0.promises;
        for (party, promised) in memory.others {
            promises.note(party, promised);
        }
        promises.note(from, memory.mine);
        if memory.set_back && promises.note_set_back(from) {
            let name = self.name_of(from.node);
            self.event(
                "disk",
                format!(
                    "the disk of {name} has been set back: it has lost what it promised, is heard \
                     no more, and counts as dead; let a new node join to replace it"
                ),
            );
        }
    }

    fn memory(&self) -> Memory {
        let me = self.party();
        let (mine, others): (Vec<_>, Vec<_>) =
            self.0.promises.all().into_iter().partition(|(party, _)| *party == me);
        Memory {
            mine: mine.first().map_or_else(Promised::default, |(_, mine)| *mine),
            others,
            others_needed: self.others_needed(),
            set_back: self.0.promises.is_set_back(me),
        }
    }

    /// Remembers what this disk holds, once it is durable, and what is committed.
    async fn note_mine(&self) {
        let log = self.0.machine.log();
        let applied = self.0.machine.standing().applied;
        let state = log.state();
        let entries = behind(state.last).0;
        let committed = behind(applied).0.min(entries);
        let mine = Promised {
            term: state.vote.map_or(Term(0), |vote| vote.term),
            acknowledged: 0,
            committed,
        };
        let members = self.leadership().borrow().members.clone();
        // Until it is vouched for, its log may be old: those it does not know may be members.
        if !members.is_empty() && self.is_vouched() {
            let me = self.party();
            self.0.promises.keep(|party| {
                let known = members.get(&party.node).map(|member| member.peer.disk);
                known == Some(party.disk) || *party == me
            });
        }
        if let Some(applied) = applied {
            self.0.promises.note_committed(applied);
        }
        let before = self.0.promises.all().into_iter().find(|(party, _)| *party == self.party());
        let known = before
            .is_some_and(|(_, known)| known.term >= mine.term && known.committed >= mine.committed);
        if !known && synced(log).await.is_ok() {
            self.0.promises.note(self.party(), mine);
        }
    }

    /// What this disk has promised and what it holds, if that is less.
    fn broken_promise(&self) -> Option<(Promised, Held)> {
        planted!(disks_are_believed() => return None);
        let me = self.party();
        let promised = self.0.promises.all().into_iter().find(|(party, _)| *party == me)?.1;
        // Looked at after the promise was: it only grows.
        let state = self.0.machine.log().state();
        let covered = behind(self.0.machine.standing().applied).0;
        let held = Held {
            term: state.vote.map_or(Term(0), |vote| vote.term),
            entries: behind(state.last).0.max(covered),
        };
        (!promised.is_kept_by(held)).then_some((promised, held))
    }

    /// Says that this disk has been set back, to the others and to operators, and ends.
    async fn end_set_back(
        &self,
        channels: &mut BTreeMap<SocketAddr, Channel>,
        promised: Promised,
        held: Held,
    ) {
        self.0.promises.note_set_back(self.party());
        let why = format!(
            "this node's disk has been set back: it had {} entries in term {}, as the others know, \
             and has {} in term {}; what it promised in between is lost",
            promised.acknowledged.max(promised.committed),
            promised.term,
            held.entries,
            held.term,
        );
        self.event("disk", why.clone());
        tell_all(self, channels, &mut Heard::new()).await;
        self.end_spent(&why).await;
    }

    /// Whether those who could know have nothing against this disk.
    pub(super) fn is_vouched(&self) -> bool {
        *self.0.promises.vouched().borrow()
    }

    /// Whether this member's disk is known to have been set back.
    pub(crate) fn is_set_back(&self, node: NodeId, disk: StorageId) -> bool {
        self.0.promises.is_set_back(Party { node, disk })
    }

    /// How many members' disks are known to have been set back.
    pub(crate) fn set_back_count(&self) -> usize {
        self.0.promises.set_back_count()
    }

    /// Follows whether this node knows that its disk is whole, as far as others can tell.
    pub(crate) fn vouched(&self) -> watch::Receiver<bool> {
        self.0.promises.vouched()
    }

    pub(super) fn party(&self) -> Party {
        Party { node: self.0.me, disk: self.0.disk }
    }

    /// A member names those whom it believes, and itself. A node that was away long may know too
    /// few who still live, or nobody.
    pub(super) fn hear_of<'a>(&self, others: impl Iterator<Item = &'a Start>) {
        if self.is_vouched() {
            return;
        }
        let mut heard_of = self.0.heard_of.lock().expect("never poisoned");
        for other in others {
            if heard_of.len() >= HEARD_OF_MAX && !heard_of.contains_key(&other.node) {
                break;
            }
            let party = Party { node: other.node, disk: other.disk };
            heard_of.insert(other.node, (party, other.address));
        }
    }

    /// The other members, by what this node knows: from its log, as configured, and as
    /// heard of when it joined. Until enough of them have answered, also those that they name.
    fn whom_to_ask(&self) -> BTreeMap<NodeId, (Party, SocketAddr)> {
        let members = self.leadership().borrow().members.clone();
        let mut others: BTreeMap<NodeId, (Party, SocketAddr)> = BTreeMap::new();
        if members.is_empty() {
            let first = self.first_members().map(|(id, _, address)| (id, address));
            let known = self.0.known.iter().map(|(id, address)| (*id, *address));
            others.extend(first.chain(known).map(|(id, at)| (id, (Party::unmet(id), at))));
        }
        for (id, member) in members {
            let peer = member.peer;
            others.insert(id, (Party { node: id, disk: peer.disk }, peer.address));
        }
        if !self.is_vouched() {
            let heard_of = self.0.heard_of.lock().expect("never poisoned");
            for (id, named) in heard_of.iter() {
                others.entry(*id).or_insert(*named);
            }
        }
        others.remove(&self.0.me);
        others
    }

    /// How many others make a majority, with this node if it votes; while a change of voters
    /// is under way, the smaller number.
    pub(super) fn others_needed(&self) -> Option<u64> {
        let metrics = self.0.raft.metrics().borrow_watched().clone();
        let membership: &Membership = metrics.membership_config.membership();
        let me = self.me();
        let needed =
            |voters: &BTreeSet<NodeId>| voters.len() as u64 / 2 + u64::from(!voters.contains(&me));
        membership.get_joint_config().iter().map(needed).min()
    }

    fn name_of(&self, id: NodeId) -> String {
        let members = self.leadership().borrow().members.clone();
        members.get(&id).map_or_else(|| format!("n{id}"), |member| member.peer.name.clone())
    }

    /// What this node remembers, for its next start.
    pub(super) async fn save_promises(&self) {
        let files = self.0.machine.files();
        if let Err(err) = self.0.promises.save(files, self.cluster()).await {
            tracing::warn!(%err, "cannot store what other disks have promised");
        }
    }
}
