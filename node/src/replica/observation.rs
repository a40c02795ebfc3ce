//! Follows one node: what is told to observers, and how consensus stands, which is looked up.

use crate::observe::Subscription;
use crate::raft::types::{TypeConfig, Vote, index_of};
use crate::replica::handle::{Replica, state_name};
use futures_util::Stream;
use hangraft_proto::v1::happening::{Log, Members, Role, Voters, What};
use hangraft_proto::v1::{Happening, Observed};
use openraft::RaftMetrics;
use openraft::alias::WatchReceiverOf;
use openraft::async_runtime::WatchReceiver;
use openraft::vote::RaftLeaderId;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long happenings are gathered before they are sent together, and how often at most the
/// log's progress is told.
const GATHER: Duration = Duration::from_millis(10);

/// Happenings in one batch; with more it is sent at once.
const BATCH_MAX: usize = 1_000;

/// Follows everything that happens in a node. Dropped, it follows no more. Holding it longer
/// than the node keeps the node's log open; see [`crate::Node::stop`].
pub struct Observation {
    replica: Replica,
    news: Subscription,
    metrics: WatchReceiverOf<TypeConfig, RaftMetrics<TypeConfig>>,
    gathered: Vec<Happening>,
    role: Option<Role>,
    log: Option<Log>,
    members: Option<Members>,
}

impl Observation {
    pub(crate) fn new(replica: Replica, messages: bool) -> Self {
        let (news, stands) = replica.observers().subscribe(messages);
        let metrics = replica.0.raft.metrics();
        let (role, log, members) = (None, None, None);
        let gathered = Vec::new();
        let mut new = Observation { replica, news, metrics, gathered, role, log, members };
        new.look_at_role();
        new.look_at_log();
        for what in stands {
            new.note(what);
        }
        new
    }

    /// What has happened since this was asked last, if anything has. Looks, and waits for
    /// nothing.
    pub fn take(&mut self) -> Option<Observed> {
        self.gather_told();
        self.look_at_role();
        self.look_at_log();
        self.batch()
    }

    /// Gathers what was told already; how many that were.
    fn gather_told(&mut self) -> usize {
        let before = self.gathered.len();
        while let Some(happening) = self.news.try_next() {
            self.gathered.push(happening);
        }
        self.gathered.len() - before
    }

    /// All that happens, until consensus ends.
    pub(crate) fn stream(self) -> impl Stream<Item = Observed> + Send {
        futures_util::stream::unfold(self, |mut observation| async {
            Some((observation.next().await?, observation))
        })
    }

    /// The next batch, some happenings together.
    async fn next(&mut self) -> Option<Observed> {
        loop {
            if self.gathered.is_empty() {
                self.wait().await?;
            }
            let until = Instant::now() + GATHER;
            while self.gathered.len() < BATCH_MAX
                && let Ok(waited) = timeout_at(until, self.wait()).await
            {
                // What was gathered is told also when there is no more.
                if waited.is_none() {
                    break;
                }
            }
            self.look_at_log();
            if let Some(batch) = self.batch() {
                return Some(batch);
            }
        }
    }

    /// Waits for something, and gathers it; none when there will be no more.
    async fn wait(&mut self) -> Option<()> {
        tokio::select! {
            // A role is told before the messages that follow from it.
            biased;
            changed = self.metrics.changed() => match changed {
                Ok(()) => self.look_at_role(),
                // Consensus has ended: what was told until then is the last.
                Err(_) => return (self.gather_told() > 0).then_some(()),
            },
            happening = self.news.next() => self.gathered.push(happening?),
        }
        Some(())
    }

    fn batch(&mut self) -> Option<Observed> {
        let missed = self.news.take_missed();
        if self.gathered.is_empty() && missed == 0 {
            return None;
        }
        Some(Observed {
            node: self.replica.me().0,
            instance: self.replica.0.start.instance.0,
            now_us: self.replica.observers().now_us(),
            missed,
            happenings: std::mem::take(&mut self.gathered),
            one_in: self.replica.observers().one_in(),
        })
    }

    fn note(&mut self, what: What) {
        let at_us = self.replica.observers().now_us();
        self.gathered.push(Happening { at_us, what: Some(what) });
    }

    /// Tells the role and the members, where they differ from what was told.
    fn look_at_role(&mut self) {
        let (role, members) = {
            let metrics = self.metrics.borrow_watched();
            (role_of(&metrics), members_of(&metrics))
        };
        if self.role.as_ref() != Some(&role) {
            self.role = Some(role.clone());
            self.note(What::Role(role));
        }
        if self.members.as_ref() != Some(&members) && members.voters.iter().any(not_empty) {
            self.members = Some(members.clone());
            self.note(What::Members(members));
        }
    }

    /// Tells how far the log is, where that differs from what was told.
    fn look_at_log(&mut self) {
        let report = self.replica.report();
        let index = |index: Option<hangraft_ids::LogIndex>| index.map(|index| index.0);
        let applied = index(report.applied);
        let log = Log {
            last: index(report.last_log),
            committed: index(report.committed),
            applied,
            snapshot: index(report.snapshot),
            purged: index(report.purged),
            hash: applied.map_or_else(String::new, |_| format!("{:016x}", report.hash)),
        };
        if self.log.as_ref() != Some(&log) {
            self.log = Some(log.clone());
            self.note(What::Log(log));
        }
    }
}

fn not_empty(voters: &Voters) -> bool {
    !voters.ids.is_empty()
}

fn role_of(metrics: &RaftMetrics<TypeConfig>) -> Role {
    let voted = |vote: &Vote| vote.leader_id().node_id().0;
    // Before its first vote a node has one for itself in term 0, by openraft (0.10.0-alpha.37).
    let this_term = metrics.vote.leader_id().term == metrics.current_term;
    Role {
        term: metrics.current_term,
        role: state_name(metrics.state).to_owned(),
        leader: metrics.current_leader.map(|leader| leader.0),
        voted: Some(voted(&metrics.vote)).filter(|_| this_term && metrics.current_term > 0),
    }
}

fn members_of(metrics: &RaftMetrics<TypeConfig>) -> Members {
    let stored = &metrics.membership_config;
    let membership = stored.membership();
    let halves = membership.get_joint_config().iter();
    Members {
        index: stored.log_id().as_ref().map_or(0, |at| index_of(at).0),
        voters: halves.map(|half| Voters { ids: half.iter().map(|id| id.0).collect() }).collect(),
        learners: membership.learner_ids().map(|id| id.0).collect(),
    }
}
