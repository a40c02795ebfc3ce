//! The map of messages, as a picture and as a page: [`picture`] and [`page`] are what
//! `docs/events.svg` and `docs/events.md` hold, and `scripts/event-graph` writes them there.
//!
//! The picture is drawn here and by no other program. Graphviz measures text by the fonts of
//! the machine that it runs on, so its bytes differ from machine to machine, and a test could
//! not compare them. General layouts, its own and those of crates, look for places for boxes.
//! Here the places are known, from the browser on the left to the followers on the right.

mod blocks;
mod card;
mod page;
mod pen;
mod picture;

pub use page::page;
pub use picture::picture;
