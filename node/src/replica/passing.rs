//! Time that passes in the lobby, when nobody plays.

use crate::replica::handle::{Replica, Role};
use hangraft_ids::LogIndex;
use openraft::async_runtime::WatchReceiver;
use std::time::Duration;
use tokio::time::sleep;

/// Between two batches of ours that let time pass. What becomes due within it is done
/// together, so that many rooms that leave one by one do not fill the log: fifty such batches
/// a second are written at most, of a few bytes each. A player's clock that runs out meanwhile
/// is shown so much later, and players are told that it ends on time, to a tenth of a second:
/// so the pause is a fifth of that, and the rest is there for the batch on its way.
const TICK_PAUSE: Duration = Duration::from_millis(20);

/// After one that was not applied.
const TICK_RETRY: Duration = Duration::from_secs(1);

impl Replica {
    /// On the leader: lets time pass in the lobby, when nobody plays. Sleeps until
    /// something is due, and no shorter than [`TICK_PAUSE`].
    pub(super) async fn tick(self) {
        let mut leadership = self.leadership();
        loop {
            leadership.mark_unchanged();
            let wait = self.time_to_pass();
            if wait == Some(Duration::ZERO) {
                let passed = self.let_all_pass().await;
                sleep(if passed { TICK_PAUSE } else { TICK_RETRY }).await;
                continue;
            }
            let slept = async {
                match wait {
                    Some(wait) => sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = slept => {}
                () = self.0.machine.alarm().rung() => {}
                Ok(()) = leadership.changed() => {}
            }
        }
    }

    /// How long until this node lets time pass; none if it does not lead, or nothing will
    /// ever be due.
    fn time_to_pass(&self) -> Option<Duration> {
        let alarm = self.0.machine.alarm();
        alarm.listen();
        if self.role() != Role::Leads {
            alarm.mute();
            return None;
        }
        let (standing, due) = self.0.machine.standing_and_due();
        let due = due?;
        alarm.set(due.at_ms);
        let wait = due.after.saturating_sub(self.0.stopwatch.passed());
        // Counted from the newest batch that is applied, and less what has passed since the
        // newest that was written: as long as these differ, it may be sooner.
        let written = self.0.raft.metrics().borrow_watched().last_log_index.map(LogIndex);
        let applied = standing.applied.map(|at| at.index);
        let under_way = self.0.proposer.in_flight(self.0.in_flight_max) > 0 || applied < written;
        Some(if under_way { wait.min(TICK_PAUSE) } else { wait })
    }

    /// Lets pass all that is due. A batch does a bounded amount of it; what it left is done
    /// at once, by one batch after the other, between those of the players.
    async fn let_all_pass(&self) -> bool {
        while self.let_time_pass().await {
            let more = self.role() == Role::Leads
                && self.0.machine.standing_and_due().1.is_some_and(|due| due.after.is_zero());
            if !more {
                return true;
            }
        }
        false
    }

    /// Writes an empty batch; whether it was applied. If it was lost, another does the same.
    async fn let_time_pass(&self) -> bool {
        match self.submit(Vec::new()) {
            Ok(answered) => matches!(answered.await, Ok(Ok(_))),
            Err(_) => false,
        }
    }
}
