//! Who has seen what in one room. Plain code; times count from the beginning of the load.
//!
//! A version is on everybody's screen when every socket that watches the room has been
//! pushed it or a later one. A socket that its player has closed is no screen until its
//! frontend has answered the new one's `watch`. A socket that broke is one all the time:
//! somebody sits before it and sees nothing.

use std::{collections::VecDeque, time::Duration};

use hangraft_ids::Version;

/// How many times of the past are kept, for answers that come later than views.
const PASSED_MAX: usize = 64;

/// The screens of a room, and what is not on all of them; `T` is whatever was planned.
#[derive(Debug)]
pub(super) struct Screens<T> {
    screens: Vec<Screen>,
    /// When all had seen what; both grow.
    passed: VecDeque<(Version, Duration)>,
    /// What was done and is not on every screen, by its version. Answers may come in any
    /// order.
    waiting: Vec<(Version, T)>,
}

#[derive(Clone, Copy, Debug)]
struct Screen {
    seen: Version,
    there: bool,
}

impl<T> Screens<T> {
    /// Each has seen this version.
    pub(super) fn new(seen: Vec<Version>) -> Self {
        let screens = seen.into_iter().map(|seen| Screen { seen, there: true }).collect();
        Self { screens, passed: VecDeque::new(), waiting: Vec::new() }
    }

    /// What a socket has seen last.
    pub(super) fn seen(&self, socket: usize) -> Version {
        self.screens[socket].seen
    }

    /// A socket was pushed a version.
    pub(super) fn saw(&mut self, socket: usize, version: Version, now: Duration) -> Vec<T> {
        self.screens[socket].seen = version;
        self.look(now)
    }

    /// A socket is closed by its player.
    pub(super) fn left(&mut self, socket: usize, now: Duration) -> Vec<T> {
        self.screens[socket].there = false;
        self.look(now)
    }

    /// A socket watches again.
    pub(super) fn back(&mut self, socket: usize) {
        self.screens[socket].there = true;
    }

    /// Something was done, and made a version: when that was on all screens, if it is.
    pub(super) fn made(&mut self, version: Version, what: T, now: Duration) -> Option<Duration> {
        if self.on_all() < Some(version) {
            self.waiting.push((version, what));
            return None;
        }
        let passed = self.passed.iter().find(|(passed, _)| *passed >= version);
        // When it is not known any more it was earlier than now.
        Some(passed.map_or(now, |(_, at)| *at))
    }

    /// What is not on every screen.
    pub(super) fn unseen(&self) -> impl Iterator<Item = &T> {
        self.waiting.iter().map(|(_, what)| what)
    }

    /// What is on all screens now and was not before.
    fn look(&mut self, now: Duration) -> Vec<T> {
        let Some(all) = self.on_all() else { return Vec::new() };
        if self.passed.back().is_none_or(|(passed, _)| *passed < all) {
            self.passed.push_back((all, now));
            if self.passed.len() > PASSED_MAX {
                self.passed.pop_front();
            }
        }
        self.waiting.extract_if(.., |(version, _)| *version <= all).map(|(_, what)| what).collect()
    }

    /// The version that is on all screens; nothing where there is none.
    fn on_all(&self) -> Option<Version> {
        self.screens.iter().filter(|screen| screen.there).map(|screen| screen.seen).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn screens(count: usize) -> Screens<&'static str> {
        Screens::new(vec![Version(1); count])
    }

    /// The last who sees it counts, whether the answer comes before or after.
    #[test]
    fn everybody_has_seen_it_when_the_last_has() {
        let mut screens = screens(2);
        assert_eq!(screens.made(Version(2), "a", ms(1)), None);
        assert_eq!(screens.saw(0, Version(3), ms(2)), [""; 0]);
        assert_eq!(screens.unseen().collect::<Vec<_>>(), [&"a"]);
        assert_eq!(screens.saw(1, Version(2), ms(5)), ["a"]);
        screens.saw(1, Version(3), ms(7));
        assert_eq!(screens.made(Version(3), "b", ms(9)), Some(ms(7)));
        assert_eq!(screens.made(Version(2), "late", ms(9)), Some(ms(5)));
    }

    /// Who has closed the socket is not waited for, until it watches again.
    #[test]
    fn who_has_left_is_not_waited_for() {
        let mut screens = screens(2);
        screens.saw(0, Version(2), ms(1));
        assert_eq!(screens.made(Version(2), "a", ms(2)), None);
        assert_eq!(screens.left(1, ms(3)), ["a"]);
        assert_eq!(screens.made(Version(2), "b", ms(4)), Some(ms(3)));
        screens.back(1);
        assert_eq!((screens.seen(1), screens.made(Version(2), "c", ms(5))), (Version(1), None));
        assert_eq!(screens.left(0, ms(6)), [""; 0]);
        assert_eq!(screens.saw(1, Version(4), ms(7)), ["c"]);
        screens.left(1, ms(8));
        assert_eq!(screens.made(Version(9), "nobody sees it", ms(9)), None);
    }
}
