//! What bots suggest, in any state that play can reach.

use proptest::prelude::*;

use super::contract::{Rules, parse_options};
use super::duel::{Conceded, Strength};
use super::hangman::Hangman;
use super::phase::Phase;
use super::tic_tac_toe::TicTacToe;
use super::trial::Trial;
use super::{AnyRules, Board};
use crate::chance::Chance;
use crate::table::Who;
use hangraft_ids::{PlayerId, Seat};

const ANN: PlayerId = PlayerId(1);
const BEN: PlayerId = PlayerId(2);
const CAT: PlayerId = PlayerId(3);

/// What can happen at a table of two.
#[derive(Clone, Debug)]
enum Happening {
    /// A bot plays for whoever sits there.
    Bot(u8, Strength, u32),
    /// Somebody plays something, sense or nonsense.
    Move(u8, String),
    Again,
    /// These two seats are taken by these from now on.
    Seats([Option<PlayerId>; 2]),
    Concede(u8, Conceded),
    AgreeDraw,
}

fn happening() -> impl Strategy<Value = Happening> {
    let strength = || prop::sample::select(&Strength::ALL[..]);
    let letter = "[a-z]".prop_map(|letter| format!(r#"{{"letter":"{letter}"}}"#));
    let word = prop::sample::select(
        &["ragnarök", "Ægir", "straße", "rock'n'roll", "ice-cream van", "queen bee", "xyz", "þ"][..],
    );
    let word = (word, prop::sample::select(&["secret", "secret", "word"][..]));
    let word = word.prop_map(|(word, kind)| format!(r#"{{"{kind}":"{word}"}}"#));
    let cell = (0..9u8).prop_map(|cell| format!(r#"{{"cell":{cell}}}"#));
    let how = prop::sample::select(
        &[Conceded::Resigned, Conceded::Clock, Conceded::Left, Conceded::Claimed][..],
    );
    let seated = || prop::sample::select(&[None, Some(ANN), Some(BEN), Some(CAT)][..]);
    let seats = (seated(), seated()).prop_filter("nobody sits twice", |(a, b)| a != b);
    prop_oneof![
        12 => (0..2u8, strength(), any::<u32>())
            .prop_map(|(seat, strength, seed)| Happening::Bot(seat, strength, seed)),
        8 => (0..2u8, prop_oneof![4 => letter, 4 => word, 3 => cell])
            .prop_map(|(seat, mv)| Happening::Move(seat, mv)),
        3 => Just(Happening::Again),
        1 => seats.prop_map(|(first, second)| Happening::Seats([first, second])),
        1 => (0..2u8, how).prop_map(|(seat, how)| Happening::Concede(seat, how)),
        1 => Just(Happening::AgreeDraw),
    ]
}

fn trial<R: Rules>(options: &str) -> Trial<R> {
    let options = parse_options::<R>(options).and_then(R::match_options).expect("good options");
    let board = R::open(options, &mut Chance::of(1, 0)).expect("options of a match open one");
    Trial::of(board, &[Some(ANN), Some(BEN)])
}

/// Lets things happen, and asks bots of all strengths in every seat whenever something has.
fn every_suggestion_is_a_move<R: Rules>(happenings: Vec<Happening>) {
    let mut trial = trial::<R>("");
    let mut seats = [Some(ANN), Some(BEN)];
    // Those sit there with whom the round began, as they do in a match.
    let mut settled = true;
    for happening in happenings {
        match happening {
            Happening::Bot(seat, strength, seed) => {
                if let Some(mv) = suggested(&trial, &seats, seat, strength, seed) {
                    trial.play(seat, &mv).expect("it was asked before");
                }
            }
            // What is refused leaves no trace: the trial sees to that.
            Happening::Move(seat, mv) => {
                if seats[usize::from(seat)].is_some() {
                    _ = trial.play(seat, &mv);
                }
            }
            Happening::Again => settled |= trial.again().is_ok(),
            Happening::Seats(other) => {
                settled &= trial.board.phase() == Phase::Waiting;
                seats = other;
                trial.seat(&seats);
            }
            Happening::Concede(seat, how) => {
                if let Some(player) = seats[usize::from(seat)] {
                    _ = trial.concede(Who { seat: Seat(seat), player }, how);
                }
            }
            Happening::AgreeDraw => _ = trial.agree_draw(),
        }
        for (seat, strength) in [0, 1].into_iter().flat_map(|s| Strength::ALL.map(|st| (s, st))) {
            let mv = suggested(&trial, &seats, seat, strength, 7);
            assert_eq!(mv, suggested(&trial, &seats, seat, strength, 7), "the same chance");
            if settled && seats.iter().all(Option::is_some) {
                assert_eq!(mv.is_some(), trial.board.awaits(Seat(seat)), "{mv:?}");
            }
            if let Some(mv) = mv {
                let played = trial.clone().play(seat, &mv);
                played.unwrap_or_else(|why| panic!("{mv}: {why:?}"));
            }
        }
    }
}

/// What a bot would do in a seat that is taken.
fn suggested<R: Rules>(
    trial: &Trial<R>,
    seats: &[Option<PlayerId>; 2],
    seat: u8,
    strength: Strength,
    seed: u32,
) -> Option<String> {
    let who = Who { seat: Seat(seat), player: seats[usize::from(seat)]? };
    AnyRules::suggest(&trial.board, who, strength, &mut Chance::of(3, seed))
}

proptest! {
    #[test]
    fn every_suggestion_in_tic_tac_toe_is_a_move(
        happenings in prop::collection::vec(happening(), 0..40),
    ) {
        every_suggestion_is_a_move::<TicTacToe>(happenings);
    }

    #[test]
    fn every_suggestion_in_hangman_is_a_move(
        happenings in prop::collection::vec(happening(), 0..60),
    ) {
        every_suggestion_is_a_move::<Hangman>(happenings);
    }
}

/// Two bots come to an end of every round, whoever they are.
#[test]
fn bots_play_rounds_to_their_end() {
    for game in ["tic-tac-toe", "hangman"] {
        let options = Board::match_options(game, "").expect("it is played as a match");
        assert_eq!(Board::match_options(game, &options), Ok(options.clone()), "complete already");
        assert!(Board::open(game, &options, &mut Chance::of(1, 0)).is_ok());
    }
    rounds::<TicTacToe>();
    rounds::<Hangman>();
    assert!(Board::match_options("chess", "").is_err());
}

fn rounds<R: Rules>() {
    let pairs = Strength::ALL.map(|first| Strength::ALL.map(|second| [first, second]));
    for (strengths, seed) in pairs.into_iter().flatten().zip(0..) {
        let mut trial = trial::<R>("");
        for round in 0..6 {
            for nth in 0..40 {
                let Some(seat) = [0, 1].into_iter().find(|seat| trial.board.awaits(Seat(*seat)))
                else {
                    break;
                };
                let strength = strengths[usize::from(seat)];
                let seats = [Some(ANN), Some(BEN)];
                let mv = suggested(&trial, &seats, seat, strength, seed * 1000 + round * 100 + nth);
                trial.play(seat, &mv.expect("it is awaited")).expect("a bot knows the rules");
            }
            assert!(trial.board.decided().is_some(), "{strengths:?} come to no end");
            trial.again().expect("the round is over");
        }
    }
}
