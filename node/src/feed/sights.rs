//! What there is to see in the lobby besides rooms: the open seeks, and the numbers. Who
//! looks is woken when it has changed, and sees to it not to look too often.

use tokio::sync::watch;

/// Something to be seen, and the bell for who looks at it.
#[derive(Default)]
pub(super) struct Sight(watch::Sender<Revision>);

/// Another one when something may have changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Revision {
    /// As the lobby counts.
    number: u64,
    /// How often the lobby was replaced by a snapshot, which may count otherwise.
    restarts: u64,
}

impl Sight {
    pub(super) fn subscribe(&self) -> watch::Receiver<Revision> {
        self.0.subscribe()
    }

    /// What the lobby counts now. Who looks is woken if it is another number.
    pub(super) fn note(&self, number: u64) {
        self.0
            .send_if_modified(|revision| std::mem::replace(&mut revision.number, number) != number);
    }

    /// The lobby is another one.
    pub(super) fn restart(&self) {
        self.0.send_modify(|revision| revision.restarts += 1);
    }
}
