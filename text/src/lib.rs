//! What people type to be shown to others: names and lines of chat.
//!
//! One rule for both, applied where text enters: in the frontend's session, and
//! in a node before it proposes, so that no hostile frontend gets round it.
//!
//! * What cannot be seen and does nothing where it stands is left out: joiners
//!   that join nothing, soft hyphens, byte order marks, fillers, stray tags.
//! * What turns the text around it, controls, private and unassigned characters,
//!   and marks that stand on nothing are refused.
//! * Something must be left that can be seen.
//! * Text is composed (NFC), so that an accent typed apart stays with its letter.
//! * Lengths are counted in what people take for one character (a grapheme
//!   cluster), and each of those is bounded, as are the bytes of the whole.
//!
//! The rule leans on Unicode's tables, which grow with every version. So what it
//! says is never asked again of text that is stored, and replicas never ask it
//! while they apply the log: they only look at bytes. What names look like, for
//! telling them apart, is another matter: [`confusable_key`] never changes.

mod alike;
mod joins;
mod seen;

pub use alike::confusable_key;

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use seen::Sight;

/// Characters in a name, as people count them. A longer one is refused.
pub const NAME_CHARS_MAX: usize = 24;

/// Bytes of a name. A longer one is refused: room for twenty-four letters of any
/// script, with marks, or for some ten flags.
pub const NAME_BYTES_MAX: usize = 256;

/// Characters in a line of chat, as people count them. A longer one is refused.
pub const LINE_CHARS_MAX: usize = 500;

/// Bytes of a line of chat. A longer one is refused.
pub const LINE_BYTES_MAX: usize = 2_000;

/// Code points in what is counted as one character; the longest emoji in use have
/// ten. One with more is refused: it would be one character of any width or height.
const CLUSTER_MAX: usize = 12;

/// Marks above, below or around one letter, after composing. More are refused:
/// they would reach into the lines above and below.
const STACKED_MAX: usize = 4;

/// Marks of all kinds behind one letter. More are refused.
const MARKS_MAX: usize = 6;

/// Why a text cannot be shown to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {why}")]
pub struct Unfit {
    what: What,
    why: Why,
}

/// What a text is meant to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Name,
    Line,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Why {
    #[error("must not be empty")]
    Empty,
    #[error("has nothing in it that can be seen")]
    Unseen,
    #[error("has at most {0} characters")]
    TooLong(usize),
    #[error("has at most {0} bytes")]
    TooManyBytes(usize),
    #[error("must not hold control characters or line breaks")]
    Control,
    #[error("must not hold characters that turn the text around")]
    Turning,
    #[error("is made of characters that everybody can see")]
    Unknown,
    #[error("must not hold an accent that stands on no letter")]
    StrayMark,
    #[error("must not hold a letter with more than {STACKED_MAX} accents")]
    TooManyMarks,
    #[error("must not hold a character that is made of more than {CLUSTER_MAX}")]
    HugeCluster,
}

impl Unfit {
    /// It is longer than it may be; all else is a matter of what it is made of.
    pub fn is_too_long(self) -> bool {
        matches!(self.why, Why::TooLong(_) | Why::TooManyBytes(_))
    }

    /// There was nothing but blanks.
    pub fn is_empty(self) -> bool {
        self.why == Why::Empty
    }
}

impl What {
    fn limits(self) -> (usize, usize) {
        match self {
            What::Name => (NAME_CHARS_MAX, NAME_BYTES_MAX),
            What::Line => (LINE_CHARS_MAX, LINE_BYTES_MAX),
        }
    }
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            What::Name => "a name",
            What::Line => "a line of chat",
        })
    }
}

/// A name as it is shown to others: trimmed, composed, one blank between words.
///
/// # Errors
///
/// When it cannot be shown to others, or is too long.
pub fn name(typed: &str) -> Result<String, Unfit> {
    tidy(What::Name, typed)
}

/// A line of chat as it is shown to others: trimmed and composed.
///
/// # Errors
///
/// When it cannot be shown to others, or is too long.
pub fn line(typed: &str) -> Result<String, Unfit> {
    tidy(What::Line, typed)
}

fn tidy(what: What, typed: &str) -> Result<String, Unfit> {
    let unfit = |why| Unfit { what, why };
    let (chars_max, bytes_max) = what.limits();
    let typed = typed.trim_matches(|c| seen::is_blank(c) || c.is_whitespace());
    // Before any work is done on it; composing never makes a text this much longer.
    if typed.len() > 4 * bytes_max {
        return Err(unfit(Why::TooManyBytes(bytes_max)));
    }
    if typed.is_empty() {
        return Err(unfit(Why::Empty));
    }
    let text = blanks_tidied(what, &composed(typed));
    check_characters(&text).map_err(unfit)?;
    if text.graphemes(true).count() > chars_max {
        return Err(unfit(Why::TooLong(chars_max)));
    }
    if text.len() > bytes_max {
        return Err(unfit(Why::TooManyBytes(bytes_max)));
    }
    check_clusters(&text).map_err(unfit)?;
    Ok(text)
}

/// Composed, and without what cannot be seen and does nothing. Leaving something
/// out may let an accent reach its letter, and that may change what stands next to
/// a joiner: so again, until nothing changes. Each round but the last is shorter.
fn composed(typed: &str) -> String {
    let mut text: Vec<char> = typed.nfc().collect();
    loop {
        let kept = joins::without_idle(&text);
        if kept.len() == text.len() {
            return text.into_iter().collect();
        }
        text = kept.into_iter().nfc().collect();
    }
}

/// Every kind of blank is a space. In a name, one is enough.
fn blanks_tidied(what: What, text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    for c in text.trim_matches(seen::is_blank).chars() {
        match c {
            _ if !seen::is_blank(c) => tidied.push(c),
            _ if what == What::Name && tidied.ends_with(' ') => {}
            // Art in a line of chat is made of these.
            seen::BRAILLE_BLANK if what == What::Line => tidied.push(c),
            _ => tidied.push(' '),
        }
    }
    tidied
}

fn check_characters(text: &str) -> Result<(), Why> {
    let mut anything = false;
    // What marks stand on: none at the start and behind a blank.
    let mut base = None;
    for c in text.chars() {
        match Sight::of(c) {
            Sight::Seen => {
                anything = true;
                base = Some((0, 0));
            }
            Sight::Blank => base = None,
            // Where it stands it does something, or it would have been left out.
            Sight::Ignored => {}
            Sight::Mark { stacked } => {
                let (all, high) = base.as_mut().ok_or(Why::StrayMark)?;
                *all += 1;
                *high += usize::from(stacked);
                if *all > MARKS_MAX || *high > STACKED_MAX {
                    return Err(Why::TooManyMarks);
                }
            }
            Sight::Control => return Err(Why::Control),
            Sight::Turning => return Err(Why::Turning),
            Sight::Unknown => return Err(Why::Unknown),
        }
    }
    if anything { Ok(()) } else { Err(Why::Unseen) }
}

fn check_clusters(text: &str) -> Result<(), Why> {
    let huge = |cluster: &str| cluster.chars().count() > CLUSTER_MAX;
    if text.graphemes(true).any(huge) { Err(Why::HugeCluster) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(text: Result<String, Unfit>) -> String {
        text.unwrap_or_else(|unfit| unfit.to_string())
    }

    /// People are called what they are called.
    #[test]
    fn names_of_all_peoples_are_taken_as_they_are() {
        for name in [
            "Ann",
            "Зоя 🦉",
            "José",
            "Nguyễn Thị Ánh",
            "علی‌رضا",
            "می‌خواهم",
            "ه‍",
            "محمد",
            "مُحَمَّد",
            "שָׁלוֹם",
            "അവന്‍",
            "ശ്രീകുമാര്‍",
            "അന്‍വര്‍",
            "क्षत्रिय",
            "क्‍ष",
            "র‍্যাব",
            "ශ්‍රී ලංකා",
            "རྒྱུ",
            "ကျွန်ုပ်",
            "สมชาย",
            "ស្រី",
            "김철수",
            "葛󠄀城",
            "ᠮᠣᠩᠭᠣᠯ",
            "👨‍👩‍👧",
            "👨‍👩‍👧‍👦 family",
            "👩🏻‍❤️‍💋‍👩🏼",
            "🏳️‍🌈",
            "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
            "🇨🇭",
            "1️⃣",
            "❤️",
            "☺",
            "O'Brien-Smith",
            "...",
            "#1",
        ] {
            assert_eq!(super::name(name).as_deref(), Ok(name), "{}", name.escape_unicode());
            assert_eq!(super::line(name).as_deref(), Ok(name), "{}", name.escape_unicode());
        }
    }

    /// What is seen as nothing is no name, whatever it is made of.
    #[test]
    fn names_that_are_seen_as_nothing_are_refused() {
        for c in [
            '\u{3164}',
            '\u{2800}',
            '\u{ad}',
            '\u{17b5}',
            '\u{1160}',
            '\u{115f}',
            '\u{ffa0}',
            '\u{fe0f}',
            '\u{e0041}',
            '\u{e007f}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{2060}',
            '\u{2063}',
            '\u{feff}',
            '\u{34f}',
            '\u{180b}',
            '\u{180e}',
            '\u{1d159}',
            '\u{1d173}',
            '\u{e0100}',
            '\u{3000}',
            '\u{a0}',
            '\u{13441}',
            '\u{fffc}',
            '\u{301}',
            '\u{20dd}',
            '\u{fff9}',
            '\u{13430}',
            '\u{1bca0}',
            '\u{fff0}',
            '\u{16fe4}',
            '\u{2065}',
            ' ',
        ] {
            for many in [1, 2, 7, 24] {
                let name = c.to_string().repeat(many);
                assert!(super::name(&name).is_err(), "{}", name.escape_unicode());
                assert!(super::line(&name).is_err(), "{}", name.escape_unicode());
            }
            let padded = format!(" {c}\u{200b}{c} ");
            assert!(super::name(&padded).is_err(), "{}", padded.escape_unicode());
        }
        // No character that is ignored is a name, in any number: the whole kind.
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            if Sight::of(c) != Sight::Seen {
                assert!(super::name(&String::from_iter([c, c])).is_err(), "U+{:04X}", u32::from(c));
            }
        }
    }

    /// An invisible character where it does nothing is left out, not held against anyone.
    #[test]
    fn what_does_nothing_is_left_out() {
        for (typed, shown) in [
            ("  Ann \u{3000}", "Ann"),
            ("Ann\u{a0}\u{2003} Lee", "Ann Lee"),
            ("\u{feff}Ann\u{200b}", "Ann"),
            ("A\u{200d}n\u{200c}n", "Ann"),
            ("An\u{ad}n", "Ann"),
            ("Ann\u{fe0f}", "Ann"),
            ("Ann\u{e0041}\u{e007f}", "Ann"),
            ("Ann\u{2800}", "Ann"),
            ("🦉\u{200d}", "🦉"),
            ("\u{200d}🦉", "🦉"),
            ("e\u{200b}\u{301}", "é"),
            ("Cafe\u{301}", "Café"),
            ("\u{1112}\u{1161}\u{11ab}", "한"),
        ] {
            assert_eq!(told(name(typed)), shown, "{}", typed.escape_unicode());
        }
        assert_eq!(told(line("a   b ")), "a   b");
        assert_eq!(told(line("⠠⠓\u{2800}⠓")), "⠠⠓\u{2800}⠓");
    }

    /// What would reach beyond its place on the screen is refused, and why is said.
    #[test]
    fn what_reaches_beyond_its_place_is_refused() {
        for (typed, why) in [
            ("a\u{202e}b", "a name must not hold characters that turn the text around"),
            ("a\u{2066}b", "a name must not hold characters that turn the text around"),
            ("a\u{200f}b", "a name must not hold characters that turn the text around"),
            ("a\nb", "a name must not hold control characters or line breaks"),
            ("a\u{2028}b", "a name must not hold control characters or line breaks"),
            ("a\u{7}b", "a name must not hold control characters or line breaks"),
            ("a\u{e000}", "a name is made of characters that everybody can see"),
            ("a\u{378}", "a name is made of characters that everybody can see"),
            ("a\u{ffff}", "a name is made of characters that everybody can see"),
            ("\u{301}owl", "a name must not hold an accent that stands on no letter"),
            ("owl \u{301}", "a name must not hold an accent that stands on no letter"),
            ("", "a name must not be empty"),
            (" \u{3000}", "a name must not be empty"),
            ("\u{3164}", "a name has nothing in it that can be seen"),
        ] {
            assert_eq!(told(name(typed)), why, "{}", typed.escape_unicode());
        }
        let zalgo = format!("Z{}", "\u{30d}\u{31b}\u{33c}".repeat(4));
        let why = "must not hold a letter with more than 4 accents";
        assert_eq!(told(name(&zalgo)), format!("a name {why}"));
        assert_eq!(
            told(line(&format!("x{}", "\u{301}".repeat(200)))),
            format!("a line of chat {why}")
        );
        // Nor through joiners in between, or one consonant below the other for ever.
        let joined = format!("\u{645}{}", "\u{64b}\u{200d}".repeat(6));
        assert!(name(&joined).is_err());
        assert!(name(&"\u{915}\u{94d}".repeat(9)).is_err());
        assert!(name(&"👩\u{200d}".repeat(9)).is_err());
        assert!(name(&"\u{1100}".repeat(14)).is_err());
    }

    /// People count characters; we count what they see as one.
    #[test]
    fn length_is_counted_as_people_count() {
        assert!(name(&"é".repeat(24)).is_ok());
        assert!(name(&"e\u{301}".repeat(24)).is_ok());
        assert!(name(&"🇨🇭".repeat(24)).is_ok());
        let unfit = name(&"é".repeat(25)).expect_err("too long");
        assert_eq!(unfit.to_string(), "a name has at most 24 characters");
        assert!(unfit.is_too_long());
        let unfit = name(&"👨‍👩‍👧‍👦".repeat(20)).expect_err("too many bytes");
        assert_eq!(unfit.to_string(), "a name has at most 256 bytes");
        assert!(line(&"🦉".repeat(500)).is_ok());
        assert!(line(&"a".repeat(501)).is_err_and(Unfit::is_too_long));
        assert!(name(&"a".repeat(1 << 20)).is_err_and(Unfit::is_too_long));
    }

    /// Any text, and text made of what is difficult.
    fn hostile() -> impl Strategy<Value = String> {
        let hard: Vec<char> = "aeIßİŉ 한👩🏽❤🏴🇨 1#اعيم\u{64b}\u{651}ക്ന\u{94d}क\u{93c}ᠮ葛ស\u{17d2}สร"
            .chars()
            .chain(
                "\u{301}\u{327}\u{308}\u{345}\u{20e3}\u{200b}\u{200c}\u{200d}\u{200e}\u{202e}\u{ad}"
                    .chars(),
            )
            .chain(
                "\u{fe0f}\u{fe0e}\u{e0100}\u{e0067}\u{e007f}\u{180b}\u{3164}\u{2800}\u{3000}\u{34f}\u{1fef}\u{1161}"
                    .chars(),
            )
            .collect();
        let hard = prop::collection::vec(prop::sample::select(hard), 0..14);
        prop_oneof![
            hard.prop_map(|chars| chars.into_iter().collect::<String>()),
            prop::collection::vec(any::<char>(), 0..10).prop_map(|c| c.into_iter().collect()),
            ".{0,40}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        /// What was found good is good as it is: at the next door nothing changes.
        #[test]
        fn what_is_tidy_stays_as_it_is(typed in hostile()) {
            for rule in [name, line] {
                if let Ok(shown) = rule(&typed) {
                    prop_assert_eq!(rule(&shown), Ok(shown));
                }
            }
        }

        /// Whatever comes through can be seen, and stays in its place.
        #[test]
        fn what_comes_through_is_seen(typed in hostile()) {
            if let Ok(shown) = name(&typed) {
                prop_assert!(shown.chars().any(|c| Sight::of(c) == Sight::Seen));
                prop_assert!(shown.len() <= NAME_BYTES_MAX);
                prop_assert!(shown.trim() == shown && !shown.contains("  "));
                for c in shown.chars() {
                    let sight = Sight::of(c);
                    prop_assert!(!matches!(sight, Sight::Control | Sight::Turning | Sight::Unknown));
                }
            }
        }
    }
}
