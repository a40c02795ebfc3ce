//! `hangraft report`: the page of a timeline that was written before.

use std::{
    fs::{self, File},
    io::BufReader,
    path::PathBuf,
};

use anyhow::Context;
use hangraft_lab::{
    timeline::{Line, file},
    viewer::html,
};

use crate::output::print;

/// Make a page that shows a timeline: of a run of `hangraft check --timeline`, or of a
/// simulated day.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  hangraft report leader-killed.jsonl\n  scripts/simulate --seed 42 --timeline day.jsonl && hangraft report day.jsonl --to day.html"
)]
pub(crate) struct Args {
    /// The timeline (docs/timeline.md).
    timeline: PathBuf,
    /// The page [default: beside the timeline, ending in html].
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

/// Writes the page.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let from = &args.timeline;
    let opened = File::open(from).with_context(|| format!("cannot open {}", from.display()))?;
    let timeline = file::read(BufReader::new(opened))
        .with_context(|| format!("cannot read {}", from.display()))?;
    let mut lines = vec![Line::Head(timeline.head)];
    lines.extend(timeline.lines);
    let to = args.to.unwrap_or_else(|| from.with_extension("html"));
    fs::write(&to, html(&lines)).with_context(|| format!("cannot write {}", to.display()))?;
    print(&format!("open {} in a browser", to.display()))
}
