//! Many days, as many at once as there are cores, and what came of them.

use crate::day::{Moves, Outcome};
use crate::out::{complain, say};
use crate::promises::sums::Played;
use crate::{Args, Request, hours, shrink};
use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How often progress is told: often to somebody who looks, rarely to a file.
const PROGRESS_SEEN: Duration = Duration::from_secs(2);
const PROGRESS_WRITTEN: Duration = Duration::from_secs(60);

/// Failures that are made smaller; the rest is only named.
const SHRUNK_MAX: usize = 3;

/// What a sweep has seen so far.
#[derive(Default)]
struct Seen {
    days: u64,
    failed: Vec<Outcome>,
    virtual_ms: u64,
    wishes: u64,
    terms: u64,
    crashes: u64,
    lost_writes: u64,
    members: Moves,
    played: Played,
}

/// Lives through `count` days from the seed of `first` on; whether all kept all
/// promises.
pub(crate) fn sweep(first: &Request, count: u64, args: &Args) -> anyhow::Result<bool> {
    let began = Instant::now();
    let until = args.hours.map(|hours| began + Duration::from_secs_f64(hours * 3_600.0));
    let seen = Mutex::new(Seen::default());
    let in_time = || until.is_none_or(|until| Instant::now() < until);
    each(
        first,
        count,
        args.jobs,
        in_time,
        |outcome| {
            let mut seen = seen.lock().expect("nothing panics while it is held");
            seen.take(outcome);
            true
        },
        || {
            let seen = seen.lock().expect("nothing panics while it is held");
            let rate = seen.days as f64 * 60.0 / began.elapsed().as_secs_f64();
            complain!(
                "{} of {count} days, {} failed, {rate:.0} a minute",
                seen.days,
                seen.failed.len()
            );
        },
    );
    let seen = seen.into_inner().expect("nothing panicked while it was held");
    for (nth, outcome) in seen.failed.iter().enumerate() {
        let whole = Request { seed: outcome.seed, ..first.clone() };
        let small = (nth < SHRUNK_MAX && !args.no_shrink).then(|| shrink::shrink(&whole, outcome));
        report(&whole, outcome, small);
    }
    say!(
        "{} wishes answered, {} terms, {} crashes that took back {} writes",
        seen.wishes,
        seen.terms,
        seen.crashes,
        seen.lost_writes
    );
    say!("{}", seen.members);
    say!("{}", seen.played);
    say!(
        "seeds={} failed={} virtual_hours={:.1} per_wall_second={:.0}",
        seen.days,
        seen.failed.len(),
        hours(seen.virtual_ms),
        seen.virtual_ms as f64 / 1_000.0 / began.elapsed().as_secs_f64()
    );
    Ok(seen.failed.is_empty() && seen.days > 0)
}

impl Seen {
    fn take(&mut self, outcome: Outcome) {
        self.days += 1;
        self.virtual_ms += outcome.virtual_ms;
        self.wishes += outcome.answered as u64;
        self.terms += outcome.terms;
        self.crashes += outcome.crashes;
        self.lost_writes += outcome.lost_writes;
        self.members += outcome.members;
        self.played += outcome.played;
        if outcome.members.beyond_help > 0 {
            complain!("seed {} lost too much to go on", outcome.seed);
        }
        if let Some((promise, _)) = &outcome.broken {
            complain!("seed {} broke {promise}", outcome.seed);
            self.failed.push(outcome);
            self.failed.sort_by_key(|failed| failed.seed);
        }
    }
}

fn report(whole: &Request, outcome: &Outcome, small: Option<(Request, Outcome)>) {
    let (request, outcome) = match &small {
        Some((request, outcome)) => (request, outcome),
        None => (whole, outcome),
    };
    let (promise, how) = outcome.broken.as_ref().expect("only what failed is reported");
    say!("seed {} broke {promise}: {how}", whole.seed);
    say!("  the day:  scripts/simulate {} --trace", whole.flags());
    if small.is_some() {
        say!("  smallest: scripts/simulate {} --trace", request.flags());
    }
}

/// Lives through `count` days, `jobs` at a time, in the order of their seeds, until
/// `go_on` says no or `take` does. `tell` is called now and then.
pub(crate) fn each(
    first: &Request,
    count: u64,
    jobs: usize,
    go_on: impl Fn() -> bool + Sync,
    take: impl Fn(Outcome) -> bool + Sync,
    tell: impl Fn() + Sync,
) {
    let next = AtomicU64::new(0);
    let stopped = AtomicBool::new(false);
    let running = AtomicU64::new(jobs.max(1) as u64);
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                let _running = Running(&running);
                while !stopped.load(Ordering::Relaxed) && go_on() {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    if nth >= count {
                        break;
                    }
                    let day = Request { seed: first.seed.wrapping_add(nth), ..first.clone() };
                    if !take(day.live()) {
                        stopped.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
        scope.spawn(|| {
            let seen = std::io::stderr().is_terminal();
            let pause = if seen { PROGRESS_SEEN } else { PROGRESS_WRITTEN };
            let mut told = Instant::now();
            while running.load(Ordering::Relaxed) > 0 {
                thread::sleep(Duration::from_millis(20));
                if told.elapsed() >= pause {
                    told = Instant::now();
                    tell();
                }
            }
        });
    });
}

/// One of those who live through days; it may panic.
struct Running<'a>(&'a AtomicU64);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
