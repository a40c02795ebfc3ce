//! What operators may make worse around a node, and what becomes of the cluster then.

use crate::harness::{Cluster, Player, eventually};
use hangraft_proto::v1::fault::What;
use hangraft_proto::v1::link_fault::Trouble;
use hangraft_proto::v1::{
    Cut, FailFsync, Fault, FaultsRequest, FullDisk, HealRequest, InjectRequest, LinkFault, Loss,
    Skew, SlowDisk, Traffic, Way,
};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tonic::Code;

/// A cut in one way.
fn cut(peer: impl ToString, way: Way, traffic: Traffic) -> Fault {
    let (peer, trouble) = (peer.to_string(), Some(Trouble::Cut(Cut {})));
    let link = LinkFault { peer, way: way.into(), traffic: traffic.into(), trouble, flap_ms: 0 };
    Fault { what: Some(What::Link(link)) }
}

async fn inject(cluster: &Cluster, id: u64, faults: Vec<Fault>, for_ms: u64) -> Vec<u64> {
    let mut operator = cluster.operator(id).await;
    operator.inject(InjectRequest { faults, for_ms }).await.unwrap().into_inner().ids
}

/// Cuts a node off from all others, who are told as well.
async fn isolate(cluster: &Cluster, alone: u64, traffic: Traffic, for_ms: u64) {
    for other in (1..=3).filter(|id| *id != alone) {
        for (at, from) in [(alone, other), (other, alone)] {
            let peer = cluster.address(from);
            let ways = [Way::Out, Way::In].map(|way| cut(peer, way, traffic));
            inject(cluster, at, ways.to_vec(), for_ms).await;
        }
    }
}

fn others(id: u64) -> Vec<u64> {
    (1..=3).filter(|other| *other != id).collect()
}

async fn three() -> Cluster {
    let mut cluster = Cluster::new(3);
    cluster.allow_faults();
    cluster.start_all().await;
    cluster.leader().await;
    cluster
}

/// In production nobody makes anything worse, whatever key they show; and what makes no
/// sense is refused whole where faults are allowed.
#[tokio::test(flavor = "multi_thread")]
async fn faults_need_the_configurations_consent() {
    let mut cluster = Cluster::new(3);
    cluster.allow_faults();
    cluster.configs_mut(1).faults = false;
    cluster.start_all().await;
    cluster.leader().await;
    let wanted = |peer: &str| InjectRequest {
        faults: vec![
            Fault { what: Some(What::FullDisk(FullDisk {})) },
            cut(peer, Way::Out, Traffic::All),
        ],
        for_ms: 0,
    };
    let peer = cluster.address(3).to_string();
    let mut operator = cluster.operator(1).await;
    for refused in [
        operator.inject(wanted(&peer)).await.map(drop),
        operator.faults(FaultsRequest {}).await.map(drop),
        operator.heal(HealRequest::default()).await.map(drop),
    ] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert!(refused.message().contains("faults = true"), "{refused}");
    }
    let mut operator = cluster.operator(2).await;
    let loss =
        LinkFault { trouble: Some(Trouble::Loss(Loss { ppm: 0 })), peer, ..Default::default() };
    for senseless in [
        wanted("n3"),
        InjectRequest::default(),
        InjectRequest { faults: vec![Fault::default()], for_ms: 0 },
        InjectRequest { faults: vec![Fault { what: Some(What::Link(loss)) }], for_ms: 0 },
    ] {
        let refused = operator.inject(senseless).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    }
    let active = operator.faults(FaultsRequest {}).await.unwrap().into_inner();
    assert_eq!(active.faults, [], "nothing has begun");
    cluster.stop_all().await;
}

/// A leader that is cut off is replaced. Its operator still reaches it, and it is back by
/// itself when the time is over, although whoever asked for it is long gone.
#[tokio::test(flavor = "multi_thread")]
async fn an_isolated_leader_is_replaced_and_comes_back_by_itself() {
    let cluster = three().await;
    let alone = cluster.leader().await;
    let mut player = Player::at(cluster.address(others(alone)[0]), &cluster).await;
    let room = player.open_and_sit().await;
    isolate(&cluster, alone, Traffic::All, 4_000).await;
    let next = cluster.leader_among(&others(alone)).await;
    assert_ne!(next, alone);
    player.play_letters(room, "etaoin").await;
    let report = cluster.report(alone).await.expect("an operator gets through");
    assert!(report.faults.iter().any(|fault| fault.starts_with("cut to n")), "{report:?}");

    let healed = || async { cluster.report(alone).await.is_some_and(|now| now.faults.is_empty()) };
    eventually("it heals by itself", healed).await;
    cluster.same_hash_everywhere().await;
    let told = cluster.told(alone, "fault").await;
    assert!(told.iter().any(|text| text.starts_with("begins: cut to n")), "{told:?}");
    assert!(told.iter().any(|text| text.starts_with("heals: cut from n")), "{told:?}");
    cluster.stop_all().await;
}

/// Gossip and Raft may disagree: a voter that nobody hears by gossip goes on voting.
#[tokio::test(flavor = "multi_thread")]
async fn gossip_may_be_cut_while_raft_is_not() {
    let cluster = three().await;
    let leader = cluster.leader().await;
    let quiet = others(leader)[0];
    isolate(&cluster, quiet, Traffic::Datagrams, 0).await;
    let seen = || async {
        let status = cluster.status(leader).await.unwrap();
        status.members.into_iter().find(|member| member.id == quiet).unwrap()
    };
    eventually("gossip takes it for dead", || async { !seen().await.alive }).await;
    let mut player = Player::at(cluster.address(leader), &cluster).await;
    let room = player.open_and_sit().await;
    player.play_letters(room, "etaoin").await;
    cluster.same_hash_everywhere().await;
    let silent_ms = seen().await.silent_ms.expect("the leader has heard it");
    assert!(silent_ms < 2_000, "{silent_ms}");

    for id in 1..=3 {
        cluster.operator(id).await.heal(HealRequest::default()).await.unwrap();
    }
    eventually("gossip hears it again", || async { seen().await.alive }).await;
    cluster.stop_all().await;
}

/// A node whose disk is full, or does not sync, stops with the reason.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_stops_its_node() {
    let mut cluster = three().await;
    for what in [What::FullDisk(FullDisk {}), What::FailFsync(FailFsync {})] {
        let leader = cluster.leader().await;
        let hurt = others(leader)[0];
        let mut player = Player::new_at(cluster.address(leader), &cluster).await;
        let room = player.open_and_sit().await;
        inject(&cluster, hurt, vec![Fault { what: Some(what) }], 0).await;
        player.play_letters(room, "etaoin").await;
        let why = cluster.failed(hurt).await;
        assert!(why.contains("an injected fault"), "{why}");
        cluster.stop_now(hurt).await;
        // A fault does not outlive the process.
        cluster.start(hurt).await;
        cluster.same_hash_everywhere().await;
    }
    cluster.stop_all().await;
}

/// A move waits for a majority of disks, and for no other.
#[tokio::test(flavor = "multi_thread")]
async fn slow_disks_of_a_majority_slow_moves() {
    let cluster = three().await;
    let leader = cluster.leader().await;
    let mut player = Player::at(cluster.address(leader), &cluster).await;
    let room = player.open_and_sit().await;
    for id in others(leader) {
        let slow = What::SlowDisk(SlowDisk { ms: 200, jitter_ms: 50 });
        inject(&cluster, id, vec![Fault { what: Some(slow) }], 0).await;
    }
    let begun = Instant::now();
    player.play_letters(room, "e").await;
    assert!(begun.elapsed() >= Duration::from_millis(200), "{:?}", begun.elapsed());
    cluster.stop_all().await;
}

/// A wall clock that is wrong dates events wrongly, and decides nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_skewed_clock_decides_nothing() {
    let cluster = three().await;
    let leader = cluster.leader().await;
    let hour = Duration::from_secs(3_600).as_millis() as u64;
    let ahead = What::Skew(Skew { ms: hour as i64 });
    inject(&cluster, leader, vec![Fault { what: Some(ahead) }], 0).await;
    let mut player = Player::at(cluster.address(leader), &cluster).await;
    let room = player.open_and_sit().await;
    player.play_letters(room, "etaoin").await;
    cluster.same_hash_everywhere().await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let dated = cluster.dates(leader, "fault").await;
    assert!(dated.iter().all(|at_ms| *at_ms > now + hour / 2), "{dated:?}, now {now}");
    assert_eq!(dated.len(), 1);
    cluster.stop_all().await;
}

/// Frontends are cut off, and what they were told waits; operators are not.
#[tokio::test(flavor = "multi_thread")]
async fn frontends_may_be_cut_while_operators_are_not() {
    let cluster = three().await;
    let mut player = Player::at(cluster.address(1), &cluster).await;
    let room = player.open_and_sit().await;
    let begun = Instant::now();
    inject(&cluster, 1, vec![cut("frontends", Way::Out, Traffic::All)], 1_200).await;
    assert!(cluster.status(1).await.is_some(), "an operator gets through");
    player.play_letters(room, "e").await;
    assert!(begun.elapsed() >= Duration::from_millis(1_200), "{:?}", begun.elapsed());
    cluster.stop_all().await;
}
