//! A dead node costs its cluster next to nothing.
//!
//! A leader once tried to reach a dead follower ten thousand times a second: a core
//! burnt and the disk filled with complaints, while every game went on and no other
//! test noticed. So this one looks at the clock and at the logs.

use std::{fs, time::Duration};

use hangraft_tests::{
    demo::{Demo, Wanted},
    player::Player,
};
use serde_json::json;

/// How long the node stays dead.
const DEAD: Duration = Duration::from_secs(5);

/// Lines that all others together may write about it meanwhile.
const LINES_MAX: usize = 100;

/// Processor time that each of the others may use meanwhile, in hundredths of a
/// second: a fifth of one core, and an idle node uses far less.
const TICKS_MAX: u64 = 100;

#[tokio::test]
async fn a_dead_follower_makes_no_noise() {
    let demo = Demo::start(&Wanted::default()).await;
    let leader = demo.leader().await;
    let nodes = demo.nodes();
    let follower = nodes.iter().find(|node| **node != leader).unwrap();
    let mut ann = Player::arrive("Ann", &demo.frontends(), 0).await;
    ann.open(json!({})).await;

    demo.kill(follower).await;
    let others: Vec<_> =
        demo.record().nodes.into_iter().filter(|node| node.name != *follower).collect();
    let used = || others.iter().map(|node| ticks(node.pid)).collect::<Vec<_>>();
    let (lines_before, used_before) = (lines(&demo), used());
    // A game goes on meanwhile, as it would.
    for letter in "qzx".chars() {
        ann.guess(letter).await.expect("two of three are enough");
        ann.watch_for(DEAD / 3).await;
    }
    let lines = lines(&demo) - lines_before;
    assert!(lines <= LINES_MAX, "{lines} lines were logged about a dead node in {DEAD:?}");
    for ((node, before), after) in others.iter().zip(used_before).zip(used()) {
        let ticks = after - before;
        assert!(ticks <= TICKS_MAX, "{} used {ticks} ticks in {DEAD:?}", node.name);
    }
}

fn lines(demo: &Demo) -> usize {
    demo.home().logs().iter().map(|(_, text)| text.lines().count()).sum()
}

/// Processor time a process has used, in ticks, which are hundredths of a second
/// on every Linux there is.
fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it lives");
    let (_, after_name) = stat.rsplit_once(") ").expect("a name in parentheses");
    let fields: Vec<_> = after_name.split(' ').collect();
    let number = |at: usize| fields[at].parse::<u64>().expect("a number");
    // utime and stime, the 14th and 15th of all.
    number(11) + number(12)
}
