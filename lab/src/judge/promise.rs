//! What a promise is to the judge.

use super::record::Record;
use crate::history::Moment;

/// Something that the cluster promises.
pub(super) struct Promise {
    /// The name of its file.
    pub(super) name: &'static str,
    /// In a sentence.
    pub(super) says: &'static str,
    /// Holds what happened to it.
    pub(super) hold: fn(&Record<'_>) -> Held,
}

/// How a promise was kept.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// How many things it was held against.
    pub(super) checked: u64,
    /// What shows that it was broken.
    pub(super) broken: Vec<Broken>,
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
}
