//! `hangraft lab`: a cluster that can be seen thinking, and broken, on a page.
//!
//! ```text
//! ground.rs    the cluster: a demo of our own, one that runs, or nodes somewhere
//! bots.rs      players                  screens.rs   who looks at the rooms of people
//! story.rs     what is seen -> lines, every 50 ms: thin.rs leaves some out, judging.rs judges all
//! store.rs     the last ten minutes     fan.rs       hands it to all who look
//! words.rs     what may be asked for    deeds.rs     does it    child.rs  programs that are run
//! recorded.rs  what was written down    fork.rs      another day of a simulated one
//! web/         the page, and who may ask
//! ```

mod bots;
mod child;
mod deeds;
mod fan;
mod fork;
mod ground;
mod judging;
mod live;
mod recorded;
mod screens;
mod store;
mod story;
mod thin;
mod web;
mod words;

use std::{
    net::{IpAddr, SocketAddr},
    process::Stdio,
};

use anyhow::anyhow;
use clap::Subcommand;
use rand::RngExt;
use tokio::{net::TcpListener, process::Command};

use crate::{
    demo::lan,
    lab::web::{Guard, May, Tokens},
};

const EXAMPLES: &str = "\
Examples:
  hangraft lab                             three nodes, eight bots, http://127.0.0.1:8090
  hangraft lab --nodes 5 --spares 1 --open
  hangraft lab --host 0.0.0.0              for a class: one link to break, one to watch
  hangraft lab --nodes 5 --rate 5000       many moves
  hangraft lab --attach --dir /tmp/demo    a demo that runs
  hangraft lab --attach 10.0.0.1:7101,10.0.0.2:7101 --key-file cluster.key
  hangraft lab open leader-killed.html     what was recorded";

/// Show a cluster on a page while it thinks: its nodes, what they tell each other, the game
/// that is played on it, and whether it keeps its promises. On the page it can be broken, and
/// the last ten minutes be looked at again.
///
/// Everything ends with it. The page is for this machine alone, unless --host says otherwise;
/// then only whoever has one of the links that are printed may open it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    live: live::Args,
}

#[derive(Debug, Subcommand)]
enum What {
    Open(recorded::Args),
}

/// Runs a lab until it is asked to stop.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    match args.what {
        None => live::run(args.live).await,
        Some(What::Open(args)) => recorded::run(args).await,
    }
}

/// Where the page is.
struct Place {
    listener: TcpListener,
    address: SocketAddr,
    guard: Guard,
}

impl Place {
    /// Listens there.
    async fn take(host: IpAddr, port: u16) -> anyhow::Result<Self> {
        let busy = |err: std::io::Error| match err.kind() {
            std::io::ErrorKind::AddrInUse => {
                anyhow!(
                    "port {port} is in use; stop what uses it or choose another with --lab-port"
                )
            }
            _ => anyhow!("cannot listen at {host}:{port} ({err}); choose another with --lab-port"),
        };
        let listener = TcpListener::bind((host, port)).await.map_err(busy)?;
        let address = listener.local_addr()?;
        let guard = match host.is_loopback() {
            true => Guard::Loopback(May::Break),
            false => {
                let port = address.port();
                Guard::Tokens(Tokens { breaks: token(), watches: token(), port })
            }
        };
        Ok(Self { listener, address, guard })
    }

    /// The addresses to open, each with what it is for.
    fn links(&self) -> Vec<String> {
        let Guard::Tokens(tokens) = &self.guard else {
            return vec![format!("http://{}/", self.address)];
        };
        let ips = match self.address.ip() {
            ip if ip.is_unspecified() => lan::addresses(),
            ip => vec![ip],
        };
        let hosts = ips.iter().map(|ip| SocketAddr::new(*ip, self.address.port()));
        let links = hosts.flat_map(|host| {
            [
                format!("http://{host}/?token={}   may break things", tokens.breaks),
                format!("http://{host}/?watch={}   may only watch", tokens.watches),
            ]
        });
        links.collect()
    }

    /// Opens the page in a browser, if there is one.
    fn open(&self) {
        let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
        if let Some(link) = self.links().first().and_then(|link| link.split(' ').next()) {
            let [input, output, errors] = [Stdio::null(), Stdio::null(), Stdio::null()];
            let mut opening = Command::new(opener);
            opening.arg(link).stdin(input).stdout(output).stderr(errors);
            // It is a service to whoever sits here; without a browser there is none.
            _ = opening.spawn();
        }
    }
}

/// 128 bits that nobody guesses, as text.
fn token() -> String {
    format!("{:032x}", rand::rng().random::<u128>())
}
