//! Those who use the cluster: players and watchers on sockets of frontends, and
//! readers who ask replicas. They all live on one machine of their own, and tell
//! the judge what they do and hear.

pub(crate) mod player;
pub(crate) mod reader;
mod socket;

use crate::promises::Judge;
use crate::world::World;
use crate::world::net::MachineNetwork;
use hangraft_cluster_config::ClusterKey;
use hangraft_game::RoomId;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

/// What all of them share. Clones share it.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) network: MachineNetwork,
    pub(crate) judge: Arc<Mutex<Judge>>,
    pub(crate) frontends: Vec<SocketAddr>,
    pub(crate) nodes: Vec<SocketAddr>,
    pub(crate) key: ClusterKey,
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
}

/// A room, with the newest version that somebody was told of.
#[derive(Clone, Copy)]
struct Table {
    room: RoomId,
    acknowledged: u64,
}

impl Scene {
    pub(crate) fn new(
        world: World,
        network: MachineNetwork,
        judge: Arc<Mutex<Judge>>,
        frontends: Vec<SocketAddr>,
        nodes: Vec<SocketAddr>,
        key: ClusterKey,
    ) -> Self {
        Scene { world, network, judge, frontends, nodes, key, tables: Arc::default() }
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
        self.tables().rooms[number] = Some(Table { room, acknowledged: 1 });
    }

    fn acknowledged(&self, room: RoomId, version: u64) {
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

    /// One of a list.
    fn choose<'a, T>(&self, from: &'a [T]) -> &'a T {
        &from[self.world.draw(0..from.len() as u64) as usize]
    }
}
