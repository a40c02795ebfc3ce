//! Which names are easily taken for each other.
//!
//! The key of a name is what is left when capitals, accents, blanks, widths and
//! styles are gone and characters that look alike are one: "Ann", "ANN", "Änn",
//! "Аnn" with a Cyrillic A and a bold "𝐀𝐧𝐧" have one key. It says alike too often
//! rather than too rarely: "I", "l", "i" and "1" are one.
//!
//! The table behind it is frozen: replicas may decide by it while they apply the
//! log. It was made from Unicode's data of confusables (UTS 39), its compatibility
//! decompositions and its cases, by `cargo test -p hangraft-text -- --ignored`.
//! A table that is made anew gives old logs another meaning; it needs another name.

use std::sync::LazyLock;

/// A key, then the characters that have it: hexadecimal numbers and ranges of them.
const TABLE: &str = include_str!("alike.txt");

/// Characters from the first to the last have this key.
type Alike = (u32, u32, &'static str);

static KEYS: LazyLock<Vec<Alike>> = LazyLock::new(|| {
    let mut keys: Vec<Alike> = TABLE.lines().flat_map(keys_of).collect();
    keys.sort_unstable();
    keys
});

fn keys_of(line: &'static str) -> impl Iterator<Item = Alike> {
    let (key, ranges) = line.split_once(' ').expect("a test reads every line");
    ranges.split(' ').map(move |range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let number = |hex| u32::from_str_radix(hex, 16).expect("a test reads every line");
        (number(first), number(last), key)
    })
}

/// A key that is equal for names that are easily taken for each other. It depends
/// on nothing but the name, and never changes: the same in every build.
pub fn confusable_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for c in name.chars() {
        match find(u32::from(c)) {
            Some(alike) => key.push_str(alike),
            None => key.push(c),
        }
    }
    key
}

fn find(c: u32) -> Option<&'static str> {
    let place = KEYS.partition_point(|(first, ..)| *first <= c).checked_sub(1)?;
    let (_, last, key) = KEYS[place];
    (c <= last).then_some(key)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Write;

    use icu_properties::CodePointMapData;
    use icu_properties::props::Script;
    use unicode_normalization::UnicodeNormalization;
    use unicode_security::confusable_detection::skeleton;

    use super::*;
    use crate::seen::Sight;

    /// What the table was when it was frozen.
    const FROZEN: u32 = 0x5d6e_e3a6;

    #[test]
    fn the_table_is_the_one_that_was_frozen() {
        let sum = TABLE
            .bytes()
            .fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        assert_eq!(sum, FROZEN, "{sum:#x}");
        assert!(KEYS.windows(2).all(|pair| pair[0].1 < pair[1].0), "a character has two keys");
    }

    #[test]
    fn names_that_look_alike_have_one_key() {
        for alike in [
            &["Ann", "ann", "ANN", "Änn", "A\u{308}nn", "Аnn", "Ａｎｎ", "𝐀𝐧𝐧", "A n n", "ᴀnn"][..],
            &["Bill", "Bi11", "BiIl", "BILL", "B\u{131}ll", "Вill", "Bi||"],
            &["straße", "STRASSE", "STRAẞE"],
            &["İnci", "inci", "INCI", "ınci"],
            &["Zoe", "Zoë", "Ζοe", "Z0e", "Ｚｏｅ"],
            &["Hans", "Ηаns", "Нans"],
            &["Tom", "Torn"],
            &["мир", "МИР"],
            &["علی\u{200c}رضا", "علیرضا"],
            &["김철수", "김 철수"],
        ] {
            for name in alike {
                let (one, other) = (confusable_key(alike[0]), confusable_key(name));
                assert_eq!(one, other, "{} and {name}", alike[0]);
                assert_eq!(confusable_key(&other), other, "{name}");
            }
        }
    }

    #[test]
    fn names_that_differ_have_keys_that_differ() {
        let names = [
            "Ann",
            "Anna",
            "Ben",
            "Cat",
            "Guest 1234",
            "Guest 1235",
            "Зоя",
            "김철수",
            "김철호",
            "राम",
            "रोम",
            "🦉",
            "🦊",
            "สมชาย",
            "สมชัย",
            "O'Brien",
            "Obrien!",
        ];
        for (at, one) in names.iter().enumerate() {
            for other in &names[at + 1..] {
                assert_ne!(confusable_key(one), confusable_key(other), "{one} and {other}");
            }
        }
    }

    /// A key is its own key, for every character there is.
    #[test]
    fn keys_are_final() {
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let key = confusable_key(c.encode_utf8(&mut [0; 4]));
            assert_eq!(confusable_key(&key), key, "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    #[ignore = "makes the table anew; see the top of the file"]
    fn write_the_table() {
        let mut table: BTreeMap<String, Vec<(u32, u32)>> = BTreeMap::new();
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let key = compute(c);
            if key == c.to_string() {
                continue;
            }
            let ranges = table.entry(key).or_default();
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == u32::from(c) => *last += 1,
                _ => ranges.push((u32::from(c), u32::from(c))),
            }
        }
        let mut text = String::new();
        for (key, ranges) in table {
            assert!(!key.contains(char::is_whitespace), "{key:?}");
            text.push_str(&key);
            for (first, last) in ranges {
                write!(text, " {first:X}").unwrap();
                if last > first {
                    write!(text, "-{last:X}").unwrap();
                }
            }
            text.push('\n');
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/alike.txt");
        std::fs::write(path, text).unwrap();
    }

    fn compute(c: char) -> String {
        let mut key = c.to_string();
        // Syllables of Hangul are what they are; taken apart they say nothing more.
        if ('\u{ac00}'..='\u{d7a3}').contains(&c) {
            return key;
        }
        for _ in 0..12 {
            let plain: String = key.nfkd().filter(|c| !passes_unseen(*c)).collect();
            let plain: String = plain.chars().map(of_one_case).collect();
            let bare = skeleton(&plain);
            let bare: String = bare.filter(|c| !passes_unseen(*c)).map(of_small_capital).collect();
            let next = bare.to_lowercase().replace(['i', '|'], "l").replace('0', "o");
            if next == key {
                return key;
            }
            key = next;
        }
        panic!("U+{:04X} finds no end", u32::from(c));
    }

    /// Small, unless it is the capital that looks like one of ours: a Greek Eta is an H.
    fn of_one_case(c: char) -> String {
        let upper = String::from_iter(c.to_uppercase());
        for seen in [c.to_string(), upper.clone()] {
            let seen = String::from_iter(skeleton(&seen));
            if seen.len() == 1 {
                return seen.to_lowercase();
            }
        }
        if upper.chars().count() > 1 { upper.to_lowercase() } else { c.to_lowercase().collect() }
    }

    /// Letters of phonetics that people write names with; Unicode's data leave them out.
    fn of_small_capital(c: char) -> char {
        let capitals = "ᴀaʙbᴅdᴇeꜰfɢgʜhɪiᴊjʟlᴍmɴnᴘpʀrᴛtʏy".chars().collect::<Vec<_>>();
        capitals.chunks(2).find(|pair| pair[0] == c).map_or(c, |pair| pair[1])
    }

    /// Blanks, what is ignored, and accents; vowels that are marks say another word.
    fn passes_unseen(c: char) -> bool {
        match Sight::of(c) {
            Sight::Blank | Sight::Ignored | Sight::Turning => true,
            Sight::Mark { .. } => matches!(
                CodePointMapData::<Script>::new().get(c),
                Script::Inherited
                    | Script::Common
                    | Script::Latin
                    | Script::Greek
                    | Script::Cyrillic
                    | Script::Hebrew
                    | Script::Arabic
                    | Script::Syriac
            ),
            _ => false,
        }
    }
}
