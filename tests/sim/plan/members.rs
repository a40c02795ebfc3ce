//! Members that come and go: which of it a day has, and when.
//!
//! Drawn with dice of its own, so that days without it are as they would be if nothing
//! ever came or went.

use super::{Fault, Move, QUIET_MS, Request, Target, What};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

/// What a day has of it.
pub(super) struct Comings {
    /// Machines that are not there in the beginning.
    pub(super) spares: usize,
    /// In order of their time.
    pub(super) events: Vec<Fault>,
}

/// A day with members that come and go is longer by so much: a voter that is gone is
/// noticed after ten seconds.
pub(super) const LONGER_MS: u64 = 8_000;

/// Of all days, so many have none of it.
const DAYS_WITHOUT: f64 = 0.5;

/// How long a voter may be silent before it is replaced, where that is to happen within a
/// day. The planner waits for at least five seconds in any case.
const SOON_MS: u64 = 1_000;

/// The kinds, and how often each happens on a day that has them all.
const KINDS: [(Kind, u32); 10] = [
    (Kind::Join, 0),
    (Kind::Voters, 4),
    (Kind::ReplaceAfter, 1),
    (Kind::Transfer, 4),
    (Kind::Leave, 3),
    (Kind::LeaveBoth, 1),
    (Kind::Perish, 4),
    (Kind::Wipe, 3),
    (Kind::ComeBack, 4),
    (Kind::StartSpent, 1),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Happens once for each spare.
    Join,
    Voters,
    ReplaceAfter,
    Transfer,
    Leave,
    LeaveBoth,
    Perish,
    Wipe,
    ComeBack,
    StartSpent,
}

/// Draws what a day has of it, if it has any.
pub(super) fn draw(seed: u64, nodes: usize, millis: u64) -> Option<Comings> {
    let mut dice = StdRng::seed_from_u64(seed ^ 0x6d65_6d62);
    if dice.random_bool(DAYS_WITHOUT) {
        return None;
    }
    let kinds = kinds(&mut dice);
    let has = |kind| kinds.iter().any(|(other, _)| *other == kind);
    let spares = if has(Kind::Join) { dice.random_range(1..=3) } else { 0 };
    let mut events: Vec<Fault> = (0..spares)
        .map(|spare| Fault {
            at_ms: dice.random_range(QUIET_MS..millis * 3 / 4),
            what: What::Move(Move::Join(spare)),
        })
        .collect();
    if (has(Kind::Perish) || has(Kind::Wipe)) && dice.random_bool(0.8) {
        let at_ms = dice.random_range(QUIET_MS..2 * QUIET_MS);
        let soon = Move::Ask(Request::ReplaceAfter(SOON_MS));
        events.push(Fault { at_ms, what: What::Move(soon) });
    }
    let mut at_ms = QUIET_MS;
    while kinds.iter().any(|(_, weight)| *weight > 0) {
        at_ms += dice.random_range(100..4_000);
        if at_ms >= millis {
            break;
        }
        let what = What::Move(draw_move(&mut dice, &kinds, nodes + spares));
        events.push(Fault { at_ms, what });
    }
    events.sort_by_key(|event| event.at_ms);
    Some(Comings { spares, events })
}

/// The kinds of one day; at least one.
fn kinds(dice: &mut StdRng) -> Vec<(Kind, u32)> {
    let share = *[0.3, 0.6, 1.0].choose(dice).expect("not empty");
    let mut chosen: Vec<_> = KINDS.into_iter().filter(|_| dice.random_bool(share)).collect();
    if chosen.is_empty() {
        chosen.extend(KINDS.choose(dice));
    }
    chosen
}

fn draw_move(dice: &mut StdRng, kinds: &[(Kind, u32)], machines: usize) -> Move {
    let target = super::target(dice, machines);
    let kind = kinds.choose_weighted(dice, |(_, weight)| *weight).expect("one has a weight");
    match kind.0 {
        Kind::Join => unreachable!("it has no weight"),
        Kind::Voters => Move::Ask(Request::Voters(*[3, 5, 7].choose(dice).expect("not empty"))),
        Kind::ReplaceAfter => {
            let times = [SOON_MS, SOON_MS, 3_000, 600_000];
            Move::Ask(Request::ReplaceAfter(*times.choose(dice).expect("not empty")))
        }
        Kind::Transfer => {
            let to = dice.random_bool(0.8).then(|| Target::Node(dice.random_range(0..machines)));
            Move::Ask(Request::Transfer(to))
        }
        Kind::Leave => Move::Ask(Request::Leave(target)),
        Kind::LeaveBoth => Move::Ask(Request::LeaveBoth(target)),
        Kind::Perish => Move::Perish(target),
        Kind::Wipe => Move::Wipe { target, down_ms: dice.random_range(10..2_500) },
        Kind::ComeBack => Move::ComeBack,
        Kind::StartSpent => Move::StartSpent,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Plan;
    use super::*;

    /// Many days are as they would be if nobody ever came or went; on the others, every
    /// spare joins once, while there is time for it to matter.
    #[test]
    fn on_many_days_nobody_comes_or_goes() {
        let plans: Vec<Plan> = (0..200).map(|seed| Plan::of(seed, 20_000, None)).collect();
        let moves = |plan: &Plan| {
            plan.faults.iter().filter(|fault| matches!(fault.what, What::Move(_))).count()
        };
        let quiet = plans.iter().filter(|plan| !plan.members_change);
        assert!(
            quiet.clone().all(|plan| (plan.spares, plan.millis, moves(plan)) == (0, 20_000, 0))
        );
        assert!((60..140).contains(&quiet.count()));
        for plan in plans.iter().filter(|plan| plan.members_change) {
            let joins = plan.faults.iter().filter_map(|fault| match fault.what {
                What::Move(Move::Join(spare)) => Some((spare, fault.at_ms)),
                _ => None,
            });
            let mut joins: Vec<(usize, u64)> = joins.collect();
            joins.sort_unstable();
            assert!(joins.iter().map(|(spare, _)| *spare).eq(0..plan.spares));
            assert!(joins.iter().all(|(_, at_ms)| *at_ms < plan.millis * 3 / 4));
        }
    }
}
