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

#[cfg(test)]
mod tests {
    use super::*;

    /// Who looks is woken by another number, and by another lobby whatever its number is.
    #[test]
    fn another_number_or_another_lobby_wakes_who_looks() {
        let sight = Sight::default();
        let mut looks = sight.subscribe();
        let mut woken = || {
            let changed = looks.has_changed().expect("the sight is there");
            (changed, *looks.borrow_and_update())
        };
        sight.note(0);
        let (changed, first) = woken();
        assert!(!changed);
        sight.note(7);
        sight.note(7);
        let (changed, second) = woken();
        assert!(changed && second != first);
        sight.note(7);
        assert!(!woken().0);
        sight.restart();
        sight.note(7);
        let (changed, third) = woken();
        assert!(changed && third != second, "what was made for the other lobby is not shown");
    }
}
