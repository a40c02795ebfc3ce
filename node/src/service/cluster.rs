//! The operators' service: what this node and its peers say of themselves, and what
//! can be asked of the cluster.

use super::Access;
use crate::backup;
use crate::dial::channel_to;
use crate::env::Env;
use crate::gossip::Roster;
use crate::membership::{Ask, Intents, Told};
use crate::raft::{Leadership, Replica};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use hangraft_proto::v1::cluster_client::ClusterClient;
use hangraft_proto::v1::cluster_server::Cluster;
use hangraft_proto::v1::{
    BackupChunk, BackupRequest, Event, EventsRequest, JoinReply, JoinRequest, LeaveReply,
    LeaveRequest, Member, NodeReport, ReportRequest, SetReply, SetRequest, StatusReply,
    StatusRequest, TransferLeaderReply, TransferLeaderRequest,
};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tonic::{Request, Response, Status};

/// A member that has not answered by then is shown without a report.
const REPORT_DEADLINE: Duration = Duration::from_secs(1);

/// A node that is not out by then stays.
const LEAVE_DEADLINE: Duration = Duration::from_secs(60);

/// How often a leaving node looks whether it is out.
const LEAVE_POLL: Duration = Duration::from_millis(100);

/// Between two tries to take leaving back.
const STAY_PAUSE: Duration = Duration::from_secs(1);

/// From the answer to whoever asked a node to leave to the node's end.
const LAST_WORD: Duration = Duration::from_millis(200);

/// A new leader is known to this node by then, or the asker has to look.
const TRANSFER_SEEN: Duration = Duration::from_secs(2);

/// Whether a node belongs to its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Departure {
    Stays,
    /// It was asked to leave.
    Leaving,
    /// It has left.
    Gone,
}

/// What operators may ask of this node.
#[derive(Clone)]
pub(crate) struct ClusterService {
    pub(crate) cluster: String,
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    pub(crate) replica: Replica,
    pub(crate) roster: watch::Receiver<Roster>,
    pub(crate) intents: Intents,
    pub(crate) access: Access,
    pub(crate) departure: Arc<watch::Sender<Departure>>,
    pub(crate) draining: watch::Sender<bool>,
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
            intents: self.intents.borrow().clone(),
        }
    }

    /// Everyone Raft or gossip knows, without their reports.
    fn members(&self, leadership: &Leadership) -> BTreeMap<u64, Member> {
        let mut members: BTreeMap<u64, Member> = BTreeMap::new();
        for (id, seen) in self.roster.borrow().iter() {
            // Gossip remembers for a day who has left.
            if !seen.alive && self.replica.machine().has_lost(*id) {
                continue;
            }
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
        // Another node may have taken the address of one that is gone.
        Some(report.ok()?.ok()?.into_inner()).filter(|report| report.id == member.id)
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
        let leader = leadership.leader.map_or(0, |(id, _)| id);
        let led = members.iter().find(|member| member.id == leader);
        let intents = led.and_then(|member| member.report.clone()).unwrap_or_default().intents;
        let charter = self.replica.machine().charter();
        Ok(Response::new(StatusReply {
            cluster: self.cluster.clone(),
            leader,
            term: leadership.term,
            members,
            voters_wanted: charter.voters_wanted().into(),
            replace_after_ms: millis(charter.replace_after()),
            intents,
            features: charter.features().iter().cloned().collect(),
        }))
    }

    async fn report(&self, _: Request<ReportRequest>) -> Result<Response<NodeReport>, Status> {
        Ok(Response::new(self.report_self()))
    }

    type EventsStream = BoxStream<'static, Result<Event, Status>>;

    async fn events(
        &self,
        request: Request<EventsRequest>,
    ) -> Result<Response<Self::EventsStream>, Status> {
        let (past, news) = self.replica.events().follow(request.into_inner().past as usize);
        let past = futures_util::stream::iter(past.into_iter().map(|event| Ok(on_wire(event))));
        let news = futures_util::stream::unfold(news, |mut news| async move {
            match news.recv().await {
                Ok(event) => Some((Ok(on_wire(event)), news)),
                Err(RecvError::Lagged(missed)) => {
                    let why = format!("{missed} events were missed; follow again");
                    Some((Err(Status::data_loss(why)), news))
                }
                Err(RecvError::Closed) => None,
            }
        });
        Ok(Response::new(past.chain(news).boxed()))
    }

    async fn set(&self, request: Request<SetRequest>) -> Result<Response<SetReply>, Status> {
        self.access.check_operator(&request)?;
        let SetRequest { voters, replace_after_ms } = request.into_inner();
        if voters.is_none() && replace_after_ms.is_none() {
            return Err(Status::invalid_argument("nothing to set"));
        }
        // What does not fit is refused by the charter, with the numbers there are.
        let voters = voters.map(|voters| u8::try_from(voters).unwrap_or(u8::MAX));
        done(self.replica.ask_the_leader(Ask::Set { voters, replace_after_ms }).await)?;
        // The reply tells what holds now, here: it was committed before.
        self.replica.linearizable().await?;
        let charter = self.replica.machine().charter();
        let replace_after_ms = millis(charter.replace_after());
        Ok(Response::new(SetReply { voters: charter.voters_wanted().into(), replace_after_ms }))
    }

    async fn transfer_leader(
        &self,
        request: Request<TransferLeaderRequest>,
    ) -> Result<Response<TransferLeaderReply>, Status> {
        self.access.check_operator(&request)?;
        let to = request.into_inner().to;
        let mut leadership = self.replica.leadership();
        let before = leadership.borrow_and_update().leader.as_ref().map(|(id, _)| *id);
        done(self.replica.ask_the_leader(Ask::HandOver((to != 0).then_some(to))).await)?;
        let moved = |now: &Leadership| {
            let leader = now.leader.as_ref().map(|(id, _)| *id);
            leader.is_some() && (leader == Some(to) || to == 0 && leader != before)
        };
        let seen = timeout(TRANSFER_SEEN, leadership.wait_for(moved)).await;
        let (leader, term) = match seen {
            Ok(Ok(now)) => (now.leader.as_ref().map_or(0, |(id, _)| *id), now.term),
            Ok(Err(_)) | Err(_) => {
                let why =
                    "leadership was handed over, but no new leader is seen yet; look at the status";
                return Err(Status::unavailable(why));
            }
        };
        Ok(Response::new(TransferLeaderReply { leader, term }))
    }

    async fn join(&self, request: Request<JoinRequest>) -> Result<Response<JoinReply>, Status> {
        self.access.check_operator(&request)?;
        Err(Status::failed_precondition(format!(
            "this node is {} of cluster {:?} already; only an empty node can join",
            self.name, self.cluster
        )))
    }

    async fn leave(&self, request: Request<LeaveRequest>) -> Result<Response<LeaveReply>, Status> {
        self.access.check_operator(&request)?;
        self.begin_leaving()?;
        // A task of its own: whoever asked may hang up, and half a goodbye is none.
        let service = self.clone();
        let leaving = tokio::spawn(async move { service.leave_for_good().await });
        leaving.await.map_err(|_| Status::internal("leaving failed"))?.map(Response::new)
    }

    type BackupStream = BoxStream<'static, Result<BackupChunk, Status>>;

    async fn backup(
        &self,
        request: Request<BackupRequest>,
    ) -> Result<Response<Self::BackupStream>, Status> {
        // It holds hidden words, so being on this machine is not enough.
        self.access.check(request.metadata()).map_err(|_| {
            Status::unauthenticated("a backup needs the cluster's key; give it with --key-file")
        })?;
        if self.replica.machine().archive_gap().borrow().is_some() {
            let why = "this node is still fetching finished games; ask another, or again later";
            return Err(Status::unavailable(why));
        }
        self.replica.linearizable().await?;
        let chunks = backup::write(self.replica.clone(), self.cluster.clone(), self.env.unix_ms());
        Ok(Response::new(
            chunks
                .map(|chunk| match chunk {
                    Ok(data) => Ok(BackupChunk { data }),
                    Err(err) => Err(Status::data_loss(err.to_string())),
                })
                .boxed(),
        ))
    }
}

impl ClusterService {
    fn begin_leaving(&self) -> Result<(), Status> {
        let begun = self.departure.send_if_modified(|now| {
            let stays = *now == Departure::Stays;
            if stays {
                *now = Departure::Leaving;
            }
            stays
        });
        if begun {
            return Ok(());
        }
        Err(Status::failed_precondition(
            "this node is leaving already, or an earlier wish to leave is still being taken back",
        ))
    }

    async fn leave_for_good(self) -> Result<LeaveReply, Status> {
        let me = self.replica.me();
        self.replica.expect_removal(true);
        let out = match self.replica.ask_the_leader(Ask::Leave(me)).await {
            Told::Done => {
                // Who watches or writes through this node goes elsewhere first.
                self.draining.send_replace(true);
                self.until_out().await
            }
            told => done(told),
        };
        if let Err(status) = out {
            if status.code() == tonic::Code::FailedPrecondition {
                // Refused by the leader: nothing was begun.
                self.replica.expect_removal(false);
                self.departure.send_replace(Departure::Stays);
                return Err(status);
            }
            self.draining.send_replace(false);
            self.replica.expect_removal(false);
            // It may have been asked for all the same; it is taken back, however long
            // that takes.
            tokio::spawn(self.stay_after_all());
            return Err(status);
        }
        self.replica.forget_id("this node has left the cluster").await;
        let departure = self.departure.clone();
        tokio::spawn(async move {
            sleep(LAST_WORD).await;
            departure.send_replace(Departure::Gone);
        });
        Ok(LeaveReply { text: format!("{} has left cluster {:?}", self.name, self.cluster) })
    }

    async fn stay_after_all(self) {
        while !matches!(
            self.replica.ask_the_leader(Ask::Stay(self.replica.me())).await,
            Told::Done | Told::Refused(_)
        ) {
            sleep(STAY_PAUSE).await;
        }
        self.replica.expect_removal(false);
        self.departure.send_replace(Departure::Stays);
    }

    async fn until_out(&self) -> Result<(), Status> {
        let deadline = Instant::now() + LEAVE_DEADLINE;
        while !self.replica.is_removed().await {
            // It leaves for as long as it says so. No answer, or no, changes nothing now:
            // the leader may just be another one.
            self.replica.ask_the_leader(Ask::Leave(self.replica.me())).await;
            if Instant::now() > deadline {
                let intents = self.intents.borrow().join("; ");
                let why = format!(
                    "not out in {LEAVE_DEADLINE:?}; leaving is being taken back; {intents}"
                );
                return Err(Status::deadline_exceeded(why));
            }
            sleep(LEAVE_POLL).await;
        }
        Ok(())
    }
}

fn done(told: Told) -> Result<(), Status> {
    match told {
        Told::Done | Told::Admitted { .. } => Ok(()),
        Told::Refused(why) => Err(Status::failed_precondition(why)),
        Told::NotNow(why) => Err(Status::unavailable(why)),
    }
}

fn on_wire(event: crate::events::Event) -> Event {
    let crate::events::Event { at_ms, term, index, kind, text } = event;
    Event { at_ms, term, index, kind: kind.to_owned(), text }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
