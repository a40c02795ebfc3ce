//! Carries out the faults of a plan, and ends those that end by themselves.

mod active;
mod copies;
mod forks;
mod members;
mod ways;

pub(crate) use members::Counts;

use crate::clock::{MICRO, MILLI};
use crate::nodes::Cluster;
use crate::plan::{Direction, Plan, Target, Traffic, What};
use crate::players::Scene;
use crate::world::disk::{Deed, Kept, Pace, Trouble};
use crate::world::net::{Losses, Net, Way};
use crate::world::{MachineId, Machines, World};
use active::{Active, Lasts};
use hangraft_lab::timeline::ProcessEvent;
use std::collections::BTreeMap;

/// Hurts the world as planned.
pub(crate) struct Nemesis {
    world: World,
    /// How machines reach each other when all is well.
    way: Way,
    /// How disks are when all is well.
    pace: Pace,
    /// What ends by itself, and when.
    ends: BTreeMap<(u64, u64), Ending>,
    planned: u64,
    /// Nodes that crash when they have done something, and what becomes of them.
    armed: BTreeMap<MachineId, (Deed, Then)>,
    /// Who was the first to vote, for itself, in an election that is to be torn.
    candidate: Option<MachineId>,
    crashes: u64,
    plan: Plan,
    /// Where an operator is, and the judge.
    scene: Scene,
    /// When a machine, or what was on its disk, was lost last.
    lost_at: Option<u64>,
    /// Disks that were put aside.
    kept: BTreeMap<MachineId, Kept>,
    counts: Counts,
    active: Active,
    /// So many nodes were known when it was written down what is wrong between them.
    met: u64,
    /// No fault is left.
    over: bool,
}

/// What becomes of a node that has done what was awaited.
#[derive(Clone, Copy)]
enum Then {
    /// It loses its power at once, for so many milliseconds.
    Crash(u64),
    /// It votes in an election that is torn.
    Tear(Torn),
}

/// An election in which the voters lose their power.
#[derive(Clone, Copy)]
struct Torn {
    after_us: u64,
    down_ms: u64,
}

enum Ending {
    Boot(MachineId),
    /// A copy is started, once: nobody knows that there is one.
    BootCopy(MachineId),
    Resume(MachineId),
    Mend(MachineId),
    /// A node that was asked to stop is started again after so long.
    Start(MachineId, u64),
    /// All but this candidate lose their power for so many milliseconds, and it is cut off.
    Tear(MachineId, u64),
    /// Cuts, delays and losses between machines end.
    Heal,
}

impl Nemesis {
    pub(crate) fn new(plan: &Plan, world: &World, pace: Pace, scene: Scene) -> Self {
        let way = Way {
            latency: (100 * MICRO, 100 * MICRO + plan.latency_us * MICRO),
            loss_ppm: plan.loss_ppm,
            double_ppm: plan.double_ppm,
            ..Way::GOOD
        };
        Nemesis {
            world: world.clone(),
            way,
            pace,
            ends: BTreeMap::new(),
            planned: 0,
            armed: BTreeMap::new(),
            candidate: None,
            crashes: 0,
            plan: plan.clone(),
            scene,
            lost_at: None,
            kept: BTreeMap::new(),
            counts: Counts::default(),
            active: Active::default(),
            met: 0,
            over: false,
        }
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    pub(crate) fn crashes(&self) -> u64 {
        self.crashes
    }

    /// Something goes wrong.
    pub(crate) fn strike(
        &mut self,
        number: usize,
        what: &What,
        cluster: &mut Cluster,
        machines: &mut Machines,
        net: &Net,
    ) {
        let words = self.in_words(what, cluster, machines);
        if what.is_of_network() {
            self.tell_losses(net);
        }
        self.world.tell("fault", format_args!("{number}: {words}"));
        self.world.record.say(self.world.now(), || format!("fault {number}: {words}"));
        self.begin(what, words, cluster);
        self.carry_out(what, cluster, machines, net);
        self.write_ways(cluster, net);
    }

    fn carry_out(
        &mut self,
        what: &What,
        cluster: &mut Cluster,
        machines: &mut Machines,
        net: &Net,
    ) {
        let nodes = cluster.len();
        let find = |target: &Target| members::find(target, cluster);
        match what {
            What::Heal => self.heal_network(cluster, net),
            What::Isolate(target, traffic) => {
                let alone = find(target);
                cut(net, nodes, *traffic, |from, to| from == alone || to == alone);
            }
            What::OneWay(target, direction) => {
                let half = find(target);
                cut(net, nodes, Traffic::All, |from, to| match direction {
                    Direction::Out => from == half,
                    Direction::In => to == half,
                });
            }
            What::Halves(target) => {
                let side = minority(find(target), nodes);
                cut(net, nodes, Traffic::All, |from, to| {
                    side.contains(&from) != side.contains(&to)
                });
            }
            What::Bridge(target) => {
                let bridge = find(target);
                let side = minority((bridge + 1) % nodes, nodes);
                cut(net, nodes, Traffic::All, |from, to| {
                    from != bridge && to != bridge && side.contains(&from) != side.contains(&to)
                });
            }
            What::Ring => cut(net, nodes, Traffic::All, |from, to| {
                (from + 1) % nodes != to && (to + 1) % nodes != from
            }),
            What::Pair(one, other) => cut(net, nodes, Traffic::All, |from, to| {
                (from, to) == (*one, *other) || (from, to) == (*other, *one)
            }),
            What::Between { from, to, both_ways } => {
                let (one, other) = (find(from), find(to));
                cut(net, nodes, Traffic::All, |from, to| {
                    (from, to) == (one, other) || (*both_ways && (from, to) == (other, one))
                });
            }
            What::CutFrontends(target) => {
                let node = find(target);
                for frontend in cluster.frontends() {
                    net.change_way(frontend, node, |way| way.streams_cut = true);
                    net.change_way(node, frontend, |way| way.streams_cut = true);
                }
            }
            What::Delay(target, millis) => {
                let slow = find(target);
                let latency = (self.way.latency.0, millis * MILLI);
                for other in 0..nodes {
                    net.change_way(slow, other, |way| way.latency = latency);
                    net.change_way(other, slow, |way| way.latency = latency);
                }
            }
            What::Loss(ppm) => {
                for (from, to) in pairs(nodes) {
                    net.change_way(from, to, |way| way.loss_ppm = *ppm);
                }
            }
            What::Crash { target, power, down_ms } => {
                self.crash(find(target), *power, *down_ms, cluster, machines);
            }
            What::CrashAt { target, deed, down_ms } => {
                let node = find(target);
                cluster.disk(node).await_deed(*deed);
                self.armed.insert(node, (*deed, Then::Crash(*down_ms)));
            }
            What::TearElection { after_us, down_ms, leader_down_ms } => {
                let torn = Torn { after_us: *after_us, down_ms: *down_ms };
                let leader = find(&Target::Leader);
                self.candidate = None;
                for node in cluster.in_service().into_iter().filter(|node| *node != leader) {
                    cluster.disk(node).await_deed(Deed::Vote);
                    self.armed.insert(node, (Deed::Vote, Then::Tear(torn)));
                }
                self.crash(leader, true, *leader_down_ms, cluster, machines);
            }
            What::Blackout { down_ms } => {
                for node in cluster.in_service() {
                    self.crash(node, true, *down_ms, cluster, machines);
                }
            }
            What::Pause { target, frozen, millis } => {
                let node = find(target);
                if machines.get(node).is_on() && !machines.get(node).is_paused() {
                    machines.pause(node, *frozen);
                    let name = &machines.get(node).name;
                    self.world.note(name, format_args!("is paused"));
                    cluster.became(node, ProcessEvent::Paused);
                    self.end_in(*millis, Ending::Resume(node));
                }
            }
            What::Restart { target, down_ms } => {
                let node = find(target);
                if machines.get(node).is_on() {
                    cluster.ask_to_stop(node);
                    self.end_in(MOMENT_MS, Ending::Start(node, *down_ms));
                }
            }
            What::Start(target) => self.start(target, cluster, machines),
            What::Resume(target) => self.resume(target, cluster, machines, net),
            What::SlowDisk { target, millis } => {
                let node = find(target);
                cluster.disk(node).set_pace(Pace::SLOW);
                self.end_in(*millis, Ending::Mend(node));
            }
            What::FullDisk { target, millis } => {
                self.spoil(find(target), Trouble::Full, *millis, cluster);
            }
            What::FailFsync { target, millis } => {
                self.spoil(find(target), Trouble::SyncFails, *millis, cluster);
            }
            What::Skew(target, millis) => {
                machines.jump_clock(find(target), millis * MILLI.cast_signed());
            }
            What::FrontendCrash { frontend, down_ms } => {
                let frontend = cluster.frontend(*frontend);
                let power = self.world.happens(500_000);
                self.crash(frontend, power, *down_ms, cluster, machines);
            }
            What::KeepDisks => {
                let kept = cluster.in_service().into_iter();
                self.kept = kept.map(|node| (node, cluster.disk(node).keep())).collect();
            }
            What::SetBack { target, down_ms } => {
                self.set_back(find(target), *down_ms, cluster, machines);
            }
            What::Copy { target, to, after_ms } => {
                self.copy(target, *to, *after_ms, cluster, machines);
            }
            What::Migrate { target, to, after_ms } => {
                self.migrate(target, *to, *after_ms, cluster, machines);
            }
            What::Move(what) => self.move_members(what, cluster, machines),
        }
    }

    /// Ends what is due, crashes what has done what it was armed for, and starts
    /// what has ended by itself.
    pub(crate) fn look(&mut self, cluster: &mut Cluster, machines: &mut Machines, net: &Net) {
        let done = |node: &MachineId| cluster.disk(*node).deed_done();
        let armed: Vec<MachineId> = self.armed.keys().copied().filter(done).collect();
        for node in armed {
            let Some((deed, then)) = self.armed.remove(&node) else { continue };
            let name = &machines.get(node).name;
            self.world.tell(name, format_args!("{deed}: that was waited for"));
            match then {
                Then::Crash(down_ms) => self.crash(node, true, down_ms, cluster, machines),
                Then::Tear(torn) => self.has_voted(node, torn),
            }
        }
        let now = self.world.now();
        while let Some(entry) = self.ends.first_entry().filter(|entry| entry.key().0 <= now) {
            let ending = entry.remove();
            self.end(ending, cluster, machines, net);
        }
        if self.over {
            self.end_orphans(cluster, machines);
        }
        if self.met != cluster.met() {
            self.write_ways(cluster, net);
        }
        for node in 0..cluster.len() {
            if !cluster.is_to_run(node) {
                continue;
            }
            if machines.get(node).is_on() && cluster.asks_in_vain(node) {
                // Somebody sees that, and tells it of others when it starts again.
                cluster.crash(node, false, machines);
            }
            // Who has ended by itself is started by whoever looks after it.
            if !machines.get(node).is_on() && !self.will_start(node) {
                self.end_in(AFTER_END_MS, Ending::Boot(node));
            }
        }
    }

    /// All faults end.
    pub(crate) fn heal_everything(
        &mut self,
        cluster: &mut Cluster,
        machines: &mut Machines,
        net: &Net,
    ) {
        self.world.tell("fault", format_args!("all end, and everybody is asked for a last wish"));
        self.heal_network(cluster, net);
        self.armed.clear();
        self.over = true;
        for node in 0..cluster.len() {
            self.mend(node, cluster);
        }
        for ending in std::mem::take(&mut self.ends).into_values() {
            self.end(ending, cluster, machines, net);
        }
        self.end_orphans(cluster, machines);
        for machine in 0..cluster.len() + cluster.frontends().count() {
            if !machines.get(machine).is_on() && cluster.is_to_run(machine) {
                cluster.boot(machine, machines);
            }
        }
        // Operators tell them where the nodes are now.
        for frontend in cluster.stranded_frontends() {
            cluster.crash(frontend, false, machines);
            cluster.boot(frontend, machines);
        }
    }

    fn will_start(&self, machine: MachineId) -> bool {
        let starts = |ending: &Ending| match ending {
            Ending::Boot(id) | Ending::Start(id, _) => *id == machine,
            Ending::BootCopy(_)
            | Ending::Resume(_)
            | Ending::Mend(_)
            | Ending::Tear(..)
            | Ending::Heal => false,
        };
        self.ends.values().any(starts)
    }

    fn end(&mut self, ending: Ending, cluster: &mut Cluster, machines: &mut Machines, net: &Net) {
        match ending {
            Ending::Boot(machine) => {
                if !machines.get(machine).is_on() && cluster.is_to_run(machine) {
                    cluster.boot(machine, machines);
                }
            }
            Ending::BootCopy(machine) => {
                if !machines.get(machine).is_on() && cluster.is_copy(machine) {
                    cluster.boot(machine, machines);
                }
            }
            Ending::Resume(node) => {
                self.world.tell(&machines.get(node).name, format_args!("goes on"));
                machines.resume(node);
                cluster.became(node, ProcessEvent::Resumed);
                self.active.end(&self.world, Lasts::Pause(node));
            }
            Ending::Mend(node) => self.mend(node, cluster),
            Ending::Start(node, down_ms) if !machines.get(node).is_on() => {
                self.end_in(down_ms, Ending::Boot(node));
            }
            // It is paused, or was started again meanwhile.
            Ending::Start(..) => {}
            // The faults have ended.
            Ending::Tear(..) if self.over => {}
            Ending::Tear(candidate, down_ms) => {
                for node in cluster.in_service().into_iter().filter(|node| *node != candidate) {
                    self.crash(node, true, down_ms, cluster, machines);
                }
                self.heal_network(cluster, net);
                cut(net, cluster.len(), Traffic::All, |from, to| {
                    from == candidate || to == candidate
                });
                self.write_ways(cluster, net);
            }
            Ending::Heal => self.heal_network(cluster, net),
        }
    }

    /// A node has voted in an election that is to be torn: for itself, if it is the first.
    fn has_voted(&mut self, node: MachineId, torn: Torn) {
        let Some(candidate) = self.candidate.take() else {
            self.candidate = Some(node);
            return;
        };
        self.armed.retain(|_, (_, then)| matches!(then, Then::Crash(_)));
        self.end_after(torn.after_us * MICRO, Ending::Tear(candidate, torn.down_ms));
    }

    /// What goes wrong, by the names of the machines that are meant.
    fn in_words(&self, what: &What, cluster: &Cluster, machines: &Machines) -> String {
        let leader = cluster.leader();
        let who = |target: &Target| {
            let machine = members::find(target, cluster);
            let leads = if leader == Some(machine) { " (leader)" } else { "" };
            format!("{}{leads}", machines.get(machine).name)
        };
        self.plan.in_words(what, &who)
    }

    /// A fault begins, and is written down where it lasts.
    fn begin(&mut self, what: &What, words: String, cluster: &Cluster) {
        let surroundings = of_disk(what).map(|(target, bad)| {
            let machine = members::find(target, cluster);
            match cluster.who(machine).map(|who| who.node) {
                Some(node) => (Some(node), bad),
                None => (None, format!("{}: {bad}", cluster.name(machine))),
            }
        });
        if !matches!(what, What::Heal) {
            self.active.begin(&self.world, words, lasts(what, cluster), surroundings);
        }
    }

    /// Writes down what is wrong between machines now, if anybody reads it.
    fn write_ways(&mut self, cluster: &Cluster, net: &Net) {
        self.met = cluster.met();
        if self.world.record.is_kept() {
            self.active.are_ways(&self.world, ways::troubles(cluster, net, &self.way));
        }
    }

    /// What the network has lost since this was told last, in sum.
    pub(crate) fn tell_losses(&self, net: &Net) {
        let lost = net.take_losses();
        if lost != Losses::default() {
            let Losses { datagrams, retries } = lost;
            let lost = format_args!(
                "has lost {datagrams} datagrams, and made streams try again {retries} times, \
                 since this was said last"
            );
            self.world.note("network", lost);
        }
    }

    fn mend(&mut self, node: MachineId, cluster: &Cluster) {
        self.active.end(&self.world, Lasts::Disk(node));
        cluster.disk(node).set_pace(self.pace);
        cluster.disk(node).set_trouble(Trouble::None);
    }

    fn spoil(&mut self, node: MachineId, trouble: Trouble, millis: u64, cluster: &Cluster) {
        cluster.disk(node).set_trouble(trouble);
        self.end_in(millis, Ending::Mend(node));
    }

    fn crash(
        &mut self,
        machine: MachineId,
        power: bool,
        down_ms: u64,
        cluster: &mut Cluster,
        machines: &mut Machines,
    ) {
        if !machines.get(machine).is_on() {
            return;
        }
        let name = &machines.get(machine).name;
        let how = if power { "loses its power" } else { "is killed" };
        self.world.tell(name, format_args!("{how} for {down_ms} ms"));
        self.crashes += 1;
        self.armed.remove(&machine);
        cluster.crash(machine, power, machines);
        self.end_in(down_ms, Ending::Boot(machine));
    }

    /// All machines reach each other as on a good day of this plan.
    pub(crate) fn heal_network(&mut self, cluster: &Cluster, net: &Net) {
        self.tell_losses(net);
        self.active.end(&self.world, Lasts::Network);
        let machines = cluster.len() + cluster.frontends().count() + 1;
        for (from, to) in pairs(machines) {
            net.change_way(from, to, |way| *way = self.way);
        }
        self.write_ways(cluster, net);
    }

    fn end_in(&mut self, millis: u64, ending: Ending) {
        self.end_after(millis * MILLI, ending);
    }

    /// After so many units of the world's time.
    fn end_after(&mut self, after: u64, ending: Ending) {
        self.planned += 1;
        self.ends.insert((self.world.now() + after, self.planned), ending);
        // The world must be looked at then, whatever else happens.
        self.world.after(after, || {});
    }
}

/// Time for a process to stop in good order, looked at again after it.
const MOMENT_MS: u64 = 400;

/// A process that ended by itself is started again after this.
const AFTER_END_MS: u64 = 700;

/// How long a fault lasts.
fn lasts(what: &What, cluster: &Cluster) -> Lasts {
    match what {
        What::SlowDisk { target, .. }
        | What::FullDisk { target, .. }
        | What::FailFsync { target, .. } => Lasts::Disk(members::find(target, cluster)),
        What::Pause { target, .. } => Lasts::Pause(members::find(target, cluster)),
        network if network.is_of_network() => Lasts::Network,
        _ => Lasts::Moment,
    }
}

/// Whose disk becomes worse for a while, and how, in the words of real nodes.
fn of_disk(what: &What) -> Option<(&Target, String)> {
    match what {
        What::SlowDisk { target, .. } => {
            let Pace { sync: (least, most), .. } = Pace::SLOW;
            let (least, most) = (least / MILLI, most / MILLI);
            Some((target, format!("slow disk: syncs take {least} to {most} ms")))
        }
        What::FullDisk { target, .. } => Some((target, "the disk is full".to_owned())),
        What::FailFsync { target, .. } => Some((target, "syncs of the log fail".to_owned())),
        _ => None,
    }
}

fn pairs(count: usize) -> impl Iterator<Item = (MachineId, MachineId)> {
    (0..count).flat_map(move |from| (0..count).map(move |to| (from, to)))
}

/// Cuts the ways between nodes that `hit` names.
fn cut(net: &Net, nodes: usize, traffic: Traffic, hit: impl Fn(MachineId, MachineId) -> bool) {
    for (from, to) in pairs(nodes).filter(|(from, to)| from != to && hit(*from, *to)) {
        net.change_way(from, to, |way| {
            way.streams_cut |= traffic != Traffic::Datagrams;
            way.datagrams_cut |= traffic != Traffic::Streams;
        });
    }
}

/// Less than half of the nodes, this one among them.
fn minority(with: MachineId, nodes: usize) -> Vec<MachineId> {
    (0..nodes / 2).map(|more| (with + more) % nodes).collect()
}
