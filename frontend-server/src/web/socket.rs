//! One socket: a task that turns what happens into [`Input`]s, and carries out
//! what the [`Session`] says.
//!
//! Everything that is ready is written before one flush, and what was written is
//! flushed before anything more is read: the answers to pings too, which the library
//! writes by itself. So a client that does not take what it asked for is not read, and
//! nothing piles up for it here. When its queue overflows meanwhile, that ends the
//! wait and the socket.
//!
//! The task waits in four places: for the client, for its mailbox, for the clock, and for
//! what its player looks at. Whatever else there is to hear is called through the mailbox.
//!
//! A client that is quiet is pinged. Browsers answer by themselves, also for a page
//! whose timers they have stopped; so whoever answers nothing is gone.
//!
//! When the frontend drains, the client is told in its turn to go elsewhere, and
//! served like any other until it closes or the frontend stops.

use std::{pin::Pin, sync::Arc, time::Duration};

use futures_util::{SinkExt, stream::FusedStream};
use hangraft_ids::{Lane, PlayerId};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, sink},
    task::yield_now,
    time::{Instant, Sleep, sleep_until, timeout},
};
use tokio_stream::StreamExt;
use tokio_tungstenite::tungstenite::{
    Error, Message, Utf8Bytes, error::ProtocolError, protocol::CloseFrame,
};
use tracing::debug;

use super::{
    actions::{Actions, End, text_frame},
    deadlines::{Deadlines, Due, Only},
    lookout::Lookouts,
    shared::{Place, Shared},
    upgrade::Socket,
};
use crate::{
    boards::Shown,
    client::Client,
    exchange::{Dice, Input},
    farewell::Farewell,
    mailbox::{self, Call, Calls, Inbox, SocketId},
    players::Paces,
    reply,
    session::Session,
};

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
    // From here on it is called; what was called before is looked at now.
    shared.meters.queues.enter(number, mailbox.clone());
    place.visit.calls(mailbox.clone());
    let told = [(&shared.stop, Call::Stop), (&shared.drain, Call::Drain)];
    told.iter().filter(|(token, _)| token.is_cancelled()).for_each(|(_, call)| mailbox.call(*call));
    let link = shared.cluster.status().borrow().link_state();
    shared.meters.sockets_opened.increment(1);
    // Sockets are numbered in a row, so taking turns by number spreads them evenly however
    // many there are, and a few are told at once.
    let turn = Duration::from_millis(number.0 % SPREAD_MS);
    let wire = Wire { inbox, timer: Timer::new(), turn };
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
    timer: Timer,
    /// How long after the others it is told to move, when the frontend drains.
    turn: Duration,
}

/// What time does.
struct Timer {
    deadlines: Deadlines,
    sleep: Pin<Box<Sleep>>,
}

/// Something that happened.
enum Event {
    Frame(Option<Result<Message, Error>>),
    /// There is mail, or something was called.
    Mail,
    Shown(Shown),
    Due(Due),
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
                () = self.inbox.ready() => Event::Mail,
                shown = actions.lookouts.next(), if actions.lookouts.any() => Event::Shown(shown),
                due = self.timer.due(Only::All) => Event::Due(due),
            };
            let mut end = match event {
                Event::Frame(frame) => {
                    let overrun = socket.get_ref().overrun();
                    self.on_frame(frame, overrun, actions).await
                }
                Event::Mail => {
                    // What is being put in at this moment leaves in the same write.
                    yield_now().await;
                    let (mail, calls) = self.inbox.take();
                    match actions.on_all(mail).await {
                        Some(end) => Some(end),
                        None => self.on_calls(calls, actions).await,
                    }
                }
                Event::Shown(shown) => actions.on(Input::Shown(shown)).await,
                Event::Due(Due::Ping) => actions.ping(),
                Event::Due(Due::Move) => actions.on(Input::Draining).await,
                Event::Due(Due::Idle) => actions.on(Input::Idle).await,
                Event::Due(Due::Silent) => actions.on(Input::Silent).await,
            };
            if end.is_none() && !actions.frames.is_empty() {
                let cut_short = tokio::select! {
                    sent = send(socket, &mut actions.frames) => match sent {
                        Ok(()) => None,
                        Err(err) => return actions.not_taken(&err),
                    },
                    call = self.inbox.end() => Some(ended(call)),
                    due = self.timer.due(Only::Ends) => {
                        Some(if due == Due::Silent { Input::Silent } else { Input::Idle })
                    }
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
        self.timer.deadlines.heard(Instant::now());
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
            self.timer.deadlines.greeted();
        }
        end
    }

    async fn on_calls(&mut self, calls: Calls, actions: &mut Actions) -> Option<End> {
        if let Some(call) = calls.end() {
            return actions.on(ended(call)).await;
        }
        if calls.has(Call::Drain) {
            self.timer.deadlines.moves_at(Instant::now() + self.turn);
        }
        if calls.has(Call::Status) {
            let link = actions.shared.cluster.status().borrow().link_state();
            return actions.on(Input::Link(link)).await;
        }
        None
    }
}

/// What ends a socket.
fn ended(call: Call) -> Input<'static> {
    match call {
        Call::Leave => Input::Full,
        Call::Overflow => Input::Slow,
        Call::Stop | Call::Drain | Call::Status => Input::Stopping,
    }
}

impl Timer {
    fn new() -> Self {
        let deadlines = Deadlines::new(Instant::now());
        let (_, first) = deadlines.next(Only::All);
        Self { sleep: Box::pin(sleep_until(first)), deadlines }
    }

    /// Waits until something is due. May be called off.
    async fn due(&mut self, only: Only) -> Due {
        loop {
            let (_, next) = self.deadlines.next(only);
            if next < self.sleep.deadline() || self.sleep.is_elapsed() {
                self.sleep.as_mut().reset(next);
            }
            self.sleep.as_mut().await;
            if let Some(due) = self.deadlines.due(Instant::now(), only) {
                return due;
            }
        }
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
    use super::*;

    /// No guest is nobody, or a bot.
    #[test]
    fn a_guest_draws_again_what_is_reserved() {
        let mut dice = [0, u64::MAX, u64::MAX - 1, 7].into_iter();
        let drawn = guest_id(|| dice.next().ok_or("no more"));
        assert_eq!(drawn, Ok(PlayerId(7)));
    }

    /// One timer wakes for all that is due, also for what is due sooner than what it was
    /// set for, and for what was put off.
    #[tokio::test(start_paused = true)]
    async fn one_timer_serves_all_deadlines() {
        let start = Instant::now();
        let mut timer = Timer::new();
        timer.deadlines.greeted();
        assert!(timeout(Duration::from_secs(5), timer.due(Only::All)).await.is_err());
        timer.deadlines.heard(Instant::now());
        assert_eq!(timer.due(Only::All).await, Due::Ping);
        assert_eq!(start.elapsed(), Duration::from_secs(25));
        timer.deadlines.moves_at(Instant::now() + Duration::from_millis(300));
        assert_eq!(timer.due(Only::All).await, Due::Move);
        assert_eq!(start.elapsed(), Duration::from_millis(25_300));
        assert_eq!(timer.due(Only::Ends).await, Due::Idle);
        assert_eq!(start.elapsed(), Duration::from_secs(80));
    }
}
