//! Real nodes in one process, on loopback, with real disks in temporary folders.
//! What needs real processes and real kills is tested from outside.

mod addresses;
mod copies;
mod disks;
mod faults;
mod harness;
mod matches;
mod members;
mod observe;
mod passing;
mod steps;
mod strangers;

use hangraft_ids::NodeId;
use hangraft_node::backup;
use hangraft_proto::v1::command::Action;
use hangraft_proto::v1::{Again, Code};
use harness::{Cluster, Player, eventually};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// First members come in any order. The cluster begins when all of them are there: two of
/// three could be one that is new and one that lost its disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_begins_in_any_order_when_all_are_there() {
    let mut cluster = Cluster::new(3);
    cluster.start(3).await;
    cluster.start(2).await;
    cluster.expect_no_leader_for(Duration::from_secs(2)).await;
    cluster.start(1).await;
    let leader = cluster.leader().await;
    let mut player = Player::at(cluster.address(leader), &cluster).await;
    let room = player.open_and_sit().await;
    player.play_letters(room, "etaoin").await;
    cluster.same_hash_everywhere().await;
    cluster.stop_all().await;
}

/// A command may arrive at any node; a follower sends it on to the leader.
#[tokio::test(flavor = "multi_thread")]
async fn a_follower_takes_commands_and_serves_fresh_reads() {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let follower = (1..=3).find(|id| *id != leader).unwrap();

    let mut player = Player::at(cluster.address(follower), &cluster).await;
    let room = player.open_and_sit().await;
    let version = player.play_letters(room, "etaoinshr").await;
    // Linearizable on the other follower: what was acknowledged is there.
    let other = (1..=3).find(|id| *id != leader && *id != follower).unwrap();
    let read = cluster.read_linearizable(other, room).await;
    assert!(read.version >= version, "{} is older than {version}", read.version);
    cluster.stop_all().await;
}

/// A node that has just started does not know what is committed. It once denied the
/// rooms it had not heard of yet, and frontends told players that their game was over.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_denies_a_room_only_when_it_knows() {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let away = (1..=3).find(|id| *id != leader).unwrap();
    cluster.stop(away).await;
    let mut player = Player::at(cluster.address(leader), &cluster).await;
    let room = player.open_and_sit().await;
    assert_eq!(player.watch(room + 1).await, Err(Code::NoSuchRoom));

    let others: Vec<u64> = (1..=3).filter(|id| *id != away).collect();
    for id in &others {
        cluster.stop(*id).await;
    }
    cluster.start(away).await;
    let mut player = Player::at(cluster.address(away), &cluster).await;
    assert_eq!(player.watch(room).await, Err(Code::NoQuorum));
    for id in &others {
        cluster.start(*id).await;
    }
    cluster.leader().await;
    // It catches up before it answers.
    assert_eq!(player.watch(room).await, Ok(2));
    cluster.stop_all().await;
}

/// The same serial again is the same answer and has no second effect, also when it
/// arrives at another node.
#[tokio::test(flavor = "multi_thread")]
async fn asking_again_has_no_second_effect() {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    cluster.leader().await;
    let mut player = Player::at(cluster.address(1), &cluster).await;
    let room = player.open_and_sit().await;
    let first = player.play(room, 'e', 77).await.unwrap();
    let mut elsewhere = player.also_at(cluster.address(2), &cluster).await;
    let again = elsewhere.play(room, 'e', 77).await.unwrap();
    assert_eq!(first, again);
    let refused = elsewhere.play(room, 'e', 78).await.unwrap_err();
    assert_eq!(refused.code(), Code::IllegalMove);
    cluster.stop_all().await;
}

/// Once fsync has failed nothing the node says about its log can be trusted, so it
/// stops and says why. The other two play on.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_fsync_fails_stops_and_the_others_play_on() {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let healthy = (1..=3).find(|id| *id != leader).unwrap();
    let mut player = Player::at(cluster.address(healthy), &cluster).await;
    let room = player.open_and_sit().await;
    player.play_letters(room, "eta").await;

    cluster.broken(leader).store(true, Ordering::SeqCst);
    // Its next write finds out.
    player.play_letters(room, "oin").await;
    let reason = cluster.failed(leader).await;
    assert!(reason.contains("fdatasync failed"), "{reason}");
    assert_ne!(cluster.leader().await, leader);
    player.play_letters(room, "shr").await;
    cluster.stop_all().await;
}

/// A disk gave back something else than it was given, and no checksum noticed: the node's
/// lobby is another one now. It finds out by asking the others, and stops.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_has_drifted_stops_and_the_others_play_on() {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let follower = (1..=3).find(|id| *id != leader).unwrap();
    let mut player = Player::at(cluster.address(leader), &cluster).await;
    let room = player.open_and_sit().await;
    // What it has not written down yet, it cannot forget.
    cluster.same_hash_everywhere().await;
    cluster.stop(follower).await;
    cluster.forgetful(follower).store(true, Ordering::SeqCst);
    cluster.start(follower).await;
    let reason = cluster.failed(follower).await;
    assert!(reason.contains("another lobby than a majority"), "{reason}");
    cluster.stop(follower).await;
    player.play_letters(room, "etaoin").await;
    cluster.same_hash_everywhere().await;
    cluster.stop_all().await;
}

/// A node that was away while the log was purged gets a snapshot, streamed and
/// checked, and then follows the log again. So does one after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_far_behind_catches_up_by_snapshot() {
    let mut cluster = Cluster::new(3);
    cluster.snapshot_every(20);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let away = (1..=3).find(|id| *id != leader).unwrap();
    cluster.stop(away).await;

    let mut player = Player::at(cluster.address(leader), &cluster).await;
    for _ in 0..14 {
        let room = player.open_and_sit().await;
        player.play_letters(room, "etaoinshr").await;
    }
    let purged = || async { cluster.report(leader).await.is_some_and(|report| report.purged > 50) };
    eventually("the leader purges its log", purged).await;

    cluster.start(away).await;
    cluster.same_hash_everywhere().await;
    let report = cluster.report(away).await.unwrap();
    assert!(report.snapshot > 50, "caught up without a snapshot: {report:?}");

    cluster.stop(away).await;
    cluster.start(away).await;
    cluster.same_hash_everywhere().await;
    cluster.stop_all().await;
}

/// Finished games move to the archive. A node that lost its archive fills it again
/// from another replica, and does not take an empty one for a whole one.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_archive_is_filled_again() {
    let mut cluster = Cluster::new(3);
    cluster.snapshot_every(10);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let mut player = Player::at(cluster.address(leader), &cluster).await;
    let mut played = Vec::new();
    for _ in 0..3 {
        let room = player.open_and_sit().await;
        player.play_letters(room, "eta").await;
        player.stand(room).await;
        played.push(room);
    }
    played.reverse();
    // Tables where nobody sits are cleared after two minutes. The leader that sleeps until
    // then does not know that its clock was set; a command lets the time pass.
    let mut other = Player::at(cluster.address(leader), &cluster).await.another_at(9);
    for _ in 0..4 {
        cluster.pass(Duration::from_secs(60));
        _ = other.ask(Action::Again(Again { room: played[0] })).await;
    }
    let cleared = || async { cluster.archived(leader).await == played };
    eventually("the rooms have left the lobby", cleared).await;
    // Enough entries for a checkpoint, which takes them to the disk.
    let room = player.open_and_sit().await;
    player.play_letters(room, "etaoinshrdlu").await;
    let follower = (1..=3).find(|id| *id != leader).unwrap();
    let saved =
        || async { cluster.report(follower).await.is_some_and(|report| report.snapshot > 15) };
    eventually("the follower has a checkpoint", saved).await;

    cluster.stop(follower).await;
    cluster.lose_archive(follower);
    cluster.start(follower).await;
    let filled = || async { cluster.archived(follower).await == played };
    eventually("the archive is filled again", filled).await;

    // A backup of the replica that was filled again holds them, and so does a cluster
    // that is begun from it.
    let file = cluster.backup(follower).await;
    let (head, contents) = backup::check(&file[..]).unwrap();
    assert_eq!((contents.games, contents.rooms), (3, 1));
    cluster.stop_all().await;
    let mut restored = Cluster::new(1);
    restored.restore(1, &file, "another").await;
    restored.start(1).await;
    restored.leader().await;
    assert_eq!(restored.archived(1).await, played);
    let goes_on = || async {
        let report = restored.report(1).await;
        report.is_some_and(|report| report.applied > head.index.0 && report.rooms == 1)
    };
    eventually("the restored lobby goes on", goes_on).await;
    let mut player = Player::at(restored.address(1), &restored).await;
    // The same player asks under the same serials as at first, and gets the same answer.
    assert_eq!(player.open_and_sit().await, *played.last().unwrap());
    restored.stop_all().await;
}

/// Gossip shows who is alive, and that a stopped node is not.
#[tokio::test(flavor = "multi_thread")]
async fn gossip_sees_who_comes_and_goes() {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    let alive = |id| {
        let roster = cluster.roster(1);
        async move { roster.borrow().get(&id).is_some_and(|seen| seen.alive && seen.card.is_some()) }
    };
    eventually("n1 sees n2", || alive(NodeId(2))).await;
    eventually("n1 sees n3", || alive(NodeId(3))).await;
    cluster.stop(3).await;
    let roster = cluster.roster(1);
    let gone = || {
        let roster = roster.clone();
        async move { roster.borrow().get(&NodeId(3)).is_some_and(|seen| !seen.alive) }
    };
    eventually("n1 sees that n3 is gone", gone).await;
    cluster.stop_all().await;
}

/// A node that does not know the cluster key is heard by nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_another_key_stays_outside() {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    cluster.leader().await;
    cluster.same_hash_everywhere().await;
    cluster.stop(3).await;
    let unseen = || {
        let roster = cluster.roster(1);
        async move { roster.borrow().get(&NodeId(3)).is_none_or(|seen| !seen.alive) }
    };
    eventually("n3 is gone", unseen).await;
    cluster.other_key(3);
    cluster.start(3).await;
    let before = cluster.report(3).await.unwrap();
    let leader = cluster.leader_among(&[1, 2]).await;
    let mut player = Player::at(cluster.address(leader), &cluster).await;
    let room = player.open_and_sit().await;
    player.play_letters(room, "etaoin").await;
    let report = cluster.report(3).await.unwrap();
    assert_eq!(report.last_log, before.last_log, "it heard of the game: {report:?}");
    assert!(cluster.roster(1).borrow().get(&NodeId(3)).is_none_or(|seen| !seen.alive));
    cluster.stop_all().await;
}
