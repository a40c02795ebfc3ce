//! Sockets that say hello and then only ping, as tabs that nobody looks at: what one costs.

use std::{
    fmt::Write,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, bail};
use futures_util::SinkExt;
use hangraft_proto::socket::{Push, RequestId};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    bench::{
        cost::{Costs, Meter},
        progress,
        socket::{Incoming, NAME, frame},
        sockets::{
            Args, OPENING_MAX,
            load::{Attendance, measure, until_in},
            parts::{Company, Sum},
        },
        spread::Spread,
        tally::{Quantiles, round},
    },
    socket::{Socket, Way, next_text},
};

/// How long the last pings may take to be answered, after the measured time.
const SETTLING: Duration = Duration::from_secs(2);

/// How long sockets are held after the measured time, so that whoever looks at its end finds
/// all of them.
const LINGER: Duration = Duration::from_millis(500);

/// Sockets that are only held.
#[derive(Debug, clap::Args)]
pub(super) struct IdleArgs {
    /// Open so many sockets that say hello and only ping, instead of playing.
    #[arg(long, value_name = "N", conflicts_with_all = ["rate", "players", "players_per_room"], value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) idle: Option<u32>,
    /// How often each pings; they are spread evenly over this time.
    #[arg(long, value_name = "S", default_value_t = 10, requires = "idle", value_parser = clap::value_parser!(u64).range(1..=60))]
    ping_every: u64,
}

/// What a part has seen.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Seen {
    planned: u64,
    answered: u64,
    /// From the planned moment. Those without an answer count as long as they have waited.
    pings: Spread,
    lost: u64,
    first_loss: Option<String>,
}

/// What was seen. Its JSON form is for scripts.
#[derive(Debug, Serialize)]
struct Report {
    workload: &'static str,
    /// Sockets that were opened and said hello.
    opened: u32,
    /// Those that broke afterwards.
    lost: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_loss: Option<String>,
    processes: u32,
    frontends: usize,
    ping_every_s: u64,
    seconds: f64,
    pings: u64,
    answered: u64,
    /// From a ping's planned moment to its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    ping_ms: Option<Quantiles>,
    #[serde(skip_serializing_if = "Option::is_none")]
    costs: Option<Costs>,
}

/// What all sockets of this part share.
struct Hall {
    seen: Mutex<Seen>,
    entered: AtomicUsize,
    stuck: AtomicUsize,
    opening: Semaphore,
    every: Duration,
    /// Pings that are planned for this time, from when all were in, count.
    from: Duration,
    until: Duration,
}

/// Runs this process's part, and prints what all have seen if it is the first.
pub(super) async fn run(args: &Args, sockets: u32) -> anyhow::Result<()> {
    let part = args.part();
    let mine = || (0..sockets as usize).filter(|number| part.has(*number));
    part.fits(mine().count())?;
    let mut meter = if part.is_first() { Meter::of(args.dir.as_deref()).await? } else { None };
    let mut company = Company::of(part)?;
    if let Some(meter) = &mut meter {
        meter.add_load(company.pids());
    }
    let bar = progress();
    let hall = Arc::new(Hall::new(args));
    let (go, gone) = watch::channel(None);
    let mut all = JoinSet::new();
    for number in mine() {
        let url = args.urls[number % args.urls.len()].clone();
        let first = hall.every.mul_f64(number as f64 / f64::from(sockets));
        let (hall, gone, from) = (Arc::clone(&hall), gone.clone(), part.address());
        all.spawn(async move {
            let entered = {
                let _turn = hall.opening.acquire().await;
                url.enter_by(Way { from, steps: true }, NAME, None).await
            };
            hall.hold(entered.map(|(socket, _)| socket), first, gone).await;
        });
    }
    until_in(mine().count(), &bar, || hall.attendance()).await?;
    company.all_in().await?;
    go.send_replace(Some(Instant::now()));
    let measured = measure(&args.load, &mut meter, &bar, || hall.pulse()).await;
    while all.join_next().await.is_some() {}
    bar.finish_and_clear();
    let seen = std::mem::take(&mut *hall.seen());
    let Some(seen) = company.gather(seen).await? else { return Ok(()) };
    let costs = meter.map(|meter| meter.costs(0, Some(sockets.into())));
    let report = Report::of(args, sockets, seen, measured, costs);
    args.load.output.print(&report, Report::text)?;
    match report.lost {
        0 => Ok(()),
        lost => bail!("{lost} sockets broke: {}", report.first_loss.unwrap_or_default()),
    }
}

impl Hall {
    fn new(args: &Args) -> Self {
        let from = Duration::from_secs(args.load.warmup);
        Self {
            seen: Mutex::default(),
            entered: AtomicUsize::new(0),
            stuck: AtomicUsize::new(0),
            opening: Semaphore::new(OPENING_MAX),
            every: Duration::from_secs(args.idle.ping_every),
            from,
            until: from + Duration::from_secs(args.load.seconds),
        }
    }

    /// Holds a socket until the load is over.
    async fn hold(
        &self,
        entered: anyhow::Result<Socket>,
        first: Duration,
        mut go: watch::Receiver<Option<Instant>>,
    ) {
        let held = async {
            let mut socket = match entered {
                Ok(socket) => socket,
                Err(err) => {
                    self.stuck.fetch_add(1, Ordering::Relaxed);
                    return Err(err);
                }
            };
            self.entered.fetch_add(1, Ordering::Relaxed);
            let begun = loop {
                tokio::select! {
                    changed = go.changed() => changed.context("the bench is over")?,
                    text = next_text(&mut socket) => drop(heard(text?)?),
                }
                let begun = *go.borrow_and_update();
                if let Some(begun) = begun {
                    break begun;
                }
            };
            self.ping(&mut socket, first, begun).await
        };
        if let Err(err) = held.await {
            let mut seen = self.seen();
            seen.lost += 1;
            seen.first_loss.get_or_insert_with(|| format!("{err:#}"));
        }
    }

    /// Pings at its moments, whether or not the last one was answered.
    async fn ping(
        &self,
        socket: &mut Socket,
        first: Duration,
        begun: Instant,
    ) -> anyhow::Result<()> {
        let (mut next, mut last_id) = (first, 0);
        let mut open: Vec<(u64, Duration)> = Vec::new();
        let end = begun + self.until + SETTLING;
        let broken = loop {
            let (pings, lingers) = (next < self.until, begun.elapsed() < self.until + LINGER);
            if !pings && !lingers && open.is_empty() {
                break Ok(());
            }
            tokio::select! {
                () = sleep_until(begun + next), if pings => {
                    last_id += 1;
                    if (self.from..self.until).contains(&next) {
                        self.seen().planned += 1;
                    }
                    open.push((last_id, next));
                    next += self.every;
                    if let Err(err) = socket.send(Message::text(frame::ping(last_id))).await {
                        break Err(err.into());
                    }
                }
                text = next_text(socket) => match text.and_then(heard) {
                    Ok(id) => self.answered(&mut open, id, begun.elapsed()),
                    Err(err) => break Err(err),
                },
                () = sleep_until(begun + self.until + LINGER), if lingers => {}
                () = sleep_until(end) => break Ok(()),
            }
        };
        let mut seen = self.seen();
        for (_, planned) in open.iter().filter(|(_, planned)| self.counts(*planned)) {
            seen.pings.record(begun.elapsed().saturating_sub(*planned));
        }
        broken
    }

    fn answered(&self, open: &mut Vec<(u64, Duration)>, id: Option<u64>, now: Duration) {
        let Some(at) = open.iter().position(|(open, _)| Some(*open) == id) else { return };
        let (_, planned) = open.remove(at);
        if self.counts(planned) {
            let mut seen = self.seen();
            seen.answered += 1;
            seen.pings.record(now.saturating_sub(planned));
        }
    }

    fn counts(&self, planned: Duration) -> bool {
        (self.from..self.until).contains(&planned)
    }

    /// Nothing in it is half done when a socket's task panics, so its lock is good.
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn attendance(&self) -> Attendance {
        let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
        let why = self.seen().first_loss.clone();
        Attendance { entered: count(&self.entered), stuck: count(&self.stuck) as u64, why }
    }

    fn pulse(&self) -> String {
        let seen = self.seen();
        format!("{} pings, {} answered, {} sockets lost", seen.planned, seen.answered, seen.lost)
    }
}

/// The id of an answer, if it is one.
fn heard(text: Option<tokio_tungstenite::tungstenite::Utf8Bytes>) -> anyhow::Result<Option<u64>> {
    let text = text.context("a frontend has closed a socket")?;
    match Incoming::read(&text).context("cannot understand a frontend")? {
        Incoming::Answer(answer) => Ok(answer.id.and_then(RequestId::number)),
        Incoming::Push(Push::Bye(bye)) => bail!("a frontend has closed a socket: {}", bye.code),
        Incoming::Push(_) => Ok(None),
    }
}

impl Sum for Seen {
    fn add(&mut self, other: Self) {
        self.planned += other.planned;
        self.answered += other.answered;
        self.pings.add(&other.pings);
        self.lost += other.lost;
        self.first_loss = self.first_loss.take().or(other.first_loss);
    }
}

impl Report {
    fn of(args: &Args, opened: u32, seen: Seen, measured: Duration, costs: Option<Costs>) -> Self {
        Self {
            workload: "idle sockets",
            opened,
            lost: seen.lost,
            first_loss: seen.first_loss,
            processes: args.processes,
            frontends: args.urls.len(),
            ping_every_s: args.idle.ping_every,
            seconds: round(measured.as_secs_f64()),
            pings: seen.planned,
            answered: seen.answered,
            ping_ms: seen.pings.quantiles(),
            costs,
        }
    }

    fn text(&self) -> String {
        let mut text = format!(
            "{} sockets opened, {} lost; each pinged every {} s for {} s\npings {}, answered {}",
            self.opened, self.lost, self.ping_every_s, self.seconds, self.pings, self.answered
        );
        if let Some(times) = &self.ping_ms {
            _ = write!(text, "\nfrom the planned moment to the answer {}", times.text());
        }
        if let Some(costs) = &self.costs {
            _ = write!(text, "\n{}", costs.text());
        }
        text
    }
}
