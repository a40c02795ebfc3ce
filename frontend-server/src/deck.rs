//! What players are shown of the nodes: made when something has changed, and turned into
//! text once, by the first who looks, for all of them.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use hangraft_proto::socket;

use crate::message::Text;

/// The nodes at one moment.
#[derive(Debug)]
pub(crate) struct Deck {
    said: socket::Deck,
    made_at: Instant,
    text: OnceLock<Text>,
}

impl Deck {
    /// What it says of times is meant from `now` on.
    pub(crate) fn new(said: socket::Deck, now: Instant) -> Self {
        Self { said, made_at: now, text: OnceLock::new() }
    }

    /// As it is pushed.
    pub(crate) fn text(&self) -> Text {
        self.text.get_or_init(|| self.said.text().into()).clone()
    }

    /// How long ago it was made.
    pub(crate) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.made_at)
    }
}
