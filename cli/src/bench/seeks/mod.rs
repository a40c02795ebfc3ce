//! `hangraft bench seeks`: strangers who seek each other, at a rate that does not wait for
//! the cluster.
//!
//! An open loop: every seek has its moment, and goes out then from a bot that has room for
//! it. What it takes is measured from the second of the two taps until both are told, and
//! until both see the board. Who is matched leaves the table at once. Meanwhile nodes may
//! die, and others may look at the numbers. At the end the books are judged: see
//! [`ledger`].

mod ledger;
mod nuisance;
mod seeker;
mod watchers;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::bail;
use hangraft_proto::socket::Code;
use indicatif::ProgressBar;
use serde::Serialize;
use tokio::{
    sync::mpsc::{self, UnboundedSender},
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep},
};

use crate::{
    bench::{
        progress,
        seeks::{
            ledger::{TOO_LONG, Verdict},
            nuisance::{Killed, Nuisance},
            seeker::{KINDS, Order, Seeker, Shared},
            watchers::{Watched, Watchers},
        },
        tally::{Quantiles, round},
    },
    output::Output,
    socket::Url,
    usage::ensure,
};

/// Seeks that a player may have open.
const OPEN_MAX: u32 = 5;

/// Sockets that are being opened at a time.
const OPENING_MAX: usize = 32;

/// How long all bots together may take to come in.
const PREPARATION: Duration = Duration::from_secs(60);

/// How often seeks that are due are sent, and how often we look.
const TICK: Duration = Duration::from_millis(1);
const LOOK: Duration = Duration::from_millis(20);

/// A seek that goes out later than this after its moment had to wait for a bot.
const HELD: Duration = Duration::from_millis(20);

/// After the last seek: how long those that suit nobody are left alone. Longer than two that
/// suit each other may wait.
const REST: Duration = TOO_LONG.saturating_add(Duration::from_secs(1));

/// How long the end of every seek may take after that.
const SETTLING: Duration = Duration::from_secs(30);

const EXAMPLES: &str = "\
Examples:
  hangraft demo --dir /tmp/demo --no-limits
  hangraft bench seeks --url http://127.0.0.1:8080 --url http://127.0.0.1:8081
  hangraft bench seeks --url http://127.0.0.1:8080 --dir /tmp/demo --kill-every 5 --watchers 200
Nobody else may seek meanwhile.";

/// Have bots seek each other at a fixed rate, and see that everybody is matched once or told why not.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A frontend; give several to spread the bots.
    #[arg(long = "url", value_name = "URL", default_value = "http://127.0.0.1:8080")]
    urls: Vec<Url>,
    /// How many seek.
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    bots: u32,
    /// How many seeks a second, from all of them together.
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// For how long.
    #[arg(long, value_name = "S", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    seconds: u32,
    /// So many more sockets look at the numbers.
    #[arg(long, value_name = "N", default_value_t = 0)]
    watchers: u32,
    /// The demo's folder: says what its processes cost.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// A node of the demo dies so often, by turns the leader and a follower.
    #[arg(long, value_name = "S", requires = "dir", value_parser = clap::value_parser!(u64).range(2..))]
    kill_every: Option<u64>,
    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// What was seen. Its JSON form is for scripts.
#[derive(Debug, Serialize)]
struct Report {
    workload: &'static str,
    bots: u32,
    /// As wanted.
    rate: u32,
    seconds: f64,
    seeks: u64,
    /// Seeks that had to wait until a bot had room for them. Their time counts from when
    /// they were to be.
    held: u64,
    matched: u64,
    /// By reason.
    unmatched: BTreeMap<String, u64>,
    /// By code.
    refused: BTreeMap<&'static str, u64>,
    /// From the second of two taps until both were told.
    told_ms: Quantiles,
    /// From there until both saw the board.
    boards_ms: Quantiles,
    /// The longest time that two who suit each other waited side by side.
    longest_wait_ms: f64,
    /// What must not be, by name; empty is good.
    wrong: BTreeMap<String, u64>,
    /// An example of each.
    examples: BTreeMap<String, String>,
    /// Refusals that settled nothing, and those of anything but a seek.
    other_refusals: BTreeMap<String, u64>,
    reconnects: u64,
    resends: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    killed: Option<Killed>,
    /// Processor time of the demo, in seconds for each second.
    #[serde(skip_serializing_if = "Option::is_none")]
    cores: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    watched: Option<Watched>,
}

/// Runs the workload and prints what it saw.
pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let mut nuisance = match &args.dir {
        Some(dir) => Some(Nuisance::of(dir).await?),
        None => None,
    };
    let bar = progress();
    let bots = Bots::enter(&args, &bar).await?;
    let watchers = Watchers::open(args.watchers, &args.urls, OPENING_MAX).await?;
    watchers.count(true);
    let begun = Instant::now();
    let end = begun + Duration::from_secs(args.seconds.into());
    let every = args.kill_every.map(Duration::from_secs);
    let seeking = async {
        let held = bots.seek(args.rate, end, &bar).await;
        watchers.count(false);
        (held, begun.elapsed())
    };
    let killing = async {
        match (&mut nuisance, every) {
            (Some(nuisance), Some(every)) => nuisance.kill(every, end).await,
            _ => Ok(()),
        }
    };
    let ((held, measured), killed) = tokio::join!(seeking, killing);
    let cores = nuisance.as_ref().and_then(Nuisance::cpu_seconds);
    let cores = cores.map(|seconds| round(seconds / begun.elapsed().as_secs_f64()));
    bots.settle(&bar).await;
    bar.finish_and_clear();
    let shared = &bots.shared;
    let verdict = shared.ledger().verdict(shared.now());
    let report = Report {
        held,
        seconds: round(measured.as_secs_f64()),
        killed: nuisance.filter(|_| every.is_some()).map(|nuisance| nuisance.killed()),
        cores,
        watched: (args.watchers > 0).then(|| watchers.watched(measured)),
        ..Report::new(&args, verdict, shared)
    };
    args.output.print(&report, Report::text)?;
    killed?;
    match report.wrong.iter().next() {
        Some((what, count)) => bail!("{what}: {count}; that must not be"),
        None => Ok(()),
    }
}

/// The bots, and how to tell them what to do.
struct Bots {
    shared: Arc<Shared>,
    orders: Vec<UnboundedSender<Order>>,
    _playing: JoinSet<()>,
}

impl Bots {
    /// All come in.
    async fn enter(args: &Args, bar: &ProgressBar) -> anyhow::Result<Self> {
        ensure(!args.urls.is_empty(), || "name a frontend with --url".into())?;
        let count = args.bots as usize;
        let shared = Arc::new(Shared::new(count, OPENING_MAX));
        let (mut orders, mut playing) = (Vec::new(), JoinSet::new());
        for bot in 0..count {
            let (order, ordered) = mpsc::unbounded_channel();
            let urls = Url::from_nth(&args.urls, bot);
            playing.spawn(Seeker::new(bot, urls, shared.clone()).run(ordered));
            orders.push(order);
        }
        let deadline = Instant::now() + PREPARATION;
        loop {
            let ready = shared.ready.load(Ordering::Relaxed);
            if ready == u64::from(args.bots) {
                return Ok(Self { shared, orders, _playing: playing });
            }
            if Instant::now() > deadline {
                bail!(
                    "only {ready} of {count} bots came in within {PREPARATION:?}; is there a frontend at every --url?"
                );
            }
            bar.set_message(format!("{ready} of {count} bots have come in"));
            sleep(LOOK).await;
        }
    }

    /// Sends every seek at its moment, or as soon as a bot has room for it; how many had to
    /// wait.
    async fn seek(&self, rate: u32, end: Instant, bar: &ProgressBar) -> u64 {
        let (begun, offset) = (Instant::now(), self.shared.now());
        let all = end.saturating_duration_since(begun).as_secs_f64() * f64::from(rate);
        let moment = |nth: u64| Duration::from_secs_f64(nth as f64 / f64::from(rate));
        let (mut planned, mut held, mut turn) = (0, 0, 0);
        let mut waiting = VecDeque::new();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while ((planned as f64) < all || !waiting.is_empty())
            && begun.elapsed() < REST + (end - begun)
        {
            ticks.tick().await;
            while (planned as f64) < all && moment(planned) <= begun.elapsed() {
                waiting.push_back(planned);
                planned += 1;
            }
            while let Some(nth) = waiting.front() {
                let Some(bot) = self.bot_with_room(&mut turn) else { break };
                let late = begun.elapsed().saturating_sub(moment(*nth)) > HELD;
                held += u64::from(late);
                let kind = rand::random_range(0..KINDS.len());
                let order = Order::Seek { kind, planned: offset + moment(*nth) };
                // A bot that has stopped has no more to say; its seek counts as never ended.
                _ = self.orders[bot].send(order);
                waiting.pop_front();
            }
            if planned.is_multiple_of(u64::from(rate)) {
                bar.set_message(format!("{planned} seeks of {all:.0}"));
            }
        }
        held + waiting.len() as u64
    }

    /// The next bot that has room for a seek, which is taken.
    fn bot_with_room(&self, turn: &mut usize) -> Option<usize> {
        let bots = self.orders.len();
        let bot =
            (0..bots).map(|i| (*turn + i) % bots).find(|bot| self.shared.takes(*bot, OPEN_MAX))?;
        *turn = bot + 1;
        Some(bot)
    }

    /// Lets everything come to its end: who suits nobody takes the seek back.
    async fn settle(&self, bar: &ProgressBar) {
        bar.set_message("waiting for the last to be matched");
        self.until_all_ended(REST).await;
        for order in &self.orders {
            _ = order.send(Order::Withdraw);
        }
        self.until_all_ended(SETTLING).await;
        // Boards come behind.
        sleep(LOOK.max(Duration::from_secs(1))).await;
    }

    async fn until_all_ended(&self, within: Duration) {
        let deadline = Instant::now() + within;
        while self.shared.ledger().waiting() > 0 && Instant::now() < deadline {
            sleep(LOOK).await;
        }
    }
}

impl Report {
    fn new(args: &Args, verdict: Verdict, shared: &Shared) -> Self {
        Self {
            workload: "seeks",
            bots: args.bots,
            rate: args.rate,
            seconds: 0.0,
            seeks: verdict.seeks,
            held: 0,
            matched: verdict.matched,
            unmatched: verdict.unmatched,
            refused: verdict.refused,
            told_ms: Quantiles::of(&verdict.told),
            boards_ms: Quantiles::of(&verdict.boards),
            longest_wait_ms: round(verdict.longest_wait.as_secs_f64() * 1000.0),
            wrong: verdict.wrong.counts,
            examples: verdict.wrong.firsts,
            other_refusals: shared.refusals(),
            reconnects: shared.reconnects.load(Ordering::Relaxed),
            resends: shared.resends.load(Ordering::Relaxed),
            killed: None,
            cores: None,
            watched: None,
        }
    }

    /// Some lines for people.
    fn text(&self) -> String {
        let mut text = format!(
            "{} seeks of {} bots in {} s ({} a second wanted, {} had to wait for a bot)\n\
             matched {}{}{}\n\
             from the second tap until both are told   {}\n\
             from the second tap until both see it     {}\n\
             longest wait for somebody who was there   {:.0} ms\n\
             reconnects {}, sent again {}",
            self.seeks,
            self.bots,
            self.seconds,
            self.rate,
            self.held,
            self.matched,
            counted("unmatched, ", &self.unmatched),
            counted("refused, ", &self.refused),
            self.told_ms.text(),
            self.boards_ms.text(),
            self.longest_wait_ms,
            self.reconnects,
            self.resends,
        );
        text += &counted("", &self.other_refusals);
        if let Some(Killed { leaders, followers }) = &self.killed {
            _ = write!(text, "\nnodes killed {}, {leaders} of them led", leaders + followers);
        }
        if let Some(cores) = self.cores {
            _ = write!(text, "\nthe demo's processes used {cores} processors");
        }
        if let Some(Watched { sockets, bytes_per_second, pushes_per_second }) = &self.watched {
            _ = write!(
                text,
                "\n{sockets} watchers were sent {bytes_per_second:.0} bytes a second in all, {pushes_per_second} pushes a second each"
            );
        }
        for (what, count) in &self.wrong {
            let example = self.examples.get(what).map_or("", String::as_str);
            _ = write!(text, "\nWRONG: {what}: {count}, such as {example}");
        }
        if self.other_refusals.keys().any(|what| what.ends_with(Code::TooFast.as_str())) {
            text +=
                "\nThe frontends slow players down; start the demo with --no-limits for a bench.";
        }
        text
    }
}

/// Counts by name, each on a line of its own.
fn counted<K: std::fmt::Display>(before: &str, counts: &BTreeMap<K, u64>) -> String {
    counts.iter().map(|(what, count)| format!("\n{before}{what}: {count}")).collect()
}
