//! Who is told in steps sees what was committed: a view that is kept by its steps is the
//! room's at that version, as those eyes may see it, without what was said.

use super::in_order::Push;
use super::{Broken, Verdict};
use hangraft_game::{PlayerId, RoomId, Version};
use serde_json::{Map, Value};

pub(super) const NAME: &str = "steps";

/// Whether a view that is kept by its steps is the right one.
pub(super) fn is_true(player: PlayerId, push: &Push<'_>, right: &str) -> Verdict {
    let object = |json| -> Map<String, Value> { serde_json::from_str(json).expect("an object") };
    let (kept, mut right) = (object(push.view), object(right));
    right.remove("chat");
    let differs = |(name, value): &(&String, &Value)| kept.get(*name) != Some(value);
    let wrong = right.iter().find(differs).map(|(name, value)| (name, Some(value)));
    let extra = kept.keys().find(|name| !right.contains_key(*name));
    let Some((name, value)) = wrong.or_else(|| extra.map(|name| (name, None))) else {
        return Ok(());
    };
    let (room, version, kept) = (push.room, push.version.0, kept.get(name));
    let how = format!(
        "{player} has of version {version} of {room}, by its steps, {name} as {kept:?}, and should have {value:?}"
    );
    Err(Broken::new(NAME, how))
}

/// A step begins at another version than what was shown last.
pub(super) fn begins_elsewhere(
    player: PlayerId,
    room: RoomId,
    shown: Version,
    version: Version,
) -> Broken {
    let (shown, version) = (shown.0, version.0);
    Broken::new(NAME, format!("{player} was told a step to {version} of {room} after {shown}"))
}
