//! What disks have promised, as others remember it.
//!
//! A disk that was set back (a machine's snapshot that was rolled back, a write cache that
//! lost what it had called durable) has forgotten entries it acknowledged and votes it
//! gave, and cannot know it. With entries it forgot, it can help to elect a leader that
//! misses a committed entry; with a vote it forgot, it can vote twice in a term (thesis
//! sections 3.6 and 3.4). So nodes remember of each other what was promised to them, tell
//! each other, and whoever starts asks before it takes part.
//!
//! Only what was durable when it was said is remembered here, so a disk that keeps its
//! promises is never taken for one that does not.

use crate::peers::envelope::Party;
use crate::small_file;
use crate::storage::Files;
use crate::storage::log::Position;
use hangraft_ids::{LogIndex, NodeId, StorageId, Term};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::{Notify, futures::Notified, watch};

/// The file's name among the node's files.
const FILE: &str = "promises.json";

/// The form of the file. Another one is not read: what it says only helps.
const FORMAT: u32 = 1;

/// Disks that are remembered, beyond what any cluster has. More are not.
const REMEMBERED_MAX: usize = 64;

/// What a disk has promised. Entries are counted from the log's beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Promised {
    /// The newest term it has voted or followed in.
    pub(crate) term: Term,
    /// Entries that it has acknowledged to the leader of that term.
    pub(crate) acknowledged: u64,
    /// Entries that it holds and that are committed, in whatever term.
    pub(crate) committed: u64,
}

/// What a disk holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// The term of its vote.
    pub(crate) term: Term,
    /// Where its log ends.
    pub(crate) entries: u64,
}

impl Promised {
    /// This, and something else the same disk has promised.
    fn and(self, other: Promised) -> Promised {
        let acknowledged = match self.term.cmp(&other.term) {
            std::cmp::Ordering::Less => other.acknowledged,
            std::cmp::Ordering::Equal => self.acknowledged.max(other.acknowledged),
            std::cmp::Ordering::Greater => self.acknowledged,
        };
        let (term, committed) = (self.term.max(other.term), self.committed.max(other.committed));
        Promised { term, acknowledged, committed }
    }

    /// This, now that an entry is known to be committed. What was acknowledged to the
    /// leader of a term is that leader's log, and holds all that was committed in earlier
    /// terms (thesis section 3.6.3). Of what a later leader commits nothing follows: it
    /// may have replaced what was acknowledged.
    fn committed_at(self, at: Position) -> Promised {
        if at.term > self.term {
            return self;
        }
        Promised { committed: self.committed.max(self.acknowledged.min(at.index.next().0)), ..self }
    }

    /// Whether a disk that holds this has kept what it promised. In a later term its log
    /// may be shorter than what it acknowledged, but not than what is committed.
    pub(crate) fn is_kept_by(&self, held: Held) -> bool {
        held.term >= self.term
            && held.entries >= self.committed
            && (held.term > self.term || held.entries >= self.acknowledged)
    }
}

/// What is remembered, and who is found out. Clones share it.
#[derive(Clone)]
pub(crate) struct Promises(Arc<Inner>);

struct Inner {
    known: Mutex<Known>,
    /// Whether this node's own disk is known to be whole, as far as others can tell.
    vouched: watch::Sender<bool>,
    /// An answer has come that a disk which keeps its promises does not give.
    doubt: Notify,
}

#[derive(Default)]
struct Known {
    promised: BTreeMap<Party, Promised>,
    /// Whose disk has been set back, by what it says itself.
    set_back: BTreeSet<Party>,
    /// What is on the disk of this node.
    stored: BTreeMap<Party, Promised>,
}

impl Promises {
    /// What this node's disk remembers of a cluster's members; `vouched` when nobody need
    /// be asked about this disk itself.
    pub(crate) async fn load(files: &Arc<dyn Files>, cluster: &str, vouched: bool) -> Self {
        let known = match read(files, cluster).await {
            Ok(promised) => Known { stored: promised.clone(), promised, ..Known::default() },
            Err(err) => {
                // The others remember it, too.
                tracing::warn!(%err, "what other disks have promised is forgotten here");
                Known::default()
            }
        };
        let vouched = watch::Sender::new(vouched);
        Promises(Arc::new(Inner { known: Mutex::new(known), vouched, doubt: Notify::new() }))
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().expect("never poisoned")
    }

    /// A disk has voted in a term, or leads in it.
    pub(crate) fn note_term(&self, party: Party, term: Term) {
        self.note(party, Promised { term, ..Promised::default() });
    }

    /// A disk has acknowledged so many entries to the leader of a term.
    pub(crate) fn note_acknowledged(&self, party: Party, term: Term, acknowledged: u64) {
        self.note(party, Promised { term, acknowledged, committed: 0 });
    }

    /// A disk has promised this.
    pub(crate) fn note(&self, party: Party, promised: Promised) {
        // What nobody in particular has said binds nobody.
        if party.disk == StorageId::NONE {
            return;
        }
        let mut known = self.lock();
        let full = known.promised.len() >= REMEMBERED_MAX;
        match known.promised.get_mut(&party) {
            Some(before) => *before = before.and(promised),
            None if full => {}
            None => _ = known.promised.insert(party, promised),
        }
    }

    /// An entry is committed.
    pub(crate) fn note_committed(&self, at: Position) {
        for promised in self.lock().promised.values_mut() {
            *promised = promised.committed_at(at);
        }
    }

    /// Forgets all but these.
    pub(crate) fn keep(&self, member: impl Fn(&Party) -> bool) {
        let mut known = self.lock();
        known.promised.retain(|party, _| member(party));
        known.set_back.retain(member);
    }

    /// What every disk is known to have promised.
    pub(crate) fn all(&self) -> Vec<(Party, Promised)> {
        self.lock().promised.iter().map(|(party, promised)| (*party, *promised)).collect()
    }

    /// Whether a conflict at this index is one that a disk which keeps its promises does
    /// not have: it has acknowledged the entry there in this very term. Whoever asks
    /// further then finds out.
    pub(crate) fn doubts(&self, party: Party, term: Term, index: LogIndex) -> bool {
        planted!(disks_are_believed() => return false);
        let known = self.lock().promised.get(&party).copied().unwrap_or_default();
        let doubted = known.term == term && index.0 < known.acknowledged;
        if doubted {
            self.0.doubt.notify_one();
        }
        doubted
    }

    /// Resolves when there was a doubt.
    pub(crate) fn doubt(&self) -> Notified<'_> {
        self.0.doubt.notified()
    }

    /// A node says that its disk has been set back; whether that is news.
    pub(crate) fn note_set_back(&self, party: Party) -> bool {
        self.lock().set_back.insert(party)
    }

    /// Whether this disk is known to have been set back.
    pub(crate) fn is_set_back(&self, party: Party) -> bool {
        self.lock().set_back.contains(&party)
    }

    /// How many disks are known to have been set back.
    pub(crate) fn set_back_count(&self) -> usize {
        self.lock().set_back.len()
    }

    /// Follows whether this node's own disk is known to be whole.
    pub(crate) fn vouched(&self) -> watch::Receiver<bool> {
        self.0.vouched.subscribe()
    }

    /// Those who could know have nothing against this node's disk.
    pub(crate) fn vouch(&self) {
        self.0.vouched.send_replace(true);
    }

    /// Makes the disk remember what is known, if that is more than it does.
    pub(crate) async fn save(&self, files: &Arc<dyn Files>, cluster: &str) -> io::Result<()> {
        let promised = {
            let known = self.lock();
            if known.promised == known.stored {
                return Ok(());
            }
            known.promised.clone()
        };
        let nodes = promised.iter().map(|(party, promised)| Line {
            node: party.node,
            disk: party.disk,
            promised: *promised,
        });
        let file = Stored { format: FORMAT, cluster: cluster.to_owned(), nodes: nodes.collect() };
        small_file::replace(files, FILE, &file).await?;
        self.lock().stored = promised;
        Ok(())
    }
}

/// What the file holds.
#[derive(Serialize, Deserialize)]
struct Stored {
    format: u32,
    cluster: String,
    nodes: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    node: NodeId,
    disk: StorageId,
    #[serde(flatten)]
    promised: Promised,
}

async fn read(files: &Arc<dyn Files>, cluster: &str) -> io::Result<BTreeMap<Party, Promised>> {
    let Some(bytes) = small_file::read(files, FILE).await? else {
        return Ok(BTreeMap::new());
    };
    let damaged = |why: String| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{FILE} is damaged: {why}"))
    };
    let stored: Stored = serde_json::from_slice(&bytes).map_err(|err| damaged(err.to_string()))?;
    // A recovered cluster has another name and counts anew.
    if stored.format != FORMAT || stored.cluster != cluster {
        return Ok(BTreeMap::new());
    }
    let nodes = stored.nodes.into_iter().take(REMEMBERED_MAX);
    Ok(nodes.map(|it| (Party { node: it.node, disk: it.disk }, it.promised)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promised(term: u64, acknowledged: u64, committed: u64) -> Promised {
        Promised { term: Term(term), acknowledged, committed }
    }

    /// A disk has lost something when its term is older, when it misses what is committed,
    /// or when it misses what it acknowledged in the term it is in still.
    #[test]
    fn what_keeps_a_promise_and_what_does_not() {
        let all = promised(4, 10, 7);
        for (term, entries, kept) in [
            (4, 10, true),
            (4, 12, true),
            (4, 9, false),
            (3, 10, false),
            (3, 99, false),
            // A later leader has cut off what was not committed.
            (5, 7, true),
            (5, 6, false),
        ] {
            assert_eq!(
                all.is_kept_by(Held { term: Term(term), entries }),
                kept,
                "{term} {entries}"
            );
        }
        assert!(Promised::default().is_kept_by(Held { term: Term(0), entries: 0 }));
    }

    /// Promises of one disk add up, whoever they come from and in whatever order. What it
    /// acknowledged counts only in the newest term; what is committed counts in all.
    #[test]
    fn promises_add_up_in_any_order() {
        let parts = [promised(3, 9, 0), promised(4, 0, 0), promised(4, 5, 2), promised(2, 20, 3)];
        let sum = |order: &[usize]| {
            order.iter().fold(Promised::default(), |sum, part| sum.and(parts[*part]))
        };
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]] {
            assert_eq!(sum(&order), promised(4, 5, 3));
        }
    }

    /// What is committed binds a disk as far as it acknowledged it, and only if the leader
    /// it acknowledged it to is no older than the one that committed.
    #[test]
    fn what_is_committed_stays() {
        let at = |term, index| Position { term: Term(term), index: LogIndex(index) };
        assert_eq!(promised(4, 10, 0).committed_at(at(4, 6)).committed, 7);
        assert_eq!(promised(4, 10, 0).committed_at(at(4, 30)).committed, 10);
        assert_eq!(promised(4, 10, 8).committed_at(at(3, 6)).committed, 8);
        assert_eq!(promised(4, 10, 0).committed_at(at(5, 30)).committed, 0);
    }

    /// A conflict is doubted only where the same leader was told yes before.
    #[tokio::test]
    async fn a_conflict_with_what_was_acknowledged_is_doubted() {
        let promises = Promises(Arc::new(Inner {
            known: Mutex::default(),
            vouched: watch::Sender::new(true),
            doubt: Notify::new(),
        }));
        let party = |disk| Party { node: NodeId(2), disk: StorageId(disk) };
        let doubts = |disk, term, index| promises.doubts(party(disk), Term(term), LogIndex(index));
        promises.note_acknowledged(party(7), Term(4), 10);
        assert!(!doubts(7, 4, 10));
        assert!(!doubts(7, 5, 3));
        assert!(!doubts(8, 4, 3));
        assert!(doubts(7, 4, 9));
        promises.doubt().await;
    }
}
