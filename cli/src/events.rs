//! `hangraft events`: follows what happens in a cluster.

use std::{net::SocketAddr, time::Duration};

use anyhow::bail;
use chrono::{DateTime, SecondsFormat};
use hangraft_proto::v1::{Event, EventsRequest, cluster_client::ClusterClient};
use serde::Serialize;

use crate::{
    cluster::{self, Ask},
    output::Output,
};

/// How long a node may take to begin.
const ANSWER: Duration = Duration::from_secs(5);

/// Follow what happens in a cluster, as one node sees it: leaders, members, settings,
/// snapshots, refusals. Each line has its time, term and log index.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  hangraft events\n  hangraft events --node 10.0.0.2:7101 --past 0 --output json"
)]
pub(crate) struct Args {
    /// The node to ask; any will do, and each sees its own gossip and refusals.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7101")]
    node: SocketAddr,
    /// How many past events to begin with.
    #[arg(long, value_name = "N", default_value_t = 20)]
    past: u32,
    /// Print the past ones only.
    #[arg(long)]
    no_follow: bool,
    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// What is printed of an event. The JSON form is a contract.
#[derive(Debug, Serialize)]
struct Line {
    at: String,
    term: u64,
    index: u64,
    kind: String,
    text: String,
}

/// Without more, the past is over.
const QUIET: Duration = Duration::from_millis(300);

/// Prints until the node stops, or for ever.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut client = ClusterClient::new(cluster::connect(args.node).await?);
    let request = EventsRequest { past: args.past };
    let mut events = Ask::new(args.node, ANSWER).answer(client.events(request)).await?;
    loop {
        let next = match args.no_follow {
            true => match tokio::time::timeout(QUIET, events.message()).await {
                Ok(next) => next,
                Err(_) => return Ok(()),
            },
            false => events.message().await,
        };
        match next {
            Ok(Some(event)) => args.output.print(&Line::from(event), Line::text)?,
            Ok(None) => bail!("the node at {} has stopped", args.node),
            Err(status) => bail!("the node at {}: {}", args.node, status.message()),
        }
    }
}

impl Line {
    fn text(&self) -> String {
        let Line { at, term, index, kind, text } = self;
        format!("{at}  term {term:>3}  index {index:>6}  {kind:<8} {text}")
    }
}

/// A node's clock as people read it.
fn utc(at_ms: u64) -> String {
    let at = i64::try_from(at_ms).ok().and_then(DateTime::from_timestamp_millis);
    at.map_or_else(|| at_ms.to_string(), |at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

impl From<Event> for Line {
    fn from(event: Event) -> Self {
        let Event { at_ms, term, index, kind, text } = event;
        Line { at: utc(at_ms), term, index, kind, text }
    }
}
