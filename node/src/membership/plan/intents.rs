//! What the plan says to operators: what the next step does, what comes later, and what
//! cannot happen now and why. One sentence each.

use super::situation::{LAG_MAX, MemberHealth, Situation, Step};
use hangraft_ids::NodeId;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What the sentences are told from: the situation, and what the step makes of it.
pub(super) struct Outlook<'a> {
    now: &'a Situation,
    step: Option<&'a Step>,
    /// How many voters there are after the step.
    voters: usize,
    /// Whom the step is about; more need not be said of them.
    touched: BTreeSet<NodeId>,
    /// Why nothing can be decided, if that is so.
    shortage: Option<String>,
    /// Spares that the step leaves alone and that are heard, ready to vote or not.
    spares: Vec<NodeId>,
    /// Those of them that only have to be stable for a while, or not even that.
    hopefuls: Vec<NodeId>,
    /// Silent voters, and the candidate that would replace each.
    heirs: BTreeMap<NodeId, NodeId>,
}

impl<'a> Outlook<'a> {
    pub(super) fn new(now: &'a Situation, step: Option<&'a Step>) -> Self {
        let (touched, voters) = match step {
            Some(Step::SetVoters(after)) => (&now.voters ^ after, after.len()),
            Some(Step::AddLearner(id) | Step::Remove(id)) => ([*id].into(), now.voters.len()),
            Some(Step::HandOver(_)) => ([now.leader].into(), now.voters.len()),
            None => (BTreeSet::new(), now.voters.len()),
        };
        let untouched = |id: &NodeId| !touched.contains(id);
        let spares = now.spares().filter(untouched).filter(|id| !now.is_silent(*id)).collect();
        let hopefuls = now.hopefuls().filter(untouched).collect();
        // Who leaves is replaced first, then whoever has been silent for longest.
        let needs_heir = |id: &NodeId| now.is_silent(*id) || now.leaving.contains(id);
        let mut needy: Vec<NodeId> = now.followers().filter(untouched).filter(needs_heir).collect();
        needy.sort_by_key(|id| (!now.leaving.contains(id), Reverse(now.silence(*id))));
        let heirs = needy.into_iter().zip(now.candidates().filter(untouched)).collect();
        Outlook { now, step, voters, touched, shortage: now.shortage(), spares, hopefuls, heirs }
    }

    pub(super) fn sentences(&self) -> Vec<String> {
        let members = self.now.members.keys().copied().collect();
        let everyone = &self.now.voters | &members;
        let others = everyone.difference(&self.touched);
        let step = self.step.map(|step| self.announce(step)).into_iter();
        step.chain(others.filter_map(|id| self.about(*id))).chain(self.about_numbers()).collect()
    }

    /// What the step does.
    fn announce(&self, step: &Step) -> String {
        let now = self.now;
        match step {
            Step::AddLearner(id) => format!("{} becomes a spare", now.name(*id)),
            Step::Remove(id) => format!("{} is let go of", self.names([*id])),
            Step::HandOver(id) => {
                let (next, leader) = (now.name(*id), now.name(now.leader));
                format!("{next} takes the lead, because {leader} is leaving")
            }
            Step::SetVoters(after) => {
                let new = self.names(after - &now.voters);
                let old = self.names(&now.voters - after);
                match (&*new, &*old) {
                    (_, "") => format!("{new} will vote"),
                    ("", _) => format!("{old} will no longer vote"),
                    _ => format!("{new} will vote in place of {old}"),
                }
            }
        }
    }

    /// Names, and why somebody may have to go.
    fn names(&self, ids: impl IntoIterator<Item = NodeId>) -> String {
        let described = ids.into_iter().map(|id| {
            let name = self.now.name(id);
            match self.now.silence(id) {
                _ if self.now.leaving.contains(&id) => format!("{name} (leaving)"),
                silence if self.now.is_dead(id) => {
                    format!("{name} (silent for {})", passed(silence))
                }
                _ => name,
            }
        });
        described.collect::<Vec<_>>().join(" and ")
    }

    /// What is to be said of a member that the step does not touch.
    fn about(&self, id: NodeId) -> Option<String> {
        let voter = self.now.voters.contains(&id);
        if self.now.leaving.contains(&id) {
            return self.about_leaving(id);
        }
        if id == self.now.leader {
            return None;
        }
        if self.now.is_silent(id) {
            return Some(if voter { self.silent_voter(id) } else { self.silent_spare(id) });
        }
        let member = self.now.members.get(&id)?;
        if member.set_back {
            return Some(format!(
                "the disk of {} has been set back: it is heard no more, and is replaced as a dead \
                 one is",
                self.now.name(id)
            ));
        }
        if member.silence.is_zero() && !member.answers {
            return Some(format!(
                "{} does not answer, although gossip hears it",
                self.now.name(id)
            ));
        }
        if member.answers && !member.gossiped {
            return Some(format!(
                "{} answers, but gossip does not hear it: is UDP open on its port?",
                self.now.name(id)
            ));
        }
        if voter { None } else { self.about_spare(id, member) }
    }

    /// Why something does not happen that is due, if nothing can be decided.
    fn cannot(&self, id: NodeId, what: &str) -> Option<String> {
        let shortage = self.shortage.as_ref()?;
        Some(format!("{} cannot {what} now: {shortage}", self.now.name(id)))
    }

    fn about_leaving(&self, id: NodeId) -> Option<String> {
        let why = if self.now.voters.len() == 1 {
            "it is the only voter".into()
        } else {
            format!("no other voter could take over: {}", able_to_lead())
        };
        let voter = self.now.voters.contains(&id);
        let waits = self.hopefuls.first();
        let waits = waits.filter(|_| voter && id != self.now.leader && self.step.is_none());
        let waits = waits.map(|spare| {
            let (name, spare) = (self.now.name(id), self.now.name(*spare));
            format!("{name} leaves when {spare} is stable, to take its place")
        });
        let stuck = id == self.now.leader && self.step.is_none();
        let stuck = stuck.then(|| format!("{} cannot leave now: {why}", self.now.name(id)));
        self.cannot(id, "leave").or(stuck).or(waits)
    }

    fn silent_voter(&self, id: NodeId) -> String {
        let (silence, after) = (self.now.silence(id), self.now.policy.replace_after);
        let set_back = self.now.members.get(&id).is_some_and(|member| member.set_back);
        let why = if set_back { " (its disk was set back)" } else { "" };
        let silent = format!("{}{why} silent for {}", self.now.name(id), passed(silence));
        let heir = self.heirs.get(&id).map(|heir| self.now.name(*heir));
        let lack = if self.spares.is_empty() { "there is no spare" } else { "no spare is ready" };
        if !self.now.is_dead(id) {
            let left = ahead(after.saturating_sub(silence));
            return match heir {
                Some(heir) => format!("{silent}, would be replaced by {heir} in {left}"),
                None => format!("{silent}, is replaced after {}, but {lack}", passed(after)),
            };
        }
        let advice = if self.spares.is_empty() { ": join another node" } else { "" };
        self.cannot(id, "be replaced").unwrap_or_else(|| match heir {
            Some(heir) => format!("{silent}, is replaced by {heir} next"),
            None => format!("{silent}; {lack} to replace it{advice}"),
        })
    }

    fn silent_spare(&self, id: NodeId) -> String {
        let (silence, after) = (self.now.silence(id), self.now.forget_after());
        let overdue = self.now.is_forgotten(id);
        let stuck = if overdue { self.cannot(id, "be let go of") } else { None };
        stuck.unwrap_or_else(|| {
            let (name, silent) = (self.now.name(id), passed(silence));
            format!("{name} silent for {silent}, is let go of after {}", passed(after))
        })
    }

    /// Why a spare that is heard does not vote.
    fn about_spare(&self, id: NodeId, member: &MemberHealth) -> Option<String> {
        let name = self.now.name(id);
        if let Some(unfit) = &member.unfit {
            return Some(format!("{name} cannot vote: it {unfit}"));
        }
        if member.lag > LAG_MAX {
            return Some(format!("{name} is {} entries behind", grouped(member.lag)));
        }
        let place = self.hopefuls.iter().position(|other| *other == id)?;
        let (voters, wanted) = (self.voters, self.now.wanted());
        let room = wanted.saturating_sub(voters);
        if room < 2 {
            return Some(format!(
                "{name} is a spare: there are {voters} of {wanted} wanted voters"
            ));
        }
        // Those that are ready move up in pairs.
        let chosen = place < room.min(self.hopefuls.len()) / 2 * 2;
        let left = self.now.policy.stable_for.saturating_sub(member.stable);
        let plan = || match (chosen, left, self.hopefuls.len() < self.spares.len()) {
            (true, Duration::ZERO, _) => format!("{name} votes next, together with another spare"),
            (true, ..) => {
                let (left, whole) = (ahead(left), passed(self.now.policy.stable_for));
                format!("{name} votes in {left}, when it has been stable for {whole}")
            }
            (false, _, others) => {
                let event = if others { "another one is ready" } else { "another node joins" };
                format!("{name} is a spare until {event}: voters grow by two, to stay odd")
            }
        };
        Some(self.cannot(id, "vote").unwrap_or_else(plan))
    }

    /// What is to be said of how many voters there are.
    fn about_numbers(&self) -> Option<String> {
        let (voters, wanted) = (self.voters, self.now.wanted());
        if let Some(shortage) = &self.shortage {
            let wrong = voters > wanted || voters.is_multiple_of(2);
            return wrong
                .then(|| format!("{voters} voters cannot become {wanted} now: {shortage}"));
        }
        let coming = self.now.newcomers().count();
        let missing = wanted.saturating_sub(voters + self.spares.len() + coming);
        let nodes = if missing == 1 { "node is" } else { "nodes are" };
        let lack = || format!("{voters} of {wanted} wanted voters; {missing} more {nodes} needed");
        (missing > 0).then(lack)
    }
}

/// What a voter needs to take the lead.
pub(crate) fn able_to_lead() -> String {
    let lag_max = grouped(LAG_MAX);
    format!("one has to answer, fit, stay, and be at most {lag_max} entries behind")
}

/// Time that has passed, in plain words, rounded down.
pub(super) fn passed(time: Duration) -> String {
    in_units(time.as_secs(), |seconds, unit| seconds / unit)
}

/// Time to come, in plain words, rounded up.
pub(super) fn ahead(time: Duration) -> String {
    let begun = u64::from(time.subsec_nanos() > 0);
    in_units(time.as_secs().saturating_add(begun), u64::div_ceil)
}

/// A unit is used from two of it on, so that little is lost to rounding.
fn in_units(seconds: u64, divide: fn(u64, u64) -> u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", divide(seconds, 60)),
        _ => format!("{} h", divide(seconds, 3_600)),
    }
}

/// A number with a comma between thousands.
pub(super) fn grouped(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1_000), number % 1_000),
    }
}
