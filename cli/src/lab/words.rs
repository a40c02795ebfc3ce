//! What a page may ask for: from words to a command of this program that may be run. Plain code.
//!
//! The list is closed. A word is a command, an option of that command, or a value of the kind
//! that stands there; nothing else gets through: no path, no key, no address, no other cluster.
//! What is run is what was asked for, word by word, without a shell.

/// The most words of one command.
const WORDS_MAX: usize = 20;

/// The longest word, in bytes.
const WORD_BYTES_MAX: usize = 40;

/// The longest number, in digits. Programs that read it say what is too much.
const DIGITS_MAX: usize = 9;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// This program, with these arguments.
    Command(Vec<String>),
    /// The script of this name.
    Scenario(String),
}

/// What can be done here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Means {
    /// There is a demo whose processes can be killed.
    pub(crate) demo: bool,
    /// Scripts that can be run, by their names.
    pub(crate) scenarios: Vec<String>,
}

/// How a command is written.
struct Form {
    /// The words it begins with.
    verbs: &'static [&'static str],
    /// Whether it needs the demo: processes, and folders.
    of_demo: bool,
    /// What stands behind them: the kind, and how many at least and at most.
    places: (Kind, usize, usize),
    options: &'static [(&'static str, Kind)],
}

/// What a word can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Nothing: the option says it all.
    Flag,
    /// The name of a process, or what stands for one: n1, f2, leader, ended.
    Name,
    /// 10s, 500ms.
    Time,
    /// The same, or behind: -1h.
    Ahead,
    Number,
    /// The same, or less than nothing.
    Signed,
    /// 20, 0.5, 20%.
    Percent,
    /// streams or gossip.
    Part,
}

const NO_PLACE: (Kind, usize, usize) = (Kind::Name, 0, 0);
const ONE_NAME: (Kind, usize, usize) = (Kind::Name, 1, 1);
const SOME_NAMES: (Kind, usize, usize) = (Kind::Name, 1, 8);

const FOR: (&str, Kind) = ("for", Kind::Time);
const ONLY: (&str, Kind) = ("only", Kind::Part);
const EVERY: (&str, Kind) = ("every", Kind::Time);
const MS: (&str, Kind) = ("ms", Kind::Number);
const JITTER: (&str, Kind) = ("jitter-ms", Kind::Number);
const PERCENT: (&str, Kind) = ("percent", Kind::Percent);

const fn process(verbs: &'static [&'static str]) -> Form {
    Form { verbs, of_demo: true, places: ONE_NAME, options: &[] }
}

const fn fault(verbs: &'static [&'static str], options: &'static [(&'static str, Kind)]) -> Form {
    Form { verbs, of_demo: false, places: SOME_NAMES, options }
}

/// All that may be asked for, besides scenarios.
const FORMS: &[Form] = &[
    process(&["kill"]),
    process(&["pause"]),
    process(&["resume"]),
    process(&["restart"]),
    process(&["wipe"]),
    Form { verbs: &["spare"], of_demo: true, places: NO_PLACE, options: &[] },
    Form {
        verbs: &["leave"],
        of_demo: true,
        places: NO_PLACE,
        options: &[("node", Kind::Name), ("yes", Kind::Flag), ("dry-run", Kind::Flag)],
    },
    Form {
        verbs: &["transfer-leader"],
        of_demo: false,
        places: NO_PLACE,
        options: &[("to", Kind::Name)],
    },
    Form {
        verbs: &["cluster", "set"],
        of_demo: false,
        places: NO_PLACE,
        options: &[("voters", Kind::Number), ("replace-after", Kind::Time)],
    },
    fault(&["fault", "cut"], &[FOR, ONLY, EVERY]),
    fault(&["fault", "delay"], &[FOR, ONLY, EVERY, MS, JITTER]),
    fault(&["fault", "drop"], &[FOR, ONLY, EVERY, PERCENT]),
    fault(&["fault", "duplicate"], &[FOR, ONLY, EVERY, PERCENT]),
    fault(&["fault", "reorder"], &[FOR, ONLY, EVERY, PERCENT]),
    fault(&["fault", "bandwidth"], &[FOR, ONLY, EVERY, ("bytes-per-s", Kind::Number)]),
    fault(&["fault", "gossip-cut"], &[FOR, EVERY]),
    fault(&["fault", "slow-disk"], &[FOR, MS, JITTER]),
    fault(&["fault", "fail-fsync"], &[FOR]),
    fault(&["fault", "full-disk"], &[FOR]),
    fault(&["fault", "lose-unsynced"], &[FOR]),
    fault(&["fault", "skew"], &[FOR, ("by", Kind::Ahead), ("ms", Kind::Signed)]),
    Form { verbs: &["fault", "list"], of_demo: false, places: NO_PLACE, options: &[] },
    Form { verbs: &["fault", "heal"], of_demo: false, places: (Kind::Name, 0, 8), options: &[] },
];

/// Looks at what a page asks for.
///
/// # Errors
/// Why it may not be asked for, in a sentence.
pub(crate) fn understood(words: &[String], means: &Means) -> Result<Deed, String> {
    if words.len() > WORDS_MAX || words.iter().any(|word| word.len() > WORD_BYTES_MAX) {
        return Err("that is too long".into());
    }
    if let [first, name] = words
        && first == "scenario"
    {
        let known = means.scenarios.contains(name);
        return known
            .then(|| Deed::Scenario(name.clone()))
            .ok_or_else(|| format!("there is no scenario {}", quoted(name)));
    }
    let form = FORMS.iter().find(|form| form.is_meant(words));
    let form =
        form.ok_or_else(|| format!("a page may not ask for {}", quoted(&words.join(" "))))?;
    if form.of_demo && !means.demo {
        return Err("this is not a demo of this machine: its processes are somebody else's".into());
    }
    form.check(&words[form.verbs.len()..])?;
    Ok(Deed::Command(words.to_vec()))
}

impl Form {
    fn is_meant(&self, words: &[String]) -> bool {
        words.len() >= self.verbs.len() && self.verbs.iter().zip(words).all(|(one, two)| one == two)
    }

    /// Looks at all that stands behind the verbs.
    fn check(&self, words: &[String]) -> Result<(), String> {
        let (kind, least, most) = self.places;
        let (mut places, mut given) = (0, Vec::new());
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let Some(option) = word.strip_prefix("--") else {
                kind.expect(word)?;
                places += 1;
                continue;
            };
            let (name, glued) = match option.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (option, None),
            };
            let known = self.options.iter().find(|(known, _)| *known == name);
            let (name, kind) = known.ok_or_else(|| format!("no option {} here", quoted(word)))?;
            if given.contains(name) {
                return Err(format!("--{name} is given twice"));
            }
            given.push(*name);
            match (*kind, glued) {
                (Kind::Flag, None) => {}
                (Kind::Flag, Some(_)) => return Err(format!("--{name} takes no value")),
                (kind, Some(value)) => kind.expect(value)?,
                (kind, None) => {
                    let value = words.next().ok_or_else(|| format!("--{name} needs a value"))?;
                    kind.expect(value)?;
                }
            }
        }
        if !(least..=most).contains(&places) {
            return Err(format!("{} takes {least} to {most} names", self.verbs.join(" ")));
        }
        Ok(())
    }
}

impl Kind {
    fn expect(self, word: &str) -> Result<(), String> {
        if self.fits(word) { Ok(()) } else { Err(format!("{} does not fit here", quoted(word))) }
    }

    fn fits(self, word: &str) -> bool {
        match self {
            Self::Flag => false,
            Self::Name => {
                let letter = |byte: u8| byte.is_ascii_alphanumeric();
                word.bytes().next().is_some_and(letter)
                    && word.bytes().all(|byte| letter(byte) || byte == b'-' || byte == b'_')
            }
            Self::Number => is_number(word),
            Self::Signed => is_number(word.strip_prefix('-').unwrap_or(word)),
            Self::Percent => {
                let word = word.strip_suffix('%').unwrap_or(word);
                let (whole, part) = word.split_once('.').unwrap_or((word, "0"));
                is_number(whole) && is_number(part)
            }
            Self::Time => {
                let digits = word.bytes().take_while(u8::is_ascii_digit).count();
                let (number, unit) = word.split_at(digits);
                is_number(number) && ["ms", "s", "m", "h"].contains(&unit)
            }
            Self::Ahead => Self::Time.fits(word.strip_prefix('-').unwrap_or(word)),
            Self::Part => ["streams", "gossip"].contains(&word),
        }
    }
}

fn is_number(word: &str) -> bool {
    (1..=DIGITS_MAX).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// What somebody wrote, to be shown.
fn quoted(text: &str) -> String {
    let short: String = text.chars().take(WORD_BYTES_MAX).collect();
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    fn means() -> Means {
        Means { demo: true, scenarios: vec!["leader-killed".into()] }
    }

    #[test]
    fn what_a_page_offers_is_understood() {
        for line in [
            "kill n1",
            "kill leader",
            "pause f2",
            "resume paused",
            "restart ended",
            "wipe follower",
            "spare",
            "leave --node leader --yes",
            "leave --node=n4 --dry-run",
            "transfer-leader",
            "transfer-leader --to n2",
            "cluster set --replace-after 2s",
            "cluster set --voters 5",
            "fault cut n1 n2 --for 10s",
            "fault cut isolate follower --for 8s",
            "fault cut one-way n1 n2 --only gossip",
            "fault cut flap n1 n2 --every 500ms",
            "fault cut n1 frontends",
            "fault delay all --ms 100 --jitter-ms 20 --for 1m",
            "fault drop all --percent 20%",
            "fault duplicate all --percent 0.5",
            "fault bandwidth n1 n2 --bytes-per-s 20000",
            "fault gossip-cut all --for 8s",
            "fault slow-disk leader --ms 300 --for 8s",
            "fault lose-unsynced leader",
            "fault fail-fsync n3",
            "fault skew n1 --by=-1h",
            "fault skew n1 --ms -3600000",
            "fault list",
            "fault heal",
            "fault heal n1 n2",
        ] {
            assert_eq!(
                understood(&words(line), &means()),
                Ok(Deed::Command(words(line))),
                "{line}"
            );
        }
        let scenario = understood(&words("scenario leader-killed"), &means());
        assert_eq!(scenario, Ok(Deed::Scenario("leader-killed".into())));
    }

    /// No path, no key, no address, no other cluster, no other command, nothing too long.
    #[test]
    fn nothing_else_gets_through() {
        for line in [
            "",
            " ",
            "kill",
            "kill ",
            "kill n1 n2",
            "kill n1 --dir /tmp/x",
            "kill n1 --dir=/tmp/x",
            "kill --dir /tmp/x n1",
            "kill -h",
            "kill --",
            "kill -- n1",
            "kill ../n1",
            "kill n1/..",
            "kill n1/x",
            "kill n1.toml",
            "kill n1:7101",
            "kill n1;ls",
            "kill $(ls)",
            "kill `ls`",
            "kill n1\n",
            "kill n\0",
            "kill nö",
            "kill １",
            "kill -9",
            "KILL n1",
            "demo --dir /tmp/x",
            "node --config /etc/passwd",
            "check --faults /tmp/x",
            "lab open /etc/passwd",
            "snapshot export",
            "report /etc/passwd --to /tmp/x",
            "join --node 10.0.0.1:7101 --seed 10.0.0.2:7101",
            "status --node 10.0.0.1:7101",
            "leave --node 10.0.0.1:7101",
            "leave --node n1 --node n2",
            "leave --node n1 --key-file /etc/hangraft/cluster.key",
            "leave n1",
            "leave --yes=yes --node n1",
            "leave --node",
            "transfer-leader n1",
            "transfer-leader --to --node",
            "cluster",
            "cluster set --voters many",
            "cluster get",
            "fault",
            "fault cut",
            "fault cut n1 n2 --node 10.0.0.1:7101",
            "fault cut n1 n2 --key-file x",
            "fault cut n1 n2 --dir /tmp",
            "fault cut n1 n2 --for",
            "fault cut n1 n2 --for 10",
            "fault cut n1 n2 --for -10s",
            "fault cut n1 n2 --for 10s --for 20s",
            "fault cut n1 n2 --for 9999999999s",
            "fault cut n1 n2 --only everything",
            "fault delay all --ms -1",
            "fault drop all --percent 1e9",
            "fault drop all --percent .",
            "fault drop all --percent NaN",
            "fault list --output json",
            "fault heal --for 1s",
            "fault n1 cut",
            "fault cut n1 n2 n3 n4 n5 n6 n7 n8 n9",
            "scenario",
            "scenario leader-killed --fast",
            "scenario ../leader-killed",
            "scenario /bin/sh",
            "scenario other",
            "spare n4",
            "spare --dir /tmp/x",
        ] {
            let said = understood(&words(line), &means());
            assert!(said.is_err(), "{line:?} became {said:?}");
        }
        assert!(understood(&[], &means()).is_err());
        assert!(understood(&vec!["n1".to_owned(); 100], &means()).is_err());
        let long = ["kill".to_owned(), "n".repeat(1_000)];
        assert!(understood(&long, &means()).is_err());
        let apart = ["kill".to_owned(), "n1 --dir /tmp/x".to_owned()];
        assert!(understood(&apart, &means()).is_err());
    }

    /// Whoever only watches a cluster from elsewhere kills none of its processes.
    #[test]
    fn without_a_demo_no_process_is_touched() {
        let means = Means::default();
        for line in ["kill n1", "pause n1", "wipe n1", "spare", "leave --node n1", "scenario x"] {
            assert!(understood(&words(line), &means).is_err(), "{line}");
        }
        assert!(understood(&words("fault cut n1 n2 --for 1s"), &means).is_ok());
    }
}
