//! A call's body, held to bounds while its messages are unfinished.
//!
//! gRPC says first how long a message is going to be, and the server keeps what has come
//! until it is whole. Whoever announces large messages and never finishes them would fill
//! the memory. So the announced bytes of an unfinished message are taken from budgets, of
//! its connection and of the node, and a message that is begun must be finished in time.

use hangraft_proto::MESSAGE_BYTES_MAX;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;
use tonic::Status;

/// What all unfinished messages to a node may be going to hold, in bytes. One more is
/// refused; its sender may send it again.
const NODE_BYTES_MAX: usize = 256 << 20;

/// The bytes before each message: whether it is compressed, and its length.
const HEAD_BYTES: usize = 5;

/// The largest message, with its head.
const LARGEST: usize = MESSAGE_BYTES_MAX + HEAD_BYTES;

/// The same for strangers, all together: two of the largest messages. Of them only nodes of
/// an earlier version have anything large to say, for as long as an upgrade takes.
const STRANGERS_BYTES_MAX: usize = 2 * LARGEST;

/// The same for one connection that has shown a token.
const MEMBER_BYTES_MAX: usize = 4 * LARGEST;

/// The same for one that has not.
const STRANGER_BYTES_MAX: usize = LARGEST;

/// All that a stranger says to a service that is open to strangers. A body that goes on is
/// refused.
const STRANGERS_BODY_BYTES_MAX: usize = 4 << 10;

/// A message that was begun is finished by then, or the call ends.
const MESSAGE_DEADLINE: Duration = Duration::from_secs(20);

/// The same for strangers, who must also have begun by then.
const STRANGERS_DEADLINE: Duration = Duration::from_secs(10);

/// What a node keeps for unfinished messages.
#[derive(Clone)]
pub(crate) struct Budgets {
    members: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
}

impl Budgets {
    pub(crate) fn new() -> Self {
        Budgets {
            members: Arc::new(Semaphore::new(NODE_BYTES_MAX)),
            strangers: Arc::new(Semaphore::new(STRANGERS_BYTES_MAX)),
        }
    }

    /// What one connection of a member may take of it.
    pub(crate) fn for_member(&self) -> Budget {
        Budget {
            connection: Arc::new(Semaphore::new(MEMBER_BYTES_MAX)),
            node: self.members.clone(),
        }
    }

    /// What one connection of a stranger may take of it.
    pub(crate) fn for_stranger(&self) -> Budget {
        Budget {
            connection: Arc::new(Semaphore::new(STRANGER_BYTES_MAX)),
            node: self.strangers.clone(),
        }
    }
}

/// The budget of one connection.
#[derive(Clone)]
pub(crate) struct Budget {
    connection: Arc<Semaphore>,
    node: Arc<Semaphore>,
}

impl Budget {
    fn take(&self, bytes: u32) -> Option<HeldBytes> {
        let connection = self.connection.clone().try_acquire_many_owned(bytes).ok()?;
        let node = self.node.clone().try_acquire_many_owned(bytes).ok()?;
        metrics::gauge!("hangraft_unfinished_bytes").increment(f64::from(bytes));
        Some(HeldBytes { bytes, _permits: [connection, node] })
    }
}

/// Bytes that are taken from budgets until this is dropped.
struct HeldBytes {
    bytes: u32,
    _permits: [OwnedSemaphorePermit; 2],
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        metrics::gauge!("hangraft_unfinished_bytes").decrement(f64::from(self.bytes));
    }
}

/// What a body must keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bounds {
    /// Of a caller that has shown a token: one message after the other, for ever.
    Member,
    /// Of a stranger who may be a node of an earlier version: the same, but soon.
    Sealed,
    /// Of a stranger: short, and whole soon.
    Short,
}

/// A body that ends with an error where it does not keep to its bounds.
pub(crate) struct Bounded<B> {
    body: B,
    bounds: Bounds,
    budget: Budget,
    messages: Messages,
    /// All bytes so far.
    received: usize,
    held: Vec<HeldBytes>,
    /// By when what is awaited must have come.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<B> Bounded<B> {
    pub(crate) fn new(body: B, bounds: Bounds, budget: Budget) -> Self {
        let deadline = match bounds {
            Bounds::Member => None,
            Bounds::Sealed | Bounds::Short => {
                Some(Box::pin(tokio::time::sleep(STRANGERS_DEADLINE)))
            }
        };
        let (messages, held) = (Messages::default(), Vec::new());
        Bounded { body, bounds, budget, messages, received: 0, held, deadline }
    }

    /// Takes note of what has come.
    fn take(&mut self, data: &[u8]) -> Result<(), Status> {
        self.received += data.len();
        if self.bounds == Bounds::Short {
            // Its whole body has one deadline.
            let much = self.received > STRANGERS_BODY_BYTES_MAX;
            return match much {
                true => Err(Status::resource_exhausted("that is more than a stranger may say")),
                false => Ok(()),
            };
        }
        let finished = self.messages.take(data);
        if finished {
            self.held.clear();
            self.deadline = None;
        }
        let Some(announced) = self.messages.unfinished() else { return Ok(()) };
        let held: u32 = self.held.iter().map(|held| held.bytes).sum();
        if announced > held {
            let more = self.budget.take(announced - held).ok_or_else(|| {
                Status::resource_exhausted("too many messages are unfinished; send it again")
            })?;
            self.held.push(more);
        }
        if self.deadline.is_none() {
            let patience = match self.bounds {
                Bounds::Member => MESSAGE_DEADLINE,
                Bounds::Sealed | Bounds::Short => STRANGERS_DEADLINE,
            };
            self.deadline = Some(Box::pin(tokio::time::sleep(patience)));
        }
        Ok(())
    }
}

impl<B> Body for Bounded<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let taken = frame.data_ref().map_or(Ok(()), |data| this.take(data));
                Poll::Ready(Some(taken.map(|()| frame)))
            }
            Poll::Ready(Some(Err(err))) => Poll::Ready(Some(Err(Status::from_error(err.into())))),
            Poll::Ready(None) => {
                this.held.clear();
                this.deadline = None;
                Poll::Ready(None)
            }
            Poll::Pending => {
                let late = |deadline: &mut Pin<Box<Sleep>>| deadline.as_mut().poll(cx).is_ready();
                if !this.deadline.as_mut().is_some_and(late) {
                    return Poll::Pending;
                }
                this.held.clear();
                this.deadline = None;
                let why = "a message was not finished in time";
                Poll::Ready(Some(Err(Status::deadline_exceeded(why))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer, with a place that is free again when it has gone.
pub(crate) struct Kept {
    body: tonic::body::Body,
    _place: OwnedSemaphorePermit,
}

impl Kept {
    pub(crate) fn new(body: tonic::body::Body, place: OwnedSemaphorePermit) -> Self {
        Kept { body, _place: place }
    }
}

impl Body for Kept {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Follows the messages of a body: each is a head, which has its length, and its bytes.
#[derive(Debug, Default)]
struct Messages {
    head: [u8; HEAD_BYTES],
    /// Bytes of the head that have come.
    known: usize,
    /// Bytes of the message that are still to come, once the head is known.
    missing: usize,
}

impl Messages {
    /// Takes what has come; whether a message was finished by it.
    fn take(&mut self, mut data: &[u8]) -> bool {
        let mut finished = false;
        while !data.is_empty() {
            if self.known < HEAD_BYTES {
                let part = data.len().min(HEAD_BYTES - self.known);
                self.head[self.known..self.known + part].copy_from_slice(&data[..part]);
                self.known += part;
                data = &data[part..];
                self.missing = if self.known == HEAD_BYTES { self.length() } else { 0 };
            } else {
                let part = data.len().min(self.missing);
                self.missing -= part;
                data = &data[part..];
            }
            if self.known == HEAD_BYTES && self.missing == 0 {
                self.known = 0;
                finished = true;
            }
        }
        finished
    }

    /// What the message that is coming was announced to hold, head included; nothing
    /// between two messages.
    fn unfinished(&self) -> Option<u32> {
        match self.known {
            0 => None,
            HEAD_BYTES => {
                // What is longer than a message may be is refused by its reader, who keeps
                // nothing of it.
                let length = Some(self.length()).filter(|length| *length <= MESSAGE_BYTES_MAX);
                u32::try_from(HEAD_BYTES + length.unwrap_or(0)).ok()
            }
            part => u32::try_from(part).ok(),
        }
    }

    fn length(&self) -> usize {
        let [_, length @ ..] = self.head;
        u32::from_be_bytes(length) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::future::poll_fn;

    /// What comes in pieces, and then no more comes.
    struct Pieces(VecDeque<Bytes>);

    impl Body for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            match self.0.pop_front() {
                Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
                None => Poll::Pending,
            }
        }
    }

    fn begun(announced: u32, came: usize) -> Bytes {
        let mut bytes = vec![0];
        bytes.extend(announced.to_be_bytes());
        bytes.resize(HEAD_BYTES + came, 7);
        bytes.into()
    }

    fn body(bounds: Bounds, budget: &Budget, pieces: &[Bytes]) -> Bounded<Pieces> {
        Bounded::new(Pieces(pieces.iter().cloned().collect()), bounds, budget.clone())
    }

    /// Reads what is there; the error, if there is one.
    async fn read(body: &mut Bounded<Pieces>) -> Result<(), Status> {
        while !body.body.0.is_empty() {
            poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await.expect("it goes on")?;
        }
        Ok(())
    }

    async fn next(body: &mut Bounded<Pieces>) -> Status {
        let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await.expect("it goes on");
        frame.expect_err("an end")
    }

    /// What was announced and has not come is held, of the connection and of the node, until
    /// the message is whole or the call is gone; beyond the budget nothing is begun.
    #[tokio::test]
    async fn unfinished_messages_are_bounded() {
        let budgets = Budgets::new();
        let announced = u32::try_from(MESSAGE_BYTES_MAX).unwrap();
        let half = begun(announced, 1_000);
        let (one, other) = (budgets.for_stranger(), budgets.for_stranger());
        let mut bodies = Vec::new();
        for budget in [&one, &other] {
            let mut body = body(Bounds::Sealed, budget, std::slice::from_ref(&half));
            read(&mut body).await.unwrap();
            bodies.push(body);
        }
        assert_eq!(budgets.strangers.available_permits(), 0);
        for budget in [one.clone(), budgets.for_stranger()] {
            let mut more = body(Bounds::Sealed, &budget, std::slice::from_ref(&half));
            assert_eq!(read(&mut more).await.unwrap_err().code(), tonic::Code::ResourceExhausted);
        }
        // Members are not held up by strangers.
        let mut member = body(Bounds::Member, &budgets.for_member(), std::slice::from_ref(&half));
        read(&mut member).await.unwrap();
        // One is finished, one hangs up.
        let rest = Bytes::from(vec![7; announced as usize - 1_000]);
        bodies[0].body.0.push_back(rest);
        read(&mut bodies[0]).await.unwrap();
        assert_eq!(budgets.strangers.available_permits(), LARGEST);
        bodies.pop();
        assert_eq!(budgets.strangers.available_permits(), STRANGERS_BYTES_MAX);
    }

    /// A message that was begun must be finished; a member's next one may take its time, a
    /// stranger's first one may not, and a stranger's short body must end.
    #[tokio::test(start_paused = true)]
    async fn messages_have_deadlines() {
        let budgets = Budgets::new();
        let (member, stranger) = (budgets.for_member(), budgets.for_stranger());
        let (half, whole) = (begun(10, 3), begun(10, 10));
        for (bounds, budget, pieces) in [
            (Bounds::Member, &member, std::slice::from_ref(&half)),
            (Bounds::Member, &member, &[whole.clone(), Bytes::from_static(&[0])]),
            (Bounds::Sealed, &stranger, &[]),
            (Bounds::Sealed, &stranger, std::slice::from_ref(&half)),
            (Bounds::Sealed, &stranger, &[whole.clone(), half.clone()]),
            (Bounds::Short, &stranger, &[]),
            (Bounds::Short, &stranger, std::slice::from_ref(&whole)),
        ] {
            let begun = tokio::time::Instant::now();
            let mut body = body(bounds, budget, pieces);
            read(&mut body).await.unwrap();
            assert_eq!(next(&mut body).await.code(), tonic::Code::DeadlineExceeded, "{bounds:?}");
            assert!(begun.elapsed() < MESSAGE_DEADLINE + Duration::from_secs(1));
        }
        for (bounds, budget) in [(Bounds::Member, &member), (Bounds::Sealed, &stranger)] {
            let mut body = body(bounds, budget, std::slice::from_ref(&whole));
            read(&mut body).await.unwrap();
            let silence = tokio::time::timeout(10 * MESSAGE_DEADLINE, next(&mut body));
            assert!(silence.await.is_err(), "between two messages there is time");
        }
    }

    /// What is open to strangers is not for large bodies, in however many pieces they come.
    #[tokio::test]
    async fn strangers_say_little() {
        let budget = Budgets::new().for_stranger();
        let pieces = vec![Bytes::from_static(&[0; 100]); 41];
        let mut short = body(Bounds::Short, &budget, &pieces[..40]);
        read(&mut short).await.unwrap();
        let mut long = body(Bounds::Short, &budget, &pieces);
        assert_eq!(read(&mut long).await.unwrap_err().code(), tonic::Code::ResourceExhausted);
    }

    proptest! {
        /// However messages are cut into pieces, what is unfinished is what was announced
        /// of the last one.
        #[test]
        fn messages_are_followed_through_any_cut(
            lengths in prop::collection::vec(0_usize..40, 1..8),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
            end in any::<prop::sample::Index>(),
        ) {
            let mut bytes = Vec::new();
            let mut ends = Vec::new();
            for length in &lengths {
                bytes.extend(begun(u32::try_from(*length).unwrap(), *length));
                ends.push(bytes.len());
            }
            let end = end.index(bytes.len() + 1);
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(end + 1)).collect();
            cuts.push(0);
            cuts.push(end);
            cuts.sort_unstable();
            let mut messages = Messages::default();
            let mut finished = false;
            for pair in cuts.windows(2) {
                finished |= messages.take(&bytes[pair[0]..pair[1]]);
            }
            let whole = ends.iter().filter(|at| **at <= end).count();
            prop_assert_eq!(finished, whole > 0);
            let begun = end - ends.get(whole.wrapping_sub(1)).copied().unwrap_or(0);
            let expected = match begun {
                0 => None,
                part if part < HEAD_BYTES => Some(part as u32),
                _ => Some((HEAD_BYTES + lengths[whole]) as u32),
            };
            prop_assert_eq!(messages.unfinished(), expected);
        }
    }
}
