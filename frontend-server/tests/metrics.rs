//! What an operator sees at `/metrics`, while players do this and that.

#[expect(dead_code, reason = "this story needs only some of it")]
mod support;

use std::sync::Arc;

use hangraft_cluster_config::FrontendConfig;
use hangraft_frontend_server::Frontend;
use hangraft_proto::net::{Network, Tcp};
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;
use support::{Browser, cluster, config, eventually, http, http_at, key, name, play, room};
use tokio::net::TcpStream;

/// Everything that is counted, counted.
#[tokio::test]
async fn what_happens_is_counted() {
    let (world, nodes) = cluster(2);
    let frontend = recorded(config(&nodes)).await;
    let addr = frontend.addr();
    let seen = async |line: &str| {
        let what = format!("hangraft_frontend_{line}");
        let scrape = async || http_at(addr, "GET /metrics").await;
        eventually(&what, async || scrape().await.lines().any(|line| line == what)).await;
    };
    for line in ["nodes_linked 2", "leader_known 1", "draining 0", "sockets 0", "players 0"] {
        seen(line).await;
    }
    let version = env!("CARGO_PKG_VERSION");
    seen(&format!("build_info{{version=\"{version}\"}} 1")).await;

    let mut ann = Browser::connect(&frontend).await;
    let token = ann.ok("hello", json!({ "name": "Ann" })).await["token"].clone();
    let mut phone = Browser::connect(&frontend).await;
    phone.ok("hello", json!({ "token": token })).await;
    for line in ["sockets 2", "sockets_opened_total 2", "players 1"] {
        seen(line).await;
    }
    ann.ok("watch", room(1)).await;
    ann.view().await;
    ann.ok("play", play(1)).await;
    assert_eq!(ann.view().await, (2, false));
    world.change(1, 4);
    assert_eq!(ann.view().await, (6, true));
    assert_eq!(ann.refused("watch", room(99)).await, "no-such-room");
    for line in [
        "rooms_watched 1",
        "pushes_total 3",
        "resyncs_total 1",
        "commands_in_flight 0",
        "command_seconds_count 1",
        "command_seconds_bucket{le=\"10\"} 1",
        "actions_total{action=\"play\"} 1",
        "refused_total{code=\"no-such-room\"} 1",
        "refused_total{code=\"too-fast\"} 0",
        "send_queue_overflows_total 0",
    ] {
        seen(line).await;
    }

    ann.ok("notices", json!({})).await;
    let wanted = json!({ "game": "hangman" });
    ann.ok("seek", wanted.clone()).await;
    for sight in ["lobby", "live"] {
        ann.ok(sight, json!({ "open": true })).await;
    }
    let mut bo = Browser::greet(&frontend, "Bo").await;
    bo.ok("seek", wanted).await;
    assert_eq!(ann.push("notice").await["kind"], "matched");
    for line in ["players_followed 1", "notices_total 1", "lobby_lookers 1", "live_lookers 1"] {
        seen(line).await;
    }
    drop(bo);
    seen("sockets 2").await;

    drop(phone);
    drop(Browser::greet(&frontend, "Bo").await);
    for line in ["sockets 1", "sockets_opened_total 4", "players 1"] {
        seen(line).await;
    }
    let stop = tokio::spawn(frontend.stop());
    seen("draining 1").await;
    drop(ann);
    stop.await.unwrap();
}

/// Everything has a description, and nothing names a player or a word of theirs.
#[tokio::test]
async fn metrics_are_described_and_keep_secrets() {
    let (_world, nodes) = cluster(1);
    let frontend = recorded(config(&nodes)).await;
    let mut ann = Browser::connect(&frontend).await;
    let hello = ann.ok("hello", json!({ "name": "Annabel" })).await;
    ann.ok("open", json!({ "game": "parlour" })).await;
    ann.ok("play", json!({ "room": name(1), "move": { "secret": "kanna kamui" } })).await;
    let text = http(&frontend, "GET /metrics").await;
    let families = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let families: Vec<_> = families.filter_map(|line| line.split(' ').next()).collect();
    assert!(families.len() >= 17, "{families:?}");
    for family in families {
        let ours = ["hangraft_frontend_", "process_"];
        assert!(ours.iter().any(|prefix| family.starts_with(prefix)), "{family}");
        assert!(text.contains(&format!("# HELP {family} ")), "{family} has no description");
    }
    let (player, token) = (hello["player"].as_str().unwrap(), hello["token"].as_str().unwrap());
    for secret in [player, token, "Annabel", "parlour", "kanna"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

/// Connections that had to go for others are counted.
#[tokio::test]
async fn a_crowd_is_counted() {
    let (_world, nodes) = cluster(1);
    let mut config = config(&nodes);
    config.limits.connections_max = 10;
    let frontend = recorded(config).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(frontend.addr()).await.unwrap());
    }
    let name = "hangraft_frontend_connections_shed_total ";
    eventually("half of them went", async || {
        let text = http(&frontend, "GET /metrics").await;
        let shed = text.lines().find_map(|line| line.strip_prefix(name)?.parse::<u32>().ok());
        shed.is_some_and(|shed| shed >= 10)
    })
    .await;
}

/// Whoever is cut off for not reading is counted.
#[tokio::test]
async fn slow_clients_are_counted() {
    let (world, nodes) = cluster(1);
    let frontend = recorded(config(&nodes)).await;
    let mut slow = Browser::greet(&frontend, "Slow").await;
    slow.ok("watch", room(1)).await;
    world.pad_views(200 << 10);
    eventually("one overflow", async || {
        world.change(1, 1);
        let text = http(&frontend, "GET /metrics").await;
        text.contains("hangraft_frontend_send_queue_overflows_total 1\n")
    })
    .await;
    slow.until_closed().await;
    eventually("the end of that socket", async || {
        let text = http(&frontend, "GET /metrics").await;
        text.contains("hangraft_frontend_closed_total{why=\"slow\"} 1\n")
    })
    .await;
}

/// A frontend with a recorder of its own, so that other tests do not count here.
async fn recorded(config: FrontendConfig) -> Frontend {
    let recorder = PrometheusBuilder::new()
        .set_buckets(&[0.01, 0.1, 1.0, 10.0])
        .expect("there are buckets")
        .build_recorder();
    let handle = recorder.handle();
    let listener = Tcp.listen(([127, 0, 0, 1], 0).into()).await.unwrap();
    metrics::with_local_recorder(&recorder, || {
        Frontend::start(config, &key(), listener, Arc::new(Tcp), Some(handle)).unwrap()
    })
}
