//! The people around a board: who sits where, and who is here.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use hangraft_ids::{PlayerId, Seat};

/// The people around a board, at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Table<'a> {
    pub(crate) seats: &'a [Option<Sitter>],
    pub(crate) people: &'a BTreeMap<PlayerId, Person>,
    /// Whose turn it is next depends on who is here. Not so in rooms of before.
    pub(crate) prefer_here: bool,
    /// Who has been away for so long that their seat may be taken; of several, the longest.
    pub(crate) long_gone: Option<PlayerId>,
    /// The moment, in lobby time: now, or when the version that is looked at was made.
    pub(crate) at_ms: u64,
}

/// A seat and who sat there at the time. Seats change hands; what was done
/// stays with who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Who {
    pub(crate) seat: Seat,
    pub(crate) player: PlayerId,
}

/// Who has a seat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sitter {
    pub(crate) player: PlayerId,
    /// Is here. Sitting down counts as being here, until presence says otherwise or
    /// says nothing for a while.
    pub(crate) online: bool,
}

/// Who is, or was, at the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) name: Arc<str>,
    pub(crate) points: u32,
}

impl<'a> Table<'a> {
    /// The seats that are taken, from the lowest.
    pub(crate) fn taken(&self) -> impl Iterator<Item = Who> + use<'a> {
        (0..).zip(self.seats).filter_map(|(seat, sitter)| {
            sitter.as_ref().map(|sitter| Who { seat: Seat(seat), player: sitter.player })
        })
    }

    /// Whether no seat is free.
    pub(crate) fn is_full(&self) -> bool {
        self.seats.iter().all(Option::is_some)
    }

    /// The next taken seat after this one, around the table, of somebody who is here
    /// if anybody is; the seat itself comes last.
    pub(crate) fn next_after(&self, seat: Seat) -> Option<Who> {
        let around = || {
            let (before, behind): (Vec<Who>, Vec<Who>) =
                self.taken().partition(|who| who.seat <= seat);
            behind.into_iter().chain(before)
        };
        let here = self.prefer_here.then(|| around().find(|who| self.is_online(who.player)));
        here.flatten().or_else(|| around().next())
    }

    /// The first taken seat, of somebody who is here if anybody is.
    pub(crate) fn first(&self) -> Option<Who> {
        let here = |who: &Who| self.is_online(who.player);
        let first = self.prefer_here.then(|| self.taken().find(here)).flatten();
        first.or_else(|| self.taken().next())
    }

    /// Where a player sits.
    pub(crate) fn seat_of(&self, player: PlayerId) -> Option<Seat> {
        self.taken().find(|who| who.player == player).map(|who| who.seat)
    }

    /// Whether a player sits here and is here.
    pub(crate) fn is_online(&self, player: PlayerId) -> bool {
        self.seats.iter().flatten().any(|sitter| sitter.player == player && sitter.online)
    }

    /// The name a player has, or had, at this table.
    pub(crate) fn name(&self, player: PlayerId) -> Arc<str> {
        self.people.get(&player).map_or_else(|| "someone".into(), |person| person.name.clone())
    }
}
