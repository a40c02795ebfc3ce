//! Asking a node about its cluster.

use std::{error::Error, net::SocketAddr, time::Duration};

use anyhow::{Context, anyhow};
use hangraft_proto::v1::{
    NodeReport, ReportRequest, StatusReply, StatusRequest, cluster_client::ClusterClient,
};
use tonic::transport::{Channel, Endpoint};

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

/// The whole cluster, as one node sees it.
pub(crate) async fn status(node: SocketAddr) -> anyhow::Result<StatusReply> {
    let mut client = ClusterClient::new(connect(node).await?);
    let reply = tokio::time::timeout(ANSWER, client.status(StatusRequest {})).await;
    Ok(in_time(node, reply)?.into_inner())
}

/// One node alone.
pub(crate) async fn report(node: SocketAddr) -> anyhow::Result<NodeReport> {
    let mut client = ClusterClient::new(connect(node).await?);
    let reply = tokio::time::timeout(ANSWER, client.report(ReportRequest {})).await;
    Ok(in_time(node, reply)?.into_inner())
}

fn in_time<T>(
    node: SocketAddr,
    reply: Result<Result<T, tonic::Status>, tokio::time::error::Elapsed>,
) -> anyhow::Result<T> {
    let silent = || anyhow!("the node at {node} does not answer; is it paused, or still starting?");
    reply.map_err(|_| silent())?.map_err(|status| match status.source() {
        // The connection broke; the node itself has said nothing.
        Some(_) => silent(),
        None => anyhow!("the node at {node} refused: {}", status.message()),
    })
}

/// The last cause, which is the one that says something.
fn root(err: &dyn Error) -> String {
    let mut cause = err;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
