//! Time that passes in the lobby: as leaders measure it, and while nobody plays.

use super::harness::{Cluster, Player, eventually};
use std::time::{Duration, Instant};

/// A room where nobody sits leaves after so long, in lobby time.
const EMPTY: Duration = Duration::from_secs(120);

/// The longest time one batch lets pass.
const GAP: Duration = Duration::from_secs(60);

/// Somebody who sat down counts as here for so long without being heard of.
const EXPECTED: Duration = Duration::from_secs(10);

/// Less than a third of a second, and enough for a batch on a busy machine.
const SOON: Duration = Duration::from_millis(300);

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
    // The hands of these clocks were moved; a batch makes it known.
    player.open().await;
    let begun = Instant::now();
    eventually("the rooms have left", || async { rooms().await < ROOMS }).await;
    let first = begun.elapsed();
    eventually("all rooms have left", || async { rooms().await <= 2 }).await;
    let took = begun.elapsed() - first;
    // At one batch a second it would be 4 s.
    assert!(took < Duration::from_secs(2), "{ROOMS} rooms took {took:?}");
    cluster.stop_all().await;
}

/// Nobody says a word, and what is due happens when it is due: whoever sat down and is never
/// heard of counts as away after ten seconds. Looking once a second would be late by a third
/// of one, at the median of three who sit down a third of a second apart.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_happens_on_time_though_nobody_plays() {
    let cluster = three().await;
    let leader = cluster.leader().await;
    let hosts = || async { cluster.features(leader).await.contains(&"rooms:hosts".to_owned()) };
    eventually("all members know of hosts", hosts).await;
    let mut tables = Vec::new();
    for _ in 0..3 {
        let mut player = Player::new_at(cluster.address(leader), &cluster).await;
        let room = player.open_and_sit().await;
        let sat = Instant::now();
        let first = player.look(room).await.expect("it is there");
        tables.push((player, room, sat, first.version));
        tokio::time::sleep(Duration::from_secs(1) / 3).await;
    }
    let mut late = Vec::new();
    for (player, room, sat, version) in &mut tables {
        let next = player.next_of(*room).await.expect("it is still there");
        assert_eq!(next.version, *version + 1);
        let took = sat.elapsed();
        assert!(took + SOON > EXPECTED, "away after {took:?}");
        late.push(took.saturating_sub(EXPECTED));
    }
    late.sort_unstable();
    assert!(late[1] < SOON, "late by {late:?}");
    // Whoever comes later is told since when it is so, wherever they ask.
    tokio::time::sleep(SOON).await;
    let (player, room, sat, _) = &tables[2];
    for id in 1..=3 {
        let mut other = player.also_at(cluster.address(id), &cluster).await;
        let age = Duration::from_millis(other.look(*room).await.expect("it is there").age_ms);
        assert!(age > SOON / 2 && age < sat.elapsed() - EXPECTED + SOON, "{id} says {age:?}");
    }
    cluster.stop_all().await;
}

/// Two of three machines are down for a while. Nobody could do anything meanwhile, so no time
/// has passed in the lobby: a clock that ran would have run out because machines failed.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_takes_nobody_s_time() {
    const OUTAGE: Duration = Duration::from_secs(4);
    let mut cluster = three().await;
    let leader = cluster.leader().await;
    let hosts = || async { cluster.features(leader).await.contains(&"rooms:hosts".to_owned()) };
    eventually("all members know of hosts", hosts).await;
    let mut player = Player::at(cluster.address(leader), &cluster).await;
    let room = player.open_and_sit().await;
    let sat = Instant::now();
    let first = player.look(room).await.expect("it is there");
    let others: Vec<u64> = (1..=3).filter(|id| *id != leader).collect();
    for id in &others {
        cluster.stop(*id).await;
    }
    tokio::time::sleep(OUTAGE).await;
    for id in &others {
        cluster.start(*id).await;
    }
    let next = player.next_of(room).await.expect("it is still there");
    assert_eq!(next.version, first.version + 1, "away, and nothing else");
    let took = sat.elapsed();
    // It is noticed within a second that nobody leads, and counted until then.
    assert!(took + Duration::from_secs(1) > EXPECTED + OUTAGE, "away after {took:?}");
    cluster.stop_all().await;
}
