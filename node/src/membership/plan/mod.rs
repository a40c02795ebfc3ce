//! Who should vote: the next step of Raft's membership, decided in plain code.
//!
//! The leader puts what it knows into a [`Situation`]. [`next_step`] answers with at
//! most one [`Step`], and with sentences for operators: what is about to happen, and
//! why other things are not. Whoever takes the step looks again afterwards.
//!
//! What holds after every change of voters:
//! * The leader votes, and the number of voters is odd.
//! * A majority of the old voters and a majority of the new ones answer, as of a moment
//!   ago, because a joint change needs both.
//! * Whoever is new held the log, was stable, and knew everything it has to know.
//! * Whoever stopped voting was leaving, dead or one too many. It stays as a spare
//!   first: a voter is never let go of in one step.
//!
//! The cluster grows before it shrinks, so that a healed partition never finds its
//! quorum smaller than it has to be.
//!
//! # Not here
//!
//! A voter that does not fit, or that gossip hears and Raft does not, stays a voter;
//! an operator decides about it. The only voter cannot hand over to a spare. Both
//! would come with a case where somebody waits for them.

mod intents;
mod situation;
#[cfg(test)]
mod tests;

use hangraft_ids::NodeId;
use intents::Outlook;
pub(crate) use intents::able_to_lead;
use situation::LAG_MAX;
pub(crate) use situation::{MemberHealth, Policy, Situation, Step};
use situation::{VOTERS_MAX, majority};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// What to do, and what to tell operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The next step, if there is one to take.
    pub(crate) step: Option<Step>,
    /// What the step does, what comes later, and what cannot happen now and why.
    pub(crate) intents: Vec<String>,
}

/// The next step towards the membership that the policy asks for.
pub(crate) fn next_step(now: &Situation) -> Plan {
    let wait = |why: &str| Plan { step: None, intents: vec![why.to_string()] };
    if !now.settled {
        return wait("a change of members is under way");
    }
    if !now.voters.contains(&now.leader) {
        // It took the lead in the middle of a change that left it out.
        let step = successor(now).map(Step::HandOver);
        let name = now.name(now.leader);
        return Plan {
            step,
            intents: vec![format!("{name} leads and does not vote: it hands over")],
        };
    }
    let step = RULES.iter().find_map(|rule| rule(now));
    let intents = Outlook::new(now, step.as_ref()).sentences();
    Plan { step, intents }
}

/// Whether a node may be asked to leave; the refusal says why, with the numbers.
pub(crate) fn may_leave(now: &Situation, id: NodeId) -> Result<(), String> {
    let name = now.name(id);
    let voter = now.voters.contains(&id);
    if !voter && !now.members.contains_key(&id) && !now.admitted.contains(&id) {
        return Err(format!("{name} is not a member"));
    }
    if now.leaving.contains(&id) {
        return Ok(());
    }
    if let Some(shortage) = now.shortage() {
        return Err(format!("{name} cannot leave now: {shortage}"));
    }
    if !voter {
        return Ok(());
    }
    if now.voters.len() == 1 {
        let advice = "stop it instead, or let another node join first";
        return Err(format!("{name} is the only voter; {advice}"));
    }
    let stays = |other: &NodeId| *other != id && !now.leaving.contains(other);
    if !now.voters.iter().any(stays) && now.candidates().next().is_none() {
        let advice = "let another node join first";
        return Err(format!("{name} is the only voter that is not leaving; {advice}"));
    }
    // Without a spare the voters shrink, and whoever is away now would be let go of with
    // the one that leaves. The others must have a quorum by themselves.
    if now.candidates().next().is_none() {
        let rest = less(now, &[id]);
        let (answer, all) = (now.answering(&rest), rest.len());
        if answer < majority(all) {
            return Err(format!(
                "{name} cannot leave now: of the other {all} voters only {answer} would answer, \
                 {} are needed, and there is no spare",
                majority(all)
            ));
        }
    }
    let mut then = now.clone();
    then.leaving.insert(id);
    if id == now.leader {
        then.leader = successor(now).ok_or_else(|| {
            format!("{name} leads, and no other voter could take over: {}", able_to_lead())
        })?;
    }
    can_stop_voting(&then, id).map_err(|why| format!("{name} cannot leave now: {why}"))
}

/// Whether this voter, which leaves and does not lead, could be replaced or dropped.
fn can_stop_voting(then: &Situation, id: NodeId) -> Result<(), String> {
    let mut objections = Vec::new();
    for after in replaced(then, id).into_iter().chain(dropped(then, id)) {
        match then.objection(&after) {
            None => return Ok(()),
            Some(objection) => objections.push(objection),
        }
    }
    // The first way is the one that would be preferred.
    Err(objections.into_iter().next().unwrap_or_else(|| "no voter would be left".into()))
}

/// Why a voter cannot take the lead now, if it cannot.
pub(crate) fn cannot_lead(now: &Situation, id: NodeId) -> Option<String> {
    let Some(member) = now.members.get(&id) else { return Some("is not a member".into()) };
    let objections = [
        (!now.answers(id)).then(|| "does not answer".into()),
        member.unfit.clone(),
        (member.lag > LAG_MAX)
            .then(|| format!("is {} entries behind", intents::grouped(member.lag))),
    ];
    objections.into_iter().flatten().next()
}

// ---- The rules ----

/// The rules, most urgent first. The first one that has a step decides.
const RULES: [fn(&Situation) -> Option<Step>; 9] = [
    add_learner,
    make_odd,
    replace_leaving,
    hand_over,
    replace_dead,
    grow,
    shrink_for_leaving,
    shrink_to_wanted,
    let_go,
];

/// A change of voters, if it is safe.
fn change(now: &Situation, after: BTreeSet<NodeId>) -> Option<Step> {
    now.objection(&after).is_none().then_some(Step::SetVoters(after))
}

/// A learner is added before it may vote: it has to hold the log first, or the next
/// election could wait for a voter with nothing to vote about.
fn add_learner(now: &Situation) -> Option<Step> {
    now.newcomers().next().map(Step::AddLearner)
}

/// An even number of voters can come only from outside.
fn make_odd(now: &Situation) -> Option<Step> {
    if !now.voters.len().is_multiple_of(2) {
        return None;
    }
    let promoted = now.candidates().next().filter(|_| now.voters.len() < VOTERS_MAX);
    promoted
        .and_then(|id| change(now, with(&now.voters, &[id])))
        // Otherwise a leader that is leaving would be the one of two that stays.
        .or_else(|| hand_over(now))
        .or_else(|| change(now, less(now, too_many(now).get(..1)?)))
}

fn replace_leaving(now: &Situation) -> Option<Step> {
    now.leaving_followers().find_map(|id| change(now, replaced(now, id)?))
}

/// The next leader does the rest.
fn hand_over(now: &Situation) -> Option<Step> {
    let due = now.leaving.contains(&now.leader) && now.shortage().is_none();
    if due { successor(now).map(Step::HandOver) } else { None }
}

/// A dead voter is replaced, never merely dropped.
fn replace_dead(now: &Situation) -> Option<Step> {
    now.followers().filter(|id| now.is_dead(*id)).find_map(|id| change(now, replaced(now, id)?))
}

/// By two, to stay odd.
fn grow(now: &Situation) -> Option<Step> {
    let promoted: Vec<NodeId> = now.candidates().take(2).collect();
    let room = now.voters.len() + 2 <= now.wanted();
    if room && promoted.len() == 2 { change(now, with(&now.voters, &promoted)) } else { None }
}

/// Nobody is there to replace the one that is leaving, or it would have been. A spare
/// that is only waited for is worth the wait.
fn shrink_for_leaving(now: &Situation) -> Option<Step> {
    if now.hopefuls().next().is_some() {
        return None;
    }
    now.leaving_followers()
        .find_map(|id| dropped(now, id).into_iter().find_map(|after| change(now, after)))
}

fn shrink_to_wanted(now: &Situation) -> Option<Step> {
    let surplus = now.voters.len() > now.wanted();
    if surplus { change(now, less(now, too_many(now).get(..2)?)) } else { None }
}

fn let_go(now: &Situation) -> Option<Step> {
    let learners = now.members.keys().filter(|id| !now.voters.contains(id));
    let leaving = learners.copied().find(|id| now.leaving.contains(id));
    let gone = leaving.or_else(|| now.spares().find(|id| now.is_forgotten(*id)));
    gone.filter(|_| now.shortage().is_none()).map(Step::Remove)
}

/// The voter that may lead next: the one with the least to catch up on.
pub(crate) fn successor(now: &Situation) -> Option<NodeId> {
    let able = |id: &NodeId| now.members.get(id).is_some_and(MemberHealth::is_able);
    let stay = now.followers().filter(|id| !now.leaving.contains(id));
    stay.filter(able).min_by_key(|id| (now.members[id].lag, *id))
}

/// The voters with a candidate in place of this one, if there is a candidate.
fn replaced(now: &Situation, id: NodeId) -> Option<BTreeSet<NodeId>> {
    now.candidates().next().map(|candidate| with(&less(now, &[id]), &[candidate]))
}

/// The voters without this one, and without one more to stay odd: the ways there
/// are, best first.
fn dropped(now: &Situation, id: NodeId) -> Vec<BTreeSet<NodeId>> {
    if now.voters.len().is_multiple_of(2) {
        return vec![less(now, &[id])];
    }
    let mut companions: Vec<NodeId> = now.followers().filter(|other| *other != id).collect();
    companions.sort_by_key(|id| {
        (!now.leaving.contains(id), !now.is_dead(*id), now.answers(*id), Reverse(*id))
    });
    companions.into_iter().map(|companion| less(now, &[id, companion])).collect()
}

/// Voters that can be done without, best first.
fn too_many(now: &Situation) -> Vec<NodeId> {
    let mut order: Vec<NodeId> = now.followers().collect();
    order.sort_by_key(|id| {
        (!now.is_dead(*id), !now.leaving.contains(id), now.answers(*id), Reverse(*id))
    });
    order
}

fn with(voters: &BTreeSet<NodeId>, more: &[NodeId]) -> BTreeSet<NodeId> {
    voters.iter().chain(more).copied().collect()
}

fn less(now: &Situation, fewer: &[NodeId]) -> BTreeSet<NodeId> {
    now.voters.iter().copied().filter(|id| !fewer.contains(id)).collect()
}
