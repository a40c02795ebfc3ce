//! What a line of a timeline says. `docs/timeline.md` has an example of each.

use crate::history::{Call, ClientId, Moment, Push};
use hangraft_ids::{LogIndex, NodeId, Term};
use serde::{Deserialize, Serialize};

/// The number of the format.
pub const FORMAT: u32 = 1;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Line {
    /// The first line.
    Head(Head),
    /// What became of a process.
    Process(Process),
    /// Where a node stands in Raft.
    Role(Role),
    /// How far a node's log has come.
    Log(Log),
    /// Who belongs to the cluster, as a node knows it.
    Members(Members),
    /// What a node holds of another, by gossip.
    Gossip(Gossip),
    /// A fault begins or ends.
    Fault(Fault),
    /// Something that nodes told each other.
    Message(Message),
    /// How many of its messages a node tells.
    Sampled(Sampled),
    /// What a client asked and was told. `at` is when it was asked.
    Call(Call),
    /// What a client was shown.
    Push(Push),
    /// A node's own words about something that happened.
    Told(Told),
    /// A promise that was broken.
    Finding(Finding),
    /// The last line of a run that was judged.
    Verdict(Verdict),
}

impl Line {
    /// When it happened, or began.
    pub fn at(&self) -> Moment {
        match self {
            Line::Head(_) => 0,
            Line::Process(line) => line.at,
            Line::Role(line) => line.at,
            Line::Log(line) => line.at,
            Line::Members(line) => line.at,
            Line::Gossip(line) => line.at,
            Line::Fault(line) => line.at,
            Line::Message(line) => line.at,
            Line::Sampled(line) => line.at,
            Line::Call(line) => line.invoked,
            Line::Push(line) => line.at,
            Line::Told(line) => line.at,
            Line::Finding(line) => line.at,
            Line::Verdict(line) => line.at,
        }
    }
}

/// What the timeline is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// [`FORMAT`].
    pub format: u32,
    /// In a few words, such as "leader-killed" or "day 42".
    pub title: String,
    /// When it began, in milliseconds since 1970; 0 in a simulated day.
    #[serde(default)]
    pub began_unix_ms: u64,
    /// What was before this moment is not in the timeline, 0 where everything is: lines at this
    /// moment about processes, roles, logs, members, gossip and faults say how it stood then.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub from: Moment,
    /// How to have it again: the command line.
    #[serde(default)]
    pub command: String,
    /// What is to be expected and why, for a scenario.
    #[serde(default)]
    pub about: String,
    /// The nodes that have a name: those that there are when it begins, and who has joined.
    pub nodes: Vec<Named>,
    /// The clients.
    #[serde(default)]
    pub clients: Vec<ClientNamed>,
}

impl Head {
    /// A node has this name; whether that is news.
    pub fn name(&mut self, named: Named) -> bool {
        if self.nodes.contains(&named) {
            return false;
        }
        match self.nodes.iter_mut().find(|known| known.id == named.id) {
            Some(known) => *known = named,
            None => self.nodes.push(named),
        }
        true
    }
}

/// A node's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its id.
    pub id: NodeId,
    /// What people call it.
    pub name: String,
}

/// A client's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientNamed {
    /// Its number.
    pub id: ClientId,
    /// What people call it, such as "player 3".
    pub name: String,
}

/// What became of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// When.
    pub at: Moment,
    /// Whose: a node's or a frontend's name.
    pub name: String,
    /// What.
    pub event: ProcessEvent,
}

/// What can become of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessEvent {
    /// It runs.
    Started,
    /// It has ended: killed, stopped, or by itself.
    Ended,
    /// It stands still.
    Paused,
    /// It goes on.
    Resumed,
}

/// Where a node stands in Raft (thesis, section 3.3). Told when it changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// When.
    pub at: Moment,
    /// Which node.
    pub node: NodeId,
    /// Its term.
    pub term: Term,
    /// "leader", "follower", "candidate", "learner" or "shutdown".
    pub role: String,
    /// Whom it follows in this term, if it knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader: Option<NodeId>,
    /// Whom its vote of this term is for: whom it voted for, or the leader that it follows, for
    /// which a vote counts as cast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voted: Option<NodeId>,
}

/// How far a node's log has come. Told when something has changed, not for each entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// When.
    pub at: Moment,
    /// Which node.
    pub node: NodeId,
    /// The last entry it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<LogIndex>,
    /// The last that it knows to be committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed: Option<LogIndex>,
    /// The last that it has applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<LogIndex>,
    /// What its snapshot covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<LogIndex>,
    /// The last that is gone from its log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purged: Option<LogIndex>,
    /// The hash of the state at `applied`, 16 hexadecimal digits.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: String,
}

/// Who belongs to the cluster, as a node knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// When.
    pub at: Moment,
    /// Which node.
    pub node: NodeId,
    /// The entry that says it.
    pub index: LogIndex,
    /// One list; two while voters change (joint consensus, thesis section 4.3).
    pub voters: Vec<Vec<NodeId>>,
    /// Those who follow and do not vote.
    #[serde(default)]
    pub learners: Vec<NodeId>,
}

/// What a node holds of another, by gossip (SWIM, sections 4.2 and 4.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gossip {
    /// When.
    pub at: Moment,
    /// Who holds it.
    pub node: NodeId,
    /// Of whom.
    pub about: NodeId,
    /// "alive", "suspect" or "down".
    pub state: String,
    /// The incarnation that it knows of: raised by a member that refutes a suspicion.
    pub incarnation: u64,
}

/// A fault begins or ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// When.
    pub at: Moment,
    /// A number, the same at its end; no other fault has it.
    pub id: u64,
    /// The node that has it, if it is one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// In a few words.
    pub what: String,
    /// Whether it ends.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub healed: bool,
}

/// Something that a node told another by Raft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// When it was sent; when it came, if its sending was not told.
    pub at: Moment,
    /// When it was taken; none when it was not, or nobody told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<Moment>,
    /// "append", "heartbeat", "vote", "pre-vote", "snapshot", "transfer" or "read-index".
    pub what: String,
    /// It is the answer to one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub answer: bool,
    /// Who sent it.
    pub from: NodeId,
    /// To whom.
    pub to: NodeId,
    /// The sender's term.
    pub term: Term,
    /// The last entry it brings, or that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<LogIndex>,
    /// How many entries it brings.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub entries: u64,
    /// How large it is.
    pub bytes: u64,
    /// Of an answer: whether it says yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yes: Option<bool>,
}

/// A node leaves out some of its messages, because there are too many: from here on it tells
/// of those that are said all the time (`append`, `heartbeat`, `read-index` and their answers)
/// one in so many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sampled {
    /// When.
    pub at: Moment,
    /// Which node.
    pub node: NodeId,
    /// One in so many; 1 means that it tells all again.
    pub one_in: u64,
}

/// A node's own words about something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When.
    pub at: Moment,
    /// Who says it; none when it is whoever keeps the timeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// "leader", "member", "gossip", "setting", "snapshot", "refusal", "intent", "drift",
    /// "node", "fault", or "story".
    pub about: String,
    /// A sentence.
    pub text: String,
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The first moment that shows it.
    pub at: Moment,
    /// Which promise.
    pub promise: String,
    /// The smallest story that shows it, in sentences.
    pub text: String,
}

/// What the judge says in the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// When the timeline ends.
    pub at: Moment,
    /// Whether every promise was kept, and every bound.
    pub good: bool,
    /// The promises that were judged.
    pub promises: Vec<Judged>,
    /// How many calls the judge has heard of, also of those that the timeline has not; 0 where it
    /// has all of them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub operations: u64,
    /// Calls and pushes that were not judged, because the judge had no room to keep them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
}

/// A promise, and how often it was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Its name, such as "linearizable".
    pub promise: String,
    /// In a sentence.
    pub says: String,
    /// How many things it was held against.
    pub checked: u64,
    /// Whether it was kept.
    pub kept: bool,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
