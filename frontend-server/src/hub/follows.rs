//! All players who are followed. Pure.

use std::{collections::HashMap, time::Instant};

use hangraft_ids::PlayerId;

use super::followed::{Followed, Listener};
use crate::{
    mailbox::{Mail, SocketId},
    upstream::{FollowRequest, Told},
};

/// Questions about one player; those about the next are numbered from behind them. One a
/// millisecond for a day are less.
const QUESTIONS_MAX: u64 = 1 << 27;

/// All players who are followed. `W` is how to reach a session.
#[derive(Debug)]
pub(super) struct Follows<W> {
    players: HashMap<PlayerId, Followed<W>>,
    /// Whom a session hears of: its own player.
    sessions: HashMap<SocketId, PlayerId>,
    /// Players ever begun with.
    begun: u64,
}

impl<W> Follows<W> {
    pub(super) fn new() -> Self {
        Self { players: HashMap::new(), sessions: HashMap::new(), begun: 0 }
    }

    /// How many players are followed.
    pub(super) fn len(&self) -> usize {
        self.players.len()
    }

    /// A session wants to hear what its player is told.
    pub(super) fn join(
        &mut self,
        player: PlayerId,
        listener: Listener<W>,
        now: Instant,
        deliver: &mut impl FnMut(&W, Mail),
    ) -> Option<FollowRequest> {
        self.sessions.insert(listener.session, player);
        let followed = self.players.entry(player).or_insert_with(|| {
            self.begun += 1;
            Followed::new(player, self.begun * QUESTIONS_MAX)
        });
        followed.join(listener, now, deliver)
    }

    /// A session is gone.
    pub(super) fn leave(&mut self, session: SocketId, now: Instant) {
        let player = self.sessions.remove(&session);
        if let Some(followed) = player.and_then(|player| self.players.get_mut(&player)) {
            followed.leave(session, now);
        }
    }

    /// A node says something of a player; perhaps there is more to ask.
    pub(super) fn hear(
        &mut self,
        told: &Told,
        deliver: &mut impl FnMut(&W, Mail),
    ) -> Option<FollowRequest> {
        self.players.get_mut(&told.player)?.hear(told, deliver)
    }

    /// There is another node to follow through: what it is to be asked.
    pub(super) fn moved(&mut self) -> Vec<FollowRequest> {
        self.players.values_mut().map(Followed::moved).collect()
    }

    /// Everybody who is followed.
    pub(super) fn players(&self) -> impl Iterator<Item = PlayerId> {
        self.players.keys().copied()
    }

    /// Time has passed: refuses those who waited too long, and forgets whom nobody hears of
    /// any more, who are not to be followed from now on.
    pub(super) fn sweep(
        &mut self,
        now: Instant,
        deliver: &mut impl FnMut(&W, Mail),
    ) -> Vec<PlayerId> {
        self.players.values_mut().for_each(|one| one.sweep(now, deliver));
        let abandoned = self.players.extract_if(|_, one| one.is_abandoned(now));
        abandoned.map(|(player, _)| player).collect()
    }
}
