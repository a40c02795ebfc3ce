//! Which process speaks for each node.
//!
//! A data folder can be copied, and then two processes have one id and one disk. Each of
//! them would vote, so one id would vote twice in a term. Raft cannot see that, so peers
//! look: every process draws an instance number when it starts, and says it in every
//! envelope. A node believes one instance of each peer: the one that it has found at the
//! peer's address, for two processes cannot hold one address.
//!
//! * A restart in place is found at its address at once, and replaces the one before.
//! * A copy elsewhere is not found there. While the original answers, the copy is refused
//!   and stops; while nobody answers, the copy is not believed either.
//! * A node that was moved by its operator says where it is now. It is believed when it is
//!   found there, nobody is found at the old address, and the former instance was silent for
//!   a while.
//!
//! What is known here is forgotten with the process; a node that starts looks again.
//!
//! # Not here
//!
//! A copy at the very address of the original, which only some of the peers reach, is taken
//! for a restart by them. Addresses that mean another machine to each peer are a fault of
//! the network that only a store outside of it could find.

use crate::charter::{Member, Members};
use crate::peers::envelope::{Party, Speaker};
use hangraft_ids::{Instance, NodeId, StorageId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// An instance that was heard within this time lives, even if it does not answer where it is
/// expected. Longer than a leader or a follower is silent in good health.
pub(crate) const LIVES_FOR: Duration = Duration::from_secs(3);

/// What was found out about an instance that is not believed holds for so long; then it is
/// looked for again.
const REFUSED_FOR: Duration = Duration::from_millis(500);

/// How long a copy that was refused is spoken of in the status.
const SPOKEN_OF_FOR: Duration = Duration::from_secs(30);

/// Strangers that are remembered. Those who live say hello again.
const STRANGERS_MAX: usize = 16;

/// One start of a node: a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) node: NodeId,
    /// The number of its disk.
    pub(crate) disk: StorageId,
    /// The number that it drew when it started; never 0.
    pub(crate) instance: Instance,
    /// How often its folder was started, this time included.
    pub(crate) number: u64,
    /// Where it says that it is reached.
    pub(crate) address: SocketAddr,
}

impl Start {
    fn is_of(&self, node: NodeId, disk: StorageId) -> bool {
        (self.node, self.disk) == (node, disk)
    }
}

/// What a node says to one that has started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reception {
    /// Its word is taken.
    Welcome,
    /// By what this node knows it is no member, or there are no members yet.
    Unheard,
    /// Its id and disk live already, in this process.
    Elsewhere(Start),
    /// Not yet, for this reason.
    NotYet(String),
}

/// What is known of who speaks for each node. Clones share it.
#[derive(Clone)]
pub(crate) struct Starts(Arc<Inner>);

struct Inner {
    known: Mutex<Known>,
    /// Counts changes of addresses.
    moves: watch::Sender<u64>,
}

#[derive(Default)]
struct Known {
    /// Disks and addresses by Raft's membership; before there is one, the first members'
    /// addresses, with 0 for their disks.
    homes: BTreeMap<NodeId, (StorageId, SocketAddr)>,
    live: BTreeMap<NodeId, Live>,
    /// Where others have found them: members, and anybody as long as this node knows no members.
    hints: BTreeMap<NodeId, SocketAddr>,
    refused: BTreeMap<NodeId, Refused>,
    /// Where an instance that is not believed said that it is.
    says: BTreeMap<NodeId, (Instance, SocketAddr)>,
    /// Who has said hello, and is no member as far as this node knows.
    strangers: BTreeMap<NodeId, SocketAddr>,
    /// Disks of strangers that have been moved, and where they were by their own membership.
    /// They are looked for as members are: this node may hear later that they are.
    movers: BTreeMap<NodeId, (StorageId, SocketAddr)>,
}

impl Known {
    /// The disk of a node, and where it is expected.
    fn home_of(&self, node: NodeId) -> Option<(StorageId, SocketAddr)> {
        self.homes.get(&node).or_else(|| self.movers.get(&node)).copied()
    }
}

#[derive(Clone, Copy)]
struct Live {
    start: Start,
    heard: Instant,
    /// The address in the membership when it was found.
    home: SocketAddr,
}

struct Refused {
    instance: Instance,
    at: Instant,
    /// It is being looked for.
    looking: bool,
    standing: Reception,
}

/// What is to be done about somebody who speaks.
pub(crate) enum Look {
    /// Nothing; this is known.
    Known(Reception),
    /// Ask at these addresses who is there, and tell [`Starts::found`].
    For(Vec<SocketAddr>),
}

impl Starts {
    pub(crate) fn new() -> Self {
        Starts(Arc::new(Inner { known: Mutex::default(), moves: watch::Sender::new(0) }))
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().expect("never poisoned")
    }

    /// Follows whether addresses have changed.
    pub(crate) fn moves(&self) -> watch::Receiver<u64> {
        self.0.moves.subscribe()
    }

    /// Takes Raft's membership in.
    pub(crate) fn follow(&self, members: &Members) {
        let mut known = self.lock();
        known.homes = members
            .iter()
            .map(|(id, Member { peer, .. })| (*id, (peer.disk, peer.address)))
            .collect();
        let Known { homes, live, hints, refused, says, strangers, movers } = &mut *known;
        // What a mover said of its home counts no more than what the membership says.
        for (id, _) in movers.extract_if(.., |id, _| homes.contains_key(id)) {
            let home = homes.get(&id).map(|(_, address)| *address);
            live.retain(|other, live| *other != id || home == Some(live.home));
        }
        strangers.retain(|id, _| !homes.contains_key(id));
        let expected = |id: &NodeId| homes.get(id).or_else(|| movers.get(id));
        live.retain(|id, live| expected(id).is_some_and(|(disk, _)| *disk == live.start.disk));
        hints.retain(|id, _| expected(id).is_some());
        refused.retain(|id, _| expected(id).is_some());
        says.retain(|id, _| expected(id).is_some());
    }

    /// Takes in where the first members are: there is no membership yet.
    pub(crate) fn expect(&self, first_members: impl Iterator<Item = (NodeId, SocketAddr)>) {
        self.lock().homes =
            first_members.map(|(id, address)| (id, (StorageId::NONE, address))).collect();
    }

    /// Where a node is: by the membership, unless it was found at another address since.
    pub(crate) fn address_of(&self, node: NodeId, otherwise: SocketAddr) -> SocketAddr {
        let known = self.lock();
        let home = known.homes.get(&node).map(|(_, address)| *address);
        let moved = known.live.get(&node).filter(|live| home == Some(live.home));
        moved.map(|live| live.start.address).or(home).unwrap_or(otherwise)
    }

    /// The members with the addresses at which they were found.
    pub(crate) fn located(&self, mut members: Members) -> Members {
        for (id, Member { peer, .. }) in &mut members {
            peer.address = self.address_of(*id, peer.address);
        }
        members
    }

    /// Everybody who is believed, for others to look for.
    pub(crate) fn live(&self) -> Vec<Start> {
        self.lock().live.values().map(|live| live.start).collect()
    }

    /// Where others say that a node is.
    pub(crate) fn hint_of(&self, node: NodeId) -> Option<SocketAddr> {
        self.lock().hints.get(&node).copied()
    }

    /// Somebody has said hello who is no member as far as this node knows. It may have come
    /// while this node was away.
    pub(crate) fn note_stranger(&self, start: Start) {
        let mut known = self.lock();
        if known.strangers.len() >= STRANGERS_MAX && !known.strangers.contains_key(&start.node) {
            known.strangers.clear();
        }
        known.strangers.insert(start.node, start.address);
    }

    /// A stranger that was moved says where it was: nobody may be there any more when it is
    /// believed. Whoever has not moved is heard without that.
    pub(crate) fn note_mover(&self, start: Start, home: SocketAddr) {
        let mut known = self.lock();
        if known.homes.contains_key(&start.node) || home == start.address {
            return;
        }
        if known.movers.len() >= STRANGERS_MAX && !known.movers.contains_key(&start.node) {
            known.movers.clear();
        }
        known.movers.insert(start.node, (start.disk, home));
    }

    /// Where strangers are.
    pub(crate) fn strangers(&self) -> Vec<SocketAddr> {
        self.lock().strangers.values().copied().collect()
    }

    /// Where those are who have said hello, and whom others have found: believed or not, known
    /// or not. What a log says of this node's id can be learned from any of them.
    pub(crate) fn places(&self) -> Vec<SocketAddr> {
        let known = self.lock();
        let live = known.live.values().map(|live| live.start.address);
        let said = known.says.values().map(|(_, address)| *address);
        let elsewhere = known.hints.values().chain(known.strangers.values()).copied();
        live.chain(said).chain(elsewhere).collect()
    }

    /// The instance that is believed of a node, or [`Instance::NONE`].
    pub(crate) fn instance_of(&self, node: NodeId) -> Instance {
        self.lock().live.get(&node).map_or(Instance::NONE, |live| live.start.instance)
    }

    /// Somebody with the cluster's key says where members are. Who knows no membership takes
    /// all of it: whom it was configured with may have moved, or be gone.
    pub(crate) fn hint(&self, starts: &[Start]) {
        let mut known = self.lock();
        let knows_members = known.homes.values().any(|(disk, _)| *disk != StorageId::NONE);
        for start in starts {
            let disk = known.home_of(start.node).map(|(disk, _)| disk);
            if disk == Some(start.disk) || !knows_members {
                known.hints.insert(start.node, start.address);
            }
        }
    }

    /// Who answers at an address where it was asked for: the one that is expected there is
    /// believed, if nobody was.
    pub(crate) fn answered(&self, place: SocketAddr, start: Start) {
        let mut known = self.lock();
        let home = known.homes.get(&start.node).copied();
        if home != Some((start.disk, place)) || known.live.contains_key(&start.node) {
            return;
        }
        let start = Start { address: place, ..start };
        known.live.insert(start.node, Live { start, heard: Instant::now(), home: place });
    }

    /// Whether this is a member, with its disk, as far as this node knows.
    pub(crate) fn knows(&self, party: Party) -> bool {
        let known = self.lock();
        known
            .homes
            .get(&party.node)
            .is_some_and(|(disk, _)| *disk == StorageId::NONE || *disk == party.disk)
    }

    /// Whether the word of who speaks is taken, as far as it is known without looking. A
    /// build that draws no instance is believed unless another instance lives.
    pub(crate) fn hears(&self, from: Speaker) -> bool {
        planted!(CopyIsHeard => return true);
        let mut known = self.lock();
        if known.home_of(from.party.node).is_none() {
            // It may be a member that this node has not heard of yet.
            return true;
        }
        match known.live.get_mut(&from.party.node) {
            Some(live) if live.start.instance == from.instance => {
                live.heard = Instant::now();
                true
            }
            Some(live) => from.instance == Instance::NONE && live.heard.elapsed() > LIVES_FOR,
            None => from.instance == Instance::NONE,
        }
    }

    /// An instance wants to be believed that is not, and may have said where it is.
    pub(crate) fn look(&self, from: Speaker, address: Option<SocketAddr>) -> Look {
        let mut known = self.lock();
        let Some((disk, home)) = known.home_of(from.party.node) else {
            return Look::Known(Reception::Unheard);
        };
        if disk != StorageId::NONE && disk != from.party.disk {
            return Look::Known(Reception::Unheard);
        }
        if let Some(live) = known.live.get_mut(&from.party.node)
            && live.start.instance == from.instance
            && address.is_none_or(|address| address == live.start.address)
        {
            live.heard = Instant::now();
            return Look::Known(Reception::Welcome);
        }
        // A look may be under way already, for the sake of a message that did not say it.
        if let Some(address) = address {
            known.says.insert(from.party.node, (from.instance, address));
        }
        if let Some(refused) = known.refused.get(&from.party.node)
            && (refused.looking || refused.instance == from.instance)
            && refused.at.elapsed() < REFUSED_FOR
        {
            let standing = refused.standing.clone();
            let same = refused.instance == from.instance && !refused.looking;
            let looking = || Reception::NotYet("it is being looked for".into());
            return Look::Known(if same { standing } else { looking() });
        }
        let standing = Reception::NotYet("it is being looked for".into());
        let refused =
            Refused { instance: from.instance, at: Instant::now(), looking: true, standing };
        known.refused.insert(from.party.node, refused);
        let live = known.live.get(&from.party.node).map(|live| live.start.address);
        let hint = known.hints.get(&from.party.node).copied();
        let mut places = Vec::new();
        let says = known.says.get(&from.party.node);
        let says = says.filter(|(who, _)| *who == from.instance).map(|(_, address)| *address);
        for place in [Some(home), live, says, hint].into_iter().flatten() {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        Look::For(places)
    }

    /// Who was found at the addresses that were to be looked at. What follows from it, and
    /// whether it is the first time that this is said of the instance.
    pub(crate) fn found(
        &self,
        from: Speaker,
        found: &[(SocketAddr, Option<Start>)],
    ) -> (Reception, bool) {
        let mut known = self.lock();
        let Some((_, home)) = known.home_of(from.party.node) else {
            return (Reception::Unheard, false);
        };
        let theirs = |start: &Start| start.is_of(from.party.node, from.party.disk);
        let found: Vec<(SocketAddr, Start)> = found
            .iter()
            .filter_map(|(at, start)| Some((*at, (*start)?)))
            .filter(|(_, start)| theirs(start))
            .collect();
        let live = known.live.get(&from.party.node).copied();
        let (standing, believed) = judge(from, home, live.as_ref(), &found);
        let before = known.refused.remove(&from.party.node);
        if let Some(start) = believed {
            let moved = live.is_none_or(|live| live.start.address != start.address);
            known.live.insert(from.party.node, Live { start, heard: Instant::now(), home });
            if moved {
                self.0.moves.send_modify(|moves| *moves += 1);
            }
        }
        let mut first = false;
        if standing != Reception::Welcome {
            let same = |refused: &Refused| {
                refused.instance == from.instance && refused.standing == standing
            };
            first = !before.as_ref().is_some_and(same);
            let refused = Refused {
                instance: from.instance,
                at: Instant::now(),
                looking: false,
                standing: standing.clone(),
            };
            known.refused.insert(from.party.node, refused);
        }
        (standing, first)
    }

    /// Nodes of which a copy was refused lately, and where the originals are.
    pub(crate) fn copied(&self) -> Vec<Start> {
        let known = self.lock();
        let lately = known.refused.values().filter(|refused| refused.at.elapsed() < SPOKEN_OF_FOR);
        let original = |refused: &Refused| match refused.standing {
            Reception::Elsewhere(start) => Some(start),
            _ => None,
        };
        lately.filter_map(original).collect()
    }
}

/// What to say to an instance, and whom to believe from now on, by who was found where.
fn judge(
    from: Speaker,
    home: SocketAddr,
    live: Option<&Live>,
    found: &[(SocketAddr, Start)],
) -> (Reception, Option<Start>) {
    let at = |place: SocketAddr| found.iter().find(|(at, _)| *at == place).map(|(_, start)| *start);
    // Where the one that is believed was found, and where the membership has it. Who is there
    // was there first.
    for place in [live.map(|live| live.start.address), Some(home)].into_iter().flatten() {
        match at(place) {
            Some(there) if there.instance != from.instance => {
                return (Reception::Elsewhere(there), Some(there));
            }
            Some(there) => return (Reception::Welcome, Some(Start { address: place, ..there })),
            None => {}
        }
    }
    let Some((place, start)) = found.iter().find(|(_, start)| start.instance == from.instance)
    else {
        let why =
            format!("nobody answers for node {} at {home}; is its port open?", from.party.node);
        return (Reception::NotYet(why), None);
    };
    if let Some((there, _)) = found.iter().find(|(_, start)| start.instance != from.instance) {
        let why = format!("another process of node {} answers at {there}", from.party.node);
        return (Reception::NotYet(why), None);
    }
    match live.filter(|live| live.start.instance != from.instance) {
        Some(live) if live.heard.elapsed() < LIVES_FOR => {
            let why = format!(
                "node {} was heard from {} a moment ago; it is taken to be at {place} when it was \
                 silent there for {LIVES_FOR:?}",
                from.party.node, live.start.address
            );
            (Reception::NotYet(why), None)
        }
        _ => (Reception::Welcome, Some(Start { address: *place, ..*start })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charter::Peer;

    const NODE: NodeId = NodeId(2);
    const HOME: u8 = 1;

    fn at(place: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, place], 7101))
    }

    /// Node 2 as this instance, at this place.
    fn start(instance: u64, place: u8) -> Start {
        let (instance, number) = (Instance(instance), instance);
        Start { node: NODE, disk: StorageId(7), instance, number, address: at(place) }
    }

    fn said(instance: u64) -> Speaker {
        Speaker { party: Party { node: NODE, disk: StorageId(7) }, instance: Instance(instance) }
    }

    /// A node that knows node 2 at its home.
    fn starts() -> Starts {
        let starts = Starts::new();
        starts.follow(&membership(HOME));
        starts
    }

    /// A membership with node 2 at this place.
    fn membership(place: u8) -> Members {
        let peer = Peer { name: "n2".into(), address: at(place), disk: StorageId(7) };
        [(NODE, Member { peer, votes: true })].into()
    }

    /// An instance speaks up, and who is looked for is found at these places.
    fn ask(starts: &Starts, instance: u64, says: Option<u8>, there: &[(u8, Start)]) -> Reception {
        match starts.look(said(instance), says.map(at)) {
            Look::Known(standing) => standing,
            Look::For(places) => {
                let answer = |place: SocketAddr| {
                    there.iter().find(|(at_, _)| at(*at_) == place).map(|(_, start)| *start)
                };
                let found: Vec<_> = places.into_iter().map(|it| (it, answer(it))).collect();
                starts.found(said(instance), &found).0
            }
        }
    }

    /// Who is found at the node's address is believed, as often as it is started there.
    #[tokio::test(start_paused = true)]
    async fn a_restart_in_place_is_believed_at_once() {
        let starts = starts();
        for instance in [5, 6] {
            assert!(!starts.hears(said(instance)));
            let there = [(HOME, start(instance, HOME))];
            assert_eq!(ask(&starts, instance, None, &there), Reception::Welcome);
            assert!(starts.hears(said(instance)));
        }
        assert!(!starts.hears(said(5)), "it was replaced");
        // Another disk is judged elsewhere.
        let other =
            Speaker { party: Party { node: NODE, disk: StorageId(8) }, instance: Instance(9) };
        assert!(matches!(starts.look(other, None), Look::Known(Reception::Unheard)));
    }

    /// A copy elsewhere is refused while the original answers, and not believed when nobody
    /// does: whether it was moved, only its operator can say.
    #[tokio::test(start_paused = true)]
    async fn a_copy_elsewhere_is_not_believed() {
        let starts = starts();
        let original = start(5, HOME);
        let there = [(HOME, original), (9, start(6, HOME))];
        assert_eq!(ask(&starts, 6, None, &there), Reception::Elsewhere(original));
        assert!(starts.hears(said(5)) && !starts.hears(said(6)));
        assert_eq!(starts.copied(), [original]);
        tokio::time::advance(10 * LIVES_FOR).await;
        assert!(matches!(ask(&starts, 6, None, &[]), Reception::NotYet(_)));
        assert!(starts.hears(said(5)));
    }

    /// A node that was moved is believed where it says it is, once nobody is at its old
    /// address and nothing was heard from there for a while.
    #[tokio::test(start_paused = true)]
    async fn a_node_that_was_moved_is_believed_when_the_old_place_is_silent() {
        let starts = starts();
        let (old, new) = (start(5, HOME), start(6, 9));
        assert_eq!(ask(&starts, 5, None, &[(HOME, old)]), Reception::Welcome);
        let both = [(HOME, old), (9, new)];
        assert_eq!(ask(&starts, 6, Some(9), &both), Reception::Elsewhere(old));
        tokio::time::advance(REFUSED_FOR).await;
        // Cut off from here, but heard a moment ago.
        assert!(starts.hears(said(5)));
        assert!(matches!(ask(&starts, 6, Some(9), &[(9, new)]), Reception::NotYet(_)));
        tokio::time::advance(LIVES_FOR).await;
        assert_eq!(ask(&starts, 6, Some(9), &[(9, new)]), Reception::Welcome);
        assert_eq!(starts.address_of(NODE, at(0)), at(9));
        // The one that was left behind is not the one any more.
        assert!(!starts.hears(said(5)));
        assert_eq!(ask(&starts, 5, None, &both), Reception::Elsewhere(new));
        // By the new membership it is there, and by a later one wherever that says.
        for place in [9, 12] {
            let peer = Peer { name: "n2".into(), address: at(place), disk: StorageId(7) };
            starts.follow(&[(NODE, Member { peer, votes: true })].into());
            assert_eq!(starts.address_of(NODE, at(0)), at(place));
        }
    }

    /// A node that has no membership yet hears whoever has the key, but knows nobody: a copy
    /// must not make it believe anything of the node that it is a copy of.
    #[tokio::test(start_paused = true)]
    async fn who_is_heard_is_not_always_known() {
        let (newcomer, member) = (Starts::new(), starts());
        assert!(newcomer.hears(said(6)) && !newcomer.knows(said(6).party));
        assert!(member.knows(said(6).party) && !member.hears(said(6)));
        assert!(!member.knows(Party { node: NODE, disk: StorageId(8) }));
    }

    /// Where others have found a node it is looked for, but their word alone moves nobody.
    #[tokio::test(start_paused = true)]
    async fn what_others_say_is_where_to_look() {
        let starts = starts();
        let moved = start(6, 9);
        starts.hint(&[moved, Start { disk: StorageId(8), ..start(6, 4) }]);
        assert_eq!(starts.address_of(NODE, at(0)), at(HOME));
        assert_eq!(ask(&starts, 6, None, &[(9, moved)]), Reception::Welcome);
        assert_eq!(starts.address_of(NODE, at(0)), at(9));
    }

    /// A node that knows no membership takes the word of others for where everybody is. By its
    /// first membership it forgets who is not in it.
    #[tokio::test(start_paused = true)]
    async fn who_knows_no_members_is_told_of_all() {
        let starts = Starts::new();
        starts.expect([(NODE, at(HOME))].into_iter());
        let other = Start { node: NodeId(3), ..start(6, 4) };
        starts.hint(&[start(5, 9), other]);
        assert_eq!(starts.places(), [at(9), at(4)]);
        starts.follow(&membership(HOME));
        assert_eq!(starts.places(), [at(9)]);
        starts.hint(&[other]);
        assert_eq!(starts.places(), [at(9)]);
    }

    /// A leader that has moved sends far more heartbeats, which do not say where it is, than
    /// words that do. Where it said once that it is, it is looked for every time.
    #[tokio::test(start_paused = true)]
    async fn who_said_where_it_is_is_looked_for_there() {
        let starts = starts();
        let Look::For(places) = starts.look(said(6), None) else { panic!("it is unknown") };
        assert!(!places.contains(&at(9)));
        let told = starts.look(said(6), Some(at(9)));
        assert!(matches!(told, Look::Known(Reception::NotYet(_))), "it is being looked for");
        _ = starts.found(said(6), &[(at(HOME), None)]);
        tokio::time::advance(REFUSED_FOR).await;
        let Look::For(places) = starts.look(said(6), None) else { panic!("it is not known yet") };
        assert!(places.contains(&at(9)), "{places:?}");
        // What another instance said counts for nothing.
        tokio::time::advance(REFUSED_FOR).await;
        let Look::For(places) = starts.look(said(7), None) else { panic!("it is unknown") };
        assert!(!places.contains(&at(9)), "{places:?}");
    }

    /// A stranger was moved and says where it was. It is believed like a member; but when this
    /// node hears that it is a member, and at home elsewhere, nothing of that counts any more.
    #[tokio::test(start_paused = true)]
    async fn a_stranger_that_was_moved_is_looked_for() {
        let starts = Starts::new();
        assert_eq!(ask(&starts, 5, Some(3), &[]), Reception::Unheard);
        starts.note_mover(start(5, 3), at(HOME));
        // Another process of it answers where somebody has seen it.
        starts.hint(&[start(6, 4)]);
        let both = [(3, start(5, 3)), (4, start(6, 4))];
        assert!(matches!(ask(&starts, 5, Some(3), &both), Reception::NotYet(_)));
        tokio::time::advance(REFUSED_FOR).await;
        assert_eq!(ask(&starts, 5, Some(3), &[(3, start(5, 3))]), Reception::Welcome);
        assert!(starts.hears(said(5)) && !starts.hears(said(6)));

        starts.follow(&membership(HOME));
        assert!(starts.hears(said(5)), "it was at home there");
        let starts = Starts::new();
        starts.note_mover(start(5, 3), at(HOME));
        assert_eq!(ask(&starts, 5, Some(3), &[(3, start(5, 3))]), Reception::Welcome);
        starts.follow(&membership(4));
        assert!(!starts.hears(said(5)), "it has moved again since");
        assert_eq!(ask(&starts, 6, None, &[(4, start(6, 4))]), Reception::Welcome);
    }

    /// The former version draws no instance. It is believed unless an instance lives.
    #[tokio::test(start_paused = true)]
    async fn the_former_version_is_heard() {
        let starts = starts();
        assert!(starts.hears(said(0)));
        assert_eq!(ask(&starts, 5, None, &[(HOME, start(5, HOME))]), Reception::Welcome);
        assert!(!starts.hears(said(0)));
        tokio::time::advance(2 * LIVES_FOR).await;
        assert!(starts.hears(said(0)), "the version before was put back");
    }
}
