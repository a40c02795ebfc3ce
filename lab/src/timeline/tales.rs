//! What batches tell, with the moments at which it happened.

use super::clocks::Process;
use super::lines::Lines;
use crate::history::Moment;
use hangraft_ids::NodeId;
use hangraft_proto::v1::Observed;
use hangraft_proto::v1::happening::What;

/// Something that a process of a node tells.
#[derive(Debug)]
pub(super) struct Tale<'a> {
    at: Moment,
    node: NodeId,
    instance: u64,
    told: Told<'a>,
}

/// What it tells.
#[derive(Debug)]
enum Told<'a> {
    /// One in so many everyday messages is told.
    Sampled(u64),
    /// So many happenings are missing.
    Missed(u64),
    Happened(&'a What),
}

impl<'a> Tale<'a> {
    /// Everything that a batch tells. `moment` says when it was that the clock of its process
    /// showed a time. Nothing in a batch happened after it was made.
    pub(super) fn all(
        batch: &'a Observed,
        moment: impl Fn(u64) -> Moment,
    ) -> impl Iterator<Item = Tale<'a>> {
        let (node, instance, now_us) = (NodeId(batch.node), batch.instance, batch.now_us);
        let at = move |us: u64| moment(us.min(now_us));
        let first = batch.happenings.first().map_or(now_us, |first| first.at_us);
        let missed = (batch.missed > 0).then(|| (at(first), Told::Missed(batch.missed)));
        let sampled = (at(first), Told::Sampled(batch.one_in));
        let happened = batch.happenings.iter().filter_map(move |happening| {
            Some((at(happening.at_us), Told::Happened(happening.what.as_ref()?)))
        });
        let told = [sampled].into_iter().chain(missed).chain(happened);
        told.map(move |(at, told)| Tale { at, node, instance, told })
    }

    /// When it happened.
    pub(super) fn at(&self) -> Moment {
        self.at
    }

    /// Who tells it.
    pub(super) fn process(&self) -> Process {
        (self.node.0, self.instance)
    }

    /// Nothing of a node is told before this.
    pub(super) fn not_before(&mut self, floor: Moment) {
        self.at = self.at.max(floor);
    }
}

/// Tells all of it in the order in which it happened.
pub(super) fn tell(mut tales: Vec<Tale<'_>>, lines: &mut Lines) {
    tales.sort_by_key(|tale| tale.at);
    for Tale { at, node, instance, told } in tales {
        match told {
            Told::Sampled(one_in) => lines.sampled(at, node, instance, one_in),
            Told::Missed(count) => lines.missed(at, node, count),
            Told::Happened(what) => lines.told(at, node, instance, what),
        }
    }
}
