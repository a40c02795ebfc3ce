//! One watch per room upstream, any number of sessions downstream; likewise each
//! player is [followed](followed::Followed) once, and there is one look at the lobby and the numbers.
//!
//! One task owns every watched [`Room`]. It hears views from the link it watches
//! through and puts them into the mailboxes of whoever looks; it never waits for
//! anyone but its own inbox, so a slow socket or a slow node cannot hold it up.
//!
//! When that link breaks, every room is watched again through another, from the
//! version it has, and every player is followed from the number that was heard; sessions
//! notice nothing but a pause.

mod debt;
mod fields;
mod followed;
mod follows;
mod history;
mod looks;
mod room;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use hangraft_cluster_config::RoomNames;
use hangraft_ids::{NoticeNumber, PlayerId, RoomId, Version};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use tracing::{debug, warn};

use crate::{
    boards::{Numbers, Seeks},
    command::{Refusal, Sight},
    mailbox::{Mail, Mailbox, SocketId, Tag},
    meters::Meters,
    upstream::{FollowRequest, FromNode, Glance, Update, Upstream, WatchRequest},
};
use debt::Debt;
use followed::Listener;
use follows::Follows;
use history::Shape;
use looks::Looks;
use room::{Heard, Joining, Room};

/// Things for the hub to look at; past it, sessions and links wait.
const INBOX_MAX: usize = 4096;
/// Things looked at at once.
const AT_ONCE: usize = 256;
/// How often time is looked at while something depends on it: rooms that asked
/// for a little time, versions owed.
const TICK: Duration = Duration::from_millis(5);
/// How often all rooms are looked at, for what was left behind.
const SWEEP: Duration = Duration::from_secs(1);
/// Bytes of old versions kept over all rooms; they share it evenly.
const HISTORY_BYTES_MAX: usize = 64 << 20;
/// No room's share is larger than this, or smaller than the next.
const HISTORY_SHARE_MAX: usize = 256 << 10;
/// With so many rooms that less would be left, the total may be exceeded.
const HISTORY_SHARE_MIN: usize = 4 << 10;

/// What happens to the hub.
#[derive(Debug)]
pub(crate) enum HubInput {
    /// A session wants to look at a room; answered with mail of this tag.
    Watch {
        session: SocketId,
        mailbox: Mailbox,
        player: PlayerId,
        room: RoomId,
        since: Option<Version>,
        /// The session understands steps.
        steps: bool,
        tag: Tag,
    },
    Unwatch {
        session: SocketId,
        room: RoomId,
    },
    /// A session wants to hear what its player is told; answered with mail of this tag.
    Follow {
        session: SocketId,
        mailbox: Mailbox,
        player: PlayerId,
        since: Option<NoticeNumber>,
        tag: Tag,
    },
    /// One more session looks at something, or one less.
    Look {
        sight: Sight,
        more: bool,
    },
    /// A session is gone.
    Leave {
        session: SocketId,
    },
    /// Watch through this link from now on, or through none.
    Upstream(Option<Upstream>),
    /// A command made this version of a room: it should be shown soon.
    Acknowledged {
        room: RoomId,
        version: Version,
    },
    FromNode(FromNode),
}

/// A way to the hub's task. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Hub {
    inbox: mpsc::Sender<HubInput>,
    frozen: watch::Receiver<u64>,
    seeks: watch::Receiver<Option<Arc<Seeks>>>,
    numbers: watch::Receiver<Option<Arc<Numbers>>>,
}

/// Somebody looks at something; dropped, they do not any more.
#[derive(Debug)]
pub(crate) struct Looker {
    sight: Sight,
    hub: Hub,
}

impl Drop for Looker {
    fn drop(&mut self) {
        self.hub.tell_soon(HubInput::Look { sight: self.sight, more: false });
    }
}

impl Hub {
    /// Starts the hub; its task lives in `tasks`.
    pub(crate) fn start(names: RoomNames, meters: Arc<Meters>, tasks: &mut JoinSet<()>) -> Self {
        let (inbox, inputs) = mpsc::channel(INBOX_MAX);
        let (frozen_sender, frozen) = watch::channel(0);
        let (looks, seeks, numbers) = Looks::new();
        let task = Task {
            names,
            debt: Debt::default(),
            frozen: frozen_sender,
            rooms: HashMap::new(),
            sessions: HashMap::new(),
            follows: Follows::new(),
            looks,
            upstream: None,
            asking_later: BTreeSet::new(),
            meters,
        };
        tasks.spawn(task.run(inputs));
        Self { inbox, frozen, seeks, numbers }
    }

    /// Somebody looks from now on, until what is returned is dropped.
    pub(crate) async fn look(&self, sight: Sight) -> Looker {
        self.tell(HubInput::Look { sight, more: true }).await;
        Looker { sight, hub: self.clone() }
    }

    /// The open seeks, now and as they change; nothing while nobody looks.
    pub(crate) fn seeks(&self) -> watch::Receiver<Option<Arc<Seeks>>> {
        self.seeks.clone()
    }

    /// The numbers, likewise.
    pub(crate) fn numbers(&self) -> watch::Receiver<Option<Arc<Numbers>>> {
        self.numbers.clone()
    }

    /// The last life of a link whose watch was found frozen, as it changes.
    pub(crate) fn frozen(&self) -> watch::Receiver<u64> {
        self.frozen.clone()
    }

    /// Where links and the cluster put what they have for the hub.
    pub(crate) fn inbox(&self) -> mpsc::Sender<HubInput> {
        self.inbox.clone()
    }

    /// Tells the hub something. When the hub is gone the frontend is stopping.
    pub(crate) async fn tell(&self, input: HubInput) {
        _ = self.inbox.send(input).await;
    }

    /// A session is gone.
    pub(crate) fn leave(&self, session: SocketId) {
        self.tell_soon(HubInput::Leave { session });
    }

    /// Tells the hub something. This may be said while unwinding, so it does not wait.
    fn tell_soon(&self, input: HubInput) {
        if let Err(mpsc::error::TrySendError::Full(input)) = self.inbox.try_send(input) {
            let hub = self.clone();
            tokio::spawn(async move { hub.tell(input).await });
        }
    }
}

/// The state of the hub's task.
struct Task {
    names: RoomNames,
    rooms: HashMap<RoomId, Room<Mailbox>>,
    /// Which rooms a session looks at.
    sessions: HashMap<SocketId, BTreeSet<RoomId>>,
    /// Players who are followed.
    follows: Follows<Mailbox>,
    /// What else is looked at.
    looks: Looks,
    upstream: Option<Upstream>,
    /// Rooms with a question that has to wait.
    asking_later: BTreeSet<RoomId>,
    debt: Debt,
    frozen: watch::Sender<u64>,
    meters: Arc<Meters>,
}

impl Task {
    async fn run(mut self, mut inputs: mpsc::Receiver<HubInput>) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sweeps = interval(SWEEP);
        sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut taken = Vec::with_capacity(AT_ONCE);
        loop {
            tokio::select! {
                count = inputs.recv_many(&mut taken, AT_ONCE) => {
                    if count == 0 {
                        return;
                    }
                    let now = Instant::now();
                    taken.drain(..).for_each(|input| self.on(input, now));
                }
                _ = ticks.tick(), if self.waits() => self.on_tick(Instant::now()),
                _ = sweeps.tick() => self.on_sweep(Instant::now()),
            }
        }
    }

    fn on(&mut self, input: HubInput, now: Instant) {
        match input {
            HubInput::Watch { session, mailbox, player, room, since, steps, tag } => {
                let shape = if steps { Shape::Steps } else { Shape::Views };
                let joining = Joining { session, player, tag, since, shape, way: mailbox };
                self.on_watch(room, joining, now);
            }
            HubInput::Unwatch { session, room } => self.on_unwatch(session, room, now),
            HubInput::Follow { session, mailbox, player, since, tag } => {
                let listener = Listener { session, tag, since, way: mailbox };
                let question = self.follows.join(player, listener, now, &mut deliver(&self.meters));
                self.follow(question);
            }
            HubInput::Look { sight, more } => {
                let changed = self.looks.count(sight, more, &self.meters);
                if let (Some(glance), Some(link)) = (changed, &self.upstream) {
                    // A link that takes nothing is about to be replaced.
                    _ = link.glance(glance);
                }
            }
            HubInput::Leave { session } => self.on_leave(session, now),
            HubInput::Upstream(link) => self.on_upstream(link),
            HubInput::Acknowledged { room, version } => {
                let shown = self.rooms.get(&room).and_then(Room::version);
                self.debt.acknowledged(room, version, shown, now);
            }
            HubInput::FromNode(said) => self.on_said(said, now),
        }
    }

    fn on_watch(&mut self, room: RoomId, joining: Joining<Mailbox>, now: Instant) {
        self.sessions.entry(joining.session).or_default().insert(room);
        let watched = self.rooms.entry(room);
        let watched = watched.or_insert_with(|| Room::new(room, self.names.name(room).into()));
        let question = watched.join(joining, now, &mut deliver(&self.meters));
        self.ask(question);
    }

    fn on_unwatch(&mut self, session: SocketId, room: RoomId, now: Instant) {
        if let Some(rooms) = self.sessions.get_mut(&session) {
            rooms.remove(&room);
        }
        if let Some(room) = self.rooms.get_mut(&room) {
            room.leave(session, now);
        }
    }

    fn on_leave(&mut self, session: SocketId, now: Instant) {
        self.follows.leave(session, now);
        for room in self.sessions.remove(&session).unwrap_or_default() {
            if let Some(room) = self.rooms.get_mut(&room) {
                room.leave(session, now);
            }
        }
    }

    fn on_upstream(&mut self, link: Option<Upstream>) {
        if let Some(before) = std::mem::replace(&mut self.upstream, link) {
            // It may well be up still, and is only not the best one any more.
            self.rooms.keys().take_while(|room| before.unwatch(**room).is_ok()).for_each(drop);
            self.follows.players().take_while(|it| before.unfollow(*it).is_ok()).for_each(drop);
            _ = before.glance(Glance::default());
        }
        debug!(rooms = self.rooms.len(), "watching through another link");
        self.asking_later.clear();
        self.debt.forgive();
        let questions: Vec<_> = self.rooms.values_mut().filter_map(Room::moved).collect();
        questions.into_iter().for_each(|question| self.ask(Some(question)));
        self.follows.moved().into_iter().for_each(|question| self.follow(Some(question)));
        if let Some(link) = &self.upstream {
            _ = link.glance(self.looks.glance());
        }
    }

    fn on_said(&mut self, said: FromNode, now: Instant) {
        // What still comes through a link we left was made for the eyes we had then.
        if self.upstream.as_ref().is_none_or(|link| link.life != said.life) {
            return;
        }
        for update in said.updates {
            self.on_update(&update, now);
        }
        for (room, refusal) in said.refused {
            self.on_refused(room, &refusal, now);
        }
        for told in said.told {
            let question = self.follows.hear(&told, &mut deliver(&self.meters));
            self.follow(question);
        }
        self.looks.show(said.seeks, said.live, now);
    }

    fn on_update(&mut self, update: &Update, now: Instant) {
        let share = (HISTORY_BYTES_MAX / self.rooms.len().max(1))
            .clamp(HISTORY_SHARE_MIN, HISTORY_SHARE_MAX);
        let Some(room) = self.rooms.get_mut(&update.room) else { return };
        if room.version().is_some_and(|before| update.version > before.next()) {
            self.meters.resyncs.increment(1);
        }
        let heard = room.hear(update, share, now, &mut deliver(&self.meters));
        match heard {
            Ok(heard) => self.after(update.room, heard),
            Err(err) => warn!(room = update.room.0, %err, "a view was dropped"),
        }
    }

    fn on_refused(&mut self, room: RoomId, refusal: &Refusal, now: Instant) {
        let Some(watched) = self.rooms.get_mut(&room) else { return };
        let heard = watched.refused(refusal, now, &mut deliver(&self.meters));
        self.after(room, heard);
    }

    fn after(&mut self, room: RoomId, heard: Heard) {
        match heard {
            Heard::On(question) => {
                if self.rooms.get(&room).is_some_and(Room::asks_later) {
                    self.asking_later.insert(room);
                }
                self.ask(question);
            }
            Heard::Over => {
                self.rooms.remove(&room);
                self.asking_later.remove(&room);
            }
        }
    }

    /// Something depends on the passing of time.
    fn waits(&self) -> bool {
        !self.asking_later.is_empty() || self.debt.is_owed()
    }

    fn on_tick(&mut self, now: Instant) {
        self.ask_what_is_due(now);
        if self.debt.is_overdue(|room| self.rooms.get(&room)?.version(), now) {
            self.debt.forgive();
            if let Some(link) = &self.upstream {
                self.frozen.send_replace(link.life);
            }
        }
    }

    fn ask_what_is_due(&mut self, now: Instant) {
        let rooms: Vec<RoomId> = self.asking_later.iter().copied().collect();
        for id in rooms {
            let Some(room) = self.rooms.get_mut(&id) else {
                self.asking_later.remove(&id);
                continue;
            };
            let question = room.ask_if_due(now);
            if !room.asks_later() {
                self.asking_later.remove(&id);
            }
            self.ask(question);
        }
    }

    fn on_sweep(&mut self, now: Instant) {
        let abandoned: Vec<RoomId> = self
            .rooms
            .iter()
            .filter(|(_, room)| room.is_abandoned(now))
            .map(|(id, _)| *id)
            .collect();
        for id in abandoned {
            self.rooms.remove(&id);
            self.asking_later.remove(&id);
            if let Some(link) = &self.upstream {
                // A link that takes nothing is about to be replaced.
                _ = link.unwatch(id);
            }
        }
        let questions: Vec<_> = {
            let mut deliver = deliver(&self.meters);
            self.rooms.values_mut().filter_map(|room| room.sweep(now, &mut deliver)).collect()
        };
        questions.into_iter().for_each(|question| self.ask(Some(question)));
        self.meters.rooms.set(self.rooms.len() as f64);
        for player in self.follows.sweep(now, &mut deliver(&self.meters)) {
            if let Some(link) = &self.upstream {
                _ = link.unfollow(player);
            }
        }
        self.meters.told.followed.set(self.follows.len() as f64);
    }

    /// Asks the node, if there is one; the next one is asked when it comes.
    fn ask(&mut self, question: Option<WatchRequest>) {
        if let (Some(question), Some(link)) = (question, &self.upstream) {
            _ = link.watch(question);
        }
    }

    /// The same of a player.
    fn follow(&self, question: Option<FollowRequest>) {
        if let (Some(question), Some(link)) = (question, &self.upstream) {
            _ = link.follow(question);
        }
    }
}

/// Puts mail where it belongs, and counts.
fn deliver(meters: &Meters) -> impl FnMut(&Mailbox, Mail) {
    |mailbox, mail| {
        meters.pushes.increment(mail.views() as u64);
        meters.told.notices.increment(mail.notices() as u64);
        // One that overflowed or is gone takes nothing; its socket sees to the rest.
        mailbox.put(mail);
    }
}
