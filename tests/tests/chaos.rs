//! Nothing is lost and nothing is doubled while machines die.
//!
//! Many rooms, two players in each, at two frontends. Every five seconds a node,
//! any node, is killed as by a power cut, and started again. Players send what was
//! not answered again under the same serial. Afterwards the books are compared
//! with the rooms: every move that was acknowledged is there once, there is nothing
//! that was not acknowledged, every version came in order, and the replicas have
//! the same state.
//!
//! `HANGRAFT_CHAOS_ROOMS=300` and `HANGRAFT_CHAOS_SECONDS=120` make it larger.

use std::{
    collections::BTreeMap,
    env,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hangraft_tests::{
    demo::{Demo, Wanted},
    player::Player,
    socket::Answer,
};
use rand::seq::IndexedRandom;
use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep},
};

/// Rooms, when nobody wants more.
const ROOMS: u64 = 60;

/// How long new rounds begin, in seconds, when nobody wants more.
const SECONDS: u64 = 45;

/// How often a node dies.
const KILL_EVERY: Duration = Duration::from_secs(5);

/// How long it stays dead.
const DEAD: Duration = Duration::from_millis(700);

/// The longest a player thinks, in milliseconds.
const THINK_MS: u64 = 1_400;

/// What the two players of a room try, in this order.
const FIRST_ORDER: &str = "etaoinshrdlucmfwygpbvkxqjz";
const SECOND_ORDER: &str = "zaqxswcdevfrbgtnhymjukilop";

/// A player at a table, and their book of the round that is played.
struct Guesser {
    player: Player,
    order: &'static str,
    /// Letters acknowledged in this round.
    letters: Vec<char>,
    /// Lines acknowledged in the whole game, in order.
    lines: Vec<String>,
    /// The version of the last acknowledged change.
    last_version: u64,
    moves: u64,
}

/// What came of a room.
#[derive(Default)]
struct Tally {
    rooms: u64,
    rounds: u64,
    moves: u64,
    lines: u64,
    reconnects: usize,
    resends: usize,
    resyncs: usize,
    views: usize,
    longest: Duration,
    complaints: Vec<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_move_is_there_once() {
    let demo = Arc::new(Demo::start(&Wanted::default()).await);
    let frontends = demo.frontends();
    let over = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();
    let mut rooms = JoinSet::new();
    for _ in 0..setting("HANGRAFT_CHAOS_ROOMS", ROOMS) {
        rooms.spawn(room(frontends.clone(), over.clone()));
    }
    let killer = tokio::spawn(kill_nodes(demo.clone(), over.clone()));

    sleep(Duration::from_secs(setting("HANGRAFT_CHAOS_SECONDS", SECONDS))).await;
    over.store(true, Ordering::Relaxed);
    let mut tally = Tally::default();
    let mut last_rooms = Vec::new();
    while let Some(done) = rooms.join_next().await {
        let (of_room, last) = done.expect("a room is played to its end");
        tally.add(of_room);
        last_rooms.push(last);
    }
    let (kills, leaders) = killer.await.expect("nodes are killed");
    let took = begun.elapsed();

    look_again(&frontends, &last_rooms).await;
    let hashes = demo.hashes_at_rest().await;
    assert_eq!(hashes.len(), 3, "three replicas say how they are");
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "replicas drifted apart: {hashes:?}");
    println!("{}\n  {kills} nodes killed, {leaders} of them led; {took:.0?} in all", tally.text());
    assert!(tally.complaints.is_empty(), "{:#?}", tally.complaints);
    assert!(kills >= 5, "only {kills} nodes died");
    assert!(tally.moves > 10 * tally.rooms, "hardly anybody played");
}

/// Two players play round after round until it is over; what came of it, and the
/// room's last view.
async fn room(frontends: Vec<String>, over: Arc<AtomicBool>) -> (Tally, (u64, Value)) {
    let mut first = Guesser::new("Ann", &frontends, 0, FIRST_ORDER).await;
    let mut second = Guesser::new("Bo", &frontends, 1, SECOND_ORDER).await;
    let room = first.player.open(json!({})).await;
    second.player.sit(room).await;
    let mut tally = Tally { rooms: 1, ..Tally::default() };
    for round in 1.. {
        tokio::join!(first.play_round(round), second.play_round(round));
        tally.rounds += 1;
        check_round(&[&first, &second]);
        if over.load(Ordering::Relaxed) {
            break;
        }
        first.player.again().await.expect("a round that is over is followed by another");
        first.letters.clear();
        second.letters.clear();
    }
    let version = first.last_version.max(second.last_version);
    tokio::join!(first.catch_up(version), second.catch_up(version));
    let last = first.player.view().clone();
    assert_eq!(board(&last), board(second.player.view()), "two players see one room");
    check_lines(&[&first, &second], &last);
    for guesser in [&first, &second] {
        tally.book(guesser);
    }
    (tally, (room, last))
}

impl Guesser {
    async fn new(name: &'static str, frontends: &[String], at: usize, order: &'static str) -> Self {
        let player = Player::arrive(name, frontends, at).await;
        Self { player, order, letters: vec![], lines: vec![], last_version: 0, moves: 0 }
    }

    /// Guesses until the round is over.
    async fn play_round(&mut self, round: u64) {
        self.player.see("the round", |view| view["round"] == round).await;
        while !is_over(self.player.view()) {
            match next_letter(self.player.view(), self.order) {
                Some(letter) => self.guess(letter).await,
                None => panic!("all letters were tried: {}", self.player.view()),
            }
            let think = rand::random_range(THINK_MS / 4..=THINK_MS);
            self.player.watch_for(Duration::from_millis(think)).await;
        }
        self.talk().await;
    }

    async fn guess(&mut self, letter: char) {
        match self.player.guess(letter).await {
            Ok(_) => {
                self.letters.push(letter);
                self.moves += 1;
            }
            Err(refusal) => {
                let late = ["illegal-move", "game-over"].contains(&refusal.code.as_str());
                assert!(late, "{letter}: {refusal:?}");
                // The other was faster, and that is to be seen.
                let version = self.player.version();
                let tried = |view: &Value| is_over(view) || tried(view).contains_key(&letter);
                if !tried(self.player.view()) {
                    self.player.see("what the other has done", tried).await;
                    assert!(self.player.version() > version);
                }
            }
        }
    }

    /// Says a line. A line said twice is not refused by any rule, so it shows what
    /// serials are for.
    async fn talk(&mut self) {
        let line = format!("line {}", self.lines.len() + 1);
        let answer: Answer = self.player.say(&line).await;
        let answer = answer.expect("everybody may talk");
        self.last_version = answer["version"].as_u64().expect("changes have versions");
        self.lines.push(line);
    }

    async fn catch_up(&mut self, version: u64) {
        while self.player.version() < version {
            self.player.watch_for(Duration::from_millis(20)).await;
        }
    }
}

/// Every letter that was acknowledged is there, and every letter that is there was
/// acknowledged, once.
#[track_caller]
fn check_round(guessers: &[&Guesser]) {
    let view = guessers[0].player.view();
    let mut letters = BTreeMap::new();
    for guesser in guessers {
        for letter in &guesser.letters {
            let twice = letters.insert(*letter, guesser.player.id().to_owned());
            assert_eq!(twice, None, "{letter} was granted twice");
        }
    }
    assert_eq!(letters, tried(view), "granted, and to be seen in {view}");
}

/// What was said is there once and in order, as far as the room remembers.
#[track_caller]
fn check_lines(guessers: &[&Guesser], view: &Value) {
    let chat = view["chat"].as_array().expect("a room has a chat");
    for guesser in guessers {
        let mine = chat.iter().filter(|line| line["player"] == guesser.player.id());
        let heard: Vec<_> = mine.filter_map(|line| line["text"].as_str()).collect();
        let said = &guesser.lines[guesser.lines.len().saturating_sub(heard.len())..];
        assert_eq!(heard, said, "said and heard, of {} lines", guesser.lines.len());
        assert!(!heard.is_empty() || guesser.lines.is_empty(), "a line was lost");
    }
}

/// Someone who was not there sees the same ends, at either frontend.
async fn look_again(frontends: &[String], rooms: &[(u64, Value)]) {
    let mut watcher = Player::arrive("Wim", frontends, 0).await;
    for (i, (room, last)) in rooms.iter().enumerate().take(100) {
        if i % 15 == 0 {
            // A socket may watch sixteen rooms.
            watcher = Player::arrive("Wim", frontends, i / 15).await;
        }
        watcher.watch(*room).await;
        assert_eq!(board(watcher.view()), board(last), "room {room} as seen by a newcomer");
    }
}

/// Kills any node every five seconds, and starts it again; how many, and how many
/// of them led.
async fn kill_nodes(demo: Arc<Demo>, over: Arc<AtomicBool>) -> (u32, u32) {
    let nodes = demo.nodes();
    let mut ticks = interval(KILL_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    let mut hashes = BTreeMap::new();
    let (mut kills, mut leaders) = (0, 0);
    loop {
        ticks.tick().await;
        if over.load(Ordering::Relaxed) {
            return (kills, leaders);
        }
        let leader = compare(&demo, &mut hashes).await;
        let name = nodes.choose(&mut rand::rng()).expect("there are nodes");
        demo.kill(name).await;
        kills += 1;
        leaders += u32::from(leader.as_ref() == Some(name));
        sleep(DEAD).await;
        demo.restart(name).await;
    }
}

/// Compares the hashes of replicas at whatever entries they are now; who leads.
async fn compare(demo: &Demo, hashes: &mut BTreeMap<u64, String>) -> Option<String> {
    let status = demo.status().await.ok()?;
    for member in &status.members {
        if let (Some(applied), Some(hash)) = (member.applied, &member.hash) {
            let known = hashes.entry(applied).or_insert_with(|| hash.clone());
            assert_eq!(known, hash, "{} drifted at entry {applied}", member.name);
        }
    }
    let leader = status.members.into_iter().find(|member| Some(member.id) == status.leader);
    leader.map(|leader| leader.name)
}

/// What players have done, as the room shows it. Who is online changes by itself.
fn board(view: &Value) -> [Value; 6] {
    let fields = ["round", "tried", "answer", "wrong", "chat", "winner"];
    fields.map(|field| view[field].clone())
}

fn is_over(view: &Value) -> bool {
    view["state"] == "won" || view["state"] == "lost"
}

/// The letters of this round, and who guessed them.
fn tried(view: &Value) -> BTreeMap<char, String> {
    let all = view["tried"].as_array().expect("a board shows what was tried");
    let letters: BTreeMap<_, _> = all
        .iter()
        .filter_map(|guess| Some((guess["letter"].as_str()?.chars().next()?, guess)))
        .map(|(letter, guess)| (letter, guess["player"].as_str().unwrap_or_default().to_owned()))
        .collect();
    assert_eq!(letters.len(), all.len(), "a letter is there twice: {view}");
    letters
}

fn next_letter(view: &Value, order: &str) -> Option<char> {
    let tried = tried(view);
    order.chars().find(|letter| !tried.contains_key(letter))
}

impl Tally {
    fn book(&mut self, guesser: &Guesser) {
        let book = guesser.player.book();
        self.moves += guesser.moves;
        self.lines += guesser.lines.len() as u64;
        self.reconnects += book.reconnects;
        self.resends += book.resends;
        self.resyncs += book.resyncs;
        self.views += book.views;
        self.longest = self.longest.max(book.longest);
        self.complaints.extend(book.complaints.iter().cloned());
    }

    fn add(&mut self, other: Self) {
        self.rooms += other.rooms;
        self.rounds += other.rounds;
        self.moves += other.moves;
        self.lines += other.lines;
        self.reconnects += other.reconnects;
        self.resends += other.resends;
        self.resyncs += other.resyncs;
        self.views += other.views;
        self.longest = self.longest.max(other.longest);
        self.complaints.extend(other.complaints);
    }

    fn text(&self) -> String {
        format!(
            "{} rooms, {} rounds, {} moves and {} lines acknowledged, all there once\n  \
             {} views, {} of them resyncs; {} reconnects, {} wishes sent again; \
             the longest wait for an answer {:.2?}",
            self.rooms,
            self.rounds,
            self.moves,
            self.lines,
            self.views,
            self.resyncs,
            self.reconnects,
            self.resends,
            self.longest,
        )
    }
}

fn setting(name: &str, usual: u64) -> u64 {
    env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}
