//! Disks that are slow, lose something, or come back as they once were.

use crate::harness::{Cluster, Player, eventually};
use hangraft_cluster_config::LogKind;
use hangraft_node::StartError;
use hangraft_proto::v1::LeaveRequest;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A follower whose disk was slow for a while has what the others have soon after it is
/// well, although nobody writes any more. The leader gave up on it several times meanwhile,
/// and each time an old stream went on taking entries that were meant for the new one.
#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_was_slow_catches_up_without_new_entries() {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let slow = (1..=3).find(|id| *id != leader).unwrap();
    let mut player = Player::at(cluster.address(leader), &cluster).await;
    let room = player.open_and_sit().await;
    for _ in 0..3 {
        for (sync_ms, writing_ms) in [(300, 1_500), (2_000, 4_000), (0, 3_000)] {
            cluster.slow_disk(slow, Duration::from_millis(sync_ms));
            player.fidget(room, Duration::from_millis(writing_ms)).await;
        }
        let stopped = Instant::now();
        let has_all = || async {
            let leads = cluster.report(leader).await.unwrap();
            let follows = cluster.report(slow).await.unwrap();
            follows.last_log == leads.last_log && follows.applied == leads.applied
        };
        eventually("the follower has all that the leader has", has_all).await;
        let behind = stopped.elapsed();
        assert!(behind < Duration::from_secs(5), "it was behind for {behind:?}");
    }
    cluster.stop_all().await;
}

/// Plays on, with whoever is left, so that the log goes on.
async fn play_on(cluster: &Cluster, at: u64, moves: u32) {
    let mut player = Player::new_at(cluster.address(at), cluster).await;
    let room = player.open_and_sit().await;
    for _ in 0..moves {
        player.stand(room).await;
        player.sit(room).await;
    }
}

/// Why a node does not start, if it says that it never will.
async fn refusal(cluster: &Cluster, id: u64) -> String {
    match cluster.try_start(id).await {
        Err(StartError::Spent(why)) => why,
        Err(err) => panic!("{err:?}"),
        Ok(_) => panic!("it has started"),
    }
}

/// A follower's disk is set back while it does not run, as a machine's snapshot does it. It
/// has lost what it acknowledged: it takes no part, is told so, and stops for good; the
/// others say it, too. A new node takes its place.
#[tokio::test(flavor = "multi_thread")]
async fn a_follower_whose_disk_was_set_back_stops_and_is_replaced() {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let follower = (1..=3).find(|id| *id != leader).unwrap();
    play_on(&cluster, leader, 3).await;
    cluster.same_hash_everywhere().await;
    cluster.stop(follower).await;
    let kept = cluster.keep_disk(follower);
    cluster.start(follower).await;
    play_on(&cluster, leader, 3).await;
    cluster.same_hash_everywhere().await;
    let had = cluster.report(follower).await.unwrap().last_log;
    cluster.stop(follower).await;
    cluster.set_disk_back(follower, &kept);
    cluster.start(follower).await;
    let why = cluster.spent(follower).await;
    for part in ["has been set back", "is never used again", "empty the data folder", "--seed"] {
        assert!(why.contains(part), "{why}");
    }
    assert!(why.contains(&format!("it had {} entries", had + 1)), "{why}, but it had {had}");
    assert!(refusal(&cluster, follower).await.contains("set back"));

    // The others say it: in an event, and in the status.
    let name = format!("n{follower}");
    let told = cluster.told(leader, "disk").await;
    assert!(told.iter().any(|text| text.contains(&name) && text.contains("set back")), "{told:?}");
    let status = cluster.status(leader).await.unwrap();
    let row = status.members.iter().find(|member| member.id == follower).unwrap();
    assert!(!row.alive, "{row:?}");
    let said = || async {
        let intents = cluster.status(leader).await.unwrap_or_default().intents;
        intents.iter().any(|text| text.contains(&name) && text.contains("set back"))
    };
    eventually("the status says it", said).await;

    // The documented way: an empty folder, and a new node.
    cluster.set(None, Some(1_000)).await;
    cluster.newcomer(4);
    cluster.start(4).await;
    let replaced = || async {
        let voters = cluster.voters(leader).await;
        voters.contains(&4) && !voters.contains(&follower)
    };
    eventually("the new node votes in its place", replaced).await;
    play_on(&cluster, leader, 1).await;
    cluster.same_hash_everywhere().await;
    cluster.stop_all().await;
}

/// A node whose disk was set back is asked to leave before it has heard of that. It waits for
/// a leader to let it go, and stops all the same when it hears.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_disk_was_set_back_stops_although_it_leaves() {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let follower = (1..=3).find(|id| *id != leader).unwrap();
    let third = 6 - leader - follower;
    cluster.stop(follower).await;
    let kept = cluster.keep_disk(follower);
    cluster.start(follower).await;
    play_on(&cluster, leader, 3).await;
    cluster.same_hash_everywhere().await;
    for id in 1..=3 {
        cluster.stop(id).await;
    }
    cluster.set_disk_back(follower, &kept);
    cluster.start(follower).await;
    let mut operator = cluster.operator(follower).await;
    let leaving = tokio::spawn(async move { operator.leave(LeaveRequest {}).await });
    sleep(Duration::from_millis(100)).await;
    cluster.start(third).await;
    assert!(cluster.spent(follower).await.contains("has been set back"));
    leaving.abort();
    cluster.stop_all().await;
}

/// All nodes were stopped, and one, the leader before, comes back with an old disk. The
/// others have on their disks what it had promised, so it does not lead them astray.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_disk_was_set_back_is_told_by_what_others_stored() {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    let first = cluster.leader().await;
    play_on(&cluster, first, 2).await;
    cluster.same_hash_everywhere().await;
    cluster.stop(first).await;
    let kept = cluster.keep_disk(first);
    cluster.start(first).await;
    let rest: Vec<u64> = (1..=3).filter(|id| *id != first).collect();
    let now = cluster.leader().await;
    play_on(&cluster, now, 2).await;
    cluster.same_hash_everywhere().await;
    // Each round of telling takes two seconds at most.
    sleep(Duration::from_secs(5)).await;
    for id in 1..=3 {
        cluster.stop(id).await;
    }
    cluster.set_disk_back(first, &kept);
    cluster.start(first).await;
    cluster.start(rest[0]).await;
    let why = cluster.spent(first).await;
    assert!(why.contains("has been set back"), "{why}");
    cluster.start(rest[1]).await;
    let leader = cluster.leader().await;
    play_on(&cluster, leader, 1).await;
    cluster.same_hash_everywhere().await;
    cluster.stop_all().await;
}

/// A disk comes back as it was when its node was the only voter; two others vote since. By its
/// own log it needs nobody, but the members whom the log names may know better, and they
/// start a moment after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_from_when_its_node_was_the_only_voter_is_found_out() {
    let mut cluster = Cluster::new(1);
    cluster.start_all().await;
    cluster.leader().await;
    for spare in [2, 3] {
        cluster.newcomer(spare);
        cluster.start(spare).await;
    }
    cluster.same_hash_everywhere().await;
    cluster.stop(1).await;
    let kept = cluster.keep_disk(1);
    cluster.start(1).await;
    cluster.leader().await;
    cluster.set(Some(3), None).await;
    let all_vote = || async { cluster.voters(1).await.len() == 3 };
    eventually("all three vote", all_vote).await;
    let leader = cluster.leader().await;
    play_on(&cluster, leader, 2).await;
    cluster.same_hash_everywhere().await;
    // Each round of telling takes two seconds at most.
    sleep(Duration::from_secs(5)).await;
    for id in 1..=3 {
        cluster.stop(id).await;
    }
    cluster.set_disk_back(1, &kept);
    cluster.start(1).await;
    // By itself it would be elected within this.
    sleep(Duration::from_millis(500)).await;
    cluster.start(2).await;
    cluster.start(3).await;
    let why = cluster.spent(1).await;
    assert!(why.contains("has been set back"), "{why}");
    let leader = cluster.leader_among(&[2, 3]).await;
    play_on(&cluster, leader, 1).await;
    cluster.stop_all().await;
}

/// A node that merely was away for long has promised nothing that it does not keep.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_away_is_not_taken_for_one_that_was_set_back() {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    for round in 0..3 {
        let leader = cluster.leader().await;
        // Followers, and leaders too.
        let away = if round == 1 { leader } else { leader % 3 + 1 };
        cluster.stop(away).await;
        let rest = away % 3 + 1;
        play_on(&cluster, rest, 2).await;
        cluster.start(away).await;
        play_on(&cluster, rest, 1).await;
        cluster.same_hash_everywhere().await;
    }
    cluster.stop_all().await;
}

/// The file that says whose disk it is was lost, and the log is there: nobody can tell under
/// which id it was promised. The node does not start, and says what to do; with the file
/// back it does.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_lost_its_identity_does_not_start() {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    cluster.same_hash_everywhere().await;
    let node = leader % 3 + 1;
    cluster.stop(node).await;
    let file = cluster.folder(node).join("state/identity.json");
    let whole = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let why = refusal(&cluster, node).await;
    for part in ["identity.json", "is missing", "put this very folder's file back", "--seed"] {
        assert!(why.contains(part), "{why}");
    }
    // Nor does half of one help, or an empty one, or another text.
    for left in [&whole[..whole.len() / 2], b"", b"{}", b"\xff\xfe"] {
        std::fs::write(&file, left).unwrap();
        let why = refusal(&cluster, node).await;
        assert!(why.contains("is damaged") && why.contains("--seed"), "{why}");
    }
    std::fs::write(&file, &whole).unwrap();
    cluster.start(node).await;
    play_on(&cluster, leader, 1).await;
    cluster.same_hash_everywhere().await;
    cluster.stop_all().await;
}

/// The other way round: the identity is there, and the log was lost, all of it or what a
/// snapshot stands for. The id is spent.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_lost_its_log_or_its_snapshot_does_not_start() {
    for (log, folder) in [(LogKind::RaftLog, "log"), (LogKind::Segments, "segments")] {
        lose_the_snapshot_or_the_log(log, folder).await;
    }
}

async fn lose_the_snapshot_or_the_log(log: LogKind, folder: &str) {
    let mut cluster = Cluster::new(3);
    cluster.keep_logs_as(log);
    cluster.snapshot_every(20);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    play_on(&cluster, leader, 30).await;
    let node = leader % 3 + 1;
    let purged = || async {
        let report = cluster.report(node).await.unwrap_or_default();
        report.purged > 0 && report.snapshot > 0
    };
    eventually("the log is purged", purged).await;
    cluster.stop(node).await;
    let kept = cluster.keep_disk(node);
    for entry in std::fs::read_dir(cluster.folder(node).join("state")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "snapshot") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let why = refusal(&cluster, node).await;
    assert!(
        why.contains("the snapshot that stands for the log") && why.contains("--seed"),
        "{why}"
    );
    cluster.set_disk_back(node, &kept);
    std::fs::remove_dir_all(cluster.folder(node).join(folder)).unwrap();
    let why = refusal(&cluster, node).await;
    assert!(why.contains("the log in this folder was lost"), "{why}");
    cluster.stop_all().await;
}

/// A crash may leave half an entry at the log's end. It is cut off, as it should be, and
/// that is said.
#[tokio::test(flavor = "multi_thread")]
async fn a_torn_log_is_said_to_be_torn() {
    for (log, bytes) in [(LogKind::RaftLog, 37), (LogKind::Segments, 40)] {
        tear_a_log(log, bytes).await;
    }
}

async fn tear_a_log(log: LogKind, torn: usize) {
    let mut cluster = Cluster::new(3);
    cluster.keep_logs_as(log);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    play_on(&cluster, leader, 3).await;
    cluster.same_hash_everywhere().await;
    let node = leader % 3 + 1;
    cluster.stop(node).await;
    let (folder, end) = match log {
        LogKind::RaftLog => ("log", "wal"),
        LogKind::Segments => ("segments", "segment"),
    };
    let files = std::fs::read_dir(cluster.folder(node).join(folder)).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    let newest = files.filter(|path| path.extension().is_some_and(|kind| kind == end)).max();
    let newest = newest.unwrap();
    let mut bytes = std::fs::read(&newest).unwrap();
    match log {
        LogKind::RaftLog => bytes.extend(vec![0; torn]),
        LogKind::Segments => {
            // What a node writes last, when it stops, is a note.
            let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
            bytes[end] = 0;
        }
    }
    std::fs::write(&newest, bytes).unwrap();
    cluster.start(node).await;
    let told = cluster.told(node, "disk").await;
    let said = format!("the last {torn} bytes of the log");
    assert!(told.iter().any(|text| text.contains(&said)), "{told:?}");
    play_on(&cluster, leader, 1).await;
    cluster.same_hash_everywhere().await;
    cluster.stop_all().await;
}

/// A node keeps its log the other way from its next start on, and goes on where it was. The
/// identity file tells builds that know only one way whether they may start.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_converted_at_a_start() {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let node = leader % 3 + 1;
    for (log, kept, gone, format) in
        [(LogKind::Segments, "segments", "log", 2), (LogKind::RaftLog, "log", "segments", 1)]
    {
        play_on(&cluster, leader, 5).await;
        cluster.stop(node).await;
        play_on(&cluster, leader, 5).await;
        cluster.configs_mut(node).log = log;
        cluster.start(node).await;
        let folder = cluster.folder(node);
        assert!(folder.join(kept).exists() && !folder.join(gone).exists(), "{log:?}");
        let identity = std::fs::read(folder.join("state/identity.json")).unwrap();
        let identity: serde_json::Value = serde_json::from_slice(&identity).unwrap();
        assert_eq!(identity["format"], format, "{log:?}");
        cluster.same_hash_everywhere().await;
    }
    cluster.stop_all().await;
}

/// The archives of all were lost: each says so once, and what is asked of them later is
/// answered by what there is.
#[tokio::test(flavor = "multi_thread")]
async fn the_loss_of_all_archives_is_said() {
    let mut cluster = Cluster::new(3);
    cluster.snapshot_every(20);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    play_on(&cluster, leader, 30).await;
    for id in 1..=3 {
        let snapshot = || async { cluster.report(id).await.unwrap_or_default().snapshot > 0 };
        eventually("there is a snapshot", snapshot).await;
    }
    for id in 1..=3 {
        cluster.stop(id).await;
        cluster.lose_archive(id);
    }
    cluster.start_all().await;
    for id in 1..=3 {
        let said = || async {
            let told = cluster.told(id, "disk").await;
            told.iter().any(|text| text.contains("the archive was lost"))
                && told.iter().any(|text| text.contains("the archives of all members are lost"))
        };
        eventually("each says what is lost", said).await;
    }
    assert!(!cluster.backup(1).await.is_empty());
    cluster.stop_all().await;
}

/// A disk spoils every snapshot that is written to it. None takes the place of the log: the
/// node says so, plays on, and has everything when it starts again.
#[tokio::test(flavor = "multi_thread")]
async fn a_spoilt_snapshot_does_not_take_the_place_of_the_log() {
    let mut cluster = Cluster::new(3);
    cluster.snapshot_every(20);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    cluster.garbling(leader).store(true, Ordering::SeqCst);
    play_on(&cluster, leader, 30).await;
    let told = || async {
        let told = cluster.told(leader, "snapshot").await;
        told.iter().any(|text| text.contains("cannot be read back"))
    };
    eventually("the node says that its snapshot is spoilt", told).await;
    play_on(&cluster, leader, 10).await;
    cluster.same_hash_everywhere().await;
    cluster.garbling(leader).store(false, Ordering::SeqCst);
    cluster.stop(leader).await;
    cluster.start(leader).await;
    cluster.same_hash_everywhere().await;
    cluster.stop_all().await;
}
