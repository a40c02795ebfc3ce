//! `hangraft events`: follows what happens in a cluster.

use std::{collections::VecDeque, time::Duration};

use chrono::{DateTime, SecondsFormat};
use hangraft_ids::{LogIndex, Term};
use hangraft_proto::v1::{Event, EventsRequest};
use serde::Serialize;
use tonic::Streaming;

use crate::{cluster::Door, output::Output, reach::Reach};

/// How long a node may take to begin.
const ANSWER: Duration = Duration::from_secs(5);

/// Follow what happens in a cluster, as one node sees it: leaders, members, settings,
/// snapshots, refusals. Each line has its time, term and log index. Each node sees its own
/// gossip and refusals.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  hangraft events\n  hangraft events --node 10.0.0.2:7101 --past 0 --output json"
)]
pub(crate) struct Args {
    #[command(flatten)]
    reach: Reach,
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
    term: Term,
    index: LogIndex,
    kind: String,
    text: String,
}

/// Without more, the past is over.
const QUIET: Duration = Duration::from_millis(300);

/// Between two tries to reach a node that has stopped.
const AGAIN: Duration = Duration::from_secs(1);

/// Printed events that are remembered, as many as a node remembers: who is followed again
/// tells them again.
const PRINTED_MAX: usize = 1_024;

/// Prints the past ones, or follows for ever: a node that restarts is followed again.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut printed = VecDeque::new();
    let (door, _) = args.reach.first().await?;
    let mut events = open(&door, args.past).await?;
    loop {
        while let Some(event) = next(&args, &mut events).await {
            if printed.contains(&event) {
                continue;
            }
            if printed.len() == PRINTED_MAX {
                printed.pop_front();
            }
            printed.push_back(event.clone());
            args.output.print(&Line::from(event), Line::text)?;
        }
        if args.no_follow {
            return Ok(());
        }
        eprintln!("hangraft: the node at {} is out of reach; looking for it again", door.node());
        events = loop {
            tokio::time::sleep(AGAIN).await;
            if let Ok(events) = open(&door, u32::MAX).await {
                break events;
            }
        };
    }
}

async fn open(door: &Door, past: u32) -> anyhow::Result<Streaming<Event>> {
    let mut client = door.client().await?;
    door.answer(ANSWER, client.events(EventsRequest { past })).await
}

/// The next event; none when the past is over and nobody wants more, when the node is
/// gone, or when it was faster than we are.
async fn next(args: &Args, events: &mut Streaming<Event>) -> Option<Event> {
    let coming = events.message();
    match args.no_follow {
        true => tokio::time::timeout(QUIET, coming).await.ok()?.ok()?,
        false => coming.await.ok()?,
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
        Line { at: utc(at_ms), term: Term(term), index: LogIndex(index), kind, text }
    }
}
