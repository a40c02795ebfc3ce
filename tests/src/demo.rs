//! A real demo: the binary beside the tests, its cluster in processes, a folder of
//! its own and ports that nobody else has.
//!
//! A dropped demo is a stopped one. Nothing is killed that was not started here: a
//! process counts as ours when its command line names our folder.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::{
    cluster::{Cluster, Status},
    ports::Ports,
    wait::eventually,
};

/// The environment variable with the binary to test, instead of the one beside us.
const BINARY: &str = "HANGRAFT_BIN";

/// The environment variable with a build of the next version, instead of the one
/// beside us.
const NEXT_BINARY: &str = "HANGRAFT_NEXT_BIN";

/// How long a demo may take to start, or to stop: two cores, many demos.
const PATIENCE: Duration = Duration::from_secs(60);

/// What kind of demo.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// How many nodes.
    pub nodes: u16,
    /// How many frontends.
    pub frontends: u16,
    /// Whether players are slowed down as in real life.
    pub limits: bool,
    /// How the network namespaces begin in which its nodes run; none for on loopback.
    pub namespaces: Option<String>,
    /// How long its leaders watch a new node before it may vote; the usual time when
    /// nobody says.
    pub stable_ms: Option<u64>,
    /// What is logged, as in `HANGRAFT_LOG`.
    pub log: &'static str,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            nodes: 3,
            frontends: 2,
            limits: true,
            namespaces: None,
            stable_ms: None,
            log: "info",
        }
    }
}

/// A place for a demo: a folder and ports. Demos may come and go in it.
#[derive(Debug)]
pub struct Home {
    dir: TempDir,
    ports: Ports,
}

/// A running demo.
#[derive(Debug)]
pub struct Demo {
    home: Home,
    child: Child,
    printed: Arc<Mutex<String>>,
}

/// What `demo.json` says.
#[derive(Clone, Debug, Deserialize)]
pub struct Record {
    /// The nodes, in the order of their names.
    pub nodes: Vec<NodeRecord>,
    /// The frontends, in the order of their names.
    pub frontends: Vec<FrontendRecord>,
}

/// A node in `demo.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct NodeRecord {
    /// Such as `n1`.
    pub name: String,
    /// Its number in the cluster.
    pub id: u64,
    /// Its last process.
    pub pid: u32,
    /// Where it listens.
    pub address: String,
    /// Where its data is.
    pub dir: PathBuf,
    /// The network namespace that it runs in, if it has one of its own.
    pub namespace: Option<String>,
}

/// A frontend in `demo.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct FrontendRecord {
    /// Its last process.
    pub pid: u32,
    /// The URL to open.
    pub http: String,
}

/// The binary that is tested.
///
/// # Panics
/// When it was not built. Tests do not build: they would test something else
/// than what `cargo build` left.
pub fn binary() -> PathBuf {
    let binary = binary_beside_us(BINARY, "hangraft");
    assert!(
        binary.exists(),
        "{} is missing; run `cargo build` first, or name another in {BINARY}",
        binary.display()
    );
    binary
}

/// A build of the next version, with `--features next`, if there is one.
///
/// # Errors
/// What to do about it.
pub fn next_binary() -> Result<PathBuf, String> {
    let binary = binary_beside_us(NEXT_BINARY, "hangraft-next");
    if binary.exists() {
        return Ok(binary);
    }
    Err(format!(
        "{} is missing; make it as scripts/test does, or name another in {NEXT_BINARY}",
        binary.display()
    ))
}

fn binary_beside_us(variable: &str, name: &str) -> PathBuf {
    if let Some(binary) = env::var_os(variable) {
        return binary.into();
    }
    let test = env::current_exe().expect("this test is a file");
    let profile = test.parent().and_then(Path::parent).expect("target/<profile>/deps/<test>");
    profile.join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// Runs the binary to its end.
pub async fn run<S: AsRef<OsStr>>(args: &[S]) -> Output {
    let mut command = Command::new(binary());
    command.args(args).stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(PATIENCE, command.output()).await;
    output.expect("a command that ends").expect("a command that starts")
}

/// Runs the binary, which must do what it is asked; what it prints.
///
/// # Panics
/// When it does not; with what it said.
pub async fn run_well<S: AsRef<OsStr>>(args: &[S]) -> String {
    let output = run(args).await;
    let said = String::from_utf8_lossy(&output.stderr);
    let args: Vec<_> = args.iter().map(|arg| arg.as_ref().to_string_lossy()).collect();
    assert!(output.status.success(), "{args:?}: {}: {said}", output.status);
    String::from_utf8(output.stdout).expect("text")
}

/// Runs the binary, which must refuse in one line; the exit code and that line.
///
/// # Panics
/// When it does something, or says more or less.
pub async fn run_in_vain<S: AsRef<OsStr>>(args: &[S]) -> (Option<i32>, String) {
    let output = run(args).await;
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(!output.status.success() && said.lines().count() == 1, "{}: {said}", output.status);
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    (output.status.code(), said)
}

impl Home {
    /// A new folder, and ports.
    ///
    /// # Panics
    /// When the system has no folder for us.
    #[expect(clippy::new_without_default, reason = "a home takes ports; that is no default")]
    pub fn new() -> Self {
        let dir = TempDir::with_prefix("hangraft-test-").expect("a temporary folder");
        Self { dir, ports: Ports::take() }
    }

    /// The demo's folder.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The port of the first frontend; the others follow.
    pub fn port(&self) -> u16 {
        self.ports.frontends()
    }

    /// The port of the first node; the others follow.
    pub fn node_port(&self) -> u16 {
        self.ports.nodes()
    }

    /// The file with the key of a demo here.
    pub fn key(&self) -> PathBuf {
        self.dir().join("cluster.key")
    }

    /// An address for a node that joins later, or for one that is started by hand.
    pub fn new_address(&self) -> String {
        format!("127.0.0.1:{}", self.ports.newcomer())
    }

    /// The command that starts a demo here.
    pub fn command(&self, wanted: &Wanted) -> Command {
        let mut command = Command::new(binary());
        command
            .arg("demo")
            .arg("--dir")
            .arg(self.dir())
            .args(["--nodes", &wanted.nodes.to_string()])
            .args(["--frontends", &wanted.frontends.to_string()])
            .args(["--port", &self.port().to_string()])
            .args(["--node-port", &self.node_port().to_string()])
            .env("HANGRAFT_LOG", wanted.log)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if !wanted.limits {
            command.arg("--no-limits");
        }
        if let Some(prefix) = &wanted.namespaces {
            command.args(["--namespaces", prefix]);
        }
        if let Some(ms) = wanted.stable_ms {
            command.env("HANGRAFT_NODE_MEMBERSHIP__STABLE_MS", ms.to_string());
        }
        command
    }

    /// The processes of a demo here that still run, whoever started them.
    pub fn processes(&self) -> Vec<u32> {
        let dir = self.dir().to_str().expect("a temporary folder has a plain name");
        let Ok(all) = fs::read_dir("/proc") else { return vec![] };
        let pids = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        pids.filter(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(dir)
        })
        .collect()
    }

    /// What the processes of a demo here have logged, by file name.
    pub fn logs(&self) -> Vec<(String, String)> {
        let entries = fs::read_dir(self.dir()).expect("the demo's folder");
        let files = entries.map(|entry| entry.expect("the demo's folder").path());
        let logs = files.filter(|file| file.extension().is_some_and(|end| end == "log"));
        let text = |file: PathBuf| {
            let bytes = fs::read(&file).expect("a log can be read");
            (file.display().to_string(), String::from_utf8_lossy(&bytes).into_owned())
        };
        logs.map(text).collect()
    }
}

impl Demo {
    /// Starts a demo of this kind in a new home, and waits until it is ready.
    pub async fn start(wanted: &Wanted) -> Self {
        Self::start_in(Home::new(), wanted).await
    }

    /// Starts a demo in this home, and waits until it is ready.
    ///
    /// # Panics
    /// When it does not start; with what it printed.
    pub async fn start_in(home: Home, wanted: &Wanted) -> Self {
        let mut child = home.command(wanted).spawn().expect("the binary starts");
        let printed = Arc::new(Mutex::new(String::new()));
        follow(child.stdout.take().expect("piped"), printed.clone());
        follow(child.stderr.take().expect("piped"), printed.clone());
        let mut demo = Self { home, child, printed };
        let ready = "a demo starts and says that it stops with Ctrl-C";
        eventually(ready, PATIENCE, async || {
            if let Some(status) = demo.child.try_wait().expect("our child") {
                panic!("the demo ended, {status}:\n{}", demo.printed());
            }
            demo.printed().contains("Ctrl-C").then_some(())
        })
        .await;
        demo
    }

    /// Where it lives.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The demo's own process.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it was not waited for")
    }

    /// Everything the demo has printed so far.
    pub fn printed(&self) -> String {
        self.printed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What `demo.json` says now.
    ///
    /// # Panics
    /// When it says nothing we understand.
    pub fn record(&self) -> Record {
        let text = fs::read(self.home.dir().join("demo.json")).expect("a demo writes demo.json");
        serde_json::from_slice(&text).expect("demo.json has its form")
    }

    /// The URLs of all frontends.
    pub fn frontends(&self) -> Vec<String> {
        self.record().frontends.into_iter().map(|frontend| frontend.http).collect()
    }

    /// The names of all nodes.
    pub fn nodes(&self) -> Vec<String> {
        self.record().nodes.into_iter().map(|node| node.name).collect()
    }

    /// Kills a process of the demo at once, as `hangraft kill` does.
    pub async fn kill(&self, name: &str) {
        self.process_fault("kill", name).await;
    }

    /// Pauses a process, as `hangraft pause` does.
    pub async fn pause(&self, name: &str) {
        self.process_fault("pause", name).await;
    }

    /// Resumes a process, as `hangraft resume` does.
    pub async fn resume(&self, name: &str) {
        self.process_fault("resume", name).await;
    }

    /// Starts a process again, as `hangraft restart` does.
    pub async fn restart(&self, name: &str) {
        self.process_fault("restart", name).await;
    }

    /// Runs `hangraft fault` with these words; what it says.
    ///
    /// # Panics
    /// When it refuses.
    pub async fn fault(&self, words: &str) -> String {
        let dir = self.home.dir().to_str().expect("a temporary folder has a plain name");
        let args = ["fault"].into_iter().chain(words.split(' ')).chain(["--dir", dir]);
        run_well(&args.collect::<Vec<_>>()).await
    }

    /// The cluster as an operator sees it who knows the demo's own nodes.
    pub fn cluster(&self) -> Cluster {
        Cluster::of(self.record().nodes.into_iter().map(|node| node.address))
    }

    /// The cluster as one of its nodes sees it, the first that answers.
    pub async fn status(&self) -> anyhow::Result<Status> {
        self.cluster().status().await
    }

    /// The name of the node that leads, as soon as there is one and it answers.
    pub async fn leader(&self) -> String {
        self.cluster().leader().await.name
    }

    /// See [`Cluster::hashes_at_rest`].
    pub async fn hashes_at_rest(&self) -> Vec<String> {
        self.cluster().hashes_at_rest().await
    }

    /// Asks the demo to stop, and waits until it and all it started are gone.
    /// The home stays.
    ///
    /// # Panics
    /// When it does not stop in time, or leaves a process behind.
    pub async fn stop(mut self, signal: Signal) -> Home {
        send(self.pid(), signal);
        let status = timeout(PATIENCE, self.child.wait()).await;
        let status = status.expect("a demo stops when asked").expect("our child");
        assert!(status.success(), "the demo ended, {status}:\n{}", self.printed());
        let left = self.home.processes();
        assert!(left.is_empty(), "processes {left:?} outlived their demo");
        let home = Home { dir: TempDir::new().expect("a temporary folder"), ports: Ports::take() };
        std::mem::replace(&mut self.home, home)
    }

    async fn process_fault(&self, what: &str, name: &str) {
        let dir = self.home.dir().to_str().expect("a temporary folder has a plain name");
        let output = run(&[what, name, "--dir", dir]).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "hangraft {what} {name}: {said}{}", self.printed());
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        _ = self.child.start_kill();
        // Paused ones do not notice that their parent is gone.
        self.home.processes().into_iter().for_each(|pid| send(pid, Signal::SIGKILL));
        if std::thread::panicking() {
            eprintln!("the demo printed:\n{}", self.printed());
            for (file, text) in self.home.logs() {
                let lines: Vec<_> = text.lines().collect();
                let last = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n");
                eprintln!("the end of {file}:\n{last}");
            }
        }
    }
}

/// Lines of each log that a failed test shows.
const LOG_LINES: usize = 30;

/// Sends a signal to a process that may have ended by itself.
pub fn send(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).expect("process ids are small");
    _ = signal::kill(Pid::from_raw(pid), signal);
}

fn follow(from: impl AsyncRead + Unpin + Send + 'static, into: Arc<Mutex<String>>) {
    tokio::spawn(async move {
        let mut lines = BufReader::new(from).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut into = into.lock().unwrap_or_else(PoisonError::into_inner);
            into.push_str(&line);
            into.push('\n');
        }
    });
}
