//! What someone sees who asks wrongly: the exit code, and one line with a way out.

use std::process::{Command, Output};

fn hangraft(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hangraft"))
        .args(args)
        .env_remove("HANGRAFT_LOG")
        .output()
        .expect("the binary runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("we write UTF-8")
}

#[test]
fn help_explains_itself() {
    for args in [
        &["--help"][..],
        &["demo", "--help"],
        &["node", "--help"],
        &["frontend", "--help"],
        &["node", "recover", "--help"],
        &["status", "--help"],
        &["events", "--help"],
        &["join", "--help"],
        &["leave", "--help"],
        &["transfer-leader", "--help"],
        &["cluster", "set", "--help"],
        &["snapshot", "save", "--help"],
        &["snapshot", "restore", "--help"],
        &["kill", "--help"],
        &["fault", "--help"],
        &["fault", "cut", "--help"],
        &["fault", "skew", "--help"],
        &["fault", "heal", "--help"],
        &["rolling-restart", "--help"],
        &["bench", "sockets", "--help"],
        &["bench", "stream", "--help"],
        &["bench", "failover", "--help"],
        &["bench", "seeks", "--help"],
        &["bot", "--help"],
    ] {
        let output = hangraft(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        let text = String::from_utf8(output.stdout).expect("we write UTF-8");
        assert!(text.contains("Example"), "{args:?} shows no example");
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path().to_str().unwrap();
    for (args, advice) in [
        (&[][..], "Usage"),
        (&["dance"], "dance"),
        (&["demo", "--nodes", "4", "--dir", dir], "1, 3, 5 or 7"),
        (&["demo", "--frontends", "0", "--dir", dir], "1 to 8"),
        (&["node"], "--config"),
        (&["node", "--address", "127.0.0.1:7101"], "--dir"),
        (&["frontend", "--address", "127.0.0.1:0"], "--node"),
        (&["status", "--node", "nowhere"], "nowhere"),
        (&["node", "--address", "127.0.0.1:7101", "--dir", dir, "--wait"], "--key-file"),
        (&["node", "recover", "--dir", dir, "--cluster", "new"], "--accept-loss"),
        (&["join", "--node", "127.0.0.1:7101"], "--seed"),
        (&["leave"], "--node"),
        (&["cluster", "set"], "--voters"),
        (&["cluster", "set", "--voters", "4"], "3, 5 or 7"),
        (&["cluster", "set", "--replace-after", "soon"], "--replace-after"),
        (&["snapshot", "save"], "<FILE>"),
        (&["snapshot", "restore", "x", "--dir", dir], "--address"),
        (&["kill", "n1"], "--dir"),
        (&["fault", "cut", "n1"], "no pattern"),
        (&["fault", "cut", "n1", "n1"], "name two nodes"),
        (&["fault", "drop", "all"], "--percent"),
        (&["fault", "skew", "n1"], "--ms"),
        (&["rolling-restart"], "give --dir, or --node and --with"),
        (&["rolling-restart", "--node", "10.0.0.1:7101"], "--with"),
        (&["rolling-restart", "--with", "ssh {host} x"], "--node"),
        (&["rolling-restart", "--dir", dir, "--node", "10.0.0.1:7101"], "--dir is for a demo"),
        (&["rolling-restart", "--node", "10.0.0.1:7101", "--with", "x {kind}"], "use {host}"),
        (&["rolling-restart", "--node", "10.0.0.1", "--with", "x {host}"], "such as 10.0.0.1:7101"),
        (&["rolling-restart", "--frontend", "http://$(x)"], "such as http://"),
        (&["rolling-restart", "--dir", dir, "--deadline", "soon"], "--deadline"),
        (&["bench", "stream"], "--node"),
        (&["bench", "sockets", "--players", "0"], "--players"),
        (&["bench", "sockets", "--rate", "0"], "--rate"),
        (&["bench", "sockets", "--chat", "0.5"], "--rate"),
        (&["bench", "sockets", "--rate", "9", "--chat", "1.5"], "from 0 to 1"),
        (&["bench", "sockets", "--rate", "9", "--thinking", "hard"], "lognormal"),
        (&["bench", "sockets", "--rate", "9", "--idle", "5"], "--idle"),
        (&["bench", "sockets", "--idle", "5", "--players", "5"], "--players"),
        (&["bench", "sockets", "--ping-every", "5"], "--idle"),
        (&["bench", "sockets", "--processes", "2"], "--rate or --idle"),
        (&["bench", "sockets", "--rate", "9", "--processes", "65"], "--processes"),
        (
            &["bench", "sockets", "--idle", "1000000"],
            "--processes N, or raise the limit (ulimit -n)",
        ),
        (&["bench", "seeks", "--bots", "1"], "--bots"),
        (&["bench", "seeks", "--kill-every", "5"], "--dir"),
        (&["bot"], "--url"),
        (&["bot", "--url", "http://127.0.0.1:8080", "--game", "chess"], "tic-tac-toe"),
    ] {
        let output = hangraft(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(advice), "{args:?}: {}", stderr(&output));
    }
}

/// What cannot be done is said in one line that begins with our name.
#[test]
fn failure_exits_with_1_and_one_line() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path().to_str().unwrap();
    for (args, advice) in [
        (&["status", "--node", "127.0.0.1:1"][..], "is it running?"),
        (&["kill", "n1", "--dir", dir], "hangraft demo --dir"),
        (&["restart", "n1", "--dir", dir], "hangraft demo --dir"),
        (&["rolling-restart", "--dir", dir], "hangraft demo --dir"),
        (&["rolling-restart", "--node", "127.0.0.1:1", "--with", "x {host}"], "is it running?"),
        (&["bench", "failover", "--dir", dir], "hangraft demo"),
        (&["bench", "seeks", "--dir", dir], "hangraft demo"),
        (&["bench", "sockets", "--dir", dir], "hangraft demo"),
        (&["bench", "sockets", "--rate", "9", "--dir", dir], "hangraft demo"),
        (&["bench", "sockets", "--idle", "9", "--dir", dir], "hangraft demo"),
        (&["bench", "stream", "--dir", dir], "hangraft demo"),
    ] {
        let output = hangraft(args);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.starts_with("hangraft: ") && said.contains(advice), "{args:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn a_wrong_log_filter_is_explained() {
    let output = Command::new(env!("CARGO_BIN_EXE_hangraft"))
        .args(["status"])
        .env("HANGRAFT_LOG", "a=b=c")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("HANGRAFT_LOG"));
}
