//! The cluster's software: boots nodes and frontends, as their binaries would, and
//! looks after what they say of themselves.

use crate::news::News;
use crate::plan::{Plan, name_of};
use crate::world::disk::{Disk, Kept};
use crate::world::env::SimEnv;
use crate::world::net::{MachineNetwork, Net};
use crate::world::{MachineId, Machines, World};
use hangraft_cluster_config::{
    ClusterConfig, ClusterKey, FrontendConfig, FrontendLimits, GossipConfig, Member,
    MembershipConfig, NodeConfig, RaftConfig,
};
use hangraft_frontend_server::Frontend;
use hangraft_ids::{NodeId, StorageId, Term};
use hangraft_lab::timeline::ProcessEvent;
use hangraft_node::env::Network;
use hangraft_node::{Fatal, Node, Observation, Observer, Report, StartError};
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// Where nodes and frontends listen.
const NODE_PORT: u16 = 7100;
const FRONTEND_PORT: u16 = 8080;

/// How many others a node knows that joins.
const SEEDS: Range<u64> = 2..4;

/// All nodes and frontends, by their machines' numbers: first members, then machines
/// that may join them, then frontends.
pub(crate) struct Cluster {
    world: World,
    net: Net,
    key: ClusterKey,
    nodes: Vec<Server>,
    first_members: usize,
    /// The first machine that gets somebody's disk.
    first_copy: MachineId,
    frontends: Vec<FrontendConfig>,
    lost_writes: u64,
    met: u64,
}

/// A machine for a node, life after life.
struct Server {
    config: NodeConfig,
    disk: Disk,
    service: Service,
    life: Arc<Mutex<Life>>,
    /// Who its node is, once that is known.
    who: Option<Who>,
    /// Whose disk it has a copy of: a machine, and the number of the disk in it.
    copy_of: Option<(MachineId, StorageId)>,
    /// What it said last.
    report: Option<Report>,
    highest_term: Term,
    /// What was told of it in this life.
    news: News,
}

/// What is to become of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// It was never started.
    Waits,
    /// Whenever its node ends, it is started again.
    Runs,
    /// Its node is gone for good: it has left, or its id is spent.
    Spent,
    /// It is gone for ever.
    Lost,
    /// It has a copy of another machine's disk, and takes itself for that one.
    Copy,
}

/// A node, by the id that it goes by and the disk that it has.
#[derive(Clone)]
pub(crate) struct Who {
    pub(crate) node: NodeId,
    /// The number of its disk, as the disk remembers it.
    pub(crate) disk_number: StorageId,
    pub(crate) disk: Disk,
}

/// How a machine is doing.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    pub(crate) service: Service,
    pub(crate) is_first_member: bool,
    /// Whether first members were told that one of them is there.
    pub(crate) is_where_one_was: bool,
    /// Who its node is, while it runs or when it ran last.
    pub(crate) node: Option<NodeId>,
    /// What the running node says.
    pub(crate) report: Option<Report>,
}

/// What a running node shows to the outside.
#[derive(Default)]
struct Life {
    node: Option<NodeId>,
    observer: Option<Observer>,
    /// What it has to tell, if the day is written down or told.
    observation: Option<Observation>,
    /// What it said last, after it has stopped.
    last_words: Option<Report>,
    /// Asks it to stop in good order.
    stop: Option<watch::Sender<bool>>,
    /// Why it has ended, if it has by itself or because it was asked to.
    ended: Option<End>,
}

/// How a process has ended.
enum End {
    /// As one does that is started again.
    Plainly(String),
    /// Starting it again changes nothing.
    Spent(String),
    /// It has left its cluster.
    Left,
}

impl Cluster {
    /// `disks` are those of the first members and of the machines that may join them.
    pub(crate) fn new(plan: &Plan, world: &World, net: &Net, disks: Vec<Disk>) -> Self {
        let ips: Vec<IpAddr> = disks.iter().map(|_| net.attach()).collect();
        let address = |ip: &IpAddr| SocketAddr::new(*ip, NODE_PORT);
        let members: Vec<Member> = ips[..plan.nodes]
            .iter()
            .enumerate()
            .map(|(number, ip)| Member {
                id: NodeId(number as u64 + 1),
                name: format!("n{}", number + 1),
                address: address(ip),
            })
            .collect();
        let first = members.iter().map(|member| first_member(plan, member, &members));
        // Those that get a copied disk are told later where they are.
        let spares = ips[plan.nodes..].iter().map(|ip| newcomer(plan, address(ip)));
        let server = |number, config, disk| Server {
            config,
            disk,
            service: if number < plan.nodes { Service::Runs } else { Service::Waits },
            life: Arc::default(),
            who: None,
            copy_of: None,
            report: None,
            highest_term: Term(0),
            news: News::default(),
        };
        let configs = first.chain(spares).zip(disks).enumerate();
        let nodes = configs.map(|(number, (config, disk))| server(number, config, disk)).collect();
        let frontends = (0..plan.frontends)
            .map(|_| {
                let address = SocketAddr::new(net.attach(), FRONTEND_PORT);
                let mut config = FrontendConfig::new(address, Vec::new(), PathBuf::new());
                // Players here think faster than people.
                let of_a_player = config.limits.rooms_per_minute;
                config.limits =
                    FrontendLimits { rooms_per_minute: of_a_player, ..FrontendLimits::no_pace() };
                config
            })
            .collect();
        net.attach();
        Cluster {
            world: world.clone(),
            net: net.clone(),
            key: ClusterKey::from_bytes([7; 32]),
            nodes,
            first_members: plan.nodes,
            first_copy: plan.nodes + plan.spares,
            frontends,
            lost_writes: 0,
            met: 0,
        }
    }

    pub(crate) fn key(&self) -> ClusterKey {
        self.key.clone()
    }

    /// How many machines there are for nodes, started or not.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The machines whose nodes run, or are started again when they do not.
    pub(crate) fn in_service(&self) -> Vec<MachineId> {
        let runs = |id: &MachineId| self.nodes[*id].service == Service::Runs;
        (0..self.nodes.len()).filter(runs).collect()
    }

    /// The machine in service whose node has this id.
    pub(crate) fn machine_of(&self, node: NodeId) -> Option<MachineId> {
        let is_it = |id: &MachineId| {
            let Server { who, config, .. } = &self.nodes[*id];
            who.as_ref().map_or(config.id, |who| Some(who.node)) == Some(node)
        };
        self.in_service().into_iter().find(is_it)
    }

    /// How a machine for a node is called.
    pub(crate) fn name(&self, id: MachineId) -> String {
        name_of(self.first_members, id)
    }

    /// How a timeline calls what runs on a machine: a node by its id, as soon as it is known.
    fn process(&self, id: MachineId) -> String {
        match self.nodes.get(id) {
            None => format!("f{}", id - self.nodes.len() + 1),
            Some(Server { who: Some(who), .. }) => format!("n{}", who.node),
            Some(_) => self.name(id),
        }
    }

    /// Writes down what becomes of the process on a machine.
    pub(crate) fn became(&self, id: MachineId, event: ProcessEvent) {
        self.world.record.process(self.world.now(), &self.process(id), event);
    }

    /// How often it turned out who the node on a machine is.
    pub(crate) fn met(&self) -> u64 {
        self.met
    }

    /// The machines whose nodes are gone for good.
    pub(crate) fn spent(&self) -> Vec<MachineId> {
        let spent = |id: &MachineId| {
            // A copy may be the last that is left of its node, and nobody could tell it.
            let node = &self.nodes[*id];
            node.service == Service::Spent && node.copy_of.is_none()
        };
        (0..self.nodes.len()).filter(spent).collect()
    }

    /// Whether a machine that does not run is to be started.
    pub(crate) fn is_to_run(&self, id: MachineId) -> bool {
        self.nodes.get(id).is_none_or(|node| node.service == Service::Runs)
    }

    /// A machine that may join, by its number among those.
    pub(crate) fn spare(&self, number: usize) -> MachineId {
        self.first_members + number
    }

    /// A machine that gets somebody's disk, by its number among those.
    pub(crate) fn empty_machine(&self, number: usize) -> MachineId {
        self.first_copy + number
    }

    /// Whether a machine has a copy of another one's disk, and is to run.
    pub(crate) fn is_copy(&self, id: MachineId) -> bool {
        self.nodes[id].service == Service::Copy
    }

    /// Puts a copy of a machine's disk, as a crash now would leave it, into another one. What
    /// runs there believes that it is reached where the first one is. `false` when there is
    /// nothing to copy.
    pub(crate) fn copy(&mut self, from: MachineId, to: MachineId, plan: &Plan) -> bool {
        let original = &self.nodes[from];
        let Some(who) = original.who.as_ref().filter(|_| original.copy_of.is_none()) else {
            return false;
        };
        let copied = (from, who.disk_number);
        let (disk, reached) = (original.disk.copied(to), original.config.address);
        let node = &mut self.nodes[to];
        let mut config = newcomer(plan, node.config.address);
        config.advertise = Some(reached);
        node.config = config;
        node.disk = disk;
        node.copy_of = Some(copied);
        node.service = Service::Copy;
        true
    }

    /// A machine breaks and its disk is put into another one. `false` when there is nobody on
    /// the disk yet.
    pub(crate) fn migrate(
        &mut self,
        from: MachineId,
        to: MachineId,
        plan: &Plan,
        machines: &mut Machines,
    ) -> bool {
        if self.nodes[from].who.is_none() || self.nodes[from].copy_of.is_some() {
            return false;
        }
        self.crash(from, true, machines);
        self.nodes[from].service = Service::Lost;
        let disk = self.nodes[from].disk.copied(to);
        let who = self.nodes[from].who.take();
        let node = &mut self.nodes[to];
        let mut config = newcomer(plan, node.config.address);
        config.moved = true;
        node.config = config;
        node.disk = disk.clone();
        node.service = Service::Runs;
        node.who = who.map(|who| Who { disk, ..who });
        true
    }

    /// Copies whose original does not run any more, and never will.
    pub(crate) fn orphans(&self) -> Vec<MachineId> {
        let orphan = |id: &MachineId| {
            let node = &self.nodes[*id];
            let gone = |(from, disk): (MachineId, StorageId)| {
                let original = &self.nodes[from];
                let there = original.who.as_ref().map(|who| who.disk_number);
                original.service != Service::Runs || there != Some(disk)
            };
            node.service == Service::Copy && node.copy_of.is_some_and(gone)
        };
        (0..self.nodes.len()).filter(orphan).collect()
    }

    /// A machine is switched off for good.
    pub(crate) fn retire(&mut self, id: MachineId, machines: &mut Machines) {
        self.crash(id, false, machines);
        self.nodes[id].service = Service::Lost;
    }

    /// What a copy says of itself, if it runs.
    pub(crate) fn copy_says(&self, id: MachineId) -> Option<Report> {
        let node = self.nodes.get(id)?;
        node.copy_of?;
        lock(&node.life).observer.as_ref().map(Observer::report)
    }

    /// The machine of a frontend.
    pub(crate) fn frontend(&self, number: usize) -> MachineId {
        self.nodes.len() + number % self.frontends.len()
    }

    pub(crate) fn frontends(&self) -> impl Iterator<Item = MachineId> + use<> {
        self.nodes.len()..self.nodes.len() + self.frontends.len()
    }

    /// Frontends all of whose nodes, as they were told when they started, are gone for
    /// good, or have nothing and wait for those that are gone. What they have learned since may
    /// have been cut off from them.
    pub(crate) fn stranded_frontends(&self) -> Vec<MachineId> {
        let there = self.in_service().into_iter().filter(|id| !self.waits_in_vain(*id));
        let there: Vec<SocketAddr> = there.map(|node| self.address(node)).collect();
        let stranded = |id: &MachineId| {
            let told = &self.frontends[*id - self.nodes.len()].nodes;
            told.iter().all(|node| !there.contains(node))
        };
        self.frontends().filter(stranded).collect()
    }

    pub(crate) fn node_addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.config.address).collect()
    }

    pub(crate) fn frontend_addresses(&self) -> Vec<SocketAddr> {
        self.frontends.iter().map(|frontend| frontend.address).collect()
    }

    pub(crate) fn disk(&self, id: MachineId) -> &Disk {
        &self.nodes[id].disk
    }

    /// Who a machine's node is, while it runs or when it ran last.
    pub(crate) fn who(&self, id: MachineId) -> Option<&Who> {
        self.nodes[id].who.as_ref()
    }

    pub(crate) fn address(&self, id: MachineId) -> SocketAddr {
        self.nodes[id].config.address
    }

    /// Switches a machine on and starts what belongs on it.
    pub(crate) fn boot(&mut self, id: MachineId, machines: &mut Machines) {
        self.net.power_on(id);
        let name = &machines.get(id).name;
        self.world.tell(name, format_args!("starts"));
        self.became(id, ProcessEvent::Started);
        let network = self.net.of(id);
        let key = self.key.clone();
        if id < self.nodes.len() {
            if self.nodes[id].config.id.is_none() {
                self.nodes[id].config.cluster.seeds = self.seeds_for(id);
            }
            let node = &mut self.nodes[id];
            node.life = Arc::default();
            node.report = None;
            node.news = News::default();
            let env = SimEnv { world: self.world.clone(), network, disk: node.disk.clone() };
            let running = run_node(node.config.clone(), key, env, node.life.clone());
            machines.boot(id, || _ = tokio::spawn(running));
        } else {
            // Operators keep the list of nodes up to date.
            let nodes = self.in_service().into_iter().map(|node| self.address(node)).collect();
            let number = id - self.nodes.len();
            self.frontends[number].nodes = nodes;
            let config = self.frontends[number].clone();
            machines.boot(id, || _ = tokio::spawn(run_frontend(config, key, network)));
        }
    }

    /// Two or three first members that are in service; if those are fewer, others as well.
    /// Operators name members: one that waits to be admitted itself is named only when there
    /// is nobody else.
    fn seeds_for(&self, id: MachineId) -> Vec<SocketAddr> {
        let others = || self.in_service().into_iter().filter(|other| *other != id);
        let is_member = |other: &MachineId| self.nodes[*other].who.is_some();
        let members: Vec<MachineId> = others().filter(is_member).collect();
        let others = if members.is_empty() { others().collect() } else { members };
        let others = others.into_iter();
        let (mut first, mut rest): (Vec<MachineId>, Vec<MachineId>) =
            others.partition(|other| *other < self.first_members);
        let mut seeds = Vec::new();
        for _ in 0..self.world.draw(SEEDS) {
            let from = if first.is_empty() { &mut rest } else { &mut first };
            if from.is_empty() {
                break;
            }
            let nth = self.world.draw(0..from.len() as u64) as usize;
            seeds.push(self.address(from.remove(nth)));
        }
        seeds
    }

    /// A machine is started for the first time, or anew: with an empty disk, it joins.
    pub(crate) fn join(&mut self, id: MachineId, plan: &Plan, machines: &mut Machines) {
        self.crash(id, false, machines);
        let address = self.address(id);
        self.nodes[id].config = newcomer(plan, address);
        self.nodes[id].service = Service::Runs;
        self.put_empty_disk(id);
        self.boot(id, machines);
    }

    /// Whether a node has not joined yet, and all whom it was told of are gone for good.
    pub(crate) fn asks_in_vain(&self, id: MachineId) -> bool {
        let Server { who, config, .. } = &self.nodes[id];
        let runs = |seed: &SocketAddr| {
            let seed = self.nodes.iter().find(|node| node.config.address == *seed);
            seed.is_some_and(|node| node.service == Service::Runs)
        };
        who.is_none() && config.id.is_none() && !config.cluster.seeds.iter().any(runs)
    }

    /// Whether a first member with an empty disk waits for others that are all gone from
    /// where they were.
    fn waits_in_vain(&self, id: MachineId) -> bool {
        let has_nothing =
            self.nodes[id].report.as_ref().is_none_or(|report| report.term == Term(0));
        let others = (0..self.first_members).filter(|other| *other != id);
        let gone = |other: MachineId| self.nodes[other].service != Service::Runs;
        id < self.first_members && has_nothing && others.into_iter().all(gone)
    }

    /// A machine that does not run gets an empty disk, as good as the one before.
    pub(crate) fn put_empty_disk(&mut self, id: MachineId) {
        let node = &mut self.nodes[id];
        self.lost_writes += node.disk.lost();
        node.disk = node.disk.renewed();
        node.who = None;
        node.copy_of = None;
    }

    /// The disk of a machine that does not run is what it was once.
    pub(crate) fn set_disk_back(&mut self, id: MachineId, kept: &Kept) {
        let node = &mut self.nodes[id];
        self.lost_writes += node.disk.lost();
        node.disk = node.disk.set_back(kept);
        if let Some(who) = &mut node.who {
            who.disk = node.disk.clone();
        }
    }

    /// A machine is gone for ever.
    pub(crate) fn lose(&mut self, id: MachineId, machines: &mut Machines) {
        self.crash(id, true, machines);
        self.nodes[id].service = Service::Lost;
    }

    /// A machine is gone, with what it had not synced.
    pub(crate) fn crash(&mut self, id: MachineId, silently: bool, machines: &mut Machines) {
        if !machines.get(id).is_on() {
            return;
        }
        self.became(id, ProcessEvent::Ended);
        self.net.crash(id, silently);
        if let Some(node) = self.nodes.get_mut(id) {
            *lock(&node.life) = Life::default();
            node.report = None;
        }
        machines.crash(id);
        if let Some(node) = self.nodes.get(id) {
            let before = node.disk.lost();
            node.disk.crash();
            let lost = node.disk.lost() - before;
            if lost > 0 {
                let name = &machines.get(id).name;
                self.world.note(name, format_args!("loses {lost} writes that were not synced"));
            }
        }
    }

    /// Asks a node to stop in good order.
    pub(crate) fn ask_to_stop(&self, id: MachineId) {
        if let Some(stop) = &lock(&self.nodes[id].life).stop {
            stop.send_replace(true);
        }
        self.world.stir(id);
    }

    /// A process that has ended by itself leaves its machine. Why its id is spent, if it is.
    pub(crate) fn note_end(
        &mut self,
        id: MachineId,
        machines: &mut Machines,
    ) -> Option<(NodeId, String)> {
        let node = self.nodes.get(id)?;
        let end = lock(&node.life).ended.take()?;
        let name = &machines.get(id).name;
        match &end {
            End::Plainly(why) => self.world.tell(name, format_args!("has ended: {why}")),
            End::Spent(why) => self.world.tell(name, format_args!("has ended for good: {why}")),
            End::Left => self.world.tell(name, format_args!("has ended: it has left")),
        }
        if !matches!(end, End::Plainly(_)) {
            self.nodes[id].service = Service::Spent;
        }
        self.crash(id, false, machines);
        let who = self.nodes[id].who.as_ref()?.node;
        if let End::Spent(why) = end { Some((who, why)) } else { None }
    }

    /// What a node says of itself, if that differs from what it said before.
    pub(crate) fn news(&mut self, id: MachineId) -> Option<(Who, Report)> {
        let node = self.nodes.get_mut(id)?;
        if node.copy_of.is_some() {
            node.report = lock(&node.life).observer.as_ref().map(Observer::report);
            return None;
        }
        let (report, number) = {
            let life = lock(&node.life);
            let said = life.observer.as_ref().map(Observer::report);
            (said.or_else(|| life.last_words.clone())?, life.node?)
        };
        if node.who.as_ref().is_none_or(|who| who.node != number) {
            let disk_number = node.disk.number().expect("a node that runs has stored who it is");
            let who = Who { node: number, disk_number, disk: node.disk.clone() };
            let name = name_of(self.first_members, id);
            self.world.tell(&name, format_args!("is node n{number}"));
            self.world.record.say(self.world.now(), || format!("{name} is node {number}"));
            let before = node.who.replace(who).map_or(name, |who| format!("n{}", who.node));
            self.met += 1;
            self.world.record.rename(self.world.now(), &before, &format!("n{number}"));
        }
        node.highest_term = node.highest_term.max(report.term);
        if node.report.as_ref() == Some(&report) {
            return None;
        }
        node.report = Some(report.clone());
        Some((node.who.clone().expect("just seen"), report))
    }

    /// Takes what a node that has run has to tell: it is written down and told. Copies are not
    /// listened to: they take themselves for others.
    pub(crate) fn listen(&mut self, id: MachineId, machines: &Machines) {
        let Some(node) = self.nodes.get_mut(id).filter(|node| node.copy_of.is_none()) else {
            return;
        };
        let told = lock(&node.life).observation.as_mut().and_then(Observation::take);
        let Some(told) = told else { return };
        let (me, machine) = (told.node, &machines.get(id).name);
        let own = format!("n{me}");
        let who = if own == *machine { own } else { format!("{own}@{machine}") };
        for what in told.happenings.iter().filter_map(|happening| happening.what.as_ref()) {
            if let Some(news) = node.news.hear(me, what) {
                self.world.note(&who, format_args!("{news}"));
            }
        }
        self.world.record.hear(self.world.now(), &told);
    }

    /// How all machines for nodes are doing.
    pub(crate) fn standings(&self) -> Vec<Standing> {
        let standing = |(id, node): (MachineId, &Server)| Standing {
            name: name_of(self.first_members, id),
            address: node.config.address,
            service: node.service,
            is_first_member: node.config.id.is_some(),
            is_where_one_was: id < self.first_members,
            node: node.who.as_ref().map(|who| who.node),
            report: node.report.clone(),
        };
        self.nodes.iter().enumerate().map(standing).collect()
    }

    /// Who leads, in the highest term.
    pub(crate) fn leader(&self) -> Option<MachineId> {
        let leading = self.nodes.iter().enumerate().filter_map(|(id, node)| {
            let report = node.report.as_ref()?;
            (report.state == "leader").then_some((report.term, id))
        });
        leading.max().map(|(_, id)| id)
    }

    /// The first that runs, is in service and does not lead.
    pub(crate) fn follower(&self) -> Option<MachineId> {
        let leader = self.leader();
        let follows = |id: &MachineId| self.nodes[*id].report.is_some() && leader != Some(*id);
        self.in_service().into_iter().find(follows)
    }

    pub(crate) fn highest_term(&self) -> Term {
        self.nodes.iter().map(|node| node.highest_term).max().unwrap_or_default()
    }

    pub(crate) fn lost_writes(&self) -> u64 {
        self.lost_writes + self.nodes.iter().map(|node| node.disk.lost()).sum::<u64>()
    }
}

fn lock(life: &Mutex<Life>) -> MutexGuard<'_, Life> {
    life.lock().expect("nothing panics while a life is held")
}

fn first_member(plan: &Plan, member: &Member, members: &[Member]) -> NodeConfig {
    let mut config = NodeConfig::alone(&member.name, member.address, &PathBuf::new());
    config.id = Some(member.id);
    config.cluster = ClusterConfig {
        id: Some("simulated".into()),
        seeds: Vec::new(),
        key_file: PathBuf::new(),
        members: members.to_vec(),
    };
    tuned(config, plan)
}

/// A node that joins; its seeds are written down when it starts.
fn newcomer(plan: &Plan, address: SocketAddr) -> NodeConfig {
    tuned(NodeConfig::joining(address, &PathBuf::new(), Vec::new()), plan)
}

fn tuned(mut config: NodeConfig, plan: &Plan) -> NodeConfig {
    config.raft = RaftConfig {
        heartbeat_ms: plan.heartbeat_ms,
        election_ms_min: plan.heartbeat_ms * 4,
        election_ms_max: plan.heartbeat_ms * 7,
        snapshot_after_entries: plan.snapshot_after,
        keep_entries: plan.keep,
    };
    config.gossip = GossipConfig {
        probe_period_ms: 1_000,
        probe_rtt_ms: 300,
        suspect_ms: 3_000,
        ..GossipConfig::default()
    };
    config.membership = MembershipConfig { stable_ms: 1_000 };
    config.check().expect("the configuration is one that a node would take");
    config
}

/// What `hangraft node` does, for one life.
async fn run_node(config: NodeConfig, key: ClusterKey, env: SimEnv, life: Arc<Mutex<Life>>) {
    let written_down = env.world.record.is_kept();
    let listened_to = written_down || env.world.story.is_aloud();
    let node = match Node::start(config, key, Arc::new(env), None).await {
        Ok(node) => node,
        Err(StartError::Spent(why)) => {
            lock(&life).ended = Some(End::Spent(why));
            return;
        }
        Err(err) => {
            let end = End::Plainly(format!("it did not start: {}", chain(&err)));
            lock(&life).ended = Some(end);
            return;
        }
    };
    let (stop, mut stopping) = watch::channel(false);
    {
        let mut life = lock(&life);
        life.node = Some(node.id());
        life.observer = Some(node.observer());
        life.observation = listened_to.then(|| node.observe(written_down));
        life.stop = Some(stop);
    }
    let asked = async move { _ = stopping.wait_for(|stop| *stop).await };
    let end = tokio::select! {
        fatal = node.failed() => Err(fatal),
        () = node.left() => Ok(End::Left),
        () = asked => Ok(End::Plainly("stopped in good order".to_owned())),
    };
    let end = match end {
        Ok(End::Left) => {
            stop_watched(node.stop_now(), &life).await;
            End::Left
        }
        Ok(end) => {
            stop_watched(node.stop(), &life).await;
            end
        }
        Err(Fatal::Broken(why)) => End::Plainly(why),
        Err(Fatal::Spent(why)) => End::Spent(why),
    };
    lock(&life).ended = Some(end);
}

/// How long a stopping node is looked at after consensus has ended: what was committed
/// before is applied then.
const LAST_LOOK: Duration = Duration::from_millis(1);

/// Waits until a node has stopped. Until consensus has ended it may still apply and
/// answer, so it is looked at for as long; after that a look would hold it up.
async fn stop_watched(stopping: impl Future<Output = ()>, life: &Mutex<Life>) {
    let report = || lock(life).observer.as_ref().map(Observer::report);
    let watching = async {
        while report().is_some_and(|report| report.state != "shutdown") {
            sleep(LAST_LOOK).await;
        }
        sleep(LAST_LOOK).await;
        let mut life = lock(life);
        life.observation = None;
        life.last_words = life.observer.take().as_ref().map(Observer::report);
    };
    let (mut stopping, mut watching) = (pin!(stopping), pin!(watching));
    tokio::select! {
        () = &mut stopping => {}
        () = &mut watching => stopping.await,
    }
}

/// What `hangraft frontend` does.
async fn run_frontend(config: FrontendConfig, key: ClusterKey, network: MachineNetwork) {
    let listener = network.listen(config.address).await.expect("the address is free");
    let mut frontend = Frontend::start(config, &key, listener, Arc::new(network), None)
        .expect("a frontend starts");
    frontend.stopped().await;
    panic!("a frontend stopped by itself");
}

fn chain(err: &dyn std::error::Error) -> String {
    let mut text = err.to_string();
    let mut source = err.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
