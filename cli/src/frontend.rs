//! `hangraft frontend`: one frontend in the foreground.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::{Context, bail};
use hangraft_cluster_config::{FrontendConfig, FrontendLimits};
use hangraft_frontend_server::Frontend;
use hangraft_proto::net::{Network, Tcp};
use tracing::{info, warn};

use crate::{
    key, metrics,
    process::{self, Stop, StopRequests},
    usage::Usage,
};

/// Open files that no browser gets: links with nodes, logs, the listener, and what the
/// runtime needs. Were they not kept, a frontend full of browsers could not dial a node
/// that comes back.
const FILES_KEPT: u64 = 128;

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
    /// A name by which browsers call it, such as games.example; give several. It always
    /// answers to addresses and to names that are in no public DNS.
    #[arg(long = "name", value_name = "NAME", id = "names", conflicts_with = "config")]
    names: Vec<String>,
    /// Stop when standard input ends, as it does when the process that started this one ends.
    #[arg(long, hide = true)]
    stop_with_parent: bool,
}

/// Runs a frontend until it is asked to stop.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut stop = StopRequests::listen(args.stop_with_parent)?;
    let mut config = args.load()?;
    fit_into(process::open_files_max()?, &mut config.limits)?;
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

/// Lowers the number of connections to what `files` open files leave room for.
fn fit_into(files: u64, limits: &mut FrontendLimits) -> Result<(), Usage> {
    let fits = u32::try_from(files.saturating_sub(FILES_KEPT)).unwrap_or(u32::MAX);
    if fits == 0 {
        return Err(Usage(format!(
            "only {files} files may be open, and a frontend needs {FILES_KEPT} for itself; raise the limit (ulimit -n, LimitNOFILE)"
        )));
    }
    limits.connections_max = match limits.connections_max {
        0 => fits,
        most => most.min(fits),
    };
    let FrontendLimits { sockets_max: sockets, connections_max: connections, .. } = *limits;
    if sockets > connections {
        warn!(
            files,
            connections, sockets, "open files are too few for all sockets; raise the limit"
        );
    } else {
        info!(files, connections, sockets, "room for browsers");
    }
    Ok(())
}

impl Args {
    fn load(self) -> anyhow::Result<FrontendConfig> {
        match (self.config, self.address, self.key_file) {
            (Some(file), _, _) => Ok(FrontendConfig::load(&file)?),
            (None, Some(address), Some(key_file)) => {
                let mut config = FrontendConfig::new(address, self.nodes, key_file);
                config.names = self.names;
                config.check().context("cannot run this frontend")?;
                Ok(config)
            }
            _ => unreachable!("clap asks for a file, or for an address, nodes and a key"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Browsers get what the system allows, less what the frontend needs for itself, and
    /// never more than is configured.
    #[test]
    fn some_files_are_kept() {
        for (files, configured, fits) in [
            (1_024, 0, Some(896)),
            (1_024, 500, Some(500)),
            (1_024, 5_000, Some(896)),
            (u64::MAX, 0, Some(u32::MAX)),
            (129, 0, Some(1)),
            (128, 0, None),
            (0, 7, None),
        ] {
            let mut limits = FrontendLimits { connections_max: configured, ..Default::default() };
            let fitted = fit_into(files, &mut limits).ok().map(|()| limits.connections_max);
            assert_eq!(fitted, fits, "{files} files");
        }
    }
}
