//! A cluster as an operator sees it: by asking a node, any node that answers.

use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use crate::demo::run;

/// How long a cluster may take to become what it should be: two cores, many nodes.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often we look; asking starts a process.
const LOOK: Duration = Duration::from_millis(50);

/// Addresses of nodes; whoever of them answers speaks for the cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    nodes: Vec<String>,
}

/// What `hangraft status --output json` prints.
#[derive(Clone, Debug, Deserialize)]
pub struct Status {
    /// The cluster's name.
    pub cluster: String,
    /// Who leads, as far as the asked node knows.
    pub leader: Option<u64>,
    /// The term.
    pub term: u64,
    /// Everybody.
    pub members: Vec<Member>,
    /// How many voters are wanted.
    pub voters_wanted: u32,
    /// What the leader intends with the members, and why it does not act.
    pub intents: Vec<String>,
    /// What every member can do.
    pub features: Vec<String>,
}

/// One member of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Member {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Where it is reached.
    pub address: String,
    /// Whether gossip hears it.
    pub alive: bool,
    /// leader, voter, learner, or none.
    pub role: String,
    /// The last entry it applied; nothing when it does not answer.
    pub applied: Option<u64>,
    /// The hash of its state after that entry.
    pub hash: Option<String>,
    /// What is wrong with its surroundings.
    pub faults: Vec<String>,
}

impl Cluster {
    /// A cluster that has, or had, nodes at these addresses.
    pub fn of(nodes: impl IntoIterator<Item = String>) -> Self {
        Self { nodes: nodes.into_iter().collect() }
    }

    /// Learns of one more node.
    pub fn meet(&mut self, node: &str) {
        self.nodes.push(node.to_owned());
    }

    /// Asks a node no more that is gone.
    pub fn forget(&mut self, node: &str) {
        self.nodes.retain(|known| known != node);
    }

    /// Where nodes are, or were.
    pub fn nodes(&self) -> &[String] {
        &self.nodes
    }

    /// The cluster as one of its nodes sees it, the first that answers.
    pub async fn status(&self) -> anyhow::Result<Status> {
        for node in &self.nodes {
            let output = run(&["status", "--node", node, "--output", "json"]).await;
            if output.status.success() {
                return serde_json::from_slice(&output.stdout).context("the form of a status");
            }
        }
        bail!("no node answers");
    }

    /// Waits until the cluster is as it should be, and returns how it is then.
    ///
    /// # Panics
    /// When it is not in a minute; with how it was last.
    pub async fn until(&self, what: &str, mut good: impl FnMut(&Status) -> bool) -> Status {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let status = self.status().await;
            if let Some(status) = status.as_ref().ok().filter(|status| good(status)) {
                return status.clone();
            }
            assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}, but {status:#?}");
            sleep(LOOK).await;
        }
    }

    /// Waits until so many vote, and a leader among them.
    pub async fn until_voters(&self, count: usize) -> Status {
        let what = format!("{count} voters");
        let good = |status: &Status| status.voters().len() == count && status.leader().is_some();
        self.until(&what, good).await
    }

    /// Waits until the node at this address is a member that has caught up; what it is.
    pub async fn until_joined(&self, address: &str) -> Member {
        let joined = |status: &Status| {
            let there = |m: &&Member| m.address == address && m.role != "none" && m.alive;
            let member = status.members.iter().find(there)?;
            // It holds what the leader held when it was asked.
            let applied = status.leader()?.applied?;
            (member.applied? >= applied).then(|| member.clone())
        };
        let what = format!("the node at {address} is a member");
        joined(&self.until(&what, |status| joined(status).is_some()).await).expect("just seen")
    }

    /// Waits until a node has noticed something, as `hangraft events` tells it.
    ///
    /// What a node tells first it may learn last: a member is seen at its new address by
    /// gossip, before anybody leads who could write that down.
    ///
    /// # Panics
    /// When it does not in a minute; with what it noticed instead.
    pub async fn until_event(&self, node: &str, part: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let events = run(&["events", "--no-follow", "--node", node]).await;
            let events = String::from_utf8_lossy(&events.stdout);
            if events.contains(part) {
                return;
            }
            assert!(Instant::now() < deadline, "{node} never noticed {part:?}, but {events}");
            sleep(LOOK).await;
        }
    }

    /// The node that leads, as soon as there is one and it answers.
    pub async fn leader(&self) -> Member {
        let leads =
            |status: &Status| status.leader().is_some_and(|leader| leader.applied.is_some());
        self.until("a node leads", leads).await.leader().expect("just seen").clone()
    }

    /// Waits until every replica answers, and all have applied the same entries;
    /// returns their hashes, which should be one.
    pub async fn hashes_at_rest(&self) -> Vec<String> {
        let even = |status: &Status| {
            let mut applied = status.members.iter().map(|member| member.applied);
            let first = applied.next().flatten();
            first.is_some() && applied.all(|index| index == first)
        };
        let status = self.until("all replicas have applied the same entries", even).await;
        status.members.into_iter().filter_map(|member| member.hash).collect()
    }

    /// Waits until so many members answer and have applied the same entries, and makes
    /// sure that this led all of them to the same state.
    ///
    /// # Panics
    /// When replicas have drifted apart.
    pub async fn agree(&self, count: usize) {
        let there = |status: &Status| status.members.len() == count;
        self.until(&format!("{count} members"), there).await;
        let hashes = self.hashes_at_rest().await;
        assert_eq!(hashes.len(), count, "so many replicas say how they are");
        assert!(hashes.iter().all(|hash| *hash == hashes[0]), "they drifted apart: {hashes:?}");
    }
}

impl Status {
    /// Who leads.
    pub fn leader(&self) -> Option<&Member> {
        self.members.iter().find(|member| Some(member.id) == self.leader)
    }

    /// A member by its name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// The names of all members.
    pub fn names(&self) -> Vec<&str> {
        self.members.iter().map(|member| member.name.as_str()).collect()
    }

    /// The names of those who vote.
    pub fn voters(&self) -> Vec<&str> {
        let votes = self.members.iter().filter(|member| member.votes());
        votes.map(|member| member.name.as_str()).collect()
    }
}

impl Member {
    /// Whether it votes.
    pub fn votes(&self) -> bool {
        self.role == "leader" || self.role == "voter"
    }
}
