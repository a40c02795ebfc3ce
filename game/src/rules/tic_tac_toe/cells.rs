//! The nine cells, and what stands in them.

use serde::{Deserialize, Serialize};

/// Cells of the board, row by row.
pub(super) const CELLS: usize = 9;

/// Cells that are a win when they have one mark.
pub(super) const LINES: [[u8; 3]; 8] =
    [[0, 1, 2], [3, 4, 5], [6, 7, 8], [0, 3, 6], [1, 4, 7], [2, 5, 8], [0, 4, 8], [2, 4, 6]];

/// What stands in each cell.
pub(super) type Cells = [Option<Mark>; CELLS];

/// What stands in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Mark {
    X,
    O,
}

/// Three in a line, if there are.
pub(super) fn three_in_line(cells: &Cells) -> Option<[u8; 3]> {
    LINES.into_iter().find(|line| {
        let [first, second, third] = line.map(|cell| cells[usize::from(cell)]);
        first.is_some() && first == second && second == third
    })
}
