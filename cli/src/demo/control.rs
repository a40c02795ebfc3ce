//! Asking a running demo to restart one of its processes.
//!
//! Only the demo itself can: its processes must be its children, so that they end
//! with it. It listens on a socket in its folder; one line goes in, `restart n1`,
//! and one line comes back, `done 123` with the new process id or `failed` with
//! the reason.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    time::timeout,
};

/// The socket's name in the demo's folder.
const FILE: &str = "control.sock";

/// The longest request, in bytes. Whoever sends more is cut off there.
const REQUEST_BYTES_MAX: u64 = 256;

/// How long whoever connects may take to say what it wants. Others wait meanwhile.
const REQUEST: Duration = Duration::from_secs(1);

/// How long a restart may take: the demo gives a process its time to stop first.
const ANSWER: Duration = Duration::from_secs(20);

/// The demo's end.
pub(super) struct Control {
    listener: UnixListener,
    path: PathBuf,
}

/// Someone wants this process restarted.
pub(super) struct RestartRequest {
    pub(super) name: String,
    stream: UnixStream,
}

impl Control {
    /// Listens in `dir`, which must be this demo's alone: what an earlier one
    /// left behind is removed.
    pub(super) fn listen(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join(FILE);
        match fs::remove_file(&path) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => {
                return Err(err).with_context(|| format!("cannot remove {}", path.display()));
            }
            _ => (),
        }
        let listener = UnixListener::bind(&path).with_context(|| {
            format!(
                "cannot listen at {}; is its path too long? choose a shorter --dir",
                path.display()
            )
        })?;
        Ok(Self { listener, path })
    }

    /// The next request that makes sense. Whoever calls this off may lose one.
    pub(super) async fn next(&self) -> RestartRequest {
        loop {
            // Someone who connects and leaves, or babbles, is not answered.
            if let Ok((stream, _)) = self.listener.accept().await
                && let Ok(Some(request)) = timeout(REQUEST, read(stream)).await
            {
                return request;
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.path);
    }
}

impl RestartRequest {
    /// Answers. Whoever asked may have gone, which is their business.
    pub(super) async fn answer(mut self, result: &anyhow::Result<u32>) {
        let line = match result {
            Ok(pid) => format!("done {pid}\n"),
            Err(err) => format!("failed {err:#}\n"),
        };
        _ = timeout(REQUEST, self.stream.write_all(line.as_bytes())).await;
    }
}

async fn read(mut stream: UnixStream) -> Option<RestartRequest> {
    let mut line = String::new();
    BufReader::new((&mut stream).take(REQUEST_BYTES_MAX)).read_line(&mut line).await.ok()?;
    let name = line.trim_end().strip_prefix("restart ")?.to_owned();
    Some(RestartRequest { name, stream })
}

/// Asks the demo in `dir` to restart a process; its new process id.
pub(super) async fn restart(dir: &Path, name: &str) -> anyhow::Result<u32> {
    let path = dir.join(FILE);
    let stream = UnixStream::connect(&path).await.map_err(|_| {
        anyhow!(
            "no demo runs in {dir}; start it with `hangraft demo --dir {dir}`",
            dir = dir.display()
        )
    })?;
    let answer = timeout(ANSWER, ask(stream, name))
        .await
        .map_err(|_| anyhow!("the demo did not answer within {ANSWER:?}; is it paused?"))?
        .context("the demo stopped while it was asked")?;
    match answer.trim_end().split_once(' ') {
        Some(("done", pid)) => pid.parse().context("the demo is of another version"),
        Some(("failed", reason)) => bail!("{reason}"),
        _ => bail!("the demo is of another version"),
    }
}

async fn ask(mut stream: UnixStream, name: &str) -> io::Result<String> {
    stream.write_all(format!("restart {name}\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A wish goes in and its answer comes back, also after one who only babbled.
    #[tokio::test]
    async fn a_restart_is_asked_for_and_answered() {
        let dir = TempDir::new().unwrap();
        let control = Control::listen(dir.path()).unwrap();
        let served = tokio::spawn(async move {
            for result in [Ok(42), Err(anyhow!("there is no n9"))] {
                let request = control.next().await;
                assert!(request.name.starts_with('n'));
                request.answer(&result).await;
            }
        });
        let mut babbler = UnixStream::connect(dir.path().join(FILE)).await.unwrap();
        babbler.write_all(&[b'x'; 1000]).await.unwrap();
        assert_eq!(restart(dir.path(), "n1").await.unwrap(), 42);
        assert_eq!(restart(dir.path(), "n9").await.unwrap_err().to_string(), "there is no n9");
        served.await.unwrap();
    }

    #[tokio::test]
    async fn without_a_demo_it_says_how_to_start_one() {
        let dir = TempDir::new().unwrap();
        let err = restart(dir.path(), "n1").await.unwrap_err();
        assert!(err.to_string().contains("hangraft demo --dir"), "{err}");
    }
}
