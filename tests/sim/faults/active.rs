//! Faults that have begun and not ended: each is told and written down at both ends.

use crate::record::moment;
use crate::world::{MachineId, World};
use hangraft_ids::NodeId;
use hangraft_lab::timeline::{Fault, Line};

/// The faults that there are now.
#[derive(Default)]
pub(super) struct Active {
    /// So many there were in all.
    count: u64,
    now: Vec<(Lasts, Fault, String)>,
}

/// Until when a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lasts {
    /// It is over as soon as it has struck.
    Moment,
    /// Until the network is healed.
    Network,
    /// Until the disk of a machine is as it was.
    Disk(MachineId),
    /// Until a machine goes on.
    Pause(MachineId),
}

impl Active {
    /// A fault strikes; `name` is what the timeline calls it, and `words` the story.
    pub(super) fn begin(
        &mut self,
        world: &World,
        (name, words): (String, String),
        node: Option<NodeId>,
        lasts: Lasts,
    ) {
        self.count += 1;
        let at = moment(world.now());
        let fault = Fault { at, id: self.count, node, what: name, healed: false };
        world.record.add(|| Line::Fault(fault.clone()));
        self.now.push((lasts, fault, words));
        self.end(world, Lasts::Moment);
    }

    /// What lasts until now ends.
    pub(super) fn end(&mut self, world: &World, until: Lasts) {
        let at = moment(world.now());
        let now = std::mem::take(&mut self.now);
        let (over, rest): (Vec<_>, Vec<_>) = now.into_iter().partition(|(is, ..)| *is == until);
        self.now = rest;
        for (_, fault, words) in over {
            world.record.add(|| Line::Fault(Fault { at, healed: true, ..fault }));
            if until != Lasts::Moment {
                world.note("fault", format_args!("over: {words}"));
            }
        }
    }
}
