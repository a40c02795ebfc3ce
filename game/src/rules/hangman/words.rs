//! The words the table draws from, by category.
//!
//! The lists are part of the rules: which word a seed draws depends on every
//! line, so replicas must hold the same lists, and a changed list gives old
//! logs another meaning. `tests/old_bytes.rs` notices.
//!
//! # Not here
//!
//! Lists that differ between builds in one cluster. When a list is to grow
//! while nodes of two builds play together, the entry has to carry which
//! edition of the lists it draws from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use super::letters::{Letters, Word};
use crate::chance::Chance;

/// Every category: its name, and its words, one per line. New ones are added
/// at the end: the place is what snapshots store.
const CATEGORIES: &[(&str, &str)] = &[
    ("animals", include_str!("words/animals.txt")),
    ("food", include_str!("words/food.txt")),
    ("places", include_str!("words/places.txt")),
    ("stories", include_str!("words/stories.txt")),
    ("science", include_str!("words/science.txt")),
    ("sports", include_str!("words/sports.txt")),
    ("household", include_str!("words/household.txt")),
    ("mythology", include_str!("words/mythology.txt")),
    ("music", include_str!("words/music.txt")),
    ("plants", include_str!("words/plants.txt")),
];

/// One of the categories, by its place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub(crate) struct Category(u8);

impl Category {
    /// The category of that name.
    pub(crate) fn named(name: &str) -> Option<Category> {
        let place = CATEGORIES.iter().position(|(known, _)| *known == name)?;
        u8::try_from(place).ok().map(Category)
    }

    /// Any category.
    pub(crate) fn any(chance: &mut Chance) -> Category {
        let places: Vec<u8> = (0..=u8::MAX).take(CATEGORIES.len()).collect();
        Category(chance.pick(&places).copied().unwrap_or_default())
    }

    pub(crate) fn name(self) -> &'static str {
        self.entry().0
    }

    /// A word of this category, other than the one before.
    pub(crate) fn draw(self, before: Option<&Word>, chance: &mut Chance) -> Word {
        let words = self.words();
        let before = before.map(|word| &**word.reveal());
        let place = before.and_then(|before| words.iter().position(|word| *word == before));
        let all_but = words.len() - usize::from(place.is_some());
        let drawn = chance.below(all_but).expect("a test counts the words of every category");
        // As if the word before were not in the list.
        let skipped = place.is_some_and(|place| drawn >= place);
        Word::from(Arc::from(words[drawn + usize::from(skipped)]))
    }

    /// Its words, split once for all.
    fn words(self) -> &'static [&'static str] {
        static WORDS: LazyLock<Vec<Vec<&str>>> =
            LazyLock::new(|| CATEGORIES.iter().map(|(_, words)| words.lines().collect()).collect());
        &WORDS[usize::from(self.0)]
    }

    fn entry(self) -> (&'static str, &'static str) {
        CATEGORIES[usize::from(self.0)]
    }
}

impl TryFrom<u8> for Category {
    type Error = &'static str;

    fn try_from(place: u8) -> Result<Category, &'static str> {
        let known = usize::from(place) < CATEGORIES.len();
        if known { Ok(Category(place)) } else { Err("this build does not know that category") }
    }
}

impl From<Category> for u8 {
    fn from(category: Category) -> u8 {
        category.0
    }
}

/// A word of our lists, or one that is part of a phrase there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed {
    pub(crate) text: &'static str,
    /// The letters by which it is found.
    pub(crate) letters: Letters,
}

/// Words by how many characters they have.
type ByLength = BTreeMap<usize, Vec<Listed>>;

/// All words of so many characters, of whatever category; sorted out once for all.
pub(crate) fn of_length(chars: usize) -> &'static [Listed] {
    static WORDS: LazyLock<ByLength> =
        LazyLock::new(|| by_length(CATEGORIES.iter().flat_map(|(_, words)| words.lines())));
    WORDS.get(&chars).map_or(&[], Vec::as_slice)
}

/// The single words that our words and phrases are made of, each once, the shortest first.
pub(crate) fn parts() -> impl Iterator<Item = Listed> {
    by_parts().values().flatten().copied()
}

/// Of those the ones of so many characters.
pub(crate) fn parts_of_length(chars: usize) -> &'static [Listed] {
    by_parts().get(&chars).map_or(&[], Vec::as_slice)
}

fn by_parts() -> &'static ByLength {
    static PARTS: LazyLock<ByLength> = LazyLock::new(|| {
        let words = CATEGORIES.iter().flat_map(|(_, words)| words.lines());
        let parts = words.flat_map(|word| word.split([' ', '-', '\'']));
        let parts: BTreeSet<&str> = parts.filter(|part| !part.is_empty()).collect();
        by_length(parts.into_iter())
    });
    &PARTS
}

fn by_length(words: impl Iterator<Item = &'static str>) -> ByLength {
    let mut sorted = ByLength::new();
    for text in words {
        let listed = Listed { text, letters: Letters::of(text) };
        sorted.entry(text.chars().count()).or_default().push(listed);
    }
    sorted
}

/// The category names in one line, to tell people what they can choose.
pub(crate) fn choices() -> Arc<str> {
    CATEGORIES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ").into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::letters::{Letter, WORD_CHARS_MAX};
    use super::*;
    use crate::command::Edition;

    /// Words a category has at least.
    const WORDS_MIN: usize = 60;

    fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
        CATEGORIES.iter().flat_map(|(name, text)| text.lines().map(move |line| (*name, line)))
    }

    #[test]
    fn there_are_enough_categories_and_enough_words_in_each() {
        assert!(CATEGORIES.len() >= 8);
        for (name, text) in CATEGORIES {
            assert!(text.lines().count() >= WORDS_MIN, "{name}: {}", text.lines().count());
        }
    }

    #[test]
    fn every_word_can_be_played_and_lies_there_tidily() {
        for (name, line) in all() {
            let word = Word::typed(line, Edition::Second)
                .unwrap_or_else(|why| panic!("{name}: {line}: {why}"));
            assert_eq!(&**word.reveal(), line, "{name}");
        }
    }

    #[test]
    fn no_word_is_listed_twice() {
        let mut seen = BTreeSet::new();
        for (name, line) in all() {
            assert!(seen.insert(line), "{line} is in {name} and once more");
        }
        assert!(seen.contains("kanna kamui"));
    }

    #[test]
    fn every_word_is_found_by_its_length() {
        let of_length = |chars| of_length(chars).iter().map(|listed| listed.text);
        let mut sorted: Vec<&str> = (0..=WORD_CHARS_MAX).flat_map(of_length).collect();
        let mut listed: Vec<&str> = all().map(|(_, line)| line).collect();
        sorted.sort_unstable();
        listed.sort_unstable();
        assert_eq!(sorted, listed);
        assert!(of_length(3).any(|word| word == "elf"));
        assert_eq!(of_length(WORD_CHARS_MAX + 1).count(), 0);
    }

    #[test]
    fn phrases_are_made_of_single_words() {
        let parts: Vec<&str> = parts().map(|part| part.text).collect();
        assert!(parts.iter().all(|part| part.chars().all(|c| Letter::of(c).is_some())));
        for part in ["kanna", "kamui", "s", "misérables"] {
            assert_eq!(parts.iter().filter(|other| **other == part).count(), 1, "{part}");
            let chars = part.chars().count();
            assert!(parts_of_length(chars).iter().any(|other| other.text == part));
        }
    }

    #[test]
    fn the_word_before_is_not_drawn_again() {
        let category = Category::named("animals").expect("a category");
        let mut chance = Chance::of(1, 0);
        let mut before = category.draw(None, &mut chance);
        for _ in 0..2000 {
            let word = category.draw(Some(&before), &mut chance);
            assert_ne!(word, before);
            before = word;
        }
    }
}
