//! Data folders that are copied, and started elsewhere.

use super::harness::{Cluster, Player, eventually};
use hangraft_ids::NodeId;
use hangraft_node::{Fatal, Node};
use hangraft_proto::v1::EventsRequest;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Three nodes of which one, not the leader, has a copy of its data, as it was a moment ago.
async fn three_and_a_copy() -> (Cluster, u64, u64) {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let mut player = Player::at(cluster.address(leader), &cluster).await;
    let room = player.open_and_sit().await;
    player.play_letters(room, "etaoin").await;
    cluster.same_hash_everywhere().await;
    let copied = leader % 3 + 1;
    cluster.stop(copied).await;
    cluster.copy(copied, 9);
    (cluster, leader, copied)
}

/// A copy of a node's data is started while the node lives. Its peers find the node at its
/// address, and say so; the copy stops, the node goes on and can lead.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_stops_and_the_original_goes_on() {
    let (mut cluster, leader, copied) = three_and_a_copy().await;
    cluster.start(copied).await;
    cluster.same_hash_everywhere().await;
    let term = cluster.report(leader).await.unwrap().term;
    let copy = cluster.try_start(9).await.unwrap();
    let why = ends_for_good(&copy).await;
    let home = cluster.address(copied);
    for part in [format!("node {copied} lives at {home}"), "--new-address".into(), "copy".into()] {
        assert!(why.contains(&part), "{why}");
    }
    copy.stop_now().await;
    let report = cluster.report(leader).await.unwrap();
    assert_eq!((report.term, report.state.as_str()), (term, "leader"), "it was disturbed");
    assert!(cluster.roster(leader).borrow()[&NodeId(copied)].alive, "it is heard of still");
    assert!(told_of_the_copy(&cluster, leader, copied).await);
    let spoken_of = || async {
        let intents = cluster.status(leader).await.unwrap().intents;
        intents.iter().any(|text| text.contains("started twice"))
    };
    eventually("the status speaks of the copy", spoken_of).await;

    cluster.stop(leader).await;
    let others: Vec<u64> = (1..=3).filter(|id| *id != leader).collect();
    let next = cluster.leader_among(&others).await;
    let mut player = Player::at(cluster.address(next), &cluster).await;
    let room = player.open_and_sit().await;
    player.play_letters(room, "etaoin").await;
    cluster.stop_all().await;
}

/// A copy is started while the node is away, perhaps only cut off. Nobody answers at the
/// node's address, so the copy is not believed: with the leader gone as well, nobody is
/// elected until the node is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_does_not_vote_for_one_that_is_away() {
    let (mut cluster, leader, copied) = three_and_a_copy().await;
    let copy = cluster.try_start(9).await.unwrap();
    cluster.stop_now(leader).await;
    let third = (1..=3).find(|id| *id != leader && *id != copied).unwrap();
    let before = cluster.report(third).await.unwrap().term;
    cluster.expect_no_leader_for(Duration::from_secs(5)).await;
    let report = copy.observer().report();
    assert_ne!(report.state, "leader", "{report:?}");
    cluster.start(copied).await;
    cluster.leader_among(&[third, copied]).await;
    assert!(cluster.report(third).await.unwrap().term > before);
    // And now the copy is told.
    ends_for_good(&copy).await;
    copy.stop_now().await;
    cluster.stop_all().await;
}

/// An only voter needs nobody's vote, and nor does a copy of it. The copy looks where its node
/// is reached, finds the first one there, and stops; when nobody is there, it does not lead.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_only_voter_does_not_lead() {
    let mut cluster = Cluster::new(1);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let mut player = Player::at(cluster.address(leader), &cluster).await;
    let room = player.open_and_sit().await;
    player.play_letters(room, "etaoin").await;
    cluster.stop(leader).await;
    cluster.copy(leader, 9);
    let copy = cluster.try_start(9).await.unwrap();
    sleep(Duration::from_secs(5)).await;
    assert_ne!(copy.observer().report().state, "leader", "nobody is where it should be");
    cluster.start(leader).await;
    cluster.leader().await;
    ends_for_good(&copy).await;
    assert_ne!(copy.observer().report().state, "leader");
    copy.stop_now().await;
    cluster.stop_all().await;
}

/// A node that is stopped and started again at once is believed at once: its peers look, and
/// find it at its address.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_in_place_is_not_held_up() {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    for _ in 0..3 {
        let leader = cluster.leader().await;
        let (one, other) = (leader % 3 + 1, (leader + 1) % 3 + 1);
        cluster.stop(one).await;
        cluster.start(one).await;
        // Its vote is needed, and taken.
        cluster.stop(leader).await;
        let rest = [one, other];
        let elected = cluster.leader_among(&rest);
        timeout(Duration::from_secs(5), elected).await.expect("soon");
        cluster.start(leader).await;
        cluster.same_hash_everywhere().await;
    }
    sleep(Duration::from_millis(200)).await;
    let refused = cluster.status(1).await.unwrap().intents;
    assert!(!refused.iter().any(|text| text.contains("started twice")), "{refused:?}");
    cluster.stop_all().await;
}

async fn ends_for_good(copy: &Node) -> String {
    match timeout(Duration::from_secs(15), copy.failed()).await.expect("it stops") {
        Fatal::Spent(why) => why,
        fatal => panic!("{fatal:?}"),
    }
}

async fn told_of_the_copy(cluster: &Cluster, at: u64, copied: u64) -> bool {
    let mut operator = cluster.operator(at).await;
    let mut events = operator.events(EventsRequest { past: 100 }).await.unwrap().into_inner();
    let home = cluster.address(copied);
    let expected = format!("node {copied} was started twice: it lives at {home}");
    while let Ok(Ok(Some(event))) = timeout(Duration::from_millis(300), events.message()).await {
        if event.text.contains(&expected) {
            return true;
        }
    }
    false
}
