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
//! * A setter who leaves before the word is set passes the role on; when one is
//!   not here, the others may go on to the next round without. One who leaves
//!   later stays the setter of that round, and may not come back to guess.

mod guess;
mod letters;
mod options;
mod shape;
mod view;
mod words;

use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use guess::{Guess, Guessed};
use letters::{Letter, Letters, Word};
use options::{Mode, Options};
use shape::{Misfit, Shape};
use view::{About, Event, View};
use words::Category;

use crate::answer::Rejection;
use crate::chance::Chance;
use crate::command::Edition;
use crate::rules::contract::{Audience, Rules, Turn};
use crate::rules::phase::{Outcome, Phase};
use crate::table::{Table, Who};
use hangraft_ids::PlayerId;

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

/// How far the round is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// A word is to be set.
    Waiting,
    Playing,
    /// The word was found.
    Won,
    /// The last life is gone.
    Lost,
}

/// A move: exactly one of these.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Move {
    #[serde(skip_serializing_if = "Option::is_none")]
    letter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    word: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
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

    fn ending(&self) -> Option<&'static str> {
        match self.stage {
            Stage::Waiting | Stage::Playing => None,
            Stage::Won => Some("found"),
            Stage::Lost => Some("unfound"),
        }
    }

    fn phase(&self) -> Phase {
        match self.stage {
            Stage::Waiting => Phase::Waiting,
            Stage::Playing => Phase::Playing,
            Stage::Won => Phase::Over(Outcome::Together { won: true }),
            Stage::Lost => Phase::Over(Outcome::Together { won: false }),
        }
    }

    fn round(&self) -> u32 {
        self.round
    }

    fn worth_keeping(&self) -> bool {
        self.guessed
    }

    fn audience(&self, viewer: PlayerId) -> Audience {
        let knows = self.stage == Stage::Playing && self.is_setter(viewer);
        if knows { SETTER } else { Audience::GALLERY }
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
            return Err(cannot_be(misfit));
        }
        let found = word.sounds_like(hidden);
        let hits = if found { hidden.hidden(self.letters) } else { 0 };
        let (seat, name) = (who.seat, turn.table.name(who.player));
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
            turn.tell(Event::Won { seat, name, answer: self.answer() });
        }
        turn.award(who.player, u32::from(hits) + bonus);
    }

    fn lose_life(&mut self, turn: &mut Turn<'_, Event>) {
        self.lives = self.lives.saturating_sub(1);
        let setter = self.setter.map(|setter| setter.player);
        let mut count = 1;
        if self.lives == 0 {
            self.end_round(Stage::Lost, setter);
            turn.tell(Event::Lost { answer: self.answer() });
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

    /// The word, once it may be told.
    fn answer(&self) -> Arc<str> {
        self.word.as_ref().map_or_else(|| "".into(), |word| word.reveal().clone())
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

/// Why a word is refused that everybody can see is not it. Says nothing that is not
/// seen, and of what was typed no more than a letter that was guessed.
fn cannot_be(misfit: Misfit) -> Rejection {
    Rejection::illegal(match misfit {
        Misfit::Length { word, guess: 1 } => {
            format!("the word has {word} letters; guess a single one as a letter")
        }
        Misfit::Length { word, guess } => {
            let letters = if word == 1 { "letter" } else { "letters" };
            format!("the word has {word} {letters}, and that one has {guess}; no life is lost")
        }
        Misfit::Absent(letter) => {
            format!("there is no '{}' in the word; no life is lost", letter.char())
        }
        Misfit::Open => "that does not fit the letters that are open; no life is lost".to_owned(),
    })
}

impl Stage {
    fn is_over(self) -> bool {
        matches!(self, Stage::Won | Stage::Lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Code;
    use crate::rules::contract::parse_options;
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
}
