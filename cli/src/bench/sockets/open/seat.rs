//! One who plays or watches, over one socket after the other.

use std::time::Duration;

use futures_util::stream::SplitSink;
use hangraft_ids::Version;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    bench::sockets::open::{entry::Guest, rhythm::Leaving},
    socket::{Identity, Socket},
};

/// One who plays or watches.
pub(super) struct Seat {
    /// Nothing while there is no socket.
    pub(super) to: Option<SplitSink<Socket, Message>>,
    /// How many sockets there were before this one.
    pub(super) life: u32,
    pub(super) identity: Identity,
    /// The number of its frontend.
    pub(super) at: usize,
    /// The id of the last message of a watcher; players count in the game.
    pub(super) last_id: u64,
    /// The open `watch` of a new socket.
    pub(super) watch: Option<u64>,
    /// When the socket was to be closed, or broke, until the new one shows the room.
    pub(super) away: Option<Duration>,
    /// The version that the new one has to show for that.
    pub(super) missed: Option<Version>,
    pub(super) leaving: Leaving,
}

impl Seat {
    /// Somebody who has come in, and the socket, which is not plugged in yet.
    pub(super) fn of(guest: Guest, leaving: Leaving) -> (Self, Socket) {
        let Guest { socket, identity, at, last_id, .. } = guest;
        let (to, watch, away, missed) = (None, None, None, None);
        (Self { to, life: 0, identity, at, last_id, watch, away, missed, leaving }, socket)
    }

    /// Who was away is back when the screen shows what was missed: since when it was away.
    pub(super) fn is_back(&mut self, seen: Version) -> Option<Duration> {
        self.missed.take_if(|missed| seen >= *missed)?;
        self.away.take()
    }
}
