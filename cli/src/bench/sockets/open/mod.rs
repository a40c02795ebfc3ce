//! The open loop: what players do is planned, and does not wait for the cluster.
//!
//! A time counts from the planned moment, so that what had to wait because the cluster
//! stood still counts with its wait. In a closed loop a stall is one slow answer to each
//! player, and all that would have been done meanwhile is left out (G. Tene calls that
//! coordinated omission). A player still says one thing at a time: what is due before the
//! last one is answered waits, and its time runs.

mod entry;
mod game;
mod plan;
mod report;
mod rhythm;
mod room;
mod screens;
mod seat;
mod sheet;

use std::{sync::Arc, time::Duration};

use anyhow::bail;
use tokio::{sync::watch, task::JoinSet, time::Instant};

use self::{
    plan::{Books, Plan, Stage},
    report::Report,
    rhythm::{Habits, Thinking},
    room::host,
    sheet::Sheet,
};
use crate::bench::{
    cost::Meter,
    progress,
    sockets::{
        Args,
        load::{Attendance, measure, until_in},
        parts::{Company, Part},
    },
};

/// How long the last moves may take to be answered and seen, after the measured time.
const SETTLING: Duration = Duration::from_secs(10);

/// What players are like when moves are planned.
#[derive(Debug, clap::Args)]
pub(super) struct OpenArgs {
    /// Plan so many moves a second, of all players together, and do not wait for the cluster.
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) rate: Option<u32>,
    /// How thinking times are spread around their mean, which is players / rate.
    #[arg(long, value_enum, value_name = "HOW", default_value_t, requires = "rate")]
    thinking: Thinking,
    /// The share of thoughts that end in a burst: 2 to 5 things in quick succession.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, value_parser = share, requires = "rate")]
    bursts: f64,
    /// So many chat lines for each move, on top of the rate.
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = share, requires = "rate")]
    chat: f64,
    /// So many look on in each room.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000), requires = "rate")]
    watchers_per_room: u32,
    /// The share of sockets that are closed in a minute, and opened again elsewhere.
    #[arg(long, value_name = "SHARE", default_value_t = 0.02, value_parser = share, requires = "rate")]
    reconnects: f64,
    /// Another seed makes another plan.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "rate")]
    seed: u64,
}

/// Runs this process's part, and prints what all have seen if it is the first.
pub(super) async fn run(args: &Args, rate: u32) -> anyhow::Result<()> {
    let part = args.part();
    let tables = args.load.tables();
    let seats = |players: &usize| players + args.open.watchers_per_room as usize;
    let mine = |number: &usize| part.has(*number);
    let sockets = (0..tables.len()).filter(mine).map(|number| seats(&tables[number])).sum();
    part.fits(sockets)?;
    let mut meter = if part.is_first() { Meter::of(args.dir.as_deref()).await? } else { None };
    let mut company = Company::of(part)?;
    if let Some(meter) = &mut meter {
        meter.add_load(company.pids());
    }
    let bar = progress();
    let (plan, books) = (Arc::new(plan(args, rate, part)), Arc::new(Books::new()));
    let (stage, staged) = watch::channel(Stage::Entering);
    let mut rooms = JoinSet::new();
    for number in (0..tables.len()).filter(mine) {
        let (plan, books) = (Arc::clone(&plan), Arc::clone(&books));
        rooms.spawn(host(plan, number, tables[number], books, staged.clone()));
    }
    until_in(sockets, &bar, || attendance(&books)).await?;
    company.all_in().await?;
    stage.send_replace(Stage::Playing(Instant::now()));
    let measured = measure(&args.load, &mut meter, &bar, || pulse(&books)).await;
    bar.set_message("waiting for the last answers");
    books.settle(SETTLING).await;
    stage.send_replace(Stage::Over);
    while let Some(room) = rooms.join_next().await {
        room?;
    }
    bar.finish_and_clear();
    let sheet = std::mem::take(&mut *books.sheet());
    match company.gather(sheet).await? {
        Some(sheet) => print(args, rate, sheet, measured, meter),
        None => Ok(()),
    }
}

fn plan(args: &Args, rate: u32, part: Part) -> Plan {
    let OpenArgs { thinking, bursts, chat, watchers_per_room, reconnects, seed, .. } = args.open;
    let mean_s = args.load.players() as f64 / f64::from(rate) / (1.0 + chat);
    let from = Duration::from_secs(args.load.warmup);
    Plan {
        urls: args.urls.clone(),
        part,
        habits: Habits { thinking, mean_s, bursts, lines: chat / (1.0 + chat) },
        reconnects,
        seed,
        watchers: watchers_per_room as usize,
        from,
        until: from + Duration::from_secs(args.load.seconds),
    }
}

fn attendance(books: &Books) -> Attendance {
    let (entered, stuck) = books.attendance();
    let why = books.sheet().first_loss.clone();
    Attendance { entered, stuck, why }
}

fn pulse(books: &Books) -> String {
    let sheet = books.sheet();
    let (moves, lines) = (&sheet.moves, &sheet.lines);
    let open = moves.planned + lines.planned
        - moves.seen.min(moves.planned)
        - lines.seen.min(lines.planned);
    format!("{} moves planned, {open} on the way", moves.planned)
}

/// Prints, and fails when somebody could not play to the end: such a figure says little.
fn print(
    args: &Args,
    rate: u32,
    sheet: Sheet,
    measured: Duration,
    meter: Option<Meter>,
) -> anyhow::Result<()> {
    let (stuck, why) = (sheet.stuck, sheet.first_loss.clone().unwrap_or_default());
    let costs = meter.map(|meter| meter.costs(sheet.accepted, None));
    let report = Report::of(args, rate, sheet, measured, costs);
    args.load.output.print(&report, Report::text)?;
    if stuck > 0 {
        bail!("{stuck} players and watchers could not go on: {why}");
    }
    Ok(())
}

/// A number from 0 to 1.
fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "write a number from 0 to 1, such as 0.05".into())
}
