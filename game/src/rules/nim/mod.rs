//! Nim: take stones from one heap at a time; who takes the last one wins.
//!
//! A game of the next version. It stands behind the feature `next`, so that a
//! cluster can be taken through an upgrade to a build that knows more than the
//! one before; nothing that is shipped has it.
//!
//! * Two play in turns, seat 0 first in every round. A round begins when both
//!   seats are taken.
//! * A turn belongs to a seat: whoever sits down in one that was left goes on
//!   from there.
//! * Nothing is hidden, and nothing is drawn.
//! * Points: the last stone earns one.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::{Points, Rules, Table, Who};
use crate::answer::Rejection;
use crate::chance::Chance;
use crate::command::Edition;
use crate::event::Event;
use crate::ids::{PlayerId, Seat};
use crate::room::{Audience, State};

/// How many play.
const PLAYERS: u8 = 2;

/// Who begins, and who goes second.
const FIRST: Seat = Seat(0);
const SECOND: Seat = Seat(1);

/// Heaps on a board. Another number is refused.
const HEAPS: RangeInclusive<usize> = 1..=8;

/// Stones in a heap at the beginning. Another number is refused.
const STONES: RangeInclusive<u8> = 1..=15;

/// The heaps of someone who did not choose.
const USUAL_HEAPS: [u8; 3] = [3, 4, 5];

/// One board of nim.
///
/// Invariants:
/// * There are as many heaps as there were at the beginning, none larger.
/// * The round is won when no stones are left, and never lost.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Nim {
    /// The heaps every round begins with.
    full: Vec<u8>,
    heaps: Vec<u8>,
    /// Counts from 1.
    round: u32,
    state: State,
    /// Who moves next, while the round goes on.
    turn: Seat,
    /// Who took the last stone of this round.
    winner: Option<PlayerId>,
    /// A stone was taken in this round or one before.
    taken: bool,
}

/// How a room can be opened.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    heaps: Option<Vec<u8>>,
}

/// A move: how many stones, and from which heap, counted from zero.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Move {
    heap: u8,
    take: u8,
}

/// What is seen of a board, by everybody.
#[derive(Serialize)]
pub(crate) struct View<'a> {
    round: u32,
    heaps: &'a [u8],
    turn: Option<Seat>,
    winner: Option<String>,
}

/// What a list of rooms says of one: the heaps it began with.
#[derive(Serialize)]
pub(crate) struct About<'a> {
    heaps: &'a [u8],
}

impl Rules for Nim {
    const NAME: &'static str = "nim";
    const SEATS: RangeInclusive<u8> = PLAYERS..=PLAYERS;
    type Options = Options;
    type Move = Move;
    type View<'a> = View<'a>;
    type About<'a> = About<'a>;

    fn options_help() -> String {
        let (heaps, stones) = (HEAPS.end(), STONES.end());
        format!(
            "nim is opened with a JSON object of: heaps (a list of 1 to {heaps} numbers, \
             each 1 to {stones})"
        )
    }

    fn move_help() -> &'static str {
        r#"a move is {"heap":0,"take":2}: how many stones, and from which heap"#
    }

    fn open(options: Options, _: &mut Chance) -> Result<Nim, Rejection> {
        let full = options.heaps()?;
        Ok(Nim {
            heaps: full.clone(),
            full,
            round: 1,
            state: State::Waiting,
            turn: FIRST,
            winner: None,
            taken: false,
        })
    }

    fn seats(&self) -> u8 {
        PLAYERS
    }

    fn table_changed(&mut self, table: &Table<'_>, _: &mut Vec<Event>) {
        if self.state == State::Waiting && is_full(table) {
            self.state = State::Playing;
        }
    }

    fn play(
        &mut self,
        who: Who,
        table: &Table<'_>,
        mv: Move,
        _edition: Edition,
        events: &mut Vec<Event>,
    ) -> Result<Vec<Points>, Rejection> {
        self.check_turn(who)?;
        self.take(&mv)?;
        let (seat, name) = (who.seat, table.name(who.player));
        let left = self.stones();
        events.push(Event::Took { seat, name, heap: mv.heap, take: mv.take, left });
        if left > 0 {
            self.turn = if who.seat == FIRST { SECOND } else { FIRST };
            return Ok(Vec::new());
        }
        self.state = State::Won;
        self.winner = Some(who.player);
        Ok(vec![Points { player: who.player, count: 1 }])
    }

    fn may_begin(&self, table: &Table<'_>) -> Result<(), Rejection> {
        let gone = |who: Who| who.seat == self.turn && !table.is_online(who.player);
        let stuck = table.prefer_here && self.state == State::Playing && table.taken().any(gone);
        if self.state.is_over() || stuck {
            return Ok(());
        }
        Err(Rejection::illegal("this round is not over yet"))
    }

    fn again(
        &mut self,
        table: &Table<'_>,
        _: &mut Chance,
        events: &mut Vec<Event>,
    ) -> Result<(), Rejection> {
        self.may_begin(table)?;
        self.round = self.round.saturating_add(1);
        self.heaps.clone_from(&self.full);
        self.state = if is_full(table) { State::Playing } else { State::Waiting };
        self.turn = FIRST;
        self.winner = None;
        events.push(Event::Again { round: self.round });
        Ok(())
    }

    fn state(&self) -> State {
        self.state
    }

    fn worth_keeping(&self) -> bool {
        self.taken
    }

    fn audience(&self, _: PlayerId) -> Audience {
        Audience::GALLERY
    }

    fn view<'a>(&'a self, _: Audience, _: &Table<'a>) -> View<'a> {
        View {
            round: self.round,
            heaps: &self.heaps,
            turn: (self.state == State::Playing).then_some(self.turn),
            winner: self.winner.map(|player| player.to_string()),
        }
    }

    fn role(&self, _: PlayerId) -> &'static str {
        "player"
    }

    fn about(&self) -> About<'_> {
        About { heaps: &self.full }
    }
}

impl Nim {
    fn check_turn(&self, who: Who) -> Result<(), Rejection> {
        match self.state {
            State::Won | State::Lost => Err(Rejection::GameOver),
            State::Waiting => {
                Err(Rejection::not_your_turn("the round begins when both seats are taken"))
            }
            State::Playing if who.seat != self.turn => {
                Err(Rejection::not_your_turn("it is the other player's turn"))
            }
            State::Playing => Ok(()),
        }
    }

    /// Takes stones from a heap, or says why that cannot be.
    fn take(&mut self, &Move { heap: nth, take }: &Move) -> Result<(), Rejection> {
        let heap = self.heaps.get_mut(usize::from(nth));
        let heap = heap.ok_or_else(|| {
            Rejection::illegal(format!("there is no heap {nth}; heaps count from 0"))
        })?;
        match *heap {
            0 => Err(Rejection::illegal(format!("heap {nth} is empty"))),
            left if take == 0 || take > left => {
                Err(Rejection::illegal(format!("from heap {nth} you may take 1 to {left} stones")))
            }
            left => {
                *heap = left - take;
                self.taken = true;
                Ok(())
            }
        }
    }

    /// How many are left, in all heaps.
    fn stones(&self) -> u32 {
        self.heaps.iter().copied().map(u32::from).sum()
    }
}

impl Options {
    fn heaps(self) -> Result<Vec<u8>, Rejection> {
        let heaps = self.heaps.unwrap_or_else(|| USUAL_HEAPS.to_vec());
        if !HEAPS.contains(&heaps.len()) || !heaps.iter().all(|heap| STONES.contains(heap)) {
            return Err(Rejection::bad_request(Nim::options_help()));
        }
        Ok(heaps)
    }
}

fn is_full(table: &Table<'_>) -> bool {
    table.taken().count() == usize::from(PLAYERS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{parse_move, parse_options};
    use super::*;
    use crate::answer::Code;
    use crate::room::Sitter;

    const ANN: PlayerId = PlayerId(1);
    const BEN: PlayerId = PlayerId(2);

    fn opened(options: &str) -> Result<Nim, Rejection> {
        Nim::open(parse_options::<Nim>(options)?, &mut Chance::of(1, 0))
    }

    /// A board at whose table these players sit.
    struct Game {
        board: Nim,
        seats: [Option<Sitter>; 2],
    }

    impl Game {
        fn of(options: &str, seated: [Option<PlayerId>; 2]) -> Game {
            let mut game = Game { board: opened(options).unwrap(), seats: [None, None] };
            game.seat(seated);
            game
        }

        fn seat(&mut self, seated: [Option<PlayerId>; 2]) {
            self.seats = seated.map(|player| player.map(|player| Sitter { player, online: true }));
            let table = Table { seats: &self.seats, people: &BTreeMap::new(), prefer_here: false };
            self.board.table_changed(&table, &mut Vec::new());
        }

        /// The points of whoever moves, or why not.
        fn play(&mut self, seat: u8, mv: &str) -> Result<u32, Code> {
            let player = self.seats[usize::from(seat)].as_ref().unwrap().player;
            let who = Who { seat: Seat(seat), player };
            let table = Table { seats: &self.seats, people: &BTreeMap::new(), prefer_here: false };
            let before = format!("{:?}", self.board);
            let mut events = Vec::new();
            let played = parse_move::<Nim>(mv)
                .and_then(|mv| self.board.play(who, &table, mv, Edition::Second, &mut events))
                .map(|points| points.iter().map(|points| points.count).sum())
                .map_err(|rejection| rejection.code());
            assert_eq!(events.len(), usize::from(played.is_ok()), "{mv}");
            assert!(played.is_ok() || before == format!("{:?}", self.board), "{mv} left a trace");
            played
        }

        fn again(&mut self) -> Result<(), Code> {
            let table = Table { seats: &self.seats, people: &BTreeMap::new(), prefer_here: false };
            let again = self.board.again(&table, &mut Chance::of(1, 0), &mut Vec::new());
            again.map_err(|rejection| rejection.code())
        }

        fn view(&self) -> String {
            let table = Table { seats: &self.seats, people: &BTreeMap::new(), prefer_here: false };
            serde_json::to_string(&self.board.view(Audience::GALLERY, &table)).unwrap()
        }
    }

    #[test]
    fn a_board_has_a_few_heaps_of_a_few_stones() {
        for (options, heaps) in [
            ("", Some(&[3, 4, 5][..])),
            ("{}", Some(&[3, 4, 5])),
            (r#"{"heaps":[1]}"#, Some(&[1])),
            (r#"{"heaps":[15,1,2,3,4,5,6,7]}"#, Some(&[15, 1, 2, 3, 4, 5, 6, 7])),
            (r#"{"heaps":[]}"#, None),
            (r#"{"heaps":[1,2,3,4,5,6,7,8,9]}"#, None),
            (r#"{"heaps":[3,0]}"#, None),
            (r#"{"heaps":[16]}"#, None),
            (r#"{"heaps":[256]}"#, None),
            (r#"{"heaps":[-1]}"#, None),
            (r#"{"heaps":3}"#, None),
            (r#"{"stones":3}"#, None),
            ("[[3]]", None),
        ] {
            let board = opened(options);
            assert_eq!(board.as_ref().ok().map(|board| &*board.heaps), heaps, "{options}");
            let refused = Rejection::bad_request(Nim::options_help());
            assert!(heaps.is_some() || board.err() == Some(refused), "{options}");
        }
    }

    #[test]
    fn players_take_turns_until_nothing_is_left() {
        let mut game = Game::of(r#"{"heaps":[2,3]}"#, [Some(ANN), Some(BEN)]);
        for (seat, mv, played, heaps) in [
            (1, r#"{"heap":0,"take":1}"#, Err(Code::NotYourTurn), [2, 3]),
            (0, r#"{"heap":2,"take":1}"#, Err(Code::IllegalMove), [2, 3]),
            (0, r#"{"heap":1,"take":4}"#, Err(Code::IllegalMove), [2, 3]),
            (0, r#"{"heap":1,"take":0}"#, Err(Code::IllegalMove), [2, 3]),
            (0, r#"{"heap":1}"#, Err(Code::BadRequest), [2, 3]),
            (0, r#"{"heap":-1,"take":1}"#, Err(Code::BadRequest), [2, 3]),
            (0, r#"{"heap":256,"take":1}"#, Err(Code::BadRequest), [2, 3]),
            (0, r#"{"letter":"e"}"#, Err(Code::BadRequest), [2, 3]),
            (0, "[1,1]", Err(Code::BadRequest), [2, 3]),
            (0, r#"{"heap":1,"take":1}"#, Ok(0), [2, 2]),
            (0, r#"{"heap":1,"take":1}"#, Err(Code::NotYourTurn), [2, 2]),
            (1, r#"{"heap":0,"take":2}"#, Ok(0), [0, 2]),
            (0, r#"{"heap":0,"take":1}"#, Err(Code::IllegalMove), [0, 2]),
            (0, r#"{"heap":1,"take":2}"#, Ok(1), [0, 0]),
            (1, r#"{"heap":1,"take":1}"#, Err(Code::GameOver), [0, 0]),
        ] {
            assert_eq!(game.play(seat, mv), played, "{seat} {mv}");
            assert_eq!(game.board.heaps, heaps, "{seat} {mv}");
            let over = heaps == [0, 0];
            assert_eq!(game.board.state, if over { State::Won } else { State::Playing });
            assert_eq!(game.board.winner, over.then_some(ANN));
        }
    }

    #[test]
    fn a_round_waits_for_two_and_a_turn_waits_for_whoever_sits_down() {
        let mut game = Game::of("", [Some(ANN), None]);
        assert_eq!(game.play(0, r#"{"heap":0,"take":3}"#), Err(Code::NotYourTurn));
        assert!(!game.board.worth_keeping());
        game.seat([Some(ANN), Some(BEN)]);
        assert_eq!(game.play(0, r#"{"heap":0,"take":3}"#), Ok(0));
        assert!(game.board.worth_keeping());
        // Ann takes over for Ben.
        game.seat([None, Some(ANN)]);
        assert_eq!(game.board.state, State::Playing);
        assert_eq!(game.play(1, r#"{"heap":1,"take":4}"#), Ok(0));
        assert_eq!(game.view(), r#"{"round":1,"heaps":[0,0,5],"turn":0,"winner":null}"#);
    }

    #[test]
    fn another_round_begins_with_full_heaps_when_both_are_there() {
        let mut game = Game::of(r#"{"heaps":[1]}"#, [Some(ANN), Some(BEN)]);
        assert_eq!(game.again(), Err(Code::IllegalMove));
        assert_eq!(game.play(0, r#"{"heap":0,"take":1}"#), Ok(1));
        let won = r#"{"round":1,"heaps":[0],"turn":null,"winner":"p0000000000000001"}"#;
        assert_eq!(game.view(), won);
        assert_eq!(game.again(), Ok(()));
        assert_eq!(game.view(), r#"{"round":2,"heaps":[1],"turn":0,"winner":null}"#);
        assert_eq!(game.play(0, r#"{"heap":0,"take":1}"#), Ok(1));
        game.seat([Some(ANN), None]);
        assert_eq!(game.again(), Ok(()));
        assert_eq!(game.view(), r#"{"round":3,"heaps":[1],"turn":null,"winner":null}"#);
    }
}
