//! A player, who never stops asking, or a watcher, who only looks on.
//!
//! They think, wish and wait for the answer; they change frontends in the middle of it, stay
//! away for a while and come back. Sometimes a player gives up, and never learns what became
//! of the wish.

use super::Scene;
use super::client::{Client, raw};
use crate::clock::MILLI;
use crate::history::{Action, Outcome};
use hangraft_game::RoomId;
use hangraft_proto::socket::{
    Code, InRoom, Lock, Open, Play, Publish, Remove, Request, Rooms, Say,
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

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

pub(crate) struct Player {
    scene: Scene,
    me: Client,
    table: usize,
    /// Takes no seat.
    watcher: bool,
    /// Acts so far; see [`Player::chance`].
    acts: u64,
    said: u64,
}

impl Player {
    pub(crate) fn new(scene: &Scene, number: usize, table: usize, watcher: bool) -> Self {
        let name = format!("{}{number}", if watcher { "W" } else { "P" });
        let me = Client::new(scene, name, number, false);
        Player { scene: scene.clone(), me, table, watcher, acts: 0, said: 0 }
    }

    /// Lives until the world closes.
    pub(crate) async fn run(mut self, opens: bool) {
        self.arrive(opens).await;
        while !self.scene.closing() {
            let thinking = self.scene.world.draw(20 * MILLI..500 * MILLI);
            self.me.look_on(Duration::from_nanos(thinking)).await;
            if !self.watcher {
                self.act().await;
            } else if self.scene.world.happens(30_000) {
                self.me.stay_away().await;
            }
        }
        if !self.watcher {
            let (typed, text) = self.fresh_line();
            let room = self.room();
            let (name, serial) = (self.scene.name_of(room), self.me.next_serial());
            let say = Request::Say(Say { room: name.into(), text: typed.into(), serial });
            let outcome = self.me.insist(Action::Say(room, text), &say, false).await;
            self.scene.judge().last_answered(&self.me.name, room, &outcome);
            self.scene.tables().playing -= 1;
        }
        loop {
            self.me.look_on(Duration::from_secs(1)).await;
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
        self.me.will_watch(self.room());
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
        let public = self.me.name.len().is_multiple_of(2);
        let (options, serial) = (raw(&options), self.me.next_serial());
        let open = Open { game: game.into(), options: Some(&options), public, serial };
        self.me.insist(Action::Open, &Request::Open(open), false).await
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
            0..3 => self.me.go_on(),
            3..5 => self.me.stay_away().await,
            5..19 => self.say().await,
            19..22 => self.stand_up().await,
            _ => self.play().await,
        }
    }

    async fn play(&mut self) {
        let me = self.me.id().to_string();
        let players = self.me.view["players"].as_array().cloned().unwrap_or_default();
        let Some(mine) = players.iter().find(|player| player["player"] == *me) else {
            return self.sit().await;
        };
        let (role, seat) = (mine["role"].clone(), mine["seat"].clone());
        let goes_on = matches!(self.me.view["state"].as_str(), Some("waiting" | "playing"));
        match self.me.view["game"].as_str() {
            _ if !goes_on => self.again().await,
            Some("tic-tac-toe") => self.mark(&seat).await,
            _ if role != "setter" && self.me.view["state"] == "playing" => self.guess().await,
            _ if role == "setter" && self.me.view["state"] == "waiting" => self.set_secret().await,
            _ => {}
        }
    }

    /// Marks a free cell when it is this seat's turn; now and then also when it is not, or
    /// one that is taken: that is refused. Goes on without somebody who is away.
    async fn mark(&mut self, seat: &Value) {
        let cells = self.me.view["cells"].as_array().cloned().unwrap_or_default();
        let free: Vec<usize> = (0..cells.len()).filter(|cell| cells[*cell].is_null()).collect();
        let mine = self.me.view["turn"] == *seat;
        let cell = match self.scene.world.draw(0..20) {
            0 => self.scene.world.draw(0..10),
            _ if mine && !free.is_empty() => *self.scene.choose(&free) as u64,
            1 if self.me.view["turn"].is_number() => return self.again().await,
            _ => return,
        };
        self.make_move(json!({"cell": cell})).await;
    }

    async fn guess(&mut self) {
        let tried = self.me.view["tried"].as_array().cloned().unwrap_or_default();
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
        self.scene.judge().secret(self.room(), self.me.id(), &word);
        self.make_move(json!({"secret": Scene::untidy(&word)})).await;
    }

    async fn make_move(&mut self, mv: Value) {
        let (room, mv, serial) = (self.room(), raw(&mv), self.me.next_serial());
        let play = Play { room: self.scene.name_of(room).into(), mv: &mv, serial };
        self.me.wish(Action::Play(room), &Request::Play(play)).await;
    }

    async fn say(&mut self) {
        let (room, (typed, text)) = (self.room(), self.fresh_line());
        let (name, serial) = (self.scene.name_of(room), self.me.next_serial());
        let say = Say { room: name.into(), text: typed.into(), serial };
        self.me.wish(Action::Say(room, text), &Request::Say(say)).await;
    }

    /// A line as it is typed, and as it is shown.
    fn fresh_line(&mut self) -> (String, String) {
        self.said += 1;
        let (typed, shown) = ENDINGS[self.said as usize % ENDINGS.len()];
        let line = format!("{} says {}", self.me.name, self.said);
        (format!("{line}{typed}"), format!("{line}{shown}"))
    }

    async fn again(&mut self) {
        let (room, here) = self.here();
        self.me.wish(Action::Again(room), &Request::Again(here)).await;
    }

    async fn sit(&mut self) {
        let (room, here) = self.here();
        self.me.wish(Action::Sit(room), &Request::Sit(here)).await;
    }

    async fn stand_up(&mut self) {
        let (room, here) = self.here();
        self.me.wish(Action::Stand(room), &Request::Stand(here)).await;
    }

    /// The room, and how one says that one wants something in it, once.
    fn here(&mut self) -> (RoomId, InRoom<'static>) {
        let room = self.room();
        (room, self.me.here(room))
    }

    /// A number below 1000 for this act. Not drawn from the world's dice, so that what
    /// these stood for before stays so.
    fn chance(&self) -> u64 {
        let mixed =
            (self.me.id().0 ^ self.acts.rotate_left(40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) % 1_000
    }

    fn is_host(&self) -> bool {
        self.me.view["host"] == self.me.id().to_string()
    }

    /// Locks the room, or opens it again.
    async fn lock(&mut self) {
        let locked = self.me.view["locked"] != true;
        let (room, InRoom { room: name, serial }) = self.here();
        let lock = Lock { room: name, locked, serial };
        self.me.wish(Action::Lock(room), &Request::Lock(lock)).await;
    }

    /// Lets strangers find the room, or closes it to them.
    async fn publish(&mut self) {
        let public = self.me.view["public"] != true;
        let (room, InRoom { room: name, serial }) = self.here();
        let publish = Publish { room: name, public, serial };
        self.me.wish(Action::Publish(room), &Request::Publish(publish)).await;
    }

    /// Takes the last of the others from the table.
    async fn remove_someone(&mut self) {
        let me = self.me.id().to_string();
        let players = self.me.view["players"].as_array().cloned().unwrap_or_default();
        let mut others = players.iter().rev().filter_map(|player| player["player"].as_str());
        let Some(other) = others.find(|player| *player != me) else {
            return;
        };
        let (room, InRoom { room: name, serial }) = self.here();
        let remove = Remove { room: name, player: other.into(), serial };
        self.me.wish(Action::Remove(room), &Request::Remove(remove)).await;
    }

    /// Leaves the room for the lobby, and is not here meanwhile; the seat stays theirs.
    async fn look_elsewhere(&mut self) {
        let room = self.scene.name_of(self.room()).into();
        self.me.ask(&Request::Unwatch(InRoom { room, serial: None })).await;
        let all = self.chance() >= 4;
        self.me.ask(&Request::Rooms(Rooms { all, ..Rooms::default() })).await;
        sleep(Duration::from_millis(500 * (1 + self.chance()))).await;
        self.me.hang_up();
    }
}
