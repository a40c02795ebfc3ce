//! From applied changes to those who watch.
//!
//! After each applied command the state machine hands the changed room to the feed,
//! if anyone here watches it. The feed keeps the last versions of each watched
//! room, and wakes the streams that watch. A view is rendered when the first stream
//! asks for it, once per version and audience, and shared by all.
//!
//! The feed sees only what has been applied, and only what is committed is applied:
//! nothing reaches a player before a majority has stored it.

use bytes::Bytes;
use hangraft_game::{Audience, Change, Event, PlayerId, Room, RoomId, Version, events_json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use tokio::sync::{Notify, mpsc};

/// Versions of a watched room kept for those who come back. Someone further
/// behind gets the whole view.
const HISTORY_MAX: usize = 64;

/// Changes queued for one stream. A stream that falls further behind skips to
/// whole views of what it watches.
const MAILBOX_MAX: usize = 8_192;

/// One version of one room, as those who watch will see it.
pub(crate) struct Moment {
    pub(crate) room: Arc<Room>,
    pub(crate) version: Version,
    pub(crate) closed: bool,
    events: Vec<Event>,
    gallery: OnceLock<Bytes>,
    events_text: OnceLock<Bytes>,
    private: Mutex<BTreeMap<Audience, Bytes>>,
}

impl Moment {
    pub(crate) fn new(room: Arc<Room>, change: Change) -> Self {
        Moment {
            room,
            version: change.version,
            closed: change.closed,
            events: change.events,
            gallery: OnceLock::new(),
            events_text: OnceLock::new(),
            private: Mutex::default(),
        }
    }

    /// A room as it is, with nothing said of how it came to be so.
    pub(crate) fn whole(room: Arc<Room>) -> Self {
        Moment::new(
            room.clone(),
            Change {
                room: room.id(),
                version: room.version(),
                events: Vec::new(),
                closed: false,
                last: None,
            },
        )
    }

    /// The view for everybody who knows nothing special.
    pub(crate) fn gallery(&self) -> Bytes {
        planted!(SecretShown => return crate::planted::secret_view(&self.room));
        self.gallery.get_or_init(|| self.room.view(None).into()).clone()
    }

    /// The view for one player, if it differs from the gallery's.
    pub(crate) fn private(&self, player: PlayerId) -> Option<Bytes> {
        let audience = self.room.audience(Some(player));
        if audience == Audience::GALLERY {
            return None;
        }
        let mut private = self.private.lock().expect("rendering does not panic");
        Some(private.entry(audience).or_insert_with(|| self.room.view(Some(player)).into()).clone())
    }

    /// What happened, as JSON.
    pub(crate) fn events(&self) -> Bytes {
        self.events_text.get_or_init(|| events_json(&self.events).into()).clone()
    }
}

/// The feed of one replica. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Feed(Arc<Mutex<Rooms>>);

/// The watched rooms, held by the state machine for as long as it applies a batch:
/// whoever registers a watch does so before or after the batch, never within.
pub(crate) struct Publisher<'a>(MutexGuard<'a, Rooms>);

#[derive(Default)]
struct Rooms {
    watched: BTreeMap<RoomId, Watched>,
    next_watcher: u64,
}

#[derive(Default)]
struct Watched {
    /// The last versions in order, without a gap.
    history: VecDeque<Arc<Moment>>,
    watchers: BTreeMap<u64, Mailbox>,
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
        let mut rooms = self.lock();
        rooms.next_watcher += 1;
        Subscription {
            feed: self.clone(),
            id: rooms.next_watcher,
            rooms: BTreeSet::new(),
            mailbox: Mailbox { moments: sender, lagged },
            moments,
        }
    }

    /// How many streams here watch the room.
    pub(crate) fn watchers(&self, room: RoomId) -> u32 {
        let rooms = self.lock();
        let count = rooms.watched.get(&room).map_or(0, |watched| watched.watchers.len());
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Opens the feed for publishing.
    pub(crate) fn publisher(&self) -> Publisher<'_> {
        Publisher(self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Rooms> {
        self.0.lock().expect("no panic happens under the feed's lock")
    }
}

impl Publisher<'_> {
    pub(crate) fn is_watched(&self, room: RoomId) -> bool {
        self.0.watched.contains_key(&room)
    }

    /// Hands a change to all who watch the room.
    pub(crate) fn publish(&mut self, moment: Moment) {
        let id = moment.room.id();
        let Some(watched) = self.0.watched.get_mut(&id) else { return };
        let moment = Arc::new(moment);
        watched.history.push_back(moment.clone());
        if watched.history.len() > HISTORY_MAX {
            watched.history.pop_front();
        }
        for mailbox in watched.watchers.values() {
            if mailbox.moments.try_send(moment.clone()).is_err() {
                mailbox.lagged.set();
            }
        }
        if moment.closed {
            self.0.watched.remove(&id);
        }
    }

    /// The lobby was replaced by a snapshot: versions were skipped, so histories
    /// end and everybody looks anew.
    pub(crate) fn restart(&mut self) {
        for watched in self.0.watched.values_mut() {
            watched.history.clear();
            for mailbox in watched.watchers.values() {
                mailbox.lagged.set();
            }
        }
    }
}

/// One stream's part of the feed; dropped, it watches nothing any more.
pub(crate) struct Subscription {
    feed: Feed,
    id: u64,
    rooms: BTreeSet<RoomId>,
    mailbox: Mailbox,
    moments: mpsc::Receiver<Arc<Moment>>,
}

impl Subscription {
    /// Watches a room from now on. Read the room after this call, and nothing
    /// falls in between.
    pub(crate) fn watch(&mut self, room: RoomId) {
        let mut rooms = self.feed.lock();
        rooms.watched.entry(room).or_default().watchers.insert(self.id, self.mailbox.clone());
        drop(rooms);
        self.rooms.insert(room);
    }

    /// Stops watching a room.
    pub(crate) fn unwatch(&mut self, room: RoomId) {
        self.rooms.remove(&room);
        self.leave(room);
    }

    fn leave(&self, room: RoomId) {
        let mut rooms = self.feed.lock();
        if let Some(watched) = rooms.watched.get_mut(&room) {
            watched.watchers.remove(&self.id);
            if watched.watchers.is_empty() {
                let forgotten = rooms.watched.remove(&room);
                drop(rooms);
                forget(forgotten);
            }
        }
    }

    /// The versions after `since` up to the newest, if all of them are remembered.
    pub(crate) fn after(
        &self,
        room: RoomId,
        since: Version,
        newest: Version,
    ) -> Option<Vec<Arc<Moment>>> {
        let rooms = self.feed.lock();
        let history = &rooms.watched.get(&room)?.history;
        let after: Vec<_> = history
            .iter()
            .filter(|moment| moment.version > since && moment.version <= newest)
            .cloned()
            .collect();
        (after.len() as u64 == newest.0.checked_sub(since.0)?).then_some(after)
    }

    /// The next change of a watched room; `None` when [`Self::take_lagged`] has news.
    pub(crate) async fn next(&mut self) -> Option<Arc<Moment>> {
        tokio::select! {
            moment = self.moments.recv() => moment,
            () = self.mailbox.lagged.bell.notified() => None,
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
    }
}
