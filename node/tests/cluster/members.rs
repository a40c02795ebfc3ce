//! Members come, go, die and are replaced; strangers and the dead who come back are told.

use super::harness::{Cluster, Operator, Player, eventually};
use hangraft_ids::NodeId;
use hangraft_node::{Fatal, StartError};
use hangraft_proto::v1::{
    EventsRequest, JoinRequest, LeaveRequest, ReportRequest, SetRequest, StatusRequest,
    TransferLeaderRequest,
};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tonic::Code;

async fn three() -> Cluster {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    cluster.leader().await;
    cluster
}

async fn until_voters(cluster: &Cluster, at: u64, voters: &[u64]) {
    let so = || async { cluster.voters(at).await == voters };
    eventually(&format!("{voters:?} vote"), so).await;
}

/// A fourth node is a spare until a fifth comes and five are wanted; then both vote.
#[tokio::test(flavor = "multi_thread")]
async fn voters_grow_by_two_when_more_are_wanted() {
    let mut cluster = three().await;
    cluster.newcomer(4);
    cluster.start(4).await;
    assert_eq!(cluster.node(4).id(), NodeId(4));
    cluster.set(Some(5), None).await;
    let waits = || async {
        let status = cluster.status(2).await.unwrap_or_default();
        status.intents.iter().any(|text| text.contains("n4 is a spare until another node joins"))
    };
    eventually("it is said why n4 waits", waits).await;
    assert_eq!(cluster.voters(1).await, [1, 2, 3]);

    cluster.newcomer(5);
    cluster.start(5).await;
    until_voters(&cluster, 4, &[1, 2, 3, 4, 5]).await;
    let mut player = Player::at(cluster.address(5), &cluster).await;
    let room = player.open_and_sit().await;
    player.play_letters(room, "etaoin").await;
    cluster.same_hash_everywhere().await;

    // And back: the two that go become spares.
    cluster.set(Some(3), None).await;
    let three = || async { cluster.voters(1).await.len() == 3 };
    eventually("three vote", three).await;
    cluster.stop_all().await;
}

/// A running node without a cluster waits to be told which one to join, and no other
/// tells it twice.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_node_is_told_to_join() {
    let mut cluster = three().await;
    cluster.newcomer(4).cluster.seeds.clear();
    let seeds = vec![cluster.address(2).to_string()];
    let asking = async {
        let client = until_it_waits(&cluster, 4).await;
        let refused = client.clone().leave(LeaveRequest {}).await.unwrap_err();
        assert!(refused.message().contains("belongs to no cluster"), "{refused:?}");
        let bad = JoinRequest { seeds: vec!["nowhere".into()] };
        assert_eq!(client.clone().join(bad).await.unwrap_err().code(), Code::InvalidArgument);
        client.clone().join(JoinRequest { seeds }).await.unwrap().into_inner()
    };
    let (node, reply) = tokio::join!(cluster.try_start(4), asking);
    let node = node.unwrap();
    assert_eq!((reply.cluster.as_str(), reply.node, node.id().0), ("test", 4, 4));
    let again = cluster.operator(4).await.join(JoinRequest { seeds: vec![] }).await.unwrap_err();
    assert!(again.message().contains("already"), "{again:?}");
    node.stop().await;
    cluster.stop_all().await;
}

/// A leader that leaves hands over first; a spare takes its place; its id is spent.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_leaves_and_a_spare_takes_its_place() {
    let mut cluster = three().await;
    cluster.newcomer(4);
    cluster.start(4).await;
    let leader = cluster.leader().await;
    let others: Vec<u64> = (1..=4).filter(|id| *id != leader).collect();
    let mut player = Player::at(cluster.address(others[0]), &cluster).await;
    let room = player.open_and_sit().await;

    let mut operator = cluster.operator(leader).await;
    let leaving = tokio::spawn(async move { operator.leave(LeaveRequest {}).await });
    player.play_letters(room, "etaoinshr").await;
    let said = leaving.await.unwrap().unwrap().into_inner().text;
    assert!(said.contains("has left"), "{said}");
    timeout(Duration::from_secs(5), cluster.node(leader).left()).await.expect("it has left");
    cluster.stop(leader).await;
    until_voters(&cluster, others[0], &others).await;

    let Err(StartError::Spent(why)) = cluster.try_start(leader).await else {
        panic!("a node that has left starts again");
    };
    assert!(why.contains("has left") && why.contains("--seed"), "{why}");
    cluster.stop_all().await;
}

/// A spare was away while voters left and others took their places. Of those that its log
/// knows too few are left to ask about its disk; it asks those whom they name.
#[tokio::test(flavor = "multi_thread")]
async fn a_spare_comes_back_when_most_of_those_it_knows_have_left() {
    let mut cluster = Cluster::new(5);
    cluster.start_all().await;
    cluster.leader().await;
    cluster.newcomer(6);
    cluster.start(6).await;
    cluster.same_hash_everywhere().await;
    cluster.stop(6).await;
    let seed = cluster.address(5);
    for leaves in 1..=4 {
        let newcomer = leaves + 6;
        cluster.newcomer(newcomer).cluster.seeds = vec![seed];
        cluster.start(newcomer).await;
        // Refused until it is known that the newcomer answers.
        let left = || async { cluster.operator(leaves).await.leave(LeaveRequest {}).await.is_ok() };
        eventually("a voter leaves", left).await;
        let took = || async { cluster.voters(5).await.contains(&newcomer) };
        eventually("the newcomer votes", took).await;
        cluster.stop(leaves).await;
    }
    cluster.start(6).await;
    cluster.same_hash_everywhere().await;
    cluster.stop_all().await;
}

/// A spare was away until all whom its log knows had left. Those who took their places know
/// it, and say hello to it.
#[tokio::test(flavor = "multi_thread")]
async fn a_spare_comes_back_when_all_whom_it_knows_have_left() {
    let mut cluster = three().await;
    cluster.newcomer(4);
    cluster.start(4).await;
    cluster.same_hash_everywhere().await;
    cluster.stop(4).await;
    for leaves in 1..=3 {
        let (newcomer, seed) = (leaves + 4, cluster.address(leaves));
        cluster.newcomer(newcomer).cluster.seeds = vec![seed];
        cluster.start(newcomer).await;
        // Refused until it is known that the newcomer answers.
        let left = || async { cluster.operator(leaves).await.leave(LeaveRequest {}).await.is_ok() };
        eventually("a voter leaves", left).await;
        let took = || async { cluster.voters(newcomer).await.contains(&newcomer) };
        eventually("the newcomer votes", took).await;
        cluster.stop(leaves).await;
    }
    cluster.start(4).await;
    cluster.same_hash_everywhere().await;
    cluster.stop_all().await;
}

/// With one of three silent, no other may leave: the refusal has the numbers.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_leaves_when_the_rest_could_not_go_on() {
    let mut cluster = three().await;
    let leader = cluster.leader().await;
    let others: Vec<u64> = (1..=3).filter(|id| *id != leader).collect();
    cluster.stop(others[0]).await;
    let missed = || async {
        let status = cluster.status(leader).await.unwrap_or_default();
        status.intents.iter().any(|text| text.contains("silent for"))
    };
    eventually("it is missed", missed).await;
    for leaving in [others[1], leader] {
        let asked = cluster.operator(leaving).await.leave(LeaveRequest {}).await;
        let refused = asked.unwrap_err();
        let numbers = "of the other 2 voters only 1 would answer, 2 are needed";
        assert!(refused.message().contains(numbers), "{refused:?}");
    }
    assert_eq!(cluster.voters(leader).await, [1, 2, 3]);
    assert_eq!(cluster.leader_among(&[leader, others[1]]).await, leader);
    cluster.stop_all().await;
}

/// A voter that is gone for good is replaced by a spare, and learns it when it comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_voter_is_replaced_and_told() {
    let mut cluster = three().await;
    cluster.newcomer(4);
    cluster.start(4).await;
    cluster.set(None, Some(1_000)).await;
    let leader = cluster.leader().await;
    let dead = (1..=3).find(|id| *id != leader).unwrap();
    cluster.stop(dead).await;
    let rest: Vec<u64> = (1..=4).filter(|id| *id != dead).collect();
    until_voters(&cluster, leader, &rest).await;

    let forgotten = || async {
        let status = cluster.status(leader).await.unwrap_or_default();
        status.members.iter().all(|member| member.id != dead)
    };
    eventually("it is let go of", forgotten).await;
    cluster.start(dead).await;
    let ended = timeout(Duration::from_secs(20), cluster.node(dead).failed()).await.unwrap();
    let Fatal::Spent(why) = ended else { panic!("{ended:?}") };
    assert!(why.contains("has removed this node"), "{why}");
    cluster.stop(dead).await;
    assert!(matches!(cluster.try_start(dead).await, Err(StartError::Spent(_))));
    cluster.stop_all().await;
}

/// A voter that comes back with an empty disk could vote twice in a term, or miss what it
/// had acknowledged. It takes no part, is told why, and may come as a new node.
#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_voter_is_told_that_its_id_is_spent() {
    let mut cluster = three().await;
    cluster.same_hash_everywhere().await;
    let leader = cluster.leader().await;
    let wiped = (1..=3).find(|id| *id != leader).unwrap();
    cluster.stop(wiped).await;
    cluster.wipe(wiped);
    cluster.start(wiped).await;
    let ended = timeout(Duration::from_secs(20), cluster.node(wiped).failed()).await.unwrap();
    let Fatal::Spent(why) = ended else { panic!("{ended:?}") };
    assert!(why.contains("another disk") && why.contains("--seed"), "{why}");
    let report = cluster.report(wiped).await.unwrap();
    assert_eq!((report.term, report.last_log), (0, 0), "it took part: {report:?}");
    cluster.stop(wiped).await;
    assert!(matches!(cluster.try_start(wiped).await, Err(StartError::Spent(_))));

    // Others have heard of it.
    let mut events = cluster.operator(leader).await;
    let mut told = events.events(EventsRequest { past: 100 }).await.unwrap().into_inner();
    let mut found = false;
    while let Ok(Ok(Some(event))) = timeout(Duration::from_millis(300), told.message()).await {
        found |= event.kind == "refusal" && event.text.contains("another disk");
    }
    assert!(found, "the refusal is no event");
    cluster.stop_all().await;
}

/// A node that once was a cluster of one and has grown, and loses its disk, has nobody to
/// ask when it is started as at first. What it founds then is another cluster, and nobody
/// of the old one hears it.
#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_founder_of_one_founds_another_cluster() {
    let mut cluster = Cluster::new(1);
    cluster.configs_mut(1).cluster.id = None;
    cluster.start(1).await;
    cluster.leader().await;
    for id in [2, 3] {
        cluster.newcomer(id);
        cluster.start(id).await;
    }
    until_voters(&cluster, 2, &[1, 2, 3]).await;
    let name = cluster.status(2).await.unwrap().cluster;
    cluster.stop(1).await;
    let leader = cluster.leader_among(&[2, 3]).await;
    let mut player = Player::at(cluster.address(leader), &cluster).await;
    let room = player.open_and_sit().await;
    let term = cluster.report(leader).await.unwrap().term;

    cluster.wipe(1);
    cluster.start(1).await;
    cluster.leader_among(&[1]).await;
    assert_ne!(cluster.status(1).await.unwrap().cluster, name);
    player.play_letters(room, "etaoin").await;
    let report = cluster.report(leader).await.unwrap();
    assert_eq!((report.term, report.state.as_str()), (term, "leader"), "it was disturbed");
    assert_eq!(cluster.report(1).await.unwrap().rooms, 0, "it took part");
    cluster.stop_all().await;
}

/// Who names another cluster is refused for good; who does not know the key is not heard.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_not_admitted() {
    let mut cluster = three().await;
    cluster.newcomer(4).cluster.id = Some("elsewhere".into());
    let Err(StartError::Refused(why)) = cluster.try_start(4).await else {
        panic!("a node of another cluster was admitted");
    };
    assert!(why.to_string().contains("this is cluster \"test\""), "{why}");

    cluster.newcomer(5);
    cluster.other_key(5);
    let waited = timeout(Duration::from_secs(2), cluster.try_start(5)).await;
    assert!(waited.is_err(), "a node with another key was decided about");
    let status = cluster.status(1).await.unwrap();
    assert_eq!(status.members.len(), 3);
    cluster.stop_all().await;
}

/// An address at which nobody reaches a newcomer makes no member; the leader says so.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_reached_is_not_admitted() {
    let mut cluster = three().await;
    // Nobody listens there.
    cluster.newcomer(4).advertise = Some(([127, 0, 0, 1], 1).into());
    let waited = timeout(Duration::from_secs(2), cluster.try_start(4)).await;
    assert!(waited.is_err(), "a node that is not reached was decided about");
    let leader = cluster.leader().await;
    assert_eq!(cluster.status(leader).await.unwrap().members.len(), 3);
    let request = EventsRequest { past: 100 };
    let mut events = cluster.operator(leader).await.events(request).await.unwrap().into_inner();
    loop {
        let next = timeout(Duration::from_secs(5), events.message()).await;
        let event = next.expect("it is told").unwrap().expect("the leader runs");
        if event.text.contains("does not reach 127.0.0.1:1") {
            break;
        }
    }
    cluster.stop_all().await;
}

/// A node whose gossip goes nowhere, while it hears the others', stays a voter: gossip
/// alone decides nothing.
#[tokio::test(flavor = "multi_thread")]
async fn gossip_cut_one_way_does_not_shake_the_membership() {
    let mut cluster = three().await;
    cluster.newcomer(4);
    cluster.start(4).await;
    cluster.set(None, Some(1_000)).await;
    let leader = cluster.leader().await;
    let term = cluster.report(leader).await.unwrap().term;
    let mute = (1..=3).find(|id| *id != leader).unwrap();
    cluster.mute(mute).store(true, Ordering::SeqCst);
    let gone = || {
        let roster = cluster.roster(leader);
        async move { roster.borrow().get(&NodeId(mute)).is_some_and(|seen| !seen.alive) }
    };
    eventually("gossip believes it dead", gone).await;
    // Far longer than it takes to replace a voter that is dead.
    sleep(Duration::from_secs(8)).await;
    assert_eq!(cluster.voters(leader).await, [1, 2, 3]);
    assert_eq!(cluster.report(leader).await.unwrap().term, term, "nobody campaigned");
    cluster.mute(mute).store(false, Ordering::SeqCst);
    let back = || {
        let roster = cluster.roster(leader);
        async move { roster.borrow().get(&NodeId(mute)).is_some_and(|seen| seen.alive) }
    };
    eventually("it is heard of again", back).await;
    cluster.stop_all().await;
}

/// Leadership goes where it is asked to, and nowhere else.
#[tokio::test(flavor = "multi_thread")]
async fn leadership_is_transferred() {
    let cluster = three().await;
    let leader = cluster.leader().await;
    // A leader that has just been elected has not heard of everybody yet.
    cluster.same_hash_everywhere().await;
    let next = leader % 3 + 1;
    let mut operator = cluster.operator(next).await;
    let moved = operator.transfer_leader(TransferLeaderRequest { to: next }).await.unwrap();
    assert_eq!(moved.into_inner().leader, next);
    assert_eq!(cluster.leader().await, next);
    let refused = operator.transfer_leader(TransferLeaderRequest { to: 9 }).await.unwrap_err();
    assert!(refused.message().contains("n9 is no voter"), "{refused:?}");
    let bad = SetRequest { voters: Some(4), replace_after_ms: None };
    let refused = operator.set(bad).await.unwrap_err();
    assert!(refused.message().contains("3, 5 or 7"), "{refused:?}");
    cluster.stop_all().await;
}

/// A client of a node that is just starting, and has no cluster yet.
async fn until_it_waits(cluster: &Cluster, id: u64) -> Operator {
    loop {
        match cluster.operator_at(id).await {
            Some(client) => return client,
            None => sleep(Duration::from_millis(20)).await,
        }
    }
}

/// A node without a cluster does not answer for one, and says how it gets one.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_waits_has_no_status() {
    let mut cluster = three().await;
    cluster.newcomer(4).cluster.seeds.clear();
    let asking = async {
        let mut client = until_it_waits(&cluster, 4).await;
        let report = client.report(ReportRequest {}).await.unwrap().into_inner();
        (client.status(StatusRequest {}).await.unwrap_err(), report)
    };
    let (refused, report) = tokio::select! {
        _ = cluster.try_start(4) => panic!("nobody told it to join"),
        answers = asking => answers,
    };
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("`hangraft join`"), "{refused:?}");
    assert_eq!((report.id, report.state.as_str()), (0, "waiting"));
    cluster.stop_all().await;
}

/// What a node reads from its own disk is no news when it starts again; what changes later
/// is. One that begins with nothing tells all of it once.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_is_no_news() {
    let mut cluster = Cluster::new(3);
    cluster.snapshot_every(20);
    cluster.start_all().await;
    let first = || async { told(&cluster, 2, &["member"]).await.len() == 3 };
    eventually("the first members are news once", first).await;
    cluster.newcomer(4);
    cluster.snapshot_every(20);
    cluster.start(4).await;
    let all = || async { told(&cluster, 4, &["member"]).await.len() == 4 };
    eventually("so are all to one that joins", all).await;
    assert_eq!(told(&cluster, 4, &["setting"]).await[0], "3 voters are wanted");
    // One after the other, and each is news: the last has to be so before anybody starts again.
    let last =
        || async { cluster.features(1).await.last().is_some_and(|it| it == "rooms:publish") };
    eventually("all that a build can do may be used", last).await;
    cluster.set(Some(5), None).await;

    // At first the log has it all; then a snapshot has most of it.
    for saved in [false, true] {
        let there = || async {
            let (one, other) = (cluster.report(2).await, cluster.report(4).await);
            [one, other].into_iter().flatten().filter(|report| report.snapshot > 0).count() == 2
        };
        if saved {
            let mut player = Player::at(cluster.address(1), &cluster).await;
            for _ in 0..3 {
                let room = player.open_and_sit().await;
                player.play_letters(room, "etaoinshrdlu").await;
            }
            eventually("they have snapshots", there).await;
        }
        assert_eq!(there().await, saved);
        cluster.same_hash_everywhere().await;
        for id in [2, 4] {
            let covered = cluster.report(id).await.unwrap().snapshot;
            let old = format!("a snapshot covers the log up to {covered}");
            cluster.stop(id).await;
            cluster.start(id).await;
            let led = || async { !told(&cluster, id, &["leader"]).await.is_empty() };
            eventually("it hears who leads", led).await;
            cluster.same_hash_everywhere().await;
            // Long enough to look again.
            sleep(Duration::from_millis(600)).await;
            let told = told(&cluster, id, &["member", "setting", "snapshot"]).await;
            // It may take another snapshot now.
            let news = told.iter().filter(|text| **text == old || !text.contains("snapshot"));
            assert_eq!(news.collect::<Vec<_>>(), [""; 0], "saved: {saved}, n{id}");
        }
    }
    cluster.set(Some(3), None).await;
    for id in [2, 4] {
        let set = || async { told(&cluster, id, &["setting"]).await == ["3 voters are wanted"] };
        eventually("what changes is news", set).await;
    }
    cluster.stop_all().await;
}

/// What a node has told of these kinds.
async fn told(cluster: &Cluster, id: u64, kinds: &[&str]) -> Vec<String> {
    let mut operator = cluster.operator(id).await;
    let mut events = operator.events(EventsRequest { past: 100 }).await.unwrap().into_inner();
    let mut told = Vec::new();
    while let Ok(Ok(Some(event))) = timeout(Duration::from_millis(200), events.message()).await {
        if kinds.contains(&event.kind.as_str()) {
            told.push(event.text);
        }
    }
    told
}
