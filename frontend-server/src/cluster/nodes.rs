//! What is known of the nodes, and what follows from it: pure.
//!
//! Here it is noticed that a node belongs to another cluster, owes answers and is silent,
//! names another leader than the rest, shows nothing new, or has left. Whoever tells us so
//! carries out what follows, in order; where to send and to watch is [`route`]'s choice.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use hangraft_ids::NodeId;
use hangraft_proto::socket::{Bot, Deck, Epoch, LinkState};
use tracing::{info, warn};

use super::crew::Crew;
use super::route::{self, Known, Route, Slot, Standing};

/// A node that owes answers and has said nothing for this long is asked no more
/// while there is another; what it owes is asked of that one.
const SILENCE_MAX: Duration = Duration::from_millis(700);
/// How long a node through which views stopped coming is not watched through
/// while there is another.
const FROZEN_FOR: Duration = Duration::from_secs(30);
/// Nodes known at once; more are not connected to. The largest cluster has seven
/// voters, and may be changing all of them.
const NODES_MAX: usize = 16;

/// What a node says of itself and of its cluster.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) standing: Standing,
    pub(super) cluster: String,
    pub(super) epoch: Epoch,
    /// Every member it knows.
    pub(super) members: Vec<Member>,
    /// The bots that live in the lobby; nodes of before name none.
    pub(super) bots: Vec<Bot>,
}

/// A member, as a node knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) node: NodeId,
    pub(super) address: String,
    /// Whether it votes; nodes of before do not say.
    pub(super) votes: Option<bool>,
}

/// Whether the cluster can be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Status {
    /// The leader, when one is believed.
    pub(crate) leader: Option<NodeId>,
    /// There is a node to watch through.
    pub(crate) watching: bool,
    /// How many nodes we are linked with.
    pub(crate) linked: usize,
    /// The cluster's epoch, once it was reached.
    pub(crate) epoch: Option<Epoch>,
}

impl Status {
    /// As pages see it.
    pub(crate) fn link_state(self) -> LinkState {
        match self.leader {
            Some(leader) if self.watching => LinkState::connected(leader, self.epoch),
            _ => LinkState::reconnecting(self.epoch),
        }
    }
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Keep a link to a node.
    Connect { slot: Slot, address: String },
    /// Let go of one.
    Forget { slot: Slot },
    /// What was sent there goes elsewhere.
    RecallFrom { slot: Slot },
    /// What was sent anywhere but there goes there.
    RecallAllBut { slot: Slot },
    /// Watch through this node from now on, or through none.
    Watch { slot: Option<Slot> },
    /// This is how things stand.
    Tell(Status),
    /// And this is what a player may know of it.
    Show(Deck),
    /// These are the lobby's bots.
    Name(Vec<Bot>),
}

/// One node.
#[derive(Debug)]
struct Node {
    address: String,
    /// From the configuration: kept even when the cluster does not name it.
    configured: bool,
    /// The life of its link that is up.
    life: Option<u64>,
    standing: Option<Standing>,
    /// Its id, once it ever spoke.
    id: Option<NodeId>,
    /// Where members said it was while it was linked; people may have configured it by
    /// another name of the same place.
    named: Option<String>,
    suspect: bool,
    heard_at: Instant,
    broken_at: Option<Instant>,
    /// Since when it has named another leader than we believe in, or none.
    astray_at: Option<Instant>,
    /// When views were last found to have stopped coming through it.
    frozen_at: Option<Instant>,
}

/// All nodes that are known.
#[derive(Debug)]
pub(super) struct Nodes {
    nodes: BTreeMap<Slot, Node>,
    next_slot: Slot,
    route: Route,
    /// Something has happened that may change the route.
    changed: bool,
    /// The route should be looked at again soon, though nothing happens.
    unsettled: bool,
    /// The cluster we serve: the first that had a leader.
    cluster: Option<String>,
    /// The epoch of that cluster. It has one for as long as it lives.
    epoch: Option<Epoch>,
    /// The life of the link that is watched through.
    watching_life: Option<u64>,
    status: Status,
    /// What players may see of all this.
    crew: Crew,
    /// The lobby's bots, as they were named last.
    bots: Vec<Bot>,
    salt: u64,
}

impl Nodes {
    /// Nobody is known yet. `salt` differs between frontends.
    pub(super) fn new(salt: u64) -> Self {
        Nodes {
            nodes: BTreeMap::new(),
            next_slot: 1,
            route: Route::default(),
            changed: false,
            unsettled: false,
            cluster: None,
            epoch: None,
            watching_life: None,
            status: Status::default(),
            crew: Crew::default(),
            bots: Vec::new(),
            salt,
        }
    }

    /// A node to keep a link to.
    pub(super) fn add(
        &mut self,
        address: String,
        configured: bool,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) {
        let slot = self.next_slot;
        self.next_slot += 1;
        let node = Node {
            address: address.clone(),
            configured,
            life: None,
            standing: None,
            id: None,
            named: None,
            suspect: false,
            heard_at: now,
            broken_at: None,
            astray_at: None,
            frozen_at: None,
        };
        self.nodes.insert(slot, node);
        effects.push(Effect::Connect { slot, address });
    }

    /// Whom to write to.
    pub(super) fn writer(&self) -> Option<Slot> {
        self.route.writer
    }

    /// Whether the passing of time may change something.
    pub(super) fn waits(&self) -> bool {
        self.unsettled || self.route.leader.is_none()
    }

    /// A link came up in this life, and the node has said its first word; whether it may be
    /// used.
    pub(super) fn is_up(
        &mut self,
        slot: Slot,
        life: u64,
        word: &Word,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) -> bool {
        if self.is_strange(slot, word) {
            return false;
        }
        let Some(node) = self.nodes.get_mut(&slot) else { return false };
        node.life = Some(life);
        node.frozen_at = None;
        self.take(slot, word, now, effects);
        true
    }

    /// A node stands differently now; whether it may still be used.
    pub(super) fn says(
        &mut self,
        slot: Slot,
        word: &Word,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) -> bool {
        if self.is_strange(slot, word) {
            self.is_down(slot, now, effects);
            return false;
        }
        self.take(slot, word, now, effects);
        true
    }

    /// A link has ended.
    pub(super) fn is_down(&mut self, slot: Slot, now: Instant, effects: &mut Vec<Effect>) {
        let Some(node) = self.nodes.get_mut(&slot) else { return };
        if node.life.take().is_some() {
            info!(node = node.address, "a node is out of reach");
            node.broken_at = Some(now);
        }
        node.standing = None;
        node.suspect = false;
        self.changed = true;
        effects.push(Effect::RecallFrom { slot });
    }

    /// A node has answered something.
    pub(super) fn has_answered(&mut self, slot: Slot, now: Instant) {
        let Some(node) = self.nodes.get_mut(&slot) else { return };
        node.heard_at = now;
        self.changed |= std::mem::take(&mut node.suspect);
    }

    /// Views were waited for in vain through this life of a link.
    pub(super) fn is_frozen(&mut self, life: u64, now: Instant) {
        if let Some(node) = self.nodes.values_mut().find(|node| node.life == Some(life)) {
            warn!(node = node.address, "a node shows nothing new while moves go on");
            node.frozen_at = Some(now);
            self.changed = true;
        }
    }

    /// A link takes nothing more: it has ended and its last news is on the way, or its
    /// keepalive will end it.
    pub(super) fn is_stuck(&mut self, slot: Slot) {
        if let Some(node) = self.nodes.get_mut(&slot) {
            node.suspect = true;
            self.unsettled = true;
        }
    }

    /// Time has passed. `owes_since`: since when the node that is written to owes an answer.
    /// One that is paused holds its connection open and says nothing.
    pub(super) fn tick(&mut self, owes_since: Option<Instant>, now: Instant) {
        self.changed |= self.waits();
        let writer = self.route.writer.and_then(|writer| self.nodes.get_mut(&writer));
        let (Some(node), Some(since)) = (writer, owes_since) else { return };
        if !node.suspect && now > since.max(node.heard_at) + SILENCE_MAX {
            warn!(node = node.address, "a node owes answers and is silent");
            node.suspect = true;
            self.changed = true;
        }
    }

    /// Chooses anew if something has changed; what has to move.
    pub(super) fn settle(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        self.unsettled = false;
        let known: Vec<Known> =
            self.nodes.iter().map(|(slot, node)| node.known(*slot, now)).collect();
        let route = route::choose(&known, &self.route, self.salt);
        let before = std::mem::replace(&mut self.route, route);
        if let Some(slot) = route.writer
            && (before.writer != Some(slot) || before.leader != route.leader)
        {
            // Nothing waits for a node that is not the best one to ask any more.
            effects.push(Effect::RecallAllBut { slot });
        }
        if before.leader != route.leader {
            let leader = route.leader.map(|NodeId(leader)| leader);
            info!(leader, "the leader as seen from here");
        }
        self.note_astray(now);
        let watched = route.watcher.filter(|slot| self.life_of(*slot).is_some());
        let life = watched.and_then(|slot| self.life_of(slot));
        if std::mem::replace(&mut self.watching_life, life) != life {
            effects.push(Effect::Watch { slot: watched });
        }
        let status = Status {
            leader: route.leader,
            watching: life.is_some(),
            linked: self.nodes.values().filter(|node| node.life.is_some()).count(),
            epoch: self.epoch,
        };
        if std::mem::replace(&mut self.status, status) != status {
            effects.push(Effect::Tell(status));
        }
        effects.extend(self.crew.look(&known, &route, now).map(Effect::Show));
    }

    /// Whether a node belongs to another cluster: one may have taken an address that was
    /// ours, with the same key. It is as good as out of reach.
    fn is_strange(&mut self, slot: Slot, word: &Word) -> bool {
        if self.cluster.is_none() && word.standing.leader.is_some() {
            self.cluster = Some(word.cluster.clone());
            self.epoch = Some(word.epoch);
        }
        let strange = self.cluster.as_ref().is_some_and(|ours| *ours != word.cluster);
        if strange && let Some(node) = self.nodes.get(&slot) {
            let (node, cluster) = (&node.address, &word.cluster);
            warn!(node, cluster, "belongs to another cluster; not used");
        }
        strange
    }

    fn take(&mut self, slot: Slot, word: &Word, now: Instant, effects: &mut Vec<Effect>) {
        if let Some(node) = self.nodes.get_mut(&slot) {
            node.standing = Some(word.standing);
            node.id = Some(word.standing.node);
            node.suspect = false;
            node.heard_at = now;
        }
        self.changed = true;
        let votes = word.members.iter().map(|member| (member.node, member.votes));
        self.crew.hear(word.standing, votes);
        if !word.bots.is_empty() && self.bots != word.bots {
            self.bots = word.bots.clone();
            effects.push(Effect::Name(word.bots.clone()));
        }
        self.learn(&word.members, now, effects);
    }

    /// Learns of nodes from those that answer; forgets those that left and are gone.
    fn learn(&mut self, members: &[Member], now: Instant, effects: &mut Vec<Effect>) {
        if members.is_empty() {
            return;
        }
        for node in self.nodes.values_mut().filter(|node| node.life.is_some()) {
            let named = members.iter().find(|member| node.id == Some(member.node));
            node.named = named.map(|member| member.address.clone());
        }
        // Who is linked as configured needs no second link at the address that members know.
        let configured = self.nodes.values().filter(|node| node.configured && node.life.is_some());
        let doubled: Vec<String> = configured
            .filter_map(|node| node.named.clone().filter(|named| *named != node.address))
            .collect();
        let gone = |node: &Node| {
            let named = members.iter().any(|member| member.address == node.address);
            !node.configured && (doubled.contains(&node.address) || node.life.is_none() && !named)
        };
        for (slot, node) in self.nodes.extract_if(.., |_, node| gone(node)) {
            if node.life.is_some() {
                self.changed = true;
                effects.push(Effect::RecallFrom { slot });
            }
            effects.push(Effect::Forget { slot });
        }
        for Member { address, .. } in members {
            // Whose address is another one now has moved: it is looked for there, too.
            let known =
                |node: &Node| node.address == *address || node.named.as_ref() == Some(address);
            let known = self.nodes.values().any(known);
            let new = !known && !address.is_empty();
            if new && self.nodes.len() < NODES_MAX {
                self.add(address.clone(), false, now, effects);
            }
        }
    }

    /// Remembers since when nodes have gone astray; as long as one has, time matters.
    fn note_astray(&mut self, now: Instant) {
        for node in self.nodes.values_mut() {
            let names = node.standing.and_then(|standing| standing.leader);
            if node.standing.is_none() || names == self.route.leader {
                node.astray_at = None;
            } else {
                let since = *node.astray_at.get_or_insert(now);
                self.unsettled |= now.saturating_duration_since(since) <= route::HEARSAY;
            }
        }
    }

    fn life_of(&self, slot: Slot) -> Option<u64> {
        self.nodes.get(&slot).and_then(|node| node.life)
    }
}

impl Node {
    fn known(&self, slot: Slot, now: Instant) -> Known {
        let for_so_long =
            |since: Option<Instant>| since.map(|at| now.saturating_duration_since(at));
        Known {
            slot,
            standing: self.standing,
            suspect: self.suspect,
            node: self.id,
            broken_for: for_so_long(self.broken_at),
            frozen: self.frozen_at.is_some_and(|at| at + FROZEN_FOR > now),
            astray_for: for_so_long(self.astray_at).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use hangraft_ids::Term;

    use super::*;

    /// Three nodes, 1 to 3 in slots of the same numbers, told as scenes.
    struct Stage {
        nodes: Nodes,
        now: Instant,
    }

    /// What node `id` says, of which `leader` is the leader; 0 for none.
    fn word(id: u64, leader: u64) -> Word {
        let leader = (leader != 0).then_some(NodeId(leader));
        Word {
            standing: Standing { node: NodeId(id), leader, term: Term(1), draining: false },
            cluster: "ours".into(),
            epoch: Epoch(7),
            members: (1..=3).map(|id| member(id, &format!("n{id}"))).collect(),
            bots: Vec::new(),
        }
    }

    fn member(id: u64, address: &str) -> Member {
        Member { node: NodeId(id), address: address.to_owned(), votes: Some(true) }
    }

    impl Stage {
        fn new() -> Self {
            let mut stage = Stage { nodes: Nodes::new(0), now: Instant::now() };
            let told = stage.tell(|nodes, now, effects| {
                for id in 1..=3 {
                    nodes.add(format!("n{id}"), true, now, effects);
                }
            });
            assert_eq!(told.len(), 3, "{told:?}");
            stage
        }

        /// All are up, and node 1 leads.
        fn linked() -> Self {
            let mut stage = Stage::new();
            for id in 1..=3 {
                stage.up(id, 1);
            }
            assert_eq!(stage.nodes.status.linked, 3);
            stage
        }

        fn tell(
            &mut self,
            what: impl FnOnce(&mut Nodes, Instant, &mut Vec<Effect>),
        ) -> Vec<Effect> {
            let mut effects = Vec::new();
            what(&mut self.nodes, self.now, &mut effects);
            self.nodes.settle(self.now, &mut effects);
            // What is shown is another story.
            effects.retain(|effect| !matches!(effect, Effect::Show(_)));
            effects
        }

        /// The link to a node is up in the life of its number.
        fn up(&mut self, id: u32, leader: u64) -> Vec<Effect> {
            let word = word(id.into(), leader);
            self.tell(|nodes, now, effects| {
                assert!(nodes.is_up(id, id.into(), &word, now, effects));
            })
        }

        fn passes(&mut self, time: Duration, owes_since: Option<Instant>) -> Vec<Effect> {
            self.now += time;
            self.tell(|nodes, now, _| nodes.tick(owes_since, now))
        }
    }

    #[test]
    fn the_leader_is_written_to_and_a_follower_is_watched() {
        let stage = Stage::linked();
        assert_eq!(stage.nodes.writer(), Some(1));
        assert_ne!(stage.nodes.route.watcher, Some(1));
        let status = stage.nodes.status;
        assert_eq!(
            (status.leader, status.watching, status.epoch),
            (Some(NodeId(1)), true, Some(Epoch(7)))
        );
    }

    #[test]
    fn a_node_of_another_cluster_is_not_used_and_no_longer_used() {
        let mut stage = Stage::linked();
        let strange = Word { cluster: "theirs".into(), ..word(2, 2) };
        let told = stage.tell(|nodes, now, effects| {
            assert!(!nodes.says(2, &strange, now, effects));
        });
        assert!(told.contains(&Effect::RecallFrom { slot: 2 }), "{told:?}");
        assert_eq!((stage.nodes.status.linked, stage.nodes.status.leader), (2, Some(NodeId(1))));
        stage.tell(|nodes, now, effects| {
            assert!(!nodes.is_up(2, 20, &strange, now, effects));
        });
        assert_eq!(stage.nodes.status.linked, 2);
    }

    /// A node is one, though people configured it by another address than members know it by;
    /// one that has moved is looked for where it is now.
    #[test]
    fn a_node_that_has_moved_is_learned_though_its_id_was_known() {
        let mut stage = Stage::linked();
        let connects = |told: &[Effect]| {
            let address = |effect: &Effect| match effect {
                Effect::Connect { address, .. } => Some(address.clone()),
                _ => None,
            };
            told.iter().filter_map(address).collect::<Vec<_>>()
        };
        let members = |third: &str| vec![member(1, "host:7101"), member(2, "n2"), member(3, third)];
        let named = Word { members: members("host:7103"), ..word(2, 1) };
        let told = stage.tell(|nodes, now, effects| assert!(nodes.says(2, &named, now, effects)));
        assert_eq!(connects(&told), Vec::<String>::new(), "all are linked");
        stage.tell(|nodes, now, effects| nodes.is_down(1, now, effects));
        stage.tell(|nodes, now, effects| nodes.is_down(3, now, effects));
        let told = stage.tell(|nodes, now, effects| assert!(nodes.says(2, &named, now, effects)));
        assert_eq!(connects(&told), Vec::<String>::new(), "nobody has moved");

        let moved = Word { members: members("other:7103"), ..word(2, 1) };
        let told = stage.tell(|nodes, now, effects| assert!(nodes.says(2, &moved, now, effects)));
        assert_eq!(connects(&told), ["other:7103"]);

        // It is reached both ways: as it is configured is enough.
        let three =
            Word { standing: Standing { node: NodeId(3), ..moved.standing }, ..moved.clone() };
        stage.tell(|nodes, now, effects| assert!(nodes.is_up(4, 40, &three, now, effects)));
        assert_eq!(stage.nodes.status.linked, 2);
        let told =
            stage.tell(|nodes, now, effects| assert!(nodes.is_up(3, 30, &three, now, effects)));
        let (recalled, forgotten) = (Effect::RecallFrom { slot: 4 }, Effect::Forget { slot: 4 });
        assert!(told.contains(&recalled) && told.contains(&forgotten), "{told:?}");
        assert_eq!(stage.nodes.status.linked, 2);
    }

    /// Whoever has no leader does not say which cluster we serve.
    #[test]
    fn the_cluster_we_serve_is_the_first_that_had_a_leader() {
        let mut stage = Stage::new();
        let theirs = Word { cluster: "theirs".into(), ..word(1, 0) };
        stage.tell(|nodes, now, effects| assert!(nodes.is_up(1, 1, &theirs, now, effects)));
        assert_eq!(stage.nodes.status.epoch, None);
        stage.up(2, 2);
        stage.tell(|nodes, now, effects| assert!(!nodes.says(1, &theirs, now, effects)));
        assert_eq!(stage.nodes.status.leader, Some(NodeId(2)));
    }

    #[test]
    fn a_writer_that_owes_answers_and_is_silent_is_asked_no_more_until_it_speaks() {
        let mut stage = Stage::linked();
        let since = Some(stage.now);
        assert_eq!(stage.passes(SILENCE_MAX, since), []);
        let told = stage.passes(Duration::from_millis(1), since);
        let writer = stage.nodes.writer().expect("there are others");
        assert_ne!(writer, 1);
        assert!(told.contains(&Effect::RecallAllBut { slot: writer }), "{told:?}");
        // Owing nothing, or having been heard meanwhile, it would have been kept.
        let told = stage.tell(|nodes, now, _| nodes.has_answered(1, now));
        assert_eq!(stage.nodes.writer(), Some(1), "{told:?}");
        assert_eq!(stage.passes(2 * SILENCE_MAX, None), []);
    }

    #[test]
    fn a_watch_that_shows_nothing_new_moves_and_may_come_back_later() {
        let mut stage = Stage::linked();
        let first = stage.nodes.route.watcher.expect("somebody is watched");
        let told = stage.tell(|nodes, now, _| nodes.is_frozen(first.into(), now));
        let second = stage.nodes.route.watcher.expect("there is another");
        assert_ne!(first, second);
        assert!(told.contains(&Effect::Watch { slot: Some(second) }), "{told:?}");
        // A life that is over is nobody's.
        assert_eq!(stage.tell(|nodes, now, _| nodes.is_frozen(77, now)), []);
        // Its link came up anew: what was is forgiven.
        stage.tell(|nodes, now, effects| nodes.is_down(first, now, effects));
        stage.up(first, 1);
        assert_eq!(stage.nodes.nodes[&first].frozen_at, None);
    }

    #[test]
    fn who_names_another_leader_for_long_is_not_watched() {
        let mut stage = Stage::linked();
        let first = stage.nodes.route.watcher.expect("somebody is watched");
        stage.tell(|nodes, now, effects| {
            assert!(nodes.says(first, &word(first.into(), 0), now, effects));
        });
        // News of a leader takes a moment to get around.
        assert_eq!(stage.nodes.route.watcher, Some(first));
        assert!(stage.nodes.waits(), "time will tell");
        stage.passes(route::HEARSAY + Duration::from_millis(1), None);
        assert_ne!(stage.nodes.route.watcher, Some(first));
    }

    #[test]
    fn members_are_learned_of_and_forgotten_when_they_left_and_are_gone() {
        let mut stage = Stage::linked();
        let mut more = word(1, 1);
        more.members.push(member(4, "n4"));
        let told = stage.tell(|nodes, now, effects| _ = nodes.says(1, &more, now, effects));
        assert_eq!(told, [Effect::Connect { slot: 4, address: "n4".into() }]);
        stage.up(4, 1);
        // It has left, and can still be reached.
        let fewer = word(1, 1);
        let told = stage.tell(|nodes, now, effects| _ = nodes.says(1, &fewer, now, effects));
        assert_eq!(told, []);
        stage.tell(|nodes, now, effects| nodes.is_down(4, now, effects));
        let told = stage.tell(|nodes, now, effects| _ = nodes.says(1, &fewer, now, effects));
        assert_eq!(told, [Effect::Forget { slot: 4 }]);
        // Who is configured is kept, and a flood of names is not followed.
        let flood =
            Word { members: (9..99).map(|id| member(id, &format!("n{id}"))).collect(), ..fewer };
        let told = stage.tell(|nodes, now, effects| _ = nodes.says(1, &flood, now, effects));
        assert_eq!(told.len(), NODES_MAX - 3, "{told:?}");
    }

    /// The bots are named when they are others, and not forgotten when a node of before
    /// names none.
    #[test]
    fn bots_are_named_once() {
        let mut stage = Stage::linked();
        let bot = |name: &str| Bot {
            player: hangraft_ids::PlayerId(u64::MAX),
            name: name.to_owned(),
            game: "nim".into(),
            strength: "easy".into(),
        };
        let mut says = |bots: &[Bot]| {
            let said = Word { bots: bots.to_vec(), ..word(2, 1) };
            stage.tell(|nodes, now, effects| _ = nodes.says(2, &said, now, effects))
        };
        assert_eq!(says(&[bot("Ada")]), [Effect::Name(vec![bot("Ada")])]);
        assert_eq!(says(&[bot("Ada")]), []);
        assert_eq!(says(&[]), []);
        assert_eq!(says(&[bot("Bob")]), [Effect::Name(vec![bot("Bob")])]);
    }

    #[test]
    fn without_any_link_nothing_is_watched_and_pages_know() {
        let mut stage = Stage::linked();
        for slot in 1..=3 {
            stage.tell(|nodes, now, effects| nodes.is_down(slot, now, effects));
        }
        let status = stage.nodes.status;
        assert_eq!((status.watching, status.linked, status.leader), (false, 0, None));
        assert!(stage.nodes.waits());
    }
}
