//! The running processes of a demo: children of this process, each with a log
//! file, which end with it.
//!
//! A child's exit is taken note of in `Crew::notice_exit` and nowhere else, so a
//! process id in here is a living one or a zombie, never a stranger's.

use std::{
    collections::VecDeque,
    fs::OpenOptions,
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use hangraft_ids::NodeId;
use hangraft_node::real::RealEnv;
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use crate::{
    demo::{
        home::{config_file, log_file},
        namespaces::Namespaces,
        plan::{Place, Plan},
        record::{FrontendRecord, NodeRecord, Record},
    },
    process::program,
};

/// How long a process may take to stop in order before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// All processes of a demo, running or not.
pub(super) struct Crew {
    dir: PathBuf,
    binary: PathBuf,
    members: Vec<Member>,
    exits: FuturesUnordered<BoxFuture<'static, Exit>>,
    /// Exits noticed while we waited for another.
    unreported: VecDeque<Exit>,
}

/// One process, or the place of one.
struct Member {
    place: Place,
    kind: Kind,
    /// A spare's id, which it did not choose.
    given: Option<NodeId>,
    /// The last process in this place.
    pid: u32,
    running: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Node,
    Frontend,
}

/// A process has ended.
pub(super) struct Exit {
    pub(super) name: String,
    pub(super) pid: u32,
    pub(super) status: io::Result<ExitStatus>,
}

impl Crew {
    /// Starts everything that is planned, but not nodes that have left the cluster.
    pub(super) fn start(dir: PathBuf, plan: &Plan) -> anyhow::Result<Self> {
        let binary = std::env::current_exe().context("cannot find this program")?;
        let nodes = plan.nodes.iter().map(|place| (place, Kind::Node));
        let frontends = plan.frontends.iter().map(|place| (place, Kind::Frontend));
        let mut crew = Self {
            dir,
            binary,
            members: Vec::new(),
            exits: FuturesUnordered::new(),
            unreported: VecDeque::new(),
        };
        for (place, kind) in nodes.chain(frontends) {
            let place = place.clone();
            let left = kind == Kind::Node && crew.why_spent(&place.name).is_some();
            crew.members.push(Member { place, kind, given: None, pid: 0, running: false });
            if !left {
                crew.spawn(crew.members.len() - 1)?;
            }
        }
        Ok(crew)
    }

    /// The next process to end by itself. May be called off at any time.
    pub(super) async fn next_exit(&mut self) -> Exit {
        match self.unreported.pop_front() {
            Some(exit) => exit,
            None => self.notice_exit().await,
        }
    }

    /// Starts a process again, after stopping it if it runs; its new process id.
    pub(super) async fn restart(&mut self, name: &str) -> anyhow::Result<u32> {
        let place = self.members.iter().position(|member| member.place.name == name);
        let place = place.ok_or_else(|| anyhow!("this demo has no {name}"))?;
        if self.members[place].running {
            // In order: the others go on, so leadership is handed over, and sockets are
            // told to move.
            self.stop(Signal::SIGTERM, |member| member.place.name == name).await;
        }
        if let Some(why) = self.why_spent(name) {
            bail!("{}", self.how_to_replace(name, &why));
        }
        self.spawn(place)
    }

    /// Starts a node that was not there before.
    pub(super) fn add(&mut self, place: &Place) -> anyhow::Result<u32> {
        let place = place.clone();
        let member = Member { place, kind: Kind::Node, given: None, pid: 0, running: false };
        // Behind the other nodes: their order is that of their names.
        let at = self.members.iter().take_while(|member| member.kind == Kind::Node).count();
        self.members.insert(at, member);
        self.spawn(at)
    }

    /// Why a node's id is spent, if it is: then it cannot start again.
    pub(super) fn why_spent(&self, name: &str) -> Option<String> {
        RealEnv::why_spent(&self.dir.join(name))
    }

    /// What to do about a node whose id is spent.
    pub(super) fn how_to_replace(&self, name: &str, why: &str) -> String {
        let nodes = || self.members.iter().filter(|member| member.kind == Kind::Node);
        let seed = nodes().find(|member| member.place.name != name);
        let seed = seed.map_or_else(|| "ADDR".into(), |seed| seed.place.address.to_string());
        let port = nodes().map(|member| member.place.address.port()).max().unwrap_or_default();
        let mut numbers = nodes().count() + 1..;
        let home = |number: &usize| self.dir.join(format!("n{number}"));
        let number = numbers.find(|number| !home(number).exists()).expect("numbers have no end");
        let (dir, newcomer) = (self.dir.display(), home(&number));
        let spare = Namespaces::of(&self.record()).and_then(|all| all.spare(number));
        let (enter, ip) = match spare {
            Some((namespace, ip)) => (format!("ip netns exec {namespace} "), ip),
            None => (String::new(), Ipv4Addr::LOCALHOST),
        };
        format!(
            "{name} does not come back: {why}. To see a new node join: \
             {enter}{} node --address {ip}:{} --dir {} --seed {seed} --key-file {dir}/cluster.key",
            program(),
            port.saturating_add(1),
            newcomer.display(),
        )
    }

    /// The addresses of the nodes that run, or are meant to.
    pub(super) fn nodes(&self) -> Vec<SocketAddr> {
        let nodes = self.members.iter().filter(|member| member.kind == Kind::Node);
        nodes.filter(|node| node.running).map(|node| node.place.address).collect()
    }

    /// The cluster has given this id to the node there.
    pub(super) fn was_given(&mut self, address: SocketAddr, id: NodeId) {
        let mut nodes = self.members.iter_mut().filter(|member| member.kind == Kind::Node);
        if let Some(node) = nodes.find(|node| node.place.address == address) {
            node.given = Some(id);
        }
    }

    /// Stops everything: politely, and after a while not.
    pub(super) async fn stop_all(&mut self) {
        // There is nobody left to hand anything over to.
        self.stop(Signal::SIGINT, |_| true).await;
    }

    /// What to write into `demo.json`.
    pub(super) fn record(&self) -> Record {
        let of = |kind| self.members.iter().filter(move |member| member.kind == kind);
        let nodes = of(Kind::Node).zip((1..).map(NodeId)).map(|(member, id)| NodeRecord {
            name: member.place.name.clone(),
            id: member.given.unwrap_or(id),
            pid: member.pid,
            address: member.place.address,
            dir: self.dir.join(&member.place.name),
            namespace: member.place.namespace.clone(),
            spare: member.place.spare,
        });
        let frontends = of(Kind::Frontend)
            .map(|member| FrontendRecord { pid: member.pid, http: member.place.url() });
        Record { nodes: nodes.collect(), frontends: frontends.collect() }
    }

    fn spawn(&mut self, place: usize) -> anyhow::Result<u32> {
        let member = &mut self.members[place];
        assert!(!member.running, "{} would run twice", member.place.name);
        let name = member.place.name.clone();
        let log = log_file(&self.dir, &name);
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let child = command(&self.binary, member.place.namespace.as_deref())
            .arg(member.kind.subcommand())
            .arg("--config")
            .arg(config_file(&self.dir, &name))
            .arg("--stop-with-parent")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            // A group of its own, or Ctrl-C at the terminal would reach it before us.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        member.pid = child.id().context("a child that ended before it began")?;
        member.running = true;
        let pid = member.pid;
        self.exits.push(Box::pin(wait(name, pid, child)));
        Ok(pid)
    }

    async fn stop(&mut self, signal: Signal, which: impl Fn(&Member) -> bool) {
        self.signal(&which, signal);
        // A paused one cannot stop before it goes on.
        self.signal(&which, Signal::SIGCONT);
        if timeout(GRACE, self.until_stopped(&which)).await.is_err() {
            self.signal(&which, Signal::SIGKILL);
            self.until_stopped(&which).await;
        }
    }

    async fn until_stopped(&mut self, which: impl Fn(&Member) -> bool) {
        while self.members.iter().any(|member| member.running && which(member)) {
            let exit = self.notice_exit().await;
            let other = self.members.iter().any(|m| m.place.name == exit.name && !which(m));
            self.unreported.extend(other.then_some(exit));
        }
    }

    async fn notice_exit(&mut self) -> Exit {
        let Some(exit) = self.exits.next().await else { return std::future::pending().await };
        let member = self.members.iter_mut().find(|member| member.place.name == exit.name);
        member.expect("members stay").running = false;
        exit
    }

    fn signal(&self, which: impl Fn(&Member) -> bool, signal: Signal) {
        for member in self.members.iter().filter(|member| member.running && which(member)) {
            if let Ok(pid) = i32::try_from(member.pid) {
                // It may have just ended by itself, which is what is wanted.
                _ = signal::kill(Pid::from_raw(pid), signal);
            }
        }
    }
}

/// What runs the binary, in this machine's network or in a namespace. `ip` becomes the
/// binary, so the process has the same id.
fn command(binary: &Path, namespace: Option<&str>) -> Command {
    let Some(namespace) = namespace else { return Command::new(binary) };
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace]).arg(binary);
    command
}

impl Kind {
    fn subcommand(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Frontend => "frontend",
        }
    }
}

async fn wait(name: String, pid: u32, mut child: Child) -> Exit {
    // Held open until the child has ended: it stops when this closes.
    let _stdin = child.stdin.take();
    let status = child.wait().await;
    Exit { name, pid, status }
}
