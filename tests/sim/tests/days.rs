//! Tests: many days keep every promise, and one day is always the same.
//!
//! Built without optimisation a day takes ten times as long; then fewer are lived,
//! and that is said. `scripts/test` builds with the profile `sim`.

use hangraft_lab::history::Outcome;
use hangraft_lab::timeline::Line;
use hangraft_lab::timeline::file::{self, Timeline};
use hangraft_tests::skip::skip;
use std::fs::File;
use std::io::BufReader;
use std::process::{Command, Output};

/// Fixed seeds, the same in every run.
const FIXED: u64 = 500;

/// New seeds, named by the commit.
const NEW: u64 = 100;

/// The same seeds, with another log.
const WITH_SEGMENTS: u64 = 150;

/// Days lived where they are slow.
const SLOW: u64 = 20;

fn simulate(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hangraft-sim"));
    command.args(args).output().expect("the simulation starts")
}

fn sweep(from: u64, seeds: u64, more: &[&str]) {
    let seeds = if env!("HANGRAFT_SIM_OPTIMISED") == "yes" {
        seeds
    } else {
        skip("most simulated days", "this build is not optimised; build with --profile sim");
        SLOW
    };
    let (count, first) = (seeds.to_string(), from.to_string());
    let swept = simulate(&[&["--seeds", &count, "--from", &first], more].concat());
    let text = String::from_utf8_lossy(&swept.stdout);
    println!("{text}");
    assert!(swept.status.success(), "\n{text}\n{}", String::from_utf8_lossy(&swept.stderr));
    let last = text.lines().last().expect("a sweep ends with its figures");
    assert!(last.starts_with(&format!("seeds={seeds} failed=0 ")), "{last}");
}

#[test]
fn fixed_days_keep_every_promise() {
    sweep(1, FIXED, &[]);
}

#[test]
fn new_days_keep_every_promise() {
    let head = Command::new("git").args(["rev-parse", "HEAD"]).output();
    let head = head.ok().filter(|head| head.status.success());
    let Some(head) = head.and_then(|head| String::from_utf8(head.stdout).ok()) else {
        skip("new simulated days", "no commit names them");
        return;
    };
    let from = u64::from_str_radix(&head[..10], 16).expect("a commit is a hexadecimal number");
    sweep(from, NEW, &[]);
}

/// The log of segments loses nothing and doubles nothing, whenever the power fails.
#[test]
fn days_with_a_log_of_segments_keep_every_promise() {
    sweep(1, WITH_SEGMENTS, &["--log-kind", "segments"]);
}

/// A seed tells the same story every time, byte for byte, and does the same when
/// nobody listens. Libraries speak only when they are asked, on lines of their own, and
/// change nothing of the story.
#[test]
fn a_seed_tells_one_story() {
    for seed in ["3", "11", "24"] {
        let told = lines(&simulate(&["--seed", seed, "--trace"]));
        assert!(told == lines(&simulate(&["--seed", seed, "--trace"])), "seed {seed} told two");
        assert!(told.len() > 200, "seed {seed} told nothing:\n{}", told.join("\n"));
        let silent = lines(&simulate(&["--seed", seed]));
        assert_eq!(told.last(), silent.last(), "seed {seed} heard us listen");
        assert!(!told.iter().any(|line| is_logged(line)), "seed {seed} let libraries speak");
        let both = lines(&simulate(&["--seed", seed, "--trace", "--log"]));
        let (logged, story): (Vec<_>, Vec<_>) = both.into_iter().partition(|line| is_logged(line));
        assert!(story == told, "seed {seed} told another story between its logs");
        assert!(logged.iter().any(|line| line.contains("DEBUG hangraft")), "seed {seed}");
    }
}

/// Of libraries only what was asked for is there.
#[test]
fn logs_are_what_was_asked_for() {
    let day = lines(&simulate(&["--seed", "3", "--log", "hangraft_node=info"]));
    let logged: Vec<&String> = day.iter().filter(|line| is_logged(line)).collect();
    assert!(!logged.is_empty(), "{}", day.join("\n"));
    for line in logged {
        let levels = ["ERROR", "WARN", "INFO"];
        let wanted = |level| line[16..].starts_with(&format!("| {level} hangraft_node"));
        assert!(levels.into_iter().any(wanted), "{line}");
    }
    let wrong = simulate(&["--seed", "3", "--log", "hangraft=loud"]);
    assert_eq!(wrong.status.code(), Some(2));
}

/// The story of a killed leader, in order: it is killed, another asks for votes and leads, and
/// a player's wish is granted.
#[test]
fn a_failover_can_be_followed() {
    let (seed, number, killed) = killed_leader();
    let told = lines(&simulate(&["--seed", &seed, "--faults", &number, "--trace"]));
    let mut rest = told.iter().map(String::as_str);
    let mut next = |what: &str, is_it: &dyn Fn(&str) -> bool| {
        let found = rest.find(|line| is_it(line));
        found.unwrap_or_else(|| panic!("no {what} in its place:\n{}", told.join("\n"))).to_owned()
    };
    let strikes = next("fault", &|line| line.contains(&format!("{number}: ")) && !is_plan(line));
    assert!(strikes.contains(" (leader) is killed for"), "{strikes}");
    let victim = who(&next("kill", &|line| line.contains(&killed)));
    let other = |line: &str| who(line) != victim;
    let asks = next("vote", &|line| line.contains("asks for votes in term") && other(line));
    let leads = next("leader", &|line| line.contains("leads term ") && other(line));
    assert!(who(&asks).starts_with('n') && who(&leads).starts_with('n'), "{asks}\n{leads}");
    next("granted wish", &|line| line.contains("is told by f") && line.contains(": yes, "));
    next("judge's word", &|line| who(line) == "judge" && line.contains("every promise kept"));
}

/// A seed, the number of a fault on its day that kills the leader for so long that another is
/// elected, and what becomes of the leader.
fn killed_leader() -> (String, String, String) {
    for seed in 1..100 {
        let seed = seed.to_string();
        for line in lines(&simulate(&["--seed", &seed, "--trace"])) {
            let Some((fault, killed)) = line.split_once(": the leader is killed for ") else {
                continue;
            };
            let millis: u64 = killed.trim_end_matches(" ms").parse().expect("milliseconds");
            if millis > 2_500 {
                let number = fault.split_whitespace().nth(3).expect("a fault has a number");
                return (seed, number.to_owned(), format!("is killed for {killed}"));
            }
        }
    }
    panic!("no leader is killed on any day");
}

fn lines(output: &Output) -> Vec<String> {
    let text = std::str::from_utf8(&output.stdout).expect("stories are text");
    text.lines().map(str::to_owned).collect()
}

/// Whose line it is.
fn who(line: &str) -> String {
    line.split_whitespace().nth(1).unwrap_or_default().to_owned()
}

fn is_plan(line: &str) -> bool {
    who(line) == "plan"
}

/// Whether a line is a library's: a bar stands before what it says.
fn is_logged(line: &str) -> bool {
    line.as_bytes().get(16) == Some(&b'|')
}

/// A day that is written down is the same day: it prints the same text. What is written can
/// be read, is in order, and shows nodes, messages, clients, faults, processes and the judge.
#[test]
fn a_day_that_is_written_down_is_the_same_day() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for seed in ["3", "24"] {
        let path = folder.path().join(seed);
        let flag = path.to_str().expect("our names are plain");
        let written = simulate(&["--seed", seed, "--timeline", flag]);
        let silent = simulate(&["--seed", seed]);
        let text = String::from_utf8(silent.stdout).expect("stories are text");
        assert_eq!(String::from_utf8_lossy(&written.stdout), text, "seed {seed} felt watched");
        let file = BufReader::new(File::open(&path).expect("it was written"));
        let Timeline { head, lines } = file::read(file).expect("it can be read");
        assert_eq!((head.title, head.clients.is_empty()), (format!("day {seed}"), false));
        assert!(lines.is_sorted_by_key(Line::at), "seed {seed} is out of order");
        let shows = |what: &str, is_it: &dyn Fn(&Line) -> bool| {
            assert!(lines.iter().any(is_it), "seed {seed} shows no {what}");
        };
        shows("leader", &|line| matches!(line, Line::Role(role) if role.role == "leader"));
        shows("log", &|line| matches!(line, Line::Log(log) if log.applied.is_some()));
        shows("members", &|line| matches!(line, Line::Members(_)));
        shows("gossip", &|line| matches!(line, Line::Gossip(gossip) if gossip.state == "alive"));
        shows("fault", &|line| matches!(line, Line::Fault(_)));
        shows("vote", &|line| {
            matches!(line, Line::Message(vote)
            if vote.what == "vote" && vote.answer && vote.yes == Some(true))
        });
        shows("append", &|line| {
            matches!(line, Line::Message(append)
            if append.what == "append" && append.received > Some(append.at))
        });
        shows("call", &|line| {
            matches!(line, Line::Call(call)
            if matches!(call.outcome, Outcome::Ok { .. }))
        });
        shows("push", &|line| matches!(line, Line::Push(_)));
        shows("process", &|line| matches!(line, Line::Process(_)));
        shows("verdict", &|line| matches!(line, Line::Verdict(verdict) if verdict.good));
    }
}

#[test]
fn wrong_usage_is_said() {
    for args in [
        &["--seed", "x"][..],
        &[],
        &["--seed", "1", "--faults", "a"],
        &["--bugs"],
        &["--seeds", "1", "--timeline", "x"],
        &["--seeds", "1", "--trace"],
        &["--seeds", "1", "--log"],
    ] {
        let output = simulate(args);
        if args == ["--bugs"] && cfg!(feature = "planted") {
            continue;
        }
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(!output.stderr.is_empty(), "{args:?}");
    }
}
