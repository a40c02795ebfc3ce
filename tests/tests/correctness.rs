//! `docs/correctness.md` says what is judged, by what, and where it was broken on purpose. It
//! names all there is, and nothing else.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

/// Files that help promises to be judged and are none.
const NO_PROMISES: [&str; 12] = [
    "kept", "live", "mod", "nodes", "promise", "record", "rooms", "search", "sums", "truth",
    "versions", "wording",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above")
}

fn page() -> String {
    fs::read_to_string(root().join("docs/correctness.md")).expect("the page is there")
}

fn files(dir: &str) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(root().join(dir)).expect("a folder of this tree");
    entries.map(|entry| entry.expect("a folder of this tree").path()).filter(|path| path.is_file())
}

/// The names of a folder's promises.
fn promises(dir: &str) -> BTreeSet<String> {
    let stems = files(dir).filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
    stems.filter(|stem| !NO_PROMISES.contains(&stem.as_str())).collect()
}

/// The names of the scenarios: each states a bound in its head.
fn scenarios() -> BTreeSet<String> {
    let heads = files("scripts/faults")
        .filter(|path| fs::read_to_string(path).expect("a script is text").contains("\n# bound: "));
    heads.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect()
}

/// The first cells of the tables in a chapter, without their marks of code.
fn first_cells(page: &str, chapter: &str) -> BTreeSet<String> {
    let begins = format!("\n## {chapter}\n");
    let text = page.split(begins.as_str()).nth(1).unwrap_or_else(|| panic!("no {chapter}"));
    let text = text.split("\n## ").next().expect("a split has a first part");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split('`').next().expect("a split has a first part").to_owned()).collect()
}

/// A promise that the page leaves out is one that nobody knows to be judged.
#[test]
fn every_promise_that_is_judged_is_told() {
    let judged: BTreeSet<String> =
        promises("tests/sim/promises").union(&promises("lab/src/judge")).cloned().collect();
    assert_eq!(first_cells(&page(), "How each promise is judged"), judged);
}

/// A reader finds each scenario in the page, and runs none that is not there.
#[test]
fn every_scenario_is_told() {
    assert_eq!(first_cells(&page(), "Scenarios on real processes"), scenarios());
}

/// Every bug that can be planted is told, with what it breaks.
#[test]
fn every_bug_that_can_be_planted_is_told() {
    let source = fs::read_to_string(root().join("tests/planted/lib.rs")).expect("it is there");
    let arms = source.lines().filter(|line| line.trim_start().starts_with("Bug::"));
    let names =
        arms.filter_map(|line| Some(line.split("=> \"").nth(1)?.split('"').next()?.to_owned()));
    assert_eq!(first_cells(&page(), "Bugs that are planted"), names.collect());
}

/// Runs the report with a simulator and a `hangraft` that end like this.
fn report(simulator: i32, hangraft: i32, dir: &Path) -> Output {
    let program = |name: &str, code: i32| {
        let file = dir.join(name);
        fs::write(&file, format!("#!/bin/sh\necho \"{name} ends with {code}\"\nexit {code}\n"))
            .expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("it is ours");
        file
    };
    let path = std::env::var("PATH").expect("there is a path");
    program("cargo", simulator);
    let mut command = Command::new(root().join("scripts/faults/report"));
    command.args(["--days", "1", "--dir"]).arg(dir.join("out")).arg("leader-killed");
    command.env("PATH", format!("{}:{path}", dir.display()));
    command.env("HANGRAFT_BIN", program("hangraft", hangraft));
    command.output().expect("scripts may be run")
}

/// A report is good only where both judges say so, and is written in either case.
#[test]
fn a_report_is_as_good_as_its_worst_verdict() {
    // The program is asked for its version as well: one that fails at that is none.
    for (simulator, hangraft, good) in [(0, 0, true), (1, 0, false)] {
        let dir = TempDir::new().expect("a temporary folder");
        let output = report(simulator, hangraft, dir.path());
        assert_eq!(output.status.success(), good, "{output:?}");
        let written = fs::read_to_string(dir.path().join("out/report.md")).expect("a report");
        assert_eq!(written.as_bytes(), output.stdout);
        let told = if good { "All verdicts are good." } else { "Something is BAD." };
        assert!(written.contains(told), "{written}");
        assert!(written.contains(&format!("cargo ends with {simulator}")), "{written}");
    }
}
