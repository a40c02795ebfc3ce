//! Who follows which players: streams are woken when a player is told something.
//!
//! What a player was told is in the lobby, so a stream is only given the names of those of
//! whom there is news, each once however much it is. It reads the rest itself, as new as it
//! is then. So nobody can be too far behind, and nothing waits here but numbers.

use hangraft_game::PlayerId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// The streams of a node that follow players, by the number of the stream.
#[derive(Default)]
pub(super) struct Followers {
    by_player: BTreeMap<PlayerId, BTreeMap<u64, Arc<News>>>,
    /// Pairs of player and stream.
    count: usize,
}

/// Players of whom one stream has yet to read, with a bell for who sleeps at it. No more
/// than the stream follows.
#[derive(Default)]
pub(super) struct News {
    players: Mutex<BTreeSet<PlayerId>>,
    bell: Notify,
}

impl News {
    fn add(&self, players: impl IntoIterator<Item = PlayerId>) {
        self.players.lock().expect("never poisoned").extend(players);
        self.bell.notify_one();
    }

    /// All of whom there is news.
    pub(super) fn take(&self) -> BTreeSet<PlayerId> {
        std::mem::take(&mut *self.players.lock().expect("never poisoned"))
    }

    /// Waits until there is news; sometimes it has been taken by then.
    pub(super) async fn rung(&self) {
        self.bell.notified().await;
    }
}

impl Followers {
    /// How many players are followed, counting each stream that does.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn enter(&mut self, player: PlayerId, stream: u64, news: &Arc<News>) {
        let streams = self.by_player.entry(player).or_default();
        if streams.insert(stream, news.clone()).is_none() {
            self.count += 1;
        }
    }

    pub(super) fn leave(&mut self, player: PlayerId, stream: u64) {
        let Some(streams) = self.by_player.get_mut(&player) else { return };
        if streams.remove(&stream).is_some() {
            self.count -= 1;
        }
        if streams.is_empty() {
            self.by_player.remove(&player);
        }
    }

    /// These were told something.
    pub(super) fn tell(&self, players: &BTreeSet<PlayerId>) {
        for player in players {
            for news in self.by_player.get(player).into_iter().flat_map(BTreeMap::values) {
                news.add([*player]);
            }
        }
    }

    /// Anybody may have been told something.
    pub(super) fn tell_all(&self) {
        for (player, streams) in &self.by_player {
            streams.values().for_each(|news| news.add([*player]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: PlayerId = PlayerId(1);
    const BEN: PlayerId = PlayerId(2);

    /// A stream hears of whom it follows, once however often they were told something, and
    /// of nobody whom it has left. Of a lobby that was replaced it looks at all.
    #[test]
    fn a_stream_hears_of_whom_it_follows() {
        let mut followers = Followers::default();
        let (first, second) = (Arc::new(News::default()), Arc::new(News::default()));
        followers.enter(ANN, 1, &first);
        followers.enter(ANN, 1, &first);
        followers.enter(BEN, 1, &first);
        followers.enter(ANN, 2, &second);
        assert_eq!(followers.len(), 3);
        followers.tell(&[ANN, PlayerId(9)].into());
        followers.tell(&[ANN].into());
        assert_eq!((first.take(), second.take()), ([ANN].into(), [ANN].into()));
        assert!(first.take().is_empty());
        followers.leave(ANN, 1);
        followers.leave(ANN, 1);
        followers.tell_all();
        assert_eq!((first.take(), second.take()), ([BEN].into(), [ANN].into()));
        followers.leave(BEN, 1);
        followers.leave(ANN, 2);
        assert_eq!((followers.len(), followers.by_player.len()), (0, 0));
    }
}
