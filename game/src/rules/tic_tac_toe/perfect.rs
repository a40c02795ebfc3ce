//! Perfect play: what each position is worth, found by playing all of them to the end.
//!
//! There are 5,478 positions that play can reach. They are valued once, when somebody first
//! asks, and kept in 20 kB; from then on an answer is a look at a table. What a position is
//! worth follows from the rules alone, so it is the same on every replica.

use std::sync::LazyLock;

use super::cells::{CELLS, Cells, LINES, Mark};

/// Ways to fill nine cells with mine, theirs or nothing: 3^9.
const POSITIONS: usize = 19_683;

/// A position as whoever is to move sees it: a bit for each cell, from the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    mine: u16,
    theirs: u16,
}

/// What a position is worth to whoever is to move, if both play as well as can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    Lost,
    Drawn,
    Won,
}

impl Position {
    /// What stands in the cells, when `mark` is to move.
    pub(super) fn of(cells: &Cells, mark: Mark) -> Position {
        let mut position = Position { mine: 0, theirs: 0 };
        for (place, cell) in cells.iter().enumerate() {
            match cell {
                Some(marked) if *marked == mark => position.mine |= 1 << place,
                Some(_) => position.theirs |= 1 << place,
                None => {}
            }
        }
        position
    }

    /// The cells that are free, from the lowest.
    pub(super) fn free(self) -> impl Iterator<Item = u8> {
        (0..CELLS as u8).filter(move |cell| (self.mine | self.theirs) & (1 << cell) == 0)
    }

    /// The position when this free cell is marked, as the other then sees it.
    pub(super) fn after(self, cell: u8) -> Position {
        Position { mine: self.theirs, theirs: self.mine | 1 << cell }
    }

    /// Whether marking this free cell makes three in a line.
    pub(super) fn wins_by(self, cell: u8) -> bool {
        has_line(self.mine | 1 << cell)
    }

    /// Whether it would make three in a line for the other.
    pub(super) fn loses_without(self, cell: u8) -> bool {
        has_line(self.theirs | 1 << cell)
    }

    /// Whether the other has three in a line.
    #[cfg(test)]
    pub(super) fn is_lost_already(self) -> bool {
        has_line(self.theirs)
    }

    /// What the position is worth.
    pub(super) fn value(self) -> Value {
        static VALUES: LazyLock<Vec<Option<Value>>> = LazyLock::new(|| {
            let mut values = vec![None; POSITIONS];
            fill(&mut values, Position { mine: 0, theirs: 0 });
            values
        });
        // Others than play can reach, as a damaged snapshot may have, are as good as drawn.
        VALUES[self.place()].unwrap_or(Value::Drawn)
    }

    /// What the position is worth to whoever is to move when they mark this free cell.
    pub(super) fn value_by(self, cell: u8) -> Value {
        self.after(cell).value().reversed()
    }

    /// Whether marking this free cell keeps what the position is worth.
    pub(super) fn is_kept_by(self, cell: u8) -> bool {
        self.value_by(cell) >= self.value()
    }

    /// The place in the table: the cells are the digits of a number to the base 3.
    fn place(self) -> usize {
        (0..CELLS).rev().fold(0, |place, cell| {
            let digit = (self.mine >> cell & 1) + 2 * (self.theirs >> cell & 1);
            place * 3 + usize::from(digit)
        })
    }
}

impl Value {
    /// The same as the other sees it.
    fn reversed(self) -> Value {
        match self {
            Value::Lost => Value::Won,
            Value::Drawn => Value::Drawn,
            Value::Won => Value::Lost,
        }
    }
}

/// Values a position and all that can come of it. It goes at most nine moves deep.
fn fill(values: &mut Vec<Option<Value>>, position: Position) -> Value {
    let place = position.place();
    if let Some(value) = values[place] {
        return value;
    }
    let value = if has_line(position.theirs) {
        Value::Lost
    } else {
        let replies = position.free().map(|cell| fill(values, position.after(cell)).reversed());
        replies.max().unwrap_or(Value::Drawn)
    };
    values[place] = Some(value);
    value
}

fn has_line(marks: u16) -> bool {
    LINES.iter().any(|line| line.iter().all(|cell| marks & (1 << cell) != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A position by its cells, row by row: `x` is to move.
    fn position(cells: &str) -> Position {
        let mark = |c| match c {
            'x' => Some(Mark::X),
            'o' => Some(Mark::O),
            _ => None,
        };
        let cells: Vec<Option<Mark>> = cells.chars().filter(|c| *c != ' ').map(mark).collect();
        Position::of(&cells.try_into().expect("nine cells"), Mark::X)
    }

    #[test]
    fn what_is_known_of_the_game_is_found() {
        for (cells, value) in [
            ("... ... ...", Value::Drawn),
            ("o.. ... ...", Value::Drawn),
            (".o. ... ...", Value::Drawn),
            // Only the middle answers a corner.
            ("x.. .o. ...", Value::Drawn),
            ("xo. ... ...", Value::Won),
            ("o.. .x. ..o", Value::Drawn),
            ("xx. .o. .o.", Value::Won),
            ("oo. .x. ...", Value::Drawn),
            ("o.o .x. x.o", Value::Lost),
            ("xxo oox xox", Value::Drawn),
            ("ooo xx. x..", Value::Lost),
        ] {
            assert_eq!(position(cells).value(), value, "{cells}");
        }
        // A position that cannot be.
        assert_eq!(position("xxx xxx xxx").value(), Value::Drawn);
    }

    #[test]
    fn a_move_is_good_if_it_keeps_what_there_is() {
        for (cells, good) in [
            // Anything holds the draw at the beginning; against a corner the middle alone.
            ("... ... ...", vec![0, 1, 2, 3, 4, 5, 6, 7, 8]),
            ("o.. ... ...", vec![4]),
            // With the corners taken across, an edge.
            ("o.. .x. ..o", vec![1, 3, 5, 7]),
            // Who could win here and does not is stopped.
            ("xx. oo. ...", vec![2]),
            // With two ways to win it may wait for a move.
            ("x.x .o. o.x", vec![1, 3, 5, 7]),
            // What is lost is lost.
            ("o.o .x. x.o", vec![1, 3, 5, 7]),
        ] {
            let position = position(cells);
            let kept: Vec<u8> = position.free().filter(|cell| position.is_kept_by(*cell)).collect();
            assert_eq!(kept, good, "{cells}");
        }
    }
}
