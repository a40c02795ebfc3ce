//! One way of a connection: what waits on it, and until when.

use super::plane::Faults;
use super::weather::Weather;
use super::what::{Peer, Traffic, Way};
use bytes::Bytes;
use futures_util::StreamExt;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_stream::wrappers::WatchStream;

/// Bytes that wait on one way. More are not taken from whoever sends them.
const WAITING_BYTES_MAX: usize = 1 << 20;

/// What is lost on a stream is sent again after so long, as TCP does at least.
const SENT_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Bytes that travel together, about.
const PACKET_BYTES: usize = 1_400;

/// Packets of one write that may be lost each by itself. More share their luck.
const PACKETS_MAX: usize = 16;

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// The node that this one has called, there.
    Called(SocketAddr),
    /// Somebody who has called from there.
    Caller(SocketAddr),
}

/// One way of a connection.
pub(super) struct Lane {
    faults: Faults,
    end: End,
    way: Way,
    /// The weather, by how many changes it was looked at, and until when it holds.
    seen: Option<(u64, Option<Instant>, Weather)>,
    /// What waits, each until its time.
    waiting: VecDeque<(Instant, Bytes)>,
    bytes: usize,
    /// Nothing goes before it.
    last: Instant,
    /// Until then the way is full.
    busy: Instant,
    timer: Option<Pin<Box<Sleep>>>,
    /// Who has to wait listens to changes.
    changes: Option<WatchStream<()>>,
}

impl Lane {
    pub(super) fn new(faults: Faults, end: End, way: Way) -> Self {
        let now = Instant::now();
        Lane {
            faults,
            end,
            way,
            seen: None,
            waiting: VecDeque::new(),
            bytes: 0,
            last: now,
            busy: now,
            timer: None,
            changes: None,
        }
    }

    /// Whether everything passes as it comes.
    pub(super) fn is_clear(&mut self) -> bool {
        self.waiting.is_empty() && (!self.faults.any() || self.weather().is_good_for_streams())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn is_cut(&mut self) -> bool {
        self.faults.any() && self.weather().cut
    }

    pub(super) fn has_room(&self) -> bool {
        self.bytes < WAITING_BYTES_MAX
    }

    /// Something comes behind what waits.
    pub(super) fn push(&mut self, bytes: Bytes) {
        let (weather, now) = (self.weather(), Instant::now());
        let mut at = now.max(self.busy);
        if let Some(per_s) = weather.bytes_per_s {
            let takes = bytes.len() as f64 / per_s.max(1) as f64;
            at += Duration::from_secs_f64(takes);
            self.busy = at;
        }
        at += self.faults.draw(weather.delay) + self.stall(weather.loss, bytes.len());
        self.last = self.last.max(at);
        self.bytes += bytes.len();
        self.waiting.push_back((self.last, bytes));
    }

    /// The next that may go on now. When all is well again, nothing waits any more.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            let Some((at, _)) = self.waiting.front() else { return Poll::Ready(None) };
            let at = *at;
            self.listen();
            let (weather, now) = (self.weather(), Instant::now());
            let good = weather.is_good_for_streams();
            if good {
                (self.last, self.busy) = (now, now);
            }
            if good || !weather.cut && now >= at {
                let (_, bytes) = self.waiting.pop_front().expect("it was just looked at");
                self.bytes -= bytes.len();
                return Poll::Ready(Some(bytes));
            }
            std::task::ready!(self.poll_change((!weather.cut).then_some(at), context));
        }
    }

    /// Ready when the way is not cut.
    pub(super) fn poll_uncut(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            self.listen();
            if !self.is_cut() {
                return Poll::Ready(());
            }
            std::task::ready!(self.poll_change(None, context));
        }
    }

    /// What still waits, in order.
    pub(super) fn take_all(&mut self) -> Vec<Bytes> {
        self.bytes = 0;
        self.waiting.drain(..).map(|(_, bytes)| bytes).collect()
    }

    /// Back to the front: not all of it could go on.
    pub(super) fn put_back(&mut self, bytes: Bytes) {
        self.bytes += bytes.len();
        self.waiting.push_front((Instant::now(), bytes));
    }

    /// From now on no change is missed. Comes before a look at the weather.
    fn listen(&mut self) {
        let faults = &self.faults;
        self.changes.get_or_insert_with(|| WatchStream::from_changes(faults.follow()));
    }

    /// Ready when something may have changed since [`Lane::listen`], and at this time.
    fn poll_change(&mut self, at: Option<Instant>, context: &mut Context<'_>) -> Poll<()> {
        let changes = self.changes.as_mut().map(|changes| changes.poll_next_unpin(context));
        if changes.is_some_and(|changed| changed.is_ready()) {
            return Poll::Ready(());
        }
        let until = self.seen.and_then(|(_, until, _)| until);
        match [at, until].into_iter().flatten().min() {
            Some(at) => self.poll_timer(at, context),
            None => Poll::Pending,
        }
    }

    fn poll_timer(&mut self, at: Instant, context: &mut Context<'_>) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        timer.as_mut().poll(context)
    }

    fn weather(&mut self) -> Weather {
        let (changes, now) = (self.faults.changes(), Instant::now());
        if let Some((then, until, weather)) = self.seen
            && then == changes
            && until.is_none_or(|until| now < until)
        {
            return weather;
        }
        let peer = match self.end {
            End::Called(address) => Some(Peer::Node(address)),
            End::Caller(address) => self.faults.is_frontend(address).then_some(Peer::Frontends),
        };
        let look = |peer| self.faults.weather(peer, self.way, Traffic::Streams);
        let weather = peer.map_or_else(Weather::default, look);
        let until = weather.lasts.map(|lasts| now + lasts);
        // Until when it holds is no part of how it is.
        let weather = Weather { lasts: None, ..weather };
        self.seen = Some((changes, until, weather));
        weather
    }

    /// For how long these bytes stand still because some of them are lost.
    fn stall(&self, ppm: u32, bytes: usize) -> Duration {
        let packets = bytes.div_ceil(PACKET_BYTES).clamp(1, PACKETS_MAX);
        let mut stall = Duration::ZERO;
        let mut again = SENT_AGAIN_AFTER;
        let mut is_lost = (0..packets).any(|_| self.faults.happens(ppm));
        while is_lost && again < SENT_AGAIN_AFTER * 16 {
            stall += again;
            again *= 2;
            is_lost = self.faults.happens(ppm);
        }
        stall
    }
}
