//! The games we can play: the catalogue of them, and the [`Board`] that can be any.
//!
//! A game is a folder here and a line in the catalogue below. What it has to be is in
//! [`contract`]; how its rounds can end in [`phase`].

pub(crate) mod contract;
mod duel;
mod hangman;
mod lots;
#[cfg(feature = "next")]
mod nim;
mod phase;
#[cfg(test)]
mod suggestions;
mod tic_tac_toe;
#[cfg(test)]
mod trial;

use serde::{Deserialize, Serialize};

pub use contract::Audience;
pub use duel::Strength;
pub(crate) use duel::{Conceded, Decided, Judged};
pub use phase::{Outcome, Phase, SeatSet, State};

use crate::answer::Rejection;
use crate::chance::Chance;
use crate::step::{Fields, ViewStep};
use crate::table::{Table, Who};
use crate::text::excerpt;
use contract::{Rules, Turn, parse_move, parse_options};
use hangraft_ids::{PlayerId, Seat};

/// What can be done to a board.
pub(crate) enum Act<'a> {
    /// Someone sat down or stood up.
    TableChanged,
    /// The host has taken someone from the table.
    Removed(PlayerId),
    /// A player makes a move, as JSON.
    Play(Who, &'a str),
    /// A new round begins.
    Again,
    /// The time the board asked for has come.
    Due,
    /// Somebody of two has lost the round without being beaten.
    Concede(Who, Conceded),
    /// Both of two want no winner.
    AgreeDraw,
}

/// What [`Board`] asks of rules without knowing of which game.
pub(crate) trait AnyRules {
    fn name(&self) -> &'static str;
    fn seats(&self) -> u8;
    fn may_begin(&self, table: &Table<'_>) -> Result<(), Rejection>;
    fn due_ms(&self) -> Option<u64>;
    fn awaits(&self, seat: Seat) -> bool;
    fn decided(&self) -> Option<Decided>;
    fn ending(&self) -> Option<&'static str>;
    /// As a JSON object.
    fn suggest(&self, who: Who, strength: Strength, chance: &mut Chance) -> Option<String>;
    fn side(&self, player: PlayerId) -> &'static str;
    fn phase(&self) -> Phase;
    fn round(&self) -> u32;
    fn worth_keeping(&self) -> bool;
    fn audience(&self, viewer: PlayerId) -> Audience;
    fn insiders(&self) -> Vec<PlayerId>;
    fn role(&self, player: PlayerId) -> &'static str;
    /// As a JSON object.
    fn about(&self) -> String;
}

/// Makes the [`Board`] that can be any of the games. A game under a `cfg` is not there
/// without it.
macro_rules! catalogue {
    ($(
        $(#[doc = $doc:literal])*
        $(#[cfg($cfg:meta)])?
        $game:ident ($rules:ty)
    ),+ $(,)?) => {
        /// A game in progress, of any kind. The place in the list is what
        /// snapshots store.
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub(crate) enum Board {
            $( $(#[doc = $doc])* $(#[cfg($cfg)])? $game($rules) ),+
        }

        /// What an audience sees of a board.
        #[derive(Serialize)]
        #[serde(untagged)]
        pub(crate) enum BoardView<'a> {
            $( $(#[cfg($cfg)])? $game(<$rules as Rules>::View<'a>) ),+
        }

        impl Fields for BoardView<'_> {
            fn compare(&self, before: &Self, step: &mut ViewStep) {
                match (self, before) {
                    $( $(#[cfg($cfg)])? (BoardView::$game(now), BoardView::$game(before)) => {
                        now.compare(before, step);
                    } )+
                    #[allow(unreachable_patterns, reason = "a build may know one game only")]
                    _ => unreachable!("a room keeps its game"),
                }
            }
        }

        /// What happened on a board.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        pub(crate) enum BoardEvent {
            $( $(#[cfg($cfg)])? $game(<$rules as Rules>::Event) ),+
        }

        /// The names of all games this build knows.
        pub fn games() -> &'static [&'static str] {
            &[$( $(#[cfg($cfg)])? <$rules as Rules>::NAME ),+]
        }

        impl Board {
            /// Sets up a board of the game called `game`.
            pub(crate) fn open(
                game: &str,
                options: &str,
                chance: &mut Chance,
            ) -> Result<Board, Rejection> {
                match game {
                    $( $(#[cfg($cfg)])? <$rules as Rules>::NAME => {
                        let options = parse_options::<$rules>(options)?;
                        <$rules as Rules>::open(options, chance).map(Board::$game)
                    } )+
                    _ => Err(no_such_game(game)),
                }
            }

            /// The options of a match of two in the game called `game`, complete, as JSON:
            /// equal for whoever wants the same game.
            pub(crate) fn match_options(game: &str, options: &str) -> Result<String, Rejection> {
                match game {
                    $( $(#[cfg($cfg)])? <$rules as Rules>::NAME => match_options::<$rules>(options), )+
                    _ => Err(no_such_game(game)),
                }
            }

            /// Does something to the board, or refuses to and changes nothing.
            pub(crate) fn act(
                &mut self,
                act: Act<'_>,
                turn: &mut Turn<'_, BoardEvent>,
            ) -> Result<(), Rejection> {
                match self {
                    $( $(#[cfg($cfg)])? Board::$game(board) => {
                        turn.within(BoardEvent::$game, |turn| act_on(board, act, turn))
                    } )+
                }
            }

            /// The board as an audience sees it.
            pub(crate) fn view<'a>(
                &'a self,
                audience: Audience,
                table: &Table<'a>,
            ) -> BoardView<'a> {
                match self {
                    $( $(#[cfg($cfg)])? Board::$game(board) => {
                        BoardView::$game(board.view(audience, table))
                    } )+
                }
            }

            /// Its rules, whatever they are.
            pub(crate) fn rules(&self) -> &dyn AnyRules {
                match self { $( $(#[cfg($cfg)])? Board::$game(board) => board ),+ }
            }
        }

        #[cfg(test)]
        mod tests {
            use super::*;

            #[test]
            fn every_game_has_seats_that_fit_a_room() {
                $( $(#[cfg($cfg)])? {
                    let seats = <$rules as Rules>::SEATS;
                    assert!(*seats.start() >= 1 && *seats.end() <= contract::SEATS_MAX);
                } )+
            }
        }
    };
}

catalogue! {
    /// Find the word before the drawing is done.
    Hangman(hangman::Hangman),
    /// Three in a row, before the other has them.
    TicTacToe(tic_tac_toe::TicTacToe),
    /// Take the last stone. Known to builds of the next version only.
    #[cfg(feature = "next")]
    Nim(nim::Nim),
}

impl<R: Rules> AnyRules for R {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn seats(&self) -> u8 {
        Rules::seats(self)
    }

    fn may_begin(&self, table: &Table<'_>) -> Result<(), Rejection> {
        Rules::may_begin(self, table)
    }

    fn due_ms(&self) -> Option<u64> {
        Rules::due_ms(self)
    }

    fn awaits(&self, seat: Seat) -> bool {
        Rules::awaits(self, seat)
    }

    fn decided(&self) -> Option<Decided> {
        Rules::decided(self)
    }

    fn ending(&self) -> Option<&'static str> {
        Rules::ending(self)
    }

    fn suggest(&self, who: Who, strength: Strength, chance: &mut Chance) -> Option<String> {
        Rules::suggest(self, who, strength, chance).map(|mv| json(&mv))
    }

    fn side(&self, player: PlayerId) -> &'static str {
        Rules::side(self, player)
    }

    fn phase(&self) -> Phase {
        Rules::phase(self)
    }

    fn round(&self) -> u32 {
        Rules::round(self)
    }

    fn worth_keeping(&self) -> bool {
        Rules::worth_keeping(self)
    }

    fn audience(&self, viewer: PlayerId) -> Audience {
        Rules::audience(self, viewer)
    }

    fn insiders(&self) -> Vec<PlayerId> {
        Rules::insiders(self)
    }

    fn role(&self, player: PlayerId) -> &'static str {
        Rules::role(self, player)
    }

    fn about(&self) -> String {
        json(&Rules::about(self))
    }
}

fn act_on<R: Rules>(
    board: &mut R,
    act: Act<'_>,
    turn: &mut Turn<'_, R::Event>,
) -> Result<(), Rejection> {
    match act {
        Act::TableChanged => board.table_changed(turn),
        Act::Removed(player) => board.removed(player, turn),
        Act::Play(who, mv) => return board.play(who, parse_move::<R>(mv)?, turn),
        Act::Again => return board.again(turn),
        Act::Due => board.due(turn),
        Act::Concede(who, how) => return board.concede(who, how, turn),
        Act::AgreeDraw => return board.agree_draw(turn),
    }
    Ok(())
}

fn match_options<R: Rules>(options: &str) -> Result<String, Rejection> {
    R::match_options(parse_options::<R>(options)?).map(|options| json(&options))
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what rules say has a JSON form")
}

/// Names no other games: builds that know different ones must answer alike.
fn no_such_game(game: &str) -> Rejection {
    let quoted = excerpt(game, 40);
    Rejection::bad_request(format!("there is no game {quoted:?}"))
}
