//! `hangraft node`: one node in the foreground.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use hangraft_cluster_config::{ClusterKey, NodeConfig};
use hangraft_node::{Node, real::RealEnv};
use tracing::info;

use crate::{metrics, process::StopRequests};

const EXAMPLES: &str = "\
Examples:
  hangraft node --config cluster-config/local/node1.toml
  hangraft node --address 127.0.0.1:7101 --dir /var/lib/hangraft     a cluster of one";

/// Run one node in the foreground, until Ctrl-C.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The node's configuration.
    #[arg(long, value_name = "FILE", required_unless_present = "address")]
    config: Option<PathBuf>,
    /// Where a cluster of one listens.
    #[arg(long, value_name = "ADDR", requires = "dir", conflicts_with = "config")]
    address: Option<SocketAddr>,
    /// Where a cluster of one keeps its data and its key.
    #[arg(long, value_name = "DIR", requires = "address", conflicts_with = "config")]
    dir: Option<PathBuf>,
    /// The name of the only node.
    #[arg(long, default_value = "n1", conflicts_with = "config")]
    name: String,
    /// Stop when standard input ends, as it does when the process that started this one ends.
    #[arg(long, hide = true)]
    stop_with_parent: bool,
}

/// Runs a node until it is asked to stop, or stops by itself.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut stop = StopRequests::listen(args.stop_with_parent)?;
    let config = args.load()?;
    let key = ClusterKey::load(&config.cluster.key_file)?;
    let name = config.name.clone();
    let env = RealEnv::new(&config).with_context(|| format!("cannot prepare {name}"))?;
    let node = Node::start(config, key, env, Some(metrics::install()?))
        .await
        .with_context(|| format!("cannot start {name}"))?;
    info!(node = %name, address = %node.address(), "ready");
    tokio::select! {
        () = stop.next() => {
            info!(node = %name, "stopping");
            node.stop().await;
            Ok(())
        }
        fatal = node.failed() => Err(anyhow!(fatal).context(format!("{name} has stopped"))),
    }
}

impl Args {
    fn load(&self) -> anyhow::Result<NodeConfig> {
        match (&self.config, self.address, &self.dir) {
            (Some(file), _, _) => Ok(NodeConfig::load(file)?),
            (None, Some(address), Some(dir)) => alone(&self.name, address, dir),
            _ => unreachable!("clap asks for a file, or for an address and a folder"),
        }
    }
}

/// A cluster of one. Its key is made with its folder and stays with it, so that
/// frontends can be given a copy.
fn alone(name: &str, address: SocketAddr, dir: &Path) -> anyhow::Result<NodeConfig> {
    let config = NodeConfig::alone(name, address, dir);
    config.check().context("cannot run a cluster of one")?;
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    if !config.cluster.key_file.exists() {
        ClusterKey::create(&config.cluster.key_file)?;
    }
    Ok(config)
}
