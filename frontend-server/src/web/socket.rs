//! One socket: a task that turns what happens into [`Input`]s, and carries out
//! what the [`Session`] says.
//!
//! Everything that is ready is written before one flush, and what was written is
//! flushed before anything more is read: the answers to pings too, which the library
//! writes by itself. So a client that does not take what it asked for is not read, and
//! nothing piles up for it here. When its queue overflows meanwhile, that ends the
//! wait and the socket.
//!
//! A client that is quiet is pinged. Browsers answer by themselves, also for a page
//! whose timers they have stopped; so whoever answers nothing is gone.
//!
//! When the frontend drains, the client is told in its turn to go elsewhere, and
//! served like any other until it closes or the frontend stops.

use std::{future::pending, pin::Pin, sync::Arc, time::Duration};

use futures_util::{SinkExt, stream::FusedStream};
use hangraft_ids::{Lane, PlayerId};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, sink},
    time::{Instant, Sleep, sleep, sleep_until, timeout},
};
use tokio_stream::{StreamExt, wrappers::WatchStream};
use tokio_tungstenite::tungstenite::{
    Error, Message, Utf8Bytes, error::ProtocolError, protocol::CloseFrame,
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tracing::debug;

use super::{
    actions::{Actions, End, text_frame},
    lookout::Lookouts,
    shared::{Place, Shared},
    upgrade::Socket,
};
use crate::{
    boards::Shown,
    client::Client,
    cluster::Status,
    exchange::{Dice, Input},
    farewell::Farewell,
    mailbox::{self, Inbox, Mail, Overflow, SocketId},
    players::Paces,
    reply,
    session::Session,
};

/// A client of which nothing is heard for this long is pinged.
const PING_AFTER: Duration = Duration::from_secs(20);
/// A client of which nothing is heard for this long, no answer to a ping either, is
/// gone. Not a minute: that is how often browsers let a hidden page's timers run, and
/// one that says something as often as it can shall not be late.
const IDLE: Duration = Duration::from_secs(75);
/// A socket that has not said hello by then is closed.
const HELLO_DEADLINE: Duration = Duration::from_secs(10);
/// How long the last words may take.
const GOODBYE: Duration = Duration::from_secs(1);
/// What is read, and dropped, of a client that is told to go, in bytes.
const LEFTOVERS_MAX: u64 = 1 << 20;
/// Over this time (ms) sockets are told to move when the frontend drains, so that
/// ten thousand players do not arrive at another one in the same instant.
const SPREAD_MS: u64 = 500;

/// Serves one socket until it ends.
pub(super) async fn run<S>(
    mut socket: Socket<S>,
    number: SocketId,
    client: Client,
    shared: Arc<Shared>,
    place: Place,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match roll() {
        Ok(dice) => {
            let (mut actions, mut wire) = open(number, client, dice, shared, place);
            match wire.converse(&mut socket, &mut actions).await {
                End::Gone => {}
                End::Closed => answer_goodbye(&mut socket).await,
                End::Bye(farewell) => {
                    actions.shared.meters.closed(farewell.code);
                    debug!(session = number.0, code = %farewell.code, "closing a socket");
                    say_goodbye(&mut socket, farewell).await;
                }
            }
        }
        Err(err) => debug!(%err, "the system gives no random numbers"),
    }
}

/// Random numbers for one session.
fn roll() -> Result<Dice, getrandom::Error> {
    Ok(Dice { player: guest_id(getrandom::u64)?, lane: Lane(getrandom::u64()?) })
}

/// The first id that is drawn and may be a guest's: some are nobody's, or bots'.
fn guest_id<E>(mut draw: impl FnMut() -> Result<u64, E>) -> Result<PlayerId, E> {
    loop {
        let player = PlayerId(draw()?);
        if !player.is_reserved() {
            return Ok(player);
        }
    }
}

fn open(
    number: SocketId,
    client: Client,
    dice: Dice,
    shared: Arc<Shared>,
    place: Place,
) -> (Actions, Wire) {
    let (mailbox, inbox) = mailbox::mailbox();
    let mut status = shared.cluster.status();
    let link = status.borrow_and_update().link_state();
    shared.meters.sockets_opened.increment(1);
    shared.meters.queues.enter(number, mailbox.clone());
    let wire = Wire {
        notice: Notice::new(number, &shared),
        outside: Outside::new(&shared.stop, place.visit.leave(), inbox.overflow()),
        pulse: Pulse::new(),
        inbox,
        status: WatchStream::from_changes(status),
        mail: Vec::new(),
    };
    let paces = Arc::new(std::sync::Mutex::new(Paces::new(&shared.limits)));
    let session = Session::new(shared.premises.clone(), client, dice, link);
    let (lookouts, frames) = (Lookouts::new(), Vec::new());
    let actions =
        Actions { number, shared, place, session, mailbox, lookouts, here: None, paces, frames };
    (actions, wire)
}

/// Where things happen from.
struct Wire {
    inbox: Inbox,
    status: WatchStream<Status>,
    notice: Notice,
    outside: Outside,
    pulse: Pulse,
    mail: Vec<Mail>,
}

/// The notice to move: given once, when the frontend drains and this socket's
/// turn has come.
struct Notice {
    turn: Duration,
    stage: Stage,
}

/// How far a notice has come.
enum Stage {
    /// Nothing drains.
    Quiet(Pin<Box<WaitForCancellationFutureOwned>>),
    /// It drains; the turn comes then.
    Due(Instant),
    Given,
}

/// What ends a socket whatever it is doing.
struct Outside {
    stop: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Its place is needed.
    leave: Pin<Box<WaitForCancellationFutureOwned>>,
    overflow: Overflow,
    timer: Pin<Box<Sleep>>,
    heard_at: Instant,
    /// When hello is due, as long as it was not said.
    hello_by: Option<Instant>,
}

/// When a quiet client is to be pinged.
struct Pulse {
    timer: Pin<Box<Sleep>>,
}

/// Something that happened.
enum Event {
    Frame(Option<Result<Message, Error>>),
    Mail,
    Status(Status),
    Shown(Shown),
    Drain,
    Quiet,
    End(Input<'static>),
}

impl Wire {
    /// Until the client is gone or should go.
    async fn converse<S>(&mut self, socket: &mut Socket<S>, actions: &mut Actions) -> End
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            let event = tokio::select! {
                frame = socket.next() => Event::Frame(frame),
                _ = self.inbox.take(&mut self.mail) => Event::Mail,
                Some(status) = self.status.next() => Event::Status(status),
                shown = actions.lookouts.next() => Event::Shown(shown),
                () = self.notice.wait() => Event::Drain,
                () = self.pulse.wait() => Event::Quiet,
                end = self.outside.wait() => Event::End(end),
            };
            let mut end = match event {
                Event::Frame(frame) => {
                    let overrun = socket.get_ref().overrun();
                    self.on_frame(frame, overrun, actions).await
                }
                Event::Mail => actions.on_all(&mut self.mail).await,
                Event::Status(status) => actions.on(Input::Link(status.link_state())).await,
                Event::Shown(shown) => actions.on(Input::Shown(shown)).await,
                Event::Drain => actions.on(Input::Draining).await,
                Event::Quiet => actions.ping(),
                Event::End(end) => actions.on(end).await,
            };
            if end.is_none() {
                let cut_short = tokio::select! {
                    sent = send(socket, &mut actions.frames) => match sent {
                        Ok(()) => None,
                        Err(err) => return actions.not_taken(&err),
                    },
                    cut_short = self.outside.wait() => Some(cut_short),
                };
                if let Some(cut_short) = cut_short {
                    end = actions.on(cut_short).await;
                }
            }
            if let Some(end) = end {
                if matches!(end, End::Bye(_)) {
                    // The last answers go out with the farewell, if they still can.
                    _ = timeout(GOODBYE, send(socket, &mut actions.frames)).await;
                }
                return end;
            }
        }
    }

    /// Takes in what the library made of the bytes that came.
    async fn on_frame(
        &mut self,
        frame: Option<Result<Message, Error>>,
        overrun: bool,
        actions: &mut Actions,
    ) -> Option<End> {
        let Some(frame) = frame else { return Some(End::Gone) };
        self.outside.heard_at = Instant::now();
        self.pulse.put_off();
        let end = match frame {
            Ok(Message::Text(text)) => actions.on(Input::Frame(&text)).await,
            Ok(Message::Binary(_)) => actions.on(Input::Binary).await,
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => None,
            Ok(Message::Close(_)) => Some(End::Closed),
            Err(Error::Capacity(_)) => actions.on(Input::Oversize).await,
            Err(Error::Utf8(_)) => actions.on(Input::NotUtf8).await,
            Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => Some(End::Gone),
            Err(Error::Protocol(_)) => actions.on(Input::Malformed).await,
            Err(_) if overrun => actions.on(Input::Flood).await,
            Err(err) => Some(actions.not_taken(&err)),
        };
        if actions.here.is_some() {
            self.outside.hello_by = None;
        }
        end
    }
}

impl Notice {
    /// Sockets are numbered in a row, so taking turns by number spreads them evenly
    /// however many there are, and a few are told at once.
    fn new(number: SocketId, shared: &Shared) -> Self {
        let drains = Box::pin(shared.drain.clone().cancelled_owned());
        Self { turn: Duration::from_millis(number.0 % SPREAD_MS), stage: Stage::Quiet(drains) }
    }

    /// Waits until it is to be given; for ever, once it was. May be called off.
    async fn wait(&mut self) {
        loop {
            match &mut self.stage {
                Stage::Quiet(drains) => {
                    drains.as_mut().await;
                    self.stage = Stage::Due(Instant::now() + self.turn);
                }
                Stage::Due(at) => {
                    sleep_until(*at).await;
                    self.stage = Stage::Given;
                    return;
                }
                Stage::Given => pending().await,
            }
        }
    }
}

impl Outside {
    fn new(stop: &CancellationToken, leave: CancellationToken, overflow: Overflow) -> Self {
        let now = Instant::now();
        Self {
            stop: Box::pin(stop.clone().cancelled_owned()),
            leave: Box::pin(leave.cancelled_owned()),
            overflow,
            timer: Box::pin(sleep(HELLO_DEADLINE)),
            heard_at: now,
            hello_by: Some(now + HELLO_DEADLINE),
        }
    }

    /// Waits for the end.
    async fn wait(&mut self) -> Input<'static> {
        loop {
            tokio::select! {
                () = self.stop.as_mut() => return Input::Stopping,
                () = self.leave.as_mut() => return Input::Full,
                () = self.overflow.wait() => return Input::Slow,
                () = self.timer.as_mut() => {}
            }
            // One timer, set again when it is due instead of at every frame.
            let (now, idle_at) = (Instant::now(), self.heard_at + IDLE);
            if self.hello_by.is_some_and(|by| by <= now) {
                return Input::Silent;
            }
            if idle_at <= now {
                return Input::Idle;
            }
            self.timer.as_mut().reset(self.hello_by.map_or(idle_at, |by| by.min(idle_at)));
        }
    }
}

impl Pulse {
    fn new() -> Self {
        Self { timer: Box::pin(sleep(PING_AFTER)) }
    }

    /// Something was heard.
    fn put_off(&mut self) {
        self.timer.as_mut().reset(Instant::now() + PING_AFTER);
    }

    /// Waits until it is time for a ping. May be called off.
    async fn wait(&mut self) {
        self.timer.as_mut().await;
        self.put_off();
    }
}

/// Writes everything, then flushes once.
async fn send<S>(socket: &mut Socket<S>, frames: &mut Vec<Message>) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    for frame in frames.drain(..) {
        socket.feed(frame).await?;
    }
    socket.flush().await
}

/// Answers a client's close frame, so that it knows that all is well.
async fn answer_goodbye<S>(socket: &mut Socket<S>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let answer = async {
        // The library has the answer ready.
        _ = socket.flush().await;
        _ = socket.get_mut().shutdown().await;
    };
    _ = timeout(GOODBYE, answer).await;
}

/// Says why, closes, and waits a moment for the other side to have read it: a
/// connection that is cut with something unread takes what was sent with it.
async fn say_goodbye<S>(socket: &mut Socket<S>, farewell: Farewell)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Farewell { code, close, told, .. } = farewell;
    let broken = socket.is_terminated();
    let last_words = async {
        if !told {
            socket.feed(text_frame(reply::bye(farewell))).await?;
        }
        let frame =
            CloseFrame { code: close.into(), reason: Utf8Bytes::from_static(code.as_str()) };
        socket.send(Message::Close(Some(frame))).await?;
        let mut orderly = !broken;
        while let Some(frame) = socket.next().await {
            orderly = frame.is_ok();
        }
        let stream = socket.get_mut();
        stream.shutdown().await?;
        if !orderly {
            // What comes after nonsense is not understood any more; but it is read.
            let mut leftovers = stream.unmetered().take(LEFTOVERS_MAX);
            tokio::io::copy(&mut leftovers, &mut sink()).await?;
        }
        Ok::<_, Error>(())
    };
    // A client that does not listen is left without a farewell.
    _ = timeout(GOODBYE, last_words).await;
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;

    fn outside(inbox: &Inbox) -> Outside {
        Outside::new(&CancellationToken::new(), CancellationToken::new(), inbox.overflow())
    }

    /// No guest is nobody, or a bot.
    #[test]
    fn a_guest_draws_again_what_is_reserved() {
        let mut dice = [0, u64::MAX, u64::MAX - 1, 7].into_iter();
        let drawn = guest_id(|| dice.next().ok_or("no more"));
        assert_eq!(drawn, Ok(PlayerId(7)));
    }

    /// Over a minute without a word ends a socket; a word now and then keeps it, and
    /// once a minute, as a hidden page's timers run, is enough.
    #[tokio::test(start_paused = true)]
    async fn silence_ends_a_socket() {
        const HIDDEN: Duration = Duration::from_secs(60);
        let (_mailbox, inbox) = mailbox::mailbox();
        let start = Instant::now();
        let mut outside = outside(&inbox);
        outside.hello_by = None;
        for _ in 0..10 {
            assert!(timeout(HIDDEN, outside.wait()).await.is_err());
            outside.heard_at = Instant::now();
        }
        assert!(matches!(outside.wait().await, Input::Idle));
        assert_eq!(start.elapsed(), HIDDEN * 10 + IDLE);
    }

    /// Whoever says much and not hello is closed in time all the same.
    #[tokio::test(start_paused = true)]
    async fn hello_is_due() {
        let (_mailbox, inbox) = mailbox::mailbox();
        let start = Instant::now();
        let mut outside = outside(&inbox);
        while timeout(Duration::from_secs(1), outside.wait()).await.is_err() {
            outside.heard_at = Instant::now();
        }
        assert_eq!(start.elapsed(), HELLO_DEADLINE);
    }

    /// A client is pinged when it is quiet, and again as long as it stays so.
    #[tokio::test(start_paused = true)]
    async fn the_quiet_are_pinged() {
        let mut pulse = Pulse::new();
        let start = Instant::now();
        for _ in 0..3 {
            assert!(timeout(PING_AFTER / 2, pulse.wait()).await.is_err());
            pulse.put_off();
        }
        pulse.wait().await;
        pulse.wait().await;
        assert_eq!(start.elapsed(), PING_AFTER * 3 / 2 + PING_AFTER * 2);
    }

    /// The notice to move is given when the frontend drains, once, in its turn, and
    /// not later for a socket that has much else to do.
    #[tokio::test(start_paused = true)]
    async fn the_notice_to_move_is_given_once_and_in_its_turn() {
        let drain = CancellationToken::new();
        let turn = Duration::from_millis(300);
        let quiet = Box::pin(drain.clone().cancelled_owned());
        let mut notice = Notice { turn, stage: Stage::Quiet(quiet) };
        assert!(timeout(IDLE, notice.wait()).await.is_err(), "nothing drains yet");
        drain.cancel();
        let start = Instant::now();
        let mut interrupted = 0;
        while timeout(turn / 10, notice.wait()).await.is_err() {
            interrupted += 1;
            assert!(interrupted < 10, "other things keep it from being given");
        }
        assert_eq!(start.elapsed(), turn);
        assert!(timeout(IDLE, notice.wait()).await.is_err(), "it was given");
    }
}
