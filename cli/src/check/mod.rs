//! `hangraft check`: players play while faults come and go, everything is written down, and
//! a judge says whether the cluster has kept its promises.
//!
//! Players come in through frontends' sockets and straight at nodes; reads go to any node.
//! Nothing is judged while they play: what was seen is held to the promises afterwards, by
//! [`hangraft_lab::judge`].

mod files;
mod happened;
mod run;
mod tell;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use clap::ValueEnum;

use crate::{
    check::{files::Files, run::Wanted, tell::Told},
    output::{Output, print},
    play::{
        scenario::Scenario,
        stage::{self, Stage},
        workload::Workload,
    },
    process::StopRequests,
    usage::ensure,
};

/// How long players play when nobody says.
const TIME: Duration = Duration::from_secs(20);

const EXAMPLES: &str = "\
Examples:
  hangraft check                                                a cluster of its own, no faults
  hangraft check --faults scripts/faults/leader-killed --report leader-killed.html
  hangraft check --workload append --players 20 --time 1m --seed 7 --nodes 5
  hangraft check --dir /tmp/demo --history history.json         a demo that runs
  hangraft check --faults scripts/faults/leader-* --keep runs   several, each on a cluster of its own

A script of faults is any program that calls `hangraft`: HANGRAFT_DIR, HANGRAFT_NODES and
HANGRAFT_SEED are set. Comments at its head may say `# bound: 2s` (the longest time without
an acknowledged move), `# time: 15s`, `# nodes: 3 5` and `# spares: 1`.";

/// Play on a cluster while faults come and go, and judge whether it kept its promises.
///
/// Exits with 0 only when every promise was kept, and the bound.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// What players do.
    #[arg(long, value_enum, default_value_t)]
    workload: Workload,
    /// How many play: half of them at frontends, half straight at nodes.
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(2..=200))]
    players: u32,
    /// How long they play [default: as the script says, or 20s].
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    time: Option<Duration>,
    /// A script that makes trouble meanwhile. Several are run one after the other, each on a
    /// cluster of its own.
    #[arg(long, value_name = "SCRIPT", num_args = 1..)]
    faults: Vec<PathBuf>,
    /// What players do is drawn from this number.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// The longest time without an acknowledged move [default: as the script says].
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    bound: Option<Duration>,
    /// A demo that runs, instead of one started for this.
    #[arg(long, conflicts_with = "nodes")]
    dir: Option<PathBuf>,
    /// How many nodes to start.
    #[arg(long, value_name = "N", default_value_t = 3)]
    nodes: u16,
    /// Start its nodes in the network namespaces that `scripts/faults/netns-up` made.
    #[arg(long, value_name = "PREFIX", num_args = 0..=1, default_missing_value = "hangraft", conflicts_with = "dir")]
    namespaces: Option<String>,
    #[command(flatten)]
    files: Files,
    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Somebody wants this process to end.
#[derive(Debug, thiserror::Error)]
#[error("it was asked to stop")]
struct Stopped;

/// Plays, judges and tells.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    match &args.faults[..] {
        [] => one(&args, Scenario::calm()).await,
        [script] => one(&args, Scenario::load(script)?).await,
        scripts => {
            ensure(args.dir.is_none(), || {
                "several scripts need a cluster each: leave out --dir".into()
            })?;
            args.files.check_for_several()?;
            let scenarios: Vec<Scenario> =
                scripts.iter().map(|script| Scenario::load(script)).collect::<Result<_, _>>()?;
            several(&args, scenarios).await
        }
    }
}

/// One run, told at length.
async fn one(args: &Args, scenario: Scenario) -> anyhow::Result<()> {
    let told = play(args, &scenario).await?;
    args.output.print(&told, Told::text)?;
    if !told.good {
        bail!("the verdict is bad");
    }
    Ok(())
}

/// Several runs, told in a table; what is bad at length.
async fn several(args: &Args, scenarios: Vec<Scenario>) -> anyhow::Result<()> {
    let (mut all, mut bad) = (Vec::new(), 0);
    for scenario in scenarios {
        if scenario.fits(args.nodes).is_err() {
            eprintln!(
                "{}: left out, it is for other clusters than of {}",
                scenario.name, args.nodes
            );
            continue;
        }
        match play(args, &scenario).await {
            Ok(told) => {
                eprintln!("{}", told.line());
                if !told.good {
                    eprintln!("{}", told.text());
                    bad += 1;
                }
                all.push(told);
            }
            Err(err) if err.is::<Stopped>() => return Err(err),
            Err(err) => {
                eprintln!("{}: {err:#}", scenario.name);
                bad += 1;
            }
        }
    }
    match args.output {
        Output::Text => print(&tell::table(&all))?,
        Output::Json => args.output.print(&all, |_| String::new())?,
    }
    if bad > 0 {
        bail!("of {} runs {bad} are bad", all.len().max(bad));
    }
    Ok(())
}

/// Plays on a cluster, and judges.
async fn play(args: &Args, scenario: &Scenario) -> anyhow::Result<Told> {
    let stage = match &args.dir {
        Some(dir) => Stage::at(dir)?,
        None => {
            scenario.fits(args.nodes)?;
            let namespaces = args.namespaces.clone();
            let wanted =
                stage::Wanted { namespaces, ..stage::Wanted::of(args.nodes, scenario.spares) };
            Stage::start(&wanted).await?
        }
    };
    let members = u16::try_from(stage.members()).unwrap_or(u16::MAX);
    let mut stop = StopRequests::listen(false)?;
    let checked = async {
        scenario.fits(members)?;
        run::check(&args.wanted(scenario), scenario, &stage).await
    };
    let checked = tokio::select! {
        checked = checked => checked,
        _ = stop.next() => Err(Stopped.into()),
    };
    stage.stop().await;
    let (lines, told) = checked.with_context(|| format!("cannot check {}", scenario.name))?;
    args.files.write(&scenario.name, &lines)?;
    Ok(told)
}

impl Args {
    fn wanted(&self, scenario: &Scenario) -> Wanted {
        Wanted {
            workload: self.workload,
            players: self.players,
            time: self.time.or(scenario.time).unwrap_or(TIME),
            bound: self.bound.or(scenario.bound),
            seed: self.seed,
            command: self.command(scenario),
        }
    }

    /// The command line that does the same.
    fn command(&self, scenario: &Scenario) -> String {
        let workload = self.workload.to_possible_value();
        let workload = workload.map(|value| value.get_name().to_owned()).unwrap_or_default();
        let mut line = format!(
            "hangraft check --workload {workload} --players {} --seed {} --nodes {}",
            self.players, self.seed, self.nodes
        );
        if let Some(time) = self.time {
            line += &format!(" --time {}", humantime::format_duration(time));
        }
        if let Some(script) = &scenario.script {
            line += &format!(" --faults {}", script.display());
        }
        line
    }
}
