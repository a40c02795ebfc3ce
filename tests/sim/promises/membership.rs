//! Members come and go one change at a time, and an id means one disk for ever.
//!
//! * What is committed: voters are odd in number; they change by joint consensus (thesis
//!   section 4.3), one change after the other; an id that was removed never comes back,
//!   and an id is never another disk's.
//! * What a node believes: its voters are those of its log, no older than what it has
//!   applied; who does not vote neither leads nor asks for votes, once it knows that this
//!   is committed; who comes with another disk under an id takes no part.
//! * What operators were told: who has left is no member.

use super::disks::Disks;
use super::truth::Truth;
use super::{Broken, Verdict};
use crate::day::Moves;
use crate::nodes::Who;
use crate::world::disk::Disk;
use hangraft_ids::{LogIndex, NodeId, StorageId, Term};
use hangraft_lab::judge::membership::is_odd;
use hangraft_node::Report;
use hangraft_node::raft::{Electorate, electorate_of};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

pub(super) const NAME: &str = "membership";

/// Who was a member, and with which disk.
#[derive(Default)]
pub(super) struct Members {
    /// Memberships that were looked at.
    seen: usize,
    /// The disk of each id, of all that ever were members.
    disks: BTreeMap<NodeId, StorageId>,
    /// Ids that are spent.
    removed: BTreeSet<NodeId>,
    /// The term that each node was seen leading last.
    led: BTreeMap<NodeId, Term>,
    /// What is to be told of it.
    news: Vec<String>,
}

impl Members {
    /// Looks at the memberships that were committed since it did so last.
    pub(super) fn follow(&mut self, truth: &Truth) -> Verdict {
        while let Some((index, now)) = truth.electorates().get(self.seen) {
            let before = self.seen.checked_sub(1).map(|before| &truth.electorates()[before].1);
            self.seen += 1;
            self.news.push(format!("members at {index}: {}", in_words(now)));
            self.commit(before, now).map_err(|why| {
                Broken::new(NAME, format!("the membership at {index} {why}: {}", in_words(now)))
            })?;
        }
        Ok(())
    }

    /// What has happened since this was asked last, in words.
    pub(super) fn take_news(&mut self) -> Vec<String> {
        std::mem::take(&mut self.news)
    }

    /// Whether an id is that disk's, as far as anybody knows.
    pub(super) fn is_disk_of(&self, id: NodeId, disk: StorageId) -> bool {
        self.disks.get(&id).is_none_or(|known| *known == disk)
    }

    fn commit(&mut self, before: Option<&Electorate>, now: &Electorate) -> Result<(), String> {
        is_odd(now.voters.iter().map(BTreeSet::len))?;
        if let Some(before) = before {
            follows(before, now)?;
            let gone = before.disks.keys().filter(|id| !now.disks.contains_key(id));
            self.removed.extend(gone);
        }
        if let Some(id) = now.disks.keys().find(|id| self.removed.contains(id)) {
            return Err(format!("brings n{id} back, which was removed"));
        }
        for (id, disk) in &now.disks {
            if !self.is_disk_of(*id, *disk) {
                return Err(format!("has n{id} with another disk"));
            }
            self.disks.insert(*id, *disk);
        }
        Ok(())
    }

    /// A node has run, and says this of itself.
    pub(super) fn see(&mut self, who: &Who, report: &Report, truth: &Truth) -> Verdict {
        let Who { node, disk_number, disk } = who;
        if !self.is_disk_of(*node, *disk_number) && !disk.has_promised_nothing() {
            let how = format!("n{node} came back with another disk, and takes part");
            return Err(Broken::new(NAME, how));
        }
        // A node that has not begun knows no voters yet; one that has stopped may have
        // been about to write something down.
        if report.voters.is_empty() || report.state == "shutdown" {
            return Ok(());
        }
        if !is_known(report, disk, truth) {
            let how = format!(
                "n{node} has the voters {:?} and has applied {:?}, where {} holds",
                report.voters,
                report.applied,
                report
                    .applied
                    .and_then(|at| in_force(truth, at))
                    .map_or("nothing".into(), in_words)
            );
            return Err(Broken::new(NAME, how));
        }
        // A leader may be the one to finish a change after which it votes no more, and goes
        // a little later (thesis section 4.2.2). It was elected before it knew.
        let committed = applied_of(report).and_then(|at| in_force(truth, at));
        let votes = |electorate| all_voters(electorate).any(|id| id == *node);
        let may_vote = report.voters.contains(node) || committed.is_some_and(votes);
        let led_before = self.led.get(node) == Some(&report.term);
        let wrong = match report.state {
            "leader" => !may_vote && !led_before,
            "candidate" => !may_vote,
            _ => false,
        };
        if wrong {
            let how = format!("n{node} is {}, and by its own log it does not vote", report.state);
            return Err(Broken::new(NAME, how));
        }
        if report.state == "leader" {
            self.led.insert(*node, report.term);
        }
        Ok(())
    }
}

/// How members came and went, by the log.
pub(super) fn moves(truth: &Truth, disks: &Disks) -> Moves {
    let mut moves = Moves::default();
    let now = truth.electorates().iter().map(|(_, electorate)| electorate);
    for (before, now) in now.clone().zip(now.skip(1)) {
        let gone = |id: &&NodeId| !now.disks.contains_key(id);
        moves.joined += now.disks.keys().filter(|id| !before.disks.contains_key(id)).count() as u64;
        moves.removed += before.disks.keys().filter(gone).count() as u64;
        if let ([old, new], [_]) = (before.voters.as_slice(), now.voters.as_slice()) {
            moves.changes += 1;
            moves.replaced += old.difference(new).filter(|id| disks.is_lost(**id)).count() as u64;
        }
    }
    moves
}

/// A node was answered that it has left.
pub(super) fn has_left(node: NodeId, truth: &Truth) -> Verdict {
    if truth.electorate().is_some_and(|now| now.disks.contains_key(&node)) {
        let how = format!("an operator was told that n{node} has left, and it is a member");
        return Err(Broken::new(NAME, how));
    }
    Ok(())
}

/// Whether one membership may come right after another.
fn follows(before: &Electorate, now: &Electorate) -> Result<(), String> {
    match (before.voters.as_slice(), now.voters.as_slice()) {
        // Those who do not vote come and go as they are.
        ([before], [now]) if before == now => Ok(()),
        ([before], [half, _]) if before == half => Ok(()),
        ([_, half], [now]) if half == now => Ok(()),
        _ => Err(format!("does not follow from {}", in_words(before))),
    }
}

/// Whether a node's voters are in its log: in the membership of what it has applied, or
/// in a later one that it has or was given with a snapshot.
fn is_known(report: &Report, disk: &Disk, truth: &Truth) -> bool {
    let applied = applied_of(report);
    if applied.is_some_and(|applied| applied >= truth.len()) {
        // It was given a snapshot of what the judge has not seen yet.
        return true;
    }
    let fits = |electorate: &Electorate| all_voters(electorate).eq(report.voters.iter().copied());
    if applied.and_then(|applied| in_force(truth, applied)).is_some_and(fits) {
        return true;
    }
    let next = applied.map_or(LogIndex(0), LogIndex::next);
    let committed = truth.electorates().iter().rev().take_while(|(index, _)| *index >= next);
    let mut later = disk.entries_from(next).into_iter();
    committed.map(|(_, electorate)| electorate).any(fits)
        || later.any(|(_, payload)| electorate_of(&payload).as_ref().is_some_and(fits))
}

/// What a node has applied. What consensus says of itself may be a moment older.
fn applied_of(report: &Report) -> Option<LogIndex> {
    report.applied.min(report.last_log)
}

/// The membership that holds at a log index.
pub(super) fn in_force(truth: &Truth, at: LogIndex) -> Option<&Electorate> {
    let mut newest_first = truth.electorates().iter().rev();
    newest_first.find(|(index, _)| *index <= at).map(|(_, electorate)| electorate)
}

/// Whoever may vote, in order.
fn all_voters(electorate: &Electorate) -> impl Iterator<Item = NodeId> {
    let all: BTreeSet<NodeId> = electorate.voters.iter().flatten().copied().collect();
    all.into_iter()
}

/// Whether a majority of the voters is among some, by both halves of a change.
pub(super) fn is_majority(electorate: &Electorate, is_among: impl Fn(&NodeId) -> bool) -> bool {
    electorate
        .voters
        .iter()
        .all(|half| half.iter().filter(|id| is_among(id)).count() > half.len() / 2)
}

/// Who votes and who does not.
pub(super) fn in_words(electorate: &Electorate) -> String {
    let names = |ids: &mut dyn Iterator<Item = &NodeId>| {
        ids.map(|id| format!("n{id}")).collect::<Vec<_>>().join(" ")
    };
    let mut halves = electorate.voters.iter().map(|half| names(&mut half.iter()));
    let mut text = format!("{} vote", halves.next().unwrap_or_default());
    for half in halves {
        write!(text, ", on the way to {half}").expect("a string takes everything");
    }
    let voters: BTreeSet<NodeId> = all_voters(electorate).collect();
    let spares = names(&mut electorate.disks.keys().filter(|id| !voters.contains(id)));
    if !spares.is_empty() {
        write!(text, ", {spares} to spare").expect("a string takes everything");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn electorate(voters: &[&[u64]], spares: &[u64]) -> Electorate {
        let voters: Vec<BTreeSet<NodeId>> =
            voters.iter().map(|half| half.iter().copied().map(NodeId).collect()).collect();
        let spares = spares.iter().copied().map(NodeId);
        let ids = voters.iter().flatten().copied().chain(spares);
        Electorate { disks: ids.map(|id| (id, StorageId(100 + id.0))).collect(), voters }
    }

    fn told(history: &[Electorate]) -> Result<(), String> {
        let mut members = Members::default();
        let mut before = None;
        for now in history {
            members.commit(before, now)?;
            before = Some(now);
        }
        Ok(())
    }

    #[test]
    fn a_voter_is_replaced_in_two_steps() {
        let history = [
            electorate(&[&[1, 2, 3]], &[]),
            electorate(&[&[1, 2, 3]], &[4]),
            electorate(&[&[1, 2, 3], &[1, 2, 4]], &[]),
            electorate(&[&[1, 2, 4]], &[3]),
            electorate(&[&[1, 2, 4]], &[]),
        ];
        assert_eq!(told(&history), Ok(()));
        let halfway = [history[0].clone(), history[3].clone()];
        assert!(told(&halfway).unwrap_err().starts_with("does not follow"));
        let another = [history[2].clone(), electorate(&[&[1, 2, 3]], &[4])];
        assert!(told(&another).unwrap_err().starts_with("does not follow"));
        let mut back = history.to_vec();
        back.push(electorate(&[&[1, 2, 4]], &[3]));
        assert!(told(&back).unwrap_err().starts_with("brings n3 back"));
    }

    #[test]
    fn an_even_number_and_another_disk_are_noticed() {
        assert!(told(&[electorate(&[&[1, 2]], &[])]).unwrap_err().starts_with("has 2 voters"));
        let mut history = [electorate(&[&[1, 2, 3]], &[]), electorate(&[&[1, 2, 3]], &[])];
        history[1].disks.insert(NodeId(3), StorageId(7));
        assert!(told(&history).unwrap_err().starts_with("has n3 with another disk"));
    }

    #[test]
    fn both_halves_of_a_change_must_agree() {
        let change = electorate(&[&[1, 2, 3], &[3, 4, 5]], &[]);
        let agree = |ids: &[u64]| is_majority(&change, |id| ids.contains(&id.0));
        assert!(agree(&[2, 3, 4]) && !agree(&[1, 2, 3]) && !agree(&[3, 4, 5]));
        assert_eq!(in_words(&change), "n1 n2 n3 vote, on the way to n3 n4 n5");
    }
}
