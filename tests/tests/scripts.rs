//! Scripts say what they do at once.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use hangraft_tests::demo::binary;
use tempfile::TempDir;

/// Those that somebody runs without reading them first, and how they say they are called. Most
/// only call a program; `rolling-restart` calls the command that it is named after.
const SCRIPTS: [(&str, &str); 11] = [
    ("bench-peers", "  scripts/bench-peers"),
    ("event-graph", "  scripts/event-graph"),
    ("faults/all", "  scripts/faults/all"),
    ("faults/bugs", "  scripts/faults/bugs"),
    ("faults/netns-down", "  scripts/faults/netns-down"),
    ("faults/netns-up", "  scripts/faults/netns-up"),
    ("faults/report", "  scripts/faults/report"),
    ("faults/second-opinion", "  scripts/faults/second-opinion"),
    ("rolling-restart", "  hangraft rolling-restart"),
    ("simulate", "  scripts/simulate"),
    ("test", "  scripts/test"),
];

/// Runs a script where whoever calls cargo fails.
fn run_without_cargo(script: &str, args: &[&str]) -> Output {
    let dir = TempDir::new().expect("a temporary folder");
    let cargo = dir.path().join("cargo");
    fs::write(&cargo, "#!/bin/sh\necho cargo was called >&2\nexit 97\n").expect("a file");
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let path = env::var("PATH").expect("there is a path");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above");
    let mut command = Command::new(root.join("scripts").join(script));
    command.args(args).current_dir(dir.path()).env("HANGRAFT_BIN", binary());
    command.env("PATH", format!("{}:{path}", dir.path().display()));
    command.output().expect("scripts may be run")
}

/// To explain itself a script once compiled for ten minutes in silence.
#[test]
fn a_script_explains_itself_without_building() {
    for (script, called) in SCRIPTS {
        for help in ["--help", "-h"] {
            let output = run_without_cargo(script, &[help]);
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{script} {help}: {output:?}");
            assert!(said.contains(called), "{script} {help}: {said}");
            assert!(!said.contains("set -euo"), "no more than that: {said}");
        }
    }
}

/// What is mistyped runs nothing.
#[test]
fn a_script_says_what_it_cannot_understand() {
    for (script, complaint) in [
        ("bench-peers", "cannot understand --hepl; see --help"),
        ("event-graph", "cannot understand --hepl; see --help"),
        ("faults/all", "cannot understand --hepl; see --help"),
        ("faults/netns-down", "cannot understand --hepl; see --help"),
        ("faults/netns-up", "cannot understand --hepl; see --help"),
        ("faults/report", "cannot understand --hepl; see --help"),
        ("faults/second-opinion", "cannot understand --hepl; see --help"),
        ("rolling-restart", "unexpected argument '--hepl' found"),
        ("test", "cannot understand --hepl; see --help"),
    ] {
        let output = run_without_cargo(script, &["--hepl"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{script}: {output:?}");
        assert!(said.contains(complaint), "{script}: {said}");
    }
}

/// A scenario says at its head what to expect, why, and how long it may be silent, and is
/// short enough to be read before it is run.
#[test]
fn a_scenario_says_what_to_expect() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above");
    let folder = fs::read_dir(root.join("scripts/faults")).expect("there are scenarios");
    let mut scenarios = 0;
    for entry in folder.map(|entry| entry.expect("it can be read")) {
        let Ok(text) = fs::read_to_string(entry.path()) else { continue };
        if !text.contains("\n# bound: ") {
            continue;
        }
        scenarios += 1;
        let name = entry.file_name();
        for part in ["#!/usr/bin/env bash\n# ", "\n# Expect: ", "\n# Why: ", "\n# time: "] {
            assert!(text.contains(part), "{name:?} has no {part:?}");
        }
        assert!(text.lines().count() <= 30, "{name:?} is longer than 30 lines");
        let mode = entry.metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{name:?} cannot be run");
    }
    assert!(scenarios >= 16, "only {scenarios} scenarios were found");
}
