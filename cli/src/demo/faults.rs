//! `hangraft kill`, `pause`, `resume` and `restart`: process faults on a demo.
//!
//! The first three signal a process themselves, after a look at its command line:
//! a process id may have been given to a stranger since it was written down. The
//! last asks the demo.
//!
//! A process may be meant by what it is, `leader` or `follower`. Then it is one that can be
//! killed, paused or restarted: one that runs and is not paused. Only a paused one can be
//! resumed. Or by what has become of it, `paused` or `ended`.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, anyhow, bail, ensure};
use hangraft_cluster_config::ClusterKey;
use hangraft_node::real::RealEnv;
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use tokio::time::{Instant, sleep};

use crate::{
    cluster::Door,
    demo::{
        control,
        home::config_file,
        record::{Process, Record, Role},
    },
    fault::nodes::{FOLLOWER, LEADER, Nodes},
    http, key,
    output::print,
    reach,
};

/// How long a process may take to be what it was made: gone, paused, answering.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often we look.
const LOOK: Duration = Duration::from_millis(10);

/// What a process does that is meant by what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    Running,
    Paused,
}

/// Which process of which demo.
#[derive(Debug, clap::Args)]
pub(crate) struct Target {
    /// The process: n1, n2, .. for nodes, f1, f2, .. for frontends; `leader` or `follower`
    /// for a node that is that now; `paused` or `ended` for the first that is.
    name: String,
    /// The demo's folder.
    #[arg(long, value_name = "DIR", env = "HANGRAFT_DIR")]
    dir: PathBuf,
}

/// Kill a process of a demo at once, as a power cut would (SIGKILL).
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  hangraft kill n1 --dir /tmp/demo\n  hangraft kill leader --dir /tmp/demo"
)]
pub(crate) struct KillArgs {
    #[command(flatten)]
    target: Target,
}

/// Pause a process of a demo: it lives, but says nothing (SIGSTOP).
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  hangraft pause n1 --dir /tmp/demo\n  hangraft pause leader --dir /tmp/demo"
)]
pub(crate) struct PauseArgs {
    #[command(flatten)]
    target: Target,
}

/// Let a paused process of a demo go on (SIGCONT).
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  hangraft resume n1 --dir /tmp/demo\n  hangraft resume paused --dir /tmp/demo"
)]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    target: Target,
}

/// Start a process of a demo again; one that still runs is stopped first.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  hangraft restart follower --dir /tmp/demo\n  hangraft restart ended --dir /tmp/demo"
)]
pub(crate) struct RestartArgs {
    #[command(flatten)]
    target: Target,
}

/// Kills, and waits until it is gone.
pub(crate) async fn kill(args: KillArgs) -> anyhow::Result<()> {
    let process = args.target.find(Doing::Running).await?;
    kill_process(&args.target.dir, &process).await?;
    print(&format!("{} (process {}) is killed", process.name, process.pid))
}

/// Pauses, and waits until it stands still.
pub(crate) async fn pause(args: PauseArgs) -> anyhow::Result<()> {
    let process = args.target.find(Doing::Running).await?;
    process.send(&args.target.dir, Signal::SIGSTOP)?;
    process.until("paused", || process.scheduler_state() == Some('T')).await?;
    print(&format!("{} (process {}) is paused", process.name, process.pid))
}

/// Resumes, and waits until it moves.
pub(crate) async fn resume(args: ResumeArgs) -> anyhow::Result<()> {
    let process = args.target.find(Doing::Paused).await?;
    process.send(&args.target.dir, Signal::SIGCONT)?;
    process.until("running", || process.scheduler_state() != Some('T')).await?;
    print(&format!("{} (process {}) goes on", process.name, process.pid))
}

/// Restarts, and waits until it answers.
pub(crate) async fn restart(args: RestartArgs) -> anyhow::Result<()> {
    let process = args.target.find(Doing::Running).await?;
    let pid = restart_process(&args.target.dir, &process).await?;
    print(&format!("{} (process {pid}) runs again", process.name))
}

/// Kills a process of the demo in `dir`, and waits until it is gone.
pub(crate) async fn kill_process(dir: &Path, process: &Process) -> anyhow::Result<()> {
    process.send(dir, Signal::SIGKILL)?;
    process.until("gone", || !process.runs_in(dir)).await
}

/// Has a process of the demo in `dir` restarted, and waits until it answers; its new id.
pub(crate) async fn restart_process(dir: &Path, process: &Process) -> anyhow::Result<u32> {
    let pid = control::restart(dir, &process.name).await?;
    let deadline = Instant::now() + PATIENCE;
    while !process.role.answers(dir).await {
        if Instant::now() > deadline {
            let log = dir.join(format!("{}.log", process.name));
            bail!(
                "{} does not answer after its restart; look into {}",
                process.name,
                log.display()
            );
        }
        sleep(LOOK).await;
    }
    Ok(pid)
}

impl RestartArgs {
    /// This process of the demo in `dir`.
    pub(crate) fn of(dir: &Path, name: &str) -> Self {
        Self { target: Target { name: name.into(), dir: dir.into() } }
    }
}

impl Target {
    /// The demo's folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) async fn find(&self, doing: Doing) -> anyhow::Result<Process> {
        let record = Record::of(&self.dir)?;
        if [LEADER, FOLLOWER].contains(&self.name.as_str()) {
            return self.find_by_role(&record, doing).await;
        }
        if let Some(doing) = Doing::said(&self.name) {
            let mut those = record.processes().filter(|process| process.does(&self.dir) == doing);
            // One that cannot start again is meant only where there is no other.
            let spent = |process: &Process| RealEnv::why_spent(&self.dir.join(&process.name));
            let first = those.next();
            let found = match first {
                Some(first) if spent(&first).is_some() => {
                    those.find(|process| spent(process).is_none()).or(Some(first))
                }
                first => first,
            };
            return found.with_context(|| format!("no process of this demo is {}", self.name));
        }
        let names: Vec<_> = record.processes().map(|process| process.name).collect();
        record.processes().find(|process| process.name == self.name).ok_or_else(|| {
            anyhow!("this demo has no {}; name one of {}", self.name, names.join(", "))
        })
    }

    /// The process of the first node that is the leader, or a follower, and does this. Nodes
    /// that run are asked who leads; the others would not answer.
    async fn find_by_role(&self, record: &Record, doing: Doing) -> anyhow::Result<Process> {
        let that = |doing| record.processes().filter(move |one| one.does(&self.dir) == Some(doing));
        let running: Vec<Role> = that(Doing::Running).map(|process| process.role).collect();
        let mut doors = reach::demo(&self.dir)?;
        doors.retain(|door| running.contains(&Role::Node(door.node())));
        ensure!(!doors.is_empty(), "no node of this demo runs, so nobody knows the {}", self.name);
        let (_, nodes) = Nodes::ask_led(&doors).await?;
        let names = nodes.names(&self.name)?;
        let called = |name: &&str| that(doing).find(|process| process.name == **name);
        names.iter().find_map(called).with_context(|| {
            format!("no {} of this demo {}; name a process", self.name, doing.text())
        })
    }
}

impl Doing {
    /// What a process does that is called by that; nothing when it has ended.
    fn said(name: &str) -> Option<Option<Self>> {
        match name {
            "paused" => Some(Some(Self::Paused)),
            "ended" => Some(None),
            _ => None,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Running => "runs",
            Self::Paused => "is paused",
        }
    }
}

impl Process {
    fn send(&self, dir: &Path, signal: Signal) -> anyhow::Result<()> {
        if !self.runs_in(dir) {
            bail!(
                "{name} is not running; start it with `hangraft restart {name} --dir {dir}`",
                name = self.name,
                dir = dir.display()
            );
        }
        let pid = i32::try_from(self.pid).context("a process id out of range")?;
        signal::kill(Pid::from_raw(pid), signal)
            .with_context(|| format!("cannot signal {} (process {pid})", self.name))
    }

    /// Whether the process that has the recorded id now is still the one that was
    /// started with this demo's configuration file. One that has ended but was not
    /// yet buried has no command line, and does not count.
    fn runs_in(&self, dir: &Path) -> bool {
        let Ok(dir) = dir.canonicalize() else { return false };
        let config = config_file(&dir, &self.name);
        fs::read(format!("/proc/{}/cmdline", self.pid)).is_ok_and(|line| {
            line.split(|&byte| byte == 0).any(|word| word == config.as_os_str().as_encoded_bytes())
        })
    }

    /// What it does; nothing when it is not there.
    pub(crate) fn does(&self, dir: &Path) -> Option<Doing> {
        if !self.runs_in(dir) {
            return None;
        }
        let paused = self.scheduler_state() == Some('T');
        Some(if paused { Doing::Paused } else { Doing::Running })
    }

    /// The letter Linux has for what a process does: `T` when it is paused.
    fn scheduler_state(&self) -> Option<char> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        // The name in parentheses may hold anything, parentheses too.
        stat.rsplit_once(") ")?.1.chars().next()
    }

    async fn until(&self, what: &str, reached: impl Fn() -> bool) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !reached() {
            if Instant::now() > deadline {
                bail!("{} (process {}) is not {what} after {PATIENCE:?}", self.name, self.pid);
            }
            sleep(LOOK).await;
        }
        Ok(())
    }
}

impl Role {
    /// Whether the process, of the demo in `dir`, answers at all.
    pub(super) async fn answers(&self, dir: &Path) -> bool {
        match self {
            Self::Node(address) => {
                let Ok(pass) = key::pass(&ClusterKey::in_folder(dir)) else { return false };
                Door::new(*address, pass).report().await.is_ok()
            }
            Self::Frontend(address) => {
                matches!(http::get_status(*address, "/healthz").await, Ok(200))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use tempfile::TempDir;

    use super::*;

    /// A process that waits, with a command line like that of a demo's node.
    fn stand_in(config: &Path) -> Child {
        Command::new("sh")
            .args(["-c", "read line", "sh", "--config"])
            .arg(config)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn process(pid: u32) -> Process {
        Process { name: "n1".into(), pid, role: Role::Node("127.0.0.1:1".parse().unwrap()) }
    }

    /// A process id that was given to a stranger is not touched.
    #[tokio::test]
    async fn a_stranger_is_left_alone() {
        let dir = TempDir::new().unwrap();
        let mut stranger = stand_in(Path::new("/elsewhere/n1.toml"));
        let err = kill_process(dir.path(), &process(stranger.id())).await.unwrap_err();
        assert!(err.to_string().contains("n1 is not running; start it with"), "{err}");
        assert!(stranger.try_wait().unwrap().is_none(), "it lives");
        drop(stranger.stdin.take());
        stranger.wait().unwrap();
    }

    /// Who leads is known to nodes that run only.
    #[tokio::test]
    async fn without_a_node_nobody_leads() {
        let dir = TempDir::new().unwrap();
        let record = Record { nodes: Vec::new(), frontends: Vec::new() };
        record.save(dir.path()).unwrap();
        ClusterKey::create(&ClusterKey::in_folder(dir.path())).unwrap();
        for (name, said) in [
            ("leader", "no node of this demo runs, so nobody knows the leader"),
            ("follower", "no node of this demo runs, so nobody knows the follower"),
            ("paused", "no process of this demo is paused"),
            ("ended", "no process of this demo is ended"),
            ("n1", "this demo has no n1"),
        ] {
            let target = Target { name: name.into(), dir: dir.path().into() };
            let err = target.find(Doing::Running).await.expect_err(name).to_string();
            assert!(err.starts_with(said), "{err}");
        }
    }

    /// A demo's own process is paused, goes on, and is killed.
    #[tokio::test]
    async fn a_demos_process_is_signalled() {
        let dir = TempDir::new().unwrap();
        let mut child = stand_in(&config_file(&dir.path().canonicalize().unwrap(), "n1"));
        let process = process(child.id());
        process.until("started", || process.runs_in(dir.path())).await.unwrap();
        process.send(dir.path(), Signal::SIGSTOP).unwrap();
        process.until("paused", || process.does(dir.path()) == Some(Doing::Paused)).await.unwrap();
        process.send(dir.path(), Signal::SIGCONT).unwrap();
        process.until("running", || process.scheduler_state() != Some('T')).await.unwrap();
        process.until("going", || process.does(dir.path()) == Some(Doing::Running)).await.unwrap();
        kill_process(dir.path(), &process).await.unwrap();
        assert_eq!(process.does(dir.path()), None);
        assert!(!child.wait().unwrap().success());
        assert!(process.send(dir.path(), Signal::SIGKILL).is_err());
    }
}
