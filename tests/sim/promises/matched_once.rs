//! An offer ends at most once: by one match, of which both players are told, or without one,
//! of which its owner is told why. Nobody is matched by one seek twice, whatever is sent
//! again. What was answered has ended or stands.

use super::truth::{Happened, Truth};
use super::{Broken, Verdict};
use crate::history::{Action, History, Outcome, Wish};
use hangraft_game::{Notice, OfferId, PlayerId, RoomId};
use std::collections::BTreeMap;

pub(super) const NAME: &str = "matched_once";

/// How offers have ended, for each player who was told.
#[derive(Default)]
pub(super) struct Ends(BTreeMap<(OfferId, PlayerId), End>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Match(RoomId),
    Without,
}

impl Ends {
    /// How many offers have ended, each for whom it has.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn see(&mut self, happened: &Happened) -> Verdict {
        let Happened::Told { player, notice, .. } = happened else { return Ok(()) };
        let (offer, end) = match notice {
            Notice::Matched { offer, room, .. } => (*offer, End::Match(*room)),
            Notice::Unmatched { offer, .. } => (*offer, End::Without),
            _ => return Ok(()),
        };
        let others = self.0.range((offer, PlayerId(0))..=(offer, PlayerId(u64::MAX)));
        let other = others.map(|(_, other)| *other).find(|other| *other != end);
        let before = self.0.insert((offer, *player), end);
        match before.or(other) {
            None => Ok(()),
            Some(before) => {
                let how = format!("{offer} ended by {end:?} for {player}, after {before:?}");
                Err(Broken::new(NAME, how))
            }
        }
    }

    /// What was answered has ended as was said, or stands.
    pub(super) fn at_the_end(&self, history: &History, truth: &Truth) -> Verdict {
        history.wishes.iter().try_for_each(|wish| self.is_so(wish, truth))
    }

    fn is_so(&self, wish: &Wish, truth: &Truth) -> Verdict {
        let Outcome::Offered { offer, room } = wish.outcome else { return Ok(()) };
        let end = self.0.get(&(offer, wish.player));
        let good = match (room, end) {
            (Some(room), end) => end == Some(&End::Match(room)),
            (None, Some(_)) => true,
            (None, None) => truth.stands(offer),
        };
        let own = matches!(wish.action, Action::Seek | Action::Challenge(_) | Action::Accept(_));
        if good && own {
            return Ok(());
        }
        let how = format!(
            "{} was told {:?} to {:?}, and the log says that {offer} ended by {end:?}",
            wish.player, wish.outcome, wish.action
        );
        Err(Broken::new(NAME, how))
    }
}
