//! Whom a command asks about a cluster, and by what it is let in.

use std::{net::SocketAddr, path::Path};

use anyhow::anyhow;
use hangraft_cluster_config::ClusterKey;

use crate::{
    address,
    cluster::{Door, OperatorClient},
    demo::record::Record,
    key::{self, KeyFile},
};

/// Where a node is when nobody says.
const NODE: ([u8; 4], u16) = ([127, 0, 0, 1], 7101);

/// Any node of a cluster.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Reach {
    /// The node to ask; any will do. Of several, the first that answers
    /// [default: those of the demo in DIR, or 127.0.0.1:7101].
    #[arg(long = "node", value_name = "ADDR", id = "nodes", env = "HANGRAFT_NODE", value_delimiter = ',', value_parser = address::node)]
    nodes: Vec<SocketAddr>,
    #[command(flatten)]
    key: KeyFile,
}

impl Reach {
    /// The nodes to ask, in this order, and what to show them.
    pub(crate) fn doors(&self) -> anyhow::Result<Vec<Door>> {
        let nodes = match (&self.nodes[..], &self.key.dir) {
            ([], Some(dir)) => nodes_of_demo(dir)?,
            ([], None) => vec![NODE.into()],
            (nodes, _) => nodes.to_vec(),
        };
        nodes.into_iter().map(|node| Ok(Door::new(node, self.key.pass(node)?))).collect()
    }

    /// The folder of a demo, or of a node, if one was named.
    pub(crate) fn dir(&self) -> Option<&Path> {
        self.key.dir.as_deref()
    }

    /// The first that can be reached.
    ///
    /// # Errors
    /// Why the last of them cannot.
    pub(crate) async fn first(&self) -> anyhow::Result<(Door, OperatorClient)> {
        let mut last = anyhow!("no node was named");
        for door in self.doors()? {
            match door.client().await {
                Ok(client) => return Ok((door, client)),
                Err(err) => last = err,
            }
        }
        Err(last)
    }
}

/// The nodes of the demo that has run in a folder; the usual one in the folder of a node.
fn nodes_of_demo(dir: &Path) -> anyhow::Result<Vec<SocketAddr>> {
    let record = Record::load(dir)?;
    Ok(match record {
        Some(record) => record.nodes.iter().map(|node| node.address).collect(),
        None => vec![NODE.into()],
    })
}

/// The doors of all nodes of the demo in a folder.
///
/// # Errors
/// When no demo has ever run there.
pub(crate) fn demo(dir: &Path) -> anyhow::Result<Vec<Door>> {
    let record = Record::of(dir)?;
    let pass = key::pass(&ClusterKey::in_folder(dir))?;
    Ok(record.nodes.iter().map(|node| Door::new(node.address, pass.clone())).collect())
}
