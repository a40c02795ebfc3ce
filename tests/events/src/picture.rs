//! The picture: everything at a glance, and below it a card for each chapter of the map.

use hangraft_proto::map::{Chapter, Medium};

use crate::blocks::Columns;
use crate::card::{EDGE, card};
use crate::pen::{LABELS_APART, Pen, WIDTH, width_of};

/// What stands above the first card.
const HEAD: usize = 92;
/// Between one card and the next.
const CARDS_APART: usize = 14;

const TITLE: &str = "Who says what to whom";
const GLANCE: &str =
    "How many messages there are, and how they travel. Below, by what they are for.";
const WHAT: &str = "For each purpose a card shows who says what to whom: browsers and frontends \
                    on sockets, frontends and nodes on gRPC streams, nodes among each other by \
                    Raft and gossip, and operators to any node. docs/events.md has all of it in \
                    tables, with what each message means.";
const STYLE: &str = include_str!("style.css");

/// Draws the map.
pub fn picture(map: &[Chapter]) -> String {
    let mut cards = Pen::default();
    let mut y = HEAD;
    y += card(&mut cards, "At a glance", GLANCE, &Columns::glance(map), y) + CARDS_APART;
    for chapter in map {
        y += card(&mut cards, chapter.title, chapter.about, &Columns::of(chapter), y) + CARDS_APART;
    }
    let mut whole = Pen::default();
    let height = y - CARDS_APART + EDGE;
    whole.line(&format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-labelledby="title desc">"#
    ));
    whole.line(&format!(r#"  <title id="title">{TITLE}</title>"#));
    whole.line(&format!(r#"  <desc id="desc">{WHAT}</desc>"#));
    whole.line(&format!("  <style>\n{}\n  </style>", STYLE.trim_end()));
    head(&mut whole);
    whole.line(cards.into_text().trim_end());
    whole.line("</svg>");
    whole.into_text()
}

/// The title, and what colours and lines mean.
fn head(pen: &mut Pen) {
    pen.words("title", (EDGE, 30), TITLE);
    let mut x = EDGE;
    for (medium, words, means) in [
        (Medium::Socket, "socket", "JSON in text frames of a WebSocket"),
        (Medium::Stream, "gRPC stream", "one for each frontend and node, many messages at once"),
        (Medium::Call, "gRPC call", "a call, or a stream of one kind"),
        (Medium::Datagram, "datagram", "encrypted, over UDP"),
    ] {
        pen.label(medium, (x, 50), words, means);
        x += width_of(words) + LABELS_APART;
    }
    for (answered, words) in [(true, "is answered"), (false, "is told, and nobody waits")] {
        pen.arrow((Medium::Call, answered), (x + 22, x + 74), 61, "");
        pen.words("faint", (x + 82, 65), words);
        x += 176;
    }
}
