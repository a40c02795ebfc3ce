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
#[cfg(test)]
mod tests;

use intents::Outlook;
pub(crate) use intents::able_to_lead;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Log entries a spare may be behind and still count as caught up. Further behind,
/// it is not promoted.
pub(crate) const LAG_MAX: u64 = 1_000;

/// Voters at most. Past it more voters cost speed and buy little, so nobody is
/// promoted, whatever the policy asks for.
const VOTERS_MAX: usize = 7;

/// A spare is let go of after this many times `replace_after` in silence: a voter
/// that was replaced stays a spare for as long again, in case it comes back.
const FORGIVEN_TIMES: u32 = 2;

/// Silence that operators hear of. Less is everyday, and never death.
const SILENCE_SAID: Duration = Duration::from_secs(5);

/// Settings the whole cluster shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// How many voters there should be: 1, 3, 5 or 7. Anything else counts as the
    /// next smaller of these; 0 is nobody's wish, and changes nothing.
    pub(crate) voters_wanted: u8,
    /// A voter that is silent for this long is dead, and is replaced.
    pub(crate) replace_after: Duration,
    /// A spare is promoted only when it was stable for this long.
    pub(crate) stable_for: Duration,
}

/// What the leader knows of one member of Raft's membership, voter or learner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// What operators call it.
    pub(crate) name: String,
    /// Raft heard from it lately. The leader counts as answering in any case.
    pub(crate) answers: bool,
    /// Gossip hears it now.
    pub(crate) gossiped: bool,
    /// For how long neither gossip nor Raft has heard of it; zero as soon as either has.
    pub(crate) silence: Duration,
    /// For how long both have heard it without a break.
    pub(crate) stable: Duration,
    /// Log entries it still has to get.
    pub(crate) lag: u64,
    /// Its disk has been set back, as it said itself: nobody hears it any more.
    pub(crate) set_back: bool,
    /// What it lacks to take part, such as "does not know the game nim"; `None` when it fits.
    pub(crate) unfit: Option<String>,
}

/// All that a plan is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Situation {
    /// The node that plans; it leads and is a voter.
    pub(crate) leader: u64,
    /// Whether the newest membership is committed and not joint.
    pub(crate) settled: bool,
    /// Who votes.
    pub(crate) voters: BTreeSet<u64>,
    /// Voters and learners. A voter that is missing here counts as not answering.
    pub(crate) members: BTreeMap<u64, Standing>,
    /// Ids that the log gave out and that are not members yet.
    pub(crate) admitted: BTreeSet<u64>,
    /// Who was asked to leave.
    pub(crate) leaving: BTreeSet<u64>,
    /// Settings the whole cluster shares.
    pub(crate) policy: Policy,
}

/// One change of the membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Add this node as a learner. To operators it is a spare.
    AddLearner(u64),
    /// Make exactly these the voters, in one joint change. Whoever is replaced stays
    /// as a learner.
    SetVoters(BTreeSet<u64>),
    /// Let go of this learner.
    Remove(u64),
    /// The leader hands over to this voter, because it is leaving itself.
    HandOver(u64),
}

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
pub(crate) fn may_leave(now: &Situation, id: u64) -> Result<(), String> {
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
    let stays = |other: &u64| *other != id && !now.leaving.contains(other);
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
fn can_stop_voting(then: &Situation, id: u64) -> Result<(), String> {
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
pub(crate) fn cannot_lead(now: &Situation, id: u64) -> Option<String> {
    let Some(member) = now.members.get(&id) else { return Some("is not a member".into()) };
    let objections = [
        (!now.answers(id)).then(|| "does not answer".into()),
        member.unfit.clone(),
        (member.lag > LAG_MAX)
            .then(|| format!("is {} entries behind", intents::grouped(member.lag))),
    ];
    objections.into_iter().flatten().next()
}

// ---- What is known ----

fn majority(voters: usize) -> usize {
    voters / 2 + 1
}

impl Standing {
    /// Whether it can do what a voter does.
    fn is_able(&self) -> bool {
        self.answers && self.lag <= LAG_MAX && self.unfit.is_none()
    }
}

impl Situation {
    fn name(&self, id: u64) -> String {
        let known = self.members.get(&id).map(|member| member.name.clone());
        known.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("n{id}"))
    }

    fn answers(&self, id: u64) -> bool {
        id == self.leader || self.members.get(&id).is_some_and(|member| member.answers)
    }

    fn silence(&self, id: u64) -> Duration {
        self.members.get(&id).map_or(Duration::ZERO, |member| member.silence)
    }

    /// Silent for so long that operators hear of it.
    fn is_silent(&self, id: u64) -> bool {
        !self.answers(id) && self.silence(id) >= SILENCE_SAID
    }

    /// Silent for so long that it is replaced.
    fn is_dead(&self, id: u64) -> bool {
        self.is_silent(id) && self.silence(id) >= self.policy.replace_after
    }

    /// Silent for so long that it is let go of once it is a spare.
    fn is_forgotten(&self, id: u64) -> bool {
        self.is_silent(id) && self.silence(id) >= self.forget_after()
    }

    fn forget_after(&self) -> Duration {
        self.policy.replace_after.saturating_mul(FORGIVEN_TIMES)
    }

    /// Voters that the policy asks for, as an odd number.
    fn wanted(&self) -> usize {
        let most = match self.policy.voters_wanted {
            0 => self.voters.len(),
            wanted => usize::from(wanted).clamp(1, VOTERS_MAX),
        };
        if most.is_multiple_of(2) { most - 1 } else { most }
    }

    /// Nodes that are to become members.
    fn newcomers(&self) -> impl Iterator<Item = u64> {
        let wished = self.admitted.difference(&self.leaving).copied();
        wished.filter(|id| !self.members.contains_key(id) && !self.voters.contains(id))
    }

    /// Learners that stay, in order of id.
    fn spares(&self) -> impl Iterator<Item = u64> {
        let ids = self.members.keys().copied();
        ids.filter(|id| !self.voters.contains(id) && !self.leaving.contains(id))
    }

    /// Spares that may vote as soon as they were stable for long enough.
    fn hopefuls(&self) -> impl Iterator<Item = u64> {
        self.spares().filter(|id| {
            let member = &self.members[id];
            member.is_able() && member.gossiped
        })
    }

    /// Spares that may vote at once, in order of id.
    fn candidates(&self) -> impl Iterator<Item = u64> {
        self.hopefuls().filter(|id| self.members[id].stable >= self.policy.stable_for)
    }

    /// Voters that do not lead, in order of id.
    fn followers(&self) -> impl Iterator<Item = u64> {
        self.voters.iter().copied().filter(|id| *id != self.leader)
    }

    fn leaving_followers(&self) -> impl Iterator<Item = u64> {
        self.followers().filter(|id| self.leaving.contains(id))
    }

    /// Why the voters of today cannot decide anything, if they cannot.
    fn shortage(&self) -> Option<String> {
        let answer = self.answering(&self.voters);
        let all = self.voters.len();
        let verb = if answer == 1 { "answers" } else { "answer" };
        (answer < majority(all)).then(|| format!("only {answer} of {all} voters {verb}"))
    }

    fn answering(&self, voters: &BTreeSet<u64>) -> usize {
        voters.iter().filter(|id| self.answers(**id)).count()
    }

    /// Why it would not be safe to make these the voters; `None` when it is. Every
    /// change of voters passes here, whatever rule it comes from.
    fn objection(&self, after: &BTreeSet<u64>) -> Option<String> {
        if !after.contains(&self.leader) {
            return Some(format!("{}, which leads, would not vote", self.name(self.leader)));
        }
        if after.len().is_multiple_of(2) {
            return Some(format!("{} voters would not be an odd number", after.len()));
        }
        let ready: BTreeSet<u64> = self.candidates().collect();
        if let Some(id) = after.iter().find(|id| !self.voters.contains(id) && !ready.contains(id)) {
            return Some(format!("{} is not ready to vote", self.name(*id)));
        }
        let (answer, all) = (self.answering(after), after.len());
        let few = || format!("only {answer} of the new {all} voters would answer");
        self.shortage().or_else(|| (answer < majority(all)).then(few))
    }
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
fn change(now: &Situation, after: BTreeSet<u64>) -> Option<Step> {
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
    let promoted: Vec<u64> = now.candidates().take(2).collect();
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
pub(crate) fn successor(now: &Situation) -> Option<u64> {
    let able = |id: &u64| now.members.get(id).is_some_and(Standing::is_able);
    let stay = now.followers().filter(|id| !now.leaving.contains(id));
    stay.filter(able).min_by_key(|id| (now.members[id].lag, *id))
}

/// The voters with a candidate in place of this one, if there is a candidate.
fn replaced(now: &Situation, id: u64) -> Option<BTreeSet<u64>> {
    now.candidates().next().map(|candidate| with(&less(now, &[id]), &[candidate]))
}

/// The voters without this one, and without one more to stay odd: the ways there
/// are, best first.
fn dropped(now: &Situation, id: u64) -> Vec<BTreeSet<u64>> {
    if now.voters.len().is_multiple_of(2) {
        return vec![less(now, &[id])];
    }
    let mut companions: Vec<u64> = now.followers().filter(|other| *other != id).collect();
    companions.sort_by_key(|id| {
        (!now.leaving.contains(id), !now.is_dead(*id), now.answers(*id), Reverse(*id))
    });
    companions.into_iter().map(|companion| less(now, &[id, companion])).collect()
}

/// Voters that can be done without, best first.
fn too_many(now: &Situation) -> Vec<u64> {
    let mut order: Vec<u64> = now.followers().collect();
    order.sort_by_key(|id| {
        (!now.is_dead(*id), !now.leaving.contains(id), now.answers(*id), Reverse(*id))
    });
    order
}

fn with(voters: &BTreeSet<u64>, more: &[u64]) -> BTreeSet<u64> {
    voters.iter().chain(more).copied().collect()
}

fn less(now: &Situation, fewer: &[u64]) -> BTreeSet<u64> {
    now.voters.iter().copied().filter(|id| !fewer.contains(id)).collect()
}
