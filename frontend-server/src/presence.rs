//! Tells the cluster who is where.
//!
//! A player is in a room while a live socket of theirs at this frontend looks at it, and
//! in no room but online while they have any live socket.
//! Comings and goings are gathered and sent as commands, at most four a
//! second, so that the lobby knows the same of everybody on every replica. While
//! anybody is here a report renews the lease at least every five seconds; when
//! this process dies, the lease runs out and the lobby knows that too.
//!
//! [`Roll`] is pure and decides; the task around it waits and sends.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use hangraft_ids::{FrontendId, Lane, PlayerId, RoomId, Serial};
use hangraft_proto::socket::Wish;
use tokio::time::{sleep, timeout_at};
use tracing::debug;

use crate::{
    cluster::Cluster,
    command::{Command, Outcome, Place, Report},
    players::Players,
};

/// The shortest time between two reports.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest time between two reports while anybody is here.
const RENEWAL: Duration = Duration::from_secs(5);
/// The pause after a report that got no good answer.
const TROUBLE_PAUSE: Duration = Duration::from_secs(1);
/// Places in one report, so that it stays well below what a command may be;
/// the rest follows in the next.
const PLACES_MAX: usize = 400;

/// Who is where through this frontend, and what of that the cluster has not been told.
#[derive(Debug)]
struct Roll {
    frontend: FrontendId,
    sequence: u64,
    places: BTreeSet<Place>,
    untold: BTreeMap<Place, bool>,
    /// In how many rooms each player is, of those that the cluster was told.
    told: BTreeMap<PlayerId, usize>,
    /// What the cluster believes is unknown: the next report begins anew.
    whole: bool,
    told_at: Option<Instant>,
}

impl Roll {
    fn new(frontend: FrontendId) -> Self {
        let (places, untold, told) = Default::default();
        Self { frontend, sequence: 0, places, untold, told, whole: false, told_at: None }
    }

    /// Players came somewhere (true) or went from there (false).
    fn note(&mut self, changes: BTreeMap<Place, bool>) {
        for (place, came) in changes {
            let changed = if came { self.places.insert(place) } else { self.places.remove(&place) };
            if changed && self.untold.remove(&place).is_none() {
                self.untold.insert(place, came);
            }
        }
    }

    /// When the lease has to be renewed, if it has to be.
    fn renewal(&self) -> Option<Instant> {
        self.told_at.filter(|_| !self.places.is_empty()).map(|at| at + RENEWAL)
    }

    /// What to tell the cluster now, if anything.
    fn report(&mut self, now: Instant) -> Option<Report> {
        let due = self.renewal().is_some_and(|at| at <= now);
        if !self.whole && !due && self.untold.is_empty() {
            return None;
        }
        let whole = std::mem::take(&mut self.whole);
        if whole {
            self.untold = self.places.iter().map(|place| (*place, true)).collect();
            self.told.clear();
        }
        self.sequence += 1;
        self.told_at = Some(now);
        let (frontend, sequence) = (self.frontend, self.sequence);
        let (came, went, arrived, departed) = Default::default();
        let mut report = Report { frontend, sequence, whole, came, went, arrived, departed };
        while report.came.len() + report.went.len() < PLACES_MAX
            && let Some((place, came)) = self.untold.pop_first()
        {
            self.tell(place, came, &mut report);
        }
        Some(report)
    }

    fn tell(&mut self, place: Place, came: bool, report: &mut Report) {
        if came {
            report.came.push(place)
        } else {
            report.went.push(place)
        }
        let (player, room) = place;
        if room == RoomId::ONLINE {
            // Clusters of before only know of rooms.
            return;
        }
        let told = self.told.entry(player).or_default();
        *told = if came { *told + 1 } else { told.saturating_sub(1) };
        let now = *told;
        if now == 0 {
            self.told.remove(&player);
        }
        // Who came and went within one report has done neither.
        match (came, now) {
            (true, 1) if report.departed.contains(&player) => {
                report.departed.retain(|other| *other != player);
            }
            (true, 1) => report.arrived.push(player),
            (false, 0) if report.arrived.contains(&player) => {
                report.arrived.retain(|other| *other != player);
            }
            (false, 0) => report.departed.push(player),
            _ => {}
        }
    }

    /// What the cluster said to the last report; says whether all is well.
    fn answered(&mut self, outcome: &Outcome) -> bool {
        let well = matches!(outcome, Ok(accepted) if !accepted.lease_lost);
        // Without a clear yes, nobody knows what the cluster believes.
        self.whole |= !well;
        outcome.is_ok()
    }
}

/// Tells the cluster until the frontend stops.
pub(crate) async fn run(frontend: FrontendId, players: Players, cluster: Cluster) {
    let mut roll = Roll::new(frontend);
    loop {
        wait(&roll, &players).await;
        let now = Instant::now();
        roll.note(players.take_changes(now));
        let Some(report) = roll.report(now) else { continue };
        let outcome = cluster.ask(command(report)).await;
        if let Err(refusal) = &outcome {
            debug!(code = %refusal.code, "the cluster was not told who is where");
        }
        let pause = if roll.answered(&outcome) { PAUSE } else { TROUBLE_PAUSE };
        sleep(pause).await;
    }
}

/// Until there may be something to tell.
async fn wait(roll: &Roll, players: &Players) {
    if roll.whole || !roll.untold.is_empty() {
        return;
    }
    match roll.renewal() {
        Some(at) => _ = timeout_at(at.into(), players.changed()).await,
        None => players.changed().await,
    }
}

/// Reports are told apart by their own sequence; the command's attempt is not used.
fn command(report: Report) -> Command {
    let (player, name) = (PlayerId(0), Arc::from(""));
    let wish = Wish::Presence(report.into_wire());
    Command { player, name, lane: Lane::OWN, serial: Serial(0), wish }
}

#[cfg(test)]
mod tests {
    use hangraft_proto::socket::Code;

    use super::*;
    use crate::command::{Accepted, Refusal};

    const ANN: PlayerId = PlayerId(1);
    const BO: PlayerId = PlayerId(2);
    const FRONTEND: FrontendId = FrontendId(7);

    fn told(report: Option<Report>) -> Option<(bool, Vec<Place>, Vec<Place>)> {
        report.map(|report| (report.whole, report.came, report.went))
    }

    /// Changes are told once; the lease is renewed only while somebody is here.
    #[test]
    fn changes_are_told_and_the_lease_renewed() {
        let start = Instant::now();
        let (ann, bo) = ((ANN, RoomId(4)), (BO, RoomId(5)));
        let mut roll = Roll::new(FRONTEND);
        assert_eq!(roll.report(start), None);
        roll.note([(ann, true), (bo, true)].into());
        assert_eq!(told(roll.report(start)), Some((false, vec![ann, bo], vec![])));
        roll.note([(bo, false)].into());
        assert_eq!(told(roll.report(start)), Some((false, vec![], vec![bo])));
        assert_eq!(roll.report(start), None);
        assert_eq!(told(roll.report(start + RENEWAL)), Some((false, vec![], vec![])));
        roll.note([(ann, false)].into());
        assert_eq!(told(roll.report(start + RENEWAL)), Some((false, vec![], vec![ann])));
        assert_eq!(roll.report(start + 9 * RENEWAL), None);
        assert_eq!(roll.sequence, 4);
    }

    /// A cluster of before hears of a player's first place and of their last.
    #[test]
    fn first_and_last_places_are_arrivals_and_departures() {
        let start = Instant::now();
        let mut roll = Roll::new(FRONTEND);
        let mut tell = |changes: &[(Place, bool)]| {
            roll.note(changes.iter().copied().collect());
            let report = roll.report(start).expect("something to tell");
            (report.arrived, report.departed)
        };
        assert_eq!(
            tell(&[((ANN, RoomId(4)), true), ((ANN, RoomId(5)), true)]),
            (vec![ANN], vec![])
        );
        assert_eq!(tell(&[((ANN, RoomId(4)), false), ((BO, RoomId(4)), true)]), (vec![BO], vec![]));
        assert_eq!(tell(&[((ANN, RoomId(5)), false), ((ANN, RoomId(6)), true)]), (vec![], vec![]));
        assert_eq!(tell(&[((ANN, RoomId(6)), false)]), (vec![], vec![ANN]));
        // Being online is being in no room.
        assert_eq!(tell(&[((ANN, RoomId::ONLINE), true)]), (vec![], vec![]));
        assert_eq!(tell(&[((ANN, RoomId(4)), true)]), (vec![ANN], vec![]));
        assert_eq!(tell(&[((ANN, RoomId(4)), false)]), (vec![], vec![ANN]));
        assert_eq!(tell(&[((ANN, RoomId::ONLINE), false)]), (vec![], vec![]));
    }

    /// After a lost lease or an unknown answer, the whole truth is told.
    #[test]
    fn in_doubt_the_whole_list_is_told() {
        let start = Instant::now();
        let (ann, bo) = ((ANN, RoomId(4)), (BO, RoomId(5)));
        for outcome in [
            Ok(Accepted { lease_lost: true, ..Accepted::default() }),
            Err(Refusal::new(Code::UnknownOutcome, "")),
        ] {
            let mut roll = Roll::new(FRONTEND);
            roll.note([(ann, true), (bo, true)].into());
            roll.report(start);
            assert_eq!(roll.answered(&outcome), outcome.is_ok());
            roll.note([(bo, false)].into());
            let report = roll.report(start).expect("something to tell");
            assert_eq!(
                (report.arrived.as_slice(), report.departed.as_slice()),
                (&[ANN][..], &[][..])
            );
            assert_eq!(told(Some(report)), Some((true, vec![ann], vec![])));
            roll.answered(&Ok(Accepted::default()));
            assert_eq!(roll.report(start), None);
        }
    }

    /// A crowd is told in pieces, and only the first one begins anew.
    #[test]
    fn a_crowd_is_told_in_pieces() {
        let start = Instant::now();
        let mut roll = Roll::new(FRONTEND);
        roll.note((1..=1000).map(|number| ((PlayerId(number), RoomId(4)), true)).collect());
        roll.whole = true;
        let sizes: Vec<_> = std::iter::from_fn(|| told(roll.report(start)))
            .map(|(whole, came, _)| (whole, came.len()))
            .collect();
        assert_eq!(sizes, [(true, 400), (false, 400), (false, 200)]);
    }
}
