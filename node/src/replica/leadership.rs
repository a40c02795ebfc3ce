//! Who leads, as this node knows it: openraft's metrics, boiled down to what can be
//! believed. openraft names the leader of the last vote, whether it lives or not.

use crate::charter::Members;
use crate::charter::Peer;
use crate::peers::envelope::Party;
use crate::peers::starts::Starts;
use crate::raft::machine::Raft;
use crate::raft::stopwatch::Stopwatch;
use crate::raft::types;
use crate::replica::ended::{self, Ended};
use hangraft_ids::{NodeId, Term};
use openraft::Instant;
use openraft::async_runtime::WatchReceiver;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// When a leader was heard of last, by the clock of tokio's timers.
pub(super) type LastLeaderContact = Arc<Mutex<Option<tokio::time::Instant>>>;

/// Who leads, as this node knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Leadership {
    pub(crate) term: Term,
    pub(crate) leader: Option<(NodeId, Peer)>,
    /// All members by Raft's membership, and whether each may vote; at the addresses at which
    /// they were found, if they have moved since it was written.
    pub(crate) members: Members,
}

/// Boils openraft's metrics down to what the rest of the node follows.
///
/// A leader that has not heard from a majority for `quorum_age_max` leads nobody, and one
/// that its followers have not heard for as long does not lead them: neither is shown as
/// the leader until that changes.
pub(super) fn follow(
    raft: &Raft,
    quorum_age_max: Duration,
    heard: LastLeaderContact,
    starts: Starts,
    stopwatch: Stopwatch,
    ended: watch::Sender<Option<Ended>>,
) -> (watch::Receiver<Leadership>, impl Future<Output = ()> + use<>) {
    let (leadership, leaders) = watch::channel(Leadership::default());
    let (mut metrics, mut moves) = (raft.metrics(), starts.moves());
    let following = async move {
        loop {
            let (now, me, running) = {
                let metrics = metrics.borrow_and_update();
                let recent = is_recent(&heard, quorum_age_max);
                let members = types::members_of(metrics.membership_config.membership());
                if !members.is_empty() {
                    starts.follow(&members);
                }
                let members = starts.located(members);
                let now = leadership_of(&metrics, members, quorum_age_max, recent);
                (now, metrics.id, metrics.running_state.clone())
            };
            // Before anybody who follows this can have a batch written.
            let (led_by, leads) = (leadership.borrow().leader_id(), now.leader_id());
            if led_by.is_some() && led_by != leads {
                let own = led_by == Some(me);
                stopwatch.stand(if own { quorum_age_max } else { silence(&heard) });
            }
            if leads.is_some() {
                stopwatch.go_on();
            }
            let changed = leadership.send_if_modified(|known| {
                let changed = *known != now;
                if changed {
                    *known = now.clone();
                }
                changed
            });
            if changed {
                tracing::info!(term = now.term.0, leader = ?leads.map(|id| id.0), "leadership");
            }
            if let Err(fatal) = running {
                return ended::note(&ended, false, fatal.to_string());
            }
            // Silence changes no metric, so it is looked for.
            let waited = async {
                tokio::select! {
                    changed = metrics.changed() => changed.is_ok(),
                    // This task holds the sender.
                    _ = moves.changed() => true,
                }
            };
            if matches!(timeout(quorum_age_max / 2, waited).await, Ok(false)) {
                return ended::note(&ended, false, "consensus has stopped".into());
            }
        }
    };
    (leaders, following)
}

fn leadership_of(
    metrics: &openraft::RaftMetrics<types::TypeConfig>,
    members: Members,
    quorum_age_max: Duration,
    heard_lately: bool,
) -> Leadership {
    // The only voter is its own majority, and nobody acknowledges anything to it.
    let others = members.iter().any(|(id, member)| member.votes && *id != metrics.id);
    let alone = metrics.current_leader == Some(metrics.id)
        && others
        && metrics.last_quorum_acked.is_some_and(|acked| acked.elapsed() > quorum_age_max);
    let leader = metrics
        .current_leader
        .filter(|leader| if *leader == metrics.id { !alone } else { heard_lately })
        .and_then(|id| members.get(&id).map(|member| (id, member.peer.clone())));
    Leadership { term: Term(metrics.current_term), leader, members }
}

/// For how long no leader was heard of.
fn silence(heard: &LastLeaderContact) -> Duration {
    let heard = *heard.lock().expect("never poisoned");
    heard.map_or(Duration::ZERO, |at| at.elapsed())
}

/// Whether a leader was heard of within this time.
pub(super) fn is_recent(heard: &LastLeaderContact, age_max: Duration) -> bool {
    heard.lock().expect("never poisoned").is_some_and(|at| at.elapsed() < age_max)
}

impl Leadership {
    fn leader_id(&self) -> Option<NodeId> {
        self.leader.as_ref().map(|(id, _)| *id)
    }

    /// The leader and its address, if it is another node than `me`.
    pub(crate) fn elsewhere(&self, me: NodeId) -> Option<(Party, SocketAddr)> {
        let leader = self.leader.as_ref().filter(|(id, _)| *id != me);
        leader.map(|(id, peer)| (Party { node: *id, disk: peer.disk }, peer.address))
    }
}
