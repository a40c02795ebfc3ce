//! Runs the script that makes trouble, and writes down what it says.

use std::{env, os::unix::fs::symlink, path::Path, process::Stdio, sync::Arc};

use anyhow::{Context, ensure};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::Command,
};

use crate::play::client::Scene;

/// What a script is told by its environment: the demo's folder, how many first members
/// it has, the seed.
pub(crate) const NODES: &str = "HANGRAFT_NODES";
pub(crate) const SEED: &str = "HANGRAFT_SEED";
pub(crate) const DIR: &str = "HANGRAFT_DIR";

/// This program under the name that scripts call it by, in a folder of its own.
pub(crate) struct Called {
    folder: TempDir,
}

impl Called {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let program = env::current_exe().context("where is this program?")?;
        let folder = TempDir::with_prefix("hangraft-").context("cannot make a folder")?;
        symlink(program, folder.path().join("hangraft")).context("cannot make a link")?;
        Ok(Self { folder })
    }

    /// Lets a script find it before all others.
    pub(crate) fn tell(&self, command: &mut Command) {
        let mut path = self.folder.path().as_os_str().to_owned();
        if let Some(others) = env::var_os("PATH") {
            path.push(":");
            path.push(others);
        }
        command.env("PATH", path);
    }
}

/// Runs it to its end. `hangraft` is this program there.
///
/// # Errors
/// When it cannot be run, and when it fails: what was to be shown was not.
pub(crate) async fn run(script: &Path, dir: &Path, scene: &Arc<Scene>) -> anyhow::Result<()> {
    let script = script.canonicalize().with_context(|| format!("no {}", script.display()))?;
    let called = Called::new()?;
    let mut command = Command::new(&script);
    called.tell(&mut command);
    let mut child = command
        .env(DIR, dir)
        .env(NODES, scene.members.to_string())
        .env(SEED, scene.seed.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot run {}", script.display()))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let told = async { tokio::join!(listen(out, scene), listen(err, scene)) };
    let (status, (_, last_words)) = tokio::join!(child.wait(), told);
    let status = status.context("cannot wait for the script")?;
    let why = last_words.map_or_else(String::new, |words| format!(": {words}"));
    ensure!(status.success(), "the script {} has failed ({status}){why}", script.display());
    Ok(())
}

/// Writes down every line; the last one.
async fn listen(from: Option<impl AsyncRead + Unpin>, scene: &Scene) -> Option<String> {
    let mut lines = BufReader::new(from?).lines();
    let mut last = None;
    while let Ok(Some(line)) = lines.next_line().await {
        if !line.trim().is_empty() {
            scene.record.say("story", &line);
            last = Some(line);
        }
    }
    last
}
