//! What people type: names and lines of chat, as the log brings them.
//!
//! Whether a text can be shown to others is asked before it is logged, by tables of
//! Unicode's that grow (see `hangraft-text`). Here only what never changes is asked:
//! that there is something, and how many bytes it has. A log means the same to every
//! build that applies it.

use crate::answer::Rejection;
use crate::command::Edition;

/// Bytes of a name. A longer one is refused.
const NAME_BYTES_MAX: usize = 256;

/// Bytes of a line of chat. A longer one is refused.
const LINE_BYTES_MAX: usize = 2_000;

/// Characters in a name, and in a line, of the first edition. Longer ones were refused.
const FIRST_NAME_CHARS_MAX: usize = 24;
const FIRST_LINE_CHARS_MAX: usize = 500;

/// Checks a name.
pub(crate) fn name(typed: &str, edition: Edition) -> Result<&str, Rejection> {
    match edition {
        Edition::First => tidy("a name", typed, FIRST_NAME_CHARS_MAX),
        _ => bounded("a name", typed, NAME_BYTES_MAX),
    }
}

/// Checks a line of chat.
pub(crate) fn line(typed: &str, edition: Edition) -> Result<&str, Rejection> {
    match edition {
        Edition::First => tidy("a line of chat", typed, FIRST_LINE_CHARS_MAX),
        _ => bounded("a line of chat", typed, LINE_BYTES_MAX),
    }
}

fn bounded<'a>(what: &str, text: &'a str, bytes_max: usize) -> Result<&'a str, Rejection> {
    match text.len() {
        0 => Err(Rejection::bad_request(format!("{what} must not be empty"))),
        bytes if bytes > bytes_max => {
            Err(Rejection::too_large(format!("{what} has at most {bytes_max} bytes")))
        }
        _ => Ok(text),
    }
}

/// What the first edition asked, and trimmed.
fn tidy<'a>(what: &str, typed: &'a str, chars_max: usize) -> Result<&'a str, Rejection> {
    let text = typed.trim();
    if text.chars().all(is_blank) {
        return Err(Rejection::bad_request(format!("{what} must not be empty")));
    }
    if text.chars().count() > chars_max {
        return Err(Rejection::too_large(format!("{what} has at most {chars_max} characters")));
    }
    if text.chars().any(is_unfit) {
        return Err(Rejection::bad_request(format!("{what} must not hold control characters")));
    }
    Ok(text)
}

/// Invisible on its own: blanks, and the joiners that emoji and some scripts need.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{fe0f}' | '\u{feff}')
}

/// Control characters, and those that turn the text around them.
fn is_unfit(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// At most `chars_max` characters of what someone typed, to quote it. It becomes part of
/// an answer that is remembered, so it leans on no table that grows: what is not plain
/// is written as its number.
pub(crate) fn excerpt(typed: &str, chars_max: usize) -> String {
    typed.chars().take(chars_max).flat_map(char::escape_default).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_edition_trims_and_counts_characters() {
        let name = |typed| super::name(typed, Edition::First);
        assert_eq!(name("  Ann "), Ok("Ann"));
        assert_eq!(name("Зоя 🦉"), Ok("Зоя 🦉"));
        let most = "é".repeat(24);
        assert_eq!(name(&most), Ok(&*most));
        let long = "é".repeat(25);
        let too_long = Rejection::too_large("a name has at most 24 characters");
        assert_eq!(name(&long), Err(too_long));
        for typed in ["", "   ", "\u{200b}\u{200d}", "a\nb", "a\u{202e}b", "\u{7}"] {
            assert!(name(typed).is_err(), "{typed:?}");
        }
    }

    #[test]
    fn only_bytes_are_counted_since() {
        let name = |typed| super::name(typed, Edition::Second);
        for typed in [" Ann ", "👨‍👩‍👧", "\u{3164}", "a\u{202e}b"] {
            assert_eq!(name(typed), Ok(typed));
        }
        assert_eq!(name(""), Err(Rejection::bad_request("a name must not be empty")));
        let most = "é".repeat(NAME_BYTES_MAX / 2);
        assert_eq!(name(&most), Ok(&*most));
        let long = most.clone() + "x";
        assert_eq!(name(&long), Err(Rejection::too_large("a name has at most 256 bytes")));
        let line = "x".repeat(LINE_BYTES_MAX + 1);
        assert!(super::line(&line, Edition::Second).is_err());
        assert!(super::line(&line[1..], Edition::Second).is_ok());
    }
}
