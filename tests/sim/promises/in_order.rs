//! Pushes come in the order of their versions, with no gap that is not explained,
//! and show what was committed, as those eyes may see it.

use super::truth::Truth;
use super::{Broken, Verdict, steps};
use hangraft_game::{PlayerId, RoomId, Version};
use hangraft_lab::judge::in_order::OutOfOrder;
use hangraft_proto::socket::Code;
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) const NAME: &str = "in_order";

/// What each player has seen last of the room they watch; it outlives sockets.
pub(crate) type Orders = hangraft_lab::judge::in_order::Orders<PlayerId, RoomId>;

/// Who has not seen the newest version of what they watch, in words.
pub(super) fn behind(
    orders: &Orders,
    unwatched: &BTreeSet<(PlayerId, RoomId)>,
    truth: &Truth,
) -> Option<String> {
    let watched = |(player, room, _): &_| !unwatched.contains(&(*player, *room));
    orders.all().filter(watched).find_map(|(player, room, seen)| {
        let newest = truth.newest(room)?.version();
        (newest != seen)
            .then(|| format!("{player} has seen {room} at {}, not {}", seen.0, newest.0))
    })
}

/// Whether a view comes in its order.
pub(super) fn is_next(orders: &mut Orders, player: PlayerId, push: &Push<'_>) -> Verdict {
    let Push { room, version, resync, closed, .. } = *push;
    orders.see(player, room, version, resync, closed).map_err(|OutOfOrder { before, gap }| {
        let unexplained = if gap { ", unexplained" } else { "" };
        let how =
            format!("{player} saw version {} of {room} after {}{unexplained}", version.0, before.0);
        Broken::new(NAME, how)
    })
}

/// A watch may be refused for many reasons, but a room that lives is not denied.
pub(super) fn may_refuse(player: PlayerId, room: RoomId, code: Code, truth: &Truth) -> Verdict {
    if code == Code::NoSuchRoom && !truth.has_left(room) {
        let how = format!("{player} was told that there is no {room}; there is");
        return Err(Broken::new(NAME, how));
    }
    Ok(())
}

/// A view that was pushed.
pub(crate) struct Push<'a> {
    pub(crate) room: RoomId,
    pub(crate) version: Version,
    /// As it was sent, or put together from steps.
    pub(crate) view: &'a str,
    /// It says that versions were left out.
    pub(crate) resync: bool,
    /// It says that the room has left the lobby.
    pub(crate) closed: bool,
    /// The player is told in steps, and shown nothing of what was said.
    pub(crate) in_steps: bool,
}

/// Whether a view is the committed one.
pub(super) fn is_true(player: PlayerId, push: &Push<'_>, truth: &Truth) -> Verdict {
    let Push { room, version, view, closed, in_steps, .. } = *push;
    let Version(number) = version;
    if closed && !truth.has_left(room) {
        let how = format!("{player} was told at version {number} that {room} is over; it is not");
        return Err(Broken::new(NAME, how));
    }
    let Some(known) = truth.room(room, version) else {
        let how = format!("{player} saw version {number} of {room}, which nobody has committed");
        return Err(Broken::new(NAME, how));
    };
    let right = known.view(Some(player));
    if in_steps {
        return steps::is_true(player, push, &right);
    }
    // The order of fields is a frontend's that has put the view together from steps.
    let json = |text: &str| serde_json::from_str::<Value>(text).ok();
    if right != view && json(&right) != json(view) {
        let how = format!(
            "{player} saw of version {number} of {room} {view}, and should have seen {right}"
        );
        return Err(Broken::new(NAME, how));
    }
    Ok(())
}
