//! Writes down what happens in the cluster, by looking at it again and again: who leads,
//! who belongs to it, what is agreed on, who is heard of.

use crate::gossip::Roster;
use crate::membership::charter::{Charter, Members};
use crate::raft::Replica;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// How often to look when nothing wakes us: settings and snapshots wake nobody.
const LOOK: Duration = Duration::from_millis(250);

/// Runs as long as the node does.
pub(crate) async fn run(replica: Replica, mut roster: watch::Receiver<Roster>) {
    let mut leadership = replica.leadership();
    let mut before = Sight::default();
    loop {
        let now = look(&replica, &roster.borrow_and_update());
        leadership.borrow_and_update();
        for (kind, index, text) in now.since(&before) {
            let applied = replica.machine().standing().applied.map_or(0, |at| at.index);
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
        snapshot: replica.report().snapshot,
        heard: roster.iter().map(|(id, seen)| (*id, seen.alive)).collect(),
    }
}

/// What can be seen at one instant.
#[derive(Clone, Debug, Default)]
struct Sight {
    term: u64,
    leader: Option<u64>,
    membership_index: Option<u64>,
    members: Members,
    charter: Charter,
    snapshot: Option<u64>,
    heard: BTreeMap<u64, bool>,
}

/// The kind of an event, the log index if it has one of its own, and its text.
type Happened = (&'static str, Option<u64>, String);

impl Sight {
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
        for (id, (peer, votes)) in &self.members {
            let name = &peer.name;
            match (before.members.get(id), votes) {
                (Some((_, voted)), votes) if voted == votes => {}
                (_, true) => note(format!("{name} (node {id}, {}) votes", peer.address)),
                (Some(_), false) => {
                    note(format!("{name} (node {id}) votes no more; it is a spare"))
                }
                (None, false) => note(format!("{name} (node {id}, {}) is a spare", peer.address)),
            }
        }
        for (id, (peer, _)) in &before.members {
            if !self.members.contains_key(id) {
                note(format!("{} (node {id}) is no member any more", peer.name));
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
        let leaving: BTreeSet<&u64> = now.leaving().difference(was.leaving()).collect();
        for id in leaving {
            note(format!("{} was asked to leave", self.name(*id)));
        }
        for (id, peer) in now.admitted() {
            if !was.admitted().contains_key(id) {
                note(format!("{peer} was admitted as node {id}"));
            }
        }
    }

    fn name(&self, id: u64) -> String {
        self.members.get(&id).map_or_else(|| format!("node {id}"), |(peer, _)| peer.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::membership::Peer;
    use crate::membership::charter::Wish;
    use std::net::SocketAddr;

    fn members(roles: &[(u64, bool)]) -> Members {
        let address = SocketAddr::from(([10, 0, 0, 1], 7100));
        let peer = |id: &u64| Peer { name: format!("n{id}"), address, disk: *id };
        roles.iter().map(|(id, votes)| (*id, (peer(id), *votes))).collect()
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
        let led = Sight { term: 2, leader: Some(1), ..start.clone() };
        assert_eq!(told(&led, &start), ["leader: n1 leads"]);
        assert_eq!(told(&led, &led), [""; 0]);
        charter.follow(&start.members);
        let set = Sight { charter: charter.clone(), ..led.clone() };
        assert_eq!(told(&set, &led), ["setting: 3 voters are wanted"]);
        charter.apply(&Wish::Leave(3), &set.members);
        let changed = Sight {
            members: members(&[(1, true), (2, true), (3, false), (4, true)]),
            charter,
            snapshot: Some(9),
            heard: [(4, true)].into(),
            ..set.clone()
        };
        assert_eq!(
            told(&changed, &set),
            [
                "member: n3 (node 3) votes no more; it is a spare",
                "member: n4 (node 4, 10.0.0.1:7100) votes",
                "setting: n3 was asked to leave",
                "snapshot: a snapshot covers the log up to 9",
                "gossip: n4 is heard of",
            ]
        );
        let gone =
            Sight { members: members(&[(1, true), (2, true), (4, true)]), ..changed.clone() };
        assert_eq!(told(&gone, &changed), ["member: n3 (node 3) is no member any more"]);
        let lost = Sight { leader: None, heard: [(4, false)].into(), ..gone.clone() };
        assert_eq!(
            told(&lost, &gone),
            ["leader: nobody is known to lead", "gossip: n4 is not heard of any more"]
        );
    }
}
