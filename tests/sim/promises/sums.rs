//! What each promise says, how often the judge of a day looked at it, and what was played.

use super::{
    Judge, both_agree, committed, disks, flags, in_order, linearizable, lobby_time, matched_once,
    membership, none_twice, nothing_lost, notices, numbers, one_leader, recovery, same_hash,
    secrets, settings, steps,
};
use hangraft_lab::timeline::Judged;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::AddAssign;

/// What strangers have played on a day, or on many.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Played {
    /// Games that somebody was brought to.
    matches: u64,
    /// Rounds of them that were decided.
    decided: u64,
    /// Clocks that ran out.
    flags: u64,
    /// Offers that ended, each for whom it did.
    offers: u64,
    /// Notices that somebody was told.
    notices: u64,
}

impl AddAssign for Played {
    fn add_assign(&mut self, more: Self) {
        self.matches += more.matches;
        self.decided += more.decided;
        self.flags += more.flags;
        self.offers += more.offers;
        self.notices += more.notices;
    }
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} matches with {} rounds decided, {} of them by a clock, {} offers ended, {} notices",
            self.matches, self.decided, self.flags, self.offers, self.notices
        )
    }
}

impl Judge {
    /// What strangers have played.
    pub(crate) fn played(&self) -> Played {
        Played {
            matches: self.pairs.seen(),
            decided: self.numbers.matches(),
            flags: self.flags.fallen(),
            offers: self.ends.len() as u64,
            notices: self.told,
        }
    }

    /// All promises, with how often each was looked at, and whether it was kept.
    pub(crate) fn judged(&self) -> Vec<Judged> {
        let answered = self.history.wishes.iter().filter(|wish| wish.returned.is_some()).count();
        let (reads, wishes) = (self.history.reads.len() as u64, self.history.wishes.len() as u64);
        let ended = u64::from(self.ended);
        let (looks, ended_offers) = (self.looks, self.ends.len() as u64);
        [
            (one_leader::NAME, "A term has at most one leader.", looks),
            (committed::NAME, "Committed entries never change.", looks),
            (same_hash::NAME, "Replicas that applied the same entries are the same.", looks),
            (membership::NAME, "Voters are as the log says, odd, changed step by step.", looks),
            (lobby_time::NAME, "Time in the lobby passes no faster than the world's.", looks),
            (nothing_lost::NAME, "What is acknowledged is on a majority's disks.", answered as u64),
            (none_twice::NAME, "The same wish sent twice has one effect.", ended * wishes),
            (in_order::NAME, "Views come in order, and only after the commit.", self.pushes),
            (steps::NAME, "Who is told in steps sees the same.", self.in_steps),
            (linearizable::NAME, "Reads show all that was acknowledged before.", ended * reads),
            (secrets::NAME, "Nobody is sent a word that they may not see.", self.frames),
            (disks::NAME, "A disk keeps what it promised, or its id is spent.", answered as u64),
            (settings::NAME, "Nodes say what was set.", ended),
            (matched_once::NAME, "An offer ends once, by a match or without.", ended_offers),
            (both_agree::NAME, "Both of a match are told the same.", self.pairs.seen()),
            (notices::NAME, "What players are told comes once and in order.", self.told),
            (flags::NAME, "Nobody loses by a clock while nobody leads.", self.flags.fallen()),
            (numbers::NAME, "The numbers are those of the log.", ended),
            (recovery::NAME, "After the last fault everything works again.", ended),
        ]
        .map(|(promise, says, checked)| Judged {
            promise: promise.to_owned(),
            says: says.to_owned(),
            checked,
            kept: self.verdict.as_ref().is_none_or(|broken| broken.promise != promise),
        })
        .into()
    }
}
