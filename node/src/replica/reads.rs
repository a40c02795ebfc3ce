//! Reads that are as new as they must be.

use crate::peers::channel::{channel_to, client};
use crate::peers::envelope::Party;
use crate::raft::trace::{self, Gist, Rpc, Traced};
use crate::replica::handle::{Replica, Role};
use hangraft_game::{RoomId, Version};
use hangraft_ids::LogIndex;
use openraft::ReadPolicy;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;

/// How long a read waits for its freshness before it is refused.
const READ_DEADLINE: Duration = Duration::from_secs(2);

/// Before a leader is asked again for a read index.
const READ_PAUSE: Duration = Duration::from_millis(25);

/// Why a read was not served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("no leader confirmed by a majority was found; try again")]
    NoQuorum,
    #[error("this replica did not catch up in time; try again or another node")]
    Behind,
}

impl Replica {
    /// Waits until this replica has applied everything that was acknowledged
    /// anywhere before the call (ReadIndex, thesis section 6.4).
    pub(crate) async fn linearizable(&self) -> Result<(), ReadError> {
        planted!(StaleRead => if self.role() == Role::Leads { return Ok(()) });
        let asked = async {
            loop {
                let index = match self.role() {
                    Role::Leads => self.read_index().await,
                    Role::Follows | Role::KnowsNoLeader => self.ask_leader().await,
                };
                match index {
                    Some(index) => return self.wait_applied(index).await,
                    // While leadership moves nobody knows; soon somebody will.
                    None => sleep(READ_PAUSE).await,
                }
            }
        };
        timeout(READ_DEADLINE, asked).await.unwrap_or(Err(ReadError::NoQuorum))
    }

    /// Waits until this replica has the room at `version` or later.
    pub(crate) async fn at_least(&self, room: RoomId, version: Version) -> Result<(), ReadError> {
        let mut applied = self.0.machine.applied();
        let there = async {
            loop {
                applied.borrow_and_update();
                if self.0.machine.room(room).is_some_and(|room| room.version() >= version)
                    || self.has_left(room, version).await
                {
                    return Ok(());
                }
                applied.changed().await.map_err(|_| ReadError::Behind)?;
            }
        };
        timeout(READ_DEADLINE, there).await.unwrap_or(Err(ReadError::Behind))
    }

    /// Whether the room has left the lobby here, at `version` or later.
    async fn has_left(&self, room: RoomId, version: Version) -> bool {
        let finished = self.finished().get(room).await.ok().flatten();
        finished.is_some_and(|finished| finished.version >= version)
    }

    async fn wait_applied(&self, index: LogIndex) -> Result<(), ReadError> {
        let mut applied = self.0.machine.applied();
        applied.wait_for(|at| *at >= Some(index)).await.map_err(|_| ReadError::Behind)?;
        Ok(())
    }

    /// The read index, from this node as the leader.
    pub(super) async fn read_index(&self) -> Option<LogIndex> {
        let linearizer = self.0.raft.get_read_linearizer(ReadPolicy::ReadIndex).await.ok()?;
        Some(LogIndex(linearizer.read_log_id().index()))
    }

    async fn ask_leader(&self) -> Option<LogIndex> {
        let (leader, peer) = self.0.leadership.borrow().leader.clone()?;
        let mut client = client(self.channel_to_leader(peer.address), &self.0.seal);
        let leader = Party { node: leader, disk: peer.disk };
        let (sealed, asked) = (self.0.seal.seal(leader, &()), Gist::in_term(self.term()));
        trace::sent(&self.0.observers, Rpc::ReadIndex, &sealed, asked);
        let answer = client.read_index(sealed).await.ok()?.into_inner();
        let (_, index) = self.0.seal.open::<Option<LogIndex>>(&answer).ok()?;
        trace::received(&self.0.observers, Rpc::ReadIndex, &answer, index.gist(asked));
        index
    }

    /// One connection for all reads, as long as the leader stays.
    fn channel_to_leader(&self, address: SocketAddr) -> Channel {
        let mut kept = self.0.leader_channel.lock().expect("never poisoned");
        match &*kept {
            Some((known, channel)) if *known == address => channel.clone(),
            _ => {
                let channel = channel_to(&self.0.env, address);
                *kept = Some((address, channel.clone()));
                channel
            }
        }
    }
}
