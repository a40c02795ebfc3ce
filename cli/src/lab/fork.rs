//! Another day: the simulator lives a day again that it has lived before, and from a moment on
//! something else happens.

use std::path::PathBuf;

use hangraft_lab::{
    timeline::{Line, file},
    viewer::pack,
};
use serde_json::Value;
use std::{fs::File, io::BufReader, time::Duration};
use tempfile::TempDir;
use tokio::{process::Command, sync::Semaphore};

use crate::lab::child;

/// How a simulated day says that it can be had again.
const COMMAND: &str = "scripts/simulate ";

/// The longest word for what is to happen, in letters.
const FAULT_LETTERS_MAX: usize = 80;

/// How long a day may take.
const DAY: Duration = Duration::from_secs(60);

/// Options of the simulator that a day may have been made with, each with a value.
const OPTIONS: [&str; 8] =
    ["--seed", "--nodes", "--log-kind", "--bug", "--faults", "--players", "--millis", FORK];
const FORK: &str = "--fork";

/// Makes other days of one.
pub(crate) struct Forks {
    simulator: PathBuf,
    flags: Vec<String>,
    /// A day takes a core.
    place: Semaphore,
}

/// Why there is no other day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unforked {
    /// It was asked for wrongly.
    Words(String),
    /// Another is being lived.
    Busy,
    /// Something went wrong.
    Failed(String),
}

impl Forks {
    /// Makes others of the day that this command line makes.
    ///
    /// # Errors
    /// When it is none of a simulated day, in a sentence.
    pub(crate) fn new(simulator: PathBuf, command: &str) -> Result<Self, String> {
        let flags = flags(command)?;
        Ok(Self { simulator, flags, place: Semaphore::new(1) })
    }

    /// The day in which something else happens at a moment, packed as the page reads it.
    pub(crate) async fn live(&self, at_us: u64, fault: &str) -> Result<Value, Unforked> {
        if !is_fault(fault) {
            return Err(Unforked::Words("write what is to happen as in: kill n1".into()));
        }
        let _place = self.place.try_acquire().map_err(|_| Unforked::Busy)?;
        let failed = |err: &dyn std::fmt::Display| Unforked::Failed(format!("{err:#}"));
        let dir = TempDir::with_prefix("hangraft-fork-").map_err(|err| failed(&err))?;
        let path = dir.path().join("day.jsonl");
        let mut command = Command::new(&self.simulator);
        command.args(&self.flags).arg(FORK).arg(format!("{at_us}us {fault}"));
        command.arg("--timeline").arg(&path);
        let ran = child::run(&mut command, DAY, |_| {}).await.map_err(|err| failed(&err))?;
        if ran.code == Some(2) {
            return Err(Unforked::Words(ran.said.trim().into()));
        }
        let Ok(written) = File::open(&path) else {
            let said = ran.said.trim();
            return Err(Unforked::Failed(format!("the simulator wrote nothing: {said}")));
        };
        let packed = tokio::task::spawn_blocking(move || {
            let day = file::read(BufReader::new(written))?;
            let mut lines = vec![Line::Head(day.head)];
            lines.extend(day.lines);
            Ok::<_, file::ReadError>(pack(&lines))
        });
        packed.await.map_err(|err| failed(&err))?.map_err(|err| failed(&err))
    }
}

/// Whether something can be what is to happen: the simulator reads it closer.
fn is_fault(text: &str) -> bool {
    let fits = |letter: char| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || " .%-".contains(letter)
    };
    (1..=FAULT_LETTERS_MAX).contains(&text.len())
        && text.chars().all(fits)
        && text.starts_with(|letter: char| letter.is_ascii_lowercase())
}

/// The options in a command line of the simulator's script.
fn flags(command: &str) -> Result<Vec<String>, String> {
    let none = || "this is no simulated day: only such a day can be lived again".to_owned();
    let words = words(command.strip_prefix(COMMAND).ok_or_else(none)?);
    let (pairs, rest) = words.as_chunks::<2>();
    let known = |pair: &[String; 2]| {
        let [option, value] = pair;
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_,.".contains(letter);
        OPTIONS.contains(&option.as_str())
            && match option.as_str() {
                FORK => {
                    !value.starts_with('-')
                        && value.chars().all(|c| plain(c) || c == ' ' || c == '%')
                }
                _ => {
                    value.starts_with(|c: char| c.is_ascii_alphanumeric())
                        && value.chars().all(plain)
                }
            }
    };
    let seeded = pairs.iter().any(|[option, _]| option == "--seed");
    if !rest.is_empty() || !seeded || !pairs.iter().all(known) {
        return Err(none());
    }
    Ok(words)
}

/// Words between spaces; in quotation marks spaces are part of a word.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (i, part) in line.split('"').enumerate() {
        match i % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_lived_again_with_its_own_options() {
        let command =
            r#"scripts/simulate --seed 42 --nodes 5 --fork "12345us kill n1" --bug stale-reads"#;
        let expected =
            ["--seed", "42", "--nodes", "5", "--fork", "12345us kill n1", "--bug", "stale-reads"];
        assert_eq!(flags(command).unwrap(), expected);
        let command = "scripts/simulate --seed 42 --log-kind segments";
        assert_eq!(flags(command).unwrap(), ["--seed", "42", "--log-kind", "segments"]);
        for wrong in [
            "hangraft check --seed 7",
            "scripts/simulate --nodes 5",
            "scripts/simulate --seed",
            "scripts/simulate --seed 42 --timeline /tmp/x",
            "scripts/simulate --seed --nodes",
            "scripts/simulate --seed 42 --bug ../x",
            "scripts/simulate --seed 42 --fork \"-x\"",
            "scripts/simulate --seed 42 day.jsonl",
            "",
        ] {
            assert!(flags(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_to_happen_is_a_few_plain_words() {
        for good in
            ["kill n1", "instead pause leader 500ms", "drop 20% 3s", "skew n1 -1h", "nothing"]
        {
            assert!(is_fault(good), "{good}");
        }
        let long = "a".repeat(81);
        for wrong in
            ["", "-x", " kill n1", "Kill n1", "kill n1;ls", "kill n1\n", "kill $x", "§", &long]
        {
            assert!(!is_fault(wrong), "{wrong}");
        }
    }
}
