//! What entries and time lead to.

use crate::answer::Answer;
use crate::archive::Finished;
use crate::chance::Chance;
use crate::clock::Now;
use crate::rooms::Change;
use hangraft_ids::PlayerId;

/// What an entry led to.
#[derive(Clone, Debug)]
pub struct Applied {
    /// What the player hears.
    pub answer: Answer,
    /// What the watchers of rooms should hear.
    pub changes: Vec<Change>,
    /// Rooms that had to leave for it and are worth keeping, for the archive.
    pub finished: Vec<Finished>,
    /// Players who were told something.
    pub told: Vec<PlayerId>,
}

/// What the passing of time led to.
#[derive(Clone, Debug, Default)]
pub struct Passed {
    /// What the watchers of rooms should hear.
    pub changes: Vec<Change>,
    /// Rooms that left and are worth keeping, for the archive.
    pub finished: Vec<Finished>,
    /// Players who were told something.
    pub told: Vec<PlayerId>,
}

/// A command that is being carried out: when, by what chance, and what it led to so far.
pub(super) struct Act<'a> {
    pub(super) now: Now,
    pub(super) chance: &'a mut Chance,
    pub(super) led_to: &'a mut Passed,
}
