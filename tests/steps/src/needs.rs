//! What steps need beyond Rust, and whether a machine has it.

use std::{fmt, path::PathBuf};

/// The first Node that runs the page's own tests: major and minor version.
const NODE_MIN: (u32, u32) = (20, 19);

/// The first Go that builds the second judge.
const GO_MIN: (u32, u32) = (1, 24);

/// Something that steps need beyond Rust.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    Rustfmt,
    Clippy,
    /// Node and npm, new enough.
    Node,
    Chromium,
    Go,
    /// The packages of a folder, as its lock file has them; and the one that matters.
    Packages {
        folder: &'static str,
        with: &'static str,
    },
}

/// What is on a machine.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    pub(crate) rustfmt: bool,
    pub(crate) clippy: bool,
    /// What Node says its version is.
    pub(crate) node: Option<String>,
    pub(crate) npm: bool,
    pub(crate) chromium: Option<PathBuf>,
    /// What Go says its version is.
    pub(crate) go: Option<String>,
    /// What network namespaces are made and cut with. Tests that need them look for
    /// themselves whether they may.
    pub(crate) ip: bool,
    pub(crate) nft: bool,
}

impl Machine {
    /// What is the matter with a need here, if something is. Packages are not there before
    /// they have been fetched.
    pub(crate) fn lacks(&self, need: &Need) -> Option<String> {
        let (there, why) = match need {
            Need::Rustfmt => (self.rustfmt, "rustfmt is missing; rustup component add rustfmt"),
            Need::Clippy => (self.clippy, "clippy is missing; rustup component add clippy"),
            Need::Node => return self.lacks_node(),
            Need::Chromium => (
                self.chromium.is_some(),
                "there is no Chromium; install it, or name one in CHROMIUM",
            ),
            Need::Go => return self.lacks_go(),
            Need::Packages { with, .. } => return Some(format!("npm could not fetch {with}")),
        };
        (!there).then(|| why.to_owned())
    }

    fn lacks_node(&self) -> Option<String> {
        match &self.node {
            Some(version) if self.npm => {
                let will_do = is_new_enough(version, NODE_MIN);
                (!will_do).then(|| format!("Node {version} is too old"))
            }
            _ => Some("Node is missing".to_owned()),
        }
    }

    fn lacks_go(&self) -> Option<String> {
        let Some(said) = &self.go else { return Some("Go is missing".to_owned()) };
        // As in `go version go1.26.1 linux/amd64`.
        let version = said.split_whitespace().nth(2).unwrap_or_default();
        let will_do = version.strip_prefix("go").is_some_and(|go| is_new_enough(go, GO_MIN));
        (!will_do).then(|| format!("{version} is too old"))
    }

    /// The components of Rust that rustup could add.
    pub(crate) fn components_to_add(&self) -> Vec<&'static str> {
        missing(&[(self.rustfmt, "rustfmt"), (self.clippy, "clippy")])
    }

    /// The packages that Debian could add. A Node that is too old stays.
    pub(crate) fn packages_to_install(&self) -> Vec<&'static str> {
        missing(&[
            (self.chromium.is_some(), "chromium"),
            (self.node.is_some(), "nodejs"),
            (self.npm, "npm"),
            (self.ip, "iproute2"),
            (self.nft, "nftables"),
        ])
    }
}

fn missing(things: &[(bool, &'static str)]) -> Vec<&'static str> {
    things.iter().filter(|(there, _)| !there).map(|(_, name)| *name).collect()
}

/// Whether a version, such as Node's `v20.19.1`, is this one or a later one.
fn is_new_enough(version: &str, min: (u32, u32)) -> bool {
    let mut numbers = version.trim_start_matches('v').split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= min,
        _ => false,
    }
}

/// The first need that is lacking: what is said to be skipped without it, and why. `lacks`
/// is asked in order, and no further.
pub(crate) fn first_lacking<What: Copy, End>(
    needs: &[(Need, What)],
    mut lacks: impl FnMut(&Need) -> Result<Option<String>, End>,
) -> Result<Option<(What, String)>, End> {
    for (need, what) in needs {
        if let Some(why) = lacks(need)? {
            return Ok(Some((*what, why)));
        }
    }
    Ok(None)
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Need::Rustfmt => f.write_str("rustfmt"),
            Need::Clippy => f.write_str("clippy"),
            Need::Node => write!(f, "Node {}.{}", NODE_MIN.0, NODE_MIN.1),
            Need::Chromium => f.write_str("Chromium"),
            Need::Go => write!(f, "Go {}.{}", GO_MIN.0, GO_MIN.1),
            Need::Packages { .. } => f.write_str("npm packages"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::steps::CHAPTERS;

    fn whole() -> Machine {
        Machine {
            rustfmt: true,
            clippy: true,
            node: Some("v20.19.0".to_owned()),
            npm: true,
            chromium: Some("/usr/bin/chromium".into()),
            go: Some("go version go1.24.1 linux/amd64".into()),
            ip: true,
            nft: true,
        }
    }

    /// What a run on a machine says it skips; packages can be fetched unless they are named.
    fn skipped(machine: &Machine, unreachable: &[&str]) -> Vec<String> {
        let lacks = |need: &Need| -> Result<_, Infallible> {
            Ok(match need {
                Need::Packages { folder, .. } if !unreachable.contains(folder) => None,
                _ => machine.lacks(need),
            })
        };
        let skips = CHAPTERS.iter().filter_map(|chapter| {
            let Ok(lacking) = first_lacking(chapter.needs, lacks);
            let (what, why) = lacking?;
            Some(format!("{}: {why}", what?))
        });
        skips.collect()
    }

    #[test]
    fn a_version_of_node_will_do_or_not() {
        for (version, will_do) in [
            ("v20.19.0", true),
            ("v20.20.2", true),
            ("v22.0.0", true),
            ("v100.1.0", true),
            ("v20.18.3", false),
            ("v18.99.0", false),
            ("v9.20.0", false),
            ("", false),
            ("v20", false),
        ] {
            assert_eq!(is_new_enough(version, NODE_MIN), will_do, "{version}");
        }
    }

    #[test]
    fn a_whole_machine_skips_nothing() {
        assert_eq!(skipped(&whole(), &[]), [""; 0]);
        assert_eq!(whole().packages_to_install(), [""; 0]);
        assert_eq!(whole().components_to_add(), [""; 0]);
    }

    /// Without Node neither the page nor the browser is tested; that is one thing to say.
    #[test]
    fn what_is_skipped_is_said_once() {
        let all_of_it = "the page's types, its own tests and the browser tests: ";
        for (machine, why) in [
            (Machine { node: None, ..whole() }, "Node is missing"),
            (Machine { npm: false, ..whole() }, "Node is missing"),
            (Machine { node: Some("v18.1.0".into()), ..whole() }, "Node v18.1.0 is too old"),
            (Machine { node: None, chromium: None, ..whole() }, "Node is missing"),
        ] {
            assert_eq!(skipped(&machine, &[]), [format!("{all_of_it}{why}")], "{machine:?}");
        }
    }

    #[test]
    fn each_lack_has_a_reason() {
        for (machine, unreachable, said) in [
            (
                Machine { rustfmt: false, ..whole() },
                "",
                "the format: rustfmt is missing; rustup component add rustfmt",
            ),
            (
                Machine { clippy: false, ..whole() },
                "",
                "the lints: clippy is missing; rustup component add clippy",
            ),
            (
                Machine { chromium: None, ..whole() },
                "",
                "the browser tests: there is no Chromium; install it, or name one in CHROMIUM",
            ),
            (
                whole(),
                "frontend-server/ui-check",
                "the page's types and its own tests: npm could not fetch the TypeScript compiler",
            ),
            (
                whole(),
                "lab/ui-check",
                "the types of the report and its own tests: npm could not fetch the TypeScript compiler",
            ),
            (Machine { go: None, ..whole() }, "", "porcupine, the second judge: Go is missing"),
            (
                Machine { go: Some("go version go1.19.8 linux/amd64".into()), ..whole() },
                "",
                "porcupine, the second judge: go1.19.8 is too old",
            ),
            (whole(), "tests/browser", "the browser tests: npm could not fetch playwright-core"),
        ] {
            assert_eq!(skipped(&machine, &[unreachable]), [said], "{machine:?}");
        }
    }

    /// Nothing is fetched for a step that cannot run anyway.
    #[test]
    fn nobody_asks_further_than_the_first_lack() {
        let mut asked = 0;
        let needs = [(Need::Node, "page"), (Need::Chromium, "browser")];
        let lacking: Result<_, Infallible> = first_lacking(&needs, |_| {
            asked += 1;
            Ok(Some("gone".to_owned()))
        });
        assert_eq!((lacking, asked), (Ok(Some(("page", "gone".to_owned()))), 1));
    }

    #[test]
    fn what_is_missing_is_installed() {
        let all = ["chromium", "nodejs", "npm", "iproute2", "nftables"];
        assert_eq!(Machine::default().packages_to_install(), all);
        assert_eq!(Machine::default().components_to_add(), ["rustfmt", "clippy"]);
        let old = Machine { node: Some("v18.1.0".to_owned()), ..whole() };
        assert_eq!(old.packages_to_install(), [""; 0]);
    }
}
