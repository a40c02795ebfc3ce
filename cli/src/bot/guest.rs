//! A guest at a frontend who seeks games and plays them: as short as a client can be that
//! loses nothing. Read it as an example of the socket's protocol.
//!
//! * It says `hello`, asks for its `notices`, and says `seek`. The notice `matched` names the
//!   room; it watches that, and plays whenever a view shows that it is its turn.
//! * Every wish has a serial. What was not answered is sent again under the same serial, at
//!   whichever frontend answers: it has one effect.
//! * Notices are asked for from the last number on, and views from the last version on, so
//!   what came while there was no socket is heard afterwards.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use futures_util::SinkExt;
use hangraft_proto::socket::{Action, Code, Epoch, frame};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use tokio::time::{sleep, sleep_until};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    bot::{
        game::{Game, Manner},
        moves::{self, Score},
    },
    socket::{Identity, Socket, Way, next_text},
};

/// How long to wait before another frontend is tried.
const RECONNECT: Duration = Duration::from_millis(100);

/// How long to wait before something is asked again that nobody could answer.
const AGAIN: Duration = Duration::from_millis(250);

/// Refusals that settle nothing: asked again under the same serial, it may still be granted.
const UNSETTLED: [Code; 4] = [Code::UnknownOutcome, Code::NoQuorum, Code::Busy, Code::TooFast];

/// Somebody new.
pub(super) struct Guest {
    manner: Manner,
    dice: StdRng,
    /// Who it is since its first hello, and what proves it at the next.
    player: String,
    token: Option<String>,
    /// What numbers of versions and notices belong to.
    epoch: Option<Epoch>,
    /// The last notice's number, and the epoch that it belongs to. At first 0: a new player
    /// was told nothing, and is to miss nothing.
    told: (u64, Option<Epoch>),
    /// The id of the last request; a wish has it as its serial, too.
    last_id: u64,
    /// Wishes that were not answered yet, by serial.
    open: BTreeMap<u64, (Action, Value)>,
    phase: Phase,
    /// When to act without being told, and whether something is to be asked again then.
    due: Option<Instant>,
    again: bool,
    /// Frames to be sent.
    outbox: Vec<String>,
    played: Vec<Game>,
    /// Why it cannot go on anywhere.
    refused: Option<String>,
}

enum Phase {
    Idle,
    Seeking(Instant),
    Playing(Box<Table>),
}

/// The table at which a guest plays.
struct Table {
    room: String,
    opponent: String,
    waited: Duration,
    begun: Instant,
    /// The last version that was seen, if one was, and the epoch that it belongs to.
    seen: (Option<u64>, Option<Epoch>),
    view: Value,
}

impl Guest {
    pub(super) fn new(manner: Manner, seed: u64) -> Self {
        Self {
            manner,
            dice: StdRng::seed_from_u64(seed),
            player: String::new(),
            token: None,
            epoch: None,
            told: (0, None),
            last_id: 0,
            open: BTreeMap::new(),
            phase: Phase::Idle,
            due: None,
            again: false,
            outbox: Vec::new(),
            played: Vec::new(),
            refused: None,
        }
    }

    /// Plays its games, at another frontend whenever one is gone; calls `ended` after each.
    ///
    /// # Errors
    /// When it is refused what it cannot do without.
    pub(super) async fn play(mut self, ended: impl Fn(&Game)) -> anyhow::Result<Vec<Game>> {
        for url in self.manner.urls.clone().iter().cycle() {
            let entered = url.enter_by(Way::STEPS, &self.manner.name, self.token.as_deref()).await;
            if let Err(err) = self.play_at(entered, &ended).await {
                tracing::debug!("{err:#}");
            }
            if let Some(why) = self.refused {
                bail!("nobody can be sought: {why}");
            }
            if self.is_done() {
                return Ok(self.played);
            }
            sleep(RECONNECT).await;
        }
        bail!("there is no frontend to play at");
    }

    /// Plays on one socket until it is gone or nothing is left to do.
    async fn play_at(
        &mut self,
        entered: anyhow::Result<(Socket, Identity)>,
        ended: &impl Fn(&Game),
    ) -> anyhow::Result<()> {
        let (mut socket, identity) = entered?;
        self.player = identity.player.to_string();
        (self.token, self.epoch) = (Some(identity.token), identity.epoch);
        self.resume();
        while !self.is_done() && self.refused.is_none() {
            for text in self.outbox.drain(..) {
                socket.feed(Message::text(text)).await?;
            }
            socket.flush().await?;
            let played = self.played.len();
            tokio::select! {
                text = next_text(&mut socket) => self.hear(&text?.context("it was closed")?)?,
                () = until(self.due) => self.act(),
            }
            self.played[played..].iter().for_each(ended);
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.played.len() >= self.manner.games && self.open.is_empty()
    }

    /// Says on a new socket what the frontend cannot know.
    fn resume(&mut self) {
        self.outbox.clear();
        let (since, epoch) = self.told;
        self.say(Action::Notices, json!({"since": since, "epoch": epoch}));
        self.open.retain(|_, (action, _)| *action != Action::Watch);
        self.ask_again();
        match self.phase {
            Phase::Idle => self.seek(),
            Phase::Seeking(_) => {}
            Phase::Playing(_) => self.watch(),
        }
    }

    fn say(&mut self, action: Action, data: Value) {
        self.last_id += 1;
        self.outbox.push(frame(self.last_id, action.as_str(), &data));
    }

    /// Asks for something until it is granted, or refused for good.
    fn ask(&mut self, action: Action, mut data: Value) {
        data["serial"] = (self.last_id + 1).into();
        self.say(action, data.clone());
        self.open.insert(self.last_id, (action, data));
    }

    fn ask_again(&mut self) {
        let frames = self.open.iter().map(|(id, (action, data))| frame(*id, action.as_str(), data));
        self.outbox.extend(frames);
    }

    fn seek(&mut self) {
        if self.played.len() < self.manner.games {
            self.phase = Phase::Seeking(Instant::now());
            self.ask(Action::Seek, self.manner.seek.clone());
        }
    }

    fn watch(&mut self) {
        if let Phase::Playing(table) = &self.phase {
            let (since, epoch) = table.seen;
            let watch = json!({"room": table.room, "since": since, "epoch": epoch});
            self.ask(Action::Watch, watch);
        }
    }

    fn hear(&mut self, text: &str) -> anyhow::Result<()> {
        let heard: Value = serde_json::from_str(text)?;
        match heard["push"].as_str() {
            None => self.on_answer(&heard),
            Some("notice") => self.on_notice(&heard),
            Some("view") => self.on_view(&heard),
            Some("step") => self.on_step(&heard)?,
            // Restored from a backup, a cluster counts anew.
            Some("cluster") => {
                let epoch = heard["epoch"].as_str().and_then(|epoch| epoch.parse().ok());
                self.epoch = epoch.or(self.epoch);
            }
            // This frontend stops: the next one does the rest.
            Some("bye") => bail!("{}", heard["message"]),
            Some(_) => {}
        }
        Ok(())
    }

    fn on_answer(&mut self, heard: &Value) {
        let Some(id) = heard["id"].as_u64() else { return };
        let Some((action, _)) = self.open.get(&id) else { return };
        let (action, no) = (*action, &heard["refused"]);
        let code = no["code"].as_str().and_then(|code| code.parse::<Code>().ok());
        if no["forgotten"] != true && code.is_some_and(|code| UNSETTLED.contains(&code)) {
            (self.due, self.again) = (Some(Instant::now() + AGAIN), true);
            return;
        }
        self.open.remove(&id);
        match action {
            // Its view has come before, or says why not: another move may be due.
            Action::Play if no.is_object() || self.has_seen(&heard["ok"]) => self.think(),
            Action::Seek if no.is_object() => self.refused = Some(no["message"].to_string()),
            // The room is gone.
            Action::Watch if no.is_object() => self.end(Score::Void),
            _ => {}
        }
    }

    fn has_seen(&self, made: &Value) -> bool {
        let seen = |table: &Table| table.seen.0 >= made["version"].as_u64();
        matches!(&self.phase, Phase::Playing(table) if seen(table))
    }

    fn on_notice(&mut self, notice: &Value) {
        self.told = (notice["number"].as_u64().unwrap_or(self.told.0), self.epoch);
        match (notice["kind"].as_str(), &self.phase) {
            (Some("matched"), Phase::Seeking(since)) => {
                let text = |field: &str| notice[field].as_str().unwrap_or_default().to_owned();
                self.phase = Phase::Playing(Box::new(Table {
                    room: text("room"),
                    opponent: text("name"),
                    waited: since.elapsed(),
                    begun: Instant::now(),
                    seen: (None, None),
                    view: Value::Null,
                }));
                self.watch();
            }
            // Nobody was found in time; or it is not known any more whether somebody was.
            (Some("unmatched"), Phase::Seeking(_)) => self.seek(),
            _ if notice["resync"] == true && matches!(self.phase, Phase::Seeking(_)) => self.seek(),
            _ => {}
        }
    }

    fn on_view(&mut self, push: &Value) {
        let Phase::Playing(table) = &mut self.phase else { return };
        if push["room"] != table.room {
            return;
        }
        table.seen = (push["version"].as_u64(), self.epoch);
        table.view = push["view"].clone();
        self.on_seen(push["closed"] == true);
    }

    /// What has changed since the version that was seen last. After a gap the whole view comes.
    fn on_step(&mut self, push: &Value) -> anyhow::Result<()> {
        let Phase::Playing(table) = &mut self.phase else { return Ok(()) };
        let version = push["version"].as_u64();
        if push["room"] != table.room || table.seen.0.map(|seen| seen + 1) != version {
            return Ok(());
        }
        let view = table.view.as_object_mut().context("a step of nothing")?;
        for name in push["unset"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            view.remove(name);
        }
        view.extend(push["set"].as_object().context("a step without fields")?.clone());
        table.seen.0 = version;
        self.on_seen(push["closed"] == true);
        Ok(())
    }

    fn on_seen(&mut self, closed: bool) {
        let Phase::Playing(table) = &mut self.phase else { return };
        let seat = moves::seat_of(&table.view, &self.player);
        let score = seat.and_then(|seat| moves::score(&table.view, seat));
        match score.or(closed.then_some(Score::Void)) {
            Some(score) => self.end(score),
            None => self.think(),
        }
    }

    /// Thinks about the move that is due, if one is.
    fn think(&mut self) {
        if self.next_move().is_some() {
            let ms = moves::thinking_ms(self.manner.think_ms, &mut self.dice);
            self.due = Some(Instant::now() + Duration::from_millis(ms));
        }
    }

    /// Does what is due: asks again what was not settled, and moves.
    fn act(&mut self) {
        self.due = None;
        if std::mem::take(&mut self.again) {
            self.ask_again();
        }
        let moves = self.open.values().any(|(action, _)| *action == Action::Play);
        if let (false, Some((room, mv))) = (moves, self.next_move()) {
            self.ask(Action::Play, json!({"room": room, "move": mv}));
        }
    }

    fn next_move(&mut self) -> Option<(String, Value)> {
        let Phase::Playing(table) = &self.phase else { return None };
        let seat = moves::seat_of(&table.view, &self.player)?;
        Some((table.room.clone(), moves::next(&table.view, seat, &mut self.dice)?))
    }

    /// Writes a game down, leaves the table, and seeks the next.
    fn end(&mut self, score: Score) {
        let Phase::Playing(table) = std::mem::replace(&mut self.phase, Phase::Idle) else { return };
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.played.push(Game {
            bot: self.manner.name.clone(),
            opponent: table.opponent,
            game: table.view["game"].as_str().unwrap_or_default().to_owned(),
            score,
            waited_ms: ms(table.waited),
            took_ms: ms(table.begun.elapsed()),
        });
        self.ask(Action::Stand, json!({"room": table.room}));
        self.say(Action::Unwatch, json!({"room": table.room}));
        self.seek();
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
