//! Lobby time passes no faster than the world's, whoever leads and whatever wall clocks
//! show: a leap would take players for gone, empty rooms too soon and forget paces.

use super::truth::Truth;
use super::{Broken, Verdict};
use crate::clock::MILLI;

pub(super) const NAME: &str = "lobby_time";

/// How much too fast the fastest clock is, in percent; see the plan.
pub(super) const FASTER_PERCENT: u64 = 5;

/// The world's time is `now`, in nanoseconds since it began.
pub(super) fn see(truth: &Truth, now: u64) -> Verdict {
    // Counted from the first batch whose leader measured: before, a cluster that does
    // not know yet what its members can read lets wall clocks decide.
    let Some(passed_ms) = truth.measured_ms() else { return Ok(()) };
    let now_ms = now / MILLI;
    let most_ms = now_ms + now_ms * FASTER_PERCENT / 100 + 1;
    if passed_ms <= most_ms {
        return Ok(());
    }
    let how = format!(
        "by index {}, {passed_ms} ms have passed in the lobby, and {now_ms} ms in the world",
        truth.len()
    );
    Err(Broken::new(NAME, how))
}
