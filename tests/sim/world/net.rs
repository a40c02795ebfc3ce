//! The network between the machines: streams that behave like TCP on a bad day,
//! and datagrams that behave like UDP on one.
//!
//! A stream keeps its order and loses nothing: what is lost on the way, or runs
//! into a cut, is sent again after a while, and after [`TRIES_MAX`] times in vain
//! the connection breaks. A machine that loses its power says nothing; one whose
//! process was killed resets its connections. Connecting takes a round trip, and
//! into a cut it takes for ever. Datagrams are lost, doubled and overtaken.

use super::{MachineId, World};
use crate::clock::{MICRO, MILLI, SECOND};
use async_trait::async_trait;
use bytes::Bytes;
use hangraft_node::env::{Connection, Datagrams, Listener, Network};
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;

/// Bytes a stream holds between writer and reader; then the writer waits.
const WINDOW: usize = 256 << 10;

/// The first wait before something is sent again; it doubles each time.
const RETRY_AFTER: u64 = 200 * MILLI;

/// Times something is sent again before the connection breaks.
const TRIES_MAX: u32 = 6;

/// The first wait before a connection is asked for again; it doubles each time.
const CONNECT_RETRY_AFTER: u64 = SECOND;

/// Connections that wait to be accepted; more are turned away.
const BACKLOG_MAX: usize = 1_024;

/// Datagrams that wait to be received; more are lost.
const DATAGRAMS_MAX: usize = 256;

/// How one machine reaches another, in this direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    /// Shortest and longest time something takes, in nanoseconds.
    pub(crate) latency: (u64, u64),
    /// Of a million packets, so many are lost.
    pub(crate) loss_ppm: u64,
    /// Of a million datagrams, so many arrive twice.
    pub(crate) double_ppm: u64,
    /// No stream gets through.
    pub(crate) streams_cut: bool,
    /// No datagram gets through.
    pub(crate) datagrams_cut: bool,
}

impl Way {
    /// A good connection within a building.
    pub(crate) const GOOD: Way = Way {
        latency: (100 * MICRO, 500 * MICRO),
        loss_ppm: 0,
        double_ppm: 0,
        streams_cut: false,
        datagrams_cut: false,
    };
}

/// The network. Clones share it.
#[derive(Clone)]
pub(crate) struct Net {
    world: World,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    machines: Vec<Attached>,
    /// By sender and receiver.
    ways: BTreeMap<(MachineId, MachineId), Way>,
    listeners: BTreeMap<SocketAddr, Arc<Mutex<Backlog>>>,
    sockets: BTreeMap<SocketAddr, Arc<Mutex<Letters>>>,
    delivered: u64,
    losses: Losses,
}

/// What the network has kept from those it was sent to.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    /// Datagrams that were cut off or lost.
    pub(crate) datagrams: u64,
    /// Times that a stream, or who asked for one, had to try again.
    pub(crate) retries: u64,
}

/// A machine on the network.
struct Attached {
    ip: IpAddr,
    /// It has power: its kernel answers.
    up: bool,
    /// The ends of streams it holds.
    ends: Vec<(Arc<Stream>, usize)>,
    next_port: u16,
}

#[derive(Default)]
struct Backlog {
    waiting: VecDeque<(End, SocketAddr)>,
    waker: Option<Waker>,
}

#[derive(Default)]
struct Letters {
    waiting: VecDeque<(Bytes, SocketAddr)>,
    waker: Option<Waker>,
}

impl Net {
    pub(crate) fn new(world: World) -> Self {
        Net { world, inner: Arc::default() }
    }

    /// Puts the next machine on the network; its address there.
    pub(crate) fn attach(&self) -> IpAddr {
        let mut inner = self.lock();
        // Addresses that are kept for examples (RFC 5737); no packet leaves the process.
        let last = u8::try_from(inner.machines.len() + 1).expect("a world has few machines");
        let ip = IpAddr::V4(Ipv4Addr::new(192, 0, 2, last));
        inner.machines.push(Attached { ip, up: true, ends: Vec::new(), next_port: 40_000 });
        ip
    }

    /// Bytes that streams have delivered so far.
    pub(crate) fn delivered(&self) -> u64 {
        self.lock().delivered
    }

    /// What was lost since this was asked last.
    pub(crate) fn take_losses(&self) -> Losses {
        std::mem::take(&mut self.lock().losses)
    }

    /// Changes how `from` reaches `to`.
    pub(crate) fn change_way(&self, from: MachineId, to: MachineId, change: impl FnOnce(&mut Way)) {
        change(self.lock().ways.entry((from, to)).or_insert(Way::GOOD));
    }

    /// A machine is gone: `silently`, with its power, or as a process whose kernel
    /// lives on and resets its connections.
    pub(crate) fn crash(&self, machine: MachineId, silently: bool) {
        let ends = {
            let mut inner = self.lock();
            let ip = inner.machines[machine].ip;
            inner.listeners.retain(|address, _| address.ip() != ip);
            inner.sockets.retain(|address, _| address.ip() != ip);
            inner.machines[machine].up = !silently;
            std::mem::take(&mut inner.machines[machine].ends)
        };
        for (stream, end) in ends {
            stream.lock().die(end);
            if !silently {
                self.send_reset(&stream, 1 - end);
            }
        }
    }

    /// A machine has power again.
    pub(crate) fn power_on(&self, machine: MachineId) {
        self.lock().machines[machine].up = true;
    }

    /// What a machine sees of the network.
    pub(crate) fn of(&self, machine: MachineId) -> MachineNetwork {
        MachineNetwork { net: self.clone(), machine }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("nothing panics while the network is held")
    }

    /// How `from` reaches `to` now.
    pub(crate) fn way(&self, from: MachineId, to: MachineId) -> Way {
        self.lock().ways.get(&(from, to)).copied().unwrap_or(Way::GOOD)
    }

    fn latency(&self, way: &Way) -> u64 {
        self.world.draw(way.latency.0..way.latency.1)
    }

    fn machine_at(&self, ip: IpAddr) -> Option<MachineId> {
        self.lock().machines.iter().position(|machine| machine.ip == ip)
    }

    // --- Connecting ---------------------------------------------------------

    /// Asks for a connection, for as long as somebody waits for it.
    fn knock(&self, from: MachineId, to: SocketAddr, done: Connected, tries: u32) {
        let Some(machine) = self.machine_at(to.ip()) else {
            _ = done.send(Err(ErrorKind::HostUnreachable.into()));
            return;
        };
        let way = self.way(from, machine);
        let net = self.clone();
        if way.streams_cut || self.world.happens(way.loss_ppm) {
            self.lock().losses.retries += 1;
            return self.knock_later(from, to, done, tries);
        }
        let arriving = move || net.on_knock(from, machine, to, done, tries);
        self.world.after(self.latency(&way), arriving);
    }

    fn knock_later(&self, from: MachineId, to: SocketAddr, done: Connected, tries: u32) {
        let net = self.clone();
        self.world.after(CONNECT_RETRY_AFTER << tries.min(5), move || {
            if !done.is_closed() {
                net.knock(from, to, done, tries + 1);
            }
        });
    }

    fn on_knock(
        &self,
        from: MachineId,
        machine: MachineId,
        to: SocketAddr,
        done: Connected,
        tries: u32,
    ) {
        let back = self.way(machine, from);
        let listener = {
            let inner = self.lock();
            if !inner.machines[machine].up || back.streams_cut {
                drop(inner);
                return self.knock_later(from, to, done, tries);
            }
            inner.listeners.get(&to).cloned()
        };
        let answer = listener.and_then(|listener| self.accept(from, machine, &listener));
        let world = self.world.clone();
        self.world.after(self.latency(&back), move || {
            // Whoever asked may have given up; then the end is closed again.
            _ = done.send(answer.ok_or_else(|| ErrorKind::ConnectionRefused.into()));
            world.stir(from);
        });
    }

    /// Makes a stream, and lets the listener have its end of it.
    fn accept(
        &self,
        from: MachineId,
        to: MachineId,
        listener: &Arc<Mutex<Backlog>>,
    ) -> Option<End> {
        let (client, server, address) = self.make_stream(from, to);
        let mut backlog = listener.lock().expect("never poisoned");
        if backlog.waiting.len() >= BACKLOG_MAX {
            return None;
        }
        backlog.waiting.push_back((server, address));
        let waker = backlog.waker.take();
        drop(backlog);
        wake(waker);
        self.world.stir(to);
        Some(client)
    }

    fn make_stream(&self, from: MachineId, to: MachineId) -> (End, End, SocketAddr) {
        let stream = Arc::new(Stream(Mutex::new(Both {
            pipes: [Pipe::between(from, to), Pipe::between(to, from)],
            machines: [from, to],
        })));
        let mut inner = self.lock();
        for (end, machine) in [from, to].into_iter().enumerate() {
            let ends = &mut inner.machines[machine].ends;
            ends.retain(|(stream, _)| stream.lock().pipes.iter().any(|pipe| !pipe.reader_gone));
            ends.push((stream.clone(), end));
        }
        let client = &mut inner.machines[from];
        client.next_port = client.next_port.checked_add(1).unwrap_or(40_000);
        let address = SocketAddr::new(client.ip, client.next_port);
        let end = |end| End { net: self.clone(), stream: stream.clone(), end };
        (end(0), end(1), address)
    }

    // --- Streams ------------------------------------------------------------

    /// Puts on the way what an end has written.
    fn pump(&self, stream: &Arc<Stream>, end: usize) {
        loop {
            let (from, to) = {
                let both = stream.lock();
                let pipe = &both.pipes[end];
                if pipe.tries > 0 || pipe.outgoing.is_empty() {
                    return;
                }
                (pipe.from, pipe.to)
            };
            let way = self.way(from, to);
            if way.streams_cut || self.world.happens(way.loss_ppm) {
                stream.lock().pipes[end].tries = 1;
                self.lock().losses.retries += 1;
                return self.pump_later(stream.clone(), end, 1);
            }
            let arrival = self.world.now() + self.latency(&way);
            let (segment, arrival) = {
                let pipe = &mut stream.lock().pipes[end];
                pipe.last_arrival = arrival.max(pipe.last_arrival);
                (pipe.outgoing.pop_front().expect("just seen"), pipe.last_arrival)
            };
            let (net, stream) = (self.clone(), stream.clone());
            self.world
                .after(arrival - self.world.now(), move || net.deliver(&stream, end, segment));
        }
    }

    fn pump_later(&self, stream: Arc<Stream>, end: usize, tries: u32) {
        let net = self.clone();
        self.world.after(RETRY_AFTER << (tries - 1), move || {
            let (from, to) = {
                let both = stream.lock();
                (both.pipes[end].from, both.pipes[end].to)
            };
            if !net.way(from, to).streams_cut {
                stream.lock().pipes[end].tries = 0;
                net.pump(&stream, end);
            } else if tries < TRIES_MAX {
                stream.lock().pipes[end].tries = tries + 1;
                net.pump_later(stream, end, tries + 1);
            } else {
                let (story, now) = (&net.world.story, net.world.now());
                let (from, to) = (story.name_of(from), story.name_of(to));
                story.note(now, &from, format_args!("gives up a connection to {to} that is cut"));
                net.reset(&stream, end);
            }
        });
    }

    /// A segment of what `end` wrote arrives.
    fn deliver(&self, stream: &Arc<Stream>, end: usize, segment: Segment) {
        let mut both = stream.lock();
        let to = both.pipes[end].to;
        let pipe = &mut both.pipes[end];
        if pipe.reader_dead || pipe.reader_gone {
            // Nobody takes it. A kernel says so; a machine without power does not.
            let answers = self.lock().machines[to].up;
            drop(both);
            if answers {
                self.send_reset(stream, end);
            }
            return;
        }
        match segment {
            Segment::Bytes(bytes) => {
                self.world.story.weigh(self.world.now(), &bytes);
                self.lock().delivered += bytes.len() as u64;
                pipe.unread.push_back(bytes);
            }
            Segment::End => pipe.ended = true,
        }
        let waker = pipe.reader.take();
        drop(both);
        wake(waker);
        self.world.stir(to);
    }

    /// Tells `end` that the connection is gone, if that gets through.
    fn send_reset(&self, stream: &Arc<Stream>, end: usize) {
        let (from, to) = {
            let both = stream.lock();
            (both.machines[1 - end], both.machines[end])
        };
        let way = self.way(from, to);
        if way.streams_cut {
            return;
        }
        let (net, stream) = (self.clone(), stream.clone());
        self.world.after(self.latency(&way), move || net.reset(&stream, end));
    }

    /// The connection is gone for `end`.
    fn reset(&self, stream: &Arc<Stream>, end: usize) {
        let mut both = stream.lock();
        let machine = both.machines[end];
        let wakers = both.reset(end);
        drop(both);
        wakers.into_iter().for_each(wake);
        self.world.stir(machine);
    }

    // --- Datagrams ----------------------------------------------------------

    fn post(&self, from: MachineId, sender: SocketAddr, bytes: Bytes, to: SocketAddr) {
        let Some(machine) = self.machine_at(to.ip()) else { return };
        let way = self.way(from, machine);
        if way.datagrams_cut || self.world.happens(way.loss_ppm) {
            self.lock().losses.datagrams += 1;
            return;
        }
        let copies = 1 + u32::from(self.world.happens(way.double_ppm));
        for _ in 0..copies {
            let (net, bytes) = (self.clone(), bytes.clone());
            self.world.after(self.latency(&way), move || net.drop_in(machine, sender, bytes, to));
        }
    }

    fn drop_in(&self, machine: MachineId, sender: SocketAddr, bytes: Bytes, to: SocketAddr) {
        let Some(socket) = self.lock().sockets.get(&to).cloned() else { return };
        let mut letters = socket.lock().expect("never poisoned");
        if letters.waiting.len() >= DATAGRAMS_MAX {
            return;
        }
        self.world.story.weigh(self.world.now(), &bytes);
        letters.waiting.push_back((bytes, sender));
        let waker = letters.waker.take();
        drop(letters);
        wake(waker);
        self.world.stir(machine);
    }
}

type Connected = oneshot::Sender<io::Result<End>>;

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// A stream: two pipes.
struct Stream(Mutex<Both>);

struct Both {
    /// By the end that writes.
    pipes: [Pipe; 2],
    /// Where the ends are.
    machines: [MachineId; 2],
}

enum Segment {
    Bytes(Bytes),
    End,
}

/// One direction of a stream.
struct Pipe {
    from: MachineId,
    to: MachineId,
    /// Written, and not on its way yet.
    outgoing: VecDeque<Segment>,
    /// How often the first of these was tried in vain.
    tries: u32,
    /// Arrived, and not read yet.
    unread: VecDeque<Bytes>,
    /// Bytes written and not read yet.
    held: usize,
    last_arrival: u64,
    /// The writer will write no more.
    closed: bool,
    /// The reader has been told so.
    ended: bool,
    /// The connection is gone, for the writer and for the reader.
    writer_reset: bool,
    reader_reset: bool,
    /// The reader has let go of its end, or its machine has died.
    reader_gone: bool,
    reader_dead: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Stream {
    fn lock(&self) -> MutexGuard<'_, Both> {
        self.0.lock().expect("nothing panics while a stream is held")
    }
}

impl Both {
    /// The connection is gone for `end`; whom to wake.
    fn reset(&mut self, end: usize) -> [Option<Waker>; 2] {
        let out = &mut self.pipes[end];
        out.writer_reset = true;
        out.outgoing.clear();
        let writer = out.writer.take();
        let incoming = &mut self.pipes[1 - end];
        incoming.reader_reset = true;
        [writer, incoming.reader.take()]
    }

    /// The machine of `end` has died.
    fn die(&mut self, end: usize) {
        let out = &mut self.pipes[end];
        out.outgoing.clear();
        out.closed = true;
        out.writer = None;
        let incoming = &mut self.pipes[1 - end];
        incoming.reader_dead = true;
        incoming.unread.clear();
        incoming.reader = None;
    }
}

impl Pipe {
    fn between(from: MachineId, to: MachineId) -> Self {
        Pipe {
            from,
            to,
            outgoing: VecDeque::new(),
            tries: 0,
            unread: VecDeque::new(),
            held: 0,
            last_arrival: 0,
            closed: false,
            ended: false,
            writer_reset: false,
            reader_reset: false,
            reader_gone: false,
            reader_dead: false,
            reader: None,
            writer: None,
        }
    }
}

/// One end of a stream, as the software of a machine holds it.
struct End {
    net: Net,
    stream: Arc<Stream>,
    end: usize,
}

impl AsyncRead for End {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut both = self.stream.lock();
        let pipe = &mut both.pipes[1 - self.end];
        if pipe.unread.is_empty() {
            if pipe.reader_reset {
                return Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
            }
            if pipe.ended {
                return Poll::Ready(Ok(()));
            }
            pipe.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let before = buffer.remaining();
        while let Some(bytes) = pipe.unread.front_mut() {
            let part = bytes.split_to(bytes.len().min(buffer.remaining()));
            buffer.put_slice(&part);
            if bytes.is_empty() {
                pipe.unread.pop_front();
            } else {
                break;
            }
        }
        pipe.held -= before - buffer.remaining();
        if let Some(writer) = pipe.writer.take() {
            let (world, from) = (self.net.world.clone(), pipe.from);
            let way = self.net.way(pipe.to, pipe.from);
            self.net.world.after(self.net.latency(&way), move || {
                writer.wake();
                world.stir(from);
            });
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for End {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut both = self.stream.lock();
        let pipe = &mut both.pipes[self.end];
        if pipe.writer_reset {
            return Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
        }
        if pipe.closed {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        if pipe.held >= WINDOW {
            pipe.writer = Some(context.waker().clone());
            return Poll::Pending;
        }
        let taken = bytes.len().min(WINDOW - pipe.held);
        pipe.held += taken;
        pipe.outgoing.push_back(Segment::Bytes(Bytes::copy_from_slice(&bytes[..taken])));
        drop(both);
        self.net.pump(&self.stream, self.end);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close();
        Poll::Ready(Ok(()))
    }
}

impl End {
    /// Nothing more will be written.
    fn close(&self) {
        {
            let mut both = self.stream.lock();
            let pipe = &mut both.pipes[self.end];
            if pipe.closed || pipe.writer_reset {
                return;
            }
            pipe.closed = true;
            pipe.outgoing.push_back(Segment::End);
        }
        self.net.pump(&self.stream, self.end);
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.close();
        let mut both = self.stream.lock();
        let incoming = &mut both.pipes[1 - self.end];
        incoming.reader_gone = true;
        incoming.held = 0;
        incoming.unread.clear();
    }
}

/// What one machine sees of the network.
#[derive(Clone)]
pub(crate) struct MachineNetwork {
    net: Net,
    machine: MachineId,
}

#[async_trait]
impl Network for MachineNetwork {
    async fn listen(&self, address: SocketAddr) -> io::Result<Box<dyn Listener>> {
        let backlog = Arc::new(Mutex::new(Backlog::default()));
        let taken = self.net.lock().listeners.insert(address, backlog.clone());
        assert!(taken.is_none(), "{address} is taken");
        Ok(Box::new(Ears { net: self.net.clone(), address, backlog }))
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<Connection> {
        let (done, answer) = oneshot::channel();
        self.net.knock(self.machine, address, done, 0);
        let end = answer.await.map_err(|_| io::Error::from(ErrorKind::TimedOut))??;
        Ok(Connection::new(end))
    }
}

impl MachineNetwork {
    /// A socket for datagrams.
    pub(crate) fn datagrams(&self, address: SocketAddr) -> Arc<dyn Datagrams> {
        let letters = Arc::new(Mutex::new(Letters::default()));
        self.net.lock().sockets.insert(address, letters.clone());
        Arc::new(Socket { net: self.net.clone(), machine: self.machine, address, letters })
    }
}

/// A listener.
struct Ears {
    net: Net,
    address: SocketAddr,
    backlog: Arc<Mutex<Backlog>>,
}

#[async_trait]
impl Listener for Ears {
    async fn accept(&mut self) -> io::Result<(Connection, SocketAddr)> {
        poll_fn(|context| {
            let mut backlog = self.backlog.lock().expect("never poisoned");
            match backlog.waiting.pop_front() {
                Some((end, from)) => Poll::Ready(Ok((Connection::new(end), from))),
                None => {
                    backlog.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Ears {
    fn drop(&mut self) {
        let mut inner = self.net.lock();
        // After a crash, a later life may listen here already.
        let ours = |other: &Arc<Mutex<Backlog>>| Arc::ptr_eq(other, &self.backlog);
        if inner.listeners.get(&self.address).is_some_and(ours) {
            inner.listeners.remove(&self.address);
        }
        drop(inner);
        let waiting = std::mem::take(&mut self.backlog.lock().expect("never poisoned").waiting);
        drop(waiting);
    }
}

struct Socket {
    net: Net,
    machine: MachineId,
    address: SocketAddr,
    letters: Arc<Mutex<Letters>>,
}

#[async_trait]
impl Datagrams for Socket {
    async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        self.net.post(self.machine, self.address, Bytes::copy_from_slice(bytes), to);
        Ok(())
    }

    async fn receive_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        poll_fn(|context| {
            let mut letters = self.letters.lock().expect("never poisoned");
            match letters.waiting.pop_front() {
                Some((bytes, from)) => {
                    let length = bytes.len().min(buffer.len());
                    buffer[..length].copy_from_slice(&bytes[..length]);
                    Poll::Ready(Ok((length, from)))
                }
                None => {
                    letters.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let mut inner = self.net.lock();
        let ours = |other: &Arc<Mutex<Letters>>| Arc::ptr_eq(other, &self.letters);
        if inner.sockets.get(&self.address).is_some_and(ours) {
            inner.sockets.remove(&self.address);
        }
    }
}
