//! No acknowledged move is lost: what a player was told is in the committed log,
//! with that very answer, and a majority of the voters has it on disk before the player
//! hears.

use super::disks::Disks;
use super::truth::{Truth, room_of};
use super::{Broken, Verdict};
use crate::history::{History, Outcome, Wish};
use hangraft_game::{Answer, Reply, Version};

pub(super) const NAME: &str = "nothing_lost";

/// A wish has just been answered.
pub(super) fn on_answer(wish: &Wish, truth: &Truth, disks: &Disks) -> Verdict {
    if matches!(wish.outcome, Outcome::Unknown | Outcome::Refused(_)) {
        return is_same(wish, truth);
    }
    let Some((at, _)) = truth.attempt(wish) else {
        let how = format!(
            "{} was told of {:?}, serial {}, that {}, and no committed entry has it",
            wish.player, wish.action, wish.serial, wish.outcome
        );
        return Err(Broken::new(NAME, how));
    };
    if let Err(who) = disks.hold(*at, truth) {
        let how = format!(
            "{} was told of {:?}, serial {}, that {}, when {who} entry {} on their disks",
            wish.player, wish.action, wish.serial, wish.outcome, at.index
        );
        return Err(Broken::new(NAME, how));
    }
    is_same(wish, truth)
}

/// Everything that was answered is there.
pub(super) fn at_the_end(history: &History, truth: &Truth) -> Verdict {
    history.wishes.iter().try_for_each(|wish| is_same(wish, truth))
}

/// What the player was told is what the log made of the wish the first time.
fn is_same(wish: &Wish, truth: &Truth) -> Verdict {
    let made = truth.attempt(wish).map(|(_, answer)| answer);
    let good = match (&wish.outcome, made) {
        (Outcome::Unknown, _) => true,
        (Outcome::Accepted { room, version }, Some(answer)) => {
            room_of(&wish.action, answer) == Some(*room) && version_of(answer) == Some(*version)
        }
        (Outcome::Offered { offer, room }, Some(answer)) => {
            *answer == Ok(Reply::Offered { offer: *offer, room: *room })
        }
        (Outcome::Done, Some(answer)) => *answer == Ok(Reply::Done),
        (Outcome::Refused(code), Some(Err(rejection))) => {
            code.as_str() == rejection.code().as_str()
        }
        // A frontend refuses some things by itself; nothing was done then.
        (Outcome::Refused(_), None) => true,
        (Outcome::Refused(_), Some(Ok(_))) => false,
        (Outcome::Accepted { .. } | Outcome::Offered { .. } | Outcome::Done, None) => false,
    };
    if good {
        return Ok(());
    }
    let made = made.map_or_else(|| "nothing".to_owned(), |answer| format!("{answer:?}"));
    let how = format!(
        "{} was told {:?} to {:?}, serial {}; the log made of it: {made}",
        wish.player, wish.outcome, wish.action, wish.serial
    );
    Err(Broken::new(NAME, how))
}

fn version_of(answer: &Answer) -> Option<Version> {
    answer.as_ref().ok().and_then(|reply| reply.version())
}
