//! Nobody loses by a clock while nobody leads. Lobby time stands still then, so that between
//! the moment a clock began and the moment it ran out, the world has had all of its seconds,
//! besides those in which no node led. In the lobby a clock runs out in the first batch that
//! is not before its end, and begins with all of its seconds.
//!
//! When a batch was stamped is not known from outside. A node had it in its log after that: at
//! once as a rule, for what is written can be read before it is durable, and late where the log
//! was being cleared up meanwhile. What a leader stamps comes into its log in that order, so it was
//! not stamped long before the log had grown last.

use super::lobby_time::FASTER_PERCENT;
use super::truth::{Happened, Truth};
use super::{Broken, Verdict};
use crate::clock::MILLI;
use crate::nodes::Who;
use hangraft_game::RoomId;
use hangraft_ids::{LogIndex, NodeId, Term};
use hangraft_node::Report;
use hangraft_node::storage::log::Position;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

pub(super) const NAME: &str = "flags";

/// What a node counts beyond its leader's end, at most: word of a leader that is gone may
/// still be on its way, and lets time pass when it comes.
const ON_ITS_WAY_MS: u64 = 200;

/// A node's term, and where its log ends.
type Log = (Term, Option<LogIndex>);

/// When what came into the world, and who led until then.
#[derive(Default)]
pub(super) struct Flags {
    led: bool,
    now: u64,
    /// Nanoseconds in which nobody led.
    leaderless: u64,
    /// When an entry was first in somebody's log.
    written: BTreeMap<Position, Written>,
    /// How far each node's log was looked at, and when it had come so far.
    logs: BTreeMap<NodeId, (Log, Instant)>,
    /// The clocks that run, by their rooms.
    clocks: BTreeMap<RoomId, Clock>,
    /// The lobby's time at the batch before.
    before_ms: u64,
    /// Clocks that ran out.
    fallen: u64,
    /// What nobody has taken yet, in words.
    news: Vec<String>,
}

/// A moment of the world, and for how long nobody had led by then, in nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Instant {
    now: u64,
    leaderless: u64,
}

/// When an entry came into a log, and when that log had grown last before.
#[derive(Clone, Copy, Debug)]
struct Written {
    since: Instant,
    at: Instant,
}

/// A clock that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Running {
    seat: u64,
    /// In lobby time.
    ends_ms: u64,
    seconds: u64,
}

/// What has passed in the world since a clock began.
#[derive(Clone, Copy, Debug)]
struct Passed {
    led_ms: u64,
    leaderless_ms: u64,
}

struct Clock {
    runs: Option<Running>,
    /// The earliest moment at which it may have begun, if that is known.
    began: Option<Instant>,
    is_over: bool,
}

impl Flags {
    /// Clocks that ran out.
    pub(super) fn fallen(&self) -> u64 {
        self.fallen
    }

    /// The flags that have fallen since this was asked last, in words.
    pub(super) fn take_news(&mut self) -> Vec<String> {
        std::mem::take(&mut self.news)
    }

    /// It is `now`, and somebody leads, or nobody does.
    pub(super) fn is_led(&mut self, led: bool, now: u64) {
        if !self.led {
            self.leaderless += now - self.now;
        }
        (self.led, self.now) = (led, now);
    }

    /// A node has run, and has perhaps written something new.
    pub(super) fn wrote(&mut self, who: &Who, report: &Report, truth: &Truth, now: u64) {
        let leaderless = self.leaderless + if self.led { 0 } else { now - self.now };
        let at = Instant { now, leaderless };
        let Some(since) = self.grown(who.node, (report.term, report.last_log), at) else { return };
        let Some(LogIndex(last)) = report.last_log else { return };
        for index in (truth.len().0..=last).map(LogIndex) {
            if let Some((position, _)) = who.disk.entry(index) {
                self.written.entry(position).or_insert(Written { since, at });
            }
        }
    }

    /// A node's log is such now. If it was another, when it had become that.
    fn grown(&mut self, node: NodeId, log: Log, now: Instant) -> Option<Instant> {
        let before = self.logs.get(&node).copied();
        if before.is_some_and(|(then, _)| then == log) {
            return None;
        }
        self.logs.insert(node, (log, now));
        Some(before.map_or(now, |(_, grew)| grew))
    }

    pub(super) fn see(&mut self, happened: &Happened) -> Verdict {
        match happened {
            Happened::Version { room, view, at, .. } => {
                self.version(room.id(), room.made_ms(), view, *at)
            }
            Happened::BatchEnds { now_ms, at } => {
                self.before_ms = *now_ms;
                self.written.retain(|written, _| written.index > at.index);
                Ok(())
            }
            Happened::Told { .. } | Happened::Played => Ok(()),
        }
    }

    /// A match has a new version, made at this lobby time.
    fn version(&mut self, room: RoomId, made_ms: u64, view: &Value, at: Position) -> Verdict {
        let contest = &view["match"];
        let written = self.written.get(&at).copied();
        let clock =
            self.clocks.entry(room).or_insert(Clock { runs: None, began: None, is_over: false });
        let was_over = std::mem::replace(&mut clock.is_over, !contest["result"].is_null());
        let falls = clock.is_over && !was_over && contest["result"]["how"] == "clock";
        if falls {
            self.fallen += 1;
            let passed = clock.began.zip(written).map(|(began, fell)| Passed::of(began, fell.at));
            let in_words = passed.map_or(String::new(), |passed| format!(": {passed}"));
            self.news.push(format!("a flag fall in {room}{in_words}"));
            is_right(clock.runs, passed, (self.before_ms, made_ms)).map_err(|how| {
                Broken::new(NAME, format!("a flag fell in {room}{in_words}; {how}"))
            })?;
        }
        let runs = running(&contest["clock"], made_ms);
        if runs != clock.runs {
            (clock.runs, clock.began) = (runs, written.map(|written| written.since));
            let left_ms = runs.map(|runs| runs.ends_ms - made_ms);
            if left_ms.is_some_and(|left_ms| Some(left_ms) != runs.map(|it| it.seconds * 1_000)) {
                let how = format!("a clock in {room} began with {left_ms:?} ms: {runs:?}");
                return Err(Broken::new(NAME, how));
            }
        }
        Ok(())
    }
}

/// The clock that runs, as it is shown in a version made then.
fn running(clock: &Value, made_ms: u64) -> Option<Running> {
    let (seconds, seat) = (clock["seconds"].as_u64()?, clock["seat"].as_u64()?);
    Some(Running { seat, ends_ms: made_ms + clock["left_ms"].as_u64()?, seconds })
}

/// It ran out in the first batch that is not before its end.
fn in_lobby(ran: Running, fell_ms: u64, batch_before_ms: u64) -> Result<(), String> {
    if batch_before_ms < ran.ends_ms && ran.ends_ms <= fell_ms {
        return Ok(());
    }
    Err(format!("at {fell_ms} ms of the lobby, after a batch at {batch_before_ms} ms: {ran:?}"))
}

/// The world has had all of its seconds, without those in which nobody led.
fn in_world(ran: Running, Passed { led_ms, .. }: Passed) -> Result<(), String> {
    let most_ms = led_ms + led_ms * FASTER_PERCENT / 100 + ON_ITS_WAY_MS;
    if most_ms >= ran.seconds * 1_000 { Ok(()) } else { Err(format!("it was too soon: {ran:?}")) }
}

/// Whether a clock might run out, in a batch at the later of two times of the lobby.
fn is_right(
    ran: Option<Running>,
    passed: Option<Passed>,
    (before_ms, fell_ms): (u64, u64),
) -> Result<(), String> {
    let ran = ran.ok_or("no clock ran")?;
    in_lobby(ran, fell_ms, before_ms)?;
    passed.map_or(Ok(()), |passed| in_world(ran, passed))
}

impl Passed {
    fn of(began: Instant, fell: Instant) -> Passed {
        let leaderless = fell.leaderless - began.leaderless;
        let led_ms = (fell.now - began.now - leaderless) / MILLI;
        Passed { led_ms, leaderless_ms: leaderless / MILLI }
    }
}

impl fmt::Display for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Passed { led_ms, leaderless_ms } = self;
        write!(
            f,
            "since its clock began somebody led for {led_ms} ms, nobody for {leaderless_ms} ms"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAN: Running = Running { seat: 0, ends_ms: 9_000, seconds: 5 };

    /// A clock ends with the first batch that is not before its end: neither sooner nor later.
    #[test]
    fn a_flag_falls_in_its_batch() {
        assert!(in_lobby(RAN, 9_000, 8_999).is_ok());
        assert!(in_lobby(RAN, 12_000, 8_000).is_ok());
        assert!(in_lobby(RAN, 8_999, 8_000).is_err());
        assert!(in_lobby(RAN, 9_100, 9_000).is_err());
    }

    fn at(ms: u64, leaderless_ms: u64) -> Instant {
        Instant { now: ms * MILLI, leaderless: leaderless_ms * MILLI }
    }

    /// What stood before a log that was busy may have been stamped since the log grew last.
    #[test]
    fn what_comes_late_into_a_log_may_have_been_stamped_before() {
        let mut flags = Flags::default();
        let mut grown = |last: u64, ms: u64| {
            let log = (Term(1), Some(LogIndex(last)));
            flags.grown(NodeId(1), log, at(ms, 0)).map(|since| since.now / MILLI)
        };
        assert_eq!(grown(7, 1_000), Some(1_000));
        assert_eq!(grown(7, 1_400), None);
        assert_eq!(grown(9, 1_600), Some(1_000));
    }

    /// Time without a leader is nobody's.
    #[test]
    fn a_clock_stands_while_nobody_leads() {
        let falls = |began, fell| in_world(RAN, Passed::of(began, fell));
        assert!(falls(at(1_000, 300), at(6_000, 300)).is_ok());
        assert!(falls(at(1_000, 300), at(8_000, 2_300)).is_ok());
        assert!(falls(at(1_000, 300), at(6_000, 2_300)).is_err());
        assert!(falls(at(1_000, 0), at(4_000, 0)).is_err());
    }
}
