//! Processes beside a demo: nodes that join it, or that are started by hand, and
//! frontends.
//!
//! Each has a folder of its own with its log. They end with the test, however it ends.

use std::{
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use nix::sys::signal::Signal;
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use crate::{
    demo::{binary, send},
    wait::eventually,
};

/// How long a process may take to end when it has a reason to.
const PATIENCE: Duration = Duration::from_secs(60);

/// Arguments of a node with a configuration: what to run, and the file.
const NODE_ARGS: usize = 3;

/// Lines of a log that a failed test shows.
const LOG_LINES: usize = 30;

/// A `hangraft node` or `hangraft frontend`, running or not.
#[derive(Debug)]
pub struct Process {
    name: String,
    address: String,
    args: Vec<String>,
    dir: TempDir,
    child: Option<Child>,
}

impl Process {
    /// A process that does not run yet: `hangraft` with these arguments.
    ///
    /// # Panics
    /// When the system has no folder for it.
    pub fn new(name: &str, address: &str, args: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            address: address.to_owned(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            dir: TempDir::with_prefix("hangraft-process-").expect("a temporary folder"),
            child: None,
        }
    }

    /// A node that does not run yet, with a configuration: these lines, and where its
    /// data is.
    ///
    /// # Panics
    /// When its folder cannot be written.
    pub fn node(name: &str, address: &str, toml: &str) -> Self {
        let mut node = Self::new(name, address, &[]);
        let file = node.dir.path().join("node.toml");
        let text = format!("address = \"{address}\"\ndata_dir = \"data\"\n{toml}");
        fs::write(&file, text).expect("a temporary folder");
        node.args = ["node", "--config", text_of(&file)].map(str::to_owned).into();
        node
    }

    /// A node that does not run gets another address, with other lines in its configuration.
    /// Its data stays where it is.
    ///
    /// # Panics
    /// When its folder cannot be written.
    pub fn move_to(&mut self, address: &str, toml: &str) {
        let text = format!("address = \"{address}\"\ndata_dir = \"data\"\n{toml}");
        fs::write(self.dir.path().join("node.toml"), text).expect("a temporary folder");
        address.clone_into(&mut self.address);
    }

    /// From its next start on it is given these arguments as well, and none of those that were
    /// added before.
    pub fn add_args(&mut self, more: &[&str]) {
        self.args.truncate(NODE_ARGS);
        self.args.extend(more.iter().map(|arg| (*arg).to_owned()));
    }

    /// A node that joins the cluster of these seeds, and may vote soon; it runs already.
    pub fn joining(address: &str, seeds: &[String], key: &Path) -> Self {
        let cluster = format!("[cluster]\nkey_file = {key:?}\nseeds = {seeds:?}\n");
        let mut node = Self::node("a node that joins", address, &(cluster + STABLE_SOON));
        node.start();
        node
    }

    /// A frontend of these nodes; it runs already.
    pub fn frontend(address: &str, nodes: &[String], key: &Path) -> Self {
        let mut args = vec!["frontend", "--address", address, "--key-file", text_of(key)];
        nodes.iter().for_each(|node| args.extend(["--node", node]));
        let mut frontend = Self::new("a frontend", address, &args);
        frontend.start();
        frontend
    }

    /// Starts it, with the binary that is tested.
    pub fn start(&mut self) {
        self.start_as(&binary());
    }

    /// Starts it, with another binary.
    ///
    /// # Panics
    /// When it runs already, or there is no such binary.
    pub fn start_as(&mut self, binary: &Path) {
        assert!(self.child.is_none(), "{} would run twice", self.name);
        let log = OpenOptions::new().create(true).append(true).open(self.log_file());
        let log: File = log.expect("a temporary folder");
        let mut command = Command::new(binary);
        command
            .args(&self.args)
            // It ends when we do, even if we are killed.
            .arg("--stop-with-parent")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .env("HANGRAFT_LOG", "info")
            .kill_on_drop(true);
        self.child = Some(command.spawn().expect("the binary starts"));
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its folder, with a configuration and data if it is a node that has them.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Everything it has logged, each time it ran.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.log_file()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until its log says this.
    pub async fn says(&self, text: &str) {
        let what = format!("{} says {text:?}", self.name);
        eventually(&what, PATIENCE, async || self.log().contains(text).then_some(())).await;
    }

    /// Asks it to stop in order, and waits; its exit code.
    pub async fn stop(&mut self) -> Option<i32> {
        send(self.pid(), Signal::SIGTERM);
        self.exit_code().await
    }

    /// Kills it at once, as by a power cut.
    pub async fn kill(&mut self) {
        send(self.pid(), Signal::SIGKILL);
        self.exit_code().await;
    }

    /// Waits until it has ended by itself; its exit code, if it was not killed.
    ///
    /// # Panics
    /// When it does not end in a minute, or does not run.
    pub async fn exit_code(&mut self) -> Option<i32> {
        let child = self.child.as_mut().expect("it runs");
        // Standard input stays open: it would end with that.
        let stdin = child.stdin.take();
        let status = timeout(PATIENCE, child.wait()).await;
        drop(stdin);
        let status = status.unwrap_or_else(|_| panic!("{} does not end", self.name));
        self.child = None;
        status.expect("our child").code()
    }

    fn pid(&self) -> u32 {
        let child = self.child.as_ref().expect("it runs");
        child.id().expect("it was not waited for")
    }

    fn log_file(&self) -> PathBuf {
        self.dir.path().join("log")
    }
}

/// A node that leads lets newcomers vote after half a second, and not after ten.
pub const STABLE_SOON: &str = "[membership]\nstable_ms = 500\n";

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            let last = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n");
            eprintln!("the end of the log of {} at {}:\n{last}", self.name, self.address);
        }
    }
}

fn text_of(path: &Path) -> &str {
    path.to_str().expect("a temporary folder has a plain name")
}
