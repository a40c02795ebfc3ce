//! A room as it is shown, whole or as a step: the only way a hidden word gets out.

use serde::Serialize;

use super::Room;
use super::contest_view::ContestView;
use crate::bots;
use crate::chat::ChatView;
use crate::json::{as_text, as_text_or_null};
use crate::rules::{Audience, BoardView, State, Strength};
use crate::step::{Fields, ViewStep};
use crate::terms::SEAT_KEPT_MS;
use hangraft_ids::{PlayerId, Seat, Version};

/// A room as it is shown.
#[derive(Serialize)]
struct RoomView<'a> {
    game: &'static str,
    state: State,
    round: u32,
    /// Who has won the round, if some at the table have and others have not.
    #[serde(skip_serializing_if = "Option::is_none")]
    winners: Option<Vec<Seat>>,
    #[serde(flatten)]
    board: BoardView<'a>,
    players: Vec<PlayerView<'a>>,
    seats: usize,
    #[serde(serialize_with = "as_text_or_null")]
    host: Option<PlayerId>,
    public: bool,
    locked: bool,
    seat_kept_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    again: Option<AgainView>,
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    contest: Option<ContestView>,
    chat: ChatView<'a>,
}

/// What was said, as of a version.
#[derive(Serialize)]
struct HistoryView<'a> {
    version: Version,
    lines: ChatView<'a>,
}

/// Who wants another round, as shown.
#[derive(PartialEq, Serialize)]
struct AgainView {
    agreed: Vec<Seat>,
    /// Until it begins whoever has not agreed, from this version on; absent where it waits
    /// for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    begins_in_ms: Option<u64>,
}

/// A seated player as shown.
#[derive(PartialEq, Serialize)]
struct PlayerView<'a> {
    seat: Seat,
    name: &'a str,
    #[serde(serialize_with = "as_text")]
    player: PlayerId,
    online: bool,
    /// How long they were not here at this version; absent while they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    away_ms: Option<u64>,
    points: u32,
    role: &'static str,
    /// How well it plays, if it is a bot.
    #[serde(skip_serializing_if = "Option::is_none")]
    bot: Option<Strength>,
}

impl Fields for RoomView<'_> {
    fn compare(&self, before: &Self, step: &mut ViewStep) {
        // All of them are named here, and those that serde writes otherwise are as it writes them.
        let RoomView { game, state, round, winners, board, players, seats, host, .. } = self;
        let RoomView { public, locked, seat_kept_ms, again, contest, chat, .. } = self;
        step.field("game", &before.game, game);
        step.field("state", &before.state, state);
        step.field("round", &before.round, round);
        step.optional("winners", &before.winners, winners);
        board.compare(&before.board, step);
        step.field("players", &before.players, players);
        step.field("seats", &before.seats, seats);
        let spelled = |host: &Option<PlayerId>| host.map(|host| host.to_string());
        step.field("host", &spelled(&before.host), &spelled(host));
        step.field("public", &before.public, public);
        step.field("locked", &before.locked, locked);
        step.field("seat_kept_ms", &before.seat_kept_ms, seat_kept_ms);
        step.optional("again", &before.again, again);
        step.optional("match", &before.contest, contest);
        step.field("chat", &before.chat, chat);
    }
}

impl Room {
    /// The room as `viewer` may see it, as a JSON object.
    pub fn view(&self, viewer: Option<PlayerId>) -> String {
        self.view_of(self.audience(viewer))
    }

    /// The room as an audience may see it, as a JSON object.
    pub fn view_of(&self, audience: Audience) -> String {
        serde_json::to_string(&self.seen_by(audience)).expect("a view has a JSON form")
    }

    /// What brings who saw the version before through the eyes of `was` to what `is` sees of
    /// this one.
    pub fn step(&self, before: &Room, was: Audience, is: Audience) -> ViewStep {
        let mut step = ViewStep::default();
        self.seen_by(is).compare(&before.seen_by(was), &mut step);
        step
    }

    /// The kept lines of chat and the version they are of, as a JSON object.
    pub fn history(&self) -> String {
        let history = HistoryView { version: self.version(), lines: ChatView(&self.chat) };
        serde_json::to_string(&history).expect("a chat has a JSON form")
    }

    /// The only place where it is decided who sees what.
    fn seen_by(&self, audience: Audience) -> RoomView<'_> {
        let rules = self.board.rules();
        RoomView {
            game: rules.name(),
            state: self.state(),
            round: rules.round(),
            winners: self.phase().winners().map(|seats| seats.iter().collect()),
            board: self.board.view(audience, &self.table()),
            players: self.player_views(),
            seats: self.seats.len(),
            host: self.host(),
            public: self.is_public(),
            locked: self.is_locked(),
            seat_kept_ms: SEAT_KEPT_MS,
            again: self.again_view(),
            contest: self.contest_view(),
            chat: ChatView(&self.chat),
        }
    }

    fn again_view(&self) -> Option<AgainView> {
        if let Some(contest) = self.contest() {
            let agreed: Vec<Seat> = contest.wanting_again().collect();
            return (!agreed.is_empty()).then_some(AgainView { agreed, begins_in_ms: None });
        }
        let terms = self.terms.as_ref()?;
        let begins_in_ms = terms.begins_ms()?.saturating_sub(self.table().at_ms);
        let agreed = self.seated().filter(|(_, sitter)| terms.agrees(sitter.player));
        let agreed = agreed.map(|(seat, _)| seat).collect();
        Some(AgainView { agreed, begins_in_ms: Some(begins_in_ms) })
    }

    /// Who opened the room; nobody if it is that of a match.
    fn host(&self) -> Option<PlayerId> {
        let terms = self.terms.as_ref().filter(|_| self.contest().is_none());
        terms.map(|terms| terms.host)
    }

    fn bot(&self, player: PlayerId) -> Option<Strength> {
        let bot = bots::find(player).filter(|_| self.contest().is_some());
        bot.map(|bot| bot.strength)
    }

    fn player_views(&self) -> Vec<PlayerView<'_>> {
        self.seated()
            .map(|(seat, sitter)| {
                let person = self.people.get(&sitter.player);
                PlayerView {
                    seat,
                    name: person.map_or("", |person| &person.name),
                    player: sitter.player,
                    online: sitter.online,
                    away_ms: self.terms.as_ref().and_then(|terms| terms.away_ms(sitter.player)),
                    points: person.map_or(0, |person| person.points),
                    role: self.board.rules().role(sitter.player),
                    bot: self.bot(sitter.player),
                }
            })
            .collect()
    }
}
