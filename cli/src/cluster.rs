//! Asking a node about its cluster.

use std::{error::Error, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::anyhow;
use hangraft_proto::{
    channel::Dial,
    net::Tcp,
    pass::Pass,
    v1::{
        NodeReport, ReportRequest, StatusReply, StatusRequest, TransferLeaderRequest,
        cluster_client::ClusterClient,
    },
};
use tonic::{service::interceptor::InterceptedService, transport::Channel};

use crate::http;

/// How long a connection may take. Nodes are near.
const CONNECT: Duration = Duration::from_secs(1);

/// How long a node may take to ask all others how they are.
const ANSWER: Duration = Duration::from_secs(3);

/// How often a silent connection is tried, and how long the other side may stay
/// silent then. A paused process is found out by this, nothing else.
const KEEP_ALIVE: Duration = Duration::from_millis(500);

/// A connection to a node.
pub(crate) async fn connect(node: SocketAddr) -> anyhow::Result<Channel> {
    let dial = Dial {
        connect_deadline: Some(CONNECT),
        keep_alive: Some(KEEP_ALIVE),
        ..Dial::to(Arc::new(Tcp), node)
    };
    dial.connect()
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
        match reply {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => Err(unanswered(self.node, status).await),
            Err(_) => Err(silent(self.node)),
        }
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

/// The whole cluster, as the first of several nodes sees it that knows who leads; if none
/// does, as the first sees it that answers. One that is cut off from the others knows little.
///
/// # Errors
/// Why the last of them did not answer.
pub(crate) async fn status(doors: &[Door]) -> anyhow::Result<StatusReply> {
    let (mut last, mut leaderless) = (anyhow!("no node was named"), None);
    for door in doors {
        match door.status().await {
            Ok(status) if status.leader != 0 => return Ok(status),
            Ok(status) => leaderless = leaderless.or(Some(status)),
            Err(err) => last = err,
        }
    }
    leaderless.ok_or(last)
}

fn silent(node: SocketAddr) -> anyhow::Error {
    anyhow!("the node at {node} does not answer; is it paused, or still starting?")
}

/// Why there is no answer, and what to do.
async fn unanswered(node: SocketAddr, status: tonic::Status) -> anyhow::Error {
    let said = status.message();
    let cause = status.source().map(root);
    let like = |text| cause.as_ref().is_some_and(|cause| cause.contains(text));
    // Hung up at the first bytes of HTTP/2, or answered in HTTP/1.1.
    let strange = like("broken pipe")
        || like("frame with invalid size")
        || said.starts_with("protocol error");
    let broke = cause.is_some() && !like("timed out");
    if (broke || strange) && is_frontend(node).await {
        return anyhow!("a frontend is at {node}, not a node; give the address of a node");
    }
    match status.code() {
        _ if strange => anyhow!("no node speaks at {node}; give the address of a node"),
        _ if cause.is_some() => silent(node),
        tonic::Code::Unauthenticated => anyhow!(
            "the node at {node}: {said}; give that with --key-file FILE, or the folder that has it with --dir DIR"
        ),
        // Nobody has decided; it may be so or not.
        tonic::Code::Unavailable => anyhow!("the node at {node}: {said}"),
        _ => anyhow!("the node at {node} refused: {said}"),
    }
}

/// Whether a frontend answers there. It hangs up on HTTP/2, and how that looks from here is
/// a matter of moments.
async fn is_frontend(address: SocketAddr) -> bool {
    matches!(http::get_status(address, "/frontends.json").await, Ok(200))
}

/// The last cause, which is the one that says something.
fn root(err: &dyn Error) -> String {
    let mut cause = err;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
