//! The bench tells the truth: all that it plans is accounted for, and a server that stands
//! still shows in its times.

use std::time::Duration;

use hangraft_proto::socket::Action;
use hangraft_tests::{
    demo::{Demo, Wanted, binary, run_in_vain, run_well, send},
    socket::Socket,
    wait::eventually,
};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::{process::Command, time::sleep};

/// How long a bench may take to begin: two cores, many demos.
const PATIENCE: Duration = Duration::from_secs(60);

/// A demo in which nobody is slowed down.
async fn demo(frontends: u16) -> Demo {
    Demo::start(&Wanted { limits: false, frontends, ..Wanted::default() }).await
}

/// `hangraft bench sockets` at all frontends of a demo, with these words.
fn bench(demo: &Demo, words: &str) -> Vec<String> {
    let mut args: Vec<_> = ["bench", "sockets", "--output", "json"].map(String::from).into();
    for url in demo.frontends() {
        args.extend(["--url".into(), url]);
    }
    let dir = demo.home().dir().to_str().expect("a temporary folder has a plain name");
    args.extend(["--dir".into(), dir.into()]);
    args.extend(words.split(' ').map(String::from));
    args
}

fn number(report: &Value, path: &str) -> f64 {
    report.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} of {report}"))
}

/// Everything that is planned is answered and comes to every screen, over two frontends and
/// from two processes, while people chat, look on, type, and leave and come back.
#[tokio::test]
async fn every_planned_move_is_answered_and_seen_by_everybody() {
    let demo = demo(2).await;
    let people = "--players-per-room 2 --watchers-per-room 1 --chat 0.3 --reconnects 1";
    let load = "--rate 40 --players 12 --processes 2 --seconds 5 --warmup 1";
    let said = run_well(&bench(&demo, &format!("{load} {people} --bursts 0.3"))).await;
    let report: Value = serde_json::from_str(&said).expect("JSON was asked for");
    for (what, least) in [("moves", 120.0), ("lines", 20.0)] {
        let count = |of: &str| number(&report, &format!("/{what}/{of}"));
        assert!(count("planned") >= least, "{report}");
        assert_eq!(count("answered"), count("planned"), "{report}");
        assert_eq!(count("seen"), count("planned"), "{report}");
        assert!(count("screens_ms/max") > 0.0, "{report}");
    }
    assert_eq!((number(&report, "/watchers"), number(&report, "/rooms")), (6.0, 6.0));
    assert_eq!(number(&report, "/lost"), 0.0, "{report}");
    assert!(number(&report, "/rounds") >= 1.0, "letters are used up: {report}");
    let costs = report["costs"]["processes"].as_array().expect("a list");
    let roles = |role: &str| costs.iter().filter(|cost| cost["role"] == role).count();
    assert_eq!(
        ["leader", "follower", "frontend", "load"].map(roles),
        [1, 2, 2, 2],
        "each process has a line: {report}"
    );
    assert!(number(&report, "/costs/servers/cpu_us_per_move") > 0.0, "{report}");
    assert!(costs.iter().all(|cost| cost["rss_mib"][1].as_f64() > Some(1.0)), "{report}");
}

/// A closed loop would see a frontend that stands still for a second as one slow move of
/// each player: four of hundreds. All that was to be done meanwhile counts here with its
/// wait, so it shows at the 99th percentile.
#[tokio::test]
async fn a_server_that_stands_still_shows_in_the_times() {
    let demo = demo(1).await;
    let load = "--rate 100 --players 4 --seconds 6 --warmup 0 --reconnects 0 --bursts 0 --chat 0";
    let mut command = Command::new(binary());
    let measured = command.args(bench(&demo, load)).kill_on_drop(true).output();
    let stopping = async {
        let mut socket = Socket::open(&demo.frontends()[0]).await.expect("sockets are let in");
        socket.ask(Action::Hello, json!({})).await.unwrap().expect("everybody is welcome");
        let mut socket = Some(socket);
        eventually("moves are made", PATIENCE, async || {
            let asked = socket.as_mut()?.ask(Action::Rooms, json!({"all": true})).await;
            let rooms = asked.expect("a socket").expect("a list");
            let version = |room: &Value| room["version"].as_u64() > Some(20);
            rooms["rooms"].as_array()?.iter().any(version).then_some(())
        })
        .await;
        drop(socket.take());
        let frontend = demo.record().frontends[0].pid;
        send(frontend, Signal::SIGSTOP);
        sleep(Duration::from_secs(1)).await;
        send(frontend, Signal::SIGCONT);
    };
    let (measured, ()) = tokio::join!(measured, stopping);
    let measured = measured.expect("the binary runs");
    assert!(measured.status.success(), "{}", String::from_utf8_lossy(&measured.stderr));
    let report: Value = serde_json::from_slice(&measured.stdout).expect("JSON was asked for");
    assert_eq!(number(&report, "/moves/seen"), number(&report, "/moves/planned"), "{report}");
    for times in ["answer_ms", "screens_ms"] {
        let of = |quantile: &str| number(&report, &format!("/moves/{times}/{quantile}"));
        assert!(of("max") >= 900.0, "the first waits for a second: {report}");
        assert!(of("p99") >= 500.0, "as many as were planned have waited: {report}");
    }
    assert!(number(&report, "/held") >= 20.0, "{report}");
}

/// Sockets that only ping are opened, answered and kept, from two processes.
#[tokio::test]
async fn idle_sockets_are_held_and_answered() {
    let demo = demo(2).await;
    let load = "--idle 30 --ping-every 1 --processes 2 --seconds 3 --warmup 1";
    let report: Value = serde_json::from_str(&run_well(&bench(&demo, load)).await).expect("JSON");
    assert_eq!((number(&report, "/opened"), number(&report, "/lost")), (30.0, 0.0), "{report}");
    assert_eq!(number(&report, "/pings"), 90.0, "{report}");
    assert_eq!(number(&report, "/answered"), 90.0, "{report}");
    assert!(number(&report, "/ping_ms/p99") > 0.0, "{report}");
    assert!(report["costs"]["per_socket"]["cpu_us_per_second"].is_number(), "{report}");
}

/// Where nobody listens, or players are slowed down, that is said in one line.
#[tokio::test]
async fn a_bench_that_cannot_be_says_why() {
    let nowhere = ["bench", "sockets", "--rate", "9", "--url", "http://127.0.0.1:1"];
    let (code, said) = run_in_vain(&nowhere).await;
    assert!(code == Some(1) && said.contains("cannot play at http://127.0.0.1:1"), "{said}");
    let idle = ["bench", "sockets", "--idle", "2", "--url", "http://127.0.0.1:1"];
    let (code, said) = run_in_vain(&idle).await;
    assert!(code == Some(1) && said.contains("cannot play at http://127.0.0.1:1"), "{said}");
}
