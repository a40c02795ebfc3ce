//! A script of faults, and what its head says: what to expect, how long it may be silent.
//! Plain code.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};

/// The longest head that is looked through.
const LINES_MAX: usize = 60;

/// What the head of a script says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scenario {
    /// Its name: the file's.
    pub(crate) name: String,
    /// The file; none for a run without faults.
    pub(crate) script: Option<PathBuf>,
    /// The comment at its head, without the settings.
    pub(crate) about: String,
    /// The longest time without an acknowledged move: `# bound: 2s`.
    pub(crate) bound: Option<Duration>,
    /// How long players play: `# time: 15s`.
    pub(crate) time: Option<Duration>,
    /// How many spares there are: `# spares: 1`.
    pub(crate) spares: u16,
    /// For how many nodes it is: `# nodes: 5`; for any where nothing is said.
    pub(crate) nodes: Vec<u16>,
}

impl Scenario {
    /// Reads the head of a script.
    ///
    /// # Errors
    /// When it cannot be read, or a setting of its head not be understood.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read the script {}", path.display()))?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let scenario = Self::read(&name.unwrap_or_default(), &text)
            .with_context(|| format!("cannot understand the head of {}", path.display()))?;
        Ok(Self { script: Some(path.into()), ..scenario })
    }

    /// A run without faults.
    pub(crate) fn calm() -> Self {
        Self { name: "no faults".into(), ..Self::default() }
    }

    fn read(name: &str, text: &str) -> anyhow::Result<Self> {
        let mut scenario = Self { name: name.into(), ..Self::default() };
        let mut about = Vec::new();
        let head = text.lines().filter(|line| !line.starts_with("#!")).take(LINES_MAX);
        for line in head.map_while(|line| line.strip_prefix('#')).map(str::trim) {
            match line.split_once(": ") {
                Some(("bound", time)) => scenario.bound = Some(duration(time)?),
                Some(("time", time)) => scenario.time = Some(duration(time)?),
                Some(("spares", number)) => {
                    scenario.spares = number.parse().context("how many spares?")?;
                }
                Some(("nodes", numbers)) => {
                    let numbers = numbers.split_whitespace().map(str::parse);
                    scenario.nodes = numbers
                        .collect::<Result<_, _>>()
                        .context("write the numbers of nodes as in `nodes: 3 5`")?;
                }
                _ => about.push(line),
            }
        }
        about.join("\n").trim().clone_into(&mut scenario.about);
        Ok(scenario)
    }

    /// Whether it is for so many nodes.
    ///
    /// # Errors
    /// When it is not.
    pub(crate) fn fits(&self, nodes: u16) -> anyhow::Result<()> {
        if !self.nodes.is_empty() && !self.nodes.contains(&nodes) {
            bail!("{} is for {:?} nodes, not for {nodes}; give --nodes", self.name, self.nodes);
        }
        Ok(())
    }
}

fn duration(text: &str) -> anyhow::Result<Duration> {
    humantime::parse_duration(text.trim()).with_context(|| format!("{text:?} is no time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_script_says_what_to_expect() {
        let text = "#!/usr/bin/env bash\n# The leader is killed.\n#\n# Thesis: 3.4.\n# bound: 2s\n\
                    # time: 15s\n# nodes: 3 5\nset -e\n# bound: 9s\n";
        let scenario = Scenario::read("leader-killed", text).unwrap();
        assert_eq!(scenario.about, "The leader is killed.\n\nThesis: 3.4.");
        assert_eq!(scenario.bound, Some(Duration::from_secs(2)), "the script is no head");
        assert_eq!(scenario.time, Some(Duration::from_secs(15)));
        assert!(scenario.fits(5).is_ok() && scenario.fits(7).is_err());
        let err = Scenario::read("x", "# bound: soon\n").unwrap_err();
        assert_eq!(err.to_string(), "\"soon\" is no time");
    }
}
