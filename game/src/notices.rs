//! What players are told, wherever they are: each has a mailbox of numbered notices.
//!
//! A mailbox keeps the last [`NOTICES_MAX`]; a client that has seen one number asks for
//! what came after it, and knows by the numbers whether something is lost. Mailboxes
//! that nothing was put into for the longest time are forgotten when there are too many.
//! A mailbox that begins anew counts from a number above all that were ever given, so
//! that what a client has seen of the one before it is never taken for the same.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::command::Wanted;
use crate::digest::{self, Kind};
use hangraft_ids::{NoticeNumber, OfferId, PlayerId, RoomId, Seat};

/// Notices kept for each player. The oldest goes when there is one more.
const NOTICES_MAX: usize = 64;

/// Mailboxes. One more takes the place of that which has been silent the longest.
const MAILBOXES_MAX: usize = 100_000;

/// How good a player is at a game.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// The rating, as players know it.
    pub points: u16,
    /// Too few games so far to mean much.
    pub provisional: bool,
}

/// The other one in a game of two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Other {
    /// Who.
    pub player: PlayerId,
    /// Under which name.
    pub name: Arc<str>,
}

/// One thing that a player is told. New kinds are added at the end: snapshots hold notices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// An offer of theirs, or one that they took, has become a game.
    Matched {
        /// Which.
        offer: OfferId,
        /// Where they play.
        room: RoomId,
        /// Where they sit.
        seat: Seat,
        /// With whom.
        other: Other,
        /// How good that one is; none for a bot.
        rating: Option<Rating>,
        /// What is played.
        wanted: Wanted,
    },
    /// An offer of theirs has ended without a game.
    Unmatched {
        /// Which.
        offer: OfferId,
        /// Why.
        why: Why,
    },
    /// Somebody asks them for a game.
    Challenged {
        /// Which offer.
        offer: OfferId,
        /// Who.
        other: Other,
        /// How good that one is.
        rating: Rating,
        /// What is to be played.
        wanted: Wanted,
    },
    /// A challenge to them does not stand any more.
    Unchallenged {
        /// Which.
        offer: OfferId,
    },
    /// It is their turn in a match that they do not look at.
    Turn {
        /// Where.
        room: RoomId,
        /// What is played.
        game: Arc<str>,
        /// Against whom.
        other: Other,
    },
    /// The other one wants to play again, in a room that they do not look at.
    Rematch {
        /// Where.
        room: RoomId,
        /// What is played.
        game: Arc<str>,
        /// Who.
        other: Other,
    },
    /// A match that they do not look at has ended.
    Over {
        /// Where.
        room: RoomId,
        /// What was played.
        game: Arc<str>,
        /// Against whom.
        other: Other,
        /// How it has ended for them.
        score: Score,
    },
}

/// Why an offer has ended without a game. New ones are added at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// Nobody came for too long.
    Expired,
    /// Whose it was took it back.
    Withdrawn,
    /// All their sockets were gone for too long.
    Gone,
    /// Another offer of theirs has become a game.
    Elsewhere,
    /// Who was asked does not want to.
    Declined,
    /// They sit at too many tables, or there is no place for another room.
    Full,
}

/// How a game has ended for one of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Score {
    /// They have won.
    Won,
    /// The other one has.
    Lost,
    /// Neither has.
    Drawn,
}

impl Why {
    /// As it is told.
    pub fn as_str(self) -> &'static str {
        match self {
            Why::Expired => "expired",
            Why::Withdrawn => "withdrawn",
            Why::Gone => "gone",
            Why::Elsewhere => "elsewhere",
            Why::Declined => "declined",
            Why::Full => "full",
        }
    }
}

impl Score {
    /// As it is told.
    pub fn as_str(self) -> &'static str {
        match self {
            Score::Won => "won",
            Score::Lost => "lost",
            Score::Drawn => "draw",
        }
    }
}

/// What a player was told after some number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// In order and without a hole.
    pub notices: Vec<(NoticeNumber, Notice)>,
    /// The player's newest; 0 for one who was never told anything.
    pub newest: NoticeNumber,
    /// Some are lost between what was asked for and these.
    pub resync: bool,
}

/// Everybody's notices.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notices {
    boxes: OrdMap<PlayerId, Arc<Mailbox>>,
    /// Notices ever, in all mailboxes.
    posted: u64,
    /// The mailboxes by the time something was last put into them.
    by_age: BTreeSet<(u64, PlayerId)>,
    /// Sum of the mailboxes' digests.
    sum: u64,
}

/// One player's.
///
/// Invariant: it is not empty, and the newest notice has the number `newest`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Mailbox {
    newest: NoticeNumber,
    /// The number before its first.
    begun_after: NoticeNumber,
    /// When something was last put into it, in lobby time.
    at_ms: u64,
    notices: VecDeque<Notice>,
    #[serde(skip)]
    digest: u64,
}

/// A mailbox as a snapshot holds it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredMailbox {
    player: PlayerId,
    content: Arc<Mailbox>,
}

/// The mailboxes as a snapshot sees them: cheap to take, and at rest.
#[derive(Clone, Debug)]
pub(crate) struct FrozenNotices {
    boxes: OrdMap<PlayerId, Arc<Mailbox>>,
    pub(crate) posted: u64,
}

impl Notices {
    /// Tells a player something.
    pub(crate) fn post(&mut self, player: PlayerId, notice: Notice, now_ms: u64) {
        self.posted = self.posted.saturating_add(1);
        let before = self.take(player).unwrap_or_else(|| {
            if self.boxes.len() >= MAILBOXES_MAX {
                self.forget_one();
            }
            let begun_after = NoticeNumber(self.posted - 1);
            Arc::new(Mailbox { newest: begun_after, begun_after, ..Mailbox::default() })
        });
        let mut mailbox = Arc::unwrap_or_clone(before);
        mailbox.newest = mailbox.newest.next();
        mailbox.at_ms = now_ms;
        mailbox.notices.push_back(notice);
        if mailbox.notices.len() > NOTICES_MAX {
            mailbox.notices.pop_front();
        }
        self.put(player, mailbox);
    }

    /// What a player was told after the one with this number, 0 for all there is. Without
    /// one, nothing of what was before.
    pub(crate) fn after(&self, player: PlayerId, since: Option<NoticeNumber>) -> Told {
        let Some(mailbox) = self.boxes.get(&player) else {
            let resync = since.is_some_and(|since| since != NoticeNumber(0));
            return Told { resync, ..Told::default() };
        };
        let newest = mailbox.newest;
        let Some(since) = since else { return Told { newest, ..Told::default() } };
        let oldest = newest.0 + 1 - mailbox.notices.len() as u64;
        // Who has seen nothing yet has missed nothing of a mailbox of before.
        let seen = if since.0 == 0 { mailbox.begun_after } else { since };
        let resync = seen > newest || seen.next().0 < oldest;
        let numbered = (oldest..).map(NoticeNumber).zip(mailbox.notices.iter().cloned());
        let notices = numbered.filter(|(number, _)| resync || *number > since).collect();
        Told { notices, newest, resync }
    }

    pub(crate) fn digest(&self) -> u64 {
        self.sum.wrapping_add(self.digest_of_count())
    }

    pub(crate) fn recompute_digest(&self) -> u64 {
        let mut scratch = Vec::new();
        let digests =
            self.boxes.iter().map(|(id, content)| content.compute_digest(*id, &mut scratch));
        digests.fold(self.digest_of_count(), u64::wrapping_add)
    }

    pub(crate) fn freeze(&self) -> FrozenNotices {
        FrozenNotices { boxes: self.boxes.clone(), posted: self.posted }
    }

    pub(crate) fn restore_count(&mut self, posted: u64) {
        self.posted = posted;
    }

    pub(crate) fn restore(&mut self, stored: StoredMailbox) -> Result<(), &'static str> {
        let StoredMailbox { player, content } = stored;
        let known = content.notices.len() as u64;
        let told = content.newest.0.checked_sub(content.begun_after.0);
        if known == 0 || known > NOTICES_MAX as u64 || told.is_none_or(|told| told < known) {
            return Err("a mailbox holds what it cannot");
        }
        if self.boxes.contains_key(&player) || self.boxes.len() >= MAILBOXES_MAX {
            return Err("a mailbox is there twice, or there are too many");
        }
        self.put(player, Arc::unwrap_or_clone(content));
        Ok(())
    }

    fn digest_of_count(&self) -> u64 {
        if self.posted == 0 { 0 } else { digest::of_numbers(Kind::Notices, [self.posted]) }
    }

    fn forget_one(&mut self) {
        if let Some((_, player)) = self.by_age.first().copied() {
            self.take(player);
        }
    }

    fn take(&mut self, player: PlayerId) -> Option<Arc<Mailbox>> {
        let mailbox = self.boxes.remove(&player)?;
        self.sum = self.sum.wrapping_sub(mailbox.digest);
        self.by_age.remove(&(mailbox.at_ms, player));
        Some(mailbox)
    }

    fn put(&mut self, player: PlayerId, mut mailbox: Mailbox) {
        mailbox.digest = mailbox.compute_digest(player, &mut Vec::new());
        self.sum = self.sum.wrapping_add(mailbox.digest);
        self.by_age.insert((mailbox.at_ms, player));
        self.boxes.insert(player, Arc::new(mailbox));
    }
}

impl Mailbox {
    fn compute_digest(&self, player: PlayerId, scratch: &mut Vec<u8>) -> u64 {
        digest::of_value(Kind::Mailbox, &(player, self), scratch)
    }
}

impl FrozenNotices {
    /// Every mailbox, in an order that is always the same.
    pub(crate) fn into_parts(self) -> impl Iterator<Item = StoredMailbox> + Send + 'static {
        self.boxes.into_iter().map(|(player, content)| StoredMailbox { player, content })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: PlayerId = PlayerId(1);
    const BEN: PlayerId = PlayerId(2);

    fn notice(offer: u64) -> Notice {
        Notice::Unchallenged { offer: OfferId(offer) }
    }

    fn numbers(told: &Told) -> Vec<u64> {
        told.notices.iter().map(|(number, _)| number.0).collect()
    }

    fn after(notices: &Notices, player: PlayerId, since: u64) -> (Vec<u64>, bool) {
        let told = notices.after(player, Some(NoticeNumber(since)));
        (numbers(&told), told.resync)
    }

    /// Each is told once, in order; and who has missed too many is told so.
    #[test]
    fn notices_are_numbered_without_holes() {
        let mut notices = Notices::default();
        assert_eq!(notices.after(ANN, None), Told::default());
        assert_eq!(after(&notices, ANN, 0), (vec![], false));
        assert_eq!(after(&notices, ANN, 9), (vec![], true), "of a cluster before this one");
        (1..=3).for_each(|offer| notices.post(ANN, notice(offer), 5));
        assert_eq!(after(&notices, ANN, 0), (vec![1, 2, 3], false));
        assert_eq!(after(&notices, ANN, 2), (vec![3], false));
        assert_eq!(after(&notices, ANN, 3), (vec![], false));
        assert_eq!(after(&notices, ANN, 4), (vec![1, 2, 3], true));
        assert_eq!(notices.after(ANN, None).newest, NoticeNumber(3));
        (4..=70).for_each(|offer| notices.post(ANN, notice(offer), 6));
        assert_eq!(after(&notices, ANN, 6).0.len(), NOTICES_MAX);
        assert!(!after(&notices, ANN, 6).1 && after(&notices, ANN, 5).1);
        assert_eq!(notices.digest(), notices.recompute_digest());
    }

    /// A mailbox that was forgotten begins above all that was ever told.
    #[test]
    fn a_mailbox_that_begins_anew_is_not_taken_for_the_one_before() {
        let mut notices = Notices::default();
        (0..5).for_each(|offer| notices.post(BEN, notice(offer), 1));
        notices.post(ANN, notice(9), 2);
        assert_eq!(after(&notices, ANN, 0), (vec![6], false));
        assert_eq!(after(&notices, ANN, 1), (vec![6], true));
        notices.forget_one();
        notices.post(BEN, notice(7), 3);
        assert_eq!(after(&notices, BEN, 5), (vec![7], true));
        assert_eq!(notices.digest(), notices.recompute_digest());
    }
}
