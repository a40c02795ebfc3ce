//! This process among others: when it is asked to stop, with whom it dies, how
//! many files it may open.

use std::{env, io, thread};

use anyhow::Context;
use nix::sys::{
    resource::{Resource, getrlimit, setrlimit},
    stat::{Mode, umask},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};
use tracing::warn;

/// How a process is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It hands over what it has first, for it is going to be missed (SIGTERM).
    InOrder,
    /// Somebody waits at the terminal, or has gone.
    AtOnce,
}

/// This program as it was called, so that what we print can be pasted.
pub(crate) fn program() -> String {
    env::args().next().unwrap_or_else(|| "hangraft".into())
}

/// Resolves whenever someone asks this process to stop.
pub(crate) struct StopRequests {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    parent: Option<oneshot::Receiver<()>>,
}

impl StopRequests {
    /// Listens for Ctrl-C, SIGTERM and the end of the terminal. `with_parent`
    /// also for the end of the process at the other end of standard input.
    pub(crate) fn listen(with_parent: bool) -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
            parent: with_parent.then(follow_parent),
        })
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> Stop {
        tokio::select! {
            _ = self.interrupt.recv() => Stop::AtOnce,
            _ = self.terminate.recv() => Stop::InOrder,
            _ = self.hangup.recv() => Stop::AtOnce,
            () = gone(&mut self.parent) => {
                self.parent = None;
                Stop::AtOnce
            }
        }
    }
}

async fn gone(parent: &mut Option<oneshot::Receiver<()>>) {
    match parent {
        Some(parent) => _ = parent.await,
        None => std::future::pending().await,
    }
}

/// Notices the end of the parent in two ways. Standard input ends: that works
/// everywhere and lets us stop in order. And on Linux the kernel kills us, which
/// works for a process that is paused.
fn follow_parent() -> oneshot::Receiver<()> {
    die_with_parent();
    let (gone, parent) = oneshot::channel();
    // A thread of its own, and never joined: a read of standard input cannot be
    // called off, and a runtime would wait for it when it shuts down.
    thread::spawn(move || {
        // Nobody writes there, so this returns at the end, whichever it is.
        _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        _ = gone.send(());
    });
    parent
}

#[cfg(target_os = "linux")]
fn die_with_parent() {
    if let Err(err) = nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL) {
        warn!(%err, "cannot ask the kernel to end with the parent");
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent() {}

/// Lets nobody but its owner read what this process, and what it starts, writes from now
/// on: logs, data, backups and keys hold what is secret.
pub(crate) fn keep_private() {
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
}

/// Raises the number of open files to what the system allows this process:
/// every player is one, and the usual default of 1,024 is soon reached.
pub(crate) fn raise_open_files() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    if let Err(err) = raised {
        warn!(%err, "cannot raise the number of open files");
    }
}

/// How many files this process may have open.
pub(crate) fn open_files_max() -> anyhow::Result<u64> {
    let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).context("how many files may be open?")?;
    Ok(soft)
}
