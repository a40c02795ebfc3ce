//! The game service: links of frontends, lists of rooms, reads.

use super::convert;
use super::desk::{Arrival, Desk};
use super::follows::Follows;
use super::forward::FORWARDED_HEADER;
use super::glance::{Glance, Screen};
use super::link::{DOWNLINKS_MAX, Link, Outbox, Unsure};
use crate::replica::handle::Replica;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use hangraft_game::{Filter, OfferId, OpenOffer, PlayerId, Room, RoomId, Shelf, games};
use hangraft_proto::CLUSTER_HEADER;
use hangraft_proto::v1::freshness::Level;
use hangraft_proto::v1::game_server::Game;
use hangraft_proto::v1::look_request::At;
use hangraft_proto::v1::{
    Card, Downlink, Freshness, Ladder, LookReply, LookRequest, ReadReply, ReadRequest, RoomsReply,
    RoomsRequest, Uplink,
};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tonic::{Request, Response, Status, Streaming};

/// Rooms in a list when the asker does not say.
const ROOMS_DEFAULT: usize = 50;

/// Rooms in a list at most.
const ROOMS_MAX: usize = 200;

/// Finished games looked at for one list. Then the list ends, and says where to go on:
/// most games may be private, and are not listed.
const ARCHIVE_LOOKS_MAX: usize = 1_000;

/// Names on a ladder that are shown. Replicas keep 1,000 for each game.
const LADDER_MAX: usize = 100;

/// What players, through their frontends, may ask of this node.
#[derive(Clone)]
pub(crate) struct GameService {
    pub(crate) replica: Replica,
    pub(crate) desk: Desk,
    pub(crate) draining: watch::Receiver<bool>,
    /// One permit for each open link.
    pub(crate) links: Arc<Semaphore>,
    /// What all links are shown.
    pub(crate) screen: Screen,
}

#[tonic::async_trait]
impl Game for GameService {
    type LinkStream = BoxStream<'static, Result<Downlink, Status>>;

    async fn link(
        &self,
        request: Request<Streaming<Uplink>>,
    ) -> Result<Response<Self::LinkStream>, Status> {
        let meant = request.metadata().get(CLUSTER_HEADER);
        if meant.is_some_and(|meant| meant.as_bytes() != self.replica.cluster().as_bytes()) {
            let why = format!("this node belongs to cluster {:?}", self.replica.cluster());
            return Err(Status::failed_precondition(why));
        }
        let permit = self.links.clone().try_acquire_owned().map_err(|_| {
            Status::resource_exhausted("this node has as many links as it takes; try another")
        })?;
        let forwarded = request.metadata().contains_key(FORWARDED_HEADER);
        let machine = self.replica.machine().clone();
        let (out, downlinks) = mpsc::channel(DOWNLINKS_MAX);
        let link = Link {
            me: self.replica.me(),
            replica: self.replica.clone(),
            desk: self.desk.clone(),
            arrival: if forwarded { Arrival::Forwarded } else { Arrival::Direct },
            subscription: machine.feed().subscribe(),
            glance: Glance::new(machine.feed().clone(), self.screen.clone()),
            machine,
            leadership: self.replica.leadership(),
            draining: self.draining.clone(),
            out: Outbox::new(out),
            looking: BTreeMap::new(),
            unsure: Unsure::default(),
            follows: Follows::default(),
        };
        let uplinks = request.into_inner();
        self.replica.tasks().spawn("link", async move {
            let _counted = Counted::new(permit);
            link.run(uplinks).await;
        });
        Ok(Response::new(tokio_stream::wrappers::ReceiverStream::new(downlinks).boxed()))
    }

    async fn rooms(&self, request: Request<RoomsRequest>) -> Result<Response<RoomsReply>, Status> {
        let request = request.into_inner();
        self.fresh(request.freshness.as_ref(), None).await?;
        let limit = match request.limit as usize {
            0 => ROOMS_DEFAULT,
            limit => limit.min(ROOMS_MAX),
        };
        let after = (request.after != 0).then_some(RoomId(request.after));
        let known = request.game.is_empty() || games().contains(&request.game.as_str());
        let rooms = if !known {
            // Looking for it would mean to look at everything.
            Vec::new()
        } else if request.state == convert::ARCHIVED {
            return Ok(Response::new(self.archived(&request, after, limit).await?));
        } else {
            self.live(&request, after, limit)?
        };
        let next = rooms.last().filter(|_| rooms.len() == limit).map_or(0, |room| room.room);
        let games = self.replica.machine().games_in_use();
        Ok(Response::new(RoomsReply { rooms, next, games }))
    }

    async fn read(&self, request: Request<ReadRequest>) -> Result<Response<ReadReply>, Status> {
        let request = request.into_inner();
        let id = RoomId(request.room);
        self.fresh(request.freshness.as_ref(), Some(id)).await?;
        let machine = self.replica.machine();
        let applied = machine.standing().applied.map_or(0, |at| at.index.0);
        let viewer = (request.player != 0).then_some(PlayerId(request.player));
        let reply = match machine.room(id) {
            Some(room) => ReadReply {
                version: room.version().0,
                view: room.view(viewer).into(),
                applied,
                archived: false,
            },
            None => {
                let (version, view) = self
                    .finished(id)
                    .await?
                    .ok_or_else(|| Status::not_found(format!("there is no {id}")))?;
                ReadReply { version, view, applied, archived: true }
            }
        };
        Ok(Response::new(reply))
    }

    async fn look(&self, request: Request<LookRequest>) -> Result<Response<LookReply>, Status> {
        let machine = self.replica.machine();
        let json = |json: String| LookReply { json: json.into(), offer: None };
        let reply = match request.into_inner().at {
            None => return Err(Status::invalid_argument("it is not said what to look up")),
            Some(At::Ladder(Ladder { game, week })) => {
                json(machine.with_lobby(|lobby| lobby.ladder_json(&game, week, LADDER_MAX)))
            }
            Some(At::Card(Card { player })) => {
                json(machine.with_lobby(|lobby| lobby.card_json(PlayerId(player))))
            }
            Some(At::History(room)) => json(self.history(RoomId(room)).await?),
            Some(At::Offer(offer)) => {
                let offer = self.offer(OfferId(offer)).await?.map(convert::open_offer);
                LookReply { json: bytes::Bytes::new(), offer }
            }
        };
        Ok(Response::new(reply))
    }
}

/// A link that is open, for as long as this lives.
struct Counted {
    _permit: OwnedSemaphorePermit,
}

impl Counted {
    fn new(permit: OwnedSemaphorePermit) -> Self {
        metrics::gauge!("hangraft_links").increment(1.0);
        Counted { _permit: permit }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!("hangraft_links").decrement(1.0);
    }
}

impl GameService {
    /// Waits until this replica is as fresh as asked.
    async fn fresh(
        &self,
        freshness: Option<&Freshness>,
        room: Option<RoomId>,
    ) -> Result<(), Status> {
        match (freshness.and_then(|freshness| freshness.level.as_ref()), room) {
            (None | Some(Level::Local(_)), _) => Ok(()),
            (Some(Level::Linearizable(_)), _) => Ok(self.replica.linearizable().await?),
            (Some(Level::AtLeast(version)), Some(room)) => {
                Ok(self.replica.at_least(room, convert::version(*version)).await?)
            }
            (Some(Level::AtLeast(_)), None) => {
                Err(Status::invalid_argument("a version belongs to a room; a list has none"))
            }
        }
    }

    /// An offer that stands. It is denied only by a replica that has all that is committed:
    /// a link to it may be opened as soon as its maker has it.
    async fn offer(&self, id: OfferId) -> Result<Option<OpenOffer>, Status> {
        let look = || self.replica.machine().with_lobby(|lobby| lobby.offer(id));
        match look() {
            Some(offer) => Ok(Some(offer)),
            None => {
                self.replica.linearizable().await?;
                Ok(look())
            }
        }
    }

    /// What was said last in a room; empty if there is none, which only a replica says that
    /// has all that is committed.
    async fn history(&self, id: RoomId) -> Result<String, Status> {
        let look = || self.replica.machine().room(id).map(|room| room.history());
        if let Some(history) = look() {
            return Ok(history);
        }
        if let Some(game) = self.replica.finished().get(id).await.map_err(unreadable)? {
            return Ok(convert::last_history(&game));
        }
        self.replica.linearizable().await?;
        Ok(look().unwrap_or_default())
    }

    fn live(
        &self,
        request: &RoomsRequest,
        after: Option<RoomId>,
        limit: usize,
    ) -> Result<Vec<hangraft_proto::v1::RoomSummary>, Status> {
        let shelf = match (request.private, request.open) {
            (true, _) => Shelf::All,
            (false, true) => Shelf::Open,
            (false, false) => Shelf::Public,
        };
        let filter = Filter {
            game: (!request.game.is_empty()).then(|| request.game.clone()),
            state: convert::state(&request.state)?,
            shelf,
        };
        let rooms: Vec<Arc<Room>> = self
            .replica
            .machine()
            .with_lobby(|lobby| lobby.rooms(&filter, after, limit).into_iter().cloned().collect());
        let feed = self.replica.machine().feed();
        Ok(rooms.iter().map(|room| convert::live_summary(room, feed.watchers(room.id()))).collect())
    }

    async fn archived(
        &self,
        request: &RoomsRequest,
        after: Option<RoomId>,
        limit: usize,
    ) -> Result<RoomsReply, Status> {
        let finished = self.replica.finished();
        let mut found = Vec::new();
        let (mut before, mut looks) = (after, 0);
        while found.len() < limit && looks < ARCHIVE_LOOKS_MAX {
            let page = finished.page(before, limit).await.map_err(unreadable)?;
            before = page.last().map(|(room, _)| *room);
            if before.is_none() {
                break;
            }
            looks += page.len();
            for (_, finished) in page {
                let asked_for = request.game.is_empty() || finished.game == request.game;
                if asked_for && (finished.public || request.private) {
                    found.push(convert::archived_summary(finished));
                }
            }
        }
        // Where to go on: behind the last that fits, or behind the last looked at.
        let full = found.len() >= limit;
        found.truncate(limit);
        let last = found.last().filter(|_| full).map(|summary| summary.room);
        let next = last.or(before.filter(|_| !full).map(|room| room.0)).unwrap_or(0);
        let games = self.replica.machine().games_in_use();
        Ok(RoomsReply { rooms: found, next, games })
    }

    async fn finished(&self, room: RoomId) -> Result<Option<(u64, bytes::Bytes)>, Status> {
        let finished = self.replica.finished().get(room).await.map_err(unreadable)?;
        Ok(finished.map(convert::last_view))
    }
}

/// The archive cannot be read, or holds what is no game.
fn unreadable(err: io::Error) -> Status {
    match err.kind() {
        io::ErrorKind::InvalidData => Status::data_loss(err.to_string()),
        _ => Status::internal(err.to_string()),
    }
}
