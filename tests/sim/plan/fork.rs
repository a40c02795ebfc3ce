//! A fork of a day: at one moment of it something else is done, and the day goes on from
//! there. Pure: from what people write to what goes wrong.
//!
//! ```text
//! AT [instead] FAULT        12.345s kill n1        12s instead isolate leader 5s
//! ```

use super::{Fault, Plan, Target, Traffic, What};
use crate::clock::{MICRO, MILLI};
use std::fmt;
use std::str::FromStr;

/// How a fork is written, for those who ask and those who err.
pub(crate) const GRAMMAR: &str = "\
Forks:
  --fork \"AT [instead] FAULT\" lives through the day as it is until the virtual moment AT.
  All that happens in that microsecond still happens. Then the fault strikes as well, or
  `instead` of all of the day's own faults that would come. AT is 12.345s, 12345ms or
  12345678us. FAULT is one of:
    nothing                       leaves out the day's own faults from there on
    heal                          cuts, delays and losses end
    kill NODE | power NODE | restart NODE | pause NODE | blackout
    start NODE | resume NODE      before their time
    isolate NODE | cut NODE NODE | cut NODE frontends | one-way NODE NODE
    halves | bridge | ring        as patterns of `hangraft fault cut`
    raft-cut NODE | gossip-cut NODE
    delay NODE TIME | drop PERCENT
    slow-disk NODE | fail-fsync NODE | full-disk NODE | skew NODE TIME
  NODE is n1, n2 .., leader or follower. A TIME such as 500ms or 3s behind a fault says how
  long it lasts; without one it lasts until the faults of the day end, or until the day heals
  it. It may be given more than once: a fork of a fork.";

/// Something else is done at one moment of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fork {
    /// When, in microseconds. What happens in that microsecond anyway happens before.
    pub(crate) at_us: u64,
    /// The day's own faults from there on are left out.
    pub(crate) instead: bool,
    /// What is done; nothing, if only faults are left out.
    what: Option<What>,
    /// For how long, in milliseconds; without it, for the rest of the faults.
    lasts_ms: Option<u64>,
    /// As it was written.
    words: String,
}

impl Fork {
    /// As it was written, without its moment.
    pub(crate) fn words(&self) -> &str {
        &self.words
    }

    /// The moment in seconds: "12.345 s".
    pub(crate) fn moment(&self) -> String {
        let (seconds, micros) = (self.at_us / 1_000_000, self.at_us % 1_000_000);
        let digits = format!("{micros:06}");
        let digits = digits.trim_end_matches('0');
        let point = if digits.is_empty() { "" } else { "." };
        format!("{seconds}{point}{digits} s")
    }

    /// What goes wrong, where the faults of the day end `rest_ms` later.
    pub(crate) fn what(&self, rest_ms: u64) -> Option<What> {
        let lasts_ms = self.lasts_ms.unwrap_or(rest_ms).min(rest_ms);
        self.what.map(|what| what.lasting(lasts_ms))
    }

    /// After how long cuts, delays and losses that it brings end, if it says so.
    pub(crate) fn heals_after_ms(&self) -> Option<u64> {
        self.lasts_ms.filter(|_| self.what.is_some_and(|what| what.is_of_network()))
    }
}

/// The next thing that somebody does to a day.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'a> {
    /// A fault of its own, by its number.
    Fault(usize, &'a What),
    Fork(&'a Fork),
}

impl Plan {
    /// The same day with forks; whatever they leave out is gone.
    pub(crate) fn fork(&mut self, mut forks: Vec<Fork>) -> Result<(), String> {
        forks.sort_by_key(|fork| fork.at_us);
        if let Some(late) = forks.iter().find(|fork| fork.at_us >= self.millis * 1_000) {
            let (at, end) = (late.moment(), self.millis as f64 / 1_000.0);
            return Err(format!("{at} is too late: the faults of this day end at {end} s"));
        }
        if let Some(from) = forks.iter().find(|fork| fork.instead) {
            let own = self.faults.iter().take_while(|fault| fault.at_ms * 1_000 <= from.at_us);
            let kept = own.count();
            self.faults.truncate(kept);
            self.numbers.truncate(kept);
        }
        self.forks = forks;
        Ok(())
    }

    /// What is done, and at which nanosecond, in order. A fork comes at the end of its
    /// microsecond: a timeline counts in those, and whatever it shows there has happened.
    pub(crate) fn steps(&self) -> Vec<(u64, Step<'_>)> {
        let faults = self.numbers.iter().zip(&self.faults);
        let faults = faults
            .map(|(number, Fault { at_ms, what })| (at_ms * MILLI, Step::Fault(*number, what)));
        let last = |fork: &Fork| (fork.at_us + 1) * MICRO - 1;
        let forks = self.forks.iter().map(|fork| (last(fork), Step::Fork(fork)));
        let mut steps: Vec<_> = faults.chain(forks).collect();
        steps.sort_by_key(|(at, _)| *at);
        steps
    }
}

impl fmt::Display for Fork {
    /// As the value of the flag that asks for it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}us {}", self.at_us, self.words)
    }
}

impl FromStr for Fork {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let at = words.next().ok_or("a fork has a moment and a fault, like \"12.345s kill n1\"")?;
        let at_us = moment_us(at)
            .ok_or_else(|| format!("{at} is no moment; write 12.345s, 12345ms or 12345678us"))?;
        let words: Vec<&str> = words.collect();
        let (instead, fault) = match &words[..] {
            ["instead", fault @ ..] => (true, fault),
            fault => (false, fault),
        };
        let ["nothing"] = fault else {
            let (what, lasts_ms) = parse(fault)?;
            let words = words.join(" ");
            return Ok(Fork { at_us, instead, what: Some(what), lasts_ms, words });
        };
        let words = words.join(" ");
        Ok(Fork { at_us, instead: true, what: None, lasts_ms: None, words })
    }
}

/// A fault, and for how long.
fn parse(words: &[&str]) -> Result<(What, Option<u64>), String> {
    let unknown = || format!("\"{}\" is no fault; --help says which there are", words.join(" "));
    let (what, rest): (What, &[&str]) = match words {
        ["heal"] => return Ok((What::Heal, None)),
        ["start", node] => return Ok((What::Start(target(node)?), None)),
        ["resume", node] => return Ok((What::Resume(target(node)?), None)),
        ["skew", node, by] => return Ok((What::Skew(target(node)?, signed_ms(by)?), None)),
        ["blackout", rest @ ..] => (What::Blackout { down_ms: 0 }, rest),
        ["halves", rest @ ..] => (What::Halves(Target::Leader), rest),
        ["bridge", rest @ ..] => (What::Bridge(Target::Follower), rest),
        ["ring", rest @ ..] => (What::Ring, rest),
        ["drop", percent, rest @ ..] => (What::Loss(ppm(percent)?), rest),
        ["cut", node, "frontends", rest @ ..] => (What::CutFrontends(target(node)?), rest),
        ["cut", one, other, rest @ ..] => (pair(one, other, true)?, rest),
        ["one-way", one, other, rest @ ..] => (pair(one, other, false)?, rest),
        ["delay", node, by, rest @ ..] => (What::Delay(target(node)?, time_ms(by)?), rest),
        [verb, node, rest @ ..] => (of_node(verb, node).ok_or_else(unknown)??, rest),
        _ => return Err(unknown()),
    };
    match rest {
        [] => Ok((what, None)),
        [time] => Ok((what, Some(time_ms(time)?))),
        [_, more @ ..] => Err(format!("\"{}\" is too much", more.join(" "))),
    }
}

/// What is done to one node, if a verb says that.
fn of_node(verb: &str, node: &str) -> Option<Result<What, String>> {
    let (down_ms, millis) = (0, 0);
    let what = |target| match verb {
        "kill" => Some(What::Crash { target, power: false, down_ms }),
        "power" => Some(What::Crash { target, power: true, down_ms }),
        "restart" => Some(What::Restart { target, down_ms }),
        "pause" => Some(What::Pause { target, frozen: false, millis }),
        "isolate" => Some(What::Isolate(target, Traffic::All)),
        "raft-cut" => Some(What::Isolate(target, Traffic::Streams)),
        "gossip-cut" => Some(What::Isolate(target, Traffic::Datagrams)),
        "slow-disk" => Some(What::SlowDisk { target, millis }),
        "fail-fsync" => Some(What::FailFsync { target, millis }),
        "full-disk" => Some(What::FullDisk { target, millis }),
        _ => None,
    };
    what(Target::Leader)?;
    Some(target(node).map(|target| what(target).expect("it was one for another node")))
}

fn pair(one: &str, other: &str, both_ways: bool) -> Result<What, String> {
    if one == other {
        return Err(format!("{one} and {other} are one node"));
    }
    Ok(What::Between { from: target(one)?, to: target(other)?, both_ways })
}

fn target(word: &str) -> Result<Target, String> {
    let number = || word.strip_prefix('n')?.parse().ok().filter(|number| *number > 0);
    match word {
        "leader" => Ok(Target::Leader),
        "follower" => Ok(Target::Follower),
        _ => match number() {
            Some(number) => Ok(Target::Called(number)),
            None => Err(format!("{word} is no node; write n1, leader or follower")),
        },
    }
}

/// A moment with its unit, in microseconds.
fn moment_us(text: &str) -> Option<u64> {
    let unit = text.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let number = text.strip_suffix(unit)?;
    let digits = match unit {
        "s" => 6,
        "ms" => 3,
        "us" => 0,
        _ => return None,
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || part.len() > digits || (part.is_empty() && number.contains('.')) {
        return None;
    }
    format!("{whole}{part:0<digits$}").parse().ok()
}

/// How long something takes, in milliseconds.
fn time_ms(text: &str) -> Result<u64, String> {
    let whole = |unit: char, ms: u64| text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(ms);
    let small = || moment_us(text).filter(|us| us.is_multiple_of(1_000)).map(|us| us / 1_000);
    let ms = whole('h', 3_600_000).or_else(|| whole('m', 60_000)).or_else(small);
    ms.filter(|ms| *ms > 0).ok_or_else(|| format!("{text} is no time; write 500ms, 3s or 1h"))
}

fn signed_ms(text: &str) -> Result<i64, String> {
    let (sign, time) = text.strip_prefix('-').map_or((1, text), |time| (-1, time));
    let ms = i64::try_from(time_ms(time)?).map_err(|_| format!("{text} is too long"))?;
    Ok(sign * ms)
}

/// A share in percent, as parts of a million.
fn ppm(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text} is no share; write 5 for 5 %, at most 100");
    let percent: f64 = text.trim_end_matches('%').parse().map_err(|_| wrong())?;
    let right = percent > 0.0 && percent <= 100.0;
    if right { Ok((percent * 10_000.0).round() as u64) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fork(text: &str) -> Fork {
        text.parse().unwrap_or_else(|err| panic!("{text}: {err}"))
    }

    /// Every microsecond can be said, and said again.
    #[test]
    fn a_fork_says_when() {
        for (text, us, moment) in [
            ("12.345s heal", 12_345_000, "12.345 s"),
            ("12s heal", 12_000_000, "12 s"),
            ("12.000001s heal", 12_000_001, "12.000001 s"),
            ("12345ms heal", 12_345_000, "12.345 s"),
            ("0.25ms heal", 250, "0.00025 s"),
            ("7us heal", 7, "0.000007 s"),
        ] {
            let fork = fork(text);
            assert_eq!((fork.at_us, fork.moment().as_str()), (us, moment), "{text}");
            assert_eq!(fork.to_string().parse(), Ok(fork), "{text}");
        }
        for text in ["12 heal", "12.s heal", "s heal", ".5s heal", "1.2.3s heal", "1.0000001s heal"]
        {
            assert!(text.parse::<Fork>().unwrap_err().contains("is no moment"), "{text}");
        }
    }

    /// What lasts ends with the faults of the day, or when it is said, but not later.
    #[test]
    fn a_fork_says_what_and_for_how_long() {
        let what = |text: &str| format!("{:?}", fork(text).what(8_000));
        let killed = |node, down_ms| {
            let target = if node == 0 { Target::Leader } else { Target::Called(node) };
            format!("{:?}", Some(What::Crash { target, power: false, down_ms }))
        };
        assert_eq!(what("1s kill n2"), killed(2, 8_000));
        assert_eq!(what("1s kill leader 1.5s"), killed(0, 1_500));
        assert_eq!(what("1s kill leader 90s"), killed(0, 8_000));
        assert_eq!(what("1s nothing"), "None");
        assert_eq!(fork("1s isolate n1 2s").heals_after_ms(), Some(2_000));
        assert_eq!(fork("1s isolate n1").heals_after_ms(), None);
        assert_eq!(fork("1s kill n1 2s").heals_after_ms(), None);
        let instead = |text: &str| (fork(text).instead, fork(text).words().to_owned());
        assert_eq!(instead("1s instead kill n2"), (true, "instead kill n2".to_owned()));
        assert_eq!(instead("1s nothing"), (true, "nothing".to_owned()));
        assert_eq!(instead("1s kill n2"), (false, "kill n2".to_owned()));
    }

    /// A day with forks has all that came before, and what is not left out.
    #[test]
    fn a_fork_leaves_out_what_comes_only_if_asked() {
        let plan = |forks: &[&str]| {
            let mut plan = Plan::of(1, 20_000, Some(3));
            plan.fork(forks.iter().map(|text| fork(text)).collect()).map(|()| plan)
        };
        let all = plan(&[]).expect("nothing is too late");
        let third = all.faults[2].at_ms;
        let numbers = |plan: Plan| plan.numbers;
        let at = |us: u64, fault: &str| format!("{us}us {fault}");
        let as_well = plan(&[&at(third * 1_000, "heal")]).expect("in time");
        assert_eq!(numbers(as_well.clone()), all.numbers);
        let order: Vec<bool> =
            as_well.steps()[..4].iter().map(|(_, step)| matches!(step, Step::Fork(_))).collect();
        assert_eq!(order, [false, false, false, true], "a fault at that moment strikes before");
        let nothing = plan(&[&at(third * 1_000, "nothing")]).expect("in time");
        assert_eq!(numbers(nothing), [0, 1, 2]);
        let before = plan(&[&at(third * 1_000 - 1, "instead heal")]).expect("in time");
        assert_eq!((before.faults.len(), numbers(before)), (2, vec![0, 1]));
        let two = plan(&["9s nothing", "1s kill n1"]).expect("in time");
        let times: Vec<u64> = two.forks.iter().map(|fork| fork.at_us).collect();
        assert_eq!(times, [1_000_000, 9_000_000]);
        assert!(plan(&["999s heal"]).unwrap_err().contains("too late"));
    }

    /// All that the help names is understood, and what is not says why.
    #[test]
    fn every_fault_can_be_said() {
        for fault in [
            "power n1",
            "restart n1",
            "pause n2 3s",
            "blackout",
            "start n1",
            "resume n1",
            "cut n1 n2",
            "cut n1 frontends 5s",
            "one-way n1 leader",
            "halves",
            "bridge",
            "ring",
            "raft-cut n1",
            "gossip-cut follower",
            "delay n1 200ms 5s",
            "drop 20%",
            "slow-disk n1 3s",
            "fail-fsync n1",
            "full-disk n1",
            "skew n1 -1h",
        ] {
            let fork = fork(&format!("1s {fault}"));
            assert!(fork.what(1).is_some(), "{fault}");
        }
        for (fault, why) in [
            ("", "no fault"),
            ("burn n1", "no fault"),
            ("kill", "no fault"),
            ("instead", "no fault"),
            ("kill n0", "no node"),
            ("kill f1", "no node"),
            ("cut n1 n1", "one node"),
            ("kill n1 soon", "no time"),
            ("kill n1 0s", "no time"),
            ("kill n1 1s now", "too much"),
            ("drop 101", "no share"),
            ("drop many", "no share"),
            ("nothing more", "no fault"),
        ] {
            let err = format!("1s {fault}").parse::<Fork>().unwrap_err();
            assert!(err.contains(why), "{fault}: {err}");
        }
    }
}
