//! What a table sees of a hidden word, and whether a guess can be it.
//!
//! Everything here follows from what every guesser sees: the places, what is open
//! in them, and the letters that were guessed. So a guess that is refused tells
//! nobody anything. Only letters count, ligatures spelled out: behind a hidden place
//! there may be one letter or, where it is a ligature, two.

use std::fmt;

use super::letters::{LIGATURES, Letter, Letters, Word};

/// A hidden word as guessers see it.
pub(crate) struct Shape {
    places: Vec<Place>,
    guessed: Letters,
}

/// One place of the word that is a letter.
enum Place {
    Hidden,
    /// What it shows, spelled out.
    Open(Letter, Option<Letter>),
}

/// Why a guess cannot be the word, as far as everybody can see; as players are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// It has another number of letters.
    Length { word: usize, guess: usize },
    /// It has a letter that was guessed and is not in the word.
    Absent(Letter),
    /// It has another letter where one is open, or lacks one.
    Open,
}

impl Shape {
    /// The word when these letters were guessed.
    pub(crate) fn of(word: &Word, guessed: Letters) -> Shape {
        let place = |(c, letter): (char, Option<Letter>)| {
            let letter = letter?;
            if !guessed.contains(letter) {
                return Some(Place::Hidden);
            }
            Letter::spelling(c).map(|(first, second)| Place::Open(first, second))
        };
        Shape { places: word.places().filter_map(place).collect(), guessed }
    }

    /// Why `guess` cannot be the word; none if it may be.
    pub(crate) fn misfit(&self, guess: &Word) -> Option<Misfit> {
        let letters: Vec<Letter> = guess.spelled().collect();
        if self.admits(&letters) {
            return None;
        }
        let unknown = Shape {
            places: self.places.iter().map(|_| Place::Hidden).collect(),
            guessed: Letters::default(),
        };
        if !unknown.admits(&letters) {
            return Some(Misfit::Length { word: self.places.len(), guess: letters.len() });
        }
        let absent = letters.iter().find(|letter| self.is_absent(**letter));
        Some(absent.map_or(Misfit::Open, |letter| Misfit::Absent(*letter)))
    }

    /// Whether the letters can be laid into the places, one after the other.
    fn admits(&self, letters: &[Letter]) -> bool {
        // How many letters may have been laid so far.
        let mut laid = vec![false; letters.len() + 1];
        laid[0] = true;
        for place in &self.places {
            let mut next = vec![false; letters.len() + 1];
            for at in (0..letters.len()).filter(|at| laid[*at]) {
                let second = letters.get(at + 1).copied();
                next[at + 1] |= self.takes(place, letters[at], None);
                if let Some(second) = second {
                    next[at + 2] |= self.takes(place, letters[at], Some(second));
                }
            }
            laid = next;
        }
        laid[letters.len()]
    }

    fn takes(&self, place: &Place, first: Letter, second: Option<Letter>) -> bool {
        match (place, second) {
            (Place::Open(one, other), _) => (*one, *other) == (first, second),
            (Place::Hidden, None) => !self.guessed.contains(first),
            (Place::Hidden, Some(second)) => {
                let together = [first, second].map(Letter::byte);
                !self.guessed.contains(first) && LIGATURES.iter().any(|(_, two)| *two == together)
            }
        }
    }

    /// Guessed, and nowhere to be seen.
    fn is_absent(&self, letter: Letter) -> bool {
        let shows = |place: &Place| match place {
            Place::Open(first, second) => *first == letter || *second == Some(letter),
            Place::Hidden => false,
        };
        self.guessed.contains(letter) && !self.places.iter().any(shows)
    }
}

impl fmt::Display for Misfit {
    /// Says nothing that is not seen, and of what was typed no more than a letter that was
    /// guessed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::Length { word, guess: 1 } => {
                write!(f, "the word has {word} letters; guess a single one as a letter")
            }
            Misfit::Length { word, guess } => {
                let letters = if *word == 1 { "letter" } else { "letters" };
                write!(
                    f,
                    "the word has {word} {letters}, and that one has {guess}; no life is lost"
                )
            }
            Misfit::Absent(letter) => {
                write!(f, "there is no '{}' in the word; no life is lost", letter.char())
            }
            Misfit::Open => {
                write!(f, "that does not fit the letters that are open; no life is lost")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::command::Edition;

    fn word(text: &str) -> Word {
        Word::typed(text, Edition::Second).expect("a good word")
    }

    fn guessed(letters: &str) -> Letters {
        let mut guessed = Letters::default();
        for letter in letters.chars().filter_map(Letter::of) {
            guessed.insert(letter);
        }
        guessed
    }

    fn misfit(secret: &str, letters: &str, guess: &str) -> Option<Misfit> {
        Shape::of(&word(secret), guessed(letters)).misfit(&word(guess))
    }

    #[test]
    fn what_cannot_be_right_is_known_by_what_is_seen() {
        let absent = |c| Some(Misfit::Absent(Letter::of(c).expect("a letter")));
        for (secret, letters, guess, expected) in [
            ("kanna kamui", "", "k", Some(Misfit::Length { word: 10, guess: 1 })),
            ("kanna kamui", "", "kanna kamu", Some(Misfit::Length { word: 10, guess: 9 })),
            ("kanna kamui", "", "kanna kamuis", Some(Misfit::Length { word: 10, guess: 11 })),
            ("kanna kamui", "", "hanna-montu", None),
            ("kanna kamui", "k", "hanna montu", Some(Misfit::Open)),
            ("kanna kamui", "kx", "kaxna kamui", absent('x')),
            // An open letter is in all of its places, and nowhere else.
            ("kanna kamui", "a", "kanna kamua", Some(Misfit::Open)),
            ("kanna kamui", "a", "kannu kamai", Some(Misfit::Open)),
            ("kanna kamui", "ak", "kanna kamui", None),
            ("a", "", "b", None),
            ("a", "", "bb", Some(Misfit::Length { word: 1, guess: 2 })),
            // What stands between the letters never mattered.
            ("rock'n'roll", "o", "rock n roll", None),
            ("crème brûlée", "e", "CREME BRULEE", None),
            ("creme brulee", "", "crème-brûlée", None),
        ] {
            assert_eq!(misfit(secret, letters, guess), expected, "{secret} {letters} {guess}");
        }
    }

    /// A place may hide a ligature, and who spells it out, or not, is not turned away.
    #[test]
    fn ligatures_may_be_spelled_either_way() {
        for (secret, letters, guess, fits) in [
            ("straße", "", "strasse", true),
            ("straße", "s", "strasse", true),
            ("straße", "s", "straße", true),
            ("strasse", "", "straße", true),
            ("strasse", "s", "straße", true),
            ("ægir", "e", "aegir", true),
            ("ægir", "a", "aegir", true),
            ("þing", "h", "thing", true),
            // Six places are seen; seven letters fit only if one of them may hide two.
            ("strabe", "", "strasse", true),
            ("strabe", "", "stranke", false),
            ("strabe", "s", "strasse", false),
        ] {
            assert_eq!(
                misfit(secret, letters, guess).is_none(),
                fits,
                "{secret} {letters} {guess}"
            );
        }
    }

    proptest! {
        /// The word itself always fits, however it is typed and whatever is open.
        #[test]
        fn the_right_word_is_never_refused(
            secret in "[a-zßæœþéł '-]{1,12}[a-z]",
            letters in "[a-z]{0,12}",
            spelled_out in any::<bool>(),
        ) {
            let plain: String = word(&secret).spelled().map(Letter::char).collect();
            let guess = if spelled_out { plain } else { secret.clone() };
            prop_assert_eq!(misfit(&secret, &letters, &guess), None);
        }

        /// Two words that look the same to the table have the same answer.
        #[test]
        fn a_refusal_tells_nothing_that_is_not_seen(
            one in "[ab]{3}[a-h]{3}",
            other in "[ab]{3}[a-h]{3}",
            letters in "[ac-h]{0,4}",
            guess in "[a-h]{5,7}",
        ) {
            let seen = |secret: &str| -> Vec<Option<char>> {
                let open = guessed(&letters);
                let places = word(secret);
                places.places().map(|(c, l)| l.filter(|l| open.contains(*l)).map(|_| c)).collect()
            };
            prop_assume!(seen(&one) == seen(&other));
            prop_assert_eq!(misfit(&one, &letters, &guess), misfit(&other, &letters, &guess));
        }
    }
}
