//! The dashboard and the alerts ask for what nodes and frontends really count, by names
//! as Prometheus wants them.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use hangraft_tests::{
    demo::{Demo, Wanted},
    http,
    player::Player,
    wait::eventually,
};
use serde_json::json;

/// Everything is counted within this.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn dashboards_ask_for_what_is_counted() {
    let demo = Demo::start(&Wanted::default()).await;
    let mut player = Player::arrive("Ann", &demo.frontends(), 0).await;
    let room = player.open(json!({})).await;
    player.watch(room).await;
    player.sit(room).await;
    player.guess('e').await.expect("a first letter is taken");

    let wanted = asked_for();
    assert!(wanted.len() > 20, "the dashboard and the alerts ask for little: {wanted:?}");
    let servers: Vec<String> = {
        let record = demo.record();
        let nodes = record.nodes.iter().map(|node| node.address.clone());
        let frontends = record.frontends.iter();
        nodes.chain(frontends.map(|frontend| frontend.http.replace("http://", ""))).collect()
    };
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

/// The names that the shipped files ask for.
fn asked_for() -> BTreeSet<String> {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/deploy");
    let mut names = BTreeSet::new();
    for file in ["grafana-dashboard.json", "alerts.yaml"] {
        let text = fs::read_to_string(deploy.join(file)).expect("a file we ship");
        let words = text.split(|c: char| !c.is_ascii_lowercase() && c != '_');
        let ours = words.filter(|word| word.starts_with("hangraft_"));
        names.extend(ours.map(|word| {
            let parts = ["_bucket", "_sum", "_count"];
            let family = parts.iter().find_map(|part| word.strip_suffix(part));
            family.unwrap_or(word).to_owned()
        }));
    }
    names
}

/// The families in a page of metrics. Counters end in `_total`, and only they.
fn families(page: &str) -> Vec<String> {
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let mut families = Vec::new();
    for (name, kind) in types.filter_map(|line| line.split_once(' ')) {
        assert!(name.starts_with("hangraft_"), "{name} does not say whose it is");
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
        families.push(name.to_owned());
    }
    families
}
