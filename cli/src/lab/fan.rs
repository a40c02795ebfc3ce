//! Hands what happens to all who look. A viewer that does not read is cut off: it comes back
//! by itself, and nobody waits for it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hangraft_lab::{
    history::Moment,
    timeline::{Head, Line},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::lab::store::Store;

/// Ticks that wait for one viewer, some twenty seconds of them. With more it is cut off.
const WAITING_MAX: usize = 400;

/// Viewers at once.
const VIEWERS_MAX: usize = 64;

/// What a lab keeps, and who looks at it.
pub(crate) struct Fan {
    inner: Mutex<Inner>,
}

struct Inner {
    store: Store,
    viewers: Vec<Viewer>,
    /// What the presenter shows.
    shown: Option<Bytes>,
}

struct Viewer {
    to: mpsc::Sender<Bytes>,
    hang_up: CancellationToken,
}

/// What a viewer gets: first what is kept, then what comes.
pub(crate) struct View {
    pub(crate) past: Vec<Bytes>,
    pub(crate) news: mpsc::Receiver<Bytes>,
}

impl Fan {
    /// One that nobody looks at.
    pub(crate) fn new(head: Head) -> Self {
        let inner = Inner { store: Store::new(head), viewers: Vec::new(), shown: None };
        Self { inner: Mutex::new(inner) }
    }

    /// Hands out lines, and since when somebody waits for a move to be answered.
    pub(crate) fn tell(&self, now: Moment, waits: Option<Moment>, lines: Vec<Line>) {
        let mut inner = self.inner();
        let event = inner.store.add(now, waits, lines);
        inner.send(&event);
    }

    /// Shows all who follow what the presenter looks at: JSON.
    pub(crate) fn show(&self, what: &serde_json::Value) {
        let event = Bytes::from(format!("event: shown\ndata: {what}\n\n"));
        let mut inner = self.inner();
        inner.shown = Some(event.clone());
        inner.send(&event);
    }

    /// Somebody looks, who has seen all up to a tick; none if there are too many.
    pub(crate) fn view(&self, after: Option<u64>, hang_up: CancellationToken) -> Option<View> {
        let mut inner = self.inner();
        inner.viewers.retain(|viewer| !viewer.to.is_closed());
        if inner.viewers.len() >= VIEWERS_MAX {
            return None;
        }
        let (to, news) = mpsc::channel(WAITING_MAX);
        inner.viewers.push(Viewer { to, hang_up });
        let mut past = inner.store.past(after);
        past.extend(inner.shown.clone());
        Some(View { past, news })
    }

    /// All that is kept, as a timeline.
    pub(crate) fn timeline(&self) -> (Head, Vec<Line>) {
        self.inner().store.timeline()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn send(&mut self, event: &Bytes) {
        self.viewers.retain(|viewer| {
            let sent = viewer.to.try_send(event.clone()).is_ok();
            if !sent {
                viewer.hang_up.cancel();
            }
            sent
        });
    }
}

#[cfg(test)]
mod tests {
    use hangraft_lab::timeline::FORMAT;

    use super::*;

    fn fan() -> Fan {
        Fan::new(Head {
            format: FORMAT,
            title: String::new(),
            began_unix_ms: 0,
            from: 0,
            command: String::new(),
            about: String::new(),
            nodes: Vec::new(),
            clients: Vec::new(),
        })
    }

    /// Whoever reads gets everything; whoever does not is hung up on.
    #[tokio::test]
    async fn a_slow_viewer_harms_nobody() {
        let (fan, slow, quick) = (fan(), CancellationToken::new(), CancellationToken::new());
        let _unread = fan.view(None, slow.clone()).unwrap();
        let mut read = fan.view(None, quick.clone()).unwrap();
        for now in 0..2 * WAITING_MAX as u64 {
            fan.tell(now, None, Vec::new());
            assert!(read.news.recv().await.is_some());
        }
        assert!(slow.is_cancelled() && !quick.is_cancelled());
    }

    #[test]
    fn there_are_only_so_many_viewers() {
        let fan = fan();
        let view = || fan.view(None, CancellationToken::new());
        let mut views: Vec<_> = (0..VIEWERS_MAX).map(|_| view().expect("a place")).collect();
        assert!(view().is_none());
        drop(views.pop());
        assert!(view().is_some(), "whoever goes makes room");
    }

    /// Whoever comes later sees what is shown now.
    #[test]
    fn what_is_shown_is_seen_by_all() {
        let fan = fan();
        let mut early = fan.view(None, CancellationToken::new()).unwrap();
        fan.show(&serde_json::json!({ "hash": "#t=1" }));
        let late = fan.view(None, CancellationToken::new()).unwrap();
        let shown = early.news.try_recv().unwrap();
        assert_eq!(shown, "event: shown\ndata: {\"hash\":\"#t=1\"}\n\n");
        assert_eq!(late.past.last(), Some(&shown));
    }
}
