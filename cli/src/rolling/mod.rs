//! `hangraft rolling-restart`: every process of a cluster is restarted while people play,
//! one after the other, and nothing more is touched when one does not come back.

mod means;
mod order;
mod watch;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, anyhow};
use tokio::time::Instant;

use self::{
    means::{Frontend, Means, Process, Template},
    order::{Cluster, Todo},
    watch::{Watch, check_curl},
};
use crate::{
    address,
    cluster::Door,
    demo::{
        plan::frontend_name,
        record::{self, Record},
    },
    key::KeyFile,
    output::print,
    usage::{Usage, ensure},
};

const USAGE: &str = "\
hangraft rolling-restart --dir DIR [OPTIONS]
       hangraft rolling-restart --node ADDR.. [--frontend URL].. --with COMMAND [OPTIONS]";

const EXAMPLES: &str = "\
Examples:
  hangraft rolling-restart --dir /tmp/demo --dry-run
                                        the order, and what it would wait for
  hangraft rolling-restart --dir /tmp/demo
                                        the processes of a demo that runs there
  hangraft rolling-restart --node 10.0.0.11:7101 --frontend http://10.0.0.11:8080 \\
    --with 'ssh {host} sudo systemctl restart hangraft-{kind}'
                                        real machines; the node names the other nodes";

/// Restart a running cluster while people play, one process at a time: spares first, then
/// followers, the leader last, then the frontends.
///
/// Before each restart all voters must be alive and have come as far as the leader, and
/// after it the restarted one too; a frontend is restarted while the others are ready.
/// What is not well in time ends this with 1, and nothing else is touched.
#[derive(Debug, clap::Args)]
#[command(override_usage = USAGE, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The folder of a running demo; everything is found by itself.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// A node of a cluster on real machines. One that answers is enough, it names the others.
    #[arg(long = "node", value_name = "ADDR", id = "nodes", value_delimiter = ',', value_parser = address::node)]
    nodes: Vec<SocketAddr>,
    /// A frontend, by its URL. One with https is asked by curl.
    #[arg(long = "frontend", value_name = "URL", id = "frontends", value_parser = Frontend::parse)]
    frontends: Vec<Frontend>,
    /// What restarts a process, run here by bash for each, with {kind} (node or frontend),
    /// {name} (n1, f1, ..), {host} and {address} replaced.
    #[arg(long, value_name = "COMMAND")]
    with: Option<String>,
    /// How many seconds anything may take to be well again.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    deadline: u64,
    /// Print the order and restart nothing.
    #[arg(long)]
    dry_run: bool,
    /// The cluster's key [default: the demo's, that of a node of yours on this machine, or /etc/hangraft's].
    #[arg(long, value_name = "FILE", env = "HANGRAFT_KEY_FILE")]
    key_file: Option<PathBuf>,
}

/// Restarts, or says in which order.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    args.check()?;
    let mut rolling = match &args.dir {
        Some(dir) => args.demo(dir)?,
        None => args.machines()?,
    };
    check_curl(&rolling.frontends).await?;
    let cluster = rolling.watch.look().await.map_err(|trouble| anyhow!(trouble))?;
    print(&format!("cluster {}, led by {}", cluster.name, leading(&cluster)))?;
    let (todo, left_alone) = cluster.choose(rolling.means.nodes());
    left_alone.iter().try_for_each(|text| print(text))?;
    if args.dry_run { rolling.rehearse(&cluster, todo) } else { rolling.restart(todo).await }
}

/// Who leads, for people.
fn leading(cluster: &Cluster) -> &str {
    cluster.leader().map_or("nobody", |leader| &leader.name)
}

impl Args {
    /// What clap cannot know by itself.
    fn check(&self) -> Result<(), Usage> {
        let named = !self.nodes.is_empty();
        if self.dir.is_some() {
            return ensure(!named && self.frontends.is_empty() && self.with.is_none(), || {
                "--dir is for a demo, and finds everything by itself; leave --node, --frontend and --with out".into()
            });
        }
        let with = self.with.clone().filter(|_| named).map(Template);
        ensure(with.is_some(), || {
            "give --dir, or --node and --with; see `hangraft rolling-restart --help`".into()
        })?;
        ensure(with.is_some_and(|with| with.says_which()), || {
            "--with does not say what to restart: use {host}, {name} or {address}".into()
        })
    }

    /// The processes of a demo.
    fn demo(&self, dir: &Path) -> anyhow::Result<Rolling> {
        let record = Record::of(dir)?;
        let frontend = |frontend: &record::FrontendRecord| {
            Frontend::parse(&frontend.http).map_err(|advice| {
                anyhow!("cannot understand {:?} in demo.json: {advice}", frontend.http)
            })
        };
        let frontends: anyhow::Result<_> = record.frontends.iter().map(frontend).collect();
        let key = KeyFile::new(Some(dir.into()), self.key_file.clone());
        let addresses: Vec<_> = record.nodes.iter().map(|node| node.address).collect();
        let nodes = record.nodes.into_iter().map(|node| node.name).collect();
        let means = Means::Demo { dir: dir.into(), nodes };
        Ok(Rolling { means, frontends: frontends?, watch: self.watch(&addresses, &key)? })
    }

    /// Those of a cluster on real machines.
    fn machines(&self) -> anyhow::Result<Rolling> {
        let with = self.with.clone().context("give --with")?;
        // --dir means a demo here, so only the variable can name another folder with a key.
        let folder = std::env::var_os("HANGRAFT_DIR").filter(|dir| !dir.is_empty());
        let key = KeyFile::new(folder.map(PathBuf::from), self.key_file.clone());
        let watch = self.watch(&self.nodes, &key)?;
        let means = Means::Command(Template(with));
        Ok(Rolling { means, frontends: self.frontends.clone(), watch })
    }

    fn watch(&self, nodes: &[SocketAddr], key: &KeyFile) -> anyhow::Result<Watch> {
        let door = |node: &SocketAddr| Ok(Door::new(*node, key.pass(*node)?));
        let doors: anyhow::Result<_> = nodes.iter().map(door).collect();
        Ok(Watch::new(doors?, Duration::from_secs(self.deadline)))
    }
}

/// What is restarted, by what, and who looks after it.
struct Rolling {
    means: Means,
    frontends: Vec<Frontend>,
    watch: Watch,
}

impl Rolling {
    /// The frontends with their names.
    fn frontends(&self) -> impl Iterator<Item = Process> {
        let named = |(i, frontend)| Process::frontend(&frontend_name(i), frontend);
        (1..).zip(&self.frontends).map(named)
    }

    /// Says what would be restarted, in which order and how.
    fn rehearse(&self, cluster: &Cluster, todo: Todo) -> anyhow::Result<()> {
        let nodes = cluster.order(todo).into_iter().map(Process::node);
        for process in nodes.chain(self.frontends()) {
            print(&format!("{}: {}", process.text(), self.means.command(&process)))?;
        }
        match cluster.voters_are_well() {
            Ok(()) => Ok(()),
            Err(trouble) => print(&format!("it would wait: {trouble}")),
        }
    }

    async fn restart(&mut self, todo: Todo) -> anyhow::Result<()> {
        let begun = Instant::now();
        self.restart_members(todo).await?;
        self.restart_frontends().await?;
        self.watch.voters().await?;
        print(&format!("done in {} s", begun.elapsed().as_secs()))
    }

    async fn restart_members(&mut self, mut todo: Todo) -> anyhow::Result<()> {
        while !todo.is_empty() {
            // First the look, then the choice: another may lead by now.
            let cluster = self.watch.voters().await?;
            let Some(member) = cluster.next(&todo) else { break };
            self.restart_one(&Process::node(member)).await?;
            let begun = Instant::now();
            let cluster = self.watch.restarted(member.id, &member.name).await?;
            let seconds = begun.elapsed().as_secs();
            let version = cluster.member(member.id).map_or("unknown", |member| member.version());
            let leader = leading(&cluster);
            print(&format!("  well after {seconds} s, version {version}; {leader} leads"))?;
            todo.remove(&member.id);
        }
        if todo.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = todo.into_values().collect();
        print(&format!("left the cluster meanwhile: {}", names.join(", ")))
    }

    async fn restart_frontends(&mut self) -> anyhow::Result<()> {
        let processes: Vec<_> = self.frontends().collect();
        for (process, frontend) in processes.iter().zip(&self.frontends) {
            self.watch.voters().await?;
            // Somebody must take its players.
            let others = self.frontends.iter().filter(|other| *other != frontend);
            let others: Vec<_> = others.collect();
            self.watch.ready("not all other frontends are ready", &others).await?;
            self.restart_one(process).await?;
            let begun = Instant::now();
            self.watch.ready(&format!("{} is not ready", process.name), &[frontend]).await?;
            print(&format!("  ready after {} s", begun.elapsed().as_secs()))?;
        }
        Ok(())
    }

    async fn restart_one(&self, process: &Process) -> anyhow::Result<()> {
        print(&process.text())?;
        self.means.restart(process).await
    }
}
