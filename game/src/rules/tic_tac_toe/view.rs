//! What is seen and heard of a board, by everybody.

use std::sync::Arc;

use serde::Serialize;

use super::cells::{CELLS, Mark};
use super::stage::How;
use crate::json::as_text;
use crate::step::fields;
use crate::table::{Table, Who};
use hangraft_ids::{PlayerId, Seat};

/// What those who watch hear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Event {
    /// Both are there; X moves.
    Begun {
        /// Who has X.
        crosses: Seat,
    },
    /// Someone has marked a cell.
    Marked { seat: Seat, name: Arc<str>, cell: u8, mark: Mark },
    /// Someone has won.
    Won { seat: Seat, name: Arc<str>, how: How },
    /// Nobody has won: the board is full, or the two have agreed upon it.
    Draw,
    /// The round counts for nobody.
    Abandoned,
}

/// What is seen of a board, by everybody.
#[derive(Serialize)]
pub(crate) struct View<'a> {
    pub(super) cells: &'a [Option<Mark>; CELLS],
    pub(super) crosses: Seat,
    pub(super) turn: Option<Seat>,
    pub(super) won: Option<Won>,
    /// The cells that have won.
    pub(super) line: Option<[u8; 3]>,
    /// Seconds for a move.
    pub(super) clock: Option<u8>,
    /// What is left of them, from this version on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) left_ms: Option<u64>,
}

fields! {
    View: cells, crosses, turn, won, line, clock;
    optional: left_ms
}

/// Who has won and who has lost, whoever sits there now.
#[derive(PartialEq, Serialize)]
pub(super) struct Won {
    how: How,
    #[serde(serialize_with = "as_text")]
    winner: PlayerId,
    winner_name: Arc<str>,
    #[serde(serialize_with = "as_text")]
    loser: PlayerId,
    loser_name: Arc<str>,
}

/// What a list of rooms says of one.
#[derive(Serialize)]
pub(crate) struct About {
    pub(super) clock: Option<u8>,
}

impl Won {
    pub(super) fn of(by: Who, over: Who, how: How, table: &Table<'_>) -> Won {
        Won {
            how,
            winner: by.player,
            winner_name: table.name(by.player),
            loser: over.player,
            loser_name: table.name(over.player),
        }
    }
}
