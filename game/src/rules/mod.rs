//! The games we can play: what rules are, and the catalogue of them.
//!
//! Rules know seats and moves, and nothing else in the world. The room gives
//! them the [`Table`] as it stands, checks that whoever plays has a seat, keeps
//! points and names, and says who may look.

mod hangman;
#[cfg(feature = "next")]
mod nim;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::answer::Rejection;
use crate::chance::Chance;
use crate::command::Edition;
use crate::event::Event;
use crate::ids::{PlayerId, Seat};
use crate::room::{Audience, Person, Sitter, State};
use crate::text::excerpt;

/// Bytes of JSON in options or in a move. More is refused before it is read.
const JSON_BYTES_MAX: usize = 1024;

/// The rules of one game, and one board of it.
///
/// Nothing here may fail but with a [`Rejection`], and what is rejected
/// changes nothing. Fields are only added at the end: snapshots hold boards.
pub(crate) trait Rules:
    Clone + fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The name the log, the wire and the browser know this game by.
    const NAME: &'static str;
    /// How many seats a table may have.
    const SEATS: RangeInclusive<u8>;
    /// What can be chosen when a room is opened.
    type Options: DeserializeOwned + Default;
    /// What a player may do.
    type Move: DeserializeOwned;
    /// What a player may see; joins the room's own fields in one JSON object.
    type View<'a>: Serialize;
    /// What to say of a room in a list.
    type About<'a>: Serialize;

    /// What options there are, in words for someone who got them wrong.
    fn options_help() -> String;
    /// What moves there are, in words for someone who got them wrong.
    fn move_help() -> &'static str;

    /// Sets up a new board.
    fn open(options: Self::Options, chance: &mut Chance) -> Result<Self, Rejection>;
    /// How many seats the table has.
    fn seats(&self) -> u8;
    /// Someone sat down or stood up.
    fn table_changed(&mut self, table: &Table<'_>, events: &mut Vec<Event>);
    /// Plays a move, or refuses it and changes nothing.
    fn play(
        &mut self,
        who: Who,
        table: &Table<'_>,
        mv: Self::Move,
        edition: Edition,
        events: &mut Vec<Event>,
    ) -> Result<Vec<Points>, Rejection>;
    /// Whether a new round may begin: this one is over, or stuck for want of somebody
    /// who is not here.
    fn may_begin(&self, table: &Table<'_>) -> Result<(), Rejection>;
    /// Begins a new round, or refuses to and changes nothing.
    fn again(
        &mut self,
        table: &Table<'_>,
        chance: &mut Chance,
        events: &mut Vec<Event>,
    ) -> Result<(), Rejection>;

    /// How the game stands.
    fn state(&self) -> State;
    /// Whether anything was played that people may want to look up later.
    fn worth_keeping(&self) -> bool;
    /// With whose eyes a player looks. Everybody of one audience sees the same.
    fn audience(&self, viewer: PlayerId) -> Audience;
    /// The board as an audience sees it.
    fn view<'a>(&'a self, audience: Audience, table: &Table<'a>) -> Self::View<'a>;
    /// What a seated player is in this game, in a word.
    fn role(&self, player: PlayerId) -> &'static str;
    /// What to say of the room in a list.
    fn about(&self) -> Self::About<'_>;
}

/// A seat and who sat there at the time. Seats change hands; what was done
/// stays with who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Who {
    pub(crate) seat: Seat,
    pub(crate) player: PlayerId,
}

/// Points that a player has earned.
pub(crate) struct Points {
    pub(crate) player: PlayerId,
    pub(crate) count: u32,
}

/// The people around a board.
#[derive(Clone, Copy)]
pub(crate) struct Table<'a> {
    pub(crate) seats: &'a [Option<Sitter>],
    pub(crate) people: &'a BTreeMap<PlayerId, Person>,
    /// Whose turn it is next depends on who is here. Not so in rooms of before.
    pub(crate) prefer_here: bool,
}

impl<'a> Table<'a> {
    /// The seats that are taken, from the lowest.
    pub(crate) fn taken(&self) -> impl Iterator<Item = Who> + use<'a> {
        (0..).zip(self.seats).filter_map(|(seat, sitter)| {
            sitter.as_ref().map(|sitter| Who { seat: Seat(seat), player: sitter.player })
        })
    }

    /// The next taken seat after this one, around the table, of somebody who is here
    /// if anybody is; the seat itself comes last.
    pub(crate) fn next_after(&self, seat: Seat) -> Option<Who> {
        let around = || {
            let (before, behind): (Vec<Who>, Vec<Who>) =
                self.taken().partition(|who| who.seat <= seat);
            behind.into_iter().chain(before)
        };
        let here = self.prefer_here.then(|| around().find(|who| self.is_online(who.player)));
        here.flatten().or_else(|| around().next())
    }

    /// The first taken seat, of somebody who is here if anybody is.
    pub(crate) fn first(&self) -> Option<Who> {
        let here = |who: &Who| self.is_online(who.player);
        let first = self.prefer_here.then(|| self.taken().find(here)).flatten();
        first.or_else(|| self.taken().next())
    }

    /// Where a player sits.
    pub(crate) fn seat_of(&self, player: PlayerId) -> Option<Seat> {
        self.taken().find(|who| who.player == player).map(|who| who.seat)
    }

    /// Whether a player sits here and is here.
    pub(crate) fn is_online(&self, player: PlayerId) -> bool {
        self.seats.iter().flatten().any(|sitter| sitter.player == player && sitter.online)
    }

    /// The name a player has, or had, at this table.
    pub(crate) fn name(&self, player: PlayerId) -> Arc<str> {
        self.people.get(&player).map_or_else(|| "someone".into(), |person| person.name.clone())
    }
}

/// Makes the [`Board`] that can be any of the games, and hands every question
/// on to the game it is. A game under a `cfg` is not there without it.
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

            pub(crate) fn game(&self) -> &'static str {
                match self { $( $(#[cfg($cfg)])? Board::$game(_) => <$rules as Rules>::NAME ),+ }
            }

            pub(crate) fn seats(&self) -> u8 {
                match self { $( $(#[cfg($cfg)])? Board::$game(board) => board.seats() ),+ }
            }

            pub(crate) fn table_changed(&mut self, table: &Table<'_>, events: &mut Vec<Event>) {
                match self {
                    $( $(#[cfg($cfg)])? Board::$game(board) => {
                        board.table_changed(table, events)
                    } )+
                }
            }

            pub(crate) fn play(
                &mut self,
                who: Who,
                table: &Table<'_>,
                mv: &str,
                edition: Edition,
                events: &mut Vec<Event>,
            ) -> Result<Vec<Points>, Rejection> {
                match self {
                    $( $(#[cfg($cfg)])? Board::$game(board) => {
                        board.play(who, table, parse_move::<$rules>(mv)?, edition, events)
                    } )+
                }
            }

            pub(crate) fn may_begin(&self, table: &Table<'_>) -> Result<(), Rejection> {
                match self {
                    $( $(#[cfg($cfg)])? Board::$game(board) => board.may_begin(table) ),+
                }
            }

            pub(crate) fn again(
                &mut self,
                table: &Table<'_>,
                chance: &mut Chance,
                events: &mut Vec<Event>,
            ) -> Result<(), Rejection> {
                match self {
                    $( $(#[cfg($cfg)])? Board::$game(board) => {
                        board.again(table, chance, events)
                    } )+
                }
            }

            pub(crate) fn state(&self) -> State {
                match self { $( $(#[cfg($cfg)])? Board::$game(board) => board.state() ),+ }
            }

            pub(crate) fn worth_keeping(&self) -> bool {
                match self { $( $(#[cfg($cfg)])? Board::$game(board) => board.worth_keeping() ),+ }
            }

            pub(crate) fn audience(&self, viewer: PlayerId) -> Audience {
                match self { $( $(#[cfg($cfg)])? Board::$game(board) => board.audience(viewer) ),+ }
            }

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

            pub(crate) fn role(&self, player: PlayerId) -> &'static str {
                match self { $( $(#[cfg($cfg)])? Board::$game(board) => board.role(player) ),+ }
            }

            pub(crate) fn about(&self) -> String {
                let about = match self {
                    $( $(#[cfg($cfg)])? Board::$game(board) => {
                        serde_json::to_string(&board.about())
                    } )+
                };
                about.expect("what rules say of a room has a JSON form")
            }
        }

        #[cfg(test)]
        mod tests {
            use super::*;

            #[test]
            fn every_game_has_seats_that_fit_a_room() {
                $( $(#[cfg($cfg)])? {
                    let seats = <$rules as Rules>::SEATS;
                    assert!(*seats.start() >= 1 && *seats.end() <= crate::room::SEATS_MAX);
                } )+
            }
        }
    };
}

catalogue! {
    /// Find the word before the drawing is done.
    Hangman(hangman::Hangman),
    /// Take the last stone. Known to builds of the next version only.
    #[cfg(feature = "next")]
    Nim(nim::Nim),
}

fn parse_options<R: Rules>(json: &str) -> Result<R::Options, Rejection> {
    if json.len() > JSON_BYTES_MAX {
        return Err(Rejection::too_large(format!("options have at most {JSON_BYTES_MAX} bytes")));
    }
    if json.trim().is_empty() {
        return Ok(R::Options::default());
    }
    parse_object(json).ok_or_else(|| Rejection::bad_request(R::options_help()))
}

fn parse_move<R: Rules>(json: &str) -> Result<R::Move, Rejection> {
    if json.len() > JSON_BYTES_MAX {
        return Err(Rejection::too_large(format!("a move has at most {JSON_BYTES_MAX} bytes")));
    }
    parse_object(json).ok_or_else(|| Rejection::bad_request(R::move_help()))
}

/// Reads a JSON object. We explain what is right rather than what is wrong:
/// the parser's own words may quote what it read, and that may be a secret.
fn parse_object<T: DeserializeOwned>(json: &str) -> Option<T> {
    // A struct could also be read from an array; only an object is a wish.
    json.trim_start().starts_with('{').then(|| serde_json::from_str(json).ok()).flatten()
}

/// Names no other games: builds that know different ones must answer alike.
fn no_such_game(game: &str) -> Rejection {
    let quoted = excerpt(game, 40);
    Rejection::bad_request(format!("there is no game {quoted:?}"))
}
