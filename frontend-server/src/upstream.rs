//! What the hub and a link to a node say to each other about watched rooms. Neither knows
//! the other; what travels on the network is the link's business.

use std::time::Duration;

use bytes::Bytes;
use hangraft_ids::{PlayerId, RoomId, Version};
use tokio::sync::mpsc;

use crate::command::Refusal;

/// What a node is asked about a room: to show it, and all its changes from then on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WatchRequest {
    pub(crate) room: RoomId,
    /// The version we have; the whole view is wanted when there is none.
    pub(crate) since: Option<Version>,
    pub(crate) players: Vec<PlayerId>,
    /// Tells its answer from that to an earlier question; counts from 1.
    pub(crate) number: u64,
}

/// A room at one version, as a node says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Update {
    pub(crate) room: RoomId,
    pub(crate) version: Version,
    /// JSON, for everyone not named in `private`.
    pub(crate) view: Bytes,
    /// A JSON array.
    pub(crate) events: Bytes,
    pub(crate) private: Vec<(PlayerId, Bytes)>,
    /// Versions in between may have been left out.
    pub(crate) resync: bool,
    /// The room has left the lobby.
    pub(crate) closed: bool,
    /// The number of the question that this answers, 0 for none; `None` from a node
    /// that does not say.
    pub(crate) answers: Option<u64>,
    /// How long ago the room became so.
    pub(crate) age: Duration,
}

/// What a node said about rooms.
#[derive(Debug)]
pub(crate) struct FromNode {
    /// Which life of which link it came through.
    pub(crate) life: u64,
    pub(crate) updates: Vec<Update>,
    pub(crate) refused: Vec<(RoomId, Refusal)>,
}

/// What the hub wants watched, or not any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WatchChange {
    Watch(WatchRequest),
    Unwatch { room: RoomId },
}

/// The way up to a node through which rooms are watched.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    /// Tells this life of the link from its earlier ones.
    pub(crate) life: u64,
    changes: mpsc::Sender<WatchChange>,
}

/// The link is broken or hopelessly behind.
#[derive(Debug)]
pub(crate) struct Stuck;

impl Upstream {
    /// A way up for this life of a link; where what is asked comes out.
    pub(crate) fn new(life: u64, queue_max: usize) -> (Upstream, mpsc::Receiver<WatchChange>) {
        let (changes, asked) = mpsc::channel(queue_max);
        (Upstream { life, changes }, asked)
    }

    pub(crate) fn watch(&self, request: WatchRequest) -> Result<(), Stuck> {
        self.send(WatchChange::Watch(request))
    }

    pub(crate) fn unwatch(&self, room: RoomId) -> Result<(), Stuck> {
        self.send(WatchChange::Unwatch { room })
    }

    fn send(&self, change: WatchChange) -> Result<(), Stuck> {
        self.changes.try_send(change).map_err(|_| Stuck)
    }
}
