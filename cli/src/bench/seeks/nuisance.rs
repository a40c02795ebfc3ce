//! Nodes of a demo die while others are busy, and what its processes cost meanwhile.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use rand::seq::IteratorRandom;
use serde::Serialize;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    bench::{
        cost::{proc::TICKS_PER_SECOND, ticks_of},
        nodes::{all_run, demo, leader, until_caught_up},
    },
    demo::{
        faults::{kill_process, restart_process},
        record::{Process, Role},
    },
    usage::ensure,
};

/// The smallest cluster that survives its leader.
const VOTERS_MIN: usize = 3;

/// How long a node stays dead.
const DEAD: Duration = Duration::from_secs(1);

/// A demo whose nodes are killed, by turns the leader and a follower.
pub(super) struct Nuisance {
    dir: PathBuf,
    /// What each process had used when we began to look, by its id.
    before: BTreeMap<u32, u64>,
    /// What those had used who are gone.
    gone: u64,
    killed: Killed,
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Killed {
    pub(super) leaders: u32,
    pub(super) followers: u32,
}

impl Nuisance {
    /// A demo that runs.
    pub(super) async fn of(dir: &Path) -> anyhow::Result<Self> {
        let record = demo(dir)?;
        all_run(dir, &record).await?;
        ensure(record.nodes.len() >= VOTERS_MIN, || {
            "nobody takes over in this demo; start one with --nodes 3".into()
        })?;
        let before = record.processes().filter_map(|one| Some((one.pid, ticks_of(one.pid)?)));
        let before = before.collect();
        Ok(Self { dir: dir.into(), before, gone: 0, killed: Killed::default() })
    }

    /// Kills one every so often, until then, and starts it again. The next one dies when all
    /// have caught up: more than one that is missing is another experiment.
    pub(super) async fn kill(&mut self, every: Duration, end: Instant) -> anyhow::Result<()> {
        let mut next = Instant::now() + every;
        while next < end {
            sleep_until(next).await;
            next += every;
            until_caught_up(&self.dir).await?;
            let victim = self.victim().await?;
            self.gone += self.used(victim.pid);
            kill_process(&self.dir, &victim).await?;
            sleep(DEAD).await;
            restart_process(&self.dir, &victim).await?;
        }
        until_caught_up(&self.dir).await
    }

    async fn victim(&mut self) -> anyhow::Result<Process> {
        let leader = leader(&self.dir).await?;
        if self.killed.leaders == self.killed.followers {
            self.killed.leaders += 1;
            return Ok(leader);
        }
        self.killed.followers += 1;
        let record = demo(&self.dir)?;
        let others = record
            .processes()
            .filter(|other| matches!(other.role, Role::Node(_)) && other.name != leader.name);
        others.choose(&mut rand::rng()).context("the leader is the only node")
    }

    /// How many died.
    pub(super) fn killed(&self) -> Killed {
        self.killed.clone()
    }

    /// Processor time that all nodes and frontends of the demo have used, in seconds; none
    /// where the system does not say.
    pub(super) fn cpu_seconds(&self) -> Option<f64> {
        if self.before.is_empty() {
            return None;
        }
        let running = demo(&self.dir).ok()?.processes().map(|one| self.used(one.pid)).sum::<u64>();
        Some((self.gone + running) as f64 / TICKS_PER_SECOND)
    }

    fn used(&self, pid: u32) -> u64 {
        let before = self.before.get(&pid).copied().unwrap_or_default();
        ticks_of(pid).unwrap_or_default().saturating_sub(before)
    }
}
