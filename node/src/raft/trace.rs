//! What observers are told of Raft's messages: once where each is sealed, once where it was
//! opened and taken.

use crate::observe::Observers;
use crate::raft::types::{SnapshotMeta, TypeConfig, Vote, index_of, term_of};
use hangraft_ids::{LogIndex, Term};
use hangraft_proto::v1::Envelope;
use hangraft_proto::v1::happening::{Letter, What};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, StreamAppendError, StreamAppendResult,
    TransferLeaderRequest, TransferLeaderResponse, VoteRequest, VoteResponse,
};
use prost::Message;

/// What is asked of another replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rpc {
    Append,
    Heartbeat,
    Vote,
    PreVote,
    Snapshot,
    Transfer,
    ReadIndex,
}

impl Rpc {
    fn name(self) -> &'static str {
        match self {
            Rpc::Append => "append",
            Rpc::Heartbeat => "heartbeat",
            Rpc::Vote => "vote",
            Rpc::PreVote => "pre-vote",
            Rpc::Snapshot => "snapshot",
            Rpc::Transfer => "transfer",
            Rpc::ReadIndex => "read-index",
        }
    }

    /// Whether it is said so often that observers may be told of some only: what
    /// [`sampling::is_everyday`](hangraft_proto::sampling::is_everyday) says of its name.
    fn is_everyday(self) -> bool {
        matches!(self, Rpc::Append | Rpc::Heartbeat | Rpc::ReadIndex)
    }
}

/// What a message says, as far as a timeline shows it. Never what entries hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gist {
    pub(crate) term: Term,
    index: Option<LogIndex>,
    entries: u64,
    /// Of an answer: whether it says yes.
    yes: Option<bool>,
}

impl Gist {
    /// What is known of a message before it is read: the term in which it is said.
    pub(crate) fn in_term(term: Term) -> Self {
        Gist { term, ..Gist::default() }
    }

    fn answers(yes: bool, term: Term, index: Option<LogIndex>) -> Self {
        Gist { term, index, entries: 0, yes: Some(yes) }
    }
}

/// A message that observers are told of.
pub(crate) trait Traced {
    /// What it says. `asked` is the gist of what it answers; answers often say no more than
    /// yes to that.
    fn gist(&self, asked: Gist) -> Gist;
}

/// A message was sealed, and is about to go.
pub(crate) fn sent(observers: &Observers, rpc: Rpc, envelope: &Envelope, gist: Gist) {
    let what = || What::Sent(letter(rpc, envelope, gist, 0));
    observers.note_message(rpc.is_everyday(), envelope.number, what);
}

/// A message was taken.
pub(crate) fn received(observers: &Observers, rpc: Rpc, envelope: &Envelope, gist: Gist) {
    let what = || What::Received(letter(rpc, envelope, gist, 0));
    observers.note_message(rpc.is_everyday(), envelope.number, what);
}

/// A whole snapshot was taken, of which this is the head.
pub(crate) fn received_snapshot(observers: &Observers, head: &Envelope, gist: Gist, data: u64) {
    let what = || What::Received(letter(Rpc::Snapshot, head, gist, data));
    observers.note_message(false, head.number, what);
}

fn letter(rpc: Rpc, envelope: &Envelope, gist: Gist, data: u64) -> Letter {
    Letter {
        number: envelope.number,
        what: rpc.name().into(),
        answer: gist.yes.is_some(),
        from: envelope.from,
        from_instance: envelope.from_instance,
        to: envelope.to,
        term: gist.term.0,
        index: gist.index.map(|index| index.0),
        entries: gist.entries,
        bytes: envelope.encoded_len() as u64 + data,
        yes: gist.yes,
    }
}

impl Traced for AppendEntriesRequest<TypeConfig> {
    fn gist(&self, _: Gist) -> Gist {
        let last = self.entries.last().map(|entry| &entry.log_id).or(self.prev_log_id.as_ref());
        Gist {
            term: term_of(&self.vote),
            index: last.map(index_of),
            entries: self.entries.len() as u64,
            yes: None,
        }
    }
}

impl Traced for AppendEntriesResponse<TypeConfig> {
    fn gist(&self, asked: Gist) -> Gist {
        match self {
            AppendEntriesResponse::Success => Gist::answers(true, asked.term, asked.index),
            AppendEntriesResponse::PartialSuccess(upto) => {
                Gist::answers(true, asked.term, upto.as_ref().map(index_of))
            }
            AppendEntriesResponse::Conflict => Gist::answers(false, asked.term, asked.index),
            AppendEntriesResponse::HigherVote(vote) => Gist::answers(false, term_of(vote), None),
        }
    }
}

impl Traced for StreamAppendResult<TypeConfig> {
    fn gist(&self, asked: Gist) -> Gist {
        match self {
            Ok(upto) => Gist::answers(true, asked.term, upto.as_ref().map(index_of)),
            Err(StreamAppendError::Conflict(at)) => {
                Gist::answers(false, asked.term, Some(index_of(at)))
            }
            Err(StreamAppendError::HigherVote(vote)) => Gist::answers(false, term_of(vote), None),
        }
    }
}

impl Traced for VoteRequest<TypeConfig> {
    fn gist(&self, _: Gist) -> Gist {
        let index = self.last_log_id.as_ref().map(index_of);
        Gist { term: term_of(&self.vote), index, ..Gist::default() }
    }
}

impl Traced for VoteResponse<TypeConfig> {
    fn gist(&self, _: Gist) -> Gist {
        let index = self.last_log_id.as_ref().map(index_of);
        Gist::answers(self.vote_granted, term_of(&self.vote), index)
    }
}

impl Traced for TransferLeaderRequest<TypeConfig> {
    fn gist(&self, _: Gist) -> Gist {
        let index = self.last_log_id().map(index_of);
        Gist { term: term_of(self.from_leader()), index, ..Gist::default() }
    }
}

impl Traced for TransferLeaderResponse<TypeConfig> {
    fn gist(&self, asked: Gist) -> Gist {
        Gist::answers(self.is_ok(), asked.term, asked.index)
    }
}

/// The head of a snapshot.
impl Traced for (Vote, SnapshotMeta) {
    fn gist(&self, _: Gist) -> Gist {
        let (vote, meta) = self;
        let index = meta.last_log_id.as_ref().map(index_of);
        Gist { term: term_of(vote), index, ..Gist::default() }
    }
}

/// The answer to a snapshot: the vote of whoever took it.
impl Traced for Vote {
    fn gist(&self, asked: Gist) -> Gist {
        Gist::answers(term_of(self) <= asked.term, term_of(self), asked.index)
    }
}

/// Asks for a read index.
impl Traced for () {
    fn gist(&self, asked: Gist) -> Gist {
        Gist::in_term(asked.term)
    }
}

/// A read index, from one who leads.
impl Traced for Option<LogIndex> {
    fn gist(&self, asked: Gist) -> Gist {
        Gist::answers(self.is_some(), asked.term, *self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::types::{Entry, log_id_of};
    use crate::storage::log::Position;
    use hangraft_ids::NodeId;
    use openraft::EntryPayload;

    /// Both sides of the wire call the same messages everyday ones.
    #[test]
    fn who_reads_knows_what_is_told_rarely() {
        for rpc in [
            Rpc::Append,
            Rpc::Heartbeat,
            Rpc::Vote,
            Rpc::PreVote,
            Rpc::Snapshot,
            Rpc::Transfer,
            Rpc::ReadIndex,
        ] {
            let known = hangraft_proto::sampling::is_everyday(rpc.name());
            assert_eq!(rpc.is_everyday(), known, "{rpc:?}");
        }
    }

    /// An append brings entries up to its last, a heartbeat speaks of the one before; the
    /// answer is about the same, also where it only says yes.
    #[test]
    fn an_answer_is_about_what_was_asked() {
        let at = |index| log_id_of(Position { term: Term(3), index: LogIndex(index) });
        let entry = |index| Entry { log_id: at(index), payload: EntryPayload::Blank };
        let request = |entries: Vec<Entry>| AppendEntriesRequest::<TypeConfig> {
            vote: Vote::new_committed(3, NodeId(1)),
            prev_log_id: Some(at(7)),
            leader_commit: None,
            entries,
        };
        let nothing = Gist::default();
        let heartbeat = request(Vec::new()).gist(nothing);
        assert_eq!(heartbeat, Gist { index: Some(LogIndex(7)), ..Gist::in_term(Term(3)) });
        let append = request(vec![entry(8), entry(9)]).gist(nothing);
        let upto = Some(LogIndex(9));
        assert_eq!(append, Gist { term: Term(3), index: upto, entries: 2, yes: None });
        let yes = AppendEntriesResponse::<TypeConfig>::Success.gist(append);
        assert_eq!(yes, Gist { term: Term(3), index: upto, entries: 0, yes: Some(true) });
        let outvoted = AppendEntriesResponse::<TypeConfig>::HigherVote(Vote::new(5, NodeId(2)));
        assert_eq!(outvoted.gist(append).term, Term(5), "the answering node is further");
    }
}
