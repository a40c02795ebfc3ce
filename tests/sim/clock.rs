//! The clock of a simulated process: `process.c` keeps it, this moves it.

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime, clock_settime};

/// With this in its environment a process is simulated; the value is its seed.
pub(crate) const SEED_VARIABLE: &str = "HANGRAFT_SIMULATED_SEED";

/// What monotonic clocks show when a world begins, in nanoseconds. Far from 0, so
/// that code may subtract.
pub(crate) const MONOTONIC_BEGIN: u64 = 1_000_000 * SECOND;

/// What wall clocks show when a world begins: the beginning of 2027.
pub(crate) const WALL_BEGIN: u64 = 1_798_761_600 * SECOND;

pub(crate) const SECOND: u64 = 1_000_000_000;
pub(crate) const MILLI: u64 = 1_000_000;
pub(crate) const MICRO: u64 = 1_000;

/// Whether this process is a simulated one.
pub(crate) fn is_simulated() -> bool {
    std::env::var_os(SEED_VARIABLE).is_some()
}

/// Moves both clocks, to nanoseconds.
pub(crate) fn set(monotonic: u64, wall: u64) {
    write(ClockId::CLOCK_MONOTONIC, monotonic);
    write(ClockId::CLOCK_REALTIME, wall);
}

/// Forgets who wanted to wait until when.
pub(crate) fn clear_alarm() {
    write(ClockId::CLOCK_BOOTTIME_ALARM, 0);
}

/// Until when, in monotonic nanoseconds, the process wanted to wait when it last
/// did; nothing if it did not since [`clear_alarm`].
pub(crate) fn alarm() -> Option<u64> {
    let at = clock_gettime(ClockId::CLOCK_BOOTTIME_ALARM).expect("process.c keeps this clock");
    let at = at.tv_sec().cast_unsigned() * SECOND + at.tv_nsec().cast_unsigned();
    (at > 0).then_some(at)
}

/// What monotonic clocks show, in nanoseconds.
pub(crate) fn monotonic() -> u64 {
    let at = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("process.c keeps this clock");
    at.tv_sec().cast_unsigned() * SECOND + at.tv_nsec().cast_unsigned()
}

fn write(clock: ClockId, nanos: u64) {
    let (seconds, rest) = ((nanos / SECOND).cast_signed(), (nanos % SECOND).cast_signed());
    clock_settime(clock, TimeSpec::new(seconds, rest)).expect("process.c keeps this clock");
}

/// The clock of one machine: it may run fast or slow, stand still, and show a wrong
/// time of day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DriftingClock {
    /// How many nanoseconds it counts in a million of the world's.
    rate: u64,
    /// The world's time, and the clock's, when its rate last changed.
    since: (u64, u64),
    /// How wrong its time of day is, in nanoseconds.
    skew: i64,
}

const EVEN: u64 = 1_000_000;

impl DriftingClock {
    /// A clock that is `drift_ppm` too fast, with a time of day that is `skew` off.
    pub(crate) fn new(drift_ppm: i64, skew: i64) -> Self {
        let rate = EVEN.checked_add_signed(drift_ppm).expect("no clock runs backwards");
        DriftingClock { rate, since: (0, MONOTONIC_BEGIN), skew }
    }

    /// What it shows, monotonic and of the day, when the world's time is `now`.
    pub(crate) fn at(&self, now: u64) -> (u64, u64) {
        let passed = u128::from(now - self.since.0) * u128::from(self.rate) / u128::from(EVEN);
        let monotonic = self.since.1 + u64::try_from(passed).expect("no world lasts that long");
        let wall = (WALL_BEGIN + (monotonic - MONOTONIC_BEGIN)).saturating_add_signed(self.skew);
        (monotonic, wall)
    }

    /// The first moment of the world at which it shows `monotonic` or more.
    pub(crate) fn when(&self, monotonic: u64) -> u64 {
        let ahead = u128::from(monotonic.saturating_sub(self.since.1));
        let wait = (ahead * u128::from(EVEN)).div_ceil(u128::from(self.rate));
        self.since.0.saturating_add(u64::try_from(wait).unwrap_or(u64::MAX))
    }

    /// Sets it back to what it showed at `then`, as if it had stood still since.
    pub(crate) fn stood_still(&mut self, then: u64, now: u64) {
        self.since = (now, self.at(then).0);
    }

    /// Its time of day jumps.
    pub(crate) fn jump(&mut self, by: i64) {
        self.skew = self.skew.saturating_add(by);
    }
}
