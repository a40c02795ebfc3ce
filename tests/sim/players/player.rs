//! A player, who never stops asking, or a watcher, who only looks on.
//!
//! They think, wish, wait for the answer and ask again under the same serial; they
//! change frontends in the middle of it, stay away for a while and come back with
//! the version they saw. Sometimes a player gives up, and never learns what became
//! of the wish.

use super::Scene;
use super::socket::{Heard, Socket};
use crate::clock::MILLI;
use crate::history::{Action, Asked, Outcome};
use crate::promises::in_order::Push;
use crate::record;
use hangraft_game::{PlayerId, RoomId, Serial, Version};
use hangraft_lab::history::{self as lab, ClientId};
use hangraft_lab::timeline::Line;
use hangraft_proto::socket::{
    Accepted, Code, Hello, InRoom, Lock, Open, Ping, Play, Publish, Remove, Request, Rooms, Say,
    Watch, Welcome,
};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// How long a player waits for an answer on one socket. A frontend gives up after
/// ten seconds and says so.
const PATIENCE: Duration = Duration::from_secs(4);

/// A socket that was silent for so long is asked whether it is still there, as the
/// page does: a machine without power does not say that it has gone.
const SILENCE: Duration = Duration::from_secs(3);

/// Before something is sent again that the cluster could not take just now.
const AGAIN: Duration = Duration::from_millis(150);

/// Refusals that settle nothing: the same wish may still be granted.
const UNSETTLED: [Code; 4] = [Code::UnknownOutcome, Code::NoQuorum, Code::Busy, Code::TooFast];

/// Of a million wishes, so many are given up on.
const GIVEN_UP_PPM: u64 = 25_000;

/// Letters in the order in which people try them.
const LETTERS: &[u8] = b"etaoinshrdlcumwfgypbvkjxqz";

/// How lines end, one after the other: as they are typed, and as they are shown.
const ENDINGS: &[(&str, &str)] = &[
    ("", ""),
    (" 👨‍👩‍👧 \u{200b}", " 👨‍👩‍👧"),
    (" Cafe\u{301}", " Café"),
    (" علی‌رضا", " علی‌رضا"),
    (" İßẞŉ\u{ad}", " İßẞŉ"),
    (" </b>\\ud800\"'", " </b>\\ud800\"'"),
    (" അവന്‍\u{3000}\u{feff}", " അവന്‍"),
    (" \u{fffd}\u{2800}.", " \u{fffd}\u{2800}."),
];

/// What stands behind a name that a player says hello with.
const SURNAMES: &[&str] = &["", " 👨‍👩‍👧", " علی‌رضا", " \"İ\\ẞ\"\u{301}"];

/// Who gave an answer that settles nothing, and which; or none at all.
type Unsettled = (String, Option<Code>);

pub(crate) struct Player {
    scene: Scene,
    name: String,
    /// Its number among clients.
    client: ClientId,
    table: usize,
    /// Takes no seat.
    watcher: bool,
    /// The frontend to go to.
    at: usize,
    socket: Option<Socket>,
    identity: Option<(PlayerId, String)>,
    serial: Serial,
    /// Acts so far; see [`Player::chance`].
    acts: u64,
    said: u64,
    view: Value,
    heard_at: Instant,
}

impl Player {
    pub(crate) fn new(scene: &Scene, number: usize, table: usize, watcher: bool) -> Self {
        Player {
            scene: scene.clone(),
            name: format!("{}{number}", if watcher { "W" } else { "P" }),
            client: record::client(number),
            table,
            watcher,
            at: number,
            socket: None,
            identity: None,
            serial: Serial(0),
            acts: 0,
            said: 0,
            view: Value::Null,
            heard_at: Instant::now(),
        }
    }

    /// Lives until the world closes.
    pub(crate) async fn run(mut self, opens: bool) {
        self.arrive(opens).await;
        while !self.scene.closing() {
            let thinking = self.scene.world.draw(20 * MILLI..500 * MILLI);
            self.look_on(Duration::from_nanos(thinking)).await;
            if !self.watcher {
                self.act().await;
            } else if self.scene.world.happens(30_000) {
                self.stay_away().await;
            }
        }
        if !self.watcher {
            let (typed, text) = self.fresh_line();
            let room = self.room();
            let (name, serial) = (self.scene.name_of(room), self.next_serial());
            let say = Request::Say(Say { room: name.into(), text: typed.into(), serial });
            let outcome = self.insist(Action::Say(room, text), &say, false).await;
            self.scene.judge().last_answered(&self.name, room, &outcome);
            self.scene.tables().playing -= 1;
        }
        loop {
            self.look_on(Duration::from_secs(1)).await;
        }
    }

    async fn arrive(&mut self, opens: bool) {
        if opens {
            self.open().await;
        }
        while self.scene.table(self.table).is_none() {
            sleep(Duration::from_millis(40)).await;
        }
        // The socket that is there watches nothing yet.
        self.socket = None;
        if !self.watcher {
            self.sit().await;
        }
    }

    async fn open(&mut self) {
        let (game, options) = self.game();
        let mut outcome = self.open_a_game(game, options).await;
        if outcome == Outcome::Refused(Code::BadRequest) {
            // Not all members know that game yet.
            outcome = self.open_a_game("hangman", json!({})).await;
        }
        let Outcome::Accepted { room, .. } = outcome else {
            panic!("a room is opened: {outcome:?}")
        };
        self.scene.opened(self.table, room);
    }

    async fn open_a_game(&mut self, game: &str, options: Value) -> Outcome {
        let public = self.name.len().is_multiple_of(2);
        let (options, serial) = (raw(&options), self.next_serial());
        let open = Open { game: game.into(), options: Some(&options), public, serial };
        self.insist(Action::Open, &Request::Open(open), false).await
    }

    /// What this player would play, and how.
    fn game(&self) -> (&'static str, Value) {
        if self.scene.world.happens(300_000) {
            ("tic-tac-toe", json!({"clock": *self.scene.choose(&[None, Some(10)])}))
        } else if self.scene.world.happens(400_000) {
            ("hangman", json!({"mode": "setter", "seats": 4}))
        } else {
            let category = *self.scene.choose(&["animals", "food", "sports"]);
            ("hangman", json!({"mode": "together", "category": category}))
        }
    }

    fn room(&self) -> RoomId {
        self.scene.table(self.table).expect("it was opened").room
    }

    fn id(&self) -> PlayerId {
        self.identity.as_ref().expect("they have said hello").0
    }

    /// One wish, whatever fits what is seen.
    async fn act(&mut self) {
        self.acts += 1;
        match self.chance() {
            0..8 => return self.look_elsewhere().await,
            8..14 if self.is_host() => return self.lock().await,
            14..17 if self.is_host() => return self.remove_someone().await,
            17..20 if self.is_host() => return self.publish().await,
            _ => {}
        }
        match self.scene.world.draw(0..100) {
            0..3 => {
                self.socket = None;
                self.at += 1;
            }
            3..5 => self.stay_away().await,
            5..19 => self.say().await,
            19..22 => self.stand_up().await,
            _ => self.play().await,
        }
    }

    async fn play(&mut self) {
        let me = self.id().to_string();
        let players = self.view["players"].as_array().cloned().unwrap_or_default();
        let Some(mine) = players.iter().find(|player| player["player"] == *me) else {
            return self.sit().await;
        };
        let (role, seat) = (mine["role"].clone(), mine["seat"].clone());
        let goes_on = matches!(self.view["state"].as_str(), Some("waiting" | "playing"));
        match self.view["game"].as_str() {
            _ if !goes_on => self.again().await,
            Some("tic-tac-toe") => self.mark(&seat).await,
            _ if role != "setter" && self.view["state"] == "playing" => self.guess().await,
            _ if role == "setter" && self.view["state"] == "waiting" => self.set_secret().await,
            _ => {}
        }
    }

    /// Marks a free cell when it is this seat's turn; now and then also when it is not, or
    /// one that is taken: that is refused. Goes on without somebody who is away.
    async fn mark(&mut self, seat: &Value) {
        let cells = self.view["cells"].as_array().cloned().unwrap_or_default();
        let free: Vec<usize> = (0..cells.len()).filter(|cell| cells[*cell].is_null()).collect();
        let mine = self.view["turn"] == *seat;
        let cell = match self.scene.world.draw(0..20) {
            0 => self.scene.world.draw(0..10),
            _ if mine && !free.is_empty() => *self.scene.choose(&free) as u64,
            1 if self.view["turn"].is_number() => return self.again().await,
            _ => return,
        };
        self.make_move(json!({"cell": cell})).await;
    }

    async fn guess(&mut self) {
        let tried = self.view["tried"].as_array().cloned().unwrap_or_default();
        let known =
            |letter: u8| tried.iter().any(|t| t["letter"] == *char::from(letter).to_string());
        let open: Vec<u8> = LETTERS.iter().copied().filter(|letter| !known(*letter)).collect();
        let mv = match self.scene.world.draw(0..20) {
            0 => json!({"word": Scene::untidy(&self.scene.fresh_word())}),
            // Perhaps one that was guessed before: that is refused.
            1 => json!({"letter": char::from(*self.scene.choose(LETTERS)).to_string()}),
            _ => {
                let likely = &open[..open.len().min(6)];
                if likely.is_empty() {
                    return;
                }
                json!({"letter": char::from(*self.scene.choose(likely)).to_string()})
            }
        };
        self.make_move(mv).await;
    }

    async fn set_secret(&mut self) {
        let word = self.scene.fresh_word();
        self.scene.judge().secret(self.room(), self.id(), &word);
        self.make_move(json!({"secret": Scene::untidy(&word)})).await;
    }

    async fn make_move(&mut self, mv: Value) {
        let (room, mv, serial) = (self.room(), raw(&mv), self.next_serial());
        let play = Play { room: self.scene.name_of(room).into(), mv: &mv, serial };
        self.wish(Action::Play(room), &Request::Play(play)).await;
    }

    async fn say(&mut self) {
        let (room, (typed, text)) = (self.room(), self.fresh_line());
        let (name, serial) = (self.scene.name_of(room), self.next_serial());
        let say = Say { room: name.into(), text: typed.into(), serial };
        self.wish(Action::Say(room, text), &Request::Say(say)).await;
    }

    /// A line as it is typed, and as it is shown.
    fn fresh_line(&mut self) -> (String, String) {
        self.said += 1;
        let (typed, shown) = ENDINGS[self.said as usize % ENDINGS.len()];
        let line = format!("{} says {}", self.name, self.said);
        (format!("{line}{typed}"), format!("{line}{shown}"))
    }

    async fn again(&mut self) {
        let (room, here) = self.here();
        self.wish(Action::Again(room), &Request::Again(here)).await;
    }

    async fn sit(&mut self) {
        let (room, here) = self.here();
        self.wish(Action::Sit(room), &Request::Sit(here)).await;
    }

    async fn stand_up(&mut self) {
        let (room, here) = self.here();
        self.wish(Action::Stand(room), &Request::Stand(here)).await;
    }

    /// The room, and how one says that one wants something in it, once.
    fn here(&mut self) -> (RoomId, InRoom<'static>) {
        let room = self.room();
        let name = self.scene.name_of(room);
        (room, InRoom { room: name.into(), serial: self.next_serial() })
    }

    /// For a wish that was not sent before.
    fn next_serial(&mut self) -> Option<Serial> {
        self.serial = self.serial.next();
        Some(self.serial)
    }

    /// A number below 1000 for this act. Not drawn from the world's dice, so that what
    /// these stood for before stays so.
    fn chance(&self) -> u64 {
        let mixed = (self.id().0 ^ self.acts.rotate_left(40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) % 1_000
    }

    fn is_host(&self) -> bool {
        self.view["host"] == self.id().to_string()
    }

    /// Locks the room, or opens it again.
    async fn lock(&mut self) {
        let locked = self.view["locked"] != true;
        let (room, InRoom { room: name, serial }) = self.here();
        let lock = Lock { room: name, locked, serial };
        self.wish(Action::Lock(room), &Request::Lock(lock)).await;
    }

    /// Lets strangers find the room, or closes it to them.
    async fn publish(&mut self) {
        let public = self.view["public"] != true;
        let (room, InRoom { room: name, serial }) = self.here();
        let publish = Publish { room: name, public, serial };
        self.wish(Action::Publish(room), &Request::Publish(publish)).await;
    }

    /// Takes the last of the others from the table.
    async fn remove_someone(&mut self) {
        let me = self.id().to_string();
        let players = self.view["players"].as_array().cloned().unwrap_or_default();
        let mut others = players.iter().rev().filter_map(|player| player["player"].as_str());
        let Some(other) = others.find(|player| *player != me) else {
            return;
        };
        let (room, InRoom { room: name, serial }) = self.here();
        let remove = Remove { room: name, player: other.into(), serial };
        self.wish(Action::Remove(room), &Request::Remove(remove)).await;
    }

    /// Leaves the room for the lobby, and is not here meanwhile; the seat stays theirs.
    async fn look_elsewhere(&mut self) {
        let room = self.scene.name_of(self.room()).into();
        self.ask(&Request::Unwatch(InRoom { room, serial: None })).await;
        let all = self.chance() >= 4;
        self.ask(&Request::Rooms(Rooms { all, ..Rooms::default() })).await;
        sleep(Duration::from_millis(500 * (1 + self.chance()))).await;
        self.socket = None;
    }

    /// Closes the page for a while.
    async fn stay_away(&mut self) {
        self.socket = None;
        let away = self.scene.world.draw(50 * MILLI..3_000 * MILLI);
        self.scene.world.note(&self.name, format_args!("is away for {} ms", away / MILLI));
        sleep(Duration::from_nanos(away)).await;
    }

    /// A wish that is perhaps given up on.
    async fn wish(&mut self, action: Action, request: &Request<'_>) {
        let gives_up = self.scene.world.happens(GIVEN_UP_PPM);
        self.insist(action, request, gives_up).await;
    }

    /// Sends a wish under its serial until there is an answer that settles it, or once,
    /// if the player gives up.
    async fn insist(&mut self, action: Action, request: &Request<'_>, gives_up: bool) -> Outcome {
        self.be_connected().await;
        let (player, serial, room) = (self.id(), self.serial, action.room());
        let by = self.asks();
        self.scene.world.tell(&self.name, format_args!("asks {by} {action} (wish {serial})"));
        let asked = Asked { client: self.client, by, at_us: self.scene.now_us() };
        let wish = self.scene.judge().invoked(player, serial, action, asked);
        let mut unsettled = None;
        loop {
            self.be_connected().await;
            let by = self.asks();
            self.scene.judge().history.ask_again(wish, by.clone());
            let answer = self.ask(request).await;
            let no = answer.as_ref().map(|answer| answer.as_ref().err().copied());
            let outcome = match answer {
                Some(Ok(yes)) => Some(self.accepted(&yes, room)),
                Some(Err(no)) if UNSETTLED.contains(&no) => None,
                Some(Err(no)) => Some(Outcome::Refused(no)),
                None => None,
            };
            if let Some(outcome) = outcome {
                let told = format_args!("is told by {by}: {outcome} (wish {serial})");
                self.scene.world.tell(&self.name, told);
                if let Outcome::Accepted { room, version } = outcome {
                    self.scene.acknowledged(room, version);
                }
                let now_us = self.scene.now_us();
                self.scene.judge().answered(wish, outcome.clone(), now_us);
                return outcome;
            }
            if gives_up {
                self.scene.world.tell(&self.name, format_args!("gives up (wish {serial})"));
                return Outcome::Unknown;
            }
            self.note_unsettled(&mut unsettled, (by, no.flatten()), serial);
            sleep(AGAIN).await;
        }
    }

    /// A wish is not settled yet: told once for as long as the same one answers the same.
    fn note_unsettled(&self, before: &mut Option<Unsettled>, now: Unsettled, serial: Serial) {
        if before.as_ref() == Some(&now) {
            return;
        }
        let (by, answer) = before.insert(now);
        let answer = answer.map_or("nothing", Code::as_str);
        let told = format_args!("is told by {by}: {answer}; asks again (wish {serial})");
        self.scene.world.note(&self.name, told);
    }

    /// Asks on the socket that is there; nothing when it brings no answer.
    async fn ask(&mut self, request: &Request<'_>) -> Option<Result<Box<RawValue>, Code>> {
        self.be_connected().await;
        let deadline = Instant::now() + PATIENCE;
        let asked = self.socket.as_mut().expect("just connected").ask(request).await;
        let answer = match asked {
            Some(id) => self.answer_to(id, deadline).await,
            None => None,
        };
        if answer.is_none() {
            self.socket = None;
            self.at += 1;
        }
        answer
    }

    async fn answer_to(
        &mut self,
        id: u64,
        deadline: Instant,
    ) -> Option<Result<Box<RawValue>, Code>> {
        loop {
            let hearing = self.socket.as_mut()?.hear();
            let (heard, text) = timeout_at(deadline, hearing).await.ok()??;
            self.heard_at = Instant::now();
            match heard {
                Heard::Answer(answered, answer) if answered == id => {
                    self.scene.judge().frame(self.id_or_nobody(), &text);
                    return Some(answer);
                }
                heard => self.take(heard, &text),
            }
        }
    }

    /// Watches for a while.
    async fn look_on(&mut self, time: Duration) {
        if self.heard_at.elapsed() > SILENCE {
            // Without an answer the socket is given up on.
            self.ask(&Request::Ping(Ping {})).await;
        }
        let deadline = Instant::now() + time;
        while Instant::now() < deadline {
            self.be_connected().await;
            let hearing = self.socket.as_mut().expect("just connected").hear();
            match timeout_at(deadline, hearing).await {
                Ok(Some((heard, text))) => {
                    self.heard_at = Instant::now();
                    self.take(heard, &text);
                }
                Ok(None) => self.socket = None,
                Err(_) => return,
            }
        }
    }

    /// The name of the frontend that it is with.
    fn asks(&self) -> String {
        format!("f{}", self.at % self.scene.frontends.len() + 1)
    }

    fn id_or_nobody(&self) -> PlayerId {
        self.identity.as_ref().map_or(PlayerId(0), |(id, _)| *id)
    }

    fn take(&mut self, heard: Heard, text: &str) {
        let mut judge = self.scene.judge.lock().expect("the judge does not panic");
        let player = self.identity.as_ref().map_or(PlayerId(0), |(id, _)| *id);
        judge.frame(player, text);
        let Heard::View { room, version, view, resync, closed } = heard else { return };
        let room = self.scene.room_called(&room);
        let push = Push { room, version, view: &view, resync, closed };
        judge.pushed(player, &push);
        drop(judge);
        let push = || lab::Push {
            at: self.scene.now_us(),
            client: self.client,
            room: self.scene.name_of(room),
            version,
            resync,
            closed,
        };
        self.scene.world.record.add(|| Line::Push(push()));
        let (now, mark) = (self.scene.world.now(), if closed { "over" } else { "anew" });
        if resync || closed {
            let seen = format_args!("is shown {room} {mark}, at version {}", version.0);
            self.scene.world.tell(&self.name, seen);
        } else {
            self.scene.world.story.shown(now, &self.name, room, version);
        }
        self.view = serde_json::from_str(&view).expect("views are JSON");
    }

    /// A socket at whichever frontend answers, with the table watched from what was
    /// seen last.
    async fn be_connected(&mut self) {
        while self.socket.is_none() {
            if self.connect().await.is_none() {
                self.socket = None;
                self.at += 1;
                sleep(AGAIN).await;
            }
        }
    }

    async fn connect(&mut self) -> Option<()> {
        let frontend = self.scene.frontends[self.at % self.scene.frontends.len()];
        self.socket = Some(Socket::open(&self.scene, frontend).await?);
        let deadline = Instant::now() + PATIENCE;
        let token = self.identity.as_ref().map(|(_, token)| token.clone());
        let surname = SURNAMES[self.at % SURNAMES.len()];
        let name = format!("{}{surname}", self.name);
        let hello = Hello { name: Some(name.into()), token: token.map(Into::into) };
        let id = self.socket.as_mut()?.ask(&Request::Hello(hello)).await?;
        let hello = self.answer_to(id, deadline).await?.ok()?;
        let hello: Welcome<'_> = serde_json::from_str(hello.get()).expect("a hello is answered so");
        let (player, token) = (hello.player, hello.token.into_owned());
        if let Some((before, _)) = &self.identity {
            assert_eq!(*before, player, "a token is the same player everywhere");
        }
        self.identity = Some((player, token));
        self.scene.world.note(&self.name, format_args!("is connected to {}", self.asks()));
        if let Some(table) = self.scene.table(self.table) {
            let since = self.scene.judge().orders.since(player, table.room);
            let room = self.scene.name_of(table.room).into();
            let watch = Watch { room, since, epoch: None };
            let watch = Request::Watch(watch);
            let id = self.socket.as_mut()?.ask(&watch).await?;
            if let Err(code) = self.answer_to(id, deadline).await? {
                // Of a room that is gone there is nothing to see; what is asked about it
                // is answered so.
                let gone = self.scene.judge().watch_refused(player, table.room, code);
                return gone.then_some(());
            }
        }
        Some(())
    }

    fn accepted(&self, yes: &RawValue, asked: Option<RoomId>) -> Outcome {
        let yes: Accepted<'_> = serde_json::from_str(yes.get()).expect("a yes is an object");
        let opened = yes.room.map(|name| self.scene.room_called(&name));
        let room = opened.or(asked).expect("a yes is about a room");
        // Opening makes the first version.
        Outcome::Accepted { room, version: yes.version.unwrap_or(Version(1)) }
    }
}

fn raw(json: &Value) -> Box<RawValue> {
    to_raw_value(json).expect("JSON is JSON")
}
