//! `hangraft bench`: how many moves a cluster takes, and how fast.
//!
//! Workloads that move are closed loops: a player waits for the answer before the next
//! move, so the load is as fast as the cluster. What counts is a move that was accepted,
//! which means a majority has stored it. `sockets --rate` and `seeks` are open loops, which
//! do not wait for the cluster.
//! The load shares the machine with the cluster more often than not, so it is made
//! cheaply: no task per move, and batches wherever the cluster takes them.

mod cost;
mod failover;
mod late;
mod nodes;
mod seeks;
mod socket;
mod sockets;
mod spread;
mod stream;
mod table;
mod tally;

use std::{
    io::{self, IsTerminal},
    sync::Arc,
    time::Duration,
};

use anyhow::bail;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::{Instant, sleep};

use crate::{
    bench::{
        cost::Meter,
        tally::{Phase, Recorder, Report},
    },
    output::Output,
};

/// How long all players together may take to sit down.
const PREPARATION: Duration = Duration::from_secs(60);

/// How often we look who has.
const LOOK: Duration = Duration::from_millis(20);

/// How often progress is shown.
const REFRESH: Duration = Duration::from_millis(200);

const EXAMPLES: &str = "\
Examples:
  hangraft demo --dir /tmp/demo --no-limits
  hangraft bench sockets --url http://127.0.0.1:8080 --players 1000
  hangraft bench sockets --url http://127.0.0.1:8080 --rate 500 --dir /tmp/demo
  hangraft bench sockets --url http://127.0.0.1:8080 --idle 5000 --dir /tmp/demo
  hangraft bench stream --dir /tmp/demo --players 2000
  hangraft bench failover --dir /tmp/demo";

/// Measure how many moves a cluster takes, how fast, and how long it is silent when its leader dies.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    workload: Workload,
}

#[derive(Debug, Subcommand)]
enum Workload {
    Sockets(sockets::Args),
    Stream(stream::Args),
    Failover(failover::Args),
    Seeks(seeks::Args),
}

/// What the measuring workloads have in common.
#[derive(Debug, clap::Args)]
struct Load {
    /// How many play.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    players: u32,
    /// How many of them share a room.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=8))]
    players_per_room: u32,
    /// How long to measure.
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// How long to play before that.
    #[arg(long, value_name = "S", default_value_t = 2)]
    warmup: u64,
    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Runs a workload and prints what it saw.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    match args.workload {
        Workload::Sockets(args) => sockets::run(args).await,
        Workload::Stream(args) => stream::run(args).await,
        Workload::Failover(args) => failover::run(args).await,
        Workload::Seeks(args) => seeks::run(args).await,
    }
}

impl Load {
    fn players(&self) -> usize {
        self.players as usize
    }

    /// How many sit at each table; the last may be less full.
    fn tables(&self) -> Vec<usize> {
        let (players, seats) = (self.players(), self.players_per_room as usize);
        (0..players).step_by(seats).map(|first| seats.min(players - first)).collect()
    }

    /// Waits for the players, lets them warm up, measures, and sends them home.
    async fn measure(
        &self,
        workload: &'static str,
        recorder: &Arc<Recorder>,
        meter: &mut Option<Meter>,
    ) -> anyhow::Result<Report> {
        if let Some(meter) = meter {
            meter.add_load([]);
        }
        let bar = progress();
        self.until_seated(recorder, &bar).await?;
        bar.set_message("warming up");
        sleep(Duration::from_secs(self.warmup)).await;
        recorder.enter(Phase::Measuring);
        if let Some(meter) = meter {
            meter.begin();
        }
        let begun = Instant::now();
        let end = begun + Duration::from_secs(self.seconds);
        while Instant::now() < end {
            sleep(REFRESH.min(end - Instant::now())).await;
            let rate = recorder.moves() as f64 / begun.elapsed().as_secs_f64();
            bar.set_message(format!("{rate:.0} moves/s"));
        }
        let measured = begun.elapsed();
        recorder.enter(Phase::Done);
        if let Some(meter) = meter {
            meter.end();
        }
        bar.finish_and_clear();
        let report = recorder.report(workload, self.players(), measured);
        let costs = meter.as_ref().map(|meter| meter.costs(report.moves, None));
        Ok(Report { costs, ..report })
    }

    async fn until_seated(&self, recorder: &Recorder, bar: &ProgressBar) -> anyhow::Result<()> {
        let deadline = Instant::now() + PREPARATION;
        loop {
            let (ready, lost) = recorder.attendance();
            if lost > 0 {
                let why = recorder.first_loss().unwrap_or_default();
                bail!("{lost} of {} players could not sit down: {why}", self.players);
            }
            if ready == self.players() {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!(
                    "only {ready} of {} players sat down within {PREPARATION:?}; try fewer --players",
                    self.players
                );
            }
            bar.set_message(format!("{ready} of {} players have sat down", self.players));
            sleep(LOOK).await;
        }
    }

    /// Prints, and fails when players were lost: such a figure says little.
    fn print(&self, recorder: &Recorder, report: &Report) -> anyhow::Result<()> {
        self.output.print(report, Report::text)?;
        if report.lost > 0 {
            let why = recorder.first_loss().unwrap_or_default();
            bail!("{} players could not play to the end: {why}", report.lost);
        }
        Ok(())
    }
}

/// A line that tells how far we are, when someone looks on.
fn progress() -> ProgressBar {
    let target = if io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(None, target);
    bar.set_style(ProgressStyle::default_spinner());
    bar.enable_steady_tick(REFRESH);
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_player_has_a_seat() {
        let load = |players, players_per_room| Load {
            players,
            players_per_room,
            seconds: 1,
            warmup: 0,
            output: Output::Text,
        };
        assert_eq!(load(3, 1).tables(), [1, 1, 1]);
        assert_eq!(load(5, 2).tables(), [2, 2, 1]);
        assert_eq!(load(1, 8).tables(), [1]);
    }
}
