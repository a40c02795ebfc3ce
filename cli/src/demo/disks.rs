//! `hangraft wipe` and `spare`: a disk of a demo is lost, and another node comes.
//!
//! A node that comes back with an empty disk under its old id is not believed: it may have
//! promised something that it does not know of. Its id is spent, and a new node takes its place
//! (Raft thesis, sections 3.8 and 4.3).

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use crate::{
    demo::{
        control,
        faults::{Doing, Target, kill_process},
        record::{Record, Role},
    },
    output::print,
};

/// Kill a node of a demo and empty its disk, as if that had been lost.
///
/// When it is restarted it finds that its id is spent. A spare takes its place, if there is
/// one; `hangraft spare` starts one.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  hangraft wipe n1 --dir /tmp/demo\n  hangraft wipe follower --dir /tmp/demo"
)]
pub(crate) struct WipeArgs {
    #[command(flatten)]
    target: Target,
}

/// Start one more node of a demo: it joins as a spare, which takes the place of a voter that
/// is lost or leaves.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  hangraft spare --dir /tmp/demo")]
pub(crate) struct SpareArgs {
    /// The demo's folder.
    #[arg(long, value_name = "DIR", env = "HANGRAFT_DIR")]
    dir: PathBuf,
}

/// Kills it if it runs, and empties its folder.
pub(crate) async fn wipe(args: WipeArgs) -> anyhow::Result<()> {
    let dir = args.target.dir();
    let process = args.target.find(Doing::Running).await?;
    if let Role::Frontend(_) = process.role {
        bail!("{} is a frontend, which has no disk; name a node", process.name);
    }
    let record = Record::of(dir)?;
    let node = record.nodes.iter().find(|node| node.name == process.name);
    let disk = &node.with_context(|| format!("this demo has no {}", process.name))?.dir;
    let home = dir.canonicalize().with_context(|| format!("there is no {}", dir.display()))?;
    if *disk != home.join(&process.name) {
        bail!("{} is not in the demo's folder; nothing was touched", disk.display());
    }
    if process.does(dir).is_some() {
        kill_process(dir, &process).await?;
    }
    empty(disk).with_context(|| format!("cannot empty {}", disk.display()))?;
    print(&format!("{} (process {}) is killed, its disk is empty", process.name, process.pid))
}

/// Asks the demo for one.
pub(crate) async fn spare(args: SpareArgs) -> anyhow::Result<()> {
    let name = control::spare(&args.dir).await?;
    print(&format!(
        "{name} has joined; it votes when a place is free and it has been there for a while"
    ))
}

/// Removes all that a node has written. What it is configured by stays, if it is there.
fn empty(disk: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(disk) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        let configures = |ending: &std::ffi::OsStr| ending == "toml" || ending == "key";
        if path.extension().is_some_and(configures) {
            continue;
        }
        // A link goes, and not what it leads to.
        if entry.file_type()?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// What a node has written is gone; its key, and what a link leads to, is not.
    #[test]
    fn a_disk_is_emptied() {
        let (dir, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let disk = dir.path().join("n1");
        fs::create_dir_all(disk.join("log/old")).unwrap();
        for file in ["identity", "cluster.key", "node.toml", "log/old/1"] {
            fs::write(disk.join(file), "x").unwrap();
        }
        fs::write(elsewhere.path().join("mine"), "x").unwrap();
        symlink(elsewhere.path(), disk.join("link")).unwrap();
        empty(&disk).unwrap();
        let mut left: Vec<_> =
            fs::read_dir(&disk).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["cluster.key", "node.toml"]);
        assert!(elsewhere.path().join("mine").exists());
        empty(&dir.path().join("n2")).expect("nothing is empty");
    }
}
