//! What a demo's processes cost while a workload runs: processor time and memory of each, as
//! Linux tells them; elsewhere nobody does.

mod bill;
pub(in crate::bench) mod proc;

use std::{fs, path::Path, process};

use tokio::time::Instant;

pub(super) use self::bill::Costs;
use self::bill::{Look, Reading, Server};
use crate::{
    bench::nodes::{all_run, demo, leader},
    demo::record::Role,
};

/// Looks at the processes of a demo, before, at the beginning and at the end.
pub(super) struct Meter {
    servers: Vec<Server>,
    before: Look,
    begun: Option<(Look, Instant)>,
    ended: Option<(Look, f64)>,
}

impl Meter {
    /// A demo that runs, and on which the workload does not weigh yet; none when nobody has
    /// named its folder.
    pub(super) async fn of(dir: Option<&Path>) -> anyhow::Result<Option<Self>> {
        let Some(dir) = dir else { return Ok(None) };
        let record = demo(dir)?;
        all_run(dir, &record).await?;
        let leader = leader(dir).await?.name;
        let role = |name: &str, role: &Role| match role {
            Role::Frontend(_) => "frontend",
            Role::Node(_) if *name == leader => "leader",
            Role::Node(_) => "follower",
        };
        let server = |one: crate::demo::record::Process| {
            let role = role(&one.name, &one.role);
            Server { name: one.name, role, pid: one.pid }
        };
        let servers: Vec<_> = record.processes().map(server).collect();
        let before = look(&servers);
        Ok(Some(Self { servers, before, begun: None, ended: None }))
    }

    /// The processes that make the load are shown too, and not added to the servers.
    pub(super) fn add_load(&mut self, others: impl IntoIterator<Item = u32>) {
        let pids = [process::id()].into_iter().chain(others);
        let load = pids.map(|pid| Server { name: "bench".into(), role: "load", pid });
        self.servers.extend(load);
        // The newcomers have not grown yet; the others are as they were.
        let (now, known) = (look(&self.servers), self.before.readings.len());
        self.before.readings.extend_from_slice(&now.readings[known..]);
    }

    /// The measured time begins.
    pub(super) fn begin(&mut self) {
        self.begun = Some((look(&self.servers), Instant::now()));
    }

    /// The measured time is over.
    pub(super) fn end(&mut self) {
        let Some((_, begun)) = &self.begun else { return };
        let seconds = begun.elapsed().as_secs_f64();
        self.ended = Some((look(&self.servers), seconds));
    }

    /// What it cost: so many moves were made in the measured time, or so many sockets were
    /// held at frontends.
    pub(super) fn costs(&self, moves: u64, sockets: Option<u64>) -> Costs {
        match (&self.begun, &self.ended) {
            (Some((begun, _)), Some((ended, seconds))) => {
                let looks = [&self.before, begun, ended];
                Costs::of(&self.servers, looks, *seconds, moves, sockets)
            }
            _ => Costs::default(),
        }
    }
}

/// Looks now.
fn look(servers: &[Server]) -> Look {
    let slab_kib = fs::read_to_string("/proc/meminfo").ok().and_then(|text| proc::slab_kib(&text));
    Look { readings: servers.iter().map(|server| read(server.pid)).collect(), slab_kib }
}

fn read(pid: u32) -> Option<Reading> {
    let text = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).ok();
    Some(Reading { ticks: ticks_of(pid)?, rss_kib: proc::rss_kib(&text("status")?)? })
}

/// Processor time of a process so far, in ticks.
pub(super) fn ticks_of(pid: u32) -> Option<u64> {
    proc::ticks(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}
