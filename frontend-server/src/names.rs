//! What players are called.

use std::sync::Arc;

use hangraft_ids::PlayerId;

use crate::command::Refusal;

/// What somebody is called who has not said.
pub(crate) fn guest_name(player: PlayerId) -> Arc<str> {
    format!("Guest {:04}", player.0 % 10_000).into()
}

/// A name fit to be shown to others, or none if nothing was typed.
pub(crate) fn good_name(typed: &str) -> Result<Option<Arc<str>>, Refusal> {
    match hangraft_text::name(typed) {
        Ok(name) => Ok(Some(name.into())),
        Err(unfit) if unfit.is_empty() => Ok(None),
        Err(unfit) => Err(unfit.into()),
    }
}
