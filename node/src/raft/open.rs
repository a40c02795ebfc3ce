//! Opening a log, and starting openraft on it.

use crate::env::Env;
use crate::identity::Identity;
use crate::raft::log_store::LogStore;
use crate::raft::machine::{Machine, Raft};
use crate::raft::network::Wire;
use crate::raft::snapshots;
use crate::storage::Storage;
use crate::storage::log::{LogDevice, Position, Write, synced};
use hangraft_cluster_config::{NodeConfig, RaftConfig};
use std::io;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Whether storage holds anything of a log: a vote, entries, or a snapshot.
pub(crate) async fn holds_a_log(storage: &Storage) -> io::Result<bool> {
    let state = storage.log.state();
    let begun = state.vote.is_some() || state.last.is_some();
    Ok(begun || snapshots::any(&storage.files).await?)
}

/// Lets go of entries that the snapshot has replaced: a crash right behind an installed
/// snapshot can leave them, and they would stand in the way of what comes next. An entry
/// of another term where the snapshot ends, and all behind it, were never committed
/// (thesis section 3.5); where the log ends before the snapshot does, nothing is missed.
/// Found by simulation.
pub(crate) async fn mend_log(device: &dyn LogDevice, covered: Option<Position>) -> io::Result<()> {
    let Some(covered) = covered else { return Ok(()) };
    let state = device.state();
    let stale = match state.last {
        None => false,
        Some(last) if last.index < covered.index => true,
        Some(_) if state.purged.is_some_and(|purged| purged.index >= covered.index) => false,
        Some(_) => {
            let there = device.read(covered.index, covered.index.next(), usize::MAX)?;
            there.first().is_some_and(|(at, _)| *at != covered)
        }
    };
    if stale {
        device.write(Write::TruncateAfter(state.purged))?;
        device.write(Write::Purge(covered))?;
        synced(device).await?;
    }
    Ok(())
}

/// Starts openraft where consensus runs.
pub(crate) async fn start_raft(
    config: &NodeConfig,
    identity: &Identity,
    env: &Arc<dyn Env>,
    wire: Wire,
    log: LogStore,
    machine: Machine,
) -> io::Result<Raft> {
    let settings = raft_config(&identity.cluster, &config.raft).map_err(io::Error::other)?;
    let (id, (started, raft)) = (identity.node, oneshot::channel());
    env.spawn_consensus(Box::pin(async move {
        let raft = Raft::new(id, Arc::new(settings), wire, log, machine).await;
        // Before consensus has run for the first time, its metrics are those of an empty log. A
        // node that read them would take the members that others remember for its own.
        if let Ok(raft) = &raft {
            // An error means that it has ended, which those who follow it see.
            _ = raft.with_raft_state(|_| ()).await;
        }
        // The node gave up waiting only if it is being dropped.
        _ = started.send(raft);
    }));
    let raft = raft.await.map_err(|_| io::Error::other("consensus did not start"))?;
    raft.map_err(io::Error::other)
}

fn raft_config(
    cluster: &str,
    raft: &RaftConfig,
) -> Result<openraft::Config, openraft::ConfigError> {
    openraft::Config {
        cluster_name: cluster.to_owned(),
        heartbeat_interval: raft.heartbeat_ms,
        election_timeout_min: raft.election_ms_min,
        election_timeout_max: raft.election_ms_max,
        // An append shows that the leader lives as well as a heartbeat does.
        heartbeat_min_interval: Some(raft.heartbeat_ms),
        // Not before this process is known to be the only one of its node.
        enable_elect: false,
        enable_pre_vote: Some(true),
        // Without it, a partial partition can leave the cluster without a leader.
        quorum_loss_probe_interval: Some(1_000.max(2 * raft.election_ms_max)),
        max_payload_entries: 1024,
        max_append_entries: Some(4096),
        api_batch_linger_ms: 0,
        api_channel_size: Some(16_384),
        state_machine_channel_size: Some(1024),
        // Followers write while the leader does, not after.
        broadcast_submitted_on_append: Some(true),
        snapshot_policy: openraft::SnapshotPolicy::LogsSinceLast(raft.snapshot_after_entries),
        replication_lag_threshold: raft.snapshot_after_entries.saturating_mul(3),
        max_in_snapshot_log_to_keep: raft.keep_entries,
        purge_batch_size: 4096.min(raft.keep_entries.max(1)),
        install_snapshot_timeout: 30_000,
        backoff: "50ms 100ms 200ms 500ms ...1s".into(),
        // A restarted leader that resumes its old term serves stale reads.
        enable_leader_restore: Some(planted!(LeaderRestored ? true => false)),
        allow_log_reversion: None,
        ..openraft::Config::default()
    }
    .validate()
}
