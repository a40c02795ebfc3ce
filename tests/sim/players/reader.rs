//! A reader: asks replicas for rooms, at every level of freshness.

use super::Scene;
use crate::clock::MILLI;
use crate::history::{Asked, Level, Moment, Read, chat_of};
use crate::record;
use hangraft_game::{PlayerId, RoomId, Version};
use hangraft_lab::history::ClientId;
use hangraft_proto::ACCESS_HEADER;
use hangraft_proto::v1::freshness;
use hangraft_proto::v1::game_client::GameClient;
use hangraft_proto::v1::{Freshness, ReadReply, ReadRequest};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tonic::Request;
use tonic::transport::Channel;

/// How long a reader waits for an answer. A replica gives up after two seconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// Reads on one connection, at the most.
const READS_MAX: u64 = 30;

pub(crate) struct Reader {
    scene: Scene,
    connections: u64,
    /// Its number among clients.
    client: ClientId,
    name: String,
}

impl Reader {
    pub(crate) fn new(scene: &Scene, number: usize) -> Self {
        let client = record::reader(number);
        let name = format!("R{number}");
        Reader { scene: scene.clone(), connections: (number as u64) << 32, client, name }
    }

    /// Reads until the world ends.
    pub(crate) async fn run(mut self) {
        loop {
            let node = *self.scene.choose(&self.scene.nodes);
            self.connections += 1;
            self.read_from(node).await;
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Reads on one connection for as long as it lasts.
    async fn read_from(&self, node: SocketAddr) {
        let connecting = timeout(PATIENCE, self.scene.connect(node)).await;
        let Ok(Ok(channel)) = connecting else { return };
        let reads = self.scene.world.draw(1..READS_MAX);
        for _ in 0..reads {
            let pause = self.scene.world.draw(20 * MILLI..300 * MILLI);
            sleep(Duration::from_nanos(pause)).await;
            let tables: Vec<_> = self.scene.tables().rooms.iter().flatten().copied().collect();
            if tables.is_empty() {
                continue;
            }
            let table = *self.scene.choose(&tables);
            let level = match self.scene.world.draw(0..10) {
                0..5 => Level::Linearizable,
                5..8 => Level::Local { connection: self.connections },
                _ => Level::AtLeast(table.acknowledged),
            };
            let invoked = self.scene.judge().history.moment();
            let (client, by) = (self.client, self.scene.node_called(node));
            let asked = Asked { client, by, at_us: self.scene.now_us() };
            match self.read(channel.clone(), table.room, level).await {
                Ok(Some(reply)) => self.note(table.room, level, (invoked, asked), reply),
                // No leader just now, or too far behind: an answer as well.
                Ok(None) => self.note_none(table.room, level, &asked.by),
                Err(()) => return self.note_none(table.room, level, &asked.by),
            }
        }
    }

    fn note_none(&self, room: RoomId, level: Level, by: &str) {
        let none = format_args!("asks {by} for {room}, {level}, and gets no view");
        self.scene.world.note(&self.name, none);
    }

    fn note(
        &self,
        room: RoomId,
        level: Level,
        (invoked, asked): (Moment, Asked),
        reply: Option<ReadReply>,
    ) {
        let mut judge = self.scene.judge();
        if reply.is_none() && judge.truth.newest(room).is_some() && judge.truth.has_left(room) {
            // Nobody sat there for long, and it has left the lobby.
            return;
        }
        // Nobody in particular reads, with the gallery's eyes. A room that is denied
        // is one that was never opened.
        let (mut version, mut chat) = (Version(0), Vec::new());
        if let Some(reply) = reply {
            let text = std::str::from_utf8(&reply.view).expect("views are text");
            judge.frame(PlayerId(0), text);
            version = Version(reply.version);
            chat = chat_of(&serde_json::from_str(text).expect("views are JSON"));
        }
        let by = &asked.by;
        let read = format_args!("reads {room} at {by}, {level}: version {}", version.0);
        self.scene.world.tell(&self.name, read);
        let returned = judge.history.moment();
        let returned_us = self.scene.now_us();
        judge.read(Read { room, level, invoked, returned, version, chat, asked, returned_us });
    }

    /// The answer, or that there is no such room; `Ok(None)` for a refusal that leaves
    /// the connection good.
    async fn read(
        &self,
        channel: Channel,
        room: RoomId,
        level: Level,
    ) -> Result<Option<Option<ReadReply>>, ()> {
        let level = match level {
            Level::Linearizable => freshness::Level::Linearizable(true),
            Level::Local { .. } => freshness::Level::Local(true),
            Level::AtLeast(Version(version)) => freshness::Level::AtLeast(version),
        };
        let freshness = Some(Freshness { level: Some(level) });
        let mut request = Request::new(ReadRequest { room: room.0, player: 0, freshness });
        let access = self.scene.key.access_token().parse().expect("a token is plain ASCII");
        request.metadata_mut().insert(ACCESS_HEADER, access);
        match timeout(PATIENCE, GameClient::new(channel).read(request)).await {
            Ok(Ok(reply)) => Ok(Some(Some(reply.into_inner()))),
            Ok(Err(status)) if status.code() == tonic::Code::NotFound => Ok(Some(None)),
            Ok(Err(status)) if status.code() == tonic::Code::Unavailable => Err(()),
            Ok(Err(status)) if status.code() == tonic::Code::Unknown => Err(()),
            Ok(Err(_)) => Ok(None),
            Err(_) => Err(()),
        }
    }
}
