//! Promises about nodes: what they told of themselves.

use crate::story::Story;

#[test]
fn two_leaders_of_one_term_are_found() {
    let one = Story::new().role(10, 1, 7, "leader").role(12, 2, 7, "follower");
    let finding = one.clone().role(20, 2, 7, "leader").breaks("one_leader", 20);
    assert_eq!(finding.text, "n1 led term 7 at 0.010 s. n2 led the same term at 0.020 s.");
    // Another term, and the same leader once more.
    one.role(20, 2, 8, "leader").role(25, 1, 7, "leader").is_right();
}

#[test]
fn two_states_at_one_index_are_found() {
    let one = Story::new().log(10, 1, 100, "aa").log(12, 2, 100, "aa").log(15, 2, 101, "bb");
    let finding = one.clone().log(20, 3, 101, "cc").breaks("same_hash", 20);
    assert_eq!(
        finding.text,
        "At index 101 the state of n2 had the hash bb at 0.015 s, and that of n3 had the hash cc at \
         0.020 s."
    );
    // One node, before and after it was started again.
    one.clone().log(20, 2, 101, "cc").breaks("same_hash", 20);
    // A node that tells no hash tells nothing wrong.
    one.log(20, 3, 101, "").log(21, 3, 102, "cc").is_right();
}

#[test]
fn an_even_number_of_voters_is_found() {
    let finding = Story::new().members(10, 1, 5, &[&[1, 2]]).breaks("membership", 10);
    assert_eq!(
        finding.text,
        "n1 told at 0.010 s that at index 5 the voters are n1 n2. The membership has 2 voters."
    );
    // On the way from one list to another, and while a node knows nothing.
    Story::new()
        .members(10, 1, 5, &[&[1, 2, 3], &[2, 3, 4]])
        .members(11, 1, 6, &[&[]])
        .members(12, 2, 7, &[&[2, 3, 4]])
        .is_right();
}

#[test]
fn two_memberships_at_one_index_are_found() {
    let one = Story::new().members(10, 1, 5, &[&[1, 2, 3]]).log(11, 1, 5, "");
    let other = one.clone().members(20, 2, 5, &[&[1, 2, 4]]);
    let finding = other.clone().log(30, 2, 6, "").breaks("membership", 30);
    assert!(finding.text.contains("at index 5 the voters are n1 n2 n4"), "{}", finding.text);
    one.members(20, 2, 5, &[&[3, 2, 1]]).log(30, 2, 6, "").is_right();
}

/// A leader that was cut off wrote a membership that was never committed (thesis, section 4.1):
/// it gives way to the one that was.
#[test]
fn a_membership_that_was_never_committed_is_not_compared() {
    let cut = Story::new().log(5, 2, 4, "").members(10, 2, 5, &[&[1, 2, 4]]);
    let rest = cut.members(11, 1, 5, &[&[1, 2, 3]]).log(12, 1, 5, "");
    rest.members(20, 2, 5, &[&[1, 2, 3]]).log(20, 2, 6, "").is_right();
}

/// Whoever starts again from a snapshot that names members of former times asks those who have
/// left for their votes.
#[test]
fn a_node_that_goes_back_to_earlier_members_is_found() {
    let left = Story::new().members(10, 1, 5, &[&[1, 2, 3]]).log(11, 1, 5, "");
    let left = left.members(20, 1, 9, &[&[1]]).log(21, 1, 9, "");
    // Its log is told a moment before its members.
    left.clone().members(25, 2, 5, &[&[1, 2, 3]]).log(30, 2, 9, "").log(500, 2, 9, "").is_right();
    let back = left.members(1_000, 1, 5, &[&[1, 2, 3]]).log(1_001, 1, 9, "");
    back.is_right();
    let finding = back.log(1_501, 1, 12, "").breaks("membership", 1_501);
    assert!(finding.text.ends_with("up to index 12 at 1.501 s."), "{}", finding.text);
}
