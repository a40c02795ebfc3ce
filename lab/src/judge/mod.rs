//! Holds what happened to what the cluster promises.
//!
//! [`judge`] reads a timeline and says of each promise how often it was looked at, whether it
//! was kept, and the smallest story that shows where it was not. A promise is a file. What it
//! needs to be judged, whoever saw it happen, is public there: the simulator, which sees more
//! than a timeline tells, calls the same code.
//!
//! A promise for which the timeline has nothing to be judged by is told with a count of 0.
//! That is neither kept nor broken, and whoever shows a judgement says so.
//!
//! # Not here
//!
//! * Whether a room may be denied long after something was done in it. A room ends when nobody
//!   is in it for long enough, and a timeline does not say when; the simulator knows it from
//!   the log.
//! * Whether every node catches up, and how soon: that is a bound of the scenario.

pub mod in_order;
mod linearizable;
pub mod membership;
pub mod none_twice;
mod nothing_lost;
pub mod one_leader;
mod promise;
mod read_your_writes;
mod record;
mod rooms_stay;
mod same_hash;
pub mod search;
pub mod versions;
mod wording;

use crate::history::Moment;
use crate::timeline::{Finding, Judged, Line, Verdict};
use promise::Promise;
use record::Record;

/// All promises, in the order in which they are told.
const PROMISES: [Promise; 9] = [
    linearizable::PROMISE,
    read_your_writes::PROMISE,
    in_order::PROMISE,
    nothing_lost::PROMISE,
    none_twice::PROMISE,
    rooms_stay::PROMISE,
    one_leader::PROMISE,
    same_hash::PROMISE,
    membership::PROMISE,
];

/// What the judge has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What shows that a promise was broken, in the order of time: of each promise the first of
    /// its kind for each room, term, index or pair of nodes that it is about.
    pub findings: Vec<Finding>,
    /// Every promise, and how often it was looked at.
    pub promises: Vec<Judged>,
}

impl Judgement {
    /// Whether no promise was found broken, and something was looked at. Of nothing there is no
    /// good verdict.
    pub fn good(&self) -> bool {
        self.findings.is_empty() && self.promises.iter().any(|promise| promise.checked > 0)
    }

    /// The last line of a timeline that ends at `at`.
    pub fn verdict(&self, at: Moment) -> Verdict {
        Verdict { at, good: self.good(), promises: self.promises.clone() }
    }
}

/// Judges a timeline. The order of its lines does not matter.
pub fn judge(lines: &[Line]) -> Judgement {
    let record = Record::of(lines);
    let mut findings = Vec::new();
    let mut promises = Vec::new();
    for Promise { name, says, hold } in PROMISES {
        let held = hold(&record);
        promises.push(Judged {
            promise: name.to_owned(),
            says: says.to_owned(),
            checked: held.checked,
            kept: held.broken.is_empty(),
        });
        let broken = held.broken.into_iter();
        let promise = name.to_owned();
        findings.extend(broken.map(|broken| Finding {
            at: broken.at,
            promise: promise.clone(),
            text: broken.how,
        }));
    }
    findings.sort_by_key(|finding| finding.at);
    Judgement { findings, promises }
}
