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
//! * Of two who play for the result, either may give up and both may agree upon a draw.
//! * Nothing is hidden, and nothing is drawn by lot.
//! * Points: the last stone earns one.

use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::answer::Rejection;
use crate::chance::Chance;
use crate::rules::contract::{Audience, Rules, Turn};
use crate::rules::duel::Conceded;
use crate::rules::phase::{Outcome, Phase};
use crate::step::fields;
use crate::table::{Table, Who};
use hangraft_ids::{PlayerId, Seat};

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
/// * The round is over when no stones are left, and only then unless one has given up or
///   both have agreed upon a draw.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Nim {
    /// The heaps every round begins with.
    full: Vec<u8>,
    heaps: Vec<u8>,
    /// Counts from 1.
    round: u32,
    stage: Stage,
    /// Who moves next, or has moved last when the round is over.
    turn: Seat,
    /// Who took the last stone of this round, or was given it.
    winner: Option<PlayerId>,
    /// A stone was taken in this round or one before.
    taken: bool,
}

/// How far the round is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// A seat is free.
    Waiting,
    Playing,
    /// No stones are left, or one has given up.
    Over,
    /// The two have agreed that nobody has won.
    Drawn,
}

/// How a room can be opened.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    heaps: Option<Vec<u8>>,
}

/// A move: how many stones, and from which heap, counted from zero.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Move {
    heap: u8,
    take: u8,
}

/// What those who watch hear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Event {
    /// Someone took stones from a heap.
    Took {
        seat: Seat,
        name: Arc<str>,
        /// From which heap, counted from 0.
        heap: u8,
        take: u8,
        /// How many are left, in all heaps; 0 wins the round.
        left: u32,
    },
    /// One has given up, and the other has won.
    Won { seat: Seat, name: Arc<str>, how: Conceded },
    /// The two have agreed that nobody has won.
    Draw,
}

/// What is seen of a board, by everybody.
#[derive(Serialize)]
pub(crate) struct View<'a> {
    heaps: &'a [u8],
    turn: Option<Seat>,
    winner: Option<String>,
}

fields! {
    View: heaps, turn, winner;
    optional:
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
    type Event = Event;
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

    fn match_options(options: Options) -> Result<Options, Rejection> {
        Ok(Options { heaps: Some(options.heaps()?) })
    }

    fn open(options: Options, _: &mut Chance) -> Result<Nim, Rejection> {
        let full = options.heaps()?;
        Ok(Nim {
            heaps: full.clone(),
            full,
            round: 1,
            stage: Stage::Waiting,
            turn: FIRST,
            winner: None,
            taken: false,
        })
    }

    fn seats(&self) -> u8 {
        PLAYERS
    }

    fn table_changed(&mut self, turn: &mut Turn<'_, Event>) {
        if self.stage == Stage::Waiting && turn.table.is_full() {
            self.stage = Stage::Playing;
        }
    }

    fn play(&mut self, who: Who, mv: Move, turn: &mut Turn<'_, Event>) -> Result<(), Rejection> {
        self.check_turn(who)?;
        self.take(&mv)?;
        let (seat, name) = (who.seat, turn.table.name(who.player));
        let left = self.stones();
        turn.tell(Event::Took { seat, name, heap: mv.heap, take: mv.take, left });
        if left > 0 {
            self.turn = if who.seat == FIRST { SECOND } else { FIRST };
            return Ok(());
        }
        self.stage = Stage::Over;
        self.winner = Some(who.player);
        turn.award(who.player, 1);
        Ok(())
    }

    fn may_begin(&self, table: &Table<'_>) -> Result<(), Rejection> {
        let gone = |who: Who| who.seat == self.turn && !table.is_online(who.player);
        let stuck = table.prefer_here && self.stage == Stage::Playing && table.taken().any(gone);
        if self.phase().is_over() || stuck {
            return Ok(());
        }
        Err(Rejection::illegal("this round is not over yet"))
    }

    fn again(&mut self, turn: &mut Turn<'_, Event>) -> Result<(), Rejection> {
        self.may_begin(&turn.table)?;
        self.round = self.round.saturating_add(1);
        self.heaps.clone_from(&self.full);
        self.stage = if turn.table.is_full() { Stage::Playing } else { Stage::Waiting };
        self.turn = FIRST;
        self.winner = None;
        Ok(())
    }

    fn awaits(&self, seat: Seat) -> bool {
        self.stage == Stage::Playing && self.turn == seat
    }

    fn concede(
        &mut self,
        who: Who,
        how: Conceded,
        turn: &mut Turn<'_, Event>,
    ) -> Result<(), Rejection> {
        self.check_playing()?;
        let by = turn.table.taken().find(|other| other.seat != who.seat);
        let by = by.ok_or_else(|| Rejection::illegal("nobody is here who could win"))?;
        self.stage = Stage::Over;
        (self.turn, self.winner) = (by.seat, Some(by.player));
        turn.award(by.player, 1);
        let name = turn.table.name(by.player);
        turn.tell(Event::Won { seat: by.seat, name, how });
        Ok(())
    }

    fn agree_draw(&mut self, turn: &mut Turn<'_, Event>) -> Result<(), Rejection> {
        self.check_playing()?;
        self.stage = Stage::Drawn;
        turn.tell(Event::Draw);
        Ok(())
    }

    fn ending(&self) -> Option<&'static str> {
        match self.stage {
            Stage::Waiting | Stage::Playing => None,
            Stage::Over if self.stones() == 0 => Some("last"),
            Stage::Over => Some("conceded"),
            Stage::Drawn => Some("agreed"),
        }
    }

    fn phase(&self) -> Phase {
        match self.stage {
            Stage::Waiting => Phase::Waiting,
            Stage::Playing => Phase::Playing,
            Stage::Over => Phase::Over(Outcome::Seats(self.turn.into())),
            Stage::Drawn => Phase::Over(Outcome::Draw),
        }
    }

    fn round(&self) -> u32 {
        self.round
    }

    fn worth_keeping(&self) -> bool {
        self.taken
    }

    fn view<'a>(&'a self, _: Audience, _: &Table<'a>) -> View<'a> {
        View {
            heaps: &self.heaps,
            turn: (self.stage == Stage::Playing).then_some(self.turn),
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
        self.check_playing()?;
        if who.seat != self.turn {
            return Err(Rejection::not_your_turn("it is the other player's turn"));
        }
        Ok(())
    }

    /// Says why no round goes on, if none does.
    fn check_playing(&self) -> Result<(), Rejection> {
        match self.stage {
            Stage::Over | Stage::Drawn => Err(Rejection::GameOver),
            Stage::Waiting => {
                Err(Rejection::not_your_turn("the round begins when both seats are taken"))
            }
            Stage::Playing => Ok(()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Code;
    use crate::rules::contract::parse_options;
    use crate::rules::duel::Decided;
    use crate::rules::trial::Trial;

    const ANN: PlayerId = PlayerId(1);
    const BEN: PlayerId = PlayerId(2);

    fn opened(options: &str) -> Result<Nim, Rejection> {
        Nim::open(parse_options::<Nim>(options)?, &mut Chance::of(1, 0))
    }

    fn trial(options: &str, seated: &[Option<PlayerId>]) -> Trial<Nim> {
        Trial::of(opened(options).expect("good options"), seated)
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
        let mut game = trial(r#"{"heaps":[2,3]}"#, &[Some(ANN), Some(BEN)]);
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
            assert_eq!(game.board.stage, if over { Stage::Over } else { Stage::Playing });
            assert_eq!(game.board.winner, over.then_some(ANN));
        }
    }

    #[test]
    fn a_round_waits_for_two_and_a_turn_waits_for_whoever_sits_down() {
        let mut game = trial("", &[Some(ANN), None]);
        assert_eq!(game.play(0, r#"{"heap":0,"take":3}"#), Err(Code::NotYourTurn));
        assert!(!game.board.worth_keeping());
        game.seat(&[Some(ANN), Some(BEN)]);
        assert_eq!(game.play(0, r#"{"heap":0,"take":3}"#), Ok(0));
        assert!(game.board.worth_keeping());
        // Ann takes over for Ben.
        game.seat(&[None, Some(ANN)]);
        assert_eq!(game.board.stage, Stage::Playing);
        assert_eq!(game.play(1, r#"{"heap":1,"take":4}"#), Ok(0));
        assert_eq!(game.view(), r#"{"heaps":[0,0,5],"turn":0,"winner":null}"#);
    }

    #[test]
    fn another_round_begins_with_full_heaps_when_both_are_there() {
        let mut game = trial(r#"{"heaps":[1]}"#, &[Some(ANN), Some(BEN)]);
        assert_eq!(game.again(), Err(Code::IllegalMove));
        assert_eq!(game.play(0, r#"{"heap":0,"take":1}"#), Ok(1));
        let won = r#"{"heaps":[0],"turn":null,"winner":"p0000000000000001"}"#;
        assert_eq!(game.view(), won);
        assert_eq!(game.again(), Ok(()));
        assert_eq!(game.view(), r#"{"heaps":[1],"turn":0,"winner":null}"#);
        assert_eq!(game.play(0, r#"{"heap":0,"take":1}"#), Ok(1));
        game.seat(&[Some(ANN), None]);
        assert_eq!(game.again(), Ok(()));
        assert_eq!(game.view(), r#"{"heaps":[1],"turn":null,"winner":null}"#);
    }

    #[test]
    fn two_may_end_a_round_without_taking_the_last_stone() {
        let ann = Who { seat: FIRST, player: ANN };
        let mut game = trial("", &[Some(ANN), Some(BEN)]);
        assert_eq!([0, 1].map(|seat| game.board.awaits(Seat(seat))), [true, false]);
        assert_eq!(game.concede(ann, Conceded::Resigned), Ok(1));
        let stands = |game: &Trial<Nim>| (game.board.decided(), game.board.ending());
        assert_eq!(stands(&game), (Some(Decided::Won(SECOND)), Some("conceded")));
        assert_eq!(game.concede(ann, Conceded::Resigned), Err(Code::GameOver));
        assert_eq!(game.again(), Ok(()));
        assert_eq!(game.agree_draw(), Ok(0));
        assert_eq!(stands(&game), (Some(Decided::Drawn), Some("agreed")));
        assert_eq!(game.play(0, r#"{"heap":0,"take":3}"#), Err(Code::GameOver));
        assert_eq!(game.again(), Ok(()));
        game.seat(&[Some(ANN), None]);
        assert_eq!(game.concede(ann, Conceded::Clock), Err(Code::IllegalMove));
        let mut alone = trial("", &[Some(ANN), None]);
        assert_eq!(alone.concede(ann, Conceded::Clock), Err(Code::NotYourTurn));
        let options = Nim::match_options(Options::default()).expect("the usual heaps");
        assert_eq!(options.heaps.as_deref(), Some(&USUAL_HEAPS[..]));
    }
}
