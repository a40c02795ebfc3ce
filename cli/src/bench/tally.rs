//! What a workload has seen, and how it is told.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hangraft_proto::socket::Code;
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::bench::{cost::Costs, table::Meaning};

/// The longest time a histogram tells apart, in microseconds: one minute. What
/// took longer counts as that.
const LONGEST_US: u64 = 60_000_000;

/// Digits a histogram keeps of a time.
const DIGITS: u8 = 3;

/// Where a workload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Players come in and warm up. Nothing is counted.
    Before,
    Measuring,
    Done,
}

/// What all players of a workload report to.
pub(super) struct Recorder {
    seen: Mutex<Seen>,
}

/// What was seen while measuring, and who is there.
struct Seen {
    phase: Phase,
    /// Players who have sat down, since the beginning.
    ready: usize,
    /// Players who cannot go on, since the beginning, and why the first could not.
    lost: usize,
    first_loss: Option<String>,
    moves: u64,
    rounds: u64,
    refused: BTreeMap<&'static str, u64>,
    reconnects: u64,
    answers: Histogram<u64>,
    pushes: Histogram<u64>,
}

/// A finished measurement. Its JSON form is for scripts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Report {
    pub(super) workload: &'static str,
    pub(super) players: usize,
    pub(super) seconds: f64,
    /// Moves accepted: committed by a majority, and answered.
    pub(super) moves: u64,
    pub(super) moves_per_second: f64,
    /// From sending a move to its answer.
    pub(super) answer_ms: Quantiles,
    /// From sending a move to the pushed view that shows it; sockets only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) push_ms: Option<Quantiles>,
    /// Rounds started again.
    pub(super) rounds: u64,
    /// Refusals by code. One `game-over` for each round is how a player learns of its end.
    pub(super) refused: BTreeMap<&'static str, u64>,
    /// Connections made anew.
    pub(super) reconnects: u64,
    /// Players who could not go on.
    pub(super) lost: usize,
    /// When the demo's folder was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) costs: Option<Costs>,
}

/// How a time was distributed, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Quantiles {
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) p999: f64,
    pub(super) max: f64,
}

impl Recorder {
    pub(super) fn new() -> Self {
        Self { seen: Mutex::new(Seen::new()) }
    }

    /// Moves on to a phase.
    pub(super) fn enter(&self, phase: Phase) {
        self.seen().phase = phase;
    }

    /// How many have sat down, and how many are lost.
    pub(super) fn attendance(&self) -> (usize, usize) {
        let seen = self.seen();
        (seen.ready, seen.lost)
    }

    /// Why the first lost player was lost.
    pub(super) fn first_loss(&self) -> Option<String> {
        self.seen().first_loss.clone()
    }

    /// How many moves were counted so far.
    pub(super) fn moves(&self) -> u64 {
        self.seen().moves
    }

    /// One answer, and how long it took.
    pub(super) fn answer(&self, meaning: Meaning, took: Duration) {
        let mut seen = self.seen();
        let measuring = seen.phase == Phase::Measuring;
        match meaning {
            Meaning::Ready => seen.ready += 1,
            Meaning::Stuck(code) => seen.lose(code.to_string()),
            Meaning::Moved if measuring => {
                seen.moves += 1;
                seen.answers.saturating_record(micros(took));
            }
            Meaning::NewRound if measuring => seen.rounds += 1,
            Meaning::Refused(code) if measuring => {
                *seen.refused.entry(code.as_str()).or_default() += 1;
            }
            Meaning::Preparation | Meaning::Moved | Meaning::NewRound | Meaning::Refused(_) => (),
        }
    }

    /// A player saw its own move in a pushed view.
    pub(super) fn push(&self, took: Duration) {
        let mut seen = self.seen();
        if seen.phase == Phase::Measuring {
            seen.pushes.saturating_record(micros(took));
        }
    }

    /// A connection broke and was made anew.
    pub(super) fn reconnected(&self) {
        let mut seen = self.seen();
        if seen.phase == Phase::Measuring {
            seen.reconnects += 1;
        }
    }

    /// Some players cannot go on.
    pub(super) fn lost(&self, players: usize, why: &str) {
        let mut seen = self.seen();
        for _ in 0..players {
            seen.lose(why.into());
        }
    }

    /// The sum of it all.
    pub(super) fn report(
        &self,
        workload: &'static str,
        players: usize,
        measured: Duration,
    ) -> Report {
        let seen = self.seen();
        Report {
            workload,
            players,
            seconds: round(measured.as_secs_f64()),
            moves: seen.moves,
            moves_per_second: round(seen.moves as f64 / measured.as_secs_f64()),
            answer_ms: Quantiles::of(&seen.answers),
            push_ms: (!seen.pushes.is_empty()).then(|| Quantiles::of(&seen.pushes)),
            rounds: seen.rounds,
            refused: seen.refused.clone(),
            reconnects: seen.reconnects,
            lost: seen.lost,
            costs: None,
        }
    }

    /// Nothing in here is half done when a player panics, so its lock is good.
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn new() -> Self {
        Self {
            phase: Phase::Before,
            ready: 0,
            lost: 0,
            first_loss: None,
            moves: 0,
            rounds: 0,
            refused: BTreeMap::new(),
            reconnects: 0,
            answers: histogram(),
            pushes: histogram(),
        }
    }

    fn lose(&mut self, why: String) {
        self.lost += 1;
        self.first_loss.get_or_insert(why);
    }
}

impl Report {
    /// A few lines for people.
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "{} moves/s: {} moves of {} players in {} s\n\
             to the answer     {}",
            self.moves_per_second.round(),
            self.moves,
            self.players,
            self.seconds,
            self.answer_ms.text()
        );
        if let Some(push) = &self.push_ms {
            _ = write!(text, "\nto the pushed view {}", push.text());
        }
        _ = write!(
            text,
            "\nrounds {}, reconnects {}, players lost {}",
            self.rounds, self.reconnects, self.lost
        );
        text += &refusals(&self.refused);
        if let Some(costs) = &self.costs {
            _ = write!(text, "\n{}", costs.text());
        }
        text
    }
}

/// What was refused, a line for each code, and what to do where that spoils a bench.
pub(super) fn refusals<C: AsRef<str>>(refused: &BTreeMap<C, u64>) -> String {
    let mut text = String::new();
    for (code, count) in refused {
        let code = code.as_ref();
        _ = write!(text, "\nrefused {code}: {count}");
        if code == Code::TooFast.as_str() {
            text +=
                "\nThe frontends slow players down; start the demo with --no-limits for a bench.";
        }
    }
    text
}

impl Quantiles {
    pub(super) fn of(histogram: &Histogram<u64>) -> Self {
        let ms = |us: u64| us as f64 / 1000.0;
        Self {
            p50: ms(histogram.value_at_quantile(0.5)),
            p99: ms(histogram.value_at_quantile(0.99)),
            p999: ms(histogram.value_at_quantile(0.999)),
            max: ms(histogram.max()),
        }
    }

    pub(super) fn text(&self) -> String {
        let Self { p50, p99, p999, max } = self;
        format!("p50 {p50:.2} ms, p99 {p99:.2} ms, p99.9 {p999:.2} ms, max {max:.2} ms")
    }
}

/// An empty histogram of microseconds.
pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_US, DIGITS).expect("these bounds are in order")
}

/// As a histogram counts it.
pub(super) fn micros(took: Duration) -> u64 {
    took.as_micros().try_into().unwrap_or(LONGEST_US)
}

/// With two digits behind the point.
pub(super) fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only what is answered while measuring counts, except who came and who is lost.
    #[test]
    fn only_the_measured_time_counts() {
        let recorder = Recorder::new();
        let ms = Duration::from_millis;
        for phase in [Phase::Before, Phase::Measuring, Phase::Done] {
            recorder.enter(phase);
            recorder.answer(Meaning::Ready, ms(1));
            recorder.answer(Meaning::Moved, ms(2));
            recorder.answer(Meaning::Refused(Code::GameOver), ms(1));
            recorder.answer(Meaning::NewRound, ms(1));
            recorder.push(ms(4));
        }
        recorder.lost(1, "gone");
        let report = recorder.report("stream", 1, Duration::from_secs(2));
        assert_eq!(recorder.attendance(), (3, 1));
        assert_eq!((report.moves, report.moves_per_second, report.rounds), (1, 0.5, 1));
        assert_eq!(report.refused, BTreeMap::from([("game-over", 1)]));
        assert_eq!(report.answer_ms.p50.round(), 2.0);
        assert_eq!(report.push_ms.map(|push| push.max.round()), Some(4.0));
    }
}
