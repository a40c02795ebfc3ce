//! Who is here: every player with a socket at this frontend, and how fast they are.
//!
//! All sockets of a player share one pace, so that opening a second tab does not
//! make anybody faster. Arrivals and departures are gathered for [`crate::presence`].

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use hangraft_cluster_config::FrontendLimits;
use metrics::Gauge;
use tokio::sync::Notify;

use crate::{command::PlayerId, pace::Pace};

/// The window of [`FrontendLimits::actions_per_20s`].
const ACTIONS_WINDOW: Duration = Duration::from_secs(20);
/// The window of [`FrontendLimits::rooms_per_minute`].
const ROOMS_WINDOW: Duration = Duration::from_secs(60);
/// How long a player's pace is remembered after their last socket: as long as
/// the longest window, so that reconnecting gains nothing.
const MEMORY: Duration = ROOMS_WINDOW;

/// How fast one player may be.
#[derive(Clone, Debug)]
pub(crate) struct Paces {
    pub(crate) actions: Pace,
    pub(crate) opens: Pace,
}

impl Paces {
    pub(crate) fn new(limits: &FrontendLimits) -> Self {
        Self {
            actions: Pace::new(limits.actions_per_20s, ACTIONS_WINDOW),
            opens: Pace::new(limits.rooms_per_minute, ROOMS_WINDOW),
        }
    }
}

/// A pace that several sockets may share.
pub(crate) type SharedPaces = Arc<Mutex<Paces>>;

/// Everyone here. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Players {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limits: FrontendLimits,
    /// How many players have a socket here.
    here: Gauge,
    state: Mutex<State>,
    /// Somebody came or went.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    players: HashMap<PlayerId, Player>,
    /// Who came (true) or went since the changes were last taken.
    changes: BTreeMap<PlayerId, bool>,
}

#[derive(Debug)]
struct Player {
    sockets: usize,
    paces: SharedPaces,
    left_at: Option<Instant>,
}

/// A player's place here; dropping it is leaving.
#[derive(Debug)]
pub(crate) struct Here {
    player: PlayerId,
    players: Players,
    paces: SharedPaces,
}

impl Players {
    /// Nobody is here yet; `here` shows how many are.
    pub(crate) fn new(limits: FrontendLimits, here: Gauge) -> Self {
        let (state, changed) = (Mutex::default(), Notify::new());
        Self { shared: Arc::new(Shared { limits, here, state, changed }) }
    }

    /// A socket of this player is here now.
    pub(crate) fn enter(&self, player: PlayerId) -> Here {
        let mut state = self.state();
        let entry = state.players.entry(player).or_insert_with(|| Player {
            sockets: 0,
            paces: Arc::new(Mutex::new(Paces::new(&self.shared.limits))),
            left_at: None,
        });
        entry.sockets += 1;
        entry.left_at = None;
        let (first, paces) = (entry.sockets == 1, entry.paces.clone());
        if first {
            self.shared.here.increment(1.0);
            state.note(player, true);
            self.shared.changed.notify_one();
        }
        Here { player, players: self.clone(), paces }
    }

    /// Waits until somebody came or went since the changes were last taken.
    pub(crate) async fn changed(&self) {
        self.shared.changed.notified().await;
    }

    /// Who came (true) or went (false), each once; forgets old paces meanwhile.
    pub(crate) fn take_changes(&self, now: Instant) -> BTreeMap<PlayerId, bool> {
        let mut state = self.state();
        state.players.retain(|_, player| player.left_at.is_none_or(|at| at + MEMORY > now));
        std::mem::take(&mut state.changes)
    }

    fn leave(&self, player: PlayerId) {
        let mut state = self.state();
        let Some(entry) = state.players.get_mut(&player) else { return };
        entry.sockets -= 1;
        if entry.sockets == 0 {
            entry.left_at = Some(Instant::now());
            self.shared.here.decrement(1.0);
            state.note(player, false);
            self.shared.changed.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves nothing half done here.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Coming and going (or going and coming) before anybody was told is nothing.
    fn note(&mut self, player: PlayerId, came: bool) {
        if self.changes.remove(&player).is_none() {
            self.changes.insert(player, came);
        }
    }
}

impl Here {
    pub(crate) fn paces(&self) -> SharedPaces {
        self.paces.clone()
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.players.leave(self.player);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second tab is no arrival, and a reload between two looks is nothing at all.
    #[test]
    fn only_first_and_last_sockets_count() {
        let players = Players::new(FrontendLimits::default(), Gauge::noop());
        let now = Instant::now();
        let first = players.enter(PlayerId(1));
        let second = players.enter(PlayerId(1));
        assert_eq!(players.take_changes(now), BTreeMap::from([(PlayerId(1), true)]));
        drop(first);
        assert_eq!(players.take_changes(now), BTreeMap::new());
        drop(second);
        let back = players.enter(PlayerId(1));
        assert_eq!(players.take_changes(now), BTreeMap::new());
        drop(back);
        assert_eq!(players.take_changes(now), BTreeMap::from([(PlayerId(1), false)]));
    }

    /// All sockets of a player share one pace, and coming back does not renew it.
    #[test]
    fn a_second_socket_is_no_faster() {
        let limits = FrontendLimits { actions_per_20s: 3, ..Default::default() };
        let players = Players::new(limits, Gauge::noop());
        let take = |here: &Here| here.paces().lock().unwrap().actions.take(Instant::now());
        let (one, two) = (players.enter(PlayerId(1)), players.enter(PlayerId(1)));
        assert!(take(&one) && take(&two) && take(&one));
        drop((one, two));
        players.take_changes(Instant::now());
        assert!(!take(&players.enter(PlayerId(1))));
        assert!(take(&players.enter(PlayerId(2))));
    }
}
