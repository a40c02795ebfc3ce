//! Nothing is lost and nothing is doubled while machines die.
//!
//! Many rooms, two players in each, at two frontends. Every five seconds a node,
//! any node, is killed as by a power cut, and started again. Players send what was
//! not answered again under the same serial. Afterwards the books are compared
//! with the rooms: every move that was acknowledged is there once, there is nothing
//! that was not acknowledged, every version came in order, and the replicas have
//! the same state.
//!
//! `HANGRAFT_CHAOS_ROOMS=300` and `HANGRAFT_CHAOS_SECONDS=120` make it larger.

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hangraft_tests::{
    demo::{Demo, Wanted},
    killer::kill_nodes,
    tables::Tables,
};
use tokio::time::{Instant, sleep};

/// Rooms, when nobody wants more.
const ROOMS: u64 = 60;

/// How long new rounds begin, in seconds, when nobody wants more.
const SECONDS: u64 = 45;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_move_is_there_once() {
    let rooms = setting("HANGRAFT_CHAOS_ROOMS", ROOMS);
    // More people than that do not live behind one address.
    let wanted = Wanted { limits: rooms <= ROOMS, ..Wanted::default() };
    let demo = Arc::new(Demo::start(&wanted).await);
    let frontends = demo.frontends();
    let over = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();
    let tables = Tables::open(&frontends, rooms);
    let killer = tokio::spawn(kill_nodes(demo.clone(), over.clone()));

    sleep(Duration::from_secs(setting("HANGRAFT_CHAOS_SECONDS", SECONDS))).await;
    over.store(true, Ordering::Relaxed);
    let (kills, leaders) = killer.await.expect("nodes are killed");
    let tally = tables.close().await;
    let took = begun.elapsed();

    let hashes = demo.hashes_at_rest().await;
    assert_eq!(hashes.len(), 3, "three replicas say how they are");
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "replicas drifted apart: {hashes:?}");
    println!("{}\n  {kills} nodes killed, {leaders} of them led; {took:.0?} in all", tally.text());
    assert!(tally.complaints.is_empty(), "{:#?}", tally.complaints);
    assert!(kills >= 5, "only {kills} nodes died");
    assert!(tally.moves > 10 * tally.rooms, "hardly anybody played");
}

fn setting(name: &str, usual: u64) -> u64 {
    env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}
