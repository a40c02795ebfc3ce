//! What people type: names and lines of chat.

use crate::answer::Rejection;

/// Characters in a name. A longer one is refused.
pub(crate) const NAME_CHARS_MAX: usize = 24;

/// Characters in a line of chat. A longer one is refused.
pub(crate) const LINE_CHARS_MAX: usize = 500;

/// Checks a name and trims it.
pub(crate) fn name(typed: &str) -> Result<&str, Rejection> {
    tidy("a name", typed, NAME_CHARS_MAX)
}

/// Checks a line of chat and trims it.
pub(crate) fn line(typed: &str) -> Result<&str, Rejection> {
    tidy("a line of chat", typed, LINE_CHARS_MAX)
}

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

/// At most `chars_max` characters of what someone typed, to quote it.
pub(crate) fn excerpt(typed: &str, chars_max: usize) -> String {
    typed.chars().take(chars_max).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_measured_in_characters() {
        assert_eq!(name("  Ann "), Ok("Ann"));
        assert_eq!(name("Зоя 🦉"), Ok("Зоя 🦉"));
        assert!(name(&"é".repeat(24)).is_ok());
        assert_eq!(
            name(&"é".repeat(25)),
            Err(Rejection::too_large("a name has at most 24 characters"))
        );
    }

    #[test]
    fn nothing_invisible_passes_for_a_name() {
        for typed in ["", "   ", "\u{200b}\u{200d}", "a\nb", "a\u{202e}b", "\u{7}"] {
            assert!(name(typed).is_err(), "{typed:?}");
        }
    }
}
