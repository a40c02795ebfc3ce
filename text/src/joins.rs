//! Characters without a form of their own, and the places where they do something.
//!
//! Between the right neighbours they are part of how people write: the joiners of
//! emoji and of Persian, Malayalam or Sinhala, the selectors that make a heart red
//! or give a name its own form of a Han character, the tags of flags. Anywhere else
//! they are left out.

use icu_properties::props::{
    CanonicalCombiningClass, Emoji, EmojiModifier, GeneralCategory, JoiningType, Script,
};
use icu_properties::{CodePointMapData, CodePointSetData};

use crate::seen::{Sight, is_pictograph};

const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';
const SPACE_WITHOUT_WIDTH: char = '\u{200b}';
const TEXT_STYLE: char = '\u{fe0e}';
const EMOJI_STYLE: char = '\u{fe0f}';
const BLACK_FLAG: char = '\u{1f3f4}';
const TAG_END: char = '\u{e007f}';
const MONGOLIAN_VOWEL_SEPARATOR: char = '\u{180e}';

/// Letters and digits that say whose flag it is. Longer ones are of no region.
const FLAG_TAGS_MAX: usize = 6;

/// The text without what is not seen and does nothing where it stands.
pub(crate) fn without_idle(text: &[char]) -> Vec<char> {
    let mut kept = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(c) = text.get(at) {
        let behind = &text[at + 1..];
        let length = match Sight::of(*c) {
            Sight::Ignored => useful(&kept, *c, behind),
            _ => 1,
        };
        kept.extend(&text[at..at + length]);
        at += length.max(1);
    }
    kept
}

/// How many characters from `c` on do something behind `before`; 0 for none.
fn useful(before: &[char], c: char, behind: &[char]) -> usize {
    let last = before.last().copied();
    let of = |wanted: fn(char) -> bool| usize::from(last.is_some_and(wanted));
    match c {
        JOINER => usize::from(joins_pictures(before, behind) || joins_letters(before, behind)),
        NON_JOINER => usize::from(joins_letters(before, behind)),
        SPACE_WITHOUT_WIDTH => usize::from(parts_words(last, behind.first().copied())),
        TEXT_STYLE | EMOJI_STYLE => of(has_two_styles),
        '\u{e0100}'..='\u{e01ef}' | '\u{fe00}'..='\u{fe02}' => of(is_han),
        '\u{180b}'..='\u{180d}' | '\u{180f}' | MONGOLIAN_VOWEL_SEPARATOR => of(is_mongolian),
        _ if last == Some(BLACK_FLAG) => flag_tags(c, behind),
        _ => 0,
    }
}

/// Between two pictures, the first perhaps with a colour and a style.
fn joins_pictures(before: &[char], behind: &[char]) -> bool {
    let dressing = |c: &&char| **c == EMOJI_STYLE || is_modifier(**c);
    let bare = before.iter().rev().find(|c| !dressing(c));
    let dressed = before.iter().rev().take_while(dressing).count();
    dressed <= 2
        && bare.is_some_and(|c| is_pictograph(*c))
        && behind.first().is_some_and(|c| is_pictograph(*c))
}

/// Where letters are joined by a virama, or are joined as in Arabic.
fn joins_letters(before: &[char], behind: &[char]) -> bool {
    let (last, next) = (before.last().copied(), behind.first().copied());
    if last.is_some_and(is_virama) {
        return true;
    }
    if next.is_some_and(is_virama) {
        return last.is_some_and(is_letter_or_mark);
    }
    let joining = |c: &char| {
        use JoiningType as Joining;
        match CodePointMapData::<Joining>::new().get(*c) {
            Joining::DualJoining | Joining::LeftJoining | Joining::RightJoining => Some(true),
            Joining::Transparent if matches!(Sight::of(*c), Sight::Mark { .. }) => None,
            _ => Some(false),
        }
    };
    let before = before.iter().rev().find_map(joining);
    match behind.iter().find_map(joining) {
        Some(behind) => before == Some(true) && behind,
        // At the end it still gives the letter before it another form.
        None => before == Some(true) && last.is_some_and(is_letter_or_mark),
    }
}

/// Scripts that write words without blanks mark where a line may end.
fn parts_words(last: Option<char>, next: Option<char>) -> bool {
    let blankless = |c: char| {
        matches!(
            CodePointMapData::<Script>::new().get(c),
            Script::Khmer | Script::Lao | Script::Myanmar | Script::Thai
        )
    };
    last.is_some_and(blankless) && next.is_some_and(blankless)
}

/// The tags that follow, if they name a region and end.
fn flag_tags(first: char, behind: &[char]) -> usize {
    let named = |c: &&char| matches!(**c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    if !named(&&first) {
        return 0;
    }
    let more = behind.iter().take_while(named).count();
    let ends = behind.get(more) == Some(&TAG_END);
    if ends && more < FLAG_TAGS_MAX { more + 2 } else { 0 }
}

fn has_two_styles(c: char) -> bool {
    CodePointSetData::new::<Emoji>().contains(c)
}

fn is_modifier(c: char) -> bool {
    CodePointSetData::new::<EmojiModifier>().contains(c)
}

fn is_virama(c: char) -> bool {
    CodePointMapData::<CanonicalCombiningClass>::new().get(c) == CanonicalCombiningClass::Virama
}

fn is_han(c: char) -> bool {
    CodePointMapData::<Script>::new().get(c) == Script::Han
}

fn is_mongolian(c: char) -> bool {
    let letter = CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::OtherLetter;
    letter && CodePointMapData::<Script>::new().get(c) == Script::Mongolian
}

fn is_letter_or_mark(c: char) -> bool {
    match Sight::of(c) {
        Sight::Mark { .. } => true,
        Sight::Seen => c.is_alphabetic(),
        _ => false,
    }
}
