//! Writes down what happens in the cluster, by looking at it again and again: who leads,
//! who belongs to it, what is agreed on, who is heard of.
//!
//! What a node has on its disk when it starts is no news: it happened long ago, and was
//! written down then. What the cluster did while the node was away is told by those who
//! were there.

use crate::charter::{Charter, Member, Members};
use crate::gossip::Roster;
use crate::replica::handle::Replica;
use hangraft_ids::{LogIndex, NodeId, Term};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// How often to look when nothing wakes us: settings and snapshots wake nobody.
const LOOK: Duration = Duration::from_millis(250);

/// Runs as long as the node does. What the node held before is looked at now, when nobody
/// can have told it more yet.
pub(crate) fn run(
    replica: Replica,
    roster: watch::Receiver<Roster>,
) -> impl Future<Output = ()> + Send {
    let past = Past::of(log_end(&replica));
    follow(replica, roster, past)
}

async fn follow(replica: Replica, mut roster: watch::Receiver<Roster>, mut past: Past) {
    let mut leadership = replica.leadership();
    let mut before = Sight::default();
    loop {
        // Asked first: what is seen may be newer, but is not older.
        let applied = *replica.machine().applied().borrow();
        let now = look(&replica, &roster.borrow_and_update());
        leadership.borrow_and_update();
        if past.lasts(applied, || log_end(&replica)) {
            before = before.with_past(&now);
        }
        for (kind, index, text) in now.since(&before) {
            let applied = replica.machine().standing().applied.map_or(LogIndex(0), |at| at.index);
            replica.events().note(kind, now.term, index.unwrap_or(applied), text);
        }
        before = now;
        let woken = async {
            tokio::select! {
                changed = leadership.changed() => changed,
                changed = roster.changed() => changed,
            }
        };
        // Waiting in vain is fine; an error means that the node is being dropped.
        if matches!(timeout(LOOK, woken).await, Ok(Err(_))) {
            return;
        }
    }
}

fn look(replica: &Replica, roster: &Roster) -> Sight {
    let leadership = replica.leadership().borrow().clone();
    let (membership_index, members) = replica.machine().members();
    Sight {
        term: leadership.term,
        leader: leadership.leader.map(|(id, _)| id),
        membership_index,
        members,
        charter: replica.machine().charter(),
        snapshot: *replica.machine().durable_snapshot().borrow(),
        unreadable: replica.machine().unreadable_snapshot(),
        heard: roster.iter().map(|(id, seen)| (*id, seen.alive)).collect(),
    }
}

/// Where the log on this node's disk ends.
fn log_end(replica: &Replica) -> Option<LogIndex> {
    replica.log_end()
}

/// How far a node's log had come when it started. It is applied again, and until it is,
/// what comes of it is no news.
#[derive(Debug)]
struct Past {
    end: Option<LogIndex>,
}

impl Past {
    /// A log that has nothing but the first membership is one that begins.
    fn of(log_end: Option<LogIndex>) -> Self {
        Past { end: log_end.filter(|end| *end > LogIndex(0)) }
    }

    /// Whether what is seen now is the past still, with all up to `applied` applied, and
    /// often more.
    fn lasts(
        &mut self,
        applied: Option<LogIndex>,
        log_end: impl FnOnce() -> Option<LogIndex>,
    ) -> bool {
        let Some(end) = self.end else { return false };
        // A leader may have cut off what was never committed.
        self.end = log_end().map(|now| now.min(end)).filter(|end| applied < Some(*end));
        true
    }
}

/// What can be seen at one instant.
#[derive(Clone, Debug, Default)]
struct Sight {
    term: Term,
    leader: Option<NodeId>,
    membership_index: Option<LogIndex>,
    members: Members,
    charter: Charter,
    snapshot: Option<LogIndex>,
    /// Where a snapshot could not be read back, and none since.
    unreadable: Option<LogIndex>,
    heard: BTreeMap<NodeId, bool>,
}

/// The kind of an event, the log index if it has one of its own, and its text.
type Happened = (&'static str, Option<LogIndex>, String);

impl Sight {
    /// The same, as if it had known what the disk has brought since.
    fn with_past(&self, now: &Sight) -> Sight {
        let Sight { term, leader, heard, .. } = self.clone();
        Sight { term, leader, heard, ..now.clone() }
    }

    fn since(&self, before: &Sight) -> Vec<Happened> {
        let mut happened = Vec::new();
        self.leader_since(before, &mut happened);
        self.members_since(before, &mut happened);
        self.charter_since(before, &mut happened);
        if let Some(index) = self.snapshot.filter(|_| self.snapshot != before.snapshot) {
            happened.push((
                "snapshot",
                Some(index),
                format!("a snapshot covers the log up to {index}"),
            ));
        }
        if let Some(index) = self.unreadable.filter(|_| self.unreadable != before.unreadable) {
            happened.push((
                "snapshot",
                Some(index),
                format!(
                    "the snapshot at {index} cannot be read back: it is not used, and the log is \
                     kept until one can"
                ),
            ));
        }
        for (id, alive) in &self.heard {
            if before.heard.get(id).is_some_and(|was| was != alive)
                || !before.heard.contains_key(id)
            {
                let says = if *alive { "is heard of" } else { "is not heard of any more" };
                happened.push(("gossip", None, format!("{} {says}", self.name(*id))));
            }
        }
        happened
    }

    fn leader_since(&self, before: &Sight, happened: &mut Vec<Happened>) {
        let text = match (self.leader, before.leader) {
            (now, was) if now == was && self.term == before.term => return,
            (Some(leader), _) => format!("{} leads", self.name(leader)),
            (None, Some(_)) => "nobody is known to lead".into(),
            (None, None) => return,
        };
        happened.push(("leader", None, text));
    }

    fn members_since(&self, before: &Sight, happened: &mut Vec<Happened>) {
        let index = self.membership_index;
        let mut note = |text| happened.push(("member", index, text));
        for (id, Member { peer, votes }) in &self.members {
            let name = peer.called(*id);
            let was = before.members.get(id).map(|was| was.peer.address);
            if let Some(was) = was.filter(|was| *was != peer.address) {
                note(format!("{name} is at {} now, and no more at {was}", peer.address));
            }
            match (before.members.get(id), votes) {
                (Some(was), votes) if was.votes == *votes => {}
                (_, true) => note(format!("{name} votes; it is at {}", peer.address)),
                (Some(_), false) => note(format!("{name} votes no more; it is a spare")),
                (None, false) => note(format!("{name} is a spare; it is at {}", peer.address)),
            }
        }
        for (id, Member { peer, .. }) in &before.members {
            if !self.members.contains_key(id) {
                note(format!("{} is no member any more", peer.called(*id)));
            }
        }
    }

    fn charter_since(&self, before: &Sight, happened: &mut Vec<Happened>) {
        let (now, was) = (&self.charter, &before.charter);
        let mut note = |text| happened.push(("setting", None, text));
        if now.voters_wanted() != was.voters_wanted() {
            note(format!("{} voters are wanted", now.voters_wanted()));
        }
        if now.replace_after() != was.replace_after() {
            note(format!("a voter is replaced after {:?} of silence", now.replace_after()));
        }
        for feature in now.features().difference(was.features()) {
            note(format!("{feature:?} may be used"));
        }
        let leaving: BTreeSet<&NodeId> = now.leaving().difference(was.leaving()).collect();
        for id in leaving {
            note(format!("{} was asked to leave", self.name(*id)));
        }
        for (id, peer) in now.admitted() {
            if !was.admitted().contains_key(id) {
                note(format!("{} was admitted; it is at {}", peer.called(*id), peer.address));
            }
        }
    }

    fn name(&self, id: NodeId) -> String {
        self.members.get(&id).map_or_else(|| format!("n{id}"), |member| member.peer.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charter::CharterCommand;
    use crate::charter::Peer;
    use hangraft_ids::StorageId;
    use std::net::SocketAddr;

    fn members(roles: &[(u64, bool)]) -> Members {
        let address = SocketAddr::from(([10, 0, 0, 1], 7100));
        let peer = |id: &u64| Peer { name: format!("n{id}"), address, disk: StorageId(*id) };
        roles
            .iter()
            .map(|(id, votes)| (NodeId(*id), Member { peer: peer(id), votes: *votes }))
            .collect()
    }

    fn told(now: &Sight, before: &Sight) -> Vec<String> {
        now.since(before).into_iter().map(|(kind, _, text)| format!("{kind}: {text}")).collect()
    }

    /// Each change is told once, with the names people know.
    #[test]
    fn what_happened_is_what_differs() {
        let mut charter = Charter::default();
        let start =
            Sight { members: members(&[(1, true), (2, true), (3, true)]), ..Sight::default() };
        let led = Sight { term: Term(2), leader: Some(NodeId(1)), ..start.clone() };
        assert_eq!(told(&led, &start), ["leader: n1 leads"]);
        assert_eq!(told(&led, &led), [""; 0]);
        charter.follow(&start.members);
        let set = Sight { charter: charter.clone(), ..led.clone() };
        assert_eq!(told(&set, &led), ["setting: 3 voters are wanted"]);
        charter.apply(&CharterCommand::Leave(NodeId(3)), &set.members);
        let changed = Sight {
            members: members(&[(1, true), (2, true), (3, false), (4, true)]),
            charter,
            snapshot: Some(LogIndex(9)),
            heard: [(NodeId(4), true)].into(),
            ..set.clone()
        };
        assert_eq!(
            told(&changed, &set),
            [
                "member: n3 votes no more; it is a spare",
                "member: n4 votes; it is at 10.0.0.1:7100",
                "setting: n3 was asked to leave",
                "snapshot: a snapshot covers the log up to 9",
                "gossip: n4 is heard of",
            ]
        );
        let gone =
            Sight { members: members(&[(1, true), (2, true), (4, true)]), ..changed.clone() };
        assert_eq!(told(&gone, &changed), ["member: n3 is no member any more"]);
        let lost = Sight { leader: None, heard: [(NodeId(4), false)].into(), ..gone.clone() };
        assert_eq!(
            told(&lost, &gone),
            ["leader: nobody is known to lead", "gossip: n4 is not heard of any more"]
        );
    }

    /// A node that starts again knows its members from its disk, and tells only who leads
    /// and whom it hears of.
    #[test]
    fn what_the_disk_has_is_no_news() {
        let mut charter = Charter::default();
        let members = members(&[(1, true), (2, true), (3, true)]);
        charter.follow(&members);
        let (snapshot, heard) = (Some(LogIndex(9)), [(NodeId(2), true)].into());
        let now = Sight {
            term: Term(4),
            leader: Some(NodeId(2)),
            members,
            charter,
            snapshot,
            heard,
            ..Sight::default()
        };
        assert_eq!(told(&now, &Sight::default()).len(), 7);
        let before = Sight::default().with_past(&now);
        assert_eq!(told(&now, &before), ["leader: n2 leads", "gossip: n2 is heard of"]);
    }

    /// The past lasts until the log that was there is applied, and includes the moment at
    /// which it is. Entries that a leader cuts off are not waited for.
    #[test]
    fn the_past_ends_where_the_log_ended() {
        let lasts = |past: &mut Past, applied: Option<u64>, end: Option<u64>| {
            past.lasts(applied.map(LogIndex), || end.map(LogIndex))
        };
        let mut past = Past::of(Some(LogIndex(9)));
        assert!(lasts(&mut past, None, Some(9)));
        assert!(lasts(&mut past, Some(4), Some(12)));
        assert!(lasts(&mut past, Some(12), Some(12)));
        assert!(!lasts(&mut past, Some(12), Some(12)));
        let mut past = Past::of(Some(LogIndex(9)));
        assert!(lasts(&mut past, Some(4), Some(6)));
        assert!(lasts(&mut past, Some(6), Some(20)));
        assert!(!lasts(&mut past, Some(7), Some(20)));
        // A new node has none: it is told of the members once.
        for end in [None, Some(0)] {
            assert!(!lasts(&mut Past::of(end.map(LogIndex)), None, Some(5)), "{end:?}");
        }
    }
}
