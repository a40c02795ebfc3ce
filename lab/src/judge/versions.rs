//! The sweep over versions.
//!
//! Every answer carries the version of its room, so the order of calls is known, and one pass
//! decides: nothing that began after a version was told may be ordered before it (Gibbons and
//! Korach, 1997, for the known order).

use crate::history::Moment;
use hangraft_ids::Version;

/// Something whose place in the order of a room's versions is known.
#[derive(Clone, Debug)]
pub struct Placed<W> {
    /// What it is, for the story.
    pub what: W,
    /// When it began.
    pub invoked: Moment,
    /// When somebody was told of it; [`Moment::MAX`] if nobody was.
    pub returned: Moment,
    /// The version it found.
    pub found: Version,
    /// The version it left: the next one if it made one, and otherwise the one it found.
    pub left: Version,
}

/// Something that is ordered before what had been told when it began.
#[derive(Debug)]
pub struct Late<'a, W> {
    /// What found an old version.
    pub late: &'a Placed<W>,
    /// What had been told of a newer one before.
    pub told: &'a Placed<W>,
}

/// Whether one order by versions explains everything that happened to one room.
///
/// # Errors
/// With the first, in the order they began, that found less than had been told before.
pub fn sweep<W>(placed: &[Placed<W>]) -> Result<(), Late<'_, W>> {
    let mut by_invocation: Vec<&Placed<W>> = placed.iter().collect();
    by_invocation.sort_by_key(|placed| placed.invoked);
    let mut by_return = by_invocation.clone();
    by_return.sort_by_key(|placed| placed.returned);
    let mut returns = by_return.into_iter().peekable();
    let mut newest: Option<&Placed<W>> = None;
    for late in by_invocation {
        while let Some(earlier) = returns.next_if(|earlier| earlier.returned < late.invoked) {
            if newest.is_none_or(|newest| earlier.left > newest.left) {
                newest = Some(earlier);
            }
        }
        if let Some(told) = newest
            && late.found < told.left
        {
            return Err(Late { late, told });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(invoked: Moment, returned: Moment, found: u64, left: u64) -> Placed<()> {
        Placed { what: (), invoked, returned, found: Version(found), left: Version(left) }
    }

    #[test]
    fn a_version_told_is_the_least_that_later_ones_find() {
        assert!(sweep(&[placed(1, 4, 0, 1), placed(2, 3, 1, 2), placed(5, 6, 2, 2)]).is_ok());
        assert!(sweep(&[placed(1, 2, 4, 5), placed(3, 4, 4, 4)]).is_err());
        assert!(sweep(&[placed(1, 9, 4, 5), placed(3, 4, 4, 4)]).is_ok());
    }
}
