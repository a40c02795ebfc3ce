//! Holds what happened to what the cluster promises.
//!
//! [`judge`] reads a timeline and says of each promise how often it was looked at, whether it
//! was kept, and the smallest story that shows where it was not. A promise is a file. What it
//! needs to be judged, whoever saw it happen, is public there: the simulator, which sees more
//! than a timeline tells, calls the same code.
//!
//! [`LiveJudge`] says the same of a timeline that grows, while it does.
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
mod kept;
mod linearizable;
mod live;
pub mod membership;
mod nodes;
pub mod none_twice;
mod nothing_lost;
pub mod one_leader;
mod promise;
mod read_your_writes;
mod record;
mod rooms;
mod rooms_stay;
mod same_hash;
pub mod search;
pub mod versions;
mod wording;

use crate::history::Moment;
use crate::timeline::{Finding, Judged, Line, Verdict};
use nodes::{Nodes, OF_NODES};
use promise::{Broken, Held, Promise};
use record::Record;
use rooms::OF_ROOMS;

pub use live::{LiveJudge, Look, Open};

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
        let (good, promises) = (self.good(), self.promises.clone());
        Verdict { at, good, promises, operations: 0, left_out: 0 }
    }
}

/// Judges a timeline. The order of its lines does not matter.
pub fn judge(lines: &[Line]) -> Judgement {
    let record = Record::of(lines);
    let mut judgement = Judgement { findings: Vec::new(), promises: Vec::new() };
    for of_rooms in OF_ROOMS {
        let mut held = Held::default();
        for room in record.rooms.values() {
            (of_rooms.hold)(&record.names, room, &mut held);
        }
        judgement.add(of_rooms.promise, held);
    }
    let mut nodes = Nodes::default();
    for line in &record.told {
        nodes.see(&record.names, line);
    }
    for (promise, held) in OF_NODES.into_iter().zip(nodes.held) {
        judgement.add(promise, held);
    }
    judgement.findings.sort_by_key(|finding| finding.at);
    judgement
}

impl Judgement {
    fn add(&mut self, promise: Promise, held: Held) {
        // What nobody knows is not passed over.
        let broken: Vec<Broken> = held.broken.into_iter().chain(held.undecided).collect();
        self.promises.push(promise.judged(held.checked, broken.is_empty()));
        self.findings.extend(broken.into_iter().map(|broken| promise.finding(broken)));
    }
}
