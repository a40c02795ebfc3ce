//! The key that a command shows when it asks a node on another machine for something
//! that not everybody may.

use std::path::PathBuf;

use hangraft_cluster_config::ClusterKey;
use hangraft_proto::ACCESS_HEADER;
use tonic::{Request, metadata::MetadataValue};

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
        let mut request = Request::new(message);
        if let Some(path) = &self.key_file {
            let token = ClusterKey::load(path)?.access_token();
            let token: MetadataValue<_> = token.parse().expect("an access token is plain ASCII");
            request.metadata_mut().insert(ACCESS_HEADER, token);
        }
        Ok(request)
    }
}
