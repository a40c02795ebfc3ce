//! What guessers know of a hidden word, and which words of our lists it may be.
//!
//! Bots that guess, and what is said of how lucky a guess was, rest on this and on nothing
//! else: who has it in hand cannot know more than a guesser sees.

use super::letters::{Letter, Letters, Word};
use super::words::{self, Listed};

/// A round as guessers see it.
pub(super) struct Sight<'a> {
    /// Each place: what is shown there, or none while it is hidden.
    pub(super) pattern: Vec<Option<char>>,
    /// The letters that were guessed, right and wrong.
    pub(super) guessed: Letters,
    /// The words that were tried, and are not it.
    pub(super) tried: Vec<&'a Word>,
}

impl Sight<'_> {
    /// The words of our lists that it may be: at most those of the same length.
    pub(super) fn possible(&self) -> impl Iterator<Item = Listed> {
        let words = words::of_length(self.pattern.len());
        let shown = shown(&self.pattern);
        let words = words.iter().filter(move |word| self.admits(&self.pattern, shown, word));
        words.filter(|word| !self.has_tried(word)).copied()
    }

    /// The single words of our lists that may stand in each part of the pattern, between
    /// what is not a letter; parts that are all open are left out.
    pub(super) fn possible_parts(&self) -> impl Iterator<Item = Vec<Listed>> {
        let is_edge = |shown: &Option<char>| shown.is_some_and(|c| Letter::of(c).is_none());
        let hidden = |part: &&[Option<char>]| part.iter().any(Option::is_none);
        self.pattern.split(is_edge).filter(hidden).map(|part| {
            let (words, shown) = (words::parts_of_length(part.len()), shown(part));
            words.iter().filter(|word| self.admits(part, shown, word)).copied().collect()
        })
    }

    /// How many of the possible words have this letter, in thousandths; none if no word of
    /// our lists is possible.
    pub(super) fn permille_with(&self, letter: Letter) -> Option<i32> {
        self.permille(|word| word.letters.contains(letter))
    }

    /// How likely this word is among the possible ones, in thousandths; none if no word of
    /// our lists is possible.
    pub(super) fn permille_of(&self, guess: &Word) -> Option<i32> {
        self.permille(|word| guess.is_spelled(word.text))
    }

    fn permille(&self, is_so: impl Fn(&Listed) -> bool) -> Option<i32> {
        let (mut all, mut so) = (0, 0);
        for word in self.possible() {
            all += 1;
            so += i32::from(is_so(&word));
        }
        (all > 0).then(|| so * 1000 / all)
    }

    /// Whether a word can stand behind these places, which show these letters.
    fn admits(&self, places: &[Option<char>], shown: Letters, word: &Listed) -> bool {
        // Most have a letter that was guessed and is not there, or lack one that is: that
        // is soon seen.
        if word.letters.common(self.guessed) != shown {
            return false;
        }
        places.iter().zip(word.text.chars()).all(|(shown, c)| match shown {
            None => Letter::of(c).is_some_and(|letter| !self.guessed.contains(letter)),
            Some(shown) => *shown == c || is_same_letter(*shown, c),
        })
    }

    fn has_tried(&self, word: &Listed) -> bool {
        self.tried.iter().any(|tried| tried.is_spelled(word.text))
    }
}

/// The letters that are open in these places.
fn shown(places: &[Option<char>]) -> Letters {
    let mut letters = Letters::default();
    for letter in places.iter().flatten().filter_map(|c| Letter::of(*c)) {
        letters.insert(letter);
    }
    letters
}

/// Whether two characters are letters that are spelled alike, such as é and e.
fn is_same_letter(one: char, other: char) -> bool {
    // Two that are of ASCII would be the same character.
    let either = !(one.is_ascii() && other.is_ascii());
    either && Letter::spelling(one).is_some_and(|one| Letter::spelling(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Edition;

    fn word(text: &str) -> Word {
        Word::typed(text, Edition::Second).expect("a good word")
    }

    /// What is seen: `_` is hidden, and these letters were guessed.
    fn possible(pattern: &str, guessed: &str, tried: &[&str]) -> Vec<&'static str> {
        let tried: Vec<Word> = tried.iter().map(|text| word(text)).collect();
        let sight = Sight {
            pattern: pattern.chars().map(|c| (c != '_').then_some(c)).collect(),
            guessed: Letters::of(guessed),
            tried: tried.iter().collect(),
        };
        sight.possible().map(|word| word.text).collect()
    }

    #[test]
    fn a_word_is_possible_if_it_fits_all_that_is_seen() {
        assert_eq!(possible("amél_e", "aeml", &[]), ["amélie"]);
        // As somebody may have typed it.
        assert_eq!(possible("amel_e", "amel", &[]), ["amélie"]);
        assert_eq!(possible("kanna _am__", "kan", &[]), [] as [&str; 0], "m was not guessed");
        assert_eq!(possible("kanna ka___", "kan", &[]), ["kanna kamui"]);
        assert_eq!(possible("kanna ka___", "kanu", &[]), [] as [&str; 0]);
        assert_eq!(possible("kanna ka___", "kan", &["kannakamui"]), [] as [&str; 0]);
        assert_eq!(possible("æ___", "a", &[]), ["ægir"]);
        assert!(!possible("a___", "a", &[]).contains(&"ægir"), "it would show the ligature");
        assert_eq!(possible("_____-____", "", &[]), [] as [&str; 0], "a blank is no hyphen");
        assert!(possible("_____ _____", "", &[]).contains(&"kanna kamui"));
        assert_eq!(possible(&"_".repeat(40), "", &[]), [] as [&str; 0]);
        assert_eq!(possible("", "", &[]), [] as [&str; 0]);
    }

    #[test]
    fn parts_of_a_phrase_are_found_by_themselves() {
        let pattern = "k_nn_ s_ns of x_x_x".chars().map(|c| (c != '_').then_some(c)).collect();
        let sight = Sight { pattern, guessed: Letters::of("knsofx"), tried: vec![] };
        let texts = |part: Vec<Listed>| part.iter().map(|word| word.text).collect();
        let parts: Vec<Vec<&str>> = sight.possible_parts().map(texts).collect();
        assert_eq!(parts.len(), 3, "what is open has no part in it: {parts:?}");
        assert!(parts[0].contains(&"kanna") && parts[2].is_empty(), "{parts:?}");
    }

    #[test]
    fn how_likely_a_guess_is_is_counted_among_the_possible_words() {
        let sight = Sight { pattern: vec![None; 3], guessed: Letters::default(), tried: vec![] };
        let words: Vec<&str> = sight.possible().map(|word| word.text).collect();
        assert!(words.len() >= 3 && words.contains(&"elf"), "{words:?}");
        let count = words.len() as i32;
        let with = words.iter().filter(|word| word.contains('e')).count() as i32;
        let letter = Letter::of('e').expect("a letter");
        assert_eq!(sight.permille_with(letter), Some(with * 1000 / count));
        assert_eq!(sight.permille_of(&word("ELF")), Some(1000 / count));
        assert_eq!(sight.permille_of(&word("owl")), Some(0));
        let none = Sight { pattern: vec![None; 39], guessed: Letters::default(), tried: vec![] };
        assert_eq!((none.permille_with(letter), none.permille_of(&word("owl"))), (None, None));
    }
}
