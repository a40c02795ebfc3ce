//! How a seeker plays a match: by what they see, at their leisure.
//!
//! Some let their clocks run out, resign, offer draws and claim what is not theirs yet. When
//! a round is over, or nothing happens for long, they ask for another or look elsewhere.

use super::Seeker;
use crate::history::Action;
use crate::players::Scene;
use crate::players::client::raw;
use hangraft_game::{RoomId, Version};
use hangraft_proto::socket::{Claim, Draw, Play, Request};
use serde_json::{Value, json};

/// Letters in the order in which people try them.
const LETTERS: &str = "etaoinshrdlcumwfgypbvkjxqz";

/// Of a million matches, so many are played by somebody who does not move.
const DAWDLES_PPM: u64 = 450_000;

/// Acts for which they stay where nothing changes.
const PATIENCE: u32 = 12;

/// Acts for which they stay when a round is over.
const PATIENCE_AFTER: u32 = 3;

/// Where somebody plays.
pub(super) struct Duel {
    room: RoomId,
    /// Lets the clock run out.
    dawdles: bool,
    /// What was seen when they acted last, and how often it was the same.
    seen: Option<Version>,
    same: u32,
}

impl Duel {
    pub(super) fn new(room: RoomId, scene: &Scene) -> Self {
        let dawdles = scene.world.happens(DAWDLES_PPM);
        Duel { room, dawdles, seen: None, same: 0 }
    }

    pub(super) fn room(&self) -> RoomId {
        self.room
    }

    /// Whether they let the clock run out.
    pub(super) fn dawdles(&self) -> bool {
        self.dawdles
    }

    /// How often what is to be seen was the same.
    fn waits(&mut self, seen: Option<Version>) -> u32 {
        self.same = if self.seen == seen { self.same + 1 } else { 0 };
        self.seen = seen;
        self.same
    }
}

impl Seeker {
    /// One thing in the match where they are.
    pub(super) async fn play(&mut self) {
        let seen = self.scene.judge().orders.since(self.me.id(), self.room());
        let Some(duel) = &mut self.duel else { return };
        let (waits, dawdles) = (duel.waits(seen), duel.dawdles);
        let Some(seat) = self.me.seat().map(|mine| mine["seat"].clone()) else {
            // Nothing to be seen yet, or nothing more.
            if waits > PATIENCE_AFTER {
                self.leave().await;
            }
            return;
        };
        let contest = self.me.view["match"].clone();
        if !contest["result"].is_null() {
            return self.is_over(waits).await;
        }
        if waits > PATIENCE {
            return self.give_up().await;
        }
        let dawdles = dawdles && contest["clock"].is_object();
        let offered = contest["draw_offered"].is_number() && contest["draw_offered"] != seat;
        match self.scene.world.draw(0..100) {
            0..2 => self.resign().await,
            2..5 => self.draw(true).await,
            5..6 => self.claim().await,
            6..50 if offered => {
                let agreed = self.scene.world.happens(500_000);
                self.draw(agreed).await;
            }
            _ if dawdles => {}
            _ => self.make_move(&seat).await,
        }
    }

    fn room(&self) -> RoomId {
        self.duel.as_ref().map_or(RoomId(0), Duel::room)
    }

    /// Asks for another round, waits for it, or goes.
    async fn is_over(&mut self, waits: u32) {
        match self.scene.world.draw(0..10) {
            0..4 => {
                let room = self.room();
                let here = self.me.here(room);
                self.me.wish(Action::Again(room), &Request::Rematch(here)).await;
            }
            4..8 if waits < PATIENCE_AFTER => {}
            _ => self.leave().await,
        }
    }

    /// Goes away, or even gets up.
    async fn give_up(&mut self) {
        if self.scene.world.happens(500_000) {
            let room = self.room();
            let here = self.me.here(room);
            self.me.wish(Action::Stand(room), &Request::Stand(here)).await;
        }
        self.leave().await;
    }

    async fn resign(&mut self) {
        let room = self.room();
        let here = self.me.here(room);
        self.me.wish(Action::Resign(room), &Request::Resign(here)).await;
    }

    async fn draw(&mut self, agreed: bool) {
        let room = self.room();
        let (name, serial) = (self.scene.name_of(room), self.me.next_serial());
        let draw = Draw { room: name.into(), agreed, serial };
        self.me.wish(Action::Draw(room, agreed), &Request::Draw(draw)).await;
    }

    /// Days are too short for anybody to have been gone for long enough: it is refused.
    async fn claim(&mut self) {
        let (room, win) = (self.room(), self.scene.world.happens(500_000));
        let (name, serial) = (self.scene.name_of(room), self.me.next_serial());
        let claim = Claim { room: name.into(), win, serial };
        self.me.wish(Action::Claim(room, win), &Request::Claim(claim)).await;
    }

    /// A move that fits what is seen, if it is theirs to make.
    async fn make_move(&mut self, seat: &Value) {
        let view = &self.me.view;
        let mv = match view["game"].as_str() {
            Some("tic-tac-toe") if view["turn"] == *seat => self.free_cell(),
            Some("hangman") => self.word_or_letter(),
            _ => None,
        };
        let Some(mv) = mv else { return };
        let (room, mv, serial) = (self.room(), raw(&mv), self.me.next_serial());
        let play = Play { room: self.scene.name_of(room).into(), mv: &mv, serial };
        self.me.wish(Action::Play(room), &Request::Play(play)).await;
    }

    fn free_cell(&self) -> Option<Value> {
        let cells = self.me.view["cells"].as_array()?;
        let free: Vec<usize> = (0..cells.len()).filter(|cell| cells[*cell].is_null()).collect();
        (!free.is_empty()).then(|| json!({"cell": self.scene.choose(&free)}))
    }

    fn word_or_letter(&self) -> Option<Value> {
        let view = &self.me.view;
        let sets = self.me.seat()?["role"] == "setter";
        match view["state"].as_str() {
            Some("waiting") if sets => {
                let word = self.scene.fresh_word();
                self.scene.judge().secret(self.room(), self.me.id(), &word);
                Some(json!({"secret": word}))
            }
            Some("playing") if !sets => {
                let tried = view["tried"].as_array()?;
                let known = |letter: &char| tried.iter().any(|t| t["letter"] == letter.to_string());
                let open: Vec<char> = LETTERS.chars().filter(|letter| !known(letter)).collect();
                let likely = &open[..open.len().min(6)];
                let letter = (!likely.is_empty()).then(|| self.scene.choose(likely))?;
                Some(json!({"letter": letter.to_string()}))
            }
            _ => None,
        }
    }
}
