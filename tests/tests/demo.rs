//! `hangraft demo` keeps its word: it says where to go and how to break it, writes
//! down what it started, takes everything with it when it ends, however it ends,
//! and goes on where it was.

use std::{fs, net::TcpListener, process::Stdio, time::Duration};

use hangraft_proto::socket::Action;
use hangraft_tests::{
    demo::{Demo, Home, Wanted, binary, run, run_in_vain, run_well, send},
    http,
    player::Player,
    wait::eventually,
};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    net::UnixStream,
    process::{ChildStdout, Command},
    time::timeout,
};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long children may outlive a demo that was killed.
const ORPHANED: Duration = Duration::from_secs(5);

/// A small demo, where it does not matter how many there are.
fn small() -> Wanted {
    Wanted { nodes: 1, frontends: 1, ..Wanted::default() }
}

/// The file is a contract: scripts find processes in it.
#[tokio::test]
async fn it_writes_down_what_it_started() {
    let demo = Demo::start(&Wanted::default()).await;
    let home = demo.home();
    let text = std::fs::read_to_string(home.dir().join("demo.json")).unwrap();
    let record: Value = serde_json::from_str(&text).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&record), ["frontends", "nodes"]);
    let (nodes, frontends) = (record["nodes"].as_array(), record["frontends"].as_array());
    let (nodes, frontends) = (nodes.unwrap(), frontends.unwrap());
    assert_eq!((nodes.len(), frontends.len()), (3, 2));
    for (i, node) in (0..).zip(nodes) {
        assert_eq!(keys(node), ["address", "dir", "id", "name", "pid"]);
        assert_eq!((&node["name"], &node["id"]), (&json!(format!("n{}", i + 1)), &json!(i + 1)));
        assert_eq!(node["address"], format!("127.0.0.1:{}", home.node_port() + i));
        assert!(std::fs::metadata(node["dir"].as_str().unwrap()).unwrap().is_dir());
    }
    for (i, frontend) in (0..).zip(frontends) {
        assert_eq!(keys(frontend), ["http", "pid"]);
        assert_eq!(frontend["http"], format!("http://127.0.0.1:{}", home.port() + i));
    }

    // Processes that are replaced are written down anew.
    let before = demo.record();
    demo.kill("n2").await;
    demo.restart("n2").await;
    demo.restart("f1").await;
    let after = demo.record();
    assert_eq!(before.nodes[0].pid, after.nodes[0].pid);
    assert_ne!(before.nodes[1].pid, after.nodes[1].pid);
    assert_ne!(before.frontends[0].pid, after.frontends[0].pid);
    let mut running = home.processes();
    running.retain(|pid| *pid != demo.pid());
    let mut recorded: Vec<u32> = after.nodes.iter().map(|node| node.pid).collect();
    recorded.extend(after.frontends.iter().map(|frontend| frontend.pid));
    running.sort_unstable();
    recorded.sort_unstable();
    assert_eq!(running, recorded);
}

/// What a person reads first: where to go, how to break it, how to stop.
#[tokio::test]
async fn it_says_what_to_do_next() {
    let demo = Demo::start(&Wanted::default()).await;
    let printed = demo.printed();
    for frontend in demo.frontends() {
        assert!(printed.contains(&frontend), "{printed}");
    }
    assert!(printed.contains(&format!("{}/live", demo.frontends()[0])), "{printed}");
    let dir = demo.home().dir().to_str().unwrap();
    for part in [&format!("kill n1 --dir {dir}"), &format!("restart n1 --dir {dir}"), "status"] {
        assert!(printed.contains(part), "{printed}");
    }
    // A process that ends is reported, with how to start it again.
    let pid = demo.record().nodes[2].pid;
    send(pid, Signal::SIGKILL);
    eventually("the end of n3 is reported", ORPHANED, async || {
        let printed = demo.printed();
        let told = printed.contains(&format!("n3 (process {pid}) has ended"));
        (told && printed.contains("restart n3")).then_some(())
    })
    .await;
}

/// A demo once forgot who asked for a restart when a process ended at that very
/// moment, as one does that was just killed. Here the asking takes longer than the
/// dying.
#[tokio::test]
async fn a_restart_is_not_forgotten_while_a_process_ends() {
    let demo = Demo::start(&Wanted::default()).await;
    let mut asking = UnixStream::connect(demo.home().dir().join("control.sock")).await.unwrap();
    asking.write_all(b"restart ").await.unwrap();
    demo.kill("n3").await;
    eventually("the end of n3 is reported", ORPHANED, async || {
        demo.printed().contains("n3 (process").then_some(())
    })
    .await;
    asking.write_all(b"n3\n").await.expect("the demo still listens");
    let mut answer = String::new();
    asking.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("done "), "{answer}");
}

/// Operators' tools find what they ask for, at nodes and at frontends.
#[tokio::test]
async fn it_answers_those_who_look_after_it() {
    let demo = Demo::start(&Wanted::default()).await;
    let record = demo.record();
    let nodes = record.nodes.iter().map(|node| node.address.clone());
    let frontends = record.frontends.iter().map(|frontend| frontend.http.replace("http://", ""));
    for server in nodes.chain(frontends) {
        for path in ["/healthz", "/readyz", "/metrics"] {
            let (status, body) = http::get(&server, path).await.unwrap();
            assert_eq!(status, 200, "{server}{path}: {body}");
            assert!(path != "/metrics" || body.contains("# TYPE"), "{server}{path}: {body}");
        }
    }
    let page = demo.frontends()[0].replace("http://", "");
    let (status, body) = http::get(&page, "/").await.unwrap();
    assert!(status == 200 && body.contains("<!doctype html>"), "{body}");
}

/// An operator names one node or several, in words or in the environment, or only the folder;
/// whoever answers first will do.
#[tokio::test]
async fn any_node_answers_an_operator() {
    let demo = Demo::start(&Wanted::default()).await;
    let dir = demo.home().dir().to_str().expect("a temporary folder has a plain name").to_owned();
    let nodes: Vec<_> = demo.record().nodes.iter().map(|node| node.address.clone()).collect();
    run_well(&["kill", "n1", "--dir", &dir]).await;
    let (dead, several) = (nodes[0].as_str(), nodes.join(","));
    for reach in
        [&["--dir", &dir][..], &["--node", &several], &["--node", dead, "--node", &nodes[1]]]
    {
        let status = run_well(&[&["status"][..], reach].concat()).await;
        assert!(status.contains("n1") && status.contains("led by"), "{reach:?}: {status}");
    }
    let mut command = Command::new(binary());
    command.arg("status").env("HANGRAFT_NODE", &several).stdin(Stdio::null());
    let output = command.output().await.expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (code, said) = run_in_vain(&["status", "--node", dead]).await;
    assert!(code == Some(1) && said.contains(dead), "{code:?}: {said}");
}

/// Games are kept in the folder: the same room, the same board, the same player.
/// Ctrl-C ends the first demo, SIGTERM the second; nothing is left of either.
#[tokio::test]
async fn a_second_start_continues_the_games() {
    let demo = Demo::start(&Wanted::default()).await;
    let frontends = demo.frontends();
    let mut ann = Player::arrive("Ann", &frontends, 0).await;
    let room = ann.open(json!({"category": "plants"})).await;
    for letter in ['e', 'q', 'z'] {
        ann.guess(letter).await.expect("a new letter");
    }
    ann.see("three guesses", |view| view["tried"].as_array().is_some_and(|t| t.len() == 3)).await;
    let board =
        |view: &Value| ["pattern", "tried", "wrong", "lives", "round"].map(|f| view[f].clone());
    let before = (board(ann.view()), ann.version());

    let home = demo.stop(Signal::SIGINT).await;
    let demo = Demo::start_in(home, &Wanted::default()).await;
    ann.ask(Action::Ping, json!({})).await.expect("a ping is answered");
    ann.watch(&room).await;
    assert_eq!(board(ann.view()), before.0);
    assert!(ann.version() >= before.1, "versions go on");
    ann.guess('x').await.expect("the game goes on");
    assert_eq!(ann.book().complaints, [""; 0]);
    demo.stop(Signal::SIGTERM).await;
}

/// Even a demo that is killed with no chance to say goodbye leaves nobody behind,
/// not even somebody who is paused.
#[tokio::test]
async fn a_killed_demo_leaves_nobody_behind() {
    let demo = Demo::start(&Wanted::default()).await;
    demo.pause("n3").await;
    assert_eq!(demo.home().processes().len(), 6);
    send(demo.pid(), Signal::SIGKILL);
    eventually("all children are gone", ORPHANED, async || {
        demo.home().processes().is_empty().then_some(())
    })
    .await;
}

/// A folder belongs to one demo at a time, and its cluster stays as large as it was.
#[tokio::test]
async fn a_second_demo_in_the_same_folder_is_refused() {
    let demo = Demo::start(&small()).await;
    let said = refused(demo.home(), &small()).await;
    assert!(said.contains("already running"), "{said}");
    assert!(said.contains("--dir"), "{said}");
    let home = demo.stop(Signal::SIGTERM).await;
    let said = refused(&home, &Wanted::default()).await;
    assert!(said.contains("holds a cluster of 1"), "{said}");
}

/// A port that is taken is named before anything is started.
#[tokio::test]
async fn a_busy_port_is_named() {
    let home = Home::new();
    for (port, option) in [(home.port(), "--port"), (home.node_port(), "--node-port")] {
        let taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let said = refused(&home, &small()).await;
        assert!(said.contains(&format!("port {port}")), "{said}");
        assert!(said.contains(option), "{said}");
        assert_eq!(home.processes(), [0; 0]);
        drop(taken);
    }
}

/// A command that cannot do what it is asked says so in one line, and what to do.
#[tokio::test]
async fn commands_for_what_is_not_there_say_so() {
    let home = Home::new();
    let dir = home.dir().to_str().unwrap();
    for (args, says) in [
        (vec!["kill", "n1", "--dir", dir], "no demo has run in"),
        (vec!["status", "--node", "127.0.0.1:1"], "is it running"),
    ] {
        let output = run(&args).await;
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains(says), "{said}");
    }
    let demo = Demo::start_in(home, &small()).await;
    let dir = demo.home().dir().to_str().unwrap();
    let output = run(&["kill", "n9", "--dir", dir]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("n1"), "names those there are");
    let frontend = demo.frontends()[0].replace("http://", "");
    for _ in 0..20 {
        let (code, said) = run_in_vain(&["status", "--node", &frontend]).await;
        let frontend = format!("a frontend is at {frontend}");
        assert!(code == Some(1) && said.contains(&frontend), "{code:?}: {said}");
    }
    let local = demo.record().nodes[0].address.replace("127.0.0.1", "localhost");
    assert!(run_well(&["status", "--node", &local]).await.contains("led by"));
}

/// What cannot work however often it is started ends with 2, so that nothing starts it
/// again in vain.
#[tokio::test]
async fn a_configuration_that_cannot_work_ends_with_2() {
    let home = Home::new();
    let file = home.dir().join("node.toml");
    let path = file.to_str().unwrap();
    for what in ["node", "frontend"] {
        let (code, said) = run_in_vain(&[what, "--config", path]).await;
        assert!(code == Some(2) && said.contains("cannot read"), "{what}: {code:?}: {said}");
    }
    fs::write(&file, "data_dirr = 'n1'\n").expect("a temporary folder");
    for what in ["node", "frontend"] {
        let (code, said) = run_in_vain(&[what, "--config", path]).await;
        assert!(code == Some(2) && said.contains("data_dirr"), "{what}: {code:?}: {said}");
    }
}

/// A demo once advised to restart a node that had left, which can never work; and it did
/// not start again at all, because that node could not.
#[tokio::test]
async fn a_node_that_has_left_is_not_promised_back() {
    let demo = Demo::start(&Wanted::default()).await;
    let node = demo.record().nodes.remove(2);
    run_well(&["leave", "--yes", "--node", &node.address]).await;
    eventually("the demo says what to do", PATIENCE, async || {
        let printed = demo.printed();
        let told = printed.contains("n3 does not come back: this node has left the cluster");
        (told && printed.contains("--seed")).then_some(())
    })
    .await;
    assert!(!demo.printed().contains("restart n3"), "{}", demo.printed());
    let dir = demo.home().dir().to_str().expect("a temporary folder has a plain name").to_owned();
    let (code, said) = run_in_vain(&["restart", "n3", "--dir", &dir]).await;
    assert!(code == Some(1) && said.contains("n3 does not come back"), "{code:?}: {said}");

    let home = demo.stop(Signal::SIGINT).await;
    let demo = Demo::start_in(home, &Wanted::default()).await;
    let status = run_well(&["status", "--dir", &dir, "--output", "json"]).await;
    let status: Value = serde_json::from_str(&status).expect("JSON was asked for");
    assert_ne!(status["leader"], Value::Null, "{status}");
    drop(demo);
}

/// Any demo shows how long nobody can move; one that holds players to a human speed shows
/// it by a crowd of them.
#[tokio::test]
async fn a_failover_is_measured_in_any_demo() {
    let demo = Demo::start(&Wanted::default()).await;
    let dir = demo.home().dir().to_str().expect("a temporary folder has a plain name");
    let measured = ["bench", "failover", "--dir", dir, "--times", "1", "--output", "json"];
    let report: Value = serde_json::from_str(&run_well(&measured).await).expect("JSON");
    assert_eq!(report["rounds"].as_array().map(Vec::len), Some(1), "{report}");
    assert!(report["median_ms"].as_f64().is_some_and(|ms| ms > 0.0), "{report}");
}

/// A node that was killed before is missed at once, and told how to come back.
#[tokio::test]
async fn a_failover_is_not_measured_while_a_node_is_dead() {
    let demo = Demo::start(&Wanted::default()).await;
    let dir = demo.home().dir().to_str().expect("a temporary folder has a plain name");
    run_well(&["kill", "n1", "--dir", dir]).await;
    let (code, said) = run_in_vain(&["bench", "failover", "--dir", dir, "--times", "1"]).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains(&format!("hangraft restart n1 --dir {dir}")), "{said}");
}

/// Who follows the events goes on when the node comes back.
#[tokio::test]
async fn events_are_followed_across_a_restart() {
    let demo = Demo::start(&small()).await;
    let node = demo.record().nodes.remove(0);
    let mut events = Command::new(binary())
        .args(["events", "--node", &node.address])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(events.stdout.take().expect("piped")).lines();
    let next = async |lines: &mut Lines<BufReader<ChildStdout>>| {
        let line = timeout(PATIENCE, lines.next_line()).await.expect("in time");
        line.expect("text").expect("it follows on")
    };
    while !next(&mut lines).await.contains("leads") {}
    demo.kill(&node.name).await;
    demo.restart(&node.name).await;
    while !next(&mut lines).await.contains("leads") {}
}

/// What a demo says that does not start.
async fn refused(home: &Home, wanted: &Wanted) -> String {
    let output = home.command(wanted).output().await.unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}
