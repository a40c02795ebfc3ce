//! Starts and stops nodes, and speaks with them as a frontend does.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use hangraft_cluster_config::{ClusterKey, LogKind, NodeConfig};
use hangraft_ids::{LogIndex, NodeId};
use hangraft_node::backup::{self, Founder};
use hangraft_node::env::{Connection, Datagrams, Env, Listener, Network};
use hangraft_node::gossip::Roster;
use hangraft_node::real::RealEnv;
use hangraft_node::storage::log::{DeviceState, LogDevice, Position, Synced, Write};
use hangraft_node::storage::{FileReader, FileWriter, Files, Storage};
use hangraft_node::{Fatal, Node, StartError};
use hangraft_proto::ACCESS_HEADER;
use hangraft_proto::pass::Pass;
use hangraft_proto::v1::answer::Outcome;
use hangraft_proto::v1::cluster_client::ClusterClient;
use hangraft_proto::v1::command::Action;
use hangraft_proto::v1::freshness::Level;
use hangraft_proto::v1::game_client::GameClient;
use hangraft_proto::v1::look_request::At;
use hangraft_proto::v1::{
    Accepted, BackupRequest, Code, Command, Downlink, Event, EventsRequest, Follow, Freshness,
    LookReply, LookRequest, Member, NodeReport, Open, Play, ReadReply, ReadRequest, Refused,
    ReportRequest, RoomsRequest, SetRequest, Sit, Stand, StatusReply, StatusRequest, Told,
    TransferLeaderRequest, Update, Uplink, Watch,
};
use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};
use tonic::metadata::MetadataValue;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Streaming};

/// Everything a test waits for happens within this time, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the thread of consensus does something else after each task.
const CONSENSUS_HELD_UP: Duration = Duration::from_millis(100);

/// From one move of a player who does not think to the next.
const FIDGET: Duration = Duration::from_millis(60);

/// Waits until `holds` says yes.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "still not: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// A client that shows the key.
pub(crate) type Operator = ClusterClient<InterceptedService<Channel, Pass>>;

pub(crate) struct Cluster {
    dir: TempDir,
    key: ClusterKey,
    configs: BTreeMap<u64, NodeConfig>,
    keys: BTreeMap<u64, ClusterKey>,
    broken: BTreeMap<u64, Arc<AtomicBool>>,
    /// Whose disks forget what was written in their entries.
    forgetful: BTreeMap<u64, Arc<AtomicBool>>,
    garbling: BTreeMap<u64, Arc<AtomicBool>>,
    /// Whose datagrams go nowhere.
    mute: BTreeMap<u64, Arc<AtomicBool>>,
    /// By how much more time has passed than has.
    passed_ms: Arc<AtomicU64>,
    /// How wrong each wall clock is.
    ahead_ms: BTreeMap<u64, Arc<AtomicU64>>,
    /// How long each disk's syncs take, in milliseconds; 0 for as long as they do.
    slow: BTreeMap<u64, Arc<AtomicU64>>,
    /// How many players have come who were never here before.
    newcomers: AtomicU64,
    nodes: BTreeMap<u64, Node>,
}

impl Cluster {
    pub(crate) fn new(size: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let addresses: BTreeMap<u64, SocketAddr> =
            free_addresses(size).into_iter().enumerate().map(|(i, a)| (i as u64 + 1, a)).collect();
        let members: String = addresses
            .iter()
            .map(|(id, address)| {
                format!("[[cluster.members]]\nid = {id}\nname = 'n{id}'\naddress = '{address}'\n")
            })
            .collect();
        let config = |id: u64, address: SocketAddr| {
            let path = dir.path().join(format!("n{id}.toml"));
            let text = format!(
                "id = {id}\nname = 'n{id}'\naddress = '{address}'\ndata_dir = 'n{id}'\nrealtime = false\n\
                 [membership]\nstable_ms = 300\n\
                 [gossip]\nprobe_period_ms = 200\nprobe_rtt_ms = 60\nsuspect_ms = 600\nannounce_ms = 300\n\
                 [cluster]\nid = 'test'\nkey_file = 'key'\n{members}"
            );
            std::fs::write(&path, text).unwrap();
            NodeConfig::load(&path).unwrap()
        };
        let configs = addresses.iter().map(|(id, a)| (*id, config(*id, *a))).collect();
        let switches = || addresses.keys().map(|id| (*id, Arc::default())).collect();
        let (broken, forgetful, mute) = (switches(), switches(), switches());
        let garbling = switches();
        let ahead_ms = addresses.keys().map(|id| (*id, Arc::default())).collect();
        let slow = addresses.keys().map(|id| (*id, Arc::default())).collect();
        let key = ClusterKey::generate().unwrap();
        Cluster {
            dir,
            key,
            configs,
            keys: BTreeMap::new(),
            broken,
            forgetful,
            garbling,
            mute,
            passed_ms: Arc::default(),
            ahead_ms,
            slow,
            newcomers: AtomicU64::new(0),
            nodes: BTreeMap::new(),
        }
    }

    /// From their next start on all nodes keep their logs this way.
    pub(crate) fn keep_logs_as(&mut self, log: LogKind) {
        self.configs.values_mut().for_each(|config| config.log = log);
    }

    pub(crate) fn snapshot_every(&mut self, entries: u64) {
        for config in self.configs.values_mut() {
            config.raft.snapshot_after_entries = entries;
            config.raft.keep_entries = entries / 2;
        }
    }

    pub(crate) fn allow_faults(&mut self) {
        self.configs.values_mut().for_each(|config| config.faults = true);
    }

    pub(crate) fn other_key(&mut self, id: u64) {
        self.keys.insert(id, ClusterKey::generate().unwrap());
    }

    pub(crate) async fn start_all(&mut self) {
        for id in self.configs.keys().copied().collect::<Vec<_>>() {
            self.start(id).await;
        }
    }

    pub(crate) async fn start(&mut self, id: u64) {
        let node = self.try_start(id).await.unwrap();
        self.nodes.insert(id, node);
    }

    pub(crate) async fn try_start(&self, id: u64) -> Result<Node, StartError> {
        let config = self.configs[&id].clone();
        let env = Arc::new(BreakableEnv {
            real: RealEnv::new(&config).unwrap(),
            broken: self.broken[&id].clone(),
            forgetful: self.forgetful[&id].clone(),
            garbling: self.garbling[&id].clone(),
            mute: self.mute[&id].clone(),
            passed_ms: self.passed_ms.clone(),
            ahead_ms: self.ahead_ms[&id].clone(),
            slow: self.slow[&id].clone(),
        });
        let key = self.keys.get(&id).unwrap_or(&self.key).clone();
        Node::start(config, key, env, None).await
    }

    /// A node that is going to join, by the seed at n1, and known here by this number.
    pub(crate) fn newcomer(&mut self, id: u64) -> &mut NodeConfig {
        let dir = self.dir.path().join(format!("n{id}"));
        let address = free_addresses(1)[0];
        let first = &self.configs[&1];
        let mut config = NodeConfig::joining(address, &dir, vec![first.address]);
        config.gossip = first.gossip.clone();
        config.membership = first.membership.clone();
        config.realtime = false;
        self.broken.insert(id, Arc::default());
        self.forgetful.insert(id, Arc::default());
        self.garbling.insert(id, Arc::default());
        self.mute.insert(id, Arc::default());
        self.slow.insert(id, Arc::default());
        self.ahead_ms.insert(id, Arc::default());
        self.configs.insert(id, config);
        self.configs.get_mut(&id).expect("just inserted")
    }

    /// A node, known here by this number, that has a copy of another one's data. It listens
    /// elsewhere, and says that it is reached where that one is, as a copied machine does.
    pub(crate) fn copy(&mut self, of: u64, id: u64) {
        let original = self.configs[&of].clone();
        let config = self.newcomer(id);
        config.advertise = Some(original.address);
        config.cluster.seeds.clear();
        let (from, to) = (original.data_dir, config.data_dir.clone());
        copy_folder(&from, &to);
    }

    /// A stopped node gets another address, and is told so when it starts.
    pub(crate) fn move_node(&mut self, id: u64) {
        let address = free_addresses(1)[0];
        let config = self.configs_mut(id);
        config.address = address;
        config.moved = true;
        for member in config.cluster.members.iter_mut().filter(|member| member.id == NodeId(id)) {
            member.address = address;
        }
    }

    pub(crate) fn configs_mut(&mut self, id: u64) -> &mut NodeConfig {
        self.configs.get_mut(&id).expect("a node of this cluster")
    }

    /// Removes all that a stopped node has.
    pub(crate) fn wipe(&self, id: u64) {
        std::fs::remove_dir_all(&self.configs[&id].data_dir).unwrap();
    }

    pub(crate) fn mute(&self, id: u64) -> &AtomicBool {
        &self.mute[&id]
    }

    /// Each sync of this node's log takes so long from now on; no time is as it was.
    pub(crate) fn slow_disk(&self, id: u64, sync: Duration) {
        self.slow[&id].store(sync.as_millis() as u64, Ordering::SeqCst);
    }

    /// Keeps a copy of all that a stopped node has: its disk, as it is now.
    pub(crate) fn keep_disk(&self, id: u64) -> TempDir {
        let kept = tempfile::tempdir().unwrap();
        copy_folder(&self.configs[&id].data_dir, kept.path());
        kept
    }

    /// Puts a stopped node's disk back to what it was when it was kept.
    pub(crate) fn set_disk_back(&self, id: u64, kept: &TempDir) {
        self.wipe(id);
        copy_folder(kept.path(), &self.configs[&id].data_dir);
    }

    /// The folder of a node.
    pub(crate) fn folder(&self, id: u64) -> &Path {
        &self.configs[&id].data_dir
    }

    pub(crate) fn node(&self, id: u64) -> &Node {
        &self.nodes[&id]
    }

    /// What an operator asks with.
    pub(crate) async fn operator(&self, id: u64) -> Operator {
        self.operator_at(id).await.unwrap()
    }

    /// The same, once it can be reached.
    pub(crate) async fn operator_at(&self, id: u64) -> Option<Operator> {
        let endpoint = Channel::from_shared(format!("http://{}", self.address(id))).unwrap();
        let channel = endpoint.connect().await.ok()?;
        let key = self.keys.get(&id).unwrap_or(&self.key);
        Some(ClusterClient::with_interceptor(channel, Pass::new(&key.operator_token())))
    }

    pub(crate) fn key(&self) -> &ClusterKey {
        &self.key
    }

    pub(crate) async fn set(&self, voters: Option<u32>, replace_after_ms: Option<u64>) {
        let leader = self.leader().await;
        let request = SetRequest { voters, replace_after_ms };
        self.operator(leader).await.set(request).await.unwrap();
    }

    pub(crate) async fn status(&self, id: u64) -> Option<StatusReply> {
        let mut client = self.operator_at(id).await?;
        Some(client.status(StatusRequest {}).await.ok()?.into_inner())
    }

    /// What a node has told of this kind.
    pub(crate) async fn told(&self, id: u64, kind: &str) -> Vec<String> {
        self.events(id, kind).await.into_iter().map(|event| event.text).collect()
    }

    /// When it has told it, in milliseconds since 1970.
    pub(crate) async fn dates(&self, id: u64, kind: &str) -> Vec<u64> {
        self.events(id, kind).await.into_iter().map(|event| event.at_ms).collect()
    }

    async fn events(&self, id: u64, kind: &str) -> Vec<Event> {
        let mut events = self.operator(id).await;
        let request = EventsRequest { past: 1_000 };
        let mut events = events.events(request).await.unwrap().into_inner();
        let mut told = Vec::new();
        while let Ok(Ok(Some(event))) = timeout(Duration::from_millis(300), events.message()).await
        {
            if event.kind == kind {
                told.push(event);
            }
        }
        told
    }

    /// The ids of those who vote, as a node knows.
    pub(crate) async fn voters(&self, id: u64) -> Vec<u64> {
        let members = self.status(id).await.map_or_else(Vec::new, |status| status.members);
        let votes = |member: &Member| member.role == "leader" || member.role == "voter";
        members.iter().filter(|member| votes(member)).map(|member| member.id).collect()
    }

    pub(crate) async fn expect_no_leader_for(&self, time: Duration) {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline {
            for id in self.nodes.keys() {
                let report = self.report(*id).await.unwrap();
                assert_ne!(report.state, "leader", "{report:?}");
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn stop(&mut self, id: u64) {
        self.nodes.remove(&id).unwrap().stop().await;
    }

    /// A node is gone, and hands nothing over.
    pub(crate) async fn stop_now(&mut self, id: u64) {
        self.nodes.remove(&id).unwrap().stop_now().await;
    }

    /// Waits until a node stops for good, and takes it down. What it says about it.
    pub(crate) async fn spent(&mut self, id: u64) -> String {
        let ended = timeout(PATIENCE, self.node(id).failed()).await.expect("it stops");
        let Fatal::Spent(why) = ended else { panic!("{ended:?}") };
        self.stop(id).await;
        why
    }

    pub(crate) async fn stop_all(mut self) {
        for id in self.nodes.keys().copied().collect::<Vec<_>>() {
            self.stop(id).await;
        }
    }

    pub(crate) fn address(&self, id: u64) -> SocketAddr {
        self.configs[&id].address
    }

    pub(crate) fn broken(&self, id: u64) -> &AtomicBool {
        &self.broken[&id]
    }

    pub(crate) fn forgetful(&self, id: u64) -> &AtomicBool {
        &self.forgetful[&id]
    }

    /// While it is on, what is written to this node's snapshots is not what arrives there.
    pub(crate) fn garbling(&self, id: u64) -> &AtomicBool {
        &self.garbling[&id]
    }

    /// Lets time pass, by all clocks.
    pub(crate) fn pass(&self, time: Duration) {
        self.passed_ms.fetch_add(time.as_millis() as u64, Ordering::SeqCst);
    }

    /// Sets a node's wall clock ahead.
    pub(crate) fn set_ahead(&self, id: u64, time: Duration) {
        self.ahead_ms[&id].store(time.as_millis() as u64, Ordering::SeqCst);
    }

    /// Moves leadership, and waits until it has moved.
    pub(crate) async fn lead(&self, id: u64) {
        let (from, to) = (self.leader().await, id);
        if from != to {
            let operator = self.operator(from).await;
            let moved = || {
                let mut operator = operator.clone();
                async move { operator.transfer_leader(TransferLeaderRequest { to }).await.is_ok() }
            };
            eventually("leadership moves", moved).await;
        }
        assert_eq!(self.leader().await, id);
    }

    /// What may be used, as a node knows it.
    pub(crate) async fn features(&self, id: u64) -> Vec<String> {
        self.status(id).await.map_or_else(Vec::new, |status| status.features)
    }

    /// A backup, as a node gives it once it can.
    pub(crate) async fn backup(&self, id: u64) -> Vec<u8> {
        let deadline = Instant::now() + PATIENCE;
        let mut chunks = loop {
            match self.operator(id).await.backup(BackupRequest {}).await {
                Ok(chunks) => break chunks.into_inner(),
                Err(status) => assert!(Instant::now() < deadline, "{status:?}"),
            }
            sleep(Duration::from_millis(20)).await;
        };
        let mut file = Vec::new();
        while let Some(chunk) = chunks.message().await.unwrap() {
            file.extend_from_slice(&chunk.data);
        }
        file
    }

    /// Makes a node that was never started the beginning of a cluster from a backup.
    pub(crate) async fn restore(&mut self, id: u64, file: &[u8], cluster: &str) {
        let config = self.configs_mut(id);
        config.cluster.id = Some(cluster.into());
        let (name, address) = (format!("n{id}"), config.address);
        let founder = Founder { cluster: cluster.into(), name, address };
        let env = RealEnv::new(config).unwrap();
        backup::restore(file, founder, &*env).await.unwrap();
    }

    /// Removes a stopped node's archive.
    pub(crate) fn lose_archive(&self, id: u64) {
        std::fs::remove_dir_all(self.dir.path().join(format!("n{id}/archive"))).unwrap();
    }

    /// The rooms in a node's archive, as it lists them.
    pub(crate) async fn archived(&self, id: u64) -> Vec<u64> {
        let Ok(mut client) = GameClient::connect(format!("http://{}", self.address(id))).await
        else {
            return Vec::new();
        };
        let state = "archived".to_owned();
        let mut request =
            Request::new(RoomsRequest { state, private: true, ..RoomsRequest::default() });
        request.metadata_mut().insert(ACCESS_HEADER, self.access());
        let rooms = client.rooms(request).await.map(|reply| reply.into_inner().rooms);
        rooms.unwrap_or_default().into_iter().map(|room| room.room).collect()
    }

    pub(crate) async fn failed(&self, id: u64) -> String {
        timeout(PATIENCE, self.nodes[&id].failed()).await.expect("it stops").to_string()
    }

    pub(crate) fn roster(&self, id: u64) -> watch::Receiver<Roster> {
        self.nodes[&id].roster()
    }

    pub(crate) async fn report(&self, id: u64) -> Option<NodeReport> {
        let mut client = self.operator_at(id).await?;
        Some(client.report(ReportRequest {}).await.ok()?.into_inner())
    }

    /// The node that leads, once exactly one says so.
    pub(crate) async fn leader(&self) -> u64 {
        let all: Vec<u64> = self.nodes.keys().copied().collect();
        self.leader_among(&all).await
    }

    pub(crate) async fn leader_among(&self, ids: &[u64]) -> u64 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut leading = Vec::new();
            for id in ids {
                let report = self.report(*id).await;
                if report.is_some_and(|report| report.state == "leader") {
                    leading.push(*id);
                }
            }
            if let [leader] = leading[..] {
                return leader;
            }
            assert!(Instant::now() < deadline, "no leader");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until all running nodes have applied the same index with the same hash.
    pub(crate) async fn same_hash_everywhere(&self) {
        let same = || async {
            let mut seen = Vec::new();
            for id in self.nodes.keys() {
                let Some(report) = self.report(*id).await else { return false };
                seen.push((report.applied, report.hash));
            }
            for pair in seen.windows(2) {
                let ((index, hash), (other, other_hash)) = (&pair[0], &pair[1]);
                assert!(index != other || hash == other_hash, "drift at {index}: {seen:?}");
            }
            seen[0].0 > 0 && seen.windows(2).all(|pair| pair[0] == pair[1])
        };
        eventually("all replicas are at the same index with the same hash", same).await;
    }

    pub(crate) async fn look_up(&self, id: u64, at: At) -> LookReply {
        let mut client = GameClient::connect(format!("http://{}", self.address(id))).await.unwrap();
        let mut request = Request::new(LookRequest { at: Some(at) });
        request.metadata_mut().insert(ACCESS_HEADER, self.access());
        client.look(request).await.unwrap().into_inner()
    }

    pub(crate) async fn read_linearizable(&self, id: u64, room: u64) -> ReadReply {
        let mut client = GameClient::connect(format!("http://{}", self.address(id))).await.unwrap();
        let freshness = Some(Freshness { level: Some(Level::Linearizable(true)) });
        let mut request = Request::new(ReadRequest { room, player: 0, freshness });
        request.metadata_mut().insert(ACCESS_HEADER, self.access());
        client.read(request).await.unwrap().into_inner()
    }

    fn access(&self) -> MetadataValue<tonic::metadata::Ascii> {
        self.key.access_token().parse().unwrap()
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn free_addresses(count: u64) -> Vec<SocketAddr> {
    let taken: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    taken.iter().map(|listener| listener.local_addr().unwrap()).collect()
}

/// One player on a link of its own, one command at a time.
pub(crate) struct Player {
    id: u64,
    serial: u64,
    uplinks: mpsc::Sender<Uplink>,
    downlinks: Streaming<Downlink>,
}

impl Player {
    pub(crate) async fn at(address: SocketAddr, cluster: &Cluster) -> Self {
        let (uplinks, downlinks) = link(address, cluster).await;
        Player { id: 4711, serial: 1_000, uplinks, downlinks }
    }

    /// Somebody who was never here before.
    pub(crate) async fn new_at(address: SocketAddr, cluster: &Cluster) -> Self {
        let number = cluster.newcomers.fetch_add(1, Ordering::Relaxed);
        Player { id: 10_000 + number, ..Player::at(address, cluster).await }
    }

    pub(crate) async fn also_at(&self, address: SocketAddr, cluster: &Cluster) -> Self {
        let (uplinks, downlinks) = link(address, cluster).await;
        Player { id: self.id, serial: self.serial, uplinks, downlinks }
    }

    /// Somebody else on the same link.
    pub(crate) fn another(self) -> Self {
        Player { id: self.id + 1, ..self }
    }

    /// Somebody else on the same link, so many numbers further.
    pub(crate) fn another_at(self, further: u64) -> Self {
        Player { id: self.id + further, ..self }
    }

    pub(crate) async fn open(&mut self) -> u64 {
        let open = Open { game: "hangman".into(), ..Open::default() };
        self.ask(Action::Open(open)).await.unwrap().room
    }

    pub(crate) async fn open_and_sit(&mut self) -> u64 {
        let room = self.open().await;
        self.ask(Action::Sit(Sit { room, name: "Ann".into() })).await.unwrap();
        room
    }

    pub(crate) async fn stand(&mut self, room: u64) {
        self.ask(Action::Stand(Stand { room })).await.unwrap();
    }

    pub(crate) async fn sit(&mut self, room: u64) {
        self.ask(Action::Sit(Sit { room, name: "Ann".into() })).await.unwrap();
    }

    /// Stands up and sits down again and again for a while, as fast as people do.
    pub(crate) async fn fidget(&mut self, room: u64, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.stand(room).await;
            sleep(FIDGET).await;
            self.sit(room).await;
            sleep(FIDGET).await;
        }
    }

    /// Watches a room: the version shown first, or why there is none.
    pub(crate) async fn watch(&mut self, room: u64) -> Result<u64, Code> {
        self.look(room).await.map(|update| update.version)
    }

    /// Watches a room: what is shown first, or why there is none.
    pub(crate) async fn look(&mut self, room: u64) -> Result<Update, Code> {
        let watches = vec![Watch { room, players: vec![self.id], ..Watch::default() }];
        self.uplinks.send(Uplink { watches, ..Uplink::default() }).await.unwrap();
        self.next_of(room).await
    }

    /// Whatever is said next on this link, and when.
    pub(crate) async fn hear(&mut self) -> (Downlink, Instant) {
        let downlink = timeout(PATIENCE, self.downlinks.message()).await.expect("something");
        (downlink.unwrap().expect("the link stays open"), Instant::now())
    }

    /// What is said next of a watched room.
    pub(crate) async fn next_of(&mut self, room: u64) -> Result<Update, Code> {
        loop {
            let downlink = timeout(PATIENCE, self.downlinks.message()).await.expect("an answer");
            let downlink = downlink.unwrap().expect("the link stays open");
            if let Some(update) = downlink.updates.into_iter().find(|update| update.room == room) {
                return Ok(update);
            }
            let refused = downlink.watch_refused.into_iter().find(|refused| refused.room == room);
            if let Some(refused) = refused {
                return Err(refused.refused.unwrap().code());
            }
        }
    }

    /// Plays letters until the round is over; the version of the last accepted one.
    pub(crate) async fn play_letters(&mut self, room: u64, letters: &str) -> u64 {
        let mut version = 0;
        for letter in letters.chars() {
            self.serial += 1;
            match self.play(room, letter, self.serial).await {
                Ok(accepted) => version = accepted.version,
                Err(refused) if refused.code() == Code::GameOver => break,
                Err(refused) => panic!("{letter}: {refused:?}"),
            }
        }
        version
    }

    pub(crate) async fn play(
        &mut self,
        room: u64,
        letter: char,
        serial: u64,
    ) -> Result<Accepted, Refused> {
        let text = format!(r#"{{"letter":"{letter}"}}"#);
        self.ask_with(serial, Action::Play(Play { room, r#move: text })).await
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Says something that gets no answer of its own.
    pub(crate) async fn say(&self, uplink: Uplink) {
        self.uplinks.send(uplink).await.unwrap();
    }

    /// Follows a player: what is told first.
    pub(crate) async fn follow(&mut self, player: u64, since: Option<u64>, ask: u64) -> Told {
        let follows = vec![Follow { player, since, ask }];
        self.say(Uplink { follows, ..Uplink::default() }).await;
        loop {
            let told = self.told(player).await;
            if told.ask == ask {
                return told;
            }
        }
    }

    /// What a followed player is told next.
    pub(crate) async fn told(&mut self, player: u64) -> Told {
        loop {
            let (downlink, _) = self.hear().await;
            if let Some(told) = downlink.told.into_iter().find(|told| told.player == player) {
                return told;
            }
        }
    }

    pub(crate) async fn ask(&mut self, action: Action) -> Result<Accepted, Refused> {
        self.serial += 1;
        self.ask_with(self.serial, action).await
    }

    /// Asks until the answer is known: the same serial again is harmless.
    async fn ask_with(&mut self, serial: u64, action: Action) -> Result<Accepted, Refused> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let command = Command {
                id: serial,
                player: self.id,
                lane: 0,
                serial,
                action: Some(action.clone()),
            };
            let uplink = Uplink { commands: vec![command], ..Uplink::default() };
            self.uplinks.send(uplink).await.unwrap();
            match self.answer(serial).await {
                Outcome::Accepted(accepted) => return Ok(accepted),
                Outcome::Refused(refused) => match refused.code() {
                    Code::NoQuorum | Code::UnknownOutcome | Code::Busy => {
                        assert!(Instant::now() < deadline, "{refused:?}");
                        sleep(Duration::from_millis(20)).await;
                    }
                    _ => return Err(refused),
                },
            }
        }
    }

    async fn answer(&mut self, id: u64) -> Outcome {
        loop {
            let downlink = timeout(PATIENCE, self.downlinks.message()).await.expect("an answer");
            let downlink = downlink.unwrap().expect("the link stays open");
            if let Some(answer) = downlink.answers.into_iter().find(|answer| answer.id == id) {
                return answer.outcome.unwrap();
            }
        }
    }
}

async fn link(
    address: SocketAddr,
    cluster: &Cluster,
) -> (mpsc::Sender<Uplink>, Streaming<Downlink>) {
    let mut client = GameClient::connect(format!("http://{address}")).await.unwrap();
    let (uplinks, receiver) = mpsc::channel(4);
    let mut request = Request::new(tokio_stream::wrappers::ReceiverStream::new(receiver));
    request.metadata_mut().insert(ACCESS_HEADER, cluster.access());
    (uplinks, client.link(request).await.unwrap().into_inner())
}

/// The real surroundings with a disk that can be told to fail.
struct BreakableEnv {
    real: Arc<RealEnv>,
    broken: Arc<AtomicBool>,
    forgetful: Arc<AtomicBool>,
    garbling: Arc<AtomicBool>,
    mute: Arc<AtomicBool>,
    passed_ms: Arc<AtomicU64>,
    ahead_ms: Arc<AtomicU64>,
    slow: Arc<AtomicU64>,
}

/// Datagrams that can be told to go nowhere.
struct Mutable {
    real: Arc<dyn Datagrams>,
    mute: Arc<AtomicBool>,
}

#[async_trait]
impl Datagrams for Mutable {
    async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        if self.mute.load(Ordering::SeqCst) {
            return Ok(());
        }
        self.real.send_to(bytes, to).await
    }

    async fn receive_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.real.receive_from(buffer).await
    }
}

#[async_trait]
impl Network for BreakableEnv {
    async fn listen(&self, address: SocketAddr) -> io::Result<Box<dyn Listener>> {
        self.real.listen(address).await
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<Connection> {
        self.real.connect(address).await
    }
}

#[async_trait]
impl Env for BreakableEnv {
    async fn datagrams(&self, address: SocketAddr) -> io::Result<Arc<dyn Datagrams>> {
        let real = self.real.datagrams(address).await?;
        Ok(Arc::new(Mutable { real, mute: self.mute.clone() }))
    }

    fn unix_ms(&self) -> u64 {
        let ahead_ms = self.ahead_ms.load(Ordering::SeqCst);
        self.real.unix_ms() + self.passed_ms.load(Ordering::SeqCst) + ahead_ms
    }

    fn running_ms(&self) -> u64 {
        self.real.running_ms() + self.passed_ms.load(Ordering::SeqCst)
    }

    fn entropy(&self) -> u64 {
        self.real.entropy()
    }

    async fn storage(&self) -> io::Result<Storage> {
        let storage = self.real.storage().await?;
        let (broken, forgetful) = (self.broken.clone(), self.forgetful.clone());
        let slow = Arc::new(SlowSyncs { ms: self.slow.clone(), waiting: Mutex::default() });
        let log = BreakableLog { real: storage.log, broken, forgetful, slow };
        let files = GarblingFiles { real: storage.files, garbling: self.garbling.clone() };
        Ok(Storage { log: Arc::new(log), files: Arc::new(files), ..storage })
    }

    /// The thread of consensus is a slow one: what a task has left there waits. Others must not
    /// go on as if it had been done.
    fn spawn_consensus(&self, work: BoxFuture<'static, ()>) {
        self.real.spawn_consensus(Box::pin(async {
            work.await;
            std::thread::sleep(CONSENSUS_HELD_UP);
        }));
    }
}

/// Files that can be told to keep something else than they are given, unless they say who
/// the node is.
struct GarblingFiles {
    real: Arc<dyn Files>,
    garbling: Arc<AtomicBool>,
}

struct GarblingWriter {
    real: Box<dyn FileWriter>,
    garbling: Arc<AtomicBool>,
}

#[async_trait]
impl Files for GarblingFiles {
    async fn list(&self) -> io::Result<Vec<String>> {
        self.real.list().await
    }

    async fn create(&self, name: &str) -> io::Result<Box<dyn FileWriter>> {
        let real = self.real.create(name).await?;
        if name.ends_with(".json") {
            return Ok(real);
        }
        Ok(Box::new(GarblingWriter { real, garbling: self.garbling.clone() }))
    }

    async fn open(&self, name: &str) -> io::Result<Box<dyn FileReader>> {
        self.real.open(name).await
    }

    async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.real.rename(from, to).await
    }

    async fn remove(&self, name: &str) -> io::Result<()> {
        self.real.remove(name).await
    }
}

#[async_trait]
impl FileWriter for GarblingWriter {
    async fn append(&mut self, bytes: Bytes) -> io::Result<()> {
        let mut bytes = bytes.to_vec();
        if let Some(last) = bytes.last_mut().filter(|_| self.garbling.load(Ordering::SeqCst)) {
            *last ^= 1;
        }
        self.real.append(bytes.into()).await
    }

    async fn commit(self: Box<Self>) -> io::Result<()> {
        self.real.commit().await
    }
}

struct BreakableLog {
    real: Arc<dyn LogDevice>,
    broken: Arc<AtomicBool>,
    forgetful: Arc<AtomicBool>,
    slow: Arc<SlowSyncs>,
}

/// Lets syncs take longer. As on a real disk, one runs at a time, and serves all who came
/// before it began.
struct SlowSyncs {
    ms: Arc<AtomicU64>,
    /// Whether one runs, and who waits for the next.
    waiting: Mutex<(bool, Vec<Synced>)>,
}

impl SlowSyncs {
    fn sync(self: &Arc<Self>, real: &Arc<dyn LogDevice>, synced: Synced) {
        let mut waiting = self.waiting.lock().unwrap();
        let slow = self.ms.load(Ordering::SeqCst) > 0;
        if !slow && !waiting.0 {
            drop(waiting);
            return real.sync(synced);
        }
        waiting.1.push(synced);
        if !std::mem::replace(&mut waiting.0, true) {
            let (slow, real) = (self.clone(), real.clone());
            std::thread::spawn(move || slow.run(&*real));
        }
    }

    fn run(&self, real: &dyn LogDevice) {
        loop {
            let served = {
                let mut waiting = self.waiting.lock().unwrap();
                waiting.0 = !waiting.1.is_empty();
                std::mem::take(&mut waiting.1)
            };
            if served.is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(self.ms.load(Ordering::SeqCst)));
            served.into_iter().for_each(|synced| real.sync(synced));
        }
    }
}

/// What a batch of commands begins with in the log, and what an entry is that says nothing:
/// the format and the kind.
const BATCH: [u8; 2] = [2, 1];
const BLANK: [u8; 2] = [2, 0];

impl LogDevice for BreakableLog {
    fn write(&self, write: Write) -> io::Result<()> {
        self.real.write(write)
    }

    fn sync(&self, synced: Synced) {
        if self.broken.load(Ordering::SeqCst) {
            synced(Err(io::Error::other("fdatasync failed (on purpose)")));
        } else {
            self.slow.sync(&self.real, synced);
        }
    }

    fn read(
        &self,
        from: LogIndex,
        to: LogIndex,
        bytes_max: usize,
    ) -> io::Result<Vec<(Position, Bytes)>> {
        let mut entries = self.real.read(from, to, bytes_max)?;
        if self.forgetful.load(Ordering::SeqCst) {
            let batches = entries.iter_mut().filter(|(_, payload)| payload.starts_with(&BATCH));
            batches.for_each(|(_, payload)| *payload = Bytes::from_static(&BLANK));
        }
        Ok(entries)
    }

    fn state(&self) -> DeviceState {
        self.real.state()
    }

    fn cut_off(&self) -> u64 {
        self.real.cut_off()
    }

    fn identity_format(&self) -> u32 {
        self.real.identity_format()
    }
}
