//! One client: asks one thing after the other, by one way in or another, until it is told
//! for good. What it asks is drawn from the seed.
//!
//! Asking again with the same serial has no second effect, so a client that hears nothing
//! asks elsewhere. When its patience is over it gives up: what it asked stays unknown, and it
//! goes on as somebody else, whose serials nothing hangs on.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hangraft_ids::{PlayerId, Version};
use hangraft_lab::history::{ClientId, Level, Outcome, Push, What};
use hangraft_proto::socket::Code;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use tokio::time::{Instant, sleep, timeout_at};

use crate::play::{
    manner::{Letters, Manner, Next, Pace},
    reads::Reads,
    record::{Open, Record},
    table::{Place, Table},
    way::{Access, Act, Entrance, Heard, Person, Told, Way, Wish},
    workload::Workload,
};

/// How long an answer is waited for before somebody else is asked.
const TRY: Duration = Duration::from_millis(1_500);

/// How long to wait before asking again.
const AGAIN: Duration = Duration::from_millis(50);

/// A node that can be read at: its name, and where it is.
pub(crate) type Node = (String, SocketAddr);

/// What all clients know.
pub(crate) struct Scene {
    pub(crate) record: Arc<Record>,
    pub(crate) entrances: Vec<Entrance>,
    pub(crate) nodes: Mutex<Vec<Node>>,
    /// How many of them are first members.
    pub(crate) members: usize,
    pub(crate) access: Access,
    pub(crate) manner: Manner,
    pub(crate) seed: u64,
}

/// A client.
pub(crate) struct Client {
    id: ClientId,
    scene: Arc<Scene>,
    table: Table,
    dice: StdRng,
    who: Person,
    serial: u64,
    way: Option<Way>,
    /// The room that is looked at by this way.
    watched: String,
    /// The node at the end of this way has yet to come to what this client was shown.
    behind: bool,
    /// Which entrance is next, and by how many to go on: frontends' clients stay at frontends.
    entrances: Vec<usize>,
    turn: usize,
    reads: Reads,
    /// The newest version that it was told of, by room.
    known: BTreeMap<String, Version>,
    /// The newest version that it was shown, by room.
    shown: BTreeMap<String, Version>,
    room: String,
    lines: u32,
    over: bool,
    /// What has been guessed in its room.
    tried: Letters,
    /// When it acts next, where it keeps a beat.
    next: Instant,
}

impl Scene {
    /// The nodes that can be read at.
    pub(crate) fn nodes(&self) -> Vec<Node> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// These can be read at from now on, and no others.
    pub(crate) fn reads_at(&self, nodes: Vec<Node>) {
        *self.nodes.lock().unwrap_or_else(PoisonError::into_inner) = nodes;
    }

    /// Where a client comes in, as places among the entrances.
    fn entrances_of(&self, client: ClientId) -> Vec<usize> {
        let is_frontend = |i: &usize| matches!(self.entrances[*i], Entrance::Frontend { .. });
        let all = 0..self.entrances.len();
        let at_frontends = match self.manner.at_frontends {
            true => all.clone().any(|i| is_frontend(&i)),
            false => client % 2 == 1,
        };
        all.filter(|i| is_frontend(i) == at_frontends).collect()
    }
}

impl Client {
    pub(crate) fn new(id: ClientId, scene: &Arc<Scene>, table: Table) -> Self {
        let seed = scene.seed.wrapping_mul(1_000_003).wrapping_add(u64::from(id));
        let mut dice = StdRng::seed_from_u64(seed);
        let entrances = scene.entrances_of(id);
        let turn = dice.random_range(0..entrances.len().max(1));
        let reads = Reads::new(scene.access.clone(), scene.manner.name);
        let mut client = Self {
            id,
            scene: Arc::clone(scene),
            table,
            dice,
            who: Person {
                name: format!("{} {}", scene.manner.name, id + 1),
                token: None,
                player: PlayerId(0),
            },
            serial: 0,
            way: None,
            watched: String::new(),
            behind: false,
            entrances,
            turn,
            reads,
            known: BTreeMap::new(),
            shown: BTreeMap::new(),
            room: String::new(),
            lines: 0,
            over: false,
            tried: Letters::default(),
            next: Instant::now(),
        };
        client.become_somebody();
        client
    }

    /// Plays until `stop` says so; what has begun is finished.
    pub(crate) async fn play(mut self, stop: Arc<std::sync::atomic::AtomicBool>) {
        while !stop.load(std::sync::atomic::Ordering::Relaxed) {
            match self.table.place() {
                Place::Open => {
                    let opened = self
                        .write(Act::Open { public: self.scene.manner.public }, String::new())
                        .await;
                    self.table.opened(opened);
                }
                Place::Wait => {}
                Place::In(room) => self.act(room).await,
            }
            let until = self.acts_next();
            self.rest(until).await;
        }
    }

    fn acts_next(&mut self) -> Instant {
        let now = Instant::now();
        match self.scene.manner.pace {
            Pace::Pause(least, most) => {
                now + Duration::from_micros(self.dice.random_range(least..=most))
            }
            Pace::Every(every) => {
                self.next = now.max(self.next + every);
                self.next
            }
        }
    }

    /// Does something in a room, where it may be for the first time.
    async fn act(&mut self, room: String) {
        if room != self.room {
            (self.room, self.over, self.tried) = (room.clone(), false, Letters::default());
            if self.scene.manner.workload == Workload::Rooms {
                self.write(Act::Sit, room.clone()).await;
            }
            self.look().await;
        }
        match self.scene.manner.next(&mut self.dice) {
            Next::Write => {
                let act = self.next_act();
                self.write(act, room).await;
            }
            Next::Linearizable => self.read(room, Level::Linearizable).await,
            Next::AtLeast => match self.known.get(&room) {
                Some(least) => self.read(room, Level::AtLeast { least: *least }).await,
                None => self.read(room, Level::Linearizable).await,
            },
            Next::Local => self.read(room, Level::Local).await,
        }
    }

    fn next_act(&mut self) -> Act {
        if self.scene.manner.says(&mut self.dice) {
            self.lines += 1;
            self.table.writes();
            return Act::Say(self.scene.manner.line(self.id, self.lines));
        }
        if std::mem::take(&mut self.over) {
            return Act::Again;
        }
        Act::Play(self.scene.manner.letter(self.tried, &mut self.dice))
    }

    /// Asks for a change until it is told for good; the room that was opened.
    async fn write(&mut self, act: Act, room: String) -> Option<String> {
        self.serial += 1;
        let wish = Wish { serial: self.serial, room: room.clone(), act };
        let what = self.scene.manner.workload.what(&wish.act);
        let scene = Arc::clone(&self.scene);
        let call = scene.record.ask(self.id, self.entrance().name(), &room, what);
        let give_up = Instant::now() + scene.manner.patience(self.id);
        loop {
            let heard = self.try_once(&wish, give_up).await;
            let by = self.entrance().name().to_owned();
            match heard {
                Some(Told::Yes { room: opened, version }) => {
                    let room = if matches!(wish.act, Act::Open { .. }) {
                        opened.unwrap_or_default()
                    } else {
                        room
                    };
                    // A frontend does not say which version a new room has: the first.
                    let version = version.unwrap_or(Version(1));
                    self.learn(&room, version);
                    scene.record.told(call, &by, &room, Outcome::Ok { version, lines: None });
                    return Some(room);
                }
                Some(Told::No { code, forgotten: false }) if is_for_good(code) => {
                    self.over |= code == Code::GameOver;
                    if code == Code::NoSuchRoom {
                        self.table.gone(&room);
                    }
                    let outcome = Outcome::Refused { code: code.as_str().into() };
                    scene.record.told(call, &by, &room, outcome);
                    return None;
                }
                Some(Told::No { forgotten: true, .. }) => return self.give_up(call),
                _ if Instant::now() >= give_up => return self.give_up(call),
                Some(Told::No { code, .. }) => {
                    if !matches!(code, Code::Busy | Code::TooFast) {
                        self.move_on();
                    }
                }
                None => self.move_on(),
            }
            sleep(AGAIN).await;
        }
    }

    /// What was asked stays unknown.
    fn give_up(&mut self, call: Open) -> Option<String> {
        self.scene.record.gave_up(call);
        self.move_on();
        self.become_somebody();
        None
    }

    /// Asks once; nothing if nobody answers in time.
    async fn try_once(&mut self, wish: &Wish, give_up: Instant) -> Option<Told> {
        let until = give_up.min(Instant::now() + TRY);
        self.enter().await?;
        self.way.as_mut()?.wish(wish).await.ok()?;
        loop {
            match timeout_at(until, self.way.as_mut()?.hear()).await.ok()?.ok()? {
                Heard::Answer(serial, told) if serial == wish.serial => return Some(told),
                Heard::Answer(..) => {}
                view @ Heard::View { .. } => self.see(view),
            }
        }
    }

    /// Is in, by some way, and looks at its room; nothing if that entrance is closed.
    async fn enter(&mut self) -> Option<()> {
        if self.way.is_none() {
            let entrance = self.entrance().clone();
            let way = entrance.enter(&mut self.who, &self.scene.access).await;
            match way {
                Ok(way) => {
                    (self.way, self.watched, self.behind) = (Some(way), String::new(), false);
                }
                Err(err) => {
                    tracing::debug!(client = self.id, %err, "cannot come in");
                    return None;
                }
            }
            self.look().await;
        }
        Some(())
    }

    /// Looks at its room, behind what it has seen of it, if it does not yet.
    async fn look(&mut self) {
        if self.watched == self.room {
            return;
        }
        if let Some(way) = self.way.as_mut() {
            let since = self.shown.get(&self.room).copied();
            match way.watch(&self.room, since).await {
                Ok(()) => self.watched.clone_from(&self.room),
                Err(_) => self.way = None,
            }
        }
    }

    /// Waits, and looks at what comes.
    async fn rest(&mut self, until: Instant) {
        loop {
            let Some(way) = self.way.as_mut() else { return tokio::time::sleep_until(until).await };
            match timeout_at(until, way.hear()).await {
                Ok(Ok(view @ Heard::View { .. })) => self.see(view),
                Ok(Ok(Heard::Answer(..))) => {}
                Ok(Err(_)) => self.move_on(),
                Err(_) => return,
            }
        }
    }

    fn see(&mut self, view: Heard) {
        let Heard::View { room, version, resync, closed, over, tried } = view else { return };
        // A node that is behind answers a watch with the whole view that it has, and then
        // with all that follows. Whoever watches at nodes, as frontends do, waits for what is
        // newer than what it knows.
        let at_node = matches!(self.way, Some(Way::Link(_)));
        let known = self.shown.get(&room).is_some_and(|shown| version <= *shown);
        self.behind = at_node && known && (resync || self.behind);
        if self.behind {
            return;
        }
        if room == self.room {
            (self.over, self.tried) = (over, tried);
        }
        self.learn(&room, version);
        self.shown.insert(room.clone(), version);
        let at = self.scene.record.now();
        self.scene.record.shown(Push { at, client: self.id, room, version, resync, closed });
    }

    async fn read(&mut self, room: String, level: Level) {
        let scene = Arc::clone(&self.scene);
        let nodes = scene.nodes();
        let Some((name, node)) = nodes.choose(&mut self.dice) else { return };
        let call = scene.record.ask(self.id, name, &room, What::Read { level });
        match self.reads.read(*node, &room, level).await {
            Ok(outcome) => {
                if let Outcome::Ok { version, .. } = outcome {
                    self.learn(&room, version);
                }
                scene.record.told(call, name, &room, outcome);
            }
            Err(err) => {
                tracing::debug!(client = self.id, %err, "a read in vain");
                scene.record.gave_up(call);
            }
        }
    }

    fn learn(&mut self, room: &str, version: Version) {
        let known = self.known.entry(room.to_owned()).or_default();
        *known = version.max(*known);
    }

    fn entrance(&self) -> &Entrance {
        &self.scene.entrances[self.entrances[self.turn % self.entrances.len()]]
    }

    fn move_on(&mut self) {
        self.way = None;
        self.turn += 1;
    }

    fn become_somebody(&mut self) {
        self.who.token = None;
        self.who.player = PlayerId(self.dice.random_range(1..=u64::MAX));
        self.serial = 0;
        self.room.clear();
    }
}

/// Whether asking again with the same serial gets the same.
fn is_for_good(code: Code) -> bool {
    !matches!(code, Code::Busy | Code::NoQuorum | Code::UnknownOutcome | Code::TooFast)
}
