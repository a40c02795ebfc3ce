//! Raft's side of membership changes: what the leader knows of its members, and the
//! single steps it can take. What to do is decided in [`crate::membership`].

use crate::charter::{CharterCommand, CharterReply, Member, Members, Peer};
use crate::peers::asks::{Application, Decision};
use crate::peers::asks::{Ask, Asked, LeaderReply};
use crate::peers::channel::channel_to;
use crate::peers::channel::client;
use crate::raft::types::{LogId, Proposal, TypeConfig, members_of, position_of};
use crate::replica::handle::{Replica, Role};
use crate::replica::leadership::Leadership;
use hangraft_ids::{NodeId, Term};
use openraft::async_runtime::WatchReceiver;
use openraft::raft::Precondition;
use openraft::{ChangeMembers, Instant as _};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

/// A step that is not committed by then has failed, as far as anybody here knows.
const STEP_DEADLINE: Duration = Duration::from_secs(5);

/// A command that is not committed by then may or may not come true.
const COMMAND_DEADLINE: Duration = Duration::from_secs(3);

/// Before a new leader is asked again.
const COMMAND_PAUSE: Duration = Duration::from_millis(20);

/// A leader has handed over by then, or stays.
const HAND_OVER_DEADLINE: Duration = Duration::from_secs(2);

/// How long a leader that stops waits for a change of members to end, and how often it
/// looks.
const SETTLED_DEADLINE: Duration = Duration::from_secs(4);
const SETTLED_POLL: Duration = Duration::from_millis(10);

/// A question to the leader is given up on then.
const ASK_DEADLINE: Duration = Duration::from_secs(6);

/// Whoever wants to join must be reached by the leader within this.
const REACH_DEADLINE: Duration = Duration::from_secs(1);

/// How long an operator's question waits for a leader.
const LEADER_WAIT: Duration = Duration::from_secs(2);

/// What a leader knows of its cluster's members, at one instant.
pub(crate) struct MembershipView {
    pub(crate) members: Members,
    /// Where this membership stands in the log. A step counts only if it still holds.
    at: Option<LogId>,
    /// The membership is committed and not joint, and this leader has applied it, and all
    /// that earlier leaders had committed: the charter is no older than the membership.
    pub(crate) settled: bool,
    /// The voters of a joint membership that is committed but was never finished: its
    /// leader died in between.
    pub(crate) unfinished: Option<BTreeSet<NodeId>>,
    /// Log entries each has yet to acknowledge.
    pub(crate) behind: BTreeMap<NodeId, u64>,
    /// For how long each has acknowledged nothing; absent if it never has to this leader.
    pub(crate) quiet: BTreeMap<NodeId, Duration>,
}

impl Replica {
    /// What this node knows as the leader; `None` when it does not lead.
    pub(crate) fn membership_view(&self) -> Option<MembershipView> {
        if self.role() != Role::Leads {
            return None;
        }
        let metrics = self.0.raft.metrics().borrow_watched().clone();
        let (matched, acked) = (metrics.replication?, metrics.heartbeat?);
        let stored = &metrics.membership_config;
        let membership = stored.membership();
        let committed = stored.log_id().is_some() && *stored.log_id() <= metrics.local_committed;
        let applied = self.0.machine.standing().applied;
        let stands_at = stored.log_id().as_ref().map(position_of);
        let known = applied >= stands_at
            && applied.is_some_and(|applied| applied.term == Term(metrics.current_term));
        let configs = membership.get_joint_config();
        let last = metrics.last_log_index.unwrap_or(0);
        let behind = |(id, at): (&NodeId, &Option<crate::raft::types::LogId>)| {
            (*id, last.saturating_sub(at.as_ref().map_or(0, |at| at.index)))
        };
        let quiet = acked.iter().filter_map(|(id, at)| Some((*id, (**at.as_ref()?).elapsed())));
        Some(MembershipView {
            members: members_of(membership),
            at: *stored.log_id(),
            settled: committed && known && configs.len() == 1,
            unfinished: (committed && configs.len() > 1).then(|| configs.last().cloned()).flatten(),
            behind: matched.iter().map(behind).collect(),
            quiet: quiet.collect(),
        })
    }

    /// Adds a member that does not vote.
    pub(crate) async fn add_learner(
        &self,
        view: &MembershipView,
        id: NodeId,
        peer: Peer,
    ) -> Result<(), String> {
        self.step(view, ChangeMembers::AddNodes([(id, peer)].into())).await
    }

    /// Makes exactly these the voters, by joint consensus (thesis section 4.3). Who votes
    /// no more stays as a learner.
    pub(crate) async fn set_voters(
        &self,
        view: &MembershipView,
        voters: BTreeSet<NodeId>,
    ) -> Result<(), String> {
        self.step(view, ChangeMembers::ReplaceAllVoters(voters)).await
    }

    /// Writes down where a member is now. Who votes does not change, and its disk stays the
    /// same, so nothing that was promised is lost.
    pub(crate) async fn set_address(
        &self,
        view: &MembershipView,
        id: NodeId,
        peer: Peer,
    ) -> Result<(), String> {
        self.step(view, ChangeMembers::SetNodes([(id, peer)].into())).await
    }

    /// Lets go of a learner.
    pub(crate) async fn remove_learner(
        &self,
        view: &MembershipView,
        id: NodeId,
    ) -> Result<(), String> {
        self.step(view, ChangeMembers::RemoveNodes([id].into())).await
    }

    /// Changes the membership, if it is still the one that was looked at.
    async fn step(
        &self,
        view: &MembershipView,
        change: ChangeMembers<NodeId, Peer>,
    ) -> Result<(), String> {
        let same =
            Precondition::<TypeConfig>::LastMembershipLogId { last_membership_log_id: view.at };
        let step = self.0.raft.change_membership_if(change, true, [same]);
        match timeout(STEP_DEADLINE, step).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(err)) => Err(err.to_string()),
            Err(_) => Err("no majority has agreed in time".into()),
        }
    }

    /// Brings a command into the log, as the leader.
    pub(crate) async fn change_charter(
        &self,
        command: &CharterCommand,
    ) -> Result<CharterReply, String> {
        let writing = async {
            loop {
                match self.0.raft.client_write(Proposal::charter(command)).await {
                    Ok(written) => return Ok(written.data.reply),
                    // A leader takes nothing before a majority has answered it once, and
                    // has written nothing then.
                    Err(err) if err.forward_to_leader().is_some() && self.role() == Role::Leads => {
                        sleep(COMMAND_PAUSE).await;
                    }
                    Err(err) => return Err(err.to_string()),
                }
            }
        };
        match timeout(COMMAND_DEADLINE, writing).await {
            Ok(reply) => reply?.ok_or_else(|| "the log brought no reply".into()),
            Err(_) => Err("no majority has agreed in time; look at the status".into()),
        }
    }

    /// Hands leadership to a voter and waits until it has moved (thesis section 3.10): who
    /// leads then, which may be another one, and in which term. `None` when it has not.
    pub(crate) async fn hand_over(&self, to: NodeId) -> Option<(NodeId, Term)> {
        if self.role() != Role::Leads || to == self.me() {
            return None;
        }
        self.0.raft.trigger().transfer_leader(to).await.ok()?;
        // One that knows no leader any more has handed over to nobody yet.
        let mut leadership = self.leadership();
        let moved =
            |now: &Leadership| now.leader.as_ref().is_some_and(|(leader, _)| *leader != self.me());
        let moved = timeout(HAND_OVER_DEADLINE, leadership.wait_for(moved)).await;
        let now = moved.ok()?.ok()?;
        Some((now.leader.as_ref()?.0, now.term))
    }

    /// Hands leadership to whoever is closest, if this node leads: it stops.
    pub(crate) async fn step_down(&self) {
        self.until_settled().await;
        if self.role() != Role::Leads {
            return;
        }
        match self.answer_as_leader(Ask::HandOver(None)).await {
            LeaderReply::Refused(why) | LeaderReply::NotNow(why) => {
                tracing::info!(why, "leadership was not handed over; stopped all the same");
            }
            LeaderReply::Done | LeaderReply::Admitted { .. } | LeaderReply::Leads { .. } => {}
        }
    }

    /// Waits until a change of members that is under way is done, if this node leads. A
    /// leader that goes in the middle of one leaves the others waiting for a majority of
    /// the old voters *and* of the new ones, which may need this very node.
    async fn until_settled(&self) {
        let settled = async {
            while self.membership_view().is_some_and(|view| !view.settled) {
                sleep(SETTLED_POLL).await;
            }
        };
        if timeout(SETTLED_DEADLINE, settled).await.is_err() {
            tracing::warn!("a change of members did not end in time; stopping all the same");
        }
    }

    /// Asks whoever leads: this node itself, or the leader over the network.
    pub(crate) async fn ask_the_leader(&self, ask: Ask) -> LeaderReply {
        // An election is soon over; looking again below tells whether it is.
        _ = timeout(LEADER_WAIT, self.leader_known()).await;
        if self.role() == Role::Leads {
            return self.answer_as_leader(ask).await;
        }
        let Some((leader, address)) = self.leadership().borrow().elsewhere(self.me()) else {
            return LeaderReply::NotNow("no leader is known; try again".into());
        };
        let mut client = client(channel_to(&self.0.env, address), &self.0.seal);
        let asking = client.ask(self.0.seal.seal(leader, &ask));
        match timeout(ASK_DEADLINE, asking).await {
            Ok(Ok(answer)) => match self.0.seal.open::<LeaderReply>(&answer.into_inner()) {
                Ok((_, told)) => told,
                Err(status) => LeaderReply::NotNow(status.message().to_owned()),
            },
            Ok(Err(status)) => LeaderReply::NotNow(format!("the leader: {}", status.message())),
            Err(_) => LeaderReply::NotNow("the leader does not answer; look at the status".into()),
        }
    }

    /// Lets the membership task answer, which owns all there is to know.
    pub(super) async fn answer_as_leader(&self, ask: Ask) -> LeaderReply {
        if self.role() != Role::Leads {
            return LeaderReply::NotNow("this node does not lead (any more); try again".into());
        }
        let (told, answer) = oneshot::channel();
        if self.0.asked.send(Asked { ask, told }).await.is_err() {
            return LeaderReply::NotNow("this node is stopping".into());
        }
        answer.await.unwrap_or_else(|_| LeaderReply::NotNow("this node is stopping".into()))
    }

    /// What becomes of a node that wants in.
    pub(super) async fn admit(&self, application: Application) -> Decision {
        let cluster = self.0.seal.cluster();
        if application.cluster.as_ref().is_some_and(|wanted| wanted != cluster) {
            let wanted = application.cluster.as_deref().unwrap_or_default();
            let text = format!(
                "a node at {} that belongs to cluster {wanted:?} wanted to join",
                application.address
            );
            self.complain(text);
            return Decision::Refused(format!("this is cluster {cluster:?}, not {wanted:?}"));
        }
        if self.role() != Role::Leads {
            let leader = self.leadership().borrow().elsewhere(self.me());
            return match leader {
                Some((_, address)) => Decision::Elsewhere(address),
                None => Decision::NotNow("the cluster has no leader just now".into()),
            };
        }
        let address = application.address;
        if let Err(why) = self.reach(address).await {
            let text = format!("this node does not reach {address}: {why}");
            self.complain(format!("a node that wants to join was not admitted: {text}"));
            let advice =
                "is it where others find you (--address, `advertise`), and is its port open?";
            return Decision::NotNow(format!("{text}; {advice}"));
        }
        let known = self.leadership().borrow().members.clone();
        let disk = application.disk;
        match self.answer_as_leader(Ask::Admit(application)).await {
            LeaderReply::Admitted { id, name } => Decision::Admitted {
                cluster: cluster.to_owned(),
                id,
                name,
                disk,
                known: known
                    .into_iter()
                    .map(|(id, Member { peer, .. })| (id, peer.address))
                    .collect(),
            },
            LeaderReply::Refused(why) => Decision::Refused(why),
            LeaderReply::NotNow(why) => Decision::NotNow(why),
            LeaderReply::Done | LeaderReply::Leads { .. } => {
                Decision::NotNow("the leader gave no id".into())
            }
        }
    }

    /// A member that nobody reaches would be none.
    async fn reach(&self, address: SocketAddr) -> Result<(), String> {
        match timeout(REACH_DEADLINE, self.0.env.connect(address)).await {
            Ok(connected) => connected.map(drop).map_err(|err| err.to_string()),
            Err(_) => Err("no answer in time".into()),
        }
    }
}

impl MembershipView {
    /// Who has acknowledged nothing for this long does not answer. Twenty heartbeats at
    /// the default pace.
    pub(crate) const QUIET: Duration = Duration::from_secs(2);
}
