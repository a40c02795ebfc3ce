//! How bots choose a cell.
//!
//! * *Easy* wins when it can, most times, and marks anything else.
//! * *Medium* wins and blocks when it takes one move, and likes the middle and the corners.
//!   It sees no forks, and now and then it does not look at all.
//! * *Hard* keeps what perfect play would get, and likes moves to which many answers are
//!   mistakes.

use super::perfect::Position;
use crate::chance::Chance;
use crate::rules::duel::Strength;
use crate::rules::lots::{draw, once_in};

/// Of so many wins at one move an easy bot overlooks one.
const EASY_OVERLOOKS: usize = 4;

/// In so many moves a medium bot makes one without looking.
const MEDIUM_ERRS: usize = 8;

/// How much a medium bot likes each cell.
const LIKED: [u32; 9] = [2, 1, 2, 1, 4, 1, 2, 1, 2];

/// The cell that a bot of this strength marks; none if none is free.
pub(super) fn choose(position: Position, strength: Strength, chance: &mut Chance) -> Option<u8> {
    draw(&tickets(position, strength, chance), chance)
}

/// Which cells a bot may choose, and how much it likes each.
fn tickets(position: Position, strength: Strength, chance: &mut Chance) -> Tickets {
    match strength {
        Strength::Easy if once_in(EASY_OVERLOOKS, chance) => anything(position),
        Strength::Easy => wins(position).unwrap_or_else(|| anything(position)),
        Strength::Medium if once_in(MEDIUM_ERRS, chance) => anything(position),
        Strength::Medium => wins(position).or_else(|| blocks(position)).unwrap_or_else(|| {
            position.free().map(|cell| (cell, LIKED[usize::from(cell)])).collect()
        }),
        Strength::Hard => wins(position).unwrap_or_else(|| traps(position)),
    }
}

/// Cells and their tickets.
type Tickets = Vec<(u8, u32)>;

fn anything(position: Position) -> Tickets {
    position.free().map(|cell| (cell, 1)).collect()
}

/// What wins at once, if anything does.
fn wins(position: Position) -> Option<Tickets> {
    some(position.free().filter(|cell| position.wins_by(*cell)))
}

/// What keeps the other from winning at once, if they could.
fn blocks(position: Position) -> Option<Tickets> {
    some(position.free().filter(|cell| position.loses_without(*cell)))
}

/// What keeps the position's worth; the more answers are mistakes, the more tickets.
fn traps(position: Position) -> Tickets {
    let kept = position.free().filter(|cell| position.is_kept_by(*cell));
    let tickets = kept.map(|cell| {
        let after = position.after(cell);
        let mistakes = after.free().filter(|reply| !after.is_kept_by(*reply)).count() as u32;
        (cell, 1 + mistakes * mistakes)
    });
    tickets.collect()
}

fn some(cells: impl Iterator<Item = u8>) -> Option<Tickets> {
    let tickets: Tickets = cells.map(|cell| (cell, 1)).collect();
    (!tickets.is_empty()).then_some(tickets)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::rules::tic_tac_toe::cells::{CELLS, Mark};
    use crate::rules::tic_tac_toe::perfect::Value;

    fn empty() -> Position {
        Position::of(&[None; CELLS], Mark::X)
    }

    /// Follows every line there is: whatever the bot may choose, and whatever the other may
    /// answer. It never comes to where the bot has lost.
    #[test]
    fn the_hard_bot_never_loses_against_anything() {
        fn follow(position: Position, bot_moves: bool, seen: &mut BTreeSet<(Position, bool)>) {
            if !seen.insert((position, bot_moves)) {
                return;
            }
            let lost_by_the_one_to_move = position.is_lost_already();
            assert!(!(bot_moves && lost_by_the_one_to_move), "{position:?}");
            if lost_by_the_one_to_move {
                return;
            }
            let cells: Vec<u8> = if bot_moves {
                let tickets = tickets(position, Strength::Hard, &mut Chance::of(1, 0));
                assert!(tickets.iter().all(|(_, count)| *count > 0));
                tickets.into_iter().map(|(cell, _)| cell).collect()
            } else {
                position.free().collect()
            };
            cells.into_iter().for_each(|cell| follow(position.after(cell), !bot_moves, seen));
        }
        let mut seen = BTreeSet::new();
        follow(empty(), true, &mut seen);
        follow(empty(), false, &mut seen);
        assert!(seen.len() > 1000, "only {} positions were seen", seen.len());
    }

    /// How `strength` fares against `other` in so many games, half of which it begins: won,
    /// drawn, lost.
    fn fares(strength: Strength, other: Strength, games: u32) -> [u32; 3] {
        let mut count = [0; 3];
        for game in 0..games {
            let mut chance = Chance::of(7, game);
            let (mut position, mut mine) = (empty(), game % 2 == 0);
            while !position.is_lost_already() && position.free().next().is_some() {
                let strength = if mine { strength } else { other };
                let cell = choose(position, strength, &mut chance).expect("a cell is free");
                assert!(position.free().any(|free| free == cell));
                (position, mine) = (position.after(cell), !mine);
            }
            let place = match (position.is_lost_already(), mine) {
                (false, _) => 1,
                (true, mine) => {
                    if mine {
                        2
                    } else {
                        0
                    }
                }
            };
            count[place] += 1;
        }
        count
    }

    #[test]
    fn each_bot_is_better_than_the_one_before_and_two_of_them_can_be_beaten() {
        use Strength::{Easy, Hard, Medium};
        let [won, _, lost] = fares(Medium, Easy, 1000);
        assert!(won > 600 && lost > 10, "medium against easy: {won} won, {lost} lost");
        let [won, _, lost] = fares(Hard, Medium, 1000);
        assert!(won > 100 && lost == 0, "hard against medium: {won} won, {lost} lost");
        let [won, _, lost] = fares(Hard, Easy, 1000);
        assert!(won > 800 && lost == 0, "hard against easy: {won} won, {lost} lost");
    }

    /// A trap is a move to which few answers hold.
    #[test]
    fn the_hard_bot_likes_traps() {
        let corner = empty().after(0);
        assert_eq!(corner.value(), Value::Drawn);
        let mut chance = Chance::of(3, 0);
        let opened = (0..300).filter_map(|_| choose(empty(), Strength::Hard, &mut chance));
        let corners = opened.filter(|cell| [0, 2, 6, 8].contains(cell)).count();
        assert!((150..300).contains(&corners), "{corners} of 300 in a corner");
    }

    /// X has two in a row, and so has O.
    #[test]
    fn a_win_at_one_move_is_overlooked_by_some_and_rarely() {
        let position = [0, 3, 1, 4].into_iter().fold(empty(), Position::after);
        let mut chance = Chance::of(9, 0);
        let [easy, medium, hard] = Strength::ALL.map(|strength| {
            let cells = (0..400).filter_map(|_| choose(position, strength, &mut chance));
            cells.filter(|cell| *cell != 2).count()
        });
        assert!(hard == 0 && (10..70).contains(&medium) && (50..130).contains(&easy));
    }

    #[test]
    fn nothing_is_chosen_where_nothing_is_free() {
        let mut full = empty();
        for cell in [0, 4, 8, 1, 7, 6, 2, 5, 3] {
            full = full.after(cell);
        }
        for strength in Strength::ALL {
            assert_eq!(choose(full, strength, &mut Chance::of(1, 0)), None);
        }
    }
}
