//! Every command of `docs/lab.md` does what it is there for, as it stands there.

use std::{env, fs, os::unix::fs::symlink, path::Path, process::Stdio, time::Duration};

use hangraft_tests::demo::{Demo, Wanted, binary};
use tempfile::TempDir;
use tokio::{process::Command, time::timeout};

/// The page's first two blocks: the demo runs until somebody ends it, and the other says where
/// it is. A test has a demo of its own, so it does in their place what they are for.
const BEGINNING: [&str; 2] = [
    "cargo run --release -- demo --dir /tmp/hangraft\n",
    "export PATH=\"$PWD/target/release:$PATH\" HANGRAFT_DIR=/tmp/hangraft\n",
];

/// How long the commands of one step may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above")
}

fn page() -> String {
    fs::read_to_string(root().join("docs/lab.md")).expect("the page is there")
}

/// What stands in the fenced blocks of this language.
fn blocks<'a>(text: &'a str, language: &'a str) -> impl Iterator<Item = &'a str> {
    let begins = format!("```{language}\n");
    let parts: Vec<&str> = text.split(begins.as_str()).skip(1).collect();
    parts.into_iter().map(|part| part.split("```").next().expect("a split has a first part"))
}

/// Runs a block as a reader does who stops at the first command that fails.
async fn run(block: &str, path: &str, dir: &Path) {
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", block]).current_dir(root());
    command.env("PATH", path).env("HANGRAFT_DIR", dir).stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(PATIENCE, command.output()).await;
    let output = output.unwrap_or_else(|_| panic!("not within {PATIENCE:?}:\n{block}"));
    let output = output.expect("bash is there");
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}:\n{block}\n{said}{complaint}", output.status);
    assert!(!said.is_empty(), "there is nothing to see:\n{block}");
}

/// A page that tells people what to type is believed. Each of its commands succeeds, one after
/// the other, on one cluster.
#[tokio::test]
async fn an_hour_of_study_works_word_for_word() {
    let page = page();
    let (beginning, steps): (Vec<_>, Vec<_>) =
        blocks(&page, "sh").enumerate().partition(|(nth, _)| *nth < BEGINNING.len());
    assert_eq!(beginning.into_iter().map(|(_, block)| block).collect::<Vec<_>>(), BEGINNING);
    let programs = TempDir::new().expect("a temporary folder");
    symlink(binary(), programs.path().join("hangraft")).expect("the folder is ours");
    let others = env::var("PATH").expect("there is a path");
    let path = format!("{}:{others}", programs.path().display());
    let demo = Demo::start(&Wanted::default()).await;
    for (_, step) in steps {
        // A reader looks at what came of one step before the next.
        demo.leader().await;
        run(step, &path, demo.home().dir()).await;
    }
}

/// A step asks first, has something to run and to see, and says why and where that is written.
#[test]
fn every_step_asks_shows_and_explains() {
    let page = page();
    let steps: Vec<&str> = page.split("\n## ").skip(1).collect();
    let (last, steps) = steps.split_last().expect("there are steps");
    assert!(last.starts_with("Where to go from here"), "{last}");
    assert!(steps.len() >= 8, "an hour has more than {} steps", steps.len());
    for (nth, step) in steps.iter().enumerate() {
        assert!(step.starts_with(&format!("{}. ", nth + 1)), "{step}");
        let parts = ["**Before you run it.**", "```sh\n", "**Seen.**", "```text\n", "**Why.**"];
        let mut places =
            parts.map(|part| step.find(part).unwrap_or_else(|| panic!("{part}: {step}")));
        assert!(places.is_sorted(), "the parts stand in another order: {step}");
        places.sort_unstable();
        let question = &step[places[0]..places[1]];
        assert!(question.contains('?'), "nothing is asked: {question}");
        assert!(step.contains("*Source: "), "nobody is named: {step}");
    }
}
