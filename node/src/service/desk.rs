//! Where commands arrive: proposed here when this node leads, forwarded when not.
//!
//! Every command gets exactly one answer, within a deadline. A command whose fate
//! is not known is answered `unknown-outcome`; sending it again with the same
//! serial is harmless and settles it.

use super::answers::{AnswerSender, refuse_all};
use super::convert;
use super::forward::Forwarder;
use crate::env::Env;
use crate::raft::propose::ProposeError;
use crate::replica::handle::{Replica, Role};
use hangraft_cluster_config::ClusterKey;
use hangraft_game::{Entry, Feature};
use hangraft_ids::Term;
use hangraft_proto::v1::command::Action;
use hangraft_proto::v1::{Code, Command as WireCommand, Refused};
use prost::Message;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

/// A command not committed by then is answered `unknown-outcome`.
const PROPOSE_DEADLINE: Duration = Duration::from_secs(2);

/// Commands that arrive during an election wait this long for a leader.
const LEADER_WAIT: Duration = Duration::from_millis(1_500);

/// Groups of commands that wait for a leader. More are refused as busy.
const WAITING_MAX: usize = 1_024;

/// Commands in a group, and their bytes. A group goes into one log entry whole, so
/// it is far smaller than an entry may be.
const GROUP_COMMANDS_MAX: usize = 1_024;
const GROUP_BYTES_MAX: usize = 256 << 10;

/// How long after its start a node that leads lets `open` wait for all members to say that
/// they know of hosts. In a new cluster they do within a second, and a room opened before
/// would be public. Then, in a cluster with an older member, rooms are opened as they were
/// before there were hosts.
const HOSTS_AWAITED: Duration = Duration::from_secs(3);

/// How long a node leads before it says for good that something cannot be used here. Until
/// then all members will have said what they know; and whoever asked at the leader before,
/// and waits for an answer no longer than this, is answered the same.
const FEATURES_AWAITED: Duration = Duration::from_secs(12);

/// Characters of an unknown game's name that a refusal repeats.
const GAME_QUOTED_MAX: usize = 32;

/// The desk of one node. Clones share it.
#[derive(Clone)]
pub(crate) struct Desk {
    replica: Replica,
    forwarder: Forwarder,
    command_bytes_max: usize,
    begun: Instant,
    /// In which term it led last, and since when it has been asked in it.
    led: Arc<Mutex<(Term, Instant)>>,
    /// One permit for each group that waits for a leader.
    waiting: Arc<Semaphore>,
}

/// Whether a command may be sent on to the leader. One that was forwarded once is
/// not forwarded again, or two confused nodes could play ball with it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    Direct,
    Forwarded,
}

impl Desk {
    pub(crate) fn new(
        replica: Replica,
        env: Arc<dyn Env>,
        key: &ClusterKey,
        command_bytes_max: usize,
    ) -> Self {
        let (cluster, access) = (replica.cluster().to_owned(), key.access_token());
        let forwarder = Forwarder::start(&replica, cluster, env, access);
        let waiting = Arc::new(Semaphore::new(WAITING_MAX));
        let begun = Instant::now();
        let led = Arc::new(Mutex::new((Term(0), begun)));
        Desk { replica, forwarder, command_bytes_max, begun, led, waiting }
    }

    /// Takes commands in order; answers them through `answers`.
    pub(crate) fn take(
        &self,
        commands: Vec<WireCommand>,
        arrival: Arrival,
        answers: &AnswerSender,
    ) {
        for group in groups_of(commands) {
            self.take_group(group, arrival, answers);
        }
    }

    fn take_group(&self, commands: Vec<WireCommand>, arrival: Arrival, answers: &AnswerSender) {
        match (self.replica.role(), arrival) {
            (Role::Leads, _) => self.propose(commands, answers),
            (Role::Follows, Arrival::Direct) => self.forwarder.forward(commands, answers.clone()),
            (Role::KnowsNoLeader, Arrival::Direct) => {
                self.wait_for_leader(commands, answers.clone());
            }
            (_, Arrival::Forwarded) => {
                refuse_all(
                    commands.iter().map(|command| command.id),
                    ProposeError::NotLeader,
                    answers,
                );
            }
        }
    }

    fn propose(&self, commands: Vec<WireCommand>, answers: &AnswerSender) {
        let mut ids = Vec::with_capacity(commands.len());
        let mut entries = Vec::with_capacity(commands.len());
        let mut refused = Vec::new();
        let hosts = self.replica.machine().is_in_use(&Feature::Hosts);
        let new = self.begun.elapsed() < HOSTS_AWAITED;
        for command in commands {
            let id = command.id;
            if !hosts && new && matches!(command.action, Some(Action::Open(_))) {
                refused.push(convert::refusal(id, ProposeError::Busy.into()));
                continue;
            }
            match convert::entry(command, self.command_bytes_max, hosts) {
                Ok(entry) => match self.not_offered(&entry) {
                    None => {
                        ids.push(id);
                        entries.push(entry);
                    }
                    Some(why) => refused.push(convert::refusal(id, why)),
                },
                Err(why) => refused.push(convert::refusal(id, why)),
            }
        }
        if !refused.is_empty() {
            // Whoever asked may be gone; that is their business. So below.
            _ = answers.send(refused);
        }
        if entries.is_empty() {
            return;
        }
        match self.replica.submit(entries) {
            Err(err) => refuse_all(ids, err, answers),
            Ok(answered) => {
                let answers = answers.clone();
                self.replica.tasks().finish("answers", async move {
                    match timeout(PROPOSE_DEADLINE, answered).await {
                        Ok(Ok(Ok(all))) => {
                            let both = ids.into_iter().zip(all);
                            _ = answers.send(both.map(|(id, a)| convert::answer(id, a)).collect());
                        }
                        Ok(Ok(Err(err))) => refuse_all(ids, err, &answers),
                        Ok(Err(_)) | Err(_) => refuse_all(ids, ProposeError::Unknown, &answers),
                    }
                });
            }
        }
    }

    /// Whether the members may not have said yet what they know, to a node that leads.
    fn leads_newly(&self) -> bool {
        let term = self.replica.leadership().borrow().term;
        let mut led = self.led.lock().expect("nothing panics while it is held");
        if led.0 != term {
            *led = (term, Instant::now());
        }
        led.1.elapsed() < FEATURES_AWAITED
    }

    /// What not every member knows must not come into the log: the replicas that do not
    /// know it would refuse what the others take, or stop.
    fn not_offered(&self, entry: &Entry) -> Option<Refused> {
        let needed = entry.command.needs()?;
        if self.replica.machine().is_in_use(&needed) {
            return None;
        }
        // An earlier copy of the same wish may still come into the log when this can be used.
        let known = match &needed {
            Feature::Game(game) => hangraft_game::games().contains(&&**game),
            _ => true,
        };
        if known && self.leads_newly() {
            return Some(ProposeError::Busy.into());
        }
        let why = match needed {
            Feature::Game(game) => {
                let quoted: String = game.chars().take(GAME_QUOTED_MAX).collect();
                format!("there is no game {quoted:?} in this cluster (yet)")
            }
            _ => "this cluster is being upgraded and cannot do that yet".into(),
        };
        Some(convert::refused(Code::BadRequest, why))
    }

    /// During an election: nothing is lost by waiting a little, nothing gained by
    /// waiting long.
    fn wait_for_leader(&self, commands: Vec<WireCommand>, answers: AnswerSender) {
        let Ok(patience) = self.waiting.clone().try_acquire_owned() else {
            let ids = commands.iter().map(|command| command.id);
            return refuse_all(ids, ProposeError::Busy, &answers);
        };
        let desk = self.clone();
        self.replica.tasks().spawn("commands without a leader", async move {
            let _patience = patience;
            // Giving up is noticed below.
            _ = timeout(LEADER_WAIT, desk.replica.leader_known()).await;
            match desk.replica.role() {
                Role::KnowsNoLeader => {
                    let ids = commands.iter().map(|command| command.id);
                    refuse_all(ids, ProposeError::NotLeader, &answers);
                }
                Role::Leads | Role::Follows => desk.take(commands, Arrival::Direct, &answers),
            }
        });
    }
}

/// Cuts commands into groups, keeping their order.
fn groups_of(commands: Vec<WireCommand>) -> Vec<Vec<WireCommand>> {
    let mut groups = Vec::new();
    let (mut group, mut bytes) = (Vec::new(), 0);
    for command in commands {
        let size = command.encoded_len();
        if !group.is_empty()
            && (group.len() >= GROUP_COMMANDS_MAX || bytes + size > GROUP_BYTES_MAX)
        {
            groups.push(std::mem::take(&mut group));
            bytes = 0;
        }
        bytes += size;
        group.push(command);
    }
    if !group.is_empty() {
        groups.push(group);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use hangraft_proto::v1::Say;

    fn say(id: u64, bytes: usize) -> WireCommand {
        let say = Say { room: 1, name: "A".into(), text: "x".repeat(bytes) };
        WireCommand { id, player: 1, lane: 1, serial: id, action: Some(Action::Say(say)) }
    }

    /// Many commands, or large ones, become several groups in the same order.
    #[test]
    fn groups_are_bounded_and_in_order() {
        for (count, bytes) in [(0, 0), (1, 10), (5_000, 1), (100, 16 << 10), (3, 300 << 10)] {
            let commands: Vec<WireCommand> = (0..count).map(|id| say(id, bytes)).collect();
            let groups = groups_of(commands);
            for group in &groups {
                let size: usize = group.iter().map(Message::encoded_len).sum();
                assert!(group.len() <= GROUP_COMMANDS_MAX);
                assert!(size <= GROUP_BYTES_MAX || group.len() == 1);
            }
            let ids: Vec<u64> = groups.iter().flatten().map(|command| command.id).collect();
            assert_eq!(ids, (0..count).collect::<Vec<_>>());
        }
    }
}
