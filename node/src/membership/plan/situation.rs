//! What a plan is made from: what the leader knows, and what follows from it.

use hangraft_ids::NodeId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Log entries a spare may be behind and still count as caught up. Further behind,
/// it is not promoted.
pub(crate) const LAG_MAX: u64 = 1_000;

/// Voters at most. Past it more voters cost speed and buy little, so nobody is
/// promoted, whatever the policy asks for.
pub(super) const VOTERS_MAX: usize = 7;

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
pub(crate) struct MemberHealth {
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
    pub(crate) leader: NodeId,
    /// Whether the newest membership is committed and not joint.
    pub(crate) settled: bool,
    /// Who votes.
    pub(crate) voters: BTreeSet<NodeId>,
    /// Voters and learners. A voter that is missing here counts as not answering.
    pub(crate) members: BTreeMap<NodeId, MemberHealth>,
    /// Ids that the log gave out and that are not members yet.
    pub(crate) admitted: BTreeSet<NodeId>,
    /// Who was asked to leave.
    pub(crate) leaving: BTreeSet<NodeId>,
    /// Settings the whole cluster shares.
    pub(crate) policy: Policy,
}

/// One change of the membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Add this node as a learner. To operators it is a spare.
    AddLearner(NodeId),
    /// Make exactly these the voters, in one joint change. Whoever is replaced stays
    /// as a learner.
    SetVoters(BTreeSet<NodeId>),
    /// Let go of this learner.
    Remove(NodeId),
    /// The leader hands over to this voter, because it is leaving itself.
    HandOver(NodeId),
}

pub(super) fn majority(voters: usize) -> usize {
    voters / 2 + 1
}

impl MemberHealth {
    /// Whether it can do what a voter does.
    pub(super) fn is_able(&self) -> bool {
        self.answers && self.lag <= LAG_MAX && self.unfit.is_none()
    }
}

impl Situation {
    pub(super) fn name(&self, id: NodeId) -> String {
        let known = self.members.get(&id).map(|member| member.name.clone());
        known.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("n{id}"))
    }

    pub(super) fn answers(&self, id: NodeId) -> bool {
        id == self.leader || self.members.get(&id).is_some_and(|member| member.answers)
    }

    pub(super) fn silence(&self, id: NodeId) -> Duration {
        self.members.get(&id).map_or(Duration::ZERO, |member| member.silence)
    }

    /// Silent for so long that operators hear of it.
    pub(super) fn is_silent(&self, id: NodeId) -> bool {
        !self.answers(id) && self.silence(id) >= SILENCE_SAID
    }

    /// Silent for so long that it is replaced.
    pub(super) fn is_dead(&self, id: NodeId) -> bool {
        self.is_silent(id) && self.silence(id) >= self.policy.replace_after
    }

    /// Silent for so long that it is let go of once it is a spare.
    pub(super) fn is_forgotten(&self, id: NodeId) -> bool {
        self.is_silent(id) && self.silence(id) >= self.forget_after()
    }

    pub(super) fn forget_after(&self) -> Duration {
        self.policy.replace_after.saturating_mul(FORGIVEN_TIMES)
    }

    /// Voters that the policy asks for, as an odd number.
    pub(super) fn wanted(&self) -> usize {
        let most = match self.policy.voters_wanted {
            0 => self.voters.len(),
            wanted => usize::from(wanted).clamp(1, VOTERS_MAX),
        };
        if most.is_multiple_of(2) { most - 1 } else { most }
    }

    /// Nodes that are to become members.
    pub(super) fn newcomers(&self) -> impl Iterator<Item = NodeId> {
        let wished = self.admitted.difference(&self.leaving).copied();
        wished.filter(|id| !self.members.contains_key(id) && !self.voters.contains(id))
    }

    /// Learners that stay, in order of id.
    pub(super) fn spares(&self) -> impl Iterator<Item = NodeId> {
        let ids = self.members.keys().copied();
        ids.filter(|id| !self.voters.contains(id) && !self.leaving.contains(id))
    }

    /// Spares that may vote as soon as they were stable for long enough.
    pub(super) fn hopefuls(&self) -> impl Iterator<Item = NodeId> {
        self.spares().filter(|id| {
            let member = &self.members[id];
            member.is_able() && member.gossiped
        })
    }

    /// Spares that may vote at once, in order of id.
    pub(super) fn candidates(&self) -> impl Iterator<Item = NodeId> {
        self.hopefuls().filter(|id| self.members[id].stable >= self.policy.stable_for)
    }

    /// Voters that do not lead, in order of id.
    pub(super) fn followers(&self) -> impl Iterator<Item = NodeId> {
        self.voters.iter().copied().filter(|id| *id != self.leader)
    }

    pub(super) fn leaving_followers(&self) -> impl Iterator<Item = NodeId> {
        self.followers().filter(|id| self.leaving.contains(id))
    }

    /// Why the voters of today cannot decide anything, if they cannot.
    pub(super) fn shortage(&self) -> Option<String> {
        let answer = self.answering(&self.voters);
        let all = self.voters.len();
        let verb = if answer == 1 { "answers" } else { "answer" };
        (answer < majority(all)).then(|| format!("only {answer} of {all} voters {verb}"))
    }

    pub(super) fn answering(&self, voters: &BTreeSet<NodeId>) -> usize {
        voters.iter().filter(|id| self.answers(**id)).count()
    }

    /// Why it would not be safe to make these the voters; `None` when it is. Every
    /// change of voters passes here, whatever rule it comes from.
    pub(super) fn objection(&self, after: &BTreeSet<NodeId>) -> Option<String> {
        if !after.contains(&self.leader) {
            return Some(format!("{}, which leads, would not vote", self.name(self.leader)));
        }
        if after.len().is_multiple_of(2) {
            return Some(format!("{} voters would not be an odd number", after.len()));
        }
        let ready: BTreeSet<NodeId> = self.candidates().collect();
        if let Some(id) = after.iter().find(|id| !self.voters.contains(id) && !ready.contains(id)) {
            return Some(format!("{} is not ready to vote", self.name(*id)));
        }
        let (answer, all) = (self.answering(after), after.len());
        let few = || format!("only {answer} of the new {all} voters would answer");
        self.shortage().or_else(|| (answer < majority(all)).then(few))
    }
}
