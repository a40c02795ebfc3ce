//! Voters are odd in number: one more than an odd number tolerates no more failures, and makes
//! every majority larger.

/// Whether the voters of a membership are odd in number. While they change there are two lists
/// (joint consensus, thesis section 4.3), which were looked at or will be.
///
/// # Errors
/// In words, to follow upon "the membership".
pub fn is_odd(lists: impl ExactSizeIterator<Item = usize>) -> Result<(), String> {
    let mut lists = lists;
    match (lists.next(), lists.next()) {
        (Some(voters), None) if voters.is_multiple_of(2) => Err(format!("has {voters} voters")),
        _ => Ok(()),
    }
}
