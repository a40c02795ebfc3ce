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

use anyhow::bail;
use futures_util::SinkExt;
use hangraft_proto::socket::{Action, Code, Epoch, frame};
use rand::{SeedableRng, rngs::StdRng};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{sleep, sleep_until};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    bot::moves::{self, Score},
    socket::{Identity, Socket, Url, next_text},
};

/// How long to wait before another frontend is tried.
const RECONNECT: Duration = Duration::from_millis(100);

/// How long to wait before something is asked again that nobody could answer.
const AGAIN: Duration = Duration::from_millis(250);

/// Refusals that settle nothing: asked again under the same serial, it may still be granted.
const UNSETTLED: [Code; 4] = [Code::UnknownOutcome, Code::NoQuorum, Code::Busy, Code::TooFast];

/// What a guest is to do.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    /// What it calls itself.
    pub(super) name: String,
    pub(super) urls: Vec<Url>,
    /// What it says with `seek`.
    pub(super) seek: Value,
    /// How many games it plays.
    pub(super) games: usize,
    /// How long it thinks about a move, on average.
    pub(super) think_ms: u64,
}

/// A game that was played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Game {
    pub(super) bot: String,
    pub(super) opponent: String,
    pub(super) game: String,
    pub(super) score: Score,
    /// From the wish to play until somebody was found.
    pub(super) waited_ms: u64,
    /// From there to the end.
    pub(super) took_ms: u64,
}

pub(super) struct Guest {
    manner: Manner,
    dice: StdRng,
    identity: Option<Identity>,
    /// The last notice's number, and the epoch that it belongs to. At first 0: a new player
    /// was told nothing, and is to miss nothing.
    told: (u64, Option<Epoch>),
    /// The id of the last request; a wish has it as its serial, too.
    last_id: u64,
    /// Wishes that were not answered yet, by serial.
    open: BTreeMap<u64, (Action, Value)>,
    phase: Phase,
    /// When to act without being told.
    due: Option<Instant>,
    /// Frames to be sent.
    outbox: Vec<String>,
    played: Vec<Game>,
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
    /// The last version that was seen, and the epoch that it belongs to.
    seen: Option<(u64, Option<Epoch>)>,
    view: Value,
}

impl Guest {
    pub(super) fn new(manner: Manner, seed: u64) -> Self {
        Self {
            manner,
            dice: StdRng::seed_from_u64(seed),
            identity: None,
            told: (0, None),
            last_id: 0,
            open: BTreeMap::new(),
            phase: Phase::Idle,
            due: None,
            outbox: Vec::new(),
            played: Vec::new(),
        }
    }

    /// Plays its games, at another frontend whenever one is gone; calls `ended` after each.
    ///
    /// # Errors
    /// When it is refused what it cannot do without.
    pub(super) async fn play(mut self, ended: impl Fn(&Game)) -> anyhow::Result<Vec<Game>> {
        for url in self.manner.urls.clone().iter().cycle() {
            let token = self.identity.as_ref().map(|identity| identity.token.as_str());
            match url.enter(&self.manner.name, token).await {
                Ok((mut socket, identity)) => {
                    self.identity = Some(identity);
                    self.resume();
                    match self.play_at(&mut socket, &ended).await {
                        Ok(()) if self.is_done() => return Ok(self.played),
                        Ok(()) => {}
                        Err(Trouble::Refused(err)) => return Err(err),
                        Err(Trouble::Socket(err)) => tracing::debug!("{err:#}"),
                    }
                }
                Err(err) => tracing::debug!("{err:#}"),
            }
            sleep(RECONNECT).await;
        }
        bail!("there is no frontend to play at");
    }

    /// Plays on one socket until it is gone or nothing is left to do.
    async fn play_at(
        &mut self,
        socket: &mut Socket,
        ended: &impl Fn(&Game),
    ) -> Result<(), Trouble> {
        while !self.is_done() {
            for text in self.outbox.drain(..) {
                socket
                    .feed(Message::text(text))
                    .await
                    .map_err(|err| Trouble::Socket(err.into()))?;
            }
            socket.flush().await.map_err(|err| Trouble::Socket(err.into()))?;
            let played = self.played.len();
            tokio::select! {
                text = next_text(socket) => match text.map_err(Trouble::Socket)? {
                    Some(text) => self.hear(&text)?,
                    None => return Ok(()),
                },
                () = until(self.due) => self.act(),
            }
            self.played[played..].iter().for_each(ended);
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.played.len() >= self.manner.games && self.open.is_empty()
    }

    /// Says again, on a new socket, what the frontend cannot know.
    fn resume(&mut self) {
        self.outbox.clear();
        let (since, epoch) = self.told;
        self.ask(Action::Notices, json!({"since": since, "epoch": epoch}));
        self.watch();
        self.ask_again();
        if matches!(self.phase, Phase::Idle) && self.open.is_empty() {
            self.seek();
        }
    }

    /// Asks for something that changes nothing.
    fn ask(&mut self, action: Action, data: Value) {
        self.last_id += 1;
        self.outbox.push(frame(self.last_id, action.as_str(), &data));
    }

    /// Wishes for a change, until it is granted or refused for good.
    fn wish(&mut self, action: Action, mut data: Value) {
        self.last_id += 1;
        data["serial"] = self.last_id.into();
        self.outbox.push(frame(self.last_id, action.as_str(), &data));
        self.open.insert(self.last_id, (action, data));
    }

    fn ask_again(&mut self) {
        let frames = self.open.iter().map(|(id, (action, data))| frame(*id, action.as_str(), data));
        self.outbox.extend(frames);
    }

    fn seek(&mut self) {
        if self.played.len() < self.manner.games {
            self.phase = Phase::Seeking(Instant::now());
            self.wish(Action::Seek, self.manner.seek.clone());
        }
    }

    fn watch(&mut self) {
        if let Phase::Playing(table) = &self.phase {
            let (since, epoch) = table.seen.unzip();
            self.ask(
                Action::Watch,
                json!({"room": table.room, "since": since, "epoch": epoch.flatten()}),
            );
        }
    }

    fn hear(&mut self, text: &str) -> Result<(), Trouble> {
        let heard: Value = serde_json::from_str(text).map_err(|err| Trouble::Socket(err.into()))?;
        match heard["push"].as_str() {
            None => return self.on_answer(&heard),
            Some("notice") => self.on_notice(&heard),
            Some("view") => self.on_view(&heard),
            // Restored from a backup, a cluster counts anew.
            Some("cluster") => self.on_epoch(&heard["epoch"]),
            // This frontend stops: the next one does the rest.
            Some("bye") => return Err(Trouble::Socket(anyhow::anyhow!("{}", heard["message"]))),
            Some(_) => {}
        }
        Ok(())
    }

    fn on_answer(&mut self, heard: &Value) -> Result<(), Trouble> {
        let Some(id) = heard["id"].as_u64() else { return Ok(()) };
        let Some((action, _)) = self.open.get(&id) else { return Ok(()) };
        let (action, refused) = (*action, &heard["refused"]);
        let code = refused["code"].as_str().and_then(|code| code.parse::<Code>().ok());
        if refused["forgotten"] != true && code.is_some_and(|code| UNSETTLED.contains(&code)) {
            self.due = Some(Instant::now() + AGAIN);
            return Ok(());
        }
        self.open.remove(&id);
        match action {
            Action::Seek if refused.is_object() => {
                let message = refused["message"].as_str().unwrap_or_default();
                return Err(Trouble::Refused(anyhow::anyhow!("nobody can be sought: {message}")));
            }
            // The view that says why is on its way; if there is none, another move is due.
            Action::Play if refused.is_object() => self.think(),
            _ => {}
        }
        Ok(())
    }

    fn on_notice(&mut self, notice: &Value) {
        self.told = (notice["number"].as_u64().unwrap_or(self.told.0), self.epoch());
        match (notice["kind"].as_str(), &self.phase) {
            (Some("matched"), Phase::Seeking(since)) => {
                let text = |field: &str| notice[field].as_str().unwrap_or_default().to_owned();
                self.phase = Phase::Playing(Box::new(Table {
                    room: text("room"),
                    opponent: text("name"),
                    waited: since.elapsed(),
                    begun: Instant::now(),
                    seen: None,
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
        let epoch = self.epoch();
        let Phase::Playing(table) = &mut self.phase else { return };
        let Some(version) = push["version"].as_u64().filter(|_| push["room"] == table.room) else {
            return;
        };
        table.seen = Some((version, epoch));
        table.view = push["view"].clone();
        let over = self.score().or((push["closed"] == true).then_some(Score::Void));
        match over {
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
        self.ask_again();
        let moves = self.open.values().any(|(action, _)| *action == Action::Play);
        if let (false, Some((room, mv))) = (moves, self.next_move()) {
            self.wish(Action::Play, json!({"room": room, "move": mv}));
        }
    }

    fn next_move(&mut self) -> Option<(String, Value)> {
        let player = self.player();
        let Phase::Playing(table) = &self.phase else { return None };
        let seat = moves::seat_of(&table.view, &player)?;
        Some((table.room.clone(), moves::next(&table.view, seat, &mut self.dice)?))
    }

    fn score(&self) -> Option<Score> {
        let Phase::Playing(table) = &self.phase else { return None };
        moves::score(&table.view, moves::seat_of(&table.view, &self.player())?)
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
        self.wish(Action::Stand, json!({"room": table.room}));
        self.ask(Action::Unwatch, json!({"room": table.room}));
        self.seek();
    }

    /// Who this is, as views say it.
    fn player(&self) -> String {
        self.identity.as_ref().map_or_else(String::new, |identity| identity.player.to_string())
    }

    /// What numbers belong to.
    fn epoch(&self) -> Option<Epoch> {
        self.identity.as_ref().and_then(|identity| identity.epoch)
    }

    fn on_epoch(&mut self, epoch: &Value) {
        let epoch = epoch.as_str().and_then(|epoch| epoch.parse().ok());
        if let (Some(identity), Some(epoch)) = (&mut self.identity, epoch) {
            identity.epoch = Some(epoch);
        }
    }
}

/// Why a guest does not go on.
enum Trouble {
    /// Not at this frontend.
    Socket(anyhow::Error),
    /// Nowhere.
    Refused(anyhow::Error),
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
