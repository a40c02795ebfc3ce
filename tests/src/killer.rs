//! Nodes die and come back while people play.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rand::seq::IndexedRandom;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::demo::Demo;

/// How often a node dies.
const KILL_EVERY: Duration = Duration::from_secs(5);

/// How long it stays dead.
const DEAD: Duration = Duration::from_millis(700);

/// Kills any node every five seconds, and starts it again; how many, and how many
/// of them led.
///
/// # Panics
/// When replicas have drifted apart.
pub async fn kill_nodes(demo: Arc<Demo>, over: Arc<AtomicBool>) -> (u32, u32) {
    let nodes = demo.nodes();
    let mut ticks = interval(KILL_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    let mut hashes = BTreeMap::new();
    let (mut kills, mut leaders) = (0, 0);
    loop {
        ticks.tick().await;
        if over.load(Ordering::Relaxed) {
            return (kills, leaders);
        }
        let leader = compare(&demo, &mut hashes).await;
        let name = nodes.choose(&mut rand::rng()).expect("there are nodes");
        demo.kill(name).await;
        kills += 1;
        leaders += u32::from(leader.as_ref() == Some(name));
        sleep(DEAD).await;
        demo.restart(name).await;
    }
}

/// Compares the hashes of replicas at whatever entries they are now; who leads.
async fn compare(demo: &Demo, hashes: &mut BTreeMap<u64, String>) -> Option<String> {
    let status = demo.status().await.ok()?;
    for member in &status.members {
        if let (Some(applied), Some(hash)) = (member.applied, &member.hash) {
            let known = hashes.entry(applied).or_insert_with(|| hash.clone());
            assert_eq!(known, hash, "{} drifted at entry {applied}", member.name);
        }
    }
    let leader = status.members.into_iter().find(|member| Some(member.id) == status.leader);
    leader.map(|leader| leader.name)
}
