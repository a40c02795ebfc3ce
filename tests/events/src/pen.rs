//! What is drawn, as text: shapes of SVG in whole numbers, so that it is the same everywhere.

use std::fmt::Write;

use hangraft_proto::map::Medium;

/// Pixels that a letter of a name is wide at most, times two: names are written in a font
/// whose letters are all as wide.
const LETTER_HALVES: usize = 15;

/// As wide as pages show a picture that they do not make smaller.
pub(crate) const WIDTH: usize = 880;

/// How high the label of a message is.
pub(crate) const LABEL_HEIGHT: usize = 22;

/// Between labels, and between their lines.
pub(crate) const LABELS_APART: usize = 6;

/// A drawing that grows.
#[derive(Default)]
pub(crate) struct Pen {
    drawn: String,
}

impl Pen {
    pub(crate) fn into_text(self) -> String {
        self.drawn
    }

    pub(crate) fn line(&mut self, line: &str) {
        self.drawn.push_str(line);
        self.drawn.push('\n');
    }

    /// Words that stand at `x`: where they begin, or with `middle` their middle.
    pub(crate) fn words(&mut self, class: &str, (x, y): (usize, usize), text: &str) {
        let text = escaped(text);
        self.add(format_args!(r#"  <text class="{class}" x="{x}" y="{y}">{text}</text>"#));
    }

    /// A rectangle with round corners.
    pub(crate) fn rect(&mut self, class: &str, (x, y): (usize, usize), (w, h): (usize, usize)) {
        self.add(format_args!(
            r#"  <rect class="{class}" x="{x}" y="{y}" width="{w}" height="{h}" rx="8"/>"#
        ));
    }

    /// The name of a message, and what it means for who points at it.
    pub(crate) fn label(
        &mut self,
        medium: Medium,
        (x, y): (usize, usize),
        name: &str,
        means: &str,
    ) {
        let (class, width, height) = (class_of(medium), width_of(name), LABEL_HEIGHT);
        let (middle, base, means) = (x + width / 2, y + 15, escaped(means));
        self.add(format_args!(
            r#"  <g class="label {class}"><title>{means}</title><rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/><text class="middle" x="{middle}" y="{base}">{name}</text></g>"#
        ));
    }

    /// An arrow from one `x` to another, with words in its middle; dashed when nobody answers.
    pub(crate) fn arrow(
        &mut self,
        (medium, answered): (Medium, bool),
        (from, to): (usize, usize),
        y: usize,
        words: &str,
    ) {
        let dashed = if answered { "" } else { " dashed" };
        let (back, class) = (if to > from { to - 9 } else { to + 9 }, class_of(medium));
        let middle = usize::midpoint(from, to);
        let half = words.chars().map(letter).sum::<usize>() / 2 + 5;
        let (left, right) = (from.min(back), from.max(back));
        let line = if words.is_empty() {
            format!("M{left} {y}H{right}")
        } else {
            format!("M{} {y}H{left}M{} {y}H{right}", middle - half, middle + half)
        };
        let (above, below) = (y - 5, y + 5);
        self.add(format_args!(r#"  <path class="way {class}{dashed}" d="{line}"/>"#));
        self.add(format_args!(
            r#"  <polygon class="head {class}" points="{to},{y} {back},{above} {back},{below}"/>"#
        ));
        if !words.is_empty() {
            self.words("on", (middle, y + 4), words);
        }
    }

    fn add(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.drawn, "{line}").expect("a string takes all that is written");
    }
}

/// How wide the label of a message is.
pub(crate) fn width_of(name: &str) -> usize {
    name.len() * LETTER_HALVES / 2 + 16
}

pub(crate) const fn class_of(medium: Medium) -> &'static str {
    match medium {
        Medium::Socket => "socket",
        Medium::Stream => "stream",
        Medium::Call => "call",
        Medium::Datagram => "datagram",
    }
}

/// Pixels that a letter of the words on an arrow is wide, in the fonts of most pages.
const fn letter(letter: char) -> usize {
    match letter {
        'm' | 'w' | 'M' | 'W' => 11,
        ' ' | '.' | '·' | 'f' | 'i' | 'j' | 'l' | 'r' | 't' => 4,
        'A'..='Z' => 9,
        _ => 7,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
