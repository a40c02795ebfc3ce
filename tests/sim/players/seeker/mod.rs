//! A seeker, who looks for somebody to play with.
//!
//! They follow what they are told, seek, challenge each other and bots, pass links on, take
//! what others offer, decline and withdraw; they go where they are told that a game is, play
//! it by what they see, and seek again. Like players they insist on what they wish for, change
//! frontends and stay away.

mod duel;

use super::Scene;
use super::client::{Client, raw};
use crate::clock::MILLI;
use crate::history::{Action, Outcome};
use duel::Duel;
use hangraft_game::{OfferId, PlayerId, RoomId};
use hangraft_proto::socket::{Challenge, Code, NoticeKind, OfOffer, Request, Seek};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::Duration;

/// Own offers, as far as they know, above which they make no more.
const OPEN_MAX: usize = 3;

/// Links and seeks that they remember of others.
const OFFERS_KNOWN: usize = 6;

pub(crate) struct Seeker {
    scene: Scene,
    me: Client,
    /// Where they play.
    duel: Option<Duel>,
    /// Where they were told that a game waits for them.
    rooms: VecDeque<RoomId>,
    /// Their own offers that stand, as far as they know.
    open: Vec<OfferId>,
    /// Challenges to them that stand, as far as they know.
    asked: VecDeque<OfferId>,
}

/// What they want to play.
struct Taste {
    game: &'static str,
    options: Value,
    clock: u8,
    rated: bool,
}

impl Seeker {
    pub(crate) fn new(scene: &Scene, number: usize) -> Self {
        let me = Client::new(scene, format!("S{number}"), number, true);
        let (rooms, asked) = (VecDeque::new(), VecDeque::new());
        Seeker { scene: scene.clone(), me, duel: None, rooms, open: Vec::new(), asked }
    }

    /// Lives until the world closes.
    pub(crate) async fn run(mut self) {
        self.me.be_connected().await;
        let me = self.me.id();
        self.scene.tables().seekers.push(me);
        while !self.scene.closing() {
            let thinking = self.scene.world.draw(300 * MILLI..1_700 * MILLI);
            self.me.look_on(Duration::from_nanos(thinking)).await;
            self.read_notices();
            self.act().await;
        }
        self.seek_once_more().await;
        self.scene.tables().playing -= 1;
        loop {
            self.me.look_on(Duration::from_secs(1)).await;
        }
    }

    /// The wish after the last fault: a bot plays at once, if nobody else does.
    async fn seek_once_more(&mut self) {
        loop {
            let outcome = self.seek(Some(0), false).await;
            let agreed_on = self.scene.judge().truth.knows_matches();
            if outcome != Outcome::Refused(Code::BadRequest) || !agreed_on {
                self.scene.judge().last_sought(&self.me.name, &outcome);
                return;
            }
            // Not all nodes have heard by now that everybody knows what a match is.
            self.me.look_on(Duration::from_millis(300)).await;
        }
    }

    fn read_notices(&mut self) {
        for notice in std::mem::take(&mut self.me.notices) {
            let room = notice.room.as_ref().map(|name| self.scene.room_called(name));
            let offer = notice.offer.as_ref().map(|name| self.scene.offer_called(name));
            self.open.retain(|open| Some(*open) != offer);
            self.asked.retain(|asked| Some(*asked) != offer);
            match notice.kind {
                NoticeKind::Challenged => self.asked.extend(offer),
                NoticeKind::Matched | NoticeKind::Turn | NoticeKind::Rematch => self.note(room),
                NoticeKind::Unmatched
                | NoticeKind::Unchallenged
                | NoticeKind::Over
                | NoticeKind::Other => {}
            }
        }
    }

    /// There is something to do in a room.
    fn note(&mut self, room: Option<RoomId>) {
        let is_there = self.duel.as_ref().map(Duel::room);
        let new = |room: &RoomId| Some(*room) != is_there && !self.rooms.contains(room);
        if let Some(room) = room.filter(new) {
            self.rooms.push_back(room);
        }
    }

    /// One thing, whatever fits.
    async fn act(&mut self) {
        match self.scene.world.draw(0..100) {
            0..3 => return self.me.go_on(),
            3..5 => return self.me.stay_away().await,
            5..60 if !self.asked.is_empty() => return self.answer().await,
            60..70 => return self.look_for_somebody().await,
            70..74 => return self.leave().await,
            _ => {}
        }
        let elsewhere = |duel: &Duel| duel.dawdles() && !self.rooms.is_empty();
        if !self.duel.as_ref().is_none_or(elsewhere) {
            return self.play().await;
        }
        match self.rooms.pop_front() {
            Some(room) => self.go_to(room).await,
            None => self.look_for_somebody().await,
        }
    }

    async fn go_to(&mut self, room: RoomId) {
        self.leave().await;
        self.me.watch(room).await;
        self.duel = Some(Duel::new(room, &self.scene));
    }

    /// Looks away from where they play.
    async fn leave(&mut self) {
        if self.duel.take().is_some() {
            self.me.unwatch().await;
        }
    }

    /// Answers whoever has challenged them.
    async fn answer(&mut self) {
        let Some(offer) = self.asked.pop_front() else { return };
        match self.scene.world.draw(0..10) {
            0..6 => self.accept(offer).await,
            6..9 => self.about(Action::Decline(offer), Request::Decline, offer).await,
            _ => {}
        }
    }

    async fn look_for_somebody(&mut self) {
        if self.open.len() >= OPEN_MAX || !self.open.is_empty() && self.scene.world.happens(150_000)
        {
            let offer = *self.scene.choose(&self.open);
            return self.about(Action::Withdraw(offer), Request::Withdraw, offer).await;
        }
        match self.scene.world.draw(0..100) {
            0..55 => _ = self.sought().await,
            55..65 => self.challenge_a_seeker().await,
            65..70 => self.challenge_a_bot().await,
            70..76 => self.challenge(None).await,
            76..90 => self.take_what_is_offered().await,
            // They wait for what is under way.
            _ => {}
        }
    }

    async fn sought(&mut self) -> Outcome {
        let bot_after_ms = *self.scene.choose(&[None, None, Some(0), Some(2_000), Some(8_000)]);
        self.seek(bot_after_ms, true).await
    }

    async fn seek(&mut self, bot_after_ms: Option<u32>, gives_up: bool) -> Outcome {
        let Taste { game, options, clock, rated } = self.taste();
        let within = *self.scene.choose(&[None, None, Some(0), Some(40), Some(400)]);
        let (options, serial) = (raw(&options), self.me.next_serial());
        let options = Some(&*options);
        let seek = Seek { game: game.into(), options, clock, rated, within, bot_after_ms, serial };
        let request = Request::Seek(seek);
        let outcome = if gives_up {
            self.me.wish(Action::Seek, &request).await
        } else {
            self.me.insist(Action::Seek, &request, false).await
        };
        self.heard(&outcome, true);
        outcome
    }

    /// Most want the same, so that they find each other.
    fn taste(&self) -> Taste {
        let tic_tac_toe = |clock, rated| {
            let (game, options) = ("tic-tac-toe", json!({}));
            Taste { game, options, clock, rated }
        };
        match self.scene.world.draw(0..100) {
            0..65 => tic_tac_toe(5, true),
            65..77 => tic_tac_toe(0, true),
            77..85 => tic_tac_toe(6, false),
            _ => Taste { game: "hangman", options: json!({}), clock: 6, rated: true },
        }
    }

    async fn challenge_a_seeker(&mut self) {
        let others = self.scene.tables().seekers.clone();
        let other = *self.scene.choose(&others);
        // One's own name is refused.
        self.challenge(Some(other)).await;
    }

    async fn challenge_a_bot(&mut self) {
        if !self.me.bots.is_empty() {
            let bot = self.scene.choose(&self.me.bots).player;
            self.challenge(Some(bot)).await;
        }
    }

    async fn challenge(&mut self, player: Option<PlayerId>) {
        let Taste { game, options, clock, rated } = self.taste();
        let (options, serial) = (raw(&options), self.me.next_serial());
        let options = Some(&*options);
        let challenge = Challenge { player, game: game.into(), options, clock, rated, serial };
        let action = Action::Challenge(player);
        let outcome = self.me.wish(action, &Request::Challenge(challenge)).await;
        self.heard(&outcome, player.is_none());
    }

    /// Takes what others look for: what the lobby shows, or a link that was passed on and
    /// perhaps leads nowhere by now.
    async fn take_what_is_offered(&mut self) {
        let shown = self.me.lobby.seeks.first();
        let shown = shown.map(|seek| self.scene.offer_called(&seek.offer));
        let linked = self.scene.tables().offers.clone();
        let known: Vec<OfferId> = shown.into_iter().chain(linked).collect();
        if !known.is_empty() {
            let offer = *self.scene.choose(&known);
            self.accept(offer).await;
        }
    }

    async fn accept(&mut self, offer: OfferId) {
        self.about(Action::Accept(offer), Request::Accept, offer).await;
    }

    /// Says what is to become of an offer.
    async fn about(
        &mut self,
        action: Action,
        request: impl FnOnce(OfOffer<'static>) -> Request<'static>,
        offer: OfferId,
    ) {
        let (name, serial) = (self.scene.name_of_offer(offer), self.me.next_serial());
        let request = request(OfOffer { offer: name.into(), serial });
        let outcome = self.me.wish(action, &request).await;
        if outcome == Outcome::Done || matches!(outcome, Outcome::Refused(_)) {
            self.open.retain(|open| *open != offer);
        }
        self.heard(&outcome, false);
    }

    /// An offer that stands is theirs, and perhaps passed on; one that does not has led to a
    /// game.
    fn heard(&mut self, outcome: &Outcome, passed_on: bool) {
        let Outcome::Offered { offer, room } = *outcome else { return };
        if room.is_some() {
            return self.note(room);
        }
        self.open.push(offer);
        if passed_on {
            let mut tables = self.scene.tables();
            tables.offers.insert(0, offer);
            tables.offers.truncate(OFFERS_KNOWN);
        }
    }
}
