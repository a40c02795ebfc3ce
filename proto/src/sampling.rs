//! Which messages between nodes are told to those who observe them, where there are too many
//! to tell all.
//!
//! Sender and receiver of a message choose by its number, so that they choose the same ones.
//! Numbers are spread first (Knuth, volume 3, section 6.4: multiplicative hashing). A leader
//! with two followers speaks to them by turns, and of every second number one of them would
//! have all.

/// Two to the 64th, divided by the golden ratio.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Whether a message with this number is told by a node that tells one in so many. What is
/// told of fewer is told of more; 0 and 1 mean all.
pub fn is_kept(number: u64, one_in: u64) -> bool {
    number.wrapping_mul(SPREAD) <= u64::MAX / one_in.max(1)
}

/// Whether a message of this kind may be left out: nodes say it all the time. Votes,
/// snapshots and transfers of leadership are always told.
pub fn is_everyday(what: &str) -> bool {
    matches!(what, "append" | "heartbeat" | "read-index")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One in so many is told, whichever numbers one looks at: all, every second, every fifth.
    #[test]
    fn every_way_between_two_nodes_has_its_share() {
        for one_in in [2, 4, 8, 64] {
            for (step, first) in [(1, 0), (2, 0), (2, 1), (4, 3), (5, 2), (64, 0)] {
                let numbers = (0..64_000).map(|i| first + i * step);
                let kept = numbers.filter(|number| is_kept(*number, one_in)).count() as u64;
                let share = 64_000 / one_in;
                assert!(kept.abs_diff(share) <= share / 10, "{one_in} {step} {first}: {kept}");
            }
        }
    }

    /// A node that tells more tells all that one with a higher level tells.
    #[test]
    fn a_higher_level_leaves_out_more() {
        for number in 0..10_000 {
            assert!(is_kept(number, 0) && is_kept(number, 1));
            for k in 1..10 {
                assert!(is_kept(number, 1 << (k - 1)) || !is_kept(number, 1 << k));
            }
        }
    }
}
