//! Who is restarted when, and what counts as well. Plain code; nothing is asked here.

use std::{collections::BTreeMap, fmt, net::SocketAddr, time::Duration};

use hangraft_cluster_config::is_name;
use hangraft_ids::{LogIndex, NodeId};
use hangraft_proto::v1::{self, StatusReply};

/// How many entries behind the leader still counts as well: players do not stop playing.
const LAG_MAX: u64 = 100;

/// How long ago a member's last answer to the leader may be. Leaders ask many times a second.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(1);

/// What a member is, in the order of their restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Spare,
    Follower,
    Leader,
    /// Known, but no member.
    Stranger,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Spare => "spare",
            Self::Follower => "follower",
            Self::Leader => "leader",
            Self::Stranger => "no member",
        })
    }
}

/// One node of a cluster. Its name and its address may stand in a command.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) id: NodeId,
    pub(super) name: String,
    pub(super) address: SocketAddr,
    pub(super) alive: bool,
    pub(super) role: Role,
    /// What only itself can know is missing while it does not answer.
    committed: Option<LogIndex>,
    applied: Option<LogIndex>,
    version: Option<String>,
    /// For how long the leader has had no answer from it.
    silence: Option<Duration>,
}

/// A cluster as one of its nodes sees it.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    pub(super) name: String,
    leader: NodeId,
    members: Vec<Member>,
}

/// Who is still to be restarted: names by id.
pub(super) type Todo = BTreeMap<NodeId, String>;

impl Member {
    /// Names and addresses end up in commands that a shell runs, so they are what they
    /// should be, or nothing is done with them.
    fn read(member: v1::Member) -> Result<Self, String> {
        let v1::Member { id, name, address, alive, role, report, silent_ms } = member;
        // A dash at the beginning would make an option of it.
        if !is_name(&name) || name.starts_with('-') {
            return Err(format!(
                "member {id} has the name {name:?}, which cannot stand in a command; name it with a-z, 0-9 and - in its configuration"
            ));
        }
        let plain = |byte: u8| byte.is_ascii_hexdigit() || b".:[]".contains(&byte);
        let parsed = address.parse().ok().filter(|_| address.bytes().all(plain));
        let Some(address) = parsed else {
            return Err(format!(
                "{name} has the address {address:?}, which cannot stand in a command; give it one such as 10.0.0.11:7101 in its configuration"
            ));
        };
        let role = match role.as_str() {
            "learner" => Role::Spare,
            "voter" => Role::Follower,
            "leader" => Role::Leader,
            "none" => Role::Stranger,
            _ => {
                return Err(format!(
                    "{name} is a {role:?}, which is not known here; use the binary of its version"
                ));
            }
        };
        let committed = report.as_ref().map(|report| LogIndex(report.committed));
        let applied = report.as_ref().map(|report| LogIndex(report.applied));
        let version = report.map(|report| report.version);
        let silence = silent_ms.map(Duration::from_millis);
        let id = NodeId(id);
        Ok(Self { id, name, address, alive, role, committed, applied, version, silence })
    }

    /// What it runs, as far as it has said.
    pub(super) fn version(&self) -> &str {
        self.version.as_deref().unwrap_or("unknown")
    }
}

impl Cluster {
    /// Understands what a node says.
    ///
    /// # Errors
    /// What cannot be understood.
    pub(super) fn read(reply: StatusReply) -> Result<Self, String> {
        let members: Result<Vec<_>, _> = reply.members.into_iter().map(Member::read).collect();
        Ok(Self { name: reply.cluster, leader: NodeId(reply.leader), members: members? })
    }

    /// Who leads, if that is known.
    pub(super) fn leader(&self) -> Option<&Member> {
        self.member(self.leader)
    }

    /// The member with this id.
    pub(super) fn member(&self, id: NodeId) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    /// Where its nodes are.
    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.members.iter().map(|member| member.address)
    }

    /// Whether a member is alive, has answered the leader within this time, and has come as
    /// far as the leader; or what is not so. A process that has just started waits for the
    /// others before it answers.
    pub(super) fn is_well(&self, id: NodeId, name: &str, within: Duration) -> Result<(), String> {
        let Some(member) = self.member(id) else {
            return Err(format!("{name} is in the cluster no more"));
        };
        if !member.alive {
            return Err(format!("{name} is not alive"));
        }
        let Some(applied) = member.applied else {
            return Err(format!("{name} does not answer"));
        };
        let Some(committed) = self.leader().and_then(|leader| leader.committed) else {
            return Err("the leader does not answer".into());
        };
        let answers = member.silence.is_some_and(|silence| silence <= within);
        if member.role != Role::Leader && !answers {
            return Err(format!("{name} does not answer the leader yet"));
        }
        match committed.since(applied) {
            behind if behind > LAG_MAX => Err(format!("{name} is {behind} entries behind")),
            _ => Ok(()),
        }
    }

    /// Whether all who vote are well; or what is not so.
    pub(super) fn voters_are_well(&self) -> Result<(), String> {
        let votes = |member: &&Member| matches!(member.role, Role::Leader | Role::Follower);
        self.members
            .iter()
            .filter(votes)
            .try_for_each(|voter| self.is_well(voter.id, &voter.name, SILENCE_MAX))
    }

    /// Who is to be restarted, and a sentence about each who is not. Only those who are
    /// members now: whoever joins later runs what is new already. Of a demo, only those
    /// that are its processes.
    pub(super) fn choose(&self, processes: Option<&[String]>) -> (Todo, Vec<String>) {
        let (mut todo, mut left_alone) = (Todo::new(), Vec::new());
        for Member { id, name, alive, role, .. } in &self.members {
            let why = if *role == Role::Stranger {
                "is no member"
            } else if processes.is_some_and(|processes| !processes.contains(name)) {
                "is no process of this demo"
            } else if *role == Role::Spare && !alive {
                "is a spare that is not alive"
            } else {
                todo.insert(*id, name.clone());
                continue;
            };
            left_alone.push(format!("{name} {why}, and is left alone"));
        }
        (todo, left_alone)
    }

    /// The next to restart: spares, followers, and the leader, whoever that is by now.
    pub(super) fn next(&self, todo: &Todo) -> Option<&Member> {
        let in_role = |role| {
            self.members.iter().find(|member| member.role == role && todo.contains_key(&member.id))
        };
        [Role::Spare, Role::Follower, Role::Leader].into_iter().find_map(in_role)
    }

    /// All of them, in the order in which they would be restarted if nothing changed.
    pub(super) fn order(&self, mut todo: Todo) -> Vec<&Member> {
        let mut order = Vec::new();
        while let Some(member) = self.next(&todo) {
            todo.remove(&member.id);
            order.push(member);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use hangraft_proto::v1::NodeReport;

    use super::*;

    /// Nodes with these roles, in the order of their ids, that all have come equally far.
    fn reply(roles: &[&str]) -> StatusReply {
        let member = |(id, role): (u64, &&str)| v1::Member {
            id,
            name: format!("n{id}"),
            address: format!("10.0.0.{id}:7101"),
            alive: true,
            role: (*role).into(),
            report: Some(NodeReport { committed: 500, applied: 500, ..NodeReport::default() }),
            silent_ms: (**role != *"leader").then_some(20),
        };
        let leader = (1..).zip(roles).find(|(_, role)| **role == "leader").map_or(0, |(id, _)| id);
        let members = (1..).zip(roles).map(member).collect();
        StatusReply { cluster: "games".into(), leader, members, ..StatusReply::default() }
    }

    fn cluster(roles: &[&str]) -> Cluster {
        Cluster::read(reply(roles)).unwrap()
    }

    /// The order in which all are restarted.
    fn order(cluster: &Cluster) -> Vec<&str> {
        let (todo, _) = cluster.choose(None);
        cluster.order(todo).into_iter().map(|member| member.name.as_str()).collect()
    }

    #[test]
    fn spares_go_first_then_followers_and_the_leader_last() {
        let roles = ["leader", "voter", "learner", "voter", "learner"];
        assert_eq!(order(&cluster(&roles)), ["n3", "n5", "n2", "n4", "n1"]);
        assert_eq!(order(&cluster(&["leader"])), ["n1"]);
    }

    #[test]
    fn the_leader_has_handed_over_early_and_its_heir_is_now_the_last() {
        let (mut todo, _) = cluster(&["leader", "voter", "voter"]).choose(None);
        todo.remove(&NodeId(2));
        let now = cluster(&["voter", "voter", "leader"]);
        let names: Vec<_> = now.order(todo).into_iter().map(|member| member.id).collect();
        assert_eq!(names, [NodeId(1), NodeId(3)]);
    }

    #[test]
    fn who_left_meanwhile_is_not_restarted_and_stays_on_the_list() {
        let (mut todo, _) = cluster(&["leader", "voter", "voter"]).choose(None);
        let now = cluster(&["leader", "voter", "none"]);
        while let Some(next) = now.next(&todo) {
            todo.remove(&next.id);
        }
        assert_eq!(todo.into_values().collect::<Vec<_>>(), ["n3"]);
    }

    #[test]
    fn strangers_and_dead_spares_are_left_alone_and_a_dead_voter_is_not() {
        let mut reply = reply(&["leader", "voter", "learner", "none", "learner"]);
        reply.members[1].alive = false;
        reply.members[2].alive = false;
        let cluster = Cluster::read(reply).unwrap();
        let (todo, left_alone) = cluster.choose(None);
        assert_eq!(todo.into_values().collect::<Vec<_>>(), ["n1", "n2", "n5"]);
        assert_eq!(
            left_alone,
            [
                "n3 is a spare that is not alive, and is left alone",
                "n4 is no member, and is left alone"
            ]
        );
    }

    #[test]
    fn a_node_that_joined_a_demo_from_elsewhere_is_left_alone() {
        let of_demo = ["n1".to_owned(), "n2".to_owned()];
        let (todo, left_alone) = cluster(&["leader", "voter", "learner"]).choose(Some(&of_demo));
        assert_eq!(todo.len(), 2);
        assert_eq!(left_alone, ["n3 is no process of this demo, and is left alone"]);
    }

    /// How well a follower is that has been made so.
    fn follower(change: impl FnOnce(&mut v1::Member)) -> Result<(), String> {
        let mut reply = reply(&["leader", "voter", "voter"]);
        change(&mut reply.members[1]);
        Cluster::read(reply).unwrap().voters_are_well()
    }

    fn applied(entries: u64) -> impl FnOnce(&mut v1::Member) {
        move |member| {
            member.report = Some(NodeReport { applied: entries, ..NodeReport::default() });
        }
    }

    #[test]
    fn voters_that_are_alive_and_nearly_as_far_as_the_leader_are_well() {
        assert_eq!(follower(|_| ()), Ok(()));
        assert_eq!(follower(applied(400)), Ok(()));
        assert_eq!(follower(applied(501)), Ok(()), "two reports are not of one instant");
    }

    #[test]
    fn a_voter_that_is_dead_or_silent_or_far_behind_is_not_well() {
        assert_eq!(follower(|member| member.alive = false), Err("n2 is not alive".into()));
        assert_eq!(follower(|member| member.report = None), Err("n2 does not answer".into()));
        assert_eq!(follower(applied(399)), Err("n2 is 101 entries behind".into()));
        let cluster = cluster(&["leader", "voter"]);
        let gone = cluster.is_well(NodeId(7), "n7", SILENCE_MAX);
        assert_eq!(gone, Err("n7 is in the cluster no more".into()));
    }

    #[test]
    fn an_answer_from_before_the_restart_says_nothing_of_the_new_process() {
        let not_yet = Err("n2 does not answer the leader yet".to_owned());
        assert_eq!(follower(|member| member.silent_ms = None), not_yet);
        assert_eq!(follower(|member| member.silent_ms = Some(1_001)), not_yet);
        let cluster = cluster(&["leader", "voter"]);
        assert_eq!(cluster.is_well(NodeId(2), "n2", Duration::from_millis(19)), not_yet);
        assert_eq!(cluster.is_well(NodeId(2), "n2", Duration::from_millis(20)), Ok(()));
        assert_eq!(cluster.is_well(NodeId(1), "n1", Duration::ZERO), Ok(()), "it answers itself");
    }

    #[test]
    fn nobody_is_well_while_the_leader_is_silent_or_unknown() {
        let mut silent = reply(&["voter", "leader"]);
        silent.members[1].report = None;
        let unknown = reply(&["voter", "voter"]);
        for reply in [silent, unknown] {
            let well = Cluster::read(reply).unwrap().voters_are_well();
            assert_eq!(well, Err("the leader does not answer".into()));
        }
    }

    #[test]
    fn a_spare_that_lags_does_not_hold_the_voters_up() {
        let mut reply = reply(&["leader", "voter", "learner"]);
        applied(1)(&mut reply.members[2]);
        let cluster = Cluster::read(reply).unwrap();
        assert_eq!(cluster.voters_are_well(), Ok(()));
        assert!(cluster.is_well(NodeId(3), "n3", SILENCE_MAX).is_err());
    }

    #[test]
    fn a_name_or_an_address_that_a_shell_could_misread_is_refused() {
        for name in ["", "$(reboot)", "n1;reboot", "n 1", "N1", "-oops", "n1\n"] {
            let mut reply = reply(&["leader"]);
            reply.members[0].name = name.into();
            let refused = Cluster::read(reply).expect_err(name);
            assert!(refused.contains("cannot stand in a command"), "{refused}");
        }
        for address in ["", "10.0.0.1", "10.0.0.1:7101;reboot", "host:7101", "[fe80::1%1]:7101"] {
            let mut reply = reply(&["leader"]);
            reply.members[0].address = address.into();
            let refused = Cluster::read(reply).expect_err(address);
            assert!(refused.contains("cannot stand in a command"), "{refused}");
        }
        let refused = Cluster::read(reply(&["king"])).expect_err("no such role");
        assert!(refused.contains("n1 is a \"king\""), "{refused}");
    }
}
