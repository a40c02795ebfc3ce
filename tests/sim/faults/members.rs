//! Members that come and go: machines that join, that are lost, and what operators ask.

use super::Nemesis;
use crate::clock::MILLI;
use crate::nodes::Cluster;
use crate::plan::{Move, Request, Target};
use crate::players::operator::Errand;
use crate::promises::settings::Setting;
use crate::world::{MachineId, Machines};
use hangraft_ids::NodeId;

/// Between two losses. Until a leader has noticed one, it may still make plans with who is
/// lost, and then the next loss could be one too many.
const APART: u64 = 5_000 * MILLI;

/// How often what happened.
#[derive(Default)]
pub(crate) struct Counts {
    /// Machines that are gone for ever.
    pub(crate) perished: u64,
    /// Disks that were emptied.
    pub(crate) wiped: u64,
    /// Disks that became what they once were.
    pub(crate) set_back: u64,
}

impl Nemesis {
    /// A member comes or goes, or somebody asks that one does.
    pub(super) fn move_members(
        &mut self,
        what: &Move,
        cluster: &mut Cluster,
        machines: &mut Machines,
    ) {
        match what {
            Move::Join(spare) => {
                let machine = cluster.spare(*spare);
                cluster.join(machine, &self.plan, machines);
            }
            Move::ComeBack => {
                if let Some(machine) = cluster.spent().first().copied() {
                    let name = &machines.get(machine).name;
                    self.world.tell(name, format_args!("comes back with an empty disk, to join"));
                    cluster.join(machine, &self.plan, machines);
                }
            }
            Move::StartSpent => {
                let off = |id: &&MachineId| !machines.get(**id).is_on();
                if let Some(machine) = cluster.spent().iter().find(off).copied() {
                    cluster.boot(machine, machines);
                }
            }
            Move::Perish(target) => {
                let machine = find(target, cluster);
                if self.may_lose(machine, cluster) {
                    let name = &machines.get(machine).name;
                    self.world.tell(name, format_args!("is gone for ever"));
                    self.counts.perished += 1;
                    self.armed.remove(&machine);
                    cluster.lose(machine, machines);
                }
            }
            Move::Wipe { target, down_ms } => {
                let machine = find(target, cluster);
                if self.may_lose(machine, cluster) {
                    self.counts.wiped += 1;
                    self.crash(machine, true, *down_ms, cluster, machines);
                    let name = &machines.get(machine).name;
                    self.world.tell(name, format_args!("has an empty disk now"));
                    cluster.put_empty_disk(machine);
                }
            }
            Move::Ask(request) => self.ask(request, cluster),
        }
    }

    /// A machine loses its power, and its disk becomes what was put aside of it, if that
    /// makes a difference and the others can do without what is lost.
    pub(super) fn set_back(
        &mut self,
        machine: MachineId,
        down_ms: u64,
        cluster: &mut Cluster,
        machines: &mut Machines,
    ) {
        let Some(kept) = self.kept.remove(&machine) else { return };
        let Some(node) = cluster.who(machine).map(|who| who.node) else { return };
        let (disk, now) = (cluster.disk(machine), self.world.now());
        let same = kept.number() == disk.number() && kept.promised() != disk.promised();
        let in_time = self.lost_at.is_none_or(|at| now >= at + APART);
        if !same || !in_time || !machines.get(machine).is_on() {
            return;
        }
        {
            let mut judge = self.scene.judge();
            if !judge.disks.can_set_back(node, &judge.truth) {
                return;
            }
            judge.disks.set_back(node);
        }
        self.lost_at = Some(now);
        self.counts.set_back += 1;
        self.crash(machine, true, down_ms, cluster, machines);
        let name = &machines.get(machine).name;
        let (term, last) = kept.promised();
        let last = last.map_or_else(|| "nothing".to_owned(), |last| format!("{last:?}"));
        self.world.tell(
            name,
            format_args!("has the disk that was put aside: term {term}, a log up to {last}"),
        );
        cluster.set_disk_back(machine, &kept);
    }

    /// Whether the cluster can do without what a machine holds; then it is lost from now on.
    fn may_lose(&mut self, machine: MachineId, cluster: &Cluster) -> bool {
        let Some(node) = cluster.who(machine).map(|who| who.node) else { return false };
        let now = self.world.now();
        let mut judge = self.scene.judge();
        let may = self.lost_at.is_none_or(|at| now >= at + APART)
            && judge.disks.can_spare(node, &judge.truth);
        if may {
            judge.disks.lose(node);
            self.lost_at = Some(now);
        }
        may
    }

    fn ask(&self, request: &Request, cluster: &Cluster) {
        let node = |target: &Target| cluster.who(find(target, cluster)).map(|who| who.node);
        let leave = |machine: MachineId| {
            let who = cluster.who(machine)?;
            Some(Errand::Leave { node: who.node, address: cluster.address(machine) })
        };
        let errands = match request {
            Request::Voters(voters) => vec![Errand::Set(Setting::Voters(*voters))],
            Request::ReplaceAfter(ms) => vec![Errand::Set(Setting::ReplaceAfter(*ms))],
            Request::Transfer(to) => {
                let to = to.as_ref().map_or(Some(NodeId::NONE), node);
                to.map(|to| Errand::Transfer { to }).into_iter().collect()
            }
            Request::Leave(target) => leave(find(target, cluster)).into_iter().collect(),
            Request::LeaveBoth(target) => {
                let one = find(target, cluster);
                let in_service = cluster.in_service();
                let other = in_service.iter().find(|id| **id > one).unwrap_or(&in_service[0]);
                leave(one).into_iter().chain(leave(*other).filter(|_| *other != one)).collect()
            }
        };
        for errand in errands {
            self.world.tell("operator", format_args!("asks: {errand}"));
            self.scene.send(errand);
        }
    }
}

/// The machine that is meant, of those that are in service.
pub(super) fn find(target: &Target, cluster: &Cluster) -> MachineId {
    let in_service = cluster.in_service();
    match target {
        Target::Leader => cluster.leader().unwrap_or(in_service[0]),
        Target::Follower => cluster.follower().unwrap_or(in_service[0]),
        Target::Node(number) => in_service[*number % in_service.len()],
        Target::Called(id) => cluster.machine_of(NodeId(*id)).unwrap_or(in_service[0]),
    }
}
