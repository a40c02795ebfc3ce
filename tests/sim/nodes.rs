//! The cluster's software: boots nodes and frontends, as their binaries would, and
//! looks after what they say of themselves.

use crate::plan::Plan;
use crate::world::disk::Disk;
use crate::world::env::SimEnv;
use crate::world::net::{MachineNetwork, Net};
use crate::world::{MachineId, Machines, World};
use hangraft_cluster_config::{
    ClusterConfig, ClusterKey, FrontendConfig, GossipConfig, Member, NodeConfig, RaftConfig,
};
use hangraft_frontend_server::Frontend;
use hangraft_node::env::Network;
use hangraft_node::{Node, Observer, Report};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::watch;

/// Where nodes and frontends listen.
const NODE_PORT: u16 = 7100;
const FRONTEND_PORT: u16 = 8080;

/// All nodes and frontends, by their machines' numbers.
pub(crate) struct Cluster {
    world: World,
    net: Net,
    key: ClusterKey,
    nodes: Vec<Server>,
    frontends: Vec<FrontendConfig>,
}

/// A node, life after life.
struct Server {
    config: NodeConfig,
    disk: Disk,
    life: Arc<Mutex<Life>>,
    /// What it said last.
    report: Option<Report>,
    highest_term: u64,
}

/// What a running node shows to the outside.
#[derive(Default)]
struct Life {
    observer: Option<Observer>,
    /// Asks it to stop in good order.
    stop: Option<watch::Sender<bool>>,
    /// Why it has ended, if it has by itself or because it was asked to.
    ended: Option<String>,
}

impl Cluster {
    pub(crate) fn new(plan: &Plan, world: &World, net: &Net, disks: Vec<Disk>) -> Self {
        let ips: Vec<IpAddr> = (0..plan.nodes).map(|_| net.attach()).collect();
        let members: Vec<Member> = ips
            .iter()
            .enumerate()
            .map(|(number, ip)| Member {
                id: number as u64 + 1,
                name: format!("n{}", number + 1),
                address: SocketAddr::new(*ip, NODE_PORT),
            })
            .collect();
        let nodes = members
            .iter()
            .zip(disks)
            .map(|(member, disk)| Server {
                config: config(plan, member, &members),
                disk,
                life: Arc::default(),
                report: None,
                highest_term: 0,
            })
            .collect();
        let addresses: Vec<SocketAddr> = members.iter().map(|member| member.address).collect();
        let frontends = (0..plan.frontends)
            .map(|_| {
                let address = SocketAddr::new(net.attach(), FRONTEND_PORT);
                let mut config = FrontendConfig::new(address, addresses.clone(), PathBuf::new());
                // Players here think faster than people.
                config.limits.actions_per_20s = 0;
                config
            })
            .collect();
        net.attach();
        let key = ClusterKey::from_bytes([7; 32]);
        Cluster { world: world.clone(), net: net.clone(), key, nodes, frontends }
    }

    pub(crate) fn key(&self) -> ClusterKey {
        self.key.clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The machine of a frontend.
    pub(crate) fn frontend(&self, number: usize) -> MachineId {
        self.nodes.len() + number % self.frontends.len()
    }

    pub(crate) fn frontends(&self) -> impl Iterator<Item = MachineId> + use<> {
        self.nodes.len()..self.nodes.len() + self.frontends.len()
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

    /// Switches a machine on and starts what belongs on it.
    pub(crate) fn boot(&mut self, id: MachineId, machines: &mut Machines) {
        self.net.power_on(id);
        self.world.tell(format_args!("{} starts", machines.get(id).name));
        let network = self.net.of(id);
        let key = self.key.clone();
        if let Some(node) = self.nodes.get_mut(id) {
            node.life = Arc::default();
            node.report = None;
            let env = SimEnv { world: self.world.clone(), network, disk: node.disk.clone() };
            let running = run_node(node.config.clone(), key, env, node.life.clone());
            machines.boot(id, || _ = tokio::spawn(running));
        } else {
            let config = self.frontends[id - self.nodes.len()].clone();
            machines.boot(id, || _ = tokio::spawn(run_frontend(config, key, network)));
        }
    }

    /// A machine is gone, with what it had not synced.
    pub(crate) fn crash(&mut self, id: MachineId, silently: bool, machines: &mut Machines) {
        if !machines.get(id).is_on() {
            return;
        }
        self.net.crash(id, silently);
        if let Some(node) = self.nodes.get_mut(id) {
            *lock(&node.life) = Life::default();
            node.report = None;
        }
        machines.crash(id);
        if let Some(node) = self.nodes.get(id) {
            node.disk.crash();
        }
    }

    /// Asks a node to stop in good order.
    pub(crate) fn ask_to_stop(&self, id: MachineId) {
        if let Some(stop) = &lock(&self.nodes[id].life).stop {
            stop.send_replace(true);
        }
        self.world.stir(id);
    }

    /// A process that has ended by itself leaves its machine.
    pub(crate) fn note_end(&mut self, id: MachineId, machines: &mut Machines) {
        let Some(node) = self.nodes.get(id) else { return };
        let ended = lock(&node.life).ended.take();
        if let Some(why) = ended {
            self.world.tell(format_args!("n{} has ended: {why}", id + 1));
            self.crash(id, false, machines);
        }
    }

    /// What a node says of itself, if that differs from what it said before.
    pub(crate) fn news(&mut self, id: MachineId) -> Option<Report> {
        let node = self.nodes.get_mut(id)?;
        let report = lock(&node.life).observer.as_ref()?.report();
        node.highest_term = node.highest_term.max(report.term);
        if node.report.as_ref() == Some(&report) {
            return None;
        }
        node.report = Some(report.clone());
        Some(report)
    }

    /// What all nodes said last.
    pub(crate) fn reports(&self) -> Vec<Option<Report>> {
        self.nodes.iter().map(|node| node.report.clone()).collect()
    }

    /// Who leads, in the highest term.
    pub(crate) fn leader(&self) -> Option<MachineId> {
        let leading = self.nodes.iter().enumerate().filter_map(|(id, node)| {
            let report = node.report.as_ref()?;
            (report.state == "leader").then_some((report.term, id))
        });
        leading.max().map(|(_, id)| id)
    }

    pub(crate) fn terms(&self) -> u64 {
        self.nodes.iter().map(|node| node.highest_term).max().unwrap_or(0)
    }

    pub(crate) fn lost_writes(&self) -> u64 {
        self.nodes.iter().map(|node| node.disk.lost()).sum()
    }
}

fn lock(life: &Mutex<Life>) -> MutexGuard<'_, Life> {
    life.lock().expect("nothing panics while a life is held")
}

fn config(plan: &Plan, member: &Member, members: &[Member]) -> NodeConfig {
    let mut config = NodeConfig::alone(&member.name, member.address, &PathBuf::new());
    config.id = Some(member.id);
    config.cluster = ClusterConfig {
        id: Some("simulated".into()),
        seeds: Vec::new(),
        key_file: PathBuf::new(),
        members: members.to_vec(),
    };
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
    config.check().expect("the configuration is one that a node would take");
    config
}

/// What `hangraft node` does, for one life.
async fn run_node(config: NodeConfig, key: ClusterKey, env: SimEnv, life: Arc<Mutex<Life>>) {
    let node = match Node::start(config, key, Arc::new(env), None).await {
        Ok(node) => node,
        Err(err) => {
            lock(&life).ended = Some(format!("it did not start: {}", chain(&err)));
            return;
        }
    };
    let (stop, mut stopping) = watch::channel(false);
    {
        let mut life = lock(&life);
        life.observer = Some(node.observer());
        life.stop = Some(stop);
    }
    let asked = async move { _ = stopping.wait_for(|stop| *stop).await };
    let failed = tokio::select! {
        fatal = node.failed() => Some(fatal.to_string()),
        () = asked => None,
    };
    if failed.is_none() {
        lock(&life).observer = None;
        node.stop().await;
    }
    lock(&life).ended = Some(failed.unwrap_or_else(|| "stopped in good order".to_owned()));
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
