//! The tasks of a node. Each has a name, ends with the node, and is waited for. Not here:
//! what libraries spawn, and what a task owns and waits for itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// The tasks of one node. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Tasks(Arc<Inner>);

#[derive(Default)]
struct Inner {
    tracker: TaskTracker,
    stop: CancellationToken,
    /// How many tasks of each name there are.
    running: Mutex<BTreeMap<&'static str, usize>>,
}

impl Tasks {
    /// Runs a task until the node ends.
    pub(crate) fn spawn<F>(&self, name: &'static str, work: F) -> JoinHandle<Option<F::Output>>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        tokio::spawn(self.owned(name, work))
    }

    /// Runs a task to its end, also while the node ends.
    pub(crate) fn finish(
        &self,
        name: &'static str,
        work: impl Future<Output: Send> + Send + 'static,
    ) {
        let entry = self.enter(name);
        tokio::spawn(self.0.tracker.track_future(async move {
            let _entry = entry;
            work.await;
        }));
    }

    /// A task that is run elsewhere, until the node ends: then there is nothing of it.
    pub(crate) fn owned<F: Future>(
        &self,
        name: &'static str,
        work: F,
    ) -> impl Future<Output = Option<F::Output>> + use<F> {
        let (entry, stop) = (self.enter(name), self.0.stop.clone());
        self.0.tracker.track_future(async move {
            let _entry = entry;
            stop.run_until_cancelled_owned(work).await
        })
    }

    /// Tells all tasks to end, unless this is disarmed before it is dropped.
    pub(crate) fn stopped_when_dropped(&self) -> DropGuard {
        self.0.stop.clone().drop_guard()
    }

    /// Tells all tasks to end.
    pub(crate) fn stop(&self) {
        self.0.stop.cancel();
        self.0.tracker.close();
    }

    /// Waits until all have ended, after [`Tasks::stop`].
    ///
    /// # Errors
    /// The names of those that have not, within this time.
    pub(crate) async fn ended(&self, within: Duration) -> Result<(), Vec<&'static str>> {
        let ended = timeout(within, self.0.tracker.wait()).await;
        ended.map_err(|_| self.0.running().keys().copied().collect())
    }

    fn enter(&self, name: &'static str) -> Running {
        *self.0.running().entry(name).or_default() += 1;
        Running { tasks: self.0.clone(), name }
    }
}

impl Inner {
    fn running(&self) -> MutexGuard<'_, BTreeMap<&'static str, usize>> {
        self.running.lock().expect("never poisoned")
    }
}

/// A task that runs.
struct Running {
    tasks: Arc<Inner>,
    name: &'static str,
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut running = self.tasks.running();
        if let Some(count) = running.get_mut(self.name) {
            *count -= 1;
            if *count == 0 {
                running.remove(self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    const SOON: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn a_task_ends_with_the_node_and_says_what_came_of_it_before() {
        let tasks = Tasks::default();
        assert_eq!(tasks.spawn("quick", async { 7 }).await.unwrap(), Some(7));
        let endless = tasks.spawn("endless", std::future::pending::<()>());
        tasks.stop();
        assert_eq!(tasks.ended(SOON).await, Ok(()));
        assert_eq!(endless.await.unwrap(), None);
        assert_eq!(tasks.spawn("late", async { 7 }).await.unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_end_is_named() {
        let tasks = Tasks::default();
        let (go_on, held) = oneshot::channel::<()>();
        for _ in 0..2 {
            tasks.finish("ended", async {});
        }
        tasks.finish("answers", async { _ = held.await });
        tasks.spawn("endless", std::future::pending::<()>());
        tasks.stop();
        assert_eq!(tasks.ended(SOON).await, Err(vec!["answers"]));
        go_on.send(()).unwrap();
        assert_eq!(tasks.ended(SOON).await, Ok(()));
    }
}
