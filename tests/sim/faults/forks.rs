//! Something else is done than the plan says.

use super::{Ending, Nemesis, members};
use crate::clock::MILLI;
use crate::nodes::Cluster;
use crate::plan::{Fork, Target, What};
use crate::world::net::Net;
use crate::world::{MachineId, Machines};
use hangraft_ids::NodeId;

/// From this number of nodes on a ring differs from what there is anyway.
const RING_NODES_MIN: usize = 4;

impl Nemesis {
    /// Another day begins here: something else goes wrong, or nothing that was planned. It is
    /// noted only, so that a fork that changes nothing is the same day to the byte.
    ///
    /// # Errors
    /// When it cannot be done now, and why.
    pub(crate) fn fork(
        &mut self,
        fork: &Fork,
        cluster: &mut Cluster,
        machines: &mut Machines,
        net: &Net,
    ) -> Result<(), String> {
        let rest = (self.plan.millis * MILLI).saturating_sub(self.world.now());
        let what = fork.what(rest.div_ceil(MILLI));
        let words = match &what {
            None => "no fault that was planned strikes any more".to_owned(),
            Some(what) => {
                is_possible(what, cluster, machines)
                    .map_err(|why| format!("{why} at {}", fork.moment()))?;
                let rest =
                    if fork.instead { "; nothing that was planned strikes any more" } else { "" };
                self.in_words(what, cluster, machines) + rest
            }
        };
        self.world.note("fork", format_args!("from here on another day: {words}"));
        if what.is_some_and(|what| what.is_of_network()) {
            self.tell_losses(net);
        }
        self.world.record.fork(self.world.now(), || format!("from here on another day: {words}"));
        if let Some(what) = what {
            self.begin(&what, words, cluster);
            self.carry_out(&what, cluster, machines, net);
            if let Some(ms) = fork.heals_after_ms() {
                self.end_in(ms, Ending::Heal);
            }
            self.write_ways(cluster, net);
        }
        Ok(())
    }

    /// A node that does not run is started before its time.
    pub(super) fn start(
        &mut self,
        target: &Target,
        cluster: &mut Cluster,
        machines: &mut Machines,
    ) {
        let machine = members::find(target, cluster);
        self.ends.retain(|_, ending| {
            !matches!(ending, Ending::Boot(id) | Ending::Start(id, _) if *id == machine)
        });
        if !machines.get(machine).is_on() {
            cluster.boot(machine, machines);
        }
    }

    /// A node that stands still goes on before its time.
    pub(super) fn resume(
        &mut self,
        target: &Target,
        cluster: &mut Cluster,
        machines: &mut Machines,
        net: &Net,
    ) {
        let machine = members::find(target, cluster);
        self.ends.retain(|_, ending| !matches!(ending, Ending::Resume(id) if *id == machine));
        self.end(Ending::Resume(machine), cluster, machines, net);
    }
}

/// Whether something can be done to those who are meant, or why not.
fn is_possible(what: &What, cluster: &Cluster, machines: &Machines) -> Result<(), String> {
    let targets = what.targets();
    let meant: Vec<MachineId> =
        targets.iter().map(|target| named(target, cluster)).collect::<Result<_, _>>()?;
    if let [one, other] = meant[..]
        && one == other
    {
        return Err(format!("{} and {} are one node", targets[0], targets[1]));
    }
    if *what == What::Ring && cluster.in_service().len() < RING_NODES_MIN {
        return Err("a ring of three nodes is what there is".to_owned());
    }
    let Some(machine) = meant.first().map(|id| machines.get(*id)) else { return Ok(()) };
    let (on, paused) = (machine.is_on(), machine.is_on() && machine.is_paused());
    let why = match what {
        What::Crash { .. } | What::Restart { .. } | What::Pause { .. } if !on => "does not run",
        What::Pause { .. } if paused => "stands still already",
        What::Start(_) if on => "runs already",
        What::Resume(_) if !paused => "does not stand still",
        _ => return Ok(()),
    };
    Err(format!("{} {why}", machine.name))
}

/// The machine of a node that is meant.
fn named(target: &Target, cluster: &Cluster) -> Result<MachineId, String> {
    let nobody = match target {
        Target::Leader if cluster.leader().is_none() => "nobody leads".to_owned(),
        Target::Follower if cluster.follower().is_none() => "nobody follows".to_owned(),
        Target::Called(id) if cluster.machine_of(NodeId(*id)).is_none() => {
            format!("no node in service is called n{id}")
        }
        Target::Leader | Target::Follower | Target::Node(_) | Target::Called(_) => {
            return Ok(members::find(target, cluster));
        }
    };
    Err(nobody)
}
