//! What changes of rooms mean beside the rooms: kept until whoever changed them takes it, so
//! that no way of changing a room can forget it.

use crate::contest::Ended;
use crate::event::Event;
use crate::notices::Notice;
use crate::room::Step;
use hangraft_ids::PlayerId;

/// What is to be done about changes of rooms. Not stored: the lobby empties it after each
/// entry and each tick.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outbox {
    /// Who is to be told what.
    pub(crate) notices: Vec<(PlayerId, Notice)>,
    /// Rounds of matches that were decided.
    pub(crate) ended: Vec<Ended>,
    /// How many moves were made, by bots too.
    pub(crate) moved: u32,
}

impl Outbox {
    /// Keeps what a change of a room has led to, and gives back what its watchers hear.
    pub(crate) fn keep(&mut self, step: Step<'_>) -> Vec<Event> {
        let Step { events, notices, ended, moved, .. } = step;
        self.notices.extend(notices);
        self.ended.extend(ended);
        self.moved = self.moved.saturating_add(moved);
        events
    }
}
