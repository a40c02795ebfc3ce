//! What the logs on a real disk share: the priority of the thread that waits for the disk,
//! and what is counted of it.

use crate::storage::log::Synced;
use metrics::{Gauge, Histogram, gauge, histogram};
use std::io;

/// Asks for the lowest real-time priority for this thread.
pub(super) fn ask_for_realtime() {
    use thread_priority::{
        RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
        set_thread_priority_and_policy, thread_native_id,
    };
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let lowest = ThreadPriority::from_posix(thread_priority::ScheduleParams { sched_priority: 1 });
    match set_thread_priority_and_policy(thread_native_id(), lowest, policy) {
        Ok(()) => tracing::debug!("the log writer has real-time priority"),
        Err(err) => tracing::debug!(?err, "the log writer keeps normal priority"),
    }
}

/// What is counted of a log. Handles are made once, so that counting costs an addition.
pub(super) struct Meters {
    /// Those who wait for a sync now, the running one or the next.
    pub(super) waiting: Gauge,
    /// How many one sync makes durable.
    pub(super) batch: Histogram,
    /// How long one sync takes.
    pub(super) seconds: Histogram,
}

impl Meters {
    pub(super) fn new() -> Self {
        Meters {
            waiting: gauge!("hangraft_log_waiting_syncs"),
            batch: histogram!("hangraft_log_sync_batch"),
            seconds: histogram!("hangraft_log_sync_seconds"),
        }
    }

    /// Those who waited do so no more.
    pub(super) fn tell(&self, waiting: Vec<Synced>, outcome: &io::Result<()>) {
        self.waiting.decrement(waiting.len() as f64);
        for synced in waiting {
            synced(match outcome {
                Ok(()) => Ok(()),
                Err(err) => Err(io::Error::new(err.kind(), err.to_string())),
            });
        }
    }
}
