//! How bots guess, and which words they set.
//!
//! A guesser knows a round as guessers [see](Sight) it, and the same lists as everybody.
//!
//! * *Easy* takes letters nearly in the order of how often English has them.
//! * *Medium* asks for each hidden place what English has beside the letters that are open;
//!   now and then it does as easy does.
//! * *Hard* knows the words of our lists: it takes the letter that most of the possible ones
//!   have, and says the word when hardly another is possible. When none is, it looks for
//!   single words of a phrase, and does as medium does otherwise.
//!
//! A setter draws words from our lists and takes the easiest of them, any, or the hardest:
//! that for which who tries letters in the order of English loses most lives.

use std::sync::Arc;

use super::beside::expected_permille;
use super::guess::Guessed;
use super::letters::{Letter, Letters, Word};
use super::sight::Sight;
use super::words::{Category, Listed};
use crate::chance::Chance;
use crate::rules::duel::Strength;
use crate::rules::lots::{draw, once_in};

/// The letters by how many words of an English dictionary have them, most first (as counted
/// in the Concise Oxford Dictionary).
const ENGLISH: &str = "eariotnslcudpmhgbfywkvxzjq";

/// When so few words are possible, a hard bot says one of them.
const WORDS_SAID: usize = 2;

/// Tickets of the letter that English has most often of those left, and of those behind it,
/// when an easy bot chooses.
const EASY_TICKETS: [u32; 3] = [4, 2, 1];

/// In so many guesses a medium bot makes one as an easy bot does.
const MEDIUM_ERRS: usize = 8;

/// What a single word of a phrase counts for a hard bot, in letters of it that are expected.
const PART_WEIGHT: u64 = 2;

/// Single words of a phrase count in full where so many are possible, and less where fewer
/// are: of few it may be none.
const PART_WORDS: u64 = 5;

/// From so many words a setter chooses.
const WORDS_DRAWN: usize = 12;

/// A word that is easy to find has at most so many characters.
const EASY_CHARS_MAX: usize = 7;

/// What a guesser of this strength guesses; none when nothing is left to guess.
pub(super) fn guess(sight: &Sight<'_>, strength: Strength, chance: &mut Chance) -> Option<Guessed> {
    let letter = match strength {
        Strength::Easy => draw(&in_order(sight), chance),
        Strength::Medium if once_in(MEDIUM_ERRS, chance) => draw(&in_order(sight), chance),
        Strength::Medium => best(sight, expected(sight), chance),
        Strength::Hard => {
            let words: Vec<Listed> = sight.possible().collect();
            match chance.pick(&words).filter(|_| words.len() <= WORDS_SAID) {
                Some(word) => return Some(Guessed::Word(Word::from(Arc::from(word.text)))),
                None if words.is_empty() => best(sight, expected_by_parts(sight), chance),
                None => best(sight, shares(&words), chance),
            }
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

/// The letters that are left and that English has most often, with their tickets.
fn in_order(sight: &Sight<'_>) -> Vec<(Letter, u32)> {
    let letters = ENGLISH.chars().filter_map(Letter::of);
    letters.filter(|letter| !sight.guessed.contains(*letter)).zip(EASY_TICKETS).collect()
}

/// A number for each of the letters, from a to z.
type ByLetter = [u64; 26];

/// How often English leads one to expect each letter in the hidden places.
fn expected(sight: &Sight<'_>) -> ByLetter {
    expected_permille(&sight.pattern, sight.guessed)
}

/// The same, when one also looks for single words that may be part of the phrase.
fn expected_by_parts(sight: &Sight<'_>) -> ByLetter {
    let mut sum = expected(sight);
    for words in sight.possible_parts() {
        let trust = (words.len() as u64).min(PART_WORDS) * PART_WEIGHT;
        for (sum, share) in sum.iter_mut().zip(shares(&words)) {
            *sum += share * trust / PART_WORDS;
        }
    }
    sum
}

/// How many of these words have each letter, in thousandths.
fn shares(words: &[Listed]) -> ByLetter {
    let mut counts = [0; 26];
    for letter in words.iter().flat_map(|word| word.letters.iter()) {
        counts[usize::from(letter.byte() - b'a')] += 1;
    }
    counts.map(|count| count * 1000 / (words.len() as u64).max(1))
}

/// Of the letters that are left one that is liked most; none if none is left.
fn best(sight: &Sight<'_>, liked: ByLetter, chance: &mut Chance) -> Option<Letter> {
    let left = || Letter::all().zip(liked).filter(|(letter, _)| !sight.guessed.contains(*letter));
    let most = left().map(|(_, liked)| liked).max()?;
    let best: Vec<Letter> =
        left().filter(|(_, liked)| *liked == most).map(|(letter, _)| letter).collect();
    chance.pick(&best).copied()
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
        (0..50).flat_map(words::of_length).map(|listed| Word::from(Arc::from(listed.text)))
    }

    /// In how many of a hundred of these words each guesser has one of six lives left when
    /// it has found them.
    fn found(words: &[Word]) -> [usize; 3] {
        Strength::ALL.map(|strength| {
            let mut chance = Chance::of(1, 0);
            let found = words.iter().filter(|word| loses(word, strength, &mut chance) < 6);
            found.count() * 100 / words.len()
        })
    }

    #[test]
    fn each_guesser_finds_more_than_the_one_before() {
        let [easy, medium, hard] = found(&listed().collect::<Vec<_>>());
        assert!((3..15).contains(&easy), "easy finds {easy} of 100");
        assert!((easy + 10..40).contains(&medium), "medium finds {medium} of 100");
        assert!(hard > 95, "hard finds {hard} of 100");
    }

    /// Words of no list, as people think of them, are found too, by those who know English.
    #[test]
    fn words_that_nobody_listed_are_not_beyond_a_guesser() {
        let words = "saturday garden window mountain river holiday question birthday children \
            weather kitchen station machine picture teacher student husband morning evening \
            railway library hospital newspaper elephant's brother yesterday's tomorrow mistake \
            language history painting entertainer restless strangers certainly alone";
        let words: Vec<Word> =
            words.split_whitespace().map(|text| Word::from(Arc::from(text))).collect();
        assert!(words.iter().all(|word| listed().all(|listed| !listed.sounds_like(word))));
        let [easy, medium, hard] = found(&words);
        assert!(easy < medium && hard > 25, "{easy}, {medium} and {hard} of 100 are found");
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
        assert!(easy + 50 < medium && medium + 200 < hard, "{easy} {medium} {hard}");
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
