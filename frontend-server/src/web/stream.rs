//! The streams beneath HTTP and beneath sockets, with what they may cost.
//!
//! Both pass bytes on unchanged. [`Impatient`] ends a connection whose other side does
//! not take what is sent to it. [`Metered`] ends a socket that sends frames without
//! end that are no messages, or frames crumb by crumb.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

use super::frames::FrameCounter;
use crate::pace::Pace;

/// A connection on which nothing that is to be sent was taken for this long has ended.
const WRITE_DEADLINE: Duration = Duration::from_secs(20);
/// Control frames and pieces of messages that one socket may send in [`WINDOW`]; one
/// more ends it. A browser sends one pong for each ping of ours.
const PIECES_MAX: u32 = 200;
/// Times that bytes of one socket may arrive in [`WINDOW`] without finishing a frame;
/// once more ends it. The largest message takes a few.
const CRUMBS_MAX: u32 = 1_000;
const WINDOW: Duration = Duration::from_secs(20);

/// A stream whose other side has to take what is sent to it.
#[derive(Debug)]
pub(super) struct Impatient<S> {
    stream: S,
    /// Runs while a write waits.
    patience: Option<Pin<Box<Sleep>>>,
}

impl<S> Impatient<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, patience: None }
    }

    /// Looks at how a write went: one that waits, waits only so long.
    fn judge(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.patience = None;
            return written;
        }
        let patience = self.patience.get_or_insert_with(|| Box::pin(sleep(WRITE_DEADLINE)));
        ready!(patience.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Impatient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Impatient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The stream beneath a socket.
#[derive(Debug)]
pub(super) struct Metered<S> {
    stream: S,
    frames: FrameCounter,
    pieces: Pace,
    crumbs: Pace,
    /// More came than may come; nothing more is read.
    overrun: bool,
}

impl<S> Metered<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            frames: FrameCounter::default(),
            pieces: Pace::new(PIECES_MAX, WINDOW),
            crumbs: Pace::new(CRUMBS_MAX, WINDOW),
            overrun: false,
        }
    }

    /// Whether reading ended because of what came in.
    pub(super) fn overrun(&self) -> bool {
        self.overrun
    }

    /// The stream itself, with nothing counted.
    pub(super) fn unmetered(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Whether these bytes, which came at once, may still come.
    fn allows(&mut self, bytes: &[u8]) -> bool {
        let now = Instant::now().into_std();
        let passed = self.frames.pass(bytes);
        (0..passed.pieces).all(|_| self.pieces.take(now))
            && (passed.ended > 0 || self.crumbs.take(now))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.overrun {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
            let new = &buffer.filled()[before..];
            self.overrun = !new.is_empty() && !self.allows(new);
        }
        if self.overrun {
            return Poll::Ready(Err(io::Error::other("far too many frames")));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    /// Who takes nothing for too long is left; who takes a little now and then is not.
    #[tokio::test(start_paused = true)]
    async fn a_write_waits_only_so_long() {
        let (ours, mut theirs) = duplex(10);
        let mut ours = Impatient::new(ours);
        let begun = Instant::now();
        let reading = async {
            for _ in 0..5 {
                sleep(WRITE_DEADLINE / 2).await;
                theirs.read_exact(&mut [0; 10]).await.unwrap();
            }
            std::future::pending::<()>().await;
        };
        let writing = ours.write_all(&[0; 100]);
        let written = tokio::select! {
            written = writing => written,
            () = reading => unreachable!("it never ends"),
        };
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed(), WRITE_DEADLINE * 5 / 2 + WRITE_DEADLINE);
    }

    /// A client's text without a word in it, and its ping.
    const TEXT: [u8; 6] = [0x81, 0x80, 0, 0, 0, 0];
    const PING: [u8; 6] = [0x89, 0x80, 0, 0, 0, 0];
    const PIECE: [u8; 6] = [0x00, 0x80, 0, 0, 0, 0];

    async fn comes_through(frames: &[u8]) -> io::Result<()> {
        let (ours, mut theirs) = duplex(1 << 20);
        let mut ours = Metered::new(ours);
        theirs.write_all(frames).await.unwrap();
        ours.read_exact(&mut vec![0; frames.len()]).await.map(drop)
    }

    /// Messages are counted by those who read them; pings, pieces and crumbs here.
    #[tokio::test(start_paused = true)]
    async fn only_so_many_frames_are_free() {
        let most = PIECES_MAX as usize;
        assert!(comes_through(&TEXT.repeat(10_000)).await.is_ok());
        for piece in [PING, PIECE] {
            assert!(comes_through(&piece.repeat(most)).await.is_ok());
            assert!(comes_through(&piece.repeat(most + 1)).await.is_err());
        }
    }

    /// A frame that comes byte by byte costs as much as many; one that comes as
    /// networks deliver it costs next to nothing.
    #[tokio::test(start_paused = true)]
    async fn crumbs_are_counted() {
        let crumbs = |bytes: usize| async move {
            let (ours, mut theirs) = duplex(1 << 20);
            let mut ours = Metered::new(ours);
            let mut frame = vec![0x82, 0x80 | 126, 0x1f, 0xff, 0, 0, 0, 0];
            frame.resize(frame.len() + 0x1fff, 7);
            for crumb in frame.chunks(bytes) {
                theirs.write_all(crumb).await.unwrap();
                ours.read_exact(&mut vec![0; crumb.len()]).await?;
            }
            io::Result::Ok(ours)
        };
        assert!(crumbs(1).await.unwrap_err().to_string().contains("too many"));
        assert!(!crumbs(1_400).await.unwrap().overrun());
    }
}
