//! What an open loop tells. Plain code.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use serde::Serialize;

use crate::bench::{
    cost::Costs,
    sockets::{
        Args,
        open::sheet::{Fate, Sheet},
    },
    tally::{Quantiles, refusals, round},
};

/// A finished measurement. Its JSON form is for scripts.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    workload: &'static str,
    players: usize,
    watchers: usize,
    rooms: usize,
    processes: u32,
    frontends: usize,
    /// Moves a second, as wanted.
    rate: u32,
    seconds: f64,
    moves: Done,
    lines: Done,
    /// Moves planned and answered, a second.
    moves_per_second: f64,
    /// Had to wait for the player's last one, or for a new round. Their time counts from when
    /// they were planned.
    held: u64,
    /// How late the others were sent, by the load itself. It is part of all times.
    #[serde(skip_serializing_if = "Option::is_none")]
    late_ms: Option<Quantiles>,
    rounds: u64,
    /// Refusals by code. What was refused for now was tried again, and its time went on.
    refused: BTreeMap<String, u64>,
    /// Sockets that were closed and opened again.
    reconnects: u64,
    /// From closing one until the new one shows the room.
    #[serde(skip_serializing_if = "Option::is_none")]
    back_ms: Option<Quantiles>,
    /// Sockets that broke and connections that failed; each was made anew.
    lost: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_loss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    costs: Option<Costs>,
}

/// What became of moves, or of chat lines.
#[derive(Debug, Serialize)]
struct Done {
    planned: u64,
    answered: u64,
    /// By everybody in the room.
    seen: u64,
    /// From the planned moment to the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_ms: Option<Quantiles>,
    /// From the planned moment to the last screen in the room.
    #[serde(skip_serializing_if = "Option::is_none")]
    screens_ms: Option<Quantiles>,
}

impl Report {
    pub(super) fn of(
        args: &Args,
        rate: u32,
        sheet: Sheet,
        measured: Duration,
        costs: Option<Costs>,
    ) -> Self {
        let rooms = args.load.tables().len();
        let back = sheet.back.quantiles();
        Self {
            workload: "sockets at a rate",
            players: args.load.players(),
            watchers: rooms * args.open.watchers_per_room as usize,
            rooms,
            processes: args.processes,
            frontends: args.urls.len(),
            rate,
            seconds: round(measured.as_secs_f64()),
            moves_per_second: round(sheet.moves.answered as f64 / measured.as_secs_f64()),
            moves: Done::of(&sheet.moves),
            lines: Done::of(&sheet.lines),
            held: sheet.held,
            late_ms: sheet.late.quantiles(),
            rounds: sheet.rounds,
            refused: sheet.refused,
            reconnects: sheet.back.count(),
            back_ms: back,
            lost: sheet.lost,
            first_loss: sheet.first_loss,
            costs,
        }
    }

    /// Some lines for people.
    pub(super) fn text(&self) -> String {
        let Self { moves, lines, .. } = self;
        let mut text = format!(
            "{} moves/s of {} planned: {} players and {} watchers in {} rooms for {} s\n\
             moves planned {}, answered {}, seen by everybody {}",
            self.moves_per_second.round(),
            self.rate,
            self.players,
            self.watchers,
            self.rooms,
            self.seconds,
            moves.planned,
            moves.answered,
            moves.seen,
        );
        text += &times("from the plan to the answer ", &moves.answer_ms);
        text += &times("from the plan to all screens", &moves.screens_ms);
        if lines.planned > 0 {
            let Done { planned, answered, seen, .. } = lines;
            _ = write!(text, "\nlines planned {planned}, answered {answered}, seen {seen}");
            text += &times("lines to all screens        ", &lines.screens_ms);
        }
        text += &times("sent late by the load itself", &self.late_ms);
        _ = write!(
            text,
            "\nheld back by a player's last one {}, rounds {}, reconnects {}, sockets lost {}",
            self.held, self.rounds, self.reconnects, self.lost
        );
        text += &times("until a reconnected one sees", &self.back_ms);
        if let Some(why) = &self.first_loss {
            _ = write!(text, "\nthe first loss: {why}");
        }
        text += &refusals(&self.refused);
        if let Some(costs) = &self.costs {
            _ = write!(text, "\n{}", costs.text());
        }
        text
    }
}

impl Done {
    fn of(fate: &Fate) -> Self {
        Self {
            planned: fate.planned,
            answered: fate.answered,
            seen: fate.seen,
            answer_ms: fate.answers.quantiles(),
            screens_ms: fate.screens.quantiles(),
        }
    }
}

fn times(what: &str, times: &Option<Quantiles>) -> String {
    times.as_ref().map(|times| format!("\n{what} {}", times.text())).unwrap_or_default()
}
