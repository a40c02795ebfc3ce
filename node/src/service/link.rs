//! One stream of a frontend: commands and watches up, answers and views down.
//!
//! The stream has one task. Whatever is ready when it wakes goes into one message;
//! it never waits for more. A reader that is slow makes its own stream slow: its
//! commands are not read meanwhile, and views skip to the newest.

use super::answers::AnswerSender;
use super::convert;
use super::desk::{Arrival, Desk};
use super::follows::{Follows, Said};
use super::glance::{Glance, Sight};
use super::updates::{Looking, nothing};
use crate::feed::{Moment, Subscription};
use crate::raft::machine::Machine;
use crate::replica::handle::Replica;
use crate::replica::leadership::Leadership;
use hangraft_game::{PlayerId, Room, RoomId, Version};
use hangraft_ids::NodeId;
use hangraft_proto::v1::{
    Answer, Code, Downlink, Follow, Told, Unfollow, Unwatch, Update, Uplink, Watch, WatchRefused,
};
use prost::Message;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tonic::{Status, Streaming};

/// Rooms one stream may watch. More are refused as busy.
const WATCHES_MAX: usize = 100_000;

/// Updates in one message at most, so that a message stays far below what the
/// other side takes.
const UPDATES_MAX: usize = 512;

/// Players of whom one message tells at most.
const TOLD_MAX: usize = 512;

/// Bytes of views and notices in one message; past it the message goes and a new one is begun.
const DOWNLINK_BYTES: usize = 1 << 20;

/// A reader that takes no message for this long loses its stream.
const STALL_MAX: Duration = Duration::from_secs(10);

/// Rooms that this replica makes sure of at a time, for one stream. More are refused
/// as busy, and asked for again.
const UNSURE_MAX: usize = 64;

/// Messages queued for a stream; then its task waits.
pub(crate) const DOWNLINKS_MAX: usize = 8;

pub(crate) struct Link {
    pub(crate) me: NodeId,
    pub(crate) replica: Replica,
    pub(crate) desk: Desk,
    pub(crate) arrival: Arrival,
    pub(crate) machine: Machine,
    pub(crate) leadership: watch::Receiver<Leadership>,
    pub(crate) draining: watch::Receiver<bool>,
    pub(crate) subscription: Subscription,
    pub(crate) out: Outbox,
    /// The watched rooms.
    pub(crate) looking: BTreeMap<RoomId, Looking>,
    pub(crate) unsure: Unsure,
    /// The followed players.
    pub(crate) follows: Follows,
    /// What is looked at besides.
    pub(crate) glance: Glance,
}

/// Whether a replica that does not know a room knows that there is none.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Knowledge {
    /// It may be behind.
    Perhaps,
    /// It has all that was committed when it was asked.
    Sure,
}

/// Watches of rooms that this replica does not know, while it makes sure that it is
/// not just behind. Dropped, it asks no more.
#[derive(Default)]
pub(crate) struct Unsure {
    asked: u64,
    /// The newest watch of each such room, and the number of what was asked for it.
    watches: BTreeMap<RoomId, (u64, Watch)>,
    /// The room, the number, and whether the replica has caught up.
    asking: JoinSet<(RoomId, u64, bool)>,
}

/// The message in the making, and where messages go.
pub(crate) struct Outbox {
    sender: mpsc::Sender<Result<Downlink, Status>>,
    down: Downlink,
    bytes: usize,
}

/// The reader is gone, or as good as gone.
struct Gone;

impl Outbox {
    pub(crate) fn new(sender: mpsc::Sender<Result<Downlink, Status>>) -> Self {
        Outbox { sender, down: Downlink::default(), bytes: 0 }
    }

    /// Adds an update; a message that has grown large goes at once.
    async fn push(&mut self, update: Update) -> Result<(), Gone> {
        self.bytes += update.encoded_len();
        self.down.updates.push(update);
        if self.bytes >= DOWNLINK_BYTES { self.send().await } else { Ok(()) }
    }

    /// Adds what a player was told, likewise.
    async fn tell(&mut self, told: Told) -> Result<(), Gone> {
        metrics::counter!("hangraft_notices_told_total").increment(told.notices.len() as u64);
        self.bytes += told.encoded_len();
        self.down.told.push(told);
        let full = self.bytes >= DOWNLINK_BYTES || self.down.told.len() >= TOLD_MAX;
        if full { self.send().await } else { Ok(()) }
    }

    /// Sends what there is, if anything.
    async fn send(&mut self) -> Result<(), Gone> {
        if is_empty(&self.down) {
            return Ok(());
        }
        self.bytes = 0;
        let down = Ok(std::mem::take(&mut self.down));
        match timeout(STALL_MAX, self.sender.send(down)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }
}

/// What wakes the task.
enum Input {
    Uplink(Result<Option<Uplink>, Status>),
    AnswerSender(Vec<Answer>),
    Moment(Option<Arc<Moment>>),
    Sure(RoomId, u64, bool),
    /// Whether this replica has caught up, for followed players.
    CaughtUp(bool),
    Sight(Sight),
    Standing,
}

impl Link {
    /// Runs until either side ends the stream.
    pub(crate) async fn run(mut self, mut uplinks: Streaming<Uplink>) {
        let (answers, mut answered) = mpsc::unbounded_channel();
        self.out.down.standing = Some(self.standing());
        loop {
            if self.out.send().await.is_err() {
                return;
            }
            let input = tokio::select! {
                uplink = uplinks.message() => Input::Uplink(uplink),
                Some(answers) = answered.recv() => Input::AnswerSender(answers),
                moment = self.subscription.next() => Input::Moment(moment),
                Some(Ok((room, number, caught_up))) = self.unsure.asking.join_next() => {
                    Input::Sure(room, number, caught_up)
                }
                caught_up = self.follows.caught_up() => Input::CaughtUp(caught_up),
                sight = self.glance.next() => Input::Sight(sight),
                Ok(()) = self.leadership.changed() => Input::Standing,
                Ok(()) = self.draining.changed() => Input::Standing,
            };
            let done = match input {
                Input::Uplink(Ok(Some(uplink))) => self.on_uplink(uplink, &answers).await,
                Input::Sure(room, number, caught_up) => self.on_sure(room, number, caught_up).await,
                Input::Uplink(Ok(None) | Err(_)) => return,
                Input::AnswerSender(answers) => {
                    self.out.down.answers.extend(answers);
                    Ok(())
                }
                Input::Moment(Some(moment)) => self.on_moment(&moment).await,
                Input::Moment(None) => Ok(()),
                Input::CaughtUp(caught_up) => self.on_caught_up(caught_up).await,
                Input::Sight(sight) => {
                    self.show(sight);
                    Ok(())
                }
                Input::Standing => {
                    self.out.down.standing = Some(self.standing());
                    Ok(())
                }
            };
            if done.is_err() || self.gather(&mut answered).await.is_err() {
                return;
            }
        }
    }

    /// Adds what else is ready.
    async fn gather(
        &mut self,
        answered: &mut mpsc::UnboundedReceiver<Vec<Answer>>,
    ) -> Result<(), Gone> {
        while let Ok(answers) = answered.try_recv() {
            self.out.down.answers.extend(answers);
        }
        if self.subscription.take_lagged() {
            self.look_anew().await?;
        }
        while self.out.down.updates.len() < UPDATES_MAX
            && let Some(moment) = self.subscription.try_next()
        {
            self.on_moment(&moment).await?;
        }
        for player in self.subscription.take_news() {
            self.tell(player).await?;
        }
        Ok(())
    }

    fn standing(&mut self) -> hangraft_proto::v1::Standing {
        let draining = *self.draining.borrow_and_update();
        let leadership = self.leadership.borrow_and_update();
        let standing = convert::standing(self.me, self.replica.cluster(), &leadership, draining);
        let epoch = self.replica.epoch();
        hangraft_proto::v1::Standing { epoch, ..standing }
    }

    async fn on_uplink(&mut self, uplink: Uplink, answers: &AnswerSender) -> Result<(), Gone> {
        if !uplink.commands.is_empty() {
            self.desk.take(uplink.commands, self.arrival, answers);
        }
        for watch in uplink.watches {
            self.on_watch(watch, Knowledge::Perhaps).await?;
        }
        for Unwatch { room } in uplink.unwatches {
            self.unsure.watches.remove(&RoomId(room));
            self.looking.remove(&RoomId(room));
            self.subscription.unwatch(RoomId(room));
        }
        for follow in uplink.follows {
            self.on_follow(follow).await?;
        }
        for Unfollow { player } in uplink.unfollows {
            self.follows.end(PlayerId(player));
            self.subscription.unfollow(PlayerId(player));
        }
        if let Some(glance) = uplink.glance {
            self.glance.look_at(glance);
        }
        Ok(())
    }

    async fn on_follow(&mut self, follow: Follow) -> Result<(), Gone> {
        let player = PlayerId(follow.player);
        if !self.follows.begin(&follow) {
            return Ok(());
        }
        // First subscribe, then look: nothing falls in between.
        self.subscription.follow(player);
        self.tell(player).await
    }

    /// Sends what a player was told and this stream has not heard.
    async fn tell(&mut self, player: PlayerId) -> Result<(), Gone> {
        let Some(since) = self.follows.since(player) else { return Ok(()) };
        let told = self.machine.with_lobby(|lobby| lobby.notices_after(player, since));
        match self.follows.take(player, told) {
            Said::Told(told) => self.out.tell(told).await,
            Said::Nothing => Ok(()),
            Said::Unsure => {
                self.follows.make_sure(&self.replica);
                Ok(())
            }
        }
    }

    async fn on_caught_up(&mut self, caught_up: bool) -> Result<(), Gone> {
        for player in self.follows.on_caught_up(caught_up) {
            self.tell(player).await?;
        }
        self.follows.make_sure(&self.replica);
        Ok(())
    }

    fn show(&mut self, sight: Sight) {
        match sight {
            Sight::Seeks => self.out.down.seeks = Some(self.glance.seeks(&self.replica)),
            Sight::Live => self.out.down.live = Some(self.glance.live(&self.replica)),
        }
    }

    async fn on_watch(&mut self, watch: Watch, knowledge: Knowledge) -> Result<(), Gone> {
        let id = RoomId(watch.room);
        // What was asked for an earlier watch of the room says nothing of this one.
        self.unsure.watches.remove(&id);
        if self.looking.len() >= WATCHES_MAX && !self.looking.contains_key(&id) {
            self.refuse(watch.room, Code::Busy, "too many rooms are watched");
            return Ok(());
        }
        // First subscribe, then look: nothing falls in between.
        self.subscription.watch(id, watch.steps);
        let Some(room) = self.machine.room(id) else {
            self.looking.remove(&id);
            self.subscription.unwatch(id);
            match self.archived(watch.room).await {
                Some(update) => self.out.push(update).await?,
                None if knowledge == Knowledge::Perhaps => self.make_sure(watch),
                None => self.refuse(watch.room, Code::NoSuchRoom, "there is no such room"),
            }
            return Ok(());
        };
        self.subscription.have_read(&room);
        let players = watch.players.into_iter().map(PlayerId).collect();
        let looking = Looking { players, sent: room.version(), steps: watch.steps };
        match self.missed(&room, watch.since.map(Version), &looking) {
            Some(missed) => {
                for update in missed {
                    self.out.push(update).await?;
                }
            }
            None => {
                let (ask, age_ms) = (Some(watch.ask), self.age_ms(room.made_ms()));
                let answer = Update { ask, age_ms, ..looking.whole(&room) };
                self.out.push(answer).await?;
            }
        }
        self.looking.insert(id, looking);
        Ok(())
    }

    /// What somebody has missed who has version `since`, if all of it is still here.
    fn missed(
        &self,
        room: &Room,
        since: Option<Version>,
        looking: &Looking,
    ) -> Option<Vec<Update>> {
        let missed = self.subscription.after(room.id(), since?, room.version())?;
        let update = |moment: &Arc<Moment>| {
            let age_ms = self.age_ms(moment.made_ms);
            Some(Update { age_ms, ..looking.next(moment)? })
        };
        missed.iter().map(update).collect()
    }

    /// Catches up with what is committed, beside the stream, and looks again then: a
    /// replica that has just started would deny rooms that are played in.
    fn make_sure(&mut self, watch: Watch) {
        let id = RoomId(watch.room);
        if self.unsure.asking.len() >= UNSURE_MAX {
            return self.refuse(watch.room, Code::Busy, "too many unknown rooms are asked for");
        }
        self.unsure.asked += 1;
        let (number, replica) = (self.unsure.asked, self.replica.clone());
        self.unsure.watches.insert(id, (number, watch));
        self.unsure.asking.spawn(async move { (id, number, replica.linearizable().await.is_ok()) });
    }

    async fn on_sure(&mut self, id: RoomId, number: u64, caught_up: bool) -> Result<(), Gone> {
        // An unwatch or a newer watch may have come meanwhile.
        if self.unsure.watches.get(&id).is_none_or(|(newest, _)| *newest != number) {
            return Ok(());
        }
        let (_, watch) = self.unsure.watches.remove(&id).expect("just seen");
        if caught_up || self.machine.room(id).is_some() {
            return self.on_watch(watch, Knowledge::Sure).await;
        }
        self.refuse(watch.room, Code::NoQuorum, "this replica cannot catch up just now");
        Ok(())
    }

    fn refuse(&mut self, room: u64, code: Code, why: &str) {
        self.out.down.watch_refused.push(refused(room, code, why));
    }

    /// The last view of a room that has left the lobby.
    async fn archived(&self, room: u64) -> Option<Update> {
        let finished = self.replica.finished().get(RoomId(room)).await.ok()??;
        let (version, view) = convert::last_view(finished);
        Some(Update {
            room,
            version,
            view,
            events: nothing(),
            resync: true,
            closed: true,
            ..Update::default()
        })
    }

    async fn on_moment(&mut self, moment: &Moment) -> Result<(), Gone> {
        let id = moment.room;
        let Some(looking) = self.looking.get_mut(&id) else { return Ok(()) };
        if moment.version <= looking.sent {
            return Ok(());
        }
        let next = moment.version == looking.sent.next();
        let update = if next { looking.next(moment) } else { None };
        // Something was left out. A room that has left meanwhile says so with its last view.
        let whole = || self.machine.room(id).map(|room| looking.whole(&room));
        let update = update.or_else(whole).or_else(|| looking.last(moment));
        let Some(update) = update else { return Ok(()) };
        looking.sent = Version(update.version);
        if moment.closed {
            self.looking.remove(&id);
            self.subscription.unwatch(id);
        }
        self.out.push(update).await
    }

    fn age_ms(&self, made_ms: u64) -> u64 {
        self.replica.age_of(made_ms).as_millis() as u64
    }

    /// Sends whole views of everything that has moved on: changes were left out.
    async fn look_anew(&mut self) -> Result<(), Gone> {
        let mut gone = Vec::new();
        for (id, looking) in &mut self.looking {
            match self.machine.room(*id) {
                Some(room) if room.version() > looking.sent => {
                    looking.sent = room.version();
                    self.out.push(looking.whole(&room)).await?;
                }
                Some(_) => {}
                None => gone.push(*id),
            }
        }
        for id in gone {
            self.looking.remove(&id);
            self.subscription.unwatch(id);
            self.refuse(id.0, Code::NoSuchRoom, "this room has left the lobby");
        }
        Ok(())
    }
}

fn is_empty(down: &Downlink) -> bool {
    down.answers.is_empty()
        && down.updates.is_empty()
        && down.watch_refused.is_empty()
        && down.standing.is_none()
        && down.told.is_empty()
        && down.seeks.is_none()
        && down.live.is_none()
}

fn refused(room: u64, code: Code, why: &str) -> WatchRefused {
    WatchRefused { room, refused: Some(convert::refused(code, why.to_owned())) }
}
