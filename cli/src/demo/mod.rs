//! `hangraft demo`: a whole cluster on this machine, in real processes that can
//! really be killed.

mod control;
mod crew;
pub(crate) mod disks;
pub(crate) mod faults;
pub(crate) mod home;
pub(crate) mod lan;
pub(crate) mod namespaces;
pub(crate) mod plan;
pub(crate) mod record;

use std::{
    io::{self, IsTerminal},
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    pin::pin,
    time::Duration,
};

use anyhow::{anyhow, bail};
use hangraft_cluster_config::ClusterKey;
use hangraft_ids::NodeId;
use hangraft_proto::pass::Pass;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::{
    cluster::Door,
    demo::{
        control::{Control, Wish},
        crew::{Crew, Exit},
        home::{Home, check_node_port, check_ports, log_file},
        namespaces::Namespaces,
        plan::{Plan, Wanted},
        record::Record,
    },
    http, key,
    output::print,
    process::{StopRequests, program},
};

const EXAMPLES: &str = "\
Examples:
  hangraft demo                            three nodes, two frontends, nothing kept
  hangraft demo --host 0.0.0.0             friends on your network can play too
  hangraft demo --dir /tmp/demo            keeps its games there, and continues them next time
  hangraft demo --dir /tmp/demo --no-limits
                                           for `hangraft bench`
  scripts/faults/netns-up && hangraft demo --namespaces --dir /tmp/demo
                                           as root: `hangraft fault cut` cuts for real
While it runs:
  hangraft kill n1 --dir /tmp/demo         and see that the game goes on";

/// How long a new cluster may take to elect a leader and let frontends in.
const START: Duration = Duration::from_secs(30);

/// How long a node that is added may take to join. Other wishes wait meanwhile.
const JOIN: Duration = Duration::from_secs(15);

/// How often we look whether it has.
const LOOK: Duration = Duration::from_millis(50);

/// Run a whole cluster on this machine: nodes, frontends, and the address to open.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// How many nodes: 1, 3, 5 or 7 [default: 3, or as many as DIR holds].
    #[arg(long, value_name = "N")]
    nodes: Option<u16>,
    /// How many nodes more, which join as spares: one takes the place of a voter that is lost
    /// or leaves [default: 0, or as many as DIR holds].
    #[arg(long, value_name = "N")]
    spares: Option<u16>,
    /// How many frontends.
    #[arg(long, value_name = "N", default_value_t = 2)]
    frontends: u16,
    /// The first frontend's port; the others follow.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Where the frontends listen; 0.0.0.0 lets friends on your network play too.
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    host: IpAddr,
    /// The first node's port; the others follow [default: 7101, or as in DIR].
    #[arg(long, value_name = "PORT")]
    node_port: Option<u16>,
    /// Where to keep games, keys and logs; without it, a temporary folder.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Run each node in a network namespace of its own, PREFIX-n1 and so on, that
    /// `scripts/faults/netns-up PREFIX` has made [default: none, or as in DIR; PREFIX:
    /// hangraft]. Linux and root only. There `hangraft fault cut` is made by nftables;
    /// frontends stay outside and reach the nodes over a bridge.
    #[arg(long, value_name = "PREFIX", num_args = 0..=1, default_missing_value = namespaces::PREFIX)]
    namespaces: Option<String>,
    /// Let players act as fast as they can. For bench: people are never that fast.
    #[arg(long)]
    no_limits: bool,
    /// Stop when standard input ends: whoever started this is gone.
    #[arg(long, hide = true)]
    stop_with_parent: bool,
}

/// Runs a demo until it is asked to stop.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut stop = StopRequests::listen(args.stop_with_parent)?;
    let mut home = Home::open(args.dir.as_deref())?;
    let before = Record::load(home.dir())?;
    let mut plan = Plan::new(&args.wanted(before.as_ref())?, before.as_ref())?;
    check_ports(&plan)?;
    home.prepare(&plan)?;
    let pass = key::pass(&ClusterKey::in_folder(home.dir()))?;
    let control = Control::listen(home.dir())?;
    let mut crew = Crew::start(home.dir().into(), &plan)?;
    crew.record().save(home.dir())?;

    let started = tokio::select! {
        _ = stop.next() => Ok(false),
        result = until_ready(&mut crew, &plan, home.dir(), &pass) => result.map(|()| true),
    };
    match started {
        Ok(true) => {
            learn_ids(&mut crew, &plan, &pass).await;
            crew.record().save(home.dir())?;
            print(&welcome(&plan, home.dir()))?;
            let mut running =
                Running { crew: &mut crew, plan: &mut plan, home: &home, pass: &pass };
            running.serve(&mut stop, &control).await;
        }
        Ok(false) => (),
        Err(_) => home.keep(),
    }
    crew.stop_all().await;
    started.map(|_| ())
}

impl Args {
    fn wanted(&self, before: Option<&Record>) -> anyhow::Result<Wanted> {
        let before = before.and_then(Namespaces::of);
        let prefix = self.namespaces.as_deref().or(before.as_ref().map(Namespaces::prefix));
        Ok(Wanted {
            namespaces: prefix.map(namespaces::find).transpose()?.unwrap_or_default(),
            nodes: self.nodes,
            node_port: self.node_port,
            spares: self.spares,
            frontends: self.frontends,
            port: self.port,
            host: self.host,
            lan: if self.host.is_unspecified() { lan::addresses() } else { Vec::new() },
            limits: !self.no_limits,
        })
    }
}

/// Waits until there is a leader and every frontend is ready. A process that ends
/// meanwhile ends the wait: it could not start, and its log says why. Only one that has found
/// that its id is spent, for it has lost its disk, is not waited for.
async fn until_ready(crew: &mut Crew, plan: &Plan, dir: &Path, pass: &Pass) -> anyhow::Result<()> {
    let deadline = Instant::now() + START;
    loop {
        let nodes = crew.nodes();
        tokio::select! {
            ready = timeout_at(deadline, ready(&nodes, plan, pass)) => return ready.map_err(|_| {
                anyhow!("the cluster did not answer within {START:?}; look into {}/*.log", dir.display())
            }),
            exit = crew.next_exit() => {
                if crew.why_spent(&exit.name).is_none() {
                    bail!("{} could not start; look into {}", exit.name, log_file(dir, &exit.name).display());
                }
                eprintln!("{}", obituary(crew, &exit, dir));
            }
        }
    }
}

/// Asks spares which ids they were given. One that is silent has the next number, as far as
/// anybody knows.
async fn learn_ids(crew: &mut Crew, plan: &Plan, pass: &Pass) {
    for spare in plan.nodes.iter().filter(|node| node.spare) {
        if let Ok(report) = Door::new(spare.address, pass.clone()).report().await {
            crew.was_given(spare.address, NodeId(report.id));
        }
    }
}

async fn ready(nodes: &[SocketAddr], plan: &Plan, pass: &Pass) {
    for frontend in &plan.frontends {
        while !matches!(http::get_status(frontend.address, "/readyz").await, Ok(200)) {
            sleep(LOOK).await;
        }
    }
    for node in nodes {
        let door = Door::new(*node, pass.clone());
        while !door.status().await.is_ok_and(|status| status.leader != 0) {
            sleep(LOOK).await;
        }
    }
}

/// A demo that runs.
struct Running<'a> {
    crew: &'a mut Crew,
    plan: &'a mut Plan,
    home: &'a Home,
    pass: &'a Pass,
}

impl Running<'_> {
    /// Until asked to stop: does what is wished for, and says what ends.
    async fn serve(&mut self, stop: &mut StopRequests, control: &Control) {
        // Kept while something else happens: a request that is half read would be lost.
        let mut asked = pin!(control.next());
        loop {
            tokio::select! {
                _ = stop.next() => return,
                exit = self.crew.next_exit() => {
                    eprintln!("{}", obituary(self.crew, &exit, self.home.dir()));
                }
                request = &mut asked => {
                    asked.set(control.next());
                    let result = match &request.wish {
                        Wish::Restart(name) => self.restart(name).await.map(|pid| pid.to_string()),
                        Wish::Spare => self.spare().await,
                    };
                    request.answer(&result).await;
                }
            }
        }
    }

    async fn restart(&mut self, name: &str) -> anyhow::Result<u32> {
        let pid = self.crew.restart(name).await?;
        self.crew.record().save(self.home.dir())?;
        eprintln!("{name} runs again (process {pid})");
        Ok(pid)
    }

    /// Starts one more node; its name.
    async fn spare(&mut self) -> anyhow::Result<String> {
        let namespace = match Namespaces::of(&self.crew.record()) {
            None => None,
            Some(all) => {
                let there = namespaces::find(all.prefix())?.into_iter().nth(self.plan.nodes.len());
                Some(
                    there
                        .ok_or_else(|| anyhow!("there is no network namespace for another node"))?,
                )
            }
        };
        let mut plan = self.plan.clone();
        let i = plan.add_spare(namespace)?;
        let place = plan.nodes[i].clone();
        if place.namespace.is_none() {
            check_node_port(place.address)?;
        }
        self.home.prepare_node(&plan, i)?;
        let pid = self.crew.add(&place)?;
        *self.plan = plan;
        eprintln!("{} joins (process {pid})", place.name);
        self.crew.record().save(self.home.dir())?;
        let door = Door::new(place.address, self.pass.clone());
        let joined = timeout(JOIN, async {
            loop {
                match door.report().await {
                    // One that has not been given an id says so.
                    Ok(report) if report.id != 0 => return NodeId(report.id),
                    _ => sleep(LOOK).await,
                }
            }
        });
        let log = || log_file(self.home.dir(), &place.name).display().to_string();
        let id = joined
            .await
            .map_err(|_| anyhow!("{} has not joined yet; look into {}", place.name, log()))?;
        self.crew.was_given(place.address, id);
        self.crew.record().save(self.home.dir())?;
        Ok(place.name)
    }
}

/// What a person reads first.
fn welcome(plan: &Plan, dir: &Path) -> String {
    let program = program();
    let dir = dir.display();
    let first = &plan.nodes[0];
    let mut text = format!(
        "Hangraft runs: {} and {}.\n\n",
        counted(plan.nodes.len(), "node"),
        counted(plan.frontends.len(), "frontend")
    );
    for (frontend, word) in plan.frontends.iter().zip(["Open", "or"].into_iter().chain([""; 8])) {
        text += &format!("  {word:<5} {}\n", frontend.url());
    }
    if let Some(frontend) = plan.frontends.first() {
        text += &format!("  live  {}/live  shows what is played, in numbers\n", frontend.url());
    }
    text += &lan::invitation(&plan.lan_urls(), io::stdout().is_terminal());
    text += &format!(
        "\nBreak it while you play:\n\n\
         \x20 {program} status --dir {dir}\n\
         \x20 {program} kill {name} --dir {dir}\n\
         \x20 {program} restart {name} --dir {dir}\n\n\
         Logs are in {dir}. Ctrl-C stops everything.",
        name = first.name,
    );
    text
}

fn obituary(crew: &Crew, exit: &Exit, dir: &Path) -> String {
    let Exit { name, pid, status } = exit;
    let how = match status {
        Ok(status) => status.to_string(),
        Err(err) => format!("nobody knows how: {err}"),
    };
    let ended = format!("{name} (process {pid}) has ended, {how}");
    if let Some(why) = crew.why_spent(name) {
        return format!("{ended}; {}", crew.how_to_replace(name, &why));
    }
    format!(
        "{ended}; its log is {}, and `{} restart {name} --dir {}` starts it again",
        log_file(dir, name).display(),
        program(),
        dir.display(),
    )
}

fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}
