//! What a node without a cluster serves: it waits to be admitted to one, or to be told
//! which one to join.

use super::access::Access;
use super::pages::Names;
use super::server::{Server, accept_all, show_readiness};
use crate::env::Listener;
use crate::identity::Identity;
use crate::join::{Applicant, Refused};
use futures_util::stream::BoxStream;
use hangraft_proto::v1::cluster_server::{Cluster, ClusterServer};
use hangraft_proto::v1::{
    BackupChunk, BackupRequest, Event, EventsRequest, FaultsReply, FaultsRequest, HealReply,
    HealRequest, InjectReply, InjectRequest, JoinReply, JoinRequest, LeaveReply, LeaveRequest,
    NodeReport, ObserveRequest, Observed, ReportRequest, SetReply, SetRequest, StatusReply,
    StatusRequest, TransferLeaderReply, TransferLeaderRequest,
};
use metrics_exporter_prometheus::PrometheusHandle;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

/// A cluster that has not decided by then is asked again by whoever asked us.
const JOIN_DEADLINE: Duration = Duration::from_secs(20);

/// From the answer to whoever asked to the end of this service.
const LAST_WORD: Duration = Duration::from_millis(100);

/// Serves at the node's address until it has been admitted by one of these nodes; without
/// any, until it has been told whom to ask.
///
/// # Errors
/// When nodes that were given refuse.
pub(crate) async fn wait_for_admission(
    mut listener: Box<dyn Listener>,
    applicant: &mut Applicant<'_>,
    seeds: &[SocketAddr],
    metrics: Option<PrometheusHandle>,
) -> Result<(Box<dyn Listener>, Identity), Refused> {
    let (wishes, mut asked) = mpsc::channel::<JoinOrder>(1);
    let service = WaitingRoom {
        address: applicant.address,
        name: applicant.config.name.clone().unwrap_or_default(),
        wishes: seeds.is_empty().then_some(wishes),
    };
    let (health, health_service) = tonic_health::server::health_reporter();
    show_readiness(&health, false).await;
    let grpc = Routes::new(ClusterServer::new(service)).add_service(health_service).prepare();
    let (_, draining) = watch::channel(false);
    let (access, config) = (Access::new(applicant.key), applicant.config);
    let names = Names::new(config.name.as_deref().unwrap_or_default(), &config.hosts);
    let server = Server { grpc, access, names, replica: None, draining, metrics, faults: None };
    let (stop, stopped) = watch::channel(false);
    let deciding = async {
        if !seeds.is_empty() {
            let decided = applicant.apply(seeds).await;
            stop.send_replace(true);
            return decided;
        }
        loop {
            let Some(JoinOrder { seeds, told }) = asked.recv().await else {
                return std::future::pending().await;
            };
            let answer = match timeout(JOIN_DEADLINE, applicant.apply(&seeds)).await {
                Ok(Ok(identity)) => {
                    let reply =
                        JoinReply { cluster: identity.cluster.clone(), node: identity.node.0 };
                    _ = told.send(Ok(reply));
                    sleep(LAST_WORD).await;
                    stop.send_replace(true);
                    return Ok(identity);
                }
                Ok(Err(refused)) => Err(Status::failed_precondition(refused.to_string())),
                Err(_) => {
                    let why = format!("not admitted in time: {}", applicant.complaint);
                    Err(Status::unavailable(why))
                }
            };
            // Whoever asked may have hung up; that is their business.
            _ = told.send(answer);
        }
    };
    let (decided, ()) = tokio::join!(deciding, accept_all(&mut *listener, &server, stopped));
    Ok((listener, decided?))
}

/// An operator wants this node to join the cluster of these nodes.
struct JoinOrder {
    seeds: Vec<SocketAddr>,
    told: oneshot::Sender<Result<JoinReply, Status>>,
}

struct WaitingRoom {
    address: SocketAddr,
    name: String,
    /// `None` when it knows whom to ask.
    wishes: Option<mpsc::Sender<JoinOrder>>,
}

fn no_cluster<T>() -> Result<T, Status> {
    Err(Status::failed_precondition(
        "this node belongs to no cluster yet; `hangraft join` tells it which one to join",
    ))
}

#[tonic::async_trait]
impl Cluster for WaitingRoom {
    async fn join(&self, request: Request<JoinRequest>) -> Result<Response<JoinReply>, Status> {
        let parse = |seed: &String| {
            seed.parse().map_err(|_| Status::invalid_argument(format!("{seed:?} is no address")))
        };
        let seeds: Vec<SocketAddr> =
            request.into_inner().seeds.iter().map(parse).collect::<Result<_, _>>()?;
        if seeds.is_empty() || seeds.contains(&self.address) {
            return Err(Status::invalid_argument("name a node that is in the cluster already"));
        }
        let Some(wishes) = &self.wishes else {
            return Err(Status::failed_precondition(
                "this node was started with --seed and asks there already; its log says why it waits",
            ));
        };
        let (told, answer) = oneshot::channel();
        wishes
            .try_send(JoinOrder { seeds, told })
            .map_err(|_| Status::unavailable("this node is being asked to join already"))?;
        answer.await.map_err(|_| Status::unavailable("this node is stopping"))?.map(Response::new)
    }

    async fn status(&self, _: Request<StatusRequest>) -> Result<Response<StatusReply>, Status> {
        no_cluster()
    }

    async fn report(&self, _: Request<ReportRequest>) -> Result<Response<NodeReport>, Status> {
        Ok(Response::new(NodeReport {
            name: self.name.clone(),
            address: self.address.to_string(),
            version: crate::format::VERSION.to_owned(),
            state: "waiting".to_owned(),
            ..NodeReport::default()
        }))
    }

    type EventsStream = BoxStream<'static, Result<Event, Status>>;

    async fn events(
        &self,
        _: Request<EventsRequest>,
    ) -> Result<Response<Self::EventsStream>, Status> {
        no_cluster()
    }

    type ObserveStream = BoxStream<'static, Result<Observed, Status>>;

    async fn observe(
        &self,
        _: Request<ObserveRequest>,
    ) -> Result<Response<Self::ObserveStream>, Status> {
        no_cluster()
    }

    async fn set(&self, _: Request<SetRequest>) -> Result<Response<SetReply>, Status> {
        no_cluster()
    }

    async fn transfer_leader(
        &self,
        _: Request<TransferLeaderRequest>,
    ) -> Result<Response<TransferLeaderReply>, Status> {
        no_cluster()
    }

    async fn leave(&self, _: Request<LeaveRequest>) -> Result<Response<LeaveReply>, Status> {
        no_cluster()
    }

    async fn inject(&self, _: Request<InjectRequest>) -> Result<Response<InjectReply>, Status> {
        no_cluster()
    }

    async fn faults(&self, _: Request<FaultsRequest>) -> Result<Response<FaultsReply>, Status> {
        no_cluster()
    }

    async fn heal(&self, _: Request<HealRequest>) -> Result<Response<HealReply>, Status> {
        no_cluster()
    }

    type BackupStream = BoxStream<'static, Result<BackupChunk, Status>>;

    async fn backup(
        &self,
        _: Request<BackupRequest>,
    ) -> Result<Response<Self::BackupStream>, Status> {
        no_cluster()
    }
}
