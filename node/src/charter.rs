//! What the cluster agrees on about itself: how many voters it wants, which ids were
//! given out, who is leaving, what every member can do.
//!
//! The charter is replicated beside the lobby: commands for it travel in the log, and
//! applying one depends on nothing but the charter, the membership and the command.
//! Gossip suggests, the charter and Raft's membership decide.
//!
//! What must hold: an id is given out once, ever. Ids come from the log, and each
//! membership raises the next one past all it contains.

use hangraft_game::Feature;
use hangraft_ids::{NodeId, StorageId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// Numbers of voters that may be wanted.
const WANTED: [u8; 3] = [3, 5, 7];

/// How long a voter may be silent before a spare replaces it, if nobody says otherwise.
const REPLACE_AFTER_MS: u64 = 10 * 60 * 1_000;

/// The shortest such time: below it, a restart would count as a death.
const REPLACE_AFTER_MS_MIN: u64 = 1_000;

/// Members and those on their way; a newcomer past it is refused. Each costs the leader
/// a copy of every entry.
const MEMBERS_MAX: usize = 16;

/// What every build could do when the charter was invented; never asked for.
const FIRST_FEATURES: [&str; 1] = ["game:hangman"];

/// A member as Raft's membership knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Peer {
    /// The name people know it by.
    pub(crate) name: String,
    /// Where it serves gRPC, and gossips.
    pub(crate) address: SocketAddr,
    /// Its data folder.
    pub(crate) disk: StorageId,
}

impl Default for Peer {
    fn default() -> Self {
        Peer {
            name: String::new(),
            address: SocketAddr::from(([0, 0, 0, 0], 0)),
            disk: StorageId::NONE,
        }
    }
}

impl Peer {
    /// What people call it: its name, and its id where the name does not tell that.
    pub(crate) fn called(&self, id: NodeId) -> String {
        let by_id = format!("n{id}");
        if self.name == by_id { by_id } else { format!("{} ({by_id})", self.name) }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.address)
    }
}

/// What the cluster agrees on about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Charter {
    /// The next id to give out; 0 before the first membership.
    next_id: NodeId,
    /// How many voters are wanted; 0 before the first membership.
    voters_wanted: u8,
    replace_after_ms: u64,
    /// Nodes with an id that are not members yet.
    admitted: BTreeMap<NodeId, Peer>,
    /// Members that were asked to leave.
    leaving: BTreeSet<NodeId>,
    /// What may be used because every voter knew it when it was turned on. Never turned
    /// off: the log may hold it from then on.
    features: BTreeSet<String>,
    /// 0 in a cluster that began empty; a number of its own in one that was begun from a
    /// backup or a survivor's disk. Stored beside the charter, for those who have one.
    #[serde(skip)]
    epoch: u64,
}

/// A command to change the charter. New kinds are added at the end: the place is what the
/// log stores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CharterCommand {
    /// A node wants in.
    Admit {
        /// The name it would like; none to be called by its number.
        name: Option<String>,
        /// Where it is.
        address: SocketAddr,
        /// Its disk. Asking again from the same disk gives the same id.
        disk: StorageId,
    },
    /// So many voters are wanted.
    WantVoters(u8),
    /// A voter silent for so long is replaced, in milliseconds.
    ReplaceAfter(u64),
    /// A member wants to leave.
    Leave(NodeId),
    /// A member that wanted to leave stays.
    Stay(NodeId),
    /// Every voter knows this now.
    Enable(String),
}

impl CharterCommand {
    /// Why it makes no sense, whatever the cluster is like.
    pub(crate) fn objection(&self) -> Option<String> {
        match self {
            CharterCommand::WantVoters(wanted) if !WANTED.contains(wanted) => {
                Some(format!("{wanted} voters; a cluster has 3, 5 or 7"))
            }
            CharterCommand::ReplaceAfter(ms) if *ms < REPLACE_AFTER_MS_MIN => {
                Some(format!("{ms} ms is too short; {REPLACE_AFTER_MS_MIN} is the least"))
            }
            _ => None,
        }
    }
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CharterReply {
    /// The node has this id and name.
    Admitted {
        /// Its id, never used before.
        id: NodeId,
        /// Its name.
        name: String,
    },
    /// It is so.
    Done,
    /// It cannot be, and nothing was changed.
    Refused(String),
}

/// Raft's membership, as the charter looks at it: who is a member, and who votes.
pub(crate) type Members = BTreeMap<NodeId, Member>;

/// A node that the membership names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) peer: Peer,
    /// Whether it votes; otherwise it is a learner.
    pub(crate) votes: bool,
}

impl Default for Charter {
    fn default() -> Self {
        Charter {
            next_id: NodeId::NONE,
            voters_wanted: 0,
            replace_after_ms: REPLACE_AFTER_MS,
            admitted: BTreeMap::new(),
            leaving: BTreeSet::new(),
            features: FIRST_FEATURES.map(str::to_owned).into(),
            epoch: 0,
        }
    }
}

impl Charter {
    /// Applies a committed command.
    pub(crate) fn apply(&mut self, command: &CharterCommand, members: &Members) -> CharterReply {
        if let Some(why) = command.objection() {
            return CharterReply::Refused(why);
        }
        match command {
            CharterCommand::Admit { name, address, disk } => {
                self.admit(name.as_deref(), *address, *disk, members)
            }
            CharterCommand::WantVoters(wanted) => {
                self.voters_wanted = *wanted;
                CharterReply::Done
            }
            CharterCommand::ReplaceAfter(ms) => {
                self.replace_after_ms = *ms;
                CharterReply::Done
            }
            CharterCommand::Leave(id) => {
                if !members.contains_key(id) && !self.admitted.contains_key(id) {
                    return CharterReply::Refused(format!("n{id} is no member"));
                }
                self.admitted.remove(id);
                if members.contains_key(id) {
                    self.leaving.insert(*id);
                }
                CharterReply::Done
            }
            CharterCommand::Stay(id) => {
                self.leaving.remove(id);
                CharterReply::Done
            }
            CharterCommand::Enable(feature) => {
                self.features.insert(feature.clone());
                CharterReply::Done
            }
        }
    }

    /// Follows a committed membership.
    pub(crate) fn follow(&mut self, members: &Members) {
        let Some(highest) = members.keys().max() else { return };
        self.next_id = self.next_id.max(NodeId(highest.0 + 1));
        if self.voters_wanted == 0 {
            let voters = members.values().filter(|member| member.votes).count();
            let least = WANTED.into_iter().find(|wanted| usize::from(*wanted) >= voters);
            self.voters_wanted = least.unwrap_or(WANTED[WANTED.len() - 1]);
        }
        self.admitted.retain(|id, _| !members.contains_key(id));
        self.leaving.retain(|id| members.contains_key(id));
    }

    /// Tells what a cluster was begun from: versions of rooms mean the same only within one
    /// epoch. 0 in a cluster that began empty.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The same charter with the epoch that was stored beside it.
    pub(crate) fn in_epoch(mut self, epoch: u64) -> Self {
        self.epoch = epoch;
        self
    }

    /// The charter of a new cluster that is begun from this one's backup: the settings
    /// stay, who was coming or going does not, and ids are given out anew.
    pub(crate) fn begun_anew(mut self, epoch: u64) -> Self {
        self.epoch = epoch;
        self.next_id = NodeId::NONE;
        self.admitted.clear();
        self.leaving.clear();
        self
    }

    fn admit(
        &mut self,
        name: Option<&str>,
        address: SocketAddr,
        disk: StorageId,
        members: &Members,
    ) -> CharterReply {
        let known =
            members.iter().map(|(id, Member { peer, .. })| (id, peer)).chain(&self.admitted);
        let mut names = BTreeSet::new();
        for (id, peer) in known {
            if peer.disk == disk {
                return CharterReply::Admitted { id: *id, name: peer.name.clone() };
            }
            names.insert(&peer.name);
        }
        if members.len() + self.admitted.len() >= MEMBERS_MAX {
            return CharterReply::Refused(format!(
                "the cluster has {MEMBERS_MAX} members, which is the most; let one leave first"
            ));
        }
        let id = self.next_id.max(NodeId(1));
        // Two members of one name would only confuse people.
        let mut name = name.unwrap_or_default().to_owned();
        if name.is_empty() || names.contains(&name) {
            let numbered = (0..).map(|more| match more {
                0 => format!("n{id}"),
                more => format!("n{id}-{more}"),
            });
            name = numbered.into_iter().find(|name| !names.contains(name)).unwrap_or_default();
        }
        self.next_id = NodeId(id.0 + 1);
        self.admitted.insert(id, Peer { name: name.clone(), address, disk });
        CharterReply::Admitted { id, name }
    }

    /// Whether a node was a member, or on its way to be one, and is none any more.
    pub(crate) fn has_lost(&self, id: NodeId, members: &Members) -> bool {
        id < self.next_id && !members.contains_key(&id) && !self.admitted.contains_key(&id)
    }

    /// How many voters are wanted; 0 before the first membership.
    pub(crate) fn voters_wanted(&self) -> u8 {
        self.voters_wanted
    }

    /// A voter silent for so long is replaced.
    pub(crate) fn replace_after(&self) -> Duration {
        Duration::from_millis(self.replace_after_ms)
    }

    /// Nodes with an id that are not members yet.
    pub(crate) fn admitted(&self) -> &BTreeMap<NodeId, Peer> {
        &self.admitted
    }

    /// Members that were asked to leave.
    pub(crate) fn leaving(&self) -> &BTreeSet<NodeId> {
        &self.leaving
    }

    /// What may be used.
    pub(crate) fn features(&self) -> &BTreeSet<String> {
        &self.features
    }

    /// Whether the log may hold this.
    pub(crate) fn has(&self, feature: &Feature) -> bool {
        self.features.contains(&feature.to_string())
    }
}

/// Everything this build can do, by name.
pub(crate) fn known_features() -> BTreeSet<String> {
    let games = hangraft_game::games().iter().map(|game| Feature::Game((*game).to_owned()));
    games.chain(Feature::REST).map(|feature| feature.to_string()).collect()
}

/// What of these this build does not know.
pub(crate) fn unknown_of(features: &BTreeSet<String>) -> Option<String> {
    let known = known_features();
    features.iter().find(|feature| !known.contains(*feature)).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(name: &str, disk: u64) -> Peer {
        let address = SocketAddr::from(([10, 0, 0, 1], 7100));
        Peer { name: name.into(), address, disk: StorageId(disk) }
    }

    fn first_three() -> (Charter, Members) {
        let members: Members = (1..=3)
            .map(|id| (NodeId(id), Member { peer: peer(&format!("n{id}"), 100 + id), votes: true }))
            .collect();
        let mut charter = Charter::default();
        charter.follow(&members);
        (charter, members)
    }

    fn admit(charter: &mut Charter, members: &Members, name: &str, disk: u64) -> (u64, String) {
        let Peer { name, address, disk } = peer(name, disk);
        let name = (!name.is_empty()).then_some(name);
        match charter.apply(&CharterCommand::Admit { name, address, disk }, members) {
            CharterReply::Admitted { id, name } => (id.0, name),
            other => panic!("{other:?}"),
        }
    }

    /// An id is given once, whatever comes and goes, and asking again gets the same.
    #[test]
    fn an_id_is_given_once() {
        let (mut charter, mut members) = first_three();
        assert_eq!(admit(&mut charter, &members, "", 7), (4, "n4".into()));
        assert_eq!(admit(&mut charter, &members, "", 7), (4, "n4".into()));
        assert_eq!(admit(&mut charter, &members, "box", 8), (5, "box".into()));
        // It joins, leaves, and its disk comes again as a stranger's.
        members.insert(NodeId(5), Member { peer: peer("box", 8), votes: false });
        charter.follow(&members);
        assert_eq!(admit(&mut charter, &members, "x", 8), (5, "box".into()));
        members.remove(&NodeId(5));
        charter.follow(&members);
        assert_eq!(admit(&mut charter, &members, "box", 8), (6, "box".into()));
        // A first member's disk has its id already; a taken name is not given again.
        assert_eq!(admit(&mut charter, &members, "", 102), (2, "n2".into()));
        assert_eq!(admit(&mut charter, &members, "n1", 9), (7, "n7".into()));
    }

    /// A cluster has so many members and no more.
    #[test]
    fn newcomers_past_the_most_are_refused() {
        let (mut charter, members) = first_three();
        for disk in 0..MEMBERS_MAX as u64 - 3 {
            admit(&mut charter, &members, "", disk);
        }
        let before = charter.clone();
        let Peer { address, .. } = peer("", 0);
        let command = CharterCommand::Admit { name: None, address, disk: StorageId(99) };
        assert!(matches!(charter.apply(&command, &members), CharterReply::Refused(_)));
        assert_eq!(charter, before);
    }

    /// What cannot be is refused and changes nothing.
    #[test]
    fn a_refusal_changes_nothing() {
        let (mut charter, members) = first_three();
        let before = charter.clone();
        for command in [
            CharterCommand::WantVoters(4),
            CharterCommand::WantVoters(9),
            CharterCommand::ReplaceAfter(5),
            CharterCommand::Leave(NodeId(9)),
        ] {
            assert!(
                matches!(charter.apply(&command, &members), CharterReply::Refused(_)),
                "{command:?}"
            );
            assert_eq!(charter, before);
        }
    }

    #[test]
    fn who_leaves_is_forgotten_when_gone() {
        let (mut charter, mut members) = first_three();
        assert_eq!(charter.voters_wanted(), 3);
        assert_eq!(charter.apply(&CharterCommand::Leave(NodeId(3)), &members), CharterReply::Done);
        assert_eq!(charter.leaving().len(), 1);
        members.remove(&NodeId(3));
        let has_lost = |members: &Members| charter.has_lost(NodeId(3), members);
        assert!(!has_lost(&first_three().1) && has_lost(&members));
        charter.follow(&members);
        assert!(charter.leaving().is_empty());
        // Its id is spent all the same.
        assert_eq!(admit(&mut charter, &members, "", 1).0, 4);
    }

    /// A feature stays on: the log may hold it from then on.
    #[test]
    fn a_game_is_offered_once_it_is_enabled() {
        let (mut charter, members) = first_three();
        let [hangman, nim] = ["hangman", "nim"].map(|game| Feature::Game(game.into()));
        assert!(charter.has(&hangman) && !charter.has(&nim));
        assert!(!charter.has(&Feature::MeasuredTime));
        charter.apply(&CharterCommand::Enable("game:nim".into()), &members);
        charter.apply(&CharterCommand::Enable("batch:2".into()), &members);
        assert!(charter.has(&nim) && charter.has(&Feature::MeasuredTime));
        assert_eq!(
            unknown_of(&["game:of-tomorrow".to_owned()].into()).unwrap(),
            "game:of-tomorrow"
        );
        assert_eq!(unknown_of(Charter::default().features()), None);
    }

    /// The log and snapshots hold these bytes.
    #[test]
    fn the_stored_form_stays() {
        let (mut charter, members) = first_three();
        admit(&mut charter, &members, "", 7);
        charter.apply(&CharterCommand::Leave(NodeId(2)), &members);
        let bytes = postcard::to_allocvec(&charter).unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, PINNED);
        assert_eq!(postcard::from_bytes::<Charter>(&bytes).unwrap(), charter);
    }

    const PINNED: &str = "0503c0cf240104026e34000a000001bc37070102010c67616d653a68616e676d616e";
}
