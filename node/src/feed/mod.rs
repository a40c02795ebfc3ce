//! From applied changes to those who watch.
//!
//! After each applied command the state machine hands the changed room to the feed,
//! if anyone here watches it. The feed keeps the last versions of each watched
//! room, and wakes the streams that watch. What has changed is rendered when the first
//! stream asks for it, once per version and audience, and shared by all: see [`Moment`].
//!
//! Streams also follow players, and look at what there is to see of the whole lobby. What
//! these are shown is read from the lobby; the feed only wakes them.
//!
//! The feed sees only what has been applied, and only what is committed is applied:
//! nothing reaches a player before a majority has stored it.

mod moment;
mod players;
mod sights;

pub(crate) use moment::{Moment, Step, gallery_of};
pub(crate) use sights::Revision;

use hangraft_game::{Change, Lobby, PlayerId, Room, RoomId, Version};
use players::{Followers, News};
use sights::Sight;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::{Notify, mpsc, watch};

/// Versions of a watched room kept for those who come back. Someone further
/// behind gets the whole view.
const HISTORY_MAX: usize = 64;

/// Changes queued for one stream. A stream that falls further behind skips to
/// whole views of what it watches.
const MAILBOX_MAX: usize = 8_192;

/// The feed of one replica. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Feed(Arc<Shared>);

#[derive(Default)]
struct Shared {
    streams: Mutex<Streams>,
    /// The open seeks.
    seeks: Sight,
    /// The numbers.
    live: Sight,
}

/// What streams watch and follow, held by the state machine for as long as it applies a
/// batch: whoever registers does so before or after the batch, never within.
pub(crate) struct Publisher<'a> {
    streams: MutexGuard<'a, Streams>,
    feed: &'a Shared,
}

#[derive(Default)]
struct Streams {
    watched: BTreeMap<RoomId, Watched>,
    followers: Followers,
    /// The number of the newest stream.
    newest: u64,
}

#[derive(Default)]
struct Watched {
    /// The last versions in order, without a gap.
    history: VecDeque<Arc<Moment>>,
    /// The newest version, from which the next one is a step.
    newest: Option<Arc<Room>>,
    watchers: BTreeMap<u64, Watcher>,
}

struct Watcher {
    mailbox: Mailbox,
    /// Steps are enough.
    steps: bool,
}

#[derive(Clone)]
struct Mailbox {
    moments: mpsc::Sender<Arc<Moment>>,
    lagged: Arc<Lagged>,
}

/// Set when a mailbox missed something, with a bell for who sleeps at it.
#[derive(Default)]
struct Lagged {
    flag: AtomicBool,
    bell: Notify,
}

impl Lagged {
    fn set(&self) {
        self.flag.store(true, Ordering::Release);
        self.bell.notify_one();
    }
}

impl Feed {
    /// A subscription that watches nothing yet.
    pub(crate) fn subscribe(&self) -> Subscription {
        let (sender, moments) = mpsc::channel(MAILBOX_MAX);
        let lagged = Arc::default();
        let mut streams = self.lock();
        streams.newest += 1;
        Subscription {
            feed: self.clone(),
            id: streams.newest,
            rooms: BTreeSet::new(),
            players: BTreeSet::new(),
            mailbox: Mailbox { moments: sender, lagged },
            moments,
            news: Arc::default(),
        }
    }

    /// Wakes who looks at the open seeks when they may have changed.
    pub(crate) fn seeks(&self) -> watch::Receiver<Revision> {
        self.0.seeks.subscribe()
    }

    /// The same for the numbers.
    pub(crate) fn live(&self) -> watch::Receiver<Revision> {
        self.0.live.subscribe()
    }

    /// How many players are followed here, counting each stream that does.
    pub(crate) fn follows(&self) -> usize {
        self.lock().followers.len()
    }

    /// How many streams here watch the room.
    pub(crate) fn watchers(&self, room: RoomId) -> u32 {
        let streams = self.lock();
        let count = streams.watched.get(&room).map_or(0, |watched| watched.watchers.len());
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Opens the feed for publishing.
    pub(crate) fn publisher(&self) -> Publisher<'_> {
        Publisher { streams: self.lock(), feed: &self.0 }
    }

    fn lock(&self) -> MutexGuard<'_, Streams> {
        self.0.streams.lock().expect("no panic happens under the feed's lock")
    }
}

impl Publisher<'_> {
    pub(crate) fn is_watched(&self, room: RoomId) -> bool {
        self.streams.watched.contains_key(&room)
    }

    /// Hands a change to all who watch the room.
    pub(crate) fn publish(&mut self, room: Arc<Room>, change: Change) {
        let id = room.id();
        let Some(watched) = self.streams.watched.get_mut(&id) else { return };
        let before = watched.newest.replace(room.clone());
        let whole = !watched.watchers.values().all(|watcher| watcher.steps);
        let moment = Arc::new(Moment::new(before, room, change, whole));
        watched.history.push_back(moment.clone());
        if watched.history.len() > HISTORY_MAX {
            watched.history.pop_front();
        }
        for Watcher { mailbox, .. } in watched.watchers.values() {
            if mailbox.moments.try_send(moment.clone()).is_err() {
                mailbox.lagged.set();
            }
        }
        if moment.closed {
            self.streams.watched.remove(&id);
        }
    }

    /// These players were told something, for who follows them.
    pub(crate) fn tell(&self, players: &BTreeSet<PlayerId>) {
        self.streams.followers.tell(players);
    }

    /// A batch was applied: wakes who looks at what it has changed.
    pub(crate) fn show(&self, lobby: &Lobby) {
        self.feed.seeks.note(lobby.seeks_changed());
        self.feed.live.note(lobby.live_changed());
    }

    /// The lobby was replaced by a snapshot: versions were skipped, so histories
    /// end and everybody looks anew.
    pub(crate) fn restart(&mut self) {
        for watched in self.streams.watched.values_mut() {
            watched.history.clear();
            watched.newest = None;
            for Watcher { mailbox, .. } in watched.watchers.values() {
                mailbox.lagged.set();
            }
        }
        self.streams.followers.tell_all();
        self.feed.seeks.restart();
        self.feed.live.restart();
    }
}

/// One stream's part of the feed; dropped, it watches nothing any more.
pub(crate) struct Subscription {
    feed: Feed,
    id: u64,
    rooms: BTreeSet<RoomId>,
    players: BTreeSet<PlayerId>,
    mailbox: Mailbox,
    moments: mpsc::Receiver<Arc<Moment>>,
    news: Arc<News>,
}

impl Subscription {
    /// Watches a room from now on, in steps if they are enough. Read the room after this
    /// call, and nothing falls in between.
    pub(crate) fn watch(&mut self, room: RoomId, steps: bool) {
        let mut streams = self.feed.lock();
        let watcher = Watcher { mailbox: self.mailbox.clone(), steps };
        streams.watched.entry(room).or_default().watchers.insert(self.id, watcher);
        drop(streams);
        self.rooms.insert(room);
    }

    /// The room as it was read after that: the next version can be a step from it.
    pub(crate) fn have_read(&self, room: &Arc<Room>) {
        if let Some(watched) = self.feed.lock().watched.get_mut(&room.id()) {
            watched.newest.get_or_insert_with(|| room.clone());
        }
    }

    /// Stops watching a room.
    pub(crate) fn unwatch(&mut self, room: RoomId) {
        self.rooms.remove(&room);
        self.leave(room);
    }

    fn leave(&self, room: RoomId) {
        let mut streams = self.feed.lock();
        if let Some(watched) = streams.watched.get_mut(&room) {
            watched.watchers.remove(&self.id);
            if watched.watchers.is_empty() {
                let forgotten = streams.watched.remove(&room);
                drop(streams);
                forget(forgotten);
            }
        }
    }

    /// Follows a player from now on. Read what they were told after this call, and nothing
    /// falls in between.
    pub(crate) fn follow(&mut self, player: PlayerId) {
        self.feed.lock().followers.enter(player, self.id, &self.news);
        self.players.insert(player);
    }

    /// Stops following a player.
    pub(crate) fn unfollow(&mut self, player: PlayerId) {
        self.players.remove(&player);
        self.feed.lock().followers.leave(player, self.id);
    }

    /// Followed players who may have been told something since the last call.
    pub(crate) fn take_news(&self) -> BTreeSet<PlayerId> {
        self.news.take()
    }

    /// The versions after `since` up to the newest, if all of them are remembered.
    pub(crate) fn after(
        &self,
        room: RoomId,
        since: Version,
        newest: Version,
    ) -> Option<Vec<Arc<Moment>>> {
        let streams = self.feed.lock();
        let history = &streams.watched.get(&room)?.history;
        let after: Vec<_> = history
            .iter()
            .filter(|moment| moment.version > since && moment.version <= newest)
            .cloned()
            .collect();
        (after.len() as u64 == newest.0.checked_sub(since.0)?).then_some(after)
    }

    /// The next change of a watched room; `None` when [`Self::take_lagged`] or
    /// [`Self::take_news`] has something.
    pub(crate) async fn next(&mut self) -> Option<Arc<Moment>> {
        tokio::select! {
            moment = self.moments.recv() => moment,
            () = self.mailbox.lagged.bell.notified() => None,
            () = self.news.rung() => None,
        }
    }

    /// One more change, if there is one already.
    pub(crate) fn try_next(&mut self) -> Option<Arc<Moment>> {
        self.moments.try_recv().ok()
    }

    /// Whether changes were left out since the last call; the caller then sends
    /// whole views.
    pub(crate) fn take_lagged(&self) -> bool {
        self.mailbox.lagged.flag.swap(false, Ordering::AcqRel)
    }
}

/// Lets a history go on a task of its own: it is many small pieces, and a stream
/// that leaves a thousand rooms at once has others to serve meanwhile.
fn forget(watched: Option<Watched>) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(async move { drop(watched) });
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        for room in std::mem::take(&mut self.rooms) {
            self.leave(room);
        }
        for player in std::mem::take(&mut self.players) {
            self.unfollow(player);
        }
    }
}
