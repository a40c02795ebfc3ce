//! Asking a node about its cluster.

use std::{error::Error, net::SocketAddr, time::Duration};

use anyhow::{Context, anyhow};
use hangraft_proto::{
    pass::Pass,
    v1::{
        NodeReport, ReportRequest, StatusReply, StatusRequest, TransferLeaderRequest,
        cluster_client::ClusterClient,
    },
};
use tonic::{
    service::interceptor::InterceptedService,
    transport::{Channel, Endpoint},
};

/// How long a connection may take. Nodes are near.
const CONNECT: Duration = Duration::from_secs(1);

/// How long a node may take to ask all others how they are.
const ANSWER: Duration = Duration::from_secs(3);

/// How often a silent connection is tried, and how long the other side may stay
/// silent then. A paused process is found out by this, nothing else.
const KEEP_ALIVE: Duration = Duration::from_millis(500);

/// A connection to a node.
pub(crate) async fn connect(node: SocketAddr) -> anyhow::Result<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{node}"))
        .with_context(|| format!("cannot make an address of {node}"))?
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .keep_alive_while_idle(true);
    endpoint
        .connect()
        .await
        .map_err(|err| anyhow!("no node answers at {node} ({}); is it running?", root(&err)))
}

/// What an operator asks a node with.
pub(crate) type OperatorClient = ClusterClient<InterceptedService<Channel, Pass>>;

/// A node, and what is shown to it.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    node: SocketAddr,
    pass: Pass,
}

impl Door {
    pub(crate) fn new(node: SocketAddr, pass: Pass) -> Self {
        Self { node, pass }
    }

    /// Where the node is.
    pub(crate) fn node(&self) -> SocketAddr {
        self.node
    }

    /// Another node of the same cluster.
    pub(crate) fn beside(&self, node: SocketAddr) -> Self {
        Self { node, pass: self.pass.clone() }
    }

    /// A connection to it.
    pub(crate) async fn client(&self) -> anyhow::Result<OperatorClient> {
        let channel = connect(self.node).await?;
        Ok(ClusterClient::with_interceptor(channel, self.pass.clone()))
    }

    /// What it answers to a question, within a time.
    pub(crate) async fn answer<T>(
        &self,
        deadline: Duration,
        asking: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
    ) -> anyhow::Result<T> {
        let reply = tokio::time::timeout(deadline, asking).await;
        Ok(in_time(self.node, reply)?.into_inner())
    }

    /// The whole cluster, as it sees it.
    pub(crate) async fn status(&self) -> anyhow::Result<StatusReply> {
        let mut client = self.client().await?;
        self.answer(ANSWER, client.status(StatusRequest {})).await
    }

    /// Moves leadership to another voter, and returns when it has moved.
    pub(crate) async fn transfer_leader(&self) -> anyhow::Result<()> {
        let mut client = self.client().await?;
        let request = TransferLeaderRequest { to: 0 };
        self.answer(ANSWER, client.transfer_leader(request)).await.map(drop)
    }

    /// The node alone.
    pub(crate) async fn report(&self) -> anyhow::Result<NodeReport> {
        let mut client = self.client().await?;
        self.answer(ANSWER, client.report(ReportRequest {})).await
    }
}

/// The whole cluster, as the first of several nodes sees it that answers.
///
/// # Errors
/// Why the last of them did not.
pub(crate) async fn status(doors: &[Door]) -> anyhow::Result<StatusReply> {
    let mut last = anyhow!("no node was named");
    for door in doors {
        match door.status().await {
            Ok(status) => return Ok(status),
            Err(err) => last = err,
        }
    }
    Err(last)
}

fn in_time<T>(
    node: SocketAddr,
    reply: Result<Result<T, tonic::Status>, tokio::time::error::Elapsed>,
) -> anyhow::Result<T> {
    let silent = || anyhow!("the node at {node} does not answer; is it paused, or still starting?");
    let strange = || anyhow!("no node speaks at {node}; is it a frontend's port?");
    reply.map_err(|_| silent())?.map_err(|status| match status.source() {
        Some(err) if speaks_otherwise(err) => strange(),
        // The connection broke; the node itself has said nothing.
        Some(_) => silent(),
        // Nobody has decided; it may be so or not.
        None if status.message().starts_with("protocol error") => strange(),
        None if status.code() == tonic::Code::Unauthenticated => anyhow!(
            "the node at {node}: {}; give that with --key-file FILE, or the folder that has it with --dir DIR",
            status.message()
        ),
        None if status.code() == tonic::Code::Unavailable => {
            anyhow!("the node at {node}: {}", status.message())
        }
        None => anyhow!("the node at {node} refused: {}", status.message()),
    })
}

/// Whether a server hung up at the first bytes of HTTP/2, or answered them in HTTP/1.1.
fn speaks_otherwise(err: &dyn Error) -> bool {
    let cause = root(err);
    cause.contains("broken pipe") || cause.contains("frame with invalid size")
}

/// The last cause, which is the one that says something.
fn root(err: &dyn Error) -> String {
    let mut cause = err;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
