//! A room's terms: whose it is, who may sit, who is away, who wants another round.
//!
//! All of this is the same for every game. [`crate::room`] asks and changes it; time
//! comes in as lobby time.
//!
//! ```text
//! seated:   expected --(heard to be here)--> here --(heard to have gone)--> away
//!           expected --(not heard of for 10 s)----------------------------> away
//!           away --(60 s)--> free: the seat may be taken, and is still theirs until it is
//! ```
//!
//! Rooms that were opened before there were terms have none; they are played as they
//! were then until they leave, so that replicas of both kinds of build agree.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use hangraft_ids::PlayerId;

/// How long a seat is kept for a player who is not here, in lobby time. After it
/// somebody else may take the seat.
pub(crate) const SEAT_KEPT_MS: u64 = 60_000;

/// How long somebody who sat down counts as here without being heard of. A frontend
/// tells within a second.
const EXPECTED_MS: u64 = 10_000;

/// How long the first who wants another round waits for the others. Then it begins.
pub(crate) const AGAIN_MS: u64 = 10_000;

/// Players a room remembers as removed. When there is one more, the first of them may
/// sit here again; whoever has so many guests to remove locks the room.
const REMOVED_MAX: usize = 64;

/// What holds in a room beside its game.
///
/// Invariants:
/// * `absent` and `agreed` hold seated players only, and there is an agreement only
///   while somebody is in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Terms {
    /// Who opened the room; stays the host wherever they are.
    pub(crate) host: PlayerId,
    /// Strangers may find the room.
    pub(crate) public: bool,
    /// Nobody new sits down.
    pub(crate) locked: bool,
    /// Who may not sit here any more, from the first.
    removed: Vec<PlayerId>,
    /// What each seated player's name looks like, and their number among those whose
    /// names look alike; 1 is not shown.
    likes: BTreeMap<PlayerId, (String, u8)>,
    absent: BTreeMap<PlayerId, Absence>,
    agreement: Option<Agreement>,
    /// The lobby time of the room's version.
    pub(crate) at_ms: u64,
}

/// A seated player of whom nobody knows that they are here.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Absence {
    since_ms: u64,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// Sat down a moment ago, and counts as here.
    Expected,
    /// Not here.
    Away,
    /// Not here for so long that the seat may be taken.
    Free,
}

/// Who wants another round.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Agreement {
    since_ms: u64,
    agreed: BTreeSet<PlayerId>,
}

/// What time has done to a seated player.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passing {
    /// They count as away from now on.
    Away,
    /// Their seat may be taken from now on.
    Free,
}

impl Terms {
    pub(crate) fn new(host: PlayerId, public: bool, now_ms: u64) -> Terms {
        Terms {
            host,
            public,
            locked: false,
            removed: Vec::new(),
            likes: BTreeMap::new(),
            absent: BTreeMap::new(),
            agreement: None,
            at_ms: now_ms,
        }
    }

    /// The number for a player whose name looks like `likeness`: the lowest that tells
    /// them from everybody else who is seated.
    pub(crate) fn number(&mut self, player: PlayerId, likeness: &str) -> u8 {
        self.likes.remove(&player);
        let taken: BTreeSet<String> =
            self.likes.values().map(|(like, n)| shown(like, *n)).collect();
        let free = (1..=u8::MAX).find(|number| !taken.contains(&shown(likeness, *number)));
        let number = free.expect("a table has fewer seats than there are numbers");
        self.likes.insert(player, (likeness.to_owned(), number));
        number
    }

    /// Someone sat down, and is here if `here`.
    pub(crate) fn sat(&mut self, player: PlayerId, here: bool, now_ms: u64) {
        if !here {
            let absence = Absence { since_ms: now_ms, stage: Stage::Expected };
            self.absent.insert(player, absence);
        }
    }

    /// Someone has no seat any more.
    pub(crate) fn stood(&mut self, player: PlayerId) {
        self.likes.remove(&player);
        self.absent.remove(&player);
        if let Some(agreement) = &mut self.agreement {
            agreement.agreed.remove(&player);
        }
        self.agreement.take_if(|agreement| agreement.agreed.is_empty());
    }

    /// A seated player was heard to be here or to have gone.
    pub(crate) fn heard(&mut self, player: PlayerId, here: bool, now_ms: u64) {
        if here {
            self.absent.remove(&player);
            return;
        }
        let absence = Absence { since_ms: now_ms, stage: Stage::Away };
        let known = self.absent.entry(player).or_insert(absence);
        if known.stage == Stage::Expected {
            *known = absence;
        }
    }

    /// How long a player has been away at this version; none while they are here.
    pub(crate) fn away_ms(&self, player: PlayerId) -> Option<u64> {
        self.away_since_ms(player).map(|since_ms| self.at_ms.saturating_sub(since_ms))
    }

    /// Since when a player has been away; none while they are here, or expected to be.
    pub(crate) fn away_since_ms(&self, player: PlayerId) -> Option<u64> {
        let absence = self.absent.get(&player).filter(|absence| absence.stage != Stage::Expected);
        absence.map(|absence| absence.since_ms)
    }

    /// Whether a seated player was heard to be here, and not since to have gone.
    pub(crate) fn is_here(&self, player: PlayerId) -> bool {
        !self.absent.contains_key(&player)
    }

    /// Whose seat may be taken: who has been away the longest, if anybody for long enough.
    pub(crate) fn free(&self) -> Option<PlayerId> {
        let free = self.absent.iter().filter(|(_, absence)| absence.stage == Stage::Free);
        free.min_by_key(|(player, absence)| (absence.since_ms, **player)).map(|(player, _)| *player)
    }

    /// Lets time pass for those who are absent; what has changed. Who has never come counts as
    /// away from now on, or, where `excused` is not, since they sat down.
    pub(crate) fn pass(&mut self, now_ms: u64, excused: bool) -> Vec<(PlayerId, Passing)> {
        let mut passed = Vec::new();
        for (player, absence) in &mut self.absent {
            if absence.due_ms().is_none_or(|due_ms| due_ms > now_ms) {
                continue;
            }
            let stage = if absence.stage == Stage::Expected { Stage::Away } else { Stage::Free };
            let since_ms = if stage == Stage::Away && excused { now_ms } else { absence.since_ms };
            *absence = Absence { since_ms, stage };
            let passing = if stage == Stage::Away { Passing::Away } else { Passing::Free };
            passed.push((*player, passing));
        }
        passed
    }

    /// When something here is due.
    pub(crate) fn due_ms(&self) -> Option<u64> {
        let absences = self.absent.values().filter_map(Absence::due_ms);
        absences.chain(self.begins_ms()).min()
    }

    /// Notes that a seated player wants another round; says whether that is new.
    pub(crate) fn agree(&mut self, player: PlayerId, now_ms: u64) -> bool {
        let new = || Agreement { since_ms: now_ms, agreed: BTreeSet::new() };
        self.agreement.get_or_insert_with(new).agreed.insert(player)
    }

    /// Whether a player wants another round.
    pub(crate) fn agrees(&self, player: PlayerId) -> bool {
        self.agreement.as_ref().is_some_and(|agreement| agreement.agreed.contains(&player))
    }

    /// When another round begins whoever has not agreed; none if nobody wants one.
    pub(crate) fn begins_ms(&self) -> Option<u64> {
        self.agreement.as_ref().map(|agreement| agreement.since_ms.saturating_add(AGAIN_MS))
    }

    /// Nobody wants another round any more: it has begun, or cannot.
    pub(crate) fn forget_agreement(&mut self) {
        self.agreement = None;
    }

    /// Whether a player may not sit here any more.
    pub(crate) fn has_removed(&self, player: PlayerId) -> bool {
        self.removed.contains(&player)
    }

    /// Notes that a player may not sit here any more.
    pub(crate) fn remove(&mut self, player: PlayerId) {
        if self.removed.len() >= REMOVED_MAX {
            self.removed.remove(0);
        }
        self.removed.push(player);
    }

    /// Says why no room can have such terms, if none can.
    pub(crate) fn check(&self, seated: impl Fn(PlayerId) -> bool) -> Result<(), &'static str> {
        let agreed = self.agreement.iter().flat_map(|agreement| &agreement.agreed);
        if !self.likes.keys().chain(self.absent.keys()).chain(agreed).all(|player| seated(*player))
        {
            return Err("a room's terms name somebody who is not seated");
        }
        if self.removed.len() > REMOVED_MAX {
            return Err("a room remembers too many who were removed");
        }
        Ok(())
    }
}

impl Absence {
    fn due_ms(&self) -> Option<u64> {
        let lasts_ms = match self.stage {
            Stage::Expected => EXPECTED_MS,
            Stage::Away => SEAT_KEPT_MS,
            Stage::Free => return None,
        };
        Some(self.since_ms.saturating_add(lasts_ms))
    }
}

/// A name with its number, as it is shown.
pub(crate) fn shown(name: &str, number: u8) -> String {
    if number == 1 { name.to_owned() } else { format!("{name} {number}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: PlayerId = PlayerId(1);
    const BEN: PlayerId = PlayerId(2);
    const CAT: PlayerId = PlayerId(3);

    /// Names that look alike get numbers, also when somebody is really called so.
    #[test]
    fn who_looks_alike_is_told_apart() {
        let mut terms = Terms::new(ANN, false, 0);
        assert_eq!(terms.number(ANN, "ann"), 1);
        assert_eq!(terms.number(BEN, "ann 2"), 1);
        assert_eq!(terms.number(CAT, "ann"), 3);
        assert_eq!(terms.number(ANN, "ann"), 1, "as before");
        terms.stood(ANN);
        assert_eq!(terms.number(CAT, "ann"), 1);
    }

    /// Who sat down counts as here for a while, who has gone keeps the seat for longer.
    #[test]
    fn a_seat_is_kept_and_then_free() {
        let mut terms = Terms::new(ANN, false, 0);
        terms.sat(ANN, true, 0);
        terms.sat(BEN, false, 0);
        assert_eq!((terms.away_ms(BEN), terms.due_ms()), (None, Some(EXPECTED_MS)));
        assert_eq!(terms.pass(EXPECTED_MS - 1, true), []);
        assert_eq!(terms.pass(EXPECTED_MS, true), [(BEN, Passing::Away)]);
        terms.heard(ANN, false, EXPECTED_MS + 5);
        terms.heard(ANN, false, EXPECTED_MS + 9);
        assert_eq!(terms.pass(EXPECTED_MS + SEAT_KEPT_MS, true), [(BEN, Passing::Free)]);
        assert_eq!(terms.due_ms(), Some(EXPECTED_MS + 5 + SEAT_KEPT_MS));
        assert_eq!(terms.pass(u64::MAX, true), [(ANN, Passing::Free)]);
        assert_eq!((terms.free(), terms.due_ms()), (Some(BEN), None));
        terms.heard(BEN, true, 0);
        assert_eq!(terms.free(), Some(ANN));
    }

    /// An agreement lasts while somebody is in it, and is due a while after the first.
    #[test]
    fn an_agreement_is_due_after_the_first() {
        let mut terms = Terms::new(ANN, false, 0);
        assert!(terms.agree(ANN, 5) && terms.agree(BEN, 9) && !terms.agree(ANN, 9));
        terms.stood(ANN);
        assert_eq!((terms.agrees(BEN), terms.due_ms()), (true, Some(5 + AGAIN_MS)));
        terms.stood(BEN);
        assert_eq!(terms.due_ms(), None);
    }

    /// A room remembers only so many whom it does not want.
    #[test]
    fn the_list_of_the_removed_has_an_end() {
        let mut terms = Terms::new(ANN, false, 0);
        (0..=REMOVED_MAX as u64).for_each(|player| terms.remove(PlayerId(player)));
        assert!(!terms.has_removed(PlayerId(0)) && terms.has_removed(PlayerId(1)));
        assert_eq!(terms.check(|_| true), Ok(()));
    }
}
