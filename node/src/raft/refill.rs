//! Fills the archive from another replica.
//!
//! A replica that lost its archive, or skipped ahead by installing a snapshot,
//! misses games that others archived. It asks its peers page by page, newest first,
//! until it has what one of them has.

use super::envelope::{Party, Seal};
use super::machine::Machine;
use super::network::client;
use crate::dial::channel_to;
use crate::env::Env;
use crate::membership::charter::Peer;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// Games in a page. A game is a few kilobytes.
pub(crate) const PAGE_GAMES: usize = 256;

/// After a round in which no peer could help.
const RETRY: Duration = Duration::from_secs(2);

const ANSWER_DEADLINE: Duration = Duration::from_secs(2);

/// Asks for games older than room number `before`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PageRequest {
    pub(crate) before: Option<u64>,
}

/// A page of games, newest first; empty at the end.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Page {
    pub(crate) games: Vec<(u64, Bytes)>,
    /// The log index up to which the speaker's archive is whole.
    pub(crate) complete: Option<u64>,
}

/// Runs as long as the node does.
pub(crate) async fn run(
    machine: Machine,
    env: Arc<dyn Env>,
    seal: Seal,
    mut peers: watch::Receiver<Vec<(u64, Peer)>>,
    me: u64,
) {
    let mut gap = machine.archive_gap();
    loop {
        let Ok(wanted) = gap.wait_for(Option::is_some).await.map(|gap| *gap) else { return };
        let Some(gap) = wanted else { continue };
        let candidates = peers.borrow_and_update().clone();
        if candidates.is_empty() {
            // Consensus has not said yet who belongs to the cluster.
            if peers.changed().await.is_err() {
                return;
            }
            continue;
        }
        // A cluster of one has nobody to ask.
        let mut filled = candidates.iter().all(|(id, _)| *id == me);
        for (id, peer) in candidates.into_iter().filter(|(id, _)| *id != me) {
            let from = Party { node: id, disk: peer.disk };
            match copy_from(&machine, &env, &seal, from, peer.address, gap.index).await {
                Ok(true) => {
                    filled = true;
                    break;
                }
                Ok(false) => {}
                Err(err) => tracing::debug!(%err, %peer, "cannot fill the archive from there"),
            }
        }
        if filled {
            machine.archive_filled(gap);
            tracing::info!("the archive is filled again");
        } else {
            sleep(RETRY).await;
        }
    }
}

/// Copies everything a peer has; `false` when the peer misses something itself.
async fn copy_from(
    machine: &Machine,
    env: &Arc<dyn Env>,
    seal: &Seal,
    from: Party,
    address: SocketAddr,
    index: u64,
) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
    let mut client = client(channel_to(env, address), seal);
    let mut before = None;
    loop {
        let request = seal.seal(from, &PageRequest { before });
        let answer = timeout(ANSWER_DEADLINE, client.archive(request)).await??;
        let (_, page) = seal.open::<Page>(&answer.into_inner())?;
        if page.complete < Some(index) {
            return Ok(false);
        }
        let Some((oldest, _)) = page.games.last() else { return Ok(true) };
        before = Some(*oldest);
        machine.storage().archive.store(page.games, None).await?;
    }
}
