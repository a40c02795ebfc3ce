//! One room and its sockets: what is planned is said when its time has come, and what is
//! heard is written down.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail};
use futures_util::{
    SinkExt, StreamExt,
    future::BoxFuture,
    stream::{BoxStream, FuturesUnordered, SelectAll},
};
use hangraft_ids::Version;
use hangraft_proto::socket::{Accepted, Answer, Code, Push, RequestId};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::tungstenite::{self, Message};

use crate::{
    bench::{
        late::Late,
        socket::{Incoming, NAME, frame, shows_the_end},
        sockets::open::{
            entry::{Guest, enter},
            game::{Due, Game, Meaning, Phase, Turn, Wish},
            plan::{Books, Plan, Stage},
            rhythm::{Doing, Leaving, Rhythm},
            screens::Screens,
            seat::Seat,
        },
    },
    socket::{Identity, Socket},
};

/// How long to wait before another frontend is tried, and before a room is asked for again.
const RECONNECT: Duration = Duration::from_millis(100);

/// How long a message may take to leave. Only a frontend that does not read lets it wait.
const SEND: Duration = Duration::from_secs(10);

/// What people write.
const LINE: &str = "I think it is a fruit, or perhaps a bird";

/// Plays in one room until the load is over.
pub(super) async fn host(
    plan: Arc<Plan>,
    number: usize,
    players: usize,
    books: Arc<Books>,
    mut stage: watch::Receiver<Stage>,
) {
    let sockets = players + plan.watchers;
    let entered = {
        let turn = books.opening.acquire().await;
        let entered = enter(&plan, number, players).await;
        drop(turn);
        entered
    };
    match entered {
        Ok((name, guests)) => {
            books.entered(sockets);
            let mut room = Room::new(plan, number, players, name, guests, Arc::clone(&books));
            if let Err(err) = room.play(&mut stage).await {
                books.sheet().stuck(sockets, &format!("{err:#}"));
            }
            room.close_books();
        }
        Err(err) => books.sheet().stuck(sockets, &format!("{err:#}")),
    }
}

/// What a socket said, which of its lives it was, and which socket.
type Said = (usize, u32, Result<Message, tungstenite::Error>);

/// Which socket has come in, as whom, or why it has not.
type Arrived = (usize, anyhow::Result<(Socket, Identity)>);

struct Room {
    name: String,
    players: usize,
    plan: Arc<Plan>,
    books: Arc<Books>,
    game: Game,
    screens: Screens<Due>,
    seats: Vec<Seat>,
    from: SelectAll<BoxStream<'static, Said>>,
    arriving: FuturesUnordered<BoxFuture<'static, Arrived>>,
    alarms: Late<Alarm>,
    rhythms: Vec<Rhythm>,
    begun: Instant,
}

/// What is to be done at a time.
#[derive(Clone, Copy, Debug)]
enum Alarm {
    Act(usize, Duration, Doing),
    Rested(usize),
    Resend(usize, u64),
    Leave(usize, Duration),
    Watch(usize),
}

impl Room {
    fn new(
        plan: Arc<Plan>,
        number: usize,
        players: usize,
        name: String,
        guests: Vec<Guest>,
        books: Arc<Books>,
    ) -> Self {
        let last_id = guests.iter().map(|guest| guest.last_id).max().unwrap_or_default();
        // The same plan, whichever process makes it.
        let seed = |socket: usize, what: u64| {
            plan.seed ^ ((number as u64) << 20 | (socket as u64) << 4 | what)
        };
        let rhythm = |player| Rhythm::new(plan.habits, seed(player, 0));
        let mut room = Self {
            name,
            players,
            game: Game::new(players, last_id),
            screens: Screens::new(guests.iter().map(|guest| guest.seen).collect()),
            seats: Vec::new(),
            from: SelectAll::new(),
            arriving: FuturesUnordered::new(),
            alarms: Late::new(),
            rhythms: (0..players).map(rhythm).collect(),
            begun: Instant::now(),
            books,
            plan: Arc::clone(&plan),
        };
        for (i, guest) in guests.into_iter().enumerate() {
            let leaving = Leaving::new(plan.reconnects, seed(i, 1));
            let (seat, socket) = Seat::of(guest, leaving);
            room.seats.push(seat);
            room.plug_in(i, socket);
        }
        room
    }

    async fn play(&mut self, stage: &mut watch::Receiver<Stage>) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                changed = stage.changed() => {
                    changed.context("the bench is over")?;
                    let now = *stage.borrow_and_update();
                    match now {
                        Stage::Entering => {}
                        Stage::Playing(begun) => self.begin(begun),
                        Stage::Over => return Ok(()),
                    }
                }
                alarm = self.alarms.next() => self.on_alarm(alarm).await?,
                Some(said) = self.from.next() => self.hear(said).await?,
                Some((socket, arrived)) = self.arriving.next() => {
                    self.on_arrival(socket, arrived).await;
                }
            }
        }
    }

    fn begin(&mut self, begun: Instant) {
        self.begun = begun;
        (0..self.players).for_each(|player| self.plan_next(player));
        (0..self.seats.len()).for_each(|socket| self.plan_leaving(socket, Duration::ZERO));
    }

    fn plan_next(&mut self, player: usize) {
        let (at, doing) = self.rhythms[player].next();
        if at < self.plan.until {
            self.alarms.push(self.begun + at, Alarm::Act(player, at, doing));
        }
    }

    fn plan_leaving(&mut self, socket: usize, now: Duration) {
        let leaves = self.seats[socket].leaving.after().map(|after| now + after);
        if let Some(at) = leaves.filter(|at| *at < self.plan.until) {
            self.alarms.push(self.begun + at, Alarm::Leave(socket, at));
        }
    }

    async fn on_alarm(&mut self, alarm: Alarm) -> anyhow::Result<()> {
        match alarm {
            Alarm::Act(player, at, doing) => {
                self.game.plan(player, at, doing);
                if self.plan.counts(at) {
                    self.books.sheet().planned(doing);
                }
                self.plan_next(player);
                self.speak(player).await;
            }
            Alarm::Rested(player) => {
                self.game.rested(player);
                self.speak(player).await;
            }
            Alarm::Resend(player, id) => {
                if let Some(wish) = self.game.open(player).filter(|wish| wish.id == id) {
                    self.say(player, &wish).await;
                }
            }
            Alarm::Leave(socket, at) => self.leave(socket, at).await,
            Alarm::Watch(socket) => self.watch(socket).await,
        }
        Ok(())
    }

    /// A player says what there is to say, unless there is no socket in the room.
    async fn speak(&mut self, player: usize) {
        let seat = &self.seats[player];
        if seat.to.is_none() || seat.watch.is_some() {
            return;
        }
        if let Some(wish) = self.game.next(player) {
            if let Some(due) = wish.due.filter(|due| !due.held && self.plan.counts(due.planned)) {
                let late = self.now().saturating_sub(due.planned);
                self.books.sheet().late.record(late);
            }
            self.say(player, &wish).await;
        }
    }

    async fn say(&mut self, player: usize, wish: &Wish) {
        let text = match wish.turn {
            Turn::Play(letter) => frame::play(&self.name, letter, wish.id),
            Turn::Say => frame::say(&self.name, LINE, wish.id),
            Turn::Again => frame::again(&self.name, wish.id),
        };
        self.send(player, text).await;
    }

    async fn send(&mut self, socket: usize, text: String) {
        let Some(to) = &mut self.seats[socket].to else { return };
        match timeout(SEND, to.send(Message::text(text))).await {
            Ok(Ok(())) => {}
            Ok(Err(err)) => self.lose(socket, &err.to_string()),
            Err(_) => self.lose(socket, "a frontend does not read"),
        }
    }

    async fn hear(&mut self, (socket, life, message): Said) -> anyhow::Result<()> {
        if self.seats[socket].life != life || self.seats[socket].to.is_none() {
            return Ok(());
        }
        match message {
            Ok(Message::Text(text)) => self.on_text(socket, &text).await?,
            Ok(Message::Close(_)) => self.lose(socket, "a frontend has closed a socket"),
            Ok(_) => {}
            Err(err) => self.lose(socket, &err.to_string()),
        }
        Ok(())
    }

    async fn on_text(&mut self, socket: usize, text: &str) -> anyhow::Result<()> {
        match Incoming::read(text).context("cannot understand a frontend")? {
            Incoming::Answer(answer) => self.on_answer(socket, answer).await?,
            Incoming::Push(Push::View(view)) => {
                self.on_shown(socket, view.version, view.view).await;
            }
            Incoming::Push(Push::Step(step)) => {
                self.on_shown(socket, step.version, step.set).await;
            }
            Incoming::Push(Push::Bye(bye)) => {
                self.lose(socket, &format!("a frontend has closed a socket: {}", bye.code));
            }
            Incoming::Push(_) => {}
        }
        Ok(())
    }

    async fn on_answer(
        &mut self,
        socket: usize,
        heard: Answer<'_, Accepted<'_>>,
    ) -> anyhow::Result<()> {
        let Some(id) = heard.id.and_then(RequestId::number) else { return Ok(()) };
        let version = |yes: Accepted<'_>| yes.version.unwrap_or_default();
        let answer = heard.answer.map(version).map_err(|no| no.code);
        if self.seats[socket].watch == Some(id) {
            return self.on_watching(socket, answer).await;
        }
        if socket >= self.players {
            return Ok(());
        }
        let now = self.now();
        match self.game.answered(socket, id, answer) {
            Meaning::Echo => return Ok(()),
            Meaning::Done(due, version) => self.done(due, version, now),
            Meaning::Agreed => {}
            Meaning::Rest(code, time) => {
                self.refused(code, now);
                self.alarms.push(Instant::now() + time, Alarm::Rested(socket));
            }
            Meaning::Resend(code, time) => {
                self.refused(code, now);
                self.alarms.push(Instant::now() + time, Alarm::Resend(socket, id));
            }
            Meaning::Stuck(code) => bail!("a frontend refused: {code}"),
        }
        self.speak(socket).await;
        Ok(())
    }

    fn done(&mut self, due: Due, version: Version, now: Duration) {
        let counts = self.plan.counts(due.planned);
        let mut sheet = self.books.sheet();
        sheet.accepted += u64::from(self.plan.counts(now));
        if counts {
            sheet.answered(&due, now);
        }
        if let Some(at) = self.screens.made(version, due, now)
            && counts
        {
            sheet.seen(&due, at);
        }
    }

    fn refused(&mut self, code: Code, now: Duration) {
        if self.plan.counts(now) {
            self.books.sheet().refused(code);
        }
    }

    /// A socket was shown a version: its view, or what has changed in it.
    async fn on_shown(&mut self, socket: usize, version: Version, json: &str) {
        let now = self.now();
        let seen = self.screens.saw(socket, version, now);
        self.on_all_screens(&seen, now);
        self.look_whether_back(socket, now);
        if self.game.is_new(version)
            && let Some(phase) = phase(json)
            && self.game.saw(version, phase)
        {
            if phase == Phase::Playing && self.plan.counts(now) {
                self.books.sheet().rounds += 1;
            }
            for player in 0..self.players {
                self.speak(player).await;
            }
        }
    }

    fn on_all_screens(&self, seen: &[Due], now: Duration) {
        for due in seen.iter().filter(|due| self.plan.counts(due.planned)) {
            self.books.sheet().seen(due, now);
        }
    }

    /// The time since the load began.
    fn now(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// Sockets that go and come.
impl Room {
    fn plug_in(&mut self, socket: usize, stream: Socket) {
        let seat = &mut self.seats[socket];
        let (life, (to, from)) = (seat.life, stream.split());
        seat.to = Some(to);
        self.from.push(from.map(move |message| (socket, life, message)).boxed());
    }

    /// A player closes a socket, as it was planned, and opens another one.
    async fn leave(&mut self, socket: usize, planned: Duration) {
        self.plan_leaving(socket, planned);
        // It is away already, and comes back now anyway.
        let Some(mut to) = self.seats[socket].to.take() else { return };
        // However the old one ends.
        _ = timeout(SEND, to.close()).await;
        let now = self.now();
        let seen = self.screens.left(socket, now);
        self.on_all_screens(&seen, now);
        self.come_back(socket, planned);
    }

    /// A socket broke, and its player opens another one.
    fn lose(&mut self, socket: usize, why: &str) {
        if self.seats[socket].to.take().is_some() {
            self.books.sheet().lost(why);
            self.come_back(socket, self.now());
        }
    }

    fn come_back(&mut self, socket: usize, since: Duration) {
        let seat = &mut self.seats[socket];
        seat.life += 1;
        (seat.watch, seat.missed) = (None, None);
        seat.away.get_or_insert(since);
        self.arrive(socket, Duration::ZERO);
    }

    fn arrive(&mut self, socket: usize, after: Duration) {
        let seat = &mut self.seats[socket];
        seat.at += 1;
        let (plan, at, token) = (Arc::clone(&self.plan), seat.at, seat.identity.token.clone());
        self.arriving.push(Box::pin(async move {
            sleep(after).await;
            (socket, plan.url(at).enter_by(plan.way(), NAME, Some(&token)).await)
        }));
    }

    async fn on_arrival(&mut self, socket: usize, arrived: anyhow::Result<(Socket, Identity)>) {
        match arrived {
            Ok((stream, identity)) => {
                self.seats[socket].identity = identity;
                self.plug_in(socket, stream);
                self.watch(socket).await;
            }
            Err(err) => {
                self.books.sheet().lost(&format!("{err:#}"));
                self.arrive(socket, RECONNECT);
            }
        }
    }

    /// Asks for all that was not seen.
    async fn watch(&mut self, socket: usize) {
        let id = match socket < self.players {
            true => self.game.id(socket),
            false => self.seats[socket].last_id + 1,
        };
        let seat = &mut self.seats[socket];
        seat.last_id = id;
        seat.watch = Some(id);
        let since = Some((self.screens.seen(socket), seat.identity.epoch));
        self.send(socket, frame::watch(&self.name, since, id)).await;
    }

    async fn on_watching(
        &mut self,
        socket: usize,
        answer: Result<Version, Code>,
    ) -> anyhow::Result<()> {
        let version = match answer {
            Ok(version) => version,
            Err(code @ (Code::Busy | Code::NoQuorum | Code::UnknownOutcome)) => {
                self.refused(code, self.now());
                self.alarms.push(Instant::now() + RECONNECT, Alarm::Watch(socket));
                return Ok(());
            }
            Err(code) => bail!("a frontend refused: {code}"),
        };
        let seat = &mut self.seats[socket];
        (seat.watch, seat.missed) = (None, Some(version));
        self.screens.back(socket);
        self.look_whether_back(socket, self.now());
        if socket < self.players {
            if let Some(wish) = self.game.open(socket) {
                self.say(socket, &wish).await;
            }
            self.speak(socket).await;
        }
        Ok(())
    }

    /// Who was away is back when the screen shows what it missed.
    fn look_whether_back(&mut self, socket: usize, now: Duration) {
        let seen = self.screens.seen(socket);
        if let Some(since) = self.seats[socket].is_back(seen)
            && self.plan.counts(since)
        {
            self.books.sheet().back.record(now.saturating_sub(since));
        }
    }

    /// Writes down what has come to no end.
    fn close_books(&mut self) {
        let now = self.now();
        let mut sheet = self.books.sheet();
        for alarm in self.alarms.drain() {
            if let Alarm::Act(_, planned, doing) = alarm
                && self.plan.counts(planned)
            {
                sheet.planned(doing);
                sheet.unanswered(&Due { planned, doing, held: true }, now);
            }
        }
        let counts = |due: &Due| self.plan.counts(due.planned);
        self.game.left().filter(counts).for_each(|due| sheet.unanswered(&due, now));
        let unseen = self.screens.unseen().filter(|due| counts(due));
        unseen.for_each(|due| sheet.unseen(due, now));
    }
}

/// How a view, or what has changed in one, shows the round, if it says.
fn phase(json: &str) -> Option<Phase> {
    if shows_the_end(json) {
        return Some(Phase::Over);
    }
    json.contains(r#""state":"playing""#).then_some(Phase::Playing)
}
