//! What waits to be told to one socket: a queue with an end.
//!
//! The hub and the cluster put things in and never wait; the socket's task takes
//! them out. A socket that does not keep up fills its queue, and from then on it
//! only hears that it was too slow. Nobody else notices.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use hangraft_ids::{NoticeNumber, RoomId, Version};
use serde_json::value::RawValue;
use tokio::sync::{Notify, mpsc};

use crate::{
    command::{Outcome, Refusal},
    message::Text,
};

/// Things waiting for one socket; one more, and it is closed as too slow.
const MAIL_MAX: usize = 256;
/// Bytes waiting for one socket; more, and it is closed as too slow.
const MAIL_BYTES_MAX: usize = 1 << 20;

/// What was looked up, as JSON, or why it was not.
pub(crate) type Found = Result<Arc<RawValue>, Refusal>;

/// A session's own name for something it asked; what comes back says it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Tag(pub(crate) u64);

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A socket, counted in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SocketId(pub(crate) u64);

/// Something a session should hear. `tag` is the session's own name for what it asked.
#[derive(Clone, Debug)]
pub(crate) enum Mail {
    Answer {
        tag: Tag,
        outcome: Outcome,
    },
    Found {
        tag: Tag,
        found: Found,
    },
    /// The watch has begun; `missed` brings the watcher to `version`.
    Watching {
        tag: Tag,
        room: RoomId,
        version: Version,
        /// How long ago that version was made.
        age: Duration,
        missed: Vec<Text>,
    },
    WatchRefused {
        tag: Tag,
        room: RoomId,
        refusal: Refusal,
    },
    View {
        room: RoomId,
        text: Text,
    },
    /// The room's last view.
    Closed {
        room: RoomId,
        text: Text,
    },
    /// The player is followed; `missed` are those of their notices that were asked for,
    /// up to this number.
    Following {
        tag: Tag,
        number: NoticeNumber,
        missed: Vec<Text>,
    },
    FollowRefused {
        tag: Tag,
        refusal: Refusal,
    },
    /// The player was told something.
    Notice {
        text: Text,
    },
}

impl Mail {
    /// How many views it holds.
    pub(crate) fn views(&self) -> usize {
        match self {
            Self::View { .. } | Self::Closed { .. } => 1,
            Self::Watching { missed, .. } => missed.len(),
            _ => 0,
        }
    }

    /// How many notices it holds.
    pub(crate) fn notices(&self) -> usize {
        match self {
            Self::Notice { .. } => 1,
            Self::Following { missed, .. } => missed.len(),
            _ => 0,
        }
    }

    /// Bytes that will go to the socket, views and their like.
    fn weight(&self) -> usize {
        match self {
            Self::View { text, .. } | Self::Closed { text, .. } | Self::Notice { text } => {
                text.len()
            }
            Self::Watching { missed, .. } | Self::Following { missed, .. } => {
                missed.iter().map(Text::len).sum()
            }
            Self::Found { found, .. } => found.as_ref().map_or(0, |raw| raw.get().len()),
            Self::Answer { .. } | Self::WatchRefused { .. } | Self::FollowRefused { .. } => 0,
        }
    }
}

/// Where to put mail for one session. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Mailbox {
    sender: mpsc::Sender<Mail>,
    shared: Arc<Shared>,
}

/// The session's end.
#[derive(Debug)]
pub(crate) struct Inbox {
    receiver: mpsc::Receiver<Mail>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    bytes: AtomicUsize,
    overflowed: AtomicBool,
    overflow: Notify,
}

/// A new queue.
pub(crate) fn mailbox() -> (Mailbox, Inbox) {
    let (sender, receiver) = mpsc::channel(MAIL_MAX);
    let shared = Arc::new(Shared::default());
    (Mailbox { sender, shared: shared.clone() }, Inbox { receiver, shared })
}

impl Mailbox {
    /// Puts something in; says whether anybody will still read it.
    pub(crate) fn put(&self, mail: Mail) -> bool {
        if self.shared.overflowed.load(Ordering::Relaxed) {
            return false;
        }
        let weight = mail.weight();
        let before = self.shared.bytes.fetch_add(weight, Ordering::Relaxed);
        // One thing alone may be larger than the limit: it is all there is.
        let fits = before == 0 || before + weight <= MAIL_BYTES_MAX;
        match self.sender.try_send(mail) {
            Ok(()) if fits => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false,
            Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => {
                self.shared.overflowed.store(true, Ordering::Relaxed);
                // One task waits; a permit is kept when it does not wait yet.
                self.shared.overflow.notify_one();
                false
            }
        }
    }

    /// How many things wait in it.
    fn waiting(&self) -> usize {
        self.sender.max_capacity() - self.sender.capacity()
    }
}

/// The queues of all open sockets, by session, for whoever wants to know how full they
/// are. Putting and taking know nothing of it.
#[derive(Debug, Default)]
pub(crate) struct Queues(Mutex<HashMap<SocketId, Mailbox>>);

impl Queues {
    pub(crate) fn enter(&self, session: SocketId, mailbox: Mailbox) {
        self.lock().insert(session, mailbox);
    }

    pub(crate) fn leave(&self, session: SocketId) {
        self.lock().remove(&session);
    }

    /// How many things wait in all of them, and in the fullest.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let queues = self.lock();
        let waiting = queues.values().map(Mailbox::waiting);
        waiting.fold((0, 0), |(all, most), one| (all + one, most.max(one)))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SocketId, Mailbox>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox {
    /// Everything waiting, at least one thing; nothing once all mailboxes are gone.
    pub(crate) async fn take(&mut self, into: &mut Vec<Mail>) -> usize {
        let count = self.receiver.recv_many(into, MAIL_MAX).await;
        let weight: usize = into.iter().map(Mail::weight).sum();
        self.shared.bytes.fetch_sub(weight, Ordering::Relaxed);
        count
    }

    /// Waits until the queue has overflowed.
    pub(crate) fn overflow(&self) -> Overflow {
        Overflow(self.shared.clone())
    }
}

/// The news that a queue has overflowed; does not borrow the queue.
#[derive(Debug)]
pub(crate) struct Overflow(Arc<Shared>);

impl Overflow {
    /// Waits for it.
    pub(crate) async fn wait(&self) {
        while !self.0.overflowed.load(Ordering::Relaxed) {
            self.0.overflow.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(bytes: usize) -> Mail {
        Mail::View { room: RoomId(1), text: "x".repeat(bytes).into() }
    }

    /// Someone who reads may be sent any number of things.
    #[tokio::test]
    async fn a_reader_never_overflows() {
        let (mailbox, mut inbox) = mailbox();
        let mut taken = Vec::new();
        for _ in 0..100 {
            assert!((0..100).all(|_| mailbox.put(view(1000))));
            taken.clear();
            assert_eq!(inbox.take(&mut taken).await, 100);
        }
    }

    /// Whoever asks hears how full the queues of open sockets are.
    #[tokio::test]
    async fn queues_say_how_full_they_are() {
        let queues = Queues::default();
        let (slow, mut inbox) = mailbox();
        let (quick, _other) = mailbox();
        queues.enter(SocketId(1), slow.clone());
        queues.enter(SocketId(2), quick.clone());
        assert!((0..5).all(|_| slow.put(view(1))) && quick.put(view(1)));
        assert_eq!(queues.waiting(), (6, 5));
        inbox.take(&mut Vec::new()).await;
        assert_eq!(queues.waiting(), (1, 1));
        queues.leave(SocketId(2));
        assert_eq!(queues.waiting(), (0, 0));
    }

    /// Too many things, or too much, ends it for good; the task is told.
    #[tokio::test]
    async fn a_queue_has_an_end() {
        for (bytes, fits) in [(1, MAIL_MAX), (MAIL_BYTES_MAX / 4, 4), (2 * MAIL_BYTES_MAX, 1)] {
            let (mailbox, mut inbox) = mailbox();
            assert_eq!((0..1000).take_while(|_| mailbox.put(view(bytes))).count(), fits);
            inbox.overflow().wait().await;
            inbox.take(&mut Vec::new()).await;
            assert!(!mailbox.put(view(1)), "there is no way back");
        }
    }
}
