//! What looks at processes come to: a line for each, and the sum. Plain code.

use std::fmt::Write;

use serde::Serialize;

use crate::bench::{cost::proc::TICKS_PER_SECOND, tally::round};

/// A process to look at.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) name: String,
    /// `leader`, `follower`, `frontend`, or `load` for a process of the bench.
    pub(super) role: &'static str,
    pub(super) pid: u32,
}

/// What a process has used so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) ticks: u64,
    pub(super) rss_kib: u64,
}

/// One look at all processes, in their order; nothing of one that is gone.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) readings: Vec<Option<Reading>>,
    pub(super) slab_kib: Option<u64>,
}

/// What a workload has cost. Its JSON form is for scripts.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(in crate::bench) struct Costs {
    /// Each process that ran from before until the end; none where the system does not say.
    pub(in crate::bench) processes: Vec<Cost>,
    /// Processes that ended, or were started anew, and have no line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::bench) gone: Vec<String>,
    /// The servers together, without the load.
    pub(in crate::bench) servers: Option<Cost>,
    /// What the kernel of this machine holds for all its objects, before the workload came
    /// and at the end, in MiB. It is no single process's: both ends of a connection are in
    /// it when the load runs on the same machine, and so is what others do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::bench) slab_mib: Option<[f64; 2]>,
    /// For sockets that are only held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::bench) per_socket: Option<PerSocket>,
}

/// What one process has cost, or several.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(in crate::bench) struct Cost {
    pub(in crate::bench) name: String,
    pub(in crate::bench) role: &'static str,
    /// Processor time (user and system) for each move, in microseconds; none without moves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::bench) cpu_us_per_move: Option<f64>,
    /// Processor time for each second: 1 is one core, all the time.
    pub(in crate::bench) cores: f64,
    /// In memory before the workload came, and at the end of the measured time, in MiB.
    pub(in crate::bench) rss_mib: [f64; 2],
}

/// What a socket costs that is only held.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(in crate::bench) struct PerSocket {
    /// What the frontends have grown by, in KiB.
    pub(in crate::bench) rss_kib: f64,
    /// What the machine's kernel has grown by, in KiB, with both ends of each connection
    /// when the load runs on the same machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::bench) slab_kib: Option<f64>,
    /// Processor time of the frontends in a second, in microseconds.
    pub(in crate::bench) cpu_us_per_second: f64,
}

impl Costs {
    /// What it cost, from a look before the workload came, and looks at the beginning and
    /// the end of the measured time.
    pub(super) fn of(
        servers: &[Server],
        [before, begun, ended]: [&Look; 3],
        seconds: f64,
        moves: u64,
        sockets: Option<u64>,
    ) -> Self {
        let used = |i: usize| -> Option<Used> {
            let at = |look: &Look| look.readings.get(i).copied().flatten();
            let (before, begun, ended) = (at(before)?, at(begun)?, at(ended)?);
            let ticks = ended.ticks.checked_sub(begun.ticks)?;
            Some(Used { ticks, rss_kib: [before.rss_kib, ended.rss_kib] })
        };
        let all: Vec<_> =
            servers.iter().enumerate().filter_map(|(i, s)| Some((s, used(i)?))).collect();
        let gone = servers.iter().enumerate().filter(|(i, _)| used(*i).is_none());
        let gone = gone.map(|(_, server)| server.name.clone()).collect();
        let sum = |of: &dyn Fn(&str) -> bool| -> Option<Used> {
            all.iter()
                .filter(|(server, _)| of(server.role))
                .map(|(_, used)| *used)
                .reduce(Used::plus)
        };
        let cost = |name: &str, role, used: Used| used.cost(name, role, seconds, moves);
        let frontends = sum(&|role| role == "frontend");
        let slab_kib = before.slab_kib.zip(ended.slab_kib);
        let per_socket = sockets.zip(frontends).map(|(sockets, used)| {
            let each = |value: f64| round(value / (sockets.max(1) as f64));
            PerSocket {
                rss_kib: each(grown(used.rss_kib)),
                slab_kib: slab_kib.map(|(before, ended)| each(grown([before, ended]))),
                cpu_us_per_second: each(used.seconds() * 1e6 / seconds),
            }
        });
        Self {
            processes: all.iter().map(|(s, used)| cost(&s.name, s.role, *used)).collect(),
            gone,
            servers: sum(&|role| role != "load").map(|used| cost("all", "servers", used)),
            slab_mib: slab_kib.map(|(before, ended)| [mib(before), mib(ended)]),
            per_socket,
        }
    }

    /// A table for people.
    pub(in crate::bench) fn text(&self) -> String {
        if self.processes.is_empty() {
            return "what the servers cost is not known: only Linux says, of processes on this \
                    machine"
                .into();
        }
        let mut text = format!(
            "{:<8} {:<9} {:>12} {:>12} {:>10} {:>10}",
            "process", "role", "CPU us/move", "CPU of core", "MiB before", "MiB at end"
        );
        for cost in self.processes.iter().chain(&self.servers) {
            let Cost { name, role, cpu_us_per_move, cores, rss_mib: [before, end] } = cost;
            let per_move = cpu_us_per_move.map_or("-".into(), |us| format!("{us:.1}"));
            let percent = format!("{:.1} %", cores * 100.0);
            _ = write!(
                text,
                "\n{name:<8} {role:<9} {per_move:>12} {percent:>12} {before:>10.1} {end:>10.1}"
            );
        }
        if !self.gone.is_empty() {
            _ = write!(text, "\nnot counted, for they have ended: {}", self.gone.join(", "));
        }
        if let Some([before, end]) = self.slab_mib {
            _ = write!(
                text,
                "\nslab of this machine's kernel {before:.1} MiB before, {end:.1} at the end (of all processes, both ends of connections)"
            );
        }
        if let Some(PerSocket { rss_kib, slab_kib, cpu_us_per_second }) = &self.per_socket {
            let slab = slab_kib.map(|kib| format!(", {kib:.2} KiB of slab")).unwrap_or_default();
            _ = write!(
                text,
                "\na socket costs the frontends {rss_kib:.2} KiB{slab} and {cpu_us_per_second:.2} us of CPU a second"
            );
        }
        text
    }
}

/// What a process has used in the measured time.
#[derive(Clone, Copy)]
struct Used {
    ticks: u64,
    rss_kib: [u64; 2],
}

impl Used {
    fn plus(self, other: Self) -> Self {
        let [before, ended] = self.rss_kib;
        let [others_before, others_ended] = other.rss_kib;
        Self {
            ticks: self.ticks + other.ticks,
            rss_kib: [before + others_before, ended + others_ended],
        }
    }

    fn seconds(self) -> f64 {
        self.ticks as f64 / TICKS_PER_SECOND
    }

    fn cost(self, name: &str, role: &'static str, seconds: f64, moves: u64) -> Cost {
        Cost {
            name: name.into(),
            role,
            cpu_us_per_move: (moves > 0).then(|| round(self.seconds() * 1e6 / moves as f64)),
            cores: round_to_thousandths(self.seconds() / seconds),
            rss_mib: self.rss_kib.map(mib),
        }
    }
}

fn grown([before, ended]: [u64; 2]) -> f64 {
    ended as f64 - before as f64
}

fn mib(kib: u64) -> f64 {
    round(kib as f64 / 1024.0)
}

fn round_to_thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(name: &str, role: &'static str) -> Server {
        Server { name: name.into(), role, pid: 1 }
    }

    fn look(readings: [(u64, u64); 3], slab_kib: u64) -> Look {
        let reading = |(ticks, rss_kib)| Some(Reading { ticks, rss_kib });
        Look { readings: readings.map(reading).into(), slab_kib: Some(slab_kib) }
    }

    /// Time counts from the beginning of the measured time, memory from before the workload;
    /// the load's own is not the servers'.
    #[test]
    fn a_bill_has_a_line_for_each_and_a_sum() {
        let servers = [server("n1", "leader"), server("f1", "frontend"), server("bench", "load")];
        let before = look([(0, 1024), (0, 2048), (0, 0)], 1000);
        let begun = look([(10, 1500), (20, 3000), (0, 0)], 1500);
        let ended = look([(60, 2048), (120, 4096), (100, 9)], 3048);
        let costs = Costs::of(&servers, [&before, &begun, &ended], 2.0, 10_000, Some(512));
        let cost = |i: usize| (costs.processes[i].cpu_us_per_move, costs.processes[i].cores);
        assert_eq!((cost(0), cost(1)), ((Some(50.0), 0.25), (Some(100.0), 0.5)));
        assert_eq!(costs.processes[1].rss_mib, [2.0, 4.0]);
        let all = costs.servers.clone().unwrap();
        assert_eq!((all.cpu_us_per_move, all.cores, all.rss_mib), (Some(150.0), 0.75, [3.0, 6.0]));
        let each = costs.per_socket.clone().unwrap();
        assert_eq!((each.rss_kib, each.slab_kib), (4.0, Some(4.0)));
        assert_eq!(each.cpu_us_per_second, 976.56);
        let text = costs.text();
        for part in ["n1       leader", "150.0", "75.0 %", "this machine's kernel 1.0 MiB"] {
            assert!(text.contains(part), "{text}");
        }
    }

    /// A process that is gone, or another one with its number, has no line.
    #[test]
    fn who_is_gone_is_not_counted() {
        let servers = [server("n1", "leader"), server("n2", "follower"), server("f1", "frontend")];
        let before = look([(0, 1), (50, 1), (0, 1)], 1);
        let mut ended = look([(10, 1), (20, 1), (30, 1)], 1);
        ended.readings[0] = None;
        let costs = Costs::of(&servers, [&before, &before, &ended], 1.0, 0, None);
        let names: Vec<_> = costs.processes.iter().map(|cost| cost.name.as_str()).collect();
        assert_eq!((names, costs.processes[0].cpu_us_per_move), (vec!["f1"], None));
        assert!(costs.text().contains("not counted, for they have ended: n1, n2"));
        assert!(Costs::default().text().contains("only Linux"));
    }
}
