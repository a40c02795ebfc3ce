//! `hangraft bench failover`: how long the cluster is silent when its leader dies, or
//! hands over.
//!
//! One player plays through a frontend without a pause; where the frontends hold
//! players to a human speed, a crowd of them plays at that speed instead, one after
//! the other. Each time the leader's process is killed, the clock runs until the next
//! move that was sent after the kill is answered. Then the node comes back, catches up,
//! and it is the next leader's turn.
//!
//! A leader that hands over, or is restarted in order, is not missed for that long; then
//! the longest time between two answers around it is what counts.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use clap::ValueEnum;
use futures_util::{SinkExt, future::try_join_all};
use hangraft_cluster_config::FrontendConfig;
use hangraft_proto::socket::{Code, RequestId};
use serde::Serialize;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    bench::{
        nodes::{all_run, demo, leader, until_caught_up},
        progress,
        socket::{Incoming, NAME, answer, name_of, text},
        table::{Answer, Meaning, Table, Wish},
    },
    demo::{
        faults::{kill_process, restart_process},
        home::config_file,
        plan::frontend_name,
        record::{Record, Role},
    },
    output::Output,
    reach,
    socket::{Socket, Url, next_text},
    usage::ensure,
};

/// The smallest cluster that survives its leader.
const VOTERS_MIN: usize = 3;

/// How long the cluster may be silent before we call it dead.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// The longest pause before a kill, so that kills fall anywhere between two heartbeats.
const PAUSE_MS_MAX: u64 = 500;

/// Players who share the moves where each may only be as fast as people are. More of
/// them would see shorter gaps, and cost the demo more.
const CROWD: u32 = 40;

/// The window in which a frontend counts a player's actions, a little longer, so that a
/// player at this pace is never refused.
const PACE_WINDOW: Duration = Duration::from_secs(22);

/// How long a player waits before another frontend is tried.
const RECONNECT: Duration = Duration::from_millis(20);

const EXAMPLES: &str = "\
Examples:
  hangraft demo --dir /tmp/demo
  hangraft bench failover --dir /tmp/demo --times 20
  hangraft bench failover --dir /tmp/demo --how restart
A demo with --no-limits shows gaps to the millisecond, others to some five.";

/// What is done to a leader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum How {
    /// Its process is killed.
    #[default]
    Kill,
    /// It is asked to hand leadership to another node.
    Transfer,
    /// Its process is asked to stop, which hands leadership over, and is started again.
    Restart,
}

/// Take the leader of a demo away, again and again, and measure how long nobody can move.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The demo's folder.
    #[arg(long)]
    dir: PathBuf,
    /// What to do to the leader.
    #[arg(long, value_enum, default_value_t)]
    how: How,
    /// How many times.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    times: u32,
    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// What was seen. Its JSON form is for scripts.
#[derive(Debug, PartialEq, Serialize)]
struct Report {
    workload: &'static str,
    how: String,
    rounds: Vec<Round>,
    median_ms: f64,
    worst_ms: f64,
}

/// One leader's end.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Round {
    leader: String,
    /// After a kill: from then to the answer of the next move. Else: the longest time
    /// between two answers.
    silent_ms: f64,
    /// From then, or from its restart, until all nodes had caught up.
    caught_up_ms: f64,
}

/// Runs the workload and prints what it saw.
pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let dir = &args.dir;
    let record = demo(dir)?;
    all_run(dir, &record).await?;
    let Record { nodes, frontends } = record;
    ensure(nodes.len() >= VOTERS_MIN, || {
        format!(
            "this demo has {} node, and nobody takes over; start one with --nodes 3",
            nodes.len()
        )
    })?;
    let urls: Result<Vec<Url>, _> =
        frontends.iter().map(|frontend| frontend.http.parse()).collect();
    let urls = urls.map_err(|err| anyhow!("a frontend's URL in demo.json is wrong: {err}"))?;
    let stopwatch = Arc::new(Stopwatch::default());
    let rounds = tokio::select! {
        rounds = take_leaders(dir, args.how, args.times, &stopwatch) => rounds?,
        result = play(crowd(dir)?, &urls, &stopwatch) => return result,
    };
    args.output.print(&Report::new(args.how, rounds), Report::text)
}

/// Who plays: how long each player rests before a move.
fn crowd(dir: &Path) -> anyhow::Result<Vec<Duration>> {
    let config = FrontendConfig::load(&config_file(dir, &frontend_name(1)))?;
    Ok(match config.limits.actions_per_20s {
        0 => vec![Duration::ZERO],
        limit => vec![PACE_WINDOW / limit; CROWD as usize],
    })
}

/// All play, each beginning a little later than the one before. Returns only when one
/// cannot go on.
async fn play(
    rests: Vec<Duration>,
    urls: &[Url],
    stopwatch: &Arc<Stopwatch>,
) -> anyhow::Result<()> {
    let apart = rests[0] / u32::try_from(rests.len()).unwrap_or(u32::MAX);
    let players = (0..).zip(rests).map(|(nth, rest)| async move {
        sleep(apart * nth).await;
        Player::new(urls.to_vec(), rest, Arc::clone(stopwatch)).play().await
    });
    try_join_all(players).await.map(drop)
}

async fn take_leaders(
    dir: &Path,
    how: How,
    times: u32,
    stopwatch: &Stopwatch,
) -> anyhow::Result<Vec<Round>> {
    let bar = progress();
    let mut rounds = Vec::new();
    until_caught_up(dir).await?;
    for round in 1..=times {
        bar.set_message(format!("leader {round} of {times}"));
        until_moves(stopwatch, Instant::now()).await?;
        sleep(Duration::from_millis(rand::random_range(0..PAUSE_MS_MAX))).await;
        rounds.push(match how {
            How::Kill => kill_leader(dir, stopwatch).await?,
            How::Transfer | How::Restart => move_leader(dir, how, stopwatch).await?,
        });
    }
    bar.finish_and_clear();
    Ok(rounds)
}

async fn kill_leader(dir: &Path, stopwatch: &Stopwatch) -> anyhow::Result<Round> {
    let leader = leader(dir).await?;
    let killed = Instant::now();
    let moved = stopwatch.start(killed);
    kill_process(dir, &leader).await?;
    let silent = silence(moved).await?;
    let restarted = Instant::now();
    restart_process(dir, &leader).await?;
    until_caught_up(dir).await?;
    Ok(Round { leader: leader.name, silent_ms: ms(silent), caught_up_ms: ms(restarted.elapsed()) })
}

async fn move_leader(dir: &Path, how: How, stopwatch: &Stopwatch) -> anyhow::Result<Round> {
    let leader = leader(dir).await?;
    let begun = Instant::now();
    stopwatch.watch_gaps(begun);
    match (&leader.role, how) {
        (Role::Node(address), How::Transfer) => {
            let doors = reach::demo(dir)?;
            let leader = doors.iter().find(|door| door.node() == *address);
            leader.context("the leader is not of this demo")?.transfer_leader().await?;
        }
        _ => _ = restart_process(dir, &leader).await?,
    }
    until_caught_up(dir).await?;
    let caught_up = begun.elapsed();
    until_moves(stopwatch, Instant::now()).await?;
    let longest = stopwatch.longest_gap();
    Ok(Round { leader: leader.name, silent_ms: ms(longest), caught_up_ms: ms(caught_up) })
}

async fn until_moves(stopwatch: &Stopwatch, since: Instant) -> anyhow::Result<()> {
    silence(stopwatch.start(since)).await.map(drop)
}

async fn silence(moved: oneshot::Receiver<Duration>) -> anyhow::Result<Duration> {
    timeout(SILENCE_MAX, moved)
        .await
        .map_err(|_| {
            anyhow!("nobody could move for {SILENCE_MAX:?}; look at `hangraft status` and the logs")
        })?
        .context("the clock was started twice")
}

/// Measures from a given moment to the first move made after it, and the longest time
/// between two answers.
#[derive(Default)]
struct Stopwatch {
    running: Mutex<Option<(Instant, oneshot::Sender<Duration>)>>,
    gaps: Mutex<Option<Gaps>>,
}

/// The last answer, and the longest time without one so far.
struct Gaps {
    last: Instant,
    longest: Duration,
}

impl Stopwatch {
    fn start(&self, at: Instant) -> oneshot::Receiver<Duration> {
        let (sender, moved) = oneshot::channel();
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some((at, sender));
        moved
    }

    fn watch_gaps(&self, from: Instant) {
        let gaps = Gaps { last: from, longest: Duration::ZERO };
        *self.gaps.lock().unwrap_or_else(PoisonError::into_inner) = Some(gaps);
    }

    fn longest_gap(&self) -> Duration {
        let gaps = self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
        gaps.as_ref().map_or(Duration::ZERO, |gaps| gaps.longest)
    }

    /// A move was answered. One that was sent before the start may have been
    /// answered before it, too, and only travelled; it does not count.
    fn moved(&self, sent: Instant, answered: Instant) {
        if let Some(gaps) = &mut *self.gaps.lock().unwrap_or_else(PoisonError::into_inner) {
            gaps.longest = gaps.longest.max(answered - gaps.last);
            gaps.last = answered;
        }
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((start, sender)) = running.take_if(|(start, _)| *start <= sent) {
            // Whoever waited may have given up.
            _ = sender.send(answered - start);
        }
    }
}

/// Someone who never stops playing.
struct Player {
    urls: Vec<Url>,
    /// How long they rest before a move.
    rest: Duration,
    token: Option<String>,
    table: Table,
    /// What frontends call the room.
    room: String,
    next: Vec<Wish>,
    stopwatch: Arc<Stopwatch>,
}

impl Player {
    fn new(urls: Vec<Url>, rest: Duration, stopwatch: Arc<Stopwatch>) -> Self {
        let (table, _open) = Table::new(1, false);
        let room = String::new();
        Self { urls, rest, token: None, table, room, next: Vec::new(), stopwatch }
    }

    /// Plays for ever, at another frontend whenever one fails. Returns only when
    /// it cannot go on.
    async fn play(&mut self) -> anyhow::Result<()> {
        for url in self.urls.clone().iter().cycle() {
            match url.enter(NAME, self.token.as_deref()).await {
                Ok((socket, identity)) => {
                    self.token = Some(identity.token);
                    self.play_at(socket).await?;
                }
                Err(err) => tracing::debug!("{err:#}"),
            }
            sleep(RECONNECT).await;
        }
        bail!("the demo has no frontends; start it with at least one");
    }

    /// Plays on one socket for as long as it lives. Whatever is open is asked
    /// again with the same serial, which is safe.
    async fn play_at(&mut self, mut socket: Socket) -> anyhow::Result<()> {
        self.next = self.table.open_wish(0).into_iter().collect();
        while let Some(wish) = self.next.pop() {
            sleep(wish.after.max(self.rest)).await;
            let sent = Instant::now();
            if socket.send(Message::text(text(&wish, &self.room))).await.is_err() {
                return Ok(());
            }
            let answer = self.answer_to(&wish, &mut socket).await;
            let Some(answer) = answer else { return Ok(()) };
            match self.table.answered(0, answer, &mut self.next) {
                Meaning::Moved => self.stopwatch.moved(sent, Instant::now()),
                Meaning::Refused(Code::TooFast) => {
                    bail!("the frontends slow players down; start the demo with --no-limits");
                }
                Meaning::Stuck(code) => bail!("the player cannot go on: {code}"),
                _ => (),
            }
        }
        Ok(())
    }

    /// The answer to a wish, none when the socket is gone.
    async fn answer_to(&mut self, wish: &Wish, socket: &mut Socket) -> Option<Answer> {
        while let Ok(Some(text)) = next_text(socket).await {
            if let Ok(Incoming::Answer(heard)) = Incoming::read(&text)
                && heard.id.and_then(RequestId::number) == Some(wish.serial)
            {
                if let Some(room) = name_of(&heard) {
                    self.room = room.to_owned();
                }
                return Some(answer(&heard));
            }
        }
        None
    }
}

impl Report {
    fn new(how: How, rounds: Vec<Round>) -> Self {
        let mut times: Vec<_> = rounds.iter().map(|round| round.silent_ms).collect();
        times.sort_by(f64::total_cmp);
        let at = |i: usize| times.get(i).copied().unwrap_or_default();
        let middle = times.len() / 2;
        let median = if times.len().is_multiple_of(2) {
            (at(middle.saturating_sub(1)) + at(middle)) / 2.0
        } else {
            at(middle)
        };
        Self {
            workload: "failover",
            how: format!("{how:?}").to_lowercase(),
            rounds,
            median_ms: median,
            worst_ms: times.last().copied().unwrap_or_default(),
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (round, i) in self.rounds.iter().zip(1..) {
            text += &format!(
                "{i:>3}: {} led; silence {:.0} ms; all caught up after {:.0} ms\n",
                round.leader, round.silent_ms, round.caught_up_ms
            );
        }
        text + &format!("median {:.0} ms, worst {:.0} ms", self.median_ms, self.worst_ms)
    }
}

fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(silent_ms: f64) -> Round {
        Round { leader: "n1".into(), silent_ms, caught_up_ms: 1.0 }
    }

    #[test]
    fn the_median_is_in_the_middle() {
        for (times, median, worst) in
            [(vec![3.0, 1.0, 2.0], 2.0, 3.0), (vec![4.0, 1.0], 2.5, 4.0), (vec![], 0.0, 0.0)]
        {
            let report = Report::new(How::Kill, times.into_iter().map(round).collect());
            assert_eq!((report.median_ms, report.worst_ms), (median, worst));
        }
    }

    /// A move that was under way at the kill proves nothing.
    #[test]
    fn only_a_move_sent_after_the_kill_counts() {
        let begin = Instant::now();
        let ms = |ms| begin + Duration::from_millis(ms);
        let stopwatch = Stopwatch::default();
        let mut moved = stopwatch.start(ms(10));
        stopwatch.moved(ms(9), ms(11));
        assert!(moved.try_recv().is_err());
        stopwatch.moved(ms(10), ms(700));
        assert_eq!(moved.try_recv(), Ok(Duration::from_millis(690)));
    }
}
