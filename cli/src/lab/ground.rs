//! The cluster that a lab shows: a demo of its own, a demo that runs, or nodes somewhere.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use hangraft_cluster_config::{ClusterKey, RoomNames};
use hangraft_ids::NodeId;
use hangraft_lab::timeline::Named;
use hangraft_node::real::RealEnv;
use hangraft_proto::v1::{FaultsRequest, StatusReply};
use tokio::time::sleep;

use crate::{
    cluster::{Door, status},
    demo::record::{NodeRecord, Record},
    key::KeyFile,
    lab::deeds::Subject,
    play::{
        client::{Node, Scene},
        stage::{Stage, Wanted},
        way::{Access, Entrance},
    },
    reach,
};

/// How often it is looked who belongs to the cluster.
const LOOK: Duration = Duration::from_secs(1);

/// How long a node may take to say whether it allows faults.
const ANSWER: Duration = Duration::from_secs(3);

/// A cluster that is shown.
pub(crate) struct Ground {
    /// The demo, if it is one; if it is our own, it ends with this.
    pub(crate) stage: Option<Stage>,
    pub(crate) doors: Vec<Door>,
    pub(crate) entrances: Vec<Entrance>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) named: Vec<Named>,
    /// How many are first members.
    pub(crate) members: usize,
    /// What lets players in; none without the cluster's key.
    pub(crate) access: Option<Access>,
    /// Where the game is played, as URLs.
    pub(crate) frontends: Vec<String>,
    pub(crate) subject: Subject,
    /// Whether its nodes let themselves be broken.
    pub(crate) breaks: bool,
}

impl Ground {
    /// Starts a demo.
    pub(crate) async fn start(wanted: &Wanted, seed: u64) -> anyhow::Result<Self> {
        Self::of(Stage::start(wanted).await?, seed)
    }

    /// A demo that runs.
    pub(crate) fn at(dir: &Path, seed: u64) -> anyhow::Result<Self> {
        let dir = dir.canonicalize().with_context(|| format!("there is no {}", dir.display()))?;
        Self::of(Stage::at(&dir)?, seed)
    }

    fn of(stage: Stage, seed: u64) -> anyhow::Result<Self> {
        let record = stage.record();
        let nodes = record.nodes.iter();
        let (dir, members) = (stage.dir().to_owned(), stage.members());
        Ok(Self {
            doors: reach::demo(&dir)?,
            entrances: stage.entrances()?,
            nodes: nodes.clone().map(|node| (node.name.clone(), node.address)).collect(),
            named: nodes.map(|node| Named { id: node.id, name: node.name.clone() }).collect(),
            members,
            access: Some(stage.access()?),
            frontends: record.frontends.iter().map(|frontend| frontend.http.clone()).collect(),
            subject: Subject::Demo { dir, members, seed },
            breaks: true,
            stage: Some(stage),
        })
    }

    /// Nodes somewhere, with a key.
    pub(crate) async fn attach(nodes: &[SocketAddr], key: Option<PathBuf>) -> anyhow::Result<Self> {
        let key_file = KeyFile::new(None, key);
        let doors = nodes.iter().map(|node| Ok(Door::new(*node, key_file.pass(*node)?)));
        let doors: Vec<Door> = doors.collect::<anyhow::Result<_>>()?;
        let status = status(&doors).await?;
        let key = nodes.first().and_then(|node| key_file.path(*node));
        let key = key.map(|path| path.canonicalize().unwrap_or(path));
        let access = key.as_deref().map(access).transpose()?;
        let known = members(&status);
        let entrances = known
            .iter()
            .map(|(name, address)| Entrance::Node { name: name.clone(), address: *address });
        let named = status.members.iter().filter(|member| member.role != "none");
        let named = named.map(|member| Named { id: NodeId(member.id), name: member.name.clone() });
        let addresses: Vec<_> = nodes.iter().map(SocketAddr::to_string).collect();
        Ok(Self {
            stage: None,
            breaks: allow_faults(&doors).await,
            entrances: entrances.collect(),
            members: known.len(),
            nodes: known,
            named: named.collect(),
            access,
            frontends: Vec::new(),
            subject: Subject::Nodes { nodes: addresses.join(","), key },
            doors,
        })
    }
}

/// Keeps bots reading where something can be read: at the nodes that a cluster has now, also
/// those that have joined, and not at those that will never come back. Until it is called off.
pub(crate) async fn follow(doors: &[Door], dir: Option<&Path>, scene: &Scene) {
    loop {
        sleep(LOOK).await;
        let nodes = match dir {
            Some(dir) => Record::of(dir).map(|record| there(&record)),
            None => status(doors).await.map(|status| members(&status)),
        };
        // A cluster that says nothing is the one that it was.
        if let Ok(nodes) = nodes
            && !nodes.is_empty()
        {
            scene.reads_at(nodes);
        }
    }
}

/// The nodes of a demo that may come back, if they are not there.
fn there(record: &Record) -> Vec<Node> {
    let lost = |node: &NodeRecord| {
        let empty = fs::read_dir(&node.dir).map_or(true, |mut disk| disk.next().is_none());
        empty || RealEnv::why_spent(&node.dir).is_some()
    };
    let nodes = record.nodes.iter().filter(|node| !lost(node));
    nodes.map(|node| (node.name.clone(), node.address)).collect()
}

/// Where those are who belong to a cluster.
fn members(status: &StatusReply) -> Vec<Node> {
    let members = status.members.iter().filter(|member| member.role != "none");
    members.filter_map(|one| Some((one.name.clone(), one.address.parse().ok()?))).collect()
}

/// What lets players in who have the cluster's key.
fn access(key: &Path) -> anyhow::Result<Access> {
    let key = ClusterKey::load(key)?;
    Ok(Access { token: key.access_token(), names: RoomNames::of(&key) })
}

/// Whether all of these nodes let themselves be broken.
async fn allow_faults(doors: &[Door]) -> bool {
    for door in doors {
        let Ok(mut client) = door.client().await else { return false };
        if door.answer(ANSWER, client.faults(FaultsRequest {})).await.is_err() {
            return false;
        }
    }
    true
}
