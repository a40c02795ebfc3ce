//! Offers: open wishes for a game of two.

use std::sync::Arc;

use crate::command::Wanted;
use crate::notices::Rating;
use hangraft_ids::{OfferId, PlayerId};

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
