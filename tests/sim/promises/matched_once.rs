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

#[cfg(test)]
mod tests {
    use super::*;
    use hangraft_game::{Other, Seat, Wanted, Why};

    const ANN: PlayerId = PlayerId(1);
    const BEN: PlayerId = PlayerId(2);

    fn matched(player: PlayerId, offer: u64, room: u32) -> Happened {
        let wanted = Wanted { game: "nim".into(), options: "{}".into(), clock_s: 0, rated: false };
        let other = Other { player: PlayerId(9), name: "Eve".into() };
        let (offer, room, rating) = (OfferId(offer), RoomId::new(0, room), None);
        let notice = Notice::Matched { offer, room, seat: Seat(0), other, rating, wanted };
        Happened::Told { player, notice }
    }

    fn unmatched(player: PlayerId, offer: u64) -> Happened {
        let notice = Notice::Unmatched { offer: OfferId(offer), why: Why::Gone };
        Happened::Told { player, notice }
    }

    /// An offer that two play by ends once for each of them; nothing else may become of it.
    #[test]
    fn an_offer_ends_once() {
        let keeps = |all: &[Happened]| {
            let mut ends = Ends::default();
            all.iter().all(|happened| ends.see(happened).is_ok())
        };
        assert!(keeps(&[matched(ANN, 1, 7), matched(BEN, 1, 7), unmatched(BEN, 2)]));
        assert!(!keeps(&[matched(ANN, 1, 7), matched(ANN, 1, 7)]));
        assert!(!keeps(&[matched(ANN, 1, 7), matched(BEN, 1, 8)]));
        assert!(!keeps(&[matched(ANN, 1, 7), unmatched(ANN, 1)]));
        assert!(!keeps(&[unmatched(ANN, 1), matched(BEN, 1, 7)]));
    }
}
