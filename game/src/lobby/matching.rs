//! How two people come to play: seeks that meet, challenges that are accepted, and bots
//! when nobody comes.

use std::sync::Arc;

use super::outcome::{Act, Passed};
use super::{LIKENESS_BYTES_MAX, Lobby, ROOMS_MAX, TABLES_MAX};
use crate::answer::{Answer, Rejection, Reply};
use crate::bots;
use crate::chance::Chance;
use crate::clock::Now;
use crate::command::{Command, Wanted};
use crate::contest::{By, Contest};
use crate::notices::{Notice, Other, Rating, Why};
use crate::offers::{CHALLENGERS_MAX, CHALLENGES_MAX, Due, Kind, OFFERS_MAX, Offer, SEEKS_MAX};
use crate::presence::Flips;
use crate::room::seats::Sitting;
use crate::rules::{Board, Strength};
use crate::text;
use hangraft_ids::{OfferId, PlayerId, RoomId, Seat};

/// Seconds for a move that can be asked for, besides none.
const CLOCKS_S: std::ops::RangeInclusive<u8> = 5..=180;

/// The longest that somebody can be asked to wait before a bot plays.
const BOT_AFTER_MS_MAX: u32 = 60_000;

/// Offers looked at in one tick. The rest waits for the next.
const DUE_OFFERS_MAX: usize = 256;

/// Above these ratings a bot of the next strength plays.
const STRONGER_ABOVE: [(u16, Strength); 2] = [(1_650, Strength::Hard), (1_350, Strength::Medium)];

/// Who asks for a game, as they call themselves.
#[derive(Clone, Copy)]
struct Asker<'a> {
    player: PlayerId,
    name: &'a str,
    likeness: &'a str,
}

/// One of the two who are about to play.
struct Party {
    who: Other,
    likeness: Arc<str>,
    /// None for a bot.
    rating: Option<Rating>,
    /// The offer by which they came here.
    offer: OfferId,
}

impl Lobby {
    /// Carries out a command about offers.
    pub(super) fn arrange(
        &mut self,
        player: PlayerId,
        command: &Command,
        act: &mut Act<'_>,
    ) -> Answer {
        let asker = |name, likeness| Asker { player, name, likeness };
        match command {
            Command::Seek { wanted, name, likeness, within, bot_after_ms } => {
                self.seek(asker(name, likeness), wanted, (*within, *bot_after_ms), act)
            }
            Command::Challenge { to, wanted, name, likeness } => {
                self.challenge(asker(name, likeness), *to, wanted, act)
            }
            Command::Accept { offer, name, likeness } => {
                self.accept(asker(name, likeness), *offer, act)
            }
            Command::Decline { offer } => self.decline(player, *offer, act),
            Command::Withdraw { offer } => self.withdraw(player, *offer, act),
            _ => Err(Rejection::bad_request("that is not about an offer")),
        }
    }

    fn seek(
        &mut self,
        asker: Asker<'_>,
        wanted: &Wanted,
        (within, bot_after_ms): (u16, Option<u32>),
        act: &mut Act<'_>,
    ) -> Answer {
        if bot_after_ms.is_some_and(|after_ms| after_ms > BOT_AFTER_MS_MAX) {
            return Err(Rejection::bad_request("a bot comes after 60 s at the latest"));
        }
        if self.offers.count_of(asker.player, true) >= SEEKS_MAX {
            let text = format!("you look for {SEEKS_MAX} games already; take one back first");
            return Err(Rejection::illegal(text));
        }
        let kind = Kind::Seek { within, bot_after_ms };
        let offer = self.offer_of(asker, wanted, kind, act.now)?;
        let id = self.offers.next_id();
        let room = if let Some(partner) = self.partner_for(&offer, act.now) {
            Some(self.meet(partner, party(&offer, id), By::Seek, act)?)
        } else if bot_after_ms == Some(0) {
            self.meet_bot(&offer, id, act)?
        } else {
            None
        };
        self.count_offer(id, offer, room)
    }

    fn challenge(
        &mut self,
        asker: Asker<'_>,
        to: Option<PlayerId>,
        wanted: &Wanted,
        act: &mut Act<'_>,
    ) -> Answer {
        if to == Some(asker.player) || to == Some(PlayerId(0)) {
            return Err(Rejection::bad_request("challenge somebody else"));
        }
        if self.offers.count_of(asker.player, false) >= CHALLENGES_MAX {
            let text = format!("you have {CHALLENGES_MAX} open challenges; take one back first");
            return Err(Rejection::illegal(text));
        }
        let offer = self.offer_of(asker, wanted, Kind::Challenge(to), act.now)?;
        let id = self.offers.next_id();
        let Some(to) = to else { return self.count_offer(id, offer, None) };
        if let Some(bot) = bots::find(to) {
            if bot.game != offer.wanted.game {
                return Err(Rejection::bad_request("this bot plays another game"));
            }
            let parties = [party(&offer, id), bot_party(to)];
            let room = self.begin(By::Bot, &offer.wanted, parties, act)?;
            return self.count_offer(id, offer, Some(room));
        }
        if self.offers.challengers_of(to) >= CHALLENGERS_MAX {
            return Err(Rejection::illegal("too many challenge this player already"));
        }
        let Offer { owner: other, wanted, rating, .. } = offer.clone();
        let answer = self.count_offer(id, offer, None)?;
        self.tell(to, Notice::Challenged { offer: id, other, rating, wanted }, act);
        Ok(answer)
    }

    /// Takes a seek, or accepts a challenge.
    fn accept(&mut self, asker: Asker<'_>, id: OfferId, act: &mut Act<'_>) -> Answer {
        let offer = self.offers.get(id).ok_or(Rejection::NoSuchOffer(id))?.clone();
        if offer.owner.player == asker.player {
            return Err(Rejection::bad_request("this offer is your own"));
        }
        if offer.asked().is_some_and(|asked| asked != asker.player) {
            return Err(Rejection::NoSuchOffer(id));
        }
        let taken = self.offer_of(asker, &offer.wanted, offer.kind.clone(), act.now)?;
        if !offer.takes(taken.rating, act.now.ms) {
            let text = "this player looks for somebody nearer to their own rating";
            return Err(Rejection::illegal(text));
        }
        if !self.has_place(offer.owner.player) {
            return Err(Rejection::illegal("this player sits at too many tables just now"));
        }
        let by = if offer.is_seek() { By::Seek } else { By::Challenge };
        let room = self.meet(id, party(&taken, id), by, act)?;
        Ok(Reply::Offered { offer: id, room: Some(room) })
    }

    /// Whom it is for does not want to play.
    fn decline(&mut self, player: PlayerId, id: OfferId, act: &mut Act<'_>) -> Answer {
        let mine = self.offers.get(id).is_some_and(|offer| offer.asked() == Some(player));
        if !mine {
            return Err(Rejection::NoSuchOffer(id));
        }
        self.end_offer(id, Why::Declined, act);
        Ok(Reply::Done)
    }

    /// Whose offer it is takes it back.
    fn withdraw(&mut self, player: PlayerId, id: OfferId, act: &mut Act<'_>) -> Answer {
        if self.offers.get(id).is_none_or(|offer| offer.owner.player != player) {
            return Err(Rejection::NoSuchOffer(id));
        }
        self.end_offer(id, Why::Withdrawn, act);
        Ok(Reply::Done)
    }

    /// Lets time pass for offers: they widen, take a bot, or end.
    pub(super) fn look_at_offers(&mut self, now: Now, seed: u64, led_to: &mut Passed) {
        for id in self.offers.due(now.ms, DUE_OFFERS_MAX) {
            let Some((offer, due)) = self.offers.look(id, now.ms) else { continue };
            let mut chance = Chance::of_offer(seed, id);
            let act = &mut Act { now, chance: &mut chance, led_to };
            match due {
                Due::Gone => self.end_offer(id, Why::Gone, act),
                Due::Expired => self.end_offer(id, Why::Expired, act),
                Due::Wider | Due::Bot => self.look_again(id, &offer, due == Due::Bot, act),
            }
        }
    }

    /// Looks again for somebody for a seek that stands.
    fn look_again(&mut self, id: OfferId, offer: &Offer, bots: bool, act: &mut Act<'_>) {
        let met = if let Some(partner) = self.partner_for(offer, act.now) {
            self.meet(partner, party(offer, id), By::Seek, act).map(Some)
        } else if bots && self.has_place(offer.owner.player) {
            self.meet_bot(offer, id, act)
        } else {
            Ok(None)
        };
        match met {
            Ok(Some(_)) => _ = self.offers.take(id),
            Ok(None) => {}
            Err(_) => self.end_offer(id, Why::Full, act),
        }
    }

    /// Players have sockets, or have none any more. `lost`: their frontend was not heard for
    /// as long as offers outlive sockets.
    pub(super) fn note_online(&mut self, flips: &Flips, lost: bool, now: Now, led_to: &mut Passed) {
        let mut chance = Chance::of(0, 0);
        let act = &mut Act { now, chance: &mut chance, led_to };
        let online = flips.iter().filter(|((_, room), _)| *room == RoomId::ONLINE);
        for ((player, _), online) in online {
            if lost && !online {
                for id in self.offers.of(*player) {
                    self.end_offer(id, Why::Gone, act);
                }
            } else {
                self.offers.online(*player, *online, now.ms);
            }
        }
    }

    /// An offer as it would stand, if it may. Changes nothing.
    fn offer_of(
        &self,
        asker: Asker<'_>,
        wanted: &Wanted,
        kind: Kind,
        now: Now,
    ) -> Result<Offer, Rejection> {
        let Asker { player, name, likeness } = asker;
        let name = text::name(name, now.edition)?;
        if likeness.len() > LIKENESS_BYTES_MAX {
            return Err(Rejection::too_large("a name looks like too much"));
        }
        let clock_s = wanted.clock_s;
        if clock_s != 0 && !CLOCKS_S.contains(&clock_s) {
            return Err(Rejection::bad_request("a clock has 5 to 180 seconds for a move"));
        }
        let options = Board::match_options(&wanted.game, &wanted.options)?;
        if !self.has_place(player) {
            let text = format!("you sit in {TABLES_MAX} rooms already; leave one first");
            return Err(Rejection::illegal(text));
        }
        if self.offers.len() >= OFFERS_MAX {
            return Err(Rejection::Busy);
        }
        let wanted = Wanted { options, ..wanted.clone() };
        let rating = self.ratings.rating(&wanted.game, player);
        let owner = Other { player, name: name.into() };
        Ok(Offer::new(owner, likeness, (wanted, rating), kind, now.ms))
    }

    /// An offer was made: it has led to a game at once, or stands from now on.
    fn count_offer(&mut self, id: OfferId, offer: Offer, room: Option<RoomId>) -> Answer {
        self.offers.count(id);
        if room.is_none() {
            let online = self.presence.is_online(offer.owner.player);
            self.offers.insert(id, offer, online);
        }
        Ok(Reply::Offered { offer: id, room })
    }

    /// The best seek for this one, of those that can be played.
    fn partner_for(&self, offer: &Offer, now: Now) -> Option<OfferId> {
        self.offers.best_for(offer, now.ms, |player| self.has_place(player))
    }

    /// Lets whose offer it is play with somebody.
    fn meet(
        &mut self,
        id: OfferId,
        with: Party,
        by: By,
        act: &mut Act<'_>,
    ) -> Result<RoomId, Rejection> {
        let offer = self.offers.get(id).ok_or(Rejection::NoSuchOffer(id))?.clone();
        let room = self.begin(by, &offer.wanted, [party(&offer, id), with], act)?;
        planted!(MatchedTwice ? None => self.offers.take(id));
        Ok(room)
    }

    /// Lets whose offer it is play with a bot; none if the game has none.
    fn meet_bot(
        &mut self,
        offer: &Offer,
        id: OfferId,
        act: &mut Act<'_>,
    ) -> Result<Option<RoomId>, Rejection> {
        let points = offer.rating.points;
        let stronger = STRONGER_ABOVE.iter().find(|(above, _)| points > *above);
        let strength = stronger.map_or(Strength::Easy, |(_, strength)| *strength);
        let Some(bot) = bots::of(&offer.wanted.game, strength) else { return Ok(None) };
        self.begin(By::Bot, &offer.wanted, [party(offer, id), bot_party(bot)], act).map(Some)
    }

    /// Opens a room for the two, seats them by chance, and tells them.
    fn begin(
        &mut self,
        by: By,
        wanted: &Wanted,
        mut parties: [Party; 2],
        act: &mut Act<'_>,
    ) -> Result<RoomId, Rejection> {
        let number = self.opened.checked_add(1).ok_or(Rejection::Busy)?;
        if act.chance.below(2) == Some(1) {
            parties.swap(0, 1);
        }
        let board = Board::open(&wanted.game, &wanted.options, act.chance)?;
        if self.rooms.len() >= ROOMS_MAX {
            let room = self.rooms.take_deserted().ok_or(Rejection::Busy)?;
            self.close(&room, act.led_to);
        }
        parties.iter().for_each(|party| self.make_place(party.who.player, act));
        let [first, second] = &parties;
        let rated = wanted.rated && by != By::Bot;
        let players = [first, second].map(|party| (party.who.player, party.rating));
        let contest = Contest::new(by, rated, wanted.clock_s, players, act.now.ms);
        // Group 0 is the only one there is today.
        let id = RoomId::new(0, number);
        let sittings = [self.sitting(first, id), self.sitting(second, id)];
        let change = self.rooms.open_contest(id, board, contest, sittings, act.now, act.chance);
        self.opened = number;
        act.led_to.changes.push(change);
        for (nth, party) in parties.iter().enumerate() {
            let seat = planted!(SeatMistold ? Seat(0) => Seat(nth as u8));
            self.tell_matched(party, &parties[1 - nth], wanted, (id, seat), act);
        }
        Ok(id)
    }

    fn sitting<'a>(&self, party: &'a Party, room: RoomId) -> Sitting<'a> {
        let player = party.who.player;
        let here = bots::find(player).is_some() || self.presence.is_here(player, room);
        Sitting { player, name: &party.who.name, likeness: &party.likeness, here }
    }

    /// Tells somebody whom they play with, and takes back what else they look for.
    fn tell_matched(
        &mut self,
        party: &Party,
        other: &Party,
        wanted: &Wanted,
        (room, seat): (RoomId, Seat),
        act: &mut Act<'_>,
    ) {
        let player = party.who.player;
        if party.rating.is_none() {
            return;
        }
        for id in self.offers.of(player) {
            let seeks = self.offers.get(id).is_some_and(|offer| offer.is_seek());
            if seeks && id != party.offer {
                self.end_offer(id, Why::Elsewhere, act);
            }
        }
        let (offer, wanted) = (party.offer, wanted.clone());
        let (other, rating) = (other.who.clone(), other.rating);
        self.tell(player, Notice::Matched { offer, room, seat, other, rating, wanted }, act);
    }

    /// Ends an offer without a game, and tells those whom it concerns.
    fn end_offer(&mut self, id: OfferId, why: Why, act: &mut Act<'_>) {
        let Some(offer) = self.offers.take(id) else { return };
        self.tell(offer.owner.player, Notice::Unmatched { offer: id, why }, act);
        if let Some(asked) = offer.asked() {
            self.tell(asked, Notice::Unchallenged { offer: id }, act);
        }
    }

    /// Whether a player may sit down somewhere, when they get up from matches that are over.
    fn has_place(&self, player: PlayerId) -> bool {
        let tables = self.rooms.tables_of(player);
        tables < TABLES_MAX || tables - self.rooms.finished_contests_of(player).len() < TABLES_MAX
    }

    /// Lets a player get up from matches that are over, if there is no place otherwise.
    fn make_place(&mut self, player: PlayerId, act: &mut Act<'_>) {
        if bots::find(player).is_some() || self.rooms.tables_of(player) < TABLES_MAX {
            return;
        }
        for room in self.rooms.finished_contests_of(player) {
            let stood = self.rooms.stand(room, player, act.now, act.chance);
            act.led_to.changes.extend(stood.ok().and_then(|stood| stood.change));
        }
    }

    fn tell(&mut self, player: PlayerId, notice: Notice, act: &mut Act<'_>) {
        self.post(player, notice, act.now, act.led_to);
    }
}

fn party(offer: &Offer, id: OfferId) -> Party {
    Party {
        who: offer.owner.clone(),
        likeness: offer.likeness.clone(),
        rating: Some(offer.rating),
        offer: id,
    }
}

fn bot_party(player: PlayerId) -> Party {
    let name: Arc<str> = bots::find(player).map_or("", |bot| bot.name).into();
    let who = Other { player, name: name.clone() };
    Party { who, likeness: name, rating: None, offer: OfferId(0) }
}
