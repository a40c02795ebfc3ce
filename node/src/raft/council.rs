//! Raft's side of membership changes: what the leader knows of its members, and the
//! single steps it can take. What to do is decided in [`crate::membership`].

use super::network::client;
use super::types::{Proposal, members_of};
use super::{Replica, Role};
use crate::dial::channel_to;
use crate::join::{Application, Decision};
use crate::membership::charter::{Members, Peer, Ruling, Wish};
use crate::membership::plan::LAG_MAX;
use crate::membership::{Ask, Asked, Told};
use openraft::async_runtime::WatchReceiver;
use openraft::{ChangeMembers, Instant as _};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

/// A step that is not committed by then has failed, as far as anybody here knows.
const STEP_DEADLINE: Duration = Duration::from_secs(5);

/// A wish that is not committed by then may or may not come true.
const WISH_DEADLINE: Duration = Duration::from_secs(3);

/// Before a new leader is asked again.
const WISH_PAUSE: Duration = Duration::from_millis(20);

/// A leader has handed over by then, or stays.
const HAND_OVER_DEADLINE: Duration = Duration::from_secs(2);

/// How long a leader that stops waits for a change of members to end, and how often it
/// looks.
const SETTLED_DEADLINE: Duration = Duration::from_secs(4);
const SETTLED_POLL: Duration = Duration::from_millis(10);

/// A question to the leader is given up on then.
const ASK_DEADLINE: Duration = Duration::from_secs(6);

/// How long an operator's question waits for a leader.
const LEADER_WAIT: Duration = Duration::from_secs(2);

/// What a leader knows of its cluster's members, at one instant.
pub(crate) struct Council {
    pub(crate) members: Members,
    /// Committed, and not joint.
    pub(crate) settled: bool,
    /// The voters of a joint membership that is committed but was never finished: its
    /// leader died in between.
    pub(crate) unfinished: Option<BTreeSet<u64>>,
    /// Who votes when a change that is under way is done.
    pub(crate) lasting: BTreeSet<u64>,
    /// Log entries each has yet to acknowledge.
    pub(crate) behind: BTreeMap<u64, u64>,
    /// For how long each has acknowledged nothing; absent if it never has to this leader.
    pub(crate) quiet: BTreeMap<u64, Duration>,
}

impl Replica {
    /// What this node knows as the leader; `None` when it does not lead.
    pub(crate) fn council(&self) -> Option<Council> {
        if self.role() != Role::Leads {
            return None;
        }
        let metrics = self.0.raft.metrics().borrow_watched().clone();
        let (matched, acked) = (metrics.replication?, metrics.heartbeat?);
        let stored = &metrics.membership_config;
        let membership = stored.membership();
        let committed = stored.log_id().is_some() && *stored.log_id() <= metrics.local_committed;
        let configs = membership.get_joint_config();
        let last = metrics.last_log_index.unwrap_or(0);
        let behind = |(id, at): (&u64, &Option<super::types::LogId>)| {
            (*id, last.saturating_sub(at.as_ref().map_or(0, |at| at.index)))
        };
        let quiet = acked.iter().filter_map(|(id, at)| Some((*id, (**at.as_ref()?).elapsed())));
        Some(Council {
            members: members_of(membership),
            settled: committed && configs.len() == 1,
            lasting: configs.last().cloned().unwrap_or_default(),
            unfinished: (committed && configs.len() > 1).then(|| configs.last().cloned()).flatten(),
            behind: matched.iter().map(behind).collect(),
            quiet: quiet.collect(),
        })
    }

    /// Adds a member that does not vote.
    pub(crate) async fn add_learner(&self, id: u64, peer: Peer) -> Result<(), String> {
        self.step(self.0.raft.add_learner(id, peer, false)).await
    }

    /// Makes exactly these the voters, by joint consensus (thesis section 4.3). Who votes
    /// no more stays as a learner.
    pub(crate) async fn set_voters(&self, voters: BTreeSet<u64>) -> Result<(), String> {
        let change = ChangeMembers::ReplaceAllVoters(voters);
        self.step(self.0.raft.change_membership(change, true)).await
    }

    /// Lets go of a learner.
    pub(crate) async fn remove_learner(&self, id: u64) -> Result<(), String> {
        let change = ChangeMembers::RemoveNodes([id].into());
        self.step(self.0.raft.change_membership(change, true)).await
    }

    async fn step<T, E: std::fmt::Display>(
        &self,
        step: impl Future<Output = Result<T, E>>,
    ) -> Result<(), String> {
        match timeout(STEP_DEADLINE, step).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(err)) => Err(err.to_string()),
            Err(_) => Err("no majority has agreed in time".into()),
        }
    }

    /// Brings a wish into the log, as the leader.
    pub(crate) async fn wish(&self, wish: &Wish) -> Result<Ruling, String> {
        let writing = async {
            loop {
                match self.0.raft.client_write(Proposal::wish(wish)).await {
                    Ok(written) => return Ok(written.data.ruling),
                    // A leader takes nothing before a majority has answered it once, and
                    // has written nothing then.
                    Err(err) if err.forward_to_leader().is_some() && self.role() == Role::Leads => {
                        sleep(WISH_PAUSE).await;
                    }
                    Err(err) => return Err(err.to_string()),
                }
            }
        };
        match timeout(WISH_DEADLINE, writing).await {
            Ok(ruling) => ruling?.ok_or_else(|| "the log brought no ruling".into()),
            Err(_) => Err("no majority has agreed in time; look at the status".into()),
        }
    }

    /// Hands leadership to a voter and waits until it has moved (thesis section 3.10);
    /// `false` when it has not.
    pub(crate) async fn hand_over(&self, to: u64) -> bool {
        if self.role() != Role::Leads || to == self.me() {
            return false;
        }
        if self.0.raft.trigger().transfer_leader(to).await.is_err() {
            return false;
        }
        // One that knows no leader any more has handed over to nobody yet.
        let mut leadership = self.leadership();
        let moved = |now: &super::Leadership| {
            now.leader.as_ref().is_some_and(|(leader, _)| *leader != self.me())
        };
        let moved = leadership.wait_for(moved);
        matches!(timeout(HAND_OVER_DEADLINE, moved).await, Ok(Ok(_)))
    }

    /// The voter that has the least to catch up with as the next leader, of those that
    /// answer and are not far behind.
    pub(crate) fn successor(&self) -> Option<u64> {
        let council = self.council()?;
        let able = |id: &u64| {
            let answers = council.quiet.get(id).is_some_and(|quiet| *quiet < Council::QUIET);
            answers && council.behind.get(id).is_some_and(|behind| *behind <= LAG_MAX)
        };
        let others = council.lasting.iter().copied().filter(|id| *id != self.me());
        others.filter(able).min_by_key(|id| (council.behind.get(id).copied(), *id))
    }

    /// Waits until a change of members that is under way is done, if this node leads. A
    /// leader that goes in the middle of one leaves the others waiting for a majority of
    /// the old voters *and* of the new ones, which may need this very node.
    pub(crate) async fn until_settled(&self) {
        let settled = async {
            while self.council().is_some_and(|council| !council.settled) {
                sleep(SETTLED_POLL).await;
            }
        };
        if timeout(SETTLED_DEADLINE, settled).await.is_err() {
            tracing::warn!("a change of members did not end in time; stopping all the same");
        }
    }

    /// Asks whoever leads: this node itself, or the leader over the network.
    pub(crate) async fn ask_the_leader(&self, ask: Ask) -> Told {
        // An election is soon over; looking again below tells whether it is.
        _ = timeout(LEADER_WAIT, self.leader_known()).await;
        if self.role() == Role::Leads {
            return self.answer_as_leader(ask).await;
        }
        let Some((leader, address)) = self.leadership().borrow().elsewhere(self.me()) else {
            return Told::NotNow("no leader is known; try again".into());
        };
        let mut client = client(channel_to(&self.0.env, address));
        let asking = client.ask(self.0.seal.seal(leader, &ask));
        match timeout(ASK_DEADLINE, asking).await {
            Ok(Ok(answer)) => match self.0.seal.open::<Told>(&answer.into_inner()) {
                Ok((_, told)) => told,
                Err(status) => Told::NotNow(status.message().to_owned()),
            },
            Ok(Err(status)) => Told::NotNow(format!("the leader: {}", status.message())),
            Err(_) => Told::NotNow("the leader does not answer; look at the status".into()),
        }
    }

    /// Lets the membership task answer, which owns all there is to know.
    pub(super) async fn answer_as_leader(&self, ask: Ask) -> Told {
        if self.role() != Role::Leads {
            return Told::NotNow("this node does not lead (any more); try again".into());
        }
        let (told, answer) = oneshot::channel();
        if self.0.asked.send(Asked { ask, told }).await.is_err() {
            return Told::NotNow("this node is stopping".into());
        }
        answer.await.unwrap_or_else(|_| Told::NotNow("this node is stopping".into()))
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
            self.event("refusal", text);
            return Decision::Refused(format!("this is cluster {cluster:?}, not {wanted:?}"));
        }
        if self.role() != Role::Leads {
            let leader = self.leadership().borrow().elsewhere(self.me());
            return match leader {
                Some((_, address)) => Decision::Elsewhere(address),
                None => Decision::NotNow("the cluster has no leader just now".into()),
            };
        }
        let known = self.leadership().borrow().members.clone();
        let disk = application.disk;
        match self.answer_as_leader(Ask::Admit(application)).await {
            Told::Admitted { id, name } => Decision::Admitted {
                cluster: cluster.to_owned(),
                id,
                name,
                disk,
                known: known.into_iter().map(|(id, (peer, _))| (id, peer.address)).collect(),
            },
            Told::Refused(why) => Decision::Refused(why),
            Told::NotNow(why) => Decision::NotNow(why),
            Told::Done => Decision::NotNow("the leader gave no id".into()),
        }
    }
}

impl Council {
    /// Who has acknowledged nothing for this long does not answer. Twenty heartbeats at
    /// the default pace.
    pub(crate) const QUIET: Duration = Duration::from_secs(2);
}
