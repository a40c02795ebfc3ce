//! Attempts: why the same entry twice has one effect.
//!
//! Every player has lanes, and in each lane the last [`ANSWERS_MAX`] answers
//! by serial number. An attempt that was answered gets the same answer again;
//! one so old that its answer is gone is told so, and is not tried again.
//!
//! Lanes nobody uses are forgotten: all lanes of an era lie in one generation,
//! using one moves it to the young generation, and every [`ERA_MS`] the old
//! generation goes and the young one becomes it. That costs nothing per lane.

use std::collections::VecDeque;
use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::command::Attempt;
use crate::digest::{self, Kind};
use hangraft_ids::{Lane, PlayerId, Serial};

/// Answers remembered per lane. An attempt older than all of them is told
/// that its answer is forgotten.
const ANSWERS_MAX: usize = 32;

/// How long a generation is young. A lane is remembered for at least this
/// long after its last use; far longer than anyone keeps asking.
const ERA_MS: u64 = 30 * 60_000;

/// Lanes in a generation. One more begins the next generation early, so a
/// flood of new players shortens everybody's memory instead of growing ours.
const LANES_MAX: usize = 400_000;

/// Which lane of whom.
type LaneId = (PlayerId, Lane);

/// What was answered lately, to whom.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempts {
    young: Generation,
    old: Generation,
    /// When the young generation becomes the old one, in lobby time.
    era_ends_ms: u64,
    scratch: Vec<u8>,
}

/// What is known of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Recalled {
    /// It was not seen before.
    New,
    /// It was answered like this.
    Answered(Answer),
    /// It was answered, too long ago to know how.
    Forgotten,
}

/// The lanes of an era.
#[derive(Clone, Debug, Default)]
struct Generation {
    lanes: OrdMap<LaneId, Arc<LaneAnswers>>,
    /// Sum of the lanes' digests.
    sum: u64,
}

/// One lane.
///
/// Invariant: the answers are in order of their serials, all of which are
/// above the floor.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct LaneAnswers {
    /// The highest serial whose answer is forgotten.
    floor: Serial,
    answers: VecDeque<Remembered>,
    /// The lane's own digest.
    #[serde(skip)]
    digest: u64,
}

/// One answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Remembered {
    serial: Serial,
    answer: Answer,
    #[serde(skip)]
    digest: u64,
}

/// Attempts as a snapshot sees them: cheap to take, and at rest.
#[derive(Clone, Debug)]
pub(crate) struct FrozenAttempts {
    young: OrdMap<LaneId, Arc<LaneAnswers>>,
    old: OrdMap<LaneId, Arc<LaneAnswers>>,
    pub(crate) era_ends_ms: u64,
}

/// A lane as a snapshot holds it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredLane {
    old: bool,
    player: PlayerId,
    lane: Lane,
    content: Arc<LaneAnswers>,
}

impl Attempts {
    /// What is known of an attempt. Changes nothing.
    pub(crate) fn recall(&self, player: PlayerId, attempt: Attempt) -> Recalled {
        let id = (player, attempt.lane);
        let lane = self.young.lanes.get(&id).or_else(|| self.old.lanes.get(&id));
        lane.map_or(Recalled::New, |lane| lane.recall(attempt.serial))
    }

    /// Remembers the answer to an attempt that was new.
    pub(crate) fn remember(&mut self, player: PlayerId, attempt: Attempt, answer: &Answer) {
        let id = (player, attempt.lane);
        if self.young.lanes.get(&id).is_none() {
            let lane = self.old.remove(id).unwrap_or_else(|| Arc::new(LaneAnswers::new(id)));
            self.make_space();
            self.young.insert(id, lane);
        }
        let lane = self.young.lanes.get_mut(&id).expect("it was there or was just put there");
        let lane = Arc::make_mut(lane);
        let before = lane.digest;
        lane.remember(id, attempt.serial, answer, &mut self.scratch);
        let change = lane.digest.wrapping_sub(before);
        self.young.sum = self.young.sum.wrapping_add(change);
    }

    /// Lets time pass.
    pub(crate) fn tick(&mut self, now_ms: u64) {
        if now_ms >= self.era_ends_ms {
            self.next_generation();
            self.era_ends_ms = now_ms.saturating_add(ERA_MS);
        }
    }

    /// When there will be something to forget.
    pub(crate) fn due_ms(&self) -> Option<u64> {
        let empty = self.young.lanes.is_empty() && self.old.lanes.is_empty();
        (!empty).then_some(self.era_ends_ms)
    }

    pub(crate) fn digest(&self) -> u64 {
        digest_of_sums(self.era_ends_ms, self.young.sum, self.old.sum)
    }

    /// The digest computed from nothing but the answers.
    pub(crate) fn recompute_digest(&self) -> u64 {
        let mut scratch = Vec::new();
        let mut sum = |generation: &Generation| {
            let digests =
                generation.lanes.iter().map(|(id, lane)| lane.compute_digest(*id, &mut scratch));
            digests.fold(0, u64::wrapping_add)
        };
        let (young, old) = (sum(&self.young), sum(&self.old));
        digest_of_sums(self.era_ends_ms, young, old)
    }

    pub(crate) fn freeze(&self) -> FrozenAttempts {
        FrozenAttempts {
            young: self.young.lanes.clone(),
            old: self.old.lanes.clone(),
            era_ends_ms: self.era_ends_ms,
        }
    }

    pub(crate) fn restore_era(&mut self, era_ends_ms: u64) {
        self.era_ends_ms = era_ends_ms;
    }

    /// Puts back a lane; says why if it cannot be one.
    pub(crate) fn restore_lane(&mut self, stored: StoredLane) -> Result<(), &'static str> {
        let id = (stored.player, stored.lane);
        let mut lane = Arc::unwrap_or_clone(stored.content);
        lane.check()?;
        lane.digest = lane.refresh_digests(id, &mut self.scratch);
        if self.young.lanes.contains_key(&id) || self.old.lanes.contains_key(&id) {
            return Err("a lane is there twice");
        }
        let generation = if stored.old { &mut self.old } else { &mut self.young };
        generation.insert(id, Arc::new(lane));
        Ok(())
    }

    fn make_space(&mut self) {
        if self.young.lanes.len() >= LANES_MAX {
            self.next_generation();
        }
    }

    fn next_generation(&mut self) {
        self.old = std::mem::take(&mut self.young);
    }
}

impl FrozenAttempts {
    /// Every lane, in an order that is always the same.
    pub(crate) fn into_lanes(self) -> impl Iterator<Item = StoredLane> + Send + 'static {
        let young = self.young.into_iter().map(|lane| (false, lane));
        let old = self.old.into_iter().map(|lane| (true, lane));
        young.chain(old).map(|(old, ((player, lane), content))| StoredLane {
            old,
            player,
            lane,
            content,
        })
    }
}

impl Generation {
    fn insert(&mut self, id: LaneId, lane: Arc<LaneAnswers>) {
        self.sum = self.sum.wrapping_add(lane.digest);
        self.lanes.insert(id, lane);
    }

    fn remove(&mut self, id: LaneId) -> Option<Arc<LaneAnswers>> {
        let lane = self.lanes.remove(&id)?;
        self.sum = self.sum.wrapping_sub(lane.digest);
        Some(lane)
    }
}

impl LaneAnswers {
    fn new(id: LaneId) -> LaneAnswers {
        LaneAnswers { digest: digest_of_head(id, Serial(0)), ..LaneAnswers::default() }
    }

    fn recall(&self, serial: Serial) -> Recalled {
        if serial <= self.floor {
            return Recalled::Forgotten;
        }
        match self.find(serial) {
            Ok(place) => Recalled::Answered(self.answers[place].answer.clone()),
            Err(_) => Recalled::New,
        }
    }

    fn remember(&mut self, id: LaneId, serial: Serial, answer: &Answer, scratch: &mut Vec<u8>) {
        let Err(place) = self.find(serial) else { return };
        let digest = digest_of_answer(id, serial, answer, scratch);
        self.digest = self.digest.wrapping_add(digest);
        self.answers.insert(place, Remembered { serial, answer: answer.clone(), digest });
        if self.answers.len() > ANSWERS_MAX {
            self.forget_oldest(id);
        }
    }

    fn forget_oldest(&mut self, id: LaneId) {
        let Some(oldest) = self.answers.pop_front() else { return };
        let gone = oldest.digest.wrapping_add(digest_of_head(id, self.floor));
        self.floor = oldest.serial;
        let come = digest_of_head(id, self.floor);
        self.digest = self.digest.wrapping_sub(gone).wrapping_add(come);
    }

    /// The place of a serial, or the place it would go. Most are the newest.
    fn find(&self, serial: Serial) -> Result<usize, usize> {
        match self.answers.back() {
            Some(newest) if newest.serial >= serial => {
                self.answers.binary_search_by_key(&serial, |remembered| remembered.serial)
            }
            _ => Err(self.answers.len()),
        }
    }

    fn compute_digest(&self, id: LaneId, scratch: &mut Vec<u8>) -> u64 {
        let answers = self
            .answers
            .iter()
            .map(|remembered| digest_of_answer(id, remembered.serial, &remembered.answer, scratch));
        answers.fold(digest_of_head(id, self.floor), u64::wrapping_add)
    }

    fn refresh_digests(&mut self, id: LaneId, scratch: &mut Vec<u8>) -> u64 {
        for remembered in &mut self.answers {
            remembered.digest =
                digest_of_answer(id, remembered.serial, &remembered.answer, scratch);
        }
        self.compute_digest(id, scratch)
    }

    fn check(&self) -> Result<(), &'static str> {
        let serials = self.answers.iter().map(|remembered| remembered.serial);
        let in_order = std::iter::once(self.floor).chain(serials).is_sorted_by(|a, b| a < b);
        match self.answers.len() {
            0..=ANSWERS_MAX if in_order => Ok(()),
            0..=ANSWERS_MAX => Err("the answers of a lane are out of order"),
            _ => Err("a lane has too many answers"),
        }
    }
}

fn digest_of_sums(era_ends_ms: u64, young: u64, old: u64) -> u64 {
    digest::of_numbers(Kind::Generation, [era_ends_ms, young, old])
}

fn digest_of_head((player, lane): LaneId, floor: Serial) -> u64 {
    digest::of_numbers(Kind::Lane, [player.0, lane.0, floor.0])
}

fn digest_of_answer(id: LaneId, serial: Serial, answer: &Answer, scratch: &mut Vec<u8>) -> u64 {
    digest::of_value(Kind::Remembered, &(id, serial, answer), scratch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{Rejection, Reply};
    use hangraft_ids::{RoomId, Version};

    const ANN: PlayerId = PlayerId(1);

    fn attempt(serial: u64) -> Attempt {
        Attempt { lane: Lane::OWN, serial: Serial(serial) }
    }

    fn answer(serial: u64) -> Answer {
        Ok(Reply::Accepted { room: RoomId(1), version: Version(serial) })
    }

    fn remember(attempts: &mut Attempts, serials: impl IntoIterator<Item = u64>) {
        for serial in serials {
            attempts.remember(ANN, attempt(serial), &answer(serial));
            assert_eq!(attempts.digest(), attempts.recompute_digest());
        }
    }

    #[test]
    fn the_last_answers_are_known_and_older_ones_are_known_to_be_gone() {
        let mut attempts = Attempts::default();
        remember(&mut attempts, 1..=40);
        assert_eq!(attempts.recall(ANN, attempt(8)), Recalled::Forgotten);
        assert_eq!(attempts.recall(ANN, attempt(9)), Recalled::Answered(answer(9)));
        assert_eq!(attempts.recall(ANN, attempt(41)), Recalled::New);
        assert_eq!(attempts.recall(PlayerId(2), attempt(9)), Recalled::New);
        assert_eq!(
            attempts.recall(ANN, Attempt { lane: Lane(1), serial: Serial(9) }),
            Recalled::New
        );
    }

    #[test]
    fn serials_may_come_out_of_order() {
        let mut attempts = Attempts::default();
        remember(&mut attempts, [5, 2, 9]);
        assert_eq!(attempts.recall(ANN, attempt(2)), Recalled::Answered(answer(2)));
        assert_eq!(attempts.recall(ANN, attempt(3)), Recalled::New);
        // One that comes when the lane is full of younger ones is answered,
        // and then it is known to have been.
        remember(&mut attempts, 100..132);
        remember(&mut attempts, [50]);
        assert_eq!(attempts.recall(ANN, attempt(50)), Recalled::Forgotten);
    }

    #[test]
    fn a_lane_is_forgotten_after_an_era_without_use() {
        let mut attempts = Attempts::default();
        attempts.tick(0);
        remember(&mut attempts, [1]);
        attempts.tick(ERA_MS);
        assert_eq!(attempts.recall(ANN, attempt(1)), Recalled::Answered(answer(1)));
        // Using it keeps it.
        remember(&mut attempts, [2]);
        attempts.tick(2 * ERA_MS);
        assert_eq!(attempts.recall(ANN, attempt(1)), Recalled::Answered(answer(1)));
        attempts.tick(3 * ERA_MS);
        assert_eq!(attempts.recall(ANN, attempt(1)), Recalled::New);
        assert_eq!(attempts.due_ms(), None);
        assert_eq!(attempts.digest(), attempts.recompute_digest());
    }

    #[test]
    fn a_rejection_is_an_answer_too() {
        let mut attempts = Attempts::default();
        attempts.remember(ANN, attempt(1), &Err(Rejection::GameOver));
        let known = attempts.recall(ANN, attempt(1));
        assert_eq!(known, Recalled::Answered(Err(Rejection::GameOver)));
    }
}
