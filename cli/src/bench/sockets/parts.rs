//! A load that several processes make together, each from a loopback address of its own.
//!
//! One process may open so many files, and one address has so many ports. So the bench
//! starts itself again, with a part to play. A part says `ready` on standard output when all
//! its sockets are open, begins when it hears `go` on standard input, and says at the end
//! what it has seen, as one line of JSON. It ends when standard input does.

use std::{
    env, fmt,
    io::{self, BufRead},
    net::Ipv4Addr,
    process::Stdio,
    str::FromStr,
    thread,
};

use anyhow::{Context, bail};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::mpsc,
};

use crate::{output::print, process, usage::ensure};

/// What a part says, and what it hears.
const READY: &str = "ready";
const GO: &str = "go";

/// Open files that a process needs beside its sockets.
const FILES_KEPT: u64 = 64;

/// One process of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// From 0 on; 0 is who has started the others.
    index: u32,
    of: u32,
}

/// What several processes add up.
pub(super) trait Sum: Serialize + DeserializeOwned {
    /// Adds what another part has seen.
    fn add(&mut self, other: Self);
}

/// This process and the others.
pub(super) enum Company {
    /// It has started these.
    First(Vec<Other>),
    /// It was started, and hears when to begin.
    Other(mpsc::Receiver<String>),
}

/// A process that was started.
pub(super) struct Other {
    child: Child,
    to: ChildStdin,
    from: Lines<BufReader<ChildStdout>>,
}

impl Part {
    /// The first of so many.
    pub(super) fn first(of: u32) -> Self {
        Self { index: 0, of }
    }

    pub(super) fn is_first(self) -> bool {
        self.index == 0
    }

    /// Whether the thing with this number is this part's: they are dealt out in turn.
    pub(super) fn has(self, number: usize) -> bool {
        number % self.of as usize == self.index as usize
    }

    /// Where it connects from when the frontend is on loopback: 127.0.0.1 for the first,
    /// which the system chooses by itself, then 127.0.0.2 and so on.
    pub(super) fn address(self) -> Option<Ipv4Addr> {
        (!self.is_first()).then(|| Ipv4Addr::from(u32::from(Ipv4Addr::LOCALHOST) + self.index))
    }

    /// Holds that so many sockets can be opened here.
    pub(super) fn fits(self, sockets: usize) -> anyhow::Result<()> {
        let files = process::open_files_max()?;
        ensure(sockets as u64 + FILES_KEPT <= files, || {
            format!(
                "{sockets} sockets in one process need {} open files, and {files} are allowed; share them out with --processes N, or raise the limit (ulimit -n)",
                sockets as u64 + FILES_KEPT
            )
        })?;
        Ok(())
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (index, of) = text.split_once('/')?;
            Some(Self { index: index.parse().ok()?, of: of.parse().ok()? })
        };
        read().filter(|part| part.index < part.of).ok_or_else(|| "write it like 1/4".into())
    }
}

impl Company {
    /// Starts the others, if this is the first; else listens to it.
    pub(super) fn of(part: Part) -> anyhow::Result<Self> {
        if !part.is_first() {
            return Ok(Self::Other(lines_of_stdin()));
        }
        let others = (1..part.of).map(|index| Other::start(Part { index, ..part }));
        Ok(Self::First(others.collect::<anyhow::Result<_>>()?))
    }

    /// The others' processes.
    pub(super) fn pids(&self) -> Vec<u32> {
        match self {
            Self::First(others) => others.iter().filter_map(|other| other.child.id()).collect(),
            Self::Other(_) => Vec::new(),
        }
    }

    /// All sockets of this part are open: returns when those of all others are.
    pub(super) async fn all_in(&mut self) -> anyhow::Result<()> {
        match self {
            Self::First(others) => {
                for other in others.iter_mut() {
                    let said = other.next().await?;
                    if said != READY {
                        bail!("a process of this bench said {said:?}");
                    }
                }
                for other in others {
                    let go = format!("{GO}\n");
                    other.to.write_all(go.as_bytes()).await.context("a process has ended")?;
                }
                Ok(())
            }
            Self::Other(heard) => {
                print(READY)?;
                let heard = heard.recv().await;
                heard.filter(|line| line == GO).context("the bench was called off")?;
                Ok(())
            }
        }
    }

    /// What all have seen, if this is the first; else tells the first.
    pub(super) async fn gather<S: Sum>(self, mut seen: S) -> anyhow::Result<Option<S>> {
        match self {
            Self::First(others) => {
                for mut other in others {
                    let line = other.next().await?;
                    seen.add(serde_json::from_str(&line).context("a process said no JSON")?);
                    drop(other.to);
                    other.child.wait().await.context("a process of this bench")?;
                }
                Ok(Some(seen))
            }
            Self::Other(_) => {
                print(&serde_json::to_string(&seen).context("cannot write JSON")?)?;
                Ok(None)
            }
        }
    }
}

impl Other {
    /// The same command once more, with a part.
    fn start(part: Part) -> anyhow::Result<Self> {
        let program = env::current_exe().context("where is this program?")?;
        let mut command = Command::new(program);
        command.args(env::args_os().skip(1)).args(["--part", &part.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("cannot start another process of this bench")?;
        let to = child.stdin.take().expect("it is piped");
        let from = child.stdout.take().expect("it is piped");
        Ok(Self { child, to, from: BufReader::new(from).lines() })
    }

    async fn next(&mut self) -> anyhow::Result<String> {
        let line = self.from.next_line().await.context("cannot hear a process of this bench")?;
        line.context("a process of this bench has ended; what it says is above")
    }
}

/// What is said on standard input, until it ends. By a thread that is never joined: a read
/// of standard input cannot be called off, and a runtime would wait for it.
fn lines_of_stdin() -> mpsc::Receiver<String> {
    let (say, heard) = mpsc::channel(1);
    thread::spawn(move || {
        let lines = io::stdin().lock().lines();
        for line in lines.map_while(Result::ok) {
            if say.blocking_send(line).is_err() {
                return;
            }
        }
    });
    heard
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything is dealt to one part, and each part has an address of its own.
    #[test]
    fn parts_share_everything() {
        let parts: Vec<Part> = ["0/3", "1/3", "2/3"].map(|part| part.parse().unwrap()).into();
        for number in 0..9 {
            assert_eq!(parts.iter().filter(|part| part.has(number)).count(), 1, "{number}");
        }
        let addresses: Vec<_> = parts.iter().map(|part| part.address()).collect();
        let local = |last| Some(Ipv4Addr::new(127, 0, 0, last));
        assert_eq!(addresses, [None, local(2), local(3)]);
        assert_eq!(parts[0], Part::first(3));
        assert_eq!(parts[2].to_string(), "2/3");
        for wrong in ["", "3/3", "1", "a/b"] {
            assert!(wrong.parse::<Part>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn too_many_sockets_are_refused_with_advice() {
        let refused = Part::first(1).fits(usize::MAX >> 1).unwrap_err().to_string();
        assert!(refused.contains("--processes") && refused.contains("ulimit -n"), "{refused}");
        assert!(Part::first(1).fits(1).is_ok());
    }
}
