//! What waits to be told to one socket: a queue with an end.
//!
//! The hub and the cluster put things in and never wait; the socket's task takes
//! them out. A socket that does not keep up fills its queue, and from then on it
//! only hears that it was too slow. Nobody else notices.
//!
//! What all sockets are told at once, such as that the frontend drains, is [called](Call)
//! through their mailboxes too, so that each task waits in one place: with ten thousand
//! sockets, every further thing that a task waits for is looked at ten thousand times.

use std::{
    collections::HashMap,
    fmt,
    future::poll_fn,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

use hangraft_ids::{NoticeNumber, RoomId, Version};
use serde_json::value::RawValue;

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

/// What a socket is told at once beside its mail, whatever waits there. Said twice it is
/// said once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// The frontend stops.
    Stop = 1,
    /// Its place is needed.
    Leave = 2,
    /// It has not kept up with its mail.
    Overflow = 4,
    /// The frontend drains.
    Drain = 8,
    /// The way to the cluster is another.
    Status = 16,
}

/// Calls that end a socket, whatever it is doing; of several the first here is what it hears.
const ENDS: [Call; 3] = [Call::Stop, Call::Leave, Call::Overflow];

/// Calls that were made and not yet heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls(u8);

/// Where to put mail for one session. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Mailbox(Arc<Mutex<Queue>>);

/// The session's end.
#[derive(Debug)]
pub(crate) struct Inbox(Arc<Mutex<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    mail: Vec<Mail>,
    bytes: usize,
    calls: Calls,
    /// It has overflowed; there is no way back.
    overflowed: bool,
    /// Nobody reads it any more.
    closed: bool,
    reader: Option<Waker>,
}

/// A new queue.
pub(crate) fn mailbox() -> (Mailbox, Inbox) {
    let queue = Arc::default();
    (Mailbox(Arc::clone(&queue)), Inbox(queue))
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    // A panic elsewhere leaves nothing half done here.
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Calls {
    pub(crate) fn has(self, call: Call) -> bool {
        self.0 & call as u8 != 0
    }

    fn add(&mut self, call: Call) {
        self.0 |= call as u8;
    }

    /// One of those that end a socket.
    pub(crate) fn end(self) -> Option<Call> {
        ENDS.into_iter().find(|call| self.has(*call))
    }
}

impl Mailbox {
    /// Puts something in; says whether anybody will still read it.
    pub(crate) fn put(&self, mail: Mail) -> bool {
        self.put_in(mail, Wake::Now)
    }

    /// Puts something in that is read together with what comes next, or when somebody
    /// [rings](Self::ring).
    pub(crate) fn put_quietly(&self, mail: Mail) -> bool {
        self.put_in(mail, Wake::Later)
    }

    /// Wakes who reads, if there is anything to read.
    pub(crate) fn ring(&self) {
        let mut queue = lock(&self.0);
        let reader = if queue.mail.is_empty() { None } else { queue.reader.take() };
        drop(queue);
        reader.into_iter().for_each(Waker::wake);
    }

    /// Tells the socket something at once.
    pub(crate) fn call(&self, call: Call) {
        let mut queue = lock(&self.0);
        queue.calls.add(call);
        let reader = queue.reader.take();
        drop(queue);
        reader.into_iter().for_each(Waker::wake);
    }

    fn put_in(&self, mail: Mail, wake: Wake) -> bool {
        let weight = mail.weight();
        let mut queue = lock(&self.0);
        if queue.overflowed || queue.closed {
            return false;
        }
        // One thing alone may be larger than the limit: it is all there is.
        let fits = queue.bytes == 0 || queue.bytes + weight <= MAIL_BYTES_MAX;
        let fits = fits && queue.mail.len() < MAIL_MAX;
        if fits {
            queue.bytes += weight;
            queue.mail.push(mail);
        } else {
            queue.overflowed = true;
            queue.calls.add(Call::Overflow);
        }
        let reader = if fits && wake == Wake::Later { None } else { queue.reader.take() };
        drop(queue);
        reader.into_iter().for_each(Waker::wake);
        fits
    }

    /// How many things wait in it.
    fn waiting(&self) -> usize {
        lock(&self.0).mail.len()
    }
}

/// When who reads is woken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wake {
    Now,
    Later,
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

    /// Tells all of them something at once.
    pub(crate) fn call_all(&self, call: Call) {
        self.lock().values().for_each(|mailbox| mailbox.call(call));
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
    /// Waits until there is something to read or to hear, and takes none of it.
    pub(crate) async fn ready(&mut self) {
        self.wait_for(|queue| !queue.mail.is_empty() || queue.calls != Calls::default()).await;
    }

    /// Everything that waits, and what was called since.
    pub(crate) fn take(&mut self) -> (Vec<Mail>, Calls) {
        let mut queue = lock(&self.0);
        queue.bytes = 0;
        (mem::take(&mut queue.mail), mem::take(&mut queue.calls))
    }

    /// Waits for a call that ends the socket. It stays to be taken.
    pub(crate) async fn end(&mut self) -> Call {
        self.wait_for(|queue| queue.calls.end().is_some()).await;
        lock(&self.0).calls.end().expect("waited for just now")
    }

    async fn wait_for(&mut self, there: impl Fn(&Queue) -> bool) {
        poll_fn(|cx| {
            let mut queue = lock(&self.0);
            if there(&queue) {
                return Poll::Ready(());
            }
            match &mut queue.reader {
                Some(reader) => reader.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
            Poll::Pending
        })
        .await;
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let mut queue = lock(&self.0);
        queue.closed = true;
        (queue.mail, queue.reader) = (Vec::new(), None);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        sync::atomic::{AtomicUsize, Ordering},
        task::{Context, Wake},
    };

    use super::*;

    fn view(bytes: usize) -> Mail {
        Mail::View { room: RoomId(1), text: "x".repeat(bytes).into() }
    }

    /// Someone who reads may be sent any number of things.
    #[test]
    fn a_reader_never_overflows() {
        let (mailbox, mut inbox) = mailbox();
        for _ in 0..100 {
            assert!((0..100).all(|_| mailbox.put(view(1000))));
            assert_eq!(inbox.take().0.len(), 100);
        }
        drop(inbox);
        assert!(!mailbox.put(view(1)), "nobody reads it any more");
    }

    /// Counts how often it is woken.
    #[derive(Default)]
    struct Reader(AtomicUsize);

    impl Wake for Reader {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Who waits is woken by what is put in, by a call and by a ring, and not by what is put
    /// in quietly: that is read with what comes next.
    #[test]
    fn a_quiet_letter_waits_for_company() {
        let (mailbox, mut inbox) = mailbox();
        let reader = Arc::new(Reader::default());
        let mut wakes = |deliver: &[&dyn Fn()]| {
            let waker = Waker::from(reader.clone());
            let waits = pin!(inbox.ready()).poll(&mut Context::from_waker(&waker)).is_pending();
            assert!(waits, "nothing was left");
            let before = reader.0.load(Ordering::Relaxed);
            deliver.iter().for_each(|deliver| deliver());
            let (mail, calls) = inbox.take();
            (reader.0.load(Ordering::Relaxed) - before, mail.len(), calls.0)
        };
        let quietly = || _ = mailbox.put_quietly(view(1));
        let (put, ring) = (|| _ = mailbox.put(view(1)), || mailbox.ring());
        assert_eq!(wakes(&[&ring]), (0, 0, 0), "there is nothing to read");
        assert_eq!(wakes(&[&quietly, &quietly]), (0, 2, 0));
        assert_eq!(wakes(&[&quietly, &ring]), (1, 1, 0));
        assert_eq!(wakes(&[&quietly, &put]), (1, 2, 0));
        assert_eq!(wakes(&[&|| mailbox.call(Call::Drain)]), (1, 0, Call::Drain as u8));
    }

    /// Whoever asks hears how full the queues of open sockets are.
    #[test]
    fn queues_say_how_full_they_are() {
        let queues = Queues::default();
        let (slow, mut inbox) = mailbox();
        let (quick, _other) = mailbox();
        queues.enter(SocketId(1), slow.clone());
        queues.enter(SocketId(2), quick.clone());
        assert!((0..5).all(|_| slow.put(view(1))) && quick.put(view(1)));
        assert_eq!(queues.waiting(), (6, 5));
        inbox.take();
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
            assert_eq!(inbox.end().await, Call::Overflow);
            assert!(inbox.take().1.has(Call::Overflow));
            assert!(!mailbox.put(view(1)), "there is no way back");
        }
    }
}
