//! The shipped node and frontend in a simulated world: thousands of bad days, each
//! from a seed, each the same every time.
//!
//! ```text
//! plan (pure): seed -> machines, players, faults
//! day: world (time, machines, net, disks) + nodes + players, hurt by faults
//!      --what happens--> promises (the judge) --outcome--> sweep, shrink, bugs
//! ```
//!
//! The process that people start only supervises: it starts one process for each
//! day, with the seed in its environment, because libraries keep counters that the
//! second day in one process would find moved.

mod bugs;
mod clock;
mod day;
mod faults;
mod history;
mod logs;
mod news;
mod nodes;
mod out;
mod plan;
mod players;
mod promises;
mod record;
mod shrink;
mod story;
mod sweep;
mod world;

use clap::{ArgGroup, Parser};
use day::Outcome;
use hangraft_cluster_config::LogKind;
use logs::Logs;
use out::{complain, say};
use plan::{Cut, Fork, GRAMMAR, Plan};
use record::Record;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;
use story::Story;
use tracing_subscriber::filter::Targets;

/// As in the binary that is shipped.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Lives through simulated days and holds them to every promise.
#[derive(Clone, Debug, Parser)]
#[command(name = "simulate", after_help = format!("{EXAMPLES}\n\n{GRAMMAR}"))]
#[command(group = ArgGroup::new("what").required(true).args(["seed", "seeds", "bugs"]))]
struct Args {
    /// Live through the day of this seed.
    #[arg(long)]
    seed: Option<u64>,
    /// Tell the day's own story: virtual time, who, and what, a line each.
    #[arg(long, conflicts_with_all = ["seeds", "bugs"])]
    trace: bool,
    /// Print what the software logs, such as "info" or "hangraft=debug,openraft=warn"; a bar
    /// stands before each line.
    #[arg(long, value_name = "FILTER", conflicts_with_all = ["seeds", "bugs"], num_args = 0..=1)]
    #[arg(default_missing_value = LOGGED)]
    log: Option<Targets>,
    /// Live through so many days, one seed after the other.
    #[arg(long)]
    seeds: Option<u64>,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Begin no more days after so many hours.
    #[arg(long)]
    hours: Option<f64>,
    /// Days lived at once.
    #[arg(long, default_value_t = jobs())]
    jobs: usize,
    /// Do not look for the smallest day that fails.
    #[arg(long)]
    no_shrink: bool,
    /// Plant each bug and count the seeds until it is found; needs a build with the
    /// feature `planted`, which `scripts/simulate` makes.
    #[arg(long)]
    bugs: bool,
    /// Plant this bug.
    #[arg(long, value_name = "NAME")]
    bug: Option<String>,
    /// Only these faults of the day's, by their number from 0; or "none".
    #[arg(long, value_name = "LIST")]
    faults: Option<String>,
    /// Only so many players.
    #[arg(long)]
    players: Option<usize>,
    /// Heal after so many virtual milliseconds instead of 20,000, or 28,000 on a day on
    /// which members come and go.
    #[arg(long)]
    millis: Option<u64>,
    /// So many nodes, whatever the seed says.
    #[arg(long, value_parser = ["3", "5", "7"])]
    nodes: Option<String>,
    /// How nodes keep their Raft logs, as `log` in node.toml says: a model of any log, or the
    /// log of segments itself, on files that lose what was not synced.
    #[arg(long, value_name = "KIND", default_value = MODEL, value_parser = [MODEL, SEGMENTS])]
    log_kind: String,
    /// Do something else at one moment of the day, such as "12.345s kill n1"; see below.
    #[arg(long, value_name = "FORK", conflicts_with_all = ["seeds", "bugs"])]
    fork: Vec<Fork>,
    /// Write everything that happens into this file, in the format of docs/timeline.md.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seeds", "bugs"])]
    timeline: Option<PathBuf>,
    /// Print what came of it as JSON.
    #[arg(long, hide = true)]
    json: bool,
}

/// The names of the logs that nodes may have, as in node.toml.
const MODEL: &str = "raft-log";
const SEGMENTS: &str = "segments";

/// What is logged where nothing else is said.
const LOGGED: &str = "info,hangraft=debug";

const EXAMPLES: &str = "Examples:\n  \
    scripts/simulate --seed 42 --trace      the story of one day\n  \
    scripts/simulate --seed 42 --log        what nodes and frontends log on it\n  \
    scripts/simulate --seed 42 --fork \"12.345s kill leader\"\n  \
    scripts/simulate --seeds 1000           a thousand days, all cores\n  \
    scripts/simulate --bugs                 how soon planted bugs are found";

/// How long the faults of a day last on which no members come and go.
const DAY_MS: u64 = 20_000;

/// Wall time after which a day that does not end is ended.
const DAY_SECONDS_MAX: u32 = 120;

fn jobs() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What cannot be done: wrong words, or a fork that does not fit its day.
const REFUSED: u8 = 2;

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(code) => code,
        Err(err) => {
            complain!("{err:#}");
            ExitCode::from(REFUSED)
        }
    }
}

/// Success when all promises were kept.
fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let code = |kept: bool| if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    bugs::plant(args.bug.as_deref())?;
    let day = Request::of(args)?;
    match (args.seed, args.seeds) {
        (Some(_), _) if clock::is_simulated() => Ok(code(live(&day, args)?)),
        (Some(seed), _) => supervise(&day, seed, args),
        (None, Some(seeds)) => Ok(code(sweep::sweep(&day, seeds, args)?)),
        (None, None) => Ok(code(bugs::table(&day, args.jobs)?)),
    }
}

/// Lets a process live through a day, and tell of it.
fn supervise(day: &Request, seed: u64, args: &Args) -> anyhow::Result<ExitCode> {
    let written = args.timeline.iter().flat_map(|path| ["--timeline".as_ref(), path.as_os_str()]);
    let ended = day.command().args(tells(args)).args(written).status()?;
    if ended.success() {
        return Ok(ExitCode::SUCCESS);
    }
    if ended.code() == Some(REFUSED.into()) {
        return Ok(ExitCode::from(REFUSED));
    }
    say!("replay:  scripts/simulate {} --trace", day.flags());
    say!("smaller: scripts/simulate --seeds 1 --from {seed}{}", day.log_flag());
    Ok(ExitCode::FAILURE)
}

/// How a supervised day is told.
fn tells(args: &Args) -> impl Iterator<Item = String> {
    [("--trace", args.trace), ("--json", args.json)]
        .into_iter()
        .filter(|(_, wanted)| *wanted)
        .map(|(flag, _)| flag.to_owned())
        .chain(args.log.iter().map(|wanted| format!("--log={wanted}")))
}

/// In a simulated process: lives through the day, and prints what came of it.
fn live(day: &Request, args: &Args) -> anyhow::Result<bool> {
    nix::unistd::alarm::set(DAY_SECONDS_MAX);
    clock::set(clock::MONOTONIC_BEGIN, clock::WALL_BEGIN);
    let story = Story::new(args.trace);
    // Also when nobody wants to hear anything: where nobody listens at all, spans and events
    // still look for somebody.
    let logs = Logs { story: story.clone(), wanted: args.log.clone().unwrap_or_default() };
    tracing::subscriber::set_global_default(logs).expect("nobody else listens");
    day::watch_for_panics();
    let mut plan = Plan::of(day.seed, DAY_MS, day.nodes);
    plan.log = day.log;
    plan.cut(&day.cut);
    plan.fork(day.forks.clone()).map_err(anyhow::Error::msg)?;
    let record = args.timeline.as_ref().map_or_else(Record::default, |_| Record::kept());
    let outcome = day::live(&plan, story, record.clone()).map_err(anyhow::Error::msg)?;
    if args.json {
        say!("{}", serde_json::to_string(&outcome).expect("an outcome is plain data"));
    } else {
        say!("{plan}");
        plan.forks_in_words().for_each(|fork| say!("{fork}"));
        say!("{outcome}");
    }
    Ok(is_written(record, args, &plan, day, &outcome) && outcome.broken.is_none())
}

/// Writes the day's record into its file, if there is one.
fn is_written(record: Record, args: &Args, plan: &Plan, day: &Request, outcome: &Outcome) -> bool {
    let Some(path) = &args.timeline else { return true };
    let command = format!("scripts/simulate {}", day.flags());
    let written = record.write(path, plan, command, outcome);
    if let Err(err) = &written {
        complain!("cannot write the timeline {}: {err}", path.display());
    }
    written.is_ok()
}

/// A day to live through.
#[derive(Clone, Debug)]
struct Request {
    seed: u64,
    cut: Cut,
    nodes: Option<usize>,
    log: LogKind,
    bug: Option<String>,
    forks: Vec<Fork>,
}

impl Request {
    fn of(args: &Args) -> anyhow::Result<Self> {
        let number = |text: &str| {
            text.parse().map_err(|_| anyhow::anyhow!("--faults takes numbers, like 0,3,4, or none"))
        };
        let faults = match args.faults.as_deref() {
            None => None,
            Some("none") => Some(Vec::new()),
            Some(list) => Some(list.split(',').map(number).collect::<Result<_, _>>()?),
        };
        Ok(Request {
            seed: args.seed.unwrap_or(args.from),
            cut: Cut { faults, players: args.players, millis: args.millis },
            nodes: args.nodes.as_deref().map(|nodes| nodes.parse().expect("checked by clap")),
            log: if args.log_kind == SEGMENTS { LogKind::Segments } else { LogKind::RaftLog },
            bug: args.bug.clone(),
            forks: args.fork.clone(),
        })
    }

    /// The flags that ask for it, as people write them.
    fn flags(&self) -> String {
        let forks = self.forks.iter().map(|fork| format!(" --fork \"{fork}\""));
        self.own_flags() + &forks.collect::<String>()
    }

    /// The same without forks: words without spaces.
    fn own_flags(&self) -> String {
        let nodes = self.nodes.map_or_else(String::new, |nodes| format!(" --nodes {nodes}"));
        let bug = self.bug.as_ref().map_or_else(String::new, |bug| format!(" --bug {bug}"));
        format!("--seed {}{nodes}{}{}{bug}", self.seed, self.log_flag(), self.cut)
    }

    /// The flag for logs that are kept as somebody asked.
    fn log_flag(&self) -> String {
        match self.log {
            LogKind::RaftLog => String::new(),
            LogKind::Segments => format!(" --log-kind {SEGMENTS}"),
        }
    }

    fn command(&self) -> Command {
        // The very program that runs, even if another was built meanwhile.
        let mut command = Command::new("/proc/self/exe");
        command.args(self.own_flags().split(' '));
        command.args(self.forks.iter().flat_map(|fork| ["--fork".to_owned(), fork.to_string()]));
        command.env(clock::SEED_VARIABLE, self.seed.to_string());
        command
    }

    /// Lives through it in a process of its own.
    fn live(&self) -> Outcome {
        let ran = self.command().arg("--json").stdin(Stdio::null()).output();
        let ran = ran.expect("a program can start itself");
        let text = String::from_utf8_lossy(&ran.stdout);
        let told = text.lines().last().and_then(|line| serde_json::from_str(line).ok());
        let mut outcome: Outcome = told.unwrap_or_else(|| {
            let how = match ran.status.signal() {
                Some(ALARM) => format!("the day took more than {DAY_SECONDS_MAX} s of wall time"),
                _ => format!("the process ended with {}", ran.status),
            };
            let broken = Some(("no_crash".to_owned(), how));
            Outcome { seed: self.seed, broken, ..Outcome::default() }
        });
        if let Some((promise, how)) = &mut outcome.broken
            && ["no_crash", "no_panic"].contains(&promise.as_str())
        {
            let errors = String::from_utf8_lossy(&ran.stderr);
            let errors: Vec<&str> = errors.lines().take(ERROR_LINES_MAX).collect();
            how.push('\n');
            how.push_str(&errors.join("\n"));
        }
        outcome
    }
}

/// The signal that ends a day that does not end by itself.
const ALARM: i32 = 14;

/// Lines of what a failed day printed that are worth repeating.
const ERROR_LINES_MAX: usize = 12;

/// A duration as virtual hours.
fn hours(virtual_ms: u64) -> f64 {
    Duration::from_millis(virtual_ms).as_secs_f64() / 3_600.0
}
