//! Asks the nodes, and follows the leader.
//!
//! One task owns everything known of the nodes and every command in flight. What
//! happens, a wish from a session, news from a [link], the passing of time, goes
//! through [`nodes`], [`route`] and [`flight`], which decide; this file only carries out.
//!
//! Patience and resending live here, and nowhere else in the process: a session
//! hands a command over once and is answered once.

pub(crate) mod convert;
mod crew;
mod flight;
mod link;
mod lookup;
mod nodes;
mod route;

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use hangraft_cluster_config::{ClusterKey, RoomNames};
use hangraft_ids::{FrontendId, RoomId};
use hangraft_proto::{
    net::Network,
    socket::{self, Code},
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::{AbortHandle, JoinSet},
    time::{MissedTickBehavior, interval},
};
use tonic::{
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};

pub(crate) use lookup::LookUp;
pub(crate) use nodes::Status;

use crate::{
    bots::Bots,
    command::{Accepted, Command, Outcome, Refusal},
    deck::Deck,
    hub::{Hub, HubInput},
    mailbox::{Mail, Mailbox, Tag},
    meters::Meters,
};
use flight::{Flights, Landed};
use link::{LinkContext, LinkSender, News};
use nodes::{Effect, Nodes};
use route::Slot;

/// Wishes handed over and not yet looked at. One more is refused with `busy`.
const WISHES_MAX: usize = 16_384;
/// Wishes taken from the queue at once.
const WISHES_AT_ONCE: usize = 1024;
/// News from links not yet looked at; past it the links wait, and so do the nodes.
const NEWS_MAX: usize = 1024;
/// News taken at once.
const NEWS_AT_ONCE: usize = 64;
/// Things to look up that were asked for and not yet looked at. One more is refused with
/// `busy`.
const QUESTIONS_MAX: usize = 1024;
/// How often time is looked at while commands are in flight. Sets how exact
/// retries and patience are, not how fast anything is.
const TICK: Duration = Duration::from_millis(10);
/// With so many commands on their way, answers leave together with what is shown of them:
/// writing to sockets is the dearest part of a move here.
const BUSY: usize = 64;
/// So long an answer waits for that.
const QUIET_MAX: Duration = Duration::from_millis(20);
/// How often an acknowledged version is handed to the hub, which sees whether the
/// watch keeps up with it.
const SAMPLE_PAUSE: Duration = Duration::from_millis(100);
/// A way to the cluster task. Cheap to clone; the task ends with the last one.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    wishes: mpsc::Sender<Submission>,
    questions: mpsc::Sender<LookUp>,
    status: watch::Receiver<Status>,
    deck: watch::Receiver<Option<Arc<Deck>>>,
    bots: Bots,
}

/// A command and where its answer goes.
#[derive(Debug)]
struct Submission {
    command: Box<Command>,
    reply: ReplyTo,
}

#[derive(Debug)]
enum ReplyTo {
    /// A session, whose command came at this time.
    Session {
        mailbox: Mailbox,
        tag: Tag,
        arrived: Instant,
        /// It is shown what comes of the command.
        shown: bool,
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

    /// Sends it so that it leaves together with what is shown of it, which is on its way by
    /// another link. Gives the mailbox that has to be rung if that does not come.
    fn send_quietly(self, outcome: Outcome) -> Option<Mailbox> {
        match self {
            Self::Session { mailbox, tag, shown: true, .. } if outcome.is_ok() => {
                mailbox.put_quietly(Mail::Answer { tag, outcome }).then_some(mailbox)
            }
            other => {
                other.send(outcome);
                None
            }
        }
    }
}

impl Cluster {
    /// Starts asking these nodes of the cluster with this key over this network. The tasks live in `tasks`.
    pub(crate) fn start(
        nodes: &[SocketAddr],
        network: Arc<dyn Network>,
        key: &ClusterKey,
        frontend: FrontendId,
        hub: &Hub,
        meters: Arc<Meters>,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let access: MetadataValue<Ascii> =
            key.access_token().parse().expect("an access token is plain ASCII");
        let (names, bots) = (RoomNames::of(key), Bots::default());
        let (wishes, submissions) = mpsc::channel(WISHES_MAX);
        let (questions, asked) = mpsc::channel(QUESTIONS_MAX);
        let (status_sender, status) = watch::channel(Status::default());
        let (deck_sender, deck) =
            watch::channel(Some(Arc::new(Deck::new(socket::Deck::default(), Instant::now()))));
        let (reads, path) = watch::channel(None);
        tasks.spawn(lookup::run(asked, path, access.clone(), names.clone()));

        let (news_sender, news) = mpsc::channel(NEWS_MAX);
        let mut task = Task {
            nodes: Nodes::new(frontend.0),
            links: BTreeMap::new(),
            flights: Flights::new(),
            quiet: VecDeque::new(),
            tasks: JoinSet::new(),
            network,
            access,
            names,
            bots: bots.clone(),
            news: news_sender,
            hub: hub.inbox(),
            sampled_at: None,
            reads,
            status: status_sender,
            deck: deck_sender,
            meters,
        };
        let (now, mut effects) = (Instant::now(), Vec::new());
        for address in nodes {
            task.nodes.add(address.to_string(), true, now, &mut effects);
        }
        tasks.spawn(task.run(effects, submissions, news, hub.frozen()));
        Self { wishes, questions, status, deck, bots }
    }

    /// Hands a command over; its answer comes as mail with this tag.
    /// `shown`: the session watches the room that it is about.
    pub(crate) fn submit(&self, command: Box<Command>, mailbox: Mailbox, tag: Tag, shown: bool) {
        let reply = ReplyTo::Session { mailbox, tag, arrived: Instant::now(), shown };
        self.hand_over(Submission { command, reply });
    }

    /// Hands a command over and waits for its answer.
    pub(crate) async fn ask(&self, command: Command) -> Outcome {
        let (asker, answer) = oneshot::channel();
        let command = Box::new(command);
        self.hand_over(Submission { command, reply: ReplyTo::Asker(asker) });
        answer.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// Asks for something to be looked up; it comes as mail with the question's tag.
    pub(crate) fn look_up(&self, asked: LookUp) {
        if let Err(err) = self.questions.try_send(asked) {
            let LookUp { asker, tag, .. } = err.into_inner();
            let found = Err(Refusal::new(Code::Busy, "too much is asked for at once"));
            asker.put(Mail::Found { tag, found });
        }
    }

    /// Whether the cluster can be reached, now and as it changes.
    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// The nodes as players may see them, now and as they change.
    pub(crate) fn deck(&self) -> watch::Receiver<Option<Arc<Deck>>> {
        self.deck.clone()
    }

    /// The lobby's bots.
    pub(crate) fn bots(&self) -> Bots {
        self.bots.clone()
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

/// A link that is kept, and its sending end while it is up.
struct Link {
    task: AbortHandle,
    sender: Option<LinkSender>,
}

/// The state of the cluster task.
struct Task {
    nodes: Nodes,
    links: BTreeMap<Slot, Link>,
    flights: Flights<ReplyTo>,
    /// Whose answer waits for what is shown of it, and until when.
    quiet: VecDeque<(Instant, Mailbox)>,
    tasks: JoinSet<()>,
    network: Arc<dyn Network>,
    access: MetadataValue<Ascii>,
    names: RoomNames,
    bots: Bots,
    news: mpsc::Sender<(Slot, News)>,
    hub: mpsc::Sender<HubInput>,
    sampled_at: Option<Instant>,
    reads: watch::Sender<Option<Channel>>,
    status: watch::Sender<Status>,
    deck: watch::Sender<Option<Arc<Deck>>>,
    meters: Arc<Meters>,
}

impl Task {
    async fn run(
        mut self,
        first: Vec<Effect>,
        mut submissions: mpsc::Receiver<Submission>,
        mut news: mpsc::Receiver<(Slot, News)>,
        mut frozen: watch::Receiver<u64>,
    ) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut wished = Vec::with_capacity(WISHES_AT_ONCE);
        let mut heard = Vec::with_capacity(NEWS_AT_ONCE);
        self.carry_out(first).await;
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
                    let (life, now) = (*frozen.borrow_and_update(), Instant::now());
                    self.nodes.is_frozen(life, now);
                    self.settle(Vec::new(), now).await;
                }
                _ = ticks.tick(), if self.waits() => self.on_tick(Instant::now()).await,
            }
            self.meters.flights.set(self.flights.len() as f64);
        }
    }

    /// Something depends on the passing of time.
    fn waits(&self) -> bool {
        self.nodes.waits() || !self.flights.is_empty() || !self.quiet.is_empty()
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
        let mut effects = Vec::new();
        for (slot, news) in heard {
            self.on_one(slot, news, now, &mut effects);
        }
        self.settle(effects, now).await;
        self.send_ready(now);
    }

    fn on_one(&mut self, slot: Slot, news: News, now: Instant, effects: &mut Vec<Effect>) {
        match news {
            News::Up { sender, word } => {
                let life = sender.life();
                if self.nodes.is_up(slot, life, &word, now, effects)
                    && let Some(link) = self.links.get_mut(&slot)
                {
                    link.sender = Some(sender);
                }
            }
            News::Word(word) => {
                if !self.nodes.says(slot, &word, now, effects) {
                    self.let_go(slot);
                }
            }
            News::Answers(answers) => {
                for (id, outcome, wait) in answers {
                    self.on_answer(id, outcome, wait, now);
                }
                self.nodes.has_answered(slot, now);
            }
            News::Down => {
                self.let_go(slot);
                self.nodes.is_down(slot, now, effects);
            }
        }
    }

    fn on_answer(&mut self, id: u64, outcome: Outcome, wait: u32, now: Instant) {
        match self.flights.land(id, outcome, wait, now) {
            Landed::Answer(reply, outcome) => {
                self.sample(&outcome, now);
                self.answer(reply, outcome, now);
            }
            Landed::Again => self.meters.resends.increment(1),
            Landed::Old => {}
        }
    }

    /// Answers, and notes how long that took when a player waited for it.
    fn answer(&mut self, reply: ReplyTo, outcome: Outcome, now: Instant) {
        if let ReplyTo::Session { arrived, .. } = reply {
            self.meters.latency.record(now.saturating_duration_since(arrived));
        }
        if self.flights.len() < BUSY {
            return reply.send(outcome);
        }
        let waits = reply.send_quietly(outcome);
        self.quiet.extend(waits.map(|mailbox| (now + QUIET_MAX, mailbox)));
    }

    /// Rings where what was to be shown has not come.
    fn ring(&mut self, now: Instant) {
        while let Some((_, mailbox)) = self.quiet.pop_front_if(|(until, _)| *until <= now) {
            mailbox.ring();
        }
    }

    /// Now and then, tells the hub what it should be shown soon.
    fn sample(&mut self, outcome: &Outcome, now: Instant) {
        let Ok(Accepted { room, version, .. }) = *outcome else { return };
        if room != RoomId(0) && self.sampled_at.is_none_or(|at| at + SAMPLE_PAUSE <= now) {
            self.sampled_at = Some(now);
            // A sample that does not fit is one sample less.
            _ = self.hub.try_send(HubInput::Acknowledged { room, version });
        }
    }

    /// Time has passed: retries, patience, silent nodes, doubts.
    async fn on_tick(&mut self, now: Instant) {
        self.ring(now);
        for (reply, refusal) in self.flights.tick(now) {
            self.answer(reply, Err(refusal), now);
        }
        let owes_since = self.nodes.writer().and_then(|writer| self.flights.owes_since(writer));
        self.nodes.tick(owes_since, now);
        self.settle(Vec::new(), now).await;
        self.send_ready(now);
    }

    /// Does what is to be done, and what follows from it.
    async fn settle(&mut self, mut effects: Vec<Effect>, now: Instant) {
        self.nodes.settle(now, &mut effects);
        self.carry_out(effects).await;
    }

    async fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Connect { slot, address } => self.connect(slot, address),
                Effect::Forget { slot } => {
                    if let Some(link) = self.links.remove(&slot) {
                        link.task.abort();
                    }
                }
                Effect::RecallFrom { slot } => {
                    let recalled = self.flights.recall_from(slot);
                    self.meters.resends.increment(recalled as u64);
                }
                Effect::RecallAllBut { slot } => {
                    let recalled = self.flights.recall_all_but(slot);
                    self.meters.resends.increment(recalled as u64);
                }
                Effect::Watch { slot } => self.watch(slot).await,
                Effect::Show(deck) => {
                    self.deck.send_replace(Some(Arc::new(Deck::new(deck, Instant::now()))));
                }
                Effect::Name(bots) => self.bots.set(bots),
                Effect::Tell(status) => {
                    self.meters.nodes_linked.set(status.linked as f64);
                    self.meters.leader_known.set(if status.leader.is_some() { 1.0 } else { 0.0 });
                    self.status.send_replace(status);
                }
            }
        }
    }

    /// The hub watches through another link from now on.
    async fn watch(&mut self, slot: Option<Slot>) {
        let sender = slot.and_then(|slot| self.links.get(&slot)?.sender.clone());
        self.reads.send_replace(sender.as_ref().map(|sender| sender.channel.clone()));
        // The hub never waits for us, so this wait ends. When it is gone we are stopping.
        _ = self.hub.send(HubInput::Upstream(sender.map(|sender| sender.upstream))).await;
    }

    /// Sends everything that is ready to the node chosen, in the order it came.
    fn send_ready(&mut self, now: Instant) {
        let Some(slot) = self.nodes.writer() else { return };
        let Some(sender) = self.links.get(&slot).and_then(|link| link.sender.as_ref()) else {
            return;
        };
        while let Some((id, command)) = self.flights.send_next(slot, now) {
            if sender.command(id, command).is_err() {
                self.nodes.is_stuck(slot);
                self.flights.recall_from(slot);
                return;
            }
        }
    }

    /// Nothing is sent over this link any more.
    fn let_go(&mut self, slot: Slot) {
        if let Some(link) = self.links.get_mut(&slot) {
            link.sender = None;
        }
    }

    fn connect(&mut self, slot: Slot, address: String) {
        let context = LinkContext {
            slot,
            address,
            network: self.network.clone(),
            access: self.access.clone(),
            names: self.names.clone(),
            news: self.news.clone(),
            hub: self.hub.clone(),
        };
        let task = self.tasks.spawn(link::keep(context));
        self.links.insert(slot, Link { task, sender: None });
    }
}
