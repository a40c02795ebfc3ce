//! What a room is asked that changes nothing beside it. A new command of this kind has its
//! place here, and what it does.

use super::{Room, Step};
use crate::answer::Rejection;
use crate::command::Command;
use crate::event::Event;
use hangraft_ids::PlayerId;

impl Room {
    /// Does what a player asks of this room, or says why not.
    pub(crate) fn take(
        &mut self,
        player: PlayerId,
        asked: &Command,
        step: &mut Step<'_>,
    ) -> Result<(), Rejection> {
        match asked {
            Command::Play { mv, .. } => self.play(player, mv, step),
            Command::Again { .. } => self.again(player, step),
            Command::Say { name, text, .. } => self.say(player, name, text, step),
            Command::Lock { locked, .. } => self.lock(player, *locked, step),
            Command::Publish { public, .. } => self.publish(player, *public, step),
            Command::Open { .. }
            | Command::Host { .. }
            | Command::Sit { .. }
            | Command::Join { .. }
            | Command::Stand { .. }
            | Command::Remove { .. }
            | Command::Presence { .. }
            | Command::Here { .. }
            | Command::Seek { .. }
            | Command::Challenge { .. }
            | Command::Accept { .. }
            | Command::Decline { .. }
            | Command::Withdraw { .. } => Err(Rejection::bad_request("a lobby is asked that")),
            Command::Resign { .. } => self.resign(player, step),
            Command::Draw { agreed, .. } => self.draw(player, *agreed, step),
            Command::Claim { win, .. } => self.claim(player, *win, step),
        }
    }

    /// The host lets nobody new sit down, or somebody again. Nothing happens if it is
    /// so already.
    fn lock(&mut self, host: PlayerId, locked: bool, step: &mut Step<'_>) -> Result<(), Rejection> {
        let terms = self.terms_of_host(host)?;
        if std::mem::replace(&mut terms.locked, locked) != locked {
            step.events.push(Event::Locked { locked });
        }
        Ok(())
    }

    /// The host lets strangers find the room, or nobody any more. Nothing happens if it is
    /// so already.
    fn publish(
        &mut self,
        host: PlayerId,
        public: bool,
        step: &mut Step<'_>,
    ) -> Result<(), Rejection> {
        let terms = self.terms_of_host(host)?;
        if std::mem::replace(&mut terms.public, public) != public {
            step.events.push(Event::Published { public });
        }
        Ok(())
    }
}
