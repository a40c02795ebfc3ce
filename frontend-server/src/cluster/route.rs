//! Which node to write to and which to watch through: pure.
//!
//! There is a link to every node known (there are at most seven), so choosing
//! another is instant and no connection has to be made in a hurry. One link is
//! written to, the leader's where it can be had, since that saves a hop; one is
//! watched through, a follower's where it can be had, since that leaves the
//! leader's processor to the leader. Neither is needed for correctness: any node
//! takes writes and serves watches.

use std::cmp::Reverse;
use std::time::Duration;

use hangraft_ids::{NodeId, Term};

/// Waits between attempts to reach a node, in milliseconds; the last one repeats.
const BACKOFF_MS: [u64; 6] = [10, 50, 100, 250, 500, 1000];

/// How long a leader whose link broke is doubted. After that, if the others still
/// say that it leads, it is only us who cannot reach it.
const DOUBT: Duration = Duration::from_secs(2);

/// How long a node may name another leader than we believe in before it counts
/// as cut off.
pub(super) const HEARSAY: Duration = Duration::from_secs(1);

/// Names a node's place in our list; stays its own while links come and go.
pub(crate) type Slot = u32;

/// What a node said of where it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) node: NodeId,
    pub(crate) leader: Option<NodeId>,
    pub(crate) term: Term,
    /// It is shutting down and takes nothing new.
    pub(crate) draining: bool,
}

/// What is known of one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) slot: Slot,
    /// What it said last on the link that is up; none while there is no link.
    pub(crate) standing: Option<Standing>,
    /// It owes answers and is silent.
    pub(crate) suspect: bool,
    /// Its node id, once it ever spoke.
    pub(crate) node: Option<NodeId>,
    /// How long its link has been broken, if it was up before.
    pub(crate) broken_for: Option<Duration>,
    /// How long it has not named the leader we believe in.
    pub(crate) astray_for: Duration,
    /// Views stopped coming through it while moves went on elsewhere.
    pub(crate) frozen: bool,
}

impl Known {
    /// The node can be asked for something new.
    fn willing(&self) -> bool {
        self.standing.is_some_and(|standing| !standing.draining) && !self.suspect
    }
}

/// The choice made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Route {
    /// The leader's node id, if one is believed.
    pub(crate) leader: Option<NodeId>,
    /// Whom to write to.
    pub(crate) writer: Option<Slot>,
    /// Whom to watch through.
    pub(crate) watcher: Option<Slot>,
}

/// Chooses anew. Keeps what was chosen before unless something better is there:
/// moving costs every watched room a message. `salt` differs between frontends,
/// so that they do not all watch through the same follower.
pub(crate) fn choose(nodes: &[Known], before: &Route, salt: u64) -> Route {
    let leader = believed_leader(nodes);
    let leads = |known: &Known| leader.is_some() && known.node == leader;
    let knows = |known: &Known| known.standing.is_some_and(|standing| standing.leader == leader);
    // News of a leader takes a moment to get around; that is no reason to move.
    let astray = |known: &Known| !knows(known) && known.astray_for > HEARSAY;
    let sees = |known: &Known| !known.frozen && !astray(known);
    let up = || nodes.iter().filter(|known| known.standing.is_some());

    let writer = up().max_by_key(|known| {
        (known.willing(), leads(known), knows(known), before.writer == Some(known.slot))
    });
    // A follower that does not hear of the leader is cut off from it, and would
    // show old views for as long as that lasts.
    let watcher = up().max_by_key(|known| {
        let current = before.watcher == Some(known.slot);
        (known.willing(), sees(known), !leads(known), current, shuffled(known.slot, salt))
    });
    Route {
        leader,
        writer: writer.map(|known| known.slot),
        watcher: watcher.map(|known| known.slot),
    }
}

/// The leader of the highest term anyone speaks of, unless there is reason to doubt it.
fn believed_leader(nodes: &[Known]) -> Option<NodeId> {
    let claims = nodes.iter().filter_map(|known| known.standing);
    let claim = claims.filter(|standing| standing.leader.is_some()).max_by_key(|s| s.term)?;
    let leader = claim.leader?;
    // One that has moved is known at two addresses: what it says itself counts, or the link
    // that broke last.
    let broke_last = |known: &&Known| Reverse(known.broken_for.unwrap_or(Duration::MAX));
    let itself = nodes.iter().filter(|known| known.node == Some(leader));
    let itself = itself.max_by_key(|known| (known.standing.is_some(), broke_last(known)));
    let Some(itself) = itself else { return Some(leader) };
    let denies = itself.standing.is_some_and(|own| own.leader != Some(leader));
    let broke = itself.standing.is_none() && itself.broken_for.is_some_and(|time| time < DOUBT);
    (!denies && !broke && !itself.suspect).then_some(leader)
}

/// The wait before the next attempt after so many failures in a row: half of it
/// fixed, half by the dice, so that many frontends do not knock all at once.
pub(crate) fn backoff(failures: u32, dice: u64) -> Duration {
    let step = (failures as usize).min(BACKOFF_MS.len() - 1);
    let half = BACKOFF_MS[step] * 1000 / 2;
    Duration::from_micros(half + dice % half)
}

/// The slots in an order of this frontend's own.
fn shuffled(slot: Slot, salt: u64) -> u64 {
    (u64::from(slot) ^ salt).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(slot: Slot, leader: u64, term: u64) -> Known {
        let node = NodeId(slot.into());
        let leader = (leader != 0).then_some(NodeId(leader));
        let standing = Standing { node, leader, term: Term(term), draining: false };
        Known { slot, standing: Some(standing), node: Some(node), ..Known::default() }
    }

    fn down(slot: Slot, broken_for: Duration) -> Known {
        let (node, broken_for) = (Some(NodeId(slot.into())), Some(broken_for));
        Known { slot, node, broken_for, ..Known::default() }
    }

    fn route(leader: u64, writer: Slot, watcher: Slot) -> Route {
        let some = |slot: Slot| (slot != 0).then_some(slot);
        Route {
            leader: (leader != 0).then_some(NodeId(leader)),
            writer: some(writer),
            watcher: some(watcher),
        }
    }

    /// A day in the life: what is known, what was chosen before, what is chosen.
    #[test]
    fn the_route_follows_the_cluster() {
        let draining = |mut known: Known| {
            known.standing.as_mut().unwrap().draining = true;
            known
        };
        let suspect = |known| Known { suspect: true, ..known };
        let astray = |known| Known { astray_for: 2 * HEARSAY, ..known };
        let second = Duration::from_secs(1);
        for (story, nodes, before, after) in [
            ("nothing is known", vec![], route(0, 0, 0), route(0, 0, 0)),
            (
                "write to the leader, watch a follower",
                vec![up(1, 2, 1), up(2, 2, 1)],
                route(0, 0, 0),
                route(2, 2, 1),
            ),
            (
                "stay with the follower watched",
                vec![up(1, 3, 1), up(2, 3, 1), up(3, 3, 1)],
                route(3, 3, 2),
                route(3, 3, 2),
            ),
            ("one node is all there is", vec![up(1, 1, 1)], route(0, 0, 0), route(1, 1, 1)),
            (
                "the leader has moved, and steps down where it is now",
                vec![
                    down(3, 60 * second),
                    Known { slot: 4, node: Some(NodeId(3)), ..up(4, 0, 1) },
                    up(1, 3, 1),
                ],
                route(3, 4, 1),
                route(0, 4, 1),
            ),
            (
                "the leader has moved, and is gone where it was last",
                vec![down(3, 60 * second), Known { slot: 4, ..down(3, second / 10) }, up(1, 3, 1)],
                route(3, 1, 1),
                route(0, 1, 1),
            ),
            (
                "the leader is gone, the others do not know it yet",
                vec![up(1, 3, 1), up(2, 3, 1), down(3, second / 10)],
                route(3, 3, 1),
                route(0, 2, 1),
            ),
            (
                "a new leader is known to one",
                vec![up(1, 3, 1), up(2, 2, 2), down(3, second)],
                route(0, 1, 1),
                route(2, 2, 1),
            ),
            (
                "the leader is out of our reach only",
                vec![up(1, 3, 1), up(2, 3, 1), down(3, 3 * second)],
                route(0, 1, 2),
                route(3, 1, 2),
            ),
            (
                "the watched follower was cut off a moment ago",
                vec![up(1, 3, 5), up(2, 0, 5), up(3, 3, 5)],
                route(3, 3, 2),
                route(3, 3, 2),
            ),
            (
                "the watched follower was cut off",
                vec![up(1, 3, 5), astray(up(2, 0, 5)), up(3, 3, 5)],
                route(3, 3, 2),
                route(3, 3, 1),
            ),
            (
                "the watched follower shows nothing new",
                vec![up(1, 3, 5), Known { frozen: true, ..up(2, 3, 5) }, up(3, 3, 5)],
                route(3, 3, 2),
                route(3, 3, 1),
            ),
            (
                "the leader owes answers",
                vec![up(1, 3, 1), suspect(up(3, 3, 1))],
                route(3, 3, 1),
                route(0, 1, 1),
            ),
            (
                "the watched follower is leaving",
                vec![up(1, 3, 1), draining(up(2, 3, 1)), up(3, 3, 1)],
                route(3, 3, 2),
                route(3, 3, 1),
            ),
            (
                "an old leader says itself that it leads no more",
                vec![up(1, 3, 1), up(3, 0, 1)],
                route(3, 3, 1),
                route(0, 3, 1),
            ),
            (
                "a suspect is better than nobody",
                vec![suspect(up(1, 1, 1))],
                route(1, 1, 1),
                route(0, 1, 1),
            ),
        ] {
            assert_eq!(choose(&nodes, &before, 0), after, "{story}");
        }
    }

    /// Frontends spread over the followers instead of all leaning on one.
    #[test]
    fn frontends_spread_over_followers() {
        let nodes: Vec<_> = (1..=5).map(|slot| up(slot, 5, 1)).collect();
        let watchers: std::collections::BTreeSet<_> =
            (0..64).map(|salt| choose(&nodes, &Route::default(), salt).watcher).collect();
        assert_eq!(watchers, (1..=4).map(Some).collect());
    }

    #[test]
    fn waits_grow_to_a_second_and_stay() {
        for (failures, low, high) in [(0, 5, 10), (1, 25, 50), (5, 500, 1000), (99, 500, 1000)] {
            for dice in [0, 1, 999_999, u64::MAX] {
                let wait = backoff(failures, dice);
                assert!(wait >= Duration::from_millis(low) && wait < Duration::from_millis(high));
            }
        }
    }
}
