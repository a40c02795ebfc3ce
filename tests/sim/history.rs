//! What players and readers did, and what they were told: the record that the
//! promises are held against.

use hangraft_game::{OfferId, PlayerId, RoomId, Serial, Version};
use hangraft_lab::history::ClientId;
use hangraft_proto::socket::Code;
use serde_json::Value;
use std::fmt;

/// The moment of an event among all events of a world; no two are alike.
pub(crate) type Moment = u64;

/// A wish of a player. One record, however often it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) player: PlayerId,
    /// The player's own counter.
    pub(crate) serial: Serial,
    pub(crate) action: Action,
    pub(crate) invoked: Moment,
    /// When the answer came; never, if the player gave up.
    pub(crate) returned: Option<Moment>,
    pub(crate) outcome: Outcome,
    /// For people: who asked whom, and when. `by` is who answered, or who was asked last.
    pub(crate) asked: Asked,
    /// When the answer came, in microseconds of the world.
    pub(crate) returned_us: Option<u64>,
}

/// Who asked whom, and when.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) client: ClientId,
    /// The name of a frontend or a node.
    pub(crate) by: String,
    /// In microseconds of the world.
    pub(crate) at_us: u64,
}

/// What was wished for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Open,
    Sit(RoomId),
    Stand(RoomId),
    Play(RoomId),
    Again(RoomId),
    /// A host takes somebody from the table for good.
    Remove(RoomId),
    /// A host locks or unlocks.
    Lock(RoomId),
    /// A host opens the room to strangers, or closes it.
    Publish(RoomId),
    /// Every text is said once in a world.
    Say(RoomId, String),
    /// Somebody to play with.
    Seek,
    /// A certain player, or whoever is given the link.
    Challenge(Option<PlayerId>),
    Accept(OfferId),
    Decline(OfferId),
    Withdraw(OfferId),
    Resign(RoomId),
    /// Offers a draw or agrees to one; or declines it.
    Draw(RoomId, bool),
    /// The win, or a draw, against somebody who has gone.
    Claim(RoomId, bool),
}

/// What the player knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It may or may not have had an effect.
    Unknown,
    Accepted {
        room: RoomId,
        version: Version,
    },
    /// An offer stands, or has led to a game in a room already.
    Offered {
        offer: OfferId,
        room: Option<RoomId>,
    },
    /// An offer is no more.
    Done,
    /// By the cluster, for good.
    Refused(Code),
}

/// How fresh a read had to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Linearizable,
    /// On one connection to one replica.
    Local {
        connection: u64,
    },
    AtLeast(Version),
}

/// A read of a room that was answered.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) room: RoomId,
    pub(crate) level: Level,
    pub(crate) invoked: Moment,
    pub(crate) returned: Moment,
    pub(crate) version: Version,
    /// The lines of the chat, oldest first.
    pub(crate) chat: Vec<String>,
    pub(crate) asked: Asked,
    /// In microseconds of the world.
    pub(crate) returned_us: u64,
}

/// Everything: wishes in the order they were first sent in, reads as they were answered.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) wishes: Vec<Wish>,
    pub(crate) reads: Vec<Read>,
    moments: Moment,
}

impl History {
    /// A new moment, later than all before.
    pub(crate) fn moment(&mut self) -> Moment {
        self.moments += 1;
        self.moments
    }

    /// Notes a wish as it is sent for the first time; its number.
    pub(crate) fn invoke(
        &mut self,
        player: PlayerId,
        serial: Serial,
        action: Action,
        asked: Asked,
    ) -> usize {
        let invoked = self.moment();
        let (returned, returned_us, outcome) = (None, None, Outcome::Unknown);
        self.wishes.push(Wish {
            player,
            serial,
            action,
            invoked,
            returned,
            outcome,
            asked,
            returned_us,
        });
        self.wishes.len() - 1
    }

    /// It is sent again, to this one.
    pub(crate) fn ask_again(&mut self, wish: usize, by: String) {
        self.wishes[wish].asked.by = by;
    }

    /// Notes how it ended.
    pub(crate) fn answer(&mut self, wish: usize, outcome: Outcome, at_us: u64) {
        let returned = self.moment();
        let wish = &mut self.wishes[wish];
        wish.returned = Some(returned);
        wish.returned_us = Some(at_us);
        wish.outcome = outcome;
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Open => f.write_str("to open a room"),
            Action::Sit(room) => write!(f, "to sit down in {room}"),
            Action::Stand(room) => write!(f, "to stand up in {room}"),
            Action::Play(room) => write!(f, "to make a move in {room}"),
            Action::Again(room) => write!(f, "to go on with another round in {room}"),
            Action::Remove(room) => write!(f, "to take somebody from the table of {room}"),
            Action::Lock(room) => write!(f, "to lock {room}, or to open it again"),
            Action::Publish(room) => write!(f, "to show {room} to strangers, or to hide it"),
            Action::Say(room, text) => {
                write!(f, "to say \"{}\" in {room}", text.escape_default())
            }
            Action::Seek => f.write_str("for somebody to play with"),
            Action::Challenge(None) => f.write_str("whoever has the link for a game"),
            Action::Challenge(Some(player)) => write!(f, "to ask {player} for a game"),
            Action::Accept(offer) => write!(f, "to play by {offer}"),
            Action::Decline(offer) => write!(f, "to decline {offer}"),
            Action::Withdraw(offer) => write!(f, "to take {offer} back"),
            Action::Resign(room) => write!(f, "to resign in {room}"),
            Action::Draw(room, true) => write!(f, "for a draw in {room}"),
            Action::Draw(room, false) => write!(f, "for no draw in {room}"),
            Action::Claim(room, true) => write!(f, "for the win in {room}"),
            Action::Claim(room, false) => write!(f, "for a draw in {room}, which somebody left"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Unknown => f.write_str("nothing"),
            Outcome::Accepted { room, version } => {
                write!(f, "yes, with version {} of {room}", version.0)
            }
            Outcome::Offered { offer, room: None } => write!(f, "yes, {offer} stands"),
            Outcome::Offered { offer, room: Some(room) } => {
                write!(f, "yes, {offer} is played in {room}")
            }
            Outcome::Done => f.write_str("yes"),
            Outcome::Refused(code) => write!(f, "no, {code}"),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Level::Linearizable => f.write_str("linearizable"),
            Level::Local { .. } => f.write_str("local"),
            Level::AtLeast(version) => write!(f, "at least {}", version.0),
        }
    }
}

impl Action {
    /// Whether it is granted also when it is so already.
    pub(crate) fn may_change_nothing(&self) -> bool {
        let so_already =
            [Action::Sit, Action::Again, Action::Remove, Action::Lock, Action::Publish];
        self.room().is_some_and(|room| so_already.iter().any(|action| action(room) == *self))
    }

    /// Whether it makes or ends an offer. The answer names no version then.
    pub(crate) fn is_about_an_offer(&self) -> bool {
        matches!(self, Action::Seek | Action::Challenge(_)) || self.offer().is_some()
    }

    /// The offer that stood before.
    fn offer(&self) -> Option<OfferId> {
        match self {
            Action::Accept(offer) | Action::Decline(offer) | Action::Withdraw(offer) => {
                Some(*offer)
            }
            _ => None,
        }
    }

    pub(crate) fn room(&self) -> Option<RoomId> {
        match self {
            Action::Open
            | Action::Seek
            | Action::Challenge(_)
            | Action::Accept(_)
            | Action::Decline(_)
            | Action::Withdraw(_) => None,
            Action::Sit(room)
            | Action::Stand(room)
            | Action::Play(room)
            | Action::Again(room)
            | Action::Remove(room)
            | Action::Lock(room)
            | Action::Publish(room)
            | Action::Say(room, _)
            | Action::Resign(room)
            | Action::Draw(room, _)
            | Action::Claim(room, _) => Some(*room),
        }
    }
}

/// The lines of the chat in a view.
pub(crate) fn chat_of(view: &Value) -> Vec<String> {
    let lines = view["chat"].as_array().map(Vec::as_slice).unwrap_or_default();
    lines.iter().filter_map(|line| line["text"].as_str().map(str::to_owned)).collect()
}
