//! A card of the picture: the places as boxes, and between them arrows with the names of
//! what is said.

use hangraft_proto::map::{Message, Place};

use crate::blocks::{Block, Columns};
use crate::pen::{LABEL_HEIGHT, LABELS_APART, Pen, WIDTH, width_of};

/// Beside the cards.
pub(crate) const EDGE: usize = 8;
/// From the edge of a card to what is on it.
const PADDING: usize = 18;
/// The title of a card.
const HEADING: usize = 44;
/// How wide a place is drawn.
const PLACE_WIDTH: usize = 100;
/// Between two places in one column.
const PLACES_APART: usize = 10;
/// Beside the labels of a block.
const BESIDE: usize = 8;
/// An arrow, below the labels.
const ARROW: usize = 16;
/// Between blocks.
const BLOCKS_APART: usize = 14;

/// Draws a card, and says how high it is.
pub(crate) fn card(
    pen: &mut Pen,
    title: &str,
    about: &str,
    columns: &Columns<'_>,
    top: usize,
) -> usize {
    let boxes = PLACE_WIDTH * columns.places.len();
    let wide = (WIDTH - 2 * (EDGE + PADDING) - boxes) / columns.between.len();
    let rows = Rows::of(columns, wide, top + HEADING);
    let height = HEADING + rows.bottom() - (top + HEADING) + PADDING;
    pen.rect("card", (EDGE, top), (WIDTH - 2 * EDGE, height));
    pen.words("heading", (EDGE + PADDING, top + 28), title);
    pen.words("faint end", (WIDTH - EDGE - PADDING, top + 28), about);
    let left_of = |column: usize| EDGE + PADDING + column * (PLACE_WIDTH + wide);
    for (at, gap) in columns.between.iter().enumerate() {
        let from = left_of(at) + PLACE_WIDTH;
        for part in gap.chunk_by(|one, next| one.row() == next.row()) {
            let row = if is_whole(gap) { None } else { Some(part[0].row()) };
            blocks(pen, part, (from, from + wide), rows.of_row(row));
        }
    }
    for (at, column) in columns.places.iter().enumerate() {
        for (row, place) in column.iter().enumerate() {
            let row = if column.len() == 1 { None } else { Some(row) };
            draw_place(pen, *place, left_of(at), rows.of_row(row));
        }
    }
    height
}

/// From where to where each row of places reaches.
struct Rows(Vec<(usize, usize)>);

impl Rows {
    fn of(columns: &Columns<'_>, wide: usize, top: usize) -> Self {
        let mut heights = [0; 2];
        for gap in columns.between.iter().filter(|gap| !is_whole(gap)) {
            for part in gap.chunk_by(|one, next| one.row() == next.row()) {
                let height = &mut heights[part[0].row()];
                *height = (*height).max(height_of(part, wide));
            }
        }
        let whole = columns.between.iter().filter(|gap| is_whole(gap));
        let least = whole.map(|gap| height_of(gap, wide)).max().unwrap_or_default();
        let [above, below] = heights;
        if above + below == 0 {
            return Self(vec![(top, top + least)]);
        }
        // What stands beside both rows may be higher than they are.
        let more = least.saturating_sub(above + PLACES_APART + below);
        let border = top + above + more / 2;
        let bottom = (border + PLACES_APART + below + more / 2).max(top + least);
        Self(vec![(top, border), (border + PLACES_APART, bottom)])
    }

    fn bottom(&self) -> usize {
        self.0.last().expect("there is a row").1
    }

    /// One row; without a number, all of them.
    fn of_row(&self, row: Option<usize>) -> (usize, usize) {
        row.map_or((self.0[0].0, self.bottom()), |row| self.0[row])
    }
}

/// Whether all that is said there concerns places of one row: then it has all the height.
fn is_whole(gap: &[Block<'_>]) -> bool {
    gap.iter().all(|block| block.row() == gap[0].row())
}

fn draw_place(pen: &mut Pen, place: Place, x: usize, (top, bottom): (usize, usize)) {
    let lead = if place == Place::Leader { " lead" } else { "" };
    pen.rect(&format!("place{lead}"), (x, top), (PLACE_WIDTH, bottom - top));
    let middle = (x + PLACE_WIDTH / 2, usize::midpoint(top, bottom) + 5);
    pen.words(&format!("middle{lead}"), middle, place.as_str());
}

/// Draws blocks between two columns, spread over the height that there is.
fn blocks(pen: &mut Pen, blocks: &[Block<'_>], x: (usize, usize), (top, bottom): (usize, usize)) {
    let wide = x.1 - x.0;
    let room = (bottom - top - height_of(blocks, wide)) / (blocks.len() + 1);
    let mut y = top + BLOCKS_APART / 2 + room;
    for block in blocks {
        draw(pen, block, x, y);
        y += block_height(block, wide) + room;
    }
}

/// Draws a block: the names in rows, and below them the arrow that says how it is said.
fn draw(pen: &mut Pen, block: &Block<'_>, (left, right): (usize, usize), top: usize) {
    let (medium, mut y) = (block.way.wire.medium(), top);
    for line in lines(&block.named, right - left) {
        let mut x = left + (right - left - line_width(line)) / 2;
        for message in line {
            pen.label(medium, (x, y), message.name, message.means);
            x += width_of(message.name) + LABELS_APART;
        }
        y += LABEL_HEIGHT + LABELS_APART;
    }
    let ends = (left + 3, right - 3);
    let ends = if block.goes_right() { ends } else { (ends.1, ends.0) };
    pen.arrow((medium, block.way.wire.is_answered()), ends, y + ARROW / 2, &block.words);
}

/// The labels in lines, as many in each as fit.
fn lines<'a>(messages: &'a [&'a Message], wide: usize) -> Vec<&'a [&'a Message]> {
    let (mut lines, mut rest) = (vec![], messages);
    while !rest.is_empty() {
        let fits = |count: &usize| line_width(&rest[..*count]) + 2 * BESIDE <= wide;
        let count = (2..=rest.len()).take_while(fits).last().unwrap_or(1);
        let (line, others) = rest.split_at(count);
        lines.push(line);
        rest = others;
    }
    lines
}

fn line_width(line: &[&Message]) -> usize {
    let widths: usize = line.iter().map(|message| width_of(message.name)).sum();
    widths + LABELS_APART * (line.len() - 1)
}

fn height_of(blocks: &[Block<'_>], wide: usize) -> usize {
    blocks.iter().map(|block| block_height(block, wide)).sum()
}

fn block_height(block: &Block<'_>, wide: usize) -> usize {
    lines(&block.named, wide).len() * (LABEL_HEIGHT + LABELS_APART) + ARROW + BLOCKS_APART
}
