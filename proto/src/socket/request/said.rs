//! What is said with each action.

use std::borrow::Cow;

use hangraft_ids::{NoticeNumber, PlayerId, Serial, Version};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::socket::words;

/// What is said with [`Action::Hello`](super::Action::Hello).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Hello<'a> {
    /// What one wants to be called.
    #[serde(borrow, default, deserialize_with = "words::optional")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Cow<'a, str>>,
    /// Says who one was before.
    #[serde(borrow, default, deserialize_with = "words::optional")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Cow<'a, str>>,
    /// Rooms are to be told in steps on this socket from now on: once said, it stays so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub steps: bool,
}

/// What is said with [`Action::Open`](super::Action::Open).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Open<'a> {
    /// Which game.
    #[serde(borrow)]
    pub game: Cow<'a, str>,
    /// How it is played: a JSON object that only the game's rules understand.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub options: Option<&'a RawValue>,
    /// Strangers may find the room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public: bool,
    /// The player's own counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
}

/// What is said with [`Action::Rooms`](super::Action::Rooms).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Rooms<'a> {
    /// Only rooms of this game.
    #[serde(borrow, default, deserialize_with = "words::optional")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub game: Option<Cow<'a, str>>,
    /// Only rooms that stand so.
    #[serde(borrow, default, deserialize_with = "words::optional")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Cow<'a, str>>,
    /// Full rooms, locked ones and those where nobody is, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// Only what comes behind this room, as `next` said.
    #[serde(borrow, default, deserialize_with = "words::optional")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Cow<'a, str>>,
    /// Not more than so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What is said with [`Action::Watch`](super::Action::Watch).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Watch<'a> {
    /// Which room.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
    /// The version that was seen last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Version>,
    /// What `since` belongs to; the present epoch when nothing is said. Of another one
    /// nothing is known, however it is spelled.
    #[serde(borrow, default, deserialize_with = "words::optional")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Cow<'a, str>>,
}

/// What is said with an action that only needs a room.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InRoom<'a> {
    /// Which room.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
    /// The player's own counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
}

/// What is said with [`Action::Play`](super::Action::Play).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Play<'a> {
    /// Which room.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
    /// JSON that only the game's rules understand.
    #[serde(borrow, rename = "move")]
    pub mv: &'a RawValue,
    /// The player's own counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
}

/// What is said with [`Action::Remove`](super::Action::Remove).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Remove<'a> {
    /// Which room.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
    /// Whom, as views call them.
    #[serde(borrow)]
    pub player: Cow<'a, str>,
    /// The player's own counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
}

/// What is said with [`Action::Lock`](super::Action::Lock).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lock<'a> {
    /// Which room.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
    /// Whether nobody new sits down.
    pub locked: bool,
    /// The player's own counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
}

/// What is said with [`Action::Publish`](super::Action::Publish).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Publish<'a> {
    /// Which room.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
    /// Whether strangers find it.
    pub public: bool,
    /// The player's own counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
}

/// What is said with [`Action::Say`](super::Action::Say).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Say<'a> {
    /// Which room.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
    /// The line.
    #[serde(borrow)]
    pub text: Cow<'a, str>,
    /// The player's own counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
}

/// How far apart the ratings of two may be who are to play with each other, when a seek
/// does not say.
pub const WITHIN_DEFAULT: u16 = 200;

/// What is said with [`Action::Seek`](super::Action::Seek).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seek<'a> {
    /// Which game.
    #[serde(borrow)]
    pub game: Cow<'a, str>,
    /// How it is played: a JSON object that only the game's rules understand.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub options: Option<&'a RawValue>,
    /// Seconds for a move; 0 for as long as one likes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub clock: u8,
    /// Whether it counts for the ratings. It does unless something else is said.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub rated: bool,
    /// How far the other's rating may be from one's own, at first; 0 for anybody.
    /// [`WITHIN_DEFAULT`] when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<u16>,
    /// When nobody has come after so long, in milliseconds, a bot plays. Nothing: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot_after_ms: Option<u32>,
    /// The player's own counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
}

/// What is said with [`Action::Challenge`](super::Action::Challenge).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Challenge<'a> {
    /// Whom, as views call them; a bot plays at once. Nothing: whoever has the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(serialize_with = "words::spell_some", deserialize_with = "words::spelled_some")]
    pub player: Option<PlayerId>,
    /// Which game.
    #[serde(borrow)]
    pub game: Cow<'a, str>,
    /// How it is played: a JSON object that only the game's rules understand.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub options: Option<&'a RawValue>,
    /// Seconds for a move; 0 for as long as one likes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub clock: u8,
    /// Whether it counts for the ratings. It does unless something else is said.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub rated: bool,
    /// The player's own counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
}

/// What is said with an action that only needs an offer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OfOffer<'a> {
    /// Which offer.
    #[serde(borrow)]
    pub offer: Cow<'a, str>,
    /// The player's own counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
}

/// What is said with [`Action::Draw`](super::Action::Draw).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Draw<'a> {
    /// Which room.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
    /// Offers a draw, or agrees to the other's; otherwise declines it. Yes unless
    /// something else is said.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub agreed: bool,
    /// The player's own counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
}

/// What is said with [`Action::Claim`](super::Action::Claim).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claim<'a> {
    /// Which room.
    #[serde(borrow)]
    pub room: Cow<'a, str>,
    /// The win; otherwise a draw.
    pub win: bool,
    /// The player's own counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
}

/// What is said with [`Action::Notices`](super::Action::Notices).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Notices<'a> {
    /// The number of the last notice that was heard; 0 for all there is. Nothing: only
    /// what comes from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<NoticeNumber>,
    /// What `since` belongs to, as in [`Watch::epoch`]. Of another epoch all there is counts
    /// as new, and something as lost.
    #[serde(borrow, default, deserialize_with = "words::optional")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Cow<'a, str>>,
}

/// What is said with [`Action::Ladder`](super::Action::Ladder).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BestAt<'a> {
    /// Which game.
    #[serde(borrow)]
    pub game: Cow<'a, str>,
    /// Of this week; otherwise of all time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub week: bool,
}

/// What is said with [`Action::Card`](super::Action::Card).
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct CardOf {
    /// Whose, as views call them.
    #[serde(serialize_with = "words::spell", deserialize_with = "words::spelled")]
    pub player: PlayerId,
}

/// What is said with an action that shows something for as long as it is wanted:
/// [`Action::Deck`](super::Action::Deck), [`Action::Lobby`](super::Action::Lobby) or [`Action::Live`](super::Action::Live).
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Look {
    /// Whether it is looked at from now on.
    pub open: bool,
}

/// What is said with [`Action::Ping`](super::Action::Ping).
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Ping {}

const fn yes() -> bool {
    true
}

fn is_yes(said: &bool) -> bool {
    *said
}

fn is_zero(number: &u8) -> bool {
    *number == 0
}
