//! Tests: every planted bug is found, within as many seeds as are stated here.
#![cfg(feature = "planted")]

use hangraft_tests::skip::skip;
use std::process::Command;

/// Each bug, and the seeds within which it has to be found. Found much sooner as a
/// rule; `scripts/simulate --bugs` says how soon, and ARCHITECTURE.md keeps it.
const WITHIN: [(&str, u64); 11] = [
    ("ack-before-fsync", 5),
    ("vote-not-saved", 1_000),
    ("stale-read", 20),
    ("serials-forgotten", 20),
    ("apply-looks-at-clock", 5),
    ("push-before-commit", 20),
    ("resume-skips-one", 20),
    ("leader-restored", 200),
    ("retry-numbered-anew", 20),
    ("secret-shown", 20),
    ("stream-astray", 1_000),
];

#[test]
fn every_planted_bug_is_found_in_time() {
    if env!("HANGRAFT_SIM_OPTIMISED") != "yes" {
        skip("planted bugs", "this build is not optimised; build with --profile sim");
        return;
    }
    let ran = Command::new(env!("CARGO_BIN_EXE_hangraft-sim")).arg("--bugs").output();
    let table = String::from_utf8(ran.expect("the simulation starts").stdout).expect("text");
    println!("{table}");
    for (bug, within) in WITHIN {
        let row = table.lines().find_map(|line| line.strip_prefix(&format!("| {bug} | ")));
        let row = row.unwrap_or_else(|| panic!("no bug is called {bug}:\n{table}"));
        let seeds: Option<u64> = row.split(' ').next().and_then(|seeds| seeds.parse().ok());
        assert!(seeds.is_some_and(|seeds| seeds <= within), "{bug} is found too late: {row}");
    }
    assert_eq!(table.lines().count(), WITHIN.len() + 2, "a bug is not stated here:\n{table}");
}
