//! Presence: who is online.
//!
//! Every frontend tells who is connected to it, and holds a lease that it
//! renews by telling. When a frontend dies its lease ends by the stamps, and
//! its players go offline, at the same entry on every replica. A player is
//! online while any live frontend has them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use crate::answer::Rejection;
use crate::digest::{self, Kind};
use crate::ids::{FrontendId, PlayerId};

/// How long a frontend is believed without being heard, in lobby time.
pub(crate) const LEASE_MS: u64 = 15_000;

/// Frontends with a lease. Another one is told `busy`.
const FRONTENDS_MAX: usize = 256;

/// Players of one frontend. Further ones are not noted as online.
const PLAYERS_MAX: usize = 100_000;

/// Players in one part of a snapshot.
const STORED_PLAYERS_MAX: usize = 1_000;

/// Who is online, by frontend.
#[derive(Clone, Debug, Default)]
pub(crate) struct Presence {
    frontends: OrdMap<FrontendId, Arc<Frontend>>,
    /// At how many frontends each player is; who is at none is not in it.
    online: BTreeMap<PlayerId, u32>,
    /// Sum of the frontends' digests.
    sum: u64,
}

/// One frontend's word.
#[derive(Clone, Debug, Default)]
struct Frontend {
    sequence: u64,
    lease_until_ms: u64,
    players: OrdSet<PlayerId>,
    /// Sum of the players' digests.
    sum: u64,
}

/// What a frontend says.
pub(crate) struct Report<'a> {
    pub(crate) frontend: FrontendId,
    pub(crate) sequence: u64,
    pub(crate) whole: bool,
    pub(crate) arrived: &'a [PlayerId],
    pub(crate) departed: &'a [PlayerId],
}

/// Whose being online has changed, and to what.
pub(crate) type Flips = BTreeMap<PlayerId, bool>;

/// What came of a report.
pub(crate) struct Heard {
    pub(crate) lease_lost: bool,
    pub(crate) flips: Flips,
}

/// Frontends as a snapshot sees them: cheap to take, and at rest.
#[derive(Clone, Debug)]
pub(crate) struct FrozenFrontends(OrdMap<FrontendId, Arc<Frontend>>);

/// A frontend, or some more of its players, as a snapshot holds it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredFrontend {
    frontend: FrontendId,
    sequence: u64,
    lease_until_ms: u64,
    players: Vec<PlayerId>,
}

impl Presence {
    /// Hears what a frontend says, and renews its lease.
    pub(crate) fn hear(&mut self, report: &Report<'_>, now_ms: u64) -> Result<Heard, Rejection> {
        let known = self.frontends.get(&report.frontend);
        let live = known.is_some_and(|frontend| frontend.is_live(now_ms));
        let nothing = |lease_lost| Heard { lease_lost, flips: Flips::new() };
        if known.is_some_and(|frontend| report.sequence <= frontend.sequence) {
            return Ok(nothing(!live));
        }
        if !live && !report.whole {
            return Ok(nothing(true));
        }
        if known.is_none() && self.frontends.len() >= FRONTENDS_MAX {
            return Err(Rejection::Busy);
        }
        Ok(Heard { lease_lost: false, flips: self.take_in(report, now_ms) })
    }

    /// Ends the leases that have run out, for at most `players_max` players;
    /// the rest the next time.
    pub(crate) fn tick(&mut self, now_ms: u64, mut players_max: usize) -> Flips {
        let mut flips = Flips::new();
        let ended = |(id, frontend): (&FrontendId, &Arc<Frontend>)| {
            (!frontend.is_live(now_ms)).then_some(*id)
        };
        let ended: Vec<FrontendId> = self.frontends.iter().filter_map(ended).collect();
        for id in ended {
            let Some(mut frontend) = self.take(id) else { continue };
            let gone: Vec<PlayerId> = frontend.players.iter().copied().take(players_max).collect();
            players_max -= gone.len();
            for player in gone {
                self.depart(&mut frontend, player, &mut flips);
            }
            if !frontend.players.is_empty() {
                self.put(id, frontend);
                break;
            }
        }
        flips
    }

    /// Whether any frontend has this player.
    pub(crate) fn has(&self, player: PlayerId) -> bool {
        self.online.contains_key(&player)
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
            let players = frontend.players.iter().map(|player| digest_of_player(*player));
            frontend.digest_with(*id, players.fold(0, u64::wrapping_add))
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
            self.arrive(&mut frontend, player, &mut Flips::new());
        }
        self.put(id, frontend);
        if self.frontends.len() > FRONTENDS_MAX { Err("too many frontends") } else { Ok(()) }
    }

    fn take_in(&mut self, report: &Report<'_>, now_ms: u64) -> Flips {
        let mut flips = Flips::new();
        let mut frontend = self.take(report.frontend).unwrap_or_default();
        frontend.sequence = report.sequence;
        frontend.lease_until_ms = now_ms.saturating_add(LEASE_MS);
        let before = if report.whole { frontend.players.clone() } else { OrdSet::new() };
        for player in report.arrived {
            self.arrive(&mut frontend, *player, &mut flips);
        }
        let stayed: BTreeSet<&PlayerId> = report.arrived.iter().collect();
        let left_out = before.iter().filter(|player| !stayed.contains(player));
        let departed = if report.whole { &[] } else { report.departed };
        for player in left_out.chain(departed) {
            self.depart(&mut frontend, *player, &mut flips);
        }
        self.put(report.frontend, frontend);
        flips
    }

    fn arrive(&mut self, frontend: &mut Frontend, player: PlayerId, flips: &mut Flips) {
        let full = frontend.players.len() >= PLAYERS_MAX;
        if full || frontend.players.insert(player).is_some() {
            return;
        }
        frontend.sum = frontend.sum.wrapping_add(digest_of_player(player));
        let count = self.online.entry(player).or_default();
        *count += 1;
        if *count == 1 {
            flips.insert(player, true);
        }
    }

    fn depart(&mut self, frontend: &mut Frontend, player: PlayerId, flips: &mut Flips) {
        if frontend.players.remove(&player).is_none() {
            return;
        }
        frontend.sum = frontend.sum.wrapping_sub(digest_of_player(player));
        let count = self.online.entry(player).or_default();
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.online.remove(&player);
            flips.insert(player, false);
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

    fn digest(&self, id: FrontendId) -> u64 {
        self.digest_with(id, self.sum)
    }

    fn digest_with(&self, id: FrontendId, sum: u64) -> u64 {
        digest::of_numbers(Kind::Frontend, [id.0, self.sequence, self.lease_until_ms, sum])
    }
}

impl FrozenFrontends {
    /// Every frontend in parts, in an order that is always the same.
    pub(crate) fn into_parts(self) -> impl Iterator<Item = StoredFrontend> + Send + 'static {
        self.0.into_iter().flat_map(|(id, frontend)| stored(id, &frontend))
    }
}

fn stored(id: FrontendId, frontend: &Frontend) -> Vec<StoredFrontend> {
    let part = |players: Vec<PlayerId>| StoredFrontend {
        frontend: id,
        sequence: frontend.sequence,
        lease_until_ms: frontend.lease_until_ms,
        players,
    };
    let players: Vec<PlayerId> = frontend.players.iter().copied().collect();
    let mut parts = vec![part(Vec::new())];
    parts.extend(players.chunks(STORED_PLAYERS_MAX).map(|some| part(some.to_vec())));
    parts
}

fn digest_of_player(player: PlayerId) -> u64 {
    digest::of_numbers(Kind::Online, [player.0])
}

#[cfg(test)]
mod tests {
    use super::*;

    const F1: FrontendId = FrontendId(1);
    const F2: FrontendId = FrontendId(2);

    fn ids(players: &[u64]) -> Vec<PlayerId> {
        players.iter().copied().map(PlayerId).collect()
    }

    /// Tells, and returns whether the lease was lost and who flipped.
    fn tell(
        presence: &mut Presence,
        now_ms: u64,
        (frontend, sequence, whole): (FrontendId, u64, bool),
        arrived: &[u64],
        departed: &[u64],
    ) -> (bool, Vec<(u64, bool)>) {
        let (arrived, departed) = (ids(arrived), ids(departed));
        let report = Report { frontend, sequence, whole, arrived: &arrived, departed: &departed };
        let heard = presence.hear(&report, now_ms).expect("there is room");
        assert_eq!(presence.digest(), presence.recompute_digest());
        (heard.lease_lost, heard.flips.into_iter().map(|(p, on)| (p.0, on)).collect())
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
            arrived: &[],
            departed: &[],
        };
        assert!(matches!(p.hear(&report, 0), Err(Rejection::Busy)));
    }
}
