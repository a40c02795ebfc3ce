//! What Linux says of processes and of its own memory, read from its text. Plain code.
//!
//! The processor time is utime + stime of `/proc/PID/stat`: it has the time of threads that
//! have ended as well, which `/proc/PID/task/*/schedstat` has not, and a resolution of 10 ms,
//! which is little beside the seconds of a measurement.

/// Linux counts the time of processes in hundredths of a second (`USER_HZ`, see proc(5)).
pub(in crate::bench) const TICKS_PER_SECOND: f64 = 100.0;

/// The fields utime and stime of `/proc/PID/stat`, in ticks. The name before them may have
/// blanks in it.
pub(in crate::bench) fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

/// What of a process is in memory, in KiB: `VmRSS` of `/proc/PID/status`.
pub(super) fn rss_kib(status: &str) -> Option<u64> {
    kib(status, "VmRSS")
}

/// What the kernel holds for all its objects, in KiB: `Slab` of `/proc/meminfo`.
pub(super) fn slab_kib(meminfo: &str) -> Option<u64> {
    kib(meminfo, "Slab")
}

/// A line such as `Slab:   123 kB`. What Linux calls kB is KiB.
fn kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_process_is_read() {
        let stat = "12 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(ticks("12 (x"), None);
    }

    #[test]
    fn memory_is_read() {
        let status = "Name:\tVmRSS\nVmPeak:\t  900 kB\nVmRSS:\t   4321 kB\nThreads:\t1\n";
        assert_eq!(rss_kib(status), Some(4321));
        assert_eq!(rss_kib("Name:\tkthreadd\n"), None, "it has none");
        let meminfo = "MemTotal: 7 kB\nSlab:             456 kB\nSReclaimable: 3 kB\n";
        assert_eq!(slab_kib(meminfo), Some(456));
        assert_eq!(slab_kib("Slab: many kB"), None);
    }
}
