//! The operators' service: what this node and its peers say of themselves.

use crate::dial::channel_to;
use crate::env::Env;
use crate::gossip::Roster;
use crate::raft::{Leadership, Replica};
use hangraft_proto::v1::cluster_client::ClusterClient;
use hangraft_proto::v1::cluster_server::Cluster;
use hangraft_proto::v1::{Member, NodeReport, ReportRequest, StatusReply, StatusRequest};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;
use tonic::{Request, Response, Status};

/// A member that has not answered by then is shown without a report.
const REPORT_DEADLINE: Duration = Duration::from_secs(1);

/// What operators may ask of this node.
#[derive(Clone)]
pub(crate) struct ClusterService {
    pub(crate) cluster: String,
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    pub(crate) replica: Replica,
    pub(crate) roster: watch::Receiver<Roster>,
    pub(crate) env: Arc<dyn Env>,
}

impl ClusterService {
    fn report_self(&self) -> NodeReport {
        let report = self.replica.report();
        let index = |index: Option<u64>| index.unwrap_or(0);
        NodeReport {
            id: self.replica.me(),
            name: self.name.clone(),
            address: self.address.to_string(),
            term: report.term,
            last_log: index(report.last_log),
            committed: index(report.committed),
            applied: index(report.applied),
            hash: format!("{:016x}", report.hash),
            version: crate::VERSION.to_owned(),
            state: report.state.to_owned(),
            rooms: report.rooms,
            snapshot: index(report.snapshot),
            purged: index(report.purged),
        }
    }

    /// Everyone Raft or gossip knows, without their reports.
    fn members(&self, leadership: &Leadership) -> BTreeMap<u64, Member> {
        let mut members: BTreeMap<u64, Member> = BTreeMap::new();
        for (id, seen) in self.roster.borrow().iter() {
            let name = seen.card.as_ref().map_or_else(String::new, |card| card.name.clone());
            let address = seen.address.to_string();
            let role = "none".to_owned();
            members.insert(
                *id,
                Member { id: *id, name, address, alive: seen.alive, role, report: None },
            );
        }
        let leader = leadership.leader.as_ref().map(|(id, _)| *id);
        for (id, (peer, voter)) in &leadership.members {
            let member = members.entry(*id).or_default();
            member.id = *id;
            member.name = peer.name.clone();
            member.address = peer.address.to_string();
            member.role = match (leader == Some(*id), *voter) {
                (true, _) => "leader",
                (false, true) => "voter",
                (false, false) => "learner",
            }
            .to_owned();
        }
        members
    }

    async fn report_of(&self, member: &Member) -> Option<NodeReport> {
        if member.id == self.replica.me() {
            return Some(self.report_self());
        }
        let address = member.address.parse().ok()?;
        let mut client = ClusterClient::new(channel_to(&self.env, address));
        let report = timeout(REPORT_DEADLINE, client.report(ReportRequest {})).await;
        Some(report.ok()?.ok()?.into_inner())
    }
}

#[tonic::async_trait]
impl Cluster for ClusterService {
    async fn status(&self, _: Request<StatusRequest>) -> Result<Response<StatusReply>, Status> {
        let leadership = self.replica.leadership().borrow().clone();
        let mut members: Vec<Member> = self.members(&leadership).into_values().collect();
        let reports = members.iter().map(|member| self.report_of(member));
        let reports = futures_util::future::join_all(reports).await;
        for (member, report) in members.iter_mut().zip(reports) {
            member.report = report;
        }
        Ok(Response::new(StatusReply {
            cluster: self.cluster.clone(),
            leader: leadership.leader.map_or(0, |(id, _)| id),
            term: leadership.term,
            members,
        }))
    }

    async fn report(&self, _: Request<ReportRequest>) -> Result<Response<NodeReport>, Status> {
        Ok(Response::new(self.report_self()))
    }
}
