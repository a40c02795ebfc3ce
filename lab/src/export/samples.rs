//! Timelines for tests, which the Go program's tests read too, as they were exported.

use crate::timeline::Line;

/// One that kept what is promised.
pub(super) const RIGHT: &str =
    include_str!("../../../scripts/faults/porcupine/testdata/right.jsonl");

/// The same, but for a linearizable read in one room that misses an acknowledged line.
pub(super) const WRONG: &str =
    include_str!("../../../scripts/faults/porcupine/testdata/wrong.jsonl");

/// The lines of a timeline's text.
pub(super) fn read(text: &str) -> Vec<Line> {
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}
