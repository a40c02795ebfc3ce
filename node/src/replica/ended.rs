//! Why a replica has ended by itself.

use tokio::sync::watch;

/// Why a replica has ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Its id is spent: starting it again changes nothing.
    pub(crate) spent: bool,
    pub(crate) why: String,
}

/// Notes why; the first reason stays.
pub(super) fn note(ended: &watch::Sender<Option<Ended>>, spent: bool, why: String) {
    ended.send_if_modified(|ended| {
        let first = ended.is_none();
        if first {
            *ended = Some(Ended { spent, why });
        }
        first
    });
}
