//! Bots that play, so that there is a game to look at.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use hangraft_lab::timeline::ClientNamed;
use tokio::task::JoinSet;

use crate::play::{
    client::{Client, Scene},
    table::Table,
};

/// How many share a room. A person still finds a seat.
const AT_A_TABLE: u32 = 4;

/// Bots that play until they are dropped.
pub(crate) struct Bots {
    tables: Vec<Table>,
    stop: Arc<AtomicBool>,
    _playing: JoinSet<()>,
}

impl Bots {
    /// So many sit down and play.
    pub(crate) fn play(count: u32, scene: &Arc<Scene>) -> Self {
        let lines_max = scene.manner.workload.lines_max();
        let tables = 0..count.div_ceil(AT_A_TABLE);
        let tables: Vec<_> = tables.map(|_| Table::new(lines_max)).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let mut playing = JoinSet::new();
        for id in 0..count {
            let table = tables[(id / AT_A_TABLE) as usize].clone();
            playing.spawn(Client::new(id, scene, table).play(Arc::clone(&stop)));
        }
        Self { tables, stop, _playing: playing }
    }

    /// The rooms that they play in now.
    pub(crate) fn rooms(&self) -> Vec<String> {
        self.tables.iter().filter_map(Table::room).collect()
    }

    /// What people call them.
    pub(crate) fn named(count: u32) -> impl Iterator<Item = ClientNamed> {
        (0..count).map(|id| ClientNamed { id, name: format!("bot {}", id + 1) })
    }
}

impl Drop for Bots {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
