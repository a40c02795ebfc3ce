//! Which letters English words have beside others: a guesser's feeling for what may stand in
//! a hidden place when it does not know the word.
//!
//! Counted once in all words of our lists, pair by pair; a blank, a hyphen and the ends of a
//! word are an edge. How likely a letter is between two others follows from the two pairs
//! (a Markov chain of the first order).

use std::sync::LazyLock;

use super::letters::{Letter, Letters};
use super::words;

/// The letters, and the edge of a word as the last.
const SIGNS: usize = 27;
const EDGE: usize = 26;

/// A pair that was counted weighs as much as so many times the letter alone. What was never
/// seen beside a letter is unlikely there, not impossible.
const PAIR_WEIGHT: u64 = 500;

/// How often a sign stands before another.
type Pairs = [[u64; SIGNS]; SIGNS];

/// For each letter that was not guessed in how many of the hidden places it is to be
/// expected, in thousandths; 0 for the others.
pub(super) fn expected_permille(pattern: &[Option<char>], guessed: Letters) -> [u64; EDGE] {
    let signs: Vec<Option<usize>> = pattern.iter().map(|shown| shown.map(sign)).collect();
    let mut expected = [0; EDGE];
    for (at, _) in signs.iter().enumerate().filter(|(_, sign)| sign.is_none()) {
        let before = if at == 0 { Some(EDGE) } else { signs[at - 1] };
        let behind = signs.get(at + 1).copied().unwrap_or(Some(EDGE));
        let weights = weights(before, behind, guessed);
        let all: u64 = weights.iter().sum();
        for (expected, weight) in expected.iter_mut().zip(weights) {
            *expected += weight * 1000 / all.max(1);
        }
    }
    expected
}

/// How likely each letter is between these two signs, as far as they are known, compared
/// with the others that were not guessed.
fn weights(before: Option<usize>, behind: Option<usize>, guessed: Letters) -> [u64; EDGE] {
    let mut weights = [0; EDGE];
    for (letter, weight) in Letter::all().zip(&mut weights) {
        if guessed.contains(letter) {
            continue;
        }
        let (pairs, here) = (&*PAIRS, index(letter));
        let alone: u64 = pairs[here].iter().sum();
        let beside = |count: Option<u64>| match count {
            Some(count) => PAIR_WEIGHT * count + alone,
            None => alone,
        };
        let before = beside(before.map(|before| pairs[before][here]));
        let behind = beside(behind.map(|behind| pairs[here][behind]));
        *weight = before * behind / alone.max(1);
    }
    weights
}

static PAIRS: LazyLock<Pairs> = LazyLock::new(|| {
    let mut pairs = [[0; SIGNS]; SIGNS];
    for word in words::parts() {
        let mut before = EDGE;
        for here in word.text.chars().map(sign).chain([EDGE]) {
            pairs[before][here] += 1;
            before = here;
        }
    }
    pairs
});

fn sign(c: char) -> usize {
    Letter::of(c).map_or(EDGE, index)
}

fn index(letter: Letter) -> usize {
    usize::from(letter.byte() - b'a')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likeliest(pattern: &str, guessed: &str) -> char {
        let pattern: Vec<Option<char>> = pattern.chars().map(|c| (c != '_').then_some(c)).collect();
        let expected = expected_permille(&pattern, Letters::of(guessed));
        let best = (0..EDGE).max_by_key(|place| expected[*place]).expect("there are letters");
        char::from(b'a' + best as u8)
    }

    #[test]
    fn a_letter_is_expected_where_english_has_it() {
        assert_eq!(likeliest("q_", "q"), 'u');
        assert_eq!(likeliest("flyi_g", "flyig"), 'n');
        assert_eq!(likeliest("_tring", "tring"), 's');
        assert_eq!(likeliest("____", ""), 'e');
    }

    #[test]
    fn what_was_guessed_is_expected_nowhere_and_all_places_are_shared_out() {
        let expected = expected_permille(&[None, Some('é'), None, Some('-')], Letters::of("eaz"));
        for (letter, expected) in Letter::all().zip(expected) {
            assert!(expected == 0 || !"eaz".contains(letter.char()), "{letter:?}");
        }
        assert!((1900..=2000).contains(&expected.iter().sum::<u64>()), "{expected:?}");
        assert_eq!(expected_permille(&[], Letters::default()), [0; EDGE]);
    }
}
