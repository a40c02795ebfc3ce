//! A player without a pause, whose book says when they had to wait: they guess, and as
//! soon as that is acknowledged and to be seen they guess again.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::Instant};

use crate::player::{Book, Player};

/// A player who plays in a task of their own.
#[derive(Debug)]
pub struct Restless {
    moves: Arc<Mutex<Vec<Move>>>,
    over: Arc<AtomicBool>,
    playing: JoinHandle<Book>,
}

/// When something happened to a move.
#[derive(Clone, Copy, Debug)]
struct Move {
    asked: Instant,
    acknowledged: Instant,
    seen: Instant,
}

/// The longest waits of a while.
#[derive(Clone, Copy, Debug, Default)]
pub struct Waits {
    /// From one acknowledged move to the next.
    pub between: Duration,
    /// From a wish to its acknowledgement.
    pub answer: Duration,
    /// From there until it was to be seen.
    pub view: Duration,
}

impl Restless {
    /// Begins to play, alone in a room, at one of the frontends. They need a demo
    /// without limits.
    pub fn start(frontends: &[String]) -> Self {
        let (moves, over) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<AtomicBool>::default());
        let playing = tokio::spawn(play(frontends.to_vec(), moves.clone(), over.clone()));
        Self { moves, over, playing }
    }

    /// How many moves were acknowledged and seen.
    pub fn moves(&self) -> usize {
        self.moves.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The longest waits that were not over before then.
    pub fn waits(&self, since: Instant) -> Waits {
        let moves = self.moves.lock().unwrap_or_else(PoisonError::into_inner);
        let mut waits = Waits::default();
        for pair in moves.windows(2).filter(|pair| pair[1].seen > since) {
            let [before, now] = [pair[0], pair[1]];
            waits.between = waits.between.max(now.acknowledged - before.acknowledged);
            waits.answer = waits.answer.max(now.acknowledged - now.asked);
            waits.view = waits.view.max(now.seen - now.acknowledged);
        }
        waits
    }

    /// Lets them finish; what they have lived through.
    ///
    /// # Panics
    /// When they could not play.
    pub async fn stop(self) -> Book {
        self.over.store(true, Ordering::Relaxed);
        self.playing.await.expect("they play to the end")
    }
}

async fn play(frontends: Vec<String>, moves: Arc<Mutex<Vec<Move>>>, over: Arc<AtomicBool>) -> Book {
    let mut player = Player::arrive("Rea", &frontends, 0).await;
    player.open(json!({})).await;
    while !over.load(Ordering::Relaxed) {
        let asked = Instant::now();
        let answer = match next_letter(player.view()) {
            Some(letter) => player.guess(letter).await,
            None => player.again().await,
        };
        let acknowledged = Instant::now();
        let version = answer.expect("alone, nobody is in the way")["version"].as_u64();
        player.see_version(version.expect("changes have versions")).await;
        let played = Move { asked, acknowledged, seen: Instant::now() };
        moves.lock().unwrap_or_else(PoisonError::into_inner).push(played);
    }
    player.book().clone()
}

/// What has not been tried; nothing when the round is over.
fn next_letter(view: &Value) -> Option<char> {
    let over = view["state"] == "won" || view["state"] == "lost";
    let tried = view["tried"].as_array().expect("a board shows what was tried");
    let is_new = |letter: &char| tried.iter().all(|guess| guess["letter"] != letter.to_string());
    ('a'..='z').find(|letter| !over && is_new(letter))
}
