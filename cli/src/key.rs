//! The key that a command shows when it asks a node on another machine for something
//! that not everybody may.

use std::path::{Path, PathBuf};

use hangraft_cluster_config::ClusterKey;
use hangraft_proto::ACCESS_HEADER;
use tonic::{Request, metadata::MetadataValue};
use tracing::warn;

/// Loads the key of a node or a frontend that is about to start.
pub(crate) fn load(path: &Path) -> anyhow::Result<ClusterKey> {
    let key = ClusterKey::load(path)?;
    if ClusterKey::is_open_to_all(path) {
        warn!(path = %path.display(), "everybody on this machine may read the cluster's key; chmod 600 it");
    }
    Ok(key)
}

/// Where the key is.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct KeyFile {
    /// The cluster's key. Not needed on the node's own machine.
    #[arg(long, value_name = "FILE", env = "HANGRAFT_KEY_FILE")]
    pub(crate) key_file: Option<PathBuf>,
}

impl KeyFile {
    /// A request that shows the key's access token, if there is a key.
    pub(crate) fn request<T>(&self, message: T) -> anyhow::Result<Request<T>> {
        match self.key_file.as_deref().filter(|path| !path.as_os_str().is_empty()) {
            Some(path) => with_key(path, message),
            None => Ok(Request::new(message)),
        }
    }
}

/// A request that shows a key's access token.
pub(crate) fn with_key<T>(path: &Path, message: T) -> anyhow::Result<Request<T>> {
    let mut request = Request::new(message);
    let token = ClusterKey::load(path)?.access_token();
    let token: MetadataValue<_> = token.parse().expect("an access token is plain ASCII");
    request.metadata_mut().insert(ACCESS_HEADER, token);
    Ok(request)
}
