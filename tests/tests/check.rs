//! `hangraft check` on real processes: scenarios end well, what it writes can be read, and it
//! can say no.

use hangraft_tests::{
    demo::{Demo, Wanted, binary, send},
    wait::eventually,
};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::{
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use tokio::process::Command;

/// A few of the scenarios: an end, a cut, a disk, gossip. `scripts/faults/all` runs all.
const SHORT_SET: [&str; 5] =
    ["leader-killed", "leader-cut", "one-way", "unsynced-lost", "gossip-cut"];

/// The largest report of a run of some seconds. One of two minutes has at most three megabytes.
const REPORT_BYTES_MAX: u64 = 2 << 20;

/// How long a cluster may take to be there, or to be gone.
const PATIENCE: Duration = Duration::from_secs(60);

fn scenario(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above");
    root.join("scripts/faults").join(name)
}

async fn check(args: &[&str], faults: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.arg("check").args(args).kill_on_drop(true);
    if !faults.is_empty() {
        command.arg("--faults").args(faults.iter().map(|name| scenario(name)));
    }
    command.output().await.expect("it runs")
}

/// The lines of a timeline, of one kind.
fn lines(text: &str, kind: &str) -> Vec<Value> {
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.filter(|line| line["kind"] == kind).collect()
}

/// Whatever becomes of the leader, its links and its disk: every promise is kept, and the
/// bound. What is kept of each run shows it.
#[tokio::test]
async fn a_short_set_of_scenarios_ends_well() {
    let keep = TempDir::new().unwrap();
    let folder = keep.path().to_str().unwrap();
    let output = check(&["--keep", folder, "--output", "json"], &SHORT_SET).await;
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let runs: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(runs.as_array().map(Vec::len), Some(SHORT_SET.len()));
    for run in runs.as_array().unwrap() {
        let name = run["scenario"].as_str().unwrap();
        for promise in run["promises"].as_array().unwrap() {
            assert!(promise["checked"].as_u64() > Some(0), "{name}: {promise} was not judged");
        }
        let report = fs::metadata(keep.path().join(format!("{name}.html"))).unwrap().len();
        assert!((10_000..REPORT_BYTES_MAX).contains(&report), "{name}: {report} bytes");
        let text = fs::read_to_string(keep.path().join(format!("{name}.jsonl"))).unwrap();
        let messages = lines(&text, "message");
        assert!(messages.len() > 100, "{name}: {} messages", messages.len());
        for message in messages.iter().filter(|message| !message["received"].is_null()) {
            assert!(message["received"].as_u64() >= message["at"].as_u64(), "{message}");
        }
        assert_eq!(lines(&text, "verdict").len(), 1, "{name}");
    }
    let killed = fs::read_to_string(keep.path().join("leader-killed.jsonl")).unwrap();
    let leads = lines(&killed, "role").iter().filter(|role| role["role"] == "leader").count();
    assert!(leads >= 2, "another one led");
    let ended: Vec<_> =
        lines(&killed, "process").into_iter().map(|line| line["event"].clone()).collect();
    assert!(ended.contains(&"ended".into()), "{ended:?}");
}

/// A bound that nobody can keep is not kept, and the exit code says so.
#[tokio::test]
async fn a_run_that_is_too_silent_is_bad() {
    let output = check(&["--time", "2s", "--bound", "1ms", "--workload", "append"], &[]).await;
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("bound is broken"), "{said}");
    assert!(said.contains("verdict: BAD"), "{said}");
}

/// A demo that somebody runs is played on, and goes on. A register is written and read.
#[tokio::test]
async fn a_demo_that_runs_is_checked_and_goes_on() {
    let demo = Demo::start(&Wanted::default()).await;
    let dir = demo.home().dir().to_str().unwrap().to_owned();
    let args = ["--dir", &dir, "--time", "3s", "--workload", "register", "--players", "4"];
    let output = check(&args, &[]).await;
    assert!(output.status.success(), "{output:?}");
    demo.cluster().agree(3).await;
}

/// What cannot be run is told before anything is started.
#[tokio::test]
async fn a_script_that_is_not_for_this_is_refused() {
    for (args, faults, code, said) in [
        (&["--time", "1s"] as &[_], &["no-such"] as &[_], 1, "cannot read the script"),
        (&["--nodes", "3"], &["ring"], 1, "ring is for [5, 7] nodes, not for 3"),
        (&["--report", "x.html"], &["ring", "halves"], 2, "say --keep DIR"),
    ] {
        let output = check(args, faults).await;
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(told.contains(said), "{told}");
    }
}

/// Who asks a check to stop, or kills it, leaves no process behind.
#[tokio::test]
async fn a_check_that_ends_early_takes_its_cluster_along() {
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        // A demo that has not said yet that it runs would end because nobody hears it.
        let folder = TempDir::new().unwrap();
        let (script, plays) = (folder.path().join("script"), folder.path().join("plays"));
        let text = format!("#!/bin/sh\ntouch {}\nexec sleep 20\n", plays.display());
        fs::write(&script, text).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new(binary());
        command.args(["check", "--time", "5m", "--faults"]).arg(&script);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut check = command.spawn().expect("it runs");
        let pid = check.id().expect("it has just begun");
        let runs = async || plays.exists().then_some(());
        eventually("its cluster is played on", PATIENCE, runs).await;
        let mut cluster = descendants(pid);
        let command = |pid: &u32| fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        // The script's own processes come and go.
        cluster.retain(|pid| command(pid).starts_with(binary().as_os_str().as_bytes()));
        assert_eq!(cluster.len(), 6, "the demo, three nodes and two frontends");
        send(pid, signal);
        assert!(!check.wait().await.expect("it is ours").success());
        let gone = |pid: &u32| !Path::new(&format!("/proc/{pid}")).exists();
        let all_gone = async || cluster.iter().all(gone).then_some(());
        eventually("all of them are gone", PATIENCE, all_gone).await;
    }
}

/// The processes that a process has started, and those that they have.
fn descendants(of: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
    let threads = fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().flatten();
    let by_thread =
        threads.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let all = by_thread.chain([children]).collect::<Vec<_>>().join(" ");
    let mut found: Vec<u32> = all.split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
    found.sort_unstable();
    found.dedup();
    let deeper: Vec<u32> = found.iter().flat_map(|pid| descendants(*pid)).collect();
    found.extend(deeper);
    found
}
