//! The calendar: which minute, day and week it is for people.
//!
//! The lobby's own time says how long things take, and stands still while there is no
//! leader, so it knows no midnight. Days and weeks are those of the wall clock that each
//! batch's leader shows in its stamp, by Greenwich.
//!
//! Leaders' wall clocks differ, so the calendar only moves forward: what happens while a
//! leader shows less counts for the newest minute that was shown. A clock that is wrong by
//! a year would so hold it for a year. Therefore it is set back, once, when all stamps of
//! [`SET_BACK_MS`] of lobby time have shown less.

use serde::{Deserialize, Serialize};

/// How long stamps have to show less than the calendar before it is taken to be wrong, in
/// lobby time. Clocks that differ by less than this never set it back.
const SET_BACK_MS: u64 = 10 * 60_000;

const MINUTE_MS: u64 = 60_000;
const MINUTES_OF_A_DAY: u64 = 24 * 60;

/// Days by which the week of 1970-01-01, a Thursday, had begun before.
const DAYS_BEFORE: u64 = 3;

/// Which minute it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Calendar {
    /// Minutes since 1970 began; 0 for one that was never turned.
    minute: u64,
    /// Since when, in lobby time, all stamps have shown less.
    behind_since_ms: Option<u64>,
}

impl Calendar {
    /// Turns it to what a stamp shows, in milliseconds since 1970. Says whether it is
    /// another minute now.
    pub(crate) fn turn(&mut self, now_ms: u64, at_ms: u64) -> bool {
        let shown = at_ms / MINUTE_MS;
        if shown < self.minute {
            let since_ms = *self.behind_since_ms.get_or_insert(now_ms);
            if now_ms.saturating_sub(since_ms) < SET_BACK_MS {
                return false;
            }
        }
        let before = std::mem::replace(self, Calendar { minute: shown, behind_since_ms: None });
        before.minute != shown
    }

    /// Minutes since 1970 began.
    pub(crate) fn minute(&self) -> u64 {
        self.minute
    }

    /// Days since 1970 began.
    pub(crate) fn day(&self) -> u64 {
        self.minute / MINUTES_OF_A_DAY
    }

    /// Weeks since the one that 1970 began in. Each begins on a Monday.
    pub(crate) fn week(&self) -> u64 {
        (self.day() + DAYS_BEFORE) / 7
    }

    /// All there is to it, for digests.
    pub(crate) fn as_numbers(&self) -> [u64; 2] {
        [self.minute, self.behind_since_ms.map_or(0, |since_ms| since_ms.saturating_add(1))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 60 * MINUTE_MS;
    const DAY_MS: u64 = 24 * HOUR_MS;
    /// Sunday the 29th of November 2026, noon.
    const SUNDAY_MS: u64 = 1_795_953_600_000;

    fn turned(at_ms: u64) -> Calendar {
        let mut calendar = Calendar::default();
        calendar.turn(0, at_ms);
        calendar
    }

    #[test]
    fn weeks_begin_on_monday_and_days_at_midnight() {
        let noon = turned(SUNDAY_MS);
        let midnight = turned(SUNDAY_MS + 12 * HOUR_MS);
        let before = turned(SUNDAY_MS + 12 * HOUR_MS - 1);
        assert_eq!((before.day(), before.week()), (noon.day(), noon.week()));
        assert_eq!((midnight.day(), midnight.week()), (noon.day() + 1, noon.week() + 1));
        let next_sunday = turned(SUNDAY_MS + 7 * DAY_MS);
        assert_eq!(next_sunday.week(), midnight.week());
        // 1970-01-05 was the first Monday.
        assert_eq!((turned(4 * DAY_MS - 1).week(), turned(4 * DAY_MS).week()), (0, 1));
        assert!(turned(u64::MAX).week() > 0);
    }

    /// A leader whose clock is behind does not bring yesterday back.
    #[test]
    fn it_only_moves_forward() {
        let mut calendar = turned(SUNDAY_MS);
        assert!(!calendar.turn(1_000, SUNDAY_MS + 59_999));
        assert!(calendar.turn(2_000, SUNDAY_MS + 60_000));
        let newest = calendar.minute();
        assert!(!calendar.turn(3_000, SUNDAY_MS - DAY_MS));
        assert!(!calendar.turn(3_000 + SET_BACK_MS - 1, SUNDAY_MS - DAY_MS));
        assert_eq!(calendar.minute(), newest);
        // One stamp that agrees, and the patience begins anew.
        assert!(!calendar.turn(3_000 + SET_BACK_MS, SUNDAY_MS + 60_000));
        assert!(!calendar.turn(4_000 + SET_BACK_MS, SUNDAY_MS));
        assert_eq!(calendar.minute(), newest);
    }

    /// One leader's clock was a year ahead; it is not the next year for all others.
    #[test]
    fn what_all_contradict_for_long_is_set_back() {
        let mut calendar = turned(SUNDAY_MS);
        let right = calendar.week();
        assert!(calendar.turn(5, SUNDAY_MS + 364 * DAY_MS));
        assert!(!calendar.turn(10, SUNDAY_MS + MINUTE_MS));
        assert_eq!(calendar.week(), right + 52);
        assert!(calendar.turn(10 + SET_BACK_MS, SUNDAY_MS + 11 * MINUTE_MS));
        assert_eq!((calendar.week(), calendar.as_numbers()[1]), (right, 0));
    }
}
