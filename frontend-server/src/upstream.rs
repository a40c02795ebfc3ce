//! What the hub and a link to a node say to each other about watched rooms, about players
//! who are followed, and about what is looked at. Neither knows the other; what travels on
//! the network is the link's business.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use hangraft_ids::{NoticeNumber, PlayerId, RoomId, Version};
use hangraft_proto::socket::{Lobby, Notice};
use serde_json::value::RawValue;
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
    /// JSON, for everyone not named in `private`; empty with a step.
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
    /// What has changed since the version before, for everyone not named below. Players in
    /// `private` saw no more than others do until then.
    pub(crate) step: Option<Step>,
    /// The same for players who had a view of their own, and still have one.
    pub(crate) private_steps: Vec<(PlayerId, Step)>,
}

/// What brings a view to that of the next version: names of its fields, and values as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// The fields that are new or have another value.
    pub(crate) set: Vec<(Arc<str>, Bytes)>,
    /// Those that are not there any more.
    pub(crate) unset: Vec<Arc<str>>,
}

/// What a node is asked about a player: to tell what they were told, and all that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FollowRequest {
    pub(crate) player: PlayerId,
    /// The last notice we have; without one, only what comes is wanted.
    pub(crate) since: Option<NoticeNumber>,
    /// Tells its answer from that to an earlier question; never 0.
    pub(crate) number: u64,
}

/// What a player was told, as a node says it.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) player: PlayerId,
    /// In order and without a hole.
    pub(crate) notices: Vec<Notice>,
    /// The player's newest, as far as that node knows; 0 for a player who was never told
    /// anything.
    pub(crate) newest: NoticeNumber,
    /// Some are lost between what that node had said, or was asked for, and these.
    pub(crate) resync: bool,
    /// The number of the question that this answers, 0 for none.
    pub(crate) answers: u64,
}

/// What is looked at by anybody, besides rooms and players.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Glance {
    /// The open seeks.
    pub(crate) lobby: bool,
    /// The numbers.
    pub(crate) live: bool,
}

/// The numbers, as a node says them.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) numbers: Box<RawValue>,
    /// The last hour; first, and when a minute has passed.
    pub(crate) minutes: Option<Box<RawValue>>,
}

/// What a node said to who watches through it.
#[derive(Debug, Default)]
pub(crate) struct FromNode {
    /// Which life of which link it came through.
    pub(crate) life: u64,
    pub(crate) updates: Vec<Update>,
    pub(crate) refused: Vec<(RoomId, Refusal)>,
    pub(crate) told: Vec<Told>,
    pub(crate) seeks: Option<Lobby>,
    pub(crate) live: Option<Live>,
}

impl FromNode {
    /// Whether it says nothing at all.
    pub(crate) fn is_empty(&self) -> bool {
        let rooms = self.updates.is_empty() && self.refused.is_empty();
        rooms && self.told.is_empty() && self.seeks.is_none() && self.live.is_none()
    }
}

/// What the hub wants to see, or not any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WatchChange {
    Watch(WatchRequest),
    Unwatch { room: RoomId },
    Follow(FollowRequest),
    Unfollow { player: PlayerId },
    Glance(Glance),
}

/// The way up to a node through which all of this is seen.
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

    pub(crate) fn follow(&self, request: FollowRequest) -> Result<(), Stuck> {
        self.send(WatchChange::Follow(request))
    }

    pub(crate) fn unfollow(&self, player: PlayerId) -> Result<(), Stuck> {
        self.send(WatchChange::Unfollow { player })
    }

    /// What is looked at from now on, instead of what was said before.
    pub(crate) fn glance(&self, glance: Glance) -> Result<(), Stuck> {
        self.send(WatchChange::Glance(glance))
    }

    fn send(&self, change: WatchChange) -> Result<(), Stuck> {
        self.changes.try_send(change).map_err(|_| Stuck)
    }
}
