//! Addresses change hands, and nodes change addresses.

use super::harness::{Cluster, Player, eventually};
use hangraft_ids::NodeId;
use hangraft_node::StartError;
use hangraft_proto::v1::LeaveRequest;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tempfile::TempDir;
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
    assert!(cluster.roster(leader).borrow()[&NodeId(away)].alive);
    cluster.stop_all().await;
}

async fn until_heard(cluster: &Cluster, by: u64, node: u64, alive: bool) {
    let seen = || {
        let roster = cluster.roster(by);
        async move { roster.borrow().get(&NodeId(node)).is_some_and(|seen| seen.alive == alive) }
    };
    eventually(&format!("n{by} sees n{node} alive: {alive}"), seen).await;
}

/// One node's machine has another address. It is told when it starts, the others find it
/// there, and the membership follows.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_moves_to_another_address() {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let moves = leader % 3 + 1;
    let old = cluster.address(moves);
    cluster.stop(moves).await;
    cluster.move_node(moves);
    cluster.configs_mut(moves).moved = false;
    let Err(StartError::Another { why, .. }) = cluster.try_start(moves).await else {
        panic!("it was not told that it has moved");
    };
    assert!(why.contains("--new-address"), "{why}");
    cluster.configs_mut(moves).moved = true;
    cluster.start(moves).await;
    until_at(&cluster, &[1, 2, 3]).await;
    cluster.same_hash_everywhere().await;

    // Its vote is needed. A stranger may have its old address.
    cluster.newcomer(4).address = old;
    cluster.start(4).await;
    cluster.stop(leader).await;
    let others: Vec<u64> = (1..=3).filter(|id| *id != leader).collect();
    let next = cluster.leader_among(&others).await;
    let mut player = Player::at(cluster.address(next), &cluster).await;
    let room = player.open_and_sit().await;
    player.play_letters(room, "etaoin").await;
    cluster.start(leader).await;
    // It is said once.
    cluster.configs_mut(moves).moved = false;
    cluster.stop(moves).await;
    cluster.start(moves).await;
    cluster.same_hash_everywhere().await;
    cluster.stop_all().await;
}

/// The whole network was renumbered. Each node is told its new address, and where another one
/// is; no address that the membership has is right.
#[tokio::test(flavor = "multi_thread")]
async fn all_nodes_move_at_once() {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let mut player = Player::at(cluster.address(leader), &cluster).await;
    let room = player.open_and_sit().await;
    let version = player.play_letters(room, "etaoin").await;
    for id in 1..=3 {
        cluster.stop(id).await;
        cluster.move_node(id);
    }
    for id in 1..=3 {
        let seed = cluster.address(id % 3 + 1);
        cluster.configs_mut(id).cluster.seeds = vec![seed];
    }
    cluster.start_all().await;
    until_at(&cluster, &[1, 2, 3]).await;
    let leader = cluster.leader().await;
    assert!(cluster.read_linearizable(leader, room).await.version >= version);
    // From now on they know.
    for id in 1..=3 {
        cluster.stop(id).await;
        let config = cluster.configs_mut(id);
        config.moved = false;
        config.cluster.seeds.clear();
    }
    cluster.start_all().await;
    cluster.leader().await;
    cluster.same_hash_everywhere().await;
    cluster.stop_all().await;
}

/// All have found the node that moved, and have forgotten it by starting again, before anybody
/// led who could write down where it is. They find it again.
#[tokio::test(flavor = "multi_thread")]
async fn a_moved_node_is_found_again_by_those_who_forgot_it() {
    let mut cluster = founded_and_stopped().await;
    cluster.move_node(2);
    cluster.start(2).await;
    // One after the other, so that nobody leads.
    for id in [3, 1] {
        cluster.start(id).await;
        until_found(&cluster, id, 2).await;
        cluster.stop_now(id).await;
    }
    cluster.start(1).await;
    cluster.leader_among(&[1, 2]).await;
    until_at(&cluster, &[1, 2]).await;
    cluster.stop_all().await;
}

/// A node has moved, and everybody who was there knows it. One starts whose log is older, and
/// who has forgotten it by starting: it is told again, for nobody else is left who could.
#[tokio::test(flavor = "multi_thread")]
async fn a_moved_node_tells_those_who_come_back_later() {
    let mut cluster = founded_and_stopped().await;
    cluster.move_node(2);
    cluster.start(2).await;
    cluster.start(3).await;
    until_found(&cluster, 3, 2).await;
    cluster.stop_now(3).await;
    cluster.start(1).await;
    until_at(&cluster, &[1, 2]).await;
    cluster.lead(2).await;
    cluster.stop_now(1).await;
    cluster.start(3).await;
    until_at(&cluster, &[2, 3]).await;
    cluster.leader_among(&[2, 3]).await;
    cluster.stop_all().await;
}

/// Two of three have moved at once, and each knows the other's old address only. The third has
/// lost its disk; it has found both where they are, and says so. Then it learns from them that
/// its id belongs to the disk that it lost, though nobody is left where it was told to ask.
#[tokio::test(flavor = "multi_thread")]
async fn moved_nodes_find_each_other_by_one_without_a_log() {
    let mut cluster = founded_and_stopped().await;
    cluster.wipe(1);
    cluster.move_node(2);
    cluster.move_node(3);
    cluster.start_all().await;
    until_at(&cluster, &[2, 3]).await;
    cluster.leader_among(&[2, 3]).await;
    let why = cluster.spent(1).await;
    assert!(why.contains("with another disk"), "{why}");
    cluster.stop_all().await;
}

/// A voter was away while another one took a third one's place, and moved since. Only these
/// two are left: the one that was away has never heard of the other, and finds it all the same
/// as it would find one that it knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_moved_node_is_found_by_one_that_never_heard_of_it() {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    cluster.leader().await;
    cluster.stop(3).await;
    let seeds = vec![cluster.address(2)];
    cluster.newcomer(4).cluster.seeds = seeds;
    cluster.start(4).await;
    // Refused until it is known that the newcomer answers.
    let left = || async { cluster.operator(1).await.leave(LeaveRequest {}).await.is_ok() };
    eventually("n1 leaves", left).await;
    let took = || async { cluster.voters(4).await == [2, 3, 4] };
    eventually("the newcomer votes", took).await;
    for id in [1, 2, 4] {
        cluster.stop(id).await;
    }
    cluster.move_node(4);
    // It is there when the other one comes, whose own log says that both of them vote.
    cluster.start(3).await;
    cluster.start(4).await;
    cluster.leader_among(&[3, 4]).await;
    until_at(&cluster, &[3, 4]).await;
    cluster.stop_all().await;
}

/// A node was admitted, and its disk broke before it had any of the log. When it comes back,
/// all whom it has heard of are elsewhere. They find it, and it learns from them.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_a_log_learns_from_those_who_have_moved() {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    cluster.leader().await;
    cluster.newcomer(4);
    cluster.broken(4).store(true, Ordering::SeqCst);
    cluster.start(4).await;
    cluster.failed(4).await;
    cluster.stop_now(4).await;
    cluster.broken(4).store(false, Ordering::SeqCst);
    for id in 1..=3 {
        cluster.stop(id).await;
        cluster.move_node(id);
    }
    for id in 1..=3 {
        let seed = cluster.address(id % 3 + 1);
        cluster.configs_mut(id).cluster.seeds = vec![seed];
    }
    for id in 1..=3 {
        cluster.start(id).await;
    }
    until_at(&cluster, &[1, 2, 3]).await;
    cluster.start(4).await;
    cluster.same_hash_everywhere().await;
    cluster.stop_all().await;
}

/// A first member's disk broke before it had any of the log, and goes on elsewhere. The leader
/// has moved as well: the first members' addresses are all that the empty disk knows of it, and
/// the third one, which has found both, tells each where the other is.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_member_without_a_log_is_told_where_the_leader_is() {
    let mut cluster = Cluster::new(3);
    cluster.broken(3).store(true, Ordering::SeqCst);
    cluster.start_all().await;
    cluster.failed(3).await;
    cluster.stop_now(3).await;
    cluster.broken(3).store(false, Ordering::SeqCst);
    cluster.stop(1).await;
    cluster.move_node(1);
    cluster.start(1).await;
    until_at(&cluster, &[1, 2]).await;
    cluster.lead(1).await;
    cluster.move_node(3);
    cluster.start(3).await;
    cluster.same_hash_everywhere().await;
    cluster.stop_all().await;
}

/// A node has left, and its disk does not know: somebody put back what it had before. It has
/// moved, and of all whom it knows one is left, elsewhere. It learns what became of it at the
/// address that its operator names.
#[tokio::test(flavor = "multi_thread")]
async fn a_removed_node_that_has_moved_is_told_at_its_seed() {
    let mut cluster = Cluster::new(5);
    let kept = all_leave_n2(&mut cluster, &[3, 4, 5, 1]).await;
    for id in 1..=5 {
        cluster.stop(id).await;
    }
    cluster.set_disk_back(3, &kept);
    cluster.move_node(2);
    cluster.move_node(3);
    let seed = cluster.address(2);
    cluster.configs_mut(3).cluster.seeds = vec![seed];
    cluster.start(2).await;
    cluster.leader_among(&[2]).await;
    cluster.start(3).await;
    let why = cluster.spent(3).await;
    assert!(why.contains("has removed this node"), "{why}");
    cluster.stop_all().await;
}

/// All others have left, and the one that stayed has moved twice since. One comes back whose
/// disk does not know that it has left, and asks where it knew the others; nobody is there. The
/// one that stayed needs nobody, and says all the same where it is, to whom it knew.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_one_tells_those_who_come_back_where_it_is() {
    let mut cluster = Cluster::new(3);
    let kept = all_leave_n2(&mut cluster, &[1, 3]).await;
    for id in [1, 3] {
        cluster.stop(id).await;
    }
    for _ in 0..2 {
        cluster.stop(2).await;
        cluster.move_node(2);
        cluster.start(2).await;
        until_found(&cluster, 2, 2).await;
    }
    // It is started once more, and nobody says that it was moved.
    cluster.stop(2).await;
    cluster.configs_mut(2).moved = false;
    cluster.start(2).await;
    cluster.leader_among(&[2]).await;
    cluster.set_disk_back(3, &kept);
    cluster.start(3).await;
    // Frontends that are linked with it hear so, too, before it ends.
    until_found(&cluster, 3, 2).await;
    let why = cluster.spent(3).await;
    assert!(why.contains("has removed this node"), "{why}");
    cluster.stop_all().await;
}

/// All but n2 leave, in this order. The disk of n3 as it was before.
async fn all_leave_n2(cluster: &mut Cluster, others: &[u64]) -> TempDir {
    cluster.start_all().await;
    cluster.leader().await;
    cluster.stop(3).await;
    let kept = cluster.keep_disk(3);
    cluster.start(3).await;
    cluster.lead(2).await;
    for id in others {
        let left = || async { cluster.operator(*id).await.leave(LeaveRequest {}).await.is_ok() };
        eventually(&format!("n{id} leaves"), left).await;
    }
    kept
}

/// Three nodes that have begun, and do not run.
async fn founded_and_stopped() -> Cluster {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    cluster.leader().await;
    for id in 1..=3 {
        cluster.stop(id).await;
    }
    cluster
}

async fn until_found(cluster: &Cluster, by: u64, node: u64) {
    let at = cluster.address(node).to_string();
    let found = || async {
        let status = cluster.status(by).await.unwrap_or_default();
        status.members.iter().any(|member| member.id == node && member.address == at)
    };
    eventually(&format!("n{by} has found n{node} where it is now"), found).await;
}

/// Every node knows every other by its new address, and hears of it.
async fn until_at(cluster: &Cluster, ids: &[u64]) {
    for by in ids {
        let known = || async {
            let status = cluster.status(*by).await.unwrap_or_default();
            let is_known = |id: &u64| {
                let member = status.members.iter().find(|member| member.id == *id);
                member.is_some_and(|m| m.alive && m.address == cluster.address(*id).to_string())
            };
            ids.iter().all(is_known)
        };
        eventually(&format!("n{by} knows where everybody is"), known).await;
    }
}
