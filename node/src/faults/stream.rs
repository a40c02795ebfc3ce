//! A connection that passes through the fault plane.

use super::link::{End, Lane};
use super::plane::Faults;
use super::what::Way;
use crate::env::Connection;
use bytes::{Buf, Bytes};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

/// Bytes that are taken from a connection at once, to be held.
const READ_BYTES: usize = 16 << 10;

/// For so long the other end of a cut does not hear that this one has hung up.
const UNHEARD_FOR: Duration = Duration::from_secs(60);

/// See the module's text.
pub(super) struct FaultyStream {
    /// `None` once it is dropped.
    inner: Option<Connection>,
    faults: Faults,
    other: End,
    read: Lane,
    written: Lane,
    /// How the other end has ended, to be said behind what waits.
    end: Option<io::Result<()>>,
    /// Where bytes are taken to first.
    buffer: Vec<u8>,
}

impl FaultyStream {
    pub(super) fn new(inner: Connection, faults: &Faults, end: End) -> Self {
        if let End::Caller(address) = end {
            faults.meet_caller(address);
        }
        let [read, written] = [Way::In, Way::Out].map(|way| Lane::new(faults.clone(), end, way));
        let (inner, faults) = (Some(inner), faults.clone());
        FaultyStream { inner, faults, other: end, read, written, end: None, buffer: Vec::new() }
    }

    fn inner(&mut self) -> Pin<&mut Connection> {
        Pin::new(self.inner.as_mut().expect("it is there until it is dropped"))
    }

    /// Takes what has come, to be held.
    fn poll_take(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.end.is_none() && self.read.has_room() {
            ready!(self.read.poll_uncut(context));
            self.buffer.resize(READ_BYTES, 0);
            let mut bytes = std::mem::take(&mut self.buffer);
            let mut buffer = ReadBuf::new(&mut bytes);
            let taken = self.inner().poll_read(context, &mut buffer);
            let held = Bytes::copy_from_slice(buffer.filled());
            self.buffer = bytes;
            match ready!(taken) {
                Ok(()) if held.is_empty() => self.end = Some(Ok(())),
                Ok(()) => self.read.push(held),
                Err(err) => self.end = Some(Err(err)),
            }
        }
        Poll::Pending
    }

    /// Sends what has waited long enough; ready when nothing waits.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(mut bytes) = ready!(self.written.poll_next(context)) {
            let sent = match self.inner().poll_write(context, &bytes) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(sent)) => sent,
                Poll::Ready(Err(err)) => return Poll::Ready(Err(err)),
                Poll::Pending => {
                    self.written.put_back(bytes);
                    return Poll::Pending;
                }
            };
            bytes.advance(sent);
            if !bytes.is_empty() {
                self.written.put_back(bytes);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for FaultyStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.end.is_none() && this.read.is_clear() {
            return this.inner().poll_read(context, buffer);
        }
        // Only whether there is more: what it is comes below.
        _ = this.poll_take(context);
        match ready!(this.read.poll_next(context)) {
            Some(mut bytes) => {
                let fits = bytes.split_to(bytes.len().min(buffer.remaining()));
                buffer.put_slice(&fits);
                if !bytes.is_empty() {
                    this.read.put_back(bytes);
                }
                Poll::Ready(Ok(()))
            }
            None if this.end.is_none() => Poll::Pending,
            None => {
                // Nobody hears an end across a cut.
                ready!(this.read.poll_uncut(context));
                match this.end.replace(Ok(())) {
                    Some(Err(err)) => Poll::Ready(Err(err)),
                    _ => Poll::Ready(Ok(())),
                }
            }
        }
    }
}

impl AsyncWrite for FaultyStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.written.is_clear() || bytes.is_empty() {
            return this.inner().poll_write(context, bytes);
        }
        if let Poll::Ready(Err(err)) = this.poll_send(context) {
            return Poll::Ready(Err(err));
        }
        if !this.written.has_room() {
            return Poll::Pending;
        }
        this.written.push(Bytes::copy_from_slice(bytes));
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.written.is_empty() {
            ready!(self.poll_send(context))?;
        }
        self.inner().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.written.is_empty() {
            ready!(self.poll_send(context))?;
        }
        ready!(self.written.poll_uncut(context));
        self.inner().poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.written.is_clear() {
            return self.inner().poll_write_vectored(context, slices);
        }
        let first = slices.iter().find(|slice| !slice.is_empty());
        self.poll_write(context, first.map_or(&[], |slice| slice))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.as_ref().is_some_and(Connection::is_write_vectored)
    }
}

/// Waits until neither way to there is cut.
async fn healed(faults: &Faults, other: End) {
    for way in [Way::In, Way::Out] {
        let mut lane = Lane::new(faults.clone(), other, way);
        poll_fn(|context| lane.poll_uncut(context)).await;
    }
}

/// Hangs up. What was sent still gets there, and neither that nor the end is heard across a
/// cut.
async fn hang_up(mut inner: Connection, faults: Faults, other: End, waiting: Vec<Bytes>) {
    let ending = async {
        healed(&faults, other).await;
        for bytes in waiting {
            inner.write_all(&bytes).await?;
        }
        inner.shutdown().await
    };
    // Nobody is left who could be told that it failed.
    _ = timeout(UNHEARD_FOR, ending).await;
    forget(&faults, other);
}

fn forget(faults: &Faults, other: End) {
    if let End::Caller(address) = other {
        faults.forget_caller(address);
    }
}

impl Drop for FaultyStream {
    fn drop(&mut self) {
        let is_cut = self.written.is_cut() || self.read.is_cut();
        let (faults, other, waiting) = (self.faults.clone(), self.other, self.written.take_all());
        let runtime = tokio::runtime::Handle::try_current().ok();
        let late = runtime.filter(|_| is_cut || !waiting.is_empty());
        match (late, self.inner.take()) {
            (Some(runtime), Some(inner)) => {
                runtime.spawn(hang_up(inner, faults, other, waiting));
            }
            _ => forget(&faults, other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::what::{Fault, LinkFault, Pause, Peer, Traffic, Trouble};
    use super::*;
    use tokio::io::{AsyncReadExt, DuplexStream, duplex};
    use tokio::time::Instant;

    const NODE: ([u8; 4], u16) = ([10, 0, 0, 2], 7101);
    const FRONTEND: ([u8; 4], u16) = ([10, 0, 0, 9], 50_000);

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn stream(faults: &Faults, end: End) -> (FaultyStream, DuplexStream) {
        let (near, far) = duplex(1 << 20);
        (FaultyStream::new(Connection::new(near), faults, end), far)
    }

    fn fault(peer: Peer, way: Way, trouble: Trouble) -> Fault {
        Fault::Link(LinkFault { peer, way, traffic: Traffic::Streams, trouble, flap: None })
    }

    fn of_node(way: Way, trouble: Trouble) -> Fault {
        fault(Peer::Node(NODE.into()), way, trouble)
    }

    /// Writes, and how long it takes until the other end has it.
    async fn there(near: &mut FaultyStream, far: &mut DuplexStream, bytes: &[u8]) -> Duration {
        let (begun, mut read) = (Instant::now(), vec![0; bytes.len()]);
        let send = async {
            near.write_all(bytes).await.unwrap();
            near.flush().await.unwrap();
        };
        let (_, received) = tokio::join!(send, far.read_exact(&mut read));
        received.unwrap();
        assert_eq!(read, bytes);
        begun.elapsed()
    }

    async fn back(near: &mut FaultyStream, far: &mut DuplexStream, bytes: &[u8]) -> Duration {
        let (begun, mut read) = (Instant::now(), vec![0; bytes.len()]);
        far.write_all(bytes).await.unwrap();
        near.read_exact(&mut read).await.unwrap();
        assert_eq!(read, bytes);
        begun.elapsed()
    }

    /// A cut is one way, and what was sent into it arrives whole when it is healed.
    #[tokio::test(start_paused = true)]
    async fn a_cut_stands_still_until_it_is_healed() {
        let faults = Faults::new(1);
        let (mut near, mut far) = stream(&faults, End::Called(NODE.into()));
        assert_eq!(there(&mut near, &mut far, b"before").await, ms(0));
        faults.inject(vec![of_node(Way::Out, Trouble::Cut)], None).unwrap();
        assert_eq!(back(&mut near, &mut far, b"the other way").await, ms(0));
        let healing = faults.clone();
        tokio::spawn(async move {
            tokio::time::sleep(ms(500)).await;
            healing.heal(&[]);
        });
        assert_eq!(there(&mut near, &mut far, &[7; 5_000]).await, ms(500));
        assert_eq!(there(&mut near, &mut far, b"after").await, ms(0));
    }

    /// What was on its way when the cut began is not heard before it ends.
    #[tokio::test(start_paused = true)]
    async fn a_cut_is_not_heard_through() {
        let faults = Faults::new(1);
        let (mut near, mut far) = stream(&faults, End::Called(NODE.into()));
        far.write_all(b"early").await.unwrap();
        faults.inject(vec![of_node(Way::In, Trouble::Cut)], None).unwrap();
        let mut read = [0; 5];
        let heard = timeout(ms(300), near.read_exact(&mut read)).await;
        assert!(heard.is_err(), "nothing is heard");
        faults.heal(&[]);
        near.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"early");
    }

    /// Slow, narrow and lossy ways take their time, and nothing is put out of order.
    #[tokio::test(start_paused = true)]
    async fn a_slow_way_takes_its_time() {
        let slow = Trouble::Delay(Pause { least: ms(40), jitter: ms(0) });
        for (way, trouble, takes) in [
            (Way::Out, slow, ms(40)),
            (Way::In, slow, ms(40)),
            (Way::Out, Trouble::Bandwidth(10_000), ms(100)),
            (Way::In, Trouble::Bandwidth(10_000), ms(100)),
            // All is lost, as often as it is sent again.
            (Way::Out, Trouble::Loss(1_000_000), ms(200 + 400 + 800 + 1_600)),
            (Way::Out, Trouble::Duplicate(1_000_000), ms(0)),
        ] {
            let faults = Faults::new(1);
            let (mut near, mut far) = stream(&faults, End::Called(NODE.into()));
            faults.inject(vec![of_node(way, trouble)], None).unwrap();
            let bytes: Vec<u8> = (0..1_000).map(|i| i as u8).collect();
            let took = match way {
                Way::Out => there(&mut near, &mut far, &bytes).await,
                Way::In => back(&mut near, &mut far, &bytes).await,
            };
            assert!(takes <= took && took < takes + ms(5), "{way:?} {trouble:?}: {took:?}");
        }
    }

    /// What is on a slow way is there as soon as the way is good again.
    #[tokio::test(start_paused = true)]
    async fn healing_heals_what_waits() {
        let slow = Trouble::Delay(Pause { least: ms(60_000), jitter: ms(0) });
        for trouble in [slow, Trouble::Bandwidth(1), Trouble::Loss(1_000_000)] {
            for way in [Way::Out, Way::In] {
                let faults = Faults::new(1);
                let (mut near, mut far) = stream(&faults, End::Called(NODE.into()));
                faults.inject(vec![of_node(way, trouble)], None).unwrap();
                let healing = faults.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(ms(100)).await;
                    healing.heal(&[]);
                });
                let took = match way {
                    Way::Out => there(&mut near, &mut far, &[7; 2_000]).await,
                    Way::In => back(&mut near, &mut far, &[7; 2_000]).await,
                };
                assert_eq!(took, ms(100), "{way:?} {trouble:?}");
                assert_eq!(there(&mut near, &mut far, b"after").await, ms(0));
            }
        }
    }

    /// A way that comes and goes lets everything through when it is there.
    #[tokio::test(start_paused = true)]
    async fn a_flapping_way_lets_through_now_and_then() {
        let faults = Faults::new(1);
        let (mut near, mut far) = stream(&faults, End::Called(NODE.into()));
        let (peer, traffic, flap) = (Peer::Node(NODE.into()), Traffic::All, Some(ms(200)));
        let (way, trouble) = (Way::Out, Trouble::Cut);
        let link = LinkFault { peer, way, traffic, trouble, flap };
        faults.inject(vec![Fault::Link(link)], None).unwrap();
        assert_eq!(there(&mut near, &mut far, b"during").await, ms(200));
        assert_eq!(there(&mut near, &mut far, b"between").await, ms(0));
        tokio::time::sleep(ms(200)).await;
        assert_eq!(there(&mut near, &mut far, b"again").await, ms(200));
    }

    /// Whoever has called is nobody's link, until they show that they are a frontend.
    #[tokio::test(start_paused = true)]
    async fn a_caller_is_concerned_when_it_is_a_frontend() {
        let faults = Faults::new(1);
        let (mut near, mut far) = stream(&faults, End::Caller(FRONTEND.into()));
        let cut = fault(Peer::Frontends, Way::Out, Trouble::Cut);
        let node = fault(Peer::Node(FRONTEND.into()), Way::Out, Trouble::Cut);
        faults.inject(vec![cut, node], None).unwrap();
        assert_eq!(there(&mut near, &mut far, b"who are you?").await, ms(0));
        faults.note_frontend(FRONTEND.into());
        near.write_all(b"I see").await.unwrap();
        assert!(timeout(ms(100), near.flush()).await.is_err(), "it is cut");
        assert!(timeout(ms(100), far.read_u8()).await.is_err());
        assert!(faults.is_frontend(FRONTEND.into()));
        faults.heal(&[]);
        drop(near);
        let mut heard = String::new();
        far.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "I see");
        tokio::task::yield_now().await;
        assert!(!faults.is_frontend(FRONTEND.into()), "it is forgotten with its connection");
    }

    /// Across a cut nobody hears that the other end has hung up.
    #[tokio::test(start_paused = true)]
    async fn hanging_up_is_not_heard_across_a_cut() {
        let faults = Faults::new(1);
        let (mut near, mut far) = stream(&faults, End::Called(NODE.into()));
        faults.inject(vec![of_node(Way::Out, Trouble::Cut)], None).unwrap();
        near.write_all(b"last words").await.unwrap();
        drop(near);
        assert!(timeout(ms(1_000), far.read_u8()).await.is_err());
        let other = faults.inject(vec![Fault::FullDisk], None).unwrap();
        assert_eq!(faults.heal(&other), [(other[0], Fault::FullDisk)]);
        assert!(timeout(ms(1_000), far.read_u8()).await.is_err(), "something else has changed");
        faults.heal(&[]);
        let mut heard = String::new();
        far.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "last words", "now it is");
    }
}
