//! Whether this socket's player looks at the nodes, and when they are shown next.

use std::{future::pending, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::deck::Deck;

/// Between two times that the nodes are shown; what changes meanwhile is shown then.
const PAUSE: Duration = Duration::from_millis(100);

/// Who looks at the nodes. Closed, it waits for nothing.
#[derive(Debug)]
pub(super) struct Lookout {
    deck: Option<watch::Receiver<Arc<Deck>>>,
    /// Nothing is shown before.
    rests_until: Instant,
}

impl Lookout {
    /// One that is closed.
    pub(super) fn new() -> Self {
        Self { deck: None, rests_until: Instant::now() }
    }

    /// What there is is shown next, and what comes after it.
    pub(super) fn open(&mut self, mut deck: watch::Receiver<Arc<Deck>>) {
        deck.mark_changed();
        self.deck = Some(deck);
    }

    pub(super) fn close(&mut self) {
        self.deck = None;
    }

    /// Waits for something to be shown. May be called off.
    pub(super) async fn next(&mut self) -> Arc<Deck> {
        let Some(deck) = &mut self.deck else { return pending().await };
        sleep_until(self.rests_until).await;
        if deck.changed().await.is_err() {
            // The frontend is stopping.
            return pending().await;
        }
        self.rests_until = Instant::now() + PAUSE;
        deck.borrow_and_update().clone()
    }
}

#[cfg(test)]
mod tests {
    use hangraft_proto::socket;
    use tokio::time::timeout;

    use super::*;

    fn deck(for_ms: u64) -> Arc<Deck> {
        let said = socket::Deck { for_ms, ..socket::Deck::default() };
        Arc::new(Deck::new(said, Instant::now().into_std()))
    }

    /// Whoever opens sees what there is at once, then what changes, not more than ten times
    /// a second and the newest each time; whoever has closed sees nothing.
    #[tokio::test(start_paused = true)]
    async fn a_flutter_is_shown_at_a_calm_pace() {
        let (sender, decks) = watch::channel(deck(0));
        let mut lookout = Lookout::new();
        assert!(timeout(PAUSE, lookout.next()).await.is_err(), "it is closed");
        lookout.open(decks);
        let start = Instant::now();
        let mut shown = vec![lookout.next().await];
        assert_eq!(start.elapsed(), Duration::ZERO);
        let flutter = async {
            for for_ms in 1..=1000 {
                sender.send_replace(deck(for_ms));
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let look = async {
            while let Ok(deck) = timeout(2 * PAUSE, lookout.next()).await {
                shown.push(deck);
            }
        };
        tokio::join!(flutter, look);
        assert!((9..=12).contains(&shown.len()), "{} in a second", shown.len());
        let last = shown.last().expect("there are some").text();
        assert!(last.as_str().contains("1000"), "the newest is not left out");
        lookout.close();
        sender.send_replace(deck(7));
        assert!(timeout(PAUSE, lookout.next()).await.is_err(), "it is closed again");
        assert_eq!(sender.receiver_count(), 0, "and nothing is left of it");
    }
}
