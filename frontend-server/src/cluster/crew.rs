//! The nodes as players may see them: pure.
//!
//! Numbers, votes, the leader and its term, and whom this frontend hears: nothing that
//! would help anybody to reach a node, and nothing that an operator has done.

use std::{collections::BTreeMap, time::Instant};

use hangraft_ids::{NodeId, Term};
use hangraft_proto::socket::{Aboard, Deck};

use super::route::{Known, Route, Standing};

/// Nodes shown at most. A cluster has sixteen members at most.
const SHOWN_MAX: usize = 16;

/// A member, and whether it votes, if anybody has said.
pub(super) type Vote = (NodeId, Option<bool>);

/// What is shown of the nodes.
#[derive(Debug, Default)]
pub(super) struct Crew {
    members: BTreeMap<NodeId, Option<bool>>,
    /// Who has told the members.
    told_by: Option<Teller>,
    /// Who led last.
    led: Option<NodeId>,
    /// Since when it has been led so, or not led.
    since: Option<Instant>,
    /// What was shown last, its time left out.
    shown: Deck,
}

/// Who tells of members, by how much it counts: that of a newer term, and in one term the
/// leader, who is the first to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Teller {
    term: Term,
    leads: bool,
    node: NodeId,
}

impl Crew {
    /// A node has said who the members are.
    pub(super) fn hear(&mut self, standing: Standing, members: impl Iterator<Item = Vote>) {
        let Standing { node, leader, term, .. } = standing;
        let teller = Teller { term, leads: leader == Some(node), node };
        let counts = |before: Teller| (before.term, before.leads) <= (term, teller.leads);
        let mut members = members.take(SHOWN_MAX).peekable();
        if members.peek().is_some() && self.told_by.is_none_or(counts) {
            self.members = members.collect();
            self.told_by = Some(teller);
        }
    }

    /// Looks at what is known now; what is to be shown, if it is something new.
    pub(super) fn look(&mut self, known: &[Known], route: &Route, now: Instant) -> Option<Deck> {
        if self.told_by.is_some_and(|teller| !is_heard(known, teller.node)) {
            // The next who speaks may know better.
            self.told_by = None;
        }
        let led = route.leader != self.shown.leader;
        let since = *self.since.insert(self.since.filter(|_| !led).unwrap_or(now));
        self.led = route.leader.or(self.led);
        let deck = Deck {
            term: term(known, route.leader).or(self.shown.term),
            leader: route.leader,
            lost: self.led.filter(|_| route.leader.is_none()),
            for_ms: 0,
            through: known
                .iter()
                .find(|one| Some(one.slot) == route.watcher)
                .and_then(|one| one.node),
            nodes: self.aboard(known),
        };
        if deck == self.shown {
            return None;
        }
        self.shown = deck.clone();
        let for_ms = now.saturating_duration_since(since).as_millis() as u64;
        Some(Deck { for_ms, ..deck })
    }

    /// The members; before anybody has named them, those that have spoken.
    fn aboard(&self, known: &[Known]) -> Vec<Aboard> {
        let mut votes = self.members.clone();
        if votes.is_empty() {
            votes = known.iter().filter_map(|one| Some((one.node?, None))).collect();
        }
        let aboard = |(node, votes): Vote| Aboard { node, votes, heard: is_heard(known, node) };
        votes.into_iter().map(aboard).collect()
    }
}

/// There is a link to it. One that owes an answer is heard: without a leader it has none.
fn is_heard(known: &[Known], node: NodeId) -> bool {
    known.iter().any(|one| one.node == Some(node) && one.standing.is_some())
}

/// The term in which that leader leads, or the newest when nobody does.
fn term(known: &[Known], leader: Option<NodeId>) -> Option<Term> {
    let standings = known.iter().filter_map(|one| one.standing);
    standings.filter(|one| leader.is_none() || one.leader == leader).map(|one| one.term).max()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn known(node: u64, leader: u64, term: u64) -> Known {
        let leader = (leader != 0).then_some(NodeId(leader));
        let standing = Standing { node: NodeId(node), leader, term: Term(term), draining: false };
        let slot = u32::try_from(node).unwrap();
        Known { slot, standing: Some(standing), node: Some(NodeId(node)), ..Known::default() }
    }

    fn gone(known: Known) -> Known {
        Known { standing: None, ..known }
    }

    fn route(leader: u64, watcher: u32) -> Route {
        let leader = (leader != 0).then_some(NodeId(leader));
        Route { leader, writer: None, watcher: Some(watcher) }
    }

    /// "1 v" is a voter that is heard, "(2 l)" a learner that is not, "3" has not said.
    fn aboard(deck: &Deck) -> Vec<String> {
        let role = |votes| match votes {
            Some(true) => " v",
            Some(false) => " l",
            None => "",
        };
        let one = |one: &Aboard| format!("{}{}", one.node.0, role(one.votes));
        let nodes = deck.nodes.iter();
        nodes.map(|it| if it.heard { one(it) } else { format!("({})", one(it)) }).collect()
    }

    /// A crew that knows three voters, of which node 1 leads in term 4.
    fn led() -> (Crew, [Known; 3], Instant) {
        let (mut crew, nodes, now) =
            (Crew::default(), [1, 2, 3].map(|node| known(node, 1, 4)), Instant::now());
        for one in nodes {
            let votes = [1, 2, 3].map(|node| (NodeId(node), Some(true)));
            crew.hear(one.standing.unwrap(), votes.into_iter());
        }
        assert!(crew.look(&nodes, &route(1, 2), now).is_some());
        (crew, nodes, now)
    }

    /// Everything once: who leads in which term, through whom rooms are watched, and that
    /// nothing is shown twice.
    #[test]
    fn what_is_shown_is_shown_once() {
        let (mut crew, mut nodes, now) = led();
        let later = now + Duration::from_secs(9);
        assert_eq!(crew.look(&nodes, &route(1, 2), later), None);
        nodes[1].suspect = true;
        assert_eq!(crew.look(&nodes, &route(1, 2), later), None);
        nodes[2] = gone(nodes[2]);
        let deck = crew.look(&nodes, &route(1, 2), later).unwrap();
        assert_eq!((deck.term, deck.leader, deck.lost), (Some(Term(4)), Some(NodeId(1)), None));
        assert_eq!((deck.through, deck.for_ms), (Some(NodeId(2)), 9000));
        assert_eq!(aboard(&deck), ["1 v", "2 v", "(3 v)"]);
    }

    /// The leader dies: who it was, since when nobody leads, and then who leads from then on.
    #[test]
    fn a_lost_leader_is_named_until_there_is_another() {
        let (mut crew, mut nodes, now) = led();
        nodes[0] = gone(nodes[0]);
        let deck = crew.look(&nodes, &route(0, 2), now).unwrap();
        assert_eq!((deck.leader, deck.lost, deck.for_ms), (None, Some(NodeId(1)), 0));
        assert_eq!(aboard(&deck), ["(1 v)", "2 v", "3 v"]);
        // They have heard of a newer term, and still nobody leads.
        nodes[1] = known(2, 0, 5);
        let soon = now + Duration::from_millis(840);
        let deck = crew.look(&nodes, &route(0, 2), soon).unwrap();
        assert_eq!((deck.term, deck.for_ms), (Some(Term(5)), 840));
        nodes[1] = known(2, 2, 5);
        let deck = crew.look(&nodes, &route(2, 3), soon).unwrap();
        let now_led = (deck.term, deck.leader, deck.lost, deck.for_ms);
        assert_eq!(now_led, (Some(Term(5)), Some(NodeId(2)), None, 0));
    }

    /// A leader is never shown in another's term, whoever campaigns.
    #[test]
    fn the_term_is_the_leaders_own() {
        let (mut crew, mut nodes, now) = led();
        nodes[2] = known(3, 0, 7);
        assert_eq!(crew.look(&nodes, &route(1, 2), now), None);
        // With nobody left to ask, what was known last stays.
        let none = nodes.map(gone);
        let deck = crew.look(&none, &Route::default(), now).unwrap();
        assert_eq!(deck.term, Some(Term(4)));
        assert_eq!(aboard(&deck), ["(1 v)", "(2 v)", "(3 v)"]);
    }

    /// Of members the leader knows first; without it, whoever speaks.
    #[test]
    fn the_leader_says_who_the_members_are() {
        let (mut crew, mut nodes, now) = led();
        let more = [(NodeId(1), Some(true)), (NodeId(4), Some(false))];
        crew.hear(nodes[0].standing.unwrap(), more.into_iter());
        crew.hear(nodes[1].standing.unwrap(), [(NodeId(2), None)].into_iter());
        let deck = crew.look(&nodes, &route(1, 2), now).unwrap();
        assert_eq!(aboard(&deck), ["1 v", "(4 l)"]);
        nodes[0] = gone(nodes[0]);
        crew.look(&nodes, &route(0, 2), now);
        crew.hear(nodes[1].standing.unwrap(), [(NodeId(2), None)].into_iter());
        assert_eq!(aboard(&crew.look(&nodes, &route(0, 2), now).unwrap()), ["2"]);
    }

    /// Nodes that name no members are those that have spoken; and nobody makes it long.
    #[test]
    fn what_is_shown_is_bounded() {
        let (mut crew, now) = (Crew::default(), Instant::now());
        let nodes = [known(7, 0, 1), gone(known(5, 0, 1))];
        let deck = crew.look(&nodes, &route(0, 7), now).unwrap();
        assert_eq!(aboard(&deck), ["(5)", "7"]);
        assert_eq!((deck.leader, deck.lost), (None, None));
        crew.hear(nodes[0].standing.unwrap(), (1..99).map(|node| (NodeId(node), None)));
        let deck = crew.look(&nodes, &route(0, 7), now).unwrap();
        assert_eq!(deck.nodes.len(), SHOWN_MAX);
    }
}
