//! The cluster that is played on: a demo that runs, or one that is started for it.

use std::{
    env,
    net::{Ipv4Addr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use hangraft_cluster_config::{ClusterKey, RoomNames};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rand::RngExt;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use crate::{
    demo::{plan::frontend_name, record::Record},
    play::way::{Access, Entrance},
};

/// How long a demo may take to start, and to stop.
const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(20);

/// Where a demo of our own finds ports: below those that systems give to whoever asks.
const PORTS: std::ops::Range<u16> = 21_000..31_000;

/// Ports of a demo: frontends, then nodes, then nodes that scripts start.
const FRONTENDS: u16 = 2;
const NODES_FROM: u16 = 4;
const BLOCK: u16 = 24;

/// How often a block of ports is looked for.
const TRIES: u32 = 200;

/// A demo to play on.
pub(crate) struct Stage {
    dir: PathBuf,
    record: Record,
    own: Option<Own>,
}

/// A demo of our own, which ends with us, however we end.
struct Own {
    process: Child,
    /// Read no more, and not closed: a demo that cannot say something ends.
    _says: BufReader<ChildStdout>,
    _dir: TempDir,
}

impl Stage {
    /// A demo that runs already.
    pub(crate) fn at(dir: &Path) -> anyhow::Result<Self> {
        Ok(Self { dir: dir.into(), record: Record::of(dir)?, own: None })
    }

    /// Starts a demo of so many nodes and spares, in namespaces if there are any.
    pub(crate) async fn start(
        nodes: u16,
        spares: u16,
        namespaces: Option<&str>,
    ) -> anyhow::Result<Self> {
        let dir = TempDir::with_prefix("hangraft-check-").context("cannot make a folder")?;
        let port = free_block().ok_or_else(|| anyhow!("no free ports for a demo were found"))?;
        let program = env::current_exe().context("where is this program?")?;
        let mut process = Command::new(program)
            .args(["demo", "--stop-with-parent", "--no-limits", "--nodes", &nodes.to_string()])
            .args(["--spares", &spares.to_string()])
            .args(["--frontends", &FRONTENDS.to_string(), "--port", &port.to_string()])
            .args(["--node-port", &(port + NODES_FROM).to_string(), "--dir"])
            .arg(dir.path())
            .args(namespaces.map(|prefix| format!("--namespaces={prefix}")))
            // Held open with the process: the demo ends when it closes.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start a demo")?;
        let stdout = process.stdout.take().context("a demo without an output")?;
        let mut says = BufReader::new(stdout);
        let mut line = String::new();
        let said = timeout(START, says.read_line(&mut line)).await;
        if !matches!(said, Ok(Ok(bytes)) if bytes > 0) {
            let kept = dir.keep();
            bail!("the demo did not start; look into {}/*.log", kept.display());
        }
        let record = Record::of(dir.path())?;
        let own = Own { process, _says: says, _dir: dir };
        Ok(Self { dir: own._dir.path().into(), record, own: Some(own) })
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
        // Else it is killed when it is dropped.
        _ = timeout(STOP, own.process.wait()).await;
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
