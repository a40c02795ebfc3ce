//! openraft's network over gRPC, the calling side.
//!
//! Three long-lived connections to each peer, so that a snapshot or a full append
//! pipeline never delays a heartbeat: one for appends, one for heartbeats and votes,
//! one for snapshots. Appends are pipelined on one stream. openraft leaves deadlines
//! to the network, so every call here has one.

use crate::charter::Peer;
use crate::env::Env;
use crate::observe::Observers;
use crate::peers::channel::{PeerClient, channel_to, client};
use crate::peers::envelope::{Party, Seal};
use crate::peers::promises::Promises;
use crate::peers::starts::Starts;
use crate::raft::log_store::Purged;
use crate::raft::pipeline::{
    APPEND_DEADLINE, AckLedger, AppendStream, Pipeline, RpcError, ended, is_astray, open,
    rpc_error, streaming_error, unreachable_error,
};
use crate::raft::snapshots::{CHUNK_BYTES, SnapshotFile};
use crate::raft::trace::{self, Gist, Rpc, Traced};
use crate::raft::types::{TypeConfig, Vote, term_of};
use futures_util::{Stream, StreamExt};
use hangraft_ids::{NodeId, Term};
use hangraft_proto::v1::{Envelope, SnapshotChunk};
use openraft::base::BoxFuture;
use openraft::errors::{ReplicationClosed, StreamingError};
use openraft::network::{RPCOption, stream_append_sequential};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::{OptionalSend, RaftNetworkFactory, RaftNetworkV2};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Response, Status};

/// A snapshot chunk that cannot be handed over for this long ends the transfer.
const SNAPSHOT_STALL: Duration = Duration::from_secs(10);

/// Makes the connections to peers, and keeps them for the next who needs one.
pub(crate) struct Wire {
    seal: Seal,
    purged: Purged,
    promises: Promises,
    channels: Channels,
    observers: Observers,
}

/// The connections that are there. Clones share them.
#[derive(Clone)]
struct Channels {
    env: Arc<dyn Env>,
    /// Where peers are.
    starts: Starts,
    open: Arc<Mutex<BTreeMap<(SocketAddr, Purpose), Channel>>>,
}

impl Channels {
    fn client(&self, address: SocketAddr, purpose: Purpose, seal: &Seal) -> PeerClient {
        let mut open = self.open.lock().expect("never poisoned");
        let channel = open.entry((address, purpose));
        client(channel.or_insert_with(|| channel_to(&self.env, address)).clone(), seal)
    }
}

impl Wire {
    pub(crate) fn new(
        env: Arc<dyn Env>,
        seal: Seal,
        purged: Purged,
        promises: Promises,
        starts: Starts,
        observers: Observers,
    ) -> Self {
        let channels = Channels { env, starts, open: Arc::default() };
        Wire { seal, purged, promises, channels, observers }
    }

    fn network(&mut self, target: NodeId, peer: &Peer, purpose: Purpose) -> Network {
        Network {
            target: Party { node: target, disk: peer.disk },
            address: peer.address,
            seal: self.seal.clone(),
            purged: self.purged.clone(),
            promises: self.promises.clone(),
            channels: self.channels.clone(),
            observers: self.observers.clone(),
            purpose,
        }
    }
}

impl RaftNetworkFactory<TypeConfig> for Wire {
    type Network = Network;

    async fn new_client(&mut self, target: NodeId, peer: &Peer) -> Network {
        self.network(target, peer, Purpose::Append)
    }

    async fn new_heartbeat_client(&mut self, target: NodeId, peer: &Peer) -> Network {
        self.network(target, peer, Purpose::Heartbeat)
    }

    async fn new_snapshot_client(&mut self, target: NodeId, peer: &Peer) -> Network {
        self.network(target, peer, Purpose::Snapshot)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Purpose {
    Append,
    Heartbeat,
    Snapshot,
}

/// One connection to one peer, for one purpose.
pub(crate) struct Network {
    target: Party,
    seal: Seal,
    purged: Purged,
    promises: Promises,
    /// Where the membership had it when this was made.
    address: SocketAddr,
    channels: Channels,
    observers: Observers,
    purpose: Purpose,
}

impl Network {
    /// A connection to where the peer is now, which may have moved.
    fn client(&self, purpose: Purpose) -> PeerClient {
        let address = self.channels.starts.address_of(self.target.node, self.address);
        self.channels.client(address, purpose, &self.seal)
    }

    /// Opens an answer. It shows that whoever gave it lives.
    fn open<T: DeserializeOwned>(&self, answer: &Envelope) -> Result<T, RpcError> {
        open(&self.seal, &self.channels.starts, answer)
    }

    /// One request, one answer, within the deadline openraft allows.
    async fn call<Q, A, F>(
        &self,
        rpc: Rpc,
        request: &Q,
        option: &RPCOption,
        send: impl FnOnce(PeerClient, Envelope) -> F,
    ) -> Result<A, RpcError>
    where
        Q: Serialize + Traced,
        A: DeserializeOwned + Traced,
        F: Future<Output = Result<Response<Envelope>, Status>>,
    {
        self.check_heard()?;
        let sealed = self.seal.seal(self.target, request);
        let asked = request.gist(Gist::default());
        trace::sent(&self.observers, rpc, &sealed, asked);
        // Votes share the heartbeats' connection, whatever this one is for.
        let client = self.client(Purpose::Heartbeat);
        let answer = timeout(option.hard_ttl(), send(client, sealed))
            .await
            .map_err(|_| unreachable_error(&Status::deadline_exceeded("no answer in time")))?
            .map_err(|status| rpc_error(&status))?;
        let answer = answer.into_inner();
        let said: A = self.open(&answer)?;
        trace::received(&self.observers, rpc, &answer, said.gist(asked));
        Ok(said)
    }
}

impl RaftNetworkV2<TypeConfig> for Network {
    type SnapshotData = SnapshotFile;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, RpcError> {
        let answer = self
            .call(Rpc::Heartbeat, &request, &option, |mut client, sealed| async move {
                client.heartbeat(sealed).await
            })
            .await?;
        let ledger = self.ledger(term_of(&request.vote));
        match (&answer, &request.prev_log_id) {
            (AppendEntriesResponse::Conflict, Some(at)) => ledger.check_conflict(at)?,
            (AppendEntriesResponse::Success, upto) => ledger.note_acknowledged(upto.as_ref()),
            _ => {}
        }
        Ok(answer)
    }

    /// Heartbeats are single requests and go as unary calls; a stream each would
    /// cost more than they do.
    fn stream_append<'s, S>(
        &'s mut self,
        input: S,
        option: RPCOption,
    ) -> BoxFuture<'s, Result<AppendStream<'s>, RpcError>>
    where
        S: Stream<Item = AppendEntriesRequest<TypeConfig>> + OptionalSend + Unpin + 'static,
    {
        if self.purpose == Purpose::Heartbeat {
            return stream_append_sequential(self, input, option);
        }
        Box::pin(self.pipeline(input))
    }

    async fn vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RpcError> {
        self.check_vouched()?;
        let answer: VoteResponse<TypeConfig> = self
            .call(Rpc::Vote, &request, &option, |mut client, sealed| async move {
                client.vote(sealed).await
            })
            .await?;
        if answer.vote_granted {
            self.promises.note_term(self.target, term_of(&request.vote));
        }
        Ok(answer)
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RpcError> {
        self.check_vouched()?;
        self.call(Rpc::PreVote, &request, &option, |mut client, sealed| async move {
            client.pre_vote(sealed).await
        })
        .await
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<TypeConfig>, RpcError> {
        self.call(Rpc::Transfer, &request, &option, |mut client, sealed| async move {
            client.transfer_leader(sealed).await
        })
        .await
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: openraft::alias::SnapshotOf<TypeConfig, SnapshotFile>,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        assert!(self.purpose == Purpose::Snapshot, "snapshots have their own connection");
        let head = (vote, snapshot.meta);
        let (sealed, asked) = (self.seal.seal(self.target, &head), head.gist(Gist::default()));
        trace::sent(&self.observers, Rpc::Snapshot, &sealed, asked);
        tokio::select! {
            closed = cancel => Err(closed.into()),
            sent = send_snapshot(self.client(self.purpose), sealed, snapshot.snapshot) => {
                let answer = sent.map_err(|status| streaming_error(&status))?;
                let (_, vote): (_, Vote) = self
                    .seal
                    .open(&answer)
                    .map_err(|status| streaming_error(&status))?;
                trace::received(&self.observers, Rpc::Snapshot, &answer, vote.gist(asked));
                Ok(SnapshotResponse::new(vote))
            }
        }
    }
}

impl Network {
    /// A node whose disk has been set back counts as dead.
    fn check_heard(&self) -> Result<(), RpcError> {
        if self.promises.is_set_back(self.target) {
            let status = Status::failed_precondition("its disk has been set back");
            return Err(unreachable_error(&status));
        }
        Ok(())
    }

    /// A node that does not know whether its own disk is whole asks for no votes.
    fn check_vouched(&self) -> Result<(), RpcError> {
        if !*self.promises.vouched().borrow() {
            let why = "this node does not know yet whether its disk is whole";
            return Err(unreachable_error(&Status::failed_precondition(why)));
        }
        Ok(())
    }

    fn ledger(&self, term: Term) -> AckLedger {
        AckLedger { promises: self.promises.clone(), follower: self.target, term }
    }

    async fn pipeline<'s, S>(&'s mut self, input: S) -> Result<AppendStream<'s>, RpcError>
    where
        S: Stream<Item = AppendEntriesRequest<TypeConfig>> + Send + Unpin + 'static,
    {
        // Nobody ends the requests of a stream whose answers nobody waits for any more: hyper
        // 1 goes on pulling them. They would take entries out of openraft's hands that are
        // meant for the next stream, which then has nothing to send, and the follower stays
        // behind until there is a new entry. With a client that ends the one with the other,
        // this would not be needed.
        let (wanted, unwanted) = oneshot::channel::<()>();
        // openraft waits between tries inside this stream, and only there: dialling
        // before it is asked for a request would dial a dead peer without a pause.
        let mut input = input.take_until(Box::pin(ended(unwanted))).peekable();
        let Some(first) = Pin::new(&mut input).peek().await else {
            return Ok(Box::pin(futures_util::stream::empty()));
        };
        self.check_heard()?;
        // One leader, and one term, speaks in a stream.
        let ledger = self.ledger(term_of(&first.vote));
        let (sent, astray) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let requests = {
            let (seal, purged, target) = (self.seal.clone(), self.purged.clone(), self.target);
            let (sent, astray) = (sent.clone(), astray.clone());
            let observers = self.observers.clone();
            input.map(move |request| {
                sent.fetch_add(1, Ordering::Relaxed);
                if is_astray(&request, purged.index()) {
                    astray.store(true, Ordering::Relaxed);
                }
                let sealed = seal.seal(target, &request);
                trace::sent(&observers, Rpc::Append, &sealed, request.gist(Gist::default()));
                sealed
            })
        };
        let mut client = self.client(self.purpose);
        let opening = timeout(APPEND_DEADLINE, client.append(requests));
        let answers = opening
            .await
            .map_err(|_| unreachable_error(&Status::deadline_exceeded("no stream in time")))?
            .map_err(|status| rpc_error(&status))?
            .into_inner();
        let pipeline = Pipeline {
            seal: &self.seal,
            starts: &self.channels.starts,
            observers: &self.observers,
            ledger,
            sealed: answers,
            sent,
            astray,
            received: 0,
            _wanted: wanted,
        };
        Ok(pipeline.answers())
    }
}

/// Streams a snapshot file, chunk by chunk, and waits until it is installed.
async fn send_snapshot(
    mut client: PeerClient,
    head: Envelope,
    file: SnapshotFile,
) -> Result<Envelope, Status> {
    let (chunks, receiver) = mpsc::channel(4);
    let feeding = async move {
        let io = |err: io::Error| Status::internal(format!("cannot read the snapshot: {err}"));
        let mut reader = file.reader().await.map_err(io)?;
        let mut crc = crc32fast::Hasher::new();
        let mut head = Some(head);
        loop {
            let data = reader.read(CHUNK_BYTES).await.map_err(io)?;
            crc.update(&data);
            let crc32 = data.is_empty().then(|| crc.clone().finalize());
            let chunk = SnapshotChunk { head: head.take(), data, crc32 };
            timeout(SNAPSHOT_STALL, chunks.send(chunk))
                .await
                .map_err(|_| Status::deadline_exceeded("the snapshot is not being taken"))?
                .map_err(|_| Status::unavailable("the snapshot was not wanted"))?;
            if crc32.is_some() {
                return Ok::<_, Status>(());
            }
        }
    };
    let stream = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let (fed, answer) = tokio::join!(feeding, client.snapshot(stream));
    // The receiver's reason says more than ours for not getting rid of the chunks.
    let answer = answer?;
    fed?;
    Ok(answer.into_inner())
}
