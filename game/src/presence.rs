//! Presence: who is where.
//!
//! Every frontend tells which player looks at which room through it, and holds a
//! lease that it renews by telling. When a frontend dies its lease ends by the
//! stamps, and its players are gone, at the same entry on every replica. A player is
//! in a room while any live frontend has them there.
//!
//! Frontends of before told only who was connected. Who is told of so counts as being
//! everywhere; here that is being in [`EVERYWHERE`]. One frontend tells in one of
//! the two ways, and begins anew when it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use crate::answer::Rejection;
use crate::command::Place;
use crate::digest::{self, Kind};
use hangraft_ids::{FrontendId, PlayerId, RoomId};

/// How long a frontend is believed without being heard, in lobby time.
pub(crate) const LEASE_MS: u64 = 15_000;

/// Frontends with a lease. Another one is told `busy`.
const FRONTENDS_MAX: usize = 256;

/// Places of one frontend. Further ones are not noted.
const PLACES_MAX: usize = 100_000;

/// Places in one part of a snapshot.
const STORED_PLACES_MAX: usize = 1_000;

/// No room has this number. Who is told to be online, and not where, is here.
const EVERYWHERE: RoomId = RoomId(0);

/// Who is where, by frontend.
#[derive(Clone, Debug, Default)]
pub(crate) struct Presence {
    frontends: OrdMap<FrontendId, Arc<Frontend>>,
    /// How many frontends have each player there; where none has is not in it.
    places: BTreeMap<Place, u32>,
    /// How many players are [online](RoomId::ONLINE).
    online: usize,
    /// Sum of the frontends' digests.
    sum: u64,
}

/// One frontend's word.
#[derive(Clone, Debug, Default)]
struct Frontend {
    sequence: u64,
    lease_until_ms: u64,
    places: OrdSet<Place>,
    /// Sum of the places' digests.
    sum: u64,
}

/// What a frontend says.
pub(crate) struct Report<'a> {
    pub(crate) frontend: FrontendId,
    pub(crate) sequence: u64,
    pub(crate) whole: bool,
    /// Who came, and who went.
    pub(crate) came: &'a [Place],
    pub(crate) went: &'a [Place],
    /// It says where; else all places are [`everywhere`].
    pub(crate) by_room: bool,
}

/// Whose being somewhere has changed, and to what.
pub(crate) type Flips = BTreeMap<Place, bool>;

/// The place of a player of whom is known only that they are online.
pub(crate) fn everywhere(player: PlayerId) -> Place {
    (player, EVERYWHERE)
}

/// The room of a place; none when it is everywhere.
pub(crate) fn room_of((_, room): Place) -> Option<RoomId> {
    (room != EVERYWHERE).then_some(room)
}

/// What came of a report.
pub(crate) struct Heard {
    pub(crate) lease_lost: bool,
    pub(crate) flips: Flips,
}

/// Frontends as a snapshot sees them: cheap to take, and at rest.
#[derive(Clone, Debug)]
pub(crate) struct FrozenFrontends(OrdMap<FrontendId, Arc<Frontend>>);

/// A frontend, or some more of its players who are everywhere, as a snapshot holds it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredFrontend {
    frontend: FrontendId,
    sequence: u64,
    lease_until_ms: u64,
    players: Vec<PlayerId>,
}

/// Some places of a frontend that is in the snapshot before them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredPlaces {
    frontend: FrontendId,
    places: Vec<Place>,
}

/// A piece of what a snapshot holds of a frontend.
pub(crate) enum Stored {
    Frontend(StoredFrontend),
    Places(StoredPlaces),
}

impl Presence {
    /// Whether a player is in a room, as far as frontends told.
    pub(crate) fn is_here(&self, player: PlayerId, room: RoomId) -> bool {
        [(player, room), everywhere(player)].iter().any(|place| self.places.contains_key(place))
    }

    /// Whether a player has a live socket, as far as frontends told.
    pub(crate) fn is_online(&self, player: PlayerId) -> bool {
        self.is_here(player, RoomId::ONLINE)
    }

    /// How many players have one.
    pub(crate) fn online(&self) -> usize {
        self.online
    }

    /// Hears what a frontend says, and renews its lease.
    pub(crate) fn hear(&mut self, report: &Report<'_>, now_ms: u64) -> Result<Heard, Rejection> {
        let known = self.frontends.get(&report.frontend);
        let live = known.is_some_and(|frontend| frontend.is_live(now_ms));
        let nothing = |lease_lost| Heard { lease_lost, flips: Flips::new() };
        if known.is_some_and(|frontend| report.sequence <= frontend.sequence) {
            return Ok(nothing(!live));
        }
        let changes_ways = known.is_some_and(|frontend| frontend.tells_otherwise(report.by_room));
        if (!live || changes_ways) && !report.whole {
            return Ok(nothing(true));
        }
        if known.is_none() && self.frontends.len() >= FRONTENDS_MAX {
            return Err(Rejection::Busy);
        }
        Ok(Heard { lease_lost: false, flips: self.take_in(report, now_ms) })
    }

    /// Ends the leases that have run out, for at most `places_max` places;
    /// the rest the next time.
    pub(crate) fn tick(&mut self, now_ms: u64, mut places_max: usize) -> Flips {
        let mut flips = Flips::new();
        let ended = |(id, frontend): (&FrontendId, &Arc<Frontend>)| {
            (!frontend.is_live(now_ms)).then_some(*id)
        };
        let ended: Vec<FrontendId> = self.frontends.iter().filter_map(ended).collect();
        for id in ended {
            let Some(mut frontend) = self.take(id) else { continue };
            let gone: Vec<Place> = frontend.places.iter().copied().take(places_max).collect();
            places_max -= gone.len();
            for place in gone {
                self.depart(&mut frontend, place, &mut flips);
            }
            if !frontend.places.is_empty() {
                self.put(id, frontend);
                break;
            }
        }
        flips
    }

    /// When the first lease ends.
    pub(crate) fn due_ms(&self) -> Option<u64> {
        let ends = self.frontends.values().map(|frontend| frontend.lease_until_ms);
        ends.min().map(|end| end.saturating_add(1))
    }

    pub(crate) fn digest(&self) -> u64 {
        self.sum
    }

    pub(crate) fn recompute_digest(&self) -> u64 {
        let digests = self.frontends.iter().map(|(id, frontend)| {
            let places = frontend.places.iter().map(|place| digest_of_place(*place));
            frontend.digest_with(*id, places.fold(0, u64::wrapping_add))
        });
        digests.fold(0, u64::wrapping_add)
    }

    pub(crate) fn freeze(&self) -> FrozenFrontends {
        FrozenFrontends(self.frontends.clone())
    }

    /// Puts back a frontend, or more of its players; says why if it cannot be.
    pub(crate) fn restore(&mut self, stored: StoredFrontend) -> Result<(), &'static str> {
        let StoredFrontend { frontend: id, sequence, lease_until_ms, players } = stored;
        let new = || Frontend { sequence, lease_until_ms, ..Frontend::default() };
        let mut frontend = self.take(id).unwrap_or_else(new);
        if (frontend.sequence, frontend.lease_until_ms) != (sequence, lease_until_ms) {
            return Err("a frontend has two leases");
        }
        for player in players {
            self.arrive(&mut frontend, everywhere(player), &mut Flips::new());
        }
        self.put(id, frontend);
        if self.frontends.len() > FRONTENDS_MAX { Err("too many frontends") } else { Ok(()) }
    }

    /// Puts back where players are through a frontend that was put back before.
    pub(crate) fn restore_places(&mut self, stored: StoredPlaces) -> Result<(), &'static str> {
        let mut frontend = self.take(stored.frontend).ok_or("places of no frontend")?;
        for place in stored.places {
            self.arrive(&mut frontend, place, &mut Flips::new());
        }
        self.put(stored.frontend, frontend);
        Ok(())
    }

    fn take_in(&mut self, report: &Report<'_>, now_ms: u64) -> Flips {
        let mut flips = Flips::new();
        let mut frontend = self.take(report.frontend).unwrap_or_default();
        frontend.sequence = report.sequence;
        frontend.lease_until_ms = now_ms.saturating_add(LEASE_MS);
        let before = if report.whole { frontend.places.clone() } else { OrdSet::new() };
        for place in report.came {
            self.arrive(&mut frontend, *place, &mut flips);
        }
        let stayed: BTreeSet<&Place> = report.came.iter().collect();
        let left_out = before.iter().filter(|place| !stayed.contains(place));
        let went = if report.whole { &[] } else { report.went };
        for place in left_out.chain(went) {
            self.depart(&mut frontend, *place, &mut flips);
        }
        self.put(report.frontend, frontend);
        flips
    }

    fn arrive(&mut self, frontend: &mut Frontend, place: Place, flips: &mut Flips) {
        let full = frontend.places.len() >= PLACES_MAX;
        if full || frontend.places.insert(place).is_some() {
            return;
        }
        frontend.sum = frontend.sum.wrapping_add(digest_of_place(place));
        let count = self.places.entry(place).or_default();
        *count += 1;
        if *count == 1 {
            self.online += usize::from(place.1 == RoomId::ONLINE);
            flips.insert(place, true);
        }
    }

    fn depart(&mut self, frontend: &mut Frontend, place: Place, flips: &mut Flips) {
        if frontend.places.remove(&place).is_none() {
            return;
        }
        frontend.sum = frontend.sum.wrapping_sub(digest_of_place(place));
        let count = self.places.entry(place).or_default();
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.places.remove(&place);
            self.online -= usize::from(place.1 == RoomId::ONLINE);
            flips.insert(place, false);
        }
    }

    fn take(&mut self, id: FrontendId) -> Option<Frontend> {
        let frontend = self.frontends.remove(&id)?;
        self.sum = self.sum.wrapping_sub(frontend.digest(id));
        Some(Arc::unwrap_or_clone(frontend))
    }

    fn put(&mut self, id: FrontendId, frontend: Frontend) {
        self.sum = self.sum.wrapping_add(frontend.digest(id));
        self.frontends.insert(id, Arc::new(frontend));
    }
}

impl Frontend {
    fn is_live(&self, now_ms: u64) -> bool {
        now_ms <= self.lease_until_ms
    }

    /// Whether it has told so far in the other way.
    fn tells_otherwise(&self, by_room: bool) -> bool {
        self.places.iter().next().is_some_and(|place| room_of(*place).is_some() != by_room)
    }

    fn digest(&self, id: FrontendId) -> u64 {
        self.digest_with(id, self.sum)
    }

    fn digest_with(&self, id: FrontendId, sum: u64) -> u64 {
        digest::of_numbers(Kind::Frontend, [id.0, self.sequence, self.lease_until_ms, sum])
    }
}

impl FrozenFrontends {
    /// Whether every frontend tells as they did before there was presence by room.
    pub(crate) fn are_of_before(&self) -> bool {
        self.0.values().all(|frontend| !frontend.tells_otherwise(false))
    }

    /// Every frontend in parts, in an order that is always the same.
    pub(crate) fn into_parts(self) -> impl Iterator<Item = Stored> + Send + 'static {
        self.0.into_iter().flat_map(|(id, frontend)| stored(id, &frontend))
    }
}

fn stored(id: FrontendId, frontend: &Frontend) -> Vec<Stored> {
    let part = |players: Vec<PlayerId>| {
        Stored::Frontend(StoredFrontend {
            frontend: id,
            sequence: frontend.sequence,
            lease_until_ms: frontend.lease_until_ms,
            players,
        })
    };
    let mut parts = vec![part(Vec::new())];
    let (by_room, everywhere): (Vec<Place>, Vec<Place>) =
        frontend.places.iter().copied().partition(|place| room_of(*place).is_some());
    let players: Vec<PlayerId> = everywhere.into_iter().map(|(player, _)| player).collect();
    parts.extend(players.chunks(STORED_PLACES_MAX).map(|some| part(some.to_vec())));
    let places = |some: &[Place]| StoredPlaces { frontend: id, places: some.to_vec() };
    parts.extend(by_room.chunks(STORED_PLACES_MAX).map(|some| Stored::Places(places(some))));
    parts
}

fn digest_of_place(place: Place) -> u64 {
    let (player, room) = place;
    match room_of(place) {
        Some(_) => digest::of_numbers(Kind::Place, [player.0, room.0]),
        None => digest::of_numbers(Kind::Online, [player.0]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const F1: FrontendId = FrontendId(1);
    const F2: FrontendId = FrontendId(2);

    fn ids(players: &[u64]) -> Vec<Place> {
        players.iter().copied().map(PlayerId).map(everywhere).collect()
    }

    fn places(places: &[(u64, u64)]) -> Vec<Place> {
        places.iter().map(|(player, room)| (PlayerId(*player), RoomId(*room))).collect()
    }

    /// Whether the lease was lost, and who flipped where.
    type Told = (bool, Vec<((u64, u64), bool)>);

    /// Tells, and returns whether the lease was lost and who flipped.
    fn tell(
        presence: &mut Presence,
        now_ms: u64,
        (frontend, sequence, whole): (FrontendId, u64, bool),
        arrived: &[u64],
        departed: &[u64],
    ) -> (bool, Vec<(u64, bool)>) {
        let (came, went) = (&ids(arrived), &ids(departed));
        let report = Report { frontend, sequence, whole, came, went, by_room: false };
        let (lost, flips) = hear(presence, now_ms, &report);
        (lost, flips.into_iter().map(|((player, _), on)| (player, on)).collect())
    }

    /// The same, of places.
    fn tell_where(
        presence: &mut Presence,
        (frontend, sequence, whole): (FrontendId, u64, bool),
        came: &[(u64, u64)],
        went: &[(u64, u64)],
    ) -> Told {
        let (came, went) = (&places(came), &places(went));
        let report = Report { frontend, sequence, whole, came, went, by_room: true };
        hear(presence, 0, &report)
    }

    fn hear(presence: &mut Presence, now_ms: u64, report: &Report<'_>) -> Told {
        let heard = presence.hear(report, now_ms).expect("there is room");
        assert_eq!(presence.digest(), presence.recompute_digest());
        let flips = heard.flips.into_iter().map(|((player, room), on)| ((player.0, room.0), on));
        (heard.lease_lost, flips.collect())
    }

    /// Who looks at one room is in that one and in no other.
    #[test]
    fn a_player_is_where_they_look() {
        let p = &mut Presence::default();
        let said = tell_where(p, (F1, 1, true), &[(1, 7), (1, 8)], &[]);
        assert_eq!(said, (false, vec![((1, 7), true), ((1, 8), true)]));
        assert_eq!(tell_where(p, (F2, 1, true), &[(1, 7)], &[]), (false, vec![]));
        assert_eq!(tell_where(p, (F1, 2, false), &[], &[(1, 7)]), (false, vec![]));
        let said = tell_where(p, (F1, 3, false), &[], &[(1, 8)]);
        assert_eq!(said, (false, vec![((1, 8), false)]));
        assert!(p.is_here(PlayerId(1), RoomId(7)) && !p.is_here(PlayerId(1), RoomId(8)));
    }

    /// A frontend that begins to say where, or ceases to, has to tell everything.
    #[test]
    fn who_changes_ways_begins_anew() {
        let p = &mut Presence::default();
        tell(p, 0, (F1, 1, true), &[1, 2], &[]);
        assert!(p.is_here(PlayerId(2), RoomId(7)), "as far as anybody knows");
        assert_eq!(tell_where(p, (F1, 2, false), &[(1, 7)], &[]), (true, vec![]));
        let (lost, flips) = tell_where(p, (F1, 3, true), &[(1, 7)], &[]);
        assert_eq!((lost, flips.len()), (false, 3));
        assert!(p.is_here(PlayerId(1), RoomId(7)) && !p.is_here(PlayerId(2), RoomId(7)));
        assert_eq!(tell(p, 0, (F1, 4, false), &[3], &[]), (true, vec![]));
        tell(p, 0, (F1, 5, true), &[3], &[]);
        assert!(p.is_here(PlayerId(3), RoomId(7)) && !p.is_here(PlayerId(1), RoomId(7)));
    }

    #[test]
    fn a_player_is_online_while_any_frontend_has_them() {
        let p = &mut Presence::default();
        assert_eq!(tell(p, 0, (F1, 1, true), &[1, 2], &[]), (false, vec![(1, true), (2, true)]));
        assert_eq!(tell(p, 0, (F2, 1, true), &[2], &[]), (false, vec![]));
        assert_eq!(tell(p, 0, (F1, 2, false), &[], &[1, 2]), (false, vec![(1, false)]));
        assert_eq!(tell(p, 0, (F2, 2, true), &[3], &[]), (false, vec![(2, false), (3, true)]));
    }

    #[test]
    fn old_news_is_ignored() {
        let p = &mut Presence::default();
        tell(p, 0, (F1, 5, true), &[1], &[]);
        assert_eq!(tell(p, 0, (F1, 5, false), &[], &[1]), (false, vec![]));
        assert_eq!(tell(p, 0, (F1, 4, true), &[], &[]), (false, vec![]));
    }

    #[test]
    fn a_frontend_without_a_lease_has_to_tell_everything() {
        let p = &mut Presence::default();
        assert_eq!(tell(p, 0, (F1, 1, false), &[1], &[]), (true, vec![]));
        tell(p, 0, (F1, 2, true), &[1], &[]);
        assert_eq!(tell(p, LEASE_MS, (F1, 3, false), &[2], &[]), (false, vec![(2, true)]));
        let late = 2 * LEASE_MS + 1;
        assert_eq!(tell(p, late, (F1, 4, false), &[3], &[]), (true, vec![]));
        assert_eq!(tell(p, late, (F1, 5, true), &[2], &[]), (false, vec![(1, false)]));
    }

    #[test]
    fn a_lease_ends_bit_by_bit() {
        let p = &mut Presence::default();
        tell(p, 0, (F1, 1, true), &[1, 2, 3], &[]);
        assert!(p.tick(LEASE_MS, 2).is_empty());
        assert_eq!(p.due_ms(), Some(LEASE_MS + 1));
        assert_eq!(p.tick(LEASE_MS + 1, 2).len(), 2);
        assert_eq!(p.digest(), p.recompute_digest());
        assert_eq!(p.tick(LEASE_MS + 1, 2).len(), 1);
        assert_eq!(p.due_ms(), None);
        assert_eq!(p.digest(), Presence::default().digest());
    }

    #[test]
    fn there_are_only_so_many_frontends() {
        let p = &mut Presence::default();
        for id in 0..FRONTENDS_MAX as u64 {
            tell(p, 0, (FrontendId(id), 1, true), &[id], &[]);
        }
        let report = Report {
            frontend: FrontendId(9999),
            sequence: 1,
            whole: true,
            came: &[],
            went: &[],
            by_room: false,
        };
        assert!(matches!(p.hear(&report, 0), Err(Rejection::Busy)));
    }
}
