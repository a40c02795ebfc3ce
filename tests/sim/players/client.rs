//! Whoever asks for things over a socket and never stops asking: what players, watchers and
//! seekers have in common.
//!
//! A wish is sent under its serial, and again, at whichever frontend answers, until there is
//! an answer that settles it. Whoever comes back says what they have seen last: the version
//! of the room that they watch, and the number of the last notice.

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
    Accepted, Bot, Code, Hello, InRoom, KeptView, Lobby, Look, Notice, Notices, Ping, Request,
    Step, View, Watch, Welcome,
};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// How long somebody waits for an answer on one socket. A frontend gives up after
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

/// What stands behind a name that somebody says hello with.
const SURNAMES: &[&str] = &["", " 👨‍👩‍👧", " علی‌رضا", " \"İ\\ẞ\"\u{301}"];

/// Who gave an answer that settles nothing, and which; or none at all.
type Unsettled = (String, Option<Code>);

/// Somebody with a socket, or about to have one.
pub(super) struct Client {
    pub(super) scene: Scene,
    pub(super) name: String,
    /// Its number among clients.
    number: ClientId,
    /// The frontend to go to.
    at: usize,
    socket: Option<Socket>,
    identity: Option<(PlayerId, String)>,
    serial: Serial,
    heard_at: Instant,
    /// What is watched wherever they are.
    watches: Option<RoomId>,
    /// The newest view of it.
    pub(super) view: Value,
    /// The newest views of rooms that are not watched any more.
    views: BTreeMap<RoomId, Value>,
    /// Asks for steps.
    in_steps: bool,
    /// The newest view of each room, as it was shown or put together from steps.
    kept: BTreeMap<RoomId, KeptView>,
    /// Hears what players are told, and looks at the open seeks.
    seeks: bool,
    /// Notices that nobody has read yet, in the order they came.
    pub(super) notices: Vec<Notice>,
    /// The open seeks, as they were shown last.
    pub(super) lobby: Lobby,
    /// The bots that can be challenged.
    pub(super) bots: Vec<Bot>,
}

impl Client {
    /// Somebody of this name, who goes to the frontend of their number first. One who
    /// `seeks` follows what they are told.
    pub(super) fn new(scene: &Scene, name: String, number: usize, seeks: bool) -> Self {
        Client {
            scene: scene.clone(),
            name,
            number: record::client(number),
            at: number,
            socket: None,
            identity: None,
            serial: Serial(0),
            heard_at: Instant::now(),
            watches: None,
            view: Value::Null,
            views: BTreeMap::new(),
            // Every other one, and not the same ones every day.
            in_steps: scene.world.seed.wrapping_add(number as u64).is_multiple_of(2),
            kept: BTreeMap::new(),
            seeks,
            notices: Vec::new(),
            lobby: Lobby::default(),
            bots: Vec::new(),
        }
    }

    pub(super) fn id(&self) -> PlayerId {
        self.identity.as_ref().expect("they have said hello").0
    }

    fn id_or_nobody(&self) -> PlayerId {
        self.identity.as_ref().map_or(PlayerId(0), |(id, _)| *id)
    }

    /// Where they sit, as the newest view has it.
    pub(super) fn seat(&self) -> Option<Value> {
        let me = self.id().to_string();
        self.view["players"].as_array()?.iter().find(|player| player["player"] == *me).cloned()
    }

    /// For a wish that was not sent before.
    pub(super) fn next_serial(&mut self) -> Option<Serial> {
        self.serial = self.serial.next();
        Some(self.serial)
    }

    /// How one says that one wants something in a room, once.
    pub(super) fn here(&mut self, room: RoomId) -> InRoom<'static> {
        InRoom { room: self.scene.name_of(room).into(), serial: self.next_serial() }
    }

    /// Looks at this room from the next socket on.
    pub(super) fn will_watch(&mut self, room: RoomId) {
        self.watches = Some(room);
        self.hang_up();
    }

    /// Looks at this room from now on.
    pub(super) async fn watch(&mut self, room: RoomId) {
        self.be_connected().await;
        self.watches = Some(room);
        self.view = self.views.remove(&room).unwrap_or_default();
        self.scene.judge().looks_at(self.id(), room);
        if self.send_watch(room, Instant::now() + PATIENCE).await.is_none() {
            self.hang_up();
            self.at += 1;
        }
    }

    /// Does not look at any room any more.
    pub(super) async fn unwatch(&mut self) {
        let Some(room) = self.watches.take() else { return };
        self.views.insert(room, self.view.take());
        let name = self.scene.name_of(room).into();
        // Without an answer the socket is given up on, and the next one watches nothing.
        self.ask(&Request::Unwatch(InRoom { room: name, serial: None })).await;
        self.scene.judge().looks_away(self.id(), room);
    }

    /// Closes the socket.
    pub(super) fn hang_up(&mut self) {
        self.socket = None;
    }

    /// Goes to the next frontend.
    pub(super) fn go_on(&mut self) {
        self.socket = None;
        self.at += 1;
    }

    /// Closes the page for a while.
    pub(super) async fn stay_away(&mut self) {
        self.socket = None;
        let away = self.scene.world.draw(50 * MILLI..3_000 * MILLI);
        self.scene.world.note(&self.name, format_args!("is away for {} ms", away / MILLI));
        sleep(Duration::from_nanos(away)).await;
    }

    /// A wish that is perhaps given up on.
    pub(super) async fn wish(&mut self, action: Action, request: &Request<'_>) -> Outcome {
        let gives_up = self.scene.world.happens(GIVEN_UP_PPM);
        self.insist(action, request, gives_up).await
    }

    /// Sends a wish under its serial until there is an answer that settles it, or once,
    /// if the player gives up.
    pub(super) async fn insist(
        &mut self,
        action: Action,
        request: &Request<'_>,
        gives_up: bool,
    ) -> Outcome {
        self.be_connected().await;
        let (player, serial) = (self.id(), self.serial);
        let by = self.asks();
        self.scene.world.tell(&self.name, format_args!("asks {by} {action} (wish {serial})"));
        let asked = Asked { client: self.number, by, at_us: self.scene.now_us() };
        let wish = self.scene.judge().invoked(player, serial, action.clone(), asked);
        let mut unsettled = None;
        loop {
            self.be_connected().await;
            let by = self.asks();
            self.scene.judge().history.ask_again(wish, by.clone());
            let answer = self.ask(request).await;
            let no = answer.as_ref().map(|answer| answer.as_ref().err().copied());
            let outcome = match answer {
                Some(Ok(yes)) => Some(self.accepted(&yes, &action)),
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

    fn accepted(&self, yes: &RawValue, action: &Action) -> Outcome {
        let yes: Accepted<'_> = serde_json::from_str(yes.get()).expect("a yes is an object");
        let opened = yes.room.map(|name| self.scene.room_called(&name));
        if let Some(offer) = yes.offer {
            return Outcome::Offered { offer: self.scene.offer_called(&offer), room: opened };
        }
        if action.is_about_an_offer() {
            return Outcome::Done;
        }
        let room = opened.or(action.room()).expect("a yes is about a room");
        // Opening makes the first version.
        Outcome::Accepted { room, version: yes.version.unwrap_or(Version(1)) }
    }

    /// Asks on the socket that is there; nothing when it brings no answer.
    pub(super) async fn ask(
        &mut self,
        request: &Request<'_>,
    ) -> Option<Result<Box<RawValue>, Code>> {
        self.be_connected().await;
        let deadline = Instant::now() + PATIENCE;
        let answer = self.ask_until(request, deadline).await;
        if answer.is_none() {
            self.go_on();
        }
        answer
    }

    async fn ask_until(
        &mut self,
        request: &Request<'_>,
        deadline: Instant,
    ) -> Option<Result<Box<RawValue>, Code>> {
        let id = self.socket.as_mut()?.ask(request).await?;
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
    pub(super) async fn look_on(&mut self, time: Duration) {
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
    pub(super) fn asks(&self) -> String {
        format!("f{}", self.at % self.scene.frontends.len() + 1)
    }

    fn take(&mut self, heard: Heard, text: &str) {
        let player = self.id_or_nobody();
        self.scene.judge().frame(player, text);
        match heard {
            Heard::View { room, version, view, resync, closed } => {
                let whole =
                    View { room: "".into(), version, view: &view, events: "[]", resync, closed };
                let room = self.scene.room_called(&room);
                let in_steps = self.in_steps;
                if in_steps {
                    let kept = self.kept.entry(room).or_default();
                    kept.show(&whole).expect("views are JSON");
                }
                self.is_shown(&Push { room, version, view: &view, resync, closed, in_steps });
            }
            Heard::Step { room, version, set, unset, closed } => {
                let (set, unset) = (&*set, &*unset);
                let step = Step { room: "".into(), version, set, unset, events: "[]", closed };
                let room = self.scene.room_called(&room);
                let kept = self.kept.entry(room).or_default();
                let shown = kept.version();
                if !kept.take(&step).expect("steps are JSON") {
                    return self.scene.judge().told_of_elsewhere(player, room, shown, version);
                }
                let view = serde_json::to_string(kept.fields()).expect("JSON is JSON");
                let (resync, in_steps) = (false, true);
                self.is_shown(&Push { room, version, view: &view, resync, closed, in_steps });
            }
            Heard::Notice(notice) => {
                self.tell_of(&notice);
                self.scene.judge().told(player, &notice);
                self.notices.push(*notice);
            }
            Heard::Lobby(lobby) => self.lobby = lobby,
            Heard::Answer(..) | Heard::Other => {}
        }
    }

    fn tell_of(&self, notice: &Notice) {
        let room = notice.room.as_ref().map(|room| self.scene.room_called(room));
        let offer = notice.offer.as_ref().map(|offer| self.scene.offer_called(offer));
        let about = offer.map(|offer| format!(", {offer}")).into_iter();
        let about: String = about.chain(room.map(|room| format!(", {room}"))).collect();
        let lost = if notice.resync { "; others before it are lost" } else { "" };
        let (by, number, kind) = (self.asks(), notice.number, notice.kind);
        let told = format_args!("is told by {by} as {number}: {kind}{about}{lost}");
        self.scene.world.tell(&self.name, told);
    }

    fn is_shown(&mut self, push: &Push<'_>) {
        let Push { room, version, view, resync, closed, .. } = *push;
        self.scene.judge().pushed(self.id_or_nobody(), push);
        let push = || lab::Push {
            at: self.scene.now_us(),
            client: self.number,
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
        self.view = serde_json::from_str(view).expect("views are JSON");
    }

    /// A socket at whichever frontend answers, with everything as it was before.
    pub(super) async fn be_connected(&mut self) {
        while self.socket.is_none() {
            if self.connect().await.is_none() {
                self.go_on();
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
        let steps = self.in_steps;
        let hello = Hello { name: Some(name.into()), token: token.map(Into::into), steps };
        let hello = self.ask_until(&Request::Hello(hello), deadline).await?.ok()?;
        let hello: Welcome<'_> = serde_json::from_str(hello.get()).expect("a hello is answered so");
        let (player, token) = (hello.player, hello.token.into_owned());
        if let Some((before, _)) = &self.identity {
            assert_eq!(*before, player, "a token is the same player everywhere");
        }
        self.identity = Some((player, token));
        self.bots = hello.server.bots.into_owned();
        self.scene.world.note(&self.name, format_args!("is connected to {}", self.asks()));
        if self.seeks {
            self.follow(deadline).await?;
        }
        if let Some(room) = self.watches {
            self.send_watch(room, deadline).await?;
        }
        Some(())
    }

    /// Goes on hearing what they are told, and looking at the open seeks.
    async fn follow(&mut self, deadline: Instant) -> Option<()> {
        let since = Some(self.scene.judge().heard_of(self.id()));
        let notices = Request::Notices(Notices { since, epoch: None });
        self.ask_until(&notices, deadline).await?.ok()?;
        self.ask_until(&Request::Lobby(Look { open: true }), deadline).await?.ok()?;
        Some(())
    }

    /// Looks at a room from what was seen last, on the socket that is there.
    async fn send_watch(&mut self, room: RoomId, deadline: Instant) -> Option<()> {
        let player = self.id();
        let since = self.scene.judge().orders.since(player, room);
        let name = self.scene.name_of(room).into();
        let watch = Request::Watch(Watch { room: name, since, epoch: None });
        if let Err(code) = self.ask_until(&watch, deadline).await? {
            // Of a room that is gone there is nothing to see; what is asked about it
            // is answered so.
            let gone = self.scene.judge().watch_refused(player, room, code);
            return gone.then_some(());
        }
        Some(())
    }
}

pub(super) fn raw(json: &Value) -> Box<RawValue> {
    to_raw_value(json).expect("JSON is JSON")
}
