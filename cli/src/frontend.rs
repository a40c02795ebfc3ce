//! `hangraft frontend`: one frontend in the foreground.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::{Context, bail};
use hangraft_cluster_config::FrontendConfig;
use hangraft_frontend_server::Frontend;
use hangraft_proto::net::{Network, Tcp};
use tracing::info;

use crate::{
    key, metrics,
    process::{Stop, StopRequests},
};

const EXAMPLES: &str = "\
Examples:
  hangraft frontend --config cluster-config/local/frontend.toml
  hangraft frontend --address 127.0.0.1:8080 --node 127.0.0.1:7101 --key-file cluster.key";

/// Run one frontend in the foreground, until Ctrl-C.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The frontend's configuration.
    #[arg(long, value_name = "FILE", required_unless_present = "address")]
    config: Option<PathBuf>,
    /// Where to listen for browsers.
    #[arg(long, value_name = "ADDR", requires_all = ["nodes", "key_file"], conflicts_with = "config")]
    address: Option<SocketAddr>,
    /// A node to ask; give several. One that answers names the others.
    #[arg(long = "node", value_name = "ADDR", id = "nodes", conflicts_with = "config")]
    nodes: Vec<SocketAddr>,
    /// The file with the cluster's key.
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    key_file: Option<PathBuf>,
    /// Stop when standard input ends, as it does when the process that started this one ends.
    #[arg(long, hide = true)]
    stop_with_parent: bool,
}

/// Runs a frontend until it is asked to stop.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut stop = StopRequests::listen(args.stop_with_parent)?;
    let config = args.load()?;
    let key = key::load(&config.key_file)?;
    let address = config.address;
    let listener = Tcp.listen(address).await.with_context(|| {
        format!("cannot listen on {address}; choose another address or stop what uses it")
    })?;
    let mut frontend =
        Frontend::start(config, &key, listener, Arc::new(Tcp), Some(metrics::install()?))
            .context("cannot start the frontend")?;
    let asked = tokio::select! {
        how = stop.next() => Some(how),
        () = frontend.stopped() => None,
    };
    info!("stopping");
    match asked {
        Some(Stop::InOrder) => frontend.stop().await,
        Some(Stop::AtOnce) => frontend.stop_now().await,
        None => bail!("the frontend has stopped by itself; its log says why"),
    }
    Ok(())
}

impl Args {
    fn load(self) -> anyhow::Result<FrontendConfig> {
        match (self.config, self.address, self.key_file) {
            (Some(file), _, _) => Ok(FrontendConfig::load(&file)?),
            (None, Some(address), Some(key_file)) => {
                let config = FrontendConfig::new(address, self.nodes, key_file);
                config.check().context("cannot run this frontend")?;
                Ok(config)
            }
            _ => unreachable!("clap asks for a file, or for an address, nodes and a key"),
        }
    }
}
