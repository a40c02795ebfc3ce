//! Time that passes in the lobby: as leaders measure it, and while nobody plays.

use super::harness::{Cluster, Player, eventually};
use std::time::{Duration, Instant};

/// A room where nobody sits leaves after so long, in lobby time.
const EMPTY: Duration = Duration::from_secs(120);

/// The longest time one batch lets pass.
const GAP: Duration = Duration::from_secs(60);

/// Rooms, of which a batch takes on 64.
const ROOMS: u64 = 300;

async fn three() -> Cluster {
    let mut cluster = Cluster::new(3);
    cluster.start_all().await;
    let leader = cluster.leader().await;
    let measured = || async { cluster.features(leader).await.contains(&"batch:2".to_owned()) };
    eventually("all members measure time", measured).await;
    cluster
}

/// A clock that is an hour ahead, and leadership that comes and goes, let no time pass: once
/// each such change took a minute off every room's life, and all players for gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_ahead_lets_no_time_pass() {
    let cluster = three().await;
    let leader = cluster.leader().await;
    let other = leader % 3 + 1;
    cluster.set_ahead(other, Duration::from_secs(3_600));
    let mut player = Player::at(cluster.address(other), &cluster).await;
    let room = player.open().await;
    for _ in 0..4 {
        for next in [other, leader] {
            cluster.lead(next).await;
            // A batch of this leader's.
            player.open().await;
        }
    }
    assert!(player.watch(room).await.is_ok(), "the room has left minutes too early");
    // And a clock that is set while its machine leads lets none pass either.
    for hours in [2, 0, 3] {
        cluster.set_ahead(leader, Duration::from_secs(3_600 * hours));
        player.open().await;
    }
    let mut again = player.also_at(cluster.address(leader), &cluster).await;
    assert!(again.watch(room).await.is_ok(), "the room has left minutes too early");
    cluster.stop_all().await;
}

/// What is due at once is done at once, although a batch does only a part of it: rooms
/// once left at 64 a second, and a full lobby would have taken an hour.
#[tokio::test(flavor = "multi_thread")]
async fn many_rooms_that_are_due_leave_at_once() {
    let cluster = three().await;
    let leader = cluster.leader().await;
    let mut player = Player::at(cluster.address(leader), &cluster).await;
    for nth in 0..ROOMS {
        if nth % 20 == 0 {
            player = player.another();
        }
        player.open().await;
    }
    let rooms = || async { cluster.report(leader).await.map_or(u64::MAX, |report| report.rooms) };
    assert_eq!(rooms().await, ROOMS);
    cluster.pass(GAP);
    player = player.another();
    player.open().await;
    cluster.pass(EMPTY - GAP);
    let begun = Instant::now();
    eventually("the rooms have left", || async { rooms().await < ROOMS }).await;
    let first = begun.elapsed();
    eventually("all rooms have left", || async { rooms().await <= 1 }).await;
    let took = begun.elapsed() - first;
    // At one batch a second it would be 4 s.
    assert!(took < Duration::from_secs(2), "{ROOMS} rooms took {took:?}");
    cluster.stop_all().await;
}
