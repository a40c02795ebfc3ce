//! Reading Rust as the house rules do: what the code names, without comments,
//! strings and tests.
//!
//! This is no parser. It knows as much Rust as rustfmt leaves to be known:
//! comments, literals, braces and `use` trees.

/// The code of a file, line by line: comments and the insides of literals are
/// blank, and so are the modules that exist for tests only.
#[derive(Debug)]
pub struct Code {
    text: String,
}

impl Code {
    /// Reads a file's text.
    pub fn new(source: &str) -> Self {
        Self { text: without_tests(&without_words(source)) }
    }

    /// The lines that name `path`, a word or several joined by `::`, counted from 1.
    /// A `use` tree names every path it spells out in branches.
    pub fn naming(&self, path: &str) -> Vec<usize> {
        let plain = self.text.lines().zip(1..).filter(|(line, _)| names(line, path));
        let mut lines: Vec<usize> = plain.map(|(_, number)| number).collect();
        let imports = imports(&self.text);
        lines.extend(imports.iter().filter(|(_, name)| names(name, path)).map(|(line, _)| line));
        lines.sort_unstable();
        lines.dedup();
        lines
    }

    /// The lines that hold `text`, counted from 1.
    pub fn holding(&self, text: &str) -> Vec<usize> {
        let lines = self.text.lines().zip(1..).filter(|(line, _)| line.contains(text));
        lines.map(|(_, number)| number).collect()
    }

    /// Lines up to the last one with code in it, tests left out.
    pub fn length(&self) -> usize {
        let code = self.text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
        code.last().map_or(0, |(_, number)| number)
    }

    /// The functions: the line each begins at, counted from 1, its name and its length.
    /// As rustfmt lays them out, the closing brace is as far from the edge as `fn`.
    pub fn functions(&self) -> Vec<(usize, String, usize)> {
        let lines: Vec<&str> = self.text.lines().collect();
        let begins = lines.iter().enumerate().filter_map(|(at, line)| {
            let (before, after) = line.split_once("fn ")?;
            let declares = before.split_whitespace().all(|word| {
                ["async", "const"].contains(&word)
                    || word.starts_with("pub")
                    || word.starts_with("extern")
            });
            let name: String = after.chars().take_while(|c| is_word_char(*c)).collect();
            (declares && !name.is_empty()).then_some((at, name))
        });
        let measured = begins.filter_map(|(at, name)| {
            let indent = lines[at].len() - lines[at].trim_start().len();
            let end = format!("{}}}", " ".repeat(indent));
            // One that stands on a line, or only declares, has no such end of its own.
            let whole = lines[at].trim_end().ends_with([';', '}']);
            let length = lines[at..].iter().position(|line| line.trim_end() == end)? + 1;
            (!whole).then_some((at + 1, name, length))
        });
        measured.collect()
    }

    /// The modules that are files of their own and exist for tests only.
    pub fn test_modules(source: &str) -> Vec<String> {
        let code = without_words(source);
        let declared = code.split("#[cfg(test)]").skip(1).filter_map(|after| {
            let declaration = after.trim_start().strip_prefix("mod ")?;
            let (name, _) = declaration.split_once(';')?;
            is_word(name).then(|| name.to_owned())
        });
        declared.collect()
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_word_char)
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether `path` is in `line` as whole words.
fn names(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + path.len()..].chars().next();
        !before.is_some_and(is_word_char) && !after.is_some_and(is_word_char)
    })
}

/// Blanks comments and the insides of string and character literals.
fn without_words(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let word_before = code.chars().next_back().is_some_and(is_word_char);
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if c == '"' {
            string(rest)
        } else if !word_before && (c == 'r' || c == 'b') {
            prefixed_string(rest)
        } else if c == '\'' {
            character(rest)
        } else {
            0
        };
        if skipped == 0 {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            code.extend(rest[..skipped].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[skipped..];
        }
    }
    code
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let (step, change) = match &text.as_bytes()[at..] {
            [b'/', b'*', ..] => (2, 1),
            [b'*', b'/', ..] => (2, -1),
            _ => (1, 0),
        };
        at += step;
        depth += change;
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    text.len()
}

/// A raw or byte string; 0 when it is something else that begins so.
fn prefixed_string(text: &str) -> usize {
    let prefix = text.len() - text.trim_start_matches('b').trim_start_matches('r').len();
    let after = &text[prefix..];
    let raw = text[..prefix].ends_with('r');
    let hashes = after.len() - after.trim_start_matches('#').len();
    if prefix > 2 || !after[hashes..].starts_with('"') || (hashes > 0 && !raw) {
        return 0;
    }
    if !raw {
        return prefix + string(after);
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let inside = prefix + hashes + 1;
    text[inside..].find(&end).map_or(text.len(), |at| inside + at + end.len())
}

/// A character literal; 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some(_)) => chars.find(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// Blanks modules marked `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut text = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        text.push_str(&rest[..at]);
        let length = item(&rest[at..]);
        text.extend(rest[at..at + length].chars().filter(|c| *c == '\n'));
        rest = &rest[at + length..];
    }
    text + rest
}

/// The length of an item: to its semicolon, or to the brace that closes it.
fn item(code: &str) -> usize {
    let mut depth = 0_u32;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// Every path that `use` declarations spell out, with the line of the declaration.
fn imports(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let line_start = code[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let before = code[line_start..at].trim();
        let Some(end) = code[at..].find(';') else { continue };
        if before.is_empty() || before.starts_with("pub") {
            let line = code[..at].matches('\n').count() + 1;
            let tree: String = code[at + 4..at + end].split_whitespace().collect();
            branches("", &tree).into_iter().for_each(|path| found.push((line, path)));
        }
    }
    found
}

/// `a::{b,c::{d}}` is `a::b` and `a::c::d`.
fn branches(stem: &str, tree: &str) -> Vec<String> {
    let Some((before, inside)) = tree.split_once('{') else { return vec![format!("{stem}{tree}")] };
    let inside = inside.strip_suffix('}').unwrap_or(inside);
    let stem = format!("{stem}{before}");
    let mut depth = 0_u32;
    let parts = inside.split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.filter(|part| !part.is_empty()).flat_map(|part| branches(&stem, part)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_comments_and_literals_are_not_code() {
        let code = Code::new(
            "//! axum here\n/* axum /* axum */ axum */ let c = '\"'; // axum\n\
             let s = \"axum \\\" axum\"; let r = br#\"axum \" axum\"#;\nfn f<'a>(x: &'a str) { axum() }\n",
        );
        assert_eq!(code.naming("axum"), [4]);
    }

    #[test]
    fn a_name_is_a_whole_word() {
        let code = Code::new("use sledge::x;\nlet unsled = 1;\nsled::open();\n");
        assert_eq!(code.naming("sled"), [3]);
    }

    /// `use` trees hide what they name; they are spelled out.
    #[test]
    fn imports_are_spelled_out() {
        let code = Code::new(
            "use std::{\n    fs::{self, File},\n    io,\n    time::{Duration, SystemTime},\n};\nfn f() {}\n",
        );
        assert_eq!(code.naming("std::fs"), [1]);
        assert_eq!(code.naming("std::time::SystemTime"), [1]);
        assert_eq!(code.naming("std::thread"), [0; 0]);
    }

    /// Tests may do what the rest may not.
    #[test]
    fn tests_are_left_out() {
        let source = "fn f() {}\n#[cfg(test)]\nmod tests {\n    fn g() { x.unwrap(); }\n}\nfn h() { y.unwrap() }\n";
        assert_eq!(Code::new(source).holding(".unwrap()"), [6]);
        let source = "#[cfg(test)]\nmod contract;\nmod machine;\nfn f() { x.unwrap() }\n";
        assert_eq!(Code::new(source).holding(".unwrap()"), [4]);
        assert_eq!(Code::test_modules(source), ["contract"]);
    }

    #[test]
    fn lifetimes_are_not_characters() {
        let code =
            Code::new("fn f<'a>(x: &'a u8, c: char) { if c == '\\'' || c == 'b' { sled() } }\n");
        assert_eq!(code.naming("sled"), [1]);
    }
}
