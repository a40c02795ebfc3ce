//! Looks at the public rooms in which no bot plays: what people do there is seen in the lab,
//! too, as what comes to a screen.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use hangraft_ids::{PlayerId, RoomId, Version};
use hangraft_lab::history::{ClientId, Push};
use hangraft_proto::{
    ACCESS_HEADER,
    v1::{Freshness, RoomsRequest, freshness, game_client::GameClient},
};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tonic::metadata::MetadataValue;

use crate::{
    cluster,
    lab::bots::Bots,
    play::{
        client::{Node, Scene},
        way::{Entrance, Heard, Person, Way},
    },
};

/// What people call it.
pub(crate) const NAME: &str = "screens";

/// Rooms that are looked at; the newest ones.
const ROOMS_MAX: usize = 16;

/// Rooms that are asked for. Some of them are the bots'.
const LISTED_MAX: u32 = 200;

/// How often it is asked which rooms there are.
const LOOK: Duration = Duration::from_secs(2);

/// How long a node may take to say it.
const ANSWER: Duration = Duration::from_secs(2);

/// Before another node is asked.
const AGAIN: Duration = Duration::from_millis(500);

/// Looks until it is called off: at one node, and when that is gone at the next.
pub(crate) async fn look(client: ClientId, scene: &Arc<Scene>, bots: &Bots) {
    let mut screens = Screens { client, scene, bots, shown: BTreeMap::new() };
    for turn in 0.. {
        let nodes = scene.nodes();
        if let Some(node) = nodes.get(turn % nodes.len().max(1))
            && let Err(err) = screens.at(node).await
        {
            tracing::debug!(node = node.0, %err, "cannot look at rooms");
        }
        sleep(AGAIN).await;
    }
}

struct Screens<'a> {
    client: ClientId,
    scene: &'a Arc<Scene>,
    bots: &'a Bots,
    /// The newest version that was seen, of the rooms that are looked at.
    shown: BTreeMap<String, Version>,
}

impl Screens<'_> {
    /// Looks through one node, for as long as that works.
    async fn at(&mut self, (name, address): &Node) -> anyhow::Result<()> {
        let entrance = Entrance::Node { name: name.clone(), address: *address };
        let channel = cluster::connect(*address).await?;
        let mut who = Person { name: NAME.into(), token: None, player: PlayerId(u64::MAX) };
        let mut way = entrance.enter(&mut who, &self.scene.access).await?;
        let mut watched = BTreeSet::new();
        loop {
            let rooms = timeout(ANSWER, self.rooms(GameClient::new(channel.clone()))).await;
            self.turn_to(&mut way, &mut watched, rooms.context("it is silent")??).await?;
            let until = Instant::now() + LOOK;
            while let Ok(heard) = timeout_at(until, way.hear()).await {
                self.see(heard?, &mut watched);
            }
        }
    }

    /// The public rooms in which somebody is and no bot plays.
    async fn rooms(
        &self,
        mut node: GameClient<tonic::transport::Channel>,
    ) -> anyhow::Result<BTreeSet<String>> {
        let freshness = Some(Freshness { level: Some(freshness::Level::Local(true)) });
        let wanted = RoomsRequest { limit: LISTED_MAX, freshness, ..RoomsRequest::default() };
        let mut request = tonic::Request::new(wanted);
        let token = MetadataValue::try_from(&self.scene.access.token).context("no ASCII")?;
        request.metadata_mut().insert(ACCESS_HEADER, token);
        let listed = node.rooms(request).await?.into_inner().rooms;
        let ours = self.bots.rooms();
        let here = listed.iter().filter(|room| room.here > 0);
        let named = here.map(|room| self.scene.access.names.name(RoomId(room.room)));
        Ok(named.filter(|room| !ours.contains(room)).take(ROOMS_MAX).collect())
    }

    /// Looks at these rooms, and at no others any more.
    async fn turn_to(
        &mut self,
        way: &mut Way,
        watched: &mut BTreeSet<String>,
        rooms: BTreeSet<String>,
    ) -> anyhow::Result<()> {
        for room in watched.difference(&rooms) {
            way.unwatch(room).await?;
            self.shown.remove(room);
        }
        for room in rooms.difference(watched) {
            way.watch(room, self.shown.get(room).copied()).await?;
        }
        *watched = rooms;
        Ok(())
    }

    /// A node that is behind shows what is known already.
    fn see(&mut self, heard: Heard, watched: &mut BTreeSet<String>) {
        let Heard::View { room, version, resync, closed, .. } = heard else { return };
        let known = self.shown.get(&room).is_some_and(|shown| version <= *shown);
        if known || !watched.contains(&room) {
            return;
        }
        self.shown.insert(room.clone(), version);
        if closed {
            watched.remove(&room);
            self.shown.remove(&room);
        }
        let at = self.scene.record.now();
        self.scene.record.shown(Push { at, client: self.client, room, version, resync, closed });
    }
}
