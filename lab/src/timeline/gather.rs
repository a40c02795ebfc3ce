//! Makes one timeline out of what several nodes told, each by its own clock.

use super::clocks::{Clocks, Process};
use super::lines::{Lines, key_of};
use crate::history::Moment;
use hangraft_ids::NodeId;
use hangraft_proto::v1::happening::What;
use hangraft_proto::v1::{Happening, Observed};
use std::collections::BTreeMap;

/// What one call of `Cluster.Observe` brought. A node that was asked again, because it was
/// started again or the connection broke, has several.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// When it was asked, in microseconds since the timeline began.
    pub asked: Moment,
    /// The batches in the order they came, each with the moment at which it did.
    pub batches: Vec<(Moment, Observed)>,
}

impl Heard {
    /// A call that is made now.
    pub fn asked(at: Moment) -> Self {
        Heard { asked: at, batches: Vec::new() }
    }

    /// A batch came.
    pub fn came(&mut self, at: Moment, batch: Observed) {
        self.batches.push((at, batch));
    }
}

/// All that the nodes told, as lines to which others may be added.
///
/// The clocks of nodes are brought onto the timeline's, so that nothing is received before it
/// was sent. What happened before the timeline began stands at its beginning.
pub fn gather(heard: &[Heard]) -> Lines {
    let offsets = clocks_of(heard).offsets();
    let mut told: Vec<(Moment, &Observed, Tale<'_>)> = Vec::new();
    for (_, batch) in heard.iter().flat_map(|heard| &heard.batches) {
        let offset = offsets[&process_of(batch)];
        let at = |us: u64| us.saturating_add_signed(offset);
        if batch.missed > 0 {
            let first = batch.happenings.first().map_or(batch.now_us, |first| first.at_us);
            told.push((at(first), batch, Tale::Missed(batch.missed)));
        }
        let happenings = batch.happenings.iter().filter_map(|happening| {
            let Happening { at_us, what } = happening;
            Some((at(*at_us), batch, Tale::Happened(what.as_ref()?)))
        });
        told.extend(happenings);
    }
    told.sort_by_key(|(at, ..)| *at);
    let mut lines = Lines::default();
    for (at, batch, tale) in told {
        let node = NodeId(batch.node);
        match tale {
            Tale::Missed(count) => lines.missed(at, node, count),
            Tale::Happened(what) => lines.told(at, node, batch.instance, what),
        }
    }
    lines
}

/// What a batch tells.
enum Tale<'a> {
    Missed(u64),
    Happened(&'a What),
}

fn process_of(batch: &Observed) -> Process {
    (batch.node, batch.instance)
}

fn clocks_of(heard: &[Heard]) -> Clocks {
    let mut clocks = Clocks::default();
    let (mut sent, mut received) = (BTreeMap::new(), BTreeMap::new());
    for Heard { asked, batches } in heard {
        for (came, batch) in batches {
            let process = process_of(batch);
            clocks.heard(process, *asked, *came, batch.now_us);
            for Happening { at_us, what } in &batch.happenings {
                match what {
                    Some(What::Sent(letter)) => sent.insert(key_of(letter), (process, *at_us)),
                    Some(What::Received(letter)) => {
                        received.insert(key_of(letter), (process, *at_us))
                    }
                    _ => None,
                };
            }
        }
    }
    for (key, from) in sent {
        if let Some(to) = received.get(&key) {
            clocks.passed(from, *to);
        }
    }
    clocks
}
