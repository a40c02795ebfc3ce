//! How many new guests may come and rooms be opened from one address, and at this
//! frontend in all.
//!
//! A player's own pace holds nobody up who becomes another player with every `hello`.
//! What somebody cannot have many of is addresses; and where they can, what the whole
//! frontend lets in is bounded as well.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use hangraft_cluster_config::FrontendLimits;

use crate::{client::Client, pace::Pace};

/// The window of all limits here.
const WINDOW: Duration = Duration::from_secs(60);

/// Clients remembered at a time. Further ones share one allowance until some of those
/// are forgotten, which is when all that they took is paid for.
const CLIENTS_MAX: usize = 50_000;

/// Between two looks for clients to forget; each costs as much as there are clients.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Everybody who comes to this frontend.
#[derive(Debug)]
pub(crate) struct Crowd {
    limits: FrontendLimits,
    state: Mutex<State>,
}

/// Who took how much lately.
#[derive(Debug)]
struct State {
    all: Allowance,
    clients: HashMap<Client, Allowance>,
    /// Of all clients for whom there is no place.
    others: Allowance,
    swept_at: Option<Instant>,
}

/// What one client, or all of them, may still do.
#[derive(Clone, Debug)]
struct Allowance {
    guests: Pace,
    rooms: Pace,
}

/// Which of the two.
#[derive(Clone, Copy)]
enum What {
    Guest,
    Room,
}

impl Crowd {
    /// Nobody has come yet.
    pub(crate) fn new(limits: &FrontendLimits) -> Self {
        let all = Allowance::new(limits.guests_per_minute_in_all, limits.rooms_per_minute_in_all);
        let state = State {
            all,
            clients: HashMap::new(),
            others: Allowance::of_client(limits),
            swept_at: None,
        };
        Self { limits: limits.clone(), state: Mutex::new(state) }
    }

    /// Whether one more new guest may come from there now; counts them if so.
    pub(crate) fn lets_in_guest(&self, client: Client, now: Instant) -> bool {
        self.take(client, What::Guest, now)
    }

    /// Whether one more room may be opened from there now; counts it if so.
    pub(crate) fn lets_open_room(&self, client: Client, now: Instant) -> bool {
        self.take(client, What::Room, now)
    }

    fn take(&self, client: Client, what: What, now: Instant) -> bool {
        let mut state = self.state();
        let State { all, clients, others, swept_at } = &mut *state;
        let full = clients.len() >= CLIENTS_MAX && !clients.contains_key(&client);
        if full && swept_at.is_none_or(|at| now >= at + SWEEP_EVERY) {
            *swept_at = Some(now);
            clients.retain(|_, allowance| !allowance.is_whole(now));
        }
        let allowance = if clients.len() < CLIENTS_MAX || clients.contains_key(&client) {
            clients.entry(client).or_insert_with(|| Allowance::of_client(&self.limits))
        } else {
            others
        };
        // The client's first, so that one who has had enough takes nothing from others.
        allowance.pace(what).take(now) && all.pace(what).take(now)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves nothing half done here.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Allowance {
    fn new(guests: u32, rooms: u32) -> Self {
        Self { guests: Pace::new(guests, WINDOW), rooms: Pace::new(rooms, WINDOW) }
    }

    fn of_client(limits: &FrontendLimits) -> Self {
        Self::new(limits.guests_per_minute_from_address, limits.rooms_per_minute_from_address)
    }

    fn pace(&mut self, what: What) -> &mut Pace {
        match what {
            What::Guest => &mut self.guests,
            What::Room => &mut self.rooms,
        }
    }

    /// Whether forgetting it forgets nothing.
    fn is_whole(&self, now: Instant) -> bool {
        self.guests.is_paid(now) && self.rooms.is_paid(now)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn limits() -> FrontendLimits {
        FrontendLimits {
            guests_per_minute_from_address: 5,
            rooms_per_minute_from_address: 3,
            guests_per_minute_in_all: 12,
            rooms_per_minute_in_all: 0,
            ..FrontendLimits::default()
        }
    }

    fn client(number: u32) -> Client {
        Client::at(Ipv4Addr::from_bits(number).into())
    }

    fn guests(crowd: &Crowd, client: Client, now: Instant) -> usize {
        (0..100).filter(|_| crowd.lets_in_guest(client, now)).count()
    }

    /// New guests and rooms are counted by address, whoever they say they are, and no
    /// address takes what is meant for others.
    #[test]
    fn one_address_has_one_allowance_and_all_have_another() {
        let (crowd, now) = (Crowd::new(&limits()), Instant::now());
        assert_eq!(guests(&crowd, client(1), now), 5);
        assert_eq!((0..9).filter(|_| crowd.lets_open_room(client(1), now)).count(), 3);
        assert_eq!(guests(&crowd, client(2), now), 5);
        // In all there are twelve.
        assert_eq!(guests(&crowd, client(3), now), 2);
        assert_eq!(guests(&crowd, client(4), now), 0);
        assert_eq!(guests(&crowd, client(4), now + WINDOW), 5);
        let household = |host| Client::at(Ipv6Addr::new(0x2001, 0xdb8, 1, 2, 0, 0, 0, host).into());
        let later = now + 3 * WINDOW;
        assert_eq!((0..9).filter(|_| crowd.lets_open_room(household(1), later)).count(), 3);
        assert!(!crowd.lets_open_room(household(2), later));
    }

    /// However many addresses come, no more than so many are remembered; those that find
    /// no place share one allowance, and places become free as time passes.
    #[test]
    fn memory_is_bounded() {
        let endless = FrontendLimits { guests_per_minute_in_all: 0, ..limits() };
        let (crowd, now) = (Crowd::new(&endless), Instant::now());
        let many = CLIENTS_MAX as u32;
        assert!((0..many).all(|number| crowd.lets_in_guest(client(number), now)));
        let late = (many..many + 100).filter(|number| crowd.lets_in_guest(client(*number), now));
        assert_eq!(late.count(), 5);
        assert_eq!(crowd.state().clients.len(), CLIENTS_MAX);
        // Who was there before has what is left of their own.
        assert_eq!(guests(&crowd, client(7), now), 4);
        let later = now + WINDOW;
        assert!((many..many + 100).all(|number| crowd.lets_in_guest(client(number), later)));
        assert_eq!(crowd.state().clients.len(), 100);
    }
}
