//! The operators' service: what this node and its peers say of themselves, and what
//! can be asked of the cluster.

use super::convert;
use crate::backup;
use crate::env::Env;
use crate::faults::Faults;
use crate::gossip::Roster;
use crate::membership::Intents;
use crate::peers::asks::{Ask, LeaderReply};
use crate::peers::channel::channel_to;
use crate::replica::handle::Replica;
use crate::replica::leadership::Leadership;
use crate::replica::observation::Observation;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use hangraft_ids::{LogIndex, NodeId};
use hangraft_proto::pass::Pass;
use hangraft_proto::v1::cluster_client::ClusterClient;
use hangraft_proto::v1::cluster_server::Cluster;
use hangraft_proto::v1::{
    BackupChunk, BackupRequest, Event, EventsRequest, FaultsReply, FaultsRequest, HealReply,
    HealRequest, InjectReply, InjectRequest, JoinReply, JoinRequest, LeaveReply, LeaveRequest,
    Member, NodeReport, ObserveRequest, Observed, ReportRequest, SetReply, SetRequest, StatusReply,
    StatusRequest, TransferLeaderReply, TransferLeaderRequest,
};
use std::collections::{BTreeMap, HashMap};
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

/// A leader that says no for this long does not change its mind soon.
const REFUSED_FOR: Duration = Duration::from_secs(5);

/// How often a leaving node looks whether it is out.
const LEAVE_POLL: Duration = Duration::from_millis(100);

/// Between two tries to take leaving back.
const STAY_PAUSE: Duration = Duration::from_secs(1);

/// From the answer to whoever asked a node to leave to the node's end.
const LAST_WORD: Duration = Duration::from_millis(200);

/// A new leader is known to this node by then, most likely.
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
    /// What this node shows others when it asks them how they are.
    pub(crate) pass: Pass,
    pub(crate) departure: Arc<watch::Sender<Departure>>,
    pub(crate) draining: watch::Sender<bool>,
    pub(crate) env: Arc<dyn Env>,
    /// Where they are allowed.
    pub(crate) faults: Option<Faults>,
}

impl ClusterService {
    fn report_self(&self) -> NodeReport {
        let report = self.replica.report();
        let index = |index: Option<LogIndex>| index.unwrap_or_default().0;
        NodeReport {
            id: self.replica.me().0,
            name: self.name.clone(),
            address: self.address.to_string(),
            term: report.term.0,
            last_log: index(report.last_log),
            committed: index(report.committed),
            applied: index(report.applied),
            hash: format!("{:016x}", report.hash),
            version: crate::format::VERSION.to_owned(),
            state: report.state.to_owned(),
            rooms: report.rooms,
            snapshot: index(report.snapshot),
            purged: index(report.purged),
            intents: self.intents.borrow().clone(),
            silent_ms: self.silences(),
            faults: self.fault_texts(),
        }
    }

    /// As the leader: for how long each member has acknowledged nothing, in milliseconds.
    fn silences(&self) -> HashMap<u64, u64> {
        let quiet = self.replica.membership_view().map_or_else(BTreeMap::new, |view| view.quiet);
        quiet.into_iter().map(|(id, quiet)| (id.0, millis(quiet))).collect()
    }

    /// Everyone Raft or gossip knows, without their reports.
    fn members(&self, leadership: &Leadership) -> BTreeMap<NodeId, Member> {
        let mut members: BTreeMap<NodeId, Member> = BTreeMap::new();
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
                Member { id: id.0, name, address, alive: seen.alive, role, ..Member::default() },
            );
        }
        for (id, name, address) in self.replica.first_members() {
            if leadership.members.is_empty() {
                let (address, role) = (address.to_string(), "none".to_owned());
                members.entry(id).or_insert(Member {
                    id: id.0,
                    name,
                    address,
                    role,
                    ..Member::default()
                });
            }
        }
        let leader = leadership.leader.as_ref().map(|(id, _)| *id);
        for (id, known) in &leadership.members {
            let peer = &known.peer;
            let member = members.entry(*id).or_default();
            member.id = id.0;
            member.name = peer.name.clone();
            member.address = peer.address.to_string();
            // Whoever says that its promises are lost is as good as dead, and stops.
            member.alive &= !self.replica.is_set_back(*id, peer.disk);
            member.role = match (leader == Some(*id), known.votes) {
                (true, _) => "leader",
                (false, true) => "voter",
                (false, false) => "learner",
            }
            .to_owned();
        }
        members
    }

    async fn report_of(&self, member: &Member) -> Option<NodeReport> {
        if member.id == self.replica.me().0 {
            return Some(self.report_self());
        }
        let address = member.address.parse().ok()?;
        let mut client =
            ClusterClient::with_interceptor(channel_to(&self.env, address), self.pass.clone());
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
            // Before the cluster has begun, nobody gossips.
            member.alive |= leadership.members.is_empty() && report.is_some();
            member.report = report;
        }
        let leader = leadership.leader.map_or(NodeId::NONE, |(id, _)| id).0;
        let led = members.iter().find(|member| member.id == leader);
        let (intents, silent_ms) = match led {
            Some(leader) => {
                let NodeReport { intents, silent_ms, .. } =
                    leader.report.clone().unwrap_or_default();
                (intents, silent_ms)
            }
            None => (vec![self.why_nobody_leads(&members)], HashMap::new()),
        };
        for member in &mut members {
            member.silent_ms = silent_ms.get(&member.id).copied();
        }
        let charter = self.replica.machine().charter();
        Ok(Response::new(StatusReply {
            cluster: self.cluster.clone(),
            leader,
            term: leadership.term.0,
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
        let past =
            futures_util::stream::iter(past.into_iter().map(|event| Ok(convert::event(event))));
        let news = futures_util::stream::unfold(news, |mut news| async move {
            match news.recv().await {
                Ok(event) => Some((Ok(convert::event(event)), news)),
                Err(RecvError::Lagged(missed)) => {
                    let why = format!("{missed} events were missed; follow again");
                    Some((Err(Status::data_loss(why)), news))
                }
                Err(RecvError::Closed) => None,
            }
        });
        Ok(Response::new(past.chain(news).boxed()))
    }

    type ObserveStream = BoxStream<'static, Result<Observed, Status>>;

    async fn observe(
        &self,
        request: Request<ObserveRequest>,
    ) -> Result<Response<Self::ObserveStream>, Status> {
        let observation = Observation::new(self.replica.clone(), request.into_inner().messages);
        Ok(Response::new(observation.stream().map(Ok).boxed()))
    }

    async fn set(&self, request: Request<SetRequest>) -> Result<Response<SetReply>, Status> {
        let SetRequest { voters, replace_after_ms } = request.into_inner();
        if voters.is_none() && replace_after_ms.is_none() {
            return Err(Status::invalid_argument("nothing to set"));
        }
        // What does not fit is refused by the charter, with the numbers there are.
        let voters = voters.map(|voters| u8::try_from(voters).unwrap_or(u8::MAX));
        self.done(self.replica.ask_the_leader(Ask::Set { voters, replace_after_ms }).await)?;
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
        let to = Some(NodeId(request.into_inner().to)).filter(|to| *to != NodeId::NONE);
        match self.replica.ask_the_leader(Ask::HandOver(to)).await {
            LeaderReply::Leads { leader, term } if to.is_none_or(|to| to == leader) => {
                // This node's status says so, too, when this returns.
                let mut leadership = self.replica.leadership();
                let seen = leadership.wait_for(|now| now.term >= term && now.leader.is_some());
                _ = timeout(TRANSFER_SEEN, seen).await;
                Ok(Response::new(TransferLeaderReply { leader: leader.0, term: term.0 }))
            }
            LeaderReply::Leads { leader, term } => {
                let why = format!("n{leader} was elected instead, in term {term}; try again");
                Err(Status::unavailable(why))
            }
            told => {
                self.done(told)?;
                Err(Status::internal("the leader did not say who leads now"))
            }
        }
    }

    async fn join(&self, _: Request<JoinRequest>) -> Result<Response<JoinReply>, Status> {
        Err(Status::failed_precondition(format!(
            "this node is {} of cluster {:?} already; only an empty node can join",
            self.name, self.cluster
        )))
    }

    async fn leave(&self, _: Request<LeaveRequest>) -> Result<Response<LeaveReply>, Status> {
        self.begin_leaving()?;
        // A task of its own: whoever asked may hang up, and half a goodbye is none.
        let service = self.clone();
        let leaving = async move { service.leave_for_good().await };
        let left = self.replica.tasks().spawn("leaving", leaving).await;
        let left = left.map_err(|_| Status::internal("leaving failed"))?;
        left.ok_or_else(|| Status::unavailable("this node stops"))?.map(Response::new)
    }

    async fn inject(
        &self,
        request: Request<InjectRequest>,
    ) -> Result<Response<InjectReply>, Status> {
        self.inject_faults(request.into_inner()).map(Response::new)
    }

    async fn faults(&self, _: Request<FaultsRequest>) -> Result<Response<FaultsReply>, Status> {
        self.list_faults().map(Response::new)
    }

    async fn heal(&self, request: Request<HealRequest>) -> Result<Response<HealReply>, Status> {
        self.heal_faults(&request.into_inner().ids).map(Response::new)
    }

    type BackupStream = BoxStream<'static, Result<BackupChunk, Status>>;

    async fn backup(
        &self,
        _: Request<BackupRequest>,
    ) -> Result<Response<Self::BackupStream>, Status> {
        if self.replica.machine().archive_gap().borrow().is_some() {
            let why = "this node is still fetching finished games; ask another, or again later";
            return Err(Status::unavailable(why));
        }
        self.replica
            .linearizable()
            .await
            .map_err(|err| Status::unavailable(format!("{err}; {}", self.who_lives())))?;
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
            LeaderReply::Done => {
                // Who watches or writes through this node goes elsewhere first.
                self.draining.send_replace(true);
                self.until_out().await
            }
            told => self.done(told),
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
            let tasks = self.replica.tasks().clone();
            tasks.spawn("staying", self.stay_after_all());
            return Err(status);
        }
        self.replica.forget_id("this node has left the cluster").await;
        let departure = self.departure.clone();
        self.replica.tasks().spawn("last word", async move {
            sleep(LAST_WORD).await;
            departure.send_replace(Departure::Gone);
        });
        Ok(LeaveReply { text: format!("{} has left cluster {:?}", self.name, self.cluster) })
    }

    async fn stay_after_all(self) {
        while !matches!(
            self.replica.ask_the_leader(Ask::Stay(self.replica.me())).await,
            LeaderReply::Done | LeaderReply::Refused(_)
        ) {
            sleep(STAY_PAUSE).await;
        }
        self.replica.expect_removal(false);
        self.departure.send_replace(Departure::Stays);
    }

    async fn until_out(&self) -> Result<(), Status> {
        let deadline = Instant::now() + LEAVE_DEADLINE;
        let mut refused_since = None;
        while !self.replica.is_removed().await {
            // It leaves for as long as it says so. A leader that has just been elected may
            // not know yet who answers; a no that stays is one.
            let told = self.replica.ask_the_leader(Ask::Leave(self.replica.me())).await;
            let refused = matches!(told, LeaderReply::Refused(_));
            refused_since = refused.then(|| refused_since.unwrap_or_else(Instant::now));
            let for_good = refused_since.is_some_and(|since| since.elapsed() > REFUSED_FOR);
            if for_good || Instant::now() > deadline {
                return Err(Status::aborted(self.why_not_out(told).await));
            }
            sleep(LEAVE_POLL).await;
        }
        Ok(())
    }

    fn done(&self, told: LeaderReply) -> Result<(), Status> {
        match told {
            LeaderReply::Done | LeaderReply::Admitted { .. } | LeaderReply::Leads { .. } => Ok(()),
            LeaderReply::Refused(why) => Err(Status::failed_precondition(why)),
            LeaderReply::NotNow(why) => {
                Err(Status::unavailable(format!("{why}; {}", self.who_lives())))
            }
        }
    }

    /// Why nobody leads, as far as this node can tell.
    fn why_nobody_leads(&self, members: &[Member]) -> String {
        let voters: Vec<&Member> = members.iter().filter(|member| member.role == "voter").collect();
        if !voters.is_empty() {
            let answer = voters.iter().filter(|voter| voter.report.is_some()).count();
            let (all, needed) = (voters.len(), voters.len() / 2 + 1);
            let verb = if answer == 1 { "answers" } else { "answer" };
            return format!("nobody leads: {answer} of {all} voters {verb}, {needed} are needed");
        }
        let missing = members.iter().filter(|member| member.report.is_none());
        let missing: Vec<&str> = missing.map(|member| member.name.as_str()).collect();
        match &missing[..] {
            [] => "the cluster has not begun yet".into(),
            missing => format!(
                "the cluster begins when all its first members are there; {} missing",
                match missing {
                    [one] => format!("{one} is"),
                    many => format!("{} are", many.join(", ")),
                }
            ),
        }
    }

    /// How many voters there are, and how many of them live as far as this node knows.
    fn who_lives(&self) -> String {
        let members = self.replica.leadership().borrow().members.clone();
        let voters = members.iter().filter(|(_, member)| member.votes).map(|(id, _)| *id);
        let voters: Vec<NodeId> = voters.collect();
        let roster = self.roster.borrow();
        let me = self.replica.me();
        let lives = |id: &&NodeId| **id == me || roster.get(*id).is_some_and(|seen| seen.alive);
        let alive = voters.iter().filter(lives).count();
        let needed = voters.len() / 2 + 1;
        format!("{alive} of {} voters are heard, {needed} are needed", voters.len())
    }

    /// Why this node has not left in time, and what it is now.
    async fn why_not_out(&self, told: LeaderReply) -> String {
        let why = match told {
            LeaderReply::Refused(why) | LeaderReply::NotNow(why) => why,
            LeaderReply::Done | LeaderReply::Admitted { .. } | LeaderReply::Leads { .. } => {
                let intents = self.leader_intents().await;
                if intents.is_empty() { "the leader is not done with it".into() } else { intents }
            }
        };
        let leadership = self.replica.leadership().borrow().clone();
        let votes = leadership.members.get(&self.replica.me()).is_some_and(|member| member.votes);
        let role = if votes { "votes" } else { "is a spare" };
        format!("{why}. {} stays in the cluster and {role}", self.name)
    }

    /// What the leader says that it intends.
    async fn leader_intents(&self) -> String {
        let leadership = self.replica.leadership().borrow().clone();
        let Some((leader, _)) = leadership.leader.clone() else { return String::new() };
        let members = self.members(&leadership);
        let Some(leader) = members.get(&leader) else { return String::new() };
        self.report_of(leader).await.unwrap_or_default().intents.join("; ")
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
