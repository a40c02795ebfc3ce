//! What is left of a cluster when a node leaves it: how many machines may fail then.
//! Plain code; nothing is asked here.

use hangraft_ids::NodeId;
use hangraft_proto::v1::{Member, StatusReply};
use serde::Serialize;

/// A cluster before and after. The JSON form is a contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Outlook {
    /// Who leaves.
    node: String,
    /// leader, voter or learner.
    role: String,
    voters: usize,
    /// How many machines with voters may still fail before nobody can move.
    may_fail: usize,
    /// The spare that takes its place.
    replaced_by: Option<String>,
    voters_after: usize,
    may_fail_after: usize,
}

impl Outlook {
    /// What becomes of a cluster without this member; none for who is no member.
    pub(crate) fn of(status: &StatusReply, id: NodeId) -> Option<Self> {
        let member = status.members.iter().find(|member| member.id == id.0)?;
        if member.role == "none" {
            return None;
        }
        let voters: Vec<_> = status.members.iter().filter(|member| votes(member)).collect();
        let answering = voters.iter().filter(|voter| answers(voter)).count();
        let may_fail = may_fail(voters.len(), answering);
        let mut outlook = Self {
            node: member.name.clone(),
            role: member.role.clone(),
            voters: voters.len(),
            may_fail,
            replaced_by: None,
            voters_after: voters.len(),
            may_fail_after: may_fail,
        };
        if !votes(member) {
            return Some(outlook);
        }
        let others = voters.iter().filter(|other| other.id != id.0 && answers(other)).count();
        let spare = |other: &&Member| other.id != id.0 && other.role == "learner" && answers(other);
        if let Some(spare) = status.members.iter().find(spare) {
            outlook.replaced_by = Some(spare.name.clone());
            outlook.may_fail_after = self::may_fail(voters.len(), others + 1);
        } else {
            // The next smaller odd number. Who is silent is let go of first.
            outlook.voters_after = voters.len().saturating_sub(2).max(1);
            outlook.may_fail_after =
                self::may_fail(outlook.voters_after, others.min(outlook.voters_after));
        }
        Some(outlook)
    }

    /// Whether fewer machines may fail afterwards, or none is left beside the last.
    pub(crate) fn is_worse(&self) -> bool {
        self.may_fail_after < self.may_fail || (self.voters_after == 1 && self.voters > 1)
    }

    /// Both, in a sentence.
    pub(crate) fn text(&self) -> String {
        let Self { node, role, voters, may_fail, replaced_by, voters_after, may_fail_after } = self;
        let now = format!("{} and {}", vote(*voters), machines(*may_fail));
        if role == "learner" {
            return format!("{node} is a spare: without it, as now, {now}");
        }
        let then = match replaced_by {
            Some(spare) => format!("{spare} takes its place, {}", vote(*voters_after)),
            None if *voters_after == 1 => {
                "1 voter is left, every acknowledged move is on one disk".to_owned()
            }
            None => format!("{voters_after} voters are left"),
        };
        format!("now {now}; without {node} {then} and {}", machines(*may_fail_after))
    }
}

fn vote(count: usize) -> String {
    format!("{count} {}", if count == 1 { "votes" } else { "vote" })
}

fn machines(count: usize) -> String {
    match count {
        0 => "no machine may fail".into(),
        1 => "1 machine may fail".into(),
        count => format!("{count} machines may fail"),
    }
}

/// How many of those that answer may fall silent before no majority does.
fn may_fail(voters: usize, answering: usize) -> usize {
    answering.saturating_sub(voters / 2 + 1)
}

pub(crate) fn votes(member: &Member) -> bool {
    member.role == "leader" || member.role == "voter"
}

fn answers(member: &Member) -> bool {
    member.alive && member.report.is_some()
}

#[cfg(test)]
mod tests {
    use hangraft_proto::v1::NodeReport;

    use super::*;

    /// A cluster of nodes with these roles; a role with a dash is of one that is silent.
    fn cluster(roles: &[&str]) -> StatusReply {
        let member = |(id, role): (u64, &&str)| {
            let alive = !role.starts_with('-');
            Member {
                id,
                name: format!("n{id}"),
                alive,
                role: role.trim_start_matches('-').into(),
                report: alive.then(NodeReport::default),
                ..Member::default()
            }
        };
        StatusReply { members: (1..).zip(roles).map(member).collect(), ..StatusReply::default() }
    }

    /// Whoever votes and has no spare costs safety; whoever is replaced, or only listens,
    /// does not.
    #[test]
    fn what_leaving_costs_is_told() {
        let (l, v, s, dead) = ("leader", "voter", "learner", "-voter");
        for (roles, id, numbers, worse) in [
            (&[l, v, v][..], 2, (3, 1, 1, 0), true),
            (&[l, v, v], 1, (3, 1, 1, 0), true),
            (&[l, v, v, s], 1, (3, 1, 3, 1), false),
            (&[l, v, v, "-learner"], 1, (3, 1, 1, 0), true),
            (&[l, v, v, s], 4, (3, 1, 3, 1), false),
            (&[l, v, v, v, v], 3, (5, 2, 3, 1), true),
            (&[l, v, v, v, dead], 3, (5, 1, 3, 1), false),
            (&[l, v, dead], 2, (3, 0, 1, 0), true),
            (&[l, v, v, v, v, v, v], 2, (7, 3, 5, 2), true),
            (&[l, v, dead, s], 3, (3, 0, 3, 1), false),
        ] {
            let outlook = Outlook::of(&cluster(roles), NodeId(id)).unwrap();
            let Outlook { voters, may_fail, voters_after, may_fail_after, .. } = outlook;
            assert_eq!((voters, may_fail, voters_after, may_fail_after), numbers, "{roles:?} {id}");
            assert_eq!(outlook.is_worse(), worse, "{outlook:?}");
        }
        assert_eq!(Outlook::of(&cluster(&[l, "none"]), NodeId(2)), None);
        assert_eq!(Outlook::of(&cluster(&[l]), NodeId(9)), None);
    }

    #[test]
    fn it_is_told_in_a_sentence() {
        let text = |roles: &[&str], id| Outlook::of(&cluster(roles), NodeId(id)).unwrap().text();
        assert_eq!(
            text(&["leader", "voter", "voter"], 2),
            "now 3 vote and 1 machine may fail; without n2 1 voter is left, every acknowledged move is on one disk and no machine may fail"
        );
        assert_eq!(
            text(&["leader", "voter", "voter", "learner"], 2),
            "now 3 vote and 1 machine may fail; without n2 n4 takes its place, 3 vote and 1 machine may fail"
        );
        assert_eq!(
            text(&["leader", "learner"], 2),
            "n2 is a spare: without it, as now, 1 votes and no machine may fail"
        );
    }
}
