//! The cluster's key: where a command finds it, and what it shows of it.
//!
//! Every call of an operator needs it, also on a node's own machine. Nobody should have to
//! say where it is when it can be found: in the folder of a demo or a node, beside the
//! configuration of a node that runs here, or where a machine of a cluster has it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use hangraft_cluster_config::{ClusterKey, NodeConfig};
use hangraft_proto::pass::Pass;
use tracing::warn;

use crate::local;

/// Where a machine of a cluster has its configuration, as `scripts/deploy` sets it up.
const CONFIG: &str = "/etc/hangraft/node.toml";

/// Where it has its key, if no configuration says otherwise.
const KEY: &str = "/etc/hangraft/cluster.key";

/// Loads the key of a node or a frontend that is about to start.
pub(crate) fn load(path: &Path) -> anyhow::Result<ClusterKey> {
    let key = ClusterKey::load(path)?;
    if ClusterKey::is_open_to_all(path) {
        warn!(path = %path.display(), "everybody on this machine may read the cluster's key; chmod 600 it");
    }
    Ok(key)
}

/// What an operator shows who has this key.
pub(crate) fn pass(path: &Path) -> anyhow::Result<Pass> {
    Ok(Pass::new(&ClusterKey::load(path)?.operator_token()))
}

/// Where the key is.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct KeyFile {
    /// The folder of a demo, or of a node, with the cluster's key in it.
    #[arg(long, value_name = "DIR", env = "HANGRAFT_DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// The cluster's key [default: DIR's, that of a node of yours on this machine, or /etc/hangraft's].
    #[arg(long, value_name = "FILE", env = "HANGRAFT_KEY_FILE")]
    key_file: Option<PathBuf>,
}

impl KeyFile {
    /// Where it is, when that was said otherwise than by these options.
    pub(crate) fn new(dir: Option<PathBuf>, key_file: Option<PathBuf>) -> Self {
        Self { dir, key_file }
    }

    /// What to show to a node. Nothing, when no key is to be found: the node then says
    /// that it needs one, if it is there at all.
    pub(crate) fn pass(&self, node: SocketAddr) -> anyhow::Result<Pass> {
        match self.path(node) {
            Some(path) => pass(&path),
            None => Ok(Pass::none()),
        }
    }

    /// Where the key of a node's cluster is, if it is to be found.
    pub(crate) fn path(&self, node: SocketAddr) -> Option<PathBuf> {
        let said = self.key_file.clone().filter(|path| !path.as_os_str().is_empty());
        let said = said.or_else(|| self.dir.as_deref().map(ClusterKey::in_folder));
        said.or_else(|| local::key_file(node)).or_else(well_known)
    }
}

/// The key of this machine.
fn well_known() -> Option<PathBuf> {
    let configured = || Some(NodeConfig::load(Path::new(CONFIG)).ok()?.cluster.key_file);
    let key = configured().unwrap_or_else(|| KEY.into());
    // One that is there and cannot be read is worth an error.
    key.exists().then_some(key)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// What is said is used, the file before the folder; and what is said and is not
    /// there is an error, not a reason to look elsewhere.
    #[test]
    fn the_key_that_is_named_is_used() {
        let dir = TempDir::new().unwrap();
        let node = "127.0.0.1:1".parse().unwrap();
        let of = |dir: Option<&Path>, key_file: Option<&Path>| {
            let [dir, key_file] = [dir, key_file].map(|path| path.map(Path::to_owned));
            KeyFile { dir, key_file }.pass(node)
        };
        let err = of(Some(dir.path()), None).unwrap_err().to_string();
        assert!(err.contains("there is no cluster key at"), "{err}");
        ClusterKey::create(&ClusterKey::in_folder(dir.path())).unwrap();
        assert!(of(Some(dir.path()), None).unwrap().is_some());
        assert!(of(Some(dir.path()), Some(Path::new(""))).unwrap().is_some(), "an empty variable");
        let elsewhere = dir.path().join("elsewhere");
        assert!(of(Some(dir.path()), Some(&elsewhere)).is_err());
    }
}
