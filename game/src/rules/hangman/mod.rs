//! Hangman: find the word, letter by letter, before six lives are gone.
//!
//! Two ways to play. *Together*, everybody at the table guesses a word drawn
//! from a category. With a *setter*, one player sets the word and watches the
//! others guess; the role moves on around the table with every round.
//!
//! * Anybody who may guess may do so at any time; whoever is first in the log
//!   is first.
//! * A wrong letter or a wrong word costs the table a life. What was guessed
//!   before, and a word that everybody can see is not it, is refused and costs nothing.
//! * Points: a letter earns one for each place it opens, the whole word one
//!   for each place it opens and [`WORD_BONUS`] more. A setter earns one for
//!   each wrong guess and [`UNFOUND_BONUS`] more if the word is not found.
//! * Of two who play for the result, a setter and a guesser, either may give up, and both may
//!   agree upon a draw. Whoever has won by it has the bonus of their side.
//! * A setter who leaves before the word is set passes the role on; when one is
//!   not here, the others may go on to the next round without. One who leaves
//!   later stays the setter of that round, and may not come back to guess.

mod beside;
mod bot;
mod guess;
mod letters;
mod moves;
mod options;
mod shape;
mod sight;
mod stage;
mod view;
mod words;

use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use guess::{Guess, Guessed};
use letters::{Letter, Letters, Word};
use moves::Move;
use options::{Mode, Options};
use shape::Shape;
use sight::Sight;
use stage::Stage;
use view::{About, Event, View};
use words::Category;

use crate::answer::Rejection;
use crate::chance::Chance;
use crate::command::Edition;
use crate::rules::contract::{Audience, Rules, Turn};
use crate::rules::duel::{Conceded, Decided, Judged, Strength};
use crate::rules::phase::Phase;
use crate::table::{Table, Who};
use hangraft_ids::{PlayerId, Seat};

/// Wrong guesses that end a round.
const LIVES: u8 = 6;

/// Points for finding the whole word, besides one for each place it opened.
const WORD_BONUS: u32 = 3;

/// Points for a setter whose word was not found.
const UNFOUND_BONUS: u32 = 5;

/// The audience of one that sees the word while it is hidden.
const SETTER: Audience = Audience::insider(0);

/// One board of hangman.
///
/// Invariants:
/// * A word is set, except while a setter's table is waiting for one.
/// * `guesses` only grows during a round, never after it has ended, and is
///   bounded: 26 letters, and one wrong word or the right one per life.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Hangman {
    mode: Mode,
    seats: u8,
    /// Counts from 1.
    round: u32,
    stage: Stage,
    word: Option<Word>,
    /// What the word was drawn from; none for a setter's.
    category: Option<Category>,
    /// The letters guessed in this round, right and wrong.
    letters: Letters,
    guesses: Vec<Guess>,
    lives: u8,
    /// Who sets the word, or has set it.
    setter: Option<Who>,
    /// Who made this round end their way.
    winner: Option<PlayerId>,
    /// Something was guessed in this round or one before.
    guessed: bool,
}

impl Rules for Hangman {
    const NAME: &'static str = "hangman";
    const SEATS: RangeInclusive<u8> = 1..=8;
    type Options = Options;
    type Move = Move;
    type Event = Event;
    type View<'a> = View<'a>;
    type About<'a> = About;

    fn options_help() -> String {
        options::help()
    }

    fn move_help() -> &'static str {
        r#"a move is one of {"letter":"e"}, {"word":"..."} and, for a setter, {"secret":"..."}"#
    }

    fn match_options(options: Options) -> Result<Options, Rejection> {
        options.of_match()
    }

    fn open(options: Options, chance: &mut Chance) -> Result<Hangman, Rejection> {
        let mode = options.mode()?;
        let seats = options.seats(mode, Self::SEATS)?;
        let mut board = Hangman {
            mode,
            seats,
            round: 1,
            stage: Stage::Waiting,
            word: None,
            category: None,
            letters: Letters::default(),
            guesses: Vec::new(),
            lives: LIVES,
            setter: None,
            winner: None,
            guessed: false,
        };
        board.draw_word(chance);
        Ok(board)
    }

    fn seats(&self) -> u8 {
        self.seats
    }

    fn table_changed(&mut self, turn: &mut Turn<'_, Event>) {
        if self.mode != Mode::Setter || self.stage != Stage::Waiting {
            return;
        }
        let table = turn.table;
        let setter = match self.setter {
            Some(setter) if table.seat_of(setter.player) == Some(setter.seat) => return,
            Some(gone) => table.next_after(gone.seat),
            None => table.first(),
        };
        self.name_setter(setter, turn);
    }

    fn play(&mut self, who: Who, mv: Move, turn: &mut Turn<'_, Event>) -> Result<(), Rejection> {
        if self.stage.is_over() {
            return Err(Rejection::GameOver);
        }
        match (mv.letter, mv.word, mv.secret) {
            (Some(letter), None, None) => self.guess_letter(who, &letter, turn),
            (None, Some(word), None) => self.guess_word(who, &word, turn),
            (None, None, Some(secret)) => self.set_secret(who, &secret, turn),
            _ => Err(Rejection::bad_request(Self::move_help())),
        }
    }

    fn may_begin(&self, table: &Table<'_>) -> Result<(), Rejection> {
        let stuck = self.stage == Stage::Waiting
            && self.setter.is_some_and(|setter| !table.is_online(setter.player));
        if self.stage.is_over() || stuck {
            return Ok(());
        }
        Err(Rejection::illegal("this round is not over yet"))
    }

    fn again(&mut self, turn: &mut Turn<'_, Event>) -> Result<(), Rejection> {
        let table = turn.table;
        self.may_begin(&table)?;
        self.begin_round(turn.chance);
        if self.mode == Mode::Setter {
            let next = self.setter.and_then(|before| table.next_after(before.seat));
            self.name_setter(next.or_else(|| table.first()), turn);
        }
        Ok(())
    }

    fn awaits(&self, seat: Seat) -> bool {
        let sets = self.setter.is_some_and(|setter| setter.seat == seat);
        match self.stage {
            Stage::Waiting => sets,
            Stage::Playing => !sets && seat.0 < self.seats,
            _ => false,
        }
    }

    fn concede(
        &mut self,
        who: Who,
        how: Conceded,
        turn: &mut Turn<'_, Event>,
    ) -> Result<(), Rejection> {
        let (setter, guesser) = self.two(who, &turn.table)?;
        let saved = who.player == setter.player;
        let (by, count) = if saved { (guesser, WORD_BONUS) } else { (setter, UNFOUND_BONUS) };
        self.end_round(Stage::Conceded { by, how, saved }, Some(by.player));
        turn.award(by.player, count);
        let (seat, name) = (by.seat, turn.table.name(by.player));
        turn.tell(Event::Won { seat, name, how: Some(how), answer: self.answer() });
        Ok(())
    }

    fn agree_draw(&mut self, turn: &mut Turn<'_, Event>) -> Result<(), Rejection> {
        let setter = self.setter.ok_or_else(not_two)?;
        self.two(setter, &turn.table)?;
        self.end_round(Stage::Drawn, None);
        turn.tell(Event::Draw { answer: self.answer() });
        Ok(())
    }

    fn decided(&self) -> Option<Decided> {
        let seat = match self.stage {
            Stage::Waiting | Stage::Playing => return None,
            Stage::Drawn => return Some(Decided::Drawn),
            _ if self.mode != Mode::Setter => None,
            Stage::Conceded { by, .. } => Some(by.seat),
            Stage::Won => self.guesses.last().map(|found| found.who.seat),
            Stage::Lost => self.setter.map(|setter| setter.seat),
        };
        Some(seat.map_or(Decided::Void, Decided::Won))
    }

    fn ending(&self) -> Option<&'static str> {
        self.stage.ending()
    }

    fn suggest(&self, who: Who, strength: Strength, chance: &mut Chance) -> Option<Move> {
        match self.stage {
            Stage::Waiting if self.is_setter(who.player) => {
                Some(Move::setting(&bot::secret(strength, chance)))
            }
            Stage::Playing if !self.is_setter(who.player) => {
                bot::guess(&self.sight(), strength, chance).map(Move::from)
            }
            _ => None,
        }
    }

    fn phase(&self) -> Phase {
        self.stage.phase()
    }

    fn round(&self) -> u32 {
        self.round
    }

    fn worth_keeping(&self) -> bool {
        self.guessed
    }

    fn audience(&self, viewer: PlayerId) -> Audience {
        if self.insiders().contains(&viewer) { SETTER } else { Audience::GALLERY }
    }

    fn insiders(&self) -> Vec<PlayerId> {
        let setter = self.setter.filter(|_| self.stage == Stage::Playing);
        setter.map(|setter| setter.player).into_iter().collect()
    }

    fn view<'a>(&'a self, audience: Audience, table: &Table<'a>) -> View<'a> {
        let may_see = audience == SETTER || self.stage.is_over();
        View {
            mode: self.mode.name(),
            pattern: self.pattern(),
            wrong: self.wrong_letters(),
            tried: self.guesses.iter().map(|guess| guess.view(table)).collect(),
            lives: self.lives,
            lives_max: LIVES,
            category: self.category.map(Category::name),
            setter: self.setter.and_then(|setter| table.seat_of(setter.player)),
            winner: self.winner.map(|player| player.to_string()),
            how: self.stage.conceded(),
            answer: self.word.as_ref().filter(|_| may_see).map(|word| &**word.reveal()),
        }
    }

    fn role(&self, player: PlayerId) -> &'static str {
        if self.is_setter(player) { "setter" } else { "guesser" }
    }

    fn about(&self) -> About {
        About { mode: self.mode.name(), category: self.category.map(Category::name) }
    }
}

impl Hangman {
    fn guess_letter(
        &mut self,
        who: Who,
        typed: &str,
        turn: &mut Turn<'_, Event>,
    ) -> Result<(), Rejection> {
        let hidden = self.word_for(who)?;
        let letter = Letter::typed(typed)
            .ok_or_else(|| Rejection::illegal("a letter is one character from a to z"))?;
        if self.letters.contains(letter) {
            let text = format!("'{}' was guessed before", letter.char());
            return Err(Rejection::illegal(text));
        }
        let hits = hidden.count(letter);
        let (seat, name) = (who.seat, turn.table.name(who.player));
        turn.judge(|| judged(seat, hits, self.sight().permille_with(letter)));
        turn.tell(Event::Guessed { seat, name, letter: letter.char(), hits });
        self.letters.insert(letter);
        self.guesses.push(Guess { who, what: Guessed::Letter(letter.char()), hits });
        self.score(who, hits, 0, turn);
        Ok(())
    }

    fn guess_word(
        &mut self,
        who: Who,
        typed: &str,
        turn: &mut Turn<'_, Event>,
    ) -> Result<(), Rejection> {
        let hidden = self.word_for(who)?;
        let word = Word::typed(typed, turn.now.edition).map_err(Rejection::illegal)?;
        if self.guesses.iter().any(|guess| guess.is_word(&word)) {
            return Err(Rejection::illegal("that word was tried before"));
        }
        // The first edition took them, and a life for each.
        if turn.now.edition > Edition::First
            && let Some(misfit) = Shape::of(hidden, self.letters).misfit(&word)
        {
            return Err(Rejection::illegal(misfit.to_string()));
        }
        let found = word.sounds_like(hidden);
        let hits = if found { hidden.hidden(self.letters) } else { 0 };
        let (seat, name) = (who.seat, turn.table.name(who.player));
        turn.judge(|| judged(seat, hits, self.sight().permille_of(&word)));
        turn.tell(Event::TriedWord { seat, name, word: word.reveal().clone(), hits });
        self.guesses.push(Guess { who, what: Guessed::Word(word), hits });
        self.score(who, hits, if found { WORD_BONUS } else { 0 }, turn);
        Ok(())
    }

    fn set_secret(
        &mut self,
        who: Who,
        typed: &str,
        turn: &mut Turn<'_, Event>,
    ) -> Result<(), Rejection> {
        if self.mode != Mode::Setter {
            return Err(Rejection::illegal("nobody sets the word at this table: it was drawn"));
        }
        if !self.is_setter(who.player) {
            return Err(Rejection::not_your_turn("someone else sets the word in this round"));
        }
        if self.stage != Stage::Waiting {
            return Err(Rejection::illegal("the word of this round is set already"));
        }
        self.word = Some(Word::typed(typed, turn.now.edition).map_err(Rejection::illegal)?);
        self.stage = Stage::Playing;
        turn.tell(Event::SecretSet { seat: who.seat });
        Ok(())
    }

    /// The hidden word, if `who` may guess at it.
    fn word_for(&self, who: Who) -> Result<&Word, Rejection> {
        match &self.word {
            _ if self.is_setter(who.player) => {
                Err(Rejection::not_your_turn("you set the word; the others guess"))
            }
            Some(word) => Ok(word),
            None => Err(Rejection::not_your_turn("the word is not set yet")),
        }
    }

    /// What a guess that has been noted down does to the round.
    fn score(&mut self, who: Who, hits: u8, bonus: u32, turn: &mut Turn<'_, Event>) {
        self.guessed = true;
        if hits == 0 {
            return self.lose_life(turn);
        }
        let places_left = self.word.as_ref().map_or(0, |word| word.hidden(self.letters));
        if bonus > 0 || places_left == 0 {
            self.end_round(Stage::Won, Some(who.player));
            let (seat, name) = (who.seat, turn.table.name(who.player));
            turn.tell(Event::Won { seat, name, how: None, answer: self.answer() });
        }
        turn.award(who.player, u32::from(hits) + bonus);
    }

    fn lose_life(&mut self, turn: &mut Turn<'_, Event>) {
        self.lives = self.lives.saturating_sub(1);
        let setter = self.setter.map(|setter| setter.player);
        let mut count = 1;
        if self.lives == 0 {
            self.end_round(Stage::Lost, setter);
            turn.tell(Event::Lost { answer: self.answer().unwrap_or_default() });
            count += UNFOUND_BONUS;
        }
        if let Some(setter) = setter {
            turn.award(setter, count);
        }
    }

    fn end_round(&mut self, stage: Stage, winner: Option<PlayerId>) {
        self.stage = stage;
        self.winner = winner;
    }

    fn begin_round(&mut self, chance: &mut Chance) {
        self.round = self.round.saturating_add(1);
        self.stage = Stage::Waiting;
        self.letters = Letters::default();
        self.guesses.clear();
        self.lives = LIVES;
        self.winner = None;
        self.draw_word(chance);
    }

    /// Draws the round's word, or leaves it to the setter.
    fn draw_word(&mut self, chance: &mut Chance) {
        let before = self.word.take();
        if let Mode::Together(wanted) = self.mode {
            let category = wanted.unwrap_or_else(|| Category::any(chance));
            self.word = Some(category.draw(before.as_ref(), chance));
            self.category = Some(category);
            self.stage = Stage::Playing;
        }
    }

    fn name_setter(&mut self, setter: Option<Who>, turn: &mut Turn<'_, Event>) {
        self.setter = setter;
        if let Some(setter) = setter {
            turn.tell(Event::Setter { seat: setter.seat });
        }
    }

    fn is_setter(&self, player: PlayerId) -> bool {
        self.setter.is_some_and(|setter| setter.player == player)
    }

    /// Who sets the word and who guesses it, when two play and `who` is one of them; or why
    /// nothing can be decided between them.
    fn two(&self, who: Who, table: &Table<'_>) -> Result<(Who, Who), Rejection> {
        if self.stage.is_over() {
            return Err(Rejection::GameOver);
        }
        let setter = self.setter.filter(|_| self.seats == 2).ok_or_else(not_two)?;
        let others = || table.taken().filter(|other| other.player != setter.player);
        let guesser = if who.player == setter.player { others().next() } else { Some(who) };
        Ok((setter, guesser.ok_or_else(not_two)?))
    }

    /// The round as guessers see it.
    fn sight(&self) -> Sight<'_> {
        let tried = self.guesses.iter().filter_map(Guess::word).collect();
        Sight { pattern: self.pattern(), guessed: self.letters, tried }
    }

    /// The word, once it may be told.
    fn answer(&self) -> Option<Arc<str>> {
        self.word.as_ref().map(|word| word.reveal().clone())
    }

    /// Each place: what is shown there, or none while it is hidden.
    fn pattern(&self) -> Vec<Option<char>> {
        let all = self.stage == Stage::Won;
        let shown = |letter: Option<Letter>| {
            all || letter.is_none_or(|letter| self.letters.contains(letter))
        };
        let places = self.word.iter().flat_map(|word| word.places());
        places.map(|(c, letter)| shown(letter).then_some(c)).collect()
    }

    fn wrong_letters(&self) -> Vec<char> {
        let wrong = self.guesses.iter().filter(|guess| guess.hits == 0);
        wrong.filter_map(|guess| guess.letter()).collect()
    }
}

/// How a guess was that had this chance of a hit; none if there is no telling.
fn judged(seat: Seat, hits: u8, expected_permille: Option<i32>) -> Judged {
    let good = hits > 0;
    let came = if good { 1000 } else { 0 };
    Judged { seat, good, luck_permille: expected_permille.map_or(0, |expected| came - expected) }
}

fn not_two() -> Rejection {
    Rejection::not_your_turn("this is decided between two: one sets the word, the other guesses")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::answer::Code;
    use crate::rules::contract::parse_options;
    use crate::rules::phase::Outcome;
    use crate::rules::trial::Trial;

    const ANN: PlayerId = PlayerId(1);
    const BEN: PlayerId = PlayerId(2);

    /// A table of two with a setter, Ann, and Ben who guesses.
    fn trial() -> Trial<Hangman> {
        let options = parse_options::<Hangman>(r#"{"mode":"setter","seats":2}"#);
        let board = Hangman::open(options.expect("good options"), &mut Chance::of(1, 0));
        Trial::of(board.expect("good options"), &[Some(ANN), Some(BEN)])
    }

    #[test]
    fn the_table_wins_and_loses_together() {
        let mut trial = trial();
        assert_eq!(trial.board.phase(), Phase::Waiting);
        assert_eq!(trial.play(1, r#"{"letter":"o"}"#), Err(Code::NotYourTurn));
        assert_eq!(trial.play(0, r#"{"secret":"owl"}"#), Ok(0));
        assert_eq!(trial.board.phase(), Phase::Playing);
        assert_eq!(trial.play(1, r#"{"letter":"o"}"#), Ok(1));
        assert!(trial.view().contains(r#""pattern":["o",null,null]"#), "{}", trial.view());
        assert_eq!(trial.play(1, r#"{"word":"owl"}"#), Ok(2 + WORD_BONUS));
        assert_eq!(trial.board.phase(), Phase::Over(Outcome::Together { won: true }));
        assert_eq!(trial.again(), Ok(()));
        // The role has moved on.
        assert_eq!(trial.board.round(), 2);
        assert_eq!(trial.play(1, r#"{"secret":"owl"}"#), Ok(0));
        for letter in ["a", "b", "c", "d", "e"] {
            assert_eq!(trial.play(0, &format!(r#"{{"letter":"{letter}"}}"#)), Ok(1), "Ben's");
        }
        assert_eq!(trial.play(0, r#"{"letter":"f"}"#), Ok(1 + UNFOUND_BONUS));
        assert_eq!(trial.board.phase(), Phase::Over(Outcome::Together { won: false }));
        let answer = "owl".into();
        assert_eq!(trial.told.last(), Some(&Event::Lost { answer }));
        assert_eq!(trial.play(0, r#"{"letter":"o"}"#), Err(Code::GameOver));
    }

    /// The two seats of a match, whoever sits there.
    fn who(seat: u8) -> Who {
        Who { seat: Seat(seat), player: [ANN, BEN][usize::from(seat)] }
    }

    /// How the round stands between the two, and how the table sees it.
    fn stands(trial: &Trial<Hangman>) -> (Option<Decided>, Option<&'static str>, Phase) {
        (trial.board.decided(), trial.board.ending(), trial.board.phase())
    }

    #[test]
    fn who_gives_up_has_lost_whether_the_word_is_set_or_not() {
        let ways = [
            (Conceded::Resigned, "resigned"),
            (Conceded::Clock, "clock"),
            (Conceded::Left, "left"),
            (Conceded::Claimed, "claimed"),
        ];
        for (how, ending) in ways {
            for moves in [
                &[][..],
                &[(0, r#"{"secret":"owl"}"#)],
                &[(0, r#"{"secret":"owl"}"#), (1, r#"{"letter":"x"}"#), (1, r#"{"letter":"o"}"#)],
            ] {
                for (loser, points) in [(0, WORD_BONUS), (1, UNFOUND_BONUS)] {
                    let mut trial = trial();
                    for (seat, mv) in moves {
                        trial.play(*seat, mv).expect("a good move");
                    }
                    assert_eq!((trial.board.decided(), trial.board.ending()), (None, None));
                    assert_eq!(trial.concede(who(loser), how), Ok(points));
                    let winner = 1 - loser;
                    let phase = Phase::Over(Outcome::Together { won: winner == 1 });
                    let won = Some(Decided::Won(Seat(winner)));
                    assert_eq!(stands(&trial), (won, Some(ending), phase));
                    let view = trial.view();
                    assert!(view.contains(&format!(r#""how":"{ending}""#)), "{view}");
                    assert_eq!(view.contains("owl"), !moves.is_empty(), "{view}");
                    assert_eq!(trial.concede(who(winner), how), Err(Code::GameOver));
                    assert_eq!(trial.agree_draw(), Err(Code::GameOver));
                    assert_eq!(trial.play(1, r#"{"letter":"z"}"#), Err(Code::GameOver));
                    assert_eq!(trial.again(), Ok(()));
                    assert_eq!(stands(&trial), (None, None, Phase::Waiting));
                    assert!(!trial.view().contains("how"), "{}", trial.view());
                }
            }
        }
    }

    #[test]
    fn two_may_agree_that_nobody_has_won() {
        for moves in [&[][..], &[r#"{"secret":"owl"}"#]] {
            let mut trial = trial();
            moves.iter().for_each(|mv| _ = trial.play(0, mv).expect("a good word"));
            assert_eq!(trial.agree_draw(), Ok(0));
            let drawn = Phase::Over(Outcome::Draw);
            assert_eq!(stands(&trial), (Some(Decided::Drawn), Some("agreed"), drawn));
            assert_eq!(trial.concede(who(0), Conceded::Clock), Err(Code::GameOver));
        }
    }

    #[test]
    fn who_finds_the_word_has_won_and_else_its_setter() {
        let mut found = trial();
        found.play(0, r#"{"secret":"owl"}"#).expect("a good word");
        found.play(1, r#"{"word":"owl"}"#).expect("a good guess");
        let won = Phase::Over(Outcome::Together { won: true });
        assert_eq!(stands(&found), (Some(Decided::Won(Seat(1))), Some("found"), won));
        let mut lost = trial();
        lost.play(0, r#"{"secret":"owl"}"#).expect("a good word");
        for letter in "abcdef".chars() {
            lost.play(1, &format!(r#"{{"letter":"{letter}"}}"#)).expect("a new letter");
        }
        let unfound = Phase::Over(Outcome::Together { won: false });
        assert_eq!(stands(&lost), (Some(Decided::Won(Seat(0))), Some("unfound"), unfound));
    }

    /// Where all guess together there are no two to decide anything between; and one alone
    /// has nobody to give up to.
    #[test]
    fn nothing_is_decided_but_between_two() {
        for (options, seated) in [
            ("", &[Some(ANN), Some(BEN)][..]),
            (r#"{"mode":"setter"}"#, &[Some(ANN), Some(BEN)]),
            (r#"{"mode":"setter","seats":2}"#, &[Some(ANN), None]),
            (r#"{"mode":"setter","seats":2}"#, &[None, None]),
        ] {
            let options = parse_options::<Hangman>(options).expect("good options");
            let board = Hangman::open(options, &mut Chance::of(1, 0)).expect("good options");
            let mut trial = Trial::of(board, seated);
            assert_eq!(trial.concede(who(0), Conceded::Resigned), Err(Code::NotYourTurn));
            assert_eq!(trial.agree_draw(), Err(Code::NotYourTurn));
        }
        let mut together = Hangman::open(Options::default(), &mut Chance::of(1, 0)).unwrap();
        together.end_round(Stage::Won, Some(ANN));
        assert_eq!(together.decided(), Some(Decided::Void));
    }

    #[test]
    fn the_table_waits_for_the_setter_and_then_for_who_guesses() {
        let mut trial = trial();
        let awaited = |trial: &Trial<Hangman>| [0, 1, 2].map(|seat| trial.board.awaits(Seat(seat)));
        assert_eq!(awaited(&trial), [true, false, false]);
        trial.play(0, r#"{"secret":"owl"}"#).expect("a good word");
        assert_eq!(awaited(&trial), [false, true, false]);
        assert_eq!([ANN, BEN].map(|player| trial.board.side(player)), ["setter", "guesser"]);
        trial.concede(who(1), Conceded::Clock).expect("the round goes on");
        assert_eq!(awaited(&trial), [false, false, false]);
    }

    #[test]
    fn a_match_is_a_setter_and_a_guesser() {
        let agreed = r#"{"mode":"setter","seats":2}"#;
        for (options, of_match) in [
            ("", Ok(agreed)),
            ("{}", Ok(agreed)),
            (r#"{"mode":"setter"}"#, Ok(agreed)),
            (agreed, Ok(agreed)),
            (r#"{"seats":3}"#, Err(Code::BadRequest)),
            (r#"{"mode":"together"}"#, Err(Code::BadRequest)),
            (r#"{"category":"food"}"#, Err(Code::BadRequest)),
            (r#"{"mode":"setter","x":1}"#, Err(Code::BadRequest)),
        ] {
            let options = parse_options::<Hangman>(options).and_then(Hangman::match_options);
            let json = options.map(|options| serde_json::to_string(&options).unwrap());
            assert_eq!(json.as_deref().map_err(Rejection::code), of_match);
        }
        let options = parse_options::<Hangman>(agreed).expect("good options");
        assert!(Hangman::open(options, &mut Chance::of(1, 0)).is_ok());
    }

    /// A hit is good; it is lucky by as much as it was unlikely among the possible words.
    #[test]
    fn a_guess_is_lucky_by_what_came_less_what_was_likely() {
        let mut trial = trial();
        trial.play(0, r#"{"secret":"elm"}"#).expect("a good word");
        assert_eq!(trial.judged, [], "nobody knows how good a secret is");
        let share = |with: &dyn Fn(&str) -> bool| {
            let words = words::of_length(3);
            (words.iter().filter(|word| with(word.text)).count() * 1000 / words.len()) as i32
        };
        let [e, x] = ['e', 'x'].map(|c| share(&|word| word.contains(c)));
        assert_eq!(trial.play(1, r#"{"letter":"e"}"#), Ok(1));
        assert_eq!(trial.play(1, r#"{"letter":"x"}"#), Ok(1));
        // Elf and elm are possible.
        assert_eq!(trial.play(1, r#"{"word":"elf"}"#), Ok(1));
        assert_eq!(trial.play(1, r#"{"word":"elm"}"#), Ok(5));
        let judged = |(good, luck_permille)| Judged { seat: Seat(1), good, luck_permille };
        let expected = [(true, 1000 - e), (false, -x), (false, -500), (true, 0)].map(judged);
        assert_eq!(trial.judged, expected);
    }

    /// Of a word that no list has nobody can say how likely anything was.
    #[test]
    fn nothing_is_lucky_where_there_is_no_telling() {
        let mut trial = trial();
        trial.play(0, r#"{"secret":"xylographic-pseudonymity"}"#).expect("a good word");
        assert_eq!(trial.play(1, r#"{"letter":"x"}"#), Ok(1));
        assert_eq!(trial.judged, [Judged { seat: Seat(1), good: true, luck_permille: 0 }]);
    }

    /// Whoever guesses is told by bots nothing but what follows from what they see: boards
    /// with different words that look the same have the same suggestions.
    #[test]
    fn a_guesser_knows_nothing_that_its_audience_does_not_see() {
        let mut compared = 0;
        for letters in ["", "e", "zx", "satr", "aeio"] {
            let mut alike: BTreeMap<String, Vec<Hangman>> = BTreeMap::new();
            for word in words::of_length(6).iter().map(|listed| listed.text) {
                let mut trial = trial();
                trial.play(0, &format!(r#"{{"secret":"{word}"}}"#)).expect("a good word");
                for letter in letters.chars() {
                    trial.play(1, &format!(r#"{{"letter":"{letter}"}}"#)).expect("a new letter");
                }
                alike.entry(trial.view()).or_default().push(trial.board);
            }
            for (boards, strength) in alike.values().flat_map(|b| Strength::ALL.map(|s| (b, s))) {
                let said = boards.iter().map(|board| {
                    let mv = board.suggest(who(1), strength, &mut Chance::of(2, 0));
                    serde_json::to_string(&mv).expect("a move has a JSON form")
                });
                let said: BTreeSet<String> = said.collect();
                assert_eq!(said.len(), 1, "{letters} {strength:?}");
                compared += boards.len() - 1;
            }
        }
        assert!(compared > 500, "only {compared} boards look like others");
    }
}
