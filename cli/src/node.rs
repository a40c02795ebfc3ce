//! `hangraft node`: one node in the foreground; and `node recover`, the last resort.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use clap::Subcommand;
use hangraft_cluster_config::{NodeConfig, private};
use hangraft_node::{
    Fatal, Node, StartError,
    backup::{self, Contents},
    real::RealEnv,
};
use serde::Serialize;
use tracing::info;

use crate::{
    address, key, metrics,
    output::Output,
    process::{Stop, StopRequests},
    snapshot::place_key,
    usage::{Usage, ensure},
};

const EXAMPLES: &str = "\
Examples:
  hangraft node --config cluster-config/local/node1.toml
  hangraft node --address 127.0.0.1:7101 --dir /var/lib/hangraft     a cluster of one
  hangraft node --address 10.0.0.4:7101 --dir /var/lib/hangraft --seed 10.0.0.1:7101 --key-file cluster.key
                                                                     joins the seed's cluster
  hangraft node --dir /var/lib/hangraft --new-address 10.1.0.4:7101  the machine has another address now
  hangraft node --dir /var/lib/hangraft --new-address 10.1.0.4:7101 --seed 10.1.0.5:7101
                                                                     all machines have: name some at their new ones
It exits with 2 when its id is spent, and when its data folder is a copy and the original runs, as after any wrong use: starting it again changes nothing.";

/// Run one node in the foreground, until Ctrl-C.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The node's configuration.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["address", "new_address"])]
    config: Option<PathBuf>,
    /// Where it listens and is reached, without a configuration.
    #[arg(long, value_name = "ADDR", requires = "dir", conflicts_with = "config")]
    address: Option<SocketAddr>,
    /// The node was at another address before and is at this one now: its machine got another,
    /// or its data folder was moved as a whole. No other process may run with this data. The
    /// others are told; it takes part when they have found it. With --config, the file must
    /// have this address as well. Say it until `hangraft status` shows it.
    #[arg(long, value_name = "ADDR", conflicts_with_all = ["address", "wait"])]
    new_address: Option<SocketAddr>,
    /// Where it keeps its data and its key.
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    dir: Option<PathBuf>,
    /// A node of the cluster to join; give several if some may be down. Without it, a
    /// cluster of one. With --new-address: where another member is now, for when the
    /// addresses of all have changed.
    #[arg(long = "seed", value_name = "ADDR", id = "seeds", value_parser = address::node)]
    seeds: Vec<SocketAddr>,
    /// The key of the cluster to join, copied into the folder.
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    key_file: Option<PathBuf>,
    /// Wait for `hangraft join` to say which cluster to join.
    #[arg(long, requires = "address", conflicts_with = "seeds")]
    wait: bool,
    /// What people call it; without it, n1, or by its number in the cluster it joins.
    #[arg(long, conflicts_with = "config")]
    name: Option<String>,
    /// Stop when standard input ends, as it does when the process that started this one ends.
    #[arg(long, hide = true)]
    stop_with_parent: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Recover(RecoverArgs),
}

/// The last resort when a majority of the voters is lost for good: make what this node's
/// disk holds the beginning of a new cluster of one.
///
/// Moves that the lost majority acknowledged and that had not reached this disk are gone,
/// so use the survivor whose `last log` is highest, and stop all others for good: they
/// belong to the old cluster. Never use it while a majority can still come back.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  hangraft node recover --dir /var/lib/hangraft --cluster games-2 --accept-loss"
)]
struct RecoverArgs {
    /// The stopped survivor's folder, as `hangraft node --dir` has it.
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    dir: Option<PathBuf>,
    /// Or its configuration.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The new cluster's id, different from the old one's.
    #[arg(long, value_name = "ID")]
    cluster: String,
    /// Where the node is reached from now on, if its machine has another address than before.
    #[arg(long, value_name = "ADDR")]
    address: Option<SocketAddr>,
    /// Yes, what had not reached this disk may be lost.
    #[arg(long)]
    accept_loss: bool,
    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Runs a node until it is asked to stop, has left, or stops by itself.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    if let Some(Command::Recover(args)) = args.command {
        return recover(args).await;
    }
    let mut stop = StopRequests::listen(args.stop_with_parent)?;
    let config = args.load()?;
    let key = key::load(&config.cluster.key_file)?;
    let env = RealEnv::new(&config).context("cannot prepare the node")?;
    let metrics = metrics::install()?;
    let started = tokio::select! {
        started = Node::start(config, key, env, Some(metrics)) => started,
        // It waits to join a cluster.
        _ = stop.next() => return Ok(()),
    };
    let node = started.map_err(|err| match err {
        StartError::Spent(why) => anyhow!(Spent(why)),
        err => anyhow!(err).context("cannot start the node"),
    })?;
    let name = node.name().to_owned();
    info!(node = %name, id = node.id().0, address = %node.address(), "ready");
    let ended = tokio::select! {
        how = stop.next() => Ok(how),
        () = node.left() => Ok(Stop::AtOnce),
        fatal = node.failed() => Err(fatal),
    };
    match ended {
        Ok(how) => {
            info!(node = %name, "stopping");
            match how {
                Stop::InOrder => node.stop().await,
                Stop::AtOnce => node.stop_now().await,
            }
            Ok(())
        }
        Err(Fatal::Spent(why)) => Err(anyhow!(Spent(why))),
        Err(fatal) => Err(anyhow!(fatal).context(format!("{name} has stopped"))),
    }
}

/// The node's id is spent: this folder is of no use any more. The process exits with 2, so
/// that nothing starts it again in vain.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Spent(String);

impl Args {
    fn load(&self) -> anyhow::Result<NodeConfig> {
        ensure(
            self.seeds.is_empty() || self.config.is_none() || self.new_address.is_some(),
            || {
                "write the seeds into the configuration; --seed stands beside --config only when a \
             node has moved, with --new-address"
                    .into()
            },
        )?;
        let mut config = match (&self.config, self.address.or(self.new_address), &self.dir) {
            (Some(file), _, _) => NodeConfig::load(file)?,
            (None, Some(address), Some(dir)) => self.without_a_file(address, dir)?,
            (None, _, _) => {
                let advice = "where is its data? give its folder with --dir";
                return Err(Usage(advice.into()).into());
            }
        };
        if let Some(address) = self.new_address {
            self.move_to(address, &mut config)?;
        }
        Ok(config)
    }

    /// The node is at another address than before.
    fn move_to(&self, address: SocketAddr, config: &mut NodeConfig) -> anyhow::Result<()> {
        let reached = config.reached_at();
        ensure(reached == address, || {
            format!(
                "the configuration has {reached}; write {address} there as well, in `address`, \
                 `advertise` or `cluster.members`, wherever it has the old one"
            )
        })?;
        ensure(RealEnv::holds_a_node(config), || {
            format!(
                "there is no node in {} that could have moved; a new one is started with --address",
                config.data_dir.display()
            )
        })?;
        config.moved = true;
        config.cluster.seeds.clone_from(&self.seeds);
        Ok(())
    }

    /// A cluster of one, or a node that joins another. The key stays in its folder, so
    /// that frontends can be given a copy.
    fn without_a_file(&self, address: SocketAddr, dir: &Path) -> anyhow::Result<NodeConfig> {
        let joins = self.wait || self.new_address.is_some() || !self.seeds.is_empty();
        let mut config = if joins {
            NodeConfig::joining(address, dir, self.seeds.clone())
        } else {
            NodeConfig::alone(self.name.as_deref().unwrap_or("n1"), address, dir)
        };
        config.name = self.name.clone().or(config.name);
        config.check().context("cannot run such a node")?;
        let key_file = &config.cluster.key_file;
        // A new key would shut a node out that is in a cluster already.
        let in_a_cluster = joins || RealEnv::holds_a_node(&config);
        ensure(!in_a_cluster || self.key_file.is_some() || key_file.exists(), || {
            format!("{} is missing; give the cluster's key with --key-file", key_file.display())
        })?;
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        place_key(self.key_file.as_deref(), key_file)?;
        private::close_to_others(key_file).with_context(|| {
            format!("others may read {}, which cannot be changed", key_file.display())
        })?;
        if RealEnv::holds_a_node(&config) {
            // The folder says who this is: it may have been restored, or have joined.
            config = NodeConfig::joining(address, dir, self.seeds.clone());
        }
        Ok(config)
    }
}

/// What is printed of a recovery.
#[derive(Debug, Serialize)]
struct Recovered {
    cluster: String,
    #[serde(flatten)]
    contents: Contents,
}

async fn recover(args: RecoverArgs) -> anyhow::Result<()> {
    ensure(args.dir.is_some() || args.config.is_some(), || {
        "whose data? give the survivor's folder with --dir, or its configuration with --config"
            .into()
    })?;
    ensure(args.accept_loss, || {
        "this may lose acknowledged moves: whatever had not reached this disk; if no majority can \
         ever come back, say --accept-loss"
            .into()
    })?;
    let config = match (&args.config, &args.dir) {
        (Some(file), _) => NodeConfig::load(file)?,
        (None, Some(dir)) => NodeConfig::joining(([127, 0, 0, 1], 1).into(), dir, Vec::new()),
        (None, None) => unreachable!("asked for above"),
    };
    anyhow::ensure!(config.data_dir.exists(), "there is no {}", config.data_dir.display());
    let env = RealEnv::new(&config).context("cannot prepare the node's storage")?;
    let contents = backup::recover(args.cluster.clone(), args.address, &*env)
        .await
        .context("not recovered")?;
    let recovered = Recovered { cluster: args.cluster, contents };
    let start = args.address.map_or("as before".into(), |address| format!("at {address}"));
    args.output.print(&recovered, |recovered| {
        let Contents { term, index, rooms, hash, .. } = &recovered.contents;
        format!(
            "recovered as cluster {}: everything up to term {term}, index {index}: {rooms} rooms, state hash {hash}; \
             what others acknowledged after that is lost\nstart it {}, and let new nodes join it with --seed; in a configuration, set `cluster.id` to {:?} and leave out `id` and `cluster.members`",
            recovered.cluster, start, recovered.cluster
        )
    })
}
