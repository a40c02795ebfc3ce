//! Whoever follows what they are told hears each number once, in order and without a hole, as
//! the committed log has it. `resync` is said only where a mailbox has lost something, and
//! when all is well again everybody has heard their newest.

use super::truth::Truth;
use super::{Broken, Verdict};
use hangraft_cluster_config::RoomNames;
use hangraft_game::{Notice, NoticeNumber, OfferId, Other, PlayerId, RoomId, Seat};
use hangraft_proto::socket;
use std::collections::BTreeMap;

pub(super) const NAME: &str = "notices";

/// The number of the last notice that each of those who follow has heard. It outlives
/// sockets.
#[derive(Default)]
pub(super) struct Heard(BTreeMap<PlayerId, NoticeNumber>);

impl Heard {
    /// The number to resume from. From now on this player follows.
    pub(super) fn since(&mut self, player: PlayerId) -> NoticeNumber {
        *self.0.entry(player).or_default()
    }

    /// A player is told something.
    pub(super) fn hear(
        &mut self,
        player: PlayerId,
        told: &socket::Notice,
        truth: &Truth,
        names: &RoomNames,
    ) -> Verdict {
        let number = told.number;
        let before = std::mem::replace(self.0.entry(player).or_default(), number);
        let broken = |how: String| Err(Broken::new(NAME, format!("{player} {how}")));
        if number <= before {
            return broken(format!("was told {number} after {before}"));
        }
        let Some(notice) = truth.notice(player, number) else {
            return broken(format!("was told {number}, which nobody has committed: {told:?}"));
        };
        let next = truth.notice_after(player, before);
        if !told.resync && next != Some(number) {
            return broken(format!("was told {number} after {before}, and {next:?} comes next"));
        }
        let oldest = truth.oldest_kept(player);
        if told.resync && oldest.is_none_or(|oldest| oldest <= before.next()) {
            let how = "it is said that notices before it are lost";
            return broken(format!("was told {number} after {before}, and {how}; none is"));
        }
        let (right, said) = (expected(notice, names), said(told));
        if right != said {
            return broken(format!("was told as {number} {said:?}, and it is {right:?}"));
        }
        Ok(())
    }

    /// Who has not heard their newest, in words.
    pub(super) fn behind(&self, truth: &Truth) -> Option<String> {
        self.0.iter().find_map(|(player, heard)| {
            let newest = truth.newest_notice(*player)?;
            (newest != *heard).then(|| format!("{player} was told {heard}, and not {newest}"))
        })
    }
}

/// What somebody is told, in words of the socket; what is not said is empty.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    kind: String,
    offer: Option<String>,
    room: Option<String>,
    seat: Option<Seat>,
    game: Option<String>,
    player: Option<PlayerId>,
    name: Option<String>,
    rating: Option<(u32, bool)>,
    /// Seconds, and whether it is rated.
    clock: Option<(u32, bool)>,
    why: Option<String>,
    result: Option<String>,
}

fn said(told: &socket::Notice) -> Said {
    let told = told.clone();
    Said {
        kind: told.kind.to_string(),
        offer: told.offer,
        room: told.room,
        seat: told.seat,
        game: told.game,
        player: told.player,
        name: told.name,
        rating: told.rating.map(|points| (points, told.provisional == Some(true))),
        clock: told.clock.zip(told.rated),
        why: told.why,
        result: told.result,
    }
}

/// As a notice of the log is to be told.
fn expected(notice: &Notice, names: &RoomNames) -> Said {
    let of = |kind: &str| Said { kind: kind.to_owned(), ..Said::default() };
    let offer_name = |offer: &OfferId| Some(names.offer_name(*offer));
    let between = |kind: &str, room: &RoomId, game: &str, other: &Other| Said {
        room: Some(names.name(*room)),
        game: Some(game.to_owned()),
        ..with(other, of(kind))
    };
    match notice {
        Notice::Matched { offer, room, seat, other, rating, wanted } => Said {
            offer: offer_name(offer),
            seat: Some(*seat),
            rating: rating.map(|rating| (rating.points.into(), rating.provisional)),
            clock: Some((wanted.clock_s.into(), wanted.rated)),
            ..between("matched", room, &wanted.game, other)
        },
        Notice::Unmatched { offer, why } => {
            let why = Some(why.as_str().to_owned());
            Said { offer: offer_name(offer), why, ..of("unmatched") }
        }
        Notice::Challenged { offer, other, rating, wanted } => Said {
            offer: offer_name(offer),
            game: Some(wanted.game.clone()),
            rating: Some((rating.points.into(), rating.provisional)),
            clock: Some((wanted.clock_s.into(), wanted.rated)),
            ..with(other, of("challenged"))
        },
        Notice::Unchallenged { offer } => Said { offer: offer_name(offer), ..of("unchallenged") },
        Notice::Turn { room, game, other } => between("turn", room, game, other),
        Notice::Rematch { room, game, other } => between("rematch", room, game, other),
        Notice::Over { room, game, other, score } => {
            let result = Some(score.as_str().to_owned());
            Said { result, ..between("over", room, game, other) }
        }
    }
}

fn with(other: &Other, said: Said) -> Said {
    let (player, name) = (Some(other.player), Some(other.name.to_string()));
    Said { player, name, ..said }
}
