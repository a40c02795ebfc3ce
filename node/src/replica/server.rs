//! openraft's network over gRPC, the answering side.

use crate::peers::asks::Application;
use crate::peers::asks::Ask;
use crate::peers::caller::Caller;
use crate::peers::envelope::{Party, Seal, Speaker};
use crate::peers::starts::{Reception, Start};
use crate::raft::snapshots::Incoming;
use crate::raft::trace::{self, Gist, Rpc, Traced};
use crate::raft::types::{SnapshotMeta, TypeConfig, Vote, term_of};
use crate::replica::bootstrap::{Greeting, YouAre};
use crate::replica::claims::{Hello, Met};
use crate::replica::drift::Question;
use crate::replica::handle::Replica;
use crate::replica::refill::{PAGE_GAMES, Page, PageRequest};
use crate::replica::vouch::Memory;
use crate::storage::log::synced;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, Stream, StreamExt};
use hangraft_ids::NodeId;
use hangraft_proto::v1::raft_server::Raft as RaftService;
use hangraft_proto::v1::{Envelope, SnapshotChunk};
use openraft::raft::{AppendEntriesRequest, TransferLeaderRequest, VoteRequest};
use openraft::storage::Snapshot;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::future::Future;
use std::time::Duration;
use tokio::time::timeout;
use tonic::{Code, Request, Response, Status, Streaming};

/// A snapshot sender that is silent for this long is given up on.
const SNAPSHOT_STALL: Duration = Duration::from_secs(10);

/// Characters of a foreign cluster's name that are repeated.
const NAME_QUOTED_MAX: usize = 64;

/// An append stream that brings nothing for this long is closed.
const FIRST_REQUEST_DEADLINE: Duration = Duration::from_secs(10);

type AppendAnswers = BoxStream<'static, Result<Envelope, Status>>;
type Reply = Result<Response<Envelope>, Status>;

/// What other replicas may ask of this one.
#[derive(Clone)]
pub(crate) struct PeerService(pub(crate) Replica);

impl PeerService {
    /// Opens a member's envelope, lets `work` answer, and seals the answer.
    async fn answer<Q, A, F>(&self, request: Request<Envelope>, work: impl FnOnce(Q) -> F) -> Reply
    where
        Q: DeserializeOwned,
        A: Serialize,
        F: Future<Output = Result<A, Status>>,
    {
        let (Speaker { party: from, .. }, message) =
            self.said_by_member(caller_of(&request), request.get_ref()).await?;
        Ok(Response::new(self.0.0.seal.seal(from, &work(message).await?)))
    }

    /// The same for Raft's own messages, of which observers are told, and for which it matters
    /// who speaks.
    async fn answer_rpc<Q, A, F>(
        &self,
        rpc: Rpc,
        request: Request<Envelope>,
        work: impl FnOnce(Party, Q) -> F,
    ) -> Reply
    where
        Q: DeserializeOwned + Traced,
        A: Serialize + Traced,
        F: Future<Output = Result<A, Status>>,
    {
        let (Speaker { party: from, .. }, message): (_, Q) =
            self.said_by_member(caller_of(&request), request.get_ref()).await?;
        let asked = message.gist(Gist::in_term(self.0.term()));
        trace::received(&self.0.0.observers, rpc, request.get_ref(), asked);
        let answer = work(from, message).await?;
        Ok(Response::new(self.seal_rpc(rpc, from, &answer, asked)))
    }

    /// Seals an answer, and tells observers of it.
    fn seal_rpc<A: Serialize + Traced>(
        &self,
        rpc: Rpc,
        to: Party,
        answer: &A,
        asked: Gist,
    ) -> Envelope {
        let sealed = self.0.0.seal.seal(to, answer);
        trace::sent(&self.0.0.observers, rpc, &sealed, answer.gist(asked));
        sealed
    }

    /// A word from a leader has come; it has voted for itself in its term.
    fn hear_leader(&self, from: Party, vote: &Vote) {
        self.0.hear_leader();
        self.0.0.promises.note_term(from, term_of(vote));
    }

    /// What a leader wants to be appended has come.
    fn hear_append(&self, from: Party, append: &AppendEntriesRequest<TypeConfig>) {
        self.0.hear_append(append);
        self.0.0.promises.note_term(from, term_of(&append.vote));
    }

    /// Opens an envelope. Operators hear of one of another cluster, or with another key.
    fn opened<Q: DeserializeOwned>(
        &self,
        seal: &Seal,
        caller: Option<Caller>,
        envelope: &Envelope,
    ) -> Result<(Speaker, Q), Status> {
        seal.open(envelope).inspect_err(|status| {
            let whence = whence(caller);
            if seal.is_foreign(envelope) {
                let named = quoted(&envelope.cluster);
                self.0.complain(format!("a node of cluster {named} spoke to this one{whence}"));
            } else if status.code() == Code::Unauthenticated {
                self.0.complain(format!("a node with another key spoke to this one{whence}"));
            }
        })
    }

    /// Opens what members say to each other. Whose id belongs to another disk is none: what
    /// that disk had promised is lost. An id that this node does not know may be a member
    /// that it has not heard of yet. Of each node one process is heard.
    async fn said_by_member<Q: DeserializeOwned>(
        &self,
        caller: Option<Caller>,
        envelope: &Envelope,
    ) -> Result<(Speaker, Q), Status> {
        self.check_vouched()?;
        self.said_by_known(caller, envelope).await
    }

    /// The same, also while this node waits to hear whether its disk is whole.
    async fn said_by_known<Q: DeserializeOwned>(
        &self,
        caller: Option<Caller>,
        envelope: &Envelope,
    ) -> Result<(Speaker, Q), Status> {
        self.check_proven()?;
        let (speaker, message) = self.opened(&self.0.0.seal, caller, envelope)?;
        let from = speaker.party;
        self.check_disk(from)?;
        if self.0.0.promises.is_set_back(from) {
            let why = format!("the disk of node {} has been set back; its id is spent", from.node);
            return Err(Status::failed_precondition(why));
        }
        self.check_start(speaker).await?;
        Ok((speaker, message))
    }

    fn check_disk(&self, from: Party) -> Result<(), Status> {
        let known =
            self.0.leadership().borrow().members.get(&from.node).map(|member| member.peer.disk);
        if known.is_none_or(|disk| disk == from.disk) {
            return Ok(());
        }
        let node = from.node;
        self.0.complain(format!("node {node} spoke with another disk; its id is spent"));
        Err(Status::failed_precondition(format!("node {node} is known with another disk")))
    }

    async fn check_start(&self, from: Speaker) -> Result<(), Status> {
        if self.0.0.starts.hears(from) {
            return Ok(());
        }
        match self.0.vouch(from, None).await {
            Reception::Welcome | Reception::Unheard => Ok(()),
            Reception::Elsewhere(start) => Err(Status::failed_precondition(format!(
                "node {} lives at {}, and speaks for itself",
                start.node, start.address
            ))),
            Reception::NotYet(why) => Err(Status::unavailable(why)),
        }
    }

    /// A disk that is not known to be the id's takes no part: it may have promised
    /// something that was lost with the disk before it.
    fn check_proven(&self) -> Result<(), Status> {
        if *self.0.0.proven.borrow() {
            return Ok(());
        }
        Err(Status::failed_precondition("this node does not know yet whether its id is its own"))
    }

    /// A disk that may have been set back takes no part before the others have said what
    /// they remember of it.
    fn check_vouched(&self) -> Result<(), Status> {
        if self.0.is_vouched() {
            return Ok(());
        }
        Err(Status::failed_precondition("this node does not know yet whether its disk is whole"))
    }

    /// Feeds the requests of a stream to openraft. The first one tells who speaks.
    async fn append_all(
        self,
        caller: Option<Caller>,
        mut sealed: Streaming<Envelope>,
    ) -> AppendAnswers {
        let refused = |status| futures_util::stream::once(async { Err(status) }).boxed();
        let first = match first_request(&mut sealed).await {
            Ok(Some(first)) => first,
            Ok(None) => return futures_util::stream::empty().boxed(),
            Err(status) => return refused(status),
        };
        let opening = self.said_by_member::<AppendEntriesRequest<TypeConfig>>(caller, &first);
        let (speaker, append) = match opening.await {
            Ok(opened) => opened,
            Err(status) => return refused(status),
        };
        let from = speaker.party;
        self.hear_append(from, &append);
        let asked = append.gist(Gist::default());
        trace::received(&self.0.0.observers, Rpc::Append, &first, asked);
        let replica = self.0.clone();
        let rest = self.opened_rest(speaker, sealed);
        let rest = rest.inspect(move |append| replica.hear_append(append));
        let requests = futures_util::stream::once(async { append }).chain(rest);
        let answers = self.0.0.raft.stream_append(requests);
        // One leader, and one term, speaks in a stream.
        let asked = Gist::in_term(asked.term);
        answers
            .map(move |answer| match answer {
                Ok(answer) => Ok(self.seal_rpc(Rpc::Append, from, &answer, asked)),
                Err(fatal) => Err(stopped(fatal)),
            })
            .boxed()
    }

    /// The requests of a stream, up to the first that does not open: what comes after
    /// a gap must not be taken.
    fn opened_rest(
        &self,
        from: Speaker,
        sealed: Streaming<Envelope>,
    ) -> impl Stream<Item = AppendEntriesRequest<TypeConfig>> + Send + 'static {
        let replica = self.0.clone();
        futures_util::stream::unfold(sealed, move |mut sealed| {
            let replica = replica.clone();
            async move {
                let envelope = sealed.message().await.ok()??;
                let inner = &replica.0;
                let opened = inner.seal.open::<AppendEntriesRequest<TypeConfig>>(&envelope);
                match opened {
                    Ok((speaker, request)) if speaker == from && inner.starts.hears(from) => {
                        let gist = request.gist(Gist::default());
                        trace::received(&inner.observers, Rpc::Append, &envelope, gist);
                        return Some((request, sealed));
                    }
                    Ok((speaker, _)) if speaker == from => {
                        tracing::warn!(?from, "another process speaks for the sender; closed");
                    }
                    Ok((speaker, _)) => {
                        tracing::warn!(
                            ?from,
                            ?speaker,
                            "an append stream changed its sender; closed"
                        );
                    }
                    Err(status) => {
                        tracing::warn!(?from, %status, "an append was refused; the stream is closed");
                    }
                }
                None
            }
        })
    }

    async fn receive_snapshot(
        &self,
        caller: Option<Caller>,
        mut chunks: Streaming<SnapshotChunk>,
    ) -> Result<Envelope, Status> {
        let inner = &self.0.0;
        let trouble = |err: std::io::Error| Status::data_loss(err.to_string());
        let first = next_chunk(&mut chunks).await?;
        let head = first.head.as_ref().ok_or_else(|| Status::invalid_argument("no head"))?;
        let (Speaker { party: from, .. }, said): (_, (Vote, SnapshotMeta)) =
            self.said_by_member(caller, head).await?;
        let (head, asked) = (head.clone(), said.gist(Gist::default()));
        let (vote, meta) = said;
        self.hear_leader(from, &vote);
        // The batches in it were written before.
        inner.stopwatch.restart();
        let files = inner.machine.files();
        let mut incoming = Incoming::start(files, &meta).await.map_err(trouble)?;
        let (mut chunk, mut bytes) = (first, 0);
        let crc32 = loop {
            if !chunk.data.is_empty() {
                bytes += chunk.data.len() as u64;
                incoming.append(chunk.data).await.map_err(trouble)?;
            }
            if let Some(crc32) = chunk.crc32 {
                break crc32;
            }
            chunk = next_chunk(&mut chunks).await?;
        };
        let snapshot = incoming.finish(crc32, &meta).await.map_err(trouble)?;
        trace::received_snapshot(&inner.observers, &head, asked, bytes);
        let installed = inner.raft.install_full_snapshot(vote, Snapshot { meta, snapshot }).await;
        // What the leader hears of this lets it count on the log as well, so the purge
        // that comes with it must be on the disk. Found by simulation.
        synced(inner.machine.log()).await.map_err(trouble)?;
        let vote = installed.map_err(stopped)?.vote;
        Ok(self.seal_rpc(Rpc::Snapshot, from, &vote, asked))
    }
}

fn caller_of<T>(request: &Request<T>) -> Option<Caller> {
    request.extensions().get().copied()
}

/// Where somebody speaks from, as far as it is known.
fn whence(caller: Option<Caller>) -> String {
    caller.map_or_else(String::new, |caller| format!(", from {}", caller.0.ip()))
}

/// A foreign name, shortened.
fn quoted(name: &str) -> String {
    format!("{:?}", name.chars().take(NAME_QUOTED_MAX).collect::<String>())
}

/// A replica that opens a stream has something to send.
async fn first_request(sealed: &mut Streaming<Envelope>) -> Result<Option<Envelope>, Status> {
    timeout(FIRST_REQUEST_DEADLINE, sealed.message())
        .await
        .map_err(|_| Status::deadline_exceeded("the stream brought nothing"))?
}

async fn next_chunk(chunks: &mut Streaming<SnapshotChunk>) -> Result<SnapshotChunk, Status> {
    timeout(SNAPSHOT_STALL, chunks.message())
        .await
        .map_err(|_| Status::deadline_exceeded("the snapshot stopped coming"))??
        .ok_or_else(|| Status::data_loss("the snapshot ended early"))
}

fn stopped(err: impl Display) -> Status {
    Status::unavailable(format!("this replica does not take part now: {err}"))
}

#[tonic::async_trait]
impl RaftService for PeerService {
    type AppendStream = AppendAnswers;

    async fn append(
        &self,
        request: Request<Streaming<Envelope>>,
    ) -> Result<Response<Self::AppendStream>, Status> {
        // Reply at once: the first request may be a while in coming.
        let service = self.clone();
        let caller = caller_of(&request);
        let answers = async move { service.append_all(caller, request.into_inner()).await };
        Ok(Response::new(answers.flatten_stream().boxed()))
    }

    async fn heartbeat(&self, request: Request<Envelope>) -> Reply {
        self.answer_rpc(
            Rpc::Heartbeat,
            request,
            |from, append: AppendEntriesRequest<TypeConfig>| async move {
                self.hear_append(from, &append);
                self.0.0.raft.append_entries(append).await.map_err(stopped)
            },
        )
        .await
    }

    async fn vote(&self, request: Request<Envelope>) -> Reply {
        self.answer_rpc(Rpc::Vote, request, |from, vote: VoteRequest<TypeConfig>| async move {
            // Who asks for votes has voted for itself.
            self.0.0.promises.note_term(from, term_of(&vote.vote));
            self.0.0.raft.vote(vote).await.map_err(stopped)
        })
        .await
    }

    async fn pre_vote(&self, request: Request<Envelope>) -> Reply {
        self.answer_rpc(Rpc::PreVote, request, |_, vote: VoteRequest<TypeConfig>| async move {
            self.0.0.raft.pre_vote(vote).await.map_err(stopped)
        })
        .await
    }

    async fn transfer_leader(&self, request: Request<Envelope>) -> Reply {
        self.answer_rpc(
            Rpc::Transfer,
            request,
            |_, transfer: TransferLeaderRequest<TypeConfig>| async move {
                self.0.0.raft.handle_transfer_leader(transfer).await.map_err(stopped)
            },
        )
        .await
    }

    async fn snapshot(&self, request: Request<Streaming<SnapshotChunk>>) -> Reply {
        let caller = caller_of(&request);
        Ok(Response::new(self.receive_snapshot(caller, request.into_inner()).await?))
    }

    async fn read_index(&self, request: Request<Envelope>) -> Reply {
        self.answer_rpc(Rpc::ReadIndex, request, |_, (): ()| async move {
            Ok(self.0.read_index().await)
        })
        .await
    }

    async fn introduce(&self, request: Request<Envelope>) -> Reply {
        // Open to those who are not members: to tell them so is what it is for.
        let seal = self.0.0.seal.for_strangers();
        let caller = caller_of(&request);
        let (_, greeting): (_, Greeting) = self.opened(&seal, caller, request.get_ref())?;
        let Greeting { cluster, node, disk, nonce } = greeting;
        if cluster != self.0.cluster() {
            let (named, whence) = (quoted(&cluster), whence(caller));
            self.0.complain(format!("a node of cluster {named} spoke to this one{whence}"));
            return Err(Status::failed_precondition("this node belongs to another cluster"));
        }
        let introduction = self.0.introduction(node, nonce);
        if matches!(introduction.you, YouAre::Member { disk: known } if known != disk) {
            self.0.complain(format!("node {node} came back with another disk; its id is spent"));
        }
        Ok(Response::new(seal.seal(Party::unmet(NodeId::NONE), &introduction)))
    }

    async fn meet(&self, request: Request<Envelope>) -> Reply {
        let seal = self.0.0.seal.for_strangers();
        let caller = caller_of(&request);
        let (_, hello): (_, Hello) = self.opened(&seal, caller, request.get_ref())?;
        if hello.cluster != self.0.cluster() {
            let (named, whence) = (quoted(&hello.cluster), whence(caller));
            self.0.complain(format!("a node of cluster {named} spoke to this one{whence}"));
            return Err(Status::failed_precondition("this node belongs to another cluster"));
        }
        let you = match hello.me {
            Some(start) => self.0.meet(start).await,
            None => Reception::Unheard,
        };
        let me = self.0.0.start;
        let mut others = self.0.0.starts.live();
        others.extend(self.0.home().map(|home| Start { address: home, ..me }));
        let voters = self.0.voters();
        let met = Met { nonce: hello.nonce, me, you, others, voters };
        Ok(Response::new(seal.seal(Party::unmet(NodeId::NONE), &met)))
    }

    async fn admit(&self, request: Request<Envelope>) -> Reply {
        let seal = self.0.0.seal.for_strangers();
        let caller = caller_of(&request);
        let (_, application): (_, Application) = self.opened(&seal, caller, request.get_ref())?;
        Ok(Response::new(seal.seal(Party::unmet(NodeId::NONE), &self.0.admit(application).await)))
    }

    async fn ask(&self, request: Request<Envelope>) -> Reply {
        let seal = &self.0.0.seal;
        let (Speaker { party: from, .. }, ask): (_, Ask) =
            self.said_by_member(caller_of(&request), request.get_ref()).await?;
        if self.0.machine().has_lost(from.node) {
            return Err(Status::permission_denied("the cluster has removed this node"));
        }
        if matches!(ask, Ask::Leave(id) | Ask::Stay(id) if id != from.node) {
            return Err(Status::permission_denied("only a node itself leaves or stays"));
        }
        Ok(Response::new(seal.seal(from, &self.0.answer_as_leader(ask).await)))
    }

    async fn archive(&self, request: Request<Envelope>) -> Reply {
        let archive = self.0.0.machine.archive();
        self.answer(request, |page: PageRequest| async move {
            let games = archive.page(page.before, PAGE_GAMES).await;
            let games = games.map_err(|err| Status::internal(err.to_string()))?;
            Ok(Page { games, complete: archive.complete() })
        })
        .await
    }

    async fn remember(&self, request: Request<Envelope>) -> Reply {
        let (Speaker { party: from, .. }, memory): (_, Memory) =
            self.said_by_known(caller_of(&request), request.get_ref()).await?;
        Ok(Response::new(self.0.0.seal.seal(from, &self.0.exchange(from, memory))))
    }

    async fn hash(&self, request: Request<Envelope>) -> Reply {
        let machine = &self.0.0.machine;
        self.answer(request, |asked: Question| async move { Ok(asked.answered_by(machine)) }).await
    }
}
