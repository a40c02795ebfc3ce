//! What time does to a socket: pure.
//!
//! One timer serves them all. It is set anew when it has run out, and not whenever
//! something is heard: most of what a busy socket would set is put off before it is due.

use std::time::Duration;

use tokio::time::Instant;

/// A client of which nothing is heard for this long is pinged.
pub(super) const PING_AFTER: Duration = Duration::from_secs(20);
/// A client of which nothing is heard for this long, no answer to a ping either, is
/// gone. Not a minute: that is how often browsers let a hidden page's timers run, and
/// one that says something as often as it can shall not be late.
pub(super) const IDLE: Duration = Duration::from_secs(75);
/// A socket that has not said hello by then is closed.
pub(super) const HELLO_DEADLINE: Duration = Duration::from_secs(10);

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// The client has not said hello in time.
    Silent,
    /// Nothing was heard of the client for too long.
    Idle,
    /// The client is to be told to go elsewhere.
    Move,
    /// The quiet client is to be asked whether it is there.
    Ping,
}

/// Which deadlines count just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Only {
    All,
    /// Those that end a socket: the others wait until it can be written to.
    Ends,
}

/// When what is due.
#[derive(Debug)]
pub(super) struct Deadlines {
    heard_at: Instant,
    pinged_at: Instant,
    /// As long as hello was not said.
    hello_by: Option<Instant>,
    /// Once the frontend drains, until the client was told.
    move_at: Option<Instant>,
}

impl Deadlines {
    /// Of a socket that has just been opened.
    pub(super) fn new(now: Instant) -> Self {
        let hello_by = Some(now + HELLO_DEADLINE);
        Self { heard_at: now, pinged_at: now, hello_by, move_at: None }
    }

    /// Something was heard of the client.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard_at = now;
    }

    /// The client has said hello.
    pub(super) fn greeted(&mut self) {
        self.hello_by = None;
    }

    /// The client is to be told to go elsewhere then. It is told once: only the first time
    /// counts.
    pub(super) fn moves_at(&mut self, at: Instant) {
        self.move_at.get_or_insert(at);
    }

    /// What is due now, one after the other.
    pub(super) fn due(&mut self, now: Instant, only: Only) -> Option<Due> {
        let (due, at) = self.next(only);
        if at > now {
            return None;
        }
        match due {
            Due::Ping => self.pinged_at = now,
            Due::Move => self.move_at = None,
            Due::Silent | Due::Idle => {}
        }
        Some(due)
    }

    /// What is due next, and when.
    pub(super) fn next(&self, only: Only) -> (Due, Instant) {
        let ping = self.heard_at.max(self.pinged_at) + PING_AFTER;
        let all = only == Only::All;
        let deadlines = [
            (Due::Silent, self.hello_by),
            (Due::Idle, Some(self.heard_at + IDLE)),
            (Due::Move, self.move_at.filter(|_| all)),
            (Due::Ping, Some(ping).filter(|_| all)),
        ];
        let known = deadlines.into_iter().filter_map(|(due, at)| Some((due, at?)));
        known.min_by_key(|(_, at)| *at).expect("a client can always be silent for too long")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is due within so long, each with its time in seconds, when something is heard
    /// at these seconds.
    fn falls_due(
        deadlines: &mut Deadlines,
        heard: &[u64],
        until: u64,
        only: Only,
    ) -> Vec<(Due, u64)> {
        let start = deadlines.heard_at;
        let mut due = Vec::new();
        for second in 0..=until {
            let now = start + Duration::from_secs(second);
            if heard.contains(&second) {
                deadlines.heard(now);
            }
            while let Some(what) = deadlines.due(now, only) {
                due.push((what, second));
                if matches!(what, Due::Idle | Due::Silent) {
                    return due;
                }
            }
        }
        due
    }

    fn greeted() -> Deadlines {
        let mut deadlines = Deadlines::new(Instant::now());
        deadlines.greeted();
        deadlines
    }

    /// Whoever says much and not hello is closed in time all the same.
    #[test]
    fn hello_is_due() {
        let all: Vec<u64> = (0..100).collect();
        let mut deadlines = Deadlines::new(Instant::now());
        assert_eq!(falls_due(&mut deadlines, &all, 100, Only::All), [(Due::Silent, 10)]);
    }

    /// A client is pinged when it is quiet, and again as long as it stays so; over a minute
    /// without a word ends it.
    #[test]
    fn the_quiet_are_pinged_and_the_silent_are_gone() {
        let due = falls_due(&mut greeted(), &[10], 200, Only::All);
        let pings = [30, 50, 70].map(|second| (Due::Ping, second));
        assert_eq!(due, [&pings[..], &[(Due::Idle, 85)]].concat());
    }

    /// A word now and then keeps a socket, and once a minute, as a hidden page's timers run,
    /// is enough.
    #[test]
    fn a_word_a_minute_is_enough() {
        let due = falls_due(&mut greeted(), &[60, 120, 180], 240, Only::Ends);
        assert_eq!(due, []);
        assert_eq!(falls_due(&mut greeted(), &[], 240, Only::Ends), [(Due::Idle, 75)]);
    }

    /// The notice to move is given once, also to a client that has much else to say, and
    /// not while nothing can be written.
    #[test]
    fn the_notice_to_move_is_given_once_and_in_its_turn() {
        let all: Vec<u64> = (0..100).collect();
        let mut deadlines = greeted();
        let at = deadlines.heard_at + Duration::from_secs(3);
        deadlines.moves_at(at);
        deadlines.moves_at(at + Duration::from_secs(1));
        assert_eq!(falls_due(&mut deadlines, &[], 30, Only::Ends), []);
        assert_eq!(falls_due(&mut deadlines, &all, 50, Only::All), [(Due::Move, 3)]);
    }
}
