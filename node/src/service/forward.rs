//! A follower's link to the leader, for commands that arrived here.
//!
//! One stream carries everyone's commands, under ids of its own. When it breaks,
//! what was on it has an unknown fate and is answered so; the next command opens a
//! new one, to whoever leads then.

use super::answers::{AnswerSender, refuse_all};
use crate::env::Env;
use crate::peers::channel::channel_to;
use crate::raft::propose::ProposeError;
use crate::replica::handle::Replica;
use crate::replica::leadership::Leadership;
use hangraft_ids::NodeId;
use hangraft_proto::v1::game_client::GameClient;
use hangraft_proto::v1::{Answer, Command, Downlink, Uplink};
use hangraft_proto::{ACCESS_HEADER, CLUSTER_HEADER, MESSAGE_BYTES_MAX};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use tonic::{Request, Status, Streaming};

/// Marks commands that a follower sends on.
pub(super) const FORWARDED_HEADER: &str = "hangraft-forwarded";

/// Groups of commands waiting for the link. More are refused as busy.
const QUEUE_MAX: usize = 1_024;

/// Groups put into one message at most. Groups are small (see the desk), so the
/// message stays below what the leader takes.
const GROUPS_MAX: usize = 16;

/// A link that is not open by then is given up on.
const OPEN_DEADLINE: Duration = Duration::from_secs(1);

/// A link that owes answers and brings none for this long is given up on. Longer
/// than the leader's own deadline for a command.
const SILENCE_MAX: Duration = Duration::from_secs(3);

#[derive(Clone)]
pub(crate) struct Forwarder {
    groups: mpsc::Sender<ForwardGroup>,
}

struct ForwardGroup {
    commands: Vec<Command>,
    answers: AnswerSender,
}

impl Forwarder {
    pub(crate) fn start(
        replica: &Replica,
        cluster: String,
        env: Arc<dyn Env>,
        access: String,
    ) -> Self {
        let (groups, inbox) = mpsc::channel(QUEUE_MAX);
        let (leadership, me) = (replica.leadership(), replica.me());
        let task = Task { leadership, me, cluster, env, access, inbox };
        replica.tasks().spawn("forwarding", task.run());
        Forwarder { groups }
    }

    /// Sends commands to the leader, in order.
    pub(crate) fn forward(&self, commands: Vec<Command>, answers: AnswerSender) {
        if let Err(full) = self.groups.try_send(ForwardGroup { commands, answers }) {
            let ForwardGroup { commands, answers } = full.into_inner();
            refuse_all(commands.iter().map(|c| c.id), ProposeError::Busy, &answers);
        }
    }
}

struct Task {
    leadership: watch::Receiver<Leadership>,
    me: NodeId,
    cluster: String,
    env: Arc<dyn Env>,
    access: String,
    inbox: mpsc::Receiver<ForwardGroup>,
}

impl Task {
    /// Ends with the last handle, or the node.
    async fn run(mut self) {
        while let Some(group) = self.inbox.recv().await {
            let leader = self.leadership.borrow_and_update().elsewhere(self.me);
            let link = match leader {
                Some((_, address)) => self.open(address).await,
                None => None,
            };
            match link {
                Some(link) => self.serve(link, group).await,
                None => refuse(&group, ProposeError::NotLeader),
            }
        }
    }

    async fn open(&self, address: SocketAddr) -> Option<Link> {
        let mut client = GameClient::new(channel_to(&self.env, address))
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        let (uplinks, receiver) = mpsc::channel(4);
        let mut request = Request::new(tokio_stream::wrappers::ReceiverStream::new(receiver));
        request.metadata_mut().insert(ACCESS_HEADER, self.access.parse().ok()?);
        request.metadata_mut().insert(FORWARDED_HEADER, self.me.0.into());
        request.metadata_mut().insert(CLUSTER_HEADER, self.cluster.parse().ok()?);
        let downlinks = timeout(OPEN_DEADLINE, client.link(request)).await.ok()?.ok()?.into_inner();
        let owed = Owed { next_id: 0, waiting: BTreeMap::new(), since: Instant::now() };
        Some(Link { uplinks, downlinks, owed })
    }

    /// Until the link breaks or leadership moves.
    async fn serve(&mut self, mut link: Link, first: ForwardGroup) {
        let mut next = Some(first);
        loop {
            if let Some(group) = next.take() {
                let uplink = self.gather(group, &mut link.owed);
                match timeout(SILENCE_MAX, link.uplinks.send(uplink)).await {
                    Ok(Ok(())) => {}
                    _ => break,
                }
            }
            tokio::select! {
                group = self.inbox.recv() => match group {
                    Some(group) => next = Some(group),
                    None => break,
                },
                downlink = link.downlinks.message() => match downlink {
                    Ok(Some(downlink)) => link.owed.settle(downlink),
                    Ok(None) | Err(Status { .. }) => break,
                },
                _ = self.leadership.changed() => break,
                () = tokio::time::sleep_until(link.owed.since + SILENCE_MAX),
                    if !link.owed.waiting.is_empty() => break,
            }
        }
        link.owed.give_up();
        if let Some(group) = next {
            refuse(&group, ProposeError::NotLeader);
        }
    }

    fn gather(&mut self, first: ForwardGroup, owed: &mut Owed) -> Uplink {
        let mut uplink = Uplink::default();
        let others = std::iter::from_fn(|| self.inbox.try_recv().ok());
        for group in std::iter::once(first).chain(others).take(GROUPS_MAX) {
            for command in group.commands {
                uplink.commands.push(owed.register(command, &group.answers));
            }
        }
        uplink
    }
}

struct Link {
    uplinks: mpsc::Sender<Uplink>,
    downlinks: Streaming<Downlink>,
    owed: Owed,
}

/// The commands on the link, by the id they have there.
struct Owed {
    next_id: u64,
    waiting: BTreeMap<u64, (u64, AnswerSender)>,
    /// Since when nothing was heard, while something is owed.
    since: Instant,
}

impl Owed {
    fn register(&mut self, mut command: Command, answers: &AnswerSender) -> Command {
        if self.waiting.is_empty() {
            self.since = Instant::now();
        }
        self.next_id += 1;
        self.waiting.insert(self.next_id, (command.id, answers.clone()));
        command.id = self.next_id;
        command
    }

    fn settle(&mut self, downlink: Downlink) {
        self.since = Instant::now();
        for Answer { id, outcome } in downlink.answers {
            if let Some((id, answers)) = self.waiting.remove(&id) {
                _ = answers.send(vec![Answer { id, outcome }]);
            }
        }
    }

    fn give_up(self) {
        for (id, answers) in self.waiting.into_values() {
            refuse_all([id], ProposeError::Unknown, &answers);
        }
    }
}

fn refuse(group: &ForwardGroup, err: ProposeError) {
    refuse_all(group.commands.iter().map(|command| command.id), err, &group.answers);
}
