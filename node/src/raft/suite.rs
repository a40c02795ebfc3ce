//! openraft's own contract for storages, to hold any [`Storage`] to.

use crate::feed::Feed;
use crate::raft::log_store::LogStore;
use crate::raft::machine::Machine;
use crate::raft::types::TypeConfig;
use crate::storage::Storage;
use hangraft_ids::LogIndex;
use openraft::StorageError;
use openraft::testing::log::{StoreBuilder, Suite};
use openraft::{ErrorSubject, ErrorVerb};
use std::future::Future;
use tokio::sync::watch;

struct Builder<M>(M);

impl<M, F, G> StoreBuilder<TypeConfig, LogStore, Machine, G> for Builder<M>
where
    M: Fn() -> F + Send + Sync,
    F: Future<Output = (G, Storage)> + Send,
    G: Send + Sync,
{
    async fn build(&self) -> Result<(G, LogStore, Machine), StorageError<TypeConfig>> {
        let (guard, storage) = (self.0)().await;
        let machine = Machine::open(storage.clone(), Feed::default()).await.map_err(|err| {
            StorageError::from_io_error(ErrorSubject::Store, ErrorVerb::Read, err)
        })?;
        // The suite purges without taking snapshots.
        let (_, covered) = watch::channel(Some(LogIndex(u64::MAX)));
        Ok((guard, LogStore::new(storage.log, covered), machine))
    }
}

/// Checks everything that openraft relies on from a log and a state machine, each
/// check on a new storage that `make` gives, with whatever keeps it alive.
///
/// # Errors
/// Names what does not hold. Some checks assert.
pub async fn hold<F, G>(make: impl Fn() -> F + Send + Sync) -> Result<(), String>
where
    F: Future<Output = (G, Storage)> + Send,
    G: Send + Sync,
{
    Suite::test_all(Builder(make)).await.map_err(|err| err.to_string())
}
