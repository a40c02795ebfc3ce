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

/// Days lived where they are slow.
const SLOW: u64 = 20;

fn simulate(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hangraft-sim"));
    command.args(args).output().expect("the simulation starts")
}

fn sweep(from: u64, seeds: u64) {
    let seeds = if env!("HANGRAFT_SIM_OPTIMISED") == "yes" {
        seeds
    } else {
        skip("most simulated days", "this build is not optimised; build with --profile sim");
        SLOW
    };
    let swept = simulate(&["--seeds", &seeds.to_string(), "--from", &from.to_string()]);
    let text = String::from_utf8_lossy(&swept.stdout);
    println!("{text}");
    assert!(swept.status.success(), "\n{text}\n{}", String::from_utf8_lossy(&swept.stderr));
    let last = text.lines().last().expect("a sweep ends with its figures");
    assert!(last.starts_with(&format!("seeds={seeds} failed=0 ")), "{last}");
}

#[test]
fn fixed_days_keep_every_promise() {
    sweep(1, FIXED);
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
    sweep(from, NEW);
}

/// A seed tells the same story every time, byte for byte, and does the same when
/// nobody listens.
#[test]
fn a_seed_tells_one_story() {
    for seed in ["3", "11", "24"] {
        let told = simulate(&["--seed", seed, "--trace"]);
        let again = simulate(&["--seed", seed, "--trace"]);
        assert!(told.stdout == again.stdout, "seed {seed} told two stories");
        let told = String::from_utf8(told.stdout).expect("stories are text");
        assert!(told.lines().count() > 500, "seed {seed} told nothing:\n{told}");
        let silent = simulate(&["--seed", seed]);
        let silent = String::from_utf8(silent.stdout).expect("stories are text");
        assert_eq!(told.lines().last(), silent.lines().last(), "seed {seed} heard us listen");
    }
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
    ] {
        let output = simulate(args);
        if args == ["--bugs"] && cfg!(feature = "planted") {
            continue;
        }
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(!output.stderr.is_empty(), "{args:?}");
    }
}
