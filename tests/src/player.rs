//! A player who never gives up, and keeps book.
//!
//! Whatever happens to sockets, frontends and nodes, a wish is sent again under
//! the same serial until it is answered, and a room is watched from the version
//! seen last. What should not happen is written down: a version that comes twice,
//! late, or after a jump that nobody explained.

use std::{collections::VecDeque, time::Duration};

use hangraft_proto::socket::{Action, ByeCode, Code, Notice, NoticeKind};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout_at};

use crate::socket::{Answer, Push, Socket, Transcript, View};

/// How long a wish may stay without an answer, whatever is broken meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two tries to reach a frontend.
const RECONNECT: Duration = Duration::from_millis(50);

/// Before a wish is sent again that the cluster could not take just now.
const AGAIN: Duration = Duration::from_millis(200);

/// Refusals that settle nothing: the same wish may still be granted.
const UNSETTLED: [Code; 4] = [Code::UnknownOutcome, Code::NoQuorum, Code::Busy, Code::TooFast];

/// A player.
#[derive(Debug)]
pub struct Player {
    name: String,
    frontends: Vec<String>,
    /// Which frontend to go to.
    at: usize,
    socket: Option<Socket>,
    identity: Option<Identity>,
    last_serial: u64,
    room: Option<Seen>,
    told: Option<Told>,
    book: Book,
    transcript: Transcript,
}

#[derive(Clone, Debug)]
struct Identity {
    player: String,
    token: String,
}

/// The room a player watches, as last seen.
#[derive(Clone, Debug)]
struct Seen {
    room: String,
    /// 0: nothing yet.
    version: u64,
    view: Value,
}

/// What a player is told, since they have asked for it.
#[derive(Clone, Debug, Default)]
struct Told {
    /// The number of the last notice.
    number: u64,
    /// Nobody has looked at these yet.
    unread: VecDeque<Notice>,
}

/// What a player has lived through.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// How often a socket was lost.
    pub reconnects: usize,
    /// How often a wish was sent again.
    pub resends: usize,
    /// Views that said they do not follow upon what was seen.
    pub resyncs: usize,
    /// Views in all.
    pub views: usize,
    /// The longest wait for an answer.
    pub longest: Duration,
    /// What should not have happened.
    pub complaints: Vec<String>,
}

impl Player {
    /// Someone new, at one of the frontends.
    pub async fn arrive(name: &str, frontends: &[String], at: usize) -> Self {
        Self::arrive_with(name, frontends, at, Transcript::default()).await
    }

    /// Someone new who keeps all they hear.
    pub async fn arrive_with(
        name: &str,
        frontends: &[String],
        at: usize,
        transcript: Transcript,
    ) -> Self {
        let mut player = Self {
            name: name.to_owned(),
            frontends: frontends.to_vec(),
            at,
            socket: None,
            identity: None,
            last_serial: 0,
            room: None,
            told: None,
            book: Book::default(),
            transcript,
        };
        player.be_connected().await;
        player
    }

    /// Who the server says they are.
    pub fn id(&self) -> &str {
        &self.identity.as_ref().expect("they have arrived").player
    }

    /// What proves it.
    pub fn token(&self) -> &str {
        &self.identity.as_ref().expect("they have arrived").token
    }

    /// The frontend they go to.
    pub fn frontend(&self) -> &str {
        &self.frontends[self.at % self.frontends.len()]
    }

    /// What they have lived through.
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// Opens a room and takes a seat in it; the room.
    pub async fn open(&mut self, options: Value) -> String {
        let opened = self.wish(Action::Open, json!({"game": "hangman", "options": options})).await;
        let room =
            opened.expect("a room opens")["room"].as_str().expect("rooms have names").to_owned();
        self.sit(&room).await;
        room
    }

    /// Takes a seat and watches.
    pub async fn sit(&mut self, room: &str) {
        self.wish(Action::Sit, json!({"room": room})).await.expect("there is a seat");
        self.watch(room).await;
    }

    /// Watches a room, and waits for the first view.
    pub async fn watch(&mut self, room: &str) {
        self.room = Some(Seen { room: room.to_owned(), version: 0, view: Value::Null });
        // The socket that is there does not know yet what it is for.
        let watching = match &mut self.socket {
            Some(socket) => {
                matches!(socket.ask(Action::Watch, json!({"room": room})).await, Ok(Ok(_)))
            }
            None => false,
        };
        if !watching {
            self.lose_socket();
        }
        self.see("the first view", |_| true).await;
    }

    /// Asks for all they are told, from now on and at every frontend.
    pub async fn listen(&mut self) {
        self.told = Some(Told::default());
        // The socket that is there does not know yet.
        self.lose_socket();
        self.be_connected().await;
    }

    /// The number of the last notice that was heard.
    pub fn told(&self) -> u64 {
        self.told.as_ref().map_or(0, |told| told.number)
    }

    /// Waits for a notice of this kind; others that come before it are left out.
    ///
    /// # Panics
    /// When none comes for a minute.
    pub async fn hear(&mut self, kind: NoticeKind) -> Notice {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let told = self.told.as_mut().expect("they listen");
            while let Some(notice) = told.unread.pop_front() {
                if notice.kind == kind {
                    return notice;
                }
            }
            let change = self.change_until(deadline).await;
            assert!(change, "{} was not told of any {kind}", self.name);
        }
    }

    /// Waits for a notice for a while; the first that nobody has looked at.
    pub async fn hear_within(&mut self, time: Duration) -> Option<Notice> {
        let deadline = Instant::now() + time;
        loop {
            let told = self.told.as_mut().expect("they listen");
            if let Some(notice) = told.unread.pop_front() {
                return Some(notice);
            }
            if !self.change_until(deadline).await {
                return None;
            }
        }
    }

    /// Seeks somebody to play with; the offer. The notice says how it ends.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn seek(&mut self, data: Value) -> String {
        let offered = self.wish(Action::Seek, data).await.expect("a seek");
        offered["offer"].as_str().expect("offers have names").to_owned()
    }

    /// Waits until a seek has become a match, and watches it; the notice.
    pub async fn be_matched(&mut self) -> Notice {
        let notice = self.hear(NoticeKind::Matched).await;
        let room = notice.room.clone().expect("a match has a room");
        self.watch(&room).await;
        notice
    }

    /// Plays a move in the watched room.
    pub async fn play(&mut self, mv: Value) -> Answer {
        let room = self.room();
        self.wish(Action::Play, json!({"room": room, "move": mv})).await
    }

    /// Guesses a letter in the watched room.
    pub async fn guess(&mut self, letter: char) -> Answer {
        self.play(json!({"letter": letter.to_string()})).await
    }

    /// Says something in the watched room.
    pub async fn say(&mut self, text: &str) -> Answer {
        let room = self.room();
        self.wish(Action::Say, json!({"room": room, "text": text})).await
    }

    /// Asks for a new round in the watched room.
    pub async fn again(&mut self) -> Answer {
        let room = self.room();
        self.wish(Action::Again, json!({"room": room})).await
    }

    /// Has a wish granted or refused for good, however often it must be sent.
    pub async fn wish(&mut self, action: Action, mut data: Value) -> Answer {
        self.last_serial += 1;
        data["serial"] = self.last_serial.into();
        self.insist(action, data).await
    }

    /// Sends a wish with a serial of its own until there is an answer that settles it.
    ///
    /// # Panics
    /// When there is none for a minute.
    pub async fn insist(&mut self, action: Action, data: Value) -> Answer {
        let begun = Instant::now();
        let mut sent = 0;
        loop {
            self.book.resends += usize::from(sent > 0);
            sent += 1;
            let answer = self.be_connected().await.ask(action, data.clone()).await;
            match answer {
                Ok(Err(refusal)) if UNSETTLED.contains(&refusal.code) => {
                    sleep(AGAIN).await;
                }
                Ok(answer) => {
                    self.book.longest = self.book.longest.max(begun.elapsed());
                    self.take_kept();
                    return answer;
                }
                Err(_) => self.lose_socket(),
            }
            assert!(begun.elapsed() < PATIENCE, "{} got no answer to {action}: {data}", self.name);
        }
    }

    /// Sends a wish and does not wait for the answer; what was sent, to insist on later.
    pub async fn wish_into_the_dark(&mut self, action: Action, mut data: Value) -> Value {
        self.last_serial += 1;
        data["serial"] = self.last_serial.into();
        _ = self.be_connected().await.tell(action, data.clone()).await;
        data
    }

    /// What is seen of the watched room now.
    pub fn view(&self) -> &Value {
        &self.seen().view
    }

    /// The version seen last.
    pub fn version(&self) -> u64 {
        self.seen().version
    }

    /// Watches until something is to be seen.
    ///
    /// # Panics
    /// When it is not for a minute.
    pub async fn see(&mut self, what: &str, mut there: impl FnMut(&Value) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while self.version() == 0 || !there(self.view()) {
            let change = self.change_until(deadline).await;
            assert!(change, "{} did not see {what} but {}", self.name, self.view());
        }
    }

    /// Watches until this version, or a later one, is to be seen.
    pub async fn see_version(&mut self, version: u64) {
        let deadline = Instant::now() + PATIENCE;
        while self.version() < version {
            let change = self.change_until(deadline).await;
            assert!(change, "{} did not see version {version}", self.name);
        }
    }

    /// Watches for a while.
    pub async fn watch_for(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while self.change_until(deadline).await {}
    }

    /// Goes to another frontend, without a word to the one before.
    pub fn go_to(&mut self, frontend: usize) {
        self.lose_socket();
        self.at = frontend;
    }

    /// Asks something that changes nothing.
    ///
    /// # Panics
    /// When there is no answer for a minute.
    pub async fn ask(&mut self, action: Action, data: Value) -> Answer {
        self.insist(action, data).await
    }

    /// The watched room, by its name.
    pub fn room(&self) -> String {
        self.seen().room.clone()
    }

    fn seen(&self) -> &Seen {
        self.room.as_ref().expect("they watch a room")
    }

    /// Waits for one push; whether one came before the deadline.
    async fn change_until(&mut self, deadline: Instant) -> bool {
        if Instant::now() >= deadline {
            return false;
        }
        let Ok(socket) = timeout_at(deadline, self.be_connected()).await else { return false };
        match timeout_at(deadline, socket.push()).await {
            Ok(Ok(push)) => self.take(push),
            Ok(Err(_)) => self.lose_socket(),
            Err(_) => return false,
        }
        true
    }

    fn take_kept(&mut self) {
        while let Some(push) = self.socket.as_mut().and_then(Socket::kept_push) {
            self.take(push);
        }
    }

    fn take(&mut self, push: Push) {
        match push {
            Push::View(view) => self.take_view(view),
            Push::Notice(notice) => self.take_notice(*notice),
            Push::Bye(code) => match code {
                // What they had asked for was answered; the next frontend does the rest.
                ByeCode::Moving => self.go_to(self.at + 1),
                ByeCode::Restarting => {}
                _ => self.book.complaints.push(format!("{} was sent away: {code}", self.name)),
            },
            Push::Live(_) | Push::Other => {}
        }
    }

    fn take_notice(&mut self, notice: Notice) {
        let Some(told) = &mut self.told else { return };
        let (before, now) = (told.number, notice.number.0);
        // The first that somebody is told has any number.
        let told_of = notice.resync && now > before;
        let follows = before == 0 || now == before + 1 || told_of;
        if !follows {
            let complaint = format!("{}: notice {now} after {before}", self.name);
            self.book.complaints.push(complaint);
        }
        told.number = now;
        told.unread.push_back(notice);
    }

    fn take_view(&mut self, push: View) {
        let Some(seen) = self.room.as_mut().filter(|seen| seen.room == push.room) else { return };
        self.book.views += 1;
        self.book.resyncs += usize::from(push.resync);
        let (before, now) = (seen.version, push.version);
        if before != 0 && now <= before {
            let complaint = format!("{}: version {now} after {before}", self.name);
            self.book.complaints.push(complaint);
            return;
        }
        if before != 0 && now != before + 1 && !push.resync {
            let complaint = format!("{}: an unexplained jump from {before} to {now}", self.name);
            self.book.complaints.push(complaint);
        }
        (seen.version, seen.view) = (now, push.view);
    }

    fn lose_socket(&mut self) {
        // What has come was seen, even when the socket is gone.
        self.take_kept();
        self.book.reconnects += usize::from(self.socket.take().is_some());
    }

    /// The socket; a new one, at whichever frontend answers, when there is none.
    /// May be called off.
    async fn be_connected(&mut self) -> &mut Socket {
        while self.socket.is_none() {
            match self.connect().await {
                Ok((socket, identity)) => {
                    self.identity = Some(identity);
                    self.socket = Some(socket);
                }
                Err(_) => {
                    self.at += 1;
                    sleep(RECONNECT).await;
                }
            }
        }
        self.socket.as_mut().expect("just made")
    }

    async fn connect(&self) -> anyhow::Result<(Socket, Identity)> {
        let mut socket = Socket::open_with(self.frontend(), None, self.transcript.clone()).await?;
        let token = self.identity.as_ref().map(|identity| &identity.token);
        let hello = socket.ask(Action::Hello, json!({"name": self.name, "token": token})).await?;
        let hello = hello.map_err(|no| anyhow::anyhow!("{}: {}", no.code, no.message))?;
        let text = |field: &str| hello[field].as_str().expect("hello answers in full").to_owned();
        let identity = Identity { player: text("player"), token: text("token") };
        if let Some(before) = &self.identity {
            assert_eq!(before.player, identity.player, "a token is the same player everywhere");
        }
        if let Some(told) = &self.told {
            let notices = socket.ask(Action::Notices, json!({"since": told.number})).await?;
            notices.map_err(|no| anyhow::anyhow!("{}: {}", no.code, no.message))?;
        }
        if let Some(seen) = &self.room {
            let since = (seen.version > 0).then_some(seen.version);
            let watch =
                socket.ask(Action::Watch, json!({"room": seen.room, "since": since})).await?;
            watch.map_err(|no| anyhow::anyhow!("{}: {}", no.code, no.message))?;
        }
        Ok((socket, identity))
    }
}
