//! Hangraft's games: the rules, the rooms and the lobby.
//!
//! The [`Lobby`] is the replicated state machine. Every replica feeds it the
//! same [`Batch`]es in the same order and ends with the same bytes, so this
//! crate does not wait, read a clock, draw a random number or open a file:
//! time and chance come with the batch, in its [`Stamp`].
//!
//! ```text
//! Batch --> Lobby::tick, then Lobby::apply per Entry --> Answer to the player, Changes to who watches
//! Room  --> Room::view for one pair of eyes          --> the only way a hidden word gets out
//! ```
//!
//! A rejection is an answer like any other: the same on every replica.
//! The same entry twice has one effect; see [`Attempt`].
//!
//! # Adding a game
//!
//! One new folder in `rules/`, which implements `Rules` (`rules/contract.rs`), and one line in the
//! catalogue in `rules/mod.rs`.

#[macro_use]
mod planted;

mod answer;
mod archive;
mod attempts;
pub mod bots;
mod calendar;
mod chance;
mod chat;
mod clock;
mod command;
mod contest;
#[cfg(test)]
mod contest_property;
mod digest;
mod event;
mod json;
mod lobby;
mod notices;
mod numbers;
mod offers;
mod openings;
mod outbox;
mod presence;
mod ratings;
mod room;
mod rooms;
mod rules;
mod snapshot;
mod step;
mod table;
mod terms;
mod text;

pub use answer::{Answer, Code, Rejection, Reply};
pub use archive::Finished;
pub use command::{Attempt, Batch, Command, Entry, Feature, Place, Stamp, Undecodable, Wanted};
pub use event::{Event, GameEvent, events_json};
pub use hangraft_ids::{
    FrontendId, Lane, NoticeNumber, OfferId, PlayerId, RoomId, Seat, Serial, Version,
};
pub use lobby::{Applied, Lobby, Passed};
pub use notices::{Notice, Other, Rating, Score, Told, Why};
pub use offers::OpenOffer;
pub use room::{Player, Room};
pub use rooms::{Change, Filter, Shelf};
pub use rules::{Audience, Outcome, Phase, SeatSet, State, Strength, games};
pub use snapshot::{Frozen, Restore, SnapshotError};
pub use step::ViewStep;
