//! One stream of a frontend: commands and watches up, answers and views down.
//!
//! The stream has one task. Whatever is ready when it wakes goes into one message;
//! it never waits for more. A reader that is slow makes its own stream slow: its
//! commands are not read meanwhile, and views skip to the newest.

use super::convert;
use super::desk::{Answers, Arrival, Desk};
use crate::feed::{Moment, Subscription};
use crate::raft::{Leadership, Machine, decode_finished};
use hangraft_game::{PlayerId, RoomId, Version};
use hangraft_proto::v1::{
    Answer, Code, Downlink, PrivateView, Unwatch, Update, Uplink, Watch, WatchRefused,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tonic::{Status, Streaming};

/// Rooms one stream may watch. More are refused as busy.
const WATCHES_MAX: usize = 100_000;

/// Updates in one message at most, so that a message stays far below what the
/// other side takes.
const UPDATES_MAX: usize = 512;

/// Messages queued for a stream; then its task waits.
pub(crate) const DOWNLINKS_MAX: usize = 8;

pub(crate) struct Link {
    pub(crate) me: u64,
    pub(crate) desk: Desk,
    pub(crate) arrival: Arrival,
    pub(crate) machine: Machine,
    pub(crate) leadership: watch::Receiver<Leadership>,
    pub(crate) draining: watch::Receiver<bool>,
    pub(crate) subscription: Subscription,
    pub(crate) out: mpsc::Sender<Result<Downlink, Status>>,
    /// The watched rooms.
    pub(crate) looking: BTreeMap<RoomId, Looking>,
}

/// One watched room.
pub(crate) struct Looking {
    /// Whose eyes look through this stream.
    players: Vec<PlayerId>,
    /// The last version that was sent.
    sent: Version,
}

/// What wakes the task.
enum Input {
    Uplink(Result<Option<Uplink>, Status>),
    Answers(Vec<Answer>),
    Moment(Option<Arc<Moment>>),
    Standing,
}

impl Link {
    /// Runs until either side ends the stream.
    pub(crate) async fn run(mut self, mut uplinks: Streaming<Uplink>) {
        let (answers, mut answered) = mpsc::unbounded_channel();
        let mut down = Downlink { standing: Some(self.standing()), ..Downlink::default() };
        loop {
            if !is_empty(&down) && self.out.send(Ok(std::mem::take(&mut down))).await.is_err() {
                return;
            }
            let input = tokio::select! {
                uplink = uplinks.message() => Input::Uplink(uplink),
                Some(answers) = answered.recv() => Input::Answers(answers),
                moment = self.subscription.next() => Input::Moment(moment),
                Ok(()) = self.leadership.changed() => Input::Standing,
                Ok(()) = self.draining.changed() => Input::Standing,
            };
            match input {
                Input::Uplink(Ok(Some(uplink))) => {
                    self.on_uplink(uplink, &answers, &mut down).await
                }
                Input::Uplink(Ok(None) | Err(_)) => return,
                Input::Answers(answers) => down.answers.extend(answers),
                Input::Moment(moment) => moment.iter().for_each(|m| self.on_moment(m, &mut down)),
                Input::Standing => down.standing = Some(self.standing()),
            }
            self.gather(&mut answered, &mut down);
        }
    }

    /// Adds what else is ready.
    fn gather(&mut self, answered: &mut mpsc::UnboundedReceiver<Vec<Answer>>, down: &mut Downlink) {
        while let Ok(answers) = answered.try_recv() {
            down.answers.extend(answers);
        }
        if self.subscription.take_lagged() {
            self.look_anew(down);
        }
        while down.updates.len() < UPDATES_MAX
            && let Some(moment) = self.subscription.try_next()
        {
            self.on_moment(&moment, down);
        }
    }

    fn standing(&mut self) -> hangraft_proto::v1::Standing {
        let draining = *self.draining.borrow_and_update();
        convert::standing(self.me, &self.leadership.borrow_and_update(), draining)
    }

    async fn on_uplink(&mut self, uplink: Uplink, answers: &Answers, down: &mut Downlink) {
        if !uplink.commands.is_empty() {
            self.desk.take(uplink.commands, self.arrival, answers);
        }
        for watch in uplink.watches {
            self.on_watch(watch, down).await;
        }
        for Unwatch { room } in uplink.unwatches {
            self.looking.remove(&RoomId(room));
            self.subscription.unwatch(RoomId(room));
        }
    }

    async fn on_watch(&mut self, watch: Watch, down: &mut Downlink) {
        let id = RoomId(watch.room);
        if self.looking.len() >= WATCHES_MAX && !self.looking.contains_key(&id) {
            down.watch_refused.push(refused(watch.room, Code::Busy, "too many rooms are watched"));
            return;
        }
        // First subscribe, then look: nothing falls in between.
        self.subscription.watch(id);
        let Some(room) = self.machine.room(id) else {
            self.looking.remove(&id);
            self.subscription.unwatch(id);
            match self.archived(watch.room).await {
                Some(update) => down.updates.push(update),
                None => {
                    let why = format!("there is no {id}");
                    down.watch_refused.push(refused(watch.room, Code::NoSuchRoom, &why));
                }
            }
            return;
        };
        let players = watch.players.into_iter().map(PlayerId).collect();
        let looking = Looking { players, sent: room.version() };
        let since = watch.since.map(Version);
        let missed = since.and_then(|since| self.subscription.after(id, since, room.version()));
        match missed {
            Some(missed) => down.updates.extend(missed.iter().map(|m| update(m, &looking, false))),
            None => down.updates.push(whole(&room, &looking)),
        }
        self.looking.insert(id, looking);
    }

    /// The last view of a room that has left the lobby.
    async fn archived(&self, room: u64) -> Option<Update> {
        let bytes = match self.machine.recently_finished(room) {
            Some(bytes) => bytes,
            None => self.machine.storage().archive.get(room).await.ok()??,
        };
        let (version, view) = convert::last_view(decode_finished(&bytes).ok()?);
        let events = bytes::Bytes::from_static(b"[]");
        Some(Update {
            room,
            version,
            view,
            events,
            resync: true,
            closed: true,
            ..Update::default()
        })
    }

    fn on_moment(&mut self, moment: &Moment, down: &mut Downlink) {
        let id = moment.room.id();
        let Some(looking) = self.looking.get_mut(&id) else { return };
        if moment.version <= looking.sent {
            return;
        }
        let resync = moment.version != looking.sent.next();
        looking.sent = moment.version;
        down.updates.push(update(moment, looking, resync));
        if moment.closed {
            self.looking.remove(&id);
        }
    }

    /// Sends whole views of everything that has moved on: changes were left out.
    fn look_anew(&mut self, down: &mut Downlink) {
        let mut gone = Vec::new();
        for (id, looking) in &mut self.looking {
            match self.machine.room(*id) {
                Some(room) if room.version() > looking.sent => {
                    looking.sent = room.version();
                    down.updates.push(whole(&room, looking));
                }
                Some(_) => {}
                None => gone.push(*id),
            }
        }
        for id in gone {
            self.looking.remove(&id);
            self.subscription.unwatch(id);
            let why = format!("{id} has left the lobby");
            down.watch_refused.push(refused(id.0, Code::NoSuchRoom, &why));
        }
    }
}

fn is_empty(down: &Downlink) -> bool {
    down.answers.is_empty()
        && down.updates.is_empty()
        && down.watch_refused.is_empty()
        && down.standing.is_none()
}

fn update(moment: &Moment, looking: &Looking, resync: bool) -> Update {
    Update {
        room: moment.room.id().0,
        version: moment.version.0,
        view: moment.gallery(),
        events: if resync { bytes::Bytes::from_static(b"[]") } else { moment.events() },
        private: private(looking, |player| moment.private(player)),
        resync,
        closed: moment.closed,
    }
}

fn whole(room: &Arc<hangraft_game::Room>, looking: &Looking) -> Update {
    let moment = Moment::whole(room.clone());
    update(&moment, looking, true)
}

fn private(looking: &Looking, view: impl Fn(PlayerId) -> Option<bytes::Bytes>) -> Vec<PrivateView> {
    let seen = |player: &PlayerId| Some(PrivateView { player: player.0, view: view(*player)? });
    looking.players.iter().filter_map(seen).collect()
}

fn refused(room: u64, code: Code, why: &str) -> WatchRefused {
    WatchRefused { room, refused: Some(convert::refused(code, why.to_owned())) }
}
