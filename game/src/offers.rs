//! Offers: open wishes for a game of two, and who suits whom.
//!
//! A *seek* is for anybody who suits; a *challenge* for a certain player, or for whoever is
//! told of it. Two seeks suit each other when the same is wanted, by two players, whose
//! ratings are as near as both want them to be. How far that may be widens with time:
//!
//! ```text
//! waited   below 3 s   below 6 s   below 10 s   longer
//! width    as asked    twice       four times   anybody
//! ```
//!
//! Of several the nearest is taken, and of equally near ones the one that waits longest.
//! Looked at are the [`NEAR_MAX`] nearest on either side; a seek that finds none of them
//! willing looks again when its own width grows.
//!
//! This is asked when a seek comes and whenever the width of one grows, at that moment of
//! lobby time; nothing here happens by an interval.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::command::Wanted;
use crate::digest::{self, Kind as Of};
use crate::notices::{Other, Rating};
use hangraft_ids::{OfferId, PlayerId};

/// Offers at a time. Another one is told `busy`.
pub(crate) const OFFERS_MAX: usize = 50_000;

/// Seeks of one player at a time. Another one is refused.
pub(crate) const SEEKS_MAX: usize = 5;

/// Challenges of one player at a time. Another one is refused.
pub(crate) const CHALLENGES_MAX: usize = 5;

/// Challenges to one player at a time. Another one is refused.
pub(crate) const CHALLENGERS_MAX: usize = 20;

/// How long an offer stands, in lobby time.
pub(crate) const STANDS_MS: u64 = 10 * 60_000;

/// How long an offer outlives the last socket of whose it is.
pub(crate) const GONE_MS: u64 = 15_000;

/// Seeks looked at on either side of a rating.
const NEAR_MAX: usize = 64;

/// When a seek has waited so long, it takes so many times what was asked for; none for
/// anybody.
const WIDENS: [(u64, Option<u32>); 3] = [(3_000, Some(2)), (6_000, Some(4)), (10_000, None)];

/// One offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offer {
    pub(crate) owner: Other,
    /// What the name looks like.
    pub(crate) likeness: Arc<str>,
    /// With the options as rules write them.
    pub(crate) wanted: Wanted,
    pub(crate) rating: Rating,
    pub(crate) kind: Kind,
    /// Since when it stands.
    pub(crate) since_ms: u64,
    /// Since when its owner has no socket; none while there is one.
    gone_since_ms: Option<u64>,
    /// What was due until then is done.
    done_ms: u64,
}

/// Whom it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// Anybody who suits.
    Seek {
        /// How far the other's rating may be, to begin with; 0 for anybody.
        within: u16,
        /// After how long a bot plays.
        bot_after_ms: Option<u32>,
    },
    /// This player, or whoever is told.
    Challenge(Option<PlayerId>),
}

/// What has become of an offer because time has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Its owner is gone.
    Gone,
    /// It has stood for too long.
    Expired,
    /// It takes more than before.
    Wider,
    /// It takes a bot, too.
    Bot,
}

/// An offer that stands, for those who may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenOffer {
    /// Which.
    pub offer: OfferId,
    /// Whose.
    pub player: PlayerId,
    /// Under which name.
    pub name: Arc<str>,
    /// What is to be played.
    pub wanted: Wanted,
    /// How good that player is.
    pub rating: Rating,
    /// How long it has stood, in milliseconds of lobby time.
    pub age_ms: u64,
    /// It is a challenge; otherwise a seek.
    pub challenge: bool,
    /// Whom it is for; none for anybody.
    pub to: Option<PlayerId>,
}

/// All offers.
///
/// The lists follow from the offers, and are not stored.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offers {
    offers: OrdMap<OfferId, Arc<Offer>>,
    /// Offers ever. The next one's number is one more.
    made: u64,
    /// Sum of the offers' digests, and of those of seeks.
    sum: u64,
    seeks_sum: u64,
    seeks: BTreeSet<OfferId>,
    /// Seeks by what is wanted, and then by rating.
    pools: BTreeMap<Wanted, BTreeSet<(u16, OfferId)>>,
    by_owner: BTreeMap<PlayerId, BTreeSet<OfferId>>,
    /// Challenges by whom they are for.
    by_asked: BTreeMap<PlayerId, BTreeSet<OfferId>>,
    due: BTreeSet<(u64, OfferId)>,
}

/// Offers as a snapshot sees them: cheap to take, and at rest.
#[derive(Clone, Debug)]
pub(crate) struct FrozenOffers {
    offers: OrdMap<OfferId, Arc<Offer>>,
    pub(crate) made: u64,
}

/// An offer as a snapshot holds it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredOffer {
    id: OfferId,
    content: Arc<Offer>,
}

impl Offer {
    pub(crate) fn new(
        owner: Other,
        likeness: &str,
        (wanted, rating): (Wanted, Rating),
        kind: Kind,
        now_ms: u64,
    ) -> Offer {
        Offer {
            owner,
            likeness: likeness.into(),
            wanted,
            rating,
            kind,
            since_ms: now_ms,
            gone_since_ms: None,
            done_ms: now_ms,
        }
    }

    pub(crate) fn is_seek(&self) -> bool {
        matches!(self.kind, Kind::Seek { .. })
    }

    /// Whom it is for, when it is for one.
    pub(crate) fn asked(&self) -> Option<PlayerId> {
        match self.kind {
            Kind::Challenge(to) => to,
            Kind::Seek { .. } => None,
        }
    }

    /// Whether it takes somebody of this rating.
    pub(crate) fn takes(&self, rating: Rating, now_ms: u64) -> bool {
        u32::from(self.rating.points.abs_diff(rating.points)) <= self.width(now_ms)
    }

    /// How far the other's rating may be.
    fn width(&self, now_ms: u64) -> u32 {
        let Kind::Seek { within: within @ 1.., .. } = self.kind else { return u32::MAX };
        let waited_ms = now_ms.saturating_sub(self.since_ms);
        let widened = WIDENS.iter().rev().find(|(after_ms, _)| *after_ms <= waited_ms);
        let times = widened.map_or(Some(1), |(_, times)| *times);
        times.map_or(u32::MAX, |times| u32::from(within) * times)
    }

    /// All that will happen to it by itself, and when.
    fn events(&self) -> impl Iterator<Item = (u64, Due)> + '_ {
        let gone = self.gone_since_ms.map(|since_ms| (since_ms.saturating_add(GONE_MS), Due::Gone));
        let since_ms = self.since_ms;
        let after = move |after_ms: u64| since_ms.saturating_add(after_ms);
        let (widens, bot) = match self.kind {
            Kind::Seek { within, bot_after_ms } => (within > 0, bot_after_ms),
            Kind::Challenge(_) => (false, None),
        };
        let widens = WIDENS.iter().filter(move |_| widens);
        let expired = (after(STANDS_MS), Due::Expired);
        let bot = bot.map(|after_ms| (after(after_ms.into()), Due::Bot));
        let wider = widens.map(move |(after_ms, _)| (after(*after_ms), Due::Wider));
        gone.into_iter().chain([expired]).chain(wider).chain(bot)
    }

    /// When something will happen to it by itself.
    fn due_ms(&self) -> u64 {
        let after_done =
            self.events().map(|(at_ms, _)| at_ms).filter(|at_ms| *at_ms > self.done_ms);
        after_done.min().unwrap_or(u64::MAX)
    }

    /// What happens to it now: the weightiest of what is due. A bot is one of those that it
    /// takes, so wider comes with it.
    fn due(&self, now_ms: u64) -> Option<Due> {
        let happens = |(at_ms, _): &(u64, Due)| (self.done_ms + 1..=now_ms).contains(at_ms);
        let weight = |due: &Due| match due {
            Due::Gone => 0,
            Due::Expired => 1,
            Due::Bot => 2,
            Due::Wider => 3,
        };
        self.events().filter(happens).map(|(_, due)| due).min_by_key(weight)
    }

    fn digest(&self, id: OfferId) -> u64 {
        digest::of_value(Of::Offer, &(id, self), &mut Vec::new())
    }

    fn shown(&self, id: OfferId, now_ms: u64) -> OpenOffer {
        OpenOffer {
            offer: id,
            player: self.owner.player,
            name: self.owner.name.clone(),
            wanted: self.wanted.clone(),
            rating: self.rating,
            age_ms: now_ms.saturating_sub(self.since_ms),
            challenge: !self.is_seek(),
            to: self.asked(),
        }
    }
}

impl Offers {
    pub(crate) fn len(&self) -> usize {
        self.offers.len()
    }

    /// The number of the next offer.
    pub(crate) fn next_id(&self) -> OfferId {
        OfferId(self.made.saturating_add(1))
    }

    /// The offer with the next number was made, whether it stands or not.
    pub(crate) fn count(&mut self, id: OfferId) {
        self.made = id.0;
    }

    pub(crate) fn get(&self, id: OfferId) -> Option<&Arc<Offer>> {
        self.offers.get(&id)
    }

    /// Offers of a player that stand.
    pub(crate) fn of(&self, player: PlayerId) -> Vec<OfferId> {
        self.by_owner.get(&player).into_iter().flatten().copied().collect()
    }

    /// How many seeks, or else challenges, of a player stand.
    pub(crate) fn count_of(&self, player: PlayerId, seeks: bool) -> usize {
        let own = self.by_owner.get(&player).into_iter().flatten();
        own.filter(|id| self.seeks.contains(id) == seeks).count()
    }

    /// How many challenge a player.
    pub(crate) fn challengers_of(&self, player: PlayerId) -> usize {
        self.by_asked.get(&player).map_or(0, BTreeSet::len)
    }

    /// Lets an offer stand. `online`: its owner has a socket.
    pub(crate) fn insert(&mut self, id: OfferId, mut offer: Offer, online: bool) {
        offer.gone_since_ms = (!online).then_some(offer.since_ms);
        self.put(id, offer);
    }

    /// Ends an offer.
    pub(crate) fn take(&mut self, id: OfferId) -> Option<Offer> {
        let offer = self.offers.remove(&id)?;
        let digest = offer.digest(id);
        self.sum = self.sum.wrapping_sub(digest);
        if offer.is_seek() {
            self.seeks_sum = self.seeks_sum.wrapping_sub(digest_of_seek(id));
            self.seeks.remove(&id);
            if let Some(pool) = self.pools.get_mut(&offer.wanted) {
                pool.remove(&(offer.rating.points, id));
                if pool.is_empty() {
                    self.pools.remove(&offer.wanted);
                }
            }
        }
        forget(&mut self.by_owner, offer.owner.player, id);
        if let Some(asked) = offer.asked() {
            forget(&mut self.by_asked, asked, id);
        }
        self.due.remove(&(offer.due_ms(), id));
        Some(Arc::unwrap_or_clone(offer))
    }

    /// The seek that suits this one best, of those whose owners can play.
    pub(crate) fn best_for(
        &self,
        offer: &Offer,
        now_ms: u64,
        can_play: impl Fn(PlayerId) -> bool,
    ) -> Option<OfferId> {
        let pool = self.pools.get(&offer.wanted)?;
        let here = (offer.rating.points, OfferId(0));
        let (above, below) = (pool.range(here..), pool.range(..here).rev());
        let near = above.take(NEAR_MAX).chain(below.take(NEAR_MAX));
        let suits =
            near.filter_map(|(_, id)| Some((*id, self.offers.get(id)?))).filter(|(_, other)| {
                other.owner.player != offer.owner.player
                    && other.takes(offer.rating, now_ms)
                    && offer.takes(other.rating, now_ms)
                    && can_play(other.owner.player)
            });
        let rank = |(id, other): &(OfferId, &Arc<Offer>)| {
            (other.rating.points.abs_diff(offer.rating.points), other.since_ms, *id)
        };
        suits.min_by_key(rank).map(|(id, _)| id)
    }

    /// A player has a socket, or has none any more.
    pub(crate) fn online(&mut self, player: PlayerId, online: bool, now_ms: u64) {
        for id in self.of(player) {
            let Some(mut offer) = self.take(id) else { continue };
            offer.gone_since_ms = (!online).then_some(now_ms);
            self.put(id, offer);
        }
    }

    /// What is due, at most so many; the rest the next time.
    pub(crate) fn due(&self, now_ms: u64, looks_max: usize) -> Vec<OfferId> {
        let is_due = |(due_ms, _): &(u64, OfferId)| *due_ms <= now_ms;
        self.due.iter().take_while(|due| is_due(due)).take(looks_max).map(|(_, id)| *id).collect()
    }

    /// What has become of an offer that was due. It is not due again for that.
    pub(crate) fn look(&mut self, id: OfferId, now_ms: u64) -> Option<(Offer, Due)> {
        let due = self.get(id)?.due(now_ms);
        let mut offer = self.take(id)?;
        offer.done_ms = now_ms;
        self.put(id, offer.clone());
        due.map(|due| (offer, due))
    }

    /// When something is due.
    pub(crate) fn due_ms(&self) -> Option<u64> {
        self.due.first().map(|(due_ms, _)| *due_ms)
    }

    /// Another number whenever other seeks are open.
    pub(crate) fn seeks_changed(&self) -> u64 {
        self.seeks_sum
    }

    /// The newest open seeks, and how many there are.
    pub(crate) fn open_seeks(&self, limit: usize, now_ms: u64) -> (Vec<OpenOffer>, usize) {
        let newest = self.seeks.iter().rev().take(limit);
        let shown = newest.filter_map(|id| Some(self.offers.get(id)?.shown(*id, now_ms)));
        (shown.collect(), self.seeks.len())
    }

    /// An offer, as it is shown.
    pub(crate) fn shown(&self, id: OfferId, now_ms: u64) -> Option<OpenOffer> {
        self.offers.get(&id).map(|offer| offer.shown(id, now_ms))
    }

    pub(crate) fn digest(&self) -> u64 {
        self.sum.wrapping_add(self.digest_of_count())
    }

    pub(crate) fn recompute_digest(&self) -> u64 {
        let digests = self.offers.iter().map(|(id, offer)| offer.digest(*id));
        digests.fold(self.digest_of_count(), u64::wrapping_add)
    }

    pub(crate) fn freeze(&self) -> FrozenOffers {
        FrozenOffers { offers: self.offers.clone(), made: self.made }
    }

    pub(crate) fn restore_count(&mut self, made: u64) {
        self.made = made;
    }

    pub(crate) fn restore(&mut self, stored: StoredOffer) -> Result<(), &'static str> {
        let StoredOffer { id, content } = stored;
        if id.0 == 0 || id.0 > self.made || self.offers.contains_key(&id) {
            return Err("an offer has a number that it cannot have");
        }
        if self.offers.len() >= OFFERS_MAX {
            return Err("too many offers");
        }
        self.put(id, Arc::unwrap_or_clone(content));
        Ok(())
    }

    fn digest_of_count(&self) -> u64 {
        digest_of_made(self.made)
    }

    fn put(&mut self, id: OfferId, offer: Offer) {
        self.sum = self.sum.wrapping_add(offer.digest(id));
        if offer.is_seek() {
            self.seeks_sum = self.seeks_sum.wrapping_add(digest_of_seek(id));
            self.seeks.insert(id);
            let pool = self.pools.entry(offer.wanted.clone()).or_default();
            pool.insert((offer.rating.points, id));
        }
        self.by_owner.entry(offer.owner.player).or_default().insert(id);
        if let Some(asked) = offer.asked() {
            self.by_asked.entry(asked).or_default().insert(id);
        }
        self.due.insert((offer.due_ms(), id));
        self.offers.insert(id, Arc::new(offer));
    }
}

impl FrozenOffers {
    /// Leaves out numbers that may have been given after this was frozen. By how much the
    /// digest grows, wrapping.
    pub(crate) fn skip(&mut self, numbers: u64) -> u64 {
        if self.made == 0 {
            return 0;
        }
        let before = digest_of_made(self.made);
        self.made = self.made.saturating_add(numbers);
        digest_of_made(self.made).wrapping_sub(before)
    }

    /// Every offer, in an order that is always the same.
    pub(crate) fn into_parts(self) -> impl Iterator<Item = StoredOffer> + Send + 'static {
        self.offers.into_iter().map(|(id, content)| StoredOffer { id, content })
    }
}

fn digest_of_made(made: u64) -> u64 {
    if made == 0 { 0 } else { digest::of_numbers(Of::Offers, [made]) }
}

/// What the list of seeks is known by: a seek does not change while it stands.
fn digest_of_seek(id: OfferId) -> u64 {
    digest::of_numbers(Of::Offers, [id.0, 1])
}

fn forget(lists: &mut BTreeMap<PlayerId, BTreeSet<OfferId>>, player: PlayerId, id: OfferId) {
    if let Some(list) = lists.get_mut(&player) {
        list.remove(&id);
        if list.is_empty() {
            lists.remove(&player);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seek(player: u64, points: u16, within: u16, since_ms: u64) -> Offer {
        let owner = Other { player: PlayerId(player), name: "A".into() };
        let (game, options) = ("tic-tac-toe".into(), "{}".into());
        let wanted = Wanted { game, options, clock_s: 0, rated: true };
        let rating = Rating { points, provisional: false };
        let kind = Kind::Seek { within, bot_after_ms: None };
        Offer::new(owner, "a", (wanted, rating), kind, since_ms)
    }

    fn with(seeks: &[(u64, u16, u16, u64)]) -> Offers {
        let mut offers = Offers::default();
        for (player, points, within, since_ms) in seeks {
            let id = offers.next_id();
            offers.count(id);
            offers.insert(id, seek(*player, *points, *within, *since_ms), true);
        }
        offers
    }

    fn best(offers: &Offers, offer: &Offer, now_ms: u64) -> Option<u64> {
        offers.best_for(offer, now_ms, |_| true).map(|id| id.0)
    }

    /// The nearest that both sides accept, then the one that waits longest; never oneself.
    #[test]
    fn the_best_seek_is_the_nearest_and_then_the_oldest() {
        let offers = with(&[
            (1, 1500, 100, 0),
            (2, 1480, 10, 0),
            (3, 1520, 100, 5),
            (4, 1540, 100, 4),
            (5, 1560, 200, 1),
        ]);
        assert_eq!(best(&offers, &seek(9, 1530, 100, 9), 9), Some(4), "as near, and older");
        assert_eq!(best(&offers, &seek(9, 1481, 100, 9), 9), Some(2));
        assert_eq!(best(&offers, &seek(9, 1495, 100, 9), 9), Some(1), "2 wants nobody so far off");
        assert_eq!(best(&offers, &seek(1, 1500, 5, 9), 9), None, "not oneself");
        assert_eq!(best(&offers, &seek(9, 1700, 150, 9), 9), Some(5));
        let mut other = seek(9, 1500, 0, 9);
        other.wanted.clock_s = 30;
        assert_eq!(best(&offers, &other, 9), None);
    }

    /// What is taken widens at its moments, and is due at each of them once.
    #[test]
    fn a_seek_takes_more_the_longer_it_waits() {
        let mut offers = with(&[(1, 1500, 100, 1_000)]);
        let id = OfferId(1);
        let far = |points| seek(9, points, 0, 1_000);
        for (at_ms, reaches, not) in
            [(3_999, 1_600, 1_601), (4_000, 1_700, 1_701), (7_000, 1_900, 1_901)]
        {
            assert_eq!(best(&offers, &far(reaches), at_ms), Some(1), "{at_ms}");
            assert_eq!(best(&offers, &far(not), at_ms), None, "{at_ms}");
        }
        assert_eq!(best(&offers, &far(9_000), 11_000), Some(1));
        for at_ms in [4_000, 7_000, 11_000] {
            assert_eq!((offers.due_ms(), offers.due(at_ms - 1, 9)), (Some(at_ms), vec![]));
            assert_eq!(offers.due(at_ms, 9), [id]);
            assert_eq!(offers.look(id, at_ms).map(|(_, due)| due), Some(Due::Wider));
        }
        assert_eq!(offers.due_ms(), Some(1_000 + STANDS_MS));
        assert_eq!(offers.look(id, 1_000 + STANDS_MS).map(|(_, due)| due), Some(Due::Expired));
    }

    /// Who has no socket any more loses their offers after a while, unless they are back.
    #[test]
    fn offers_of_who_is_gone_end() {
        let mut offers = with(&[(1, 1500, 0, 0)]);
        offers.online(PlayerId(1), false, 5_000);
        assert_eq!(offers.due_ms(), Some(5_000 + GONE_MS));
        offers.online(PlayerId(1), true, 6_000);
        assert_eq!(offers.due_ms(), Some(STANDS_MS));
        offers.online(PlayerId(1), false, 7_000);
        let (_, due) = offers.look(OfferId(1), 7_000 + GONE_MS).unwrap();
        assert_eq!(due, Due::Gone);
        assert_eq!(offers.digest(), offers.recompute_digest());
        assert!(offers.take(OfferId(1)).is_some() && offers.due_ms().is_none());
        assert!(offers.pools.is_empty() && offers.by_owner.is_empty() && offers.seeks.is_empty());
        assert_eq!((offers.seeks_changed(), offers.sum), (0, 0));
    }
}
