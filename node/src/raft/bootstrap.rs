//! The very first election of a configured cluster.
//!
//! Nodes start in any order and some may be missing. A node with an empty log asks
//! the other configured members whether theirs is empty too. When a majority of
//! them (itself included) is empty and none has a log, it writes the configured
//! membership as the first entry. Several nodes may do so at once: the entry is the
//! same everywhere. A node that learns of a log anywhere waits for its leader.
//!
//! # Not here
//!
//! A voter that lost its disk must not come back under its old id: it could vote
//! against what it had acknowledged. Nothing recognises it yet.

use super::envelope::Seal;
use super::network::client;
use super::types::{Peer, Raft};
use crate::dial::channel_to;
use crate::env::Env;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Between two rounds of asking.
const ROUND: Duration = Duration::from_millis(200);

/// A peer that has not answered by then counts as missing in this round.
const ANSWER_DEADLINE: Duration = Duration::from_millis(500);

/// What nodes tell each other before there is a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Beginning {
    /// The speaker's log is empty.
    pub(crate) pristine: bool,
    /// The members it was configured with.
    pub(crate) members: BTreeMap<u64, Peer>,
}

/// Runs until the cluster has begun, with or without this node's help.
pub(crate) async fn run(
    raft: Raft,
    env: Arc<dyn Env>,
    seal: Seal,
    me: u64,
    members: BTreeMap<u64, Peer>,
) {
    let mut warned = false;
    while let Ok(false) = raft.is_initialized().await {
        match ask_all(&env, &seal, me, &members).await {
            Round::Begin => {
                // Another entry may have arrived from a leader just now; that is fine.
                match raft.initialize(members.clone()).await {
                    Ok(()) => tracing::info!(voters = members.len(), "the cluster begins"),
                    Err(err) => tracing::debug!(%err, "the cluster has begun without us"),
                }
            }
            Round::Disagreement(peer) if !warned => {
                warned = true;
                tracing::error!(
                    %peer,
                    "is configured with other first members; make `cluster.members` the same everywhere"
                );
            }
            Round::Wait | Round::Disagreement(_) => {}
        }
        sleep(ROUND).await;
    }
}

enum Round {
    Begin,
    Wait,
    Disagreement(Peer),
}

async fn ask_all(env: &Arc<dyn Env>, seal: &Seal, me: u64, members: &BTreeMap<u64, Peer>) -> Round {
    let mine = Beginning { pristine: true, members: members.clone() };
    let asked = members.iter().filter(|(id, _)| **id != me).map(|(id, peer)| {
        let (mine, seal) = (&mine, seal);
        async move {
            let mut client = client(channel_to(env, peer.address));
            let answer = timeout(ANSWER_DEADLINE, client.pristine(seal.seal(*id, mine))).await;
            let (_, theirs) = seal.open::<Beginning>(&answer.ok()?.ok()?.into_inner()).ok()?;
            Some((peer.clone(), theirs))
        }
    });
    let mut pristine = 1;
    for (peer, theirs) in futures_util::future::join_all(asked).await.into_iter().flatten() {
        if !theirs.pristine {
            return Round::Wait;
        }
        if theirs.members != *members {
            return Round::Disagreement(peer);
        }
        pristine += 1;
    }
    if pristine > members.len() / 2 { Round::Begin } else { Round::Wait }
}
