//! Makes one timeline out of what several nodes told, each by its own clock.

use super::clocks::{Clocks, process_of};
use super::lines::Lines;
use super::tales::{Tale, tell};
use crate::history::Moment;
use hangraft_proto::v1::Observed;

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
    let mut clocks = Clocks::constant();
    for Heard { asked, batches } in heard {
        for (came, batch) in batches {
            clocks.learn(*asked, *came, batch);
        }
    }
    let offsets = clocks.offsets(Moment::MAX);
    let batches = heard.iter().flat_map(|heard| &heard.batches);
    let tales = batches.flat_map(|(_, batch)| {
        let offset = offsets[&process_of(batch)];
        Tale::all(batch, move |us| us.saturating_add_signed(offset))
    });
    let mut lines = Lines::default();
    tell(tales.collect(), &mut lines);
    lines
}
