//! Does what a page asks for: commands of this program, and scripts of faults.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use hangraft_lab::viewer;
use serde::Serialize;
use tokio::{process::Command, sync::Semaphore};

use crate::{
    lab::{
        child,
        words::{Deed, Means, understood},
    },
    play::{
        record::Record,
        scenario::Scenario,
        script::{Called, DIR, NODES, SEED},
    },
};

/// Commands at once. Whoever asks for more is told to wait.
const DEEDS_MAX: usize = 4;

/// How long a command may take.
const COMMAND: Duration = Duration::from_secs(30);

/// How long a script may take beyond the time that its head says.
const SCENARIO: Duration = Duration::from_secs(150);

/// Where the scripts are, in a tree of this project.
const SCRIPTS: &str = "scripts/faults";

/// What commands are about.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// The demo in a folder: how many first members it has.
    Demo { dir: PathBuf, members: usize, seed: u64 },
    /// Nodes somewhere, and the key.
    Nodes { nodes: String, key: Option<PathBuf> },
}

/// Does things, and knows how.
pub(crate) struct Deeds {
    subject: Subject,
    means: Means,
    scenarios: Vec<Scenario>,
    places: Semaphore,
    /// Two scripts would spoil each other's story.
    script: Semaphore,
    /// This program, under the name that scripts call it by.
    called: Called,
    record: Arc<Record>,
}

/// What came of it, as the page is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Done {
    pub(crate) done: bool,
    pub(crate) said: String,
    /// The command line that does the same.
    pub(crate) line: String,
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Not {
    /// Nobody may ask for that.
    Allowed(String),
    /// There is too much to do.
    Now,
}

impl Deeds {
    /// What can be done to a subject with the scripts in a folder, if there is one.
    pub(crate) fn new(
        subject: Subject,
        scripts: Option<&Path>,
        record: &Arc<Record>,
    ) -> anyhow::Result<Self> {
        let demo = matches!(subject, Subject::Demo { .. });
        let scenarios = scripts.filter(|_| demo).map(scenarios).unwrap_or_default();
        let names = scenarios.iter().map(|scenario| scenario.name.clone()).collect();
        Ok(Self {
            subject,
            means: Means { demo, scenarios: names },
            scenarios,
            places: Semaphore::new(DEEDS_MAX),
            script: Semaphore::new(1),
            called: Called::new()?,
            record: Arc::clone(record),
        })
    }

    /// The scripts that can be run, as the page is told.
    pub(crate) fn scenarios(&self) -> Vec<viewer::Scenario> {
        let told = |scenario: &Scenario| viewer::Scenario {
            name: scenario.name.clone(),
            about: scenario.about.clone(),
            nodes: scenario.nodes.clone(),
            spares: scenario.spares,
        };
        self.scenarios.iter().map(told).collect()
    }

    /// Does what these words say.
    pub(crate) async fn perform(&self, words: &[String]) -> Result<Done, Not> {
        let deed = understood(words, &self.means).map_err(Not::Allowed)?;
        let _place = self.places.try_acquire().map_err(|_| Not::Now)?;
        let line = self.line(&deed);
        let ran = match &deed {
            Deed::Command(words) => self.command(words).await,
            Deed::Scenario(name) => {
                let _alone = self.script.try_acquire().map_err(|_| Not::Now)?;
                self.scenario(name).await
            }
        };
        Ok(match ran {
            Ok(ran) => Done { done: ran.code == Some(0), said: ran.said.trim().into(), line },
            Err(err) => Done { done: false, said: format!("{err:#}"), line },
        })
    }

    async fn command(&self, words: &[String]) -> anyhow::Result<child::Ran> {
        let mut command = Command::new(env::current_exe().context("where is this program?")?);
        command.args(words);
        self.subject.name_to(&mut command);
        child::run(&mut command, COMMAND, |_| {}).await
    }

    async fn scenario(&self, name: &str) -> anyhow::Result<child::Ran> {
        let scenario = self.scenarios.iter().find(|one| one.name == name);
        let scenario = scenario.context("there is no such scenario")?;
        let script = scenario.script.as_deref().context("it has no script")?;
        let mut command = Command::new(script);
        self.subject.name_to(&mut command);
        self.called.tell(&mut command);
        let lasts = scenario.time.unwrap_or_default() + SCENARIO;
        self.record.say("story", &format!("the scenario {name} begins"));
        let ran = child::run(&mut command, lasts, |line| self.record.say("story", line)).await;
        self.record.say("story", &format!("the scenario {name} is over"));
        ran
    }

    /// What does the same at a terminal.
    fn line(&self, deed: &Deed) -> String {
        match (deed, &self.subject) {
            (Deed::Scenario(name), Subject::Demo { dir, .. }) => {
                format!("{DIR}={} {SCRIPTS}/{name}", shell_word(&dir.display().to_string()))
            }
            (Deed::Scenario(name), Subject::Nodes { .. }) => format!("{SCRIPTS}/{name}"),
            (Deed::Command(words), subject) => {
                format!("hangraft {} {}", words.join(" "), subject.options())
            }
        }
    }
}

impl Subject {
    /// Tells a command by its environment what it is about.
    fn name_to(&self, command: &mut Command) {
        for variable in [DIR, "HANGRAFT_NODE", "HANGRAFT_KEY_FILE"] {
            command.env_remove(variable);
        }
        match self {
            Self::Demo { dir, members, seed } => {
                let [members, seed] = [members.to_string(), seed.to_string()].map(OsString::from);
                command.env(DIR, dir).env(NODES, members).env(SEED, seed);
            }
            Self::Nodes { nodes, key } => {
                command.env("HANGRAFT_NODE", nodes);
                command.envs(key.as_ref().map(|key| ("HANGRAFT_KEY_FILE", key)));
            }
        }
    }

    /// The same as options.
    fn options(&self) -> String {
        match self {
            Self::Demo { dir, .. } => format!("--dir {}", shell_word(&dir.display().to_string())),
            Self::Nodes { nodes, key } => {
                let key = key.as_ref().map(|key| key.display().to_string());
                let key = key.map(|key| format!(" --key-file {}", shell_word(&key)));
                format!("--node {nodes}{}", key.unwrap_or_default())
            }
        }
    }

    /// The demo's folder.
    pub(crate) fn dir(&self) -> Option<&Path> {
        match self {
            Self::Demo { dir, .. } => Some(dir),
            Self::Nodes { .. } => None,
        }
    }
}

/// The scenarios in a folder, by name: scripts whose head says how long it may be silent.
fn scenarios(folder: &Path) -> Vec<Scenario> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let files = entries.map(|entry| entry.path()).filter(|path| path.is_file());
    let loaded = files.filter_map(|path| Scenario::load(&path.canonicalize().ok()?).ok());
    let mut scenarios: Vec<_> = loaded.filter(|scenario| scenario.bound.is_some()).collect();
    scenarios.sort_by(|one, other| one.name.cmp(&other.name));
    scenarios
}

/// The folder of scripts when nobody names one: in this folder, or beside the tree that this
/// program was built in.
pub(crate) fn scripts() -> Option<PathBuf> {
    let program = env::current_exe().ok();
    let tree = program.as_deref().and_then(|program| program.ancestors().nth(3));
    let trees = [Some(Path::new("")), tree].into_iter().flatten();
    trees.map(|tree| tree.join(SCRIPTS)).find(|folder| folder.is_dir())
}

/// A word as a shell reads it.
pub(crate) fn shell_word(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:,=@%+".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_pasted() {
        for (word, shown) in [
            ("/tmp/x", "/tmp/x"),
            ("/tmp/my demo", "'/tmp/my demo'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(word), shown);
        }
    }

    #[test]
    fn the_scenarios_of_this_tree_are_offered() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(SCRIPTS);
        let scenarios = scenarios(&root);
        let names: Vec<_> = scenarios.iter().map(|scenario| &*scenario.name).collect();
        assert!(names.contains(&"leader-killed") && names.contains(&"two-wiped"), "{names:?}");
        for tool in ["all", "bugs", "report", "second-opinion", "netns-up", "netns-down"] {
            assert!(!names.contains(&tool), "{tool} is no scenario");
        }
        assert!(scenarios.iter().all(|scenario| scenario.script.as_ref().unwrap().is_absolute()));
    }
}
