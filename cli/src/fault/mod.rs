//! `hangraft fault`: makes the surroundings of a cluster's nodes worse, and good again.
//!
//! A command finds out who the nodes are and who leads, makes a plan of who is told what,
//! and tells them all. It does all or nothing. Nodes heal by themselves after `--for`, also
//! when whoever asked is gone. They refuse unless their configuration says `faults = true`.
//!
//! Where the nodes of a demo run in network namespaces, cuts between them are made there, by
//! the kernel. The nodes allow it, and know nothing more of it.

mod active;
mod args;
pub(crate) mod firewalls;
mod inject;
mod nft;
pub(crate) mod nodes;
mod patterns;
mod plan;
mod wording;

use clap::Subcommand;
use hangraft_proto::v1::{
    Bandwidth, Cut, Delay, Duplicate, FailFsync, FullDisk, LoseUnsynced, Loss, Reorder, Skew,
    SlowDisk, Traffic, fault::What, link_fault::Trouble,
};

use self::{
    args::{
        BandwidthArgs, DelayArgs, HealArgs, LinkArgs, ListArgs, NodeArgs, PathArgs, ShareArgs,
        SkewArgs, SlowDiskArgs,
    },
    firewalls::Firewalls,
    inject::carry_out,
    nodes::Nodes,
    plan::{Plan, RealCut},
};

const EXAMPLES: &str = "\
Examples:
  hangraft fault cut isolate leader --for 10s
  hangraft fault delay all --ms 100 --jitter-ms 20 --for 1m
  hangraft fault slow-disk n2 --ms 50
  hangraft fault list
  hangraft fault heal";

const PATTERNS: &str = "\
Patterns:
  n1 n2           these two, both ways
  n1 frontends    a node and all frontends, both ways
  isolate n1      a node and every other node, both ways
  one-way n1 n2   only what n1 sends to n2
  flap n1 n2      these two, both ways, on and off
  halves          a minority of the voters, with the leader in it, and the rest
  bridge          the same, but one voter of the rest hears both sides
  ring            every node keeps its two neighbours; needs 5 nodes
  all             every two nodes
`leader` and `follower` may stand for a node.";

/// Make the network, the disks or the clocks of a cluster worse, and good again.
///
/// Only nodes with `faults = true` in their configuration let that be done to them, as those
/// of a demo have. A command does all it says or nothing.
///
/// With the --dir of a demo with --namespaces, cuts between nodes are made in the kernel, by
/// nftables, and outlive the nodes' processes. One of one way takes TCP's acknowledgements with
/// it, so that streams stand still both ways. Everything else, also cuts from frontends and
/// flapping ones, is done by the nodes themselves, as in any other demo.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Let nothing through on links. Streams stand still.
    #[command(after_help = with_patterns(
        "Examples:\n  hangraft fault cut n1 n2\n  hangraft fault cut halves --for 10s --dir /tmp/demo"
    ))]
    Cut(LinkArgs),
    /// Let everything on links take longer.
    #[command(after_help = with_patterns(
        "Example:\n  hangraft fault delay isolate leader --ms 100 --jitter-ms 20"
    ))]
    Delay(DelayArgs),
    /// Lose some of the datagrams on links. Streams stand still for as long as sending again takes.
    #[command(after_help = with_patterns("Example:\n  hangraft fault drop all --percent 20"))]
    Drop(ShareArgs),
    /// Let some of the datagrams on links come twice.
    #[command(after_help = with_patterns("Example:\n  hangraft fault duplicate all --percent 5"))]
    Duplicate(ShareArgs),
    /// Let some of the datagrams on links come later than what was sent behind them.
    #[command(after_help = with_patterns("Example:\n  hangraft fault reorder all --percent 5"))]
    Reorder(ShareArgs),
    /// Let only so many bytes through on links each second.
    #[command(after_help = with_patterns(
        "Example:\n  hangraft fault bandwidth n1 n2 --bytes-per-s 20000"
    ))]
    Bandwidth(BandwidthArgs),
    /// Let no gossip through on links, but Raft and commands.
    #[command(after_help = with_patterns(
        "Example:\n  hangraft fault gossip-cut isolate n1 --for 30s"
    ))]
    GossipCut(PathArgs),
    /// Let each sync of a node's log take longer.
    #[command(
        after_help = "Example:\n  hangraft fault slow-disk leader --ms 50 --jitter-ms 10 --for 30s"
    )]
    SlowDisk(SlowDiskArgs),
    /// Let syncs of a node's log fail. The node stops.
    #[command(after_help = "Example:\n  hangraft fault fail-fsync follower")]
    FailFsync(NodeArgs),
    /// Let a node write nothing more. The node stops when it wants to.
    #[command(after_help = "Example:\n  hangraft fault full-disk n2")]
    FullDisk(NodeArgs),
    /// Lose what a node has written and not synced, when its process is killed.
    #[command(
        after_help = "Example:\n  hangraft fault lose-unsynced n1 --dir /tmp/demo\n  hangraft kill n1 --dir /tmp/demo"
    )]
    LoseUnsynced(NodeArgs),
    /// Let a node's clock be wrong.
    #[command(
        after_help = "Examples:\n  hangraft fault skew leader --by 1h\n  hangraft fault skew n1 --by=-1h\n  hangraft fault skew n1 --ms=-3600000"
    )]
    Skew(SkewArgs),
    /// Show what is wrong now, and how long it still will be.
    #[command(after_help = "Example:\n  hangraft fault list --dir /tmp/demo")]
    List(ListArgs),
    /// Make everything good again, or some nodes.
    #[command(
        after_help = "Examples:\n  hangraft fault heal\n  hangraft fault heal n1 n2 --dir /tmp/demo"
    )]
    Heal(HealArgs),
}

/// Runs `hangraft fault ...`.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    match args.verb {
        Verb::Cut(args) => on_links(&args, Trouble::Cut(Cut {})).await,
        Verb::Delay(DelayArgs { link, ms, jitter_ms }) => {
            on_links(&link, Trouble::Delay(Delay { ms, jitter_ms })).await
        }
        Verb::Drop(ShareArgs { link, ppm }) => on_links(&link, Trouble::Loss(Loss { ppm })).await,
        Verb::Duplicate(ShareArgs { link, ppm }) => {
            on_links(&link, Trouble::Duplicate(Duplicate { ppm })).await
        }
        Verb::Reorder(ShareArgs { link, ppm }) => {
            on_links(&link, Trouble::Reorder(Reorder { ppm })).await
        }
        Verb::Bandwidth(BandwidthArgs { link, bytes_per_s }) => {
            on_links(&link, Trouble::Bandwidth(Bandwidth { bytes_per_s })).await
        }
        Verb::GossipCut(path) => on_paths(&path, Trouble::Cut(Cut {}), Traffic::Datagrams).await,
        Verb::SlowDisk(SlowDiskArgs { node, ms, jitter_ms }) => {
            on_nodes(&node, &What::SlowDisk(SlowDisk { ms, jitter_ms })).await
        }
        Verb::FailFsync(node) => on_nodes(&node, &What::FailFsync(FailFsync {})).await,
        Verb::FullDisk(node) => on_nodes(&node, &What::FullDisk(FullDisk {})).await,
        Verb::LoseUnsynced(node) => on_nodes(&node, &What::LoseUnsynced(LoseUnsynced {})).await,
        Verb::Skew(SkewArgs { node, ahead }) => {
            on_nodes(&node, &What::Skew(Skew { ms: ahead.ms()? })).await
        }
        Verb::List(args) => active::list(args).await,
        Verb::Heal(args) => active::heal_all(args).await,
    }
}

async fn on_links(args: &LinkArgs, trouble: Trouble) -> anyhow::Result<()> {
    on_paths(&args.path, trouble, args.traffic()).await
}

async fn on_paths(args: &PathArgs, trouble: Trouble, traffic: Traffic) -> anyhow::Result<()> {
    let wanted = args.wanted(trouble, traffic)?;
    let firewalls = Firewalls::of_demo(args.how.reach.dir())?;
    let (door, nodes) = Nodes::ask_led(&args.how.reach.doors()?).await?;
    if let Some(firewalls) = firewalls.filter(|_| wanted.can_be_real()) {
        let cut = RealCut::of_links(&wanted, &nodes)?;
        return firewalls::carry_out(cut, &args.how, &door, &firewalls, &nodes).await;
    }
    carry_out(Plan::of_links(&wanted, &nodes)?, &args.how, &door, &nodes).await
}

async fn on_nodes(args: &NodeArgs, what: &What) -> anyhow::Result<()> {
    let (door, nodes) = Nodes::ask_led(&args.how.reach.doors()?).await?;
    carry_out(Plan::of_nodes(what, &args.names, &nodes)?, &args.how, &door, &nodes).await
}

fn with_patterns(examples: &str) -> String {
    format!("{examples}\n\n{PATTERNS}")
}
