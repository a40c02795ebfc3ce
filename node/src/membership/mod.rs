//! Who belongs to the cluster, and who votes: looked after by the leader.
//!
//! ```text
//! gossip -> roster -+
//! Raft's acks ------+-> look -> plan (pure) -> one step -> Replica, and look again
//! the charter ------+
//! ```
//!
//! Gossip suggests, Raft decides: a step is a membership change by joint consensus, one
//! at a time, and the planner takes only safe ones. What it intends, and why it does not
//! act, is told in sentences.
//!
//! One task owns all of this on each node. It acts only while the node leads, and answers
//! what others ask of the leader.

pub(crate) mod plan;

use crate::charter::{CharterCommand, CharterReply, Member, Peer, known_features, unknown_of};
use crate::gossip::Roster;
use crate::peers::asks::Application;
use crate::peers::asks::{Ask, Asked, LeaderReply};
use crate::replica::change::MembershipView;
use crate::replica::handle::Replica;
use hangraft_ids::NodeId;
use plan::{MemberHealth, Plan, Policy, Situation, Step};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often the leader looks.
const LOOK: Duration = Duration::from_millis(200);

/// Questions to the leader that wait. More wait at the askers' side.
pub(crate) const ASKED_MAX: usize = 64;

/// A member leaves for as long as it goes on asking. One that has not asked again by then
/// has given up, or has not yet found the new leader; what it wished before waits.
const LEAVE_ASKED: Duration = Duration::from_secs(2);

/// What the leader intends, for those who ask for the status.
pub(crate) type Intents = watch::Receiver<Vec<String>>;

/// Runs as long as the node does.
pub(crate) async fn run(
    replica: Replica,
    roster: watch::Receiver<Roster>,
    mut asked: mpsc::Receiver<Asked>,
    intents: watch::Sender<Vec<String>>,
    stable_for: Duration,
) {
    let mut keeper = Keeper {
        replica,
        roster,
        intents,
        stable_for,
        leads_since: None,
        want_to_leave: BTreeMap::new(),
        known: BTreeMap::new(),
    };
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = looks.tick() => keeper.look_and_act().await,
            question = asked.recv() => match question {
                Some(Asked { ask, told }) => {
                    let answer = keeper.answer(ask).await;
                    // Whoever asked may have given up; that is their business.
                    _ = told.send(answer);
                }
                None => return,
            },
        }
    }
}

/// Keeps watch over the members while this node leads.
struct Keeper {
    replica: Replica,
    roster: watch::Receiver<Roster>,
    intents: watch::Sender<Vec<String>>,
    /// A spare votes when it was heard for so long without a break.
    stable_for: Duration,
    leads_since: Option<Instant>,
    /// When members that want to leave have last said so to this node.
    want_to_leave: BTreeMap<NodeId, Instant>,
    /// Since when each member is silent, or heard without a break.
    known: BTreeMap<NodeId, Reachability>,
}

/// What was heard of a member lately.
#[derive(Clone, Copy, Default)]
struct Reachability {
    /// Neither gossip nor Raft has heard of it since. Only a leader can tell, so it is
    /// counted anew by each: being slow to judge harms nobody.
    silent_since: Option<Instant>,
    /// Gossip has heard it without a break since, and, if this node leads, Raft has too
    /// since it does. A new leader knows whom it can rely on.
    stable_since: Option<Instant>,
}

impl Keeper {
    async fn look_and_act(&mut self) {
        let Some(view) = self.replica.membership_view() else {
            self.leads_since = None;
            self.listen();
            self.show(Vec::new());
            return;
        };
        let situation = self.situation(&view);
        let plan = plan::next_step(&situation);
        let copied = self.copied(&situation);
        self.show(copied.into_iter().chain(plan.intents.iter().cloned()).collect());
        if let Some(voters) = view.unfinished.clone() {
            // Another leader had begun it; nothing else may be changed before it is done.
            let done = self.replica.set_voters(&view, voters).await;
            self.report(done, "a change of voters was finished");
        } else if let Some((id, peer)) = self.moved(&view) {
            let text = format!("{} has moved to {}", peer.called(id), peer.address);
            self.report(self.replica.set_address(&view, id, peer).await, &text);
        } else if let Plan { step: Some(step), .. } = plan {
            self.take(step, &view, &situation).await;
        } else if let Some(feature) = self.next_feature(&situation) {
            let text = format!("every voter knows {feature:?} now");
            let command = CharterCommand::Enable(feature);
            self.report(self.replica.change_charter(&command).await.map(|_| ()), &text);
        }
    }

    /// A member that was found at another address than the membership has. Written only when
    /// nothing else is on its way.
    fn moved(&self, view: &MembershipView) -> Option<(NodeId, Peer)> {
        let members = view.members.iter().filter(|_| view.settled);
        let mut moved = members.filter_map(|(id, Member { peer, .. })| {
            let address = self.replica.moved_to(*id, peer)?;
            Some((*id, Peer { address, ..peer.clone() }))
        });
        moved.next()
    }

    /// What is to be said of data folders that were copied.
    fn copied(&self, situation: &Situation) -> Vec<String> {
        let text = |(id, address): (NodeId, _)| {
            let name = self.name_of(id, situation);
            format!("{name} was started twice: it goes on at {address}, and a copy is refused")
        };
        self.replica.copied().into_iter().map(text).collect()
    }

    async fn take(&self, step: Step, view: &MembershipView, situation: &Situation) {
        let name = |id: &NodeId| self.name_of(*id, situation);
        match step {
            Step::AddLearner(id) => {
                let Some(peer) = self.replica.machine().charter().admitted().get(&id).cloned()
                else {
                    return;
                };
                let text = format!("{peer} joins as n{id}");
                self.report(self.replica.add_learner(view, id, peer).await, &text);
            }
            Step::SetVoters(voters) => {
                let names =
                    |ids: Vec<&NodeId>| ids.into_iter().map(name).collect::<Vec<_>>().join(", ");
                let new = names(voters.difference(&situation.voters).collect());
                let old = names(situation.voters.difference(&voters).collect());
                let text = match (new.as_str(), old.as_str()) {
                    (new, "") => format!("{new} may vote"),
                    ("", old) => format!("{old} votes no more"),
                    (new, old) => format!("{new} votes in the place of {old}"),
                };
                self.report(self.replica.set_voters(view, voters).await, &text);
            }
            Step::Remove(id) => {
                let text = format!("{} is let go", name(&id));
                self.report(self.replica.remove_learner(view, id).await, &text);
            }
            Step::HandOver(to) => {
                let text = format!("leadership goes to {}, because this node leaves", name(&to));
                let moved = self.replica.hand_over(to).await;
                self.report(moved.map(drop).ok_or("it did not move".into()), &text);
            }
        }
    }

    fn report(&self, done: Result<(), String>, text: &str) {
        match done {
            Ok(()) => self.replica.event("member", text.to_owned()),
            // It is looked at again in a moment.
            Err(why) => tracing::warn!(why, "not done: {text}"),
        }
    }

    async fn answer(&mut self, ask: Ask) -> LeaderReply {
        let Some(view) = self.replica.membership_view() else {
            return LeaderReply::NotNow("this node does not lead (any more); try again".into());
        };
        let situation = self.situation(&view);
        match ask {
            Ask::Admit(application) => self.admit(application).await,
            Ask::Set { voters, replace_after_ms } => {
                let voters = voters.map(CharterCommand::WantVoters).into_iter();
                let commands: Vec<CharterCommand> =
                    voters.chain(replace_after_ms.map(CharterCommand::ReplaceAfter)).collect();
                // All or nothing.
                if let Some(why) = commands.iter().find_map(CharterCommand::objection) {
                    return LeaderReply::Refused(why);
                }
                for command in commands {
                    match self.change_charter(command).await {
                        LeaderReply::Done => {}
                        told => return told,
                    }
                }
                LeaderReply::Done
            }
            Ask::Leave(id) => match plan::may_leave(&situation, id) {
                Ok(()) => self.let_leave(id).await,
                Err(why) => {
                    let name = self.name_of(id, &situation);
                    self.replica.complain(format!("{name} may not leave: {why}"));
                    LeaderReply::Refused(why)
                }
            },
            Ask::Stay(id) => {
                self.want_to_leave.remove(&id);
                self.change_charter(CharterCommand::Stay(id)).await
            }
            Ask::HandOver(to) => self.hand_over(to, &situation).await,
        }
    }

    /// The log remembers who wants to leave, for the next leader; that they still do is
    /// known only from them. A command that was given up comes true no more, whenever it is
    /// committed.
    async fn let_leave(&mut self, id: NodeId) -> LeaderReply {
        let known = self.replica.machine().charter().leaving().contains(&id);
        let told = if known {
            LeaderReply::Done
        } else {
            self.change_charter(CharterCommand::Leave(id)).await
        };
        if told == LeaderReply::Done {
            self.want_to_leave.insert(id, Instant::now());
        }
        told
    }

    async fn admit(&self, application: Application) -> LeaderReply {
        let features = self.replica.machine().charter().features().clone();
        if let Some(missing) = features.difference(&application.features).next() {
            let text = format!(
                "this cluster uses {missing:?}, which version {} does not know; run a newer one",
                application.version
            );
            let address = application.address;
            self.replica.complain(format!("the node at {address} was not admitted: {text}"));
            return LeaderReply::Refused(text);
        }
        let Application { name, address, disk, .. } = application;
        if name.as_ref().is_some_and(|name| !hangraft_cluster_config::is_name(name)) {
            return LeaderReply::Refused("its name may have 1 to 64 of a-z, 0-9 and -".into());
        }
        self.change_charter(CharterCommand::Admit { name, address, disk }).await
    }

    async fn hand_over(&self, to: Option<NodeId>, situation: &Situation) -> LeaderReply {
        let me = self.replica.me();
        let Some(to) = to.or_else(|| plan::successor(situation)) else {
            let able = plan::able_to_lead();
            return LeaderReply::Refused(format!("no other voter could take over: {able}"));
        };
        if to == me {
            let term = self.replica.leadership().borrow().term;
            return LeaderReply::Leads { leader: me, term };
        }
        if !situation.voters.contains(&to) {
            return LeaderReply::Refused(format!("n{to} is no voter"));
        }
        // A leader that hands over takes no more moves: to one that cannot take over soon
        // it would be a stop.
        if let Some(why) = plan::cannot_lead(situation, to) {
            return LeaderReply::Refused(format!("{} {why}", self.name_of(to, situation)));
        }
        match self.replica.hand_over(to).await {
            Some((leader, term)) => LeaderReply::Leads { leader, term },
            None => {
                LeaderReply::NotNow("leadership did not move in time; look at the status".into())
            }
        }
    }

    async fn change_charter(&self, command: CharterCommand) -> LeaderReply {
        match self.replica.change_charter(&command).await {
            Ok(CharterReply::Done) => LeaderReply::Done,
            Ok(CharterReply::Admitted { id, name }) => LeaderReply::Admitted { id, name },
            Ok(CharterReply::Refused(why)) => LeaderReply::Refused(why),
            Err(why) => LeaderReply::NotNow(why),
        }
    }

    /// On a node that does not lead: only gossip can tell.
    fn listen(&mut self) {
        let now = Instant::now();
        let roster = self.roster.borrow();
        self.known.retain(|id, _| roster.contains_key(id));
        for (id, seen) in roster.iter() {
            let heard = self.known.entry(*id).or_default();
            heard.note(seen.alive, seen.alive, now);
            heard.silent_since = None;
        }
    }

    /// What the planner is told.
    fn situation(&mut self, view: &MembershipView) -> Situation {
        let charter = self.replica.machine().charter();
        let roster = self.roster.borrow().clone();
        let me = self.replica.me();
        let now = Instant::now();
        let leads_since = *self.leads_since.get_or_insert(now);
        self.known.retain(|id, _| view.members.contains_key(id));
        let mut members = BTreeMap::new();
        for (id, Member { peer, .. }) in &view.members {
            let seen = roster.get(id);
            let quiet = view.quiet.get(id).copied();
            let answers = *id == me || quiet.is_some_and(|quiet| quiet < MembershipView::QUIET);
            let gossiped = *id == me || seen.is_some_and(|seen| seen.alive);
            let heard = self.known.entry(*id).or_default();
            // Those who have not had time to answer a new leader have broken nothing.
            let early = quiet.is_none() && now - leads_since < MembershipView::QUIET;
            heard.note(answers || early, gossiped, now);
            let card = seen.and_then(|seen| seen.card.as_ref());
            let lacks = card.and_then(|card| charter.features().difference(&card.features).next());
            members.insert(
                *id,
                MemberHealth {
                    name: peer.name.clone(),
                    answers,
                    gossiped,
                    silence: heard.silent_since.map_or(Duration::ZERO, |since| now - since),
                    stable: heard.stable_since.map_or(Duration::ZERO, |since| now - since),
                    lag: if *id == me {
                        0
                    } else {
                        view.behind.get(id).copied().unwrap_or(u64::MAX)
                    },
                    set_back: self.replica.is_set_back(*id, peer.disk),
                    unfit: lacks.map(|feature| format!("does not know {feature:?}")),
                },
            );
        }
        let voters = view.members.iter().filter(|(_, member)| member.votes);
        let still_want = |id: &NodeId| {
            self.want_to_leave.get(id).is_some_and(|asked| now - *asked < LEAVE_ASKED)
        };
        Situation {
            leader: me,
            settled: view.settled,
            voters: voters.map(|(id, _)| *id).collect(),
            members,
            admitted: charter.admitted().keys().copied().collect(),
            leaving: charter.leaving().iter().copied().filter(still_want).collect(),
            policy: Policy {
                voters_wanted: charter.voters_wanted(),
                replace_after: charter.replace_after(),
                stable_for: self.stable_for,
            },
        }
    }

    /// Something that this build can do, every member says it can do, and that is not in
    /// use yet. Learners count too: one that cannot follow would stop.
    fn next_feature(&self, situation: &Situation) -> Option<String> {
        let used = self.replica.machine().charter().features().clone();
        let roster = self.roster.borrow();
        let mut common: BTreeSet<String> = known_features();
        for (id, standing) in &situation.members {
            if *id == situation.leader {
                continue;
            }
            let card = roster.get(id).filter(|seen| seen.alive).and_then(|seen| seen.card.as_ref());
            let features = card.filter(|_| standing.answers).map(|card| &card.features)?;
            common.retain(|feature| features.contains(feature));
        }
        assert_eq!(unknown_of(&used), None, "what is used is known here");
        common.difference(&used).next().cloned()
    }

    fn name_of(&self, id: NodeId, situation: &Situation) -> String {
        situation.members.get(&id).map_or_else(|| format!("n{id}"), |member| member.name.clone())
    }

    fn show(&self, intents: Vec<String>) {
        self.intents.send_if_modified(|shown| {
            let changed = *shown != intents;
            if changed {
                *shown = intents;
            }
            changed
        });
    }
}

impl Reachability {
    fn note(&mut self, answers: bool, gossiped: bool, now: Instant) {
        match answers || gossiped {
            true => self.silent_since = None,
            false => _ = self.silent_since.get_or_insert(now),
        }
        match answers && gossiped {
            true => _ = self.stable_since.get_or_insert(now),
            false => self.stable_since = None,
        }
    }
}
