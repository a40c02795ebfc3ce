//! What one stream looks at besides rooms and players: the open seeks, and the numbers.
//!
//! They change with almost every batch, and who looks wants to see them move, not each of
//! them. So a stream is shown them at once, then at most four times a second, and the last
//! change always. What is shown is made once for all streams of a node. While nobody looks
//! nothing is made, and no timer runs.

use super::convert;
use crate::feed::{Feed, Revision};
use crate::replica::handle::Replica;
use bytes::Bytes;
use hangraft_game::OpenOffer;
use hangraft_proto::v1::{Glance as WireGlance, Live, Seeks};
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Between two times that a stream is shown the same thing.
const SHOW_PAUSE: Duration = Duration::from_millis(250);

/// Open seeks that are shown, the newest.
const SEEKS_MAX: usize = 50;

/// What the streams of a node are shown, as it was made last. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Screen(Arc<Mutex<Shown>>);

#[derive(Default)]
struct Shown {
    seeks: Option<(Revision, Arc<OpenSeeks>)>,
    live: Option<(Revision, Numbers)>,
}

/// The open seeks at one moment.
#[derive(Default)]
struct OpenSeeks {
    offers: Vec<OpenOffer>,
    total: usize,
    /// The moment, in lobby time: they grow older without being other ones.
    at_ms: u64,
}

/// The numbers as they are sent.
#[derive(Clone, Default)]
struct Numbers {
    numbers: Bytes,
    /// Which minute is the last of the last hour.
    minute: u64,
    minutes: Bytes,
}

/// What one stream looks at.
pub(crate) struct Glance {
    feed: Feed,
    screen: Screen,
    lobby: Gaze,
    live: Gaze,
    /// The last minute that was shown.
    minute: Option<u64>,
}

/// Something that is to be shown now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    Seeks,
    Live,
}

/// One of the things that a stream may look at.
struct Gaze {
    /// None while it does not.
    changes: Option<watch::Receiver<Revision>>,
    /// When it may be shown again.
    not_before: Instant,
}

impl Gaze {
    fn new() -> Self {
        Gaze { changes: None, not_before: Instant::now() }
    }

    /// Looks from now on, or does not; true if it has just begun.
    fn set(&mut self, looks: bool, subscribe: impl FnOnce() -> watch::Receiver<Revision>) -> bool {
        let begins = looks && self.changes.is_none();
        if begins {
            let mut changes = subscribe();
            // It has not seen anything yet.
            changes.mark_changed();
            self.changes = Some(changes);
        }
        if !looks {
            self.changes = None;
        }
        begins
    }

    /// Waits until there is something that it has not seen, and may.
    async fn due(&mut self) {
        let Some(changes) = &mut self.changes else { return pending().await };
        sleep_until(self.not_before).await;
        if changes.changed().await.is_err() {
            // The feed is gone, and with it the node.
            pending().await
        }
    }

    /// It is shown. The revision that is newest now, and may be made anew meanwhile: then it
    /// is shown again.
    fn see(&mut self) -> Revision {
        self.not_before = Instant::now() + SHOW_PAUSE;
        let changes = self.changes.as_mut();
        changes.map_or_else(Revision::default, |changes| *changes.borrow_and_update())
    }
}

impl Glance {
    pub(crate) fn new(feed: Feed, screen: Screen) -> Self {
        Glance { feed, screen, lobby: Gaze::new(), live: Gaze::new(), minute: None }
    }

    /// What the stream looks at from now on.
    pub(crate) fn look_at(&mut self, glance: WireGlance) {
        self.lobby.set(glance.lobby, || self.feed.seeks());
        if self.live.set(glance.live, || self.feed.live()) {
            self.minute = None;
        }
    }

    /// Waits until something is to be shown.
    pub(crate) async fn next(&mut self) -> Sight {
        tokio::select! {
            () = self.lobby.due() => Sight::Seeks,
            () = self.live.due() => Sight::Live,
        }
    }

    /// The open seeks.
    pub(crate) fn seeks(&mut self, replica: &Replica) -> Seeks {
        let seeks = self.screen.seeks(self.lobby.see(), replica);
        let now_ms = replica.lobby_now_ms();
        convert::seeks(&seeks.offers, seeks.total, now_ms.saturating_sub(seeks.at_ms))
    }

    /// The numbers, and the last hour if its last minute is another than was shown before.
    pub(crate) fn live(&mut self, replica: &Replica) -> Live {
        let Numbers { numbers, minute, minutes } = self.screen.live(self.live.see(), replica);
        let again = self.minute.replace(minute) == Some(minute);
        Live { numbers, minutes: if again { Bytes::new() } else { minutes } }
    }
}

impl Screen {
    fn seeks(&self, revision: Revision, replica: &Replica) -> Arc<OpenSeeks> {
        let mut shown = self.0.lock().expect("reading the lobby does not panic");
        made_for(revision, &mut shown.seeks, || {
            Arc::new(replica.machine().with_lobby(|lobby| {
                let (offers, total) = lobby.open_seeks(SEEKS_MAX);
                OpenSeeks { offers, total, at_ms: lobby.now_ms() }
            }))
        })
    }

    fn live(&self, revision: Revision, replica: &Replica) -> Numbers {
        let mut shown = self.0.lock().expect("reading the lobby does not panic");
        made_for(revision, &mut shown.live, || {
            replica.machine().with_lobby(|lobby| {
                let (minute, minutes) = lobby.minutes_json();
                let numbers = lobby.live_json().into();
                Numbers { numbers, minute, minutes: minutes.into() }
            })
        })
    }
}

/// What was made for this revision, if it is the one that was made last; else it is made.
fn made_for<R: PartialEq, T: Clone>(
    revision: R,
    kept: &mut Option<(R, T)>,
    make: impl FnOnce() -> T,
) -> T {
    match kept {
        Some((of, made)) if *of == revision => made.clone(),
        _ => {
            let made = make();
            *kept = Some((revision, made.clone()));
            made
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{advance, timeout};

    async fn is_due(gaze: &mut Gaze) -> bool {
        timeout(Duration::ZERO, gaze.due()).await.is_ok()
    }

    /// Who begins to look is shown it at once, then at most four times a second, and the
    /// last change is never left out. Who does not look is not woken.
    #[tokio::test(start_paused = true)]
    async fn who_looks_is_shown_four_a_second_and_the_last() {
        let changes = watch::Sender::new(Revision::default());
        let change = || changes.send_modify(|_| ());
        let mut gaze = Gaze::new();
        change();
        assert!(!is_due(&mut gaze).await, "it does not look");
        assert!(gaze.set(true, || changes.subscribe()));
        assert!(is_due(&mut gaze).await);
        gaze.see();
        assert!(!gaze.set(true, || changes.subscribe()), "it looks already");
        for _ in 0..20 {
            change();
            assert!(!is_due(&mut gaze).await);
            advance(SHOW_PAUSE / 20).await;
        }
        assert!(is_due(&mut gaze).await, "what came in between");
        gaze.see();
        advance(SHOW_PAUSE).await;
        assert!(!is_due(&mut gaze).await, "nothing has changed");
        change();
        assert!(is_due(&mut gaze).await, "at once, after a pause");
        gaze.see();
        // Looking away and back is no way to be shown more.
        gaze.set(false, || changes.subscribe());
        assert!(!is_due(&mut gaze).await);
        assert!(gaze.set(true, || changes.subscribe()));
        assert!(!is_due(&mut gaze).await);
        advance(SHOW_PAUSE).await;
        assert!(is_due(&mut gaze).await);
    }

    /// Whoever asks for the same revision gets what was made for it.
    #[test]
    fn what_is_shown_is_made_once() {
        let (mut kept, mut made) = (None, 0);
        let mut ask = |revision: u64| {
            made_for(revision, &mut kept, || {
                made += 1;
                made
            })
        };
        assert_eq!([ask(7), ask(7), ask(8), ask(8), ask(7)], [1, 1, 2, 2, 3]);
    }
}
