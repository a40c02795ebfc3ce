//! What was said in a room, the last lines of it.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::digest::{self, Kind};
use crate::json::as_text;
use hangraft_ids::PlayerId;

/// Lines kept per room. Older ones are forgotten.
const LINES_MAX: usize = 20;

/// The last lines said in a room, with a digest that keeps up with them, so
/// that a move need not hash the whole chat again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chat {
    /// Lines said in the room ever.
    said: u64,
    lines: VecDeque<Line>,
    /// Sum of the kept lines' digests.
    sum: u64,
}

/// One line, as it was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) player: PlayerId,
    pub(crate) name: Arc<str>,
    pub(crate) text: Arc<str>,
}

/// The kept lines for people's eyes, oldest first.
#[derive(Clone, Copy)]
pub(crate) struct ChatView<'a>(pub(crate) &'a Chat);

/// A line for people's eyes.
#[derive(Serialize)]
struct LineView<'a> {
    #[serde(serialize_with = "as_text")]
    player: PlayerId,
    name: &'a str,
    text: &'a str,
}

/// How a chat lies in a snapshot.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredChat {
    said: u64,
    lines: VecDeque<Line>,
}

impl Chat {
    /// Adds a line, and forgets the oldest when there are too many.
    pub(crate) fn say(&mut self, line: Line) {
        self.sum = self.sum.wrapping_add(digest_of(self.said, &line));
        self.said = self.said.wrapping_add(1);
        self.lines.push_back(line);
        if self.lines.len() > LINES_MAX {
            self.forget_oldest();
        }
    }

    /// What stands for the chat in its room's digest.
    pub(crate) fn digest(&self) -> [u64; 2] {
        [self.said, self.sum]
    }

    pub(crate) fn store(&self) -> StoredChat {
        StoredChat { said: self.said, lines: self.lines.clone() }
    }

    /// The chat as it was stored; none if no chat can look like that.
    pub(crate) fn restore(stored: StoredChat) -> Option<Chat> {
        let kept = u64::try_from(stored.lines.len()).ok()?;
        let first = stored.said.checked_sub(kept)?;
        if stored.lines.len() > LINES_MAX {
            return None;
        }
        let digests = (first..).zip(&stored.lines).map(|(nth, line)| digest_of(nth, line));
        let sum = digests.fold(0, u64::wrapping_add);
        Some(Chat { said: stored.said, lines: stored.lines, sum })
    }

    fn forget_oldest(&mut self) {
        let nth = self.said.wrapping_sub(self.lines.len() as u64);
        if let Some(line) = self.lines.pop_front() {
            self.sum = self.sum.wrapping_sub(digest_of(nth, &line));
        }
    }
}

impl PartialEq for ChatView<'_> {
    /// Of one room: what was said stays said, so their number tells two moments apart.
    fn eq(&self, other: &Self) -> bool {
        self.0.said == other.0.said
    }
}

impl Serialize for ChatView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.lines.iter().map(|line| LineView {
            player: line.player,
            name: &line.name,
            text: &line.text,
        }))
    }
}

fn digest_of(nth: u64, line: &Line) -> u64 {
    digest::of_value(Kind::Line, &(nth, line), &mut Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_lines_go_and_the_digest_knows() {
        let mut chat = Chat::default();
        for nth in 0..50 {
            let text = format!("line {nth}").into();
            chat.say(Line { player: PlayerId(1), name: "Ann".into(), text });
        }
        let lines: Vec<_> = chat.lines.iter().map(|line| line.text.to_string()).collect();
        assert_eq!((lines.len(), lines[0].as_str()), (LINES_MAX, "line 30"));

        let again = Chat::restore(chat.store()).expect("our own chat");
        assert_eq!(again.digest(), chat.digest());
    }
}
