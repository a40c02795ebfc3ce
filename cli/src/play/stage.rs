//! The cluster that is played on: a demo that runs, or one that is started for it.

use std::{
    env,
    ffi::OsString,
    net::{IpAddr, Ipv4Addr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, anyhow};
use hangraft_cluster_config::{ClusterKey, RoomNames};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rand::RngExt;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, sink},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::{
    demo::{plan::frontend_name, record::Record},
    play::way::{Access, Entrance},
    usage::Usage,
};

/// How long a demo may take to start, and to stop.
const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(20);

/// How long a demo that ends may take to say why.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Where a demo of our own finds ports: below those that systems give to whoever asks.
const PORTS: std::ops::Range<u16> = 21_000..31_000;

/// Ports of a demo: frontends, then nodes, then nodes that scripts start.
const FRONTENDS: u16 = 2;
const NODES_FROM: u16 = 4;
const BLOCK: u16 = 24;

/// How often a block of ports is looked for.
const TRIES: u32 = 200;

/// What demo to start.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) nodes: u16,
    pub(crate) spares: u16,
    pub(crate) frontends: u16,
    /// How the network namespaces begin in which its nodes run, if they do.
    pub(crate) namespaces: Option<String>,
    /// The first frontend's port, if it matters; nodes' ports are the demo's usual ones then.
    pub(crate) port: Option<u16>,
    /// The first node's, if it matters.
    pub(crate) node_port: Option<u16>,
    /// Where frontends listen, if not for this machine alone.
    pub(crate) host: Option<IpAddr>,
    /// Where to keep it; nothing is kept without.
    pub(crate) dir: Option<PathBuf>,
}

impl Wanted {
    /// A demo on ports that nobody uses, which is gone afterwards.
    pub(crate) fn of(nodes: u16, spares: u16) -> Self {
        Self {
            nodes,
            spares,
            frontends: FRONTENDS,
            namespaces: None,
            port: None,
            node_port: None,
            host: None,
            dir: None,
        }
    }

    /// The arguments of `hangraft demo`.
    fn arguments(&self, dir: &Path) -> anyhow::Result<Vec<OsString>> {
        let (port, node_port) = match self.port {
            Some(port) => (port, self.node_port),
            None => {
                let port = free_block().context("no free ports for a demo were found")?;
                (port, Some(port + NODES_FROM))
            }
        };
        let mut words = vec!["demo".into(), "--stop-with-parent".into(), "--no-limits".into()];
        let mut say = |option: &str, value: Option<String>| {
            words.extend(value.map(|value| OsString::from(format!("--{option}={value}"))));
        };
        say("nodes", Some(self.nodes.to_string()));
        say("spares", Some(self.spares.to_string()));
        say("frontends", Some(self.frontends.to_string()));
        say("port", Some(port.to_string()));
        say("node-port", node_port.map(|port| port.to_string()));
        say("host", self.host.map(|host| host.to_string()));
        say("namespaces", self.namespaces.clone());
        words.extend(["--dir".into(), dir.into()]);
        Ok(words)
    }
}

/// A demo to play on.
pub(crate) struct Stage {
    dir: PathBuf,
    record: Record,
    own: Option<Own>,
}

/// A demo of our own, which ends with us, however we end.
struct Own {
    process: Child,
    /// Held open, also while we wait for its end: a demo ends when it closes.
    stdin: Option<ChildStdin>,
    /// Read no more, and not closed: a demo that cannot say something ends.
    _says: BufReader<ChildStdout>,
    _dir: Option<TempDir>,
}

/// A demo that did not start has said why.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotStarted(String);

impl Stage {
    /// A demo that runs already.
    pub(crate) fn at(dir: &Path) -> anyhow::Result<Self> {
        Ok(Self { dir: dir.into(), record: Record::of(dir)?, own: None })
    }

    /// Starts a demo.
    pub(crate) async fn start(wanted: &Wanted) -> anyhow::Result<Self> {
        let temporary = || TempDir::with_prefix("hangraft-").context("cannot make a folder");
        let temporary = wanted.dir.is_none().then(temporary).transpose()?;
        let dir = wanted.dir.as_deref().or(temporary.as_ref().map(TempDir::path));
        let dir = dir.context("a demo has a folder")?.to_owned();
        let program = env::current_exe().context("where is this program?")?;
        let mut process = Command::new(program)
            .args(wanted.arguments(&dir)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own, or Ctrl-C at the terminal would reach it before us.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start a demo")?;
        let stdout = process.stdout.take().context("a demo without an output")?;
        let stderr = process.stderr.take().context("a demo without an output for errors")?;
        let mut says = BufReader::new(stdout);
        let mut line = String::new();
        let said = timeout(START, says.read_line(&mut line)).await;
        if !matches!(said, Ok(Ok(bytes)) if bytes > 0) {
            return Err(not_started(process, stderr, temporary).await);
        }
        tokio::spawn(
            async move { tokio::io::copy(&mut BufReader::new(stderr), &mut sink()).await },
        );
        let dir = dir.canonicalize().context("the demo's folder is gone")?;
        let record = Record::of(&dir)?;
        let stdin = process.stdin.take();
        let own = Own { process, stdin, _says: says, _dir: temporary };
        Ok(Self { dir, record, own: Some(own) })
    }

    /// Resolves when a demo of our own has ended by itself.
    pub(crate) async fn ended(&mut self) {
        match &mut self.own {
            Some(own) => _ = own.process.wait().await,
            None => std::future::pending().await,
        }
    }

    /// Its folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its processes.
    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    /// How many of its nodes are first members.
    pub(crate) fn members(&self) -> usize {
        self.record.nodes.iter().filter(|node| !node.spare).count()
    }

    /// What lets clients in.
    pub(crate) fn access(&self) -> anyhow::Result<Access> {
        let key = ClusterKey::load(&ClusterKey::in_folder(&self.dir))?;
        Ok(Access { token: key.access_token(), names: RoomNames::of(&key) })
    }

    /// The ways in: frontends first.
    pub(crate) fn entrances(&self) -> anyhow::Result<Vec<Entrance>> {
        let frontends = self.record.frontends.iter().zip(1..).map(|(frontend, i)| {
            let url = frontend.http.parse();
            let url =
                url.map_err(|err| anyhow!("a frontend's URL in demo.json is wrong: {err}"))?;
            Ok(Entrance::Frontend { name: frontend_name(i), url })
        });
        let nodes = self
            .record
            .nodes
            .iter()
            .map(|node| Ok(Entrance::Node { name: node.name.clone(), address: node.address }));
        frontends.chain(nodes).collect()
    }

    /// Ends a demo of our own, in order.
    pub(crate) async fn stop(self) {
        let Some(mut own) = self.own else { return };
        if let Some(pid) = own.process.id().and_then(|pid| i32::try_from(pid).ok()) {
            // It may have ended already.
            _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        drop(own.stdin.take());
        // Else it is killed when it is dropped.
        _ = timeout(STOP, own.process.wait()).await;
    }
}

/// Why a demo did not start: as it says itself, or where to look.
async fn not_started(
    mut process: Child,
    mut stderr: ChildStderr,
    temporary: Option<TempDir>,
) -> anyhow::Error {
    _ = process.start_kill();
    let mut said = String::new();
    _ = timeout(LAST_WORDS, stderr.read_to_string(&mut said)).await;
    let code = timeout(LAST_WORDS, process.wait()).await.ok().and_then(Result::ok);
    let last = said.lines().filter_map(|line| line.strip_prefix("hangraft: ")).next_back();
    match (last, code.and_then(|status| status.code())) {
        (Some(why), Some(2)) => Usage(why.to_owned()).into(),
        (Some(why), _) if temporary.is_none() || !why.contains(".log") => {
            NotStarted(why.to_owned()).into()
        }
        _ => {
            let kept = temporary.map(TempDir::keep).unwrap_or_default();
            anyhow!("the demo did not start; look into {}/*.log", kept.display())
        }
    }
}

/// The first of some ports in a row that nobody uses.
fn free_block() -> Option<u16> {
    let mut dice = rand::rng();
    let free = |port| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
            && UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
    };
    (0..TRIES).map(|_| dice.random_range(PORTS)).find(|first| (*first..first + BLOCK).all(free))
}
