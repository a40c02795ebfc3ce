//! Faults that have begun and not ended: each is told and written down at both ends.

use super::ways::Trouble;
use crate::record::moment;
use crate::world::{MachineId, World};
use hangraft_ids::NodeId;
use hangraft_lab::timeline::{Fault, Line};
use std::collections::{BTreeMap, BTreeSet};

/// The faults that there are now.
#[derive(Default)]
pub(super) struct Active {
    /// So many the timeline has.
    count: u64,
    now: Vec<Begun>,
    /// What is wrong with the ways between machines, as the timeline has it.
    ways: BTreeMap<Trouble, Fault>,
}

/// A fault that has not ended.
struct Begun {
    lasts: Lasts,
    /// As the story has it.
    words: String,
    /// As the timeline has it, where it is in there as one that lasts.
    fault: Option<Fault>,
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
    /// A fault strikes; `words` are the story's. `surroundings` says what becomes worse for
    /// which node, in the words of real nodes, where a timeline shows that for as long as it
    /// lasts.
    pub(super) fn begin(
        &mut self,
        world: &World,
        words: String,
        lasts: Lasts,
        surroundings: Option<(Option<NodeId>, String)>,
    ) {
        let fault = surroundings.map(|(node, what)| self.write(world, node, what));
        self.now.push(Begun { lasts, words, fault });
        self.end(world, Lasts::Moment);
    }

    /// What lasts until now ends.
    pub(super) fn end(&mut self, world: &World, until: Lasts) {
        let now = std::mem::take(&mut self.now);
        let (over, rest): (Vec<_>, Vec<_>) =
            now.into_iter().partition(|begun| begun.lasts == until);
        self.now = rest;
        for Begun { words, fault, .. } in over {
            fault.into_iter().for_each(|fault| heal(world, fault));
            if until != Lasts::Moment {
                world.note("fault", format_args!("over: {words}"));
            }
        }
    }

    /// What is wrong with the ways between machines from now on.
    pub(super) fn are_ways(&mut self, world: &World, troubles: BTreeSet<Trouble>) {
        let ways = std::mem::take(&mut self.ways);
        let (same, over): (BTreeMap<_, _>, BTreeMap<_, _>) =
            ways.into_iter().partition(|(trouble, _)| troubles.contains(trouble));
        over.into_values().for_each(|fault| heal(world, fault));
        self.ways = same;
        for (node, what) in troubles {
            if !self.ways.contains_key(&(node, what.clone())) {
                let fault = self.write(world, Some(node), what.clone());
                self.ways.insert((node, what), fault);
            }
        }
    }

    fn write(&mut self, world: &World, node: Option<NodeId>, what: String) -> Fault {
        self.count += 1;
        let fault = Fault { at: moment(world.now()), id: self.count, node, what, healed: false };
        world.record.add(|| Line::Fault(fault.clone()));
        fault
    }
}

fn heal(world: &World, fault: Fault) {
    let at = moment(world.now());
    world.record.add(|| Line::Fault(Fault { at, healed: true, ..fault }));
}
