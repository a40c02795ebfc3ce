//! Those who use the cluster: players, watchers and seekers on sockets of frontends, readers
//! who ask replicas, and an operator. They all live on one machine of their own, and tell
//! the judge what they do and hear.

mod client;
pub(crate) mod operator;
pub(crate) mod player;
pub(crate) mod reader;
pub(crate) mod seeker;
mod socket;

use crate::promises::Judge;
use crate::promises::settings::Shared;
use crate::record;
use crate::world::net::MachineNetwork;
use crate::world::{MachineId, World};
use async_trait::async_trait;
use hangraft_cluster_config::{ClusterKey, RoomNames};
use hangraft_game::{OfferId, PlayerId, RoomId, Version};
use hangraft_node::env::{Connection, Listener, Network};
use hangraft_proto::channel::Dial;
use hangraft_proto::v1::StatusReply;
use operator::Errand;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::mpsc;
use tonic::transport::{Channel, Uri};

/// What all of them share. Clones share it.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) network: MachineNetwork,
    pub(crate) judge: Arc<Mutex<Judge>>,
    pub(crate) frontends: Vec<SocketAddr>,
    pub(crate) nodes: Vec<SocketAddr>,
    pub(crate) key: ClusterKey,
    /// Where they live.
    machine: MachineId,
    tables: Arc<Mutex<Tables>>,
}

/// The rooms that are played in.
#[derive(Default)]
struct Tables {
    rooms: Vec<Option<Table>>,
    /// The world is about to end: one last wish each.
    closing: bool,
    /// Players who have not had their last wish yet.
    playing: usize,
    /// Words told apart by their number.
    words: u64,
    /// Those who look for others to play with, as far as they have come.
    seekers: Vec<PlayerId>,
    /// Offers that were made, and that others were given a link to.
    offers: Vec<OfferId>,
    /// What the operator is sent to ask.
    errands: Option<mpsc::UnboundedSender<Errand>>,
    /// What nodes said holds when the operator asked last, at the end.
    told: BTreeMap<SocketAddr, Shared>,
    /// What the leader said that it intends, then.
    intents: Vec<String>,
    /// How often something was set; what was told before is out of date.
    settings: u64,
}

/// A network that makes one connection.
struct Once {
    network: MachineNetwork,
    connected: AtomicBool,
}

#[async_trait]
impl Network for Once {
    async fn listen(&self, address: SocketAddr) -> io::Result<Box<dyn Listener>> {
        self.network.listen(address).await
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<Connection> {
        if self.connected.swap(true, Ordering::Relaxed) {
            return Err(io::ErrorKind::NotConnected.into());
        }
        self.network.connect(address).await
    }
}

/// A room, with the newest version that somebody was told of.
#[derive(Clone, Copy)]
struct Table {
    room: RoomId,
    acknowledged: Version,
}

impl Scene {
    pub(crate) fn new(
        world: World,
        network: MachineNetwork,
        judge: Arc<Mutex<Judge>>,
        frontends: Vec<SocketAddr>,
        nodes: Vec<SocketAddr>,
        key: ClusterKey,
        machine: MachineId,
    ) -> Self {
        Scene { world, network, judge, frontends, nodes, key, machine, tables: Arc::default() }
    }

    /// Microseconds since the world began.
    fn now_us(&self) -> u64 {
        record::moment(self.world.now())
    }

    /// The name of the machine at a node's address.
    fn node_called(&self, address: SocketAddr) -> String {
        let machine = self.nodes.iter().position(|node| *node == address);
        machine.map_or_else(String::new, |machine| self.world.story.name_of(machine))
    }

    /// What players call a room.
    fn name_of(&self, room: RoomId) -> String {
        RoomNames::of(&self.key).name(room)
    }

    /// The room that players call so.
    fn room_called(&self, name: &str) -> RoomId {
        let room = RoomNames::of(&self.key).room(name);
        room.unwrap_or_else(|| panic!("{name:?} is no room's name"))
    }

    /// What players call an offer.
    fn name_of_offer(&self, offer: OfferId) -> String {
        RoomNames::of(&self.key).offer_name(offer)
    }

    /// The offer that players call so.
    fn offer_called(&self, name: &str) -> OfferId {
        let offer = RoomNames::of(&self.key).offer(name);
        offer.unwrap_or_else(|| panic!("{name:?} is no offer's name"))
    }

    /// An operator takes errands from now on.
    pub(crate) fn take_errands(&self) -> mpsc::UnboundedReceiver<Errand> {
        let (errands, taken) = mpsc::unbounded_channel();
        self.tables().errands = Some(errands);
        taken
    }

    /// Sends the operator to ask something, if there is one.
    pub(crate) fn send(&self, errand: Errand) {
        if let Some(errands) = &self.tables().errands {
            // An error means that the world has ended.
            _ = errands.send(errand);
        }
        self.world.stir(self.machine);
    }

    /// Something was set, as the operator was told.
    fn is_set(&self) {
        let mut tables = self.tables();
        tables.settings += 1;
        tables.told.clear();
    }

    /// A node has told its status, when it was asked after so many settings.
    fn told(&self, node: SocketAddr, status: Option<StatusReply>, settings: u64) {
        let mut tables = self.tables();
        match status {
            Some(status) if tables.settings == settings => {
                let StatusReply { voters_wanted, replace_after_ms, intents, .. } = status;
                tables.told.insert(node, Shared { voters: voters_wanted, replace_after_ms });
                tables.intents = intents;
            }
            _ => _ = tables.told.remove(&node),
        }
    }

    /// What the leader said that it intends, when the operator asked last.
    pub(crate) fn intents_told(&self) -> Vec<String> {
        self.tables().intents.clone()
    }

    /// What nodes said holds when the operator asked last.
    pub(crate) fn settings_told(&self) -> BTreeMap<SocketAddr, Shared> {
        self.tables().told.clone()
    }

    /// A connection that is not made again behind the back of who uses it.
    async fn connect(&self, node: SocketAddr) -> Result<Channel, tonic::transport::Error> {
        let once = Once { network: self.network.clone(), connected: AtomicBool::new(false) };
        let origin = Uri::from_static("http://node");
        Dial { origin, ..Dial::to(Arc::new(once), node) }.connect().await
    }

    /// There will be so many rooms and players.
    pub(crate) fn expect(&self, rooms: usize, players: usize) {
        let mut tables = self.tables();
        tables.rooms = vec![None; rooms];
        tables.playing = players;
    }

    /// Asks everybody for one last wish.
    pub(crate) fn close(&self) {
        self.tables().closing = true;
    }

    /// How many players wait for the answer to their last wish.
    pub(crate) fn playing(&self) -> usize {
        self.tables().playing
    }

    pub(crate) fn judge(&self) -> MutexGuard<'_, Judge> {
        self.judge.lock().expect("the judge does not panic")
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().expect("nothing panics while the tables are held")
    }

    fn table(&self, number: usize) -> Option<Table> {
        self.tables().rooms[number]
    }

    fn opened(&self, number: usize, room: RoomId) {
        self.tables().rooms[number] = Some(Table { room, acknowledged: Version(1) });
    }

    fn acknowledged(&self, room: RoomId, version: Version) {
        for table in self.tables().rooms.iter_mut().flatten().filter(|table| table.room == room) {
            table.acknowledged = table.acknowledged.max(version);
        }
    }

    fn closing(&self) -> bool {
        self.tables().closing
    }

    /// A word that nobody has used before, and that no text contains by chance.
    fn fresh_word(&self) -> String {
        let mut tables = self.tables();
        tables.words += 1;
        let mut rest = tables.words;
        let mut word = "qx".to_owned();
        for _ in 0..6 {
            word.push(char::from(b"bcdfghjkmpvwz"[(rest % 13) as usize]));
            rest /= 13;
        }
        word
    }

    /// The word as somebody types it who has accents and blanks to spare.
    fn untidy(word: &str) -> String {
        match word.len().wrapping_add(usize::from(word.as_bytes()[2])) % 3 {
            0 => word.to_owned(),
            1 => format!("{word} \u{301}"),
            _ => format!("\u{301}\u{a0}{word}\u{3000}\u{308}"),
        }
    }

    /// One of a list.
    fn choose<'a, T>(&self, from: &'a [T]) -> &'a T {
        &from[self.world.draw(0..from.len() as u64) as usize]
    }
}
