//! What is said, as it is drawn: places in columns, and between two columns blocks. A block
//! is all that one place says to another in one way.

use std::collections::BTreeSet;

use hangraft_proto::map::{Chapter, Message, Place, Way};

/// What one place says to another in one way.
pub(crate) struct Block<'a> {
    pub(crate) way: Way,
    /// The messages that are named.
    pub(crate) named: Vec<&'a Message>,
    /// What stands on the arrow.
    pub(crate) words: String,
}

/// Places and what they say.
pub(crate) struct Columns<'a> {
    /// The places, from left to right; those in one column stand one above the other.
    pub(crate) places: Vec<Vec<Place>>,
    /// Between each column and the next: the blocks, from top to bottom.
    pub(crate) between: Vec<Vec<Block<'a>>>,
}

/// The order of places: the column, and the row in it.
const fn position(place: Place) -> (usize, usize) {
    match place {
        Place::Browser | Place::Operator => (0, 0),
        Place::Frontend => (1, 0),
        Place::Leader => (2, 0),
        Place::AnyNode => (2, 1),
        Place::Followers => (3, 0),
        Place::OtherNodes => (3, 1),
    }
}

impl Block<'_> {
    /// Its row: that of the lower one of both places.
    pub(crate) fn row(&self) -> usize {
        position(self.way.from).1.max(position(self.way.to).1)
    }

    /// Whether it is said from the left to the right.
    pub(crate) fn goes_right(&self) -> bool {
        position(self.way.from).0 < position(self.way.to).0
    }
}

impl<'a> Columns<'a> {
    /// A chapter, with all its messages.
    pub(crate) fn of(chapter: &'a Chapter) -> Self {
        Self::new(blocks(chapter.messages.iter()))
    }

    /// Everything at a glance: how many messages there are in each way. Operators are not part
    /// of what a cluster does.
    pub(crate) fn glance(map: &'a [Chapter]) -> Self {
        let messages = map.iter().flat_map(|chapter| chapter.messages);
        let mut blocks = blocks(messages);
        blocks.retain(|block| block.way.from != Place::Operator);
        for block in &mut blocks {
            let names: BTreeSet<&str> = block.named.drain(..).map(|message| message.name).collect();
            block.words = format!("{} · {}", block.words, names.len());
        }
        Self::new(blocks)
    }

    fn new(blocks: Vec<Block<'a>>) -> Self {
        let ends = blocks.iter().flat_map(|block| [block.way.from, block.way.to]);
        let mut all: Vec<Place> = ends.collect();
        all.sort_by_key(|place| position(*place));
        all.dedup();
        let together = |one: &Place, other: &Place| position(*one).0 == position(*other).0;
        let places: Vec<Vec<Place>> = all.chunk_by(together).map(<[Place]>::to_vec).collect();
        let mut between: Vec<Vec<Block<'_>>> = places[1..].iter().map(|_| vec![]).collect();
        for block in blocks {
            let column = |place| places.iter().position(|column| column.contains(&place));
            let left = column(block.way.from).min(column(block.way.to));
            between[left.expect("every place of a block is in a column")].push(block);
        }
        for gap in &mut between {
            // From above to below as the places stand, and first what goes to the right.
            gap.sort_by_key(|block| (block.row(), !block.goes_right()));
        }
        Self { places, between }
    }
}

fn blocks<'a>(messages: impl Iterator<Item = &'a Message>) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for message in messages {
        for way in message.ways {
            match blocks.iter_mut().find(|block| block.way == *way) {
                Some(block) => block.named.push(message),
                None => {
                    let words = way.wire.as_str().to_owned();
                    blocks.push(Block { way: *way, named: vec![message], words });
                }
            }
        }
    }
    blocks
}
