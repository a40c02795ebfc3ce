//! The one binary. Each subcommand is one file here, and thin: what it starts or
//! asks lives in the other crates.
//!
//! It exits with 0 when the thing asked for is done, with 2 when it was asked
//! wrongly (a configuration that cannot work, a folder whose id is spent), and with 1 otherwise, after one
//! line that says what to do next.

mod address;
mod bench;
mod bot;
mod check;
mod cluster;
mod demo;
mod events;
mod fault;
mod frontend;
mod http;
mod key;
mod lab;
mod leaving;
mod local;
mod logging;
mod members;
mod metrics;
mod node;
mod output;
mod planted;
mod play;
mod process;
mod reach;
mod report;
mod rolling;
mod snapshot;
mod socket;
mod status;
mod usage;

use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use hangraft_cluster_config::{ConfigError, KeyError};
use hangraft_node::StartError;

use crate::usage::Usage;

/// Nodes and frontends make and drop many small things on several threads, which
/// this allocator does with less work than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Threads for sockets, gRPC and everything else that waits. Consensus has
/// threads of its own.
const SERVICE_THREADS: usize = 2;

const EXAMPLES: &str = "\
Examples:
  hangraft demo                         a cluster of three on this machine, and the address to open
  hangraft lab                          the same, and a page that shows it thinking
  hangraft status                       who is there, who leads, how far each has come
  hangraft node --config node1.toml     one node of a real cluster

Logs go to standard error; HANGRAFT_LOG=debug shows more of them.";

/// A cluster that plays small browser games on Raft, and keeps playing while its machines die.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, after_help = EXAMPLES)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Node(node::Args),
    Frontend(frontend::Args),
    Status(status::Args),
    Events(events::Args),
    Join(members::JoinArgs),
    Leave(members::LeaveArgs),
    TransferLeader(members::TransferArgs),
    Cluster(members::ClusterArgs),
    Snapshot(snapshot::Args),
    Fault(fault::Args),
    Kill(demo::faults::KillArgs),
    Pause(demo::faults::PauseArgs),
    Resume(demo::faults::ResumeArgs),
    Restart(demo::faults::RestartArgs),
    Wipe(demo::disks::WipeArgs),
    Spare(demo::disks::SpareArgs),
    RollingRestart(rolling::Args),
    Lab(lab::Args),
    Check(check::Args),
    Report(report::Args),
    Bot(bot::Args),
    Bench(bench::Args),
}

fn main() -> ExitCode {
    match run(Args::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("hangraft: {err:#}");
            ExitCode::from(if is_wrong_use(&err) { 2 } else { 1 })
        }
    }
}

/// Whether doing it again, as it is, cannot help: something starts nodes and frontends
/// again after any other end.
fn is_wrong_use(err: &anyhow::Error) -> bool {
    err.is::<Usage>()
        || err.is::<node::Spent>()
        || err.is::<ConfigError>()
        || err.is::<KeyError>()
        || matches!(err.downcast_ref(), Some(StartError::Another { .. }))
}

fn run(command: Command) -> anyhow::Result<()> {
    logging::init(command.log_filter())?;
    // This one writes nothing. What it runs is the operator's own, as if they had typed it.
    if !matches!(command, Command::RollingRestart(_)) {
        process::keep_private();
    }
    process::raise_open_files();
    planted::plant()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(SERVICE_THREADS)
        .thread_name("service")
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(command.run())
}

impl Command {
    async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Demo(args) => demo::run(args).await,
            Self::Node(args) => node::run(args).await,
            Self::Frontend(args) => frontend::run(args).await,
            Self::Status(args) => status::run(args).await,
            Self::Events(args) => events::run(args).await,
            Self::Join(args) => members::join(args).await,
            Self::Leave(args) => members::leave(args).await,
            Self::TransferLeader(args) => members::transfer_leader(args).await,
            Self::Cluster(args) => members::cluster(args).await,
            Self::Snapshot(args) => snapshot::run(args).await,
            Self::Fault(args) => fault::run(args).await,
            Self::Kill(args) => demo::faults::kill(args).await,
            Self::Pause(args) => demo::faults::pause(args).await,
            Self::Resume(args) => demo::faults::resume(args).await,
            Self::Restart(args) => demo::faults::restart(args).await,
            Self::Wipe(args) => demo::disks::wipe(args).await,
            Self::Spare(args) => demo::disks::spare(args).await,
            Self::RollingRestart(args) => rolling::run(args).await,
            Self::Lab(args) => lab::run(args).await,
            Self::Check(args) => check::run(args).await,
            Self::Report(args) => report::run(args),
            Self::Bot(args) => bot::run(args).await,
            Self::Bench(args) => bench::run(args).await,
        }
    }

    /// What is logged when nobody asks: the life of a server, in our words and not
    /// in every word of the libraries below, and nothing but trouble of a tool
    /// whose output is for reading.
    fn log_filter(&self) -> &'static str {
        match self {
            Self::Node(_) | Self::Frontend(_) => "warn,hangraft=info",
            _ => "warn",
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// Clap checks its own definitions only when asked to.
    #[test]
    fn the_arguments_are_sound() {
        Args::command().debug_assert();
    }

    /// Every command that does something shows how it is used.
    #[test]
    fn every_command_has_an_example() {
        fn check(command: &clap::Command, path: &str) {
            let after = command.get_after_help().map(|text| text.to_string()).unwrap_or_default();
            assert!(after.contains(path), "`{path} --help` shows no example");
            assert!(command.get_about().is_some(), "`{path}` does not say what it is");
            for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
                check(inner, &format!("{path} {}", inner.get_name()));
            }
        }
        check(&Args::command(), "hangraft");
    }
}
