//! What can be looked up in a lobby besides its rooms.

use super::Lobby;
use crate::notices::Told;
use crate::offers::OpenOffer;
use crate::ratings::Ladder;
use crate::rules::State;
use hangraft_ids::{NoticeNumber, OfferId, PlayerId};

impl Lobby {
    /// What a player was told after the notice with this number, 0 for all there is.
    /// Without one, nothing of what was before.
    pub fn notices_after(&self, player: PlayerId, since: Option<NoticeNumber>) -> Told {
        self.notices.after(player, since)
    }

    /// Another number whenever other seeks are open.
    pub fn seeks_changed(&self) -> u64 {
        self.offers.seeks_changed()
    }

    /// The newest open seeks, at most `limit`, and how many there are.
    pub fn open_seeks(&self, limit: usize) -> (Vec<OpenOffer>, usize) {
        self.offers.open_seeks(limit, self.now_ms())
    }

    /// The offer with this number, if it stands.
    pub fn offer(&self, id: OfferId) -> Option<OpenOffer> {
        self.offers.shown(id, self.now_ms())
    }

    /// Another number whenever the numbers are others.
    pub fn live_changed(&self) -> u64 {
        let (online, playing) = (self.presence.online() as u64, self.playing() as u64);
        self.numbers.changed() ^ online.rotate_left(48) ^ playing.rotate_left(32)
    }

    /// The numbers, as a JSON object.
    pub fn live_json(&self) -> String {
        self.numbers.live_json(self.presence.online(), self.playing())
    }

    /// The last hour, minute by minute, as a JSON array; and which minute is the last.
    pub fn minutes_json(&self) -> (u64, String) {
        self.numbers.minutes_json()
    }

    /// The best at a game, of this week or of all time, at most `limit`, as a JSON object.
    pub fn ladder_json(&self, game: &str, week: bool, limit: usize) -> String {
        let ladder = if week { Ladder::Week(self.numbers.week()) } else { Ladder::AllTime };
        self.ratings.ladder_json(game, ladder, self.numbers.week(), limit)
    }

    /// What there is to know of a player, as a JSON object.
    pub fn card_json(&self, player: PlayerId) -> String {
        self.ratings.card_json(player)
    }

    /// Rounds of matches that were decided, ever.
    pub fn matches(&self) -> u64 {
        self.numbers.matches()
    }

    /// Rooms in which a round is being played.
    pub fn playing(&self) -> usize {
        self.rooms.count_in(State::Playing)
    }
}
