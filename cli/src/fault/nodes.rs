//! The nodes of a cluster, for commands that break them: who belongs to it, who leads,
//! and which node people mean by a word.
//!
//! A leader that is cut off still believes that it leads, and the node that is asked first
//! may believe so too. So every node is asked what it is, and of those that say that they
//! lead, the one with the highest term counts.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, anyhow, ensure};
use futures_util::future::join_all;
use hangraft_ids::NodeId;
use hangraft_proto::v1::{Member, NodeReport, StatusReply};
use tokio::time::{Instant, sleep, timeout};

use crate::{cluster::Door, leaving::votes, usage::Usage};

/// The node that leads.
pub(crate) const LEADER: &str = "leader";

/// A node that votes and does not lead: the first of them.
pub(crate) const FOLLOWER: &str = "follower";

/// Every node.
const ALL: &str = "all";

/// How long a node may take to say whether it leads. A paused one says nothing, and most
/// commands do not need it.
const REPORT: Duration = Duration::from_secs(1);

/// How long an election is waited for. Two that fail take as long.
const ELECTION: Duration = Duration::from_secs(3);

/// How often we look whether it is over.
const LOOK: Duration = Duration::from_millis(50);

/// A member of the cluster by Raft.
#[derive(Clone, Debug)]
pub(super) struct Node {
    id: NodeId,
    pub(super) name: String,
    /// Where the cluster knows it.
    pub(super) address: SocketAddr,
    /// Learners do not.
    pub(super) votes: bool,
}

/// The members of a cluster, in the order of their ids. There is at least one.
#[derive(Clone, Debug)]
pub(crate) struct Nodes {
    nodes: Vec<Node>,
    /// The place of the one that leads, if one does.
    leader: Option<usize>,
}

impl Nodes {
    /// Asks the first node that answers for the members, and then each of them whether it
    /// leads. Also the door of the first: it opens the others.
    pub(crate) async fn ask(doors: &[Door]) -> anyhow::Result<(Door, Self)> {
        let (door, status) = first(doors).await?;
        let mut nodes = Self::read(&status)?;
        let reports = join_all(nodes.nodes.iter().map(|node| report(&door, node.address))).await;
        nodes.leader = leader(nodes.leader, &reports);
        Ok((door, nodes))
    }

    /// The same, for who may need the leader: while nobody leads, an election is waited for.
    pub(crate) async fn ask_led(doors: &[Door]) -> anyhow::Result<(Door, Self)> {
        let deadline = Instant::now() + ELECTION;
        loop {
            let (door, nodes) = Self::ask(doors).await?;
            if nodes.leader.is_some() || Instant::now() > deadline {
                return Ok((door, nodes));
            }
            sleep(LOOK).await;
        }
    }

    /// Understands who belongs to a cluster. Who is only gossiped about does not.
    pub(super) fn read(status: &StatusReply) -> anyhow::Result<Self> {
        let belongs = |member: &&Member| votes(member) || member.role == "learner";
        let members = status.members.iter().filter(belongs).map(Node::read);
        let nodes = members.collect::<anyhow::Result<Vec<_>>>()?;
        ensure!(!nodes.is_empty(), "the node that was asked belongs to no cluster; ask another");
        let leader = nodes.iter().position(|node| node.id == NodeId(status.leader));
        Ok(Self { nodes, leader })
    }

    pub(super) fn count(&self) -> usize {
        self.nodes.len()
    }

    /// The places of those that vote.
    pub(super) fn voters(&self) -> Vec<usize> {
        (0..self.count()).filter(|place| self.nodes[*place].votes).collect()
    }

    /// The node at a place that came from here.
    pub(super) fn at(&self, place: usize) -> &Node {
        &self.nodes[place]
    }

    /// The place of the node that leads.
    pub(super) fn leader(&self) -> anyhow::Result<usize> {
        self.leader.ok_or_else(|| {
            anyhow!("nobody leads at the moment; wait until somebody does, or name a node")
        })
    }

    /// The place of the node that is meant by a name, a number, `leader` or `follower`.
    pub(super) fn find(&self, word: &str) -> anyhow::Result<usize> {
        let meant = self.meant(word)?;
        meant.first().copied().with_context(|| format!("there is no {word}"))
    }

    /// The places of the nodes that are meant by several words, each once. `all` is every
    /// node.
    pub(super) fn find_all(&self, words: &[String]) -> anyhow::Result<Vec<usize>> {
        let mut places = Vec::new();
        for word in words {
            match word.as_str() {
                ALL => places.extend(0..self.count()),
                word => places.push(self.find(word)?),
            }
        }
        let mut seen = vec![false; self.count()];
        places.retain(|place| !std::mem::replace(&mut seen[*place], true));
        Ok(places)
    }

    /// The names of the nodes that a word may mean, the first choice first.
    pub(crate) fn names(&self, word: &str) -> anyhow::Result<Vec<&str>> {
        let name = |place: usize| self.nodes[place].name.as_str();
        Ok(self.meant(word)?.into_iter().map(name).collect())
    }

    /// Where the node is that a word means first.
    pub(crate) fn address(&self, word: &str) -> anyhow::Result<SocketAddr> {
        Ok(self.at(self.find(word)?).address)
    }

    fn meant(&self, word: &str) -> anyhow::Result<Vec<usize>> {
        match word {
            LEADER => Ok(vec![self.leader()?]),
            FOLLOWER => {
                let leader = self.leader()?;
                Ok(self.voters().into_iter().filter(|place| *place != leader).collect())
            }
            name => Ok(vec![self.named(name)?]),
        }
    }

    fn named(&self, word: &str) -> Result<usize, Usage> {
        let number = word.strip_prefix('n').unwrap_or(word).parse().ok().map(NodeId);
        let named = self.nodes.iter().position(|node| node.name == word);
        let numbered = || self.nodes.iter().position(|node| Some(node.id) == number);
        named.or_else(numbered).ok_or_else(|| {
            let names: Vec<&str> = self.nodes.iter().map(|node| node.name.as_str()).collect();
            Usage(format!(
                "there is no {word}; name one of {}, {LEADER}, {FOLLOWER}",
                names.join(", ")
            ))
        })
    }
}

impl Node {
    fn read(member: &Member) -> anyhow::Result<Self> {
        let Member { name, address, .. } = member;
        let address = address
            .parse()
            .with_context(|| format!("{name} has the address {address:?}, which is none"))?;
        Ok(Self { id: NodeId(member.id), name: name.clone(), address, votes: votes(member) })
    }
}

/// The first door that answers, and what is said there.
///
/// # Errors
/// Why the last of them does not.
async fn first(doors: &[Door]) -> anyhow::Result<(Door, StatusReply)> {
    let mut last = anyhow!("no node was named");
    for door in doors {
        match door.status().await {
            Ok(status) => return Ok((door.clone(), status)),
            Err(err) => last = err,
        }
    }
    Err(last)
}

/// What a node says of itself; nothing when it does not answer.
async fn report(door: &Door, node: SocketAddr) -> Option<NodeReport> {
    timeout(REPORT, door.beside(node).report()).await.ok()?.ok()
}

/// Who leads: of those that say so, the one with the highest term. If nobody says so, it
/// may be the one that others name and that does not answer.
fn leader(named: Option<usize>, reports: &[Option<NodeReport>]) -> Option<usize> {
    let says_so = |(place, report): (usize, &Option<NodeReport>)| {
        let report = report.as_ref().filter(|report| report.state == "leader")?;
        Some((report.term, place))
    };
    let highest = reports.iter().enumerate().filter_map(says_so).max();
    match highest {
        Some((_, place)) => Some(place),
        None => named.filter(|place| reports[*place].is_none()),
    }
}

/// A cluster for tests: nodes with these names, all voters, and who of them leads.
#[cfg(test)]
pub(super) fn cluster(count: u64, leader: u64) -> Nodes {
    let member = |id: u64| Member {
        id,
        name: format!("n{id}"),
        address: format!("127.0.0.1:710{id}"),
        role: if id == leader { "leader" } else { "voter" }.into(),
        ..Member::default()
    };
    let members = (1..=count).map(member).collect();
    Nodes::read(&StatusReply { leader, members, ..StatusReply::default() }).expect("a cluster")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: u64, name: &str, role: &str) -> Member {
        let (name, role) = (name.into(), role.into());
        Member { id, name, address: format!("10.0.0.{id}:7101"), role, ..Member::default() }
    }

    /// n1 is a spare, tokyo leads, n9 is only gossiped about.
    fn mixed() -> Nodes {
        let members = vec![
            member(1, "n1", "learner"),
            member(2, "tokyo", "leader"),
            member(4, "n4", "voter"),
            member(9, "n9", "none"),
        ];
        Nodes::read(&StatusReply { leader: 2, members, ..StatusReply::default() }).unwrap()
    }

    #[test]
    fn a_node_goes_by_its_name_its_number_or_what_it_is() {
        let nodes = mixed();
        assert_eq!(nodes.count(), 3, "who is only gossiped about does not belong");
        for (word, place) in [
            ("n1", 0),
            ("tokyo", 1),
            ("n2", 1),
            ("2", 1),
            ("n4", 2),
            ("leader", 1),
            // A spare does not vote, so it is no follower.
            ("follower", 2),
        ] {
            assert_eq!(nodes.find(word).unwrap(), place, "{word}");
        }
        for word in ["n9", "osaka", "", "n", "all", "frontends"] {
            let refused = nodes.find(word).expect_err(word);
            assert!(refused.is::<Usage>(), "{word} is asked wrongly");
            assert!(refused.to_string().ends_with("name one of n1, tokyo, n4, leader, follower"));
        }
    }

    #[test]
    fn several_nodes_are_each_meant_once() {
        let nodes = mixed();
        for (words, places) in [
            ("n4 tokyo", &[2, 1][..]),
            ("leader n2 follower", &[1, 2]),
            ("all", &[0, 1, 2]),
            ("n4 all", &[2, 0, 1]),
        ] {
            let list: Vec<String> = words.split(' ').map(str::to_owned).collect();
            assert_eq!(nodes.find_all(&list).unwrap(), places, "{words}");
        }
        assert!(nodes.find_all(&["n1".into(), "n7".into()]).is_err());
    }

    /// That may be different in a moment: it is no wrong use.
    #[test]
    fn without_a_leader_nobody_is_meant_by_it() {
        let nodes = cluster(3, 0);
        for word in ["leader", "follower"] {
            let err = nodes.find(word).expect_err(word);
            assert!(err.to_string().starts_with("nobody leads at the moment; wait"), "{err}");
            assert!(!err.is::<Usage>());
        }
        let alone = cluster(1, 1);
        assert_eq!(alone.find("follower").unwrap_err().to_string(), "there is no follower");
        assert_eq!(cluster(5, 2).names("follower").unwrap(), ["n1", "n3", "n4", "n5"]);
    }

    /// A leader that is cut off believes that it leads for as long as it hears nothing.
    #[test]
    fn the_leader_of_the_highest_term_leads() {
        let report = |(state, term): &(&str, u64)| NodeReport {
            state: (*state).into(),
            term: *term,
            ..NodeReport::default()
        };
        for (named, states, leads) in [
            (Some(0), [("leader", 3), ("follower", 3), ("follower", 3)], Some(0)),
            (Some(0), [("leader", 3), ("leader", 4), ("follower", 4)], Some(1)),
            (Some(2), [("follower", 4), ("leader", 4), ("leader", 3)], Some(1)),
            // It has just given up, and says so.
            (Some(0), [("follower", 4), ("candidate", 4), ("follower", 3)], None),
            // It is dead or paused, and nobody has noticed.
            (Some(0), [("", 0), ("follower", 3), ("follower", 3)], Some(0)),
            (None, [("", 0), ("candidate", 3), ("", 0)], None),
        ] {
            let reports = states.each_ref();
            let reports = reports.map(|said| Some(report(said)).filter(|one| one.term > 0));
            assert_eq!(leader(named, &reports), leads, "{states:?}");
        }
    }

    #[test]
    fn what_belongs_to_no_cluster_is_refused() {
        let empty = StatusReply { members: vec![member(1, "n1", "none")], ..Default::default() };
        assert!(Nodes::read(&empty).unwrap_err().to_string().contains("ask another"));
        let nowhere = Member { address: "nowhere".into(), ..member(1, "n1", "voter") };
        let reply = StatusReply { members: vec![nowhere], ..Default::default() };
        let err = Nodes::read(&reply).unwrap_err().to_string();
        assert!(err.contains("n1 has the address \"nowhere\""), "{err}");
    }
}
