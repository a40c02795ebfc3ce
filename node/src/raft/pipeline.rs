//! The answers of one append stream, and what is looked at in them.

use crate::observe::Observers;
use crate::peers::envelope::{Party, Seal};
use crate::peers::promises::Promises;
use crate::peers::starts::Starts;
use crate::raft::trace::{self, Gist, Rpc, Traced};
use crate::raft::types::{LogId, TypeConfig, index_of};
use futures_util::StreamExt;
use hangraft_ids::{LogIndex, Term};
use hangraft_proto::v1::Envelope;
use openraft::base::BoxStream;
use openraft::errors::{NetworkError, RPCError, StreamingError, Unreachable};
use openraft::raft::{AppendEntriesRequest, StreamAppendError, StreamAppendResult};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use tonic::Status;

pub(super) type RpcError = RPCError<TypeConfig>;
pub(super) type AppendStream<'s> = BoxStream<'s, Result<StreamAppendResult<TypeConfig>, RpcError>>;

/// A follower that leaves an append unanswered for this long is given up on, and
/// tried again. Generous: an answer waits for the follower's disk.
pub(super) const APPEND_DEADLINE: Duration = Duration::from_secs(1);

/// Resolves when nobody waits for the answers of a stream any more.
pub(super) async fn ended(unwanted: oneshot::Receiver<()>) {
    planted!(StreamAstray => std::future::pending::<()>().await);
    _ = unwanted.await;
}

/// Writes down what a follower acknowledges to this leader.
pub(super) struct AckLedger {
    pub(super) promises: Promises,
    pub(super) follower: Party,
    pub(super) term: Term,
}

impl AckLedger {
    fn look_at(&self, answer: &StreamAppendResult<TypeConfig>) -> Result<(), RpcError> {
        match answer {
            Ok(upto) => self.note_acknowledged(upto.as_ref()),
            Err(StreamAppendError::Conflict(at)) => self.check_conflict(at)?,
            Err(StreamAppendError::HigherVote(_)) => {}
        }
        Ok(())
    }

    /// The follower has all up to this entry, durably.
    pub(super) fn note_acknowledged(&self, upto: Option<&LogId>) {
        let entries = upto.map_or(0, |at| at.index + 1);
        self.promises.note_acknowledged(self.follower, self.term, entries);
    }

    /// A conflict where the follower had acknowledged the entry before is not told to
    /// openraft, which would open streams and reset them without end. Whether the
    /// follower's disk has been set back is found out beside it.
    pub(super) fn check_conflict(&self, at: &LogId) -> Result<(), RpcError> {
        if self.promises.doubts(self.follower, self.term, index_of(at)) {
            let status = Status::failed_precondition("it has lost what it had acknowledged");
            return Err(unreachable_error(&status));
        }
        Ok(())
    }
}

/// The answers of one append stream.
pub(super) struct Pipeline<'s> {
    pub(super) seal: &'s Seal,
    pub(super) starts: &'s Starts,
    pub(super) observers: &'s Observers,
    pub(super) ledger: AckLedger,
    pub(super) sealed: tonic::Streaming<Envelope>,
    pub(super) sent: Arc<AtomicU64>,
    /// The stream is behind what the leader can still send.
    pub(super) astray: Arc<AtomicBool>,
    pub(super) received: u64,
    /// Dropped, it ends the requests.
    pub(super) _wanted: oneshot::Sender<()>,
}

/// Whether a stream is at a place in the log that the leader has purged.
///
/// openraft's replication may take up a command again that the leader has long
/// replaced, asks the log store for entries that are gone, sends what it takes for a
/// heartbeat, and does so for ever; the follower never catches up. An error makes
/// the leader decide anew, by the follower's true place. Found by simulation; what
/// openraft 0.10.0-alpha.37 does is in `replication::select_next_payload`.
pub(super) fn is_astray(
    request: &AppendEntriesRequest<TypeConfig>,
    purged: Option<LogIndex>,
) -> bool {
    planted!(StreamAstray => return false);
    let before = request.prev_log_id.as_ref().map(index_of);
    request.entries.is_empty() && before < purged
}

impl<'s> Pipeline<'s> {
    /// One answer after the other, until there is none or one that is no success.
    pub(super) fn answers(self) -> AppendStream<'s> {
        Box::pin(futures_util::stream::unfold(Some(self), |state| async move {
            let mut pipeline = state?;
            match pipeline.next().await? {
                Ok(answer) => {
                    // After a refusal the follower says no more.
                    let rest = answer.is_ok().then_some(pipeline);
                    Some((Ok(answer), rest))
                }
                Err(err) => Some((Err(err), None)),
            }
        }))
    }

    async fn next(&mut self) -> Option<Result<StreamAppendResult<TypeConfig>, RpcError>> {
        // An idle stream may stay silent for ever; one that owes an answer may not.
        let mut owing_since: Option<Instant> = None;
        loop {
            let answer = timeout(APPEND_DEADLINE / 4, self.sealed.next()).await;
            if self.astray.load(Ordering::Relaxed) {
                let status = Status::failed_precondition("the entries asked for are purged");
                return Some(Err(unreachable_error(&status)));
            }
            match answer {
                Ok(None) => return None,
                Ok(Some(Err(status))) => return Some(Err(rpc_error(&status))),
                Ok(Some(Ok(answer))) => {
                    self.received += 1;
                    return Some(self.take(&answer));
                }
                Err(_) if self.sent.load(Ordering::Relaxed) == self.received => owing_since = None,
                Err(_) => {
                    let since = *owing_since.get_or_insert_with(Instant::now);
                    if since.elapsed() > APPEND_DEADLINE {
                        let status = Status::deadline_exceeded("an append was not answered");
                        return Some(Err(unreachable_error(&status)));
                    }
                }
            }
        }
    }

    fn take(&self, sealed: &Envelope) -> Result<StreamAppendResult<TypeConfig>, RpcError> {
        let answer: StreamAppendResult<TypeConfig> = open(self.seal, self.starts, sealed)?;
        let gist = answer.gist(Gist::in_term(self.ledger.term));
        trace::received(self.observers, Rpc::Append, sealed, gist);
        self.ledger.look_at(&answer)?;
        Ok(answer)
    }
}

pub(super) fn open<T: DeserializeOwned>(
    seal: &Seal,
    starts: &Starts,
    answer: &Envelope,
) -> Result<T, RpcError> {
    let (from, message) = seal.open(answer).map_err(|status| rpc_error(&status))?;
    starts.hears(from);
    Ok(message)
}

/// What could not be reached is left alone for a while; other trouble is tried
/// again at once.
pub(super) fn rpc_error(status: &Status) -> RpcError {
    use tonic::Code;
    match status.code() {
        Code::Unavailable
        | Code::DeadlineExceeded
        | Code::Cancelled
        | Code::Unknown
        | Code::FailedPrecondition
        | Code::DataLoss
        | Code::Unauthenticated => unreachable_error(status),
        _ => RPCError::Network(NetworkError::new(status)),
    }
}

pub(super) fn unreachable_error(status: &Status) -> RpcError {
    RPCError::Unreachable(Unreachable::new(status))
}

pub(super) fn streaming_error(status: &Status) -> StreamingError<TypeConfig> {
    match rpc_error(status) {
        RPCError::Network(err) => StreamingError::Network(err),
        _ => StreamingError::Unreachable(Unreachable::new(status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::types::{Entry, Vote, log_id_of};
    use crate::storage::log::Position;
    use hangraft_ids::NodeId;
    use openraft::EntryPayload;

    /// A stream that goes on below what is purged has nothing to send; one at the
    /// purged place, or above, has.
    #[test]
    fn a_stream_below_the_purged_place_is_astray() {
        let at = |index| Position { term: Term(1), index: LogIndex(index) };
        let request = |prev: Option<u64>, entries: usize| AppendEntriesRequest::<TypeConfig> {
            vote: Vote::new_committed(1, NodeId(1)),
            prev_log_id: prev.map(|index| log_id_of(at(index))),
            leader_commit: None,
            entries: (0..entries as u64)
                .map(|nth| Entry { log_id: log_id_of(at(nth)), payload: EntryPayload::Blank })
                .collect(),
        };
        for (prev, entries, purged, astray) in [
            (Some(4), 0, Some(5), true),
            (None, 0, Some(5), true),
            (Some(5), 0, Some(5), false),
            (Some(4), 2, Some(5), false),
            (None, 0, None, false),
        ] {
            assert_eq!(is_astray(&request(prev, entries), purged.map(LogIndex)), astray);
        }
    }
}
