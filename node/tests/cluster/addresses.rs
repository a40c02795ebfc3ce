//! Addresses change hands, and nodes change addresses.

use super::harness::{Cluster, eventually};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// A stranger joins at the address of a voter that is down, and goes away again. The voter
/// comes back there, and is heard of: who died at its address was somebody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_voter_is_heard_of_after_a_stranger_used_its_address() {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let away = (1..=3).find(|id| *id != leader).unwrap();
    cluster.stop(away).await;
    let address = cluster.address(away);
    cluster.newcomer(4).address = address;
    cluster.start(4).await;
    until_heard(&cluster, leader, 4, true).await;
    cluster.stop(4).await;
    until_heard(&cluster, leader, 4, false).await;

    cluster.start(away).await;
    let soon = timeout(Duration::from_secs(10), until_heard(&cluster, leader, away, true));
    soon.await.expect("it is heard of soon");
    // And stays so.
    sleep(Duration::from_secs(3)).await;
    assert!(cluster.roster(leader).borrow()[&away].alive);
    cluster.stop_all().await;
}

async fn until_heard(cluster: &Cluster, by: u64, node: u64, alive: bool) {
    let seen = || {
        let roster = cluster.roster(by);
        async move { roster.borrow().get(&node).is_some_and(|seen| seen.alive == alive) }
    };
    eventually(&format!("n{by} sees n{node} alive: {alive}"), seen).await;
}
