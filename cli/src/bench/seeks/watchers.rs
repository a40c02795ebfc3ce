//! Sockets that look at the numbers, as `/live` does, and count what they are sent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::bail;
use futures_util::SinkExt;
use hangraft_proto::socket::{Look, Request};
use serde::Serialize;
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_tungstenite::tungstenite::Message;

use crate::socket::{Url, next_text};

/// How long to wait before another frontend is tried.
const RECONNECT: Duration = Duration::from_millis(50);

/// How long all of them together may take to come in, and how often we look who has.
const PREPARATION: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(20);

/// The id under which the numbers are asked for.
const LIVE: u64 = 1;

/// How the numbers come.
const PUSH: &str = r#"{"push":"live""#;

/// Sockets that look on until they are dropped.
pub(super) struct Watchers {
    count: u32,
    seen: Arc<Seen>,
    _watching: JoinSet<()>,
}

#[derive(Default)]
struct Seen {
    /// Watchers who have seen the numbers.
    looking: AtomicU64,
    counts: AtomicBool,
    bytes: AtomicU64,
    pushes: AtomicU64,
}

/// What they were sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Watched {
    pub(super) sockets: u32,
    /// To all of them, as frames of the socket.
    pub(super) bytes_per_second: f64,
    /// To each of them.
    pub(super) pushes_per_second: f64,
}

impl Watchers {
    /// So many look on, when this returns.
    pub(super) async fn open(count: u32, urls: &[Url], opening_max: usize) -> anyhow::Result<Self> {
        let (seen, opening) = (Arc::<Seen>::default(), Arc::new(Semaphore::new(opening_max)));
        let mut watching = JoinSet::new();
        for number in 0..count as usize {
            watching.spawn(watch(Url::from_nth(urls, number), seen.clone(), opening.clone()));
        }
        let deadline = Instant::now() + PREPARATION;
        loop {
            let looking = seen.looking.load(Ordering::Relaxed);
            if looking >= u64::from(count) {
                return Ok(Self { count, seen, _watching: watching });
            }
            if Instant::now() > deadline {
                bail!("only {looking} of {count} watchers saw the numbers within {PREPARATION:?}");
            }
            sleep(LOOK).await;
        }
    }

    /// Counts from now on, or not any more.
    pub(super) fn count(&self, counts: bool) {
        self.seen.counts.store(counts, Ordering::Relaxed);
    }

    /// What was counted in this time.
    pub(super) fn watched(&self, time: Duration) -> Watched {
        let each = |sum: &AtomicU64| sum.load(Ordering::Relaxed) as f64 / time.as_secs_f64();
        Watched {
            sockets: self.count,
            bytes_per_second: each(&self.seen.bytes).round(),
            pushes_per_second: (each(&self.seen.pushes) / f64::from(self.count.max(1)) * 100.0)
                .round()
                / 100.0,
        }
    }
}

async fn watch(urls: Vec<Url>, seen: Arc<Seen>, opening: Arc<Semaphore>) {
    let mut looks = false;
    for url in urls.iter().cycle() {
        if let Err(err) = watch_at(url, &seen, &opening, &mut looks).await {
            tracing::debug!("{err:#}");
        }
        sleep(RECONNECT).await;
    }
}

async fn watch_at(
    url: &Url,
    seen: &Seen,
    opening: &Semaphore,
    looks: &mut bool,
) -> anyhow::Result<()> {
    let (mut socket, _) = {
        let _turn = opening.acquire().await?;
        url.enter("Watcher", None).await?
    };
    let look = Request::Live(Look { open: true }).frame(LIVE);
    socket.send(Message::text(look)).await?;
    while let Some(text) = next_text(&mut socket).await? {
        let is_live = text.starts_with(PUSH);
        if is_live && !std::mem::replace(looks, true) {
            seen.looking.fetch_add(1, Ordering::Relaxed);
        }
        if seen.counts.load(Ordering::Relaxed) {
            seen.bytes.fetch_add(frame_bytes(text.len()), Ordering::Relaxed);
            seen.pushes.fetch_add(is_live.into(), Ordering::Relaxed);
        }
    }
    Ok(())
}

/// How long a text is as a frame that a server sends (RFC 6455, section 5.2).
fn frame_bytes(text: usize) -> u64 {
    let head = match text {
        ..126 => 2,
        126..65_536 => 4,
        _ => 10,
    };
    (text + head) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_shared_out() {
        let (seen, frame) = (Arc::<Seen>::default(), frame_bytes(400));
        seen.bytes.fetch_add(20 * frame, Ordering::Relaxed);
        seen.pushes.fetch_add(20, Ordering::Relaxed);
        let watchers = Watchers { count: 5, seen, _watching: JoinSet::new() };
        let watched = watchers.watched(Duration::from_secs(2));
        assert_eq!((watched.bytes_per_second, watched.pushes_per_second), (4_040.0, 2.0));
        assert_eq!((frame_bytes(125), frame_bytes(65_536)), (127, 65_546));
    }
}
