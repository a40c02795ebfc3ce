//! Who looks at the lobby and at the numbers, and what they are shown: the newest that a
//! node has said, the same for all.

use std::{sync::Arc, time::Instant};

use hangraft_proto::socket::Lobby;
use tokio::sync::watch;

use crate::{
    boards::{Numbers, Seeks},
    command::Sight,
    meters::Meters,
    upstream::{Glance, Live},
};

/// What is looked at, besides rooms and players.
#[derive(Debug)]
pub(super) struct Looks {
    lobby: usize,
    live: usize,
    seeks: watch::Sender<Option<Arc<Seeks>>>,
    numbers: watch::Sender<Option<Arc<Numbers>>>,
}

/// Where a board is seen.
type Board<T> = watch::Receiver<Option<Arc<T>>>;

impl Looks {
    /// Nobody looks, and nothing is shown; where it will be.
    pub(super) fn new() -> (Self, Board<Seeks>, Board<Numbers>) {
        let (seeks, seen) = watch::channel(None);
        let (numbers, counted) = watch::channel(None);
        (Self { lobby: 0, live: 0, seeks, numbers }, seen, counted)
    }

    /// One more looks, or one less; what a node is to be told of it, if anything.
    pub(super) fn count(&mut self, sight: Sight, more: bool, meters: &Meters) -> Option<Glance> {
        let before = self.glance();
        let (lookers, meter) = match sight {
            Sight::Lobby => (&mut self.lobby, &meters.told.lobby_lookers),
            Sight::Live => (&mut self.live, &meters.told.live_lookers),
            // Nodes need not be asked for what we know of them.
            Sight::Deck => return None,
        };
        *lookers = if more { *lookers + 1 } else { lookers.saturating_sub(1) };
        meter.set(*lookers as f64);
        // What nobody looks at is not kept up to date: the next to look waits for news.
        if self.lobby == 0 {
            self.seeks.send_replace(None);
        }
        if self.live == 0 {
            self.numbers.send_replace(None);
        }
        Some(self.glance()).filter(|now| *now != before)
    }

    /// What is looked at now.
    pub(super) fn glance(&self) -> Glance {
        Glance { lobby: self.lobby > 0, live: self.live > 0 }
    }

    /// A node has said something.
    pub(super) fn show(&mut self, seeks: Option<Lobby>, live: Option<Live>, now: Instant) {
        if let Some(seeks) = seeks.filter(|_| self.lobby > 0) {
            self.seeks.send_replace(Some(Arc::new(Seeks::new(seeks, now))));
        }
        if let Some(live) = live.filter(|_| self.live > 0) {
            let numbers = Numbers::new(live, self.numbers.borrow().as_deref());
            self.numbers.send_replace(Some(Arc::new(numbers)));
        }
    }
}
