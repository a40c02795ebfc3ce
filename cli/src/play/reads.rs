//! Reading rooms at nodes.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use anyhow::{Context, anyhow};
use hangraft_ids::Version;
use hangraft_lab::history::{Level, Outcome};
use hangraft_proto::{
    ACCESS_HEADER,
    v1::{Freshness, ReadReply, ReadRequest, freshness, game_client::GameClient},
};
use serde::Deserialize;
use tokio::time::timeout;
use tonic::{metadata::MetadataValue, transport::Channel};

use crate::{cluster, play::way::Access};

/// How long a read may take. A node refuses it after two seconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// Connections to nodes, and what lets us in.
pub(crate) struct Reads {
    access: Access,
    open: BTreeMap<SocketAddr, Channel>,
}

/// What is looked at of a view.
#[derive(Deserialize)]
struct View {
    #[serde(default)]
    chat: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    text: String,
}

impl Reads {
    pub(crate) fn new(access: Access) -> Self {
        Self { access, open: BTreeMap::new() }
    }

    /// What a node shows of a room.
    ///
    /// # Errors
    /// When it does not answer, or not as freshly as it has to. The room is not changed by
    /// that, and nothing is learned of it.
    pub(crate) async fn read(
        &mut self,
        node: SocketAddr,
        room: &str,
        level: Level,
    ) -> anyhow::Result<Outcome> {
        let read = timeout(PATIENCE, self.try_read(node, room, level)).await;
        let read = read.context("no answer in time").flatten();
        if read.is_err() {
            self.open.remove(&node);
        }
        let reply = read?;
        let view: View = serde_json::from_slice(&reply.view).context("the view is no JSON")?;
        let lines = view.chat.into_iter().map(|line| line.text).collect();
        Ok(Outcome::Ok { version: Version(reply.version), lines: Some(lines) })
    }

    async fn try_read(
        &mut self,
        node: SocketAddr,
        room: &str,
        level: Level,
    ) -> anyhow::Result<ReadReply> {
        let channel = match self.open.get(&node) {
            Some(channel) => channel.clone(),
            None => self.open.entry(node).insert_entry(cluster::connect(node).await?).get().clone(),
        };
        let level = match level {
            Level::Linearizable => freshness::Level::Linearizable(true),
            Level::AtLeast { least } => freshness::Level::AtLeast(least.0),
            Level::Local => freshness::Level::Local(true),
        };
        let room = self.access.names.room(room).ok_or_else(|| anyhow!("{room} is no room"))?;
        let freshness = Some(Freshness { level: Some(level) });
        let mut request = tonic::Request::new(ReadRequest { room: room.0, player: 0, freshness });
        let token = MetadataValue::try_from(&self.access.token).context("a token is ASCII")?;
        request.metadata_mut().insert(ACCESS_HEADER, token);
        Ok(GameClient::new(channel).read(request).await?.into_inner())
    }
}
