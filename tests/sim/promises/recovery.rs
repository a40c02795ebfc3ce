//! When the faults end: one leader, equal lobbies and progress, everybody sees the newest
//! version of what they watch, and the members are those that are wanted, within a
//! bounded time.

use super::disks::Disks;
use super::membership::{in_force, in_words};
use super::settings::Shared;
use super::truth::Truth;
use super::{Broken, Verdict};
use crate::history::Outcome;
use crate::nodes::{Service, Standing};
use hangraft_game::RoomId;
use hangraft_ids::NodeId;
use hangraft_node::Report;
use hangraft_node::raft::Electorate;
use hangraft_proto::socket::Code;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

pub(super) const NAME: &str = "recovery";

/// After the last fault everything is well within this, in virtual milliseconds:
/// retries of streams take up to 6.4 s, elections and snapshots little.
pub(crate) const WITHIN_MS: u64 = 30_000;

/// A cluster that replaces voters faster than this does so before the day is over.
const SOON_MS: u64 = 5_000;

/// What can be seen of a cluster at the end of a day.
pub(crate) struct Scenery<'a> {
    pub(crate) standings: Vec<Standing>,
    /// What operators were told by each node, lately.
    pub(crate) told: BTreeMap<SocketAddr, Shared>,
    /// What the leader said that it intends with the members.
    pub(crate) intents: Vec<String>,
    /// Whether anybody asked.
    pub(crate) asked: bool,
    pub(crate) truth: &'a Truth,
    pub(crate) disks: &'a Disks,
}

impl Scenery<'_> {
    /// What holds in a cluster that is well; if it is not, why.
    pub(crate) fn look(&self) -> Result<Option<Shared>, String> {
        let nodes = self.running()?;
        self.agreed(&nodes)?;
        self.settled()
    }

    /// What those say that should run, if they do and nobody else does.
    fn running(&self) -> Result<Vec<(&Standing, &Report)>, String> {
        let mut running = Vec::new();
        for standing in &self.standings {
            match (standing.service, &standing.report) {
                (Service::Runs, Some(report)) => running.push((standing, report)),
                (Service::Runs, None) => return Err(format!("{} does not run", standing.name)),
                (Service::Copy, Some(_)) => {
                    return Err(format!("{} runs, and is a copy", standing.name));
                }
                (Service::Spent, Some(_)) => {
                    return Err(format!("{} runs, and its id is spent", standing.name));
                }
                (Service::Waits | Service::Lost | Service::Spent | Service::Copy, _) => {}
            }
        }
        Ok(running)
    }

    /// One leader, the same applied everywhere, and all of them members.
    fn agreed(&self, nodes: &[(&Standing, &Report)]) -> Result<(), String> {
        let now = self.truth.electorate().ok_or("the cluster has not begun")?;
        let mut members = Vec::new();
        for (standing, report) in nodes {
            let is_member = |id: &NodeId| now.disks.contains_key(id) && !self.disks.is_lost(*id);
            if let Some(id) = standing.node.filter(is_member) {
                members.push((id, *report));
            } else if self.knows_somebody(standing, report) {
                return Err(format!("{} is {} and no member", standing.name, report.state));
            }
            // Otherwise there is nobody to tell it that it is none any more.
        }
        let leaders = members.iter().filter(|(_, report)| report.state == "leader");
        let leaders: Vec<&NodeId> = leaders.map(|(id, _)| id).collect();
        match leaders[..] {
            [leader] if now.voters.iter().any(|half| half.contains(leader)) => {}
            _ => return Err(format!("{leaders:?} lead: {}", in_words(now))),
        }
        let (_, first) = members[0];
        let same = |(_, report): &(NodeId, &Report)| {
            report.applied.is_some()
                && (report.applied, report.hash, report.term)
                    == (first.applied, first.hash, first.term)
        };
        if members.iter().all(same) { Ok(()) } else { Err("not all are equally far".into()) }
    }

    /// Whether a node knows a living member, from its configuration or from its log.
    fn knows_somebody(&self, standing: &Standing, report: &Report) -> bool {
        let now = self.truth.electorate();
        let log = report.applied.and_then(|at| in_force(self.truth, at));
        self.standings.iter().any(|other| {
            let lives = other.service == Service::Runs
                && now.zip(other.node).is_some_and(|(now, id)| now.disks.contains_key(&id));
            let configured = standing.is_first_member && other.is_where_one_was;
            let listed = log.zip(other.node).is_some_and(|(log, id)| log.disks.contains_key(&id));
            other.name != standing.name && lives && (configured || listed)
        })
    }

    /// The voters are as many as are wanted, and alive, as far as that can be; and what
    /// holds, if anybody asked.
    fn settled(&self) -> Result<Option<Shared>, String> {
        let now = self.truth.electorate().ok_or("the cluster has not begun")?;
        let [voters] = now.voters.as_slice() else {
            return Err(format!("a change is not finished: {}", in_words(now)));
        };
        let alive = self.alive(now);
        let able = voters.intersection(&alive).count();
        if able <= voters.len() / 2 {
            return Err(format!("only {able} voters live: {}", in_words(now)));
        }
        if !self.asked {
            return Ok(None);
        }
        let shared = self.shared(&alive)?;
        let wanted = shared.voters as usize;
        let spares = alive.difference(voters).count();
        if voters.len() > wanted || voters.len() + 2 <= wanted && spares >= 2 {
            return Err(format!("{wanted} voters are wanted: {}", in_words(now)));
        }
        let dead = |id: &&NodeId| !alive.contains(id) && !self.is_heard(**id);
        let due = |id: &&NodeId| spares > 0 || !voters.contains(id);
        let dead = now
            .disks
            .keys()
            .filter(|_| shared.replace_after_ms <= SOON_MS)
            .find(|id| dead(id) && due(id));
        match dead {
            Some(dead) => Err(format!("n{dead} is dead and not replaced: {}", in_words(now))),
            None => Ok(Some(shared)),
        }
    }

    /// Whether a node goes by this id, if only to gossip: one that lost its disk, and that
    /// nobody tells so.
    fn is_heard(&self, id: NodeId) -> bool {
        let mut running = self.standings.iter().filter(|standing| standing.report.is_some());
        running.any(|standing| standing.node == Some(id))
    }

    /// Members that run.
    fn alive(&self, now: &Electorate) -> BTreeSet<NodeId> {
        let runs = |standing: &&Standing| standing.service == Service::Runs;
        let running = self.standings.iter().filter(runs).filter_map(|standing| standing.node);
        running.filter(|id| now.disks.contains_key(id) && !self.disks.is_lost(*id)).collect()
    }

    /// The settings that all living members say hold.
    fn shared(&self, alive: &BTreeSet<NodeId>) -> Result<Shared, String> {
        let members = self.standings.iter().filter(|standing| {
            standing.service == Service::Runs && standing.node.is_some_and(|id| alive.contains(&id))
        });
        let mut said = BTreeMap::new();
        for standing in members {
            let told = self.told.get(&standing.address);
            said.insert(
                told.ok_or_else(|| format!("{} tells no status", standing.name))?,
                &standing.name,
            );
        }
        match said.len() {
            1 => Ok(**said.keys().next().expect("just counted")),
            _ => Err(format!("the settings are told differently: {said:?}")),
        }
    }
}

/// Whether the wish after the last fault had an effect, if it could have one: a room in
/// which nobody sat for long has left the lobby.
pub(super) fn is_progress(who: &str, room: RoomId, outcome: &Outcome, truth: &Truth) -> Verdict {
    match outcome {
        Outcome::Accepted { .. } => Ok(()),
        Outcome::Refused(Code::NoSuchRoom) if truth.has_left(room) => Ok(()),
        // Who was removed does not speak there any more.
        Outcome::Refused(Code::Unauthorized) if truth.is_stern(room) => Ok(()),
        other => Err(Broken::new(NAME, format!("{who}'s last words were answered {other:?}"))),
    }
}

/// Whether who looked for a game after the last fault was given one, against a bot or not.
pub(super) fn is_sought(who: &str, outcome: &Outcome, truth: &Truth) -> Verdict {
    match outcome {
        Outcome::Offered { room: Some(_), .. } => Ok(()),
        // Who has too many games or seeks already is told so.
        Outcome::Refused(Code::IllegalMove) => Ok(()),
        // A member that was lost may not have said what it knows.
        Outcome::Refused(Code::BadRequest) if !truth.knows_matches() => Ok(()),
        other => Err(Broken::new(NAME, format!("{who}'s last seek was answered {other:?}"))),
    }
}

/// It was not in time.
pub(crate) fn too_late(
    scenery: &Scenery<'_>,
    players_left: usize,
    behind: Option<String>,
) -> Broken {
    let nodes: Vec<String> = scenery
        .standings
        .iter()
        .map(|standing| match &standing.report {
            None if standing.service == Service::Runs => format!("{} does not run", standing.name),
            None => format!("{} is {:?}", standing.name, standing.service),
            Some(report) => format!(
                "{} is {} in term {} at {:?} with hash {:016x}",
                standing.name, report.state, report.term, report.applied, report.hash
            ),
        })
        .collect();
    let how = format!(
        "{} s after the last fault {players_left} players wait for an answer; {}; {}; {}; the \
         leader intends {:?}",
        WITHIN_MS / 1_000,
        behind.unwrap_or_else(|| "everybody sees the newest".to_owned()),
        scenery.look().err().unwrap_or_else(|| "the cluster is well".to_owned()),
        nodes.join("; "),
        scenery.intents
    );
    Broken::new(NAME, how)
}
