//! What rooms have done to the rest of the lobby: who is to be told, which rounds count.

use super::Lobby;
use super::outcome::Passed;
use crate::bots;
use crate::clock::Now;
use crate::command::Edition;
use crate::contest::Ended;
use crate::notices::{Notice, Score};
use crate::outbox::Outbox;
use crate::ratings::When;
use hangraft_ids::PlayerId;

impl Lobby {
    /// Takes what rooms have put aside for others. Called behind every entry and every tick,
    /// so that nothing stays between two of them.
    ///
    /// Before every member knew of matches, nobody counted. From the first such batch on
    /// everything counts, also in one that a new leader wrote before it knew.
    pub(super) fn settle(&mut self, now: Now, led_to: &mut Passed) {
        let Outbox { notices, ended, moved } = self.rooms.take_outbox();
        if now.edition < Edition::Third && self.numbers.is_empty() {
            return;
        }
        if moved > 0 {
            self.numbers.moved(moved);
        }
        for ended in &ended {
            self.count_round(ended, now);
        }
        for (player, notice) in notices {
            self.post(player, notice, now, led_to);
        }
    }

    /// Tells a player something, wherever they are.
    pub(super) fn post(&mut self, player: PlayerId, notice: Notice, now: Now, led_to: &mut Passed) {
        if bots::find(player).is_none() {
            self.notices.post(player, notice, now.ms);
            led_to.told.push(player);
        }
    }

    /// Counts a round that was decided, once, and shows in its room what it did.
    fn count_round(&mut self, ended: &Ended, now: Now) {
        let when = When { now_ms: now.ms, week: self.numbers.week() };
        let mut streak = 0;
        if let Some(changes) = self.ratings.record(ended, when) {
            self.rooms.amend(ended.room, |room| room.show_ratings(changes));
            let winner = ended.sides.iter().find(|side| side.score == Score::Won);
            streak = winner.map_or(0, |won| self.ratings.streak(ended.game, won.player));
        }
        self.numbers.ended(ended, streak);
    }
}
