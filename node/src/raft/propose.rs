//! From commands to log entries: the leader's batches.
//!
//! Commands that arrive while earlier batches are on their way to a majority
//! gather into the next one; nobody waits for a batch to fill. Each batch is
//! stamped once, here, with the time and the chance that all replicas will use.
//!
//! Builds of old cannot read a batch that tells how much time passes, or one of the edition
//! of matches. As long as any member is one, batches are of the edition before, as they were.

use crate::env::Env;
use crate::raft::machine::Machine;
use crate::raft::machine::Raft;
use crate::raft::stopwatch::Stopwatch;
use crate::raft::types::{Proposal, TypeConfig};
use crate::tasks::Tasks;
use hangraft_game::{Answer, Batch, Entry, Feature, Stamp};
use openraft::RaftMetrics;
use openraft::errors::ClientWriteError;
use openraft::impls::ProgressResponder;
use openraft::raft::ClientWriteResult;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;

/// Batches on their way at a time. More would make batches thinner without making
/// the disk faster; fewer would leave the disk waiting for the network.
const BATCHES_IN_FLIGHT: usize = 4;

/// A new leader waits this long to know what its members can read; only before all of
/// them are known to read everything.
const SETTLE_DEADLINE: Duration = Duration::from_secs(2);

/// Why the cluster did not take a command. A [`hangraft_game::Rejection`] is not
/// among these: that is the cluster answering.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProposeError {
    /// Nothing was done, and another node may know the leader.
    #[error("this node does not lead")]
    NotLeader,
    /// Nothing was done; there is too much to do.
    #[error("this node has too many commands in flight")]
    Busy,
    /// The entry may or may not be in the log; asking again is harmless.
    #[error("no majority answered in time; the command may or may not take effect")]
    Unknown,
}

/// The answers to a group of commands, in their order.
pub(crate) type Answered = oneshot::Receiver<Result<Vec<Answer>, ProposeError>>;

/// Takes groups of commands. Clones share one queue.
#[derive(Clone)]
pub(crate) struct Proposer {
    inbox: mpsc::Sender<Group>,
    /// One permit for each command between arrival and answer.
    room: Arc<Semaphore>,
}

struct Group {
    entries: Vec<Entry>,
    bytes: usize,
    answered: oneshot::Sender<Result<Vec<Answer>, ProposeError>>,
    _room: OwnedSemaphorePermit,
}

impl Proposer {
    /// `in_flight_max` bounds the commands between arrival and answer,
    /// `batch_bytes_max` the size of a log entry.
    pub(crate) fn start(
        raft: Raft,
        machine: Machine,
        stopwatch: Stopwatch,
        tasks: Tasks,
        env: Arc<dyn Env>,
        in_flight_max: usize,
        batch_bytes_max: usize,
    ) -> Self {
        let room = Arc::new(Semaphore::new(in_flight_max));
        // A group is at least one command, or a tick, which is rare.
        let (inbox, groups) = mpsc::channel(in_flight_max + 1);
        let slots = Arc::new(Semaphore::new(BATCHES_IN_FLIGHT));
        let batcher = Batcher {
            raft,
            machine,
            stopwatch,
            tasks: tasks.clone(),
            env: env.clone(),
            groups,
            slots,
            batch_bytes_max,
            held: None,
        };
        let batching = tasks.owned("batches", batcher.run());
        env.spawn_consensus(Box::pin(async { _ = batching.await }));
        Proposer { inbox, room }
    }

    /// Queues commands in the order of the calls. The answers come when a majority
    /// has stored the commands and this replica has applied them.
    pub(crate) fn submit(&self, entries: Vec<Entry>) -> Result<Answered, ProposeError> {
        let count = u32::try_from(entries.len()).map_err(|_| ProposeError::Busy)?;
        let room =
            self.room.clone().try_acquire_many_owned(count).map_err(|_| ProposeError::Busy)?;
        let bytes = entries.iter().map(Entry::bytes_about).sum();
        let (answered, answers) = oneshot::channel();
        let group = Group { entries, bytes, answered, _room: room };
        self.inbox.try_send(group).map_err(|_| ProposeError::Busy)?;
        Ok(answers)
    }

    /// Commands between arrival and answer.
    pub(crate) fn in_flight(&self, in_flight_max: usize) -> usize {
        in_flight_max - self.room.available_permits()
    }
}

struct Batcher {
    raft: Raft,
    machine: Machine,
    stopwatch: Stopwatch,
    tasks: Tasks,
    env: Arc<dyn Env>,
    groups: mpsc::Receiver<Group>,
    slots: Arc<Semaphore>,
    batch_bytes_max: usize,
    /// A group that did not fit the last batch.
    held: Option<Group>,
}

impl Batcher {
    async fn run(mut self) {
        while let Some(first) = self.next().await {
            let slot = self.slots.clone().acquire_owned().await.expect("never closed");
            let (entries, asked) = self.gather(first);
            let batch = Batch { stamp: self.stamp().await, entries };
            planted!(PushBeforeCommit => crate::raft::planted::show_early(&self.machine, &batch));
            metrics::histogram!("hangraft_batch_commands").record(batch.entries.len() as f64);
            let (responder, written) = ProgressResponder::complete_only();
            let proposal = Proposal::batch(&batch);
            let _taken = planted!(FlagsWithoutLeader
                ? Some((self.stopwatch.clone(), batch.stamp.passed_ms)) => None::<(Stopwatch, Option<u64>)>);
            drop(batch);
            let begun = Instant::now();
            if self.raft.client_write_ff(proposal, Some(responder)).await.is_err() {
                // The replica has stopped. Dropping who asked tells them.
                return;
            }
            // Ends with openraft's answer: applied, or discarded when another leader's
            // log replaces the entry. A leader that is cut off fills its slots and stops here.
            self.tasks.finish("proposals", async move {
                let result = written.await;
                drop(slot);
                planted!(FlagsWithoutLeader => crate::raft::planted::give_back(&_taken, &result));
                if let Ok(result) = result {
                    metrics::histogram!("hangraft_proposal_seconds").record(begun.elapsed());
                    hand_out(result, asked);
                }
            });
        }
    }

    /// The first group and all that wait behind it, up to the size of a batch. What
    /// would make the batch too large is the beginning of the next one.
    fn gather(&mut self, first: Group) -> (Vec<Entry>, Vec<Asker>) {
        let mut bytes = 0;
        let mut entries = Vec::new();
        let mut asked = Vec::new();
        let mut next = Some(first);
        while let Some(group) = next {
            if group.answered.is_closed() && !group.entries.is_empty() {
                // Whoever asked was told that the outcome is unknown, long ago.
                next = self.groups.try_recv().ok();
                continue;
            }
            if bytes > 0 && bytes + group.bytes > self.batch_bytes_max {
                self.held = Some(group);
                break;
            }
            bytes += group.bytes;
            asked.push(Asker {
                count: group.entries.len(),
                answered: group.answered,
                _room: group._room,
            });
            entries.extend(group.entries);
            next = if bytes < self.batch_bytes_max { self.groups.try_recv().ok() } else { None };
        }
        (entries, asked)
    }

    async fn next(&mut self) -> Option<Group> {
        match self.held.take() {
            Some(group) => Some(group),
            None => self.groups.recv().await,
        }
    }

    async fn stamp(&self) -> Stamp {
        let every = [Feature::MeasuredTime, Feature::Matches];
        if !every.iter().all(|feature| self.machine.is_in_use(feature)) {
            self.settle().await;
        }
        let measured = self.machine.is_in_use(&Feature::MeasuredTime);
        let passed_ms = self.stopwatch.take_ms();
        Stamp {
            at_ms: self.env.unix_ms(),
            seed: self.env.entropy(),
            passed_ms: measured.then_some(passed_ms),
            matches: measured && self.machine.is_in_use(&Feature::Matches),
        }
    }

    /// Waits until this node, if it leads, knows what every member can read. A new leader
    /// knows what was agreed on before it when it has applied an entry of its own. So the
    /// edition of the batches never goes back when the leader changes.
    async fn settle(&self) {
        let settled = |metrics: &RaftMetrics<TypeConfig>| {
            let term = metrics.last_applied.map(|id| id.committed_leader_id().term);
            term == Some(metrics.current_term) || !metrics.state.is_leader()
        };
        // If it takes longer, what is proposed does not become of anything soon. A batch of an
        // edition before is then only one that does less.
        _ = self.raft.wait(Some(SETTLE_DEADLINE)).metrics(settled, "a new leader").await;
    }
}

/// Who waits for a part of a batch's answers.
struct Asker {
    count: usize,
    answered: oneshot::Sender<Result<Vec<Answer>, ProposeError>>,
    _room: OwnedSemaphorePermit,
}

fn hand_out(result: ClientWriteResult<TypeConfig>, asked: Vec<Asker>) {
    match result {
        Ok(written) => {
            let mut answers = written.data.batch.into_iter();
            for Asker { count, answered, .. } in asked {
                // Whoever asked may have given up; that is their business.
                _ = answered.send(Ok(answers.by_ref().take(count).collect()));
            }
        }
        Err(err) => {
            let err = match err {
                ClientWriteError::ForwardToLeader(_) => ProposeError::NotLeader,
                _ => ProposeError::Unknown,
            };
            for Asker { answered, .. } in asked {
                _ = answered.send(Err(err.clone()));
            }
        }
    }
}
