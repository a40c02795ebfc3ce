//! Tables where people play while a test does something to their cluster, and what
//! their books say afterwards.
//!
//! Many rooms, two players in each, at two frontends. Players send what was not
//! answered again under the same serial, until it is. After each round the books are
//! compared with the room: every move that was acknowledged is there once, and there is
//! nothing that was not acknowledged. Whatever they were refused that is not of the
//! game's own making is a complaint.

use std::{
    collections::BTreeMap,
    iter,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use hangraft_proto::socket::Code;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    player::Player,
    socket::{Answer, Refusal},
    wait::eventually,
};

/// How long each table may take for its next move, whatever happens meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);

/// The longest a player thinks, in milliseconds.
const THINK_MS: u64 = 1_400;

/// What the two players of a room try, in this order.
const FIRST_ORDER: &str = "etaoinshrdlucmfwygpbvkxqjz";
const SECOND_ORDER: &str = "zaqxswcdevfrbgtnhymjukilop";

/// Newcomers look at so many rooms at most, one after the other.
const LOOKED_AT_MAX: usize = 100;

/// A newcomer looks at so many; a socket may watch sixteen.
const WATCHED_MAX: usize = 15;

/// Tables where people play, until they are asked to end.
#[derive(Debug)]
pub struct Tables {
    frontends: Vec<String>,
    playing: JoinSet<(Tally, Ending)>,
    over: Arc<AtomicBool>,
    /// Moves and lines acknowledged so far, at each table.
    acknowledged: Vec<Arc<AtomicU64>>,
}

/// How a room was seen last by those who played there.
#[derive(Debug)]
struct Ending {
    room: String,
    view: Value,
}

/// What came of the tables.
#[derive(Debug, Default)]
pub struct Tally {
    /// Tables.
    pub rooms: u64,
    /// Rounds played to their ends.
    pub rounds: u64,
    /// Acknowledged moves.
    pub moves: u64,
    /// Acknowledged lines.
    pub lines: u64,
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
    acknowledged: Arc<AtomicU64>,
    complaints: Vec<String>,
}

impl Tables {
    /// Lets people sit down and begin.
    pub fn open(frontends: &[String], rooms: u64) -> Self {
        let mut playing = JoinSet::new();
        let over = Arc::<AtomicBool>::default();
        let acknowledged: Vec<Arc<AtomicU64>> = iter::repeat_with(Arc::default)
            .take(rooms.try_into().expect("not that many rooms"))
            .collect();
        for acknowledged in &acknowledged {
            playing.spawn(room(frontends.to_vec(), over.clone(), acknowledged.clone()));
        }
        Self { frontends: frontends.to_vec(), playing, over, acknowledged }
    }

    /// Waits until something more was acknowledged at every table.
    ///
    /// # Panics
    /// When a table waits for a minute, or has ended.
    pub async fn play_on(&mut self) {
        let count = |moves: &Arc<AtomicU64>| moves.load(Ordering::Relaxed);
        let before: Vec<u64> = self.acknowledged.iter().map(count).collect();
        eventually("every table plays on", PATIENCE, async || {
            if let Some(ended) = self.playing.try_join_next() {
                panic!("a table has ended: {ended:?}");
            }
            let mut tables = self.acknowledged.iter().zip(&before);
            tables.all(|(moves, before)| count(moves) > *before).then_some(())
        })
        .await;
    }

    /// Lets everybody end their round, and compares their books with their rooms, also
    /// as someone sees them who was not there; what came of it.
    ///
    /// # Panics
    /// When something was lost, doubled, or never acknowledged.
    pub async fn close(mut self) -> Tally {
        self.over.store(true, Ordering::Relaxed);
        let (mut tally, mut endings) = (Tally::default(), Vec::new());
        while let Some(ended) = self.playing.join_next().await {
            let (of_room, ending) = ended.expect("a room is played to its end");
            tally.add(of_room);
            endings.push(ending);
        }
        look_again(&self.frontends, &endings).await;
        tally
    }
}

/// Someone who was not there sees the same ends, at either frontend.
async fn look_again(frontends: &[String], endings: &[Ending]) {
    let mut watcher = Player::arrive("Wim", frontends, 0).await;
    for (i, Ending { room, view }) in endings.iter().enumerate().take(LOOKED_AT_MAX) {
        if i % WATCHED_MAX == 0 {
            watcher = Player::arrive("Wim", frontends, i / WATCHED_MAX).await;
        }
        watcher.watch(room).await;
        assert_eq!(board(watcher.view()), board(view), "room {room} as seen by a newcomer");
    }
}

/// What players have done, as the room shows it. Who is online changes by itself.
pub fn board(view: &Value) -> [Value; 6] {
    let fields = ["round", "tried", "answer", "wrong", "chat", "winner"];
    fields.map(|field| view[field].clone())
}

/// Two players play round after round until it is over; what came of it.
async fn room(
    frontends: Vec<String>,
    over: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
) -> (Tally, Ending) {
    let mut first = Guesser::new("Ann", &frontends, 0, FIRST_ORDER, &acknowledged).await;
    let mut second = Guesser::new("Bo", &frontends, 1, SECOND_ORDER, &acknowledged).await;
    let room = first.player.open(json!({})).await;
    second.player.sit(&room).await;
    let mut tally = Tally { rooms: 1, ..Tally::default() };
    for round in 1.. {
        tokio::join!(first.play_round(round), second.play_round(round));
        tally.rounds += 1;
        check_round(&[&first, &second]);
        if over.load(Ordering::Relaxed) {
            break;
        }
        agree(&mut first.player, &mut second.player).await;
        first.letters.clear();
        second.letters.clear();
    }
    let version = first.last_version.max(second.last_version);
    tokio::join!(first.player.see_version(version), second.player.see_version(version));
    let view = first.player.view().clone();
    assert_eq!(board(&view), board(second.player.view()), "two players see one room");
    check_lines(&[&first, &second], &view);
    for guesser in [first, second] {
        tally.book(guesser);
    }
    (tally, Ending { room, view })
}

/// Both want another round. It may have begun before the second says so, when they are
/// not there at that moment.
async fn agree(first: &mut Player, second: &mut Player) {
    let answers = tokio::join!(first.again(), second.again());
    let begun = |answer: &Answer| matches!(answer, Err(no) if no.code == Code::IllegalMove);
    let granted = |answer: &Answer| answer.is_ok() || begun(answer);
    assert!(granted(&answers.0) && granted(&answers.1), "a round follows another: {answers:?}");
    assert!(answers.0.is_ok() || answers.1.is_ok(), "somebody began it: {answers:?}");
}

impl Guesser {
    async fn new(
        name: &'static str,
        frontends: &[String],
        at: usize,
        order: &'static str,
        acknowledged: &Arc<AtomicU64>,
    ) -> Self {
        Self {
            player: Player::arrive(name, frontends, at).await,
            order,
            letters: vec![],
            lines: vec![],
            last_version: 0,
            moves: 0,
            acknowledged: acknowledged.clone(),
            complaints: vec![],
        }
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
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            Err(no) if [Code::IllegalMove, Code::GameOver].contains(&no.code) => {
                // The other was faster, and that is to be seen.
                let version = self.player.version();
                let tried = |view: &Value| is_over(view) || tried(view).contains_key(&letter);
                if !tried(self.player.view()) {
                    self.player.see("what the other has done", tried).await;
                    assert!(self.player.version() > version);
                }
            }
            Err(no) => self.complain(&format!("the letter {letter}"), &no),
        }
    }

    /// Says a line. A line said twice is not refused by any rule, so it shows what
    /// serials are for.
    async fn talk(&mut self) {
        let line = format!("line {}", self.lines.len() + 1);
        let answer: Answer = self.player.say(&line).await;
        match answer {
            Ok(answer) => {
                self.last_version = answer["version"].as_u64().expect("changes have versions");
                self.lines.push(line);
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            Err(no) => self.complain(&line, &no),
        }
    }

    fn complain(&mut self, about: &str, Refusal { code, message }: &Refusal) {
        let who = self.player.id();
        self.complaints.push(format!("{who} was refused {about}: {code}: {message}"));
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
    fn book(&mut self, guesser: Guesser) {
        let book = guesser.player.book();
        self.moves += guesser.moves;
        self.lines += guesser.lines.len() as u64;
        self.reconnects += book.reconnects;
        self.resends += book.resends;
        self.resyncs += book.resyncs;
        self.views += book.views;
        self.longest = self.longest.max(book.longest);
        self.complaints.extend(book.complaints.iter().cloned());
        self.complaints.extend(guesser.complaints);
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

    /// For people.
    pub fn text(&self) -> String {
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
