//! Games that have left the lobby: the newest in memory, the rest in the archive.

use crate::format::corrupt;
use crate::raft::machine::Machine;
use hangraft_game::{Finished, RoomId};
use std::collections::BTreeMap;
use std::io;

/// All games that have left the lobby, as far as this replica has them.
#[derive(Clone)]
pub(crate) struct FinishedGames(Machine);

impl FinishedGames {
    pub(crate) fn of(machine: &Machine) -> Self {
        FinishedGames(machine.clone())
    }

    /// The game of one room.
    ///
    /// # Errors
    /// When the archive cannot be read, and `InvalidData` when it holds something else.
    pub(crate) async fn get(&self, room: RoomId) -> io::Result<Option<Finished>> {
        let bytes = match self.0.recently_finished(room) {
            Some(bytes) => Some(bytes),
            None => self.0.archive().get(room).await?,
        };
        bytes.map(|bytes| decode(&bytes)).transpose()
    }

    /// Games of rooms before `before`, newest first.
    ///
    /// Games that are still in memory are newer than most in the archive, but not than
    /// all: a room may live long. Both are merged by room number.
    ///
    /// # Errors
    /// As for [`FinishedGames::get`].
    pub(crate) async fn page(
        &self,
        before: Option<RoomId>,
        limit: usize,
    ) -> io::Result<Vec<(RoomId, Finished)>> {
        let recent = self.0.recently_finished_page(before, limit);
        let stored = self.0.archive().page(before, limit).await?;
        let merged: BTreeMap<_, _> = stored.into_iter().chain(recent).collect();
        let newest = merged.into_iter().rev().take(limit);
        newest.map(|(room, bytes)| Ok((room, decode(&bytes)?))).collect()
    }
}

fn decode(bytes: &[u8]) -> io::Result<Finished> {
    Finished::decode(bytes).map_err(|err| corrupt(err.to_string()))
}
