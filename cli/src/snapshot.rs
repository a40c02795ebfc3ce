//! `hangraft snapshot save` and `restore`: backups of a whole cluster, and new clusters
//! begun from one.

use std::{
    fs::{self, File},
    io::{BufReader, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, anyhow};
use clap::Subcommand;
use hangraft_cluster_config::{ClusterKey, NodeConfig};
use hangraft_node::{
    backup::{self, Contents, Founder, Head},
    real::RealEnv,
};
use hangraft_proto::{MESSAGE_BYTES_MAX, v1::BackupRequest};
use serde::Serialize;
use tempfile::NamedTempFile;
use tokio::time::timeout;

use crate::{output::Output, reach::Reach};

/// How long a node may take to begin, and between two pieces.
const STALL: Duration = Duration::from_secs(15);

/// Back up a running cluster, and begin a new one from a backup.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  hangraft snapshot save games.backup --key-file cluster.key\n  hangraft snapshot restore games.backup --dir /var/lib/hangraft --address 10.0.0.1:7101 --cluster games-2"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Save(SaveArgs),
    Restore(RestoreArgs),
}

/// Save everything acknowledged so far: all rooms, settings and finished games.
///
/// Play goes on meanwhile. The file holds hidden words: keep it as safe as the key.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  hangraft snapshot save games.backup --node 10.0.0.2:7101 --key-file cluster.key"
)]
struct SaveArgs {
    /// The new file. One that is there already is replaced when the new one is whole.
    file: PathBuf,
    #[command(flatten)]
    reach: Reach,
    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Begin a new cluster from a backup: makes the data of its first node.
///
/// The file is checked before anything is touched. Start the node with `hangraft node
/// --address ADDR --dir DIR`, and let others join it with `--seed`. With the old
/// cluster's key, players keep who they are.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  hangraft snapshot restore games.backup --dir /var/lib/hangraft --address 10.0.0.1:7101 --cluster games-2"
)]
struct RestoreArgs {
    /// The backup.
    file: PathBuf,
    /// The first node's folder, without data.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Where the first node is reached.
    #[arg(long, value_name = "ADDR")]
    address: SocketAddr,
    /// The new cluster's id, different from the old one's.
    #[arg(long, value_name = "ID")]
    cluster: String,
    /// The first node's name.
    #[arg(long, default_value = "n1")]
    name: String,
    /// The key of the new cluster, copied into the folder; without it, the folder's own,
    /// or a new one.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// What is printed of a backup.
#[derive(Debug, Serialize)]
struct Backup {
    file: PathBuf,
    #[serde(flatten)]
    contents: Contents,
    cluster: String,
}

/// Runs `hangraft snapshot ...`.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Save(args) => save(args).await,
        Command::Restore(args) => restore(args).await,
    }
}

async fn save(args: SaveArgs) -> anyhow::Result<()> {
    let (door, client) = args.reach.first().await?;
    let mut client = client.max_decoding_message_size(MESSAGE_BYTES_MAX);
    let mut chunks = door.answer(STALL, client.backup(BackupRequest {})).await?;
    let dir = args.file.parent().filter(|dir| !dir.as_os_str().is_empty());
    let dir = dir.unwrap_or(Path::new("."));
    let cannot = || format!("cannot write {}", args.file.display());
    // Nobody but its owner may read it, and nobody sees half of it.
    anyhow::ensure!(dir.is_dir(), "there is no folder {}; make it first", dir.display());
    let mut file = NamedTempFile::new_in(dir).with_context(cannot)?;
    loop {
        let chunk = timeout(STALL, chunks.message()).await;
        let chunk = chunk.map_err(|_| anyhow!("the node at {} stopped sending", door.node()))?;
        let chunk =
            chunk.map_err(|status| anyhow!("the node at {}: {}", door.node(), status.message()));
        let Some(chunk) = chunk? else { break };
        file.write_all(&chunk.data).with_context(cannot)?;
    }
    file.as_file().sync_all().with_context(cannot)?;
    let (head, contents) = check(file.path())?;
    file.persist(&args.file).with_context(cannot)?;
    File::open(dir).and_then(|dir| dir.sync_all()).with_context(cannot)?;
    let backup = Backup { file: args.file, contents, cluster: head.cluster };
    args.output.print(&backup, |backup| format!("saved {}", text_of(backup)))
}

fn check(path: &Path) -> anyhow::Result<(Head, Contents)> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    backup::check(BufReader::new(file)).with_context(|| format!("cannot use {}", path.display()))
}

fn text_of(backup: &Backup) -> String {
    let Contents { term, index, rooms, games, hash } = &backup.contents;
    format!(
        "{}: cluster {}, term {term}, index {index}, {rooms} rooms, {games} finished games, state hash {hash}",
        backup.file.display(),
        backup.cluster
    )
}

async fn restore(args: RestoreArgs) -> anyhow::Result<()> {
    let (head, _) = check(&args.file)?;
    let mut config = NodeConfig::alone(&args.name, args.address, &args.dir);
    config.cluster.id = Some(args.cluster.clone());
    config.check().context("cannot make such a node")?;
    anyhow::ensure!(
        args.cluster != head.cluster,
        "{:?} is the old cluster's id; give the new one another, so that the two never mix",
        head.cluster
    );
    let data = config.data_dir.clone();
    anyhow::ensure!(
        fs::read_dir(&data).map_or(true, |mut entries| entries.next().is_none()),
        "{} is not empty; restore into an empty folder",
        data.display()
    );
    fs::create_dir_all(&args.dir).with_context(|| format!("cannot make {}", args.dir.display()))?;
    place_key(args.key_file.as_deref(), &config.cluster.key_file)?;
    let env = RealEnv::new(&config).context("cannot prepare the node's storage")?;
    let file = File::open(&args.file).context("cannot open the backup again")?;
    let founder =
        Founder { cluster: args.cluster.clone(), name: args.name.clone(), address: args.address };
    let contents = backup::restore(BufReader::new(file), founder, &*env).await?;
    let backup = Backup { file: args.file, contents, cluster: args.cluster };
    let (address, dir) = (args.address, args.dir.display());
    args.output.print(&backup, |backup| {
        format!(
            "restored {}\nstart its first node:  hangraft node --address {address} --dir {dir}\n\
             and let others join:   hangraft node --address ADDR --dir DIR --seed {address} --key-file {dir}/cluster.key",
            text_of(backup)
        )
    })
}

/// Puts the key where the node looks for it, without replacing one.
pub(crate) fn place_key(from: Option<&Path>, to: &Path) -> anyhow::Result<()> {
    match from {
        Some(from) => {
            let key = ClusterKey::load(from)?;
            if to.exists() {
                anyhow::ensure!(
                    ClusterKey::load(to)? == key,
                    "{} holds another key than {}; remove the wrong one",
                    to.display(),
                    from.display()
                );
            } else {
                key.save(to)?;
            }
        }
        None if to.exists() => {}
        None => _ = ClusterKey::create(to)?,
    }
    Ok(())
}
