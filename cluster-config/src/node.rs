//! The configuration of one node.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use hangraft_ids::NodeId;
use serde::Deserialize;

use crate::{
    error::{ConfigError, ensure},
    file::{self, FromFile},
    log::LogKind,
    name::check_name,
};

/// The numbers of first voters we accept. An even number costs one machine more
/// and survives no failure more than the odd number below it.
const VOTERS: [usize; 4] = [1, 3, 5, 7];

/// The longest election timeout, in milliseconds. A cluster that waits longer
/// before it replaces a dead leader has been mistyped.
const ELECTION_MS_LIMIT: u64 = 60_000;

/// The shortest heartbeat, in milliseconds. Below it, timers fire later than
/// they are set by as much as they are set to.
const HEARTBEAT_MS_FLOOR: u64 = 25;

/// One node: who it is, where it lives, and the cluster it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// A first member's number, from 1. It is never used again for another node. A node
    /// that joins later has none here: the cluster gives it one.
    #[serde(default)]
    pub id: Option<NodeId>,
    /// What people call it: lowercase letters, digits and dashes, such as `n1`. A node
    /// that joins may leave it out and is called by its number.
    #[serde(default)]
    pub name: Option<String>,
    /// Where it listens: TCP for gRPC and HTTP, UDP on the same number for gossip.
    pub address: SocketAddr,
    /// Where others reach it, when that is not `address`: for a node that joins and
    /// listens on all addresses of its machine.
    #[serde(default)]
    pub advertise: Option<SocketAddr>,
    /// Names by which its HTTP pages (`/metrics`, `/healthz`, `/readyz`) may be asked for,
    /// beside `name`, bare addresses and `localhost`; without a port. A page of a stranger
    /// can be called by any other name.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Where log, snapshots and archive are kept. Made when it is not there.
    pub data_dir: PathBuf,
    /// The cluster it belongs to.
    pub cluster: ClusterConfig,
    /// How consensus keeps time and tidies its log.
    #[serde(default)]
    pub raft: RaftConfig,
    /// How fast gossip notices that a member is gone.
    #[serde(default)]
    pub gossip: GossipConfig,
    /// How the leader looks after the members.
    #[serde(default)]
    pub membership: MembershipConfig,
    /// What one node takes on at a time.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// Whether operators may inject faults into this node. Never in production.
    #[serde(default)]
    pub faults: bool,
    /// How the Raft log is kept on the disk. A folder that has the other kind is converted
    /// when the node starts.
    #[serde(default)]
    pub log: LogKind,
    /// Whether the log writer asks for real-time priority. Where the system does
    /// not allow it, the node says so once and runs without.
    #[serde(default = "yes")]
    pub realtime: bool,
    /// The operator says that the node was at another address before and is here now. Never
    /// in a file: it is said once.
    #[serde(skip)]
    pub moved: bool,
}

/// The cluster a node belongs to, the same on all of its first members.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterConfig {
    /// Names the cluster, so that nodes of two clusters never mix: lowercase
    /// letters, digits and dashes. A node that joins may leave it out; if it does not,
    /// it joins no other.
    #[serde(default)]
    pub id: Option<String>,
    /// The file with the key that all nodes and frontends of the cluster share.
    pub key_file: PathBuf,
    /// The first voters: an odd number of them, this node among them. Only read
    /// when the cluster is made; afterwards Raft knows better. Empty for a node that
    /// joins a cluster that is there.
    #[serde(default)]
    pub members: Vec<Member>,
    /// For a node that joins: addresses of nodes of the cluster, one of which must
    /// answer. Only read until it has joined. With neither members nor seeds a node
    /// waits for `hangraft join`.
    #[serde(default)]
    pub seeds: Vec<SocketAddr>,
}

/// A first voter.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its number.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// Where other nodes reach it.
    pub address: SocketAddr,
}

/// How consensus keeps time and tidies its log.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RaftConfig {
    /// How often the leader shows that it is there. A third of
    /// `election_ms_min` at most, or followers campaign against a healthy leader.
    /// Must be well above the time of one disk flush and one round trip.
    pub heartbeat_ms: u64,
    /// A follower that hears nothing campaigns after a random time from this ...
    pub election_ms_min: u64,
    /// ... to this. The wider apart, the fewer split votes.
    pub election_ms_max: u64,
    /// A snapshot is taken whenever this many entries came after the last one.
    pub snapshot_after_entries: u64,
    /// Entries kept behind a snapshot, so that a node that was away for a moment
    /// catches up from the log and not from a whole snapshot.
    pub keep_entries: u64,
}

/// How fast gossip (SWIM) notices that a member is gone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GossipConfig {
    /// One random member is probed this often.
    pub probe_period_ms: u64,
    /// A probe unanswered for this long is repeated through others.
    pub probe_rtt_ms: u64,
    /// A member that nobody reached is suspected for this long before it is called dead.
    pub suspect_ms: u64,
    /// A dead member is forgotten after this long; it may come back at any time.
    pub forget_ms: u64,
    /// The configured members are greeted this often, so that two halves of a
    /// cluster find each other again.
    pub announce_ms: u64,
}

/// How the leader looks after the members. What the whole cluster must agree on, such as
/// the number of voters, is no setting of one machine: `hangraft cluster set` changes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MembershipConfig {
    /// A new member votes only when gossip and Raft have heard it without a break for
    /// this long.
    pub stable_ms: u64,
}

/// What one node takes on at a time. Past a limit it refuses early instead of
/// growing queues.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// The largest command, in bytes; a larger one is refused with `too-large`.
    pub command_bytes_max: u32,
    /// Commands between arrival and answer; more are refused with `busy`.
    pub in_flight_max: u32,
    /// The largest batch handed to consensus, in bytes; more waits for the next.
    pub batch_bytes_max: u32,
    /// Links of frontends and load generators; more are refused with `busy`.
    pub links_max: u32,
}

fn yes() -> bool {
    true
}

impl NodeConfig {
    /// Reads a file and the `HANGRAFT_NODE_` environment variables on top of it.
    /// Relative paths are relative to the file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        file::load(path)
    }

    /// A cluster of one, with a name of its own, with all it needs in `dir` and the key in `dir/cluster.key`.
    pub fn alone(name: &str, address: SocketAddr, dir: &Path) -> Self {
        let me = Member { id: NodeId(1), name: name.into(), address };
        Self {
            id: Some(me.id),
            name: Some(me.name.clone()),
            cluster: ClusterConfig {
                id: None,
                key_file: dir.join("cluster.key"),
                members: vec![me],
                seeds: Vec::new(),
            },
            ..Self::joining(address, dir, Vec::new())
        }
    }

    /// A node that joins the cluster of `seeds`, or waits to be told which, with all it
    /// needs in `dir` and the cluster's key in `dir/cluster.key`.
    pub fn joining(address: SocketAddr, dir: &Path, seeds: Vec<SocketAddr>) -> Self {
        Self {
            id: None,
            name: None,
            address,
            advertise: None,
            hosts: Vec::new(),
            data_dir: dir.join("data"),
            cluster: ClusterConfig {
                id: None,
                key_file: dir.join("cluster.key"),
                members: Vec::new(),
                seeds,
            },
            raft: RaftConfig::default(),
            gossip: GossipConfig::default(),
            membership: MembershipConfig::default(),
            limits: LimitsConfig::default(),
            faults: false,
            log: LogKind::default(),
            realtime: true,
            moved: false,
        }
    }

    /// This node among the first voters; none for a node that joins.
    pub fn first_member(&self) -> Option<&Member> {
        self.cluster.members.iter().find(|member| Some(member.id) == self.id)
    }

    /// Where others reach this node.
    pub fn reached_at(&self) -> SocketAddr {
        let member = self.first_member().map(|member| member.address);
        member.or(self.advertise).unwrap_or(self.address)
    }

    /// Holds everything that must be true before a node may start.
    pub fn check(&self) -> Result<(), ConfigError> {
        ensure(self.id != Some(NodeId::NONE), "id", || {
            "must be 1 or more; 0 means \"no node\"".into()
        })?;
        if let Some(name) = &self.name {
            check_name("name", name)?;
        }
        ensure(self.address.port() != 0, "address", || {
            format!("{} needs a port that others can know, such as 7101", self.address)
        })?;
        self.cluster.check()?;
        if self.cluster.members.is_empty() {
            self.check_joining()?;
        } else {
            self.check_membership()?;
        }
        self.raft.check()?;
        self.gossip.check()?;
        self.limits.check()
    }

    fn check_joining(&self) -> Result<(), ConfigError> {
        ensure(self.id.is_none(), "id", || {
            "is for first members, which `cluster.members` lists; leave it out: the cluster gives a new node its id".into()
        })?;
        let reached = self.reached_at();
        ensure(!reached.ip().is_unspecified() && reached.port() != 0, "advertise", || {
            format!(
                "is needed: nobody can connect to {reached}; write where others reach this node"
            )
        })?;
        let seeds = &self.cluster.seeds;
        ensure(seeds.iter().all(|seed| *seed != reached), "cluster.seeds", || {
            format!("has {reached}, which is this node; name nodes that are in the cluster already")
        })
    }

    /// Whoever listens on all addresses of a machine is reached at one of them,
    /// so only there may the member's address differ from the node's own.
    fn check_membership(&self) -> Result<(), ConfigError> {
        let setting = "cluster.members";
        ensure(self.cluster.seeds.is_empty(), "cluster.seeds", || {
            "are for a node that joins; a first member has `cluster.members`: write one of them"
                .into()
        })?;
        // A cluster of one may name itself.
        let alone = self.cluster.members.len() == 1;
        ensure(self.cluster.id.is_some() || alone, "cluster.id", || {
            "is missing; name the cluster, the same on all its first members".into()
        })?;
        ensure(self.advertise.is_none(), "advertise", || {
            "is for a node that joins; a first member is reached where `cluster.members` says"
                .into()
        })?;
        let Some(id) = self.id else {
            return ensure(false, "id", || {
                "is missing; write which of `cluster.members` this is".into()
            });
        };
        let Some(me) = self.first_member() else {
            return ensure(false, setting, || {
                format!("does not name this node; add one with id = {id}")
            });
        };
        ensure(self.name.as_ref().is_none_or(|name| *name == me.name), setting, || {
            format!(
                "calls node {id} {:?}, but `name` is {:?}; write one of them",
                me.name,
                self.name.as_deref().unwrap_or_default()
            )
        })?;
        let reached = me.address == self.address
            || self.address.ip().is_unspecified() && me.address.port() == self.address.port();
        ensure(reached, setting, || {
            format!("has node {id} at {}, but `address` is {}", me.address, self.address)
        })
    }
}

impl FromFile for NodeConfig {
    const ENV_PREFIX: &'static str = "HANGRAFT_NODE_";

    fn resolve(&mut self, folder: &Path) {
        self.data_dir = folder.join(&self.data_dir);
        self.cluster.key_file = folder.join(&self.cluster.key_file);
    }

    fn check(&self) -> Result<(), ConfigError> {
        NodeConfig::check(self)
    }
}

impl ClusterConfig {
    fn check(&self) -> Result<(), ConfigError> {
        if let Some(id) = &self.id {
            check_name("cluster.id", id)?;
        }
        let setting = "cluster.members";
        let count = self.members.len();
        ensure(count == 0 || VOTERS.contains(&count), setting, || {
            format!("has {count} entries; write 1, 3, 5 or 7 of them")
        })?;
        for member in &self.members {
            member.check()?;
        }
        let ids: BTreeSet<_> = self.members.iter().map(|member| member.id).collect();
        let names: BTreeSet<_> = self.members.iter().map(|member| &member.name).collect();
        let addresses: BTreeSet<_> = self.members.iter().map(|member| member.address).collect();
        for (what, different) in
            [("ids", ids.len()), ("names", names.len()), ("addresses", addresses.len())]
        {
            ensure(different == self.members.len(), setting, || {
                format!("has two entries alike; all {what} must differ")
            })?;
        }
        Ok(())
    }
}

impl Member {
    fn check(&self) -> Result<(), ConfigError> {
        let setting = "cluster.members";
        ensure(self.id != NodeId::NONE, setting, || "has an id 0; ids start at 1".into())?;
        check_name(setting, &self.name)?;
        ensure(self.address.port() != 0 && !self.address.ip().is_unspecified(), setting, || {
            format!("has {} for {}, which nobody can connect to", self.address, self.name)
        })
    }
}

impl RaftConfig {
    fn check(&self) -> Result<(), ConfigError> {
        ensure(self.heartbeat_ms >= HEARTBEAT_MS_FLOOR, "raft.heartbeat_ms", || {
            format!("is {}; write {HEARTBEAT_MS_FLOOR} or more", self.heartbeat_ms)
        })?;
        ensure(self.election_ms_max <= ELECTION_MS_LIMIT, "raft.election_ms_max", || {
            format!("is {}; write {ELECTION_MS_LIMIT} or less", self.election_ms_max)
        })?;
        ensure(self.election_ms_min < self.election_ms_max, "raft.election_ms_min", || {
            format!(
                "is {}; it must be below election_ms_max, {}",
                self.election_ms_min, self.election_ms_max
            )
        })?;
        ensure(self.heartbeat_ms <= self.election_ms_min / 3, "raft.heartbeat_ms", || {
            format!(
                "is {}; at election_ms_min = {} it may be {} at most, or followers campaign against a healthy leader",
                self.heartbeat_ms,
                self.election_ms_min,
                self.election_ms_min / 3
            )
        })?;
        ensure(self.snapshot_after_entries >= 1, "raft.snapshot_after_entries", || {
            "is 0; write how many entries may come between two snapshots".into()
        })?;
        ensure(self.keep_entries <= self.snapshot_after_entries, "raft.keep_entries", || {
            format!(
                "is {}; more than snapshot_after_entries, {}, would only fill the disk",
                self.keep_entries, self.snapshot_after_entries
            )
        })
    }
}

impl GossipConfig {
    fn check(&self) -> Result<(), ConfigError> {
        ensure(self.probe_rtt_ms >= 1, "gossip.probe_rtt_ms", || {
            "is 0; write how long an answer may take".into()
        })?;
        ensure(self.probe_rtt_ms < self.probe_period_ms, "gossip.probe_rtt_ms", || {
            format!(
                "is {}; it must be below probe_period_ms, {}",
                self.probe_rtt_ms, self.probe_period_ms
            )
        })?;
        ensure(self.suspect_ms >= self.probe_period_ms, "gossip.suspect_ms", || {
            format!(
                "is {}; a suspected member must have one probe_period_ms, {}, to object",
                self.suspect_ms, self.probe_period_ms
            )
        })?;
        ensure(self.forget_ms >= self.suspect_ms, "gossip.forget_ms", || {
            format!("is {}; it must not be below suspect_ms, {}", self.forget_ms, self.suspect_ms)
        })?;
        ensure(self.announce_ms >= 1, "gossip.announce_ms", || {
            "is 0; write how often the configured members are greeted".into()
        })
    }
}

impl LimitsConfig {
    fn check(&self) -> Result<(), ConfigError> {
        ensure(self.command_bytes_max >= 1024, "limits.command_bytes_max", || {
            format!("is {}; a move needs 1024 or more", self.command_bytes_max)
        })?;
        ensure(self.in_flight_max >= 1, "limits.in_flight_max", || {
            "is 0; nothing would ever be taken".into()
        })?;
        ensure(self.batch_bytes_max >= self.command_bytes_max, "limits.batch_bytes_max", || {
            format!(
                "is {}; one command of command_bytes_max, {}, must fit",
                self.batch_bytes_max, self.command_bytes_max
            )
        })?;
        ensure(self.links_max >= 1, "limits.links_max", || "is 0; no frontend could connect".into())
    }
}

impl Default for RaftConfig {
    fn default() -> Self {
        Self {
            heartbeat_ms: 100,
            election_ms_min: 300,
            election_ms_max: 450,
            snapshot_after_entries: 100_000,
            keep_entries: 50_000,
        }
    }
}

impl Default for GossipConfig {
    fn default() -> Self {
        Self {
            probe_period_ms: 1_000,
            probe_rtt_ms: 300,
            suspect_ms: 3_000,
            forget_ms: 24 * 60 * 60 * 1_000,
            announce_ms: 5_000,
        }
    }
}

impl Default for MembershipConfig {
    fn default() -> Self {
        Self { stable_ms: 10_000 }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            command_bytes_max: 16 << 10,
            in_flight_max: 65_536,
            batch_bytes_max: 1 << 20,
            links_max: 1_024,
        }
    }
}
