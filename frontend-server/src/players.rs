//! Who is here: every player with a socket at this frontend, which rooms they look at,
//! and how fast they are.
//!
//! All sockets of a player share one pace, so that opening a second tab does not
//! make anybody faster. A player is in a room while any of their sockets looks at it, and
//! [online](RoomId::ONLINE) while they have any; comings and goings are gathered for
//! [`crate::presence`].

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use hangraft_cluster_config::FrontendLimits;
use hangraft_ids::{PlayerId, RoomId};
use metrics::Gauge;
use tokio::sync::Notify;

use crate::{command::Place, pace::Pace};

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
    /// Somebody came to a room or went from one.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    players: HashMap<PlayerId, Player>,
    /// How many sockets look there; where none does is not in it.
    places: HashMap<Place, usize>,
    /// Who came where (true) or went from there since the changes were last taken.
    changes: BTreeMap<Place, bool>,
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
    /// The rooms that this socket looks at.
    rooms: BTreeSet<RoomId>,
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
        drop(state);
        if first {
            self.shared.here.increment(1.0);
        }
        self.count((player, RoomId::ONLINE), true);
        Here { player, rooms: BTreeSet::new(), players: self.clone(), paces }
    }

    /// Waits until somebody came somewhere or went since the changes were last taken.
    pub(crate) async fn changed(&self) {
        self.shared.changed.notified().await;
    }

    /// Who came where (true) or went from there (false), each once; forgets old paces meanwhile.
    pub(crate) fn take_changes(&self, now: Instant) -> BTreeMap<Place, bool> {
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
        }
    }

    /// One more socket looks there (true), or one less.
    fn count(&self, place: Place, more: bool) {
        let mut state = self.state();
        let sockets = state.places.entry(place).or_default();
        *sockets = if more { *sockets + 1 } else { sockets.saturating_sub(1) };
        let (changed, nobody) = (*sockets == usize::from(more), *sockets == 0);
        if nobody {
            state.places.remove(&place);
        }
        if changed {
            state.note(place, more);
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
    fn note(&mut self, place: Place, came: bool) {
        if self.changes.remove(&place).is_none() {
            self.changes.insert(place, came);
        }
    }
}

impl Here {
    pub(crate) fn paces(&self) -> SharedPaces {
        self.paces.clone()
    }

    /// This socket looks at a room now. Saying so again is nothing.
    pub(crate) fn look_at(&mut self, room: RoomId) {
        if self.rooms.insert(room) {
            self.players.count((self.player, room), true);
        }
    }

    /// This socket does not look at a room any more, if it did.
    pub(crate) fn look_away(&mut self, room: RoomId) {
        if self.rooms.remove(&room) {
            self.players.count((self.player, room), false);
        }
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        for room in std::mem::take(&mut self.rooms) {
            self.players.count((self.player, room), false);
        }
        self.players.count((self.player, RoomId::ONLINE), false);
        self.players.leave(self.player);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second tab at the same room is no arrival, a reload between two looks is nothing
    /// at all, and going to another room is going from the first. Whoever has a socket is
    /// online, whatever they look at.
    #[test]
    fn only_first_and_last_sockets_count() {
        let players = Players::new(FrontendLimits::default(), Gauge::noop());
        let now = Instant::now();
        let changes = || players.take_changes(now).into_iter().collect::<Vec<_>>();
        let [four, five, online] =
            [RoomId(4), RoomId(5), RoomId::ONLINE].map(|room| (PlayerId(1), room));
        let mut first = players.enter(PlayerId(1));
        let mut second = players.enter(PlayerId(1));
        assert_eq!(changes(), [(online, true)], "nobody looks anywhere");
        first.look_at(RoomId(4));
        first.look_at(RoomId(4));
        second.look_at(RoomId(4));
        assert_eq!(changes(), [(four, true)]);
        drop(first);
        assert_eq!(changes(), []);
        drop(second);
        let mut back = players.enter(PlayerId(1));
        back.look_at(RoomId(4));
        assert_eq!(changes(), []);
        back.look_away(RoomId(4));
        back.look_away(RoomId(4));
        back.look_at(RoomId(5));
        assert_eq!(changes(), [(four, false), (five, true)]);
        drop(back);
        assert_eq!(changes(), [(five, false), (online, false)]);
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
