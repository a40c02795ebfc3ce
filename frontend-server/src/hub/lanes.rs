//! All players who are followed, each in a [`Lane`]. Pure.

use std::{collections::HashMap, time::Instant};

use hangraft_ids::PlayerId;

use super::lane::{Following, Lane};
use crate::{
    mailbox::{Mail, SocketId},
    upstream::{FollowRequest, Told},
};

/// Questions of one lane; the next lane numbers its own from behind them. One a millisecond
/// for a day are less.
const QUESTIONS_MAX: u64 = 1 << 27;

/// All players who are followed. `W` is how to reach a session.
#[derive(Debug)]
pub(super) struct Lanes<W> {
    lanes: HashMap<PlayerId, Lane<W>>,
    /// Whom a session hears of: its own player.
    sessions: HashMap<SocketId, PlayerId>,
    /// Lanes ever begun.
    begun: u64,
}

impl<W> Lanes<W> {
    pub(super) fn new() -> Self {
        Self { lanes: HashMap::new(), sessions: HashMap::new(), begun: 0 }
    }

    /// How many players are followed.
    pub(super) fn len(&self) -> usize {
        self.lanes.len()
    }

    /// A session wants to hear what its player is told.
    pub(super) fn join(
        &mut self,
        player: PlayerId,
        following: Following<W>,
        now: Instant,
        deliver: &mut impl FnMut(&W, Mail),
    ) -> Option<FollowRequest> {
        self.sessions.insert(following.session, player);
        let lane = self.lanes.entry(player).or_insert_with(|| {
            self.begun += 1;
            Lane::new(player, self.begun * QUESTIONS_MAX)
        });
        lane.join(following, now, deliver)
    }

    /// A session is gone.
    pub(super) fn leave(&mut self, session: SocketId, now: Instant) {
        let player = self.sessions.remove(&session);
        if let Some(lane) = player.and_then(|player| self.lanes.get_mut(&player)) {
            lane.leave(session, now);
        }
    }

    /// A node says something of a player; perhaps there is more to ask.
    pub(super) fn hear(
        &mut self,
        told: &Told,
        deliver: &mut impl FnMut(&W, Mail),
    ) -> Option<FollowRequest> {
        self.lanes.get_mut(&told.player)?.hear(told, deliver)
    }

    /// There is another node to follow through: what it is to be asked.
    pub(super) fn moved(&mut self) -> Vec<FollowRequest> {
        self.lanes.values_mut().map(Lane::moved).collect()
    }

    /// Everybody who is followed.
    pub(super) fn players(&self) -> impl Iterator<Item = PlayerId> {
        self.lanes.keys().copied()
    }

    /// Time has passed: refuses those who waited too long, and forgets whom nobody hears of
    /// any more, who are not to be followed from now on.
    pub(super) fn sweep(
        &mut self,
        now: Instant,
        deliver: &mut impl FnMut(&W, Mail),
    ) -> Vec<PlayerId> {
        self.lanes.values_mut().for_each(|lane| lane.sweep(now, deliver));
        let abandoned = self.lanes.extract_if(|_, lane| lane.is_abandoned(now));
        abandoned.map(|(player, _)| player).collect()
    }
}
