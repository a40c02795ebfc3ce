//! What changes the lobby, with rooms and players by their numbers, and how a node is
//! told of it.

use hangraft_ids::{NoPlayer, OfferId, PlayerId, RoomId, Serial};
use serde_json::value::RawValue;

use super::action::Request;
use super::said::{Challenge, Open, Seek, WITHIN_DEFAULT};
use crate::socket::limits::GAME_BYTES_MAX;
use crate::v1::{self, command::Action as Told};

/// A wish to change the lobby, with rooms and players by their numbers.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the actions say it")]
pub enum Wish {
    /// [`Action::Open`](super::Action::Open).
    Open {
        game: String,
        /// A JSON object, or empty.
        options: String,
        public: bool,
    },
    /// [`Action::Sit`](super::Action::Sit).
    Sit { room: RoomId },
    /// [`Action::Stand`](super::Action::Stand).
    Stand { room: RoomId },
    /// [`Action::Play`](super::Action::Play).
    Play {
        room: RoomId,
        /// The move as JSON.
        mv: String,
    },
    /// [`Action::Again`](super::Action::Again).
    Again { room: RoomId },
    /// [`Action::Say`](super::Action::Say).
    Say { room: RoomId, text: String },
    /// [`Action::Remove`](super::Action::Remove).
    Remove { room: RoomId, whom: PlayerId },
    /// [`Action::Lock`](super::Action::Lock).
    Lock { room: RoomId, locked: bool },
    /// [`Action::Publish`](super::Action::Publish).
    Publish { room: RoomId, public: bool },
    /// [`Action::Seek`](super::Action::Seek).
    Seek { wanted: Wanted, within: u16, bot_after_ms: Option<u32> },
    /// [`Action::Challenge`](super::Action::Challenge).
    Challenge {
        /// None: whoever has the offer's name.
        whom: Option<PlayerId>,
        wanted: Wanted,
    },
    /// [`Action::Accept`](super::Action::Accept).
    Accept { offer: OfferId },
    /// [`Action::Decline`](super::Action::Decline).
    Decline { offer: OfferId },
    /// [`Action::Withdraw`](super::Action::Withdraw).
    Withdraw { offer: OfferId },
    /// [`Action::Resign`](super::Action::Resign).
    Resign { room: RoomId },
    /// [`Action::Draw`](super::Action::Draw).
    Draw { room: RoomId, agreed: bool },
    /// [`Action::Claim`](super::Action::Claim).
    Claim { room: RoomId, win: bool },
    /// Who is where; made by a frontend, never by a player.
    Presence(v1::Presence),
}

/// What somebody wants to play with another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Which game.
    pub game: String,
    /// A JSON object, or empty.
    pub options: String,
    /// Seconds for a move; 0 for as long as one likes.
    pub clock_s: u8,
    /// Whether it counts for the ratings.
    pub rated: bool,
}

/// Who knows rooms and offers by their names.
pub trait Names {
    /// The room of this name.
    fn room(&self, name: &str) -> Option<RoomId>;
    /// The offer of this name.
    fn offer(&self, name: &str) -> Option<OfferId>;
}

/// Why something cannot be wished for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadWish {
    /// No room is called so.
    NoSuchRoom,
    /// No offer is called so.
    NoSuchOffer,
    /// The text cannot be shown to others.
    Unfit(hangraft_text::Unfit),
    /// It makes no sense, for this reason.
    Nonsense(&'static str),
}

impl Request<'_> {
    /// The change of the lobby that is asked for, with the player's own counter; none if
    /// something else is asked for.
    ///
    /// # Errors
    ///
    /// What cannot be wished for.
    pub fn wish(self, names: &impl Names) -> Result<Option<(Wish, Option<Serial>)>, BadWish> {
        let named = |name: &str| names.room(name).ok_or(BadWish::NoSuchRoom);
        let offered = |name: &str| names.offer(name).ok_or(BadWish::NoSuchOffer);
        Ok(Some(match self {
            Request::Open(said) => (open(&said)?, said.serial),
            Request::Sit(said) => (Wish::Sit { room: named(&said.room)? }, said.serial),
            Request::Stand(said) => (Wish::Stand { room: named(&said.room)? }, said.serial),
            Request::Again(said) | Request::Rematch(said) => {
                (Wish::Again { room: named(&said.room)? }, said.serial)
            }
            Request::Play(said) => {
                let (room, mv) = (named(&said.room)?, said.mv.get().to_owned());
                (Wish::Play { room, mv }, said.serial)
            }
            Request::Remove(said) => {
                let nobody = |NoPlayer| BadWish::Nonsense("remove: no player is called so");
                let (room, whom) = (named(&said.room)?, said.player.parse().map_err(nobody)?);
                (Wish::Remove { room, whom }, said.serial)
            }
            Request::Lock(said) => {
                (Wish::Lock { room: named(&said.room)?, locked: said.locked }, said.serial)
            }
            Request::Publish(said) => {
                (Wish::Publish { room: named(&said.room)?, public: said.public }, said.serial)
            }
            Request::Say(said) => {
                let text = hangraft_text::line(&said.text);
                let (room, text) = (named(&said.room)?, text.map_err(BadWish::Unfit)?);
                (Wish::Say { room, text }, said.serial)
            }
            Request::Seek(said) => (seek(&said)?, said.serial),
            Request::Challenge(said) => (challenge(&said)?, said.serial),
            Request::Accept(said) => (Wish::Accept { offer: offered(&said.offer)? }, said.serial),
            Request::Decline(said) => (Wish::Decline { offer: offered(&said.offer)? }, said.serial),
            Request::Withdraw(said) => {
                (Wish::Withdraw { offer: offered(&said.offer)? }, said.serial)
            }
            Request::Resign(said) => (Wish::Resign { room: named(&said.room)? }, said.serial),
            Request::Draw(said) => {
                (Wish::Draw { room: named(&said.room)?, agreed: said.agreed }, said.serial)
            }
            Request::Claim(said) => {
                (Wish::Claim { room: named(&said.room)?, win: said.win }, said.serial)
            }
            Request::Hello(_)
            | Request::Rooms(_)
            | Request::Watch(_)
            | Request::Unwatch(_)
            | Request::History(_)
            | Request::Deck(_)
            | Request::Ping(_)
            | Request::Notices(_)
            | Request::Lobby(_)
            | Request::Live(_)
            | Request::Ladder(_)
            | Request::Card(_)
            | Request::Offer(_) => return Ok(None),
        }))
    }
}

fn open(said: &Open<'_>) -> Result<Wish, BadWish> {
    let (game, options) = played(&said.game, said.options)?;
    Ok(Wish::Open { game, options, public: said.public })
}

fn seek(said: &Seek<'_>) -> Result<Wish, BadWish> {
    let (game, options) = played(&said.game, said.options)?;
    let wanted = Wanted { game, options, clock_s: said.clock, rated: said.rated };
    let within = said.within.unwrap_or(WITHIN_DEFAULT);
    Ok(Wish::Seek { wanted, within, bot_after_ms: said.bot_after_ms })
}

fn challenge(said: &Challenge<'_>) -> Result<Wish, BadWish> {
    let (game, options) = played(&said.game, said.options)?;
    let wanted = Wanted { game, options, clock_s: said.clock, rated: said.rated };
    Ok(Wish::Challenge { whom: said.player, wanted })
}

/// Which game, and its options.
fn played(game: &str, options: Option<&RawValue>) -> Result<(String, String), BadWish> {
    if game.len() > GAME_BYTES_MAX {
        return Err(BadWish::Nonsense("there is no game with such a long name"));
    }
    let options = options.map_or("", RawValue::get);
    if !options.is_empty() && !options.starts_with('{') {
        return Err(BadWish::Nonsense("options must be an object"));
    }
    Ok((game.to_owned(), options.to_owned()))
}

impl Wish {
    /// Whether it makes a room, or may make one, by one player's doing alone: a bot needs
    /// no second one.
    pub fn opens(&self) -> bool {
        match self {
            Wish::Open { .. } => true,
            Wish::Seek { bot_after_ms, .. } => bot_after_ms.is_some(),
            Wish::Challenge { whom, .. } => whom.is_some_and(PlayerId::is_reserved),
            _ => false,
        }
    }

    /// The room in which everybody who watches sees at once what comes of it.
    pub fn shown_in(&self) -> Option<RoomId> {
        match self {
            Wish::Play { room, .. } | Wish::Say { room, .. } => Some(*room),
            _ => None,
        }
    }

    /// As a node is told it, by a player of that name.
    pub fn told(&self, name: &str) -> Told {
        match self.clone() {
            Wish::Open { game, options, public } => Told::Open(v1::Open { game, options, public }),
            Wish::Sit { room } => Told::Sit(v1::Sit { room: room.0, name: name.to_owned() }),
            Wish::Stand { room } => Told::Stand(v1::Stand { room: room.0 }),
            Wish::Play { room, mv } => Told::Play(v1::Play { room: room.0, r#move: mv }),
            Wish::Again { room } => Told::Again(v1::Again { room: room.0 }),
            Wish::Say { room, text } => {
                Told::Say(v1::Say { room: room.0, name: name.to_owned(), text })
            }
            Wish::Remove { room, whom } => Told::Remove(v1::Remove { room: room.0, whom: whom.0 }),
            Wish::Lock { room, locked } => Told::Lock(v1::Lock { room: room.0, locked }),
            Wish::Publish { room, public } => Told::Publish(v1::Publish { room: room.0, public }),
            Wish::Seek { wanted, within, bot_after_ms } => Told::Seek(v1::Seek {
                wanted: Some(wanted.told()),
                name: name.to_owned(),
                within: within.into(),
                bot_after_ms,
            }),
            Wish::Challenge { whom, wanted } => Told::Challenge(v1::Challenge {
                whom: whom.unwrap_or_default().0,
                wanted: Some(wanted.told()),
                name: name.to_owned(),
            }),
            Wish::Accept { offer } => {
                Told::Accept(v1::Accept { offer: offer.0, name: name.to_owned() })
            }
            Wish::Decline { offer } => Told::Decline(v1::Decline { offer: offer.0 }),
            Wish::Withdraw { offer } => Told::Withdraw(v1::Withdraw { offer: offer.0 }),
            Wish::Resign { room } => Told::Resign(v1::Resign { room: room.0 }),
            Wish::Draw { room, agreed } => Told::Draw(v1::Draw { room: room.0, agreed }),
            Wish::Claim { room, win } => Told::Claim(v1::Claim { room: room.0, win }),
            Wish::Presence(presence) => Told::Presence(presence),
        }
    }
}

impl Wanted {
    /// As a node is told it.
    fn told(self) -> v1::Wanted {
        let Self { game, options, clock_s, rated } = self;
        v1::Wanted { game, options, clock_s: clock_s.into(), rated }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::ClientMessage;

    /// Names that are numbers with a letter before them.
    struct Lettered;

    impl Names for Lettered {
        fn room(&self, name: &str) -> Option<RoomId> {
            name.strip_prefix('r')?.parse().ok().map(RoomId)
        }

        fn offer(&self, name: &str) -> Option<OfferId> {
            name.strip_prefix('o')?.parse().ok().map(OfferId)
        }
    }

    fn wish(action: &str, data: &str) -> Result<Option<(Wish, Option<Serial>)>, BadWish> {
        let frame = format!(r#"{{"id":1,"action":"{action}","data":{data}}}"#);
        let message = ClientMessage::read(&frame).unwrap_or_else(|bad| panic!("{frame}: {bad:?}"));
        // What is read is written as it was, but for what goes without saying.
        let request = message.request;
        let again = request.frame(1);
        let same = ClientMessage::read(&again).unwrap_or_else(|bad| panic!("{again}: {bad:?}"));
        assert_eq!(same.request.frame(1), again);
        request.wish(&Lettered)
    }

    fn wanted(clock_s: u8, rated: bool) -> Wanted {
        Wanted { game: "nim".into(), options: String::new(), clock_s, rated }
    }

    /// What players wish for who look for somebody, or play with one.
    #[test]
    fn wishes_for_a_match_are_understood() {
        let whom = Some(PlayerId(0xab));
        for (action, data, expected) in [
            (
                "seek",
                r#"{"game":"nim"}"#,
                Wish::Seek { wanted: wanted(0, true), within: 200, bot_after_ms: None },
            ),
            (
                "seek",
                r#"{"game":"nim","clock":30,"rated":false,"within":0,"bot_after_ms":0}"#,
                Wish::Seek { wanted: wanted(30, false), within: 0, bot_after_ms: Some(0) },
            ),
            (
                "challenge",
                r#"{"game":"nim","player":"p00000000000000ab"}"#,
                Wish::Challenge { whom, wanted: wanted(0, true) },
            ),
            (
                "challenge",
                r#"{"game":"nim"}"#,
                Wish::Challenge { whom: None, wanted: wanted(0, true) },
            ),
            ("accept", r#"{"offer":"o7"}"#, Wish::Accept { offer: OfferId(7) }),
            ("decline", r#"{"offer":"o7"}"#, Wish::Decline { offer: OfferId(7) }),
            ("withdraw", r#"{"offer":"o7"}"#, Wish::Withdraw { offer: OfferId(7) }),
            ("resign", r#"{"room":"r4"}"#, Wish::Resign { room: RoomId(4) }),
            ("draw", r#"{"room":"r4"}"#, Wish::Draw { room: RoomId(4), agreed: true }),
            (
                "draw",
                r#"{"room":"r4","agreed":false}"#,
                Wish::Draw { room: RoomId(4), agreed: false },
            ),
            ("claim", r#"{"room":"r4","win":true}"#, Wish::Claim { room: RoomId(4), win: true }),
            ("rematch", r#"{"room":"r4"}"#, Wish::Again { room: RoomId(4) }),
        ] {
            assert_eq!(wish(action, data), Ok(Some((expected, None))), "{action} {data}");
        }
        let counted = wish("accept", r#"{"offer":"o7","serial":9}"#);
        assert_eq!(counted, Ok(Some((Wish::Accept { offer: OfferId(7) }, Some(Serial(9))))));
    }

    /// What leads nowhere, and what changes nothing.
    #[test]
    fn what_is_no_wish_is_told_apart() {
        assert_eq!(wish("accept", r#"{"offer":"r4"}"#), Err(BadWish::NoSuchOffer));
        assert_eq!(wish("resign", r#"{"room":"o7"}"#), Err(BadWish::NoSuchRoom));
        assert!(matches!(
            wish("seek", r#"{"game":"nim","options":[]}"#),
            Err(BadWish::Nonsense(_))
        ));
        for (action, data) in [
            ("notices", r#"{"since":7,"epoch":"e0"}"#),
            ("lobby", r#"{"open":true}"#),
            ("live", r#"{"open":false}"#),
            ("ladder", r#"{"game":"nim","week":true}"#),
            ("card", r#"{"player":"p00000000000000ab"}"#),
            ("offer", r#"{"offer":"o7"}"#),
        ] {
            assert_eq!(wish(action, data), Ok(None), "{action}");
        }
    }

    /// One player alone makes a room, or brings a bot; two are needed for the rest.
    #[test]
    fn a_bot_needs_no_second_player() {
        for (action, data, opens) in [
            ("open", r#"{"game":"nim"}"#, true),
            ("seek", r#"{"game":"nim"}"#, false),
            ("seek", r#"{"game":"nim","bot_after_ms":9000}"#, true),
            ("challenge", r#"{"game":"nim","player":"pffffffffffffffff"}"#, true),
            ("challenge", r#"{"game":"nim","player":"p00000000000000ab"}"#, false),
            ("challenge", r#"{"game":"nim"}"#, false),
            ("accept", r#"{"offer":"o7"}"#, false),
        ] {
            let (wish, _) = wish(action, data).unwrap().unwrap();
            assert_eq!(wish.opens(), opens, "{action} {data}");
        }
    }
}
