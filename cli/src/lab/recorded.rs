//! What was written down before, on the page: a timeline, a report of a check, a simulated day.

use std::{
    fs,
    io::Cursor,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use hangraft_lab::{
    timeline::{Head, Line, file},
    viewer::{Settings, pack, packed_in, unpack},
};

use crate::{
    lab::{
        Place,
        fork::Forks,
        web::{self, Lab, Shown},
    },
    output::print,
    process::StopRequests,
    usage::Usage,
};

/// The largest file that is opened.
const FILE_BYTES_MAX: u64 = 512 << 20;

/// Show what was recorded: a timeline (.jsonl), a report of `hangraft check` (.html), or a
/// simulated day.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  hangraft lab open leader-killed.html\n  scripts/simulate --seed 42 --timeline day.jsonl && hangraft lab open day.jsonl"
)]
pub(crate) struct Args {
    /// What to show.
    file: PathBuf,
    /// The program that lives a simulated day again, so that something else can happen in it.
    #[arg(long, value_name = "PATH")]
    simulator: Option<PathBuf>,
    /// The page's port.
    #[arg(long, value_name = "PORT", default_value_t = 8090)]
    lab_port: u16,
    /// Where the page listens. What is not this machine alone opens it to whoever has a link.
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Open the page in a browser.
    #[arg(long)]
    open: bool,
}

/// A timeline, and as it is packed for a page.
pub(crate) struct Recorded {
    pub(crate) head: Head,
    pub(crate) lines: Vec<Line>,
    pub(crate) packed: serde_json::Value,
}

impl Recorded {
    /// Reads a file, whichever of the two it is.
    fn read(path: &Path) -> anyhow::Result<Self> {
        let about = || format!("cannot open {}", path.display());
        let size = fs::metadata(path).with_context(about)?.len();
        ensure!(size <= FILE_BYTES_MAX, "{} is too large to be shown", path.display());
        let bytes = fs::read(path).with_context(about)?;
        if bytes.trim_ascii_start().first() == Some(&b'<') {
            return Self::of_page(&String::from_utf8_lossy(&bytes)).with_context(about);
        }
        let timeline = file::read(Cursor::new(bytes)).with_context(about)?;
        let mut all = vec![Line::Head(timeline.head.clone())];
        all.extend_from_slice(&timeline.lines);
        Ok(Self { packed: pack(&all), head: timeline.head, lines: timeline.lines })
    }

    /// What a page holds that `hangraft check --report` or `hangraft report` wrote.
    fn of_page(page: &str) -> anyhow::Result<Self> {
        const NONE: &str = "this page holds no timeline; give a report of `hangraft check \
                            --report`, or a timeline";
        let packed = packed_in(page).context(NONE)?;
        let mut lines = unpack(&packed).context(NONE)?.into_iter();
        let Some(Line::Head(head)) = lines.next() else { bail!(NONE) };
        Ok(Self { head, lines: lines.collect(), packed })
    }
}

/// Shows it until somebody asks it to stop.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut stop = StopRequests::listen(false)?;
    let recorded = Recorded::read(&args.file)?;
    let forks = match &args.simulator {
        None => None,
        Some(simulator) => {
            let simulator = simulator.canonicalize();
            let simulator = simulator.with_context(|| "there is no such simulator")?;
            Some(Forks::new(simulator, &recorded.head.command).map_err(Usage)?)
        }
    };
    let place = Place::take(args.host, args.lab_port).await?;
    let settings = Settings { forks: forks.is_some(), ..Settings::default() };
    let shown = Shown::Recorded(recorded);
    let lab = Lab::new(place.guard.clone(), shown, None, forks, &settings);
    let links = place.links().join("\n  ");
    print(&format!("{} is shown:\n\n  {links}\n\nCtrl-C ends this.", args.file.display()))?;
    if args.open {
        place.open();
    }
    tokio::select! {
        _ = stop.next() => Ok(()),
        () = web::serve(place.listener, lab.router()) => Ok(()),
    }
}
