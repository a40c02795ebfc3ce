//! Everybody who is connected: how many there may be, and who has to go when there are
//! too many.
//!
//! Who has shown least goes first: connections that bring no request, then sockets that
//! have not said hello, the oldest of each first. A newcomer is let in as long as
//! there is such a one. Sockets that have said hello are never shed.
//!
//! The last places are for those who come back: a socket whose `hello` shows a token
//! gets one of them, a new guest does not. So when a frontend is full of guests, the
//! players of another one that died still find room.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hangraft_cluster_config::FrontendLimits;
use tokio_util::sync::CancellationToken;

use crate::{
    client::Client,
    mailbox::{Call, Mailbox},
};

/// Of the places for sockets, one in so many is kept for those who come back.
const KEPT_ONE_IN: u32 = 20;
/// Sockets of one address that have not said hello; for one more, the oldest goes.
const STRANGERS_PER_ADDRESS: usize = 64;
/// Connections that are no sockets; for one more, one that brings no request goes.
const PLAIN_CONNECTIONS_MAX: u32 = 1_000;

/// Everybody who is connected. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Visitors(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    connections_max: usize,
    sockets_max: usize,
    /// Of all places, so many are for those who come back.
    kept: usize,
    per_address: Option<usize>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The next visit's number, and the next change's.
    next: u64,
    visits: HashMap<u64, Entry>,
    /// Who goes first, when somebody has to.
    shedding: BTreeSet<Turn>,
    sockets: usize,
    greeted: usize,
    addresses: HashMap<Client, Sockets>,
}

#[derive(Debug)]
struct Entry {
    standing: Standing,
    /// When it came to stand so, counted in changes.
    since: u64,
    leave: CancellationToken,
    /// Where it is told to leave, once it is a socket.
    mailbox: Option<Mailbox>,
}

/// How much somebody has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// No request is under way.
    Quiet,
    /// A request is under way.
    Asking,
    /// A socket that has not said hello.
    Stranger(Client),
    /// A socket that has.
    Greeted(Client),
}

/// The place of a visit among those that may be shed: connections before sockets, the
/// oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    is_socket: bool,
    since: u64,
    visit: u64,
}

/// The sockets of one address.
#[derive(Debug, Default)]
struct Sockets {
    all: usize,
    strangers: BTreeSet<Turn>,
}

/// Why there is no room for a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// Every place is taken by somebody who has said hello.
    Full,
    /// Every place that one address may have is.
    Address,
}

/// One connection among all; dropping it makes room for another.
#[derive(Debug)]
pub(super) struct Visit {
    visitors: Visitors,
    id: u64,
    leave: CancellationToken,
}

impl Visitors {
    pub(crate) fn new(limits: &FrontendLimits) -> Self {
        let sockets_max = limits.sockets_max as usize;
        let most = limits.sockets_max.saturating_add(PLAIN_CONNECTIONS_MAX);
        let connections_max = match limits.connections_max {
            0 => most,
            connections => connections.min(most),
        };
        Self(Arc::new(Shared {
            connections_max: connections_max as usize,
            sockets_max,
            kept: (limits.sockets_max / KEPT_ONE_IN) as usize,
            per_address: Some(limits.sockets_per_address as usize).filter(|most| *most > 0),
            state: Mutex::default(),
        }))
    }

    /// A new connection, if there is or can be room for it.
    pub(super) fn enter(&self) -> Option<Visit> {
        let mut state = self.state();
        if state.visits.len() >= self.0.connections_max && !state.shed_first(false) {
            return None;
        }
        let (id, leave) = (state.count(), CancellationToken::new());
        let (standing, leaves) = (Standing::Asking, leave.clone());
        let entry = Entry { standing, since: id, leave: leaves, mailbox: None };
        state.visits.insert(id, entry);
        state.stand(id, Standing::Quiet);
        Some(Visit { visitors: self.clone(), id, leave })
    }

    /// Sends away whoever has shown least, if somebody may be sent away.
    pub(super) fn shed(&self) -> bool {
        self.state().shed_first(false)
    }

    /// Whether a new guest would find no place.
    pub(super) fn is_full(&self) -> bool {
        self.state().greeted >= self.0.sockets_max - self.0.kept
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves nothing half done here.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visit {
    /// Resolves when it has to leave.
    pub(super) fn leave(&self) -> CancellationToken {
        self.leave.clone()
    }

    /// It is a socket now, and is called here when it has to leave.
    pub(super) fn calls(&self, mailbox: Mailbox) {
        match self.visitors.state().visits.get_mut(&self.id) {
            Some(entry) => entry.mailbox = Some(mailbox),
            None => mailbox.call(Call::Leave),
        }
    }

    /// A request is under way.
    pub(super) fn asks(&self) {
        self.change(Standing::Quiet, Standing::Asking);
    }

    /// No request is under way any more.
    pub(super) fn rests(&self) {
        self.change(Standing::Asking, Standing::Quiet);
    }

    /// It becomes a socket of this address.
    pub(super) fn becomes_socket(&self, address: Client) -> Result<(), NoRoom> {
        let shared = &self.visitors.0;
        let mut state = self.visitors.state();
        if let Some(most) = shared.per_address {
            let sockets = state.addresses.get(&address);
            let (all, strangers) =
                sockets.map_or((0, 0), |sockets| (sockets.all, sockets.strangers.len()));
            let crowded = all >= most || strangers >= STRANGERS_PER_ADDRESS;
            if crowded && !state.shed_stranger_of(address) {
                return Err(NoRoom::Address);
            }
        }
        if state.sockets >= shared.sockets_max && !state.shed_first(true) {
            return Err(NoRoom::Full);
        }
        state.stand(self.id, Standing::Stranger(address));
        Ok(())
    }

    /// It has said hello, and may stay unless the places that are left are for others.
    /// `known`: it has shown that it was a player before.
    pub(super) fn greets(&self, known: bool) -> bool {
        let mut state = self.visitors.state();
        let places = self.visitors.0.sockets_max - if known { 0 } else { self.visitors.0.kept };
        match state.visits.get(&self.id).map(|entry| entry.standing) {
            Some(Standing::Stranger(address)) if state.greeted < places => {
                state.stand(self.id, Standing::Greeted(address));
                true
            }
            Some(Standing::Greeted(_)) => true,
            _ => false,
        }
    }

    /// It is a socket no more, or has not become one.
    pub(super) fn is_no_socket(&self) {
        let mut state = self.visitors.state();
        let standing = state.visits.get(&self.id).map(|entry| entry.standing);
        if standing.is_some_and(|standing| standing.socket_of().is_some()) {
            state.stand(self.id, Standing::Quiet);
        }
    }

    fn change(&self, from: Standing, to: Standing) {
        let mut state = self.visitors.state();
        if state.visits.get(&self.id).is_some_and(|entry| entry.standing == from) {
            state.stand(self.id, to);
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.visitors.state().remove(self.id);
    }
}

impl State {
    fn count(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Somebody who is still among us stands differently now.
    fn stand(&mut self, id: u64, standing: Standing) {
        let since = self.count();
        let Some(mut entry) = self.remove(id) else { return };
        (entry.standing, entry.since) = (standing, since);
        if let Some(turn) = entry.turn(id) {
            self.shedding.insert(turn);
        }
        if let Some(address) = standing.socket_of() {
            self.sockets += 1;
            let sockets = self.addresses.entry(address).or_default();
            sockets.all += 1;
            sockets.strangers.extend(entry.turn(id));
        }
        self.greeted += usize::from(matches!(standing, Standing::Greeted(_)));
        self.visits.insert(id, entry);
    }

    fn remove(&mut self, id: u64) -> Option<Entry> {
        let entry = self.visits.remove(&id)?;
        let turn = entry.turn(id);
        if let Some(turn) = turn {
            self.shedding.remove(&turn);
        }
        if let Some(address) = entry.standing.socket_of() {
            self.sockets -= 1;
            let sockets = self.addresses.get_mut(&address).expect("it has a socket");
            sockets.all -= 1;
            if let Some(turn) = turn {
                sockets.strangers.remove(&turn);
            }
            if sockets.all == 0 {
                self.addresses.remove(&address);
            }
        }
        self.greeted -= usize::from(matches!(entry.standing, Standing::Greeted(_)));
        Some(entry)
    }

    /// Sends the first away, or the first socket; says whether there was one. Whoever is
    /// sent away counts no more, although it takes a moment to go.
    fn shed_first(&mut self, is_socket: bool) -> bool {
        let from = Turn { is_socket, since: 0, visit: 0 };
        let turn = self.shedding.range(from..).next().copied();
        self.shed(turn)
    }

    fn shed_stranger_of(&mut self, address: Client) -> bool {
        let sockets = self.addresses.get(&address);
        let turn = sockets.and_then(|sockets| sockets.strangers.first().copied());
        self.shed(turn)
    }

    fn shed(&mut self, turn: Option<Turn>) -> bool {
        let entry = turn.and_then(|turn| self.remove(turn.visit));
        let Some(entry) = entry else { return false };
        entry.leave.cancel();
        entry.mailbox.into_iter().for_each(|mailbox| mailbox.call(Call::Leave));
        true
    }
}

impl Entry {
    /// Its place among those that may be shed.
    fn turn(&self, visit: u64) -> Option<Turn> {
        let is_socket = match self.standing {
            Standing::Quiet => false,
            Standing::Stranger(_) => true,
            Standing::Asking | Standing::Greeted(_) => return None,
        };
        Some(Turn { is_socket, since: self.since, visit })
    }
}

impl Standing {
    fn socket_of(self) -> Option<Client> {
        match self {
            Self::Stranger(address) | Self::Greeted(address) => Some(address),
            Self::Quiet | Self::Asking => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn visitors(sockets_max: u32, connections_max: u32, sockets_per_address: u32) -> Visitors {
        let limits = FrontendLimits {
            sockets_max,
            connections_max,
            sockets_per_address,
            ..FrontendLimits::default()
        };
        Visitors::new(&limits)
    }

    fn at(last: u8) -> Client {
        Client::at([203, 0, 113, last].into())
    }

    fn socket(visitors: &Visitors, last: u8) -> Visit {
        let visit = visitors.enter().expect("room for a connection");
        visit.becomes_socket(at(last)).expect("room for a socket");
        visit
    }

    fn gone(visit: &Visit) -> bool {
        visit.leave.is_cancelled()
    }

    /// Who brings nothing goes first, the oldest before the younger, and who asks stays.
    #[test]
    fn the_silent_make_room() {
        let visitors = visitors(10, 4, 0);
        let visits: Vec<_> = (0..4).map(|_| visitors.enter().unwrap()).collect();
        visits[0].asks();
        visits[1].asks();
        visits[1].rests();
        // The longest without a request: 2, 3, then 1, which asked once.
        let newcomers: Vec<_> = (0..3).map(|_| visitors.enter().unwrap()).collect();
        assert_eq!(visits.iter().map(gone).collect::<Vec<_>>(), [false, true, true, true]);
        for newcomer in &newcomers {
            newcomer.asks();
        }
        assert!(visitors.enter().is_none(), "nobody is left to shed");
        drop(newcomers);
        assert!(visitors.enter().is_some());
    }

    /// Silent sockets keep nobody out; those that said hello stay.
    #[test]
    fn strangers_make_room_for_sockets() {
        let visitors = visitors(3, 0, 0);
        let ann = socket(&visitors, 1);
        assert!(ann.greets(false));
        let silent = [socket(&visitors, 2), socket(&visitors, 3)];
        let bo = socket(&visitors, 4);
        assert!(gone(&silent[0]) && !gone(&silent[1]) && !gone(&ann));
        assert!(bo.greets(false) && !silent[0].greets(false), "who was shed is late");
        let cy = socket(&visitors, 5);
        assert!(gone(&silent[1]) && cy.greets(false));
        assert!(visitors.is_full());
        let late = visitors.enter().unwrap();
        assert_eq!(late.becomes_socket(at(6)), Err(NoRoom::Full));
        drop(ann);
        assert_eq!(late.becomes_socket(at(6)), Ok(()));
    }

    /// One address has so many sockets, and of those so many without a hello.
    #[test]
    fn an_address_has_its_share() {
        let visitors = visitors(1_000, 0, 100);
        let greeted: Vec<_> = (0..100).map(|_| socket(&visitors, 1)).collect();
        assert_eq!(greeted.iter().filter(|visit| gone(visit)).count(), 36, "64 may be silent");
        let stay: Vec<_> = greeted.iter().filter(|visit| visit.greets(false)).collect();
        assert_eq!(stay.len(), 64);
        let more: Vec<_> = (0..36).map(|_| socket(&visitors, 1)).collect();
        assert!(more.iter().all(|visit| visit.greets(false)));
        assert_eq!(visitors.enter().unwrap().becomes_socket(at(1)), Err(NoRoom::Address));
        assert!(socket(&visitors, 2).greets(false), "others have theirs");
        drop(more);
        assert!(socket(&visitors, 1).greets(false));
    }

    /// The last places are for players who come back.
    #[test]
    fn the_last_places_are_kept() {
        let visitors = visitors(40, 0, 0);
        let guests: Vec<_> = (0..38).map(|_| socket(&visitors, 1)).collect();
        assert!(guests.iter().all(|guest| guest.greets(false)));
        assert!(visitors.is_full());
        let (new, old) = (socket(&visitors, 2), socket(&visitors, 3));
        assert!(!new.greets(false));
        assert!(old.greets(true));
        for guest in &guests {
            guest.is_no_socket();
        }
        assert!(!visitors.is_full() && new.greets(false));
    }

    proptest! {
        /// Whatever they do, the counts stay right and the bounds hold.
        #[test]
        fn counts_stay_right(
            steps in prop::collection::vec((0_u8..6, 0_usize..12, 0_u8..3), 1..200),
        ) {
            let visitors = visitors(5, 8, 3);
            let mut visits: Vec<Visit> = Vec::new();
            for (step, which, address) in steps {
                let one = which % visits.len().max(1);
                match (step, visits.get(one)) {
                    (0 | 1, _) => visits.extend(visitors.enter()),
                    (2, Some(visit)) => visit.asks(),
                    (3, Some(visit)) => {
                        let plain = !matches!(
                            visitors.state().visits.get(&visit.id),
                            Some(Entry { standing: Standing::Stranger(_) | Standing::Greeted(_), .. })
                        );
                        if plain {
                            _ = visit.becomes_socket(at(address));
                        }
                    }
                    (4, Some(visit)) => _ = visit.greets(which % 2 == 0),
                    (_, Some(_)) => drop(visits.swap_remove(one)),
                    (_, None) => {}
                }
                let state = visitors.state();
                let here: Vec<_> = state.visits.values().collect();
                prop_assert!(here.len() <= 8);
                let sockets = here.iter().filter(|e| e.standing.socket_of().is_some()).count();
                prop_assert_eq!(state.sockets, sockets);
                prop_assert!(sockets <= 5);
                prop_assert!(state.addresses.values().all(|sockets| sockets.all <= 3));
                let all: usize = state.addresses.values().map(|sockets| sockets.all).sum();
                prop_assert_eq!(all, sockets);
                let waiting = here.iter().filter(|e| e.turn(0).is_some()).count();
                prop_assert_eq!(state.shedding.len(), waiting);
                let gone = visits.iter().filter(|visit| visit.leave.is_cancelled()).count();
                prop_assert_eq!(here.len() + gone, visits.len());
            }
            visits.clear();
            let state = visitors.state();
            prop_assert!(state.visits.is_empty() && state.shedding.is_empty());
            prop_assert!(state.addresses.is_empty());
            prop_assert_eq!((state.sockets, state.greeted), (0, 0));
        }
    }
}
