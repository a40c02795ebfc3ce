//! One socket: a task that turns what happens into [`Input`]s, and carries out
//! what the [`Session`] says.
//!
//! Everything that is ready is written before one flush. While the client does
//! not take what is written, nothing more is read from it; and when its queue
//! overflows meanwhile, that ends the wait and the socket.
//!
//! When the frontend drains, the client is told in its turn to go elsewhere, and
//! served like any other until it closes or the frontend stops.

use std::{
    future::pending,
    pin::Pin,
    sync::{Arc, PoisonError},
    time::{Duration, SystemTime},
};

use axum::{
    Error,
    extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket},
};
use futures_util::SinkExt;
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout};
use tokio_stream::{StreamExt, wrappers::WatchStream};
use tokio_util::sync::WaitForCancellationFutureOwned;
use tracing::debug;

use super::{FRAME_BYTES_MAX, Place, Shared};
use crate::{
    cluster::{Question, Status},
    hub::HubInput,
    mailbox::{self, Inbox, Mail, Mailbox, Overflow},
    message::{self, Text},
    players::{Here, Paces, SharedPaces},
    session::{Dice, Farewell, Input, Now, Output, Session},
};

/// A client of which nothing is heard for this long, not even a ping, is gone.
const IDLE: Duration = Duration::from_secs(60);
/// How long the last words may take.
const GOODBYE: Duration = Duration::from_secs(1);
/// Over this time (ms) sockets are told to move when the frontend drains, so that
/// ten thousand players do not arrive at another one in the same instant.
const SPREAD_MS: u64 = 500;

/// Serves one socket until it ends.
pub(super) async fn run(mut socket: WebSocket, number: u64, shared: Arc<Shared>, place: Place) {
    match getrandom::u64().and_then(|player| Ok(Dice { player, lane: getrandom::u64()? })) {
        Ok(dice) => {
            let (mut desk, mut wire) = open(number, dice, shared);
            if let Some(farewell) = wire.converse(&mut socket, &mut desk).await {
                desk.shared.meters.closed(farewell.code);
                debug!(session = number, code = farewell.code, "closing a socket");
                say_goodbye(&mut socket, farewell).await;
            }
        }
        Err(err) => debug!(%err, "the system gives no random numbers"),
    }
    drop(place);
}

fn open(number: u64, dice: Dice, shared: Arc<Shared>) -> (Desk, Wire) {
    let (mailbox, inbox) = mailbox::mailbox();
    let mut status = shared.cluster.status();
    let link = status.borrow_and_update().link_state();
    shared.meters.sockets_opened.increment(1);
    shared.meters.queues.enter(number, mailbox.clone());
    let wire = Wire {
        notice: Notice::new(number, &shared),
        outside: Outside {
            stop: Box::pin(shared.stop.clone().cancelled_owned()),
            overflow: inbox.overflow(),
            idle: Box::pin(sleep(IDLE)),
            heard_at: Instant::now(),
        },
        inbox,
        status: WatchStream::from_changes(status),
        mail: Vec::new(),
    };
    let paces = Arc::new(std::sync::Mutex::new(Paces::new(&shared.limits)));
    let session = Session::new(shared.premises.clone(), dice, link);
    (Desk { number, shared, session, mailbox, here: None, paces, frames: Vec::new() }, wire)
}

/// Where things happen from.
struct Wire {
    inbox: Inbox,
    status: WatchStream<Status>,
    notice: Notice,
    outside: Outside,
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
    overflow: Overflow,
    idle: Pin<Box<Sleep>>,
    heard_at: Instant,
}

/// Something that happened.
enum Event {
    Frame(Option<Result<Message, Error>>),
    Mail,
    Status(Status),
    Drain,
    End(Input<'static>),
}

impl Wire {
    /// Until the client is gone (`None`) or should go.
    async fn converse(&mut self, socket: &mut WebSocket, desk: &mut Desk) -> Option<Farewell> {
        loop {
            let event = tokio::select! {
                frame = socket.recv() => Event::Frame(frame),
                _ = self.inbox.take(&mut self.mail) => Event::Mail,
                Some(status) = self.status.next() => Event::Status(status),
                () = self.notice.wait() => Event::Drain,
                end = self.outside.wait() => Event::End(end),
            };
            let mut bye = self.on_event(event, desk).await?;
            if bye.is_none() && !desk.frames.is_empty() {
                let end = tokio::select! {
                    sent = send(socket, &mut desk.frames) => {
                        sent.ok()?;
                        None
                    }
                    end = self.outside.wait() => Some(end),
                };
                if let Some(end) = end {
                    bye = desk.on(end).await;
                }
            }
            if bye.is_some() {
                // The last answers go out with the farewell, if they still can.
                _ = timeout(GOODBYE, send(socket, &mut desk.frames)).await;
                return bye;
            }
        }
    }

    /// Takes an event in. The outer `None`: the client is gone; the inner: it goes on.
    async fn on_event(&mut self, event: Event, desk: &mut Desk) -> Option<Option<Farewell>> {
        let frame = match event {
            Event::Frame(frame) => frame?,
            Event::Mail => return Some(desk.on_all(&mut self.mail).await),
            Event::Status(status) => return Some(desk.on(Input::Link(status.link_state())).await),
            Event::Drain => return Some(desk.on(Input::Draining).await),
            Event::End(end) => return Some(desk.on(end).await),
        };
        self.outside.heard_at = Instant::now();
        Some(match frame {
            Ok(Message::Text(text)) if text.len() > FRAME_BYTES_MAX => {
                desk.on(Input::Oversize).await
            }
            Ok(Message::Text(text)) => desk.on(Input::Frame(&text)).await,
            Ok(Message::Binary(_)) => desk.on(Input::Binary).await,
            Ok(Message::Ping(_) | Message::Pong(_)) => None,
            Ok(Message::Close(_)) => return None,
            Err(err) if is_oversize(&err) => desk.on(Input::Oversize).await,
            Err(_) => return None,
        })
    }
}

impl Notice {
    /// Sockets are numbered in a row, so taking turns by number spreads them evenly
    /// however many there are, and a few are told at once.
    fn new(number: u64, shared: &Shared) -> Self {
        let drains = Box::pin(shared.drain.clone().cancelled_owned());
        Self { turn: Duration::from_millis(number % SPREAD_MS), stage: Stage::Quiet(drains) }
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
    /// Waits for the end.
    async fn wait(&mut self) -> Input<'static> {
        loop {
            tokio::select! {
                () = self.stop.as_mut() => return Input::Stopping,
                () = self.overflow.wait() => return Input::Slow,
                () = self.idle.as_mut() => {}
            }
            // One timer, set again when it is due instead of at every frame.
            let idle_at = self.heard_at + IDLE;
            if idle_at <= Instant::now() {
                return Input::Idle;
            }
            self.idle.as_mut().reset(idle_at);
        }
    }
}

/// Where a session's outputs are carried out.
struct Desk {
    number: u64,
    shared: Arc<Shared>,
    session: Session,
    mailbox: Mailbox,
    /// The player's place among those online, after hello.
    here: Option<Here>,
    /// The player's pace; before hello, the socket's own.
    paces: SharedPaces,
    /// To be written next.
    frames: Vec<Text>,
}

impl Desk {
    async fn on_all(&mut self, mail: &mut Vec<Mail>) -> Option<Farewell> {
        for mail in mail.drain(..) {
            let bye = self.on(Input::Mail(mail)).await;
            if bye.is_some() {
                return bye;
            }
        }
        None
    }

    async fn on(&mut self, input: Input<'_>) -> Option<Farewell> {
        if matches!(input, Input::Slow) {
            self.shared.meters.overflows.increment(1);
        }
        let outputs = {
            let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
            self.session.on(input, now(), &mut paces)
        };
        let mut bye = None;
        for output in outputs {
            bye = self.carry_out(output).await.or(bye);
        }
        bye
    }

    async fn carry_out(&mut self, output: Output) -> Option<Farewell> {
        match output {
            Output::Send(text) => self.frames.push(text),
            Output::Enter(player) => {
                let here = self.shared.players.enter(player);
                self.paces = here.paces();
                self.here = Some(here);
            }
            Output::Submit { tag, command } => {
                self.shared.cluster.submit(command, self.mailbox.clone(), tag);
            }
            Output::Watch { tag, player, room, since } => {
                let (session, mailbox) = (self.number, self.mailbox.clone());
                let watch = HubInput::Watch { session, mailbox, player, room, since, tag };
                self.shared.hub.tell(watch).await;
            }
            Output::Unwatch { room } => {
                self.shared.hub.tell(HubInput::Unwatch { session: self.number, room }).await;
            }
            Output::List { tag, query } => {
                let asker = self.mailbox.clone();
                self.shared.cluster.list(Question { query, asker, tag });
            }
            Output::Acted(kind) => self.shared.meters.action(kind),
            Output::Refused(code) => self.shared.meters.refused(code),
            Output::Bye(farewell) => return Some(farewell),
        }
        None
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.shared.meters.queues.leave(self.number);
        self.shared.hub.leave(self.number);
    }
}

fn now() -> Now {
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    // A clock before 1970 is no reason to turn players away.
    Now { instant: Instant::now().into_std(), unix: unix.map_or(0, |since| since.as_secs()) }
}

/// Writes everything, then flushes once.
async fn send(socket: &mut WebSocket, frames: &mut Vec<Text>) -> Result<(), Error> {
    for text in frames.drain(..) {
        socket.feed(text_frame(text)).await?;
    }
    socket.flush().await
}

fn text_frame(text: Text) -> Message {
    let text = Utf8Bytes::try_from(text.into_bytes()).expect("texts are made from strings");
    Message::Text(text)
}

/// Says why, closes, and waits a moment for the other side to have read it: a
/// connection that is cut with something unread takes what was sent with it.
async fn say_goodbye(socket: &mut WebSocket, farewell: Farewell) {
    let Farewell { code, message, close, told } = farewell;
    let last_words = async {
        if !told {
            socket.feed(text_frame(message::bye(code, message))).await?;
        }
        let frame = CloseFrame { code: close, reason: Utf8Bytes::from_static(code) };
        socket.send(Message::Close(Some(frame))).await?;
        while let Some(Ok(_)) = socket.recv().await {}
        Ok::<_, Error>(())
    };
    // A client that does not listen is left without a farewell.
    _ = timeout(GOODBYE, last_words).await;
}

/// The websocket library says it in words only.
fn is_oversize(err: &Error) -> bool {
    err.to_string().contains("too long")
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;

    /// A minute without a word ends a socket; a word now and then keeps it.
    #[tokio::test(start_paused = true)]
    async fn silence_ends_a_socket() {
        let (_mailbox, inbox) = mailbox::mailbox();
        let start = Instant::now();
        let mut outside = Outside {
            stop: Box::pin(CancellationToken::new().cancelled_owned()),
            overflow: inbox.overflow(),
            idle: Box::pin(sleep(IDLE)),
            heard_at: start,
        };
        for _ in 0..10 {
            assert!(timeout(IDLE * 2 / 3, outside.wait()).await.is_err());
            outside.heard_at = Instant::now();
        }
        assert!(matches!(outside.wait().await, Input::Idle));
        assert_eq!(start.elapsed(), IDLE * 20 / 3 + IDLE);
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
