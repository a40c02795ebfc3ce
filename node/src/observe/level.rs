//! How many of its everyday messages a node tells those who observe it.
//!
//! A node that sends and takes thousands of messages a second would spend its time telling of
//! them, and whoever observes it would drown. So at most [`TOLD_MAX`] a second are told: one in
//! 2^k, chosen by the number that a message has, so that its sender and its receiver choose the
//! same ones. Each node has a level of its own; a message is whole where both tell it.
//!
//! The rate is measured for about a second. The level rises as soon as too much is told, and
//! falls only when the rate is clearly below what would raise it again, so that it does not go
//! up and down.

use hangraft_proto::sampling::is_kept;

/// Everyday messages that a node tells in a second, sent and taken together. Of more it tells
/// one in 2^k.
pub(super) const TOLD_MAX: u64 = 2_000;

/// For how long the rate is measured, in microseconds; less when too much was told by then.
const MEASURED_US: u64 = 1_000_000;

/// Messages that come within a moment are taken for those of so many microseconds.
const MOMENT_US: u64 = 100_000;

/// The highest level.
const ONE_IN_MAX: u64 = 1 << 16;

/// How many are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    one_in: u64,
    /// When measuring began.
    since_us: u64,
    /// How many there were since, and how many of them were told.
    seen: u64,
    told: u64,
}

impl Level {
    /// All are told.
    pub(super) fn new() -> Self {
        Level { one_in: 1, since_us: 0, seen: 0, told: 0 }
    }

    /// One in so many is told; 1 means all.
    pub(super) fn one_in(&self) -> u64 {
        self.one_in
    }

    /// There is a message with this number; whether it is told.
    pub(super) fn keeps(&mut self, now_us: u64, number: u64) -> bool {
        let passed = now_us.saturating_sub(self.since_us);
        if passed >= MEASURED_US || self.told >= TOLD_MAX {
            let rate = self.seen.saturating_mul(1_000_000) / passed.max(MOMENT_US);
            *self = Level { one_in: self.after(rate), since_us: now_us, seen: 0, told: 0 };
        }
        self.seen += 1;
        let keeps = is_kept(number, self.one_in);
        self.told += u64::from(keeps);
        keeps
    }

    /// The level after some time with so many messages a second.
    fn after(&self, rate: u64) -> u64 {
        let least = level_of(rate);
        let calm = level_of(rate.saturating_add(rate / 3));
        if least > self.one_in { least } else { self.one_in.min(calm) }
    }
}

/// The level at which so many messages a second are not told too often.
fn level_of(rate: u64) -> u64 {
    let mut one_in = 1;
    while rate / one_in > TOLD_MAX && one_in < ONE_IN_MAX {
        one_in *= 2;
    }
    one_in
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some seconds with so many messages each; how many were told in each second, and the
    /// level then.
    fn lives(level: &mut Level, from_s: u64, seconds: u64, rate: u64) -> Vec<(u64, u64)> {
        let second = |second: u64| {
            let at = |i| second * 1_000_000 + i * 1_000_000 / rate;
            let told = (0..rate).filter(|i| level.keeps(at(*i), second * rate + i)).count();
            (told as u64, level.one_in())
        };
        (from_s..from_s + seconds).map(second).collect()
    }

    /// What a quiet cluster says is told whole.
    #[test]
    fn a_quiet_node_tells_everything() {
        let mut level = Level::new();
        for rate in [1, 40, 1_000, 1_999] {
            assert!(lives(&mut level, rate, 5, rate).iter().all(|told| *told == (rate, 1)));
        }
    }

    /// However many there are, it is not much more than two thousand a second that are told,
    /// and not much less than half of that; in the first second, too.
    #[test]
    fn a_busy_node_tells_so_many_and_not_more() {
        for rate in [2_500, 5_000, 20_000, 60_000, 300_000] {
            let mut level = Level::new();
            let told = lives(&mut level, 0, 6, rate);
            assert!(told[0].0 <= 3 * TOLD_MAX, "{rate}: {told:?}");
            let later = &told[2..];
            assert!(later.iter().all(|(told, _)| *told <= TOLD_MAX * 11 / 10), "{rate}: {told:?}");
            assert!(later.iter().all(|(told, _)| *told >= TOLD_MAX * 4 / 10), "{rate}: {told:?}");
            assert!(later.windows(2).all(|two| two[0].1 == two[1].1), "{rate}: {told:?}");
        }
    }

    /// A rate that goes up and down a little around a bound does not change the level each
    /// time; when it is quiet again everything is told.
    #[test]
    fn the_level_does_not_flutter() {
        let mut level = Level::new();
        let mut levels = Vec::new();
        for second in 0..20 {
            let rate = if second % 2 == 0 { 1_900 } else { 2_200 };
            levels.push(lives(&mut level, second, 1, rate)[0].1);
        }
        assert!(levels[3..].iter().all(|one_in| *one_in == 2), "{levels:?}");
        let quiet = lives(&mut level, 20, 3, 500);
        assert_eq!(quiet[2], (500, 1));
    }

    /// A burst after a long silence is not taken for the rate of that silence for long.
    #[test]
    fn a_burst_raises_the_level_at_once() {
        let mut level = Level::new();
        lives(&mut level, 0, 2, 100);
        let told = lives(&mut level, 600, 3, 40_000);
        assert!(told[0].0 <= 3 * TOLD_MAX, "{told:?}");
        assert_eq!(told[1].1, 32);
    }
}
