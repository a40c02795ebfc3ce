//! What this socket's player looks at besides rooms, and when it is shown next.

use std::{future::pending, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::{
    boards::{Numbers, Seeks, Shown},
    command::Sight,
    deck::Deck,
    hub::Looker,
};

/// Between two times that the nodes are shown; what changes meanwhile is shown then.
const DECK_PAUSE: Duration = Duration::from_millis(100);
/// The same for the open seeks and the numbers. A node shows them no more often, but there
/// may be another node at any time.
const BOARD_PAUSE: Duration = Duration::from_millis(250);

/// All that can be looked at.
#[derive(Debug)]
pub(super) struct Lookouts {
    deck: Lookout<Deck>,
    lobby: Lookout<Seeks>,
    live: Lookout<Numbers>,
}

/// One thing that can be looked at. Closed, it waits for nothing.
#[derive(Debug)]
struct Lookout<T> {
    board: Option<watch::Receiver<Option<Arc<T>>>>,
    /// Says that somebody looks, to whom that matters.
    _looker: Option<Looker>,
    pause: Duration,
    /// Nothing is shown before.
    rests_until: Instant,
}

impl Lookouts {
    /// All are closed.
    pub(super) fn new() -> Self {
        Self {
            deck: Lookout::new(DECK_PAUSE),
            lobby: Lookout::new(BOARD_PAUSE),
            live: Lookout::new(BOARD_PAUSE),
        }
    }

    /// The nodes are looked at.
    pub(super) fn open_deck(&mut self, deck: watch::Receiver<Option<Arc<Deck>>>) {
        self.deck.open(deck, None);
    }

    /// The open seeks are.
    pub(super) fn open_lobby(
        &mut self,
        seeks: watch::Receiver<Option<Arc<Seeks>>>,
        looker: Looker,
    ) {
        self.lobby.open(seeks, Some(looker));
    }

    /// The numbers are.
    pub(super) fn open_live(
        &mut self,
        numbers: watch::Receiver<Option<Arc<Numbers>>>,
        looker: Looker,
    ) {
        self.live.open(numbers, Some(looker));
    }

    /// This is not looked at any more.
    pub(super) fn close(&mut self, sight: Sight) {
        match sight {
            Sight::Deck => self.deck.close(),
            Sight::Lobby => self.lobby.close(),
            Sight::Live => self.live.close(),
        }
    }

    /// Whether anything is looked at.
    pub(super) fn any(&self) -> bool {
        self.deck.board.is_some() || self.lobby.board.is_some() || self.live.board.is_some()
    }

    /// Waits for something to be shown. May be called off.
    pub(super) async fn next(&mut self) -> Shown {
        tokio::select! {
            deck = self.deck.next() => Shown::Deck(deck),
            seeks = self.lobby.next() => Shown::Lobby(seeks),
            numbers = self.live.next() => Shown::Live(numbers),
        }
    }
}

impl<T> Lookout<T> {
    fn new(pause: Duration) -> Self {
        Self { board: None, _looker: None, pause, rests_until: Instant::now() }
    }

    /// What there is is shown next, and what comes after it.
    fn open(&mut self, mut board: watch::Receiver<Option<Arc<T>>>, looker: Option<Looker>) {
        board.mark_changed();
        self.board = Some(board);
        self._looker = looker;
    }

    fn close(&mut self) {
        self.board = None;
        self._looker = None;
    }

    async fn next(&mut self) -> Arc<T> {
        let Some(board) = &mut self.board else { return pending().await };
        sleep_until(self.rests_until).await;
        loop {
            if board.changed().await.is_err() {
                // The frontend is stopping.
                return pending().await;
            }
            let Some(shown) = board.borrow_and_update().clone() else { continue };
            self.rests_until = Instant::now() + self.pause;
            return shown;
        }
    }
}

#[cfg(test)]
mod tests {
    use hangraft_proto::socket;
    use tokio::time::timeout;

    use super::*;

    const PAUSE: Duration = DECK_PAUSE;

    fn deck(for_ms: u64) -> Option<Arc<Deck>> {
        let said = socket::Deck { for_ms, ..socket::Deck::default() };
        Some(Arc::new(Deck::new(said, Instant::now().into_std())))
    }

    /// Whoever opens sees what there is at once, then what changes, not more than ten times
    /// a second and the newest each time; whoever has closed sees nothing.
    #[tokio::test(start_paused = true)]
    async fn a_flutter_is_shown_at_a_calm_pace() {
        let (sender, decks) = watch::channel(deck(0));
        let mut lookout = Lookout::new(PAUSE);
        assert!(timeout(PAUSE, lookout.next()).await.is_err(), "it is closed");
        lookout.open(decks, None);
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
