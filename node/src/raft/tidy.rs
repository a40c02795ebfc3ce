//! Keeps the log small in bytes.
//!
//! openraft counts log entries, and one entry holds one command or thousands. A
//! restart replays the log behind the last snapshot and the disk holds all of it,
//! so both are bounded by bytes here: enough applied bytes call for a snapshot, and
//! behind a snapshot only so many bytes of log are kept.

use crate::raft::machine::Machine;
use crate::raft::machine::Raft;
use hangraft_ids::LogIndex;
use std::time::Duration;
use tokio::time::{Instant, interval};

/// Log applied since the last snapshot before the next one is taken. It bounds
/// what a restart replays: about a second's worth.
const SNAPSHOT_AFTER_BYTES: u64 = 32 << 20;

/// Log kept behind a snapshot, so that a node that was away for a moment catches
/// up from the log.
const KEEP_BYTES: u64 = 64 << 20;

/// A snapshot that is missing still is asked for again after this long: the last one
/// could not be read back.
const ASK_AGAIN: Duration = Duration::from_secs(60);

/// How often to look.
const PERIOD: Duration = Duration::from_millis(500);

/// Runs as long as the replica does.
pub(crate) async fn run(raft: Raft, machine: Machine) {
    let mut looks = interval(PERIOD);
    let mut asked: Option<(Option<LogIndex>, Instant)> = None;
    let mut purged = LogIndex(0);
    loop {
        looks.tick().await;
        let durable = *machine.durable_snapshot().borrow();
        let (fresh, purge) = {
            let ledger = machine.ledger();
            (ledger.since(durable), durable.and_then(|index| ledger.behind(index, KEEP_BYTES)))
        };
        // Asked once for each snapshot that is missing, unless it fails to appear.
        let asking = asked.is_some_and(|(at, when)| at == durable && when.elapsed() < ASK_AGAIN);
        if fresh >= SNAPSHOT_AFTER_BYTES && !asking {
            asked = Some((durable, Instant::now()));
            if raft.trigger().snapshot().await.is_err() {
                return;
            }
        }
        if let Some(upto) = purge.filter(|upto| *upto > purged) {
            purged = upto;
            if raft.trigger().purge_log(upto.0).await.is_err() {
                return;
            }
        }
    }
}
