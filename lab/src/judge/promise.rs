//! What a promise is to the judge.

use super::record::{Names, Room};
use crate::history::Moment;
use crate::timeline::{Finding, Judged};

/// Something that the cluster promises.
#[derive(Clone, Copy)]
pub(super) struct Promise {
    /// The name of its file.
    pub(super) name: &'static str,
    /// In a sentence.
    pub(super) says: &'static str,
}

impl Promise {
    /// How it stands.
    pub(super) fn judged(self, checked: u64, kept: bool) -> Judged {
        Judged { promise: self.name.to_owned(), says: self.says.to_owned(), checked, kept }
    }

    /// It was broken.
    pub(super) fn finding(self, broken: Broken) -> Finding {
        Finding { at: broken.at, promise: self.name.to_owned(), text: broken.how }
    }
}

/// A promise about each room, whatever happens to others.
#[derive(Clone, Copy)]
pub(super) struct OfRooms {
    pub(super) promise: Promise,
    /// Holds what happened to a room to it.
    pub(super) hold: fn(&Names, &Room<'_>, &mut Held),
}

/// How a promise was kept.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// How many things it was held against.
    pub(super) checked: u64,
    /// What shows that it was broken.
    pub(super) broken: Vec<Broken>,
    /// What could not be decided in the time that there is.
    pub(super) undecided: Vec<Broken>,
}

/// A promise that was broken.
#[derive(Debug)]
pub(super) struct Broken {
    /// The first moment that shows it.
    pub(super) at: Moment,
    /// The smallest story that shows it, in sentences.
    pub(super) how: String,
}

impl Held {
    /// It was broken.
    pub(super) fn breaks(&mut self, at: Moment, how: String) {
        self.broken.push(Broken { at, how });
    }

    /// Nobody knows whether it was kept.
    pub(super) fn is_undecided(&mut self, at: Moment, how: String) {
        self.undecided.push(Broken { at, how });
    }
}
