//! `hangraft bench sockets`: players at frontends, each with a socket of its own.
//!
//! Without more it is a [closed loop](closed), as fast as the cluster answers. With `--rate`
//! it is an [open loop](open) of planned moments, as people play. With `--idle` sockets are
//! only [held](idle).

mod closed;
mod idle;
mod load;
mod open;
mod parts;

use std::path::PathBuf;

use self::{idle::IdleArgs, open::OpenArgs, parts::Part};
use crate::{bench::Load, socket::Url, usage::ensure};

/// Sockets that are being opened at a time. A thousand at once would only measure
/// the queue of the listener.
const OPENING_MAX: usize = 64;

/// Processes that may make a load together. Each has a loopback address of its own.
const PROCESSES_MAX: i64 = 64;

const EXAMPLES: &str = "\
Examples:
  hangraft bench sockets --url http://127.0.0.1:8080 --dir /tmp/demo
  hangraft bench sockets --url http://127.0.0.1:8080 --url http://127.0.0.1:8081 --players 2000
  hangraft bench sockets --rate 500 --players 1000 --players-per-room 4 --watchers-per-room 1
  hangraft bench sockets --rate 8000 --players 40000 --processes 3 --seconds 60
  hangraft bench sockets --idle 5000 --dir /tmp/demo";

/// Play through frontends, one socket to a player: as fast as answers come, or at a planned rate.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A frontend; give several to spread the sockets.
    #[arg(long = "url", value_name = "URL", default_value = "http://127.0.0.1:8080")]
    urls: Vec<Url>,
    /// The demo's folder: says what its processes cost.
    #[arg(long)]
    dir: Option<PathBuf>,
    #[command(flatten)]
    open: OpenArgs,
    #[command(flatten)]
    idle: IdleArgs,
    /// Make the load with so many processes, each with its own files and loopback address.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=PROCESSES_MAX))]
    processes: u32,
    /// Which of these processes this is; a bench says it to those that it starts.
    #[arg(long, hide = true)]
    part: Option<Part>,
    #[command(flatten)]
    load: Load,
}

/// Runs the workload and prints what it saw.
pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    match (args.idle.idle, args.open.rate) {
        (Some(sockets), _) => idle::run(&args, sockets).await,
        (None, Some(rate)) => open::run(&args, rate).await,
        (None, None) => {
            ensure(args.processes == 1, || "--processes goes with --rate or --idle".into())?;
            closed::run(&args).await
        }
    }
}

impl Args {
    /// What of the load is this process's.
    fn part(&self) -> Part {
        self.part.unwrap_or_else(|| Part::first(self.processes))
    }
}
