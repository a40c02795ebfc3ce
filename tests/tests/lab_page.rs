//! `hangraft lab` on real processes: the page, what happens as a stream, breaking by the page,
//! and who may not.

use futures_util::future::join_all;
use hangraft_tests::{
    demo::{Home, binary, send},
    wait::eventually,
};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::Path, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    time::timeout,
};

/// How long a cluster may take to be there, to elect somebody, or to be gone.
const PATIENCE: Duration = Duration::from_secs(60);

/// A lab that runs.
struct Lab {
    child: Child,
    address: String,
}

impl Lab {
    /// Starts `hangraft lab` with these arguments, and waits until it says that it is open.
    async fn start(args: &[&str], address: &str) -> Self {
        let (_, port) = address.rsplit_once(':').expect("it has a port");
        let mut command = Command::new(binary());
        command.arg("lab").args(args).args(["--lab-port", port]);
        command.stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
        let mut child = command.spawn().expect("the binary starts");
        let mut says = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let opens = async {
            while let Some(line) = says.next_line().await.expect("it is text") {
                if line.contains(address) {
                    return;
                }
            }
            panic!("it has ended");
        };
        timeout(PATIENCE, opens).await.expect("it opens in time");
        tokio::spawn(async move { while let Ok(Some(_)) = says.next_line().await {} });
        Self { child, address: address.to_owned() }
    }

    /// Asks with these lines in the head; the status, and the body.
    async fn ask(&self, request: &str, head: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).await.expect("it listens");
        let length = body.len();
        let text = format!(
            "{request} HTTP/1.1\r\n{head}connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it answers").unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        (status.expect("a status"), body.to_owned())
    }

    /// What a page of ours says.
    fn head(&self) -> String {
        let address = &self.address;
        format!("host: {address}\r\norigin: http://{address}\r\ncontent-type: application/json\r\n")
    }

    async fn get(&self, path: &str) -> (u16, String) {
        self.ask(&format!("GET {path}"), &format!("host: {}\r\n", self.address), "").await
    }

    /// Asks it to do something, as its page does.
    async fn perform(&self, words: &[&str]) -> (u16, Value) {
        let body = json!({ "words": words }).to_string();
        let (status, said) = self.ask("POST /do", &self.head(), &body).await;
        (status, serde_json::from_str(&said).expect("JSON"))
    }

    /// Ends it in order; it and all that it has started are gone.
    async fn stop(mut self) {
        let pid = self.child.id().expect("it runs");
        let all = descendants(pid);
        send(pid, Signal::SIGTERM);
        let status = timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap();
        assert!(status.success(), "{status}");
        let gone = |pid: &u32| !Path::new(&format!("/proc/{pid}")).exists();
        let all_gone = async || all.iter().all(gone).then_some(());
        eventually("all that it has started is gone", PATIENCE, all_gone).await;
    }
}

/// What a viewer has seen.
struct Viewer {
    stream: BufReader<TcpStream>,
    kinds: BTreeSet<String>,
    /// Nodes that were seen leading, with their terms.
    leaders: BTreeSet<(u64, u64)>,
    verdict: Option<bool>,
    /// Nodes at which somebody read something.
    readers: BTreeSet<String>,
    /// What nodes are called.
    names: BTreeSet<String>,
    last: Option<u64>,
}

impl Viewer {
    /// Looks, behind what was seen last.
    async fn look(lab: &Lab, last: Option<u64>) -> Self {
        let mut stream = TcpStream::connect(&lab.address).await.unwrap();
        // HTTP/1.0 has no chunks.
        let last_line = last.map_or(String::new(), |last| format!("last-event-id: {last}\r\n"));
        let head = format!("GET /lines HTTP/1.0\r\nhost: {}\r\n{last_line}\r\n", lab.address);
        stream.write_all(head.as_bytes()).await.unwrap();
        let stream = BufReader::new(stream);
        Self {
            stream,
            kinds: BTreeSet::new(),
            leaders: BTreeSet::new(),
            verdict: None,
            readers: BTreeSet::new(),
            names: BTreeSet::new(),
            last: None,
        }
    }

    /// The next event of lines.
    async fn next(&mut self) -> Value {
        let reading = async {
            let mut line = String::new();
            loop {
                line.clear();
                assert!(self.stream.read_line(&mut line).await.unwrap() > 0, "it has ended");
                if let Some(data) = line.strip_prefix("data: ") {
                    let data: Value = serde_json::from_str(data).expect("JSON");
                    if data["packed"].is_object() {
                        return data;
                    }
                }
            }
        };
        let data = timeout(PATIENCE, reading).await.expect("something happens all the time");
        self.last = data["seq"].as_u64();
        for table in data["packed"]["tables"].as_array().unwrap() {
            let kind = table["kind"].as_str().unwrap();
            self.kinds.insert(kind.to_owned());
            for row in table["rows"].as_array().unwrap() {
                let cell = |name: &str| {
                    let columns = table["columns"].as_array().unwrap();
                    let place = columns.iter().position(|column| column[0] == name)?;
                    row.get(place).and_then(Value::as_u64).filter(|cell| *cell > 0)
                };
                let text =
                    |place: u64| &data["packed"]["texts"][usize::try_from(place).unwrap() - 1];
                if kind == "head" {
                    let named = row.as_array().unwrap().iter().filter_map(Value::as_array);
                    let names = named.flatten().filter_map(|one| one["name"].as_str());
                    self.names.extend(names.map(ToOwned::to_owned));
                }
                if kind == "role" && cell("role").is_some_and(|role| text(role) == "leader") {
                    let number = |name| cell(name).expect("it is there") - 1;
                    self.leaders.insert((number("node"), number("term")));
                }
                if kind == "call"
                    && cell("asked").is_some_and(|asked| text(asked) == "read")
                    && cell("version").is_some()
                {
                    let by = cell("by").and_then(|by| text(by).as_str()).unwrap_or_default();
                    self.readers.insert(by.to_owned());
                }
                if kind == "verdict" {
                    self.verdict = cell("good").map(|good| good == 2);
                }
            }
        }
        data
    }

    /// Looks until something was seen.
    async fn until(&mut self, what: &str, seen: impl Fn(&Self) -> bool) {
        let looking = async {
            while !seen(self) {
                self.next().await;
            }
        };
        if timeout(PATIENCE, looking).await.is_err() {
            panic!("not seen: {what}; leaders {:?}, kinds {:?}", self.leaders, self.kinds);
        }
    }
}

/// The processes that a process has started, and those that they have.
fn descendants(of: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let found: Vec<u32> = lists
        .flat_map(|list| {
            list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()
        })
        .collect();
    let deeper: Vec<u32> = found.iter().flat_map(|pid| descendants(*pid)).collect();
    found.into_iter().chain(deeper).collect()
}

/// Somebody opens the lab, sees the cluster and the game, kills the leader by the page and
/// sees another one lead; the verdict stays good, and what was kept can be opened again.
#[tokio::test]
async fn a_cluster_is_seen_thinking_and_broken() {
    let home = Home::new();
    let (port, node_port) = (home.port().to_string(), home.node_port().to_string());
    let args = ["--nodes", "3", "--bots", "6", "--port", &port, "--node-port", &node_port];
    let lab = Lab::start(&args, &home.new_address()).await;

    let (status, page) = lab.get("/").await;
    assert_eq!(status, 200);
    assert!(page.contains(r#""live":true"#) && page.contains(r#""breaks":true"#));
    assert!(page.contains("leader-killed") || !Path::new("../scripts/faults").exists());

    let mut viewer = Viewer::look(&lab, None).await;
    let first = viewer.next().await;
    assert_eq!(first["anew"], true);
    assert_eq!(first["packed"]["tables"][0]["kind"], "head");
    viewer.until("who leads", |seen| !seen.leaders.is_empty()).await;
    let kinds = ["role", "log", "message", "process", "call", "push", "gossip", "verdict"];
    viewer
        .until("all that happens", |seen| kinds.iter().all(|kind| seen.kinds.contains(*kind)))
        .await;
    viewer.until("a good verdict", |seen| seen.verdict == Some(true)).await;

    let before = viewer.leaders.clone();
    let (status, done) = lab.perform(&["kill", "leader"]).await;
    assert_eq!((status, &done["done"]), (200, &json!(true)), "{done}");
    let line = done["line"].as_str().unwrap();
    assert!(line.starts_with("hangraft kill leader --dir /"), "{line}");
    let term = before.iter().map(|(_, term)| *term).max().unwrap();
    let another = |seen: &Viewer| seen.leaders.iter().any(|(_, later)| *later > term);
    viewer.until("another leader", another).await;

    // Who was away for a moment goes on where it was.
    let last = viewer.last.unwrap();
    let next = Viewer::look(&lab, Some(last)).await.next().await;
    assert_eq!((&next["seq"], &next["anew"]), (&json!(last + 1), &json!(null)));

    viewer.verdict = None;
    viewer.until("the next verdict", |seen| seen.verdict.is_some()).await;
    assert_eq!(viewer.verdict, Some(true), "it is still good");

    let (status, done) = lab.perform(&["restart", "ended"]).await;
    assert_eq!((status, &done["done"]), (200, &json!(true)), "{done}");
    let (status, done) = lab.perform(&["spare"]).await;
    assert_eq!((status, &done["done"]), (200, &json!(true)), "{done}");
    viewer.until("what the new node is called", |seen| seen.names.contains("n4")).await;
    viewer.until("bots read at the new node", |seen| seen.readers.contains("n4")).await;
    let (status, timeline) = lab.get("/timeline.jsonl").await;
    assert_eq!(status, 200);
    lab.stop().await;
    it_can_be_opened_again(&home, &timeline).await;
}

/// What was kept is shown by `hangraft lab open`.
async fn it_can_be_opened_again(home: &Home, timeline: &str) {
    let text: String = timeline
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| format!("{line}\n"))
        .collect();
    let file = home.dir().join("kept.jsonl");
    fs::write(&file, text).unwrap();
    let opened = Lab::start(&["open", file.to_str().unwrap()], &home.new_address()).await;
    let (status, page) = opened.get("/").await;
    assert_eq!(status, 200);
    assert!(page.contains(r#""live":false"#) && page.contains("hangraft lab --nodes 3"));
    assert!(page.contains(r#""name":"n4""#), "who joined later has its name here as well");
    assert_eq!(opened.perform(&["kill", "n1"]).await.0, 403, "nothing runs there");
    assert_eq!(opened.get("/lines").await.0, 404);
    opened.stop().await;
}

/// A stranger's page, a stranger's name, and words that are no command do nothing.
#[tokio::test]
async fn strangers_break_nothing() {
    let home = Home::new();
    let (port, node_port) = (home.port().to_string(), home.node_port().to_string());
    let args = ["--nodes", "1", "--bots", "0", "--port", &port, "--node-port", &node_port];
    let lab = Lab::start(&args, &home.new_address()).await;
    let pids = descendants(lab.child.id().unwrap());
    let kill = r#"{"words":["kill","n1"]}"#;
    let (address, json) = (lab.address.clone(), "content-type: application/json\r\n");
    let ours = format!("host: {address}\r\n");
    let hostile = [
        (format!("host: evil.example\r\n{json}"), kill, 421),
        (format!("{ours}origin: http://evil.example\r\n{json}"), kill, 403),
        (format!("{ours}origin: null\r\n{json}"), kill, 403),
        (format!("{ours}content-type: text/plain\r\n"), kill, 415),
        (format!("{ours}{json}"), r#"{"words":["kill","n1","--dir","/tmp"]}"#, 400),
        (format!("{ours}{json}"), r#"{"words":["demo"]}"#, 400),
        (format!("{ours}{json}"), r#"{"words":["scenario","../../bin/sh"]}"#, 400),
        (format!("{ours}{json}"), r#"{"words":"kill n1"}"#, 422),
        (format!("{ours}{json}"), "{", 400),
        (json.to_owned(), kill, 400),
    ];
    let asked = hostile.iter().map(|(head, body, _)| lab.ask("POST /do", head, body));
    for ((status, said), (head, body, expected)) in join_all(asked).await.iter().zip(&hostile) {
        assert_eq!(status, expected, "{head}{body}: {said}");
    }
    let large = format!(r#"{{"words":["kill","{}"]}}"#, "n".repeat(5_000));
    let (status, _) = lab.ask("POST /do", &format!("{ours}{json}"), &large).await;
    assert_eq!(status, 413);
    assert_eq!(lab.ask("GET /", "host: evil.example\r\n", "").await.0, 421);
    assert_eq!(descendants(lab.child.id().unwrap()), pids, "everybody lives");
    lab.stop().await;
}
