//! Fills the archive from another replica.
//!
//! A replica that lost its archive, or skipped ahead by installing a snapshot,
//! misses games that others archived. It asks its peers page by page, newest first,
//! until it has what one of them has. When all of them are there and none has everything,
//! the archives of all are lost, and it makes do with what is left.

use crate::charter::{Member, Peer};
use crate::peers::channel::{channel_to, client};
use crate::peers::envelope::Party;
use crate::replica::handle::Replica;
use bytes::Bytes;
use hangraft_ids::{LogIndex, NodeId, RoomId};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Games in a page. A game is a few kilobytes.
pub(crate) const PAGE_GAMES: usize = 256;

/// After a round in which no peer could help.
const RETRY: Duration = Duration::from_secs(2);

const ANSWER_DEADLINE: Duration = Duration::from_secs(2);

/// Asks for games older than room number `before`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PageRequest {
    pub(crate) before: Option<RoomId>,
}

/// A page of games, newest first; empty at the end.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Page {
    pub(crate) games: Vec<(RoomId, Bytes)>,
    /// The log index up to which the speaker's archive is whole.
    pub(crate) complete: Option<LogIndex>,
}

/// Runs as long as the node does.
pub(super) async fn run(replica: Replica) {
    let mut leadership = replica.leadership();
    let machine = replica.machine();
    let mut gap = machine.archive_gap();
    loop {
        let Ok(wanted) = gap.wait_for(Option::is_some).await.map(|gap| *gap) else { return };
        let Some(gap) = wanted else { continue };
        let members = leadership.borrow_and_update().members.clone();
        if members.is_empty() {
            // Consensus has not said yet who belongs to the cluster.
            if leadership.changed().await.is_err() {
                return;
            }
            continue;
        }
        let others = members.into_iter().filter(|(id, _)| *id != replica.me());
        let others: Vec<(NodeId, Peer)> =
            others.map(|(id, Member { peer, .. })| (id, peer)).collect();
        match fill(&replica, &others, gap.index).await {
            Outcome::Filled(peer) => {
                machine.archive_filled(gap);
                replica.event("archive", format!("the archive is filled again, from {peer}"));
            }
            Outcome::Lost => {
                machine.archive_filled(gap);
                let text = format!(
                    "the archives of all members are lost: games that finished before entry {} are \
                     gone, but for those that one of them still has; live rooms are not touched",
                    gap.index
                );
                replica.event("disk", text);
            }
            Outcome::NotNow => sleep(RETRY).await,
        }
    }
}

/// What came of one round.
enum Outcome {
    /// One of the others had everything.
    Filled(Peer),
    /// All others were asked, and none has everything.
    Lost,
    /// Somebody who may have it was not reached.
    NotNow,
}

async fn fill(replica: &Replica, others: &[(NodeId, Peer)], index: LogIndex) -> Outcome {
    let mut incomplete = Vec::new();
    for (id, peer) in others {
        let from = Party { node: *id, disk: peer.disk };
        match copy_from(replica, from, peer.address, Some(index)).await {
            Ok(true) => return Outcome::Filled(peer.clone()),
            Ok(false) => incomplete.push((from, peer)),
            Err(err) => tracing::debug!(%err, %peer, "cannot fill the archive from there"),
        }
    }
    if incomplete.len() < others.len() {
        return Outcome::NotNow;
    }
    for (from, peer) in incomplete {
        if let Err(err) = copy_from(replica, from, peer.address, None).await {
            tracing::debug!(%err, %peer, "cannot fetch what is left there");
            return Outcome::NotNow;
        }
    }
    Outcome::Lost
}

/// Copies everything a peer has; `false` when the peer itself misses something up to the
/// `index` asked for.
async fn copy_from(
    replica: &Replica,
    from: Party,
    address: SocketAddr,
    index: Option<LogIndex>,
) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
    let seal = &replica.0.seal;
    let mut client = client(channel_to(&replica.0.env, address), seal);
    let mut before = None;
    loop {
        let request = seal.seal(from, &PageRequest { before });
        let answer = timeout(ANSWER_DEADLINE, client.archive(request)).await??;
        let (_, page) = seal.open::<Page>(&answer.into_inner())?;
        if page.complete < index {
            return Ok(false);
        }
        let Some((oldest, _)) = page.games.last() else { return Ok(true) };
        before = Some(*oldest);
        replica.machine().archive().store(page.games, None).await?;
    }
}
