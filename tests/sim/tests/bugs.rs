//! Tests: every planted bug is found, within as many seeds as are stated here.
#![cfg(feature = "planted")]

use hangraft_tests::skip::skip;
use std::process::Command;

/// Each bug, the seeds within which it has to be found, and the promises that it may
/// break. Found much sooner as a rule; `scripts/simulate --bugs` says how soon, and
/// `tests/sim/README.md` keeps it.
const WITHIN: [(&str, u64, &[&str]); 20] = [
    ("ack-before-fsync", 10, &["nothing_lost"]),
    ("vote-not-saved", 200, &["one_leader", "committed", "same_hash", "nothing_lost"]),
    // Who asks for a room that such a leader does not have yet is told that there is none.
    ("stale-read", 1_000, &["linearizable", "in_order"]),
    ("serials-forgotten", 50, &["same_hash", "none_twice", "nothing_lost"]),
    ("apply-looks-at-clock", 10, &["same_hash"]),
    ("push-before-commit", 50, &["in_order"]),
    ("resume-skips-one", 50, &["in_order"]),
    (
        "leader-restored",
        500,
        // Where a leader's folder is copied, the copy leads as soon as it starts.
        &["committed", "linearizable", "same_hash", "nothing_lost", "one_leader"],
    ),
    ("retry-numbered-anew", 50, &["nothing_lost", "none_twice"]),
    ("secret-shown", 50, &["secrets", "in_order", "steps"]),
    ("stream-astray", 2_000, &["recovery"]),
    ("removed-voter-counts", 50, &["membership"]),
    ("wall-clock-believed", 50, &["lobby_time", "flags"]),
    ("set-back-goes-on", 1_000, &["recovery"]),
    ("copy-is-heard", 200, &["one_leader", "recovery", "committed", "nothing_lost"]),
    ("matched-twice", 20, &["matched_once"]),
    ("seat-mistold", 10, &["both_agree"]),
    ("notice-twice", 10, &["notices"]),
    ("flags-without-leader", 30, &["flags"]),
    ("step-drops-a-field", 10, &["steps"]),
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
    for (bug, within, promises) in WITHIN {
        let row = table.lines().find_map(|line| line.strip_prefix(&format!("| {bug} | ")));
        let row = row.unwrap_or_else(|| panic!("no bug is called {bug}:\n{table}"));
        let (seeds, promise) = row.split_once(" | ").expect("a row has cells");
        let promise = promise.trim_end_matches(" |").trim_end_matches('|').trim();
        assert!(promises.contains(&promise), "{bug} is not what was found: {promise}");
        let seeds: Option<u64> = seeds.parse().ok();
        assert!(seeds.is_some_and(|seeds| seeds <= within), "{bug} is found too late: {row}");
    }
    assert_eq!(table.lines().count(), WITHIN.len() + 2, "a bug is not stated here:\n{table}");
}
