//! By what a process is restarted: by its demo, or by a command of the operator's.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::Context;
use hangraft_proto::host::Host;
use tokio::process::Command;

use super::order::Member;
use crate::{
    demo::faults::{self, RestartArgs},
    process::program,
};

/// What `{kind}` is replaced by.
const NODE: &str = "node";
const FRONTEND: &str = "frontend";

/// A frontend, by the URL at which it is asked whether it is ready. Its parts may stand in
/// a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frontend {
    /// Without a slash at its end.
    pub(super) url: String,
    pub(super) https: bool,
    /// As it stands in the URL, without brackets.
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

impl Frontend {
    /// Understands a URL from the command line: a scheme, a host, a port, and no more.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Self::understood(text).ok_or_else(|| "give a URL such as http://10.0.0.11:8080".into())
    }

    fn understood(text: &str) -> Option<Self> {
        let url = text.strip_suffix('/').unwrap_or(text);
        let (scheme, authority) = url.split_once("://")?;
        if !matches!(scheme, "http" | "https") {
            return None;
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        let port = Host::parse(authority).filter(|_| authority.bytes().all(plain))?.port;
        let (host, rest) = match authority.strip_prefix('[') {
            Some(inner) => inner.split_once(']')?,
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        // A colon promises a port, and a dash at the beginning would make an option of it.
        if rest == ":" || host.starts_with('-') {
            return None;
        }
        Some(Self { url: url.into(), https: scheme == "https", host: host.into(), port })
    }
}

/// A command line for bash with `{kind}`, `{name}`, `{host}` and `{address}` in it.
#[derive(Clone, Debug)]
pub(super) struct Template(pub(super) String);

impl Template {
    /// Whether it tells one process from the others.
    pub(super) fn says_which(&self) -> bool {
        ["{host}", "{name}", "{address}"].iter().any(|word| self.0.contains(word))
    }

    fn of(&self, process: &Process) -> String {
        let Process { kind, name, host, address, .. } = process;
        let command = self.0.replace("{kind}", kind).replace("{name}", name);
        command.replace("{host}", host).replace("{address}", address)
    }
}

/// A process that is to be restarted.
#[derive(Clone, Debug)]
pub(super) struct Process {
    kind: &'static str,
    pub(super) name: String,
    /// For people.
    role: String,
    host: String,
    /// An address, or a frontend's URL.
    address: String,
}

impl Process {
    pub(super) fn node(member: &Member) -> Self {
        Self {
            kind: NODE,
            name: member.name.clone(),
            role: member.role.to_string(),
            host: member.address.ip().to_string(),
            address: member.address.to_string(),
        }
    }

    pub(super) fn frontend(name: &str, frontend: &Frontend) -> Self {
        Self {
            kind: FRONTEND,
            name: name.into(),
            role: FRONTEND.into(),
            host: frontend.host.clone(),
            address: frontend.url.clone(),
        }
    }

    /// Which one it is, in a line.
    pub(super) fn text(&self) -> String {
        format!("{} ({}, {})", self.name, self.role, self.address)
    }
}

/// Who restarts.
#[derive(Clone, Debug)]
pub(super) enum Means {
    Demo {
        dir: PathBuf,
        /// The names of its nodes.
        nodes: Vec<String>,
    },
    Command(Template),
}

impl Means {
    /// The only nodes that can be restarted so, if not all can.
    pub(super) fn nodes(&self) -> Option<&[String]> {
        match self {
            Self::Demo { nodes, .. } => Some(nodes),
            Self::Command(_) => None,
        }
    }

    /// What restarts a process, as somebody would type it.
    pub(super) fn command(&self, process: &Process) -> String {
        match self {
            Self::Demo { dir, .. } => {
                format!("{} restart {} --dir {}", program(), process.name, dir.display())
            }
            Self::Command(template) => template.of(process),
        }
    }

    /// Restarts a process, and waits until whoever does that is done.
    pub(super) async fn restart(&self, process: &Process) -> anyhow::Result<()> {
        let restarted = match self {
            Self::Demo { dir, .. } => restart_in_demo(dir, &process.name).await,
            Self::Command(template) => run(&template.of(process)).await,
        };
        restarted.with_context(|| {
            let Process { name, .. } = process;
            let command = self.command(process);
            format!("{name} could not be restarted by `{command}`, and nothing else was touched")
        })
    }
}

async fn restart_in_demo(dir: &Path, name: &str) -> anyhow::Result<()> {
    faults::restart(RestartArgs::of(dir, name)).await
}

async fn run(command: &str) -> anyhow::Result<()> {
    let mut bash = Command::new("bash");
    // Its input is not ours to give away.
    bash.arg("-c").arg(command).stdin(Stdio::null());
    let status = bash.status().await.context("bash cannot be run; is it installed?")?;
    anyhow::ensure!(status.success(), "it ended with {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frontend_goes_by_its_url() {
        for (text, https, host, port) in [
            ("http://10.0.0.11:8080", false, "10.0.0.11", Some(8080)),
            ("http://10.0.0.11:8080/", false, "10.0.0.11", Some(8080)),
            ("https://games.example", true, "games.example", None),
            ("http://[fd00::7]:8080", false, "fd00::7", Some(8080)),
            ("http://[::1]", false, "::1", None),
        ] {
            let frontend = Frontend::parse(text).expect(text);
            assert_eq!(frontend.url, text.trim_end_matches('/'));
            assert_eq!((frontend.https, &*frontend.host, frontend.port), (https, host, port));
        }
    }

    #[test]
    fn a_url_that_a_shell_could_misread_is_refused() {
        for wrong in [
            "",
            "10.0.0.11:8080",
            "ftp://10.0.0.11",
            "http://",
            "http://$(reboot)",
            "http://a;reboot",
            "http://a b",
            "http://a/readyz",
            "http://user@a",
            "http://a:port",
            "http://a:99999",
            "http://a:",
            "http://-oops",
            "http://fd00::7",
            "http://[fd00::7",
        ] {
            let advice = Frontend::parse(wrong).expect_err(wrong);
            assert!(advice.contains("such as http://10.0.0.11:8080"), "{advice}");
        }
    }

    #[test]
    fn a_command_must_say_which_process_it_means() {
        for (with, says) in [
            ("ssh {host} sudo systemctl restart hangraft-{kind}", true),
            ("restart {name}", true),
            ("restart {address}", true),
            ("systemctl restart hangraft-{kind}", false),
        ] {
            assert_eq!(Template(with.into()).says_which(), says, "{with}");
        }
    }

    #[test]
    fn the_words_of_a_command_become_those_of_the_process() {
        let template = Template("{kind} {name} {host} {address} {name} {other}".into());
        let frontend = Frontend::parse("https://[fd00::7]:8080/").unwrap();
        let process = Process::frontend("f2", &frontend);
        assert_eq!(template.of(&process), "frontend f2 fd00::7 https://[fd00::7]:8080 f2 {other}");
        assert_eq!(process.text(), "f2 (frontend, https://[fd00::7]:8080)");
    }

    #[tokio::test]
    async fn a_command_that_fails_is_told_with_its_words() {
        let process = Process::frontend("f1", &Frontend::parse("http://a").unwrap());
        let means = |with: &str| Means::Command(Template(with.into()));
        means("test {name} = f1 && ! read line").restart(&process).await.unwrap();
        let err = means("exit 3 # {name}").restart(&process).await.unwrap_err();
        let said = format!("{err:#}");
        assert!(said.starts_with("f1 could not be restarted by `exit 3 # f1`"), "{said}");
        assert!(said.contains("nothing else was touched") && said.contains('3'), "{said}");
    }
}
