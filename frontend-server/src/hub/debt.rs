//! Notices a watch that has fallen silent: pure.
//!
//! A node that is cut off from its cluster keeps its stream to us open and simply
//! has nothing new to say. But moves are acknowledged through another node, with
//! the version they made: a version that the watch has not shown some time later
//! is owed, and a watch in debt is no good.

use std::time::{Duration, Instant};

use hangraft_ids::{RoomId, Version};

/// How long an acknowledged version may take to be shown. A healthy follower
/// needs milliseconds.
const OVERDUE: Duration = Duration::from_secs(1);

/// One acknowledged version at a time that has not been shown yet; a sample is enough.
#[derive(Debug, Default)]
pub(crate) struct Debt {
    owed: Option<(RoomId, Version, Instant)>,
}

impl Debt {
    /// A room is known to have reached a version, and has been shown at another.
    pub(crate) fn acknowledged(
        &mut self,
        room: RoomId,
        version: Version,
        shown: Option<Version>,
        now: Instant,
    ) {
        if self.owed.is_none() && shown.is_some_and(|shown| shown < version) {
            self.owed = Some((room, version, now));
        }
    }

    /// There is something to look after.
    pub(crate) fn is_owed(&self) -> bool {
        self.owed.is_some()
    }

    /// Looks whether the debt is paid; says whether it should have been long ago.
    /// `shown` is the version a room has been shown at, if it is still watched.
    pub(crate) fn is_overdue(
        &mut self,
        shown: impl Fn(RoomId) -> Option<Version>,
        now: Instant,
    ) -> bool {
        let Some((room, version, since)) = self.owed else { return false };
        if shown(room).is_none_or(|shown| shown >= version) {
            self.owed = None;
            return false;
        }
        now >= since + OVERDUE
    }

    /// Another node is watched through: it owes nothing yet.
    pub(crate) fn forgive(&mut self) {
        self.owed = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUR: Option<Version> = Some(Version(4));
    const FIVE: Version = Version(5);

    /// A version shown late is fine; one never shown is not.
    #[test]
    fn what_was_acknowledged_must_be_shown() {
        let now = Instant::now();
        for (story, shown_later, late, overdue) in [
            ("shown", Some(FIVE), OVERDUE, false),
            ("shown and gone on", Some(Version(6)), OVERDUE, false),
            ("not yet", FOUR, OVERDUE / 2, false),
            ("never", FOUR, OVERDUE, true),
            ("nobody watches any more", None, OVERDUE, false),
        ] {
            let mut debt = Debt::default();
            debt.acknowledged(RoomId(1), FIVE, FOUR, now);
            assert_eq!(debt.is_overdue(|_| shown_later, now + late), overdue, "{story}");
        }
    }

    /// What is not watched, or was shown first, is no debt.
    #[test]
    fn not_everything_is_owed() {
        let now = Instant::now();
        let mut debt = Debt::default();
        debt.acknowledged(RoomId(1), FIVE, None, now);
        debt.acknowledged(RoomId(2), FIVE, Some(FIVE), now);
        assert!(!debt.is_owed());
        debt.acknowledged(RoomId(3), FIVE, FOUR, now);
        assert!(debt.is_owed());
        debt.forgive();
        assert!(!debt.is_owed());
    }
}
