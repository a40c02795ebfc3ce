//! What somebody can do who reaches a node and does not know the cluster's key: a page in a
//! browser on its machine, or a program that speaks HTTP by hand.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use hangraft_tests::{
    demo::{Demo, Home, Wanted, binary, run_well},
    http,
    player::Player,
    wait::eventually,
};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// How long a node may take to answer and to hang up.
const PATIENCE: Duration = Duration::from_secs(30);

/// An empty gRPC message.
const EMPTY: &str = "\0\0\0\0\0";

/// A page whose name was bound to the node's address sends what the page of another could
/// not, and a program on the machine sends it by hand: nobody leaves, and nobody else leads.
#[tokio::test]
async fn a_page_cannot_make_a_node_leave() {
    let demo = Demo::start(&Wanted::default()).await;
    let before = demo.cluster().leader().await.name;
    for node in demo.record().nodes {
        let (node, port) =
            (node.address.clone(), node.address.rsplit_once(':').unwrap().1.to_owned());
        let rebound = format!("evil.example:{port}");
        for (method, host, more) in [
            ("Leave", &rebound, format!("origin: http://{rebound}\r\n")),
            ("Leave", &node, format!("origin: http://{node}\r\n")),
            ("Leave", &node, String::new()),
            ("TransferLeader", &rebound, format!("origin: http://{rebound}\r\n")),
            ("TransferLeader", &node, String::new()),
            ("Status", &node, String::new()),
        ] {
            for kind in ["application/grpc", "application/grpc+proto", "application/grpc-web"] {
                let head = format!(
                    "POST /hangraft.v1.Cluster/{method} HTTP/1.1\r\nhost: {host}\r\n{more}\
                     content-type: {kind}\r\ncontent-length: 5\r\nconnection: close\r\n\r\n"
                );
                let answer = say(&node, &(head + EMPTY)).await;
                assert!(!answer.starts_with("HTTP/1.1 200"), "{method} by {host}: {answer}");
            }
        }
    }
    let status = demo.cluster().until_voters(3).await;
    assert_eq!(status.names(), ["n1", "n2", "n3"]);
    assert_eq!(demo.cluster().leader().await.name, before, "leadership stayed");
}

/// What a node says over HTTP is for programs that ask for it by the node's address or
/// name; a page's question is refused, and one that names no host, or two, is none.
#[tokio::test]
async fn a_node_answers_no_pages() {
    let demo = Demo::start(&Wanted { nodes: 1, frontends: 1, ..Wanted::default() }).await;
    let node = &demo.record().nodes[0].address;
    for path in ["/metrics", "/healthz", "/readyz", "/"] {
        let right = if path == "/" { "404" } else { "200" };
        for (headers, expected) in [
            (format!("host: {node}\r\n"), right),
            ("host: localhost\r\n".to_owned(), right),
            ("host: n1:7101\r\n".to_owned(), right),
            ("host: evil.example\r\n".to_owned(), "403"),
            (format!("host: {node}\r\norigin: http://{node}\r\n"), "403"),
            (format!("host: {node}\r\norigin: null\r\n"), "403"),
            (String::new(), "400"),
            (format!("host: {node}\r\nhost: {node}\r\n"), "400"),
            (format!("host: {node}\r\nhost: evil.example\r\n"), "400"),
            ("host: \r\n".to_owned(), "400"),
        ] {
            let asked = format!("GET {path} HTTP/1.1\r\n{headers}connection: close\r\n\r\n");
            let answer = say(node, &asked).await;
            let status = answer.split(' ').nth(1).unwrap_or_default();
            assert_eq!(status, expected, "{asked}{answer}");
        }
    }
}

/// What HTTP/2 begins with, and settings that say nothing.
const HTTP2_HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// Connections that a hostile client opens: more than a node used to take in all.
const CROWD: usize = 4_200;

/// Somebody fills a node with connections. Whoever has the key is let in all the same, and
/// so are probes, a frontend and a node that is new.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_connections_keeps_nobody_out() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("as much as there is");
    if hard < 2 * CROWD as u64 {
        return hangraft_tests::skip::skip("the crowd of connections", "too few file descriptors");
    }
    let demo = Demo::start(&Wanted { nodes: 1, frontends: 1, ..Wanted::default() }).await;
    let node = demo.record().nodes[0].address.clone();
    let mut crowd = Vec::new();
    while crowd.len() < CROWD {
        let mut stranger = TcpStream::connect(&node).await.expect("the system takes it");
        // One that was hung up already is as good.
        _ = stranger.write_all(HTTP2_HELLO).await;
        crowd.push(stranger);
    }
    let status = run_well(&["status", "--node", &node]).await;
    assert!(status.contains("led by n1"), "{status}");
    assert_eq!(http::get(&node, "/readyz").await.expect("an answer").0, 200);
    let mut cluster = demo.cluster();
    let home = demo.home();
    let newcomer = hangraft_tests::process::Process::joining(
        &home.new_address(),
        cluster.nodes(),
        &home.key(),
    );
    cluster.until_joined(newcomer.address()).await;
    cluster.meet(newcomer.address());
    let mut player = Player::arrive("Ann", &demo.frontends(), 0).await;
    player.open(json!({})).await;
    assert_eq!(crowd.len(), CROWD);
}

/// A demo, its log, its data and its keys are its owner's alone, whatever the umask was;
/// and so are a node's folder and a backup.
#[tokio::test]
async fn what_is_written_is_its_owners_alone() {
    let (home, wanted) = (Home::new(), Wanted { nodes: 1, frontends: 1, ..Wanted::default() });
    let dir = home.dir().join("demo");
    let command = home.command(&wanted);
    let args: Vec<_> =
        command.as_std().get_args().map(|arg| arg.to_str().expect("plain")).collect();
    let elsewhere = |arg: &str| Path::new(arg) == home.dir();
    let there = dir.to_str().expect("plain");
    let args: Vec<_> = args.iter().map(|arg| if elsewhere(arg) { there } else { *arg }).collect();
    let wide = |args: &[&str]| {
        let mut command = tokio::process::Command::new("sh");
        command.args(["-c", "umask 000; exec \"$0\" \"$@\""]).arg(binary()).args(args);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.kill_on_drop(true).spawn().expect("a shell")
    };
    let mut demo = wide(&args);
    let node = format!("127.0.0.1:{}", home.node_port());
    eventually("the demo runs", PATIENCE, async || {
        let (status, _) = http::get(&node, "/readyz").await.ok()?;
        (status == 200 && dir.join("demo.json").exists()).then_some(())
    })
    .await;
    let backup = home.dir().join("games.backup");
    let text = |path: &Path| path.to_str().expect("plain").to_owned();
    let save = ["snapshot", "save", &text(&backup), "--dir", &text(&dir)];
    assert!(wide(&save).wait().await.expect("it ends").success());
    let (alone, address) = (home.dir().join("alone"), home.new_address());
    let mut single = wide(&["node", "--address", &address, "--dir", &text(&alone)]);
    eventually("the node runs", PATIENCE, async || {
        (http::get(&address, "/readyz").await.ok()?.0 == 200).then_some(())
    })
    .await;
    let mut written = vec![dir.clone(), backup, alone.clone()];
    written.extend(below(&dir).into_iter().chain(below(&alone)));
    assert!(written.len() > 15, "{written:?}");
    for path in written {
        // Some come and go while we look.
        let Ok(meta) = fs::symlink_metadata(&path) else { continue };
        let mode = meta.permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
    }
    single.kill().await.expect("it runs");
    hangraft_tests::demo::send(demo.id().expect("it runs"), nix::sys::signal::Signal::SIGINT);
    demo.wait().await.expect("it ends");
}

/// Everything below a folder. Files come and go.
fn below(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    let entries = fs::read_dir(dir).expect("a folder");
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() {
            all.extend(below(&path));
        }
        all.push(path);
    }
    all
}

/// Sends a request as it is; the whole answer.
async fn say(server: &str, request: &str) -> String {
    let saying = async {
        let mut stream = TcpStream::connect(server).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        std::io::Result::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    timeout(PATIENCE, saying).await.expect("it hangs up").expect("it answers")
}
