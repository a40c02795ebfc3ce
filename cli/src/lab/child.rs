//! Programs that a lab runs: each in a group of its own that ends with the lab, each for a
//! while only, and of what they say not more than somebody reads.

use std::{process::Stdio, time::Duration};

use anyhow::Context;
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::Command,
    time::timeout,
};

/// Of what a program says so many bytes are kept.
const SAID_BYTES_MAX: usize = 8 << 10;

/// A line is cut after so many bytes.
const LINE_BYTES_MAX: usize = 1 << 10;

/// What came of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    /// Its exit code; none when it was killed, or took too long.
    pub(crate) code: Option<i32>,
    /// What it said, of both outputs.
    pub(crate) said: String,
}

/// A group of processes, which ends when it is dropped.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // All of it may have ended.
            _ = killpg(group, Signal::SIGKILL);
        }
    }
}

/// Runs a program for a time at most; every line that it says is handed over at once.
pub(crate) async fn run(
    command: &mut Command,
    lasts: Duration,
    hear: impl Fn(&str),
) -> anyhow::Result<Ran> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .context("cannot start it")?;
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).map(Pid::from_raw);
    let _group = Group(pid);
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let running = async {
        let told = async { tokio::join!(listen(out, &hear), listen(err, &hear)) };
        tokio::join!(child.wait(), told)
    };
    match timeout(lasts, running).await {
        Ok((status, (mut said, errors))) => {
            said.push_str(&errors);
            Ok(Ran { code: status.context("cannot wait for it")?.code(), said })
        }
        Err(_) => Ok(Ran { code: None, said: format!("it took longer than {lasts:?}") }),
    }
}

/// Hears all that comes, to its end; the first of it.
async fn listen(from: Option<impl AsyncRead + Unpin>, hear: &impl Fn(&str)) -> String {
    let Some(from) = from else { return String::new() };
    let (mut from, mut said, mut line) = (BufReader::new(from), String::new(), Vec::new());
    while let Ok(bytes @ 1..) = read_line(&mut from, &mut line).await.map(|()| line.len()) {
        let text = String::from_utf8_lossy(&line[..bytes]);
        let text = text.trim_end();
        if !text.trim().is_empty() {
            hear(text);
            if said.len() + text.len() < SAID_BYTES_MAX {
                said.push_str(text);
                said.push('\n');
            }
        }
        line.clear();
    }
    said
}

/// Reads a line; what is too long of it is left out. Nothing at the end.
async fn read_line(
    from: &mut (impl AsyncBufReadExt + Unpin),
    line: &mut Vec<u8>,
) -> std::io::Result<()> {
    loop {
        let here = from.fill_buf().await?;
        let end = here.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let taken = end.unwrap_or(here.len());
        let room = LINE_BYTES_MAX.saturating_sub(line.len());
        line.extend_from_slice(&here[..taken.min(room)]);
        from.consume(taken);
        if end.is_some() || taken == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    async fn ran(script: &str, lasts: Duration) -> Ran {
        run(&mut shell(script), lasts, |_| {}).await.unwrap()
    }

    #[tokio::test]
    async fn what_a_program_says_is_heard() {
        let long = Duration::from_secs(20);
        let said = ran("echo one; echo two >&2; exit 3", long).await;
        assert_eq!(said, Ran { code: Some(3), said: "one\ntwo\n".into() });
        let babbled = ran("yes a word | head -c 3000000", long).await;
        assert!(babbled.code == Some(0) && babbled.said.len() <= SAID_BYTES_MAX);
        let flat = ran("head -c 3000000 /dev/zero | tr '\\0' x", long).await;
        assert!(flat.code == Some(0) && flat.said.len() <= LINE_BYTES_MAX + 1);
    }

    /// What takes too long is killed, and all that it has started.
    #[tokio::test]
    async fn a_program_has_only_so_much_time() {
        let dir = tempfile::TempDir::new().unwrap();
        let file = dir.path().join("pid");
        let script = format!("sleep 60 & echo $! > {}; wait", file.display());
        let ran = ran(&script, Duration::from_millis(500)).await;
        assert_eq!(ran.code, None);
        let pid = std::fs::read_to_string(file).unwrap();
        let gone = || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
            stat.map_or(true, |stat| stat.contains(") Z"))
        };
        for _ in 0..500 {
            if gone() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("its child lives");
    }
}
