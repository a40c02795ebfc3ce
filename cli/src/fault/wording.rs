//! How faults are told to people. Plain code.

use std::time::Duration;

use hangraft_proto::v1::{Delay, Traffic, fault::What, link_fault::Trouble};

/// Below this a time is told in seconds with a fraction.
const MINUTE_MS: u64 = 60_000;

/// What a trouble of a link is called.
pub(super) fn trouble(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Cut(_) => "cut".into(),
        Trouble::Delay(Delay { ms, jitter_ms }) => format!("delay of {}", range(*ms, *jitter_ms)),
        Trouble::Loss(loss) => format!("loss of {}", percent(loss.ppm)),
        Trouble::Duplicate(twice) => format!("{} sent twice", percent(twice.ppm)),
        Trouble::Reorder(late) => format!("{} out of order", percent(late.ppm)),
        Trouble::Bandwidth(narrow) => format!("{} bytes/s", narrow.bytes_per_s),
    }
}

/// Of which traffic, if not of all.
pub(super) fn only(traffic: Traffic) -> &'static str {
    match traffic {
        Traffic::All => "",
        Traffic::Streams => ", streams only",
        Traffic::Datagrams => ", gossip only",
    }
}

/// What the trouble of a whole node is called. One of a link is told with its ends.
pub(super) fn what(what: &What) -> String {
    match what {
        What::Link(_) => "links".into(),
        What::SlowDisk(slow) => format!("disk slower by {}", range(slow.ms, slow.jitter_ms)),
        What::FailFsync(_) => "failing fsync".into(),
        What::FullDisk(_) => "full disk".into(),
        What::LoseUnsynced(_) => "unsynced writes lost at the next crash".into(),
        What::Skew(skew) => {
            let way = if skew.ms < 0 { "behind" } else { "ahead" };
            format!("clock {} {way}", span(skew.ms.unsigned_abs()))
        }
    }
}

/// How it ends, to be put behind what it is.
pub(super) fn end(for_ms: Option<u64>) -> String {
    match for_ms {
        Some(ms) => format!(", for {}; heals by itself", span(ms)),
        None => "; `hangraft fault heal` ends it".into(),
    }
}

/// A time as people say it.
pub(super) fn span(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..MINUTE_MS if ms.is_multiple_of(1_000) => format!("{} s", ms / 1_000),
        1_000..MINUTE_MS => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => humantime::format_duration(Duration::from_secs(ms / 1_000)).to_string(),
    }
}

fn range(ms: u64, jitter_ms: u64) -> String {
    match jitter_ms {
        0 => span(ms),
        _ => format!("{ms} to {} ms", ms.saturating_add(jitter_ms)),
    }
}

/// Parts of a million as parts of a hundred.
fn percent(ppm: u32) -> String {
    let (whole, rest) = (ppm / 10_000, ppm % 10_000);
    if rest == 0 {
        return format!("{whole} %");
    }
    let digits = format!("{rest:04}");
    format!("{whole}.{} %", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use hangraft_proto::v1::{
        Bandwidth, Cut, Duplicate, FailFsync, FullDisk, LoseUnsynced, Loss, Reorder, Skew, SlowDisk,
    };

    use super::*;

    #[test]
    fn troubles_of_links_have_names() {
        for (one, told) in [
            (Trouble::Cut(Cut {}), "cut"),
            (Trouble::Delay(Delay { ms: 100, jitter_ms: 0 }), "delay of 100 ms"),
            (Trouble::Delay(Delay { ms: 100, jitter_ms: 20 }), "delay of 100 to 120 ms"),
            (Trouble::Loss(Loss { ppm: 200_000 }), "loss of 20 %"),
            (Trouble::Duplicate(Duplicate { ppm: 5_000 }), "0.5 % sent twice"),
            (Trouble::Reorder(Reorder { ppm: 50_000 }), "5 % out of order"),
            (Trouble::Bandwidth(Bandwidth { bytes_per_s: 20_000 }), "20000 bytes/s"),
        ] {
            assert_eq!(trouble(&one), told);
        }
    }

    #[test]
    fn troubles_of_nodes_have_names() {
        for (one, told) in [
            (What::SlowDisk(SlowDisk { ms: 50, jitter_ms: 0 }), "disk slower by 50 ms"),
            (What::SlowDisk(SlowDisk { ms: 50, jitter_ms: 10 }), "disk slower by 50 to 60 ms"),
            (What::FailFsync(FailFsync {}), "failing fsync"),
            (What::FullDisk(FullDisk {}), "full disk"),
            (What::LoseUnsynced(LoseUnsynced {}), "unsynced writes lost at the next crash"),
            (What::Skew(Skew { ms: 3_600_000 }), "clock 1h ahead"),
            (What::Skew(Skew { ms: -500 }), "clock 500 ms behind"),
        ] {
            assert_eq!(what(&one), told);
        }
    }

    #[test]
    fn times_and_shares_are_short() {
        for (ms, told) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_000, "1 s"),
            (1_550, "1.5 s"),
            (59_999, "59.9 s"),
            (60_000, "1m"),
            (90_700, "1m 30s"),
            (3_600_000, "1h"),
        ] {
            assert_eq!(span(ms), told);
        }
        for (ppm, told) in [(1, "0.0001 %"), (12_500, "1.25 %"), (1_000_000, "100 %")] {
            assert_eq!(percent(ppm), told);
        }
    }

    #[test]
    fn a_fault_ends_by_itself_or_by_a_command() {
        for (for_ms, told) in [
            (Some(10_000), ", for 10 s; heals by itself"),
            (None, "; `hangraft fault heal` ends it"),
        ] {
            assert_eq!(end(for_ms), told);
        }
    }
}
