//! The dashboard and the alerts ask for what nodes and frontends really count, by names
//! as Prometheus wants them; what is counted is true; and who asks by gRPC how a node is
//! hears what it says by HTTP.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use futures_util::future::join_all;
use hangraft_tests::{
    demo::{Demo, Wanted, binary, run_well, send},
    http,
    player::Player,
    wait::eventually,
};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{process::Command, time::timeout};
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

/// Everything is counted within this.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn dashboards_ask_for_what_is_counted() {
    let demo = Demo::start(&Wanted::default()).await;
    let mut player = Player::arrive("Ann", &demo.frontends(), 0).await;
    let room = player.open(json!({})).await;
    player.watch(&room).await;
    player.sit(&room).await;
    player.guess('e').await.expect("a first letter is taken");

    let wanted = asked_for();
    assert!(wanted.len() > 20, "the dashboard and the alerts ask for little: {wanted:?}");
    let servers = servers(&demo);
    eventually("every name that is asked for is counted somewhere", PATIENCE, async || {
        let mut counted = BTreeSet::new();
        for server in &servers {
            let (status, body) = http::get(server, "/metrics").await.ok()?;
            assert_eq!(status, 200, "{server}");
            counted.extend(families(&body));
        }
        let missing: Vec<_> = wanted.difference(&counted).collect();
        if !missing.is_empty() {
            println!("not counted yet: {missing:?}");
        }
        missing.is_empty().then_some(())
    })
    .await;
}

/// What did not happen yet is 0 and not missing, or the first of it would be lost to
/// whoever counts; and what has come to rest says so.
#[tokio::test]
async fn what_has_not_happened_is_nought() {
    let demo = Demo::start(&Wanted::default()).await;
    let nodes = demo.record().nodes;
    for node in &nodes {
        let what = format!("{} counts", node.name);
        let page = eventually(&what, PATIENCE, async || {
            let page = metrics(&node.address).await;
            page.contains_key("hangraft_node_info").then_some(page)
        })
        .await;
        for idle in ["hangraft_proposal_seconds_count", "hangraft_batch_commands_count"] {
            assert_eq!(page[idle].values().sum::<f64>(), 0.0, "{idle} of {}", node.name);
        }
        assert!(page["hangraft_log_sync_seconds_count"].values().sum::<f64>() > 0.0);
        assert!(page.contains_key("hangraft_apply_seconds_count"));
        assert!(page.contains_key("hangraft_raft_committed_entries_total"));
        let info = page["hangraft_node_info"].keys().next().expect("one");
        let (id, name) = (format!("id=\"{}\"", node.id), format!("name=\"{}\"", node.name));
        assert!(info.contains(&id) && info.contains(&name), "{info}");
    }
    let mut player = Player::arrive("Ann", &demo.frontends(), 0).await;
    let room = player.open(json!({})).await;
    player.sit(&room).await;
    for node in &nodes {
        eventually("the log is synced, and nobody waits for it", PATIENCE, async || {
            let page = metrics(&node.address).await;
            let committed = page["hangraft_raft_committed_entries_total"].values().sum::<f64>();
            let waiting = page["hangraft_log_waiting_syncs"].values().sum::<f64>();
            (committed > 0.0 && waiting == 0.0).then_some(())
        })
        .await;
    }
    let pages = join_all(nodes.iter().map(|node| metrics(&node.address))).await;
    let lags = pages.iter().filter_map(|page| page.get("hangraft_raft_replication_lag_entries"));
    let named = lags.flat_map(BTreeMap::keys).filter(|labels| labels.contains("name=\"n"));
    assert!(named.count() >= 2, "the leader calls those behind it by name");
}

/// Processes are measured by the names that everybody's are.
#[tokio::test]
async fn processes_are_measured() {
    let demo = Demo::start(&Wanted { nodes: 1, frontends: 1, ..Wanted::default() }).await;
    for server in servers(&demo) {
        let page = metrics(&server).await;
        let value = |name: &str| page[name].values().sum::<f64>();
        assert!(value("process_resident_memory_bytes") > 1e6, "{server}");
        assert!(value("process_open_fds") >= 3.0, "{server}");
        assert!(
            value("process_max_fds") == 0.0 || value("process_max_fds") > value("process_open_fds")
        );
        assert!(value("process_start_time_seconds") > 1.6e9, "{server}");
        assert!(page.contains_key("process_cpu_seconds_total"), "{server}");
    }
}

/// A node that starts with a snapshot on its disk knows how large it is.
#[tokio::test]
async fn the_snapshot_on_disk_has_its_size() {
    let dir = TempDir::with_prefix("hangraft-metrics-").expect("a temporary folder");
    let demo = Demo::start(&Wanted { nodes: 1, ..Wanted::default() }).await;
    let mut player = Player::arrive("Ann", &demo.frontends(), 0).await;
    player.open(json!({})).await;
    let (file, data) = (dir.path().join("games.backup"), dir.path().join("data"));
    let address = demo.home().new_address();
    let node = demo.record().nodes[0].address.clone();
    let (file, data) = (file.to_str().expect("plain"), data.to_str().expect("plain"));
    let key = demo.home().key();
    let key = key.to_str().expect("plain");
    run_well(&["snapshot", "save", file, "--node", &node, "--key-file", key]).await;
    run_well(&[
        "snapshot",
        "restore",
        file,
        "--dir",
        data,
        "--key-file",
        key,
        "--address",
        &address,
        "--name",
        "n1",
        "--cluster",
        "games-2",
    ])
    .await;
    let mut restored = Command::new(binary())
        .args(["node", "--address", &address, "--dir", data])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the binary starts");
    eventually("the restored snapshot has a size", PATIENCE, async || {
        let (_, body) = http::get(&address, "/metrics").await.ok()?;
        let page = samples(&body);
        let bytes = page.get("hangraft_snapshot_bytes")?.values().sum::<f64>();
        (bytes > 0.0).then_some(())
    })
    .await;
    restored.kill().await.expect("our child");
}

/// Probes hear of the node as a whole and of its games what `/readyz` says; operators and
/// replicas are served all the same.
#[tokio::test]
async fn probes_hear_how_each_service_is() {
    let demo = Demo::start(&Wanted::default()).await;
    let address = demo.record().nodes[0].address.clone();
    let mut health = health(&address).await;
    use ServingStatus::{NotServing, Serving};
    let serving = [Serving; 4];
    eventually("all is served", PATIENCE, async || {
        (ask_all(&mut health).await == serving).then_some(())
    })
    .await;
    demo.kill("n2").await;
    demo.kill("n3").await;
    eventually("nothing that needs a leader is served", PATIENCE, async || {
        let (ready, _) = http::get(&address, "/readyz").await.ok()?;
        let now = ask_all(&mut health).await;
        assert_eq!(now[2..], [Serving; 2], "operators and replicas are served");
        (ready == 503 && now[..2] == [NotServing; 2]).then_some(())
    })
    .await;
    demo.restart("n2").await;
    eventually("all is served again", PATIENCE, async || {
        (ask_all(&mut health).await == serving).then_some(())
    })
    .await;
}

/// A leader that is asked to stop says so to those who watch its health, before it goes.
#[tokio::test]
async fn a_node_that_stops_serves_no_more() {
    let demo = Demo::start(&Wanted::default()).await;
    let leader = demo.leader().await;
    let node = demo.record().nodes.into_iter().find(|node| node.name == leader).expect("it leads");
    let mut health = health(&node.address).await;
    let whole = HealthCheckRequest { service: String::new() };
    let mut news = health.watch(whole).await.expect("it can be watched").into_inner();
    let first = news.message().await.expect("an answer").expect("one");
    assert_eq!(first.status(), ServingStatus::Serving);
    send(node.pid, Signal::SIGTERM);
    let last = timeout(PATIENCE, news.message()).await.expect("it says so in time");
    let last = last.expect("before it goes").expect("before it goes");
    assert_eq!(last.status(), ServingStatus::NotServing);
}

/// Every question of the dashboard names the cluster: there may be several.
#[test]
fn the_dashboard_keeps_clusters_apart() {
    let text = fs::read_to_string(deploy().join("grafana-dashboard.json")).expect("we ship it");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    for target in targets {
        let question = target["expr"].as_str().expect("a question");
        let selectors = question.matches('{').count();
        let apart = question.matches("{cluster=\"$cluster\"").count();
        assert!(selectors > 0 && apart == selectors, "{question}");
    }
}

/// All nodes and frontends of a demo.
fn servers(demo: &Demo) -> Vec<String> {
    let record = demo.record();
    let nodes = record.nodes.iter().map(|node| node.address.clone());
    let frontends = record.frontends.iter();
    nodes.chain(frontends.map(|frontend| frontend.http.replace("http://", ""))).collect()
}

/// What a server measures, by name and by labels.
async fn metrics(server: &str) -> BTreeMap<String, BTreeMap<String, f64>> {
    let (status, body) = http::get(server, "/metrics").await.expect("it lives");
    assert_eq!(status, 200, "{server}");
    samples(&body)
}

fn samples(page: &str) -> BTreeMap<String, BTreeMap<String, f64>> {
    let mut samples: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let Some((key, value)) = line.rsplit_once(' ') else { continue };
        let (name, labels) = key.split_once('{').unwrap_or((key, ""));
        let value = value.parse().expect("a number");
        samples.entry(name.to_owned()).or_default().insert(labels.to_owned(), value);
    }
    samples
}

async fn health(address: &str) -> HealthClient<Channel> {
    let node = Endpoint::from_shared(format!("http://{address}")).expect("an address");
    HealthClient::new(node.connect().await.expect("the node listens"))
}

/// The node as a whole, its games, and what is there for operators and for replicas.
async fn ask_all(health: &mut HealthClient<Channel>) -> [ServingStatus; 4] {
    let mut answers = [ServingStatus::Unknown; 4];
    let services = ["", "hangraft.v1.Game", "hangraft.v1.Cluster", "hangraft.v1.Raft"];
    for (answer, service) in answers.iter_mut().zip(services) {
        let question = HealthCheckRequest { service: service.to_owned() };
        *answer = health.check(question).await.expect("a service we have").get_ref().status();
    }
    answers
}

/// Where what we ship for operators is.
fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/deploy")
}

/// Not ours: `hangraft-backup` leaves it for node_exporter.
const OF_A_SCRIPT: &str = "hangraft_backup_success_timestamp_seconds";

/// The names that the shipped files ask for.
fn asked_for() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in ["grafana-dashboard.json", "alerts.yaml"] {
        let text = fs::read_to_string(deploy().join(file)).expect("a file we ship");
        let words = text.split(|c: char| !c.is_ascii_lowercase() && c != '_');
        let ours = words.filter(|word| is_ours(word) && *word != OF_A_SCRIPT);
        names.extend(ours.map(|word| {
            let parts = ["_bucket", "_sum", "_count"];
            let family = parts.iter().find_map(|part| word.strip_suffix(part));
            family.unwrap_or(word).to_owned()
        }));
    }
    names
}

/// Ours start with our name, but for what everybody measures of a process.
fn is_ours(name: &str) -> bool {
    name.starts_with("hangraft_") || name.starts_with("process_")
}

/// The families in a page of metrics. Counters end in `_total`, and only they.
fn families(page: &str) -> Vec<String> {
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let mut families = Vec::new();
    for (name, kind) in types.filter_map(|line| line.split_once(' ')) {
        assert!(is_ours(name), "{name} does not say whose it is");
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
        families.push(name.to_owned());
    }
    families
}
