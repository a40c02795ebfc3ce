//! A bot that seeks when it is told to, leaves every game as soon as it has seen the board,
//! and writes down what it hears. Like a page it sends again what was not answered, under
//! the same serial, and asks for notices from the last number on.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::SinkExt;
use hangraft_ids::{NoticeNumber, Serial};
use hangraft_proto::socket::{
    Accepted, Code, Epoch, InRoom, Notice, NoticeKind, Notices, OfOffer, Push, Refused, Request,
    RequestId, Seek, ServerMessage, View, Watch,
};
use tokio::{
    sync::{Semaphore, mpsc},
    time::{Instant, sleep, sleep_until},
};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    bench::{
        seeks::ledger::{How, Ledger, Tap, TapId},
        socket::NAME,
    },
    socket::{Identity, Socket, Url, Way, next_text},
};

/// How long to wait before another frontend is tried.
const RECONNECT: Duration = Duration::from_millis(50);

/// How long to wait before asking again what nobody could answer.
const AGAIN: Duration = Duration::from_millis(100);

/// Refusals that settle nothing.
const UNSETTLED: [Code; 4] = [Code::UnknownOutcome, Code::NoQuorum, Code::Busy, Code::TooFast];

/// What may be sought, with how many seconds for a move. Those of one kind suit each other.
pub(super) const KINDS: [(&str, u8); 3] = [("tic-tac-toe", 0), ("tic-tac-toe", 30), ("hangman", 0)];

/// What all bots share.
pub(super) struct Shared {
    begun: Instant,
    ledger: Mutex<Ledger>,
    /// How many seeks of each bot have not ended.
    open: Vec<AtomicU32>,
    /// Sockets are opened a few at a time.
    pub(super) opening: Semaphore,
    pub(super) ready: AtomicU64,
    pub(super) reconnects: AtomicU64,
    pub(super) resends: AtomicU64,
    /// Refusals of anything but a seek, and those that settled nothing.
    refusals: Mutex<BTreeMap<String, u64>>,
}

/// What a bot is to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    /// Seek something of this kind; it was to be at this time.
    Seek { kind: usize, planned: Duration },
    /// Take back all that stands.
    Withdraw,
}

pub(super) struct Seeker {
    bot: usize,
    urls: Vec<Url>,
    shared: Arc<Shared>,
    identity: Option<Identity>,
    /// The last notice, and the epoch that its number belongs to.
    told: (NoticeNumber, Option<Epoch>),
    last_id: u64,
    /// What was not answered yet.
    asked: BTreeMap<u64, (What, String)>,
    /// Rooms whose board was not seen yet.
    tables: BTreeSet<String>,
    outbox: Vec<String>,
    due: Option<Instant>,
}

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Seek(TapId),
    Withdraw,
    Watch,
    Stand,
}

impl Shared {
    pub(super) fn new(bots: usize, opening_max: usize) -> Self {
        Self {
            begun: Instant::now(),
            ledger: Mutex::new(Ledger::new(bots)),
            open: (0..bots).map(|_| AtomicU32::new(0)).collect(),
            opening: Semaphore::new(opening_max),
            ready: AtomicU64::new(0),
            reconnects: AtomicU64::new(0),
            resends: AtomicU64::new(0),
            refusals: Mutex::new(BTreeMap::new()),
        }
    }

    /// The time since the beginning.
    pub(super) fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Nothing in it is half done when a bot panics, so its lock is good.
    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn refusals(&self) -> BTreeMap<String, u64> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes room for one more seek of a bot, if it has some.
    pub(super) fn takes(&self, bot: usize, open_max: u32) -> bool {
        let open = &self.open[bot];
        // Only the one who plans adds, so nobody else does in between.
        let room = open.load(Ordering::Relaxed) < open_max;
        if room {
            open.fetch_add(1, Ordering::Relaxed);
        }
        room
    }

    fn over(&self, bot: usize) {
        self.open[bot].fetch_sub(1, Ordering::Relaxed);
    }

    fn refused(&self, what: &str, code: Code) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        *refusals.entry(format!("{what}: {code}")).or_default() += 1;
    }
}

impl Seeker {
    pub(super) fn new(bot: usize, urls: Vec<Url>, shared: Arc<Shared>) -> Self {
        Self {
            bot,
            urls,
            shared,
            identity: None,
            told: (NoticeNumber(0), None),
            last_id: 0,
            asked: BTreeMap::new(),
            tables: BTreeSet::new(),
            outbox: Vec::new(),
            due: None,
        }
    }

    /// Does what it is told until nobody tells it anything any more.
    pub(super) async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        for url in self.urls.clone().iter().cycle() {
            let entered = {
                let _turn = self.shared.opening.acquire().await;
                let token = self.identity.as_ref().map(|identity| identity.token.as_str());
                url.enter_by(Way::STEPS, NAME, token).await
            };
            match entered {
                Ok((mut socket, identity)) => {
                    self.resume(identity);
                    if self.seek_at(&mut socket, &mut orders).await.is_ok() {
                        return;
                    }
                    self.shared.reconnects.fetch_add(1, Ordering::Relaxed);
                }
                Err(err) => tracing::debug!("{err:#}"),
            }
            if orders.is_closed() {
                return;
            }
            sleep(RECONNECT).await;
        }
    }

    /// Seeks on one socket; an error says that it is gone.
    async fn seek_at(
        &mut self,
        socket: &mut Socket,
        orders: &mut mpsc::UnboundedReceiver<Order>,
    ) -> anyhow::Result<()> {
        loop {
            for text in self.outbox.drain(..) {
                socket.feed(Message::text(text)).await?;
            }
            socket.flush().await?;
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => return Ok(()),
                },
                text = next_text(socket) => match text? {
                    Some(text) => self.hear(&text)?,
                    None => anyhow::bail!("the socket was closed"),
                },
                () = until(self.due) => self.ask_again(),
            }
        }
    }

    /// Says on a new socket what the frontend cannot know.
    fn resume(&mut self, identity: Identity) {
        self.shared.ledger().is_player(self.bot, identity.player);
        if self.identity.is_none() {
            self.shared.ready.fetch_add(1, Ordering::Relaxed);
        }
        self.outbox.clear();
        let (since, epoch) = (Some(self.told.0), self.told.1.map(|epoch| epoch.to_string().into()));
        self.identity = Some(identity);
        self.say(&Request::Notices(Notices { since, epoch }));
        self.ask_again();
        // What was answered may have been seen by nobody.
        for room in self.tables.clone() {
            self.watch(&room);
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Seek { kind, planned } => {
                let (bot, sent) = (self.bot, self.shared.now());
                let tap = self.shared.ledger().tapped(Tap { bot, kind, planned, sent });
                let (game, clock) = KINDS[kind];
                let seek = Seek {
                    game: game.into(),
                    options: None,
                    clock,
                    rated: true,
                    within: Some(0),
                    bot_after_ms: None,
                    serial: self.serial(),
                };
                self.ask(What::Seek(tap), &Request::Seek(seek));
            }
            Order::Withdraw => {
                let standing = self.shared.ledger().standing(self.bot);
                for offer in standing {
                    let serial = self.serial();
                    self.ask(
                        What::Withdraw,
                        &Request::Withdraw(OfOffer { offer: offer.into(), serial }),
                    );
                }
            }
        }
    }

    /// The serial of what is asked next: its id.
    fn serial(&self) -> Option<Serial> {
        Some(Serial(self.last_id + 1))
    }

    /// Asks until there is an answer that settles it.
    fn ask(&mut self, what: What, request: &Request<'_>) {
        let text = self.say(request);
        self.asked.insert(self.last_id, (what, text));
    }

    fn say(&mut self, request: &Request<'_>) -> String {
        self.last_id += 1;
        let text = request.frame(self.last_id);
        self.outbox.push(text.clone());
        text
    }

    fn ask_again(&mut self) {
        self.due = None;
        self.outbox.extend(self.asked.values().map(|(_, text)| text.clone()));
        self.shared.resends.fetch_add(self.asked.len() as u64, Ordering::Relaxed);
    }

    fn watch(&mut self, room: &str) {
        let watch = Watch { room: Cow::from(room), since: None, epoch: None };
        self.ask(What::Watch, &Request::Watch(watch));
    }

    fn hear(&mut self, text: &str) -> anyhow::Result<()> {
        match ServerMessage::<Accepted<'_>>::read(text)? {
            ServerMessage::Answer(answer) => {
                if let Some(id) = answer.id.and_then(RequestId::number) {
                    self.on_answer(id, answer.answer);
                }
            }
            ServerMessage::Push(Push::Notice(notice)) => self.on_notice(*notice),
            ServerMessage::Push(Push::View(view)) => self.on_view(&view),
            ServerMessage::Push(Push::Bye(bye)) => anyhow::bail!("{}", bye.code),
            ServerMessage::Push(_) => {}
        }
        Ok(())
    }

    fn on_answer(&mut self, id: u64, answer: Result<Accepted<'_>, Refused<'_>>) {
        let Some((what, _)) = self.asked.get(&id) else { return };
        let what = *what;
        if let Err(no) = &answer
            && UNSETTLED.contains(&no.code)
            && !no.forgotten
        {
            self.shared.refused("not settled", no.code);
            self.due = self.due.or(Some(Instant::now() + AGAIN));
            return;
        }
        self.asked.remove(&id);
        match (what, answer) {
            (What::Seek(tap), Ok(yes)) => {
                let offer = yes.offer.unwrap_or_default();
                let over = self.shared.ledger().offered(tap, &offer);
                if over {
                    self.shared.over(self.bot);
                }
            }
            (What::Seek(tap), Err(no)) => {
                let at = self.shared.now();
                self.shared.ledger().refused(tap, no.code, no.forgotten, at);
                self.shared.over(self.bot);
            }
            (what, Err(no)) => self.shared.refused(what.word(), no.code),
            (_, Ok(_)) => {}
        }
    }

    fn on_notice(&mut self, notice: Notice) {
        self.count(&notice);
        let at = self.shared.now();
        let (offer, room) = (notice.offer.unwrap_or_default(), notice.room.unwrap_or_default());
        let how = match notice.kind {
            NoticeKind::Matched => {
                self.tables.insert(room.clone());
                self.watch(&room);
                How::Matched { room, other: notice.player }
            }
            NoticeKind::Unmatched => How::Unmatched { why: notice.why.unwrap_or_default() },
            _ => return,
        };
        let ended = self.shared.ledger().ended(&offer, how, at);
        if ended.is_some() {
            self.shared.over(self.bot);
        }
    }

    /// Notices come each once and in order. A player's first has any number.
    fn count(&mut self, notice: &Notice) {
        let (before, now) = (self.told.0, notice.number);
        self.told = (now, self.identity.as_ref().and_then(|identity| identity.epoch));
        let what = match now.0.cmp(&before.0) {
            _ if notice.resync => "notices were lost",
            _ if before.0 == 0 => return,
            std::cmp::Ordering::Greater if now.0 == before.0 + 1 => return,
            std::cmp::Ordering::Greater => "notices are missing, and nobody said so",
            _ => "a notice came twice, or late",
        };
        let which = || format!("bot {}: {} after {}", self.bot, now.0, before.0);
        self.shared.ledger().wrong(what, which);
    }

    fn on_view(&mut self, view: &View<'_>) {
        if !self.tables.remove(&*view.room) {
            return;
        }
        let at = self.shared.now();
        self.shared.ledger().board(self.bot, &view.room, at);
        let room = |serial| InRoom { room: view.room.clone(), serial };
        let serial = self.serial();
        self.ask(What::Stand, &Request::Stand(room(serial)));
        self.say(&Request::Unwatch(room(None)));
    }
}

impl What {
    fn word(self) -> &'static str {
        match self {
            Self::Seek(_) => "seek",
            Self::Withdraw => "withdraw",
            Self::Watch => "watch",
            Self::Stand => "stand",
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
