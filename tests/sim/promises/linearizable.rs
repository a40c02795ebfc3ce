//! Histories are linearizable, room by room, seen in two ways: by the versions that every
//! answer carries ([`versions`](hangraft_lab::judge::versions)), and by a search that looks at
//! the chat only ([`search`](hangraft_lab::judge::search)).
//!
//! Local reads only promise that one connection to one replica never goes back.

use super::truth::Truth;
use super::{Broken, Verdict};
use crate::history::{Action, History, Level, Moment, Outcome};
use hangraft_game::{Lane, RoomId, Version};
use hangraft_lab::history::LINES_SHOWN;
use hangraft_lab::judge::search::{Explained, Listed, Operation, explain};
use hangraft_lab::judge::versions::{Late, Placed, sweep};
use std::collections::BTreeMap;

pub(super) const NAME: &str = "linearizable";

/// The sweep over versions.
pub(super) fn by_version(history: &History, truth: &Truth) -> Verdict {
    let mut rooms: BTreeMap<RoomId, Vec<Placed<String>>> = BTreeMap::new();
    for wish in &history.wishes {
        let Some((room, version, returned)) = place(wish, truth) else { continue };
        let made = truth.maker(room, version) == Some((wish.player, Lane::OWN, wish.serial));
        let found = if made { Version(version.0 - 1) } else { version };
        let what = format!("{} who wished for {:?}", wish.player, wish.action);
        let placed = Placed { what, invoked: wish.invoked, returned, found, left: version };
        rooms.entry(room).or_default().push(placed);
    }
    for read in history.reads.iter().filter(|read| read.level == Level::Linearizable) {
        rooms.entry(read.room).or_default().push(Placed {
            what: "a linearizable read".to_owned(),
            invoked: read.invoked,
            returned: read.returned,
            found: read.version,
            left: read.version,
        });
    }
    rooms.into_iter().try_for_each(|(room, placed)| {
        sweep(&placed).map_err(|Late { late, told }| {
            let how = format!(
                "in {room}, {}, who began at moment {}, found version {}, after {} had been told \
                 of version {}",
                late.what, late.invoked, late.found.0, told.what, told.left.0
            );
            Broken::new(NAME, how)
        })
    })
}

/// Where in the order a wish belongs, and when that was told.
fn place(wish: &crate::history::Wish, truth: &Truth) -> Option<(RoomId, Version, Moment)> {
    match (&wish.outcome, wish.returned) {
        (Outcome::Accepted { room, version }, Some(returned)) => Some((*room, *version, returned)),
        // It took effect, and nobody was told.
        (Outcome::Unknown, _) => {
            let (_, answer) = truth.attempt(wish)?;
            let reply = answer.as_ref().ok()?;
            Some((reply.room()?, reply.version()?, Moment::MAX))
        }
        _ => None,
    }
}

/// Local reads of one connection never go back.
pub(super) fn local_reads(history: &History) -> Verdict {
    let mut newest: BTreeMap<(u64, RoomId), Version> = BTreeMap::new();
    for read in &history.reads {
        let Level::Local { connection } = read.level else { continue };
        let before = newest.insert((connection, read.room), read.version).unwrap_or_default();
        if read.version < before {
            let how = format!(
                "a local read of {} gave version {} after {} on one connection",
                read.room, read.version.0, before.0
            );
            return Err(Broken::new(NAME, how));
        }
    }
    Ok(())
}

/// The search over the chat.
pub(super) fn by_search(history: &History, truth: &Truth) -> Verdict {
    let mut rooms: BTreeMap<RoomId, Vec<Operation>> = BTreeMap::new();
    for wish in &history.wishes {
        let Action::Say(room, text) = &wish.action else { continue };
        let returned = match wish.outcome {
            Outcome::Accepted { .. } => wish.returned.unwrap_or(Moment::MAX),
            // What was given up on may still have been said.
            Outcome::Unknown if truth.said(*room).contains(text) => Moment::MAX,
            Outcome::Unknown | Outcome::Refused(_) | Outcome::Offered { .. } | Outcome::Done => {
                continue;
            }
        };
        let what = Listed::Append(text.clone());
        let said = Operation { invoked: wish.invoked, returned, what };
        rooms.entry(*room).or_default().push(said);
    }
    for read in history.reads.iter().filter(|read| read.level == Level::Linearizable) {
        let what = Listed::Read(read.chat.clone());
        let read_ = Operation { invoked: read.invoked, returned: read.returned, what };
        rooms.entry(read.room).or_default().push(read_);
    }
    rooms.into_iter().try_for_each(|(room, operations)| match explain(&operations, LINES_SHOWN) {
        Explained::No(at) => {
            let how = format!(
                "no order of what was said in {room} explains {:?}, which returned at moment {}",
                operations[at].what, operations[at].returned
            );
            Err(Broken::new(NAME, how))
        }
        Explained::Perhaps => {
            let how = format!("the search for an order of what was said in {room} took too long");
            Err(Broken::new(NAME, how))
        }
        Explained::Yes => Ok(()),
    })
}
