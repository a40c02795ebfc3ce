//! Tests: many days keep every promise, and one day is always the same.
//!
//! Built without optimisation a day takes ten times as long; then fewer are lived,
//! and that is said. `scripts/test` builds with the profile `sim`.

use hangraft_tests::skip::skip;
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

#[test]
fn wrong_usage_is_said() {
    for args in [&["--seed", "x"][..], &[], &["--seed", "1", "--faults", "a"], &["--bugs"]] {
        let output = simulate(args);
        if args == ["--bugs"] && cfg!(feature = "planted") {
            continue;
        }
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(!output.stderr.is_empty(), "{args:?}");
    }
}
