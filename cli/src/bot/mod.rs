//! `hangraft bot`: clients that play as guests over sockets, with each other or with people.
//! They do what a page does, and nothing that a page could not; see [`guest`].

mod game;
mod guest;
mod moves;

use anyhow::Context;
use clap::ValueEnum;
use serde::Serialize;
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    bot::{
        game::{Game, Manner},
        guest::Guest,
        moves::Score,
    },
    output::{Output, print},
    socket::Url,
};

const EXAMPLES: &str = "\
Examples:
  hangraft bot --url http://127.0.0.1:8080               one that plays a game with you: press Play now
  hangraft bot --bots 20 --games 10 --url http://127.0.0.1:8080 --url http://127.0.0.1:8081
                                                         twenty that play with each other
  hangraft bot --game hangman --rated --output json --url http://127.0.0.1:8080";

/// Play as a guest over a socket: seek somebody, play until the game is over, and again.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A frontend; of several, the bots take the next when one is gone.
    #[arg(long = "url", value_name = "URL", id = "urls", required = true)]
    urls: Vec<Url>,
    /// How many games each plays.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    games: u32,
    /// How many play.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    bots: u32,
    /// Which game.
    #[arg(long, value_enum, default_value_t)]
    game: Which,
    /// The games count for the ratings.
    #[arg(long)]
    rated: bool,
    /// How long they think about a move, on average, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = clap::value_parser!(u64).range(..=600_000))]
    think: u64,
    /// When nobody has come after so many milliseconds, a bot of the lobby plays, and the game
    /// is not rated.
    #[arg(long, value_name = "MS", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(..=60_000))]
    bot_after: u32,
    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// A game of two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Which {
    #[default]
    TicTacToe,
    Hangman,
}

/// What came of it. Its JSON form is for scripts.
#[derive(Debug, PartialEq, Serialize)]
struct Summary {
    games: usize,
    won: usize,
    lost: usize,
    drawn: usize,
    /// Games that count for nobody.
    void: usize,
    /// From the wish to play until somebody was found.
    median_wait_ms: u64,
    played: Vec<Game>,
}

/// Plays, and prints what came of it.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut playing = JoinSet::new();
    for number in 0..args.bots {
        let (guest, output) = (args.guest(number), args.output);
        playing.spawn(guest.play(move |game| {
            if output == Output::Text {
                // Whoever reads may stop reading.
                _ = print(&game.text());
            }
        }));
    }
    let mut played = Vec::new();
    while let Some(games) = playing.join_next().await {
        played.extend(games.context("a bot has stopped")??);
    }
    args.output.print(&Summary::of(played), Summary::text)
}

impl Args {
    fn guest(&self, number: u32) -> Guest {
        let manner = Manner {
            name: format!("Guest bot {}", number + 1),
            urls: Url::from_nth(&self.urls, number as usize),
            seek: json!({
                "game": self.game.name(),
                "rated": self.rated,
                "bot_after_ms": self.bot_after,
            }),
            games: self.games as usize,
            think_ms: self.think,
        };
        Guest::new(manner, rand::random())
    }
}

impl Which {
    /// As the socket calls it.
    fn name(self) -> &'static str {
        match self {
            Self::TicTacToe => "tic-tac-toe",
            Self::Hangman => "hangman",
        }
    }
}

impl Summary {
    fn of(played: Vec<Game>) -> Self {
        let of = |score: Score| played.iter().filter(|game| game.score == score).count();
        let mut waits: Vec<u64> = played.iter().map(|game| game.waited_ms).collect();
        waits.sort_unstable();
        Self {
            games: played.len(),
            won: of(Score::Won),
            lost: of(Score::Lost),
            drawn: of(Score::Drawn),
            void: of(Score::Void),
            median_wait_ms: waits.get(waits.len() / 2).copied().unwrap_or_default(),
            played,
        }
    }

    fn text(&self) -> String {
        let void = if self.void == 0 { String::new() } else { format!(", void {}", self.void) };
        format!(
            "{} games: won {}, lost {}, drawn {}{void}; waited {} ms for an opponent (median)",
            self.games, self.won, self.lost, self.drawn, self.median_wait_ms
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn games_are_counted() {
        let game = |score, waited_ms| Game {
            bot: "a".into(),
            opponent: "b".into(),
            game: "hangman".into(),
            score,
            waited_ms,
            took_ms: 1_500,
        };
        let played = vec![game(Score::Won, 9), game(Score::Void, 30), game(Score::Won, 20)];
        let line = played[1].text();
        assert_eq!(line, "a did not finish with b at hangman: waited 0.0 s, played 1.5 s");
        let text = Summary::of(played).text();
        assert_eq!(
            text,
            "3 games: won 2, lost 0, drawn 0, void 1; waited 20 ms for an opponent (median)"
        );
        assert_eq!(Summary::of(vec![]).median_wait_ms, 0);
    }
}
