//! Tells the cluster who is online here.
//!
//! Arrivals and departures are gathered and sent as commands, at most four a
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

use tokio::time::{sleep, timeout_at};
use tracing::debug;

use crate::{
    cluster::Cluster,
    command::{Command, Outcome, PlayerId, Report, Wish},
    players::Players,
};

/// The shortest time between two reports.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest time between two reports while anybody is here.
const RENEWAL: Duration = Duration::from_secs(5);
/// The pause after a report that got no good answer.
const TROUBLE_PAUSE: Duration = Duration::from_secs(1);
/// Players in one report, so that it stays well below what a command may be;
/// the rest follows in the next.
const PLAYERS_MAX: usize = 1000;

/// Who is online here, and what of that the cluster has not been told.
#[derive(Debug)]
struct Roll {
    frontend: u64,
    sequence: u64,
    online: BTreeSet<PlayerId>,
    untold: BTreeMap<PlayerId, bool>,
    /// What the cluster believes is unknown: the next report begins anew.
    whole: bool,
    told_at: Option<Instant>,
}

impl Roll {
    fn new(frontend: u64) -> Self {
        let (online, untold) = Default::default();
        Self { frontend, sequence: 0, online, untold, whole: false, told_at: None }
    }

    /// Players came (true) or went (false).
    fn note(&mut self, changes: BTreeMap<PlayerId, bool>) {
        for (player, came) in changes {
            let changed =
                if came { self.online.insert(player) } else { self.online.remove(&player) };
            if changed && self.untold.remove(&player).is_none() {
                self.untold.insert(player, came);
            }
        }
    }

    /// When the lease has to be renewed, if it has to be.
    fn renewal(&self) -> Option<Instant> {
        self.told_at.filter(|_| !self.online.is_empty()).map(|at| at + RENEWAL)
    }

    /// What to tell the cluster now, if anything.
    fn report(&mut self, now: Instant) -> Option<Report> {
        let due = self.renewal().is_some_and(|at| at <= now);
        if !self.whole && !due && self.untold.is_empty() {
            return None;
        }
        let whole = std::mem::take(&mut self.whole);
        if whole {
            self.untold = self.online.iter().map(|player| (*player, true)).collect();
        }
        let (mut arrived, mut departed) = (Vec::new(), Vec::new());
        while arrived.len() + departed.len() < PLAYERS_MAX
            && let Some((player, came)) = self.untold.pop_first()
        {
            if came { arrived.push(player) } else { departed.push(player) }
        }
        self.sequence += 1;
        self.told_at = Some(now);
        let (frontend, sequence) = (self.frontend, self.sequence);
        Some(Report { frontend, sequence, whole, arrived, departed })
    }

    /// What the cluster said to the last report; says whether all is well.
    fn answered(&mut self, outcome: &Outcome) -> bool {
        let well = matches!(outcome, Ok(accepted) if !accepted.lease_lost);
        // Without a clear yes, nobody knows what the cluster believes.
        self.whole |= !well;
        outcome.is_ok()
    }
}

/// Tells the cluster until the frontend stops. `frontend` is a random number of
/// this process.
pub(crate) async fn run(frontend: u64, players: Players, cluster: Cluster) {
    let mut roll = Roll::new(frontend);
    loop {
        wait(&roll, &players).await;
        let now = Instant::now();
        roll.note(players.take_changes(now));
        let Some(report) = roll.report(now) else { continue };
        let outcome = cluster.ask(command(report)).await;
        if let Err(refusal) = &outcome {
            debug!(code = %refusal.code, "the cluster was not told who is online");
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
    let name = Arc::from("");
    Command { player: PlayerId(0), name, lane: 0, serial: 0, wish: Wish::Presence(report) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Accepted, Code, Refusal};

    const ANN: PlayerId = PlayerId(1);
    const BO: PlayerId = PlayerId(2);

    fn told(report: Option<Report>) -> Option<(bool, Vec<PlayerId>, Vec<PlayerId>)> {
        report.map(|report| (report.whole, report.arrived, report.departed))
    }

    /// Changes are told once; the lease is renewed only while somebody is here.
    #[test]
    fn changes_are_told_and_the_lease_renewed() {
        let start = Instant::now();
        let mut roll = Roll::new(7);
        assert_eq!(roll.report(start), None);
        roll.note([(ANN, true), (BO, true)].into());
        assert_eq!(told(roll.report(start)), Some((false, vec![ANN, BO], vec![])));
        roll.note([(BO, false)].into());
        assert_eq!(told(roll.report(start)), Some((false, vec![], vec![BO])));
        assert_eq!(roll.report(start), None);
        assert_eq!(told(roll.report(start + RENEWAL)), Some((false, vec![], vec![])));
        roll.note([(ANN, false)].into());
        assert_eq!(told(roll.report(start + RENEWAL)), Some((false, vec![], vec![ANN])));
        assert_eq!(roll.report(start + 9 * RENEWAL), None);
        assert_eq!(roll.sequence, 4);
    }

    /// After a lost lease or an unknown answer, the whole truth is told.
    #[test]
    fn in_doubt_the_whole_list_is_told() {
        let start = Instant::now();
        for outcome in [
            Ok(Accepted { lease_lost: true, ..Accepted::default() }),
            Err(Refusal::new(Code::UnknownOutcome, "")),
        ] {
            let mut roll = Roll::new(7);
            roll.note([(ANN, true), (BO, true)].into());
            roll.report(start);
            assert_eq!(roll.answered(&outcome), outcome.is_ok());
            roll.note([(BO, false)].into());
            assert_eq!(told(roll.report(start)), Some((true, vec![ANN], vec![])));
            roll.answered(&Ok(Accepted::default()));
            assert_eq!(roll.report(start), None);
        }
    }

    /// A crowd is told in pieces, and only the first one begins anew.
    #[test]
    fn a_crowd_is_told_in_pieces() {
        let start = Instant::now();
        let mut roll = Roll::new(7);
        roll.note((1..=2500).map(|number| (PlayerId(number), true)).collect());
        roll.whole = true;
        let sizes: Vec<_> = std::iter::from_fn(|| told(roll.report(start)))
            .map(|(whole, arrived, _)| (whole, arrived.len()))
            .collect();
        assert_eq!(sizes, [(true, 1000), (false, 1000), (false, 500)]);
    }
}
