//! Reading rooms at nodes.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use anyhow::{Context, anyhow};
use hangraft_ids::Version;
use hangraft_lab::history::{LINES_SHOWN, Level, Outcome};
use hangraft_proto::{
    ACCESS_HEADER,
    v1::{Freshness, ReadReply, ReadRequest, freshness, game_client::GameClient},
};
use serde::Deserialize;
use tokio::time::timeout;
use tonic::{metadata::MetadataValue, transport::Channel};

use crate::{
    cluster,
    play::{manner::is_known, way::Access},
};

/// How long a read may take. A node refuses it after two seconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// Connections to nodes, and what lets us in.
pub(crate) struct Reads {
    access: Access,
    /// How the names of those begin whose lines are ours.
    name: &'static str,
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
    #[serde(default)]
    name: String,
    text: String,
}

impl Reads {
    pub(crate) fn new(access: Access, name: &'static str) -> Self {
        Self { access, name, open: BTreeMap::new() }
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
        let lines = ours(view.chat, self.name);
        Ok(Outcome::Ok { version: Version(reply.version), lines })
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

/// The lines of a room that players of ours have written. Others may have sat down and said
/// something, too: of that nobody knows when it was asked for. None when they may have pushed
/// out some of ours.
fn ours(chat: Vec<Line>, name: &str) -> Option<Vec<String>> {
    let shown = chat.len();
    let ours = chat.into_iter().filter(|line| line.name.starts_with(name) && is_known(&line.text));
    let ours: Vec<String> = ours.map(|line| line.text).collect();
    (ours.len() == shown || shown < LINES_SHOWN).then_some(ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A person's lines are not taken for lines that nobody has written.
    #[test]
    fn people_may_say_something_too() {
        let line = |name: &str, text: &str| Line { name: name.into(), text: text.into() };
        let mut chat =
            vec![line("Bot 1", "well guessed, c0x1"), line("Ada", "hello"), line("Bot 2", "c1x1")];
        let read = |chat: &Vec<Line>| {
            let copies = chat.iter().map(|one| line(&one.name, &one.text)).collect();
            ours(copies, "Bot")
        };
        assert_eq!(read(&chat), Some(vec!["well guessed, c0x1".into(), "c1x1".into()]));
        chat.push(line("Ada", "c1x1"));
        assert_eq!(read(&chat).unwrap().len(), 2, "a copy is not the line");
        chat.resize_with(LINES_SHOWN, || line("Ada", "again?"));
        assert_eq!(read(&chat), None, "some of ours may have been pushed out");
        chat.retain(|line| line.name != "Ada");
        chat.resize_with(LINES_SHOWN, || line("Bot 2", "c1x1"));
        assert_eq!(read(&chat).unwrap().len(), LINES_SHOWN);
    }
}
