//! Asks the nodes, and follows the leader.
//!
//! One task owns everything known of the nodes and every command in flight. What
//! happens, a wish from a session, news from a [link], the passing of time, goes
//! through [`route`] and [`flight`], which decide; this file only carries out.
//!
//! Patience and resending live here, and nowhere else in the process: a session
//! hands a command over once and is answered once.

pub(crate) mod convert;
mod flight;
mod link;
mod listing;
mod route;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use hangraft_cluster_config::{ClusterKey, RoomNames};
use hangraft_proto::{net::Network, v1};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::{AbortHandle, JoinSet},
    time::{MissedTickBehavior, interval},
};
use tonic::{
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};
use tracing::{info, warn};

use link::LinkSender;
pub(crate) use listing::ListRequest;

use crate::{
    command::{Accepted, Code, Command, Outcome, Refusal},
    hub::{Hub, HubInput},
    mailbox::{Mail, Mailbox},
    message::{Epoch, LinkState},
    meters::Meters,
};
use flight::{Flights, Landed};
use link::{LinkContext, News};
use route::{Known, Route, Slot, Standing};

/// Wishes handed over and not yet looked at. One more is refused with `busy`.
const WISHES_MAX: usize = 16_384;
/// Wishes taken from the queue at once.
const WISHES_AT_ONCE: usize = 1024;
/// News from links not yet looked at; past it the links wait, and so do the nodes.
const NEWS_MAX: usize = 1024;
/// News taken at once.
const NEWS_AT_ONCE: usize = 64;
/// Listings asked for and not yet looked at. One more is refused with `busy`.
const QUESTIONS_MAX: usize = 1024;
/// How often time is looked at while commands are in flight. Sets how exact
/// retries and patience are, not how fast anything is.
const TICK: Duration = Duration::from_millis(10);
/// A node that owes answers and has said nothing for this long is asked no more
/// while there is another; what it owes is asked of that one.
const SILENCE_MAX: Duration = Duration::from_millis(700);
/// How long a node through which views stopped coming is not watched through
/// while there is another.
const FROZEN_FOR: Duration = Duration::from_secs(30);
/// How often an acknowledged version is handed to the hub, which sees whether the
/// watch keeps up with it.
const SAMPLE_PAUSE: Duration = Duration::from_millis(100);
/// Nodes known at once; more are not connected to. The largest cluster has seven
/// voters, and may be changing all of them.
const NODES_MAX: usize = 16;

/// A way to the cluster task. Cheap to clone; the task ends with the last one.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    wishes: mpsc::Sender<Submission>,
    questions: mpsc::Sender<ListRequest>,
    status: watch::Receiver<Status>,
}

/// Whether the cluster can be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Status {
    /// The leader, when one is believed.
    pub(crate) leader: Option<u64>,
    /// There is a node to watch through.
    pub(crate) watching: bool,
    /// How many nodes we are linked with.
    pub(crate) linked: usize,
    /// The cluster's epoch, once it was reached.
    pub(crate) epoch: Option<Epoch>,
}

impl Status {
    /// As pages see it.
    pub(crate) fn link_state(self) -> LinkState {
        match self.leader {
            Some(leader) if self.watching => LinkState::connected(leader, self.epoch),
            _ => LinkState::reconnecting(self.epoch),
        }
    }
}

/// A command and where its answer goes.
#[derive(Debug)]
struct Submission {
    command: Command,
    reply: ReplyTo,
}

#[derive(Debug)]
enum ReplyTo {
    /// A session, whose command came at this time.
    Session {
        mailbox: Mailbox,
        tag: u64,
        arrived: Instant,
    },
    Asker(oneshot::Sender<Outcome>),
}

impl ReplyTo {
    fn send(self, outcome: Outcome) {
        match self {
            // Whoever asked may be gone by now; that is their business.
            Self::Session { mailbox, tag, .. } => _ = mailbox.put(Mail::Answer { tag, outcome }),
            Self::Asker(asker) => _ = asker.send(outcome),
        }
    }
}

impl Cluster {
    /// Starts asking these nodes of the cluster with this key over this network. The tasks live in `tasks`.
    pub(crate) fn start(
        nodes: &[SocketAddr],
        network: Arc<dyn Network>,
        key: &ClusterKey,
        salt: u64,
        hub: &Hub,
        meters: Arc<Meters>,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let access: MetadataValue<Ascii> =
            key.access_token().parse().expect("an access token is plain ASCII");
        let names = RoomNames::of(key);
        let (wishes, submissions) = mpsc::channel(WISHES_MAX);
        let (questions, asked) = mpsc::channel(QUESTIONS_MAX);
        let (status_sender, status) = watch::channel(Status::default());
        let (reads, path) = watch::channel(None);
        tasks.spawn(listing::run(asked, path, access.clone(), names));

        let (news_sender, news) = mpsc::channel(NEWS_MAX);
        let mut task = Task {
            slots: BTreeMap::new(),
            next_slot: 1,
            links: JoinSet::new(),
            route: Route::default(),
            unsettled: false,
            cluster: None,
            epoch: None,
            watching_life: None,
            flights: Flights::new(),
            network,
            access,
            salt,
            news: news_sender,
            hub: hub.inbox(),
            sampled_at: None,
            reads,
            status: status_sender,
            meters,
        };
        for address in nodes {
            task.add_node(address.to_string(), true);
        }
        tasks.spawn(task.run(submissions, news, hub.frozen()));
        Self { wishes, questions, status }
    }

    /// Hands a command over; its answer comes as mail with this tag.
    pub(crate) fn submit(&self, command: Command, mailbox: Mailbox, tag: u64) {
        let reply = ReplyTo::Session { mailbox, tag, arrived: Instant::now() };
        self.hand_over(Submission { command, reply });
    }

    /// Hands a command over and waits for its answer.
    pub(crate) async fn ask(&self, command: Command) -> Outcome {
        let (asker, answer) = oneshot::channel();
        self.hand_over(Submission { command, reply: ReplyTo::Asker(asker) });
        answer.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// Asks for a listing; it comes as mail with the question's tag.
    pub(crate) fn list(&self, question: ListRequest) {
        if let Err(err) = self.questions.try_send(question) {
            let question = err.into_inner();
            let listing = Err(Refusal::new(Code::Busy, "too many listings are asked for at once"));
            question.asker.put(Mail::Listing { tag: question.tag, listing });
        }
    }

    /// Whether the cluster can be reached, now and as it changes.
    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    fn hand_over(&self, submission: Submission) {
        match self.wishes.try_send(submission) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(submission)) => submission.reply.send(Err(full())),
            Err(mpsc::error::TrySendError::Closed(submission)) => {
                submission.reply.send(Err(stopping()));
            }
        }
    }
}

fn full() -> Refusal {
    Refusal::new(Code::Busy, "too many moves are on their way at once; try again")
}

fn stopping() -> Refusal {
    Refusal::new(Code::NoQuorum, "this frontend is stopping")
}

/// What is known of one node, and how to reach it.
struct Slotted {
    address: String,
    /// From the configuration: kept even when the cluster does not name it.
    configured: bool,
    sender: Option<LinkSender>,
    standing: Option<Standing>,
    node: Option<u64>,
    suspect: bool,
    heard_at: Instant,
    broken_at: Option<Instant>,
    /// Since when it has named another leader than we believe in, or none.
    astray_at: Option<Instant>,
    /// When views were last found to have stopped coming through it.
    frozen_at: Option<Instant>,
    link: AbortHandle,
}

/// The state of the cluster task.
struct Task {
    slots: BTreeMap<Slot, Slotted>,
    next_slot: Slot,
    links: JoinSet<()>,
    route: Route,
    /// The route should be looked at again soon.
    unsettled: bool,
    /// The cluster we serve: the first that had a leader.
    cluster: Option<String>,
    /// The epoch of that cluster. It has one for as long as it lives.
    epoch: Option<Epoch>,
    /// The life of the link that the hub watches through.
    watching_life: Option<u64>,
    flights: Flights<ReplyTo>,
    network: Arc<dyn Network>,
    access: MetadataValue<Ascii>,
    salt: u64,
    news: mpsc::Sender<(Slot, News)>,
    hub: mpsc::Sender<HubInput>,
    sampled_at: Option<Instant>,
    reads: watch::Sender<Option<Channel>>,
    status: watch::Sender<Status>,
    meters: Arc<Meters>,
}

impl Task {
    async fn run(
        mut self,
        mut submissions: mpsc::Receiver<Submission>,
        mut news: mpsc::Receiver<(Slot, News)>,
        mut frozen: watch::Receiver<u64>,
    ) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut wished = Vec::with_capacity(WISHES_AT_ONCE);
        let mut heard = Vec::with_capacity(NEWS_AT_ONCE);
        loop {
            tokio::select! {
                count = submissions.recv_many(&mut wished, WISHES_AT_ONCE) => {
                    if count == 0 {
                        return;
                    }
                    self.on_wishes(wished.drain(..), Instant::now());
                }
                _ = news.recv_many(&mut heard, NEWS_AT_ONCE) => {
                    self.on_news(heard.drain(..), Instant::now()).await;
                }
                Ok(()) = frozen.changed() => {
                    let life = *frozen.borrow_and_update();
                    self.on_frozen(life, Instant::now()).await;
                }
                _ = ticks.tick(), if self.waits() => self.on_tick(Instant::now()).await,
            }
            self.meters.flights.set(self.flights.len() as f64);
        }
    }

    /// Something depends on the passing of time.
    fn waits(&self) -> bool {
        self.unsettled || self.route.leader.is_none() || !self.flights.is_empty()
    }

    fn on_wishes(&mut self, wished: impl Iterator<Item = Submission>, now: Instant) {
        for Submission { command, reply } in wished {
            if let Err(reply) = self.flights.begin(command, reply, now) {
                self.answer(reply, Err(full()), now);
            }
        }
        self.send_ready(now);
    }

    async fn on_news(&mut self, heard: impl Iterator<Item = (Slot, News)>, now: Instant) {
        let mut moved = false;
        for (slot, news) in heard {
            moved |= self.on_one(slot, news, now);
        }
        if moved {
            self.reroute(now).await;
        }
        self.send_ready(now);
    }

    /// Takes one piece of news in; says whether it may change the route.
    fn on_one(&mut self, slot: Slot, news: News, now: Instant) -> bool {
        match news {
            News::Up { sender, standing } => {
                if self.is_strange(slot, &standing) {
                    return false;
                }
                let Some(slotted) = self.slots.get_mut(&slot) else { return false };
                slotted.sender = Some(sender);
                slotted.frozen_at = None;
                self.on_standing(slot, &standing, now);
                true
            }
            News::Standing { standing } => {
                if self.is_strange(slot, &standing) {
                    self.on_down(slot, now);
                    return true;
                }
                self.on_standing(slot, &standing, now);
                true
            }
            News::Answers { answers } => self.on_answers(slot, answers, now),
            News::Down => {
                self.on_down(slot, now);
                true
            }
        }
    }

    /// Whether a node belongs to another cluster: one may have taken an address that was
    /// ours, with the same key. It is as good as out of reach.
    fn is_strange(&mut self, slot: Slot, standing: &v1::Standing) -> bool {
        let ours = match &self.cluster {
            Some(ours) => *ours == standing.cluster,
            None => {
                if standing.leader != 0 {
                    self.cluster = Some(standing.cluster.clone());
                    self.epoch = Some(Epoch(standing.epoch));
                }
                true
            }
        };
        if !ours && let Some(slotted) = self.slots.get(&slot) {
            let (node, cluster) = (&slotted.address, &standing.cluster);
            warn!(node, cluster, "belongs to another cluster; not used");
        }
        !ours
    }

    fn on_standing(&mut self, slot: Slot, standing: &v1::Standing, now: Instant) {
        if let Some(slotted) = self.slots.get_mut(&slot) {
            slotted.standing = Some(convert::standing(standing));
            slotted.node = Some(standing.node);
            slotted.suspect = false;
            slotted.heard_at = now;
        }
        self.learn(&standing.peers);
    }

    fn on_answers(&mut self, slot: Slot, answers: Vec<(u64, Outcome, u32)>, now: Instant) -> bool {
        for (id, outcome, wait) in answers {
            match self.flights.land(id, outcome, wait, now) {
                Landed::Answer(reply, outcome) => {
                    self.sample(&outcome, now);
                    self.answer(reply, outcome, now);
                }
                Landed::Again => self.meters.resends.increment(1),
                Landed::Old => {}
            }
        }
        let Some(slotted) = self.slots.get_mut(&slot) else { return false };
        slotted.heard_at = now;
        std::mem::take(&mut slotted.suspect)
    }

    /// Answers, and notes how long that took when a player waited for it.
    fn answer(&self, reply: ReplyTo, outcome: Outcome, now: Instant) {
        if let ReplyTo::Session { arrived, .. } = reply {
            self.meters.latency.record(now.saturating_duration_since(arrived));
        }
        reply.send(outcome);
    }

    /// Now and then, tells the hub what it should be shown soon.
    fn sample(&mut self, outcome: &Outcome, now: Instant) {
        let Ok(Accepted { room, version, .. }) = *outcome else { return };
        if room != 0 && self.sampled_at.is_none_or(|at| at + SAMPLE_PAUSE <= now) {
            self.sampled_at = Some(now);
            // A sample that does not fit is one sample less.
            _ = self.hub.try_send(HubInput::Acknowledged { room, version });
        }
    }

    fn on_down(&mut self, slot: Slot, now: Instant) {
        let Some(slotted) = self.slots.get_mut(&slot) else { return };
        if slotted.sender.take().is_some() {
            info!(node = slotted.address, "a node is out of reach");
            slotted.broken_at = Some(now);
        }
        slotted.standing = None;
        slotted.suspect = false;
        let recalled = self.flights.recall_from(slot);
        self.meters.resends.increment(recalled as u64);
    }

    /// The hub has waited in vain for views through this life of a link.
    async fn on_frozen(&mut self, life: u64, now: Instant) {
        let watched =
            |slotted: &&mut Slotted| slotted.sender.as_ref().is_some_and(|s| s.life() == life);
        if let Some(slotted) = self.slots.values_mut().find(watched) {
            warn!(node = slotted.address, "a node shows nothing new while moves go on");
            slotted.frozen_at = Some(now);
            self.reroute(now).await;
        }
    }

    /// Time has passed: retries, patience, silent nodes, doubts.
    async fn on_tick(&mut self, now: Instant) {
        for (reply, refusal) in self.flights.tick(now) {
            self.answer(reply, Err(refusal), now);
        }
        let silent = self.find_silent_writer(now);
        if silent || self.unsettled || self.route.leader.is_none() {
            self.reroute(now).await;
        }
        self.send_ready(now);
    }

    /// A paused node holds its connection open and says nothing.
    fn find_silent_writer(&mut self, now: Instant) -> bool {
        if self.flights.is_empty() {
            return false;
        }
        let Some(writer) = self.route.writer else { return false };
        let Some(slotted) = self.slots.get_mut(&writer) else { return false };
        let Some(since) = self.flights.owes_since(writer) else { return false };
        let silent = !slotted.suspect && now > since.max(slotted.heard_at) + SILENCE_MAX;
        if silent {
            warn!(node = slotted.address, "a node owes answers and is silent");
            slotted.suspect = true;
        }
        silent
    }

    /// Chooses anew, and moves what has to move.
    async fn reroute(&mut self, now: Instant) {
        self.unsettled = false;
        let known: Vec<_> = self.slots.iter().map(|(slot, s)| s.known(*slot, now)).collect();
        let route = route::choose(&known, &self.route, self.salt);
        let before = std::mem::replace(&mut self.route, route);
        if let Some(writer) = route.writer
            && (before.writer != Some(writer) || before.leader != route.leader)
        {
            // Nothing waits for a node that is not the best one to ask any more.
            let recalled = self.flights.recall_all_but(writer);
            self.meters.resends.increment(recalled as u64);
        }
        if before.leader != route.leader {
            info!(leader = route.leader, "the leader as seen from here");
        }
        self.note_astray(now);
        self.move_watches().await;
        let linked = self.slots.values().filter(|slotted| slotted.sender.is_some()).count();
        let watching = self.watching_life.is_some();
        let status = Status { leader: route.leader, watching, linked, epoch: self.epoch };
        self.meters.nodes_linked.set(linked as f64);
        self.meters.leader_known.set(if route.leader.is_some() { 1.0 } else { 0.0 });
        self.status.send_if_modified(|old| std::mem::replace(old, status) != status);
    }

    /// Remembers since when nodes have gone astray; as long as one has, time matters.
    fn note_astray(&mut self, now: Instant) {
        for slotted in self.slots.values_mut() {
            let names = slotted.standing.and_then(|standing| standing.leader);
            if slotted.standing.is_none() || names == self.route.leader {
                slotted.astray_at = None;
            } else {
                let since = *slotted.astray_at.get_or_insert(now);
                self.unsettled |= now.saturating_duration_since(since) <= route::HEARSAY;
            }
        }
    }

    /// Tells the hub when it should watch through another link.
    async fn move_watches(&mut self) {
        let slotted = self.route.watcher.and_then(|slot| self.slots.get(&slot));
        let sender = slotted.and_then(|slotted| slotted.sender.clone());
        let life = sender.as_ref().map(|sender| sender.life());
        if life == self.watching_life {
            return;
        }
        self.watching_life = life;
        self.reads.send_replace(sender.as_ref().map(|sender| sender.channel.clone()));
        // The hub never waits for us, so this wait ends. When it is gone we are stopping.
        _ = self.hub.send(HubInput::Upstream(sender.map(|sender| sender.upstream))).await;
    }

    /// Sends everything that is ready to the node chosen, in the order it came.
    fn send_ready(&mut self, now: Instant) {
        let Some(slot) = self.route.writer else { return };
        let Some(slotted) = self.slots.get_mut(&slot) else { return };
        let Some(sender) = &slotted.sender else { return };
        while let Some((id, command)) = self.flights.send_next(slot, now) {
            if sender.command(id, command).is_err() {
                // The link has ended and its last news is on the way, or it takes
                // nothing and its keepalive will end it.
                slotted.suspect = true;
                self.unsettled = true;
                self.flights.recall_from(slot);
                return;
            }
        }
    }

    /// Learns of nodes from those that answer; forgets those that left and are gone.
    fn learn(&mut self, peers: &[v1::Peer]) {
        if peers.is_empty() {
            return;
        }
        let gone = |slotted: &Slotted| {
            !slotted.configured
                && slotted.sender.is_none()
                && peers.iter().all(|peer| peer.address != slotted.address)
        };
        self.slots.retain(|_, slotted| {
            let gone = gone(slotted);
            if gone {
                slotted.link.abort();
            }
            !gone
        });
        for peer in peers {
            let known = self
                .slots
                .values()
                .any(|slotted| slotted.address == peer.address || slotted.node == Some(peer.node));
            if !known && !peer.address.is_empty() && self.slots.len() < NODES_MAX {
                self.add_node(peer.address.clone(), false);
            }
        }
    }

    fn add_node(&mut self, address: String, configured: bool) {
        let slot = self.next_slot;
        self.next_slot += 1;
        let context = LinkContext {
            slot,
            address: address.clone(),
            network: self.network.clone(),
            access: self.access.clone(),
            news: self.news.clone(),
            hub: self.hub.clone(),
        };
        let link = self.links.spawn(link::keep(context));
        let slotted = Slotted {
            address,
            configured,
            sender: None,
            standing: None,
            node: None,
            suspect: false,
            heard_at: Instant::now(),
            broken_at: None,
            astray_at: None,
            frozen_at: None,
            link,
        };
        self.slots.insert(slot, slotted);
    }
}

impl Slotted {
    fn known(&self, slot: Slot, now: Instant) -> Known {
        Known {
            slot,
            standing: self.standing,
            suspect: self.suspect,
            node: self.node,
            broken_for: self.broken_at.map(|at| now.saturating_duration_since(at)),
            frozen: self.frozen_at.is_some_and(|at| at + FROZEN_FOR > now),
            astray_for: self
                .astray_at
                .map_or(Duration::ZERO, |at| now.saturating_duration_since(at)),
        }
    }
}
