//! How bots guess, and which words they set.
//!
//! A guesser knows a round as guessers [see](Sight) it, and the same lists as everybody.
//!
//! * *Easy* guesses letters roughly as often as English has them.
//! * *Medium* takes them nearly in the order of how often English has them.
//! * *Hard* takes the letter that most of the possible words have, and says the word when
//!   hardly another is possible. When no word of our lists is, it plays in the order of
//!   English, as somebody who does not know the word.
//!
//! A setter draws words from our lists and takes the easiest of them, any, or the hardest:
//! that for which who tries letters in the order of English loses most lives.

use std::sync::Arc;

use super::guess::Guessed;
use super::letters::{Letter, Letters, Word};
use super::sight::Sight;
use super::words::Category;
use crate::chance::Chance;
use crate::rules::duel::Strength;
use crate::rules::lots::draw;

/// The letters by how many words of an English dictionary have them, most first (as counted
/// in the Concise Oxford Dictionary).
const ENGLISH: &str = "eariotnslcudpmhgbfywkvxzjq";

/// When so few words are possible, a hard bot says one of them.
const WORDS_SAID: usize = 2;

/// Tickets of the letter that English has most often of those left, and of the one behind
/// it, when a medium bot chooses.
const MEDIUM_TICKETS: [u32; 2] = [3, 1];

/// From so many words a setter chooses.
const WORDS_DRAWN: usize = 12;

/// A word that is easy to find has at most so many characters.
const EASY_CHARS_MAX: usize = 7;

/// What a guesser of this strength guesses; none when nothing is left to guess.
pub(super) fn guess(sight: &Sight<'_>, strength: Strength, chance: &mut Chance) -> Option<Guessed> {
    let letter = match strength {
        Strength::Easy => draw(&roughly(sight), chance),
        Strength::Medium => draw(&in_order(sight), chance),
        Strength::Hard => {
            let words: Vec<&str> = sight.possible().collect();
            if words.len() <= WORDS_SAID
                && let Some(word) = chance.pick(&words)
            {
                return Some(Guessed::Word(Word::from(Arc::from(*word))));
            }
            most_have(sight, &words, chance).or_else(|| english(sight).next())
        }
    };
    letter.map(|letter| Guessed::Letter(letter.char()))
}

/// The word that a setter of this strength sets.
pub(super) fn secret(strength: Strength, chance: &mut Chance) -> Word {
    let words = (0..WORDS_DRAWN).map(|_| Category::any(chance).draw(None, chance));
    let chosen = match strength {
        Strength::Easy => words.min_by_key(|word| {
            let text: &str = word.reveal();
            (text.chars().count() > EASY_CHARS_MAX, lives_lost(text))
        }),
        Strength::Medium => words.last(),
        Strength::Hard => words.max_by_key(|word| lives_lost(word.reveal())),
    };
    chosen.expect("some words were drawn")
}

/// The letters that are left, as English has them most often.
fn english(sight: &Sight<'_>) -> impl Iterator<Item = Letter> {
    let letters = ENGLISH.chars().filter_map(Letter::of);
    letters.filter(|letter| !sight.guessed.contains(*letter))
}

/// Tickets that fall off evenly with the letter's place in English, to one for the last.
fn roughly(sight: &Sight<'_>) -> Vec<(Letter, u32)> {
    let places = (1..).zip(ENGLISH.chars().rev().filter_map(Letter::of));
    let left = places.filter(|(_, letter)| !sight.guessed.contains(*letter));
    left.map(|(tickets, letter)| (letter, tickets)).collect()
}

fn in_order(sight: &Sight<'_>) -> Vec<(Letter, u32)> {
    english(sight).zip(MEDIUM_TICKETS).collect()
}

/// Of the letters that are left one that most of these words have; none if no word has any.
fn most_have(sight: &Sight<'_>, words: &[&str], chance: &mut Chance) -> Option<Letter> {
    let sets: Vec<Letters> = words.iter().map(|word| Letters::of(word)).collect();
    let mut best = (0, Vec::new());
    for letter in sight.untried() {
        let count = sets.iter().filter(|set| set.contains(letter)).count();
        if count > best.0 {
            best = (count, Vec::new());
        }
        if count == best.0 && count > 0 {
            best.1.push(letter);
        }
    }
    chance.pick(&best.1).copied()
}

/// The wrong letters that somebody tries who takes them in the order of English, until the
/// word is found.
fn lives_lost(word: &str) -> usize {
    let letters = Letters::of(word);
    let mut wrong = 0;
    let mut lost = 0;
    for letter in ENGLISH.chars().filter_map(Letter::of) {
        if letters.contains(letter) {
            lost = wrong;
        } else {
            wrong += 1;
        }
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::super::words;
    use super::*;

    /// How many lives a guesser loses until it has found the word, as everybody sees it.
    fn loses(word: &Word, strength: Strength, chance: &mut Chance) -> usize {
        let (mut guessed, mut tried, mut lost) = (Letters::default(), Vec::new(), 0);
        for _ in 0..40 {
            let shown = |(c, letter): (char, Option<Letter>)| {
                letter.is_none_or(|letter| guessed.contains(letter)).then_some(c)
            };
            let pattern: Vec<Option<char>> = word.places().map(shown).collect();
            if pattern.iter().all(Option::is_some) {
                return lost;
            }
            let sight = Sight { pattern, guessed, tried: tried.iter().collect() };
            match guess(&sight, strength, chance).expect("something is hidden") {
                Guessed::Letter(c) => {
                    let letter = Letter::of(c).expect("it guesses letters");
                    assert!(guessed.insert(letter), "{c} was tried before");
                    lost += usize::from(word.count(letter) == 0);
                }
                Guessed::Word(said) if said.sounds_like(word) => return lost,
                Guessed::Word(said) => {
                    lost += 1;
                    tried.push(said);
                }
            }
        }
        panic!("{strength:?} does not come to an end");
    }

    /// All words of our lists.
    fn listed() -> impl Iterator<Item = Word> {
        (0..50).flat_map(words::of_length).map(|text| Word::from(Arc::from(*text)))
    }

    /// In how many of a hundred words each guesser still has one of six lives in the end.
    #[test]
    fn each_guesser_finds_more_than_the_one_before() {
        let found = Strength::ALL.map(|strength| {
            let mut chance = Chance::of(1, 0);
            let all = listed().count();
            listed().filter(|word| loses(word, strength, &mut chance) < 6).count() * 100 / all
        });
        eprintln!("found {found:?}");
        let [easy, medium, hard] = found;
        assert!((10..50).contains(&easy), "easy finds {easy} of 100");
        assert!((easy + 15..90).contains(&medium), "medium finds {medium} of 100");
        assert!(hard > 95, "hard finds {hard} of 100");
    }

    /// Words of no list are found too, by those who know English.
    #[test]
    fn words_that_nobody_listed_are_not_beyond_a_guesser() {
        let words = ["sherbet", "kestrels on roofs", "aerial", "ransom note", "crème anglaise"];
        let words = words.map(|text| Word::from(Arc::from(text)));
        let mut chance = Chance::of(1, 0);
        let found = words.iter().filter(|word| loses(word, Strength::Hard, &mut chance) < 6);
        assert!(found.count() >= 3);
    }

    /// How many lives somebody loses on average, in hundredths, at the words of each setter.
    #[test]
    fn each_setter_sets_harder_words_than_the_one_before() {
        let mut chance = Chance::of(5, 0);
        let [easy, medium, hard] = Strength::ALL.map(|strength| {
            let words = (0..300).map(|_| secret(strength, &mut chance)).collect::<Vec<_>>();
            let lost = words.iter().map(|word| loses(word, Strength::Medium, &mut chance));
            lost.sum::<usize>() / 3
        });
        eprintln!("lost {easy} {medium} {hard}");
        assert!(easy + 100 < medium && medium + 100 < hard, "{easy} {medium} {hard}");
    }

    #[test]
    fn what_a_word_costs_is_counted_in_the_order_of_english() {
        // e; e a r; e a r (i) o; all there is.
        for (word, lost) in [("e", 0), ("are", 0), ("oar", 2), ("quiz", 22), ("", 0)] {
            assert_eq!(lives_lost(word), lost, "{word}");
        }
    }

    #[test]
    fn english_has_each_letter_once() {
        assert_eq!(ENGLISH.len(), 26);
        assert!(Letter::all().all(|letter| ENGLISH.contains(letter.char())));
    }
}
