//! Pushes of a room come to a client in the order of their versions, with no gap that is not
//! explained.

use hangraft_ids::Version;
use std::collections::BTreeMap;

/// What each client has seen last of each room it watches; it outlives connections.
#[derive(Debug)]
pub struct Orders<C, R>(BTreeMap<(C, R), Version>);

/// A push that came out of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfOrder {
    /// The version the client had seen before.
    pub before: Version,
    /// It leads forward, but versions are missing, and nothing says so.
    pub gap: bool,
}

impl<C, R> Default for Orders<C, R> {
    fn default() -> Self {
        Orders(BTreeMap::new())
    }
}

impl<C: Copy + Ord, R: Copy + Ord> Orders<C, R> {
    /// The version to resume from.
    pub fn since(&self, client: C, room: R) -> Option<Version> {
        self.0.get(&(client, room)).copied()
    }

    /// Somebody was told that the room is gone, and looks at it no more.
    pub fn forget(&mut self, client: C, room: R) {
        self.0.remove(&(client, room));
    }

    /// What everybody has seen last.
    pub fn all(&self) -> impl Iterator<Item = (C, R, Version)> {
        self.0.iter().map(|((client, room), seen)| (*client, *room, *seen))
    }

    /// A view has come. One made anew, which says `resync`, may follow upon any version, but
    /// leads forward; only the last of a room, which says `closed`, may come again, to say that
    /// it is the last.
    ///
    /// # Errors
    /// When it leads back, or leaves something out and does not say so.
    pub fn see(
        &mut self,
        client: C,
        room: R,
        version: Version,
        resync: bool,
        closed: bool,
    ) -> Result<(), OutOfOrder> {
        let Some(before) = self.0.insert((client, room), version) else { return Ok(()) };
        let gap = version > before;
        let right = if gap {
            resync || version == before.next()
        } else {
            version == before && resync && closed
        };
        if right { Ok(()) } else { Err(OutOfOrder { before, gap }) }
    }
}
