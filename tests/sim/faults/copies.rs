//! Data folders that are copied and started elsewhere, and disks that move.

use super::{Ending, Nemesis, members};
use crate::nodes::Cluster;
use crate::plan::Target;
use crate::world::{MachineId, Machines};

impl Nemesis {
    /// A running machine's disk is copied, and the copy is started on another machine after a
    /// while. It believes that it is who the first one is.
    pub(super) fn copy(
        &mut self,
        target: &Target,
        to: usize,
        after_ms: u64,
        cluster: &mut Cluster,
        machines: &Machines,
    ) {
        let (from, to) = (members::find(target, cluster), cluster.empty_machine(to));
        if cluster.copy(from, to, &self.plan) {
            let (from, to) = (&machines.get(from).name, (&machines.get(to).name, to));
            self.world.tell(to.0, format_args!("has a copy of {from}'s disk from now on"));
            self.end_in(after_ms, Ending::BootCopy(to.1));
        }
    }

    /// A machine breaks, and its disk is put into another, which has another address. Its
    /// operator says so.
    pub(super) fn migrate(
        &mut self,
        target: &Target,
        to: usize,
        after_ms: u64,
        cluster: &mut Cluster,
        machines: &mut Machines,
    ) {
        let (from, to) = (members::find(target, cluster), cluster.empty_machine(to));
        if cluster.migrate(from, to, &self.plan, machines) {
            let (from, to) = (&machines.get(from).name, (&machines.get(to).name, to));
            self.world.tell(from, format_args!("breaks; its disk is in {} now", to.0));
            self.crashes += 1;
            self.end_in(after_ms, Ending::Boot(to.1));
        }
    }

    /// Copies whose original is gone for good: nobody could tell them, so somebody switches
    /// them off.
    pub(super) fn end_orphans(&mut self, cluster: &mut Cluster, machines: &mut Machines) {
        let orphans: Vec<MachineId> = cluster.orphans();
        for machine in orphans {
            let name = machines.get(machine).name.clone();
            self.world.tell(&name, format_args!("is switched off: it is a copy of nobody"));
            cluster.retire(machine, machines);
        }
    }
}
