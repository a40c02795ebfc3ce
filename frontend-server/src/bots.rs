//! The bots that live in the lobby, as nodes name them. A frontend knows the rules of no
//! game, so it knows of no bot by itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hangraft_proto::socket::Bot;

/// All that are known now. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bots(Arc<Mutex<Arc<[Bot]>>>);

impl Bots {
    /// These are all from now on.
    pub(crate) fn set(&self, named: Vec<Bot>) {
        *self.lock() = named.into();
    }

    /// Those that are known.
    pub(crate) fn all(&self) -> Arc<[Bot]> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Arc<[Bot]>> {
        // A panic elsewhere leaves nothing half done here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
