//! What can be looked up in a lobby besides its rooms.

use super::Lobby;
use crate::notices::Told;
use crate::offers::OpenOffer;
use hangraft_ids::{NoticeNumber, OfferId, PlayerId};

impl Lobby {
    /// What a player was told after the notice with this number, 0 for all there is.
    /// Without one, nothing of what was before.
    pub fn notices_after(&self, player: PlayerId, since: Option<NoticeNumber>) -> Told {
        self.notices.after(player, since)
    }

    /// Another number whenever the open seeks are others.
    pub fn seeks_changed(&self) -> u64 {
        0
    }

    /// The newest open seeks, at most `limit`, and how many there are.
    pub fn open_seeks(&self, _limit: usize) -> (Vec<OpenOffer>, usize) {
        (Vec::new(), 0)
    }

    /// The offer with this number, if it stands.
    pub fn offer(&self, _id: OfferId) -> Option<OpenOffer> {
        None
    }

    /// Another number whenever the numbers are others.
    pub fn live_changed(&self) -> u64 {
        0
    }

    /// The numbers, as a JSON object.
    pub fn live_json(&self) -> String {
        "{}".to_owned()
    }

    /// The last hour, minute by minute, as a JSON array; and which minute is the last.
    pub fn minutes_json(&self) -> (u64, String) {
        (0, "[]".to_owned())
    }

    /// The best at a game, of this week or of all time, at most `limit`, as a JSON object.
    pub fn ladder_json(&self, _game: &str, _week: bool, _limit: usize) -> String {
        r#"{"names":[]}"#.to_owned()
    }

    /// What there is to know of a player, as a JSON object.
    pub fn card_json(&self, _player: PlayerId) -> String {
        "{}".to_owned()
    }
}
